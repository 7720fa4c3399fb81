/* tree.h - a document as an editable tree, walked along its schema: what turns bytes from outside into content.
 *   tree_normalise   as the original's decoder and encoder would leave it: unknown members out, empty ones out, canonical
 *                    scalars, members in the schema's order, maps by key
 *   tree_defaults    what nobody said, filled in (the static part; what depends on other fields is code)
 *   tree_validate    what the schema alone can tell is wrong
 *   tree_immutable   what an update may not change
 *   message_*        protobuf, both ways
 * Memory: results live in the arena and may borrow from the input tree and the schema.
 * Threads: any, a tree in one at a time. */
#ifndef API_TREE_H
#define API_TREE_H

#include "api/field_error.h"
#include "api/schema.h"
#include "wire/json.h"

/* The place of a whole document of a type. */
struct schema_at schema_at_type(const struct schema *s, const struct schema_type *t,
                                struct schema_node *storage);

struct tree_report {
    /* Called for every member the schema does not know, with its path ("spec.containers[0].foo"), borrowed for the
     * call. May be NULL. */
    void (*on_unknown)(void *ctx, str path);
    void *ctx;
};

/* A new tree. BAD_REQUEST with the original's text when a value is of the wrong type: "json: cannot unmarshal string into
 * Go struct field DeploymentSpec.spec.replicas of type int32". `kind` and `apiVersion` are kept at the front where the
 * type is a kind's. */
err_code tree_normalise(struct arena *a, const struct schema *s, const struct schema_type *t,
                        const struct json *in, const struct tree_report *report, struct json *ret,
                        struct err *err);

/* What strict decoding complains about, in the original's words: `unknown field "spec.foo"`, `duplicate field "spec.bar"`.
 * Each once, duplicates first; no more than the original tells. In the arena. */
#define TREE_COMPLAINTS_MAX 100
struct tree_complaints {
    struct arena *arena;
    str items[TREE_COMPLAINTS_MAX];
    size_t count;
};
void tree_complaints_add(struct tree_complaints *c, const char *what,
                         str path); /* what: "unknown", "duplicate" */

/* A JSON body to a normalised tree, with what is said twice or not known on the way (of two, the later one counts).
 * Whoever is asked to be strict refuses a body with complaints; else they are warnings. `ret` borrows from the text. */
err_code tree_read(struct arena *a, const struct schema *s, const struct schema_type *t, str text,
                   struct tree_complaints *ret_complaints, struct json *ret, struct err *err);

/* In place, in a normalised tree. */
void tree_defaults(struct arena *a, const struct schema *s, const struct schema_type *t, struct json *tree);

/* A normalised tree with its defaults. */
void tree_validate(const struct schema *s, const struct schema_type *t, const struct json *tree,
                   struct field_errors *errors);
/* Two normalised trees of one type. */
void tree_immutable(const struct schema *s, const struct schema_type *t, const struct json *old,
                    const struct json *updated, struct field_errors *errors);

/* Protobuf message of a type, without envelope, to a normalised tree (without kind and apiVersion) and back. Encoding is
 * byte for byte what the original writes. Decoding skips fields it does not know. */
err_code message_decode(struct arena *a, const struct schema *s, const struct schema_type *t, str bytes,
                        struct json *ret, struct err *err);
/* `out` gets the message; `tree` must be normalised. */
err_code message_encode(struct arena *a, const struct schema *s, const struct schema_type *t,
                        const struct json *tree, struct buf *out, struct err *err);

#endif
