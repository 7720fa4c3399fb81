#include "base/mem.h"
#include "harness/test.h"
#include "wire/yaml.h"
#include <stdio.h>

static str compact(struct arena *a, const struct json *j)
{
    struct buf out;
    buf_init_arena(&out, a, (size_t)1 << 24);
    json_print(&out, j, 0);
    CHECK(!out.failed);
    return buf_str(&out);
}

static str parsed(struct arena *a, str yaml, const struct yaml_opts *opts)
{
    struct json j;
    struct err err = ERR_INIT;
    if (yaml_parse(a, yaml, opts, &j, &err))
        FAIL("%s: does not parse: %s", str_cstr(a, yaml), err.msg);
    return compact(a, &j);
}

/* YAML, and the same as JSON: what sigs.k8s.io/yaml makes of it, but for the order of members. */
struct example {
    const char *yaml;
    const char *json;
};

static void check_examples(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        const struct example *x = &examples[i];
        printf("%s\n", x->yaml);
        CHECK_STR(parsed(&a, str_from_c(x->yaml), NULL), x->json);
    }
}
#define CHECK_EXAMPLES(examples) check_examples((examples), ARRAY_COUNT(examples))

static const struct example plain_scalars[] = {
    {"[y, Y, yes, Yes, YES, on, On, ON, true, True, TRUE]",
     "[true,true,true,true,true,true,true,true,true,true,true]"},
    {"[n, N, no, No, NO, off, Off, OFF, false, False, FALSE]",
     "[false,false,false,false,false,false,false,false,false,false,false]"},
    {"[yEs, tRUE, oN, nO, ye, tru, yess]", "[\"yEs\",\"tRUE\",\"oN\",\"nO\",\"ye\",\"tru\",\"yess\"]"},
    {"- ~\n- null\n- Null\n- NULL\n-\n- nuLL\n- ''\n", "[null,null,null,null,null,\"nuLL\",\"\"]"},
    {"[0, -0, +0, 7, -7, +7, 9223372036854775807, -9223372036854775808]",
     "[0,0,0,7,-7,7,9223372036854775807,-9223372036854775808]"},
    {"[9223372036854775808, 18446744073709551615, 18446744073709551616, -9223372036854775809]",
     "[9223372036854776000,18446744073709552000,18446744073709552000,-9223372036854776000]"},
    {"[010, -010, 0o10, 0O17, 0x1f, 0X1F, -0x1f, 0b101, 0B11, -0b11]", "[8,-8,8,15,31,31,-31,5,3,-3]"},
    {"[08, 0b2, 0xg, 0x, 0o8, 0xfffffffffffffffff]",
     "[8,\"0b2\",\"0xg\",\"0x\",\"0o8\",\"0xfffffffffffffffff\"]"},
    {"[1_000, 1__0, 0x_1f, 1_, _1, +_1, 1_0.5_0]", "[1000,10,31,1,\"_1\",1,10.5]"},
    {"[0b+1, 0b-1]", "[1,-1]"},
    {"[1.5, -1.5, +1.5, 1., .5, 5.e1, 1e3, 1E3, 1e+3, 1e-3, 012.5]",
     "[1.5,-1.5,1.5,1,0.5,50,1000,1000,1000,0.001,12.5]"},
    {"- 1.0\n- -0.0\n- 1e15\n- 1e18\n- 1e19\n- 1e21\n- 4611686018427387904.0\n",
     "[1,0,1000000000000000,1000000000000000000,10000000000000000000,1e+21,4611686018427388000]"},
    {"[1e, 1e+, e3, .e3, ., +, -, 1.5.0, 1e999, .5_5, ._5, .5_, 1e5x]",
     "[\"1e\",\"1e+\",\"e3\",\".e3\",\".\",\"+\",\"-\",\"1.5.0\",\"1e999\",0.55,\"._5\",\".5_\",\"1e5x\"]"},
    {"[100m, 1Gi, 10.0.0.1, 1:30, 12:30:45, v1, 1-2, 3f2a]",
     "[\"100m\",\"1Gi\",\"10.0.0.1\",\"1:30\",\"12:30:45\",\"v1\",\"1-2\",\"3f2a\"]"},
    {"[2001-01-01, 2001-12-14t21:59:43.10-05:00, 2001-12-14 21:59:43]",
     "[\"2001-01-01\",\"2001-12-14t21:59:43.10-05:00\",\"2001-12-14 21:59:43\"]"},
    {"[\"1\", '1', \"true\", 'null', \"~\", '2001-01-01']",
     "[\"1\",\"1\",\"true\",\"null\",\"~\",\"2001-01-01\"]"},
    {"a: <<\nb: =\n", "{\"a\":\"<<\",\"b\":\"=\"}"},
};

TEST(yaml_plain_scalars_have_the_types_that_kubectl_gives_them)
{
    CHECK_EXAMPLES(plain_scalars);
}

static const struct example tagged[] = {
    {"[!!str 1, !!str true, !!str ~, !!str ]", "[\"1\",\"true\",\"~\",\"\"]"},
    {"[!!int \"3\", !!int 0x10, !!float 3, !!float \"1.5\", !!bool \"yes\", !!null '']",
     "[3,16,3,1.5,true,null]"},
    {"[! 5, ! \"5\", !local 5, !!unknown 5, !<tag:yaml.org,2002:str> 5]", "[\"5\",\"5\",\"5\",\"5\",\"5\"]"},
    {"!!map {a: !!seq [1], b: !local {c: d}}", "{\"a\":[1],\"b\":{\"c\":\"d\"}}"},
    {"[!!binary aGVsbG8=, !!binary /w==, !!timestamp 2001-1-1]", "[\"hello\",\"\xef\xbf\xbd\",\"2001-1-1\"]"},
    {"%TAG !e! tag:yaml.org,2002:\n---\n[!e!str 5]\n", "[\"5\"]"},
};

TEST(yaml_tags_of_the_core_schema_are_obeyed_and_others_leave_strings)
{
    CHECK_EXAMPLES(tagged);
}

static const struct example collections[] = {
    {"", "null"},
    {"# only a comment\n", "null"},
    {"---\n", "null"},
    {"a: 1\nb:\n- x\n- v: z\n  w:\nc: {d: [e]}\n",
     "{\"a\":1,\"b\":[\"x\",{\"v\":\"z\",\"w\":null}],\"c\":{\"d\":[\"e\"]}}"},
    {"- - 1\n  - 2\n-\n  - 3\n", "[[1,2],[3]]"},
    {"? a\n: b\n? c\n", "{\"a\":\"b\",\"c\":null}"},
    {"a: |\n  one\n   two\n\nb: >-\n  one\n  two\n\n  three\nc: |+\n  x\n\n",
     "{\"a\":\"one\\n two\\n\",\"b\":\"one two\\nthree\",\"c\":\"x\\n\\n\"}"},
    {"a: 'it''s'\nb: \"\\x41\\u00e9\\U0001F600\\0\\e\\/\"\nc: \"a\n  b\"\nd: e\n  f\n",
     "{\"a\":\"it's\",\"b\":\"A\xc3\xa9\xf0\x9f\x98\x80\\u0000\\u001b/\",\"c\":\"a b\",\"d\":\"e f\"}"},
    {"\xef\xbb\xbf"
     "a: 1\n",
     "{\"a\":1}"},
    {"a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"},
    {"a: 1\n...\n---\n---\n# nothing\n", "{\"a\":1}"},
    {"%YAML 1.1\n---\na: 1\n", "{\"a\":1}"},
    {"{\"a\":1,\t\"b\":[]}", "{\"a\":1,\"b\":[]}"},
    {" [ {} , [] ] ", "[{},[]]"},
    {"{a: 1, \"b\": [x]}", "{\"a\":1,\"b\":[\"x\"]}"},
    {"{\"a\": 1} # JSON but for this", "{\"a\":1}"},
    {"[\"\\ud83d\\ude00\"]", "[\"\xf0\x9f\x98\x80\"]"},
};

TEST(yaml_collections_block_scalars_and_json_parse)
{
    CHECK_EXAMPLES(collections);
}

static const struct example keys[] = {
    {"1: a\n0x10: b\n-5: c\n", "{\"1\":\"a\",\"16\":\"b\",\"-5\":\"c\"}"},
    {"yes: a\nno: b\n", "{\"true\":\"a\",\"false\":\"b\"}"},
    {"1.5: a\n1e7: b\n3.14159265: c\n2.0: d\n",
     "{\"1.5\":\"a\",\"1e+07\":\"b\",\"3.1415927\":\"c\",\"2\":\"d\"}"},
    {".inf: a\n-.inf: b\n.nan: c\n1e300: d\n", "{\".inf\":\"d\",\"-.inf\":\"b\",\".nan\":\"c\"}"},
    {"'1': a\n\"\": b\n2001-01-01: c\n", "{\"1\":\"a\",\"\":\"b\",\"2001-01-01\":\"c\"}"},
    {"&k a: 1\n*k : 2\n", "{\"a\":2}"},
    {"a: 1\nb: 2\na: 3\n", "{\"a\":3,\"b\":2}"},
};

TEST(yaml_keys_that_are_no_strings_become_strings_as_for_the_original)
{
    CHECK_EXAMPLES(keys);
}

static const struct example aliases[] = {
    {"a: &x 1\nb: *x\nc: [*x, *x]\n", "{\"a\":1,\"b\":1,\"c\":[1,1]}"},
    {"a: &x {b: [c]}\nd: *x\n", "{\"a\":{\"b\":[\"c\"]},\"d\":{\"b\":[\"c\"]}}"},
    {"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
    {"a: &x {v: &z [1]}\nb: *z\nc: *x\n", "{\"a\":{\"v\":[1]},\"b\":[1],\"c\":{\"v\":[1]}}"},
    {"base: &b {x: 1, z: 1}\nd:\n  <<: *b\n  z: 2\n", "{\"base\":{\"x\":1,\"z\":1},\"d\":{\"x\":1,\"z\":2}}"},
    {"base: &b {x: 1}\nd:\n  x: 2\n  <<: *b\n", "{\"base\":{\"x\":1},\"d\":{\"x\":1}}"},
    {"<<: {a: 1, b: 1}\nb: 2\n", "{\"a\":1,\"b\":2}"},
    {"<<: [{a: 1}, {a: 2, b: 2}]\n", "{\"a\":1,\"b\":2}"},
    {"- &a {x: 1}\n- &b {x: 2, w: 2}\n- <<: [*a, *b]\n", "[{\"x\":1},{\"x\":2,\"w\":2},{\"x\":1,\"w\":2}]"},
    {"'<<': {a: 1}\n", "{\"<<\":{\"a\":1}}"},
    {"!!merge <<: {a: 1}\n", "{\"a\":1}"},
};

TEST(yaml_aliases_copy_and_merges_merge)
{
    CHECK_EXAMPLES(aliases);
}

TEST(yaml_alias_copies_can_be_edited_apart)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    CHECK_OK(yaml_parse(&a, S("a: &x {l: [1]}\nb: *x\nc:\n  <<: *x\n"), NULL, &j, &e));
    json_append(&a, json_get(&j, S("b"), S("l")), json_of_int(2));
    json_remove_at(json_get(&j, S("c"), S("l")), 0);
    CHECK_STR(compact(&a, &j), "{\"a\":{\"l\":[1]},\"b\":{\"l\":[1,2]},\"c\":{\"l\":[]}}");
}

struct refusal {
    const char *yaml;
    const char *message;
    size_t line, column;
};

static void check_refusals(const struct refusal *refusals, size_t count, unsigned flags)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        const struct refusal *x = &refusals[i];
        struct yaml_place place = {77, 77};
        struct err err = ERR_INIT;
        struct json j;
        printf("%s\n", x->yaml);
        struct yaml_opts opts = {.flags = flags, .place = &place};
        CHECK_EQ(yaml_parse(&a, str_from_c(x->yaml), &opts, &j, &err), ERR_SYNTAX);
        CHECK_STR((const char *)err.msg, x->message);
        CHECK_EQ(place.line, x->line);
        CHECK_EQ(place.column, x->column);
    }
}
#define CHECK_REFUSALS(refusals, flags) check_refusals((refusals), ARRAY_COUNT(refusals), (flags))

/* The line of the message is the original's, the place is right. */
static const struct refusal bad_syntax[] = {
    {"a: b: c\n", "yaml: mapping values are not allowed in this context", 1, 5},
    {"x: 1\na: b: c\n", "yaml: line 2: mapping values are not allowed in this context", 2, 5},
    {"a: 1\n b: 2\n", "yaml: line 2: mapping values are not allowed in this context", 2, 3},
    {"a: [1, 2\nb: 3\n", "yaml: line 1: did not find expected ',' or ']'", 2, 2},
    {"a:\n- b\n c: d\n", "yaml: line 3: mapping values are not allowed in this context", 3, 3},
    {"- a\n- b\nc: d\n", "yaml: line 2: did not find expected '-' indicator", 3, 1},
    {"a: {b: c\n", "yaml: line 1: did not find expected ',' or '}'", 2, 1},
    {"\t- a\n", "yaml: found character that cannot start any token", 1, 1},
    {"a:\n\tb: c\n", "yaml: line 2: found character that cannot start any token", 2, 1},
    {"a: \"b\n", "yaml: line 2: found unexpected end of stream", 2, 1},
    {"a: @b\n", "yaml: found character that cannot start any token", 1, 4},
    {"a: \"\\q\"\n", "yaml: found unknown escape character", 1, 5},
    {"a: *x\n", "yaml: unknown anchor 'x' referenced", 1, 4},
    {"%YAML 2.0\n---\na: 1\n", "yaml: found incompatible YAML document", 1, 1},
    {"- a\n- \xff\n", "yaml: invalid leading UTF-8 octet", 2, 3},
    {"- a\n- \xc3\xa9 b\x01\n", "yaml: control characters are not allowed", 2, 6},
    {"\xff\xfe"
     "a",
     "yaml: the text is UTF-16: save it as UTF-8", 0, 0},
    {"a: 1\n---\nb: 2\n", "yaml: line 2: a second document begins here, one is expected", 2, 1},
    {"a: 1\n--- {}\n", "yaml: line 2: a second document begins here, one is expected", 2, 1},
};

TEST(yaml_errors_of_syntax_read_as_the_originals_and_tell_the_place)
{
    CHECK_REFUSALS(bad_syntax, 0);
}

static const struct refusal bad_meaning[] = {
    {"{{ .Values.name }}: x\n",
     "yaml: invalid map key: map[interface {}]interface {}{\".Values.name\":interface {}(nil)}", 1, 2},
    {"a: 1\n? [b, 2, 1.5, true]\n: x\n", "yaml: invalid map key: []interface {}{\"b\", 2, 1.5, true}", 2, 3},
    {"a: .inf\n", "json: unsupported value: +Inf", 1, 4},
    {"- -.inf\n", "json: unsupported value: -Inf", 1, 3},
    {".nan\n", "json: unsupported value: NaN", 1, 1},
    {"~: a\n", "unsupported map key of type: null", 1, 1},
    {"18446744073709551615: a\n", "unsupported map key of type: uint64", 1, 1},
    {"a: !!int b\n", "yaml: cannot decode !!str `b` as a !!int", 1, 4},
    {"a: !!int 1.5\n", "yaml: cannot decode !!float `1.5` as a !!int", 1, 4},
    {"a: !!bool 1\n", "yaml: cannot decode !!int `1` as a !!bool", 1, 4},
    {"a: !!timestamp 5\n", "yaml: cannot decode !!int `5` as a !!timestamp", 1, 4},
    {"a: !!binary '?'\n", "yaml: !!binary value contains invalid base64 data", 1, 4},
    {"a: &x [*x]\n", "yaml: anchor 'x' value contains itself", 1, 8},
    {"a: &x\n  <<: *x\n", "yaml: anchor 'x' value contains itself", 2, 7},
    {"<<: 1\n", "yaml: map merge requires map or sequence of maps as the value", 1, 5},
    {"<<: [{}, 1]\n", "yaml: map merge requires map or sequence of maps as the value", 1, 5},
    {"a: &x [{}]\n<<: *x\n", "yaml: map merge requires map or sequence of maps as the value", 2, 5},
    /* The first of its kind; what is not YAML goes before what is not JSON, syntax before both. */
    {"a: .inf\n? []\n: x\n? {}\n: x\n", "yaml: invalid map key: []interface {}{}", 2, 3},
    {"? []\n: x\nb: @\n", "yaml: line 3: found character that cannot start any token", 3, 4},
};

TEST(yaml_errors_of_meaning_read_as_the_originals_and_tell_the_place)
{
    CHECK_REFUSALS(bad_meaning, 0);
}

static const struct refusal twice[] = {
    {"a: 1\nb: 2\na: 3\n", "yaml: unmarshal errors:\n  line 3: key \"a\" already set in map", 3, 4},
    {"a:\n  b: 1\n  b:\n    c: 2\na: 2\n",
     "yaml: unmarshal errors:\n  line 4: key \"b\" already set in map\n  line 5: key \"a\" already set in map",
     4, 5},
    {"1: a\n1: b\nyes: a\non: b\n",
     "yaml: unmarshal errors:\n  line 2: key 1 already set in map\n  line 4: key true already set in map", 2,
     4},
    {"a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n",
     "yaml: unmarshal errors:\n  line 4: key \"b\" already set in map", 4, 6},
    {"{\"a\":{\"b\":1,\"b\":2},\"c\":1,\"c\":2}", "duplicate field \"a.b\", duplicate field \"c\"", 0, 0},
};

TEST(yaml_keys_given_twice_are_an_error_when_asked_for)
{
    CHECK_REFUSALS(twice, YAML_DUPLICATES_ERROR);
}

static void note_duplicate(void *ctx, str message)
{
    struct buf *notes = ctx;
    buf_add(notes, message);
    buf_add_c(notes, ';');
}

static str duplicates_of(struct arena *a, str yaml, const char *json)
{
    struct buf notes;
    buf_init_arena(&notes, a, 4096);
    CHECK_STR(parsed(a, yaml, &(struct yaml_opts){.on_duplicate = note_duplicate, .ctx = &notes}), json);
    return buf_str(&notes);
}

TEST(yaml_keys_given_twice_are_told_and_the_later_value_wins)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CHECK_STR(duplicates_of(&a, S("a: 1\nb: 2\na: 3\n"), "{\"a\":3,\"b\":2}"),
              "line 3: key \"a\" already set in map;");
    CHECK_STR(duplicates_of(&a, S("{\"a\":[{\"b\":1,\"b\":2}]}"), "{\"a\":[{\"b\":2}]}"),
              "duplicate field \"a[0].b\";");
    CHECK_STR(duplicates_of(&a, S("{\"a\":1,\"a\":2,}"), "{\"a\":2}"),
              "line 1: key \"a\" already set in map;");
    CHECK_STR(duplicates_of(&a, S("{\"a\":1,\"b\":2}"), "{\"a\":1,\"b\":2}"), "");
}

TEST(yaml_objects_of_thousands_of_members_keep_their_order_and_find_keys_given_twice)
{
    enum { KEYS = 5000 };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct buf text;
    buf_init_arena(&text, &a, 1 << 20);
    for (int i = 0; i < KEYS; i++)
        buf_add_f(&text, "key%d: %d\n", i, i);
    buf_add_lit(&text, "key7: again\nkey4999: again\n");
    struct json j;
    CHECK_OK(yaml_parse(&a, buf_str(&text), NULL, &j, &e));
    CHECK_EQ(j.n, KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        int64_t v;
        CHECK_STR(json_member_name(&j.v.members[i]), str_format(&a, "key%d", (int)i));
        CHECK_EQ(json_int(&j.v.members[i].value, &v), i != 7 && i != 4999);
    }
    CHECK_ERR(SYNTAX, "line 5002: key \"key4999\" already set in map",
              yaml_parse(&a, buf_str(&text), &(struct yaml_opts){.flags = YAML_DUPLICATES_ERROR}, &j, &e));
}

TEST(yaml_names_of_the_intern_table_are_taken_from_it)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct intern *names = intern_new((const str[]){S_INIT("kind"), S_INIT("spec")}, 2);
    struct json j;
    CHECK_OK(yaml_parse(&a, S("spec: 1\nother: 2\n"), &(struct yaml_opts){.names = names}, &j, &e));
    CHECK_EQ(j.v.members[0].id, intern_find(names, S("spec")));
    CHECK_EQ(j.v.members[1].id, 0);
    CHECK(json_find_id(&j, intern_find(names, S("spec"))) == &j.v.members[0].value);
    CHECK(j.v.members[0].name == intern_name(names, j.v.members[0].id).p);
    intern_free(names);
}

TEST(yaml_of_a_body_is_its_first_document_and_never_json)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CLEANUP(buf_done) struct buf notes;
    buf_init(&notes, 4096);
    struct yaml_opts body = {.flags = YAML_BODY, .on_duplicate = note_duplicate, .ctx = &notes};
    CHECK_STR(parsed(&a, S("a: 1\n---\nb: @\n"), &body), "{\"a\":1}");
    CHECK_STR(parsed(&a, S("---\n---\na: 1\n"), &body), "null");
    CHECK_STR(parsed(&a, S("{\"a\":1,\n\"a\":1e3}\n---\n{"), &body), "{\"a\":1000}");
    CHECK_STR(buf_str(&notes), "line 2: key \"a\" already set in map;");
}

/* Limits. */

static const char laughs[] = "a: &a [x, x, x, x, x, x, x, x, x]\n"
                             "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
                             "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
                             "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
                             "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
                             "f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]\n"
                             "g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]\n"
                             "h: &h [*g, *g, *g, *g, *g, *g, *g, *g, *g]\n"
                             "i: &i [*h, *h, *h, *h, *h, *h, *h, *h, *h]\n";

TEST(yaml_a_billion_laughs_are_refused_before_they_are_copied)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    CHECK_ERR(SYNTAX, "yaml: document contains excessive aliasing",
              yaml_parse(&a, str_from_c(laughs), NULL, &j, &e));
    CHECK_LT(a.used, 1 << 20);
}

/* `a`, a list of `items`, and `copies` of it. */
static str with_copies(struct arena *a, int items, int copies)
{
    struct buf text;
    buf_init_arena(&text, a, 1 << 22);
    buf_add_lit(&text, "a: &a [");
    for (int i = 0; i < items; i++)
        buf_add_lit(&text, "v,");
    buf_add_lit(&text, "]\nb:\n");
    for (int i = 0; i < copies; i++)
        buf_add_lit(&text, "- *a\n");
    return buf_str(&text);
}

TEST(yaml_aliases_may_make_most_of_a_small_document_but_not_of_a_large_one)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    CHECK_OK(yaml_parse(&a, with_copies(&a, 4000, 99), NULL, &j, &e));
    CHECK_EQ(json_find(&j, S("b"))->n, 99);
    CHECK_EQ(json_at(json_find(&j, S("b")), 98)->n, 4000);
    CHECK_ERR(SYNTAX, "excessive aliasing", yaml_parse(&a, with_copies(&a, 4000, 120), NULL, &j, &e));
    CHECK_OK(yaml_parse(&a, with_copies(&a, 10, 2000), NULL, &j, &e));
}

TEST(yaml_copies_of_one_long_text_are_bounded_too)
{
    enum { TEXT = 1 << 20, COPIES = 100 };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct buf text;
    buf_init_arena(&text, &a, TEXT * 2);
    buf_add_lit(&text, "a: &a ");
    buf_add_n(&text, 'x', TEXT);
    buf_add_lit(&text, "\nb:\n");
    for (int i = 0; i < COPIES; i++)
        buf_add_lit(&text, "- *a\n");
    struct json j;
    CHECK_ERR(SYNTAX, "excessive aliasing", yaml_parse(&a, buf_str(&text), NULL, &j, &e));
}

static str repeated(struct arena *a, str what, size_t count)
{
    struct buf text;
    buf_init_arena(&text, a, what.n * count + 1);
    for (size_t i = 0; i < count; i++)
        buf_add(&text, what);
    return buf_str(&text);
}

TEST(yaml_nesting_is_bounded_copies_included)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json j;
    str deep = str_concat(&a, repeated(&a, S("["), JSON_DEPTH_MAX), repeated(&a, S("]"), JSON_DEPTH_MAX));
    CHECK_OK(yaml_parse(&a, str_concat(&a, S("# YAML\n"), deep), NULL, &j, &e));
    CHECK_ERR(TOO_LARGE, "yaml: line 1: exceeded max depth of 127",
              yaml_parse(&a, deep, &(struct yaml_opts){.depth_max = JSON_DEPTH_MAX - 1}, &j, &e));
    CHECK_ERR(TOO_LARGE, "yaml: line 1: exceeded max depth of 128",
              yaml_parse(&a, repeated(&a, S("["), 1 << 20), NULL, &j, &e));
    CHECK_ERR(TOO_LARGE, "yaml: line 1: exceeded max depth of 128",
              yaml_parse(&a, repeated(&a, S("- "), 1 << 20), NULL, &j, &e));
    CHECK_OK(yaml_parse(&a, S("a: &a [[1]]\nb: [*a]\n"), &(struct yaml_opts){.depth_max = 4}, &j, &e));
    CHECK_ERR(TOO_LARGE, "yaml: line 2: exceeded max depth of 3",
              yaml_parse(&a, S("a: &a [[1]]\nb: [*a]\n"), &(struct yaml_opts){.depth_max = 3}, &j, &e));
}

TEST(yaml_size_values_and_memory_are_bounded)
{
    CLEANUP(arena_done) struct arena a, small;
    arena_init(&a, 0);
    arena_init(&small, 10000);
    struct json j;
    CHECK_OK(yaml_parse(&a, S("a: 12"), &(struct yaml_opts){.size_max = 5, .values_max = 4}, &j, &e));
    CHECK_ERR(TOO_LARGE, "yaml: the text has more than 4 bytes",
              yaml_parse(&a, S("a: 12"), &(struct yaml_opts){.size_max = 4}, &j, &e));
    CHECK_ERR(TOO_LARGE, "yaml: the text has more than 4 bytes",
              yaml_parse(&a, S("[\"a\"]"), &(struct yaml_opts){.size_max = 4}, &j, &e));
    CHECK_ERR(TOO_LARGE, "yaml: line 1: more than 3 values",
              yaml_parse(&a, S("a: 12"), &(struct yaml_opts){.values_max = 3}, &j, &e));
    CHECK_ERR(TOO_LARGE, "", yaml_parse(&small, repeated(&a, S("- a\n"), 5000), NULL, &j, &e));
    CHECK_LT(small.used, 20000);
    CHECK_ERR(TOO_LARGE, "yaml: more than 64 %TAG directives",
              yaml_parse(&a, repeated(&a, S("%TAG !a! b\n"), 100), NULL, &j, &e));
    str script = str_concat(&a, S("a: |\n"), repeated(&a, S("  %TAG% \n"), 100));
    CHECK_OK(yaml_parse(&a, script, NULL, &j, &e));
}

TEST(yaml_parsing_that_fails_leaves_nothing_behind)
{
    static const char *const texts[] = {"a: [1, {b: c}", "{a: &x {b: *x}}", "{a: 1, a: 2}", "a: *b",
                                        "{? {b: 2} : 3}"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct json j = json_of_int(5);
        struct yaml_opts opts = {.flags = YAML_DUPLICATES_ERROR};
        CHECK_ERR(SYNTAX, "yaml: ", yaml_parse(&a, str_from_c(texts[i]), &opts, &j, &e));
        CHECK(json_equal(
            &j, &(struct json){.type = JSON_INT, .v.i = 5})); /* leaks are for the sanitizer to find */
    }
}
