/* apply.h - who manages which field (metadata.managedFields), kept through every kind of write; and server-side apply.
 * Pure functions on trees of one type, along its schema (built-in or custom): which lists are maps, sets or atomic is said
 * there. Without a schema (type NULL) maps merge key by key and lists are atomic.
 *
 * Where they stand in a write: a create, update or patch is tracked (apply_track) once its tree is normalised and has its
 * defaults, before admission; an apply is merged (apply_config), and its result gets defaults afterwards, which nobody owns.
 * When the tree is finished, apply_settle takes back times that are all that changed.
 * Results live in the arena and share with what was given. Messages and orders are the original's.
 * Limits: MANAGED_ENTRIES_MAX entries written by updates (the oldest become one entry "ancient-changes"); the fields of an
 * entry nest and grow no further than the document does, and below level 100 of it a value is one field.
 * Threads: any. */
#ifndef API_APPLY_H
#define API_APPLY_H

#include "api/schema.h"
#include "base/kube_time.h"
#include "wire/json.h"

#define MANAGED_ENTRIES_MAX 10
#define APPLY_MANAGER_MAX   128 /* bytes of a manager's name */

/* One version of a kind. */
struct apply_version {
    const struct schema *schema;
    const struct schema_type *type; /* NULL: of no known schema */
    str api_version, kind;
};

/* Other versions of the kind: a field set is recorded in the version of whoever wrote it, and compared in that one. */
struct apply_versions {
    /* Finds a version. False: it is not served (any more); what was recorded in it is dropped. */
    bool (*find)(void *ctx, str api_version, struct apply_version *ret);
    /* A normalised tree (kind and apiVersion included) of `from` as it is in `to`, normalised. */
    err_code (*convert)(void *ctx, struct arena *a, const struct apply_version *from,
                        const struct apply_version *to, const struct json *tree, struct json *ret,
                        struct err *err);
    void *ctx;
};

/* What a resource's strategy takes back from every write through it, so that nobody owns it by one: the main resource resets
 * status, the status subresource resets spec. Patterns: "status", "metadata.ownerReferences",
 * "spec.containers.*.resources"; in one version. */
struct apply_reset {
    str api_version;
    const str *patterns;
    size_t pattern_count;
    bool all_but; /* the patterns are all that is not reset */
};

struct apply_who {
    str manager;     /* see apply_manager; empty: "unknown" */
    str api_version; /* of the document as the client sees it */
    str kind;
    str subresource; /* empty: none */
    struct kube_time now;
    const struct apply_versions *versions; /* NULL: there is no other one */
    const struct apply_reset *resets;
    size_t reset_count;
};

/* What an update is recorded under: the request's fieldManager, else its user agent up to the first '/', without what does
 * not print, at most APPLY_MANAGER_MAX bytes. */
str apply_manager(struct arena *a, str field_manager, str user_agent);

/* Asks what a client sent, not yet normalised, for managedFields to be forgotten? An empty list, or one empty entry, does. */
bool apply_is_reset(const struct json *raw);
/* Is this what stands in metadata.managedFields? BAD_REQUEST says what is wrong: admission that breaks it is undone, with a
 * warning. `list` may be NULL. */
err_code apply_check_managed(const struct json *list, struct err *err);

/* After a create (old NULL), update or patch: sets metadata.managedFields of `tree` to the old entries with what changed
 * credited to `who`. Entries that the client sent are taken where it may (not through a subresource) and where they can be
 * read; else those of `old` stay. An object whose entries were forgotten is not tracked until it is applied to.
 * `reset`: see apply_is_reset. Fails only where memory or a conversion does (the old entries stay, then, as in the original). */
err_code apply_track(struct arena *a, const struct schema *s, const struct schema_type *t,
                     const struct json *old, struct json *tree, bool reset, const struct apply_who *who,
                     struct err *err);

/* Sets the entries' times of `tree` back to those of `old` when nothing else differs between the two (resourceVersion does
 * not count). True: then nothing needs to be written. */
bool apply_settle(struct arena *a, const struct json *old, struct json *tree);

struct apply_conflict {
    str manager; /* as the message names it: `"kubectl" using apps/v1`, `"x" with subresource "status"` */
    const str
        *paths; /* ".spec.replicas"; a cause each: FieldManagerConflict, `conflict with MANAGER`, the path */
    size_t path_count;
};
#define APPLY_CONFLICTS_MAX 1000 /* paths told */

struct apply_result {
    struct json tree; /* normalised, with its managedFields; without defaults for what is new */
    bool
        unchanged; /* nothing of it differs from `live` (which is then what `tree` is): nothing needs to be written */
    /* CONFLICT: by manager and field. */
    const struct apply_conflict *conflicts;
    size_t conflict_count;
    str message; /* of CONFLICT: whole, where an err's may be cut */
};
/* `live` NULL: there is none yet. `config` is what was sent: no defaults, not normalised, its fields are what is owned then.
 * CONFLICT (the message is the Status's: "Apply failed with 2 conflicts: ..."; `ret` says more), unless `force`.
 * BAD_REQUEST: another kind or version, managedFields in the config. INTERNAL (the original answers 500, without a reason):
 * a field that the schema does not know, a value of the wrong type, a list map without its keys, the same key twice.
 * For the manager "kubectl", what `live` got by client-side apply (the last-applied annotation) is no conflict, and the
 * annotation is kept up to date. */
err_code apply_config(struct arena *a, const struct schema *s, const struct schema_type *t,
                      const struct json *live, const struct json *config, const struct apply_who *who,
                      bool force, struct apply_result *ret, struct err *err);

/* The scale subresource: its document has managedFields of its own, those entries of the main resource's that own the number
 * of replicas. Each version of the main resource says where that stands ("spec.replicas"; empty: nowhere). */
struct apply_scale_path {
    str api_version;
    str path;
};
/* Main resource's entries to the scale's. */
err_code apply_scale_from(struct arena *a, const struct json *entries, const struct apply_scale_path *paths,
                          size_t path_count, struct json *ret, struct err *err);
/* After the scale was tracked: its entries back into the main resource's, as of `api_version`. */
err_code apply_scale_to(struct arena *a, const struct json *entries, const struct json *scale_entries,
                        const struct apply_scale_path *paths, size_t path_count, str api_version,
                        struct json *ret, struct err *err);

#endif
