/* http1_side_test.h - one end of an HTTP/1.1 connection for tests: an owner that logs what it is told and follows a plan,
 * fed with bytes in any splits. */
#ifndef WIRE_HTTP1_SIDE_TEST_H
#define WIRE_HTTP1_SIDE_TEST_H

#include "wire/http_priv.h"

enum plan {
    PLAN_ECHO,         /* answers at the end of the request, with the request's body or its target */
    PLAN_HOLD,         /* waits to be told */
    PLAN_AT_HEAD,      /* answers at the head and gives up the exchange, whatever follows */
    PLAN_KEEP_AT_HEAD, /* the same, but goes on reading */
    PLAN_SWITCH,       /* 101 when asked, and echoes in the tunnel */
    PLAN_FREE_AT_HEAD, /* frees without an answer */
    PLAN_FREE_AT_BODY,
    PLAN_FREE_AT_END,
    PLAN_COUNT,
};

struct side {
    struct http_conn *c;
    enum plan plan;
    bool is_lazy;            /* never consumes */
    struct http_exchange *x; /* the one that came last and was not freed */
    struct buf log, body, out;
    str pending; /* not taken by feed */
    struct err err;
    size_t head_count;
};

void side_init(struct side *s, bool is_server, enum plan plan, const struct http_limits *limits);
void side_done(struct side *s);
struct http_handler side_handler(struct side *s);
void side_answer(struct side *s, int status, str body);
void side_request_full(struct side *s, const struct http_head *head, bool end);
void side_request(struct side *s, const char *method); /* of "/" at "h", without a body */
void side_free(struct side *s);                        /* its exchange */

/* Writes what there is to s->out, part_max pieces and write_max bytes a time. */
void side_flush_in(struct side *s, size_t part_max, size_t write_max);
void side_flush(struct side *s);
/* Feeds a copy of the exact size, so that reading on is seen; true when all was taken. */
bool side_feed_piece(struct side *s, str bytes);
/* In pieces of `size` bytes (0: whole), writing after each. Stops at what is not taken. */
void side_feed_in(struct side *s, str bytes, size_t size);
void side_feed(struct side *s, const char *bytes);

/* What was logged or written since the last time. */
void side_expect_log(struct side *s, const char *want);
void side_expect_out(struct side *s, const char *want);

#define HOST "Host: h\r\n"
#define GET  "GET / HTTP/1.1\r\n" HOST "\r\n"
#define GOT  "GET / at 'h' end\n"
#define OK1  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n/"

#endif
