/* jwt.c - compact JWS on OpenSSL's signatures. */
#include "sys/jwt.h"
#include "base/base64.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "sys/x509_priv.h"
#include <openssl/core_names.h>
#include <stdio.h>

enum {
    BASE64_JWT = BASE64_URL | BASE64_NO_PAD | BASE64_STRICT,
    HEADER_MEMBER_MAX = 16,
    RSA_BYTES_MAX = 8192 / 8,
    EC_DER_MAX = 160, /* two numbers of P-521 and their frame */
};

struct jwt_keys {
    _Atomic unsigned refs;
    size_t count;
    struct {
        struct x509_key *key;
        char id[JWT_KEY_ID_SIZE + 1];
    } keys[];
};

static const struct algorithm {
    enum x509_key_kind kind;
    str name;
    str curve;         /* empty: RSA */
    size_t field_size; /* of a coordinate, and of each half of a signature */
} algorithms[] = {
    {X509_KEY_RSA, S_INIT("RS256"), S_INIT(""), 0},
    {X509_KEY_P256, S_INIT("ES256"), S_INIT("P-256"), 32},
    {X509_KEY_P384, S_INIT("ES384"), S_INIT("P-384"), 48},
    {X509_KEY_P521, S_INIT("ES512"), S_INIT("P-521"), 66},
};

static const struct algorithm *algorithm_of(const struct x509_key *key, struct err *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++)
        if (algorithms[i].kind == key->kind)
            return &algorithms[i];
    err_set(err, ERR_UNSUPPORTED, "Ed25519 keys sign no tokens, RSA and ECDSA keys do");
    return NULL;
}

/* --- keys --- */

void jwt_key_id(const struct x509_key *key, char ret[JWT_KEY_ID_SIZE + 1])
{
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, JWT_KEY_ID_SIZE);
    base64_encode(&b, str_of((const char *)key->fingerprint, sizeof key->fingerprint), BASE64_JWT);
    ASSERT(b.n == JWT_KEY_ID_SIZE);
    memcpy(ret, b.p, b.n);
    ret[b.n] = '\0';
}

static bool keys_have(const struct jwt_keys *keys, const struct x509_key *key)
{
    for (size_t i = 0; i < keys->count; i++)
        if (x509_key_eq(keys->keys[i].key, key))
            return true;
    return false;
}

err_code jwt_keys_new(struct x509_key *const *keys, size_t count, struct jwt_keys **ret, struct err *err)
{
    if (!count || count > JWT_KEY_COUNT_MAX)
        return err_set(err, ERR_INVALID, "tokens are checked with 1 to %d keys, not with %zu",
                       JWT_KEY_COUNT_MAX, count);
    CLEANUP(jwt_keys_unrefp) struct jwt_keys *k = mem_alloc_zero(1, sizeof *k + count * sizeof k->keys[0]);
    k->refs = 1;
    for (size_t i = 0; i < count; i++) {
        if (!algorithm_of(keys[i], err))
            return err->code;
        if (keys_have(k, keys[i]))
            continue;
        jwt_key_id(keys[i], k->keys[k->count].id);
        k->keys[k->count++].key = x509_key_ref(keys[i]);
    }
    *ret = TAKE(k);
    return ERR_NONE;
}

struct jwt_keys *jwt_keys_ref(struct jwt_keys *keys)
{
    refs_take(&keys->refs);
    return keys;
}

struct jwt_keys *jwt_keys_unref(struct jwt_keys *keys)
{
    if (keys && refs_drop(&keys->refs)) {
        for (size_t i = 0; i < keys->count; i++)
            x509_key_unref(keys->keys[i].key);
        mem_free(keys);
    }
    return NULL;
}

void jwt_keys_unrefp(struct jwt_keys **keys)
{
    *keys = jwt_keys_unref(*keys);
}

/* `"name":"base64url of a number of the key"`; size 0: as many bytes as it takes. */
static err_code number_print(const struct x509_key *key, const char *param, size_t size, const char *name,
                             struct buf *ret, struct err *err)
{
    CLEANUP(BN_free_cleanup) BIGNUM *bn = NULL;
    unsigned char bytes[RSA_BYTES_MAX];
    if (EVP_PKEY_get_bn_param(key->pkey, param, &bn) != 1)
        return ossl_err(err, ERR_INTERNAL, "could not read '%s' of a key", name);
    size = size ? size : (size_t)BN_num_bytes(bn);
    if (size > sizeof bytes || BN_bn2binpad(bn, bytes, (int)size) < 0)
        return ossl_err(err, ERR_INTERNAL, "number '%s' of a key is too large", name);
    buf_add_f(ret, ",\"%s\":\"", name);
    base64_encode(ret, str_of((const char *)bytes, size), BASE64_JWT);
    buf_add_c(ret, '"');
    return ERR_NONE;
}

static err_code key_print(const struct x509_key *key, const char *id, struct buf *ret, struct err *err)
{
    const struct algorithm *alg = algorithm_of(key, err);
    if (!alg)
        return err->code;
    bool is_ec = alg->curve.n != 0;
    buf_add_f(ret, "{\"use\":\"sig\",\"kty\":\"%s\",\"kid\":\"%s\"", is_ec ? "EC" : "RSA", id);
    if (is_ec)
        buf_add_f(ret, ",\"crv\":\"%" STR_FMT "\"", STR_ARG(alg->curve));
    buf_add_f(ret, ",\"alg\":\"%" STR_FMT "\"", STR_ARG(alg->name));
    if (is_ec ? number_print(key, OSSL_PKEY_PARAM_EC_PUB_X, alg->field_size, "x", ret, err) ||
                    number_print(key, OSSL_PKEY_PARAM_EC_PUB_Y, alg->field_size, "y", ret, err)
              : number_print(key, OSSL_PKEY_PARAM_RSA_N, 0, "n", ret, err) ||
                    number_print(key, OSSL_PKEY_PARAM_RSA_E, 0, "e", ret, err))
        return err->code;
    buf_add_c(ret, '}');
    return ERR_NONE;
}

err_code jwt_keys_print(const struct jwt_keys *keys, struct buf *ret, struct err *err)
{
    buf_add_lit(ret, "{\"keys\":[");
    for (size_t i = 0; i < keys->count; i++) {
        if (i)
            buf_add_c(ret, ',');
        if (key_print(keys->keys[i].key, keys->keys[i].id, ret, err))
            return err->code;
    }
    buf_add_lit(ret, "]}");
    return buf_check(ret, err);
}

/* --- signatures --- */

/* ECDSA as OpenSSL gives it (DER) to r and s side by side. */
static bool ec_from_der(const unsigned char *der, size_t n, size_t field_size, unsigned char *ret)
{
    CLEANUP(ECDSA_SIG_free_cleanup) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    return sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, (int)field_size) > 0 &&
           BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + field_size, (int)field_size) > 0;
}

/* And back: the size, or 0. */
static size_t ec_to_der(str signature, size_t field_size, unsigned char ret[EC_DER_MAX])
{
    if (signature.n != 2 * field_size)
        return 0;
    const unsigned char *p = (const unsigned char *)signature.p;
    CLEANUP(ECDSA_SIG_free_cleanup) ECDSA_SIG *sig = OSSL_MUST(ECDSA_SIG_new());
    BIGNUM *r = OSSL_MUST(BN_bin2bn(p, (int)field_size, NULL));
    BIGNUM *s = OSSL_MUST(BN_bin2bn(p + field_size, (int)field_size, NULL));
    OSSL_MUST(ECDSA_SIG_set0(sig, r, s));
    int n = i2d_ECDSA_SIG(sig, NULL);
    if (n <= 0 || n > EC_DER_MAX)
        return 0;
    return (size_t)i2d_ECDSA_SIG(sig, &ret);
}

static err_code signature_make(const struct x509_key *key, const struct algorithm *alg, str text,
                               struct buf *ret, struct err *err)
{
    CLEANUP(EVP_MD_CTX_free_cleanup) EVP_MD_CTX *ctx = OSSL_MUST(EVP_MD_CTX_new());
    unsigned char made[RSA_BYTES_MAX], sides[2 * 66];
    static_assert(EC_DER_MAX <= sizeof made, "either kind of signature fits");
    size_t n = sizeof made;
    if (EVP_DigestSignInit(ctx, NULL, x509_key_digest(key), NULL, key->pkey) != 1 ||
        EVP_DigestSign(ctx, made, &n, (const unsigned char *)text.p, text.n) != 1 ||
        (alg->field_size && !ec_from_der(made, n, alg->field_size, sides)))
        return ossl_err(err, ERR_INTERNAL, "could not sign a token");
    str signature = alg->field_size ? str_of((const char *)sides, 2 * alg->field_size)
                                    : str_of((const char *)made, n);
    base64_encode(ret, signature, BASE64_JWT);
    return ERR_NONE;
}

static bool signature_fits(const struct x509_key *key, const struct algorithm *alg, str text, str signature)
{
    CLEANUP(EVP_MD_CTX_free_cleanup) EVP_MD_CTX *ctx = OSSL_MUST(EVP_MD_CTX_new());
    unsigned char der[EC_DER_MAX];
    const unsigned char *p = (const unsigned char *)signature.p;
    size_t n = signature.n;
    if (alg->field_size) {
        n = ec_to_der(signature, alg->field_size, der);
        p = der;
    }
    bool fits = n && EVP_DigestVerifyInit(ctx, NULL, x509_key_digest(key), NULL, key->pkey) == 1 &&
                EVP_DigestVerify(ctx, p, n, (const unsigned char *)text.p, text.n) == 1;
    ossl_clear();
    return fits;
}

err_code jwt_sign(const struct x509_key *key, str payload, struct buf *ret, struct err *err)
{
    const struct algorithm *alg = algorithm_of(key, err);
    if (!alg)
        return err->code;
    if (!key->is_private)
        return err_set(err, ERR_INVALID, "cannot sign a token with the public half of a key");
    CLEANUP(buf_done) struct buf token;
    buf_init(&token, JWT_SIZE_MAX);
    char id[JWT_KEY_ID_SIZE + 1], header[128];
    jwt_key_id(key, id);
    int n = snprintf(header, sizeof header, "{\"alg\":\"%" STR_FMT "\",\"kid\":\"%s\"}", STR_ARG(alg->name),
                     id);
    ASSERT(n > 0 && (size_t)n < sizeof header);
    base64_encode(&token, str_of(header, (size_t)n), BASE64_JWT);
    buf_add_c(&token, '.');
    base64_encode(&token, payload, BASE64_JWT);
    str text = buf_str(&token);
    if (buf_check(&token, err))
        return err_wrap(err, "could not sign a token");
    CLEANUP(buf_done) struct buf signature;
    buf_init(&signature, 2 * RSA_BYTES_MAX);
    if (signature_make(key, alg, text, &signature, err))
        return err->code;
    buf_add_c(&token, '.');
    buf_add(&token, buf_str(&signature));
    buf_add(ret, buf_str(&token));
    return buf_check(&token, err) || buf_check(ret, err) ? err->code : ERR_NONE;
}

/* --- reading --- */

/* What is left of a header being read. */
struct scan {
    str rest;
};

static void skip_spaces(struct scan *s)
{
    while (s->rest.n && strchr(" \t\r\n", s->rest.p[0]) && s->rest.p[0])
        s->rest = str_from(s->rest, 1);
}

static bool take(struct scan *s, char c)
{
    skip_spaces(s);
    if (!s->rest.n || s->rest.p[0] != c)
        return false;
    s->rest = str_from(s->rest, 1);
    return true;
}

/* A string without escapes. */
static bool take_string(struct scan *s, str *ret)
{
    if (!take(s, '"'))
        return false;
    for (size_t i = 0; i < s->rest.n; i++) {
        unsigned char c = (unsigned char)s->rest.p[i];
        if (c == '"') {
            *ret = str_slice(s->rest, 0, i);
            s->rest = str_from(s->rest, i + 1);
            return true;
        }
        if (c < 0x20 || c == '\\')
            return false;
    }
    return false;
}

/* The whole of {"alg":"ES256","kid":"..."}; false: anything but what the header of this module says. */
static bool header_parse(str text, struct jwt *ret)
{
    struct scan s = {text};
    str names[HEADER_MEMBER_MAX], value;
    size_t count = 0;
    if (!utf8_valid(text) || !take(&s, '{'))
        return false;
    do {
        if (count == HEADER_MEMBER_MAX || !take_string(&s, &names[count]) || !take(&s, ':') ||
            !take_string(&s, &value))
            return false;
        for (size_t i = 0; i < count; i++)
            if (str_eq(names[i], names[count]))
                return false;
        if (str_is(names[count], "crit"))
            return false;
        if (str_is(names[count], "alg"))
            ret->algorithm = value;
        else if (str_is(names[count], "kid"))
            ret->key_id = value;
        count++;
    } while (take(&s, ','));
    if (!take(&s, '}'))
        return false;
    skip_spaces(&s);
    return s.rest.n == 0 && ret->algorithm.n;
}

static bool part_decode(struct arena *a, str text, size_t max, str *ret)
{
    struct buf b;
    struct err err;
    buf_init_arena(&b, a, max);
    /* The decoder skips line ends, which would give a token a second spelling. */
    if (str_index_c(text, '\r') != SIZE_MAX || str_index_c(text, '\n') != SIZE_MAX ||
        base64_decode(&b, text, BASE64_JWT, &err))
        return false;
    *ret = buf_str(&b);
    return true;
}

/* Cuts a token up: *ret_text is what the signature is over. */
static err_code token_read(struct arena *a, str token, struct jwt *ret, str *ret_text, str *ret_signature,
                           struct err *err)
{
    str header, payload, signature, rest, bytes;
    if (token.n > JWT_SIZE_MAX)
        return err_set(err, ERR_UNAUTHORIZED, "token of %zu bytes is larger than %d", token.n, JWT_SIZE_MAX);
    if (!str_cut(token, '.', &header, &rest) || !str_cut(rest, '.', &payload, &signature) ||
        str_index_c(signature, '.') != SIZE_MAX)
        return err_set(err, ERR_UNAUTHORIZED, "token does not have three parts");
    struct jwt jwt = {0};
    if (!part_decode(a, header, JWT_HEADER_SIZE_MAX, &bytes) || !header_parse(bytes, &jwt))
        return err_set(err, ERR_UNAUTHORIZED,
                       "header of the token is not a small flat object that names its algorithm");
    if (!part_decode(a, payload, JWT_SIZE_MAX, &jwt.payload))
        return err_set(err, ERR_UNAUTHORIZED, "payload of the token is not base64url");
    if (!part_decode(a, signature, RSA_BYTES_MAX, ret_signature))
        return err_set(err, ERR_UNAUTHORIZED, "signature of the token is not base64url");
    *ret = jwt;
    *ret_text = str_slice(token, 0, header.n + 1 + payload.n);
    return ERR_NONE;
}

err_code jwt_peek(struct arena *a, str token, struct jwt *ret, struct err *err)
{
    str text, signature;
    return token_read(a, token, ret, &text, &signature, err);
}

err_code jwt_verify(struct arena *a, str token, const struct jwt_keys *keys, struct jwt *ret, struct err *err)
{
    struct jwt jwt;
    str text, signature;
    if (token_read(a, token, &jwt, &text, &signature, err))
        return err->code;
    bool known = jwt.key_id.n == 0;
    for (size_t i = 0; i < keys->count; i++) {
        const struct x509_key *key = keys->keys[i].key;
        str id = str_of(keys->keys[i].id, JWT_KEY_ID_SIZE);
        if (jwt.key_id.n && !str_eq(jwt.key_id, id))
            continue;
        known = true;
        const struct algorithm *alg = algorithm_of(key, err);
        if (!alg || !str_eq(alg->name, jwt.algorithm) || !signature_fits(key, alg, text, signature))
            continue;
        jwt.key_id = str_dup(a, id);
        *ret = jwt;
        return ERR_NONE;
    }
    if (!known)
        return err_set(err, ERR_UNAUTHORIZED,
                       "token is signed with key '%" STR_FMT "', which is not one of ours",
                       STR_ARG(str_slice(jwt.key_id, 0, 64)));
    return err_set(err, ERR_UNAUTHORIZED, "signature of the token does not fit");
}
