/* x509_key.c - keys: made, read from PEM in every form they come in, written. */
#include "base/mem.h"
#include "sys/digest.h"
#include "sys/x509_priv.h"
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192 };

static const struct {
    const char *group; /* OpenSSL's name */
    const char *other; /* and its other one */
    enum x509_key_kind kind;
} curves[] = {
    {"prime256v1", "P-256", X509_KEY_P256},
    {"secp384r1", "P-384", X509_KEY_P384},
    {"secp521r1", "P-521", X509_KEY_P521},
};

static err_code ec_kind(EVP_PKEY *pkey, enum x509_key_kind *ret, struct err *err)
{
    /* A curve given by its parameters may be one that only looks like a good one. */
    int is_explicit = 0;
    if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) != 1 ||
        is_explicit) {
        ossl_clear();
        return err_set(err, ERR_UNSUPPORTED, "EC key states its curve by parameters, not by name");
    }
    char group[64] = "";
    size_t n;
    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, &n) == 1)
        for (size_t i = 0; i < ARRAY_COUNT(curves); i++)
            if (strcmp(group, curves[i].group) == 0 || strcmp(group, curves[i].other) == 0) {
                *ret = curves[i].kind;
                return ERR_NONE;
            }
    ossl_clear();
    return err_set(err, ERR_UNSUPPORTED, "EC key is on curve '%s', we use P-256, P-384 and P-521", group);
}

static err_code kind_of(EVP_PKEY *pkey, enum x509_key_kind *ret, struct err *err)
{
    int bits = EVP_PKEY_get_bits(pkey);
    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
        if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
            return err_set(err, ERR_UNSUPPORTED, "RSA key has %d bits, we use %d to %d", bits, RSA_BITS_MIN,
                           RSA_BITS_MAX);
        *ret = X509_KEY_RSA;
        return ERR_NONE;
    case EVP_PKEY_EC: return ec_kind(pkey, ret, err);
    case EVP_PKEY_ED25519: *ret = X509_KEY_ED25519; return ERR_NONE;
    default: {
        const char *name = EVP_PKEY_get0_type_name(pkey);
        return err_set(err, ERR_UNSUPPORTED, "key is of kind '%s', we use ECDSA, RSA and Ed25519",
                       name ? name : "unknown");
    }
    }
}

/* Its halves belong together. */
static err_code pair_check(EVP_PKEY *pkey, struct err *err)
{
    CLEANUP(EVP_PKEY_CTX_free_cleanup)
    EVP_PKEY_CTX *ctx = OSSL_MUST(EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL));
    if (EVP_PKEY_pairwise_check(ctx) != 1)
        return ossl_err(err, ERR_INVALID, "private key does not fit its public half");
    return ERR_NONE;
}

err_code x509_key_wrap(EVP_PKEY *pkey_taken, bool is_private, struct x509_key **ret, struct err *err)
{
    CLEANUP(EVP_PKEY_free_cleanup) EVP_PKEY *pkey = pkey_taken;
    enum x509_key_kind kind = X509_KEY_P256;
    if (kind_of(pkey, &kind, err) || (is_private && pair_check(pkey, err)))
        return err->code;
    CLEANUP(ossl_bytes_cleanup) unsigned char *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);
    if (n <= 0)
        return ossl_err(err, ERR_INVALID, "could not encode the public half of a key");
    struct x509_key *key = NEW(struct x509_key);
    *key = (struct x509_key){.refs = 1, .kind = kind, .is_private = is_private};
    digest_sha256(str_of((const char *)der, (size_t)n), key->fingerprint);
    key->pkey = TAKE(pkey);
    *ret = key;
    return ERR_NONE;
}

err_code x509_key_generate(enum x509_key_kind kind, struct x509_key **ret, struct err *err)
{
    EVP_PKEY *pkey = NULL;
    switch (kind) {
    case X509_KEY_P256: pkey = EVP_EC_gen("P-256"); break;
    case X509_KEY_P384: pkey = EVP_EC_gen("P-384"); break;
    case X509_KEY_P521: pkey = EVP_EC_gen("P-521"); break;
    case X509_KEY_RSA: pkey = EVP_RSA_gen(RSA_BITS_MIN); break;
    case X509_KEY_ED25519: pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
    }
    if (!pkey)
        return ossl_err(err, ERR_INTERNAL, "could not make a key");
    return x509_key_wrap(pkey, true, ret, err);
}

/* Private keys as they stand in a block; *ret NULL without an error: this is not a private key. */
static err_code private_of_block(const struct pem_block *b, EVP_PKEY **ret, struct err *err)
{
    *ret = NULL;
    bool is_pkcs8 = str_is(b->label, "PRIVATE KEY"), is_ec = str_is(b->label, "EC PRIVATE KEY");
    if (b->encrypted || str_is(b->label, "ENCRYPTED PRIVATE KEY"))
        return err_set(err, ERR_UNSUPPORTED, "private key is encrypted: we cannot ask for its password");
    if (!is_pkcs8 && !is_ec && !str_is(b->label, "RSA PRIVATE KEY"))
        return ERR_NONE;
    const unsigned char *p = (const unsigned char *)b->der.p, *end = p + b->der.n;
    EVP_PKEY *pkey = NULL;
    if (is_pkcs8) {
        PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, end - p);
        pkey = info ? EVP_PKCS82PKEY(info) : NULL;
        PKCS8_PRIV_KEY_INFO_free(info);
    } else {
        pkey = d2i_PrivateKey(is_ec ? EVP_PKEY_EC : EVP_PKEY_RSA, NULL, &p, end - p);
    }
    if (!pkey)
        return ossl_err(err, ERR_SYNTAX, "could not read PEM block '%" STR_FMT "'", STR_ARG(b->label));
    ossl_clear(); /* the decoders it tried before the right one have left their complaints */
    if (p != end) {
        EVP_PKEY_free(pkey);
        return err_set(err, ERR_SYNTAX, "%zu bytes too many in PEM block '%" STR_FMT "'", (size_t)(end - p),
                       STR_ARG(b->label));
    }
    *ret = pkey;
    return ERR_NONE;
}

err_code x509_key_parse(str pem, struct x509_key **ret, struct err *err)
{
    for (;;) {
        CLEANUP(pem_block_done) struct pem_block b;
        bool found;
        EVP_PKEY *pkey;
        if (pem_next(&pem, &b, &found, err) || (found && private_of_block(&b, &pkey, err)))
            return err->code;
        if (!found)
            return err_set(err, ERR_SYNTAX, "there is no private key in the PEM text");
        if (pkey)
            return x509_key_wrap(pkey, true, ret, err);
    }
}

/* The public half of whatever the block holds; NULL without an error: nothing with a key. */
static err_code public_of_block(const struct pem_block *b, struct x509_key **ret, struct err *err)
{
    *ret = NULL;
    const unsigned char *p = (const unsigned char *)b->der.p, *end = p + b->der.n;
    if (str_is(b->label, "CERTIFICATE")) {
        CLEANUP(x509_cert_unrefp) struct x509_cert *cert = NULL;
        if (x509_cert_parse_der(buf_str(&b->der), &cert, err))
            return err->code;
        return x509_cert_key(cert, ret, err);
    }
    EVP_PKEY *pkey = NULL;
    bool is_public = str_is(b->label, "PUBLIC KEY") || str_is(b->label, "RSA PUBLIC KEY");
    if (is_public) {
        pkey = str_is(b->label, "PUBLIC KEY") ? d2i_PUBKEY(NULL, &p, end - p)
                                              : d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, end - p);
        if (!pkey)
            return ossl_err(err, ERR_SYNTAX, "could not read PEM block '%" STR_FMT "'", STR_ARG(b->label));
        ossl_clear();
        if (p != end) {
            EVP_PKEY_free(pkey);
            return err_set(err, ERR_SYNTAX, "%zu bytes too many in PEM block '%" STR_FMT "'",
                           (size_t)(end - p), STR_ARG(b->label));
        }
        return x509_key_wrap(pkey, false, ret, err);
    }
    if (private_of_block(b, &pkey, err))
        return err->code;
    if (!pkey)
        return ERR_NONE;
    CLEANUP(x509_key_unrefp) struct x509_key *pair = NULL;
    if (x509_key_wrap(pkey, true, &pair, err))
        return err->code;
    /* Once more from its public bytes, so that the private half does not stay in memory with it. */
    CLEANUP(ossl_bytes_cleanup) unsigned char *der = NULL;
    int n = i2d_PUBKEY(pair->pkey, &der);
    const unsigned char *at = der;
    EVP_PKEY *half = n > 0 ? d2i_PUBKEY(NULL, &at, n) : NULL;
    if (!half)
        return ossl_err(err, ERR_INVALID, "could not take the public half of a private key");
    return x509_key_wrap(half, false, ret, err);
}

static void key_release(void *key)
{
    x509_key_unref(key);
}

err_code x509_key_parse_public(struct arena *a, str pem, struct x509_key ***ret, size_t *ret_count,
                               struct err *err)
{
    struct x509_key **keys = NULL;
    size_t count = 0;
    for (;;) {
        CLEANUP(pem_block_done) struct pem_block b;
        bool found;
        struct x509_key *key;
        if (pem_next(&pem, &b, &found, err) || (found && public_of_block(&b, &key, err)))
            return err->code;
        if (!found)
            break;
        if (!key)
            continue;
        arena_hold(a, key_release, key);
        if (count == X509_BUNDLE_COUNT_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d keys in one PEM text", X509_BUNDLE_COUNT_MAX);
        keys = arena_grow(a, keys, count * sizeof(struct x509_key *), (count + 1) * sizeof(struct x509_key *),
                          _Alignof(struct x509_key *));
        keys[count++] = key;
    }
    if (!count)
        return err_set(err, ERR_SYNTAX, "there is no key in the PEM text");
    *ret = keys;
    *ret_count = count;
    return ERR_NONE;
}

struct x509_key *x509_key_ref(struct x509_key *key)
{
    refs_take(&key->refs);
    return key;
}

struct x509_key *x509_key_unref(struct x509_key *key)
{
    if (key && refs_drop(&key->refs)) {
        EVP_PKEY_free(key->pkey); /* wipes what is private */
        mem_free(key);
    }
    return NULL;
}

void x509_key_unrefp(struct x509_key **key)
{
    *key = x509_key_unref(*key);
}

enum x509_key_kind x509_key_kind(const struct x509_key *key)
{
    return key->kind;
}

bool x509_key_is_private(const struct x509_key *key)
{
    return key->is_private;
}

bool x509_key_eq(const struct x509_key *x, const struct x509_key *y)
{
    return memcmp(x->fingerprint, y->fingerprint, sizeof x->fingerprint) == 0;
}

const uint8_t *x509_key_fingerprint(const struct x509_key *key)
{
    return key->fingerprint;
}

const EVP_MD *x509_key_digest(const struct x509_key *key)
{
    switch (key->kind) {
    case X509_KEY_P256:
    case X509_KEY_RSA: return EVP_sha256();
    case X509_KEY_P384: return EVP_sha384();
    case X509_KEY_P521: return EVP_sha512();
    case X509_KEY_ED25519: return NULL;
    }
    return NULL;
}

err_code x509_key_print(const struct x509_key *key, enum x509_key_format format, struct buf *ret,
                        struct err *err)
{
    if (format != X509_PUBLIC && !key->is_private)
        return err_set(err, ERR_INVALID, "there is no private half in this key to be written");
    CLEANUP(BIO_free_cleanup) BIO *bio = OSSL_MUST(BIO_new(BIO_s_mem()));
    int ok = 0;
    switch (format) {
    case X509_PUBLIC: ok = PEM_write_bio_PUBKEY(bio, key->pkey); break;
    case X509_PKCS8: ok = PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL); break;
    case X509_TRADITIONAL:
        if (key->kind == X509_KEY_ED25519)
            return err_set(err, ERR_UNSUPPORTED, "Ed25519 keys have no form but PKCS#8");
        ok = PEM_write_bio_PrivateKey_traditional(bio, key->pkey, NULL, NULL, 0, NULL, NULL);
        break;
    }
    if (ok != 1)
        return ossl_err(err, ERR_INTERNAL, "could not write a key as PEM");
    buf_add(ret, ossl_bio_str(bio));
    return buf_check(ret, err); /* BIO_free wipes its copy */
}
