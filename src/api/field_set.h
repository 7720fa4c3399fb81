/* field_set.h - sets of fields of a document: what stands as fieldsV1 in metadata.managedFields.
 * A set is a tree whose nodes are sorted; a field is in the set when its node says so, not because something below it is.
 * In JSON a node is a member of an object, named after its element:
 *     f:NAME  a field of a struct or a key of a map       k:{"name":"x"}  the item of a list that has these keys
 *     v:"x"   the item of a list that is this value       i:3             the item at this place
 * and holds the nodes below it; {} is a field in the set, and one that has others below it holds "." too.
 * Order is the original's: names, keys, values, indexes; keys and values by what they are, not by how they are written.
 * Memory: results live in the arena and share with what they were made of. Names and values are borrowed.
 * Limits: none of its own: what is read nests no deeper than its JSON.
 * Threads: a set is constant once made. */
#ifndef API_FIELD_SET_H
#define API_FIELD_SET_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

enum field_kind { FIELD_NAME, FIELD_KEY, FIELD_VALUE, FIELD_INDEX };

/* One step of a path. */
struct field_element {
    uint8_t kind;  /* enum field_kind */
    bool prefixed; /* "f:" stands before `p`: made from JSON */
    uint32_t n;
    const char *p;            /* NAME: it; else how it is written behind its letter, NULL: not known yet */
    const struct json *value; /* KEY: an object, sorted by name; VALUE: it; INDEX: a number */
};

struct field_node;
struct field_set {
    const struct field_node *nodes; /* by element, each once */
    uint32_t count;
};
#define FIELD_SET_EMPTY ((struct field_set){NULL, 0})

/* How a field is in the set. A comparison of two documents is one tree with three ways; a plain set uses the first. */
enum field_in {
    FIELD_IN = 1 << 0,
    FIELD_ADDED = 1 << 0,
    FIELD_MODIFIED = 1 << 1,
    FIELD_REMOVED = 1 << 2,
};

struct field_node {
    struct field_element at;
    struct field_set below;
    uint8_t in; /* enum field_in; 0: only what is below */
};

static inline struct field_element field_name(str name)
{
    return (struct field_element){.kind = FIELD_NAME, .n = (uint32_t)name.n, .p = name.p};
}
/* Less than 0, 0, more. A number is the same whether it is written 1 or 1.0. */
int field_value_cmp(const struct json *x, const struct json *y);
int field_element_cmp_slow(const struct field_element *x, const struct field_element *y);
static inline int field_element_cmp(const struct field_element *x, const struct field_element *y)
{
    if (x->kind != y->kind)
        return x->kind - y->kind;
    if (x->kind != FIELD_NAME)
        return field_element_cmp_slow(x, y);
    if (x->n && y->n && x->p[0] != y->p[0]) /* mostly it ends here */
        return (unsigned char)x->p[0] - (unsigned char)y->p[0];
    return str_cmp((str){x->p, x->n}, (str){y->p, y->n});
}

/* JSON to set. `ret_canonical` (may be NULL): writing it again gives the same JSON. BAD_REQUEST. */
err_code field_set_read(struct arena *a, const struct json *fields, struct field_set *ret,
                        bool *ret_canonical, struct err *err);
struct json field_set_write(struct arena *a, struct field_set s);

bool field_set_equal(struct field_set x, struct field_set y);
bool field_set_within(struct field_set x, struct field_set y); /* every field of x is in y */
bool field_set_has(struct field_set s, const struct field_element *path, size_t path_n);
const struct field_node *field_set_find(struct field_set s, const struct field_element *at); /* NULL: none */
static inline bool field_set_is_empty(struct field_set s)
{
    return s.count == 0;
}
size_t field_set_size(struct field_set s); /* fields */

struct field_set field_set_union(struct arena *a, struct field_set x, struct field_set y);
struct field_set field_set_intersect(struct arena *a, struct field_set x, struct field_set y);
/* Without the fields of y; what is below them stays. */
struct field_set field_set_minus(struct arena *a, struct field_set x, struct field_set y);
/* Without the fields of y and all below them. */
struct field_set field_set_minus_deep(struct arena *a, struct field_set x, struct field_set y);
/* The fields that are in `s` in one of these ways, as a plain set. */
struct field_set field_set_select(struct arena *a, struct field_set s, unsigned in);

/* By patterns "spec.containers.*.resources": names, * for any element. Without what a pattern names and all below it; or
 * nothing but that, and the fields on the way to it. */
struct field_set field_set_drop(struct arena *a, struct field_set s, const str *patterns,
                                size_t pattern_count);
struct field_set field_set_keep(struct arena *a, struct field_set s, const str *patterns,
                                size_t pattern_count);
/* A set of one field: "spec.replicas". */
struct field_set field_set_of_path(struct arena *a, str path);

/* Paths as messages show them: `.spec.containers[name="x"].image`, in the original's order: the fields of a level before
 * what is below them. */
struct field_paths {
    str *items;
    size_t count;
};
/* The first `max` of them: paths repeat what they have in common, so a small document can have many bytes of them. */
struct field_paths field_set_paths(struct arena *a, struct field_set s, size_t max);
void field_element_print(struct buf *out, const struct field_element *e);

/* Nodes being collected, level by level: push those of a level (and fill them in), then take them as a set. */
struct field_stack {
    struct arena *a;
    struct field_node *items;
    uint32_t count, cap;
};
struct field_node *field_stack_push_slow(struct field_stack *s);
/* Good until the next one; a copy of 48 bytes that were just written would wait for each of them. */
static inline struct field_node *field_stack_push(struct field_stack *s)
{
    return LIKELY(s->count < s->cap) ? &s->items[s->count++] : field_stack_push_slow(s);
}
static inline void field_stack_add(struct field_stack *s, const struct field_element *at,
                                   struct field_set below, unsigned in)
{
    struct field_node *node = field_stack_push(s);
    node->at.kind = at->kind;
    node->at.prefixed = at->prefixed;
    node->at.n = at->n;
    node->at.p = at->p;
    node->at.value = at->value;
    node->below.nodes = below.nodes;
    node->below.count = below.count;
    node->in = (uint8_t)in;
}
/* Those from `base` on, sorted; of two with one element one is made. */
struct field_set field_stack_take(struct field_stack *s, uint32_t base);

#endif
