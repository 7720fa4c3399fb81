#include "base/mem.h"
#include "harness/test.h"
#include "wire/json_priv.h"
#include <stdio.h>

static struct json parse_ok(struct arena *a, str text, const struct json_opts *opts)
{
    struct json j;
    CHECK_OK(json_parse(a, text, opts, &j, &e));
    return j;
}

/* What the reader, walking the same text, ends with. */
static err_code skip_all(struct arena *a, str text, struct err *err)
{
    struct json_reader r;
    json_reader_init(&r, a, text, err);
    json_skip(&r);
    return json_reader_end(&r);
}

struct accepted {
    const char *text;
    const char *printed; /* NULL: as the text */
};

static const struct accepted accepted[] = {
    {"null", NULL},
    {"true", NULL},
    {"false", NULL},
    {"{}", NULL},
    {"[]", NULL},
    {"\"\"", NULL},
    {" \t\r\n[ \n] ", "[]"},
    {"{ }", "{}"},
    {"[[],[[]],{}]", NULL},
    {"{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":true}", NULL},
    {"{\"\":0}", NULL},
    {"[ 1 , 2\t,\r\n3 ]", "[1,2,3]"},
    {"{ \"a\" : 1 , \"b\" : 2 }", "{\"a\":1,\"b\":2}"},
    /* numbers */
    {"[0,-0,1,-1,9,10,-10,123456789]", "[0,0,1,-1,9,10,-10,123456789]"},
    {"[9223372036854775807,-9223372036854775808]", NULL},
    {"[9223372036854775808,-9223372036854775809]", "[9223372036854776000,-9223372036854776000]"},
    {"[999999999999999999,1000000000000000000,100000000000000000000]",
     "[999999999999999999,1000000000000000000,100000000000000000000]"},
    {"[1.0,1e3,1E3,1e+3,1e-3,0.5,-0.5,0e0,0.0,-0.0]", "[1,1000,1000,1000,0.001,0.5,-0.5,0,0,-0]"},
    {"[1e21,1e20,1e-6,1e-7,1.5e-9]", "[1e+21,100000000000000000000,0.000001,1e-7,1.5e-9]"},
    {"[1e-400,0e999999999999,1.7976931348623157e308,5e-324]", "[0,0,1.7976931348623157e+308,5e-324]"},
    /* strings */
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"", "\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"\"\\u0000\\u001F\\u007f\"", "\"\\u0000\\u001f\x7f\""},
    {"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
     NULL},
    {"\"\\ud800\"", "\"\xef\xbf\xbd\""},
    {"\"\\udc00\\ud800x\"", "\"\xef\xbf\xbd\xef\xbf\xbdx\""},
    {"\"\\ud800\\u0041\"", "\"\xef\xbf\xbd"
                           "A\""},
    {"\"\\ud800\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\""},
    {"{\"\\u0061\\n\":\"b\"}", "{\"a\\n\":\"b\"}"},
    {"\"a string that is longer than sixteen bytes, and than thirty-two\"", NULL},
    {"\"escapes far behind the first block \\\\ and again, much later, one \\\" more and a last\\n\"", NULL},
    {"\"\xc3\xa4\xc3\xb6\xc3\xbc high bytes in the middle of some longer text \xe2\x82\xac and at its end \xc3\xa4\"",
     NULL},
};

TEST(json_accepts_what_is_json_and_prints_it_compactly)
{
    for (size_t i = 0; i < ARRAY_COUNT(accepted); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, 4096);
        str text = str_from_c(accepted[i].text);
        char *copy = mem_dup(text.p, text.n); /* of the exact size, for the sanitizer */
        struct json j = parse_ok(&a, str_of(copy, text.n), NULL);
        json_print(&out, &j, 0);
        CHECK_STR(buf_str(&out), accepted[i].printed ? accepted[i].printed : accepted[i].text);
        CHECK_OK(skip_all(&a, str_of(copy, text.n), &e));
        mem_free(copy);
    }
}

struct rejected {
    str text;
    const char *message;
};

static const struct rejected rejected[] = {
    {S_INIT(""), "line 1, byte 1: expected a value, found the end of the text"},
    {S_INIT(" \n  "), "line 2, byte 3: expected a value, found the end of the text"},
    {S_INIT("nul"), "line 1, byte 1: expected a value, found 'n'"},
    {S_INIT("True"), "expected a value, found 'T'"},
    {S_INIT("nullx"), "line 1, byte 5: expected the end of the text, found 'x'"},
    {S_INIT("1 2"), "line 1, byte 3: expected the end of the text, found '2'"},
    {S_INIT("\xef\xbb\xbf{}"), "line 1, byte 1: expected a value, found byte 0xef"},
    {S_INIT("'a'"), "expected a value, found '''"},
    {S_INIT("NaN"), "expected a value, found 'N'"},
    {S_INIT("[1,]"), "line 1, byte 4: expected a value, found ']'"},
    {S_INIT("[,1]"), "line 1, byte 2: expected a value, found ','"},
    {S_INIT("[1 2]"), "line 1, byte 4: expected ',' or ']', found '2'"},
    {S_INIT("[1}"), "line 1, byte 3: expected ',' or ']', found '}'"},
    {S_INIT("["), "line 1, byte 2: expected a value, found the end of the text"},
    {S_INIT("[1"), "line 1, byte 3: expected ',' or ']', found the end of the text"},
    {S_INIT("]"), "expected a value, found ']'"},
    {S_INIT("{"), "line 1, byte 2: expected a name in quotes, found the end of the text"},
    {S_INIT("{a:1}"), "line 1, byte 2: expected a name in quotes, found 'a'"},
    {S_INIT("{\"a\":1,}"), "line 1, byte 8: expected a name in quotes, found '}'"},
    {S_INIT("{\"a\" 1}"), "line 1, byte 6: expected ':' after a name, found '1'"},
    {S_INIT("{\"a\":}"), "line 1, byte 6: expected a value, found '}'"},
    {S_INIT("{\"a\":1]"), "line 1, byte 7: expected ',' or '}', found ']'"},
    {S_INIT("{\"a\":1 \"b\":2}"), "line 1, byte 8: expected ',' or '}', found '\"'"},
    {S_INIT("{1:2}"), "expected a name in quotes, found '1'"},
    {S_INIT("{\"a\""), "expected ':' after a name, found the end of the text"},
    {S_INIT("[1]]"), "line 1, byte 4: expected the end of the text, found ']'"},
    {S_INIT("[1,\n 2,\n\n  x]"), "line 4, byte 3: expected a value, found 'x'"},
    {S_INIT("// comment\n1"), "expected a value, found '/'"},
    {S_INIT("[1]\0"), "line 1, byte 4: expected the end of the text, found byte 0x00"},
    {S_INIT("[\f1]"), "line 1, byte 2: expected a value, found byte 0x0c"},
    /* numbers */
    {S_INIT("-"), "line 1, byte 2: expected a digit, found the end of the text"},
    {S_INIT("-a"), "expected a digit, found 'a'"},
    {S_INIT("+1"), "expected a value, found '+'"},
    {S_INIT("01"), "line 1, byte 1: a number may not begin with 0 and another digit"},
    {S_INIT("[-012]"), "line 1, byte 3: a number may not begin with 0 and another digit"},
    {S_INIT("1."), "line 1, byte 3: expected a digit after the point, found the end of the text"},
    {S_INIT("1.e5"), "expected a digit after the point, found 'e'"},
    {S_INIT(".5"), "expected a value, found '.'"},
    {S_INIT("1e"), "expected a digit in the exponent, found the end of the text"},
    {S_INIT("1e+"), "expected a digit in the exponent"},
    {S_INIT("1eE2"), "expected a digit in the exponent, found 'E'"},
    {S_INIT("0x10"), "line 1, byte 2: expected the end of the text, found 'x'"},
    {S_INIT("[1e999]"), "line 1, byte 2: number is too large for a double"},
    {S_INIT("-1e309"), "too large for a double"},
    {S_INIT("1e99999999999999999999999"), "too large for a double"},
    {S_INIT("Infinity"), "expected a value, found 'I'"},
    /* strings */
    {S_INIT("\""), "line 1, byte 2: expected a closing quote, found the end of the text"},
    {S_INIT("\"abc"), "line 1, byte 5: expected a closing quote, found the end of the text"},
    {S_INIT("\"\\"), "expected a closing quote, found the end of the text"},
    {S_INIT("\"\\\""), "expected a closing quote, found the end of the text"},
    {S_INIT("\"\\u12\""), "line 1, byte 2: expected four hexadecimal digits after \\u"},
    {S_INIT("\"\\u12g4\""), "line 1, byte 2: expected four hexadecimal digits after \\u"},
    {S_INIT("\"\\u+123\""), "expected four hexadecimal digits after \\u"},
    {S_INIT("\"ab\\x\""), "line 1, byte 5: expected one of \"\\/bfnrtu after a backslash, found 'x'"},
    {S_INIT("\"\\U0041\""), "found 'U'"},
    {S_INIT("\"a\tb\""), "line 1, byte 3: control character 0x09 in a string must be escaped"},
    {S_INIT("\"a\nb\""), "line 1, byte 3: control character 0x0a"},
    {S_INIT("\"a\0b\""), "control character 0x00"},
    {S_INIT("{\"a longer name in which something is wrong: \x01 here\":1}"),
     "line 1, byte 46: control character 0x01"},
    {S_INIT("\"\x80\""), "line 1, byte 2: byte 0x80 is not valid UTF-8 here"},
    {S_INIT("\"\xc0\xaf\""), "byte 0xc0 is not valid UTF-8"},
    {S_INIT("\"\xc1\xbf\""), "byte 0xc1"},
    {S_INIT("\"\xc3\""), "byte 0xc3"},
    {S_INIT("\"\xc3(\""), "byte 0xc3"},
    {S_INIT("\"\xe0\x9f\xbf\""), "byte 0xe0"},
    {S_INIT("\"\xe2\x82\""), "byte 0xe2"},
    {S_INIT("\"\xe2(\xa1\""), "byte 0xe2"},
    {S_INIT("\"\xed\xa0\x80\""), "byte 0xed"},
    {S_INIT("\"\xf0\x8f\xbf\xbf\""), "byte 0xf0"},
    {S_INIT("\"\xf0\x9f\x98\""), "byte 0xf0"},
    {S_INIT("\"\xf4\x90\x80\x80\""), "byte 0xf4"},
    {S_INIT("\"\xf5\x80\x80\x80\""), "byte 0xf5"},
    {S_INIT("\"\xff\""), "byte 0xff"},
    {S_INIT("\"some text before the byte that is wrong, then \xc3\xa9 and \xc3\""),
     "line 1, byte 55: byte 0xc3"},
};

TEST(json_refuses_what_is_not_json_and_says_where_and_why)
{
    for (size_t i = 0; i < ARRAY_COUNT(rejected); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        str text = rejected[i].text;
        char *copy = mem_dup(text.p, text.n);
        struct err by_parser = ERR_INIT, by_reader = ERR_INIT;
        struct json j;
        CHECK_EQ(json_parse(&a, str_of(copy, text.n), NULL, &j, &by_parser), ERR_SYNTAX);
        CHECK_CONTAINS(by_parser.msg, rejected[i].message);
        CHECK_EQ(skip_all(&a, str_of(copy, text.n), &by_reader), ERR_SYNTAX);
        CHECK_STR(by_reader.msg, (const char *)by_parser.msg);
        mem_free(copy);
    }
}

TEST(json_integers_stay_exact_and_everything_else_is_a_float)
{
    static const struct {
        const char *text;
        enum json_type type;
        int64_t i;
    } cases[] = {
        {"9223372036854775807", JSON_INT, INT64_MAX},
        {"-9223372036854775808", JSON_INT, INT64_MIN},
        {"9007199254740993", JSON_INT, 9007199254740993},
        {"-0", JSON_INT, 0},
        {"9223372036854775808", JSON_FLOAT, 0},
        {"-9223372036854775809", JSON_FLOAT, 0},
        {"1.0", JSON_FLOAT, 0},
        {"1e3", JSON_FLOAT, 0},
        {"1E0", JSON_FLOAT, 0},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct json j = parse_ok(&a, str_from_c(cases[i].text), NULL);
        CHECK_EQ(j.type, cases[i].type);
        int64_t v = 77;
        CHECK_EQ(json_int(&j, &v), cases[i].type == JSON_INT);
        CHECK_EQ(v, cases[i].type == JSON_INT ? cases[i].i : 77);
    }
}

TEST(json_masks_are_the_same_with_and_without_vector_instructions)
{
    uint64_t state = test_seed();
    for (unsigned round = 0; round < 20000; round++) {
        char block[JSON_BLOCK];
        for (size_t i = 0; i < sizeof block; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            static const char often[] = "\"\\\x1f\x20\x7f\x80\xff\n\t\r<>&\xe2";
            block[i] = state >> 62 ? (char)(state >> 40) : often[(state >> 40) % (sizeof often - 1)];
        }
        CHECK_EQ(json_mask_special(block), json_mask_special_portable(block));
        CHECK_EQ(json_mask_stop(block), json_mask_stop_portable(block));
        CHECK_EQ(json_mask_high(block), json_mask_high_portable(block));
        CHECK_EQ(json_mask_space(block), json_mask_space_portable(block));
        CHECK_EQ(json_mask_html(block), json_mask_html_portable(block));
    }
}

TEST(json_finds_the_end_of_a_string_at_every_distance)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t n = 0; n < 70; n++) {
        for (size_t padding = 0; padding < 20; padding++) {
            char text[100];
            memset(text, 'x', sizeof text);
            text[0] = text[n + 1] = '"';
            memset(text + n + 2, ' ', padding);
            char *copy = mem_dup(text, n + 2 + padding);
            struct json j = parse_ok(&a, str_of(copy, n + 2 + padding), NULL);
            CHECK_EQ(json_str(&j).n, n);
            mem_free(copy);
        }
    }
}

TEST(json_takes_names_from_the_intern_table)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct intern *names = intern_new((const str[]){S("metadata"), S("name")}, 2);
    struct json_opts opts = {.names = names, .flags = JSON_DUPLICATES_ERROR};
    struct json j = parse_ok(&a, S("{\"metadata\":{\"na\\u006de\":\"x\",\"other\":1}}"), &opts);
    struct json *metadata = json_find_id(&j, intern_find(names, S("metadata")));
    CHECK(metadata != NULL);
    CHECK(j.v.members[0].name == intern_name(names, 1).p);
    CHECK_EQ(metadata->v.members[0].id, 2);
    CHECK_EQ(metadata->v.members[1].id, 0);
    CHECK_STR(json_str(json_find_id(metadata, 2)), "x");
    CHECK(json_find_id(metadata, 0) == NULL);
    struct json ignored;
    CHECK_ERR(SYNTAX, "line 1, byte 12: a second member 'name'",
              json_parse(&a, S("{\"name\":1, \"n\\u0061me\":2}"), &opts, &ignored, &e));
    intern_free(names);
}

TEST(json_copy_lets_the_text_go_away)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    char text[] = "{\"name\":[\"value\",\"es\\u0063aped\",\"\",5]}";
    struct json_opts opts = {.flags = JSON_COPY};
    struct json j = parse_ok(&a, str_from_c(text), &opts);
    memset(text, 'x', sizeof text);
    CLEANUP(buf_done) struct buf out;
    buf_init(&out, 100);
    json_print(&out, &j, 0);
    CHECK_STR(buf_str(&out), "{\"name\":[\"value\",\"escaped\",\"\",5]}");
}

TEST(json_borrows_plain_strings_and_names_from_the_text)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str text = S("{\"name\":\"value\"}");
    struct json j = parse_ok(&a, text, NULL);
    CHECK(j.v.members[0].name == text.p + 2);
    CHECK(j.v.members[0].value.v.s == text.p + 9);
}

/* Second members. */

struct seen {
    struct buf paths;
};

static void note_path(void *ctx, str path)
{
    struct seen *seen = ctx;
    buf_add(&seen->paths, path);
    buf_add_c(&seen->paths, ';');
}

static const struct {
    const char *text, *printed, *paths;
} seconds[] = {
    {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}", "a;"},
    {"{\"a\":1,\"a\":2,\"a\":3,\"b\":4}", "{\"a\":3,\"b\":4}", "a;a;"},
    {"{\"a\":{\"x\":1},\"a\":{\"y\":2}}", "{\"a\":{\"y\":2}}", "a;"},
    {"{\"a\":1,\"\\u0061\":2}", "{\"a\":2}", "a;"},
    {"{\"\":1,\"\":2}", "{\"\":2}", ";"},
    {"{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\",\"image\":\"i\",\"name\":\"c\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"c\",\"image\":\"i\"}]}}",
     "spec.containers[1].name;"},
    {"[[0,{\"a\":1,\"a\":2}]]", "[[0,{\"a\":2}]]", "[0][1].a;"},
    /* the later of two values is itself an object with a member given twice */
    {"{\"a\":1,\"a\":{\"b\":1,\"b\":2,\"c\":[{\"d\":1,\"d\":{}}]},\"z\":0}",
     "{\"a\":{\"b\":2,\"c\":[{\"d\":{}}]},\"z\":0}", "a;a.b;a.c[0].d;"},
    {"{\"a\":1,\"b\":1,\"b\":2,\"a\":2,\"c\":3,\"b\":5}", "{\"a\":2,\"b\":5,\"c\":3}", "b;a;b;"},
};

TEST(json_keeps_the_later_of_two_members_and_tells_where_they_are)
{
    for (size_t i = 0; i < ARRAY_COUNT(seconds); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct seen seen;
        buf_init(&seen.paths, 1000);
        struct json_opts opts = {.on_duplicate = note_path, .ctx = &seen};
        struct json j = parse_ok(&a, str_from_c(seconds[i].text), &opts);
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, 1000);
        json_print(&out, &j, 0);
        CHECK_STR(buf_str(&out), seconds[i].printed);
        CHECK_STR(buf_str(&seen.paths), seconds[i].paths);
        buf_done(&seen.paths);
        struct json_opts strict = {.flags = JSON_DUPLICATES_ERROR};
        CHECK_ERR(SYNTAX, ": a second member '",
                  json_parse(&a, str_from_c(seconds[i].text), &strict, &j, &e));
    }
}

TEST(json_keeps_both_members_when_asked_to)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    static const char text[] = "{\"a\":1,\"b\":{\"x\":[],\"x\":2},\"a\":{\"c\":3},\"a\":4}";
    struct seen seen;
    buf_init(&seen.paths, 1000);
    struct json_opts opts = {.flags = JSON_DUPLICATES_KEEP, .on_duplicate = note_path, .ctx = &seen};
    struct json j = parse_ok(&a, str_from_c(text), &opts);
    CLEANUP(buf_done) struct buf out;
    buf_init(&out, 1000);
    json_print(&out, &j, 0);
    CHECK_STR(buf_str(&out), text);
    CHECK_STR(buf_str(&seen.paths), "b.x;a;a;");
    buf_done(&seen.paths);
}

TEST(json_cuts_an_endless_path_to_a_second_member)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 100000);
    buf_add_lit(&text, "{\"");
    buf_add_n(&text, 'n', 50000);
    buf_add_lit(&text, "\":{\"x\":1,\"x\":2}}");
    struct seen seen;
    buf_init(&seen.paths, 100000);
    struct json_opts opts = {.on_duplicate = note_path, .ctx = &seen};
    parse_ok(&a, buf_str(&text), &opts);
    CHECK_EQ(seen.paths.n, 1025);
    buf_done(&seen.paths);
}

/* An object of `count` members; each third one comes twice when `twice`. */
static void many_members(struct buf *text, unsigned count, bool twice)
{
    buf_clear(text);
    buf_add_c(text, '{');
    for (unsigned i = 0; i < count; i++)
        buf_add_f(text, "%s\"member-%u\":%u", i ? "," : "", i, i);
    for (unsigned i = 0; twice && i < count; i += 3)
        buf_add_f(text, ",\"member-%u\":%u", i, i + count);
    buf_add_c(text, '}');
}

static void check_many(unsigned count)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 64u << 20);
    many_members(&text, count, true);
    struct seen seen;
    buf_init(&seen.paths, 64u << 20);
    struct json_opts opts = {.on_duplicate = note_path, .ctx = &seen};
    struct json j = parse_ok(&a, buf_str(&text), &opts);
    CHECK_EQ(j.n, count);
    for (unsigned i = 0; i < count; i++) {
        char name[20];
        snprintf(name, sizeof name, "member-%u", i);
        CHECK_STR(json_member_name(&j.v.members[i]), (const char *)name);
        CHECK_EQ(j.v.members[i].value.v.i, i % 3 ? i : i + count);
    }
    CHECK(str_starts(buf_str(&seen.paths), S("member-0;")));
    buf_done(&seen.paths);
}

TEST(json_finds_second_members_in_objects_of_any_size)
{
    for (unsigned count = 2; count < 300; count += 7)
        check_many(count);
    check_many(100000);
}

TEST(json_frees_its_tables_when_it_fails_inside_large_objects)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 64u << 20);
    many_members(&text, 3000, true);
    text.p[text.n - 1] = ',';
    str inner = str_dup(&a, buf_str(&text));
    buf_add_lit(&text, "\"inner\":");
    buf_add(&text, inner);
    struct json j;
    CHECK_ERR(SYNTAX, "expected a name in quotes, found the end",
              json_parse(&a, buf_str(&text), NULL, &j, &e));
}

/* Limits. */

static str nested(struct arena *a, size_t depth, str open, str middle, char close)
{
    struct buf b;
    buf_init_arena(&b, a, 1u << 20);
    for (size_t i = 0; i < depth; i++)
        buf_add(&b, open);
    buf_add(&b, middle);
    buf_add_n(&b, close, depth);
    return buf_str(&b);
}

TEST(json_bounds_the_depth)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    struct json_opts three = {.depth_max = 3};
    CHECK_OK(json_parse(&a, nested(&a, JSON_DEPTH_MAX, S("["), S(""), ']'), NULL, &j, &e));
    CHECK_OK(json_parse(&a, nested(&a, JSON_DEPTH_MAX, S("{\"a\":"), S("1"), '}'), NULL, &j, &e));
    CHECK_ERR(TOO_LARGE, "line 1, byte 129: nested deeper than 128 levels",
              json_parse(&a, nested(&a, JSON_DEPTH_MAX + 1, S("["), S(""), ']'), NULL, &j, &e));
    CHECK_ERR(TOO_LARGE, "nested deeper than 128 levels",
              json_parse(&a, nested(&a, 100000, S("[{\"a\":"), S(""), ']'), NULL, &j, &e));
    CHECK_ERR(TOO_LARGE, "line 1, byte 129: nested deeper than 128 levels",
              skip_all(&a, nested(&a, JSON_DEPTH_MAX + 1, S("["), S(""), ']'), &e));
    CHECK_OK(skip_all(&a, nested(&a, JSON_DEPTH_MAX, S("{\"a\":"), S("1"), '}'), &e));
    CHECK_OK(json_parse(&a, S("[[[1]],[[2]]]"), &three, &j, &e));
    CHECK_ERR(TOO_LARGE, "line 1, byte 4: nested deeper than 3 levels",
              json_parse(&a, S("[[[[1]]]]"), &three, &j, &e));
}

TEST(json_keeps_to_the_budget_of_the_arena)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 8u << 20);
    buf_add_c(&text, '[');
    for (unsigned i = 0; i < 1000000; i++)
        buf_add_lit(&text, "1,");
    buf_add_lit(&text, "1]");
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 1 << 20);
    struct json j;
    CHECK_ERR(TOO_LARGE, "memory for this request is used up", json_parse(&a, buf_str(&text), NULL, &j, &e));
    arena_done(&a);
    arena_init(&a, 64u << 20);
    CHECK_OK(json_parse(&a, buf_str(&text), NULL, &j, &e));
    CHECK_EQ(json_count(&j), 1000001);
}

TEST(json_refuses_a_text_whose_lengths_would_not_fit)
{
    /* The size alone decides: nothing of it is read. */
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    CHECK_ERR(TOO_LARGE, "JSON text of 4294967296 bytes is longer than 4294967295",
              json_parse(&a, str_of("1", (size_t)1 << 32), NULL, &j, &e));
}

TEST(json_prefix_walks_a_stream_of_values)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str rest = S(" {\"a\":1}\n[2] 3\"four\"null  ");
    size_t used = 0, values = 0;
    struct json j;
    for (; rest.n; rest = str_from(rest, used), values++)
        CHECK_OK(json_parse_prefix(&a, rest, NULL, &j, &used, &e));
    CHECK_EQ(values, 5);
    CHECK_EQ(j.type, JSON_NULL);
    struct json_opts opts = {.flags = JSON_TRAILING_OK};
    CHECK_OK(json_parse(&a, S("1 x"), &opts, &j, &e));
    CHECK_ERR(SYNTAX, "found 'x'", json_parse(&a, S("1 x"), NULL, &j, &e));
    CHECK_ERR(SYNTAX, "found the end of the text", json_parse_prefix(&a, S(" "), NULL, &j, &used, &e));
}

TEST(json_parses_small_documents_without_the_heap)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j = parse_ok(&a, S("{\"a\":[1,2,{\"b\":\"c\\n\"}]}"), NULL);
    arena_reset(&a);
    if (test_is_sanitized())
        return; /* there each allocation of the arena is one of the heap */
    uint64_t before = mem_thread_allocs();
    for (int i = 0; i < 100; i++) {
        j = parse_ok(&a, S("{\"a\":[1,2,{\"b\":\"c\\n\"}]}"), NULL);
        arena_reset(&a);
    }
    CHECK_EQ(mem_thread_allocs() - before, 0);
    CHECK_EQ(j.n, 1);
}

TEST(json_parses_big_documents)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    unsigned count = test_is_sanitized() ? 2000 : 50000;
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 64u << 20);
    buf_add_lit(&text, "{\"items\":[\n");
    for (unsigned i = 0; i < count; i++)
        buf_add_f(
            &text,
            "%s  {\"metadata\": {\"name\": \"pod-%u\", \"labels\": {\"app\": \"w\\u0065b\"}}, \"n\": %u}",
            i ? ",\n" : "", i, i);
    buf_add_lit(&text, "]}");
    struct json j = parse_ok(&a, buf_str(&text), NULL);
    struct json *items = json_find(&j, S("items"));
    CHECK_EQ(json_count(items), count);
    for (unsigned i = 0; i < count; i++) {
        struct json *item = json_at(items, i);
        CHECK_STR(json_str(json_get(item, S("metadata"), S("labels"), S("app"))), "web");
        CHECK_EQ(json_get(item, S("n"))->v.i, i);
    }
}

TEST(json_unescapes_strings_of_any_length_and_density)
{
    static const struct {
        str text, meaning;
    } pieces[] = {
        {S_INIT("\\n"), S_INIT("\n")},
        {S_INIT("\\\""), S_INIT("\"")},
        {S_INIT("\\\\"), S_INIT("\\")},
        {S_INIT("\\u00e9"), S_INIT("\xc3\xa9")},
        {S_INIT("\\ud800"), S_INIT("\xef\xbf\xbd")},
        {S_INIT("\\ud83d\\ude00"), S_INIT("\xf0\x9f\x98\x80")},
        {S_INIT("\xe2\x82\xac"), S_INIT("\xe2\x82\xac")},
    };
    static const char plain[] =
        "plain text, of which some goes between the escapes and some stays out; it has to be long";
    uint64_t state = test_seed();
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(buf_done) struct buf meaning = {0};
    buf_init(&text, 1 << 16);
    buf_init(&meaning, 1 << 16);
    for (unsigned round = 0; round < 2000; round++) {
        buf_clear(&text);
        buf_clear(&meaning);
        buf_add_c(&text, '"');
        for (unsigned i = 0; i < round % 60; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            size_t run = (state >> 33) % (round % 7 ? 12 : sizeof plain);
            const char *p = plain + (state >> 43) % (sizeof plain - run);
            size_t piece = (state >> 53) % ARRAY_COUNT(pieces);
            buf_add(&text, str_of(p, run));
            buf_add(&meaning, str_of(p, run));
            buf_add(&text, pieces[piece].text);
            buf_add(&meaning, pieces[piece].meaning);
        }
        buf_add_c(&text, '"');
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        char *copy = mem_dup(text.p, text.n);
        struct json j = parse_ok(&a, str_of(copy, text.n), NULL);
        CHECK_STR(json_str(&j), buf_str(&meaning));
        struct err err = ERR_INIT;
        CHECK_EQ(skip_all(&a, str_of(copy, text.n), &err), ERR_NONE);
        mem_free(copy);
    }
}
