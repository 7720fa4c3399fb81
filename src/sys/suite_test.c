/* suite_test.c - what the shared suite needs, and the real world it runs in. */
#include "sys/suite_test.h"
#include <stdio.h>

#define PATIENCE_NS (15 * NS_PER_S)

static struct loop *make_loop(struct suite_world *w, struct env *env, const char *name)
{
    struct loop *l;
    CHECK(w->loop_count < SUITE_LOOPS_MAX);
    CHECK_OK(loop_new(env, str_from_c(name), &l, &e));
    w->loops[w->loop_count++] = l;
    return l;
}

struct loop *suite_loop(struct suite_world *w, const char *name)
{
    return make_loop(w, w->env, name);
}

struct loop *suite_peer_loop(struct suite_world *w, const char *name)
{
    return make_loop(w, w->peer_env, name);
}

void suite_start(struct loop *l)
{
    CHECK_OK(loop_start(l, &e));
}

void suite_run(struct suite_world *w, void (*fn)(struct suite_world *w))
{
    fn(w);
    for (size_t i = 0; i < w->loop_count; i++)
        loop_stop(w->loops[i]);
    for (size_t i = 0; i < w->loop_count; i++)
        loop_join(w->loops[i]);
    for (size_t i = 0; i < w->loop_count; i++)
        loop_free(w->loops[i]);
}

/* The condition may be of another loop's making, which does not wake this one: so it is looked at every millisecond. */
static bool wait_until(struct loop *l, bool (*cond)(void *ctx), void *ctx)
{
    int64_t end = env_now_mono(loop_env(l)) + PATIENCE_NS;
    bool holds;
    do
        holds = loop_run_until(l, cond, ctx, NS_PER_MS);
    while (!holds && env_now_mono(loop_env(l)) < end);
    return holds;
}

void suite_wait_(const char *file, int line, const char *what, struct loop *l, bool (*cond)(void *ctx),
                 void *ctx)
{
    if (!wait_until(l, cond, ctx))
        test_fail(file, line, "does not come about: %s", what);
}

struct count_wait {
    atomic_int *counter;
    int want;
};

static bool count_is_reached(void *ctx)
{
    const struct count_wait *cw = ctx;
    return atomic_load(cw->counter) >= cw->want;
}

void suite_wait_count_(const char *file, int line, const char *what, struct loop *l, atomic_int *counter,
                       int want)
{
    struct count_wait cw = {counter, want};
    if (!wait_until(l, count_is_reached, &cw))
        test_fail(file, line, "%s is %d, and does not become %d", what, atomic_load(counter), want);
}

void suite_let_pass(struct loop *l, int64_t ns)
{
    CHECK(!loop_run_until(l, NULL, NULL, ns));
}

/* --- the real world --- */

static char real_dir[300];

void suite_world_init_real(struct suite_world *w)
{
    CHECK_OK(env_new_real(NULL, &w->env, &e));
    snprintf(real_dir, sizeof real_dir, "%s/made/by/us", test_dir());
    w->peer_env = w->env;
    w->listen_at = "127.0.0.1:0";
    w->nobody_at = "127.0.0.1:1";
    w->dir = real_dir;
}

void suite_world_done_real(struct suite_world *w)
{
    env_free(w->env);
}
