/* view.h - the pieces that generated view structs are made of, and how views are read and written.
 * A view is a read-only C struct of an object (`pod->spec.node_name`), decoded by table from its content and borrowing
 * strings from it: content and arena must outlive the view. Which C type stands for what:
 *   bool, int32_t, int64_t, double   plain; zero means empty
 *   struct opt_*                     pointer fields: unset and zero are different
 *   str                              text; bytes (decoded); raw JSON of Object, Any and Fields. Unset: p == NULL
 *   struct quantity, int_or_string   pointer fields: const pointer, NULL when unset
 *   struct kube_time                 times; zero when unset or null
 *   struct X_array, struct X_map     lists; maps sorted by key
 *   struct X / const struct X *      structs by value, pointer fields behind a pointer
 * Threads: a view is constant once decoded. */
#ifndef API_VIEW_H
#define API_VIEW_H

#include "api/schema.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/int_or_string.h"
#include "base/kube_time.h"
#include "base/quantity.h"
#include "base/str.h"

struct opt_bool {
    bool value, is_set;
};
struct opt_int32 {
    int32_t value;
    bool is_set;
};
struct opt_int64 {
    int64_t value;
    bool is_set;
};
struct opt_uint32 {
    uint32_t value;
    bool is_set;
};
struct opt_uint64 {
    uint64_t value;
    bool is_set;
};
struct opt_double {
    double value;
    bool is_set;
};

#define VIEW_ARRAY(name, type) \
    struct name##_array {      \
        const type *items;     \
        size_t count;          \
    }
#define VIEW_MAP(name, type)                  \
    struct name##_map_entry {                 \
        str key;                              \
        type value;                           \
    };                                        \
    struct name##_map {                       \
        const struct name##_map_entry *items; \
        size_t count;                         \
    }
VIEW_ARRAY(bool, bool);
VIEW_ARRAY(int32, int32_t);
VIEW_ARRAY(int64, int64_t);
VIEW_ARRAY(str, str);
VIEW_ARRAY(quantity, struct quantity);
VIEW_MAP(str, str);
VIEW_MAP(str_array, struct str_array);
VIEW_MAP(quantity, struct quantity);
VIEW_MAP(time, struct kube_time);
/* How code that knows no type walks any of them. */
VIEW_ARRAY(any, void);
struct any_map {
    const void *items;
    size_t count;
};

/* The three of JSON schema documents; `type` is a view of the struct side, NULL when it is the other. */
struct view_or_bool {
    const void *type;
    bool allows;
};
struct view_or_list {
    const void *type;
    struct any_array types; /* of whole views, one behind the other */
};
struct view_or_strings {
    const void *type;
    struct str_array strings;
};
VIEW_MAP(or_strings, struct view_or_strings);

/* Decodes JSON content into a view of the type, which the caller has room for (view_size bytes). Members that the schema
 * does not know are skipped; a value of the wrong type is ERR_CORRUPT: content was normalised before it was stored. */
err_code view_decode(struct arena *a, const struct schema *s, const struct schema_type *t, str content,
                     void *ret, struct err *err);
/* The content of a view: canonical JSON, as tree_normalise would have left it. kind and apiVersion are not part of it. */
void view_encode(struct buf *out, const struct schema *s, const struct schema_type *t, const void *view);

/* By C type: struct pod p; VIEW_DECODE(a, pod, content, &p, err); VIEW_ENCODE(out, pod, &p); */
#define VIEW_TYPE(c_type) (&schema_builtin.types[VIEW_TYPE_##c_type])
#define VIEW_DECODE(a, c_type, content, ret, err)                                                        \
    view_decode((a), &schema_builtin, VIEW_TYPE(c_type), (content), (1 ? (ret) : (struct c_type *)NULL), \
                (err))
#define VIEW_ENCODE(out, c_type, view) \
    view_encode((out), &schema_builtin, VIEW_TYPE(c_type), (1 ? (view) : (const struct c_type *)NULL))

#endif
