#include "base/arena.h"
#include "base/base64.h"
#include "harness/test.h"
#include <stdio.h>

static str decode(struct arena *a, str text, unsigned flags)
{
    struct buf b;
    buf_init_arena(&b, a, 1000);
    CHECK_OK(base64_decode(&b, text, flags, &e));
    return buf_str(&b);
}

TEST(base64_gives_the_vectors_of_rfc_4648)
{
    static const struct {
        str bytes, std, raw;
    } cases[] = {
        {S_INIT(""), S_INIT(""), S_INIT("")},
        {S_INIT("f"), S_INIT("Zg=="), S_INIT("Zg")},
        {S_INIT("fo"), S_INIT("Zm8="), S_INIT("Zm8")},
        {S_INIT("foo"), S_INIT("Zm9v"), S_INIT("Zm9v")},
        {S_INIT("foob"), S_INIT("Zm9vYg=="), S_INIT("Zm9vYg")},
        {S_INIT("fooba"), S_INIT("Zm9vYmE="), S_INIT("Zm9vYmE")},
        {S_INIT("foobar"), S_INIT("Zm9vYmFy"), S_INIT("Zm9vYmFy")},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf b;
        buf_init_arena(&b, &a, 1000);
        base64_encode(&b, cases[i].bytes, BASE64_STD);
        CHECK_STR(buf_str(&b), cases[i].std);
        CHECK_EQ(base64_encoded_size(cases[i].bytes.n, BASE64_STD), cases[i].std.n);
        CHECK_STR(decode(&a, cases[i].std, BASE64_STD | BASE64_STRICT), cases[i].bytes);
        buf_clear(&b);
        base64_encode(&b, cases[i].bytes, BASE64_URL | BASE64_NO_PAD);
        CHECK_STR(buf_str(&b), cases[i].raw);
        CHECK_STR(decode(&a, cases[i].raw, BASE64_NO_PAD | BASE64_STRICT), cases[i].bytes);
    }
    CHECK_STR(decode(&a, S("-_-_"), BASE64_URL), decode(&a, S("+/+/"), BASE64_STD));
    CHECK_EQ(base64_encoded_size(SIZE_MAX, BASE64_STD), SIZE_MAX);
}

TEST(base64_decoding_skips_line_ends_only)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CHECK_STR(decode(&a, S("Zm9v\r\nYmFy\n"), BASE64_STD), "foobar");
    CHECK_STR(decode(&a, S("\nZ\nm\r9\nv\n\n"), BASE64_STD), "foo");
    CHECK_STR(decode(&a, S("Zg=\n=\n"), BASE64_STD), "f");
    CHECK_STR(decode(&a, S("\r\n\r\n"), BASE64_STD), "");
    CHECK_STR(decode(&a, S("Zh=="), BASE64_STD), "f"); /* unused bits, as Go takes them */
}

TEST(base64_errors_name_the_byte_that_go_names)
{
    static const struct {
        const char *text;
        unsigned flags;
        int at;
    } cases[] = {
        {"!!!!", 0, 0},
        {"====", 0, 0},
        {"x===", 0, 1},
        {"=AAA", 0, 0},
        {"A=AA", 0, 1},
        {"AA=A", 0, 2},
        {"AA==A", 0, 4},
        {"AAA=AAAA", 0, 4},
        {"AAAAA", 0, 4},
        {"AAAAAA", 0, 4},
        {"A=", 0, 1},
        {"A==", 0, 1},
        {"AA=", 0, 3},
        {"AA==", 0, -1},
        {"AAA=", 0, -1},
        {"AAAA", 0, -1},
        {"AAAAAA=", 0, 7},
        {"YWJjZA=====", 0, 8},
        {"A!\n", 0, 1},
        {"A=\n", 0, 1},
        {"AAAA AAAA", 0, 4},
        {"Zg", 0, 0},
        {"Zg==", BASE64_NO_PAD, 2},
        {"Zm9vY", BASE64_NO_PAD, 4},
        {"Zm9v+", BASE64_URL, 4},
        {"Zm9vZm9vZm9v_A==", 0, 12},
        {"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eX$h", 0, 34},
        {"Zh==", BASE64_STRICT, 2},
        {"Zm9=", BASE64_STRICT, 3},
        {"Zh", BASE64_STRICT | BASE64_NO_PAD, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_done) struct buf b;
        buf_init(&b, 1000);
        buf_add_lit(&b, "before");
        struct err e = ERR_INIT;
        err_code code = base64_decode(&b, str_from_c(cases[i].text), cases[i].flags, &e);
        if (cases[i].at < 0) {
            CHECK_EQ(code, ERR_NONE);
            continue;
        }
        char want[100];
        snprintf(want, sizeof want, "illegal base64 data at input byte %d", cases[i].at);
        CHECK_EQ(code, ERR_SYNTAX);
        CHECK_STR(e.msg, want);
        CHECK_STR(buf_str(&b), "before");
    }
}

TEST(base64_decodes_into_exactly_the_room_there_is)
{
    for (size_t n = 1; n < 40; n++) {
        CLEANUP(buf_done) struct buf text, out;
        buf_init(&text, 1000);
        buf_init(&out, n);
        char bytes[40];
        memset(bytes, 'y', sizeof bytes);
        base64_encode(&text, str_of(bytes, n), BASE64_STD);
        buf_add_lit(&text, "\n\n\n\n\n\n\n\n");
        CHECK_OK(base64_decode(&out, buf_str(&text), BASE64_STD, &e));
        CHECK_EQ(out.n, n);
        buf_done(&out);
        buf_init(&out, n - 1);
        CHECK_ERR(TOO_LARGE, "larger than", base64_decode(&out, buf_str(&text), BASE64_STD, &e));
        CHECK_EQ(out.n, 0);
    }
}
