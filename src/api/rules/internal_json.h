/* internal_json.h - values as messages of the original show them where it hands whole structs to its errors: not as the
 * document says them, but by the names of its internal fields, all of them, those that are not set too:
 *     {"Name":"a","ResourceClaimName":null,"ResourceClaimTemplateName":null}
 * Clients that match on such messages exist; what two of them differ by is shown as a diff of the same text.
 * Memory: the arena. For files of this folder. */
#ifndef API_RULES_INTERNAL_JSON_H
#define API_RULES_INTERNAL_JSON_H

#include "api/schema.h"
#include "wire/json.h"

/* A normalised tree of the type. */
struct json internal_json_of_tree(struct arena *a, const struct schema_type *type, const struct json *tree);
/* A view of it. */
struct json internal_json(struct arena *a, const struct schema_type *type, const void *view);
/* What makes the second of the first, in unified form with three lines around each change. */
str internal_diff(struct arena *a, const struct schema_type *type, const struct json *old_tree,
                  const struct json *new_tree);

#endif
