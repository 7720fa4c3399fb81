#include "api/rules/rules_test.h"
#include "harness/test.h"
#include <stdio.h>

#define POD                                \
    "apiVersion: v1\n"                     \
    "kind: Pod\n"                          \
    "metadata: {name: p, namespace: ns}\n" \
    "spec: {containers: [{name: c, image: i}]}\n"
#define TEMPLATE                           \
    "apiVersion: v1\n"                     \
    "kind: PodTemplate\n"                  \
    "metadata: {name: t, namespace: ns}\n" \
    "template: {spec: {containers: [{name: c, image: i}]}}\n"
#define SUBDOMAIN(s) "Invalid value: \"" s "\": a lowercase RFC 1123 subdomain must consist of..."
#define LABEL(s)     "Invalid value: \"" s "\": a lowercase RFC 1123 label must consist of..."
#define NAME_PART \
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an..."

TEST(policies_of_pods_are_checked)
{
    RULES_CREATE(
        POD,
        {"spec.restartPolicy: Sometimes",
         "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", "
         "\"Never\""},
        {"spec.dnsPolicy: Ask", "spec.dnsPolicy: Unsupported value: \"Ask\": supported values: "
                                "\"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\""},
        {"spec.preemptionPolicy: Ask",
         "spec.preemptionPolicy: Unsupported value: \"Ask\": supported values: \"PreemptLowerPriority\", \"Never\""},
        {"spec.preemptionPolicy: ''", "spec.preemptionPolicy: Required value"},
        {"spec.activeDeadlineSeconds: 0",
         "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"},
        {"spec.activeDeadlineSeconds: 2147483648",
         "spec.activeDeadlineSeconds: Invalid value: 2147483648: must be between 1 and 2147483647, inclusive"});
}

TEST(names_in_pods_are_checked)
{
    RULES_CREATE(
        POD, {"spec.serviceAccountName: A", "spec.serviceAccountName: " SUBDOMAIN("A")},
        {"spec.nodeName: A", "spec.nodeName: " SUBDOMAIN("A")},
        {"spec.hostname: a.b", "spec.hostname: Invalid value: \"a.b\": must not contain dots"},
        {"spec.subdomain: A", "spec.subdomain: " LABEL("A")},
        {"spec.priorityClassName: A", "spec.priorityClassName: " SUBDOMAIN("A")},
        {"spec.runtimeClassName: A", "spec.runtimeClassName: " SUBDOMAIN("A")},
        {"spec.nodeSelector: {a_: '!'}", "spec.nodeSelector: Invalid value: \"a_\": " NAME_PART "\n"
                                         "spec.nodeSelector: Invalid value: \"!\": a valid label must be..."},
        {"spec.hostnameOverride: A", "spec.hostnameOverride: " SUBDOMAIN("A")},
        {"spec.hostnameOverride: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
         "spec.setHostnameAsFQDN: true\nspec.hostNetwork: true",
         "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true\n"
         "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true\n"
         "spec.hostnameOverride: Too long: may not be more than 64 bytes"},
        {"spec.hostAliases: [{ip: x, hostnames: [A]}]",
         "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)\n"
         "spec.hostAliases[0].hostnames[0]: " SUBDOMAIN("A")},
        {"spec.hostAliases: [{ip: 010.1.1.1}]",
         "spec.hostAliases[0].ip: Invalid value: \"010.1.1.1\": must not have leading 0s"});
}

#define DNS "spec.dnsConfig"

TEST(dns_of_pods_is_checked)
{
    RULES_CREATE(
        POD,
        {"spec.dnsPolicy: None", DNS ": Required value: must provide `dnsConfig` when `dnsPolicy` is None"},
        {"spec.dnsPolicy: None\n" DNS ": {searches: ['!']}", DNS
         ".nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"},
        {"spec.dnsPolicy: None\n" DNS
         ": {nameservers: [1.1.1.1], searches: [., a_b.c., d], options: [{name: ndots, value: '1'}]}",
         ""},
        {DNS ": {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, x]}", DNS
         ".nameservers: Invalid value: [\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"x\"]: must not have more than 3 "
         "nameservers\n" DNS
         ".nameservers[3]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
         "2001:db8::ffff)"},
        {DNS ": {searches: ['!'], options: [{value: a}]}",
         DNS ".searches[0]: Invalid value: \"!\": a lowercase RFC 1123 subdomain must consist of...\n" DNS
             ".options[0]: Required value: must not be empty"});
}

TEST(dns_searches_are_so_many_and_so_long)
{
    static char many[4096] = DNS ": {searches: [a", lengthy[4096] = DNS ": {searches: [", part[101];
    memset(part, 'a', 60);
    for (int i = 0; i < 32; i++)
        stpcpy(many + strlen(many), ",a");
    for (int i = 0; i < 31; i++)
        stpcpy(stpcpy(lengthy + strlen(lengthy), part), ".example, ");
    stpcpy(many + strlen(many), "]}");
    stpcpy(lengthy + strlen(lengthy), "b]}");
    const struct rules_case cases[] = {
        {many, DNS
         ".searches: Invalid value: [\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
         "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
         "\"a\",\"a\",\"a\",\"a\",\"a\"]: must not have more than 32 search paths"},
        {lengthy, DNS ".searches: Invalid value: [\"aaa..."}};
    rules_check_create(POD, cases, ARRAY_COUNT(cases));
}

TEST(gates_of_pods_are_checked)
{
    RULES_CREATE(POD,
                 {"spec.readinessGates: [{conditionType: a_}]",
                  "spec.readinessGates[0].conditionType: Invalid value: \"a_\": " NAME_PART},
                 {"spec.schedulingGates: [{name: a_}, {name: g}, {name: g}]",
                  "spec.schedulingGates[0]: Invalid value: \"a_\": " NAME_PART "\n"
                  "spec.schedulingGates[2]: Duplicate value: \"g\""},
                 {"spec.schedulingGates: [{name: g}]\nspec.nodeName: a",
                  "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"});
}

#define K "spec.resourceClaims"

TEST(claims_of_pods_are_checked)
{
    RULES_CREATE(
        POD, {K ": [{name: a, resourceClaimName: x}, {name: b, resourceClaimTemplateName: z}]", ""},
        {K ": [{resourceClaimName: x}, {name: A, resourceClaimName: x}, {name: A, resourceClaimName: x}]",
         K "[0].name: Required value\n" K "[1].name: " LABEL("A") "\n" K "[2].name: Duplicate value: \"A\""},
        {K ": [{name: a, resourceClaimName: X, resourceClaimTemplateName: Z}]", K
         "[0]: Invalid value: {\"Name\":\"a\",\"ResourceClaimName\":\"X\",\"ResourceClaimTemplateName\":\"Z\"}: at most "
         "one of `resourceClaimName` or `resourceClaimTemplateName` may be specified\n" K
         "[0].resourceClaimName: " SUBDOMAIN("X") "\n" K "[0].resourceClaimTemplateName: " SUBDOMAIN("Z")},
        {K ": [{name: a}]", K
         "[0]: Invalid value: {\"Name\":\"a\",\"ResourceClaimName\":null,\"ResourceClaimTemplateName\":null}: must "
         "specify one of: `resourceClaimName`, `resourceClaimTemplateName`"},
        {K
         ": [{name: a, resourceClaimName: x}]\nspec.nodeName: m\nmetadata.annotations: {kubernetes.io/config.mirror: b}",
         ": Forbidden: static pods do not support resource claims"});
}

TEST(templates_of_pods_are_checked)
{
    RULES_CREATE(
        TEMPLATE, {"template.metadata.labels: {a: b}", ""},
        {"template.metadata: {labels: {a: '!'}, annotations: {'a b': c}}",
         "template.labels: Invalid value: \"!\": a valid label must be...\n"
         "template.annotations: Invalid value: \"a b\": " NAME_PART},
        {"template.metadata.annotations: {container.apparmor.security.beta.kubernetes.io/d: unconfined}",
         "template.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: \"d\": container not "
         "found"},
        {"template.spec.containers: []", "template.spec.containers: Required value"},
        {"template.spec.containers[0].image: ' i'", ""},
        {"template.spec.ephemeralContainers: [{name: e, image: i}]",
         "template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"},
        {"template.spec.hostNetwork: true\ntemplate.spec.containers[0].ports: [{containerPort: 1}]", ""},
        {"template.spec.hostNetwork: true\ntemplate.spec.containers[0].ports: [{containerPort: 1, hostPort: 2}]",
         "template.spec.containers[0].ports[0].hostPort: Invalid value: 2: must match `containerPort` when "
         "`hostNetwork` is true"},
        {"template.metadata.annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}\n"
         "template.spec.securityContext: {seccompProfile: {type: RuntimeDefault}}",
         "template.spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must "
         "match"});
}
