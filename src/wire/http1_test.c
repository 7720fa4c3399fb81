/* HTTP/1.1 servers against bytes written by hand: what an owner sees and what goes out, whatever the splits. */
#include "base/mem.h"
#include "harness/test.h"
#include "wire/http1_side_test.h"

/* --- server: heads --- */

struct server_case {
    const char *request, *log, *out;
};

static void server_cases_run(const struct server_case *cases, size_t count, enum plan plan)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t split = 0; split < 40; split++) {
            struct side s;
            side_init(&s, true, plan, NULL);
            side_feed_in(&s, str_from_c(cases[i].request), split);
            CHECK_STR(s.err.msg, "");
            CHECK_EQ(s.pending.n, 0);
            side_expect_log(&s, cases[i].log);
            side_expect_out(&s, cases[i].out);
            side_done(&s);
        }
    }
}

TEST(http1_server_understands_requests_of_each_form)
{
    static const struct server_case cases[] = {
        {GET, GOT, OK1},
        {"\r\n" GET "\r\n", GOT, OK1},
        {"GET /a?b=c HTTP/1.1\r\nHOST:h:80\r\nX-Y:  a b\t \r\nEmpty:\r\n\r\n",
         "GET /a?b=c at 'h:80' [x-y=a b] [empty=] end\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n/a?b=c"},
        {"GET http://Other:8/x HTTP/1.1\r\n" HOST "\r\n", "GET /x at 'Other:8' scheme=http end\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/x"},
        {"GET HTTPS://o?q HTTP/1.1\r\n" HOST "\r\n", "GET /?q at 'o' scheme=https end\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n/?q"},
        {"GET http://o HTTP/1.1\r\n" HOST "\r\n", "GET / at 'o' scheme=http end\n", OK1},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * at 'h' end\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n*"},
        {"OPTIONS http://o HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * at 'o' scheme=http end\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n*"},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / at '' end\n", OK1},
        {"GET /\xc3\xa9 HTTP/1.1\r\nHost: [::1]:6443\r\n\r\n", "GET /\xc3\xa9 at '[::1]:6443' end\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n/\xc3\xa9"},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "PUT / at 'h' length=3\nbody 'abc'\nend\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "PUT / at 'h' length=0 end\n", OK1},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
         "PUT / at 'h' length=3\nbody 'abc'\nend\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\nTrailer: t\r\n\r\n"
         "5;a=b;c=\"d\"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nT: v\r\nContent-Length: 9\r\nU:\r\n\r\n",
         "POST / at 'h' [trailer=t]\nbody 'hello0123456789'\nend [t=v] [u=]\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nhello0123456789"},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET,
         "POST / at 'h'\nend\n" GOT, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" OK1},
        {"GET / HTTP/1.1\r\n" HOST
         "Keep-Alive: 5\r\nProxy-Connection: x\r\nConnection: TE\r\nTE: trailers\r\n\r\n",
         "GET / at 'h' [te=trailers] end\n", OK1},
        {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n\r\n",
         "GET / at 'h' upgrade=a, b end\n", OK1},
        {"GET / HTTP/1.1\r\n" HOST "Upgrade: a\r\n\r\n", GOT, OK1},
        {"GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", GOT, OK1},
        {"GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
         "GET / at 'h' length=1 expects\nbody 'x'\nend\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" GET, GOT,
         "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n/"},
        {"GET / HTTP/1.0\r\n\r\n" GET, "GET / at '' end\n",
         "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n/"},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nUpgrade: x\r\nExpect: y\r\n\r\n" GET,
         "GET / at '' end\n" GOT,
         "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n/" OK1},
        {"HEAD / HTTP/1.1\r\n" HOST "\r\n" GET, "HEAD / at 'h' end\n" GOT,
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" OK1},
        {GET GET GET, GOT GOT GOT, OK1 OK1 OK1},
    };
    server_cases_run(cases, ARRAY_COUNT(cases), PLAN_ECHO);
}

struct hostile {
    const char *what;
    str request;
    unsigned status;
};
#define LINE(text)   S_INIT(text "\r\n" HOST "\r\n")
#define WITH(text)   S_INIT("POST / HTTP/1.1\r\n" HOST text "\r\n")
#define CHUNKS(text) S_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n" text)
static const struct hostile hostile[] = {
    {"no method", LINE(" / HTTP/1.1"), 400},
    {"method with a colon", LINE("GE:T / HTTP/1.1"), 400},
    {"no target", LINE("GET HTTP/1.1"), 400},
    {"two blanks", LINE("GET  / HTTP/1.1"), 400},
    {"blank at the end", LINE("GET / HTTP/1.1 "), 400},
    {"tab between", LINE("GET\t/ HTTP/1.1"), 400},
    {"tab in the target", LINE("GET /\tx HTTP/1.1"), 400},
    {"NUL in the target", LINE("GET /\0x HTTP/1.1"), 400},
    {"CR in the target", LINE("GET /\rx HTTP/1.1"), 400},
    {"DEL in the target", LINE("GET /\x7f HTTP/1.1"), 400},
    {"fragment in the target", LINE("GET /#x HTTP/1.1"), 400},
    {"relative target", LINE("GET pods HTTP/1.1"), 400},
    {"another scheme", LINE("GET ftp://h/ HTTP/1.1"), 400},
    {"no authority", LINE("GET http:///x HTTP/1.1"), 400},
    {"user in the authority", LINE("GET http://u@h/ HTTP/1.1"), 400},
    {"asterisk without OPTIONS", LINE("GET * HTTP/1.1"), 400},
    {"asterisk and more", LINE("OPTIONS *x HTTP/1.1"), 400},
    {"HTTP/0.9", S_INIT("GET /\r\n\r\n"), 400},
    {"CONNECT", LINE("CONNECT h:443 HTTP/1.1"), 501},
    {"HTTP/1.2", LINE("GET / HTTP/1.2"), 505},
    {"HTTP/2.0", LINE("GET / HTTP/2.0"), 505},
    {"HTTP/2 preface", S_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
    {"lower case version", LINE("GET / http/1.1"), 400},
    {"long version", LINE("GET / HTTP/1.10"), 400},
    {"version without minor", LINE("GET / HTTP/1"), 400},
    {"TLS", S_INIT("\x16\x03\x01\x02\x00\x01\x00"), 400},
    {"a line feed first", S_INIT("\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"two empty lines first", S_INIT("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"an empty line and a line feed", S_INIT("\r\n\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"a CR first", S_INIT("\rGET / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"LF line ends", S_INIT("GET / HTTP/1.1\nHost: h\n\n"), 400},
    {"LF after the first line", S_INIT("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400},
    {"LF after a header", S_INIT("GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n"), 400},
    {"LF as the empty line", S_INIT("GET / HTTP/1.1\r\nHost: h\r\n\n"), 400},
    {"CR in a value", WITH("A: b\rc\r\n"), 400},
    {"NUL LF as a line end", WITH("A: b\0\nC: d\r\n"), 400},
    {"CR CR LF", WITH("A: b\r\r\n"), 400},
    {"NUL in a value", WITH("A: b\0c\r\n"), 400},
    {"DEL in a value", WITH("A: b\x7f\r\n"), 400},
    {"NUL in a name", WITH("A\0: b\r\n"), 400},
    {"blank before the colon", WITH("A : b\r\n"), 400},
    {"tab before the colon", WITH("Content-Length\t: 3\r\n"), 400},
    {"no colon", WITH("A\r\n"), 400},
    {"no name", WITH(": b\r\n"), 400},
    {"name with a parenthesis", WITH("A(: b\r\n"), 400},
    {"name beyond ASCII", WITH("\xc3\xa9: b\r\n"), 400},
    {"folded line", WITH("A: b\r\n c\r\n"), 400},
    {"folded with a tab", WITH("A: b\r\n\tc\r\n"), 400},
    {"folded first line", S_INIT("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400},
    {"one odd byte as a line", WITH("x\n"), 400},
    {"no host", S_INIT("GET / HTTP/1.1\r\n\r\n"), 400},
    {"two hosts", WITH("Host: h\r\n"), 400},
    {"two hosts in HTTP/1.0", S_INIT("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400},
    {"host with a path", S_INIT("GET / HTTP/1.1\r\nHost: h/x\r\n\r\n"), 400},
    {"host with a blank", S_INIT("GET / HTTP/1.1\r\nHost: h x\r\n\r\n"), 400},
    {"bad host beside a good authority", S_INIT("GET http://h/ HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400},
    {"length and chunks", WITH("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"chunks and length", WITH("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
    {"two lengths", WITH("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
    {"list of lengths", WITH("Content-Length: 3, 3\r\n"), 400},
    {"length with a sign", WITH("Content-Length: +3\r\n"), 400},
    {"negative length", WITH("Content-Length: -3\r\n"), 400},
    {"length in hex", WITH("Content-Length: 0x3\r\n"), 400},
    {"empty length", WITH("Content-Length:\r\n"), 400},
    {"length with a tail", WITH("Content-Length: 3 x\r\n"), 400},
    {"length of 2^63", WITH("Content-Length: 9223372036854775808\r\n"), 400},
    {"length of 2^64", WITH("Content-Length: 18446744073709551616\r\n"), 400},
    {"gzip coding", WITH("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"identity coding", WITH("Transfer-Encoding: identity\r\n"), 501},
    {"coding with a parameter", WITH("Transfer-Encoding: chunked;q=1\r\n"), 501},
    {"almost chunked", WITH("Transfer-Encoding: xchunked\r\n"), 501},
    {"vertical tab in the coding", WITH("Transfer-Encoding:\vchunked\r\n"), 400},
    {"empty coding", WITH("Transfer-Encoding:\r\n"), 501},
    {"chunked twice", WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"chunked and identity", WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 501},
    {"chunked in HTTP/1.0", S_INIT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {"unknown expectation", WITH("Expect: a miracle\r\n"), 417},
    {"no chunk size", CHUNKS("\r\n"), 400},
    {"chunk size with a sign", CHUNKS("+3\r\nabc\r\n"), 400},
    {"chunk size with 0x", CHUNKS("0x3\r\nabc\r\n"), 400},
    {"chunk size with a blank", CHUNKS("3 \r\nabc\r\n"), 400},
    {"blank before the chunk size", CHUNKS(" 3\r\nabc\r\n"), 400},
    {"chunk size of 2^64", CHUNKS("10000000000000000\r\n"), 400},
    {"chunk size of 2^63", CHUNKS("8000000000000000\r\n"), 400},
    {"chunk size of 17 digits", CHUNKS("00000000000000003\r\nabc\r\n"), 400},
    {"LF after the chunk size", CHUNKS("3\nabc\r\n"), 400},
    {"CR after the chunk size", CHUNKS("3\rabc\r\n"), 400},
    {"NUL in an extension", CHUNKS("3;\0\r\nabc\r\n"), 400},
    {"LF in an extension", CHUNKS("3;a\nabc\r\n"), 400},
    {"chunk too long", CHUNKS("3\r\nabcd\r\n"), 400},
    {"LF after a chunk", CHUNKS("3\r\nabc\n0\r\n\r\n"), 400},
    {"CR after a chunk", CHUNKS("3\r\nabc\r0\r\n\r\n"), 400},
    {"LF as the last line", CHUNKS("0\r\n\n"), 400},
    {"CR as the last line", CHUNKS("0\r\n\rx"), 400},
    {"bad trailer", CHUNKS("0\r\nA : b\r\n\r\n"), 400},
    {"folded trailer", CHUNKS("0\r\n a: b\r\n\r\n"), 400},
    {"LF after a trailer", CHUNKS("0\r\na: b\n\r\n"), 400},
};

TEST(http1_hostile_requests_are_refused_with_the_right_status_and_the_connection_ends)
{
    for (size_t i = 0; i < ARRAY_COUNT(hostile); i++) {
        for (size_t split = 0; split < 20; split++) {
            struct side s;
            side_init(&s, true, PLAN_ECHO, NULL);
            side_feed_in(&s, hostile[i].request, split);
            side_flush(&s);
            str status = str_slice(buf_str(&s.out), 9, 12);
            uint64_t got;
            if (!str_parse_u64(status, &got) || got != hostile[i].status)
                FAIL("%s (split %zu): wanted %u, got '%" STR_FMT "'", hostile[i].what, split,
                     hostile[i].status, STR_ARG(buf_str(&s.out)));
            CHECK_CONTAINS(buf_str(&s.out), "Connection: close\r\n");
            CHECK_CONTAINS(buf_str(&s.out), "Content-Type: text/plain; charset=utf-8\r\n");
            CHECK_CONTAINS(buf_str(&s.out), s.err.msg);
            CHECK_EQ(s.err.code, ERR_PROTOCOL);
            CHECK(http_conn_is_over(s.c));
            CHECK(http_conn_output_ended(s.c));
            CHECK_EQ(http_conn_exchange_count(s.c), 0);
            /* No second request is ever read out of what follows. */
            size_t heads = s.head_count;
            side_feed(&s, GET GET);
            CHECK_EQ(s.head_count, heads);
            side_done(&s);
        }
    }
}

static str repeat(struct arena *a, const char *first, const char *again, size_t count, const char *last)
{
    struct buf b;
    buf_init_arena(&b, a, 1 << 24);
    buf_add(&b, str_from_c(first));
    for (size_t i = 0; i < count; i++)
        buf_add(&b, str_from_c(again));
    buf_add(&b, str_from_c(last));
    return buf_str(&b);
}

TEST(http1_limits_of_the_head_answer_414_and_431_at_the_same_byte_whatever_the_splits)
{
    const struct http_limits limits = {.head_size_max = 1000, .header_count_max = 20};
    struct arena a;
    arena_init(&a, 0);
    const struct {
        str request;
        int status;
        const char *error;
    } cases[] = {
        {repeat(&a, "GET /", "x", 1001 - 27, " HTTP/1.1\r\nHost: h\r\n\r\n"), 431,
         "the headers exceed 1000 bytes"},
        {repeat(&a, "GET /", "x", 1200, " HTTP/1.1\r\nHost: h\r\n\r\n"), 414,
         "the headers exceed 1000 bytes"},
        {repeat(&a, "G", "x", 1200, ""), 414, "the headers exceed 1000 bytes"},
        {repeat(&a, "GET / HTTP/1.1\r\nHost: h\r\nA: ", "x", 1200, "\r\n\r\n"), 431,
         "the headers exceed 1000 bytes"},
        {repeat(&a, "GET / HTTP/1.1\r\nHost: h\r\n", "A: b\r\n", 20, "\r\n"), 431,
         "there are too many header lines"},
        {repeat(&a, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", 21,
                "\r\n"),
         431, "there are too many header lines"},
        {repeat(&a, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ", "b", 1000,
                "\r\n\r\n"),
         431, "the trailers exceed 1000 bytes"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (size_t split = 0; split < 1100; split += split < 5 ? 1 : 97) {
            struct side s;
            side_init(&s, true, PLAN_ECHO, &limits);
            side_feed_in(&s, cases[i].request, split);
            side_flush(&s);
            CHECK_STR(str_slice(buf_str(&s.out), 9, 12), str_format(&a, "%d", cases[i].status));
            CHECK_STR(s.err.msg, cases[i].error);
            CHECK_EQ(s.err.code, ERR_TOO_LARGE);
            side_done(&s);
        }
    }
    /* What just fits is served. */
    str fits[] = {repeat(&a, "GET /", "x", 1000 - 27, " HTTP/1.1\r\nHost: h\r\n\r\n"),
                  repeat(&a, "GET / HTTP/1.1\r\nHost: h\r\n", "A: b\r\n", 19, "\r\n")};
    CHECK_EQ(fits[0].n, 1000);
    for (size_t i = 0; i < ARRAY_COUNT(fits); i++) {
        struct side s;
        side_init(&s, true, PLAN_ECHO, &limits);
        side_feed_in(&s, fits[i], 7);
        CHECK_EQ(s.err.code, ERR_NONE);
        CHECK_EQ(s.head_count, 1);
        side_done(&s);
    }
    arena_done(&a);
}

TEST(http1_chunk_extensions_are_bounded)
{
    struct arena a;
    arena_init(&a, 0);
    str request = repeat(
        &a, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n", 300,
        "");
    for (size_t split = 0; split < 3; split++) {
        struct side s;
        side_init(&s, true, PLAN_ECHO, NULL);
        side_feed_in(&s, request, split);
        CHECK_STR(s.err.msg, "the extensions of chunks are too large");
        side_done(&s);
    }
    arena_done(&a);
}

/* --- server: answers --- */

TEST(http1_pipelined_requests_wait_for_the_answer_before_them)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET "GET /2 HTTP/1.1\r\n" HOST "\r\n");
    side_expect_log(&s, GOT);
    CHECK(s.pending.n > 0);
    CHECK(!http_conn_wants_input(s.c));
    CHECK_EQ(http_conn_exchange_count(s.c), 1);
    side_answer(&s, 200, S("1"));
    side_free(&s);
    CHECK(http_conn_wants_input(s.c));
    side_feed_in(&s, s.pending, 0);
    side_expect_log(&s, "GET /2 at 'h' end\n");
    side_answer(&s, 201, S("2"));
    side_expect_out(
        &s,
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n2");
    side_done(&s);
}

TEST(http1_unwritten_answers_of_pipelined_requests_are_bounded)
{
    const struct http_limits limits = {.exchange_max = 3};
    struct side s;
    side_init(&s, true, PLAN_ECHO, &limits);
    str in = S(GET GET GET GET GET GET GET);
    CHECK(!side_feed_piece(&s, in));
    CHECK_EQ(s.head_count, 4);
    CHECK_EQ(http_conn_exchange_count(s.c), 4);
    CHECK(!http_conn_wants_input(s.c));
    side_flush(&s);
    CHECK(http_conn_wants_input(s.c));
    CHECK_EQ(http_conn_exchange_count(s.c), 0);
    CHECK(side_feed_piece(&s, s.pending));
    CHECK_EQ(s.head_count, 7);
    side_done(&s);
}

TEST(http1_answers_are_framed_by_what_is_known_and_whom_they_go_to)
{
    static const struct {
        const char *request, *answer;
        int64_t length;
        int status;
        bool end;
    } cases[] = {
        {GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", -1, 200, false},
        {GET, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", 4, 200, false},
        {GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", -1, 200, true},
        {GET, "HTTP/1.1 204 No Content\r\n\r\n", -1, 204, true},
        {GET, "HTTP/1.1 204 No Content\r\n\r\n", 0, 204, false},
        {GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", 4, 304, true},
        {GET, "HTTP/1.1 304 Not Modified\r\n\r\n", -1, 304, false},
        {GET, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", 0, 299, true},
        {"HEAD / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 4, 200, true},
        {"HEAD / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 4, 200, false},
        {"HEAD / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\n\r\n", -1, 200, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody", -1, 200, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nbody", 4, 200, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct side s;
        side_init(&s, true, PLAN_HOLD, NULL);
        side_feed(&s, cases[i].request);
        const struct http_head head = {.status = cases[i].status, .content_length = cases[i].length};
        CHECK_OK(http_send_head(s.x, &head, cases[i].end, &e));
        http_send_body(s.x, S("bo"));
        http_send_body(s.x, S("dy"));
        http_send_end(s.x, NULL, 0);
        CHECK(http_exchange_is_over(s.x));
        side_expect_out(&s, cases[i].answer);
        bool closes = str_contains(str_from_c(cases[i].answer), S("close"));
        CHECK_EQ(http_conn_is_over(s.c), closes);
        side_free(&s);
        side_feed(&s, GET);
        CHECK_EQ(s.head_count, closes ? 1 : 2);
        side_done(&s);
    }
}

TEST(http1_output_is_the_same_however_it_is_cut)
{
    for (size_t part_max = 1; part_max <= 8; part_max++) {
        for (size_t write_max = 1; write_max < 20; write_max++) {
            struct side s;
            side_init(&s, true, PLAN_HOLD, NULL);
            side_feed(&s, GET);
            const struct http_head head = {.status = 200, .content_length = -1};
            CHECK_OK(http_send_head(s.x, &head, false, &e));
            http_send_body(s.x, S("hello "));
            http_send_body_ref(s.x, S("world, "), NULL, NULL);
            http_send_body(s.x, S("how are "));
            side_flush_in(&s, part_max, write_max);
            CHECK_EQ(http_queued(s.x), 0);
            http_send_body_ref(s.x, S("you?"), NULL, NULL);
            const struct http_header trailer = {S("sum"), S("1")};
            http_send_end(s.x, &trailer, 1);
            side_free(&s);
            side_flush_in(&s, part_max, write_max);
            CHECK_STR(buf_str(&s.out), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                       "15\r\nhello world, how are \r\n4\r\nyou?\r\n0\r\nsum: 1\r\n\r\n");
            CHECK_EQ(http_conn_exchange_count(s.c), 0);
            side_done(&s);
        }
    }
}

TEST(http1_a_chunk_is_closed_before_more_is_there)
{
    /* A watch: each event must be readable at once, its line end included. */
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = -1}, false, &e));
    http_send_body(s.x, S("event"));
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n");
    http_send_body(s.x, S("next"));
    side_expect_out(&s, "4\r\nnext\r\n");
    side_done(&s);
}

TEST(http1_what_is_queued_while_a_chunk_is_half_written_comes_before_the_end)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = -1}, false, &e));
    side_flush(&s);
    buf_clear(&s.out);
    http_send_body(s.x, S("hello "));
    str parts[4];
    CHECK_EQ(http_conn_output(s.c, parts, 4), 3);
    http_conn_written(s.c, 5);
    http_send_body(s.x, S("world"));
    http_send_end(s.x, NULL, 0);
    side_free(&s);
    side_expect_out(&s, "llo \r\n5\r\nworld\r\n0\r\n\r\n");
    side_done(&s);
}

TEST(http1_interim_heads_come_before_the_final_one_and_not_to_1_0)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    const struct http_header link = {S("link"), S("</x>")};
    const struct http_head hints = {.status = 103, .headers = &link, .header_count = 1};
    CHECK_OK(http_send_head(s.x, &hints, false, &e));
    CHECK_OK(http_send_head(s.x, &hints, false, &e));
    side_answer(&s, 200, S("x"));
    side_expect_out(
        &s, "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    CHECK_ERR(CLOSED, "the exchange is over", http_send_head(s.x, &hints, false, &e));
    side_free(&s);
    side_feed(&s, "GET / HTTP/1.0\r\n\r\n");
    CHECK_OK(http_send_head(s.x, &hints, false, &e));
    side_answer(&s, 200, S("x"));
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    side_done(&s);
}

TEST(http1_a_second_final_head_and_endless_interim_ones_are_refused)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    for (int i = 0; i < 16; i++)
        CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 102}, false, &e));
    CHECK_ERR(INVALID, "sent before", http_send_head(s.x, &(struct http_head){.status = 102}, false, &e));
    const struct http_head ok = {.status = 200, .content_length = -1};
    CHECK_OK(http_send_head(s.x, &ok, false, &e));
    CHECK_ERR(INVALID, "sent before", http_send_head(s.x, &ok, false, &e));
    side_done(&s);
}

TEST(http1_nothing_an_owner_says_can_split_an_answer)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    const struct http_header bad = {S("location"), S("/x\r\n\r\nHTTP/1.1 200 OK")};
    const struct http_head head = {.status = 302, .headers = &bad, .header_count = 1, .content_length = -1};
    CHECK_ERR(INVALID, "could not send header 'location': bad value", http_send_head(s.x, &head, true, &e));
    side_expect_out(&s, "");
    side_answer(&s, 500, S("sorry"));
    side_expect_out(&s, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nsorry");
    side_done(&s);
}

TEST(http1_a_body_longer_or_shorter_than_declared_cannot_shift_the_framing)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = 4}, false, &e));
    http_send_body(s.x, S("four and more"));
    http_send_body(s.x, S("and more"));
    http_send_end(s.x, NULL, 0);
    side_free(&s);
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour");
    side_feed(&s, GET);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = 4}, false, &e));
    side_flush(&s);
    http_send_body(s.x, S("one"));
    http_send_end(s.x, NULL, 0);
    CHECK(http_exchange_is_over(s.x));
    CHECK(http_conn_is_over(s.c));
    side_free(&s);
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    CHECK_EQ(unexpected_count(), 3);
    side_done(&s);
}

#define EXPECTING "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"

TEST(http1_continue_is_said_once_when_wanted_and_not_after_the_body_came)
{
    struct side s;
    side_init(&s, true, PLAN_ECHO, NULL);
    side_feed(&s, EXPECTING);
    side_expect_out(&s, "");
    http_continue(s.x);
    http_continue(s.x);
    side_expect_out(&s, "HTTP/1.1 100 Continue\r\n\r\n");
    side_feed(&s, "body");
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    side_feed(&s, EXPECTING "bo");
    http_continue(s.x);
    side_feed(&s, "dy");
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    side_feed(&s, GET);
    side_expect_out(&s, OK1);
    side_done(&s);
}

TEST(http1_an_answer_instead_of_continue_ends_the_connection)
{
    struct side s;
    side_init(&s, true, PLAN_AT_HEAD, NULL);
    side_feed(&s, EXPECTING);
    side_expect_out(&s, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    CHECK(http_conn_is_over(s.c));
    side_feed(&s, "body" GET);
    CHECK_EQ(s.head_count, 1);
    side_done(&s);
}

#define NO_KEEP "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
#define NO_END  "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"

TEST(http1_the_rest_of_a_request_answered_early_is_read_away_within_the_window)
{
    static const struct {
        const char *request, *out;
        bool is_over;
    } cases[] = {
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789", NO_KEEP NO_KEEP, false},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n01234567890", NO_END, true},
        {"POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n12345\r\n0\r\nA: b\r\n\r\n",
         NO_KEEP NO_KEEP, false},
        {"POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n6\r\n123456\r\n0\r\nA: b\r\n\r\n",
         NO_KEEP, true},
    };
    const struct http_limits limits = {.window = 10};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (size_t split = 0; split < 30; split++) {
            struct side s;
            side_init(&s, true, PLAN_AT_HEAD, &limits);
            side_feed_in(&s, str_from_c(cases[i].request), split);
            side_feed_in(&s, S(GET), split);
            side_expect_out(&s, cases[i].out);
            CHECK_EQ(http_conn_is_over(s.c), cases[i].is_over);
            CHECK_EQ(http_conn_exchange_count(s.c), 0);
            side_done(&s);
        }
    }
}

TEST(http1_an_owner_that_answered_early_may_go_on_reading)
{
    struct side s;
    side_init(&s, true, PLAN_KEEP_AT_HEAD, NULL);
    side_feed(&s, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbo");
    side_expect_out(&s, NO_KEEP);
    CHECK(!http_exchange_is_over(s.x));
    side_feed(&s, "dy");
    CHECK(http_exchange_is_over(s.x));
    side_expect_log(&s, "POST / at 'h' length=4\nbody 'body'\nend\n");
    side_free(&s);
    side_feed(&s, GET);
    side_expect_out(&s, NO_KEEP);
    side_done(&s);
}

TEST(http1_a_broken_request_does_not_take_the_answer_that_was_given)
{
    struct side s;
    side_init(&s, true, PLAN_KEEP_AT_HEAD, NULL);
    str in = S("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz");
    side_feed_piece(&s, in);
    CHECK_EQ(s.err.code, ERR_PROTOCOL);
    side_expect_log(&s, "POST / at 'h'\nreset PROTOCOL: the size of a chunk is malformed\n");
    side_expect_out(&s, NO_KEEP);
    side_done(&s);
}

TEST(http1_a_window_that_is_full_stops_reading_until_something_was_consumed)
{
    const struct http_limits limits = {.window = 4};
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\n012\r\n7\r\n3456789\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        struct side s;
        side_init(&s, true, PLAN_HOLD, &limits);
        s.is_lazy = true;
        side_feed(&s, requests[i]);
        CHECK_STR(buf_str(&s.body), "0123");
        CHECK(!http_conn_wants_input(s.c));
        http_consumed(s.x, 1);
        CHECK(http_conn_wants_input(s.c));
        side_feed_in(&s, s.pending, 0);
        CHECK_STR(buf_str(&s.body), "01234");
        http_consumed(s.x, 4);
        side_feed_in(&s, s.pending, 1);
        CHECK_STR(buf_str(&s.body), "012345678");
        http_consumed(s.x, 2);
        side_feed_in(&s, s.pending, 0);
        CHECK_EQ(s.pending.n, 0);
        CHECK_STR(buf_str(&s.body), "0123456789");
        side_done(&s);
    }
}

static void count_release(void *obj)
{
    ++*(int *)obj;
}

TEST(http1_borrowed_bodies_are_written_from_where_they_are_and_released_once)
{
    static const char content[] = "content that nobody copies";
    int released[3] = {0};
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = sizeof content * 2},
                            false, &e));
    http_send_body_ref(s.x, str_of(content, sizeof content), count_release, &released[0]);
    http_send_body_ref(s.x, str_of(content, sizeof content), count_release, &released[1]);
    http_send_body_ref(s.x, S("beyond what was declared"), count_release, &released[2]);
    CHECK_EQ(released[2], 1);
    http_send_end(s.x, NULL, 0);
    side_free(&s);
    str parts[4];
    CHECK_EQ(http_conn_output(s.c, parts, 4), 3);
    CHECK(parts[1].p == content && parts[2].p == content);
    http_conn_written(s.c, parts[0].n + sizeof content - 1);
    CHECK_EQ(released[0], 0);
    CHECK_EQ(http_conn_output(s.c, parts, 4), 2);
    http_conn_written(s.c, 1);
    CHECK_EQ(released[0], 1);
    CHECK_EQ(released[1], 0);
    side_done(&s);
    CHECK_EQ(released[0], 1);
    CHECK_EQ(released[1], 1);
    CHECK_EQ(released[2], 1);
}

TEST(http1_cancelling_an_answer_half_given_drops_it_and_the_connection)
{
    int released = 0;
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = -1}, false, &e));
    side_flush(&s);
    http_send_body_ref(s.x, S("more"), count_release, &released);
    http_exchange_cancel(s.x);
    CHECK_EQ(released, 1);
    CHECK(http_exchange_is_over(s.x));
    CHECK(http_conn_is_over(s.c));
    http_send_body_ref(s.x, S("more"), count_release, &released);
    CHECK_EQ(released, 2);
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    side_expect_log(&s, GOT); /* an owner is not told what it did itself */
    side_done(&s);
}

TEST(http1_room_is_told_once_after_the_queue_was_full)
{
    const struct http_limits limits = {.queue_low = 10};
    struct side s;
    side_init(&s, true, PLAN_HOLD, &limits);
    side_feed(&s, GET);
    buf_clear(&s.log);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = -1}, false, &e));
    http_send_body(s.x, S("123456789"));
    side_flush(&s);
    side_expect_log(&s, "");
    http_send_body(s.x, S("12345678901234567890"));
    CHECK_EQ(http_queued(s.x), 20);
    side_flush_in(&s, 8, 1);
    side_expect_log(&s, "room\n");
    CHECK_EQ(http_queued(s.x), 0);
    side_done(&s);
}

TEST(http1_an_upgrade_makes_a_tunnel_with_what_came_right_behind)
{
    for (size_t split = 0; split < 20; split++) {
        struct side s;
        side_init(&s, true, PLAN_SWITCH, NULL);
        side_feed_in(&s,
                     S("GET /ws HTTP/1.1\r\n" HOST
                       "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\0GET"),
                     split);
        side_flush(&s);
        CHECK_STR(buf_str(&s.out), S("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                                     "Upgrade: websocket\r\n\r\n\x81\0GET"));
        side_done(&s);
    }
    struct side s;
    side_init(&s, true, PLAN_SWITCH, NULL);
    side_feed(&s, "GET /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: x\r\n\r\nabc");
    side_feed(&s, "def");
    side_expect_out(&s,
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabcdef");
    CHECK_OK(http_conn_feed_end(s.c, &e));
    side_expect_log(&s, "GET /ws at 'h' upgrade=x end\nbody 'abcdef'\nend\n");
    CHECK(!http_conn_is_over(s.c));
    http_send_body(s.x, S("bye"));
    http_send_end(s.x, NULL, 0);
    CHECK(http_conn_is_over(s.c));
    side_expect_out(&s, "bye");
    side_done(&s);
}

TEST(http1_a_tunnel_may_be_closed_by_us_first)
{
    struct side s;
    side_init(&s, true, PLAN_SWITCH, NULL);
    side_feed(&s, "GET /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: x\r\n\r\n");
    CHECK(!http_conn_output_ended(s.c));
    http_send_end(s.x, NULL, 0);
    CHECK(http_conn_output_ended(s.c));
    CHECK(!http_conn_is_over(s.c));
    side_feed(&s, "late");
    CHECK_OK(http_conn_feed_end(s.c, &e));
    CHECK(http_conn_is_over(s.c));
    side_expect_log(&s, "GET /ws at 'h' upgrade=x end\nbody 'late'\nend\n");
    side_done(&s);
}

TEST(http1_no_tunnel_without_being_asked_or_before_the_request_is_complete)
{
    const struct http_head head = {.status = 101, .upgrade = S("x")};
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_ERR(INVALID, "not asked for", http_send_head(s.x, &head, false, &e));
    side_answer(&s, 200, S(""));
    side_free(&s);
    side_feed(&s,
              "POST / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\n");
    CHECK_ERR(INVALID, "not complete", http_send_head(s.x, &head, false, &e));
    side_feed(&s, "b");
    CHECK_OK(http_send_head(s.x, &head, false, &e));
    side_done(&s);
}

TEST(http1_draining_finishes_what_runs_and_says_close)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    http_conn_drain(s.c);
    CHECK(!http_conn_is_over(s.c));
    side_answer(&s, 200, S("x"));
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    CHECK(http_conn_is_over(s.c));
    side_done(&s);
    side_init(&s, true, PLAN_HOLD, NULL);
    http_conn_drain(s.c);
    CHECK(http_conn_is_over(s.c));
    side_done(&s);
}

TEST(http1_a_request_that_takes_too_long_is_answered_408)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    CHECK(!http_conn_is_in_head(s.c));
    side_feed(&s, "GET / HT");
    CHECK(http_conn_is_in_head(s.c));
    http_conn_time_out(s.c);
    side_expect_out(
        &s, "HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
            "Content-Length: 47\r\n\r\n408 Request Timeout: the request took too long\n");
    CHECK(http_conn_is_over(s.c));
    side_done(&s);
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbo");
    CHECK(!http_conn_is_in_head(s.c));
    http_conn_time_out(s.c);
    side_expect_log(&s, "POST / at 'h' length=4\nbody 'bo'\nreset TIMEOUT: the request took too long\n");
    side_done(&s);
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    http_conn_time_out(s.c); /* it is ours to answer now */
    side_answer(&s, 200, S("x"));
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    side_done(&s);
}

TEST(http1_connection_that_broke_tells_its_exchange_why)
{
    struct side s;
    struct err why = ERR_INIT;
    err_set(&why, ERR_IO, "cut off");
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    http_conn_lost(s.c, &why);
    side_expect_log(&s, "GET / at 'h' end\nreset IO: cut off\n");
    CHECK(http_conn_is_over(s.c));
    side_done(&s);
    side_init(&s, true, PLAN_HOLD, NULL);
    http_conn_lost(s.c, &why);
    CHECK(http_conn_is_over(s.c));
    side_done(&s);
}

TEST(http1_the_end_of_the_peer_resets_what_is_incomplete_only)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    CHECK_OK(http_conn_feed_end(s.c, &e));
    CHECK(http_conn_is_over(s.c));
    side_done(&s);

    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, "GET / HT");
    CHECK_EQ(http_conn_exchange_count(s.c), 1);
    CHECK_ERR(CLOSED, "the peer closed the connection within a request", http_conn_feed_end(s.c, &e));
    CHECK(http_conn_is_over(s.c));
    CHECK_EQ(http_conn_exchange_count(s.c), 0);
    side_expect_out(&s, "");
    side_done(&s);

    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbo");
    CHECK_ERR(CLOSED, "within a request", http_conn_feed_end(s.c, &e));
    side_expect_log(&s, "POST / at 'h' length=4\nbody 'bo'\n"
                        "reset CLOSED: the peer closed the connection within a request\n");
    side_expect_out(&s, "");
    side_done(&s);

    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_OK(http_conn_feed_end(s.c, &e));
    side_expect_log(&s, GOT "half closed\n");
    CHECK(!http_conn_wants_input(s.c));
    side_answer(&s, 200, S("x"));
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    CHECK(http_conn_is_over(s.c));
    side_done(&s);
}

TEST(http1_a_half_closed_connection_ends_with_its_answer)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = 1}, false, &e));
    CHECK_OK(http_conn_feed_end(s.c, &e));
    CHECK(!http_conn_is_over(s.c));
    http_send_body(s.x, S("x"));
    http_send_end(s.x, NULL, 0);
    CHECK(http_conn_is_over(s.c));
    side_expect_out(&s, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    side_done(&s);
}

TEST(http1_exchanges_outlive_their_connection)
{
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, "GET /some/where HTTP/1.1\r\n" HOST "\r\n");
    int released = 0;
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = -1}, false, &e));
    http_send_body_ref(s.x, S("x"), count_release, &released);
    http_conn_free(s.c);
    s.c = NULL;
    CHECK_EQ(released, 1);
    CHECK(http_exchange_conn(s.x) == NULL);
    CHECK(http_exchange_is_over(s.x));
    http_send_body(s.x, S("y"));
    http_consumed(s.x, 0);
    http_exchange_cancel(s.x);
    str kept = str_dup(http_exchange_arena(s.x), S("still there"));
    CHECK_STR(kept, "still there");
    side_done(&s);
}

TEST(http1_a_request_costs_no_heap_allocation_once_warm)
{
    if (test_is_sanitized())
        test_skip("arenas do not keep memory in the debug build");
    struct side s;
    side_init(&s, true, PLAN_ECHO, NULL);
    const str request = S("GET /api/v1/namespaces/default/pods?limit=500 HTTP/1.1\r\n" HOST
                          "Accept: application/json\r\nUser-Agent: test\r\n\r\n");
    str parts[8];
    uint64_t before = 0;
    for (int i = 0; i < 100; i++) {
        if (i == 10)
            before = mem_thread_allocs();
        size_t used;
        CHECK_OK(http_conn_feed(s.c, request, &used, &e));
        size_t total = 0, n = http_conn_output(s.c, parts, 8);
        for (size_t k = 0; k < n; k++)
            total += parts[k].n;
        http_conn_written(s.c, total);
        buf_clear(&s.log);
    }
    CHECK_EQ(mem_thread_allocs() - before, 0);
    CHECK_EQ(s.head_count, 100);
    http_conn_trim(s.c);
    side_done(&s);
}

TEST(http1_a_long_stream_of_events_does_not_grow)
{
    if (test_is_sanitized())
        test_skip("arenas do not keep memory in the debug build");
    struct side s;
    side_init(&s, true, PLAN_HOLD, NULL);
    side_feed(&s, GET);
    CHECK_OK(http_send_head(s.x, &(struct http_head){.status = 200, .content_length = -1}, false, &e));
    size_t used = 0;
    uint64_t before = 0;
    for (int i = 0; i < 1000; i++) {
        if (i == 10) {
            used = http_exchange_arena(s.x)->used;
            before = mem_thread_allocs();
        }
        http_send_body(s.x, S("a small event"));
        http_send_body_ref(s.x, S("a shared event"), NULL, NULL);
        buf_clear(&s.out);
        side_flush(&s);
    }
    CHECK_EQ(http_exchange_arena(s.x)->used, used);
    CHECK_EQ(mem_thread_allocs() - before, 0);
    side_done(&s);
}

TEST(http1_an_exchange_may_be_freed_in_any_callback)
{
    static const char stream[] = "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                                 "2\r\nhi\r\n0\r\nA: b\r\n\r\n" GET;
    for (enum plan plan = PLAN_FREE_AT_HEAD; plan <= PLAN_FREE_AT_END; plan++) {
        for (size_t split = 0; split < 60; split++) {
            struct side s;
            side_init(&s, true, plan, NULL);
            side_feed_in(&s, str_of(stream, sizeof stream - 1), split);
            side_expect_out(&s, "");
            CHECK(http_conn_is_over(s.c));
            CHECK_EQ(http_conn_exchange_count(s.c), 0);
            CHECK_EQ(s.head_count, 1);
            side_done(&s);
        }
    }
}
