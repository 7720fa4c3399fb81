/* net_addr.c - addresses as text, both ways. Pure: nothing here asks the system. */
#include "sys/stream.h"
#include <stdio.h>

/* --- parse --- */

/* Decimal digits only, no leading zeros: one text for each number. */
static bool parse_decimal(str s, uint32_t max, uint32_t *ret)
{
    if (s.n == 0 || s.n > 10 || (s.p[0] == '0' && s.n > 1))
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (v > max)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static bool parse_ip4(str s, uint8_t ret[4])
{
    uint8_t ip[4];
    for (size_t i = 0; i < 4; i++) {
        str part;
        uint32_t v;
        if (str_cut(s, '.', &part, &s) != (i < 3) || !parse_decimal(part, 255, &v))
            return false;
        ip[i] = (uint8_t)v;
    }
    memcpy(ret, ip, 4);
    return true;
}

static bool parse_group(str s, uint16_t *ret)
{
    uint64_t v;
    if (s.n > 4 || !str_parse_u64_hex(s, &v))
        return false;
    *ret = (uint16_t)v;
    return true;
}

/* Groups between colons, the last of which may be an IPv4 address when `ip4_may_end` it. Bytes written, or -1. */
static int parse_groups(str s, bool ip4_may_end, uint8_t ret[16])
{
    if (s.n == 0)
        return 0;
    int n = 0;
    str group;
    bool more = true;
    while (more) {
        uint16_t v;
        more = str_cut(s, ':', &group, &s);
        if (n <= 14 && parse_group(group, &v)) {
            ret[n++] = (uint8_t)(v >> 8);
            ret[n++] = (uint8_t)v;
        } else if (!more && ip4_may_end && n <= 12 && parse_ip4(group, ret + n)) {
            n += 4;
        } else {
            return -1;
        }
    }
    return n;
}

static bool parse_ip6(str s, uint8_t ret[16])
{
    uint8_t head[16] = {0}, tail[16];
    size_t gap = str_index(s, S("::"));
    if (gap == SIZE_MAX) {
        if (parse_groups(s, true, head) != 16)
            return false;
    } else {
        int before = parse_groups(str_slice(s, 0, gap), false, head);
        int after = parse_groups(str_from(s, gap + 2), true, tail);
        if (before < 0 || after < 0 || before + after > 14) /* the gap is one group at least */
            return false;
        memset(head + before, 0, (size_t)(16 - before));
        memcpy(head + 16 - after, tail, (size_t)after);
    }
    memcpy(ret, head, 16);
    return true;
}

static bool parse_ip(str s, struct net_addr *ret)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct net_addr a = {.family = NET_IP4};
    if (!parse_ip4(s, a.ip)) {
        a.family = NET_IP6;
        if (!parse_ip6(s, a.ip))
            return false;
        if (memcmp(a.ip, mapped, 12) == 0) {
            a.family = NET_IP4;
            memmove(a.ip, a.ip + 12, 4);
            memset(a.ip + 4, 0, 12);
        }
    }
    *ret = a;
    return true;
}

err_code net_ip_parse(str text, struct net_addr *ret, struct err *err)
{
    if (!parse_ip(text, ret))
        return err_set(err, ERR_INVALID, "'%" STR_FMT "' is not an IP address", STR_ARG(text));
    return ERR_NONE;
}

static err_code parse_unix(str path, struct net_addr *ret, struct err *err)
{
    struct net_addr a = {.family = NET_UNIX};
    if (path.n == 0 || str_is(path, "@"))
        return err_set(err, ERR_INVALID, "there is no path");
    /* The kernel's field holds 108 bytes: a path and its NUL, or the NUL in place of '@' and a name. */
    if (path.n > sizeof a.path - 1)
        return err_set(err, ERR_INVALID, "the path is longer than %zu bytes", sizeof a.path - 1);
    if (str_index_c(path, '\0') != SIZE_MAX)
        return err_set(err, ERR_INVALID, "the path has a NUL byte");
    memcpy(a.path, path.p, path.n);
    if (a.path[0] == '@')
        a.path[0] = '\0';
    a.path_n = (uint8_t)path.n;
    *ret = a;
    return ERR_NONE;
}

static err_code parse_ip_port(str text, struct net_addr *ret, struct err *err)
{
    size_t colon = str_rindex_c(text, ':');
    if (colon == SIZE_MAX)
        return err_set(err, ERR_INVALID, "there is no ':PORT'");
    str host = str_slice(text, 0, colon), port = str_from(text, colon + 1), scope = STR_NONE;
    bool bracketed = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']', scoped = false;
    if (bracketed) {
        host = str_slice(host, 1, host.n - 1);
        scoped = str_cut(host, '%', &host, &scope);
    }
    struct net_addr a;
    uint32_t n;
    if (!parse_ip(host, &a) || bracketed != (str_index_c(host, ':') != SIZE_MAX))
        return err_set(err, ERR_INVALID, "expected an IP address before the port, an IPv6 one in brackets");
    if (scoped && (a.family != NET_IP6 || !parse_decimal(scope, UINT32_MAX, &a.scope_id)))
        return err_set(err, ERR_INVALID, "the scope is not the number of an interface");
    if (!parse_decimal(port, 65535, &n))
        return err_set(err, ERR_INVALID, "the port is not a number from 0 to 65535");
    a.port = (uint16_t)n;
    *ret = a;
    return ERR_NONE;
}

err_code net_addr_parse(str text, struct net_addr *ret, struct err *err)
{
    str rest = text;
    err_code code = str_take_prefix(&rest, S("unix:")) ? parse_unix(rest, ret, err)
                                                       : parse_ip_port(rest, ret, err);
    return code ? err_wrap(err, "could not parse address '%" STR_FMT "'", STR_ARG(text)) : ERR_NONE;
}

/* --- format --- */

/* The longest run of two or more zero groups, the first of equals; its length is 0 when there is none. */
static void find_gap(const uint8_t ip[16], int *ret_from, int *ret_count)
{
    *ret_from = *ret_count = 0;
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && ip[2 * (i + n)] == 0 && ip[2 * (i + n) + 1] == 0)
            n++;
        if (n >= 2 && n > *ret_count) {
            *ret_from = i;
            *ret_count = n;
        }
        i += n;
    }
}

static void format_ip6(const uint8_t ip[16], char ret[NET_ADDR_TEXT])
{
    int gap, gap_count, at = 0;
    find_gap(ip, &gap, &gap_count);
    for (int i = 0; i < 8;) {
        if (gap_count && i == gap) {
            at += snprintf(ret + at, (size_t)(NET_ADDR_TEXT - at), "::");
            i += gap_count;
            continue;
        }
        bool colon = i > 0 && !(gap_count && i == gap + gap_count);
        at += snprintf(ret + at, (size_t)(NET_ADDR_TEXT - at), colon ? ":%x" : "%x",
                       ip[2 * i] << 8 | ip[2 * i + 1]);
        i++;
    }
}

void net_ip_format(const struct net_addr *a, char ret[NET_ADDR_TEXT])
{
    ret[0] = '\0';
    if (a->family == NET_IP4)
        snprintf(ret, NET_ADDR_TEXT, "%u.%u.%u.%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3]);
    else if (a->family == NET_IP6)
        format_ip6(a->ip, ret);
}

static void format_unix(const struct net_addr *a, char ret[NET_ADDR_TEXT])
{
    memcpy(ret, "unix:", 5);
    size_t n = size_min(a->path_n, sizeof a->path);
    for (size_t i = 0; i < n; i++)
        ret[5 + i] = a->path[i] >= 0x20 && a->path[i] < 0x7f ? a->path[i] : '?';
    if (n && a->path[0] == '\0')
        ret[5] = '@';
    ret[5 + n] = '\0';
}

void net_addr_format(const struct net_addr *a, char ret[NET_ADDR_TEXT])
{
    char ip[NET_ADDR_TEXT];
    net_ip_format(a, ip);
    switch (a->family) {
    case NET_NONE: ret[0] = '\0'; break;
    case NET_IP4: snprintf(ret, NET_ADDR_TEXT, "%.15s:%u", ip, a->port); break;
    case NET_IP6:
        if (a->scope_id)
            snprintf(ret, NET_ADDR_TEXT, "[%.39s%%%u]:%u", ip, a->scope_id, a->port);
        else
            snprintf(ret, NET_ADDR_TEXT, "[%.39s]:%u", ip, a->port);
        break;
    case NET_UNIX: format_unix(a, ret); break;
    }
}

bool net_addr_eq(const struct net_addr *x, const struct net_addr *y)
{
    if (x->family != y->family)
        return false;
    switch (x->family) {
    case NET_NONE: return true;
    case NET_IP4: return x->port == y->port && memcmp(x->ip, y->ip, 4) == 0;
    case NET_IP6: return x->port == y->port && x->scope_id == y->scope_id && memcmp(x->ip, y->ip, 16) == 0;
    case NET_UNIX: return x->path_n == y->path_n && memcmp(x->path, y->path, x->path_n) == 0;
    }
    return false;
}
