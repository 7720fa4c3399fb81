/* patch.h - the three patches: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch, which knows from the
 * schema how lists merge. As the original's, odd corners included: they are told where the code is.
 * Trees in, a new tree out; `doc` and the patch stay as they were. The result is no normalised tree yet. What is copied lives
 * in the arena; what did not change is shared with `doc` (but by JSON patches, which share strings only).
 * Limits: PATCH_OPERATIONS_MAX operations of a JSON patch; its `copy`s cannot make a document larger by more than PATCH_SIZE_MAX
 * bytes as text (patch bombs); nesting as in json.h.
 * Errors, with what the original answers:
 *   BAD_REQUEST  400, its message: what was sent is no patch
 *   INVALID      422: it does not apply (a failed `test`, a path that is not there). Clients see PATCH_INVALID_MESSAGE; what
 *                err says is for logs
 *   TOO_LARGE    413, its message
 *   INTERNAL     500, its message, without a reason: strategic merge patches that contradict their schema
 * Threads: any. */
#ifndef API_PATCH_H
#define API_PATCH_H

#include "api/schema.h"
#include "api/tree.h"
#include "wire/json.h"

#define PATCH_OPERATIONS_MAX  10000
#define PATCH_SIZE_MAX        ((size_t)3 << 20)
#define PATCH_INVALID_MESSAGE "the server rejected our request due to an error in our request"

/* `complaints` (NULL: nobody asks) gets members of operations that are not known: `json patch unknown field "[0].foo"`; with
 * it operations are read strictly, as they are for fieldValidation Strict and Warn. */
err_code patch_json(struct arena *a, const struct json *doc, const struct json *patch,
                    struct tree_complaints *complaints, struct json *ret, struct err *err);
err_code patch_merge(struct arena *a, const struct json *doc, const struct json *patch, struct json *ret,
                     struct err *err);
/* Built-in kinds only (the original answers 415 for others). Directives: $patch, $retainKeys, $setElementOrder/...,
 * $deleteFromPrimitiveList/... */
err_code patch_strategic(struct arena *a, const struct schema *s, const struct schema_type *t,
                         const struct json *doc, const struct json *patch, struct json *ret, struct err *err);

#endif
