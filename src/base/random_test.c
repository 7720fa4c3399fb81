#include "base/random.h"
#include "harness/test.h"

TEST(random_sequence_of_a_seed_never_changes)
{
    struct random r;
    random_init(&r, 0);
    /* Worked out apart from this code; a replayed simulation depends on them. */
    static const uint64_t want[] = {0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc,
                                    0x02eebf8c3bbe5e1a};
    for (size_t i = 0; i < ARRAY_COUNT(want); i++)
        CHECK_EQ(random_u64(&r), want[i]);
}

TEST(random_below_is_even_and_bounded)
{
    struct random r;
    random_init(&r, test_seed());
    enum { BOUND = 7, DRAWS = 70000 };
    int counts[BOUND] = {0};
    for (int i = 0; i < DRAWS; i++)
        counts[random_below(&r, BOUND)]++;
    /* Twelve standard deviations of a binomial distribution: chance does not get there. */
    for (int i = 0; i < BOUND; i++)
        CHECK(counts[i] > DRAWS / BOUND - 1100 && counts[i] < DRAWS / BOUND + 1100);
    CHECK_EQ(random_below(&r, 1), 0);
    /* A bound where half of the draws would be uneven without a second try. */
    uint64_t bound = ((uint64_t)1 << 63) + 1, low = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t v = random_below(&r, bound);
        CHECK_LT(v, bound);
        low += v < bound / 2;
    }
    CHECK(low > 4400 && low < 5600);
    for (int i = 0; i < 1000; i++) {
        int64_t v = random_between(&r, -3, 3);
        CHECK(v >= -3 && v <= 3);
        double d = random_unit(&r);
        CHECK(d >= 0 && d < 1);
        (void)random_between(&r, INT64_MIN, INT64_MAX);
    }
    CHECK_EQ(random_between(&r, 5, 5), 5);
    CHECK(random_chance(&r, 1, 1));
    CHECK(!random_chance(&r, 0, 10));
}

TEST(random_shuffle_reaches_every_order)
{
    struct random r;
    random_init(&r, test_seed());
    int seen[6] = {0};
    for (int i = 0; i < 6000; i++) {
        struct {
            char name;
            int32_t value;
        } items[3] = {{'a', 1}, {'b', 2}, {'c', 3}};
        random_shuffle(&r, items, 3, sizeof *items);
        for (int k = 0; k < 3; k++)
            CHECK_EQ(items[k].name - 'a' + 1, items[k].value);
        int order = items[0].value * 10 + items[1].value;
        seen[order == 12 ? 0 : order == 13 ? 1 : order == 21 ? 2 : order == 23 ? 3 : order == 31 ? 4 : 5]++;
    }
    for (int i = 0; i < 6; i++)
        CHECK(seen[i] > 650 && seen[i] < 1350);
    random_shuffle(&r, NULL, 0, 4);
}

TEST(random_fork_goes_its_own_way)
{
    struct random r, same;
    random_init(&r, 1);
    random_init(&same, 1);
    struct random fork = random_fork(&r);
    (void)random_u64(&same);
    for (int i = 0; i < 100; i++) {
        uint64_t v = random_u64(&r);
        CHECK_EQ(v, random_u64(&same));
        CHECK_NE(v, random_u64(&fork));
    }
}
