/* node_priv.h - what pods and volumes refer to, from their content: what node_*.c share. (Apart from node_authz.c: the views of
 * documents and base/selector.h, which the store's headers include, both have a struct label_selector.)
 * Content that cannot be read refers to nothing. */
#ifndef SERVER_NODE_PRIV_H
#define SERVER_NODE_PRIV_H

#include "base/arena.h"
#include "base/str.h"

enum node_ref {
    NODE_REF_SECRET,
    NODE_REF_CONFIG_MAP,
    NODE_REF_CLAIM, /* persistentvolumeclaims */
    NODE_REF_RESOURCE_CLAIM,
    NODE_REF_ACCOUNT,
};
/* Does the pod refer to an object of that name in its namespace? Mirror pods refer to nothing: agents make those. */
bool pod_refers(struct arena *scratch, str content, enum node_ref kind, str name);
/* The persistentvolumeclaims of a pod; in the arena. */
void pod_claims(struct arena *a, str content, const str **ret, size_t *ret_count);
/* Is the volume bound to that claim? */
bool volume_has_claim(struct arena *scratch, str content, str ns, str claim);
/* Does a node need that secret for the volume? Those only controllers need are not meant. */
bool volume_shows_secret(struct arena *scratch, str content, str ns, str secret);

#endif
