/* apply_fuzz.c - writes from outside. The first byte picks the kind; then an array of writes ["apply NAME", {...}]: verbs
 * put, merge, apply and force. After each the entries can be read, the object is normal, and writing again changes nothing. */
#include "api/apply.h"
#include "api/patch.h"
#include "api/tree.h"
#include "harness/test.h"

enum { MEMORY_MAX = 256 << 20, OUTPUT_MAX = 1 << 26, WRITES_MAX = 20 };

struct run {
    struct arena a;
    const struct schema_type *type;
    struct apply_who who;
    struct json live;
    bool exists;
};

static void run_done(struct run *r)
{
    arena_done(&r->a);
}

/* Documents need not say what they are. */
static void pick_kind(struct run *r, uint8_t byte)
{
    const struct schema_kind_info *k = &schema_builtin.kinds[byte % schema_builtin.kind_count];
    r->type = &schema_builtin.types[k->type];
    r->who.api_version = schema_api_version(&r->a, &schema_builtin, k);
    r->who.kind = schema_text(&schema_builtin, k->name);
}

static str printed(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    json_print(&b, j, 0);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

static bool finish(struct run *r, const struct json *in, struct json *ret)
{
    struct err err = ERR_INIT;
    if (tree_normalise(&r->a, &schema_builtin, r->type, in, NULL, ret, &err))
        return false;
    tree_defaults(&r->a, &schema_builtin, r->type, ret);
    return true;
}

static void tick(struct run *r)
{
    r->who.now.sec++;
}

static bool put(struct run *r, const struct json *raw)
{
    struct json tree;
    if (!finish(r, raw, &tree))
        return false;
    CHECK_OK(apply_track(&r->a, &schema_builtin, r->type, r->exists ? &r->live : NULL, &tree,
                         apply_is_reset(raw), &r->who, &e));
    if (!r->exists || !apply_settle(&r->a, &r->live, &tree))
        r->live = tree;
    r->exists = true;
    return true;
}

static bool apply(struct run *r, const struct json *config, bool force)
{
    struct apply_result ret;
    struct err err = ERR_INIT;
    if (apply_config(&r->a, &schema_builtin, r->type, r->exists ? &r->live : NULL, config, &r->who, force,
                     &ret, &err)) {
        CHECK(!force || err.code != ERR_CONFLICT);
        return false;
    }
    struct json tree = ret.tree;
    if (!ret.unchanged && !finish(r, &ret.tree, &tree))
        return false;
    if (!r->exists || !apply_settle(&r->a, &r->live, &tree))
        r->live = tree;
    r->exists = true;
    return true;
}

/* False: refused, nothing happened. */
static bool write_once(struct run *r, str verb, const struct json *doc)
{
    tick(r);
    if (str_eq(verb, S("apply")) || str_eq(verb, S("force")))
        return apply(r, doc, str_eq(verb, S("force")));
    if (str_eq(verb, S("put")))
        return put(r, doc);
    struct err err = ERR_INIT;
    struct json patched;
    return r->exists && patch_merge(&r->a, &r->live, doc, &patched, &err) == ERR_NONE && put(r, &patched);
}

static void write_step(struct run *r, const struct json *step)
{
    str what = json_str(json_at(step, 0)), verb;
    if (json_count(step) != 2 || !str_next(&what, ' ', &verb))
        return;
    struct json doc = json_clone(&r->a, json_at(step, 1));
    if (doc.type != JSON_OBJECT)
        return;
    json_set(&r->a, &doc, S("apiVersion"), json_of_str(r->who.api_version));
    json_set(&r->a, &doc, S("kind"), json_of_str(r->who.kind));
    r->who.manager = what;
    if (!write_once(r, verb, &doc))
        return;
    const struct json *entries = json_get(&r->live, S("metadata"), S("managedFields"));
    CHECK_OK(apply_check_managed(entries, &e));
    str before = printed(&r->a, &r->live);
    struct json again;
    CHECK(finish(r, &r->live, &again));
    CHECK_STR(printed(&r->a, &again), before);
    /* Whoever applies nothing first, meets an object from before the first apply then; entries that are sent are taken. */
    if (json_count(entries) == 0 || json_get(&doc, S("metadata"), S("managedFields")))
        return;
    CHECK(write_once(r, verb, &doc));
    CHECK_STR(printed(&r->a, &r->live), before);
}

FUZZ(apply)
{
    if (size < 2)
        return;
    CLEANUP(run_done) struct run r = {.exists = false};
    arena_init(&r.a, MEMORY_MAX);
    pick_kind(&r, data[0]);
    struct err err = ERR_INIT;
    struct json in;
    if (json_parse(&r.a, str_of((const char *)data + 1, size - 1), NULL, &in, &err) || in.type != JSON_ARRAY)
        return;
    for (size_t i = 0; i < json_count(&in) && i < WRITES_MAX; i++)
        write_step(&r, json_at(&in, i));
}
