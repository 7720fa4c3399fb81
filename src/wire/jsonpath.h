/* jsonpath.h - templates that pick values out of a tree, as kubectl's -o jsonpath has them: `{.metadata.name}`,
 * `{range .items[*]}{.metadata.name}{"\n"}{end}`, `{.items[?(@.status.phase=="Running")].spec.nodeName}`.
 * A template is text with actions in braces. An action is a chain of steps, each from the values of the one before it
 * (at first the root) to new ones: .name, ['name'], .*, [index], [from:to:step], [*], [a,b], ..name,
 * [?(left op right)] with one of == != < <= > >= or just [?(path)] for "is there", and "text", numbers, true, false.
 * @ and $ stand for nothing. There is no && and ||, as there is none in the original; what the original answers to odd
 * templates, we answer (its messages too), except that values of an object come in the order of its members and that
 * every letter that is not ASCII may begin a word.
 * Memory: a compiled template lives in the arena it was compiled into and borrows from nothing else; it does not change
 * when it is used, any thread may. Values found are the tree's own or live in the arena given.
 * Limits: JSONPATH_SIZE_MAX bytes of template, JSONPATH_STEPS_MAX values looked at in one evaluation, the arena's
 * budget: ERR_TOO_LARGE. Templates that do not parse are ERR_SYNTAX, a missing name is ERR_NOT_FOUND, the rest
 * ERR_INVALID. */
#ifndef WIRE_JSONPATH_H
#define WIRE_JSONPATH_H

#include "wire/json.h"

#define JSONPATH_SIZE_MAX  65536
#define JSONPATH_STEPS_MAX (1u << 24)

struct jsonpath;

err_code jsonpath_compile(struct arena *a, str text, const struct jsonpath **ret, struct err *err);
/* What custom columns and --sort-by accept: `metadata.name`, `.metadata.name`, `{metadata.name}`, `{.metadata.name}`. An
 * empty expression is the empty template. */
err_code jsonpath_compile_relaxed(struct arena *a, str expression, const struct jsonpath **ret,
                                  struct err *err);

enum jsonpath_flags {
    JSONPATH_ALLOW_MISSING = 1 << 0, /* a name that is not there gives no value instead of an error */
    JSONPATH_AS_JSON = 1 << 1,       /* print each piece as a JSON array, indented: -o jsonpath-as-json */
};

/* What one piece of the template (a run of text, an action; within a range once for each turn) came to. */
struct jsonpath_piece {
    const struct json *const *values;
    size_t count;
};
struct jsonpath_found {
    const struct jsonpath_piece *pieces;
    size_t count;
};
err_code jsonpath_find(const struct jsonpath *jp, struct arena *a, const struct json *root, unsigned flags,
                       struct jsonpath_found *ret, struct err *err);
/* Prints what is found as kubectl does: strings as they are, objects and arrays as compact JSON, a space between the
 * values of a piece. Nothing is printed when finding fails; a full buffer is the caller's to see (buf_check). */
err_code jsonpath_print(const struct jsonpath *jp, struct arena *a, const struct json *root, unsigned flags,
                        struct buf *out, struct err *err);
void jsonpath_print_found(struct buf *out, struct arena *a, const struct jsonpath_found *found,
                          unsigned flags);

/* A value as Go's fmt.Sprint writes it, which is what custom columns show: map[a:1 b:[x y]], <nil>, 1e+06. */
void jsonpath_print_go(struct buf *out, const struct json *value);

#endif
