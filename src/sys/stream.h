/* stream.h - ordered bytes between two ends: TCP, Unix sockets, pipes of children, TLS over any of them (tls.h), and
 * their simulated twins.
 * Reading and writing never block: ERR_AGAIN says that `on_ready` will tell. Readiness is by interest: after
 * stream_want(s, X) `on_ready` is called, in a later step of the loop, once X is possible, and again each turn while it
 * is both wanted and possible; once in a while it is called too early, and the read or write says ERR_AGAIN. Interest is
 * a field, not a system call, so it is cheap to change.
 * A failure is told by every read and write after it. A reset by the other end is ERR_IO, never ERR_CLOSED: an end of
 * stream is only what the other end meant as one.
 * A stream belongs to its loop for life. The receiver of a callback may close the stream inside it.
 * Limits: accepted connections of a listener are bounded (listener_opts); bytes are bounded by who reads them. */
#ifndef SYS_STREAM_H
#define SYS_STREAM_H

#include "sys/loop.h"

enum {
    STREAM_READ = 1 << 0,  /* bytes, end of stream or an error are there to be read */
    STREAM_WRITE = 1 << 1, /* something can be written */
};

struct net_addr {
    enum net_family { NET_NONE, NET_IP4, NET_IP6, NET_UNIX } family;
    uint16_t port;
    uint32_t scope_id;
    uint8_t ip[16]; /* network order; IP4 uses the first four */
    char path[108]; /* NET_UNIX; a first byte 0 is the abstract namespace */
    uint8_t path_n;
};
#define NET_ADDR_TEXT 128
/* "127.0.0.1:6443", "[::1]:0", "[fe80::1%2]:80", "unix:/run/x.sock", "unix:@abstract". No names: nothing here resolves.
 * One text each (RFC 5952); an IPv4 address in IPv6 clothes (::ffff:1.2.3.4) is read as the IPv4 address it is. */
err_code net_addr_parse(str text, struct net_addr *ret, struct err *err);
/* The text, NUL ended; "unix:" for a peer without a name, "" for NET_NONE. Bytes of a path that do not print become '?'. */
void net_addr_format(const struct net_addr *a, char ret[NET_ADDR_TEXT]);
bool net_addr_eq(const struct net_addr *x, const struct net_addr *y);
/* The IP alone, as in a certificate or a header: "10.0.0.1", "fe80::1" (no brackets, no scope). */
err_code net_ip_parse(str text, struct net_addr *ret, struct err *err); /* port 0 */
void net_ip_format(const struct net_addr *a, char ret[NET_ADDR_TEXT]);

struct stream;

struct stream_handler {
    void (*on_ready)(void *ctx, struct stream *s, unsigned ready);
    void *ctx;
};

/* Starts connecting; the first STREAM_WRITE readiness, or the first read or write, tells whether it worked. What is wrong
 * with the other end (refused, unreachable, no such socket: ERR_UNAVAILABLE) is told there, never here. */
err_code stream_connect(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                        struct stream **ret, struct err *err);
/* No callback after this; what was written and taken is still sent (an error in that is lost: protocols that care wait
 * for their answer), even if the other end goes on sending what nobody reads any more: up to 30 s and 64 MB of it. The
 * memory goes at the end of the turn, or after that. NULL is fine. */
void stream_close(struct stream *s);
/* The other end sees a reset rather than an orderly end (TCP; a Unix socket or pipe has no such thing). What was written
 * may be lost. */
void stream_abort(struct stream *s);

void stream_set_handler(struct stream *s, struct stream_handler handler);
void stream_want(struct stream *s, unsigned what); /* replaces the interest; 0: none */
unsigned stream_wanted(const struct stream *s);

/* At least one byte, or ERR_AGAIN, ERR_CLOSED (orderly end of stream), or a failure that will repeat. */
err_code stream_read(struct stream *s, void *p, size_t n, size_t *ret_n, struct err *err);
/* As much as fits (at least one byte, unless all parts are empty), or ERR_AGAIN, or a failure that will repeat
 * (ERR_CLOSED: the other end takes no more, or we have shut down). */
err_code stream_write(struct stream *s, const str *parts, size_t part_count, size_t *ret_n, struct err *err);
/* No more writes; the other end reads the rest and then the end. Reading goes on. */
err_code stream_shutdown(struct stream *s, struct err *err);

struct loop *stream_loop(struct stream *s);
const struct net_addr *stream_peer(struct stream *s);
const struct net_addr *stream_local(struct stream *s);

/* Both ends in one process (tests, pipes between loops of one thread). */
err_code stream_pair(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err);

/* --- listening: one listener, any number of loops that accept from it --- */
struct listener;
struct listener_opts {
    int backlog;             /* 0: 1024 */
    unsigned connection_max; /* accepted and not yet closed; 0: 100,000. The others wait in the backlog. */
    unsigned unix_mode;      /* permissions of a Unix socket; 0: 0600 */
};
/* Port 0: listener_addr tells the real one. A stale Unix socket nobody listens on is replaced. ERR_CONFLICT: the address
 * is taken. */
err_code listener_new(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                      struct listener **ret, struct err *err);
/* The loop takes its share of the connections from now on: new ones go to the loop that has the fewest. `on_accept` runs
 * on that loop, owns the stream, and must give it a handler before it returns or close it. On the loop's thread, or while
 * the loop does not run. */
err_code listener_attach(struct listener *ln, struct loop *l, void (*on_accept)(void *ctx, struct stream *s),
                         void *ctx, struct err *err);
void listener_detach(struct listener *ln, struct loop *l); /* same rule */
const struct net_addr *listener_addr(struct listener *ln);
/* When no loop is attached any more. What was accepted lives on. NULL is fine. */
void listener_free(struct listener *ln);

/* --- the inside, for the implementations (sockets, simulated ends, TLS) in this folder: see stream_priv.h --- */
struct stream_ops;
struct stream {
    const struct stream_ops *ops;
    struct loop *loop;
    struct stream_handler handler;
    unsigned wanted, possible;
    bool closed;
    struct loop_ready ready;
    struct loop_msg last; /* frees the memory at the end of the turn */
    struct net_addr local, peer;
};

#endif
