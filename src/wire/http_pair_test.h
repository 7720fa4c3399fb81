/* http_pair_test.h - for tests: two HTTP connections joined by memory, an owner that writes down what happens to an
 * exchange, and HTTP/2 frames to and from text. */
#ifndef WIRE_HTTP_PAIR_TEST_H
#define WIRE_HTTP_PAIR_TEST_H

#include "wire/http.h"

/* What one puts out the other is fed, cut at random. */
struct http_pair {
    struct http_conn *server, *client;
    uint64_t random;
    struct buf errors; /* "server: PROTOCOL: ..." for each feed that failed */
    bool is_deaf[2];   /* the server's, the client's output is lost */
};
void http_pair_init(struct http_pair *p, enum http_version v, const struct http_limits *server_limits,
                    const struct http_limits *client_limits, struct http_handler server_handler);
void http_pair_done(struct http_pair *p); /* for CLEANUP too */
/* Some bytes each way; false: there were none. */
bool http_pair_step(struct http_pair *p);
/* Until neither has anything to say. */
void http_pair_run(struct http_pair *p);
size_t http_pair_random(struct http_pair *p, size_t below);

/* What a connection has to say, whole: added to `to` (NULL: lost), or fed to another one, which must take it. */
void http_take(struct http_conn *c, struct buf *to);
void http_carry(struct http_conn *from, struct http_conn *to);

/* Owner of one exchange. Lines: "head 200 name=value\n", "end name=value\n", "reset CODE: why\n", "room\n". */
struct http_watch {
    struct http_exchange *x;
    struct buf text;
    struct buf body;
    int status;
    bool ended, was_reset;
    bool is_lazy; /* does not consume */
    const char
        *frees_at; /* the event in which it frees the exchange: "head", "body", "end", "reset", "room" */
};
void http_watch_init(struct http_watch *w);
void http_watch_done(struct http_watch *w); /* frees the exchange too */
struct http_handler http_watch_handler(struct http_watch *w);
/* Sends GET `target` (or `method`); fails the test when refused. */
void http_watch_get(struct http_watch *w, struct http_conn *client, str target);
void http_watch_request(struct http_watch *w, struct http_conn *client, str method, str target, bool end);

/* Lines of text as HTTP/2 frames: "TYPE STREAM FLAGS PAYLOAD". TYPE: DATA HEADERS PRIORITY RST SETTINGS PUSH PING GOAWAY
 * WINDOW CONT, or a number. FLAGS: "-", or of ES EH PAD PRI ACK joined by ','. PAYLOAD: text for DATA, name=value pairs
 * for HEADERS and CONT, else hex. "PREFACE" alone is the client's preface with empty settings, "*N" before a line repeats
 * it, "RAW hex" is just those bytes. */
void http2_frames_add(struct buf *b, str lines);
/* And back, one line each: "HEADERS 1 ES,EH", "RST 1 PROTOCOL_ERROR", "GOAWAY 0 NO_ERROR", ... */
void http2_frames_print(struct buf *to, str bytes);

#endif
