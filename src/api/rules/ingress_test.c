#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define INGRESS                                                                                           \
    "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a, namespace: b}, spec: {rules: " \
    "[{host: a.b, http: {paths: [{path: /x, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}}]}}"
#define CLASS                                                                                         \
    "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: a}, spec: {controller: " \
    "example.com/c}}"
#define PATH "spec.rules[0].http.paths[0]"

TEST(an_ingress_leads_somewhere)
{
    RULES_CREATE(
        INGRESS, {"spec.ingressClassName: c", ""},
        {"spec: {}", "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"},
        {"spec: {defaultBackend: {}}",
         "spec.defaultBackend: Invalid value: \"\": resource or service backend is required"},
        {"spec: {defaultBackend: {resource: {kind: K, name: x}}}", ""},
        {"spec.defaultBackend: {resource: {kind: K, name: x}, service: {name: s, port: {number: 1}}}",
         "spec.defaultBackend: Invalid value: \"\": cannot set both resource and service backends"},
        {"spec.defaultBackend: {resource: {apiGroup: A_, name: a/b}}",
         "spec.defaultBackend.resource.apiGroup: Invalid value: \"A_\": a lowercase RFC 1123 subdomain...\n"
         "spec.defaultBackend.resource.kind: Required value\n"
         "spec.defaultBackend.resource.name: Invalid value: \"a/b\": may not contain '/'"},
        {PATH ".backend.service: {name: 1-s, port: {name: http}}", ""},
        {PATH ".backend.service: {port: {}}",
         PATH ".backend.service.name: Required value\n" PATH
              ".backend: Required value: port name or number is required"},
        {PATH ".backend.service: {name: a.b, port: {name: x, number: 1}}",
         PATH ".backend.service.name: Invalid value: \"a.b\": must not contain dots\n" PATH
              ".backend: Invalid value: \"\": cannot set both port name & port number"},
        {PATH ".backend.service: {name: a, port: {name: A}}", PATH
         ".backend.service.port.name: Invalid value: \"A\": must contain only alpha-numeric characters (a-z, "
         "0-9), and hyphens (-)\n" PATH
         ".backend.service.port.name: Invalid value: \"A\": must contain at least one letter (a-z)"},
        {PATH ".backend.service: {name: a, port: {number: 70000}}",
         PATH ".backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        {"spec.ingressClassName: A_",
         "spec.ingressClassName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain..."},
        {"metadata.annotations: {kubernetes.io/ingress.class: a}\nspec.ingressClassName: b",
         "annotations.kubernetes.io/ingress.class: Invalid value: \"a\": must match `ingressClassName` when both are "
         "specified"});
}

TEST(hosts_and_paths_of_an_ingress_mean_what_they_say)
{
    RULES_CREATE(
        INGRESS, {"spec.rules[0].host: '*.a.b'", ""},
        {"spec.rules[0].host: 1.2.3.4",
         "spec.rules[0].host: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address"},
        {"spec.rules[0].host: 'a.*.b'",
         "spec.rules[0].host: Invalid value: \"a.*.b\": a wildcard DNS-1123 subdomain..."},
        {"spec.rules[0].host: A_",
         "spec.rules[0].host: Invalid value: \"A_\": a lowercase RFC 1123 subdomain..."},
        {"spec.rules[0].http.paths: []", "spec.rules[0].http.paths: Required value"},
        {PATH ".pathType: null", PATH ".pathType: Required value: pathType must be specified"},
        {PATH ".pathType: Foo", PATH
         ".pathType: Unsupported value: \"Foo\": supported values: \"Exact\", \"ImplementationSpecific\", "
         "\"Prefix\""},
        {PATH ".path: x", PATH ".path: Invalid value: \"x\": must be an absolute path"},
        {PATH ".path: null", PATH ".path: Invalid value: \"\": must be an absolute path"},
        {PATH ".pathType: ImplementationSpecific\n" PATH ".path: null", ""},
        {PATH ".pathType: ImplementationSpecific\n" PATH ".path: x",
         PATH ".path: Invalid value: \"x\": must be an absolute path"},
        {PATH ".path: /a//b/./%2f%2F/../c/..",
         PATH ".path: Invalid value: \"/a//b/./%2f%2F/../c/..\": must not contain '//'\n" PATH
              ".path: Invalid value: \"/a//b/./%2f%2F/../c/..\": must not contain '/./'\n" PATH
              ".path: Invalid value: \"/a//b/./%2f%2F/../c/..\": must not contain '/../'\n" PATH
              ".path: Invalid value: \"/a//b/./%2f%2F/../c/..\": must not contain '%2f'\n" PATH
              ".path: Invalid value: \"/a//b/./%2f%2F/../c/..\": must not contain '%2F'\n" PATH
              ".path: Invalid value: \"/a//b/./%2f%2F/../c/..\": cannot end with '/..'"},
        {PATH ".path: /a/.", PATH ".path: Invalid value: \"/a/.\": cannot end with '/.'"},
        {"spec.tls: [{hosts: ['*.a', A_], secretName: B_}]",
         "spec.tls[0].hosts[1]: Invalid value: \"A_\": a lowercase RFC 1123 subdomain...\n"
         "spec.tls[0].secretName: Invalid value: \"B_\": a lowercase RFC 1123 subdomain..."});
    RULES_UPDATE(
        INGRESS, {.old = "spec.tls: [{secretName: B_}]", .set = "spec.tls: [{secretName: C_}]", .want = ""},
        {.old = "spec.rules[0].host: '*.a'\n" PATH ".path: x", .set = "metadata.labels: {a: b}", .want = ""},
        {.old = PATH ".path: x",
         .set = "metadata.labels: {a: b}",
         .want = PATH ".path: Invalid value: \"x\": must be an absolute path"});
}

TEST(an_ingress_reports_where_it_is_reached)
{
    RULES_UPDATE(
        INGRESS,
        {.subresource = "status",
         .set = "status.loadBalancer.ingress: [{ip: 1.2.3.04}, {hostname: 1.2.3.4}]",
         .want =
             "status.loadBalancer.ingress[0].ip: Invalid value: \"1.2.3.04\": must not have leading 0s\n"
             "status.loadBalancer.ingress[1].hostname: Invalid value: \"1.2.3.4\": must be a DNS name, not "
             "an IP address"},
        {.subresource = "status",
         .old = "status.loadBalancer.ingress: [{ip: 1.2.3.04}]",
         .set = "status.loadBalancer.ingress: [{ip: 1.2.3.04}, {hostname: a.b}]",
         .want = ""});
    RULES_CREATED(INGRESS, {"status.loadBalancer.ingress: [{ip: 1.2.3.4}]", "status: {\"loadBalancer\":{}}"});
    RULES_WARNINGS(
        INGRESS,
        {"metadata.annotations: {kubernetes.io/ingress.class: a}",
         "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"},
        {"metadata.annotations: {kubernetes.io/ingress.class: a}\nspec.ingressClassName: a", ""});
}

TEST(an_ingress_class_names_its_controller_for_good)
{
    RULES_CREATE(
        CLASS, {"spec.parameters: {kind: K, name: x}", ""},
        {"spec.controller: null", "spec.controller: Required value"},
        {"spec.controller: foo",
         "spec.controller: Invalid value: \"foo\": must be a domain-prefixed path (such as \"acme.io/foo\")"},
        {"spec.controller: A_/b c",
         "spec.controller: Invalid value: \"A_\": a lowercase RFC 1123 subdomain...\n"
         "spec.controller: Invalid value: \"b c\": Invalid path (regex used for validation is..."},
        {"spec.parameters: {apiGroup: A_, name: a%}",
         "spec.parameters.apiGroup: Invalid value: \"A_\": a lowercase RFC 1123 subdomain...\n"
         "spec.parameters.kind: Required value\n"
         "spec.parameters.name: Invalid value: \"a%\": may not contain '%'"},
        {"spec.parameters: {kind: K, name: x, scope: Foo}",
         "spec.parameters.scope: Unsupported value: \"Foo\": supported values: \"Cluster\", \"Namespace\""},
        {"spec.parameters: {kind: K, name: x, scope: Namespace}",
         "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"},
        {"spec.parameters: {kind: K, name: x, scope: Namespace, namespace: A_}",
         "spec.parameters.namespace: Invalid value: \"A_\": a lowercase RFC 1123 label..."},
        {"spec.parameters: {kind: K, name: x, namespace: b}",
         "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"},
        {"spec.controller: a/"
         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
         "spec.controller: Too long: may not be more than 250 bytes"});
    RULES_UPDATE(CLASS, {.set = "spec.controller: example.com/d",
                         .want = "spec.controller: Invalid value: \"example.com/d\": field is immutable"});
}
