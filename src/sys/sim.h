/* sim.h - a world in one thread from one seed: hosts with a clock, a disk and a network, in virtual time.
 * Each host has an env; what runs on it cannot tell. Time moves only when nothing is left to do now. Everything that may
 * come in either order does so in an order drawn from the seed; the same seed, program and calls give the same run, to
 * the byte (sim_trace_hash).
 *
 * Disk: what a file holds when read is what was last written; what survives a crash is what was synced, plus any subset
 * of the rest in units of SIM_SECTOR bytes (torn writes), drawn from the seed. A created, renamed or removed name
 * survives for sure only after dir_sync. With sync_lies the host's syncs answer and keep nothing safe.
 * Crash: every effect on the outside - writes, syncs, renames, sent bytes, messages, timers - is an operation with a
 * number, per host. From operation n on every effect is swallowed: calls answer as if all were well (reads see what the
 * dead would have seen), nothing reaches disk or network, nothing is delivered. The owner tears the instance down
 * (ordinary *_free and *_close calls, all harmless now) and calls sim_host_restart: a new life on what survived.
 * Network: streams between hosts, ordered and lossless while they live; latency per byte run drawn from a range; cut
 * links stall, and reset after a while, as TCP does. Half of the crashes reset the host's streams, as when a process is
 * killed; after the others, as when the power fails, the peers find out for themselves.
 * Time: a sync takes that of its loop: what the rest of the turn posts and sends leaves later. The monotonic clock of a
 * host counts from anywhere, anew in each life; its wall clock is the world's time, and its jumps.
 * How it behaves in detail, and the rules for what runs in it: SIMULATOR.md.
 * Threads: one. */
#ifndef SYS_SIM_H
#define SYS_SIM_H

#include "sys/env.h"

struct sim;
struct sim_host;

#define SIM_SECTOR 512

struct sim_opts {
    uint64_t seed;
    int64_t wall_start_ns;                  /* 0: 2026-01-01T00:00:00Z */
    int64_t latency_min_ns, latency_max_ns; /* 0, 0: 50 us to 2 ms */
    int64_t work_min_ns, work_max_ns;       /* how long loop_submit work takes; 0, 0: 10 us to 5 ms */
    int64_t sync_min_ns, sync_max_ns;       /* virtual time a sync costs its loop; 0, 0: 100 us to 1 ms */
    /* A run that does more is a live-lock: printed, and nothing happens any more. 0: no bound. */
    uint64_t event_max;
};
struct sim *sim_new(const struct sim_opts *opts);
/* What was made from its envs must be gone. */
void sim_free(struct sim *s);
void sim_freep(struct sim **s);
uint64_t sim_seed(const struct sim *s);

/* `ip` such as "10.0.0.1". The host, its env and disk live as long as the sim. */
struct sim_host *sim_host_new(struct sim *s, str name, str ip);
struct env *sim_host_env(struct sim_host *h);

/* One event of the world (one turn of one loop, one arrival, one timer); false: nothing will ever happen again. */
bool sim_step(struct sim *s); /* none of these from a callback */
void sim_run_for(struct sim *s, int64_t ns);
/* True: cond holds; false: it did not within `timeout_ns` of virtual time, or nothing is left to happen. */
bool sim_run_until(struct sim *s, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns);
int64_t sim_now(const struct sim *s);
bool sim_is_livelocked(const struct sim *s);

/* --- faults --- */
uint64_t sim_host_ops(const struct sim_host *h);    /* effects so far, over all its lives */
void sim_crash_at(struct sim_host *h, uint64_t op); /* from that operation on; UINT64_MAX: never */
void sim_crash_now(struct sim_host *h);
bool sim_host_is_crashed(const struct sim_host *h);
/* After the instance was torn down. Applies the crash to the disk and starts the next life. */
void sim_host_restart(struct sim_host *h);

struct sim_disk_faults {
    bool sync_lies;
    uint64_t full_at_bytes; /* 0: never; sum of file sizes above which writes fail with DISK_FULL */
    double write_error, sync_error, read_error; /* probability of ERR_IO per call */
};
void sim_disk_faults_set(struct sim_host *h, const struct sim_disk_faults *f);

void sim_link_cut(struct sim_host *a, struct sim_host *b); /* both directions */
void sim_link_heal(struct sim_host *a, struct sim_host *b);
void sim_link_latency(struct sim_host *a, struct sim_host *b, int64_t min_ns, int64_t max_ns);
/* Streams over this link are reset with this probability per arrival. */
void sim_link_reset_rate(struct sim_host *a, struct sim_host *b, double probability);
void sim_clock_jump(struct sim_host *h, int64_t ns); /* wall clock only, either direction */
void sim_signal(struct sim_host *h, int signo);      /* to its loop_signals */

/* Random choices of the scenario itself, from the same seed but its own sequence. */
uint64_t sim_random(struct sim *s, uint64_t below);
/* Over everything that happened, in order. Equal hashes: the same run. */
uint64_t sim_trace_hash(const struct sim *s);
/* The newest events in words, newest last, for failure reports. */
void sim_trace_print(const struct sim *s, size_t last);

#endif
