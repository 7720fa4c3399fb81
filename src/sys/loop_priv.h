/* loop_priv.h - the common inside of a loop, for the backends in src/sys.
 * A backend's loop is: sleep until loop_next_deadline (not at all when loop_sleep_begin says no), learn what became
 * ready (loop_ready_add), loop_turn with the time, again until l->stopped. No callback runs outside of loop_turn. */
#ifndef SYS_LOOP_PRIV_H
#define SYS_LOOP_PRIV_H

#include "sys/env_priv.h"
#include <stdatomic.h>

/* Things of a loop that outlive their owner's interest: streams that are closing, children that were forgotten. */
struct background {
    struct background *prev, *next;    /* NULL: not listed */
    void (*end)(struct background *b); /* the loop goes: let go at once; takes it off the list */
};
void background_add(struct loop *l, struct background *b);
void background_remove(struct background *b);

/* First in, first out. */
struct loop_queue {
    struct loop_msg *first, *last;
};

struct timer_slot {
    int64_t at_ns;
    uint64_t seq; /* of setting */
    struct timer *timer;
};

struct loop {
    struct env *env;
    void *backend;
    char name[16];
    /* Simulator: true, it has taken the message and delivers it when its time has come. NULL: messages come at once. */
    bool (*post_late)(struct loop *l, struct loop_msg *m);
    _Atomic(const void *)
        owner; /* thread_mark of the thread that runs it; NULL: nobody does, so anybody may */

    /* Posted, newest first; &asleep: nothing posted, and who posts first must wake the loop. */
    char pad_before[64]; /* a line of its own: posters write here */
    _Atomic(struct loop_msg *) inbox;
    atomic_bool stop_asked; /* stop_msg is on its way */
    struct loop_msg stop_msg;
    struct loop_msg asleep;
    char pad_after[64];

    /* The owner's. */
    int64_t now; /* when this turn began */
    bool in_turn;
    bool stopped;               /* the run ends after this turn; cleared by loop_run_until */
    bool closing;               /* loop_free has begun */
    bool abandoned;             /* a crashed host's: nothing of it needs to be closed */
    struct loop_queue received; /* taken out of the inbox, to be run in this turn */
    struct loop_queue deferred;
    struct loop_ready ready;      /* head of the ring */
    struct background background; /* of this one too */
    struct timer_slot *timers;    /* heap of four children each; [0] is not used */
    uint32_t timer_count, timer_cap;
    uint64_t timer_seq;
    uint32_t stream_count; /* not closed yet */

    struct {
        atomic_uint_fast64_t turns, slow_turns, messages, timers;
        atomic_int_fast64_t longest_turn_ns;
    } stats; /* written by the owner only */
};

#define LOOP_AT_ONCE INT64_MIN
#define LOOP_NEVER   INT64_MAX

/* This thread runs the loop from now on, or no thread does. */
void loop_own(struct loop *l);
void loop_disown(struct loop *l);

/* One turn that begins at the monotonic time `now`; the time at which it ended. */
int64_t loop_turn(struct loop *l, int64_t now);
/* Messages apart: when there is something to do again. LOOP_AT_ONCE, the time of a timer, or LOOP_NEVER. */
int64_t loop_next_deadline(const struct loop *l);
/* The last look before sleeping. False: there are messages, do not sleep. True: the first loop_post from now on calls
 * ops->loop_wake, the others do not. */
bool loop_sleep_begin(struct loop *l);
bool loop_has_messages(const struct loop *l);

/* `r->run` is called in the coming turn, and not again until it is added again. Adding twice is once. */
void loop_ready_add(struct loop *l, struct loop_ready *r);
void loop_ready_remove(struct loop_ready *r);

#endif
