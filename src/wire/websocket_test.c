#include "base/mem.h"
#include "harness/test.h"
#include "wire/websocket_testing.h"

/* --- handshake --- */

#define HEAD(m, up, ...)                                                                     \
    (&(struct http_head){.method = S(m),                                                     \
                         .upgrade = S(up),                                                   \
                         .headers = (const struct http_header[]){__VA_ARGS__},               \
                         .header_count = sizeof((const struct http_header[]){__VA_ARGS__}) / \
                                         sizeof(struct http_header)})
#define H(n, v)    \
    {              \
        S(n), S(v) \
    }
#define RFC_KEY  "dGhlIHNhbXBsZSBub25jZQ=="
#define H_KEY    H("sec-websocket-key", RFC_KEY)
#define H_13     H("sec-websocket-version", "13")
#define H_OFFERS "sec-websocket-protocol"

TEST(websocket_accept_is_that_of_the_rfc)
{
    char accept[WS_ACCEPT_N];
    ws_accept(S(RFC_KEY), accept);
    CHECK_STR(str_of(accept, sizeof accept), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    char key[WS_KEY_N];
    ws_key((const uint8_t *)"the sample nonce", key);
    CHECK_STR(str_of(key, sizeof key), RFC_KEY);
    ws_accept(S("x3JJHMbDL1EzLkh9GBhXDw=="), accept);
    CHECK_STR(str_of(accept, sizeof accept), "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

TEST(websocket_request_is_taken_or_says_what_is_wrong)
{
    struct err e = ERR_INIT;
    str key = STR_NONE;
    CHECK(!ws_check_request(HEAD("GET", "WebSocket", H_13, H_KEY), &key, &e));
    CHECK_STR(key, RFC_KEY);
    const struct {
        const struct http_head *head;
        err_code code;
        const char *text;
    } cases[] = {
        {HEAD("POST", "websocket", H_13, H_KEY), ERR_BAD_REQUEST, "not 'POST'"},
        {HEAD("GET", "h2c", H_13, H_KEY), ERR_BAD_REQUEST, "does not ask"},
        {HEAD("GET", "websocket", H_KEY), ERR_UNSUPPORTED, "only 13"},
        {HEAD("GET", "websocket", H("sec-websocket-version", "8"), H_KEY), ERR_UNSUPPORTED, "is '8'"},
        {HEAD("GET", "websocket", H_13), ERR_BAD_REQUEST, "sec-websocket-key"},
        {HEAD("GET", "websocket", H_13, H_KEY, H_KEY), ERR_BAD_REQUEST, "once"},
        {HEAD("GET", "websocket", H_13, H("sec-websocket-key", "c2hvcnQ=")), ERR_BAD_REQUEST, "16 bytes"},
        {HEAD("GET", "websocket", H_13, H("sec-websocket-key", "dGhlIHNhbXBs*SBub25jZQ==")), ERR_BAD_REQUEST,
         "base64"},
        {HEAD("GET", "websocket", H_13, H("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=A")), ERR_BAD_REQUEST,
         "base64"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK_EQ(ws_check_request(cases[i].head, &key, &e), cases[i].code);
        CHECK_CONTAINS(e.msg, cases[i].text);
    }
}

TEST(websocket_protocol_is_the_first_of_the_client_that_is_ours)
{
    const str ours[] = {S("v4.channel.k8s.io"), S("v5.channel.k8s.io"), S("channel.k8s.io"), S("")};
    const struct {
        const struct http_head *head;
        size_t our_count;
        const char *want; /* NULL: refused */
    } cases[] = {
        {HEAD("GET", "", H(H_OFFERS, "v5.channel.k8s.io, v4.channel.k8s.io")), 3, "v5.channel.k8s.io"},
        {HEAD("GET", "", H(H_OFFERS, "nobody,,  v4.channel.k8s.io")), 3, "v4.channel.k8s.io"},
        {HEAD("GET", "", H(H_OFFERS, "nobody"), H("x", "y"), H(H_OFFERS, "channel.k8s.io")), 3,
         "channel.k8s.io"},
        {HEAD("GET", "", H(H_OFFERS, WS_BEARER_PREFIX "dG9r, v4.channel.k8s.io")), 3, "v4.channel.k8s.io"},
        {HEAD("GET", "", H("x", "y")), 4, ""},
        {HEAD("GET", "", H("x", "y")), 3, NULL},
        {HEAD("GET", "", H(H_OFFERS, "V4.channel.k8s.io")), 4, NULL},
        {HEAD("GET", "", H(H_OFFERS, WS_BEARER_PREFIX "dG9r")), 4, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        str got = STR_NONE;
        err_code code = ws_choose_protocol(cases[i].head, ours, cases[i].our_count, &got, &e);
        CHECK_EQ(code, cases[i].want ? ERR_NONE : ERR_FORBIDDEN);
        CHECK_STR(got, cases[i].want ? cases[i].want : "");
    }
}

TEST(websocket_bearer_token_stands_alone_among_other_protocols)
{
    str token = S("x");
    CHECK_OK(ws_find_bearer(HEAD("GET", "", H(H_OFFERS, "v4.channel.k8s.io")), &token, &e));
    CHECK_STR(token, "");
    CHECK_OK(ws_find_bearer(HEAD("GET", "", H(H_OFFERS, "a, " WS_BEARER_PREFIX "dG9r")), &token, &e));
    CHECK_STR(token, "dG9r");
    CHECK_ERR(INVALID, "needed beside",
              ws_find_bearer(HEAD("GET", "", H(H_OFFERS, WS_BEARER_PREFIX "dG9r")), &token, &e));
    CHECK_ERR(INVALID, "empty",
              ws_find_bearer(HEAD("GET", "", H(H_OFFERS, "a," WS_BEARER_PREFIX)), &token, &e));
    CHECK_ERR(INVALID, "multiple",
              ws_find_bearer(
                  HEAD("GET", "", H(H_OFFERS, "a," WS_BEARER_PREFIX "b"), H(H_OFFERS, WS_BEARER_PREFIX "c")),
                  &token, &e));
}

TEST(websocket_answer_must_fit_what_was_asked)
{
    static const struct http_header good[] = {H("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                                              H(H_OFFERS, "v5.channel.k8s.io")},
                                    bad_accept[] = {H("sec-websocket-accept",
                                                      "x3pPLMBiTxaQ9kYGzzhZRbK+xOo=")},
                                    extension[] = {H("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                                                   H("sec-websocket-extensions", "permessage-deflate")},
                                    two[] = {H("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                                             H(H_OFFERS, "v4.channel.k8s.io"),
                                             H(H_OFFERS, "v5.channel.k8s.io")};
    const str offered[] = {S("v5.channel.k8s.io"), S("v4.channel.k8s.io")};
    struct http_head head = {.status = 101, .upgrade = S("websocket"), .headers = good, .header_count = 2};
    str protocol = STR_NONE;
    CHECK_OK(ws_check_response(&head, S(RFC_KEY), offered, 2, &protocol, &e));
    CHECK_STR(protocol, "v5.channel.k8s.io");
    CHECK_ERR(PROTOCOL, "not offered", ws_check_response(&head, S(RFC_KEY), offered + 1, 1, &protocol, &e));
    head.header_count = 1;
    CHECK_OK(ws_check_response(&head, S(RFC_KEY), offered, 2, &protocol, &e));
    CHECK_STR(protocol, "");
    head.headers = bad_accept;
    CHECK_ERR(PROTOCOL, "should be 's3pP", ws_check_response(&head, S(RFC_KEY), offered, 2, &protocol, &e));
    head.headers = extension, head.header_count = 2;
    CHECK_ERR(PROTOCOL, "permessage-deflate",
              ws_check_response(&head, S(RFC_KEY), offered, 2, &protocol, &e));
    head.headers = two, head.header_count = 3;
    CHECK_ERR(PROTOCOL, "v5.channel", ws_check_response(&head, S(RFC_KEY), offered, 2, &protocol, &e));
    head.status = 403;
    CHECK_ERR(PROTOCOL, "status 403", ws_check_response(&head, S(RFC_KEY), offered, 2, &protocol, &e));
}

/* --- frames --- */

static const struct ws_opts client_opts = {.mask_key = {1, 2}};

struct run {
    struct ws *w;
    struct buf events, out;
};

static struct run run_new(enum ws_role role, const struct ws_opts *opts)
{
    struct run r = {.w = ws_new(role, opts ? opts : &client_opts)};
    buf_init(&r.events, 1 << 24);
    buf_init(&r.out, 1 << 24);
    return r;
}

static void run_done(struct run *r)
{
    ws_free(r->w);
    buf_done(&r->events);
    buf_done(&r->out);
}

static void run_feed(struct run *r, str bytes, size_t step)
{
    ws_run(r->w, bytes, step, &r->events, &r->out);
}

TEST(websocket_frames_of_the_rfc_are_read)
{
    const struct {
        enum ws_role role;
        str bytes;
        const char *events, *out;
    } cases[] = {
        {WS_CLIENT, S("\x81\x05Hello"), "text<Hello>", ""},
        {WS_SERVER, S("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "text<Hello>", ""},
        {WS_CLIENT, S("\x01\x03Hel\x80\x02lo"), "text<Hello>", ""},
        {WS_CLIENT, S("\x01\x03Hel\x8a\x01!\x80\x02lo"), "text<Helpong(!)lo>", ""},
        {WS_SERVER, S("\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "ping(Hello)", "\x8a\x05Hello"},
        {WS_CLIENT,
         S("\x82\x7e\x00\x80"
           "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
           "56789012345678901234567890123456!"),
         "binary<012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"
         "2345678901234567890123456!>",
         ""},
        {WS_CLIENT, S("\x82\x00"), "binary<>", ""},
        {WS_CLIENT, S("\x02\x00\x00\x00\x80\x00"), "binary<>", ""},
        {WS_CLIENT, S("\x02\x00\x00\x01x\x80\x00"), "binary<x>", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (size_t step = 1; step < 1000; step = step * 3 + 1) {
            struct run r = run_new(cases[i].role, NULL);
            run_feed(&r, cases[i].bytes, step);
            CHECK_OK(ws_check(r.w, &e));
            CHECK_STR(buf_str(&r.events), cases[i].events);
            CHECK_STR(buf_str(&r.out), cases[i].out);
            run_done(&r);
        }
}

TEST(websocket_hostile_frames_fail_with_the_right_close_code)
{
    const struct {
        enum ws_role role;
        str bytes;
        const char *text;
        int close_code;
    } cases[] = {
        {WS_CLIENT, S("\xc1\x00"), "reserved bit", 1002},
        {WS_CLIENT, S("\x91\x00"), "reserved bit", 1002},
        {WS_CLIENT, S("\x83\x00"), "unknown opcode", 1002},
        {WS_CLIENT, S("\x8b\x00"), "unknown opcode", 1002},
        {WS_CLIENT, S("\x8f\x00"), "unknown opcode", 1002},
        {WS_CLIENT, S("\x81\x80\x00\x00\x00\x00"), "a masked frame", 1002},
        {WS_SERVER, S("\x81\x00"), "not masked", 1002},
        {WS_SERVER, S("\x88\x00"), "not masked", 1002},
        {WS_CLIENT, S("\x09\x00"), "fragmented control", 1002},
        {WS_CLIENT, S("\x89\x7e\x00\x80"), "more than 125", 1002},
        {WS_CLIENT, S("\x80\x00"), "continuation of no message", 1002},
        {WS_CLIENT, S("\x81\x01x\x00\x01x"), "continuation of no message", 1002},
        {WS_CLIENT, S("\x01\x01x\x81\x01x"), "inside a message", 1002},
        {WS_CLIENT, S("\x02\x00\x82\x00"), "inside a message", 1002},
        {WS_CLIENT, S("\x82\x7e\x00\x7d"), "shortest form", 1002},
        {WS_CLIENT, S("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), "shortest form", 1002},
        {WS_CLIENT, S("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), "highest bit", 1002},
        {WS_CLIENT, S("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), "frame that is too large", 1009},
        {WS_CLIENT, S("\x82\x7f\x00\x00\x00\x00\x01\x00\x00\x01"), "frame that is too large", 1009},
        {WS_CLIENT, S("\x88\x01x"), "close frame of one byte", 1002},
        {WS_CLIENT, S("\x88\x02\x03\xe7"), "may not be sent", 1002},
        {WS_CLIENT, S("\x88\x02\x03\xed"), "may not be sent", 1002},
        {WS_CLIENT, S("\x88\x02\x03\xee"), "may not be sent", 1002},
        {WS_CLIENT, S("\x88\x02\x03\xf7"), "may not be sent", 1002},
        {WS_CLIENT, S("\x88\x02\x13\x88"), "may not be sent", 1002},
        {WS_CLIENT, S("\x88\x03\x03\xe8\xc3"), "reason is not UTF-8", 1007},
        {WS_CLIENT, S("\x81\x01\xff"), "not UTF-8", 1007},
        {WS_CLIENT, S("\x81\x02\xc0\x80"), "not UTF-8", 1007},
        {WS_CLIENT, S("\x81\x03\xed\xa0\x80"), "not UTF-8", 1007},
        {WS_CLIENT, S("\x81\x03\xe0\x9f\xbf"), "not UTF-8", 1007},
        {WS_CLIENT, S("\x81\x04\xf4\x90\x80\x80"), "not UTF-8", 1007},
        {WS_CLIENT, S("\x81\x04\xf0\x8f\xbf\xbf"), "not UTF-8", 1007},
        {WS_CLIENT, S("\x81\x02\xe2\x82"), "not UTF-8", 1007},
        {WS_CLIENT, S("\x01\x02\xe2\x82\x80\x01x"), "not UTF-8", 1007},
        {WS_CLIENT, S("\x01\x02\xe2\x82\x80\x00"), "not UTF-8", 1007},
        {WS_CLIENT,
         S("\x81\x0c"
           "abcdefghij\xff"
           "l"),
         "not UTF-8", 1007},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (size_t step = 1; step < 100; step += 98) {
            struct run r = run_new(cases[i].role, NULL);
            run_feed(&r, cases[i].bytes, step);
            struct err why = ERR_INIT;
            CHECK_EQ(ws_check(r.w, &why), cases[i].close_code == 1009 ? ERR_TOO_LARGE : ERR_PROTOCOL);
            CHECK_CONTAINS(why.msg, cases[i].text);
            CHECK(ws_is_over(r.w));
            CHECK_ERR(CLOSED, "closing", ws_ping(r.w, S(""), &e));

            /* The answer is one close frame of that code, and nothing after. */
            run_feed(&r, S("\x81\x01x"), 1);
            struct run peer = run_new(cases[i].role == WS_SERVER ? WS_CLIENT : WS_SERVER, NULL);
            run_feed(&peer, buf_str(&r.out), SIZE_MAX);
            struct arena a;
            arena_init(&a, 0);
            CHECK(str_starts(buf_str(&peer.events), str_format(&a, "close %d(", cases[i].close_code)));
            arena_done(&a);
            run_done(&peer);
            run_done(&r);
        }
}

TEST(websocket_text_may_be_cut_inside_a_character)
{
    struct run r = run_new(WS_CLIENT, NULL);
    run_feed(&r,
             S("\x01\x05"
               "1234\xf0\x00\x01\x9f\x89\x00\x00\x02\x92\xa9\x80\x03\xe2\x82\xac"),
             1);
    CHECK_OK(ws_check(r.w, &e));
    CHECK_STR(buf_str(&r.events), "text<1234\xf0\x9fping()\x92\xa9\xe2\x82\xac>");
    run_done(&r);
}

TEST(websocket_binary_may_hold_any_bytes)
{
    struct run r = run_new(WS_CLIENT, NULL);
    run_feed(&r, S("\x82\x03\xff\xc0\x80"), SIZE_MAX);
    CHECK_STR(buf_str(&r.events), "binary<\xff\xc0\x80>");
    run_done(&r);
}

TEST(websocket_limits_hold_for_frames_and_for_messages)
{
    struct ws_opts opts = {.frame_size_max = 4, .message_size_max = 10};
    struct run r = run_new(WS_SERVER, &opts);
    run_feed(&r,
             S("\x02\x84\0\0\0\0"
               "abcd\x00\x84\0\0\0\0"
               "efgh\x80\x82\0\0\0\0"
               "ij"),
             1);
    CHECK_OK(ws_check(r.w, &e));
    run_feed(&r,
             S("\x02\x84\0\0\0\0"
               "abcd\x00\x84\0\0\0\0"
               "efgh\x80\x83\0\0\0\0"
               "ijk"),
             1);
    CHECK_STR(buf_str(&r.events), "binary<abcdefghij>binary<abcdefgh");
    CHECK_ERR(TOO_LARGE, "message that is too large", ws_check(r.w, &e));
    run_done(&r);
    r = run_new(WS_SERVER, &opts);
    run_feed(&r,
             S("\x82\x85\0\0\0\0"
               "abcde"),
             1);
    CHECK_STR(buf_str(&r.events), "");
    CHECK_ERR(TOO_LARGE, "frame that is too large", ws_check(r.w, &e));
    run_done(&r);
}

TEST(websocket_answers_only_the_newest_ping)
{
    struct ws *w = ws_new(WS_CLIENT, &client_opts);
    struct ws_event ev;
    str in = S("\x89\x01"
               "a\x89\x01"
               "b");
    CHECK(ws_next(w, &in, &ev));
    CHECK(ws_next(w, &in, &ev));
    struct run server = run_new(WS_SERVER, NULL);
    run_feed(&server, ws_output(w), SIZE_MAX);
    CHECK_STR(buf_str(&server.events), "pong(b)");
    run_done(&server);
    ws_free(w);
}

TEST(websocket_says_nothing_after_a_failure_but_why)
{
    struct ws *w = ws_new(WS_SERVER, NULL);
    struct ws_event ev;
    str in = S("\x89\x81\0\0\0\0"
               "a\x83\x80");
    CHECK(ws_next(w, &in, &ev));
    CHECK(!ws_next(w, &in, &ev));
    CHECK_EQ(in.n, 0);
    CHECK_EQ(ws_output(w).p[0], (char)0x88);
    CHECK(str_ends(ws_output(w), S("a frame with an unknown opcode")));
    ws_free(w);
}

TEST(websocket_pings_cannot_fill_the_output)
{
    struct ws_opts opts = {.output_max = 1000};
    struct ws *w = ws_new(WS_SERVER, &opts);
    for (size_t i = 0; i < 1000; i++) {
        struct ws_event ev;
        str in = S("\x89\x8a\0\0\0\0"
                   "0123456789");
        CHECK(ws_next(w, &in, &ev));
        CHECK_LE(ws_output(w).n, 1000 + 131);
    }
    ws_close(w, WS_CLOSE_GOING_AWAY, S("enough"));
    CHECK(str_ends(ws_output(w), S("enough")));
    ws_free(w);
}

TEST(websocket_with_manual_pong_leaves_the_answer_to_its_owner)
{
    struct ws_opts opts = {.manual_pong = true};
    struct run r = run_new(WS_SERVER, &opts);
    run_feed(&r,
             S("\x89\x81\0\0\0\0"
               "a"),
             1);
    CHECK_STR(buf_str(&r.events), "ping(a)");
    CHECK_EQ(r.out.n, 0);
    CHECK_OK(ws_pong(r.w, S("a"), &e));
    CHECK_STR(ws_output(r.w), "\x8a\x01"
                              "a");
    run_done(&r);
}

TEST(websocket_close_is_answered_once_with_the_same_code)
{
    const struct {
        str bytes;
        const char *event, *out;
    } cases[] = {
        {S("\x88\x00"), "close 1005()", "\x88\x00"},
        {S("\x88\x02\x03\xe8"), "close 1000()", "\x88\x02\x03\xe8"},
        {S("\x88\x05\x0f\xa1"
           "bye"),
         "close 4001(bye)", "\x88\x02\x0f\xa1"},
        {S("\x88\x02\x0b\xb8"), "close 3000()", "\x88\x02\x0b\xb8"},
        {S("\x88\x02\x03\xf6"), "close 1014()", "\x88\x02\x03\xf6"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct run r = run_new(WS_CLIENT, NULL), echo = run_new(WS_SERVER, NULL);
        run_feed(&r, cases[i].bytes, 1);
        CHECK(ws_is_over(r.w));
        CHECK_OK(ws_check(r.w, &e));
        run_feed(&r, S("\x81\x01x\xff"), 1); /* ignored */
        CHECK_STR(buf_str(&r.events), cases[i].event);
        run_feed(&echo, buf_str(&r.out), 1);
        size_t code_end = str_index_c(str_from_c(cases[i].event), '(');
        CHECK_STR(str_slice(buf_str(&echo.events), 0, code_end),
                  str_slice(str_from_c(cases[i].event), 0, code_end));
        /* and the peer that began is over too: this one had not, so it answers the answer. */
        CHECK_ERR(CLOSED, "closing", ws_send(r.w, WS_TEXT, 0, NULL, 0, &e));
        run_done(&r);
        run_done(&echo);
    }
}

TEST(websocket_that_began_closing_still_delivers_until_the_peer_closes)
{
    struct run r = run_new(WS_CLIENT, NULL);
    ws_close(r.w, WS_CLOSE_NORMAL, S("done"));
    ws_close(r.w, WS_CLOSE_POLICY, S("ignored"));
    run_feed(&r, S("\x81\x02hi\x89\x01p"), 1);
    CHECK(!ws_is_over(r.w));
    run_feed(&r, S("\x88\x02\x03\xe8"), 1);
    CHECK(ws_is_over(r.w));
    CHECK_STR(buf_str(&r.events), "text<hi>ping(p)close 1000()");
    struct run server = run_new(WS_SERVER, NULL);
    run_feed(&server, buf_str(&r.out), 1);
    CHECK_STR(buf_str(&server.events), "close 1000(done)");
    run_done(&server);
    run_done(&r);
}

TEST(websocket_close_reason_is_cut_between_characters)
{
    char reason[200];
    memset(reason, 'x', sizeof reason);
    memcpy(reason + 121, "\xe2\x82\xac", 3);
    struct run r = run_new(WS_SERVER, NULL), client = run_new(WS_CLIENT, NULL);
    ws_close(r.w, WS_CLOSE_NORMAL, str_of(reason, sizeof reason));
    run_feed(&client, ws_output(r.w), 1);
    CHECK_OK(ws_check(client.w, &e));
    CHECK_EQ(client.events.n, sizeof "close 1000()" - 1 + 121);
    run_done(&r);
    run_done(&client);
}

TEST(websocket_head_and_payload_of_the_caller_make_one_frame)
{
    struct ws *w = ws_new(WS_SERVER, NULL);
    struct run client = run_new(WS_CLIENT, NULL);
    str payload = S("\x01output of a container");
    CHECK_OK(ws_send(w, WS_TEXT, 0, &S("first"), 1, &e));
    CHECK_OK(ws_send_head(w, WS_BINARY, 0, payload.n, &e));
    /* A ping that comes now is answered behind the payload, not inside the frame. */
    struct ws_event ev;
    str in = S("\x89\x81\0\0\0\0"
               "a");
    CHECK(ws_next(w, &in, &ev));
    run_feed(&client, ws_output(w), 1);
    ws_written(w, 3);
    ws_written(w, ws_output(w).n);
    run_feed(&client, payload, 1);
    run_feed(&client, ws_output(w), 1);
    CHECK_STR(buf_str(&client.events), "text<first>binary<\x01output of a container>pong(a)");
    run_done(&client);
    ws_free(w);
}

TEST(websocket_heads_have_the_shortest_size)
{
    const struct {
        uint64_t size;
        const char *head;
        size_t head_n;
    } cases[] = {
        {0, "\x82\x00", 2},
        {125, "\x82\x7d", 2},
        {126, "\x82\x7e\x00\x7e", 4},
        {65535, "\x82\x7e\xff\xff", 4},
        {65536, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10},
        {UINT64_MAX >> 1, "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct ws *w = ws_new(WS_SERVER, NULL);
        CHECK_OK(ws_send_head(w, WS_BINARY, 0, cases[i].size, &e));
        CHECK_STR(ws_output(w), str_of(cases[i].head, cases[i].head_n));
        ws_free(w);
    }
}

TEST(websocket_output_is_bounded_and_a_refused_frame_leaves_no_trace)
{
    struct ws_opts opts = {.output_max = 100};
    struct ws *w = ws_new(WS_SERVER, &opts);
    char bytes[200] = {0};
    CHECK_OK(ws_send(w, WS_BINARY, WS_MORE, &(str){bytes, 60}, 1, &e));
    CHECK_ERR(TOO_LARGE, "62 of at most 100", ws_send(w, WS_BINARY, 0, &(str){bytes, 60}, 1, &e));
    CHECK_ERR(TOO_LARGE, "does not fit", ws_send(w, WS_BINARY, 0, &(str){bytes, 200}, 1, &e));
    CHECK_EQ(ws_output(w).n, 62);
    ws_written(w, 62);
    CHECK_OK(ws_send(w, WS_BINARY, 0, &(str){bytes, 60}, 1, &e));
    CHECK_EQ(ws_output(w).p[0], (char)0x80);
    ws_free(w);
}

TEST(websocket_masks_differ_and_hide_the_payload)
{
    struct ws *w = ws_new(WS_CLIENT, &client_opts);
    str secret = S("GET / HTTP/1.1");
    char first[20];
    CHECK_OK(ws_send(w, WS_TEXT, 0, &secret, 1, &e));
    str out = ws_output(w);
    CHECK_EQ(out.n, 20);
    CHECK(!str_contains(out, S("GET")));
    memcpy(first, out.p, 20);
    ws_written(w, 20);
    CHECK_OK(ws_send(w, WS_TEXT, 0, &secret, 1, &e));
    CHECK(memcmp(ws_output(w).p + 2, first + 2, 4) != 0);
    ws_free(w);
}

TEST(websocket_streaming_costs_no_heap_calls)
{
    struct ws *client = ws_new(WS_CLIENT, &client_opts), *server = ws_new(WS_SERVER, NULL);
    char bytes[4096] = {0};
    str payload = str_of(bytes, sizeof bytes);
    uint64_t before = 0;
    for (size_t i = 0; i < 100; i++) {
        struct ws_event ev;
        struct err e = ERR_INIT;
        CHECK(!ws_send(client, WS_BINARY, 0, &payload, 1, &e));
        str out = ws_output(client);
        while (ws_next(server, &out, &ev))
            ;
        ws_written(client, ws_output(client).n);
        CHECK(!ws_send(server, WS_BINARY, 0, &payload, 1, &e));
        out = ws_output(server);
        const char *from = out.p;
        CHECK(ws_next(client, &out, &ev));
        CHECK(ev.data.p == from + 4 && ev.data.n == sizeof bytes); /* not copied */
        ws_written(server, ws_output(server).n);
        if (i == 0)
            before = mem_thread_allocs();
    }
    CHECK_EQ(mem_thread_allocs(), before);
    ws_free(client);
    ws_free(server);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One random thing to say: sent by `w`, and as it should be understood added to `want`. */
static void say_something(struct ws *w, uint64_t *random, const char *bytes, bool *inside, struct buf *want)
{
    struct err e = ERR_INIT;
    str parts[3];
    for (size_t i = 0; i < 3; i++)
        parts[i] = str_of(bytes + next_random(random) % 16,
                          next_random(random) % 3 ? next_random(random) % 40 : next_random(random) % 70000);
    if (next_random(random) % 4 == 0) {
        CHECK(!ws_ping(w, str_slice(parts[0], 0, 125), &e));
        return; /* answered, and reported between pieces: not part of the comparison */
    }
    bool more = next_random(random) % 3 == 0;
    CHECK(!ws_send(w, WS_BINARY, more ? WS_MORE : 0, parts, 3, &e));
    if (!*inside)
        buf_add_lit(want, "binary<");
    for (size_t i = 0; i < 3; i++)
        buf_add(want, parts[i]);
    if (!more)
        buf_add_c(want, '>');
    *inside = more;
}

static void hand_over(struct ws *from, struct ws *to, uint64_t *random, struct buf *got)
{
    str out = ws_output(from);
    size_t n = next_random(random) % (out.n + 1);
    str part = str_slice(out, 0, n);
    struct ws_event ev;
    while (ws_next(to, &part, &ev))
        if (ev.type == WS_DATA)
            ws_transcript_add(got, &ev);
    ws_written(from, n);
}

TEST(websocket_peers_understand_each_other_over_any_split)
{
    uint64_t random = test_seed() | 1;
    char *bytes = mem_alloc(70016);
    for (size_t i = 0; i < 70016; i++)
        bytes[i] = (char)next_random(&random);
    for (int round = 0; round < (test_is_sanitized() ? 5 : 20); round++) {
        struct ws_opts opts = {.mask_key = {random, 1}, .output_max = 1 << 24};
        struct ws *ends[2] = {ws_new(WS_SERVER, NULL), ws_new(WS_CLIENT, &opts)};
        struct buf want[2], got[2];
        bool inside[2] = {false, false};
        for (size_t i = 0; i < 2; i++)
            buf_init(&want[i], 1 << 26), buf_init(&got[i], 1 << 26);
        for (int i = 0; i < 200; i++) {
            size_t from = next_random(&random) % 2;
            if (ws_output(ends[from]).n < 500000)
                say_something(ends[from], &random, bytes, &inside[from], &want[from]);
            from = next_random(&random) % 2;
            hand_over(ends[from], ends[!from], &random, &got[!from]);
        }
        while (ws_output(ends[0]).n || ws_output(ends[1]).n)
            for (size_t i = 0; i < 2; i++)
                hand_over(ends[i], ends[!i], &random, &got[!i]);
        for (size_t i = 0; i < 2; i++) {
            CHECK_OK(ws_check(ends[i], &e));
            CHECK_STR(buf_str(&got[!i]), buf_str(&want[i]));
        }
        for (size_t i = 0; i < 2; i++)
            ws_free(ends[i]), buf_done(&want[i]), buf_done(&got[i]);
    }
    mem_free(bytes);
}
