/* ip.c - addresses in and out of text. */
#include "base/ip.h"

enum {
    SIZE_V4 = 4,
    SIZE_V6 = 16,
    V4_AT = SIZE_V6 - SIZE_V4, /* where an IPv4 address stands */
};

static const uint8_t v4_prefix[V4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool ip_is_v4(const struct ip *ip)
{
    return memcmp(ip->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

/* Takes digits off the front; false without any, or when they are more than `max`. */
static bool take_number(str *s, unsigned base, unsigned max, unsigned *ret, size_t *ret_digits)
{
    unsigned v = 0;
    size_t n = 0;
    for (; n < s->n; n++) {
        unsigned c = (unsigned char)s->p[n], digit = base;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (c | 0x20) - 'a' + 10;
        if (digit >= base)
            break;
        v = v * base + digit;
        if (v > max)
            return false;
    }
    *s = str_from(*s, n);
    *ret = v;
    *ret_digits = n;
    return n > 0;
}

static bool parse_v4(str s, uint8_t ret[SIZE_V4], unsigned *odd)
{
    for (size_t i = 0; i < SIZE_V4; i++) {
        if (i && !str_take_prefix(&s, S(".")))
            return false;
        unsigned v;
        size_t digits;
        bool zero = s.n && s.p[0] == '0';
        if (!take_number(&s, 10, 255, &v, &digits))
            return false;
        if (zero && digits > 1)
            *odd |= IP_LEADING_ZEROS;
        ret[i] = (uint8_t)v;
    }
    return s.n == 0;
}

/* Groups up to the end or to the size of an address, into `ret`; *ret_gap tells before which byte "::" stands. */
static bool parse_groups(str s, uint8_t ret[SIZE_V6], size_t *ret_size, size_t *ret_gap, unsigned *odd)
{
    size_t at = 0, gap = SIZE_MAX;
    if (str_take_prefix(&s, S("::")))
        gap = 0;
    while (at < SIZE_V6 && (s.n || gap != at)) {
        str group = s;
        unsigned v;
        size_t digits;
        if (!take_number(&s, 16, 0xffff, &v, &digits))
            return false;
        if (s.n && s.p[0] == '.') {
            /* An IPv4 address may stand for the last two groups. */
            if ((gap == SIZE_MAX && at != V4_AT) || at > V4_AT || !parse_v4(group, ret + at, odd))
                return false;
            at += SIZE_V4;
            s = STR_NONE;
            break;
        }
        if (digits > 4)
            *odd |= IP_LEADING_ZEROS;
        ret[at] = (uint8_t)(v >> 8);
        ret[at + 1] = (uint8_t)v;
        at += 2;
        if (!s.n)
            break;
        if (!str_take_prefix(&s, S(":")) || !s.n)
            return false;
        if (s.p[0] == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = at;
            s = str_from(s, 1);
        }
    }
    *ret_size = at;
    *ret_gap = gap;
    return s.n == 0;
}

static bool parse_v6(str s, uint8_t ret[SIZE_V6], unsigned *odd)
{
    size_t size, gap;
    memset(ret, 0, SIZE_V6);
    if (!parse_groups(s, ret, &size, &gap, odd))
        return false;
    if (size == SIZE_V6)
        return gap == SIZE_MAX; /* "::" stands for one group at least */
    if (gap == SIZE_MAX)
        return false;
    memmove(ret + gap + SIZE_V6 - size, ret + gap, size - gap);
    memset(ret + gap, 0, SIZE_V6 - size);
    return true;
}

/* Either family, without a word about canonical form. */
static bool parse_any(str s, struct ip *ret, unsigned *odd)
{
    struct ip ip;
    if (str_index_c(s, ':') == SIZE_MAX) {
        memcpy(ip.bytes, v4_prefix, sizeof v4_prefix);
        if (!parse_v4(s, ip.bytes + V4_AT, odd))
            return false;
    } else {
        if (!parse_v6(s, ip.bytes, odd))
            return false;
        if (ip_is_v4(&ip))
            *odd |= IP_V4_MAPPED;
    }
    *ret = ip;
    return true;
}

bool ip_parse(str s, struct ip *ret, unsigned *ret_odd)
{
    unsigned odd = 0;
    struct ip ip;
    if (!parse_any(s, &ip, &odd))
        return false;
    char storage[IP_TEXT_MAX];
    if (!str_eq(ip_text(&ip, storage), s))
        odd |= IP_NOT_CANONICAL;
    *ret = ip;
    if (ret_odd)
        *ret_odd = odd;
    return true;
}

static char *put_number(char *to, unsigned v, unsigned base)
{
    char digits[8];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (n)
        *to++ = digits[--n];
    return to;
}

static char *put_v4(char *to, const uint8_t *bytes)
{
    for (size_t i = 0; i < SIZE_V4; i++) {
        if (i)
            *to++ = '.';
        to = put_number(to, bytes[i], 10);
    }
    return to;
}

/* The longest run of zero groups, the first of equals; runs of one do not count. */
static void find_gap(const uint8_t *bytes, size_t *ret_from, size_t *ret_to)
{
    *ret_from = *ret_to = SIZE_MAX;
    size_t longest = 2;
    for (size_t from = 0; from < SIZE_V6; from += 2) {
        size_t to = from;
        while (to < SIZE_V6 && !bytes[to] && !bytes[to + 1])
            to += 2;
        if (to - from > longest) {
            longest = to - from;
            *ret_from = from;
            *ret_to = to;
        }
    }
}

static char *put_v6(char *to, const uint8_t *bytes)
{
    size_t gap_from, gap_to;
    find_gap(bytes, &gap_from, &gap_to);
    for (size_t i = 0; i < SIZE_V6; i += 2) {
        if (i == gap_from) {
            *to++ = ':';
            *to++ = ':';
            i = gap_to;
            if (i == SIZE_V6)
                break;
        } else if (i) {
            *to++ = ':';
        }
        to = put_number(to, (unsigned)bytes[i] << 8 | bytes[i + 1], 16);
    }
    return to;
}

str ip_text(const struct ip *ip, char storage[IP_TEXT_MAX])
{
    char *end = ip_is_v4(ip) ? put_v4(storage, ip->bytes + V4_AT) : put_v6(storage, ip->bytes);
    return str_of(storage, (size_t)(end - storage));
}

void ip_format(struct buf *out, const struct ip *ip)
{
    char storage[IP_TEXT_MAX];
    buf_add(out, ip_text(ip, storage));
}

bool cidr_parse(str s, struct cidr *ret, unsigned *ret_odd)
{
    str address, prefix, rest;
    unsigned odd = 0, bits;
    size_t digits;
    struct cidr c;
    if (!str_cut(s, '/', &address, &prefix) || !parse_any(address, &c.ip, &odd))
        return false;
    bool v4 = str_index_c(address, ':') == SIZE_MAX;
    rest = prefix;
    if (!take_number(&rest, 10, v4 ? 32 : 128, &bits, &digits) || rest.n)
        return false;
    c.bits = (uint8_t)(v4 ? bits + 96 : bits);
    if (digits > 1 && prefix.p[0] == '0')
        odd |= IP_LEADING_ZEROS;
    struct ip first = cidr_first(&c);
    if (!ip_equal(&first, &c.ip))
        odd |= IP_HOST_BITS;
    char storage[CIDR_TEXT_MAX];
    if (!str_eq(cidr_text(&c, storage), s))
        odd |= IP_NOT_CANONICAL;
    *ret = c;
    if (ret_odd)
        *ret_odd = odd;
    return true;
}

struct ip cidr_first(const struct cidr *c)
{
    struct ip ip = c->ip;
    size_t whole = c->bits / 8;
    if (whole < SIZE_V6) {
        ip.bytes[whole] &= (uint8_t)(0xff00 >> c->bits % 8);
        memset(ip.bytes + whole + 1, 0, SIZE_V6 - whole - 1);
    }
    return ip;
}

bool cidr_is_v4(const struct cidr *c)
{
    return c->bits >= 96 && ip_is_v4(&c->ip);
}

bool cidr_contains(const struct cidr *c, const struct ip *ip)
{
    struct cidr other = {.ip = *ip, .bits = c->bits};
    struct ip first = cidr_first(c), other_first = cidr_first(&other);
    return cidr_is_v4(c) == ip_is_v4(ip) && ip_equal(&first, &other_first);
}

str cidr_text(const struct cidr *c, char storage[CIDR_TEXT_MAX])
{
    struct ip first = cidr_first(c);
    str text = ip_text(&first, storage);
    char *end = storage + text.n;
    *end++ = '/';
    end = put_number(end, cidr_prefix(c), 10);
    return str_of(storage, (size_t)(end - storage));
}

void cidr_format(struct buf *out, const struct cidr *c)
{
    char storage[CIDR_TEXT_MAX];
    buf_add(out, cidr_text(c, storage));
}
