/* store.h - the truth: every object, in revisions that only go up.
 *
 *     writes    struct store_txn: guards and changes, all or nothing, answered on the loop it came from
 *     reads     struct snapshot: every object and the recent changes as of one revision, constant, shared by all threads
 *     watches   the changes of a resource after a revision, read from a snapshot; a subscriber is told when there is a newer one
 *
 * Always true:
 *  - what was answered is durable, and was published before it was answered: a snapshot taken afterwards has it;
 *  - a transaction has one revision of its own, higher than any before it; a snapshot has a transaction whole or not at all;
 *  - the changes in a snapshot have no gaps: after snapshot_changes_from() nothing is missing;
 *  - a snapshot never changes, readers never wait for writers;
 *  - an idle store writes nothing.
 * Nothing above this folder knows which backend runs. Backends: sqlite (backend.h is what a backend must be).
 * Threads: the store has a loop of its own. What may be called from where is said at each function.
 * A failed sync or an I/O error ends the process through store_opts.on_fatal: what the disk holds then is only known to a
 * new start. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "api/object.h"
#include "store/ptree.h"
#include "sys/loop.h"

struct dir;
struct logger;
struct store;

/* How content rests on disk: encrypted, say. Both add to `out`, which is empty, and are called by one thread at a time. What
 * store_transform.from_disk refuses is CORRUPT. */
struct store_transform {
    void (*to_disk)(void *ctx, const struct object_key *key, str content, struct buf *out);
    err_code (*from_disk)(void *ctx, const struct object_key *key, str stored, struct buf *out,
                          struct err *err);
    void *ctx;
};

struct store_opts {
    struct dir *dir; /* where it lives; borrowed until store_close */
    const struct logger *log;
    int64_t history_ns;  /* how long changes stay; 0: 5 minutes */
    size_t history_size; /* and how many bytes of content that is no longer current; 0: 32 MiB */
    /* Disk kept aside, so that deletes go on when there is no more. The write-ahead log is worked into the database when it
     * has grown by half as much. 0: 8 MiB. */
    size_t reserve_size;
    const struct store_transform *transform; /* NULL: content rests as it is; borrowed until store_close */
    /* On the store's loop, once. NULL: logs the line and ends the process. If it returns, nothing is written any more, and
     * transactions are answered UNAVAILABLE. */
    void (*on_fatal)(void *ctx, const struct err *why);
    void *ctx;
};

/* Loads everything; blocks. The store has a loop of its own, with a thread. CORRUPT (names what is not as it should be),
 * CONFLICT (somebody else has it open), UNSUPPORTED (made by a newer version), DISK_FULL, IO. */
err_code store_open(struct env *env, const struct store_opts *opts, struct store **ret, struct err *err);
/* After every transaction and read was answered, every subscriber gone and every snapshot let go; before the loops that
 * were answered on are freed. (The other way round where nothing is answered any more, in a crashed simulated host: what
 * is under way holds snapshots.) NULL is fine. */
void store_close(struct store *s);

/* --- resources ---
 * A resource is a name ("pods", "widgets.example.com") with a number, which stays as long as this process has the store;
 * numbers are small. Nothing is written until something is stored under one.
 * Any thread. */
enum store_resource_flags {
    STORE_SHORT_HISTORY = 1 << 0, /* changes stay 10 seconds only: leases */
};
#define STORE_RESOURCES_MAX 65535
/* The number of that name, from 1 on, a new one if there is none. Flags stay once given. 0: there are too many; nothing can
 * be stored there. */
uint32_t store_resource(struct store *s, str name, unsigned flags);
str store_resource_name(struct store *s, uint32_t resource); /* borrowed from the store */

/* --- snapshots --- */
struct snapshot {
    int64_t revision; /* of the newest transaction in it; 1 in a new store */
    /* The rest is snapshot.c's. */
};
/* The newest that is published. Any thread; some nanoseconds. Letting go is as quick: what only this snapshot had is freed
 * by the store's thread. */
const struct snapshot *store_snapshot(struct store *s);
const struct snapshot *snapshot_ref(const struct snapshot *sn);
const struct snapshot *snapshot_unref(const struct snapshot *sn); /* NULL, and NULL is fine */

/* Objects and changes are borrowed from the snapshot: object_ref what must live longer. */
const struct object *snapshot_find(const struct snapshot *sn, struct object_key key);

/* A part of the keys: a whole resource, or one namespace of it. */
struct object_range {
    uint32_t resource;
    bool all_namespaces;
    str ns; /* else */
};
size_t snapshot_count(const struct snapshot *sn, const struct object_range *r);
/* Of those, how many come after a key. */
size_t snapshot_count_after(const struct snapshot *sn, const struct object_range *r,
                            const struct object_key *after);

struct snapshot_iter {
    struct ptree_iter at;
    struct object_range range;
};
/* Objects of a range in order of their keys, from the first one after `after` on (NULL: all). `after` and `range` are
 * borrowed as long as the iterator is used. */
void snapshot_list(const struct snapshot *sn, const struct object_range *r, const struct object_key *after,
                   struct snapshot_iter *ret);
const struct object *snapshot_next(struct snapshot_iter *it); /* NULL: no more */

/* What a transaction did to one object: created (old NULL), replaced, deleted (now NULL). */
struct change {
    int64_t revision;
    uint32_t resource;
    uint8_t slot; /* which change of its transaction; the store's */
    const struct object *old, *now;
};
/* The changes of a resource after this revision are all there. */
int64_t snapshot_changes_from(const struct snapshot *sn, uint32_t resource);
/* Changes of one resource after a revision, oldest first. EXPIRED: some of them are no longer there (or soon will be not). A
 * revision that is ahead of the snapshot gives none. */
err_code snapshot_changes(const struct snapshot *sn, uint32_t resource, int64_t after,
                          struct snapshot_iter *ret, struct err *err);
const struct change *snapshot_next_change(struct snapshot_iter *it); /* NULL: no more */

/* The snapshot of an older revision, as far as one resource goes, rebuilt from the changes since: lists at an exact
 * revision and their continuations. It costs as much as there were changes, when made and when let go. Changes cannot be
 * asked of it (EXPIRED). EXPIRED: too long ago. In the future: the caller sees to it that it is not. */
err_code snapshot_rewind(const struct snapshot *sn, uint32_t resource, int64_t revision,
                         const struct snapshot **ret, struct err *err);

/* --- reads that may have to wait --- */
enum store_read_kind {
    STORE_READ_NEWEST,     /* everything that was answered to anybody before this call */
    STORE_READ_NOT_BEFORE, /* at least `revision` */
};
/* Embedded by the caller; the store's from store_read to `done`, which comes on `loop`, unless it was answered at once. At
 * most so many wait as there are callers: bounding those is theirs. */
struct store_read {
    enum store_read_kind kind;
    int64_t revision;
    int64_t timeout_ns; /* how long to wait at most; NEWEST: 0 is 10 seconds */
    struct loop *loop;
    void (*done)(struct store_read *r);
    /* The answer. NONE: `snapshot` is the caller's to unref. TIMEOUT: no such revision came. UNAVAILABLE: the backend cannot
     * be reached. */
    struct err err;
    const struct snapshot *snapshot;
    /* The store's own. */
    struct loop_msg msg;
    struct timer timer;
    struct store_read *prev, *next;
    struct store *store;
};
/* True: it is answered already, and `done` will not be called. On the read's loop. */
bool store_read(struct store *s, struct store_read *r);

/* --- transactions --- */
enum store_guard_kind {
    STORE_GUARD_AT,     /* the object there is of `revision` */
    STORE_GUARD_ABSENT, /* there is none */
    STORE_GUARD_THERE,  /* there is one, whichever */
};
struct store_guard {
    enum store_guard_kind kind;
    struct object_key key; /* borrowed until done */
    int64_t revision;
};
struct store_change {
    struct object
        *put; /* the new object; the store takes over the reference, whatever comes of it; NULL: delete */
    struct object_key key; /* of what is deleted (it must be there: a guard says so); borrowed until done */
};
#define STORE_TXN_MAX 64 /* guards, and changes; each key and each resource at most once among the changes */

/* Embedded by the caller; the store's from store_commit to `done`, which comes on `loop`. */
struct store_txn {
    const struct store_guard *guards;
    const struct store_change *changes;
    uint16_t guard_count, change_count;
    struct loop *loop;
    void (*done)(struct store_txn *t);
    /* The answer. NONE: it is durable and published, `revision` is its own (without changes: the newest). CONFLICT: guard
     * number `failed_guard` did not hold at `revision` (guard_count: what was to be deleted is not there), and a snapshot
     * taken now shows why. DISK_FULL: no room; nothing was written. UNAVAILABLE: the backend cannot be reached, and whether
     * it was written is not known. */
    struct err err;
    int64_t revision;
    uint16_t failed_guard;
    /* The store's own. */
    struct loop_msg msg;
    struct store_txn *next;
    struct store *store;
};
/* On the transaction's loop (or any thread that keeps that loop alive). */
void store_commit(struct store *s, struct store_txn *t);

/* --- news --- */
/* Tells a loop that there is a newer snapshot: `on_news` runs there, once for any number of commits since it last ran, and
 * once in the beginning. */
struct store_subscriber {
    void (*on_news)(struct store_subscriber *sub);
    struct loop *loop;
    /* The store's own. */
    struct loop_msg news, join, leave;
    void (*gone)(struct store_subscriber *sub);
    _Atomic bool told; /* news are on their way */
    struct store *store;
    struct store_subscriber *prev, *next;
};
void store_subscribe(struct store *s, struct store_subscriber *sub); /* on its loop */
/* On its loop, in on_news too; on_news is not called any more. `gone` is called there once the store has forgotten it, and
 * may free it. */
void store_unsubscribe(struct store_subscriber *sub, void (*gone)(struct store_subscriber *sub));

/* The newest revision that was there at a time (wall clock, ns), or 0: for what lives a given time only, as events do. It
 * is right to 10 seconds for the last day, less so further back, and never too high. Any thread. */
int64_t store_revision_at(struct store *s, int64_t wall_ns);

struct store_stats {
    uint64_t transactions, conflicts, commits; /* commits: groups that shared one sync */
    uint64_t bytes_written;
    size_t objects, object_bytes, history_changes, history_bytes;
    size_t disk_bytes;
    int64_t longest_commit_ns;
};
void store_stats(struct store *s, struct store_stats *ret); /* any thread */

#endif
