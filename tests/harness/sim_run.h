/* sim_run.h - simulated runs in tests: one after the other, each from a seed of its own; a failure prints the seed, how
 * to replay it, and what happened last.
 *
 *     TEST(sim_a_lease_is_held_by_one)
 *     {
 *         for (struct sim_runs r = sim_runs(100); sim_runs_next(&r);) {
 *             CLEANUP(sim_run_freep) struct sim *s = sim_run_new(r.seed);
 *             ...
 *         }
 *     }
 *
 * Seeds count up from test_seed(). `make sim SEED=n` makes one run of each test, from that seed; `make sim SECONDS=n`
 * goes on for so long. */
#ifndef HARNESS_SIM_RUN_H
#define HARNESS_SIM_RUN_H

#include "harness/test.h"
#include "sys/sim.h"

struct sim_runs {
    uint64_t seed; /* of this run */
    uint64_t first, done, count;
    int64_t until_ms; /* 0: count alone */
    bool replay;
};
struct sim_runs sim_runs(uint64_t count);
bool sim_runs_next(struct sim_runs *r);
/* One run is replayed: what a test says about many of them ("some failed") need not hold. */
bool sim_runs_is_replay(const struct sim_runs *r);

/* A world with a live-lock bound (SIM_RUN_EVENT_MAX), and the other options if given. Until it is freed, a failure of the
 * test is taken for a failure of this run. */
#define SIM_RUN_EVENT_MAX 20000000
struct sim *sim_run_new(uint64_t seed);
struct sim *sim_run_new_opts(const struct sim_opts *opts);
void sim_run_free(struct sim *s);
void sim_run_freep(struct sim **s);

#endif
