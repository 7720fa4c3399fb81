/* loop.h - an event loop: timers, messages from other threads, work on other threads, signals; streams and children
 * hang off it too (stream.h, process.h).
 * A loop is one thread's. Whatever belongs to a loop - a stream, a timer, a child - is touched on that thread only, and
 * its callbacks run there, one at a time, never inside a call into this header. Only loop_post, loop_stop and loop_stats
 * may be called from elsewhere. While a loop does not run (before loop_start, after loop_join) it is whoever's has it.
 * A turn: messages and finished work, due timers, ready streams, what was deferred; then sleep. What comes up during a
 * turn waits for the next one, so each turn ends. Nothing may block in a turn; turns longer than LOOP_SLOW_TURN_NS are
 * counted in loop_stats.
 * In the simulator a loop is a queue that the one thread serves, in an order and at times drawn from the seed. */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "sys/env.h"

struct loop;

#define LOOP_SLOW_TURN_NS (5 * NS_PER_MS)

/* The name is for logs and the thread; copied, cut at 15 bytes. */
err_code loop_new(struct env *env, str name, struct loop **ret, struct err *err);
/* Gives the loop a thread, which runs it until loop_stop. (Simulator: it is served from now on.) */
err_code loop_start(struct loop *l, struct err *err);
#define LOOP_FOREVER INT64_MAX
/* Runs the loop on the calling thread until `cond(ctx)` holds (looked at first, and after each turn), loop_stop, or
 * `timeout_ns` went by; true: cond holds. cond NULL: never holds. Not for a loop that has a thread, and not from a
 * callback. In the simulator every started loop of every host is served meanwhile. */
bool loop_run_until(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns);
/* The run ends after its current turn; if none is going on, the next one ends at once. What was posted before is still
 * delivered. Any thread, any number of times. */
void loop_stop(struct loop *l);
/* Waits for the thread to end, if there is one; afterwards the loop is the caller's. Loops that post to each other: stop
 * all, join all, then free. Not from the loop's own thread. */
void loop_join(struct loop *l);
/* Stops and joins; waits for its work that is running, takes back the rest; drops undelivered messages; frees. Streams,
 * timers and children of the loop must be closed, except in a crashed simulated host. NULL is fine. */
void loop_free(struct loop *l);

struct env *loop_env(struct loop *l);
/* The monotonic time at which this turn began: no system call. (Outside of turns: the time.) */
int64_t loop_now(struct loop *l);
void loop_assert_owner(const struct loop *l);

struct loop_stats {
    uint64_t turns, slow_turns, messages, timers;
    int64_t longest_turn_ns;
};
void loop_stats(struct loop *l, struct loop_stats *ret); /* any thread */

/* --- messages: from any thread to a loop, in the order posted by each poster ---
 * Embed one in what is sent. From loop_post until `run` it belongs to the loop; `run` may free it or post it again. No
 * allocation, no lock, a system call only when the loop sleeps; what can be under way is bounded by whoever owns the
 * senders. `drop` is called instead of `run` when the loop is freed first (NULL: nothing to free). The loop must outlive
 * the call of loop_post. */
struct loop_msg {
    struct loop_msg *next;
    void (*run)(struct loop_msg *m);
    void (*drop)(struct loop_msg *m);
};
void loop_post(struct loop *l, struct loop_msg *m);
/* On the loop itself: runs at the end of this turn (deferred by something deferred: of the next one), before it sleeps. */
void loop_defer(struct loop *l, struct loop_msg *m);

/* --- timers: embedded, one shot --- */
struct timer {
    struct loop *loop;
    void (*fire)(struct timer *t);
    int64_t at_ns;       /* monotonic */
    uint32_t heap_index; /* 0: not set */
};
void timer_init(struct timer *t, struct loop *l, void (*fire)(struct timer *t));
/* Sets or moves it; it never fires in the turn that set it. Two timers due at once fire in order of time, then of
 * setting; times in the past count as now. `fire` may set it again or free it. */
void timer_set(struct timer *t, int64_t delay_ns);
void timer_set_at(struct timer *t, int64_t mono_ns);
void timer_cancel(struct timer *t); /* fine when not set; after it `fire` is not called */
static inline bool timer_is_set(const struct timer *t)
{
    return t->heap_index != 0;
}

/* --- blocking work: `run` on a worker thread, then `done` on the loop ---
 * Embedded. Between submit and done it belongs to the loop. The pool serves first come first; there is no cancelling:
 * `done` looks at whether the answer is still wanted. In a crashed or freed loop `drop` is called instead of done. */
struct loop_work {
    struct loop_msg msg; /* private */
    struct loop *loop;   /* private */
    void (*run)(struct loop_work *w);
    void (*done)(struct loop_work *w);
    void (*drop)(struct loop_work *w);
};
void loop_submit(struct loop *l, struct loop_work *w);

/* --- signals: at most one loop of an env takes them (ERR_CONFLICT) --- */
struct loop_signals {
    void (*on_signal)(struct loop_signals *s, int signo);
    struct loop *loop; /* private from here */
    void *impl;
};
/* The signals named are blocked for the process's normal handling and reported here until loop_signals_stop. Call before
 * starting threads. */
err_code loop_signals_start(struct loop *l, struct loop_signals *s, const int *signos, size_t signo_count,
                            struct err *err);
void loop_signals_stop(struct loop_signals *s);

/* --- the inside, for what can be ready (streams, acceptors, children): see loop_priv.h --- */
struct loop_ready {
    struct loop_ready *prev, *next; /* NULL: not queued */
    void (*run)(struct loop_ready *r);
};

#endif
