/* websocket.h - WebSocket (RFC 6455), both roles: bytes in and events out, commands in and bytes out; no I/O, no time.
 *
 *     while (ws_next(w, &bytes, &ev))      bytes: what the transport gave, in any split
 *         switch (ev.type) { ... }
 *     if (ws_check(w, err)) ...            the peer broke the protocol
 *     str out = ws_output(w);              after events and after commands
 *     ws_written(w, transport_write(out));
 *
 * A message is delivered in pieces as it arrives and never gathered; in the client's role, where payloads are not
 * masked, a piece is part of the bytes fed. Nothing but headers, control frames and what is to be written is kept.
 * Who stops calling ws_next stops the peer: there is no window in this protocol.
 * The engine does no extensions, so a reserved bit or an opcode it does not know is a protocol error.
 * After a failure it takes no more bytes and sends nothing more but a close frame that tells the peer why: write out
 * ws_output, then close the transport.
 * Limits: see ws_opts. Threads: one at a time. */
#ifndef WIRE_WEBSOCKET_H
#define WIRE_WEBSOCKET_H

#include "base/err.h"
#include "base/str.h"
#include "wire/http.h"

/* --- the opening handshake: http.h carries it, these fill in and check what is in it --- */

/* Fields to send:
 *   client  GET, upgrade "websocket", sec-websocket-version WS_VERSION, -key ws_key(), -protocol as offered
 *   server  101, upgrade "websocket", sec-websocket-accept ws_accept(key), -protocol the chosen one (none when empty) */
#define WS_VERSION  "13"
#define WS_KEY_N    24
#define WS_ACCEPT_N 28

void ws_key(const uint8_t random[16], char ret[WS_KEY_N]);
void ws_accept(str key, char ret[WS_ACCEPT_N]);

/* Server: can this request become a WebSocket? *ret_key is borrowed from the head. UNSUPPORTED: another version of the
 * protocol; answer it 400 with `sec-websocket-version: 13`. BAD_REQUEST: anything else that is wrong. */
err_code ws_check_request(const struct http_head *head, str *ret_key, struct err *err);
/* Client: did the server agree, to our key, and to a protocol that was offered? *ret_protocol is empty when it named none.
 * PROTOCOL: it did not. */
err_code ws_check_response(const struct http_head *head, str key, const str *offered, size_t offered_count,
                           str *ret_protocol, struct err *err);

/* The first protocol the client offers that is among ours; the client's order counts, as for the original. A client that
 * offers nothing at all is taken to offer "". A bearer token is never chosen. FORBIDDEN: none of them. */
err_code ws_choose_protocol(const struct http_head *head, const str *ours, size_t our_count, str *ret,
                            struct err *err);
/* What stands behind the prefix in an offered protocol that carries a bearer token (base64url, not decoded); empty when
 * there is none. INVALID: more than one, or nothing else is offered that could be chosen. */
#define WS_BEARER_PREFIX "base64url.bearer.authorization.k8s.io."
err_code ws_find_bearer(const struct http_head *head, str *ret, struct err *err);

/* --- frames --- */
enum ws_role { WS_SERVER, WS_CLIENT };
enum ws_kind { WS_TEXT = 1, WS_BINARY = 2 }; /* text is checked to be UTF-8 when it comes in */

enum ws_close_code {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL_ERROR = 1002,
    WS_CLOSE_UNSUPPORTED = 1003,
    WS_CLOSE_NO_CODE = 1005, /* received only: the frame had none */
    WS_CLOSE_BAD_DATA = 1007,
    WS_CLOSE_POLICY = 1008,
    WS_CLOSE_TOO_LARGE = 1009,
    WS_CLOSE_INTERNAL_ERROR = 1011,
};

struct ws_opts {               /* 0 gives the default */
    uint64_t frame_size_max;   /* payload of a received frame; 16 MiB */
    uint64_t message_size_max; /* payload of a received message; 64 MiB */
    size_t output_max;         /* bytes of frames given to ws_send and not yet written; 1 MiB */
    bool manual_pong;          /* pings are reported only; otherwise the newest one is also answered */
    uint64_t mask_key[2];      /* client: 128 random bits, from which each frame's mask follows */
};

struct ws;
struct ws *ws_new(enum ws_role role, const struct ws_opts *opts); /* opts may be NULL for the server's role */
void ws_free(struct ws *w);

enum ws_event_type {
    WS_DATA,  /* a piece of a message */
    WS_PING,  /* `data`: at most 125 bytes */
    WS_PONG,  /* likewise */
    WS_CLOSE, /* the peer sends nothing more; `code` and the reason in `data`. It was answered. */
};
struct ws_event {
    enum ws_event_type type;
    enum ws_kind kind; /* WS_DATA */
    bool begin;        /* WS_DATA: first piece of its message */
    bool end;          /* WS_DATA: last piece; the only one that may be empty */
    uint16_t code;     /* WS_CLOSE: 1005 when the peer gave none */
    str data;          /* borrowed: good until the next call, while the bytes fed are there */
};

/* Takes bytes off the front of *in until something is to be told. False: all were taken, or it failed. */
bool ws_next(struct ws *w, str *in, struct ws_event *ret);
/* PROTOCOL, TOO_LARGE: why it failed; ERR_NONE while it works. */
err_code ws_check(const struct ws *w, struct err *err);

enum ws_send_flags {
    WS_MORE = 1 << 0, /* the message goes on with the next frame (of the same kind) */
};
/* One frame, copied (and masked in the client's role). Nothing is added when it fails.
 * CLOSED: a close frame went out or is about to. TOO_LARGE: output_max would be passed; write some first. */
err_code ws_send(struct ws *w, enum ws_kind kind, unsigned flags, const str *parts, size_t part_count,
                 struct err *err);
/* Server's role: the frame's head only. The caller writes what ws_output gives and right behind it `payload_size` bytes
 * of its own, then ws_written. Not to be called again, nor any other sending, before that. */
err_code ws_send_head(struct ws *w, enum ws_kind kind, unsigned flags, uint64_t payload_size,
                      struct err *err);
/* `payload` is cut at 125 bytes. */
err_code ws_ping(struct ws *w, str payload, struct err *err);
err_code ws_pong(struct ws *w, str payload, struct err *err);
/* No sending after this; what the peer sends is delivered until its own close. The reason (UTF-8) is cut to fit. With
 * WS_CLOSE_NO_CODE the frame is empty. A second call does nothing. */
void ws_close(struct ws *w, uint16_t code, str reason);

/* Bytes to write now, borrowed until the next call. Whole frames, but for what was written of them already. */
str ws_output(struct ws *w);
void ws_written(struct ws *w, size_t n);
/* Closes went both ways, or it failed: write ws_output, then close the transport (the server first). */
bool ws_is_over(const struct ws *w);

#endif
