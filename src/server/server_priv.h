/* server_priv.h - the server's inside, for the files of this folder. */
#ifndef SERVER_SERVER_PRIV_H
#define SERVER_SERVER_PRIV_H

#include "client/http_pump.h"
#include "server/authz.h"
#include "server/pki.h"
#include "server/request.h"
#include "server/server.h"
#include <pthread.h>

#define SEND_QUEUE_MAX   ((size_t)256 << 10) /* a long answer waits when more than this is unsent */
#define SERVER_LOOPS_MAX 64

struct watch_hub;

struct connection {
    struct server_loop *home;
    struct http_pump *pump;
    struct connection *prev, *next;
    size_t request_count;
    bool closed;
    /* Who the client's certificate says it is, found with the first request. */
    struct arena arena;
    bool cert_known;
    struct user cert_user; /* name empty: no certificate that counts */
};

/* What belongs to one loop. */
struct server_loop {
    struct server *server;
    struct loop *loop;
    struct connection *connections;
    size_t connection_count;
    struct watch_hub *watches;
    bool started, draining;
    struct loop_msg drain, drained;
    struct timer linger;
    bool is_drained; /* the control loop's */
};

struct server {
    struct server_opts opts;
    struct env *env;
    const struct logger *log;
    struct dir *dir;
    struct store *store;
    struct pki *pki;
    struct authz authz;
    struct tls_slot *tls;
    struct listener *listener;
    struct net_addr address;
    struct loop *control; /* of the thread that started the server: never has one of its own */
    struct server_loop loops[SERVER_LOOPS_MAX];
    size_t loop_count;
    int64_t started_mono;
    pthread_mutex_t catalog_lock; /* of `catalog`; held for an assignment */
    const struct catalog *catalog;
    _Atomic bool draining;
};

const struct catalog *server_catalog(struct server *s); /* a reference for the caller */

/* A connection lives until it is closed and its last request has ended. */
void connection_request_began(struct connection *c);
void connection_request_ended(struct connection *c);

#endif
