#include "harness/test.h"
#include "wire/json.h"

TEST(json_reader_decodes_by_the_callers_own_nesting)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct err err = ERR_INIT;
    struct json_reader r;
    json_reader_init(&r, &a,
                     S(" {\"name\": \"a\\u0062\", \"skipped\": {\"x\": [1, {}]}, \"ports\": [80, 443.5], "
                       "\"on\": true, \"empty\": {}, \"none\": null} "),
                     &err);
    CHECK_EQ(json_peek(&r), JSON_OBJECT);
    json_enter_object(&r);
    size_t members = 0;
    for (str name; json_next_member(&r, &name); members++) {
        if (str_is(name, "name")) {
            CHECK_EQ(json_peek(&r), JSON_STRING);
            struct json j = json_read_scalar(&r);
            CHECK_STR(json_str(&j), "ab");
        } else if (str_is(name, "ports")) {
            CHECK_EQ(json_peek(&r), JSON_ARRAY);
            json_enter_array(&r);
            CHECK(json_next_item(&r));
            CHECK_EQ(json_peek(&r), JSON_INT);
            CHECK_EQ(json_read_scalar(&r).v.i, 80);
            CHECK(json_next_item(&r));
            CHECK_EQ(json_peek(&r), JSON_INT);
            CHECK_EQ(json_read_scalar(&r).type, JSON_FLOAT);
            CHECK(!json_next_item(&r));
        } else if (str_is(name, "empty")) {
            json_enter_object(&r);
            CHECK(!json_next_member(&r, &name));
        } else if (str_is(name, "on")) {
            CHECK_EQ(json_peek(&r), JSON_TRUE);
            CHECK_EQ(json_read_scalar(&r).type, JSON_TRUE);
        } else if (str_is(name, "none")) {
            CHECK_EQ(json_peek(&r), JSON_NULL);
            CHECK_EQ(json_read_scalar(&r).type, JSON_NULL);
        } else {
            CHECK_STR(json_skip(&r), "{\"x\": [1, {}]}");
        }
    }
    CHECK_EQ(members, 6);
    CHECK_OK(json_reader_end(&r));
}

TEST(json_reader_stays_failed_with_the_first_error)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct err err = ERR_INIT;
    struct json_reader r;
    json_reader_init(&r, &a, S("[1, x]"), &err);
    json_enter_array(&r);
    CHECK(json_next_item(&r));
    CHECK_EQ(json_read_scalar(&r).v.i, 1);
    CHECK(json_next_item(&r));
    CHECK_EQ(json_peek(&r), JSON_NULL);
    CHECK(r.failed);
    str name;
    CHECK(!json_next_item(&r));
    CHECK(!json_next_member(&r, &name));
    CHECK_EQ(json_read_scalar(&r).type, JSON_NULL);
    CHECK(json_skip(&r).p == NULL);
    json_enter_object(&r);
    CHECK_EQ(json_reader_end(&r), ERR_SYNTAX);
    CHECK_STR((const char *)err.msg, "line 1, byte 5: expected a value, found 'x'");
}

TEST(json_reader_says_what_the_caller_wanted_and_the_text_has_not)
{
    static const struct {
        const char *text, *message;
        char call;
    } cases[] = {
        {"[1]", "line 1, byte 1: expected an object, found '['", 'o'},
        {"5", "line 1, byte 1: expected an array, found '5'", 'a'},
        {" {}", "line 1, byte 2: expected a string, a number, true, false or null, found '{'", 's'},
        {"", "line 1, byte 1: expected a value, found the end of the text", 'o'},
        {"", "expected a value, found the end of the text", 'p'},
        {"?", "expected a value, found '?'", 'p'},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct err err = ERR_INIT;
        struct json_reader r;
        json_reader_init(&r, &a, str_from_c(cases[i].text), &err);
        switch (cases[i].call) {
        case 'o': json_enter_object(&r); break;
        case 'a': json_enter_array(&r); break;
        case 's': json_read_scalar(&r); break;
        default: json_peek(&r); break;
        }
        CHECK_EQ(json_reader_end(&r), ERR_SYNTAX);
        CHECK_CONTAINS((const char *)err.msg, cases[i].message);
    }
}

TEST(json_reader_end_wants_everything_to_be_read)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct err err = ERR_INIT;
    struct json_reader r;
    json_reader_init(&r, &a, S("[1] 2"), &err);
    json_skip(&r);
    CHECK_EQ(json_reader_end(&r), ERR_SYNTAX);
    CHECK_STR((const char *)err.msg, "line 1, byte 5: expected the end of the text, found '2'");
    json_reader_init(&r, &a, S("["), &err);
    json_enter_array(&r);
    CHECK_EQ(json_reader_end(&r), ERR_SYNTAX);
}

TEST(json_reader_takes_no_memory_for_what_it_skips)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct err err = ERR_INIT;
    struct json_reader r;
    json_reader_init(&r, &a, S("[\"with \\n escapes \\ud83d\\ude00\", {\"\\u0061\": \"\\\\\"}]"), &err);
    json_skip(&r);
    CHECK_OK(json_reader_end(&r));
    CHECK_EQ(a.used, 0);
}
