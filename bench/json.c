/* json.c - our JSON against Jansson and simdjson. */
#include "wire/json.h"
#include "base/mem.h"
#include "bench.h"
#include "docs.h"
#include "jansson_peer.h"
#include "simdjson_peer.h"
#include <stdio.h>

/* So many documents in turn, so that the branch predictor cannot learn one by heart. */
enum { DOCS = 64 };

struct race {
    str docs[DOCS];
    size_t count;
    size_t next;
    size_t size; /* mean */
    struct arena arena;
    struct json_opts opts;
    struct json_opts no_names;
    struct simdjson_peer *simdjson;
    struct json tree; /* to print */
    struct arena tree_arena;
    void *jansson;
    struct buf out;
};

static str next_doc(struct race *r)
{
    r->next = r->next + 1 == r->count ? 0 : r->next + 1;
    return r->docs[r->next];
}

static void race_init(struct race *r, struct intern *names)
{
    *r = (struct race){.opts = {.names = names}, .simdjson = simdjson_peer_new()};
    arena_init(&r->arena, 0);
    arena_init(&r->tree_arena, 0);
    buf_init(&r->out, (size_t)1 << 30);
}

static void race_add(struct race *r, str doc)
{
    r->docs[r->count++] = doc;
    r->size = (r->size * (r->count - 1) + doc.n) / r->count;
}

static void race_done(struct race *r)
{
    simdjson_peer_free(r->simdjson);
    arena_done(&r->arena);
    arena_done(&r->tree_arena);
    buf_done(&r->out);
    jansson_peer_free(r->jansson);
}

static void parse(struct race *r, const struct json_opts *opts)
{
    struct err err;
    struct json j;
    arena_reset(&r->arena);
    BENCH_MUST(json_parse(&r->arena, next_doc(r), opts, &j, &err) == ERR_NONE);
    bench_keep(&j);
}

static void parse_skiff(void *ctx)
{
    struct race *r = ctx;
    parse(r, &r->opts);
}

static void parse_skiff_no_names(void *ctx)
{
    struct race *r = ctx;
    parse(r, &r->no_names);
}

static void walk(struct json_reader *r);

static inline void walk_value(struct json_reader *r)
{
    if (json_peek(r) >= JSON_ARRAY) {
        walk(r);
        return;
    }
    struct json scalar = json_read_scalar(r);
    bench_keep(&scalar);
}

static void walk(struct json_reader *r)
{
    str name;
    if (json_peek(r) == JSON_ARRAY)
        for (json_enter_array(r); json_next_item(r);)
            walk_value(r);
    else
        for (json_enter_object(r); json_next_member(r, &name);)
            walk_value(r);
}

static void read_skiff(void *ctx)
{
    struct race *race = ctx;
    struct err err;
    struct json_reader r;
    arena_reset(&race->arena);
    json_reader_init(&r, &race->arena, next_doc(race), &err);
    walk(&r);
    BENCH_MUST(json_reader_end(&r) == ERR_NONE);
}

static void skip_skiff(void *ctx)
{
    struct race *race = ctx;
    struct err err;
    struct json_reader r;
    json_reader_init(&r, &race->arena, next_doc(race), &err);
    json_skip(&r);
    BENCH_MUST(json_reader_end(&r) == ERR_NONE);
}

static void parse_jansson(void *ctx)
{
    str doc = next_doc(ctx);
    void *tree = jansson_peer_parse(doc.p, doc.n);
    BENCH_MUST(tree);
    jansson_peer_free(tree);
}

static void parse_simdjson(void *ctx)
{
    struct race *r = ctx;
    str doc = next_doc(r);
    BENCH_MUST(simdjson_peer_parse(r->simdjson, doc.p, doc.n));
}

static void race_parse(struct bench *b, const char *name, struct race *r)
{
    BENCH_CASE(b, name, BENCH_BYTES(r->size), {"skiff", parse_skiff, r},
               {"skiff, no name table", parse_skiff_no_names, r}, {"skiff reader", read_skiff, r},
               {"skiff skip", skip_skiff, r}, {"jansson", parse_jansson, r},
               {"simdjson DOM", parse_simdjson, r});
}

BENCH(json_parse, "text to tree, memory used again")
{
    static const size_t sizes[] = {500, 1000, 2000, 4000};
    struct intern *names = bench_names();
    struct race r;
    char name[40];
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        race_init(&r, names);
        for (unsigned seed = 0; seed < DOCS; seed++)
            race_add(&r, bench_pod(bench_arena(b), seed, sizes[i]));
        snprintf(name, sizeof name, "pods, %zu B", r.size);
        race_parse(b, name, &r);
        race_done(&r);
    }
    race_init(&r, names);
    for (unsigned seed = 0; seed < DOCS; seed++)
        race_add(&r, bench_applied_pod(bench_arena(b), seed, 2000));
    snprintf(name, sizeof name, "applied pods, %zu B", r.size);
    race_parse(b, name, &r);
    race_done(&r);
    race_init(&r, names);
    for (unsigned seed = 0; seed < DOCS; seed++)
        race_add(&r, bench_config_map(bench_arena(b), seed, 2000));
    snprintf(name, sizeof name, "config maps, %zu B", r.size);
    race_parse(b, name, &r);
    race_done(&r);
    bench_note(b, "%d documents in turn. The reader and skip make no tree.", DOCS);
    bench_note(b, "simdjson (%s) is given 64 readable bytes behind each text, which the others do not need.",
               simdjson_peer_kind());
    intern_free(names);
}

BENCH(json_parse_large, "a list of pods, 50 MB, to a tree, memory used again")
{
    struct intern *names = bench_names();
    struct race r;
    race_init(&r, names);
    race_add(&r, bench_pod_list(bench_arena(b), 50000000));
    race_parse(b, "pod list, 50 MB", &r);
    race_done(&r);
    intern_free(names);
}

static void print_skiff(void *ctx)
{
    struct race *r = ctx;
    buf_clear(&r->out);
    json_print(&r->out, &r->tree, 0);
    BENCH_MUST(r->out.n == r->size);
}

static void print_skiff_html(void *ctx)
{
    struct race *r = ctx;
    buf_clear(&r->out);
    json_print(&r->out, &r->tree, JSON_HTML);
    BENCH_MUST(r->out.n >= r->size);
}

static void print_jansson(void *ctx)
{
    struct race *r = ctx;
    BENCH_MUST(jansson_peer_print(r->jansson) == r->size);
}

static void print_simdjson(void *ctx)
{
    struct race *r = ctx;
    BENCH_MUST(simdjson_peer_print(r->simdjson) == r->size);
}

static void race_print(struct bench *b, const char *name, str doc)
{
    struct err err;
    struct race r;
    race_init(&r, NULL);
    race_add(&r, doc);
    BENCH_MUST(json_parse(&r.tree_arena, doc, NULL, &r.tree, &err) == ERR_NONE);
    r.jansson = jansson_peer_parse(doc.p, doc.n);
    BENCH_MUST(r.jansson);
    BENCH_MUST(simdjson_peer_parse(r.simdjson, doc.p, doc.n));
    BENCH_CASE(b, name, BENCH_BYTES(r.size), {"skiff", print_skiff, &r},
               {"skiff, for HTML", print_skiff_html, &r}, {"jansson", print_jansson, &r},
               {"simdjson DOM", print_simdjson, &r});
    race_done(&r);
}

BENCH(json_print, "tree to compact text, memory used again but for jansson")
{
    race_print(b, "pod, 2 KB", bench_pod(bench_arena(b), 1, 2000));
    race_print(b, "config map, 2 KB", bench_config_map(bench_arena(b), 1, 2000));
    race_print(b, "pod list, 5 MB", bench_pod_list(bench_arena(b), 5000000));
}
