#include "api/tree.h"
#include "harness/test.h"

/* What an update of `kind` from one document to another is told; both are normalised first, as they are in a server. */
struct update {
    const char *api_version, *kind, *old, *updated;
    const char *want; /* "": allowed */
};

static struct json normal(struct arena *a, const struct schema_type *t, const char *text)
{
    struct json in, tree;
    CHECK_OK(json_parse(a, str_from_c(text), NULL, &in, &e));
    CHECK_OK(tree_normalise(a, &schema_builtin, t, &in, NULL, &tree, &e));
    return tree;
}

static void check_update(const struct update *u)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    const struct schema_kind_info *k = schema_kind_find(&schema_builtin, str_from_c(u->api_version),
                                                        str_from_c(u->kind));
    CHECK(k != NULL);
    const struct schema_type *t = &schema_builtin.types[k->type];
    struct json old = normal(&a, t, u->old), updated = normal(&a, t, u->updated);
    struct field_errors errors;
    field_errors_init(&errors, &a);
    tree_immutable(&schema_builtin, t, &old, &updated, &errors);
    struct buf b;
    buf_init_arena(&b, &a, 1 << 16);
    field_errors_print(&errors, &b);
    CHECK_STR(buf_str(&b), u->want);
}

static void check_updates(const struct update *updates, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_update(&updates[i]);
}

TEST(immutable_scalars_keep_their_value)
{
    static const struct update cases[] = {
        {"node.k8s.io/v1", "RuntimeClass", "{\"handler\":\"a\"}", "{\"handler\":\"b\"}",
         "handler: Invalid value: \"b\": field is immutable"},
        {"v1", "Secret", "{\"type\":\"Opaque\"}", "{\"type\":\"x/y\"}",
         "type: Invalid value: \"x/y\": field is immutable"},
        {"v1", "Secret", "{\"type\":\"Opaque\"}", "{\"type\":\"Opaque\",\"data\":{\"a\":\"AAAA\"}}", ""},
        {"discovery.k8s.io/v1", "EndpointSlice", "{\"addressType\":\"IPv4\"}", "{}",
         "addressType: Invalid value: \"\": field is immutable"},
    };
    check_updates(cases, ARRAY_COUNT(cases));
}

TEST(immutable_pointers_keep_their_value_or_their_absence)
{
    static const struct update cases[] = {
        {"storage.k8s.io/v1", "StorageClass", "{\"volumeBindingMode\":\"Immediate\"}",
         "{\"volumeBindingMode\":\"Immediate\",\"allowVolumeExpansion\":true}", ""},
        {"storage.k8s.io/v1", "StorageClass", "{}", "{\"volumeBindingMode\":\"Immediate\"}",
         "volumeBindingMode: Invalid value: \"Immediate\": field is immutable"},
        {"storage.k8s.io/v1", "StorageClass", "{\"volumeBindingMode\":\"Immediate\"}", "{}",
         "volumeBindingMode: Invalid value: null: field is immutable"},
        {"storage.k8s.io/v1", "StorageClass", "{\"volumeBindingMode\":null}", "{}", ""},
        {"storage.k8s.io/v1", "CSIStorageCapacity", "{}", "{\"nodeTopology\":{}}",
         "nodeTopology: Invalid value: {}: field is immutable"},
    };
    check_updates(cases, ARRAY_COUNT(cases));
}

TEST(immutable_structs_keep_each_of_their_members_lists_their_order)
{
    static const struct update cases[] = {
        {"resource.k8s.io/v1", "ResourceClaim", "{\"spec\":{\"devices\":{\"requests\":[{\"name\":\"a\"}]}}}",
         "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"devices\":{\"requests\":[{\"name\":\"a\"}]}}}", ""},
        {"resource.k8s.io/v1", "ResourceClaim",
         "{\"spec\":{\"devices\":{\"requests\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}}",
         "{\"spec\":{\"devices\":{\"requests\":[{\"name\":\"b\"},{\"name\":\"a\"}]}}}",
         "spec: Invalid value: {\"devices\":{\"requests\":[{\"name\":\"b\"},{\"name\":\"a\"}]}}: field is "
         "immutable"},
        {"resource.k8s.io/v1", "ResourceClaim", "{\"spec\":{\"devices\":{\"requests\":[{\"name\":\"a\"}]}}}",
         "{}", "spec: Invalid value: {\"devices\":{\"requests\":null}}: field is immutable"},
    };
    check_updates(cases, ARRAY_COUNT(cases));
}

TEST(immutable_opaque_values_keep_what_is_in_them)
{
    static const struct update cases[] = {
        {"apps/v1", "ControllerRevision", "{\"data\":{\"a\":[1,{\"b\":2}]},\"revision\":1}",
         "{\"data\":{\"a\":[1,{\"b\":2}]},\"revision\":2}", ""},
        {"apps/v1", "ControllerRevision", "{\"data\":{\"a\":[1]}}", "{\"data\":{\"a\":[2]}}",
         "data: Invalid value: {\"a\":[2]}: field is immutable"},
    };
    check_updates(cases, ARRAY_COUNT(cases));
}

TEST(immutable_fields_are_found_inside_structs_and_all_of_them_told)
{
    static const struct update cases[] = {
        {"networking.k8s.io/v1", "IngressClass", "{\"spec\":{\"controller\":\"a\"}}", "{\"spec\":{}}",
         "spec.controller: Invalid value: null: field is immutable"},
        {"resource.k8s.io/v1", "ResourceSlice",
         "{\"spec\":{\"driver\":\"d\",\"nodeName\":\"n\",\"pool\":{\"name\":\"p\",\"generation\":1}}}",
         "{\"spec\":{\"driver\":\"d\",\"nodeName\":\"n\",\"pool\":{\"name\":\"p\",\"generation\":2}}}", ""},
        {"resource.k8s.io/v1", "ResourceSlice",
         "{\"spec\":{\"driver\":\"d\",\"nodeName\":\"n\",\"pool\":{\"name\":\"p\"}}}",
         "{\"spec\":{\"driver\":\"e\",\"nodeName\":\"m\",\"pool\":{\"name\":\"q\"}}}",
         "[spec.driver: Invalid value: \"e\": field is immutable, "
         "spec.pool.name: Invalid value: \"q\": field is immutable, "
         "spec.nodeName: Invalid value: \"m\": field is immutable]"},
        /* A struct that is immutable as a whole is told as a whole. */
        {"resource.k8s.io/v1", "ResourceClaim", "{\"spec\":{\"devices\":{}}}",
         "{\"spec\":{\"devices\":{\"requests\":[{\"name\":\"a\"}]}}}",
         "spec: Invalid value: {\"devices\":{\"requests\":[{\"name\":\"a\"}]}}: field is immutable"},
    };
    check_updates(cases, ARRAY_COUNT(cases));
}

TEST(updates_of_kinds_without_immutable_fields_are_free)
{
    static const struct update cases[] = {
        {"v1", "ConfigMap", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"a\":\"1\"}}",
         "{\"metadata\":{\"name\":\"b\"},\"data\":{\"a\":\"2\"},\"immutable\":true}", ""},
    };
    check_updates(cases, ARRAY_COUNT(cases));
}
