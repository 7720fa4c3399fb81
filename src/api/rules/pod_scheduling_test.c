#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                                    \
    "apiVersion: v1\n"                                         \
    "kind: Pod\n"                                              \
    "metadata: {name: p, namespace: ns, labels: {app: web}}\n" \
    "spec: {containers: [{name: c, image: i}]}\n"
#define REQUIRED  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"
#define NODE      "spec.affinity.nodeAffinity." REQUIRED
#define TERMS(s)  NODE ": {nodeSelectorTerms: [" s "]}"
#define TERM      NODE ".nodeSelectorTerms[0]"
#define WISH      "spec.affinity.nodeAffinity." PREFERRED
#define NAME_PART \
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an..."

TEST(affinity_to_nodes_is_checked)
{
    RULES_CREATE(
        POD, {TERMS("{matchExpressions: [{key: a, operator: In, values: [b]}]}"), ""},
        {NODE ": {}", NODE ".nodeSelectorTerms: Required value: must have at least one node selector term"},
        {TERMS("{matchExpressions: [{key: a, operator: In}]}"), TERM
         ".matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"},
        {TERMS("{matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
         TERM ".matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or "
              "'DoesNotExist'"},
        {TERMS("{matchExpressions: [{key: a, operator: Gt, values: ['1', '2']}]}"), TERM
         ".matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or "
         "'Gt'"},
        {TERMS("{matchExpressions: [{key: a_, operator: Is, values: ['!']}]}"),
         TERM ".matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator\n" TERM
              ".matchExpressions[0].key: Invalid value: \"a_\": " NAME_PART "\n" TERM
              ".matchExpressions[0].values[0]: Invalid value: \"!\": a valid label must be..."},
        {TERMS("{matchFields: [{key: metadata.name, operator: In, values: [a]}]}"), ""},
        {TERMS("{matchFields: [{key: metadata.name, operator: Exists, values: [A]}]}"), TERM
         ".matchFields[0].operator: Invalid value: \"Exists\": not a valid selector operator\n" TERM
         ".matchFields[0].values[0]: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of..."},
        {TERMS("{matchFields: [{key: spec.x, operator: In, values: [a, b]}]}"), TERM
         ".matchFields[0].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for "
         "node field selector\n" TERM
         ".matchFields[0].key: Invalid value: \"spec.x\": not a valid field selector key"},
        {WISH ": [{weight: 0, preference: {matchExpressions: [{key: a, operator: In, values: ['!']}]}},"
              " {weight: 101, preference: {matchExpressions: [{key: a, operator: In}]}}]",
         WISH
         "[0].weight: Invalid value: 0: must be in the range 1-100\n" WISH
         "[1].weight: Invalid value: 101: must be in the range 1-100\n" WISH
         "[1].preference.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or "
         "'NotIn'"});
}

#define NEAR     "spec.affinity.podAffinity." REQUIRED
#define FAR      "spec.affinity.podAntiAffinity." PREFERRED
#define NEAR_(s) NEAR ": [{topologyKey: zone, " s "}]"

TEST(affinity_to_pods_is_checked)
{
    RULES_CREATE(
        POD, {NEAR_("labelSelector: {matchLabels: {a: b}}, namespaces: [x], namespaceSelector: {}"), ""},
        {NEAR ": [{topologyKey: ''}]",
         NEAR "[0].topologyKey: Required value: can not be empty\n" NEAR
              "[0].topologyKey: Invalid value: \"\": name part must be non-empty\n" NEAR
              "[0].topologyKey: Invalid value: \"\": " NAME_PART},
        {NEAR_("namespaces: [A]"),
         NEAR "[0].namespace: Invalid value: \"A\": a lowercase RFC 1123 label must consist of..."},
        {NEAR_(
             "labelSelector: {matchExpressions: [{key: a, operator: Is}]}, namespaceSelector: {matchLabels: {a: '!'}}"),
         NEAR
         "[0].labelSelector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator\n" NEAR
         "[0].namespaceSelector.matchLabels: Invalid value: \"!\": a valid label must be..."},
        {NEAR_("matchLabelKeys: [app]"),
         NEAR "[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"},
        {NEAR_("labelSelector: {}, matchLabelKeys: [app, a_], mismatchLabelKeys: [app]"), NEAR
         "[0].matchLabelKeys[1]: Invalid value: \"a_\": " NAME_PART "\n" NEAR
         "[0][0]: Invalid value: \"app\": exists in both matchLabelKeys and labelSelector\n" NEAR
         "[0].matchLabelKeys[0]: Invalid value: \"app\": exists in both matchLabelKeys and mismatchLabelKeys"},
        {NEAR_("labelSelector: {matchLabels: {app: x}}, matchLabelKeys: [app]"),
         NEAR "[0][0]: Invalid value: \"app\": exists in both matchLabelKeys and labelSelector"},
        {FAR ": [{weight: 0, podAffinityTerm: {topologyKey: a_}}]",
         FAR "[0].weight: Invalid value: 0: must be in the range 1-100\n" FAR
             "[0].podAffinityTerm.topologyKey: Invalid value: \"a_\": " NAME_PART});
}

#define T     "spec.topologySpreadConstraints"
#define T_(s) T ": [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, " s "}]"
#define PAIR  ".{topologyKey, whenUnsatisfiable}"

TEST(spreading_is_checked)
{
    RULES_CREATE(
        POD, {T_("minDomains: 2, nodeAffinityPolicy: Honor, nodeTaintsPolicy: Ignore"), ""},
        {T ": [{maxSkew: 0, topologyKey: '', whenUnsatisfiable: Wait}]",
         T "[0].maxSkew: Invalid value: 0: must be greater than zero\n" T
           "[0].topologyKey: Required value: can not be empty\n" T
           "[0].whenUnsatisfiable: Unsupported value: \"Wait\": supported values: \"DoNotSchedule\", "
           "\"ScheduleAnyway\""},
        {T_("maxSkew: 1}, {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule"),
         T "[0]" PAIR ": Duplicate value: \"{zone, DoNotSchedule}\""},
        {T_("maxSkew: 1}, {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway"), ""},
        {T_("minDomains: 0, nodeAffinityPolicy: Some, nodeTaintsPolicy: Some"),
         T "[0].minDomains: Invalid value: 0: must be greater than zero\n" T
           "[0].nodeAffinityPolicy: Unsupported value: \"Some\": supported values: \"Honor\", \"Ignore\"\n" T
           "[0].nodeTaintsPolicy: Unsupported value: \"Some\": supported values: \"Honor\", \"Ignore\""},
        {T ": [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, minDomains: 1}]", T
         "[0].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "
         "ScheduleAnyway"},
        {T_("matchLabelKeys: [app]"),
         T "[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"},
        {T_("labelSelector: {matchLabels: {a: '!'}}"),
         T "[0].labelSelector.matchLabels: Invalid value: \"!\": a valid label must be..."});
}

#define L     "spec.tolerations[0]"
#define L_(s) L ": {" s "}"

TEST(tolerations_are_checked)
{
    RULES_CREATE(
        POD, {L_("key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 1"), ""},
        {L_("operator: Exists"), ""}, {L_("key: a_, value: b"), L ".key: Invalid value: \"a_\": " NAME_PART},
        {L_("value: b"),
         L ".operator: Invalid value: \"\": operator must be Exists when `key` is empty, which means "
           "\"match all values and all keys\""},
        {L_("key: a, effect: NoSchedule, tolerationSeconds: 1"), L
         ".effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set"},
        {L_("key: a, value: '!'"), L ".operator: Invalid value: \"!\": a valid label must be..."},
        {L_("key: a, operator: Exists, value: b"),
         L ".operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'"},
        {L_("key: a, operator: Lt, value: '1'"),
         L ".operator: Unsupported value: \"Lt\": supported values: \"Equal\", \"Exists\", \"Lt\", \"Gt\""},
        {L_("key: a, operator: Is"),
         L ".operator: Unsupported value: \"Is\": supported values: \"Equal\", \"Exists\""},
        {L_("key: a, effect: Flee"),
         L ".effect: Unsupported value: \"Flee\": supported values: \"NoSchedule\", \"PreferNoSchedule\", "
           "\"NoExecute\""});
}
