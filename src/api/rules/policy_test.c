#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define PRIORITY "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: a}, value: 5}"
#define RUNTIME  "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: a}, handler: runc}"
#define BUDGET \
    "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a, namespace: b}, spec: {selector: {}}}"
#define LEASE "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a, namespace: b}}"

TEST(priorities_above_those_of_users_are_the_systems)
{
    RULES_CREATE(
        PRIORITY, {"value: 1000000000", ""}, {"metadata.name: system-node-critical\nvalue: 2000001000", ""},
        {"value: 1000000001",
         "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"},
        {"metadata.name: system-x",
         "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
         "system-x is not a known system priority class"},
        {"metadata.name: system-node-critical",
         "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
         "value of system-node-critical PriorityClass must be 2000001000"},
        {"metadata.name: system-cluster-critical\nvalue: 2000000000\nglobalDefault: true",
         "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
         "globalDefault of system-cluster-critical PriorityClass must be false"},
        {"preemptionPolicy: ''", "preemptionPolicy: Required value"},
        {"preemptionPolicy: Foo",
         "preemptionPolicy: Unsupported value: \"Foo\": supported values: \"Never\", \"PreemptLowerPriority\""});
    RULES_UPDATE(PRIORITY, {.set = "description: x", .want = ""},
                 {.set = "value: 6\npreemptionPolicy: Never",
                  .want = "preemptionPolicy: Invalid value: \"Never\": field is immutable\n"
                          "value: Forbidden: may not be changed in an update."});
}

TEST(a_runtime_class_names_a_handler_and_what_it_costs)
{
    RULES_CREATE(
        RUNTIME,
        {"overhead.podFixed: {cpu: 100m}\nscheduling: {nodeSelector: {a: b}, tolerations: [{operator: Exists}]}",
         ""},
        {"handler: A_", "handler: Invalid value: \"A_\": a lowercase RFC 1123 label..."},
        {"overhead.podFixed: {foo: 1, memory: -1}",
         "overhead.limits[foo]: Invalid value: \"foo\": must be a standard resource type or fully qualified\n"
         "overhead.limits[foo]: Invalid value: \"foo\": must be a standard resource for containers\n"
         "overhead.limits[memory]: Invalid value: \"-1\": must be greater than or equal to 0"},
        {"scheduling.nodeSelector: {a: '-'}",
         "scheduling.nodeSelector: Invalid value: \"-\": a valid label..."},
        {"scheduling.tolerations: [{key: a, operator: Exists}, {key: a, operator: Exists}]",
         "scheduling.tolerations[1]: Duplicate value: {\"Key\":\"a\",\"Operator\":\"Exists\",\"Value\":\"\",\"Effect\":"
         "\"\",\"TolerationSeconds\":null}"});
    RULES_UPDATE(RUNTIME,
                 {.set = "handler: kata", .want = "handler: Invalid value: \"kata\": field is immutable"});
    RULES_WARNINGS(
        RUNTIME, {"scheduling.nodeSelector: {beta.kubernetes.io/instance-type: x}",
                  "scheduling.nodeSelector: deprecated since v1.17; use \"node.kubernetes.io/instance-type\" "
                  "instead"});
}

TEST(a_budget_says_one_of_two_bounds)
{
    RULES_CREATE(
        BUDGET, {"spec.minAvailable: 50%", ""}, {"spec.maxUnavailable: 100%", ""},
        {"spec.minAvailable: 101%",
         "spec.minAvailable: Invalid value: \"101%\": must not be greater than 100%"},
        {"spec.maxUnavailable: '99999999999999999999999%'",
         "spec.maxUnavailable: Invalid value: \"99999999999999999999999%\": must not be greater than 100%"},
        {"spec.minAvailable: -1", "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"},
        {"spec.minAvailable: x",
         "spec.minAvailable: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending "
         "'%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"},
        {"spec.minAvailable: 1\nspec.maxUnavailable: 1\nspec.selector: null",
         "spec: Invalid value: {\"MinAvailable\":1,\"Selector\":null,\"MaxUnavailable\":1,"
         "\"UnhealthyPodEvictionPolicy\":null}: minAvailable and maxUnavailable cannot be both set"},
        {"spec.unhealthyPodEvictionPolicy: Foo",
         "spec.unhealthyPodEvictionPolicy: Unsupported value: \"Foo\": supported values: \"AlwaysAllow\", "
         "\"IfHealthyBudget\""},
        {"spec.selector.matchExpressions: [{key: a, operator: In, values: ['-']}]",
         "spec.selector.matchExpressions[0].values[0]: Invalid value: \"-\": a valid label..."});
    RULES_UPDATE(
        BUDGET,
        {.old = "spec.selector.matchExpressions: [{key: a, operator: In, values: ['-']}]",
         .set = "spec.minAvailable: 1",
         .want = ""},
        {.subresource = "status",
         .set = "status: {disruptionsAllowed: -1, conditions: [{type: A, status: 'True', lastTransitionTime: "
                "'2020-01-01T00:00:00Z', reason: R}, {type: A, status: Foo, observedGeneration: -1, reason: "
                "'1 '}, {}]}",
         .want =
             "status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0\n"
             "status.conditions[1].type: Duplicate value: \"A\"\n"
             "status.conditions[1].status: Unsupported value: \"Foo\": supported values: \"False\", "
             "\"True\", \"Unknown\"\n"
             "status.conditions[1].observedGeneration: Invalid value: -1: must be greater than or equal to "
             "zero\n"
             "status.conditions[1].lastTransitionTime: Required value: must be set\n"
             "status.conditions[1].reason: Invalid value: \"1 \": a condition reason must start with "
             "alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', "
             "and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
             "'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is "
             "'[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')\n"
             "status.conditions[2].type: Required value: must be set\n"
             "status.conditions[2].status: Unsupported value: \"\": supported values: \"False\", \"True\", "
             "\"Unknown\"\n"
             "status.conditions[2].lastTransitionTime: Required value: must be set\n"
             "status.conditions[2].reason: Required value: must be set"});
}

TEST(a_lease_lasts_and_counts_upwards)
{
    RULES_CREATE(LEASE, {"spec: {leaseDurationSeconds: 1, leaseTransitions: 0}", ""},
                 {"spec.leaseDurationSeconds: 0",
                  "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"},
                 {"spec.leaseTransitions: -1",
                  "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"});
    RULES_CREATED(LEASE, {"spec: {strategy: OldestEmulationVersion, preferredHolder: a, holderIdentity: b}",
                          "spec: {\"holderIdentity\":\"b\"}"});
}
