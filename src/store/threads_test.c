/* threads_test.c - several threads read while others write: for the thread sanitizer, and for what readers must never see.
 * `make tsan T=store_threads`. */
#include "base/mem.h"
#include "base/random.h"
#include "store/store_suite_test.h"
#include <stdatomic.h>
#include <stdio.h>

enum { READERS = 3, WRITERS = 2, PODS = 40, WRITES = 400 };

/* Every transaction adds one to the pod and takes the sum of all along: a snapshot whose sum is not that of its pods has
 * half a transaction. */
struct bank {
    struct store *store;
    uint32_t pods, sums;
    atomic_int writers_done, readers_done;
    atomic_uint answered;
};

static int64_t number_of(const struct object *o)
{
    int64_t v = 0;
    CHECK(!o || str_parse_i64(world_value(o), &v));
    return v;
}

static struct object *numbered(struct object_key key, int64_t v)
{
    char text[30];
    snprintf(text, sizeof text, "%lld", (long long)v);
    return world_object(key, text);
}

/* --- writers --- */

struct writer {
    struct bank *bank;
    struct loop *loop;
    struct loop_msg start;
    struct random random;
    struct store_txn txn;
    struct store_guard guards[2];
    struct store_change changes[2];
    char name[20];
    int left;
};

static struct store_guard guard(struct object_key key, const struct object *o)
{
    return (struct store_guard){o ? STORE_GUARD_AT : STORE_GUARD_ABSENT, key, o ? o->revision : 0};
}

static void write_done(struct store_txn *t);

static void write_next(struct writer *w)
{
    struct bank *b = w->bank;
    const struct snapshot *sn = store_snapshot(b->store);
    int n = snprintf(w->name, sizeof w->name, "p-%d", (int)random_below(&w->random, PODS));
    struct object_key pod = {b->pods, S("a"), str_of(w->name, (size_t)n)},
                      sum = {b->sums, STR_NONE, S("sum")};
    const struct object *was = snapshot_find(sn, pod), *all = snapshot_find(sn, sum);
    w->guards[0] = guard(pod, was);
    w->guards[1] = guard(sum, all);
    w->changes[0] = (struct store_change){.put = numbered(pod, number_of(was) + 1)};
    w->changes[1] = (struct store_change){.put = numbered(sum, number_of(all) + 1)};
    w->txn = (struct store_txn){.guards = w->guards,
                                .changes = w->changes,
                                .guard_count = 2,
                                .change_count = 2,
                                .loop = w->loop,
                                .done = write_done};
    snapshot_unref(sn);
    store_commit(b->store, &w->txn);
}

static void write_done(struct store_txn *t)
{
    struct writer *w = CONTAINER_OF(t, struct writer, txn);
    if (t->err.code == ERR_NONE) {
        w->left--;
        atomic_fetch_add(&w->bank->answered, 1);
    } else {
        CHECK_EQ(t->err.code, ERR_CONFLICT);
    }
    if (w->left)
        write_next(w);
    else
        atomic_fetch_add(&w->bank->writers_done, 1);
}

static void write_start(struct loop_msg *m)
{
    write_next(CONTAINER_OF(m, struct writer, start));
}

/* --- readers --- */

struct reader {
    struct bank *bank;
    struct loop *loop;
    struct store_subscriber sub;
    struct loop_msg start;
    const struct snapshot *held[4]; /* for a while */
    unsigned turns;
    int64_t position, seen;
};

static void check_sum(struct reader *r, const struct snapshot *sn)
{
    struct bank *b = r->bank;
    struct object_range range = {.resource = b->pods, .all_namespaces = true};
    struct snapshot_iter it;
    int64_t sum = 0;
    snapshot_list(sn, &range, NULL, &it);
    for (const struct object *o; (o = snapshot_next(&it));)
        sum += number_of(o);
    CHECK_EQ(sum, number_of(snapshot_find(sn, (struct object_key){b->sums, STR_NONE, S("sum")})));
}

static void follow(struct reader *r, const struct snapshot *sn)
{
    struct snapshot_iter it;
    CHECK_GE(sn->revision, r->position);
    CHECK_OK(snapshot_changes(sn, r->bank->sums, r->position, &it, &e));
    for (const struct change *c; (c = snapshot_next_change(&it));) {
        CHECK_EQ(number_of(c->now), r->seen + 1);
        CHECK_EQ(number_of(c->old), r->seen);
        r->seen++;
    }
    r->position = sn->revision;
}

static void on_news(struct store_subscriber *sub)
{
    struct reader *r = CONTAINER_OF(sub, struct reader, sub);
    const struct snapshot *sn = store_snapshot(r->bank->store), *back;
    unsigned slot = r->turns++ % 4;
    follow(r, sn);
    check_sum(r, sn);
    if (r->turns % 8 == 0) {
        CHECK_OK(snapshot_rewind(sn, r->bank->pods, sn->revision - 1, &back, &e));
        snapshot_unref(back);
    }
    if (r->held[slot])
        check_sum(r, r->held[slot]); /* as whole as ever */
    snapshot_unref(r->held[slot]);
    r->held[slot] = sn;
}

static void read_start(struct loop_msg *m)
{
    struct reader *r = CONTAINER_OF(m, struct reader, start);
    r->position = 1;
    store_subscribe(r->bank->store, &r->sub);
}

static void reader_gone(struct store_subscriber *sub)
{
    struct reader *r = CONTAINER_OF(sub, struct reader, sub);
    for (int i = 0; i < 4; i++)
        snapshot_unref(r->held[i]);
    atomic_fetch_add(&r->bank->readers_done, 1);
}

static void read_stop(struct loop_msg *m)
{
    store_unsubscribe(&CONTAINER_OF(m, struct reader, start)->sub, reader_gone);
}

static struct loop *started_loop(struct world *w)
{
    struct loop *l;
    CHECK_OK(loop_new(w->env, S("thread"), &l, &e));
    CHECK_OK(loop_start(l, &e));
    return l;
}

static void free_loop(struct loop *l)
{
    loop_stop(l);
    loop_join(l);
    loop_free(l);
}

static bool all_written(void *ctx)
{
    return atomic_load(&((struct bank *)ctx)->writers_done) == WRITERS;
}

static bool all_read(void *ctx)
{
    return atomic_load(&((struct bank *)ctx)->readers_done) == READERS;
}

TEST_WITHIN(store_threads_see_whole_transactions_in_order, 60)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_real);
    w->opts.history_size = 400000; /* so that some of it is dropped meanwhile */
    world_open(w);
    struct bank b = {.store = w->store,
                     .pods = store_resource(w->store, S("pods"), 0),
                     .sums = store_resource(w->store, S("sums"), 0)};
    struct reader readers[READERS] = {0};
    struct writer writers[WRITERS] = {0};
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.bank = &b, .loop = started_loop(w), .start.run = read_start};
        readers[i].sub = (struct store_subscriber){.on_news = on_news, .loop = readers[i].loop};
        loop_post(readers[i].loop, &readers[i].start);
    }
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){
            .bank = &b, .loop = started_loop(w), .start.run = write_start, .left = WRITES};
        random_init(&writers[i].random, test_seed() + (uint64_t)i);
        loop_post(writers[i].loop, &writers[i].start);
    }
    CHECK(world_wait_until(w, all_written, &b));
    for (int i = 0; i < READERS; i++) {
        readers[i].start.run = read_stop;
        loop_post(readers[i].loop, &readers[i].start);
    }
    CHECK(world_wait_until(w, all_read, &b));
    CHECK_EQ(atomic_load(&b.answered), WRITERS * WRITES);
    world_close(w); /* its thread may still be in the call that posted the last answer */
    for (int i = 0; i < READERS; i++)
        free_loop(readers[i].loop);
    for (int i = 0; i < WRITERS; i++)
        free_loop(writers[i].loop);
    world_done(w);
}
