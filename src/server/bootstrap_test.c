#include "api/tree.h"
#include "base/map.h"
#include "harness/test.h"
#include "server/authz.h"
#include "server/bootstrap.h"
#include "wire/json.h"

static struct json parsed(struct arena *a, str text)
{
    struct json j;
    CHECK_OK(json_parse(a, text, NULL, &j, &e));
    return j;
}

static str printed(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, 1 << 20);
    json_print(&b, j, 0);
    return buf_str(&b);
}

TEST(bootstrap_documents_are_written_as_they_would_be_stored)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct bootstrap_iter it = {0};
    struct bootstrap_doc doc;
    while (bootstrap_next(&it, &a, &doc)) {
        const struct schema_kind_info *kind = schema_kind_find(&schema_builtin, doc.api_version, doc.kind);
        CHECK(kind != NULL);
        const struct schema_type *type = &schema_builtin.types[kind->type];
        struct json tree = parsed(&a, doc.content), normal;
        CHECK_OK(tree_normalise(&a, &schema_builtin, type, &tree, NULL, &normal, &e));
        CHECK_STR(printed(&a, &normal), doc.content);
        tree_defaults(&a, &schema_builtin, type, &normal);
        CHECK_STR(printed(&a, &normal), doc.content);
        struct field_errors errors;
        field_errors_init(&errors, &a);
        tree_validate(&schema_builtin, type, &normal, &errors);
        CHECK_EQ(errors.count, 0);
        arena_reset(&a);
    }
}

struct counts {
    const char *resource;
    size_t theirs, ours;
};

TEST(there_is_everything_that_a_cluster_begins_with)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct counts counts[] = {
        {"namespaces", 4, 0},
        {"priorityclasses.scheduling.k8s.io", 2, 0},
        {"prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", 8, 0},
        {"flowschemas.flowcontrol.apiserver.k8s.io", 12, 0},
        {"clusterroles.rbac.authorization.k8s.io", 31 + 38, 1},
        {"clusterrolebindings.rbac.authorization.k8s.io", 12 + 38, 6},
        {"roles.rbac.authorization.k8s.io", 7, 1},
        {"rolebindings.rbac.authorization.k8s.io", 7, 1},
    };
    CLEANUP(map_done) struct map names;
    map_init(&names, (uint64_t[2]){0, 0}, MAP_COPY_KEYS);
    struct bootstrap_iter it = {0};
    struct bootstrap_doc doc, found;
    while (bootstrap_next(&it, &a, &doc)) {
        size_t i = 0;
        while (i < ARRAY_COUNT(counts) && !str_eq(str_from_c(counts[i].resource), doc.resource))
            i++;
        CHECK_LT(i, ARRAY_COUNT(counts));
        *(doc.is_ours ? &counts[i].ours : &counts[i].theirs) -= 1;
        CHECK_EQ(doc.is_ours, str_starts(doc.name, S("skiff:")));
        str key = str_join(&a, (str[]){doc.resource, doc.ns, doc.name}, 3, S("|"));
        CHECK(map_find_entry(&names, key) == NULL); /* no two of a name */
        map_set(&names, key, NULL);
        CHECK(bootstrap_find(&a, doc.resource, doc.ns, doc.name, &found));
        CHECK_STR(found.content, doc.content);
        CHECK_EQ(found.policy, doc.policy);
        CHECK_EQ(found.is_ours, doc.is_ours);
    }
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        if (counts[i].theirs || counts[i].ours)
            FAIL("%s: %td and %td missing", counts[i].resource, (ptrdiff_t)counts[i].theirs,
                 (ptrdiff_t)counts[i].ours);
    }
    CHECK(!bootstrap_find(&a, S("clusterroles.rbac.authorization.k8s.io"), STR_NONE, S("nobody"), &found));
    CHECK(!bootstrap_find(&a, S("roles.rbac.authorization.k8s.io"), STR_NONE,
                          S("extension-apiserver-authentication-reader"), &found));
}

TEST(bindings_refer_to_roles_that_were_written_before_them)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CLEANUP(map_done) struct map roles;
    map_init(&roles, (uint64_t[2]){0, 0}, MAP_COPY_KEYS);
    struct bootstrap_iter it = {0};
    struct bootstrap_doc doc;
    while (bootstrap_next(&it, &a, &doc)) {
        struct json tree = parsed(&a, doc.content);
        const struct json *ref = json_find(&tree, S("roleRef"));
        str kind = ref ? json_str(json_find(ref, S("kind"))) : doc.kind;
        str name = ref ? json_str(json_find(ref, S("name"))) : doc.name;
        str ns = str_is(kind, "Role") ? doc.ns : STR_NONE;
        str key = str_join(&a, (str[]){kind, ns, name}, 3, S("|"));
        if (!ref)
            map_set(&roles, key, NULL);
        else if (!map_find_entry(&roles, key))
            FAIL("%.*s refers to %.*s", STR_ARG(doc.name), STR_ARG(name));
    }
}

static str content_of(struct arena *a, const char *resource, const char *ns, const char *name)
{
    struct bootstrap_doc doc;
    if (!bootstrap_find(a, str_from_c(resource), str_from_c(ns), str_from_c(name), &doc))
        FAIL("no %s %s", resource, name);
    return doc.content;
}

TEST(bootstrap_documents_of_each_kind_read_as_they_should)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
#define META_GRANT(name, more)                                         \
    "{\"metadata\":{\"name\":\"" name "\"" more                        \
    ",\"labels\":{\"kubernetes.io/bootstrapping\":\"rbac-defaults\"}," \
    "\"annotations\":{\"rbac.authorization.kubernetes.io/autoupdate\":\"true\"}}"
    CHECK_STR(
        content_of(&a, "clusterroles.rbac.authorization.k8s.io", "", "edit"),
        "{\"metadata\":{\"name\":\"edit\",\"labels\":{\"kubernetes.io/bootstrapping\":\"rbac-defaults\","
        "\"rbac.authorization.k8s.io/aggregate-to-admin\":\"true\"},\"annotations\":"
        "{\"rbac.authorization.kubernetes.io/autoupdate\":\"true\"}},\"rules\":null,\"aggregationRule\":"
        "{\"clusterRoleSelectors\":[{\"matchLabels\":{\"rbac.authorization.k8s.io/aggregate-to-edit\":\"true\"}}]}}");
    CHECK_STR(content_of(&a, "clusterroles.rbac.authorization.k8s.io", "", "cluster-admin"),
              META_GRANT("cluster-admin",
                         "") ",\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]},"
                             "{\"verbs\":[\"*\"],\"nonResourceURLs\":[\"*\"]}]}");
    CHECK_STR(
        content_of(&a, "clusterrolebindings.rbac.authorization.k8s.io", "",
                   "system:controller:ttl-controller"),
        META_GRANT(
            "system:controller:ttl-controller",
            "") ",\"subjects\":[{\"kind\":\"ServiceAccount\",\"name\":\"ttl-controller\",\"namespace\":\"kube-system\"}],"
                "\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\","
                "\"name\":\"system:controller:ttl-controller\"}}");
    CHECK_STR(
        content_of(&a, "clusterrolebindings.rbac.authorization.k8s.io", "", "system:node"),
        META_GRANT("system:node", "") ",\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":"
                                      "\"ClusterRole\",\"name\":\"system:node\"}}");
    CHECK_STR(
        content_of(&a, "roles.rbac.authorization.k8s.io", "kube-system", "system:controller:token-cleaner"),
        META_GRANT(
            "system:controller:token-cleaner",
            ",\"namespace\":\"kube-system\"") ",\"rules\":[{\"verbs\":[\"delete\",\"get\",\"list\",\"watch\"],\"apiGroups\":[\"\"],\"resources\":"
                                              "[\"secrets\"]},{\"verbs\":[\"create\",\"patch\",\"update\"],\"apiGroups\":[\"\",\"events.k8s.io\"],"
                                              "\"resources\":[\"events\"]}]}");
    CHECK_STR(content_of(&a, "namespaces", "", "default"),
              "{\"metadata\":{\"name\":\"default\",\"labels\":{\"kubernetes.io/metadata.name\":\"default\"}},"
              "\"spec\":{\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":\"Active\"}}");
#define META_FLOW(name) \
    "{\"metadata\":{\"name\":\"" name "\",\"annotations\":{\"apf.kubernetes.io/autoupdate-spec\":\"true\"}}"
    CHECK_STR(
        content_of(&a, "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "", "system"),
        META_FLOW("system") ",\"spec\":{\"type\":\"Limited\",\"limited\":{\"nominalConcurrencyShares\":30,"
                            "\"limitResponse\":{\"type\":\"Queue\",\"queuing\":{\"queues\":64,\"handSize\":6,"
                            "\"queueLengthLimit\":50}},\"lendablePercent\":33}},\"status\":{}}");
    CHECK_STR(
        content_of(&a, "flowschemas.flowcontrol.apiserver.k8s.io", "", "probes"),
        META_FLOW(
            "probes") ",\"spec\":{\"priorityLevelConfiguration\":{\"name\":\"exempt\"},"
                      "\"matchingPrecedence\":2,\"rules\":[{\"subjects\":[{\"kind\":\"Group\",\"group\":"
                      "{\"name\":\"system:unauthenticated\"}},{\"kind\":\"Group\",\"group\":{\"name\":"
                      "\"system:authenticated\"}}],\"nonResourceRules\":[{\"verbs\":[\"get\"],"
                      "\"nonResourceURLs\":[\"/healthz\",\"/readyz\",\"/livez\"]}]}]},\"status\":{}}");
    CHECK_STR(
        content_of(&a, "flowschemas.flowcontrol.apiserver.k8s.io", "", "workload-leader-election"),
        META_FLOW(
            "workload-leader-election") ",\"spec\":{\"priorityLevelConfiguration\":{\"name\":\"leader-election\"},\"matchingPrecedence\":200,"
                                        "\"distinguisherMethod\":{\"type\":\"ByUser\"},\"rules\":[{\"subjects\":[{\"kind\":\"ServiceAccount\","
                                        "\"serviceAccount\":{\"namespace\":\"kube-system\",\"name\":\"*\"}}],\"resourceRules\":[{\"verbs\":"
                                        "[\"get\",\"create\",\"update\"],\"apiGroups\":[\"coordination.k8s.io\"],\"resources\":[\"leases\"],"
                                        "\"namespaces\":[\"*\"]}]}]},\"status\":{}}");
}

/* --- reconciling --- */

struct outcome {
    enum bootstrap_action action;
    str content;
};

static struct outcome reconcile(struct arena *a, const char *resource, const char *name, str stored)
{
    struct bootstrap_doc doc;
    struct outcome o;
    CHECK(bootstrap_find(a, str_from_c(resource), STR_NONE, str_from_c(name), &doc));
    CHECK_OK(bootstrap_reconcile(a, &doc, stored, &o.action, &o.content, &e));
    return o;
}

#define ROLES    "clusterroles.rbac.authorization.k8s.io"
#define BINDINGS "clusterrolebindings.rbac.authorization.k8s.io"
#define LEVELS   "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"

TEST(what_is_not_there_is_created_and_what_is_as_it_should_be_is_left_alone)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct bootstrap_iter it = {0};
    struct bootstrap_doc doc;
    while (bootstrap_next(&it, &a, &doc)) {
        enum bootstrap_action action;
        str content;
        CHECK_OK(bootstrap_reconcile(&a, &doc, STR_NONE, &action, &content, &e));
        CHECK_EQ(action, BOOTSTRAP_CREATE);
        CHECK_STR(content, doc.content);
        CHECK_OK(bootstrap_reconcile(&a, &doc, content, &action, &content, &e));
        CHECK_EQ(action, BOOTSTRAP_KEEP);
    }
}

TEST(a_role_gets_the_rules_it_lacks_and_keeps_what_it_has)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str stored = S(
        "{\"metadata\":{\"name\":\"system:kube-dns\",\"uid\":\"1\",\"labels\":{\"a\":\"b\",\"kubernetes.io/"
        "bootstrapping\":\"mine\"}},\"rules\":[{\"verbs\":[\"list\"],\"apiGroups\":[\"\"],\"resources\":"
        "[\"endpoints\"]},{\"verbs\":[\"get\"],\"apiGroups\":[\"x\"],\"resources\":[\"y\"]}]}");
    struct outcome o = reconcile(&a, ROLES, "system:kube-dns", stored);
    CHECK_EQ(o.action, BOOTSTRAP_UPDATE);
    CHECK_STR(
        o.content,
        "{\"metadata\":{\"name\":\"system:kube-dns\",\"uid\":\"1\",\"labels\":{\"a\":\"b\",\"kubernetes.io/"
        "bootstrapping\":\"mine\"},\"annotations\":{\"rbac.authorization.kubernetes.io/autoupdate\":\"true\"}},"
        "\"rules\":[{\"verbs\":[\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"endpoints\"]},"
        "{\"verbs\":[\"get\"],\"apiGroups\":[\"x\"],\"resources\":[\"y\"]},"
        "{\"verbs\":[\"watch\"],\"apiGroups\":[\"\"],\"resources\":[\"endpoints\"]},"
        "{\"verbs\":[\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"services\"]},"
        "{\"verbs\":[\"watch\"],\"apiGroups\":[\"\"],\"resources\":[\"services\"]}]}");
    CHECK_EQ(reconcile(&a, ROLES, "system:kube-dns", o.content).action, BOOTSTRAP_KEEP);
}

TEST(a_role_that_covers_more_is_left_alone)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str stored = S(
        "{\"metadata\":{\"name\":\"system:kube-dns\",\"labels\":{\"kubernetes.io/bootstrapping\":"
        "\"rbac-defaults\"},\"annotations\":{\"rbac.authorization.kubernetes.io/autoupdate\":\"true\"}},"
        "\"rules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}]}");
    CHECK_EQ(reconcile(&a, ROLES, "system:kube-dns", stored).action, BOOTSTRAP_KEEP);
}

TEST(grants_that_are_protected_are_not_touched)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CHECK_EQ(
        reconcile(
            &a, ROLES, "system:kube-dns",
            S("{\"metadata\":{\"name\":\"system:kube-dns\",\"annotations\":{\"rbac.authorization.kubernetes.io/"
              "autoupdate\":\"false\"}},\"rules\":null}"))
            .action,
        BOOTSTRAP_KEEP);
    CHECK_EQ(
        reconcile(
            &a, BINDINGS, "system:kube-dns",
            S("{\"metadata\":{\"name\":\"system:kube-dns\",\"annotations\":{\"rbac.authorization.kubernetes.io/"
              "autoupdate\":\"false\"}},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"other\"}}"))
            .action,
        BOOTSTRAP_KEEP);
}

TEST(aggregation_is_put_back_but_rules_that_were_aggregated_stay)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str stored = S("{\"metadata\":{\"name\":\"admin\"},\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"x\"],"
                   "\"resources\":[\"y\"]}],\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchLabels\":"
                   "{\"mine\":\"true\"}}]}}");
    struct outcome o = reconcile(&a, ROLES, "admin", stored);
    CHECK_EQ(o.action, BOOTSTRAP_UPDATE);
    CHECK_CONTAINS(o.content,
                   "\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"x\"],\"resources\":[\"y\"]}],"
                   "\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchLabels\":{\"mine\":\"true\"}},"
                   "{\"matchLabels\":{\"rbac.authorization.k8s.io/aggregate-to-admin\":\"true\"}}]}");
    /* One that should not aggregate does not afterwards. */
    o = reconcile(&a, ROLES, "system:kube-dns",
                  S("{\"metadata\":{\"name\":\"system:kube-dns\"},\"rules\":null,\"aggregationRule\":{}}"));
    CHECK_EQ(o.action, BOOTSTRAP_UPDATE);
    CHECK_EQ(str_index(o.content, S("aggregationRule")), SIZE_MAX);
}

TEST(a_binding_gets_the_subjects_it_lacks)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct outcome o = reconcile(
        &a, BINDINGS, "system:public-info-viewer",
        S("{\"metadata\":{\"name\":\"system:public-info-viewer\"},\"subjects\":[{\"kind\":\"User\",\"apiGroup\":"
          "\"rbac.authorization.k8s.io\",\"name\":\"me\"},{\"kind\":\"Group\",\"apiGroup\":\"rbac.authorization.k8s.io\","
          "\"name\":\"system:unauthenticated\"}],\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":"
          "\"ClusterRole\",\"name\":\"system:public-info-viewer\"}}"));
    CHECK_EQ(o.action, BOOTSTRAP_UPDATE);
    CHECK_CONTAINS(
        o.content,
        "\"name\":\"me\"},{\"kind\":\"Group\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":"
        "\"system:unauthenticated\"},{\"kind\":\"Group\",\"apiGroup\":\"rbac.authorization.k8s.io\","
        "\"name\":\"system:authenticated\"}],\"roleRef\"");
    CHECK_CONTAINS(o.content,
                   "\"labels\":{\"kubernetes.io/bootstrapping\":\"rbac-defaults\"},\"annotations\"");
    CHECK_EQ(reconcile(&a, BINDINGS, "system:public-info-viewer", o.content).action, BOOTSTRAP_KEEP);
}

TEST(a_binding_to_another_role_is_made_anew)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct outcome o = reconcile(
        &a, BINDINGS, "system:kube-dns",
        S("{\"metadata\":{\"name\":\"system:kube-dns\"},\"subjects\":[],\"roleRef\":{\"apiGroup\":"
          "\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"cluster-admin\"}}"));
    CHECK_EQ(o.action, BOOTSTRAP_RECREATE);
    CHECK_STR(o.content, content_of(&a, BINDINGS, "", "system:kube-dns"));
}

/* The priority level of that name as it would be with other shares, and these annotations. */
static str other_level(struct arena *a, const char *name, const char *metadata)
{
    return str_format(
        a,
        "{\"metadata\":{\"name\":\"%s\"%s},\"spec\":{\"type\":\"Limited\",\"limited\":"
        "{\"nominalConcurrencyShares\":7,\"limitResponse\":{\"type\":\"Reject\"},\"lendablePercent\":0}},"
        "\"status\":{}}",
        name, metadata);
}

TEST(flow_control_is_kept_up_to_date_until_a_user_takes_it_over)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct level {
        const char *name, *metadata;
        enum bootstrap_action action;
        bool spec_is_ours;
        const char *says;
    };
    static const struct level cases[] = {
        {"system", ",\"annotations\":{\"apf.kubernetes.io/autoupdate-spec\":\"true\"}", BOOTSTRAP_UPDATE,
         true, "true"},
        {"system", ",\"annotations\":{\"apf.kubernetes.io/autoupdate-spec\":\"false\"}", BOOTSTRAP_KEEP,
         false, ""},
        {"system", ",\"generation\":1", BOOTSTRAP_UPDATE, true, "true"},
        {"system", ",\"generation\":2", BOOTSTRAP_UPDATE, false, "false"},
        {"system", ",\"generation\":2,\"annotations\":{\"apf.kubernetes.io/autoupdate-spec\":\"maybe\"}",
         BOOTSTRAP_UPDATE, false, "false"},
        {"catch-all", ",\"annotations\":{\"apf.kubernetes.io/autoupdate-spec\":\"false\"}", BOOTSTRAP_UPDATE,
         true, "true"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct level *c = &cases[i];
        struct outcome o = reconcile(&a, LEVELS, c->name, other_level(&a, c->name, c->metadata));
        CHECK_EQ(o.action, c->action);
        if (o.action == BOOTSTRAP_KEEP)
            continue;
        struct json tree = parsed(&a, o.content), ours = parsed(&a, content_of(&a, LEVELS, "", c->name));
        CHECK_EQ(json_equal(json_find(&tree, S("spec")), json_find(&ours, S("spec"))), c->spec_is_ours);
        CHECK_STR(json_str(json_get(&tree, S("metadata"), S("annotations"),
                                    S("apf.kubernetes.io/autoupdate-spec"))),
                  c->says);
        CHECK_EQ(reconcile(&a, LEVELS, c->name, o.content).action, BOOTSTRAP_KEEP);
    }
}

TEST(what_is_stored_but_cannot_be_read_is_an_error)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct bootstrap_doc doc;
    enum bootstrap_action action;
    str content;
    CHECK(bootstrap_find(&a, S(ROLES), STR_NONE, S("view"), &doc));
    CHECK_ERR(CORRUPT, "could not read ClusterRole 'view'",
              bootstrap_reconcile(&a, &doc, S("{"), &action, &content, &e));
    CHECK_ERR(CORRUPT, "rules",
              bootstrap_reconcile(&a, &doc, S("{\"metadata\":{},\"rules\":7}"), &action, &content, &e));
}

/* --- roles that are put together from others --- */

static size_t all_cluster_roles(struct arena *a, struct cluster_role_doc *ret)
{
    struct bootstrap_iter it = {0};
    struct bootstrap_doc doc;
    size_t count = 0;
    while (bootstrap_next(&it, a, &doc)) {
        if (str_is(doc.kind, "ClusterRole"))
            ret[count++] = (struct cluster_role_doc){doc.name, doc.content};
    }
    return count;
}

/* Writes what aggregation says into the contents, again and again; how often something changed. */
static size_t settle(struct arena *a, struct cluster_role_doc *roles, size_t count)
{
    size_t writes = 0;
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < count; i++) {
            struct json rules, tree = parsed(a, roles[i].content);
            bool aggregates, changed = false;
            CHECK_OK(rbac_aggregate(a, roles[i], roles, count, &aggregates, &rules, &changed, &e));
            CHECK_EQ(aggregates, json_find(&tree, S("aggregationRule")) != NULL);
            if (!aggregates || !changed)
                continue;
            json_set(a, &tree, S("rules"), rules);
            roles[i].content = printed(a, &tree);
            again = true;
            writes++;
            CHECK_LT(writes, 10);
        }
    }
    return writes;
}

TEST(roles_for_users_come_together_from_their_parts)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct cluster_role_doc roles[100];
    size_t count = all_cluster_roles(&a, roles), sizes[3] = {0};
    CHECK(settle(&a, roles, count) > 0);
    static const char *const names[3] = {"view", "edit", "admin"};
    for (size_t i = 0; i < count; i++) {
        struct json tree = parsed(&a, roles[i].content);
        for (size_t n = 0; n < 3; n++) {
            if (str_eq(roles[i].name, str_from_c(names[n])))
                sizes[n] = json_count(json_find(&tree, S("rules")));
        }
    }
    CHECK_EQ(sizes[0], 12);
    CHECK_EQ(sizes[1], 12 + 15);
    CHECK_EQ(sizes[2], 12 + 15 + 2);
    CHECK_EQ(settle(&a, roles, count), 0);
}

TEST(aggregation_takes_what_any_selector_selects_once_and_never_itself)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
#define ROLE_DOC(name, labels, rules)                                                                    \
    {                                                                                                    \
        S_INIT(name),                                                                                    \
            S_INIT("{\"metadata\":{\"name\":\"" name "\",\"labels\":{" labels "}},\"rules\":" rules "}") \
    }
#define READS(what) "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"" what "\"]}"
    struct cluster_role_doc roles[] = {
        ROLE_DOC("a", "\"x\":\"1\"", "[" READS("a") "," READS("both") "]"),
        ROLE_DOC("b", "\"y\":\"2\"", "[" READS("both") "," READS("b") "]"),
        ROLE_DOC("c", "\"x\":\"3\"", "[" READS("c") "]"),
        ROLE_DOC("d", "", "null"),
        ROLE_DOC("me", "\"x\":\"1\"", "[" READS("old") "]"),
    };
    struct aggregation {
        const char *selectors, *rules;
    };
    static const struct aggregation cases[] = {
        {"[{\"matchLabels\":{\"x\":\"1\"}}]", "[" READS("a") "," READS("both") "]"},
        {"[{\"matchLabels\":{\"y\":\"2\"}},{\"matchLabels\":{\"x\":\"1\"}}]",
         "[" READS("both") "," READS("b") "," READS("a") "]"},
        {"[{\"matchExpressions\":[{\"key\":\"x\",\"operator\":\"In\",\"values\":[\"3\",\"4\"]}]}]",
         "[" READS("c") "]"},
        {"[{\"matchExpressions\":[{\"key\":\"x\",\"operator\":\"DoesNotExist\"}],\"matchLabels\":{\"y\":\"2\"}}]",
         "[" READS("both") "," READS("b") "]"},
        {"[{\"matchExpressions\":[{\"key\":\"x\",\"operator\":\"Exists\"},{\"key\":\"x\",\"operator\":\"NotIn\",\"values\":"
         "[\"1\"]}]}]",
         "[" READS("c") "]"},
        {"[{}]", "[" READS("a") "," READS("both") "," READS("b") "," READS("c") "]"},
        {"[]", "[]"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct cluster_role_doc me = {S("me"), STR_NONE};
        me.content = str_format(&a,
                                "{\"metadata\":{\"name\":\"me\"},\"rules\":null,\"aggregationRule\":{"
                                "\"clusterRoleSelectors\":%s}}",
                                cases[i].selectors);
        bool aggregates, changed;
        struct json rules;
        CHECK_OK(rbac_aggregate(&a, me, roles, ARRAY_COUNT(roles), &aggregates, &rules, &changed, &e));
        CHECK(aggregates);
        CHECK_STR(printed(&a, &rules), cases[i].rules);
        CHECK_EQ(changed, json_count(&rules) > 0);
    }
}

TEST(aggregation_says_what_it_cannot_read)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    bool aggregates, changed;
    struct json rules;
    struct cluster_role_doc bad = {S("bad"), S("[")};
    struct cluster_role_doc good = {S("good"),
                                    S("{\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchExpressions\":"
                                      "[{\"key\":\"x\",\"operator\":\"Near\"}]}]}}")};
    CHECK_ERR(CORRUPT, "cluster role 'bad'",
              rbac_aggregate(&a, bad, NULL, 0, &aggregates, &rules, &changed, &e));
    CHECK_ERR(CORRUPT, "cluster role 'bad'",
              rbac_aggregate(&a, good, &bad, 1, &aggregates, &rules, &changed, &e));
    CHECK_ERR(INVALID,
              "could not aggregate cluster role 'good': \"Near\" is not a valid label selector operator",
              rbac_aggregate(&a, good, NULL, 0, &aggregates, &rules, &changed, &e));
}
