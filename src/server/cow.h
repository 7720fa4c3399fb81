/* cow.h - a hash table of counted items that many threads read while one makes the next version of it.
 * A version is constant once it is shared: the maker takes a copy (cheap: what did not change is shared with the one before),
 * changes that, and puts it in the place of the old one. Items are found by kind, namespace and name, under a hash that
 * must be keyed where names come from outside.
 * Always true: what a shared version holds never changes; an item is freed when no version and nobody else has it.
 * Memory: heap. Threads: a version that nobody else has seen yet belongs to its maker; references from any thread. */
#ifndef SERVER_COW_H
#define SERVER_COW_H

#include "base/str.h"
#include <stdatomic.h>

struct cow_key {
    unsigned kind;
    str ns, name;
    uint64_t hash; /* of all three: cow_hash */
};

/* Embedded as the first member. `ns` and `name` live as long as the item. */
struct cow_item {
    const struct cow_ops *ops;
    _Atomic uint32_t refs;
    uint32_t kind;
    str ns, name;
    uint64_t hash;
};
struct cow_ops {
    void (*free)(struct cow_item *item);
    /* One reference, of the same content; NULL for items that are only replaced, never edited. */
    struct cow_item *(*clone)(const struct cow_item *item);
};
/* One reference, the caller's. */
void cow_item_init(struct cow_item *item, const struct cow_ops *ops, const struct cow_key *key);
void cow_item_ref(struct cow_item *item);
void cow_item_unref(struct cow_item *item); /* NULL is fine */

/* From keyed hashes of the parts, so that those can be made once for several look-ups. */
static inline uint64_t cow_hash(unsigned kind, uint64_t ns_hash, uint64_t name_hash)
{
    __uint128_t m = (__uint128_t)(ns_hash + kind * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
    m = (__uint128_t)(name_hash ^ (uint64_t)m ^ (uint64_t)(m >> 64)) * 0x9e3779b97f4a7c15u;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}
static inline struct cow_key cow_key(const uint64_t hash_key[2], unsigned kind, str ns, str name)
{
    uint64_t hash = cow_hash(kind, str_hash_keyed(ns, hash_key), str_hash_keyed(name, hash_key));
    return (struct cow_key){kind, ns, name, hash};
}

struct cow_table;
struct cow_table *cow_table_new(void);
/* Another version, the caller's alone until it shares it. */
struct cow_table *cow_table_copy(const struct cow_table *t);
const struct cow_table *cow_table_ref(const struct cow_table *t);
void cow_table_unref(const struct cow_table *t); /* NULL is fine */
size_t cow_table_count(const struct cow_table *t);

/* Borrowed from the version; NULL: none of that key. */
const struct cow_item *cow_table_find(const struct cow_table *t, const struct cow_key *key);

/* Of a version that nobody else has seen. */
void cow_table_put(struct cow_table *t, struct cow_item *item); /* takes over the reference */
/* The item, made this version's alone, to be edited in place; NULL: none of that key. */
struct cow_item *cow_table_edit(struct cow_table *t, const struct cow_key *key);
/* Takes it out; the reference is the caller's. NULL: none of that key. */
struct cow_item *cow_table_take(struct cow_table *t, const struct cow_key *key);

#endif
