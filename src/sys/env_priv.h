/* env_priv.h - the seam between the two worlds, for src/sys only.
 * The loop's timers, message queue and turns are common code (loop.c), so are interest and readiness of streams
 * (stream.c) and whole-file operations (file.c). A backend supplies time, sleeping and waking, streams, files and
 * workers: *_linux.c is one, sim*.c the other. */
#ifndef SYS_ENV_PRIV_H
#define SYS_ENV_PRIV_H

#include "sys/file.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/stream.h"

struct env_ops {
    int64_t (*now_mono)(struct env *env);
    int64_t (*now_wall)(struct env *env);
    void (*sleep)(struct env *env,
                  int64_t ns); /* the thread; simulated: what runs now takes so much longer */
    void (*random)(struct env *env, void *p, size_t n);
    void (*free)(struct env *env);

    /* Loops. `loop_open` makes l->backend. `loop_wake` may come from any thread (or, simulated, from any loop), once for
     * each loop_sleep_begin. `loop_run_until` is the loop: sleep, loop_turn, again (see loop_priv.h). */
    err_code (*loop_open)(struct loop *l, struct err *err);
    err_code (*loop_start)(struct loop *l, struct err *err);
    void (*loop_join)(struct loop *l);
    bool (*loop_run_until)(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns);
    void (*loop_wake)(struct loop *l);
    /* The loop will run no more: work that has not begun is posted as if it were done (it will be dropped), what runs is
     * waited for. What closes in the background is then closed by the common part. */
    void (*loop_quiet)(struct loop *l);
    void (*loop_close)(struct loop *l); /* after the last message was dropped */

    /* Runs w->run somewhere, some time, then loop_post(w->loop, &w->msg). msg.next is free for a queue. */
    void (*submit)(struct loop *l, struct loop_work *w);
    err_code (*signals_start)(struct loop *l, struct loop_signals *s, const int *signos, size_t signo_count,
                              struct err *err);
    void (*signals_stop)(struct loop_signals *s);

    /* Asked by loop_turn before each callback (message, timer, ready item, deferred), and by a backend wherever it likes:
     * counts an effect; false: the host is crashed, the turn ends here and nothing is delivered any more. NULL, as in the
     * real one: always true. */
    bool (*effect)(struct env *env);

    err_code (*connect)(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                        struct stream **ret, struct err *err);
    err_code (*pair)(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err);
    err_code (*listen)(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                       struct listener **ret, struct err *err);

    err_code (*dir_open)(struct env *env, str path, unsigned flags, struct dir **ret, struct err *err);
    /* NULL: children are unsupported. The other calls of process.h belong to the implementation that has spawn. */
    err_code (*spawn)(struct loop *l, const struct child_spec *spec, struct child_handler handler,
                      struct child **ret, struct err *err);
};

struct env {
    const struct env_ops *ops;
};

/* --- handles: each implementation embeds one as its first member --- */

struct listener_ops {
    err_code (*attach)(struct listener *ln, struct loop *l, void (*on_accept)(void *ctx, struct stream *s),
                       void *ctx, struct err *err);
    void (*detach)(struct listener *ln, struct loop *l);
    void (*free)(struct listener *ln);
};
struct listener {
    const struct listener_ops *ops;
    struct env *env;
    struct net_addr addr;
};

/* Paths were checked by file.c: not empty, no leading or doubled '/', no "." or "..", no NUL, names of at most 255 bytes,
 * FILE_PATH_MAX in all. */
#define FILE_PATH_MAX 4000
struct dir_ops {
    err_code (*open_beneath)(struct dir *d, str path, unsigned flags, struct dir **ret, struct err *err);
    void (*close)(struct dir *d);
    err_code (*make)(struct dir *d, str path, struct err *err);
    err_code (*sync)(struct dir *d, struct err *err);
    /* In any order. ERR_TOO_LARGE above `max`. */
    err_code (*list)(struct dir *d, struct arena *a, size_t max, str **ret_names, size_t *ret_count,
                     struct err *err);
    err_code (*rename)(struct dir *d, str from, str to, struct err *err);
    err_code (*remove)(struct dir *d, str path, struct err *err);
    err_code (*lock)(struct dir *d, str name, struct file **ret_lock, struct err *err);
    err_code (*file_open)(struct dir *d, str path, unsigned flags, struct file **ret, struct err *err);
};
struct dir {
    const struct dir_ops *ops;
    struct env *env;
};

struct file_ops {
    void (*close)(struct file *f);
    err_code (*read_at)(struct file *f, uint64_t offset, void *p, size_t n, size_t *ret_n, struct err *err);
    err_code (*write_at)(struct file *f, uint64_t offset, const void *p, size_t n, struct err *err);
    err_code (*sync)(struct file *f, struct err *err);
    err_code (*truncate)(struct file *f, uint64_t size, struct err *err);
    err_code (*size)(struct file *f, uint64_t *ret, struct err *err);
};
struct file {
    const struct file_ops *ops;
    struct env *env;
};

#endif
