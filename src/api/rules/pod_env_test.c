#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                \
    "apiVersion: v1\n"                     \
    "kind: Pod\n"                          \
    "metadata: {name: p, namespace: ns}\n" \
    "spec: {containers: [{name: c, image: i}]}\n"
#define C         "spec.containers[0]"
#define ENV(set)  C ".env: [{name: A, " set "}]"
#define FROM(set) ENV("valueFrom: {" set "}")
#define E         C ".env[0]"

TEST(variables_are_checked)
{
    RULES_CREATE(
        POD, {C ".env: [{name: ''}]", E ".name: Required value"},
        {C ".env: [{name: 'a=b'}]", E
         ".name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII..."},
        {C ".env: [{name: '1 !'}]", ""},
        {FROM(""), E ".valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, "
                     "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"},
        {ENV("value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}"),
         E ".valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"},
        {FROM("fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: s, key: k}"),
         E ".valueFrom: Invalid value: \"\": may not have more than one field specified at a time"},
        {FROM("secretKeyRef: {name: S, key: ''}"), E
         ".valueFrom.secretKeyRef.name: Invalid value: \"S\": a lowercase RFC 1123 subdomain must consist of...\n" E
         ".valueFrom.secretKeyRef.key: Required value"},
        {FROM("configMapKeyRef: {name: c, key: 'a b'}"),
         E ".valueFrom.configMapKeyRef.key: Invalid value: \"a b\": a valid config key must consist of..."},
        {FROM("fileKeyRef: {volumeName: f, path: a.env, key: K}") "\nspec.volumes: [{name: f}]", ""},
        {FROM("fileKeyRef: {volumeName: '', path: '', key: ''}"),
         E ".valueFrom.fileKeyRef.key: Required value\n" E
           ".valueFrom.fileKeyRef.volumeName: Required value\n" E
           ".valueFrom.fileKeyRef.path: Required value\n" E
           ".valueFrom.fileKeyRef.volumeName: Not found: \"\""},
        {FROM(
             "fileKeyRef: {volumeName: f, path: ../a, key: K}") "\nspec.volumes: [{name: f, hostPath: {path: /x}}]",
         E
         ".valueFrom.fileKeyRef.path: Invalid value: \"../a\": must not contain '..'\n" E
         ".valueFrom.fileKeyRef.volumeName: Invalid value: \"f\": referenced volume must be of type emptyDir"});
}

#define F E ".valueFrom.fieldRef"

TEST(variables_show_some_fields_of_the_pod)
{
    RULES_CREATE(
        POD, {FROM("fieldRef: {fieldPath: ''}"), F ".fieldPath: Required value"},
        {FROM("fieldRef: {fieldPath: \"metadata.labels['a']\"}"), ""},
        {FROM("fieldRef: {fieldPath: \"metadata.labels['a_/b']\"}"),
         F ": Invalid value: \"a_/b\": prefix part a lowercase RFC 1123 subdomain must consist of..."},
        {FROM("fieldRef: {fieldPath: \"spec.x['a']\"}"), F
         ".fieldPath: Invalid value: \"spec.x['a']\": error converting fieldPath: field label does not support "
         "subscript: spec.x['a']"},
        {FROM("fieldRef: {fieldPath: spec.color}"), F
         ".fieldPath: Invalid value: \"spec.color\": error converting fieldPath: field label not supported: "
         "spec.color"},
        {FROM("fieldRef: {apiVersion: v9, fieldPath: metadata.name}"), F
         ".fieldPath: Invalid value: \"metadata.name\": error converting fieldPath: unsupported pod version: v9"},
        {FROM("fieldRef: {fieldPath: metadata.labels}"),
         F ".fieldPath: Unsupported value: \"metadata.labels\": supported values: \"metadata.name\", "
           "\"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", "
           "\"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\""},
        {FROM("fieldRef: {fieldPath: spec.host}"), ""});
}

#define R E ".valueFrom.resourceFieldRef"

TEST(variables_show_resources)
{
    RULES_CREATE(
        POD, {FROM("resourceFieldRef: {resource: ''}"), R ".resource: Required value"},
        {FROM("resourceFieldRef: {resource: limits.cpu, divisor: 1m}"), ""},
        {FROM("resourceFieldRef: {resource: limits.hugepages-2Mi, divisor: 1Mi}"), ""},
        {FROM("resourceFieldRef: {resource: limits.disk}"), R
         ".resource: Unsupported value: \"limits.disk\": supported values: \"limits.cpu\", "
         "\"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", "
         "\"requests.memory\""},
        {FROM("resourceFieldRef: {resource: limits.cpu, divisor: 10m}"), R
         ".divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource"},
        {FROM("resourceFieldRef: {resource: requests.memory, divisor: 1m}"), R
         ".divisor: Invalid value: \"requests.memory\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, "
         "1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource"},
        {FROM("resourceFieldRef: {resource: requests.ephemeral-storage, divisor: 2}"), R
         ".divisor: Invalid value: \"requests.ephemeral-storage\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, "
         "1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource"},
        {FROM("resourceFieldRef: {resource: limits.hugepages-2Mi, divisor: 3}"), R
         ".divisor: Invalid value: \"limits.hugepages-2Mi\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, "
         "1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the hugepages resource"});
}

TEST(sources_of_variables_are_checked)
{
    RULES_CREATE(
        POD,
        {C ".envFrom: [{prefix: 'A=', configMapRef: {name: c}}]", C
         ".envFrom[0].prefix: Invalid value: \"A=\": a valid environment variable name must consist only of printable ASCII..."},
        {C ".envFrom: [{configMapRef: {}}, {secretRef: {name: S}}]", C
         ".envFrom[0].configMapRef.name: Required value\n" C
         ".envFrom[1].secretRef.name: Invalid value: \"S\": a lowercase RFC 1123 subdomain must consist of..."},
        {C ".envFrom: [{prefix: A}]",
         C ".envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"},
        {C ".envFrom: [{configMapRef: {name: c}, secretRef: {name: s}}]",
         C ".envFrom: Invalid value: \"\": may not have more than one field specified at a time"});
}

#define LIFE(set)  C ".lifecycle: {preStop: {" set "}}"
#define LIVE(set)  C ".livenessProbe: {" set "}"
#define READY(set) C ".readinessProbe: {" set "}"

TEST(handlers_are_checked)
{
    RULES_CREATE(
        POD, {LIFE(""), C ".lifecycle.preStop: Required value: must specify a handler type"},
        {LIFE("exec: {}"), C ".lifecycle.preStop.exec.command: Required value"},
        {C ".lifecycle: {postStart: {exec: {command: [a]}}, preStop: {sleep: {seconds: 30}}}", ""},
        {LIFE("exec: {command: [a]}, httpGet: {port: 80}, tcpSocket: {port: 80}, sleep: {seconds: 1}"),
         C ".lifecycle.preStop.httpGet: Forbidden: may not specify more than 1 handler type\n" C
           ".lifecycle.preStop.tcpSocket: Forbidden: may not specify more than 1 handler type\n" C
           ".lifecycle.preStop.sleep: Forbidden: may not specify more than 1 handler type"},
        {LIFE("sleep: {seconds: 31}"),
         C ".lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less "
           "than terminationGracePeriodSeconds (30)"},
        {LIFE("sleep: {seconds: -1}"),
         C ".lifecycle.preStop.sleep: Invalid value: -1: must be non-negative and less "
           "than terminationGracePeriodSeconds (30)"},
        {LIFE("httpGet: {port: a_b, scheme: FTP, httpHeaders: [{name: 'a b', value: ''}]}"), C
         ".lifecycle.preStop.httpGet.port: Invalid value: \"a_b\": must contain only alpha-numeric characters "
         "(a-z, 0-9), and hyphens (-)\n" C
         ".lifecycle.preStop.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\"\n" C
         ".lifecycle.preStop.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of..."},
        {LIFE("tcpSocket: {port: 0}"),
         C ".lifecycle.preStop.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"});
}

TEST(probes_are_checked)
{
    RULES_CREATE(
        POD,
        {LIVE("grpc: {port: 70000}"),
         C ".livenessProbe.grpc.port: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        {LIVE("exec: {command: [a]}, grpc: {port: 1}"),
         C ".livenessProbe.grpc: Forbidden: may not specify more than 1 handler type"},
        {READY("initialDelaySeconds: 1"), C ".readinessProbe: Required value: must specify a handler type"},
        {READY(
             "grpc: {port: 1}, initialDelaySeconds: -1, timeoutSeconds: -1, periodSeconds: -1, successThreshold: -1,"
             " failureThreshold: -1"),
         C ".readinessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0\n" C
           ".readinessProbe.timeoutSeconds: Invalid value: -1: must be greater than or equal to 0\n" C
           ".readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0\n" C
           ".readinessProbe.successThreshold: Invalid value: -1: must be greater than or equal to 0\n" C
           ".readinessProbe.failureThreshold: Invalid value: -1: must be greater than or equal to 0"},
        {READY("grpc: {port: 1}, terminationGracePeriodSeconds: 1"), C
         ".readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes"},
        {LIVE("grpc: {port: 1}, terminationGracePeriodSeconds: 0"),
         C ".livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"},
        {LIVE("grpc: {port: 1}, successThreshold: 2"),
         C ".livenessProbe.successThreshold: Invalid value: 2: must be 1"},
        {C ".startupProbe: {grpc: {port: 1}, successThreshold: 2}",
         C ".startupProbe.successThreshold: Invalid value: 2: must be 1"},
        {READY("grpc: {port: 1}, successThreshold: 2"), ""}, {LIVE("httpGet: {port: http, path: /x}"), ""});
}
