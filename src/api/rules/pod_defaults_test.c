#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                                    \
    "apiVersion: v1\n"                                         \
    "kind: Pod\n"                                              \
    "metadata: {name: p, namespace: ns, labels: {app: web}}\n" \
    "spec: {containers: [{name: c, image: i}]}\n"
#define TEMPLATE                           \
    "apiVersion: v1\n"                     \
    "kind: PodTemplate\n"                  \
    "metadata: {name: t, namespace: ns}\n" \
    "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}\n"

TEST(a_pod_gets_what_nobody_said)
{
    RULES_CREATED(
        POD,
        {"spec.hostNetwork: false",
         "spec.enableServiceLinks: true\nspec.restartPolicy: \"Always\"\nspec.dnsPolicy: \"ClusterFirst\"\n"
         "spec.terminationGracePeriodSeconds: 30\nspec.securityContext: {}\n"
         "spec.schedulerName: \"default-scheduler\"\nspec.containers[0].imagePullPolicy: \"Always\"\n"
         "spec.containers[0].terminationMessagePath: \"/dev/termination-log\"\n"
         "spec.containers[0].terminationMessagePolicy: \"File\"\nspec.containers[0].resources: {}\n"
         "status: {\"phase\":\"Pending\",\"qosClass\":\"BestEffort\"}"},
        {"spec.containers[0].image: i:1\nspec.initContainers: [{name: x, image: 'i@sha256:1'}]",
         "spec.containers[0].imagePullPolicy: \"IfNotPresent\"\n"
         "spec.initContainers[0].imagePullPolicy: \"IfNotPresent\""},
        {"spec.volumes: [{name: a}, {name: b, hostPath: {path: /x}}, {name: c, image: {reference: 'x:latest'}},"
         " {name: d, image: {reference: 'x:1'}}]",
         "spec.volumes[0]: {\"name\":\"a\",\"emptyDir\":{}}\n"
         "spec.volumes[1].hostPath: {\"path\":\"/x\",\"type\":\"\"}\n"
         "spec.volumes[2].image.pullPolicy: \"Always\"\nspec.volumes[3].image.pullPolicy: \"IfNotPresent\""},
        {"spec.serviceAccount: a", "spec.serviceAccountName: \"a\"\nspec.serviceAccount: \"a\""},
        {"spec.serviceAccountName: a", "spec.serviceAccountName: \"a\"\nspec.serviceAccount: \"a\""},
        {"spec.serviceAccountName: a\nspec.serviceAccount: b",
         "spec.serviceAccountName: \"a\"\nspec.serviceAccount: \"a\""},
        {"spec.hostNetwork: true\nspec.containers[0].ports: [{containerPort: 80}]",
         "spec.containers[0].ports[0]: {\"hostPort\":80,\"containerPort\":80,\"protocol\":\"TCP\"}"},
        {"spec.enableServiceLinks: false", "spec.enableServiceLinks: false"},
        {"metadata.annotations: {'pod.beta.kubernetes.io/init-containers': '[]'}",
         "metadata.annotations: absent"});
}

TEST(requests_follow_from_limits_in_pods_but_not_in_templates)
{
    RULES_CREATED(
        POD,
        {"spec.containers[0].resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}",
         "spec.containers[0].resources.requests: {\"cpu\":\"500m\",\"memory\":\"1Gi\"}"},
        {"spec.containers[0].resources: {limits: {cpu: 100u}, requests: {cpu: 1500n}}",
         "spec.containers[0].resources: {\"limits\":{\"cpu\":\"1m\"},\"requests\":{\"cpu\":\"1m\"}}"},
        {"spec.overhead: {cpu: 1u}", "spec.overhead: {\"cpu\":\"1m\"}"});
    RULES_CREATED(TEMPLATE, {"template.spec.containers[0].resources: {limits: {cpu: 1}}",
                             "template.spec.containers[0].resources: {\"limits\":{\"cpu\":\"1\"}}\n"
                             "template.spec.containers[0].imagePullPolicy: \"Always\"\n"
                             "template.spec.enableServiceLinks: absent"});
}

TEST(resources_of_a_pod_follow_from_those_of_its_containers)
{
    RULES_CREATED(
        POD,
        {"spec.resources: {limits: {cpu: 2, memory: 1Gi}}\nspec.containers[0].resources: {requests: {cpu: 100m}}",
         "spec.resources.requests: {\"cpu\":\"100m\",\"memory\":\"1Gi\"}"},
        {"spec.resources: {requests: {cpu: 500m}}\n"
         "spec.containers[0].resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1m}}",
         "spec.resources.limits: {\"cpu\":\"1\",\"memory\":\"1Gi\"}"},
        {"spec.resources: {requests: {cpu: 2}}\nspec.containers[0].resources: {limits: {cpu: 1}}\n"
         "spec.initContainers: [{name: x, image: i}]",
         "spec.resources.limits: absent"},
        {"spec.resources: {requests: {cpu: 2}}\n"
         "spec.containers[0].resources: {limits: {cpu: 1, hugepages-2Mi: 4Mi}}",
         "spec.resources.limits: {\"hugepages-2Mi\":\"4Mi\"}\n"
         "spec.resources.requests: {\"cpu\":\"2\",\"hugepages-2Mi\":\"4Mi\"}"},
        {"spec.resources: {}\nspec.containers[0].resources: {limits: {cpu: 1}}", "spec.resources: {}"});
}

TEST(a_pod_is_of_a_class)
{
    RULES_CREATED(
        POD,
        {"spec.containers[0].resources: {limits: {cpu: 1, memory: 1Gi}}", "status.qosClass: \"Guaranteed\""},
        {"spec.containers[0].resources: {limits: {cpu: 1, memory: 1Gi}, requests: {memory: 1024Mi}}",
         "status.qosClass: \"Guaranteed\""},
        {"spec.containers[0].resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1m}}",
         "status.qosClass: \"Burstable\""},
        {"spec.containers[0].resources: {limits: {cpu: 1}}", "status.qosClass: \"Burstable\""},
        {"spec.containers[0].resources: {limits: {ephemeral-storage: 1}}", "status.qosClass: \"BestEffort\""},
        {"spec.containers[0].resources: {requests: {cpu: 0}}", "status.qosClass: \"BestEffort\""},
        {"spec.containers[0].resources: {limits: {cpu: 1, memory: 1Gi}}\n"
         "spec.initContainers: [{name: x, image: i}]",
         "status.qosClass: \"Burstable\""},
        {"spec.resources: {limits: {cpu: 1, memory: 1Gi}}", "status.qosClass: \"Guaranteed\""},
        {"spec.resources: {requests: {cpu: 1}}", "status.qosClass: \"Burstable\""});
}

TEST(a_new_pod_has_no_status_of_its_own_and_nothing_of_features_that_are_off)
{
    RULES_CREATED(
        POD,
        {"status: {phase: Running, podIP: 1.2.3.4}",
         "status: {\"phase\":\"Pending\",\"qosClass\":\"BestEffort\"}"},
        {"spec.schedulingGates: [{name: example.com/g}]",
         "status.conditions: [{\"type\":\"PodScheduled\",\"status\":\"False\",\"lastProbeTime\":null,"
         "\"lastTransitionTime\":\"2026-01-02T03:04:05Z\",\"reason\":\"SchedulingGated\","
         "\"message\":\"Scheduling is blocked due to non-empty scheduling gates\"}]"},
        {"spec.schedulingGroup: {podGroupName: g}", "spec.schedulingGroup: absent"},
        {"spec.containers[0].lifecycle: {stopSignal: SIGTERM}", "spec.containers[0].lifecycle: absent"},
        {"spec.containers[0].lifecycle: {stopSignal: SIGTERM, preStop: {sleep: {seconds: 1}}}",
         "spec.containers[0].lifecycle: {\"preStop\":{\"sleep\":{\"seconds\":1}}}"},
        {"spec.serviceAccountName: a\n"
         "spec.volumes: [{name: v, projected: {sources: [{clusterTrustBundle: {name: a, path: b}},"
         " {podCertificate: {signerName: a, keyType: b}}]}}]",
         "spec.volumes[0].projected.sources: [{},{}]"});
    RULES_CREATED(TEMPLATE, {"template.spec.schedulingGroup: {podGroupName: g}",
                             "template.spec.schedulingGroup: absent"});
}

TEST(label_keys_of_a_new_pod_become_part_of_its_selectors)
{
    RULES_CREATED(
        POD,
        {"spec.topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule,"
         " labelSelector: {}, matchLabelKeys: [app, other]}]",
         "spec.topologySpreadConstraints[0].labelSelector: "
         "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"web\"]}]}"},
        {"spec.affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z,"
         " labelSelector: {}, mismatchLabelKeys: [app]}]}}",
         "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: "
         "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"NotIn\",\"values\":[\"web\"]}]}"},
        {"spec.affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1,"
         " podAffinityTerm: {topologyKey: z, labelSelector: {matchLabels: {a: b}}, matchLabelKeys: [app]}}]}}",
         "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm."
         "labelSelector: {\"matchLabels\":{\"a\":\"b\"},"
         "\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"web\"]}]}"});
}

#define APP_ARMOR "container.apparmor.security.beta.kubernetes.io/c"

TEST(annotations_of_old_become_profiles)
{
    RULES_CREATED(
        POD,
        {"metadata.annotations: {" APP_ARMOR ": localhost/x}",
         "spec.containers[0].securityContext: "
         "{\"appArmorProfile\":{\"type\":\"Localhost\",\"localhostProfile\":\"x\"}}"},
        {"metadata.annotations: {" APP_ARMOR ": runtime/default}",
         "spec.containers[0].securityContext: {\"appArmorProfile\":{\"type\":\"RuntimeDefault\"}}"},
        {"metadata.annotations: {" APP_ARMOR ": unconfined}\n"
         "spec.securityContext: {appArmorProfile: {type: Unconfined}}",
         "spec.containers[0].securityContext: absent"},
        {"metadata.annotations: {" APP_ARMOR ": localhost/}", "spec.containers[0].securityContext: absent"},
        {"metadata.annotations: {" APP_ARMOR ": unconfined}\nspec.os: {name: windows}",
         "spec.containers[0].securityContext: absent"});
    RULES_WARNINGS(POD,
                   {"metadata.annotations: {" APP_ARMOR ": unconfined}",
                    "metadata.annotations[" APP_ARMOR
                    "]: deprecated since v1.30; use the \"appArmorProfile\" field instead"},
                   {"metadata.annotations: {" APP_ARMOR ": unconfined}\n"
                    "spec.securityContext: {appArmorProfile: {type: Unconfined}}",
                    ""});
}
