/* linux_priv.h - what the files of the real world (*_linux.c) share. */
#ifndef SYS_LINUX_PRIV_H
#define SYS_LINUX_PRIV_H

#include "sys/loop_priv.h"
#include "sys/stream_priv.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static inline void fd_closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

int64_t linux_now_mono(void);

/* --- worker pool (workers_linux.c) --- */
struct worker;
struct workers {
    pthread_mutex_t lock; /* guards everything here, and work_count of every loop */
    pthread_cond_t more;  /* something was queued, or `ending` */
    pthread_cond_t fewer; /* some loop's work_count went down, or thread_count */
    struct loop_queue queue;
    unsigned queued, idle, thread_count, thread_max;
    bool ending;
    struct worker *finished; /* threads that ended and wait to be joined */
};
void workers_init(struct workers *ws, unsigned thread_max);
void workers_done(struct workers *ws); /* ends and joins them */
void workers_submit(struct loop *l, struct loop_work *w);
void workers_forget(struct loop *l); /* posts what has not begun, waits for what runs */

struct linux_env {
    struct env env;
    struct workers workers;
    atomic_bool signals_taken;
};
struct linux_env *linux_env_of(struct loop *l);

/* --- loops (loop_linux.c) --- */

/* A descriptor in a loop's epoll set. `on_events` notes what happened and queues what is ready; it calls nobody. */
struct watch {
    void (*on_events)(struct watch *w, uint32_t events);
    struct loop *loop;
    int fd; /* -1: not watched */
};
err_code watch_add(struct watch *w, struct loop *l, int fd, uint32_t events, struct err *err);
/* Before the descriptor is closed: a child between vfork and exec may still hold it, so closing alone would leave it in
 * the epoll set. Afterwards on_events is not called. */
void watch_remove(struct watch *w);

struct linux_loop {
    int epoll_fd, wake_fd;
    struct watch wake;
    pthread_t thread;
    bool has_thread;
    unsigned work_count; /* queued or running on workers; guarded by workers.lock */
};

err_code linux_loop_open(struct loop *l, struct err *err);
err_code linux_loop_start(struct loop *l, struct err *err);
void linux_loop_join(struct loop *l);
bool linux_loop_run_until(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns);
void linux_loop_wake(struct loop *l);
void linux_loop_quiet(struct loop *l);
void linux_loop_close(struct loop *l);
/* A thread that no signal of the process is delivered to. The name is cut at 15 bytes. */
err_code thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg, struct err *err);

/* --- signals and children (signals_linux.c, process_linux.c) --- */
err_code linux_signals_start(struct loop *l, struct loop_signals *s, const int *signos, size_t signo_count,
                             struct err *err);
void linux_signals_stop(struct loop_signals *s);
err_code linux_spawn(struct loop *l, const struct child_spec *spec, struct child_handler handler,
                     struct child **ret, struct err *err);

/* --- streams (stream_linux.c, listener_linux.c) --- */
struct acceptor;
enum fd_kind { FD_SOCKET, FD_PIPE_IN, FD_PIPE_OUT }; /* IN: we read */

/* Takes over the descriptor, which must be non-blocking, in any case. `from` NULL: not accepted from anybody, else takes
 * over a count and a reference that the stream gives back when the descriptor is closed. */
err_code stream_of_fd(struct loop *l, int fd, enum fd_kind kind, struct acceptor *from, struct stream **ret,
                      struct err *err);
void acceptor_give_back(struct acceptor *a);
/* Non-blocking; -1 and an error when there is none to be had. */
int socket_for(const struct net_addr *a, struct err *err);
err_code linux_connect(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                       struct stream **ret, struct err *err);
err_code linux_pair(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err);
err_code linux_listen(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                      struct listener **ret, struct err *err);

/* --- files (file_linux.c) --- */
err_code linux_dir_open(struct env *env, str path, unsigned flags, struct dir **ret, struct err *err);

#endif
