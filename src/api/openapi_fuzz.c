/* openapi_fuzz.c - schemas from outside, published. */
#include "api/catalog_testing.h"
#include "api/discovery.h"
#include "api/openapi_decode_test.h"
#include "api/openapi_priv.h"
#include "harness/test.h"

static void parse_definition(struct arena *a, struct buf *text, bool v3, const struct catalog *c,
                             struct json *ret)
{
    struct openapi m;
    const struct served_kind *k = catalog_find(c, S("example.com"), S("v1"), S("widgets"));
    openapi_init(&m, a, c, v3);
    buf_clear(text);
    openapi_add_custom(&m, &(struct json_out){.to = text}, k);
    openapi_done(&m);
    struct json_opts opts = {.flags = JSON_COPY};
    CHECK_OK(json_parse(a, buf_str(text), &opts, ret, &e));
    CHECK(json_find(ret, S("x-kubernetes-group-version-kind")));
}

/* Whatever is published is JSON, in both versions, and protobuf that decodes; what a readable schema says for sure is in it. */
FUZZ(openapi_custom)
{
    struct custom_kind custom = custom_widget(S("v1"));
    custom.kind.openapi = str_of((const char *)data, size);
    CATALOG c = catalog_new(&custom, 1, 1);
    CLEANUP(arena_done) struct arena a;
    CLEANUP(buf_done) struct buf text, bytes;
    arena_init(&a, 0);
    buf_init(&text, 64 << 20);
    buf_init(&bytes, 64 << 20);
    struct json v2, v3, in;
    struct err err = ERR_INIT;
    parse_definition(&a, &text, true, c, &v3);
    parse_definition(&a, &text, false, c, &v2);
    if (size && json_parse(&a, custom.kind.openapi, NULL, &in, &err) == ERR_NONE && in.type == JSON_OBJECT)
        CHECK(json_get(&v3, S("properties"), S("metadata")));
    openapi_to_protobuf(&bytes, OPENAPI_MESSAGE_SCHEMA, buf_str(&text));
    struct json decoded = openapi_decode_schema(&a, buf_str(&bytes));
    const struct json *properties = json_find(&v2, S("properties"));
    CHECK_EQ(json_count(json_find(&decoded, S("properties"))), json_count(properties));
}
