/* loop.h - an event loop: timers, messages from other threads, work on other threads, signals; streams and children
 * hang off it too (stream.h, process.h).
 * A loop is one thread's. Whatever belongs to a loop - a stream, a timer, a child - is touched on that thread only, and
 * its callbacks run there, one at a time, never inside a call into this header. Only loop_post, loop_stop and loop_now
 * of a snapshot may be called from elsewhere.
 * A turn: messages, due timers, ready streams, finished work; then sleep. Nothing may block in a turn; turns longer than
 * LOOP_SLOW_TURN_NS are counted and reported.
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
/* Runs the loop on the calling thread until `cond(ctx)` holds (looked at after each turn) or `timeout_ns` went by;
 * true: it holds. cond NULL: until loop_stop. In the simulator every started loop of every host is served meanwhile. */
bool loop_run_until(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns);
/* The loop ends after its current turn. Any thread, any number of times. */
void loop_stop(struct loop *l);
/* Waits for the thread, if any; drops undelivered messages; frees. Not from the loop's own thread while it runs. Streams,
 * timers and children of the loop must be closed, except in a crashed simulated host. */
void loop_free(struct loop *l);

struct env *loop_env(struct loop *l);
/* The monotonic time at which this turn began: no system call. */
int64_t loop_now(struct loop *l);
void loop_assert_owner(const struct loop *l);

struct loop_stats {
    uint64_t turns, slow_turns, messages, timers;
    int64_t longest_turn_ns;
};
void loop_stats(struct loop *l, struct loop_stats *ret);

/* --- messages: from any thread to a loop, in the order posted by each poster ---
 * Embed one in what is sent. From loop_post until `run` it belongs to the loop; `run` may free it. No allocation, no
 * lock. `drop` is called instead of `run` when the loop is freed first (NULL: nothing to free). */
struct loop_msg {
    struct loop_msg *next;
    void (*run)(struct loop_msg *m);
    void (*drop)(struct loop_msg *m);
};
void loop_post(struct loop *l, struct loop_msg *m);
/* On the loop itself: runs at the end of this turn at the earliest, before it sleeps. Same message type. */
void loop_defer(struct loop *l, struct loop_msg *m);

/* --- timers: embedded, one shot --- */
struct timer {
    struct loop *loop;
    void (*fire)(struct timer *t);
    int64_t at_ns;       /* monotonic */
    uint32_t heap_index; /* 0: not set */
};
void timer_init(struct timer *t, struct loop *l, void (*fire)(struct timer *t));
/* Sets or moves it. Times in the past fire in the next turn. Two timers due at once fire in order of time, then of
 * setting. */
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

/* --- signals: at most one loop of a process takes them --- */
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

#endif
