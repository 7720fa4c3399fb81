/* tls.h - TLS 1.2 and 1.3 over any stream, as a stream: what reads and writes a socket reads and writes this, unchanged.
 * A configuration says who we are and whom we trust. It is counted and frozen; any thread may hold it. Connections keep
 * the one they began with; to change certificates without a restart, put the configuration into a tls_slot and set
 * another: handshakes from then on take that one.
 *
 * Choices made here, not configurable: no version before 1.2; forward secrecy and authenticated ciphers only; no
 * renegotiation, no compression, no early data. Sessions are not resumed unless `tickets` is set, which is refused
 * together with client certificates: a resumed session would carry an identity past the end of its certificate. Clients
 * never resume.
 * Time comes from the loop's env; randomness from within OpenSSL, so that runs with TLS do not replay from a seed. */
#ifndef SYS_TLS_H
#define SYS_TLS_H

#include "sys/stream.h"
#include "sys/x509.h"

struct tls_config;

#define TLS_IDENTITY_MAX 64
#define TLS_CHAIN_MAX    10
#define TLS_ALPN_MAX     8

/* A certificate with what leads to an authority (leaf first), and its key. */
struct tls_identity {
    struct x509_cert *const *chain;
    size_t chain_count;
    struct x509_key *key;
};

enum tls_client_auth {
    TLS_CLIENT_AUTH_NONE,
    /* Asks; takes anything and nothing, and tells in tls_info whether the pool vouches for it. What an API server needs:
     * a bad certificate is a 401, not a failed handshake, and other authenticators may know another pool. */
    TLS_CLIENT_AUTH_OPTIONAL,
    TLS_CLIENT_AUTH_REQUIRED, /* the handshake fails without one that the pool vouches for */
};

struct tls_server_opts {
    /* The first is for everybody who names no host we have; the others go by the names in their certificates. */
    const struct tls_identity *identities;
    size_t identity_count;
    enum tls_client_auth client_auth;
    struct x509_pool
        *client_ca;  /* also told to clients, which pick their certificate by it. NULL: with NONE only */
    const str *alpn; /* "h2", "http/1.1": what we speak, best first. A client that offers none of it fails. */
    size_t alpn_count;
    bool tickets; /* sessions can be resumed within 12 hours; keys change as often. With NONE only. */
    /* Sent to a client that speaks HTTP in the clear, which it can at least show to its user. Empty: nothing. At most
     * 1,000 bytes. */
    str plain_http_answer;
};
/* References what it needs. ERR_INVALID: a key that does not fit, no identity, too many of something, tickets with
 * client certificates. */
err_code tls_config_new_server(const struct tls_server_opts *opts, struct tls_config **ret, struct err *err);

struct tls_client_opts {
    struct x509_pool *ca;                /* whom we trust (x509_pool_new_system for the machine's) */
    bool insecure;                       /* anybody; `ca` is NULL then */
    const struct tls_identity *identity; /* shown when the server asks; NULL: none */
    const str *alpn;
    size_t alpn_count;
};
err_code tls_config_new_client(const struct tls_client_opts *opts, struct tls_config **ret, struct err *err);

struct tls_config *tls_config_ref(struct tls_config *config);
struct tls_config *tls_config_unref(struct tls_config *config); /* returns NULL */
void tls_config_unrefp(struct tls_config **config);             /* for CLEANUP */

/* The configuration in force. Any thread. */
struct tls_slot;
struct tls_slot *tls_slot_new(struct tls_config *config); /* takes a reference of its own */
void tls_slot_free(struct tls_slot *slot);
struct tls_config *tls_slot_get(struct tls_slot *slot); /* referenced for the caller */
void tls_slot_set(struct tls_slot *slot, struct tls_config *config);

/* Takes over `inner`, which nobody else touches from now on; closing the result closes it. The handshake goes on by
 * itself, whatever is wanted, from now until it is done or has failed; how long it may take is for the caller's timer.
 * Until then reads and writes say ERR_AGAIN; afterwards both become possible, and a failed one repeats:
 *   ERR_UNAUTHORIZED  we do not trust the other side's certificate
 *   ERR_PROTOCOL      no TLS, no version or cipher in common, refused by the other side (its certificate is what we sent)
 *   ERR_CLOSED        the other side left before it said anything
 *   ERR_IO and others of the inner stream
 * Later on: an end without TLS's own farewell is ERR_IO ("cut off"), never ERR_CLOSED. A failure to write leaves what
 * can still be read readable.
 * A stream_write takes bytes as long as the inner stream does, and then at most one record more. stream_shutdown and
 * stream_close say farewell. What was taken when it is closed is still sent, within TLS_LINGER_NS. */
#define TLS_LINGER_NS (10 * NS_PER_S)
err_code tls_stream_server(struct stream *inner, struct tls_config *config, struct stream_handler handler,
                           struct stream **ret, struct err *err);
/* `host`: a DNS name or an IP address, what the certificate must be for and what the server is told (names only).
 * ERR_INVALID: none, though the configuration is to verify it; `inner` stays the caller's then. */
err_code tls_stream_client(struct stream *inner, struct tls_config *config, str host,
                           struct stream_handler handler, struct stream **ret, struct err *err);

struct tls_info {
    str alpn;        /* agreed upon; empty: nothing */
    str server_name; /* server: whom the client wanted, as it spelled it (unchecked bytes); empty: it did not say */
    bool peer_has_cert;
    /* ERR_NONE: the pool vouches for the other side's certificate (usage and, for a client, host included). Else why
     * not, in words: no certificate, nobody to ask (insecure, NONE), not trusted. */
    err_code trust;
    const char *trust_text;
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_128_GCM_SHA256" */
    bool resumed;
};
/* False: this is not a TLS stream, or its handshake is not done. Borrowed from the stream. */
bool tls_stream_info(struct stream *s, struct tls_info *ret);
/* What the other side showed, leaf first, in the arena and held by it; 0 certificates: nothing. */
err_code tls_stream_peer_certs(struct stream *s, struct arena *a, struct x509_cert ***ret, size_t *ret_count,
                               struct err *err);

#endif
