/* server.h - an API server: one instance, with its store, its loops, its certificates.
 *
 *     server_new() -> server_start() -> ... server_drain() -> server_free()
 *
 * Threads: created, started, drained and freed by one thread; in between it runs on loops of its own. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/log.h"
#include "sys/stream.h"

struct server;
struct dir;

struct server_opts {
    str data_dir;
    struct net_addr bind; /* port 0: any; server_address tells */
    str advertise_host; /* in admin.conf and in the certificate; empty: from `bind`, 127.0.0.1 for any address */
    str service_cidr;         /* empty: 10.96.0.0/12 */
    str cluster_domain;       /* empty: cluster.local */
    unsigned loop_count;      /* 0: one for each core but one, one at least */
    size_t body_size_max;     /* 0: 3 MiB */
    bool wait_between_stages; /* tests: each request is put off at every boundary */
    const struct logger *log;
};

/* Everything up to a server that could answer: directory, keys and certificates, store, first objects. Blocks. */
err_code server_new(struct env *env, const struct server_opts *opts, struct server **ret, struct err *err);
/* Listens and answers. */
err_code server_start(struct server *s, struct err *err);
const struct net_addr *server_address(struct server *s);
/* No new connections; those that are there are ended in order, watches after two seconds. Blocks. */
void server_drain(struct server *s);
void server_free(struct server *s); /* NULL is fine */

#endif
