/* store_suite_test.c - the worlds stores are tested in. */
#include "store/store_suite_test.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/fake_etcd_test.h"
#include <stdio.h>

#define PATIENCE_NS (15 * NS_PER_S)

/* --- worlds --- */

static void on_fatal(void *ctx, const struct err *why)
{
    struct world *w = ctx;
    w->fatal = *why;
}

void world_open(struct world *w)
{
    CHECK_OK(w->ops->open(w, &w->store, &e));
}

void world_close(struct world *w)
{
    if (w->etcd)
        CHECK(loop_run_until(w->loop, fake_etcd_is_quiet, w->etcd, PATIENCE_NS));
    store_close(w->store);
    w->store = NULL;
}

void world_init(struct world *w, const struct world_ops *ops)
{
    world_init_seed(w, ops, test_seed());
}

void world_init_seed(struct world *w, const struct world_ops *ops, uint64_t seed)
{
    *w = (struct world){.ops = ops};
    ops->init(w, seed);
    CHECK_OK(loop_new(w->env, S("test"), &w->loop, &e));
    w->opts = (struct store_opts){
        .dir = w->dir, .reserve_size = (size_t)256 << 10, .on_fatal = on_fatal, .ctx = w};
}

void world_done(struct world *w)
{
    world_close(w);
    loop_free(w->loop);
    w->ops->done(w);
}

void world_run(const struct world_ops *ops, void (*fn)(struct world *w))
{
    struct world w;
    world_init(&w, ops);
    world_open(&w);
    fn(&w);
    world_done(&w);
}

static err_code sqlite_open_it(struct world *w, struct store **ret, struct err *err)
{
    return store_open(w->env, &w->opts, ret, err);
}

static void real_init(struct world *w, uint64_t seed)
{
    char dir[300];
    snprintf(dir, sizeof dir, "%s/store", test_dir());
    CHECK_OK(env_new_real(NULL, &w->env, &e));
    CHECK_OK(dir_open(w->env, str_from_c(dir), DIR_CREATE, &w->dir, &e));
}

static void real_done(struct world *w)
{
    dir_close(w->dir);
    env_free(w->env);
}

const struct world_ops world_sqlite_real = {.init = real_init, .open = sqlite_open_it, .done = real_done};

static void sim_init(struct world *w, uint64_t seed)
{
    w->sim = sim_run_new(seed);
    w->host = sim_host_new(w->sim, S("node"), S("10.0.0.1"));
    w->env = sim_host_env(w->host);
    CHECK_OK(dir_open(w->env, S("/var/lib/store"), DIR_CREATE, &w->dir, &e));
}

static void sim_done(struct world *w)
{
    dir_close(w->dir);
    sim_run_free(w->sim);
}

const struct world_ops world_sqlite_sim = {.init = sim_init, .open = sqlite_open_it, .done = sim_done};

static void etcd_init(struct world *w, uint64_t seed)
{
    sim_init(w, seed);
    w->etcd = fake_etcd_new(w->sim);
}

static err_code etcd_open(struct world *w, struct store **ret, struct err *err)
{
    return fake_etcd_store_open(w->etcd, w->env, &w->opts, ret, err);
}

static void etcd_done(struct world *w)
{
    fake_etcd_free(w->etcd);
    sim_done(w);
}

const struct world_ops world_etcd = {.init = etcd_init, .open = etcd_open, .done = etcd_done};

/* --- waiting --- */

bool world_wait_until(struct world *w, bool (*cond)(void *ctx), void *ctx)
{
    /* It may come about without this loop being woken. */
    int64_t end = env_now_mono(w->env) + PATIENCE_NS;
    bool holds;
    do
        holds = loop_run_until(w->loop, cond, ctx, NS_PER_MS);
    while (!holds && env_now_mono(w->env) < end);
    return holds;
}

static bool is_done(void *ctx)
{
    return *(bool *)ctx;
}

void world_wait(struct world *w, bool *done)
{
    CHECK(loop_run_until(w->loop, is_done, done, PATIENCE_NS));
}

/* --- objects --- */

struct object_key world_key(struct world *w, const char *resource, const char *path)
{
    str ns = STR_NONE, name = str_from_c(path);
    if (str_index_c(name, '/') != SIZE_MAX)
        str_cut(name, '/', &ns, &name);
    return (struct object_key){store_resource(w->store, str_from_c(resource), 0), ns, name};
}

struct object *world_object(struct object_key key, const char *value)
{
    CLEANUP(buf_done) struct buf b;
    struct object *o;
    buf_init(&b, OBJECT_SIZE_MAX);
    buf_add_f(&b, "{\"metadata\":{\"name\":\"%" STR_FMT "\"", STR_ARG(key.name));
    if (key.ns.n)
        buf_add_f(&b, ",\"namespace\":\"%" STR_FMT "\"", STR_ARG(key.ns));
    buf_add_f(&b, ",\"labels\":{\"app\":\"%.20s\"}},\"value\":\"", value);
    buf_add(&b, str_from_c(value));
    buf_add_lit(&b, "\"}");
    CHECK_OK(object_new(key, buf_str(&b), &o, &e));
    return o;
}

str world_value(const struct object *o)
{
    str content = object_content(o);
    size_t at = str_index(content, S("\"value\":\""));
    return str_slice(content, at + 9, content.n - 2);
}

str value_in(struct world *w, const struct snapshot *sn, const char *resource, const char *path)
{
    const struct object *o = snapshot_find(sn, world_key(w, resource, path));
    return o ? world_value(o) : S("-");
}

str world_get(struct world *w, const char *resource, const char *path)
{
    static char text[1000];
    const struct snapshot *sn = store_snapshot(w->store);
    str v = str_slice(value_in(w, sn, resource, path), 0, sizeof text);
    memcpy(text, v.p, v.n);
    snapshot_unref(sn);
    return str_of(text, v.n);
}

/* --- transactions --- */

static void posted_done(struct store_txn *t)
{
    CONTAINER_OF(t, struct posted, txn)->done = true;
}

void world_post(struct world *w, struct posted *p, const char *resource, const char *path, const char *value,
                int64_t at)
{
    struct object_key key = world_key(w, resource, path);
    *p = (struct posted){.guard.key = key, .change.key = key};
    p->guard.kind = at == ABSENT ? STORE_GUARD_ABSENT : at == THERE ? STORE_GUARD_THERE : STORE_GUARD_AT;
    p->guard.revision = at;
    p->change.put = value ? world_object(key, value) : NULL;
    p->txn = (struct store_txn){.guards = &p->guard,
                                .guard_count = at != ANY,
                                .changes = &p->change,
                                .change_count = 1,
                                .loop = w->loop,
                                .done = posted_done};
    store_commit(w->store, &p->txn);
}

static err_code finish(struct world *w, struct posted *p, struct err *err)
{
    world_wait(w, &p->done);
    w->revision = p->txn.revision;
    w->failed_guard = p->txn.failed_guard;
    *err = p->txn.err;
    return err->code;
}

err_code world_put(struct world *w, const char *resource, const char *path, const char *value, int64_t at,
                   struct err *err)
{
    struct posted p;
    world_post(w, &p, resource, path, value, at);
    return finish(w, &p, err);
}

err_code world_delete(struct world *w, const char *resource, const char *path, int64_t at, struct err *err)
{
    struct posted p;
    world_post(w, &p, resource, path, NULL, at);
    return finish(w, &p, err);
}

err_code world_commit(struct world *w, const struct store_guard *guards, unsigned guard_count,
                      const struct store_change *changes, unsigned change_count, struct err *err)
{
    struct posted p = {.txn = {.guards = guards,
                               .guard_count = (uint16_t)guard_count,
                               .changes = changes,
                               .change_count = (uint16_t)change_count,
                               .loop = w->loop,
                               .done = posted_done}};
    store_commit(w->store, &p.txn);
    return finish(w, &p, err);
}
