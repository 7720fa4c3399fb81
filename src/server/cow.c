/* cow.c - two levels: a fixed row of shards by the hash's first byte, each a run of slots in the order of their hashes.
 *
 *     version A  [ s0 | s1 | s2 ... s255 ]      B changes an item of s1: it gets a row of its own that
 *     version B  [ s0 | s1'| s2 ... s255 ]      shares all but that one
 *
 * Hashes are spread evenly, so where one belongs in its run is guessed from its value and is a few steps away. */
#include "server/cow.h"
#include "base/mem.h"

enum { SHARD_BITS = 8, SHARDS = 1 << SHARD_BITS };

struct slot {
    uint64_t hash;
    struct cow_item *item;
};

struct shard {
    _Atomic uint32_t refs;
    uint32_t count, cap;
    struct slot slots[];
};

struct cow_table {
    _Atomic uint32_t refs;
    size_t count;
    struct shard *shards[SHARDS]; /* NULL: empty */
};

static void refs_init(_Atomic uint32_t *refs)
{
    atomic_init(refs, 1);
}

static void refs_add(_Atomic uint32_t *refs)
{
    atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

/* True: that was the last one. Whoever frees sees everything that others did with it before they let it go. */
static bool refs_drop(_Atomic uint32_t *refs)
{
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

/* What only we have nobody else can take a reference to: it may be changed in place. */
static bool refs_alone(_Atomic uint32_t *refs)
{
    return atomic_load_explicit(refs, memory_order_acquire) == 1;
}

void cow_item_init(struct cow_item *item, const struct cow_ops *ops, const struct cow_key *key)
{
    item->ops = ops;
    refs_init(&item->refs);
    item->kind = key->kind;
    item->ns = key->ns;
    item->name = key->name;
    item->hash = key->hash;
}

void cow_item_ref(struct cow_item *item)
{
    refs_add(&item->refs);
}

void cow_item_unref(struct cow_item *item)
{
    if (item && refs_drop(&item->refs))
        item->ops->free(item);
}

static void shard_unref(struct shard *s)
{
    if (!s || !refs_drop(&s->refs))
        return;
    for (uint32_t i = 0; i < s->count; i++)
        cow_item_unref(s->slots[i].item);
    mem_free(s);
}

struct cow_table *cow_table_new(void)
{
    struct cow_table *t = NEW(struct cow_table);
    refs_init(&t->refs);
    return t;
}

struct cow_table *cow_table_copy(const struct cow_table *t)
{
    struct cow_table *copy = cow_table_new();
    copy->count = t->count;
    memcpy(copy->shards, t->shards, sizeof copy->shards);
    for (size_t i = 0; i < SHARDS; i++) {
        if (copy->shards[i])
            refs_add(&copy->shards[i]->refs);
    }
    return copy;
}

/* The count is the only part of a shared version that changes. */
static struct cow_table *counted(const struct cow_table *t)
{
    return (struct cow_table *)(uintptr_t)t;
}

const struct cow_table *cow_table_ref(const struct cow_table *t)
{
    refs_add(&counted(t)->refs);
    return t;
}

void cow_table_unref(const struct cow_table *t)
{
    if (!t || !refs_drop(&counted(t)->refs))
        return;
    for (size_t i = 0; i < SHARDS; i++)
        shard_unref(t->shards[i]);
    mem_free(counted(t));
}

size_t cow_table_count(const struct cow_table *t)
{
    return t->count;
}

static size_t shard_index(uint64_t hash)
{
    return hash >> (64 - SHARD_BITS);
}

/* The first slot whose hash is not less. */
static uint32_t shard_place(const struct shard *s, uint64_t hash)
{
    uint64_t spread = (hash << SHARD_BITS) >> 32;
    uint32_t i = (uint32_t)(spread * s->count >> 32);
    while (i > 0 && s->slots[i - 1].hash >= hash)
        i--;
    while (i < s->count && s->slots[i].hash < hash)
        i++;
    return i;
}

static bool item_is(const struct cow_item *item, const struct cow_key *key)
{
    return item->kind == key->kind && str_eq(item->name, key->name) && str_eq(item->ns, key->ns);
}

/* UINT32_MAX: not there. */
static uint32_t shard_find(const struct shard *s, const struct cow_key *key)
{
    if (!s)
        return UINT32_MAX;
    for (uint32_t i = shard_place(s, key->hash); i < s->count && s->slots[i].hash == key->hash; i++) {
        if (item_is(s->slots[i].item, key))
            return i;
    }
    return UINT32_MAX;
}

const struct cow_item *cow_table_find(const struct cow_table *t, const struct cow_key *key)
{
    const struct shard *s = t->shards[shard_index(key->hash)];
    uint32_t at = shard_find(s, key);
    return at == UINT32_MAX ? NULL : s->slots[at].item;
}

/* The shard of this version alone, with room for `more` slots. */
static struct shard *shard_own(struct cow_table *t, size_t index, uint32_t more)
{
    struct shard *s = t->shards[index];
    uint32_t count = s ? s->count : 0;
    bool shared = s && !refs_alone(&s->refs);
    if (s && !shared && count + more <= s->cap)
        return s;
    uint32_t cap = more ? count + more + count / 2 : count;
    struct shard *own = mem_alloc(sizeof *own + cap * sizeof own->slots[0]);
    refs_init(&own->refs);
    own->count = count;
    own->cap = cap;
    if (s)
        memcpy(own->slots, s->slots, count * sizeof own->slots[0]);
    if (shared) {
        for (uint32_t i = 0; i < count; i++)
            cow_item_ref(own->slots[i].item);
        shard_unref(s);
    } else {
        mem_free(s); /* its references went along */
    }
    return t->shards[index] = own;
}

void cow_table_put(struct cow_table *t, struct cow_item *item)
{
    struct cow_key key = {item->kind, item->ns, item->name, item->hash};
    size_t index = shard_index(key.hash);
    uint32_t at = shard_find(t->shards[index], &key);
    struct shard *s = shard_own(t, index, at == UINT32_MAX);
    if (at != UINT32_MAX) {
        cow_item_unref(s->slots[at].item);
        s->slots[at].item = item;
        return;
    }
    at = shard_place(s, key.hash);
    memmove(&s->slots[at + 1], &s->slots[at], (s->count - at) * sizeof s->slots[0]);
    s->slots[at] = (struct slot){key.hash, item};
    s->count++;
    t->count++;
}

struct cow_item *cow_table_edit(struct cow_table *t, const struct cow_key *key)
{
    size_t index = shard_index(key->hash);
    uint32_t at = shard_find(t->shards[index], key);
    if (at == UINT32_MAX)
        return NULL;
    struct shard *s = shard_own(t, index, 0);
    struct cow_item *item = s->slots[at].item;
    if (!refs_alone(&item->refs)) {
        s->slots[at].item = item->ops->clone(item);
        cow_item_unref(item);
    }
    return s->slots[at].item;
}

struct cow_item *cow_table_take(struct cow_table *t, const struct cow_key *key)
{
    size_t index = shard_index(key->hash);
    uint32_t at = shard_find(t->shards[index], key);
    if (at == UINT32_MAX)
        return NULL;
    struct shard *s = shard_own(t, index, 0);
    struct cow_item *item = s->slots[at].item;
    s->count--;
    memmove(&s->slots[at], &s->slots[at + 1], (s->count - at) * sizeof s->slots[0]);
    t->count--;
    return item;
}
