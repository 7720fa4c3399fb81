/* tls_priv.h - what tls_config.c and tls_stream.c share. */
#ifndef SYS_TLS_PRIV_H
#define SYS_TLS_PRIV_H

#include "sys/tls.h"
#include "sys/x509_priv.h"
#include <openssl/ssl.h>
#include <pthread.h>

struct tls_own_identity {
    struct x509_cert *leaf;
    STACK_OF(X509) * chain; /* without the leaf */
    struct x509_key *key;
};

struct ticket_key {
    unsigned char name[16], aes[32], hmac[32];
    int64_t made_at_ns; /* monotonic */
    bool made;
};

struct tls_config {
    _Atomic unsigned refs;
    bool is_server;
    bool insecure;
    enum tls_client_auth client_auth;
    SSL_CTX *ctx;
    BIO_METHOD *bio;
    struct x509_pool *pool; /* whom we trust; NULL: nobody is asked */
    struct tls_own_identity *identities;
    size_t identity_count;
    struct buf alpn; /* as on the wire: a byte of length before each name */
    struct buf plain_http_answer;
    /* What is not frozen: the keys of tickets, newest first. The lock guards them, and is held for a copy only. */
    pthread_mutex_t ticket_lock;
    struct ticket_key ticket_keys[2];
};

/* --- by tls_stream.c, for the callbacks of a configuration --- */

/* How the SSL of one of our streams reads and writes. */
BIO_METHOD *tls_bio_method_new(void);
struct loop *tls_loop_of(const SSL *ssl);
/* OpenSSL asks whether the other side's certificate will do. */
int tls_verify(X509_STORE_CTX *store, void *config);

#endif
