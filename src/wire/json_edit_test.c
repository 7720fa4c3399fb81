#include "harness/test.h"
#include "wire/json.h"
#include <stdio.h>

static struct json parse(struct arena *a, str text)
{
    struct json j;
    CHECK_OK(json_parse(a, text, NULL, &j, &e));
    return j;
}

static str print(struct arena *a, const struct json *j)
{
    struct buf out;
    buf_init_arena(&out, a, 64u << 20);
    json_print(&out, j, 0);
    return buf_str(&out);
}

TEST(json_reading_the_wrong_type_gives_nothing)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = parse(&a, S("{\"a\":[1,\"x\",true],\"b\":{\"c\":null}}"));
    CHECK_STR(json_str(json_find(&j, S("a"))), "");
    CHECK_STR(json_str(json_at(json_find(&j, S("a")), 1)), "x");
    CHECK(json_at(json_find(&j, S("a")), 3) == NULL);
    CHECK(json_at(&j, 0) == NULL);
    CHECK(json_find(json_find(&j, S("a")), S("c")) == NULL);
    CHECK(json_find(NULL, S("c")) == NULL);
    CHECK(json_get(&j, S("b"), S("c"))->type == JSON_NULL);
    CHECK(json_get(&j, S("b"), S("c"), S("d")) == NULL);
    CHECK(json_get(&j, S("nothing"), S("c")) == NULL);
    CHECK(json_bool(json_at(json_find(&j, S("a")), 2)));
    CHECK(!json_bool(NULL));
    CHECK_EQ(json_count(json_find(&j, S("a"))), 3);
    CHECK_EQ(json_count(json_get(&j, S("b"), S("c"))), 0);
    CHECK(json_find_id(&j, 1) == NULL);
    int64_t i;
    CHECK(!json_int(NULL, &i) && !json_int(&j, &i));
}

TEST(json_edits_objects)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = parse(&a, S("{\"a\":1,\"b\":2,\"c\":3}"));
    CHECK(json_remove(&j, S("b")));
    CHECK(!json_remove(&j, S("b")));
    json_set(&a, &j, S("a"), json_of_str(S("one")));
    json_set(&a, &j, S("d"), json_object());
    json_set(&a, json_find(&j, S("d")), S("deep"), json_of_bool(true));
    json_set(&a, &j, S(""), json_of_float(0.5));
    CHECK_STR(print(&a, &j), "{\"a\":\"one\",\"c\":3,\"d\":{\"deep\":true},\"\":0.5}");
    CHECK(json_remove(&j, S("")) && json_remove(&j, S("a")) && json_remove(&j, S("c")) &&
          json_remove(&j, S("d")));
    CHECK_STR(print(&a, &j), "{}");
    struct json text = json_of_str(S("x"));
    CHECK(!json_remove(&text, S("a")));
}

TEST(json_edits_arrays)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = parse(&a, S("[1,2,3]"));
    json_insert(&a, &j, 0, json_of_int(0));
    json_insert(&a, &j, 4, json_of_int(4));
    json_insert(&a, &j, 2, json_null());
    CHECK_STR(print(&a, &j), "[0,1,null,2,3,4]");
    json_remove_at(&j, 2);
    json_remove_at(&j, 4);
    json_remove_at(&j, 0);
    CHECK_STR(print(&a, &j), "[1,2,3]");
    json_append(&a, json_append(&a, &j, json_array()), json_of_bool(false));
    CHECK_STR(print(&a, &j), "[1,2,3,[false]]");
}

TEST(json_edits_do_not_reach_what_lies_next_in_the_arena)
{
    /* Two arrays of exact size, side by side: each edit must find room of its own. */
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = parse(&a, S("{\"x\":[1,2],\"y\":[3,4],\"z\":{\"k\":5}}"));
    for (int i = 0; i < 100; i++) {
        json_append(&a, json_find(&j, S("x")), json_of_int(i));
        json_remove_at(json_find(&j, S("y")), 0);
        json_append(&a, json_find(&j, S("y")), json_of_int(i));
        json_append(&a, json_find(&j, S("y")), json_of_int(-i));
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        json_set(&a, json_find(&j, S("z")), str_dup(&a, str_from_c(name)), json_of_int(i));
    }
    struct json *x = json_find(&j, S("x")), *y = json_find(&j, S("y")), *z = json_find(&j, S("z"));
    CHECK_EQ(json_count(x), 102);
    CHECK_EQ(json_count(y), 102);
    CHECK_EQ(json_count(z), 101);
    CHECK_EQ(json_at(x, 0)->v.i, 1);
    CHECK_EQ(json_at(x, 101)->v.i, 99);
    CHECK_EQ(json_at(y, 101)->v.i, -99);
    CHECK_EQ(json_find(z, S("k"))->v.i, 5);
    CHECK_EQ(json_find(z, S("n57"))->v.i, 57);
}

/* Edits drawn by lot, done in the same way on a plain array of numbers. */
TEST(json_array_edits_agree_with_a_model)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = parse(&a, S("[0,1,2,3,4]"));
    int64_t model[400] = {0, 1, 2, 3, 4};
    size_t n = 5;
    uint64_t state = test_seed();
    for (int64_t step = 0; step < 3000; step++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t at = (state >> 33) % (n + 1);
        if (state >> 63 && n < 390) {
            json_insert(&a, &j, at, json_of_int(step));
            memmove(model + at + 1, model + at, (n++ - at) * sizeof model[0]);
            model[at] = step;
        } else if (at < n) {
            json_remove_at(&j, at);
            memmove(model + at, model + at + 1, (--n - at) * sizeof model[0]);
        }
        CHECK_EQ(json_count(&j), n);
    }
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(json_at(&j, i)->v.i, model[i]);
}

TEST(json_sorts_members_by_bytes_shallow_or_deep)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = parse(
        &a, S("{\"b\":{\"y\":1,\"x\":[{\"d\":1,\"c\":2}]},\"a\":2,\"B\":3,\"\xc3\xa9\":4,\"\":5,\"ab\":6}"));
    struct json shallow = json_clone(&a, &j);
    json_sort_members(&shallow, false);
    CHECK_STR(print(&a, &shallow),
              "{\"\":5,\"B\":3,\"a\":2,\"ab\":6,\"b\":{\"y\":1,\"x\":[{\"d\":1,\"c\":2}]},\"\xc3\xa9\":4}");
    json_sort_members(&j, true);
    CHECK_STR(print(&a, &j),
              "{\"\":5,\"B\":3,\"a\":2,\"ab\":6,\"b\":{\"x\":[{\"c\":2,\"d\":1}],\"y\":1},\"\xc3\xa9\":4}");
}

TEST(json_sorts_many_members)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (unsigned count = 1; count < 2000; count = count * 3 + 1) {
        struct json j = json_object();
        for (unsigned i = 0; i < count; i++)
            json_set(&a, &j, str_format(&a, "%u", i * 7919 % count), json_of_int(i));
        uint32_t before = j.n;
        json_sort_members(&j, false);
        CHECK_EQ(j.n, before);
        for (uint32_t i = 1; i < j.n; i++)
            CHECK_LT(str_cmp(json_member_name(&j.v.members[i - 1]), json_member_name(&j.v.members[i])), 0);
    }
}

TEST(json_clone_shares_nothing_that_an_edit_could_reach)
{
    CLEANUP(arena_done) struct arena a, other;
    arena_init(&a, 0);
    arena_init(&other, 0);
    str text = S("{\"a\":{\"b\":[1,{\"c\":\"\\u0064\"}]},\"e\":[],\"f\":{}}");
    struct json j = parse(&a, text);
    struct json copy = json_clone(&a, &j), deep = json_clone_deep(&other, &j);
    CHECK(json_equal(&j, &copy));
    json_set(&a, json_find(&j, S("a")), S("b"), json_null());
    json_append(&a, json_find(&j, S("e")), json_null());
    CHECK(!json_equal(&j, &copy));
    CHECK_STR(print(&a, &copy), "{\"a\":{\"b\":[1,{\"c\":\"d\"}]},\"e\":[],\"f\":{}}");
    arena_done(&a);
    CHECK_STR(print(&other, &deep), "{\"a\":{\"b\":[1,{\"c\":\"d\"}]},\"e\":[],\"f\":{}}");
    struct json s = json_of_str(S("scalar"));
    CHECK(json_str(&s).p != json_clone_deep(&other, &s).v.s);
    arena_done(&other);
}

static const struct {
    const char *x, *y;
    bool equal;
} pairs[] = {
    {"1", "1", true},
    {"1", "1.0", false},
    {"1.0", "1e0", true},
    {"1", "2", false},
    {"1", "\"1\"", false},
    {"0.0", "-0.0", true},
    {"true", "false", false},
    {"null", "null", true},
    {"null", "false", false},
    {"\"\"", "\"\"", true},
    {"\"a\"", "\"\\u0061\"", true},
    {"\"a\"", "\"ab\"", false},
    {"[]", "[]", true},
    {"[]", "{}", false},
    {"[1,2]", "[2,1]", false},
    {"[1,2]", "[1,2,3]", false},
    {"[[1],[2]]", "[[1],[2]]", true},
    {"[[1],[2]]", "[[1],[3]]", false},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
    {"{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false},
    {"{\"a\":1}", "{\"b\":1}", false},
    {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
    {"{\"a\":{\"x\":[1],\"y\":2},\"b\":{}}", "{\"b\":{},\"a\":{\"y\":2,\"x\":[1]}}", true},
    {"{\"a\":{\"x\":[1],\"y\":2},\"b\":{}}", "{\"b\":{},\"a\":{\"y\":2,\"x\":[2]}}", false},
};

TEST(json_equal_looks_at_everything_but_the_order_of_members)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        struct json x = parse(&a, str_from_c(pairs[i].x)), y = parse(&a, str_from_c(pairs[i].y));
        if (json_equal(&x, &y) != pairs[i].equal || json_equal(&y, &x) != pairs[i].equal)
            FAIL("%s and %s", pairs[i].x, pairs[i].y);
    }
}

/* Members 0 to count - 1, in another order for each stride. */
static struct json strided(struct arena *a, unsigned count, unsigned stride)
{
    struct json j = json_object();
    j.v.members = ARENA_ARRAY(a, struct json_member, count);
    j.n = count;
    for (unsigned i = 0; i < count; i++) {
        unsigned number = (unsigned)((uint64_t)i * stride % count);
        str name = str_format(a, "member-%u", number);
        j.v.members[i] = (struct json_member){
            .name = name.p, .name_n = (uint32_t)name.n, .value = json_of_int(number)};
    }
    return j;
}

TEST(json_equal_is_not_quadratic_in_the_members_of_large_objects)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    unsigned count = test_is_sanitized() ? 10007 : 200003; /* primes: each stride meets every number */
    struct json x = strided(&a, count, 1), y = strided(&a, count, 7919);
    CHECK(json_equal(&x, &y));
    y.v.members[count / 2].value = json_of_int(-1);
    CHECK(!json_equal(&x, &y));
}

TEST(json_trees_deeper_than_any_text_are_handled)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    enum { DEPTH = 100000 };
    struct json j = json_object();
    for (int i = 0; i < DEPTH; i++) {
        struct json outer = i % 2 ? json_object() : json_array();
        if (i % 2) {
            json_set(&a, &outer, S("b"), json_null());
            json_set(&a, &outer, S("a"), j);
        } else {
            json_append(&a, &outer, j);
        }
        j = outer;
    }
    struct json copy = json_clone_deep(&a, &j);
    json_sort_members(&copy, true);
    CHECK(json_equal(&j, &copy));
    CHECK_EQ(print(&a, &j).n, print(&a, &copy).n);
}
