/* table_fuzz.c - rows of anything. A document of a kind known here is printed as a row of that kind, as it is and as it is
 * stored; `{"columns":[...],"object":{...}}` as a custom resource with columns of its own. */
#include "api/table_priv.h"
#include "api/tree.h"
#include "harness/test.h"

enum { MEMORY_MAX = 64 << 20, OUTPUT_MAX = 64 << 20 };
#define NOW INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */

/* Whatever the content is: a cell for each column, none of them anything but a scalar, null in custom columns only. */
static void check_row(struct arena *a, const struct kind_table *t, str content)
{
    struct buf out;
    struct json row;
    buf_init_arena(&out, a, OUTPUT_MAX);
    buf_add_c(&out, '{');
    table_print_cells(&out, a, t, content, NOW);
    buf_add_c(&out, '}');
    CHECK_OK(buf_check(&out, &e));
    CHECK_OK(json_parse(a, buf_str(&out), NULL, &row, &e));
    const struct json *cells = json_find(&row, S("cells"));
    CHECK_EQ(json_count(cells), t->column_count);
    for (size_t i = 0; i < t->column_count; i++) {
        CHECK(!json_is_container(json_at(cells, i)));
        CHECK(!t->schema || json_at(cells, i)->type != JSON_NULL);
    }
}

static void check_custom(struct arena *a, const struct json *in)
{
    struct err ignored = ERR_INIT;
    struct kind_table *t;
    struct buf object;
    if (table_new_custom(json_find(in, S("columns")), &t, &ignored))
        return;
    buf_init_arena(&object, a, OUTPUT_MAX);
    json_print(&object, json_find(in, S("object")), 0);
    check_row(a, t, buf_str(&object));
    table_free(t);
}

static void check_builtin(struct arena *a, str text, const struct json *in)
{
    struct err ignored = ERR_INIT;
    const struct schema *s = &schema_builtin;
    const struct schema_kind_info *k = schema_kind_find(s, json_str(json_find(in, S("apiVersion"))),
                                                        json_str(json_find(in, S("kind"))));
    if (!k || k->stored)
        return;
    struct kind_table *t = table_new(s, k);
    struct json tree;
    check_row(a, t, text);
    if (tree_normalise(a, s, &s->types[k->type], in, NULL, &tree, &ignored) == ERR_NONE) {
        struct buf content;
        buf_init_arena(&content, a, OUTPUT_MAX);
        json_remove(&tree, S("kind"));
        json_remove(&tree, S("apiVersion"));
        json_print(&content, &tree, 0);
        check_row(a, t, buf_str(&content));
    }
    table_free(t);
}

FUZZ(table)
{
    CLEANUP(arena_done) struct arena a;
    struct err ignored = ERR_INIT;
    struct json in;
    str text = str_of((const char *)data, size);
    arena_init(&a, MEMORY_MAX);
    if (size == 0 || json_parse(&a, text, NULL, &in, &ignored))
        return;
    if (json_find(&in, S("object")))
        check_custom(&a, &in);
    else
        check_builtin(&a, text, &in);
}
