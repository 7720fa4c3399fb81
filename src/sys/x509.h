/* x509.h - keys, certificates, signing requests, and the question whether a chain of certificates is to be trusted.
 * Keys, certificates and pools are counted objects, frozen once made: share them between threads, keep them with ref,
 * let them go with unref. A signing request lives in an arena.
 * Nothing here asks the clock or draws serials: times and serial numbers are the caller's (seconds since 1970; 16 random
 * bytes). Keys and signatures are random from within OpenSSL, so two runs never give the same bytes.
 * Input is hostile: PEM text is at most X509_PEM_SIZE_MAX bytes, a certificate X509_DER_SIZE_MAX, a bundle
 * X509_BUNDLE_COUNT_MAX certificates, a certificate X509_NAME_COUNT_MAX names; RSA keys have 2048 to 8192 bits.
 * Errors: SYNTAX (not PEM, not DER, not what it should be), TOO_LARGE, UNSUPPORTED (kinds of keys we do not use),
 * INVALID (well formed, but does not fit what was asked), UNAUTHORIZED (verification says no). */
#ifndef SYS_X509_H
#define SYS_X509_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"

#define X509_PEM_SIZE_MAX     (1024 * 1024)
#define X509_DER_SIZE_MAX     (64 * 1024)
#define X509_BUNDLE_COUNT_MAX 1000
#define X509_NAME_COUNT_MAX   1000

/* --- keys: a pair, or the public half alone --- */
struct x509_key;

enum x509_key_kind { X509_KEY_P256, X509_KEY_P384, X509_KEY_P521, X509_KEY_RSA, X509_KEY_ED25519 };

/* X509_KEY_RSA: 2048 bits, and some 100 ms of work: not on a loop. The others: under 0.1 ms. */
err_code x509_key_generate(enum x509_key_kind kind, struct x509_key **ret, struct err *err);
/* The first private key in PEM text: PKCS#8, SEC1 ("EC PRIVATE KEY", with or without a block of parameters before it) or
 * PKCS#1 ("RSA PRIVATE KEY"). Encrypted ones are refused. Other blocks before it (certificates) are passed over. */
err_code x509_key_parse(str pem, struct x509_key **ret, struct err *err);
/* Every key of the text, in the arena, held by it: public keys ("PUBLIC KEY", "RSA PUBLIC KEY"), the public halves of
 * private keys and of certificates. At least one, or an error: what --service-account-key-file accepts. */
err_code x509_key_parse_public(struct arena *a, str pem, struct x509_key ***ret, size_t *ret_count,
                               struct err *err);
struct x509_key *x509_key_ref(struct x509_key *key);
struct x509_key *x509_key_unref(struct x509_key *key); /* returns NULL */
void x509_key_unrefp(struct x509_key **key);           /* for CLEANUP */

enum x509_key_kind x509_key_kind(const struct x509_key *key);
bool x509_key_is_private(const struct x509_key *key);
/* The same public half. */
bool x509_key_eq(const struct x509_key *x, const struct x509_key *y);
/* SHA-256 of the DER of the public half (SubjectPublicKeyInfo). */
const uint8_t *x509_key_fingerprint(const struct x509_key *key);

enum x509_key_format {
    X509_PKCS8,       /* "PRIVATE KEY": any kind */
    X509_TRADITIONAL, /* "EC PRIVATE KEY" or "RSA PRIVATE KEY", as kubeadm writes; ERR_UNSUPPORTED for Ed25519 */
    X509_PUBLIC,      /* "PUBLIC KEY" */
};
/* Adds PEM text. ERR_INVALID: a private format of a public key. The bytes are as secret as the key. */
err_code x509_key_print(const struct x509_key *key, enum x509_key_format format, struct buf *ret,
                        struct err *err);

/* --- what certificates say --- */
enum x509_usage_bit {
#define X509_USAGE(name, word, key_usage_bit, nid) X509_USAGE_BIT_##name,
#include "sys/x509_usages.def"
#undef X509_USAGE
    X509_USAGE_COUNT_,
};
enum x509_usage {
#define X509_USAGE(name, word, key_usage_bit, nid) X509_USAGE_##name = 1 << X509_USAGE_BIT_##name,
#include "sys/x509_usages.def"
#undef X509_USAGE
};
/* Usual sets. */
#define X509_FOR_CA \
    (X509_USAGE_DIGITAL_SIGNATURE | X509_USAGE_KEY_ENCIPHERMENT | X509_USAGE_CERT_SIGN | X509_USAGE_CRL_SIGN)
#define X509_FOR_SERVER (X509_USAGE_DIGITAL_SIGNATURE | X509_USAGE_KEY_ENCIPHERMENT | X509_USAGE_SERVER_AUTH)
#define X509_FOR_CLIENT (X509_USAGE_DIGITAL_SIGNATURE | X509_USAGE_KEY_ENCIPHERMENT | X509_USAGE_CLIENT_AUTH)

/* "client auth" gives X509_USAGE_CLIENT_AUTH; 0: not a usage. "signing" and "s/mime" are second names. */
unsigned x509_usage_parse(str word);
/* Of one bit. */
str x509_usage_name(enum x509_usage usage);

/* Whom a certificate names. */
struct x509_subject {
    str common_name; /* a user; the last, where there are several */
    const str *organizations;
    size_t organization_count; /* groups */
};
struct x509_names {
    const str *dns;
    size_t dns_count;
    const struct ip *ips;
    size_t ip_count;
    const str *emails;
    size_t email_count;
    const str *uris;
    size_t uri_count;
};

/* --- certificates --- */
struct x509_cert;

/* Borrowed from the certificate, as is all that it points to. */
struct x509_cert_info {
    str der;
    str subject_text, issuer_text; /* "O=system:masters, CN=admin", for people */
    struct x509_subject subject;
    struct x509_names names;
    int64_t not_before_s, not_after_s;
    str serial; /* big endian, no leading zeros */
    bool is_ca;
    unsigned usages;             /* of enum x509_usage */
    bool has_key_usages;         /* false: the certificate does not limit the first nine */
    bool has_extended_usages;    /* false: nor the rest. True with none set: only usages we do not know. */
    uint8_t fingerprint[32];     /* SHA-256 of the DER */
    uint8_t key_fingerprint[32]; /* as x509_key_fingerprint */
};

err_code x509_cert_parse_der(str der, struct x509_cert **ret, struct err *err);
/* The first certificate of PEM text. */
err_code x509_cert_parse(str pem, struct x509_cert **ret, struct err *err);
/* Every certificate of a bundle, in order (leaf first in a chain file), in the arena and held by it; other blocks are
 * passed over. At least one, or an error. */
err_code x509_cert_parse_bundle(struct arena *a, str pem, struct x509_cert ***ret, size_t *ret_count,
                                struct err *err);
struct x509_cert *x509_cert_ref(struct x509_cert *cert);
struct x509_cert *x509_cert_unref(struct x509_cert *cert); /* returns NULL */
void x509_cert_unrefp(struct x509_cert **cert);            /* for CLEANUP */
const struct x509_cert_info *x509_cert_info(const struct x509_cert *cert);
/* The public half, referenced for the caller. ERR_UNSUPPORTED: a kind of key we do not use. */
err_code x509_cert_key(const struct x509_cert *cert, struct x509_key **ret, struct err *err);
bool x509_cert_fits_key(const struct x509_cert *cert, const struct x509_key *key);
/* Adds "-----BEGIN CERTIFICATE-----" and so on. */
void x509_cert_print(const struct x509_cert *cert, struct buf *ret);
/* "sha256:..." of the public key, as in kubeadm's --discovery-token-ca-cert-hash. */
#define X509_PIN_SIZE 72
void x509_cert_pin(const struct x509_cert *cert, char ret[X509_PIN_SIZE]);

/* --- issuing --- */
struct x509_template {
    struct x509_subject subject;
    struct x509_names names;
    unsigned usages;
    bool is_ca;
    int64_t not_before_s, not_after_s;
    uint8_t serial[16]; /* random; made positive and not zero */
};
/* Who signs. */
struct x509_issuer {
    const struct x509_cert *cert;
    const struct x509_key *key;
};
/* A certificate for the public half of `key`. `issuer` NULL: signed by `key` itself (a CA's own). The issuer must be a
 * CA and fit its key, and the certificate must not outlive it: ERR_INVALID. */
err_code x509_issue(const struct x509_template *t, const struct x509_key *key,
                    const struct x509_issuer *issuer, struct x509_cert **ret, struct err *err);

/* --- signing requests --- */
struct x509_csr {
    struct x509_subject subject;
    str subject_text;
    struct x509_names names;
    unsigned usages; /* asked for; a signer decides */
    bool is_ca;      /* asked for */
    struct x509_key *key;
    void *impl;
};
/* PEM of a request by the holder of `key`, added to `ret`. Of the template, serial and times are not used. */
err_code x509_csr_new(const struct x509_template *t, const struct x509_key *key, struct buf *ret,
                      struct err *err);
/* PEM text of one block "CERTIFICATE REQUEST". The signature is checked: who made the request holds the key, else
 * ERR_INVALID. */
err_code x509_csr_parse(struct arena *a, str pem, struct x509_csr **ret, struct err *err);
struct x509_grant {
    unsigned usages;
    int64_t not_before_s, not_after_s; /* not_after_s is cut to the issuer's */
    uint8_t serial[16];
};
/* Fills in both times as the original's signers have them: begun 5 minutes ago, for clocks that differ, and for `ttl_s`
 * at most, of which the 5 minutes are a part unless it is under 8 hours. `expiration_s`, the request's
 * expirationSeconds, shortens that, to 10 minutes at least; 0: not asked for. */
void x509_grant_period(struct x509_grant *g, int64_t now_s, int64_t ttl_s, int32_t expiration_s);
/* Subject, names and key of the request, as they are; usages and times as granted; never a CA. ERR_INVALID: the issuer
 * ends before the certificate would begin, or is none. */
err_code x509_csr_sign(const struct x509_csr *csr, const struct x509_grant *grant,
                       const struct x509_issuer *issuer, struct x509_cert **ret, struct err *err);

/* --- trust --- */
struct x509_pool;

/* Each certificate of the bundle is trusted as it stands, self-signed or not. */
err_code x509_pool_new(str pem, struct x509_pool **ret, struct err *err);
err_code x509_pool_new_of(struct x509_cert *const *certs, size_t count, struct x509_pool **ret,
                          struct err *err);
/* The machine's own list of authorities, read from its files. Blocks. */
err_code x509_pool_new_system(struct x509_pool **ret, struct err *err);
struct x509_pool *x509_pool_ref(struct x509_pool *pool);
struct x509_pool *x509_pool_unref(struct x509_pool *pool); /* returns NULL */
void x509_pool_unrefp(struct x509_pool **pool);            /* for CLEANUP */

struct x509_verify_opts {
    int64_t now_s;
    /* One usage of enum x509_usage that every certificate of the chain must allow (by allowing it, "any", or by not
     * limiting extended usages at all); 0: do not ask. */
    unsigned usage;
    str host; /* a DNS name or an IP address the first certificate must be for; empty: do not ask */
};
/* Whether the first certificate is to be trusted; the others (at most 10) may be needed to reach the pool. ERR_UNAUTHORIZED with
 * the reason in words. Some 0.2 ms. */
err_code x509_verify(const struct x509_pool *pool, const struct x509_cert *const *chain, size_t count,
                     const struct x509_verify_opts *opts, struct err *err);
/* The names alone: "certificate is valid for a, b, 10.0.0.1, not c". Common names do not count. */
err_code x509_cert_check_host(const struct x509_cert *cert, str host, struct err *err);

#endif
