/* ptree.h - sorted sets of pointers that never change: an edit makes a new root, which shares with the old one every node
 * it did not touch.
 * A B+tree: items in the leaves, in order; above them, for each child, its lowest item and how many there are below it. An
 * edit copies the path to what it changes, once: nodes that carry the edit's tag are its own and edited in place. Nodes
 * that are no longer part of the new tree are handed to the edit's `retire`, and are whoever keeps the old root's to free
 * (ptree_node_free); `next` and `born` of them are for that.
 * Items are compared by their owner: with a probe, which may be a key or the end of a range. The tree does not own items.
 * Threads: a root may be read by any number while new ones are made from it; an edit is one thread's. */
#ifndef STORE_PTREE_H
#define STORE_PTREE_H

#include "base/defs.h"

#define PTREE_FANOUT    32
#define PTREE_DEPTH_MAX 12

struct ptree_node {
    uint64_t born;           /* the tag of the edit that made it */
    struct ptree_node *next; /* for lists of retired nodes */
    uint16_t n;
    uint8_t level; /* 0: a leaf */
};

/* Below 0: the probe is before the item; 0: the item is what is looked for. */
typedef int ptree_cmp_fn(const void *probe, const void *item);

/* A tree without items has the root NULL. */
const void *ptree_find(const struct ptree_node *root, ptree_cmp_fn *cmp, const void *probe);
/* How many items are before the probe. */
size_t ptree_rank(const struct ptree_node *root, ptree_cmp_fn *cmp, const void *probe);
size_t ptree_count(const struct ptree_node *root);

struct ptree_iter {
    struct ptree_place {
        const struct ptree_node *node;
        uint32_t at;
    } path[PTREE_DEPTH_MAX]; /* from the root; `at` of the leaf is the next item */
    unsigned depth;          /* 0: no more */
};
/* From the first item on that is not before the probe. */
void ptree_seek(const struct ptree_node *root, ptree_cmp_fn *cmp, const void *probe, struct ptree_iter *ret);
const void *ptree_next(struct ptree_iter *it); /* NULL: no more */

/* Items to come, as far as it knows without much ado: for prefetching. NULL: not known. */
const void *ptree_ahead(const struct ptree_iter *it, unsigned n);

struct ptree_edit {
    uint64_t tag; /* no node of the tree has it at the beginning */
    void (*retire)(void *ctx, struct ptree_node *n);
    void *ctx;
};
/* The item that was equal to the probe, and is replaced, or NULL. `item` must be equal to the probe. */
const void *ptree_put(struct ptree_edit *e, struct ptree_node **root, ptree_cmp_fn *cmp, const void *probe,
                      const void *item);
/* The item that was there, or NULL. */
const void *ptree_remove(struct ptree_edit *e, struct ptree_node **root, ptree_cmp_fn *cmp,
                         const void *probe);

void ptree_node_free(struct ptree_node *n);
/* Frees the nodes of an edit, given its root: to go back to the root before, which is whole as long as nothing that was
 * retired has been freed. */
void ptree_undo(struct ptree_node *root, uint64_t tag);
/* Frees all nodes; `item` (may be NULL) is called for each item. */
void ptree_free(struct ptree_node *root, void (*item)(const void *item));

#endif
