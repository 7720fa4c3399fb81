/* http1.c - HTTP/1.1 (RFC 9112), server and client: one exchange after the other on a connection.
 *
 *     current      the exchange whose bytes come in; `in` says what is expected next
 *     first..last  exchanges with something left to write, in the order of their requests; current is the last of them
 *                  as long as it has something to write
 *
 * An exchange is current until its input is complete and our side was given (http_send_end); then the next may begin,
 * while its answer may still wait to be written. So answers keep their order by themselves, requests are served one at a
 * time as they were sent, and what a pipelining client sends too early stays in the owner's hands (feed takes less).
 *
 * Body bytes are queued as they come; the size line of a chunk is made when they are written: all that waits is one
 * chunk. Answers, heads and trailers are text in the exchange's arena.
 *
 * A connection that has to end goes to IN_OVER and stays there: bytes are then taken and forgotten. */
#include "base/mem.h"
#include "wire/http1_priv.h"

enum {
    HEAD_CAP_FIRST = 1024,
    CHUNK_DIGITS_MAX = 16,
    CHUNK_EXTENSIONS_MAX = 16 * 1024, /* bytes of them in one body: they carry nothing for us */
    INTERIM_MAX = 16,                 /* 1xx heads before an answer */
    FRAME_SIZE = 20,                  /* 16 digits, CR LF */
};

enum in_state {
    IN_START, /* between exchanges */
    IN_HEAD,
    IN_LENGTH, /* body of in_left more bytes */
    IN_CLOSE,  /* body until the end of the connection */
    IN_CHUNK_SIZE,
    IN_CHUNK_EXTENSION,
    IN_CHUNK_SIZE_LF,
    IN_CHUNK,
    IN_CHUNK_CR,
    IN_CHUNK_LF,
    IN_TRAILERS,
    IN_TUNNEL,
    IN_DONE, /* the exchange's input is complete; our side of it is not */
    IN_OVER,
};

enum out_framing { OUT_RAW, OUT_CHUNKED };

struct http1_exchange {
    struct http_exchange base;
    struct http1_exchange *next_out;

    /* Head or trailers as far as they came. */
    char *text;
    size_t text_n, text_cap;
    struct http1_scan scan;
    unsigned interim_count; /* client: 1xx heads that came */

    int minor;         /* the peer's version */
    bool is_reusable;  /* the connection may serve another exchange after this one */
    bool is_delivered; /* the owner knows it */
    bool is_released;  /* ... and gave it up: destroyed when nothing of it is left to be written */
    bool asked_upgrade, asked_head;
    bool is_tunnel;
    bool in_done, out_given;
    bool in_queue; /* first..last */

    /* Output, in this order: head, then chunks (frame, chunk_left bytes of the pieces, CR LF) or plain pieces, tail. */
    enum out_framing framing;
    str head;
    char frame_text[FRAME_SIZE];
    str frame;
    size_t chunk_left;
    unsigned crlf_left; /* after the chunk */
    str tail;
};

struct http1_conn {
    struct http_conn base;
    struct http1_exchange *current, *first, *last;
    unsigned queue_count;
    enum in_state in;
    uint64_t in_left;              /* of the body, or the chunk */
    unsigned digits;               /* of the chunk's size */
    size_t extensions;             /* bytes of chunk extensions so far */
    size_t drain_left;             /* of an unwanted body */
    bool seen_empty_line, seen_cr; /* before the request */
    bool is_draining, input_ended;
    bool is_stalled; /* feed left something */
};

static struct http1_conn *conn_of(struct http_conn *base)
{
    return CONTAINER_OF(base, struct http1_conn, base);
}

static_assert(offsetof(struct http1_conn, base) == 0,
              "so that a const one can be found without a cast of const");
static const struct http1_conn *conn_of_const(const struct http_conn *base)
{
    return (const struct http1_conn *)(const void *)base;
}

static struct http1_exchange *exchange_of(struct http_exchange *base)
{
    return CONTAINER_OF(base, struct http1_exchange, base);
}

/* --- exchanges: begin, end, order --- */

static void queue_add(struct http1_conn *c, struct http1_exchange *x)
{
    x->in_queue = true;
    if (c->last)
        c->last->next_out = x;
    else
        c->first = x;
    c->last = x;
    c->queue_count++;
}

static struct http1_exchange *exchange_begin(struct http1_conn *c, struct http_handler handler)
{
    struct http1_exchange *x = exchange_of(
        http_exchange_new(&c->base, sizeof(struct http1_exchange), handler));
    x->is_reusable = true;
    queue_add(c, x);
    c->current = x;
    c->in = IN_HEAD;
    return x;
}

/* Memory of an exchange nobody needs any more. What the owner never saw needs no owner's word. */
static void exchange_settle(struct http1_conn *c, struct http1_exchange *x)
{
    if (c->current != x && !x->in_queue && (x->is_released || !x->is_delivered))
        http_exchange_destroy(&x->base);
}

static void current_leave(struct http1_conn *c, enum in_state next)
{
    struct http1_exchange *x = c->current;
    c->current = NULL;
    c->in = next;
    if (x)
        exchange_settle(c, x);
}

/* When both sides are through: on to the next. */
static void current_finish(struct http1_conn *c)
{
    struct http1_exchange *x = c->current;
    if (!x || !x->in_done || !x->out_given)
        return;
    x->base.is_over = true;
    c->seen_empty_line = c->seen_cr = false;
    bool goes_on = x->is_reusable && !c->is_draining && !c->input_ended;
    current_leave(c, goes_on ? IN_START : IN_OVER);
}

static bool is_written(const struct http1_exchange *x)
{
    return x->out_given && !x->base.queued && !x->head.n && !x->frame.n && !x->crlf_left && !x->tail.n;
}

static void queue_trim(struct http1_conn *c)
{
    while (c->first && is_written(c->first)) {
        struct http1_exchange *x = c->first;
        c->first = x->next_out;
        if (!c->first)
            c->last = NULL;
        x->next_out = NULL;
        x->in_queue = false;
        c->queue_count--;
        exchange_settle(c, x);
    }
}

/* Nothing more of it is sent, not even what waits. */
static void output_drop(struct http1_exchange *x)
{
    http_pieces_drop(&x->base);
    x->head = x->frame = x->tail = STR_NONE;
    x->chunk_left = 0;
    x->crlf_left = 0;
    x->out_given = true;
    x->base.can_send = false;
}

/* The connection cannot go on, because of what the peer did or did not. Whole answers are still written; a request that
 * has none yet gets one from us; an answer that has begun is cut off, which the peer can tell from its framing. */
static err_code conn_fail(struct http1_conn *c, int status, struct err *err)
{
    struct http1_exchange *x = c->current;
    if (x && !(c->base.is_server && x->out_given)) {
        bool answer = c->base.is_server && !x->base.head_given;
        output_drop(x);
        if (answer)
            x->head = http1_format_refusal(&x->base.arena, status, err->msg, !x->base.drops_body);
        x->base.head_given = true;
    }
    c->in = IN_OVER;
    if (x && x->is_delivered)
        http_exchange_fail(&x->base, err);
    current_leave(c, IN_OVER);
    queue_trim(c);
    return err->code;
}

/* --- input: heads --- */

/* Collects a head (or trailers) out of *in: true when x->text holds all of it. Takes no byte too many. */
static err_code text_take(struct http1_conn *c, struct http1_exchange *x, str *in, bool trailers,
                          bool *ret_whole, struct err *err)
{
    size_t max = c->base.limits.head_size_max;
    size_t had = x->text_n, end;
    size_t take = size_min(in->n, max - had);
    if (!had && http1_scan_end(&x->scan, in->p, take, trailers, &end)) {
        x->text = arena_dup(&x->base.arena, in->p, end, 1);
        x->text_n = end;
        *in = str_from(*in, end);
        *ret_whole = true;
        return ERR_NONE;
    }
    if (take > x->text_cap - had) {
        size_t cap = size_min(size_max(size_max(x->text_cap * 2, HEAD_CAP_FIRST), had + take), max);
        x->text = arena_grow(&x->base.arena, x->text, x->text_cap, cap, 1);
        x->text_cap = cap;
    }
    memcpy(x->text + had, in->p, take);
    *ret_whole = http1_scan_end(&x->scan, x->text, had + take, trailers, &end);
    x->text_n = *ret_whole ? end : had + take;
    *in = str_from(*in, x->text_n - had);
    if (!*ret_whole && x->text_n == max)
        return err_set(err, ERR_TOO_LARGE, "the %s exceed %zu bytes", trailers ? "trailers" : "headers", max);
    return ERR_NONE;
}

static void text_forget(struct http1_exchange *x)
{
    x->text = NULL;
    x->text_n = x->text_cap = 0;
    x->scan = (struct http1_scan){0};
}

/* 414 when it is the first line that does not fit. */
static int too_large_status(const struct http1_exchange *x)
{
    return memchr(x->text, '\n', x->text_n) ? 431 : 414;
}

/* The exchange is finished before the handler hears of it, so that a client may send its next request from there. */
static void input_done(struct http1_conn *c, const struct http_header *trailers, size_t trailer_count)
{
    struct http1_exchange *x = c->current;
    bool tell = !x->base.is_over;
    x->in_done = true;
    c->in = IN_DONE;
    current_finish(c);
    if (tell)
        http_notify_end(&x->base, trailers, trailer_count);
}

static void body_expect(struct http1_conn *c, const struct http1_head *h, bool until_close)
{
    c->in_left = h->is_chunked || until_close ? 0 : (uint64_t)h->head.content_length;
    c->digits = 0;
    c->extensions = 0;
    c->in = h->is_chunked ? IN_CHUNK_SIZE : until_close ? IN_CLOSE : IN_LENGTH;
}

static err_code request_head(struct http1_conn *c, struct http1_exchange *x, struct err *err)
{
    struct http1_head *h = ARENA_NEW(&x->base.arena, struct http1_head);
    err_code code = http1_parse_request(&x->base.arena, &c->base.limits, x->text, x->text_n, x->scan.lines, h,
                                        err);
    x->base.drops_body = str_is(h->head.method, "HEAD");
    if (code)
        return conn_fail(c, h->refuse_status, err);
    text_forget(x);
    x->minor = h->minor;
    x->is_reusable = h->minor == 1 ? !h->says_close : h->says_keep_alive && !h->says_close;
    x->asked_upgrade = h->head.upgrade.n > 0;
    x->is_delivered = true;
    bool end = !h->is_chunked && h->head.content_length <= 0;
    h->head.expect_continue = h->head.expect_continue && !end;
    x->base.wants_continue = h->head.expect_continue;
    if (end) {
        x->in_done = true;
        c->in = IN_DONE;
    } else {
        body_expect(c, h, false);
    }
    http_notify_head(&x->base, &h->head, end);
    return ERR_NONE;
}

static err_code step_start(struct http1_conn *c, str *in, struct err *err)
{
    if (!c->base.is_server) {
        err_set(err, ERR_PROTOCOL, "the server sent something that nobody asked for");
        return conn_fail(c, 0, err);
    }
    if (c->queue_count > c->base.limits.exchange_max)
        return ERR_NONE;
    /* One empty line is passed over: old clients end a body with one that they do not count (RFC 9112, 2.2). */
    char first = in->p[0];
    if (!c->seen_empty_line && first == (c->seen_cr ? '\n' : '\r')) {
        c->seen_empty_line = c->seen_cr;
        c->seen_cr = true;
        *in = str_from(*in, 1);
        return ERR_NONE;
    }
    exchange_begin(c, c->base.handler);
    if ((c->seen_cr && !c->seen_empty_line) || !http_token_lower[(unsigned char)first]) {
        err_set(err, ERR_PROTOCOL, "this is not HTTP/1.1");
        return conn_fail(c, 400, err);
    }
    return ERR_NONE;
}

static err_code client_fail(struct http1_conn *c, struct err *err, err_code code, const char *why)
{
    err_set(err, code, "%s", why);
    return conn_fail(c, 0, err);
}

static err_code response_switch(struct http1_conn *c, struct http1_exchange *x, const struct http1_head *h,
                                struct err *err)
{
    if (!x->asked_upgrade || !x->out_given)
        return client_fail(c, err, ERR_PROTOCOL, "the server changes the protocol, which nobody asked for");
    x->is_tunnel = true;
    x->is_reusable = false;
    x->out_given = false;
    x->framing = OUT_RAW;
    x->base.can_send = true;
    x->base.drops_body = false;
    x->base.send_left = -1;
    c->in = IN_TUNNEL;
    if (!x->in_queue) /* the request was written: it was through with writing until now */
        queue_add(c, x);
    http_notify_head(&x->base, &h->head, false);
    return ERR_NONE;
}

static err_code response_head(struct http1_conn *c, struct http1_exchange *x, struct err *err)
{
    struct http1_head *h = ARENA_NEW(&x->base.arena, struct http1_head);
    if (http1_parse_response(&x->base.arena, &c->base.limits, x->text, x->text_n, x->scan.lines, h, err))
        return conn_fail(c, 0, err);
    text_forget(x);
    int status = h->head.status;
    if (status == 101)
        return response_switch(c, x, h, err);
    if (status < 200) {
        if (++x->interim_count > INTERIM_MAX)
            return client_fail(c, err, ERR_TOO_LARGE, "the server sent too many 1xx heads");
        http_notify_head(&x->base, &h->head, false);
        return ERR_NONE;
    }
    bool no_body = x->asked_head || status == 204 || status == 304;
    bool until_close = !no_body && !h->is_chunked && h->head.content_length < 0;
    /* A body announced where none may be: if it comes nevertheless it must not be read as the next answer. */
    bool stray_body = status == 204 && (h->is_chunked || h->head.content_length > 0);
    bool keeps = h->minor == 1 ? !h->says_close : h->says_keep_alive && !h->says_close;
    x->is_reusable = keeps && !until_close && !stray_body;
    bool end = no_body || (!h->is_chunked && h->head.content_length == 0);
    if (end) {
        x->in_done = true;
        c->in = IN_DONE;
        current_finish(c);
    } else {
        body_expect(c, h, until_close);
    }
    http_notify_head(&x->base, &h->head, end);
    return ERR_NONE;
}

static err_code step_head(struct http1_conn *c, str *in, struct err *err)
{
    struct http1_exchange *x = c->current;
    bool whole;
    if (!c->base.is_server && !x->text_n && in->p[0] != 'H')
        return client_fail(c, err, ERR_PROTOCOL, "the server does not speak HTTP/1.1");
    if (text_take(c, x, in, false, &whole, err))
        return conn_fail(c, too_large_status(x), err);
    if (!whole)
        return ERR_NONE;
    return c->base.is_server ? request_head(c, x, err) : response_head(c, x, err);
}

/* --- input: bodies --- */

/* Takes the next piece of a body, at most `max` bytes. Nothing when the window is full, or when too much came of a body
 * that nobody wants, which ends the connection. */
static str body_take(struct http1_conn *c, str *in, uint64_t max)
{
    struct http1_exchange *x = c->current;
    size_t n = max < in->n ? (size_t)max : in->n;
    if (!x->base.is_over) {
        size_t window = c->base.limits.window;
        n = size_min(n, window - size_min(x->base.unread, window));
    } else if (n > c->drain_left) {
        current_leave(c, IN_OVER);
        return STR_NONE;
    } else {
        c->drain_left -= n;
    }
    if (n)
        x->base.wants_continue = false;
    str part = str_slice(*in, 0, n);
    *in = str_from(*in, n);
    return part;
}

static void body_deliver(struct http1_conn *c, str part)
{
    struct http1_exchange *x = c->current;
    if (!x->base.is_over)
        http_notify_body(&x->base, part);
}

static void step_counted(struct http1_conn *c, str *in)
{
    enum in_state state = c->in;
    str part = body_take(c, in, c->in_left);
    if (!part.n)
        return;
    c->in_left -= part.n;
    if (!c->in_left && state == IN_CHUNK)
        c->in = IN_CHUNK_CR;
    body_deliver(c, part);
    if (c->in == IN_LENGTH && !c->in_left)
        input_done(c, NULL, 0);
}

static void step_uncounted(struct http1_conn *c, str *in)
{
    str part = body_take(c, in, SIZE_MAX);
    if (part.n)
        body_deliver(c, part);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static err_code chunk_fail(struct http1_conn *c, struct err *err, const char *why)
{
    err_set(err, ERR_PROTOCOL, "%s", why);
    return conn_fail(c, 400, err);
}

/* Digits, then a CR or an extension at once: no blanks, no sign. */
static err_code step_chunk_size(struct http1_conn *c, str *in, struct err *err)
{
    while (in->n) {
        char ch = in->p[0];
        *in = str_from(*in, 1);
        int digit = hex_digit(ch);
        if (digit >= 0) {
            if (++c->digits > CHUNK_DIGITS_MAX || c->in_left >> 59)
                return chunk_fail(c, err, "the size of a chunk is too large");
            c->in_left = c->in_left << 4 | (uint64_t)digit;
            continue;
        }
        if (!c->digits || (ch != '\r' && ch != ';'))
            return chunk_fail(c, err, "the size of a chunk is malformed");
        c->in = ch == ';' ? IN_CHUNK_EXTENSION : IN_CHUNK_SIZE_LF;
        return ERR_NONE;
    }
    return ERR_NONE;
}

static err_code step_chunk_extension(struct http1_conn *c, str *in, struct err *err)
{
    size_t n = http_value_prefix(in->p, in->n);
    if (n > CHUNK_EXTENSIONS_MAX - c->extensions)
        return chunk_fail(c, err, "the extensions of chunks are too large");
    c->extensions += n;
    if (n < in->n) {
        if (in->p[n++] != '\r')
            return chunk_fail(c, err, "the extension of a chunk is malformed");
        c->in = IN_CHUNK_SIZE_LF;
    }
    *in = str_from(*in, n);
    return ERR_NONE;
}

/* The three single bytes between sizes and data. */
static err_code step_chunk_line(struct http1_conn *c, str *in, struct err *err)
{
    char want = c->in == IN_CHUNK_CR ? '\r' : '\n';
    if (in->p[0] != want)
        return chunk_fail(c, err, "a chunk does not end with CR LF");
    *in = str_from(*in, 1);
    if (c->in == IN_CHUNK_CR) {
        c->in = IN_CHUNK_LF;
    } else if (c->in == IN_CHUNK_LF) {
        c->digits = 0;
        c->in = IN_CHUNK_SIZE;
    } else {
        c->in = c->in_left ? IN_CHUNK : IN_TRAILERS;
    }
    return ERR_NONE;
}

static err_code step_trailers(struct http1_conn *c, str *in, struct err *err)
{
    struct http1_exchange *x = c->current;
    bool whole;
    if (text_take(c, x, in, true, &whole, err))
        return conn_fail(c, 431, err);
    if (!whole)
        return ERR_NONE;
    const struct http_header *trailers;
    size_t count;
    if (http1_parse_trailers(&x->base.arena, &c->base.limits, x->text, x->text_n, x->scan.lines, &trailers,
                             &count, err))
        return conn_fail(c, err->code == ERR_TOO_LARGE ? 431 : 400, err);
    text_forget(x);
    input_done(c, trailers, count);
    return ERR_NONE;
}

static err_code step(struct http1_conn *c, str *in, struct err *err)
{
    switch (c->in) {
    case IN_START: return step_start(c, in, err);
    case IN_HEAD: return step_head(c, in, err);
    case IN_LENGTH:
    case IN_CHUNK: step_counted(c, in); return ERR_NONE;
    case IN_CLOSE:
    case IN_TUNNEL: step_uncounted(c, in); return ERR_NONE;
    case IN_CHUNK_SIZE: return step_chunk_size(c, in, err);
    case IN_CHUNK_EXTENSION: return step_chunk_extension(c, in, err);
    case IN_CHUNK_SIZE_LF:
    case IN_CHUNK_CR:
    case IN_CHUNK_LF: return step_chunk_line(c, in, err);
    case IN_TRAILERS: return step_trailers(c, in, err);
    case IN_DONE:
        if (c->base.is_server)
            return ERR_NONE;
        return client_fail(c, err, ERR_PROTOCOL, "the server sent something behind its answer");
    case IN_OVER: *in = STR_NONE; return ERR_NONE;
    }
    return ERR_NONE;
}

static err_code h1_feed(struct http_conn *base, str bytes, size_t *ret_used, struct err *err)
{
    struct http1_conn *c = conn_of(base);
    str in = bytes;
    while (in.n) {
        size_t left = in.n;
        enum in_state state = c->in;
        err_code code = step(c, &in, err);
        if (code) {
            *ret_used = bytes.n;
            return code;
        }
        if (in.n == left && c->in == state)
            break;
    }
    c->is_stalled = in.n > 0;
    *ret_used = bytes.n - in.n;
    return ERR_NONE;
}

/* --- the peer's end, our end --- */

static err_code h1_feed_end(struct http_conn *base, struct err *err)
{
    struct http1_conn *c = conn_of(base);
    if (c->input_ended)
        return ERR_NONE;
    c->input_ended = true;
    struct http1_exchange *x = c->current;
    switch (c->in) {
    case IN_START: c->in = IN_OVER; return ERR_NONE;
    case IN_OVER: return ERR_NONE;
    case IN_CLOSE:
    case IN_TUNNEL: input_done(c, NULL, 0); return ERR_NONE;
    case IN_DONE:
        if (!c->base.is_server)
            break;
        http_notify_half_closed(&x->base);
        return ERR_NONE;
    case IN_HEAD:
    case IN_LENGTH:
    case IN_CHUNK_SIZE:
    case IN_CHUNK_EXTENSION:
    case IN_CHUNK_SIZE_LF:
    case IN_CHUNK:
    case IN_CHUNK_CR:
    case IN_CHUNK_LF:
    case IN_TRAILERS: break;
    }
    bool nothing_came = c->in == IN_HEAD && !x->text_n && !x->interim_count;
    err_set(err, ERR_CLOSED, "the peer closed the connection %s",
            nothing_came        ? "without an answer"
            : c->base.is_server ? "within a request"
                                : "within an answer");
    x->base.head_given = true; /* nobody is there to read a refusal */
    return conn_fail(c, 0, err);
}

static void h1_lost(struct http_conn *base, const struct err *why)
{
    struct http1_conn *c = conn_of(base);
    struct err err = *why;
    c->input_ended = true;
    if (c->current)
        c->current->base.head_given = true; /* nobody is there to read a refusal */
    err_ignore(conn_fail(c, 0, &err));      /* it returns what we gave it */
}

static void h1_drain(struct http_conn *base)
{
    struct http1_conn *c = conn_of(base);
    c->is_draining = true;
    if (c->in == IN_START)
        c->in = IN_OVER;
}

static void h1_time_out(struct http_conn *base)
{
    struct http1_conn *c = conn_of(base);
    h1_drain(base);
    if (!c->current || c->in == IN_TUNNEL || (c->base.is_server && c->in == IN_DONE))
        return;
    struct err err = ERR_INIT;
    err_set(&err, ERR_TIMEOUT, "the %s took too long", c->base.is_server ? "request" : "answer");
    err_ignore(conn_fail(c, 408, &err)); /* told to whom it concerns */
}

static bool h1_is_in_head(const struct http_conn *base)
{
    return base->is_server && conn_of_const(base)->in == IN_HEAD;
}

static bool h1_is_over(const struct http_conn *base)
{
    return conn_of_const(base)->in == IN_OVER;
}

static bool h1_output_ended(const struct http_conn *base)
{
    const struct http1_conn *c = conn_of_const(base);
    const struct http1_exchange *x = c->current;
    return c->in == IN_OVER || (x && x->out_given &&
                                (x->is_tunnel || (c->base.is_server && (!x->is_reusable || c->is_draining))));
}

static bool h1_wants_input(const struct http_conn *base)
{
    const struct http1_conn *c = conn_of_const(base);
    if (c->input_ended)
        return false;
    switch (c->in) {
    case IN_START: return c->queue_count <= c->base.limits.exchange_max || !c->is_stalled;
    case IN_DONE: return !c->is_stalled;
    case IN_LENGTH:
    case IN_CLOSE:
    case IN_CHUNK:
    case IN_TUNNEL: return c->current->base.is_over || c->current->base.unread < c->base.limits.window;
    case IN_HEAD:
    case IN_CHUNK_SIZE:
    case IN_CHUNK_EXTENSION:
    case IN_CHUNK_SIZE_LF:
    case IN_CHUNK_CR:
    case IN_CHUNK_LF:
    case IN_TRAILERS:
    case IN_OVER: return true;
    }
    return true;
}

/* --- output --- */

struct gather {
    str *parts;
    size_t n, max;
};

static void gather_add(struct gather *g, str s)
{
    if (s.n && g->n < g->max)
        g->parts[g->n++] = s;
}

static void gather_pieces(struct gather *g, const struct http1_exchange *x, size_t n)
{
    for (const struct http_piece *p = x->base.first; p && n && g->n < g->max; p = p->next) {
        str part = str_slice(p->data, 0, n);
        gather_add(g, part);
        n -= part.n;
    }
}

static size_t hex_format(char *to, uint64_t v)
{
    size_t n = v ? (size_t)(67 - __builtin_clzll(v)) / 4 : 1;
    for (size_t i = n; i--; v >>= 4)
        to[i] = "0123456789abcdef"[v & 15];
    return n;
}

/* All that waits becomes one chunk. */
static void chunk_open(struct http1_exchange *x)
{
    size_t n = hex_format(x->frame_text, x->base.queued);
    x->frame_text[n] = '\r';
    x->frame_text[n + 1] = '\n';
    x->frame = str_of(x->frame_text, n + 2);
    x->chunk_left = x->base.queued;
    x->crlf_left = 2;
}

/* True when all there will ever be of it was added (or would have been, had there been room). */
static bool gather_exchange(struct gather *g, struct http1_exchange *x)
{
    gather_add(g, x->head);
    size_t body = x->base.queued;
    if (x->framing == OUT_CHUNKED) {
        if (body && !x->crlf_left)
            chunk_open(x);
        body = x->chunk_left;
        gather_add(g, x->frame);
        gather_pieces(g, x, body);
        gather_add(g, str_from(S("\r\n"), 2 - x->crlf_left));
    } else {
        gather_pieces(g, x, body);
    }
    if (!x->out_given || body < x->base.queued)
        return false;
    gather_add(g, x->tail);
    return true;
}

static size_t h1_output(struct http_conn *base, str *parts, size_t part_max)
{
    struct http1_conn *c = conn_of(base);
    struct gather g = {.parts = parts, .max = part_max};
    for (struct http1_exchange *x = c->first; x && g.n < g.max; x = x->next_out)
        if (!gather_exchange(&g, x))
            break;
    return g.n;
}

static void written_take(size_t *n, str *s)
{
    size_t part = size_min(*n, s->n);
    *s = str_from(*s, part);
    *n -= part;
}

/* The same order as gather_exchange. Returns how many body bytes went; they are taken off the queue last, because that
 * may call the handler. */
static size_t written_exchange(struct http1_exchange *x, size_t *n)
{
    size_t body;
    written_take(n, &x->head);
    if (x->framing == OUT_CHUNKED) {
        written_take(n, &x->frame);
        body = size_min(*n, x->chunk_left);
        x->chunk_left -= body;
        *n -= body;
        unsigned crlf = *n < x->crlf_left ? (unsigned)*n : x->crlf_left;
        x->crlf_left -= crlf;
        *n -= crlf;
    } else {
        body = size_min(*n, x->base.queued);
        *n -= body;
    }
    if (x->out_given && body == x->base.queued)
        written_take(n, &x->tail);
    return body;
}

static void h1_written(struct http_conn *base, size_t n)
{
    struct http1_conn *c = conn_of(base);
    while (c->first && n) {
        struct http1_exchange *x = c->first;
        size_t before = n;
        size_t body = written_exchange(x, &n);
        if (body)
            http_pieces_written(&x->base, body);
        if (n == before)
            break; /* more than there was: the handler just called has dropped it */
        queue_trim(c);
    }
}

/* --- commands --- */

static struct http_exchange *h1_request(struct http_conn *base, const struct http_head *head, bool end,
                                        struct http_handler handler, struct err *err)
{
    struct http1_conn *c = conn_of(base);
    if (c->in == IN_OVER || c->is_draining || c->input_ended) {
        err_set(err, ERR_CLOSED, "could not send a request: the connection is ending");
        return NULL;
    }
    if (c->current) {
        err_set(err, ERR_AGAIN, "could not send a request: another one is running");
        return NULL;
    }
    struct http1_exchange *x = exchange_begin(c, handler);
    x->is_delivered = true;
    x->asked_upgrade = head->upgrade.n > 0;
    x->asked_head = str_is(head->method, "HEAD");
    struct http1_framing f = {
        .is_chunked = !end && head->content_length < 0,
        .length = head->content_length,
    };
    /* A method that nearly always has a body says that it has none (RFC 9110, 8.6). */
    bool expects_body = str_is(head->method, "POST") || str_is(head->method, "PUT") ||
                        str_is(head->method, "PATCH");
    if (end && expects_body)
        f.length = 0;
    x->framing = f.is_chunked ? OUT_CHUNKED : OUT_RAW;
    x->head = http1_format_request(&x->base.arena, STR_NONE, head, f);
    x->out_given = end;
    return &x->base;
}

/* Whether this answer is the connection's last. */
static bool answer_closes(const struct http1_conn *c, const struct http1_exchange *x)
{
    if (!x->is_reusable || c->is_draining || c->input_ended)
        return true;
    /* The body will not come (the client waits for a word about it and this is it), or it is too long to be read only
     * to be thrown away. */
    return x->base.wants_continue || (c->in == IN_LENGTH && c->in_left > c->base.limits.window);
}

static err_code send_switch(struct http1_conn *c, struct http1_exchange *x, const struct http_head *head,
                            struct err *err)
{
    if (!x->asked_upgrade || !x->in_done || c->current != x)
        return err_set(err, ERR_INVALID,
                       "could not change the protocol: not asked for, or the request is not complete");
    x->head = http1_format_response(&x->base.arena, x->head, head, (struct http1_framing){.length = -1});
    x->is_tunnel = true;
    x->is_reusable = false;
    x->in_done = false;
    c->in = IN_TUNNEL;
    return ERR_NONE;
}

static void send_final(struct http1_conn *c, struct http1_exchange *x, const struct http_head *head, bool end)
{
    bool bodiless = x->base.drops_body || head->status == 204 || head->status == 304;
    struct http1_framing f = {.length = head->status == 204 ? -1 : head->content_length};
    if (!bodiless && f.length < 0) {
        f.length = end ? 0 : -1;
        f.is_chunked = !end && x->minor == 1;
        if (!end && x->minor == 0)
            x->is_reusable = false; /* the end of the connection is the end of the body */
    }
    if (answer_closes(c, x)) {
        x->is_reusable = false;
        f.connection = HTTP1_CONN_CLOSE;
    } else if (x->minor == 0) {
        f.connection = HTTP1_CONN_KEEP_ALIVE;
    }
    x->framing = f.is_chunked ? OUT_CHUNKED : OUT_RAW;
    x->head = http1_format_response(&x->base.arena, x->head, head, f);
}

static err_code h1_send_head(struct http_exchange *base, const struct http_head *head, bool end,
                             struct err *err)
{
    struct http1_conn *c = conn_of(base->conn);
    struct http1_exchange *x = exchange_of(base);
    if (head->status == 101)
        return send_switch(c, x, head, err);
    if (head->status < 200) {
        /* HTTP/1.0 knows no such answers. */
        if (x->minor == 1)
            x->head = http1_format_response(&base->arena, x->head, head,
                                            (struct http1_framing){.length = -1});
        return ERR_NONE;
    }
    send_final(c, x, head, end);
    x->out_given = end;
    current_finish(c);
    return ERR_NONE;
}

static void h1_send_body(struct http_exchange *x)
{
    (void)x; /* http_conn_output finds it */
}

static void h1_send_end(struct http_exchange *base, const struct http_header *trailers, size_t trailer_count)
{
    struct http1_conn *c = conn_of(base->conn);
    struct http1_exchange *x = exchange_of(base);
    x->out_given = true;
    if (x->framing == OUT_CHUNKED)
        x->tail = http1_format_trailers(&base->arena, trailers, trailer_count);
    current_finish(c);
    queue_trim(c);
}

static void h1_cancel(struct http_exchange *base)
{
    struct http1_conn *c = conn_of(base->conn);
    struct http1_exchange *x = exchange_of(base);
    base->is_over = true;
    bool answered = c->base.is_server && x->out_given;
    if (!answered)
        output_drop(x);
    bool drains = answered && !x->is_tunnel && x->is_reusable &&
                  !(c->in == IN_LENGTH && c->in_left > c->base.limits.window);
    if (drains)
        c->drain_left = c->base.limits.window;
    else
        current_leave(c, IN_OVER);
    queue_trim(c);
}

static void h1_consumed(struct http_exchange *x, size_t n)
{
    (void)x, (void)n; /* http_conn_wants_input sees it */
}

static void h1_exchange_free(struct http_exchange *base)
{
    struct http1_exchange *x = exchange_of(base);
    x->is_released = true;
    exchange_settle(conn_of(base->conn), x);
}

static void h1_done(struct http_conn *base)
{
    for (struct http_exchange *x = base->exchanges; x; x = x->next)
        if (!exchange_of(x)->is_delivered)
            x->is_freed = true; /* by nobody: nobody had it */
}

static const struct http_conn_ops http1_ops = {
    .feed = h1_feed,
    .feed_end = h1_feed_end,
    .lost = h1_lost,
    .output = h1_output,
    .written = h1_written,
    .wants_input = h1_wants_input,
    .is_over = h1_is_over,
    .output_ended = h1_output_ended,
    .drain = h1_drain,
    .time_out = h1_time_out,
    .is_in_head = h1_is_in_head,
    .done = h1_done,
    .request = h1_request,
    .send_head = h1_send_head,
    .send_body = h1_send_body,
    .send_end = h1_send_end,
    .cancel = h1_cancel,
    .consumed = h1_consumed,
    .exchange_free = h1_exchange_free,
};

struct http_conn *http1_conn_new(bool is_server, const struct http_limits *limits)
{
    struct http1_conn *c = NEW(struct http1_conn);
    c->base.ops = &http1_ops;
    c->base.version = HTTP_1_1;
    c->base.is_server = is_server;
    c->base.limits = *limits;
    return &c->base;
}
