#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                               \
    "apiVersion: v1\n"                                    \
    "kind: Pod\n"                                         \
    "metadata: {name: p, namespace: ns}\n"                \
    "spec:\n"                                             \
    "  containers: [{name: c, image: i, command: [a]}]\n" \
    "  initContainers: [{name: x, image: i}]\n"
#define OTHER_FIELDS                                                                                              \
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"                   \
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing " \
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"

TEST(a_pod_keeps_its_spec)
{
    RULES_UPDATE(POD, {"spec.containers[0].image: j\nspec.initContainers[0].image: j", ""},
                 {"metadata.labels: {a: b}", ""},
                 {"spec.containers[0].command: [b]", OTHER_FIELDS "@@ -38,7 +38,7 @@\n"
                                                                  "    \"Name\": \"c\",\n"
                                                                  "    \"Image\": \"i\",\n"
                                                                  "    \"Command\": [\n"
                                                                  "-    \"a\"\n"
                                                                  "+    \"b\"\n"
                                                                  "    ],\n"
                                                                  "    \"Args\": null,\n"
                                                                  "    \"WorkingDir\": \"\",\n"},
                 {"spec.nodeSelector: {a: b}", OTHER_FIELDS "@@ -73,7 +73,9 @@\n"
                                                            "  \"TerminationGracePeriodSeconds\": 30,\n"
                                                            "  \"ActiveDeadlineSeconds\": null,\n"
                                                            "  \"DNSPolicy\": \"ClusterFirst\",\n"
                                                            "- \"NodeSelector\": null,\n"
                                                            "+ \"NodeSelector\": {\n"
                                                            "+  \"a\": \"b\"\n"
                                                            "+ },\n"
                                                            "  \"ServiceAccountName\": \"\",\n"
                                                            "  \"AutomountServiceAccountToken\": null,\n"
                                                            "  \"NodeName\": \"\",\n"},
                 {"spec.hostNetwork: true\nspec.hostUsers: true",
                  OTHER_FIELDS "@@ -78,11 +78,11 @@\n"
                               "  \"AutomountServiceAccountToken\": null,\n"
                               "  \"NodeName\": \"\",\n"
                               "  \"SecurityContext\": {\n"
                               "-  \"HostNetwork\": false,\n"
                               "+  \"HostNetwork\": true,\n"
                               "   \"HostPID\": false,\n"
                               "   \"HostIPC\": false,\n"
                               "   \"ShareProcessNamespace\": null,\n"
                               "-  \"HostUsers\": null,\n"
                               "+  \"HostUsers\": true,\n"
                               "   \"SELinuxOptions\": null,\n"
                               "   \"WindowsOptions\": null,\n"
                               "   \"RunAsUser\": null,\n"});
}

TEST(a_pod_keeps_its_containers)
{
    RULES_UPDATE(
        POD,
        {"spec.containers[1]: {name: d, image: i}",
         "spec.containers: Forbidden: pod updates may not add or remove containers"},
        {"spec.initContainers: []",
         "spec.initContainers: Forbidden: pod updates may not add or remove containers"},
        {"spec.containers[0].image: ''", "spec.containers[0].image: Required value\n"
                                         "spec.containers[0].image: Required value"},
        {"spec.containers[0].image: ' i'",
         "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing whitespace\n"
         "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing whitespace"});
}

TEST(times_of_a_pod_become_shorter)
{
    RULES_UPDATE(
        POD, {"spec.activeDeadlineSeconds: 5", ""},
        {"spec.activeDeadlineSeconds: 5", "", "spec.activeDeadlineSeconds: 6"},
        {"spec.activeDeadlineSeconds: 7",
         "spec.activeDeadlineSeconds: Invalid value: 7: must be less than or equal to previous value",
         "spec.activeDeadlineSeconds: 6"},
        {"spec.activeDeadlineSeconds: -1",
         "spec.activeDeadlineSeconds: Invalid value: -1: must be between 1 and 2147483647, inclusive\n"
         "spec.activeDeadlineSeconds: Invalid value: -1: must be between 0 and 2147483647, inclusive"},
        {"spec.activeDeadlineSeconds: null",
         "spec.activeDeadlineSeconds: Invalid value: \"null\": must not update from a positive integer to nil value",
         "spec.activeDeadlineSeconds: 6"},
        {"spec.terminationGracePeriodSeconds: 1", "", "spec.terminationGracePeriodSeconds: -1"});
}

TEST(a_pod_tolerates_more_and_is_less_gated)
{
    RULES_UPDATE(
        POD,
        {"spec.tolerations: [{key: a, operator: Exists}, {key: b}]", "",
         "spec.tolerations: [{key: a, operator: Exists}]"},
        {"spec.tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 9}]", "",
         "spec.tolerations: [{key: a, operator: Exists, effect: NoExecute}]"},
        {"spec.tolerations: [{key: b}]",
         "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
         "spec.tolerations: [{key: a, operator: Exists}]"},
        {"spec.schedulingGates: [{name: a}]", "", "spec.schedulingGates: [{name: a}, {name: b}]"},
        {"spec.schedulingGates: []", "", "spec.schedulingGates: [{name: a}]"},
        {"spec.schedulingGates: [{name: a}, {name: b}]",
         "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'",
         "spec.schedulingGates: [{name: a}]"});
}

#define NODES              "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
#define GATED              "spec.schedulingGates: [{name: g}]\n"
#define TERM               NODES ": {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}"
#define SHOWN(expressions) "{\"MatchExpressions\":[" expressions "],\"MatchFields\":null}"
#define EXISTS(key)        "{\"Key\":\"" key "\",\"Operator\":\"Exists\",\"Values\":null}"

TEST(a_gated_pod_can_become_choosier)
{
    RULES_UPDATE(
        POD, {"spec.nodeSelector: {a: b, c: d}", "", GATED "spec.nodeSelector: {a: b}"},
        {"spec.nodeSelector: {a: c}",
         "spec.nodeSelector: Invalid value: {\"a\":\"c\"}: only additions to spec.nodeSelector are allowed (no mutations "
         "or deletions)",
         GATED "spec.nodeSelector: {a: b}"},
        {TERM, "", GATED "spec.hostname: h"},
        {TERM "\nspec.affinity.podAffinity: {}", OTHER_FIELDS "...", GATED "spec.hostname: h"},
        {"spec.affinity: null",
         NODES
         ".nodeSelectorTerms: Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list are "
         "allowed",
         GATED TERM},
        {NODES ".nodeSelectorTerms[0].matchExpressions[1]: {key: b, operator: Exists}", "", GATED TERM},
        {NODES ".nodeSelectorTerms[0].matchFields: [{key: metadata.name, operator: In, values: [x]}]", "",
         GATED TERM},
        {NODES ".nodeSelectorTerms[0].matchExpressions[0].key: b",
         NODES ".nodeSelectorTerms[0]: Invalid value: " SHOWN(
             EXISTS("b")) ": only additions are allowed (no mutations "
                          "or deletions)",
         GATED TERM},
        {NODES ".nodeSelectorTerms[1]: {matchExpressions: [{key: b, operator: Exists}]}",
         NODES ".nodeSelectorTerms: Invalid value: [" SHOWN(EXISTS("a")) "," SHOWN(
             EXISTS("b")) "]: no "
                          "additions/deletions to non-empty NodeSelectorTerms list are allowed",
         GATED TERM});
}

#define A         "metadata.annotations"
#define APP_ARMOR "container.apparmor.security.beta.kubernetes.io/c"

TEST(annotations_of_pods_stay)
{
    RULES_UPDATE(
        POD,
        {A ": {" APP_ARMOR ": unconfined}", A "[" APP_ARMOR "]: Forbidden: may not add AppArmor annotations"},
        {A ": {}", A "[" APP_ARMOR "]: Forbidden: may not remove or update AppArmor annotations",
         A ": {" APP_ARMOR ": unconfined}"},
        {A ": {kubernetes.io/config.mirror: b}",
         A "[kubernetes.io/config.mirror]: Forbidden: may not remove or update mirror pod annotation",
         A ": {kubernetes.io/config.mirror: a}\nspec.nodeName: m"},
        {A ": {kubernetes.io/config.mirror: b}",
         A "[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation",
         "spec.nodeName: m"});
}

#define E         "spec.ephemeralContainers"
#define EPHEMERAL "ephemeralcontainers"

TEST(ephemeral_containers_are_only_added)
{
    RULES_UPDATE(
        POD, {E ": [{name: f, image: i}, {name: e, image: i}]", "", E ": [{name: e, image: i}]", EPHEMERAL},
        {E ": []", E ": Forbidden: existing ephemeral containers \"e\" may not be removed\n",
         E ": [{name: e, image: i}]", EPHEMERAL},
        {E ": [{name: e, image: j}]",
         E ": Forbidden: existing ephemeral containers \"e\" may not be changed\n"
           "@@ -1,6 +1,6 @@\n"
           " {\n"
           "  \"Name\": \"e\",\n"
           "- \"Image\": \"i\",\n"
           "+ \"Image\": \"j\",\n"
           "  \"Command\": null,\n"
           "  \"Args\": null,\n"
           "  \"WorkingDir\": \"\",\n",
         E ": [{name: e, image: i}]", EPHEMERAL},
        {E ": [{name: e, image: j}]", ": Forbidden: static pods do not support ephemeral containers",
         A ": {kubernetes.io/config.mirror: a}\nspec.nodeName: m", EPHEMERAL});
    RULES_UPDATED(POD, {E ": [{name: e, image: i}]\nspec.nodeName: m\nmetadata.labels: {a: b}",
                        E "[0].imagePullPolicy: \"Always\"\nspec.nodeName: absent\nmetadata.labels: absent",
                        NULL, EPHEMERAL});
}
