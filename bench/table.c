/* table.c - rows of what `kubectl get` shows. What is measured against is reading the content: as a view for built-in kinds,
 * as a tree for custom ones, which is what each row begins with. */
#include "api/table.h"
#include "api/tree.h"
#include "api/view.h"
#include "bench.h"
#include "docs.h"
#include "view/core_v1.h"

enum { OUTPUT_MAX = 1 << 20 };

struct rows {
    struct arena scratch;
    struct buf out;
    struct kind_table *pods, *custom;
    str content;
};

static void run_row(struct rows *r, const struct kind_table *t)
{
    arena_reset(&r->scratch);
    buf_clear(&r->out);
    table_print_cells(&r->out, &r->scratch, t, r->content, INT64_C(1767225600000000000));
    BENCH_MUST(!r->out.failed);
}

static void run_pod(void *ctx)
{
    struct rows *r = ctx;
    run_row(r, r->pods);
}

static void run_custom(void *ctx)
{
    struct rows *r = ctx;
    run_row(r, r->custom);
}

static void run_view(void *ctx)
{
    struct rows *r = ctx;
    struct pod view;
    struct err err = ERR_INIT;
    arena_reset(&r->scratch);
    BENCH_MUST(VIEW_DECODE(&r->scratch, pod, r->content, &view, &err) == ERR_NONE);
}

static void run_tree(void *ctx)
{
    struct rows *r = ctx;
    struct json tree;
    struct err err = ERR_INIT;
    arena_reset(&r->scratch);
    BENCH_MUST(json_parse(&r->scratch, r->content, NULL, &tree, &err) == ERR_NONE);
}

static str normal_pod(struct arena *a)
{
    struct buf out;
    struct json in, tree;
    struct err err = ERR_INIT;
    buf_init_arena(&out, a, OUTPUT_MAX);
    BENCH_MUST(json_parse(a, bench_pod(a, 1, 3000), NULL, &in, &err) == ERR_NONE);
    BENCH_MUST(tree_normalise(a, &schema_builtin, VIEW_TYPE(pod), &in, NULL, &tree, &err) == ERR_NONE);
    json_print(&out, &tree, 0);
    return buf_str(&out);
}

static struct kind_table *custom_columns(struct arena *a)
{
    struct kind_table *t = NULL;
    struct json columns;
    struct err err = ERR_INIT;
    str text = S(
        "[{\"name\":\"Phase\",\"type\":\"string\",\"jsonPath\":\".status.phase\"},"
        "{\"name\":\"Ready\",\"type\":\"string\","
        "\"jsonPath\":\".status.conditions[?(@.type==\\\"Ready\\\")].status\"},"
        "{\"name\":\"Grace\",\"type\":\"integer\",\"jsonPath\":\".spec.terminationGracePeriodSeconds\"},"
        "{\"name\":\"Age\",\"type\":\"date\",\"jsonPath\":\".metadata.creationTimestamp\"}]");
    BENCH_MUST(json_parse(a, text, NULL, &columns, &err) == ERR_NONE);
    BENCH_MUST(table_new_custom(&columns, &t, &err) == ERR_NONE);
    return t;
}

BENCH(table, "rows as kubectl get shows them")
{
    struct rows r = {
        .pods = table_new(&schema_builtin, schema_kind_find(&schema_builtin, S("v1"), S("Pod"))),
        .custom = custom_columns(bench_arena(b)),
        .content = normal_pod(bench_arena(b)),
    };
    arena_init(&r.scratch, 0);
    buf_init(&r.out, OUTPUT_MAX);
    BENCH_CASE(b, "a pod of 3 KB", BENCH_ITEMS(1, "rows"), {"row", run_pod, &r},
               {"view alone (floor)", run_view, &r});
    BENCH_CASE(b, "the same, custom, 5 columns", BENCH_ITEMS(1, "rows"), {"row", run_custom, &r},
               {"tree alone (floor)", run_tree, &r});
    arena_done(&r.scratch);
    buf_done(&r.out);
    table_free(r.pods);
    table_free(r.custom);
}
