#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define SERVICE                                                                                              \
    "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {clusterIP: 10.0.0.1, ports: " \
    "[{port: 80}]}}"

TEST(a_service_is_filled_in_as_its_type_asks)
{
    RULES_CREATED(
        SERVICE,
        {"spec.selector: {a: b}",
         "spec.type: \"ClusterIP\"\nspec.sessionAffinity: \"None\"\nspec.internalTrafficPolicy: \"Cluster\"\n"
         "spec.externalTrafficPolicy: absent\nspec.clusterIPs: [\"10.0.0.1\"]\n"
         "spec.ports: [{\"protocol\":\"TCP\",\"port\":80,\"targetPort\":80}]"},
        {"spec.ports[0].targetPort: http", "spec.ports[0].targetPort: \"http\""},
        {"spec.ports[0].targetPort: ''", "spec.ports[0].targetPort: 80"},
        {"spec.externalIPs: [1.2.3.4]", "spec.externalTrafficPolicy: \"Cluster\""},
        {"spec.type: NodePort",
         "spec.externalTrafficPolicy: \"Cluster\"\nspec.allocateLoadBalancerNodePorts: absent"},
        {"spec.type: LoadBalancer\nspec.externalTrafficPolicy: Local\nspec.healthCheckNodePort: 30000",
         "spec.externalTrafficPolicy: \"Local\"\nspec.allocateLoadBalancerNodePorts: true"},
        {"spec.type: ExternalName\nspec.externalName: a.b.\nspec.clusterIP: null",
         "spec.internalTrafficPolicy: absent\nspec.externalTrafficPolicy: absent"},
        {"spec.sessionAffinity: ClientIP",
         "spec.sessionAffinityConfig: {\"clientIP\":{\"timeoutSeconds\":10800}}"},
        {"spec.sessionAffinity: ClientIP\nspec.sessionAffinityConfig: {clientIP: {}}",
         "spec.sessionAffinityConfig: {\"clientIP\":{\"timeoutSeconds\":10800}}"},
        {"spec.sessionAffinity: ClientIP\nspec.sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}",
         "spec.sessionAffinityConfig: {\"clientIP\":{\"timeoutSeconds\":5}}"},
        {"spec.sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}", "spec.sessionAffinityConfig: absent"},
        {"status: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}", "status: {\"loadBalancer\":{}}"});
}

TEST(a_service_says_what_its_type_allows)
{
    RULES_CREATE(
        SERVICE, {"spec.ports: []", "spec.ports: Required value"},
        {"spec.ports: []\nspec.clusterIP: None", ""},
        {"spec.type: Foo\nspec.internalTrafficPolicy: Cluster",
         "spec.type: Unsupported value: \"Foo\": supported values: \"ClusterIP\", \"ExternalName\", "
         "\"LoadBalancer\", \"NodePort\""},
        {"spec.type: LoadBalancer\nspec.clusterIP: None",
         "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services"},
        {"spec.type: NodePort\nspec.clusterIP: None",
         "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"},
        {"spec.type: ExternalName\nspec.ipFamilies: [IPv4]\nspec.ipFamilyPolicy: SingleStack",
         "spec.clusterIPs: Forbidden: may not be set for ExternalName services\n"
         "spec.ipFamilies: Forbidden: may not be set for ExternalName services\n"
         "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services\n"
         "spec.externalName: Required value"},
        {"spec.type: ExternalName\nspec.clusterIP: null\nspec.externalName: A_b",
         "spec.externalName: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must..."},
        {"spec.ports[0].nodePort: 30000",
         "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"},
        {"spec.allocateLoadBalancerNodePorts: false\nspec.loadBalancerClass: a/b",
         "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'\n"
         "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"},
        {"spec.type: LoadBalancer\nspec.loadBalancerClass: 'a b'",
         "spec.loadBalancerClass: Invalid value: \"a b\": name part must consist of..."},
        {"spec.externalTrafficPolicy: Local",
         "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services"},
        {"spec.type: NodePort\nspec.externalTrafficPolicy: Foo",
         "spec.externalTrafficPolicy: Unsupported value: \"Foo\": supported values: \"Cluster\", \"Local\""},
        {"spec.type: LoadBalancer\nspec.externalTrafficPolicy: Local",
         "spec.healthCheckNodePort: Required value"},
        {"spec.type: LoadBalancer\nspec.externalTrafficPolicy: Local\nspec.healthCheckNodePort: 70000",
         "spec.healthCheckNodePort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        {"spec.healthCheckNodePort: 30000",
         "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and "
         "`externalTrafficPolicy` is 'Local'"},
        {"spec.internalTrafficPolicy: Foo",
         "spec.internalTrafficPolicy: Unsupported value: \"Foo\": supported values: \"Cluster\", \"Local\""},
        {"spec.trafficDistribution: Foo",
         "spec.trafficDistribution: Unsupported value: \"Foo\": supported values: \"PreferClose\", "
         "\"PreferSameZone\", \"PreferSameNode\""},
        {"spec.trafficDistribution: PreferSameNode", ""});
}

TEST(ports_of_a_service_are_told_apart)
{
    RULES_CREATE(
        SERVICE, {"spec.ports: [{port: 80}, {port: 81, name: b}]", "spec.ports[0].name: Required value"},
        {"spec.ports: [{port: 80, name: a}, {port: 81, name: a}]",
         "spec.ports[1].name: Duplicate value: \"a\""},
        {"spec.ports: [{port: 80, name: a}, {port: 80, name: b}]",
         "spec.ports[1]: Duplicate value: {\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,"
         "\"TargetPort\":0,\"NodePort\":0}"},
        {"spec.ports: [{port: 80, name: a}, {port: 80, name: b, protocol: UDP}]", ""},
        {"spec.type: NodePort\nspec.ports: [{port: 80, name: a, nodePort: 30000}, {port: 81, name: b, nodePort: "
         "30000}]",
         "spec.ports[1].nodePort: Duplicate value: 30000"},
        {"spec.ports[0].port: 0\nspec.ports[0].targetPort: 1",
         "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"},
        {"spec.ports[0].targetPort: 70000",
         "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        {"spec.ports[0].targetPort: a_b",
         "spec.ports[0].targetPort: Invalid value: \"a_b\": must contain only alpha-numeric characters (a-z, 0-9), and "
         "hyphens (-)"},
        {"spec.ports[0].protocol: Foo",
         "spec.ports[0].protocol: Unsupported value: \"Foo\": supported values: \"SCTP\", \"TCP\", \"UDP\""},
        {"spec.ports[0].name: A_",
         "spec.ports[0].name: Invalid value: \"A_\": a lowercase RFC 1123 label must..."},
        {"spec.ports[0].appProtocol: 'a b'",
         "spec.ports[0].appProtocol: Invalid value: \"a b\": name part must consist of..."},
        {"spec.selector: {a: '-'}", "spec.selector: Invalid value: \"-\": a valid label must be..."});
}

TEST(session_affinity_has_a_bounded_timeout)
{
    RULES_CREATE(
        SERVICE,
        {"spec.sessionAffinity: Foo",
         "spec.sessionAffinity: Unsupported value: \"Foo\": supported values: \"ClientIP\", \"None\""},
        {"spec.sessionAffinity: ClientIP\nspec.sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}",
         "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and "
         "less than 86400"},
        {"spec.sessionAffinity: ClientIP\nspec.sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}",
         "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 "
         "and less than 86400"});
}

TEST(cluster_addresses_agree_with_each_other_and_with_the_families)
{
    RULES_CREATE(
        SERVICE, {"spec.clusterIPs: [10.0.0.1, 'fd00::1']\nspec.ipFamilies: [IPv4, IPv6]", ""},
        {"spec.clusterIPs: [10.0.0.2]",
         "spec.clusterIPs: Invalid value: [\"10.0.0.2\"]: first value must match `clusterIP`"},
        {"spec.clusterIP: null\nspec.clusterIPs: [10.0.0.2]",
         "spec.clusterIPs: Invalid value: [\"10.0.0.2\"]: must be empty when `clusterIP` is not specified"},
        {"spec.clusterIP: 10.0.0.01",
         "spec.clusterIPs[0]: Invalid value: \"10.0.0.01\": must not have leading 0s"},
        {"spec.clusterIP: Foo",
         "spec.clusterIPs[0]: Invalid value: \"Foo\": must be a valid IP address, (e.g. 10.9.8.7 or "
         "2001:db8::ffff)"},
        {"spec.clusterIP: None\nspec.clusterIPs: [None, 10.0.0.1]",
         "spec.clusterIPs: Invalid value: [\"None\",\"10.0.0.1\"]: 'None' must be the first and only value"},
        {"spec.clusterIPs: [10.0.0.1, 'fd00::1', 10.0.0.3]",
         "spec.clusterIPs: Invalid value: [\"10.0.0.1\",\"fd00::1\",\"10.0.0.3\"]: may only hold up to 2 values"},
        {"spec.clusterIPs: [10.0.0.1, 10.0.0.2]",
         "spec.clusterIPs: Invalid value: [\"10.0.0.1\",\"10.0.0.2\"]: may specify no more than one IP for each IP "
         "family"},
        {"spec.ipFamilies: [IPv6]",
         "spec.clusterIPs[0]: Invalid value: \"10.0.0.1\": expected an IPv6 value as indicated by `ipFamilies[0]`"},
        {"spec.clusterIP: 'fd00::1'\nspec.ipFamilies: [IPv4]",
         "spec.clusterIPs[0]: Invalid value: \"fd00::1\": expected an IPv4 value as indicated by `ipFamilies[0]`"},
        {"spec.ipFamilies: [IPv4, Foo, IPv4]",
         "spec.ipFamilies[1]: Unsupported value: \"Foo\": supported values: \"IPv4\", \"IPv6\"\n"
         "spec.ipFamilies[2]: Duplicate value: \"IPv4\""},
        {"spec.ipFamilyPolicy: Foo",
         "spec.ipFamilyPolicy: Unsupported value: \"Foo\": supported values: \"PreferDualStack\", "
         "\"RequireDualStack\", \"SingleStack\""});
}

TEST(outside_addresses_of_a_service_are_real_ones)
{
    RULES_CREATE(
        SERVICE, {"spec.externalIPs: [1.2.3.4, 'fd00::1']", ""},
        {"spec.externalIPs: [1.2.3.04]",
         "spec.externalIPs[0]: Invalid value: \"1.2.3.04\": must not have leading 0s"},
        {"spec.externalIPs: [127.0.0.1]",
         "spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)"},
        {"spec.externalIPs: [0.0.0.0]",
         "spec.externalIPs[0]: Invalid value: \"0.0.0.0\": may not be unspecified (0.0.0.0)"},
        {"spec.externalIPs: ['fe80::1']",
         "spec.externalIPs[0]: Invalid value: \"fe80::1\": may not be in the link-local range (169.254.0.0/16, "
         "fe80::/10)"},
        {"spec.externalIPs: [224.0.0.1, 'ff12::1']",
         "spec.externalIPs[0]: Invalid value: \"224.0.0.1\": may not be in the link-local multicast range "
         "(224.0.0.0/24, ff02::/10)\n"
         "spec.externalIPs[1]: Invalid value: \"ff12::1\": may not be in the link-local multicast range "
         "(224.0.0.0/24, ff02::/10)"},
        {"spec.loadBalancerSourceRanges: [10.0.0.0/8]",
         "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"},
        {"spec.type: LoadBalancer\nspec.loadBalancerSourceRanges: [' 10.0.0.0/8 ']", ""},
        {"spec.type: LoadBalancer\nspec.loadBalancerSourceRanges: [10.0.0.1/8, foo]",
         "spec.LoadBalancerSourceRanges[0]: Invalid value: \"10.0.0.1/8\": must not have bits set beyond the prefix "
         "length\n"
         "spec.LoadBalancerSourceRanges[1]: Invalid value: \"foo\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or "
         "2001:db8::/64)"},
        {"metadata.annotations: {service.beta.kubernetes.io/load-balancer-source-ranges: '10.0.0.0/8, x'}",
         "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Forbidden: may only be used "
         "when `type` is 'LoadBalancer'\n"
         "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: \"x\": must be "
         "a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"},
        {"metadata.annotations: {service.kubernetes.io/topology-aware-hints: a, service.kubernetes.io/topology-mode: "
         "b}",
         "metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: \"b\": must match "
         "annotations[service.kubernetes.io/topology-aware-hints] when both are specified"});
}

TEST(what_was_spelled_oddly_before_may_stay)
{
    RULES_UPDATE(
        SERVICE, {.old = "spec.externalIPs: [1.2.3.04]", .set = "spec.selector: {a: b}", .want = ""},
        {.old = "spec.externalIPs: [1.2.3.04]",
         .set = "spec.externalIPs: [1.2.3.04, 1.2.3.05]",
         .want = "spec.externalIPs[1]: Invalid value: \"1.2.3.05\": must not have leading 0s"},
        {.old =
             "spec.type: LoadBalancer\nspec.allocateLoadBalancerNodePorts: true\nspec.externalTrafficPolicy: "
             "Cluster\nspec.loadBalancerSourceRanges: [10.0.0.1/8]",
         .set = "spec.loadBalancerSourceRanges: [' 10.0.0.1/8']",
         .want = ""},
        {.old = "spec.clusterIP: 10.0.0.01\nspec.clusterIPs: [10.0.0.01]",
         .set = "spec.selector: {a: b}",
         .want = ""});
}

TEST(a_service_keeps_its_address_and_family)
{
    RULES_UPDATE(
        SERVICE, {.set = "spec.clusterIP: null\nspec.clusterIPs: null", .want = ""},
        {.set = "spec.clusterIP: 10.0.0.2",
         .want = "spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"},
        {.set = "spec.clusterIPs: [10.0.0.1, 'fd00::1']\nspec.ipFamilyPolicy: PreferDualStack", .want = ""},
        {.old = "spec.clusterIPs: [10.0.0.1, 'fd00::1']\nspec.ipFamilyPolicy: PreferDualStack",
         .set = "spec.clusterIPs: [10.0.0.1]",
         .want = "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when "
                 "releasing the secondary clusterIP"},
        {.old = "spec.clusterIPs: [10.0.0.1, 'fd00::1']\nspec.ipFamilyPolicy: PreferDualStack",
         .set = "spec.clusterIPs: [10.0.0.1]\nspec.ipFamilyPolicy: SingleStack",
         .want = ""},
        {.old = "spec.clusterIPs: [10.0.0.1, 'fd00::1']\nspec.ipFamilyPolicy: PreferDualStack",
         .set = "spec.clusterIP: 10.0.0.2\nspec.clusterIPs: [10.0.0.2]\nspec.ipFamilyPolicy: SingleStack",
         .want = "spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"},
        {.old = "spec.ipFamilies: [IPv4]",
         .set = "spec.ipFamilies: [IPv6]",
         .want = "spec.clusterIPs[0]: Invalid value: \"10.0.0.1\": expected an IPv6 value as indicated by "
                 "`ipFamilies[0]`\n"
                 "spec.ipFamilies[0]: Invalid value: [\"IPv6\"]: may not change once set"},
        {.old = "spec.ipFamilies: [IPv4, IPv6]",
         .set = "spec.ipFamilies: [IPv4]",
         .want = "spec.ipFamilyPolicy: Invalid value: null: must be set to 'SingleStack' when releasing the "
                 "secondary ipFamily"},
        {.old = "spec.clusterIP: None\nspec.clusterIPs: [None]",
         .set = "spec.clusterIP: 10.0.0.1\nspec.clusterIPs: [10.0.0.1]",
         .want = "spec.clusterIPs[0]: Invalid value: [\"10.0.0.1\"]: may not change once set"});
    RULES_UPDATE(
        "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {type: LoadBalancer, "
        "clusterIP: 10.0.0.1, ports: [{port: 80}], externalTrafficPolicy: Local, healthCheckNodePort: 30000, "
        "loadBalancerClass: a/b}}",
        {.set = "spec.loadBalancerClass: a/c",
         .want = "spec.loadBalancerClass: Invalid value: \"a/c\": may not change once set"},
        {.set = "spec.loadBalancerClass: null",
         .want = "spec.loadBalancerClass: Invalid value: null: may not change once set"},
        {.set = "spec.healthCheckNodePort: 30001",
         .want = "spec.healthCheckNodePort: Forbidden: field is immutable"},
        {.set = "spec.healthCheckNodePort: null", .want = ""});
}

TEST(what_the_server_chose_stays_when_a_client_does_not_say_it)
{
    RULES_UPDATED(
        SERVICE,
        {.set = "spec.clusterIP: null\nspec.clusterIPs: null",
         .want = "spec.clusterIP: \"10.0.0.1\"\nspec.clusterIPs: [\"10.0.0.1\"]"},
        {.set = "spec.clusterIPs: null", .want = "spec.clusterIPs: [\"10.0.0.1\"]"},
        {.old =
             "spec.type: NodePort\nspec.externalTrafficPolicy: Cluster\nspec.ports: [{name: a, port: 80, protocol: "
             "TCP, targetPort: 80, nodePort: 30001}, {name: b, port: 81, protocol: TCP, targetPort: 81, nodePort: "
             "30002}]",
         .set =
             "spec.ports: [{name: b, port: 81}, {name: a, port: 80}, {name: c, port: 82, nodePort: 30003}]",
         .want =
             "spec.ports[0].nodePort: 30002\nspec.ports[1].nodePort: 30001\nspec.ports[2].nodePort: 30003"},
        {.old =
             "spec.type: NodePort\nspec.externalTrafficPolicy: Cluster\nspec.ports: [{name: a, port: 80, protocol: "
             "TCP, targetPort: 80, nodePort: 30001}]",
         .set = "spec.ports: [{name: a, port: 80}, {name: b, port: 81, nodePort: 30001}]",
         .want = "spec.ports[0].nodePort: absent\nspec.ports[1].nodePort: 30001"});
}

TEST(what_a_new_type_has_no_use_for_goes)
{
    RULES_UPDATED(
        "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {type: LoadBalancer, "
        "clusterIP: 10.0.0.1, ipFamilies: [IPv4], ipFamilyPolicy: SingleStack, ports: [{port: 80, nodePort: "
        "30001}], externalTrafficPolicy: Local, healthCheckNodePort: 30000, loadBalancerClass: a/b}}",
        {.set = "spec.type: ClusterIP",
         .want = "spec.ports[0].nodePort: absent\nspec.healthCheckNodePort: absent\n"
                 "spec.externalTrafficPolicy: absent\nspec.loadBalancerClass: absent\n"
                 "spec.allocateLoadBalancerNodePorts: absent\nspec.clusterIP: \"10.0.0.1\""},
        {.set = "spec.type: NodePort",
         .want = "spec.ports[0].nodePort: 30001\nspec.externalTrafficPolicy: "
                 "\"Local\"\nspec.healthCheckNodePort: absent"},
        {.set = "spec.type: ExternalName\nspec.externalName: a.b",
         .want = "spec.clusterIP: absent\nspec.clusterIPs: absent\nspec.ipFamilies: absent\n"
                 "spec.ipFamilyPolicy: absent"});
}

TEST(a_load_balancer_reports_where_it_is_reached)
{
    RULES_UPDATE(
        "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {type: LoadBalancer, clusterIP: "
        "10.0.0.1, ports: [{port: 80}]}}",
        {.subresource = "status",
         .set = "status.loadBalancer: {ingress: [{ip: 1.2.3.4}, {hostname: a.b}]}",
         .want = ""},
        {.subresource = "status",
         .set =
             "status.loadBalancer: {ingress: [{ip: foo}, {hostname: 1.2.3.4}, {hostname: A_, ipMode: VIP}, {ip: "
             "1.2.3.4, ipMode: Foo}]}",
         .want =
             "status.loadBalancer.ingress[0].ip: Invalid value: \"foo\": must be a valid IP address, (e.g. 10.9.8.7 "
             "or 2001:db8::ffff)\n"
             "status.loadBalancer.ingress[1].hostname: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP "
             "address\n"
             "status.loadBalancer.ingress[2].ipMode: Forbidden: may not be specified when `ip` is not set\n"
             "status.loadBalancer.ingress[2].hostname: Invalid value: \"A_\": a lowercase RFC 1123 subdomain...\n"
             "status.loadBalancer.ingress[3].ipMode: Unsupported value: \"Foo\": supported values: \"Proxy\", "
             "\"VIP\""});
    RULES_UPDATE(SERVICE,
                 {.subresource = "status",
                  .set = "status.loadBalancer: {ingress: [{ip: 1.2.3.4}]}",
                  .want = "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "
                          "'LoadBalancer'"});
    RULES_UPDATED(
        "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {type: LoadBalancer, "
        "clusterIP: 10.0.0.1, ports: [{port: 80}]}}",
        {.subresource = "status",
         .set = "status.loadBalancer: {ingress: [{ip: 1.2.3.4}, {hostname: a.b}]}",
         .want = "status.loadBalancer.ingress: [{\"ip\":\"1.2.3.4\",\"ipMode\":\"VIP\"},{\"hostname\":"
                 "\"a.b\"}]"});
}

TEST(a_service_warns_of_what_is_ignored_or_going)
{
    RULES_WARNINGS(
        SERVICE, {"spec.selector: {a: b}", ""},
        {"metadata.annotations: {service.kubernetes.io/topology-aware-hints: auto}",
         "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
         "service.kubernetes.io/topology-mode instead"},
        {"spec.clusterIP: None\nspec.loadBalancerIP: 1.2.3.4\nspec.externalIPs: [1.2.3.4]\nspec.sessionAffinity: "
         "ClientIP",
         "spec.loadBalancerIP is ignored for headless services\n"
         "spec.externalIPs is ignored for headless services\n"
         "spec.SessionAffinity is ignored for headless services"},
        {"spec.externalIPs: ['fd00::0001']",
         "spec.externalIPs[0]: IPv6 address \"fd00::0001\" should be in RFC 5952 canonical format (\"fd00::1\")\n"
         "spec.externalIPs is deprecated and may no longer be implemented in some clusters"},
        {"spec.clusterIP: 'FD00::1'",
         "spec.clusterIPs[0]: IPv6 address \"FD00::1\" should be in RFC 5952 canonical format (\"fd00::1\")"},
        {"spec.loadBalancerIP: 1.2.3.04",
         "spec.loadBalancerIP: non-standard IP address \"1.2.3.04\" will be considered invalid in a future Kubernetes "
         "release: use \"1.2.3.4\""},
        {"spec.type: LoadBalancer\nspec.loadBalancerSourceRanges: ['FD00::/64']",
         "spec.loadBalancerSourceRanges[0]: IPv6 CIDR value \"FD00::/64\" should be in RFC 5952 canonical format "
         "(\"fd00::/64\")"},
        {"spec.type: ExternalName\nspec.externalName: a.b\nspec.clusterIP: null\nspec.externalIPs: [1.2.3.4]",
         "spec.externalIPs is ignored when spec.type is \"ExternalName\""},
        {"spec.externalName: a.b", "spec.externalName is ignored when spec.type is not \"ExternalName\""},
        {"spec.trafficDistribution: PreferClose",
         "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""});
    RULES_UPDATE_WARNINGS(
        SERVICE,
        {.old =
             "spec.type: LoadBalancer\nspec.allocateLoadBalancerNodePorts: true\nspec.externalTrafficPolicy: "
             "Cluster\nspec.loadBalancerSourceRanges: [10.0.0.1/8, 010.0.0.0/8]",
         .set = "spec.selector: {a: b}",
         .want =
             "spec.loadBalancerSourceRanges[0]: CIDR value \"10.0.0.1/8\" is ambiguous in this context (should be "
             "\"10.0.0.0/8\" or \"10.0.0.1/32\"?)\n"
             "spec.loadBalancerSourceRanges[1]: non-standard CIDR value \"010.0.0.0/8\" will be considered "
             "invalid in a future Kubernetes release: use \"10.0.0.0/8\""});
}
