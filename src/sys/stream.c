/* stream.c - what all streams share: interest, readiness, closing; and which world they come from. */
#include "sys/loop_priv.h"
#include "sys/stream_priv.h"

/* --- readiness --- */

static void queue_or_not(struct stream *s)
{
    if (s->wanted & s->possible && !s->closed)
        loop_ready_add(s->loop, &s->ready);
    else
        loop_ready_remove(&s->ready);
}

static void run_ready(struct loop_ready *r)
{
    struct stream *s = CONTAINER_OF(r, struct stream, ready);
    s->handler.on_ready(s->handler.ctx, s, s->wanted & s->possible);
    /* If it closed itself, the memory is there until the end of the turn. */
    queue_or_not(s);
}

void stream_init(struct stream *s, const struct stream_ops *ops, struct loop *l)
{
    *s = (struct stream){.ops = ops, .loop = l, .ready.run = run_ready};
    l->stream_count++;
}

void stream_possible_add(struct stream *s, unsigned what)
{
    s->possible |= what;
    queue_or_not(s);
}

void stream_possible_remove(struct stream *s, unsigned what)
{
    s->possible &= ~what;
    queue_or_not(s);
}

static void run_last(struct loop_msg *m)
{
    struct stream *s = CONTAINER_OF(m, struct stream, last);
    s->ops->free(s);
}

void stream_gone(struct stream *s)
{
    ASSERT(s->closed);
    s->last = (struct loop_msg){.run = run_last, .drop = run_last};
    loop_defer(s->loop, &s->last);
}

/* --- the public side --- */

err_code stream_connect(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                        struct stream **ret, struct err *err)
{
    loop_assert_owner(l);
    return l->env->ops->connect(l, to, handler, ret, err);
}

static void end(struct stream *s, bool abort)
{
    if (!s)
        return;
    loop_assert_owner(s->loop);
    ASSERT(!s->closed);
    s->closed = true;
    s->wanted = 0;
    s->handler = (struct stream_handler){NULL};
    s->loop->stream_count--;
    loop_ready_remove(&s->ready);
    s->ops->close(s, abort);
}

void stream_close(struct stream *s)
{
    end(s, false);
}

void stream_abort(struct stream *s)
{
    end(s, true);
}

void stream_set_handler(struct stream *s, struct stream_handler handler)
{
    loop_assert_owner(s->loop);
    ASSERT(!s->closed);
    ASSERT(handler.on_ready || !s->wanted);
    s->handler = handler;
}

void stream_want(struct stream *s, unsigned what)
{
    loop_assert_owner(s->loop);
    ASSERT(!s->closed);
    ASSERT(s->handler.on_ready || !what);
    if (what == s->wanted)
        return;
    s->wanted = what;
    queue_or_not(s);
    if (s->ops->want)
        s->ops->want(s);
}

unsigned stream_wanted(const struct stream *s)
{
    return s->wanted;
}

err_code stream_read(struct stream *s, void *p, size_t n, size_t *ret_n, struct err *err)
{
    loop_assert_owner(s->loop);
    ASSERT(!s->closed);
    ASSERT(n > 0);
    return s->ops->read(s, p, n, ret_n, err);
}

err_code stream_write(struct stream *s, const str *parts, size_t part_count, size_t *ret_n, struct err *err)
{
    loop_assert_owner(s->loop);
    ASSERT(!s->closed);
    return s->ops->write(s, parts, part_count, ret_n, err);
}

err_code stream_shutdown(struct stream *s, struct err *err)
{
    loop_assert_owner(s->loop);
    ASSERT(!s->closed);
    return s->ops->shutdown(s, err);
}

struct loop *stream_loop(struct stream *s)
{
    return s->loop;
}

const struct net_addr *stream_peer(struct stream *s)
{
    return &s->peer;
}

const struct net_addr *stream_local(struct stream *s)
{
    return &s->local;
}

err_code stream_pair(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err)
{
    loop_assert_owner(l);
    return l->env->ops->pair(l, ret_a, ret_b, err);
}

/* --- listeners --- */

err_code listener_new(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                      struct listener **ret, struct err *err)
{
    struct listener_opts o = opts ? *opts : (struct listener_opts){0};
    o.backlog = o.backlog ? o.backlog : 1024;
    o.connection_max = o.connection_max ? o.connection_max : 100000;
    o.unix_mode = o.unix_mode ? o.unix_mode : 0600;
    return env->ops->listen(env, at, &o, ret, err);
}

err_code listener_attach(struct listener *ln, struct loop *l, void (*on_accept)(void *ctx, struct stream *s),
                         void *ctx, struct err *err)
{
    loop_assert_owner(l);
    return ln->ops->attach(ln, l, on_accept, ctx, err);
}

void listener_detach(struct listener *ln, struct loop *l)
{
    loop_assert_owner(l);
    ln->ops->detach(ln, l);
}

const struct net_addr *listener_addr(struct listener *ln)
{
    return &ln->addr;
}

void listener_free(struct listener *ln)
{
    if (ln)
        ln->ops->free(ln);
}
