/* regex.h - regular expressions as the original has them: Go's regexp, which is RE2.
 * The same expressions are accepted, the same refused, with Go's messages; the same texts match. There are no back-references
 * and no look-around, so that matching takes time linear in the text, whatever the expression: there is nothing to be
 * exploited (docs/decisions/regex.md tells why this is not PCRE2).
 * An expression becomes a table (a byte and a look-up at a time) when that stays small, else a program that is run for all of
 * its threads at once. Either is one piece of memory without pointers: it can be copied, stored among other tables, and
 * shared between threads.
 * Where we differ: groups nest to 250 levels (Go: 1,000); an expression with all its {n,m} written out has at most 8,192
 * parts (Go: millions); character classes and cases are those of Unicode 14. Invalid UTF-8 in a text is read as U+FFFD. */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include "base/err.h"
#include "base/str.h"

struct arena;
struct regex;

#define REGEX_PATTERN_MAX 65536 /* bytes */
#define REGEX_BUILD_STEPS \
    500000 /* enough for nearly every expression that fits a table: half a millisecond */
#define REGEX_MATCH_STEPS 500000 /* enough for nearly every text: a millisecond */

/* In the arena. `steps` is what may be spent, and what was spent is taken off: the ranges of sets, and then at most half of
 * what is left, for the table. ERR_SYNTAX: "error parsing regexp: missing closing ]: `[a`", as Go says it; ERR_TOO_LARGE. */
err_code regex_compile(struct arena *a, str pattern, uint64_t *steps, const struct regex **ret,
                       struct err *err);
/* Bytes from its address on; a multiple of 4, and so must the address of a copy be. */
size_t regex_size(const struct regex *re);

enum regex_result {
    REGEX_NO,
    REGEX_YES,     /* somewhere in the text, as for Go: ^ and $ tie it to the ends */
    REGEX_GAVE_UP, /* `steps` were used up before it was known */
};
/* A step is a byte looked up in a table, two nanoseconds or so; a thread of a program moved over a character is four. What was
 * spent is taken off. No memory is asked for but 34 KB of stack. */
enum regex_result regex_match(const struct regex *re, str text, uint64_t *steps);

#endif
