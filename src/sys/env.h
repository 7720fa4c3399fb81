/* env.h - where time, randomness, loops, network and disk come from.
 * Everything in skiff that is not a pure function takes an env, or something made from one. There are two: the real one
 * (Linux) and a simulated host (sim.h). What stands on this header and its neighbours - loop.h, stream.h, file.h,
 * process.h - runs on either, unchanged; only src/sys knows which it is.
 * Threads: an env is used by any; the simulator has one thread. */
#ifndef SYS_ENV_H
#define SYS_ENV_H

#include "base/err.h"
#include "base/str.h"

struct env;

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

/* The real one. Owns the worker pool: at most `worker_max` threads (0: 16), started when needed, gone when idle. From now
 * on this process ignores SIGPIPE (its children do not) and reaps its own children. */
struct env_opts {
    unsigned worker_max;
};
err_code env_new_real(const struct env_opts *opts, struct env **ret, struct err *err);
/* Every loop, stream and file made from it must be gone. */
void env_free(struct env *env);

/* Nanoseconds. mono never goes back and has no meaning of its own; wall is since 1970 and may jump. A loop has a cheaper
 * clock of its own (loop_now). */
int64_t env_now_mono(struct env *env);
int64_t env_now_wall(struct env *env);

/* Unpredictable bytes (seeded and repeatable in the simulator). */
void env_random(struct env *env, void *p, size_t n);
uint64_t env_random_u64(struct env *env);

#endif
