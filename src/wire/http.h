/* http.h - HTTP, whichever version: a connection is an engine that eats bytes and gives events, takes commands and gives
 * bytes. It does no I/O, knows no time, and has both roles. Behind it stand http1.c and http2.c; who stands on it (the
 * API server, the client, gRPC, the node agent's own API) does not see which.
 *
 *     bytes in  -> http_conn_feed()  -> handler: on_head, on_body, on_end, on_reset, on_room
 *     commands  -> http_request(), http_send_head(), http_send_body() ... -> http_conn_output() -> bytes out
 *
 * One request and its answer are an exchange. Handlers run inside feed (or inside a command that fails it); they may give
 * any command, on any exchange of the connection, but must not free the connection.
 *
 * Memory: an exchange and everything reached from the heads it delivered live until http_exchange_free; the engine never
 * frees one by itself once it was handed to the owner. Body bytes handed to on_body are borrowed for the call.
 * Back pressure inward: body bytes count against the exchange's window until http_consumed(); HTTP/2 then stops that
 * stream only, HTTP/1.1 the connection (feed takes fewer bytes). Outward: http_send_body accepts anything and counts it;
 * http_queued tells how much waits; on_room is called when it falls below limits.queue_low after having been above.
 * Limits are from birth (struct http_limits); breaking one ends the exchange or the connection as the protocol says, with
 * the right status or error code on the wire.
 * Threads: one at a time. */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct http_conn;
struct http_exchange;

struct http_header {
    str name; /* lower case, as both versions deliver it; written as given */
    str value;
};

/* Request or response head, delivered and sent. Connection-level headers (connection, transfer-encoding, content-length,
 * keep-alive, upgrade, host, :pseudo) are not in `headers`: the fields below stand for them. */
struct http_head {
    /* Request. target is what stood on the line or in :path: path and query, undecoded, never empty. */
    str method, target, authority, scheme;
    /* Response; 0 in a request. 1xx heads are delivered as they come, before the final one. */
    int status;
    const struct http_header *headers;
    size_t header_count;
    int64_t content_length; /* -1: not said (sending: chunked, or until the end of the connection) */
    str upgrade;            /* protocol asked for, or agreed to with 101; HTTP/1.1 only */
    bool expect_continue;
};
/* First header of that (lower case) name; STR_NONE when absent. */
str http_header_find(const struct http_head *h, str name);
/* Calls itself on each element of a comma separated list header over all its lines: true if `token` is among them. */
bool http_header_has_token(const struct http_head *h, str name, str token);

struct http_handler {
    /* A request came (server), an answer came (client; also 1xx). `end`: no body follows. */
    void (*on_head)(void *ctx, struct http_exchange *x, const struct http_head *head, bool end);
    void (*on_body)(void *ctx, struct http_exchange *x, str data);
    /* The other side is done sending; trailers may be empty. After an upgrade: it closed its half. */
    void (*on_end)(void *ctx, struct http_exchange *x, const struct http_header *trailers,
                   size_t trailer_count);
    /* The exchange is over before its time, for the reason given: commands on it do nothing from now on. Not called for
     * an exchange that both sides had finished. */
    void (*on_reset)(void *ctx, struct http_exchange *x, const struct err *why);
    void (*on_room)(void *ctx, struct http_exchange *x);
    void *ctx;
};

struct http_limits {          /* 0 gives the default */
    size_t head_size_max;     /* request line and headers; 64 KiB */
    size_t header_count_max;  /* 256 */
    size_t window;            /* body bytes not yet consumed, per exchange; 256 KiB */
    size_t conn_window;       /* all exchanges of a connection; 1 MiB (HTTP/2) */
    size_t queue_low;         /* see on_room; 64 KiB */
    unsigned exchange_max;    /* at once; 250 (HTTP/2), 1 in progress and 16 waiting (HTTP/1.1 pipelining) */
    unsigned reset_rate_max;  /* streams reset by the peer per 1,000 opened before the connection ends (rapid
                                       reset); 500, never below 100 in all */
    size_t control_queue_max; /* control frames waiting to be written (ping and settings floods); 1,000 */
};

enum http_version { HTTP_1_1 = 1, HTTP_2 = 2 };

/* HTTP_2 needs prior knowledge (ALPN, or the preface on plain text). Server: `handler` serves each exchange. Client: each
 * request brings its own. */
struct http_conn *http_conn_new_server(enum http_version v, const struct http_limits *limits,
                                       struct http_handler handler);
struct http_conn *http_conn_new_client(enum http_version v, const struct http_limits *limits);
/* Exchanges still alive get no callback; free them before or after. */
void http_conn_free(struct http_conn *c);
enum http_version http_conn_version(const struct http_conn *c);

/* --- bytes --- */
/* Takes bytes; fewer than given only when an HTTP/1.1 exchange's window is full (feed the rest again after
 * http_consumed). An error is final for the connection: write out what http_conn_output still has (an error answer,
 * GOAWAY), then close; live exchanges were reset. */
err_code http_conn_feed(struct http_conn *c, str bytes, size_t *ret_used, struct err *err);
/* The peer closed its half (orderly). HTTP/1.1 answers without a length end here. */
err_code http_conn_feed_end(struct http_conn *c, struct err *err);
/* Up to part_max pieces to write now, borrowed until http_conn_written says how many bytes went out. 0: nothing. */
size_t http_conn_output(struct http_conn *c, str *parts, size_t part_max);
void http_conn_written(struct http_conn *c, size_t n);
/* False: nothing the peer could send is wanted now (HTTP/1.1 with a full window): stop reading the socket. */
bool http_conn_wants_input(const struct http_conn *c);
/* Nothing more will happen: close it once the output is written. */
bool http_conn_is_over(const struct http_conn *c);
/* Live exchanges (on the server: from the first byte of a request on): 0 means idle, for idle time-outs. */
size_t http_conn_exchange_count(const struct http_conn *c);
/* Orderly end: no new exchanges, running ones finish (GOAWAY; "connection: close"). */
void http_conn_drain(struct http_conn *c);
/* HTTP/2 only; elsewhere nothing. The answer shows as http_conn_pongs() going up: liveness of a silent peer. */
void http_conn_ping(struct http_conn *c);
uint64_t http_conn_pongs(const struct http_conn *c);

/* --- exchanges --- */
/* Client. The head is copied. NULL with err: AGAIN (as many as the server allows are running: try when one ended),
 * CLOSED (the connection is ending), INVALID (a name or value that cannot be sent). HTTP/1.1: one at a time. */
struct http_exchange *http_request(struct http_conn *c, const struct http_head *head, bool end,
                                   struct http_handler handler, struct err *err);
/* Server: 1xx any number of times, then the final head once. Copied. INVALID: a name or value that cannot be sent
 * (nothing was). After a 101 the exchange is a tunnel: body bytes both ways are the new protocol's. */
err_code http_send_head(struct http_exchange *x, const struct http_head *head, bool end, struct err *err);
/* Copies. */
void http_send_body(struct http_exchange *x, str data);
/* Borrows `data` until `release(obj)` is called, which happens exactly once, at the latest in http_exchange_free. */
void http_send_body_ref(struct http_exchange *x, str data, void (*release)(void *obj), void *obj);
/* Our side is done. Trailers: HTTP/2, and chunked HTTP/1.1. */
void http_send_end(struct http_exchange *x, const struct http_header *trailers, size_t trailer_count);
/* Ends it at once: HTTP/2 resets the stream (CANCEL from a client, INTERNAL_ERROR after a started answer, NO_ERROR after
 * a whole one), HTTP/1.1 has to give up the connection unless everything was sent and read. */
void http_exchange_cancel(struct http_exchange *x);
size_t http_queued(const struct http_exchange *x);
void http_consumed(struct http_exchange *x, size_t n);
/* The owner's last word; cancels when it is not over. NULL is fine. */
void http_exchange_free(struct http_exchange *x);

struct http_conn *http_exchange_conn(struct http_exchange *x); /* NULL once the connection was freed */
struct arena *http_exchange_arena(struct http_exchange *x);    /* lives as long as the exchange */
void http_exchange_set_handler(struct http_exchange *x,
                               struct http_handler handler); /* per exchange from now on */
bool http_exchange_is_over(const struct http_exchange *x);   /* both sides finished, or reset */

/* --- targets and forms --- */
/* Splits a target at '?', percent-decodes the path (refusing %00, bad escapes and invalid UTF-8). Path segments that are
 * "." or ".." are left for the router to refuse. */
err_code http_target_split(struct arena *a, str target, str *ret_path, str *ret_query, struct err *err);
/* Next "name=value" of a query, both decoded ('+' is a space), in the order they stand. False: no more, or err->code is
 * set. */
bool http_query_next(struct arena *a, str *rest, str *ret_name, str *ret_value, struct err *err);

#endif
