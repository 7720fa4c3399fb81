/* backend.h - what a backend does for the store, and what the store does for it.
 * The store keeps every object and the recent changes in memory (snapshot.c), makes the next snapshot of them (build.c) and
 * answers (store.c). A backend makes transactions durable and tells what was committed, by whomever, in the order of
 * revisions. Two shapes fit:
 *
 *     inside (sqlite.c)   it is the only writer: guards are checked against the snapshot being built, the backend gives out
 *                         revisions, one sync makes a group durable, and then the group is published. What is published is
 *                         always the newest.
 *     remote (etcd)       guards are checked over there; what was committed arrives on a stream, from all writers alike, and
 *                         is built and published as it comes. A transaction is answered when the stream has reached its
 *                         revision (store_answer_at), also one that was refused: who tries again sees why. The newest
 *                         revision is asked for over there, and the read waits until the stream has reached it.
 *
 * Always true: revisions that are published only go up; a transaction is published whole; an answer comes after the
 * snapshot that has it.
 * Threads: everything here on the store's loop, or, while a store is being opened or closed, by whoever does that. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "base/vec.h"
#include "store/store.h"

struct backend {
    const struct backend_ops *ops;
};

struct backend_ops {
    /* Transactions linked by `next`, in the order they came: the backend's, until it answers each, now or later. */
    void (*commit)(struct backend *b, struct store_txn *first);
    /* NEWEST reads: store_read_at, or store_read_fail, now or later. NULL: what is published is the newest. */
    void (*newest)(struct backend *b, struct store_read *r);
    /* The loop is gone already. */
    void (*close)(struct backend *b);
};

/* A change in the history of its resource. */
struct history_entry {
    struct change change;
    int64_t at_ns; /* monotonic */
    struct history_entry *next;
};

/* --- making a store: new, filled by the backend (one build, published), started --- */
struct store *store_new(struct env *env, const struct store_opts *opts, struct loop *loop);
/* The backend is the store's to close. */
err_code store_start(struct store *s, struct backend *b, struct err *err);

struct env *store_env(struct store *s);
struct loop *store_loop(struct store *s);
const struct store_opts *store_options(struct store *s); /* defaults filled in */

/* A number that comes from the backend's memory, at opening. False: it is taken, or out of range. */
bool store_resource_load(struct store *s, uint32_t number, str name, int64_t trimmed);
/* After loading: numbers under which nothing was loaded may go to other names. Of names that are new nothing is known up to
 * the revision `from`, or to where the history of any other was dropped. */
void store_resources_loaded(struct store *s, int64_t from);
/* What a backend has to keep of resources along with what is being built: those that are new, and those whose history got
 * shorter. `at` counts from 0; false: no more. */
struct resource_record {
    uint32_t number;
    str name;
    int64_t trimmed;
};
bool store_resource_unsaved(struct store *s, size_t at, struct resource_record *ret);

/* --- the next snapshot ---
 * Nobody sees it until it is published; dropped, it never was. One at a time. */
void build_begin(struct store *s);
/* Of what follows: when it happened (monotonic). build_begin sets it to now. */
void build_set_time(struct store *s, int64_t at_ns);
const struct object *build_find(const struct store *s, struct object_key key);
/* Whether the guards hold. Else the answer is written into the transaction. */
bool build_allows(struct store *s, struct store_txn *t);
/* Its changes, as `revision`. The references to the new objects are the transaction's again when the build is dropped. */
void build_txn(struct store *s, struct store_txn *t, int64_t revision);
/* One change. Takes over the reference. What is deleted must be there. While loading, a change at or below the revision up
 * to which its resource's history was dropped is none, only the state after it. */
void build_put(struct store *s, int64_t revision, unsigned slot, struct object *o);
void build_delete(struct store *s, int64_t revision, unsigned slot, struct object_key key);
/* Whether one at that revision is history: false while loading, of what is too long ago. */
bool build_is_change(struct store *s, uint32_t resource, int64_t revision);
/* Takes out changes that are older than they have to be kept, or too many: now and then, at most `max`. `all`: none is worth
 * its room. */
void build_trim(struct store *s, size_t max, bool all);
/* What was added, oldest first, and what was taken out; linked by next. */
const struct history_entry *build_added(const struct store *s);
const struct history_entry *build_trimmed(const struct store *s);
/* As `revision`, which is higher than the one before. `wall_s`: the seconds since 1970 of that. */
void build_publish(struct store *s, int64_t revision, int64_t wall_s);
void build_drop(struct store *s);
/* For store_revision_at, while loading. */
void store_mark(struct store *s, int64_t wall_s, int64_t revision);

/* --- answers --- */
/* The transaction says what it is. */
void store_answer(struct store *s, struct store_txn *t);
/* The same, once `revision` is published. */
void store_answer_at(struct store *s, struct store_txn *t, int64_t revision);
void store_read_at(struct store *s, struct store_read *r, int64_t revision);
void store_read_fail(struct store *s, struct store_read *r, const struct err *why);
/* What cannot be survived. Returns only if somebody else decides so (store_opts.on_fatal). */
void store_fatal(struct store *s, const struct err *why);
/* For store_stats. */
void store_count_commit(struct store *s, size_t bytes, int64_t took_ns, size_t disk_size);

#endif
