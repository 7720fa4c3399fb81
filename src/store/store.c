/* store.c - a store's life, and its answers: transactions on their way to the backend and back, reads that wait,
 * subscribers, marks in time. */
#include "base/kube_time.h"
#include "base/mem.h"
#include "store/store_priv.h"
#include <stdio.h>
#include <stdlib.h>

#define HISTORY_NS        (5 * NSEC_PER_MIN)
#define HISTORY_SIZE      ((size_t)32 << 20)
#define RESERVE_SIZE      ((size_t)8 << 20)
#define NEWEST_TIMEOUT_NS (10 * NSEC_PER_SEC)
#define MARK_EVERY_S      5
#define MARKS_MAX         65536

/* --- life --- */

static void flush(struct loop_msg *m);
static void patience_ends(struct timer *t);

static void free_more(struct loop_msg *m)
{
    struct store *s = CONTAINER_OF(m, struct store, free_msg);
    s->freeing = false;
    store_free_some(s, 1000);
}

struct store *store_new(struct env *env, const struct store_opts *opts, struct loop *loop)
{
    struct store *s = NEW(struct store);
    s->env = env;
    s->loop = loop;
    s->opts = *opts;
    s->opts.history_ns = opts->history_ns ? opts->history_ns : HISTORY_NS;
    s->opts.history_size = opts->history_size ? opts->history_size : HISTORY_SIZE;
    s->opts.reserve_size = opts->reserve_size ? opts->reserve_size : RESERVE_SIZE;
    s->free_msg.run = free_more;
    s->flush_msg.run = flush;
    timer_init(&s->patience, loop, patience_ends);
    pthread_mutex_init(&s->lock, NULL);
    resources_init(s);
    return s;
}

err_code store_start(struct store *s, struct backend *b, struct err *err)
{
    ASSERT(s->newest);
    s->backend = b;
    return loop_start(s->loop, err);
}

err_code store_open(struct env *env, const struct store_opts *opts, struct store **ret, struct err *err)
{
    struct loop *loop;
    struct backend *b;
    if (loop_new(env, S("store"), &loop, err))
        return err->code;
    struct store *s = store_new(env, opts, loop);
    if (sqlite_backend_open(s, &b, err) || store_start(s, b, err)) {
        store_close(s);
        return err->code;
    }
    *ret = s;
    return ERR_NONE;
}

static void release_puts(struct store_txn *t)
{
    for (unsigned i = 0; i < t->change_count; i++)
        object_unref(t->changes[i].put);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    loop_stop(s->loop);
    loop_join(s->loop);
    loop_free(s->loop);
    for (struct store_txn *t = s->waiting; t; t = t->next) /* of a host that crashed */
        release_puts(t);
    if (s->backend)
        s->backend->ops->close(s->backend);
    snapshots_done(s);
    resources_done(s);
    vec_done(&s->marks);
    vec_done(&s->build.touched);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

struct env *store_env(struct store *s)
{
    return s->env;
}

struct loop *store_loop(struct store *s)
{
    return s->loop;
}

const struct store_opts *store_options(struct store *s)
{
    return &s->opts;
}

void store_fatal(struct store *s, const struct err *why)
{
    bool first = !s->dead;
    s->dead = true;
    if (!first)
        return;
    if (s->opts.on_fatal) {
        s->opts.on_fatal(s->opts.ctx, why);
        return;
    }
    if (s->opts.log)
        log_error(s->opts.log, "the store cannot go on; a new start will find what is on disk", KV_ERR(why));
    else
        fprintf(stderr, "skiff: the store cannot go on; a new start will find what is on disk: %s\n",
                why->msg);
    _Exit(74); /* EX_IOERR; nothing may run that would answer */
}

/* --- transactions --- */

static void txn_done(struct loop_msg *m)
{
    struct store_txn *t = CONTAINER_OF(m, struct store_txn, msg);
    t->done(t);
}

static void txn_dropped(struct loop_msg *m)
{
    release_puts(CONTAINER_OF(m, struct store_txn, msg));
}

void store_answer(struct store *s, struct store_txn *t)
{
    if (t->err.code)
        release_puts(t);
    s->answered++;
    pthread_mutex_lock(&s->lock);
    s->stats.transactions += t->err.code == ERR_NONE;
    s->stats.conflicts += t->err.code == ERR_CONFLICT;
    pthread_mutex_unlock(&s->lock);
    t->msg = (struct loop_msg){.run = txn_done};
    loop_post(t->loop, &t->msg);
}

void store_answer_at(struct store *s, struct store_txn *t, int64_t revision)
{
    if (revision <= s->newest->snapshot.revision) {
        store_answer(s, t);
        return;
    }
    t->revision = revision;
    t->next = s->behind;
    s->behind = t;
}

static void flush_later(struct store *s)
{
    if (!s->flushing)
        loop_defer(s->loop, &s->flush_msg);
    s->flushing = true;
}

static size_t txn_size(const struct store_txn *t)
{
    size_t size = 0;
    for (unsigned i = 0; i < t->change_count; i++)
        size += t->changes[i].put ? t->changes[i].put->content_n : 0;
    return size;
}

/* What has come by now goes to the backend as a group, up to a bound; the rest in the next turn. */
static void send_group(struct store *s)
{
    struct store_txn *first = s->waiting, *last = NULL;
    size_t count = 0, size = 0;
    for (struct store_txn *t = first; t && count < BATCH_TXNS_MAX && size < BATCH_SIZE_MAX; t = t->next) {
        count++;
        size += txn_size(t);
        last = t;
    }
    s->waiting = last->next;
    s->waiting_last = s->waiting ? s->waiting_last : NULL;
    s->waiting_count -= count;
    last->next = NULL;
    s->answered = 0;
    s->backend->ops->commit(s->backend, first);
    s->answered_ns = env_now_mono(s->env);
    s->expected = s->answered + s->waiting_count;
    if (s->waiting)
        flush_later(s);
}

/* Clients that were just answered mostly come again at once. Those that come while a group is being synced would otherwise
 * make one group, and those that it answers the next, with a sync for each half: so a little time is given to them. */
static void flush(struct loop_msg *m)
{
    struct store *s = CONTAINER_OF(m, struct store, flush_msg);
    s->flushing = false;
    int64_t until = s->answered_ns + s->patience_ns;
    if (s->waiting_count >= s->expected || s->patience_ns < PATIENCE_MIN_NS || loop_now(s->loop) >= until) {
        timer_cancel(&s->patience);
        send_group(s);
    } else if (!timer_is_set(&s->patience)) {
        timer_set_at(&s->patience, until);
    }
}

static void patience_ends(struct timer *t)
{
    flush_later(CONTAINER_OF(t, struct store, patience));
}

static bool resources_exist(struct store *s, const struct store_txn *t)
{
    for (unsigned i = 0; i < t->change_count; i++) {
        const struct store_change *c = &t->changes[i];
        if (!resource_at(s, c->put ? c->put->resource : c->key.resource))
            return false;
    }
    return true;
}

static void txn_arrives(struct loop_msg *m)
{
    struct store_txn *t = CONTAINER_OF(m, struct store_txn, msg);
    struct store *s = t->store;
    t->err.code = ERR_NONE;
    if (s->dead)
        err_set(&t->err, ERR_UNAVAILABLE, "the store has stopped");
    else if (!resources_exist(s, t))
        err_set(&t->err, ERR_TOO_LARGE, "there are more resources than can be stored");
    if (t->err.code) {
        store_answer(s, t);
        return;
    }
    t->next = NULL;
    if (s->waiting_last)
        s->waiting_last->next = t;
    else
        s->waiting = t;
    s->waiting_last = t;
    s->waiting_count++;
    flush_later(s);
}

void store_commit(struct store *s, struct store_txn *t)
{
    ASSERT(t->guard_count <= STORE_TXN_MAX);
    ASSERT(t->change_count <= STORE_TXN_MAX);
    t->store = s;
    t->msg = (struct loop_msg){.run = txn_arrives, .drop = txn_dropped};
    loop_post(s->loop, &t->msg);
}

/* --- reads --- */

static void read_done(struct loop_msg *m)
{
    struct store_read *r = CONTAINER_OF(m, struct store_read, msg);
    r->done(r);
}

static void read_dropped(struct loop_msg *m)
{
    snapshot_unref(CONTAINER_OF(m, struct store_read, msg)->snapshot);
}

static void read_answer(struct store_read *r)
{
    r->msg = (struct loop_msg){.run = read_done, .drop = read_dropped};
    loop_post(r->loop, &r->msg);
}

void store_read_fail(struct store *s, struct store_read *r, const struct err *why)
{
    r->err = *why;
    read_answer(r);
}

static void read_unlink(struct store *s, struct store_read *r)
{
    if (r->prev)
        r->prev->next = r->next;
    else
        s->reads = r->next;
    if (r->next)
        r->next->prev = r->prev;
    timer_cancel(&r->timer);
}

static void read_late(struct timer *timer)
{
    struct store_read *r = CONTAINER_OF(timer, struct store_read, timer);
    read_unlink(r->store, r);
    err_set(&r->err, ERR_TIMEOUT, "revision %lld has not come; the newest is %lld", (long long)r->revision,
            (long long)r->store->newest->snapshot.revision);
    read_answer(r);
}

void store_read_at(struct store *s, struct store_read *r, int64_t revision)
{
    if (revision <= s->newest->snapshot.revision) {
        r->snapshot = store_snapshot(s);
        read_answer(r);
        return;
    }
    struct store_read **at = &s->reads, *before = NULL;
    while (*at && (*at)->revision <= revision) {
        before = *at;
        at = &before->next;
    }
    r->revision = revision;
    r->prev = before;
    r->next = *at;
    *at = r;
    if (r->next)
        r->next->prev = r;
    timer_init(&r->timer, s->loop, read_late);
    bool unsaid = r->kind == STORE_READ_NEWEST && !r->timeout_ns;
    timer_set(&r->timer, unsaid ? NEWEST_TIMEOUT_NS : r->timeout_ns);
}

static void read_arrives(struct loop_msg *m)
{
    struct store_read *r = CONTAINER_OF(m, struct store_read, msg);
    struct store *s = r->store;
    if (r->kind == STORE_READ_NEWEST)
        s->backend->ops->newest(s->backend, r);
    else
        store_read_at(s, r, r->revision);
}

bool store_read(struct store *s, struct store_read *r)
{
    loop_assert_owner(r->loop);
    bool ask = r->kind == STORE_READ_NEWEST && s->backend->ops->newest;
    r->store = s;
    r->err.code = ERR_NONE;
    r->snapshot = ask ? NULL : store_snapshot(s);
    if (r->snapshot && (r->kind == STORE_READ_NEWEST || r->snapshot->revision >= r->revision))
        return true;
    r->snapshot = snapshot_unref(r->snapshot);
    r->msg = (struct loop_msg){.run = read_arrives};
    loop_post(s->loop, &r->msg);
    return false;
}

/* --- news --- */

static void tell(struct store_subscriber *sub)
{
    /* If it was told and has not looked yet, then it looks after what was published before this. Pairs with hear. */
    if (!atomic_exchange_explicit(&sub->told, true, memory_order_acq_rel))
        loop_post(sub->loop, &sub->news);
}

static void hear(struct loop_msg *m)
{
    struct store_subscriber *sub = CONTAINER_OF(m, struct store_subscriber, news);
    atomic_exchange_explicit(&sub->told, false, memory_order_acq_rel); /* pairs with tell */
    if (!sub->gone)
        sub->on_news(sub);
}

static void subscriber_joins(struct loop_msg *m)
{
    struct store_subscriber *sub = CONTAINER_OF(m, struct store_subscriber, join);
    struct store *s = sub->store;
    sub->prev = NULL;
    sub->next = s->subscribers;
    if (sub->next)
        sub->next->prev = sub;
    s->subscribers = sub;
    tell(sub);
}

static void subscriber_is_gone(struct loop_msg *m)
{
    struct store_subscriber *sub = CONTAINER_OF(m, struct store_subscriber, leave);
    sub->gone(sub);
}

/* What it was told is in its loop's queue before the answer. */
static void subscriber_leaves(struct loop_msg *m)
{
    struct store_subscriber *sub = CONTAINER_OF(m, struct store_subscriber, leave);
    if (sub->prev)
        sub->prev->next = sub->next;
    else
        sub->store->subscribers = sub->next;
    if (sub->next)
        sub->next->prev = sub->prev;
    sub->leave.run = subscriber_is_gone;
    loop_post(sub->loop, &sub->leave);
}

void store_subscribe(struct store *s, struct store_subscriber *sub)
{
    loop_assert_owner(sub->loop);
    sub->store = s;
    sub->gone = NULL;
    atomic_init(&sub->told, false);
    sub->news = (struct loop_msg){.run = hear};
    sub->join = (struct loop_msg){.run = subscriber_joins};
    sub->leave = (struct loop_msg){.run = subscriber_leaves};
    loop_post(s->loop, &sub->join);
}

void store_unsubscribe(struct store_subscriber *sub, void (*gone)(struct store_subscriber *sub))
{
    loop_assert_owner(sub->loop);
    ASSERT(!sub->gone);
    sub->gone = gone;
    loop_post(sub->store->loop, &sub->leave);
}

static void answer_behind(struct store *s)
{
    for (struct store_txn **at = &s->behind, *t; (t = *at);) {
        if (t->revision <= s->newest->snapshot.revision) {
            *at = t->next;
            store_answer(s, t);
        } else {
            at = &t->next;
        }
    }
}

void store_published(struct store *s)
{
    while (s->reads && s->reads->revision <= s->newest->snapshot.revision) {
        struct store_read *r = s->reads;
        read_unlink(s, r);
        r->snapshot = store_snapshot(s);
        read_answer(r);
    }
    if (s->behind)
        answer_behind(s);
    for (struct store_subscriber *sub = s->subscribers; sub; sub = sub->next)
        tell(sub);
}

/* --- time and revisions ---
 * A mark says that at the end of a second a revision was the newest. There is one every few seconds, before and after a
 * pause, and the newest of all. */

static void push_mark(struct store *s, struct mark m)
{
    if (s->marks.count == MARKS_MAX) { /* of the older half, every second one goes */
        struct mark *marks = s->marks.items;
        for (size_t i = 0; i < MARKS_MAX / 4; i++)
            marks[i] = marks[2 * i + 1];
        memmove(marks + MARKS_MAX / 4, marks + MARKS_MAX / 2, MARKS_MAX / 2 * sizeof *marks);
        s->marks.count -= MARKS_MAX / 4;
    }
    vec_push(&s->marks, m);
}

void store_mark(struct store *s, int64_t wall_s, int64_t revision)
{
    pthread_mutex_lock(&s->lock);
    struct mark newest = s->newest_mark;
    const struct mark *last = s->marks.count ? &s->marks.items[s->marks.count - 1] : NULL;
    /* The clock was set back: what seemed to be is not yet. */
    while (last && last->wall_s >= wall_s)
        last = --s->marks.count ? last - 1 : NULL;
    bool apart = !last || newest.wall_s >= last->wall_s + MARK_EVERY_S ||
                 wall_s > newest.wall_s + MARK_EVERY_S;
    if (newest.revision && newest.wall_s < wall_s && apart)
        push_mark(s, newest);
    s->newest_mark = (struct mark){wall_s, revision};
    pthread_mutex_unlock(&s->lock);
}

int64_t store_revision_at(struct store *s, int64_t wall_ns)
{
    int64_t wall_s = wall_ns / NS_PER_S, revision = 0;
    pthread_mutex_lock(&s->lock);
    if (s->newest_mark.revision && s->newest_mark.wall_s < wall_s) {
        revision = s->newest_mark.revision;
    } else {
        size_t low = 0, high = s->marks.count; /* the last that is before */
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (s->marks.items[middle].wall_s < wall_s)
                low = middle + 1;
            else
                high = middle;
        }
        revision = low ? s->marks.items[low - 1].revision : 0;
    }
    pthread_mutex_unlock(&s->lock);
    return revision;
}

/* --- figures --- */

void store_count_commit(struct store *s, size_t bytes, int64_t took_ns, size_t disk_size)
{
    pthread_mutex_lock(&s->lock);
    struct store_stats *st = &s->stats;
    s->patience_ns = took_ns / 8 < PATIENCE_MAX_NS ? took_ns / 8 : PATIENCE_MAX_NS;
    st->commits++;
    st->bytes_written += bytes;
    st->disk_bytes = disk_size;
    st->longest_commit_ns = took_ns > st->longest_commit_ns ? took_ns : st->longest_commit_ns;
    pthread_mutex_unlock(&s->lock);
}

void store_stats(struct store *s, struct store_stats *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->stats;
    pthread_mutex_unlock(&s->lock);
}
