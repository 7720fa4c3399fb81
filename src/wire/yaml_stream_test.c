#include "harness/test.h"
#include "wire/yaml.h"
#include <stdio.h>

/* The documents of a text as JSON, each behind its own text in brackets; the error at the end. */
static str documents(struct arena *a, str text, struct yaml_place *place)
{
    struct yaml_opts opts = {.place = place};
    struct yaml_stream s;
    struct err err;
    struct json j;
    str raw;
    struct buf out;
    buf_init_arena(&out, a, 1 << 20);
    yaml_stream_init(&s, a, text, &opts, &err);
    while (yaml_stream_next(&s, &j, &raw)) {
        CHECK(text.p <= raw.p && raw.p + raw.n <= text.p + text.n);
        buf_add_f(&out, "(%" STR_FMT ")", STR_ARG(raw));
        json_print(&out, &j, 0);
        buf_add_c(&out, ' ');
    }
    CHECK(!yaml_stream_next(&s, &j, &raw));
    if (yaml_stream_end(&s))
        buf_add_f(&out, "%s: %s", err_name(err.code), err.msg);
    return buf_str(&out);
}

struct example {
    const char *text;
    const char *documents;
};

static void check_examples(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct yaml_place place;
        printf("%s\n", examples[i].text);
        CHECK_STR(documents(&a, str_from_c(examples[i].text), &place), examples[i].documents);
    }
}

static const struct example streams[] = {
    {"", ""},
    {"\n\n", ""},
    {"a: 1", "(a: 1){\"a\":1} "},
    {"a: 1\n---\nb: 2\n", "(a: 1\n){\"a\":1} (b: 2\n){\"b\":2} "},
    {"---\na: 1\n---\n\nb: 2\n---\n", "(---\na: 1\n){\"a\":1} (\nb: 2\n){\"b\":2} "},
    {"# licence\n---\na: 1\n", "(a: 1\n){\"a\":1} "},
    {"---\n---\n--- # none\n---\na: 1\n---\n# none either\n---\nnull\n---\n~\n---\n[]\n",
     "(a: 1\n){\"a\":1} ([]\n)[] "},
    {"a: 1\n--- # comment\nb: 2\n", "(a: 1\n){\"a\":1} (b: 2\n){\"b\":2} "},
    {"a: 1\n--- {b: 2}\n", "(a: 1\n){\"a\":1} (--- {b: 2}\n){\"b\":2} "},
    {"a: 1\n--- |\n x\n", "(a: 1\n){\"a\":1} (--- |\n x\n)\"x\\n\" "},
    {"a: 1\n...\nb: 2\n...\n...\n---\nc: 3\n",
     "(a: 1\n...\n){\"a\":1} (b: 2\n...\n){\"b\":2} (c: 3\n){\"c\":3} "},
    {"%YAML 1.1\n---\na: 1\n...\n# x\n%TAG !e! tag:yaml.org,2002:\n---\nb: !e!str 2\n---\nc: 3\n",
     "(%YAML 1.1\n---\na: 1\n...\n){\"a\":1} "
     "(# x\n%TAG !e! tag:yaml.org,2002:\n---\nb: !e!str 2\n){\"b\":\"2\"} (c: 3\n){\"c\":3} "},
    {"a: |\n  ---\n  b\n---x: 1\n", "(a: |\n  ---\n  b\n---x: 1\n){\"a\":\"---\\nb\\n\",\"---x\":1} "},
    {"a: |\n  ---\n  b\n", "(a: |\n  ---\n  b\n){\"a\":\"---\\nb\\n\"} "},
    {"a: 1\r\n---\r\nb: 2\r\n", "(a: 1\r\n){\"a\":1} (b: 2\r\n){\"b\":2} "},
    {"\xef\xbb\xbf---\na: 1\n", "(---\na: 1\n){\"a\":1} "},
    /* JSON */
    {"{\"a\":1}", "({\"a\":1}){\"a\":1} "},
    {"{\"a\":1}\n{\"b\":2}{\"c\":3}\n", "({\"a\":1}){\"a\":1} ({\"b\":2}){\"b\":2} ({\"c\":3}){\"c\":3} "},
    {"{\"a\":1}\n---\nb: 2\n---\n{\"c\":3}\n",
     "({\"a\":1}){\"a\":1} (b: 2\n){\"b\":2} ({\"c\":3}){\"c\":3} "},
    {"---\n\n  {\n  \"a\":1}\n---\n{\"b\":2}", "({\n  \"a\":1}){\"a\":1} ({\"b\":2}){\"b\":2} "},
    {"{a: 1}\n---\n{\"b\":2} # no JSON\n", "({a: 1}\n){\"a\":1} ({\"b\":2} # no JSON\n){\"b\":2} "},
    {"{\"a\":1}...\n", "SYNTAX: yaml: did not find expected <document start>"},
};

TEST(yaml_streams_are_cut_into_documents_as_kubectl_cuts_them)
{
    check_examples(streams, ARRAY_COUNT(streams));
}

static const struct example failing[] = {
    {"a: 1\n---\nb: c: d\n---\ne: 1\n",
     "(a: 1\n){\"a\":1} SYNTAX: yaml: mapping values are not allowed in this context"},
    {"a: 1\n---\n\n\nb: c: d\n",
     "(a: 1\n){\"a\":1} SYNTAX: yaml: line 3: mapping values are not allowed in this context"},
    {"{\"a\": b, \"c\": 1\n", "SYNTAX: json: line 1, byte 7: "},
    {"{ \"a\": }\n---\n{{ x }}: 1\n",
     "({ \"a\": }\n){\"a\":null} SYNTAX: yaml: invalid map key: map[interface {}]interface {}{\"x\":interface {}(nil)}"},
};

TEST(yaml_streams_end_at_the_first_document_that_does_not_parse)
{
    for (size_t i = 0; i < ARRAY_COUNT(failing); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct yaml_place place;
        printf("%s\n", failing[i].text);
        CHECK_CONTAINS(documents(&a, str_from_c(failing[i].text), &place), failing[i].documents);
    }
}

TEST(yaml_streams_tell_the_place_of_an_error_in_the_whole_text)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct yaml_place place;
    documents(&a, S("# x\n---\na: 1\n---\n\n{\"b\":\n2}\n---\n---\n\nc:\n  d: e: f\n"), &place);
    CHECK_EQ(place.line, 12);
    CHECK_EQ(place.column, 7);
    documents(&a, S("---\na: 1\n"), &place);
    CHECK_EQ(place.line, 0);
}

TEST(yaml_streams_of_many_small_documents_take_time_in_proportion)
{
    enum { COUNT = 20000 };
    static const str documents_of[] = {S_INIT("---\n"),     S_INIT("{}"),         S_INIT("{}\n\n"),
                                       S_INIT("---\n\n\n"), S_INIT("---\n# x\n"), S_INIT("...\n"),
                                       S_INIT("\n")};
    for (size_t i = 0; i < ARRAY_COUNT(documents_of); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct buf text;
        buf_init_arena(&text, &a, 1 << 20);
        for (int k = 0; k < COUNT; k++)
            buf_add(&text, documents_of[i]);
        struct yaml_stream s;
        struct err err;
        struct json j;
        size_t count = 0;
        yaml_stream_init(&s, &a, buf_str(&text), NULL, &err);
        while (yaml_stream_next(&s, &j, NULL))
            count++;
        CHECK_EQ(yaml_stream_end(&s), ERR_NONE);
        CHECK_EQ(count, documents_of[i].p[0] == '{' ? COUNT : 0);
    }
}

TEST(yaml_streams_larger_than_the_limit_are_refused)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct yaml_opts opts = {.size_max = 9};
    struct yaml_stream s;
    struct err err = ERR_INIT;
    struct json j;
    yaml_stream_init(&s, &a, S("a: 1\n---\nb: 2\n"), &opts, &err);
    CHECK(!yaml_stream_next(&s, &j, NULL));
    CHECK_EQ(yaml_stream_end(&s), ERR_TOO_LARGE);
    CHECK_STR((const char *)err.msg, "yaml: the text has more than 9 bytes");
}

static void note_duplicate(void *ctx, str message)
{
    buf_add(ctx, message);
    buf_add_c(ctx, ';');
}

TEST(yaml_streams_report_keys_given_twice)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct buf notes;
    buf_init_arena(&notes, &a, 1 << 12);
    struct yaml_opts opts = {.on_duplicate = note_duplicate, .ctx = &notes};
    struct yaml_stream s;
    struct err err;
    struct json j;
    size_t count = 0;
    yaml_stream_init(&s, &a, S("a: 1\na: 2\n---\n{\"b\":1,\"b\":2}{\"c\":1}\n"), &opts, &err);
    while (yaml_stream_next(&s, &j, NULL))
        count++;
    CHECK_EQ(count, 3);
    CHECK_STR(buf_str(&notes), "line 2: key \"a\" already set in map;duplicate field \"b\";");
    opts.flags = YAML_DUPLICATES_ERROR;
    yaml_stream_init(&s, &a, S("{\"c\":1}{\"b\":1,\"b\":2}"), &opts, &err);
    CHECK(yaml_stream_next(&s, &j, NULL));
    CHECK(!yaml_stream_next(&s, &j, NULL));
    CHECK_STR((const char *)err.msg, "duplicate field \"b\"");
}
