#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define POLICY \
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: b}, spec: {}}"
#define ADDRESS                                                                                                     \
    "{apiVersion: networking.k8s.io/v1, kind: IPAddress, metadata: {name: 10.0.0.1}, spec: {parentRef: {resource: " \
    "services, namespace: b, name: s}}}"
#define RANGE \
    "{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: a}, spec: {cidrs: [10.96.0.0/16]}}"

TEST(a_policy_is_about_the_directions_it_has_rules_for)
{
    RULES_CREATED(POLICY, {"spec.podSelector: {}", "spec.policyTypes: [\"Ingress\"]"},
                  {"spec.egress: [{ports: [{port: 53}]}]",
                   "spec.policyTypes: [\"Ingress\",\"Egress\"]\nspec.egress[0].ports: "
                   "[{\"protocol\":\"TCP\",\"port\":53}]"},
                  {"spec.policyTypes: [Egress]", "spec.policyTypes: [\"Egress\"]"});
    RULES_CREATE(
        POLICY,
        {"spec.policyTypes: [Foo]",
         "spec.policyTypes[0]: Unsupported value: \"Foo\": supported values: \"Ingress\", \"Egress\""},
        {"spec.policyTypes: [Ingress, Egress, Ingress]",
         "spec.policyTypes: Invalid value: [\"Ingress\",\"Egress\",\"Ingress\"]: may not specify more than two "
         "policyTypes"},
        {"spec.podSelector.matchLabels: {a: '-'}",
         "spec.podSelector.matchLabels: Invalid value: \"-\": a valid label..."});
}

TEST(ports_and_peers_of_a_policy_make_sense)
{
    RULES_CREATE(
        POLICY,
        {"spec.ingress: [{ports: [{port: 80, endPort: 90}, {port: http}], from: [{podSelector: {}}]}]", ""},
        {"spec.ingress: [{ports: [{protocol: Foo}]}]",
         "spec.ingress[0].ports[0].protocol: Unsupported value: \"Foo\": supported values: \"TCP\", \"UDP\", \"SCTP\""},
        {"spec.ingress: [{ports: [{port: 0}, {port: 'A'}]}]",
         "spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive\n"
         "spec.ingress[0].ports[1].port: Invalid value: \"A\": must contain only alpha-numeric characters (a-z, 0-9), "
         "and hyphens (-)\n"
         "spec.ingress[0].ports[1].port: Invalid value: \"A\": must contain at least one letter (a-z)"},
        {"spec.egress: [{ports: [{endPort: 1}, {port: http, endPort: 1}, {port: 5, endPort: 4}, {port: 5, endPort: "
         "70000}]}]",
         "spec.egress[0].ports[0].endPort: Invalid value: 1: may not be specified when `port` is not specified\n"
         "spec.egress[0].ports[1].endPort: Invalid value: 1: may not be specified when `port` is non-numeric\n"
         "spec.egress[0].ports[2].endPort: Invalid value: 4: must be greater than or equal to `port`\n"
         "spec.egress[0].ports[3].endPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        {"spec.ingress: [{from: [{}]}]", "spec.ingress[0].from[0]: Required value: must specify a peer"},
        {"spec.egress: [{to: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]",
         "spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer"},
        {"spec.egress: [{to: [{ipBlock: {}}]}]", "spec.egress[0].to[0].ipBlock.cidr: Required value"},
        {"spec.egress: [{to: [{ipBlock: {cidr: x, except: [z]}}]}]",
         "spec.egress[0].to[0].ipBlock.cidr: Invalid value: \"x\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or "
         "2001:db8::/64)"},
        {"spec.egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.1/24, 11.0.0.0/16, 10.0.0.0/8, "
         "'fd00::/16']}}]}]",
         "spec.egress[0].to[0].ipBlock.except[0]: Invalid value: \"10.0.0.1/24\": must not have bits set beyond the "
         "prefix length\n"
         "spec.egress[0].to[0].ipBlock.except[1]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`\n"
         "spec.egress[0].to[0].ipBlock.except[2]: Invalid value: \"10.0.0.0/8\": must be a strict subset of `cidr`\n"
         "spec.egress[0].to[0].ipBlock.except[3]: Invalid value: \"fd00::/16\": must be a strict subset of `cidr`"},
        {"spec.ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]}]",
         "spec.ingress[0].from[0].namespaceSelector.matchExpressions[0].values: Forbidden: may not be specified when "
         "`operator` is 'Exists' or 'DoesNotExist'"});
    RULES_UPDATE(POLICY,
                 {.old = "spec.ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8, except: [10.1.0.1/16]}}]}]",
                  .set = "spec.egress: [{to: [{ipBlock: {cidr: 10.0.0.1/8, except: [10.1.0.1/16]}}]}]",
                  .want = ""},
                 {.old = "spec.podSelector.matchExpressions: [{key: a, operator: In, values: ['-']}]",
                  .set = "metadata.labels: {a: b}",
                  .want = ""});
    RULES_WARNINGS(
        POLICY, {"spec.ingress: [{from: [{ipBlock: {cidr: 'FD00::/16', except: ['FD00:0::/17']}}]}]",
                 "spec.ingress[0].from[0].ipBlock.cidr: IPv6 CIDR value \"FD00::/16\" should be in RFC 5952 "
                 "canonical format (\"fd00::/16\")\n"
                 "spec.ingress[0].from[0].ipBlock.except[0]: IPv6 CIDR value \"FD00:0::/17\" should be in "
                 "RFC 5952 canonical format (\"fd00::/17\")"});
}

TEST(an_address_is_called_what_it_is_and_belongs_to_one_object)
{
    RULES_CREATE(
        ADDRESS, {"metadata.name: 'fd00::1'", ""},
        {"metadata.name: 'FD00::1'",
         "metadata.name: Invalid value: \"FD00::1\": must be in canonical form (\"fd00::1\")"},
        {"metadata.name: x",
         "metadata.name: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"},
        {"spec: {}", "spec.parentRef: Required value"},
        {"spec.parentRef: {group: A_, namespace: a/b}",
         "spec.parentRef.group: Invalid value: \"A_\": a lowercase RFC 1123 subdomain...\n"
         "spec.parentRef.resource: Required value\nspec.parentRef.name: Required value\n"
         "spec.parentRef.namespace: Invalid value: \"a/b\": may not contain '/'"});
    RULES_UPDATE(ADDRESS, {.set = "spec.parentRef.name: t",
                           .want = "spec.parentRef: Invalid value: {\"Group\":\"\",\"Resource\":\"services\","
                                   "\"Namespace\":\"b\",\"Name\":\"t\"}: field is immutable"});
}

TEST(a_range_of_service_addresses_stays_and_may_get_a_second_family)
{
    RULES_CREATE(
        RANGE, {"spec.cidrs: [10.96.0.0/16, 'fd00::/108']", ""},
        {"spec.cidrs: []", "spec.cidrs: Required value: at least one CIDR required"},
        {"spec.cidrs: [10.96.0.0/16, 'fd00::/108', 10.97.0.0/16]",
         "spec.cidrs: Invalid value: {\"CIDRs\":[\"10.96.0.0/16\",\"fd00::/108\",\"10.97.0.0/16\"]}: may only hold up "
         "to 2 values"},
        {"spec.cidrs: [10.96.0.0/16, 10.97.0.0/16]",
         "spec.cidrs: Invalid value: [\"10.96.0.0/16\",\"10.97.0.0/16\"]: may specify no more than one IP for each IP "
         "family, i.e 192.168.0.0/24 and 2001:db8::/64"},
        {"spec.cidrs: [10.96.0.1/16]",
         "spec.cidrs[0]: Invalid value: \"10.96.0.1/16\": must not have bits set beyond the prefix length"},
        {"spec.cidrs: ['FD00::/108']",
         "spec.cidrs[0]: Invalid value: \"FD00::/108\": must be in canonical form (\"fd00::/108\")"});
    RULES_UPDATE(
        RANGE, {.set = "spec.cidrs: [10.96.0.0/16, 'fd00::/108']", .want = ""},
        {.set = "spec.cidrs: [10.97.0.0/16]",
         .want = "spec.cidrs[0]: Invalid value: \"10.97.0.0/16\": field is immutable"},
        {.set = "spec.cidrs: []", .want = "spec.cidrs: Invalid value: null: field is immutable"},
        {.set = "spec.cidrs: [10.97.0.0/16, 'fd00::1/108']",
         .want = "spec.cidrs[0]: Invalid value: \"10.97.0.0/16\": field is immutable\n"
                 "spec.cidrs[1]: Invalid value: \"fd00::1/108\": must not have bits set beyond the prefix "
                 "length"});
    RULES_CREATED(RANGE, {"status.conditions: [{type: Ready, status: 'True'}]", "status: {}"});
}
