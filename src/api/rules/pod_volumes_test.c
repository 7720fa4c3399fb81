#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                 \
    "apiVersion: v1\n"                      \
    "kind: Pod\n"                           \
    "metadata: {name: p, namespace: ns}\n"  \
    "spec:\n"                               \
    "  serviceAccountName: sa\n"            \
    "  containers: [{name: c, image: i}]\n" \
    "  volumes: [{name: v}]\n"
#define V          "spec.volumes[0]"
#define SET(value) V ": {name: v, " value "}"

TEST(volumes_have_names_of_their_own)
{
    RULES_CREATE(
        POD, {V ".name: ''", V ".name: Required value"},
        {V ".name: A_b", V ".name: Invalid value: \"A_b\": a lowercase RFC 1123 label must consist of..."},
        {"spec.volumes[1]: {name: v}", "spec.volumes[1].name: Duplicate value: \"v\""},
        {"spec.volumes[1]: {name: w}", ""},
        {V ".emptyDir: {}\n" V ".hostPath: {path: /x}\n" V ".nfs: {server: s, path: /x}",
         V ".hostPath: Forbidden: may not specify more than 1 volume type\n" V
           ".nfs: Forbidden: may not specify more than 1 volume type"},
        {V ".emptyDir: {}\n" V ".downwardAPI: {}",
         V ".downwarAPI: Forbidden: may not specify more than 1 volume type"});
}

TEST(volumes_of_the_node_are_checked)
{
    RULES_CREATE(
        POD,
        {SET("emptyDir: {sizeLimit: -1}"),
         V ".emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"},
        {SET("emptyDir: {sizeLimit: 1Gi, medium: Memory}"), ""},
        {SET("hostPath: {path: ''}"), V ".hostPath.path: Required value"},
        {SET("hostPath: {path: /a/../b}"),
         V ".hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"},
        {SET("hostPath: {path: /a, type: Door}"), V
         ".hostPath.type: Unsupported value: \"Door\": supported values: \"\", \"BlockDevice\", \"CharDevice\", "
         "\"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\""},
        {SET("hostPath: {path: /a, type: Socket}"), ""},
        {SET("image: {}"), V ".image.reference: Required value"},
        {SET("image: {reference: i, pullPolicy: Often}"), V
         ".image.pullPolicy: Unsupported value: \"Often\": supported values: \"Always\", \"IfNotPresent\", \"Never\""},
        {SET("image: {reference: i}"), ""});
}

TEST(volumes_of_the_network_are_checked)
{
    RULES_CREATE(
        POD,
        {SET("nfs: {}"), V ".nfs.server: Required value\n" V ".nfs.path: Required value\n" V
                           ".nfs.path: Invalid value: \"\": must be an absolute path"},
        {SET("nfs: {server: s, path: a}"), V ".nfs.path: Invalid value: \"a\": must be an absolute path"},
        {SET("persistentVolumeClaim: {}"), V ".persistentVolumeClaim.claimName: Required value"},
        {SET("csi: {}"), V ".csi.driver: Required value\n" V ".csi.driver: Invalid value: \"\": a lowercase "
                           "RFC 1123 subdomain must consist of..."},
        {SET("csi: {driver: D.example.com, nodePublishSecretRef: {}}"),
         V ".csi.nodePublishSecretRef.name: Required value"},
        {SET("csi: {driver: d, nodePublishSecretRef: {name: A}}"),
         V ".csi.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of..."},
        {SET("csi: {driver: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}"),
         V ".csi.driver: Too long: may not be more than 63 bytes"});
}

TEST(volumes_with_files_of_objects_are_checked)
{
    RULES_CREATE(
        POD, {SET("secret: {}"), V ".secret.secretName: Required value"},
        {SET("secret: {secretName: s, defaultMode: 512}"), V
         ".secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive"},
        {SET("secret: {secretName: s, items: [{}]}"),
         V ".secret.items[0].key: Required value\n" V ".secret.items[0].path: Required value"},
        {SET("secret: {secretName: s, items: [{key: k, path: ..x, mode: -1}]}"), V
         ".secret.items[0].path: Invalid value: \"..x\": must not start with '..'\n" V
         ".secret.items[0].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive"},
        {SET("configMap: {}"), V ".configMap.name: Required value"},
        {SET("configMap: {name: c, defaultMode: 420, items: [{key: k, path: /x}]}"),
         V ".configMap.items[0].path: Invalid value: \"/x\": must be a relative path"},
        {SET("downwardAPI: {items: [{path: '', fieldRef: {fieldPath: metadata.name}}]}"),
         V ".downwardAPI.path: Required value"},
        {SET("downwardAPI: {items: [{path: a}]}"),
         V ".downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"},
        {SET("downwardAPI: {items: [{path: a, mode: 512, fieldRef: {fieldPath: metadata.name}, resourceFieldRef: "
             "{containerName: c, resource: limits.cpu}}]}"),
         V
         ".downwardAPI: Invalid value: \"resource\": fieldRef and resourceFieldRef can not be specified "
         "simultaneously\n" V
         ".downwardAPI.mode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive"},
        {SET("downwardAPI: {items: [{path: a, fieldRef: {fieldPath: status.podIP}}]}"),
         V ".downwardAPI.fieldRef.fieldPath: Unsupported value: \"status.podIP\": supported values: "
           "\"metadata.annotations\", \"metadata.labels\", \"metadata.name\", \"metadata.namespace\", "
           "\"metadata.uid\""},
        {SET("downwardAPI: {items: [{path: a, resourceFieldRef: {resource: limits.cpu}}]}"),
         V ".downwardAPI.resourceFieldRef.containerName: Required value"});
}

#define SOURCES(value) SET("projected: {sources: [" value "]}")
#define P              V ".projected"

TEST(projected_volumes_are_checked)
{
    RULES_CREATE(
        POD, {SOURCES("{secret: {}}"), P ".sources[0].secret.name: Required value"},
        {SOURCES("{configMap: {items: [{key: a, path: b}]}}"),
         P ".sources[0].configMap.name: Required value"},
        {SOURCES(
             "{secret: {name: a, items: [{key: a, path: x}]}}, {configMap: {name: b, items: [{key: a, path: x}]}}"),
         P ": Invalid value: \"b\": conflicting duplicate paths"},
        {SOURCES("{downwardAPI: {items: [{path: x, fieldRef: {fieldPath: metadata.uid}},"
                 " {path: x, fieldRef: {fieldPath: metadata.uid}}]}}"),
         P ": Invalid value: \"x\": conflicting duplicate paths"},
        {SOURCES("{serviceAccountToken: {path: ''}}"), P ".path: Required value"},
        {SOURCES("{serviceAccountToken: {path: /x, expirationSeconds: 599}}"), P
         ".sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a duration less "
         "than 10 minutes\n" P ".path: Invalid value: \"/x\": must be a relative path"},
        {SOURCES("{serviceAccountToken: {path: x, expirationSeconds: 4294967297}}"), P
         ".sources[0].serviceAccountToken.expirationSeconds: Invalid value: 4294967297: may not specify a duration "
         "larger than 2^32 seconds"},
        {SOURCES("{serviceAccountToken: {path: x}}") "\nspec.serviceAccountName: ''", P
         ".sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set"},
        {SOURCES("{secret: {name: a}, configMap: {name: b}}"),
         P ".sources[0]: Forbidden: may not specify more than 1 volume type per source"},
        {SET("projected: {defaultMode: 1000}"),
         P ".defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive"},
        {SOURCES("{secret: {name: a}}, {configMap: {name: b}}, {serviceAccountToken: {path: x}}"), ""});
}

#define E V ".ephemeral.volumeClaimTemplate"
#define CLAIM(set)                                                                                                         \
    SET("ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}") \
    "\n" E set

TEST(ephemeral_volumes_are_checked_as_claims)
{
    RULES_CREATE(
        POD, {SET("ephemeral: {}"), E ": Required value"}, {CLAIM(".spec.volumeMode: Block"), ""},
        {CLAIM(".metadata: {name: a, generateName: b, namespace: c, uid: d, finalizers: [a/b]}"), E
         ".metadata.name: Forbidden: cannot be set\n" E ".metadata.generateName: Forbidden: cannot be set\n" E
         ".metadata.namespace: Forbidden: cannot be set\n" E ".metadata.uID: Forbidden: cannot be set\n" E
         ".metadata.finalizers: Forbidden: cannot be set"},
        {CLAIM(".metadata: {labels: {a_: b}}"),
         E ".metadata.labels: Invalid value: \"a_\": name part must consist of..."},
        {CLAIM(".spec.accessModes: []"),
         E ".spec.accessModes: Required value: at least 1 access mode is required"},
        {CLAIM(".spec.accessModes: [Never]"), E
         ".spec.accessModes: Unsupported value: \"Never\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", "
         "\"ReadWriteOnce\", \"ReadWriteOncePod\""},
        {CLAIM(".spec.accessModes: [ReadWriteOncePod, ReadOnlyMany]"),
         E ".spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"},
        {CLAIM(".spec.resources: {}"), E ".spec.resources[storage]: Required value"},
        {CLAIM(".spec.resources: {requests: {storage: 0}}"),
         E ".spec.resources[storage]: Invalid value: \"0\": must be greater than zero"},
        {CLAIM(".spec.storageClassName: A"),
         E ".spec.storageClassName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of..."},
        {CLAIM(".spec.volumeAttributesClassName: A"), E
         ".spec.volumeAttributesClassName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of..."},
        {CLAIM(".spec.volumeMode: Tape"),
         E ".spec.volumeMode: Unsupported value: \"Tape\": supported values: \"Block\", \"Filesystem\""},
        {CLAIM(".spec.selector: {matchLabels: {a: '!'}}"),
         E ".spec.selector.matchLabels: Invalid value: \"!\": a valid label must be..."},
        {CLAIM(".spec.dataSource: {kind: VolumeSnapshot, name: ''}"), E
         ".spec.dataSource.name: Required value\n" E
         ".spec.dataSource: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the "
         "default apiGroup"},
        {CLAIM(".spec.dataSourceRef: {kind: '', name: x, apiGroup: A, namespace: B}"), E
         ".spec.dataSourceRef.kind: Required value\n" E
         ".spec.dataSourceRef.apiGroup: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of...\n" E
         ".spec.dataSourceRef.namespace: Invalid value: \"B\": a lowercase RFC 1123 label must consist of..."},
        {CLAIM(".spec.dataSource: {kind: PersistentVolumeClaim, name: a}\n" E
               ".spec.dataSourceRef: {kind: PersistentVolumeClaim, name: b}"),
         E ".spec: Invalid value: {}: must match dataSourceRef"},
        {CLAIM(".spec.dataSource: {kind: PersistentVolumeClaim, name: a}\n" E
               ".spec.dataSourceRef: {kind: PersistentVolumeClaim, name: a, namespace: b}"),
         E ".spec: Invalid value: {}: may not be specified when dataSourceRef.namespace is specified"},
        {CLAIM(".spec.dataSource: {kind: PersistentVolumeClaim, name: a}\n" E
               ".spec.dataSourceRef: {kind: PersistentVolumeClaim, name: a}"),
         ""},
        {CLAIM(
             ".spec.volumeMode: Block\nspec.volumes[1]: {name: w, persistentVolumeClaim: {claimName: p-v}}"),
         "spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: \"p-v\": must not reference a PVC that gets "
         "created for an ephemeral volume"},
        {CLAIM(".spec.volumeMode: Block\nmetadata.name: "
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         V ".name: Invalid value: \"v\": PVC name \"a..."});
}

TEST(volumes_of_old_are_checked)
{
    RULES_CREATE(
        POD,
        {SET("gitRepo: {repository: '', directory: /x}"),
         V ".gitRepo.repository: Required value\n" V
           ".gitRepo.directory: Invalid value: \"/x\": must be a relative path"},
        {SET("gcePersistentDisk: {pdName: '', partition: 256}"),
         V ".persistentDisk.pdName: Required value\n" V
           ".persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive"},
        {SET("awsElasticBlockStore: {volumeID: '', partition: -1}"),
         V ".awsElasticBlockStore.volumeID: Required value\n" V
           ".awsElasticBlockStore.partition: Invalid value: -1: must be between 1 and 255, inclusive"},
        {SET("glusterfs: {}"),
         V ".glusterfs.endpoints: Required value\n" V ".glusterfs.path: Required value"},
        {SET("flocker: {}"), V ".flocker: Required value: one of datasetName and datasetUUID is required"},
        {SET("flocker: {datasetName: a/b, datasetUUID: c}"), V
         ".flocker: Invalid value: \"resource\": datasetName and datasetUUID can not be specified simultaneously\n" V
         ".flocker.datasetName: Invalid value: \"a/b\": must not contain '/'"},
        {SET("rbd: {}"), V ".rbd.monitors: Required value\n" V ".rbd.image: Required value"},
        {SET("cinder: {secretRef: {}}"),
         V ".cinder.volumeID: Required value\n" V ".cinder.secretRef.name: Required value"},
        {SET("cephfs: {}"), V ".cephfs.monitors: Required value"},
        {SET("quobyte: {}"), V
         ".quobyte.registry: Required value: must be a host:port pair or multiple pairs separated by commas\n" V
         ".quobyte.volume: Required value"},
        {SET("quobyte: {registry: 'a:1,b', volume: v}"), V
         ".quobyte.registry: Invalid value: \"a:1,b\": must be a host:port pair or multiple pairs separated by commas"},
        {SET("quobyte: {registry: '[::1]:1,b:', volume: v}"), ""},
        {SET("quobyte: {registry: 'a:1', volume: v, tenant: "
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}"),
         V ".quobyte.tenant: Required value: must be a UUID and may not exceed a length of 64 characters"},
        {SET("flexVolume: {}"), V ".flexVolume.driver: Required value"},
        {SET("flexVolume: {driver: d, options: {kubernetes.io/a: b, X.K8s.io/b: c, k8s.io.example.com/d: e}}"),
         V
         ".flexVolume.options[X.K8s.io/b]: Invalid value: \"X.K8s.io/b\": kubernetes.io and k8s.io namespaces are "
         "reserved\n" V
         ".flexVolume.options[kubernetes.io/a]: Invalid value: \"kubernetes.io/a\": kubernetes.io and "
         "k8s.io namespaces are reserved"},
        {SET("azureFile: {}"),
         V ".azureFile.secretName: Required value\n" V ".azureFile.shareName: Required value"},
        {SET("vsphereVolume: {}"), V ".vsphereVolume.volumePath: Required value"},
        {SET("photonPersistentDisk: {}"), V ".photonPersistentDisk.pdID: Required value"},
        {SET("portworxVolume: {}"), V ".portworxVolume.volumeID: Required value"},
        {SET("scaleIO: {}"), V ".scaleIO.gateway: Required value\n" V ".scaleIO.system: Required value\n" V
                               ".scaleIO.volumeName: Required value"},
        {SET("storageos: {secretRef: {}, volumeNamespace: A}"), V
         ".storageos.volumeName: Required value\n" V
         ".storageos.volumeNamespace: Invalid value: \"A\": a lowercase RFC 1123 label must consist of...\n" V
         ".storageos.secretRef.name: Required value"});
}

TEST(disks_of_azure_are_checked)
{
    RULES_CREATE(
        POD,
        {SET("azureDisk: {}"),
         V ".azureDisk.diskName: Required value\n" V ".azureDisk.diskURI: Required value\n" V
           ".azureDisk.diskURI: Unsupported value: \"\": supported values: "
           "\"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd\""},
        {SET("azureDisk: {diskName: a, diskURI: 'https://x', cachingMode: Some, kind: Other}"),
         V ".azureDisk.cachingMode: Unsupported value: \"Some\": supported values: \"None\", \"ReadOnly\", "
           "\"ReadWrite\"\n" V
           ".azureDisk.kind: Unsupported value: \"Other\": supported values: \"Dedicated\", "
           "\"Managed\", \"Shared\""},
        {SET("azureDisk: {diskName: a, diskURI: 'https://x', kind: Managed}"), V
         ".azureDisk.diskURI: Unsupported value: \"https://x\": supported values: "
         "\"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}\""},
        {SET("azureDisk: {diskName: a, diskURI: 'https://x'}"), ""},
        {SET("azureDisk: {diskName: a, diskURI: /subscriptions/x, kind: Managed}"), ""});
}

#define FC "fc: {"
TEST(block_devices_of_the_network_are_checked)
{
    RULES_CREATE(
        POD,
        {SET(FC "}"),
         V ".fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both"},
        {SET(FC "targetWWNs: [a], wwids: [b], lun: 1}"), V
         ".fc.targetWWNs: Invalid value: [\"a\"]: targetWWNs and wwids can not be specified simultaneously"},
        {SET(FC "targetWWNs: [a]}"), V ".fc.lun: Required value: lun is required if targetWWNs is specified"},
        {SET(FC "targetWWNs: [a], lun: 256}"),
         V ".fc.lun: Invalid value: 256: must be between 0 and 255, inclusive"},
        {SET(FC "wwids: [b]}"), ""},
        {SET("iscsi: {targetPortal: '', iqn: ''}"),
         V ".iscsi.targetPortal: Required value\n" V ".iscsi.iqn: Required value"},
        {SET("iscsi: {targetPortal: t, iqn: x, lun: 256}"),
         V ".iscsi.iqn: Invalid value: \"x\": must be valid format starting with iqn, eui, or naa\n" V
           ".iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive"},
        {SET("iscsi: {targetPortal: t, iqn: 'iqn.2015-02.example.com:test', chapAuthSession: true}"),
         V ".iscsi.secretRef: Required value"},
        {SET("iscsi: {targetPortal: t, iqn: iqn.2015-02.example.com}"),
         V ".iscsi.iqn: Invalid value: \"iqn.2015-02.example.com\": must be valid format"},
        {SET("iscsi: {targetPortal: t, iqn: eui.0123456789abcdef, initiatorName: eui.1}"),
         V ".iscsi.initiatorname: Invalid value: \"eui.1\": must be valid format"},
        {SET("iscsi: {targetPortal: t, iqn: naa.0123456789abcdef0123456789abcdef}"), ""},
        {SET("iscsi: {targetPortal: tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt,"
             " iqn: eui.0123456789abcdef, initiatorName: eui.0123456789abcdef}"),
         V ".name: Invalid value: \"v\": Total length of <volume name>:<iscsi.targetPortal> must be under 64 "
           "characters if iscsi.initiatorName is specified."});
}
