/* regex_set.h - sets of characters while an expression is parsed. */
#ifndef BASE_REGEX_SET_H
#define BASE_REGEX_SET_H

#include "base/str.h"

struct arena;

struct regex_range {
    uint32_t first, last;
};
/* In ascending order, not touching each other. */
struct regex_set {
    struct regex_range *ranges;
    size_t count;
};

/* Collects ranges in any order. What it costs is added to *work. */
struct regex_set_builder {
    struct arena *a;
    uint64_t *work;
    bool fold; /* letter case does not matter */
    struct regex_range *ranges;
    size_t count, cap;
};

/* With the other cases of its letters, under `fold`. */
void regex_set_add(struct regex_set_builder *b, uint32_t first, uint32_t last);
/* `negated`: all but these. */
void regex_set_add_all(struct regex_set_builder *b, struct regex_set s, bool negated);
/* A class by name: what stands behind a backslash (d, s, w) or between [: and :]. False: there is none such. */
bool regex_set_add_perl(struct regex_set_builder *b, char name, bool negated);
bool regex_set_add_posix(struct regex_set_builder *b, str name, bool negated);
bool regex_set_add_unicode(struct regex_set_builder *b, str name, bool negated);
/* The builder is done with. */
struct regex_set regex_set_finish(struct regex_set_builder *b);

#endif
