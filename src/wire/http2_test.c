#include "base/mem.h"
#include "harness/test.h"
#include "wire/http_pair_test.h"
#include <malloc.h>

/* --- a server to talk to ---
 * /echo        answers as it reads, trailers too
 * /bytes/N     N bytes, by reference, and lets go at once
 * /drip/N      N bytes, 1,000 at a time, as there is room
 * /lazy        answers 200 at its end; does not consume before app_read_on()
 * /early       answers at the head and lets go
 * /interim     102, 103, then 200
 * /hold        nothing
 * /head        the request's head as the body */
struct app {
    struct http_exchange *held[1200];
    size_t held_count;
    size_t body_size; /* received by /lazy and /hold, all together */
    size_t heads, resets, releases;
    struct buf resets_text;
};

struct app_x {
    struct app *app;
    size_t left;
    char name;
};

static char zeros[1 << 20];

static void app_release(void *obj)
{
    struct app *app = obj;
    app->releases++;
}

static void answer(struct http_exchange *x, int status, bool end)
{
    struct http_header fields[] = {{S("content-type"), S("text/plain")}};
    struct http_head head = {.status = status, .content_length = -1, .headers = fields, .header_count = 1};
    CHECK_OK(http_send_head(x, &head, end, &e));
}

static void app_drip(struct app_x *ax, struct http_exchange *x)
{
    while (ax->left && http_queued(x) < 64 * 1024) {
        size_t n = size_min(ax->left, 1000);
        http_send_body(x, str_of(zeros, n));
        ax->left -= n;
    }
    if (!ax->left)
        http_send_end(x, NULL, 0);
}

static void app_body(void *ctx, struct http_exchange *x, str data)
{
    struct app_x *ax = ctx;
    if (ax->name == 'e') {
        http_send_body(x, data);
        http_consumed(x, data.n);
    } else {
        ax->app->body_size += data.n;
    }
}

static void app_end(void *ctx, struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    struct app_x *ax = ctx;
    if (ax->name == 'e')
        http_send_end(x, trailers, count);
    else if (ax->name == 'l')
        answer(x, 200, true);
}

static void app_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    struct app_x *ax = ctx;
    ax->app->resets++;
    buf_add_f(&ax->app->resets_text, "%s: %s\n", err_name(why->code), why->msg);
}

static void app_room(void *ctx, struct http_exchange *x)
{
    struct app_x *ax = ctx;
    if (ax->name == 'd')
        app_drip(ax, x);
}

static void app_echo_head(struct http_exchange *x, const struct http_head *h)
{
    struct arena *a = http_exchange_arena(x);
    answer(x, 200, false);
    http_send_body(x, str_format(a, "%" STR_FMT " %" STR_FMT " %" STR_FMT " %" STR_FMT " length %lld\n",
                                 STR_ARG(h->method), STR_ARG(h->scheme), STR_ARG(h->authority),
                                 STR_ARG(h->target), (long long)h->content_length));
    for (size_t i = 0; i < h->header_count; i++)
        http_send_body(x, str_format(a, "%" STR_FMT ": %" STR_FMT "\n", STR_ARG(h->headers[i].name),
                                     STR_ARG(h->headers[i].value)));
    http_send_end(x, NULL, 0);
}

static void app_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct app *app = ctx;
    app->heads++;
    str target = head->target;
    struct app_x *ax = ARENA_NEW(http_exchange_arena(x), struct app_x);
    *ax = (struct app_x){.app = app, .name = target.n > 1 ? target.p[1] : '?'};
    http_exchange_set_handler(
        x,
        (struct http_handler){
            .on_body = app_body, .on_end = app_end, .on_reset = app_reset, .on_room = app_room, .ctx = ax});
    uint64_t n = 0;
    if (str_is(target, "/echo")) {
        http_continue(x);
        answer(x, 200, false);
    } else if (str_take_prefix(&target, S("/bytes/")) && str_parse_u64(target, &n)) {
        answer(x, 200, false);
        http_send_body_ref(x, str_of(zeros, n), app_release, app);
        http_send_end(x, NULL, 0);
        http_exchange_free(x);
        return;
    } else if (str_take_prefix(&target, S("/drip/")) && str_parse_u64(target, &n)) {
        answer(x, 200, false);
        ax->left = n;
        app_drip(ax, x);
    } else if (str_is(target, "/early")) {
        answer(x, 403, false);
        http_send_body(x, S("no"));
        http_send_end(x, NULL, 0);
        http_exchange_free(x);
        return;
    } else if (str_is(target, "/interim")) {
        CHECK_OK(http_send_head(x, &(struct http_head){.status = 102, .content_length = -1}, false, &e));
        CHECK_OK(http_send_head(x, &(struct http_head){.status = 103, .content_length = -1}, false, &e));
        answer(x, 200, true);
    } else if (str_starts(target, S("/head"))) {
        app_echo_head(x, head);
    }
    ASSERT(app->held_count < ARRAY_COUNT(app->held));
    app->held[app->held_count++] = x;
}

static struct http_handler app_handler(struct app *app)
{
    buf_init(&app->resets_text, 1 << 20);
    return (struct http_handler){.on_head = app_head, .ctx = app};
}

static void app_let_go(struct app *app)
{
    for (size_t i = 0; i < app->held_count; i++)
        http_exchange_free(app->held[i]);
    app->held_count = 0;
}

static void app_done(struct app *app)
{
    app_let_go(app);
    buf_done(&app->resets_text);
}

/* Pair, app and a watch, for tests that need no more. */
struct scene {
    struct app app;
    struct http_pair p;
    struct http_watch w;
};

static void scene_init(struct scene *s, const struct http_limits *server_limits,
                       const struct http_limits *client_limits)
{
    *s = (struct scene){0};
    http_watch_init(&s->w);
    http_pair_init(&s->p, HTTP_2, server_limits, client_limits, app_handler(&s->app));
}

static void scene_done(struct scene *s)
{
    http_watch_done(&s->w);
    app_done(&s->app);
    http_pair_done(&s->p);
}

static void send_random_body(struct http_pair *p, struct http_exchange *x, struct buf *sent, size_t size)
{
    while (size) {
        size_t n = 1 + http_pair_random(p, size_min(size, 40000));
        char *piece = mem_alloc(n);
        for (size_t i = 0; i < n; i++)
            piece[i] = (char)http_pair_random(p, 256);
        buf_add(sent, str_of(piece, n));
        if (http_pair_random(p, 2)) {
            http_send_body_ref(x, str_of(piece, n), mem_free, piece);
        } else {
            http_send_body(x, str_of(piece, n));
            mem_free(piece);
        }
        size -= n;
        if (http_pair_random(p, 3) == 0)
            http_pair_step(p);
    }
}

TEST(http2_exchanges_cross_whole_however_bytes_are_cut)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    for (int round = 0; round < 20; round++) {
        enum { COUNT = 7 };
        struct http_watch w[COUNT];
        struct buf sent[COUNT];
        for (int i = 0; i < COUNT; i++) {
            http_watch_init(&w[i]);
            buf_init(&sent[i], 1 << 30);
            http_watch_request(&w[i], s.p.client, S("POST"), S("/echo"), false);
        }
        for (int i = 0; i < COUNT; i++) {
            struct http_header t[] = {{S("grpc-status"), S("0")}, {S("x-empty"), S("")}};
            send_random_body(&s.p, w[i].x, &sent[i], http_pair_random(&s.p, 200000));
            http_send_end(w[i].x, t, (size_t)i % 3);
        }
        http_pair_run(&s.p);
        for (int i = 0; i < COUNT; i++) {
            static const char *const ends[] = {"end\n", "end grpc-status=0\n",
                                               "end grpc-status=0 x-empty=\n"};
            CHECK_STR(buf_str(&w[i].body), buf_str(&sent[i]));
            CHECK_CONTAINS(buf_str(&w[i].text), str_from_c(ends[i % 3]));
            CHECK(w[i].ended);
            CHECK(http_exchange_is_over(w[i].x));
            http_watch_done(&w[i]);
            buf_done(&sent[i]);
        }
        app_let_go(&s.app);
        CHECK_EQ(http_conn_exchange_count(s.p.server), 0);
        CHECK_EQ(http_conn_exchange_count(s.p.client), 0);
    }
    CHECK_STR(buf_str(&s.p.errors), "");
    CHECK_EQ(s.app.resets, 0);
}

TEST(http2_heads_arrive_as_they_were_given)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    struct http_header fields[] = {{S("accept"), S("application/json, */*")},
                                   {S("x-empty"), S("")},
                                   {S("x-twice"), S("1")},
                                   {S("x-twice"), S("2")}};
    struct http_head head = {.method = S("DELETE"),
                             .target = S("/head?a=b%20c&d"),
                             .authority = S("[::1]:6443"),
                             .scheme = S("https"),
                             .headers = fields,
                             .header_count = 4,
                             .content_length = 3};
    struct err err = ERR_INIT;
    s.w.x = http_request(s.p.client, &head, false, http_watch_handler(&s.w), &err);
    CHECK(s.w.x);
    http_send_body(s.w.x, S("abc"));
    http_send_end(s.w.x, NULL, 0);
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.w.text), "head 200 content-type=text/plain\nend\n");
    CHECK_STR(buf_str(&s.w.body), "DELETE https [::1]:6443 /head?a=b%20c&d length 3\n"
                                  "accept: application/json, */*\nx-empty: \nx-twice: 1\nx-twice: 2\n");
}

TEST(http2_interim_heads_come_before_the_final_one)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_get(&s.w, s.p.client, S("/interim"));
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.w.text), "head 102\nhead 103\nhead 200 content-type=text/plain\nend\n");
}

TEST(http2_client_that_waits_with_its_body_is_told_to_go_on)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    struct http_head head = {
        .method = S("POST"), .target = S("/echo"), .content_length = 2, .expect_continue = true};
    struct err err = ERR_INIT;
    s.w.x = http_request(s.p.client, &head, false, http_watch_handler(&s.w), &err);
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.w.text), "head 100\nhead 200 content-type=text/plain\n");
    http_send_body(s.w.x, S("ok"));
    http_send_end(s.w.x, NULL, 0);
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.w.body), "ok");
}

TEST(http2_answer_to_head_has_a_length_and_no_body)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_request(&s.w, s.p.client, S("HEAD"), S("/bytes/5000"), true);
    http_pair_run(&s.p);
    CHECK_EQ(s.w.status, 200);
    CHECK(s.w.ended);
    CHECK_EQ(s.w.body.n, 0);
    CHECK_EQ(s.app.releases, 1);
    CHECK_EQ(http_conn_exchange_count(s.p.server), 0);
}

TEST(http2_server_that_answers_early_stops_the_rest_of_the_request)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_request(&s.w, s.p.client, S("POST"), S("/early"), false);
    http_send_body_ref(s.w.x, str_of(zeros, sizeof zeros), NULL, NULL);
    http_pair_run(&s.p);
    CHECK_EQ(s.w.status, 403);
    CHECK_STR(buf_str(&s.w.body), "no");
    CHECK_CONTAINS(buf_str(&s.w.text), "end\nreset CLOSED: the peer does not need the rest\n");
    CHECK_EQ(http_queued(s.w.x), 0);
    CHECK_EQ(http_conn_exchange_count(s.p.server), 0);
    /* And the connection serves on. */
    struct http_watch next;
    http_watch_init(&next);
    http_watch_get(&next, s.p.client, S("/bytes/10"));
    http_pair_run(&s.p);
    CHECK_EQ(next.body.n, 10);
    http_watch_done(&next);
}

/* --- back pressure --- */

TEST(http2_exchanges_whose_owner_does_not_read_stall_themselves_only)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    enum { STALLED = 200 };
    struct http_watch w[STALLED];
    http_pair_run(&s.p); /* how many may run is known from the server's settings; 100 before */
    for (int i = 0; i < STALLED; i++) {
        http_watch_init(&w[i]);
        http_watch_request(&w[i], s.p.client, S("PUT"), S("/lazy"), false);
        http_send_body_ref(w[i].x, str_of(zeros, 200000), NULL, NULL);
    }
    http_pair_run(&s.p);
    CHECK_EQ(s.app.body_size, STALLED * 65535); /* each got its window and no more */
    CHECK_EQ(http_queued(w[0].x), 200000 - 65535);
    http_watch_request(&s.w, s.p.client, S("POST"), S("/echo"), false);
    http_send_body_ref(s.w.x, str_of(zeros, sizeof zeros), NULL, NULL);
    http_send_end(s.w.x, NULL, 0);
    http_pair_run(&s.p);
    CHECK(s.w.ended);
    CHECK_EQ(s.w.body.n, sizeof zeros);
    /* One that reads again goes on. */
    for (int i = 0; i < 20; i++) {
        http_consumed(s.app.held[7], 10000);
        http_pair_run(&s.p);
        if (i == 5)
            CHECK_LT(http_queued(w[7].x), 200000 - 65535);
        if (!http_queued(w[7].x))
            break;
    }
    CHECK_EQ(http_queued(w[7].x), 0);
    for (int i = 0; i < STALLED; i++)
        http_watch_done(&w[i]);
}

TEST(http2_reader_that_stops_costs_its_own_stream_only)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    enum { STALLED = 20 };
    struct http_watch w[STALLED];
    for (int i = 0; i < STALLED; i++) {
        http_watch_init(&w[i]);
        w[i].is_lazy = true;
        http_watch_get(&w[i], s.p.client, S("/drip/1000000"));
    }
    http_pair_run(&s.p);
    for (int i = 0; i < STALLED; i++) {
        CHECK_EQ(w[i].body.n, 256 * 1024);
        CHECK_LE(http_queued(s.app.held[i]), 64 * 1024 + 1000);
    }
    http_watch_get(&s.w, s.p.client, S("/bytes/1000000"));
    http_pair_run(&s.p);
    CHECK_EQ(s.w.body.n, 1000000);
    for (size_t n = w[3].body.n, had = 0; !w[3].ended; had = n, n = w[3].body.n) {
        http_consumed(w[3].x, n - had);
        http_pair_run(&s.p);
    }
    CHECK_EQ(w[3].body.n, 1000000);
    for (int i = 0; i < STALLED; i++)
        http_watch_done(&w[i]);
}

/* How much a client can send before it is held up, after the owner read `kept_up` bytes, always `behind` behind. */
static size_t window_of_next(struct scene *s, size_t kept_up, size_t behind)
{
    struct http_watch w;
    http_watch_init(&w);
    http_watch_request(&w, s->p.client, S("PUT"), S("/lazy"), false);
    http_send_body_ref(w.x, str_of(zeros, behind), NULL, NULL);
    for (size_t sent = 0; sent < kept_up; sent += 1000) {
        http_send_body_ref(w.x, str_of(zeros, 1000), NULL, NULL);
        http_pair_run(&s->p);
        http_consumed(s->app.held[0], 1000);
        http_pair_run(&s->p);
    }
    http_pair_run(&s->p);
    size_t before = s->app.body_size;
    http_send_body_ref(w.x, str_of(zeros, sizeof zeros), NULL, NULL);
    http_pair_run(&s->p);
    size_t window = s->app.body_size - before;
    app_let_go(&s->app);
    http_watch_done(&w);
    http_pair_run(&s->p);
    return window;
}

static size_t window_after(size_t kept_up, const struct http_limits *limits)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, limits, NULL);
    return window_of_next(&s, kept_up, 0);
}

TEST(http2_window_grows_for_an_owner_that_keeps_up_and_not_further_than_allowed)
{
    size_t start = window_after(0, NULL), later = window_after(2000000, NULL);
    CHECK_EQ(start, 65535);
    CHECK_GT(later, 128 * 1024 - 2000); /* what is left varies by half: updates come in steps */
    CHECK_LE(later, 256 * 1024);
    CHECK_LE(window_after(2000000, &(struct http_limits){.window = 100000}), 100000);
    CHECK_LE(window_after(2000000, &(struct http_limits){.window = 20000}), 20000);
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, &(struct http_limits){.conn_window = 65535}, NULL);
    /* All growth together is bounded by the connection's window; an exchange that ends gives back its part. */
    for (int i = 0; i < 3; i++) {
        size_t window = window_of_next(&s, 2000000, 0);
        CHECK_LE(window, 2 * 65535);
        CHECK_GT(window, 65535);
    }
    /* Reading is not keeping up. */
    CHECK_LE(window_of_next(&s, 2000000, 5000), 65535);
}

TEST(http2_downloads_share_the_connection)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    struct http_watch other;
    http_watch_init(&other);
    http_watch_get(&s.w, s.p.client, S("/bytes/1000000"));
    http_watch_get(&other, s.p.client, S("/bytes/1000000"));
    while (s.w.body.n + other.body.n < 600000)
        http_pair_step(&s.p);
    /* Not to the byte: what is under way comes in windows. */
    CHECK_GT(s.w.body.n, 150000);
    CHECK_GT(other.body.n, 150000);
    http_watch_done(&other);
}

TEST(http2_client_that_sends_all_before_it_reads_gets_its_early_answer)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    s.w.is_lazy = true;
    http_watch_request(&s.w, s.p.client, S("POST"), S("/bytes/1000000"), false);
    http_send_body_ref(s.w.x, str_of(zeros, sizeof zeros), NULL, NULL);
    http_send_end(s.w.x, NULL, 0);
    http_pair_run(&s.p);
    CHECK_EQ(http_queued(s.w.x), 0); /* though the answer is stuck, and who gave it is not interested */
    CHECK_LT(s.w.body.n, 1000000);
    while (!s.w.ended) {
        http_consumed(s.w.x, 100000);
        http_pair_run(&s.p);
    }
    CHECK_EQ(s.w.body.n, 1000000);
}

TEST(http2_connection_window_survives_padding_and_data_nobody_wants)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    /* Freed exchanges: what is under way for them is given back. */
    for (int i = 0; i < 30; i++) {
        struct http_watch w;
        http_watch_init(&w);
        http_watch_request(&w, s.p.client, S("PUT"), S("/lazy"), false);
        http_send_body_ref(w.x, str_of(zeros, 100000), NULL, NULL);
        for (int step = 0; step < 3; step++)
            http_pair_step(&s.p);
        app_let_go(&s.app);
        http_pair_run(&s.p);
        http_watch_done(&w);
        http_pair_run(&s.p);
    }
    http_watch_request(&s.w, s.p.client, S("POST"), S("/echo"), false);
    for (int i = 0; i < 4; i++)
        http_send_body_ref(s.w.x, str_of(zeros, sizeof zeros), NULL, NULL);
    http_send_end(s.w.x, NULL, 0);
    http_pair_run(&s.p);
    CHECK_EQ(s.w.body.n, 4 * sizeof zeros);

    /* Padding: 6 MB of it in small frames, far more than any window. */
    struct app app = {0};
    struct http_conn *server = http_conn_new_server(HTTP_2, NULL, app_handler(&app));
    struct buf b;
    buf_init(&b, 1 << 20);
    http2_frames_add(&b, S("PREFACE\nHEADERS 1 EH :method=POST :scheme=http :path=/echo"));
    size_t used;
    CHECK_OK(http_conn_feed(server, buf_str(&b), &used, &e));
    char padded[9 + 1 + 1 + 255] = {0, 1, 1, 0, 8, 0, 0, 0, 1, (char)255, 'x'};
    for (int i = 0; i < 24000; i++) {
        CHECK_OK(http_conn_feed(server, str_of(padded, sizeof padded), &used, &e));
        http_take(server, NULL);
    }
    CHECK_EQ(app.resets, 0);
    buf_done(&b);
    app_done(&app);
    http_conn_free(server);
}

TEST(http2_owner_that_queues_much_hears_when_there_is_room)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, &(struct http_limits){.queue_low = 5000});
    http_watch_request(&s.w, s.p.client, S("POST"), S("/echo"), false);
    http_send_body(s.w.x, str_of(zeros, 4999));
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.w.text), "head 200 content-type=text/plain\n");
    http_send_body(s.w.x, str_of(zeros, 5000));
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.w.text), "head 200 content-type=text/plain\nroom\n");
}

/* --- memory and owners --- */

TEST(http2_borrowed_body_goes_out_without_a_copy_and_is_released_once_written)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_get(&s.w, s.p.client, S("/bytes/30000"));
    str parts[64];
    size_t count = http_conn_output(s.p.client, parts, 64);
    for (size_t i = 0; i < count; i++) {
        size_t used;
        CHECK_OK(http_conn_feed(s.p.server, parts[i], &used, &e));
    }
    count = http_conn_output(s.p.server, parts, 64);
    CHECK_EQ(count, 4); /* control, 16 KiB, control, the rest */
    CHECK(parts[1].p == zeros);
    CHECK_EQ(parts[1].n, 16384);
    CHECK(parts[3].p == zeros + 16384);
    http_conn_written(s.p.server, parts[0].n + parts[1].n + parts[2].n + parts[3].n - 1);
    CHECK_EQ(s.app.releases, 0);
    CHECK_EQ(http_conn_exchange_count(s.p.server), 1);
    http_conn_written(s.p.server, 1);
    CHECK_EQ(s.app.releases, 1);
    CHECK_EQ(http_conn_exchange_count(s.p.server), 0);
}

TEST(http2_frame_begun_is_finished_whatever_becomes_of_its_exchange)
{
    for (int how = 0; how < 3; how++) {
        CLEANUP(scene_done) struct scene s;
        scene_init(&s, NULL, NULL);
        struct http_watch other;
        http_watch_init(&other);
        http_watch_get(&other, s.p.client, S("/hold"));
        http_watch_get(&s.w, s.p.client, S("/drip/500000"));
        while (!s.w.body.n)
            http_pair_step(&s.p);
        str parts[4];
        http_conn_output(s.p.server, parts, 4); /* the front may be the middle of a frame */
        if (how == 0)
            http_exchange_free(s.app.held[1]);
        else if (how == 1)
            http_exchange_cancel(s.w.x);
        else
            http_exchange_cancel(s.app.held[1]);
        if (how == 0)
            s.app.held[1] = NULL;
        http_pair_run(&s.p);
        /* Had a byte of it been lost, the next head would not be found. */
        answer(s.app.held[0], 200, true);
        http_pair_run(&s.p);
        CHECK_EQ(other.status, 200);
        CHECK_STR(buf_str(&s.p.errors), "");
        if (how == 1)
            CHECK_STR(buf_str(&s.app.resets_text), "CANCELED: the stream was reset: CANCEL\n");
        else
            CHECK_CONTAINS(buf_str(&s.w.text), "reset INTERNAL: the stream was reset: INTERNAL_ERROR\n");
        http_watch_done(&other);
    }
}

TEST(http2_owner_may_free_its_exchange_in_any_event)
{
    static const char *const events[] = {"head", "body", "end", "room", "reset"};
    for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
        CLEANUP(scene_done) struct scene s;
        scene_init(&s, NULL, &(struct http_limits){.queue_low = 10});
        s.w.frees_at = events[i];
        http_watch_request(&s.w, s.p.client, S("POST"), S("/echo"), false);
        http_send_body(s.w.x, str_of(zeros, 100000));
        if (strcmp(events[i], "reset") == 0 || strcmp(events[i], "room") == 0) {
            http_pair_run(&s.p);
            app_let_go(&s.app);
        } else {
            struct http_header trailers[] = {{S("a"), S("b")}};
            http_send_end(s.w.x, trailers, 1);
        }
        http_pair_run(&s.p);
        CHECK(s.w.x == NULL);
        app_let_go(&s.app);
        http_pair_run(&s.p);
        CHECK_STR(buf_str(&s.p.errors), "");
        CHECK_EQ(http_conn_exchange_count(s.p.client), 0);
        CHECK_EQ(http_conn_exchange_count(s.p.server), 0);
    }
}

TEST(http2_request_taken_back_before_it_was_sent_is_never_heard_of)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_request(&s.w, s.p.client, S("POST"), S("/echo"), false);
    http_send_body(s.w.x, S("x"));
    http_exchange_free(s.w.x);
    s.w.x = NULL;
    http_pair_run(&s.p);
    CHECK_EQ(s.app.heads, 0);
    CHECK_EQ(http_conn_exchange_count(s.p.client), 0);
    http_watch_get(&s.w, s.p.client, S("/bytes/3"));
    http_pair_run(&s.p);
    CHECK_EQ(s.w.body.n, 3);
}

TEST(http2_exchanges_outlive_their_connection)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_get(&s.w, s.p.client, S("/bytes/1000000"));
    for (int i = 0; i < 3; i++)
        http_pair_step(&s.p);
    http_conn_free(s.p.client);
    http_conn_free(s.p.server);
    CHECK(http_exchange_conn(s.w.x) == NULL);
    CHECK(http_exchange_is_over(s.w.x));
    http_consumed(s.w.x, 1);
    http_send_end(s.w.x, NULL, 0);
    CHECK_EQ(s.app.releases, s.app.heads);
    s.p.client = s.p.server = NULL;
}

TEST(http2_steady_request_makes_few_heap_calls)
{
    if (test_is_sanitized())
        test_skip("counts heap calls, which are more there");
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    uint64_t before = 0;
    for (int i = 0; i < 101; i++) {
        if (i == 1)
            before = mem_thread_allocs();
        http_watch_get(&s.w, s.p.client, S("/bytes/100"));
        for (int way = 0; way < 2; way++) {
            http_carry(s.p.client, s.p.server);
            http_carry(s.p.server, s.p.client);
        }
        CHECK_EQ(s.w.body.n, 100);
        buf_clear(&s.w.body);
        buf_clear(&s.w.text);
        http_exchange_free(s.w.x);
        s.w.x = NULL;
        s.w.ended = false;
    }
    /* Both ends together; nearly all are nghttp2's. */
    CHECK_LE((mem_thread_allocs() - before) / 100, 10);
}

TEST(http2_idle_connection_is_small)
{
    if (test_is_sanitized())
        test_skip("counts the heap, which the sanitizers replace");
    enum { COUNT = 100 };
    static struct scene s[COUNT];
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < COUNT; i++) {
        scene_init(&s[i], NULL, NULL);
        http_watch_get(&s[i].w, s[i].p.client, S("/drip/300000"));
        http_pair_run(&s[i].p);
        CHECK_EQ(s[i].w.body.n, 300000);
        http_watch_done(&s[i].w);
        app_let_go(&s[i].app);
        http_pair_run(&s[i].p);
        http_conn_free(s[i].p.client);
        s[i].p.client = NULL;
        http_conn_trim(s[i].p.server);
        http_watch_init(&s[i].w);
    }
    size_t each = (mallinfo2().uordblks - before) / COUNT;

    CHECK_LE(each, 31000); /* 25,600 of them nghttp2's, of which 16,384 are an output buffer hardly touched */
    for (int i = 0; i < COUNT; i++)
        scene_done(&s[i]);
}

/* --- ends --- */

TEST(http2_client_waits_when_the_server_runs_as_many_as_it_wants)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, &(struct http_limits){.exchange_max = 3}, NULL);
    http_pair_run(&s.p);
    struct http_watch w[4];
    for (int i = 0; i < 4; i++)
        http_watch_init(&w[i]);
    for (int i = 0; i < 3; i++)
        http_watch_get(&w[i], s.p.client, S("/hold"));
    struct http_head head = {.method = S("GET"), .target = S("/hold"), .content_length = -1};
    struct err err = ERR_INIT;
    CHECK(!http_request(s.p.client, &head, true, http_watch_handler(&w[3]), &err));
    CHECK_EQ(err.code, ERR_AGAIN);
    CHECK_CONTAINS(err.msg, "3 are running");
    http_pair_run(&s.p);
    answer(s.app.held[1], 204, true);
    http_pair_run(&s.p);
    CHECK(w[1].ended);
    http_watch_get(&w[3], s.p.client, S("/hold"));
    http_pair_run(&s.p);
    CHECK_EQ(s.app.heads, 4);
    for (int i = 0; i < 4; i++)
        http_watch_done(&w[i]);
}

TEST(http2_server_that_drains_serves_what_was_under_way_and_ends)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    struct http_watch held, late;
    http_watch_init(&held);
    http_watch_init(&late);
    http_watch_get(&held, s.p.client, S("/hold"));
    http_pair_run(&s.p);
    http_watch_get(&late, s.p.client, S("/bytes/5")); /* given before the client can know */
    http_conn_drain(s.p.server);
    http_conn_drain(s.p.server);
    http_pair_run(&s.p);
    CHECK_EQ(late.body.n, 5);
    CHECK(!http_conn_is_over(s.p.server));
    struct http_head head = {.method = S("GET"), .target = S("/"), .content_length = -1};
    struct err err = ERR_INIT;
    CHECK(!http_request(s.p.client, &head, true, http_watch_handler(&s.w), &err));
    CHECK_EQ(err.code, ERR_CLOSED);
    answer(s.app.held[0], 200, true);
    http_pair_run(&s.p);
    CHECK_EQ(held.status, 200);
    CHECK(held.ended);
    CHECK(http_conn_is_over(s.p.server));
    CHECK(http_conn_is_over(s.p.client));
    CHECK_STR(buf_str(&s.p.errors), "");
    http_watch_done(&held);
    http_watch_done(&late);
}

TEST(http2_client_that_drains_ends_after_its_last_answer)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_get(&s.w, s.p.client, S("/hold"));
    http_conn_drain(s.p.client);
    http_pair_run(&s.p);
    CHECK(!http_conn_is_over(s.p.client));
    answer(s.app.held[0], 200, true);
    http_pair_run(&s.p);
    CHECK_EQ(s.w.status, 200);
    CHECK(http_conn_is_over(s.p.client));
    CHECK(http_conn_is_over(s.p.server));
}

TEST(http2_ping_is_answered_and_counted)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_conn_ping(s.p.client);
    http_conn_ping(s.p.client);
    http_conn_ping(s.p.server);
    CHECK_EQ(http_conn_pongs(s.p.client), 0);
    http_pair_run(&s.p);
    CHECK_EQ(http_conn_pongs(s.p.client), 1);
    CHECK_EQ(http_conn_pongs(s.p.server), 1);
    http_conn_ping(s.p.client);
    http_pair_run(&s.p);
    CHECK_EQ(http_conn_pongs(s.p.client), 2);
}

TEST(http2_peer_that_closes_resets_what_was_running)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_pair_run(&s.p);
    http_watch_get(&s.w, s.p.client, S("/hold"));
    http_pair_run(&s.p);
    CHECK_ERR(CLOSED, "the peer closed the connection", http_conn_feed_end(s.p.client, &e));
    CHECK_STR(buf_str(&s.w.text), "reset CLOSED: the peer closed the connection\n");
    CHECK(http_conn_is_over(s.p.client));
    size_t used;
    CHECK_OK(http_conn_feed(s.p.client, S("x"), &used, &e));
    CHECK_EQ(used, 1);
    app_let_go(&s.app);
    CHECK_OK(http_conn_feed_end(s.p.server, &e));
    CHECK(http_conn_is_over(s.p.server));
}

TEST(http2_connection_that_broke_tells_its_exchanges_why)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_get(&s.w, s.p.client, S("/hold"));
    http_pair_run(&s.p);
    struct err why = ERR_INIT;
    err_set(&why, ERR_TIMEOUT, "the peer is silent");
    http_conn_lost(s.p.client, &why);
    CHECK_STR(buf_str(&s.w.text), "reset TIMEOUT: the peer is silent\n");
    CHECK(http_conn_is_over(s.p.client));
    http_conn_lost(s.p.client, &why);
    CHECK(!http_request(s.p.client,
                        &(struct http_head){.method = S("GET"), .target = S("/"), .content_length = -1}, true,
                        (struct http_handler){0}, &why));
    CHECK_EQ(why.code, ERR_CLOSED);
}

TEST(http2_head_that_does_not_come_to_its_end_can_be_timed_out)
{
    struct app app = {0};
    struct http_conn *server = http_conn_new_server(HTTP_2, NULL, app_handler(&app));
    CHECK(http_conn_is_in_head(server)); /* the preface is missing */
    struct buf in;
    buf_init(&in, 10000);
    http2_frames_add(&in, S("PREFACE\nHEADERS 1 EH :method=PUT :scheme=http :path=/hold :authority=a\n"
                            "PING 0 - 0000000000000000"));
    size_t used;
    CHECK_OK(http_conn_feed(server, buf_str(&in), &used, &e));
    CHECK(!http_conn_is_in_head(server));
    buf_clear(&in);
    http2_frames_add(&in, S("HEADERS 3 ES :method=GET :scheme=http :path=/hold"));
    CHECK_OK(http_conn_feed(server, buf_str(&in), &used, &e));
    CHECK(http_conn_is_in_head(server));
    CHECK_EQ(http_conn_exchange_count(server), 2);
    http_conn_time_out(server);
    CHECK(http_conn_is_over(server));
    CHECK_STR(buf_str(&app.resets_text), "TIMEOUT: the request took too long\n");
    CHECK_EQ(http_conn_exchange_count(server), 1);
    buf_done(&in);
    app_done(&app);
    http_conn_free(server);
    /* Without such a head it is an orderly end. */
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    http_watch_request(&s.w, s.p.client, S("POST"), S("/echo"), false);
    http_pair_run(&s.p);
    CHECK(!http_conn_is_in_head(s.p.server));
    http_conn_time_out(s.p.server);
    http_send_body(s.w.x, S("slow"));
    http_send_end(s.w.x, NULL, 0);
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.w.body), "slow");
    CHECK(http_conn_is_over(s.p.server));
}

static void count_up(void *ctx)
{
    ++*(int *)ctx;
}

TEST(http2_whoever_writes_is_woken_by_commands)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    int woken = 0;
    http_conn_set_wake(s.p.client, count_up, &woken);
    http_watch_request(&s.w, s.p.client, S("POST"), S("/hold"), false);
    CHECK_EQ(woken, 1);
    http_send_body(s.w.x, S("x"));
    CHECK_EQ(woken, 2);
    http_conn_ping(s.p.client);
    CHECK_EQ(woken, 3);
    http_exchange_free(s.w.x);
    s.w.x = NULL;
    CHECK_EQ(woken, 4);
    http_conn_set_wake(s.p.client, NULL, NULL);
    http_pair_run(&s.p);
}

/* --- hostile and broken peers --- */

/* What a server makes of frames that come in one call, so that nothing of its replies is read meanwhile. */
struct hearing {
    size_t heads; /* that reached the handler */
    struct buf said;
    str text; /* of what it said, as frames */
    struct err err;
};

static void hearing_done(struct hearing *h)
{
    buf_done(&h->said);
}

static struct hearing server_hears(const struct http_limits *limits, str frames)
{
    struct hearing h = {.err = ERR_INIT};
    struct app app = {0};
    struct http_conn *server = http_conn_new_server(HTTP_2, limits, app_handler(&app));
    struct buf in, out;
    buf_init(&in, 1 << 26);
    buf_init(&out, 1 << 26);
    buf_init(&h.said, 1 << 26);
    http2_frames_add(&in, frames);
    size_t used;
    err_ignore(http_conn_feed(server, buf_str(&in), &used, &h.err)); /* the caller looks at it */
    http_take(server, &out);
    CHECK_EQ(http_conn_is_over(server), h.err.code != ERR_NONE);
    http2_frames_print(&h.said, buf_str(&out));
    h.text = buf_str(&h.said);
    h.heads = app.heads;
    buf_done(&in);
    buf_done(&out);
    app_done(&app);
    http_conn_free(server);
    return h;
}

#define GET_1  "HEADERS 1 ES,EH :method=GET :scheme=https :path=/hold :authority=a\n"
#define POST_1 "HEADERS 1 EH :method=POST :scheme=https :path=/hold :authority=a\n"

TEST(http2_broken_frames_end_the_stream_or_the_connection_as_the_protocol_says)
{
    static const struct {
        const char *name, *frames, *said;
        err_code code;
    } cases[] = {
        {"not http2", "RAW 474554202f20485454502f312e310d0a", "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"no settings first",
         "RAW 505249202a20485454502f322e300d0a0d0a534d0d0a0d0a\nPING 0 - 0000000000000000",
         "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"frame too large", "PREFACE\nRAW 004001000000000001", "GOAWAY 0 FRAME_SIZE_ERROR", ERR_PROTOCOL},
        {"settings of 5 bytes", "PREFACE\nSETTINGS 0 - 0003000000", "GOAWAY 0 FRAME_SIZE_ERROR",
         ERR_PROTOCOL},
        {"settings ack with content", "PREFACE\nSETTINGS 0 ACK 000300000064", "GOAWAY 0 FRAME_SIZE_ERROR",
         ERR_PROTOCOL},
        {"settings on a stream", "PREFACE\nSETTINGS 1 -", "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"settings with a window too large", "PREFACE\nSETTINGS 0 - 000480000000",
         "GOAWAY 0 FLOW_CONTROL_ERROR", ERR_PROTOCOL},
        {"settings with a frame size too small", "PREFACE\nSETTINGS 0 - 000500000001",
         "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"ping of 7 bytes", "PREFACE\nPING 0 - 00000000000000", "GOAWAY 0 FRAME_SIZE_ERROR", ERR_PROTOCOL},
        {"ping on a stream", "PREFACE\nPING 1 - 0000000000000000", "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"data on stream 0", "PREFACE\nDATA 0 - x", "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"data on an idle stream", "PREFACE\nDATA 1 - x", "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"data after the end", "PREFACE\n" GET_1 "DATA 1 - x", "GOAWAY 0 STREAM_CLOSED", ERR_PROTOCOL},
        {"padding longer than the frame", "PREFACE\n" POST_1 "RAW 00000200080000000105ff",
         "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"rst on an idle stream", "PREFACE\nRST 1 - 00000008", "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"rst of 3 bytes", "PREFACE\n" GET_1 "RST 1 - 000008", "GOAWAY 0 FRAME_SIZE_ERROR", ERR_PROTOCOL},
        {"window update of zero on the connection", "PREFACE\nWINDOW 0 - 00000000", "GOAWAY 0 PROTOCOL_ERROR",
         ERR_PROTOCOL},
        {"window update past the maximum", "PREFACE\nWINDOW 0 - 7fffffff", "GOAWAY 0 FLOW_CONTROL_ERROR",
         ERR_PROTOCOL},
        {"window update on an idle stream", "PREFACE\nWINDOW 1 - 00000001", "GOAWAY 0 PROTOCOL_ERROR",
         ERR_PROTOCOL},
        {"even stream", "PREFACE\nHEADERS 2 ES,EH :method=GET :scheme=https :path=/ :authority=a",
         "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"stream number that goes back is ignored",
         "PREFACE\nHEADERS 3 ES,EH :method=GET :scheme=https :path=/head :authority=a\n" GET_1,
         "SETTINGS 0 ACK", ERR_NONE},
        {"push from a client", "PREFACE\n" GET_1 "PUSH 1 EH 00000002", "GOAWAY 0 PROTOCOL_ERROR",
         ERR_PROTOCOL},
        {"continuation of nothing", "PREFACE\nCONT 1 EH a=b", "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"head broken off by another frame",
         "PREFACE\nHEADERS 1 ES :method=GET :scheme=https\nPING 0 - 0000000000000000",
         "GOAWAY 0 PROTOCOL_ERROR", ERR_PROTOCOL},
        {"head that does not decode", "PREFACE\nRAW 000001010500000001ff", "GOAWAY 0 COMPRESSION_ERROR",
         ERR_PROTOCOL},
        {"table size beyond what was agreed", "PREFACE\nRAW 0000040105000000013fffff7f",
         "GOAWAY 0 COMPRESSION_ERROR", ERR_PROTOCOL},
        {"goaway of 7 bytes", "PREFACE\nGOAWAY 0 - 00000000000000", "GOAWAY 0 FRAME_SIZE_ERROR",
         ERR_PROTOCOL},
        {"window update past the maximum on a stream", "PREFACE\n" POST_1 "WINDOW 1 - 7fffffff",
         "RST 1 FLOW_CONTROL_ERROR", ERR_NONE},
        {"second head", "PREFACE\n" POST_1 POST_1, "RST 1 PROTOCOL_ERROR", ERR_NONE},
        {"trailers that do not end", "PREFACE\n" POST_1 "HEADERS 1 EH a=b", "RST 1 PROTOCOL_ERROR", ERR_NONE},
        {"pseudo header in trailers", "PREFACE\n" POST_1 "HEADERS 1 ES,EH :path=/", "RST 1 PROTOCOL_ERROR",
         ERR_NONE},
        {"body longer than said",
         "PREFACE\nHEADERS 1 EH :method=PUT :scheme=https :path=/hold :authority=a content-length=2\nDATA 1 - abc",
         "RST 1 PROTOCOL_ERROR", ERR_NONE},
        {"body shorter than said",
         "PREFACE\nHEADERS 1 EH :method=PUT :scheme=https :path=/hold :authority=a content-length=4\nDATA 1 ES abc",
         "RST 1 PROTOCOL_ERROR", ERR_NONE},
        {"length without a body",
         "PREFACE\nHEADERS 1 ES,EH :method=PUT :scheme=https :path=/hold :authority=a content-length=4",
         "RST 1 PROTOCOL_ERROR", ERR_NONE},
        {"unknown frame and settings are ignored", "PREFACE\n99 1 - 0011\nSETTINGS 0 - 0ff000000001\n" GET_1,
         "SETTINGS 0 ACK", ERR_NONE},
        {"priorities are ignored", "PREFACE\nPRIORITY 3 - 0000000010\n" GET_1, "SETTINGS 0 ACK", ERR_NONE},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(hearing_done) struct hearing h = server_hears(NULL, str_from_c(cases[i].frames));
        if (!str_contains(h.text, str_from_c(cases[i].said)) || h.err.code != cases[i].code)
            FAIL("%s: %s %s; said:\n%" STR_FMT, cases[i].name, err_name(h.err.code), h.err.msg,
                 STR_ARG(h.text));
    }
}

TEST(http2_malformed_requests_never_reach_the_handler)
{
    static const char *const heads[] = {
        ":method=GET :scheme=https",
        ":scheme=https :path=/ :authority=a",
        ":method=GET :path=/ :authority=a",
        ":method=GET :method=GET :scheme=https :path=/ :authority=a",
        ":method=GET :scheme=https :path=/ :authority=a :status=200",
        ":method=GET :scheme=https :path=/ :authority=a :unknown=1",
        "a=b :method=GET :scheme=https :path=/ :authority=a",
        ":method=GET :scheme=https :path= :authority=a",
        ":method=GET :scheme=https :path=hold :authority=a",
        ":method=GET :scheme=https :path=* :authority=a",
        ":method=GET :scheme=https :path=/a#b :authority=a",
        ":method=GET :scheme=https :path=/a\tb :authority=a",
        ":method=GET :scheme=ftp :path=/hold :authority=a",
        ":method=GET :scheme=ftp :path=hold :authority=a",
        ":method=G(T :scheme=https :path=/ :authority=a",
        ":method=GET :scheme=https :path=/ :authority=a/b",
        ":method=GET :scheme=https :path=/ :authority=a host=b",
        ":method=GET :scheme=https :path=/ :authority=a Accept=x",
        ":method=GET :scheme=https :path=/ :authority=a a(b=x",
        ":method=GET :scheme=https :path=/ :authority=a =x",
        ":method=GET :scheme=https :path=/ :authority=a a=x\001y",
        ":method=GET :scheme=https :path=/ :authority=a a=x\ry",
        ":method=GET :scheme=https :path=/ :authority=a connection=close",
        ":method=GET :scheme=https :path=/ :authority=a keep-alive=5",
        ":method=GET :scheme=https :path=/ :authority=a proxy-connection=close",
        ":method=GET :scheme=https :path=/ :authority=a transfer-encoding=chunked",
        ":method=GET :scheme=https :path=/ :authority=a upgrade=websocket",
        ":method=GET :scheme=https :path=/ :authority=a te=gzip",
        ":method=GET :scheme=https :path=/ :authority=a content-length=-1",
        ":method=GET :scheme=https :path=/ :authority=a content-length=1x",
        ":method=GET :scheme=https :path=/ :authority=a content-length=0 content-length=0",
        ":method=GET :scheme=https :path=/ :authority=a content-length=99999999999999999999",
    };
    for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
        char frames[400];
        snprintf(frames, sizeof frames, "PREFACE\nHEADERS 1 ES,EH %s\nPING 0 - %016d", heads[i], 0);
        CLEANUP(hearing_done) struct hearing h = server_hears(NULL, str_from_c(frames));
        if (h.heads || h.err.code || !str_contains(h.text, S("RST 1 PROTOCOL_ERROR")) ||
            !str_contains(h.text, S("PING 0 ACK")))
            FAIL("'%s': %zu heads, %s; said:\n%" STR_FMT, heads[i], h.heads, h.err.msg, STR_ARG(h.text));
    }
}

TEST(http2_unusual_but_right_requests_are_served)
{
    static const struct {
        const char *head, *seen;
    } cases[] = {
        {":method=GET :scheme=http :path=/head host=h:1", "GET http h:1 /head length -1\n"},
        {":method=GET :scheme=http :path=/head :authority=H host=h", "GET http H /head length -1\n"},
        {":method=GET :scheme=http :path=/head :authority=a te=trailers",
         "GET http a /head length -1\nte: trailers\n"},
        {":method=GET :scheme=http :path=/head :authority=a cookie=a=1 x=y cookie=b=2 cookie=c",
         "GET http a /head length -1\ncookie: a=1; b=2; c\nx: y\n"},
        {":method=GET :scheme=http :path=/head :authority=a content-length=0", "GET http a /head length 0\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct app app = {0};
        struct http_conn *server = http_conn_new_server(HTTP_2, NULL, app_handler(&app));
        struct buf in;
        buf_init(&in, 4096);
        http2_frames_add(&in, S("PREFACE"));
        char line[400];
        snprintf(line, sizeof line, "HEADERS 1 ES,EH %s", cases[i].head);
        http2_frames_add(&in, str_from_c(line));
        size_t used;
        CHECK_OK(http_conn_feed(server, buf_str(&in), &used, &e));
        struct buf out;
        buf_init(&out, 1 << 16);
        http_take(server, &out);
        CHECK_CONTAINS(buf_str(&out), cases[i].seen);
        buf_done(&in);
        buf_done(&out);
        app_done(&app);
        http_conn_free(server);
    }
}

TEST(http2_floods_end_the_connection)
{
    static const struct {
        const char *name, *frames, *why;
    } cases[] = {
        {"pings", "PREFACE\n*3000 PING 0 - 0000000000000000", "pings or settings"},
        {"settings", "PREFACE\n*4000 SETTINGS 0 -", "pings or settings"},
        {"settings that all differ",
         "PREFACE\n*40 SETTINGS 0 - 000400000064000400000065000400000066000400000067"
         "0f0100000001\n*4000 SETTINGS 0 - 000400000064",
         "pings or settings"},
        {"empty data", "PREFACE\n" POST_1 "*1002 DATA 1 -", "empty DATA"},
        {"continuations", "PREFACE\nHEADERS 1 ES :method=GET :scheme=https :path=/\n*20 CONT 1 -",
         "header block in too many pieces"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(hearing_done) struct hearing h = server_hears(NULL, str_from_c(cases[i].frames));
        if (h.err.code != ERR_TOO_LARGE || !str_contains(str_from_c(h.err.msg), str_from_c(cases[i].why)) ||
            !str_contains(h.text, S("GOAWAY 0 ENHANCE_YOUR_CALM")))
            FAIL("%s: %s %s; said:\n%" STR_FMT, cases[i].name, err_name(h.err.code), h.err.msg,
                 STR_ARG(h.text));
    }
}

TEST(http2_requests_reset_in_a_row_end_the_connection)
{
    CLEANUP(buf_done) struct buf frames;
    buf_init(&frames, 1 << 20);
    buf_add_lit(&frames, "PREFACE\n");
    for (int i = 0; i < 400; i++)
        buf_add_f(&frames,
                  "HEADERS %d EH :method=PUT :scheme=https :path=/hold :authority=a\nRST %d - 00000008\n",
                  2 * i + 1, 2 * i + 1);
    CLEANUP(hearing_done)
    struct hearing h = server_hears(&(struct http_limits){.reset_rate_max = 500}, buf_str(&frames));
    CHECK_EQ(h.err.code, ERR_TOO_LARGE);
    CHECK_CONTAINS(h.err.msg, "too many requests were reset");
    CHECK_CONTAINS(h.text, "GOAWAY 0 ENHANCE_YOUR_CALM");
    CHECK_EQ(h.heads, 101);
    buf_clear(&frames);

    /* The server made to reset them itself, by frames that are wrong (windows past the maximum). */
    buf_add_lit(&frames, "PREFACE\n");
    for (int i = 0; i < 400; i++)
        buf_add_f(&frames,
                  "HEADERS %d EH :method=PUT :scheme=https :path=/hold :authority=a\nWINDOW %d - 7fffffff\n",
                  2 * i + 1, 2 * i + 1);
    CLEANUP(hearing_done) struct hearing wrong = server_hears(NULL, buf_str(&frames));
    CHECK_CONTAINS(wrong.text, "GOAWAY 0 ENHANCE_YOUR_CALM");
    CHECK_CONTAINS(wrong.err.msg, "too many requests were reset");
    CHECK_LE(wrong.heads, 250);
}

TEST(http2_answered_streams_may_be_reset_as_often_as_one_likes)
{
    /* Watches end this way. */
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    for (int i = 0; i < 1000; i++) {
        struct http_watch w;
        http_watch_init(&w);
        http_watch_request(&w, s.p.client, S("POST"), S("/echo"), false);
        http_pair_run(&s.p);
        CHECK_EQ(w.status, 200);
        http_watch_done(&w);
        http_pair_run(&s.p);
        app_let_go(&s.app);
    }
    CHECK_STR(buf_str(&s.p.errors), "");
    CHECK_EQ(s.app.resets, 1000);
}

TEST(http2_head_too_large_is_answered_and_one_far_too_large_ends_the_connection)
{
    static char pad[4000];
    memset(pad, 'a', sizeof pad - 1);
    CLEANUP(buf_done) struct buf frames;
    buf_init(&frames, 1 << 20);
    buf_add_f(
        &frames,
        "PREFACE\nHEADERS 1 ES,EH :method=GET :scheme=https :path=/hold :authority=a a=%s\nPING 0 - %016d",
        pad, 0);
    struct http_limits limits = {.head_size_max = 2000};
    CLEANUP(hearing_done) struct hearing large = server_hears(&limits, buf_str(&frames));
    CHECK_EQ(large.err.code, ERR_NONE);
    CHECK_EQ(large.heads, 0);
    CHECK_CONTAINS(large.text, "HEADERS 1 ES\n");
    CHECK_CONTAINS(large.text, "PING 0 ACK");

    buf_clear(&frames);
    buf_add_f(
        &frames,
        "PREFACE\nHEADERS 1 ES :method=GET :scheme=https :path=/hold :authority=a a=%s\nCONT 1 - b=%s\nCONT 1 EH c=%s",
        pad, pad, pad);
    CLEANUP(hearing_done) struct hearing far = server_hears(&limits, buf_str(&frames));
    CHECK_EQ(far.err.code, ERR_TOO_LARGE);
    CHECK_CONTAINS(far.err.msg, "a head far larger than allowed");
    CHECK_CONTAINS(far.text, "GOAWAY 0 ENHANCE_YOUR_CALM");

    /* By their number. */
    buf_clear(&frames);
    buf_add_lit(&frames, "PREFACE\nHEADERS 1 ES,EH :method=GET :scheme=https :path=/hold :authority=a");
    for (int i = 0; i < 300; i++)
        buf_add_f(&frames, " h%d=x", i);
    CLEANUP(hearing_done) struct hearing many = server_hears(NULL, buf_str(&frames));
    CHECK_EQ(many.err.code, ERR_NONE);
    CHECK_EQ(many.heads, 0);
    CHECK_CONTAINS(many.text, "HEADERS 1 ES\n");
}

TEST(http2_connect_is_not_served)
{
    CLEANUP(hearing_done)
    struct hearing h = server_hears(NULL, S("PREFACE\nHEADERS 1 EH :method=CONNECT :authority=a:1"));
    CHECK_EQ(h.heads, 0);
    CHECK_CONTAINS(h.text, "HEADERS 1 ES\nRST 1 NO_ERROR\n");
}

TEST(http2_owners_that_hold_on_bound_what_a_peer_can_open)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, &(struct http_limits){.exchange_max = 10, .reset_rate_max = 1000}, NULL);
    http_pair_run(&s.p);
    for (int i = 0; i < 50; i++) {
        struct http_watch w;
        http_watch_init(&w);
        http_watch_get(&w, s.p.client, S("/hold"));
        http_pair_run(&s.p);
        http_watch_done(&w);
        http_pair_run(&s.p);
    }
    CHECK_EQ(s.app.heads, 20);
    CHECK_EQ(s.app.resets, 20);
}

/* What a client makes of it: `frames` come from the server after its settings. */
static void client_hears(struct http_watch *w, const struct http_limits *limits, str method, bool end,
                         str frames, struct err *err)
{
    struct http_conn *client = http_conn_new_client(HTTP_2, limits);
    http_watch_init(w);
    http_watch_request(w, client, method, S("/"), end);
    http_take(client, NULL);
    struct buf in;
    buf_init(&in, 1 << 20);
    http2_frames_add(&in, S("SETTINGS 0 -\nSETTINGS 0 ACK"));
    http2_frames_add(&in, frames);
    size_t used;
    err->code = ERR_NONE;
    err_ignore(http_conn_feed(client, buf_str(&in), &used, err)); /* the caller looks at err */
    http_exchange_free(w->x);
    w->x = NULL;
    buf_done(&in);
    http_conn_free(client);
}

TEST(http2_client_tells_why_an_exchange_ended)
{
    static const struct {
        const char *name, *frames, *text;
        err_code code;
    } cases[] = {
        {"refused", "RST 1 - 00000007",
         "reset AGAIN: the peer has not looked at the request: it can be sent again\n", 0},
        {"cancel", "RST 1 - 00000008", "reset CANCELED: the stream was reset: CANCEL\n", 0},
        {"internal", "RST 1 - 00000002", "reset INTERNAL: the stream was reset: INTERNAL_ERROR\n", 0},
        {"calm", "RST 1 - 0000000b", "reset TOO_MANY_REQUESTS: the stream was reset: ENHANCE_YOUR_CALM\n", 0},
        {"1.1", "RST 1 - 0000000d", "reset UNSUPPORTED: the stream was reset: HTTP_1_1_REQUIRED\n", 0},
        {"unknown code", "RST 1 - 00000fff", "reset PROTOCOL: the stream was reset: unknown\n", 0},
        {"goaway", "GOAWAY 0 - 0000000000000000", "reset AGAIN: the peer has not", 0},
        {"head broken off", "HEADERS 1 EH :status=200\nRST 1 - 00000002",
         "head 200\nreset INTERNAL: the stream was reset: INTERNAL_ERROR\n", 0},
        {"no status", "HEADERS 1 ES,EH a=b", "reset PROTOCOL: the stream was reset: PROTOCOL_ERROR\n", 0},
        {"status of four", "HEADERS 1 ES,EH :status=2000", "reset PROTOCOL", 0},
        {"interim that ends", "HEADERS 1 ES,EH :status=103", "reset PROTOCOL", 0},
        {"switching protocols", "HEADERS 1 EH :status=101", "reset PROTOCOL", 0},
        {"body longer than said", "HEADERS 1 EH :status=200 content-length=1\nDATA 1 ES ab",
         "head 200\nreset PROTOCOL: the stream was reset: PROTOCOL_ERROR\n", 0},
        {"body shorter than said", "HEADERS 1 EH :status=200 content-length=3\nDATA 1 ES ab",
         "head 200\nreset PROTOCOL: the stream was reset: PROTOCOL_ERROR\n", 0},
        {"trailers", "HEADERS 1 EH :status=200\nDATA 1 - ab\nHEADERS 1 ES,EH grpc-status=3",
         "head 200\nend grpc-status=3\n", 0},
        {"connection lost", "PING 1 - 0000000000000000", "reset PROTOCOL: the peer broke the HTTP/2 protocol",
         ERR_PROTOCOL},
        {"push", "PUSH 1 EH 00000002", "reset PROTOCOL", ERR_PROTOCOL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct http_watch w;
        struct err err = ERR_INIT;
        client_hears(&w, NULL, S("GET"), true, str_from_c(cases[i].frames), &err);
        if (!str_starts(buf_str(&w.text), str_from_c(cases[i].text)) || err.code != cases[i].code)
            FAIL("%s: %s %s; events:\n%" STR_FMT, cases[i].name, err_name(err.code), err.msg,
                 STR_ARG(buf_str(&w.text)));
        http_watch_done(&w);
    }
}

TEST(http2_client_bounds_heads_however_they_come)
{
    struct http_limits limits = {.head_size_max = 1000};
    struct http_watch w;
    struct err err = ERR_INIT;
    struct buf frames;
    buf_init(&frames, 1 << 20);
    buf_add_lit(&frames, "HEADERS 1 ES,EH :status=200 a=");
    buf_add_n(&frames, 'x', 1000);
    client_hears(&w, &limits, S("GET"), true, buf_str(&frames), &err);
    CHECK_STR(buf_str(&w.text),
              "reset TOO_LARGE: the answer's head is larger than 1000 bytes or 256 headers\n");
    http_watch_done(&w);
    /* Interim heads without end. */
    client_hears(&w, &limits, S("GET"), true, S("*40 HEADERS 1 EH :status=103\nHEADERS 1 ES,EH :status=200"),
                 &err);
    CHECK_CONTAINS(buf_str(&w.text), "head 103\nreset TOO_LARGE: the answer's head");
    http_watch_done(&w);
    buf_clear(&frames);
    buf_add_lit(&frames, "HEADERS 1 EH :status=200\nHEADERS 1 ES,EH a=");
    buf_add_n(&frames, 'x', 1000);
    client_hears(&w, &limits, S("GET"), true, buf_str(&frames), &err);
    CHECK_STR(buf_str(&w.text),
              "head 200\nreset TOO_LARGE: the trailers are larger than 1000 bytes or 256 headers\n");
    http_watch_done(&w);
    buf_done(&frames);
}

TEST(http2_heads_that_cannot_be_sent_are_refused)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s, NULL, NULL);
    struct http_header bad[] = {{S("connection"), S("close")}, {S("Accept"), S("x")}, {S("a"), S("x\ny")},
                                {S("te"), S("gzip")},          {S("b c"), S("x")},    {S("host"), S("x")}};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct http_head head = {.method = S("GET"),
                                 .target = S("/"),
                                 .headers = &bad[i],
                                 .header_count = 1,
                                 .content_length = -1};
        struct err err = ERR_INIT;
        CHECK(!http_request(s.p.client, &head, true, http_watch_handler(&s.w), &err));
        CHECK_EQ(err.code, ERR_INVALID);
        CHECK_CONTAINS(err.msg, "could not send header '");
    }
    static char large[70000];
    memset(large, 'a', sizeof large);
    struct http_header fields[] = {{S("a"), str_of(large, sizeof large)}};
    struct http_head head = {
        .method = S("GET"), .target = S("/"), .headers = fields, .header_count = 1, .content_length = -1};
    struct err err = ERR_INIT;
    CHECK(!http_request(s.p.client, &head, true, http_watch_handler(&s.w), &err));
    CHECK_EQ(err.code, ERR_INVALID);
    CHECK_CONTAINS(err.msg, "at most");
    http_pair_run(&s.p);
    CHECK_EQ(s.app.heads, 0);
}

TEST(http2_preface_is_told_from_the_first_bytes)
{
    str magic = S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    for (size_t n = 0; n < magic.n; n++)
        CHECK_EQ(http_preface_look(str_slice(magic, 0, n)), HTTP_PREFACE_PARTLY);
    CHECK_EQ(http_preface_look(magic), HTTP_PREFACE_YES);
    CHECK_EQ(http_preface_look(S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore")), HTTP_PREFACE_YES);
    CHECK_EQ(http_preface_look(S("PUT / HTTP/1.1\r\n")), HTTP_PREFACE_NO);
    CHECK_EQ(http_preface_look(S("PRI * HTTP/1.1\r\n")), HTTP_PREFACE_NO);
}
