/* follow.h - keeps what was compiled from some resources of the store up to date: a cow_table that is brought to each newer
 * snapshot by the changes since the last one.
 * Whoever asks brings it up to date, if nobody has yet: one thread at a time makes the next version, the others go on with the
 * one there is as long as it is not older than their snapshot, else they wait for that one thread.
 * Threads: any; follow_init and follow_done while nobody else has it. */
#ifndef SERVER_FOLLOW_H
#define SERVER_FOLLOW_H

#include "server/cow.h"
#include <pthread.h>

struct object;
struct snapshot;
struct store;

#define FOLLOW_RESOURCES_MAX 4
struct follow_opts {
    struct store *store; /* borrowed */
    uint32_t resources[FOLLOW_RESOURCES_MAX];
    unsigned resource_count;
    /* Makes `t`, which is not shared yet, as it is after a change of resource number `which` of these: `old` was there (or
     * NULL), `now` is (or NULL). Objects are borrowed. One call at a time. */
    void (*change)(void *ctx, struct cow_table *t, unsigned which, const struct object *old,
                   const struct object *now);
    void *ctx;
};

struct follow {
    struct follow_opts opts;
    pthread_mutex_t making; /* held while the next version is made */
    pthread_mutex_t
        switching; /* guards `table` for the few instructions of taking a reference or replacing it; taken last */
    const struct cow_table *table;
    _Atomic int64_t revision; /* `table` has everything up to it: stored after the table, read before it */
};

/* Reads everything there is. */
void follow_init(struct follow *f, const struct follow_opts *opts);
void follow_done(struct follow *f);

/* As of a snapshot or later; a reference, the caller's. */
const struct cow_table *follow_table(struct follow *f, const struct snapshot *sn);

#endif
