#include "api/rules/rules_test.h"
#include "harness/test.h"

#define SET                                \
    "apiVersion: apps/v1\n"                \
    "kind: StatefulSet\n"                  \
    "metadata: {name: s, namespace: ns}\n" \
    "spec:\n"                              \
    "  serviceName: svc\n"                 \
    "  selector: {matchLabels: {a: b}}\n"  \
    "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}\n"
#define T "spec.template"
#define CLAIM \
    "spec.volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]\n"
#define MOUNT    T ".spec.containers[0].volumeMounts: [{name: data, mountPath: /x}]\n"
#define NEGATIVE "Invalid value: -1: must be greater than or equal to 0"
#define MISMATCH \
    T ".metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`"
#define SELECTOR(s) "spec.selector: Invalid value: " s
#define OTHER_FIELDS                                                                                              \
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "     \
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are " \
    "forbidden"

TEST(stateful_sets_get_what_nobody_said)
{
    RULES_CREATED(
        SET,
        {"status.replicas: 3",
         "spec.updateStrategy: {\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":0}}\n"
         "spec.podManagementPolicy: \"OrderedReady\"\nspec.replicas: 1\nspec.revisionHistoryLimit: 10\n"
         "spec.persistentVolumeClaimRetentionPolicy: {\"whenDeleted\":\"Retain\",\"whenScaled\":\"Retain\"}\n" T
         ".spec.containers[0].imagePullPolicy: \"Always\"\nstatus.replicas: 0"},
        {"spec.updateStrategy: {type: RollingUpdate}", "spec.updateStrategy: {\"type\":\"RollingUpdate\"}"},
        {"spec.updateStrategy: {rollingUpdate: {maxUnavailable: 2}}",
         "spec.updateStrategy: {\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":0}}"},
        {"spec.updateStrategy: {type: OnDelete}", "spec.updateStrategy: {\"type\":\"OnDelete\"}"},
        {CLAIM,
         "spec.volumeClaimTemplates[0].kind: \"PersistentVolumeClaim\"\nspec.volumeClaimTemplates[0].apiVersion: \"v1\"\n"
         "spec.volumeClaimTemplates[0].spec.volumeMode: \"Filesystem\"\n"
         "spec.volumeClaimTemplates[0].status: {\"phase\":\"Pending\"}"});
}

TEST(stateful_sets_are_checked)
{
    RULES_CREATE(
        SET,
        {"spec.podManagementPolicy: Any",
         "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or "
         "'Parallel'"},
        {"spec.updateStrategy: {type: OnDelete, rollingUpdate: {}}",
         "spec.updateStrategy.rollingUpdate: Invalid value: {\"Partition\":0,\"MaxUnavailable\":null}: only allowed for "
         "updateStrategy 'RollingUpdate'"},
        {"spec.updateStrategy: {type: Slow}",
         "spec.updateStrategy: Invalid value: {\"Type\":\"Slow\",\"RollingUpdate\":null}: must be 'RollingUpdate' or "
         "'OnDelete'"},
        {"spec.updateStrategy: {rollingUpdate: {partition: -1}}",
         "spec.updateStrategy.rollingUpdate.partition: " NEGATIVE},
        {"spec.persistentVolumeClaimRetentionPolicy: {whenDeleted: Keep, whenScaled: Drop}",
         "spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: \"Keep\": supported values: "
         "\"Retain\", \"Delete\"\n"
         "spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: \"Drop\": supported values: "
         "\"Retain\", \"Delete\""},
        {CLAIM "spec.volumeClaimTemplates[0].spec.accessModes: []",
         "spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required"},
        {"spec.replicas: -1\nspec.minReadySeconds: -1\nspec.ordinals: {start: -1}",
         "spec.replicas: " NEGATIVE "\nspec.minReadySeconds: " NEGATIVE "\nspec.ordinals.start: " NEGATIVE},
        {"spec.serviceName: A",
         "spec.serviceName: Invalid value: \"A\": a lowercase RFC 1123 label must consist of..."},
        {"spec.serviceName: null", ""}, {"spec.selector: null", "spec.selector: Required value\n" MISMATCH},
        {"spec.selector: {}", SELECTOR("{}: empty selector is invalid for statefulset")},
        {"spec.selector: {matchLabels: {a: c}}", MISMATCH},
        {"spec.selector: {matchExpressions: [{key: a, operator: Is}]}",
         "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator\n"
         "spec.selector: Invalid value: {\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Is\"}]}"},
        {T ".spec.restartPolicy: Never\n" T ".spec.activeDeadlineSeconds: 3",
         T ".spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"\n" T
           ".spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported"});
}

TEST(pods_of_stateful_sets_may_mount_their_claims)
{
    RULES_CREATE(SET, {CLAIM MOUNT, ""},
                 {MOUNT, T ".spec.containers[0].volumeMounts[0].name: Not found: \"data\""},
                 {CLAIM MOUNT T ".spec.volumes: [{name: data, hostPath: {path: /x}}]", ""},
                 {T ".spec.containers: []", T ".spec.containers: Required value"});
}

TEST(stateful_sets_keep_what_made_their_pods)
{
    RULES_UPDATE(
        SET,
        {"spec.replicas: 3\nspec.minReadySeconds: 1\nspec.revisionHistoryLimit: 1\nspec.ordinals: {start: 1}\n"
         "spec.updateStrategy: {type: OnDelete}\n" T ".spec.hostname: h\n"
         "spec.persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}",
         ""},
        {"spec.serviceName: other", OTHER_FIELDS}, {CLAIM, OTHER_FIELDS},
        {"spec.podManagementPolicy: Parallel", OTHER_FIELDS},
        {"spec.selector.matchLabels: {a: c}\n" T ".metadata.labels: {a: c}", OTHER_FIELDS},
        {"spec.replicas: 2", "", "spec.serviceName: Not_A_Label"},
        {"spec.replicas: 2", "", T ".spec.containers: []"},
        {T ".spec.containers: []", T ".spec.containers: Required value"},
        {"spec.replicas: 2\n" T ".metadata.annotations: {'a b': c}",
         T ".annotations: Invalid value: \"a b\": name part must consist of...", T ".spec.containers: []"},
        {"status: {replicas: 1, readyReplicas: 2, currentReplicas: 2, updatedReplicas: 2, availableReplicas: 3,"
         " collisionCount: 1, observedGeneration: -1}",
         "status.observedGeneration: " NEGATIVE "\n"
         "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
         "status.currentReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
         "status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
         "status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas\n"
         "status.availableReplicas: Invalid value: 3: cannot be greater than status.readyReplicas\n"
         "status.collisionCount: Invalid value: 1: cannot be decremented",
         "status.collisionCount: 2", "status"});
}

TEST(stateful_sets_warn)
{
    RULES_WARNINGS(
        SET,
        {"spec.revisionHistoryLimit: -1",
         "spec.revisionHistoryLimit: a negative value retains all historical revisions; "
         "a value >= 0 is recommended"},
        {CLAIM "spec.volumeClaimTemplates[0].spec.resources: {requests: {storage: 1500m}}",
         "spec.volumeClaimTemplates[0].spec.resources.requests[storage]: fractional byte value \"1500m\" is invalid, must be "
         "an integer"},
        {T ".spec.terminationGracePeriodSeconds: -1", T
         ".spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"});
}
