/* grpc.h - gRPC calls over HTTP/2 exchanges, both roles. A call carries messages (opaque bytes here) each way and ends
 * with a status. Unary calls have helpers; the three streaming kinds are the same call with more messages.
 *
 * Client, unary:          grpc_unary(conn, &spec, request, on_answer, ctx, &err)
 * Client, streaming:      call = grpc_call_start(conn, &spec, handler, &err); grpc_send(call, m) ...; grpc_send_end(call)
 * Server, in on_head:     call = grpc_accept(x, head, end, NULL); if (call) look at grpc_call_path(call), then
 *                         grpc_serve_unary(call, handle, NULL, ctx), or grpc_call_set_handler(call, handler) and
 *                         grpc_send(call, m) ...; grpc_finish(call, GRPC_OK, S(""))
 *
 * Memory: a call lives until grpc_call_free, or until what ends it by itself: the callback of grpc_unary, grpc_finish,
 * grpc_answer. Messages in callbacks are borrowed for the call. http_conn_free leaves live calls over and without a
 * callback, as it does exchanges: http_conn_feed_end before it lets each of them end properly.
 * Back pressure inward: a message handed to on_message is owed until grpc_consumed; while anything is owed no more than
 * the exchange's window comes in. Outward: grpc_send takes anything; grpc_queued and on_room as in http.h.
 * Deadlines: `timeout_ns` only tells the server; who has a clock also cancels (grpc_call_free).
 * Limits: messages larger than message_size_max end the call (RESOURCE_EXHAUSTED). Compression is not spoken: peers are told
 * identity, and a message that claims to be compressed ends the call.
 * Threads: one at a time, that of the connection. */
#ifndef WIRE_GRPC_H
#define WIRE_GRPC_H

#include "wire/http.h"

enum grpc_code {
#define GRPC_CODE(name, number, err) GRPC_##name = number,
#include "wire/grpc_codes.def"
#undef GRPC_CODE
};
#define GRPC_MESSAGE_SIZE_MAX ((size_t)16 << 20) /* default; what CRI clients use */

/* "NOT_FOUND"; "UNKNOWN" for a number that has no name. */
const char *grpc_code_name(int code);
err_code grpc_code_to_err(int code);
enum grpc_code grpc_code_of_err(err_code code);

struct grpc_status {
    int code;    /* as it came: perhaps one enum grpc_code does not have */
    str message; /* decoded */
    /* The server certainly did not look at the call: it can be made again, whatever it does. */
    bool is_unprocessed;
    const struct http_header *trailers; /* trailing metadata, grpc-status and all */
    size_t trailer_count;
};
/* ERR_NONE for OK; else "MESSAGE (NOT_FOUND)" with the code that belongs to it. */
err_code grpc_status_check(const struct grpc_status *status, struct err *err);

struct grpc_call;

/* Each may be NULL. None is called after grpc_call_free. */
struct grpc_handler {
    void (*on_message)(void *ctx, struct grpc_call *call, str message);
    /* Server: the client has sent its last message. */
    void (*on_end)(void *ctx, struct grpc_call *call);
    /* Client: how it ended, whoever ended it; always, last, once. Server: the client gave up, or broke the protocol; not
     * after grpc_finish. The call is to be freed then. */
    void (*on_done)(void *ctx, struct grpc_call *call, const struct grpc_status *status);
    void (*on_room)(void *ctx, struct grpc_call *call);
    void *ctx;
};

/* --- client --- */
struct grpc_spec {
    str path;                           /* "/runtime.v1.RuntimeService/Version" */
    str authority;                      /* empty: "localhost" */
    str scheme;                         /* empty: "http" */
    const struct http_header *metadata; /* names in lower case; "-bin" values in base64 */
    size_t metadata_count;
    int64_t timeout_ns;      /* 0: none */
    size_t message_size_max; /* of one we receive; 0: GRPC_MESSAGE_SIZE_MAX */
};
/* Everything in the spec is copied. NULL with err: AGAIN, CLOSED, INVALID as http_request. */
struct grpc_call *grpc_call_start(struct http_conn *c, const struct grpc_spec *spec,
                                  struct grpc_handler handler, struct err *err);
/* No more messages from us. */
void grpc_send_end(struct grpc_call *call);

/* One message there and (when the status is OK) one back: anything else is an INTERNAL error. `on_answer` runs once, never
 * inside this function, and the call is gone after it; to give up before, free the call. */
typedef void grpc_answer_fn(void *ctx, const struct grpc_status *status, str answer);
struct grpc_call *grpc_unary(struct http_conn *c, const struct grpc_spec *spec, str request,
                             grpc_answer_fn *on_answer, void *ctx, struct err *err);

/* --- server --- */
/* To be called in on_head, whose exchange it takes over. NULL: that was no gRPC call; it has been answered. Its
 * handler is empty at first. message_size_max 0: the default. */
struct grpc_call *grpc_accept(struct http_exchange *x, const struct http_head *head, bool end,
                              size_t message_size_max);
str grpc_call_path(const struct grpc_call *call);
/* What the client said it waits; 0: for ever. */
int64_t grpc_call_timeout_ns(const struct grpc_call *call);
/* May call on_end: when the request had no message at all. */
void grpc_call_set_handler(struct grpc_call *call, struct grpc_handler handler);
/* Initial metadata, before the first message; without it none is sent. INVALID: cannot be sent; the call goes on. */
err_code grpc_send_head(struct grpc_call *call, const struct http_header *metadata, size_t metadata_count,
                        struct err *err);
/* Ends the call: what was sent before still goes out, then the status. The call is gone. */
void grpc_finish(struct grpc_call *call, int code, str message);
/* The same with trailing metadata. */
void grpc_finish_with(struct grpc_call *call, int code, str message, const struct http_header *trailers,
                      size_t trailer_count);
/* A message, and OK. */
void grpc_answer(struct grpc_call *call, str message);
/* Waits for the one request of a unary call (or of a server stream), then calls `handle`, which ends the call, now or
 * later. `on_gone` (may be NULL): the client gave up after `handle` was called; the call is gone when it returns. */
void grpc_serve_unary(struct grpc_call *call, void (*handle)(void *ctx, struct grpc_call *call, str request),
                      void (*on_gone)(void *ctx, struct grpc_call *call), void *ctx);

/* --- both --- */
/* Copied, or borrowed until released as in http_send_body_ref. */
void grpc_send(struct grpc_call *call, str message);
void grpc_send_ref(struct grpc_call *call, str message, void (*release)(void *obj), void *obj);
size_t grpc_queued(const struct grpc_call *call);
/* n bytes of messages handed to on_message are done with. */
void grpc_consumed(struct grpc_call *call, size_t n);
/* The head the peer sent (initial metadata), NULL before it came. */
const struct http_head *grpc_call_head(const struct grpc_call *call);
struct arena *grpc_call_arena(struct grpc_call *call); /* lives as long as the call */
/* The owner's last word; cancels the call when it is not over. NULL is fine. */
void grpc_call_free(struct grpc_call *call);

#endif
