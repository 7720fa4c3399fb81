/* sockaddr_linux.c - struct net_addr as the kernel wants it, and back. */
#include "sys/sockaddr_linux.h"
#include <arpa/inet.h>

socklen_t sock_addr_of(const struct net_addr *a, union sock_addr *ret)
{
    *ret = (union sock_addr){.any.sa_family = AF_UNSPEC};
    switch (a->family) {
    case NET_NONE: break;
    case NET_IP4:
        ret->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(a->port)};
        memcpy(&ret->in.sin_addr, a->ip, 4);
        return sizeof ret->in;
    case NET_IP6:
        ret->in6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope_id};
        memcpy(&ret->in6.sin6_addr, a->ip, 16);
        return sizeof ret->in6;
    case NET_UNIX: {
        size_t have = size_min(a->path_n, sizeof a->path - 1);
        ret->un = (struct sockaddr_un){.sun_family = AF_UNIX};
        memcpy(ret->un.sun_path, a->path, have);
        /* Abstract: exactly the name. A path: with its NUL. */
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + have + (a->path[0] != '\0'));
    }
    }
    return sizeof ret->any.sa_family;
}

struct net_addr net_addr_of(const union sock_addr *sa, socklen_t n)
{
    struct net_addr a = {.family = NET_NONE};
    if (n < sizeof sa->any.sa_family)
        return a;
    switch (sa->any.sa_family) {
    case AF_INET:
        a.family = NET_IP4;
        a.port = ntohs(sa->in.sin_port);
        memcpy(a.ip, &sa->in.sin_addr, 4);
        break;
    case AF_INET6: {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&sa->in6.sin6_addr);
        a.family = mapped ? NET_IP4 : NET_IP6;
        a.port = ntohs(sa->in6.sin6_port);
        a.scope_id = mapped ? 0 : sa->in6.sin6_scope_id;
        memcpy(a.ip, (const uint8_t *)&sa->in6.sin6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
        break;
    }
    case AF_UNIX: {
        size_t have = n - offsetof(struct sockaddr_un, sun_path);
        a.family = NET_UNIX;
        if (have > sizeof a.path)
            have = sizeof a.path;
        if (have && sa->un.sun_path[0] != '\0')
            have = strnlen(sa->un.sun_path, have);
        memcpy(a.path, sa->un.sun_path, have);
        a.path_n = (uint8_t)have;
        break;
    }
    }
    return a;
}
