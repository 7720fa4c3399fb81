/* jwt_fuzz.c - tokens from outside, checked with the keys of RFC 7515's examples A.2 and A.3. */
#include "base/base64.h"
#include "harness/test.h"
#include "sys/jwt.h"

static struct arena arena;

static str printed(str bytes)
{
    struct buf b;
    buf_init_arena(&b, &arena, JWT_SIZE_MAX);
    base64_encode(&b, bytes, BASE64_URL | BASE64_NO_PAD);
    return buf_str(&b);
}

FUZZ(jwt)
{
    arena_init(&arena, 0);
    str token = str_of((const char *)data, size);
    static struct jwt_keys *keys; /* read once */
    if (!keys) {
        struct x509_key **all;
        size_t count;
        str pem = test_read_file(test_path("corpus/jwt-keys.pem"));
        CHECK_OK(x509_key_parse_public(&arena, pem, &all, &count, &e));
        CHECK_OK(jwt_keys_new(all, count, &keys, &e));
    }
    struct err err = ERR_INIT;
    struct jwt jwt, peeked;
    if (jwt_verify(&arena, token, keys, &jwt, &err) == ERR_NONE) {
        /* Only what the holders of the keys have signed is right, in the one spelling it has. */
        CHECK_OK(jwt_peek(&arena, token, &peeked, &e));
        CHECK_STR(peeked.payload, jwt.payload);
        CHECK(str_is(jwt.algorithm, "ES256") || str_is(jwt.algorithm, "RS256"));
        CHECK_CONTAINS(token, str_concat(&arena, S("."), str_concat(&arena, printed(jwt.payload), S("."))));
        CHECK_CONTAINS(jwt.payload, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,");
    } else {
        CHECK_EQ(err.code, ERR_UNAUTHORIZED);
    }
    arena_done(&arena);
}
