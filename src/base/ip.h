/* ip.h - IP addresses and CIDR blocks as text.
 * Read as the original does: generously (its forked parser), telling what was odd about the spelling, so that
 * validation can refuse it and warnings can name it. Written canonically (RFC 5952).
 * Plain values; pure functions, any thread. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/buf.h"
#include "base/str.h"

/* 16 bytes in network order; an IPv4 address is ::ffff:a.b.c.d, however it was written. */
struct ip {
    uint8_t bytes[16];
};

/* What was odd about a spelling that was read all the same. */
enum ip_oddity {
    IP_LEADING_ZEROS = 1 << 0, /* 010.0.0.1, /08: octal to some; or a group of five hex digits */
    IP_V4_MAPPED = 1 << 1,     /* ::ffff:1.2.3.4 */
    IP_NOT_CANONICAL = 1 << 2, /* any spelling but the one that ip_format or cidr_format gives */
    IP_HOST_BITS = 1 << 3,     /* CIDR: bits set behind the prefix */
};

/* `ret_odd` (a set of enum ip_oddity) may be NULL. */
bool ip_parse(str s, struct ip *ret, unsigned *ret_odd);
#define IP_TEXT_MAX 40
void ip_format(struct buf *out, const struct ip *ip);
str ip_text(const struct ip *ip, char storage[IP_TEXT_MAX]);
bool ip_is_v4(const struct ip *ip);
static inline bool ip_equal(const struct ip *x, const struct ip *y)
{
    return memcmp(x->bytes, y->bytes, sizeof x->bytes) == 0;
}

struct cidr {
    struct ip ip; /* as written, host bits included */
    uint8_t bits; /* of 128; 10.0.0.0/8 has 104 */
};

bool cidr_parse(str s, struct cidr *ret, unsigned *ret_odd);
#define CIDR_TEXT_MAX (IP_TEXT_MAX + 4)
/* The block: without host bits. */
void cidr_format(struct buf *out, const struct cidr *c);
str cidr_text(const struct cidr *c, char storage[CIDR_TEXT_MAX]);
bool cidr_is_v4(const struct cidr *c);
static inline unsigned cidr_prefix(const struct cidr *c) /* as written: 8 for 10.0.0.0/8 */
{
    return cidr_is_v4(c) ? c->bits - 96u : c->bits;
}
struct ip cidr_first(const struct cidr *c); /* the address without host bits */
/* Never across families: ::/0 holds no IPv4 address. */
bool cidr_contains(const struct cidr *c, const struct ip *ip);

#endif
