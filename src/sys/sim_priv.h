/* sim_priv.h - the inside of a simulated world, for sim*.c.
 *   sim.c        the world: time, the queue of events, hosts and their lives, crashes, the trace
 *   sim_loop.c   loops, work and signals         sim_file.c   handles on the disk (sim_disk_priv.h)
 *   sim_net.c    streams, listeners, links
 * Always true:
 *  - whatever happens is an event; events run one at a time, in order of time, then of the dice;
 *  - an event takes no time of the world. What runs in it may spend some (sim_spend: a sync, a sleep): its own clock
 *    goes on, what it sends leaves later, and its loop is not served again until then;
 *  - what must not outlive a crash remembers the life it belongs to (sim_life_is). */
#ifndef SYS_SIM_PRIV_H
#define SYS_SIM_PRIV_H

#include "base/map.h"
#include "sys/env_priv.h"
#include "sys/sim.h"
#include "sys/sim_disk_priv.h"
#include "sys/sim_random_priv.h"

/* --- events: embedded, one shot, as timers are --- */
struct sim_event {
    void (*fire)(struct sim_event *e);
    int64_t at_ns;
    uint64_t tie;
    uint32_t heap_index; /* 0: not set */
};
static inline bool sim_event_is_set(const struct sim_event *e)
{
    return e->heap_index != 0;
}
/* Sets or moves it; the past counts as now. */
void sim_event_set(struct sim *s, struct sim_event *e, int64_t at_ns);
void sim_event_cancel(struct sim *s, struct sim_event *e);

/* --- rings of whatever belongs to something: the head is one of them --- */
struct sim_list {
    struct sim_list *prev, *next;
};
static inline void sim_list_init(struct sim_list *head)
{
    head->prev = head->next = head;
}
static inline void sim_list_add(struct sim_list *head, struct sim_list *e)
{
    e->prev = head->prev;
    e->next = head;
    e->prev->next = e->next->prev = e;
}
static inline void sim_list_remove(struct sim_list *e)
{
    if (!e->next)
        return;
    e->prev->next = e->next;
    e->next->prev = e->prev;
    e->prev = e->next = NULL;
}
static inline bool sim_list_is_empty(const struct sim_list *head)
{
    return head->next == head;
}
/* The body may remove and free the element. */
#define SIM_LIST_EACH(head, e)                                                \
    for (struct sim_list *e = (head)->next, *next_##e = e->next; e != (head); \
         e = next_##e, next_##e = e->next)

/* --- trace: what happened, in words. %s is the text, %a and %b the numbers --- */
#define SIM_TRACE_KINDS(X)                                      \
    X(HOST_NEW, "is there")                                     \
    X(RESTART, "starts life %a")                                \
    X(CRASH, "crashes at operation %a")                         \
    X(FAULTS, "has its disk faults changed")                    \
    X(CLOCK_JUMP, "has its clock put %a ns ahead")              \
    X(TURN, "loop %s: a turn")                                  \
    X(DELIVER, "operation %a: something is delivered")          \
    X(WORK_RUN, "loop %s: work runs")                           \
    X(WORK_DONE, "loop %s: work is done")                       \
    X(SIGNAL, "gets signal %a")                                 \
    X(FILE_CREATE, "operation %a: creates '%s'")                \
    X(FILE_WRITE, "operation %a: writes %b bytes to '%s'")      \
    X(FILE_SYNC, "operation %a: syncs '%s'")                    \
    X(FILE_TRUNCATE, "operation %a: cuts '%s' to %b bytes")     \
    X(DIR_MAKE, "operation %a: makes directory '%s'")           \
    X(DIR_SYNC, "operation %a: syncs directory '%s'")           \
    X(DIR_RENAME, "operation %a: renames to '%s'")              \
    X(DIR_REMOVE, "operation %a: removes '%s'")                 \
    X(FAULT_READ, "reading '%s' fails")                         \
    X(FAULT_WRITE, "writing '%s' fails after %b bytes")         \
    X(FAULT_FULL, "the disk is full for '%s' after %b bytes")   \
    X(FAULT_SYNC, "syncing '%s' fails")                         \
    X(CONNECT, "operation %a: connection %b to %s begins")      \
    X(CONNECT_ARRIVED, "connection %b is at the listener")      \
    X(CONNECT_RETRY, "connection %b gets no answer")            \
    X(CONNECTED, "connection %b is made")                       \
    X(CONNECT_FAILED, "connection %b fails")                    \
    X(ACCEPT, "connection %b is accepted")                      \
    X(SEND, "operation %a: sends on connection %b")             \
    X(SHUTDOWN, "operation %a: ends its side of connection %b") \
    X(CLOSE, "operation %a: closes connection %b")              \
    X(ABORT, "operation %a: aborts connection %b")              \
    X(ARRIVE, "%a bytes arrive on connection %b")               \
    X(ARRIVE_END, "the end arrives on connection %b")           \
    X(STALL, "connection %b stalls")                            \
    X(RESET, "connection %b is reset")                          \
    X(GIVE_UP, "gives up connection %b")                        \
    X(LINK_CUT, "is cut off from %s")                           \
    X(LINK_HEAL, "is joined with %s")

enum sim_trace_kind {
#define X(name, words) SIM_##name,
    SIM_TRACE_KINDS(X)
#undef X
        SIM_TRACE_KIND_COUNT
};
void sim_trace(struct sim *s, const struct sim_host *h, enum sim_trace_kind kind, str text, uint64_t a,
               uint64_t b);
/* Into the hash alone: content. */
void sim_trace_bytes(struct sim *s, const void *p, size_t n);

/* --- the world --- */

/* Dice, one set for each part. */
enum { SIM_DICE_ORDER, SIM_DICE_NET, SIM_DICE_WORK, SIM_DICE_SCENARIO, SIM_DICE_COUNT };

#define SIM_TRACE_RING 4096

/* Ports of connections, and of listeners that ask for any. */
#define SIM_PORT_MIN 32768
#define SIM_PORT_MAX 60999

struct sim_trace_entry {
    int64_t at_ns;
    const struct sim_host *host;
    enum sim_trace_kind kind;
    uint64_t a, b;
    char text[32];
};

struct sim {
    struct sim_opts opts;
    struct sim_random dice[SIM_DICE_COUNT];
    int64_t now;
    bool in_event;
    int64_t spent; /* by what runs in this event */
    uint64_t event_count;
    bool livelocked;

    struct sim_event **events; /* heap; [0] is not used */
    uint32_t event_n, event_cap;

    struct sim_host **hosts;
    size_t host_n;
    struct map host_by_ip;  /* by sim_ip_key */
    struct sim_list *links; /* SIM_LINK_BUCKETS rings of them */
    uint64_t connection_n;

    uint64_t trace_hash;
    uint64_t trace_n;
    struct sim_trace_entry *trace; /* ring */
};

struct sim_host {
    struct env env;
    struct sim *sim;
    uint32_t index;
    uint64_t life;
    bool crashed;
    char name[24];
    struct net_addr ip;                     /* port 0 */
    int64_t wall_offset_ns, mono_offset_ns; /* of the host's clocks against the world's time */
    struct sim_random env_dice, disk_dice;

    uint64_t ops, crash_at;
    struct sim_disk *disk;     /* of this life; crashed: the one that the dead go on with */
    struct sim_disk *survivor; /* crashed: what the next life starts from */
    struct sim_disk_faults faults;

    struct sim_list loops, listeners, ends; /* of this life */
    uint16_t port_next;
    struct sim_signals *signals;
};

struct sim_host *sim_host_of(struct env *env);

/* Borrowed. Addresses of the two families differ in length. */
static inline str sim_ip_key(const struct net_addr *a)
{
    return str_of((const char *)a->ip, a->family == NET_IP4 ? 4 : 16);
}

/* What runs now sees this time: the world's, and what it has spent. */
int64_t sim_time(const struct sim *s);
/* What runs now takes so long. Outside of events the world's time moves on. */
void sim_spend(struct sim *s, int64_t ns);

/* The host runs this life. */
bool sim_life_is(const struct sim_host *h, uint64_t life);
/* Before each effect on the outside: gives it its number and notes it. False: it is to be swallowed, for the host is
 * crashed, or crashes here. */
bool sim_effect(struct sim_host *h, enum sim_trace_kind kind, str text, uint64_t b);

/* --- what sim.c needs of the others --- */
void sim_loops_crash(struct sim_host *h);
void sim_net_crash(struct sim_host *h);
void sim_net_done(struct sim *s);
struct sim_link;
void sim_net_init(struct sim *s);

/* One event at or before `until`; false: there is none. */
bool sim_step_until(struct sim *s, int64_t until);
int64_t sim_deadline(const struct sim *s, int64_t timeout_ns);

/* The loop has something to do, from now on. */
void sim_loop_poke(struct loop *l);

/* --- the table of a simulated env --- */
err_code sim_loop_open(struct loop *l, struct err *err);
err_code sim_loop_start(struct loop *l, struct err *err);
void sim_loop_join(struct loop *l);
bool sim_loop_run_until(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns);
void sim_loop_wake(struct loop *l);
void sim_loop_quiet(struct loop *l);
void sim_loop_close(struct loop *l);
void sim_submit(struct loop *l, struct loop_work *w);
err_code sim_signals_start(struct loop *l, struct loop_signals *s, const int *signos, size_t signo_count,
                           struct err *err);
void sim_signals_stop(struct loop_signals *s);
err_code sim_connect(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                     struct stream **ret, struct err *err);
err_code sim_pair(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err);
err_code sim_listen(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                    struct listener **ret, struct err *err);
err_code sim_dir_open(struct env *env, str path, unsigned flags, struct dir **ret, struct err *err);

#endif
