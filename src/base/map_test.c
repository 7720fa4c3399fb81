#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "harness/test.h"
#include <stdio.h>

static const uint64_t no_key[2];

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

TEST(map_finds_what_was_put_and_nothing_else)
{
    CLEANUP(map_done) struct map m;
    map_init(&m, no_key, MAP_BORROW_KEYS);
    int one, two;
    CHECK(map_find(&m, S("a")) == NULL);
    CHECK(map_set(&m, S("a"), &one) == NULL);
    CHECK(map_set(&m, S(""), &two) == NULL);
    CHECK(map_find(&m, S("a")) == &one);
    CHECK(map_find(&m, STR_NONE) == &two);
    CHECK(map_set(&m, S("a"), &two) == &one);
    CHECK_EQ(map_count(&m), 2);
    union map_value old;
    CHECK(map_remove(&m, S("a"), &old));
    CHECK(old.p == &two);
    CHECK(!map_remove(&m, S("a"), NULL));
    CHECK(map_find_entry(&m, S("a")) == NULL);
    bool added;
    struct map_entry *e = map_put(&m, S("n"), &added);
    CHECK(added);
    CHECK_EQ(e->value.n, 0);
    e->value.n = 7;
    CHECK_EQ(map_put(&m, S("n"), &added)->value.n, 7);
    CHECK(!added);
    map_clear(&m);
    CHECK_EQ(map_count(&m), 0);
    CHECK(map_find(&m, S("")) == NULL);
    CHECK(map_next(&m, NULL) == NULL);
}

TEST(map_iterates_in_the_order_of_adding_under_any_hash_key)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        CLEANUP(map_done) struct map m;
        map_init(&m, (const uint64_t[2]){seed * 77, ~seed}, MAP_COPY_KEYS);
        char name[32];
        for (int i = 0; i < 100; i++)
            map_put(&m, str_of(name, (size_t)snprintf(name, sizeof name, "pod-%d", i)), NULL)->value.n = i;
        /* Take out every third while walking, the current one and one ahead. */
        uint64_t want = 0;
        for (struct map_entry *e = map_next(&m, NULL); e; e = map_next(&m, e), want++) {
            if (want == 50)
                map_remove(&m, S("pod-99"), NULL);
            CHECK_EQ(e->value.n, want);
            if (want % 3 == 0)
                map_remove_entry(&m, e);
        }
        CHECK_EQ(want, 99);
        CHECK_EQ(map_count(&m), 66);
        map_put(&m, S("pod-0"), NULL)->value.n = 1000;
        uint64_t last = 0;
        for (struct map_entry *e = map_next(&m, NULL); e; e = map_next(&m, e)) {
            CHECK_GT(e->value.n, last);
            last = e->value.n;
        }
        CHECK_EQ(last, 1000);
    }
}

TEST(map_keeps_copies_or_follows_the_newest_owner_of_a_key)
{
    char text[] = "name", other[] = "name";
    CLEANUP(map_done) struct map copies, borrows;
    map_init(&copies, no_key, MAP_COPY_KEYS);
    map_init(&borrows, no_key, MAP_BORROW_KEYS);
    map_set(&copies, str_from_c(text), text);
    map_set(&borrows, str_from_c(text), text);
    map_set(&borrows, str_from_c(other), other);
    text[0] = 'X';
    CHECK(map_find(&copies, S("name")) == text);
    CHECK(map_find(&borrows, S("name")) == other);
    CHECK(map_find_entry(&borrows, S("name"))->key.p == other);
    /* A key that is the key of an entry already, while the entries move. */
    for (int i = 0; i < 100; i++) {
        struct map_entry *first = map_next(&copies, NULL);
        map_put(&copies, str_slice(first->key, 0, (size_t)i % 5), NULL);
    }
    CHECK_EQ(map_count(&copies), 5);
}

/* Random puts and removals next to a plain array that says what should be there. */
TEST(map_agrees_with_a_plain_array)
{
    enum { KEYS = 400 };
    static bool there[KEYS];
    static uint64_t values[KEYS];
    uint64_t random = test_seed();
    CLEANUP(map_done) struct map m;
    map_init(&m, (const uint64_t[2]){random, 5}, MAP_COPY_KEYS);
    CLEANUP(u64map_done) struct u64map u;
    u64map_init(&u, (const uint64_t[2]){5, random});
    size_t count = 0;
    for (int step = 0; step < 60000; step++) {
        /* Growing, shrinking and growing again. */
        bool put = next_random(&random) % 100 < (step / 5000 % 2 ? 20 : 80);
        size_t k = next_random(&random) % KEYS;
        char text[24];
        str key = str_of(text, (size_t)snprintf(text, sizeof text, "%zu", k * 1000));
        if (put) {
            bool added, u_added;
            map_put(&m, key, &added)->value.n = (uint64_t)step;
            u64map_put(&u, k * 8192, &u_added)->value.n = (uint64_t)step;
            CHECK_EQ(added, !there[k]);
            CHECK_EQ(u_added, !there[k]);
            count += added;
            there[k] = true;
            values[k] = (uint64_t)step;
        } else {
            union map_value old = {0}, u_old = {0};
            CHECK_EQ(map_remove(&m, key, &old), there[k]);
            CHECK_EQ(u64map_remove(&u, k * 8192, &u_old), there[k]);
            if (there[k])
                CHECK(old.n == values[k] && u_old.n == values[k]);
            count -= there[k];
            there[k] = false;
        }
        CHECK_EQ(map_count(&m), count);
        CHECK_EQ(u64map_count(&u), count);
        if (step % 997)
            continue;
        size_t seen = 0;
        for (struct map_entry *e = map_next(&m, NULL); e; e = map_next(&m, e)) {
            uint64_t n;
            CHECK(str_parse_u64(e->key, &n));
            CHECK(there[n / 1000] && values[n / 1000] == e->value.n);
            CHECK_EQ(u64map_find_entry(&u, n / 1000 * 8192)->value.n, e->value.n);
            seen++;
        }
        CHECK_EQ(seen, count);
    }
}

TEST(map_used_as_a_queue_stays_small_and_quick)
{
    CLEANUP(u64map_done) struct u64map u;
    u64map_init(&u, no_key);
    int x;
    for (uint64_t i = 0; i < 1000000; i++) {
        CHECK(u64map_set(&u, i, &x) == NULL);
        if (i >= 10) {
            struct u64map_entry *first = u64map_next(&u, NULL);
            CHECK_EQ(first->key, i - 10);
            u64map_remove_entry(&u, first);
        }
    }
    CHECK_LE(u.core.cap, 64);
    CHECK(u64map_find(&u, 999999) == &x);
    uint64_t allocs = mem_thread_allocs();
    u64map_clear(&u);
    for (uint64_t i = 0; i < 10; i++)
        u64map_set(&u, i << 40, &x);
    CHECK_EQ(mem_thread_allocs(), allocs);
}
