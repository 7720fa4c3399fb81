/* digest.h - hashes, message authentication and sealing: the few primitives used outside TLS and certificates.
 * Pure: no clock, no randomness; keys and nonces are the caller's. Threads: any. Comparing what comes out with what came in:
 * bytes_equal_constant_time (base/secret.h). */
#ifndef SYS_DIGEST_H
#define SYS_DIGEST_H

#include "base/buf.h"

#define SHA256_SIZE 32

void digest_sha256(str s, uint8_t ret[SHA256_SIZE]);
void digest_hmac_sha256(str key, str s, uint8_t ret[SHA256_SIZE]);

/* AES-GCM. The key has 16, 24 or 32 bytes and the nonce AEAD_NONCE_SIZE. Two different texts under the same key and
 * nonce give the key away: a nonce is never used twice (random ones: at most 2^32 of a key). What is sealed together
 * with `context` opens with the same context only: put there what the text belongs to (the object's key), so that
 * sealed values cannot be swapped. */
#define AEAD_NONCE_SIZE 12
#define AEAD_TAG_SIZE   16
/* Adds plain.n + AEAD_TAG_SIZE bytes to `ret`. ERR_INVALID: size of key or nonce. ERR_TOO_LARGE: does not fit `ret`. */
err_code aead_seal(str key, str nonce, str context, str plain, struct buf *ret, struct err *err);
/* Adds the text. ERR_CORRUPT: another key, nonce or context, or changed bytes; then nothing is added. */
err_code aead_open(str key, str nonce, str context, str sealed, struct buf *ret, struct err *err);

#endif
