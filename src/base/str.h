/* str.h - text as a slice: pointer and length, no NUL, not owned.
 * A `str` is passed by value. Who owns the bytes is said where the str is given: borrowed unless stated.
 * A str with n == 0 may have p == NULL. Bytes may be anything; utf8.h checks. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/defs.h"
#include <string.h>

struct arena;

typedef struct str {
    const char *p;
    size_t n;
} str;

#define S(lit) ((str){"" lit, sizeof(lit) - 1})
#define S_INIT(lit)             \
    {                           \
        "" lit, sizeof(lit) - 1 \
    } /* in static initialisers */
#define STR_NONE ((str){NULL, 0})

/* printf("%" STR_FMT, STR_ARG(s)): prints at most INT_MAX bytes. */
#define STR_FMT    ".*s"
#define STR_ARG(s) (int)((s).n > INT32_MAX ? INT32_MAX : (s).n), ((s).p ? (s).p : "")

static inline str str_of(const char *p, size_t n)
{
    return (str){p, n};
}

static inline str str_from_c(const char *c)
{
    return (str){c, c ? strlen(c) : 0};
}

static inline bool str_empty(str s)
{
    return s.n == 0;
}

static inline bool str_eq(str a, str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#define str_is(s, lit) str_eq((s), S(lit))

int str_cmp(str a, str b);        /* byte order, as memcmp; a prefix comes first */
bool str_eq_nocase(str a, str b); /* ASCII letters only */
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
bool str_contains(str s, str needle);

/* Position of the first/last byte `c`, or of `needle`; SIZE_MAX if there is none. */
size_t str_index_c(str s, char c);
size_t str_rindex_c(str s, char c);
size_t str_index(str s, str needle);

/* Bytes [from, to), both clamped to the length. str_from: [from, end). */
str str_slice(str s, size_t from, size_t to);
str str_from(str s, size_t from);

/* Splits at the first `sep`: true and both halves, or false and *before = s, *after = empty. Either may be &s's own
 * storage. */
bool str_cut(str s, char sep, str *ret_before, str *ret_after);
/* Takes the next piece up to `sep` off *rest. False when nothing is left: `while (str_next(&rest, ',', &piece))`.
 * "a,,b" gives "a", "", "b"; "a," gives "a", ""; "" gives one empty piece; STR_NONE gives none. */
bool str_next(str *rest, char sep, str *ret_piece);
str str_trim(str s);                      /* spaces, tabs, CR, LF off both ends */
bool str_take_prefix(str *s, str prefix); /* true: *s starts after it */

/* Whole-string decimal numbers, no sign but '-', no spaces, no leading '+', overflow refused. False: nothing is
 * written. */
bool str_parse_i64(str s, int64_t *ret);
bool str_parse_u64(str s, uint64_t *ret);
bool str_parse_u64_hex(str s, uint64_t *ret);

static inline uint64_t str_read64_(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
/* The n < 8 bytes at p, little end first. Two reads may overlap: the bytes in both are the same. */
static inline uint64_t str_read_tail_(const char *p, size_t n)
{
    if (n >= 4) {
        uint32_t low, high;
        memcpy(&low, p, sizeof low);
        memcpy(&high, p + n - 4, sizeof high);
        return low | (uint64_t)high << (8 * (n - 4));
    }
    if (n == 0)
        return 0;
    uint64_t first = (unsigned char)p[0], middle = (unsigned char)p[n / 2], last = (unsigned char)p[n - 1];
    return first | middle << (8 * (n / 2)) | last << (8 * (n - 1));
}

/* Fast, not keyed: for tables whose keys are trusted or bounded. Multiply and fold, eight bytes a step: good spread on
 * short names, two cycles a byte at worst. */
static inline uint64_t str_hash(str s)
{
    const uint64_t k = 0x9e3779b97f4a7c15u;
    uint64_t h = s.n * k;
    const char *p = s.p;
    size_t n = s.n;
    for (; n >= 8; p += 8, n -= 8) {
        __uint128_t m = (__uint128_t)(h ^ str_read64_(p)) * k;
        h = (uint64_t)m ^ (uint64_t)(m >> 64);
    }
    __uint128_t m = (__uint128_t)(h ^ str_read_tail_(p, n) ^ 0xd6e8feb86659fd93u) * k;
    h = (uint64_t)m ^ (uint64_t)(m >> 64);
    return h ^ h >> 29;
}
uint64_t str_hash_keyed(str s, const uint64_t key[2]); /* SipHash-1-3: for keys from outside */

/* In the arena. str_cstr refuses embedded NULs by returning NULL. */
str str_dup(struct arena *a, str s);
char *str_cstr(struct arena *a, str s);
str str_format(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
str str_concat(struct arena *a, str x, str y);
str str_join(struct arena *a, const str *parts, size_t part_count, str sep);
str str_lower(struct arena *a, str s); /* ASCII */

#endif
