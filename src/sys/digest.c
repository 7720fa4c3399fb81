/* digest.c - hashes and AES-GCM on OpenSSL. */
#include "sys/digest.h"
#include "base/secret.h"
#include "sys/ossl_priv.h"
#include <openssl/hmac.h>

void digest_sha256(str s, uint8_t ret[SHA256_SIZE])
{
    OSSL_MUST(EVP_Digest(s.p, s.n, ret, NULL, EVP_sha256(), NULL));
}

void digest_hmac_sha256(str key, str s, uint8_t ret[SHA256_SIZE])
{
    ASSERT(key.n <= INT32_MAX);
    /* An empty key is a key: OpenSSL takes NULL for "the one before". */
    const char *key_p = key.n ? key.p : "";
    OSSL_MUST(HMAC(EVP_sha256(), key_p, (int)key.n, (const unsigned char *)s.p, s.n, ret, NULL));
}

static err_code cipher_start(str key, str nonce, str context, bool seal, EVP_CIPHER_CTX **ret,
                             struct err *err)
{
    const EVP_CIPHER *cipher = NULL;
    switch (key.n) {
    case 16: cipher = EVP_aes_128_gcm(); break;
    case 24: cipher = EVP_aes_192_gcm(); break;
    case 32: cipher = EVP_aes_256_gcm(); break;
    default: return err_set(err, ERR_INVALID, "an AES key has 16, 24 or 32 bytes, this one %zu", key.n);
    }
    if (nonce.n != AEAD_NONCE_SIZE)
        return err_set(err, ERR_INVALID, "an AES-GCM nonce has %d bytes, this one %zu", AEAD_NONCE_SIZE,
                       nonce.n);
    if (context.n > INT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "a context of %zu bytes is too large to authenticate", context.n);
    CLEANUP(EVP_CIPHER_CTX_free_cleanup) EVP_CIPHER_CTX *ctx = OSSL_MUST(EVP_CIPHER_CTX_new());
    int n;
    if (EVP_CipherInit_ex2(ctx, cipher, (const unsigned char *)key.p, (const unsigned char *)nonce.p, seal,
                           NULL) != 1 ||
        (context.n && EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)context.p, (int)context.n) != 1))
        return ossl_err(err, ERR_INTERNAL, "could not start AES-GCM");
    *ret = TAKE(ctx);
    return ERR_NONE;
}

/* One pass over the text: at most INT_MAX bytes, which callers have made sure of. */
static bool cipher_run(EVP_CIPHER_CTX *ctx, str from, char *to)
{
    int n = 0;
    return from.n == 0 ||
           (EVP_CipherUpdate(ctx, (unsigned char *)to, &n, (const unsigned char *)from.p, (int)from.n) == 1 &&
            (size_t)n == from.n);
}

err_code aead_seal(str key, str nonce, str context, str plain, struct buf *ret, struct err *err)
{
    CLEANUP(EVP_CIPHER_CTX_free_cleanup) EVP_CIPHER_CTX *ctx = NULL;
    if (cipher_start(key, nonce, context, true, &ctx, err))
        return err->code;
    if (plain.n > INT32_MAX - AEAD_TAG_SIZE)
        return err_set(err, ERR_TOO_LARGE, "a text of %zu bytes is too large to seal", plain.n);
    char *to = buf_room(ret, plain.n + AEAD_TAG_SIZE);
    if (!to)
        return buf_check(ret, err);
    unsigned char nothing[AEAD_TAG_SIZE];
    int n = 0;
    if (!cipher_run(ctx, plain, to) || EVP_CipherFinal_ex(ctx, nothing, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, to + plain.n) != 1)
        return ossl_err(err, ERR_INTERNAL, "could not seal %zu bytes", plain.n);
    buf_commit(ret, plain.n + AEAD_TAG_SIZE);
    return ERR_NONE;
}

err_code aead_open(str key, str nonce, str context, str sealed, struct buf *ret, struct err *err)
{
    CLEANUP(EVP_CIPHER_CTX_free_cleanup) EVP_CIPHER_CTX *ctx = NULL;
    if (cipher_start(key, nonce, context, false, &ctx, err))
        return err->code;
    if (sealed.n < AEAD_TAG_SIZE || sealed.n > INT32_MAX)
        return err_set(err, ERR_CORRUPT, "%zu bytes cannot be a sealed text", sealed.n);
    str body = str_slice(sealed, 0, sealed.n - AEAD_TAG_SIZE);
    unsigned char tag[AEAD_TAG_SIZE], nothing[AEAD_TAG_SIZE];
    memcpy(tag, sealed.p + body.n, AEAD_TAG_SIZE);
    char *to = body.n ? buf_room(ret, body.n) : NULL;
    if (!to && body.n)
        return buf_check(ret, err);
    int n = 0;
    if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_SIZE, tag) != 1 ||
        !cipher_run(ctx, body, to) || EVP_CipherFinal_ex(ctx, nothing, &n) != 1) {
        if (body.n)
            bytes_wipe(to, body.n);
        ossl_clear();
        return err_set(err, ERR_CORRUPT,
                       "sealed text is not authentic: changed, or sealed with another key, nonce or context");
    }
    buf_commit(ret, body.n);
    return ERR_NONE;
}
