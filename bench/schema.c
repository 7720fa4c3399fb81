/* schema.c - documents along the schema: views, normalised trees, protobuf. There is no peer in C; what is measured against
 * is what must be done in any case: reading the text once (skip), making a tree of it (parse), copying the bytes. */
#include "api/tree.h"
#include "api/view.h"
#include "bench.h"
#include "docs.h"
#include "view/core_v1.h"
#include "wire/protobuf.h"

enum { OUTPUT_MAX = 1 << 20 };

struct pod_case {
    struct arena scratch;
    struct buf out;
    str content; /* normalised */
    str message; /* the same as protobuf */
    struct json tree;
    struct pod view;
    struct arena keep;
};

static const struct schema_type *pod_type(void)
{
    return VIEW_TYPE(pod);
}

static void run_skip(void *ctx)
{
    struct pod_case *c = ctx;
    struct json_reader r;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    json_reader_init(&r, &c->scratch, c->content, &err);
    json_skip(&r);
    BENCH_MUST(json_reader_end(&r) == ERR_NONE);
}

static void run_parse(void *ctx)
{
    struct pod_case *c = ctx;
    struct json tree;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(json_parse(&c->scratch, c->content, NULL, &tree, &err) == ERR_NONE);
}

static void run_view_decode(void *ctx)
{
    struct pod_case *c = ctx;
    struct pod view;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(VIEW_DECODE(&c->scratch, pod, c->content, &view, &err) == ERR_NONE);
}

static void run_view_encode(void *ctx)
{
    struct pod_case *c = ctx;
    buf_clear(&c->out);
    VIEW_ENCODE(&c->out, pod, &c->view);
    BENCH_MUST(c->out.n == c->content.n);
}

static void run_normalise(void *ctx)
{
    struct pod_case *c = ctx;
    struct json out;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(tree_normalise(&c->scratch, &schema_builtin, pod_type(), &c->tree, NULL, &out, &err) ==
               ERR_NONE);
}

/* A write's way: text to tree, normalised, defaults, printed. */
static void run_write_path(void *ctx)
{
    struct pod_case *c = ctx;
    struct json in, out;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    buf_clear(&c->out);
    BENCH_MUST(json_parse(&c->scratch, c->content, NULL, &in, &err) == ERR_NONE);
    BENCH_MUST(tree_normalise(&c->scratch, &schema_builtin, pod_type(), &in, NULL, &out, &err) == ERR_NONE);
    tree_defaults(&c->scratch, &schema_builtin, pod_type(), &out);
    json_print(&c->out, &out, 0);
}

static void run_print(void *ctx)
{
    struct pod_case *c = ctx;
    buf_clear(&c->out);
    json_print(&c->out, &c->tree, 0);
}

static void run_message_encode(void *ctx)
{
    struct pod_case *c = ctx;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    buf_clear(&c->out);
    BENCH_MUST(message_encode(&c->scratch, &schema_builtin, pod_type(), &c->tree, &c->out, &err) == ERR_NONE);
}

static void run_message_decode(void *ctx)
{
    struct pod_case *c = ctx;
    struct json out;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(message_decode(&c->scratch, &schema_builtin, pod_type(), c->message, &out, &err) == ERR_NONE);
}

/* Fields of the message walked without a schema: what any decoder must do. */
static void walk(struct pb_reader *r)
{
    while (pb_next(r))
        pb_skip(r);
}

static void run_message_walk(void *ctx)
{
    struct pod_case *c = ctx;
    struct pb_reader r;
    pb_reader_init(&r, c->message);
    while (pb_next(&r)) {
        if (r.wire == PB_BYTES) {
            struct pb_mark outer = pb_enter(&r);
            walk(&r);
            pb_leave(&r, outer);
        } else {
            pb_skip(&r);
        }
    }
}

static void case_open(struct pod_case *c, size_t size)
{
    struct err err = ERR_INIT;
    struct json raw;
    *c = (struct pod_case){0};
    arena_init(&c->keep, 0);
    arena_init(&c->scratch, 0);
    buf_init(&c->out, OUTPUT_MAX);
    str doc = bench_pod(&c->keep, 1, size);
    BENCH_MUST(json_parse(&c->keep, doc, NULL, &raw, &err) == ERR_NONE);
    json_remove(&raw, S("kind"));
    json_remove(&raw, S("apiVersion"));
    BENCH_MUST(tree_normalise(&c->keep, &schema_builtin, pod_type(), &raw, NULL, &c->tree, &err) == ERR_NONE);
    struct buf b;
    buf_init_arena(&b, &c->keep, OUTPUT_MAX);
    json_print(&b, &c->tree, 0);
    c->content = buf_str(&b);
    BENCH_MUST(VIEW_DECODE(&c->keep, pod, c->content, &c->view, &err) == ERR_NONE);
    buf_init_arena(&b, &c->keep, OUTPUT_MAX);
    BENCH_MUST(message_encode(&c->keep, &schema_builtin, pod_type(), &c->tree, &b, &err) == ERR_NONE);
    c->message = buf_str(&b);
}

static void case_close(struct pod_case *c)
{
    buf_done(&c->out);
    arena_done(&c->scratch);
    arena_done(&c->keep);
}

static const size_t sizes[] = {1000, 4000};

BENCH(view, "a pod's content to a C struct and back")
{
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct pod_case c;
        case_open(&c, sizes[i]);
        str name = str_format(bench_arena(b), "pod, %zu B", c.content.n);
        BENCH_CASE(b, name.p, BENCH_ITEMS(1, "objects"), {"view decode", run_view_decode, &c},
                   {"read past (floor)", run_skip, &c}, {"parse to a tree", run_parse, &c},
                   {"view encode", run_view_encode, &c});
        case_close(&c);
    }
}

BENCH(write_path, "what a write does to a pod's text: parse, normalise, defaults, print")
{
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct pod_case c;
        case_open(&c, sizes[i]);
        str name = str_format(bench_arena(b), "pod, %zu B", c.content.n);
        BENCH_CASE(b, name.p, BENCH_ITEMS(1, "objects"), {"the whole way", run_write_path, &c},
                   {"parse only (floor)", run_parse, &c}, {"normalise only", run_normalise, &c},
                   {"print only", run_print, &c});
        case_close(&c);
    }
}

BENCH(protobuf, "a pod as a protobuf message, by table")
{
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct pod_case c;
        case_open(&c, sizes[i]);
        str name = str_format(bench_arena(b), "pod, %zu B of protobuf", c.message.n);
        BENCH_CASE(b, name.p, BENCH_ITEMS(1, "objects"), {"tree to message", run_message_encode, &c},
                   {"message to tree, normalised", run_message_decode, &c},
                   {"two levels walked (floor)", run_message_walk, &c}, {"tree to JSON", run_print, &c});
        case_close(&c);
    }
}
