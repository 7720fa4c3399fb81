/* listener_linux.c - one listening socket, accepted from by any number of loops.
 * Each loop watches the socket exclusively, so that one connection wakes one loop; but the kernel prefers the first of
 * the sleeping ones, always the same. So whoever accepts hands the connection to the loop that has the fewest.
 * Nothing is accepted past connection_max, nor while descriptors are used up: the loop stops watching for a moment, and
 * the connections wait in the backlog.
 * An acceptor is one loop's part. It is counted: its connections and those on their way to its loop keep it. */
#include "base/mem.h"
#include "sys/linux_priv.h"
#include "sys/sockaddr_linux.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#define ACCEPTS_PER_TURN 32
#define PAUSE_NS         (10 * NS_PER_MS)

struct linux_listener {
    struct listener ln;
    int fd;
    unsigned connection_max;
    atomic_uint open; /* accepted, and not yet closed */
    atomic_uint refs; /* the owner's and one for each acceptor */
    bool any_address;
    dev_t unix_dev; /* of the socket's file, so that not another's is removed */
    ino_t unix_ino;
    pthread_mutex_t
        lock; /* guards the list; held over loop_post, so that a listed acceptor's loop is there */
    struct acceptor *acceptors;
};

struct acceptor {
    struct watch watch;
    struct loop_ready ready;
    struct timer resume;
    struct linux_listener *listener;
    struct loop *loop;
    void (*on_accept)(void *ctx, struct stream *s);
    void *ctx;
    struct acceptor *next;
    atomic_uint refs;
    atomic_uint connections; /* of this loop, those on their way included */
    bool detached;           /* the loop's */
};

/* A connection on its way to the loop that will own it. */
struct arrival {
    struct loop_msg msg;
    struct acceptor *to;
    int fd;
    struct net_addr peer;
};

static struct linux_listener *linux_listener_of(struct listener *ln)
{
    return CONTAINER_OF(ln, struct linux_listener, ln);
}

static void listener_unref(struct linux_listener *ll)
{
    if (atomic_fetch_sub(&ll->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&ll->lock);
    mem_free(ll);
}

static void acceptor_unref(struct acceptor *a)
{
    if (atomic_fetch_sub(&a->refs, 1) != 1)
        return;
    listener_unref(a->listener);
    mem_free(a);
}

void acceptor_give_back(struct acceptor *a)
{
    atomic_fetch_sub(&a->connections, 1);
    atomic_fetch_sub(&a->listener->open, 1);
    acceptor_unref(a);
}

/* --- accepting --- */

static void deliver(struct acceptor *a, int fd, const struct net_addr *peer)
{
    struct stream *s;
    struct err why;
    if (stream_of_fd(a->loop, fd, FD_SOCKET, a, &s, &why))
        return; /* no memory in the kernel: it was closed, as if it had been lost */
    s->peer = *peer;
    s->local = a->listener->ln.addr;
    if (a->listener->any_address) {
        union sock_addr sa;
        socklen_t n = sizeof sa;
        if (getsockname(fd, &sa.any, &n) == 0)
            s->local = net_addr_of(&sa, n);
    }
    a->on_accept(a->ctx, s);
}

static void give(struct linux_listener *ll, struct acceptor *self, int fd, const struct net_addr *peer);

static void arrive(struct loop_msg *m)
{
    struct arrival *v = CONTAINER_OF(m, struct arrival, msg);
    if (v->to->detached) {
        /* Its loop has left meanwhile: to another one. `open` stays as it is. */
        give(v->to->listener, NULL, v->fd, &v->peer);
        atomic_fetch_sub(&v->to->connections, 1);
        acceptor_unref(v->to);
    } else {
        deliver(v->to, v->fd, &v->peer);
    }
    mem_free(v);
}

static void arrive_nowhere(struct loop_msg *m)
{
    struct arrival *v = CONTAINER_OF(m, struct arrival, msg);
    close(v->fd);
    acceptor_give_back(v->to);
    mem_free(v);
}

/* The acceptor with the fewest connections, `self` if no other has fewer; counted and referenced. */
static struct acceptor *choose(struct linux_listener *ll, struct acceptor *self)
{
    struct acceptor *best = self;
    for (struct acceptor *a = ll->acceptors; a; a = a->next)
        if (!best || atomic_load(&a->connections) < atomic_load(&best->connections))
            best = a;
    if (best) {
        atomic_fetch_add(&best->connections, 1);
        atomic_fetch_add(&best->refs, 1);
    }
    return best;
}

/* Takes over the descriptor. `self`: the acceptor on whose loop we are, NULL: none that is attached. */
static void give(struct linux_listener *ll, struct acceptor *self, int fd, const struct net_addr *peer)
{
    pthread_mutex_lock(&ll->lock);
    struct acceptor *to = choose(ll, self);
    if (to && to != self) {
        struct arrival *v = NEW(struct arrival);
        *v = (struct arrival){
            .msg = {.run = arrive, .drop = arrive_nowhere}, .to = to, .fd = fd, .peer = *peer};
        loop_post(to->loop, &v->msg);
    }
    pthread_mutex_unlock(&ll->lock);
    if (!to) {
        close(fd);
        atomic_fetch_sub(&ll->open, 1);
    } else if (to == self) {
        deliver(self, fd, peer);
    }
}

static void pause_accepting(struct acceptor *a)
{
    watch_remove(&a->watch);
    timer_set(&a->resume, PAUSE_NS);
}

static void note(struct watch *w, uint32_t events)
{
    struct acceptor *a = CONTAINER_OF(w, struct acceptor, watch);
    loop_ready_add(w->loop, &a->ready);
}

static err_code watch_listener(struct acceptor *a, struct err *err)
{
    return watch_add(&a->watch, a->loop, a->listener->fd, EPOLLIN | EPOLLEXCLUSIVE, err);
}

static void resume(struct timer *t)
{
    struct acceptor *a = CONTAINER_OF(t, struct acceptor, resume);
    struct err why;
    if (watch_listener(a, &why))
        timer_set(&a->resume, PAUSE_NS);
}

/* Accepts one; false: enough for now. */
static bool accept_one(struct acceptor *a)
{
    struct linux_listener *ll = a->listener;
    union sock_addr sa;
    socklen_t n = sizeof sa;
    if (atomic_fetch_add(&ll->open, 1) >= ll->connection_max) {
        atomic_fetch_sub(&ll->open, 1);
        pause_accepting(a);
        return false;
    }
    int fd = accept4(ll->fd, &sa.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        struct net_addr peer = net_addr_of(&sa, n);
        give(ll, a, fd, &peer);
        return true;
    }
    int e = errno;
    atomic_fetch_sub(&ll->open, 1);
    switch (e) {
    case EAGAIN: return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: pause_accepting(a); return false;
    default: return true; /* an error of that one connection: accept(2) */
    }
}

static void accept_some(struct loop_ready *r)
{
    struct acceptor *a = CONTAINER_OF(r, struct acceptor, ready);
    atomic_fetch_add(&a->refs, 1); /* on_accept may detach it */
    for (int i = 0; i < ACCEPTS_PER_TURN && !a->detached; i++)
        if (!accept_one(a))
            break;
    acceptor_unref(a);
}

/* --- attaching --- */

static err_code attach(struct listener *ln, struct loop *l, void (*on_accept)(void *ctx, struct stream *s),
                       void *ctx, struct err *err)
{
    struct linux_listener *ll = linux_listener_of(ln);
    struct acceptor *a = NEW(struct acceptor);
    *a = (struct acceptor){.watch = {.on_events = note, .fd = -1},
                           .ready.run = accept_some,
                           .listener = ll,
                           .loop = l,
                           .on_accept = on_accept,
                           .ctx = ctx,
                           .refs = 1};
    timer_init(&a->resume, l, resume);
    if (watch_listener(a, err)) {
        mem_free(a);
        return err->code;
    }
    atomic_fetch_add(&ll->refs, 1);
    pthread_mutex_lock(&ll->lock);
    a->next = ll->acceptors;
    ll->acceptors = a;
    pthread_mutex_unlock(&ll->lock);
    return ERR_NONE;
}

static void detach(struct listener *ln, struct loop *l)
{
    struct linux_listener *ll = linux_listener_of(ln);
    pthread_mutex_lock(&ll->lock);
    struct acceptor **at = &ll->acceptors;
    while (*at && (*at)->loop != l)
        at = &(*at)->next;
    struct acceptor *a = *at;
    if (a)
        *at = a->next;
    pthread_mutex_unlock(&ll->lock);
    if (!a)
        return;
    a->detached = true;
    watch_remove(&a->watch);
    timer_cancel(&a->resume);
    loop_ready_remove(&a->ready);
    acceptor_unref(a);
}

/* --- listening --- */

static err_code failed_to_bind(int e, struct err *err)
{
    err_errno(err, e, "could not bind");
    if (e == EADDRINUSE)
        err->code = ERR_CONFLICT;
    return err->code;
}

/* Nobody listens on it: refused, and that by a socket. */
static bool unix_socket_is_stale(const struct net_addr *at, const union sock_addr *sa, socklen_t n)
{
    struct stat st;
    struct err why;
    if (lstat(at->path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    CLEANUP(fd_closep) int fd = socket_for(at, &why);
    return fd >= 0 && connect(fd, &sa->any, n) != 0 && errno == ECONNREFUSED;
}

/* Two that start at the same moment could each find the other's fresh socket stale before it listens; whoever needs
 * to be alone takes a lock (dir_lock) first. */
static err_code bind_unix(struct linux_listener *ll, const struct net_addr *at, unsigned mode,
                          struct err *err)
{
    union sock_addr sa;
    socklen_t n = sock_addr_of(at, &sa);
    bool abstract = at->path[0] == '\0';
    /* Before bind, so that there is no moment at which the file has more rights. */
    if (!abstract && fchmod(ll->fd, mode) != 0)
        return err_errno(err, errno, "could not set the mode of a socket");
    int e = bind(ll->fd, &sa.any, n) == 0 ? 0 : errno;
    if (e == EADDRINUSE && !abstract && unix_socket_is_stale(at, &sa, n) && unlink(at->path) == 0)
        e = bind(ll->fd, &sa.any, n) == 0 ? 0 : errno;
    if (e)
        return failed_to_bind(e, err);
    struct stat st;
    /* Again, for the bits that the umask took away. */
    if (!abstract && (chmod(at->path, mode) != 0 || lstat(at->path, &st) != 0))
        return err_errno(err, errno, "could not set the mode of the socket's file");
    if (!abstract) {
        ll->unix_dev = st.st_dev;
        ll->unix_ino = st.st_ino;
    }
    return ERR_NONE;
}

static err_code bind_ip(struct linux_listener *ll, const struct net_addr *at, struct err *err)
{
    union sock_addr sa;
    socklen_t n = sock_addr_of(at, &sa);
    int on = 1, off = 0;
    /* Connections of a former life in TIME_WAIT do not keep us from the port; "[::]" takes IPv4 too. */
    if (setsockopt(ll->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (at->family == NET_IP6 && setsockopt(ll->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0))
        return err_errno(err, errno, "could not set socket options");
    if (bind(ll->fd, &sa.any, n) != 0)
        return failed_to_bind(errno, err);
    static const uint8_t none[16];
    ll->any_address = memcmp(at->ip, none, at->family == NET_IP4 ? 4 : 16) == 0;
    return ERR_NONE;
}

static void remove_unix_socket(const struct linux_listener *ll)
{
    struct stat st;
    const struct net_addr *at = &ll->ln.addr;
    if (ll->unix_ino && lstat(at->path, &st) == 0 && st.st_dev == ll->unix_dev && st.st_ino == ll->unix_ino)
        unlink(at->path);
}

static void free_listener(struct listener *ln)
{
    struct linux_listener *ll = linux_listener_of(ln);
    ASSERT(!ll->acceptors);
    remove_unix_socket(ll);
    fd_closep(&ll->fd);
    listener_unref(ll);
}

static const struct listener_ops linux_listener_ops = {
    .attach = attach, .detach = detach, .free = free_listener};

static err_code open_listener(struct linux_listener *ll, const struct net_addr *at,
                              const struct listener_opts *opts, struct err *err)
{
    union sock_addr sa;
    socklen_t n = sizeof sa;
    ll->fd = socket_for(at, err);
    if (ll->fd < 0 ||
        (at->family == NET_UNIX ? bind_unix(ll, at, opts->unix_mode, err) : bind_ip(ll, at, err)))
        return err->code;
    if (listen(ll->fd, opts->backlog) != 0)
        return err_errno(err, errno, "could not listen");
    if (at->family != NET_UNIX && getsockname(ll->fd, &sa.any, &n) == 0)
        ll->ln.addr = net_addr_of(&sa, n);
    return ERR_NONE;
}

err_code linux_listen(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                      struct listener **ret, struct err *err)
{
    struct linux_listener *ll = NEW(struct linux_listener);
    ll->ln = (struct listener){.ops = &linux_listener_ops, .env = env, .addr = *at};
    ll->connection_max = opts->connection_max;
    ll->refs = 1;
    pthread_mutex_init(&ll->lock, NULL);
    if (open_listener(ll, at, opts, err)) {
        char text[NET_ADDR_TEXT];
        net_addr_format(at, text);
        free_listener(&ll->ln);
        return err_wrap(err, "could not listen on '%s'", text);
    }
    *ret = &ll->ln;
    return ERR_NONE;
}
