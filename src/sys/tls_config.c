/* tls_config.c - who we are and whom we trust, as OpenSSL wants it; the slot that holds the configuration in force. */
#include "base/mem.h"
#include "base/secret.h"
#include "sys/tls_priv.h"
#include <openssl/core_names.h>

#define TICKET_KEY_LIFE_NS (12 * 3600 * NS_PER_S)
#define TICKET_LIFE_S      (12 * 3600L)

enum {
    CERT_LIST_SIZE_MAX = 64 * 1024, /* of what the other side shows */
    ANSWER_SIZE_MAX = 1000,
    SECURITY_LEVEL = 2, /* 112 bits */
};

/* Both orders are Go's: what is fast in hardware first. */
static const char ciphers_12[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char ciphers_13[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};

/* --- what both sides have --- */

static err_code context_new(struct tls_config *c, struct err *err)
{
    c->bio = tls_bio_method_new();
    c->ctx = SSL_CTX_new(c->is_server ? TLS_server_method() : TLS_client_method());
    if (!c->ctx || SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(c->ctx, ciphers_12) != 1 ||
        SSL_CTX_set_ciphersuites(c->ctx, ciphers_13) != 1 ||
        SSL_CTX_set1_groups(c->ctx, (int *)(uintptr_t)groups, ARRAY_COUNT(groups)) != 1)
        return ossl_err(err, ERR_INTERNAL, "could not set up TLS");
    SSL_CTX_set_security_level(c->ctx, SECURITY_LEVEL);
    SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c->ctx, 0);
    SSL_CTX_set_max_cert_list(c->ctx, CERT_LIST_SIZE_MAX);
    /* Buffers of 17 KB exist while something is under way; what is read ahead saves a system call per record. Retrying
     * is ours: one read of a caller must not go on for as long as the other side sends records without content. */
    SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_clear_mode(c->ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(c->ctx, 1);
    return ERR_NONE;
}

static err_code identity_add(struct tls_config *c, const struct tls_identity *id, struct err *err)
{
    if (!id->chain_count || id->chain_count > TLS_CHAIN_MAX)
        return err_set(err, ERR_INVALID, "an identity has 1 to %d certificates, not %zu", TLS_CHAIN_MAX,
                       id->chain_count);
    str subject = x509_cert_info(id->chain[0])->subject_text;
    if (!id->key->is_private || !x509_cert_fits_key(id->chain[0], id->key))
        return err_set(err, ERR_INVALID, "key does not fit certificate '%" STR_FMT "'", STR_ARG(subject));
    struct tls_own_identity *own = &c->identities[c->identity_count++];
    own->leaf = x509_cert_ref(id->chain[0]);
    own->key = x509_key_ref(id->key);
    own->chain = OSSL_MUST(sk_X509_new_null());
    for (size_t i = 1; i < id->chain_count; i++) {
        OSSL_MUST(X509_up_ref(id->chain[i]->x));
        OSSL_MUST(sk_X509_push(own->chain, id->chain[i]->x));
    }
    /* The first is the context's own. The others are tried on, so that what is too weak is found now and not in a
     * handshake. */
    SSL *trial = c->identity_count > 1 ? OSSL_MUST(SSL_new(c->ctx)) : NULL;
    int ok = trial ? SSL_use_cert_and_key(trial, own->leaf->x, own->key->pkey, own->chain, 1)
                   : SSL_CTX_use_cert_and_key(c->ctx, own->leaf->x, own->key->pkey, own->chain, 1);
    SSL_free(trial);
    if (ok != 1)
        return ossl_err(err, ERR_INVALID, "could not use certificate '%" STR_FMT "'", STR_ARG(subject));
    return ERR_NONE;
}

static err_code identities_add(struct tls_config *c, const struct tls_identity *ids, size_t count,
                               struct err *err)
{
    c->identities = NEW_ARRAY(struct tls_own_identity, count);
    for (size_t i = 0; i < count; i++)
        if (identity_add(c, &ids[i], err))
            return err->code;
    return ERR_NONE;
}

static err_code alpn_set(struct tls_config *c, const str *alpn, size_t count, struct err *err)
{
    if (count > TLS_ALPN_MAX)
        return err_set(err, ERR_INVALID, "at most %d protocols can be offered, not %zu", TLS_ALPN_MAX, count);
    buf_init(&c->alpn, TLS_ALPN_MAX * 256);
    for (size_t i = 0; i < count; i++) {
        if (!alpn[i].n || alpn[i].n > 255)
            return err_set(err, ERR_INVALID, "the name of a protocol has 1 to 255 bytes, not %zu", alpn[i].n);
        buf_add_c(&c->alpn, (char)alpn[i].n);
        buf_add(&c->alpn, alpn[i]);
    }
    return ERR_NONE;
}

/* --- servers --- */

/* Next name of a list as on the wire; OpenSSL has checked its form. */
static bool alpn_next(str *rest, str *ret)
{
    if (!rest->n)
        return false;
    size_t n = (unsigned char)rest->p[0];
    *ret = str_slice(*rest, 1, 1 + n);
    *rest = str_from(*rest, 1 + n);
    return true;
}

static int alpn_pick(SSL *ssl, const unsigned char **ret, unsigned char *ret_n, const unsigned char *offered,
                     unsigned offered_n, void *arg)
{
    (void)ssl;
    const struct tls_config *c = arg;
    str ours = buf_str(&c->alpn), our;
    while (alpn_next(&ours, &our)) {
        str theirs = str_of((const char *)offered, offered_n), their;
        while (alpn_next(&theirs, &their)) {
            if (!str_eq(our, their))
                continue;
            *ret = (const unsigned char *)their.p;
            *ret_n = (unsigned char)their.n;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool identity_is_for(const struct tls_own_identity *id, const char *host)
{
    return X509_check_host(id->leaf->x, host, 0,
                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           NULL) == 1;
}

static int identity_pick(SSL *ssl, void *arg)
{
    const struct tls_config *c = arg;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    for (size_t i = 0; host && i < c->identity_count; i++) {
        const struct tls_own_identity *id = &c->identities[i];
        if (!identity_is_for(id, host))
            continue;
        if (i == 0)
            break;
        SSL_certs_clear(ssl); /* there is one place for each kind of key: the first's would stay beside */
        return SSL_use_cert_and_key(ssl, id->leaf->x, id->key->pkey, id->chain, 1);
    }
    return 1;
}

static void ticket_key_make(struct ticket_key *key, struct loop *l)
{
    env_random(loop_env(l), key->name, sizeof key->name);
    env_random(loop_env(l), key->aes, sizeof key->aes);
    env_random(loop_env(l), key->hmac, sizeof key->hmac);
    key->made_at_ns = loop_now(l);
    key->made = true;
}

/* The key to seal with, or the one a ticket names. False: none. */
static bool ticket_key_get(struct tls_config *c, struct loop *l, const unsigned char *name,
                           struct ticket_key *ret, bool *ret_is_newest)
{
    bool found = false;
    pthread_mutex_lock(&c->ticket_lock);
    struct ticket_key *keys = c->ticket_keys;
    if (!keys[0].made || loop_now(l) - keys[0].made_at_ns >= TICKET_KEY_LIFE_NS) {
        keys[1] = keys[0];
        ticket_key_make(&keys[0], l);
    }
    for (size_t i = 0; i < 2 && !found; i++) {
        found = keys[i].made && loop_now(l) - keys[i].made_at_ns < 2 * TICKET_KEY_LIFE_NS &&
                (!name || memcmp(name, keys[i].name, sizeof keys[i].name) == 0);
        if (found) {
            *ret = keys[i];
            *ret_is_newest = i == 0;
        }
    }
    pthread_mutex_unlock(&c->ticket_lock);
    return found;
}

/* What OpenSSL wants: 1 done, 2 done and to be renewed, 0 no such key (a full handshake then), -1 failed. */
static int ticket_seal_or_open(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                               EVP_MAC_CTX *mac, int sealing)
{
    struct tls_config *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct loop *l = tls_loop_of(ssl);
    struct ticket_key key;
    bool is_newest;
    if (!ticket_key_get(c, l, sealing ? NULL : name, &key, &is_newest))
        return 0;
    if (sealing) {
        memcpy(name, key.name, sizeof key.name);
        env_random(loop_env(l), iv, 16);
    }
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac, sizeof key.hmac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    int ok = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv, sealing) == 1 &&
             EVP_MAC_CTX_set_params(mac, params) == 1;
    bytes_wipe(&key, sizeof key);
    if (!ok)
        return -1;
    return sealing || is_newest ? 1 : 2;
}

static void tickets_enable(struct tls_config *c)
{
    SSL_CTX_clear_options(c->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(c->ctx, 1);
    SSL_CTX_set_timeout(c->ctx, TICKET_LIFE_S);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ctx, ticket_seal_or_open);
}

static void client_auth_set(struct tls_config *c)
{
    int mode = SSL_VERIFY_PEER;
    if (c->client_auth == TLS_CLIENT_AUTH_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(c->ctx, mode, NULL);
    SSL_CTX_set_client_CA_list(c->ctx, OSSL_MUST(SSL_dup_CA_list(c->pool->subjects)));
}

static err_code server_opts_check(const struct tls_server_opts *o, struct err *err)
{
    if (!o->identity_count || o->identity_count > TLS_IDENTITY_MAX)
        return err_set(err, ERR_INVALID, "a server has 1 to %d identities, not %zu", TLS_IDENTITY_MAX,
                       o->identity_count);
    if ((o->client_auth == TLS_CLIENT_AUTH_NONE) != !o->client_ca)
        return err_set(
            err, ERR_INVALID,
            "who asks for certificates of clients says which authorities it trusts, and only then");
    if (o->tickets && o->client_auth != TLS_CLIENT_AUTH_NONE)
        return err_set(err, ERR_INVALID, "sessions of clients with certificates cannot be resumed");
    if (o->plain_http_answer.n > ANSWER_SIZE_MAX)
        return err_set(err, ERR_INVALID, "the answer to plain HTTP is longer than %d bytes", ANSWER_SIZE_MAX);
    return ERR_NONE;
}

static struct tls_config *config_new(bool is_server, struct x509_pool *pool)
{
    struct tls_config *c = NEW(struct tls_config);
    c->refs = 1;
    c->is_server = is_server;
    c->pool = pool ? x509_pool_ref(pool) : NULL;
    pthread_mutex_init(&c->ticket_lock, NULL);
    return c;
}

err_code tls_config_new_server(const struct tls_server_opts *opts, struct tls_config **ret, struct err *err)
{
    if (server_opts_check(opts, err))
        return err_wrap(err, "could not configure a TLS server");
    CLEANUP(tls_config_unrefp) struct tls_config *c = config_new(true, opts->client_ca);
    c->client_auth = opts->client_auth;
    buf_init(&c->plain_http_answer, ANSWER_SIZE_MAX);
    buf_add(&c->plain_http_answer, opts->plain_http_answer);
    if (context_new(c, err) || alpn_set(c, opts->alpn, opts->alpn_count, err) ||
        identities_add(c, opts->identities, opts->identity_count, err))
        return err_wrap(err, "could not configure a TLS server");
    SSL_CTX_set_app_data(c->ctx, c);
    SSL_CTX_set_cert_verify_callback(c->ctx, tls_verify, c);
    if (c->alpn.n)
        SSL_CTX_set_alpn_select_cb(c->ctx, alpn_pick, c);
    if (c->identity_count > 1)
        SSL_CTX_set_cert_cb(c->ctx, identity_pick, c);
    if (c->client_auth != TLS_CLIENT_AUTH_NONE)
        client_auth_set(c);
    if (opts->tickets)
        tickets_enable(c);
    *ret = TAKE(c);
    return ERR_NONE;
}

/* --- clients --- */

err_code tls_config_new_client(const struct tls_client_opts *opts, struct tls_config **ret, struct err *err)
{
    if (opts->insecure == (opts->ca != NULL))
        return err_set(err, ERR_INVALID,
                       "could not configure a TLS client: it either trusts authorities or is insecure");
    CLEANUP(tls_config_unrefp) struct tls_config *c = config_new(false, opts->ca);
    c->insecure = opts->insecure;
    if (context_new(c, err) || alpn_set(c, opts->alpn, opts->alpn_count, err) ||
        (opts->identity && identities_add(c, opts->identity, 1, err)))
        return err_wrap(err, "could not configure a TLS client");
    if (c->alpn.n)
        OSSL_MUST(SSL_CTX_set_alpn_protos(c->ctx, (const unsigned char *)c->alpn.p, (unsigned)c->alpn.n) ==
                  0);
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(c->ctx, tls_verify, c);
    *ret = TAKE(c);
    return ERR_NONE;
}

/* --- life --- */

struct tls_config *tls_config_ref(struct tls_config *config)
{
    refs_take(&config->refs);
    return config;
}

struct tls_config *tls_config_unref(struct tls_config *c)
{
    if (!c || !refs_drop(&c->refs))
        return NULL;
    SSL_CTX_free(c->ctx);
    BIO_meth_free(c->bio);
    x509_pool_unref(c->pool);
    for (size_t i = 0; i < c->identity_count; i++) {
        x509_cert_unref(c->identities[i].leaf);
        x509_key_unref(c->identities[i].key);
        sk_X509_pop_free(c->identities[i].chain, X509_free);
    }
    mem_free(c->identities);
    buf_done(&c->alpn);
    buf_done(&c->plain_http_answer);
    pthread_mutex_destroy(&c->ticket_lock);
    bytes_wipe(c->ticket_keys, sizeof c->ticket_keys);
    mem_free(c);
    return NULL;
}

void tls_config_unrefp(struct tls_config **config)
{
    *config = tls_config_unref(*config);
}

/* --- the slot --- */

/* A lock, held for the length of a reference taken: an atomic pointer alone could be swapped and let go of between being
 * read and being referenced. */
struct tls_slot {
    pthread_mutex_t lock;
    struct tls_config *config;
};

struct tls_slot *tls_slot_new(struct tls_config *config)
{
    struct tls_slot *slot = NEW(struct tls_slot);
    pthread_mutex_init(&slot->lock, NULL);
    slot->config = tls_config_ref(config);
    return slot;
}

void tls_slot_free(struct tls_slot *slot)
{
    if (!slot)
        return;
    tls_config_unref(slot->config);
    pthread_mutex_destroy(&slot->lock);
    mem_free(slot);
}

struct tls_config *tls_slot_get(struct tls_slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    struct tls_config *config = tls_config_ref(slot->config);
    pthread_mutex_unlock(&slot->lock);
    return config;
}

void tls_slot_set(struct tls_slot *slot, struct tls_config *config)
{
    tls_config_ref(config);
    pthread_mutex_lock(&slot->lock);
    struct tls_config *before = slot->config;
    slot->config = config;
    pthread_mutex_unlock(&slot->lock);
    tls_config_unref(before); /* not under the lock: it may be the last reference */
}
