/* env_priv.h - the seam between the two worlds, for src/sys only.
 * The loop's timers and message queue are common code (loop.c); a backend supplies time, sleeping and waking, streams,
 * files and workers. loop_linux.c with stream_linux.c and file_linux.c is one, sim*.c the other. */
#ifndef SYS_ENV_PRIV_H
#define SYS_ENV_PRIV_H

#include "sys/file.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/stream.h"

struct env_ops {
    int64_t (*now_mono)(struct env *env);
    int64_t (*now_wall)(struct env *env);
    void (*random)(struct env *env, void *p, size_t n);
    void (*free)(struct env *env);

    /* Loops. `open` makes l->backend; `wake` may come from any thread (or, simulated, from any loop); `serve` runs it. */
    err_code (*loop_open)(struct loop *l, struct err *err);
    void (*loop_close)(struct loop *l);
    err_code (*loop_start)(struct loop *l, struct err *err);
    void (*loop_join)(struct loop *l);
    bool (*loop_run_until)(struct loop *l, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns);
    void (*loop_wake)(struct loop *l);
    void (*submit)(struct loop *l, struct loop_work *w);
    err_code (*signals_start)(struct loop *l, struct loop_signals *s, const int *signos, size_t signo_count,
                              struct err *err);
    void (*signals_stop)(struct loop_signals *s);
    /* Counts an effect; false: the host is crashed and the effect is to be swallowed. Always true for the real one. */
    bool (*effect)(struct env *env);

    err_code (*connect)(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                        struct stream **ret, struct err *err);
    err_code (*pair)(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err);
    err_code (*listen)(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                       struct listener **ret, struct err *err);

    err_code (*dir_open)(struct env *env, str path, unsigned flags, struct dir **ret, struct err *err);
    err_code (*spawn)(struct loop *l, const struct child_spec *spec, struct child_handler handler,
                      struct child **ret, struct err *err);
};

struct env {
    const struct env_ops *ops;
};

#endif
