/* HTTP/1.1 from hostile peers. What must hold for any bytes:
 *  - how they are split changes nothing: the owner is told the same, the same goes out;
 *  - a head that was delivered can be sent on, and arrives as it was: nothing in it can split a message.
 * The first byte of an input picks what the owner does, the second how the bytes are split. */
#include "base/mem.h"
#include "harness/test.h"
#include "wire/http1_side_test.h"
#include "wire/http_pair_test.h"

static const struct http_limits tight = {
    .head_size_max = 512,
    .header_count_max = 12,
    .window = 64,
    .exchange_max = 3,
};

/* --- heads sent on --- */

struct seen {
    struct buf text;
    struct http_exchange *x;
};

static void seen_add(struct buf *b, const struct http_head *h, bool end)
{
    buf_clear(b);
    buf_add_f(b, "%d '%" STR_FMT "' '%" STR_FMT "' '%" STR_FMT "' '%" STR_FMT "' %d\n", h->status,
              STR_ARG(h->method), STR_ARG(h->target), STR_ARG(h->authority), STR_ARG(h->upgrade), end);
    for (size_t i = 0; i < h->header_count; i++)
        buf_add_f(b, "'%" STR_FMT "' '%" STR_FMT "'\n", STR_ARG(h->headers[i].name),
                  STR_ARG(h->headers[i].value));
}

static void seen_head(void *ctx, struct http_exchange *x, const struct http_head *h, bool end)
{
    struct seen *s = ctx;
    s->x = x;
    seen_add(&s->text, h, end);
}

/* A request goes to a new server; an answer goes to a new client that asked with `method`. */
static void check_sent_on(const struct http_head *head, bool end, str method)
{
    struct buf want;
    struct seen server_saw = {0}, client_saw = {0};
    buf_init(&want, 1 << 20);
    buf_init(&server_saw.text, 1 << 20);
    buf_init(&client_saw.text, 1 << 20);
    seen_add(&want, head, end);
    struct http_conn *server = http_conn_new_server(
        HTTP_1_1, NULL, (struct http_handler){.on_head = seen_head, .ctx = &server_saw});
    struct http_conn *client = http_conn_new_client(HTTP_1_1, NULL);
    const struct http_head plain = {.method = method, .target = S("/"), .content_length = -1};
    struct err err = ERR_INIT;
    struct http_exchange *x = http_request(client, head->status ? &plain : head, head->status || end,
                                           (struct http_handler){.on_head = seen_head, .ctx = &client_saw},
                                           &err);
    if (!x)
        FAIL("a head that came cannot be sent: %s", err.msg);
    http_carry(client, server);
    if (head->status) {
        CHECK_OK(http_send_head(server_saw.x, head, end, &e));
        http_carry(server, client);
    }
    CHECK_STR(buf_str(head->status ? &client_saw.text : &server_saw.text), buf_str(&want));
    http_exchange_free(x);
    http_exchange_free(server_saw.x);
    http_conn_free(client);
    http_conn_free(server);
    buf_done(&want);
    buf_done(&server_saw.text);
    buf_done(&client_saw.text);
}

/* --- the same bytes, split and whole --- */

struct run {
    struct side side; /* first: the callbacks of the side take the same pointer */
    str method;
};

static void run_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct run *r = ctx;
    if (!head->status || head->status >= 200)
        check_sent_on(head, end, r->method);
    side_handler(&r->side).on_head(ctx, x, head, end);
}

/* Everything is fed and written in steps that follow from `seed`; 0: whole. */
static void run_bytes(struct run *r, str bytes, unsigned seed)
{
    while (bytes.n) {
        size_t size = seed ? size_min(1 + (seed = seed * 1103515245 + 12345) / 65536 % 32, bytes.n) : bytes.n;
        side_feed_piece(&r->side, str_slice(bytes, 0, size));
        size_t taken = size - r->side.pending.n;
        bytes = str_from(bytes, taken);
        side_flush_in(&r->side, seed ? 1 + seed % 5 : 8, seed ? 1 + seed % 17 : SIZE_MAX);
        if (!taken && !http_conn_wants_input(r->side.c))
            break;
    }
    r->side.pending = bytes;
    struct err err = ERR_INIT;
    if (!bytes.n && http_conn_feed_end(r->side.c, &err))
        buf_add_f(&r->side.log, "end: %s\n", err.msg);
    side_flush(&r->side);
}

static void check_same(const struct run *whole, const struct run *split)
{
    CHECK_STR(buf_str(&split->side.log), buf_str(&whole->side.log));
    CHECK_STR(buf_str(&split->side.out), buf_str(&whole->side.out));
    CHECK_STR(split->side.err.msg, whole->side.err.msg);
    CHECK_EQ(split->side.pending.n, whole->side.pending.n);
    CHECK_EQ(http_conn_is_over(split->side.c), http_conn_is_over(whole->side.c));
    CHECK_EQ(http_conn_exchange_count(split->side.c), http_conn_exchange_count(whole->side.c));
}

FUZZ(http1_server)
{
    if (size < 2)
        return;
    struct run runs[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        side_init(&runs[i].side, true, data[0] % PLAN_COUNT, &tight);
        runs[i].side.is_lazy = data[0] & 0x40;
        runs[i].side.c->handler.on_head = run_head;
        run_bytes(&runs[i], str_of((const char *)data + 2, size - 2), i ? 1 + data[1] : 0);
    }
    check_same(&runs[0], &runs[1]);
    side_done(&runs[0].side);
    side_done(&runs[1].side);
}

FUZZ(http1_client)
{
    static const char *const methods[] = {"GET", "HEAD", "POST"};
    if (size < 2)
        return;
    struct run runs[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        struct run *r = &runs[i];
        side_init(&r->side, false, PLAN_HOLD, &tight);
        r->side.is_lazy = data[0] & 0x40;
        r->method = str_from_c(methods[data[0] % ARRAY_COUNT(methods)]);
        const struct http_head head = {
            .method = r->method,
            .target = S("/"),
            .authority = S("h"),
            .content_length = -1,
            .upgrade = data[0] & 0x20 ? S("x") : STR_NONE,
        };
        side_request_full(&r->side, &head, !(data[0] & 0x80));
        struct http_handler handler = side_handler(&r->side);
        handler.on_head = run_head;
        http_exchange_set_handler(r->side.x, handler);
        side_flush(&r->side);
        run_bytes(r, str_of((const char *)data + 2, size - 2), i ? 1 + data[1] : 0);
    }
    check_same(&runs[0], &runs[1]);
    side_done(&runs[0].side);
    side_done(&runs[1].side);
}
