/* rbac_priv.h - roles and bindings, compiled: what rbac*.c share and tests look at without a store.
 * One cow_table holds all there is, by kind:
 *
 *     role, cluster role              their rules
 *     role binding, cluster one       what it refers to, and to whom it gives that
 *     user, group                     which bindings name it, once for each namespace (empty: the whole cluster)
 *
 * A service account is the user of its name. Bindings refer to roles by name: a role may come, change and go without them. */
#ifndef SERVER_RBAC_PRIV_H
#define SERVER_RBAC_PRIV_H

#include "server/authz.h"
#include "server/cow.h"

enum rbac_kind {
    RBAC_ROLE,
    RBAC_CLUSTER_ROLE,
    RBAC_ROLE_BINDING,
    RBAC_CLUSTER_ROLE_BINDING,
    RBAC_USER,
    RBAC_GROUP,
};

enum rbac_rule_flags {
    RBAC_ANY_VERB = 1 << 0,
    RBAC_ANY_GROUP = 1 << 1,
    RBAC_ANY_RESOURCE = 1 << 2,
    RBAC_RARE_VERBS = 1 << 3, /* some that have no bit */
};
struct compiled_rule {
    struct rbac_rule rule;
    uint16_t verbs; /* a bit each for the usual ones */
    uint16_t flags;
};
struct compiled_role {
    struct cow_item item;
    size_t rule_count;
    struct compiled_rule rules[];
};

struct compiled_subject {
    enum rbac_kind kind; /* RBAC_USER or RBAC_GROUP */
    bool is_service_account;
    str name;            /* of the user or group */
    str account, ns;     /* of a service account, as the binding has them */
    struct cow_key list; /* the list this binding is in because of it */
};
struct compiled_binding {
    struct cow_item item;
    str role_kind;
    struct cow_key role;
    bool role_known; /* else its kind is none that there is */
    size_t subject_count;
    struct compiled_subject subjects[];
};

struct named_by {
    struct compiled_binding *binding;
    size_t subject;
};
struct subject_list {
    struct cow_item item;
    struct named_by *items; /* by the bindings' names */
    size_t count, cap;
};

static inline const struct compiled_role *compiled_role_of(const struct cow_item *item)
{
    static_assert(offsetof(struct compiled_role, item) == 0, "an item is the front of what it is of");
    return (const struct compiled_role *)(const void *)item;
}
static inline const struct subject_list *subject_list_of(const struct cow_item *item)
{
    static_assert(offsetof(struct subject_list, item) == 0, "an item is the front of what it is of");
    return (const struct subject_list *)(const void *)item;
}

/* NULL: not what a role or binding looks like; it then grants nothing. One reference, the caller's. */
struct compiled_role *rbac_role_compile(const uint64_t hash_key[2], enum rbac_kind kind, str ns, str name,
                                        str content);
struct compiled_binding *rbac_binding_compile(const uint64_t hash_key[2], enum rbac_kind kind, str ns,
                                              str name, str content);

/* Makes `t` (not shared yet) as it is with this content of that role or binding; STR_NONE: without it. */
void rbac_change(const uint64_t hash_key[2], struct cow_table *t, enum rbac_kind kind, str ns, str name,
                 str content);

/* --- asking --- */
/* A request taken apart once for many rules. */
struct rbac_ask {
    const struct attributes *at;
    uint16_t verb;     /* its bit, or 0 */
    size_t resource_n; /* of "resource/subresource" */
};
struct rbac_ask rbac_ask_of(const struct attributes *at);
bool rbac_rule_allows(const struct compiled_rule *rule, const struct rbac_ask *ask);
bool rbac_role_allows(const struct compiled_role *role, const struct rbac_ask *ask);

/* Calls `visit` with each binding that gives something to the user in the namespace or the cluster, until it says false. The
 * role is NULL when it is not there. */
struct rbac_grant {
    const struct compiled_binding *binding;
    const struct compiled_subject *subject;
    const struct compiled_role *role;
};
typedef bool rbac_visit_fn(void *ctx, const struct rbac_grant *grant);
void rbac_visit(const struct cow_table *t, const uint64_t hash_key[2], const struct user *u, str ns,
                rbac_visit_fn *visit, void *ctx);

void rbac_table_authorize(const struct cow_table *t, const uint64_t hash_key[2], struct arena *a,
                          const struct attributes *at, struct authz_answer *ret);
/* How roles that are not there are called. */
enum rbac_error_style {
    RBAC_ERRORS_SINGULAR, /* clusterrole.rbac.authorization.k8s.io "x" not found */
    RBAC_ERRORS_PLURAL,
};
/* Rules live as long as the table. */
void rbac_table_rules(const struct cow_table *t, const uint64_t hash_key[2], struct arena *a,
                      const struct user *u, str ns, enum rbac_error_style style, const struct rbac_rule **ret,
                      size_t *ret_count, str *ret_error);
bool rbac_table_role_rules(const struct cow_table *t, const uint64_t hash_key[2], struct arena *a, str kind,
                           str ns, str name, const struct rbac_rule **ret, size_t *ret_count);

/* Those of `wanted` that are not covered by `owned`, each broken down to one verb, group, resource and name, and then put
 * together by verbs. False: there are more combinations than anybody looks at (they count as not covered). */
#define RBAC_COMBINATIONS_MAX 20000
bool rbac_missing(struct arena *a, const struct rbac_rule *owned, size_t owned_count,
                  const struct rbac_rule *wanted, size_t wanted_count, const struct rbac_rule **ret,
                  size_t *ret_count);
/* The same, not put together: what the original adds to a role that lacks something. */
bool rbac_missing_parts(struct arena *a, const struct rbac_rule *owned, size_t owned_count,
                        const struct rbac_rule *wanted, size_t wanted_count, const struct rbac_rule **ret,
                        size_t *ret_count);
bool rbac_table_covers(const struct cow_table *t, const uint64_t hash_key[2], struct arena *a,
                       const struct user *u, str ns, const struct rbac_rule *rules, size_t rule_count,
                       str *ret_missing);

#endif
