#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                \
    "apiVersion: v1\n"                     \
    "kind: Pod\n"                          \
    "metadata: {name: p, namespace: ns}\n" \
    "spec: {containers: [{name: c, image: i}]}\n"
#define C          "spec.containers[0]"
#define R          C ".resources"
#define LIMITS(s)  R ": {limits: {" s "}}"
#define REQUEST(s) R ": {requests: {" s "}}"

TEST(names_of_resources_are_checked)
{
    RULES_CREATE(
        POD, {LIMITS("cpu: 1, memory: 1Gi, ephemeral-storage: 1, example.com/gpu: 2"), ""},
        {LIMITS("a_: 1"), R
         ".limits[a_]: Invalid value: \"a_\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character...\n" R
         ".limits[a_]: Invalid value: \"a_\": must be a standard resource for containers\n" R
         ".requests[a_]: Invalid value: \"a_\": name part must...\n" R
         ".requests[a_]: Invalid value: \"a_\": must be a standard resource for containers"},
        {REQUEST("disk: 1"),
         R ".requests[disk]: Invalid value: \"disk\": must be a standard resource type or fully qualified\n" R
           ".requests[disk]: Invalid value: \"disk\": must be a standard resource for containers"},
        {REQUEST("pods: 1"),
         R ".requests[pods]: Invalid value: \"pods\": must be a standard resource for containers"},
        {REQUEST("requests.example.com/gpu: 1"), R
         ".requests[requests.example.com/gpu]: Invalid value: \"requests.example.com/gpu\": doesn't follow extended "
         "resource name standard\n" R
         ".limits: Required value: Limit must be set for non overcommitable resources"});
}

TEST(amounts_are_checked)
{
    RULES_CREATE(
        POD,
        {REQUEST("cpu: -1"), R ".requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"},
        {LIMITS("example.com/gpu: 1500m"),
         R ".limits[example.com/gpu]: Invalid value: \"1500m\": must be an integer\n" R
           ".requests[example.com/gpu]: Invalid value: \"1500m\": must be an integer"},
        {REQUEST("example.com/gpu: 1"),
         R ".limits: Required value: Limit must be set for non overcommitable resources"},
        {R ": {limits: {cpu: 1}, requests: {cpu: 2}}",
         R ".requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"},
        {R ": {limits: {example.com/gpu: 2}, requests: {example.com/gpu: 1}}",
         R ".requests: Invalid value: \"1\": must be equal to example.com/gpu limit of 2"},
        {LIMITS("cpu: 1, hugepages-2Mi: 4Mi"), ""},
        {LIMITS("hugepages-2Mi: 4Mi"), R ": Forbidden: HugePages require cpu or memory"},
        {LIMITS("cpu: 1, hugepages-2Mi: 3Mi"), R
         ".limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi\n" R
         ".requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi"},
        {"spec.overhead: {disk: 1}",
         "spec.overhead.limits[disk]: Invalid value: \"disk\": must be a standard resource type or fully qualified\n"
         "spec.overhead.limits[disk]: Invalid value: \"disk\": must be a standard resource for containers"},
        {"spec.overhead: {cpu: 1}", ""});
}

#define CLAIMS(s)                                                                                 \
    "spec.resourceClaims: [{name: a, resourceClaimName: x}, {name: b, resourceClaimName: z}]\n" R \
    ".claims: [" s "]"
#define NAMES ": must be one of the names in pod.spec.resourceClaims: a, b"

TEST(claims_of_containers_are_checked)
{
    RULES_CREATE(
        POD, {CLAIMS("{name: a}, {name: b, request: r}, {name: b, request: s}"), ""},
        {CLAIMS("{name: ''}"), R ".claims[0]: Required value"},
        {CLAIMS("{name: c}"), R ".claims[0]: Not found: \"c\"" NAMES},
        {R ".claims: [{name: c}]", R
         ".claims[0]: Not found: \"c\": must be one of the names in pod.spec.resourceClaims which is empty"},
        {CLAIMS("{name: a}, {name: a}"), R ".claims[1]: Duplicate value: \"a\""},
        {CLAIMS("{name: a, request: r}, {name: a, request: r}"), R ".claims[1]: Duplicate value: \"a/r\""},
        {CLAIMS("{name: a, request: r}, {name: a}"), R ".claims[1]: Duplicate value: \"a\""},
        {CLAIMS("{name: a, request: R}"),
         R ".claims[0].request: Invalid value: \"R\": a lowercase RFC 1123 label must consist of..."});
}

#define P "spec.resources"

TEST(resources_of_a_pod_are_checked)
{
    RULES_CREATE(
        POD, {P ": {limits: {cpu: 2}}\n" LIMITS("cpu: 1"), ""},
        {P ": {limits: {cpu: 2}}\nspec.os: {name: windows}",
         P ": Forbidden: may not be set for a windows pod"},
        {P
         ": {claims: [{name: a}], limits: {cpu: 1}}\nspec.resourceClaims: [{name: a, resourceClaimName: x}]",
         P ".claims: Forbidden: claims may not be set for Resources at pod-level"},
        {P ": {limits: {ephemeral-storage: 1}}",
         P ".limits[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported values: \"cpu\", "
           "\"hugepages-\", \"memory\""},
        {P ": {requests: {cpu: 1}}\n" REQUEST("cpu: 2"), P
         ".requests[cpu]: Invalid value: \"1\": must be greater than or equal to aggregate container requests of 2"},
        {P ": {limits: {cpu: 1}}\n" LIMITS("cpu: 2") "\n" R ".requests: {cpu: 1}",
         P ".containers[0][cpu].limits: Invalid value: \"2\": must be less than or equal to pod limits of 1"},
        {P ": {limits: {cpu: 1, hugepages-2Mi: 2Mi}}\n" LIMITS("cpu: 1, hugepages-2Mi: 4Mi"), P
         ".requests[hugepages-2Mi]: Invalid value: \"2Mi\": must be greater than or equal to aggregate container "
         "requests of 4Mi\n" P
         ".limits[hugepages-2Mi]: Invalid value: \"2Mi\": must be greater than or equal to aggregate container limits "
         "of 4Mi\n" P
         ".containers[0][hugepages-2Mi].limits: Invalid value: \"4Mi\": must be less than or equal to pod limits of "
         "2Mi"});
}

/* An init container runs beside the sidecars that began before it; containers run beside all of them. */
TEST(what_containers_need_together_is_at_any_one_time)
{
    RULES_CREATE(
        POD,
        {P ": {requests: {cpu: 3}}\n" REQUEST(
             "cpu: 1") "\n"
                       "spec.initContainers: [{name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 2}}},"
                       " {name: x, image: i, resources: {requests: {cpu: 1}}}]",
         ""},
        {P ": {requests: {cpu: 3}}\n" REQUEST(
             "cpu: 1") "\n"
                       "spec.initContainers: [{name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 2}}},"
                       " {name: x, image: i, resources: {requests: {cpu: 2}}}]",
         P
         ".requests[cpu]: Invalid value: \"3\": must be greater than or equal to aggregate container requests of 4"},
        {P ": {requests: {cpu: 3}}\n" REQUEST(
             "cpu: 1") "\n"
                       "spec.initContainers: [{name: x, image: i, resources: {requests: {cpu: 3}}},"
                       " {name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 2}}}]",
         ""});
}
