/* process_linux.c - children: vfork and exec, their end told by a pidfd.
 * Nobody else in this process waits for children, so a pid is ours until we reap it, and a pidfd opened after vfork is
 * the right one. */
#include "base/mem.h"
#include "sys/linux_priv.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct child {
    struct watch watch;
    struct loop_ready ready;
    struct loop *loop;
    pid_t pid;
    int pid_fd;
    struct child_handler handler; /* none: forgotten */
    struct stream *streams[3];
    struct background background;
    struct loop_msg last;
};

/* --- in the child, between vfork and exec: the parent's memory, so no allocation and nothing that is locked --- */

struct start {
    const struct child_spec *spec;
    int fds[3];    /* what becomes 0, 1, 2 */
    int report_fd; /* closes on exec; else gets one struct start_failure */
    pid_t parent;
};

struct start_failure {
    int step, e;
};

enum { STEP_STDIO, STEP_DIR, STEP_SESSION, STEP_PARENT, STEP_EXEC };
static const char *const steps[] = {
    [STEP_STDIO] = "could not set up its input and output",
    [STEP_DIR] = "could not change into its directory",
    [STEP_SESSION] = "could not make a session for it",
    [STEP_PARENT] = "could not bind its life to ours",
    [STEP_EXEC] = "could not execute it",
};

static bool move_stdio(const int fds[3])
{
    int aside[3];
    /* First all of them out of the way, as one may be 0, 1 or 2 itself. */
    for (int i = 0; i < 3; i++)
        if ((aside[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3)) < 0)
            return false;
    for (int i = 0; i < 3; i++)
        if (dup2(aside[i], i) < 0)
            return false;
    return true;
}

static bool die_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return false;
    if (getppid() != parent) /* it was over before we asked */
        raise(SIGKILL);
    return true;
}

static int become(const struct start *st)
{
    const struct child_spec *spec = st->spec;
    if (!move_stdio(st->fds) || close_range(3, UINT32_MAX, CLOSE_RANGE_CLOEXEC) != 0)
        return STEP_STDIO;
    if (spec->dir && chdir(spec->dir) != 0)
        return STEP_DIR;
    if (spec->new_session && setsid() < 0)
        return STEP_SESSION;
    if (spec->dies_with_parent && !die_with(st->parent))
        return STEP_PARENT;
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL); /* the one we ignore; handlers do not survive exec anyway */
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvpe(spec->argv[0], (char *const *)(uintptr_t)spec->argv,
            spec->envp ? (char *const *)(uintptr_t)spec->envp : environ);
    return STEP_EXEC;
}

NORETURN static void child_main(const struct start *st)
{
    int step = become(st);
    struct start_failure f = {.step = step, .e = errno};
    ssize_t put = write(st->report_fd, &f, sizeof f);
    _exit(put == sizeof f ? 127 : 126);
}

/* A function of its own: what the child does to its frame does not concern the caller's. */
static __attribute__((noinline)) pid_t start_child(const struct start *st)
{
    pid_t pid = vfork();
    if (pid == 0)
        child_main(st);
    return pid;
}

/* --- in the parent --- */

static void close_all(const int fds[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        fd_closep(&fds[i]);
}

static err_code wait_for_exec(int report_fd, pid_t pid, const struct child_spec *spec, struct err *err)
{
    struct start_failure f;
    ssize_t n;
    do
        n = read(report_fd, &f, sizeof f);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return ERR_NONE;
    waitpid(pid, NULL, 0);
    if (n != sizeof f)
        return err_set(err, ERR_IO, "could not start '%s'", spec->argv[0]);
    return err_errno(err, f.e, "could not start '%s': %s", spec->argv[0], steps[f.step]);
}

/* Signals wait until the child has its own handlers: with vfork, ours would run in it on our memory. */
static err_code vfork_and_exec(struct start *st, int report[2], pid_t *ret, struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    st->report_fd = report[1];
    st->parent = getpid();
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = start_child(st);
    int e = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    report[1] = -1;
    if (pid < 0)
        return err_errno(err, e, "could not start '%s'", st->spec->argv[0]);
    if (wait_for_exec(report[0], pid, st->spec, err))
        return err->code;
    *ret = pid;
    return ERR_NONE;
}

/* What a finished child has told: reaped here, nowhere else. */
static void child_done(struct child *c);

static void free_child(struct loop_msg *m)
{
    mem_free(CONTAINER_OF(m, struct child, last));
}

static void child_done(struct child *c)
{
    background_remove(&c->background);
    loop_ready_remove(&c->ready);
    watch_remove(&c->watch);
    fd_closep(&c->pid_fd);
    c->last = (struct loop_msg){.run = free_child, .drop = free_child};
    loop_defer(c->loop, &c->last);
}

static void close_streams(struct child *c)
{
    for (size_t i = 0; i < 3; i++)
        stream_close(TAKE(c->streams[i]));
}

static void ended(struct loop_ready *r)
{
    struct child *c = CONTAINER_OF(r, struct child, ready);
    int status = 0;
    pid_t got = waitpid(c->pid, &status, WNOHANG);
    if (got == 0)
        return;
    UNEXPECTED(got < 0); /* somebody else reaped it: the end is certain, the status is not */
    struct child_handler h = TAKE(c->handler);
    if (h.on_exit)
        h.on_exit(h.ctx, c, status);
    close_streams(c);
    child_done(c);
}

static void note(struct watch *w, uint32_t events)
{
    loop_ready_add(w->loop, &CONTAINER_OF(w, struct child, watch)->ready);
}

/* The loop goes before the child: it runs on, and is reaped when we end. */
static void forget(struct background *b)
{
    struct child *c = CONTAINER_OF(b, struct child, background);
    waitpid(c->pid, NULL, WNOHANG);
    child_done(c);
}

/* Ours and the child's end for each of the three. */
struct stdio {
    int ours[3], theirs[3];
};

static void stdio_done(struct stdio *io)
{
    close_all(io->ours, 3);
    close_all(io->theirs, 3);
}

static err_code open_stdio(const struct child_spec *spec, struct stdio *io, struct err *err)
{
    const int wanted[3] = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd};
    for (int i = 0; i < 3; i++) {
        int fds[2];
        switch (wanted[i]) {
        case -1: io->theirs[i] = open("/dev/null", O_RDWR | O_CLOEXEC); break;
        case CHILD_PIPE:
            if (pipe2(fds, O_CLOEXEC) != 0)
                break;
            io->ours[i] = fds[i == 0];
            io->theirs[i] = fds[i != 0];
            break;
        default: io->theirs[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 3); break;
        }
        if (io->theirs[i] < 0 || (io->ours[i] >= 0 && fcntl(io->ours[i], F_SETFL, O_NONBLOCK) != 0))
            return err_errno(err, errno, "could not open %s for '%s'",
                             i == 0   ? "standard input"
                             : i == 1 ? "standard output"
                                      : "standard error",
                             spec->argv[0]);
    }
    return ERR_NONE;
}

/* The streams before the child: once it runs, nothing can fail any more but the pidfd. */
static err_code make_streams(struct child *c, struct stdio *io, struct err *err)
{
    for (int i = 0; i < 3; i++) {
        int fd = io->ours[i];
        io->ours[i] = -1;
        if (fd >= 0 &&
            stream_of_fd(c->loop, fd, i == 0 ? FD_PIPE_OUT : FD_PIPE_IN, NULL, &c->streams[i], err))
            return err->code;
    }
    return ERR_NONE;
}

static err_code watch_child(struct child *c, struct err *err)
{
    c->pid_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    if (c->pid_fd < 0)
        err_errno(err, errno, "could not open a pidfd");
    if (c->pid_fd >= 0 && !watch_add(&c->watch, c->loop, c->pid_fd, EPOLLIN, err))
        return ERR_NONE;
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    return err->code;
}

static err_code start(struct child *c, const struct child_spec *spec, struct err *err)
{
    CLEANUP(stdio_done) struct stdio io = {{-1, -1, -1}, {-1, -1, -1}};
    if (open_stdio(spec, &io, err) || make_streams(c, &io, err))
        return err->code;
    struct start st = {.spec = spec};
    memcpy(st.fds, io.theirs, sizeof st.fds);
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return err_errno(err, errno, "could not start '%s'", spec->argv[0]);
    err_code code = vfork_and_exec(&st, report, &c->pid, err);
    close_all(report, 2);
    return code ? code : watch_child(c, err);
}

err_code linux_spawn(struct loop *l, const struct child_spec *spec, struct child_handler handler,
                     struct child **ret, struct err *err)
{
    struct child *c = NEW(struct child);
    *c = (struct child){.watch = {.on_events = note, .fd = -1},
                        .ready.run = ended,
                        .loop = l,
                        .pid_fd = -1,
                        .handler = handler,
                        .background.end = forget};
    if (start(c, spec, err)) {
        close_streams(c);
        child_done(c);
        return err->code;
    }
    *ret = c;
    return ERR_NONE;
}

err_code child_spawn(struct loop *l, const struct child_spec *spec, struct child_handler handler,
                     struct child **ret, struct err *err)
{
    loop_assert_owner(l);
    if (!l->env->ops->spawn)
        return err_set(err, ERR_UNSUPPORTED, "there are no child processes here");
    return l->env->ops->spawn(l, spec, handler, ret, err);
}

struct stream *child_stream(struct child *c, int which)
{
    ASSERT(which >= 0 && which < 3);
    return c->streams[which];
}

struct stream *child_take_stream(struct child *c, int which)
{
    ASSERT(which >= 0 && which < 3);
    return TAKE(c->streams[which]);
}

int child_pid(const struct child *c)
{
    return c->pid;
}

err_code child_kill(struct child *c, int signo, struct err *err)
{
    loop_assert_owner(c->loop);
    if (syscall(SYS_pidfd_send_signal, c->pid_fd, signo, NULL, 0) != 0)
        return err_errno(err, errno, "could not send signal %d to process %d", signo, (int)c->pid);
    return ERR_NONE;
}

void child_free(struct child *c)
{
    if (!c)
        return;
    loop_assert_owner(c->loop);
    c->handler = (struct child_handler){NULL};
    close_streams(c);
    background_add(c->loop, &c->background);
}
