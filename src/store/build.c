/* build.c - the next snapshot: made aside from the newest one, then published or dropped. */
#include "base/kube_time.h"
#include "base/mem.h"
#include "store/store_priv.h"

#define TRIM_EVERY_NS (100 * NS_PER_MS)

static void retire(void *ctx, struct ptree_node *n)
{
    struct store *s = ctx;
    garbage_add_node(&s->build.retired, n);
}

void build_begin(struct store *s)
{
    struct build *b = &s->build;
    const struct full_snapshot *base = s->newest;
    ASSERT(!b->open);
    b->open = true;
    b->at_ns = env_now_mono(s->env);
    /* Higher than the revision of any snapshot there is, not higher than that of the next. */
    b->edit = (struct ptree_edit){
        .tag = base ? (uint64_t)base->snapshot.revision + 1 : 1, .retire = retire, .ctx = s};
    b->objects = base ? base->objects : NULL;
    b->changes = base ? base->changes : NULL;
    b->object_bytes = s->object_bytes;
    b->history_changes = s->history_changes;
    b->history_size = s->history_size;
}

void build_set_time(struct store *s, int64_t at_ns)
{
    s->build.at_ns = at_ns;
}

const struct object *build_find(const struct store *s, struct object_key key)
{
    return ptree_find(s->build.objects, object_probe_cmp, &key);
}

const struct history_entry *build_added(const struct store *s)
{
    return s->build.added;
}

const struct history_entry *build_trimmed(const struct store *s)
{
    return s->build.trimmed;
}

/* --- guards --- */

static bool guard_holds(const struct store *s, const struct store_guard *g)
{
    const struct object *o = build_find(s, g->key);
    switch (g->kind) {
    case STORE_GUARD_AT: return o && o->revision == g->revision;
    case STORE_GUARD_ABSENT: return !o;
    case STORE_GUARD_THERE: return o;
    }
    return false;
}

static bool refuse(struct store_txn *t, unsigned guard, const struct object_key *key)
{
    t->failed_guard = (uint16_t)guard;
    err_set(&t->err, ERR_CONFLICT, "'%" STR_FMT "' in namespace '%" STR_FMT "' is not what it was taken for",
            STR_ARG(key->name), STR_ARG(key->ns));
    return false;
}

bool build_allows(struct store *s, struct store_txn *t)
{
    for (unsigned i = 0; i < t->guard_count; i++)
        if (!guard_holds(s, &t->guards[i]))
            return refuse(t, i, &t->guards[i].key);
    for (unsigned i = 0; i < t->change_count; i++)
        if (!t->changes[i].put && !build_find(s, t->changes[i].key))
            return refuse(t, t->guard_count, &t->changes[i].key);
    return true;
}

/* --- changes --- */

bool build_is_change(struct store *s, uint32_t resource, int64_t revision)
{
    return revision > resource_at(s, resource)->trimmed_next;
}

static size_t history_entry_size(const struct history_entry *e)
{
    return sizeof *e + (e->change.old ? e->change.old->content_n : 0);
}

/* `old` is the tree's no longer, but the change's; or, of what is too long ago to be a change, nobody's. */
static void add_change(struct store *s, struct change c)
{
    struct build *b = &s->build;
    if (!build_is_change(s, c.resource, c.revision)) {
        ASSERT(!s->newest);
        object_unref(c.old);
        return;
    }
    struct history_entry *e = NEW(struct history_entry);
    *e = (struct history_entry){.change = c, .at_ns = b->at_ns};
    if (c.now)
        object_ref(c.now);
    const void *twice = ptree_put(&b->edit, &b->changes, change_key_cmp, &c, e);
    ASSERT(!twice); /* a transaction has one change of a resource at most */
    if (b->added)
        b->added_last->next = e;
    else
        b->added = e;
    b->added_last = e;
    b->history_changes++;
    b->history_size += history_entry_size(e);
}

void build_put(struct store *s, int64_t revision, unsigned slot, struct object *o)
{
    struct build *b = &s->build;
    struct object_key key = object_key(o);
    o->revision = revision;
    o->slot = (uint8_t)slot;
    const struct object *old = ptree_put(&b->edit, &b->objects, object_probe_cmp, &key, o);
    b->object_bytes += object_size(o) - (old ? object_size(old) : 0);
    resource_at(s, o->resource)->used = true;
    add_change(
        s, (struct change){
               .revision = revision, .resource = o->resource, .slot = (uint8_t)slot, .old = old, .now = o});
}

void build_delete(struct store *s, int64_t revision, unsigned slot, struct object_key key)
{
    struct build *b = &s->build;
    const struct object *old = ptree_remove(&b->edit, &b->objects, object_probe_cmp, &key);
    ASSERT(old);
    b->object_bytes -= object_size(old);
    resource_at(s, key.resource)->used = true;
    add_change(s, (struct change){
                      .revision = revision, .resource = key.resource, .slot = (uint8_t)slot, .old = old});
}

void build_txn(struct store *s, struct store_txn *t, int64_t revision)
{
    for (unsigned i = 0; i < t->change_count; i++) {
        const struct store_change *c = &t->changes[i];
        if (c->put)
            build_put(s, revision, i, c->put);
        else
            build_delete(s, revision, i, c->key);
    }
}

/* --- history gets shorter, from its oldest end --- */

static void trim_one(struct store *s, struct resource *res)
{
    struct build *b = &s->build;
    struct history_entry *e = res->first;
    if (res->trimmed_next == atomic_load_explicit(&res->trimmed, memory_order_relaxed))
        vec_push(&b->touched, res);
    res->first = e->next;
    res->last = e->next ? res->last : NULL;
    res->trimmed_next = e->change.revision;
    res->history_size -= history_entry_size(e);
    b->history_size -= history_entry_size(e);
    b->history_changes--;
    ptree_remove(&b->edit, &b->changes, change_key_cmp, &e->change);
    e->next = b->trimmed;
    b->trimmed = e;
}

static size_t trim_old(struct store *s, size_t max, bool all)
{
    for (uint32_t i = 1; i < s->resources.end && max; i++) {
        struct resource *res = resource_at(s, i);
        bool is_short = atomic_load_explicit(&res->flags, memory_order_relaxed) & STORE_SHORT_HISTORY;
        int64_t keep = is_short && SHORT_HISTORY_NS < s->opts.history_ns ? SHORT_HISTORY_NS
                                                                         : s->opts.history_ns;
        for (; max && res->first && (all || res->first->at_ns <= s->build.at_ns - keep); max--)
            trim_one(s, res);
    }
    return max;
}

/* Who takes most gives first: a busy resource does not cost the others their history. */
static size_t trim_large(struct store *s, size_t max)
{
    struct resource *most = resource_at(s, 1);
    for (uint32_t i = 1; i < s->resources.end; i++) {
        struct resource *res = resource_at(s, i);
        if (res->history_size > most->history_size)
            most = res;
    }
    size_t goal = most->history_size - most->history_size / 8;
    for (; max && most->first && most->history_size >= goal; max--)
        trim_one(s, most);
    return max;
}

void build_trim(struct store *s, size_t max, bool all)
{
    struct build *b = &s->build;
    if (all || b->at_ns >= s->trim_ns) {
        max = trim_old(s, max, all);
        if (max) /* else it goes on next time */
            s->trim_ns = b->at_ns + TRIM_EVERY_NS;
    }
    for (size_t before = max + 1; max < before && b->history_size > s->opts.history_size;) {
        before = max;
        max = trim_large(s, max);
    }
}

/* --- the end --- */

static void history_append(struct store *s, struct history_entry *e)
{
    struct resource *res = resource_at(s, e->change.resource);
    e->next = NULL;
    if (res->last)
        res->last->next = e;
    else
        res->first = e;
    res->last = e;
    res->history_size += history_entry_size(e);
}

static void build_close(struct store *s)
{
    struct build *b = &s->build;
    b->open = false;
    b->retired = (struct garbage){0};
    b->added = b->added_last = b->trimmed = NULL;
    b->touched.count = 0;
    b->unsaved = 0;
}

static void count_contents(struct store *s)
{
    struct build *b = &s->build;
    s->object_bytes = b->object_bytes;
    s->history_changes = b->history_changes;
    s->history_size = b->history_size;
    pthread_mutex_lock(&s->lock);
    s->stats.objects = ptree_count(b->objects);
    s->stats.object_bytes = b->object_bytes;
    s->stats.history_changes = b->history_changes;
    s->stats.history_bytes = b->history_size;
    pthread_mutex_unlock(&s->lock);
}

void build_publish(struct store *s, int64_t revision, int64_t wall_s)
{
    struct build *b = &s->build;
    ASSERT(b->open);
    ASSERT(!s->newest || revision > s->newest->snapshot.revision);
    for (struct history_entry *e = b->added, *next; e; e = next) {
        next = e->next;
        history_append(s, e);
    }
    for (struct history_entry *e = b->trimmed, *next; e; e = next) {
        next = e->next;
        garbage_add_entry(&b->retired, e);
    }
    for (size_t i = 0; i < b->touched.count; i++) /* seen by whoever sees the snapshot, by its lock */
        atomic_store_explicit(&b->touched.items[i]->trimmed, b->touched.items[i]->trimmed_next,
                              memory_order_relaxed);
    if (b->unsaved)
        resources_saved(s, b->unsaved);
    store_mark(s, wall_s, revision);
    count_contents(s);
    snapshot_publish(s, revision, b->objects, b->changes, b->retired);
    build_close(s);
    store_published(s);
}

void build_drop(struct store *s)
{
    struct build *b = &s->build;
    ASSERT(b->open);
    ptree_undo(b->objects, b->edit.tag);
    ptree_undo(b->changes, b->edit.tag);
    for (struct history_entry *e = b->added, *next; e; e = next) {
        next = e->next;
        object_unref(e->change.now); /* `old` is the tree's again */
        mem_free(e);
    }
    for (struct history_entry *e = b->trimmed, *next; e; e = next) {
        struct resource *res = resource_at(s, e->change.resource);
        next = e->next;
        e->next = res->first;
        res->first = e;
        res->last = res->last ? res->last : e;
        res->history_size += history_entry_size(e);
    }
    for (size_t i = 0; i < b->touched.count; i++)
        b->touched.items[i]->trimmed_next = atomic_load_explicit(&b->touched.items[i]->trimmed,
                                                                 memory_order_relaxed);
    build_close(s);
}
