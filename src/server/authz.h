/* authz.h - may this user do that? Asked of several authorizers in order; the first that has an opinion decides.
 * Pure on a snapshot of the store: what an authorizer compiles from it (roles and bindings by user, the graph of nodes) it
 * keeps and brings up to date from the snapshot's changes; it is shared by all loops.
 * Threads: any. */
#ifndef SERVER_AUTHZ_H
#define SERVER_AUTHZ_H

#include "server/identity.h"
#include "store/store.h"

enum authz_decision {
    AUTHZ_NO_OPINION,
    AUTHZ_ALLOW,
    AUTHZ_DENY,
};

struct authz_answer {
    enum authz_decision decision;
    str reason; /* in the arena: `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to Group "z"` */
};

/* --- RBAC --- */
struct rbac;
struct rbac *rbac_new(struct store *s);
void rbac_free(struct rbac *r);
/* As of a snapshot that is not older than any given before on this loop... any thread may bring it up to date. */
void rbac_authorize(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct attributes *at,
                    struct authz_answer *ret);

/* The rules a user has in a namespace (SelfSubjectRulesReview), and the question behind escalation checks: are all of `rules`
 * covered by what the user has? Not covered: `ret_missing` says which, in the original's words. */
struct rbac_rule {
    const str *verbs, *groups, *resources, *names, *urls;
    size_t verb_count, group_count, resource_count, name_count, url_count;
};
void rbac_rules(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct user *u, str ns,
                const struct rbac_rule **ret, size_t *ret_count);
bool rbac_covers(struct rbac *r, struct arena *a, const struct snapshot *sn, const struct user *u, str ns,
                 const struct rbac_rule *rules, size_t rule_count, str *ret_missing);

/* --- nodes: what an agent (system:node:NAME in system:nodes) may read and write: its own pods and what they refer to --- */
struct node_authz;
struct node_authz *node_authz_new(struct store *s);
void node_authz_free(struct node_authz *n);
void node_authorize(struct node_authz *n, struct arena *a, const struct snapshot *sn,
                    const struct attributes *at, struct authz_answer *ret);

#endif
