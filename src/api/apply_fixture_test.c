/* apply_fixture_test.c - what apply_testing.h promises. */
#include "api/apply_testing.h"
#include "api/patch.h"

void apply_fixture_open(struct apply_fixture *f, const char *api_version, const char *kind)
{
    *f = (struct apply_fixture){.schema = &schema_builtin};
    arena_init(&f->a, 0);
    const struct schema_kind_info *k = schema_kind_find(&schema_builtin, str_from_c(api_version),
                                                        str_from_c(kind));
    CHECK(k != NULL);
    f->type = &schema_builtin.types[k->type];
    f->who = (struct apply_who){.api_version = str_from_c(api_version), .kind = str_from_c(kind)};
}

void apply_fixture_close(struct apply_fixture *f)
{
    arena_done(&f->a);
}

struct json apply_fixture_json(struct apply_fixture *f, const char *text)
{
    struct json j;
    CHECK_OK(json_parse(&f->a, str_from_c(text), NULL, &j, &e));
    return j;
}

static struct json finished(struct apply_fixture *f, const struct json *in)
{
    if (!f->type)
        return *in;
    struct json tree;
    CHECK_OK(tree_normalise(&f->a, f->schema, f->type, in, NULL, &tree, &e));
    tree_defaults(&f->a, f->schema, f->type, &tree);
    return tree;
}

static struct apply_who next(struct apply_fixture *f, const char *manager)
{
    struct apply_who who = f->who;
    who.manager = str_from_c(manager);
    CHECK(kube_time_from_unix(1700000000 + f->clock++, 0, &who.now));
    return who;
}

static void put(struct apply_fixture *f, const char *manager, const struct json *raw)
{
    struct apply_who who = next(f, manager);
    struct json tree = finished(f, raw);
    CHECK_OK(apply_track(&f->a, f->schema, f->type, f->exists ? &f->live : NULL, &tree, apply_is_reset(raw),
                         &who, &e));
    f->live = tree;
    f->exists = true;
}

void apply_fixture_put(struct apply_fixture *f, const char *manager, const char *text)
{
    struct json raw = apply_fixture_json(f, text);
    put(f, manager, &raw);
}

void apply_fixture_patch(struct apply_fixture *f, const char *manager, const char *text)
{
    struct json patch = apply_fixture_json(f, text), patched;
    CHECK_OK(patch_merge(&f->a, &f->live, &patch, &patched, &e));
    put(f, manager, &patched);
}

err_code apply_fixture_apply(struct apply_fixture *f, const char *manager, bool force, const char *text,
                             struct err *err)
{
    struct json config = apply_fixture_json(f, text);
    struct apply_who who = next(f, manager);
    f->result = (struct apply_result){.unchanged = false};
    if (apply_config(&f->a, f->schema, f->type, f->exists ? &f->live : NULL, &config, &who, force, &f->result,
                     err))
        return err->code;
    struct json tree = f->result.unchanged ? f->result.tree : finished(f, &f->result.tree);
    if (!f->exists || !apply_settle(&f->a, &f->live, &tree))
        f->live = tree;
    f->exists = true;
    return ERR_NONE;
}

static str printed(struct apply_fixture *f, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, &f->a, 1 << 24);
    if (j)
        json_print(&b, j, 0);
    return buf_str(&b);
}

static const struct json *entries(const struct apply_fixture *f)
{
    return json_get(&f->live, S("metadata"), S("managedFields"));
}

str apply_fixture_fields(struct apply_fixture *f, const char *manager)
{
    for (size_t i = 0; i < json_count(entries(f)); i++) {
        const struct json *entry = json_at(entries(f), i);
        if (str_eq(json_str(json_find(entry, S("manager"))), str_from_c(manager)))
            return printed(f, json_find(entry, S("fieldsV1")));
    }
    return S("");
}

str apply_fixture_entries(struct apply_fixture *f)
{
    struct buf b;
    buf_init_arena(&b, &f->a, 1 << 20);
    for (size_t i = 0; i < json_count(entries(f)); i++) {
        const str names[] = {S("manager"), S("operation"), S("apiVersion"), S("subresource"), S("time")};
        const struct json *entry = json_at(entries(f), i);
        if (i)
            buf_add_lit(&b, "; ");
        for (size_t k = 0, n = 0; k < ARRAY_COUNT(names); k++) {
            str value = json_str(json_find(entry, names[k]));
            if (!value.n)
                continue;
            if (n++)
                buf_add_c(&b, ' ');
            buf_add(&b, k == 4 ? str_slice(value, 14, 19) : value);
        }
    }
    return buf_str(&b);
}

str apply_fixture_value(struct apply_fixture *f, const char *path)
{
    const struct json *at = &f->live;
    str rest = str_from_c(path), name;
    while (at && str_next(&rest, '.', &name))
        at = json_find(at, name);
    return printed(f, at);
}
