#include "wire/http1_side_test.h"
#include "base/mem.h"
#include "harness/test.h"

static void log_fields(struct side *s, const struct http_header *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_f(&s->log, " [%" STR_FMT "=%" STR_FMT "]", STR_ARG(h[i].name), STR_ARG(h[i].value));
}

static void log_head(struct side *s, const struct http_head *h, bool end)
{
    if (h->status)
        buf_add_f(&s->log, "%d", h->status);
    else
        buf_add_f(&s->log, "%" STR_FMT " %" STR_FMT " at '%" STR_FMT "'", STR_ARG(h->method),
                  STR_ARG(h->target), STR_ARG(h->authority));
    log_fields(s, h->headers, h->header_count);
    if (h->content_length >= 0)
        buf_add_f(&s->log, " length=%lld", (long long)h->content_length);
    if (h->upgrade.n)
        buf_add_f(&s->log, " upgrade=%" STR_FMT, STR_ARG(h->upgrade));
    if (h->scheme.n)
        buf_add_f(&s->log, " scheme=%" STR_FMT, STR_ARG(h->scheme));
    buf_add_f(&s->log, "%s%s\n", h->expect_continue ? " expects" : "", end ? " end" : "");
}

void side_answer(struct side *s, int status, str body)
{
    struct err err = ERR_INIT;
    const struct http_head head = {.status = status, .content_length = (int64_t)body.n};
    if (http_send_head(s->x, &head, false, &err))
        FAIL("could not answer: %s", err.msg);
    http_send_body(s->x, body);
    http_send_end(s->x, NULL, 0);
}

void side_free(struct side *s)
{
    http_exchange_free(s->x);
    s->x = NULL;
}

static void log_body(struct side *s)
{
    if (s->body.n)
        buf_add_f(&s->log, "body '%" STR_FMT "'\n", STR_ARG(buf_str(&s->body)));
}

static void on_head(void *ctx, struct http_exchange *x, const struct http_head *h, bool end)
{
    struct side *s = ctx;
    struct err err = ERR_INIT;
    if (s->x && s->x != x) {
        CHECK(http_exchange_is_over(s->x));
        side_free(s);
    }
    s->x = x;
    s->head_count++;
    buf_clear(&s->body);
    log_head(s, h, end);
    if (h->status)
        return;
    if (s->plan == PLAN_SWITCH && h->upgrade.n && end) {
        if (http_send_head(x, &(struct http_head){.status = 101, .upgrade = h->upgrade}, false, &err))
            FAIL("could not switch: %s", err.msg);
    } else if (s->plan == PLAN_AT_HEAD) {
        side_answer(s, 403, S("no"));
        side_free(s);
    } else if (s->plan == PLAN_KEEP_AT_HEAD) {
        side_answer(s, 403, S("no"));
    } else if (s->plan == PLAN_FREE_AT_HEAD) {
        side_free(s);
    } else if (end && s->plan != PLAN_HOLD) {
        side_answer(s, 200, h->target);
        side_free(s);
    }
}

static void on_body(void *ctx, struct http_exchange *x, str data)
{
    struct side *s = ctx;
    CHECK(x == s->x);
    buf_add(&s->body, data);
    if (!s->is_lazy)
        http_consumed(x, data.n);
    if (s->plan == PLAN_SWITCH)
        http_send_body(x, data);
    if (s->plan == PLAN_FREE_AT_BODY)
        side_free(s);
}

static void on_end(void *ctx, struct http_exchange *x, const struct http_header *trailers, size_t n)
{
    struct side *s = ctx;
    CHECK(x == s->x);
    log_body(s);
    buf_add_lit(&s->log, "end");
    log_fields(s, trailers, n);
    buf_add_lit(&s->log, "\n");
    if (s->plan == PLAN_FREE_AT_END)
        side_free(s);
    if (s->plan == PLAN_ECHO && !http_conn_is_over(s->c) && s->c->is_server) {
        side_answer(s, 200, buf_str(&s->body));
        side_free(s);
    }
}

static void on_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    struct side *s = ctx;
    CHECK(x == s->x);
    CHECK(http_exchange_is_over(x));
    log_body(s);
    buf_add_f(&s->log, "reset %s: %s\n", err_name(why->code), why->msg);
    side_free(s);
}

static void on_room(void *ctx, struct http_exchange *x)
{
    (void)x;
    buf_add_lit(&((struct side *)ctx)->log, "room\n");
}

static void on_half_closed(void *ctx, struct http_exchange *x)
{
    (void)x;
    buf_add_lit(&((struct side *)ctx)->log, "half closed\n");
}

struct http_handler side_handler(struct side *s)
{
    return (struct http_handler){on_head, on_body, on_end, on_reset, on_room, on_half_closed, s};
}

void side_init(struct side *s, bool is_server, enum plan plan, const struct http_limits *limits)
{
    *s = (struct side){.plan = plan};
    buf_init(&s->log, 1 << 20);
    buf_init(&s->body, 1 << 20);
    buf_init(&s->out, 1 << 20);
    s->c = is_server ? http_conn_new_server(HTTP_1_1, limits, side_handler(s))
                     : http_conn_new_client(HTTP_1_1, limits);
}

void side_done(struct side *s)
{
    http_exchange_free(s->x);
    http_conn_free(s->c);
    buf_done(&s->log);
    buf_done(&s->body);
    buf_done(&s->out);
}

/* Writes what there is, `part_max` pieces and `write_max` bytes a time. */
void side_flush_in(struct side *s, size_t part_max, size_t write_max)
{
    str parts[8];
    size_t n;
    while ((n = http_conn_output(s->c, parts, part_max)) != 0) {
        size_t written = 0;
        for (size_t i = 0; i < n; i++) {
            str part = str_slice(parts[i], 0, write_max - written);
            CHECK(parts[i].n > 0);
            buf_add(&s->out, part);
            written += part.n;
        }
        http_conn_written(s->c, written);
    }
}

void side_flush(struct side *s)
{
    side_flush_in(s, 8, SIZE_MAX);
}

/* Feeds a copy of the exact size, so that reading on is seen; true when all was taken. */
bool side_feed_piece(struct side *s, str bytes)
{
    char *copy = mem_dup(bytes.p, bytes.n);
    size_t used = 0;
    err_code code = http_conn_feed(s->c, str_of(copy, bytes.n), &used, &s->err);
    mem_free(copy);
    if (code)
        CHECK_EQ(used, bytes.n);
    CHECK_LE(used, bytes.n);
    s->pending = str_from(bytes, used);
    return used == bytes.n;
}

/* In pieces of `size` bytes (0: whole), writing after each. Stops at what is not taken. */
void side_feed_in(struct side *s, str bytes, size_t size)
{
    while (bytes.n) {
        str piece = str_slice(bytes, 0, size ? size : bytes.n);
        bool taken = side_feed_piece(s, piece);
        bytes = str_from(bytes, piece.n - s->pending.n);
        side_flush_in(s, 1 + size % 8, size ? size : SIZE_MAX);
        if (!taken && !s->pending.n)
            continue;
        if (!taken && !http_conn_wants_input(s->c))
            break;
    }
    s->pending = bytes;
}

void side_feed(struct side *s, const char *bytes)
{
    side_feed_in(s, str_from_c(bytes), 0);
}

/* What was logged and written since the last time. */
void side_expect_log(struct side *s, const char *want)
{
    CHECK_STR(buf_str(&s->log), want);
    buf_clear(&s->log);
}

void side_expect_out(struct side *s, const char *want)
{
    side_flush(s);
    CHECK_STR(buf_str(&s->out), want);
    buf_clear(&s->out);
}

void side_request_full(struct side *s, const struct http_head *head, bool end)
{
    struct err err = ERR_INIT;
    s->x = http_request(s->c, head, end, side_handler(s), &err);
    if (!s->x)
        FAIL("could not request: %s", err.msg);
}

void side_request(struct side *s, const char *method)
{
    side_request_full(
        s,
        &(struct http_head){
            .method = str_from_c(method), .target = S("/"), .authority = S("h"), .content_length = -1},
        true);
}
