/* rules.h - what the schema cannot say about a kind: defaults that depend on other fields, what clients may not set, rules
 * between fields, what an update may change. Code by kind stands in src/api/rules/, one file for kinds that belong together,
 * and is listed in rules.def.
 *
 * The order of a write: body -> tree -> `defaults` -> tree_defaults -> `on_create` or `on_update` -> admission -> normalise ->
 * print -> view -> tree_validate, `validate` (and `validate_update`) -> store.
 * What holds for every kind is not repeated here: metadata is checked, and generation, creationTimestamp, uid and status (kept
 * on a plain update; all but status kept on an update of status) are taken care of, by the server's write path.
 * Pure: the same input gives the same result; the time is an input. Addresses, ports and whatever else needs the store is
 * not done here.
 * Threads: any. */
#ifndef API_RULES_H
#define API_RULES_H

#include "api/field_error.h"
#include "api/schema.h"
#include "wire/json.h"

#define RULES_WARNINGS_MAX 50

struct rules_input {
    struct arena *arena; /* of what is added to the tree */
    int64_t now_wall;
    str subresource; /* empty: the object itself; "status", "scale", ... */
    /* The view of what is stored, while `validate` and `warnings` look at an update: what was wrong before may stay. NULL: a
     * create. */
    const void *old;
    /* Warnings for the client, in the original's words; `warn` may be NULL. */
    void (*warn)(void *ctx, str text);
    void *ctx;
};

struct kind_rules {
    const char *package, *kind; /* "apps/v1", "Deployment" */
    /* Does an update of the spec count metadata.generation up? */
    bool has_generation;
    /* All may be NULL. Trees are normalised; views are of the kind's generated struct, of content with all defaults. */
    void (*defaults)(const struct rules_input *in, struct json *tree);
    void (*on_create)(const struct rules_input *in, struct json *tree);
    void (*on_update)(const struct rules_input *in, struct json *tree, const struct json *old);
    void (*validate)(const struct rules_input *in, const void *view, struct field_errors *errors);
    void (*validate_update)(const struct rules_input *in, const void *view, const void *old,
                            struct field_errors *errors);
    /* Called after validation succeeded; old NULL: a create. */
    void (*warnings)(const struct rules_input *in, const void *view, const void *old);
};

/* NULL: the kind has none. */
const struct kind_rules *kind_rules_find(const struct schema *s, const struct schema_kind_info *k);

#endif
