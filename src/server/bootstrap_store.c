/* bootstrap_store.c - writes what every cluster has (bootstrap.h), as far as it is not there as it should be. All of it is under
 * way at once, so that it costs one sync or two. */
#include "server/bootstrap_store.h"
#include "api/catalog.h"
#include "api/rules.h"
#include "api/tree.h"
#include "base/kube_time.h"
#include "base/mem.h"
#include "base/vec.h"
#include "server/authz.h"
#include "server/bootstrap.h"
#include "server/uid.h"

struct item {
    struct bootstrap *all;
    struct store_txn txn;
    struct store_guard guard;
    struct store_change change;
    struct bootstrap_doc doc;
    bool again; /* deleted: now it is to be created */
};

struct bootstrap {
    struct env *env;
    struct store *store;
    struct loop *loop;
    struct arena arena;
    struct err *err;
    size_t waiting;
};

/* What a creation adds. */
static err_code complete(struct bootstrap *b, const struct bootstrap_doc *doc, str content, str *ret)
{
    struct json tree, normal;
    struct buf now, out;
    struct json_opts opts = {.names = schema_builtin.names};
    const struct schema_kind_info *k = schema_kind_find(&schema_builtin, doc->api_version, doc->kind);
    ASSERT(k);
    const struct schema_type *t = &schema_builtin.types[k->type];
    if (json_parse(&b->arena, content, &opts, &tree, b->err))
        return b->err->code;
    struct json *m = json_find(&tree, S("metadata"));
    buf_init_arena(&now, &b->arena, 64);
    kube_time_format(&now, kube_time_from_unix_ns(env_now_wall(b->env)));
    json_set(&b->arena, m, S("uid"), json_of_str(uid_new(b->env, &b->arena)));
    json_set(&b->arena, m, S("creationTimestamp"), json_of_str(buf_str(&now)));
    const struct kind_rules *rules = kind_rules_find(&schema_builtin, k);
    if (rules && rules->has_generation)
        json_set(&b->arena, m, S("generation"), json_of_int(1));
    if (tree_normalise(&b->arena, &schema_builtin, t, &tree, NULL, &normal, b->err))
        return b->err->code;
    json_remove(&normal, S("kind"));
    json_remove(&normal, S("apiVersion"));
    buf_init_arena(&out, &b->arena, OBJECT_SIZE_MAX);
    json_print(&out, &normal, 0);
    *ret = buf_str(&out);
    return ERR_NONE;
}

static void take_up(struct item *it);

static void on_done(struct store_txn *t)
{
    struct item *it = CONTAINER_OF(t, struct item, txn);
    struct bootstrap *b = it->all;
    b->waiting--;
    if (t->err.code && !b->err->code) {
        *b->err = t->err;
        err_wrap(b->err, "could not write %" STR_FMT " '%" STR_FMT "'", STR_ARG(it->doc.kind),
                 STR_ARG(it->doc.name));
    }
    if (it->again && !t->err.code)
        take_up(it);
}

static void commit(struct item *it)
{
    struct bootstrap *b = it->all;
    it->txn = (struct store_txn){.guards = &it->guard,
                                 .changes = &it->change,
                                 .guard_count = 1,
                                 .change_count = 1,
                                 .loop = b->loop,
                                 .done = on_done};
    b->waiting++;
    store_commit(b->store, &it->txn);
}

static void take_up(struct item *it)
{
    struct bootstrap *b = it->all;
    const struct snapshot *sn = store_snapshot(b->store);
    struct object_key key = {store_resource(b->store, it->doc.resource, 0), it->doc.ns, it->doc.name};
    const struct object *o = snapshot_find(sn, key);
    enum bootstrap_action action;
    struct object *made = NULL;
    str content;
    it->again = false;
    err_code code = bootstrap_reconcile(&b->arena, &it->doc, o ? object_content(o) : STR_NONE, &action,
                                        &content, b->err);
    it->guard = (struct store_guard){
        .kind = o ? STORE_GUARD_AT : STORE_GUARD_ABSENT, .key = key, .revision = o ? o->revision : 0};
    snapshot_unref(sn);
    if (code || action == BOOTSTRAP_KEEP)
        return;
    it->again = action == BOOTSTRAP_RECREATE;
    if (action == BOOTSTRAP_CREATE && complete(b, &it->doc, content, &content))
        return;
    if (!it->again && object_new(key, content, &made, b->err))
        return;
    it->change = (struct store_change){.put = made, .key = key};
    commit(it);
}

static bool all_done(void *ctx)
{
    return ((struct bootstrap *)ctx)->waiting == 0;
}

/* --- roles that are made of others: admin, edit, view --- */

static const char cluster_roles[] = "clusterroles.rbac.authorization.k8s.io";
enum { AGGREGATION_PASSES_MAX = 8 };

static void put_rules(struct bootstrap *b, const struct object *o, const struct json *rules)
{
    struct item *it = ARENA_NEW(&b->arena, struct item);
    struct json tree;
    struct buf out;
    struct object *made;
    struct json_opts opts = {.names = schema_builtin.names};
    struct object_key key = {o->resource, STR_NONE, str_dup(&b->arena, object_name(o))};
    buf_init_arena(&out, &b->arena, OBJECT_SIZE_MAX);
    if (json_parse(&b->arena, object_content(o), &opts, &tree, b->err))
        return;
    json_set(&b->arena, &tree, S("rules"), *rules);
    const struct schema_type *t = schema_type_find(&schema_builtin, S("rbac/v1"), S("ClusterRole"));
    struct json normal;
    if (tree_normalise(&b->arena, &schema_builtin, t, &tree, NULL, &normal, b->err))
        return;
    json_print(&out, &normal, 0);
    if (object_new(key, buf_str(&out), &made, b->err))
        return;
    it->all = b;
    it->doc = (struct bootstrap_doc){.kind = S("ClusterRole"), .name = key.name};
    it->guard = (struct store_guard){.kind = STORE_GUARD_AT, .key = key, .revision = o->revision};
    it->change = (struct store_change){.put = made, .key = key};
    commit(it);
}

/* One pass over all roles. True: some have other rules now, on which more may depend. */
static bool aggregate(struct bootstrap *b, const struct snapshot *sn)
{
    struct object_range range = {.resource = store_resource(b->store, str_from_c(cluster_roles), 0),
                                 .all_namespaces = true};
    size_t count = snapshot_count(sn, &range), n = 0;
    struct cluster_role_doc *docs = ARENA_ARRAY(&b->arena, struct cluster_role_doc, count);
    const struct object **objects = ARENA_ARRAY(&b->arena, const struct object *, count), *o;
    struct snapshot_iter it;
    bool any = false;
    snapshot_list(sn, &range, NULL, &it);
    for (; n < count && (o = snapshot_next(&it)); n++) {
        docs[n] = (struct cluster_role_doc){object_name(o), object_content(o)};
        objects[n] = o;
    }
    for (size_t i = 0; i < n && !b->err->code; i++) {
        bool aggregates, changed = false;
        struct json rules;
        if (!rbac_aggregate(&b->arena, docs[i], docs, n, &aggregates, &rules, &changed, b->err) &&
            aggregates && changed) {
            put_rules(b, objects[i], &rules);
            any = true;
        }
    }
    return any;
}

static void aggregate_all(struct bootstrap *b)
{
    bool again = true;
    for (int i = 0; again && i < AGGREGATION_PASSES_MAX && !b->err->code; i++) {
        const struct snapshot *sn = store_snapshot(b->store);
        again = aggregate(b, sn);
        snapshot_unref(sn);
        loop_run_until(b->loop, all_done, b, LOOP_FOREVER);
    }
}

err_code bootstrap_store(struct env *env, struct store *s, struct loop *l, struct err *err)
{
    struct bootstrap b = {.env = env, .store = s, .loop = l, .err = err};
    struct bootstrap_iter it = {0};
    struct bootstrap_doc doc;
    arena_init(&b.arena, 0);
    while (!err->code && bootstrap_next(&it, &b.arena, &doc)) {
        struct item *item = ARENA_NEW(&b.arena, struct item);
        item->all = &b;
        item->doc = doc;
        take_up(item);
    }
    loop_run_until(l, all_done, &b, LOOP_FOREVER);
    aggregate_all(&b);
    arena_done(&b.arena);
    return err->code;
}
