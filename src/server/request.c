/* request.c - how a request moves through its stages, and how it is answered. */
#include "server/request.h"
#include "server/server_priv.h"
#include "server/stages.h"
#include "sys/env.h"
#include "wire/yaml.h"

static const struct {
    const char *name;
    stage_fn *run;
} stages[] = {
    {"authenticate", stage_authenticate}, /* who? */
    {"route", stage_route},               /* what? */
    {"authorize", stage_authorize},       /* may he? */
    {"body", stage_body},                 /* all of it here? */
    {"act", stage_act},                   /* do it and answer */
};

/* --- the way through --- */

static void request_free(struct request *r)
{
    struct http_exchange *x = r->x;
    connection_request_ended(r->conn);
    buf_done(&r->body);
    snapshot_unref(r->read.snapshot);
    http_exchange_free(x); /* and with it the arena, what it holds, and the request */
}

static void abandon(struct request *r)
{
    if (r->on_gone)
        r->on_gone(r);
    request_free(r);
}

static void on_gone(struct request *r)
{
    r->gone = true;
    if (r->wait != WAIT_BODY && r->wait != WAIT_ROOM)
        return;
    r->wait =
        WAIT_RESUME; /* later: whoever is sending right now goes through a list that this one may be on */
    request_resume(r);
}

static void request_run(struct request *r)
{
    r->in_loop = true;
    while (r->stage < ARRAY_COUNT(stages)) {
        r->wait = WAIT_NOT;
        switch (stages[r->stage].run(r)) {
        case STAGE_NEXT:
            r->stage++;
            if (r->server->opts.wait_between_stages && r->stage < ARRAY_COUNT(stages)) {
                r->wait = WAIT_RESUME;
                loop_defer(r->home->loop, &r->resume);
                r->in_loop = false;
                return;
            }
            break;
        case STAGE_WAIT:
            ASSERT(r->wait != WAIT_NOT);
            r->in_loop = false;
            if (r->gone)
                on_gone(r);
            return;
        case STAGE_DONE: r->stage = ARRAY_COUNT(stages); break;
        }
        if (r->gone)
            r->stage = ARRAY_COUNT(stages);
    }
    if (r->gone && !r->answered)
        abandon(r);
    else
        request_free(r);
}

static void run_resumed(struct loop_msg *m)
{
    struct request *r = CONTAINER_OF(m, struct request, resume);
    if (r->gone) {
        r->wait = WAIT_NOT;
        abandon(r);
    } else {
        request_run(r);
    }
}

enum stage_result request_wait(struct request *r)
{
    r->wait = WAIT_RESUME;
    return STAGE_WAIT;
}

void request_resume(struct request *r)
{
    loop_assert_owner(r->home->loop);
    loop_defer(r->home->loop, &r->resume);
}

/* --- what the connection says --- */

static void on_body(void *ctx, struct http_exchange *x, str data)
{
    struct request *r = ctx;
    http_consumed(x, data.n);
    if (r->body_is_too_large)
        return;
    if (data.n > r->body_max - r->body.n) {
        r->body_is_too_large = true;
        buf_done(&r->body);
    } else {
        buf_add(&r->body, data);
    }
}

static void body_came(struct request *r)
{
    r->body_is_whole = true;
    if (r->wait == WAIT_BODY)
        request_run(r);
}

static void on_end(void *ctx, struct http_exchange *x, const struct http_header *trailers,
                   size_t trailer_count)
{
    (void)x, (void)trailers, (void)trailer_count;
    body_came(ctx);
}

static void on_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    (void)x, (void)why;
    on_gone(ctx);
}

static void on_room(void *ctx, struct http_exchange *x)
{
    (void)x;
    struct request *r = ctx;
    if (r->wait == WAIT_ROOM && r->on_room)
        r->on_room(r);
}

static void on_half_closed(void *ctx, struct http_exchange *x)
{
    (void)x;
    struct request *r = ctx;
    if (r->wait == WAIT_ROOM) /* a list or a watch nobody waits for */
        on_gone(r);
}

static void on_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct connection *conn = ctx;
    struct arena *a = http_exchange_arena(x);
    struct request *r = ARENA_NEW(a, struct request);
    r->conn = conn;
    r->home = conn->home;
    r->server = conn->home->server;
    r->x = x;
    r->arena = a;
    r->head = *head;
    r->resume.run = run_resumed;
    r->body_max = r->server->opts.body_size_max;
    buf_init(&r->body, r->body_max);
    r->began_mono = loop_now(r->home->loop);
    r->now_wall = env_now_wall(r->server->env);
    r->body_is_whole = end;
    connection_request_began(conn);
    http_exchange_set_handler(x, (struct http_handler){.on_body = on_body,
                                                       .on_end = on_end,
                                                       .on_reset = on_reset,
                                                       .on_room = on_room,
                                                       .on_half_closed = on_half_closed,
                                                       .ctx = r});
    request_run(r);
}

struct http_handler request_handler(struct connection *conn)
{
    return (struct http_handler){.on_head = on_head, .ctx = conn};
}

enum stage_result stage_body(struct request *r)
{
    if (!r->needs_body)
        return STAGE_NEXT;
    if (r->body_is_too_large || r->head.content_length > (int64_t)r->body_max)
        return answer_failure(
            r, status_make(r->arena, ERR_TOO_LARGE, "Request entity too large: limit is %zu", r->body_max));
    if (r->body_is_whole)
        return STAGE_NEXT;
    http_continue(r->x);
    r->wait = WAIT_BODY;
    return STAGE_WAIT;
}

enum stage_result stage_act(struct request *r)
{
    return r->act(r);
}

/* --- answers --- */

void request_warn(struct request *r, str text)
{
    for (size_t i = 0; i < r->warning_count; i++)
        if (str_eq(r->warnings[i], text))
            return;
    if (r->warning_count < REQUEST_WARNINGS_MAX)
        r->warnings[r->warning_count++] = str_dup(r->arena, text);
}

/* `299 - "text"` with quotes, backslashes and control characters made harmless. */
static str warning_header(struct arena *a, str text)
{
    struct buf b;
    buf_init_arena(&b, a, 8192);
    buf_add_lit(&b, "299 - \"");
    for (size_t i = 0; i < text.n && i < 4096; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_add_c(&b, '\\');
        buf_add_c(&b, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
    }
    buf_add_c(&b, '"');
    return buf_str(&b);
}

static void send_head(struct request *r, int code, str content_type, int64_t length, int retry_after_s,
                      bool end)
{
    struct http_header headers[REQUEST_WARNINGS_MAX + 4];
    size_t n = 0;
    headers[n++] = (struct http_header){S("cache-control"), S("no-cache, private")};
    if (content_type.n)
        headers[n++] = (struct http_header){S("content-type"), content_type};
    if (retry_after_s)
        headers[n++] = (struct http_header){S("retry-after"), str_format(r->arena, "%d", retry_after_s)};
    for (size_t i = 0; i < r->warning_count; i++)
        headers[n++] = (struct http_header){S("warning"), warning_header(r->arena, r->warnings[i])};
    struct http_head head = {.status = code, .headers = headers, .header_count = n, .content_length = length};
    struct err err = ERR_INIT;
    if (http_send_head(r->x, &head, end, &err) == ERR_INVALID)
        UNEXPECTED(err.code); /* we made a header that cannot be sent */
    r->answered = true;
}

static enum stage_result answer_whole(struct request *r, int code, str content_type, str body,
                                      int retry_after_s)
{
    send_head(r, code, content_type, (int64_t)body.n, retry_after_s, body.n == 0);
    if (body.n) {
        http_send_body(r->x, body);
        http_send_end(r->x, NULL, 0);
    }
    return STAGE_DONE;
}

enum stage_result answer_bytes(struct request *r, int code, str content_type, str body)
{
    return answer_whole(r, code, content_type, body, 0);
}

enum stage_result answer_text(struct request *r, int code, str text)
{
    return answer_whole(r, code, S("text/plain; charset=utf-8"), text, 0);
}

static enum stage_result answer_document(struct request *r, int code, str json, int retry_after_s)
{
    if (r->accept.type == MEDIA_YAML) {
        struct json tree;
        struct err err = ERR_INIT;
        if (!json_parse(r->arena, json, NULL, &tree, &err)) {
            struct buf out;
            buf_init_arena(&out, r->arena, SIZE_MAX / 2);
            yaml_print(&out, &tree);
            return answer_whole(r, code, S("application/yaml"), buf_str(&out), retry_after_s);
        }
    }
    return answer_whole(r, code, S("application/json"), json, retry_after_s);
}

enum stage_result answer_json(struct request *r, int code, str json)
{
    return answer_document(r, code, json, 0);
}

enum stage_result answer_status(struct request *r, const struct status *st)
{
    struct buf out;
    buf_init_arena(&out, r->arena, 4 << 20);
    status_print(&out, st);
    return answer_document(r, st->code ? st->code : 200, buf_str(&out), st->retry_after_s);
}

enum stage_result answer_failure(struct request *r, struct status st)
{
    return answer_status(r, &st);
}

enum stage_result answer_err(struct request *r, const struct err *err)
{
    return answer_failure(r, status_of_err(r->arena, err));
}

void answer_begin(struct request *r, int code, str content_type)
{
    send_head(r, code, content_type, -1, 0, false);
}

bool answer_piece(struct request *r, str bytes)
{
    http_send_body(r->x, bytes);
    return http_queued(r->x) < SEND_QUEUE_MAX;
}

enum stage_result answer_later(struct request *r)
{
    r->wait = WAIT_ROOM;
    return STAGE_WAIT;
}

enum stage_result answer_end(struct request *r)
{
    http_send_end(r->x, NULL, 0);
    if (!r->in_loop) {
        r->wait = WAIT_NOT;
        request_free(r);
    }
    return STAGE_DONE;
}
