#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD_TEMPLATE "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}"
#define CONTROLLER                         \
    "apiVersion: v1\n"                     \
    "kind: ReplicationController\n"        \
    "metadata: {name: r, namespace: ns}\n" \
    "spec: {selector: {a: b}, " POD_TEMPLATE "}\n"
#define SET                                \
    "apiVersion: apps/v1\n"                \
    "kind: ReplicaSet\n"                   \
    "metadata: {name: r, namespace: ns}\n" \
    "spec: {selector: {matchLabels: {a: b}}, " POD_TEMPLATE "}\n"
#define DEPLOYMENT                                        \
    "apiVersion: apps/v1\n"                               \
    "kind: Deployment\n"                                  \
    "metadata: {name: d, namespace: ns, generation: 7}\n" \
    "spec: {selector: {matchLabels: {a: b}}, " POD_TEMPLATE "}\n"
#define T        "spec.template"
#define NEGATIVE "Invalid value: -1: must be greater than or equal to 0"
#define MISMATCH(labels) \
    T ".metadata.labels: Invalid value: " labels ": `selector` does not match template `labels`"
#define HOST_NAME                                                                                             \
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS " \
    "label is recommended: [must not contain dots]"
#define STATUS NULL, "status"

TEST(replication_controllers_select_what_they_make)
{
    RULES_CREATED(CONTROLLER,
                  {"spec.selector: null",
                   "spec.selector: {\"a\":\"b\"}\nmetadata.labels: {\"a\":\"b\"}\nspec.replicas: 1"},
                  {"metadata.labels: {c: d}\nspec.selector: {a: b}", "metadata.labels: {\"c\":\"d\"}"},
                  {"status.replicas: 3", "status: {\"replicas\":0}"},
                  {T ".spec.schedulingGroup: {podGroupName: g}",
                   T ".spec.schedulingGroup: absent\n" T ".spec.containers[0].imagePullPolicy: \"Always\""});
}

TEST(replication_controllers_are_checked)
{
    RULES_CREATE(
        CONTROLLER,
        {"spec.minReadySeconds: -1\nspec.replicas: -1",
         "spec.minReadySeconds: " NEGATIVE "\nspec.replicas: " NEGATIVE},
        {"spec.selector: null\n" T ": null", "spec.selector: Required value\n" T ": Required value"},
        {"spec.selector: {a: c}", MISMATCH("{\"a\":\"b\"}")}, {T ".metadata: {}", MISMATCH("null")},
        {T ".spec.restartPolicy: Never\n" T ".spec.activeDeadlineSeconds: 3", T
         ".spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"\n" T
         ".spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported"},
        {T ".spec.containers: []", T ".spec.containers: Required value"});
    RULES_UPDATE(
        CONTROLLER, {"spec.selector: {a: c}\n" T ".metadata.labels: {a: c}", ""},
        {"status: {replicas: 1, readyReplicas: 2, fullyLabeledReplicas: 2, availableReplicas: 3, observedGeneration: -1}",
         "status.observedGeneration: " NEGATIVE "\n"
         "status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
         "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
         "status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas\n"
         "status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas",
         STATUS});
    RULES_WARNINGS(
        CONTROLLER, {"metadata.name: a.b", HOST_NAME},
        {T ".spec.terminationGracePeriodSeconds: -1", T
         ".spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"});
}

#define SELECTOR(s) "spec.selector: Invalid value: " s

TEST(replica_sets_are_checked)
{
    RULES_CREATE(
        SET,
        {"spec.minReadySeconds: -1\nspec.replicas: -1",
         "spec.replicas: " NEGATIVE "\nspec.minReadySeconds: " NEGATIVE},
        {"spec.selector: null", "spec.selector: Required value\n" MISMATCH("{\"a\":\"b\"}")},
        {"spec.selector: {}", SELECTOR("{}: empty selector is invalid for deployment")},
        {"spec.selector: {matchLabels: {a: c}}", MISMATCH("{\"a\":\"b\"}")},
        {"spec.selector: {matchExpressions: [{key: a, operator: In, values: [b, c]}]}", ""},
        {"spec.selector: {matchExpressions: [{key: a, operator: Is}]}",
         "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator\n" SELECTOR(
             "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Is\"}]}: invalid label selector")},
        {"spec.selector: {matchExpressions: [{key: a, operator: In}, {key: a, operator: Exists, values: [b]}]}",
         "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'\n"
         "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or "
         "'DoesNotExist'\n"
         "..."},
        {T ".spec.restartPolicy: Never\n" T ".spec.activeDeadlineSeconds: 3",
         T ".spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"\n" T
           ".spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"});
    RULES_UPDATE(SET,
                 {"spec.selector.matchLabels: {a: c}\n" T ".metadata.labels: {a: c}",
                  SELECTOR("{\"matchLabels\":{\"a\":\"c\"}}: field is immutable")},
                 {"spec.replicas: 3", ""},
                 {"status: {replicas: 1, terminatingReplicas: -1, availableReplicas: 1}",
                  "status.terminatingReplicas: " NEGATIVE "\n"
                  "status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas",
                  STATUS});
    RULES_WARNINGS(SET, {"metadata.name: a.b", HOST_NAME});
}

#define ROLLING "spec.strategy.rollingUpdate"

TEST(deployments_roll_by_quarters)
{
    RULES_CREATED(
        DEPLOYMENT,
        {"spec.paused: true",
         "spec.strategy: {\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":\"25%\",\"maxSurge\":\"25%\"}}\n"
         "spec.replicas: 1\nspec.revisionHistoryLimit: 10\nspec.progressDeadlineSeconds: 600"},
        {"spec.strategy: {rollingUpdate: {maxSurge: 0}}",
         "spec.strategy: {\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":\"25%\",\"maxSurge\":0}}"},
        {"spec.strategy: {type: Recreate}", "spec.strategy: {\"type\":\"Recreate\"}"});
    RULES_UPDATED(DEPLOYMENT, {"metadata.annotations: {a: b}", "metadata.generation: 8"},
                  {"metadata.labels: {a: b}", "metadata.generation: 7"});
}

TEST(deployments_are_checked)
{
    RULES_CREATE(DEPLOYMENT,
                 {"spec.selector: null", "spec.selector: Required value\n" MISMATCH("{\"a\":\"b\"}")},
                 {"spec.strategy: {type: Recreate, rollingUpdate: {}}",
                  ROLLING ": Forbidden: may not be specified when strategy `type` is 'Recreate'"},
                 {"spec.strategy: {type: Slow}",
                  "spec.strategy: Unsupported value: {\"Type\":\"Slow\",\"RollingUpdate\":null}: supported "
                  "values: \"Recreate\", \"RollingUpdate\""},
                 {ROLLING ": {maxUnavailable: 0, maxSurge: 0%}",
                  ROLLING ".maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"},
                 {ROLLING ": {maxUnavailable: 101%, maxSurge: 200%}",
                  ROLLING ".maxUnavailable: Invalid value: \"101%\": must not be greater than 100%"},
                 {ROLLING ": {maxUnavailable: -1, maxSurge: a}",
                  ROLLING ".maxUnavailable: " NEGATIVE "\n" ROLLING
                          ".maxSurge: Invalid value: \"a\": a valid percent string must be..."},
                 {ROLLING ": {maxUnavailable: 99999999999999999999%}", ROLLING
                  ".maxUnavailable: Invalid value: \"99999999999999999999%\": must not be greater than 100%"},
                 {"spec.minReadySeconds: -1\nspec.revisionHistoryLimit: -1\nspec.progressDeadlineSeconds: -1",
                  "spec.minReadySeconds: " NEGATIVE "\nspec.revisionHistoryLimit: " NEGATIVE
                  "\nspec.progressDeadlineSeconds: " NEGATIVE
                  "\nspec.progressDeadlineSeconds: Invalid value: -1: must be greater than minReadySeconds"},
                 {"spec.minReadySeconds: 600",
                  "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"},
                 {"metadata.name: ok\nspec.replicas: -1", "spec.replicas: " NEGATIVE});
    RULES_UPDATE(
        DEPLOYMENT,
        {"spec.selector.matchLabels: {a: c}\n" T ".metadata.labels: {a: c}",
         SELECTOR("{\"matchLabels\":{\"a\":\"c\"}}: field is immutable")},
        {"status: {replicas: 1, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 3, unavailableReplicas: -1}",
         "status.unavailableReplicas: " NEGATIVE "\n"
         "status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
         "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
         "status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas\n"
         "status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas",
         STATUS},
        {"status: {collisionCount: 1}", "status.collisionCount: Invalid value: 1: cannot be decremented",
         "status.collisionCount: 2", "status"});
    RULES_WARNINGS(DEPLOYMENT, {"metadata.name: a.b", HOST_NAME});
    RULES_UPDATE_WARNINGS(
        DEPLOYMENT,
        {T ".spec.terminationGracePeriodSeconds: -1",
         T ".spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be "
           "treated as 1"},
        {"metadata.labels: {c: d}", "", T ".spec.terminationGracePeriodSeconds: -1"});
}
