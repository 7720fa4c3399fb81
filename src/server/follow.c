#include "server/follow.h"
#include "store/store.h"

static struct cow_table *read_everything(const struct follow *f, const struct snapshot *sn)
{
    struct cow_table *t = cow_table_new();
    for (unsigned i = 0; i < f->opts.resource_count; i++) {
        struct object_range range = {.resource = f->opts.resources[i], .all_namespaces = true};
        struct snapshot_iter it;
        snapshot_list(sn, &range, NULL, &it);
        for (const struct object *o = snapshot_next(&it); o; o = snapshot_next(&it))
            f->opts.change(f->opts.ctx, t, i, NULL, o);
    }
    return t;
}

/* The version after the one there is; NULL: nothing has changed. False: some changes are no longer known. */
static bool read_changes(const struct follow *f, const struct snapshot *sn, int64_t after,
                         struct cow_table **ret)
{
    struct cow_table *t = NULL;
    for (unsigned i = 0; i < f->opts.resource_count; i++) {
        struct snapshot_iter it;
        struct err err = ERR_INIT;
        if (snapshot_changes(sn, f->opts.resources[i], after, &it, &err)) {
            cow_table_unref(t);
            return false;
        }
        for (const struct change *c = snapshot_next_change(&it); c; c = snapshot_next_change(&it)) {
            if (!t)
                t = cow_table_copy(f->table);
            f->opts.change(f->opts.ctx, t, i, c->old, c->now);
        }
    }
    *ret = t;
    return true;
}

static void replace(struct follow *f, const struct cow_table *t)
{
    pthread_mutex_lock(&f->switching);
    const struct cow_table *old = f->table;
    f->table = t;
    pthread_mutex_unlock(&f->switching);
    cow_table_unref(old);
}

static void bring_to(struct follow *f, const struct snapshot *sn)
{
    pthread_mutex_lock(&f->making);
    int64_t after = atomic_load_explicit(&f->revision, memory_order_relaxed);
    if (after < sn->revision) { /* else somebody has just been here */
        struct cow_table *t = NULL;
        if (!read_changes(f, sn, after, &t))
            t = read_everything(f, sn);
        if (t)
            replace(f, t);
        atomic_store_explicit(&f->revision, sn->revision, memory_order_release);
    }
    pthread_mutex_unlock(&f->making);
}

void follow_init(struct follow *f, const struct follow_opts *opts)
{
    *f = (struct follow){.opts = *opts};
    ASSERT(opts->resource_count <= FOLLOW_RESOURCES_MAX);
    pthread_mutex_init(&f->making, NULL);
    pthread_mutex_init(&f->switching, NULL);
    const struct snapshot *sn = store_snapshot(opts->store);
    f->table = read_everything(f, sn);
    atomic_init(&f->revision, sn->revision);
    snapshot_unref(sn);
}

void follow_done(struct follow *f)
{
    cow_table_unref(f->table);
    pthread_mutex_destroy(&f->making);
    pthread_mutex_destroy(&f->switching);
}

const struct cow_table *follow_table(struct follow *f, const struct snapshot *sn)
{
    if (atomic_load_explicit(&f->revision, memory_order_acquire) < sn->revision)
        bring_to(f, sn);
    pthread_mutex_lock(&f->switching);
    const struct cow_table *t = cow_table_ref(f->table);
    pthread_mutex_unlock(&f->switching);
    return t;
}
