/* openapi_test.c - the OpenAPI documents, against facts of the original's. */
#include "api/catalog_testing.h"
#include "api/discovery.h"
#include "api/openapi_priv.h"
#include "harness/test.h"
#include "wire/json.h"
#include "wire/protobuf.h"

enum { DOCUMENT_MAX = 64 << 20 };

struct document {
    struct arena arena;
    struct buf text;
    struct json tree;
    bool v3;
};

static void document_done(struct document *d)
{
    buf_done(&d->text);
    arena_done(&d->arena);
}
#define DOCUMENT CLEANUP(document_done) struct document

static void document_init(struct document *d, bool v3)
{
    *d = (struct document){.v3 = v3};
    arena_init(&d->arena, 0);
    buf_init(&d->text, DOCUMENT_MAX);
}

static void document_parse(struct document *d)
{
    struct json_opts opts = {.flags = JSON_DUPLICATES_ERROR};
    CHECK(!d->text.failed);
    CHECK_OK(json_parse(&d->arena, buf_str(&d->text), &opts, &d->tree, &e));
}

static void make_v3(struct document *d, const struct catalog *c, const char *group, const char *version)
{
    document_init(d, true);
    openapi_v3(&d->text, c, catalog_version(c, str_from_c(group), str_from_c(version)));
    document_parse(d);
}

static void make_v2(struct document *d, const struct catalog *c)
{
    document_init(d, false);
    openapi_v2(&d->text, c);
    document_parse(d);
}

static const struct json *definitions(const struct document *d)
{
    return d->v3 ? json_get(&d->tree, S("components"), S("schemas")) : json_find(&d->tree, S("definitions"));
}

static str printed(struct document *d, const struct json *j)
{
    struct buf b;
    CHECK(j);
    buf_init_arena(&b, &d->arena, DOCUMENT_MAX);
    json_print(&b, j, JSON_SORTED);
    return buf_str(&b);
}

/* Without its description, which is ours to word. */
static str definition_text(struct document *d, const char *name)
{
    struct json *j = json_find(definitions(d), str_from_c(name));
    CHECK(j);
    json_remove(j, S("description"));
    struct json *properties = json_find(j, S("properties"));
    for (size_t i = 0; i < json_count(properties); i++)
        json_remove(&properties->v.members[i].value, S("description"));
    return printed(d, j);
}

static str property_text(struct document *d, const char *type, const char *property)
{
    struct json *j = json_get(definitions(d), str_from_c(type), S("properties"), str_from_c(property));
    if (!j)
        FAIL("%s has no %s", type, property);
    json_remove(j, S("description"));
    return printed(d, j);
}

static const struct json *operation(const struct document *d, const char *path, const char *method)
{
    const struct json *op = json_get(&d->tree, S("paths"), str_from_c(path), str_from_c(method));
    if (!op)
        FAIL("there is no %s %s", method, path);
    return op;
}

/* "continue dryRun": names, or what is referred to up to the hash. */
static str param_names(struct document *d, const struct json *list)
{
    struct buf b;
    buf_init_arena(&b, &d->arena, 4096);
    for (size_t i = 0; i < json_count(list); i++) {
        str name = json_str(json_find(json_at(list, i), S("name")));
        str ref = json_str(json_find(json_at(list, i), S("$ref")));
        if (i)
            buf_add_c(&b, ' ');
        if (str_take_prefix(&ref, S("#/parameters/")))
            name = str_slice(ref, 0, ref.n - 9);
        buf_add(&b, name);
    }
    return buf_str(&b);
}

/* --- every reference leads somewhere, every operation has a name of its own --- */

static void check_refs(const struct json *root, const struct json *j)
{
    for (size_t i = 0; i < json_count(j); i++) {
        const struct json *inner = j->type == JSON_ARRAY ? json_at(j, i) : &j->v.members[i].value;
        bool is_ref = j->type == JSON_OBJECT && str_is(json_member_name(&j->v.members[i]), "$ref");
        if (!is_ref || inner->type != JSON_STRING) { /* a property of JSON schemas has that name too */
            check_refs(root, inner);
            continue;
        }
        const struct json *at = root;
        str rest = json_str(inner), name;
        CHECK(str_take_prefix(&rest, S("#/")));
        while (str_next(&rest, '/', &name))
            at = json_find(at, name);
        if (!at)
            FAIL("%" STR_FMT " leads nowhere", STR_ARG(json_str(inner)));
    }
}

static void check_operations(const struct document *d)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json seen = json_object();
    const struct json *paths = json_find(&d->tree, S("paths"));
    for (size_t i = 0; i < json_count(paths); i++) {
        const struct json *item = &paths->v.members[i].value;
        for (size_t j = 0; j < json_count(item); j++) {
            if (str_is(json_member_name(&item->v.members[j]), "parameters"))
                continue;
            str id = json_str(json_find(&item->v.members[j].value, S("operationId")));
            CHECK(id.n);
            if (json_find(&seen, id))
                FAIL("two operations are called %" STR_FMT, STR_ARG(id));
            json_add(&a, &seen, id, json_null());
        }
    }
}

TEST(openapi_v3_documents_refer_to_nothing_that_is_not_there)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    for (size_t i = 0; i < c->group_count; i++) {
        for (size_t j = 0; j < c->groups[i].version_count; j++) {
            DOCUMENT d;
            document_init(&d, true);
            openapi_v3(&d.text, c, &c->groups[i].versions[j]);
            document_parse(&d);
            check_refs(&d.tree, &d.tree);
            check_operations(&d);
        }
    }
}

TEST(openapi_v2_refers_to_nothing_that_is_not_there)
{
    struct custom_kind custom = custom_widget(S("v1"));
    custom.kind.openapi = S("{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\"}}}");
    CATALOG c = catalog_new(&custom, 1, 1);
    DOCUMENT d;
    make_v2(&d, c);
    check_refs(&d.tree, &d.tree);
    check_operations(&d);
    CHECK_STR(json_str(json_find(&d.tree, S("swagger"))), "2.0");
}

/* --- the facts --- */

struct table {
    str text;
    str columns[64];
    size_t count;
};

static bool next_row(struct table *t)
{
    str line;
    if (!str_next(&t->text, '\n', &line) || line.n == 0)
        return false;
    t->count = 0;
    while (t->count < ARRAY_COUNT(t->columns) && str_next(&line, '\t', &t->columns[t->count]))
        t->count++;
    return true;
}

/* pod/v1 -> the package of its definitions, as the tables name packages. */
static str definition_name(struct arena *a, str package, str message)
{
    const char *prefix = str_is(package, "meta/v1") ? "io.k8s.apimachinery.pkg.apis."
                         : str_starts(package, S("apiextensions/"))
                             ? "io.k8s.apiextensions-apiserver.pkg.apis."
                         : str_starts(package, S("apiregistration/")) ? "io.k8s.kube-aggregator.pkg.apis."
                                                                      : "io.k8s.api.";
    size_t slash = str_index_c(package, '/');
    return str_format(a, "%s%" STR_FMT ".%" STR_FMT ".%" STR_FMT, prefix,
                      STR_ARG(str_slice(package, 0, slash)), STR_ARG(str_from(package, slash + 1)),
                      STR_ARG(message));
}

TEST(openapi_has_every_field_of_the_reference_tables)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT d;
    make_v2(&d, c);
    struct table t = {.text = test_read_file(test_reference_path("api/fields.tsv"))};
    size_t checked = 0;
    next_row(&t);
    CHECK_STR(t.columns[1], "message");
    while (next_row(&t)) {
        str message = t.columns[1], name = t.columns[2], inlined = t.columns[9];
        const struct json *type = json_find(definitions(&d),
                                            definition_name(&d.arena, t.columns[0], message));
        const struct json *properties = json_find(type, S("properties"));
        if (!properties || str_is(name, "-") || str_is(inlined, "yes"))
            continue;
        if (!json_find(properties, name))
            FAIL("%" STR_FMT " has no %" STR_FMT, STR_ARG(message), STR_ARG(name));
        bool required = false;
        const struct json *list = json_find(type, S("required"));
        for (size_t i = 0; i < json_count(list); i++)
            required |= str_eq(json_str(json_at(list, i)), name);
        if (required != str_is(t.columns[11], "required"))
            FAIL("%" STR_FMT ".%" STR_FMT " should be %" STR_FMT, STR_ARG(message), STR_ARG(name),
                 STR_ARG(t.columns[11]));
        checked++;
    }
    CHECK_GT(checked, 2000);
}

TEST(openapi_has_every_kind_of_the_reference_tables_with_its_list)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT d;
    make_v2(&d, c);
    struct table t = {.text = test_read_file(test_reference_path("api/kinds.tsv"))};
    size_t checked = 0;
    next_row(&t);
    CHECK_STR(t.columns[3], "kind");
    while (next_row(&t)) {
        str group = t.columns[0], version = t.columns[1], kind = t.columns[3];
        if (!str_is(t.columns[2], "GA") || !str_is(t.columns[8], "resource"))
            continue;
        const struct schema_kind_info *k = schema_resource_find(&schema_builtin, group, version,
                                                                t.columns[4]);
        CHECK(k);
        str package = schema_text(&schema_builtin, schema_builtin.packages[k->package].name);
        const struct json *type = json_find(definitions(&d), definition_name(&d.arena, package, kind));
        CHECK(type);
        const struct json *gvk = json_at(json_find(type, S("x-kubernetes-group-version-kind")), 0);
        CHECK_STR(json_str(json_find(gvk, S("group"))), group);
        CHECK_STR(json_str(json_find(gvk, S("version"))), version);
        CHECK_STR(json_str(json_find(gvk, S("kind"))), kind);
        if (t.columns[12].n)
            CHECK(json_find(definitions(&d), definition_name(&d.arena, package, t.columns[12])));
        checked++;
    }
    CHECK_EQ(checked, 68);
}

/* --- shapes --- */

#define V3_REF(name) "\"$ref\":\"#/components/schemas/" name "\""
#define META         "io.k8s.apimachinery.pkg.apis.meta.v1."
#define CORE         "io.k8s.api.core.v1."

TEST(openapi_v3_describes_properties_as_the_original_does)
{
    static const struct {
        const char *type, *property, *want;
    } rows[] = {
        {CORE "Pod", "metadata", "{\"allOf\":[{" V3_REF(META "ObjectMeta") "}],\"default\":{}}"},
        {CORE "Pod", "spec", "{\"allOf\":[{" V3_REF(CORE "PodSpec") "}],\"default\":{}}"},
        {CORE "PodList", "items", "{\"items\":{" V3_REF(CORE "Pod") "},\"type\":\"array\"}"},
        {CORE "PodList", "metadata", "{\"allOf\":[{" V3_REF(META "ListMeta") "}],\"default\":{}}"},
        {META "ObjectMeta", "creationTimestamp", "{\"allOf\":[{" V3_REF(META "Time") "}]}"},
        {META "ObjectMeta", "labels", "{\"additionalProperties\":{\"type\":\"string\"},\"type\":\"object\"}"},
        {META "ObjectMeta", "generation", "{\"format\":\"int64\",\"type\":\"integer\"}"},
        {META "ObjectMeta", "finalizers",
         "{\"items\":{\"type\":\"string\"},\"type\":\"array\",\"x-kubernetes-list-type\":\"set\","
         "\"x-kubernetes-patch-strategy\":\"merge\"}"},
        {META "ObjectMeta", "ownerReferences",
         "{\"items\":{" V3_REF(
             META
             "OwnerReference") "},\"type\":\"array\",\"x-kubernetes-list-map-keys\":[\"uid\"],"
                               "\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-patch-merge-key\":\"uid\","
                               "\"x-kubernetes-patch-strategy\":\"merge\"}"},
        {CORE "Container", "name", "{\"default\":\"\",\"type\":\"string\"}"},
        {CORE "Container", "stdin", "{\"type\":\"boolean\"}"},
        {CORE "Container", "imagePullPolicy",
         "{\"enum\":[\"Always\",\"IfNotPresent\",\"Never\"],\"type\":\"string\"}"},
        {CORE "Container", "ports",
         "{\"items\":{" V3_REF(
             CORE
             "ContainerPort") "},\"type\":\"array\",\"x-kubernetes-list-map-keys\":["
                              "\"containerPort\",\"protocol\"],\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-patch-merge-key\":"
                              "\"containerPort\",\"x-kubernetes-patch-strategy\":\"merge\"}"},
        {CORE "ContainerPort", "containerPort", "{\"default\":0,\"format\":\"int32\",\"type\":\"integer\"}"},
        {CORE "ContainerPort", "protocol",
         "{\"default\":\"TCP\",\"enum\":[\"SCTP\",\"TCP\",\"UDP\"],\"type\":\"string\"}"},
        {CORE "PodSpec", "volumes",
         "{\"items\":{" V3_REF(
             CORE "Volume") "},\"type\":\"array\",\"x-kubernetes-list-map-keys\":[\"name\"],"
                            "\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-patch-merge-key\":\"name\","
                            "\"x-kubernetes-patch-strategy\":\"merge,retainKeys\"}"},
        {CORE "PodSpec", "nodeSelector",
         "{\"additionalProperties\":{\"type\":\"string\"},\"type\":\"object\",\"x-kubernetes-map-type\":\"atomic\"}"},
        {CORE "HTTPGetAction", "port",
         "{\"allOf\":[{" V3_REF("io.k8s.apimachinery.pkg.util.intstr.IntOrString") "}]}"},
        {CORE "GRPCAction", "service", "{\"default\":\"\",\"type\":\"string\"}"},
        {CORE "ResourceRequirements", "limits",
         "{\"additionalProperties\":{" V3_REF(
             "io.k8s.apimachinery.pkg.api.resource.Quantity") "},\"type\":\"object\"}"},
        {CORE "Secret", "data",
         "{\"additionalProperties\":{\"format\":\"byte\",\"type\":\"string\"},\"type\":\"object\"}"},
        {CORE "PersistentVolumeClaimSpec", "accessModes",
         "{\"items\":{\"enum\":[\"ReadOnlyMany\",\"ReadWriteMany\",\"ReadWriteOnce\",\"ReadWriteOncePod\"],\"type\":"
         "\"string\"},\"type\":\"array\",\"x-kubernetes-list-type\":\"atomic\"}"},
    };
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT d;
    make_v3(&d, c, "", "v1");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        CHECK_STR(property_text(&d, rows[i].type, rows[i].property), rows[i].want);
}

TEST(openapi_v3_writes_whole_types_as_the_original_does)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT core, flow, apps;
    make_v3(&core, c, "", "v1");
    CHECK_STR(
        definition_text(&core, CORE "SeccompProfile"),
        "{\"properties\":{\"localhostProfile\":{\"type\":\"string\"},\"type\":{\"default\":\"\",\"enum\":["
        "\"Localhost\",\"RuntimeDefault\",\"Unconfined\"],\"type\":\"string\"}},\"required\":[\"type\"],"
        "\"type\":\"object\",\"x-kubernetes-unions\":[{\"discriminator\":\"type\",\"fields-to-discriminateBy\":{"
        "\"localhostProfile\":\"LocalhostProfile\"}}]}");
    CHECK_STR(
        definition_text(&core, META "LabelSelector"),
        "{\"properties\":{\"matchExpressions\":{\"items\":{" V3_REF(
            META
            "LabelSelectorRequirement") "},\"type\":\"array\",\"x-kubernetes-list-type\":\"atomic\"},"
                                        "\"matchLabels\":{\"additionalProperties\":{\"type\":\"string\"},"
                                        "\"type\":\"object\"}},\"type\":\"object\","
                                        "\"x-kubernetes-map-type\":\"atomic\"}");
    CHECK_STR(definition_text(&core, "io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
              "{\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}");
    CHECK_STR(definition_text(&core, "io.k8s.apimachinery.pkg.api.resource.Quantity"),
              "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}");
    CHECK_STR(definition_text(&core, META "Time"), "{\"format\":\"date-time\",\"type\":\"string\"}");
    CHECK_STR(definition_text(&core, META "Patch"), "{\"type\":\"object\"}");
    make_v3(&flow, c, "flowcontrol.apiserver.k8s.io", "v1");
    CHECK_CONTAINS(
        definition_text(&flow, "io.k8s.api.flowcontrol.v1.Subject"),
        "\"x-kubernetes-unions\":[{\"discriminator\":\"kind\",\"fields-to-discriminateBy\":{\"group\":"
        "\"Group\",\"serviceAccount\":\"ServiceAccount\",\"user\":\"User\"}}]");
    make_v3(&apps, c, "apps", "v1");
    CHECK_STR(
        property_text(&apps, "io.k8s.api.apps.v1.DeploymentSpec", "strategy"),
        "{\"allOf\":[{" V3_REF("io.k8s.api.apps.v1.DeploymentStrategy") "}],\"default\":{},"
                                                                        "\"x-kubernetes-patch-strategy\":"
                                                                        "\"retainKeys\"}");
    CHECK_CONTAINS(definition_text(&apps, "io.k8s.api.autoscaling.v1.Scale"),
                   "[{\"group\":\"autoscaling\",\"kind\":\"Scale\",\"version\":\"v1\"}]");
}

TEST(openapi_v2_says_what_v2_can)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT d;
    make_v2(&d, c);
    CHECK_STR(property_text(&d, CORE "Pod", "metadata"), "{\"$ref\":\"#/definitions/" META "ObjectMeta\"}");
    CHECK_STR(property_text(&d, CORE "Container", "name"), "{\"type\":\"string\"}");
    CHECK_STR(property_text(&d, CORE "ContainerPort", "protocol"),
              "{\"enum\":[\"SCTP\",\"TCP\",\"UDP\"],\"type\":\"string\"}");
    CHECK_STR(definition_text(&d, "io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
              "{\"format\":\"int-or-string\",\"type\":\"string\"}");
    CHECK_STR(definition_text(&d, "io.k8s.apimachinery.pkg.api.resource.Quantity"), "{\"type\":\"string\"}");
    CHECK_EQ(str_index(buf_str(&d.text), S("allOf\":[")), SIZE_MAX);
}

TEST(openapi_knows_delete_options_in_every_built_in_version)
{
    struct custom_kind custom = custom_widget(S("v1"));
    CATALOG c = catalog_new(&custom, 1, 1);
    DOCUMENT d;
    make_v3(&d, c, "apps", "v1");
    const struct json *kinds = json_get(definitions(&d), S(META "DeleteOptions"),
                                        S("x-kubernetes-group-version-kind"));
    CHECK_EQ(json_count(kinds), 22);
    CHECK_STR(printed(&d, json_at(kinds, 0)),
              "{\"group\":\"\",\"kind\":\"DeleteOptions\",\"version\":\"v1\"}");
    CHECK_STR(printed(&d, json_at(kinds, 21)),
              "{\"group\":\"storage.k8s.io\",\"kind\":\"DeleteOptions\",\"version\":\"v1\"}");
}

TEST(openapi_explains_the_values_of_an_enum_in_the_description)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT d;
    make_v3(&d, c, "", "v1");
    str text = json_str(json_get(definitions(&d), S(CORE "Container"), S("properties"), S("imagePullPolicy"),
                                 S("description")));
    CHECK_CONTAINS(text, "\n\nPossible enum values:\n - `\"Always\"` ");
    CHECK_CONTAINS(text, "\n - `\"Never\"` ");
}

/* --- paths --- */

TEST(openapi_names_operations_as_the_original_does)
{
    static const struct {
        const char *path, *method, *id, *action, *tag;
    } rows[] = {
        {"/api/v1/namespaces/{namespace}/pods", "get", "listCoreV1NamespacedPod", "list", "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods", "post", "createCoreV1NamespacedPod", "post", "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods", "delete", "deleteCoreV1CollectionNamespacedPod",
         "deletecollection", "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}", "get", "readCoreV1NamespacedPod", "get", "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}", "put", "replaceCoreV1NamespacedPod", "put", "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}", "patch", "patchCoreV1NamespacedPod", "patch",
         "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}", "delete", "deleteCoreV1NamespacedPod", "delete",
         "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}/eviction", "post", "createCoreV1NamespacedPodEviction",
         "post", "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}/ephemeralcontainers", "patch",
         "patchCoreV1NamespacedPodEphemeralcontainers", "patch", "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}/log", "get", "readCoreV1NamespacedPodLog", "get",
         "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}/exec", "post", "connectCoreV1PostNamespacedPodExec",
         "connect", "core_v1"},
        {"/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}", "options",
         "connectCoreV1OptionsNamespacedPodProxyWithPath", "connect", "core_v1"},
        {"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", "post",
         "createCoreV1NamespacedServiceAccountToken", "post", "core_v1"},
        {"/api/v1/nodes", "delete", "deleteCoreV1CollectionNode", "deletecollection", "core_v1"},
        {"/api/v1/pods", "get", "listCoreV1PodForAllNamespaces", "list", "core_v1"},
        {"/api/v1/watch/pods", "get", "watchCoreV1PodListForAllNamespaces", "watchlist", "core_v1"},
        {"/api/v1/watch/namespaces/{namespace}/pods", "get", "watchCoreV1NamespacedPodList", "watchlist",
         "core_v1"},
        {"/api/v1/watch/namespaces/{namespace}/pods/{name}", "get", "watchCoreV1NamespacedPod", "watch",
         "core_v1"},
        {"/api/v1/watch/namespaces/{name}", "get", "watchCoreV1Namespace", "watch", "core_v1"},
        {"/api/v1/namespaces/{name}/finalize", "put", "replaceCoreV1NamespaceFinalize", "put", "core_v1"},
        {"/apis/rbac.authorization.k8s.io/v1/clusterroles", "post", "createRbacAuthorizationV1ClusterRole",
         "post", "rbacAuthorization_v1"},
        {"/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/{name}/status", "get",
         "readFlowcontrolApiserverV1FlowSchemaStatus", "get", "flowcontrolApiserver_v1"},
        {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "post",
         "createAuthorizationV1SelfSubjectAccessReview", "post", "authorization_v1"},
        {"/apis/apps/v1/", "get", "getAppsV1APIResources", "", "apps_v1"},
        {"/api/v1/", "get", "getCoreV1APIResources", "", "core_v1"},
        {"/apis/storage.k8s.io/", "get", "getStorageAPIGroup", "", "storage"},
        {"/apis/", "get", "getAPIVersions", "", "apis"},
        {"/api/", "get", "getCoreAPIVersions", "", "core"},
        {"/version/", "get", "getCodeVersion", "", "version"},
    };
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT d;
    make_v2(&d, c);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct json *op = operation(&d, rows[i].path, rows[i].method);
        CHECK_STR(json_str(json_find(op, S("operationId"))), rows[i].id);
        CHECK_STR(json_str(json_find(op, S("x-kubernetes-action"))), rows[i].action);
        CHECK_STR(json_str(json_at(json_find(op, S("tags")), 0)), rows[i].tag);
    }
}

TEST(openapi_gives_operations_the_parameters_of_the_original)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT v3, v2;
    make_v3(&v3, c, "policy", "v1");
    make_v2(&v2, c);
#define PDB "/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    static const struct {
        const char *path, *method, *v3, *v2;
    } rows[] = {
        {PDB, "post", "dryRun fieldManager fieldValidation", "body dryRun fieldManager fieldValidation"},
        {PDB, "delete",
         "continue dryRun fieldSelector gracePeriodSeconds ignoreStoreReadErrorWithClusterBreakingPotential "
         "labelSelector limit orphanDependents propagationPolicy resourceVersion resourceVersionMatch "
         "sendInitialEvents shardSelector timeoutSeconds",
         "body continue dryRun fieldSelector gracePeriodSeconds ignoreStoreReadErrorWithClusterBreakingPotential "
         "labelSelector limit orphanDependents propagationPolicy resourceVersion resourceVersionMatch "
         "sendInitialEvents shardSelector timeoutSeconds"},
        {PDB "/{name}", "patch", "dryRun fieldManager fieldValidation force",
         "body dryRun fieldManager fieldValidation force"},
        {PDB "/{name}", "put", "dryRun fieldManager fieldValidation",
         "body dryRun fieldManager fieldValidation"},
        {PDB "/{name}", "get", "", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct json *op = operation(&v3, rows[i].path, rows[i].method);
        CHECK_STR(param_names(&v3, json_find(op, S("parameters"))), rows[i].v3);
        op = operation(&v2, rows[i].path, rows[i].method);
        CHECK_STR(param_names(&v2, json_find(op, S("parameters"))), rows[i].v2);
    }
    CHECK_STR(param_names(&v3, operation(&v3, PDB "/{name}", "parameters")), "name namespace pretty");
    CHECK_STR(param_names(&v2, operation(&v2, PDB "/{name}", "parameters")), "name namespace pretty");
    CHECK_STR(param_names(&v3, operation(&v3, "/apis/policy/v1/poddisruptionbudgets", "parameters")),
              "allowWatchBookmarks continue fieldSelector labelSelector limit pretty resourceVersion "
              "resourceVersionMatch sendInitialEvents shardSelector timeoutSeconds watch");
    CHECK_STR(
        param_names(&v2, operation(&v2, "/api/v1/namespaces/{namespace}/pods/{name}/exec", "parameters")),
        "command container name namespace stderr stdin stdout tty");
    CHECK_STR(param_names(&v2, operation(&v2, "/api/v1/nodes/{name}/proxy/{path}", "parameters")),
              "name path path");
    CHECK_STR(
        param_names(&v2, operation(&v2, "/api/v1/namespaces/{namespace}/pods/{name}/eviction", "parameters")),
        "dryRun fieldManager fieldValidation name namespace pretty");
}

TEST(openapi_says_what_goes_in_and_what_comes_out)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT d, v2;
    make_v3(&d, c, "", "v1");
#define PODS "/api/v1/namespaces/{namespace}/pods"
    const struct json *patch = operation(&d, PODS "/{name}", "patch");
    const struct json *content = json_get(patch, S("requestBody"), S("content"));
    CHECK_EQ(json_count(content), 4);
    CHECK_STR(printed(&d, json_find(content, S("application/apply-patch+yaml"))),
              "{\"schema\":{" V3_REF(META "Patch") "}}");
    CHECK(json_bool(json_get(patch, S("requestBody"), S("required"))));
    CHECK_STR(
        printed(&d, json_get(patch, S("responses"), S("201"))),
        "{\"content\":{\"application/json\":{\"schema\":{" V3_REF(CORE "Pod") "}},\"application/vnd.kubernetes.protobuf\":{\"schema\":{" V3_REF(
            CORE "Pod") "}},\"application/yaml\":{\"schema\":{" V3_REF(CORE "Pod") "}}},\"description\":"
                                                                                   "\"Created\"}");
    CHECK_STR(printed(&d, json_get(patch, S("responses"), S("401"))), "{\"description\":\"Unauthorized\"}");
    /* A pod that is deleted comes back, a secret does not. */
    const struct json *gone = operation(&d, PODS "/{name}", "delete");
    CHECK_CONTAINS(printed(&d, json_get(gone, S("responses"), S("202"))), V3_REF(CORE "Pod"));
    gone = operation(&d, "/api/v1/namespaces/{namespace}/secrets/{name}", "delete");
    CHECK_CONTAINS(printed(&d, json_get(gone, S("responses"), S("200"))), V3_REF(META "Status"));
    CHECK(!json_get(gone, S("requestBody"), S("required")));
    const struct json *list = operation(&d, PODS, "get");
    CHECK(json_get(list, S("responses"), S("200"), S("content"), S("application/json;stream=watch")));
    make_v2(&v2, c);
    const struct json *log = operation(&v2, PODS "/{name}/log", "get");
    CHECK_STR(printed(&v2, json_get(log, S("responses"), S("200"), S("schema"))), "{\"type\":\"string\"}");
    CHECK_STR(printed(&v2, json_find(operation(&v2, PODS "/{name}/exec", "get"), S("produces"))),
              "[\"*/*\"]");
    const struct json *bind = operation(&v2, PODS "/{name}/binding", "post");
    CHECK_STR(
        printed(&v2, json_at(json_find(bind, S("parameters")), 0)),
        "{\"in\":\"body\",\"name\":\"body\",\"required\":true,\"schema\":{\"$ref\":\"#/definitions/" CORE
        "Binding\"}}");
}

TEST(openapi_v2_keeps_each_parameter_under_one_name)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    DOCUMENT d;
    make_v2(&d, c);
    const struct json *params = json_find(&d.tree, S("parameters"));
    CHECK_GT(json_count(params), 30);
    for (size_t i = 0; i < json_count(params); i++)
        for (size_t j = 0; j < i; j++)
            CHECK(!json_equal(&params->v.members[i].value, &params->v.members[j].value));
}

/* --- the index --- */

TEST(openapi_index_names_every_document_with_its_hash)
{
    struct custom_kind custom = custom_widget(S("v1"));
    CATALOG c = catalog_new(&custom, 1, 1);
    DOCUMENT d;
    document_init(&d, true);
    openapi_v3_index(&d.text, c);
    document_parse(&d);
    const struct json *paths = json_find(&d.tree, S("paths"));
    CHECK_EQ(json_count(paths), 5 + 1 + 20 + 21 + 1);
    for (size_t i = 0; i < json_count(paths); i++) {
        str path = json_member_name(&paths->v.members[i]);
        str url = json_str(json_find(&paths->v.members[i].value, S("serverRelativeURL")));
        CHECK(str_starts(url, str_concat(&d.arena, S("/openapi/v3/"), path)));
        CHECK_CONTAINS(url, "?hash=");
        DOCUMENT one;
        document_init(&one, true);
        CHECK(openapi_v3_find(&one.text, c, path));
        document_parse(&one);
        check_refs(&one.tree, &one.tree);
    }
    CHECK(json_find(paths, S("api/v1")));
    CHECK(json_find(paths, S("apis/example.com/v1")));
    CHECK(!json_find(paths, S("apis/example.com")));
}

TEST(openapi_index_has_another_hash_for_another_content)
{
    struct custom_kind custom = custom_widget(S("v1"));
    CATALOG c1 = catalog_new(&custom, 1, 1);
    custom.kind.openapi = S("{\"type\":\"object\",\"description\":\"new\"}");
    CATALOG c2 = catalog_new(&custom, 1, 2);
    DOCUMENT d1, d2;
    document_init(&d1, true);
    document_init(&d2, true);
    openapi_v3_index(&d1.text, c1);
    openapi_v3_index(&d2.text, c2);
    document_parse(&d1);
    document_parse(&d2);
    str custom_path = S("apis/example.com/v1"), other = S("apis/apps/v1");
    CHECK(!json_equal(json_get(&d1.tree, S("paths"), custom_path),
                      json_get(&d2.tree, S("paths"), custom_path)));
    CHECK(json_equal(json_get(&d1.tree, S("paths"), other), json_get(&d2.tree, S("paths"), other)));
}

TEST(openapi_has_no_document_of_what_is_not_served)
{
    static const char *const paths[] = {"",           "api/v2", "api/",         "apis/",    "apis/apps/v2",
                                        "apis/apps/", "apis//", "apis/nothing", "api/v1/x", "apis/apps/v1/"};
    CATALOG c = catalog_new(NULL, 0, 1);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        DOCUMENT d;
        document_init(&d, true);
        if (openapi_v3_find(&d.text, c, str_from_c(paths[i])))
            FAIL("there is a document '%s'", paths[i]);
        CHECK_EQ(d.text.n, 0);
    }
}

TEST(openapi_stops_at_the_buffers_maximum)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    CLEANUP(buf_done) struct buf small;
    buf_init(&small, 100000);
    openapi_v2(&small, c);
    CHECK(small.failed);
    buf_clear(&small);
    openapi_v2_protobuf(&small, c);
    CHECK(small.failed);
    buf_clear(&small);
    openapi_v3(&small, c, catalog_version(c, S(""), S("v1")));
    CHECK(small.failed);
}

/* --- custom kinds --- */

static const str custom_schema = S_INIT(
    "{\"type\":\"object\",\"description\":\"A widget.\",\"required\":[\"spec\"],\"properties\":{"
    "\"apiVersion\":{\"type\":\"string\"},\"kind\":{\"type\":\"string\"},\"metadata\":{\"type\":\"object\"},"
    "\"spec\":{\"type\":\"object\",\"required\":[\"size\",\"maybe\"],\"properties\":{"
    "\"size\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9.5,\"default\":3},"
    "\"maybe\":{\"type\":\"string\",\"nullable\":true,\"enum\":[\"a\",null]},"
    "\"port\":{\"x-kubernetes-int-or-string\":true,\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]},"
    "\"free\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,\"properties\":{\"x\":{\"type\":"
    "\"string\"}}},"
    "\"inner\":{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,\"properties\":{\"spec\":{\"type\":"
    "\"object\"}}},"
    "\"list\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"name\"],"
    "\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"nullable\":true}}}},"
    "\"byName\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"maxLength\":5}}"
    "}}}}");

static const struct catalog *widget_catalog(str openapi)
{
    struct custom_kind custom = custom_widget(S("v1"));
    custom.kind.openapi = openapi;
    return catalog_new(&custom, 1, 1);
}

#define WIDGET "com.example.v1.Widget"

TEST(openapi_v3_publishes_a_custom_schema_with_what_all_objects_have)
{
    CATALOG c = widget_catalog(custom_schema);
    DOCUMENT d;
    make_v3(&d, c, "example.com", "v1");
    const struct json *widget = json_find(definitions(&d), S(WIDGET));
    CHECK_STR(printed(&d, json_find(widget, S("x-kubernetes-group-version-kind"))),
              "[{\"group\":\"example.com\",\"kind\":\"Widget\",\"version\":\"v1\"}]");
    CHECK_STR(json_str(json_find(widget, S("description"))), "A widget.");
    CHECK_STR(property_text(&d, WIDGET, "metadata"), "{\"allOf\":[{" V3_REF(META "ObjectMeta") "}]}");
    CHECK_STR(property_text(&d, WIDGET, "kind"), "{\"type\":\"string\"}");
    const struct json *spec = json_get(widget, S("properties"), S("spec"), S("properties"));
    CHECK_STR(printed(&d, json_find(spec, S("size"))),
              "{\"default\":3,\"maximum\":9.5,\"minimum\":1,\"type\":\"integer\"}");
    CHECK_STR(printed(&d, json_find(spec, S("maybe"))),
              "{\"enum\":[\"a\",null],\"nullable\":true,\"type\":\"string\"}");
    CHECK_STR(printed(&d, json_get(spec, S("inner"), S("required"))), "[\"kind\",\"apiVersion\"]");
    CHECK(json_get(spec, S("inner"), S("properties"), S("metadata")));
    CHECK(json_get(spec, S("free"), S("properties"), S("x")));
    CHECK_STR(property_text(&d, WIDGET "List", "items"),
              "{\"items\":{" V3_REF(WIDGET) "},\"type\":\"array\"}");
    CHECK_STR(printed(&d, json_find(json_find(definitions(&d), S(WIDGET "List")), S("required"))),
              "[\"items\"]");
}

TEST(openapi_v2_leaves_out_of_a_custom_schema_what_it_cannot_say)
{
    CATALOG c = widget_catalog(custom_schema);
    DOCUMENT d;
    make_v2(&d, c);
    const struct json *spec = json_get(definitions(&d), S(WIDGET), S("properties"), S("spec"));
    CHECK_STR(printed(&d, json_find(spec, S("required"))), "[\"size\"]");
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"size", "{\"maximum\":9.5,\"minimum\":1,\"type\":\"integer\"}"},
        {"maybe", "{\"enum\":[\"a\",null]}"},
        {"port", "{\"x-kubernetes-int-or-string\":true}"},
        {"free", "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}"},
        {"list", "{\"items\":{\"properties\":{\"name\":{}},\"type\":\"object\"},\"type\":\"array\","
                 "\"x-kubernetes-list-map-keys\":[\"name\"],\"x-kubernetes-list-type\":\"map\"}"},
        {"byName", "{\"additionalProperties\":{\"maxLength\":5,\"type\":\"string\"},\"type\":\"object\"}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        CHECK_STR(printed(&d, json_get(spec, S("properties"), str_from_c(rows[i].name))), rows[i].want);
}

TEST(openapi_takes_a_custom_kind_without_a_usable_schema_for_any_object)
{
    static const str schemas[] = {S_INIT(""), S_INIT("{"), S_INIT("[]"), S_INIT("null"),
                                  S_INIT("{\"type\":\"object\"}x")};
    for (size_t i = 0; i < ARRAY_COUNT(schemas); i++) {
        CATALOG c = widget_catalog(schemas[i]);
        DOCUMENT d;
        make_v3(&d, c, "example.com", "v1");
        CHECK_STR(
            definition_text(&d, WIDGET),
            "{\"type\":\"object\",\"x-kubernetes-group-version-kind\":[{\"group\":\"example.com\",\"kind\":"
            "\"Widget\",\"version\":\"v1\"}]}");
    }
    /* v2 also when it keeps unknown members: kubectl would refuse them. */
    CATALOG c = widget_catalog(
        S("{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,\"properties\":{"
          "\"spec\":{\"type\":\"object\"}}}"));
    DOCUMENT v2, v3;
    make_v2(&v2, c);
    CHECK(!json_get(definitions(&v2), S(WIDGET), S("properties")));
    make_v3(&v3, c, "example.com", "v1");
    CHECK(json_get(definitions(&v3), S(WIDGET), S("properties"), S("spec")));
}

TEST(openapi_publishes_a_schema_the_same_copied_or_read)
{
    /* The second has a word in it for which it is read. */
    static const str schemas[] = {
        S_INIT(
            "{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"integer\"},\"spec\":{\"type\":\"object\","
            "\"description\":\"a \\\"b\\\"\"}},\"required\":[\"spec\"]}"),
        S_INIT(
            "{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"integer\"},\"spec\":{\"type\":\"object\","
            "\"x-kubernetes-embedded-resource\":false,\"description\":\"a \\\"b\\\"\"}},\"required\":[\"spec\"]}")};
    CATALOG c1 = widget_catalog(schemas[0]);
    CATALOG c2 = widget_catalog(schemas[1]);
    DOCUMENT d1, d2;
    make_v3(&d1, c1, "example.com", "v1");
    make_v3(&d2, c2, "example.com", "v1");
    CHECK(json_remove(json_get(definitions(&d2), S(WIDGET), S("properties"), S("spec")),
                      S("x-kubernetes-embedded-resource")));
    CHECK(json_equal(&d1.tree, &d2.tree));
}

TEST(openapi_gives_custom_kinds_the_paths_of_the_original)
{
    CATALOG c = widget_catalog(custom_schema);
    DOCUMENT d;
    make_v3(&d, c, "example.com", "v1");
    const struct json *paths = json_find(&d.tree, S("paths"));
    static const char *const want[] = {
        "/apis/example.com/v1/namespaces/{namespace}/widgets",
        "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}",
        "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}/scale",
        "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}/status",
        "/apis/example.com/v1/widgets",
    };
    CHECK_EQ(json_count(paths), ARRAY_COUNT(want));
    for (size_t i = 0; i < ARRAY_COUNT(want); i++)
        CHECK_STR(json_member_name(&paths->v.members[i]), want[i]);
    const struct json *patch = operation(&d, want[1], "patch");
    CHECK_STR(json_str(json_find(patch, S("operationId"))), "patchExampleComV1NamespacedWidget");
    CHECK_EQ(json_count(json_get(patch, S("requestBody"), S("content"))), 3); /* no strategic merge */
    const struct json *scale = operation(&d, want[2], "get");
    CHECK_CONTAINS(printed(&d, json_find(scale, S("responses"))), V3_REF("io.k8s.api.autoscaling.v1.Scale"));
    CHECK_STR(printed(&d, json_find(scale, S("x-kubernetes-group-version-kind"))),
              "{\"group\":\"example.com\",\"kind\":\"Widget\",\"version\":\"v1\"}");
}
