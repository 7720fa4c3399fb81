/* map.c - entries in a plain array in the order they came, and an index of positions by hash beside it. */
#include "base/map.h"
#include "base/mem.h"

#define ENTRIES_FIRST 8u
#define ENTRIES_MAX   (1u << 31)

/* The core. */

static void *entry_at(const struct map_core *m, size_t position)
{
    return m->entries + position * m->entry_size;
}

static struct map_link *link_at(const struct map_core *m, size_t position)
{
    return entry_at(m, position);
}

static uint32_t position_of(const struct map_core *m, const void *entry)
{
    return (uint32_t)((size_t)((const char *)entry - m->entries) / m->entry_size);
}

static uint64_t slot_of(uint32_t hash, uint32_t position)
{
    return (uint64_t)hash << 32 | (position + 1);
}

static uint32_t slot_hash(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

static uint32_t slot_position(uint64_t slot)
{
    return (uint32_t)slot - 1;
}

static void index_add(struct map_core *m, uint32_t hash, uint32_t position)
{
    uint32_t at = hash & m->mask;
    while (m->slots[at])
        at = (at + 1) & m->mask;
    m->slots[at] = slot_of(hash, position);
}

/* Closes the gap instead of marking it: later slots of the same run move up, unless that would put one before the
 * place where a search for it begins. */
static void index_remove(struct map_core *m, uint32_t hash, uint32_t position)
{
    uint32_t gap = hash & m->mask;
    while (m->slots[gap] != slot_of(hash, position))
        gap = (gap + 1) & m->mask;
    for (uint32_t at = gap;;) {
        at = (at + 1) & m->mask;
        uint64_t slot = m->slots[at];
        if (!slot)
            break;
        uint32_t home = slot_hash(slot) & m->mask;
        if (((at - home) & m->mask) >= ((at - gap) & m->mask)) {
            m->slots[gap] = slot;
            gap = at;
        }
    }
    m->slots[gap] = 0;
}

/* Empty, with room for `cap` entries at a load of at most three quarters. */
static void index_reset(struct map_core *m)
{
    uint64_t want = (uint64_t)m->cap + m->cap / 3, slot_count = 16;
    while (slot_count < want)
        slot_count *= 2;
    if (m->slots && m->mask == slot_count - 1) {
        memset(m->slots, 0, slot_count * sizeof *m->slots);
        return;
    }
    mem_free(m->slots);
    m->slots = NEW_ARRAY(uint64_t, slot_count);
    m->mask = (uint32_t)(slot_count - 1);
}

/* How many entries to make room for: twice as many when most are live, as many as now when gaps are the reason why
 * the array is full. */
static uint32_t cap_next(uint32_t cap, uint32_t count)
{
    if (!cap)
        return ENTRIES_FIRST;
    if (count <= cap - cap / 4)
        return cap;
    ASSERT(cap < ENTRIES_MAX);
    return cap * 2;
}

/* Squeezes out the gaps, makes room, builds the index anew. */
static void core_grow(struct map_core *m)
{
    uint32_t n = 0;
    for (uint32_t i = m->first; i < m->end; i++) {
        if (!link_at(m, i)->live)
            continue;
        if (n != i)
            memcpy(entry_at(m, n), entry_at(m, i), m->entry_size);
        n++;
    }
    uint32_t cap = cap_next(m->cap, m->count);
    if (cap != m->cap)
        m->entries = mem_realloc(m->entries, (size_t)cap * m->entry_size);
    m->first = 0;
    m->end = n;
    m->cap = cap;
    index_reset(m);
    for (uint32_t i = 0; i < n; i++)
        index_add(m, link_at(m, i)->hash, i);
}

/* A new entry; only its link is filled in. */
static void *core_append(struct map_core *m, uint32_t hash)
{
    if (m->end == m->cap)
        core_grow(m);
    index_add(m, hash, m->end);
    *link_at(m, m->end) = (struct map_link){.hash = hash, .live = true};
    m->count++;
    return entry_at(m, m->end++);
}

static void core_unlink(struct map_core *m, struct map_link *e)
{
    ASSERT(e->live);
    index_remove(m, e->hash, position_of(m, e));
    e->live = false;
    m->count--;
    /* Gaps at either end go at once, so that a map used as a queue need not search for its first. */
    while (m->first < m->end && !link_at(m, m->first)->live)
        m->first++;
    while (m->end > m->first && !link_at(m, m->end - 1)->live)
        m->end--;
    if (!m->count)
        m->first = m->end = 0;
}

static void *core_next(const struct map_core *m, const void *entry)
{
    for (size_t at = entry ? position_of(m, entry) + 1 : m->first; at < m->end; at++)
        if (link_at(m, at)->live)
            return entry_at(m, at);
    return NULL;
}

static void core_clear(struct map_core *m)
{
    if (m->count)
        memset(m->slots, 0, ((size_t)m->mask + 1) * sizeof *m->slots);
    m->first = m->end = m->count = 0;
}

static void core_done(struct map_core *m)
{
    mem_free(m->entries);
    mem_free(m->slots);
    *m = (struct map_core){.entry_size = m->entry_size, .hash_key = {m->hash_key[0], m->hash_key[1]}};
}

/* From text. */

void map_init(struct map *m, const uint64_t hash_key[2], unsigned flags)
{
    *m = (struct map){
        .core = {.entry_size = sizeof(struct map_entry), .hash_key = {hash_key[0], hash_key[1]}},
        .flags = flags,
    };
}

static void free_key(const struct map *m, struct map_entry *e)
{
    if (m->flags & MAP_COPY_KEYS)
        mem_free((void *)(uintptr_t)e->key.p); /* ours: map_put made it */
    e->key = STR_NONE;
}

void map_clear(struct map *m)
{
    if (m->flags & MAP_COPY_KEYS)
        for (struct map_entry *e = map_next(m, NULL); e; e = map_next(m, e))
            free_key(m, e);
    core_clear(&m->core);
}

void map_done(struct map *m)
{
    map_clear(m);
    core_done(&m->core);
}

static uint32_t hash_text(const struct map *m, str key)
{
    uint64_t h = str_hash_keyed(key, m->core.hash_key);
    return (uint32_t)(h ^ h >> 32);
}

static struct map_entry *find_text(const struct map_core *m, str key, uint32_t hash)
{
    if (!m->count)
        return NULL;
    for (uint32_t at = hash & m->mask; m->slots[at]; at = (at + 1) & m->mask) {
        if (slot_hash(m->slots[at]) != hash)
            continue;
        struct map_entry *e = entry_at(m, slot_position(m->slots[at]));
        if (str_eq(e->key, key))
            return e;
    }
    return NULL;
}

struct map_entry *map_find_entry(const struct map *m, str key)
{
    return find_text(&m->core, key, hash_text(m, key));
}

void *map_find(const struct map *m, str key)
{
    struct map_entry *e = map_find_entry(m, key);
    return e ? e->value.p : NULL;
}

struct map_entry *map_put(struct map *m, str key, bool *ret_added)
{
    bool copy = m->flags & MAP_COPY_KEYS;
    uint32_t hash = hash_text(m, key);
    struct map_entry *e = find_text(&m->core, key, hash);
    if (ret_added)
        *ret_added = !e;
    if (e) {
        if (!copy)
            e->key = key;
        return e;
    }
    /* The copy first: `key` may be the key of another entry, which appending can move. */
    if (copy)
        key.p = mem_dup(key.p, key.n);
    e = core_append(&m->core, hash);
    e->key = key;
    e->value.n = 0;
    return e;
}

void *map_set(struct map *m, str key, void *p)
{
    struct map_entry *e = map_put(m, key, NULL);
    void *old = e->value.p;
    e->value.p = p;
    return old;
}

void map_remove_entry(struct map *m, struct map_entry *e)
{
    core_unlink(&m->core, &e->link);
    free_key(m, e);
}

bool map_remove(struct map *m, str key, union map_value *ret_old)
{
    struct map_entry *e = map_find_entry(m, key);
    if (!e)
        return false;
    if (ret_old)
        *ret_old = e->value;
    map_remove_entry(m, e);
    return true;
}

struct map_entry *map_next(const struct map *m, const struct map_entry *e)
{
    return core_next(&m->core, e);
}

/* From numbers. */

void u64map_init(struct u64map *m, const uint64_t hash_key[2])
{
    *m = (struct u64map){
        .core = {.entry_size = sizeof(struct u64map_entry), .hash_key = {hash_key[0], hash_key[1]}}};
}

void u64map_clear(struct u64map *m)
{
    core_clear(&m->core);
}

void u64map_done(struct u64map *m)
{
    core_done(&m->core);
}

static uint32_t hash_number(const struct u64map *m, uint64_t key)
{
    /* Two rounds of multiply and fold, each with half of the key: cheap, and not to be steered without knowing it. */
    __uint128_t a = (__uint128_t)(key ^ m->core.hash_key[0] ^ 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
    uint64_t folded = (uint64_t)a ^ (uint64_t)(a >> 64) ^ m->core.hash_key[1];
    __uint128_t b = (__uint128_t)folded * 0x9e3779b97f4a7c15u;
    uint64_t h = (uint64_t)b ^ (uint64_t)(b >> 64);
    return (uint32_t)(h ^ h >> 32);
}

static struct u64map_entry *find_number(const struct map_core *m, uint64_t key, uint32_t hash)
{
    if (!m->count)
        return NULL;
    for (uint32_t at = hash & m->mask; m->slots[at]; at = (at + 1) & m->mask) {
        if (slot_hash(m->slots[at]) != hash)
            continue;
        struct u64map_entry *e = entry_at(m, slot_position(m->slots[at]));
        if (e->key == key)
            return e;
    }
    return NULL;
}

struct u64map_entry *u64map_find_entry(const struct u64map *m, uint64_t key)
{
    return find_number(&m->core, key, hash_number(m, key));
}

void *u64map_find(const struct u64map *m, uint64_t key)
{
    struct u64map_entry *e = u64map_find_entry(m, key);
    return e ? e->value.p : NULL;
}

struct u64map_entry *u64map_put(struct u64map *m, uint64_t key, bool *ret_added)
{
    uint32_t hash = hash_number(m, key);
    struct u64map_entry *e = find_number(&m->core, key, hash);
    if (ret_added)
        *ret_added = !e;
    if (e)
        return e;
    e = core_append(&m->core, hash);
    e->key = key;
    e->value.n = 0;
    return e;
}

void *u64map_set(struct u64map *m, uint64_t key, void *p)
{
    struct u64map_entry *e = u64map_put(m, key, NULL);
    void *old = e->value.p;
    e->value.p = p;
    return old;
}

void u64map_remove_entry(struct u64map *m, struct u64map_entry *e)
{
    core_unlink(&m->core, &e->link);
}

bool u64map_remove(struct u64map *m, uint64_t key, union map_value *ret_old)
{
    struct u64map_entry *e = u64map_find_entry(m, key);
    if (!e)
        return false;
    if (ret_old)
        *ret_old = e->value;
    u64map_remove_entry(m, e);
    return true;
}

struct u64map_entry *u64map_next(const struct u64map *m, const struct u64map_entry *e)
{
    return core_next(&m->core, e);
}
