/* http2_head.c - heads from header fields and back.
 * nghttp2 has checked before: names in lower case, values without controls, pseudo-header fields first, known, once and
 * complete, no connection-level fields, content-length a number that is said once. */
#include "wire/http2_priv.h"

enum {
    FIELD_OVERHEAD = 32,   /* RFC 9113 6.5.2 */
    FLOOD_FACTOR = 4,      /* how far over the limit a head is still read to its end, to be answered */
    SEND_SIZE_MAX = 60000, /* nghttp2 packs 64 KiB at most */
};

static enum h2_verdict count_field(struct h2_fields *f, const struct http_limits *limits, str name, str value)
{
    f->size += name.n + value.n + FIELD_OVERHEAD;
    if (f->size / FLOOD_FACTOR > limits->head_size_max)
        return H2_FLOOD;
    return f->size > limits->head_size_max ? H2_TOO_LARGE : H2_FINE;
}

static enum h2_verdict keep_field(struct arena *a, struct h2_fields *f, const struct http_limits *limits,
                                  str name, str value)
{
    if (f->count == limits->header_count_max)
        return H2_TOO_LARGE;
    if (f->count == f->cap) {
        size_t cap = size_min(f->cap ? f->cap * 2 : 16, limits->header_count_max);
        f->v = arena_grow(a, f->v, f->cap * sizeof *f->v, cap * sizeof *f->v, _Alignof(struct http_header));
        f->cap = cap;
    }
    /* Name and value side by side: one step of the arena. */
    char *p = arena_alloc(a, name.n + value.n, 1);
    memcpy(p, name.p, name.n);
    if (value.n)
        memcpy(p + name.n, value.p, value.n);
    f->v[f->count++] = (struct http_header){.name = {p, name.n}, .value = {p + name.n, value.n}};
    return H2_FINE;
}

static enum h2_verdict pseudo_field(struct arena *a, struct http_head *head, str name, str value)
{
    if (str_is(name, ":method"))
        head->method = str_dup(a, value);
    else if (str_is(name, ":path"))
        head->target = str_dup(a, value);
    else if (str_is(name, ":authority"))
        head->authority = str_dup(a, value);
    else if (str_is(name, ":scheme"))
        head->scheme = str_dup(a, value);
    else if (str_is(name, ":status")) {
        uint64_t status;
        if (value.n != 3 || !str_parse_u64(value, &status) || status < 100)
            return H2_MALFORMED;
        head->status = (int)status;
    } else {
        return H2_MALFORMED;
    }
    return H2_FINE;
}

static enum h2_verdict host_field(struct arena *a, struct http_head *head, str host)
{
    if (!str_empty(head->authority))
        return str_eq_nocase(head->authority, host) ? H2_FINE : H2_MALFORMED;
    head->authority = str_dup(a, host);
    return H2_FINE;
}

enum h2_verdict h2_head_field(struct h2_exchange *x, const struct http_limits *limits, str name, str value)
{
    struct arena *a = &x->base.arena;
    if (!x->head) {
        x->head = ARENA_NEW(a, struct http_head);
        x->head->content_length = -1;
    }
    enum h2_verdict v = count_field(&x->fields, limits, name, value);
    if (v != H2_FINE)
        return v;
    if (name.n && name.p[0] == ':')
        return pseudo_field(a, x->head, name, value);
    if (str_is(name, "host"))
        return host_field(a, x->head, value);
    if (str_is(name, "content-length")) {
        uint64_t n;
        if (!str_parse_u64(value, &n) || n > INT64_MAX)
            return H2_MALFORMED;
        x->head->content_length = (int64_t)n;
        return H2_FINE;
    }
    if (str_is(name, "expect")) {
        x->head->expect_continue = str_eq_nocase(value, S("100-continue"));
        return H2_FINE;
    }
    if (str_is(name, "cookie"))
        x->fields.cookie_count++;
    return keep_field(a, &x->fields, limits, name, value);
}

enum h2_verdict h2_trailer_field(struct h2_exchange *x, const struct http_limits *limits, str name, str value)
{
    enum h2_verdict v = count_field(&x->fields, limits, name, value);
    return v != H2_FINE ? v : keep_field(&x->base.arena, &x->fields, limits, name, value);
}

/* HTTP/2 may cut a cookie into one field for each pair; who reads the head sees one line again (RFC 9113 8.2.3). */
static void cookies_join(struct arena *a, struct h2_fields *f)
{
    size_t size = 0;
    for (size_t i = 0; i < f->count; i++)
        if (str_is(f->v[i].name, "cookie"))
            size += f->v[i].value.n + 2;
    char *p = arena_alloc(a, size, 1);
    size_t n = 0, kept = 0;
    struct http_header *joined = NULL;
    for (size_t i = 0; i < f->count; i++) {
        struct http_header h = f->v[i];
        if (!str_is(h.name, "cookie")) {
            f->v[kept++] = h;
            continue;
        }
        if (!joined) {
            joined = &f->v[kept++];
            joined->name = h.name;
        } else {
            memcpy(p + n, "; ", 2);
            n += 2;
        }
        if (h.value.n)
            memcpy(p + n, h.value.p, h.value.n);
        n += h.value.n;
    }
    joined->value = str_of(p, n);
    f->count = kept;
}

enum h2_verdict h2_head_finish(struct h2_exchange *x, bool is_request)
{
    struct http_head *head = x->head;
    if (!head)
        return H2_MALFORMED;
    if (x->fields.cookie_count > 1)
        cookies_join(&x->base.arena, &x->fields);
    head->headers = x->fields.v;
    head->header_count = x->fields.count;
    if (!is_request)
        return head->status ? H2_FINE : H2_MALFORMED;
    if (str_is(head->method, "CONNECT"))
        return H2_UNSUPPORTED;
    if (!str_is(head->scheme, "http") && !str_is(head->scheme, "https"))
        return H2_MALFORMED;
    if (!http_target_is_valid(head->target) || !http_authority_is_valid(head->authority))
        return H2_MALFORMED;
    if (head->target.p[0] != '/' && !str_is(head->method, "OPTIONS"))
        return H2_MALFORMED;
    return H2_FINE;
}

/* --- sending --- */

static nghttp2_nv field(str name, str value)
{
    /* nghttp2 copies; its type only forgot the const. */
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.p,
                        .namelen = name.n,
                        .value = (uint8_t *)(uintptr_t)value.p,
                        .valuelen = value.n};
}

err_code h2_fields_check(const struct http_header *fields, size_t count, struct err *err)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += fields[i].name.n + fields[i].value.n + FIELD_OVERHEAD;
        if (str_is(fields[i].name, "te") && !str_is(fields[i].value, "trailers"))
            return err_set(err, ERR_INVALID, "could not send header 'te': HTTP/2 knows \"trailers\" only");
    }
    if (size > SEND_SIZE_MAX)
        return err_set(err, ERR_INVALID, "could not send %zu bytes of headers: at most %d", size,
                       SEND_SIZE_MAX);
    return ERR_NONE;
}

static str decimal(struct arena *a, int64_t v)
{
    struct buf b;
    buf_init_arena(&b, a, 24);
    buf_add_i64(&b, v);
    return buf_str(&b);
}

static size_t encode_request_line(const struct http_head *head, nghttp2_nv *nv)
{
    size_t n = 0;
    nv[n++] = field(S(":method"), head->method);
    nv[n++] = field(S(":scheme"), str_empty(head->scheme) ? S("https") : head->scheme);
    /* Servers want one; over a Unix socket there is nothing better to say. */
    nv[n++] = field(S(":authority"), str_empty(head->authority) ? S("localhost") : head->authority);
    nv[n++] = field(S(":path"), head->target);
    if (head->expect_continue)
        nv[n++] = field(S("expect"), S("100-continue"));
    return n;
}

nghttp2_nv *h2_head_encode(struct arena *a, const struct http_head *head, bool is_request, size_t *ret_count)
{
    enum { LINE_FIELDS_MAX = 6 };
    nghttp2_nv *nv = arena_alloc(a, (head->header_count + LINE_FIELDS_MAX) * sizeof *nv,
                                 _Alignof(nghttp2_nv));
    size_t n = 0;
    if (is_request)
        n = encode_request_line(head, nv);
    else
        nv[n++] = field(S(":status"), decimal(a, head->status));
    if (head->content_length >= 0)
        nv[n++] = field(S("content-length"), decimal(a, head->content_length));
    for (size_t i = 0; i < head->header_count; i++)
        nv[n++] = field(head->headers[i].name, head->headers[i].value);
    *ret_count = n;
    return nv;
}

nghttp2_nv *h2_trailers_encode(struct arena *a, const struct http_header *trailers, size_t count)
{
    nghttp2_nv *nv = arena_alloc(a, count * sizeof *nv, _Alignof(nghttp2_nv));
    for (size_t i = 0; i < count; i++)
        nv[i] = field(trailers[i].name, trailers[i].value);
    return nv;
}
