/* http2_priv.h - what http2.c (connection, streams, windows, output) and http2_head.c (heads to and from header fields)
 * share. */
#ifndef WIRE_HTTP2_PRIV_H
#define WIRE_HTTP2_PRIV_H

#include "wire/http_priv.h"
#include <nghttp2/nghttp2.h>

/* Header fields of one block while they arrive: a head, or trailers. In the exchange's arena. */
struct h2_fields {
    struct http_header *v;
    size_t count, cap;
    size_t size; /* names and values and 32 each, as SETTINGS_MAX_HEADER_LIST_SIZE counts them */
    unsigned cookie_count;
};

/* What a header field, or a whole head, that came in calls for. */
enum h2_verdict {
    H2_FINE,
    H2_TOO_LARGE, /* over the limits: the exchange is refused */
    H2_FLOOD,     /* far over: the connection is given up, so that decoding the rest costs us nothing */
    H2_MALFORMED,
    H2_UNSUPPORTED, /* CONNECT */
};

struct h2_exchange {
    struct http_exchange base; /* first */
    int32_t id;
    bool is_delivered; /* its owner knows it */
    bool is_orphan;    /* its owner let it go: destroyed as soon as nothing of it is on its way */
    bool is_closed;    /* the stream is over, or not looked at any more */
    bool head_done;    /* the peer's final head came */
    bool peer_ended;   /* the peer's END_STREAM came */
    bool head_left;    /* server: our final head went into the output */
    bool ended;        /* we: nothing will be added */
    bool end_left;     /* our END_STREAM went into the output */
    bool is_head;      /* the request's method is HEAD */
    enum h2_verdict verdict;
    struct http_head *head; /* the newest that came */
    struct h2_fields fields;
    struct http_header *trailers; /* ours, copied */
    size_t trailer_count;
    size_t framed;     /* bytes at the front of the queue that are in frames already */
    int32_t window;    /* what the peer may send ahead */
    size_t since_grow; /* consumed since the window was last made larger */
};

/* A field of the head, or of the trailers, being received. */
enum h2_verdict h2_head_field(struct h2_exchange *x, const struct http_limits *limits, str name, str value);
enum h2_verdict h2_trailer_field(struct h2_exchange *x, const struct http_limits *limits, str name,
                                 str value);
/* All fields are there: x->head is made whole. MALFORMED: what nghttp2 lets pass and we do not. */
enum h2_verdict h2_head_finish(struct h2_exchange *x, bool is_request);

/* What http_head_check leaves to us. */
err_code h2_fields_check(const struct http_header *fields, size_t count, struct err *err);
/* A head that was checked (http_head_check) as header fields, borrowing from it and from `a`. */
nghttp2_nv *h2_head_encode(struct arena *a, const struct http_head *head, bool is_request, size_t *ret_count);
nghttp2_nv *h2_trailers_encode(struct arena *a, const struct http_header *trailers, size_t count);

#endif
