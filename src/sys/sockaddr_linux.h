/* sockaddr_linux.h - struct net_addr as the kernel wants it, and back. */
#ifndef SYS_SOCKADDR_LINUX_H
#define SYS_SOCKADDR_LINUX_H

#include "sys/stream.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

union sock_addr {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};
socklen_t sock_addr_of(const struct net_addr *a, union sock_addr *ret);
/* IPv4 in IPv6 clothes becomes IPv4; a family we do not know becomes NET_NONE. */
struct net_addr net_addr_of(const union sock_addr *sa, socklen_t n);

#endif
