/* x509_fuzz.c - PEM text, certificates and signing requests from outside. */
#include "base/arena.h"
#include "harness/test.h"
#include "sys/pki_test.h"

#define NOW 1767225600

static struct arena arena;

static str pem_of(const struct x509_cert *cert)
{
    struct buf b;
    buf_init_arena(&b, &arena, X509_PEM_SIZE_MAX);
    x509_cert_print(cert, &b);
    return buf_str(&b);
}

/* What was read is written and read again: the same. */
static void cert_survives(const struct x509_cert *cert)
{
    CLEANUP(x509_cert_unrefp) struct x509_cert *again = NULL;
    CHECK_OK(x509_cert_parse(pem_of(cert), &again, &e));
    const struct x509_cert_info *x = x509_cert_info(cert), *y = x509_cert_info(again);
    CHECK_STR(y->der, x->der);
    CHECK_STR(y->subject_text, x->subject_text);
    CHECK_EQ(y->usages, x->usages);
    CHECK_EQ(y->names.dns_count, x->names.dns_count);
}

/* A host it is said to be for is one of its names, and no name has bytes that a log or a C string would stumble on. */
static void names_are_sound(const struct x509_cert *cert)
{
    const struct x509_names *n = &x509_cert_info(cert)->names;
    for (size_t i = 0; i < n->dns_count; i++)
        for (size_t k = 0; k < n->dns[i].n; k++)
            CHECK(n->dns[i].p[k] >= 0x20 && n->dns[i].p[k] < 0x7f);
    struct err err = ERR_INIT;
    if (x509_cert_check_host(cert, S("a.example.com"), &err) == ERR_NONE)
        CHECK_GT(n->dns_count, 0);
    CHECK_EQ(str_index_c(x509_cert_info(cert)->subject.common_name, '\0'), SIZE_MAX);
}

FUZZ(x509)
{
    arena_init(&arena, 0);
    struct err err = ERR_INIT;
    CLEANUP(x509_cert_unrefp) struct x509_cert *cert = NULL;
    if (x509_cert_parse_der(str_of((const char *)data, size), &cert, &err) == ERR_NONE) {
        cert_survives(cert);
        names_are_sound(cert);
        CLEANUP(x509_pool_unrefp) struct x509_pool *pool = NULL;
        CHECK_OK(x509_pool_new_of(&cert, 1, &pool, &e));
        struct x509_verify_opts opts = {.now_s = NOW, .usage = X509_USAGE_CLIENT_AUTH, .host = S("10.0.0.1")};
        err_ignore(x509_verify(pool, (const struct x509_cert *const[]){cert}, 1, &opts, &err));
        CLEANUP(x509_key_unrefp) struct x509_key *key = NULL;
        if (x509_cert_key(cert, &key, &err) == ERR_NONE)
            CHECK(x509_cert_fits_key(cert, key));
    }
    arena_done(&arena);
}

FUZZ(pem)
{
    arena_init(&arena, 0);
    str pem = str_of((const char *)data, size);
    struct err err = ERR_INIT;
    struct x509_cert **certs;
    struct x509_key **keys;
    size_t count;
    if (x509_cert_parse_bundle(&arena, pem, &certs, &count, &err) == ERR_NONE)
        for (size_t i = 0; i < count; i++)
            cert_survives(certs[i]);
    if (x509_key_parse_public(&arena, pem, &keys, &count, &err) == ERR_NONE)
        for (size_t i = 0; i < count; i++)
            CHECK(!x509_key_is_private(keys[i]));
    CLEANUP(x509_key_unrefp) struct x509_key *key = NULL, *again = NULL;
    if (x509_key_parse(pem, &key, &err) == ERR_NONE) {
        struct buf b;
        buf_init_arena(&b, &arena, X509_PEM_SIZE_MAX);
        CHECK_OK(x509_key_print(key, X509_PKCS8, &b, &e));
        CHECK_OK(x509_key_parse(buf_str(&b), &again, &e));
        CHECK(x509_key_eq(key, again));
    }
    arena_done(&arena);
}

/* Signs with a CA made for this one input: what is signed is what was asked for. */
static void csr_signs(const struct x509_csr *csr)
{
    struct pki ca;
    pki_init(&ca, "ca", NOW);
    struct x509_grant grant = {
        .usages = X509_USAGE_CLIENT_AUTH, .not_before_s = NOW, .not_after_s = NOW + 60};
    CLEANUP(x509_cert_unrefp) struct x509_cert *cert = NULL;
    struct err err = ERR_INIT;
    /* Names that we read but would not write (spaces) stop it here. */
    if (x509_csr_sign(csr, &grant, &(struct x509_issuer){ca.cert, ca.key}, &cert, &err) == ERR_NONE) {
        const struct x509_cert_info *i = x509_cert_info(cert);
        CHECK(!i->is_ca);
        CHECK_EQ(i->usages, X509_USAGE_CLIENT_AUTH);
        CHECK_STR(i->subject_text, csr->subject_text);
        CHECK_EQ(i->names.dns_count, csr->names.dns_count);
        CHECK_EQ(i->names.ip_count, csr->names.ip_count);
        CHECK(x509_cert_fits_key(cert, csr->key));
    }
    pki_done(&ca);
}

FUZZ(csr)
{
    arena_init(&arena, 0);
    struct err err = ERR_INIT;
    struct x509_csr *csr;
    if (x509_csr_parse(&arena, str_of((const char *)data, size), &csr, &err) == ERR_NONE)
        csr_signs(csr);
    arena_done(&arena);
}
