/* http_priv.h - what http1.c and http2.c share: the base of connection and exchange, and the queue of body pieces.
 *
 * Who frees: http.c counts how deep the engine is in calls (`busy`). http_exchange_free marks the exchange (is_freed, no
 * more callbacks), cancels it when it is not over, and hands it to ops->exchange_free as soon as no call of the engine is
 * on the stack: so an exchange the engine works on stays valid through any callback. From then on it is the engine's, which
 * calls http_exchange_destroy when nothing of it waits to be written. */
#ifndef WIRE_HTTP_PRIV_H
#define WIRE_HTTP_PRIV_H

#include "wire/http.h"

/* http.c has done what is common before it calls one of these: arguments checked (http_head_check), the exchange is not
 * over and its connection lives. Engines set the fields of the base that say what may come next. */
struct http_conn_ops {
    err_code (*feed)(struct http_conn *c, str bytes, size_t *ret_used, struct err *err);
    err_code (*feed_end)(struct http_conn *c, struct err *err);
    void (*lost)(struct http_conn *c, const struct err *why);
    size_t (*output)(struct http_conn *c, str *parts, size_t part_max);
    void (*written)(struct http_conn *c, size_t n);
    bool (*wants_input)(const struct http_conn *c);
    bool (*is_over)(const struct http_conn *c);
    bool (*output_ended)(const struct http_conn *c);
    void (*drain)(struct http_conn *c);
    void (*time_out)(struct http_conn *c);
    bool (*is_in_head)(const struct http_conn *c);
    void (*ping)(struct http_conn *c); /* may be NULL */
    void (*trim)(struct http_conn *c); /* may be NULL */
    /* The engine's own parts, without callbacks to handlers; http.c then drops the exchanges and frees `c`. */
    void (*done)(struct http_conn *c);

    struct http_exchange *(*request)(struct http_conn *c, const struct http_head *head, bool end,
                                     struct http_handler handler, struct err *err);
    err_code (*send_head)(struct http_exchange *x, const struct http_head *head, bool end, struct err *err);
    void (*send_body)(struct http_exchange *x); /* pieces were queued */
    void (*send_end)(struct http_exchange *x, const struct http_header *trailers, size_t trailer_count);
    void (*cancel)(struct http_exchange *x);             /* marks it over; no on_reset */
    void (*consumed)(struct http_exchange *x, size_t n); /* `unread` was already lowered */
    void (*exchange_free)(struct http_exchange *x);      /* once per exchange handed to the owner */
};

struct http_conn {
    const struct http_conn_ops *ops;
    enum http_version version;
    bool is_server;
    unsigned busy;             /* calls of the engine on the stack */
    struct http_limits limits; /* defaults filled in */
    struct http_handler handler;
    struct http_exchange *exchanges; /* all that live, newest first */
    size_t exchange_count;
    struct http_exchange *freed; /* by the owner, ops->exchange_free is due */
    struct http_exchange *spare; /* memory of exchanges gone, arenas with it */
    size_t spare_count;
    uint64_t pongs;
    void (*wake)(void *ctx);
    void *wake_ctx;
};

enum http_piece_kind { HTTP_PIECE_REF, HTTP_PIECE_BLOCK, HTTP_PIECE_HEAP };

/* A piece of body waiting to be written: borrowed bytes, or our own, which follow the struct. */
struct http_piece {
    struct http_piece *next;
    str data;    /* what is left of it */
    char *end;   /* where own bytes can still be added, and how many */
    size_t room; /* 0 when borrowed */
    void (*release)(void *obj);
    void *obj;
    enum http_piece_kind kind;
};

struct http_exchange {
    struct http_conn *conn; /* NULL: the connection is gone */
    struct http_exchange *next, *prev;
    struct http_exchange *next_freed;
    struct http_handler handler;
    struct arena arena;
    struct http_piece *first, *last;
    struct http_piece *spare_refs, *spare_blocks; /* in the arena, to be used again */
    size_t queued;                                /* bytes in pieces */
    size_t unread;                                /* delivered to on_body and not yet consumed */
    int64_t send_left;                            /* of the declared content-length; -1: none declared */
    unsigned interim_count;                       /* 1xx heads given */
    bool head_given;                              /* our final head */
    bool can_send;                                /* and not the end: body may come */
    bool drops_body; /* HEAD (set by the engine with the request), 204, 304: body is taken and forgotten */
    bool
        wants_continue; /* set by the engine: the client waits for 100; cleared by it when body comes all the same */
    bool was_full; /* queued has been at or above queue_low since on_room was last called */
    bool is_over, was_reset, is_freed;
};

/* The engines: these set `ops`, `version`, `is_server`, `limits` (which are filled in); http.c the handler. */
struct http_conn *http1_conn_new(bool is_server, const struct http_limits *limits);
struct http_conn *http2_conn_new(bool is_server, const struct http_limits *limits);

/* A new exchange, linked, everything zero behind the base (and in it); `size` is that of the engine's own struct, the same
 * for every exchange of a connection. */
struct http_exchange *http_exchange_new(struct http_conn *c, size_t size, struct http_handler handler);
/* Unlinks it, releases its pieces and frees it or keeps the memory for the next one. */
void http_exchange_destroy(struct http_exchange *x);
/* Marks it over and reset and tells its handler, once; nothing when it is over already. http_exchange_reset also drops
 * what it had queued, http_exchange_fail leaves that (an answer that is whole) to be written. */
void http_exchange_fail(struct http_exchange *x, const struct err *why);
void http_exchange_reset(struct http_exchange *x, const struct err *why);

/* Calls to the handler, skipping what it does not have. */
void http_notify_head(struct http_exchange *x, const struct http_head *head, bool end);
void http_notify_body(struct http_exchange *x, str data); /* counts it as unread */
void http_notify_end(struct http_exchange *x, const struct http_header *trailers, size_t trailer_count);
void http_notify_half_closed(struct http_exchange *x);

/* Takes n written bytes off the queue, releasing pieces, and calls on_room when due. */
void http_pieces_written(struct http_exchange *x, size_t n);
/* Drops all of them. */
void http_pieces_drop(struct http_exchange *x);
void http_limits_fill(struct http_limits *l);

/* How many bytes from the start may stand in a field value: up to the first control that is not a tab. */
size_t http_value_prefix(const char *p, size_t n);
/* Lower case of a token's character; 0 for what cannot stand in a token. */
extern const unsigned char http_token_lower[256];
/* A token (RFC 9110); a field value: no control but a tab, no blank at either end; a request target: path, query or "*"
 * without controls, blanks and '#'; host and port: what a URI allows there, or nothing. */
bool http_name_is_valid(str name);
bool http_value_is_valid(str value);
bool http_target_is_valid(str target);
bool http_authority_is_valid(str authority);
/* Fields that stand for themselves in struct http_head or belong to the connection (lower case names). */
bool http_name_is_reserved(str name);
/* Whether it can be sent: INVALID with the reason. `end`: no body is to follow. */
err_code http_head_check(const struct http_head *h, enum http_version v, bool is_request, bool end,
                         struct err *err);

#endif
