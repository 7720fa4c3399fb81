#include "api/schema_load.h"
#include "api/tree.h"
#include "harness/test.h"

enum { TEXT_MAX = 1 << 24 };

struct fixture {
    struct arena a;
    struct schema *s;
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){.s = NULL};
    arena_init(&f->a, 0);
}

static void teardown(struct fixture *f)
{
    if (f->s)
        schema_unload(f->s);
    arena_done(&f->a);
}

static err_code load(struct fixture *f, str openapi, struct err *err)
{
    static const struct schema_load_opts opts = {
        .group = S_INIT("example.com"), .version = S_INIT("v1"), .kind = S_INIT("Case")};
    struct json j;
    CHECK_OK(json_parse(&f->a, openapi, NULL, &j, &e));
    return schema_load(&j, &opts, &f->s, err);
}

struct refusal {
    const char *schema; /* of the property x */
    const char *want;   /* behind "properties[x]" */
};

static void check_refused(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        struct err err = ERR_INIT;
        str openapi = str_format(&f.a, "{\"type\":\"object\",\"properties\":{\"x\":%s}}", cases[i].schema);
        if (load(&f, openapi, &err) == ERR_NONE)
            FAIL("%s is taken", cases[i].schema);
        CHECK_EQ(err.code, ERR_BAD_REQUEST);
        CHECK_STR(err.msg, str_format(&f.a, "properties[x]%s", cases[i].want));
    }
}

static void check_taken(const char *const *schemas, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        struct err err = ERR_INIT;
        if (load(&f, str_format(&f.a, "{\"type\":\"object\",\"properties\":{\"x\":%s}}", schemas[i]), &err))
            FAIL("%s: %s", schemas[i], err.msg);
    }
}

TEST(custom_schemas_with_what_is_not_supported_are_refused)
{
    static const struct refusal cases[] = {
        {"{\"$ref\":\"#/a\"}", ".$ref: Forbidden: $ref is not supported"},
        {"{\"type\":\"object\",\"patternProperties\":{\"a\":{}}}",
         ".patternProperties: Forbidden: patternProperties is not supported"},
        {"{\"type\":\"array\",\"items\":[{\"type\":\"string\"}]}",
         ".items: Forbidden: items must be a schema object and not an array"},
        {"{\"type\":\"string\",\"anyOf\":{}}", ".anyOf: must be a list of schemas"},
        {"{\"type\":\"string\",\"enum\":{}}", ".enum: must be a list of values"},
        {"{\"type\":\"string\",\"not\":7}", ".not: a schema is an object"},
    };
    check_refused(cases, ARRAY_COUNT(cases));
}

TEST(patterns_that_are_no_expressions_are_refused_when_they_are_loaded)
{
    static const struct refusal cases[] = {
        {"{\"type\":\"string\",\"pattern\":\"a(\"}",
         ".pattern: Invalid value: \"a(\": must be a valid regular expression, but isn't: error parsing regexp: missing "
         "closing ): `a(`"},
        {"{\"type\":\"string\",\"pattern\":\"^(?!a)\"}",
         ".pattern: Invalid value: \"^(?!a)\": must be a valid regular expression, but isn't: error parsing regexp: "
         "invalid or unsupported Perl syntax: `(?!`"},
        {"{\"type\":\"string\",\"pattern\":\"(a)\\\\1\"}",
         ".pattern: Invalid value: \"(a)\\\\1\": must be a valid regular expression, but isn't: error parsing regexp: "
         "invalid escape sequence: `\\1`"},
        {"{\"type\":\"string\",\"anyOf\":[{},{\"pattern\":\"[\"}]}",
         ".anyOf[1].pattern: Invalid value: \"[\": must be a valid regular expression, but isn't: error parsing "
         "regexp: missing closing ]: `[`"},
    };
    check_refused(cases, ARRAY_COUNT(cases));
}

TEST(nested_schemas_say_what_values_must_be_and_not_what_they_are)
{
    static const struct refusal cases[] = {
        {"{\"type\":\"string\",\"anyOf\":[{\"type\":\"string\"}]}",
         ".anyOf[0].type: Forbidden: must be empty to be structural"},
        {"{\"type\":\"string\",\"not\":{\"default\":\"a\"}}",
         ".not.default: Forbidden: must be undefined to be structural"},
        {"{\"type\":\"string\",\"oneOf\":[{\"nullable\":true}]}",
         ".oneOf[0].nullable: Forbidden: must be false to be structural"},
        {"{\"type\":\"string\",\"allOf\":[{},{\"description\":\"a\"}]}",
         ".allOf[1].description: Forbidden: must be empty to be structural"},
        {"{\"type\":\"object\",\"anyOf\":[{\"additionalProperties\":{}}]}",
         ".anyOf[0].additionalProperties: Forbidden: must be undefined to be structural"},
        {"{\"type\":\"object\",\"anyOf\":[{\"x-kubernetes-validations\":[{\"rule\":\"true\"}]}]}",
         ".anyOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural"},
        {"{\"type\":\"object\",\"properties\":{\"metadata\":{\"type\":\"object\"}},\"anyOf\":[{\"properties\":{"
         "\"metadata\":{}}}]}",
         ".anyOf[0].properties[metadata]: Forbidden: must not be specified in a nested context"},
        {"{\"x-kubernetes-int-or-string\":true,\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}",
         ".anyOf[0].type: Forbidden: must be empty to be structural"},
        {"{\"type\":\"object\",\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}}}]}",
         ".anyOf[0].properties[a].type: Forbidden: must be empty to be structural"},
    };
    check_refused(cases, ARRAY_COUNT(cases));
    static const char *const taken[] = {
        "{\"x-kubernetes-int-or-string\":true,\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}",
        "{\"x-kubernetes-int-or-string\":true,\"allOf\":[{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]},{"
        "\"maximum\":3}]}",
        "{\"type\":\"string\",\"anyOf\":[{\"enum\":[\"a\"],\"description\":\"\"},{\"allOf\":[{\"not\":{\"pattern\":"
        "\"a\"}}]}]}",
    };
    check_taken(taken, ARRAY_COUNT(taken));
}

TEST(nested_schemas_speak_of_what_is_specified_only)
{
    static const struct refusal cases[] = {
        {"{\"type\":\"object\",\"anyOf\":[{\"properties\":{\"a\":{}}}]}",
         ".properties[a]: Required value: because it is defined in properties[x].anyOf[0].properties[a]"},
        {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"},\"not\":{\"properties\":{\"a\":{}}}}",
         ".properties[a]: Required value: because it is defined in properties[x].not.properties[a]"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"string\"}}}"
         "},\"allOf\":[{\"oneOf\":[{\"properties\":{\"a\":{\"properties\":{\"b\":{},\"c\":{}}}}}]}]}",
         ".properties[a].properties[c]: Required value: because it is defined in "
         "properties[x].allOf[0].oneOf[0].properties[a].properties[c]"},
        {"{\"type\":\"string\",\"anyOf\":[{\"items\":{}}]}",
         ".items: Required value: because it is defined in properties[x].anyOf[0].items"},
    };
    check_refused(cases, ARRAY_COUNT(cases));
    static const char *const taken[] = {
        "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}},\"anyOf\":[{"
        "\"items\":{\"properties\":{\"a\":{\"maxLength\":3}}}}]}",
        "{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,\"anyOf\":[{\"properties\":{\"kind\":{\"enum\":["
        "\"Pod\"]}}}]}",
        "{\"type\":\"object\",\"anyOf\":[{\"required\":[\"anything\"]}]}",
    };
    check_taken(taken, ARRAY_COUNT(taken));
}

TEST(defaults_fit_their_own_schema)
{
    static const struct refusal cases[] = {
        {"{\"type\":\"string\",\"default\":1}",
         ".default: Invalid value: \"integer\":  in body must be of type string: \"integer\""},
        {"{\"type\":\"string\",\"enum\":[\"a\"],\"default\":\"b\"}",
         ".default: Unsupported value: \"b\": supported values: \"a\""},
        {"{\"type\":\"string\",\"maxLength\":1,\"default\":\"ab\"}",
         ".default: Too long: may not be more than 1 byte"},
        {"{\"type\":\"string\",\"pattern\":\"^a\",\"default\":\"b\"}",
         ".default: Invalid value: \"b\":  in body should match '^a'"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"default\":{\"a\":\"b\"}}",
         ".default.a: Invalid value: \"string\": a in body must be of type integer: \"string\""},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"default\":{\"a\":1,\"b\":2}}",
         ".default: Invalid value: {\"a\":1,\"b\":2}: must not have unknown fields"},
        {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"integer\"}},\"default\":{}}",
         ".default.a: Required value"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"x-kubernetes-list-type\":\"set\",\"default\":[1,1]}",
         ".default[1]: Duplicate value: 1"},
        {"{\"type\":\"object\",\"anyOf\":[{\"required\":[\"a\"]}],\"default\":{}}",
         ".default: Invalid value: \"\": \"\" must validate at least one schema (anyOf)"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"default\":true}}}",
         ".properties[a].default: Invalid value: \"boolean\":  in body must be of type string: \"boolean\""},
        {"{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,\"default\":{\"kind\":\"Pod\"}}",
         ".default.apiVersion: Required value"},
    };
    check_refused(cases, ARRAY_COUNT(cases));
    static const char *const taken[] = {
        "{\"type\":\"string\",\"default\":null}",
        "{\"type\":\"string\",\"nullable\":true,\"enum\":[\"a\"],\"default\":\"a\"}",
        "{\"type\":\"integer\",\"default\":1.0}",
        "{\"x-kubernetes-int-or-string\":true,\"default\":\"25%\"}",
        "{\"x-kubernetes-preserve-unknown-fields\":true,\"default\":{\"a\":[1]}}",
        "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"default\":\"b\"},\"default\":[\"a\"]}",
    };
    check_taken(taken, ARRAY_COUNT(taken));
}

TEST(defaults_are_filled_in_in_the_form_they_would_be_written_in)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct err err = ERR_INIT;
    CHECK_EQ(
        load(
            &f,
            S("{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":"
              "\"integer\"},\"a\":{\"type\":\"integer\"}},\"default\":{\"b\":1,\"a\":2}},\"y\":{\"type\":"
              "\"string\",\"default\":null}}}"),
            &err),
        ERR_NONE);
    const struct schema_type *t = &f.s->types[f.s->kinds[0].type];
    struct json in = json_object(), tree;
    CHECK_OK(tree_normalise(&f.a, f.s, t, &in, NULL, &tree, &e));
    tree_defaults(&f.a, f.s, t, &tree);
    struct buf b;
    buf_init_arena(&b, &f.a, TEXT_MAX);
    json_print(&b, &tree, 0);
    CHECK_STR(buf_str(&b), "{\"metadata\":{},\"x\":{\"a\":2,\"b\":1}}");
}

/* CEL is somebody else's; here is where it is found. */
TEST(rules_in_cel_are_kept_as_text_with_their_value)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct err err = ERR_INIT;
    CHECK_EQ(
        load(
            &f,
            S("{\"type\":\"object\",\"x-kubernetes-validations\":[{\"rule\":\"true\"}],\"properties\":{\"x\":{"
              "\"type\":\"string\",\"x-kubernetes-validations\":[{\"rule\":\"self != 'a'\",\"message\":\"no\"}]"
              "}}}"),
            &err),
        ERR_NONE);
    const struct schema_type *t = &f.s->types[f.s->kinds[0].type];
    const struct schema_rules *x = schema_rules(f.s, schema_field_find(f.s, t, S("x")));
    CHECK_STR(schema_text(f.s, schema_extra(f.s, x)->validations),
              "[{\"rule\":\"self != 'a'\",\"message\":\"no\"}]");
    struct schema_node storage;
    struct schema_at root = schema_at_type(f.s, t, &storage);
    const struct schema_extra *whole = schema_extra(f.s, &f.s->rules[root.node->rules]);
    CHECK_STR(schema_text(f.s, whole->validations), "[{\"rule\":\"true\"}]");
}

TEST(equal_alternatives_and_expressions_are_stored_once)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct err err = ERR_INIT;
    struct buf b;
    buf_init_arena(&b, &f.a, TEXT_MAX);
    buf_add_lit(&b, "{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < 200; i++)
        buf_add_f(
            &b,
            "%s\"x%d\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"},"
            "\"b\":{\"x-kubernetes-int-or-string\":true,\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}"
            "},\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
            i ? "," : "", i);
    buf_add_lit(&b, "}}");
    CHECK_EQ(load(&f, buf_str(&b), &err), ERR_NONE);
    CHECK_EQ(f.s->type_count, 2);
    CHECK_LT(schema_load_size(f.s), 200 * 45 + 3000); /* a field with its name and its slots */
}

/* One part of a definition as people write them: three fifths of it explain, the rest are names, limits, patterns,
 * alternatives and rules, some of them as in other parts. */
static void add_part(struct buf *b, int i)
{
    static const char pattern[] = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    buf_add_f(
        b,
        "%s\"part%d\":{\"type\":\"object\",\"description\":\"Part %d tells where requests of its kind are sent to, "
        "and what happens to them when nobody is there to take them. When it is left out, the one of the "
        "listener counts; when that has none either, requests are answered with 404. Support: core. It may be "
        "changed at any time, and is looked at again for each request.\",\"required\":[\"name%d\"],"
        "\"properties\":{",
        i ? "," : "", i, i, i % 7);
    buf_add_f(
        b,
        "\"name%d\":{\"type\":\"string\",\"description\":\"Name of what is referred to, which must be in the "
        "namespace of the one that refers to it, unless a grant there allows others. What is not there, or may "
        "not be referred to, is reported in the conditions.\",\"minLength\":1,\"maxLength\":%d,\"pattern\":"
        "\"%s\"},",
        i % 7, 63 + i % 3, pattern);
    buf_add_f(
        b,
        "\"port%d\":{\"description\":\"Number or name of a port. Names are looked up in the service, whose own port "
        "may be another than that of its pods; numbers are taken as they are.\",\"x-kubernetes-int-or-string\":"
        "true,\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]},",
        i % 5);
    buf_add_f(
        b,
        "\"mode\":{\"type\":\"string\",\"description\":\"How it is done: Recreate, at once, so that nobody answers for a "
        "while; Rolling, one after the other; or Mode%d, which is left to the implementation.\",\"enum\":["
        "\"Recreate\",\"Rolling\",\"Mode%d\"],\"default\":\"Rolling\"},",
        i, i);
    buf_add_f(
        b,
        "\"weight%d\":{\"type\":\"integer\",\"format\":\"int32\",\"description\":\"Share of the requests that are "
        "sent here, of the sum of all weights; 0 takes none. It is not a percentage, and the sum may be "
        "anything. Left out, it is 1.\",\"minimum\":0,\"maximum\":%d},",
        i % 4, 1000 + i);
    buf_add_f(
        b,
        "\"labels\":{\"type\":\"object\",\"description\":\"Labels that are added to whatever is made for it, besides "
        "those that it has anyway. They do not select anything. Keys of the "
        "implementation's own domain are reserved, and those that are given here with such a key are left out.\","
        "\"additionalProperties\":{\"type\":\"string\","
        "\"maxLength\":63}},\"since\":{\"type\":\"string\",\"format\":\"date-time\",\"description\":\"When it was first "
        "seen to be as it is now: the time of the change, not that of the report, as far as "
        "whoever reports can tell them apart.\"}},");
    buf_add_f(
        b,
        "\"oneOf\":[{\"required\":[\"port%d\"]},{\"required\":[\"mode\"]}],\"x-kubernetes-validations\":[{\"rule\":"
        "\"!has(self.mode) || self.weight%d > 0\",\"message\":\"a mode needs a weight\"}]}",
        i % 5, i % 4);
}

TEST(a_definition_takes_a_third_of_its_text_when_it_is_loaded)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct err err = ERR_INIT;
    struct buf b;
    buf_init_arena(&b, &f.a, TEXT_MAX);
    buf_add_lit(&b, "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{");
    for (int i = 0; b.n < 50000; i++)
        add_part(&b, i);
    buf_add_lit(&b, "}}}}");
    CHECK_EQ(load(&f, buf_str(&b), &err), ERR_NONE);
    CHECK_LT(schema_load_size(f.s), b.n / 3);
}
