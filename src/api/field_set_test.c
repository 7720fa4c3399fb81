#include "api/field_set.h"
#include "base/random.h"
#include "harness/test.h"

struct fixture {
    struct arena a;
    struct random random;
};

static void setup(struct fixture *f)
{
    arena_init(&f->a, 0);
    random_init(&f->random, test_seed());
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static struct field_set parsed(struct fixture *f, const char *text, bool *ret_canonical)
{
    struct json j;
    struct field_set s;
    CHECK_OK(json_parse(&f->a, str_from_c(text), NULL, &j, &e));
    CHECK_OK(field_set_read(&f->a, &j, &s, ret_canonical, &e));
    return s;
}

static str printed(struct fixture *f, struct field_set s)
{
    struct buf b;
    struct json j = field_set_write(&f->a, s);
    buf_init_arena(&b, &f->a, 1 << 24);
    json_print(&b, &j, 0);
    return buf_str(&b);
}

static void check_read(const char *text, const char *want)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    bool canonical;
    struct field_set s = parsed(&f, text, &canonical);
    CHECK_STR(printed(&f, s), want);
    CHECK_EQ(canonical, str_eq(str_from_c(text), str_from_c(want)));
}

TEST(sets_are_written_in_the_originals_order_and_form)
{
    static const char *const canonical[] = {
        "{}",
        "{\"f:a\":{}}",
        "{\"f:a\":{\".\":{},\"f:b\":{}},\"f:c\":{\"f:d\":{}}}",
        "{\"f:a\":{\"k:{\\\"name\\\":\\\"x\\\"}\":{\".\":{},\"f:name\":{}},\"k:{\\\"name\\\":\\\"y\\\"}\":{}}}",
        "{\"k:{\\\"a\\\":1,\\\"b\\\":\\\"\\\\u003cx\\\"}\":{}}",
        "{\"f:z\":{},\"k:{\\\"a\\\":1}\":{},\"v:1\":{},\"v:\\\"a\\\"\":{},\"v:false\":{},\"v:true\":{},\"v:null\":{},\"i:0\":{},\"i:10\":{}}",
        "{\"f:\":{},\"f:A\":{},\"f:a\":{},\"f:a.b\":{},\"f:aa\":{}}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(canonical); i++)
        check_read(canonical[i], canonical[i]);
}

TEST(what_is_written_in_another_way_is_read_and_put_right)
{
    check_read("{\"f:b\":{},\"f:a\":{}}", "{\"f:a\":{},\"f:b\":{}}");
    check_read("{\"f:a\":{\".\":{}}}", "{\"f:a\":{}}");
    check_read("{\"f:a\":{\"f:b\":{},\".\":{}}}", "{\"f:a\":{\".\":{},\"f:b\":{}}}");
    check_read("{\".\":{},\"f:a\":{}}", "{\"f:a\":{}}");
    check_read("{\"f:a\":null}", "{\"f:a\":{}}");
    check_read("{\"x:later\":{\"f:a\":{}},\"f:b\":{\"q:z\":{}}}", "{\"f:b\":{}}");
    check_read("{\"k:{ \\\"b\\\": 2, \\\"a\\\":1.0e0}\":{}}", "{\"k:{\\\"a\\\":1,\\\"b\\\":2}\":{}}");
    check_read("{\"k:{\\\"a\\\":1}\":{\"f:x\":{}},\"k:{\\\"a\\\":1.0}\":{}}",
               "{\"k:{\\\"a\\\":1}\":{\".\":{},\"f:x\":{}}}");
    check_read("{\"i:+7\":{},\"i:-1\":{}}", "{\"i:-1\":{},\"i:7\":{}}");
    check_read("{\"v:\\\"\\\\u0061\\\"\":{},\"v:\\\"<\\\"\":{}}",
               "{\"v:\\\"\\\\u003c\\\"\":{},\"v:\\\"a\\\"\":{}}");
}

TEST(sets_that_are_none_are_refused)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"f\":{}}", "key must be 2 characters long:"},
        {"{\"name\":{}}", "missing colon: name"},
        {"{\"k:[]\":{}}", "keys are an object"},
        {"{\"k:{\":{}}", "parsing key as path element"},
        {"{\"v:\":{}}", "parsing key as path element"},
        {"{\"i:x\":{}}", "strconv.Atoi: parsing \"x\": invalid syntax"},
        {"{\"f:a\":1}", "made of objects"},
        {"[]", "made of objects"},
    };
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct json j;
        struct field_set s;
        CHECK_OK(json_parse(&f.a, str_from_c(cases[i].text), NULL, &j, &e));
        CHECK_ERR(BAD_REQUEST, "", field_set_read(&f.a, &j, &s, NULL, &e));
        struct err err = ERR_INIT;
        err_ignore(field_set_read(&f.a, &j, &s, NULL, &err)); /* refused above */
        CHECK_CONTAINS(err.msg, cases[i].message);
    }
}

TEST(paths_print_as_messages_show_them)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct field_set s = parsed(
        &f,
        "{\"f:a\":{\".\":{},\"f:b\":{}},\"f:l\":{\"k:{\\\"p\\\":80,\\\"x\\\":\\\"T\\\\\\\"\\\"}\":{\".\":{},\"f:v\":{}},\"v:"
        "true\":{},\"v:null\":{},\"i:3\":{}},\"f:z\":{}}",
        NULL);
    static const char *const want[] = {".a",        ".z",        ".a.b",  ".l[p=80,x=\"T\\\"\"]",
                                       ".l[=true]", ".l[=null]", ".l[3]", ".l[p=80,x=\"T\\\"\"].v"};
    struct field_paths paths = field_set_paths(&f.a, s, 100);
    CHECK_EQ(paths.count, ARRAY_COUNT(want));
    CHECK_EQ(field_set_size(s), ARRAY_COUNT(want));
    for (size_t i = 0; i < paths.count; i++)
        CHECK_STR(paths.items[i], want[i]);
    CHECK_EQ(field_set_paths(&f.a, s, 3).count, 3);
}

TEST(removing_a_field_leaves_what_is_below_it_unless_asked_deeply)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct field_set x = parsed(&f, "{\"f:a\":{\".\":{},\"f:b\":{\"f:c\":{}}},\"f:d\":{}}", NULL);
    struct field_set y = parsed(&f, "{\"f:a\":{}}", NULL);
    CHECK_STR(printed(&f, field_set_minus(&f.a, x, y)), "{\"f:a\":{\"f:b\":{\"f:c\":{}}},\"f:d\":{}}");
    CHECK_STR(printed(&f, field_set_minus_deep(&f.a, x, y)), "{\"f:d\":{}}");
}

TEST(patterns_drop_or_keep_what_they_name_and_all_below)
{
    static const str patterns[] = {S_INIT("spec.containers.*.resources"), S_INIT("status")};
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct field_set s = parsed(
        &f,
        "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"a\\\"}\":{\".\":{},\"f:image\":{},\"f:resources\":{\"f:"
        "limits\":{}}}},\"f:x\":{}},\"f:status\":{\".\":{},\"f:y\":{}}}",
        NULL);
    CHECK_STR(
        printed(&f, field_set_drop(&f.a, s, patterns, 2)),
        "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"a\\\"}\":{\".\":{},\"f:image\":{}}},\"f:x\":{}}}");
    CHECK_STR(
        printed(&f, field_set_keep(&f.a, s, patterns, 2)),
        "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"a\\\"}\":{\".\":{},\"f:resources\":{\"f:limits\":{}}}}},\"f:status\":{\".\":{"
        "},\"f:y\":{}}}");
    CHECK_STR(printed(&f, field_set_of_path(&f.a, S("spec.replicas"))), "{\"f:spec\":{\"f:replicas\":{}}}");
}

/* --- laws --- */

static struct field_element random_element(struct fixture *f)
{
    struct json *value = ARENA_NEW(&f->a, struct json);
    uint64_t n = random_below(&f->random, 3);
    switch (random_below(&f->random, 8)) {
    case 0:
        *value = json_of_int((int64_t)n);
        return (struct field_element){.kind = FIELD_VALUE, .value = value};
    case 1:
        *value = json_of_int((int64_t)n);
        return (struct field_element){.kind = FIELD_INDEX, .value = value};
    case 2:
        *value = json_object();
        json_add(&f->a, value, S("name"), n == 2 ? json_of_float(2.5) : json_of_int((int64_t)n));
        return (struct field_element){.kind = FIELD_KEY, .value = value};
    default: return field_name(str_format(&f->a, "%c", (char)('a' + (int)n)));
    }
}

static struct field_set random_set(struct fixture *f, struct field_stack *stack, unsigned depth)
{
    uint32_t base = stack->count;
    for (uint64_t n = random_below(&f->random, 5); n; n--) {
        struct field_element at = random_element(f);
        struct field_set below = depth && random_chance(&f->random, 1, 2) ? random_set(f, stack, depth - 1)
                                                                          : FIELD_SET_EMPTY;
        bool in = !below.count || random_chance(&f->random, 1, 2);
        field_stack_add(stack, &at, below, in);
    }
    return field_stack_take(stack, base);
}

static bool equal(struct field_set x, struct field_set y)
{
    return field_set_equal(x, y) && field_set_within(x, y) && field_set_within(y, x);
}

static void check_laws(struct fixture *f, struct field_set x, struct field_set y, struct field_set z)
{
    struct arena *a = &f->a;
    struct field_set both = field_set_union(a, x, y), common = field_set_intersect(a, x, y);
    struct field_set less = field_set_minus(a, x, y);
    CHECK(equal(both, field_set_union(a, y, x)));
    CHECK(equal(common, field_set_intersect(a, y, x)));
    CHECK(equal(field_set_union(a, both, z), field_set_union(a, x, field_set_union(a, y, z))));
    CHECK(equal(field_set_union(a, less, common), x));
    CHECK(field_set_is_empty(field_set_intersect(a, less, y)));
    CHECK(equal(field_set_minus(a, x, field_set_union(a, y, z)), field_set_minus(a, less, z)));
    CHECK(equal(field_set_intersect(a, x, field_set_union(a, y, z)),
                field_set_union(a, common, field_set_intersect(a, x, z))));
    CHECK_EQ(field_set_size(both) + field_set_size(common), field_set_size(x) + field_set_size(y));
    CHECK(field_set_within(common, x) && field_set_within(x, both) && field_set_within(less, x));
    CHECK_EQ(field_set_within(x, y), field_set_is_empty(less));
    CHECK(field_set_within(field_set_minus_deep(a, x, y), less));
}

TEST(unions_differences_and_intersections_obey_the_laws_of_sets)
{
    for (int round = 0; round < 500; round++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        for (int i = 0; i <= round; i++)
            random_u64(&f.random);
        struct field_stack stack = {.a = &f.a};
        struct field_set x = random_set(&f, &stack, 3), y = random_set(&f, &stack, 3),
                         z = random_set(&f, &stack, 3);
        check_laws(&f, x, y, z);
        struct json written = field_set_write(&f.a, x);
        struct field_set again;
        bool canonical;
        CHECK_OK(field_set_read(&f.a, &written, &again, &canonical, &e));
        CHECK(canonical && equal(again, x));
    }
}

TEST(every_field_of_a_set_is_found_in_it_and_no_other)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct field_set s = parsed(&f, "{\"f:a\":{\"k:{\\\"n\\\":1}\":{\".\":{},\"f:b\":{}}}}", NULL);
    struct json key = json_object();
    json_add(&f.a, &key, S("n"), json_of_float(1.0));
    struct field_element path[] = {
        field_name(S("a")), {.kind = FIELD_KEY, .value = &key}, field_name(S("b"))};
    CHECK(!field_set_has(s, path, 0));
    CHECK(!field_set_has(s, path, 1));
    CHECK(field_set_has(s, path, 2));
    CHECK(field_set_has(s, path, 3));
    path[2] = field_name(S("c"));
    CHECK(!field_set_has(s, path, 3));
}

TEST(the_ways_of_a_comparison_can_be_told_apart)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct field_node below[] = {{.at = field_name(S("x")), .in = FIELD_REMOVED}};
    struct field_node nodes[] = {{.at = field_name(S("a")), .in = FIELD_ADDED, .below = {below, 1}},
                                 {.at = field_name(S("b")), .in = FIELD_MODIFIED | FIELD_REMOVED}};
    struct field_set diff = {nodes, 2};
    CHECK_STR(printed(&f, field_set_select(&f.a, diff, FIELD_ADDED)), "{\"f:a\":{}}");
    CHECK_STR(printed(&f, field_set_select(&f.a, diff, FIELD_REMOVED)), "{\"f:a\":{\"f:x\":{}},\"f:b\":{}}");
    CHECK_STR(printed(&f, field_set_select(&f.a, diff, FIELD_ADDED | FIELD_MODIFIED)),
              "{\"f:a\":{},\"f:b\":{}}");
}
