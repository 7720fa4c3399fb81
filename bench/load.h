/* load.h - a client that keeps a server busy: connections over TLS and HTTP/2, each with some requests in flight, until so many
 * were answered; and how long each took.
 * One thread, the caller's. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/buf.h"
#include "sys/env.h"

struct load_request {
    const char *method;
    char path[256];
    struct buf body; /* cleared before each; of `content_type` */
    const char *content_type, *accept;
};

struct load {
    str kubeconfig_dir;              /* where admin.conf is */
    unsigned connections, in_flight; /* in flight: of each */
    size_t requests;                 /* in all */
    /* Fills in request number `index`. */
    void (*make)(void *ctx, size_t index, struct load_request *r);
    void *ctx;
    int expect; /* status of the answers */
};

struct load_result {
    double seconds, per_second;
    double p50_ms, p99_ms, max_ms;
    size_t failed;  /* answered with another status, or not at all */
    uint64_t bytes; /* of bodies received */
};

void load_run(struct env *env, const struct load *l, struct load_result *ret);

#endif
