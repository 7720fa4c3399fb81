/* schema_load_priv.h - between the files of schema_load: the tables while they grow. */
#ifndef API_SCHEMA_LOAD_PRIV_H
#define API_SCHEMA_LOAD_PRIV_H

#include "api/field_error.h"
#include "api/schema_load.h"
#include "base/map.h"

enum {
    LOAD_ROWS_MAX = UINT16_MAX,
    LOAD_TEXT_MAX = 1 << 20, /* of one default, enum or list of names */
};

/* Rows of one kind, equal ones stored once. */
struct load_rows {
    struct buf bytes;
    size_t row_size, count;
    struct map index; /* bytes of a row to its number */
};

struct loader {
    struct arena a;       /* the tables */
    struct arena scratch; /* what is needed for one expression or default */
    struct err *err;
    struct load_rows nodes, rules, extras;
    struct buf fields, types, slots, text, logics, programs;
    size_t field_count, type_count, slot_count;
    struct map texts;         /* to offset */
    struct map program_index; /* expression to offset */
    struct map type_index;    /* bytes of a type's fields and flags to its number */
    struct map logic_index;   /* bytes of counts and nodes to where they stand */
    uint64_t regex_steps;     /* left for all expressions together */
    uint16_t root;            /* node of the whole document */
};

/* The functions are false when the schema is refused; the reason is in l->err. */

/* tables */
bool load_refuse(struct loader *l, const struct field_path *path, const char *why, ...) PRINTF_LIKE(3, 4);
bool load_too_large(struct loader *l);
/* Has a table reached its maximum? What was added since is not there, so nothing may be read through it. */
bool load_out_of_room(struct loader *l);
void load_rows_init(struct loader *l, struct load_rows *r, size_t row_size, size_t size_max,
                    const uint64_t key[2]);
/* `row` has no padding that is not zero. */
bool load_row(struct loader *l, struct load_rows *r, const void *row, uint16_t *ret);
uint32_t load_text(struct loader *l, str s);
uint32_t load_json_text(struct loader *l, const struct json *j); /* 0 for NULL */
str load_print(struct loader *l, const struct json *j);
/* What is there so far as a schema, good until something is added. */
struct schema load_view(const struct loader *l);

/* types: a schema to a node */
bool load_node(struct loader *l, const struct json *schema, const struct field_path *path, uint16_t *ret);
bool load_root(struct loader *l, const struct json *schema, uint16_t *ret);

/* Where a schema stands: what may be stated there differs. */
enum load_place {
    LOAD_STRUCTURAL,
    LOAD_NESTED,      /* under anyOf and the like: it says what values must be, not what they are */
    LOAD_NESTED_TYPE, /* anyOf integer or string, beside x-kubernetes-int-or-string: these two have a type */
    LOAD_NESTED_PAIR, /* the first of allOf there, which may hold that anyOf */
};
bool load_nested(struct loader *l, const struct json *schema, const struct field_path *path,
                 enum load_place place, uint16_t *ret);

/* rules: what a value must be besides its type. `x` holds what the types have put there; `n` gets the row. */
bool load_rules(struct loader *l, const struct json *schema, const struct field_path *path,
                enum load_place place, struct schema_extra *x, struct schema_node *n);

/* checks */
bool load_check_keywords(struct loader *l, const struct json *schema, const struct field_path *path);
bool load_check_nested(struct loader *l, const struct json *schema, const struct field_path *path,
                       enum load_place place);
/* Whatever anyOf and the like speak of is specified outside of them, too. */
bool load_check_complete(struct loader *l, const struct json *schema, const struct field_path *path,
                         const struct schema_node *n);
/* The default of a value of this node (whose rules need not be in their table yet): in the form in which it is filled in. */
bool load_check_default(struct loader *l, const struct json *given, const struct field_path *path,
                        const struct schema_node *n, const struct schema_rules *r, uint32_t *ret_text);

static inline bool load_flag(const struct json *schema, str name)
{
    return json_bool(json_find(schema, name));
}

#endif
