#include "api/schema_load.h"
#include "api/tree.h"
#include "base/mem.h"
#include "harness/test.h"

enum { TEXT_MAX = 1 << 24 };

struct fixture {
    struct arena a;
    struct schema *s;
    const struct schema_type *t;
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

static struct json parsed(struct fixture *f, str text)
{
    struct json j;
    CHECK_OK(json_parse(&f->a, text, NULL, &j, &e));
    return j;
}

static const struct schema_load_opts opts = {
    .group = S_INIT("example.com"), .version = S_INIT("v1"), .kind = S_INIT("Case")};

static void load(struct fixture *f, str openapi)
{
    struct json j = parsed(f, openapi);
    CHECK_OK(schema_load(&j, &opts, &f->s, &e));
    f->t = &f->s->types[f->s->kinds[0].type];
}

/* What is wrong with a document, as one line; empty: nothing. */
static str wrong_with(struct fixture *f, str text)
{
    struct json in = parsed(f, text), tree;
    struct field_errors errors;
    struct buf b;
    CHECK_OK(tree_normalise(&f->a, f->s, f->t, &in, NULL, &tree, &e));
    tree_defaults(&f->a, f->s, f->t, &tree);
    field_errors_init(&errors, &f->a);
    tree_validate(f->s, f->t, &tree, &errors);
    buf_init_arena(&b, &f->a, TEXT_MAX);
    for (size_t i = 0; i < errors.count; i++)
        buf_add_f(&b, "%s%" STR_FMT ": %" STR_FMT, i ? "\n" : "", STR_ARG(errors.items[i].path),
                  STR_ARG(errors.items[i].message));
    return buf_str(&b);
}

struct validation {
    const char *schema; /* of spec.x */
    const char *value;  /* NULL: spec is empty */
    const char *want;   /* lines */
};

static void check_all(const struct validation *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        load(&f,
             str_format(&f.a,
                        "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{"
                        "\"x\":%s}}}}",
                        cases[i].schema));
        str text = cases[i].value ? str_format(&f.a, "{\"spec\":{\"x\":%s}}", cases[i].value)
                                  : S("{\"spec\":{}}");
        str got = wrong_with(&f, text);
        if (!str_eq(got, str_from_c(cases[i].want)))
            FAIL("%s on %s:\n got  %.*s\n want %s", cases[i].schema, cases[i].value, STR_ARG(got),
                 cases[i].want);
    }
}

#define CHECK_ALL(cases)  check_all((cases), ARRAY_COUNT(cases))
/* Messages: a value that is wrong, and of a wrong type. */
#define BAD(value, text)  "spec.x: Invalid value: " value ": spec.x in body " text
#define TYPE(wanted, got) BAD("\"" got "\"", "must be of type " wanted ": \"" got "\"")
#define NOWHERE(text)     "<nil>: Invalid value: \"\": " text

TEST(custom_values_of_the_wrong_type_are_named)
{
    static const struct validation cases[] = {
        {"{\"type\":\"integer\"}", "\"a\"", TYPE("integer", "string")},
        {"{\"type\":\"integer\"}", "true", TYPE("integer", "boolean")},
        {"{\"type\":\"integer\"}", "1.5", TYPE("integer", "number")},
        {"{\"type\":\"integer\"}", "1.0", ""},
        {"{\"type\":\"integer\"}", "-3", ""},
        {"{\"type\":\"number\"}", "1", ""},
        {"{\"type\":\"number\"}", "1.5", ""},
        {"{\"type\":\"number\"}", "\"1\"", TYPE("number", "string")},
        {"{\"type\":\"string\"}", "1", TYPE("string", "integer")},
        {"{\"type\":\"string\"}", "[]", TYPE("string", "array")},
        {"{\"type\":\"string\"}", "{}", TYPE("string", "object")},
        {"{\"type\":\"boolean\"}", "\"true\"", TYPE("boolean", "string")},
        {"{\"type\":\"boolean\"}", "false", ""},
        {"{\"type\":\"object\"}", "\"a\"", TYPE("object", "string")},
        {"{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}", "[1]",
         TYPE("object", "array")},
        {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "1",
         TYPE("object", "integer")},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "{}", TYPE("array", "object")},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[\"a\",1]",
         "spec.x[1]: Invalid value: \"integer\": spec.x[1] in body must be of type string: \"integer\""},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[null]",
         "spec.x[0]: Invalid value: \"null\": spec.x[0] in body must be of type string: \"null\""},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"nullable\":true}}", "[null]", ""},
        {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}", "{\"a.b\":\"c\"}",
         "spec.x.a.b: Invalid value: \"string\": spec.x.a.b in body must be of type integer: \"string\""},
        {"{\"x-kubernetes-int-or-string\":true}", "true", TYPE("integer,string", "boolean")},
        {"{\"x-kubernetes-int-or-string\":true}", "\"50%\"", ""},
        {"{\"x-kubernetes-int-or-string\":true}", "7", ""},
        {"{\"x-kubernetes-int-or-string\":true,\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}",
         "7", ""},
        {"{\"x-kubernetes-int-or-string\":true,\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}",
         "true",
         TYPE("integer,string", "boolean") "\n" NOWHERE(
             "\"spec.x\" must validate at least one schema (anyOf)") "\n" TYPE("integer", "boolean")},
        {"{\"x-kubernetes-preserve-unknown-fields\":true}", "true", ""},
        {"{\"type\":\"string\",\"nullable\":true}", "null", ""},
        {"{\"type\":\"string\"}", "null", ""}, /* dropped */
    };
    CHECK_ALL(cases);
}

TEST(custom_values_of_the_wrong_type_are_named_by_format_where_one_is_stated)
{
    static const struct validation cases[] = {
        {"{\"type\":\"integer\",\"format\":\"int32\"}", "true", BAD("\"\"", "must be of type int32: \"\"")},
        {"{\"type\":\"integer\",\"format\":\"int64\"}", "1.5",
         BAD("\"float64\"", "must be of type int64: \"float64\"") "\n" NOWHERE(
             "Checked value must be of type integer with format int64 in spec.x")},
        {"{\"type\":\"integer\",\"format\":\"int32\"}", "\"a\"", TYPE("integer", "string")},
        {"{\"type\":\"string\",\"format\":\"date-time\"}", "5",
         BAD("\"int64\"", "must be of type date-time: \"int64\"")},
        {"{\"type\":\"string\",\"format\":\"nothing-known\"}", "5", TYPE("string", "integer")},
        {"{\"type\":\"string\",\"format\":\"nothing-known\"}", "\"a\"", ""},
    };
    CHECK_ALL(cases);
}

TEST(custom_text_is_measured_in_characters)
{
    static const struct validation cases[] = {
        {"{\"type\":\"string\",\"maxLength\":3}", "\"abcd\"",
         "spec.x: Too long: may not be more than 3 bytes"},
        {"{\"type\":\"string\",\"maxLength\":1}", "\"ab\"", "spec.x: Too long: may not be more than 1 byte"},
        {"{\"type\":\"string\",\"maxLength\":3}", "\"\xc3\xa9\xc3\xa9\xc3\xa9\"", ""},
        {"{\"type\":\"string\",\"maxLength\":0}", "\"a\"", "spec.x: Too long: may not be more than 0 bytes"},
        {"{\"type\":\"string\",\"minLength\":2}", "\"a\"", BAD("\"a\"", "should be at least 2 chars long")},
        {"{\"type\":\"string\",\"minLength\":2}", "\"\xc3\xa9\"",
         BAD("\"\xc3\xa9\"", "should be at least 2 chars long")},
        {"{\"type\":\"string\",\"minLength\":1}", "\"\"", BAD("\"\"", "should be at least 1 chars long")},
        {"{\"type\":\"string\",\"minLength\":2,\"pattern\":\"^b\"}", "\"a\"",
         BAD("\"a\"", "should be at least 2 chars long")},
    };
    CHECK_ALL(cases);
}

TEST(custom_text_matches_its_pattern_somewhere)
{
    static const struct validation cases[] = {
        {"{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}", "\"abc\"", ""},
        {"{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}", "\"a1\"",
         BAD("\"a1\"", "should match '^[a-z]+$'")},
        {"{\"type\":\"string\",\"pattern\":\"b\"}", "\"abc\"", ""},
        {"{\"type\":\"string\",\"pattern\":\"^(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"",
         BAD("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", "should match '^(a+)+$'")},
        {"{\"type\":\"string\",\"pattern\":\"^\\\\d+$\"}", "\"\\n\"",
         BAD("\"\\n\"", "should match '^\\d+$'")},
        {"{\"type\":\"integer\",\"pattern\":\"^1$\"}", "2", ""},
    };
    CHECK_ALL(cases);
}

TEST(custom_numbers_stay_within_their_bounds)
{
    static const struct validation cases[] = {
        {"{\"type\":\"integer\",\"minimum\":1}", "1", ""},
        {"{\"type\":\"integer\",\"minimum\":1}", "0", BAD("0", "should be greater than or equal to 1")},
        {"{\"type\":\"integer\",\"minimum\":1,\"exclusiveMinimum\":true}", "1",
         BAD("1", "should be greater than 1")},
        {"{\"type\":\"integer\",\"maximum\":5}", "6", BAD("6", "should be less than or equal to 5")},
        {"{\"type\":\"integer\",\"maximum\":5,\"exclusiveMaximum\":true}", "5",
         BAD("5", "should be less than 5")},
        {"{\"type\":\"integer\",\"maximum\":5,\"exclusiveMaximum\":true}", "4", ""},
        {"{\"type\":\"number\",\"minimum\":0.5}", "0.25",
         BAD("0.25", "should be greater than or equal to 0.5")},
        {"{\"type\":\"number\",\"minimum\":0.5}", "0", ""}, /* an integer is compared with 0 */
        {"{\"type\":\"number\",\"maximum\":1000000}", "1000000.5",
         BAD("1.0000005e+06", "should be less than or equal to 1e+06")},
        {"{\"type\":\"number\",\"maximum\":0.00001}", "0.5",
         BAD("0.5", "should be less than or equal to 1e-05")},
        {"{\"type\":\"number\",\"maximum\":1.5,\"exclusiveMaximum\":true}", "1.5",
         BAD("1.5", "should be less than 1.5")},
        {"{\"type\":\"integer\",\"multipleOf\":5}", "12", BAD("12", "should be a multiple of 5")},
        {"{\"type\":\"integer\",\"multipleOf\":5}", "-10", ""},
        {"{\"type\":\"number\",\"multipleOf\":0.1}", "0.35", BAD("0.35", "should be a multiple of 0.1")},
        {"{\"type\":\"number\",\"multipleOf\":0.1}", "0.3", ""},
        {"{\"type\":\"integer\",\"minimum\":5,\"multipleOf\":2}", "3",
         BAD("3", "should be a multiple of 2") "\n" BAD("3", "should be greater than or equal to 5")},
        {"{\"type\":\"integer\",\"format\":\"int32\"}", "3000000000",
         NOWHERE("Checked value must be of type integer with format int32 in spec.x")},
        {"{\"type\":\"integer\",\"format\":\"int32\",\"maximum\":4294967295}", "5000000000",
         NOWHERE("Checked value must be of type integer with format int32 in spec.x") "\n" NOWHERE(
             "Maximum boundary value must be of type integer with format int32 in spec.x") "\n" BAD("5e+09",
                                                                                                    "should be less than or equal to 4.294967295e+09")},
        {"{\"type\":\"integer\",\"format\":\"int64\"}", "9223372036854775807", ""},
        {"{\"type\":\"integer\"}", "9223372036854775807", ""},
        {"{\"type\":\"number\",\"format\":\"float\"}", "1e39",
         NOWHERE("Checked value must be of type number with format float in spec.x")},
        {"{\"type\":\"number\",\"format\":\"double\"}", "1e39", ""},
        {"{\"type\":\"string\",\"minimum\":5}", "\"a\"", ""},
    };
    CHECK_ALL(cases);
}

TEST(custom_lists_and_objects_are_counted)
{
    static const struct validation cases[] = {
        {"{\"type\":\"array\",\"minItems\":2,\"items\":{\"type\":\"integer\"}}", "[1]",
         BAD("1", "should have at least 2 items")},
        {"{\"type\":\"array\",\"maxItems\":1,\"items\":{\"type\":\"integer\"}}", "[1,2]",
         "spec.x: Too many: 2: must have at most 1 item"},
        {"{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"integer\"}}", "[1,2,3]",
         "spec.x: Too many: 3: must have at most 2 items"},
        {"{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"integer\"}}", "[]",
         BAD("0", "should have at least 1 items")},
        {"{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"type\":\"integer\"}}", "[1,2,1]",
         BAD("\"\"", "shouldn't contain duplicates")},
        {"{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"type\":\"number\"}}", "[1,2,1.0]", ""},
        {"{\"type\":\"object\",\"minProperties\":2,\"additionalProperties\":{\"type\":\"integer\"}}",
         "{\"a\":1}", BAD("1", "should have at least 2 properties")},
        {"{\"type\":\"object\",\"maxProperties\":1,\"additionalProperties\":{\"type\":\"integer\"}}",
         "{\"a\":1,\"b\":2}", "spec.x: Too many: 2: must have at most 1 item"},
        {"{\"type\":\"object\",\"minProperties\":1,\"properties\":{\"a\":{\"type\":\"integer\"}}}",
         "{\"b\":1}", BAD("0", "should have at least 1 properties")},
        {"{\"x-kubernetes-preserve-unknown-fields\":true,\"minItems\":1,\"minProperties\":2}", "[]",
         BAD("0", "should have at least 1 items")},
        {"{\"x-kubernetes-preserve-unknown-fields\":true,\"minItems\":1,\"minProperties\":2}", "{\"a\":1}",
         BAD("1", "should have at least 2 properties")},
    };
    CHECK_ALL(cases);
}

TEST(custom_fields_that_are_required_must_be_there_and_may_be_empty)
{
    static const struct validation cases[] = {
        {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\"}}}", "{}",
         "spec.x.a: Required value"},
        {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\"}}}",
         "{\"a\":\"\"}", ""},
        {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\"}}}", NULL, ""},
        {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\",\"nullable\":true}}}",
         "{\"a\":null}", ""},
        {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\"}}}",
         "{\"a\":null}", "spec.x.a: Required value"},
        {"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\",\"default\":\"b\"}}}",
         "{}", ""},
        {"{\"type\":\"object\",\"required\":[\"b\",\"a\",\"c\"],\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{"
         "\"type\":\"string\"},\"c\":{\"type\":\"string\"}}}",
         "{\"c\":\"\"}", "spec.x.b: Required value\nspec.x.a: Required value"},
        {"{\"type\":\"object\",\"required\":[\"a\",\"b\"],\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{"
         "\"type\":\"string\"}}}",
         "{}", "spec.x.a: Required value\nspec.x.b: Required value"},
        {"{\"type\":\"object\",\"required\":[\"z\"],\"properties\":{\"a\":{\"type\":\"string\"}}}",
         "{\"z\":1}", "spec.x.z: Required value"}, /* pruned */
        {"{\"type\":\"object\",\"required\":[\"z\"],\"additionalProperties\":{\"type\":\"string\"}}",
         "{\"a\":\"b\"}", "spec.x.z: Required value"},
        {"{\"type\":\"object\",\"required\":[\"z\"],\"x-kubernetes-preserve-unknown-fields\":true}",
         "{\"z\":0}", ""},
    };
    CHECK_ALL(cases);
}

TEST(custom_values_are_one_of_their_enum)
{
    static const struct validation cases[] = {
        {"{\"type\":\"string\",\"enum\":[\"b\",\"a\"]}", "\"a\"", ""},
        {"{\"type\":\"string\",\"enum\":[\"b\",\"a\"]}", "\"c\"",
         "spec.x: Unsupported value: \"c\": supported values: \"b\", \"a\""},
        {"{\"type\":\"string\",\"enum\":[\"\\u00e9\",\"\\\"\"]}", "\"\\\"\"", ""},
        {"{\"type\":\"integer\",\"enum\":[1,2]}", "2", ""},
        {"{\"type\":\"integer\",\"enum\":[1,2]}", "3",
         "spec.x: Unsupported value: 3: supported values: \"1\", \"2\""},
        {"{\"type\":\"number\",\"enum\":[1.0,2.5]}", "1", ""},
        {"{\"type\":\"number\",\"enum\":[2]}", "2.5", ""}, /* as Go converts */
        {"{\"type\":\"boolean\",\"enum\":[true]}", "false",
         "spec.x: Unsupported value: false: supported values: \"true\""},
        {"{\"type\":\"string\",\"nullable\":true,\"enum\":[\"a\",null]}", "null",
         "spec.x: Unsupported value: null: supported values: \"a\", \"null\""},
        {"{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,\"enum\":[{\"a\":[1]},{}]}",
         "{\"a\":[1]}", ""},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"a\"]}}", "[\"a\",\"b\"]",
         "spec.x[1]: Unsupported value: \"b\": supported values: \"a\""},
    };
    CHECK_ALL(cases);
}

TEST(custom_text_has_its_format)
{
    static const struct validation cases[] = {
        {"{\"type\":\"string\",\"format\":\"date-time\"}", "\"2024-02-30T00:00:00Z\"",
         BAD("\"2024-02-30T00:00:00Z\"", "must be of type date-time: \"2024-02-30T00:00:00Z\"")},
        {"{\"type\":\"string\",\"format\":\"datetime\"}", "\"2024-02-29t23:59:59.5+01:00\"", ""},
        {"{\"type\":\"string\",\"format\":\"uuid\"}", "\"x\"", BAD("\"x\"", "must be of type uuid: \"x\"")},
        {"{\"type\":\"string\",\"format\":\"byte\"}", "\"\"", BAD("\"\"", "must be of type byte: \"\"")},
        {"{\"type\":\"string\",\"format\":\"ipv4\",\"maxLength\":3}", "\"1.2.3\"",
         "spec.x: Too long: may not be more than 3 bytes\n" BAD("\"1.2.3\"",
                                                                "must be of type ipv4: \"1.2.3\"")},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"cidr\"}}", "[\"10.0.0.0/8\",\"a\"]",
         "spec.x[1]: Invalid value: \"a\": spec.x[1] in body must be of type cidr: \"a\""},
    };
    CHECK_ALL(cases);
}

#define OBJECT_AB \
    "\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}"

TEST(custom_values_fit_their_alternatives)
{
    static const struct validation cases[] = {
        {"{" OBJECT_AB ",\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":\"\"}", ""},
        {"{" OBJECT_AB ",\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}",
         NOWHERE(
             "\"spec.x\" must validate one and only one schema (oneOf). Found none valid") "\n"
                                                                                           "spec.x.a: Required value"},
        {"{" OBJECT_AB ",\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
         "{\"a\":\"\",\"b\":\"\"}",
         NOWHERE("\"spec.x\" must validate one and only one schema (oneOf). Found 2 valid alternatives")},
        {"{" OBJECT_AB ",\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
         "{\"a\":\"\",\"b\":\"\"}", ""},
        {"{" OBJECT_AB ",\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}",
         NOWHERE("\"spec.x\" must validate at least one schema (anyOf)") "\nspec.x.a: Required value"},
        {"{" OBJECT_AB ",\"not\":{\"required\":[\"a\",\"b\"]}}", "{\"a\":\"\",\"b\":\"\"}",
         NOWHERE("\"spec.x\" must not validate the schema (not)")},
        {"{" OBJECT_AB ",\"not\":{\"required\":[\"a\",\"b\"]}}", "{\"a\":\"\"}", ""},
        {"{" OBJECT_AB ",\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":\"\"}",
         "spec.x.b: Required value\n" NOWHERE("\"spec.x\" must validate all the schemas (allOf)")},
        {"{" OBJECT_AB ",\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}",
         "spec.x.a: Required value\nspec.x.b: Required value\n" NOWHERE(
             "\"spec.x\" must validate all the schemas (allOf). None validated")},
        {"{\"type\":\"string\",\"anyOf\":[{\"pattern\":\"^a\"},{\"maxLength\":1}]}", "\"bb\"",
         NOWHERE("\"spec.x\" must validate at least one schema (anyOf)") "\n" BAD("\"bb\"",
                                                                                  "should match '^a'")},
        {"{\"type\":\"string\",\"not\":{\"enum\":[\"a\"]}}", "\"a\"",
         NOWHERE("\"spec.x\" must not validate the schema (not)")},
        {"{\"type\":\"integer\",\"oneOf\":[{\"minimum\":5},{\"maximum\":3},{\"not\":{\"minimum\":0}}]}", "-1",
         NOWHERE("\"spec.x\" must validate one and only one schema (oneOf). Found 2 valid alternatives")},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"anyOf\":[{\"items\":{\"enum\":[\"a\"]}},{"
         "\"maxItems\":1}]}",
         "[\"b\",\"a\"]",
         NOWHERE(
             "\"spec.x\" must validate at least one schema (anyOf)") "\n"
                                                                     "spec.x[0]: Unsupported value: \"b\": supported values: \"a\""},
    };
    CHECK_ALL(cases);
}

/* The one with the most matches is told, the first of those with equally many. */
TEST(custom_alternatives_that_come_closest_are_told)
{
    static const struct validation cases[] = {
        {"{" OBJECT_AB ",\"anyOf\":[{\"required\":[\"b\"]},{\"properties\":{\"a\":{\"enum\":[\"1\"]}}}]}",
         "{\"a\":\"2\"}",
         NOWHERE(
             "\"spec.x\" must validate at least one schema (anyOf)") "\n"
                                                                     "spec.x.a: Unsupported value: \"2\": supported values: \"1\""},
        {"{" OBJECT_AB
         ",\"anyOf\":[{\"properties\":{\"a\":{\"enum\":[\"1\"]}}},{\"properties\":{\"a\":{\"enum\":["
         "\"3\"]},\"b\":{\"enum\":[\"2\"]}}},{\"properties\":{\"a\":{\"enum\":[\"4\"]},\"b\":{\"enum\":[\"2\"]}}}]}",
         "{\"a\":\"2\",\"b\":\"2\"}",
         NOWHERE(
             "\"spec.x\" must validate at least one schema (anyOf)") "\n"
                                                                     "spec.x.a: Unsupported value: \"2\": supported values: \"3\""},
        /* A member that was looked at counts, even when nothing is asked of it. */
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}},\"anyOf\":[{\"required\":[\"y\"]},{"
         "\"required\":[\"z\"],\"properties\":{\"a\":{}}}]}",
         "{\"a\":true}",
         NOWHERE("\"spec.x\" must validate at least one schema (anyOf)") "\nspec.x.z: Required value"},
        /* The same thing said twice is told once. */
        {"{\"type\":\"string\",\"allOf\":[{\"pattern\":\"^a\"},{\"pattern\":\"^a\"}]}", "\"b\"",
         BAD("\"b\"", "should match '^a'") "\n" NOWHERE(
             "\"spec.x\" must validate all the schemas (allOf). None validated")},
        {"{" OBJECT_AB ",\"anyOf\":[{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}]}", "{}",
         NOWHERE("\"spec.x\" must validate at least one schema (anyOf)") "\n" NOWHERE(
             "\"spec.x\" must validate one and only one schema (oneOf). Found none valid") "\n"
                                                                                           "spec.x.a: Required value"},
    };
    CHECK_ALL(cases);
}

#define MAP_LIST                                                                                              \
    "{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"k\",\"p\"],"    \
    "\"items\":{\"type\":\"object\",\"required\":[\"k\"],\"properties\":{\"k\":{\"type\":\"string\"},\"p\":{" \
    "\"type\":\"integer\"},\"v\":{\"type\":\"string\"}}}}"
#define SET_LIST "{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"string\"}}"

TEST(custom_lists_that_are_sets_or_maps_have_no_duplicates)
{
    static const struct validation cases[] = {
        {SET_LIST, "[\"a\",\"b\"]", ""},
        {SET_LIST, "[\"a\",\"b\",\"a\",\"b\",\"a\"]",
         "spec.x[2]: Duplicate value: \"a\"\nspec.x[3]: Duplicate value: \"b\""},
        {SET_LIST,
         "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\","
         "\"17\",\"3\",\"1\",\"1\"]",
         "spec.x[17]: Duplicate value: \"3\"\nspec.x[18]: Duplicate value: \"1\""},
        {MAP_LIST, "[{\"k\":\"a\",\"p\":1},{\"k\":\"a\",\"p\":2},{\"k\":\"a\"}]", ""},
        {MAP_LIST, "[{\"k\":\"a\",\"p\":1,\"v\":\"x\"},{\"k\":\"a\",\"p\":1,\"v\":\"y\"}]",
         "spec.x[1]: Duplicate value: {\"k\":\"a\",\"p\":1}"},
        {MAP_LIST, "[{\"k\":\"a\"},{\"k\":\"a\"}]", "spec.x[1]: Duplicate value: {\"k\":\"a\"}"},
        {MAP_LIST, "[1]",
         "spec.x[0]: Invalid value: \"integer\": spec.x[0] in body must be of type object: \"integer\"\n"
         "spec.x[0]: Invalid value: 1: must be an object for an array of list-type map"},
        {"{\"type\":\"object\",\"additionalProperties\":" SET_LIST "}", "{\"m\":[\"a\",\"a\"]}",
         "spec.x[m][1]: Duplicate value: \"a\""},
        {"{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"object\","
         "\"x-kubernetes-map-type\":\"atomic\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":"
         "\"integer\"}}}}",
         "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1},{\"a\":1}]", "spec.x[1]: Duplicate value: {\"a\":1,\"b\":2}"},
    };
    CHECK_ALL(cases);
}

#define EMBEDDED \
    "{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,\"x-kubernetes-preserve-unknown-fields\":true}"

TEST(custom_objects_inside_say_what_they_are)
{
    static const struct validation cases[] = {
        {EMBEDDED, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", ""},
        {EMBEDDED, "{}", "spec.x.apiVersion: Required value\nspec.x.kind: Required value"},
        {EMBEDDED, "{\"apiVersion\":\"\",\"kind\":7}",
         "spec.x.apiVersion: Invalid value: \"\": must not be empty\nspec.x.kind: Invalid value: 7: must be a string"},
        {EMBEDDED, "{\"apiVersion\":\"a/b/c\",\"kind\":\"Pod\"}",
         "spec.x.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c"},
        {EMBEDDED, "{\"apiVersion\":\"v1\",\"kind\":\"Pod!\"}",
         "spec.x.kind: Invalid value: \"Pod!\": may have mixed case, but should otherwise match: a DNS-1035 label "
         "must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
         "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
         "'[a-z]([-a-z0-9]*[a-z0-9])?')"},
        {EMBEDDED, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"..\"}}",
         "spec.x.metadata.name: Invalid value: \"..\": may not be '..'"},
    };
    CHECK_ALL(cases);
}

struct whole {
    const char *schema, *document, *want;
};

static void check_whole(const struct whole *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        load(&f, str_from_c(cases[i].schema));
        str got = wrong_with(&f, str_from_c(cases[i].document));
        if (!str_eq(got, str_from_c(cases[i].want)))
            FAIL("%s on %s:\n got  %.*s\n want %s", cases[i].schema, cases[i].document, STR_ARG(got),
                 cases[i].want);
    }
}

TEST(custom_rules_of_the_whole_document_hold)
{
    static const struct whole cases[] = {
        {"{\"type\":\"object\",\"required\":[\"spec\"],\"properties\":{\"spec\":{\"type\":\"object\"}}}",
         "{}", "spec: Required value"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}},\"oneOf\":[{"
         "\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
         "{}",
         NOWHERE(
             "\"\" must validate one and only one schema (oneOf). Found none valid") "\na: Required value"},
        {"{\"type\":\"object\",\"properties\":{\"metadata\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"
         "\"string\",\"maxLength\":3}}}}}",
         "{\"metadata\":{\"name\":\"long\"}}", "metadata.name: Too long: may not be more than 3 bytes"},
        {"{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\",\"enum\":[\"Other\"]}}}",
         "{\"kind\":\"Case\"}", "kind: Unsupported value: \"Case\": supported values: \"Other\""},
        {"{\"type\":\"object\",\"minProperties\":3}", "{\"kind\":\"Case\"}",
         "<nil>: Invalid value: 2:  in body should have at least 3 properties"},
    };
    check_whole(cases, ARRAY_COUNT(cases));
}

TEST(custom_errors_are_told_once_and_not_without_end)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    load(
        &f,
        S("{\"type\":\"object\",\"properties\":{\"l\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}}"));
    struct buf b;
    buf_init_arena(&b, &f.a, TEXT_MAX);
    buf_add_lit(&b, "{\"l\":[\"a\"");
    for (int i = 0; i < 5000; i++)
        buf_add_lit(&b, ",\"a\"");
    buf_add_lit(&b, "]}");
    struct json in = parsed(&f, buf_str(&b)), tree;
    struct field_errors errors;
    CHECK_OK(tree_normalise(&f.a, f.s, f.t, &in, NULL, &tree, &e));
    field_errors_init(&errors, &f.a);
    tree_validate(f.s, f.t, &tree, &errors);
    CHECK_EQ(errors.count, FIELD_ERRORS_MAX);
    CHECK_EQ(errors.lost, 5001 - FIELD_ERRORS_MAX);
}

/* --- cost --- */

TEST(a_valid_custom_resource_is_validated_without_asking_for_memory)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    load(
        &f,
        S("{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"required\":[\"name\"],"
          "\"properties\":{\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\",\"maxLength\":9},\"mode\":{"
          "\"type\":\"string\",\"enum\":[\"A\",\"B\"]},\"port\":{\"x-kubernetes-int-or-string\":true,\"anyOf\":[{"
          "\"type\":\"integer\"},{\"type\":\"string\"}]},\"set\":" SET_LIST "},\"oneOf\":[{\"required\":["
          "\"name\"]},{\"required\":[\"other\"]}]}}}"));
    struct json in = parsed(
                    &f,
                    S("{\"kind\":\"Case\",\"apiVersion\":\"example.com/v1\",\"metadata\":{\"name\":\"a\"},"
                      "\"spec\":{\"name\":\"abc\",\"mode\":\"B\",\"port\":80,\"set\":[\"a\",\"b\"]}}")),
                tree;
    CHECK_OK(tree_normalise(&f.a, f.s, f.t, &in, NULL, &tree, &e));
    struct field_errors errors;
    field_errors_init(&errors, &f.a);
    size_t used = f.a.used;
    tree_validate(f.s, f.t, &tree, &errors);
    CHECK_EQ(errors.count, 0);
    CHECK_EQ(f.a.used, used);
}

/* 20,000 fields, all required but none given: neither validation nor defaults look at each member for each field. */
TEST_WITHIN(custom_types_with_many_fields_cost_no_more_than_their_number, 5)
{
    enum { MANY = 15000 };
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct buf schema, document;
    buf_init_arena(&schema, &f.a, TEXT_MAX);
    buf_init_arena(&document, &f.a, TEXT_MAX);
    buf_add_lit(&schema, "{\"type\":\"object\",\"required\":[\"spec\"");
    buf_add_lit(&schema, "],\"properties\":{\"spec\":{\"type\":\"object\",\"required\":[\"k0\"");
    for (int i = 1; i < MANY; i++)
        buf_add_f(&schema, ",\"k%d\"", i);
    buf_add_lit(&schema, "],\"properties\":{");
    buf_add_lit(&document, "{\"spec\":{");
    for (int i = 0; i < MANY; i++) {
        buf_add_f(&schema, "%s\"k%d\":{\"type\":\"integer\",\"default\":1}", i ? "," : "", i);
        buf_add_f(&document, "%s\"k%d\":2", i ? "," : "", i);
    }
    buf_add_lit(&schema, "}}}}");
    buf_add_lit(&document, "}}");
    load(&f, buf_str(&schema));
    CHECK_STR(wrong_with(&f, buf_str(&document)), "");
    CHECK_STR(wrong_with(&f, S("{\"spec\":{}}")), "");
    CHECK_STR(wrong_with(&f, S("{}")), "spec: Required value");
}

/* Alternatives in alternatives multiply; expressions can be made to be slow: there is an end to it. */
TEST(custom_resources_that_take_too_long_are_refused)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct buf schema, document;
    buf_init_arena(&schema, &f.a, TEXT_MAX);
    buf_init_arena(&document, &f.a, TEXT_MAX);
    buf_add_lit(&schema,
                "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"array\",\"items\":{\"type\":"
                "\"string\",\"anyOf\":[{\"pattern\":\"0(.*\\\\b.*){99}x\"}");
    for (int i = 0; i < 2000; i++)
        buf_add_f(&schema, ",{\"pattern\":\"(.*\\\\b.*){99}x%d\"}", i);
    buf_add_lit(&schema, "]}}}}");
    buf_add_lit(&document, "{\"spec\":[\"\"");
    for (int i = 0; i < 300; i++)
        buf_add_f(&document,
                  ",\"aaaaaaaaaa aaaaaaaaaaaaa aaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaa aaaaaaaaaaaa %d\"", i);
    buf_add_lit(&document, "]}");
    struct json openapi = parsed(&f, buf_str(&schema));
    struct schema_load_opts wide = opts;
    wide.size_max = 64 << 20;
    CHECK_OK(schema_load(&openapi, &wide, &f.s, &e));
    f.t = &f.s->types[f.s->kinds[0].type];
    CHECK_CONTAINS(wrong_with(&f, buf_str(&document)),
                   "Internal error: the object takes too long to validate");
}
