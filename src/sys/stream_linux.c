/* stream_linux.c - streams over descriptors: TCP and Unix sockets, socket pairs, pipes of children.
 * A descriptor enters the loop's epoll set once, edge-triggered for everything; from then on `possible` tells what the
 * last edge and the last read or write left us with, so that interest costs no system call.
 * Closing: a socket closed with unread bytes makes the kernel send a reset, which can destroy at the other end what we
 * had sent. So after the owner has gone a socket is shut down and read dry in the background, within bounds, before its
 * descriptor is closed. */
#include "base/mem.h"
#include "sys/linux_priv.h"
#include "sys/sockaddr_linux.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define LINGER_IDLE_NS \
    (5 * NS_PER_S) /* nothing came for so long: what is left to send the kernel sends alone */
#define LINGER_NS        (30 * NS_PER_S)
#define LINGER_BYTES_MAX ((size_t)64 << 20)
#define PARTS_MAX        64

struct fd_stream {
    struct stream s;
    struct watch watch;
    int fd; /* -1: closed */
    enum fd_kind kind;
    bool connecting;
    bool peer_ended; /* told by epoll: more than what is in the queue will not come */
    bool saw_end;    /* a read told so */
    bool wrote, shut;
    /* What repeats; 0: nothing. `end_errno`: the end of the stream is none, for a reset was seen while writing. */
    int connect_errno, read_errno, write_errno, end_errno;
    struct acceptor *from;
    /* After closing. */
    size_t drained;
    int64_t linger_end;
    struct timer linger;
    struct background background;
};

static struct fd_stream *fd_stream_of(struct stream *s)
{
    return CONTAINER_OF(s, struct fd_stream, s);
}

static void close_fd(struct fd_stream *k)
{
    watch_remove(&k->watch);
    fd_closep(&k->fd);
    k->fd = -1;
}

/* --- errors --- */

static err_code failed_to(const struct fd_stream *k, const char *what, int e, struct err *err)
{
    char peer[NET_ADDR_TEXT];
    net_addr_format(&k->s.peer, peer);
    return err_errno(err, e, "could not %s %s", what, peer[0] ? peer : "a pipe");
}

static err_code failed_to_connect(const struct fd_stream *k, struct err *err)
{
    err_code code = failed_to(k, "connect to", k->connect_errno, err);
    /* However it is that nobody is there: no such path, refused, backlog full, no route. */
    if (code != ERR_TIMEOUT && code != ERR_FORBIDDEN)
        err->code = ERR_UNAVAILABLE;
    return err->code;
}

/* --- events --- */

static void get_local(struct fd_stream *k)
{
    union sock_addr sa;
    socklen_t n = sizeof sa;
    if (getsockname(k->fd, &sa.any, &n) == 0)
        k->s.local = net_addr_of(&sa, n);
}

static void connect_ended(struct fd_stream *k)
{
    int e = 0;
    socklen_t n = sizeof e;
    if (getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0)
        e = errno;
    k->connecting = false;
    if (e == ECONNRESET || e == EPIPE) {
        /* It was connected, and ended again before we looked: refusals have other names. */
        k->write_errno = e;
        k->end_errno = e == ECONNRESET ? e : 0;
    } else if (e) {
        k->connect_errno = e;
    } else {
        get_local(k);
        if (k->shut && shutdown(k->fd, SHUT_WR) != 0)
            k->write_errno = errno;
    }
}

static void note(struct watch *w, uint32_t events)
{
    struct fd_stream *k = CONTAINER_OF(w, struct fd_stream, watch);
    unsigned possible = 0;
    if (k->connecting)
        connect_ended(k);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        possible |= STREAM_READ;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        possible |= STREAM_WRITE;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        k->peer_ended = true;
    if (k->connect_errno)
        possible = STREAM_READ | STREAM_WRITE;
    stream_possible_add(&k->s, possible);
    if (k->s.closed)
        loop_ready_add(k->s.loop, &k->s.ready); /* to be drained */
}

/* --- reading and writing --- */

static err_code fd_read(struct stream *s, void *p, size_t n, size_t *ret_n, struct err *err)
{
    struct fd_stream *k = fd_stream_of(s);
    if (k->connect_errno)
        return failed_to_connect(k, err);
    if (k->read_errno)
        return failed_to(k, "read from", k->read_errno, err);
    if (!(s->possible & STREAM_READ))
        return stream_again(err);
    ssize_t got;
    do
        got = read(k->fd, p, n);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        /* Less than asked: the queue is empty, and an edge will tell of more. Unless the end was announced already. */
        if ((size_t)got < n && !k->peer_ended)
            stream_possible_remove(s, STREAM_READ);
        *ret_n = (size_t)got;
        return ERR_NONE;
    }
    if (got < 0 && errno == EAGAIN) {
        stream_possible_remove(s, STREAM_READ);
        return stream_again(err);
    }
    k->saw_end = true;
    k->read_errno = got < 0 ? errno : k->end_errno;
    if (k->read_errno)
        return failed_to(k, "read from", k->read_errno, err);
    return err_set(err, ERR_CLOSED, "the other end has closed the stream");
}

static err_code write_failed(struct fd_stream *k, int e, struct err *err)
{
    k->write_errno = e;
    /* The kernel tells of a reset once: a read after this would find an innocent end of stream. */
    if (e != EPIPE)
        k->end_errno = e;
    return failed_to(k, "write to", e, err);
}

static err_code fd_write(struct stream *s, const str *parts, size_t part_count, size_t *ret_n,
                         struct err *err)
{
    struct fd_stream *k = fd_stream_of(s);
    if (k->connect_errno)
        return failed_to_connect(k, err);
    if (k->write_errno || k->shut)
        return failed_to(k, "write to", k->write_errno ? k->write_errno : EPIPE, err);
    struct iovec iov[PARTS_MAX];
    int count = 0;
    for (size_t i = 0; i < part_count && count < PARTS_MAX; i++)
        if (parts[i].n)
            iov[count++] = (struct iovec){.iov_base = (void *)(uintptr_t)parts[i].p, .iov_len = parts[i].n};
    if (!count) {
        *ret_n = 0;
        return ERR_NONE;
    }
    if (!(s->possible & STREAM_WRITE))
        return stream_again(err);
    ssize_t put;
    do
        put = writev(k->fd, iov, count);
    while (put < 0 && errno == EINTR);
    if (put < 0 && errno != EAGAIN)
        return write_failed(k, errno, err);
    if (put <= 0) {
        stream_possible_remove(s, STREAM_WRITE);
        return stream_again(err);
    }
    /* A short write leaves it possible: only EAGAIN makes sure of an edge later. */
    k->wrote = true;
    *ret_n = (size_t)put;
    return ERR_NONE;
}

static err_code fd_shutdown(struct stream *s, struct err *err)
{
    struct fd_stream *k = fd_stream_of(s);
    if (k->connect_errno)
        return failed_to_connect(k, err);
    if (k->shut)
        return ERR_NONE;
    k->shut = true;
    if (k->connecting)
        return ERR_NONE; /* done once it is connected */
    if (k->kind == FD_PIPE_OUT)
        close_fd(k);
    else if (k->kind == FD_SOCKET && shutdown(k->fd, SHUT_WR) != 0)
        return write_failed(k, errno, err);
    return ERR_NONE;
}

/* --- closing --- */

static void finish(struct fd_stream *k)
{
    timer_cancel(&k->linger);
    background_remove(&k->background);
    loop_ready_remove(&k->s.ready);
    close_fd(k);
    if (k->from)
        acceptor_give_back(k->from);
    stream_gone(&k->s);
}

/* True: the other end has ended too, or it is of no use to wait for it. */
static bool drain(struct fd_stream *k)
{
    char waste[16384];
    for (;;) {
        ssize_t n = read(k->fd, waste, sizeof waste);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return !(n < 0 && errno == EAGAIN);
        k->drained += (size_t)n;
        if (k->drained > LINGER_BYTES_MAX)
            return true;
    }
}

static void linger_on(struct fd_stream *k)
{
    int64_t idle_end = loop_now(k->s.loop) + LINGER_IDLE_NS;
    timer_set_at(&k->linger, idle_end < k->linger_end ? idle_end : k->linger_end);
}

static void drain_more(struct loop_ready *r)
{
    struct fd_stream *k = fd_stream_of(CONTAINER_OF(r, struct stream, ready));
    if (drain(k))
        finish(k);
    else
        linger_on(k);
}

static void linger_too_long(struct timer *t)
{
    finish(CONTAINER_OF(t, struct fd_stream, linger));
}

static void linger_cut(struct background *b)
{
    finish(CONTAINER_OF(b, struct fd_stream, background));
}

static void fd_close(struct stream *s, bool abort)
{
    struct fd_stream *k = fd_stream_of(s);
    bool sound = k->kind == FD_SOCKET && k->fd >= 0 && !k->connecting && !k->read_errno && !k->write_errno;
    if (abort && k->kind == FD_SOCKET && k->fd >= 0)
        setsockopt(k->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    if (abort || !sound || !k->wrote || k->saw_end) {
        finish(k);
        return;
    }
    if (!k->shut)
        shutdown(k->fd, SHUT_WR);
    if (drain(k) || s->loop->closing) {
        finish(k);
        return;
    }
    s->ready.run = drain_more;
    k->background.end = linger_cut;
    background_add(s->loop, &k->background);
    timer_init(&k->linger, s->loop, linger_too_long);
    k->linger_end = loop_now(s->loop) + LINGER_NS;
    linger_on(k);
}

static void fd_free(struct stream *s)
{
    mem_free(fd_stream_of(s));
}

/* --- making --- */

static const struct stream_ops fd_ops = {
    .read = fd_read,
    .write = fd_write,
    .shutdown = fd_shutdown,
    .want = NULL,
    .close = fd_close,
    .free = fd_free,
};

static struct fd_stream *fd_stream_new(struct loop *l, int fd, enum fd_kind kind)
{
    struct fd_stream *k = NEW(struct fd_stream);
    stream_init(&k->s, &fd_ops, l);
    k->watch.on_events = note;
    k->watch.fd = -1;
    k->fd = fd;
    k->kind = kind;
    return k;
}

static err_code watch_all(struct fd_stream *k, struct err *err)
{
    return watch_add(&k->watch, k->s.loop, k->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, err);
}

err_code stream_of_fd(struct loop *l, int fd, enum fd_kind kind, struct acceptor *from, struct stream **ret,
                      struct err *err)
{
    struct fd_stream *k = fd_stream_new(l, fd, kind);
    k->from = from;
    if (watch_all(k, err)) {
        stream_close(&k->s);
        return err->code;
    }
    /* A new socket or pipe has room; whether there is something to read the first edge tells. */
    if (kind != FD_PIPE_IN)
        stream_possible_add(&k->s, STREAM_WRITE);
    *ret = &k->s;
    return ERR_NONE;
}

static int family_of(const struct net_addr *a)
{
    switch (a->family) {
    case NET_NONE: break;
    case NET_IP4: return AF_INET;
    case NET_IP6: return AF_INET6;
    case NET_UNIX: return AF_UNIX;
    }
    return AF_UNSPEC;
}

int socket_for(const struct net_addr *a, struct err *err)
{
    int family = family_of(a);
    if (family == AF_UNSPEC) {
        err_set(err, ERR_INVALID, "there is no address");
        return -1;
    }
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        err_errno(err, errno, "could not make a socket");
    if (fd < 0 || family == AF_UNIX)
        return fd;
    /* None can fail on a TCP socket. A peer that vanished is noticed within two and a half minutes. */
    static const struct {
        int level, name, value;
    } options[] = {{IPPROTO_TCP, TCP_NODELAY, 1},
                   {SOL_SOCKET, SO_KEEPALIVE, 1},
                   {IPPROTO_TCP, TCP_KEEPIDLE, 15},
                   {IPPROTO_TCP, TCP_KEEPINTVL, 15}};
    for (size_t i = 0; i < ARRAY_COUNT(options); i++)
        UNEXPECTED(setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int)) != 0);
    return fd;
}

err_code linux_connect(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                       struct stream **ret, struct err *err)
{
    union sock_addr sa;
    socklen_t n = sock_addr_of(to, &sa);
    int fd = socket_for(to, err);
    if (fd < 0)
        return err->code;
    struct fd_stream *k = fd_stream_new(l, fd, FD_SOCKET);
    k->s.peer = *to;
    k->s.handler = handler;
    int e = connect(fd, &sa.any, n) == 0 ? 0 : errno;
    k->connecting = e == EINPROGRESS || e == EINTR;
    if (e && !k->connecting) {
        /* Told by the first read or write, as a refusal that takes longer is. */
        k->connect_errno = e;
        close_fd(k);
        stream_possible_add(&k->s, STREAM_READ | STREAM_WRITE);
    } else if (watch_all(k, err)) {
        stream_close(&k->s);
        return err->code;
    }
    if (!e) {
        get_local(k);
        stream_possible_add(&k->s, STREAM_WRITE);
    }
    *ret = &k->s;
    return ERR_NONE;
}

err_code linux_pair(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err)
{
    int fds[2];
    struct stream *a;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return err_errno(err, errno, "could not make a pair of sockets");
    if (stream_of_fd(l, fds[0], FD_SOCKET, NULL, &a, err)) {
        close(fds[1]);
        return err->code;
    }
    if (stream_of_fd(l, fds[1], FD_SOCKET, NULL, ret_b, err)) {
        stream_close(a);
        return err->code;
    }
    *ret_a = a;
    return ERR_NONE;
}
