/* http1_priv.h - between the files of HTTP/1.1: heads from bytes (http1_parse.c), heads to bytes (http1_format.c), the
 * engine (http1.c). */
#ifndef WIRE_HTTP1_PRIV_H
#define WIRE_HTTP1_PRIV_H

#include "wire/http_priv.h"

/* --- bytes to heads --- */

/* Looks for the end of a head in bytes that may come in any splits. Zero is the start. */
struct http1_scan {
    size_t at;    /* bytes looked at */
    size_t lines; /* line ends among them */
};
/* True: *ret_end bytes are the head, the empty line included. Two line feeds with at most one byte between end it too,
 * which the parsers then refuse: nobody waits for the rest of a head that is wrong. `trailers`: there is no start line,
 * so an empty line may come first. */
bool http1_scan_end(struct http1_scan *s, const char *p, size_t n, bool trailers, size_t *ret_end);

struct http1_head {
    struct http_head head; /* content_length: -1 when not said */
    int minor;             /* HTTP/1.minor, 0 or 1 */
    bool is_chunked;
    bool says_close, says_keep_alive;
    int refuse_status; /* when parsing failed: what a server should answer */
};
/* `text` is one head as http1_scan_end found it, in the arena; it is changed (names to lower case) and borrowed from.
 * PROTOCOL or TOO_LARGE; messages contain nothing of the text. */
err_code http1_parse_request(struct arena *a, const struct http_limits *limits, char *text, size_t n,
                             size_t line_count, struct http1_head *ret, struct err *err);
err_code http1_parse_response(struct arena *a, const struct http_limits *limits, char *text, size_t n,
                              size_t line_count, struct http1_head *ret, struct err *err);
/* Fields that have no place in trailers (framing, routing) are left out. */
err_code http1_parse_trailers(struct arena *a, const struct http_limits *limits, char *text, size_t n,
                              size_t line_count, const struct http_header **ret, size_t *ret_count,
                              struct err *err);

/* --- heads to bytes --- */

enum http1_connection { HTTP1_CONN_UNSAID, HTTP1_CONN_CLOSE, HTTP1_CONN_KEEP_ALIVE };
struct http1_framing {
    enum http1_connection connection;
    bool is_chunked;
    int64_t length; /* -1: not said */
};
/* In the arena; `before` (bytes not yet written) stands in front. Heads were checked (http_head_check). */
str http1_format_request(struct arena *a, str before, const struct http_head *h, struct http1_framing f);
str http1_format_response(struct arena *a, str before, const struct http_head *h, struct http1_framing f);
/* What follows the last chunk. */
str http1_format_trailers(struct arena *a, const struct http_header *trailers, size_t trailer_count);
/* A whole answer that says why a request is refused, and that the connection ends. */
str http1_format_refusal(struct arena *a, int status, const char *why, bool with_body);

#endif
