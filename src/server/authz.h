/* authz.h - may this user do that? Asked of several authorizers in order; the first that has an opinion decides.
 * Pure on a snapshot of the store: what an authorizer compiles from it (roles and bindings by subject, pods by node) it keeps
 * and brings up to date from the snapshot's changes; it is shared by all loops. An answer is as of the snapshot given, or of a
 * newer one: what was answered to a writer before the snapshot was taken, counts.
 * Nothing here refuses: an authorizer that does not allow has no opinion, and a request that nobody allows is refused by
 * the caller, with authz_forbidden_message and the reasons.
 * Threads: any. */
#ifndef SERVER_AUTHZ_H
#define SERVER_AUTHZ_H

#include "base/arena.h"
#include "base/buf.h"
#include "server/identity.h"

struct snapshot;
struct store;

enum authz_decision {
    AUTHZ_NO_OPINION,
    AUTHZ_ALLOW,
    AUTHZ_DENY,
};

struct authz_answer {
    bool
        explain; /* set by the caller who wants the reason of what is allowed: audit, access reviews. It costs memory. */
    enum authz_decision decision;
    /* In the arena: `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to Group "z"` when asked to explain; why not,
     * where there is something to say; empty. */
    str reason;
};

/* --- all of them --- */
struct authz {
    struct rbac *rbac;
    struct node_authz *nodes; /* NULL: agents are users like any other */
};
/* system:masters, then nodes, then RBAC; reasons of those that did not allow are joined by newlines. */
void authz_authorize(const struct authz *z, struct arena *a, const struct snapshot *sn,
                     const struct attributes *at, struct authz_answer *ret);
bool authz_is_master(const struct user *u);

/* The message of the Status a refused request gets (reason Forbidden, 403; its details are the attributes' group, resource and
 * name): `pods "x" is forbidden: User "u" cannot get resource "pods" in API group "" in the namespace "default": REASON`. */
void authz_forbidden_message(struct buf *out, const struct attributes *at, str reason);

/* --- RBAC --- */
struct rbac;
/* Reads every role and binding there is: some microseconds each. The hash key is random: names come from outside. */
struct rbac *rbac_new(struct store *s, const uint64_t hash_key[2]);
void rbac_free(struct rbac *r);
/* No heap; the arena only for reasons. */
void rbac_authorize(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct attributes *at,
                    struct authz_answer *ret);

struct rbac_rule {
    const str *verbs, *groups, *resources, *names, *urls;
    size_t verb_count, group_count, resource_count, name_count, url_count;
};

/* The rules a user has in a namespace (empty: in the whole cluster), for SelfSubjectRulesReview: those with resources are its
 * resourceRules, those with urls its nonResourceRules. `ret_error` is its evaluationError, empty when all roles were found.
 * They live as long as the arena. (Nodes have more than these: node_authz_rules_error.) */
void rbac_rules(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct user *u, str ns,
                const struct rbac_rule **ret, size_t *ret_count, str *ret_error);

/* What a roleRef gives: the rules of a Role of the namespace or of a ClusterRole. False: there is no such role. */
bool rbac_role_rules(struct rbac *r, struct arena *a, const struct snapshot *sn, str kind, str ns, str name,
                     const struct rbac_rule **ret, size_t *ret_count);

/* The rules of a Role or ClusterRole, of its content. CORRUPT: they cannot be read. */
err_code rbac_rules_decode(struct arena *a, str content, const struct rbac_rule **ret, size_t *ret_count,
                           struct err *err);

/* --- nobody gives away more than he has ---
 * Are all of `rules` covered by what the user has in the namespace? If not, `ret_missing` says what is missing, in the
 * original's words. Covering is not matching: "*" among the rules is only covered by "*", names only by the same or none.
 *
 * Whoever writes roles and bindings asks in this order, before the write is committed; each "yes" ends it:
 *   Role, ClusterRole, when rules are there (an update that only removes owners or finalizers is not asked):
 *     1. authz_is_master(user)
 *     2. authorize(verb "escalate", the role's resource, namespace and name)
 *     3. of a ClusterRole with an aggregationRule: rbac_covers(rbac_everything), else forbidden with
 *        "must have cluster-admin privileges to use the aggregationRule"
 *     4. rbac_covers(its rules, in its namespace), else Forbidden (403) of that object with `ret_missing` as its cause:
 *        roles.rbac.authorization.k8s.io "x" is forbidden: user "y" (groups=["z"]) is attempting to grant ...
 *   RoleBinding, ClusterRoleBinding:
 *     1. authz_is_master(user)
 *     2. authorize(verb "bind", "roles" or "clusterroles" as roleRef says, name of the roleRef, in the binding's namespace)
 *     3. rbac_role_rules(roleRef), else NotFound (404): clusterroles.rbac.authorization.k8s.io "x" not found
 *     4. rbac_covers(those, in the binding's namespace), else Forbidden of the binding. */
bool rbac_covers(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct user *u, str ns,
                 const struct rbac_rule *rules, size_t rule_count, str *ret_missing);
extern const struct rbac_rule rbac_everything[2];

/* What a ClusterRole with an aggregationRule should have for rules: those of all others it selects, in the order of selectors
 * and names, each once. `role` and the others (all there are, by name; itself may be among them) are contents of ClusterRoles with
 * their names. The answer is a `rules` value, ready for a tree, that borrows from the contents; `ret_changed`: it is not what the role has. Roles that aggregate each other settle by doing this again
 * after each write. False: the role does not aggregate. CORRUPT: contents cannot be read; INVALID: a selector. */
struct cluster_role_doc {
    str name, content;
};
struct json;
err_code rbac_aggregate(struct arena *a, struct cluster_role_doc role, const struct cluster_role_doc *others,
                        size_t other_count, bool *ret_aggregates, struct json *ret_rules, bool *ret_changed,
                        struct err *err);

/* --- nodes: what an agent (system:node:NAME in system:nodes) may read and write: its own objects, its pods and what they
 * refer to --- */
struct node_authz;
struct node_authz *node_authz_new(struct store *s, const uint64_t hash_key[2]);
void node_authz_free(struct node_authz *n);
void node_authorize(struct node_authz *n, struct arena *a, const struct snapshot *sn,
                    const struct attributes *at, struct authz_answer *ret);
/* What a SelfSubjectRulesReview of a node says besides RBAC's rules (and that it is incomplete); empty for others. */
str node_authz_rules_error(const struct user *u);

#endif
