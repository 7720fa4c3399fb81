/* signals_linux.c - signals of the process as events of one loop, by signalfd. */
#include "base/mem.h"
#include "sys/linux_priv.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

struct signal_source {
    struct watch watch;
    struct loop_ready ready;
    struct loop_signals *signals;
    sigset_t blocked; /* by us, to be unblocked at the end */
    int fd;
    bool stopped;
    struct loop_msg last;
};

static void note(struct watch *w, uint32_t events)
{
    struct signal_source *src = CONTAINER_OF(w, struct signal_source, watch);
    loop_ready_add(w->loop, &src->ready);
}

static void report(struct loop_ready *r)
{
    struct signal_source *src = CONTAINER_OF(r, struct signal_source, ready);
    struct signalfd_siginfo info;
    while (!src->stopped && read(src->fd, &info, sizeof info) == sizeof info)
        src->signals->on_signal(src->signals, (int)info.ssi_signo);
}

static void free_source(struct loop_msg *m)
{
    mem_free(CONTAINER_OF(m, struct signal_source, last));
}

err_code linux_signals_start(struct loop *l, struct loop_signals *s, const int *signos, size_t signo_count,
                             struct err *err)
{
    sigset_t set, before;
    sigemptyset(&set);
    for (size_t i = 0; i < signo_count; i++)
        if (sigaddset(&set, signos[i]) != 0)
            return err_set(err, ERR_INVALID, "there is no signal %d", signos[i]);
    if (atomic_exchange(&linux_env_of(l)->signals_taken, true))
        return err_set(err, ERR_CONFLICT, "signals are reported to another loop already");
    struct signal_source *src = NEW(struct signal_source);
    src->watch.on_events = note;
    src->ready.run = report;
    src->signals = s;
    src->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (src->fd < 0)
        err_errno(err, errno, "could not open a signalfd");
    if (src->fd < 0 || watch_add(&src->watch, l, src->fd, EPOLLIN, err)) {
        fd_closep(&src->fd);
        mem_free(src);
        atomic_store(&linux_env_of(l)->signals_taken, false);
        return err->code;
    }
    pthread_sigmask(SIG_BLOCK, &set, &before);
    sigemptyset(&src->blocked);
    for (size_t i = 0; i < signo_count; i++)
        if (!sigismember(&before, signos[i]))
            sigaddset(&src->blocked, signos[i]);
    s->impl = src;
    return ERR_NONE;
}

void linux_signals_stop(struct loop_signals *s)
{
    struct signal_source *src = s->impl;
    if (!src)
        return;
    struct loop *l = s->loop;
    s->impl = NULL;
    src->stopped = true;
    loop_ready_remove(&src->ready);
    watch_remove(&src->watch);
    close(src->fd);
    pthread_sigmask(SIG_UNBLOCK, &src->blocked, NULL);
    atomic_store(&linux_env_of(l)->signals_taken, false);
    src->last = (struct loop_msg){.run = free_source, .drop = free_source};
    loop_defer(l, &src->last);
}
