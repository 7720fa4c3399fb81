#include "api/rules/name_map.h"
#include "harness/test.h"

TEST(a_name_map_finds_what_was_added_and_nothing_else)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct name_map m = {.arena = &a};
    CHECK(!name_map_has(&m, S("")));
    static const str names[] = {S_INIT("a"),    S_INIT("a\0"), S_INIT("ab"), S_INIT(""),
                                S_INIT("\xff"), S_INIT("b"),   S_INIT("\0"), S_INIT("abc")};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        CHECK(!name_map_has(&m, names[i]));
        CHECK(name_map_add(&m, names[i], &names[i]));
        CHECK(!name_map_add(&m, names[i], &m));
        CHECK_EQ(m.count, i + 1);
        for (size_t j = 0; j < ARRAY_COUNT(names); j++)
            CHECK(name_map_find(&m, names[j]) == (j <= i ? &names[j] : NULL));
    }
}

TEST(a_name_map_holds_many_names)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct name_map m = {.arena = &a};
    for (int i = 0; i < 5000; i++) {
        str name = str_format(&a, "name-%d", i * 7919 % 5000);
        CHECK(name_map_add(&m, name, name.p));
    }
    for (int i = 0; i < 5000; i++)
        CHECK_STR((const char *)name_map_find(&m, str_format(&a, "name-%d", i)),
                  str_format(&a, "name-%d", i));
    CHECK(!name_map_has(&m, S("name-")));
    CHECK(!name_map_has(&m, S("name-5000")));
}
