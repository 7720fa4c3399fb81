/* store_suite_test.h - tests that hold for every store: each is written once and registered for each world.
 *
 *     STORE_TEST(what_is_put_is_found)
 *     {
 *         CHECK_OK(world_put(w, "pods", "default/web-0", "v1", ANY, &e));
 *         ...
 *     }
 *
 * Worlds: sqlite on the real disk, sqlite on a simulated one, a model of etcd (fake_etcd_test.h). The test drives w->loop;
 * the store has its own. */
#ifndef STORE_STORE_SUITE_TEST_H
#define STORE_STORE_SUITE_TEST_H

#include "harness/sim_run.h"
#include "store/store.h"
#include "sys/file.h"

struct fake_etcd;

struct world {
    const struct world_ops *ops;
    struct env *env;
    struct sim *sim; /* NULL: the real world */
    struct sim_host *host;
    struct dir *dir;
    struct fake_etcd *etcd;
    struct loop *loop;
    struct store_opts opts; /* may be changed before world_reopen */
    struct store *store;
    int64_t revision; /* of the last transaction that was answered */
    unsigned failed_guard;
    struct err fatal; /* what on_fatal was told; none: nothing */
};

struct world_ops {
    void (*init)(struct world *w, uint64_t seed); /* env, sim, dir */
    err_code (*open)(struct world *w, struct store **ret, struct err *err);
    void (*done)(struct world *w);
};
extern const struct world_ops world_sqlite_real, world_sqlite_sim, world_etcd;

void world_init(struct world *w, const struct world_ops *ops);
void world_init_seed(struct world *w, const struct world_ops *ops, uint64_t seed);
void world_done(struct world *w);
void world_close(struct world *w);
void world_open(struct world *w);
static inline void world_reopen(struct world *w)
{
    world_close(w);
    world_open(w);
}
void world_run(const struct world_ops *ops, void (*fn)(struct world *w));

#define STORE_TEST_IN_(world, prefix, name)   \
    TEST(prefix##name)                        \
    {                                         \
        world_run(&world, store_test_##name); \
    }
/* Every store's. */
#define STORE_TEST(name)                                         \
    static void store_test_##name(struct world *w);              \
    STORE_TEST_IN_(world_sqlite_real, store_on_sqlite_, name)    \
    STORE_TEST_IN_(world_sqlite_sim, sim_store_on_sqlite_, name) \
    STORE_TEST_IN_(world_etcd, sim_store_on_etcd_, name)         \
    static void store_test_##name(struct world *w)
/* Of what is kept on a disk of its own. */
#define STORE_DISK_TEST(name)                                    \
    static void store_test_##name(struct world *w);              \
    STORE_TEST_IN_(world_sqlite_real, store_on_sqlite_, name)    \
    STORE_TEST_IN_(world_sqlite_sim, sim_store_on_sqlite_, name) \
    static void store_test_##name(struct world *w)

/* --- doing one thing and waiting for it --- */

#define ANY    (-1) /* whatever is there */
#define ABSENT (-2)
#define THERE  (-3)

/* "namespace/name", or a name alone. */
struct object_key world_key(struct world *w, const char *resource, const char *path);
/* The content says `value`, with labels app=VALUE. */
struct object *world_object(struct object_key key, const char *value);
str world_value(const struct object *o);

/* `at`: a revision, or one of those above. */
err_code world_put(struct world *w, const char *resource, const char *path, const char *value, int64_t at,
                   struct err *err);
err_code world_delete(struct world *w, const char *resource, const char *path, int64_t at, struct err *err);
err_code world_commit(struct world *w, const struct store_guard *guards, unsigned guard_count,
                      const struct store_change *changes, unsigned change_count, struct err *err);
/* The value of an object in the newest snapshot, "-" when there is none. Good until the next call. */
str world_get(struct world *w, const char *resource, const char *path);
str value_in(struct world *w, const struct snapshot *sn, const char *resource, const char *path);

/* Transactions under way at once. */
struct posted {
    struct store_txn txn;
    struct store_guard guard;
    struct store_change change;
    bool done;
};
void world_post(struct world *w, struct posted *p, const char *resource, const char *path, const char *value,
                int64_t at); /* value NULL: delete */
void world_wait(struct world *w, bool *done);
bool world_wait_until(struct world *w, bool (*cond)(void *ctx), void *ctx);

#endif
