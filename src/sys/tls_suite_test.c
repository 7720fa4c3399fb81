/* tls_suite_test.c - the stream suite once more, in the real world, with TLS over every connection: a stream is a stream.
 * Connections are handed over when their handshake is done, as the tests write to them at once. */
#include "base/mem.h"
#include "sys/env_priv.h"
#include "sys/pki_test.h"
#include "sys/suite_test.h"
#include "sys/tls.h"
#include <time.h>

#define HOST "suite.example"

/* A listener of a loop: whom it gives its streams to. */
struct giver {
    struct giver *next;
    void (*on_accept)(void *ctx, struct stream *s);
    void *ctx;
};

static struct {
    struct pki ca;
    struct x509_pool *pool;
    struct tls_config *server, *client;
    const struct env_ops *real;
    struct env_ops ops;
    const struct listener_ops *real_listener;
    struct listener_ops listener_ops;
    _Atomic(struct giver *) givers;
} world;

/* --- connecting --- */

static err_code tls_connect(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                            struct stream **ret, struct err *err)
{
    struct stream *inner;
    if (world.real->connect(l, to, (struct stream_handler){NULL}, &inner, err))
        return err->code;
    return tls_stream_client(inner, world.client, S(HOST), handler, ret, err);
}

/* --- accepting --- */

static void give(void *ctx, struct stream *s, unsigned ready)
{
    struct giver *g = ctx;
    struct tls_info info;
    stream_want(s, 0);
    stream_set_handler(s, (struct stream_handler){NULL});
    if (tls_stream_info(s, &info))
        g->on_accept(g->ctx, s);
    else
        stream_close(s);
}

static void accepted(void *ctx, struct stream *inner)
{
    struct stream *s;
    CHECK_OK(tls_stream_server(inner, world.server, (struct stream_handler){.on_ready = give, .ctx = ctx}, &s,
                               &e));
    stream_want(s, STREAM_WRITE);
}

static err_code tls_attach(struct listener *ln, struct loop *l,
                           void (*on_accept)(void *ctx, struct stream *s), void *ctx, struct err *err)
{
    struct giver *g = NEW(struct giver);
    *g = (struct giver){.next = atomic_load(&world.givers), .on_accept = on_accept, .ctx = ctx};
    while (!atomic_compare_exchange_weak(&world.givers, &g->next, g))
        ;
    return world.real_listener->attach(ln, l, accepted, g, err);
}

static err_code tls_listen(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                           struct listener **ret, struct err *err)
{
    if (world.real->listen(env, at, opts, ret, err))
        return err->code;
    world.real_listener = (*ret)->ops;
    world.listener_ops = *(*ret)->ops;
    world.listener_ops.attach = tls_attach;
    (*ret)->ops = &world.listener_ops;
    return ERR_NONE;
}

/* --- pairs --- */

struct shaking {
    struct stream *ends[2];
    size_t done;
};

static void shaken(void *ctx, struct stream *s, unsigned ready)
{
    struct shaking *k = ctx;
    k->done++;
    stream_want(s, 0);
    stream_set_handler(s, (struct stream_handler){NULL});
}

static bool both_shaken(void *ctx)
{
    return ((struct shaking *)ctx)->done == 2;
}

static err_code tls_pair(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err)
{
    struct stream *a, *b;
    struct shaking k = {.done = 0};
    struct stream_handler handler = {.on_ready = shaken, .ctx = &k};
    if (world.real->pair(l, &a, &b, err))
        return err->code;
    CHECK_OK(tls_stream_server(a, world.server, handler, &k.ends[0], &e));
    CHECK_OK(tls_stream_client(b, world.client, S(HOST), handler, &k.ends[1], &e));
    stream_want(k.ends[0], STREAM_WRITE);
    stream_want(k.ends[1], STREAM_WRITE);
    CHECK(loop_run_until(l, both_shaken, &k, 5 * NS_PER_S));
    *ret_a = k.ends[0];
    *ret_b = k.ends[1];
    return ERR_NONE;
}

/* --- the world --- */

void suite_world_init_tls(struct suite_world *w)
{
    suite_world_init_real(w);
    pki_init(&world.ca, "ca", (int64_t)time(NULL));
    struct pki_id id = pki_server(&world.ca, HOST);
    struct tls_identity identity = {.chain = &id.cert, .chain_count = 1, .key = id.key};
    CHECK_OK(x509_pool_new_of(&world.ca.cert, 1, &world.pool, &e));
    CHECK_OK(tls_config_new_server(&(struct tls_server_opts){.identities = &identity, .identity_count = 1},
                                   &world.server, &e));
    CHECK_OK(tls_config_new_client(&(struct tls_client_opts){.ca = world.pool}, &world.client, &e));
    world.real = w->env->ops;
    world.ops = *w->env->ops;
    world.ops.connect = tls_connect;
    world.ops.listen = tls_listen;
    world.ops.pair = tls_pair;
    w->env->ops = &world.ops;
}

void suite_world_done_tls(struct suite_world *w)
{
    w->env->ops = world.real;
    for (struct giver *g = world.givers, *next; g; g = next) {
        next = g->next;
        mem_free(g);
    }
    tls_config_unref(world.server);
    tls_config_unref(world.client);
    x509_pool_unref(world.pool);
    pki_done(&world.ca);
    suite_world_done_real(w);
}
