/* loop.c - the part of a loop that both worlds share: messages, timers, readiness, turns. */
#include "base/mem.h"
#include "sys/loop_priv.h"

/* Its address names the thread. */
static _Thread_local char thread_mark;

/* --- queues --- */

static void queue_add(struct loop_queue *q, struct loop_msg *m)
{
    m->next = NULL;
    if (q->last)
        q->last->next = m;
    else
        q->first = m;
    q->last = m;
}

static struct loop_msg *queue_take(struct loop_queue *q)
{
    struct loop_msg *m = q->first;
    if (m) {
        q->first = m->next;
        if (!q->first)
            q->last = NULL;
    }
    return m;
}

/* --- life --- */

static void stop_now(struct loop_msg *m)
{
    struct loop *l = CONTAINER_OF(m, struct loop, stop_msg);
    /* From here on stop_msg may be posted again: it is not touched any more. */
    atomic_store_explicit(&l->stop_asked, false, memory_order_release); /* pairs with loop_stop */
    l->stopped = true;
}

err_code loop_new(struct env *env, str name, struct loop **ret, struct err *err)
{
    struct loop *l = NEW(struct loop);
    l->env = env;
    size_t n = size_min(name.n, sizeof l->name - 1);
    if (n)
        memcpy(l->name, name.p, n);
    l->stop_msg.run = stop_now;
    l->ready.prev = l->ready.next = &l->ready;
    l->background.prev = l->background.next = &l->background;
    if (env->ops->loop_open(l, err)) {
        mem_free(l);
        return err_wrap(err, "could not make loop '%" STR_FMT "'", STR_ARG(name));
    }
    *ret = l;
    return ERR_NONE;
}

err_code loop_start(struct loop *l, struct err *err)
{
    return l->env->ops->loop_start(l, err);
}

bool loop_run_until(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns)
{
    ASSERT(!l->in_turn);
    return l->env->ops->loop_run_until(l, cond, ctx, timeout_ns);
}

void loop_stop(struct loop *l)
{
    if (!atomic_exchange_explicit(&l->stop_asked, true, memory_order_acquire)) /* pairs with stop_now */
        loop_post(l, &l->stop_msg);
}

void loop_join(struct loop *l)
{
    l->env->ops->loop_join(l);
}

/* Moves what was posted to `received`, oldest first. */
static void receive(struct loop *l)
{
    /* Pairs with loop_post: what the poster wrote before is seen by `run`. */
    struct loop_msg *m = atomic_exchange_explicit(&l->inbox, NULL, memory_order_acquire);
    if (!m || m == &l->asleep)
        return;
    struct loop_msg *first = NULL, *last = m;
    while (m) {
        struct loop_msg *older = m->next;
        m->next = first;
        first = m;
        m = older;
    }
    if (l->received.last)
        l->received.last->next = first;
    else
        l->received.first = first;
    l->received.last = last;
}

/* A drop may post, defer and close: until nothing is left. */
static void drop_messages(struct loop *l)
{
    for (;;) {
        receive(l);
        struct loop_msg *m = queue_take(&l->received);
        if (!m)
            m = queue_take(&l->deferred);
        if (!m)
            return;
        if (m->drop)
            m->drop(m);
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    loop_stop(l);
    loop_join(l);
    ASSERT(!l->in_turn); /* not from a callback */
    l->closing = true;
    l->env->ops->loop_quiet(l);
    while (l->background.next != &l->background)
        l->background.next->end(l->background.next);
    drop_messages(l);
    ASSERT(l->timer_count == 0 || l->abandoned);
    ASSERT(l->stream_count == 0 || l->abandoned);
    l->env->ops->loop_close(l);
    mem_free(l->timers);
    mem_free(l);
}

struct env *loop_env(struct loop *l)
{
    return l->env;
}

int64_t loop_now(struct loop *l)
{
    loop_assert_owner(l);
    return l->in_turn ? l->now : env_now_mono(l->env);
}

void loop_own(struct loop *l)
{
    ASSERT(!atomic_load_explicit(&l->owner, memory_order_relaxed));
    atomic_store_explicit(&l->owner, &thread_mark, memory_order_relaxed);
}

void loop_disown(struct loop *l)
{
    atomic_store_explicit(&l->owner, NULL, memory_order_relaxed);
}

void loop_assert_owner(const struct loop *l)
{
    const void *owner = atomic_load_explicit(&l->owner, memory_order_relaxed);
    ASSERT(!owner || owner == &thread_mark);
}

/* --- what goes on in the background --- */

void background_add(struct loop *l, struct background *b)
{
    b->prev = &l->background;
    b->next = l->background.next;
    b->prev->next = b->next->prev = b;
}

void background_remove(struct background *b)
{
    if (!b->next)
        return;
    b->prev->next = b->next;
    b->next->prev = b->prev;
    b->prev = b->next = NULL;
}

/* --- messages --- */

void loop_post(struct loop *l, struct loop_msg *m)
{
    if (UNLIKELY(l->post_late) && l->post_late(l, m))
        return;
    struct loop_msg *newest = atomic_load_explicit(&l->inbox, memory_order_relaxed);
    do
        m->next = newest == &l->asleep ? NULL : newest;
    while (!atomic_compare_exchange_weak_explicit(&l->inbox, &newest, m, memory_order_release,
                                                  memory_order_relaxed)); /* pairs with receive */
    if (newest == &l->asleep)
        l->env->ops->loop_wake(l);
}

void loop_defer(struct loop *l, struct loop_msg *m)
{
    loop_assert_owner(l);
    queue_add(&l->deferred, m);
}

bool loop_sleep_begin(struct loop *l)
{
    struct loop_msg *nothing = NULL;
    return atomic_compare_exchange_strong_explicit(&l->inbox, &nothing, &l->asleep, memory_order_relaxed,
                                                   memory_order_relaxed) ||
           nothing == &l->asleep;
}

bool loop_has_messages(const struct loop *l)
{
    const struct loop_msg *newest = atomic_load_explicit(&l->inbox, memory_order_relaxed);
    return l->received.first || (newest && newest != &l->asleep);
}

/* --- timers: a heap of four children each, in order of time, then of setting --- */

static bool slot_before(const struct timer_slot *a, const struct timer_slot *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

static void slot_put(struct loop *l, uint32_t i, struct timer_slot slot)
{
    l->timers[i] = slot;
    slot.timer->heap_index = i;
}

static void sift_up(struct loop *l, uint32_t i, struct timer_slot slot)
{
    while (i > 1) {
        uint32_t parent = (i - 2) / 4 + 1;
        if (!slot_before(&slot, &l->timers[parent]))
            break;
        slot_put(l, i, l->timers[parent]);
        i = parent;
    }
    slot_put(l, i, slot);
}

static void sift_down(struct loop *l, uint32_t i, struct timer_slot slot)
{
    for (;;) {
        uint32_t child = 4 * (i - 1) + 2, end = child + 4, first = child;
        if (child > l->timer_count)
            break;
        if (end > l->timer_count + 1)
            end = l->timer_count + 1;
        for (uint32_t c = child + 1; c < end; c++)
            if (slot_before(&l->timers[c], &l->timers[first]))
                first = c;
        if (!slot_before(&l->timers[first], &slot))
            break;
        slot_put(l, i, l->timers[first]);
        i = first;
    }
    slot_put(l, i, slot);
}

/* `slot` belongs at `i` or somewhere up or down from it. */
static void sift(struct loop *l, uint32_t i, struct timer_slot slot)
{
    if (i > 1 && slot_before(&slot, &l->timers[(i - 2) / 4 + 1]))
        sift_up(l, i, slot);
    else
        sift_down(l, i, slot);
}

void timer_init(struct timer *t, struct loop *l, void (*fire)(struct timer *t))
{
    *t = (struct timer){.loop = l, .fire = fire};
}

void timer_set_at(struct timer *t, int64_t mono_ns)
{
    struct loop *l = t->loop;
    loop_assert_owner(l);
    /* Not before this turn, so that what is set now sorts behind all that is due now. */
    t->at_ns = mono_ns > l->now ? mono_ns : l->now;
    struct timer_slot slot = {.at_ns = t->at_ns, .seq = ++l->timer_seq, .timer = t};
    if (t->heap_index) {
        sift(l, t->heap_index, slot);
        return;
    }
    if (l->timer_count + 1 >= l->timer_cap) {
        ASSERT(l->timer_cap < UINT32_MAX / 8); /* the index of a child is up to four times as large */
        l->timer_cap = l->timer_cap ? 2 * l->timer_cap : 16;
        l->timers = mem_realloc(l->timers, l->timer_cap * sizeof *l->timers);
    }
    sift_up(l, ++l->timer_count, slot);
}

void timer_set(struct timer *t, int64_t delay_ns)
{
    int64_t at;
    if (__builtin_add_overflow(loop_now(t->loop), delay_ns, &at))
        at = delay_ns > 0 ? INT64_MAX : 0;
    timer_set_at(t, at);
}

void timer_cancel(struct timer *t)
{
    if (!t->heap_index)
        return;
    struct loop *l = t->loop;
    loop_assert_owner(l);
    uint32_t i = t->heap_index;
    t->heap_index = 0;
    struct timer_slot last = l->timers[l->timer_count--];
    if (last.timer != t)
        sift(l, i, last);
}

/* --- readiness --- */

void loop_ready_add(struct loop *l, struct loop_ready *r)
{
    if (r->next)
        return;
    r->prev = l->ready.prev;
    r->next = &l->ready;
    r->prev->next = r->next->prev = r;
}

void loop_ready_remove(struct loop_ready *r)
{
    if (!r->next)
        return;
    r->prev->next = r->next;
    r->next->prev = r->prev;
    r->prev = r->next = NULL;
}

/* --- turns --- */

static void count(atomic_uint_fast64_t *counter)
{
    /* One writer: no need for an atomic addition. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static bool may_deliver(struct loop *l)
{
    return !l->env->ops->effect || l->env->ops->effect(l->env);
}

static bool run_messages(struct loop *l)
{
    receive(l);
    while (l->received.first) {
        if (!may_deliver(l))
            return false;
        struct loop_msg *m = queue_take(&l->received);
        count(&l->stats.messages);
        m->run(m);
    }
    return true;
}

/* Timers set before `seq_end`, that is, before this turn. */
static bool run_timers(struct loop *l, uint64_t seq_end)
{
    while (l->timer_count && l->timers[1].at_ns <= l->now && l->timers[1].seq < seq_end) {
        if (!may_deliver(l))
            return false;
        struct timer *t = l->timers[1].timer;
        timer_cancel(t);
        count(&l->stats.timers);
        t->fire(t);
    }
    return true;
}

/* What is ready at this point; what becomes ready meanwhile queues up behind `stop` for the next turn. */
static bool run_ready(struct loop *l)
{
    struct loop_ready stop = {.run = NULL};
    bool go_on = true;
    loop_ready_add(l, &stop);
    while (l->ready.next != &stop) {
        struct loop_ready *r = l->ready.next;
        go_on = may_deliver(l);
        if (!go_on)
            break;
        loop_ready_remove(r);
        r->run(r);
    }
    loop_ready_remove(&stop);
    return go_on;
}

static void run_deferred(struct loop *l)
{
    const struct loop_msg *last = l->deferred.last;
    for (bool more = last; more;) {
        if (!may_deliver(l))
            return;
        struct loop_msg *m = queue_take(&l->deferred);
        more = m != last;
        m->run(m);
    }
}

int64_t loop_turn(struct loop *l, int64_t now)
{
    l->now = now;
    l->in_turn = true;
    uint64_t seq_end = l->timer_seq + 1;
    if (run_messages(l) && run_timers(l, seq_end) && run_ready(l))
        run_deferred(l);
    l->in_turn = false;
    count(&l->stats.turns);
    int64_t end = env_now_mono(l->env), took = end - now;
    if (took > LOOP_SLOW_TURN_NS)
        count(&l->stats.slow_turns);
    if (took > atomic_load_explicit(&l->stats.longest_turn_ns, memory_order_relaxed))
        atomic_store_explicit(&l->stats.longest_turn_ns, took, memory_order_relaxed);
    return end;
}

int64_t loop_next_deadline(const struct loop *l)
{
    if (l->deferred.first || l->ready.next != &l->ready)
        return LOOP_AT_ONCE;
    return l->timer_count ? l->timers[1].at_ns : LOOP_NEVER;
}

void loop_stats(struct loop *l, struct loop_stats *ret)
{
    *ret = (struct loop_stats){
        .turns = atomic_load_explicit(&l->stats.turns, memory_order_relaxed),
        .slow_turns = atomic_load_explicit(&l->stats.slow_turns, memory_order_relaxed),
        .messages = atomic_load_explicit(&l->stats.messages, memory_order_relaxed),
        .timers = atomic_load_explicit(&l->stats.timers, memory_order_relaxed),
        .longest_turn_ns = atomic_load_explicit(&l->stats.longest_turn_ns, memory_order_relaxed),
    };
}

/* --- work and signals --- */

static void work_done(struct loop_msg *m)
{
    struct loop_work *w = CONTAINER_OF(m, struct loop_work, msg);
    w->done(w);
}

static void work_drop(struct loop_msg *m)
{
    struct loop_work *w = CONTAINER_OF(m, struct loop_work, msg);
    if (w->drop)
        w->drop(w);
}

void loop_submit(struct loop *l, struct loop_work *w)
{
    loop_assert_owner(l);
    ASSERT(!l->closing);
    w->loop = l;
    w->msg = (struct loop_msg){.run = work_done, .drop = work_drop};
    l->env->ops->submit(l, w);
}

err_code loop_signals_start(struct loop *l, struct loop_signals *s, const int *signos, size_t signo_count,
                            struct err *err)
{
    loop_assert_owner(l);
    s->loop = l;
    return l->env->ops->signals_start(l, s, signos, signo_count, err);
}

void loop_signals_stop(struct loop_signals *s)
{
    loop_assert_owner(s->loop);
    s->loop->env->ops->signals_stop(s);
}
