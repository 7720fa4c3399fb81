/* http_pump.h - drives an HTTP connection over a stream: reads and feeds, writes what there is to write, watches the
 * clock, closes when it is over. Both roles, both versions, any stream (TCP, Unix, TLS, simulated).
 *
 *     server, in on_accept:  http_pump_server(stream, &limits, handler, NULL, pump_handler)
 *     client:                http_pump_client(stream, http_conn_new_client(HTTP_2, NULL), NULL, pump_handler)
 *                            http_request(http_pump_conn(p), ...): may be given before the stream is connected
 *
 * Who gives commands on exchanges need not know the pump: it is woken by the connection and writes at the end of the turn,
 * everything of that turn at once.
 * Memory: the pump owns the stream and the connection. It ends in one way: live exchanges are reset, `on_closed` is called,
 * everything is freed. on_closed runs in a later step of the loop, never inside a call into this header.
 * Limits: what it holds itself is at most 64 KiB of input that the connection did not take (HTTP/1.1), and nothing while
 * idle. One turn moves at most 1 MiB each way, so that one connection does not starve others.
 * Threads: those of the stream's loop. */
#ifndef CLIENT_HTTP_PUMP_H
#define CLIENT_HTTP_PUMP_H

#include "sys/stream.h"
#include "wire/http.h"

struct http_pump;

/* Nanoseconds; 0: the default (server, client), HTTP_PUMP_NEVER: none. */
#define HTTP_PUMP_NEVER INT64_MAX
struct http_pump_times {
    int64_t connect_ns; /* client: until the stream is connected, TLS included; 10 s */
    int64_t
        head_ns; /* server: from the accept, later from its first byte, until a request's head is whole; 30 s */
    int64_t idle_ns;  /* no exchange: the connection is drained; 90 s, never */
    int64_t grace_ns; /* drained, without exchanges, and the peer took no notice: closed; 5 s */
    int64_t stall_ns; /* the other end takes nothing of what waits to be written; 30 s */
    /* HTTP/2, while exchanges are running: nothing came for ping_ns: ask; still nothing pong_ns later: lost. */
    int64_t ping_ns; /* 60 s, 30 s */
    int64_t pong_ns; /* 15 s */
};

struct http_pump_handler {
    /* The last event. why->code NONE: it ended in agreement; else why it broke: what the stream said, PROTOCOL and
     * TOO_LARGE from the connection, TIMEOUT, CANCELED after http_pump_close. */
    void (*on_closed)(void *ctx, struct http_pump *p, const struct err *why);
    void *ctx;
};

/* Takes over both. The stream may still be connecting. */
struct http_pump *http_pump_client(struct stream *s, struct http_conn *c, const struct http_pump_times *times,
                                   struct http_pump_handler handler);
/* Takes over the stream. Whether it is HTTP/2 shows in its first bytes, with TLS as without (a client that agreed on "h2"
 * begins with the preface). `http` serves each exchange; `limits` is copied, NULL: defaults. */
struct http_pump *http_pump_server(struct stream *s, const struct http_limits *limits,
                                   struct http_handler http, const struct http_pump_times *times,
                                   struct http_pump_handler handler);

/* NULL: a server that has not heard yet which version it is. */
struct http_conn *http_pump_conn(struct http_pump *p);
/* For its addresses, and for what TLS knows. NULL once it is closed. */
struct stream *http_pump_stream(struct http_pump *p);
/* Orderly: no new exchanges, closes after the last one. */
void http_pump_drain(struct http_pump *p);
/* At once; what was written and taken still goes out. Any number of times. */
void http_pump_close(struct http_pump *p);

#endif
