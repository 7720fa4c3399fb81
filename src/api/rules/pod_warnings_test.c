#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                \
    "apiVersion: v1\n"                     \
    "kind: Pod\n"                          \
    "metadata: {name: p, namespace: ns}\n" \
    "spec: {serviceAccountName: a, containers: [{name: c, image: i}]}\n"
#define TEMPLATED                                                                    \
    "apiVersion: apps/v1\n"                                                          \
    "kind: ReplicaSet\n"                                                             \
    "metadata: {name: r, namespace: ns}\n"                                           \
    "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}," \
    " spec: {containers: [{name: c, image: i}]}}}\n"
#define C        "spec.containers[0]"
#define NO_MATCH "labelSelector: a null labelSelector results in matching no pod"

TEST(labels_of_nodes_that_are_gone_are_warned_of)
{
    RULES_WARNINGS(
        POD,
        {"spec.nodeSelector: {beta.kubernetes.io/os: linux, kubernetes.io/os: linux}",
         "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead"},
        {"spec.affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms:"
         " [{matchExpressions: [{key: beta.kubernetes.io/arch, operator: Exists}]}]}}}",
         "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
         ".matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
        {"spec.affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference:"
         " {matchExpressions: [{key: beta.kubernetes.io/instance-type, operator: In, values: ['-']}]}}]}}",
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0]"
         ".key: beta.kubernetes.io/instance-type is deprecated since v1.17; use \"node.kubernetes.io/instance-type\" "
         "instead\n"
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0]"
         ".values[0]: - is invalid, a valid label must be an empty string..."},
        {"spec.topologySpreadConstraints: [{maxSkew: 1, topologyKey: failure-domain.beta.kubernetes.io/zone,"
         " whenUnsatisfiable: DoNotSchedule}, {maxSkew: 1, topologyKey: failure-domain.beta.kubernetes.io/region,"
         " whenUnsatisfiable: DoNotSchedule, labelSelector: {}}]",
         "spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; "
         "use \"topology.kubernetes.io/zone\" instead\n"
         "spec.topologySpreadConstraints[0]." NO_MATCH "\n"
         "spec.topologySpreadConstraints[1].topologyKey: failure-domain.beta.kubernetes.io/region is deprecated since "
         "v1.17; use \"topology.kubernetes.io/region\" instead"},
        {"spec.affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z}]}, podAntiAffinity:"
         " {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: z}}]}}",
         "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]." NO_MATCH "\n"
         "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm." NO_MATCH});
}

#define A "metadata.annotations"

TEST(annotations_that_do_nothing_any_more_are_warned_of)
{
    RULES_WARNINGS(
        POD,
        {A ": {scheduler.alpha.kubernetes.io/critical-pod: '', security.alpha.kubernetes.io/sysctls: a,"
           " security.alpha.kubernetes.io/unsafe-sysctls: b}",
         A
         "[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the \"priorityClassName\" field "
         "instead\n" A
         "[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the \"sysctls\" field instead\n" A
         "[security.alpha.kubernetes.io/unsafe-sysctls]: non-functional in v1.11+; use the \"sysctls\" field "
         "instead"},
        {A ": {seccomp.security.alpha.kubernetes.io/pod: unconfined,"
           " container.seccomp.security.alpha.kubernetes.io/c: unconfined}",
         A
         "[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the \"seccompProfile\" field "
         "instead\n" A
         "[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the \"seccompProfile\" field "
         "instead"});
    RULES_WARNINGS(TEMPLATED,
                   {"spec.template." A ": {container.apparmor.security.beta.kubernetes.io/c: unconfined}",
                    "spec.template." A
                    "[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "
                    "\"appArmorProfile\" field instead"},
                   {"spec.template." A ": {container.apparmor.security.beta.kubernetes.io/c: unconfined}\n"
                    "spec.template.spec.securityContext: {appArmorProfile: {type: Unconfined}}",
                    ""});
}

#define V(set) "spec.volumes: [{name: v, " set "}]"

TEST(volumes_that_are_gone_are_warned_of)
{
    RULES_WARNINGS(
        POD,
        {V("photonPersistentDisk: {pdID: a}"),
         "spec.volumes[0].photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+"},
        {V("gitRepo: {repository: a}"), "spec.volumes[0].gitRepo: deprecated in v1.11"},
        {V("scaleIO: {gateway: a, system: b, volumeName: c}"),
         "spec.volumes[0].scaleIO: deprecated in v1.16, non-functional in v1.22+"},
        {V("flocker: {datasetName: a}"),
         "spec.volumes[0].flocker: deprecated in v1.22, non-functional in v1.25+"},
        {V("storageos: {volumeName: a}"),
         "spec.volumes[0].storageOS: deprecated in v1.22, non-functional in v1.25+"},
        {V("quobyte: {registry: 'a:1', volume: b}"),
         "spec.volumes[0].quobyte: deprecated in v1.22, non-functional in v1.25+"},
        {V("glusterfs: {endpoints: a, path: b}"),
         "spec.volumes[0].glusterfs: deprecated in v1.25, non-functional in v1.26+"},
        {V("cephfs: {monitors: [a]}"),
         "spec.volumes[0].cephfs: deprecated in v1.28, non-functional in v1.31+"},
        {V("rbd: {monitors: [a], image: b}"),
         "spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+"},
        {V("ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1.5},"
           " limits: {storage: 2500m}}}}}"),
         "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value \"1500m\" "
         "is invalid, must be an integer\n"
         "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.limits[storage]: fractional byte value \"2500m\" is "
         "invalid, must be an integer"});
}

TEST(paths_that_overlap_are_warned_of)
{
    RULES_WARNINGS(
        POD,
        {V("configMap: {name: m, items: [{key: a, path: x}, {key: b, path: x/y}, {key: c, path: z}]}"),
         "volume \"v\" (ConfigMap \"m\"): overlapping paths: \"x/y\" with \"x\""},
        {V("secret: {secretName: s, items: [{key: a, path: x}, {key: b, path: x}]}"),
         "volume \"v\" (Secret \"s\"): overlapping paths: \"x\" with \"x\""},
        {V("downwardAPI: {items: [{path: a/b, fieldRef: {fieldPath: metadata.name}},"
           " {path: a, fieldRef: {fieldPath: metadata.name}}]}"),
         "volume \"v\" (DownwardAPI): overlapping paths: \"a\" with \"a/b\""},
        {V("projected: {sources: [{configMap: {name: m, items: [{key: a, path: x}]}},"
           " {secret: {name: s, items: [{key: b, path: x/y}]}}]}"),
         "volume \"v\" (Projected Secret \"s\"): overlapping paths: \"x/y\" with \"x\""},
        {V("projected: {sources: [{downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}}]}},"
           " {serviceAccountToken: {path: a/token}}, {configMap: {name: m, items: [{key: a, path: a/b}]}}]}"),
         "volume \"v\" (Projected ServiceAccountToken): overlapping paths: \"a/token\" with \"a\"\n"
         "volume \"v\" (Projected ConfigMap \"m\"): overlapping paths: \"a/b\" with \"a\"\n"
         "volume \"v\" (Projected ConfigMap \"m\"): overlapping paths: \"a/token\" with \"a\""},
        {V("projected: {sources: [{}]}"), "volume \"v\" (Projected) has no sources provided"});
}

TEST(what_is_there_twice_is_warned_of)
{
    RULES_WARNINGS(
        POD,
        {"spec.hostAliases: [{ip: 1.1.1.1}, {ip: 1.1.1.1}]",
         "spec.hostAliases[1].ip: duplicate ip \"1.1.1.1\""},
        {"spec.imagePullSecrets: [{name: a}, {name: a}, {name: ''}]",
         "spec.imagePullSecrets[1].name: duplicate name \"a\"\nspec.imagePullSecrets[2].name: invalid empty name \"\""},
        {C ".env: [{name: A, value: x}, {name: A, value: z}]",
         C ".env[1]: hides previous definition of \"A\", which may be dropped when using apply"},
        {C ".env: [{name: A, value: x}, {name: A, value: $(A)}]",
         C ".env[1]: hides previous definition of \"A\", which may be dropped when using apply"},
        {C ".env: [{name: A, value: x}, {name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
         C ".env[1]: hides previous definition of \"A\", which may be dropped when using apply"},
        {C ".env: [{name: A, value: x}, {name: A, value: '$(A):z'}]", ""});
}

TEST(ports_that_conflict_are_warned_of)
{
    RULES_WARNINGS(
        POD, {C ".ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]", ""},
        {C ".ports: [{containerPort: 80}, {containerPort: 80}]",
         C ".ports[1]: duplicate port definition with " C ".ports[0]"},
        {C ".ports: [{containerPort: 80}, {containerPort: 80, hostPort: 8080}]",
         C ".ports[1]: overlapping port definition with " C ".ports[0]"},
        {C ".ports: [{containerPort: 80, hostPort: 80}, {containerPort: 80, hostPort: 80, hostIP: 1.1.1.1}]",
         C ".ports[1]: dangerously ambiguous port definition with " C ".ports[0]"},
        {C
         ".ports: [{containerPort: 80, hostPort: 80, hostIP: 1.1.1.2}, {containerPort: 80, hostPort: 80, hostIP: 1.1.1.1}]",
         ""},
        {C ".ports: [{name: a, containerPort: 80, hostIP: 1.1.1.1}]", C
         ".ports[0]: hostIP set without hostPort: {Name:a HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.1.1.1}"},
        {C
         ".ports: [{containerPort: 80}]\nspec.initContainers: [{name: x, image: i, ports: [{containerPort: 80}]}]",
         C ".ports[0]: duplicate port definition with spec.initContainers[0].ports[0]"});
}

TEST(odd_values_are_warned_of)
{
    RULES_WARNINGS(
        POD,
        {"metadata.name: a.b",
         "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
         "a DNS label is recommended: [must not contain dots]"},
        {"spec.terminationGracePeriodSeconds: -1",
         "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"},
        {C ".resources: {limits: {memory: 1500m, ephemeral-storage: 2500m}}", C
         ".resources.limits[memory]: fractional byte value \"1500m\" is invalid, must be an integer\n" C
         ".resources.requests[memory]: fractional byte value \"1500m\" is invalid, must be an integer\n" C
         ".resources.limits[ephemeral-storage]: fractional byte value \"2500m\" is invalid, must be an integer\n" C
         ".resources.requests[ephemeral-storage]: fractional byte value \"2500m\" is invalid, must be an integer"},
        {"spec.overhead: {memory: 1500m, ephemeral-storage: 1500m}",
         "spec.overhead[memory]: fractional byte value \"1500m\" is invalid, must be an integer\n"
         "spec.overhead[ephemeral-storage]: fractional byte value \"1500m\" is invalid, must be an integer"},
        {"spec.dnsConfig: {nameservers: ['::0']}\nspec.hostAliases: [{ip: '::0'}]",
         "spec.dnsConfig.nameservers[0]: IPv6 address \"::0\" should be in RFC 5952 canonical format (\"::\")\n"
         "spec.hostAliases[0].ip: IPv6 address \"::0\" should be in RFC 5952 canonical format (\"::\")"});
    RULES_UPDATE_WARNINGS(POD, {"metadata.labels: {a: b}", "", "spec.terminationGracePeriodSeconds: -1"});
}
