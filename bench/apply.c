/* apply.c - server-side apply, tracked updates and patches of a pod. No peer in C: beside them stands what a server must do
 * with the same document in any case. */
#include "api/apply.h"
#include "api/patch.h"
#include "api/tree.h"
#include "bench.h"
#include "docs.h"
#include "view/core_v1.h"

enum { OUTPUT_MAX = 1 << 20 };

struct apply_case {
    struct arena scratch, keep;
    str text;            /* of `live` */
    struct json live;    /* with managedFields of an applier, the scheduler and a kubelet */
    struct json same;    /* what was applied */
    struct json other;   /* with one value changed */
    struct json updated; /* live with one value changed, nothing shared */
    struct json patch;   /* strategic, for one value */
    struct json merge_patch;
    struct apply_who applier, updater;
    size_t entries_size;
};

static const struct schema_type *pod_type(void)
{
    return VIEW_TYPE(pod);
}

static struct json parsed(struct arena *a, str text)
{
    struct json j;
    struct err err = ERR_INIT;
    struct json_opts opts = {.names = schema_builtin.names};
    BENCH_MUST(json_parse(a, text, &opts, &j, &err) == ERR_NONE);
    return j;
}

static struct json complete(struct arena *a, const struct json *in)
{
    struct json tree;
    struct err err = ERR_INIT;
    BENCH_MUST(tree_normalise(a, &schema_builtin, pod_type(), in, NULL, &tree, &err) == ERR_NONE);
    tree_defaults(a, &schema_builtin, pod_type(), &tree);
    return tree;
}

static str printed(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    json_print(&b, j, 0);
    BENCH_MUST(!b.failed);
    return buf_str(&b);
}

static void run_apply(struct apply_case *c, const struct json *config, bool unchanged)
{
    struct apply_result result;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(apply_config(&c->scratch, &schema_builtin, pod_type(), &c->live, config, &c->applier, false,
                            &result, &err) == ERR_NONE);
    BENCH_MUST(result.unchanged == unchanged);
    bench_keep(&result);
}

static void run_apply_same(void *ctx)
{
    struct apply_case *c = ctx;
    run_apply(c, &c->same, true);
}

static void run_apply_other(void *ctx)
{
    struct apply_case *c = ctx;
    run_apply(c, &c->other, false);
}

static void run_track(void *ctx)
{
    struct apply_case *c = ctx;
    struct json tree = c->updated;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(apply_track(&c->scratch, &schema_builtin, pod_type(), &c->live, &tree, false, &c->updater,
                           &err) == ERR_NONE);
    bench_keep(&tree);
}

static void run_track_create(void *ctx)
{
    struct apply_case *c = ctx;
    struct json tree = c->updated;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(apply_track(&c->scratch, &schema_builtin, pod_type(), NULL, &tree, false, &c->updater, &err) ==
               ERR_NONE);
    bench_keep(&tree);
}

static void run_strategic(void *ctx)
{
    struct apply_case *c = ctx;
    struct json out;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(patch_strategic(&c->scratch, &schema_builtin, pod_type(), &c->live, &c->patch, &out, &err) ==
               ERR_NONE);
    bench_keep(&out);
}

static void run_merge(void *ctx)
{
    struct apply_case *c = ctx;
    struct json out;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(patch_merge(&c->scratch, &c->live, &c->merge_patch, &out, &err) == ERR_NONE);
    bench_keep(&out);
}

static void run_parse(void *ctx)
{
    struct apply_case *c = ctx;
    arena_reset(&c->scratch);
    struct json tree = parsed(&c->scratch, c->text);
    bench_keep(&tree);
}

static void run_normalise(void *ctx)
{
    struct apply_case *c = ctx;
    struct json tree;
    struct err err = ERR_INIT;
    arena_reset(&c->scratch);
    BENCH_MUST(tree_normalise(&c->scratch, &schema_builtin, pod_type(), &c->live, NULL, &tree, &err) ==
               ERR_NONE);
    bench_keep(&tree);
}

static void track(struct apply_case *c, const struct json *old, struct json *tree, const char *manager,
                  const char *subresource)
{
    struct apply_who who = c->updater;
    struct err err = ERR_INIT;
    who.manager = str_from_c(manager);
    who.subresource = str_from_c(subresource);
    BENCH_MUST(apply_track(&c->keep, &schema_builtin, pod_type(), old, tree, false, &who, &err) == ERR_NONE);
}

/* An applied pod, scheduled, and reported on by its kubelet. */
static void case_open(struct apply_case *c, size_t size)
{
    struct apply_result result;
    struct err err = ERR_INIT;
    *c = (struct apply_case){.applier = {.manager = S("kubectl"), .api_version = S("v1"), .kind = S("Pod")}};
    arena_init(&c->keep, 0);
    arena_init(&c->scratch, 0);
    kube_time_from_unix(1700000000, 0, &c->applier.now);
    c->updater = c->applier;
    c->updater.manager = S("client");
    struct json whole = parsed(&c->keep, bench_pod(&c->keep, 5, size)),
                status = *json_find(&whole, S("status"));
    json_remove(&whole, S("status"));
    json_remove(json_find(&whole, S("spec")), S("nodeName"));
    c->same = whole;
    BENCH_MUST(apply_config(&c->keep, &schema_builtin, pod_type(), NULL, &c->same, &c->applier, false,
                            &result, &err) == ERR_NONE);
    struct json created = complete(&c->keep, &result.tree);
    struct json bound = json_clone(&c->keep, &created);
    json_set(&c->keep, json_find(&bound, S("spec")), S("nodeName"), json_of_str(S("node-1")));
    track(c, &created, &bound, "kube-scheduler", "binding");
    struct json running = json_clone(&c->keep, &bound);
    json_set(&c->keep, &running, S("status"), status);
    running = complete(&c->keep, &running);
    track(c, &bound, &running, "kubelet", "status");
    c->text = printed(&c->keep, &running);
    c->live = parsed(&c->keep, c->text);
    c->entries_size = printed(&c->keep, json_get(&running, S("metadata"), S("managedFields"))).n;
    c->updated = parsed(&c->keep, c->text);
    json_set(&c->keep, json_find(&c->updated, S("spec")), S("activeDeadlineSeconds"), json_of_int(5));
    c->other = json_clone(&c->keep, &c->same);
    struct json *container = json_at(json_get(&c->other, S("spec"), S("containers")), 0);
    json_set(&c->keep, container, S("image"), json_of_str(S("registry.example.com/other:1")));
    c->patch = parsed(&c->keep,
                      str_format(&c->keep,
                                 "{\"spec\":{\"containers\":[{\"name\":\"%" STR_FMT "\",\"image\":\"x\"}]}}",
                                 STR_ARG(json_str(json_find(container, S("name"))))));
    c->merge_patch = parsed(&c->keep, S("{\"spec\":{\"activeDeadlineSeconds\":5}}"));
}

static void case_close(struct apply_case *c)
{
    arena_done(&c->scratch);
    arena_done(&c->keep);
}

BENCH(apply, "who owns which field: a pod applied, updated, patched")
{
    static const size_t sizes[] = {1000, 4000};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct apply_case c;
        case_open(&c, sizes[i]);
        str name = str_format(bench_arena(b), "pod, %zu B, of which managedFields %zu B", c.text.n,
                              c.entries_size);
        BENCH_CASE(b, name.p, BENCH_ITEMS(1, "writes"), {"apply with a change", run_apply_other, &c},
                   {"apply without one", run_apply_same, &c}, {"update tracked", run_track, &c},
                   {"create tracked", run_track_create, &c}, {"strategic merge patch", run_strategic, &c},
                   {"merge patch", run_merge, &c}, {"parse (floor)", run_parse, &c},
                   {"normalise (floor)", run_normalise, &c});
        case_close(&c);
    }
}
