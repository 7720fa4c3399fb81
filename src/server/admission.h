/* admission.h - what happens to a write after it was decoded and before it is stored, besides the rules of its kind:
 * plugins, each in a file of its own in this folder (admit_*.c) and listed in admission.def, in the original's order.
 * A plugin looks at the object that is wanted (`tree`: stored version, with defaults, not yet validated), at the one that is
 * there, and at the snapshot the try began with. It may change the tree, add guards for what it relied on and changes that
 * have to happen together with the write (write_guard, write_change): a try that fails a guard begins anew, with a newer
 * snapshot. It must not remember anything between tries.
 * A refusal is an answer: FORBIDDEN with `KIND "NAME" is forbidden: why`, as the original words it. */
#ifndef SERVER_ADMISSION_H
#define SERVER_ADMISSION_H

#include "server/write.h"

enum admission_operation {
    ADMIT_CREATE = 1 << 0,
    ADMIT_UPDATE = 1 << 1,
    ADMIT_DELETE = 1 << 2,
};

struct admission_plugin {
    const char *name;     /* "ServiceAccount" */
    unsigned operations;  /* enum admission_operation */
    const char *resource; /* store name: "pods"; NULL: every one */
    bool subresources;    /* asked for them too (r->at.subresource) */
    /* NEXT, or answered. Both may be NULL. `tree` is NULL for a deletion. */
    enum stage_result (*mutate)(struct request *r, struct write *w, struct json *tree);
    /* After all mutation and validation: must not change anything. */
    enum stage_result (*check)(struct request *r, struct write *w, const struct json *tree);
};

enum stage_result admission_mutate(struct request *r, struct write *w, struct json *tree);
enum stage_result admission_check(struct request *r, struct write *w, const struct json *tree);

#endif
