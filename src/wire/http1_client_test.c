/* HTTP/1.1 clients against bytes written by hand. */
#include "harness/test.h"
#include "wire/http1_side_test.h"

TEST(http1_requests_are_framed_by_what_is_known)
{
    static const struct {
        const char *method, *request;
        int64_t length;
        bool end, expects;
    } cases[] = {
        {"GET", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", -1, true, true},
        {"DELETE", "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", -1, true, false},
        {"POST", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", -1, true, false},
        {"POST", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", 4, false, false},
        {"POST", "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", 4,
         false, true},
        {"PATCH", "PATCH / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
         -1, false, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct side s;
        side_init(&s, false, PLAN_HOLD, NULL);
        side_request_full(&s,
                          &(struct http_head){.method = str_from_c(cases[i].method),
                                              .target = S("/"),
                                              .authority = S("h"),
                                              .content_length = cases[i].length,
                                              .expect_continue = cases[i].expects},
                          cases[i].end);
        http_send_body(s.x, S("body"));
        http_send_end(s.x, NULL, 0);
        side_expect_out(&s, cases[i].request);
        side_done(&s);
    }
}

struct answer_case {
    const char *method;
    str answer;
    const char *log;
    bool is_reusable;
    bool ends; /* the server closes behind it */
};
#define ANSWER(text) S_INIT("HTTP/1.1 " text)

TEST(http1_client_understands_answers_of_each_form)
{
    static const struct answer_case cases[] = {
        {"GET", ANSWER("200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhi"),
         "200 [x-a=b] length=2\nbody 'hi'\nend\n", true, false},
        {"GET", ANSWER("200\r\nContent-Length: 0\r\n\r\n"), "200 length=0 end\n", true, false},
        {"GET", ANSWER("200 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "200 length=0 end\n", false,
         false},
        {"GET", ANSWER("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nsum: 1\r\n\r\n"),
         "200\nbody 'hi'\nend [sum=1]\n", true, false},
        {"GET", ANSWER("200 OK\r\n\r\nhi"), "200\nbody 'hi'\nend\n", false, true},
        {"GET", S_INIT("HTTP/1.0 200 OK\r\n\r\nhi"), "200\nbody 'hi'\nend\n", false, true},
        {"GET", S_INIT("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "200 length=2\nbody 'hi'\nend\n",
         false, false},
        {"GET", S_INIT("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi"),
         "200 length=2\nbody 'hi'\nend\n", true, false},
        {"HEAD", ANSWER("200 OK\r\nContent-Length: 2\r\n\r\n"), "200 length=2 end\n", true, false},
        {"HEAD", ANSWER("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), "200 end\n", true, false},
        {"GET", ANSWER("204 No Content\r\n\r\n"), "204 end\n", true, false},
        {"GET", ANSWER("204 No Content\r\nContent-Length: 5\r\n\r\n"), "204 length=5 end\n", false, false},
        {"GET", ANSWER("304 Not Modified\r\nContent-Length: 5\r\n\r\n"), "304 length=5 end\n", true, false},
        {"GET",
         ANSWER(
             "100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 404 Gone Fishing\r\nContent-Length: 0\r\n\r\n"),
         "100\n103 [link=x]\n404 length=0 end\n", true, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (size_t split = 0; split < 20; split++) {
            struct side s;
            side_init(&s, false, PLAN_HOLD, NULL);
            side_request(&s, cases[i].method);
            side_flush(&s);
            side_feed_in(&s, cases[i].answer, split);
            CHECK_STR(s.err.msg, "");
            if (cases[i].ends)
                CHECK_OK(http_conn_feed_end(s.c, &e));
            side_expect_log(&s, cases[i].log);
            CHECK(http_exchange_is_over(s.x));
            CHECK_EQ(http_conn_is_over(s.c), !cases[i].is_reusable);
            side_free(&s);
            CHECK_EQ(http_conn_exchange_count(s.c), 0);
            if (cases[i].is_reusable) {
                side_request(&s, "GET");
                side_feed(&s, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                side_expect_log(&s, "200 length=0 end\n");
            } else {
                struct err err = ERR_INIT;
                CHECK(!http_request(
                    s.c, &(struct http_head){.method = S("GET"), .target = S("/"), .content_length = -1},
                    true, side_handler(&s), &err));
                CHECK_EQ(err.code, ERR_CLOSED);
            }
            side_done(&s);
        }
    }
}

TEST(http1_answers_that_could_be_read_in_two_ways_reset_the_exchange)
{
    static const struct answer_case cases[] = {
        {"GET", S_INIT("SSH-2.0-x\r\n"), "the server does not speak HTTP/1.1", false, false},
        {"GET", S_INIT("HTTP/2.0 200 OK\r\n\r\n"), "the version of HTTP is not 1.0 or 1.1", false, false},
        {"GET", S_INIT("HTTX/1.1 200 OK\r\n\r\n"), "this is not HTTP/1.1", false, false},
        {"GET", ANSWER("99 OK\r\n\r\n"), "the status is malformed", false, false},
        {"GET", ANSWER("099 OK\r\n\r\n"), "the status is malformed", false, false},
        {"GET", ANSWER("2000 OK\r\n\r\n"), "the first line is malformed", false, false},
        {"GET", ANSWER(" 200 OK\r\n\r\n"), "the status is malformed", false, false},
        {"GET", ANSWER("200 O\0K\r\n\r\n"), "the first line is malformed", false, false},
        {"GET", ANSWER("200 OK\n\n"), "the first line is malformed", false, false},
        {"GET", ANSWER("200 OK\r\nA : b\r\n\r\n"), "a header name is followed by a blank", false, false},
        {"GET", ANSWER("200 OK\r\nA: b\r\n c\r\n\r\n"), "a header line is folded", false, false},
        {"GET", ANSWER("200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
         "there are both a transfer-encoding and a content-length", false, false},
        {"GET", ANSWER("200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
         "there are two different content-lengths", false, false},
        {"GET", ANSWER("200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), "the transfer-encoding is not known",
         false, false},
        {"GET", ANSWER("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\n"),
         "the size of a chunk is malformed", false, false},
        {"GET", ANSWER("101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
         "the server changes the protocol, which nobody asked for", false, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (size_t split = 0; split < 20; split++) {
            struct side s;
            side_init(&s, false, PLAN_HOLD, NULL);
            side_request(&s, cases[i].method);
            side_feed_in(&s, cases[i].answer, split);
            CHECK_STR(s.err.msg, cases[i].log);
            CHECK_EQ(s.err.code, ERR_PROTOCOL);
            CHECK_CONTAINS(buf_str(&s.log), "reset PROTOCOL: ");
            CHECK(http_conn_is_over(s.c));
            CHECK_EQ(http_conn_exchange_count(s.c), 0);
            side_done(&s);
        }
    }
}

TEST(http1_endless_interim_answers_are_an_error)
{
    struct side s;
    side_init(&s, false, PLAN_HOLD, NULL);
    side_request(&s, "GET");
    for (int i = 0; i < 17; i++)
        side_feed(&s, "HTTP/1.1 102 Processing\r\n\r\n");
    CHECK_STR(s.err.msg, "the server sent too many 1xx heads");
    CHECK_EQ(s.err.code, ERR_TOO_LARGE);
    side_done(&s);
}

TEST(http1_bytes_nobody_asked_for_end_a_client_connection)
{
    struct side s;
    side_init(&s, false, PLAN_HOLD, NULL);
    side_feed(&s, "HTTP/1.1 408 Request Timeout\r\n\r\n");
    CHECK_STR(s.err.msg, "the server sent something that nobody asked for");
    CHECK(http_conn_is_over(s.c));
    side_done(&s);
    side_init(&s, false, PLAN_HOLD, NULL);
    side_request(&s, "GET");
    side_feed(&s, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n");
    CHECK_STR(s.err.msg, "the server sent something that nobody asked for");
    side_expect_log(&s, "200 length=1\nbody 'x'\nend\n");
    side_done(&s);
}

TEST(http1_a_client_runs_one_request_at_a_time)
{
    struct side s;
    side_init(&s, false, PLAN_HOLD, NULL);
    side_request(&s, "GET");
    struct err err = ERR_INIT;
    CHECK(!http_request(s.c, &(struct http_head){.method = S("GET"), .target = S("/"), .content_length = -1},
                        true, side_handler(&s), &err));
    CHECK_EQ(err.code, ERR_AGAIN);
    side_done(&s);
}

static void on_end_request_again(void *ctx, struct http_exchange *x, const struct http_header *trailers,
                                 size_t n)
{
    struct side *s = ctx;
    (void)trailers, (void)n;
    CHECK(http_exchange_is_over(x));
    http_exchange_free(x);
    side_request(s, "GET");
}

TEST(http1_the_next_request_may_be_made_where_an_answer_ends)
{
    struct side s;
    side_init(&s, false, PLAN_HOLD, NULL);
    side_request(&s, "GET");
    struct http_handler h = side_handler(&s);
    h.on_end = on_end_request_again;
    http_exchange_set_handler(s.x, h);
    side_flush(&s);
    side_feed(&s, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    CHECK(!http_exchange_is_over(s.x));
    side_feed(&s, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny");
    CHECK(http_exchange_is_over(s.x));
    side_expect_out(&s, "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
    side_done(&s);
}

TEST(http1_an_answer_cut_off_is_a_reset_not_an_end)
{
    static const struct {
        const char *answer, *log;
    } cases[] = {
        {"", "reset CLOSED: the peer closed the connection without an answer\n"},
        {"HTTP/1.1 20", "reset CLOSED: the peer closed the connection within an answer\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
         "200 length=5\nbody 'hi'\nreset CLOSED: the peer closed the connection within an answer\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
         "200\nbody 'hi'\nreset CLOSED: the peer closed the connection within an answer\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
         "200\nbody 'hi'\nreset CLOSED: the peer closed the connection within an answer\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct side s;
        side_init(&s, false, PLAN_HOLD, NULL);
        side_request(&s, "GET");
        side_feed(&s, cases[i].answer);
        CHECK_ERR(CLOSED, "the peer closed", http_conn_feed_end(s.c, &e));
        side_expect_log(&s, cases[i].log);
        CHECK(http_conn_is_over(s.c));
        side_done(&s);
    }
}

TEST(http1_client_tunnels_what_comes_right_behind_101)
{
    for (size_t split = 0; split < 20; split++) {
        for (int written_before = 0; written_before < 2; written_before++) {
            struct side s;
            side_init(&s, false, PLAN_HOLD, NULL);
            side_request_full(&s,
                              &(struct http_head){.method = S("GET"),
                                                  .target = S("/exec"),
                                                  .authority = S("h"),
                                                  .upgrade = S("SPDY/3.1"),
                                                  .content_length = -1},
                              true);
            if (written_before)
                side_flush(&s);
            side_feed_in(
                &s,
                S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\nframes"),
                split);
            http_send_body(s.x, S("back"));
            http_send_end(s.x, NULL, 0);
            side_expect_out(
                &s, "GET /exec HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nback");
            CHECK(http_conn_output_ended(s.c));
            CHECK_OK(http_conn_feed_end(s.c, &e));
            side_expect_log(&s, "101 upgrade=SPDY/3.1\nbody 'frames'\nend\n");
            CHECK(http_conn_is_over(s.c));
            side_done(&s);
        }
    }
}

TEST(http1_a_client_that_gives_up_gives_up_the_connection)
{
    struct side s;
    side_init(&s, false, PLAN_HOLD, NULL);
    side_request(&s, "GET");
    side_flush(&s);
    side_free(&s);
    CHECK(http_conn_is_over(s.c));
    side_feed(&s, "HTTP/1.1 200 OK\r\n\r\nmuch");
    CHECK_EQ(http_conn_exchange_count(s.c), 0);
    side_expect_log(&s, "");
    side_done(&s);
}

TEST(http1_an_answer_before_the_request_was_sent_lets_the_client_choose)
{
    struct side s;
    side_init(&s, false, PLAN_HOLD, NULL);
    side_request_full(
        &s,
        &(struct http_head){.method = S("POST"), .target = S("/"), .authority = S("h"), .content_length = 4},
        false);
    http_send_body(s.x, S("bo"));
    side_flush(&s);
    side_feed(&s, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    side_expect_log(&s, "413 length=0 end\n");
    CHECK(!http_exchange_is_over(s.x));
    http_send_body(s.x, S("dy"));
    http_send_end(s.x, NULL, 0);
    CHECK(http_exchange_is_over(s.x));
    CHECK(!http_conn_is_over(s.c));
    side_done(&s);
}

TEST(http1_a_client_times_out_its_answer)
{
    struct side s;
    side_init(&s, false, PLAN_HOLD, NULL);
    side_request(&s, "GET");
    http_conn_time_out(s.c);
    side_expect_log(&s, "reset TIMEOUT: the answer took too long\n");
    CHECK(http_conn_is_over(s.c));
    side_done(&s);
}
