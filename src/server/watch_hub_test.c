/* watch_hub_test.c - every watcher against a replay of all commits: whatever it selects, whenever it came, however slowly it
 * reads, it is given each event that concerns it once, in order. */
#include "base/mem.h"
#include "base/random.h"
#include "harness/test.h"
#include "server/watch_hub.h"
#include "store/store_suite_test.h"
#include <stdio.h>

enum { WATCHERS = 24, WRITES = 400, VALUES = 4, NAMES = 5 };

struct spy {
    struct watcher w;
    struct list_params params;
    struct encoder encoder;
    struct arena arena;
    int64_t from;
    struct buf got; /* what was sent */
    struct random *random;
    int slowness; /* of 10 sends, so many find no room */
    bool full, joined, expired;
};

struct scene {
    struct world *w;
    struct random random;
    const struct catalog *catalog;
    struct watch_hub *hub;
    struct spy spies[WATCHERS];
    bool hub_gone;
};

static bool spy_send(struct watcher *w, struct watch_bytes *bytes)
{
    struct spy *s = CONTAINER_OF(w, struct spy, w);
    CHECK(!s->full); /* who has no room is not sent anything */
    buf_add(&s->got, bytes->text);
    s->full = random_below(s->random, 10) < (uint64_t)s->slowness;
    return !s->full;
}

static void spy_expired(struct watcher *w, const struct err *why)
{
    (void)why;
    CONTAINER_OF(w, struct spy, w)->expired = true;
}

/* --- what it watches --- */

static void choose(struct scene *sc, struct spy *s)
{
    static const char *const labels[] = {"", "", "app=v1", "app!=v2", "app in (v0,v3)", "other", "app"};
    static const char *const fields[] = {"", "", "", "metadata.name=n1", "metadata.name!=n2"};
    struct arena *a = &s->arena;
    uint32_t resource = store_resource(sc->w->store, S("configmaps"), 0);
    const char *label = labels[random_below(&sc->random, ARRAY_COUNT(labels))];
    const char *field = fields[random_below(&sc->random, ARRAY_COUNT(fields))];
    CHECK_OK(label_selector_parse(a, str_from_c(label), &s->params.labels, &e));
    CHECK_OK(field_selector_parse(a, str_from_c(field), &s->params.fields, &e));
    s->params.has_name = field_selector_requires(&s->params.fields, S("metadata.name"), &s->params.name);
    s->encoder = (struct encoder){.kind = catalog_find(sc->catalog, STR_NONE, S("v1"), S("configmaps"))};
    s->encoder.media.form = random_chance(&sc->random, 1, 3) ? FORM_PARTIAL : FORM_OBJECT;
    s->w = (struct watcher){
        .params = &s->params,
        .encoder = &s->encoder,
        .range = {.resource = resource, .all_namespaces = random_chance(&sc->random, 1, 2), .ns = S("a")},
        .send = spy_send,
        .expired = spy_expired};
    s->slowness = (int)random_below(&sc->random, 3) * 4;
    s->random = &sc->random;
}

static void join(struct scene *sc, struct spy *s)
{
    const struct snapshot *sn = store_snapshot(sc->w->store);
    int64_t behind = (int64_t)random_below(&sc->random, 20);
    s->from = s->w.revision = sn->revision > behind ? sn->revision - behind : 1;
    snapshot_unref(sn);
    s->joined = true;
    watch_hub_join(sc->hub, &s->w);
}

/* --- what it should have seen --- */

static str event(struct spy *s, const char *type, const struct object *o, int64_t revision)
{
    return str_format(&s->arena, "%s %" STR_FMT "/%" STR_FMT " %lld\n", type, STR_ARG(object_ns(o)),
                      STR_ARG(object_name(o)), (long long)revision);
}

static bool selects(struct spy *s, const struct object *o)
{
    str value = STR_NONE, name;
    if (!o || (!s->w.range.all_namespaces && !str_is(object_ns(o), "a")))
        return false;
    if (!object_label(o, S("app"), &value))
        return false;
    struct label label = {S("app"), value};
    name = object_name(o);
    for (size_t i = 0; i < s->params.fields.count; i++) {
        const struct field_requirement *q = &s->params.fields.requirements[i];
        if (str_eq(q->value, name) == q->negated)
            return false;
    }
    return label_selector_matches(&s->params.labels, &label, 1);
}

static void replay(struct scene *sc, struct spy *s, struct buf *out)
{
    const struct snapshot *sn = store_snapshot(sc->w->store);
    struct snapshot_iter it;
    const struct change *c;
    CHECK_OK(snapshot_changes(sn, s->w.range.resource, s->from, &it, &e));
    while ((c = snapshot_next_change(&it))) {
        bool before = selects(s, c->old), after = selects(s, c->now);
        if (after)
            buf_add(out, event(s, before ? "MODIFIED" : "ADDED", c->now, c->revision));
        else if (before)
            buf_add(out, event(s, "DELETED", c->old, c->revision));
    }
    snapshot_unref(sn);
}

/* The lines that it was sent, in the same short form. */
static void shorten(struct spy *s, struct buf *out)
{
    str rest = buf_str(&s->got), line;
    while (rest.n) {
        struct json tree;
        str_cut(rest, '\n', &line, &rest);
        CHECK_OK(json_parse(&s->arena, line, NULL, &tree, &e));
        const struct json *m = json_get(&tree, S("object"), S("metadata"));
        str ns = json_str(json_find(m, S("namespace"))), name = json_str(json_find(m, S("name")));
        str revision = json_str(json_find(m, S("resourceVersion"))),
            type = json_str(json_find(&tree, S("type")));
        buf_add_f(out, "%" STR_FMT " %" STR_FMT "/%" STR_FMT " %" STR_FMT "\n", STR_ARG(type), STR_ARG(ns),
                  STR_ARG(name), STR_ARG(revision));
    }
}

/* --- the scene --- */

static void write_one(struct scene *sc)
{
    char path[32], value[8];
    snprintf(path, sizeof path, "%c/n%d", random_chance(&sc->random, 1, 2) ? 'a' : 'b',
             (int)random_below(&sc->random, NAMES));
    snprintf(value, sizeof value, "v%d", (int)random_below(&sc->random, VALUES));
    bool there = !str_is(world_get(sc->w, "configmaps", path), "-");
    if (there && random_chance(&sc->random, 1, 3))
        CHECK_OK(world_delete(sc->w, "configmaps", path, THERE, &e));
    else
        CHECK_OK(world_put(sc->w, "configmaps", path, value, ANY, &e));
}

static void stir(struct scene *sc, struct spy *s)
{
    if (!s->joined && random_chance(&sc->random, 1, 20)) {
        join(sc, s);
    } else if (s->full && random_chance(&sc->random, 1, 3)) {
        s->full = false;
        watch_hub_go_on(sc->hub, &s->w);
    }
}

static bool all_there(void *ctx)
{
    struct scene *sc = ctx;
    const struct snapshot *sn = store_snapshot(sc->w->store);
    bool there = true;
    for (size_t i = 0; i < WATCHERS; i++) {
        struct spy *s = &sc->spies[i];
        if (s->full) {
            s->full = false;
            s->slowness = 0;
            watch_hub_go_on(sc->hub, &s->w);
        }
        there &= watch_hub_revision(sc->hub, &s->w) >= sn->revision;
    }
    snapshot_unref(sn);
    return there;
}

static void compare(struct scene *sc, struct spy *s)
{
    struct buf want, got;
    buf_init_arena(&want, &s->arena, 1 << 20);
    buf_init_arena(&got, &s->arena, 1 << 20);
    CHECK(!s->expired);
    replay(sc, s, &want);
    shorten(s, &got);
    CHECK_STR(buf_str(&got), buf_str(&want));
}

static void on_hub_gone(void *ctx)
{
    ((struct scene *)ctx)->hub_gone = true;
}

static void watch_all(struct world *w)
{
    struct scene *sc = NEW(struct scene);
    sc->w = w;
    random_init(&sc->random, test_seed());
    sc->catalog = catalog_new(NULL, 0, 1);
    sc->hub = watch_hub_new(w->store, w->loop);
    for (size_t i = 0; i < WATCHERS; i++) {
        struct spy *s = &sc->spies[i];
        arena_init(&s->arena, 0);
        buf_init(&s->got, 1 << 20);
        choose(sc, s);
    }
    for (int i = 0; i < WRITES; i++) {
        write_one(sc);
        for (size_t k = 0; k < WATCHERS; k++)
            stir(sc, &sc->spies[k]);
    }
    for (size_t i = 0; i < WATCHERS; i++)
        if (!sc->spies[i].joined)
            join(sc, &sc->spies[i]);
    CHECK(world_wait_until(w, all_there, sc));
    for (size_t i = 0; i < WATCHERS; i++) {
        struct spy *s = &sc->spies[i];
        compare(sc, s);
        watch_hub_leave(sc->hub, &s->w);
        buf_done(&s->got);
        arena_done(&s->arena);
    }
    watch_hub_free(sc->hub, on_hub_gone, sc);
    world_wait(w, &sc->hub_gone);
    catalog_unref(sc->catalog);
    mem_free(sc);
}

TEST(watchers_are_given_what_a_replay_of_all_commits_gives)
{
    world_run(&world_sqlite_real, watch_all);
}

TEST(sim_watchers_are_given_what_a_replay_of_all_commits_gives)
{
    world_run(&world_sqlite_sim, watch_all);
}
