#include "api/metadata.h"
#include "api/rules/rules_priv.h"
#include "api/tree.h"
#include "base/names.h"
#include "harness/test.h"
#include "view/meta_v1.h"
#include "wire/yaml.h"

enum { ANNOTATIONS_SIZE_MAX = 256 << 10 };

struct fixture {
    struct arena a;
};

static void setup(struct fixture *f)
{
    arena_init(&f->a, 0);
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static const struct schema_kind_info *kind(const char *api_version, const char *name)
{
    const struct schema_kind_info *k = schema_kind_find(&schema_builtin, str_from_c(api_version),
                                                        str_from_c(name));
    CHECK(k != NULL);
    return k;
}

/* The members of `more` take the place of those of `base`. */
static void decode(struct fixture *f, const char *base, const char *more, struct object_meta *ret)
{
    struct json in, added, normal;
    struct buf b;
    CHECK_OK(yaml_parse(&f->a, str_from_c(base), NULL, &in, &e));
    CHECK_OK(yaml_parse(&f->a, str_from_c(more), NULL, &added, &e));
    for (size_t i = 0; i < json_count(&added); i++)
        json_set(&f->a, &in, json_member_name(&added.v.members[i]), added.v.members[i].value);
    CHECK_OK(tree_normalise(&f->a, &schema_builtin, VIEW_TYPE(object_meta), &in, NULL, &normal, &e));
    buf_init_arena(&b, &f->a, 1 << 20);
    json_print(&b, &normal, 0);
    *ret = (struct object_meta){.name = STR_NONE};
    CHECK_OK(VIEW_DECODE(&f->a, object_meta, buf_str(&b), ret, &e));
}

static str printed(struct fixture *f, const struct field_errors *errors)
{
    struct buf b;
    buf_init_arena(&b, &f->a, 1 << 20);
    field_errors_print(errors, &b);
    return buf_str(&b);
}

static str created(struct fixture *f, const struct schema_kind_info *k, const char *base, const char *more)
{
    struct object_meta m;
    struct field_errors errors;
    field_errors_init(&errors, &f->a);
    decode(f, base, more, &m);
    metadata_validate(&schema_builtin, k, &m, &errors);
    return printed(f, &errors);
}

static void check(str got, const char *want)
{
    str start = str_from_c(want);
    if (str_ends(start, S("...")))
        CHECK_STR(str_slice(got, 0, start.n - 3), str_slice(start, 0, start.n - 3));
    else
        CHECK_STR(got, want);
}

TEST(names_are_what_their_kind_says_and_namespaces_are_there_when_they_belong)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    static const struct {
        const char *api_version, *kind, *metadata, *want;
    } cases[] = {
        {"v1", "ConfigMap", "{name: a.b-c, namespace: ns}", ""},
        {"v1", "ConfigMap", "{namespace: ns}",
         "metadata.name: Required value: name or generateName is required"},
        {"v1", "ConfigMap", "{name: a}", "metadata.namespace: Required value"},
        {"v1", "ConfigMap", "{name: a, namespace: NS}",
         "metadata.namespace: Invalid value: \"NS\": a lowercase RFC 1123 label must consist of..."},
        {"v1", "ConfigMap", "{name: A_b, namespace: ns}",
         "metadata.name: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case "
         "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
         "'example.com', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
        {"v1", "ConfigMap", "{generateName: a-, name: a-x, namespace: ns}", ""},
        {"v1", "ConfigMap", "{generateName: a., name: a-x, namespace: ns}",
         "metadata.generateName: Invalid value: \"a.\": a lowercase RFC 1123 subdomain..."},
        {"v1", "Node", "{name: a, namespace: ns}", "metadata.namespace: Forbidden: not allowed on this type"},
        {"v1", "Service", "{name: 1-a, namespace: ns}", ""},
        {"v1", "Service", "{name: a.b, namespace: ns}",
         "metadata.name: Invalid value: \"a.b\": must not contain dots"},
        {"v1", "Namespace", "{name: a.b}", "metadata.name: Invalid value: \"a.b\": must not contain dots"},
        {"rbac.authorization.k8s.io/v1", "ClusterRole", "{name: 'System:a b'}", ""},
        {"rbac.authorization.k8s.io/v1", "ClusterRole", "{name: ..}",
         "metadata.name: Invalid value: \"..\": may not be '..'"},
        {"rbac.authorization.k8s.io/v1", "ClusterRole", "{name: a/b%}",
         "[metadata.name: Invalid value: \"a/b%\": may not contain '/', "
         "metadata.name: Invalid value: \"a/b%\": may not contain '%']"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check(created(&f, kind(cases[i].api_version, cases[i].kind), cases[i].metadata, "{}"), cases[i].want);
}

TEST(labels_annotations_owners_and_finalizers_are_refused_in_the_words_of_the_original)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    static const struct {
        const char *more, *want;
    } cases[] = {
        {"labels: {a/b: c, d: ''}", ""},
        {"labels: {'a b': c}",
         "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters..."},
        {"labels: {a: '-'}",
         "metadata.labels: Invalid value: \"-\": a valid label must be an empty string or..."},
        {"annotations: {Example.COM/A: 'any thing'}", ""},
        {"annotations: {'a b': c}",
         "metadata.annotations: Invalid value: \"a b\": name part must consist of alphanumeric..."},
        {"generation: -1", "metadata.generation: Invalid value: -1: must be greater than or equal to 0"},
        {"ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: a, uid: b, controller: true}]", ""},
        {"ownerReferences: [{}]",
         "[metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty, "
         "metadata.ownerReferences.kind: Invalid value: \"\": must not be empty, "
         "metadata.ownerReferences.name: Invalid value: \"\": must not be empty, "
         "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty]"},
        {"ownerReferences: [{apiVersion: apps/, kind: ReplicaSet, name: a, uid: b}]",
         "metadata.ownerReferences.apiVersion: Invalid value: \"apps/\": version must not be empty"},
        {"ownerReferences: [{apiVersion: v1, kind: Event, name: a, uid: b}]",
         "metadata.ownerReferences: Invalid value: {\"kind\":\"Event\",\"name\":\"a\",\"uid\":\"b\",\"apiVersion\":"
         "\"v1\"}: /v1, Kind=Event is disallowed from being an owner"},
        {"ownerReferences: [{apiVersion: v1, kind: A, name: a, uid: b, controller: true}, "
         "{apiVersion: v1, kind: B, name: b, uid: c, controller: true}]",
         "metadata.ownerReferences: Invalid value: [{\"kind\":\"A\",\"name\":\"a\",\"uid\":\"b\",\"apiVersion\":"
         "\"v1\",\"controller\":true},{\"kind\":\"B\",\"name\":\"b\",\"uid\":\"c\",\"apiVersion\":\"v1\","
         "\"controller\":true}]: Only one reference can have Controller set to true. Found \"true\" in references "
         "for A/a and B/b"},
        {"finalizers: [kubernetes, example.com/a]", ""},
        {"finalizers: [a]",
         "metadata.finalizers[0]: Invalid value: \"a\": name is neither a standard finalizer name nor is it fully "
         "qualified"},
        {"finalizers: [orphan, foregroundDeletion]",
         "metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: finalizer orphan and "
         "foregroundDeletion cannot be both set"},
        {"finalizers: ['a/b/c']", "metadata.finalizers: Invalid value: \"a/b/c\": a valid label key must..."},
        {"managedFields: [{manager: kubectl, operation: Apply, fieldsType: FieldsV1}]", ""},
        {"managedFields: [{manager: \"a\\x07\", operation: Delete, fieldsType: X}]",
         "[metadata.managedFields[0].operation: Invalid value: \"Delete\": must be `Apply` or `Update`, "
         "metadata.managedFields[0].fieldsType: Invalid value: \"X\": must be `FieldsV1`, "
         "metadata.managedFields[0].manager: Invalid value: \"a\\u0007\": invalid character U+0007 (at position 1)]"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check(created(&f, kind("v1", "ConfigMap"), "{name: a, namespace: ns}", cases[i].more), cases[i].want);
    /* Definitions of custom resources are not as strict. */
    CHECK_STR(created(&f, kind("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "{name: a}",
                      "finalizers: [a]"),
              "");
}

static str of_size(struct fixture *f, size_t n)
{
    char *p = arena_alloc(&f->a, n, 1);
    memset(p, 'a', n);
    return str_of(p, n);
}

TEST(annotations_managers_and_subresources_are_bounded)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    const struct field_path path = field_path_name(NULL, S("annotations"));
    struct field_errors errors;
    for (size_t over = 0; over < 2; over++) {
        struct str_map_entry entry = {.key = S("a"), .value = of_size(&f, ANNOTATIONS_SIZE_MAX - 1 + over)};
        struct str_map annotations = {.items = &entry, .count = 1};
        field_errors_init(&errors, &f.a);
        rules_annotations(&errors, &path, &annotations);
        CHECK_STR(printed(&f, &errors),
                  over ? "annotations: Too long: may not be more than 262144 bytes" : "");
        field_errors_init(&errors, &f.a);
        metadata_check_manager(&errors, &path, of_size(&f, METADATA_MANAGER_SIZE_MAX + over));
        CHECK_STR(printed(&f, &errors), over ? "annotations: Too long: may not be more than 128 bytes" : "");
    }
    struct managed_fields_entry entry = {.operation = S("Update"), .subresource = of_size(&f, 257)};
    struct object_meta m = {.name = S("a"), .managed_fields = {.items = &entry, .count = 1}};
    field_errors_init(&errors, &f.a);
    metadata_validate(&schema_builtin, kind("v1", "Node"), &m, &errors);
    CHECK_STR(printed(&f, &errors),
              "metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes");
}

TEST(what_names_an_object_does_not_change)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    static const struct {
        const char *old, *updated, *want;
    } cases[] = {
        {"{}", "{labels: {a: b}, annotations: {c: d}, finalizers: [x/y]}", ""},
        {"{}", "{resourceVersion: null}",
         "metadata.resourceVersion: Invalid value: \"\": must be specified for an update"},
        {"{generation: 3}", "{generation: 2}",
         "metadata.generation: Invalid value: 2: must not be decremented"},
        {"{}", "{name: b}", "metadata.name: Invalid value: \"b\": field is immutable"},
        {"{}", "{namespace: m}", "metadata.namespace: Invalid value: \"m\": field is immutable"},
        {"{uid: u}", "{uid: v}", "metadata.uid: Invalid value: \"v\": field is immutable"},
        {"{}", "{creationTimestamp: '2020-01-02T03:04:05Z'}",
         "metadata.creationTimestamp: Invalid value: \"2020-01-02T03:04:05Z\": field is immutable"},
        {"{deletionTimestamp: '2020-01-02T03:04:05Z', deletionGracePeriodSeconds: 1}", "{a: b}",
         "[metadata.deletionTimestamp: Invalid value: null: field is immutable, "
         "metadata.deletionGracePeriodSeconds: Invalid value: null: field is immutable]"},
        {"{deletionGracePeriodSeconds: 1}", "{deletionGracePeriodSeconds: 2}",
         "metadata.deletionGracePeriodSeconds: Invalid value: 2: field is immutable"},
        {"{deletionTimestamp: '2020-01-02T03:04:05Z', finalizers: [a/a]}",
         "{deletionTimestamp: '2020-01-02T03:04:05Z', finalizers: [a/a, c/c, b/b]}",
         "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new "
         "finalizers []string{\"b/b\", \"c/c\"}"},
        {"{deletionTimestamp: '2020-01-02T03:04:05Z', finalizers: [a/a, b/b]}",
         "{deletionTimestamp: '2020-01-02T03:04:05Z', finalizers: [b/b]}", ""},
        {"{}", "{labels: {a: '-'}}", "metadata.labels: Invalid value: \"-\": a valid label must be..."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct object_meta old, updated;
        struct field_errors errors;
        static const char base[] = "{name: a, namespace: ns, resourceVersion: '1'}";
        decode(&f, base, cases[i].old, &old);
        decode(&f, base, cases[i].updated, &updated);
        field_errors_init(&errors, &f.a);
        metadata_validate_update(&schema_builtin, kind("v1", "ConfigMap"), &updated, &old, &errors);
        check(printed(&f, &errors), cases[i].want);
    }
}

TEST(a_generated_name_fits_a_label_and_ends_in_five_letters)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    CHECK_STR(metadata_generated_name(&f.a, S("web-"), 0), "web-bbbbb");
    CHECK_STR(metadata_generated_name(&f.a, S("web-"), 26 + 27 * 25), "web-98bbb");
    str name = metadata_generated_name(&f.a, of_size(&f, 200), test_seed());
    CHECK_EQ(name.n, 63);
    CHECK(name_check_dns1123_label(name, NULL));
    CHECK(str_starts(name, of_size(&f, 58)));
}
