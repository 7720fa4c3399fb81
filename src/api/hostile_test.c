/* hostile_test.c - documents and schemas made to cost more than they should, or to end up outside of a table. */
#include "api/schema_load.h"
#include "api/tree.h"
#include "harness/test.h"
#include "wire/protobuf.h"

enum { MANY = 100000, TEXT_MAX = 64 << 20 };

struct fixture {
    struct arena a;
    struct buf text;
};

static void setup(struct fixture *f)
{
    arena_init(&f->a, 0);
    buf_init_arena(&f->text, &f->a, TEXT_MAX);
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static struct json parsed(struct fixture *f)
{
    struct json j;
    CHECK_OK(json_parse(&f->a, buf_str(&f->text), NULL, &j, &e));
    return j;
}

static struct schema *loaded(struct fixture *f, const char *openapi)
{
    struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Big")};
    struct json j;
    struct schema *s;
    CHECK_OK(json_parse(&f->a, str_from_c(openapi), NULL, &j, &e));
    CHECK_OK(schema_load(&j, &opts, &s, &e));
    return s;
}

/* An object of many members. */
static void add_members(struct fixture *f, const char *value)
{
    buf_add_c(&f->text, '{');
    for (int i = 0; i < MANY; i++)
        buf_add_f(&f->text, "%s\"key-%d\":%s", i ? "," : "", i, value);
    buf_add_c(&f->text, '}');
}

TEST_WITHIN(a_hundred_thousand_keys_cost_no_more_than_their_number, 5)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    const struct schema_type *t = schema_type_find(&schema_builtin, S("core/v1"), S("ConfigMap"));
    buf_add_lit(&f.text, "{\"metadata\":{\"name\":\"a\"},\"data\":");
    add_members(&f, "\"v\"");
    buf_add_lit(&f.text, "}");
    struct json in = parsed(&f), out, decoded;
    CHECK_OK(tree_normalise(&f.a, &schema_builtin, t, &in, NULL, &out, &e));
    struct buf message;
    buf_init_arena(&message, &f.a, TEXT_MAX);
    CHECK_OK(message_encode(&f.a, &schema_builtin, t, &out, &message, &e));
    CHECK_OK(message_decode(&f.a, &schema_builtin, t, buf_str(&message), &decoded, &e));
    CHECK_EQ(json_count(json_find(&decoded, S("data"))), MANY);
}

TEST_WITHIN(a_hundred_thousand_kept_members_cost_no_more_than_their_number, 5)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct schema *s = loaded(&f, "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\","
                                  "\"x-kubernetes-preserve-unknown-fields\":true,\"properties\":{\"a\":{"
                                  "\"type\":\"string\"}}}}}");
    buf_add_lit(&f.text, "{\"spec\":");
    add_members(&f, "1");
    buf_add_lit(&f.text, "}");
    struct json in = parsed(&f), out;
    CHECK_OK(tree_normalise(&f.a, s, &s->types[s->kinds[0].type], &in, NULL, &out, &e));
    CHECK_EQ(json_count(json_find(&out, S("spec"))), MANY);
    schema_unload(s);
}

TEST(a_schema_too_large_for_its_table_is_refused_at_every_size)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    buf_add_lit(&f.text, "{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < 20; i++)
        buf_add_f(
            &f.text,
            "%s\"property-%d\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
            "\"%040d\":{\"type\":\"string\",\"maxLength\":%d,\"pattern\":\"^a.{%d}\",\"default\":\"a default of some "
            "length\",\"anyOf\":[{\"format\":\"uuid\"},{\"minLength\":%d}]}}}}",
            i ? "," : "", i, i, 30 + i, 2 + i / 5, 1 + i);
    buf_add_lit(&f.text, "}}");
    struct json openapi = parsed(&f);
    size_t fits = 0;
    for (size_t size_max = 1; size_max < 40000; size_max += 67) {
        struct schema_load_opts opts = {
            .group = S("example.com"), .version = S("v1"), .kind = S("Big"), .size_max = size_max};
        struct schema *s;
        struct err err = ERR_INIT;
        err_code code = schema_load(&openapi, &opts, &s, &err);
        if (code == ERR_NONE) {
            fits++;
            CHECK_LE(schema_load_size(s), size_max);
            schema_unload(s);
        } else {
            CHECK_EQ(code, ERR_TOO_LARGE);
        }
    }
    CHECK_GT(fits, 0);
}

TEST(what_protobuf_holds_nests_no_deeper_than_json_can_be_read_back)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct buf inner, outer;
    buf_init_arena(&inner, &f.a, TEXT_MAX);
    const struct schema_type *t = schema_type_find(&schema_builtin, S("apiextensions/v1"),
                                                   S("JSONSchemaProps"));
    /* default: [[[...]]] behind 50 levels of `not`. */
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_c(&f.text, '[');
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_c(&f.text, ']');
    const struct schema_field *def = schema_field_find(&schema_builtin, t, S("default"));
    const struct schema_field *not = schema_field_find(&schema_builtin, t, S("not"));
    size_t at = pb_begin(&inner, def->number);
    pb_add_bytes(&inner, 1, buf_str(&f.text));
    pb_end(&inner, at);
    for (int i = 0; i < 50; i++) {
        buf_init_arena(&outer, &f.a, TEXT_MAX);
        pb_add_bytes(&outer, not ->number, buf_str(&inner));
        inner = outer;
    }
    struct json tree;
    CHECK_ERR(TOO_LARGE, "nested deeper than 128 levels",
              message_decode(&f.a, &schema_builtin, t, buf_str(&inner), &tree, &e));
}
