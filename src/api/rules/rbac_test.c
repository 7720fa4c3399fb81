#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define RBAC "apiVersion: rbac.authorization.k8s.io/v1"
#define ROLE \
    "{" RBAC \
    ", kind: Role, metadata: {name: a, namespace: b}, rules: [{verbs: [get], apiGroups: [''], resources: [pods]}]}"
#define CLUSTER_ROLE \
    "{" RBAC ", kind: ClusterRole, metadata: {name: a}, rules: [{verbs: [get], nonResourceURLs: [/healthz]}]}"
#define BINDING                                                                                          \
    "{" RBAC                                                                                             \
    ", kind: RoleBinding, metadata: {name: a, namespace: b}, roleRef: {kind: Role, name: r}, subjects: " \
    "[{kind: User, name: u}]}"
#define CLUSTER_BINDING \
    "{" RBAC ", kind: ClusterRoleBinding, metadata: {name: a}, roleRef: {kind: ClusterRole, name: r}}"

TEST(rules_of_roles_grant_something)
{
    RULES_CREATE(
        ROLE, {"rules: null", ""},
        {"rules[0].verbs: []", "rules[0].verbs: Required value: verbs must contain at least one value"},
        {"rules[0]: {verbs: [get]}",
         "rules[0].apiGroups: Required value: resource rules must supply at least one api group\n"
         "rules[0].resources: Required value: resource rules must supply at least one resource"},
        {"rules[0].resources: [a, b]\nrules[0].resourceNames: [x]",
         "rules[0].resourceNames: Required value: resource names cannot apply to multiple resources"},
        {"rules[0].nonResourceURLs: [/x]",
         "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs\n"
         "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: rules cannot apply to both regular resources and "
         "non-resource URLs"});
    RULES_CREATE(
        CLUSTER_ROLE, {"metadata.labels: {a: b}", ""},
        {"aggregationRule: {}",
         "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
         "aggregationRule is non-nil"},
        {"aggregationRule.clusterRoleSelectors: [{matchExpressions: [{key: a, operator: Foo}]}]",
         "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: \"Foo\": not a valid "
         "selector operator"},
        {"aggregationRule.clusterRoleSelectors: [{matchExpressions: [{key: a, operator: In, values: ['-']}]}]",
         "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].values[0]: Invalid value: \"-\": a valid label..."});
    RULES_UPDATE(
        CLUSTER_ROLE,
        {.old = "aggregationRule.clusterRoleSelectors: [{matchExpressions: [{key: a, operator: In, values: "
                "['-']}]}]",
         .set = "metadata.labels: {a: b}",
         .want = ""});
}

TEST(bindings_name_a_role_and_subjects_of_their_group)
{
    RULES_CREATED(
        BINDING,
        {"subjects: [{kind: User, name: u}, {kind: Group, name: g}, {kind: ServiceAccount, name: s}]",
         "subjects: [{\"kind\":\"User\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"u\"},{"
         "\"kind\":\"Group\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"g\"},{\"kind\":"
         "\"ServiceAccount\",\"name\":\"s\"}]\n"
         "roleRef: {\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"Role\",\"name\":\"r\"}"});
    RULES_CREATE(
        BINDING, {"roleRef.kind: ClusterRole", ""},
        {"roleRef: {apiGroup: x, kind: Foo}",
         "roleRef.apiGroup: Unsupported value: \"x\": supported values: \"rbac.authorization.k8s.io\"\n"
         "roleRef.kind: Unsupported value: \"Foo\": supported values: \"Role\", \"ClusterRole\"\n"
         "roleRef.name: Required value"},
        {"roleRef.name: a/b", "roleRef.name: Invalid value: \"a/b\": may not contain '/'"},
        {"subjects: [{kind: Foo, name: a}]",
         "subjects[0].kind: Unsupported value: \"Foo\": supported values: \"ServiceAccount\", \"User\", \"Group\""},
        {"subjects: [{kind: User}, {kind: Group, apiGroup: x}]",
         "subjects[0].name: Required value\n"
         "subjects[0].name: Invalid value: \"\": user name cannot be empty\n"
         "subjects[1].name: Required value\n"
         "subjects[1].name: Invalid value: \"\": group name cannot be empty\n"
         "subjects[1].apiGroup: Unsupported value: \"x\": supported values: \"rbac.authorization.k8s.io\""},
        {"subjects: [{kind: ServiceAccount, name: A_, apiGroup: x}]",
         "subjects[0].name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain...\n"
         "subjects[0].apiGroup: Unsupported value: \"x\": supported values: \"\""});
    RULES_CREATE(CLUSTER_BINDING,
                 {"roleRef.kind: Role",
                  "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\""},
                 {"subjects: [{kind: ServiceAccount, name: a}]", "subjects[0].namespace: Required value"},
                 {"subjects: [{kind: ServiceAccount, name: a, namespace: b}]", ""});
}

TEST(a_binding_keeps_its_role)
{
    RULES_UPDATE(
        BINDING, {.set = "subjects: []", .want = ""},
        {.set = "roleRef.name: x",
         .want = "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\","
                 "\"Name\":\"x\"}: cannot change roleRef"});
    RULES_UPDATE(
        CLUSTER_BINDING,
        {.set = "roleRef.name: x",
         .want =
             "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"ClusterRole\","
             "\"Name\":\"x\"}: cannot change roleRef"});
}
