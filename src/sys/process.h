/* process.h - children of this process: started from a loop, their end reported there, never waited for.
 * Real env only: a simulated host answers ERR_UNSUPPORTED.
 * Descriptors of ours are not inherited; the child gets what the spec says and nothing else. */
#ifndef SYS_PROCESS_H
#define SYS_PROCESS_H

#include "sys/stream.h"

struct child;

struct child_spec {
    const char *const *argv; /* NULL ended; argv[0] is a path, or found in PATH when it has no '/' */
    const char *const *envp; /* NULL: ours */
    const char *dir;         /* NULL: ours */
    /* Each: -1 gives /dev/null, CHILD_PIPE makes a stream (child_stream), else a descriptor that is duplicated. */
    int stdin_fd, stdout_fd, stderr_fd;
    bool new_session;      /* setsid: signals from our terminal do not reach it */
    bool dies_with_parent; /* SIGKILL when the thread that started it ends */
};
#define CHILD_PIPE (-2)

/* status as waitpid gives it. Called once, after which the child is gone; not after child_free. */
struct child_handler {
    void (*on_exit)(void *ctx, struct child *c, int status);
    void *ctx;
};
/* A program that cannot be executed is an error here, not an exit code. */
err_code child_spawn(struct loop *l, const struct child_spec *spec, struct child_handler handler,
                     struct child **ret, struct err *err);
/* 0 stdin (we write), 1 stdout, 2 stderr (we read); NULL when it was not CHILD_PIPE. Owned by the child handle until
 * child_take_stream. */
struct stream *child_stream(struct child *c, int which);
struct stream *child_take_stream(struct child *c, int which);
int child_pid(const struct child *c);
err_code child_kill(struct child *c, int signo, struct err *err); /* never hits a reused pid */
/* Forgets it; if it still runs, it goes on and is reaped without a report. */
void child_free(struct child *c);

#endif
