#include "base/mem.h"
#include "base/vec.h"
#include "harness/test.h"

TEST(vec_grows_inserts_and_removes_in_place)
{
    VEC(int) v = {0};
    for (int i = 0; i < 100; i++)
        vec_push(&v, i);
    CHECK_EQ(v.count, 100);
    vec_insert(&v, 0, -1);
    vec_insert(&v, 101, 100);
    vec_insert(&v, 50, 1000);
    CHECK_EQ(v.items[50], 1000);
    CHECK_EQ(v.items[51], 49);
    vec_remove(&v, 50);
    for (int i = 0; i < 102; i++)
        CHECK_EQ(v.items[i], i - 1);
    vec_remove_swap(&v, 0);
    CHECK_EQ(v.items[0], 100);
    vec_remove(&v, v.count - 1);
    vec_remove_swap(&v, v.count - 1);
    CHECK_EQ(v.count, 99);
    vec_done(&v);
    CHECK(v.items == NULL);
    vec_reserve(&v, 1000);
    uint64_t allocs = mem_thread_allocs();
    for (int i = 0; i < 1000; i++)
        vec_push(&v, i);
    CHECK_EQ(mem_thread_allocs(), allocs);
    vec_done(&v);
}

struct pair {
    int key, order;
};

static int by_key(const void *a, const void *b, void *ctx)
{
    (*(int *)ctx)++;
    const struct pair *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

TEST(vec_sort_is_stable_at_every_length)
{
    uint64_t random = test_seed();
    static struct pair items[300];
    int calls = 0;
    for (int n = 0; n < 300; n++) {
        for (int i = 0; i < n; i++) {
            random = random * 6364136223846793005u + 1;
            items[i] = (struct pair){.key = (int)(random >> 33) % (n / 3 + 1), .order = i};
        }
        vec_sort(items, (size_t)n, sizeof *items, by_key, &calls);
        for (int i = 1; i < n; i++) {
            CHECK_LE(items[i - 1].key, items[i].key);
            if (items[i - 1].key == items[i].key)
                CHECK_LT(items[i - 1].order, items[i].order);
        }
    }
}

TEST(vec_lower_bound_points_at_the_first_that_is_not_less)
{
    struct pair items[] = {{1, 0}, {3, 0}, {3, 1}, {5, 0}};
    static const size_t want[] = {0, 0, 1, 1, 3, 3, 4};
    int calls = 0;
    for (int key = 0; key < 7; key++) {
        struct pair k = {.key = key};
        CHECK_EQ(vec_lower_bound(items, 4, sizeof *items, &k, by_key, &calls), want[key]);
        struct pair *found = vec_bsearch(items, 4, sizeof *items, &k, by_key, &calls);
        CHECK_EQ(found != NULL, key % 2 && key < 7 && key > 0);
        if (found)
            CHECK_EQ(found->order, 0);
    }
    CHECK_EQ(vec_lower_bound(NULL, 0, sizeof *items, &items[0], by_key, &calls), 0);
    CHECK_EQ(vec_dedupe(items, 4, sizeof *items, by_key, &calls), 3);
    CHECK_EQ(items[2].key, 5);
}

TEST(strs_form_a_set)
{
    str names[] = {S("b"), S("a"), S(""), S("ab"), S("a"), S("b")};
    uint64_t allocs = mem_thread_allocs();
    strs_sort(names, 6);
    CHECK_EQ(mem_thread_allocs(), allocs);
    size_t n = strs_dedupe(names, 6);
    CHECK_EQ(n, 4);
    CHECK_STR(names[0], "");
    CHECK_STR(names[2], "ab");
    CHECK(strs_contain(names, n, S("b")));
    CHECK(!strs_contain(names, n, S("c")));
    CHECK(!strs_contain(NULL, 0, S("c")));
}
