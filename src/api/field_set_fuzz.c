/* field_set_fuzz.c - sets from outside: an array of two. What is read is written in one way only, and the laws of sets hold. */
#include "api/field_set.h"
#include "harness/test.h"

enum { MEMORY_MAX = 64 << 20, OUTPUT_MAX = 1 << 24 };

static str printed(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    json_print(&b, j, 0);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

static void check_form(struct arena *a, const struct json *in, struct field_set s, bool was_canonical)
{
    struct json written = field_set_write(a, s), parsed;
    str text = printed(a, &written);
    CHECK_EQ(was_canonical, str_eq(text, printed(a, in)));
    struct field_set again;
    bool canonical;
    CHECK_OK(json_parse(a, text, NULL, &parsed, &e));
    CHECK_OK(field_set_read(a, &parsed, &again, &canonical, &e));
    CHECK(canonical);
    CHECK(field_set_equal(s, again));
    size_t size = field_set_size(s), told = field_set_paths(a, s, 1000).count;
    CHECK_EQ(told, size < 1000 ? size : 1000);
}

static void check_laws(struct arena *a, struct field_set x, struct field_set y)
{
    struct field_set both = field_set_intersect(a, x, y), only_x = field_set_minus(a, x, y);
    struct field_set all = field_set_union(a, x, y);
    CHECK(field_set_equal(all, field_set_union(a, y, x)));
    CHECK(field_set_equal(both, field_set_intersect(a, y, x)));
    CHECK(field_set_equal(field_set_union(a, only_x, both), x));
    CHECK(field_set_equal(field_set_minus(a, all, y), only_x));
    CHECK_EQ(field_set_size(all), field_set_size(only_x) + field_set_size(y));
    CHECK(field_set_within(both, y) && field_set_within(y, all));
    CHECK(field_set_within(field_set_minus_deep(a, x, y), only_x));
    CHECK_EQ(field_set_within(x, y), field_set_is_empty(only_x));
}

FUZZ(field_set)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, MEMORY_MAX);
    struct err err = ERR_INIT;
    struct json in;
    struct field_set sets[2];
    if (json_parse(&a, str_of((const char *)data, size), NULL, &in, &err) || in.type != JSON_ARRAY ||
        json_count(&in) != 2)
        return;
    for (size_t i = 0; i < 2; i++) {
        bool canonical;
        if (field_set_read(&a, json_at(&in, i), &sets[i], &canonical, &err))
            return;
        check_form(&a, json_at(&in, i), sets[i], canonical);
    }
    check_laws(&a, sets[0], sets[1]);
}
