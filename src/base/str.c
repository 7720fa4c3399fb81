/* str.c - slices: searching, cutting, numbers, hashes. */
#include "base/str.h"
#include "base/arena.h"
#include <stdarg.h>
#include <stdio.h>

int str_cmp(str a, str b)
{
    size_t n = size_min(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool str_eq_nocase(str a, str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

bool str_starts(str s, str prefix)
{
    return s.n >= prefix.n && str_eq(str_of(s.p, prefix.n), prefix);
}

bool str_ends(str s, str suffix)
{
    return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

bool str_contains(str s, str needle)
{
    return str_index(s, needle) != SIZE_MAX;
}

size_t str_index_c(str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : SIZE_MAX;
}

size_t str_rindex_c(str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : SIZE_MAX;
}

size_t str_index(str s, str needle)
{
    if (needle.n == 0)
        return 0;
    if (s.n < needle.n)
        return SIZE_MAX;
    const char *at = memmem(s.p, s.n, needle.p, needle.n);
    return at ? (size_t)(at - s.p) : SIZE_MAX;
}

str str_slice(str s, size_t from, size_t to)
{
    to = size_min(to, s.n);
    from = size_min(from, to);
    return (str){s.p ? s.p + from : NULL, to - from};
}

str str_from(str s, size_t from)
{
    return str_slice(s, from, s.n);
}

bool str_cut(str s, char sep, str *ret_before, str *ret_after)
{
    size_t at = str_index_c(s, sep);
    bool found = at != SIZE_MAX;
    *ret_before = found ? str_slice(s, 0, at) : s;
    *ret_after = found ? str_from(s, at + 1) : STR_NONE;
    return found;
}

bool str_next(str *rest, char sep, str *ret_piece)
{
    /* p == NULL marks that the last piece was given; an empty text that was never cut gives none either. */
    if (rest->p == NULL)
        return false;
    size_t at = str_index_c(*rest, sep);
    if (at == SIZE_MAX) {
        str piece = *rest;
        *rest = STR_NONE;
        *ret_piece = piece;
        return true;
    }
    *ret_piece = str_slice(*rest, 0, at);
    *rest = str_from(*rest, at + 1);
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

str str_trim(str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_take_prefix(str *s, str prefix)
{
    if (!str_starts(*s, prefix))
        return false;
    *s = str_from(*s, prefix.n);
    return true;
}

bool str_parse_u64(str s, uint64_t *ret)
{
    if (s.n == 0)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *ret = v;
    return true;
}

bool str_parse_i64(str s, int64_t *ret)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t v;
    if (!str_parse_u64(negative ? str_from(s, 1) : s, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t)-v : (int64_t)v;
    return true;
}

bool str_parse_u64_hex(str s, uint64_t *ret)
{
    if (s.n == 0 || s.n > 16)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (c | 0x20) - 'a' + 10U;
        else
            return false;
        v = v << 4 | digit;
    }
    *ret = v;
    return true;
}

static inline uint64_t rotl(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

uint64_t str_hash_keyed(str s, const uint64_t key[2])
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    const char *p = s.p;
    size_t n = s.n;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t m = str_read64_(p);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = str_read_tail_(p, n) | (uint64_t)s.n << 56;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

str str_dup(struct arena *a, str s)
{
    return (str){arena_dup(a, s.p, s.n, 1), s.n};
}

char *str_cstr(struct arena *a, str s)
{
    if (s.n && memchr(s.p, 0, s.n))
        return NULL;
    char *c = arena_alloc(a, s.n + 1, 1);
    if (s.n)
        memcpy(c, s.p, s.n);
    c[s.n] = 0;
    return c;
}

str str_format(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    char small[256];
    int n = vsnprintf(small, sizeof small, fmt, ap);
    ASSERT(n >= 0);
    size_t need = (size_t)n;
    char *p = arena_alloc(a, need + 1, 1);
    if (need < sizeof small)
        memcpy(p, small, need + 1);
    else
        vsnprintf(p, need + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return (str){p, need};
}

str str_concat(struct arena *a, str x, str y)
{
    return str_join(a, (const str[]){x, y}, 2, STR_NONE);
}

str str_join(struct arena *a, const str *parts, size_t part_count, str sep)
{
    size_t total = 0;
    for (size_t i = 0; i < part_count; i++)
        total += parts[i].n + (i ? sep.n : 0);
    char *p = arena_alloc(a, total, 1);
    char *at = p;
    for (size_t i = 0; i < part_count; i++) {
        if (i && sep.n) {
            memcpy(at, sep.p, sep.n);
            at += sep.n;
        }
        if (parts[i].n) {
            memcpy(at, parts[i].p, parts[i].n);
            at += parts[i].n;
        }
    }
    return (str){p, total};
}

str str_lower(struct arena *a, str s)
{
    char *p = arena_alloc(a, s.n, 1);
    for (size_t i = 0; i < s.n; i++)
        p[i] = ascii_lower(s.p[i]);
    return (str){p, s.n};
}
