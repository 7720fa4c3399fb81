/* env_linux.c - the real world: its clocks, its randomness, and the table of everything else. */
#include "base/mem.h"
#include "sys/linux_priv.h"
#include <errno.h>
#include <sys/random.h>
#include <time.h>

#define WORKER_MAX_DEFAULT 16

static int64_t clock_ns(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t linux_now_mono(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t now_mono(struct env *env)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t now_wall(struct env *env)
{
    return clock_ns(CLOCK_REALTIME);
}

static void sleep_for(struct env *env, int64_t ns)
{
    struct timespec left = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

/* Straight from the kernel each time: about 0.2 us, and no state of ours that a fork could copy. */
static void fill_random(struct env *env, void *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = getrandom((char *)p + done, n - done, 0);
        ASSERT(got > 0 || errno == EINTR);
        if (got > 0)
            done += (size_t)got;
    }
}

static void free_env(struct env *env)
{
    struct linux_env *le = CONTAINER_OF(env, struct linux_env, env);
    workers_done(&le->workers);
    mem_free(le);
}

static const struct env_ops linux_ops = {
    .now_mono = now_mono,
    .now_wall = now_wall,
    .sleep = sleep_for,
    .random = fill_random,
    .free = free_env,
    .loop_open = linux_loop_open,
    .loop_start = linux_loop_start,
    .loop_join = linux_loop_join,
    .loop_run_until = linux_loop_run_until,
    .loop_wake = linux_loop_wake,
    .loop_quiet = linux_loop_quiet,
    .loop_close = linux_loop_close,
    .submit = workers_submit,
    .signals_start = linux_signals_start,
    .signals_stop = linux_signals_stop,
    .effect = NULL,
    .connect = linux_connect,
    .pair = linux_pair,
    .listen = linux_listen,
    .dir_open = linux_dir_open,
    .spawn = linux_spawn,
};

struct linux_env *linux_env_of(struct loop *l)
{
    ASSERT(l->env->ops->loop_open == linux_loop_open); /* a test may have put other calls beside it */
    return CONTAINER_OF(l->env, struct linux_env, env);
}

err_code env_new_real(const struct env_opts *opts, struct env **ret, struct err *err)
{
    struct sigaction old;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return err_errno(err, errno, "could not ignore SIGPIPE");
    /* Inherited from a parent that does not care, it would make the kernel reap our children before we do. */
    if (sigaction(SIGCHLD, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
    struct linux_env *le = NEW(struct linux_env);
    le->env.ops = &linux_ops;
    workers_init(&le->workers, opts && opts->worker_max ? opts->worker_max : WORKER_MAX_DEFAULT);
    *ret = &le->env;
    return ERR_NONE;
}
