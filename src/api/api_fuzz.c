/* api_fuzz.c - documents from outside along the schema. The first byte picks the kind. */
#include "api/schema_load.h"
#include "api/tree.h"
#include "api/view.h"
#include "harness/test.h"

enum { MEMORY_MAX = 64 << 20, OUTPUT_MAX = 1 << 24 };

static const struct schema_type *pick_type(uint8_t byte)
{
    const struct schema_kind_info *k = &schema_builtin.kinds[byte % schema_builtin.kind_count];
    return &schema_builtin.types[k->type];
}

static str printed(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    json_print(&b, j, 0);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

static void check_is_normal(struct arena *a, const struct schema_type *t, const struct json *tree)
{
    struct json again, read_back;
    CHECK_OK(tree_normalise(a, &schema_builtin, t, tree, NULL, &again, &e));
    str text = printed(a, &again);
    CHECK_STR(text, printed(a, tree));
    CHECK_OK(json_parse(a, text, NULL, &read_back, &e));
    CHECK_OK(tree_normalise(a, &schema_builtin, t, &read_back, NULL, &again, &e));
    CHECK_STR(printed(a, &again), text);
}

/* What view and protobuf hold: no kind, no apiVersion. */
static struct json without_type(struct arena *a, const struct json *tree)
{
    struct json bare = json_clone(a, tree);
    json_remove(&bare, S("kind"));
    json_remove(&bare, S("apiVersion"));
    return bare;
}

static void check_view(struct arena *a, const struct schema_type *t, const struct json *bare)
{
    str content = printed(a, bare);
    void *view = arena_alloc_zero(a, 1, t->view_size, _Alignof(str));
    CHECK_OK(view_decode(a, &schema_builtin, t, content, view, &e));
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    view_encode(&b, &schema_builtin, t, view);
    CHECK_STR(buf_str(&b), content);
}

static void check_message(struct arena *a, const struct schema_type *t, const struct json *bare)
{
    struct buf once, twice;
    buf_init_arena(&once, a, OUTPUT_MAX);
    buf_init_arena(&twice, a, OUTPUT_MAX);
    struct json decoded;
    CHECK_OK(message_encode(a, &schema_builtin, t, bare, &once, &e));
    CHECK_OK(message_decode(a, &schema_builtin, t, buf_str(&once), &decoded, &e));
    CHECK_OK(message_encode(a, &schema_builtin, t, &decoded, &twice, &e));
    CHECK_STR(buf_str(&twice), buf_str(&once));
}

FUZZ(document)
{
    if (size < 2)
        return;
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, MEMORY_MAX);
    const struct schema_type *t = pick_type(data[0]);
    struct err err = ERR_INIT;
    struct json in, tree;
    if (json_parse(&a, str_of((const char *)data + 1, size - 1), NULL, &in, &err) ||
        tree_normalise(&a, &schema_builtin, t, &in, NULL, &tree, &err))
        return;
    check_is_normal(&a, t, &tree);
    struct json bare = without_type(&a, &tree);
    check_view(&a, t, &bare);
    check_message(&a, t, &bare);
    tree_defaults(&a, &schema_builtin, t, &tree);
    struct field_errors errors;
    field_errors_init(&errors, &a);
    tree_validate(&schema_builtin, t, &tree, &errors);
    check_is_normal(&a, t, &tree);
}

FUZZ(message)
{
    if (size < 2)
        return;
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, MEMORY_MAX);
    const struct schema_type *t = pick_type(data[0]);
    struct err err = ERR_INIT;
    struct json tree;
    if (message_decode(&a, &schema_builtin, t, str_of((const char *)data + 1, size - 1), &tree, &err))
        return;
    check_is_normal(&a, t, &tree);
    check_message(&a, t, &tree);
}

FUZZ(schema_load)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, MEMORY_MAX);
    struct err err = ERR_INIT;
    struct json openapi, tree;
    struct schema_load_opts opts = {
        .group = S("example.com"), .version = S("v1"), .kind = S("Fuzz"), .size_max = 1 << 20};
    struct schema *s;
    if (json_parse(&a, str_of((const char *)data, size), NULL, &openapi, &err) ||
        schema_load(&openapi, &opts, &s, &err))
        return;
    /* Any document can be pruned and defaulted by it: this one's own text, unless its metadata is none. */
    const struct schema_type *t = &s->types[s->kinds[0].type];
    if (tree_normalise(&a, s, t, &openapi, NULL, &tree, &err) == ERR_NONE)
        tree_defaults(&a, s, t, &tree);
    schema_unload(s);
}
