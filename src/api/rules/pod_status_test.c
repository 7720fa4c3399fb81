#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                                                  \
    "apiVersion: v1\n"                                                       \
    "kind: Pod\n"                                                            \
    "metadata: {name: p, namespace: ns}\n"                                   \
    "spec:\n"                                                                \
    "  restartPolicy: Never\n"                                               \
    "  containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]\n" \
    "  initContainers: [{name: x, image: i}, {name: s, image: i, restartPolicy: Always}]\n"
#define S_          "status."
#define STATUS(...) __VA_ARGS__, "status"

TEST(a_status_keeps_what_is_not_its_own)
{
    RULES_UPDATED(
        POD,
        {"status: {phase: Running}\nspec.nodeName: m\nmetadata.ownerReferences: [{apiVersion: v1, kind: A, name: a, uid: u}]",
         "status: {\"phase\":\"Running\",\"qosClass\":\"Burstable\"}\nspec.nodeName: absent\n"
         "metadata.ownerReferences: absent",
         STATUS(NULL)},
        {"status.podIP: 1.2.3.4", "status.podIPs: [{\"ip\":\"1.2.3.4\"}]", STATUS(NULL)},
        {"status.podIPs: [{ip: 1.2.3.4}, {ip: '::1'}]", "status.podIP: \"1.2.3.4\"", STATUS(NULL)},
        {"status.podIP: 1.2.3.4\nstatus.podIPs: [{ip: 1.2.3.5}, {ip: '::1'}]",
         "status.podIPs: [{\"ip\":\"1.2.3.4\"}]", STATUS(NULL)},
        {"status.containerStatuses: [{name: c, volumeMounts: [{name: v, mountPath: /x, volumeStatus: {}}]}]\n"
         "status.nodeAllocatableResourceClaimStatuses: [{resourceClaimName: a}]",
         "status.containerStatuses[0].volumeMounts: [{\"name\":\"v\",\"mountPath\":\"/x\"}]\n"
         "status.nodeAllocatableResourceClaimStatuses: absent",
         STATUS(NULL)},
        {"status: {conditions: [{type: Ready, status: 'True'}, {type: Ready, status: 'True', observedGeneration: 9}, {type: Ready}]}",
         "status.observedGeneration: 3\nstatus.conditions[0].observedGeneration: 1\n"
         "status.conditions[1].observedGeneration: 9\nstatus.conditions[2].observedGeneration: absent",
         STATUS("status.observedGeneration: 3\nstatus.conditions: [{type: Ready, observedGeneration: 1},"
                " {type: Ready, observedGeneration: 2}]")});
}

TEST(conditions_of_pods_are_checked)
{
    RULES_UPDATE(
        POD,
        {"status.conditions: [{type: Ready, observedGeneration: -1}, {type: a_}]",
         "status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer\n"
         "status.conditions[1].Type: Invalid value: \"a_\": name part must consist of...",
         STATUS(NULL)},
        {"status.observedGeneration: -1",
         "status.observedGeneration: Invalid value: -1: must be a non-negative integer", STATUS(NULL)},
        {"status.qosClass: Guaranteed", "status.qosClass: Invalid value: \"Guaranteed\": field is immutable",
         STATUS(NULL)},
        {"status.nominatedNodeName: A",
         "status.nominatedNodeName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of...",
         STATUS(NULL)},
        {"status.nominatedNodeName: a",
         "status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node",
         STATUS("spec.nodeName: m")},
        {"status.nominatedNodeName: null", "", STATUS("spec.nodeName: m\nstatus.nominatedNodeName: b")});
}

#define ENDED(list, name, code) \
    "status." list ": [{name: " name ", state: {terminated: {exitCode: " code "}}}]"
#define RUNS(list, name) "status." list ": [{name: " name ", state: {running: {}}}]"
#define NOT_AGAIN(list)  "status." list "[0].state: Forbidden: may not be transitioned to non-terminated state"
#define PLAIN            "containerStatuses"
#define INIT             "initContainerStatuses"

TEST(containers_that_ended_run_again_only_if_they_may)
{
    RULES_UPDATE(
        POD, {RUNS(PLAIN, "c"), NOT_AGAIN(PLAIN), STATUS(ENDED(PLAIN, "c", "1"))},
        {RUNS(PLAIN, "c"), "", STATUS(ENDED(PLAIN, "c", "1") "\nspec.restartPolicy: OnFailure")},
        {RUNS(PLAIN, "c"), NOT_AGAIN(PLAIN),
         STATUS(ENDED(PLAIN, "c", "0") "\nspec.restartPolicy: OnFailure")},
        {RUNS(PLAIN, "c"), "", STATUS(ENDED(PLAIN, "c", "0") "\nspec.restartPolicy: Always")},
        {RUNS(PLAIN, "c"), "", STATUS(ENDED(PLAIN, "c", "0") "\nspec.containers[0].restartPolicy: Always")},
        {RUNS(PLAIN, "c"), "",
         STATUS(
             ENDED(PLAIN, "c",
                   "42") "\nspec.containers[0].restartPolicy: Never\nspec.containers[0].restartPolicyRules: "
                         "[{action: Restart, exitCodes: {operator: In, values: [42]}}]")},
        {RUNS(PLAIN, "c"), NOT_AGAIN(PLAIN),
         STATUS(
             ENDED(PLAIN, "c",
                   "42") "\nspec.containers[0].restartPolicy: Never\nspec.containers[0].restartPolicyRules: "
                         "[{action: Restart, exitCodes: {operator: NotIn, values: [42]}}]")},
        {RUNS(PLAIN, "c"), "",
         STATUS(ENDED(PLAIN, "c",
                      "1") "\nspec.initContainers[0].restartPolicyRules: [{action: RestartAllContainers, "
                           "exitCodes: {operator: In, values: [9]}}]")},
        {RUNS(PLAIN, "gone"), NOT_AGAIN(PLAIN), STATUS(ENDED(PLAIN, "gone", "1"))},
        {RUNS(INIT, "x"), NOT_AGAIN(INIT), STATUS(ENDED(INIT, "x", "1"))},
        {RUNS(INIT, "s"), "", STATUS(ENDED(INIT, "s", "0"))},
        {RUNS("ephemeralContainerStatuses", "e"), NOT_AGAIN("ephemeralContainerStatuses"),
         STATUS(ENDED("ephemeralContainerStatuses", "e", "1"))},
        {"status.containerStatuses: []", "", STATUS(ENDED(PLAIN, "c", "1"))});
}

#define ONE_OF_EACH "may specify no more than one IP for each IP family"

TEST(addresses_of_pods_are_checked)
{
    RULES_UPDATE(
        POD,
        {"status.podIPs: [{ip: x}]",
         "status.podIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
         STATUS(NULL)},
        {"status.podIPs: [{ip: 010.0.0.1}]", "", STATUS("status.podIPs: [{ip: 010.0.0.1}]")},
        {"status.podIPs: [{ip: 1.1.1.1}, {ip: 1.1.1.2}]",
         "status.podIPs: Invalid value: [{\"IP\":\"1.1.1.1\"},{\"IP\":\"1.1.1.2\"}]: " ONE_OF_EACH,
         STATUS(NULL)},
        {"status.podIPs: [{ip: 1.1.1.1}, {ip: x}]",
         "status.podIPs[1]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)\n"
         "status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: <nil>\n"
         "status.podIPs: Invalid value: [{\"IP\":\"1.1.1.1\"},{\"IP\":\"x\"}]: " ONE_OF_EACH,
         STATUS(NULL)},
        {"status.hostIPs: [{ip: 1.1.1.1}, {ip: '::1'}]\nstatus.hostIP: 1.1.1.1", "", STATUS(NULL)},
        {"status.hostIPs: [{ip: 1.1.1.1}]\nstatus.hostIP: 1.1.1.2",
         "status.hostIPs[0].ip: Invalid value: \"1.1.1.1\": must be equal to `hostIP`", STATUS(NULL)});
    RULES_UPDATE_WARNINGS(
        POD,
        {"status.podIPs: [{ip: '::0'}]\nstatus.hostIP: '2001:DB8::1'\nstatus.hostIPs: [{ip: '2001:DB8::1'}]",
         "status.podIPs[0].ip: IPv6 address \"::0\" should be in RFC 5952 canonical format (\"::\")\n"
         "status.hostIPs[0].ip: IPv6 address \"2001:DB8::1\" should be in RFC 5952 canonical format (\"2001:db8::1\")",
         STATUS(NULL)});
}

#define K "status.resourceClaimStatuses"
#define X "status.extendedResourceClaimStatus"

TEST(claims_in_a_status_are_checked)
{
    RULES_UPDATE(
        POD,
        {K ": [{name: a, resourceClaimName: A}, {name: a}]",
         K
         "[0].resourceClaimName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of...\n" K
         "[1].name: Duplicate value: \"a\"",
         STATUS("spec.resourceClaims: [{name: a, resourceClaimName: x}]")},
        {K ": [{name: b}]",
         K "[0].name: Invalid value: \"b\": must match the name of an entry in `spec.resourceClaims`",
         STATUS(NULL)},
        {X ": {}",
         X ".requestMappings: Required value: at least one request mapping is required\n" X
           ".resourceClaimName: Required value",
         STATUS(NULL)},
        {X
         ": {resourceClaimName: A, requestMappings: [{containerName: c, resourceName: cpu, requestName: R},"
         " {containerName: c, resourceName: memory, requestName: r}, {containerName: d, resourceName: cpu, requestName: r},"
         " {containerName: d, resourceName: cpu, requestName: r}]}",
         X
         ".requestName: Invalid value: \"R\": a lowercase RFC 1123 label must consist of...\n" X
         ".requestMappings[1].resourceName: Invalid value: \"memory\": must match the extended resource name of an entry "
         "in spec.initContainers.resources.requests or spec.containers.resources.requests\n" X
         ".requestMappings[2].containerName: Invalid value: \"d\": must match the name of an entry in "
         "spec.initContainers.name or spec.containers.name\n" X
         ".requestMappings[3].containerName: Invalid value: \"d\": must match the name of an entry in "
         "spec.initContainers.name or spec.containers.name\n" X
         ".requestMappings[3].containerName: Duplicate value: \"d\"\n" X
         ".requestMappings[3].resourceName: Duplicate value: \"cpu\"\n" X
         ".requestMappings[3].requestName: Duplicate value: \"r\"\n" X
         ".resourceClaimName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of...",
         STATUS(NULL)});
}

#define C     "status.containerStatuses[0]"
#define C_(s) "status.containerStatuses: [{name: c, " s "}]"
#define R     C ".allocatedResourcesStatus"

TEST(what_containers_got_is_checked)
{
    RULES_UPDATE(
        POD,
        {C_("user: {linux: {uid: -1, gid: -1, supplementalGroups: [-1]}}"),
         C
         ".user.linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive\n" C
         ".user.linux.gid: Invalid value: -1: must be between 0 and 2147483647, inclusive\n" C
         ".user.linux.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive",
         STATUS(NULL)},
        {C_("user: {linux: {uid: 0, gid: 0}}"), C ".user.linux: Forbidden: cannot be set for a windows pod",
         STATUS("spec.os: {name: windows}")},
        {C_("allocatedResourcesStatus: [{name: cpu, resources: [{resourceID: a, health: Healthy}]}]"), "",
         STATUS(NULL)},
        {C_("allocatedResourcesStatus: [{name: gpu}, {name: 'claim:a/r'}, {name: 'claim:b'}]"),
         R
         "[0].name: Invalid value: \"gpu\": must match one of the container's resource requests\n" R
         "[2].name: Invalid value: \"claim:b\": must match one of the container's resource claims in a format "
         "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty",
         STATUS("spec.containers[0].resources.claims: [{name: a, request: r}]")},
        {C_("allocatedResourcesStatus: [{name: cpu, resources: [{resourceID: a, health: Ill, message: ''}, {resourceID: a, health: Unknown}]}]"),
         R
         "[0].resources[0].health: Unsupported value: \"Ill\": supported values: \"Healthy\", \"Unhealthy\", "
         "\"Unknown\"\n" R "[0].resources[0].message: Required value: must be non-empty if specified\n" R
         "[0].resources[1].resourceID: Duplicate value: \"a\"",
         STATUS(NULL)},
        {"status.ephemeralContainerStatuses: [{name: e, allocatedResourcesStatus: [{name: cpu}]}]",
         "status.ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: must not be specified in container "
         "status",
         STATUS(NULL)});
}

TEST(messages_about_health_have_a_limit)
{
    static char set[1400] = C_(
        "allocatedResourcesStatus: [{name: cpu, resources: [{health: Healthy, message: ");
    char *end = strstr(set, "}]");
    memset(end, 'a', 1025);
    stpcpy(end + 1025, "}]}]}]");
    const struct rules_case cases[] = {
        {set, R "[0].resources[0].message: Too long: may not be more than 1024 bytes", STATUS(NULL)}};
    rules_check_update(POD, cases, ARRAY_COUNT(cases));
}
