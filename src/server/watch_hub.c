/* watch_hub.c - changes to watches. */
#include "server/watch_hub.h"
#include "base/map.h"
#include "base/mem.h"
#include "server/read.h"

enum {
    BLOCK_SIZE = 64 * 1024, /* of events that go out in one piece */
};

struct watch_group {
    struct watch_resource *resource;
    str key, term; /* `term`: what a change must have; empty: anything. Of one heap block with the key. */
    struct watch_group *next_of_term, *next_dirty;
    struct watcher *members; /* those that are not alone */
    size_t member_count;     /* all */
    struct buf pending;      /* events of this round */
    bool is_dirty;
    int64_t pending_revision;
};

struct watch_resource {
    uint32_t resource;
    int64_t done;
    struct map groups; /* by key */
    struct map terms;  /* term to its first group */
    struct watch_group *dirty;
    /* Paths of fields that terms of this resource are about, each counted. */
    VEC(struct term_field {
        str path;
        size_t count;
    })
    fields;
    /* What the last change looks like in each encoding: groups of one encoding follow each other often. */
    struct encoded {
        const struct encoder *encoder;
        const struct object *object;
        int64_t revision;
        str type;
        struct buf text;
    } cache[4];
    unsigned cache_next;
};

struct watch_hub {
    struct store *store;
    struct loop *loop;
    struct store_subscriber news;
    struct u64map resources;
    size_t members;
    struct arena scratch, encoding;
    void (*gone)(void *ctx);
    void *gone_ctx;
};

static const uint64_t no_key[2];

void watch_bytes_unref(void *obj)
{
    struct watch_bytes *b = obj;
    if (--b->refs == 0)
        mem_free(b);
}

static struct watch_bytes *bytes_new(str text)
{
    struct watch_bytes *b = mem_alloc(sizeof *b + text.n);
    b->refs = 1;
    b->text = (str){memcpy(b + 1, text.p, text.n), text.n};
    return b;
}

/* --- what concerns whom --- */

static bool in_range(const struct object_range *range, const struct object *o)
{
    return range->all_namespaces || str_eq(range->ns, object_ns(o));
}

static bool matches(struct arena *a, const struct watcher *w, const struct object *o)
{
    return o && in_range(&w->range, o) && object_matches(a, o, w->params);
}

/* What the change is for this watcher: the type of its event and the object in it. False: nothing. */
static bool event_of(struct arena *a, const struct watcher *w, const struct change *c, str *ret_type,
                     const struct object **ret_object)
{
    bool before = matches(a, w, c->old), after = matches(a, w, c->now);
    *ret_object = after ? c->now : c->old;
    *ret_type = after ? (before ? S("MODIFIED") : S("ADDED")) : S("DELETED");
    return before || after;
}

/* A group's term: the narrowest thing that its selectors require. "n/NAMESPACE/NAME", "f/PATH=VALUE", "s/NAMESPACE". */
static str term_of(struct arena *a, const struct watcher *w, str *ret_path)
{
    *ret_path = STR_NONE;
    if (w->params->has_name && !w->range.all_namespaces)
        return str_format(a, "n/%" STR_FMT "/%" STR_FMT, STR_ARG(w->range.ns), STR_ARG(w->params->name));
    for (size_t i = 0; i < w->params->fields.count; i++) {
        const struct field_requirement *q = &w->params->fields.requirements[i];
        if (!q->negated && !str_starts(q->field, S("metadata."))) {
            *ret_path = q->field;
            return str_format(a, "f/%" STR_FMT "=%" STR_FMT, STR_ARG(q->field), STR_ARG(q->value));
        }
    }
    if (!w->range.all_namespaces && w->range.ns.n)
        return str_format(a, "s/%" STR_FMT, STR_ARG(w->range.ns));
    return STR_NONE;
}

static str key_of(struct arena *a, const struct watcher *w)
{
    struct buf key;
    const struct media *m = &w->encoder->media;
    buf_init_arena(&key, a, 1 << 20);
    buf_add_f(&key, "%d/%d/%d/%d/", m->type, m->form, m->stream, w->encoder->include);
    buf_add(&key, w->encoder->kind->api_version);
    buf_add_f(&key, "/%p/", (const void *)w->encoder->kind);
    if (!w->range.all_namespaces)
        buf_add(&key, w->range.ns);
    buf_add(&key, w->range.all_namespaces ? S("?") : S("!"));
    label_selector_format(&key, &w->params->labels);
    buf_add_c(&key, 0);
    field_selector_format(&key, &w->params->fields);
    return buf_str(&key);
}

/* --- a round: changes to pending bytes, pending bytes to members --- */

static str encoded(struct watch_hub *h, struct watch_resource *res, const struct watcher *w, str type,
                   const struct object *o, int64_t revision)
{
    for (size_t i = 0; i < ARRAY_COUNT(res->cache); i++) {
        struct encoded *e = &res->cache[i];
        if (e->encoder && e->object == o && e->revision == revision && str_eq(e->type, type) &&
            e->encoder->kind == w->encoder->kind &&
            memcmp(&e->encoder->media, &w->encoder->media, sizeof e->encoder->media) == 0 &&
            e->encoder->include == w->encoder->include)
            return buf_str(&e->text);
    }
    struct encoded *e = &res->cache[res->cache_next++ % ARRAY_COUNT(res->cache)];
    struct err err = ERR_INIT;
    e->encoder = w->encoder;
    e->object = o;
    e->revision = revision;
    e->type = type;
    buf_clear(&e->text);
    if (encode_event(w->encoder, &h->encoding, &e->text, type, o, revision, &err))
        buf_clear(&e->text); /* an object that cannot be shown in this version: as if it were not there */
    arena_reset(&h->encoding);
    return buf_str(&e->text);
}

static void cache_clear(struct watch_resource *res)
{
    for (size_t i = 0; i < ARRAY_COUNT(res->cache); i++)
        res->cache[i].encoder = NULL;
}

static void unlink_member(struct watcher *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        w->group->members = w->next;
    if (w->next)
        w->next->prev = w->prev;
    w->prev = w->next = NULL;
}

static void link_member(struct watcher *w)
{
    w->prev = NULL;
    w->next = w->group->members;
    if (w->next)
        w->next->prev = w;
    w->group->members = w;
}

static void group_flush(struct watch_group *g)
{
    if (!g->pending.n)
        return;
    struct watch_bytes *bytes = bytes_new(buf_str(&g->pending));
    for (struct watcher *w = g->members, *next; w; w = next) {
        next = w->next;
        w->revision = g->pending_revision;
        if (!w->send(w, bytes)) {
            unlink_member(w);
            w->alone = true;
        }
    }
    watch_bytes_unref(bytes);
    buf_done(&g->pending);
}

static void group_take(struct watch_hub *h, struct watch_group *g, const struct change *c)
{
    str type;
    const struct object *o;
    if (!g->members || (g->is_dirty && g->pending_revision == c->revision) ||
        !event_of(&h->scratch, g->members, c, &type, &o))
        return;
    if (!g->is_dirty) {
        g->is_dirty = true;
        g->next_dirty = g->resource->dirty;
        g->resource->dirty = g;
    }
    buf_add(&g->pending, encoded(h, g->resource, g->members, type, o, c->revision));
    g->pending_revision = c->revision;
    if (g->pending.n >= BLOCK_SIZE)
        group_flush(g);
}

static void take_term(struct watch_hub *h, struct watch_resource *res, str term, const struct change *c)
{
    for (struct watch_group *g = map_find(&res->terms, term); g; g = g->next_of_term)
        group_take(h, g, c);
}

static void take_object(struct watch_hub *h, struct watch_resource *res, const struct object *o,
                        const struct change *c)
{
    struct arena *a = &h->scratch;
    str ns = object_ns(o), name = object_name(o);
    take_term(h, res, str_format(a, "n/%" STR_FMT "/%" STR_FMT, STR_ARG(ns), STR_ARG(name)), c);
    if (ns.n)
        take_term(h, res, str_format(a, "s/%" STR_FMT, STR_ARG(ns)), c);
    for (size_t i = 0; i < res->fields.count; i++) {
        str path = res->fields.items[i].path, value = object_field(a, o, path);
        take_term(h, res, str_format(a, "f/%" STR_FMT "=%" STR_FMT, STR_ARG(path), STR_ARG(value)), c);
    }
}

static void resource_round(struct watch_hub *h, struct watch_resource *res, const struct snapshot *sn)
{
    struct snapshot_iter it;
    struct err err = ERR_INIT;
    const struct change *c;
    if (sn->revision <= res->done)
        return;
    if (snapshot_changes(sn, res->resource, res->done, &it, &err)) {
        /* We were away for too long: every watcher has to list again. */
        for (struct map_entry *e = map_next(&res->groups, NULL); e; e = map_next(&res->groups, e)) {
            struct watch_group *g = e->value.p;
            while (g->members) {
                struct watcher *w = g->members;
                unlink_member(w);
                w->alone = true;
                w->expired(w, &err);
            }
        }
    } else {
        while ((c = snapshot_next_change(&it))) {
            take_term(h, res, STR_NONE, c);
            if (c->now)
                take_object(h, res, c->now, c);
            if (c->old)
                take_object(h, res, c->old, c);
            arena_reset(&h->scratch);
        }
    }
    res->done = sn->revision;
    while (res->dirty) {
        struct watch_group *g = res->dirty;
        res->dirty = g->next_dirty;
        g->is_dirty = false;
        group_flush(g);
    }
    cache_clear(res);
}

static void on_news(struct store_subscriber *sub)
{
    struct watch_hub *h = CONTAINER_OF(sub, struct watch_hub, news);
    const struct snapshot *sn = store_snapshot(h->store);
    for (struct u64map_entry *e = u64map_next(&h->resources, NULL); e; e = u64map_next(&h->resources, e))
        resource_round(h, e->value.p, sn);
    snapshot_unref(sn);
}

/* --- alone --- */

/* From its own revision to the group's. True: it is there. */
static bool catch_up(struct watch_hub *h, struct watcher *w)
{
    struct watch_resource *res = w->group->resource;
    const struct snapshot *sn = store_snapshot(h->store);
    struct snapshot_iter it;
    struct err err = ERR_INIT;
    const struct change *c;
    bool room = true;
    struct buf out;
    if (snapshot_changes(sn, res->resource, w->revision, &it, &err)) {
        snapshot_unref(sn);
        w->expired(w, &err);
        return false;
    }
    buf_init(&out, SIZE_MAX / 2);
    while (room && (c = snapshot_next_change(&it)) && c->revision <= res->done) {
        str type;
        const struct object *o;
        if (event_of(&h->scratch, w, c, &type, &o))
            buf_add(&out, encoded(h, res, w, type, o, c->revision));
        arena_reset(&h->scratch);
        w->revision = c->revision;
        if (out.n >= BLOCK_SIZE) {
            struct watch_bytes *bytes = bytes_new(buf_str(&out));
            room = w->send(w, bytes);
            watch_bytes_unref(bytes);
            buf_clear(&out);
        }
    }
    if (out.n) {
        struct watch_bytes *bytes = bytes_new(buf_str(&out));
        room = w->send(w, bytes);
        watch_bytes_unref(bytes);
    }
    buf_done(&out);
    snapshot_unref(sn);
    cache_clear(res);
    if (room)
        w->revision = res->done;
    return room;
}

void watch_hub_go_on(struct watch_hub *h, struct watcher *w)
{
    if (w->group && w->alone && catch_up(h, w)) {
        w->alone = false;
        link_member(w);
    }
}

/* --- members --- */

static struct watch_resource *resource_of(struct watch_hub *h, uint32_t resource, int64_t revision)
{
    bool added;
    struct u64map_entry *e = u64map_put(&h->resources, resource, &added);
    if (added) {
        struct watch_resource *res = NEW(struct watch_resource);
        res->resource = resource;
        res->done = revision;
        map_init(&res->groups, no_key, MAP_BORROW_KEYS);
        map_init(&res->terms, no_key, MAP_COPY_KEYS);
        for (size_t i = 0; i < ARRAY_COUNT(res->cache); i++)
            buf_init(&res->cache[i].text, SIZE_MAX / 2);
        e->value.p = res;
    }
    return e->value.p;
}

static void count_field(struct watch_resource *res, str path, int by)
{
    if (!path.n)
        return;
    for (size_t i = 0; i < res->fields.count; i++) {
        struct term_field *f = &res->fields.items[i];
        if (!str_eq(f->path, path))
            continue;
        f->count += (size_t)by;
        if (!f->count) {
            mem_free((void *)(uintptr_t)f->path.p);
            vec_remove_swap(&res->fields, i);
        }
        return;
    }
    struct term_field f = {.path = {mem_dup(path.p, path.n), path.n}, .count = 1};
    vec_push(&res->fields, f);
}

static struct watch_group *group_of(struct watch_hub *h, struct watch_resource *res, const struct watcher *w)
{
    str path, key = key_of(&h->scratch, w), term = term_of(&h->scratch, w, &path);
    struct watch_group *g = map_find(&res->groups, key);
    if (g)
        return g;
    g = mem_alloc_zero(1, sizeof *g + key.n + term.n);
    char *text = (char *)(g + 1);
    g->resource = res;
    g->key = (str){memcpy(text, key.p, key.n), key.n};
    g->term = (str){term.n ? memcpy(text + key.n, term.p, term.n) : text, term.n};
    buf_init(&g->pending, SIZE_MAX / 2);
    map_set(&res->groups, g->key, g);
    struct map_entry *e = map_put(&res->terms, g->term, NULL);
    g->next_of_term = e->value.p;
    e->value.p = g;
    count_field(res, path, 1);
    return g;
}

static void group_free(struct watch_hub *h, struct watch_group *g, const struct watcher *last)
{
    struct watch_resource *res = g->resource;
    str path;
    term_of(&h->scratch, last, &path);
    count_field(res, path, -1);
    struct map_entry *e = map_find_entry(&res->terms, g->term);
    struct watch_group **at = (struct watch_group **)(void *)&e->value.p;
    while (*at != g)
        at = &(*at)->next_of_term;
    *at = g->next_of_term;
    if (!e->value.p)
        map_remove_entry(&res->terms, e);
    map_remove(&res->groups, g->key, NULL);
    buf_done(&g->pending);
    mem_free(g);
}

void watch_hub_join(struct watch_hub *h, struct watcher *w)
{
    struct watch_resource *res = resource_of(h, w->range.resource, w->revision);
    const struct snapshot *sn = store_snapshot(h->store);
    resource_round(h, res, sn); /* so that nobody is ahead of the groups */
    snapshot_unref(sn);
    w->group = group_of(h, res, w);
    w->group->member_count++;
    w->alone = true;
    h->members++;
    arena_reset(&h->scratch);
    watch_hub_go_on(h, w);
}

void watch_hub_leave(struct watch_hub *h, struct watcher *w)
{
    if (!w->group)
        return;
    if (!w->alone)
        unlink_member(w);
    if (--w->group->member_count == 0)
        group_free(h, w->group, w);
    w->group = NULL;
    h->members--;
    arena_reset(&h->scratch);
}

int64_t watch_hub_revision(struct watch_hub *h, const struct watcher *w)
{
    (void)h;
    return w->group && !w->alone ? w->group->resource->done : w->revision;
}

/* --- the hub --- */

struct watch_hub *watch_hub_new(struct store *s, struct loop *l)
{
    struct watch_hub *h = NEW(struct watch_hub);
    h->store = s;
    h->loop = l;
    h->news = (struct store_subscriber){.on_news = on_news, .loop = l};
    u64map_init(&h->resources, no_key);
    arena_init(&h->scratch, 0);
    arena_init(&h->encoding, 0);
    store_subscribe(s, &h->news);
    return h;
}

static void resource_free(struct watch_resource *res)
{
    ASSERT(map_count(&res->groups) == 0);
    map_done(&res->groups);
    map_done(&res->terms);
    vec_done(&res->fields);
    for (size_t i = 0; i < ARRAY_COUNT(res->cache); i++)
        buf_done(&res->cache[i].text);
    mem_free(res);
}

static void on_forgotten(struct store_subscriber *sub)
{
    struct watch_hub *h = CONTAINER_OF(sub, struct watch_hub, news);
    void (*gone)(void *ctx) = h->gone;
    void *ctx = h->gone_ctx;
    for (struct u64map_entry *e = u64map_next(&h->resources, NULL); e; e = u64map_next(&h->resources, e))
        resource_free(e->value.p);
    u64map_done(&h->resources);
    arena_done(&h->scratch);
    arena_done(&h->encoding);
    mem_free(h);
    gone(ctx);
}

void watch_hub_free(struct watch_hub *h, void (*gone)(void *ctx), void *ctx)
{
    ASSERT(h->members == 0);
    h->gone = gone;
    h->gone_ctx = ctx;
    store_unsubscribe(&h->news, on_forgotten);
}
