/* ossl_priv.h - what the files that call OpenSSL share: its error queue turned into one sentence, scope clean-up.
 * Rule of the house: whoever calls OpenSSL and fails reads the queue through here, which always leaves it empty; nobody
 * leaves an error behind for the next caller on the thread.
 * OpenSSL's own randomness (keys, nonces, handshakes) and its allocations stay inside it: TLS and certificates end at
 * the border of the system, the simulator runs plain streams. It never reads the clock for us: times are passed in. */
#ifndef SYS_OSSL_PRIV_H
#define SYS_OSSL_PRIV_H

#include "base/err.h"
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Sets the error: "text: why", where why is the oldest entry of OpenSSL's queue (the root cause) in its words, lower
 * case first. With an empty queue only the text. The queue is empty afterwards. */
err_code ossl_err(struct err *err, err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Forgets what a failure we expected has queued. */
void ossl_clear(void);

/* What OpenSSL cannot refuse but for want of memory: ends the process then, as mem.h does. */
#define OSSL_MUST(x)                             \
    ({                                           \
        __typeof__(x) got_ = (x);                \
        if (UNLIKELY(!got_))                     \
            ossl_failed(__FILE__, __LINE__, #x); \
        got_;                                    \
    })
NORETURN COLD void ossl_failed(const char *file, int line, const char *what);

#define OSSL_CLEANUP(type, name)                \
    static inline void name##_cleanup(type **p) \
    {                                           \
        name(*p);                               \
    }
OSSL_CLEANUP(BIO, BIO_free)
OSSL_CLEANUP(BIGNUM, BN_free)
OSSL_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)
OSSL_CLEANUP(EVP_PKEY, EVP_PKEY_free)
OSSL_CLEANUP(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
OSSL_CLEANUP(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
OSSL_CLEANUP(ECDSA_SIG, ECDSA_SIG_free)
OSSL_CLEANUP(X509, X509_free)
OSSL_CLEANUP(X509_REQ, X509_REQ_free)
OSSL_CLEANUP(X509_NAME, X509_NAME_free)
OSSL_CLEANUP(GENERAL_NAMES, GENERAL_NAMES_free)
OSSL_CLEANUP(X509_STORE_CTX, X509_STORE_CTX_free)
#undef OSSL_CLEANUP

/* What was written to a memory BIO, borrowed from it. */
static inline str ossl_bio_str(BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    return str_of(p, n > 0 ? (size_t)n : 0);
}

/* Bytes that OpenSSL allocated. */
static inline void ossl_bytes_cleanup(unsigned char **p)
{
    OPENSSL_free(*p);
}

#endif
