/* object.h - a stored object: its content and what must be known of it without reading that.
 * Content is canonical compact JSON as tree_normalise leaves it, without kind, apiVersion and metadata.resourceVersion:
 * those belong to how it is served, not to what it is. It begins with `{"metadata":{"name":`. What stands beside it (uid,
 * labels, owners, whether it is being deleted) are slices of it, found once when the object is made.
 * Immutable and counted. Only the store sets the revision, once, before anybody else sees the object.
 * Memory: one block. Threads: any. */
#ifndef API_OBJECT_H
#define API_OBJECT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/selector.h"
#include <stdatomic.h>

/* Where an object is: a resource by its number in the store (store.h), a namespace (empty: it is in none), a name. */
struct object_key {
    uint32_t resource;
    str ns;
    str name;
};
/* In the order of lists: resource, namespace, name, byte by byte. */
int object_key_cmp(const struct object_key *x, const struct object_key *y);

struct object_span {
    uint32_t at, n; /* bytes of the content; n 0: not there */
};

enum object_flags {
    OBJECT_DELETING = 1 << 0,   /* has a deletionTimestamp */
    OBJECT_FINALIZERS = 1 << 1, /* has finalizers */
};

struct object {
    _Atomic uint32_t refs;
    uint32_t resource;
    int64_t revision; /* of the write that made it; 0: not stored */
    uint32_t content_n;
    uint32_t revision_at; /* where in the content `"resourceVersion":"N",` goes when it is served; never 0 */
    uint32_t rest_at;     /* behind `metadata`: `,"spec":...` or the last `}` */
    struct object_span uid, labels, owners; /* uid without quotes; labels: {...}; owners: [...] */
    uint16_t ns_n, name_n;
    uint8_t flags;
    uint8_t slot; /* which change of its transaction; the store's */
    char text[];  /* namespace, name, content */
};

#define OBJECT_SIZE_MAX ((size_t)8 << 20) /* of content; what a client may send is less */

/* One reference, the caller's. The key and the content are copied. CORRUPT when the content is not of the form above or not
 * of that key (metadata is read; what stands behind it is not), TOO_LARGE above OBJECT_SIZE_MAX. */
err_code object_new(struct object_key key, str content, struct object **ret, struct err *err);
struct object *object_ref(const struct object *o);
struct object *object_unref(const struct object *o); /* NULL, and NULL is fine */

static inline str object_ns(const struct object *o)
{
    return (str){o->text, o->ns_n};
}
static inline str object_name(const struct object *o)
{
    return (str){o->text + o->ns_n, o->name_n};
}
static inline str object_content(const struct object *o)
{
    return (str){o->text + o->ns_n + o->name_n, o->content_n};
}
static inline struct object_key object_key(const struct object *o)
{
    return (struct object_key){o->resource, object_ns(o), object_name(o)};
}
static inline str object_slice(const struct object *o, struct object_span s)
{
    return s.n ? (str){object_content(o).p + s.at, s.n} : STR_NONE;
}
static inline str object_uid(const struct object *o)
{
    return object_slice(o, o->uid);
}
/* Bytes of memory it takes. */
static inline size_t object_size(const struct object *o)
{
    return offsetof(struct object, text) + o->ns_n + o->name_n + o->content_n;
}

/* The whole document. `head` is what comes first of it, for a kind always the same: `{"kind":"Pod","apiVersion":"v1",`, or
 * `{` for an item of a list. */
void object_print(struct buf *out, const struct object *o, str head);
/* With another revision than its own: what left a watch by a later write. */
void object_print_at(struct buf *out, const struct object *o, str head, int64_t revision);

/* Straight on the content, nothing is allocated: some 20 ns a label. Labels are what validation lets through as
 * such: text without escapes. */
bool object_matches_labels(const struct object *o, const struct label_selector *sel);
/* The value of one label. False: it has none of that key. */
bool object_label(const struct object *o, str key, str *ret_value);
/* What stands at a path such as "spec.nodeName", as field selectors compare it: text without quotes, true, 12. Empty: not
 * there, null, or not a scalar. Text with escapes goes into the arena. What follows `metadata` is found without reading
 * that. */
str object_field(struct arena *a, const struct object *o, str path);

#endif
