#include "api/schema_load.h"
#include "api/tree.h"
#include "harness/test.h"
#include "wire/protobuf.h"
#include "wire/yaml.h"

enum { TEXT_SIZE_MAX = 1 << 16 };

struct fixture {
    struct arena a;
    struct tree_complaints complaints;
    struct json tree;
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){.tree.type = JSON_NULL};
    arena_init(&f->a, 0);
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static const struct schema_type *kind_of(const struct schema *s, const char *api_version, const char *kind)
{
    const struct schema_kind_info *k = schema_kind_find(s, str_from_c(api_version), str_from_c(kind));
    CHECK(k != NULL);
    return &s->types[k->type];
}

static err_code read_pod(struct fixture *f, enum tree_format format, str body, struct err *err)
{
    return tree_read(&f->a, &schema_builtin, kind_of(&schema_builtin, "v1", "Pod"), format, body,
                     &f->complaints, &f->tree, err);
}

static str printed(struct fixture *f)
{
    struct buf b;
    buf_init_arena(&b, &f->a, TEXT_SIZE_MAX);
    json_print(&b, &f->tree, 0);
    return buf_str(&b);
}

/* A line each. */
static str complaints(struct fixture *f)
{
    return str_join(&f->a, f->complaints.items, f->complaints.count, S("\n"));
}

static str strict_error(struct fixture *f)
{
    struct buf b;
    buf_init_arena(&b, &f->a, TEXT_SIZE_MAX);
    tree_complaints_print(&f->complaints, &b);
    return buf_str(&b);
}

/* --- which format --- */

TEST(body_formats_go_by_the_media_type_alone)
{
    static const struct {
        const char *content_type;
        enum tree_format format;
    } cases[] = {
        {"", TREE_JSON},
        {"application/json", TREE_JSON},
        {"application/json; charset=utf-8", TREE_JSON},
        {"application/yaml", TREE_YAML},
        {" Application/YAML ;charset=utf-8", TREE_YAML},
        {"application/vnd.kubernetes.protobuf", TREE_PROTOBUF},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        enum tree_format format;
        CHECK_OK(tree_format_of(str_from_c(cases[i].content_type), &schema_builtin, &format, &e));
        CHECK_EQ(format, cases[i].format);
    }
    static const char *const wrong[] = {"text/plain", "application/jsonx", "application/x-yaml", ";", " "};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        enum tree_format format;
        struct err err = ERR_INIT;
        CHECK_EQ(tree_format_of(str_from_c(wrong[i]), &schema_builtin, &format, &err),
                 ERR_UNSUPPORTED_MEDIA_TYPE);
        CHECK_STR(err.msg, "the body of the request was in an unknown format - accepted media types include: "
                           "application/json, application/yaml, application/vnd.kubernetes.protobuf");
    }
}

/* --- JSON --- */

TEST(json_bodies_are_complained_of_in_the_order_of_the_document)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_OK(
        read_pod(&f, TREE_JSON,
                 S("{\"kind\":\"Pod\",\"kind\":\"Pod\",\"metadata\":{\"odd\":1,\"name\":\"x\",\"name\":\"y\","
                   "\"labels\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}},"
                   "\"spec\":{\"containers\":[{\"name\":\"a\",\"foo\":1,\"name\":\"b\",\"name\":\"c\"}],"
                   "\"bar\":{\"x\":1,\"x\":2},\"bar\":2},\"bar\":2,\"spec\":{\"odd\":1}}"),
                 &e));
    CHECK_STR(complaints(&f), "duplicate field \"kind\"\n"
                              "unknown field \"metadata.odd\"\n"
                              "duplicate field \"metadata.name\"\n"
                              "duplicate field \"metadata.labels.a\"\n"
                              "unknown field \"spec.containers[0].foo\"\n"
                              "duplicate field \"spec.containers[0].name\"\n"
                              "unknown field \"spec.bar\"\n"
                              "unknown field \"bar\"\n"
                              "duplicate field \"spec\"\n"
                              "unknown field \"spec.odd\"");
    CHECK_STR(printed(&f),
              "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"y\",\"labels\":{\"a\":\"3\",\"b\":\"2\"}},"
              "\"spec\":{\"containers\":null},\"status\":{}}");
}

TEST(json_bodies_that_say_nothing_twice_are_complained_of_too)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_OK(read_pod(&f, TREE_JSON, S("{\"b\\\"\\n\":1,\"spec\":{\"x\":1},\"a\":1}"), &e));
    CHECK_STR(strict_error(&f),
              "strict decoding error: unknown field \"b\\\"\\n\", unknown field \"spec.x\", "
              "unknown field \"a\"");
    CHECK_OK(read_pod(&f, TREE_JSON, S("{}"), &e));
    CHECK_EQ(f.complaints.count, 0);
}

/* What the original decodes by hand, or not at all, has no members for its strict decoding. */
TEST(json_bodies_may_say_things_twice_inside_what_is_not_looked_into)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_OK(tree_read(&f.a, &schema_builtin, kind_of(&schema_builtin, "apps/v1", "ControllerRevision"),
                       TREE_JSON, S("{\"data\":{\"a\":1,\"a\":{\"b\":1,\"b\":2}},\"revision\":1}"),
                       &f.complaints, &f.tree, &e));
    CHECK_EQ(f.complaints.count, 0);
    CHECK_STR(printed(&f), "{\"metadata\":{},\"data\":{\"a\":{\"b\":2}},\"revision\":1}");
}

TEST(json_bodies_have_the_wrong_type_where_the_original_finds_it_first)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_ERR(SYNTAX, "line 1", read_pod(&f, TREE_JSON, S("{"), &e));
    CHECK_ERR(BAD_REQUEST, "cannot unmarshal number into Go struct field Pod.kind of type string",
              read_pod(&f, TREE_JSON, S("{\"spec\":{},\"kind\":1}"), &e));
    CHECK_ERR(BAD_REQUEST, "cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec",
              read_pod(&f, TREE_JSON, S("{\"spec\":[],\"spec\":{}}"), &e));
}

TEST(bodies_are_complained_of_no_more_often_than_by_the_original)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct buf json, yaml;
    buf_init_arena(&json, &f.a, TEXT_SIZE_MAX);
    buf_init_arena(&yaml, &f.a, TEXT_SIZE_MAX);
    for (int i = 0; i < 300; i++) {
        buf_add_f(&json, "%s\"x%d\":1", i ? "," : "{", i);
        buf_add_lit(&yaml, "x: 1\n");
    }
    buf_add_c(&json, '}');
    CHECK_OK(read_pod(&f, TREE_JSON, buf_str(&json), &e));
    CHECK_EQ(f.complaints.count, TREE_COMPLAINTS_MAX);
    CHECK_OK(read_pod(&f, TREE_YAML, buf_str(&yaml), &e));
    CHECK_EQ(f.complaints.count, TREE_COMPLAINTS_MAX);
    CHECK_STR(f.complaints.items[0], "line 2: key \"x\" already set in map");
}

/* --- YAML --- */

static const str yaml_pod = S_INIT("apiVersion: v1\n"
                                   "kind: Pod\n"
                                   "metadata:\n"
                                   "  name: x\n"
                                   "  name: z\n"
                                   "  odd: 1\n"
                                   "spec:\n"
                                   "  unknown: 1\n"
                                   "  containers:\n"
                                   "  - name: a\n"
                                   "    image: i\n"
                                   "    nested: 1\n"
                                   "    image: j\n");

TEST(yaml_bodies_are_complained_of_by_line_and_then_by_path_in_order_of_names)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_OK(read_pod(&f, TREE_YAML, yaml_pod, &e));
    CHECK_STR(complaints(&f), "line 5: key \"name\" already set in map\n"
                              "line 13: key \"image\" already set in map\n"
                              "unknown field \"metadata.odd\"\n"
                              "unknown field \"spec.containers[0].nested\"\n"
                              "unknown field \"spec.unknown\"");
    CHECK_STR(strict_error(&f),
              "strict decoding error: yaml: unmarshal errors:\n"
              "  line 5: key \"name\" already set in map\n"
              "  line 13: key \"image\" already set in map, unknown field \"metadata.odd\", "
              "unknown field \"spec.containers[0].nested\", unknown field \"spec.unknown\"");
    CHECK_STR(printed(&f),
              "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"z\"},\"spec\":{"
              "\"containers\":[{\"name\":\"a\",\"image\":\"j\",\"resources\":{}}]},\"status\":{}}");
}

TEST(yaml_bodies_without_duplicates_have_no_errors_of_yaml)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_OK(read_pod(&f, TREE_YAML, S("b: 1\na: 1\n"), &e));
    CHECK_STR(strict_error(&f), "strict decoding error: unknown field \"a\", unknown field \"b\"");
}

TEST(yaml_bodies_end_with_their_first_document)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_OK(read_pod(&f, TREE_YAML, S("kind: Pod\n---\nkind: Job\n---\n@"), &e));
    CHECK_STR(json_str(json_find(&f.tree, S("kind"))), "Pod");
    CHECK_OK(read_pod(&f, TREE_YAML, S("{\"kind\": \"Pod\",\n \"kind\": \"Job\"}"), &e));
    CHECK_STR(complaints(&f), "line 2: key \"kind\" already set in map");
}

TEST(yaml_bodies_fail_in_the_originals_words)
{
    static const struct {
        const char *text;
        err_code code;
        const char *message;
    } cases[] = {
        {"a: b: c", ERR_SYNTAX, "yaml: mapping values are not allowed in this context"},
        {"spec:\n  hostname: 7\n", ERR_BAD_REQUEST,
         "json: cannot unmarshal number into Go struct field PodSpec.spec.hostname of type string"},
        {"- a\n", ERR_BAD_REQUEST, "json: cannot unmarshal array into Go value of type v1.Pod"},
        /* The first in order of names, not in the order of the text. */
        {"spec: 1\nmetadata: 2\n", ERR_BAD_REQUEST,
         "json: cannot unmarshal number into Go struct field Pod.metadata of type v1.ObjectMeta"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        struct err err = ERR_INIT;
        CHECK_EQ(read_pod(&f, TREE_YAML, str_from_c(cases[i].text), &err), cases[i].code);
        CHECK_STR(err.msg, cases[i].message);
    }
}

TEST(yaml_bodies_are_bounded_in_what_their_aliases_cost)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct buf text;
    buf_init_arena(&text, &f.a, TEXT_SIZE_MAX);
    buf_add_lit(&text, "a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
    for (int i = 1; i < 10; i++) {
        buf_add_f(&text, "a%d: &a%d [*a%d", i, i, i - 1);
        for (int k = 0; k < 8; k++)
            buf_add_f(&text, ",*a%d", i - 1);
        buf_add_lit(&text, "]\n");
    }
    CHECK_ERR(SYNTAX, "yaml: document contains excessive aliasing",
              read_pod(&f, TREE_YAML, buf_str(&text), &e));
    buf_clear(&text);
    buf_add_n(&text, '[', 1000);
    CHECK_ERR(TOO_LARGE, "exceeded max depth", read_pod(&f, TREE_YAML, buf_str(&text), &e));
}

/* --- protobuf --- */

static str enveloped(struct fixture *f, str api_version, str kind)
{
    struct buf b;
    buf_init_arena(&b, &f->a, TEXT_SIZE_MAX);
    const struct schema_type *pod = kind_of(&schema_builtin, "v1", "Pod");
    size_t at = pb_envelope_begin(&b, api_version, kind);
    CHECK_OK(message_encode(&f->a, &schema_builtin, pod, &f->tree, &b, &e));
    pb_envelope_end(&b, at);
    return buf_str(&b);
}

TEST(protobuf_bodies_give_the_tree_that_json_gives)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_OK(read_pod(&f, TREE_YAML, yaml_pod, &e));
    str want = printed(&f), bytes = enveloped(&f, S("v1"), S("Pod"));
    CHECK_OK(read_pod(&f, TREE_PROTOBUF, bytes, &e));
    CHECK_STR(printed(&f), want);
    CHECK_EQ(f.complaints.count, 0);
    CHECK(json_find_id(&f.tree, intern_find(schema_builtin.names, S("spec"))) != NULL);
    CHECK_OK(read_pod(&f, TREE_PROTOBUF, enveloped(&f, STR_NONE, STR_NONE), &e));
    CHECK(json_find(&f.tree, S("kind")) == NULL);
    CHECK(json_find(&f.tree, S("apiVersion")) == NULL);
}

TEST(protobuf_bodies_are_refused_where_they_are_none)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_ERR(SYNTAX, "does not begin with", read_pod(&f, TREE_PROTOBUF, S("{}"), &e));
    CHECK_ERR(SYNTAX, "protobuf: ", read_pod(&f, TREE_PROTOBUF, S("k8s\0\x12\x02\x0a\x05"), &e));
    CHECK_OK(read_pod(&f, TREE_JSON, S("{}"), &e));
    CHECK_ERR(SYNTAX, "kind or apiVersion is not UTF-8",
              read_pod(&f, TREE_PROTOBUF, enveloped(&f, S("v1"), S("Po\xff")), &e));
}

/* --- custom resources --- */

static const str widget_schema = S_INIT(
    "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{"
    "\"size\":{\"type\":\"integer\"},\"ports\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"properties\":{\"name\":{\"type\":\"string\"}}}}}}}}");

static void widget_load(struct fixture *f, struct schema **ret)
{
    struct json openapi;
    struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Widget")};
    CHECK_OK(json_parse(&f->a, widget_schema, NULL, &openapi, &e));
    CHECK_OK(schema_load(&openapi, &opts, ret, &e));
}

TEST(custom_resources_are_complained_of_after_reading_and_in_order_of_paths)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct schema *s;
    widget_load(&f, &s);
    const struct schema_type *widget = kind_of(s, "example.com/v1", "Widget");
    CHECK_OK(tree_read(
        &f.a, s, widget, TREE_JSON,
        S("{\"spec\":{\"zoo\":1,\"zoo\":{\"a\":1,\"a\":2},\"size\":1,\"size\":2,\"ports\":[{\"name\":"
          "\"a\",\"odd\":1}]},\"also\":1,\"metadata\":{\"name\":\"x\",\"odd\":1,\"name\":\"y\"}}"),
        &f.complaints, &f.tree, &e));
    CHECK_STR(complaints(&f), "duplicate field \"spec.zoo\"\n"
                              "duplicate field \"spec.zoo.a\"\n"
                              "duplicate field \"spec.size\"\n"
                              "duplicate field \"metadata.name\"\n"
                              "unknown field \"metadata.odd\"\n"
                              "unknown field \"also\"\n"
                              "unknown field \"spec.ports[0].odd\"\n"
                              "unknown field \"spec.zoo\"");
    CHECK_OK(tree_read(&f.a, s, widget, TREE_YAML, S("spec:\n  size: 1\n  zoo: 1\n  size: 2\n"),
                       &f.complaints, &f.tree, &e));
    CHECK_STR(complaints(&f), "line 4: key \"size\" already set in map\nunknown field \"spec.zoo\"");
    schema_unload(s);
}

TEST(custom_resources_have_no_protobuf)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct schema *s;
    widget_load(&f, &s);
    enum tree_format format;
    CHECK_OK(tree_format_of(S("application/yaml"), s, &format, &e));
    struct err err = ERR_INIT;
    CHECK_EQ(tree_format_of(S("application/vnd.kubernetes.protobuf"), s, &format, &err),
             ERR_UNSUPPORTED_MEDIA_TYPE);
    CHECK_STR(err.msg, "the body of the request was in an unknown format - accepted media types include: "
                       "application/json, application/yaml");
    schema_unload(s);
}
