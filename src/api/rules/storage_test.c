#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define STORAGE "apiVersion: storage.k8s.io/v1"
#define CLASS   "{" STORAGE ", kind: StorageClass, metadata: {name: a}, provisioner: example.com/p}"
#define ATTRIBUTES \
    "{" STORAGE    \
    ", kind: VolumeAttributesClass, metadata: {name: a}, driverName: example.com/p, parameters: {a: b}}"
#define DRIVER "{" STORAGE ", kind: CSIDriver, metadata: {name: d.example.com}, spec: {}}"
#define CSI_NODE \
    "{" STORAGE  \
    ", kind: CSINode, metadata: {name: a}, spec: {drivers: [{name: d.example.com, nodeID: x, allocatable: {count: 5}}]}}"
#define CAPACITY \
    "{" STORAGE ", kind: CSIStorageCapacity, metadata: {name: a, namespace: b}, storageClassName: c}"
#define ATTACHMENT                                                                                          \
    "{" STORAGE                                                                                             \
    ", kind: VolumeAttachment, metadata: {name: a}, spec: {attacher: d.example.com, nodeName: n1, source: " \
    "{persistentVolumeName: v}}}"

TEST(a_storage_class_says_who_makes_volumes_and_how)
{
    RULES_CREATED(CLASS,
                  {"metadata.labels: {a: b}", "reclaimPolicy: \"Delete\"\nvolumeBindingMode: \"Immediate\""});
    RULES_CREATE(
        CLASS,
        {"parameters: {a: b}\nallowedTopologies: [{matchLabelExpressions: [{key: a, values: [b]}]}]", ""},
        {"provisioner: null", "provisioner: Required value"},
        {"provisioner: A B", "provisioner: Invalid value: \"a b\": name part must consist of..."},
        {"parameters: {'': b}", "parameters: Invalid value: \"\": field can not be empty."},
        {"reclaimPolicy: Recycle",
         "reclaimPolicy: Unsupported value: \"Recycle\": supported values: \"Delete\", \"Retain\""},
        {"volumeBindingMode: Foo",
         "volumeBindingMode: Unsupported value: \"Foo\": supported values: \"Immediate\", \"WaitForFirstConsumer\""},
        {"allowedTopologies: [{matchLabelExpressions: [{key: a, values: [b, b]}, {key: 'a b'}, {key: a, values: [b]}]}]",
         "allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: \"b\"\n"
         "allowedTopologies[0].matchLabelExpressions[1].values: Required value\n"
         "allowedTopologies[0].matchLabelExpressions[1].key: Invalid value: \"a b\": name part...\n"
         "allowedTopologies[0].matchLabelExpressions[2].key: Duplicate value: \"a\""},
        {"allowedTopologies: [{matchLabelExpressions: [{key: a, values: [b, c]}, {key: d, values: [e]}]}, "
         "{matchLabelExpressions: [{key: d, values: [e]}, {key: a, values: [c, b]}]}]",
         "allowedTopologies[1].matchLabelExpressions: Duplicate value: \"\""});
    RULES_UPDATE(
        CLASS, {.set = "allowVolumeExpansion: true", .want = ""},
        {.set = "parameters: {a: b}", .want = "parameters: Forbidden: updates to parameters are forbidden."},
        {.set = "provisioner: x/z", .want = "provisioner: Forbidden: updates to provisioner are forbidden."},
        {.set = "reclaimPolicy: Retain",
         .want = "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."},
        {.set = "volumeBindingMode: WaitForFirstConsumer",
         .want = "volumeBindingMode: Invalid value: \"WaitForFirstConsumer\": field is immutable"});
    RULES_WARNINGS(
        CLASS, {"allowedTopologies: [{matchLabelExpressions: [{key: failure-domain.beta.kubernetes.io/zone, "
                "values: [b]}]}]",
                "allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "
                "\"topology.kubernetes.io/zone\" instead"});
    RULES_CREATE(ATTRIBUTES,
                 {"parameters: {}", "parameters: Required value: must contain at least one key/value pair"},
                 {"driverName: A B", "driverName: Invalid value: \"a b\": name part..."});
    RULES_UPDATE(
        ATTRIBUTES,
        {.set = "parameters: {a: c}", .want = "parameters: Forbidden: updates to parameters are forbidden."},
        {.set = "driverName: x/z", .want = "driverName: Forbidden: updates to driverName are forbidden."});
}

TEST(a_driver_says_what_it_needs)
{
    RULES_CREATED(DRIVER,
                  {"metadata.labels: {a: b}",
                   "spec: {\"attachRequired\":true,\"podInfoOnMount\":false,\"volumeLifecycleModes\":"
                   "[\"Persistent\"],\"storageCapacity\":false,\"fsGroupPolicy\":\"ReadWriteOnceWithFSType\","
                   "\"requiresRepublish\":false,\"seLinuxMount\":false}"});
    RULES_CREATE(
        DRIVER,
        {"spec.fsGroupPolicy: Foo",
         "spec.fsGroupPolicy: Unsupported value: \"Foo\": supported values: \"File\", \"None\", "
         "\"ReadWriteOnceWithFSType\""},
        {"spec.tokenRequests: [{audience: a}, {audience: a}, {audience: b, expirationSeconds: 1}, {audience: c, "
         "expirationSeconds: 4294967297}]",
         "spec.tokenRequests[1].audience: Duplicate value: \"a\"\n"
         "spec.tokenRequests[2].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes\n"
         "spec.tokenRequests[3].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than "
         "2^32 seconds"},
        {"spec.volumeLifecycleModes: [Foo]",
         "spec.volumeLifecycleModes: Unsupported value: \"Foo\": supported values: \"Persistent\", \"Ephemeral\""},
        {"spec.nodeAllocatableUpdatePeriodSeconds: 9",
         "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds"});
    RULES_UPDATE(DRIVER, {.set = "spec.podInfoOnMount: true", .want = ""},
                 {.set = "spec.attachRequired: false\nspec.volumeLifecycleModes: [Ephemeral]",
                  .want = "spec.attachedRequired: Invalid value: false: field is immutable\n"
                          "spec.volumeLifecycleModes: Invalid value: [\"Ephemeral\"]: field is immutable"});
}

TEST(drivers_of_a_node_stay_what_they_were)
{
    RULES_CREATE(
        CSI_NODE,
        {"spec.drivers[0]: {name: '', nodeID: ''}",
         "spec.drivers[0].name: Required value\n"
         "spec.drivers[0].name: Invalid value: \"\": a lowercase RFC 1123 subdomain...\n"
         "spec.drivers[0].nodeID: Required value"},
        {"spec.drivers[0].allocatable.count: -1",
         "spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0"},
        {"spec.drivers[1]: {name: d.example.com, nodeID: x, topologyKeys: [a, a, 'b c']}",
         "spec.drivers[1].name: Duplicate value: \"d.example.com\"\n"
         "spec.drivers[1]: Duplicate value: \"a\"\n"
         "spec.drivers[1]: Invalid value: \"b c\": name part..."},
        {"spec.drivers[0].nodeID: "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "spec.drivers[0].nodeID: Invalid value: "
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": must be 192 "
         "characters or less"});
    RULES_UPDATE(
        CSI_NODE, {.set = "spec.drivers[0].allocatable.count: 6", .want = ""},
        {.set = "spec.drivers[0].nodeID: z",
         .want = "spec.drivers: Invalid value: {\"Name\":\"d.example.com\",\"NodeID\":\"z\",\"TopologyKeys\":"
                 "[],\"Allocatable\":null}: field is immutable"},
        {.set = "spec.drivers: [{name: e.example.com, nodeID: z}]", .want = ""});
}

TEST(a_storage_capacity_is_not_negative)
{
    RULES_CREATE(
        CAPACITY, {"capacity: 1Gi\nnodeTopology: {matchLabels: {a: b}}", ""},
        {"capacity: -1", "capacity: Invalid value: \"-1\": must be greater than or equal to 0"},
        {"storageClassName: A_",
         "storageClassName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain..."},
        {"nodeTopology: {matchExpressions: [{key: a, operator: In}]}",
         "nodeTopology.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' "
         "or 'NotIn'"});
    RULES_UPDATE(
        CAPACITY,
        {.set = "storageClassName: d", .want = "storageClassName: Invalid value: \"d\": field is immutable"},
        {.set = "nodeTopology: {}", .want = "nodeTopology: Invalid value: {}: field is immutable"},
        {.old = "nodeTopology: {matchExpressions: [{key: a, operator: In, values: ['-']}]}",
         .set = "capacity: 1",
         .want = ""});
    RULES_WARNINGS(
        CAPACITY,
        {"nodeTopology: {matchLabels: {beta.kubernetes.io/os: x}, matchExpressions: [{key: "
         "beta.kubernetes.io/arch, operator: Exists}]}",
         "nodeTopology.matchExpressions[0].key: deprecated since v1.14; use \"kubernetes.io/arch\" instead\n"
         "nodeTopology.matchLabels.beta.kubernetes.io/os: deprecated since v1.14; use \"kubernetes.io/os\" "
         "instead"});
}

#define SOURCE "spec.source: "

TEST(an_attachment_is_of_one_volume)
{
    RULES_CREATE(
        ATTACHMENT,
        {SOURCE "{}",
         SOURCE "Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"},
        {SOURCE "{persistentVolumeName: a, inlineVolumeSpec: {}}",
         SOURCE "Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName"},
        {SOURCE "{persistentVolumeName: ''}",
         "spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName\n"
         "spec.source.persistentVolumeName: Invalid value: \"\": a lowercase RFC 1123 subdomain..."},
        {"spec.attacher: A_\nspec.nodeName: B_",
         "spec.nodeName: Invalid value: \"B_\": a lowercase RFC 1123 subdomain...\n"
         "spec.attacher: Invalid value: \"A_\": a lowercase RFC 1123 subdomain..."},
        {SOURCE
         "{inlineVolumeSpec: {accessModes: [ReadWriteOnce], csi: {driver: d.example.com, volumeHandle: h}}}",
         ""},
        {SOURCE
         "{inlineVolumeSpec: {accessModes: [ReadWriteOnce], claimRef: {}, capacity: {storage: 1}, hostPath: "
         "{path: /x}, volumeMode: Block, persistentVolumeReclaimPolicy: Delete, storageClassName: c, nodeAffinity: "
         "{}}}",
         "spec.source.inlineVolumeSpec.claimRef: Forbidden: may not be specified in the context of inline volumes\n"
         "spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes\n"
         "spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes\n"
         "spec.source.inlineVolumeSpec.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of "
         "inline volumes\n"
         "spec.source.inlineVolumeSpec.nodeAffinity: Forbidden: may not be specified in the context of inline volumes\n"
         "spec.source.inlineVolumeSpec.storageClassName: Forbidden: may not be specified in the context of inline "
         "volumes\n"
         "spec.source.inlineVolumeSpec.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the "
         "context of inline volumes"});
    RULES_UPDATE(
        ATTACHMENT,
        {.set = "spec.nodeName: n2",
         .want = "spec: Invalid value: {\"Attacher\":\"d.example.com\",\"Source\":{\"PersistentVolumeName\":"
                 "\"v\",\"InlineVolumeSpec\":null},\"NodeName\":\"n2\"}: field is immutable"},
        {.subresource = "status",
         .set = "status: {attached: true, attachError: {message: m, errorCode: -1}}",
         .want = "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, "
                 "inclusive"});
    RULES_CREATED(ATTACHMENT, {"status: {attached: true}", "status: {\"attached\":false}"});
}
