#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

/* "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n", and the same of a key and certificates. */
#define REQUEST \
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KQUE9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K"
#define KEY         "LS0tLS1CRUdJTiBLRVktLS0tLQpBQT09Ci0tLS0tRU5EIEtFWS0tLS0tCg=="
#define CERTIFICATE "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
#define WITH_HEADERS \
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkE6IGIKCkFBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
#define ASKED                                                                                                \
    "{apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: 'a:b'}, spec: {" \
    "signerName: example.com/s, usages: [client auth], request: " REQUEST "}}"
#define SUBDOMAIN_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

TEST(a_request_for_a_certificate_names_its_signer)
{
    RULES_CREATE(
        ASKED, {"spec.expirationSeconds: 600", ""},
        {"spec.request: " KEY,
         "spec.request: Invalid value: \"" KEY "\": PEM block type must be CERTIFICATE REQUEST"},
        {"spec.request: ''", "spec.request: Invalid value: \"\": PEM block type must be CERTIFICATE REQUEST"},
        {"spec.usages: []", "spec.usages: Required value"},
        {"spec.usages: [foo, any, any]",
         "spec.usages[0]: Unsupported value: \"foo\": supported values: \"any\", \"cert sign\", \"client auth\", \"code "
         "signing\", \"content commitment\", \"crl sign\", \"data encipherment\", \"decipher only\", \"digital "
         "signature\", \"email protection\", \"encipher only\", \"ipsec end system\", \"ipsec tunnel\", \"ipsec user\", "
         "\"key agreement\", \"key encipherment\", \"microsoft sgc\", \"netscape sgc\", \"ocsp signing\", \"s/mime\", "
         "\"server auth\", \"signing\", \"timestamping\"\nspec.usages[2]: Duplicate value: \"any\""},
        {"spec.signerName: kubernetes.io/legacy-unknown",
         "spec.signerName: Invalid value: \"kubernetes.io/legacy-unknown\": the legacy signerName is not allowed via this "
         "API version"},
        {"spec.signerName: ''",
         "spec.signerName: Required value\nspec.signerName: Invalid value: \"\": must be a fully qualified domain and path "
         "of the form 'example.com/signer-name'"},
        {"spec.signerName: com/A",
         "spec.signerName: Invalid value: \"com\": should be a domain with at least two segments separated by dots\n"
         "spec.signerName: Invalid value: \"A\": validating label \"A\": a lowercase RFC 1123 subdomain..."},
        {"spec.signerName: a.B/c",
         "spec.signerName: Invalid value: \"a.B\": validating label \"B\": a lowercase RFC..."},
        {"spec.signerName: " SUBDOMAIN_63 "." SUBDOMAIN_63 "." SUBDOMAIN_63 "." SUBDOMAIN_63 "/a",
         "spec.signerName: Too long: may not be more than 253 bytes"},
        {"spec.signerName: a.b/" SUBDOMAIN_63 "." SUBDOMAIN_63 "." SUBDOMAIN_63 "." SUBDOMAIN_63
         "." SUBDOMAIN_63 "." SUBDOMAIN_63 "." SUBDOMAIN_63 "." SUBDOMAIN_63 "." SUBDOMAIN_63,
         "spec.signerName: Too long: may not be more than 571 bytes"},
        {"spec.expirationSeconds: 599",
         "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)"});
    RULES_CREATED(ASKED, {"spec.username: me\nstatus: {certificate: " CERTIFICATE "}",
                          "spec.username: absent\nstatus.certificate: absent"});
}

TEST(verdicts_on_a_request_stay)
{
    RULES_UPDATE(
        ASKED,
        {.subresource = "approval",
         .set = "status.conditions: [{type: Approved, status: 'True'}]",
         .want = ""},
        {.subresource = "approval",
         .set = "status.conditions: [{type: Approved, status: 'True'}, {type: Denied, status: 'False'}]",
         .want =
             "status.conditions[1].status: Unsupported value: \"False\": supported values: \"True\"\n"
             "status.conditions[1].type: Invalid value: \"Denied\": Approved and Denied conditions are mutually "
             "exclusive"},
        {.subresource = "status",
         .set =
             "status.conditions: [{type: '', status: ''}, {type: x, status: Foo}, {type: x, status: 'True'}]",
         .want =
             "status.conditions[0].type: Required value\n"
             "status.conditions[0].status: Required value\n"
             "status.conditions[1].status: Unsupported value: \"Foo\": supported values: \"False\", \"True\", "
             "\"Unknown\"\n"
             "status.conditions[2].type: Duplicate value: \"x\""},
        {.subresource = "status",
         .set = "status.conditions: [{type: Approved, status: 'True'}]",
         .want = "status.conditions: Forbidden: updates may not add a condition of type \"Approved\""},
        {.old = "status.conditions: [{type: Denied, status: 'True'}]",
         .subresource = "approval",
         .set = "status.conditions: []",
         .want = "status.conditions: Forbidden: updates may not remove a condition of type \"Denied\""},
        {.old = "status.conditions: [{type: Approved, status: 'True'}]",
         .subresource = "status",
         .set = "status.conditions: [{type: Approved, status: 'True', reason: x}]",
         .want = "status.conditions: Forbidden: updates may not modify a condition of type \"Approved\""},
        {.old = "status.conditions: [{type: Failed, status: 'True'}]",
         .subresource = "status",
         .set = "status.conditions: [{type: Failed, status: 'True', reason: x}]",
         .want = ""},
        {.old = "status.conditions: [{type: Failed, status: 'True'}]",
         .subresource = "status",
         .set = "status.conditions: []",
         .want = "status.conditions: Forbidden: updates may not remove a condition of type \"Failed\""});
    RULES_UPDATED(
        ASKED,
        {.subresource = "approval",
         .set = "status.conditions: [{type: Approved, status: 'True'}]\nstatus.certificate: " CERTIFICATE,
         .want = "status.conditions[0].lastTransitionTime: \"2026-01-02T03:04:05Z\"\n"
                 "status.conditions[0].lastUpdateTime: \"2026-01-02T03:04:05Z\"\n"
                 "status.certificate: absent"},
        {.set = "spec.signerName: example.com/t", .want = "spec.signerName: \"example.com/s\""});
}

TEST(a_certificate_is_given_once)
{
    RULES_UPDATE(
        ASKED, {.subresource = "status", .set = "status.certificate: " CERTIFICATE, .want = ""},
        {.subresource = "status",
         .set = "status.certificate: " KEY,
         .want =
             "status.certificate: Invalid value: \"<certificate data>\": only CERTIFICATE PEM blocks are allowed, found "
             "\"KEY\""},
        {.subresource = "status",
         .set = "status.certificate: " WITH_HEADERS,
         .want =
             "status.certificate: Invalid value: \"<certificate data>\": no PEM block headers are permitted"},
        {.subresource = "status",
         .set = "status.certificate: AAAA",
         .want =
             "status.certificate: Invalid value: \"<certificate data>\": must contain at least one CERTIFICATE PEM block"},
        {.old = "status.certificate: " CERTIFICATE,
         .subresource = "status",
         .set = "status.certificate: null",
         .want = "status.certificate: Forbidden: updates may not modify existing certificate content"});
}
