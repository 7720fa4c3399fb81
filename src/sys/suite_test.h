/* suite_test.h - tests that hold for both worlds: each is written once, against a world, and registered once for the
 * real one (real_NAME) and once for the simulator (sim_NAME).
 *
 *     SUITE_TEST(a_timer_fires_once)
 *     {
 *         struct loop *l = suite_loop(w, "one");
 *         ...
 *     }
 *
 * A test makes its loops with suite_loop or suite_peer_loop, which frees them in the end; it drives one of them itself
 * (suite_wait) and starts the others. What it looks at from its own loop while another writes it is atomic. */
#ifndef SYS_SUITE_TEST_H
#define SYS_SUITE_TEST_H

#include "harness/test.h"
#include "sys/file.h"
#include "sys/loop.h"
#include "sys/stream.h"
#include <stdatomic.h>

#define SUITE_LOOPS_MAX 16

struct suite_world {
    struct env *env;       /* where the tested runs */
    struct env *peer_env;  /* where the other end of a connection runs; the real world has only one */
    const char *listen_at; /* where a listener of `env` can be reached: "127.0.0.1:0" */
    const char *nobody_at; /* where nobody listens */
    const char *dir;       /* for dir_open, not there yet */
    struct sim *sim;       /* the simulated world */
    struct loop *loops[SUITE_LOOPS_MAX]; /* the suite's */
    size_t loop_count;
};

/* By each world. `done` frees the envs. */
void suite_world_init_real(struct suite_world *w);
void suite_world_done_real(struct suite_world *w);
void suite_world_init_sim(struct suite_world *w);
void suite_world_done_sim(struct suite_world *w);
/* The real world with TLS over every connection (tls_suite_test.c): for the suite of streams only. */
void suite_world_init_tls(struct suite_world *w);
void suite_world_done_tls(struct suite_world *w);

void suite_run(struct suite_world *w, void (*fn)(struct suite_world *w));

#define SUITE_TEST(name)                             \
    static void suite_##name(struct suite_world *w); \
    SUITE_TEST_IN(real, name)                        \
    SUITE_TEST_IN(sim, name)                         \
    SUITE_TEST_TLS_(name)                            \
    static void suite_##name(struct suite_world *w)
#define SUITE_TEST_IN(world, name)    \
    TEST(world##_##name)              \
    {                                 \
        struct suite_world w = {0};   \
        suite_world_init_##world(&w); \
        suite_run(&w, suite_##name);  \
        suite_world_done_##world(&w); \
    }
#ifdef SUITE_OVER_TLS
#define SUITE_TEST_TLS_(name) SUITE_TEST_IN(tls, name)
#else
#define SUITE_TEST_TLS_(name)
#endif
/* A test of the real world only. */
#define REAL_TEST(name)                              \
    static void suite_##name(struct suite_world *w); \
    SUITE_TEST_IN(real, name)                        \
    static void suite_##name(struct suite_world *w)

struct loop *suite_loop(struct suite_world *w, const char *name);
struct loop *suite_peer_loop(struct suite_world *w, const char *name);
void suite_start(struct loop *l);

/* Runs the loop until it holds; fails the test after a while. */
void suite_wait_(const char *file, int line, const char *what, struct loop *l, bool (*cond)(void *ctx),
                 void *ctx);
#define SUITE_WAIT(l, cond, ctx) suite_wait_(__FILE__, __LINE__, #cond, (l), (cond), (ctx))
/* Until *counter reaches a number. */
void suite_wait_count_(const char *file, int line, const char *what, struct loop *l, atomic_int *counter,
                       int want);
#define SUITE_WAIT_COUNT(l, counter, want) \
    suite_wait_count_(__FILE__, __LINE__, #counter, (l), (counter), (want))
/* Lets so much time go by, serving the loop. */
void suite_let_pass(struct loop *l, int64_t ns);

#endif
