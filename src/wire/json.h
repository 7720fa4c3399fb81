/* json.h - JSON text to an editable tree and back.
 * The tree is what generality works on: patches, apply, custom resources, selectors, JSONPath, CEL; YAML and protobuf
 * decode into the same tree.
 *
 * Memory: a tree lives in the arena it was parsed into and borrows from the text where a string or name has no escapes
 * (JSON_COPY copies instead); names found in the intern table borrow from that table. So text and table must outlive
 * the tree.
 * Values: integers that fit int64 are JSON_INT, other numbers JSON_FLOAT (an exact int64 never becomes a float; 1.0 and
 * 1e3 are floats, -0 is the integer 0, as for the original); a number beyond the doubles is an error. Strings are valid
 * UTF-8 after parsing; \u0000 is allowed inside, half a pair of surrogates (\ud800) becomes U+FFFD as for the original.
 * Objects keep the order of their members; a name appears once (what happens to a second one: see json_opts).
 * Limits: depth, text size (4 GiB), arena budget. Errors are ERR_SYNTAX or ERR_TOO_LARGE and begin with "line L, byte B: "
 * (both from 1, the byte within the line) where a place in the text is at fault.
 * Threads: a tree belongs to one thread while it is edited; an unchanged one can be read by any. */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/intern.h"
#include "base/str.h"

enum json_type {
    JSON_NULL = 0,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INT,
    JSON_FLOAT,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* One value: 16 bytes, so that an array is one plain run of them. Read through the functions below; the fields are open
 * for the codecs of this folder. */
struct json {
    uint8_t type;
    uint8_t flags;     /* codec's own */
    uint16_t cap_log2; /* arrays and objects: room is 1 << cap_log2 once edited; 0 = exactly `n` */
    uint32_t n;        /* bytes, items or members */
    union {
        int64_t i;
        double f;
        const char *s;
        struct json *items;
        struct json_member *members;
    } v;
};
static_assert(sizeof(struct json) == 16, "an array of values is read as a run");

struct json_member {
    const char *name;
    uint32_t name_n;
    name_id id; /* 0: not in the intern table */
    struct json value;
};
static_assert(sizeof(struct json_member) == 32, "an object is a run of members");

#define JSON_DEPTH_MAX 128 /* deepest nesting anybody may ask for; the parser's stack has this size */

enum json_parse_flags {
    JSON_COPY = 1 << 0,             /* copy strings and names into the arena: the text may go away */
    JSON_DUPLICATES_ERROR = 1 << 1, /* a second member of the same name is a syntax error */
    JSON_TRAILING_OK = 1 << 2,      /* something may follow the value */
    JSON_DUPLICATES_KEEP = 1 << 3, /* a second member of a name stays, behind the first one: to complain of */
};

struct json_opts {
    unsigned flags;
    unsigned depth_max;         /* 0: JSON_DEPTH_MAX */
    const struct intern *names; /* NULL: none */
    /* Called for each second member of a name (the later one wins, unless both are kept), with the path to it in the
     * form `spec.containers[0].name` (cut at 1,024 bytes); the path is borrowed for the call. May be NULL. */
    void (*on_duplicate)(void *ctx, str path);
    void *ctx;
};

err_code json_parse(struct arena *a, str text, const struct json_opts *opts, struct json *ret,
                    struct err *err);
/* The same for a value at the start of the text (JSON_TRAILING_OK): a stream of values is a loop of these. *ret_used
 * counts the space behind the value too, so that the last one leaves an empty rest. */
err_code json_parse_prefix(struct arena *a, str text, const struct json_opts *opts, struct json *ret,
                           size_t *ret_used, struct err *err);

/* Reading. The wrong type gives the zero answer (NULL, empty, false), so that chains need no checks. */
static inline bool json_is_container(const struct json *j)
{
    return j->type >= JSON_ARRAY;
}
static inline str json_str(const struct json *j)
{
    return j && j->type == JSON_STRING ? (str){j->v.s, j->n} : STR_NONE;
}
static inline bool json_bool(const struct json *j)
{
    return j && j->type == JSON_TRUE;
}
static inline size_t json_count(const struct json *j) /* items or members; 0 for anything else */
{
    return j && json_is_container(j) ? j->n : 0;
}
bool json_int(const struct json *j, int64_t *ret); /* true for JSON_INT only */
static inline str json_member_name(const struct json_member *m)
{
    return (str){m->name, m->name_n};
}
struct json *json_find(const struct json *object, str name); /* NULL: no such member, or not an object */
struct json *json_find_id(const struct json *object, name_id id);
struct json *json_at(const struct json *array, size_t index); /* NULL: past the end, or not an array */
/* json_get(j, "spec", "template", NULL...): json_find repeatedly. */
struct json *json_path(const struct json *j, const str *names, size_t name_count);
#define json_get(j, ...) \
    json_path((j), (const str[]){__VA_ARGS__}, sizeof((const str[]){__VA_ARGS__}) / sizeof(str))

/* Deep equality: members in any order, 1 equals 1 but not 1.0. */
bool json_equal(const struct json *x, const struct json *y);

/* Building and editing. Values are moved in by copy of the 16 bytes; strings are borrowed (json_of_str) or copied by the
 * caller into the same arena. */
struct json json_null(void);
struct json json_of_bool(bool b);
struct json json_of_int(int64_t i);
struct json json_of_float(double f); /* must be finite */
struct json json_of_str(str s);
struct json json_array(void);
struct json json_object(void);
struct json *json_append(struct arena *a, struct json *array, struct json value);
void json_insert(struct arena *a, struct json *array, size_t index, struct json value);
void json_remove_at(struct json *array, size_t index);
/* Replaces, or adds at the end. The pointer is good until the object is edited again. The name is borrowed. */
struct json *json_set(struct arena *a, struct json *object, str name, struct json value);
/* Adds at the end without looking for one of that name: for builders that see to it themselves. */
struct json *json_add(struct arena *a, struct json *object, str name, struct json value);
bool json_remove(struct json *object, str name);   /* true: it was there */
void json_sort_members(struct json *j, bool deep); /* by name, byte order: as the original prints maps */
struct json json_clone(struct arena *a, const struct json *j);      /* deep; strings stay borrowed */
struct json json_clone_deep(struct arena *a, const struct json *j); /* strings too */

/* Printing. As Go's encoder does: no spaces, <, > and & and U+2028/9 escaped only with JSON_HTML, floats shortest
 * round-trip form (1e+21 style exponents), members in the order they stand. */
enum json_print_flags {
    JSON_INDENT_2 = 1 << 0, /* two spaces */
    JSON_INDENT_4 = 1 << 1, /* four, as kubectl -o json */
    JSON_HTML = 1 << 2,
    JSON_SORTED = 1 << 3,   /* members by name, without changing the tree */
    JSON_INDENT_1 = 1 << 4, /* one space */
};
void json_print(struct buf *out, const struct json *j, unsigned flags);
void json_print_str(struct buf *out, str s, unsigned flags); /* with its quotes */
void json_print_float(struct buf *out, double f);

/* A reader over text without a tree, for table-driven decoding: each call looks at the next thing. The text was either
 * checked before or is checked on the way: the same errors as json_parse, sticky in the reader. */
struct json_scan {
    const char *block;
    uint64_t special, pending;
};
struct json_reader {
    const char *p; /* the end once failed */
    const char *start, *end;
    unsigned depth, depth_max;
    struct arena *arena; /* for strings with escapes */
    struct err *err;
    bool failed;
    bool first; /* no comma before the next element */
    /* The lexer's own: */
    struct json_scan scan;
    struct json lexed;
};
void json_reader_init(struct json_reader *r, struct arena *a, str text, struct err *err);
enum json_type json_peek_slow(struct json_reader *r);
extern const uint8_t json_type_of_byte[256]; /* type + 1 of a value that begins so; 0: none does */
/* Type of the next value; JSON_INT for any number. On failure JSON_NULL. */
static inline enum json_type json_peek(struct json_reader *r)
{
    unsigned type = LIKELY(r->p < r->end) ? json_type_of_byte[(unsigned char)*r->p] : 0;
    return LIKELY(type) ? (enum json_type)(type - 1) : json_peek_slow(r);
}
void json_enter_object(struct json_reader *r);               /* at '{' */
bool json_next_member(struct json_reader *r, str *ret_name); /* false: '}' was taken, or failed */
void json_enter_array(struct json_reader *r);
bool json_next_item(struct json_reader *r);          /* false: ']' was taken, or failed */
struct json json_read_scalar(struct json_reader *r); /* null, bool, number or string */
str json_skip(struct json_reader *r);                /* any value; returns its text */
err_code json_reader_end(struct json_reader *r);     /* only space may be left */

#endif
