/* tree_priv.h - walks along a schema that start anywhere, and what the files of validation share. */
#ifndef API_TREE_PRIV_H
#define API_TREE_PRIV_H

#include "api/tree.h"

/* As tree_normalise, of a value. */
err_code tree_normalise_at(struct arena *a, struct schema_at at, const struct json *in,
                           const struct tree_report *report, struct json *ret, struct err *err);

/* A value of a built-in type. */
void tree_validate_builtin(struct schema_at at, const struct field_path *path, const struct json *j,
                           struct field_errors *errors);
/* A whole custom resource, or a part that is no whole object. */
void tree_validate_custom(struct schema_at at, const struct json *j, struct field_errors *errors);
/* What a schema gives as default. Places in messages begin with `path`. */
void tree_validate_default(struct schema_at at, const struct field_path *path, const struct json *j,
                           struct field_errors *errors);

/* x-kubernetes-list-type set and map: of the items that are there more than once, the second each. */
void tree_validate_list_set(struct field_errors *errors, const struct field_path *path,
                            const struct json *list, uint64_t *steps);
void tree_validate_list_map(struct field_errors *errors, const struct field_path *path,
                            const struct json *list, const struct schema *s, uint32_t keys, uint64_t *steps);
/* uniqueItems. */
bool tree_has_duplicates(struct arena *a, const struct json *list, uint64_t *steps);

/* x-kubernetes-embedded-resource: kind, apiVersion and metadata. */
void tree_validate_embedded(struct field_errors *errors, const struct field_path *path, const struct json *j);

#endif
