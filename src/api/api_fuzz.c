/* api_fuzz.c - documents from outside along the schema. The first byte picks the kind; of a body, the second one the
 * format. */
#include "api/schema_load.h"
#include "api/tree.h"
#include "api/view.h"
#include "harness/test.h"
#include "wire/yaml.h"

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

/* Of objects inside it too: the items of a list, the claims of a StatefulSet. */
static void drop_types(struct schema_at at, struct json *j)
{
    for (uint32_t i = 0; at.node->kind == SCHEMA_LIST && i < json_count(j); i++)
        drop_types(schema_items(at), &j->v.items[i]);
    for (uint32_t i = 0; at.node->kind == SCHEMA_MAP && i < json_count(j); i++)
        drop_types(schema_items(at), &j->v.members[i].value);
    if (at.node->kind != SCHEMA_STRUCT || j->type != JSON_OBJECT)
        return;
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    if (t->flags & SCHEMA_TYPE_KIND) {
        json_remove(j, S("kind"));
        json_remove(j, S("apiVersion"));
    }
    for (uint32_t i = 0; i < j->n; i++) {
        struct json_member *m = &j->v.members[i];
        drop_types(schema_field_at(s, schema_field_find(s, t, json_member_name(m))), &m->value);
    }
}

/* What view and protobuf hold: no kind, no apiVersion. */
static struct json without_types(struct arena *a, const struct schema_type *t, const struct json *tree)
{
    struct json bare = json_clone(a, tree);
    struct schema_node storage;
    drop_types(schema_at_type(&schema_builtin, t, &storage), &bare);
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
    struct json bare = without_types(&a, t, &tree);
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

static void read_again(struct arena *a, const struct schema_type *t, enum tree_format format, str body,
                       struct json *ret)
{
    struct tree_complaints c;
    CHECK_OK(tree_read(a, &schema_builtin, t, format, body, &c, ret, &e));
    CHECK_EQ(c.count, 0);
}

static str as_yaml(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    yaml_print(&b, j);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

static void check_complaints(struct arena *a, const struct tree_complaints *c)
{
    CHECK_LE(c->count, TREE_COMPLAINTS_MAX);
    CHECK_LE(c->of_yaml, c->count);
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    tree_complaints_print(c, &b);
    for (size_t i = 0; i < c->count; i++) {
        CHECK_CONTAINS(buf_str(&b), c->items[i]);
        for (size_t k = 0; k < i; k++)
            CHECK(!str_eq(c->items[i], c->items[k]));
    }
}

/* What was read gives no cause for complaint any more, and is the same from JSON. YAML tells floats that are whole numbers
 * from integers only once. */
FUZZ(body)
{
    if (size < 2)
        return;
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, MEMORY_MAX);
    const struct schema_type *t = pick_type(data[0]);
    struct err err = ERR_INIT;
    struct tree_complaints c;
    struct json tree, again;
    if (tree_read(&a, &schema_builtin, t, (enum tree_format)(data[1] % 3),
                  str_of((const char *)data + 2, size - 2), &c, &tree, &err))
        return;
    check_complaints(&a, &c);
    check_is_normal(&a, t, &tree);
    read_again(&a, t, TREE_JSON, printed(&a, &tree), &again);
    CHECK_STR(printed(&a, &again), printed(&a, &tree));
    read_again(&a, t, TREE_YAML, as_yaml(&a, &tree), &again);
    str once = as_yaml(&a, &again);
    read_again(&a, t, TREE_YAML, once, &again);
    CHECK_STR(as_yaml(&a, &again), once);
}

static str told(struct arena *a, const struct schema *s, const struct schema_type *t, const struct json *tree)
{
    struct field_errors errors;
    struct buf b;
    field_errors_init(&errors, a);
    tree_validate(s, t, tree, &errors);
    CHECK_LE(errors.count, FIELD_ERRORS_MAX);
    buf_init_arena(&b, a, OUTPUT_MAX);
    field_errors_print(&errors, &b);
    return buf_str(&b);
}

/* A schema, and behind it a document; without one the schema's own text is it. Any document can be pruned, defaulted and
 * validated, and the result is in the form it would be written in again. */
FUZZ(schema_load)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, MEMORY_MAX);
    struct err err = ERR_INIT;
    struct json openapi, in, tree, again;
    struct schema_load_opts opts = {
        .group = S("example.com"), .version = S("v1"), .kind = S("Fuzz"), .size_max = 1 << 20};
    struct schema *s;
    size_t used;
    str text = str_of((const char *)data, size);
    if (json_parse_prefix(&a, text, NULL, &openapi, &used, &err))
        return;
    if (json_parse(&a, str_from(text, used), NULL, &in, &err))
        in = openapi;
    err_code code = schema_load(&openapi, &opts, &s, &err);
    if (code) {
        CHECK(code == ERR_BAD_REQUEST || code == ERR_TOO_LARGE);
        return;
    }
    CHECK_LE(schema_load_size(s), opts.size_max);
    const struct schema_type *t = &s->types[s->kinds[0].type];
    if (tree_normalise(&a, s, t, &in, NULL, &tree, &err) == ERR_NONE) {
        tree_defaults(&a, s, t, &tree);
        CHECK_STR(told(&a, s, t, &tree), told(&a, s, t, &tree));
        if (tree_normalise(&a, s, t, &tree, NULL, &again, &err) == ERR_NONE)
            CHECK_STR(printed(&a, &again), printed(&a, &tree));
    }
    schema_unload(s);
}
