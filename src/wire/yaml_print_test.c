#include "base/mem.h"
#include "harness/test.h"
#include "wire/yaml_priv.h"
#include <math.h>
#include <stdio.h>

static str printed(struct arena *a, const struct json *j)
{
    struct buf out;
    buf_init_arena(&out, a, (size_t)1 << 24);
    yaml_print(&out, j);
    CHECK(!out.failed);
    return buf_str(&out);
}

/* JSON, and what kubectl's printer makes of it. */
struct example {
    const char *json;
    const char *yaml;
};

static void check_example(const struct example *x, bool reads_back)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j, again;
    printf("%s\n", x->json);
    CHECK_OK(json_parse(&a, str_from_c(x->json), NULL, &j, &e));
    CHECK_STR(printed(&a, &j), x->yaml);
    CHECK_OK(yaml_parse(&a, printed(&a, &j), NULL, &again, &e));
    CHECK_EQ(json_equal(&j, &again), reads_back);
}

static void check_examples(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_example(&examples[i], true);
}
#define CHECK_EXAMPLES(examples) check_examples((examples), ARRAY_COUNT(examples))

static const struct example shapes[] = {
    {"{}", "{}\n"},
    {"[]", "[]\n"},
    {"null", "null\n"},
    {"[null,true,false,0,-5,1.5]", "- null\n- true\n- false\n- 0\n- -5\n- 1.5\n"},
    {"{\"b\":{\"c\":1},\"a\":[1,{\"x\":1,\"w\":2}]}", "a:\n- 1\n- w: 2\n  x: 1\nb:\n  c: 1\n"},
    {"{\"a\":{\"b\":[[1,2],[],[[3]],{}]},\"c\":{\"d\":{}}}",
     "a:\n  b:\n  - - 1\n    - 2\n  - []\n  - - - 3\n  - {}\nc:\n  d: {}\n"},
    {"[{\"a\":[{\"b\":[1]}]}]", "- a:\n  - b:\n    - 1\n"},
};

TEST(yaml_prints_objects_and_lists_as_kubectl_does)
{
    CHECK_EXAMPLES(shapes);
}

static const struct example quoting[] = {
    /* read as something else */
    {"[\"\",\"~\",\"null\",\"true\",\"no\",\"y\",\"On\",\"1\",\"0x1f\",\"1_0\",\"1.5\",\".5\",\"1e3\",\".inf\",\"-.Inf\"]",
     "- \"\"\n- \"~\"\n- \"null\"\n- \"true\"\n- \"no\"\n- \"y\"\n- \"On\"\n- \"1\"\n- \"0x1f\"\n- \"1_0\"\n- \"1.5\"\n"
     "- \".5\"\n- \"1e3\"\n- \".inf\"\n- \"-.Inf\"\n"},
    {"[\"2001-01-01\",\"2001-1-1\",\"2001-12-14T21:59:43Z\",\"2001-12-14t21:59:43.1-05:00\",\"2001-12-14 21:59:43\"]",
     "- \"2001-01-01\"\n- \"2001-1-1\"\n- \"2001-12-14T21:59:43Z\"\n- \"2001-12-14t21:59:43.1-05:00\"\n"
     "- \"2001-12-14 21:59:43\"\n"},
    {"[\"12:30\",\"12:30:45\",\"-1:2\",\"1_0:2.5\",\"190:20:30.15\"]",
     "- \"12:30\"\n- \"12:30:45\"\n- \"-1:2\"\n- \"1_0:2.5\"\n- \"190:20:30.15\"\n"},
    /* not read as anything else */
    {"[\"1Gi\",\"100m\",\"10.0.0.1\",\"v1\",\"12:70\",\"2001-02-30\",\"2001-13-01\",\"24:00:00\",\"1:2:\",\"<<\",\"=\",\"nope\"]",
     "- 1Gi\n- 100m\n- 10.0.0.1\n- v1\n- 12:70\n- 2001-02-30\n- 2001-13-01\n- \"24:00:00\"\n- '1:2:'\n- <<\n- =\n- nope\n"},
    /* would not be text */
    {"[\"-\",\"- a\",\"-a\",\"?\",\"?a\",\":\",\":a\",\"a:\",\"a: b\",\"a:b\",\"a #b\",\"a#b\",\"#a\",\"---\",\"---a\",\"...\"]",
     "- '-'\n- '- a'\n- -a\n- '?'\n- ?a\n- ':'\n- :a\n- 'a:'\n- 'a: b'\n- a:b\n- 'a #b'\n- a#b\n- '#a'\n- '---'\n- '---a'\n"
     "- '...'\n"},
    {"[\"[\",\"{a}\",\"a[]\",\"]\",\"}\",\",\",\"&a\",\"*a\",\"!a\",\"|\",\">\",\"'\",\"it's\",\"\\\"\",\"%a\",\"@a\",\"`\"]",
     "- '['\n- '{a}'\n- a[]\n- ']'\n- '}'\n- ','\n- '&a'\n- '*a'\n- '!a'\n- '|'\n- '>'\n- ''''\n- it's\n- '\"'\n- '%a'\n- '@a'\n"
     "- '`'\n"},
    {"[\" a\",\"a \",\" \",\"a  b\"]", "- ' a'\n- 'a '\n- ' '\n- a  b\n"},
    /* cannot be shown */
    {"[\"\\t\",\"\\r\",\"\\u0000\\u0007\\b\\u000b\\f\\u001b\\u007f\",\"\\u0085\",\"\\ufeffa\",\"\\ufffe\",\"\\ud83d\\ude00\",\"\\u0001\\\"\\\\\"]",
     "- \"\\t\"\n- \"\\r\"\n- \"\\0\\a\\b\\v\\f\\e\\x7F\"\n- \"\\N\"\n- \"\\uFEFFa\"\n- \"\\uFFFE\"\n- \"\\U0001F600\"\n"
     "- \"\\x01\\\"\\\\\"\n"},
    {"[\"\\u00e9\",\"\\u00a0\",\"\\u6f22\",\"\\ufffd\",\"\\u2028a\\u2029\"]",
     "- \xc3\xa9\n- \xc2\xa0\n- \xe6\xbc\xa2\n- \xef\xbf\xbd\n- '\xe2\x80\xa8  a\xe2\x80\xa9'\n"},
};

TEST(yaml_prints_strings_quoted_only_where_they_would_not_read_back)
{
    CHECK_EXAMPLES(quoting);
}

static const struct example blocks[] = {
    {"{\"a\":\"x\\ny\"}", "a: |-\n  x\n  y\n"},
    {"{\"a\":\"x\\ny\\n\"}", "a: |\n  x\n  y\n"},
    {"{\"a\":\"x\\n\\n\",\"b\":1}", "a: |+\n  x\n\nb: 1\n"},
    {"{\"a\":\"\\n\"}", "a: |2+\n\n"},
    {"{\"a\":\"\\nx\"}", "a: |2-\n\n  x\n"},
    {"{\"a\":\"  x\\ny\\n\"}", "a: |2\n    x\n  y\n"},
    {"{\"a\":\"x\\n\\n  y: # z\\n\"}", "a: |\n  x\n\n    y: # z\n"},
    {"[\"x\\ny\",[\"x\\ny\\n\"],{\"a\":[\"b\\n\"]}]",
     "- |-\n  x\n  y\n- - |\n    x\n    y\n- a:\n  - |\n    b\n"},
    {"\"x\\ny\"", "|-\n  x\n  y\n"},
    {"\"x\\n\"", "|\n  x\n"},
    /* not as blocks */
    {"[\"x \\ny\",\"x\\ny \",\"x\\n\\ty\",\"x\\r\\ny\"]",
     "- \"x \\ny\"\n- \"x\\ny \"\n- \"x\\n\\ty\"\n- \"x\\r\\ny\"\n"},
};

TEST(yaml_prints_text_of_several_lines_as_literal_blocks)
{
    CHECK_EXAMPLES(blocks);
}

#define WORDS_70 "word word word word word word word word word word word word word word"

static const struct example folding[] = {
    {"{\"a\":\"" WORDS_70 " and one words\"}", "a: " WORDS_70 " and one words\n"},
    {"{\"a\":\"" WORDS_70 " and some words\"}", "a: " WORDS_70 " and some\n  words\n"},
    {"[\"" WORDS_70 ": " WORDS_70 "\"]",
     "- '" WORDS_70 ": word word\n  word word word word word word word word word word word word'\n"},
    {"[{\"a\":\"" WORDS_70 "\\t" WORDS_70 "\"}]",
     "- a: \"" WORDS_70 "\\tword\n    word word word word word word word word word word word word word\"\n"},
    {"[\"" WORDS_70 " with  two  spaces  \\t  here\"]",
     "- \"" WORDS_70 " with  two\n  \\ spaces  \\t  here\"\n"},
    {"[\"" WORDS_70 " with  two  spaces  here too\"]", "- " WORDS_70 " with  two  spaces  here\n  too\n"},
    /* characters are counted, not bytes */
    {"[\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 " WORDS_70 " a\"]",
     "- \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 " WORDS_70 " a\n"},
    /* blocks are not */
    {"[\"" WORDS_70 " " WORDS_70 "\\n\"]", "- |\n  " WORDS_70 " " WORDS_70 "\n"},
};

TEST(yaml_breaks_lines_at_a_space_behind_column_80)
{
    CHECK_EXAMPLES(folding);
}

static const struct example keys[] = {
    {"{\"a10\":1,\"a2\":2,\"a\":3,\"B\":4,\"_\":5,\"1\":6,\"a-b\":7,\"ab\":8,\"a.b\":9,\"a/b\":10}",
     "_: 5\n\"1\": 6\nB: 4\na: 3\na-b: 7\na.b: 9\na/b: 10\na2: 2\na10: 1\nab: 8\n"},
    {"{\"v10\":1,\"v010\":2,\"v09\":3,\"v9\":4,\"v1\":5,\"v1.10\":6,\"v1.9\":7,\"v100\":8,\"v101\":9}",
     "v1: 5\nv1.9: 7\nv1.10: 6\nv9: 4\nv09: 3\nv10: 1\nv010: 2\nv100: 8\nv101: 9\n"},
    {"{\"\xc3\xa9\":1,\"z\":2,\"\xe2\x80\x93\":3,\"a\":4,\"\xc3\xa8\":5}",
     "\xe2\x80\x93: 3\na: 4\nz: 2\n\xc3\xa8: 5\n\xc3\xa9: 1\n"},
    {"{\"true\":1,\"\":2,\"a b\":3,\"a: b\":4,\"[\":5,\"it's\":6,\"\\t\":7,\"2001-01-01\":8}",
     "\"\": 2\n\"\\t\": 7\n'[': 5\n\"2001-01-01\": 8\na b: 3\n'a: b': 4\nit's: 6\n\"true\": 1\n"},
    {"{\"a\\nb\":1,\"c\":{\"d\\n\":{\"e\":[1]},\"f\\n\":[{\"g\":2}]}}",
     "? |-\n  a\n  b\n: 1\nc:\n  ? |\n    d\n  : e:\n    - 1\n  ? |\n    f\n  : - g: 2\n"},
    {"{\"<<\":{\"a\":1}}", "\"<<\":\n  a: 1\n"},
    {"{\"" WORDS_70 "0123456789012345678901234567890123456789012345678901234567\":1}",
     WORDS_70 "0123456789012345678901234567890123456789012345678901234567: 1\n"},
    {"{\"" WORDS_70 " 0123456789012345678901234567890123456789012345678 9012345678\":{\"a\":1}}",
     "? " WORDS_70 " 0123456789012345678901234567890123456789012345678\n  9012345678\n: a: 1\n"},
};

TEST(yaml_prints_keys_in_the_originals_order_and_long_ones_apart)
{
    CHECK_EXAMPLES(keys);
}

static const struct example numbers[] = {
    {"[9223372036854775807,-9223372036854775808,0]", "- 9223372036854775807\n- -9223372036854775808\n- 0\n"},
    {"[0.1,-0.5,123456.75,1234567.75,0.0001,0.00001,1.5e-9,2.5e300,1e21,1.5e25]",
     "- 0.1\n- -0.5\n- 123456.75\n- 1.23456775e+06\n- 0.0001\n- 1e-05\n- 1.5e-09\n- 2.5e+300\n- 1e+21\n- 1.5e+25\n"},
    {"[1e20,18446744073709551615]", "- 1e+20\n- 1.8446744073709552e+19\n"},
};

static const struct example whole_floats[] = {
    {"[1.0,-0.0,1e6,1e15,1e18,4611686018427387904.0]",
     "- 1\n- 0\n- 1000000\n- 1000000000000000\n- 1000000000000000000\n"
     "- 4611686018427388000\n"},
};

TEST(yaml_prints_numbers_as_kubectl_does)
{
    CHECK_EXAMPLES(numbers);
    check_example(&whole_floats[0], false);
}

TEST(yaml_prints_what_is_no_utf8_with_replacements)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = json_object();
    json_set(&a, &j, S("k\xff"), json_of_str(S("a\xc3")));
    CHECK_STR(printed(&a, &j), "k\xef\xbf\xbd: a\xef\xbf\xbd\n");
}

TEST(yaml_prints_trees_deeper_than_any_text)
{
    enum { DEPTH = 2000 };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = json_of_int(1);
    for (int i = 0; i < DEPTH; i++) {
        struct json outer = json_array();
        json_append(&a, &outer, j);
        j = outer;
    }
    str text = printed(&a, &j);
    CHECK_EQ(text.n, 2 * DEPTH + 2);
    CHECK(str_ends(text, S("- - 1\n")));
}

TEST(yaml_printing_stops_at_the_end_of_a_full_buffer)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    CHECK_OK(json_parse(&a, S("{\"b\":[1,2,{\"d\":1,\"c\":\"x\\ny\"}],\"a\":1}"), NULL, &j, &e));
    str whole = printed(&a, &j);
    for (size_t max = 0; max < whole.n; max++) {
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, max);
        yaml_print(&out, &j);
        CHECK(out.failed);
        CHECK(str_starts(whole, buf_str(&out)));
    }
}

TEST(yaml_objects_in_order_print_without_the_heap)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    CHECK_OK(json_parse(&a, S("{\"a\":\"x\",\"b\":\"true\",\"c\":1.5}"), NULL, &j, &e));
    uint64_t before = mem_thread_allocs();
    printed(&a, &j);
    CHECK_LE(mem_thread_allocs() - before, 2); /* the stack of levels, and a chunk of the arena */
}

TEST(yaml_floats_print_as_go_prints_them)
{
    static const struct {
        double f;
        const char *wide, *narrow;
    } floats[] = {
        {0, "0", "0"},
        {-1.5, "-1.5", "-1.5"},
        {3.14159265, "3.14159265", "3.1415927"},
        {1e300, "1e+300", ".inf"},
        {123456789, "1.23456789e+08", "1.2345679e+08"},
        {0.1, "0.1", "0.1"},
        {1e-45, "1e-45", "1e-45"},
        {16777216, "1.6777216e+07", "1.6777216e+07"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(floats); i++) {
        char storage[64];
        struct buf out = {.p = storage, .cap = sizeof storage, .max = sizeof storage};
        yaml_print_float(&out, floats[i].f, false);
        CHECK_STR(buf_str(&out), floats[i].wide);
        buf_clear(&out);
        yaml_print_float(&out, floats[i].f, true);
        CHECK_STR(buf_str(&out), floats[i].narrow);
    }
    char storage[64];
    struct buf out = {.p = storage, .cap = sizeof storage, .max = sizeof storage};
    yaml_print_float(&out, (double)NAN, false);
    yaml_print_float(&out, -(double)INFINITY, false);
    CHECK_STR(buf_str(&out), ".nan-.inf");
}
