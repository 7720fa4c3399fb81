/* json_lex.c - the less trodden ways of the lexer: escapes, UTF-8, long numbers, errors. */
#include "wire/json_priv.h"
#include <stdarg.h>
#include <stdio.h>

typedef bool byte_kind(unsigned char c);

static bool byte_stops(unsigned char c)
{
    return c == '"' || c == '\\' || c < 0x20;
}

static bool byte_high(unsigned char c)
{
    return c >= 0x80;
}

static bool byte_special(unsigned char c)
{
    return byte_stops(c) || byte_high(c);
}

static bool byte_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool byte_html(unsigned char c)
{
    return c == '<' || c == '>' || c == '&' || c == 0xe2;
}

JSON_INLINE unsigned mask_of(const char *p, byte_kind *is)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < JSON_BLOCK; i++)
        mask |= (unsigned)is((unsigned char)p[i]) << i;
    return mask;
}

unsigned json_mask_special_portable(const char *p)
{
    return mask_of(p, byte_special);
}

unsigned json_mask_stop_portable(const char *p)
{
    return mask_of(p, byte_stops);
}

unsigned json_mask_high_portable(const char *p)
{
    return mask_of(p, byte_high);
}

unsigned json_mask_space_portable(const char *p)
{
    return mask_of(p, byte_space);
}

unsigned json_mask_html_portable(const char *p)
{
    return mask_of(p, byte_html);
}

uint64_t json_scan_last_block(const char *block, const char *end)
{
    char last[JSON_SCAN_SIZE];
    memset(last, '"', sizeof last);
    if (block < end)
        memcpy(last, block, (size_t)(end - block));
    return json_scan_block(last, last + sizeof last);
}

uint64_t json_scan_other_block(const char *block, const char *end)
{
    return json_scan_block(block, end);
}

const char *json_space_slow(const char *p, const char *end)
{
    for (; end - p >= JSON_BLOCK; p += JSON_BLOCK) {
        unsigned other = ~json_mask_space(p) & 0xffff;
        if (LIKELY(other))
            return p + __builtin_ctz(other);
    }
    while (p < end && byte_space((unsigned char)*p))
        p++;
    return p;
}

static bool is_continuation(char c)
{
    return (c & 0xc0) == 0x80;
}

/* Length of the well-formed sequence at p that is not ASCII, or 0 (Unicode, table 3-7). */
static unsigned utf8_sequence(const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p;
    size_t left = (size_t)(end - p);
    if (c < 0xc2 || c > 0xf4 || left < 2 || !is_continuation(p[1]))
        return 0;
    if (c < 0xe0)
        return 2;
    unsigned char second = (unsigned char)p[1];
    if (left < 3 || !is_continuation(p[2]))
        return 0;
    if (c < 0xf0)
        return (c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ? 0 : 3;
    if (left < 4 || !is_continuation(p[3]))
        return 0;
    return (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f) ? 0 : 4;
}

const char *json_utf8_bad(const char *p, const char *end)
{
    while (p < end) {
        if (end - p >= JSON_BLOCK) {
            unsigned high = json_mask_high(p);
            if (!high) {
                p += JSON_BLOCK;
                continue;
            }
            p += __builtin_ctz(high);
        } else if (!byte_high((unsigned char)*p)) {
            p++;
            continue;
        }
        /* Text that is not ASCII goes on so for a while. */
        do {
            unsigned n = utf8_sequence(p, end);
            if (!n)
                return p;
            p += n;
        } while (p < end && byte_high((unsigned char)*p));
    }
    return NULL;
}

static void place_of(const struct json_reader *r, const char *at, size_t *ret_line, size_t *ret_byte)
{
    size_t line = 1;
    const char *start = r->start;
    for (const char *nl; start < at && (nl = memchr(start, '\n', (size_t)(at - start))); start = nl + 1)
        line++;
    *ret_line = line;
    *ret_byte = (size_t)(at - start) + 1;
}

const char *json_fail(struct json_reader *r, const char *at, const char *fmt, ...)
{
    if (r->failed)
        return NULL;
    char text[sizeof r->err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t line, byte;
    place_of(r, at, &line, &byte);
    err_set(r->err, ERR_SYNTAX, "line %zu, byte %zu: %s", line, byte, text);
    r->failed = true;
    r->p = r->end;
    return NULL;
}

const char *json_fail_expected(struct json_reader *r, const char *at, const char *what)
{
    if (at >= r->end)
        return json_fail(r, at, "expected %s, found the end of the text", what);
    unsigned char c = (unsigned char)*at;
    if (c > ' ' && c < 0x7f)
        return json_fail(r, at, "expected %s, found '%c'", what, c);
    return json_fail(r, at, "expected %s, found byte 0x%02x", what, c);
}

const char *json_fail_depth(struct json_reader *r, const char *at)
{
    json_fail(r, at, "nested deeper than %u levels", r->depth_max);
    r->err->code = ERR_TOO_LARGE;
    return NULL;
}

/* Four hexadecimal digits, or -1. */
static int hex4(const char *p, const char *end)
{
    uint64_t v;
    return end - p >= 4 && str_parse_u64_hex(str_of(p, 4), &v) ? (int)v : -1;
}

char *json_utf8_put(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* The escape uXXXX whose 'u' is at p; a pair of surrogates is one character, half a pair becomes U+FFFD as for the
 * original. Moves *to; returns the place behind it. */
static const char *unescape_u(struct json_reader *r, const char *p, const char *end, char **to)
{
    int c = hex4(p + 1, end);
    if (c < 0)
        return json_fail(r, p - 1, "expected four hexadecimal digits after \\u");
    p += 5;
    unsigned code = (unsigned)c;
    if (code >= 0xd800 && code < 0xe000) {
        int low = code < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + ((unsigned)low - 0xdc00);
            p += 6;
        } else {
            code = 0xfffd;
        }
    }
    *to = json_utf8_put(*to, code);
    return p;
}

/* The escape behind the backslash, at p. */
static inline const char *unescape_one(struct json_reader *r, const char *p, const char *end, char **to)
{
    static const char meaning[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                      ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    char c = meaning[(unsigned char)*p];
    if (LIKELY(c)) {
        *(*to)++ = c;
        return p + 1;
    }
    if (*p == 'u')
        return unescape_u(r, p, end, to);
    return json_fail_expected(r, p, "one of \"\\/bfnrtu after a backslash");
}

/* Bit i is set when byte i of the 64 at p (fewer before the end) ends a string or begins an escape. */
static uint64_t stops_of(const char *p, const char *end, unsigned *high)
{
    uint64_t stops = 0;
    if (end - p < JSON_SCAN_SIZE) {
        for (unsigned i = 0; p + i < end; i++) {
            stops |= (uint64_t)byte_stops((unsigned char)p[i]) << i;
            *high |= byte_high((unsigned char)p[i]);
        }
        return stops;
    }
    for (unsigned i = 0; i < JSON_SCAN_SIZE; i += JSON_BLOCK) {
        stops |= (uint64_t)json_mask_stop(p + i) << i;
        *high |= json_mask_high(p + i);
    }
    return stops;
}

/* As far as whole blocks go, with room for one more: from *p to *to, escapes replaced. False: failed. */
static bool unescape_blocks(struct json_reader *r, const char **p, const char *end, char **to)
{
    while (end - *p >= JSON_SCAN_SIZE * 2) {
        unsigned high = 0;
        const char *block = *p, *from = block;
        uint64_t stops = stops_of(block, end, &high);
        while (stops) {
            const char *at = block + __builtin_ctzll(stops);
            /* More than needed; there is room for it: `to` is not nearer to its end than p is. */
            memcpy(*to, from, JSON_SCAN_SIZE);
            *to += at - from;
            from = unescape_one(r, at + 1, end, to);
            if (UNLIKELY(!from))
                return false;
            size_t done = (size_t)(from - block);
            stops = LIKELY(done < JSON_SCAN_SIZE) ? stops & ~(uint64_t)0 << done : 0;
        }
        *p = from;
        if (from < block + JSON_SCAN_SIZE) {
            memcpy(*to, from, JSON_SCAN_SIZE);
            *to += block + JSON_SCAN_SIZE - from;
            *p = block + JSON_SCAN_SIZE;
        }
    }
    return true;
}

/* [p, end) is what stood between the quotes; what it means, which is never longer, goes into the arena. */
static bool unescape(struct json_reader *r, const char *p, const char *end)
{
    char *text = arena_alloc(r->arena, (size_t)(end - p), 1), *to = text;
    if (!unescape_blocks(r, &p, end, &to))
        return false;
    while (p < end) {
        size_t plain = *p != '\\';
        if (end - p >= JSON_BLOCK) {
            unsigned stop = json_mask_stop(p);
            plain = stop ? (unsigned)__builtin_ctz(stop) : JSON_BLOCK;
            memcpy(to, p, JSON_BLOCK);
        } else {
            *to = *p;
        }
        p += plain;
        to += plain;
        if (p == end || *p != '\\')
            continue;
        p = unescape_one(r, p + 1, end, &to);
        if (UNLIKELY(!p))
            return false;
    }
    r->lexed = (struct json){.type = JSON_STRING, .n = (uint32_t)(to - text), .v.s = text};
    return true;
}

/* Only the check. */
static bool escapes_ok(struct json_reader *r, const char *p, const char *end)
{
    while ((p = memchr(p, '\\', (size_t)(end - p)))) {
        char ignored[4], *to = ignored;
        p = unescape_one(r, p + 1, end, &to);
        if (!p)
            return false;
    }
    return true;
}

/* The quote or control character that ends the string, or end. Says whether there are escapes, and 0 in *ret_high when
 * all is ASCII. */
static const char *string_end(const char *p, const char *end, bool *ret_escapes, unsigned *ret_high)
{
    const char *escaped = NULL; /* this byte is */
    for (; p < end; p += JSON_SCAN_SIZE) {
        for (uint64_t stops = stops_of(p, end, ret_high); stops; stops &= stops - 1) {
            const char *at = p + __builtin_ctzll(stops);
            if (at == escaped)
                continue;
            if (*at != '\\')
                return at;
            *ret_escapes = true;
            escaped = at + 1;
        }
        if (end - p < JSON_SCAN_SIZE)
            break;
    }
    return end;
}

const char *json_lex_string_slow(struct json_reader *r, const char *start, const char *p, bool keep)
{
    bool escapes = false;
    unsigned high = 0;
    const char *plain = p;
    p = string_end(p, r->end, &escapes, &high);
    if (p == r->end)
        return json_fail(r, p, "expected a closing quote, found the end of the text");
    if (*p != '"')
        return json_fail(r, p, "control character 0x%02x in a string must be escaped", *p);
    const char *bad = high ? json_utf8_bad(plain, p) : NULL;
    if (bad)
        return json_fail(r, bad, "byte 0x%02x is not valid UTF-8 here", (unsigned char)*bad);
    if (escapes)
        return (keep ? unescape(r, start, p) : escapes_ok(r, start, p)) ? p + 1 : NULL;
    r->lexed = (struct json){.type = JSON_STRING, .n = (uint32_t)(p - start), .v.s = start};
    return p + 1;
}

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static const char *digits_end(const char *p, const char *end)
{
    while (is_digit(p, end))
        p++;
    return p;
}

const char *json_lex_number_slow(struct json_reader *r, const char *start)
{
    const char *end = r->end, *p = start + (*start == '-');
    bool whole = true;
    if (!is_digit(p, end))
        return json_fail_expected(r, p, "a digit");
    if (*p == '0' && is_digit(p + 1, end))
        return json_fail(r, p, "a number may not begin with 0 and another digit");
    p = digits_end(p, end);
    if (p < end && *p == '.') {
        whole = false;
        if (!is_digit(++p, end))
            return json_fail_expected(r, p, "a digit after the point");
        p = digits_end(p, end);
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        whole = false;
        p++;
        p += p < end && (*p == '+' || *p == '-');
        if (!is_digit(p, end))
            return json_fail_expected(r, p, "a digit in the exponent");
        p = digits_end(p, end);
    }
    str number = str_of(start, (size_t)(p - start));
    struct json j = {.type = JSON_INT};
    if (!whole || !str_parse_i64(number, &j.v.i)) {
        j.type = JSON_FLOAT;
        if (!json_parse_float(number, &j.v.f))
            return json_fail(r, start, "number is too large for a double");
    }
    r->lexed = j;
    return p;
}
