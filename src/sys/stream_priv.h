/* stream_priv.h - what every kind of stream (socket, simulated end, TLS) shares, for src/sys only.
 * An implementation embeds struct stream as its first member and keeps `possible` true to what it knows:
 * stream_possible_add when something can be done now (or would fail now: a failure is read too), stream_possible_remove
 * once a read or write came back empty-handed. Calling the handler is then common code (stream.c), by the loop's queue. */
#ifndef SYS_STREAM_PRIV_H
#define SYS_STREAM_PRIV_H

#include "sys/stream.h"

struct stream_ops {
    err_code (*read)(struct stream *s, void *p, size_t n, size_t *ret_n, struct err *err);
    err_code (*write)(struct stream *s, const str *parts, size_t part_count, size_t *ret_n, struct err *err);
    err_code (*shutdown)(struct stream *s, struct err *err);
    void (*want)(struct stream *s); /* s->wanted has changed; NULL: of no interest */
    /* The owner has gone: let go of everything, in the background if need be, then stream_gone. */
    void (*close)(struct stream *s, bool abort);
    void (*free)(struct stream *s); /* the memory */
};

void stream_init(struct stream *s, const struct stream_ops *ops, struct loop *l);
void stream_possible_add(struct stream *s, unsigned what);
void stream_possible_remove(struct stream *s, unsigned what);
/* The last call of an implementation for a closed stream: its memory goes at the end of the turn. */
void stream_gone(struct stream *s);

/* Hot: no formatting. */
static inline err_code stream_again(struct err *err)
{
    static const char why[] = "not possible without waiting";
    err->code = ERR_AGAIN;
    err->sys_errno = 0;
    memcpy(err->msg, why, sizeof why);
    return ERR_AGAIN;
}

#endif
