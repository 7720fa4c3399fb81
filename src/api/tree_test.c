#include "api/schema_load.h"
#include "api/tree.h"
#include "harness/test.h"

struct fixture {
    struct arena a;
    struct buf reports;
};

static void setup(struct fixture *f)
{
    arena_init(&f->a, 0);
    buf_init_arena(&f->reports, &f->a, 10000);
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static void note_unknown(void *ctx, str path)
{
    struct fixture *f = ctx;
    buf_add(&f->reports, path);
    buf_add_c(&f->reports, ' ');
}

static struct json parsed(struct fixture *f, const char *text)
{
    struct json j;
    CHECK_OK(json_parse(&f->a, str_from_c(text), NULL, &j, &e));
    return j;
}

static str printed(struct fixture *f, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, &f->a, 1 << 20);
    json_print(&b, j, 0);
    return buf_str(&b);
}

static const struct schema_type *type(const char *package, const char *name)
{
    const struct schema_type *t = schema_type_find(&schema_builtin, str_from_c(package), str_from_c(name));
    CHECK(t != NULL);
    return t;
}

static err_code normalise(struct fixture *f, const char *package, const char *name, const char *text,
                          struct json *ret, struct err *err)
{
    struct json in = parsed(f, text);
    struct tree_report report = {.on_unknown = note_unknown, .ctx = f};
    return tree_normalise(&f->a, &schema_builtin, type(package, name), &in, &report, ret, err);
}

static void check_normal(const char *package, const char *name, const char *text, const char *want)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json out;
    CHECK_OK(normalise(&f, package, name, text, &out, &e));
    CHECK_STR(printed(&f, &out), want);
}

TEST(normalise_leaves_out_what_is_empty_and_keeps_what_go_cannot_leave_out)
{
    check_normal("core/v1", "Container",
                 "{\"image\":\"\",\"name\":\"a\",\"args\":[],\"tty\":false,\"env\":null}",
                 "{\"name\":\"a\",\"resources\":{}}");
    check_normal(
        "apps/v1", "DeploymentSpec", "{\"replicas\":0,\"paused\":false,\"minReadySeconds\":0}",
        "{\"replicas\":0,\"selector\":null,\"template\":{\"metadata\":{},\"spec\":{\"containers\":null}},"
        "\"strategy\":{}}");
    check_normal("core/v1", "Service", "{\"spec\":{},\"status\":{}}",
                 "{\"metadata\":{},\"spec\":{},\"status\":{\"loadBalancer\":{}}}");
}

TEST(normalise_puts_members_in_the_schemas_order_and_maps_in_order_of_keys)
{
    check_normal(
        "core/v1", "ConfigMap",
        "{\"data\":{\"b\":\"2\",\"a\":\"1\"},\"metadata\":{\"name\":\"x\"},\"apiVersion\":\"v1\",\"kind\":"
        "\"ConfigMap\"}",
        "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"1\","
        "\"b\":\"2\"}}");
}

TEST(normalise_gives_scalars_their_one_form)
{
    check_normal("core/v1", "ResourceRequirements",
                 "{\"limits\":{\"cpu\":0.5,\"memory\":\"1024Mi\",\"x\":\"1000m\"}}",
                 "{\"limits\":{\"cpu\":\"500m\",\"memory\":\"1Gi\",\"x\":\"1\"}}");
    check_normal("meta/v1", "ObjectMeta", "{\"creationTimestamp\":\"2024-02-29T12:00:00.75+02:00\"}",
                 "{\"creationTimestamp\":\"2024-02-29T10:00:00Z\"}");
    check_normal("core/v1", "Secret", "{\"data\":{\"k\":\"aGVs\\nbG8=\"}}",
                 "{\"metadata\":{},\"data\":{\"k\":\"aGVsbG8=\"}}");
    check_normal("coordination/v1", "LeaseSpec", "{\"renewTime\":\"2024-01-01T02:00:00.500000+02:00\"}",
                 "{\"renewTime\":\"2024-01-01T00:00:00.500000Z\"}");
}

TEST(normalise_reports_unknown_members_with_their_path)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json out;
    CHECK_OK(
        normalise(&f, "core/v1", "Pod",
                  "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\",\"imagee\":1}],\"foo\":{}},"
                  "\"metadata\":{\"labels\":{\"any\":\"thing\"}},\"extra\":null}",
                  &out, &e));
    CHECK_STR(buf_str(&f.reports), "spec.containers[1].imagee spec.foo extra ");
    CHECK(json_get(&out, S("spec"), S("foo")) == NULL);
}

TEST(unknown_members_inside_maps_have_paths_with_dots)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json out;
    CHECK_OK(normalise(&f, "apiextensions/v1", "JSONSchemaProps", "{\"properties\":{\"spec\":{\"typo\":1}}}",
                       &out, &e));
    CHECK_STR(buf_str(&f.reports), "properties.spec.typo ");
}

TEST(null_is_unset_and_in_a_list_or_map_the_zero_of_its_items)
{
    check_normal("core/v1", "ConfigMap", "{\"data\":{\"a\":null},\"binaryData\":null,\"immutable\":null}",
                 "{\"metadata\":{},\"data\":{\"a\":\"\"}}");
    check_normal("core/v1", "PodSpec", "{\"containers\":[null],\"hostNetwork\":null}",
                 "{\"containers\":[{\"name\":\"\",\"resources\":{}}]}");
    check_normal("core/v1", "Container",
                 "{\"name\":null,\"args\":[null],\"resources\":{\"limits\":{\"cpu\":null}}}",
                 "{\"name\":\"\",\"args\":[\"\"],\"resources\":{\"limits\":{\"cpu\":\"0\"}}}");
    check_normal("core/v1", "PodTemplateSpec", "{\"metadata\":{\"creationTimestamp\":null}}",
                 "{\"metadata\":{},\"spec\":{\"containers\":null}}");
    check_normal("core/v1", "ServicePort", "{\"port\":1,\"targetPort\":null}",
                 "{\"port\":1,\"targetPort\":0}");
}

TEST(normalise_refuses_wrong_types_in_the_originals_words)
{
    static const struct {
        const char *package, *type, *text, *message;
    } cases[] = {
        {"apps/v1", "Deployment", "{\"spec\":{\"replicas\":\"three\"}}",
         "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"},
        {"apps/v1", "Deployment", "{\"spec\":{\"replicas\":3000000000}}",
         "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32"},
        {"core/v1", "Pod", "{\"spec\":{\"containers\":[{\"env\":[{\"name\":\"A\",\"value\":1}]}]}}",
         "json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string"},
        {"core/v1", "Pod", "{\"spec\":{\"containers\":{}}}",
         "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"},
        {"core/v1", "Pod", "{\"spec\":[]}",
         "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"},
        {"core/v1", "Pod", "{\"metadata\":{\"labels\":{\"a\":true}}}",
         "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string"},
        {"core/v1", "Pod", "{\"spec\":{\"restartPolicy\":7}}",
         "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"},
        {"core/v1", "Secret", "{\"data\":{\"a\":1}}",
         "json: cannot unmarshal number into Go struct field Secret.data of type []uint8"},
        {"core/v1", "Secret", "{\"data\":{\"a\":\"*\"}}", "illegal base64 data at input byte 0"},
        /* What decodes itself in the original does not know its field. */
        {"core/v1", "ResourceRequirements", "{\"limits\":{\"cpu\":true}}",
         "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"core/v1", "ResourceRequirements", "{\"limits\":{\"cpu\":{\"a\":[1]}}}",
         "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"meta/v1", "ObjectMeta", "{\"creationTimestamp\":7}",
         "json: cannot unmarshal number into Go value of type string"},
        {"coordination/v1", "LeaseSpec", "{\"renewTime\":[]}",
         "json: cannot unmarshal array into Go value of type string"},
        {"core/v1", "ServicePort", "{\"targetPort\":false}",
         "json: cannot unmarshal bool into Go value of type int32"},
        {"core/v1", "ServicePort", "{\"targetPort\":1.5}",
         "json: cannot unmarshal number 1.5 into Go value of type int32"},
        {"core/v1", "ServicePort", "{\"targetPort\":3000000000}",
         "json: cannot unmarshal number 3000000000 into Go value of type int32"},
        {"core/v1", "Pod", "[]", "json: cannot unmarshal array into Go value of type v1.Pod"},
        {"core/v1", "ConfigMap", "{\"kind\":7}",
         "json: cannot unmarshal number into Go struct field ConfigMap.kind of type string"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        struct json out;
        struct err err = ERR_INIT;
        CHECK_EQ(normalise(&f, cases[i].package, cases[i].type, cases[i].text, &out, &err), ERR_BAD_REQUEST);
        CHECK_STR(err.msg, cases[i].message);
    }
}

TEST(defaults_fill_in_only_what_nobody_said)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json out;
    CHECK_OK(normalise(&f, "core/v1", "ServiceSpec",
                       "{\"ports\":[{\"port\":80},{\"port\":53,\"protocol\":\"UDP\"}]}", &out, &e));
    tree_defaults(&f.a, &schema_builtin, type("core/v1", "ServiceSpec"), &out);
    CHECK_CONTAINS(printed(&f, &out), "{\"protocol\":\"TCP\",\"port\":80");
    CHECK_CONTAINS(printed(&f, &out), "{\"protocol\":\"UDP\",\"port\":53");
    struct json again = json_clone(&f.a, &out);
    tree_defaults(&f.a, &schema_builtin, type("core/v1", "ServiceSpec"), &again);
    CHECK_STR(printed(&f, &again), printed(&f, &out));
}

static str errors_of(struct fixture *f, const char *package, const char *name, const char *text)
{
    struct json out;
    CHECK_OK(normalise(f, package, name, text, &out, &e));
    struct field_errors errors;
    field_errors_init(&errors, &f->a);
    tree_validate(&schema_builtin, type(package, name), &out, &errors);
    struct buf b;
    buf_init_arena(&b, &f->a, 1 << 16);
    field_errors_print(&errors, &b);
    return buf_str(&b);
}

TEST(validate_names_what_is_missing_and_what_is_not_supported)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_STR(errors_of(&f, "core/v1", "Container",
                        "{\"name\":\"b\",\"env\":[{\"value\":\"x\"},{\"name\":\"b\"}]}"),
              "env[0].name: Required value");
    CHECK_CONTAINS(
        errors_of(&f, "core/v1", "Container", "{\"name\":\"b\",\"imagePullPolicy\":\"Sometimes\"}"),
        "imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", "
        "\"IfNotPresent\", \"Never\"");
    CHECK_STR(errors_of(&f, "core/v1", "Container", "{\"name\":\"b\"}"), "");
}

TEST(validate_leaves_coded_types_to_code)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_STR(errors_of(&f, "core/v1", "PodSpec", "{\"containers\":[{\"image\":\"x\"}]}"), "");
}

/* --- custom resources --- */

static const char widget_schema[] =
    "{\"type\":\"object\",\"properties\":{\"apiVersion\":{\"type\":\"string\"},\"kind\":{\"type\":\"string\"},"
    "\"metadata\":{\"type\":\"object\"},"
    "\"spec\":{\"type\":\"object\",\"required\":[\"size\"],\"properties\":{"
    "\"size\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9},"
    "\"mode\":{\"type\":\"string\",\"default\":\"slow\",\"enum\":[\"slow\",\"fast\"]},"
    "\"port\":{\"x-kubernetes-int-or-string\":true},"
    "\"limits\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
    "\"items\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"name\"],"
    "\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"on\":{\"type\":\"boolean\","
    "\"default\":true}}}},"
    "\"free\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},"
    "\"some\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,\"properties\":{\"a\":{\"type\":"
    "\"string\"}}}}}}}";

static struct schema *widget(struct fixture *f)
{
    struct json openapi = parsed(f, widget_schema);
    struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Widget")};
    struct schema *s;
    CHECK_OK(schema_load(&openapi, &opts, &s, &e));
    return s;
}

TEST(custom_resources_are_pruned_and_defaulted_by_the_same_tables)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct schema *s = widget(&f);
    const struct schema_kind_info *k = schema_kind_find(s, S("example.com/v1"), S("Widget"));
    CHECK(k != NULL);
    struct json in = parsed(
        &f, "{\"kind\":\"Widget\",\"apiVersion\":\"example.com/v1\",\"metadata\":{\"name\":\"w\","
            "\"odd\":1},\"spec\":{\"size\":0,\"nope\":1,\"port\":\"http\",\"items\":[{\"name\":\"a\","
            "\"x\":1}],\"free\":{\"z\":{},\"y\":[]},\"some\":{\"q\":1,\"a\":\"\"},\"limits\":{}}}");
    struct json out;
    struct tree_report report = {.on_unknown = note_unknown, .ctx = &f};
    CHECK_OK(tree_normalise(&f.a, s, &s->types[k->type], &in, &report, &out, &e));
    CHECK_STR(buf_str(&f.reports), "metadata.odd spec.nope spec.items[0].x ");
    tree_defaults(&f.a, s, &s->types[k->type], &out);
    CHECK_STR(
        printed(&f, &out),
        "{\"kind\":\"Widget\",\"apiVersion\":\"example.com/v1\",\"metadata\":{\"name\":\"w\"},\"spec\":{\"free\":{"
        "\"y\":[],\"z\":{}},\"items\":[{\"name\":\"a\",\"on\":true}],\"limits\":{},\"mode\":\"slow\",\"port\":"
        "\"http\",\"size\":0,\"some\":{\"a\":\"\",\"q\":1}}}");
    schema_unload(s);
}

TEST(custom_schemas_share_equal_subtrees_and_are_small)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct buf b;
    buf_init_arena(&b, &f.a, 1 << 20);
    buf_add_lit(&b, "{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < 50; i++)
        buf_add_f(
            &b,
            "%s\"p%d\":{\"type\":\"object\",\"description\":\"Says the same thing as the others do, at length.\","
            "\"properties\":{\"one\":{\"type\":\"string\",\"maxLength\":63},\"two\":{\"type\":\"array\",\"items\":"
            "{\"type\":\"object\",\"properties\":{\"three\":{\"type\":\"integer\"}}}}}}",
            i ? "," : "", i);
    buf_add_lit(&b, "}}");
    struct json openapi;
    CHECK_OK(json_parse(&f.a, buf_str(&b), NULL, &openapi, &e));
    struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Big")};
    struct schema *s;
    CHECK_OK(schema_load(&openapi, &opts, &s, &e));
    CHECK_EQ(s->type_count, 3); /* the root, p0 to p49, the item */
    CHECK_LT(schema_load_size(s), b.n / 3);
    schema_unload(s);
}

TEST(custom_schemas_that_are_not_structural_are_refused_with_a_path)
{
    static const struct {
        const char *schema, *message;
    } cases[] = {
        {"{\"type\":\"string\"}", "type: Invalid value: must be object at the root"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{}}}", "properties[a].type: Required value"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\"}}}",
         "properties[a].items: Required value"},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"text\"}}}",
         "properties[a].type: Unsupported value"},
        {"{\"type\":\"object\",\"properties\":[]}", "properties must be an object"},
        {"{\"type\":\"object\",\"properties\":{\"a\":7}}", "properties[a]: a schema is an object"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(teardown) struct fixture f;
        setup(&f);
        struct json openapi = parsed(&f, cases[i].schema);
        struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Bad")};
        struct schema *s;
        struct err err = ERR_INIT;
        CHECK_EQ(schema_load(&openapi, &opts, &s, &err), ERR_BAD_REQUEST);
        CHECK_CONTAINS(err.msg, cases[i].message);
    }
}

/* --- custom resources, case by case --- */

struct custom_case {
    const char *properties; /* of spec */
    const char *given, *want;
};

static void check_custom(const struct custom_case *c)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json openapi = parsed(
        &f, str_format(&f.a, "{\"type\":\"object\",\"properties\":{\"spec\":%s}}", c->properties).p);
    struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Case")};
    struct schema *s;
    CHECK_OK(schema_load(&openapi, &opts, &s, &e));
    const struct schema_type *t = &s->types[s->kinds[0].type];
    struct json in = parsed(&f, str_format(&f.a, "{\"spec\":%s}", c->given).p), out, again;
    CHECK_OK(tree_normalise(&f.a, s, t, &in, NULL, &out, &e));
    tree_defaults(&f.a, s, t, &out);
    CHECK_STR(printed(&f, json_find(&out, S("spec"))), c->want);
    /* What is stored is in the form it would be written in again. */
    CHECK_OK(tree_normalise(&f.a, s, t, &out, NULL, &again, &e));
    CHECK_STR(printed(&f, &again), printed(&f, &out));
    schema_unload(s);
}

#define OBJECT(properties) "{\"type\":\"object\",\"properties\":{" properties "}}"

TEST(null_in_a_custom_resource_is_kept_where_nullable_defaulted_or_dropped)
{
    static const struct custom_case cases[] = {
        {OBJECT("\"a\":{\"type\":\"string\",\"default\":\"x\"}"), "{\"a\":null}", "{\"a\":\"x\"}"},
        {OBJECT("\"a\":{\"type\":\"string\",\"nullable\":true,\"default\":\"x\"}"), "{\"a\":null}",
         "{\"a\":null}"},
        {OBJECT("\"a\":{\"type\":\"string\"}"), "{\"a\":null}", "{}"},
        {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "{\"a\":null,\"b\":\"c\"}",
         "{\"b\":\"c\"}"},
        {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"nullable\":true}}",
         "{\"a\":null}", "{\"a\":null}"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[null]", "[null]"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"default\":\"x\"}}", "[null,\"y\"]",
         "[\"x\",\"y\"]"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"nullable\":true,\"default\":\"x\"}}", "[null]",
         "[null]"},
        {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"default\":\"x\"}}",
         "{\"a\":null}", "{\"a\":\"x\"}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_custom(&cases[i]);
}

TEST(scalars_of_custom_resources_are_left_as_they_are)
{
    static const struct custom_case cases[] = {
        {OBJECT("\"a\":{\"type\":\"integer\",\"format\":\"int32\"}"), "{\"a\":3000000000}",
         "{\"a\":3000000000}"},
        {OBJECT("\"a\":{\"x-kubernetes-int-or-string\":true}"), "{\"a\":3000000000}", "{\"a\":3000000000}"},
        {OBJECT("\"a\":{\"type\":\"integer\"}"), "{\"a\":\"one\"}", "{\"a\":\"one\"}"},
        {OBJECT("\"a\":{\"type\":\"string\",\"default\":\"x\"}"), "{\"a\":\"\"}", "{\"a\":\"\"}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_custom(&cases[i]);
}

TEST(defaults_of_custom_resources_apply_inside_defaults_and_in_order_of_names)
{
    static const struct custom_case cases[] = {
        {OBJECT("\"a\":{\"type\":\"object\",\"default\":{},\"properties\":{\"b\":{\"type\":\"integer\","
                "\"default\":0}}}"),
         "{}", "{\"a\":{\"b\":0}}"},
        {OBJECT("\"a\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"integer\",\"default\":0}}}"),
         "{}", "{}"},
        {"{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,\"properties\":{\"c\":{\"type\":"
         "\"string\",\"default\":\"x\"},\"e\":{\"type\":\"string\",\"default\":\"y\"}}}",
         "{\"d\":1,\"b\":{\"z\":1,\"y\":2},\"f\":2}",
         "{\"b\":{\"y\":2,\"z\":1},\"c\":\"x\",\"d\":1,\"e\":\"y\",\"f\":2}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_custom(&cases[i]);
}

TEST(a_custom_resource_may_keep_everything_from_its_root)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    struct json openapi = parsed(&f, "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}");
    struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Free")};
    struct schema *s;
    CHECK_OK(schema_load(&openapi, &opts, &s, &e));
    struct json out, in = parsed(&f, "{\"spec\":{\"b\":{}},\"kind\":\"Free\",\"metadata\":{\"name\":\"a\"},"
                                     "\"apiVersion\":\"example.com/v1\",\"data\":1}");
    CHECK_OK(tree_normalise(&f.a, s, &s->types[s->kinds[0].type], &in, NULL, &out, &e));
    CHECK_STR(printed(&f, &out),
              "{\"kind\":\"Free\",\"apiVersion\":\"example.com/v1\",\"data\":1,\"metadata\":{"
              "\"name\":\"a\"},\"spec\":{\"b\":{}}}");
    schema_unload(s);
}

TEST(custom_types_that_differ_in_what_is_required_or_kept_are_not_shared)
{
    static const char *const pairs[][2] = {
        {OBJECT("\"a\":{\"type\":\"string\"}"),
         "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\"}}}"},
        {OBJECT("\"a\":{\"type\":\"string\"}"), OBJECT("\"a\":{\"type\":\"string\",\"default\":\"x\"}")},
        {OBJECT("\"a\":{\"type\":\"string\"}"), OBJECT("\"a\":{\"type\":\"string\",\"nullable\":true}")},
        {OBJECT("\"a\":{\"type\":\"string\"}"),
         "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,\"properties\":{\"a\":{\"type\":"
         "\"string\"}}}"},
        {OBJECT("\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"),
         OBJECT("\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":3}}")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        for (size_t same = 0; same < 2; same++) {
            CLEANUP(teardown) struct fixture f;
            setup(&f);
            struct json openapi = parsed(
                &f, str_format(&f.a, "{\"type\":\"object\",\"properties\":{\"x\":%s,\"y\":%s}}", pairs[i][0],
                               pairs[i][same ? 0 : 1])
                        .p);
            struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Twin")};
            struct schema *s;
            CHECK_OK(schema_load(&openapi, &opts, &s, &e));
            CHECK_EQ(s->type_count, same ? 2 : 3);
            schema_unload(s);
        }
    }
}

TEST(lists_with_the_same_keys_share_their_rules)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    static const char list[] =
        "{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"a\",\"b\"],"
        "\"items\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}}}";
    struct json openapi = parsed(
        &f, str_format(&f.a, "{\"type\":\"object\",\"properties\":{\"x\":%s,\"y\":%s}}", list, list).p);
    struct schema_load_opts opts = {.group = S("example.com"), .version = S("v1"), .kind = S("Lists")};
    struct schema *s;
    CHECK_OK(schema_load(&openapi, &opts, &s, &e));
    const struct schema_type *t = &s->types[s->kinds[0].type];
    const struct schema_field *x = schema_field_find(s, t, S("x")), *y = schema_field_find(s, t, S("y"));
    CHECK_EQ(x->rules, y->rules);
    uint32_t at = schema_rules(s, x)->list_keys;
    str key;
    CHECK(schema_names_next(s, &at, &key));
    CHECK_STR(key, "a");
    CHECK(schema_names_next(s, &at, &key));
    CHECK_STR(key, "b");
    CHECK(!schema_names_next(s, &at, &key));
    schema_unload(s);
}
