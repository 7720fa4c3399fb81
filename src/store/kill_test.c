/* kill_test.c - a process that writes is killed (SIGKILL) at random moments, again and again: each new one finds all that
 * was answered, and a watcher's history without a gap. The ledger is memory that outlives the processes.
 * SKIFF_KILLS=n: so many, instead of 50. */
#include "base/mem.h"
#include "store/load_test.h"
#include "store/store_suite_test.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
    _Atomic bool verified; /* in this life */
    bool last;
    struct load load;
};

static void open_in(struct world *w, const char *path)
{
    CHECK_OK(env_new_real(NULL, &w->env, &e));
    CHECK_OK(dir_open(w->env, str_from_c(path), DIR_CREATE, &w->dir, &e));
    CHECK_OK(loop_new(w->env, S("clients"), &w->loop, &e));
    w->opts = (struct store_opts){.dir = w->dir, .reserve_size = 100000, .history_size = (size_t)3 << 20};
    CHECK_OK(store_open(w->env, &w->opts, &w->store, &e));
}

/* A life: looks at what there is, then writes until it is killed. */
static void live(struct shared *sh, const char *path)
{
    struct load *l = &sh->load;
    struct world w = {0};
    open_in(&w, path);
    load_start(l, w.store, w.loop, 0);
    if (!load_watch(l, w.store) || !load_check(l, w.store))
        _exit(1);
    load_settle(l);
    atomic_store(&sh->verified, true);
    load_start(l, w.store, w.loop, sh->last ? 20 : 2000);
    while (!load_is_done(l) || !sh->last)
        loop_run_until(w.loop, load_is_done, l, NS_PER_S);
    bool right = load_watch(l, w.store) && load_check(l, w.store);
    store_close(w.store);
    loop_free(w.loop);
    dir_close(w.dir);
    env_free(w.env);
    _exit(right ? 0 : 1);
}

static void sleep_ns(int64_t ns)
{
    struct timespec ts = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    nanosleep(&ts, NULL);
}

static int await(pid_t pid)
{
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

static void one_life(struct shared *sh, const char *path, struct random *r)
{
    int status = 0;
    atomic_store(&sh->verified, false);
    fflush(stdout);
    pid_t pid = fork();
    CHECK_GE(pid, 0);
    if (pid == 0)
        live(sh, path);
    while (!atomic_load(&sh->verified) && waitpid(pid, &status, WNOHANG) == 0)
        sleep_ns(200 * NS_PER_US);
    if (!atomic_load(&sh->verified))
        FAIL("a new start is not right (status %d): %s", status, sh->load.fault);
    if (!sh->last) {
        sleep_ns((int64_t)random_below(r, 40 * NS_PER_MS));
        CHECK_EQ(kill(pid, SIGKILL), 0);
    }
    status = await(pid);
    if (sh->last ? status != 0 : !WIFSIGNALED(status))
        FAIL("it ended by itself (status %d): %s", status, sh->load.fault);
}

TEST_WITHIN(store_killed_at_any_moment_keeps_what_it_answered, 600)
{
    struct shared *sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(sh != MAP_FAILED);
    char path[300];
    uint64_t kills = test_is_sanitized() ? 20 : 50;
    struct random r;
    const char *asked = getenv("SKIFF_KILLS");
    CHECK(!asked || str_parse_u64(str_from_c(asked), &kills));
    snprintf(path, sizeof path, "%s/store", test_dir());
    random_init(&r, test_seed());
    struct load *l = load_new(test_seed(), 5000);
    memcpy(&sh->load, l, sizeof *l);
    load_free(l);
    for (uint64_t i = 0; i <= kills; i++) {
        sh->last = i == kills;
        one_life(sh, path, &r);
    }
    printf("%d transactions answered, %d attempted, %llu kills\n", sh->load.answered_count,
           sh->load.attempt_count, (unsigned long long)kills);
    CHECK_GT(sh->load.answered_count, 5 * (int)kills);
    CHECK_EQ(sh->load.expired, 0);
    munmap(sh, sizeof *sh);
}
