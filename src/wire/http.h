/* http.h - HTTP, whichever version: a connection is an engine that eats bytes and gives events, takes commands and gives
 * bytes. It does no I/O, knows no time, and has both roles. Behind it stand http1.c and http2.c; who stands on it (the
 * API server, the client, gRPC, the node agent's own API) does not see which.
 *
 *     bytes in  -> http_conn_feed()  -> handler: on_head, on_body, on_end, on_reset, on_room
 *     commands  -> http_request(), http_send_head(), http_send_body() ... -> http_conn_output() -> bytes out
 *
 * One request and its answer are an exchange. Handlers run inside feed, feed_end, lost, output and written (or inside a
 * command that fails an exchange); they may give any command, on any exchange of the connection, free exchanges, but not the
 * connection.
 *
 * Memory: an exchange and everything reached from the heads it delivered live until http_exchange_free; the engine never
 * frees one by itself once it was handed to the owner. An owner may free it as soon as it gave its last command: what
 * was queued before still goes out. Body bytes handed to on_body are borrowed for the call.
 * Back pressure inward: body bytes count against the exchange's window until http_consumed(); HTTP/2 then stops that
 * stream only, HTTP/1.1 the connection (feed takes fewer bytes). Outward: http_send_body accepts anything and counts it;
 * http_queued tells how much waits; on_room is called when it falls below limits.queue_low after having been above.
 * HTTP/1.1 pipelining: requests are served one after the other; the next is read once the answer before it was given
 * (http_send_end), so feed takes fewer bytes until then.
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

/* Request or response head, delivered and sent. Connection-level headers (connection, proxy-connection,
 * transfer-encoding, content-length, keep-alive, upgrade, host, expect, :pseudo) are not in `headers`: the fields below
 * stand for them, and sending one of them by name is refused. */
struct http_head {
    /* Request. target is path and query, undecoded, never empty: it starts with '/', or is "*" with OPTIONS. scheme is
     * empty when it was not said (HTTP/1.1 mostly). */
    str method, target, authority, scheme;
    /* Response; 0 in a request. 1xx heads are delivered as they come, before the final one. */
    int status;
    const struct http_header *headers;
    size_t header_count;
    int64_t content_length; /* -1: not said (sending: chunked, or until the end of the connection) */
    str upgrade;            /* protocol asked for, or agreed to with 101; HTTP/1.1 only */
    bool expect_continue; /* request: the client waits for http_continue (or a final answer) with its body */
};
/* First header of that (lower case) name; STR_NONE when absent. */
str http_header_find(const struct http_head *h, str name);
/* True if `token` is an element of that comma separated list header, on whichever of its lines; case does not count. */
bool http_header_has_token(const struct http_head *h, str name, str token);

/* Each may be NULL. None is called once the owner freed the exchange. */
struct http_handler {
    /* A request came (server), an answer came (client; also 1xx). `end`: no body follows. */
    void (*on_head)(void *ctx, struct http_exchange *x, const struct http_head *head, bool end);
    void (*on_body)(void *ctx, struct http_exchange *x, str data);
    /* The other side is done sending; trailers may be empty. After an upgrade: it closed its half. */
    void (*on_end)(void *ctx, struct http_exchange *x, const struct http_header *trailers,
                   size_t trailer_count);
    /* The exchange is over before its time, for the reason given: commands on it do nothing from now on. Not called for
     * an exchange that both sides had finished, nor for the owner's own cancel.
     * AGAIN: the peer did not look at the request, it can be sent again (HTTP/2). CANCELED, INTERNAL, TOO_MANY_REQUESTS,
     * UNSUPPORTED, UNAVAILABLE: as the peer says. CLOSED: the connection, or the peer needs no more of what we send.
     * PROTOCOL, TOO_LARGE: what came was wrong. */
    void (*on_reset)(void *ctx, struct http_exchange *x, const struct err *why);
    void (*on_room)(void *ctx, struct http_exchange *x);
    /* Server, HTTP/1.1: the peer closed its half while its request was being answered. Nearly always it is gone and
     * nobody waits: long answers (watches, logs) should cancel, short ones just finish. */
    void (*on_half_closed)(void *ctx, struct http_exchange *x);
    void *ctx;
};

struct http_limits {         /* 0 gives the default */
    size_t head_size_max;    /* request line and headers; 64 KiB */
    size_t header_count_max; /* 256 */
    size_t window;           /* body bytes not yet consumed, per exchange; 256 KiB */
    /* HTTP/2: what may be in flight on the connection. Also what the windows of all its exchanges may grow by together:
     * on a server each starts with 64 KiB at most and grows to `window` while its owner keeps up. 1 MiB */
    size_t conn_window;
    size_t queue_low;        /* see on_room; 64 KiB */
    unsigned exchange_max;   /* at once; 250 (HTTP/2), 1 in progress and 16 waiting (HTTP/1.1 pipelining) */
    unsigned reset_rate_max; /* HTTP/2: requests reset before their answer began, per 1,000 opened, before the
                                 connection ends (rapid reset); 500, never below 100 in all */
    size_t
        control_queue_max; /* HTTP/2: frames that call for a reply and wait for it (ping and settings floods); 1,000 */
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

/* For servers on plain text: whether a connection begins with HTTP/2's preface. PARTLY: more bytes have to come to tell. */
enum http_preface { HTTP_PREFACE_NO, HTTP_PREFACE_PARTLY, HTTP_PREFACE_YES };
enum http_preface http_preface_look(str first_bytes);

/* --- bytes --- */
/* Takes bytes; fewer than given only on HTTP/1.1, when an exchange's window is full or a request came before the one
 * ahead of it was answered: feed the rest again when http_conn_wants_input() is true. An error is final for the
 * connection: write out what http_conn_output still has (an error answer, GOAWAY), then close; live exchanges were
 * reset. Code: PROTOCOL, or TOO_LARGE when a limit was broken. After an error or the end bytes are taken and forgotten. */
err_code http_conn_feed(struct http_conn *c, str bytes, size_t *ret_used, struct err *err);
/* The peer closed its half (orderly), everything it sent was taken by feed. HTTP/1.1 answers without a length end here.
 * CLOSED: it did so in the middle of something, which was reset. */
err_code http_conn_feed_end(struct http_conn *c, struct err *err);
/* The connection broke (its stream failed, the peer is silent): live exchanges are reset for that reason. Nothing more
 * goes in or out. */
void http_conn_lost(struct http_conn *c, const struct err *why);
/* Up to part_max pieces to write now, borrowed until the next call on the connection, which has to be http_conn_written
 * if any of it went out. 0: nothing. */
size_t http_conn_output(struct http_conn *c, str *parts, size_t part_max);
void http_conn_written(struct http_conn *c, size_t n);
/* False: nothing the peer could send is wanted now (HTTP/1.1 with a full window, or with a pipelined request that feed
 * did not take): stop reading the socket. */
bool http_conn_wants_input(const struct http_conn *c);
/* Nothing more will happen: close it once the output is written. */
bool http_conn_is_over(const struct http_conn *c);
/* Nothing more will be sent: once the output is written, shut our half down. The peer may still be sending (the rest of
 * a request answered early, a tunnel half closed): reading on for a moment keeps a reset from eating the last answer. */
bool http_conn_output_ended(const struct http_conn *c);
/* Live exchanges (on the server: from the first byte of a request on; to the last byte of the answer written and the
 * owner's free): 0 means idle, for idle time-outs. */
size_t http_conn_exchange_count(const struct http_conn *c);
/* Server: a request's head has begun to come and is not whole; on HTTP/2 also: its preface has not come. What time-outs
 * for heads watch. */
bool http_conn_is_in_head(const struct http_conn *c);
/* Gives back memory kept for the next exchanges (some KiB each): for connections that have been idle for seconds. */
void http_conn_trim(struct http_conn *c);
/* Orderly end: no new exchanges, running ones finish (GOAWAY; "connection: close"). */
void http_conn_drain(struct http_conn *c);
/* The owner's clock says that the peer takes too long: a request still coming in is answered with 408 (and reset), an
 * answer still coming in is reset, and the connection ends as with drain. (HTTP/2, where one exchange does not hold up
 * another: only a head that does not come to its end is meant; without one this is drain.) */
void http_conn_time_out(struct http_conn *c);
/* `wake(ctx)` is called at the end of every call on the connection or one of its exchanges that was not made from a
 * handler: there may be output now. For whoever writes it out, so that who gives commands need not know him. It must not
 * call the connection. NULL: nobody. */
void http_conn_set_wake(struct http_conn *c, void (*wake)(void *ctx), void *ctx);
/* HTTP/2 only; elsewhere nothing. The answer shows as http_conn_pongs() going up: liveness of a silent peer. */
void http_conn_ping(struct http_conn *c);
uint64_t http_conn_pongs(const struct http_conn *c);

/* --- exchanges --- */
/* Client. The head is copied. NULL with err: AGAIN (as many as the server allows are running: try when one ended),
 * CLOSED (the connection is ending), INVALID (a name or value that cannot be sent). HTTP/1.1: one at a time. */
struct http_exchange *http_request(struct http_conn *c, const struct http_head *head, bool end,
                                   struct http_handler handler, struct err *err);
/* Server: 1xx any number of times (at most 16), then the final head once. Copied. INVALID: a name or value that cannot
 * be sent, or not now (nothing was). CLOSED: the exchange is over. After a 101 (HTTP/1.1, asked for, the request
 * complete) the exchange is a tunnel: body bytes both ways are the new protocol's. */
err_code http_send_head(struct http_exchange *x, const struct http_head *head, bool end, struct err *err);
/* Server: sends "100 Continue" if the client waits for it; else nothing. For when the body is wanted. */
void http_continue(struct http_exchange *x);
/* Body after the final head. What no body belongs to (HEAD, 204, 304) drops it, so an owner need not care. More than the
 * head declared is cut off, less at the end cancels: both are our bugs and must not shift the peer's framing. Copies. */
void http_send_body(struct http_exchange *x, str data);
/* Borrows `data` until `release(obj)` is called, which happens exactly once: when it was written or dropped, at the
 * latest in http_conn_free. release may be NULL (constant data). */
void http_send_body_ref(struct http_exchange *x, str data, void (*release)(void *obj), void *obj);
/* Our side is done. Trailers (copied): HTTP/2, and chunked HTTP/1.1; elsewhere dropped. */
void http_send_end(struct http_exchange *x, const struct http_header *trailers, size_t trailer_count);
/* Ends it at once: HTTP/2 resets the stream (CANCEL from a client, INTERNAL_ERROR after a started answer, NO_ERROR after
 * a whole one), HTTP/1.1 has to give up the connection unless everything was sent and read. A whole answer still goes
 * out: this is how a server says that it does not want the rest of a request (HTTP/1.1 then reads away at most
 * limits.window bytes of it before giving up the connection). */
void http_exchange_cancel(struct http_exchange *x);
size_t http_queued(const struct http_exchange *x); /* body bytes not yet written */
void http_consumed(struct http_exchange *x, size_t n);
/* The owner's last word; cancels when it is not over (see there). NULL is fine. */
void http_exchange_free(struct http_exchange *x);

struct http_conn *http_exchange_conn(struct http_exchange *x); /* NULL once the connection was freed */
struct arena *http_exchange_arena(struct http_exchange *x);    /* lives as long as the exchange */
void http_exchange_set_handler(struct http_exchange *x,
                               struct http_handler handler); /* per exchange from now on */
bool http_exchange_is_over(const struct http_exchange *x);   /* both sides finished, or reset */

/* --- targets and forms --- */
/* Splits a target at '?', percent-decodes the path (refusing %00, bad escapes and invalid UTF-8: BAD_REQUEST). The path
 * borrows from the target when nothing was escaped. Path segments that are "." or ".." are left for the router to
 * refuse. */
err_code http_target_split(struct arena *a, str target, str *ret_path, str *ret_query, struct err *err);
/* Next "name=value" of a query, both decoded ('+' is a space) and checked as a path is, in the order they stand; empty
 * ones are skipped. False: no more, or err->code (ERR_NONE at the first call) is set. */
bool http_query_next(struct arena *a, str *rest, str *ret_name, str *ret_value, struct err *err);

#endif
