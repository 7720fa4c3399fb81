#include "api/tree.h"
#include "harness/test.h"
#include "wire/protobuf.h"

static const struct schema_type *type(const char *package, const char *name)
{
    const struct schema_type *t = schema_type_find(&schema_builtin, str_from_c(package), str_from_c(name));
    CHECK(t != NULL);
    return t;
}

static str printed(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, 1 << 20);
    json_print(&b, j, 0);
    return buf_str(&b);
}

TEST(message_keeps_the_last_of_two_equal_map_keys)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct buf b;
    buf_init_arena(&b, &a, 1000);
    static const char *const pairs[][2] = {{"b", "1"}, {"a", "2"}, {"b", "3"}};
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        size_t at = pb_begin(&b, 2); /* ConfigMap.data */
        pb_add_bytes(&b, 1, str_from_c(pairs[i][0]));
        pb_add_bytes(&b, 2, str_from_c(pairs[i][1]));
        pb_end(&b, at);
    }
    struct json out;
    CHECK_OK(message_decode(&a, &schema_builtin, type("core/v1", "ConfigMap"), buf_str(&b), &out, &e));
    CHECK_STR(printed(&a, &out), "{\"metadata\":{},\"data\":{\"a\":\"2\",\"b\":\"3\"}}");
}

TEST(message_skips_what_it_does_not_know_and_refuses_what_is_broken)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct buf b;
    buf_init_arena(&b, &a, 1000);
    pb_add_varint(&b, 900, 7);
    pb_add_bytes(&b, 901, S("whatever"));
    struct json out;
    CHECK_OK(message_decode(&a, &schema_builtin, type("core/v1", "ConfigMap"), buf_str(&b), &out, &e));
    CHECK_STR(printed(&a, &out), "{\"metadata\":{}}");
    CHECK_ERR(SYNTAX, "",
              message_decode(&a, &schema_builtin, type("core/v1", "ConfigMap"), S("\x12\x7f"), &out, &e));
    /* metadata.name that is not UTF-8 */
    CHECK_ERR(SYNTAX, "UTF-8",
              message_decode(&a, &schema_builtin, type("core/v1", "ConfigMap"), S("\x0a\x03\x0a\x01\xff"),
                             &out, &e));
}

TEST(message_tells_1970_from_a_time_that_is_not_set)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in, out;
    struct buf b;
    buf_init_arena(&b, &a, 1000);
    CHECK_OK(json_parse(&a, S("{\"renewTime\":\"1970-01-01T00:00:00.000000Z\"}"), NULL, &in, &e));
    CHECK_OK(message_encode(&a, &schema_builtin, type("coordination/v1", "LeaseSpec"), &in, &b, &e));
    CHECK_OK(
        message_decode(&a, &schema_builtin, type("coordination/v1", "LeaseSpec"), buf_str(&b), &out, &e));
    CHECK_STR(printed(&a, &out), "{\"renewTime\":\"1970-01-01T00:00:00.000000Z\"}");
}

TEST(message_in_a_message_may_be_protobuf_itself)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json config_map;
    CHECK_OK(
        json_parse(&a, S("{\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"v\"}}"), NULL, &config_map, &e));
    struct buf b, message;
    buf_init_arena(&message, &a, 1000);
    CHECK_OK(message_encode(&a, &schema_builtin, type("core/v1", "ConfigMap"), &config_map, &message, &e));
    buf_init_arena(&b, &a, 1000);
    size_t item = pb_begin(&b, 2), raw = pb_begin(&b, 1); /* List.items, RawExtension.raw */
    struct pb_envelope envelope = {.api_version = S("v1"), .kind = S("ConfigMap"), .raw = buf_str(&message)};
    pb_envelope_encode(&b, &envelope);
    pb_end(&b, raw);
    pb_end(&b, item);
    struct json out;
    CHECK_OK(message_decode(&a, &schema_builtin, type("meta/v1", "List"), buf_str(&b), &out, &e));
    CHECK_STR(printed(&a, &out), "{\"metadata\":{},\"items\":[{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\","
                                 "\"metadata\":{\"name\":\"x\"},\"data\":{\"k\":\"v\"}}]}");
}
