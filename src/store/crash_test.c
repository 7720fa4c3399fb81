/* crash_test.c - crashes of a simulated host at every operation, with torn writes, under a random load: what was answered
 * is there, nothing is half there, watchers go on without a gap. And that the tests would see it otherwise. */
#include "store/load_test.h"
#include "store/store_suite_test.h"
#include <stdio.h>

struct scenario {
    int attempts;        /* in the first life */
    size_t history_size; /* 0: nothing is dropped meanwhile */
    size_t size_max;     /* of values */
    struct sim_disk_faults faults;
};

struct run {
    const struct scenario *sc;
    struct world w;
    struct load *load;
    struct store_subscriber sub;
    uint64_t first_life_ops;
    char verdict[400];
};

static void on_news(struct store_subscriber *sub)
{
    struct run *r = CONTAINER_OF(sub, struct run, sub);
    load_watch(r->load, r->w.store);
}

/* False: it did not come up, and `verdict` says why. */
static bool life_begin(struct run *r, int attempts)
{
    struct world *w = &r->w;
    struct err why = ERR_INIT;
    if (dir_open(w->env, S("/var/lib/store"), DIR_CREATE, &w->dir, &why) ||
        loop_new(w->env, S("clients"), &w->loop, &why)) {
        snprintf(r->verdict, sizeof r->verdict, "no place to live: %s", why.msg);
        return false;
    }
    w->opts.dir = w->dir;
    if (store_open(w->env, &w->opts, &w->store, &why)) {
        snprintf(r->verdict, sizeof r->verdict, "does not open: %s", why.msg);
        return false;
    }
    load_start(r->load, w->store, w->loop, 0); /* the resources */
    if (!load_watch(r->load, w->store) || !load_check(r->load, w->store)) {
        snprintf(r->verdict, sizeof r->verdict, "on opening: %s", r->load->fault);
        return false;
    }
    load_settle(r->load);
    r->sub = (struct store_subscriber){.on_news = on_news, .loop = w->loop};
    load_start(r->load, w->store, w->loop, attempts);
    store_subscribe(w->store, &r->sub);
    CHECK_OK(loop_start(w->loop, &e));
    return true;
}

static void life_end(struct run *r)
{
    loop_stop(r->w.loop);
    loop_free(r->w.loop);
    store_close(r->w.store);
    dir_close(r->w.dir);
    r->w.loop = NULL;
    r->w.store = NULL;
    r->w.dir = NULL;
}

static bool is_over(void *ctx)
{
    struct run *r = ctx;
    return load_is_done(r->load) || sim_host_is_crashed(r->w.host) || r->w.fatal.code;
}

static void on_fatal(void *ctx, const struct err *why)
{
    struct run *r = ctx;
    r->w.fatal = *why;
}

static void run_init(struct run *r, const struct scenario *sc, uint64_t seed)
{
    *r = (struct run){.sc = sc};
    r->w.sim = sim_run_new(seed);
    r->w.host = sim_host_new(r->w.sim, S("node"), S("10.0.0.1"));
    r->w.env = sim_host_env(r->w.host);
    /* The log is worked into the database every few commits. */
    r->w.opts = (struct store_opts){
        .history_size = sc->history_size, .reserve_size = 40000, .on_fatal = on_fatal, .ctx = r};
    r->load = load_new(sim_random(r->w.sim, UINT64_MAX), sc->size_max);
    sim_disk_faults_set(r->w.host, &sc->faults);
}

static void run_done(struct run *r)
{
    load_free(r->load);
    sim_run_free(r->w.sim);
}

/* The life goes on until its end, or the crash. */
static bool life_go(struct run *r)
{
    sim_run_until(r->w.sim, is_over, r, 1000 * NS_PER_S);
    snprintf(r->verdict, sizeof r->verdict, "%s", r->load->fault);
    return !r->load->fault[0] &&
           (is_over(r) || snprintf(r->verdict, sizeof r->verdict, "it does not go on") < 0);
}

static bool survives(struct run *r, const struct scenario *sc, uint64_t seed, uint64_t crash_at)
{
    run_init(r, sc, seed);
    sim_crash_at(r->w.host, crash_at);
    bool right = life_begin(r, sc->attempts) && life_go(r);
    r->first_life_ops = sim_host_ops(r->w.host);
    for (int life = 0; life < 3 && right; life++) {
        sim_crash_now(r->w.host);
        life_end(r);
        sim_host_restart(r->w.host);
        if (life < 2)
            sim_crash_at(r->w.host, sim_host_ops(r->w.host) + sim_random(r->w.sim, 300));
        right = life_begin(r, 10) && life_go(r);
    }
    sim_crash_now(r->w.host);
    life_end(r);
    return right;
}

static void check_every_crash(const struct scenario *sc, uint64_t runs, uint64_t step)
{
    for (struct sim_runs s = sim_runs(runs); sim_runs_next(&s);) {
        uint64_t all = 1;
        for (uint64_t n = 0; n <= all; n += n ? step : 1) {
            struct run r;
            /* First without a crash, to learn how many operations there are. */
            if (!survives(&r, sc, s.seed, n ? n - 1 : UINT64_MAX))
                FAIL("crash at operation %lld of %llu: %s", (long long)n - 1, (unsigned long long)all,
                     r.verdict);
            all = n ? all : r.first_life_ops;
            CHECK(n || r.load->answered_count > sc->attempts / 3);
            run_done(&r);
        }
        CHECK_GT(all, 4 * (uint64_t)sc->attempts);
    }
}

TEST_WITHIN(sim_store_crash_at_any_operation_loses_nothing_that_was_answered, 60)
{
    check_every_crash(&(struct scenario){.attempts = 60, .size_max = 5000}, test_is_sanitized() ? 1 : 2,
                      test_is_sanitized() ? 7 : 1);
}

TEST_WITHIN(sim_store_crash_while_history_is_dropped_loses_nothing_that_was_answered, 60)
{
    check_every_crash(&(struct scenario){.attempts = 60, .size_max = 3000, .history_size = 4000},
                      test_is_sanitized() ? 1 : 2, test_is_sanitized() ? 7 : 1);
}

/* What proves that the tests above could fail. */
TEST(sim_store_on_a_disk_that_lies_about_syncs_is_seen_to_lose_what_it_answered)
{
    size_t lost = 0;
    for (uint64_t n = 200; n < 400; n += 10) {
        struct run r;
        lost += !survives(&r, &(struct scenario){.attempts = 60, .size_max = 2000, .faults.sync_lies = true},
                          test_seed(), n);
        run_done(&r);
    }
    CHECK_GT(lost, 3);
}
