/* map.h - hash maps: from text (struct map) or from a number (struct u64map) to a pointer or a number.
 *
 *     struct map pods;
 *     map_init(&pods, env_hash_key, MAP_BORROW_KEYS);
 *     map_set(&pods, pod->key, pod);
 *     struct pod *p = map_find(&pods, S("default/web-0"));
 *     for (struct map_entry *e = map_next(&pods, NULL); e; e = map_next(&pods, e))
 *         ...
 *
 * Always true:
 *  - iteration goes in the order in which keys were added, whatever the hash key: a run can be replayed;
 *  - keys are hashed under a key given at the start, so that a client cannot choose names that all collide. Where
 *    keys come from outside it must be random; {0, 0} will do elsewhere.
 * During an iteration any entry may be removed, the current one too; adding may move all of them.
 * Memory: heap, freed by map_done. Values are the caller's. A map grows with its keys and does not shrink: bounding how
 * many there are is the caller's matter (below 2^31).
 * Threads: one at a time. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

enum map_flags {
    MAP_BORROW_KEYS = 0,    /* a key must live as long as its entry: mostly it is part of the value */
    MAP_COPY_KEYS = 1 << 0, /* the map has copies of its own */
};

union map_value {
    void *p;
    uint64_t n;
};

/* Both kinds of entry begin with it; the maps' own. */
struct map_link {
    uint32_t hash;
    bool live;
};

/* Borrowed by whoever gets one, until a key is added or this one removed. `key` is read-only, `value` may be set. */
struct map_entry {
    struct map_link link;
    str key;
    union map_value value;
};

struct u64map_entry {
    struct map_link link;
    uint64_t key;
    union map_value value;
};

/* What both maps are made of: entries in the order they were added, with gaps where some were removed, and an index of
 * their positions by hash (open addressing, linear probing; a slot is hash << 32 | (position + 1), or 0). */
struct map_core {
    char *entries;
    uint32_t entry_size;
    uint32_t first, end, cap; /* no live entry before `first` or from `end` on */
    uint32_t count;
    uint32_t mask; /* slots - 1 */
    uint64_t *slots;
    uint64_t hash_key[2];
};

struct map {
    struct map_core core;
    unsigned flags;
};

struct u64map {
    struct map_core core;
};

void map_init(struct map *m, const uint64_t hash_key[2], unsigned flags);
void map_done(struct map *m);  /* for CLEANUP too; leaves an empty map that can be used again */
void map_clear(struct map *m); /* keeps the memory */
static inline size_t map_count(const struct map *m)
{
    return m->core.count;
}

/* NULL: no such key. map_find gives the value's pointer (which is NULL too if that was stored). */
struct map_entry *map_find_entry(const struct map *m, str key);
void *map_find(const struct map *m, str key);
/* The entry of `key`, added with value 0 when there was none. When there was one, a borrowed key takes the new key's
 * text, so that the object the old one was part of may go. */
struct map_entry *map_put(struct map *m, str key, bool *ret_added /* may be NULL */);
/* Gives back the pointer that was there before, or NULL. */
void *map_set(struct map *m, str key, void *p);
/* False: no such key. *ret_old may be NULL. The entry's key must not be used afterwards if the map had copied it. */
bool map_remove(struct map *m, str key, union map_value *ret_old);
void map_remove_entry(struct map *m, struct map_entry *e);
/* The entry after `e`, the first one for NULL; NULL at the end. */
struct map_entry *map_next(const struct map *m, const struct map_entry *e);

/* The same with numbers for keys. */
void u64map_init(struct u64map *m, const uint64_t hash_key[2]);
void u64map_done(struct u64map *m);
void u64map_clear(struct u64map *m);
static inline size_t u64map_count(const struct u64map *m)
{
    return m->core.count;
}
struct u64map_entry *u64map_find_entry(const struct u64map *m, uint64_t key);
void *u64map_find(const struct u64map *m, uint64_t key);
struct u64map_entry *u64map_put(struct u64map *m, uint64_t key, bool *ret_added);
void *u64map_set(struct u64map *m, uint64_t key, void *p);
bool u64map_remove(struct u64map *m, uint64_t key, union map_value *ret_old);
void u64map_remove_entry(struct u64map *m, struct u64map_entry *e);
struct u64map_entry *u64map_next(const struct u64map *m, const struct u64map_entry *e);

#endif
