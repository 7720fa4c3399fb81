/* x509_priv.h - what the x509 files, jwt and tls share: the objects' insides, PEM blocks. */
#ifndef SYS_X509_PRIV_H
#define SYS_X509_PRIV_H

#include "sys/ossl_priv.h"
#include "sys/x509.h"
#include <stdatomic.h>

struct x509_key {
    _Atomic unsigned refs;
    enum x509_key_kind kind;
    bool is_private;
    uint8_t fingerprint[32];
    EVP_PKEY *pkey;
};

struct x509_cert {
    _Atomic unsigned refs;
    X509 *x;
    struct arena arena;
    struct x509_cert_info info;
};

struct x509_pool {
    _Atomic unsigned refs;
    X509_STORE *store;
    STACK_OF(X509_NAME) * subjects;
};

/* Counting references: a new object has one. True: that was the last. */
static inline void refs_take(_Atomic unsigned *refs)
{
    unsigned before = atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
    ASSERT(before > 0 && before < UINT32_MAX / 2);
}
static inline bool refs_drop(_Atomic unsigned *refs)
{
    unsigned before = atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    return before == 1;
}

/* One block of PEM text. `der` is heap memory of its own, wiped by pem_block_done. */
struct pem_block {
    str label; /* "CERTIFICATE", in the text */
    bool encrypted;
    struct buf der;
};
void pem_block_done(struct pem_block *b);
/* Takes the next block off *rest. *ret_found false: there is none. Text between blocks is passed over. *ret is to be
 * done with in every case, an error too.
 * SYNTAX: a block that begins and does not end, or is not base64. TOO_LARGE: the text is. */
err_code pem_next(str *rest, struct pem_block *ret, bool *ret_found, struct err *err);

/* Takes over the reference to `pkey`, also when it fails. */
err_code x509_key_wrap(EVP_PKEY *pkey, bool is_private, struct x509_key **ret, struct err *err);
/* The digest its signatures are made with; NULL for kinds that have their own. */
const EVP_MD *x509_key_digest(const struct x509_key *key);
/* Takes over the reference to `x`, also when it fails. */
err_code x509_cert_wrap(X509 *x, struct x509_cert **ret, struct err *err);

/* Reading what certificates and requests have in common; results in the arena. */
err_code x509_subject_read(struct arena *a, const X509_NAME *name, struct x509_subject *ret, str *ret_text,
                           struct err *err);
err_code x509_names_read(struct arena *a, const GENERAL_NAMES *from, struct x509_names *ret, struct err *err);
/* "O=system:masters,CN=admin" (RFC 2253), control characters escaped. */
str x509_name_text(struct arena *a, const X509_NAME *name);
/* What an extension gave, when it gave NULL: fine when it is not there (`found` -1), else an error: malformed, or there
 * twice (which one would count?). */
err_code x509_extension_check(const void *got, int found, int nid, struct err *err);

extern const struct x509_usage_info {
    str word;
    int key_usage_bit; /* -1: none */
    int nid;           /* 0: none */
} x509_usages[X509_USAGE_COUNT_];
unsigned x509_key_usages_read(uint32_t ku);
unsigned x509_extended_usages_read(const EXTENDED_KEY_USAGE *eku);

err_code x509_verify_ossl(const struct x509_pool *pool, X509 *leaf, STACK_OF(X509) * others,
                          const struct x509_verify_opts *opts, struct err *err);
/* "2026-01-31T00:00:00Z" */
#define TIME_TEXT_SIZE 32
void time_text(int64_t seconds, char ret[TIME_TEXT_SIZE]);

#endif
