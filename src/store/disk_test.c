/* disk_test.c - disks that are full, fail, and must not grow; memory that must not either. */
#include "base/mem.h"
#include "base/random.h"
#include "store/load_test.h"
#include "store/store_suite_test.h"
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK_PUT(resource, path, value, at) CHECK_OK(world_put(w, resource, path, value, at, &e))
#define OK_DELETE(resource, path, at)     CHECK_OK(world_delete(w, resource, path, at, &e))

static void pass(struct world *w, int64_t ns)
{
    CHECK(!loop_run_until(w->loop, NULL, NULL, ns));
}

static const char *padded(size_t n)
{
    static char text[20001];
    memset(text, 'x', n);
    text[n] = 0;
    return text;
}

static const char *path_of(int i)
{
    static char path[30];
    snprintf(path, sizeof path, "a/p-%d", i);
    return path;
}

/* --- full --- */

/* Puts until the disk is full; how many were taken. */
static int fill(struct world *w, int first, size_t size)
{
    struct err why;
    int n = first;
    for (; n < 5000 && !world_put(w, "pods", path_of(n), padded(size), ABSENT, &why); n++)
        ;
    CHECK_EQ(why.code, ERR_DISK_FULL);
    CHECK_STR(why.msg, "the disk of the store is full");
    CHECK_GT(n, first + 10);
    return n;
}

static void full_disk(struct world *w, size_t size)
{
    sim_disk_faults_set(w->host, &(struct sim_disk_faults){.full_at_bytes = 1500000});
    world_open(w);
    OK_PUT("nodes", "n", "v", ABSENT);
    int n = fill(w, 0, size);
    CHECK_ERR(DISK_FULL, "is full", world_put(w, "nodes", "n", "v2", THERE, &e));
    CHECK_STR(world_get(w, "pods", path_of(n - 1)), str_slice(str_from_c(padded(size)), 0, 1000));
    CHECK_STR(world_get(w, "pods", path_of(n)), "-");
    /* Also after a new start. */
    for (int i = 0; i < n / 2; i++) {
        if (i == n / 4)
            world_reopen(w);
        OK_DELETE("pods", path_of(i), THERE);
    }
    CHECK(!w->fatal.code);
    /* What was deleted makes room, though nobody else gave any. (History takes it until the next delete.) */
    struct err why;
    int refused = 0;
    for (int i = 0; i < n / 4; i++) {
        if (!world_put(w, "pods", path_of(i), padded(size), ABSENT, &why))
            continue;
        CHECK_EQ(why.code, ERR_DISK_FULL);
        OK_DELETE("pods", path_of(n / 2 + refused++), THERE);
        i--;
    }
    CHECK_LE(refused, 3 + n / 8);
    world_reopen(w);
    CHECK_STR(world_get(w, "pods", path_of(n / 4)), "-");
    CHECK_NE(world_get(w, "pods", path_of(n / 4 - 1)).n, 1);
}

TEST(sim_store_on_a_full_disk_takes_deletes_and_then_what_there_is_room_for)
{
    static const size_t sizes[] = {300, 3000, 20000};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct world w;
        world_init(&w, &world_sqlite_sim);
        full_disk(&w, sizes[i]);
        world_done(&w);
    }
}

TEST(sim_store_on_a_disk_that_was_full_goes_on_when_there_is_room)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    sim_disk_faults_set(w->host, &(struct sim_disk_faults){.full_at_bytes = 1500000});
    world_open(w);
    int n = fill(w, 0, 3000);
    struct store_stats st;
    store_stats(w->store, &st);
    CHECK_EQ(st.objects, n);
    sim_disk_faults_set(w->host, &(struct sim_disk_faults){.full_at_bytes = 3000000});
    CHECK_ERR(DISK_FULL, "is full",
              world_put(w, "nodes", "n", "v", ABSENT, &e)); /* not looked at each time */
    pass(w, 6 * NS_PER_S);
    CHECK_ERR(DISK_FULL, "is full", world_put(w, "nodes", "n", "v", ABSENT, &e)); /* but now it is */
    pass(w, NS_PER_S);
    OK_PUT("nodes", "n", "v", ABSENT);
    fill(w, n, 3000);
    world_done(w);
}

TEST(sim_store_on_a_full_disk_lets_objects_go_that_wait_for_finalizers)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    sim_disk_faults_set(w->host, &(struct sim_disk_faults){.full_at_bytes = 1500000});
    world_open(w);
    fill(w, 0, 3000);
    struct object_key key = world_key(w, "pods", "a/p-3");
    struct object *o;
    CHECK_OK(object_new(key,
                        S("{\"metadata\":{\"name\":\"p-3\",\"namespace\":\"a\",\"deletionTimestamp\":\"x\","
                          "\"finalizers\":[\"f\"]}}"),
                        &o, &e));
    struct store_change changes[] = {{.put = o}, {.put = NULL}};
    CHECK_OK(world_commit(w, NULL, 0, changes, 1, &e));
    /* Along with it what is there already may change, but nothing be added. */
    struct object_key other = world_key(w, "quotas", "a/q");
    changes[0] = (struct store_change){.key = key};
    changes[1] = (struct store_change){.put = world_object(other, "1")};
    CHECK_ERR(DISK_FULL, "is full", world_commit(w, NULL, 0, changes, 2, &e));
    CHECK_OK(world_commit(w, NULL, 0, changes, 1, &e));
    world_done(w);
}

TEST(sim_store_needs_room_to_be_made)
{
    struct world world, *w = &world;
    struct store *s;
    world_init(w, &world_sqlite_sim);
    sim_disk_faults_set(w->host, &(struct sim_disk_faults){.full_at_bytes = 3000});
    CHECK_ERR(DISK_FULL, "could not open the store: could not ", store_open(w->env, &w->opts, &s, &e));
    sim_disk_faults_set(w->host, &(struct sim_disk_faults){.full_at_bytes = 0});
    world_open(w);
    OK_PUT("pods", "a/b", "v", ABSENT);
    world_done(w);
}

/* --- failing --- */

TEST(sim_store_that_cannot_sync_stops)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    world_open(w);
    OK_PUT("pods", "a/b", "v1", ABSENT);
    sim_disk_faults_set(w->host, &(struct sim_disk_faults){.sync_error = 1});
    CHECK_ERR(UNAVAILABLE, "perhaps before this was written", world_put(w, "pods", "a/b", "v2", THERE, &e));
    CHECK_EQ(w->fatal.code, ERR_IO);
    CHECK_CONTAINS(w->fatal.msg, "could not write to 'state.db': ");
    w->fatal = ERR_INIT;
    sim_disk_faults_set(w->host, &(struct sim_disk_faults){.sync_error = 0});
    CHECK_ERR(UNAVAILABLE, "the store has stopped", world_put(w, "pods", "a/b", "v3", THERE, &e));
    CHECK_EQ(w->fatal.code, 0); /* said once */
    CHECK_STR(world_get(w, "pods", "a/b"), "v1");
    world_reopen(w);
    CHECK_NE(world_get(w, "pods", "a/b").p[1], '3');
    OK_PUT("pods", "a/b", "v4", THERE);
    world_done(w);
}

TEST(sim_store_that_cannot_go_on_ends_the_process_with_a_line)
{
    int out[2], status;
    char text[500] = "";
    CHECK_EQ(pipe(out), 0);
    fflush(stdout);
    pid_t pid = fork();
    CHECK_GE(pid, 0);
    if (pid == 0) {
        struct world world, *w = &world;
        dup2(out[1], STDERR_FILENO);
        world_init(w, &world_sqlite_sim);
        w->opts.on_fatal = NULL;
        world_open(w);
        sim_disk_faults_set(w->host, &(struct sim_disk_faults){.sync_error = 1});
        struct err why;
        err_ignore(world_put(w, "pods", "a/b", "v1", ABSENT, &why));
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 74);
    CHECK_GT(read(out[0], text, sizeof text - 1), 0);
    CHECK_CONTAINS(text,
                   "skiff: the store cannot go on; a new start will find what is on disk: could not write");
    close(out[0]);
    close(out[1]);
}

struct faulty {
    struct world w;
    struct load *load;
};

static bool over(void *ctx)
{
    struct faulty *f = ctx;
    return load_is_done(f->load) || f->w.fatal.code;
}

/* A disk that fails now and then, and lives that end by it: nothing answered is lost. */
static size_t failing_lives(const struct sim_disk_faults *faults, uint64_t seed)
{
    struct faulty f;
    struct world *w = &f.w;
    size_t deaths = 0;
    world_init(w, &world_sqlite_sim);
    w->opts.reserve_size = 40000;
    w->opts.history_size = 20000;
    f.load = load_new(seed, 3000);
    for (int life = 0; life < 6; life++) {
        w->fatal = ERR_INIT;
        world_open(w);
        load_start(f.load, w->store, w->loop, 0);
        if (!load_watch(f.load, w->store) || !load_check(f.load, w->store))
            FAIL("life %d: %s", life, f.load->fault);
        load_settle(f.load);
        load_start(f.load, w->store, w->loop, 60);
        sim_disk_faults_set(w->host, faults);
        loop_run_until(w->loop, over, &f, 100 * NS_PER_S);
        CHECK(over(&f));
        deaths += w->fatal.code != 0;
        while (!load_is_done(f.load)) { /* after a fatal error each is answered all the same */
            f.load->left = 0;
            CHECK(loop_run_until(w->loop, load_is_done, f.load, 10 * NS_PER_S));
        }
        if (sim_random(w->sim, 2))
            sim_crash_now(w->host);
        loop_free(w->loop);
        world_close(w);
        sim_disk_faults_set(w->host, &(struct sim_disk_faults){.sync_error = 0});
        if (sim_host_is_crashed(w->host)) {
            dir_close(w->dir);
            sim_host_restart(w->host);
            CHECK_OK(dir_open(w->env, S("/var/lib/store"), DIR_CREATE, &w->dir, &e));
            w->opts.dir = w->dir;
        }
        CHECK_OK(loop_new(w->env, S("test"), &w->loop, &e));
    }
    load_free(f.load);
    world_done(w);
    return deaths;
}

TEST(sim_store_on_a_failing_disk_loses_nothing_that_was_answered)
{
    static const struct sim_disk_faults faults[] = {
        {.sync_error = 0.02}, {.write_error = 0.004}, {.read_error = 0.05}, {.full_at_bytes = 100000}};
    size_t deaths = 0;
    struct sim_runs s = sim_runs(test_is_sanitized() ? 3 : 15);
    while (sim_runs_next(&s))
        for (size_t i = 0; i < ARRAY_COUNT(faults); i++)
            deaths += failing_lives(&faults[i], s.seed);
    CHECK(deaths > 5 || sim_runs_is_replay(&s));
}

/* --- not growing --- */

STORE_DISK_TEST(an_idle_store_writes_nothing)
{
    uint64_t size = 0;
    w->opts.history_ns = 1000;
    world_reopen(w);
    for (int i = 0; i < 100; i++)
        OK_PUT("pods", path_of(i % 7), padded(3000), ANY);
    pass(w, 300 * NS_PER_MS); /* what was under way ends */
    if (w->sim) {
        uint64_t ops = sim_host_ops(w->host);
        pass(w, 4000 * NS_PER_S);
        CHECK_LE(sim_host_ops(w->host), ops + 2); /* the end of waiting */
        return;
    }
    struct file *wal;
    char before[32], after[32];
    size_t n;
    CHECK_OK(file_open(w->dir, S("state.db-wal"), FILE_READ, &wal, &e));
    CHECK_OK(file_read_at(wal, 0, before, sizeof before, &n, &e));
    CHECK_OK(file_size(wal, &size, &e));
    pass(w, 200 * NS_PER_MS);
    CHECK_OK(file_read_at(wal, 0, after, sizeof after, &n, &e));
    CHECK_EQ(memcmp(before, after, sizeof before), 0);
    file_close(wal);
}

TEST_WITHIN(sim_store_does_not_grow_when_what_lives_does_not, 60)
{
    struct world world, *w = &world;
    struct store_stats st;
    world_init(w, &world_sqlite_sim);
    w->opts.history_size = 200000;
    world_open(w);
    size_t early = 0;
    struct random r;
    random_init(&r, test_seed());
    for (int i = 0; i < 6000; i++) {
        struct err why;
        const char *path = path_of((int)random_below(&r, 60));
        if (random_below(&r, 5))
            OK_PUT("pods", path, padded(random_below(&r, 6000)), ANY);
        else
            err_ignore(world_delete(w, "pods", path, THERE, &why));
        store_stats(w->store, &st);
        if (i == 1500)
            early = st.disk_bytes;
    }
    CHECK_GT(early, 256000);
    CHECK_LE(st.disk_bytes, early + early / 2);
    CHECK_LE(st.disk_bytes, 3000000);
    CHECK_LE(st.history_bytes, 210000);
    CHECK_LE(st.objects, 60);
    world_done(w);
}

/* In the simulator the store's thread is this one, so its heap calls are counted here. churn: how much more is alive after
 * so many puts. (A buffer that grows counts as several.) */
static int64_t alive(void)
{
    return (int64_t)mem_thread_allocs() - (int64_t)mem_thread_frees();
}

static int64_t churn(struct world *w, int n)
{
    int64_t before = alive();
    for (int i = 0; i < n; i++)
        OK_PUT("pods", path_of(i * 7 % 500), "v", ANY);
    pass(w, NS_PER_S); /* what is freed later is */
    return alive() - before;
}

TEST(sim_store_holds_no_more_for_a_snapshot_than_that_has)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    w->opts.history_size = 20000;
    world_open(w);
    churn(w, 3000);
    int64_t each = churn(w, 3000);
    const struct snapshot *held = store_snapshot(w->store);
    int64_t soon = churn(w, 3000) - each, late = churn(w, 3000) - each;
    CHECK_GT(soon, 500); /* 500 objects, some nodes */
    CHECK_LE(soon, 4 * 500);
    CHECK_LE(late, 10);
    int64_t before = alive();
    snapshot_unref(held);
    pass(w, NS_PER_S);
    CHECK_GE(before - alive(), soon + late - 50);
    world_done(w);
}

/* --- snapshots let go in any order --- */

enum { HELD = 8, THINGS = 60 };

struct held {
    const struct snapshot *sn;
    int64_t values[THINGS]; /* -1: not there */
};

static void check_held(struct world *w, const struct held *h)
{
    size_t count = 0;
    for (int i = 0; i < THINGS; i++) {
        int64_t v = -1;
        str text = value_in(w, h->sn, "pods", path_of(i));
        CHECK(str_is(text, "-") || str_parse_i64(text, &v));
        CHECK_EQ(v, h->values[i]);
        count += v >= 0;
    }
    CHECK_EQ(snapshot_count(h->sn, &(struct object_range){.resource = store_resource(w->store, S("pods"), 0),
                                                          .all_namespaces = true}),
             count);
}

/* What it was some changes ago, by its own account and by what was noted. */
static void check_rewound(struct world *w, const struct held *h, const struct held *older)
{
    struct held back = *older;
    struct err why;
    if (older->sn->revision > h->sn->revision ||
        snapshot_rewind(h->sn, store_resource(w->store, S("pods"), 0), older->sn->revision, &back.sn, &why))
        return;
    check_held(w, &back);
    snapshot_unref(back.sn);
}

TEST(sim_store_keeps_every_snapshot_whole_in_whatever_order_they_go)
{
    for (struct sim_runs s = sim_runs(test_is_sanitized() ? 3 : 20); sim_runs_next(&s);) {
        struct world world, *w = &world;
        struct held now = {0}, held[HELD] = {0};
        struct random r;
        random_init(&r, s.seed);
        world_init(w, &world_sqlite_sim);
        w->opts.history_size = 1000 + random_below(&r, 20000);
        world_open(w);
        memset(now.values, -1, sizeof now.values);
        for (int i = 0; i < 600; i++) {
            int thing = (int)random_below(&r, THINGS);
            char value[20];
            snprintf(value, sizeof value, "%d", i);
            if (now.values[thing] < 0 || random_below(&r, 3)) {
                OK_PUT("pods", path_of(thing), value, ANY);
                now.values[thing] = i;
            } else {
                OK_DELETE("pods", path_of(thing), THERE);
                now.values[thing] = -1;
            }
            struct held *h = &held[random_below(&r, HELD)], *other = &held[random_below(&r, HELD)];
            if (h->sn)
                check_held(w, h);
            if (h->sn && other->sn)
                check_rewound(w, h, other);
            if (random_below(&r, 3) == 0) {
                h->sn = snapshot_unref(h->sn);
            } else if (!h->sn) {
                *h = now;
                h->sn = store_snapshot(w->store);
            }
        }
        for (int i = 0; i < HELD; i++)
            snapshot_unref(held[i].sn);
        world_done(w);
    }
}
