/* http1_format.c - heads of HTTP/1.1 to bytes. Names and values were checked before: nothing here can end a line. */
#include "wire/http1_priv.h"

enum {
    FIXED_SIZE_MAX = 256
}; /* start line without method and target, and the fields written here, values apart */

/* Sized before it is written: `end` is only there to prove it. */
struct out {
    char *start, *at, *end;
};

static struct out out_begin(struct arena *a, str before, const struct http_head *h)
{
    size_t n = before.n + FIXED_SIZE_MAX + h->method.n + h->target.n + h->authority.n + h->upgrade.n;
    for (size_t i = 0; i < h->header_count; i++)
        n += h->headers[i].name.n + h->headers[i].value.n + 4;
    char *p = arena_alloc(a, n, 1);
    if (before.n)
        memcpy(p, before.p, before.n);
    return (struct out){p, p + before.n, p + n};
}

static void add(struct out *o, str s)
{
    ASSERT(s.n <= (size_t)(o->end - o->at));
    if (s.n)
        memcpy(o->at, s.p, s.n);
    o->at += s.n;
}

static void add_number(struct out *o, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    add(o, str_of(digits + at, sizeof digits - at));
}

static void add_field(struct out *o, str name, str value)
{
    add(o, name);
    add(o, S(": "));
    add(o, value);
    add(o, S("\r\n"));
}

static void add_fields(struct out *o, const struct http_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_field(o, headers[i].name, headers[i].value);
}

static str out_end(struct out *o)
{
    add(o, S("\r\n"));
    return str_of(o->start, (size_t)(o->at - o->start));
}

static void add_framing(struct out *o, const struct http_head *h, struct http1_framing f)
{
    str connection = f.connection == HTTP1_CONN_CLOSE        ? S("close")
                     : f.connection == HTTP1_CONN_KEEP_ALIVE ? S("keep-alive")
                                                             : STR_NONE;
    if (connection.n || h->upgrade.n) {
        add(o, S("Connection: "));
        add(o, connection);
        add(o, !h->upgrade.n ? S("\r\n") : connection.n ? S(", Upgrade\r\n") : S("Upgrade\r\n"));
    }
    if (h->upgrade.n)
        add_field(o, S("Upgrade"), h->upgrade);
    if (f.is_chunked)
        add(o, S("Transfer-Encoding: chunked\r\n"));
    if (f.length >= 0) {
        add(o, S("Content-Length: "));
        add_number(o, (uint64_t)f.length);
        add(o, S("\r\n"));
    }
}

str http1_format_request(struct arena *a, str before, const struct http_head *h, struct http1_framing f)
{
    struct out o = out_begin(a, before, h);
    add(&o, h->method);
    add(&o, S(" "));
    add(&o, h->target);
    add(&o, S(" HTTP/1.1\r\n"));
    add_field(&o, S("Host"), h->authority);
    add_fields(&o, h->headers, h->header_count);
    if (h->expect_continue && (f.is_chunked || f.length > 0))
        add(&o, S("Expect: 100-continue\r\n"));
    add_framing(&o, h, f);
    return out_end(&o);
}

static str reason(int status)
{
    switch (status) {
    case 100: return S("Continue");
    case 101: return S("Switching Protocols");
    case 103: return S("Early Hints");
    case 200: return S("OK");
    case 201: return S("Created");
    case 202: return S("Accepted");
    case 204: return S("No Content");
    case 206: return S("Partial Content");
    case 301: return S("Moved Permanently");
    case 302: return S("Found");
    case 303: return S("See Other");
    case 304: return S("Not Modified");
    case 307: return S("Temporary Redirect");
    case 308: return S("Permanent Redirect");
    case 400: return S("Bad Request");
    case 401: return S("Unauthorized");
    case 403: return S("Forbidden");
    case 404: return S("Not Found");
    case 405: return S("Method Not Allowed");
    case 406: return S("Not Acceptable");
    case 408: return S("Request Timeout");
    case 409: return S("Conflict");
    case 410: return S("Gone");
    case 411: return S("Length Required");
    case 412: return S("Precondition Failed");
    case 413: return S("Request Entity Too Large");
    case 414: return S("Request URI Too Long");
    case 415: return S("Unsupported Media Type");
    case 416: return S("Requested Range Not Satisfiable");
    case 417: return S("Expectation Failed");
    case 422: return S("Unprocessable Entity");
    case 425: return S("Too Early");
    case 426: return S("Upgrade Required");
    case 429: return S("Too Many Requests");
    case 431: return S("Request Header Fields Too Large");
    case 500: return S("Internal Server Error");
    case 501: return S("Not Implemented");
    case 502: return S("Bad Gateway");
    case 503: return S("Service Unavailable");
    case 504: return S("Gateway Timeout");
    case 505: return S("HTTP Version Not Supported");
    case 507: return S("Insufficient Storage");
    }
    return STR_NONE;
}

static void add_status_line(struct out *o, int status)
{
    add(o, S("HTTP/1.1 "));
    add_number(o, (uint64_t)status);
    add(o, S(" "));
    add(o, reason(status));
    add(o, S("\r\n"));
}

str http1_format_response(struct arena *a, str before, const struct http_head *h, struct http1_framing f)
{
    struct out o = out_begin(a, before, h);
    add_status_line(&o, h->status);
    add_fields(&o, h->headers, h->header_count);
    add_framing(&o, h, f);
    return out_end(&o);
}

str http1_format_trailers(struct arena *a, const struct http_header *trailers, size_t trailer_count)
{
    if (!trailer_count)
        return S("0\r\n\r\n");
    struct out o = out_begin(a, STR_NONE,
                             &(struct http_head){.headers = trailers, .header_count = trailer_count});
    add(&o, S("0\r\n"));
    add_fields(&o, trailers, trailer_count);
    return out_end(&o);
}

str http1_format_refusal(struct arena *a, int status, const char *why, bool with_body)
{
    str phrase = reason(status);
    str body = str_format(a, "%d %" STR_FMT ": %s\n", status, STR_ARG(phrase), why);
    const struct http_header type = {S("Content-Type"), S("text/plain; charset=utf-8")};
    str head = http1_format_response(
        a, STR_NONE, &(struct http_head){.status = status, .headers = &type, .header_count = 1},
        (struct http1_framing){.connection = HTTP1_CONN_CLOSE, .length = (int64_t)body.n});
    return with_body ? str_concat(a, head, body) : head;
}
