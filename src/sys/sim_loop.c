/* sim_loop.c - loops, work and signals of simulated hosts.
 * A loop that is served has at most one event: its next turn. What is due at once comes a little later by the dice, so
 * that loops which have something to do at the same time take their turns in every order, and sometimes find more than
 * one thing to do; what waits for readiness is called in an order of the dice. */
#include "base/mem.h"
#include "sys/loop_priv.h"
#include "sys/sim_priv.h"

#define WAKE_NS_MAX (50 * NS_PER_US)
#define TURN_NS_MIN (1 * NS_PER_US)
#define TURN_NS_MAX (20 * NS_PER_US)
#define SIGNO_MAX   64

struct sim_loop {
    struct loop *loop;
    struct sim_host *host;
    uint64_t life;
    struct sim_list in_host;
    struct sim_event turn;
    bool served;
    int64_t busy_until; /* of the world's time */
    struct sim_list works;
    struct late_post *late; /* in order of time, then of posting */
    struct sim_event late_arrives;
    struct loop_ready **order; /* to shuffle with */
    size_t order_cap;
};

struct sim_work {
    struct sim_event event;
    struct sim_list in_loop;
    struct sim_loop *sl;
    struct loop_work *work;
    int64_t left_ns;
};

static struct sim *sim_of(const struct sim_loop *sl)
{
    return sl->host->sim;
}

static bool is_dead(const struct sim_loop *sl)
{
    return !sim_life_is(sl->host, sl->life);
}

/* --- whose it is: a loop that is served may be touched in its own turns only, as if it had a thread --- */

static const char elsewhere;

static void own(struct sim_loop *sl, bool here)
{
    loop_disown(sl->loop);
    if (here)
        loop_own(sl->loop);
    else
        atomic_store_explicit(&sl->loop->owner, &elsewhere, memory_order_relaxed);
}

/* --- turns --- */

/* The event for the next turn; one that is set is only moved to an earlier time. */
static void schedule(struct sim_loop *sl)
{
    struct sim *s = sim_of(sl);
    struct loop *l = sl->loop;
    int64_t deadline = loop_next_deadline(l), at;
    if (l->stopped)
        return;
    if (!loop_sleep_begin(l))
        deadline = LOOP_AT_ONCE;
    if (deadline == LOOP_NEVER)
        return;
    if (deadline == LOOP_AT_ONCE) {
        at = sim_time(s);
        if (sim_random_one_in(&s->dice[SIM_DICE_ORDER], 2))
            at += sim_random_between(&s->dice[SIM_DICE_ORDER], 0, WAKE_NS_MAX);
    } else if (__builtin_sub_overflow(deadline, sl->host->mono_offset_ns, &at)) {
        at = INT64_MAX;
    }
    at = at > sl->busy_until ? at : sl->busy_until;
    if (!sim_event_is_set(&sl->turn) || at < sl->turn.at_ns)
        sim_event_set(s, &sl->turn, at);
}

void sim_loop_poke(struct loop *l)
{
    struct sim_loop *sl = l->backend;
    if (sl->served && !l->in_turn)
        schedule(sl);
}

void sim_loop_wake(struct loop *l)
{
    sim_loop_poke(l);
}

static void shuffle_ready(struct sim_loop *sl)
{
    struct loop_ready *head = &sl->loop->ready;
    size_t n = 0;
    for (struct loop_ready *r = head->next; r != head; r = r->next) {
        if (n == sl->order_cap) {
            sl->order_cap = sl->order_cap ? 2 * sl->order_cap : 16;
            sl->order = mem_realloc(sl->order, sl->order_cap * sizeof *sl->order);
        }
        sl->order[n++] = r;
    }
    for (; n > 1; n--) {
        size_t drawn = sim_random_below(&sim_of(sl)->dice[SIM_DICE_ORDER], n);
        loop_ready_remove(sl->order[drawn]);
        loop_ready_add(sl->loop, sl->order[drawn]);
        sl->order[drawn] = sl->order[n - 1];
    }
}

static void take_turn(struct sim_loop *sl)
{
    struct sim *s = sim_of(sl);
    struct loop *l = sl->loop;
    own(sl, true);
    sim_trace(s, sl->host, SIM_TURN, str_from_c(l->name), 0, 0);
    shuffle_ready(sl);
    loop_turn(l, env_now_mono(l->env));
    if (is_dead(sl))
        return; /* sim_loops_crash has seen to it */
    sl->busy_until = sim_time(s) + sim_random_between(&s->dice[SIM_DICE_ORDER], TURN_NS_MIN, TURN_NS_MAX);
    if (l->stopped)
        return;
    own(sl, false);
    schedule(sl);
}

static void turn_is_due(struct sim_event *e)
{
    take_turn(CONTAINER_OF(e, struct sim_loop, turn));
}

/* --- messages from what has spent time: they come when it has gone by --- */

struct late_post {
    struct late_post *next;
    struct loop_msg *msg;
    int64_t at_ns;
};

static bool post_late(struct loop *l, struct loop_msg *m)
{
    struct sim_loop *sl = l->backend;
    struct sim *s = sim_of(sl);
    if (!s->spent || is_dead(sl))
        return false;
    struct late_post *p = NEW(struct late_post), **at = &sl->late;
    p->msg = m;
    p->at_ns = sim_time(s);
    while (*at && (*at)->at_ns <= p->at_ns)
        at = &(*at)->next;
    p->next = *at;
    *at = p;
    sim_event_set(s, &sl->late_arrives, sl->late->at_ns);
    return true;
}

/* Those due at `now`. */
static void deliver_late(struct sim_loop *sl, int64_t now)
{
    struct sim *s = sim_of(sl);
    int64_t spent = s->spent;
    s->spent = 0;
    for (struct late_post *p; (p = sl->late) && p->at_ns <= now;) {
        sl->late = p->next;
        loop_post(sl->loop, p->msg);
        mem_free(p);
    }
    s->spent = spent;
    if (sl->late)
        sim_event_set(s, &sl->late_arrives, sl->late->at_ns);
    else
        sim_event_cancel(s, &sl->late_arrives);
}

static void late_is_due(struct sim_event *e)
{
    struct sim_loop *sl = CONTAINER_OF(e, struct sim_loop, late_arrives);
    deliver_late(sl, sim_of(sl)->now);
}

/* --- life --- */

err_code sim_loop_open(struct loop *l, struct err *err)
{
    struct sim_host *h = sim_host_of(l->env);
    struct sim_loop *sl = NEW(struct sim_loop);
    sl->loop = l;
    sl->host = h;
    sl->life = h->life;
    sl->turn.fire = turn_is_due;
    sl->late_arrives.fire = late_is_due;
    sim_list_init(&sl->works);
    l->backend = sl;
    l->post_late = post_late;
    if (h->crashed) {
        l->abandoned = true;
        sl->life = UINT64_MAX; /* born dead */
    } else {
        sim_list_add(&h->loops, &sl->in_host);
    }
    return ERR_NONE;
}

static void serve(struct sim_loop *sl)
{
    ASSERT(!sl->served);
    sl->served = true;
    own(sl, false);
    schedule(sl);
}

static void serve_no_more(struct sim_loop *sl)
{
    sim_event_cancel(sim_of(sl), &sl->turn);
    sl->served = false;
    sl->loop->stopped = false;
    loop_disown(sl->loop);
}

err_code sim_loop_start(struct loop *l, struct err *err)
{
    struct sim_loop *sl = l->backend;
    if (!is_dead(sl))
        serve(sl);
    return ERR_NONE;
}

void sim_loop_join(struct loop *l)
{
    struct sim_loop *sl = l->backend;
    struct sim *s = sim_of(sl);
    if (!sl->served)
        return;
    /* Its last turns take place here and now, whoever calls: there is nothing that they could wait for. */
    bool nested = s->in_event;
    deliver_late(sl, INT64_MAX);
    s->in_event = true;
    while (sl->served && !l->stopped && loop_has_messages(l))
        take_turn(sl);
    s->in_event = nested;
    if (!nested)
        s->spent = 0;
    if (is_dead(sl))
        return;
    ASSERT(l->stopped); /* joining a loop that nobody told to stop waits for ever */
    serve_no_more(sl);
}

bool sim_loop_run_until(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns)
{
    struct sim_loop *sl = l->backend;
    struct sim *s = sim_of(sl);
    ASSERT(!s->in_event);
    if (is_dead(sl))
        return cond && cond(ctx);
    /* However short: what is due at once gets its turn. */
    int64_t until = sim_deadline(s, timeout_ns), soon = sim_deadline(s, WAKE_NS_MAX);
    soon = sl->busy_until > s->now ? sl->busy_until + WAKE_NS_MAX : soon;
    until = until > soon ? until : soon;
    serve(sl);
    bool holds = false;
    for (;;) {
        own(sl, true);
        holds = cond && cond(ctx);
        if (holds || is_dead(sl) || l->stopped)
            break;
        /* Between turns it was the caller's, who may have set timers and more. */
        schedule(sl);
        own(sl, false);
        if (!sim_step_until(s, until)) {
            s->now = until != INT64_MAX && until > s->now ? until : s->now;
            break;
        }
    }
    if (is_dead(sl))
        loop_disown(l);
    else
        serve_no_more(sl);
    return holds;
}

void sim_loops_crash(struct sim_host *h)
{
    SIM_LIST_EACH(&h->loops, e)
    {
        struct sim_loop *sl = CONTAINER_OF(e, struct sim_loop, in_host);
        sim_event_cancel(h->sim, &sl->turn);
        sim_event_cancel(h->sim, &sl->late_arrives);
        SIM_LIST_EACH(&sl->works, w)
        {
            sim_event_cancel(h->sim, &CONTAINER_OF(w, struct sim_work, in_loop)->event);
        }
        sl->served = false;
        sl->loop->abandoned = true;
        loop_disown(sl->loop);
        sim_list_remove(e);
    }
    h->signals = NULL;
}

/* --- work: it begins a while after it was submitted, and is done a while later --- */

static void work_is_done(struct sim_event *e)
{
    struct sim_work *w = CONTAINER_OF(e, struct sim_work, event);
    struct loop *l = w->sl->loop;
    struct loop_work *work = w->work;
    sim_trace(sim_of(w->sl), w->sl->host, SIM_WORK_DONE, str_from_c(l->name), 0, 0);
    sim_list_remove(&w->in_loop);
    mem_free(w);
    loop_post(l, &work->msg);
}

static void work_begins(struct sim_event *e)
{
    struct sim_work *w = CONTAINER_OF(e, struct sim_work, event);
    struct sim_loop *sl = w->sl;
    struct sim *s = sim_of(sl);
    sim_trace(s, sl->host, SIM_WORK_RUN, str_from_c(sl->loop->name), 0, 0);
    w->work->run(w->work);
    if (is_dead(sl))
        return; /* it stays in the list until the loop is freed */
    w->event.fire = work_is_done;
    sim_event_set(s, &w->event, sim_time(s) + w->left_ns);
}

void sim_submit(struct loop *l, struct loop_work *work)
{
    struct sim_loop *sl = l->backend;
    struct sim *s = sim_of(sl);
    struct sim_random *dice = &s->dice[SIM_DICE_WORK];
    struct sim_work *w = NEW(struct sim_work);
    int64_t all_ns = sim_random_between(dice, s->opts.work_min_ns, s->opts.work_max_ns);
    int64_t before_ns = sim_random_between(dice, 0, all_ns);
    w->event.fire = work_begins;
    w->sl = sl;
    w->work = work;
    w->left_ns = all_ns - before_ns;
    sim_list_add(&sl->works, &w->in_loop);
    if (!is_dead(sl))
        sim_event_set(s, &w->event, sim_time(s) + before_ns);
}

void sim_loop_quiet(struct loop *l)
{
    struct sim_loop *sl = l->backend;
    deliver_late(sl, INT64_MAX);
    SIM_LIST_EACH(&sl->works, e)
    {
        struct sim_work *w = CONTAINER_OF(e, struct sim_work, in_loop);
        sim_event_cancel(sim_of(sl), &w->event);
        loop_post(l, &w->work->msg);
        mem_free(w);
    }
    sim_list_init(&sl->works);
}

void sim_loop_close(struct loop *l)
{
    struct sim_loop *sl = l->backend;
    ASSERT(sim_list_is_empty(&sl->works));
    sim_event_cancel(sim_of(sl), &sl->turn);
    sim_list_remove(&sl->in_host);
    mem_free(sl->order);
    mem_free(sl);
}

/* --- signals --- */

struct sim_signals {
    struct loop_signals *signals;
    struct sim_host *host;
    bool wanted[SIGNO_MAX + 1], pending[SIGNO_MAX + 1];
    bool stopped;
    struct loop_ready ready;
    struct loop_msg last;
};

static void report(struct loop_ready *r)
{
    struct sim_signals *ss = CONTAINER_OF(r, struct sim_signals, ready);
    for (int signo = 1; signo <= SIGNO_MAX && !ss->stopped; signo++)
        if (TAKE(ss->pending[signo]))
            ss->signals->on_signal(ss->signals, signo);
}

static void free_signals(struct loop_msg *m)
{
    mem_free(CONTAINER_OF(m, struct sim_signals, last));
}

err_code sim_signals_start(struct loop *l, struct loop_signals *s, const int *signos, size_t signo_count,
                           struct err *err)
{
    struct sim_host *h = sim_host_of(l->env);
    for (size_t i = 0; i < signo_count; i++)
        if (signos[i] < 1 || signos[i] > SIGNO_MAX)
            return err_set(err, ERR_INVALID, "there is no signal %d", signos[i]);
    if (h->signals)
        return err_set(err, ERR_CONFLICT, "signals are reported to another loop already");
    struct sim_signals *ss = NEW(struct sim_signals);
    ss->signals = s;
    ss->host = h;
    ss->ready.run = report;
    for (size_t i = 0; i < signo_count; i++)
        ss->wanted[signos[i]] = true;
    s->impl = ss;
    if (!h->crashed)
        h->signals = ss;
    return ERR_NONE;
}

void sim_signals_stop(struct loop_signals *s)
{
    struct sim_signals *ss = s->impl;
    if (!ss)
        return;
    s->impl = NULL;
    if (ss->host->signals == ss)
        ss->host->signals = NULL;
    ss->stopped = true;
    loop_ready_remove(&ss->ready);
    ss->last = (struct loop_msg){.run = free_signals, .drop = free_signals};
    loop_defer(s->loop, &ss->last);
}

void sim_signal(struct sim_host *h, int signo)
{
    ASSERT(signo >= 1 && signo <= SIGNO_MAX);
    sim_trace(h->sim, h, SIM_SIGNAL, STR_NONE, (uint64_t)signo, 0);
    struct sim_signals *ss = h->signals;
    if (!ss || !ss->wanted[signo])
        return;
    ss->pending[signo] = true;
    loop_ready_add(ss->signals->loop, &ss->ready);
    sim_loop_poke(ss->signals->loop);
}
