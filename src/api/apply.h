/* apply.h - who manages which field (metadata.managedFields), kept through every kind of write; and server-side apply.
 * Pure functions on normalised trees of one type, along its schema (built-in or custom): which lists are maps, sets or
 * atomic is said there.
 * Results live in the arena and share with what was given. Messages and orders are the original's.
 * Limits: MANAGED_ENTRIES_MAX entries written by updates (the oldest become one entry "ancient-changes"); the fields of an
 * entry nest and grow no further than the document does.
 * Threads: any. */
#ifndef API_APPLY_H
#define API_APPLY_H

#include "api/schema.h"
#include "base/kube_time.h"
#include "wire/json.h"

#define MANAGED_ENTRIES_MAX 10

struct apply_who {
    str manager;     /* fieldManager, or what stands for it: the user agent up to its first '/' */
    str api_version; /* of the document as the client sees it */
    str subresource; /* empty: none */
    struct kube_time now;
};

/* After a create (old NULL), update or patch: sets metadata.managedFields of `tree` to the old entries with what changed
 * credited to `who`. What the client sent for managedFields is looked at as the original does: an empty list resets them,
 * one that cannot be read is ignored. */
err_code apply_track(struct arena *a, const struct schema *s, const struct schema_type *t,
                     const struct json *old, struct json *tree, const struct apply_who *who, struct err *err);

struct apply_conflict {
    str manager; /* as the message names it: `"kubectl" using apps/v1`, `"x" with subresource "status"` */
    const str *paths; /* ".spec.replicas" */
    size_t path_count;
};
struct apply_result {
    struct json tree; /* with its managedFields */
    bool unchanged;   /* but for times: nothing needs to be written */
    /* CONFLICT: by manager and field. */
    const struct apply_conflict *conflicts;
    size_t conflict_count;
};
/* `live` NULL: there is none yet. `config` is what was sent, normalised but without defaults. CONFLICT (the message is the
 * Status's: "Apply failed with 2 conflicts: ..."), unless `force`; BAD_REQUEST: managedFields in the config, a list map
 * without its keys, the same key twice. What `live` was managed for by client-side apply (the last-applied annotation) moves
 * over as the original does. */
err_code apply_config(struct arena *a, const struct schema *s, const struct schema_type *t,
                      const struct json *live, const struct json *config, const struct apply_who *who,
                      bool force, struct apply_result *ret, struct err *err);

#endif
