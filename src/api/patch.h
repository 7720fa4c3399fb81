/* patch.h - the three patches: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch, which knows from the
 * schema how lists merge.
 * Trees in, a new tree out; what did not change is shared with `doc`, which stays as it was. The result is no normalised
 * tree yet. What is copied lives in the arena; strings are borrowed from doc and patch.
 * Limits: PATCH_OPERATIONS_MAX operations of a JSON patch; `copy` cannot make a document larger than PATCH_SIZE_MAX bytes
 * as text (patch bombs); nesting as in json.h.
 * Errors, as the original answers them: BAD_REQUEST for a patch that is none, INVALID for one that does not apply (a failed
 * `test`, a path that is not there), TOO_LARGE.
 * Threads: any. */
#ifndef API_PATCH_H
#define API_PATCH_H

#include "api/schema.h"
#include "wire/json.h"

#define PATCH_OPERATIONS_MAX 10000
#define PATCH_SIZE_MAX       ((size_t)3 << 20)

err_code patch_json(struct arena *a, const struct json *doc, const struct json *patch, struct json *ret,
                    struct err *err);
err_code patch_merge(struct arena *a, const struct json *doc, const struct json *patch, struct json *ret,
                     struct err *err);
/* Built-in kinds only (the original answers 415 for others). Directives: $patch, $retainKeys, $setElementOrder/...,
 * $deleteFromPrimitiveList/... */
err_code patch_strategic(struct arena *a, const struct schema *s, const struct schema_type *t,
                         const struct json *doc, const struct json *patch, struct json *ret, struct err *err);

#endif
