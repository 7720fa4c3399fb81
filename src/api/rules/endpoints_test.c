#include "api/rules/rules_test.h"
#include "api/view.h"
#include "harness/test.h"

#define ENDPOINTS \
    "{apiVersion: v1, kind: Endpoints, metadata: {name: a, namespace: b}, subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}"
#define SLICE                                                                                                       \
    "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a, namespace: b}, addressType: IPv4, " \
    "endpoints: [{addresses: [10.0.0.1]}], ports: [{port: 80}]}"

TEST(endpoints_have_addresses_and_ports_that_can_be_reached)
{
    RULES_CREATE(
        ENDPOINTS, {"subsets[0].ports: null", ""},
        {"subsets[0].addresses: null",
         "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"},
        {"subsets[0].notReadyAddresses: [{ip: 127.0.0.1, hostname: A_, nodeName: B_}]",
         "subsets[0].notReadyAddresses[0].hostname: Invalid value: \"A_\": a lowercase RFC 1123 label...\n"
         "subsets[0].notReadyAddresses[0].nodeName: Invalid value: \"B_\": a lowercase RFC 1123 subdomain...\n"
         "subsets[0].notReadyAddresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range "
         "(127.0.0.0/8, ::1/128)"},
        {"subsets[0].addresses[0].ip: x",
         "subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
         "2001:db8::ffff)\n"
         "subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address"},
        {"subsets[0].ports: [{port: 0, protocol: X, appProtocol: 'a b'}, {port: 1, name: A_}]",
         "subsets[0].ports[0].name: Required value\n"
         "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive\n"
         "subsets[0].ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", \"UDP\"\n"
         "subsets[0].ports[0].appProtocol: Invalid value: \"a b\": name part...\n"
         "subsets[0].ports[1].name: Invalid value: \"A_\": a lowercase RFC 1123 label..."});
    RULES_UPDATE(
        ENDPOINTS,
        {.old = "subsets[0].addresses[0].ip: 127.0.0.1", .set = "metadata.labels: {a: b}", .want = ""},
        {.old = "subsets[0].addresses[0].ip: 127.0.0.1",
         .set = "subsets[0].ports[0].port: 81",
         .want = "subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback..."});
    RULES_WARNINGS(ENDPOINTS,
                   {"subsets[0].addresses[0].ip: 'FD00::1'",
                    "subsets[0].addresses[0].ip: IPv6 address \"FD00::1\" should be in RFC 5952 canonical "
                    "format (\"fd00::1\")"});
}

TEST(slices_have_addresses_of_their_type)
{
    RULES_CREATE(
        SLICE, {"addressType: IPv6\nendpoints[0].addresses: ['fd00::1']", ""},
        {"addressType: null", "addressType: Required value"},
        {"addressType: X",
         "addressType: Unsupported value: \"X\": supported values: \"FQDN\", \"IPv4\", \"IPv6\""},
        {"endpoints[0].addresses: []",
         "endpoints[0].addresses: Required value: must contain at least 1 address"},
        {"endpoints[0].addresses: ['fd00::1']",
         "endpoints[0].addresses[0]: Invalid value: \"fd00::1\": must be an IPv4 address"},
        {"addressType: IPv6",
         "endpoints[0].addresses[0]: Invalid value: \"10.0.0.1\": must be an IPv6 address"},
        {"endpoints[0].addresses: [x]",
         "endpoints[0].addresses[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
         "2001:db8::ffff)"},
        {"endpoints[0].addresses: [169.254.0.1]",
         "endpoints[0].addresses[0]: Invalid value: \"169.254.0.1\": may not be in the link-local range "
         "(169.254.0.0/16, fe80::/10)"},
        {"addressType: FQDN\nendpoints[0].addresses: [a.b.]", ""},
        {"addressType: FQDN\nendpoints[0].addresses: [a, A_.b]",
         "endpoints[0].addresses[0]: Invalid value: \"a\": should be a domain with at least two segments separated by "
         "dots\n"
         "endpoints[0].addresses[1]: Invalid value: \"A_.b\": a lowercase RFC 1123 subdomain must..."},
        {"endpoints[0].nodeName: A_\nendpoints[0].hostname: B_",
         "endpoints[0].nodeName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must...\n"
         "endpoints[0].hostname: Invalid value: \"B_\": a lowercase RFC 1123 label must..."},
        {"endpoints[0].hints: {forZones: [{name: a}, {name: a}, {name: '-'}], forNodes: [{name: A_}]}",
         "endpoints[0].hints.forZones[1].name: Duplicate value: \"a\"\n"
         "endpoints[0].hints.forZones[2].name: Invalid value: \"-\": a valid label must...\n"
         "endpoints[0].hints.forNodes[0].name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must..."},
        {"endpoints[0].hints.forNodes: [{}, {}, {}, {}, {}, {}, {}, {}, {}]",
         "endpoints[0].hints.forNodes: Too many: 9: must have at most 8 items"});
}

TEST(ports_of_slices_are_told_apart)
{
    RULES_CREATE(
        SLICE, {"ports: [{port: 1}, {port: 2}]", "ports[1].name: Duplicate value: \"\""},
        {"ports: [{port: 1}, {port: 2, name: b, protocol: X, appProtocol: 'a b'}, {name: A_}]",
         "ports[1].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", \"UDP\"\n"
         "ports[1].appProtocol: Invalid value: \"a b\": name part...\n"
         "ports[2].name: Invalid value: \"A_\": a lowercase RFC 1123 label must..."});
    RULES_CREATED(SLICE, {"endpoints[0].deprecatedTopology: {a: b}",
                          "ports: [{\"name\":\"\",\"protocol\":\"TCP\",\"port\":80}]\n"
                          "endpoints[0].deprecatedTopology: absent"});
    RULES_UPDATE(SLICE,
                 {.set = "addressType: FQDN\nendpoints: []",
                  .want = "addressType: Invalid value: \"FQDN\": field is immutable"},
                 {.old = "endpoints[0].addresses: [127.0.0.1]", .set = "ports: []", .want = ""});
    RULES_WARNINGS(
        SLICE, {"addressType: IPv6\nendpoints[0].addresses: ['FD00::1']",
                "endpoints[0].addresses[0]: IPv6 address \"FD00::1\" should be in RFC 5952 canonical format "
                "(\"fd00::1\")"});
}

/* "path: [ITEM, ITEM, ...]" */
static const char *many(struct arena *a, const char *path, const char *item, size_t count)
{
    struct buf b;
    buf_init_arena(&b, a, 4 << 20);
    buf_add_f(&b, "%s: [", path);
    for (size_t i = 0; i < count; i++)
        buf_add_f(&b, "%s%s", i ? ", " : "", item);
    buf_add_lit(&b, "]");
    buf_add_c(&b, '\0');
    return buf_str(&b).p;
}

TEST(slices_are_bounded)
{
    struct arena a;
    arena_init(&a, 0);
    struct rules_case cases[] = {
        {many(&a, "endpoints", "{addresses: [10.0.0.1]}", 1001),
         "endpoints: Too many: 1001: must have at most 1000 items"},
        {many(&a, "endpoints[0].addresses", "10.0.0.1", 101),
         "endpoints[0].addresses: Too many: 101: must have at most 100 items"},
        {many(&a, "ports", "{}", 20001), "ports: Too many: 20001: must have at most 20000 items"},
        {"endpoints[0].deprecatedTopology: null", ""},
    };
    rules_check_create(SLICE, cases, ARRAY_COUNT(cases));
    arena_done(&a);
}
