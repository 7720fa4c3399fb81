#include "base/utf8.h"
#include "harness/test.h"

/* The rules once more, slowly: collect the bits, then ask what the number is and how it should have been written. */
static size_t reference_decode(const uint8_t *p, size_t n, uint32_t *ret)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t ones = 0;
    while (ones < 8 && (p[0] & 0x80 >> ones))
        ones++;
    size_t size = ones ? ones : 1;
    if (ones == 1 || ones > 4 || n < size)
        return 0;
    uint32_t c = p[0] & (0xffu >> (ones + (ones > 0)));
    for (size_t i = 1; i < size; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < smallest[size] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        return 0;
    *ret = c;
    return size;
}

FUZZ(utf8)
{
    str s = str_of((const char *)data, size);
    CLEANUP(buf_done) struct buf repaired, again;
    buf_init(&repaired, size * 3 + 16);
    buf_init(&again, size * 3 + 16);
    size_t count = 0, first_bad = SIZE_MAX;
    str rest = s;
    for (size_t at = 0; at < size; count++) {
        uint32_t want = UTF8_REPLACEMENT, got;
        size_t n = reference_decode(data + at, size - at, &want);
        if (!n && first_bad == SIZE_MAX)
            first_bad = at;
        CHECK(utf8_next(&rest, &got));
        CHECK_EQ(got, want);
        utf8_add(&again, got);
        at += n ? n : 1;
        CHECK_EQ(rest.n, size - at);
    }
    CHECK_EQ(utf8_count(s), count);
    CHECK_EQ(utf8_valid_prefix(s), first_bad == SIZE_MAX ? size : first_bad);
    CHECK_EQ(utf8_valid(s), first_bad == SIZE_MAX);
    utf8_add_valid(&repaired, s);
    CHECK_STR(buf_str(&repaired), buf_str(&again));
    CHECK(utf8_valid(buf_str(&repaired)));
    if (first_bad == SIZE_MAX)
        for (size_t max = 0; max <= size && max < 40; max++)
            CHECK(utf8_valid(utf8_cut(s, max)));
    buf_done(&again);
    buf_init(&again, size * 10 + 16);
    utf8_add_quoted(&again, s);
    CHECK(utf8_valid(buf_str(&again)));
    CHECK_OK(buf_check(&again, &e));
}
