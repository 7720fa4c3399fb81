/* server.c - a server as a whole: what it is made of, how it starts and ends. */
#include "base/ip.h"
#include "base/kube_time.h"
#include "base/mem.h"
#include "server/bootstrap_store.h"
#include "server/server_priv.h"
#include "server/watch_hub.h"
#include "store/store.h"
#include "sys/file.h"
#include "sys/tls.h"

#define LINGER_NS (2 * NS_PER_S) /* what a watch is given when the server ends */

/* --- connections --- */

static void loop_is_idle(struct server_loop *l);

static void connection_unlink(struct connection *c)
{
    struct server_loop *l = c->home;
    if (c->prev)
        c->prev->next = c->next;
    else
        l->connections = c->next;
    if (c->next)
        c->next->prev = c->prev;
    l->connection_count--;
    arena_done(&c->arena);
    mem_free(c);
    loop_is_idle(l);
}

void connection_request_began(struct connection *c)
{
    c->request_count++;
}

void connection_request_ended(struct connection *c)
{
    if (--c->request_count == 0 && c->closed)
        connection_unlink(c);
}

static void on_closed(void *ctx, struct http_pump *p, const struct err *why)
{
    struct connection *c = ctx;
    (void)p, (void)why;
    c->closed = true;
    if (!c->request_count)
        connection_unlink(c);
}

static void on_accept(void *ctx, struct stream *plain)
{
    struct server_loop *l = ctx;
    struct tls_config *config = tls_slot_get(l->server->tls);
    struct stream *s;
    struct err err = ERR_INIT;
    if (tls_stream_server(plain, config, (struct stream_handler){0}, &s, &err)) {
        stream_close(plain);
    } else {
        struct connection *c = NEW(struct connection);
        c->home = l;
        arena_init(&c->arena, 0);
        c->next = l->connections;
        if (c->next)
            c->next->prev = c;
        l->connections = c;
        l->connection_count++;
        c->pump = http_pump_server(s, NULL, request_handler(c), NULL,
                                   (struct http_pump_handler){.on_closed = on_closed, .ctx = c});
    }
    tls_config_unref(config);
}

/* --- making --- */

static str or_default(str given, str otherwise)
{
    return given.n ? given : otherwise;
}

/* The first address of the range: the kubernetes Service's. */
static err_code service_ip(str range, struct arena *a, str *ret, struct err *err)
{
    struct cidr cidr;
    char text[IP_TEXT_MAX];
    if (!cidr_parse(range, &cidr, NULL))
        return err_set(err, ERR_INVALID, "'%" STR_FMT "' is no range of addresses, such as 10.96.0.0/12",
                       STR_ARG(range));
    struct ip ip = cidr_first(&cidr);
    ip.bytes[15]++;
    *ret = str_dup(a, ip_text(&ip, text));
    return ERR_NONE;
}

static err_code open_pki(struct server *s, struct err *err)
{
    CLEANUP(arena_done) struct arena a;
    char bound[NET_ADDR_TEXT];
    arena_init(&a, 0);
    net_ip_format(&s->opts.bind, bound);
    str names[2] = {s->opts.advertise_host, str_from_c(bound)}, ip;
    if (service_ip(s->opts.service_cidr, &a, &ip, err))
        return err->code;
    struct pki_opts opts = {
        .names = names, .name_count = 2, .service_ip = ip, .cluster_domain = s->opts.cluster_domain};
    struct tls_config *config;
    if (pki_open(s->env, s->dir, &opts, &s->pki, err) || pki_tls_config(s->pki, &config, err))
        return err->code;
    s->tls = tls_slot_new(config);
    tls_config_unref(config);
    return ERR_NONE;
}

static err_code open_loops(struct server *s, struct err *err)
{
    size_t count = s->opts.loop_count ? s->opts.loop_count : 2;
    count = size_min(count, SERVER_LOOPS_MAX);
    if (loop_new(s->env, S("main"), &s->control, err))
        return err->code;
    for (; s->loop_count < count; s->loop_count++) {
        struct server_loop *l = &s->loops[s->loop_count];
        l->server = s;
        if (loop_new(s->env, S("api"), &l->loop, err))
            return err->code;
    }
    return ERR_NONE;
}

static err_code open_all(struct server *s, struct err *err)
{
    struct store_opts store = {.log = s->log};
    if (dir_open(s->env, s->opts.data_dir, DIR_CREATE, &s->dir, err))
        return err_wrap(err, "could not open the data directory '%" STR_FMT "'", STR_ARG(s->opts.data_dir));
    store.dir = s->dir;
    if (store_open(s->env, &store, &s->store, err))
        return err_wrap(err, "could not open the store in '%" STR_FMT "'", STR_ARG(s->opts.data_dir));
    if (open_pki(s, err) || open_loops(s, err))
        return err->code;
    s->catalog = catalog_new(NULL, 0, 1);
    if (bootstrap_store(s->env, s->store, s->control, err))
        return err->code;
    uint64_t key[2];
    env_random(s->env, key, sizeof key);
    s->authz.rbac = rbac_new(s->store, key);
    s->authz.nodes = node_authz_new(s->store, key);
    return ERR_NONE;
}

err_code server_new(struct env *env, const struct server_opts *opts, struct server **ret, struct err *err)
{
    struct server *s = NEW(struct server);
    s->env = env;
    s->opts = *opts;
    s->log = opts->log;
    s->started_mono = env_now_mono(env);
    s->opts.service_cidr = or_default(opts->service_cidr, S("10.96.0.0/12"));
    s->opts.cluster_domain = or_default(opts->cluster_domain, S("cluster.local"));
    s->opts.body_size_max = opts->body_size_max ? opts->body_size_max : (size_t)3 << 20;
    pthread_mutex_init(&s->catalog_lock, NULL);
    if (open_all(s, err)) {
        server_free(s);
        return err->code;
    }
    *ret = s;
    return ERR_NONE;
}

const struct catalog *server_catalog(struct server *s)
{
    pthread_mutex_lock(&s->catalog_lock);
    const struct catalog *c = catalog_ref(s->catalog);
    pthread_mutex_unlock(&s->catalog_lock);
    return c;
}

/* --- starting --- */

static err_code write_admin_conf(struct server *s, struct err *err)
{
    CLEANUP(arena_done) struct arena a;
    char ip[NET_ADDR_TEXT];
    arena_init(&a, 0);
    net_ip_format(&s->address, ip);
    str host = str_from_c(ip);
    if (str_is(host, "0.0.0.0") || str_is(host, "::"))
        host = S("127.0.0.1");
    host = or_default(s->opts.advertise_host, host);
    str url = str_index_c(host, ':') != SIZE_MAX
                  ? str_format(&a, "https://[%" STR_FMT "]:%u", STR_ARG(host), s->address.port)
                  : str_format(&a, "https://%" STR_FMT ":%u", STR_ARG(host), s->address.port);
    return pki_write_admin_conf(s->pki, s->dir, url, err);
}

err_code server_start(struct server *s, struct err *err)
{
    if (listener_new(s->env, &s->opts.bind, NULL, &s->listener, err))
        return err->code;
    s->address = *listener_addr(s->listener);
    if (write_admin_conf(s, err))
        return err_wrap(err, "could not write admin.conf");
    for (size_t i = 0; i < s->loop_count; i++) {
        struct server_loop *l = &s->loops[i];
        l->watches = watch_hub_new(s->store, l->loop);
        l->started = true;
        if (listener_attach(s->listener, l->loop, on_accept, l, err) || loop_start(l->loop, err))
            return err->code;
    }
    return ERR_NONE;
}

const struct net_addr *server_address(struct server *s)
{
    return &s->address;
}

/* --- ending --- */

static void run_drained(struct loop_msg *m)
{
    struct server_loop *l = CONTAINER_OF(m, struct server_loop, drained);
    l->is_drained = true;
}

static void on_hub_gone(void *ctx)
{
    struct server_loop *l = ctx;
    l->drained.run = run_drained;
    loop_post(l->server->control, &l->drained);
}

/* Drained, and nobody is there any more: the last thing that ends is the hub. */
static void loop_is_idle(struct server_loop *l)
{
    if (!l->draining || l->connection_count || !l->watches)
        return;
    struct watch_hub *hub = l->watches;
    l->watches = NULL;
    timer_cancel(&l->linger);
    watch_hub_free(hub, on_hub_gone, l);
}

static void on_linger(struct timer *t)
{
    struct server_loop *l = CONTAINER_OF(t, struct server_loop, linger);
    for (struct connection *c = l->connections, *next; c; c = next) {
        next = c->next;
        http_pump_close(c->pump);
    }
}

static void run_drain(struct loop_msg *m)
{
    struct server_loop *l = CONTAINER_OF(m, struct server_loop, drain);
    listener_detach(l->server->listener, l->loop);
    l->draining = true;
    for (struct connection *c = l->connections, *next; c; c = next) {
        next = c->next;
        if (!c->closed)
            http_pump_drain(c->pump);
    }
    timer_init(&l->linger, l->loop, on_linger);
    timer_set(&l->linger, LINGER_NS);
    loop_is_idle(l);
}

static bool all_drained(void *ctx)
{
    struct server *s = ctx;
    for (size_t i = 0; i < s->loop_count; i++)
        if (s->loops[i].started && !s->loops[i].is_drained)
            return false;
    return true;
}

void server_drain(struct server *s)
{
    atomic_store(&s->draining, true);
    for (size_t i = 0; i < s->loop_count; i++) {
        struct server_loop *l = &s->loops[i];
        l->drain.run = run_drain;
        if (l->started)
            loop_post(l->loop, &l->drain);
    }
    loop_run_until(s->control, all_drained, s, LOOP_FOREVER);
}

void server_free(struct server *s)
{
    if (!s)
        return;
    if (!atomic_load(&s->draining))
        server_drain(s);
    for (size_t i = 0; i < s->loop_count; i++)
        loop_stop(s->loops[i].loop);
    for (size_t i = 0; i < s->loop_count; i++)
        loop_join(s->loops[i].loop);
    listener_free(s->listener);
    tls_slot_free(s->tls);
    pki_free(s->pki);
    catalog_unref(s->catalog);
    rbac_free(s->authz.rbac);
    node_authz_free(s->authz.nodes);
    store_close(s->store); /* it may still be posting to the loops */
    for (size_t i = 0; i < s->loop_count; i++)
        loop_free(s->loops[i].loop);
    loop_free(s->control);
    dir_close(s->dir);
    pthread_mutex_destroy(&s->catalog_lock);
    mem_free(s);
}
