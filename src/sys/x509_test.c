#include "harness/test.h"
#include "sys/pki_test.h"
#include "sys/x509.h"
#include <stdio.h>

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

static struct pki ca;

static str key_text(const struct x509_key *key, enum x509_key_format format)
{
    struct buf b;
    buf_init_arena(&b, &ca.arena, 10000);
    CHECK_OK(x509_key_print(key, format, &b, &e));
    return buf_str(&b);
}

static struct x509_cert *parsed(str pem)
{
    struct x509_cert **certs;
    size_t count;
    CHECK_OK(x509_cert_parse_bundle(&ca.arena, pem, &certs, &count, &e));
    CHECK_EQ(count, 1);
    return certs[0];
}

/* --- keys --- */

TEST(keys_of_every_kind_survive_every_form_of_pem)
{
    static const struct {
        enum x509_key_kind kind;
        const char *traditional;
    } cases[] = {
        {X509_KEY_P256, "-----BEGIN EC PRIVATE KEY-----"},
        {X509_KEY_P384, "-----BEGIN EC PRIVATE KEY-----"},
        {X509_KEY_P521, "-----BEGIN EC PRIVATE KEY-----"},
        {X509_KEY_RSA, "-----BEGIN RSA PRIVATE KEY-----"},
        {X509_KEY_ED25519, NULL},
    };
    pki_init(&ca, "ca", NOW);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(x509_key_unrefp) struct x509_key *key = NULL, *again = NULL, *old = NULL;
        CHECK_OK(x509_key_generate(cases[i].kind, &key, &e));
        CHECK_EQ(x509_key_kind(key), cases[i].kind);
        CHECK(x509_key_is_private(key));
        str pkcs8 = key_text(key, X509_PKCS8);
        CHECK(str_starts(pkcs8, S("-----BEGIN PRIVATE KEY-----\n")));
        CHECK_OK(x509_key_parse(pkcs8, &again, &e));
        CHECK(x509_key_is_private(again));
        CHECK_STR(key_text(again, X509_PKCS8), pkcs8);
        struct x509_key **publics;
        size_t count;
        CHECK_OK(x509_key_parse_public(&ca.arena, key_text(key, X509_PUBLIC), &publics, &count, &e));
        CHECK_EQ(count, 1);
        CHECK(x509_key_eq(publics[0], key));
        CHECK(!x509_key_is_private(publics[0]));
        struct buf b;
        buf_init_arena(&b, &ca.arena, 10000);
        if (!cases[i].traditional) {
            CHECK_ERR(UNSUPPORTED, "PKCS#8", x509_key_print(key, X509_TRADITIONAL, &b, &e));
            continue;
        }
        str traditional = key_text(key, X509_TRADITIONAL);
        CHECK_CONTAINS(traditional, cases[i].traditional);
        CHECK_OK(x509_key_parse(traditional, &old, &e));
        CHECK_STR(key_text(old, X509_PKCS8), pkcs8);
    }
    pki_done(&ca);
}

TEST(a_public_key_does_not_print_as_a_private_one_and_does_not_sign)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *half = NULL;
    CHECK_OK(x509_cert_key(ca.cert, &half, &e));
    struct buf b;
    buf_init_arena(&b, &ca.arena, 10000);
    CHECK_ERR(INVALID, "no private half", x509_key_print(half, X509_PKCS8, &b, &e));
    CHECK_ERR(INVALID, "public half", x509_csr_new(&(struct x509_template){0}, half, &b, &e));
    struct x509_cert *cert;
    CHECK_ERR(INVALID, "public half", x509_issue(&(struct x509_template){0}, half, NULL, &cert, &e));
    pki_done(&ca);
}

TEST(private_keys_are_read_as_openssl_writes_them)
{
    static const char *const commands[] = {
        "openssl ecparam -name prime256v1 -genkey",       /* a block of parameters first */
        "openssl ecparam -name secp384r1 -genkey -noout", /* SEC1 */
        "openssl genrsa -traditional 2048 2>/dev/null",
        "openssl genrsa 3072 2>/dev/null",
        "openssl genpkey -algorithm ED25519",
    };
    pki_init(&ca, "ca", NOW);
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        CLEANUP(x509_key_unrefp) struct x509_key *key = NULL;
        str pem = pki_run(&ca, 0, "%s", commands[i]);
        CHECK_OK(x509_key_parse(pem, &key, &e));
        const char *path = pki_file(&ca, "key.pem", pem);
        CHECK_STR(key_text(key, X509_PUBLIC), pki_run(&ca, 0, "openssl pkey -pubout -in %s", path));
    }
    pki_done(&ca);
}

TEST(keys_we_do_not_use_are_refused_by_name)
{
    static const struct {
        const char *command, *says;
    } cases[] = {
        {"openssl genrsa 1024 2>/dev/null", "RSA key has 1024 bits"},
        {"openssl ecparam -name secp256k1 -genkey -noout", "curve 'secp256k1'"},
        {"openssl ecparam -name prime256v1 -param_enc explicit -genkey -noout", "by parameters, not by name"},
        {"openssl genpkey -algorithm X25519", "'X25519'"},
        {"openssl ecparam -name prime256v1 -genkey -noout | openssl ec -aes128 -passout pass:x 2>/dev/null",
         "is encrypted"},
        {"openssl genpkey -algorithm ED25519 -aes128 -pass pass:x", "is encrypted"},
    };
    pki_init(&ca, "ca", NOW);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct x509_key *key;
        CHECK_ERR(UNSUPPORTED, "", x509_key_parse(pki_run(&ca, 0, "%s", cases[i].command), &key, &e));
        struct err e = ERR_INIT;
        CHECK(x509_key_parse(pki_run(&ca, 0, "%s", cases[i].command), &key, &e));
        CHECK_CONTAINS(e.msg, cases[i].says);
    }
    pki_done(&ca);
}

TEST(a_private_key_whose_halves_differ_is_refused)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *other = NULL;
    struct x509_key *key;
    CHECK_OK(x509_key_generate(X509_KEY_P256, &other, &e));
    /* Swap the public point, the last 65 bytes of the DER, for another key's. */
    const char *a = pki_file(&ca, "a.pem", key_text(ca.key, X509_TRADITIONAL));
    const char *b = pki_file(&ca, "b.pem", key_text(other, X509_TRADITIONAL));
    str pem = pki_run(
        &ca, 0,
        "( openssl ec -in %s -outform DER 2>/dev/null | head -c -65; "
        "openssl ec -in %s -outform DER 2>/dev/null | tail -c 65 ) | "
        "( echo '-----BEGIN EC PRIVATE KEY-----'; base64; echo '-----END EC PRIVATE KEY-----' )",
        a, b);
    CHECK_ERR(INVALID, "does not fit its public half", x509_key_parse(pem, &key, &e));
    pki_done(&ca);
}

TEST(every_key_of_a_file_is_found_whatever_form_it_has)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *rsa = NULL;
    CHECK_OK(x509_key_generate(X509_KEY_RSA, &rsa, &e));
    const char *path = pki_file(&ca, "rsa.pem", key_text(rsa, X509_PKCS8));
    str pkcs1 = pki_run(&ca, 0, "openssl rsa -in %s -RSAPublicKey_out 2>/dev/null", path);
    CHECK_CONTAINS(pkcs1, "BEGIN RSA PUBLIC KEY");
    str parts[] = {key_text(ca.key, X509_TRADITIONAL), S("a word between\n"), pki_cert_pem(&ca, ca.cert),
                   pkcs1, key_text(rsa, X509_PUBLIC)};
    struct x509_key **keys;
    size_t count;
    CHECK_OK(x509_key_parse_public(&ca.arena, str_join(&ca.arena, parts, ARRAY_COUNT(parts), S("")), &keys,
                                   &count, &e));
    CHECK_EQ(count, 4);
    CHECK(x509_key_eq(keys[0], ca.key));
    CHECK(x509_key_eq(keys[1], ca.key));
    CHECK(x509_key_eq(keys[2], rsa));
    CHECK(x509_key_eq(keys[3], rsa));
    for (size_t i = 0; i < count; i++)
        CHECK(!x509_key_is_private(keys[i]));
    CHECK_ERR(SYNTAX, "no key", x509_key_parse_public(&ca.arena, S("nothing"), &keys, &count, &e));
    pki_done(&ca);
}

/* --- PEM --- */

TEST(pem_text_is_read_with_its_oddities_and_refused_when_broken)
{
    static const struct {
        const char *prefix, *change_from, *change_to, *suffix;
        err_code code;
        const char *says;
    } cases[] = {
        {"Bag Attributes\n  name: x\n", "", "", "trailing text", ERR_NONE, ""},
        {"", "\n", "\r\n", "", ERR_NONE, ""},
        {"", "\n", " \t\n", "", ERR_NONE, ""},
        {"", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nname: value\n\n", "", ERR_NONE,
         ""},
        {"", "-----END CERTIFICATE-----", "", "", ERR_SYNTAX, "'CERTIFICATE': it does not end"},
        {"", "-----END CERTIFICATE-----", "-----END KEY-----", "", ERR_SYNTAX, "it ends as 'KEY'"},
        {"", "MII", "M!I", "", ERR_SYNTAX, "illegal base64"},
        {"", "-----END", "AAAA\n-----END", "", ERR_SYNTAX, ""},
        {"", "BEGIN CERTIFICATE", "BEGIN CERTIFICATES", "", ERR_SYNTAX, "ends as"},
        {"", "-----BEGIN", "----BEGIN", "", ERR_SYNTAX, "there is no certificate"},
        {"-----BEGIN X-----\n\n-----END X-----\n", "", "", "", ERR_SYNTAX, "'X': it is empty"},
        {"-----BEGIN X-----\n====\n-----END X-----\n", "", "", "", ERR_SYNTAX, "illegal base64"},
    };
    pki_init(&ca, "ca", NOW);
    str pem = pki_cert_pem(&ca, ca.cert);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf text;
        buf_init_arena(&text, &ca.arena, X509_PEM_SIZE_MAX);
        str from = str_from_c(cases[i].change_from), rest = pem;
        buf_add(&text, str_from_c(cases[i].prefix));
        for (size_t at; from.n && (at = str_index(rest, from)) != SIZE_MAX;
             rest = str_from(rest, at + from.n)) {
            buf_add(&text, str_slice(rest, 0, at));
            buf_add(&text, str_from_c(cases[i].change_to));
        }
        buf_add(&text, rest);
        buf_add(&text, str_from_c(cases[i].suffix));
        CLEANUP(x509_cert_unrefp) struct x509_cert *cert = NULL;
        struct err e = ERR_INIT;
        CHECK_EQ(x509_cert_parse(buf_str(&text), &cert, &e), cases[i].code);
        CHECK_CONTAINS(e.msg, cases[i].says);
    }
    /* All base64 in one line, as Go takes it and OpenSSL does not. */
    struct buf one;
    buf_init_arena(&one, &ca.arena, X509_PEM_SIZE_MAX);
    str rest = pem, line;
    while (str_next(&rest, '\n', &line))
        buf_add_f(&one, "%s%" STR_FMT "%s", str_starts(line, S("-----END")) ? "\n" : "", STR_ARG(line),
                  str_starts(line, S("-----")) ? "\n" : "");
    CHECK_STR(x509_cert_info(parsed(buf_str(&one)))->der, x509_cert_info(ca.cert)->der);
    pki_done(&ca);
}

TEST(a_bundle_gives_its_certificates_in_order_and_has_a_bound)
{
    pki_init(&ca, "ca", NOW);
    struct pki_id server = pki_server(&ca, "a.example");
    str parts[] = {pki_cert_pem(&ca, server.cert), key_text(server.key, X509_PKCS8),
                   pki_cert_pem(&ca, ca.cert)};
    struct x509_cert **certs;
    size_t count;
    CHECK_OK(x509_cert_parse_bundle(&ca.arena, str_join(&ca.arena, parts, 3, S("\n")), &certs, &count, &e));
    CHECK_EQ(count, 2);
    CHECK_STR(x509_cert_info(certs[0])->subject_text, "CN=server");
    CHECK_STR(x509_cert_info(certs[1])->subject_text, "CN=ca");
    struct buf many;
    buf_init_arena(&many, &ca.arena, 4 * X509_PEM_SIZE_MAX);
    for (size_t i = 0; i <= X509_BUNDLE_COUNT_MAX; i++)
        buf_add(&many, parts[2]);
    CHECK_LT(many.n, X509_PEM_SIZE_MAX);
    CHECK_ERR(TOO_LARGE, "more than 1000",
              x509_cert_parse_bundle(&ca.arena, buf_str(&many), &certs, &count, &e));
    buf_add_n(&many, ' ', X509_PEM_SIZE_MAX);
    CHECK_ERR(TOO_LARGE, "larger than",
              x509_cert_parse_bundle(&ca.arena, buf_str(&many), &certs, &count, &e));
    CHECK_ERR(SYNTAX, "there is no certificate",
              x509_cert_parse_bundle(&ca.arena, S(""), &certs, &count, &e));
    pki_done(&ca);
}

/* --- certificates --- */

TEST(a_ca_says_what_its_template_said)
{
    pki_init(&ca, "kubernetes", NOW);
    const struct x509_cert_info *i = x509_cert_info(parsed(pki_cert_pem(&ca, ca.cert)));
    CHECK(i->is_ca);
    CHECK_STR(i->subject_text, "CN=kubernetes");
    CHECK_STR(i->issuer_text, "CN=kubernetes");
    CHECK_STR(i->subject.common_name, "kubernetes");
    CHECK_EQ(i->not_before_s, NOW - PKI_DAY);
    CHECK_EQ(i->not_after_s, NOW + 3650LL * PKI_DAY);
    CHECK_EQ(i->usages, X509_FOR_CA);
    CHECK(i->has_key_usages);
    CHECK(!i->has_extended_usages);
    CHECK_STR(i->serial, S("\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    CHECK(x509_cert_fits_key(ca.cert, ca.key));
    CHECK(memcmp(i->key_fingerprint, x509_key_fingerprint(ca.key), 32) == 0);
    pki_done(&ca);
}

TEST(names_and_groups_come_back_as_they_went_in)
{
    pki_init(&ca, "ca", NOW);
    struct ip ips[2];
    CHECK(ip_parse(S("10.96.0.1"), &ips[0], NULL));
    CHECK(ip_parse(S("fd00::1"), &ips[1], NULL));
    char long_name[254];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    str user = str_format(&ca.arena, "system:node:%s", long_name);
    struct pki_id id = pki_issue(
        &ca, &(struct x509_template){
                 .subject = {.common_name = user,
                             .organizations = (const str[]){S("system:nodes"), S("gr\xc3\xbcn, + \"x\"")},
                             .organization_count = 2},
                 .names = {.dns = (const str[]){S("kubernetes.default.svc"), S("*.example.com")},
                           .dns_count = 2,
                           .ips = ips,
                           .ip_count = 2,
                           .emails = (const str[]){S("a@example.com")},
                           .email_count = 1,
                           .uris = (const str[]){S("spiffe://cluster/ns/a/sa/b")},
                           .uri_count = 1},
                 .usages = X509_USAGE_CLIENT_AUTH | X509_USAGE_ANY | X509_USAGE_DECIPHER_ONLY,
             });
    const struct x509_cert_info *i = x509_cert_info(id.cert);
    CHECK_STR(i->subject.common_name, user);
    CHECK_EQ(i->subject.organization_count, 2);
    CHECK_STR(i->subject.organizations[0], "system:nodes");
    CHECK_STR(i->subject.organizations[1], "gr\xc3\xbcn, + \"x\"");
    CHECK_EQ(i->names.dns_count, 2);
    CHECK_STR(i->names.dns[1], "*.example.com");
    CHECK_EQ(i->names.ip_count, 2);
    CHECK(ip_equal(&i->names.ips[1], &ips[1]));
    CHECK_STR(i->names.emails[0], "a@example.com");
    CHECK_STR(i->names.uris[0], "spiffe://cluster/ns/a/sa/b");
    CHECK_EQ(i->usages, X509_USAGE_CLIENT_AUTH | X509_USAGE_ANY | X509_USAGE_DECIPHER_ONLY);
    CHECK(!i->is_ca);
    str text = pki_run(&ca, 0, "openssl x509 -noout -text -in %s",
                       pki_file(&ca, "c.pem", pki_cert_pem(&ca, id.cert)));
    CHECK_CONTAINS(text,
                   "DNS:kubernetes.default.svc, DNS:*.example.com, email:a@example.com, "
                   "URI:spiffe://cluster/ns/a/sa/b, IP Address:10.96.0.1, IP Address:FD00:0:0:0:0:0:0:1");
    CHECK_CONTAINS(text, "Decipher Only");
    CHECK_CONTAINS(text, "TLS Web Client Authentication");
    CHECK_CONTAINS(text, "CA:FALSE");
    pki_done(&ca);
}

TEST(openssl_trusts_what_we_issue_and_only_for_its_use)
{
    pki_init(&ca, "ca", NOW);
    const char *ca_path = pki_file(&ca, "ca.pem", pki_cert_pem(&ca, ca.cert));
    struct pki_id server = pki_server(&ca, "a.example,10.0.0.1");
    const char *path = pki_file(&ca, "server.pem", pki_cert_pem(&ca, server.cert));
    pki_run(&ca, 0,
            "openssl verify -x509_strict -attime %d -CAfile %s -purpose sslserver -verify_ip 10.0.0.1 %s",
            NOW, ca_path, path);
    pki_run(&ca, 2, "openssl verify -x509_strict -attime %d -CAfile %s -purpose sslclient %s", NOW, ca_path,
            path);
    pki_done(&ca);
}

TEST(a_serial_is_positive_and_never_zero)
{
    pki_init(&ca, "ca", NOW);
    struct x509_template t = {.subject.common_name = S("x"), .not_before_s = NOW, .not_after_s = NOW + 1};
    CLEANUP(x509_cert_unrefp) struct x509_cert *zero = NULL, *ones = NULL;
    CHECK_OK(x509_issue(&t, ca.key, NULL, &zero, &e));
    CHECK_STR(x509_cert_info(zero)->serial, S("\x01"));
    memset(t.serial, 0xff, sizeof t.serial);
    CHECK_OK(x509_issue(&t, ca.key, NULL, &ones, &e));
    CHECK_STR(x509_cert_info(ones)->serial,
              S("\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
    pki_done(&ca);
}

TEST(times_past_2050_and_before_1970_survive)
{
    static const int64_t times[] = {-86400, 0, 2524607999, 2524608000, 253402300799};
    pki_init(&ca, "ca", NOW);
    for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
        CLEANUP(x509_cert_unrefp) struct x509_cert *cert = NULL;
        struct x509_template t = {.not_before_s = times[0], .not_after_s = times[i]};
        CHECK_OK(x509_issue(&t, ca.key, NULL, &cert, &e));
        CHECK_EQ(x509_cert_info(cert)->not_before_s, times[0]);
        CHECK_EQ(x509_cert_info(cert)->not_after_s, times[i]);
    }
    struct x509_cert *cert;
    CHECK_ERR(INVALID, "end at such a time",
              x509_issue(&(struct x509_template){.not_after_s = 253402300800}, ca.key, NULL, &cert, &e));
    pki_done(&ca);
}

TEST(issuing_refuses_what_would_not_verify)
{
    pki_init(&ca, "ca", NOW);
    struct pki_id server = pki_server(&ca, "a.example");
    struct x509_issuer good = {ca.cert, ca.key}, no_ca = {server.cert, server.key},
                       other_key = {ca.cert, server.key};
    int64_t ca_end = x509_cert_info(ca.cert)->not_after_s;
    const struct {
        struct x509_template t;
        const struct x509_issuer *issuer;
        const char *says;
    } cases[] = {
        {{.not_after_s = NOW}, &no_ca, "'CN=server' is not a CA"},
        {{.not_after_s = NOW}, &other_key, "key does not fit"},
        {{.not_after_s = ca_end + 1},
         &good,
         "would outlive its CA 'CN=ca', which ends at 2035-12-30T00:00:00Z"},
        {{.not_before_s = 2, .not_after_s = 1}, &good, "end before it begins"},
        {{.subject.common_name = S("a\0b")}, &good, "common name"},
        {{.subject = {.organizations = (const str[]){S("\xff")}, .organization_count = 1}},
         &good,
         "an organization"},
        {{.names = {.dns = (const str[]){S("")}, .dns_count = 1}}, &good, "cannot be an alternative name"},
        {{.names = {.uris = (const str[]){S("a\nb")}, .uri_count = 1}},
         &good,
         "cannot be an alternative name"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct x509_cert *cert;
        struct err e = ERR_INIT;
        CHECK_EQ(x509_issue(&cases[i].t, server.key, cases[i].issuer, &cert, &e), ERR_INVALID);
        CHECK_CONTAINS(e.msg, cases[i].says);
    }
    pki_done(&ca);
}

TEST(a_nul_inside_a_name_makes_a_certificate_unreadable)
{
    pki_init(&ca, "ca", NOW);
    struct x509_cert *cert;
    struct pki_id client = pki_client(&ca, "admin!evil", "group");
    CHECK_ERR(SYNTAX, "contains a NUL",
              x509_cert_parse_der(pki_der_with(&ca, client.cert, S("admin!"), S("admin\0")), &cert, &e));
    struct pki_id server = pki_server(&ca, "admin!.example");
    CHECK_ERR(SYNTAX, "contains byte 0x00",
              x509_cert_parse_der(pki_der_with(&ca, server.cert, S("admin!"), S("admin\0")), &cert, &e));
    pki_done(&ca);
}

TEST(der_that_is_cut_or_too_long_is_refused)
{
    pki_init(&ca, "ca", NOW);
    str der = x509_cert_info(ca.cert)->der;
    struct x509_cert *cert;
    for (size_t n = 0; n < der.n; n++)
        CHECK_ERR(SYNTAX, "could not read certificate", x509_cert_parse_der(str_slice(der, 0, n), &cert, &e));
    CHECK_ERR(SYNTAX, "bytes follow it", x509_cert_parse_der(str_concat(&ca.arena, der, S("\0")), &cert, &e));
    struct buf big;
    buf_init_arena(&big, &ca.arena, 2 * X509_DER_SIZE_MAX);
    buf_add_n(&big, '0', X509_DER_SIZE_MAX + 1);
    CHECK_ERR(TOO_LARGE, "65537 bytes", x509_cert_parse_der(buf_str(&big), &cert, &e));
    pki_done(&ca);
}

TEST(the_pin_is_what_kubeadm_documents_it_to_be)
{
    pki_init(&ca, "ca", NOW);
    char pin[X509_PIN_SIZE];
    x509_cert_pin(ca.cert, pin);
    str want = pki_run(&ca, 0,
                       "openssl x509 -pubkey -noout -in %s | openssl pkey -pubin -outform der | "
                       "openssl dgst -sha256 -hex | sed 's/^.* /sha256:/'",
                       pki_file(&ca, "ca.pem", pki_cert_pem(&ca, ca.cert)));
    CHECK_STR(pin, str_trim(want));
    pki_done(&ca);
}

TEST(usages_have_the_words_of_a_kubernetes_signing_request)
{
    static const str words[] = {
        S_INIT("digital signature"), S_INIT("content commitment"),
        S_INIT("key encipherment"),  S_INIT("data encipherment"),
        S_INIT("key agreement"),     S_INIT("cert sign"),
        S_INIT("crl sign"),          S_INIT("encipher only"),
        S_INIT("decipher only"),     S_INIT("any"),
        S_INIT("server auth"),       S_INIT("client auth"),
        S_INIT("code signing"),      S_INIT("email protection"),
        S_INIT("ipsec end system"),  S_INIT("ipsec tunnel"),
        S_INIT("ipsec user"),        S_INIT("timestamping"),
        S_INIT("ocsp signing"),      S_INIT("microsoft sgc"),
        S_INIT("netscape sgc"),
    };
    CHECK_EQ(ARRAY_COUNT(words), X509_USAGE_COUNT_);
    pki_init(&ca, "ca", NOW);
    for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
        CHECK_EQ(x509_usage_parse(words[i]), 1u << i);
        CHECK_STR(x509_usage_name((enum x509_usage)(1u << i)), words[i]);
        /* And each says on a certificate what it said in the template. */
        struct pki_id id = pki_issue(&ca, &(struct x509_template){.usages = 1u << i});
        CHECK_EQ(x509_cert_info(id.cert)->usages, 1u << i);
    }
    CHECK_EQ(x509_usage_parse(S("signing")), X509_USAGE_DIGITAL_SIGNATURE);
    CHECK_EQ(x509_usage_parse(S("s/mime")), X509_USAGE_EMAIL_PROTECTION);
    CHECK_EQ(x509_usage_parse(S("Server Auth")), 0);
    CHECK_EQ(x509_usage_parse(S("")), 0);
    pki_done(&ca);
}

/* --- signing requests --- */

static str csr_of(const struct x509_template *t, const struct x509_key *key)
{
    struct buf b;
    buf_init_arena(&b, &ca.arena, 100000);
    CHECK_OK(x509_csr_new(t, key, &b, &e));
    return buf_str(&b);
}

TEST(a_signing_request_says_who_asks_for_what)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *key = NULL;
    CHECK_OK(x509_key_generate(X509_KEY_P256, &key, &e));
    struct ip ip;
    CHECK(ip_parse(S("10.0.0.7"), &ip, NULL));
    str pem = csr_of(
        &(struct x509_template){
            .subject = {.common_name = S("system:node:n1"),
                        .organizations = (const str[]){S("system:nodes")},
                        .organization_count = 1},
            .names = {.dns = (const str[]){S("n1")}, .dns_count = 1, .ips = &ip, .ip_count = 1},
            .usages = X509_FOR_SERVER,
        },
        key);
    struct x509_csr *csr;
    CHECK_OK(x509_csr_parse(&ca.arena, pem, &csr, &e));
    CHECK_STR(csr->subject.common_name, "system:node:n1");
    CHECK_STR(csr->subject.organizations[0], "system:nodes");
    CHECK_STR(csr->subject_text, "CN=system:node:n1,O=system:nodes");
    CHECK_STR(csr->names.dns[0], "n1");
    CHECK(ip_equal(&csr->names.ips[0], &ip));
    CHECK_EQ(csr->usages, X509_FOR_SERVER);
    CHECK(!csr->is_ca);
    CHECK(x509_key_eq(csr->key, key));
    pki_run(&ca, 0, "openssl req -verify -noout -in %s", pki_file(&ca, "csr.pem", pem));
    pki_done(&ca);
}

TEST(a_signing_request_of_openssl_is_read_and_signed_as_granted)
{
    pki_init(&ca, "ca", NOW);
    str pem = pki_run(
        &ca, 0,
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout /dev/null -subj "
        "'/O=g1/O=g2/CN=jane' -addext 'subjectAltName=DNS:a.example,IP:::1,email:j@x.y,URI:urn:x,"
        "otherName:1.2.3.4;UTF8:evil' -addext basicConstraints=CA:TRUE -addext keyUsage=keyCertSign "
        "-addext 1.2.3.4=ASN1:UTF8String:evil 2>/dev/null");
    struct x509_csr *csr;
    CHECK_OK(x509_csr_parse(&ca.arena, pem, &csr, &e));
    CHECK(csr->is_ca);
    CHECK_EQ(csr->usages, X509_USAGE_CERT_SIGN);
    struct x509_grant grant = {.usages = X509_USAGE_CLIENT_AUTH | X509_USAGE_DIGITAL_SIGNATURE,
                               .not_before_s = NOW - 300,
                               .not_after_s = NOW + 600,
                               .serial = {7}};
    CLEANUP(x509_cert_unrefp) struct x509_cert *cert = NULL;
    CHECK_OK(x509_csr_sign(csr, &grant, &(struct x509_issuer){ca.cert, ca.key}, &cert, &e));
    const struct x509_cert_info *i = x509_cert_info(cert);
    CHECK_STR(i->subject.common_name, "jane");
    CHECK_EQ(i->subject.organization_count, 2);
    CHECK_STR(i->issuer_text, "CN=ca");
    CHECK_EQ(i->usages, grant.usages);
    CHECK(!i->is_ca);
    CHECK_EQ(i->not_before_s, NOW - 300);
    CHECK_EQ(i->not_after_s, NOW + 600);
    CHECK_STR(i->names.uris[0], "urn:x");
    str text = pki_run(&ca, 0, "openssl x509 -noout -text -in %s",
                       pki_file(&ca, "c.pem", pki_cert_pem(&ca, cert)));
    CHECK_CONTAINS(text, "DNS:a.example, email:j@x.y, URI:urn:x, IP Address:0:0:0:0:0:0:0:1");
    CHECK(!str_contains(text, S("evil")));
    CLEANUP(x509_pool_unrefp) struct x509_pool *pool = NULL;
    CHECK_OK(x509_pool_new_of(&ca.cert, 1, &pool, &e));
    struct x509_verify_opts opts = {.now_s = NOW, .usage = X509_USAGE_CLIENT_AUTH};
    CHECK_OK(x509_verify(pool, (const struct x509_cert *const[]){cert}, 1, &opts, &e));
    pki_done(&ca);
}

TEST(a_signing_request_is_refused_when_its_signature_or_form_is_wrong)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *key = NULL;
    CHECK_OK(x509_key_generate(X509_KEY_P256, &key, &e));
    const char *path = pki_file(&ca, "csr.pem",
                                csr_of(&(struct x509_template){.subject.common_name = S("jane")}, key));
    str changed = pki_run(
        &ca, 0,
        "openssl req -in %s -outform DER | sed 's/jane/john/' | "
        "( echo '-----BEGIN CERTIFICATE REQUEST-----'; base64; echo '-----END CERTIFICATE REQUEST-----' )",
        path);
    struct x509_csr *csr;
    CHECK_ERR(INVALID, "not signed with its own key", x509_csr_parse(&ca.arena, changed, &csr, &e));
    CHECK_ERR(SYNTAX, "must be CERTIFICATE REQUEST",
              x509_csr_parse(&ca.arena, pki_cert_pem(&ca, ca.cert), &csr, &e));
    CHECK_ERR(SYNTAX, "must be CERTIFICATE REQUEST", x509_csr_parse(&ca.arena, S(""), &csr, &e));
    CHECK_ERR(
        SYNTAX, "could not read certificate request",
        x509_csr_parse(&ca.arena,
                       S("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"),
                       &csr, &e));
    pki_done(&ca);
}

TEST(a_grant_lasts_as_long_as_the_original_would_have_it)
{
    static const struct {
        int64_t ttl_s;
        int32_t expiration_s;
        int64_t end_s; /* from now */
    } cases[] = {
        {365 * PKI_DAY, 0, 365 * PKI_DAY - 300},
        {365 * PKI_DAY, 3600, 3600},
        {365 * PKI_DAY, 28799, 28799},
        {365 * PKI_DAY, 28800, 28800 - 300},
        {365 * PKI_DAY, 600, 600},
        {365 * PKI_DAY, 599, 600},
        {365 * PKI_DAY, 1, 600},
        {365 * PKI_DAY, 366 * PKI_DAY, 365 * PKI_DAY - 300},
        {3600, 7200, 3600},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct x509_grant g;
        x509_grant_period(&g, NOW, cases[i].ttl_s, cases[i].expiration_s);
        CHECK_EQ(g.not_before_s, NOW - 300);
        CHECK_EQ(g.not_after_s, NOW + cases[i].end_s);
    }
}

TEST(a_grant_past_the_end_of_the_ca_is_cut_and_one_after_it_refused)
{
    pki_init(&ca, "ca", NOW);
    struct x509_csr *csr;
    CHECK_OK(x509_csr_parse(
        &ca.arena, csr_of(&(struct x509_template){.subject.common_name = S("jane")}, ca.key), &csr, &e));
    int64_t end = x509_cert_info(ca.cert)->not_after_s;
    struct x509_grant grant = {.not_before_s = NOW, .not_after_s = end + PKI_DAY};
    CLEANUP(x509_cert_unrefp) struct x509_cert *cert = NULL;
    CHECK_OK(x509_csr_sign(csr, &grant, &(struct x509_issuer){ca.cert, ca.key}, &cert, &e));
    CHECK_EQ(x509_cert_info(cert)->not_after_s, end);
    grant.not_before_s = end;
    struct x509_cert *none;
    CHECK_ERR(INVALID, "the signer has expired: NotAfter=2035-12-30T00:00:00Z",
              x509_csr_sign(csr, &grant, &(struct x509_issuer){ca.cert, ca.key}, &none, &e));
    pki_done(&ca);
}

/* --- trust --- */

static err_code trust(const struct x509_cert *cert, int64_t now_s, unsigned usage, const char *host,
                      struct err *err)
{
    CLEANUP(x509_pool_unrefp) struct x509_pool *pool = NULL;
    CHECK_OK(x509_pool_new(pki_cert_pem(&ca, ca.cert), &pool, &e));
    struct x509_verify_opts opts = {.now_s = now_s, .usage = usage, .host = str_from_c(host)};
    return x509_verify(pool, &cert, 1, &opts, err);
}

TEST(a_certificate_is_trusted_in_its_time_and_for_its_use_only)
{
    pki_init(&ca, "ca", NOW);
    struct pki_id client = pki_client(&ca, "jane", "devs"), server = pki_server(&ca, "a.example");
    struct pki_id any = pki_issue(&ca, &(struct x509_template){.usages = X509_USAGE_ANY});
    struct pki_id unlimited = pki_issue(&ca, &(struct x509_template){.usages = X509_USAGE_DIGITAL_SIGNATURE});
    struct pki_id encipher = pki_issue(
        &ca, &(struct x509_template){.usages = X509_USAGE_KEY_ENCIPHERMENT | X509_USAGE_CLIENT_AUTH});
    unsigned use = X509_USAGE_CLIENT_AUTH;
    CHECK_OK(trust(client.cert, NOW, use, "", &e));
    CHECK_OK(trust(any.cert, NOW, use, "", &e));
    CHECK_OK(trust(unlimited.cert, NOW, use, "", &e));
    CHECK_OK(trust(encipher.cert, NOW, use, "", &e)); /* Go does not look at the first nine */
    CHECK_OK(trust(server.cert, NOW, 0, "", &e));
    CHECK_ERR(UNAUTHORIZED, "certificate 'CN=server' does not allow the usage 'client auth'",
              trust(server.cert, NOW, use, "", &e));
    CHECK_ERR(
        UNAUTHORIZED,
        "certificate 'CN=jane,O=devs' has expired: current time 2026-01-02T00:00:01Z is after 2026-01-02T00:00:00Z",
        trust(client.cert, NOW + PKI_DAY + 1, use, "", &e));
    CHECK_OK(trust(client.cert, NOW + PKI_DAY - 1, use, "", &e));
    CHECK_ERR(UNAUTHORIZED,
              "is not yet valid: current time 2025-12-31T22:59:59Z is before 2025-12-31T23:00:00Z",
              trust(client.cert, NOW - PKI_HOUR - 1, use, "", &e));
    pki_done(&ca);
}

TEST(a_certificate_of_another_ca_of_the_same_name_is_not_trusted)
{
    struct pki other;
    pki_init(&ca, "ca", NOW);
    pki_init(&other, "ca", NOW);
    struct pki_id client = pki_client(&other, "jane", "devs");
    CHECK_ERR(UNAUTHORIZED, "is signed by unknown authority 'CN=ca'", trust(client.cert, NOW, 0, "", &e));
    struct pki third;
    pki_init(&third, "third", NOW);
    CHECK_ERR(UNAUTHORIZED, "certificate 'CN=jane,O=devs' is signed by unknown authority 'CN=third'",
              trust(pki_client(&third, "jane", "devs").cert, NOW, 0, "", &e));
    CHECK_ERR(UNAUTHORIZED, "certificate 'CN=third' is signed by unknown authority 'CN=third'",
              trust(third.cert, NOW, 0, "", &e));
    str changed = pki_der_with(&ca, pki_client(&ca, "jane", "devs").cert, S("jane"), S("john"));
    CLEANUP(x509_cert_unrefp) struct x509_cert *forged = NULL;
    CHECK_OK(x509_cert_parse_der(changed, &forged, &e));
    CHECK_ERR(UNAUTHORIZED, "signature", trust(forged, NOW, 0, "", &e));
    pki_done(&third);
    pki_done(&other);
    pki_done(&ca);
}

TEST(a_chain_needs_its_middle_and_the_middle_must_be_a_ca)
{
    pki_init(&ca, "ca", NOW);
    struct pki_id middle = pki_issue(
        &ca,
        &(struct x509_template){.subject.common_name = S("middle"), .usages = X509_FOR_CA, .is_ca = true});
    struct pki_id narrow = pki_issue(&ca,
                                     &(struct x509_template){.subject.common_name = S("narrow"),
                                                             .usages = X509_FOR_CA | X509_USAGE_SERVER_AUTH,
                                                             .is_ca = true});
    struct pki_id no_ca = pki_client(&ca, "jane", "devs");
    struct pki sub = ca;
    arena_init(&sub.arena, 0);
    sub.key = middle.key, sub.cert = middle.cert;
    struct pki_id leaf = pki_client(&sub, "leaf", "g");
    sub.key = narrow.key, sub.cert = narrow.cert;
    struct pki_id narrow_leaf = pki_client(&sub, "leaf", "g");
    CLEANUP(x509_pool_unrefp) struct x509_pool *pool = NULL, *middle_pool = NULL, *leaf_pool = NULL;
    CHECK_OK(x509_pool_new_of(&ca.cert, 1, &pool, &e));
    CHECK_OK(x509_pool_new_of(&middle.cert, 1, &middle_pool, &e));
    CHECK_OK(x509_pool_new_of(&leaf.cert, 1, &leaf_pool, &e));
    struct x509_verify_opts opts = {.now_s = NOW, .usage = X509_USAGE_CLIENT_AUTH};
    const struct x509_cert *chain[] = {leaf.cert, no_ca.cert, middle.cert},
                           *narrow_chain[] = {narrow_leaf.cert, narrow.cert};
    CHECK_OK(x509_verify(pool, chain, 3, &opts, &e));
    CHECK_ERR(UNAUTHORIZED, "unknown authority 'CN=middle'", x509_verify(pool, chain, 2, &opts, &e));
    CHECK_OK(x509_verify(middle_pool, chain, 1, &opts, &e)); /* an anchor need not be self-signed */
    CHECK_OK(x509_verify(leaf_pool, chain, 1, &opts, &e));
    CHECK_ERR(UNAUTHORIZED, "'CN=narrow' does not allow the usage 'client auth'",
              x509_verify(pool, narrow_chain, 2, &opts, &e));
    CHECK_ERR(UNAUTHORIZED, "a chain of 0 certificates", x509_verify(pool, chain, 0, &opts, &e));
    pki_done(&sub);
    pki_done(&ca);
}

TEST(hosts_match_as_go_matches_them)
{
    static const struct {
        const char *host;
        bool fits;
    } cases[] = {
        {"a.example.com", true},
        {"A.EXAMPLE.com", true},
        {"a.example.com.", true},
        {"b.example.com", false},
        {"x.wild.io", true},
        {"wild.io", false},
        {"x.y.wild.io", false},
        {"10.0.0.1", true},
        {"10.0.0.2", false},
        {"fd00::1", true},
        {"[fd00::1]", true},
        {"fd00:0::0:1", true},
        {"::ffff:10.0.0.1", true},
        {"010.0.0.1", false},
        {"server", false},
        /* the common name */ {"example.com", false},
        {".", false},
        {"xpart.example.net", false},
    };
    pki_init(&ca, "ca", NOW);
    struct pki_id id = pki_server(&ca, "a.example.com,*.wild.io,x*.example.net,10.0.0.1,fd00::1");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        err_code code = trust(id.cert, NOW, X509_USAGE_SERVER_AUTH, cases[i].host, &e);
        if ((code == ERR_NONE) != cases[i].fits)
            FAIL("%s: %s", cases[i].host, code ? e.msg : "fits");
    }
    CHECK_ERR(
        UNAUTHORIZED,
        "certificate is valid for a.example.com, *.wild.io, x*.example.net, 10.0.0.1, fd00::1, not c.example.com",
        x509_cert_check_host(id.cert, S("c.example.com"), &e));
    CHECK_ERR(UNAUTHORIZED, "certificate is not valid for any names, but wanted to match ca",
              x509_cert_check_host(ca.cert, S("ca"), &e)); /* though it is called so */
    pki_done(&ca);
}

TEST(weak_certificates_are_not_trusted)
{
    pki_init(&ca, "ca", NOW);
    const char *cert = pki_file(&ca, "ca.pem", pki_cert_pem(&ca, ca.cert)),
               *key = pki_file(&ca, "ca.key", key_text(ca.key, X509_PKCS8));
    str weak = pki_run(
        &ca, 0,
        "openssl req -new -newkey rsa:1024 -nodes -keyout /dev/null -subj /CN=weak 2>/dev/null | "
        "openssl x509 -req -CA %s -CAkey %s -set_serial 9 -days 4000 2>/dev/null",
        cert, key);
    CHECK_ERR(UNAUTHORIZED, "key too weak", trust(parsed(weak), NOW + 3000LL * PKI_DAY, 0, "", &e));
    str old = pki_run(
        &ca, 0,
        "openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=old 2>/dev/null | "
        "openssl x509 -req -sha1 -CA %s -CAkey %s -set_serial 9 -days 4000 2>/dev/null",
        cert, key);
    CHECK_ERR(UNAUTHORIZED, "too weak", trust(parsed(old), NOW + 3000LL * PKI_DAY, 0, "", &e));
    pki_done(&ca);
}

TEST(the_authorities_of_the_machine_are_read_where_it_has_some)
{
    struct x509_pool *pool;
    struct err err = ERR_INIT;
    if (x509_pool_new_system(&pool, &err)) {
        CHECK_EQ(err.code, ERR_NOT_FOUND);
        CHECK_CONTAINS(err.msg, "ca-certificates");
        return;
    }
    /* None of them knows ours. */
    pki_init(&ca, "ca", NOW);
    struct x509_verify_opts opts = {.now_s = NOW};
    CHECK_ERR(UNAUTHORIZED, "unknown authority",
              x509_verify(pool, (const struct x509_cert *const[]){ca.cert}, 1, &opts, &e));
    x509_pool_unref(pool);
    pki_done(&ca);
}

TEST(a_pool_is_not_empty)
{
    struct x509_pool *pool;
    CHECK_ERR(SYNTAX, "there is no certificate", x509_pool_new(S("# none\n"), &pool, &e));
    CHECK_ERR(INVALID, "cannot be empty", x509_pool_new_of(NULL, 0, &pool, &e));
}
