/* vec.h - growing arrays, and arrays that are kept sorted.
 *
 *     VEC(struct event) events = {0};
 *     vec_push(&events, ev);
 *     for (size_t i = 0; i < events.count; i++)
 *         use(&events.items[i]);
 *     vec_done(&events);
 *
 * Memory: heap; what the items point to is the caller's. Pointers into a vector are good until it grows.
 * Bounding how many items outside input can add is the caller's matter.
 * Threads: one at a time. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/str.h"

#define VEC(type)     \
    struct {          \
        type *items;  \
        size_t count; \
        size_t cap;   \
    }

/* Room for `want` items in all. */
#define vec_reserve(v, want)                                                      \
    do {                                                                          \
        __typeof__(v) reserve_v_ = (v);                                           \
        reserve_v_->items = vec_grow(reserve_v_->items, &reserve_v_->cap, (want), \
                                     sizeof *reserve_v_->items);                  \
    } while (0)

#define vec_push(v, item)                                \
    do {                                                 \
        __typeof__(v) push_v_ = (v);                     \
        __typeof__(*push_v_->items) push_item_ = (item); \
        if (UNLIKELY(push_v_->count == push_v_->cap))    \
            vec_reserve(push_v_, push_v_->count + 1);    \
        push_v_->items[push_v_->count++] = push_item_;   \
    } while (0)

/* Before the item that is at `index` now; index == count: at the end. */
#define vec_insert(v, index, item)                                                           \
    do {                                                                                     \
        __typeof__(v) insert_v_ = (v);                                                       \
        __typeof__(*insert_v_->items) insert_item_ = (item);                                 \
        size_t insert_at_ = (index);                                                         \
        if (UNLIKELY(insert_v_->count == insert_v_->cap))                                    \
            vec_reserve(insert_v_, insert_v_->count + 1);                                    \
        vec_shift(insert_v_->items, insert_v_->count++, insert_at_, sizeof insert_item_, 1); \
        insert_v_->items[insert_at_] = insert_item_;                                         \
    } while (0)

/* Keeps the order of the others. */
#define vec_remove(v, index)                                                                  \
    do {                                                                                      \
        __typeof__(v) remove_v_ = (v);                                                        \
        vec_shift(remove_v_->items, remove_v_->count, (index), sizeof *remove_v_->items, -1); \
        remove_v_->count--;                                                                   \
    } while (0)

/* Puts the last item in its place: quick, for where order does not matter. */
#define vec_remove_swap(v, index)                                    \
    do {                                                             \
        __typeof__(v) swap_v_ = (v);                                 \
        size_t swap_at_ = (index);                                   \
        ASSERT(swap_at_ < swap_v_->count);                           \
        swap_v_->items[swap_at_] = swap_v_->items[--swap_v_->count]; \
    } while (0)

/* Frees the items' array (not what they point to); the vector is empty and can be used again. */
#define vec_done(v)                        \
    do {                                   \
        __typeof__(v) done_v_ = (v);       \
        vec_free(done_v_->items);          \
        done_v_->items = NULL;             \
        done_v_->count = done_v_->cap = 0; \
    } while (0)

/* What the macros are made of. */
void *vec_grow(void *items, size_t *cap, size_t want, size_t item_size);
void vec_shift(void *items, size_t count, size_t index, size_t item_size, int by);
void vec_free(void *items);

/* Sorted arrays. The function compares a key with an item, or two items; what it needs to know besides is `ctx`. */
typedef int vec_cmp_fn(const void *a, const void *b, void *ctx);

/* Stable: equal items keep their order. Up to 512 bytes of items are sorted without the heap. */
void vec_sort(void *items, size_t count, size_t item_size, vec_cmp_fn *cmp, void *ctx);
/* Index of the first item that is not less than the key (count if there is none): where the key is, or belongs. */
size_t vec_lower_bound(const void *items, size_t count, size_t item_size, const void *key, vec_cmp_fn *cmp,
                       void *ctx);
/* The item equal to the key, the first if there are several, or NULL. */
void *vec_bsearch(const void *items, size_t count, size_t item_size, const void *key, vec_cmp_fn *cmp,
                  void *ctx);
/* Drops every item equal to the one before it and returns how many are left. */
size_t vec_dedupe(void *items, size_t count, size_t item_size, vec_cmp_fn *cmp, void *ctx);

/* Sets of text: sorted by bytes, each text once. They borrow what they are given. */
int vec_cmp_str(const void *a, const void *b, void *ctx); /* two `str *` */
void strs_sort(str *items, size_t count);
bool strs_contain(const str *sorted, size_t count, str s);
size_t strs_dedupe(str *sorted, size_t count);

#endif
