/* net_addr.c - addresses as text, both ways. Pure: nothing here asks the system. */
#include "base/ip.h"
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

/* Strictly: an address with leading zeros is read in two ways by two programs. */
static bool parse_ip(str s, struct net_addr *ret)
{
    struct ip ip;
    unsigned odd;
    if (!ip_parse(s, &ip, &odd) || odd & IP_LEADING_ZEROS)
        return false;
    *ret = (struct net_addr){.family = ip_is_v4(&ip) ? NET_IP4 : NET_IP6};
    if (ret->family == NET_IP4)
        memcpy(ret->ip, ip.bytes + 12, 4);
    else
        memcpy(ret->ip, ip.bytes, 16);
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

void net_ip_format(const struct net_addr *a, char ret[NET_ADDR_TEXT])
{
    struct ip ip = {.bytes = {[10] = 0xff, [11] = 0xff}};
    ret[0] = '\0';
    if (a->family != NET_IP4 && a->family != NET_IP6)
        return;
    if (a->family == NET_IP4)
        memcpy(ip.bytes + 12, a->ip, 4);
    else
        memcpy(ip.bytes, a->ip, 16);
    char storage[IP_TEXT_MAX];
    str text = ip_text(&ip, storage);
    memcpy(ret, text.p, text.n);
    ret[text.n] = '\0';
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
