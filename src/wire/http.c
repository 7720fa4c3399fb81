/* http.c - what both versions share: dispatch to the engine, exchanges and who frees them, queued body pieces, checking
 * of heads before they are sent, and the small languages around HTTP (list headers, targets, queries). */
#include "base/mem.h"
#include "base/utf8.h"
#include "wire/http_priv.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    INTERIM_MAX = 16, /* 1xx heads an owner may send */
    BLOCK_SIZE = 1024,
    BLOCK_ROOM = BLOCK_SIZE - sizeof(struct http_piece),
    SPARE_ARENA_MAX = 16 * 1024, /* an arena that grew past this is not kept for the next exchange */
#ifdef ARENA_DEBUG
    SPARE_MAX = 0, /* so that the sanitizers see every use after a free */
#else
    SPARE_MAX = 32,
#endif
};

void http_limits_fill(struct http_limits *l)
{
    const struct http_limits defaults = {
        .head_size_max = 64 * 1024,
        .header_count_max = 256,
        .window = 256 * 1024,
        .conn_window = 1024 * 1024,
        .queue_low = 64 * 1024,
        .exchange_max = 0, /* differs between the versions */
        .reset_rate_max = 500,
        .control_queue_max = 1000,
    };
    l->head_size_max = l->head_size_max ? l->head_size_max : defaults.head_size_max;
    l->header_count_max = l->header_count_max ? l->header_count_max : defaults.header_count_max;
    l->window = l->window ? l->window : defaults.window;
    l->conn_window = l->conn_window ? l->conn_window : defaults.conn_window;
    l->queue_low = l->queue_low ? l->queue_low : defaults.queue_low;
    l->reset_rate_max = l->reset_rate_max ? l->reset_rate_max : defaults.reset_rate_max;
    l->control_queue_max = l->control_queue_max ? l->control_queue_max : defaults.control_queue_max;
}

/* --- connections --- */

static struct http_conn *conn_new(enum http_version v, bool is_server, const struct http_limits *limits)
{
    struct http_limits filled = limits ? *limits : (struct http_limits){0};
    http_limits_fill(&filled);
    if (!filled.exchange_max)
        filled.exchange_max = v == HTTP_2 ? 250 : 16;
    return v == HTTP_2 ? http2_conn_new(is_server, &filled) : http1_conn_new(is_server, &filled);
}

struct http_conn *http_conn_new_server(enum http_version v, const struct http_limits *limits,
                                       struct http_handler handler)
{
    struct http_conn *c = conn_new(v, true, limits);
    c->handler = handler;
    return c;
}

struct http_conn *http_conn_new_client(enum http_version v, const struct http_limits *limits)
{
    return conn_new(v, false, limits);
}

static void exchange_memory_free(struct http_exchange *x)
{
    arena_done(&x->arena);
    mem_free(x);
}

static void spares_free(struct http_conn *c)
{
    while (c->spare_count) {
        struct http_exchange *x = c->spare;
        c->spare = x->next;
        c->spare_count--;
        exchange_memory_free(x);
    }
}

void http_conn_free(struct http_conn *c)
{
    if (!c)
        return;
    ASSERT(!c->busy);
    c->ops->done(c);
    for (struct http_exchange *x = c->exchanges, *next; x; x = next) {
        next = x->next;
        http_pieces_drop(x);
        if (x->is_freed) {
            exchange_memory_free(x);
            continue;
        }
        x->conn = NULL;
        x->can_send = false;
        x->is_over = true;
    }
    spares_free(c);
    mem_free(c);
}

enum http_version http_conn_version(const struct http_conn *c)
{
    return c->version;
}

static void conn_enter(struct http_conn *c)
{
    c->busy++;
}

static void conn_leave(struct http_conn *c)
{
    ASSERT(c->busy);
    while (c->busy == 1 && c->freed) {
        struct http_exchange *x = c->freed;
        c->freed = x->next_freed;
        x->next_freed = NULL;
        c->ops->exchange_free(x);
    }
    if (--c->busy == 0 && c->wake)
        c->wake(c->wake_ctx);
}

err_code http_conn_feed(struct http_conn *c, str bytes, size_t *ret_used, struct err *err)
{
    *ret_used = 0;
    conn_enter(c);
    err_code code = c->ops->feed(c, bytes, ret_used, err);
    conn_leave(c);
    return code;
}

err_code http_conn_feed_end(struct http_conn *c, struct err *err)
{
    conn_enter(c);
    err_code code = c->ops->feed_end(c, err);
    conn_leave(c);
    return code;
}

void http_conn_lost(struct http_conn *c, const struct err *why)
{
    conn_enter(c);
    c->ops->lost(c, why);
    conn_leave(c);
}

size_t http_conn_output(struct http_conn *c, str *parts, size_t part_max)
{
    conn_enter(c);
    size_t n = c->ops->output(c, parts, part_max);
    conn_leave(c);
    return n;
}

void http_conn_written(struct http_conn *c, size_t n)
{
    conn_enter(c);
    c->ops->written(c, n);
    conn_leave(c);
}

bool http_conn_wants_input(const struct http_conn *c)
{
    return c->ops->wants_input(c);
}

bool http_conn_is_over(const struct http_conn *c)
{
    return c->ops->is_over(c);
}

bool http_conn_output_ended(const struct http_conn *c)
{
    return c->ops->output_ended(c);
}

size_t http_conn_exchange_count(const struct http_conn *c)
{
    return c->exchange_count;
}

void http_conn_trim(struct http_conn *c)
{
    spares_free(c);
    if (c->ops->trim)
        c->ops->trim(c);
}

void http_conn_drain(struct http_conn *c)
{
    conn_enter(c);
    c->ops->drain(c);
    conn_leave(c);
}

void http_conn_time_out(struct http_conn *c)
{
    conn_enter(c);
    c->ops->time_out(c);
    conn_leave(c);
}

bool http_conn_is_in_head(const struct http_conn *c)
{
    return c->ops->is_in_head(c);
}

void http_conn_set_wake(struct http_conn *c, void (*wake)(void *ctx), void *ctx)
{
    c->wake = wake;
    c->wake_ctx = ctx;
}

void http_conn_ping(struct http_conn *c)
{
    conn_enter(c);
    if (c->ops->ping)
        c->ops->ping(c);
    conn_leave(c);
}

uint64_t http_conn_pongs(const struct http_conn *c)
{
    return c->pongs;
}

/* --- life of an exchange --- */

struct http_exchange *http_exchange_new(struct http_conn *c, size_t size, struct http_handler handler)
{
    struct http_exchange *x = c->spare;
    if (x) {
        c->spare = x->next;
        c->spare_count--;
        struct arena arena = x->arena;
        memset(x, 0, size);
        x->arena = arena;
    } else {
        x = mem_alloc_zero(1, size);
        arena_init(&x->arena, 0);
    }
    x->conn = c;
    x->handler = handler;
    x->send_left = -1;
    x->next = c->exchanges;
    if (x->next)
        x->next->prev = x;
    c->exchanges = x;
    c->exchange_count++;
    return x;
}

void http_exchange_destroy(struct http_exchange *x)
{
    struct http_conn *c = x->conn;
    http_pieces_drop(x);
    if (!c) {
        exchange_memory_free(x);
        return;
    }
    if (x->next)
        x->next->prev = x->prev;
    if (x->prev)
        x->prev->next = x->next;
    else
        c->exchanges = x->next;
    c->exchange_count--;
    if (c->spare_count >= SPARE_MAX || x->arena.used > SPARE_ARENA_MAX) {
        exchange_memory_free(x);
    } else {
        arena_reset(&x->arena);
        x->next = c->spare;
        c->spare = x;
        c->spare_count++;
    }
}

void http_exchange_fail(struct http_exchange *x, const struct err *why)
{
    if (x->is_over)
        return;
    x->is_over = x->was_reset = true;
    x->can_send = false;
    if (!x->is_freed && x->handler.on_reset)
        x->handler.on_reset(x->handler.ctx, x, why);
}

void http_exchange_reset(struct http_exchange *x, const struct err *why)
{
    if (x->is_over)
        return;
    http_pieces_drop(x);
    http_exchange_fail(x, why);
}

void http_exchange_cancel(struct http_exchange *x)
{
    if (!x->conn || x->is_over)
        return;
    struct http_conn *c = x->conn;
    conn_enter(c);
    c->ops->cancel(x);
    conn_leave(c);
}

void http_exchange_free(struct http_exchange *x)
{
    if (!x)
        return;
    ASSERT(!x->is_freed);
    struct http_conn *c = x->conn;
    if (!c) {
        http_exchange_destroy(x);
        return;
    }
    x->is_freed = true;
    conn_enter(c);
    if (!x->is_over)
        c->ops->cancel(x);
    x->next_freed = c->freed;
    c->freed = x;
    conn_leave(c);
}

struct http_conn *http_exchange_conn(struct http_exchange *x)
{
    return x->conn;
}

struct arena *http_exchange_arena(struct http_exchange *x)
{
    return &x->arena;
}

void http_exchange_set_handler(struct http_exchange *x, struct http_handler handler)
{
    x->handler = handler;
}

bool http_exchange_is_over(const struct http_exchange *x)
{
    return x->is_over;
}

void http_notify_head(struct http_exchange *x, const struct http_head *head, bool end)
{
    if (!x->is_freed && x->handler.on_head)
        x->handler.on_head(x->handler.ctx, x, head, end);
}

void http_notify_body(struct http_exchange *x, str data)
{
    x->unread += data.n;
    if (!x->is_freed && x->handler.on_body)
        x->handler.on_body(x->handler.ctx, x, data);
}

void http_notify_end(struct http_exchange *x, const struct http_header *trailers, size_t trailer_count)
{
    if (!x->is_freed && x->handler.on_end)
        x->handler.on_end(x->handler.ctx, x, trailers, trailer_count);
}

void http_notify_half_closed(struct http_exchange *x)
{
    if (!x->is_freed && x->handler.on_half_closed)
        x->handler.on_half_closed(x->handler.ctx, x);
}

/* --- pieces --- */

static void piece_done(struct http_exchange *x, struct http_piece *p)
{
    if (p->release)
        p->release(p->obj);
    switch (p->kind) {
    case HTTP_PIECE_REF:
        p->next = x->spare_refs;
        x->spare_refs = p;
        break;
    case HTTP_PIECE_BLOCK:
        p->next = x->spare_blocks;
        x->spare_blocks = p;
        break;
    case HTTP_PIECE_HEAP: mem_free(p); break;
    }
}

static void piece_drop_first(struct http_exchange *x)
{
    struct http_piece *p = x->first;
    x->first = p->next;
    if (!x->first)
        x->last = NULL;
    piece_done(x, p);
}

void http_pieces_written(struct http_exchange *x, size_t n)
{
    ASSERT(n <= x->queued);
    x->queued -= n;
    while (n) {
        struct http_piece *p = x->first;
        size_t part = size_min(n, p->data.n);
        p->data = str_from(p->data, part);
        n -= part;
        if (!p->data.n)
            piece_drop_first(x);
    }
    if (!x->was_full || x->queued >= x->conn->limits.queue_low)
        return;
    x->was_full = false;
    if (x->can_send && !x->is_freed && x->handler.on_room)
        x->handler.on_room(x->handler.ctx, x);
}

void http_pieces_drop(struct http_exchange *x)
{
    while (x->first)
        piece_drop_first(x);
    x->queued = 0;
}

static void piece_add(struct http_exchange *x, struct http_piece *p)
{
    if (x->last)
        x->last->next = p;
    else
        x->first = p;
    x->last = p;
}

/* Memory for a piece of that kind, from the spare ones when there are. */
static struct http_piece *piece_take(struct http_exchange *x, enum http_piece_kind kind, size_t size)
{
    struct http_piece **spare = kind == HTTP_PIECE_REF ? &x->spare_refs : &x->spare_blocks;
    struct http_piece *p = *spare;
    if (kind == HTTP_PIECE_HEAP)
        p = mem_alloc(size);
    else if (p)
        *spare = p->next;
    else
        p = arena_alloc(&x->arena, size, _Alignof(struct http_piece));
    *p = (struct http_piece){.kind = kind};
    return p;
}

static void piece_add_copy(struct http_exchange *x, str data)
{
    struct http_piece *p = x->last;
    if (!p || p->room < data.n) {
        bool small = data.n <= BLOCK_ROOM;
        p = piece_take(x, small ? HTTP_PIECE_BLOCK : HTTP_PIECE_HEAP,
                       small ? BLOCK_SIZE : sizeof *p + data.n);
        p->end = (char *)(p + 1);
        p->room = small ? BLOCK_ROOM : data.n;
        p->data = str_of(p->end, 0);
        piece_add(x, p);
    }
    memcpy(p->end, data.p, data.n);
    p->end += data.n;
    p->room -= data.n;
    p->data.n += data.n;
}

/* Cuts what would exceed the declared length: false when nothing of it is to be sent. */
static bool body_admit(struct http_exchange *x, str *data)
{
    if (!x->conn || !x->can_send || x->drops_body)
        return false;
    if (x->send_left >= 0) {
        if (UNEXPECTED(data->n > (uint64_t)x->send_left))
            data->n = (size_t)x->send_left;
        x->send_left -= (int64_t)data->n;
    }
    return data->n > 0;
}

static void body_queued(struct http_exchange *x, size_t n)
{
    struct http_conn *c = x->conn;
    x->queued += n;
    if (x->queued >= c->limits.queue_low)
        x->was_full = true;
    conn_enter(c);
    c->ops->send_body(x);
    conn_leave(c);
}

void http_send_body(struct http_exchange *x, str data)
{
    if (!body_admit(x, &data))
        return;
    piece_add_copy(x, data);
    body_queued(x, data.n);
}

void http_send_body_ref(struct http_exchange *x, str data, void (*release)(void *obj), void *obj)
{
    if (!body_admit(x, &data)) {
        if (release)
            release(obj);
        return;
    }
    struct http_piece *p = piece_take(x, HTTP_PIECE_REF, sizeof *p);
    p->data = data;
    p->release = release;
    p->obj = obj;
    piece_add(x, p);
    body_queued(x, data.n);
}

size_t http_queued(const struct http_exchange *x)
{
    return x->queued;
}

void http_consumed(struct http_exchange *x, size_t n)
{
    struct http_conn *c = x->conn;
    if (!c)
        return;
    if (UNEXPECTED(n > x->unread))
        n = x->unread;
    x->unread -= n;
    conn_enter(c);
    c->ops->consumed(x, n);
    conn_leave(c);
}

/* --- heads --- */

#define LETTER(l, u) [l] = l, [u] = l
#define SELF(c)      [c] = c
const unsigned char http_token_lower[256] = {
    LETTER('a', 'A'), LETTER('b', 'B'), LETTER('c', 'C'), LETTER('d', 'D'), LETTER('e', 'E'),
    LETTER('f', 'F'), LETTER('g', 'G'), LETTER('h', 'H'), LETTER('i', 'I'), LETTER('j', 'J'),
    LETTER('k', 'K'), LETTER('l', 'L'), LETTER('m', 'M'), LETTER('n', 'N'), LETTER('o', 'O'),
    LETTER('p', 'P'), LETTER('q', 'Q'), LETTER('r', 'R'), LETTER('s', 'S'), LETTER('t', 'T'),
    LETTER('u', 'U'), LETTER('v', 'V'), LETTER('w', 'W'), LETTER('x', 'X'), LETTER('y', 'Y'),
    LETTER('z', 'Z'), SELF('0'),        SELF('1'),        SELF('2'),        SELF('3'),
    SELF('4'),        SELF('5'),        SELF('6'),        SELF('7'),        SELF('8'),
    SELF('9'),        SELF('!'),        SELF('#'),        SELF('$'),        SELF('%'),
    SELF('&'),        SELF('\''),       SELF('*'),        SELF('+'),        SELF('-'),
    SELF('.'),        SELF('^'),        SELF('_'),        SELF('`'),        SELF('|'),
    SELF('~'),
};

bool http_name_is_valid(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!http_token_lower[(unsigned char)name.p[i]])
            return false;
    return name.n > 0;
}

static bool is_value_byte(unsigned char c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

size_t http_value_prefix(const char *p, size_t n)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i last_control = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);
    for (; n - i >= 16; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i low = _mm_cmpeq_epi8(_mm_max_epu8(v, last_control), last_control);
        __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, tab), low), _mm_cmpeq_epi8(v, del));
        unsigned mask = (unsigned)_mm_movemask_epi8(bad);
        if (mask)
            return i + (size_t)__builtin_ctz(mask);
    }
#endif
    while (i < n && is_value_byte((unsigned char)p[i]))
        i++;
    return i;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool http_value_is_valid(str value)
{
    if (value.n && (is_blank(value.p[0]) || is_blank(value.p[value.n - 1])))
        return false;
    return http_value_prefix(value.p, value.n) == value.n;
}

bool http_target_is_valid(str target)
{
    for (size_t i = 0; i < target.n; i++) {
        unsigned char c = (unsigned char)target.p[i];
        if (c <= 0x20 || c == 0x7f || c == '#')
            return false;
    }
    return target.n > 0 && (target.p[0] == '/' || str_is(target, "*"));
}

bool http_authority_is_valid(str authority)
{
    for (size_t i = 0; i < authority.n; i++) {
        char c = authority.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (c == 0 || !strchr("!$%&'()*+,-.:;=[]_~", c)))
            return false;
    }
    return true;
}

bool http_name_is_reserved(str name)
{
    switch (name.n) {
    case 4: return str_eq_nocase(name, S("host"));
    case 6: return str_eq_nocase(name, S("expect"));
    case 7: return str_eq_nocase(name, S("upgrade"));
    case 10: return str_eq_nocase(name, S("connection")) || str_eq_nocase(name, S("keep-alive"));
    case 14: return str_eq_nocase(name, S("content-length"));
    case 16: return str_eq_nocase(name, S("proxy-connection"));
    case 17: return str_eq_nocase(name, S("transfer-encoding"));
    }
    return false;
}

static bool has_upper(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return true;
    return false;
}

static err_code fields_check(const struct http_header *headers, size_t count, enum http_version v,
                             struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        str name = headers[i].name;
        if (!http_name_is_valid(name) || (v == HTTP_2 && has_upper(name)))
            return err_set(err, ERR_INVALID, "could not send header '%" STR_FMT "': bad name", STR_ARG(name));
        if (http_name_is_reserved(name))
            return err_set(err, ERR_INVALID,
                           "could not send header '%" STR_FMT "': it belongs to the connection",
                           STR_ARG(name));
        if (!http_value_is_valid(headers[i].value))
            return err_set(err, ERR_INVALID, "could not send header '%" STR_FMT "': bad value",
                           STR_ARG(name));
    }
    return ERR_NONE;
}

static err_code request_check(const struct http_head *h, struct err *err)
{
    if (!http_name_is_valid(h->method) || str_is(h->method, "CONNECT"))
        return err_set(err, ERR_INVALID, "could not send a request: bad method '%" STR_FMT "'",
                       STR_ARG(h->method));
    if (!http_target_is_valid(h->target) || (str_is(h->target, "*") && !str_is(h->method, "OPTIONS")))
        return err_set(err, ERR_INVALID, "could not send a request: bad target '%" STR_FMT "'",
                       STR_ARG(h->target));
    if (!http_authority_is_valid(h->authority))
        return err_set(err, ERR_INVALID, "could not send a request: bad authority '%" STR_FMT "'",
                       STR_ARG(h->authority));
    if (h->scheme.n && !str_is(h->scheme, "http") && !str_is(h->scheme, "https"))
        return err_set(err, ERR_INVALID, "could not send a request: bad scheme '%" STR_FMT "'",
                       STR_ARG(h->scheme));
    return ERR_NONE;
}

static err_code response_check(const struct http_head *h, enum http_version v, bool end, struct err *err)
{
    if (h->status < 100 || h->status > 999 || (h->status < 200 && end))
        return err_set(err, ERR_INVALID, "could not send an answer: bad status %d", h->status);
    if (h->status == 101 && (v != HTTP_1_1 || !h->upgrade.n))
        return err_set(err, ERR_INVALID, "could not send an answer: 101 without a protocol to change to");
    return ERR_NONE;
}

err_code http_head_check(const struct http_head *h, enum http_version v, bool is_request, bool end,
                         struct err *err)
{
    if (is_request ? request_check(h, err) : response_check(h, v, end, err))
        return err->code;
    if (h->content_length < -1 || (is_request && end && h->content_length > 0))
        return err_set(err, ERR_INVALID, "could not send a head: bad content length %lld",
                       (long long)h->content_length);
    if (h->upgrade.n && (v != HTTP_1_1 || !http_value_is_valid(h->upgrade)))
        return err_set(err, ERR_INVALID, "could not send a head: bad upgrade '%" STR_FMT "'",
                       STR_ARG(h->upgrade));
    return fields_check(h->headers, h->header_count, v, err);
}

struct http_exchange *http_request(struct http_conn *c, const struct http_head *head, bool end,
                                   struct http_handler handler, struct err *err)
{
    ASSERT(!c->is_server);
    if (http_head_check(head, c->version, true, end, err))
        return NULL;
    conn_enter(c);
    struct http_exchange *x = c->ops->request(c, head, end, handler, err);
    if (x) {
        x->head_given = true;
        x->can_send = !end && !x->is_over;
        x->send_left = head->content_length;
    }
    conn_leave(c);
    return x;
}

static bool status_has_no_body(int status)
{
    return status == 204 || status == 304;
}

err_code http_send_head(struct http_exchange *x, const struct http_head *head, bool end, struct err *err)
{
    struct http_conn *c = x->conn;
    if (!c || x->is_over)
        return err_set(err, ERR_CLOSED, "could not send an answer: the exchange is over");
    ASSERT(c->is_server);
    if (http_head_check(head, c->version, false, end, err))
        return err->code;
    bool interim = head->status < 200 && head->status != 101;
    if (x->head_given || (interim && x->interim_count >= INTERIM_MAX))
        return err_set(err, ERR_INVALID, "could not send an answer: it was sent before");
    bool no_body = x->drops_body || status_has_no_body(head->status);
    if (end && head->content_length > 0 && !no_body)
        return err_set(err, ERR_INVALID, "could not send an answer: bad content length %lld without a body",
                       (long long)head->content_length);
    conn_enter(c);
    err_code code = c->ops->send_head(x, head, end, err);
    if (!code && interim) {
        x->interim_count++;
        x->wants_continue = x->wants_continue && head->status != 100;
    } else if (!code) {
        x->head_given = true;
        x->wants_continue = false;
        x->drops_body = no_body;
        x->can_send = !end && !x->is_over;
        x->send_left = head->status == 101 ? -1 : head->content_length;
    }
    conn_leave(c);
    return code;
}

void http_continue(struct http_exchange *x)
{
    struct err err = ERR_INIT;
    if (x->wants_continue)
        err_ignore(http_send_head(x, &(struct http_head){.status = 100, .content_length = -1}, false,
                                  &err)); /* over, or asked too often: the final answer tells */
}

void http_send_end(struct http_exchange *x, const struct http_header *trailers, size_t trailer_count)
{
    struct http_conn *c = x->conn;
    if (!c || !x->can_send)
        return;
    x->can_send = false;
    struct err err = ERR_INIT;
    if (UNEXPECTED(fields_check(trailers, trailer_count, c->version, &err)))
        trailer_count = 0;
    conn_enter(c);
    if (UNEXPECTED(x->send_left > 0 && !x->drops_body))
        c->ops->cancel(x);
    else
        c->ops->send_end(x, trailers, trailer_count);
    conn_leave(c);
}

str http_header_find(const struct http_head *h, str name)
{
    for (size_t i = 0; i < h->header_count; i++)
        if (str_eq(h->headers[i].name, name))
            return h->headers[i].value;
    return STR_NONE;
}

bool http_header_has_token(const struct http_head *h, str name, str token)
{
    for (size_t i = 0; i < h->header_count; i++) {
        if (!str_eq(h->headers[i].name, name))
            continue;
        str rest = h->headers[i].value, piece;
        while (str_next(&rest, ',', &piece))
            if (str_eq_nocase(str_trim(piece), token))
                return true;
    }
    return false;
}

/* --- targets and forms --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static bool needs_decoding(str s, bool plus_is_space)
{
    return str_index_c(s, '%') != SIZE_MAX || (plus_is_space && str_index_c(s, '+') != SIZE_MAX);
}

/* What it stands for. `what` names it in errors, which do not repeat the text: it may be anything. */
static err_code percent_decode(struct arena *a, str s, bool plus_is_space, const char *what, str *ret,
                               struct err *err)
{
    str out = s;
    if (needs_decoding(s, plus_is_space)) {
        char *p = arena_alloc(a, s.n, 1);
        size_t n = 0;
        for (size_t i = 0; i < s.n; i++) {
            char c = s.p[i];
            if (c == '%') {
                int high = s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1;
                int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;
                if (low < 0)
                    return err_set(err, ERR_BAD_REQUEST, "invalid %s: bad escape at byte %zu", what, i);
                c = (char)(high << 4 | low);
                i += 2;
            } else if (c == '+' && plus_is_space) {
                c = ' ';
            }
            p[n++] = c;
        }
        out = str_of(p, n);
    }
    if (str_index_c(out, 0) != SIZE_MAX)
        return err_set(err, ERR_BAD_REQUEST, "invalid %s: it contains a NUL", what);
    if (!utf8_valid(out))
        return err_set(err, ERR_BAD_REQUEST, "invalid %s: it is not UTF-8", what);
    *ret = out;
    return ERR_NONE;
}

err_code http_target_split(struct arena *a, str target, str *ret_path, str *ret_query, struct err *err)
{
    str path, query;
    str_cut(target, '?', &path, &query);
    if (percent_decode(a, path, false, "path", &path, err))
        return err->code;
    *ret_path = path;
    *ret_query = query;
    return ERR_NONE;
}

bool http_query_next(struct arena *a, str *rest, str *ret_name, str *ret_value, struct err *err)
{
    str pair = STR_NONE, name, value;
    do {
        if (!str_next(rest, '&', &pair))
            return false;
    } while (!pair.n);
    str_cut(pair, '=', &name, &value);
    if (percent_decode(a, name, true, "query parameter", &name, err) ||
        percent_decode(a, value, true, "query parameter", &value, err))
        return false;
    *ret_name = name;
    *ret_value = value;
    return true;
}
