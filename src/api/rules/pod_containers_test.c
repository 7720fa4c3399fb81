#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                 \
    "apiVersion: v1\n"                      \
    "kind: Pod\n"                           \
    "metadata: {name: p, namespace: ns}\n"  \
    "spec:\n"                               \
    "  containers: [{name: c, image: i}]\n" \
    "  volumes: [{name: v}, {name: w, persistentVolumeClaim: {claimName: x}}]\n"
#define C         "spec.containers[0]"
#define I         "spec.initContainers[0]"
#define INIT(set) "spec.initContainers: [{name: x, image: i, " set "}]"
#define LABEL(s)  "Invalid value: \"" s "\": a lowercase RFC 1123 label must consist of..."

TEST(a_pod_has_containers_with_names_and_images)
{
    RULES_CREATE(
        POD, {"spec.containers: []", "spec.containers: Required value"},
        {C ": {}", C ".name: Required value\n" C ".image: Required value"},
        {C ".name: A", C ".name: " LABEL("A")},
        {"spec.containers[1]: {name: c, image: i}", "spec.containers[1].name: Duplicate value: \"c\""},
        {C ".image: ' i '", C ".image: Invalid value: \" i \": must not have leading or trailing whitespace"},
        {C ".imagePullPolicy: Often", C
         ".imagePullPolicy: Unsupported value: \"Often\": supported values: \"Always\", \"IfNotPresent\", \"Never\""},
        {C ".terminationMessagePolicy: Mail",
         C ".terminationMessagePolicy: Unsupported value: \"Mail\": supported values: \"File\", "
           "\"FallbackToLogsOnError\""});
}

TEST(ports_are_checked)
{
    RULES_CREATE(
        POD,
        {C ".ports: [{name: a, containerPort: 80}, {name: a, containerPort: 81}]",
         C ".ports[1].name: Duplicate value: \"a\""},
        {C ".ports: [{name: a_b, containerPort: 80}]", C
         ".ports[0].name: Invalid value: \"a_b\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens "
         "(-)"},
        {C ".ports: [{containerPort: 0}]", C ".ports[0].containerPort: Required value"},
        {C ".ports: [{containerPort: 70000}]",
         C ".ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        {C ".ports: [{containerPort: 80, hostPort: 70000}]",
         C ".ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        {C ".ports: [{containerPort: 80, protocol: HTTP}]",
         C ".ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"SCTP\", \"TCP\", \"UDP\""},
        {C ".ports: [{containerPort: 80, hostPort: 80}, {containerPort: 81, hostPort: 80},"
           " {containerPort: 82, hostPort: 80, hostIP: 1.2.3.4}]",
         C ".ports[1].hostPort: Duplicate value: \"TCP//80\""},
        {"spec.hostNetwork: true\n" C ".ports: [{containerPort: 80, hostPort: 81}]",
         C ".ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"},
        {"spec.hostNetwork: true\n" C ".ports: [{containerPort: 80}]", ""},
        {INIT(
             "ports: [{containerPort: 1, hostPort: 1}, {containerPort: 2, hostPort: 1}]") "\n" C
                                                                                          ".ports: [{containerPort: 1, hostPort: 1}]",
         I ".ports[1].hostPort: Duplicate value: \"TCP//1\""});
}

#define MOUNT(set)  C ".volumeMounts: [{" set "}]"
#define M           C ".volumeMounts"
#define DEVICE(set) C ".volumeDevices: [{" set "}]"
#define D           C ".volumeDevices"

TEST(mounts_are_checked)
{
    RULES_CREATE(
        POD, {MOUNT("name: v, mountPath: /x"), ""},
        {MOUNT("name: '', mountPath: ''"),
         M "[0].name: Required value\n" M "[0].name: Not found: \"\"\n" M "[0].mountPath: Required value"},
        {MOUNT("name: other, mountPath: /x"), M "[0].name: Not found: \"other\""},
        {MOUNT("name: v, mountPath: /x}, {name: w, mountPath: /x"),
         M "[1].mountPath: Invalid value: \"/x\": must be unique"},
        {MOUNT("name: v, mountPath: /x, subPath: /a"),
         M ".subPath: Invalid value: \"/a\": must be a relative path"},
        {MOUNT("name: v, mountPath: /x, subPath: a, subPathExpr: ../b"),
         M "[0].subPathExpr: Invalid value: \"../b\": subPathExpr and subPath are mutually exclusive\n" M
           ".subPathExpr: Invalid value: \"../b\": must not contain '..'"},
        {MOUNT("name: v, mountPath: /x, mountPropagation: Both"), M
         ".mountPropagation: Unsupported value: \"Both\": supported values: \"Bidirectional\", \"HostToContainer\", "
         "\"None\""},
        {MOUNT("name: v, mountPath: /x, mountPropagation: Bidirectional"), M
         ".mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"},
        {MOUNT(
             "name: v, mountPath: /x, mountPropagation: Bidirectional") "\n" C
                                                                        ".securityContext: {privileged: true}",
         ""},
        {MOUNT("name: v, mountPath: /x, recursiveReadOnly: Maybe"),
         M ".recursiveReadOnly: Unsupported value: \"Maybe\": supported values: \"Disabled\", \"Enabled\", "
           "\"IfPossible\""},
        {MOUNT("name: v, mountPath: /x, recursiveReadOnly: Enabled, mountPropagation: HostToContainer"), M
         ".recursiveReadOnly: Forbidden: may only be specified when readOnly is true\n" M
         ".recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified"},
        {MOUNT(
             "name: v, mountPath: /x, readOnly: true, recursiveReadOnly: IfPossible, mountPropagation: None"),
         ""});
}

TEST(devices_are_checked)
{
    RULES_CREATE(
        POD, {DEVICE("name: w, devicePath: /dev/x"), ""},
        {DEVICE("name: '', devicePath: ''"),
         D "[0].name: Required value\n" D "[0].name: Not found: \"\"\n" D "[0].devicePath: Required value"},
        {DEVICE("name: v, devicePath: /dev/x"), D
         "[0].name: Invalid value: \"v\": can only use volume source type of PersistentVolumeClaim or Ephemeral for "
         "block mode"},
        {DEVICE("name: w, devicePath: /dev/../x"),
         D "[0].devicePath: Invalid value: \"/dev/../x\": can not contain backsteps ('..')"},
        {DEVICE("name: w, devicePath: /dev/x}, {name: w, devicePath: /dev/x"),
         D "[1].name: Invalid value: \"w\": must be unique\n" D
           "[1].devicePath: Invalid value: \"/dev/x\": must be unique"},
        {DEVICE("name: w, devicePath: /x") "\n" MOUNT("name: w, mountPath: /x"),
         M "[0].name: Invalid value: \"w\": must not already exist in volumeDevices\n" M
           "[0].mountPath: Invalid value: \"/x\": must not already exist as a path in volumeDevices\n" D
           "[0].name: Invalid value: \"w\": must not already exist in volumeMounts\n" D
           "[0].devicePath: Invalid value: \"/x\": must not already exist as a path in volumeMounts"});
}

TEST(restart_and_resize_policies_of_containers_are_checked)
{
    RULES_CREATE(
        POD,
        {C ".resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired},"
           " {resourceName: cpu, restartPolicy: RestartContainer}]",
         C ".resizePolicy[1]: Duplicate value: \"cpu\""},
        {C ".resizePolicy: [{resourceName: '', restartPolicy: ''}]",
         C ".resizePolicy: Required value\n" C ".resizePolicy: Required value"},
        {C ".resizePolicy: [{resourceName: disk, restartPolicy: Maybe}]", C
         ".resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", \"memory\"\n" C
         ".resizePolicy: Unsupported value: \"Maybe\": supported values: \"NotRequired\", \"RestartContainer\""},
        {"spec.restartPolicy: Never\n" C
         ".resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]",
         C
         ".resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is "
         "'Never'"},
        {C ".restartPolicy: Sometimes", C
         ".restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\", \"OnFailure\""},
        {C ".restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]",
         C ".restartPolicy: Required value: must specify restartPolicy when restart rules are used"},
        {C ".restartPolicy: Never\n" C
           ".restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]",
         ""},
        {C ".restartPolicy: Never\n" C
           ".restartPolicyRules: [{action: Stop}, {action: Restart, exitCodes: {operator: Is}}]",
         C ".restartPolicyRules[0].action: Unsupported value: \"Stop\": supported values: \"Restart\", "
           "\"RestartAllContainers\"\n" C
           ".restartPolicyRules[0].exitCodes: Required value: must be specified\n" C
           ".restartPolicyRules[1].exitCodes.operator: Unsupported value: \"Is\": supported values: \"In\", "
           "\"NotIn\""});
}

TEST(containers_may_have_so_many_restart_rules)
{
    static char rules[4096] = C ".restartPolicy: Never\n" C ".restartPolicyRules: [";
    static char codes[4096] = C ".restartPolicy: Never\n" C
                                ".restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [";
    for (int i = 0; i < 21; i++)
        stpcpy(rules + strlen(rules), "{action: Restart, exitCodes: {operator: In, values: [1]}},");
    for (int i = 0; i < 256; i++)
        stpcpy(codes + strlen(codes), "1,");
    stpcpy(rules + strlen(rules), "]");
    stpcpy(codes + strlen(codes), "]}}]");
    const struct rules_case cases[] = {
        {rules, C ".restartPolicyRules: Too many: 21: must have at most 20 items"},
        {codes, C ".restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items"}};
    rules_check_create(POD, cases, ARRAY_COUNT(cases));
}

TEST(init_containers_are_checked)
{
    RULES_CREATE(
        POD, {INIT("command: [a]"), ""},
        {"spec.initContainers: [{name: c, image: i}]", I ".name: Duplicate value: \"c\""},
        {"spec.initContainers: [{name: x, image: i}, {name: x, image: ' i'}]",
         "spec.initContainers[1].name: Duplicate value: \"x\"\n"
         "spec.initContainers[1].image: Invalid value: \" i\": must not have leading or trailing whitespace"},
        {INIT(
             "lifecycle: {preStop: {exec: {command: [a]}}}, livenessProbe: {grpc: {port: 1}}, readinessProbe: {grpc: "
             "{port: 1}}, startupProbe: {grpc: {port: 1}}"),
         I ".lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always\n" I
           ".livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always\n" I
           ".readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always\n" I
           ".startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always"},
        {INIT(
             "restartPolicy: Always, lifecycle: {preStop: {exec: {command: [a]}}}, livenessProbe: {grpc: {port: 1}}"),
         ""},
        {INIT("restartPolicy: Always, livenessProbe: {grpc: {port: 0}}"),
         I ".livenessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"},
        {INIT("restartPolicy: Maybe"), I
         ".restartPolicy: Unsupported value: \"Maybe\": supported values: \"Always\", \"Never\", \"OnFailure\""},
        {INIT("resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]"),
         I ".resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must not be set to "
           "'RestartContainer' for non-sidecar initContainers"});
}

TEST(ephemeral_containers_are_not_for_creates)
{
    RULES_CREATE(POD, {"spec.ephemeralContainers: [{name: e, image: i}]",
                       "spec.ephemeralContainers: Forbidden: cannot be set on create"});
}

#define E          "spec.ephemeralContainers[0]"
#define DEBUG(set) E ": {name: e, image: i, " set "}"
#define CANNOT_BE  "Forbidden: cannot be set for an Ephemeral Container"
#define EPHEMERAL  NULL, "ephemeralcontainers"

TEST(ephemeral_containers_are_checked)
{
    RULES_UPDATE(
        POD, {DEBUG("targetContainerName: c"), "", EPHEMERAL},
        {DEBUG("targetContainerName: d"), E ".targetContainerName: Not found: \"d\"", EPHEMERAL},
        {E ": {name: c, image: i}", E ".name: Duplicate value: \"c\"", EPHEMERAL},
        {E ": {name: e, image: ''}", E ".image: Required value", EPHEMERAL},
        {E ": {name: e, image: 'i '}",
         E ".image: Invalid value: \"i \": must not have leading or trailing whitespace", EPHEMERAL},
        {DEBUG(
             "ports: [{containerPort: 1}], resources: {limits: {cpu: 1}}, resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}],"
             " restartPolicy: Always, restartPolicyRules: [{action: Restart}], livenessProbe: {grpc: {port: 1}}, readinessProbe: {grpc: {port: 1}},"
             " startupProbe: {grpc: {port: 1}}, lifecycle: {preStop: {sleep: {seconds: 1}}}"),
         E ".ports: " CANNOT_BE "\n" E ".resources: " CANNOT_BE "\n" E ".resizePolicy: " CANNOT_BE "\n" E
           ".restartPolicy: " CANNOT_BE "\n" E ".restartPolicyRules: " CANNOT_BE "\n" E
           ".livenessProbe: " CANNOT_BE "\n" E ".readinessProbe: " CANNOT_BE "\n" E
           ".startupProbe: " CANNOT_BE "\n" E ".lifecycle: " CANNOT_BE,
         EPHEMERAL},
        {DEBUG(
             "volumeMounts: [{name: v, mountPath: /x, subPath: a}, {name: v, mountPath: /y, subPathExpr: b}]"),
         E ".volumeMounts[0].subPath: " CANNOT_BE "\n" E ".volumeMounts[1].subPathExpr: " CANNOT_BE,
         EPHEMERAL});
}
