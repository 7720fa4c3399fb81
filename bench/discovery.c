/* discovery.c - the documents that describe the server, and finding a kind. What is measured against is a copy of the same
 * bytes: a document that is made as it is asked for competes with one that was kept. */
#include "api/discovery.h"
#include "bench.h"

enum { DOCUMENT_MAX = 64 << 20, CUSTOM_COUNT = 200 };

struct documents {
    const struct catalog *c;
    const struct served_version *version;
    struct buf out;
    struct buf kept;
};

static void run_v2(void *ctx)
{
    struct documents *d = ctx;
    buf_clear(&d->out);
    openapi_v2(&d->out, d->c);
    BENCH_MUST(!d->out.failed);
}

static void run_v2_protobuf(void *ctx)
{
    struct documents *d = ctx;
    buf_clear(&d->out);
    openapi_v2_protobuf(&d->out, d->c);
    BENCH_MUST(!d->out.failed);
}

static void run_v3(void *ctx)
{
    struct documents *d = ctx;
    buf_clear(&d->out);
    openapi_v3(&d->out, d->c, d->version);
    BENCH_MUST(!d->out.failed);
}

static void run_index(void *ctx)
{
    struct documents *d = ctx;
    buf_clear(&d->out);
    openapi_v3_index(&d->out, d->c);
    BENCH_MUST(!d->out.failed);
}

static void run_aggregated(void *ctx)
{
    struct documents *d = ctx;
    buf_clear(&d->out);
    discovery_aggregated(&d->out, d->c, false);
    BENCH_MUST(!d->out.failed);
}

static void run_copy(void *ctx)
{
    struct documents *d = ctx;
    buf_clear(&d->out);
    buf_add(&d->out, buf_str(&d->kept));
    bench_keep(d->out.p);
}

static void documents_open(struct documents *d, const struct catalog *c)
{
    *d = (struct documents){.c = c, .version = catalog_version(c, S(""), S("v1"))};
    buf_init(&d->out, DOCUMENT_MAX);
    buf_init(&d->kept, DOCUMENT_MAX);
}

static void documents_keep(struct documents *d, void (*make)(void *ctx))
{
    make(d);
    buf_clear(&d->kept);
    buf_add(&d->kept, buf_str(&d->out));
}

static void documents_close(struct documents *d)
{
    buf_done(&d->out);
    buf_done(&d->kept);
    d->c = catalog_unref(d->c);
}

/* A definition of about 50 KB, with many members and their descriptions. */
static str custom_schema(struct arena *a)
{
    struct buf b;
    buf_init_arena(&b, a, 1 << 20);
    buf_add_lit(&b, "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < 250; i++)
        buf_add_f(
            &b,
            "%s\"member%d\":{\"type\":\"object\",\"description\":\"What this is for, in a sentence or two, as "
            "definitions have it.\",\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1},\"count\":{"
            "\"type\":\"integer\",\"format\":\"int32\"}}}",
            i ? "," : "", i);
    buf_add_lit(&b, "}}}}");
    return buf_str(&b);
}

static void custom_kinds(struct arena *a, struct custom_kind ret[CUSTOM_COUNT])
{
    str schema = custom_schema(a);
    for (size_t i = 0; i < CUSTOM_COUNT; i++) {
        str name = str_format(a, "widget%zu", i);
        ret[i] = (struct custom_kind){
            .kind = {.schema = &schema_builtin,
                     .type = schema_builtin.types,
                     .info = schema_builtin.kinds,
                     .group = str_format(a, "group%zu.example.com", i / 4),
                     .version = S("v1"),
                     .kind = str_concat(a, S("Kind"), name),
                     .list_kind = str_concat(a, name, S("List")),
                     .plural = str_concat(a, name, S("s")),
                     .singular = name,
                     .verbs = 0xff,
                     .namespaced = true,
                     .openapi = schema},
            .is_stored = true,
            .obj = (void *)(uintptr_t)(i + 1),
        };
    }
}

BENCH(openapi, "OpenAPI documents made from the schema")
{
    struct documents d;
    documents_open(&d, catalog_new(NULL, 0, 1));
    documents_keep(&d, run_v2);
    BENCH_CASE(b, "v2, all built-in kinds", BENCH_BYTES(d.kept.n), {"JSON", run_v2, &d},
               {"protobuf", run_v2_protobuf, &d}, {"copied (floor)", run_copy, &d});
    documents_keep(&d, run_v3);
    BENCH_CASE(b, "v3 of the core group", BENCH_BYTES(d.kept.n), {"made", run_v3, &d},
               {"copied (floor)", run_copy, &d});
    documents_keep(&d, run_index);
    BENCH_CASE(b, "v3 index, hashes of all documents", BENCH_ITEMS(1, "indexes"), {"made", run_index, &d},
               {"copied (floor)", run_copy, &d});
    documents_close(&d);

    struct custom_kind *custom = ARENA_ARRAY(bench_arena(b), struct custom_kind, CUSTOM_COUNT);
    custom_kinds(bench_arena(b), custom);
    documents_open(&d, catalog_new(custom, CUSTOM_COUNT, 1));
    documents_keep(&d, run_v2);
    BENCH_CASE(b, "v2 with 200 custom kinds of 50 KB", BENCH_BYTES(d.kept.n), {"JSON", run_v2, &d},
               {"protobuf", run_v2_protobuf, &d}, {"copied (floor)", run_copy, &d});
    documents_close(&d);
}

struct lookups {
    const struct catalog *c;
    struct custom_kind *custom;
};

static void run_find(void *ctx)
{
    struct lookups *l = ctx;
    BENCH_MUST(catalog_find(l->c, S("apps"), S("v1"), S("deployments")));
}

static void run_find_kind(void *ctx)
{
    struct lookups *l = ctx;
    BENCH_MUST(catalog_find_kind(l->c, S("apps/v1"), S("Deployment")));
}

static void run_scan(void *ctx)
{
    struct lookups *l = ctx;
    BENCH_MUST(schema_resource_find(&schema_builtin, S("apps"), S("v1"), S("deployments")));
    bench_keep(l);
}

static void run_new(void *ctx)
{
    struct lookups *l = ctx;
    const struct catalog *c = catalog_new(l->custom, CUSTOM_COUNT, 1);
    bench_keep(c);
    catalog_unref(c);
}

static void run_renew(void *ctx)
{
    struct lookups *l = ctx;
    const struct catalog *c = catalog_renew(l->c, l->custom, CUSTOM_COUNT, 2);
    bench_keep(c);
    catalog_unref(c);
}

BENCH(catalog, "what is served: finding a kind, making it anew when a definition changes")
{
    struct lookups l = {.custom = ARENA_ARRAY(bench_arena(b), struct custom_kind, CUSTOM_COUNT)};
    struct documents d;
    custom_kinds(bench_arena(b), l.custom);
    l.c = catalog_new(l.custom, CUSTOM_COUNT, 1);
    BENCH_CASE(b, "find a kind, 200 custom ones there", BENCH_ITEMS(1, "kinds"), {"by URL", run_find, &l},
               {"by apiVersion and kind", run_find_kind, &l}, {"looking through all", run_scan, &l});
    BENCH_CASE(b, "catalog with 200 custom kinds", BENCH_ITEMS(1, "catalogs"),
               {"after another", run_renew, &l}, {"from nothing", run_new, &l});
    catalog_unref(l.c);
    documents_open(&d, catalog_new(NULL, 0, 1));
    documents_keep(&d, run_aggregated);
    BENCH_CASE(b, "aggregated discovery", BENCH_BYTES(d.kept.n), {"made", run_aggregated, &d},
               {"copied (floor)", run_copy, &d});
    documents_close(&d);
}
