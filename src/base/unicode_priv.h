/* unicode_priv.h - the tables that tools/unicode makes, for unicode.c. */
#ifndef BASE_UNICODE_PRIV_H
#define BASE_UNICODE_PRIV_H

#include <stddef.h>
#include <stdint.h>

/* Runs of code points of one category: start << 5 | number in unicode_categories.def. The next run ends it. */
extern const uint32_t unicode_category_runs[];
extern const size_t unicode_category_runs_count;
/* Runs of one script: start << 8 | index into the names; 255: none. */
extern const uint32_t unicode_script_runs[];
extern const size_t unicode_script_runs_count;
extern const char *const unicode_script_names[];
extern const size_t unicode_script_count;

/* first, first + step, ... last: from each of them the next one of its ring of cases is `distance` away. In the
 * order of `first`. */
struct unicode_ring {
    uint32_t first, last, step;
    int32_t distance;
};
extern const struct unicode_ring unicode_rings[];
extern const size_t unicode_ring_count;

#endif
