#include "base/mem.h"
#include "harness/test.h"
#include "wire/grpc.h"
#include "wire/http_pair_test.h"
#include <stdio.h>

/* --- a server ---
 * /t/Echo      unary: the request
 * /t/Later     unary: kept in `waiting` until server_wake()
 * /t/Fail/N    unary: status N with a message that needs escaping
 * /t/Chat      bidi: each message back, OK at the end of the client's
 * /t/Sum       client stream: the number of bytes got
 * /t/Count/N   server stream: N messages of 1,000 bytes, as there is room
 * /t/Lazy      bidi that takes messages and never consumes them */
struct server {
    struct grpc_call *waiting[300];
    size_t waiting_count;
    size_t gone, calls, lazy_size, queued_most;
    int64_t timeout_ns;
    struct buf done;
};

struct served {
    struct server *server;
    struct grpc_call *call;
    size_t number;
};

static const char thousand[1000] = {0};

static void echo(void *ctx, struct grpc_call *call, str request)
{
    grpc_answer(call, request);
}

static void later(void *ctx, struct grpc_call *call, str request)
{
    struct server *s = ctx;
    s->waiting[s->waiting_count++] = call;
}

static void later_gone(void *ctx, struct grpc_call *call)
{
    struct server *s = ctx;
    s->gone++;
    for (size_t i = 0; i < s->waiting_count; i++)
        if (s->waiting[i] == call)
            s->waiting[i] = s->waiting[--s->waiting_count];
}

static void server_wake(struct server *s)
{
    while (s->waiting_count)
        grpc_answer(s->waiting[--s->waiting_count], S("woken"));
}

static void fail(void *ctx, struct grpc_call *call, str request)
{
    struct http_header more[] = {{S("x-more"), S("1")}};
    str path = grpc_call_path(call);
    uint64_t code = 0;
    CHECK(str_parse_u64(str_from(path, strlen("/t/Fail/")), &code));
    grpc_finish_with(call, (int)code, S(" 100% \"bad\":\n\xc3\xa4 "), more, 1);
}

static void chat_message(void *ctx, struct grpc_call *call, str message)
{
    struct served *sv = ctx;
    sv->number += message.n;
    if (sv->server) {
        char *copy = mem_dup(message.p, message.n);
        grpc_send_ref(call, str_of(copy, message.n), mem_free, copy);
    }
    grpc_consumed(call, message.n);
}

static void chat_end(void *ctx, struct grpc_call *call)
{
    grpc_finish(call, GRPC_OK, STR_NONE);
}

static void sum_end(void *ctx, struct grpc_call *call)
{
    struct served *sv = ctx;
    grpc_answer(call, str_format(grpc_call_arena(call), "%zu", sv->number));
}

static void count_on(void *ctx, struct grpc_call *call)
{
    struct served *sv = ctx;
    while (sv->number && grpc_queued(call) < 64 * 1024) {
        grpc_send(call, str_of(thousand, sizeof thousand));
        sv->number--;
    }
    if (!sv->number)
        grpc_finish(call, GRPC_OK, STR_NONE);
}

static void lazy_message(void *ctx, struct grpc_call *call, str message)
{
    struct served *sv = ctx;
    sv->server->lazy_size += message.n;
    sv->server->waiting[0] = call;
}

static void server_done(void *ctx, struct grpc_call *call, const struct grpc_status *status)
{
    struct served *sv = ctx;
    buf_add_f(&sv->server->done, "%s: %" STR_FMT "\n", grpc_code_name(status->code),
              STR_ARG(status->message));
    grpc_call_free(call);
}

static void sum_message(void *ctx, struct grpc_call *call, str message)
{
    struct served *sv = ctx;
    sv->number += message.n;
    grpc_consumed(call, message.n);
}

static void server_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct server *s = ctx;
    struct grpc_call *call = grpc_accept(x, head, end, 4 << 20);
    if (!call)
        return;
    s->calls++;
    s->timeout_ns = grpc_call_timeout_ns(call);
    str path = grpc_call_path(call);
    struct served *sv = ARENA_NEW(grpc_call_arena(call), struct served);
    *sv = (struct served){.server = s, .call = call};
    struct grpc_handler h = {.on_done = server_done, .ctx = sv};
    uint64_t n = 0;
    if (str_is(path, "/t/Echo")) {
        grpc_serve_unary(call, echo, NULL, s);
    } else if (str_is(path, "/t/Later")) {
        grpc_serve_unary(call, later, later_gone, s);
    } else if (str_starts(path, S("/t/Fail/"))) {
        grpc_serve_unary(call, fail, NULL, s);
    } else if (str_is(path, "/t/Chat")) {
        h.on_message = chat_message;
        h.on_end = chat_end;
        grpc_call_set_handler(call, h);
    } else if (str_is(path, "/t/Sum")) {
        h.on_message = sum_message;
        h.on_end = sum_end;
        grpc_call_set_handler(call, h);
    } else if (str_take_prefix(&path, S("/t/Count/")) && str_parse_u64(path, &n)) {
        sv->number = n;
        h.on_room = count_on;
        grpc_call_set_handler(call, h);
        count_on(sv, call);
    } else if (str_is(path, "/t/Lazy")) {
        h.on_message = lazy_message;
        grpc_call_set_handler(call, h);
    } else {
        grpc_finish(call, GRPC_UNIMPLEMENTED, S("no such method"));
    }
}

/* --- a client --- */

struct answer {
    struct grpc_call *call;
    struct buf
        text; /* status and message, then the answer or the messages, a line each (large ones as their size) */
    size_t message_count, size;
    bool is_done, is_unprocessed, is_lazy;
    const char *frees_at;
};

static void answer_done(void *ctx, const struct grpc_status *status, str message)
{
    struct answer *a = ctx;
    CHECK(!a->is_done);
    a->is_done = true;
    a->is_unprocessed = status->is_unprocessed;
    if (!a->message_count)
        a->size = message.n;
    if (status->code == GRPC_OK && message.n < 100)
        buf_add_f(&a->text, "OK %" STR_FMT, STR_ARG(message));
    else
        buf_add_f(&a->text, "%s %" STR_FMT, grpc_code_name(status->code), STR_ARG(status->message));
}

static void stream_message(void *ctx, struct grpc_call *call, str message)
{
    struct answer *a = ctx;
    CHECK(!a->is_done);
    a->message_count++;
    a->size += message.n;
    if (message.n < 100)
        buf_add_f(&a->text, "%" STR_FMT "\n", STR_ARG(message));
    else
        buf_add_f(&a->text, "%zu bytes\n", message.n);
    if (!a->is_lazy)
        grpc_consumed(call, message.n);
    if (a->frees_at && strcmp(a->frees_at, "message") == 0) {
        grpc_call_free(call);
        a->call = NULL;
    }
}

static void stream_done(void *ctx, struct grpc_call *call, const struct grpc_status *status)
{
    struct answer *a = ctx;
    answer_done(a, status, STR_NONE);
    grpc_call_free(call);
    a->call = NULL;
}

struct scene {
    struct server server;
    struct http_pair p;
    struct answer a;
};

static void scene_init(struct scene *s)
{
    *s = (struct scene){0};
    buf_init(&s->server.done, 1 << 20);
    buf_init(&s->a.text, 1 << 24);
    http_pair_init(&s->p, HTTP_2, NULL, NULL,
                   (struct http_handler){.on_head = server_head, .ctx = &s->server});
}

static void scene_done(struct scene *s)
{
    struct err err = ERR_INIT;
    /* Fail when calls are running, which end by it. */
    err_ignore(http_conn_feed_end(s->p.client, &err));
    err_ignore(http_conn_feed_end(s->p.server, &err));
    http_pair_done(&s->p);
    buf_done(&s->server.done);
    buf_done(&s->a.text);
}

static void call_unary(struct scene *s, struct answer *a, str path, str request)
{
    struct err err = ERR_INIT;
    struct grpc_spec spec = {.path = path};
    a->call = grpc_unary(s->p.client, &spec, request, answer_done, a, &err);
    if (!a->call)
        FAIL("call was refused: %s", err.msg);
}

static void call_stream(struct scene *s, struct answer *a, str path)
{
    struct err err = ERR_INIT;
    struct grpc_spec spec = {.path = path};
    a->call = grpc_call_start(
        s->p.client, &spec,
        (struct grpc_handler){.on_message = stream_message, .on_done = stream_done, .ctx = a}, &err);
    if (!a->call)
        FAIL("call was refused: %s", err.msg);
}

TEST(grpc_unary_calls_run_side_by_side_and_end_in_any_order)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    http_pair_run(&s.p);
    enum { COUNT = 200 };
    static struct answer a[COUNT];
    for (int i = 0; i < COUNT; i++) {
        buf_init(&a[i].text, 1000);
        char text[20];
        snprintf(text, sizeof text, "message %d", i);
        call_unary(&s, &a[i], i % 3 ? S("/t/Echo") : S("/t/Later"), str_from_c(text));
    }
    http_pair_run(&s.p);
    for (int i = 0; i < COUNT; i++) {
        char want[30];
        snprintf(want, sizeof want, "OK message %d", i);
        CHECK_STR(buf_str(&a[i].text), i % 3 ? str_from_c(want) : S(""));
    }
    server_wake(&s.server);
    http_pair_run(&s.p);
    for (int i = 0; i < COUNT; i += 3)
        CHECK_STR(buf_str(&a[i].text), "OK woken");
    CHECK_EQ(http_conn_exchange_count(s.p.client), 0);
    CHECK_EQ(http_conn_exchange_count(s.p.server), 0);
    CHECK_STR(buf_str(&s.p.errors), "");
    for (int i = 0; i < COUNT; i++)
        buf_done(&a[i].text);
}

TEST(grpc_messages_of_every_size_come_whole)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    static char large[3000000];
    size_t sizes[] = {0, 1, 5, 100, 16379, 16384, 65535, 300000, sizeof large};
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7 + i / 1000);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        call_unary(&s, &s.a, S("/t/Echo"), str_of(large, sizes[i]));
        http_pair_run(&s.p);
        CHECK(s.a.is_done);
        CHECK_EQ(s.a.size, sizes[i]);
        s.a.is_done = false;
    }
    call_stream(&s, &s.a, S("/t/Chat"));
    size_t total = 0, count = 0;
    s.a.size = 0;
    for (int i = 0; i < 300; i++) {
        size_t n = http_pair_random(&s.p, 8) ? http_pair_random(&s.p, 300) : http_pair_random(&s.p, 400000);
        grpc_send(s.a.call, str_of(large, n));
        total += n;
        count++;
        if (http_pair_random(&s.p, 3) == 0)
            http_pair_step(&s.p);
    }
    grpc_send_end(s.a.call);
    http_pair_run(&s.p);
    CHECK(s.a.is_done);
    CHECK_EQ(s.a.message_count, count);
    CHECK_EQ(s.a.size, total);
}

TEST(grpc_streams_of_each_kind_end_with_their_status)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    call_stream(&s, &s.a, S("/t/Chat"));
    grpc_send(s.a.call, S("one"));
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.a.text), "one\n");
    grpc_send(s.a.call, S(""));
    grpc_send(s.a.call, S("three"));
    http_pair_run(&s.p);
    grpc_send_end(s.a.call);
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.a.text), "one\n\nthree\nOK ");

    buf_clear(&s.a.text);
    s.a.is_done = false;
    call_stream(&s, &s.a, S("/t/Sum"));
    for (int i = 0; i < 1000; i++)
        grpc_send_ref(s.a.call, str_of(thousand, sizeof thousand), NULL, NULL);
    grpc_send_end(s.a.call);
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.a.text), "1000000\nOK ");

    buf_clear(&s.a.text);
    s.a = (struct answer){.text = s.a.text};
    call_stream(&s, &s.a, S("/t/Count/5000"));
    grpc_send_end(s.a.call);
    http_pair_run(&s.p);
    CHECK_EQ(s.a.message_count, 5000);
    CHECK(s.a.is_done);
}

TEST(grpc_status_and_message_arrive_as_they_were_given)
{
    for (int code = 0; code <= 20; code++) {
        CLEANUP(scene_done) struct scene s;
        scene_init(&s);
        char path[30];
        snprintf(path, sizeof path, "/t/Fail/%d", code);
        call_stream(&s, &s.a, str_from_c(path));
        grpc_send(s.a.call, S("x"));
        grpc_send_end(s.a.call);
        http_pair_run(&s.p);
        char want[100];
        snprintf(want, sizeof want, "%s  100%% \"bad\":\n\xc3\xa4 ", grpc_code_name(code));
        if (code)
            CHECK_STR(buf_str(&s.a.text), str_from_c(want));
        else
            CHECK_STR(buf_str(&s.a.text), "OK ");
    }
    struct grpc_status status = {.code = 5, .message = S("no such pod")};
    CHECK_ERR(NOT_FOUND, "no such pod (NOT_FOUND)", grpc_status_check(&status, &e));
    status.code = 0;
    CHECK_OK(grpc_status_check(&status, &e));
    status.code = 99;
    CHECK_ERR(INTERNAL, "(UNKNOWN)", grpc_status_check(&status, &e));
}

TEST(grpc_codes_and_errors_translate_both_ways)
{
    for (int code = 0; code <= 16; code++) {
        int back = (int)grpc_code_of_err(grpc_code_to_err(code));
        CHECK_EQ(grpc_code_to_err(back), grpc_code_to_err(code));
        CHECK_STR(grpc_code_name(code), grpc_code_name(code));
    }
    CHECK_EQ(grpc_code_of_err(ERR_EXPIRED), GRPC_OUT_OF_RANGE);
    CHECK_EQ(grpc_code_of_err(ERR_AGAIN), GRPC_UNAVAILABLE);
    CHECK_STR(grpc_code_name(GRPC_DEADLINE_EXCEEDED), "DEADLINE_EXCEEDED");
    CHECK_STR(grpc_code_name(17), "UNKNOWN");
}

TEST(grpc_timeouts_arrive_rounded_up_at_most)
{
    static const int64_t waits[] = {
        1,           999,           99999999,       100000000,        1500000000,
        60000000001, 3600000000000, 86400000000000, 1000000000000000, 100000000000000000,
        INT64_MAX};
    for (size_t i = 0; i < ARRAY_COUNT(waits); i++) {
        CLEANUP(scene_done) struct scene s;
        scene_init(&s);
        struct err err = ERR_INIT;
        struct grpc_spec spec = {.path = S("/t/Echo"), .timeout_ns = waits[i]};
        CHECK(grpc_unary(s.p.client, &spec, S("x"), answer_done, &s.a, &err));
        http_pair_run(&s.p);
        CHECK_GE(s.server.timeout_ns, waits[i]);
        CHECK_LE((double)s.server.timeout_ns, (double)waits[i] * 1.0001);
    }
}

TEST(grpc_reader_that_does_not_consume_stops_the_writer)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    s.a.is_lazy = true;
    call_stream(&s, &s.a, S("/t/Count/100000"));
    grpc_send_end(s.a.call);
    http_pair_run(&s.p);
    CHECK_LE(s.a.size, 256 * 1024);
    CHECK_GT(s.a.size, 250 * 1000);
    /* The connection is free for others meanwhile. */
    struct answer other = {0};
    buf_init(&other.text, 1000);
    call_unary(&s, &other, S("/t/Echo"), S("hello"));
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&other.text), "OK hello");
    buf_done(&other.text);
    while (!s.a.is_done) {
        size_t had = s.a.size;
        grpc_consumed(s.a.call, 1 << 20);
        http_pair_run(&s.p);
        CHECK_GT(s.a.size, had - 1);
        CHECK_LE(s.a.size, had + 600 * 1024);
    }
    CHECK_EQ(s.a.size, 100000 * 1000);
}

TEST(grpc_server_that_does_not_consume_stops_the_client)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    call_stream(&s, &s.a, S("/t/Lazy"));
    for (int i = 0; i < 1000; i++)
        grpc_send(s.a.call, str_of(thousand, sizeof thousand));
    http_pair_run(&s.p);
    CHECK_LE(s.server.lazy_size, 65535);
    CHECK_GT(grpc_queued(s.a.call), 900000);
    grpc_consumed(s.server.waiting[0], s.server.lazy_size);
    http_pair_run(&s.p);
    CHECK_GT(s.server.lazy_size, 65535);
    grpc_call_free(s.a.call);
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.server.done), "CANCELLED: the stream was reset: CANCEL\n");
}

TEST(grpc_call_given_up_is_heard_of_by_the_server)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    call_unary(&s, &s.a, S("/t/Later"), S("x"));
    http_pair_run(&s.p);
    CHECK_EQ(s.server.waiting_count, 1);
    grpc_call_free(s.a.call);
    http_pair_run(&s.p);
    CHECK_EQ(s.server.gone, 1);
    CHECK_EQ(s.server.waiting_count, 0);
    CHECK(!s.a.is_done);
    call_stream(&s, &s.a, S("/t/Chat"));
    s.a.frees_at = "message";
    grpc_send(s.a.call, S("one"));
    grpc_send(s.a.call, S("two"));
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.a.text), "one\n");
    CHECK_STR(buf_str(&s.server.done), "CANCELLED: the stream was reset: CANCEL\n");
    CHECK_EQ(http_conn_exchange_count(s.p.client), 0);
}

TEST(grpc_calls_end_unavailable_with_their_connection)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    call_unary(&s, &s.a, S("/t/Later"), S("x"));
    http_pair_run(&s.p);
    struct err err = ERR_INIT;
    CHECK_EQ(http_conn_feed_end(s.p.client, &err), ERR_CLOSED);
    CHECK_STR(buf_str(&s.a.text), "UNAVAILABLE the peer closed the connection");
    CHECK(!s.a.is_unprocessed);
    CHECK_EQ(http_conn_feed_end(s.p.server, &err), ERR_CLOSED);
    CHECK_EQ(s.server.gone, 1);
    CHECK(
        !grpc_unary(s.p.client, &(struct grpc_spec){.path = S("/t/Echo")}, S("x"), answer_done, &s.a, &err));
    CHECK_EQ(err.code, ERR_CLOSED);
}

TEST(grpc_unknown_method_is_unimplemented)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    call_unary(&s, &s.a, S("/t/None"), S("x"));
    http_pair_run(&s.p);
    CHECK_STR(buf_str(&s.a.text), "UNIMPLEMENTED no such method");
}

/* Each piece of `text` is a message prefix and content already. */
static void http_call(struct scene *s, struct http_watch *w, str method, struct http_header *fields,
                      size_t count, str body)
{
    struct http_head head = {.method = method,
                             .target = S("/t/Echo"),
                             .headers = fields,
                             .header_count = count,
                             .content_length = -1};
    struct err err = ERR_INIT;
    http_watch_init(w);
    w->x = http_request(s->p.client, &head, false, http_watch_handler(w), &err);
    CHECK(w->x);
    http_send_body(w->x, body);
    http_send_end(w->x, NULL, 0);
    http_pair_run(&s->p);
}

TEST(grpc_server_refuses_what_is_no_sound_call)
{
    static const struct {
        const char *name, *method, *type, *extra, *extra_value;
        str body;
        const char *answer;
    } cases[] = {
        {"no type", "POST", "text/plain", "a", "b", S_INIT("x"), "head 415"},
        {"type that only begins alike", "POST", "application/grpcweb", "a", "b", S_INIT("x"), "head 415"},
        {"method", "PUT", "application/grpc", "a", "b", S_INIT("x"), "head 405"},
        {"timeout", "POST", "application/grpc", "grpc-timeout", "5x", S_INIT(""),
         "grpc-status=13 grpc-message=malformed grpc-timeout"},
        {"timeout too long", "POST", "application/grpc", "grpc-timeout", "123456789S", S_INIT(""),
         "grpc-status=13"},
        {"compressed", "POST", "application/grpc", "grpc-encoding", "gzip", S_INIT("\1\0\0\0\1x"),
         "grpc-status=12 grpc-message=compression 'gzip' is not supported"},
        {"compressed by surprise", "POST", "application/grpc", "a", "b", S_INIT("\1\0\0\0\1x"),
         "grpc-status=13"},
        {"flag", "POST", "application/grpc", "a", "b", S_INIT("\2\0\0\0\1x"),
         "grpc-status=13 grpc-message=invalid message flag 2"},
        {"too large", "POST", "application/grpc", "a", "b", S_INIT("\0\1\0\0\0x"),
         "grpc-status=8 grpc-message=received a message of 16777216 bytes, larger than 4194304"},
        {"cut short", "POST", "application/grpc", "a", "b", S_INIT("\0\0\0\0\2x"),
         "grpc-status=13 grpc-message=the request ended inside a message"},
        {"cut in the prefix", "POST", "application/grpc", "a", "b", S_INIT("\0\0\0"),
         "ended inside a message"},
        {"two", "POST", "application/grpc+proto", "a", "b", S_INIT("\0\0\0\0\1x\0\0\0\0\1y"),
         "grpc-status=13 grpc-message=a unary call got more than one message"},
        {"none", "POST", "application/grpc;x", "a", "b", S_INIT(""),
         "grpc-status=13 grpc-message=a unary call got no message"},
        {"fine", "POST", "application/grpc+proto", "grpc-encoding", "gzip", S_INIT("\0\0\0\0\1x"),
         "head 200 content-type=application/grpc\nend grpc-status=0\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(scene_done) struct scene s;
        scene_init(&s);
        struct http_watch w;
        struct http_header fields[] = {{S("content-type"), str_from_c(cases[i].type)},
                                       {str_from_c(cases[i].extra), str_from_c(cases[i].extra_value)}};
        http_call(&s, &w, str_from_c(cases[i].method), fields, 2, cases[i].body);
        if (!str_contains(buf_str(&w.text), str_from_c(cases[i].answer)))
            FAIL("%s: got %" STR_FMT, cases[i].name, STR_ARG(buf_str(&w.text)));
        CHECK_EQ(http_conn_exchange_count(s.p.server), 0);
        http_watch_done(&w);
    }
}

/* A server of plain HTTP, to answer as no gRPC server should: `fields` is "name=value name=value", '+' for a space. */
struct odd {
    int status;
    const char *fields, *trailers;
    str body;
};

static size_t odd_fields(struct arena *a, const char *text, struct http_header *h)
{
    str rest = text ? str_from_c(text) : STR_NONE, pair;
    size_t n = 0;
    while (str_next(&rest, ' ', &pair)) {
        str value;
        str_cut(pair, '=', &h[n].name, &value);
        char *p = arena_dup(a, value.p, value.n, 1);
        for (size_t i = 0; i < value.n; i++)
            p[i] = p[i] == '+' ? ' ' : p[i];
        h[n++].value = str_of(p, value.n);
    }
    return n;
}

static void odd_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    const struct odd *o = ctx;
    struct http_header h[8];
    struct arena *a = http_exchange_arena(x);
    struct http_head answer = {.status = o->status, .content_length = -1, .headers = h};
    answer.header_count = odd_fields(a, o->fields, h);
    CHECK_OK(http_send_head(x, &answer, !o->trailers && !o->body.n, &e));
    http_send_body(x, o->body);
    http_send_end(x, h, odd_fields(a, o->trailers, h));
    http_exchange_free(x);
}

#define GRPC "content-type=application/grpc"

TEST(grpc_client_makes_a_status_of_whatever_it_gets)
{
    static const struct {
        struct odd odd;
        const char *want;
    } cases[] = {
        {{200, GRPC " grpc-status=5 grpc-message=a%20b%2", NULL, S_INIT("")}, "NOT_FOUND a b%2"},
        {{200, GRPC, "grpc-status=0", S_INIT("\0\0\0\0\1x")}, "OK x"},
        {{200, GRPC, "grpc-status=7", S_INIT("\0\0\0\0\1x")}, "PERMISSION_DENIED "},
        {{200, GRPC, "grpc-status=0", S_INIT("")}, "INTERNAL the answer has no message"},
        {{200, GRPC, "grpc-status=0", S_INIT("\0\0\0\0\1x\0\0\0\0\0")},
         "INTERNAL a unary call got more than one message"},
        {{200, GRPC, "grpc-status=0", S_INIT("\0\0\0\0\2x")}, "INTERNAL the answer ended inside a message"},
        {{200, GRPC, "a=b", S_INIT("\0\0\0\0\1x")}, "INTERNAL the server ended its answer without a status"},
        {{200, GRPC, NULL, S_INIT("\0\0\0\0\1x")}, "INTERNAL the server ended its answer without a status"},
        {{200, GRPC, NULL, S_INIT("")}, "INTERNAL the server ended its answer without a status"},
        {{200, GRPC, "grpc-status=x", S_INIT("")}, "UNKNOWN malformed grpc-status 'x'"},
        {{200, GRPC, "grpc-status=77", S_INIT("")}, "UNKNOWN "},
        {{200, GRPC, "grpc-status=99999999999", S_INIT("")}, "UNKNOWN malformed"},
        {{200, GRPC, "grpc-status=0", S_INIT("\1\0\0\0\1x")},
         "INTERNAL a message claims to be compressed and its stream does not"},
        {{200, GRPC " grpc-encoding=gzip", "grpc-status=0", S_INIT("\1\0\0\0\1x")},
         "INTERNAL compression 'gzip' is not supported"},
        {{200, GRPC, "grpc-status=0", S_INIT("\0\377\0\0\0x")},
         "RESOURCE_EXHAUSTED received a message of 4278190080"},
        {{200, "content-type=text/html", NULL, S_INIT("<html>")},
         "UNKNOWN the server answered status 200 with 'text/html', not gRPC"},
        {{503, "content-type=text/plain", NULL, S_INIT("busy")},
         "UNAVAILABLE the server answered status 503 with 'text/plain', not gRPC"},
        {{404, "a=b", NULL, S_INIT("")}, "UNIMPLEMENTED the server answered status 404 with '', not gRPC"},
        {{401, "a=b", NULL, S_INIT("")}, "UNAUTHENTICATED"},
        {{403, GRPC, NULL, S_INIT("")}, "PERMISSION_DENIED"},
        {{418, "a=b", NULL, S_INIT("")}, "UNKNOWN"},
        {{503, "grpc-status=8 grpc-message=full", NULL, S_INIT("")}, "RESOURCE_EXHAUSTED full"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct http_pair p;
        struct odd odd = cases[i].odd;
        http_pair_init(&p, HTTP_2, NULL, NULL, (struct http_handler){.on_head = odd_head, .ctx = &odd});
        struct answer a = {0};
        buf_init(&a.text, 10000);
        struct err err = ERR_INIT;
        CHECK(grpc_unary(p.client, &(struct grpc_spec){.path = S("/a/B")}, S("x"), answer_done, &a, &err));
        http_pair_run(&p);
        if (!str_starts(buf_str(&a.text), str_from_c(cases[i].want)))
            FAIL("case %zu: got '%" STR_FMT "', want '%s'", i, STR_ARG(buf_str(&a.text)), cases[i].want);
        CHECK_EQ(http_conn_exchange_count(p.client), 0);
        buf_done(&a.text);
        http_pair_done(&p);
    }
}

TEST(grpc_call_the_server_did_not_look_at_can_be_made_again)
{
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    http_pair_run(&s.p);
    call_unary(&s, &s.a, S("/t/Echo"), S("x"));
    http_take(s.p.client, NULL); /* lost; the server leaves without having seen it */
    size_t used;
    CHECK_OK(http_conn_feed(s.p.client, S("\0\0\10\7\0\0\0\0\0\0\0\0\0\0\0\0\0"), &used, &e));
    CHECK(s.a.is_done);
    CHECK(s.a.is_unprocessed);
    CHECK_CONTAINS(buf_str(&s.a.text), "UNAVAILABLE the peer has not looked at the request");
}

TEST(grpc_steady_unary_call_makes_few_heap_calls)
{
    if (test_is_sanitized())
        test_skip("counts heap calls, which are more there");
    CLEANUP(scene_done) struct scene s;
    scene_init(&s);
    uint64_t before = 0;
    for (int i = 0; i < 101; i++) {
        if (i == 1)
            before = mem_thread_allocs();
        call_unary(&s, &s.a, S("/t/Echo"), S("hello"));
        for (int way = 0; way < 2; way++) {
            http_carry(s.p.client, s.p.server);
            http_carry(s.p.server, s.p.client);
        }
        CHECK_STR(buf_str(&s.a.text), "OK hello");
        buf_clear(&s.a.text);
        s.a.is_done = false;
    }
    CHECK_LE((mem_thread_allocs() - before) / 100, 22);
}
