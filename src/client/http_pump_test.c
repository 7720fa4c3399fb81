/* Over real and simulated streams alike (sys/suite_test.h). */
#include "base/mem.h"
#include "client/http_pump.h"
#include "sys/suite_test.h"
#include "wire/http_pair_test.h"
#include <stdio.h>

static char zeros[1 << 20];

/* A server: /echo, /bytes/N, /hold (answered by site_answer), /close (closes the pump in the middle of it). */
struct site {
    struct suite_world *w;
    struct loop *l;
    struct listener *ln;
    struct http_pump *pump; /* the newest */
    struct http_exchange *held;
    struct http_pump_times times;
    struct http_limits limits;
    int heads, closed, opened, body_size;
    struct err why; /* of the last that closed */
};

/* A client: a pump and one exchange at a time. */
struct visitor {
    struct http_pump *pump;
    struct http_watch w;
    int closed;
    struct err why;
};

static void site_body(void *ctx, struct http_exchange *x, str data)
{
    struct site *s = ctx;
    s->body_size += (int)data.n;
    http_send_body(x, data);
    http_consumed(x, data.n);
}

static void site_end(void *ctx, struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    http_send_end(x, NULL, 0);
    http_exchange_free(x);
}

static void site_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    struct site *s = ctx;
    if (s->held == x)
        s->held = NULL;
    http_exchange_free(x);
}

static void site_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct site *s = ctx;
    s->heads++;
    str target = head->target;
    uint64_t n = 0;
    struct http_head answer = {.status = 200, .content_length = -1};
    http_exchange_set_handler(
        x, (struct http_handler){.on_body = site_body, .on_end = site_end, .on_reset = site_reset, .ctx = s});
    if (str_is(target, "/close"))
        http_pump_close(s->pump);
    if (str_take_prefix(&target, S("/bytes/")) && str_parse_u64(target, &n)) {
        answer.content_length = (int64_t)n;
        CHECK_OK(http_send_head(x, &answer, false, &e));
        for (; n; n -= size_min(n, sizeof zeros))
            http_send_body_ref(x, str_of(zeros, size_min(n, sizeof zeros)), NULL, NULL);
        http_send_end(x, NULL, 0);
        http_exchange_free(x);
    } else if (str_is(target, "/echo")) {
        CHECK_OK(http_send_head(x, &answer, false, &e));
    } else {
        s->held = x;
    }
}

static void site_answer(struct site *s)
{
    struct http_head answer = {.status = 204, .content_length = -1};
    CHECK_OK(http_send_head(s->held, &answer, true, &e));
    http_exchange_free(s->held);
    s->held = NULL;
}

static void site_closed(void *ctx, struct http_pump *p, const struct err *why)
{
    struct site *s = ctx;
    CHECK(http_pump_stream(p) == NULL);
    s->closed++;
    s->why = *why;
    if (s->pump == p)
        s->pump = NULL;
}

static void site_accept(void *ctx, struct stream *stream)
{
    struct site *s = ctx;
    s->opened++;
    s->pump = http_pump_server(stream, &s->limits, (struct http_handler){.on_head = site_head, .ctx = s},
                               &s->times, (struct http_pump_handler){.on_closed = site_closed, .ctx = s});
}

static void site_open(struct site *s, struct suite_world *w)
{
    s->w = w;
    s->l = suite_loop(w, "site");
    struct net_addr at;
    CHECK_OK(net_addr_parse(str_from_c(w->listen_at), &at, &e));
    CHECK_OK(listener_new(w->env, &at, NULL, &s->ln, &e));
    CHECK_OK(listener_attach(s->ln, s->l, site_accept, s, &e));
}

static bool site_is_empty(void *ctx)
{
    struct site *s = ctx;
    return s->closed == s->opened;
}

static void site_close(struct site *s)
{
    SUITE_WAIT(s->l, site_is_empty, s);
    listener_detach(s->ln, s->l);
    listener_free(s->ln);
}

static void visitor_closed(void *ctx, struct http_pump *p, const struct err *why)
{
    struct visitor *v = ctx;
    v->closed++;
    v->why = *why;
    v->pump = NULL;
}

static void visitor_open_at(struct visitor *v, struct site *s, const struct net_addr *at,
                            enum http_version version, const struct http_pump_times *times)
{
    *v = (struct visitor){0};
    http_watch_init(&v->w);
    struct stream *stream;
    CHECK_OK(stream_connect(s->l, at, (struct stream_handler){0}, &stream, &e));
    v->pump = http_pump_client(stream, http_conn_new_client(version, NULL), times,
                               (struct http_pump_handler){.on_closed = visitor_closed, .ctx = v});
}

static void visitor_open(struct visitor *v, struct site *s, enum http_version version)
{
    visitor_open_at(v, s, listener_addr(s->ln), version, NULL);
}

static bool visitor_is_closed(void *ctx)
{
    struct visitor *v = ctx;
    return v->closed == 1;
}

static bool visitor_has_end(void *ctx)
{
    struct visitor *v = ctx;
    return v->w.ended || v->w.was_reset;
}

static void visitor_forget(struct visitor *v)
{
    http_watch_done(&v->w);
    http_watch_init(&v->w);
}

static void visitor_close(struct visitor *v, struct site *s)
{
    if (v->pump)
        http_pump_close(v->pump);
    SUITE_WAIT(s->l, visitor_is_closed, v);
    http_watch_done(&v->w);
}

static void visitor_get(struct visitor *v, struct site *s, const char *target)
{
    visitor_forget(v);
    http_watch_get(&v->w, http_pump_conn(v->pump), str_from_c(target));
    SUITE_WAIT(s->l, visitor_has_end, v);
}

SUITE_TEST(pump_serves_both_versions_on_one_port)
{
    struct site s = {0};
    site_open(&s, w);
    for (int version = HTTP_1_1; version <= HTTP_2; version++) {
        struct visitor v;
        visitor_open(&v, &s, (enum http_version)version);
        visitor_get(&v, &s, "/bytes/10");
        CHECK_EQ(v.w.body.n, 10);
        visitor_get(&v, &s, "/bytes/3000000");
        CHECK_EQ(v.w.body.n, 3000000);
        CHECK_EQ(http_conn_version(http_pump_conn(s.pump)), version);
        visitor_close(&v, &s);
        CHECK_EQ(v.why.code, ERR_CANCELED);
        SUITE_WAIT(s.l, site_is_empty, &s);
        CHECK_EQ(s.why.code, ERR_NONE);
    }
    CHECK_EQ(s.opened, 2);
    site_close(&s);
}

SUITE_TEST(pump_moves_much_both_ways_at_once)
{
    struct site s = {0};
    site_open(&s, w);
    for (int version = HTTP_1_1; version <= HTTP_2; version++) {
        struct visitor v;
        visitor_open(&v, &s, (enum http_version)version);
        http_watch_request(&v.w, http_pump_conn(v.pump), S("POST"), S("/echo"), false);
        for (int i = 0; i < 5; i++)
            http_send_body_ref(v.w.x, str_of(zeros, sizeof zeros), NULL, NULL);
        http_send_end(v.w.x, NULL, 0);
        SUITE_WAIT(s.l, visitor_has_end, &v);
        CHECK_EQ(v.w.body.n, 5 * sizeof zeros);
        visitor_close(&v, &s);
    }
    site_close(&s);
}

static bool has_head(void *ctx)
{
    struct site *s = ctx;
    return s->held != NULL;
}

static bool is_rejected(void *ctx)
{
    struct site *s = ctx;
    return s->held == NULL;
}

SUITE_TEST(pump_that_drains_closes_after_the_last_answer)
{
    struct site s = {0};
    site_open(&s, w);
    for (int version = HTTP_1_1; version <= HTTP_2; version++) {
        struct visitor v;
        visitor_open(&v, &s, (enum http_version)version);
        http_watch_get(&v.w, http_pump_conn(v.pump), S("/hold"));
        SUITE_WAIT(s.l, has_head, &s);
        http_pump_drain(s.pump);
        suite_let_pass(s.l, 20 * NS_PER_MS);
        CHECK_EQ(v.closed, 0);
        site_answer(&s);
        SUITE_WAIT(s.l, visitor_is_closed, &v);
        CHECK_EQ(v.w.status, 204);
        CHECK_EQ(v.why.code, ERR_NONE);
        SUITE_WAIT(s.l, site_is_empty, &s);
        CHECK_EQ(s.why.code, ERR_NONE);
        visitor_close(&v, &s);
    }
    site_close(&s);
}

SUITE_TEST(pump_closed_in_the_middle_resets_both_ends)
{
    struct site s = {0};
    site_open(&s, w);
    for (int version = HTTP_1_1; version <= HTTP_2; version++) {
        struct visitor v;
        visitor_open(&v, &s, (enum http_version)version);
        visitor_get(&v, &s, "/close");
        CHECK(v.w.was_reset);
        CHECK_CONTAINS(buf_str(&v.w.text), "reset CLOSED: the peer closed the connection");
        SUITE_WAIT(s.l, is_rejected, &s);
        SUITE_WAIT(s.l, visitor_is_closed, &v);
        CHECK_EQ(v.why.code, ERR_CLOSED);
        visitor_close(&v, &s);
        SUITE_WAIT(s.l, site_is_empty, &s);
        CHECK_EQ(s.why.code, ERR_CANCELED);
    }
    site_close(&s);
}

SUITE_TEST(pump_tells_that_nobody_is_there)
{
    struct site s = {0};
    site_open(&s, w);
    struct net_addr nobody;
    CHECK_OK(net_addr_parse(str_from_c(w->nobody_at), &nobody, &e));
    for (int version = HTTP_1_1; version <= HTTP_2; version++) {
        struct visitor v;
        visitor_open_at(&v, &s, &nobody, (enum http_version)version, NULL);
        visitor_get(&v, &s, "/bytes/1");
        CHECK_CONTAINS(buf_str(&v.w.text), "reset UNAVAILABLE: ");
        SUITE_WAIT(s.l, visitor_is_closed, &v);
        CHECK_EQ(v.why.code, ERR_UNAVAILABLE);
        visitor_close(&v, &s);
    }
    site_close(&s);
}

SUITE_TEST(pump_of_a_client_without_requests_stays_open)
{
    struct site s = {.times = {.head_ns = HTTP_PUMP_NEVER}};
    site_open(&s, w);
    struct visitor v[2];
    struct http_pump_times times = {.connect_ns = 30 * NS_PER_MS};
    visitor_open_at(&v[0], &s, listener_addr(s.ln), HTTP_1_1, &times);
    visitor_open_at(&v[1], &s, listener_addr(s.ln), HTTP_2, &times);
    suite_let_pass(s.l, 100 * NS_PER_MS);
    CHECK_EQ(v[0].closed + v[1].closed + s.closed, 0);
    visitor_get(&v[0], &s, "/bytes/7");
    visitor_get(&v[1], &s, "/bytes/7");
    CHECK_EQ(v[0].w.body.n + v[1].w.body.n, 14);
    visitor_close(&v[0], &s);
    visitor_close(&v[1], &s);
    site_close(&s);
}

/* --- bytes by hand --- */

struct raw {
    struct stream *s;
    struct buf got;
    bool ended;
};

static void raw_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct raw *r = ctx;
    char bytes[4096];
    size_t n;
    struct err err = ERR_INIT;
    err_code code = stream_read(s, bytes, sizeof bytes, &n, &err);
    if (code == ERR_NONE)
        buf_add(&r->got, str_of(bytes, n));
    else if (code != ERR_AGAIN) {
        r->ended = true;
        stream_want(s, 0);
    }
}

static void raw_open(struct raw *r, struct site *s)
{
    *r = (struct raw){0};
    buf_init(&r->got, 1 << 20);
    CHECK_OK(stream_connect(s->l, listener_addr(s->ln),
                            (struct stream_handler){.on_ready = raw_ready, .ctx = r}, &r->s, &e));
    stream_want(r->s, STREAM_READ);
}

static bool site_has_pump(void *ctx)
{
    struct site *s = ctx;
    return s->pump != NULL;
}

static void raw_say(struct raw *r, struct site *s, str text)
{
    SUITE_WAIT(s->l, site_has_pump, s);
    for (int i = 0; text.n; i++) {
        struct err err = ERR_INIT;
        size_t n = 0;
        CHECK_LT(i, 1000);
        if (stream_write(r->s, &text, 1, &n, &err))
            suite_let_pass(s->l, NS_PER_MS); /* not connected yet, or no room */
        text = str_from(text, n);
    }
}

static bool raw_is_ended(void *ctx)
{
    struct raw *r = ctx;
    return r->ended;
}

static void raw_close(struct raw *r)
{
    stream_close(r->s);
    buf_done(&r->got);
}

SUITE_TEST(pump_answers_pipelined_requests_in_order)
{
    struct site s = {0};
    site_open(&s, w);
    struct raw r;
    raw_open(&r, &s);
#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
    raw_say(&r, &s,
            S(GET("/bytes/1") GET("/hold") GET("/bytes/2")
                  GET("/bytes/3") "GET /bytes/4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    SUITE_WAIT(s.l, has_head, &s);
    CHECK_EQ(s.heads, 2);
    site_answer(&s); /* from outside of any handler: the rest has to be taken up by itself */
    SUITE_WAIT(s.l, raw_is_ended, &r);
    CHECK_EQ(s.heads, 5);
    str all = buf_str(&r.got);
    size_t at[4] = {str_index(all, S("Content-Length: 1")), str_index(all, S("204")),
                    str_index(all, S("Content-Length: 3")), str_index(all, S("Content-Length: 4"))};
    for (int i = 0; i < 4; i++)
        CHECK_LT(at[i], all.n);
    for (int i = 0; i < 3; i++)
        CHECK_LT(at[i], at[i + 1]);
    raw_close(&r);
    site_close(&s);
}

SUITE_TEST(pump_finds_the_version_however_slowly_the_first_bytes_come)
{
    struct site s = {0};
    site_open(&s, w);
    static const struct {
        str first, answer;
    } cases[] = {
        {S_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"), S_INIT("\0\0\0\4\1")},
        {S_INIT("PUT /bytes/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
         S_INIT("200 OK")},
        {S_INIT("PRI * HTTP/2.1\r\nHost: h\r\n\r\n"), S_INIT("HTTP/1.1 505")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct raw r;
        raw_open(&r, &s);
        for (size_t k = 0; k < cases[i].first.n; k++) {
            raw_say(&r, &s, str_slice(cases[i].first, k, k + 1));
            suite_let_pass(s.l, NS_PER_MS / 4);
        }
        suite_let_pass(s.l, 20 * NS_PER_MS);
        CHECK_CONTAINS(buf_str(&r.got), cases[i].answer);
        raw_close(&r);
        SUITE_WAIT(s.l, site_is_empty, &s);
    }
    /* One that ends before it could be told. */
    struct raw r;
    raw_open(&r, &s);
    raw_say(&r, &s, S("PRI"));
    CHECK_OK(stream_shutdown(r.s, &e));
    SUITE_WAIT(s.l, raw_is_ended, &r);
    raw_close(&r);
    site_close(&s);
}

SUITE_TEST(pump_does_not_wait_for_ever)
{
    static const struct {
        const char *name;
        struct http_pump_times times;
        str said;
        const char *why, *answer;
    } cases[] = {
        {"nothing", {.head_ns = 20 * NS_PER_MS}, S_INIT(""), "no whole request came in time", ""},
        {"half a preface",
         {.head_ns = 20 * NS_PER_MS},
         S_INIT("PRI * H"),
         "no whole request came in time",
         ""},
        {"half a head",
         {.head_ns = 20 * NS_PER_MS},
         S_INIT("GET / HTTP/1.1\r\nHo"),
         "no whole request came in time",
         "408 Request Timeout"},
        {"half a head on HTTP/2",
         {.head_ns = 20 * NS_PER_MS},
         S_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\1\1\0\0\0\0\1\x82"),
         "no whole request came in time",
         "\0\0\10\7"},
        {"idle", {.idle_ns = 20 * NS_PER_MS}, S_INIT(GET("/bytes/1")), "", "200 OK"},
        {"idle on HTTP/2, deaf to the farewell",
         {.idle_ns = 20 * NS_PER_MS, .grace_ns = 20 * NS_PER_MS},
         S_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
         "",
         "\0\0\10\7"},
    };
    struct site s = {0};
    site_open(&s, w);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        s.times = cases[i].times;
        struct raw r;
        raw_open(&r, &s);
        raw_say(&r, &s, cases[i].said);
        SUITE_WAIT(s.l, raw_is_ended, &r);
        CHECK_CONTAINS(buf_str(&r.got), cases[i].answer);
        SUITE_WAIT(s.l, site_is_empty, &s);
        CHECK_STR(s.why.msg, cases[i].why);
        CHECK_EQ(s.why.code, cases[i].why[0] ? ERR_TIMEOUT : ERR_NONE);
        raw_close(&r);
    }
    site_close(&s);
}

SUITE_TEST(pump_gives_up_a_peer_that_takes_nothing)
{
    struct site s = {.times = {.stall_ns = 30 * NS_PER_MS}};
    site_open(&s, w);
    struct raw r;
    raw_open(&r, &s);
    stream_want(r.s, 0);
    raw_say(&r, &s, S(GET("/bytes/900000000")));
    SUITE_WAIT(s.l, site_is_empty, &s);
    if (s.opened == 1)
        CHECK_STR(s.why.msg, "the peer takes nothing of what it is sent");
    raw_close(&r);
    site_close(&s);
}

SUITE_TEST(pump_has_patience_with_a_peer_that_is_slow)
{
    /* On the real clock a busy machine may stand still for longer than the patience of a test: there only the way is
     * walked, the borders are the simulator's. */
    struct site s = {.times = {.stall_ns = w->sim ? 60 * NS_PER_MS : 10 * NS_PER_S}};
    site_open(&s, w);
    struct raw r;
    raw_open(&r, &s);
    stream_want(r.s, 0);
    raw_say(&r, &s, S(GET("/bytes/900000000")));
    static char bytes[1 << 20];
    for (int i = 0; i < 40; i++) {
        size_t n;
        struct err err = ERR_INIT;
        suite_let_pass(s.l, 5 * NS_PER_MS);
        for (int k = 0; k < 8; k++)
            err_ignore(stream_read(r.s, bytes, sizeof bytes, &n, &err)); /* AGAIN when it was all read */
    }
    CHECK_EQ(s.closed, 0);
    raw_close(&r);
    site_close(&s);
}

SUITE_TEST(pump_asks_a_silent_peer_and_gives_it_up)
{
    struct site s = {.times = {.ping_ns = 20 * NS_PER_MS, .pong_ns = (w->sim ? 20 : 500) * NS_PER_MS}};
    site_open(&s, w);
    /* One that answers pings may be as silent as it likes. */
    struct visitor v;
    visitor_open(&v, &s, HTTP_2);
    http_watch_get(&v.w, http_pump_conn(v.pump), S("/hold"));
    SUITE_WAIT(s.l, has_head, &s);
    suite_let_pass(s.l, 150 * NS_PER_MS);
    CHECK_GE(http_conn_pongs(http_pump_conn(s.pump)), 2);
    site_answer(&s);
    SUITE_WAIT(s.l, visitor_has_end, &v);
    CHECK_EQ(v.w.status, 204);
    visitor_close(&v, &s);
    SUITE_WAIT(s.l, site_is_empty, &s);

    struct raw r;
    raw_open(&r, &s);
    raw_say(
        &r, &s,
        S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\x17\1\5\0\0\0\1\x82\x86\x01\1h\x04\x05/hold\x00\x03"
          "abc\x05"
          "12345"));
    SUITE_WAIT(s.l, site_is_empty, &s);
    CHECK_STR(s.why.msg, "the peer is silent: it did not even answer a ping");
    raw_close(&r);
    site_close(&s);
}

SUITE_TEST(pump_keeps_why_a_connection_was_refused)
{
    struct site s = {.limits = {.head_size_max = 500}};
    site_open(&s, w);
    struct raw r;
    raw_open(&r, &s);
    raw_say(&r, &s, S("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"));
    SUITE_WAIT(s.l, raw_is_ended, &r);
    CHECK_CONTAINS(buf_str(&r.got), "HTTP/1.1 400");
    SUITE_WAIT(s.l, site_is_empty, &s);
    CHECK_EQ(s.why.code, ERR_PROTOCOL);
    raw_close(&r);
    site_close(&s);
}
