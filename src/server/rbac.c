/* rbac.c - the table of roles and bindings, following the store. */
#include "base/mem.h"
#include "server/follow.h"
#include "server/rbac_priv.h"
#include "store/store.h"

struct rbac {
    struct follow follow;
    uint64_t hash_key[2];
};

/* In the order of enum rbac_kind. */
static const str resource_names[] = {
    [RBAC_ROLE] = S_INIT("roles.rbac.authorization.k8s.io"),
    [RBAC_CLUSTER_ROLE] = S_INIT("clusterroles.rbac.authorization.k8s.io"),
    [RBAC_ROLE_BINDING] = S_INIT("rolebindings.rbac.authorization.k8s.io"),
    [RBAC_CLUSTER_ROLE_BINDING] = S_INIT("clusterrolebindings.rbac.authorization.k8s.io"),
};

static void on_change(void *ctx, struct cow_table *t, unsigned which, const struct object *old,
                      const struct object *now)
{
    const struct rbac *r = ctx;
    const struct object *o = now ? now : old;
    rbac_change(r->hash_key, t, (enum rbac_kind)which, object_ns(o), object_name(o),
                now ? object_content(now) : STR_NONE);
}

struct rbac *rbac_new(struct store *s, const uint64_t hash_key[2])
{
    struct rbac *r = NEW(struct rbac);
    memcpy(r->hash_key, hash_key, sizeof r->hash_key);
    struct follow_opts opts = {
        .store = s, .resource_count = ARRAY_COUNT(resource_names), .change = on_change, .ctx = r};
    for (size_t i = 0; i < ARRAY_COUNT(resource_names); i++)
        opts.resources[i] = store_resource(s, resource_names[i], 0);
    follow_init(&r->follow, &opts);
    return r;
}

void rbac_free(struct rbac *r)
{
    if (!r)
        return;
    follow_done(&r->follow);
    mem_free(r);
}

void rbac_authorize(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct attributes *at,
                    struct authz_answer *ret)
{
    const struct cow_table *t = follow_table(&r->follow, sn);
    rbac_table_authorize(t, r->hash_key, a, at, ret);
    cow_table_unref(t);
}

static void release_table(void *t)
{
    cow_table_unref(t);
}

/* For answers that borrow from it. */
static const struct cow_table *held_table(struct rbac *r, struct arena *a, const struct snapshot *sn)
{
    const struct cow_table *t = follow_table(&r->follow, sn);
    arena_hold(a, release_table, (void *)(uintptr_t)t);
    return t;
}

void rbac_rules(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct user *u, str ns,
                const struct rbac_rule **ret, size_t *ret_count, str *ret_error)
{
    rbac_table_rules(held_table(r, a, sn), r->hash_key, a, u, ns, RBAC_ERRORS_SINGULAR, ret, ret_count,
                     ret_error);
}

bool rbac_role_rules(struct rbac *r, struct arena *a, const struct snapshot *sn, str kind, str ns, str name,
                     const struct rbac_rule **ret, size_t *ret_count)
{
    return rbac_table_role_rules(held_table(r, a, sn), r->hash_key, a, kind, ns, name, ret, ret_count);
}

bool rbac_covers(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct user *u, str ns,
                 const struct rbac_rule *rules, size_t rule_count, str *ret_missing)
{
    return rbac_table_covers(held_table(r, a, sn), r->hash_key, a, u, ns, rules, rule_count, ret_missing);
}
