#include "base/arena.h"
#include "harness/test.h"
#include "sys/digest.h"
#include <stdio.h>

static struct arena arena;

static str hex(str s)
{
    struct buf b;
    buf_init_arena(&b, &arena, 10000);
    for (size_t i = 0; i < s.n; i++)
        buf_add_f(&b, "%02x", (unsigned char)s.p[i]);
    return buf_str(&b);
}

static str unhex(const char *c)
{
    struct buf b;
    buf_init_arena(&b, &arena, 10000);
    for (; *c; c += 2) {
        uint64_t v;
        CHECK(str_parse_u64_hex(str_of(c, 2), &v));
        buf_add_c(&b, (char)v);
    }
    return buf_str(&b);
}

TEST(digests_give_the_published_values)
{
    arena_init(&arena, 0);
    uint8_t d[SHA256_SIZE];
    str digest = str_of((const char *)d, sizeof d);
    digest_sha256(S("abc"), d); /* FIPS 180-2 */
    CHECK_STR(hex(digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256(STR_NONE, d);
    CHECK_STR(hex(digest), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_hmac_sha256(S("Jefe"), S("what do ya want for nothing?"), d); /* RFC 4231, 2 */
    CHECK_STR(hex(digest), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digest_hmac_sha256(STR_NONE, STR_NONE, d);
    CHECK_STR(hex(digest), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    arena_done(&arena);
}

/* From the specification of GCM by McGrew and Viega: cases 3, 4 (with context), 1 (nothing), 16 (256 bits). */
TEST(aead_gives_the_published_values_and_opens_them)
{
    static const struct {
        const char *key, *nonce, *context, *plain, *sealed;
    } cases[] = {
        {"00000000000000000000000000000000", "000000000000000000000000", "", "",
         "58e2fccefa7e3061367f1d57a4e7455a"},
        {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
         "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
         "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f59854d5c2af327cd64a62cf35abd2ba6fab4"},
        {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
         "feedfacedeadbeeffeedfacedeadbeefabaddad2",
         "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
         "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"},
        {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
         "feedfacedeadbeeffeedfacedeadbeefabaddad2",
         "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
         "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
    };
    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        str key = unhex(cases[i].key), nonce = unhex(cases[i].nonce), context = unhex(cases[i].context);
        struct buf sealed, opened;
        buf_init_arena(&sealed, &arena, 1000);
        buf_init_arena(&opened, &arena, 1000);
        CHECK_OK(aead_seal(key, nonce, context, unhex(cases[i].plain), &sealed, &e));
        CHECK_STR(hex(buf_str(&sealed)), cases[i].sealed);
        CHECK_OK(aead_open(key, nonce, context, buf_str(&sealed), &opened, &e));
        CHECK_STR(hex(buf_str(&opened)), cases[i].plain);
    }
    arena_done(&arena);
}

TEST(aead_opens_nothing_that_was_changed_anywhere)
{
    arena_init(&arena, 0);
    str key = S("0123456789abcdef0123456789abcdef"), nonce = S("nonce0123456"), context = S("/secrets/a");
    struct buf sealed, opened;
    buf_init_arena(&sealed, &arena, 1000);
    buf_init_arena(&opened, &arena, 1000);
    CHECK_OK(aead_seal(key, nonce, context, S("top secret"), &sealed, &e));
    for (size_t i = 0; i < sealed.n; i++) {
        sealed.p[i] = (char)(sealed.p[i] ^ 1);
        CHECK_ERR(CORRUPT, "not authentic", aead_open(key, nonce, context, buf_str(&sealed), &opened, &e));
        sealed.p[i] = (char)(sealed.p[i] ^ 1);
    }
    for (size_t n = 0; n < sealed.n; n++)
        CHECK_ERR(CORRUPT, "",
                  aead_open(key, nonce, context, str_slice(buf_str(&sealed), 0, n), &opened, &e));
    CHECK_ERR(
        CORRUPT, "",
        aead_open(S("1123456789abcdef0123456789abcdef"), nonce, context, buf_str(&sealed), &opened, &e));
    CHECK_ERR(CORRUPT, "", aead_open(key, S("nonce0123457"), context, buf_str(&sealed), &opened, &e));
    CHECK_ERR(CORRUPT, "", aead_open(key, nonce, S("/secrets/b"), buf_str(&sealed), &opened, &e));
    CHECK_EQ(opened.n, 0);
    CHECK_OK(aead_open(key, nonce, context, buf_str(&sealed), &opened, &e));
    CHECK_STR(buf_str(&opened), "top secret");
    arena_done(&arena);
}

TEST(aead_refuses_keys_and_nonces_of_other_sizes_and_full_buffers)
{
    arena_init(&arena, 0);
    struct buf b;
    buf_init_arena(&b, &arena, 20);
    CHECK_ERR(INVALID, "this one 5", aead_seal(S("short"), S("nonce0123456"), S(""), S("x"), &b, &e));
    CHECK_ERR(INVALID, "has 12 bytes", aead_seal(S("0123456789abcdef"), S("nonce"), S(""), S("x"), &b, &e));
    CHECK_ERR(TOO_LARGE, "20 bytes",
              aead_seal(S("0123456789abcdef"), S("nonce0123456"), S(""), S("12345"), &b, &e));
    arena_done(&arena);
}
