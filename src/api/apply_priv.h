/* apply_priv.h - what apply's files share: how a place in a document merges, and walks of documents along that.
 * Shapes follow from the schema; what it does not know is ANY: scalars and lists as a whole, maps key by key.
 * A value of another form than its place (stored before a schema was changed) is treated as if nothing were there, as the
 * original does.
 * Deeper than APPLY_DEPTH_MAX a value is one field, so that fieldsV1, which nests as the document does but begins inside it,
 * can be stored. */
#ifndef API_APPLY_PRIV_H
#define API_APPLY_PRIV_H

#include "api/apply.h"
#include "api/field_set.h"

#define APPLY_DEPTH_MAX 100

enum apply_shape {
    SHAPE_UNKNOWN, /* a member that its struct does not have */
    SHAPE_SCALAR,
    SHAPE_LIST,  /* atomic */
    SHAPE_SET,   /* of scalars */
    SHAPE_KEYED, /* of structs that are told apart by some of their fields */
    SHAPE_STRUCT,
    SHAPE_MAP,
    SHAPE_LEAF, /* an atomic map or struct */
    SHAPE_ANY,
    SHAPE_ANY_LEAF,
};
enum apply_scalar { SCALAR_UNTYPED, SCALAR_NUMERIC, SCALAR_STRING, SCALAR_BOOLEAN };

struct apply_place {
    struct schema_at at; /* node NULL: any value */
    uint32_t keys;       /* KEYED: names, in the schema's text */
    uint8_t shape;       /* enum apply_shape */
    uint8_t scalar;      /* enum apply_scalar */
};

/* A whole document. `t` NULL: of no known schema. */
void apply_place_root(const struct schema *s, const struct schema_type *t, struct schema_node *storage,
                      struct apply_place *ret);
/* A member of a STRUCT, MAP or ANY. True: a field of a struct, not a key. */
bool apply_place_member(const struct apply_place *p, str name, struct apply_place *ret);
/* An item of any list, a value of a MAP. */
void apply_place_item(const struct apply_place *p, struct apply_place *ret);

/* The element of an item of a SET or KEYED list. False: it has none; *ret_why says so in the original's words. */
bool apply_item_element(struct arena *a, const struct apply_place *list, const struct json *item,
                        struct field_element *ret, str *ret_why);

/* Equal as values: 1 is 1.0. */
bool apply_equal(const struct json *x, const struct json *y);
/* One and the same memory: what was shared and not changed since. */
bool apply_same(const struct json *x, const struct json *y);

/* The walks. False: a list has an item without an element (apply_check says which). Either of two documents may be NULL. */
bool apply_fields_of(struct arena *a, const struct apply_place *p, const struct json *j,
                     struct field_set *ret);
/* The same for a configuration, false also for whatever else apply_check would complain about. */
bool apply_fields_of_config(struct arena *a, const struct apply_place *p, const struct json *j,
                            struct field_set *ret);
/* Ways: FIELD_ADDED, _MODIFIED, _REMOVED. */
bool apply_compare(struct arena *a, const struct apply_place *p, const struct json *x, const struct json *y,
                   struct field_set *ret);
/* `live` with what `config` says. What did not change is the same memory; no key may stand twice in `config`. */
bool apply_merge(struct arena *a, const struct apply_place *p, const struct json *live,
                 const struct json *config, struct json *ret);
/* Without these fields. What is emptied by it becomes null. */
struct json apply_remove(struct arena *a, const struct apply_place *p, const struct json *j,
                         struct field_set fields);

/* A set recorded when the schema was another: fields below what is atomic now become that. */
struct field_set apply_reconcile(struct arena *a, const struct apply_place *p, struct field_set s,
                                 bool *ret_changed);
/* With the named fields on the way to those of the set. */
struct field_set apply_with_named(struct arena *a, const struct apply_place *p, struct field_set s);

/* Is `j` what its schema says, as far as merging depends on it? *ret_message: the original's words, when not. */
bool apply_is_form(const struct apply_place *p, const struct json *j); /* as far as `j` itself goes */
bool apply_check(struct arena *a, const struct apply_place *p, const struct json *j, bool duplicates_ok,
                 str *ret_message);

/* --- managedFields --- */

struct apply_entry {
    str manager, api_version, subresource;
    bool is_apply;
    const struct json *time;   /* NULL: none */
    const struct json *stored; /* the entry as it stands; NULL: it became another */
    const struct json *fields; /* its fieldsV1, until it is read */
    struct field_set set;
    bool is_read;
};
struct apply_entries {
    struct arena *a;
    struct apply_entry *items;
    size_t count, cap;
};

/* `list` NULL or empty: none. BAD_REQUEST. Field sets are read by entry_set. */
err_code entries_read(struct arena *a, const struct json *list, struct apply_entries *ret, struct err *err);
/* What one entry is known by. */
struct apply_entry *entries_find(const struct apply_entries *e, const struct apply_entry *like);
struct apply_entry *entries_add(struct apply_entries *e, const struct apply_entry *entry);
void entries_remove(struct apply_entries *e, struct apply_entry *entry);
/* The JSON text that the original knows an entry by, and sorts by. */
str entry_identifier(struct arena *a, const struct apply_entry *entry);
/* As the message names it. */
str entry_name(struct arena *a, const struct apply_entry *entry);
/* Its set; along the schema when `p` is given: see apply_reconcile. */
err_code entry_set(struct arena *a, struct apply_entry *entry, const struct apply_place *p,
                   struct field_set *ret, struct err *err);
void entry_change(struct apply_entry *entry, struct field_set set);
/* Does it have a node where `fields` has a field? Without reading it. */
bool entry_touches(struct arena *a, const struct apply_entry *entry, struct field_set fields);
/* No more than MANAGED_ENTRIES_MAX by updates. */
err_code entries_cap(struct apply_entries *e, struct err *err);
/* Sorted; *ret_changed: differs from `list`. */
struct json entries_write(struct apply_entries *e, const struct json *list, bool *ret_changed);
const struct json *apply_time(struct arena *a, struct kube_time t);

/* metadata.managedFields of a tree. */
const struct json *apply_managed(const struct json *tree);
/* Another tree that differs in that; NULL: without. */
struct json apply_with_managed(struct arena *a, const struct json *tree, const struct json *list);

#endif
