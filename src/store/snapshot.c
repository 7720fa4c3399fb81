/* snapshot.c - what readers see: looking up, lists, changes; and the memory of what they no longer see. */
#include "base/mem.h"
#include "store/store_priv.h"

/* No published node has it. */
#define REWIND_TAG UINT64_MAX

/* The count is the one part of a snapshot that changes. */
static struct full_snapshot *full(const struct snapshot *sn)
{
    union {
        const struct snapshot *shared;
        struct full_snapshot *own;
    } u = {.shared = sn};
    return u.own;
}

/* --- order --- */

static inline int text_cmp(str x, str y)
{
    size_t n = size_min(x.n, y.n);
    int c = n ? memcmp(x.p, y.p, n) : 0;
    return c ? c : (x.n > y.n) - (x.n < y.n);
}

int object_probe_cmp(const void *probe, const void *item)
{
    const struct object_key *key = probe;
    const struct object *o = item;
    if (key->resource != o->resource)
        return key->resource < o->resource ? -1 : 1;
    int c = text_cmp(key->ns, object_ns(o));
    return c ? c : text_cmp(key->name, object_name(o));
}

/* Right behind a key. */
static int after_cmp(const void *probe, const void *item)
{
    int c = object_probe_cmp(probe, item);
    return c ? c : 1;
}

/* The end of a range: behind all that is in it. */
static int range_end_cmp(const void *probe, const void *item)
{
    const struct object_range *r = probe;
    const struct object *o = item;
    if (r->resource != o->resource)
        return r->resource < o->resource ? -1 : 1;
    return r->all_namespaces || text_cmp(r->ns, object_ns(o)) >= 0 ? 1 : -1;
}

static struct object_key range_start(const struct object_range *r)
{
    return (struct object_key){r->resource, r->all_namespaces ? STR_NONE : r->ns, STR_NONE};
}

int change_key_cmp(const void *probe, const void *item)
{
    const struct change *key = probe, *c = item;
    if (key->resource != c->resource)
        return key->resource < c->resource ? -1 : 1;
    return (key->revision > c->revision) - (key->revision < c->revision);
}

/* --- reading --- */

const struct object *snapshot_find(const struct snapshot *sn, struct object_key key)
{
    return ptree_find(full(sn)->objects, object_probe_cmp, &key);
}

size_t snapshot_count(const struct snapshot *sn, const struct object_range *r)
{
    const struct ptree_node *root = full(sn)->objects;
    struct object_key start = range_start(r);
    return ptree_rank(root, range_end_cmp, r) - ptree_rank(root, object_probe_cmp, &start);
}

size_t snapshot_count_after(const struct snapshot *sn, const struct object_range *r,
                            const struct object_key *after)
{
    const struct ptree_node *root = full(sn)->objects;
    return ptree_rank(root, range_end_cmp, r) - ptree_rank(root, after_cmp, after);
}

void snapshot_list(const struct snapshot *sn, const struct object_range *r, const struct object_key *after,
                   struct snapshot_iter *ret)
{
    struct object_key start = range_start(r);
    bool later = after && object_key_cmp(after, &start) >= 0;
    ret->range = *r;
    ptree_seek(full(sn)->objects, later ? after_cmp : object_probe_cmp, later ? after : &start, &ret->at);
}

const struct object *snapshot_next(struct snapshot_iter *it)
{
    /* Objects lie anywhere in memory: fetch what will be asked for soon, first what says where the labels are. */
    const struct object *later = ptree_ahead(&it->at, 8), *soon = ptree_ahead(&it->at, 4);
    __builtin_prefetch(later);
    if (soon)
        __builtin_prefetch(object_content(soon).p + soon->labels.at);
    const struct object *o = ptree_next(&it->at);
    if (!o || o->resource != it->range.resource)
        return NULL;
    return it->range.all_namespaces || str_eq(object_ns(o), it->range.ns) ? o : NULL;
}

int64_t snapshot_changes_from(const struct snapshot *sn, uint32_t resource)
{
    const struct full_snapshot *f = full(sn);
    const struct resource *res = resource_at(f->store, resource);
    if (f->base)
        return sn->revision;
    return res ? atomic_load_explicit(&res->trimmed, memory_order_relaxed) : 0;
}

static err_code expired(int64_t revision, int64_t from, struct err *err)
{
    return err_set(err, ERR_EXPIRED, "changes after revision %lld are gone; there are those after %lld",
                   (long long)revision, (long long)from);
}

static void seek_changes(const struct snapshot *sn, uint32_t resource, int64_t after,
                         struct snapshot_iter *ret)
{
    struct change key = {.resource = resource, .revision = after == INT64_MAX ? after : after + 1};
    ret->range = (struct object_range){.resource = resource};
    ptree_seek(full(sn)->changes, change_key_cmp, &key, &ret->at);
}

err_code snapshot_changes(const struct snapshot *sn, uint32_t resource, int64_t after,
                          struct snapshot_iter *ret, struct err *err)
{
    int64_t from = snapshot_changes_from(sn, resource);
    if (after < from)
        return expired(after, from, err);
    seek_changes(sn, resource, after, ret);
    return ERR_NONE;
}

const struct change *snapshot_next_change(struct snapshot_iter *it)
{
    const struct history_entry *e = ptree_next(&it->at);
    return e && e->change.resource == it->range.resource ? &e->change : NULL;
}

/* --- going back --- */

static void retire_nothing(void *ctx, struct ptree_node *n)
{
    /* What is replaced is the base's. */
}

/* Undoes changes, newest first. */
static void undo_changes(struct full_snapshot *f, const struct change **changes, size_t count)
{
    struct ptree_edit edit = {.tag = REWIND_TAG, .retire = retire_nothing};
    while (count--) {
        const struct change *c = changes[count];
        struct object_key key = object_key(c->old ? c->old : c->now);
        if (c->old)
            ptree_put(&edit, &f->objects, object_probe_cmp, &key, c->old);
        else
            ptree_remove(&edit, &f->objects, object_probe_cmp, &key);
    }
}

err_code snapshot_rewind(const struct snapshot *sn, uint32_t resource, int64_t revision,
                         const struct snapshot **ret, struct err *err)
{
    struct snapshot_iter it;
    VEC(const struct change *) changes = {0};
    if (snapshot_changes(sn, resource, revision, &it, err))
        return err->code;
    for (const struct change *c; (c = snapshot_next_change(&it));)
        vec_push(&changes, c);
    struct full_snapshot *f = NEW(struct full_snapshot);
    *f = (struct full_snapshot){.snapshot.revision = revision,
                                .store = full(sn)->store,
                                .objects = full(sn)->objects,
                                .base = snapshot_ref(sn)};
    atomic_init(&f->refs, 1);
    undo_changes(f, changes.items, changes.count);
    vec_done(&changes);
    *ret = &f->snapshot;
    return ERR_NONE;
}

static void rewound_free(struct full_snapshot *f)
{
    ptree_undo(f->objects, REWIND_TAG);
    snapshot_unref(f->base);
    mem_free(f);
}

/* --- taking and letting go: any thread --- */

const struct snapshot *store_snapshot(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    struct full_snapshot *f = s->current;
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&s->lock);
    return &f->snapshot;
}

const struct snapshot *snapshot_ref(const struct snapshot *sn)
{
    atomic_fetch_add_explicit(&full(sn)->refs, 1, memory_order_relaxed);
    return sn;
}

static bool let_go(struct full_snapshot *f)
{
    /* Release what this thread read, acquire what the others did. */
    return atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1;
}

const struct snapshot *snapshot_unref(const struct snapshot *sn)
{
    struct full_snapshot *f = full(sn);
    if (!sn || !let_go(f))
        return NULL;
    if (f->base)
        rewound_free(f);
    else
        loop_post(f->store->loop, &f->gone);
    return NULL;
}

/* --- the memory of it: the store's thread --- */

void garbage_add_node(struct garbage *g, struct ptree_node *n)
{
    n->next = g->nodes;
    g->nodes = n;
    if (!g->nodes_last)
        g->nodes_last = n;
}

void garbage_add_entry(struct garbage *g, struct history_entry *e)
{
    e->next = g->entries;
    g->entries = e;
    if (!g->entries_last)
        g->entries_last = e;
}

/* All of `from`, which is empty afterwards. */
static void garbage_move(struct garbage *to, struct garbage *from)
{
    if (from->nodes) {
        from->nodes_last->next = to->nodes;
        to->nodes = from->nodes;
        to->nodes_last = to->nodes_last ? to->nodes_last : from->nodes_last;
    }
    if (from->entries) {
        from->entries_last->next = to->entries;
        to->entries = from->entries;
        to->entries_last = to->entries_last ? to->entries_last : from->entries_last;
    }
    *from = (struct garbage){0};
}

/* What is younger than a revision goes to `to`: no snapshot up to that one has seen it. */
static void garbage_move_younger(struct garbage *to, struct garbage *from, int64_t revision)
{
    struct garbage rest = {0};
    while (from->nodes) {
        struct ptree_node *n = from->nodes;
        from->nodes = n->next;
        garbage_add_node(n->born > (uint64_t)revision ? to : &rest, n);
    }
    while (from->entries) {
        struct history_entry *e = from->entries;
        from->entries = e->next;
        int64_t born = e->change.old ? e->change.old->revision : e->change.revision;
        garbage_add_entry(born > revision ? to : &rest, e);
    }
    *from = rest;
}

static void entry_free(struct history_entry *e)
{
    object_unref(e->change.old);
    object_unref(e->change.now);
    mem_free(e);
}

void store_free_some(struct store *s, size_t max)
{
    struct garbage *g = &s->free;
    for (; max && g->nodes; max--) {
        struct ptree_node *n = g->nodes;
        g->nodes = n->next;
        ptree_node_free(n);
    }
    for (; max && g->entries; max--) {
        struct history_entry *e = g->entries;
        g->entries = e->next;
        entry_free(e);
    }
    g->nodes_last = g->nodes ? g->nodes_last : NULL;
    g->entries_last = g->entries ? g->entries_last : NULL;
    if ((g->nodes || g->entries) && !s->freeing) {
        s->freeing = true;
        loop_post(s->loop, &s->free_msg);
    }
}

/* Nobody has it any more. It is not the newest. */
static void snapshot_free(struct full_snapshot *f)
{
    struct store *s = f->store;
    struct full_snapshot *next = f->newer;
    if (f->older)
        garbage_move_younger(&s->free, &next->dead, f->older->snapshot.revision);
    else
        garbage_move(&s->free, &next->dead);
    garbage_move(f->older ? &next->dead : &s->free, &f->dead);
    next->older = f->older;
    if (f->older)
        f->older->newer = next;
    mem_free(f);
}

static void snapshot_gone(struct loop_msg *m)
{
    struct full_snapshot *f = CONTAINER_OF(m, struct full_snapshot, gone);
    struct store *s = f->store;
    snapshot_free(f);
    if (!s->freeing)
        store_free_some(s, 1000);
}

void snapshot_publish(struct store *s, int64_t revision, struct ptree_node *objects,
                      struct ptree_node *changes, struct garbage dead)
{
    struct full_snapshot *f = NEW(struct full_snapshot), *before = s->newest;
    *f = (struct full_snapshot){.snapshot.revision = revision,
                                .store = s,
                                .objects = objects,
                                .changes = changes,
                                .older = before,
                                .dead = dead,
                                .gone.run = snapshot_gone};
    atomic_init(&f->refs, 1); /* as the current one */
    if (before)
        before->newer = f;
    s->newest = f;
    pthread_mutex_lock(&s->lock);
    s->current = f;
    pthread_mutex_unlock(&s->lock);
    if (before && let_go(before))
        snapshot_free(before);
}

static void item_free(const void *item)
{
    object_unref(item);
}

static void history_item_free(const void *item)
{
    union {
        const void *item;
        struct history_entry *own;
    } u = {.item = item};
    entry_free(u.own);
}

void snapshots_done(struct store *s)
{
    while (s->newest && s->newest->older) {
        ASSERT(atomic_load_explicit(&s->newest->older->refs, memory_order_acquire) == 0);
        snapshot_free(s->newest->older);
    }
    s->freeing = true; /* here and now */
    store_free_some(s, SIZE_MAX);
    if (!s->newest) { /* loading has failed half-way */
        ptree_free(s->build.objects, item_free);
        ptree_free(s->build.changes, history_item_free);
        return;
    }
    ASSERT(!s->build.open);
    ASSERT(atomic_load_explicit(&s->newest->refs, memory_order_acquire) == 1);
    ptree_free(s->newest->objects, item_free);
    ptree_free(s->newest->changes, history_item_free);
    mem_free(s->newest);
}
