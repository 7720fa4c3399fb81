/* utf8.c - UTF-8, with a fast path for runs of ASCII: nearly all text of an API is. */
#include "base/utf8.h"

#define HIGH_BITS 0x8080808080808080u

static uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t load32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap32(v);
}

/* First byte at or after `at` that is not ASCII, or s.n. */
static size_t ascii_end(str s, size_t at)
{
    while (s.n - at >= 32) {
        const char *p = s.p + at;
        if ((load64(p) | load64(p + 8) | load64(p + 16) | load64(p + 24)) & HIGH_BITS)
            break;
        at += 32;
    }
    while (s.n - at >= 8 && !(load64(s.p + at) & HIGH_BITS))
        at += 8;
    while (at < s.n && (unsigned char)s.p[at] < 0x80)
        at++;
    return at;
}

static bool in_range(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Size of the valid code point at p (`n` bytes are there, at least one), or 0. The first byte bounds the second:
 * that is where overlong forms, surrogates and values past the end are told apart (Unicode, table 3-7). */
static size_t sequence_size(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xc2)
        return 0;
    if (c < 0xe0)
        return n >= 2 && is_tail(p[1]) ? 2 : 0;
    if (c < 0xf0) {
        unsigned char low = c == 0xe0 ? 0xa0 : 0x80, high = c == 0xed ? 0x9f : 0xbf;
        return n >= 3 && in_range(p[1], low, high) && is_tail(p[2]) ? 3 : 0;
    }
    if (c < 0xf5) {
        unsigned char low = c == 0xf0 ? 0x90 : 0x80, high = c == 0xf4 ? 0x8f : 0xbf;
        return n >= 4 && in_range(p[1], low, high) && is_tail(p[2]) && is_tail(p[3]) ? 4 : 0;
    }
    return 0;
}

static size_t size_at(str s, size_t at)
{
    return sequence_size((const unsigned char *)s.p + at, s.n - at);
}

/* The same as sequence_size with the four bytes in one word (the first one lowest) and the bits of all of them tested
 * at once: four times as fast where text is not ASCII. */
static size_t sequence_size_of_word(uint32_t v)
{
    if ((v & 0xc0c0f0) == 0x8080e0) {
        uint32_t top = v & 0x200f; /* the first five bits of 16: none, or those of a surrogate */
        return top != 0 && top != 0x200d ? 3 : 0;
    }
    if ((v & 0xc0e0) == 0x80c0)
        return v & 0x1e ? 2 : 0;
    if ((v & 0xc0c0c0f8) == 0x808080f0) {
        uint32_t top = (v & 7) << 2 | (v >> 12 & 3); /* the first five bits of 21 */
        return top >= 1 && top <= 16 ? 4 : 0;
    }
    return (v & 0x80) == 0;
}

/* From `at`, the first byte that does not belong to a valid code point, or s.n. */
static size_t valid_end(str s, size_t at)
{
    for (;;) {
        at = ascii_end(s, at);
        /* Stay here for as long as the text is not ASCII: going back and forth costs more than it saves. */
        while (at < s.n && (unsigned char)s.p[at] >= 0x80) {
            size_t size = s.n - at >= 4 ? sequence_size_of_word(load32(s.p + at)) : size_at(s, at);
            if (!size)
                return at;
            at += size;
        }
        if (at == s.n)
            return at;
    }
}

size_t utf8_valid_prefix(str s)
{
    return s.n ? valid_end(s, 0) : 0;
}

bool utf8_valid(str s)
{
    return utf8_valid_prefix(s) == s.n;
}

size_t utf8_decode(str s, uint32_t *ret)
{
    if (!s.n)
        return 0;
    const unsigned char *p = (const unsigned char *)s.p;
    size_t size = sequence_size(p, s.n);
    switch (size) {
    case 1: *ret = p[0]; break;
    case 2: *ret = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu); break;
    case 3: *ret = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu); break;
    case 4: *ret = (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu); break;
    }
    return size;
}

bool utf8_next(str *rest, uint32_t *ret)
{
    if (!rest->n)
        return false;
    size_t size = utf8_decode(*rest, ret);
    if (!size) {
        *ret = UTF8_REPLACEMENT;
        size = 1;
    }
    *rest = str_from(*rest, size);
    return true;
}

size_t utf8_count(str s)
{
    size_t count = 0;
    for (size_t at = 0; at < s.n; count++) {
        size_t ascii = ascii_end(s, at);
        if (ascii > at) {
            count += ascii - at;
            at = ascii;
            if (at == s.n)
                break;
        }
        at += size_max(size_at(s, at), 1);
    }
    return count;
}

str utf8_cut(str s, size_t max)
{
    if (s.n <= max)
        return s;
    /* Step back over at most three tail bytes to see whether a code point begun before the cut ends after it. */
    for (size_t back = 1; back < UTF8_SIZE_MAX && back <= max; back++) {
        size_t at = max - back;
        if (is_tail((unsigned char)s.p[at]))
            continue;
        if (size_at(s, at) > back)
            return str_slice(s, 0, at);
        break;
    }
    return str_slice(s, 0, max);
}

size_t utf8_encode(uint32_t c, char ret[UTF8_SIZE_MAX])
{
    if (c < 0x80) {
        ret[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        ret[0] = (char)(0xc0 | c >> 6);
        ret[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        if (c >= 0xd800 && c <= 0xdfff)
            return 0;
        ret[0] = (char)(0xe0 | c >> 12);
        ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
        ret[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    if (c > UTF8_MAX)
        return 0;
    ret[0] = (char)(0xf0 | c >> 18);
    ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
    ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
    ret[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

void utf8_add(struct buf *out, uint32_t c)
{
    char bytes[UTF8_SIZE_MAX];
    size_t size = utf8_encode(c, bytes);
    if (!size)
        size = utf8_encode(UTF8_REPLACEMENT, bytes);
    buf_add(out, str_of(bytes, size));
}

void utf8_add_valid(struct buf *out, str s)
{
    while (s.n) {
        size_t good = utf8_valid_prefix(s);
        buf_add(out, str_slice(s, 0, good));
        if (good == s.n)
            return;
        utf8_add(out, UTF8_REPLACEMENT);
        s = str_from(s, good + 1);
    }
}

/* What Go does not call printable, in order: controls, spaces other than ' ', format characters, private use,
 * noncharacters. */
static bool is_printable(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},       {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},       {0x61c, 0x61c},
        {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},       {0x1680, 0x1680},
        {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},     {0x3000, 0x3000},
        {0xd800, 0xf8ff},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},     {0x110bd, 0x110bd},
        {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},   {0x1fffe, 0x1ffff},
        {0xe0000, 0xe00ff}, {0xe01f0, 0xeffff}, {0xf0000, 0xfffff}, {0x100000, UTF8_MAX},
    };
    for (size_t i = 0; i < ARRAY_COUNT(hidden); i++)
        if (c <= hidden[i].last)
            return c < hidden[i].first;
    return true;
}

static void add_escaped(struct buf *out, uint32_t c)
{
    switch (c) {
    case '\a': buf_add_lit(out, "\\a"); return;
    case '\b': buf_add_lit(out, "\\b"); return;
    case '\f': buf_add_lit(out, "\\f"); return;
    case '\n': buf_add_lit(out, "\\n"); return;
    case '\r': buf_add_lit(out, "\\r"); return;
    case '\t': buf_add_lit(out, "\\t"); return;
    case '\v': buf_add_lit(out, "\\v"); return;
    }
    if (c < ' ' || c == 0x7f)
        buf_add_f(out, "\\x%02x", c);
    else if (c < 0x10000)
        buf_add_f(out, "\\u%04x", c);
    else
        buf_add_f(out, "\\U%08x", c);
}

void utf8_add_quoted(struct buf *out, str s)
{
    buf_add_c(out, '"');
    while (s.n) {
        uint32_t c;
        size_t size = utf8_decode(s, &c);
        if (!size) {
            buf_add_f(out, "\\x%02x", (unsigned char)s.p[0]);
            size = 1;
        } else if (c == '"' || c == '\\') {
            buf_add_c(out, '\\');
            buf_add_c(out, (char)c);
        } else if (is_printable(c)) {
            buf_add(out, str_slice(s, 0, size));
        } else {
            add_escaped(out, c);
        }
        s = str_from(s, size);
    }
    buf_add_c(out, '"');
}
