/* Whatever a peer sends: events come in their order, what is said are whole frames, memory comes back, and how the bytes
 * were cut changes nothing of what an exchange sees. */
#include "base/mem.h"
#include "harness/test.h"
#include "wire/http_pair_test.h"

enum { SEEN_MAX = 64 };

struct seen {
    struct run *run;
    struct http_exchange *x;
    struct buf text; /* head, body bytes, end, reset */
    enum { SEEN_NOTHING, SEEN_HEAD, SEEN_END, SEEN_RESET } state;
    char what; /* it does: the first letter of the path, or of the status */
};

struct run {
    struct http_conn *c;
    struct seen seen[SEEN_MAX];
    size_t seen_count;
    struct buf said;
    /* Whether a fault ends the connection may depend on the cuts: on what was answered before it came. */
    bool failed;
    bool ended_early; /* with bytes still to come */
};

static struct http_handler handler(struct seen *s);

static void act(struct seen *s, struct http_exchange *x, char event)
{
    if (s->what == event && s->x) {
        s->x = NULL;
        http_exchange_free(x);
    }
}

static void fuzz_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct seen *s = ctx;
    CHECK_EQ(s->state, SEEN_NOTHING);
    if (!head->status || head->status >= 200)
        s->state = end ? SEEN_END : SEEN_HEAD;
    CHECK(head->status || head->target.n > 0);
    buf_add_f(&s->text, "%" STR_FMT " %" STR_FMT " %d %lld %d\n", STR_ARG(head->method),
              STR_ARG(head->target), head->status, (long long)head->content_length, end);
    for (size_t i = 0; i < head->header_count; i++)
        buf_add_f(&s->text, "%" STR_FMT ": %" STR_FMT "\n", STR_ARG(head->headers[i].name),
                  STR_ARG(head->headers[i].value));
    if (!head->status) {
        s->what = head->target.n > 1 ? head->target.p[1] : 'e';
        struct http_head answer = {.status = 200, .content_length = -1};
        if (s->what == 'e')
            CHECK_OK(http_send_head(x, &answer, false, &e));
        if (s->what == 'a') {
            CHECK_OK(http_send_head(x, &answer, false, &e));
            http_send_body(x, S("answer"));
            http_send_end(x, NULL, 0);
        }
    }
    act(s, x, 'a');
    act(s, x, 'h');
}

static void fuzz_body(void *ctx, struct http_exchange *x, str data)
{
    struct seen *s = ctx;
    CHECK_EQ(s->state, SEEN_HEAD);
    CHECK_GT(data.n, 0);
    buf_add(&s->text, data);
    if (s->what == 'e')
        http_send_body(x, data);
    if (s->what != 'l')
        http_consumed(x, data.n);
    act(s, x, 'b');
}

static void fuzz_end(void *ctx, struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    struct seen *s = ctx;
    CHECK_EQ(s->state, SEEN_HEAD);
    s->state = SEEN_END;
    buf_add_f(&s->text, "\nend %zu\n", count);
    http_send_end(x, trailers, 0);
    act(s, x, 'n');
}

static void fuzz_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    struct seen *s = ctx;
    CHECK_NE(s->state, SEEN_RESET);
    CHECK_NE(why->code, ERR_NONE);
    s->state = SEEN_RESET;
    /* Not the code: when we find fault with a stream and the peer resets it at the same time, either is told. */
    buf_add_lit(&s->text, "\nreset\n");
    act(s, x, 'r');
}

static struct http_handler handler(struct seen *s)
{
    return (struct http_handler){
        .on_head = fuzz_head, .on_body = fuzz_body, .on_end = fuzz_end, .on_reset = fuzz_reset, .ctx = s};
}

static struct seen *seen_add(struct run *r)
{
    if (r->seen_count == SEEN_MAX)
        return NULL;
    struct seen *s = &r->seen[r->seen_count++];
    *s = (struct seen){.run = r};
    buf_init(&s->text, 1 << 24);
    return s;
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct seen *s = seen_add(ctx);
    if (!s) {
        http_exchange_free(x);
        return;
    }
    s->x = x;
    http_exchange_set_handler(x, handler(s));
    fuzz_head(s, x, head, end);
}

/* Feeds all of it, cut into pieces of `step` (0: whole). */
static void hear(struct run *r, str bytes, size_t step)
{
    while (bytes.n) {
        str piece = str_slice(bytes, 0, step ? step : bytes.n);
        struct err err = ERR_INIT;
        size_t used;
        err_code code = http_conn_feed(r->c, piece, &used, &err);
        CHECK_EQ(code, err.code);
        CHECK_EQ(used, piece.n);
        CHECK(!code || http_conn_is_over(r->c));
        r->failed |= code != ERR_NONE;
        bytes = str_from(bytes, piece.n);
        r->ended_early |= bytes.n && http_conn_is_over(r->c);
    }
}

static void run_end(struct run *r, str skip)
{
    struct err err = ERR_INIT;
    err_ignore(http_conn_feed_end(r->c, &err)); /* fails when something was running: as it should */
    CHECK(http_conn_is_over(r->c));
    http_take(r->c, &r->said);
    str said = buf_str(&r->said);
    CHECK(str_take_prefix(&said, skip));
    struct buf text;
    buf_init(&text, 1 << 28);
    http2_frames_print(&text, said); /* fails on a frame that is not whole */
    CHECK(str_starts(buf_str(&text), S("SETTINGS 0\n")));
    buf_done(&text);
    buf_done(&r->said);
    for (size_t i = 0; i < r->seen_count; i++) {
        CHECK(r->seen[i].state != SEEN_HEAD || !r->seen[i].x);
        http_exchange_free(r->seen[i].x);
        r->seen[i].x = NULL;
    }
    CHECK_EQ(http_conn_exchange_count(r->c), 0);
    http_conn_free(r->c);
}

static void seen_compare(const struct seen *a, const struct seen *b)
{
    str x = buf_str(&a->text), y = buf_str(&b->text);
    if (a->what == 'b') /* how much of a body came before it was freed depends on the cuts */
        return;
    /* So does how much came before a fault was found: a piece that goes beyond its length is not delivered at all. */
    str reset = S("\nreset\n");
    if (str_ends(x, reset) && str_ends(y, reset) && x.n != y.n) {
        x.n -= reset.n;
        y.n -= reset.n;
        size_t both = size_min(x.n, y.n);
        CHECK_STR(str_slice(x, 0, both), str_slice(y, 0, both));
        return;
    }
    CHECK_STR(x, y);
}

static void runs_compare(struct run *a, struct run *b)
{
    if (!a->failed && !b->failed) {
        /* An idle connection whose peer says farewell is over at the end of that piece: what the peer begins after its
         * farewell is served if it came in the same piece, and forgotten else. */
        if (!a->ended_early && !b->ended_early)
            CHECK_EQ(a->seen_count, b->seen_count);
        for (size_t i = 0; i < size_min(a->seen_count, b->seen_count); i++)
            seen_compare(&a->seen[i], &b->seen[i]);
    }
    for (size_t i = 0; i < a->seen_count; i++)
        buf_done(&a->seen[i].text);
    for (size_t i = 0; i < b->seen_count; i++)
        buf_done(&b->seen[i].text);
}

FUZZ(http2_server)
{
    if (!size)
        return;
    size_t step = data[0];
    static const struct http_limits limits = {.head_size_max = 1000, .header_count_max = 20, .window = 3000};
    struct run runs[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct run *r = &runs[i];
        buf_init(&r->said, 1 << 26);
        r->c = http_conn_new_server(HTTP_2, &limits, (struct http_handler){.on_head = on_request, .ctx = r});
        hear(r, S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"), 0);
        hear(r, str_of((const char *)data + 1, size - 1), i ? 0 : step);
        run_end(r, STR_NONE);
    }
    runs_compare(&runs[0], &runs[1]);
}

FUZZ(http2_client)
{
    if (!size)
        return;
    size_t step = data[0];
    static const struct http_limits limits = {.head_size_max = 1000, .header_count_max = 20, .window = 3000};
    struct run runs[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct run *r = &runs[i];
        buf_init(&r->said, 1 << 26);
        r->c = http_conn_new_client(HTTP_2, &limits);
        static const char *const methods[] = {"GET", "POST", "HEAD", "GET", "GET"};
        for (size_t k = 0; k < ARRAY_COUNT(methods); k++) {
            struct seen *s = seen_add(r);
            struct http_head head = {.method = str_from_c(methods[k]),
                                     .target = S("/"),
                                     .authority = S("a"),
                                     .content_length = -1};
            struct err err = ERR_INIT;
            s->what = "elhrb"[k];
            s->x = http_request(r->c, &head, k != 1, handler(s), &err);
            CHECK(s->x);
        }
        static char body[100000];
        http_send_body_ref(r->seen[1].x, str_of(body, sizeof body), NULL, NULL);
        http_take(r->c, &r->said);
        hear(r, str_of((const char *)data + 1, size - 1), i ? 0 : step);
        run_end(r, S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    }
    runs_compare(&runs[0], &runs[1]);
}
