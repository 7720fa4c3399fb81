#include "base/base64.h"
#include "harness/test.h"
#include "sys/jwt.h"
#include "sys/pki_test.h"

#define NOW     1767225600
#define PAYLOAD "{\"iss\":\"https://kubernetes.default.svc\",\"sub\":\"system:serviceaccount:a:b\"}"

static struct pki ca; /* its arena */

static str b64(str s)
{
    struct buf b;
    buf_init_arena(&b, &ca.arena, 2 * JWT_SIZE_MAX);
    base64_encode(&b, s, BASE64_URL | BASE64_NO_PAD);
    return buf_str(&b);
}

static str unb64(str s)
{
    struct buf b;
    buf_init_arena(&b, &ca.arena, JWT_SIZE_MAX);
    CHECK_OK(base64_decode(&b, s, BASE64_URL | BASE64_NO_PAD | BASE64_STRICT, &e));
    return buf_str(&b);
}

static str signed_by(const struct x509_key *key, str payload)
{
    struct buf b;
    buf_init_arena(&b, &ca.arena, JWT_SIZE_MAX);
    CHECK_OK(jwt_sign(key, payload, &b, &e));
    return buf_str(&b);
}

static void cut(str token, str ret[3])
{
    str rest;
    CHECK(str_cut(token, '.', &ret[0], &rest));
    CHECK(str_cut(rest, '.', &ret[1], &ret[2]));
}

static str joined(str header, str payload, str signature)
{
    return str_join(&ca.arena, (const str[]){header, payload, signature}, 3, S("."));
}

/* A token with the header as given, signed by OpenSSL's command with the key. */
static str signed_with_header(const struct x509_key *key, str header, str payload)
{
    str text = str_join(&ca.arena, (const str[]){b64(header), b64(payload)}, 2, S("."));
    const char *path = pki_file(&ca, "text", text),
               *key_path = pki_file(&ca, "key.pem", pki_key_pem(&ca, key));
    str signature = pki_run(&ca, 0, "openssl dgst -sha256 -sign %s %s", key_path, path);
    return str_join(&ca.arena, (const str[]){text, b64(signature)}, 2, S("."));
}

TEST(tokens_of_every_kind_of_key_verify_and_carry_their_payload)
{
    static const struct {
        enum x509_key_kind kind;
        const char *algorithm;
        size_t signature_size;
    } cases[] = {
        {X509_KEY_RSA, "RS256", 256},
        {X509_KEY_P256, "ES256", 64},
        {X509_KEY_P384, "ES384", 96},
        {X509_KEY_P521, "ES512", 132},
    };
    pki_init(&ca, "ca", NOW);
    struct x509_key *all[4];
    str tokens[4];
    for (size_t i = 0; i < 4; i++) {
        CHECK_OK(x509_key_generate(cases[i].kind, &all[i], &e));
        tokens[i] = signed_by(all[i], S(PAYLOAD));
        str parts[3];
        cut(tokens[i], parts);
        char id[JWT_KEY_ID_SIZE + 1];
        jwt_key_id(all[i], id);
        CHECK_STR(unb64(parts[0]),
                  str_format(&ca.arena, "{\"alg\":\"%s\",\"kid\":\"%s\"}", cases[i].algorithm, id));
        CHECK_STR(unb64(parts[1]), PAYLOAD);
        CHECK_EQ(unb64(parts[2]).n, cases[i].signature_size);
    }
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *keys = NULL;
    CHECK_OK(jwt_keys_new(all, 4, &keys, &e));
    for (size_t i = 0; i < 4; i++) {
        struct jwt jwt;
        char id[JWT_KEY_ID_SIZE + 1];
        jwt_key_id(all[i], id);
        CHECK_OK(jwt_verify(&ca.arena, tokens[i], keys, &jwt, &e));
        CHECK_STR(jwt.payload, PAYLOAD);
        CHECK_STR(jwt.algorithm, cases[i].algorithm);
        CHECK_STR(jwt.key_id, id);
        x509_key_unref(all[i]);
    }
    pki_done(&ca);
}

TEST(the_key_id_is_the_hash_of_the_public_key_as_kubernetes_derives_it)
{
    pki_init(&ca, "ca", NOW);
    char id[JWT_KEY_ID_SIZE + 1];
    jwt_key_id(ca.key, id);
    str want = pki_run(&ca, 0,
                       "openssl pkey -in %s -pubout -outform der | openssl dgst -sha256 -binary | "
                       "base64 | tr -d '=\\n' | tr '+/' '-_'",
                       pki_file(&ca, "key.pem", pki_key_pem(&ca, ca.key)));
    CHECK_STR(id, want);
    pki_done(&ca);
}

TEST(openssl_accepts_our_rs256_and_we_accept_its)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *key = NULL;
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *keys = NULL;
    CHECK_OK(x509_key_generate(X509_KEY_RSA, &key, &e));
    CHECK_OK(jwt_keys_new(&key, 1, &keys, &e));
    str token = signed_by(key, S(PAYLOAD)), parts[3];
    cut(token, parts);
    pki_run(&ca, 0, "openssl dgst -sha256 -prverify %s -signature %s %s",
            pki_file(&ca, "key.pem", pki_key_pem(&ca, key)), pki_file(&ca, "signature", unb64(parts[2])),
            pki_file(&ca, "text", str_slice(token, 0, parts[0].n + 1 + parts[1].n)));
    struct jwt jwt;
    /* Old tokens name no key: each that fits the algorithm is tried. */
    CHECK_OK(
        jwt_verify(&ca.arena, signed_with_header(key, S("{\"alg\":\"RS256\"}"), S(PAYLOAD)), keys, &jwt, &e));
    CHECK_EQ(jwt.key_id.n, JWT_KEY_ID_SIZE);
    CHECK_OK(jwt_verify(
        &ca.arena, signed_with_header(key, S(" { \"typ\" : \"JWT\", \"alg\":\"RS256\" } "), S("not json")),
        keys, &jwt, &e));
    CHECK_STR(jwt.payload, "not json");
    pki_done(&ca);
}

/* RFC 7515, appendices A.2 and A.3. */
TEST(the_published_tokens_verify)
{
    static const char *const names[] = {"rfc7515-rs256", "rfc7515-es256", "known-key-id"};
    pki_init(&ca, "ca", NOW);
    struct x509_key **all;
    size_t count;
    CHECK_OK(
        x509_key_parse_public(&ca.arena, test_read_file(test_path("corpus/jwt-keys.pem")), &all, &count, &e));
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *keys = NULL;
    CHECK_OK(jwt_keys_new(all, count, &keys, &e));
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        str token = test_read_file(test_path(str_format(&ca.arena, "corpus/jwt/%s", names[i]).p));
        struct jwt jwt;
        if (i == 2) {
            /* Only its header was changed: the id is found, the signature is not of this text. */
            CHECK_ERR(UNAUTHORIZED, "does not fit", jwt_verify(&ca.arena, token, keys, &jwt, &e));
            continue;
        }
        CHECK_OK(jwt_verify(&ca.arena, token, keys, &jwt, &e));
        CHECK_STR(jwt.payload,
                  "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
    }
    pki_done(&ca);
}

TEST(a_token_whose_header_is_out_of_the_ordinary_is_refused_though_its_signature_fits)
{
    static const char *const headers[] = {
        "",
        "{}",
        "{\"typ\":\"JWT\"}",
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"RS384\"}",
        "{\"alg\":\"rs256\"}",
        "{\"alg\":\"ES256\"}",
        "{\"alg\":\"\"}",
        "{\"alg\":1}",
        "{\"alg\":null}",
        "{\"alg\":[\"RS256\"]}",
        "{\"alg\":\"RS256\",\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"crit\":\"b64\"}",
        "{\"alg\":\"RS256\",\"b64\":false}",
        "{\"alg\":\"RS256\",\"jwk\":{}}",
        "{\"\\u0061lg\":\"RS256\"}",
        "{\"alg\":\"RS256\"",
        "{\"alg\":\"RS256\",}",
        "{\"alg\":\"RS256\"}}",
        "{\"alg\":\"RS256\"} x",
        "[\"alg\",\"RS256\"]",
        "{\"alg\":\"RS256\",\"x\":\"\xff\"}",
        "{\"alg\":\"RS256\",\"x\":\"\n\"}",
        ("{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":\"\",\"8\":\"\",\"9\":\"\",\"a\":\"\","
         "\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\",\"g\":\"\",\"alg\":\"RS256\"}"),
    };
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *key = NULL;
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *keys = NULL;
    CHECK_OK(x509_key_generate(X509_KEY_RSA, &key, &e));
    CHECK_OK(jwt_keys_new(&key, 1, &keys, &e));
    struct jwt jwt;
    for (size_t i = 0; i < ARRAY_COUNT(headers); i++)
        CHECK_ERR(UNAUTHORIZED, "of the token",
                  jwt_verify(&ca.arena, signed_with_header(key, str_from_c(headers[i]), S(PAYLOAD)), keys,
                             &jwt, &e));
    pki_done(&ca);
}

TEST(no_change_anywhere_in_a_token_goes_unnoticed)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    pki_init(&ca, "ca", NOW);
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *keys = NULL;
    CHECK_OK(jwt_keys_new(&ca.key, 1, &keys, &e));
    str token = signed_by(ca.key, S("{}"));
    struct jwt jwt;
    CHECK_OK(jwt_verify(&ca.arena, token, keys, &jwt, &e));
    for (size_t i = 0; i < token.n; i++) {
        str changed = str_dup(&ca.arena, token);
        char *at = (char *)(uintptr_t)&changed.p[i];
        for (size_t d = 0; d < sizeof digits - 1; d += test_is_sanitized() ? 7 : 1) {
            if (digits[d] == token.p[i])
                continue;
            *at = digits[d];
            CHECK_ERR(UNAUTHORIZED, "", jwt_verify(&ca.arena, changed, keys, &jwt, &e));
        }
    }
    for (size_t n = 0; n < token.n; n++)
        CHECK_ERR(UNAUTHORIZED, "", jwt_verify(&ca.arena, str_slice(token, 0, n), keys, &jwt, &e));
    pki_done(&ca);
}

TEST(a_token_has_one_spelling)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *keys = NULL;
    CHECK_OK(jwt_keys_new(&ca.key, 1, &keys, &e));
    str p[3];
    cut(signed_by(ca.key, S("{}")), p);
    struct jwt jwt;
    const struct {
        str token;
        const char *says;
    } cases[] = {
        {joined(p[0], p[1], str_concat(&ca.arena, p[2], S("="))), "signature of the token is not base64url"},
        {joined(p[0], p[1], str_concat(&ca.arena, p[2], S("\n"))), "signature of the token is not base64url"},
        {joined(p[0], str_concat(&ca.arena, p[1], S("\r\n")), p[2]), "payload of the token is not base64url"},
        {joined(str_concat(&ca.arena, S(" "), p[0]), p[1], p[2]), "header of the token"},
        {joined(p[0], p[1], str_concat(&ca.arena, p[2], S("."))), "three parts"},
        {joined(p[0], p[1], S("")), "does not fit"},
        {p[0], "three parts"},
        {S(""), "three parts"},
        {S(".."), "header of the token"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        CHECK_EQ(jwt_verify(&ca.arena, cases[i].token, keys, &jwt, &e), ERR_UNAUTHORIZED);
        CHECK_CONTAINS(e.msg, cases[i].says);
    }
    pki_done(&ca);
}

TEST(a_token_of_another_key_is_refused_by_its_id_or_its_signature)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *other = NULL;
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *keys = NULL;
    CHECK_OK(x509_key_generate(X509_KEY_P256, &other, &e));
    CHECK_OK(jwt_keys_new(&ca.key, 1, &keys, &e));
    str ours[3], theirs[3];
    cut(signed_by(ca.key, S("{}")), ours);
    cut(signed_by(other, S("{}")), theirs);
    struct jwt jwt;
    CHECK_ERR(UNAUTHORIZED, "which is not one of ours",
              jwt_verify(&ca.arena, joined(theirs[0], theirs[1], theirs[2]), keys, &jwt, &e));
    CHECK_ERR(UNAUTHORIZED, "does not fit",
              jwt_verify(&ca.arena, joined(ours[0], theirs[1], theirs[2]), keys, &jwt, &e));
    CHECK_ERR(
        UNAUTHORIZED, "does not fit",
        jwt_verify(&ca.arena, joined(b64(S("{\"alg\":\"ES256\"}")), theirs[1], theirs[2]), keys, &jwt, &e));
    pki_done(&ca);
}

TEST(peek_reads_what_nobody_vouches_for)
{
    pki_init(&ca, "ca", NOW);
    struct jwt jwt;
    CHECK_OK(jwt_peek(&ca.arena,
                      joined(b64(S("{\"alg\":\"none\",\"kid\":\"k\"}")), b64(S("{\"iss\":\"x\"}")), S("")),
                      &jwt, &e));
    CHECK_STR(jwt.payload, "{\"iss\":\"x\"}");
    CHECK_STR(jwt.key_id, "k");
    CHECK_STR(jwt.algorithm, "none");
    CHECK_ERR(UNAUTHORIZED, "three parts", jwt_peek(&ca.arena, S("opaque"), &jwt, &e));
    pki_done(&ca);
}

TEST(tokens_have_a_maximum_both_ways)
{
    pki_init(&ca, "ca", NOW);
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *keys = NULL;
    CHECK_OK(jwt_keys_new(&ca.key, 1, &keys, &e));
    struct buf big, out;
    buf_init_arena(&big, &ca.arena, 2 * JWT_SIZE_MAX);
    buf_init_arena(&out, &ca.arena, 2 * JWT_SIZE_MAX);
    buf_add_n(&big, 'x', JWT_SIZE_MAX);
    struct jwt jwt;
    CHECK_ERR(TOO_LARGE, "could not sign a token", jwt_sign(ca.key, buf_str(&big), &out, &e));
    CHECK_EQ(out.n, 0);
    buf_add_c(&big, '.');
    CHECK_ERR(UNAUTHORIZED, "larger than 65536", jwt_verify(&ca.arena, buf_str(&big), keys, &jwt, &e));
    pki_done(&ca);
}

TEST(the_key_set_document_is_as_kubernetes_prints_it)
{
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n"
                              "q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n"
                              "-----END PUBLIC KEY-----\n";
    pki_init(&ca, "ca", NOW);
    struct x509_key **keys;
    size_t count;
    CHECK_OK(x509_key_parse_public(&ca.arena, str_from_c(pem), &keys, &count, &e));
    struct x509_key *rsa, *set[3];
    CHECK_OK(x509_key_generate(X509_KEY_RSA, &rsa, &e));
    set[0] = rsa, set[1] = keys[0], set[2] = keys[0];
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *k = NULL;
    CHECK_OK(jwt_keys_new(set, 3, &k, &e));
    struct buf b;
    buf_init_arena(&b, &ca.arena, 10000);
    CHECK_OK(jwt_keys_print(k, &b, &e));
    char rsa_id[JWT_KEY_ID_SIZE + 1], ec_id[JWT_KEY_ID_SIZE + 1];
    jwt_key_id(rsa, rsa_id);
    jwt_key_id(keys[0], ec_id);
    str modulus = pki_run(
        &ca, 0,
        "openssl rsa -in %s -modulus -noout 2>/dev/null | cut -d= -f2 | "
        "sed 's/../\\\\x&/g' | xargs -0 printf '%%b' | head -c 256 | base64 -w0 | tr -d '=' | tr '+/' '-_'",
        pki_file(&ca, "rsa.pem", pki_key_pem(&ca, rsa)));
    CHECK_STR(
        buf_str(&b),
        str_format(
            &ca.arena,
            "{\"keys\":[{\"use\":\"sig\",\"kty\":\"RSA\",\"kid\":\"%s\",\"alg\":\"RS256\",\"n\":\"%" STR_FMT
            "\",\"e\":\"AQAB\"},{\"use\":\"sig\",\"kty\":\"EC\",\"kid\":\"%s\",\"crv\":\"P-256\",\"alg\":"
            "\"ES256\",\"x\":\"EVs_o5-uQbTjL3chynL4wXgUg2R9q9UU8I5mEovUf84\","
            "\"y\":\"kGe5DgSIycKp8w9aJmoHhB1sB3QTugfnRWm5nU_TzsY\"}]}",
            rsa_id, STR_ARG(modulus), ec_id));
    x509_key_unref(rsa);
    pki_done(&ca);
}

TEST(keys_that_sign_no_tokens_and_empty_sets_are_refused)
{
    CLEANUP(x509_key_unrefp) struct x509_key *key = NULL;
    struct jwt_keys *keys;
    CHECK_OK(x509_key_generate(X509_KEY_ED25519, &key, &e));
    CHECK_ERR(UNSUPPORTED, "Ed25519", jwt_keys_new(&key, 1, &keys, &e));
    CHECK_ERR(INVALID, "not with 0", jwt_keys_new(NULL, 0, &keys, &e));
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 1000);
    CHECK_ERR(UNSUPPORTED, "Ed25519", jwt_sign(key, S("{}"), &b, &e));
    pki_init(&ca, "ca", NOW);
    CLEANUP(x509_key_unrefp) struct x509_key *half = NULL;
    CHECK_OK(x509_cert_key(ca.cert, &half, &e));
    CHECK_ERR(INVALID, "public half", jwt_sign(half, S("{}"), &b, &e));
    pki_done(&ca);
}
