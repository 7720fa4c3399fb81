/* vec.c - growing, sorting, searching arrays of any item. */
#include "base/vec.h"
#include "base/mem.h"

enum {
    CAP_FIRST = 8,
    RUN_SIZE = 12, /* runs this short are sorted by insertion before merging begins */
};

void *vec_grow(void *items, size_t *cap, size_t want, size_t item_size)
{
    if (want <= *cap)
        return items;
    ASSERT(want <= SIZE_MAX / 4 / item_size);
    *cap = size_max(size_max(*cap * 2, CAP_FIRST), want);
    return mem_realloc(items, *cap * item_size);
}

void vec_shift(void *items, size_t count, size_t index, size_t item_size, int by)
{
    ASSERT(by > 0 ? index <= count : index < count);
    char *at = (char *)items + index * item_size;
    if (by > 0)
        memmove(at + item_size, at, (count - index) * item_size);
    else
        memmove(at, at + item_size, (count - index - 1) * item_size);
}

void vec_free(void *items)
{
    mem_free(items);
}

static void insertion_sort(char *items, size_t count, size_t size, char *spare, vec_cmp_fn *cmp, void *ctx)
{
    for (size_t i = 1; i < count; i++) {
        size_t at = i;
        while (at && cmp(items + (at - 1) * size, items + i * size, ctx) > 0)
            at--;
        if (at == i)
            continue;
        memcpy(spare, items + i * size, size);
        memmove(items + (at + 1) * size, items + at * size, (i - at) * size);
        memcpy(items + at * size, spare, size);
    }
}

/* Merges [0, mid) and [mid, count) of `from` into `to`. */
static void merge(char *to, const char *from, size_t mid, size_t count, size_t size, vec_cmp_fn *cmp,
                  void *ctx)
{
    size_t left = 0, right = mid;
    for (size_t i = 0; i < count; i++) {
        bool take_left = right == count ||
                         (left < mid && cmp(from + left * size, from + right * size, ctx) <= 0);
        memcpy(to + i * size, from + (take_left ? left++ : right++) * size, size);
    }
}

void vec_sort(void *items, size_t count, size_t item_size, vec_cmp_fn *cmp, void *ctx)
{
    if (count < 2)
        return;
    /* Not qsort: its order among equals depends on the C library and on how much memory is free. */
    char small[512];
    CLEANUP(mem_freep) char *heap = NULL;
    if (count > sizeof small / item_size)
        heap = mem_alloc(count * item_size);
    char *from = items, *spare = heap ? heap : small, *to = spare;
    for (size_t i = 0; i < count; i += RUN_SIZE)
        insertion_sort(from + i * item_size, size_min(RUN_SIZE, count - i), item_size, spare, cmp, ctx);
    for (size_t run = RUN_SIZE; run < count; run *= 2) {
        for (size_t i = 0; i < count; i += 2 * run) {
            size_t n = size_min(2 * run, count - i);
            merge(to + i * item_size, from + i * item_size, size_min(run, n), n, item_size, cmp, ctx);
        }
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * item_size);
}

size_t vec_lower_bound(const void *items, size_t count, size_t item_size, const void *key, vec_cmp_fn *cmp,
                       void *ctx)
{
    size_t low = 0;
    while (count) {
        size_t half = count / 2;
        if (cmp(key, (const char *)items + (low + half) * item_size, ctx) > 0) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

void *vec_bsearch(const void *items, size_t count, size_t item_size, const void *key, vec_cmp_fn *cmp,
                  void *ctx)
{
    size_t at = vec_lower_bound(items, count, item_size, key, cmp, ctx);
    if (at == count)
        return NULL;
    const char *item = (const char *)items + at * item_size;
    return cmp(key, item, ctx) == 0 ? (void *)(uintptr_t)item
                                    : NULL; /* as bsearch: the caller knows if it is const */
}

size_t vec_dedupe(void *items, size_t count, size_t item_size, vec_cmp_fn *cmp, void *ctx)
{
    char *p = items;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (n && cmp(p + (n - 1) * item_size, p + i * item_size, ctx) == 0)
            continue;
        if (n != i)
            memcpy(p + n * item_size, p + i * item_size, item_size);
        n++;
    }
    return n;
}

int vec_cmp_str(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return str_cmp(*(const str *)a, *(const str *)b);
}

void strs_sort(str *items, size_t count)
{
    vec_sort(items, count, sizeof *items, vec_cmp_str, NULL);
}

bool strs_contain(const str *sorted, size_t count, str s)
{
    return vec_bsearch(sorted, count, sizeof *sorted, &s, vec_cmp_str, NULL) != NULL;
}

size_t strs_dedupe(str *sorted, size_t count)
{
    return vec_dedupe(sorted, count, sizeof *sorted, vec_cmp_str, NULL);
}
