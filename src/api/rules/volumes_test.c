#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define VOLUME                                                                                                     \
    "{apiVersion: v1, kind: PersistentVolume, metadata: {name: a}, spec: {capacity: {storage: 1Gi}, accessModes: " \
    "[ReadWriteOnce], hostPath: {path: /x}}}"
#define CLAIM                                                                                               \
    "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, namespace: b}, spec: {accessModes: " \
    "[ReadWriteOnce], resources: {requests: {storage: 2Gi}}}}"

TEST(a_volume_is_of_one_kind_and_has_a_size)
{
    RULES_CREATED(VOLUME,
                  {"status: {phase: Bound}",
                   "status: {\"phase\":\"Pending\",\"lastPhaseTransitionTime\":\"2026-01-02T03:04:05Z\"}\n"
                   "spec.persistentVolumeReclaimPolicy: \"Retain\"\nspec.volumeMode: \"Filesystem\""});
    RULES_CREATE(
        VOLUME, {"spec.accessModes: []", "spec.accessModes: Required value"},
        {"spec.accessModes: [Foo]",
         "spec.accessModes: Unsupported value: \"Foo\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", "
         "\"ReadWriteOnce\", \"ReadWriteOncePod\""},
        {"spec.accessModes: [ReadWriteOncePod, ReadWriteOnce]",
         "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"},
        {"spec.capacity: {}",
         "spec.capacity: Required value\nspec.capacity: Unsupported value: null: supported values: \"storage\""},
        {"spec.capacity: {storage: -1}",
         "spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity\n"
         "spec.capacity[storage]: Invalid value: \"-1\": must be greater than zero"},
        {"spec.capacity: {storage: 1, cpu: 1}",
         "spec.capacity: Unsupported value: {\"cpu\":\"1\",\"storage\":\"1\"}: supported values: \"storage\""},
        {"spec.persistentVolumeReclaimPolicy: Foo",
         "spec.persistentVolumeReclaimPolicy: Unsupported value: \"Foo\": supported values: \"Delete\", \"Recycle\", "
         "\"Retain\""},
        {"spec.hostPath: null", "spec: Required value: must specify a volume type"},
        {"spec.nfs: {server: s, path: /x}", "spec.nfs: Forbidden: may not specify more than 1 volume type"},
        {"spec.hostPath.path: /\nspec.persistentVolumeReclaimPolicy: Recycle",
         "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"},
        {"spec.storageClassName: A_",
         "spec.storageClassName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain..."},
        {"spec.volumeMode: Foo",
         "spec.volumeMode: Unsupported value: \"Foo\": supported values: \"Block\", \"Filesystem\""},
        {"spec.volumeAttributesClassName: ''",
         "spec.volumeAttributesClassName: Required value: an empty string is disallowed\n"
         "spec.csi: Required value: has to be specified when using volumeAttributesClassName"},
        {"spec.nodeAffinity: {}",
         "spec.nodeAffinity.required: Required value: must specify required node constraints"});
}

TEST(sources_of_volumes_say_where_the_storage_is)
{
    RULES_CREATE(
        VOLUME, {"spec.hostPath: {path: ''}", "spec.hostPath.path: Required value"},
        {"spec.hostPath: {path: /a/../b}",
         "spec.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"},
        {"spec.hostPath: null\nspec.nfs: {server: s, path: x}",
         "spec.nfs.path: Invalid value: \"x\": must be an absolute path"},
        {"spec.hostPath: null\nspec.local: {path: ''}",
         "spec.local.path: Required value\n"
         "spec.nodeAffinity: Required value: Local volume requires node affinity"},
        {"spec.hostPath: null\nspec.local: {path: /x}\nspec.nodeAffinity: {required: {nodeSelectorTerms: "
         "[{matchExpressions: [{key: a, operator: Exists}]}]}}",
         ""},
        {"spec.hostPath: null\nspec.csi: {driver: A_, nodePublishSecretRef: {name: B_}}",
         "spec.csi.driver: Invalid value: \"A_\": a lowercase RFC 1123 subdomain...\n"
         "spec.csi.volumeHandle: Required value\n"
         "spec.csi.nodePublishSecretRef.name: Invalid value: \"B_\": a lowercase RFC 1123 subdomain...\n"
         "spec.csi.nodePublishSecretRef.namespace: Required value"},
        {"spec.hostPath: null\nspec.iscsi: {iqn: 'iqn.2015-02.example.com:t', lun: 300, chapAuthSession: true}",
         "spec.iscsi.targetPortal: Required value\n"
         "spec.iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive\n"
         "spec.iscsi.secretRef: Required value"},
        {"spec.hostPath: null\nspec.glusterfs: {endpointsNamespace: A_}",
         "spec.glusterfs.endpoints: Required value\nspec.glusterfs.path: Required value\n"
         "spec.glusterfs.endpointsNamespace: Invalid value: \"A_\": a lowercase RFC 1123 label..."},
        {"spec.hostPath: null\nspec.cinder: {secretRef: {}}",
         "spec.cinder.volumeID: Required value\nspec.cinder.secretRef.name: Required value\n"
         "spec.cinder.secretRef.namespace: Required value"},
        {"spec.hostPath: null\nspec.azureFile: {secretNamespace: ''}",
         "spec.azureFile.secretName: Required value\nspec.azureFile.shareName: Required value\n"
         "spec.azureFile.secretNamespace: Required value"},
        {"spec.hostPath: null\nspec.flexVolume: {options: {kubernetes.io/x: b}}",
         "spec.flexVolume.driver: Required value\n"
         "spec.flexVolume.options[kubernetes.io/x]: Invalid value: \"kubernetes.io/x\": kubernetes.io and k8s.io "
         "namespaces are reserved"},
        {"spec.hostPath: null\nspec.rbd: {}",
         "spec.rbd.monitors: Required value\nspec.rbd.image: Required value"},
        {"spec.hostPath: null\nspec.gcePersistentDisk: {}", "spec.persistentDisk.pdName: Required value"},
        {"spec.hostPath: null\nspec.scaleIO: {secretRef: {}}",
         "spec.scaleIO.gateway: Required value\nspec.scaleIO.system: Required value\n"
         "spec.scaleIO.volumeName: Required value"},
        {"spec.hostPath: null\nspec.storageos: {secretRef: {name: a}}",
         "spec.storageos.volumeName: Required value\nspec.storageos.secretRef.namespace: Required value"});
}

TEST(a_volume_stays_where_it_is)
{
    RULES_UPDATE(
        VOLUME,
        {.set = "spec.capacity: {storage: 2Gi}\nspec.persistentVolumeReclaimPolicy: Delete", .want = ""},
        {.set = "spec.hostPath.path: /z",
         .want =
             "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after "
             "creation\n@@ -2,7 +2,7 @@\n  \"GCEPersistentDisk\": null,\n  \"AWSElasticBlockStore\": null,\n  "
             "\"HostPath\": {\n-  \"Path\": \"/x\",\n+  \"Path\": \"/z\",\n   \"Type\": \"\"\n  },\n  "
             "\"Glusterfs\": null,\n"},
        {.set = "spec.volumeMode: Block", .want = "volumeMode: Invalid value: \"Block\": field is immutable"},
        {.old = "spec.nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: "
                "failure-domain.beta.kubernetes.io/zone, operator: In, values: [z]}]}]}}",
         .set = "spec.nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: "
                "topology.kubernetes.io/zone, operator: In, values: [z]}]}]}}",
         .want = ""},
        {.old =
             "spec.nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}",
         .set = "spec.nodeAffinity: null",
         .want =
             "nodeAffinity: Invalid value: null: field is immutable, except for updating from beta label to GA"});
    RULES_UPDATE(
        "{apiVersion: v1, kind: PersistentVolume, metadata: {name: a}, spec: {capacity: {storage: 1Gi}, "
        "accessModes: [ReadWriteOnce], csi: {driver: d.example.com, volumeHandle: h}, "
        "volumeAttributesClassName: c}}",
        {.set = "spec.csi.controllerExpandSecretRef: {name: a, namespace: b}", .want = ""},
        {.set = "spec.volumeAttributesClassName: null",
         .want = "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden"});
    RULES_UPDATED(
        VOLUME,
        {.subresource = "status",
         .old = "status.lastPhaseTransitionTime: '2020-01-01T00:00:00Z'",
         .set = "status.phase: Bound",
         .want = "status: {\"phase\":\"Bound\",\"lastPhaseTransitionTime\":\"2026-01-02T03:04:05Z\"}"},
        {.subresource = "status",
         .old = "status.lastPhaseTransitionTime: '2020-01-01T00:00:00Z'",
         .set = "status: {phase: Pending}",
         .want = "status.lastPhaseTransitionTime: \"2020-01-01T00:00:00Z\""});
    RULES_WARNINGS(
        VOLUME,
        {"metadata.annotations: {volume.beta.kubernetes.io/storage-class: c, volume.beta.kubernetes.io/mount-options: "
         "ro}\nspec.persistentVolumeReclaimPolicy: Recycle",
         "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "
         "\"storageClassName\" attribute instead\n"
         "metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use \"mountOptions\" "
         "attribute instead\n"
         "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended "
         "approach is to use dynamic provisioning."},
        {"spec.hostPath: null\nspec.cephfs: {monitors: [m]}",
         "spec.cephfs: deprecated in v1.28, non-functional in v1.31+"},
        {"spec.nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: beta.kubernetes.io/os, operator: "
         "Exists}]}]}}",
         "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: deprecated since v1.14; use "
         "\"kubernetes.io/os\" instead"});
}

TEST(a_claim_says_the_same_in_both_forms_of_its_source)
{
    RULES_CREATED(
        CLAIM, {"status: {phase: Bound}", "status: {\"phase\":\"Pending\"}\nspec.volumeMode: \"Filesystem\""},
        {"spec.dataSource: {kind: PersistentVolumeClaim, name: x}",
         "spec.dataSourceRef: {\"apiGroup\":null,\"kind\":\"PersistentVolumeClaim\",\"name\":\"x\"}"},
        {"spec.dataSourceRef: {apiGroup: a.b, kind: K, name: x}",
         "spec.dataSource: {\"apiGroup\":\"a.b\",\"kind\":\"K\",\"name\":\"x\"}"},
        {"spec.dataSourceRef: {apiGroup: a.b, kind: K, name: x, namespace: c}", "spec.dataSource: absent"},
        {"spec.dataSource: {apiGroup: a.b, kind: K, name: x}",
         "spec.dataSource: absent\nspec.dataSourceRef: absent"});
}

TEST(a_claim_keeps_what_it_asked_for)
{
    RULES_UPDATE(
        CLAIM, {.set = "spec.volumeName: v", .want = ""}, {.set = "spec.storageClassName: c", .want = ""},
        {.old = "spec.volumeName: v",
         .set = "spec.volumeName: w",
         .want =
             "spec: Forbidden: spec is immutable after creation except resources.requests and "
             "volumeAttributesClassName for bound claims\n@@ -9,7 +9,7 @@\n    \"storage\": \"2Gi\"\n   }\n  },\n- "
             "\"VolumeName\": \"v\",\n+ \"VolumeName\": \"w\",\n  \"StorageClassName\": null,\n  \"VolumeMode\": "
             "\"Filesystem\",\n  \"DataSource\": null,\n"},
        {.old = "status: {phase: Bound, capacity: {storage: 2Gi}}",
         .set = "spec.resources.requests: {storage: 3Gi}",
         .want = ""},
        {.old = "status: {phase: Bound, capacity: {storage: 2Gi}}",
         .set = "spec.resources.requests: {storage: 1Gi}",
         .want = "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"},
        {.old =
             "status: {phase: Bound, currentVolumeAttributesClassName: c}\nspec.volumeAttributesClassName: c",
         .set = "spec.volumeAttributesClassName: null",
         .want = "spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when "
                 "status.currentVolumeAttributesClassName is not nil"},
        {.old =
             "status: {phase: Bound, currentVolumeAttributesClassName: c}\nspec.volumeAttributesClassName: c",
         .set = "spec.volumeAttributesClassName: ''",
         .want = "spec.volumeAttributesClassName: Forbidden: update to empty string is forbidden when "
                 "status.currentVolumeAttributesClassName is not nil"},
        {.old = "metadata.annotations: {volume.beta.kubernetes.io/storage-class: c}",
         .set = "metadata.annotations: {volume.beta.kubernetes.io/storage-class: d}",
         .want =
             "metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: \"d\": field is "
             "immutable"},
        {.old = "metadata.annotations: {volume.beta.kubernetes.io/storage-class: c}",
         .set = "metadata.annotations: null\nspec.storageClassName: c",
         .want = ""});
    RULES_UPDATE(
        CLAIM,
        {.subresource = "status",
         .set = "status: {capacity: {storage: -1}, allocatedResources: {cpu: 1}, allocatedResourceStatuses: "
                "{storage: Foo}}",
         .want = "status.capacity[storage]: Invalid value: -1: must be a valid resource quantity\n"
                 "status.allocatedResourceStatuses: Unsupported value: \"storage\": supported values: "
                 "\"ControllerResizeInProgress\", \"ControllerResizeInfeasible\", \"NodeResizeInProgress\", "
                 "\"NodeResizeInfeasible\", \"NodeResizePending\"\n"
                 "status.allocatedResources: Unsupported value: \"cpu\": supported values: \"storage\""});
    RULES_WARNINGS(
        CLAIM,
        {"spec.resources.requests: {storage: 1500m}",
         "spec.resources.requests[storage]: fractional byte value \"1500m\" is invalid, must be an integer"});
}
