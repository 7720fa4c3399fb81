/* base64.c - four characters at a time; whatever is not four plain characters goes through decode_quantum. */
#include "base/base64.h"

#define NOT_A_DIGIT 0xff

static const char digits_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static inline unsigned digit_value(unsigned char c, bool url)
{
    /* Stored shifted by one, so that what is not listed is 0 and becomes NOT_A_DIGIT. */
    static const uint8_t table[256] = {
        ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
        ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
        ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
        ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
        ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
        ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
        ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
        ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62,
    };
    unsigned v = (uint8_t)(table[c] - 1);
    if (v != NOT_A_DIGIT)
        return v;
    if (c == (url ? '-' : '+'))
        return 62;
    if (c == (url ? '_' : '/'))
        return 63;
    return NOT_A_DIGIT;
}

size_t base64_encoded_size(size_t n, unsigned flags)
{
    size_t size;
    if (__builtin_mul_overflow(n / 3, 4, &size))
        return SIZE_MAX;
    size_t rest = n % 3;
    size_t tail = rest == 0 ? 0 : flags & BASE64_NO_PAD ? rest + 1 : 4;
    return tail <= SIZE_MAX - size ? size + tail : SIZE_MAX;
}

static char *encode_tail(char *to, const unsigned char *p, size_t n, const char *digits, bool pad)
{
    unsigned v = (unsigned)p[0] << 16 | (n == 2 ? (unsigned)p[1] << 8 : 0);
    *to++ = digits[v >> 18];
    *to++ = digits[v >> 12 & 63];
    if (n == 2)
        *to++ = digits[v >> 6 & 63];
    else if (pad)
        *to++ = '=';
    if (pad)
        *to++ = '=';
    return to;
}

void base64_encode(struct buf *out, str bytes, unsigned flags)
{
    size_t size = base64_encoded_size(bytes.n, flags);
    char *to = size ? buf_room(out, size) : NULL;
    if (!to)
        return;
    const char *digits = flags & BASE64_URL ? digits_url : digits_std;
    const unsigned char *p = (const unsigned char *)bytes.p;
    size_t left = bytes.n;
    for (; left >= 3; p += 3, left -= 3, to += 4) {
        unsigned v = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
        to[0] = digits[v >> 18];
        to[1] = digits[v >> 12 & 63];
        to[2] = digits[v >> 6 & 63];
        to[3] = digits[v & 63];
    }
    if (left)
        encode_tail(to, p, left, digits, !(flags & BASE64_NO_PAD));
    buf_commit(out, size);
}

struct decoder {
    const unsigned char *text;
    size_t at, n;
    bool url, padded, strict;
    size_t bad_at; /* SIZE_MAX: none yet */
};

static size_t fail_at(struct decoder *d, size_t at)
{
    d->bad_at = at;
    return 0;
}

static void skip_line_ends(struct decoder *d)
{
    while (d->at < d->n && (d->text[d->at] == '\n' || d->text[d->at] == '\r'))
        d->at++;
}

/* After the first '=' of a quantum that has `digit_count` digits: the rest of the padding, and then nothing. */
static bool take_padding(struct decoder *d, size_t digit_count)
{
    if (digit_count < 2)
        return fail_at(d, d->at - 1);
    if (digit_count == 2) {
        skip_line_ends(d);
        if (d->at == d->n)
            return fail_at(d, d->n);
        if (d->text[d->at] != '=')
            return fail_at(d, d->at - 1);
        d->at++;
    }
    skip_line_ends(d);
    return d->at == d->n || fail_at(d, d->at);
}

/* Up to four digits with line ends and padding among them; tells how many bytes they gave (0: nothing left, or bad). */
static size_t decode_quantum(struct decoder *d, char ret[3])
{
    unsigned v = 0;
    size_t digit_count = 0;
    while (digit_count < 4) {
        if (d->at == d->n) {
            if (digit_count == 0)
                return 0;
            if (digit_count == 1 || d->padded)
                return fail_at(d, d->at - digit_count);
            break;
        }
        unsigned char c = d->text[d->at++];
        unsigned digit = digit_value(c, d->url);
        if (digit != NOT_A_DIGIT) {
            v = v << 6 | digit;
            digit_count++;
        } else if (c == '=' && d->padded) {
            if (!take_padding(d, digit_count))
                return 0;
            break;
        } else if (c != '\n' && c != '\r') {
            return fail_at(d, d->at - 1);
        }
    }
    v <<= 6 * (4 - digit_count);
    if (d->strict && digit_count == 3 && (v & 0xff))
        return fail_at(d, d->at - 1);
    if (d->strict && digit_count == 2 && (v & 0xffff))
        return fail_at(d, d->at - 2);
    ret[0] = (char)(v >> 16);
    ret[1] = (char)(v >> 8);
    ret[2] = (char)v;
    return digit_count - 1;
}

/* As many whole quanta of plain digits as there are, into the room that `out` has. */
static void decode_plain(struct decoder *d, struct buf *out)
{
    size_t room = out->cap - out->n;
    if (room < 3)
        return;
    char *to = out->p + out->n;
    size_t at = d->at, n = 0;
    for (; d->n - at >= 4 && room - n >= 3; at += 4, n += 3) {
        const unsigned char *p = d->text + at;
        unsigned a = digit_value(p[0], d->url), b = digit_value(p[1], d->url);
        unsigned c = digit_value(p[2], d->url), e = digit_value(p[3], d->url);
        if ((a | b | c | e) == NOT_A_DIGIT) /* real ones are below 64 */
            break;
        unsigned v = a << 18 | b << 12 | c << 6 | e;
        to[n] = (char)(v >> 16);
        to[n + 1] = (char)(v >> 8);
        to[n + 2] = (char)v;
    }
    d->at = at;
    buf_commit(out, n);
}

err_code base64_decode(struct buf *out, str text, unsigned flags, struct err *err)
{
    struct decoder d = {
        .text = (const unsigned char *)text.p,
        .n = text.n,
        .url = flags & BASE64_URL,
        .padded = !(flags & BASE64_NO_PAD),
        .strict = flags & BASE64_STRICT,
        .bad_at = SIZE_MAX,
    };
    size_t before = out->n;
    /* More than is needed when there are line ends, so never a reason to fail: what does not fit is found below. */
    size_t room = size_min(text.n / 4 * 3, out->max - out->n);
    if (room)
        buf_room(out, room);
    while (d.at < d.n && d.bad_at == SIZE_MAX && !out->failed) {
        decode_plain(&d, out);
        char bytes[3];
        buf_add(out, str_of(bytes, decode_quantum(&d, bytes)));
    }
    if (d.bad_at != SIZE_MAX || out->failed)
        out->n = before;
    if (d.bad_at != SIZE_MAX)
        return err_set(err, ERR_SYNTAX, "illegal base64 data at input byte %zu", d.bad_at);
    return buf_check(out, err);
}
