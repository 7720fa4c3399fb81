#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define NODE "{apiVersion: v1, kind: Node, metadata: {name: a}}"

TEST(a_node_keeps_both_forms_of_its_pod_ranges)
{
    RULES_CREATED(
        NODE,
        {"spec.podCIDR: 10.0.0.0/24", "spec.podCIDR: \"10.0.0.0/24\"\nspec.podCIDRs: [\"10.0.0.0/24\"]"},
        {"spec.podCIDRs: [10.0.0.0/24, 'fd00::/64']", "spec.podCIDR: \"10.0.0.0/24\""},
        {"spec: {podCIDR: 10.0.1.0/24, podCIDRs: [10.0.0.0/24]}", "spec.podCIDRs: [\"10.0.1.0/24\"]"},
        {"status.capacity: {cpu: 2}", "status.allocatable: {\"cpu\":\"2\"}"},
        {"status: {capacity: {cpu: 2}, allocatable: {cpu: 1}}", "status.allocatable: {\"cpu\":\"1\"}"});
}

TEST(a_node_is_refused_in_the_words_of_the_original)
{
    RULES_CREATE(
        NODE, {"spec.taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoExecute}]", ""},
        {"spec.taints: [{key: 'a b', value: '-', effect: Foo}]",
         "metadata.taints[0].key: Invalid value: \"a b\": name part must...\n"
         "metadata.taints[0].value: Invalid value: \"-\": a valid label must...\n"
         "metadata.taints[0].effect: Unsupported value: \"Foo\": supported values: \"NoSchedule\", "
         "\"PreferNoSchedule\", \"NoExecute\""},
        {"spec.taints: [{key: a}]", "metadata.taints[0].effect: Required value"},
        {"spec.taints: [{key: a, effect: NoSchedule}, {key: a, value: b, effect: NoSchedule}]",
         "metadata.taints[1]: Duplicate value: {\"Key\":\"a\",\"Value\":\"b\",\"Effect\":\"NoSchedule\",\"TimeAdded\":"
         "null}: taints must be unique by key and effect pair"},
        {"spec.podCIDRs: [10.0.0.1/24]",
         "spec.podCIDRs[0]: Invalid value: \"10.0.0.1/24\": must not have bits set beyond the prefix length"},
        {"spec.podCIDRs: [10.0.0.0/24, 10.0.1.0/24]",
         "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.1.0/24\"]: may specify no more than one CIDR for each "
         "IP family"},
        {"status.capacity: {cpu: -1, pods: 1500m}",
         "status.capacity.cpu: Invalid value: \"-1\": must be greater than or equal to 0\n"
         "status.capacity.pods: Invalid value: \"1500m\": must be an integer\n"
         "status.allocatable.cpu: Invalid value: \"-1\": must be greater than or equal to 0\n"
         "status.allocatable.pods: Invalid value: \"1500m\": must be an integer"},
        {"status.nodeInfo.swap.capacity: 0",
         "metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero"},
        {"status.declaredFeatures: [A, B/c]", ""},
        {"status.declaredFeatures: [b]",
         "status.declaredFeatures[0]: Invalid value: \"b\": invalid feature name \"b\": must start with an "
         "UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or "
         "MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"},
        {"status.declaredFeatures: [B, B, A]",
         "status.declaredFeatures[1]: Duplicate value: \"B\"\n"
         "status.declaredFeatures[2]: Invalid value: \"A\": list must be sorted alphabetically"});
}

TEST(a_node_keeps_what_was_given_to_it_once)
{
    RULES_UPDATE(
        NODE, {.set = "spec.podCIDR: 10.0.0.0/24\nspec.providerID: a", .want = ""},
        {.old = "spec.podCIDR: 10.0.0.0/24\nspec.podCIDRs: [10.0.0.0/24]",
         .set = "spec.podCIDR: 10.0.1.0/24\nspec.podCIDRs: [10.0.1.0/24]",
         .want = "spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid"},
        {.old = "spec.providerID: a",
         .set = "spec.providerID: b",
         .want =
             "spec.providerID: Forbidden: node updates may not change providerID except from \"\" to valid"},
        {.set = "spec.externalID: b", .want = "spec.externalID: Forbidden: may not be updated"},
        {.subresource = "status",
         .set =
             "status.addresses: [{type: InternalIP, address: 1.2.3.4}, {type: InternalIP, address: 1.2.3.4}]",
         .want = "status.addresses[1]: Duplicate value: {\"Type\":\"InternalIP\",\"Address\":\"1.2.3.4\"}"});
    RULES_WARNINGS(
        NODE,
        {"spec.externalID: b", "spec.externalID: this field is deprecated, and is unused by Kubernetes"},
        {"spec.configSource: {}", "spec.configSource: the feature is removed"},
        {"spec.podCIDRs: ['FD00::/64']",
         "spec.podCIDRs[0]: IPv6 CIDR value \"FD00::/64\" should be in RFC 5952 canonical format "
         "(\"fd00::/64\")"});
}
