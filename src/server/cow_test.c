#include "base/mem.h"
#include "base/random.h"
#include "harness/test.h"
#include "server/cow.h"

struct thing {
    struct cow_item item;
    int *freed;
    uint64_t value;
    char name[8];
};

static void thing_free(struct cow_item *item)
{
    struct thing *t = CONTAINER_OF(item, struct thing, item);
    ++*t->freed;
    mem_free(t);
}

static struct cow_item *thing_clone(const struct cow_item *item);
static const struct cow_ops thing_ops = {thing_free, thing_clone};

static struct thing *thing_new(int *freed, uint64_t hash, unsigned number, uint64_t value)
{
    struct thing *t = NEW(struct thing);
    t->freed = freed;
    t->value = value;
    memcpy(t->name, &number, sizeof number);
    struct cow_key key = {0, STR_NONE, {t->name, sizeof number}, hash};
    cow_item_init(&t->item, &thing_ops, &key);
    return t;
}

static const struct thing *thing_of(const struct cow_item *item)
{
    return (const struct thing *)(const void *)item;
}

static struct cow_item *thing_clone(const struct cow_item *item)
{
    const struct thing *from = thing_of(item);
    unsigned number;
    memcpy(&number, from->name, sizeof number);
    --*from->freed; /* one more to be freed */
    return &thing_new(from->freed, item->hash, number, from->value)->item;
}

enum { NUMBERS = 600, VERSIONS = 5 };

/* Few hashes, so that many things are neighbours and some have the same one. */
static uint64_t hash_of(unsigned number)
{
    return (uint64_t)(number % 97) * 0x0104000000000001u;
}

struct version {
    const struct cow_table *t;
    uint64_t values[NUMBERS]; /* 0: not there */
};

static void check_version(const struct version *v)
{
    size_t count = 0;
    for (unsigned n = 0; n < NUMBERS; n++) {
        struct cow_key key = {0, STR_NONE, {(const char *)&n, sizeof n}, hash_of(n)};
        const struct cow_item *item = cow_table_find(v->t, &key);
        CHECK_EQ(item ? thing_of(item)->value : 0, v->values[n]);
        count += v->values[n] != 0;
    }
    CHECK_EQ(cow_table_count(v->t), count);
}

/* One change; how many more things there are that must be freed. */
static int change(struct version *v, struct cow_table *t, struct random *r, int *freed, uint64_t value)
{
    unsigned n = (unsigned)random_below(r, NUMBERS);
    struct cow_key key = {0, STR_NONE, {(const char *)&n, sizeof n}, hash_of(n)};
    switch (random_below(r, 3)) {
    case 0: {
        struct cow_item *item = cow_table_take(t, &key);
        CHECK_EQ(item != NULL, v->values[n] != 0);
        cow_item_unref(item);
        v->values[n] = 0;
        return 0;
    }
    case 1: {
        struct cow_item *item = cow_table_edit(t, &key);
        CHECK_EQ(item != NULL, v->values[n] != 0);
        if (item)
            v->values[n] = CONTAINER_OF(item, struct thing, item)->value = value;
        return 0;
    }
    default:
        cow_table_put(t, &thing_new(freed, hash_of(n), n, value)->item);
        v->values[n] = value;
        return 1;
    }
}

TEST(every_version_of_a_table_keeps_what_it_had)
{
    struct random r;
    random_init(&r, test_seed());
    int freed = 0, made = 0;
    struct version versions[VERSIONS] = {0};
    for (size_t i = 0; i < VERSIONS; i++)
        versions[i].t = cow_table_new();
    for (uint64_t step = 1; step < 200; step++) {
        struct version *from = &versions[random_below(&r, VERSIONS)],
                       *to = &versions[random_below(&r, VERSIONS)];
        struct version next = *from;
        struct cow_table *t = cow_table_copy(from->t);
        for (uint64_t i = random_below(&r, 50); i > 0; i--)
            made += change(&next, t, &r, &freed, step * 100 + i);
        next.t = t;
        cow_table_unref(to->t);
        *to = next;
        check_version(&versions[random_below(&r, VERSIONS)]);
    }
    for (size_t i = 0; i < VERSIONS; i++) {
        check_version(&versions[i]);
        cow_table_unref(versions[i].t);
    }
    CHECK_EQ(freed, made);
}

TEST(kind_and_namespace_are_part_of_a_key)
{
    const uint64_t key[2] = {1, 2};
    CHECK_NE(cow_key(key, 1, S("a"), S("b")).hash, cow_key(key, 2, S("a"), S("b")).hash);
    CHECK_NE(cow_key(key, 1, S("a"), S("b")).hash, cow_key(key, 1, S("b"), S("a")).hash);
    CHECK_NE(cow_key(key, 1, S("ab"), S("")).hash, cow_key(key, 1, S(""), S("ab")).hash);
    CHECK_EQ(cow_key(key, 1, S("a"), STR_NONE).hash, cow_key(key, 1, S("a"), S("")).hash);
}
