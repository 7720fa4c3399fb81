/* openapi_protobuf_test.c - the two forms of v2 say the same. */
#include "api/catalog_testing.h"
#include "api/discovery.h"
#include "api/openapi_decode_test.h"
#include "api/openapi_priv.h"
#include "harness/test.h"

static void check_forms_agree(const struct catalog *c)
{
    CLEANUP(arena_done) struct arena a;
    CLEANUP(buf_done) struct buf text, bytes;
    struct json tree, decoded;
    arena_init(&a, 0);
    buf_init(&text, 64 << 20);
    buf_init(&bytes, 64 << 20);
    openapi_v2(&text, c);
    openapi_v2_protobuf(&bytes, c);
    CHECK(!text.failed && !bytes.failed);
    CHECK_OK(json_parse(&a, buf_str(&text), NULL, &tree, &e));
    decoded = openapi_decode(&a, buf_str(&bytes));
    CHECK_EQ(json_count(json_find(&decoded, S("definitions"))),
             json_count(json_find(&tree, S("definitions"))));
    CHECK_EQ(json_count(json_find(&decoded, S("paths"))), json_count(json_find(&tree, S("paths"))));
    CHECK(json_equal(&tree, &decoded));
}

TEST(openapi_v2_is_the_same_in_protobuf)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    check_forms_agree(c);
}

TEST(openapi_v2_is_the_same_in_protobuf_with_custom_kinds)
{
    struct custom_kind custom = custom_widget(S("v1"));
    custom.kind.openapi = S(
        "{\"type\":\"object\",\"title\":\"W\",\"externalDocs\":{\"url\":\"https://example.com\"},\"example\":{\"a\":[1]},"
        "\"properties\":{\"spec\":{\"type\":\"object\",\"maxProperties\":9,\"minProperties\":1,\"properties\":{"
        "\"n\":{\"type\":\"number\",\"multipleOf\":0.5,\"exclusiveMinimum\":true,\"minimum\":-1.5,"
        "\"exclusiveMaximum\":false,\"maximum\":7},"
        "\"s\":{\"type\":\"string\",\"format\":\"uri\",\"pattern\":\"^\\\\w+$\",\"minLength\":0,\"maxLength\":63,"
        "\"enum\":[\"a\",\"b\\n\"]},"
        "\"l\":{\"type\":\"array\",\"uniqueItems\":false,\"minItems\":1,\"maxItems\":3,\"items\":{\"type\":"
        "\"integer\",\"x-kubernetes-validations\":[{\"rule\":\"self > 1\"}]}},"
        "\"any\":{\"type\":\"object\",\"additionalProperties\":true},"
        "\"none\":{}}}}}");
    CATALOG c = catalog_new(&custom, 1, 1);
    check_forms_agree(c);
}

TEST(openapi_protobuf_leaves_out_what_it_has_no_place_for)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"{\"type\":\"string\",\"id\":\"x\",\"nullable\":true}", "{\"type\":\"string\"}"},
        {"{\"type\":[\"string\",\"null\"]}", "{\"type\":[\"string\",\"null\"]}"},
        {"{\"description\":[\"not\",\"text\"],\"format\":\"f\"}", "{\"format\":\"f\"}"},
        {"{\"enum\":{},\"items\":1,\"properties\":[],\"additionalProperties\":2,\"required\":[1,\"a\",[]]}",
         "{\"items\":{},\"additionalProperties\":false,\"required\":[\"a\"]}"},
        {"{\"properties\":{\"a\":1,\"b\":{\"type\":\"string\"}}}",
         "{\"properties\":{\"a\":{},\"b\":{\"type\":\"string\"}}}"},
        {"{\"x-a\":null,\"x-b\":{\"c\":[1,2]}}", "{\"x-a\":null,\"x-b\":{\"c\":[1,2]}}"},
        {"{\"maxLength\":-1,\"pattern\":\"\"}", "{\"maxLength\":-1,\"pattern\":\"\"}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(arena_done) struct arena a;
        struct buf bytes, text;
        arena_init(&a, 0);
        buf_init_arena(&bytes, &a, 4096);
        buf_init_arena(&text, &a, 4096);
        openapi_to_protobuf(&bytes, OPENAPI_MESSAGE_SCHEMA, str_from_c(rows[i].json));
        struct json decoded = openapi_decode_schema(&a, buf_str(&bytes));
        json_print(&text, &decoded, 0);
        CHECK_STR(buf_str(&text), rows[i].want);
    }
}
