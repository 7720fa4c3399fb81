/* bootstrap.h - what every cluster has from its first moment: namespaces, priority classes, flow control, roles and bindings. As
 * data (bootstrap.def), made into documents; and what is to be done about each at a start, given what is stored.
 * Pure. Threads: any. */
#ifndef SERVER_BOOTSTRAP_H
#define SERVER_BOOTSTRAP_H

#include "base/arena.h"
#include "base/err.h"

enum bootstrap_policy {
    BOOTSTRAP_IF_MISSING, /* written once, then the users' own */
    BOOTSTRAP_GRANTS,     /* roles and bindings: what is missing is added, nothing is taken away */
    BOOTSTRAP_MANDATORY,  /* flow control that must be as it is here */
    BOOTSTRAP_SUGGESTED,  /* flow control that is kept as it is here until a user changes it */
};

struct bootstrap_doc {
    str resource; /* of the store: "clusterroles.rbac.authorization.k8s.io" */
    str api_version, kind;
    str ns, name;
    /* Normalised, with all defaults; without what a creation adds: uid, creationTimestamp, generation, managedFields. */
    str content;
    enum bootstrap_policy policy;
    bool is_ours; /* not in the original: named skiff:... */
};

/* {0} begins. In an order in which they can be written: what others are in or refer to comes first. */
struct bootstrap_iter {
    size_t row;
    bool bindings; /* of controllers, which have a role and a binding each */
};
/* In the arena. False: no more. */
bool bootstrap_next(struct bootstrap_iter *it, struct arena *a, struct bootstrap_doc *ret);
bool bootstrap_find(struct arena *a, str resource, str ns, str name, struct bootstrap_doc *ret);

enum bootstrap_action {
    BOOTSTRAP_KEEP,
    BOOTSTRAP_CREATE,
    BOOTSTRAP_UPDATE,   /* the stored object gets this content */
    BOOTSTRAP_RECREATE, /* it must be deleted first: a binding to another role */
};
/* `stored` is the content there is; empty: none. `ret_content` for all but KEEP: in the arena. To be done at each start, as the
 * original does: a role or binding gets the rules, subjects, labels and annotations it lacks, but for those with the annotation
 * rbac.authorization.kubernetes.io/autoupdate=false; flow control gets its spec, unless a user has set
 * apf.kubernetes.io/autoupdate-spec=false. CORRUPT: what is stored cannot be read. */
err_code bootstrap_reconcile(struct arena *a, const struct bootstrap_doc *doc, str stored,
                             enum bootstrap_action *ret, str *ret_content, struct err *err);

#endif
