/* ptree.c - see ptree.h. Invariants of a tree, which the tests check:
 *  - all leaves have the same depth; no node is empty; a root that is not a leaf has two children or more;
 *  - lows[i] is the first item below children[i], counts[i] the number of items there. */
#include "store/ptree.h"
#include "base/mem.h"
#include <string.h>

/* A child with fewer is merged with the one beside it when both fit into one node. */
#define SPARSE (PTREE_FANOUT / 4)

struct leaf {
    struct ptree_node node;
    const void *items[PTREE_FANOUT];
};

struct inner {
    struct ptree_node node;
    const void *lows[PTREE_FANOUT];
    struct ptree_node *children[PTREE_FANOUT];
    uint32_t counts[PTREE_FANOUT];
};

static const struct leaf *leaf_of(const struct ptree_node *n)
{
    return (const struct leaf *)n; /* its first member, as below */
}

static const struct inner *inner_of(const struct ptree_node *n)
{
    return (const struct inner *)n;
}

static struct leaf *own_leaf(struct ptree_node *n)
{
    return CONTAINER_OF(n, struct leaf, node);
}

static struct inner *own_inner(struct ptree_node *n)
{
    return CONTAINER_OF(n, struct inner, node);
}

/* --- reading --- */

/* Of n sorted items the first that is not before the probe. */
static unsigned lower_bound(const void *const *items, unsigned n, ptree_cmp_fn *cmp, const void *probe,
                            bool *ret_equal)
{
    unsigned low = 0;
    *ret_equal = false;
    while (low < n) {
        unsigned middle = (low + n) / 2;
        int c = cmp(probe, items[middle]);
        if (c > 0) {
            low = middle + 1;
        } else {
            n = middle;
            if (c == 0) {
                *ret_equal = true;
                return middle;
            }
        }
    }
    return low;
}

/* The child below which the probe is, or belongs: the last whose lowest item is not behind it. */
static unsigned child_index(const struct inner *in, ptree_cmp_fn *cmp, const void *probe)
{
    bool equal;
    unsigned at = lower_bound(in->lows + 1, in->node.n - 1u, cmp, probe, &equal);
    return equal ? at + 1 : at;
}

const void *ptree_find(const struct ptree_node *root, ptree_cmp_fn *cmp, const void *probe)
{
    bool equal;
    if (!root)
        return NULL;
    while (root->level) {
        const struct inner *in = inner_of(root);
        root = in->children[child_index(in, cmp, probe)];
    }
    unsigned at = lower_bound(leaf_of(root)->items, root->n, cmp, probe, &equal);
    return equal ? leaf_of(root)->items[at] : NULL;
}

size_t ptree_count(const struct ptree_node *root)
{
    size_t sum = 0;
    if (!root || !root->level)
        return root ? root->n : 0;
    for (unsigned i = 0; i < root->n; i++)
        sum += inner_of(root)->counts[i];
    return sum;
}

size_t ptree_rank(const struct ptree_node *root, ptree_cmp_fn *cmp, const void *probe)
{
    bool equal;
    size_t rank = 0;
    if (!root)
        return 0;
    while (root->level) {
        const struct inner *in = inner_of(root);
        unsigned at = child_index(in, cmp, probe);
        for (unsigned i = 0; i < at; i++)
            rank += in->counts[i];
        root = in->children[at];
    }
    return rank + lower_bound(leaf_of(root)->items, root->n, cmp, probe, &equal);
}

/* When the leaf is used up: to the next one, or the end. */
static void settle(struct ptree_iter *it)
{
    while (it->depth && it->path[it->depth - 1].at >= it->path[it->depth - 1].node->n) {
        if (--it->depth)
            it->path[it->depth - 1].at++;
    }
    while (it->depth && it->path[it->depth - 1].node->level) {
        const struct ptree_place *up = &it->path[it->depth - 1];
        it->path[it->depth++] = (struct ptree_place){inner_of(up->node)->children[up->at], 0};
    }
}

void ptree_seek(const struct ptree_node *root, ptree_cmp_fn *cmp, const void *probe, struct ptree_iter *ret)
{
    bool equal;
    ret->depth = 0;
    if (!root)
        return;
    ASSERT(root->level < PTREE_DEPTH_MAX);
    while (root->level) {
        unsigned at = child_index(inner_of(root), cmp, probe);
        ret->path[ret->depth++] = (struct ptree_place){root, at};
        root = inner_of(root)->children[at];
    }
    unsigned at = lower_bound(leaf_of(root)->items, root->n, cmp, probe, &equal);
    ret->path[ret->depth++] = (struct ptree_place){root, at};
    settle(ret);
}

const void *ptree_next(struct ptree_iter *it)
{
    if (!it->depth)
        return NULL;
    struct ptree_place *p = &it->path[it->depth - 1];
    const void *item = leaf_of(p->node)->items[p->at++];
    if (p->at >= p->node->n)
        settle(it);
    return item;
}

const void *ptree_ahead(const struct ptree_iter *it, unsigned n)
{
    if (!it->depth)
        return NULL;
    const struct ptree_place *p = &it->path[it->depth - 1];
    return p->at + n < p->node->n ? leaf_of(p->node)->items[p->at + n] : NULL;
}

/* --- nodes --- */

static struct ptree_node *node_new(const struct ptree_edit *e, unsigned level)
{
    struct ptree_node *n = mem_alloc(level ? sizeof(struct inner) : sizeof(struct leaf));
    *n = (struct ptree_node){.born = e->tag, .level = (uint8_t)level};
    return n;
}

void ptree_node_free(struct ptree_node *n)
{
    mem_free(n);
}

/* The node, or a copy of it that is the edit's. */
static struct ptree_node *own(struct ptree_edit *e, struct ptree_node *n)
{
    if (n->born == e->tag)
        return n;
    struct ptree_node *copy = node_new(e, n->level);
    copy->n = n->n;
    if (n->level) {
        const struct inner *from = inner_of(n);
        memcpy(own_inner(copy)->lows, from->lows, n->n * sizeof *from->lows);
        memcpy(own_inner(copy)->children, from->children, n->n * sizeof(struct ptree_node *));
        memcpy(own_inner(copy)->counts, from->counts, n->n * sizeof *from->counts);
    } else {
        memcpy(own_leaf(copy)->items, leaf_of(n)->items, n->n * sizeof *leaf_of(n)->items);
    }
    e->retire(e->ctx, n);
    return copy;
}

static void let_go(struct ptree_edit *e, struct ptree_node *n)
{
    if (n->born == e->tag)
        ptree_node_free(n);
    else
        e->retire(e->ctx, n);
}

static const void *low_of(const struct ptree_node *n)
{
    return n->level ? inner_of(n)->lows[0] : leaf_of(n)->items[0];
}

static void set_child(struct inner *in, unsigned at, struct ptree_node *child)
{
    in->children[at] = child;
    in->lows[at] = low_of(child);
    in->counts[at] = (uint32_t)ptree_count(child);
}

/* Moves what is at [from, n) to `to` in a node with room for it. */
static void shift(struct ptree_node *n, unsigned from, unsigned to)
{
    unsigned count = n->n - from;
    if (n->level) {
        struct inner *in = own_inner(n);
        memmove(in->lows + to, in->lows + from, count * sizeof *in->lows);
        memmove(in->children + to, in->children + from, count * sizeof(struct ptree_node *));
        memmove(in->counts + to, in->counts + from, count * sizeof *in->counts);
    } else {
        memmove(own_leaf(n)->items + to, own_leaf(n)->items + from, count * sizeof *leaf_of(n)->items);
    }
    n->n = (uint16_t)(to + count);
}

/* Adds [from, n) of another node of the same level at the end. */
static void append(struct ptree_node *n, const struct ptree_node *other, unsigned from)
{
    unsigned count = other->n - from;
    if (n->level) {
        struct inner *in = own_inner(n);
        const struct inner *o = inner_of(other);
        memcpy(in->lows + n->n, o->lows + from, count * sizeof *in->lows);
        memcpy(in->children + n->n, o->children + from, count * sizeof(struct ptree_node *));
        memcpy(in->counts + n->n, o->counts + from, count * sizeof *in->counts);
    } else {
        memcpy(own_leaf(n)->items + n->n, leaf_of(other)->items + from, count * sizeof *leaf_of(n)->items);
    }
    n->n = (uint16_t)(n->n + count);
}

/* --- putting --- */

/* Makes room for one more at *at: there, or in a new node to the right, which is returned; *into is the one with the
 * room. A node that is full and grows at its end stays full, so that what comes in order is packed. */
static struct ptree_node *make_room(struct ptree_edit *e, struct ptree_node *n, unsigned *at,
                                    struct ptree_node **into)
{
    struct ptree_node *right = NULL;
    *into = n;
    if (n->n == PTREE_FANOUT) {
        unsigned keep = *at == PTREE_FANOUT ? PTREE_FANOUT : PTREE_FANOUT / 2;
        right = node_new(e, n->level);
        append(right, n, keep);
        n->n = (uint16_t)keep;
        if (*at > keep || keep == PTREE_FANOUT) {
            *into = right;
            *at -= keep;
        }
    }
    shift(*into, *at, *at + 1);
    return right;
}

struct putting {
    struct ptree_edit *edit;
    ptree_cmp_fn *cmp;
    const void *probe, *item, *old;
};

/* The new node to the right of *at, if it had to be split. */
static struct ptree_node *put_below(struct putting *p, struct ptree_node **at)
{
    bool equal;
    struct ptree_node *n = *at = own(p->edit, *at), *into;
    if (!n->level) {
        unsigned i = lower_bound(leaf_of(n)->items, n->n, p->cmp, p->probe, &equal);
        if (equal) {
            p->old = leaf_of(n)->items[i];
            own_leaf(n)->items[i] = p->item;
            return NULL;
        }
        struct ptree_node *right = make_room(p->edit, n, &i, &into);
        own_leaf(into)->items[i] = p->item;
        return right;
    }
    struct inner *in = own_inner(n);
    unsigned i = child_index(in, p->cmp, p->probe);
    struct ptree_node *added = put_below(p, &in->children[i]);
    set_child(in, i, in->children[i]);
    if (!added)
        return NULL;
    i++;
    struct ptree_node *right = make_room(p->edit, n, &i, &into);
    set_child(own_inner(into), i, added);
    return right;
}

const void *ptree_put(struct ptree_edit *e, struct ptree_node **root, ptree_cmp_fn *cmp, const void *probe,
                      const void *item)
{
    struct putting p = {.edit = e, .cmp = cmp, .probe = probe, .item = item};
    if (!*root)
        *root = node_new(e, 0);
    struct ptree_node *right = put_below(&p, root);
    if (right) {
        struct ptree_node *top = node_new(e, (*root)->level + 1u);
        top->n = 2;
        set_child(own_inner(top), 0, *root);
        set_child(own_inner(top), 1, right);
        *root = top;
    }
    return p.old;
}

/* --- removing --- */

static void remove_child(struct inner *in, unsigned at)
{
    shift(&in->node, at + 1, at);
}

static bool merge(struct ptree_edit *e, struct inner *in, unsigned i)
{
    struct ptree_node *right = in->children[i + 1];
    if (in->children[i]->n + right->n > PTREE_FANOUT)
        return false;
    struct ptree_node *left = own(e, in->children[i]);
    append(left, right, 0);
    set_child(in, i, left);
    remove_child(in, i + 1);
    let_go(e, right);
    return true;
}

/* After something was removed below child i: no child stays empty, and a sparse one not beside another. */
static void mend(struct ptree_edit *e, struct inner *in, unsigned i)
{
    struct ptree_node *child = in->children[i];
    if (child->n == 0) {
        remove_child(in, i);
        let_go(e, child);
        return;
    }
    set_child(in, i, child);
    if (child->n < SPARSE && (i == 0 || !merge(e, in, i - 1)) && i + 1 < in->node.n)
        merge(e, in, i);
}

/* The item is there. */
static void remove_below(struct ptree_edit *e, struct ptree_node **at, ptree_cmp_fn *cmp, const void *probe)
{
    bool equal;
    struct ptree_node *n = *at = own(e, *at);
    if (!n->level) {
        unsigned i = lower_bound(leaf_of(n)->items, n->n, cmp, probe, &equal);
        shift(n, i + 1, i);
        return;
    }
    unsigned i = child_index(inner_of(n), cmp, probe);
    remove_below(e, &own_inner(n)->children[i], cmp, probe);
    mend(e, own_inner(n), i);
}

const void *ptree_remove(struct ptree_edit *e, struct ptree_node **root, ptree_cmp_fn *cmp, const void *probe)
{
    const void *item = ptree_find(*root, cmp, probe);
    if (!item)
        return NULL;
    remove_below(e, root, cmp, probe);
    while (*root && ((*root)->n == 0 || ((*root)->level && (*root)->n == 1))) {
        struct ptree_node *top = *root;
        *root = top->n ? inner_of(top)->children[0] : NULL;
        let_go(e, top);
    }
    return item;
}

/* --- letting go --- */

void ptree_undo(struct ptree_node *root, uint64_t tag)
{
    if (!root || root->born != tag)
        return;
    for (unsigned i = 0; root->level && i < root->n; i++)
        ptree_undo(inner_of(root)->children[i], tag);
    ptree_node_free(root);
}

void ptree_free(struct ptree_node *root, void (*item)(const void *item))
{
    for (unsigned i = 0; root && i < root->n; i++) {
        if (root->level)
            ptree_free(inner_of(root)->children[i], item);
        else if (item)
            item(leaf_of(root)->items[i]);
    }
    if (root)
        ptree_node_free(root);
}
