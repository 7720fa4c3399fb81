/* spdy.h - SPDY/3.1 as Kubernetes uses it after `Upgrade: SPDY/3.1` (exec, attach, port-forward), both roles: bytes in
 * and events out, commands in and bytes out; no I/O, no time.
 *
 *     while (spdy_next(s, &bytes, &ev))    bytes: what the transport gave, in any split
 *         switch (ev.type) { ... }
 *     if (spdy_check(s, err)) ...          the peer broke the protocol: every stream is lost
 *     str out = spdy_output(s);            after events and after commands
 *     spdy_written(s, transport_write(out));
 *
 * A stream is named by its id; headers are those Kubernetes sets (streamtype, port, requestid), not those of HTTP. The
 * engine forgets a stream once both sides have ended it or either has reset it: commands on it then say ERR_CLOSED.
 * Data is delivered as it arrives and never gathered: a piece is part of the bytes fed.
 *
 * The peer that matters is the original's library (moby/spdystream), which
 *  - neither keeps nor announces windows: with `flow_control` off, the default, neither do we. A slow reader then holds
 *    up its connection (stop calling spdy_next), not its stream, exactly as there. On, windows follow SPDY/3.1;
 *  - drops data that comes before it has sent, or seen, the SYN_REPLY: so none is sent before (spdy_room is 0);
 *  - stops reading at a GOAWAY: send it when there is nothing more to say;
 *  - may open streams slightly out of order when several threads do: tolerated here within the last 64.
 * Limits: see spdy_opts. After a failure spdy_output ends with a GOAWAY; write it out, then close the transport.
 * Threads: one at a time. */
#ifndef WIRE_SPDY_H
#define WIRE_SPDY_H

#include "base/err.h"
#include "base/str.h"
#include "wire/http.h"

enum spdy_role { SPDY_SERVER, SPDY_CLIENT };

struct spdy_opts {           /* 0 gives the default */
    size_t header_size_max;  /* a header block, inflated; 16 KiB */
    size_t header_count_max; /* 64 */
    size_t stream_max;       /* open at once, the peer's and ours counted apart; 1,000 */
    size_t
        output_max; /* bytes waiting to be written; 1 MiB. A peer whose pings and errors fill it is dropped. */
    bool flow_control;
    uint32_t window; /* flow control: bytes not yet consumed, per stream; 64 KiB, which is also the least */
    uint32_t session_window; /* all streams; 1 MiB, and at least 64 KiB */
};

enum spdy_reset_status {
    SPDY_PROTOCOL_ERROR = 1,
    SPDY_INVALID_STREAM,
    SPDY_REFUSED_STREAM,
    SPDY_UNSUPPORTED_VERSION,
    SPDY_CANCEL,
    SPDY_INTERNAL_ERROR,
    SPDY_FLOW_CONTROL_ERROR,
    SPDY_STREAM_IN_USE,
    SPDY_STREAM_ALREADY_CLOSED,
};
enum spdy_goaway_status { SPDY_GOAWAY_OK, SPDY_GOAWAY_PROTOCOL_ERROR, SPDY_GOAWAY_INTERNAL_ERROR };

struct spdy;
struct spdy *spdy_new(enum spdy_role role, const struct spdy_opts *opts); /* opts may be NULL */
void spdy_free(struct spdy *s);

enum spdy_event_type {
    SPDY_STREAM,  /* the peer opened one: spdy_reply or spdy_reset it; spdy_set_user gives it an owner */
    SPDY_REPLY,   /* to a stream of ours: it may send now */
    SPDY_HEADERS, /* more headers */
    SPDY_DATA,    /* a piece */
    SPDY_RESET,   /* the stream is gone: reset by the peer, or by us for what the peer did on it */
    SPDY_ROOM,    /* flow control: spdy_room was 0, or was used up, and is not any more */
    SPDY_PONG,    /* `number` is what spdy_ping returned */
    SPDY_GOAWAY, /* the peer takes no more streams; `status` is a spdy_goaway_status, `number` the last of our streams it
                     has seen. For each later one a SPDY_RESET (SPDY_REFUSED_STREAM) follows: it was not acted upon. */
};
struct spdy_event {
    enum spdy_event_type type;
    uint32_t stream; /* 0: of the session */
    void *user;      /* the stream's */
    bool
        end; /* STREAM, REPLY, HEADERS, DATA: the peer sends nothing more on it. The only empty DATA has it. */
    bool one_way;                      /* STREAM: to be neither answered nor sent on */
    const struct http_header *headers; /* a value that was several is several headers. Until the next call */
    size_t header_count;
    str data; /* borrowed from the bytes fed */
    uint32_t status;
    uint32_t number;
};

/* Takes bytes off the front of *in until something is to be told. False: all were taken, or it failed. */
bool spdy_next(struct spdy *s, str *in, struct spdy_event *ret);
/* PROTOCOL, TOO_LARGE: why it failed; ERR_NONE while it works. */
err_code spdy_check(const struct spdy *s, struct err *err);
/* Flow control: `n` bytes of delivered data were dealt with. Every delivered byte must come back this way, those of streams
 * that are gone too, or the session's window shrinks. Without flow control it does nothing. */
void spdy_consumed(struct spdy *s, uint32_t stream, size_t n);

enum spdy_flags {
    SPDY_END = 1 << 0,     /* we send nothing more on the stream */
    SPDY_ONE_WAY = 1 << 1, /* spdy_open: the peer is not to answer or send */
};
/* Header names are lower case and appear once (values of several are joined by NUL).
 * INVALID: a name or value that cannot be sent. TOO_LARGE: of the headers, or output_max would be passed. AGAIN: as many
 * as the peer allows (or stream_max) are open. CLOSED: the session is ending, or the stream is gone or ended by us. */
err_code spdy_open(struct spdy *s, const struct http_header *headers, size_t header_count, unsigned flags,
                   void *user, uint32_t *ret_stream, struct err *err);
err_code spdy_reply(struct spdy *s, uint32_t stream, const struct http_header *headers, size_t header_count,
                    unsigned flags, struct err *err);
err_code spdy_send_headers(struct spdy *s, uint32_t stream, const struct http_header *headers,
                           size_t header_count, unsigned flags, struct err *err);

/* How many bytes of data one frame could carry now; 0 before the reply, and for a stream that is gone. */
size_t spdy_room(struct spdy *s, uint32_t stream);
/* One frame, copied. AGAIN: more than spdy_room (nothing is sent; an empty one with SPDY_END always fits after the
 * reply). CLOSED, TOO_LARGE as above. */
err_code spdy_send(struct spdy *s, uint32_t stream, str data, unsigned flags, struct err *err);
/* The head of such a frame only. The caller writes what spdy_output gives and right behind it `size` bytes of its own,
 * then spdy_written. Not to be called again, nor spdy_send, before that. */
err_code spdy_send_head(struct spdy *s, uint32_t stream, size_t size, unsigned flags, struct err *err);
/* No event follows. Nothing happens for a stream that is gone. */
void spdy_reset(struct spdy *s, uint32_t stream, enum spdy_reset_status status);

void spdy_set_user(struct spdy *s, uint32_t stream, void *user);
void *spdy_user(const struct spdy *s, uint32_t stream); /* NULL: gone, or none set */
size_t spdy_stream_count(const struct spdy *s);

/* Returns the number that comes back with SPDY_PONG. */
uint32_t spdy_ping(struct spdy *s);
/* The peer's new streams are ignored from now on, the open ones go on. Once. */
void spdy_goaway(struct spdy *s, enum spdy_goaway_status status);

/* Bytes to write now, borrowed until the next call. Best handed to the transport in one piece: the original's library
 * fails on a header block that reaches it in parts. */
str spdy_output(struct spdy *s);
void spdy_written(struct spdy *s, size_t n);
/* It failed, or a GOAWAY went either way and no stream is left: write spdy_output, then close the transport. */
bool spdy_is_over(const struct spdy *s);

#endif
