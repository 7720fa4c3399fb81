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

/* Whom to tell of a member, by its path ("spec.containers[0].foo"), borrowed for the call. Either may be NULL. */
struct tree_report {
    void (*on_unknown)(void *ctx, str path);   /* the schema does not know it */
    void (*on_duplicate)(void *ctx, str path); /* its object has it already: a tree of JSON_DUPLICATES_KEEP */
    void *ctx;
};

/* A new tree, in which of two members of one name the last one counts. BAD_REQUEST with the original's text when a value is of the wrong type: "json: cannot unmarshal string into
 * Go struct field DeploymentSpec.spec.replicas of type int32". `kind` and `apiVersion` are kept at the front where the
 * type is a kind's. */
err_code tree_normalise(struct arena *a, const struct schema *s, const struct schema_type *t,
                        const struct json *in, const struct tree_report *report, struct json *ret,
                        struct err *err);

/* What a body may be written in. */
enum tree_format { TREE_JSON, TREE_YAML, TREE_PROTOBUF };

/* By a request's Content-Type ("application/yaml; charset=utf-8"; none: JSON). UNSUPPORTED_MEDIA_TYPE, saying what would
 * be accepted; for custom resources that is not protobuf. */
err_code tree_format_of(str content_type, const struct schema *s, enum tree_format *ret, struct err *err);

/* What strict decoding complains about, each once, in the original's words and order: `unknown field "spec.foo"`,
 * `duplicate field "spec.bar"`, of YAML `line 7: key "bar" already set in map`. In the arena.
 * Each is a warning; whoever is asked to be strict refuses the body with all of them in one text. Protobuf has none. */
#define TREE_COMPLAINTS_MAX 100
struct tree_complaints {
    struct arena *arena;
    str items[TREE_COMPLAINTS_MAX];
    size_t count;
    size_t of_yaml; /* so many in front are about the text of YAML */
};
/* Another one, unless it is there; borrowed. */
void tree_complaints_add(struct tree_complaints *c, str text);
void tree_complaints_print(const struct tree_complaints *c,
                           struct buf *out); /* `strict decoding error: ...` */

/* A body to a normalised tree:
 *
 *     if (tree_format_of(http_header_find(head, S("content-type")), s, &format, err) ||
 *         tree_read(a, s, t, format, body, &complaints, &tree, err))
 *         return err->code;
 *
 * The tree begins with kind and apiVersion if the body says them, in whatever form; whether they are those expected is
 * the caller's question. Of a YAML body only the first document is read, as by the original. SYNTAX where the bytes do not
 * parse, BAD_REQUEST as tree_normalise, TOO_LARGE by the limits of json.h, yaml.h and protobuf.h; the size of a body is
 * for the caller to bound. `ret` borrows from the body. */
err_code tree_read(struct arena *a, const struct schema *s, const struct schema_type *t,
                   enum tree_format format, str body, struct tree_complaints *ret_complaints,
                   struct json *ret, struct err *err);

/* In place, in a normalised tree. */
void tree_defaults(struct arena *a, const struct schema *s, const struct schema_type *t, struct json *tree);

/* A normalised tree with its defaults. Types marked `coded` are left to the rules of their kind (rules.h). Of a custom resource also its types, which are not looked at before, in the words
 * that the original has for those; each error once; CEL rules are not evaluated. Nothing is allocated for what is valid, but
 * for lists of more than 16 items that must be different. The work for a custom resource is bounded: past some 30 million
 * steps (0.1 s; a match of an expression may take a millisecond of it) it is refused with an internal error. */
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
