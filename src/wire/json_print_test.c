#include "base/mem.h"
#include "harness/test.h"
#include "wire/json.h"

static const struct {
    const char *text;
    unsigned flags;
    const char *printed;
} cases[] = {
    {"{\"b\":[1,{\"c\":[]}],\"a\":{}}", 0, "{\"b\":[1,{\"c\":[]}],\"a\":{}}"},
    {"{\"b\":[1,{\"c\":[]}],\"a\":{}}", JSON_SORTED, "{\"a\":{},\"b\":[1,{\"c\":[]}]}"},
    {"{\"b\":[1,{\"c\":[]},\"x\"],\"a\":{}}", JSON_INDENT_2,
     "{\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    },\n    \"x\"\n  ],\n  \"a\": {}\n}"},
    {"{\"b\":[1,{\"c\":[]}],\"a\":{}}", JSON_INDENT_4 | JSON_SORTED,
     "{\n    \"a\": {},\n    \"b\": [\n        1,\n        {\n            \"c\": []\n        }\n    ]\n}"},
    {"[{\"a\":1}]", JSON_INDENT_1, "[\n {\n  \"a\": 1\n }\n]"},
    {"[]", JSON_INDENT_4, "[]"},
    {"{}", JSON_INDENT_2, "{}"},
    {"\"x\"", JSON_INDENT_2, "\"x\""},
    {"[[[]]]", JSON_INDENT_2, "[\n  [\n    []\n  ]\n]"},
    {"\"<a> & \xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x82\xac\"", JSON_HTML,
     "\"\\u003ca\\u003e \\u0026 \\u2028\\u2029\xe2\x80\xaa\xe2\x82\xac\""},
    {"\"<a> & \xe2\x80\xa8\xe2\x80\xa9\"", 0, "\"<a> & \xe2\x80\xa8\xe2\x80\xa9\""},
    {"{\"<\":\"a long text with one & in the middle and much behind it\"}", JSON_HTML,
     "{\"\\u003c\":\"a long text with one \\u0026 in the middle and much behind it\"}"},
    {"\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\\u007f\"", JSON_HTML,
     "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\x7f\""},
};

TEST(json_prints_as_go_does)
{
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct json j;
        CHECK_OK(json_parse(&a, str_from_c(cases[i].text), NULL, &j, &e));
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, 1000);
        json_print(&out, &j, cases[i].flags);
        CHECK_STR(buf_str(&out), cases[i].printed);
    }
}

TEST(json_escapes_a_byte_at_every_place_of_a_string)
{
    static const char bad[] = {'"', '\\', '\n', '\x01', '<'};
    for (size_t n = 1; n < 50; n++) {
        for (size_t at = 0; at < n; at++) {
            char text[64];
            memset(text, 'x', sizeof text);
            text[at] = bad[(n + at) % sizeof bad];
            char *copy = mem_dup(text, n);
            CLEANUP(buf_done) struct buf out;
            buf_init(&out, 1000);
            json_print_str(&out, str_of(copy, n), JSON_HTML);
            mem_free(copy);
            CLEANUP(arena_done) struct arena a;
            arena_init(&a, 0);
            struct json back;
            CHECK_OK(json_parse(&a, buf_str(&out), NULL, &back, &e));
            CHECK_STR(json_str(&back), str_of(text, n));
            CHECK_GT(out.n, n + 2);
        }
    }
}

TEST(json_print_sorted_leaves_the_tree_as_it_is)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    CHECK_OK(json_parse(&a, S("{\"z\":1,\"a\":{\"y\":1,\"b\":2}}"), NULL, &j, &e));
    CLEANUP(buf_done) struct buf out;
    buf_init(&out, 1000);
    json_print(&out, &j, JSON_SORTED);
    json_print(&out, &j, 0);
    CHECK_STR(buf_str(&out), "{\"a\":{\"b\":2,\"y\":1},\"z\":1}{\"z\":1,\"a\":{\"y\":1,\"b\":2}}");
}

TEST(json_print_into_a_full_buffer_fails_and_never_overruns)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str text = S("{\"name\":[\"some value\",\"esc\\naped\",123456,1.5,true,{}],\"next\":null}");
    struct json j;
    CHECK_OK(json_parse(&a, text, NULL, &j, &e));
    for (size_t max = 0; max <= text.n; max++) {
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, max);
        json_print(&out, &j, JSON_SORTED);
        CHECK_LE(out.n, max);
        CHECK_EQ(out.failed, max < text.n);
    }
}
