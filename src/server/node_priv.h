/* node_priv.h - which pods a node has, and what they refer to: what node_*.c share and tests look at without a store.
 * The table has one list of pods for each node. What a pod refers to is read from the pod when somebody asks: pods come and change
 * much more often than agents ask, and what they refer to never changes the list. */
#ifndef SERVER_NODE_PRIV_H
#define SERVER_NODE_PRIV_H

#include "server/authz.h"
#include "server/cow.h"

struct compiled_role;
struct object;

/* --- node_refs.c: from contents --- */
enum node_ref {
    NODE_REF_SECRET,
    NODE_REF_CONFIG_MAP,
    NODE_REF_CLAIM, /* persistentvolumeclaims */
    NODE_REF_RESOURCE_CLAIM,
    NODE_REF_ACCOUNT,
};
/* Does the pod refer to an object of that name in its namespace? Mirror pods refer to nothing: agents make those. False too
 * when the content cannot be read. */
bool pod_refers(struct arena *scratch, str content, enum node_ref kind, str name);
/* The persistentvolumeclaims of a pod; in the arena. */
void pod_claims(struct arena *a, str content, const str **ret, size_t *ret_count);
/* Is the volume bound to that claim? */
bool volume_has_claim(struct arena *scratch, str content, str ns, str claim);
/* Does a node need that secret for the volume? Those only controllers need are not meant. */
bool volume_shows_secret(struct arena *scratch, str content, str ns, str secret);

/* --- node_authz.c --- */
/* Puts a pod on a node's list in a version not shared yet, or strikes it off. */
void node_pod_enter(const uint64_t hash_key[2], struct cow_table *t, str node, str ns, str pod);
void node_pod_strike(const uint64_t hash_key[2], struct cow_table *t, str node, str ns, str pod);

enum node_resource {
    NODE_PODS,
    NODE_CLAIMS,
    NODE_VOLUMES,
    NODE_ATTACHMENTS,
    NODE_SLICES,
    NODE_RESOURCE_COUNT,
};
/* What a question is asked of. The list may be newer than the objects: they have the last word. */
struct node_world {
    const struct cow_table *table;
    const uint64_t *hash_key;
    const struct compiled_role *rules; /* for what is not looked at more closely */
    const struct object *(*find)(void *ctx, enum node_resource resource, str ns,
                                 str name); /* NULL: not there */
    void *ctx;
};
void node_world_authorize(const struct node_world *w, struct arena *a, const struct attributes *at,
                          struct authz_answer *ret);

#endif
