/* ptree_test.c - the tree against a sorted array, with older roots alive and edits that are undone. */
#include "base/mem.h"
#include "base/random.h"
#include "base/vec.h"
#include "harness/test.h"
#include "store/ptree.h"

enum { KEYS = 3000, ROOTS = 6 };

struct thing {
    unsigned key, generation;
};

static int cmp(const void *probe, const void *item)
{
    unsigned key = *(const unsigned *)probe, other = ((const struct thing *)item)->key;
    return key < other ? -1 : key > other;
}

/* What a root should hold: by key, NULL: not there. */
struct version {
    struct ptree_node *root;
    const struct thing *model[KEYS];
    struct ptree_node *retired; /* by the edit that made the next version */
};

struct world {
    struct random random;
    struct version versions[ROOTS]; /* alive, oldest first */
    size_t count;
    struct version next;
    struct ptree_edit edit;
    VEC(struct thing *) things;
};

static void retire(void *ctx, struct ptree_node *n)
{
    struct world *w = ctx;
    CHECK(n->born != w->edit.tag);
    n->next = w->next.retired;
    w->next.retired = n;
}

static const struct thing *new_thing(struct world *w, unsigned key)
{
    struct thing *t = NEW(struct thing);
    *t = (struct thing){key, (unsigned)w->things.count};
    vec_push(&w->things, t);
    return t;
}

static void edit_once(struct world *w, unsigned key, bool put)
{
    const struct thing *was = w->next.model[key], *got;
    if (put) {
        const struct thing *t = new_thing(w, key);
        got = ptree_put(&w->edit, &w->next.root, cmp, &key, t);
        w->next.model[key] = t;
    } else {
        got = ptree_remove(&w->edit, &w->next.root, cmp, &key);
        w->next.model[key] = NULL;
    }
    CHECK(got == was);
}

/* Order of keys in which a batch goes: anywhere, upwards from somewhere (history), or downwards. */
static void edit_batch(struct world *w)
{
    struct random *r = &w->random;
    unsigned count = 1 + (unsigned)random_below(r, random_chance(r, 1, 10) ? 2000 : 20);
    unsigned start = (unsigned)random_below(r, KEYS), way = (unsigned)random_below(r, 3);
    unsigned puts = (unsigned)random_below(r, 5); /* of four: growing and shrinking times */
    for (unsigned i = 0; i < count; i++) {
        unsigned key = way == 0   ? (unsigned)random_below(r, KEYS)
                       : way == 1 ? (start + i) % KEYS
                                  : (start + KEYS * 2 - i) % KEYS;
        edit_once(w, key, random_below(r, 4) < puts);
    }
}

static const struct thing *check_node(const struct ptree_node *n, const struct ptree_node *up);

static void check_version(const struct version *v)
{
    struct ptree_iter it;
    unsigned zero = 0;
    size_t count = 0;
    if (v->root)
        check_node(v->root, NULL);
    ptree_seek(v->root, cmp, &zero, &it);
    for (unsigned key = 0; key < KEYS; key++) {
        if (!v->model[key])
            continue;
        CHECK(ptree_next(&it) == v->model[key]);
        count++;
    }
    CHECK(!ptree_next(&it));
    CHECK(!ptree_next(&it));
    CHECK_EQ(ptree_count(v->root), count);
}

/* Levels, and that no node is empty; what lows and counts say is seen by finding and counting. */
static const struct thing *check_node(const struct ptree_node *n, const struct ptree_node *up)
{
    struct ptree_iter it;
    unsigned zero = 0;
    CHECK_GT(n->n, 0);
    CHECK_LE(n->n, PTREE_FANOUT);
    CHECK(up || !n->level || n->n > 1);
    ptree_seek(n, cmp, &zero, &it);
    CHECK_EQ(it.depth, n->level + 1);
    return ptree_next(&it);
}

static void check_lookups(struct world *w, const struct version *v)
{
    struct ptree_iter it;
    size_t rank = 0;
    unsigned step = 1 + (unsigned)random_below(&w->random, 50), key = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        if (i == key) {
            CHECK(ptree_find(v->root, cmp, &key) == v->model[key]);
            CHECK_EQ(ptree_rank(v->root, cmp, &key), rank);
            ptree_seek(v->root, cmp, &key, &it);
            const struct thing *next = ptree_next(&it);
            CHECK(v->model[key] ? next == v->model[key] : !next || next->key > key);
            key += step;
        }
        rank += v->model[i] != NULL;
    }
}

static void free_retired(struct version *v)
{
    while (v->retired) {
        struct ptree_node *n = v->retired;
        v->retired = n->next;
        ptree_node_free(n);
    }
}

/* The oldest goes first here; that later ones may is store_test.c's matter. What its successor does not share is free. */
static void drop_oldest(struct world *w)
{
    free_retired(&w->versions[0]);
    memmove(&w->versions[0], &w->versions[1], --w->count * sizeof w->versions[0]);
}

static void keep_or_undo(struct world *w)
{
    struct version *newest = &w->versions[w->count - 1];
    if (random_chance(&w->random, 1, 5)) {
        ptree_undo(w->next.root, w->edit.tag);
        return;
    }
    newest->retired = w->next.retired;
    if (w->count == ROOTS)
        drop_oldest(w);
    w->next.retired = NULL;
    w->versions[w->count++] = w->next;
}

TEST(ptree_is_what_a_sorted_array_says_through_all_its_versions)
{
    struct world *w = NEW(struct world);
    random_init(&w->random, test_seed());
    w->count = 1;
    unsigned batches = test_is_sanitized() ? 150 : 1500;
    for (unsigned i = 1; i <= batches; i++) {
        w->next = w->versions[w->count - 1];
        w->next.retired = NULL;
        w->edit = (struct ptree_edit){.tag = i, .retire = retire, .ctx = w};
        edit_batch(w);
        check_version(&w->next);
        keep_or_undo(w);
        struct version *any = &w->versions[random_below(&w->random, w->count)];
        check_version(any);
        check_lookups(w, any);
    }
    while (w->count > 1)
        drop_oldest(w);
    ptree_free(w->versions[0].root, NULL);
    for (size_t i = 0; i < w->things.count; i++)
        mem_free(w->things.items[i]);
    vec_done(&w->things);
    mem_free(w);
}

static void retire_nothing(void *ctx, struct ptree_node *n)
{
    FAIL("nothing is shared in this tree");
}

static size_t nodes_of(const struct ptree_node *root, unsigned items)
{
    struct ptree_iter it;
    unsigned zero = 0;
    size_t leaves = 0;
    const struct ptree_node *last = NULL;
    ptree_seek(root, cmp, &zero, &it);
    for (unsigned i = 0; i < items; i++) {
        leaves += it.path[it.depth - 1].node != last;
        last = it.path[it.depth - 1].node;
        CHECK(ptree_next(&it));
    }
    return leaves;
}

TEST(ptree_packs_what_comes_in_order)
{
    static struct thing things[KEYS];
    struct ptree_edit e = {.tag = 1, .retire = retire_nothing};
    struct ptree_node *root = NULL;
    for (unsigned i = 0; i < KEYS; i++) {
        things[i].key = i;
        ptree_put(&e, &root, cmp, &i, &things[i]);
    }
    CHECK_LE(nodes_of(root, KEYS), KEYS / PTREE_FANOUT + 1);
    ptree_free(root, NULL);
}

TEST(ptree_that_loses_nearly_all_its_items_loses_its_nodes_too)
{
    static struct thing things[KEYS];
    struct ptree_edit e = {.tag = 1, .retire = retire_nothing};
    struct ptree_node *root = NULL;
    for (unsigned i = 0; i < KEYS; i++) {
        things[i].key = i;
        ptree_put(&e, &root, cmp, &i, &things[i]);
    }
    for (unsigned i = 0; i < KEYS; i++)
        if (i % 20)
            CHECK(ptree_remove(&e, &root, cmp, &i) == &things[i]);
    CHECK_LE(nodes_of(root, KEYS / 20), 4 * KEYS / 20 / PTREE_FANOUT);
    CHECK(!ptree_remove(&e, &root, cmp, &(unsigned){7}));
    for (unsigned i = 0; i < KEYS; i += 20)
        CHECK(ptree_remove(&e, &root, cmp, &i) == &things[i]);
    CHECK(!root);
    CHECK_EQ(ptree_count(root), 0);
    CHECK_EQ(ptree_rank(root, cmp, &(unsigned){7}), 0);
    CHECK(!ptree_find(root, cmp, &(unsigned){7}));
}
