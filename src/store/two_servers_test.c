/* two_servers_test.c - two stores on one etcd (the model of it), clients on both: reads and writes are linearizable, and both
 * follow the same history.
 * The order in which everything took effect is that of the revisions, so it is enough to check that an operation which
 * began after another had ended has not the older revision, and that each saw what was there at its own. */
#include "base/mem.h"
#include "store/fake_etcd_test.h"
#include "store/store_suite_test.h"
#include <stdio.h>

enum { CLIENTS = 6, KEYS = 4, OPS_MAX = 4000 };

struct op {
    int64_t start, end, revision;
    bool is_write;
};

struct cluster;
struct client {
    struct cluster *c;
    struct store *store; /* one of the two, at random for each operation */
    struct store_txn txn;
    struct store_guard guard;
    struct store_change change;
    struct store_read read;
    int key;
    int64_t start, value; /* of a write: what it adds up to */
};

struct cluster {
    struct world *w;
    struct store *stores[2];
    struct client clients[CLIENTS];
    struct op ops[OPS_MAX];
    int op_count, left, busy, conflicts;
    int64_t written[KEYS], unknown[KEYS]; /* writes that were answered, and that perhaps happened */
};

static const char *const keys[KEYS] = {"a/k0", "a/k1", "b/k2", "b/k3"};

static struct object_key key_in(struct store *s, int key)
{
    return (struct object_key){store_resource(s, S("counters"), 0), str_of(keys[key], 1),
                               str_from_c(keys[key] + 2)};
}

static int64_t number_of(const struct object *o)
{
    int64_t v = 0;
    CHECK(!o || str_parse_i64(world_value(o), &v));
    return v;
}

/* What was there at a revision, as etcd knows. */
static int64_t truth(struct cluster *c, int key, int64_t revision)
{
    int64_t v = 0;
    const struct fake_event *e = fake_etcd_at(c->w->etcd, S("counters"), str_of(keys[key], 1),
                                              str_from_c(keys[key] + 2), revision);
    if (e && e->content) {
        str content = str_from_c(e->content);
        size_t at = str_index(content, S("\"value\":\"")) + 9;
        CHECK(str_parse_i64(str_slice(content, at, content.n - 2), &v));
    }
    return v;
}

static void next(struct client *cl);

static void note(struct client *cl, int64_t revision, bool is_write)
{
    struct cluster *c = cl->c;
    CHECK_LT(c->op_count, OPS_MAX);
    c->ops[c->op_count++] = (struct op){cl->start, sim_now(c->w->sim), revision, is_write};
}

static void wrote(struct store_txn *t)
{
    struct client *cl = CONTAINER_OF(t, struct client, txn);
    struct cluster *c = cl->c;
    const struct snapshot *sn = store_snapshot(cl->store);
    if (t->err.code == ERR_NONE) {
        note(cl, t->revision, true);
        c->written[cl->key]++;
        CHECK_GE(sn->revision, t->revision);
        CHECK_EQ(truth(c, cl->key, t->revision), cl->value);
    } else if (t->err.code == ERR_CONFLICT) {
        /* What made it fail can be seen. */
        const struct object *o = snapshot_find(sn, cl->guard.key);
        CHECK_GE(sn->revision, t->revision);
        CHECK(cl->guard.kind == STORE_GUARD_AT ? !o || o->revision != cl->guard.revision : o != NULL);
        c->conflicts++;
    } else {
        CHECK_EQ(t->err.code, ERR_UNAVAILABLE);
        c->unknown[cl->key]++;
    }
    snapshot_unref(sn);
    next(cl);
}

static void read_it(struct store_read *r)
{
    struct client *cl = CONTAINER_OF(r, struct client, read);
    if (r->err.code) {
        CHECK(r->err.code == ERR_UNAVAILABLE || r->err.code == ERR_TIMEOUT);
        next(cl);
        return;
    }
    note(cl, r->snapshot->revision, false);
    for (int k = 0; k < KEYS; k++)
        CHECK_EQ(number_of(snapshot_find(r->snapshot, key_in(cl->store, k))),
                 truth(cl->c, k, r->snapshot->revision));
    snapshot_unref(r->snapshot);
    next(cl);
}

static void write_one(struct client *cl)
{
    struct cluster *c = cl->c;
    const struct snapshot *sn = store_snapshot(cl->store);
    char text[30];
    cl->key = (int)sim_random(c->w->sim, KEYS);
    struct object_key key = key_in(cl->store, cl->key);
    const struct object *o = snapshot_find(sn, key);
    cl->value = number_of(o) + 1;
    snprintf(text, sizeof text, "%lld", (long long)cl->value);
    cl->guard = (struct store_guard){o ? STORE_GUARD_AT : STORE_GUARD_ABSENT, key, o ? o->revision : 0};
    cl->change = (struct store_change){.put = world_object(key, text)};
    cl->txn = (struct store_txn){.guards = &cl->guard,
                                 .changes = &cl->change,
                                 .guard_count = 1,
                                 .change_count = 1,
                                 .loop = c->w->loop,
                                 .done = wrote};
    snapshot_unref(sn);
    store_commit(cl->store, &cl->txn);
}

static void next(struct client *cl)
{
    struct cluster *c = cl->c;
    if (c->left-- <= 0) {
        c->busy--;
        return;
    }
    cl->start = sim_now(c->w->sim);
    cl->store = c->stores[sim_random(c->w->sim, 2)];
    if (sim_random(c->w->sim, 2)) {
        write_one(cl);
        return;
    }
    cl->read = (struct store_read){.kind = STORE_READ_NEWEST, .loop = c->w->loop, .done = read_it};
    CHECK(!store_read(cl->store, &cl->read));
}

static bool is_done(void *ctx)
{
    const struct cluster *c = ctx;
    return c->busy == 0;
}

static void check_order(const struct cluster *c)
{
    for (int i = 0; i < c->op_count; i++) {
        const struct op *b = &c->ops[i];
        for (int j = 0; j < c->op_count; j++) {
            const struct op *a = &c->ops[j];
            if (a->end < b->start && (b->is_write ? b->revision <= a->revision : b->revision < a->revision))
                FAIL("an operation ended at revision %lld, and one that began later has revision %lld",
                     (long long)a->revision, (long long)b->revision);
        }
    }
}

/* Each store has had every event of the log, once, in order. */
static void check_history(const struct cluster *c, struct store *s)
{
    const struct snapshot *sn = store_snapshot(s);
    struct snapshot_iter it;
    CHECK_OK(snapshot_changes(sn, store_resource(s, S("counters"), 0), 1, &it, &e));
    for (size_t i = 0; i < c->w->etcd->log.count; i++) {
        const struct fake_event *ev = &c->w->etcd->log.items[i];
        const struct change *ch = snapshot_next_change(&it);
        CHECK(ch);
        CHECK_EQ(ch->revision, ev->revision);
        CHECK_STR(object_content(ch->now), ev->content);
    }
    CHECK(!snapshot_next_change(&it));
    CHECK_EQ(sn->revision, c->w->etcd->revision);
    snapshot_unref(sn);
}

static void run(uint64_t seed, unsigned lose)
{
    struct world world, *w = &world;
    struct cluster *c = NEW(struct cluster);
    world_init_seed(w, &world_etcd, seed);
    w->etcd->lose = lose;
    world_open(w);
    *c = (struct cluster){.w = w, .stores = {w->store}, .left = 400, .busy = CLIENTS};
    CHECK_OK(fake_etcd_store_open(w->etcd, w->env, &w->opts, &c->stores[1], &e));
    for (int i = 0; i < CLIENTS; i++) {
        c->clients[i].c = c;
        next(&c->clients[i]);
    }
    CHECK(loop_run_until(w->loop, is_done, c, 1000 * NS_PER_S));
    CHECK(loop_run_until(w->loop, fake_etcd_is_quiet, w->etcd, 1000 * NS_PER_S));
    check_order(c);
    for (int k = 0; k < KEYS; k++) {
        int64_t v = truth(c, k, INT64_MAX);
        CHECK_GE(v, c->written[k]);
        CHECK_LE(v, c->written[k] + c->unknown[k]);
    }
    check_history(c, c->stores[0]);
    check_history(c, c->stores[1]);
    CHECK_GT(c->op_count, 150);
    CHECK_GT(c->conflicts, 5);
    store_close(c->stores[1]);
    world_done(w);
    mem_free(c);
}

TEST_WITHIN(sim_store_two_servers_are_linearizable, 60)
{
    for (struct sim_runs s = sim_runs(test_is_sanitized() ? 5 : 30); sim_runs_next(&s);) {
        run(s.seed, 0);
        run(s.seed, 5);
    }
}
