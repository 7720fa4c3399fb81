/* Against nghttp2's own tools, where they are installed: another implementation of the roles above the same library, with
 * padding, trailers, early answers and small windows that our own two ends do not use with each other. */
#include "base/mem.h"
#include "client/http_pump.h"
#include "harness/test.h"
#include "sys/process.h"
#include "wire/http_pair_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char zeros[1 << 20];

struct town {
    struct env *env;
    struct loop *l;
    struct listener *ln;
    int pumps;
};

static void town_init(struct town *t)
{
    *t = (struct town){0};
    CHECK_OK(env_new_real(NULL, &t->env, &e));
    CHECK_OK(loop_new(t->env, S("town"), &t->l, &e));
}

static bool no_pumps(void *ctx)
{
    struct town *t = ctx;
    return t->pumps == 0;
}

static void town_done(struct town *t)
{
    CHECK(loop_run_until(t->l, no_pumps, t, 20 * NS_PER_S));
    if (t->ln) {
        listener_detach(t->ln, t->l);
        listener_free(t->ln);
    }
    loop_free(t->l);
    env_free(t->env);
}

static void pump_closed(void *ctx, struct http_pump *p, const struct err *why)
{
    struct town *t = ctx;
    t->pumps--;
}

/* --- a program and what it prints --- */

struct program {
    struct child *child; /* gone once it ended */
    struct buf out;
    int status;
    bool ended, out_ended;
};

static void program_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct program *p = ctx;
    char bytes[8192];
    size_t n;
    struct err err = ERR_INIT;
    err_code code = stream_read(s, bytes, sizeof bytes, &n, &err);
    if (code == ERR_NONE) {
        buf_add(&p->out, str_of(bytes, n));
    } else if (code != ERR_AGAIN) {
        p->out_ended = true;
        stream_close(s);
    }
}

static void program_exit(void *ctx, struct child *c, int status)
{
    struct program *p = ctx;
    p->ended = true;
    p->status = status;
}

static bool program_is_over(void *ctx)
{
    struct program *p = ctx;
    return p->ended && p->out_ended;
}

static void program_start(struct program *p, struct town *t, const char *const *argv)
{
    *p = (struct program){0};
    buf_init(&p->out, 1 << 24);
    struct child_spec spec = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = CHILD_PIPE, .stderr_fd = -1, .dies_with_parent = true};
    struct err err = ERR_INIT;
    if (child_spawn(t->l, &spec, (struct child_handler){.on_exit = program_exit, .ctx = p}, &p->child, &err))
        test_skip("nghttp2's tools are not installed");
    struct stream *out = child_take_stream(p->child, 1);
    stream_set_handler(out, (struct stream_handler){.on_ready = program_ready, .ctx = p});
    stream_want(out, STREAM_READ);
}

/* --- their clients, our server --- */

static void echo_body(void *ctx, struct http_exchange *x, str data)
{
    http_send_body(x, data);
    http_consumed(x, data.n);
}

static void echo_end(void *ctx, struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    http_send_end(x, trailers, count);
    http_exchange_free(x);
}

static void echo_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    http_exchange_free(x);
}

static void serve_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct http_header type[] = {{S("content-type"), S("text/plain")}};
    struct http_head answer = {.status = 200, .content_length = -1, .headers = type, .header_count = 1};
    CHECK_OK(http_send_head(x, &answer, false, &e));
    if (!end) {
        http_exchange_set_handler(
            x, (struct http_handler){.on_body = echo_body, .on_end = echo_end, .on_reset = echo_reset});
        return;
    }
    if (str_is(head->target, "/large"))
        for (int i = 0; i < 5; i++)
            http_send_body_ref(x, str_of(zeros, sizeof zeros), NULL, NULL);
    else
        http_send_body(x, S("hello from here\n"));
    http_send_end(x, NULL, 0);
    http_exchange_free(x);
}

static void serve_accept(void *ctx, struct stream *s)
{
    struct town *t = ctx;
    t->pumps++;
    http_pump_server(s, NULL, (struct http_handler){.on_head = serve_head}, NULL,
                     (struct http_pump_handler){.on_closed = pump_closed, .ctx = t});
}

static void serve(struct town *t, char *url, size_t size, const char *path)
{
    struct net_addr at;
    CHECK_OK(net_addr_parse(S("127.0.0.1:0"), &at, &e));
    CHECK_OK(listener_new(t->env, &at, NULL, &t->ln, &e));
    CHECK_OK(listener_attach(t->ln, t->l, serve_accept, t, &e));
    snprintf(url, size, "http://127.0.0.1:%u%s", listener_addr(t->ln)->port, path);
}

static void run(struct town *t, const char *const *argv, struct buf *out)
{
    struct program p;
    program_start(&p, t, argv);
    CHECK(loop_run_until(t->l, program_is_over, &p, 20 * NS_PER_S));
    *out = p.out;
}

TEST_WITHIN(http2_server_satisfies_nghttp, 30)
{
    struct town t;
    char url[64], large[64], data[300];
    town_init(&t);
    serve(&t, url, sizeof url, "/small");
    struct buf out;
    const char *get[] = {"nghttp", url, NULL};
    run(&t, get, &out);
    CHECK_STR(buf_str(&out), "hello from here\n");
    buf_done(&out);
    /* Small windows, padding, priorities, continuation frames, a PING for each. */
    snprintf(large, sizeof large, "http://127.0.0.1:%u/large", listener_addr(t.ln)->port);
    const char *slow[] = {"nghttp", "-w", "12", "-W", "13", "-b", "200", "--continuation", large, NULL};
    run(&t, slow, &out);
    CHECK_EQ(out.n, 5 * sizeof zeros);
    buf_done(&out);
    snprintf(data, sizeof data, "%s/data", test_dir());
    FILE *f = fopen(data, "w");
    CHECK(f && ftruncate(fileno(f), 300000) == 0 && fclose(f) == 0);
    const char *post[] = {"nghttp", "-v", "-d", data, "--trailer=x-sum: 42", "-b", "50", url, NULL};
    run(&t, post, &out);
    CHECK_CONTAINS(buf_str(&out), "x-sum: 42\n");
    str from_server = str_from(buf_str(&out), str_index(buf_str(&out), S(":status: 200")));
    CHECK_CONTAINS(from_server, "x-sum: 42\n"); /* it came back behind the body */
    buf_done(&out);
    town_done(&t);
}

TEST_WITHIN(http2_server_satisfies_h2load, 30)
{
    struct town t;
    char url[64];
    town_init(&t);
    serve(&t, url, sizeof url, "/small");
    struct buf out;
    const char *load[] = {"h2load", "-n3000", "-c10", "-m100", url, NULL};
    run(&t, load, &out);
    CHECK_CONTAINS(buf_str(&out), "3000 done, 3000 succeeded, 0 failed");
    buf_done(&out);
    town_done(&t);
}

/* --- their server, our client --- */

static bool watch_is_over(void *ctx)
{
    struct http_watch *w = ctx;
    return w->ended || w->was_reset;
}

static struct http_pump *dial(struct town *t, uint16_t port)
{
    struct net_addr at;
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    CHECK_OK(net_addr_parse(str_from_c(text), &at, &e));
    struct stream *s;
    CHECK_OK(stream_connect(t->l, &at, (struct stream_handler){0}, &s, &e));
    t->pumps++;
    return http_pump_client(s, http_conn_new_client(HTTP_2, NULL), NULL,
                            (struct http_pump_handler){.on_closed = pump_closed, .ctx = t});
}

/* It takes a moment until it listens: the first request is made again until it is answered. */
static struct http_pump *dial_when_ready(struct town *t, uint16_t port)
{
    for (int i = 0;; i++) {
        struct http_pump *p = dial(t, port);
        struct http_watch w;
        http_watch_init(&w);
        http_watch_get(&w, http_pump_conn(p), S("/"));
        CHECK(loop_run_until(t->l, watch_is_over, &w, 20 * NS_PER_S));
        bool answered = w.ended;
        http_watch_done(&w);
        if (answered)
            return p;
        CHECK_LT(i, 500);
        usleep(10000);
    }
}

static void nghttpd_start(struct program *p, struct town *t, uint16_t *ret_port, const char *option,
                          const char *value)
{
    /* A port that was free a moment ago. */
    struct net_addr at;
    struct listener *ln;
    CHECK_OK(net_addr_parse(S("127.0.0.1:0"), &at, &e));
    CHECK_OK(listener_new(t->env, &at, NULL, &ln, &e));
    *ret_port = listener_addr(ln)->port;
    listener_free(ln);
    char path[300], port[16];
    snprintf(path, sizeof path, "%s/large", test_dir());
    FILE *f = fopen(path, "w");
    CHECK(f && ftruncate(fileno(f), 3000000) == 0 && fclose(f) == 0);
    snprintf(port, sizeof port, "%u", *ret_port);
    const char *argv[] = {"nghttpd",       "--no-tls", "-a", "127.0.0.1", "-d", test_dir(),
                          "--echo-upload", port,       NULL, NULL,        NULL};
    if (option) {
        argv[7] = option;
        argv[8] = value;
        argv[9] = port;
    }
    program_start(p, t, argv);
}

TEST_WITHIN(http2_client_satisfies_nghttpd, 30)
{
    static const char *const options[][2] = {
        {NULL, NULL}, {"-b", "100"}, {"--trailer", "x-end: yes"}, {"-w", "12"}, {"-m", "3"}};
    for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
        struct town t;
        struct program server;
        uint16_t port;
        town_init(&t);
        nghttpd_start(&server, &t, &port, options[i][0], options[i][1]);
        struct http_pump *p = dial_when_ready(&t, port);
        struct http_watch w[3];
        for (int k = 0; k < 3; k++)
            http_watch_init(&w[k]);
        http_watch_get(&w[0], http_pump_conn(p), S("/large"));
        http_watch_get(&w[1], http_pump_conn(p), S("/none"));
        http_watch_request(&w[2], http_pump_conn(p), S("POST"), S("/echo"), false);
        http_send_body_ref(w[2].x, str_of(zeros, 500000), NULL, NULL);
        http_send_end(w[2].x, NULL, 0);
        for (int k = 0; k < 3; k++)
            CHECK(loop_run_until(t.l, watch_is_over, &w[k], 20 * NS_PER_S));
        CHECK_EQ(w[0].status, 200);
        CHECK_EQ(w[0].body.n, 3000000);
        CHECK_EQ(w[1].status, 404);
        CHECK_EQ(w[2].body.n, 500000);
        if (i == 2)
            CHECK_CONTAINS(buf_str(&w[0].text), "end x-end=yes\n");
        for (int k = 0; k < 3; k++)
            http_watch_done(&w[k]);
        http_pump_drain(p);
        CHECK(loop_run_until(t.l, no_pumps, &t, 20 * NS_PER_S));
        CHECK_OK(child_kill(server.child, 9, &e));
        CHECK(loop_run_until(t.l, program_is_over, &server, 20 * NS_PER_S));
        buf_done(&server.out);
        town_done(&t);
    }
}
