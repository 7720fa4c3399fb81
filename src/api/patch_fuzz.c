/* patch_fuzz.c - patches from outside. The first byte picks the kind; then an array of a document and a patch: an array of
 * operations is a JSON patch, an object a merge patch and a strategic one. */
#include "api/patch.h"
#include "harness/test.h"

enum { MEMORY_MAX = 256 << 20, OUTPUT_MAX = 1 << 26 };

static str printed(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    json_print(&b, j, 0);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

static void check_prints_as_json(struct arena *a, const struct json *j)
{
    struct json again;
    str text = printed(a, j);
    CHECK_OK(json_parse(a, text, NULL, &again, &e));
    CHECK_STR(printed(a, &again), text);
}

/* All at once is one after the other. */
static void check_operations(struct arena *a, const struct json *doc, const struct json *patch)
{
    struct err err = ERR_INIT;
    struct json whole, step = *doc;
    bool is_refused = patch_json(a, doc, patch, NULL, &whole, &err) != ERR_NONE;
    for (size_t i = 0; i < json_count(patch); i++) {
        struct json one = json_array(), next;
        json_append(a, &one, *json_at(patch, i));
        if (patch_json(a, &step, &one, NULL, &next, &err)) {
            CHECK(is_refused);
            return;
        }
        step = next;
    }
    if (is_refused)
        return; /* of no form, or too large as a whole */
    CHECK_STR(printed(a, &whole), printed(a, &step));
    check_prints_as_json(a, &whole);
}

/* The first time, a list in an object's place keeps the nulls in it (as the original's does); then nothing changes. */
static void check_merge(struct arena *a, const struct json *doc, const struct json *patch)
{
    struct err err = ERR_INIT;
    struct json once, twice, again;
    if (patch_merge(a, doc, patch, &once, &err))
        return;
    check_prints_as_json(a, &once);
    CHECK_OK(patch_merge(a, &once, patch, &twice, &e));
    CHECK_OK(patch_merge(a, &twice, patch, &again, &e));
    CHECK_STR(printed(a, &again), printed(a, &twice));
}

static void check_strategic(struct arena *a, const struct schema_type *t, const struct json *doc,
                            const struct json *patch)
{
    struct err err = ERR_INIT;
    struct json ret, empty = json_object();
    if (patch_strategic(a, &schema_builtin, t, doc, &empty, &ret, &err) == ERR_NONE)
        CHECK_STR(printed(a, &ret), printed(a, doc));
    if (patch_strategic(a, &schema_builtin, t, doc, patch, &ret, &err) == ERR_NONE)
        check_prints_as_json(a, &ret);
}

FUZZ(patch)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, MEMORY_MAX);
    struct err err = ERR_INIT;
    struct json in;
    if (size < 2 || json_parse(&a, str_of((const char *)data + 1, size - 1), NULL, &in, &err) ||
        in.type != JSON_ARRAY || json_count(&in) != 2)
        return;
    const struct json *doc = json_at(&in, 0), *patch = json_at(&in, 1);
    str before = printed(&a, &in);
    const struct schema_kind_info *k = &schema_builtin.kinds[data[0] % schema_builtin.kind_count];
    if (patch->type == JSON_ARRAY) {
        check_operations(&a, doc, patch);
    } else {
        check_merge(&a, doc, patch);
        check_strategic(&a, &schema_builtin.types[k->type], doc, patch);
    }
    CHECK_STR(printed(&a, &in), before);
}
