#include "api/rules/rules_test.h"
#include "api/view.h"
#include "harness/test.h"

#define CONFIG_MAP \
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b}, data: {k: v}, binaryData: {b: AAAA}}"
#define SECRET "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}, data: {k: AAAA}}"

TEST(keys_of_config_maps_and_secrets_can_be_names_of_files)
{
    RULES_CREATE(
        CONFIG_MAP, {"data: {a.b_c-D: x}", ""},
        {"data: {a/b: x}",
         "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', "
         "'_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
         "'[-._a-zA-Z0-9]+')"},
        {"binaryData: {'..': AAAA}", "binaryData[..]: Invalid value: \"..\": must not be '..'"},
        {"data: {b: x}", "data[b]: Invalid value: \"b\": duplicate of key present in binaryData"});
    RULES_CREATE(SECRET,
                 {"data: {'a b': AAAA}", "data[a b]: Invalid value: \"a b\": a valid config key must..."});
}

/* A member of so many bytes in a document whose other members are given. */
static const char *document_of(struct arena *a, const char *start, size_t bytes, const char *text)
{
    struct buf b;
    buf_init_arena(&b, a, 4 << 20);
    buf_add(&b, str_from_c(start));
    for (size_t i = 0; i < bytes / 1024; i++)
        for (size_t j = 0; j < 1024 / strlen(text); j++)
            buf_add(&b, str_from_c(text));
    buf_add_n(&b, 'A', bytes % 1024);
    buf_add_lit(&b, "'}}");
    buf_add_c(&b, '\0');
    return buf_str(&b).p;
}

TEST(data_of_config_maps_and_secrets_is_bounded)
{
    struct arena a;
    arena_init(&a, 0);
    for (size_t over = 0; over < 2; over++) {
        const struct rules_case map = {"metadata.name: b",
                                       over ? ": Too long: may not be more than 1048576 bytes" : ""};
        rules_check_create(
            document_of(&a,
                        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b}, data: {k: '",
                        (1 << 20) + over, "AAAAAAAA"),
            &map, 1);
        /* In base64 it is a third longer, and padded. */
        const struct rules_case secret = {"metadata.name: b",
                                          over ? "data: Too long: may not be more than 1048576 bytes" : ""};
        rules_check_create(
            document_of(&a, "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}, data: {k: '",
                        ((1 << 20) + 2) / 3 * 4 - (over ? 0 : 4), "AAAA"),
            &secret, 1);
    }
    arena_done(&a);
}

TEST(frozen_data_stays)
{
    RULES_UPDATE(CONFIG_MAP, {.old = "immutable: true", .set = "metadata.labels: {a: b}", .want = ""},
                 {.set = "immutable: true\ndata: {x: z}", .want = ""},
                 {.old = "immutable: true",
                  .set = "immutable: false",
                  .want = "immutable: Forbidden: field is immutable when `immutable` is set"},
                 {.old = "immutable: true",
                  .set = "immutable: null\ndata: {x: z}\nbinaryData: {x2: AAAA}",
                  .want = "immutable: Forbidden: field is immutable when `immutable` is set\n"
                          "data: Forbidden: field is immutable when `immutable` is set\n"
                          "binaryData: Forbidden: field is immutable when `immutable` is set"});
    RULES_UPDATE(SECRET, {.old = "immutable: true", .set = "metadata.labels: {a: b}", .want = ""},
                 {.old = "immutable: true",
                  .set = "immutable: null\nstringData: {k: z}",
                  .want = "immutable: Forbidden: field is immutable when `immutable` is set\n"
                          "data: Forbidden: field is immutable when `immutable` is set"},
                 {.set = "type: kubernetes.io/basic-auth\ndata: {username: ''}",
                  .want = "type: Invalid value: \"kubernetes.io/basic-auth\": field is immutable"});
}

TEST(secrets_have_the_keys_of_their_type)
{
    RULES_CREATE(
        SECRET, {"type: example.com/any", ""},
        {"type: kubernetes.io/service-account-token",
         "metadata.annotations[kubernetes.io/service-account.name]: Required value"},
        {"type: kubernetes.io/service-account-token\nmetadata.annotations: {kubernetes.io/service-account.name: x}",
         ""},
        {"type: kubernetes.io/dockercfg", "data[.dockercfg]: Required value"},
        {"type: kubernetes.io/dockercfg\nstringData: {.dockercfg: '{}'}", ""},
        {"type: kubernetes.io/dockercfg\nstringData: {.dockercfg: ''}",
         "data[.dockercfg]: Invalid value: \"<secret contents redacted>\": unexpected end of JSON input"},
        {"type: kubernetes.io/dockerconfigjson\nstringData: {x: z}",
         "data[.dockerconfigjson]: Required value"},
        {"type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: 'x'}",
         "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'x' looking for "
         "beginning of value"},
        {"type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: '[1]'}",
         "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": json: cannot unmarshal array into Go "
         "value of type map[string]interface {}"},
        {"type: kubernetes.io/basic-auth", "data[username]: Required value\ndata[password]: Required value"},
        {"type: kubernetes.io/basic-auth\nstringData: {password: x}", ""},
        {"type: kubernetes.io/ssh-auth\nstringData: {ssh-privatekey: ''}",
         "data[ssh-privatekey]: Required value"},
        {"type: kubernetes.io/tls", "data[tls.crt]: Required value\ndata[tls.key]: Required value"},
        {"type: kubernetes.io/tls\nstringData: {tls.crt: '', tls.key: ''}", ""});
}

TEST(text_of_a_secret_becomes_its_data)
{
    RULES_CREATED(SECRET,
                  {"stringData: {k: hi, l: ''}", "data: {\"k\":\"aGk=\",\"l\":\"\"}\nstringData: absent"},
                  {"data: null\nstringData: {k: hi}", "data: {\"k\":\"aGk=\"}\ntype: \"Opaque\""},
                  {"stringData: {}", "data: {\"k\":\"AAAA\"}\nstringData: absent"});
}

TEST(a_service_account_names_its_secrets_and_nothing_else)
{
    RULES_CREATED("{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: b}}",
                  {"secrets: [{name: s, namespace: x, uid: z}]", "secrets: [{\"name\":\"s\"}]"});
    RULES_UPDATED("{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: b}}",
                  {"secrets: [{name: s, kind: x}, {}]", "secrets: [{\"name\":\"s\"},{}]"});
}
