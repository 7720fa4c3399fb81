/* http2.c - HTTP/2 on nghttp2, both roles.
 * nghttp2 keeps the state of the protocol: frames, HPACK, streams, windows. Here stands what it leaves to its user:
 * exchanges and who owns them, bodies sent without copying, back pressure, and the limits against hostile peers.
 *
 * Windows. What was received counts against the exchange's window until it is consumed, and never against the
 * connection's, which is given back at once: an exchange whose owner does not read stalls itself and nobody else. What a
 * peer can make owners hold is bounded by the sum of the exchanges' windows: on the server each starts at 64 KiB at most
 * and grows to limits.window only while its owner keeps up, all growth together being bounded by limits.conn_window
 * (which is also what may be in flight on the connection); a client chose its exchanges and starts at limits.window.
 *
 * Output. nghttp2 packs control frames, which are copied to `control`; DATA frames point at the pieces of the exchange's
 * queue. `parts` lists, in order, what is packed and not yet written. A piece in a frame must go out whatever becomes of
 * the exchange: one that was reset or let go by its owner keeps its pieces until they are written.
 *
 * Always true:
 *  - a stream's user data is its exchange, or NULL when the exchange is not to hear of it any more;
 *  - after `failed` is set nghttp2 is not called any more; what is in `parts` can still be written;
 *  - exchanges are destroyed in one place, exchange_settle, never while something of them is in `parts`. */
#include "base/mem.h"
#include "wire/http2_priv.h"

enum {
    WINDOW_START_SERVER = 65535,
    /* Body bytes in frames and not written: they cannot be reordered any more. */
    FRAMED_AHEAD_MAX = 128 * 1024,
    PARTS_MAX = 192,
    PARTS_FIRST = 16,
    CONTROL_AHEAD_MAX = 16 * 1024,
    CONTROL_SIZE_MAX = 1 << 20,  /* never reached: one frame beyond the bound above */
    FEED_SLICE = 16 * 1024,      /* bounds what replies can pile up before limits are looked at */
    EMPTY_DATA_MAX = 1000,       /* DATA frames in a row that say nothing */
    RESETS_FREE = 100,           /* resets by the peer that are never held against it */
    HEADER_TABLE_RECEIVE = 2048, /* HPACK memory of a server's connection; entries cost about twice that */
    HEADER_TABLE_SEND = 1024,
    FRAME_HEAD = 9,
};

/* Bytes packed and not yet written. */
struct part {
    struct h2_exchange *x; /* whose piece this is; NULL: the next n bytes of `control` */
    const char *p;
    size_t n;
};

struct h2 {
    struct http_conn base; /* first */
    nghttp2_session *session;
    struct part *parts; /* [part_at, part_end) */
    size_t part_at, part_end, part_cap;
    struct buf control;
    size_t control_at; /* written so far */
    size_t framed;     /* body bytes in parts */
    struct err *err;   /* of the call that runs; NULL: it gives none */
    err_code failed;
    uint32_t give_up_error; /* what a callback found: the connection ends once nghttp2 has returned */
    const char *give_up_why;
    unsigned stream_count;   /* client: streams opened and not over */
    uint64_t opened, wasted; /* streams; those reset before they were of use */
    unsigned empty_data;
    size_t window_grown; /* of all exchanges beyond their start */
    bool with_bodies;    /* packing may take DATA frames now */
    bool preface_came;
    bool in_head; /* a header block has begun; cleared by whatever follows it */
    bool is_draining, peer_is_leaving, ping_waits, drain_ping_waits;
};

static const uint8_t ping_alive[8] = "alive";
static const uint8_t ping_drain[8] = "drain";

static struct h2 *h2_of(struct http_conn *c)
{
    return (struct h2 *)c;
}

static const struct h2 *h2_of_const(const struct http_conn *c)
{
    return (const struct h2 *)c;
}

static struct h2_exchange *x_of(struct http_exchange *x)
{
    return (struct h2_exchange *)x;
}

static struct h2_exchange *exchange_find(struct h2 *c, int32_t id)
{
    return nghttp2_session_get_stream_user_data(c->session, id);
}

/* --- parts --- */

static size_t parts_pending(const struct h2 *c)
{
    return c->part_end - c->part_at;
}

static struct part *part_add(struct h2 *c)
{
    if (c->part_end == c->part_cap && c->part_at) {
        memmove(c->parts, c->parts + c->part_at, parts_pending(c) * sizeof *c->parts);
        c->part_end -= c->part_at;
        c->part_at = 0;
    }
    if (c->part_end == c->part_cap) {
        c->part_cap = c->part_cap ? c->part_cap * 2 : PARTS_FIRST;
        c->parts = mem_realloc(c->parts, c->part_cap * sizeof *c->parts);
    }
    c->parts[c->part_end] = (struct part){0};
    return &c->parts[c->part_end++];
}

static void part_add_control(struct h2 *c, const void *p, size_t n)
{
    buf_add(&c->control, str_of(p, n));
    ASSERT(!c->control.failed);
    struct part *last = c->part_end > c->part_at ? &c->parts[c->part_end - 1] : NULL;
    if (!last || last->x)
        last = part_add(c);
    last->n += n;
}

/* The next n bytes of the exchange's queue that are in no frame yet. */
static void part_add_pieces(struct h2 *c, struct h2_exchange *x, size_t n)
{
    size_t skip = x->framed;
    struct http_piece *piece = x->base.first;
    x->framed += n;
    c->framed += n;
    for (; n; piece = piece->next) {
        if (skip >= piece->data.n) {
            skip -= piece->data.n;
            continue;
        }
        size_t take = size_min(n, piece->data.n - skip);
        struct part *part = part_add(c);
        *part = (struct part){.x = x, .p = piece->data.p + skip, .n = take};
        n -= take;
        skip = 0;
    }
}

/* How many of the next n bytes of the queue fit into `parts`. */
static size_t parts_fitting(const struct h2 *c, const struct h2_exchange *x, size_t n)
{
    size_t room = PARTS_MAX - parts_pending(c), fits = 0, skip = x->framed;
    for (const struct http_piece *piece = x->base.first; piece && fits < n && room; piece = piece->next) {
        if (skip >= piece->data.n) {
            skip -= piece->data.n;
            continue;
        }
        fits += piece->data.n - skip;
        skip = 0;
        room--;
    }
    return size_min(fits, n);
}

static void h2_trim(struct http_conn *base)
{
    struct h2 *c = h2_of(base);
    if (parts_pending(c))
        return;
    buf_done(&c->control);
    mem_free(c->parts);
    c->parts = NULL;
    c->part_cap = 0;
}

/* --- ends: of exchanges, of the connection --- */

/* Its stream is over and nothing of it is on its way: what waits is dropped, and it too when the engine alone has it. */
static void exchange_settle(struct h2_exchange *x)
{
    if (!x->is_closed || x->framed)
        return;
    if (x->is_orphan || !x->is_delivered)
        http_exchange_destroy(&x->base);
    else
        http_pieces_drop(&x->base);
}

/* A client that drains says goodbye after its last answer: nghttp2 sends no request behind a GOAWAY. */
static void goodbye_when_idle(struct h2 *c)
{
    if (!c->failed && c->is_draining && !c->base.is_server && !c->stream_count)
        nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
}

/* No more of the stream from now on. */
static void stream_forget(struct h2 *c, struct h2_exchange *x)
{
    if (x->is_closed)
        return;
    x->is_closed = true;
    x->base.can_send = false;
    if (!c->base.is_server)
        c->stream_count--;
    else
        c->window_grown -= (size_t)x->window - size_min(c->base.limits.window, WINDOW_START_SERVER);
    if (!c->failed)
        nghttp2_session_set_stream_user_data(c->session, x->id, NULL);
    goodbye_when_idle(c);
}

/* The exchange ends before its time; its owner, if it has one that does not know, hears why. */
static void exchange_fail(struct h2 *c, struct h2_exchange *x, const struct err *why)
{
    stream_forget(c, x);
    if (x->is_delivered)
        http_exchange_fail(&x->base, why);
    exchange_settle(x);
}

/* Ends the stream on the wire too. */
static void exchange_refuse(struct h2 *c, struct h2_exchange *x, uint32_t h2_error, const struct err *why)
{
    if (!x->is_closed)
        nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, x->id, h2_error);
    exchange_fail(c, x, why);
}

static void conn_fail(struct h2 *c, err_code code, const char *what, str detail)
{
    if (c->failed)
        return;
    struct err local = ERR_INIT;
    struct err *err = c->err ? c->err : &local;
    c->failed = err_set(err, code, "%s%s%" STR_FMT, what, detail.n ? ": " : "", STR_ARG(detail));
    const struct err why = *err;
    /* First no command reaches nghttp2 any more, then handlers run. Neither what they do nor destroying one takes
     * another one off the list. */
    for (struct http_exchange *x = c->base.exchanges; x; x = x->next)
        stream_forget(c, x_of(x));
    for (struct http_exchange *x = c->base.exchanges, *next; x; x = next) {
        next = x->next;
        exchange_fail(c, x_of(x), &why);
    }
}

/* In a callback: remembers why the connection ends; nghttp2 then stops at once. */
static int give_up(struct h2 *c, uint32_t h2_error, const char *why)
{
    c->give_up_error = h2_error;
    c->give_up_why = why;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* For when nghttp2 must not be used any more. */
static void goaway_pack(struct h2 *c, uint32_t error)
{
    uint32_t last = (uint32_t)nghttp2_session_get_last_proc_stream_id(c->session);
    uint32_t words[2] = {__builtin_bswap32(last), __builtin_bswap32(error)};
    part_add_control(c, "\0\0\10\7\0\0\0\0\0", FRAME_HEAD);
    part_add_control(c, words, sizeof words);
}

static void conn_fail_fatal(struct h2 *c, int nghttp2_error)
{
    uint32_t error = NGHTTP2_INTERNAL_ERROR;
    const char *why = nghttp2_strerror(nghttp2_error);
    switch (nghttp2_error) {
    case NGHTTP2_ERR_CALLBACK_FAILURE:
        error = c->give_up_error;
        why = c->give_up_why;
        break;
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
        error = NGHTTP2_PROTOCOL_ERROR;
        why = "the peer does not speak HTTP/2";
        break;
    case NGHTTP2_ERR_FLOODED:
        error = NGHTTP2_ENHANCE_YOUR_CALM;
        why = "too many pings or settings to acknowledge";
        break;
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
        error = NGHTTP2_ENHANCE_YOUR_CALM;
        why = "a header block in too many pieces";
        break;
    }
    goaway_pack(c, error);
    conn_fail(c, error == NGHTTP2_ENHANCE_YOUR_CALM ? ERR_TOO_LARGE : ERR_PROTOCOL,
              "HTTP/2 connection given up", str_from_c(why));
}

static err_code code_of(uint32_t h2_error)
{
    switch (h2_error) {
    case NGHTTP2_NO_ERROR: return ERR_CLOSED;
    case NGHTTP2_REFUSED_STREAM: return ERR_AGAIN;
    case NGHTTP2_CANCEL: return ERR_CANCELED;
    case NGHTTP2_INTERNAL_ERROR: return ERR_INTERNAL;
    case NGHTTP2_CONNECT_ERROR: return ERR_UNAVAILABLE;
    case NGHTTP2_ENHANCE_YOUR_CALM: return ERR_TOO_MANY_REQUESTS;
    case NGHTTP2_INADEQUATE_SECURITY:
    case NGHTTP2_HTTP_1_1_REQUIRED: return ERR_UNSUPPORTED;
    default: return ERR_PROTOCOL;
    }
}

/* Counts a stream that made work for nothing. */
static int count_wasted(struct h2 *c)
{
    uint64_t most = c->opened * c->base.limits.reset_rate_max / 1000;
    if (++c->wasted <= most || c->wasted <= RESETS_FREE)
        return 0;
    return give_up(c, NGHTTP2_ENHANCE_YOUR_CALM, "too many requests were reset");
}

/* --- what nghttp2 calls while it reads --- */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user)
{
    struct h2 *c = user;
    c->preface_came = true;
    c->in_head = head->type == NGHTTP2_HEADERS || head->type == NGHTTP2_CONTINUATION;
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *c = user;
    int32_t id = frame->hd.stream_id;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        struct h2_exchange *x = exchange_find(c, id);
        /* Interim heads and the final one count together: there would be no end to them else. */
        if (x)
            x->fields = (struct h2_fields){.size = x->head_done ? 0 : x->fields.size};
        return 0;
    }
    c->opened++;
    /* Streams that are over count as long as their owners are busy with them. */
    if (c->base.exchange_count >= 2 * (size_t)c->base.limits.exchange_max) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    struct h2_exchange *x = x_of(http_exchange_new(&c->base, sizeof *x, c->base.handler));
    x->id = id;
    x->window = (int32_t)size_min(c->base.limits.window, WINDOW_START_SERVER);
    nghttp2_session_set_stream_user_data(session, id, x);
    /* By default each answer would be sent to its end before the next begins. */
    nghttp2_extpri share = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY, .inc = 1};
    nghttp2_session_change_extpri_stream_priority(session, id, &share, 1);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
    struct h2 *c = user;
    struct h2_exchange *x = exchange_find(c, frame->hd.stream_id);
    if (!x)
        return 0;
    str n = str_of((const char *)name, name_size), v = str_of((const char *)value, value_size);
    enum h2_verdict verdict = x->head_done ? h2_trailer_field(x, &c->base.limits, n, v)
                                           : h2_head_field(x, &c->base.limits, n, v);
    if (verdict == H2_FLOOD)
        return give_up(c, NGHTTP2_ENHANCE_YOUR_CALM, "a head far larger than allowed");
    if (verdict != H2_FINE && x->verdict == H2_FINE)
        x->verdict = verdict;
    return 0;
}

/* nghttp2 would leave such a field out and go on. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                             size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                             void *user)
{
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void peer_ended(struct h2_exchange *x, const struct http_header *trailers, size_t trailer_count)
{
    x->peer_ended = true;
    if (!x->base.is_over)
        http_notify_end(&x->base, trailers, trailer_count);
}

/* An answer of the engine to a request its handler does not get to see. */
static void answer_alone(struct h2 *c, struct h2_exchange *x, const char *status)
{
    nghttp2_nv nv = {.name = (uint8_t *)(uintptr_t) ":status",
                     .namelen = 7,
                     .value = (uint8_t *)(uintptr_t)status,
                     .valuelen = 3};
    x->base.is_over = x->ended = true;
    nghttp2_submit_response(c->session, x->id, &nv, 1, NULL);
}

static void on_request_head(struct h2 *c, struct h2_exchange *x, bool end)
{
    x->head_done = true;
    x->peer_ended = end;
    enum h2_verdict verdict = x->verdict ? x->verdict : h2_head_finish(x, true);
    struct err why = ERR_INIT;
    switch (verdict) {
    case H2_FINE: break;
    case H2_TOO_LARGE: answer_alone(c, x, "431"); return;
    case H2_UNSUPPORTED: answer_alone(c, x, "501"); return;
    case H2_FLOOD:
    case H2_MALFORMED:
        err_set(&why, ERR_PROTOCOL, "malformed request");
        exchange_refuse(c, x, NGHTTP2_PROTOCOL_ERROR, &why);
        return;
    }
    x->is_delivered = true;
    x->is_head = x->base.drops_body = str_is(x->head->method, "HEAD");
    x->base.wants_continue = x->head->expect_continue && !end;
    http_notify_head(&x->base, x->head, end);
}

static void on_answer_head(struct h2 *c, struct h2_exchange *x, bool end)
{
    enum h2_verdict verdict = x->verdict ? x->verdict : h2_head_finish(x, false);
    struct err why = ERR_INIT;
    if (verdict != H2_FINE) {
        if (verdict == H2_TOO_LARGE)
            err_set(&why, ERR_TOO_LARGE, "the answer's head is larger than %zu bytes or %zu headers",
                    c->base.limits.head_size_max, c->base.limits.header_count_max);
        else
            err_set(&why, ERR_PROTOCOL, "malformed answer");
        exchange_refuse(c, x, NGHTTP2_CANCEL, &why);
        return;
    }
    struct http_head *head = x->head;
    x->head = NULL;
    x->head_done = head->status >= 200;
    x->peer_ended = end;
    http_notify_head(&x->base, head, end);
}

static void on_trailers(struct h2 *c, struct h2_exchange *x)
{
    if (x->verdict == H2_FINE || x->base.is_over) {
        peer_ended(x, x->fields.v, x->fields.count);
        return;
    }
    struct err why = ERR_INIT;
    err_set(&why, ERR_TOO_LARGE, "the trailers are larger than %zu bytes or %zu headers",
            c->base.limits.head_size_max, c->base.limits.header_count_max);
    exchange_refuse(c, x, NGHTTP2_CANCEL, &why);
}

static int on_headers(struct h2 *c, const nghttp2_frame *frame)
{
    struct h2_exchange *x = exchange_find(c, frame->hd.stream_id);
    bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    c->in_head = false;
    if (!x)
        return 0;
    c->empty_data = 0;
    if (x->head_done)
        on_trailers(c, x);
    else if (c->base.is_server)
        on_request_head(c, x, end);
    else
        on_answer_head(c, x, end);
    return 0;
}

static int on_data_end(struct h2 *c, const nghttp2_frame *frame)
{
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        struct h2_exchange *x = exchange_find(c, frame->hd.stream_id);
        if (x)
            peer_ended(x, NULL, 0);
        return 0;
    }
    if (frame->hd.length > frame->data.padlen)
        c->empty_data = 0;
    else if (++c->empty_data > EMPTY_DATA_MAX)
        return give_up(c, NGHTTP2_ENHANCE_YOUR_CALM, "too many empty DATA frames");
    return 0;
}

static void on_ping_ack(struct h2 *c, const uint8_t *data)
{
    if (memcmp(data, ping_alive, sizeof ping_alive) == 0 && c->ping_waits) {
        c->ping_waits = false;
        c->base.pongs++;
    } else if (memcmp(data, ping_drain, sizeof ping_drain) == 0 && c->drain_ping_waits) {
        /* What the client sent before it knew has arrived: from here on nothing new is looked at. */
        c->drain_ping_waits = false;
        nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(c->session), NGHTTP2_NO_ERROR, NULL, 0);
    }
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *c = user;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS: return on_headers(c, frame);
    case NGHTTP2_DATA: return on_data_end(c, frame);
    case NGHTTP2_PING:
        if (frame->hd.flags & NGHTTP2_FLAG_ACK)
            on_ping_ack(c, frame->ping.opaque_data);
        return 0;
    case NGHTTP2_RST_STREAM: {
        struct h2_exchange *x = exchange_find(c, frame->hd.stream_id);
        return c->base.is_server && x && !x->head_left ? count_wasted(c) : 0;
    }
    case NGHTTP2_GOAWAY: c->peer_is_leaving = true; return 0;
    }
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t size, void *user)
{
    struct h2 *c = user;
    nghttp2_session_consume_connection(session, size);
    struct h2_exchange *x = exchange_find(c, id);
    if (!x)
        return 0;
    if (x->base.is_over) {
        /* Answered and let go: what still comes is read away until the peer hears that it can stop. */
        nghttp2_session_consume_stream(session, id, size);
        return 0;
    }
    x->base.wants_continue = false;
    http_notify_body(&x->base, str_of((const char *)data, size));
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t h2_error, void *user)
{
    struct h2 *c = user;
    struct h2_exchange *x = exchange_find(c, id);
    if (!x)
        return 0;
    /* One that is over already was answered early and let go. */
    if (h2_error == NGHTTP2_NO_ERROR && x->end_left && (x->peer_ended || x->base.is_over)) {
        stream_forget(c, x);
        x->base.is_over = true;
        exchange_settle(x);
        return 0;
    }
    struct err why = ERR_INIT;
    err_code code = code_of(h2_error);
    if (code == ERR_AGAIN)
        err_set(&why, code, "the peer has not looked at the request: it can be sent again");
    else if (code == ERR_CLOSED)
        err_set(&why, code, "the peer does not need the rest");
    else
        err_set(&why, code, "the stream was reset: %s", nghttp2_http2_strerror(h2_error));
    exchange_fail(c, x, &why);
    return 0;
}

/* --- what nghttp2 calls while it packs --- */

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
                        size_t size, nghttp2_data_source *source, void *user)
{
    struct h2 *c = user;
    part_add_control(c, frame_head, FRAME_HEAD);
    part_add_pieces(c, exchange_find(c, frame->hd.stream_id), size);
    return 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t most, uint32_t *flags,
                       nghttp2_data_source *source, void *user)
{
    struct h2 *c = user;
    struct h2_exchange *x = exchange_find(c, id);
    if (!x)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (!c->with_bodies || c->framed >= FRAMED_AHEAD_MAX || parts_pending(c) + 2 > PARTS_MAX)
        return NGHTTP2_ERR_PAUSE;
    size_t ready = x->base.queued - x->framed;
    if (!ready && !x->ended)
        return NGHTTP2_ERR_DEFERRED;
    size_t n = parts_fitting(c, x, size_min(ready, most));
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (x->ended && n == ready) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (x->trailer_count) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            nghttp2_nv *nv = h2_trailers_encode(&x->base.arena, x->trailers, x->trailer_count);
            nghttp2_submit_trailer(session, id, nv, x->trailer_count);
        }
    }
    return (ssize_t)n;
}

static const nghttp2_data_provider body_of_exchange = {.read_callback = on_read};

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *c = user;
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        /* nghttp2 found a fault in what the peer sent. */
        str detail = str_of((const char *)frame->goaway.opaque_data, frame->goaway.opaque_data_len);
        if (str_empty(detail))
            detail = str_from_c(nghttp2_http2_strerror(frame->goaway.error_code));
        conn_fail(c, ERR_PROTOCOL, "the peer broke the HTTP/2 protocol", detail);
        return 0;
    }
    struct h2_exchange *x = frame->hd.stream_id ? exchange_find(c, frame->hd.stream_id) : NULL;
    if (!x)
        return 0;
    if (frame->hd.type == NGHTTP2_RST_STREAM) /* by nghttp2: ours are for streams that are forgotten */
        return c->base.is_server ? count_wasted(c) : 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        x->head_left = x->base.head_given || x->base.is_over;
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
        x->end_left = true;
        if (c->base.is_server && x->base.is_over && !x->peer_ended)
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, x->id, NGHTTP2_NO_ERROR);
    }
    return 0;
}

/* Packs what is due: control frames always, bodies within the bound on what is packed ahead. */
static void conn_pack(struct h2 *c, bool with_bodies)
{
    c->with_bodies = with_bodies;
    while (!c->failed && c->control.n - c->control_at < CONTROL_AHEAD_MAX) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(c->session, &bytes);
        if (n < 0)
            conn_fail_fatal(c, (int)n);
        else if (n == 0)
            return;
        else
            part_add_control(c, bytes, (size_t)n);
    }
}

/* --- bytes --- */

static void feed_slice(struct h2 *c, str slice)
{
    ssize_t n = nghttp2_session_mem_recv(c->session, (const uint8_t *)slice.p, slice.n);
    if (n < 0) {
        conn_fail_fatal(c, (int)n);
        return;
    }
    /* At once, so that what nghttp2 has against the peer is known before more is read. */
    conn_pack(c, false);
    if (!c->failed && nghttp2_session_get_outbound_queue_size(c->session) >
                          c->base.limits.control_queue_max + c->base.exchange_count) {
        give_up(c, NGHTTP2_ENHANCE_YOUR_CALM, "too many frames call for a reply that is not read");
        conn_fail_fatal(c, NGHTTP2_ERR_CALLBACK_FAILURE);
    }
}

static err_code h2_feed(struct http_conn *base, str bytes, size_t *ret_used, struct err *err)
{
    struct h2 *c = h2_of(base);
    *ret_used = bytes.n;
    if (c->failed)
        return ERR_NONE;
    c->err = err;
    while (bytes.n && !c->failed) {
        str slice = str_slice(bytes, 0, FEED_SLICE);
        feed_slice(c, slice);
        bytes = str_from(bytes, slice.n);
    }
    c->err = NULL;
    return c->failed;
}

static err_code h2_feed_end(struct http_conn *base, struct err *err)
{
    struct h2 *c = h2_of(base);
    if (c->failed)
        return ERR_NONE;
    bool in_the_middle = false;
    for (const struct http_exchange *x = base->exchanges; x; x = x->next)
        in_the_middle |= !x->is_over;
    c->err = in_the_middle ? err : NULL;
    conn_fail(c, ERR_CLOSED, "the peer closed the connection", STR_NONE);
    c->err = NULL;
    return in_the_middle ? ERR_CLOSED : ERR_NONE;
}

static void h2_lost(struct http_conn *base, const struct err *why)
{
    conn_fail(h2_of(base), why->code, why->msg, STR_NONE);
}

static size_t h2_output(struct http_conn *base, str *parts, size_t part_max)
{
    struct h2 *c = h2_of(base);
    conn_pack(c, true);
    size_t control_at = c->control_at, n = 0;
    for (size_t i = c->part_at; i < c->part_end && n < part_max; i++) {
        const struct part *part = &c->parts[i];
        parts[n++] = str_of(part->x ? part->p : c->control.p + control_at, part->n);
        control_at += part->x ? 0 : part->n;
    }
    return n;
}

static void part_written(struct h2 *c, size_t n)
{
    struct part *part = &c->parts[c->part_at];
    struct h2_exchange *x = part->x;
    if (x) {
        part->p += n;
        c->framed -= n;
    } else {
        c->control_at += n;
    }
    part->n -= n;
    if (!part->n)
        c->part_at++;
    if (x) {
        x->framed -= n;
        http_pieces_written(&x->base, n);
        exchange_settle(x);
    }
}

static void h2_written(struct http_conn *base, size_t n)
{
    struct h2 *c = h2_of(base);
    while (n) {
        ASSERT(parts_pending(c));
        size_t here = size_min(n, c->parts[c->part_at].n);
        part_written(c, here);
        n -= here;
    }
    if (!parts_pending(c)) {
        c->part_at = c->part_end = 0;
        c->control_at = 0;
        buf_clear(&c->control);
    } else if (c->control_at > CONTROL_AHEAD_MAX / 2) {
        buf_drop_front(&c->control, c->control_at);
        c->control_at = 0;
    }
}

static bool h2_wants_input(const struct http_conn *base)
{
    const struct h2 *c = h2_of_const(base);
    return !c->failed && nghttp2_session_want_read(c->session);
}

static bool h2_is_over(const struct http_conn *base)
{
    const struct h2 *c = h2_of_const(base);
    return c->failed || (!nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session));
}

static void h2_drain(struct http_conn *base)
{
    struct h2 *c = h2_of(base);
    if (c->failed || c->is_draining)
        return;
    c->is_draining = true;
    goodbye_when_idle(c);
    if (!base->is_server)
        return;
    nghttp2_submit_shutdown_notice(c->session);
    nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, ping_drain);
    c->drain_ping_waits = true;
}

static bool h2_is_in_head(const struct http_conn *base)
{
    const struct h2 *c = h2_of_const(base);
    return base->is_server && !c->failed && (c->in_head || !c->preface_came);
}

static void h2_time_out(struct http_conn *base)
{
    struct h2 *c = h2_of(base);
    if (!h2_is_in_head(base)) {
        h2_drain(base);
        return;
    }
    conn_pack(c, false);
    goaway_pack(c, NGHTTP2_NO_ERROR);
    conn_fail(c, ERR_TIMEOUT, "the request took too long", STR_NONE);
}

static void h2_ping(struct http_conn *base)
{
    struct h2 *c = h2_of(base);
    if (c->failed || c->ping_waits)
        return;
    c->ping_waits = true;
    nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, ping_alive);
}

/* --- exchanges --- */

static struct http_exchange *h2_request(struct http_conn *base, const struct http_head *head, bool end,
                                        struct http_handler handler, struct err *err)
{
    struct h2 *c = h2_of(base);
    if (c->failed || c->is_draining || c->peer_is_leaving ||
        !nghttp2_session_check_request_allowed(c->session)) {
        err_set(err, ERR_CLOSED, "could not send a request: the connection is ending");
        return NULL;
    }
    if (h2_fields_check(head->headers, head->header_count, err))
        return NULL;
    uint32_t most = nghttp2_session_get_remote_settings(c->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    if (c->stream_count >= base->limits.exchange_max || c->stream_count >= most) {
        err_set(err, ERR_AGAIN, "could not send a request: %u are running", c->stream_count);
        return NULL;
    }
    struct h2_exchange *x = x_of(http_exchange_new(base, sizeof *x, handler));
    size_t count;
    nghttp2_nv *nv = h2_head_encode(&x->base.arena, head, true, &count);
    x->id = nghttp2_submit_request(c->session, NULL, nv, count, end ? NULL : &body_of_exchange, x);
    ASSERT(x->id > 0);
    x->is_delivered = true;
    x->ended = end;
    x->window = (int32_t)base->limits.window;
    x->is_head = str_is(head->method, "HEAD");
    c->stream_count++;
    c->opened++;
    return &x->base;
}

static err_code h2_send_head(struct http_exchange *base, const struct http_head *head, bool end,
                             struct err *err)
{
    struct h2 *c = h2_of(base->conn);
    struct h2_exchange *x = x_of(base);
    if (x->is_closed)
        return err_set(err, ERR_CLOSED, "could not send an answer: the connection is over");
    if (h2_fields_check(head->headers, head->header_count, err))
        return err->code;
    size_t count;
    nghttp2_nv *nv = h2_head_encode(&base->arena, head, false, &count);
    if (head->status < 200) {
        nghttp2_submit_headers(c->session, NGHTTP2_FLAG_NONE, x->id, NULL, nv, count, NULL);
        return ERR_NONE;
    }
    x->ended = end || x->is_head || head->status == 204 || head->status == 304;
    nghttp2_submit_response(c->session, x->id, nv, count, x->ended ? NULL : &body_of_exchange);
    return ERR_NONE;
}

static void h2_send_body(struct http_exchange *base)
{
    /* An error says that the body was not waiting for this. */
    nghttp2_session_resume_data(h2_of(base->conn)->session, x_of(base)->id);
}

static void h2_cancel(struct http_exchange *base);

static void h2_send_end(struct http_exchange *base, const struct http_header *trailers, size_t trailer_count)
{
    struct h2_exchange *x = x_of(base);
    struct err err = ERR_INIT;
    if (x->ended)
        return;
    if (UNEXPECTED(h2_fields_check(trailers, trailer_count, &err))) {
        h2_cancel(base);
        return;
    }
    x->ended = true;
    x->trailer_count = trailer_count;
    x->trailers = trailer_count ? ARENA_ARRAY(&base->arena, struct http_header, trailer_count) : NULL;
    for (size_t i = 0; i < trailer_count; i++)
        x->trailers[i] = (struct http_header){.name = str_dup(&base->arena, trailers[i].name),
                                              .value = str_dup(&base->arena, trailers[i].value)};
    nghttp2_session_resume_data(h2_of(base->conn)->session, x->id);
}

static void h2_cancel(struct http_exchange *base)
{
    struct h2 *c = h2_of(base->conn);
    struct h2_exchange *x = x_of(base);
    base->is_over = base->was_reset = true;
    base->can_send = false;
    if (x->is_closed)
        return;
    if (c->base.is_server && x->ended) {
        /* The whole answer still goes out; if it has, the client hears now that the rest is not wanted. */
        if (x->end_left && !x->peer_ended)
            nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, x->id, NGHTTP2_NO_ERROR);
        return;
    }
    nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, x->id,
                              c->base.is_server ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL);
    stream_forget(c, x);
    exchange_settle(x);
}

/* An owner that reads as fast as the peer sends gets a larger window, up to the limit. */
static void window_grow(struct h2 *c, struct h2_exchange *x, size_t consumed)
{
    size_t window = (size_t)x->window, most = c->base.limits.window;
    x->since_grow += consumed;
    if (x->base.unread || x->since_grow < window || window >= most)
        return;
    size_t larger = size_min(window * 2, most);
    if (larger - window > c->base.limits.conn_window - c->window_grown)
        return;
    if (nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, x->id, (int32_t)larger))
        return;
    c->window_grown += larger - window;
    x->window = (int32_t)larger;
    x->since_grow = 0;
}

static void h2_consumed(struct http_exchange *base, size_t n)
{
    struct h2 *c = h2_of(base->conn);
    struct h2_exchange *x = x_of(base);
    if (x->is_closed || x->peer_ended)
        return;
    nghttp2_session_consume_stream(c->session, x->id, n);
    if (c->base.is_server)
        window_grow(c, x, n);
}

static void h2_exchange_free(struct http_exchange *base)
{
    x_of(base)->is_orphan = true;
    exchange_settle(x_of(base));
}

/* --- connections --- */

static void h2_done(struct http_conn *base)
{
    struct h2 *c = h2_of(base);
    nghttp2_session_del(c->session);
    mem_free(c->parts);
    buf_done(&c->control);
    /* What the engine alone has is dropped with the connection. */
    for (struct http_exchange *x = base->exchanges; x; x = x->next)
        x->is_freed |= !x_of(x)->is_delivered;
}

static const struct http_conn_ops ops = {
    .feed = h2_feed,
    .feed_end = h2_feed_end,
    .lost = h2_lost,
    .output = h2_output,
    .written = h2_written,
    .wants_input = h2_wants_input,
    .is_over = h2_is_over,
    .output_ended = h2_is_over,
    .drain = h2_drain,
    .time_out = h2_time_out,
    .is_in_head = h2_is_in_head,
    .ping = h2_ping,
    .trim = h2_trim,
    .done = h2_done,
    .request = h2_request,
    .send_head = h2_send_head,
    .send_body = h2_send_body,
    .send_end = h2_send_end,
    .cancel = h2_cancel,
    .consumed = h2_consumed,
    .exchange_free = h2_exchange_free,
};

static void *heap_malloc(size_t size, void *user)
{
    return mem_alloc(size);
}

static void heap_free(void *p, void *user)
{
    mem_free(p);
}

static void *heap_calloc(size_t count, size_t size, void *user)
{
    return mem_alloc_zero(count, size);
}

static void *heap_realloc(void *p, size_t size, void *user)
{
    return mem_realloc(p, size);
}

static void callbacks_set(nghttp2_session_callbacks *cb)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(cb, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(cb, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
    nghttp2_session_callbacks_set_send_data_callback(cb, on_send_data);
}

static void options_set(nghttp2_option *o, bool is_server, const struct http_limits *l)
{
    nghttp2_option_set_no_auto_window_update(o, 1);
    nghttp2_option_set_no_closed_streams(o, 1);
    nghttp2_option_set_max_outbound_ack(o, l->control_queue_max);
    nghttp2_option_set_max_reserved_remote_streams(o, 0);
    /* nghttp2's own count of resets goes by the clock; ours goes by requests. */
    nghttp2_option_set_stream_reset_rate_limit(o, UINT64_MAX, UINT64_MAX);
    if (is_server)
        nghttp2_option_set_max_deflate_dynamic_table_size(o, HEADER_TABLE_SEND);
}

static void settings_submit(nghttp2_session *s, bool is_server, const struct http_limits *l)
{
    uint32_t head_size_max = (uint32_t)size_min(l->head_size_max, UINT32_MAX);
    if (is_server) {
        nghttp2_settings_entry iv[] = {
            {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, HEADER_TABLE_RECEIVE},
            {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, l->exchange_max},
            {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)size_min(l->window, WINDOW_START_SERVER)},
            {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head_size_max},
            {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        };
        nghttp2_submit_settings(s, NGHTTP2_FLAG_NONE, iv, ARRAY_COUNT(iv));
    } else {
        nghttp2_settings_entry iv[] = {
            {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
            {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)l->window},
            {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head_size_max},
        };
        nghttp2_submit_settings(s, NGHTTP2_FLAG_NONE, iv, ARRAY_COUNT(iv));
    }
    nghttp2_session_set_local_window_size(s, NGHTTP2_FLAG_NONE, 0, (int32_t)l->conn_window);
}

struct http_conn *http2_conn_new(bool is_server, const struct http_limits *limits)
{
    struct h2 *c = NEW(struct h2);
    c->base = (struct http_conn){.ops = &ops, .version = HTTP_2, .is_server = is_server, .limits = *limits};
    c->base.limits.window = size_min(limits->window, INT32_MAX);
    c->base.limits.conn_window = size_min(limits->conn_window, INT32_MAX);
    buf_init(&c->control, CONTROL_SIZE_MAX);

    nghttp2_session_callbacks *cb;
    nghttp2_option *o;
    nghttp2_mem mem = {NULL, heap_malloc, heap_free, heap_calloc, heap_realloc};
    bool failed = nghttp2_session_callbacks_new(&cb) || nghttp2_option_new(&o);
    ASSERT(!failed); /* only memory can be lacking */
    callbacks_set(cb);
    options_set(o, is_server, limits);
    failed = is_server ? nghttp2_session_server_new3(&c->session, cb, c, o, &mem)
                       : nghttp2_session_client_new3(&c->session, cb, c, o, &mem);
    ASSERT(!failed);
    nghttp2_option_del(o);
    nghttp2_session_callbacks_del(cb);
    settings_submit(c->session, is_server, &c->base.limits);
    return &c->base;
}

enum http_preface http_preface_look(str bytes)
{
    str magic = S(NGHTTP2_CLIENT_MAGIC);
    size_t n = size_min(bytes.n, magic.n);
    if (n && memcmp(bytes.p, magic.p, n) != 0)
        return HTTP_PREFACE_NO;
    return n == magic.n ? HTTP_PREFACE_YES : HTTP_PREFACE_PARTLY;
}
