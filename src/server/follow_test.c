#include "server/authz.h"
#include "server/follow.h"
#include "store/store_suite_test.h"
#include <pthread.h>
#include <stdio.h>

static const uint64_t key[2] = {3, 4};
#define BINDINGS "clusterrolebindings.rbac.authorization.k8s.io"
#define ROLES    "clusterroles.rbac.authorization.k8s.io"

static void put(struct world *w, const char *resource, const char *name, const char *rest)
{
    char content[1000];
    int n = snprintf(content, sizeof content, "{\"metadata\":{\"name\":\"%s\"},%s}", name, rest);
    struct store_change change = {0};
    CHECK_OK(object_new(world_key(w, resource, name), str_of(content, (size_t)n), &change.put, &e));
    CHECK_OK(world_commit(w, NULL, 0, &change, 1, &e));
}

/* A binding named for its user. */
static void bind(struct world *w, const char *user)
{
    char rest[300];
    snprintf(
        rest, sizeof rest,
        "\"subjects\":[{\"kind\":\"User\",\"name\":\"%s\"}],\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"r\"}",
        user);
    put(w, BINDINGS, user, rest);
}

static void make_role(struct world *w)
{
    put(w, ROLES, "r", "\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]");
}

static bool may(struct store *s, struct rbac *r, const char *user)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    const struct snapshot *sn = store_snapshot(s);
    struct user u = {.name = str_from_c(user)};
    struct attributes at = {.user = &u, .is_resource = true, .verb = S("get"), .resource = S("pods")};
    struct authz_answer answer = {0};
    rbac_authorize(r, &a, sn, &at, &answer);
    snapshot_unref(sn);
    return answer.decision == AUTHZ_ALLOW;
}

TEST(sim_follow_reads_everything_again_when_changes_are_gone)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    w->opts.history_size = 2000;
    world_open(w);
    struct rbac *r = rbac_new(w->store, key);
    make_role(w);
    bind(w, "stays");
    bind(w, "goes");
    int64_t then = w->revision;
    CHECK(may(w->store, r, "goes"));
    CHECK_OK(world_delete(w, BINDINGS, "goes", THERE, &e));
    for (int i = 0; i < 50; i++)
        bind(w, "other");
    const struct snapshot *sn = store_snapshot(w->store);
    struct snapshot_iter it;
    CHECK_ERR(EXPIRED, "are gone",
              snapshot_changes(sn, store_resource(w->store, S(BINDINGS), 0), then, &it, &e));
    snapshot_unref(sn);
    CHECK(!may(w->store, r, "goes"));
    CHECK(may(w->store, r, "stays"));
    CHECK(may(w->store, r, "other"));
    rbac_free(r);
    world_done(w);
}

TEST(sim_follow_takes_no_new_version_for_what_is_not_its_own)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    world_open(w);
    struct rbac *r = rbac_new(w->store, key);
    make_role(w);
    bind(w, "u");
    CHECK(may(w->store, r, "u"));
    CHECK_OK(world_put(w, "pods", "ns/p", "v", ANY, &e));
    CHECK(may(w->store, r, "u"));
    rbac_free(r);
    world_done(w);
}

/* --- several threads ask while one writes --- */

enum { STEPS = 60, ASKERS = 3 };

struct race {
    struct store *store;
    struct rbac *rbac;
    _Atomic int answered; /* up to here: on-N may, off-N may not any more */
    _Atomic int asked;
};

static void *ask_all_the_time(void *arg)
{
    struct race *race = arg;
    char on[20], off[20];
    for (int n = 0; n < STEPS;) {
        n = atomic_load(&race->answered);
        snprintf(on, sizeof on, "on-%d", n);
        snprintf(off, sizeof off, "off-%d", n);
        CHECK(may(race->store, race->rbac, on));
        CHECK(!may(race->store, race->rbac, off));
        atomic_fetch_add(&race->asked, 1);
    }
    return NULL;
}

TEST_WITHIN(store_threads_that_ask_see_every_write_that_was_answered, 60)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_real);
    w->opts.history_size = 20000;
    world_open(w);
    struct race race = {.store = w->store, .rbac = rbac_new(w->store, key)};
    make_role(w);
    bind(w, "on-0");
    char name[20];
    for (int n = 1; n <= STEPS; n++) {
        snprintf(name, sizeof name, "off-%d", n);
        bind(w, name);
    }
    pthread_t threads[ASKERS];
    for (int i = 0; i < ASKERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, ask_all_the_time, &race), 0);
    for (int n = 1; n <= STEPS; n++) {
        snprintf(name, sizeof name, "on-%d", n);
        bind(w, name);
        snprintf(name, sizeof name, "off-%d", n);
        CHECK_OK(world_delete(w, BINDINGS, name, THERE, &e));
        atomic_store(&race.answered, n);
    }
    for (int i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_GE(atomic_load(&race.asked), ASKERS);
    rbac_free(race.rbac);
    world_done(w);
}
