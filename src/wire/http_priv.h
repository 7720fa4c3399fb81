/* http_priv.h - what http1.c and http2.c share: the base of connection and exchange, and the queue of body pieces. */
#ifndef WIRE_HTTP_PRIV_H
#define WIRE_HTTP_PRIV_H

#include "wire/http.h"

struct http_conn_ops {
    err_code (*feed)(struct http_conn *c, str bytes, size_t *ret_used, struct err *err);
    err_code (*feed_end)(struct http_conn *c, struct err *err);
    size_t (*output)(struct http_conn *c, str *parts, size_t part_max);
    void (*written)(struct http_conn *c, size_t n);
    bool (*wants_input)(const struct http_conn *c);
    bool (*is_over)(const struct http_conn *c);
    void (*drain)(struct http_conn *c);
    void (*ping)(struct http_conn *c);
    void (*free)(struct http_conn *c);

    struct http_exchange *(*request)(struct http_conn *c, const struct http_head *head, bool end,
                                     struct http_handler handler, struct err *err);
    err_code (*send_head)(struct http_exchange *x, const struct http_head *head, bool end, struct err *err);
    void (*send_body)(struct http_exchange *x); /* pieces were queued */
    void (*send_end)(struct http_exchange *x, const struct http_header *trailers, size_t trailer_count);
    void (*cancel)(struct http_exchange *x);
    void (*consumed)(struct http_exchange *x, size_t n);
    void (*exchange_free)(struct http_exchange *x);
};

struct http_conn {
    const struct http_conn_ops *ops;
    enum http_version version;
    bool is_server;
    struct http_limits limits; /* defaults filled in */
    struct http_handler handler;
    struct http_exchange *exchanges; /* all that live, newest first */
    size_t exchange_count;
    uint64_t pongs;
};

/* A piece of body waiting to be written. */
struct http_piece {
    struct http_piece *next;
    str data; /* what is left of it */
    void (*release)(void *obj);
    void *obj;
};

struct http_exchange {
    struct http_conn *conn; /* NULL: the connection is gone */
    struct http_exchange *next, *prev;
    struct http_handler handler;
    struct arena arena;
    struct http_piece *first, *last;
    size_t queued; /* bytes in pieces */
    size_t unread; /* delivered to on_body and not yet consumed */
    bool was_full; /* queued has been at or above queue_low since on_room was last called */
    bool is_over, was_reset;
};

/* Links a new exchange (allocated by the engine with room for its own fields behind the base). */
void http_exchange_init(struct http_exchange *x, struct http_conn *c, struct http_handler handler);
/* Marks it reset and tells its handler, once. */
void http_exchange_reset(struct http_exchange *x, const struct err *why);
/* Takes n written bytes off the queue, releasing pieces, and calls on_room when due. */
void http_pieces_written(struct http_exchange *x, size_t n);
void http_limits_fill(struct http_limits *l);
/* A token (RFC 9110) / a field value without CR, LF, NUL and other controls. */
bool http_name_is_valid(str name);
bool http_value_is_valid(str value);

#endif
