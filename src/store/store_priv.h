/* store_priv.h - the inside of a store, for this folder.
 * Snapshots stand in a list by age. What a snapshot no longer has of the one before it - nodes of the trees, changes that
 * left history - hangs on it (`dead`) until nobody can see it any more: when a snapshot is let go, of what its successor no
 * longer had everything goes that is younger than its predecessor; the rest moves on to the successor. So a snapshot that is
 * held for long keeps its own content and nothing else.
 * References to objects: the tree of the current state has one to each; a change has one to each of its two. When an object
 * is replaced or deleted, the tree's goes to the change (`old`), so objects go with changes. For that a change counts as old
 * as its old object. */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "base/log.h"
#include "base/map.h"
#include "store/backend.h"
#include <pthread.h>

#define SHORT_HISTORY_NS (10 * NS_PER_S)
#define BATCH_TXNS_MAX   512 /* that share one sync */
#define BATCH_SIZE_MAX   ((size_t)4 << 20)
#define PATIENCE_MAX_NS  NS_PER_MS /* waiting for more to share a sync; and an eighth of what that takes */
#define PATIENCE_MIN_NS  (20 * NS_PER_US) /* not worth a timer */

struct garbage {
    struct ptree_node *nodes, *nodes_last;
    struct history_entry *entries, *entries_last;
};

struct full_snapshot {
    struct snapshot snapshot;
    _Atomic uint32_t refs;
    struct store *store;
    struct ptree_node *objects, *changes;
    const struct snapshot *base; /* of a rewound one: whose nodes it shares; else NULL */
    /* The store thread's. */
    struct full_snapshot *older, *newer;
    struct garbage dead;
    struct loop_msg gone; /* sent by whoever let go last */
};

struct resource {
    uint32_t number;
    str name;
    _Atomic unsigned flags;
    _Atomic int64_t trimmed; /* changes up to this revision are gone */
    bool used;               /* has rows on disk; while loading */
    /* The store thread's. */
    int64_t trimmed_next; /* the same in what is being built */
    struct history_entry *first, *last;
    size_t history_size;
};

#define RESOURCE_CHUNK 64
struct resources {
    pthread_mutex_t lock; /* all but reading `chunks` */
    struct map by_name;
    _Atomic(struct resource *) chunks[(STORE_RESOURCES_MAX + RESOURCE_CHUNK) / RESOURCE_CHUNK];
    _Atomic uint32_t end;   /* numbers are below; 0 is none */
    int64_t trimmed_floor;  /* of names that are new: they may be old ones whose number went to another */
    VEC(uint32_t) unsaved;  /* new ones */
    VEC(uint32_t) reusable; /* highest first */
};

struct mark {
    int64_t wall_s, revision;
};

struct build {
    bool open;
    int64_t at_ns;
    struct ptree_edit edit;
    struct ptree_node *objects, *changes;
    struct garbage retired;
    struct history_entry *added, *added_last;
    struct history_entry *trimmed;  /* newest of each resource first */
    VEC(struct resource *) touched; /* whose history got shorter */
    size_t unsaved;                 /* new resources that the backend was told of */
    size_t object_bytes, history_changes, history_size;
};

struct store {
    struct env *env;
    struct loop *loop;
    struct store_opts opts;
    struct backend *backend;
    struct resources resources;

    pthread_mutex_t lock; /* these; held for moments */
    struct full_snapshot *current;
    struct store_stats stats;
    VEC(struct mark) marks;
    struct mark newest_mark;

    /* The store thread's. */
    struct full_snapshot *newest; /* of the list; the current one */
    struct build build;
    size_t object_bytes, history_changes, history_size;
    int64_t trim_ns; /* when history is looked at next */
    struct garbage free;
    struct loop_msg free_msg, flush_msg;
    bool freeing, flushing;                   /* those are on their way */
    bool dead;                                /* after store_fatal */
    struct store_txn *waiting, *waiting_last; /* for the next group */
    size_t waiting_count;
    size_t expected;     /* how many there will be, if all come again that were there before */
    size_t answered;     /* since the last group went */
    int64_t patience_ns; /* how long it pays to wait for those */
    int64_t answered_ns; /* when the last group was answered */
    struct timer patience;
    struct store_txn *behind; /* answered when their revision is published */
    struct store_read *reads; /* in order of revision */
    struct store_subscriber *subscribers;
};

/* resources.c */
void resources_init(struct store *s);
void resources_done(struct store *s);
struct resource *resource_at(struct store *s, uint32_t number); /* NULL: no such number */
void resources_saved(struct store *s, size_t count);            /* so many of `unsaved`, the first ones */

/* snapshot.c */
int change_key_cmp(const void *probe, const void *item); /* probe: struct change with resource and revision */
int object_probe_cmp(const void *probe, const void *item); /* probe: struct object_key */
/* Makes the next snapshot the current one, and lets go of the one before. Takes over what is in `dead`. */
void snapshot_publish(struct store *s, int64_t revision, struct ptree_node *objects,
                      struct ptree_node *changes, struct garbage dead);
void garbage_add_node(struct garbage *g, struct ptree_node *n);
void garbage_add_entry(struct garbage *g, struct history_entry *e);
/* Frees some of what nobody sees any more; the rest in later turns. */
void store_free_some(struct store *s, size_t max);
void snapshots_done(struct store *s);

/* store.c */
void store_published(struct store *s); /* tells whoever waits */

/* sqlite.c: opens, loads and publishes. */
err_code sqlite_backend_open(struct store *s, struct backend **ret, struct err *err);

#endif
