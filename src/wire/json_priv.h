/* json_priv.h - what the tree parser, the reader and the printer share: scanning text, lexing strings and numbers.
 * The lexer's state is a struct json_reader. Functions take the place they are at and return the place behind what
 * they took, or NULL after they have set r->err, so that a caller can keep its place in a register. */
#ifndef WIRE_JSON_PRIV_H
#define WIRE_JSON_PRIV_H

#include "wire/json.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define JSON_INLINE static inline __attribute__((always_inline))

/* Sixteen bytes at once: bit i is set when byte i is of the kind. The _portable ones are what other machines use and
 * what the tests compare with. */
enum { JSON_BLOCK = 16 };
unsigned json_mask_special_portable(const char *p);
unsigned json_mask_stop_portable(const char *p);
unsigned json_mask_high_portable(const char *p);
unsigned json_mask_space_portable(const char *p);
unsigned json_mask_html_portable(const char *p);

#ifdef __SSE2__
JSON_INLINE __m128i json_load(const char *p)
{
    __m128i v;
    memcpy(&v, p, sizeof v);
    return v;
}
JSON_INLINE __m128i json_is(__m128i v, char c)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}
#endif

/* What ends a plain run of a string, or is not ASCII: quote, backslash, control characters, high bytes. */
JSON_INLINE unsigned json_mask_special(const char *p)
{
#ifdef __SSE2__
    __m128i v = json_load(p);
    /* As signed bytes the control characters and the high bytes are together: all below the space. */
    __m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(json_is(v, '"'), json_is(v, '\\'))));
#else
    return json_mask_special_portable(p);
#endif
}

/* Quote, backslash, control characters. */
JSON_INLINE unsigned json_mask_stop(const char *p)
{
#ifdef __SSE2__
    __m128i v = json_load(p);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(control, _mm_or_si128(json_is(v, '"'), json_is(v, '\\'))));
#else
    return json_mask_stop_portable(p);
#endif
}

/* Not ASCII. */
JSON_INLINE unsigned json_mask_high(const char *p)
{
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8(json_load(p));
#else
    return json_mask_high_portable(p);
#endif
}

/* Space, tab, CR, LF. */
JSON_INLINE unsigned json_mask_space(const char *p)
{
#ifdef __SSE2__
    __m128i v = json_load(p);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(json_is(v, ' '), json_is(v, '\n')),
                                                    _mm_or_si128(json_is(v, '\t'), json_is(v, '\r'))));
#else
    return json_mask_space_portable(p);
#endif
}

/* What a printer for HTML must look at besides the above: <, >, & and 0xe2, which begins U+2028 and U+2029. */
JSON_INLINE unsigned json_mask_html(const char *p)
{
#ifdef __SSE2__
    __m128i v = json_load(p);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(json_is(v, '<'), json_is(v, '>')),
                                                    _mm_or_si128(json_is(v, '&'), json_is(v, '\xe2'))));
#else
    return json_mask_html_portable(p);
#endif
}

/* The first byte at or behind p that is not space, or end. */
const char *json_space_slow(const char *p, const char *end);
JSON_INLINE const char *json_space(const char *p, const char *end)
{
    return LIKELY(p < end && (unsigned char)*p > ' ') ? p : json_space_slow(p, end);
}

/* The first byte that makes [p, end) invalid UTF-8 (surrogates and overlong forms are), or NULL. */
const char *json_utf8_bad(const char *p, const char *end);
/* Writes the character (1 to 4 bytes); returns the place behind it. */
char *json_utf8_put(char *to, uint32_t c);

/* Fails at byte `at` of the text: "line L, byte B: ...". The first error stays; the place becomes the end, so that the
 * usual checks for it find that nothing more can be read. Returns NULL, for the lexer to return in turn. */
const char *json_fail(struct json_reader *r, const char *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same for "expected WHAT, found ...". */
COLD const char *json_fail_expected(struct json_reader *r, const char *at, const char *what);
COLD const char *json_fail_depth(struct json_reader *r, const char *at);

/* Where strings begin and end: bit i of `special` is set when byte i of the 64 at `block` is special (or behind the
 * text), `pending` are those of them that were not met yet. Blocks follow each other on a fixed grid, and bits are taken
 * in their order, so that the processor finds the ends of the next strings while it is still busy with this one: when
 * each string was searched from its start, all waited for each other. */
enum { JSON_SCAN_SIZE = 64 };
uint64_t json_scan_last_block(const char *block, const char *end);
JSON_INLINE uint64_t json_scan_block(const char *block, const char *end)
{
    if (UNLIKELY(end - block < JSON_SCAN_SIZE))
        return json_scan_last_block(block, end);
    uint64_t special = 0;
    for (unsigned i = 0; i < JSON_SCAN_SIZE; i += JSON_BLOCK)
        special |= (uint64_t)json_mask_special(block + i) << i;
    return special;
}

/* To p, whatever was met before. (Nothing takes the address of the scan, so that it stays in registers.) */
uint64_t json_scan_other_block(const char *block, const char *end);
JSON_INLINE void json_scan_jump(struct json_scan *s, const char *p, const char *end)
{
    size_t ahead = (size_t)(p - s->block);
    if (ahead >= JSON_SCAN_SIZE) {
        s->block += (ptrdiff_t)(ahead & ~(size_t)(JSON_SCAN_SIZE - 1));
        s->special = json_scan_other_block(s->block, end);
    }
    s->pending = s->special & ~(uint64_t)0 << (p - s->block);
}

/* The next special byte, or end. */
JSON_INLINE const char *json_scan_peek(struct json_scan *s, const char *end)
{
    while (UNLIKELY(!s->pending)) {
        s->block += JSON_SCAN_SIZE;
        s->special = s->pending = json_scan_block(s->block, end);
    }
    return s->block + __builtin_ctzll(s->pending);
}

/* Behind the string whose opening quote is at p: the special byte that ends it, or end. */
JSON_INLINE const char *json_scan_string(struct json_scan *s, const char *p, const char *end)
{
    /* Something else lies in between after line feeds and after strings that were not plain. */
    if (UNLIKELY(json_scan_peek(s, end) != p))
        json_scan_jump(s, p, end);
    s->pending &= s->pending - 1;
    p = json_scan_peek(s, end);
    s->pending &= s->pending - 1;
    return p;
}

/* The rest of a string from the first byte that is special. What it is goes to r->lexed (so that nobody's own variable
 * has to lie in memory for it), if it is to be kept and not only checked. */
const char *json_lex_string_slow(struct json_reader *r, const char *start, const char *p, bool keep);

/* p is at the opening quote. The string is borrowed from the text, or in the arena when it has escapes; `ret` may be
 * NULL. */
JSON_INLINE const char *json_lex_string(struct json_reader *r, struct json_scan *s, const char *p,
                                        struct json *ret)
{
    const char *start = p + 1;
    p = json_scan_string(s, p, r->end);
    if (UNLIKELY(p >= r->end || *p != '"')) {
        p = json_lex_string_slow(r, start, p, ret != NULL);
        if (ret)
            *ret = r->lexed;
        return p;
    }
    if (ret)
        *ret = (struct json){.type = JSON_STRING, .n = (uint32_t)(p - start), .v.s = start};
    return p + 1;
}

const char *json_lex_number_slow(struct json_reader *r, const char *start);

/* p is at the minus or the first digit (or at what is neither: an error). */
JSON_INLINE const char *json_lex_number(struct json_reader *r, const char *p, struct json *ret)
{
    const char *start = p, *end = r->end;
    bool negative = *p == '-';
    const char *digits = p += negative;
    uint64_t v = 0;
    for (unsigned digit; p < end && (digit = (unsigned)(unsigned char)*p - '0') <= 9; p++)
        v = v * 10 + digit;
    size_t n = (size_t)(p - digits);
    /* Up to 18 digits fit; the rest (long, fraction, exponent, leading zero, no digit) is for the slow way. */
    if (UNLIKELY(n - 1 > 17 || (*digits == '0' && n > 1) || (p < end && (*p == '.' || (*p | 0x20) == 'e')))) {
        p = json_lex_number_slow(r, start);
        *ret = r->lexed;
        return p;
    }
    *ret = (struct json){.type = JSON_INT, .v.i = negative ? -(int64_t)v : (int64_t)v};
    return p;
}

/* null, true, false; p is at the first letter. */
JSON_INLINE const char *json_lex_word(struct json_reader *r, const char *p, struct json *ret)
{
    if (r->end - p >= 4 && memcmp(p, "true", 4) == 0) {
        *ret = (struct json){.type = JSON_TRUE};
        return p + 4;
    }
    if (r->end - p >= 5 && memcmp(p, "false", 5) == 0) {
        *ret = (struct json){.type = JSON_FALSE};
        return p + 5;
    }
    if (r->end - p >= 4 && memcmp(p, "null", 4) == 0) {
        *ret = (struct json){.type = JSON_NULL};
        return p + 4;
    }
    return json_fail_expected(r, p, "a value");
}

/* Any value that is not a container; p is before the end. */
JSON_INLINE const char *json_lex_scalar(struct json_reader *r, struct json_scan *s, const char *p,
                                        struct json *ret)
{
    if (*p == '"')
        return json_lex_string(r, s, p, ret);
    if (*p == '-' || (unsigned char)(*p - '0') <= 9)
        return json_lex_number(r, p, ret);
    return json_lex_word(r, p, ret);
}

/* To the byte `c`, which mostly is at p, else behind space; when it is not there, to what is instead. */
JSON_INLINE const char *json_to(const char *p, const char *end, char c)
{
    return LIKELY(p < end && *p == c) ? p : json_space(p, end);
}

/* A name and its colon, to the start of the value; `ret` may be NULL. */
JSON_INLINE const char *json_lex_name(struct json_reader *r, struct json_scan *s, const char *p,
                                      struct json *ret)
{
    p = json_to(p, r->end, '"');
    if (UNLIKELY(p >= r->end || *p != '"'))
        return json_fail_expected(r, p, "a name in quotes");
    p = json_lex_string(r, s, p, ret);
    if (UNLIKELY(!p))
        return NULL;
    p = json_to(p, r->end, ':');
    if (UNLIKELY(p >= r->end || *p != ':'))
        return json_fail_expected(r, p, "':' after a name");
    return json_space(p + 1, r->end);
}

/* The double nearest to `number` (which keeps to JSON's grammar), ties to even. False: it would be infinite. */
bool json_parse_float(str number, double *ret);
/* |f|, finite and not 0, as 0.DIGITS * 10^exponent with the fewest digits that give it back; of those the nearest.
 * digits has room for 17; returns how many. */
unsigned json_float_digits(double f, char *digits, int *ret_exponent);

/* Walking a tree without recursion: what is open, outermost first. A tree that was edited can be deeper than a text. */
struct json_level {
    const struct json *j;
    const struct json *other;           /* json_equal: the partner */
    const struct json_member **members; /* in order of name, on the heap; NULL: as they stand */
    uint32_t at;                        /* next child */
};
struct json_levels {
    struct json_level *p;
    size_t n, cap;
    struct json_level first[JSON_DEPTH_MAX];
};
void json_levels_init(struct json_levels *l);
void json_levels_done(struct json_levels *l);
struct json_level *json_levels_push(struct json_levels *l, const struct json *j);
void json_levels_pop(struct json_levels *l);
/* Members of `object` by name, on the heap. */
const struct json_member **json_order(const struct json *object);
bool json_is_sorted(const struct json *object);

#endif
