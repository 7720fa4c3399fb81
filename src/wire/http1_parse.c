/* http1_parse.c - heads of HTTP/1.1 from bytes, strictly: whatever two parsers could read in two ways is refused
 * (RFC 9112, sections 2 to 6 and 11.2). A head is searched for its end first, copied once, and parsed in place. */
#include "wire/http1_priv.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* --- the end of a head --- */

static bool ends_head(const char *p, size_t at)
{
    return p[at] == '\n' && ((at >= 1 && p[at - 1] == '\n') || (at >= 2 && p[at - 2] == '\n'));
}

#ifdef __SSE2__
static __m128i line_feeds(const char *p)
{
    return _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('\n'));
}

/* Sixteen bytes a step, from s->at (at least 2) on. */
static bool scan_wide(struct http1_scan *s, const char *p, size_t n, size_t *ret_end)
{
    for (; n - s->at >= 16; s->at += 16) {
        const char *at = p + s->at;
        __m128i feeds = line_feeds(at);
        unsigned lines = (unsigned)_mm_movemask_epi8(feeds);
        if (!lines)
            continue;
        __m128i before = _mm_or_si128(line_feeds(at - 1), line_feeds(at - 2));
        unsigned ends = (unsigned)_mm_movemask_epi8(_mm_and_si128(feeds, before));
        if (ends) {
            unsigned bit = (unsigned)__builtin_ctz(ends);
            s->lines += (size_t)__builtin_popcount(lines & ((2u << bit) - 1));
            s->at += bit + 1;
            *ret_end = s->at;
            return true;
        }
        s->lines += (size_t)__builtin_popcount(lines);
    }
    return false;
}
#endif

static bool scan_bytes(struct http1_scan *s, const char *p, size_t to, size_t *ret_end)
{
    while (s->at < to) {
        size_t at = s->at++;
        s->lines += p[at] == '\n';
        if (ends_head(p, at)) {
            *ret_end = s->at;
            return true;
        }
    }
    return false;
}

bool http1_scan_end(struct http1_scan *s, const char *p, size_t n, bool trailers, size_t *ret_end)
{
    if (trailers && n && (p[0] == '\r' || p[0] == '\n')) {
        if (n == 1 && p[0] == '\r')
            return false;
        s->lines = 1;
        *ret_end = s->at = p[0] == '\r' ? 2 : 1;
        return true;
    }
    if (scan_bytes(s, p, size_min(n, 2), ret_end))
        return true;
#ifdef __SSE2__
    if (s->at < n && scan_wide(s, p, n, ret_end))
        return true;
#endif
    return scan_bytes(s, p, n, ret_end);
}

/* --- fields --- */

struct parse {
    struct arena *arena;
    const struct http_limits *limits;
    char *at, *end;
    struct http_header *headers;
    size_t header_count;
    struct http1_head *out;
    unsigned host_count, chunked_count;
    bool has_length, has_other_coding, has_other_expect, says_upgrade;
    str host, upgrade;
    struct err *err;
};

static err_code refuse(struct parse *p, int status, const char *why)
{
    p->out->refuse_status = status;
    return err_set(p->err, status == 431 ? ERR_TOO_LARGE : ERR_PROTOCOL, "%s", why);
}

enum field_kind {
    FIELD_PLAIN,
    FIELD_HOST,
    FIELD_EXPECT,
    FIELD_UPGRADE,
    FIELD_CONNECTION,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_DROPPED,
};

static enum field_kind field_kind(str name)
{
    switch (name.n) {
    case 4: return str_is(name, "host") ? FIELD_HOST : FIELD_PLAIN;
    case 6: return str_is(name, "expect") ? FIELD_EXPECT : FIELD_PLAIN;
    case 7: return str_is(name, "upgrade") ? FIELD_UPGRADE : FIELD_PLAIN;
    case 10:
        if (str_is(name, "connection"))
            return FIELD_CONNECTION;
        return str_is(name, "keep-alive") ? FIELD_DROPPED : FIELD_PLAIN;
    case 14: return str_is(name, "content-length") ? FIELD_CONTENT_LENGTH : FIELD_PLAIN;
    case 16: return str_is(name, "proxy-connection") ? FIELD_DROPPED : FIELD_PLAIN;
    case 17: return str_is(name, "transfer-encoding") ? FIELD_TRANSFER_ENCODING : FIELD_PLAIN;
    }
    return FIELD_PLAIN;
}

static void connection_field(struct parse *p, str value)
{
    str rest = value, token;
    while (str_next(&rest, ',', &token)) {
        token = str_trim(token);
        if (str_eq_nocase(token, S("close")))
            p->out->says_close = true;
        else if (str_eq_nocase(token, S("keep-alive")))
            p->out->says_keep_alive = true;
        else if (str_eq_nocase(token, S("upgrade")))
            p->says_upgrade = true;
    }
}

/* Equal ones on several lines mean one; a list on one line is refused, even of equal ones. */
static err_code content_length_field(struct parse *p, str value)
{
    uint64_t length;
    if (!str_parse_u64(value, &length) || length > INT64_MAX)
        return refuse(p, 400, "the content-length is not a number");
    if (p->has_length && p->out->head.content_length != (int64_t)length)
        return refuse(p, 400, "there are two different content-lengths");
    p->has_length = true;
    p->out->head.content_length = (int64_t)length;
    return ERR_NONE;
}

static err_code special_field(struct parse *p, enum field_kind kind, str value)
{
    switch (kind) {
    case FIELD_HOST:
        p->host_count++;
        p->host = value;
        break;
    case FIELD_EXPECT:
        if (str_eq_nocase(value, S("100-continue")))
            p->out->head.expect_continue = true;
        else
            p->has_other_expect = true;
        break;
    case FIELD_UPGRADE:
        if (p->upgrade.n && value.n)
            value = str_join(p->arena, (str[]){p->upgrade, value}, 2, S(", "));
        p->upgrade = value.n ? value : p->upgrade;
        break;
    case FIELD_CONNECTION: connection_field(p, value); break;
    case FIELD_CONTENT_LENGTH: return content_length_field(p, value);
    case FIELD_TRANSFER_ENCODING:
        if (str_eq_nocase(value, S("chunked")))
            p->chunked_count++;
        else
            p->has_other_coding = true;
        break;
    case FIELD_DROPPED: break;
    case FIELD_PLAIN: break;
    }
    return ERR_NONE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static err_code field_name(struct parse *p, str *ret)
{
    char *start = p->at;
    unsigned char lower;
    while (p->at < p->end && (lower = http_token_lower[(unsigned char)*p->at]) != 0)
        *p->at++ = (char)lower;
    if (p->at < p->end && p->at > start && *p->at == ':') {
        *ret = str_of(start, (size_t)(p->at++ - start));
        return ERR_NONE;
    }
    if (p->at == start && is_blank(*start))
        return refuse(p, 400, "a header line is folded");
    if (p->at < p->end && is_blank(*p->at))
        return refuse(p, 400, "a header name is followed by a blank");
    return refuse(p, 400, "a header name is malformed");
}

static err_code field_value(struct parse *p, str *ret)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;
    char *start = p->at;
    size_t n = http_value_prefix(start, (size_t)(p->end - start));
    p->at += n;
    if (p->end - p->at < 2 || p->at[0] != '\r' || p->at[1] != '\n')
        return refuse(p, 400,
                      "a header value contains a control character, or a line does not end with CR LF");
    p->at += 2;
    while (n && is_blank(start[n - 1]))
        n--;
    *ret = str_of(start, n);
    return ERR_NONE;
}

/* All fields, up to and with the empty line. `line_count` bounds how many there can be. */
static err_code fields_parse(struct parse *p, size_t line_count)
{
    if (line_count > p->limits->header_count_max)
        return refuse(p, 431, "there are too many header lines");
    p->headers = arena_alloc(p->arena, line_count * sizeof *p->headers, _Alignof(struct http_header));
    while (p->at < p->end && *p->at != '\r') {
        str name, value;
        if (field_name(p, &name) || field_value(p, &value))
            return p->err->code;
        enum field_kind kind = field_kind(name);
        if (kind == FIELD_PLAIN)
            p->headers[p->header_count++] = (struct http_header){name, value};
        else if (special_field(p, kind, value))
            return p->err->code;
    }
    if (p->end - p->at != 2 || p->at[1] != '\n')
        return refuse(p, 400, "the head does not end with an empty line");
    p->out->head.headers = p->headers;
    p->out->head.header_count = p->header_count;
    return ERR_NONE;
}

/* RFC 9112, 6: what both versions of a body length at once would be read as depends on the reader. */
static err_code framing_check(struct parse *p)
{
    if (p->chunked_count > 1)
        return refuse(p, 400, "there are two transfer-encodings");
    if (p->has_other_coding)
        return refuse(p, 501, "the transfer-encoding is not known");
    if (!p->chunked_count)
        return ERR_NONE;
    if (p->has_length)
        return refuse(p, 400, "there are both a transfer-encoding and a content-length");
    if (p->out->minor == 0)
        return refuse(p, 400, "there is a transfer-encoding in HTTP/1.0");
    p->out->is_chunked = true;
    return ERR_NONE;
}

/* "HTTP/1.0" or "HTTP/1.1" at p->at. */
static err_code version_parse(struct parse *p)
{
    str v = str_of(p->at, size_min((size_t)(p->end - p->at), 8));
    if (v.n < 8 || !str_starts(v, S("HTTP/")) || v.p[6] != '.' || v.p[5] < '0' || v.p[5] > '9' ||
        v.p[7] < '0' || v.p[7] > '9')
        return refuse(p, 400, "this is not HTTP/1.1");
    if (v.p[5] != '1' || v.p[7] > '1')
        return refuse(p, 505, "the version of HTTP is not 1.0 or 1.1");
    p->out->minor = v.p[7] - '0';
    p->at += 8;
    return ERR_NONE;
}

static err_code line_end(struct parse *p)
{
    if (p->end - p->at < 2 || p->at[0] != '\r' || p->at[1] != '\n')
        return refuse(p, 400, "the first line is malformed");
    p->at += 2;
    return ERR_NONE;
}

/* --- requests --- */

static str upto_blank(struct parse *p)
{
    char *start = p->at;
    char *blank = memchr(start, ' ', (size_t)(p->end - start));
    if (!blank)
        return STR_NONE;
    p->at = blank + 1;
    return str_of(start, (size_t)(blank - start));
}

static err_code request_line(struct parse *p)
{
    struct http_head *h = &p->out->head;
    h->method = upto_blank(p);
    if (!http_name_is_valid(h->method))
        return refuse(p, 400, "the method is malformed");
    h->target = upto_blank(p);
    if (!h->target.n)
        return refuse(p, 400, "the first line is malformed");
    if (version_parse(p))
        return p->err->code;
    return line_end(p);
}

static bool take_prefix_nocase(str *s, str prefix)
{
    if (!str_eq_nocase(str_slice(*s, 0, prefix.n), prefix))
        return false;
    *s = str_from(*s, prefix.n);
    return true;
}

/* "http://host:port/path?query" becomes authority and target; true if it was of that form. */
static bool absolute_form(struct parse *p)
{
    struct http_head *h = &p->out->head;
    str rest = h->target;
    if (take_prefix_nocase(&rest, S("http://")))
        h->scheme = S("http");
    else if (take_prefix_nocase(&rest, S("https://")))
        h->scheme = S("https");
    else
        return false;
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    h->authority = str_slice(rest, 0, n);
    str path = str_from(rest, n);
    if (!path.n)
        h->target = str_is(h->method, "OPTIONS") ? S("*") : S("/");
    else
        h->target = path.p[0] == '/' ? path : str_concat(p->arena, S("/"), path);
    return h->authority.n > 0;
}

static err_code target_parse(struct parse *p)
{
    struct http_head *h = &p->out->head;
    if (str_is(h->method, "CONNECT"))
        return refuse(p, 501, "this is not a proxy");
    h->authority = p->host;
    if (h->target.p[0] != '/' && !str_is(h->target, "*") && !absolute_form(p))
        return refuse(p, 400, "the request target is malformed");
    if (!http_target_is_valid(h->target) || (str_is(h->target, "*") && !str_is(h->method, "OPTIONS")))
        return refuse(p, 400, "the request target is malformed");
    if (!http_authority_is_valid(h->authority) || !http_authority_is_valid(p->host))
        return refuse(p, 400, "the host is malformed");
    return ERR_NONE;
}

err_code http1_parse_request(struct arena *a, const struct http_limits *limits, char *text, size_t n,
                             size_t line_count, struct http1_head *ret, struct err *err)
{
    *ret = (struct http1_head){.head.content_length = -1};
    struct parse p = {.arena = a, .limits = limits, .at = text, .end = text + n, .out = ret, .err = err};
    if (request_line(&p) || fields_parse(&p, line_count - size_min(line_count, 2)) || framing_check(&p))
        return err->code;
    if (p.host_count > 1 || (ret->minor == 1 && !p.host_count))
        return refuse(&p, 400,
                      p.host_count ? "there are several host headers" : "the host header is missing");
    if (target_parse(&p))
        return err->code;
    if (ret->minor == 0) {
        /* HTTP/1.0 knew neither; a proxy may have passed them on without understanding (RFC 9110, 7.8 and 10.1.1). */
        ret->head.expect_continue = false;
        return ERR_NONE;
    }
    if (p.has_other_expect)
        return refuse(&p, 417, "the expectation is not known");
    ret->head.upgrade = p.says_upgrade ? p.upgrade : STR_NONE;
    return ERR_NONE;
}

/* --- responses --- */

static err_code status_line(struct parse *p)
{
    if (version_parse(p))
        return p->err->code;
    if (p->end - p->at < 4 || p->at[0] != ' ')
        return refuse(p, 400, "the first line is malformed");
    uint64_t status;
    if (!str_parse_u64(str_of(p->at + 1, 3), &status) || status < 100)
        return refuse(p, 400, "the status is malformed");
    p->out->head.status = (int)status;
    p->at += 4;
    if (p->at < p->end && *p->at == ' ')
        p->at += http_value_prefix(p->at, (size_t)(p->end - p->at)); /* a phrase nobody should act on */
    return line_end(p);
}

err_code http1_parse_response(struct arena *a, const struct http_limits *limits, char *text, size_t n,
                              size_t line_count, struct http1_head *ret, struct err *err)
{
    *ret = (struct http1_head){.head.content_length = -1};
    struct parse p = {.arena = a, .limits = limits, .at = text, .end = text + n, .out = ret, .err = err};
    if (status_line(&p) || fields_parse(&p, line_count - size_min(line_count, 2)) || framing_check(&p))
        return err->code;
    ret->head.expect_continue = false;
    ret->head.upgrade = p.says_upgrade ? p.upgrade : STR_NONE;
    return ERR_NONE;
}

err_code http1_parse_trailers(struct arena *a, const struct http_limits *limits, char *text, size_t n,
                              size_t line_count, const struct http_header **ret, size_t *ret_count,
                              struct err *err)
{
    struct http1_head ignored = {0};
    struct parse p = {.arena = a, .limits = limits, .at = text, .end = text + n, .out = &ignored, .err = err};
    if (fields_parse(&p, line_count - size_min(line_count, 1)))
        return err->code;
    *ret = p.headers;
    *ret_count = p.header_count;
    return ERR_NONE;
}
