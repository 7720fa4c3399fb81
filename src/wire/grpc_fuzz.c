#include <stdio.h>
/* Any body, in any pieces, in either role: the messages seen are those a plain reading gives, up to the first fault. */
#include "harness/test.h"
#include "wire/grpc.h"
#include "wire/http_pair_test.h"

enum { MESSAGE_MAX = 1000 };

struct fuzz_side {
    struct buf seen; /* messages, each after its size */
    bool is_done;
    int code;
    str body; /* what the server answers, in the client's case */
    size_t step;
};

static void seen_add(struct buf *to, str message)
{
    buf_add_f(to, "%zu:", message.n);
    buf_add(to, message);
}

static void fuzz_message(void *ctx, struct grpc_call *call, str message)
{
    struct fuzz_side *f = ctx;
    CHECK(!f->is_done);
    seen_add(&f->seen, message);
    grpc_consumed(call, message.n);
}

static void fuzz_done(void *ctx, struct grpc_call *call, const struct grpc_status *status)
{
    struct fuzz_side *f = ctx;
    CHECK(!f->is_done);
    f->is_done = true;
    f->code = status->code;
    grpc_call_free(call);
}

static void fuzz_end(void *ctx, struct grpc_call *call)
{
    struct fuzz_side *f = ctx;
    f->is_done = true;
    grpc_finish(call, GRPC_OK, STR_NONE);
}

static struct grpc_handler fuzz_handler(struct fuzz_side *f)
{
    return (struct grpc_handler){
        .on_message = fuzz_message, .on_end = fuzz_end, .on_done = fuzz_done, .ctx = f};
}

static void server_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct grpc_call *call = grpc_accept(x, head, end, MESSAGE_MAX);
    CHECK(call);
    grpc_call_set_handler(call, fuzz_handler(ctx));
}

static void send_cut(struct http_exchange *x, str body, size_t step)
{
    while (body.n) {
        str piece = str_slice(body, 0, step ? step : body.n);
        http_send_body(x, piece);
        body = str_from(body, piece.n);
    }
}

static void odd_server_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct fuzz_side *f = ctx;
    struct http_header h[] = {{S("content-type"), S("application/grpc")}};
    struct http_header t[] = {{S("grpc-status"), S("0")}};
    CHECK_OK(http_send_head(
        x, &(struct http_head){.status = 200, .content_length = -1, .headers = h, .header_count = 1}, false,
        &e));
    send_cut(x, f->body, f->step);
    http_send_end(x, t, 1);
    http_exchange_free(x);
}

/* The same by looking at the whole; the status a client comes to. */
static int read_plainly(str body, struct buf *to)
{
    while (body.n) {
        if (body.n < 5)
            return GRPC_INTERNAL;
        const unsigned char *p = (const unsigned char *)body.p;
        uint32_t size = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
        if (p[0])
            return GRPC_INTERNAL;
        if (size > MESSAGE_MAX)
            return GRPC_RESOURCE_EXHAUSTED;
        if (size > body.n - 5)
            return GRPC_INTERNAL;
        seen_add(to, str_slice(body, 5, 5 + size));
        body = str_from(body, 5 + size);
    }
    return GRPC_OK;
}

static void as_server(struct http_pair *p, struct fuzz_side *f)
{
    http_pair_init(p, HTTP_2, NULL, NULL, (struct http_handler){.on_head = server_head, .ctx = f});
    struct http_header h[] = {{S("content-type"), S("application/grpc")}};
    struct http_head head = {
        .method = S("POST"), .target = S("/f/F"), .headers = h, .header_count = 1, .content_length = -1};
    struct http_watch w;
    http_watch_init(&w);
    struct err err = ERR_INIT;
    w.x = http_request(p->client, &head, false, http_watch_handler(&w), &err);
    CHECK(w.x);
    send_cut(w.x, f->body, f->step);
    http_send_end(w.x, NULL, 0);
    http_pair_run(p);
    char want[30];
    snprintf(want, sizeof want, "grpc-status=%d", f->code);
    CHECK_CONTAINS(buf_str(&w.text), want);
    http_watch_done(&w);
}

static void as_client(struct http_pair *p, struct fuzz_side *f)
{
    http_pair_init(p, HTTP_2, NULL, NULL, (struct http_handler){.on_head = odd_server_head, .ctx = f});
    struct err err = ERR_INIT;
    struct grpc_spec spec = {.path = S("/f/F"), .message_size_max = MESSAGE_MAX};
    CHECK(grpc_call_start(p->client, &spec, fuzz_handler(f), &err));
    http_pair_run(p);
}

FUZZ(grpc)
{
    if (!size)
        return;
    struct fuzz_side f = {.body = str_of((const char *)data + 1, size - 1), .step = data[0] >> 1};
    struct buf want;
    buf_init(&f.seen, 1 << 26);
    buf_init(&want, 1 << 26);
    int code = read_plainly(f.body, &want);
    struct http_pair p;
    if (data[0] & 1)
        as_client(&p, &f);
    else
        as_server(&p, &f);
    CHECK(f.is_done);
    CHECK_EQ(f.code, code);
    CHECK_STR(buf_str(&f.seen), buf_str(&want));
    CHECK_EQ(http_conn_exchange_count(p.server), 0);
    http_pair_done(&p);
    buf_done(&f.seen);
    buf_done(&want);
}
