#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                                                               \
    "apiVersion: v1\n"                                                                    \
    "kind: Pod\n"                                                                         \
    "metadata: {name: p, namespace: ns}\n"                                                \
    "spec:\n"                                                                             \
    "  containers: [{name: c, image: i, resources: {requests: {cpu: 1, memory: 1Gi}}}]\n" \
    "  initContainers: [{name: x, image: i, resources: {requests: {cpu: 1}}}]\n"
#define RESIZE(...) __VA_ARGS__, "resize"
#define R           "spec.containers[0].resources"
#define I           "spec.initContainers[0]"
#define OF_POD      "spec.resources: {requests: {cpu: 4}, limits: {memory: 4Gi}}"

TEST(a_resize_changes_resources_only)
{
    RULES_UPDATED(
        POD,
        {R ".requests.cpu: 2\nspec.containers[0].image: j\nspec.hostname: h\nmetadata.labels: {a: b}\n"
           "status.phase: Running\n" I ".resources.requests.cpu: 3\n"
           "spec.containers[0].resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]",
         R ".requests.cpu: \"2\"\nspec.containers[0].image: \"i\"\nspec.hostname: absent\n"
           "metadata.labels: absent\nstatus.phase: \"Pending\"\n" I ".resources.requests.cpu: \"3\"",
         RESIZE("spec.containers[0].resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]")},
        {"spec.resources.requests.cpu: 5", "spec.resources.requests.cpu: \"5\"", RESIZE(OF_POD)});
}

TEST(some_pods_cannot_be_resized)
{
    RULES_UPDATE(POD,
                 {R ".requests.cpu: 2", ": Forbidden: static pods cannot be resized",
                  RESIZE("metadata.annotations: {kubernetes.io/config.mirror: a}\nspec.nodeName: m")},
                 {R ".requests.cpu: 2", ": Forbidden: windows pods cannot be resized",
                  RESIZE("spec.os: {name: windows}")},
                 {R ".requests.cpu: 2", "spec: Forbidden: Pod running on node without support for resize",
                  RESIZE("status.containerStatuses: [{name: c, state: {running: {}}}]")},
                 {R ".requests.cpu: 2", "",
                  RESIZE("status.containerStatuses: [{name: c, state: {running: {}}, resources: {}}]")});
}

TEST(a_resize_keeps_the_class_and_what_is_asked_for)
{
    RULES_UPDATE(
        POD, {R ".limits: {cpu: 2}", "", RESIZE(NULL)},
        {R ": {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}\n" I
           ".resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}",
         "spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing",
         RESIZE(NULL)},
        {R ".requests: {cpu: 1}", R ".requests: Forbidden: resource requests cannot be removed",
         RESIZE(NULL)},
        {R ".limits: {cpu: 1}", R ".limits: Forbidden: resource limits cannot be removed",
         RESIZE(R ".limits: {cpu: 1, memory: 1Gi}")},
        {I ".resources: {}", I ".resources.requests: Forbidden: resource requests cannot be removed",
         RESIZE(NULL)},
        {R ".requests.ephemeral-storage: 1", "spec: Forbidden: only cpu and memory resources are mutable",
         RESIZE(NULL)},
        {I ".resources.requests.ephemeral-storage: 1",
         I ": Forbidden: only cpu and memory resources for init or sidecar containers are mutable",
         RESIZE(NULL)},
        {I ".resources.requests.cpu: 2",
         I
         ".resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must not be set to 'RestartContainer' for "
         "non-sidecar initContainers\n" I
         ": Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be resized",
         RESIZE(I ".resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]")},
        {"spec.containers[0].resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]",
         "spec: Forbidden: only cpu and memory resources are mutable", RESIZE(NULL)});
}

TEST(a_resize_keeps_containers_in_order)
{
    RULES_UPDATE(
        POD,
        {"spec.containers[1]: {name: d, image: i}",
         "spec.containers: Forbidden: containers may not be added or removed on resize", RESIZE(NULL)},
        {"spec.containers[0].name: d",
         "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
         RESIZE(NULL)},
        {"spec.initContainers[1]: {name: d, image: i}",
         "spec.initContainers: Forbidden: initContainers may not be added or removed on resize",
         RESIZE(NULL)},
        {I ".name: d", I ".name: Forbidden: initContainers may not be renamed or reordered on resize",
         RESIZE(NULL)});
}

TEST(a_pod_as_a_whole_is_resized)
{
    RULES_UPDATE(POD, {"spec.resources.requests.cpu: 5", "", RESIZE(OF_POD)},
                 {"spec.resources: {requests: {cpu: 5}}", "", RESIZE(NULL)},
                 {"spec.resources: null", "spec.resources: Forbidden: pod-level resources cannot be removed",
                  RESIZE(OF_POD)},
                 {"spec.resources.limits: {cpu: 9}",
                  "spec.resources.limits: Forbidden: pod-level resource limits cannot be removed",
                  RESIZE(OF_POD)},
                 {"spec.resources.limits.hugepages-2Mi: 2Mi",
                  "spec: Forbidden: only cpu and memory resources are mutable at pod-level", RESIZE(OF_POD)});
}
