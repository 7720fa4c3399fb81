#include "api/rules/rules_test.h"
#include "harness/test.h"

#define SET                                \
    "apiVersion: apps/v1\n"                \
    "kind: DaemonSet\n"                    \
    "metadata: {name: d, namespace: ns}\n" \
    "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}\n"
#define REVISION                           \
    "apiVersion: apps/v1\n"                \
    "kind: ControllerRevision\n"           \
    "metadata: {name: r, namespace: ns}\n" \
    "revision: 1\n"                        \
    "data: {a: 1}\n"
#define T        "spec.template"
#define ROLLING  "spec.updateStrategy.rollingUpdate"
#define NEGATIVE "Invalid value: -1: must be greater than or equal to 0"
#define MISMATCH \
    T ".metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`"
#define GENERATION "metadata.annotations['deprecated.daemonset.template.generation']"

TEST(daemon_sets_roll_one_by_one)
{
    RULES_CREATED(
        SET,
        {"status.numberReady: 3",
         "spec.updateStrategy: {\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":1,\"maxSurge\":0}}\n"
         "spec.revisionHistoryLimit: 10\n" T ".spec.containers[0].imagePullPolicy: \"Always\"\n"
         "status.numberReady: 0"},
        {"spec.updateStrategy: {type: OnDelete}", "spec.updateStrategy: {\"type\":\"OnDelete\"}"});
}

TEST(daemon_sets_count_changes_of_their_template)
{
    RULES_CREATED(SET, {"metadata.labels: {a: b}", GENERATION ": \"1\""},
                  {GENERATION ": '5'", GENERATION ": \"5\""}, {GENERATION ": '0'", GENERATION ": \"1\""},
                  {GENERATION ": x", GENERATION ": \"1\""});
    RULES_UPDATED(
        SET, {T ".spec.hostname: h", GENERATION ": \"4\"", GENERATION ": '3'"},
        {"metadata.labels: {c: d}\nmetadata.annotations: null", GENERATION ": \"3\"", GENERATION ": '3'"});
}

TEST(daemon_sets_are_checked)
{
    RULES_CREATE(
        SET, {"spec.selector: null", MISMATCH},
        {"spec.selector: {}", "spec.selector: Invalid value: {}: empty selector is invalid for daemonset"},
        {"spec.selector: {matchLabels: {a: c}}", MISMATCH},
        {"spec.selector: {matchExpressions: [{key: a, operator: Is}]}",
         "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator"},
        {T ".spec.restartPolicy: Never\n" T ".spec.activeDeadlineSeconds: 3",
         T ".spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"\n" T
           ".spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported"},
        {"spec.minReadySeconds: -1\nspec.revisionHistoryLimit: -1",
         "spec.minReadySeconds: " NEGATIVE "\nspec.revisionHistoryLimit: " NEGATIVE},
        {"spec.updateStrategy: {type: Slow}",
         "spec.updateStrategy: Unsupported value: {\"Type\":\"Slow\",\"RollingUpdate\":null}: "
         "supported values: \"RollingUpdate\", \"OnDelete\""},
        {ROLLING ": {maxUnavailable: 1, maxSurge: 10%}",
         ROLLING ".maxSurge: Invalid value: \"10%\": may not be set when maxUnavailable is non-zero"},
        {ROLLING ": {maxUnavailable: 0}",
         ROLLING ".maxUnavailable: Required value: cannot be 0 when maxSurge is 0"},
        {ROLLING ": {maxUnavailable: 0, maxSurge: 101%}",
         ROLLING ".maxSurge: Invalid value: \"101%\": must not be greater than 100%"},
        {ROLLING ": {maxUnavailable: -1}", ROLLING ".maxUnavailable: " NEGATIVE});
    RULES_UPDATE(SET,
                 {"spec.selector.matchLabels: {a: c}\n" T ".metadata.labels: {a: c}",
                  "spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"c\"}}: field is immutable"},
                 {"status: {numberMisscheduled: -1, collisionCount: 1}",
                  "status.numberMisscheduled: " NEGATIVE
                  "\nstatus.collisionCount: Invalid value: 1: cannot be decremented",
                  "status.collisionCount: 2", "status"});
    RULES_WARNINGS(
        SET, {T ".spec.terminationGracePeriodSeconds: -1",
              T ".spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be "
                "treated as 1"});
}

TEST(controller_revisions_are_checked)
{
    RULES_CREATE(REVISION, {"data: null", "data: Required value: data is mandatory"},
                 {"revision: -1", "revision: " NEGATIVE});
    RULES_UPDATE(REVISION, {"revision: 2", ""},
                 {"data: {a: 2}", "data: Invalid value: {\"a\":2}: field is immutable"});
}
