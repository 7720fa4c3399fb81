/* loop_linux.c - a loop on epoll: sleeping, waking, threads. */
#include "base/mem.h"
#include "sys/linux_priv.h"
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#define EVENTS_PER_TURN 256

/* --- watching --- */

err_code watch_add(struct watch *w, struct loop *l, int fd, uint32_t events, struct err *err)
{
    const struct linux_loop *ll = l->backend;
    struct epoll_event ev = {.events = events, .data.ptr = w};
    if (epoll_ctl(ll->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0) {
        w->fd = -1;
        return err_errno(err, errno, "could not watch a descriptor");
    }
    w->loop = l;
    w->fd = fd;
    return ERR_NONE;
}

void watch_remove(struct watch *w)
{
    if (w->fd < 0)
        return;
    const struct linux_loop *ll = w->loop->backend;
    /* It can only fail for a descriptor that is not there. */
    UNEXPECTED(epoll_ctl(ll->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL) != 0);
    w->fd = -1;
}

/* --- life --- */

static void ignore_events(struct watch *w, uint32_t events)
{
}

err_code linux_loop_open(struct loop *l, struct err *err)
{
    CLEANUP(fd_closep) int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    CLEANUP(fd_closep) int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll_fd < 0 || wake_fd < 0)
        return err_errno(err, errno, "could not open epoll and eventfd");
    /* Asked once, so that sleeping cannot fail: a kernel before 5.11, or a filter on system calls, has none. */
    if (epoll_pwait2(epoll_fd, &(struct epoll_event){0}, 1, &(struct timespec){0}, NULL) < 0)
        return err_errno(err, errno, "could not use epoll_pwait2");
    struct linux_loop *ll = NEW(struct linux_loop);
    *ll = (struct linux_loop){.epoll_fd = epoll_fd, .wake_fd = wake_fd, .wake.on_events = ignore_events};
    l->backend = ll;
    /* Edge-triggered: each write is an event of its own, and nobody ever needs to read the counter back to 0. */
    if (watch_add(&ll->wake, l, wake_fd, EPOLLIN | EPOLLET, err)) {
        mem_free(ll);
        return err->code;
    }
    epoll_fd = wake_fd = -1; /* kept */
    return ERR_NONE;
}

err_code thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg, struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(ret, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e)
        return err_errno(err, e, "could not start thread '%s'", name);
    char cut[16];
    snprintf(cut, sizeof cut, "%s", name);
    pthread_setname_np(*ret, cut); /* for people only: failing does not matter */
    return ERR_NONE;
}

void linux_loop_join(struct loop *l)
{
    struct linux_loop *ll = l->backend;
    if (!ll->has_thread)
        return;
    ASSERT(!pthread_equal(ll->thread, pthread_self()));
    pthread_join(ll->thread, NULL);
    ll->has_thread = false;
}

void linux_loop_quiet(struct loop *l)
{
    workers_forget(l);
}

void linux_loop_close(struct loop *l)
{
    struct linux_loop *ll = l->backend;
    close(ll->epoll_fd);
    close(ll->wake_fd);
    mem_free(ll);
}

/* --- sleeping and waking --- */

void linux_loop_wake(struct loop *l)
{
    const struct linux_loop *ll = l->backend;
    uint64_t one = 1;
    /* The counter would be full after 2^64 - 2 wakes; no other failure exists. */
    UNEXPECTED(write(ll->wake_fd, &one, sizeof one) != sizeof one);
}

/* Sleeps until something is ready, a message comes, or the deadline. */
static void sleep_and_collect(struct loop *l, int64_t now, int64_t until)
{
    const struct linux_loop *ll = l->backend;
    struct epoll_event events[EVENTS_PER_TURN];
    struct timespec ts = {0}, *timeout = &ts;
    int64_t deadline = loop_next_deadline(l);
    if (deadline > until)
        deadline = until;
    if (deadline > now && loop_sleep_begin(l)) {
        ts.tv_sec = (deadline - now) / NS_PER_S;
        ts.tv_nsec = (deadline - now) % NS_PER_S;
        if (deadline == LOOP_NEVER)
            timeout = NULL;
    }
    int n = epoll_pwait2(ll->epoll_fd, events, EVENTS_PER_TURN, timeout, NULL);
    if (UNEXPECTED(n < 0 && errno != EINTR))
        return;
    for (int i = 0; i < n; i++) {
        struct watch *w = events[i].data.ptr;
        w->on_events(w, events[i].events);
    }
}

static bool run_until(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns)
{
    loop_own(l);
    int64_t now = linux_now_mono(), until;
    if (__builtin_add_overflow(now, timeout_ns, &until))
        until = LOOP_NEVER;
    bool holds = false;
    for (bool first = true;; first = false) {
        holds = cond && cond(ctx);
        if (holds || l->stopped || (!first && now >= until))
            break;
        sleep_and_collect(l, now, until);
        now = loop_turn(l, linux_now_mono());
    }
    l->stopped = false;
    loop_disown(l);
    return holds;
}

bool linux_loop_run_until(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns)
{
    const struct linux_loop *ll = l->backend;
    ASSERT(!ll->has_thread);
    return run_until(l, cond, ctx, timeout_ns);
}

static void *run_loop(void *arg)
{
    struct loop *l = arg;
    run_until(l, NULL, NULL, LOOP_FOREVER);
    return NULL;
}

err_code linux_loop_start(struct loop *l, struct err *err)
{
    struct linux_loop *ll = l->backend;
    ASSERT(!ll->has_thread);
    if (thread_start(&ll->thread, l->name, run_loop, l, err))
        return err->code;
    ll->has_thread = true;
    return ERR_NONE;
}
