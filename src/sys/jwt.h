/* jwt.h - signed tokens: compact JWS (RFC 7515) as Kubernetes makes and checks them, and the key set document (JWKS)
 * that lets others check them.
 * The key decides the algorithm: RSA signs RS256; P-256, P-384 and P-521 sign ES256, ES384 and ES512 (r and s side by
 * side). A token whose header names another algorithm than its key's is refused, so "none" and HMAC with a public key as
 * secret have no way in.
 * What a token says is bytes to us: the payload is the caller's to parse, and expiry, issuer and audience its to judge.
 * Tokens are at most JWT_SIZE_MAX bytes. Header: a flat JSON object of strings without escapes, at most
 * JWT_HEADER_SIZE_MAX bytes; "crit" and doubled members are refused. Base64 is strict: one spelling for each token.
 * Threads: any; a jwt_keys is frozen once made. */
#ifndef SYS_JWT_H
#define SYS_JWT_H

#include "sys/x509.h"

#define JWT_SIZE_MAX        (64 * 1024)
#define JWT_HEADER_SIZE_MAX 1024
#define JWT_KEY_COUNT_MAX   100
#define JWT_KEY_ID_SIZE     43 /* base64url of a SHA-256 */

/* Keys that tokens are checked with. Each has the id Kubernetes derives: base64url of the SHA-256 of the DER of its
 * public half. */
struct jwt_keys;
/* Keeps references to the keys, of which only the public halves matter. The same key twice is once. ERR_UNSUPPORTED: a
 * kind that signs no tokens (Ed25519). ERR_INVALID: none, or more than JWT_KEY_COUNT_MAX. */
err_code jwt_keys_new(struct x509_key *const *keys, size_t count, struct jwt_keys **ret, struct err *err);
struct jwt_keys *jwt_keys_ref(struct jwt_keys *keys);
struct jwt_keys *jwt_keys_unref(struct jwt_keys *keys); /* returns NULL */
void jwt_keys_unrefp(struct jwt_keys **keys);           /* for CLEANUP */
/* Adds {"keys":[...]}, what /openid/v1/jwks answers, as the original prints it. */
err_code jwt_keys_print(const struct jwt_keys *keys, struct buf *ret, struct err *err);

void jwt_key_id(const struct x509_key *key, char ret[JWT_KEY_ID_SIZE + 1]);

/* Adds the token. The payload is what the caller printed. ERR_INVALID: no private half. ERR_UNSUPPORTED: kind of key.
 * ERR_TOO_LARGE: JWT_SIZE_MAX. Some 0.03 ms (RSA: 0.7 ms). */
err_code jwt_sign(const struct x509_key *key, str payload, struct buf *ret, struct err *err);

struct jwt {
    str payload;
    str key_id; /* of the key that proved right, or (peek) the one the header names; may be empty there */
    str algorithm;
};
/* ERR_UNAUTHORIZED: malformed, unknown key id, wrong signature; with the reason. A token that names a key id is checked
 * with that key only; one that does not, with every key that fits its algorithm. Results in the arena. */
err_code jwt_verify(struct arena *a, str token, const struct jwt_keys *keys, struct jwt *ret,
                    struct err *err);
/* Reads without checking: PROVES NOTHING. To learn whose token it claims to be (the issuer in its payload) and thus with
 * which keys to verify it. ERR_UNAUTHORIZED: malformed. */
err_code jwt_peek(struct arena *a, str token, struct jwt *ret, struct err *err);

#endif
