#include "base/arena.h"
#include "base/utf8.h"
#include "harness/test.h"

TEST(utf8_takes_the_shortest_form_only)
{
    static const str good[] = {
        S_INIT(""),
        S_INIT("plain"),
        S_INIT("\x7f"),
        S_INIT("\xc2\x80"),
        S_INIT("\xdf\xbf"),
        S_INIT("\xe0\xa0\x80"),
        S_INIT("\xed\x9f\xbf"),
        S_INIT("\xee\x80\x80"),
        S_INIT("\xef\xbf\xbf"),
        S_INIT("\xf0\x90\x80\x80"),
        S_INIT("\xf4\x8f\xbf\xbf"),
        S_INIT("a\0b"),
    };
    static const str bad[] = {
        S_INIT("\x80"),             /* a tail alone */
        S_INIT("\xc0\x80"),         /* NUL in two bytes */
        S_INIT("\xc1\xbf"),         /* overlong */
        S_INIT("\xe0\x9f\xbf"),     /* overlong */
        S_INIT("\xf0\x8f\xbf\xbf"), /* overlong */
        S_INIT("\xed\xa0\x80"),     /* surrogates */
        S_INIT("\xed\xbf\xbf"),     /* surrogates */
        S_INIT("\xf4\x90\x80\x80"), /* above U+10FFFF */
        S_INIT("\xf5\x80\x80\x80"), /* above U+10FFFF */
        S_INIT("\xff"),
        S_INIT("\xc2"), /* cut short */
        S_INIT("\xe0\xa0"),
        S_INIT("\xf0\x90\x80"),
        S_INIT("\xc2 "),
        S_INIT("\xe2\x82("),
        S_INIT("\xf0\x9f\x98\x28"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK(utf8_valid(good[i]));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (utf8_valid(bad[i]))
            FAIL("bad[%zu] passes", i);
        uint32_t c;
        CHECK_EQ(utf8_decode(bad[i], &c), 0);
    }
}

TEST(utf8_every_code_point_survives_encode_and_decode)
{
    for (uint32_t c = 0; c <= UTF8_MAX + 10; c++) {
        char bytes[UTF8_SIZE_MAX];
        size_t size = utf8_encode(c, bytes);
        bool none = (c >= 0xd800 && c <= 0xdfff) || c > UTF8_MAX;
        CHECK_EQ(size == 0, none);
        uint32_t back = 0;
        CHECK_EQ(utf8_decode(str_of(bytes, size), &back), size);
        CHECK_EQ(back, none ? 0 : c);
    }
}

TEST(utf8_long_and_short_texts_are_judged_alike)
{
    /* Every beginning of a sequence, in the middle of a text and at its end: the two are read in different ways. */
    static const unsigned char tails[] = {0x7f, 0x80, 0xbf, 0xc0};
    for (unsigned first = 0; first < 0x10000; first++) {
        for (unsigned i = 0; i < 16; i++) {
            char text[9] = {(char)(first >> 8),
                            (char)first,
                            (char)tails[i / 4],
                            (char)tails[i % 4],
                            'x',
                            'x',
                            'x',
                            'x',
                            'x'};
            size_t want = 0, size;
            uint32_t c;
            while (want < 4 && (size = utf8_decode(str_of(text + want, sizeof text - want), &c)))
                want += size;
            size_t got = utf8_valid_prefix(str_of(text, sizeof text));
            CHECK_EQ(size_min(got, 4), want);
            CHECK_EQ(got == sizeof text, want == 4);
        }
    }
}

TEST(utf8_finds_a_bad_byte_wherever_it_stands_in_ascii)
{
    char text[80];
    for (size_t n = 1; n < sizeof text; n++) {
        memset(text, 'x', sizeof text);
        CHECK(utf8_valid(str_of(text, n)));
        for (size_t at = 0; at < n; at++) {
            text[at] = (char)0xbf;
            CHECK_EQ(utf8_valid_prefix(str_of(text, n)), at);
            CHECK_EQ(utf8_count(str_of(text, n)), n);
            text[at] = 'x';
        }
    }
}

TEST(utf8_bad_bytes_are_replaced_one_by_one)
{
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 1000);
    utf8_add_valid(&b, S("a\xff\xfe\xe2\x82z\xf0\x9f\x98\x80"));
    CHECK_STR(buf_str(&b), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xf0\x9f\x98\x80");
    CHECK_EQ(utf8_count(S("a\xff\xfe\xe2\x82z\xf0\x9f\x98\x80")), 7);
    str rest = S("\xe4\xb8\x96\xe4\xb8");
    uint32_t c;
    CHECK(utf8_next(&rest, &c));
    CHECK_EQ(c, 0x4e16);
    CHECK(utf8_next(&rest, &c));
    CHECK_EQ(c, UTF8_REPLACEMENT);
    CHECK(utf8_next(&rest, &c));
    CHECK_EQ(c, UTF8_REPLACEMENT);
    CHECK(!utf8_next(&rest, &c));
    buf_clear(&b);
    utf8_add(&b, 0xd800);
    CHECK_STR(buf_str(&b), "\xef\xbf\xbd");
}

TEST(utf8_cut_does_not_split_a_code_point)
{
    str s = S("ab\xf0\x9f\x98\x80z");
    static const size_t want[] = {0, 1, 2, 2, 2, 2, 6, 7, 7};
    for (size_t max = 0; max < ARRAY_COUNT(want); max++)
        CHECK_EQ(utf8_cut(s, max).n, want[max]);
    CHECK_EQ(utf8_cut(S("a\x80\x80\x80\x80"), 3).n, 3);
    CHECK_EQ(utf8_cut(S("\xe2\x82"), 1).n, 1);
}

TEST(utf8_quotes_as_go_does)
{
    static const struct {
        str in;
        const char *want;
    } cases[] = {
        {S_INIT(""), "\"\""},
        {S_INIT("a b"), "\"a b\""},
        {S_INIT("say \"x\\y\""), "\"say \\\"x\\\\y\\\"\""},
        {S_INIT("\a\b\f\n\r\t\v"), "\"\\a\\b\\f\\n\\r\\t\\v\""},
        {S_INIT("\0\x1b\x7f"), "\"\\x00\\x1b\\x7f\""},
        {S_INIT("\xff"), "\"\\xff\""},
        {S_INIT("\xc3\xa9\xe4\xb8\x96"), "\"\xc3\xa9\xe4\xb8\x96\""},
        {S_INIT("\xc2\xa0"), "\"\\u00a0\""},     /* no-break space */
        {S_INIT("\xe2\x80\xae"), "\"\\u202e\""}, /* right-to-left override */
        {S_INIT("\xef\xbb\xbf"), "\"\\ufeff\""}, /* byte order mark */
        {S_INIT("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\""},
        {S_INIT("\xf3\xa0\x80\x81"), "\"\\U000e0001\""},
        {S_INIT("\xf4\x8f\xbf\xbf"), "\"\\U0010ffff\""},
    };
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        buf_clear(&b);
        utf8_add_quoted(&b, cases[i].in);
        CHECK_STR(buf_str(&b), cases[i].want);
    }
}
