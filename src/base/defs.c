/* defs.c - what assertions print. */
#include "base/defs.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Counting is all this does; no decision depends on it, so one word for the process is enough. */
static _Atomic uint64_t unexpected_total;

void assert_failed(const char *file, int line, const char *func, const char *cond)
{
    fprintf(stderr, "skiff: bug: %s:%d: %s: assertion '%s' does not hold\n", file, line, func, cond);
    abort();
}

void unexpected_happened(const char *file, int line, const char *func, const char *cond)
{
    uint64_t before = atomic_fetch_add_explicit(&unexpected_total, 1, memory_order_relaxed);
    if (before < 100)
        fprintf(stderr, "skiff: unexpected: %s:%d: %s: '%s'\n", file, line, func, cond);
}

uint64_t unexpected_count(void)
{
    return atomic_load_explicit(&unexpected_total, memory_order_relaxed);
}
