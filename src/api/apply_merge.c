/* apply_merge.c - a document with what a configuration says, and without some of its fields.
 * The order of a merged list is the original's: what the configuration names comes in its order, what only the document has
 * stays where it was between them. */
#include "api/apply_priv.h"
#include "api/member_finder.h"
#include "base/vec.h"

struct merger {
    struct arena *a;
    unsigned depth;
    bool failed; /* an item without an element */
};

static struct json merge(struct merger *m, const struct apply_place *p, const struct json *live,
                         const struct json *config);

static bool has_some(const struct json *j, enum json_type type)
{
    return j->type == type && j->n;
}

static struct json leaf(const struct json *live, const struct json *config)
{
    return apply_equal(live, config) ? *live : *config;
}

/* --- objects --- */

static struct json merge_member(struct merger *m, const struct apply_place *p, const struct json_member *live,
                                const struct json *config)
{
    struct apply_place inside;
    apply_place_member(p, json_member_name(live), &inside);
    m->depth++;
    struct json merged = merge(m, &inside, &live->value, config);
    m->depth--;
    return merged;
}

/* Did merging leave it as it was? What is equal is taken from the document, never from the configuration. */
static bool still(const struct json *merged, const struct json *live)
{
    return apply_same(merged, live) || (!json_is_container(merged) && apply_equal(merged, live));
}

/* Members of `config` that `live` lacks, behind those it has. */
static void add_new(struct json *to, const struct json *config, const bool *met)
{
    for (uint32_t i = 0; i < config->n; i++)
        if (!met[i])
            to->v.members[to->n++] = config->v.members[i];
}

/* Both have members. */
static struct json merge_members(struct merger *m, const struct apply_place *p, const struct json *live,
                                 const struct json *config)
{
    bool *met = ARENA_ARRAY(m->a, bool, config->n);
    struct member_finder f = member_finder_of(m->a, config);
    struct json merged = {.type = JSON_OBJECT};
    merged.v.members = arena_alloc(m->a, ((size_t)live->n + config->n) * sizeof(struct json_member),
                                   _Alignof(struct json_member));
    bool changed = false;
    uint32_t met_count = 0;
    for (uint32_t i = 0; i < live->n; i++) {
        struct json_member *to = &merged.v.members[merged.n++];
        *to = live->v.members[i];
        uint32_t at = member_find(&f, json_member_name(to));
        if (at == MEMBER_NONE)
            continue;
        to->value = merge_member(m, p, to, &config->v.members[at].value);
        changed = changed || !still(&to->value, &live->v.members[i].value);
        met[at] = true;
        met_count++;
    }
    if (!changed && met_count == config->n)
        return *live;
    add_new(&merged, config, met);
    return merged;
}

static struct json merge_objects(struct merger *m, const struct apply_place *p, const struct json *live,
                                 const struct json *config)
{
    bool some = has_some(live, JSON_OBJECT), more = has_some(config, JSON_OBJECT);
    if (!some && !more)
        return leaf(live, config);
    return !more ? *live : !some ? *config : merge_members(m, p, live, config);
}

/* --- lists --- */

struct item {
    struct field_element at;
    uint32_t index; /* in its list */
};

enum { NOWHERE = UINT32_MAX };

static int item_cmp(const void *x, const void *y, void *ctx)
{
    return field_element_cmp(&((const struct item *)x)->at, &((const struct item *)y)->at);
}

static struct item *items_of(struct merger *m, const struct apply_place *p, const struct json *list)
{
    struct item *items = arena_alloc(m->a, list->n * sizeof *items, _Alignof(struct item));
    for (uint32_t i = 0; i < list->n; i++) {
        str why;
        items[i].index = i;
        if (!apply_item_element(m->a, p, &list->v.items[i], &items[i].at, &why)) {
            m->failed = true;
            return NULL;
        }
    }
    vec_sort(items, list->n, sizeof *items, item_cmp, NULL);
    return items;
}

/* Two lists being merged: for each item its counterpart in the other. */
struct lists {
    const struct json *live, *config;
    uint32_t *config_of; /* by index in live; NOWHERE */
    uint32_t *live_of;   /* by index in config: the first; NOWHERE */
    bool *repeated;      /* by index in config: live has it more than once */
    bool *merged;        /* by index in config */
    uint32_t shared;     /* the next in config that live has too; NOWHERE: none is left */
};

static bool pair_up(struct merger *m, const struct apply_place *p, struct lists *l)
{
    struct item *x = items_of(m, p, l->live), *y = items_of(m, p, l->config);
    if (!x || !y)
        return false;
    l->config_of = ARENA_ARRAY(m->a, uint32_t, l->live->n);
    l->live_of = ARENA_ARRAY(m->a, uint32_t, l->config->n);
    l->repeated = ARENA_ARRAY(m->a, bool, l->config->n);
    l->merged = ARENA_ARRAY(m->a, bool, l->config->n);
    memset(l->config_of, 0xff, l->live->n * sizeof *l->config_of);
    memset(l->live_of, 0xff, l->config->n * sizeof *l->live_of);
    for (uint32_t i = 0, j = 0; i < l->live->n && j < l->config->n;) {
        int c = item_cmp(&x[i], &y[j], NULL);
        if (c == 0) {
            l->config_of[x[i].index] = y[j].index;
            l->repeated[y[j].index] = l->live_of[y[j].index] != NOWHERE;
            if (!l->repeated[y[j].index])
                l->live_of[y[j].index] = x[i].index;
        }
        i += c <= 0;
        j += c > 0;
    }
    return true;
}

static void next_shared(struct lists *l, uint32_t from)
{
    while (from < l->config->n && l->live_of[from] == NOWHERE)
        from++;
    l->shared = from < l->config->n ? from : NOWHERE;
}

static void take_config(struct merger *m, const struct apply_place *of_item, struct lists *l, uint32_t j,
                        struct json *to)
{
    static const struct json null = {.type = JSON_NULL};
    uint32_t i = l->live_of[j];
    /* Of items that stand there more than once nothing is kept. */
    const struct json *live = i == NOWHERE ? NULL : l->repeated[j] ? &null : &l->live->v.items[i];
    l->merged[j] = true;
    m->depth++;
    to->v.items[to->n++] = live ? merge(m, of_item, live, &l->config->v.items[j]) : l->config->v.items[j];
    m->depth--;
    if (l->shared == j)
        next_shared(l, j + 1);
}

static void merge_in_order(struct merger *m, const struct apply_place *of_item, struct lists *l,
                           struct json *to)
{
    for (uint32_t i = 0, j = 0; i < l->live->n || j < l->config->n;) {
        uint32_t pair = i < l->live->n ? l->config_of[i] : NOWHERE;
        if (i < l->live->n && j < l->config->n) {
            if (pair == j) {
                take_config(m, of_item, l, j++, to);
                i++;
                continue;
            }
            if (pair != NOWHERE && l->shared != NOWHERE && l->shared != pair) {
                i++; /* shared, but its turn comes later or is over */
                continue;
            }
        }
        if (i < l->live->n) {
            if (pair == NOWHERE) {
                to->v.items[to->n++] = l->live->v.items[i++];
                continue;
            }
            i += l->merged[pair];
        }
        if (j < l->config->n)
            take_config(m, of_item, l, j++, to);
    }
}

static bool unchanged(const struct json *x, const struct json *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (!still(&y->v.items[i], &x->v.items[i]))
            return false;
    return true;
}

static struct json merge_lists(struct merger *m, const struct apply_place *p, const struct json *live,
                               const struct json *config)
{
    bool some = has_some(live, JSON_ARRAY), more = has_some(config, JSON_ARRAY);
    if (!some && !more)
        return leaf(live, config);
    if (!some || !more)
        return some ? *live : *config;
    struct lists l = {.live = live, .config = config};
    if (!pair_up(m, p, &l))
        return *live;
    next_shared(&l, 0);
    struct apply_place of_item;
    apply_place_item(p, &of_item);
    struct json merged = {.type = JSON_ARRAY};
    merged.v.items = arena_alloc(m->a, ((size_t)live->n + config->n) * sizeof(struct json),
                                 _Alignof(struct json));
    merge_in_order(m, &of_item, &l, &merged);
    return unchanged(live, &merged) ? *live : merged;
}

/* --- any value --- */

static struct json merge_any(struct merger *m, const struct apply_place *p, const struct json *live,
                             const struct json *config)
{
    bool map = config->type == JSON_OBJECT || config->type == JSON_NULL;
    return map ? merge_objects(m, p, live, config) : leaf(live, config);
}

static struct json merge(struct merger *m, const struct apply_place *p, const struct json *live,
                         const struct json *config)
{
    if (m->depth > APPLY_DEPTH_MAX)
        return leaf(live, config);
    switch ((enum apply_shape)p->shape) {
    case SHAPE_SCALAR:
    case SHAPE_LIST:
    case SHAPE_LEAF:
    case SHAPE_ANY_LEAF: return leaf(live, config);
    case SHAPE_SET:
    case SHAPE_KEYED: return merge_lists(m, p, live, config);
    case SHAPE_STRUCT:
    case SHAPE_MAP: return merge_objects(m, p, live, config);
    case SHAPE_ANY:
    case SHAPE_UNKNOWN: break;
    }
    return merge_any(m, p, live, config);
}

bool apply_merge(struct arena *a, const struct apply_place *p, const struct json *live,
                 const struct json *config, struct json *ret)
{
    struct merger m = {.a = a};
    struct json merged = merge(&m, p, live, config);
    if (m.failed)
        return false;
    *ret = merged;
    return true;
}

/* --- removing --- */

static const struct field_node none = {0};

static struct json remove_fields(struct arena *a, const struct apply_place *p, const struct json *j,
                                 struct field_set fields, unsigned depth);

static struct json remove_items(struct arena *a, const struct apply_place *p, const struct json *j,
                                struct field_set fields, unsigned depth)
{
    struct apply_place of_item;
    apply_place_item(p, &of_item);
    struct json left = {.type = JSON_ARRAY};
    left.v.items = arena_alloc(a, j->n * sizeof *left.v.items, _Alignof(struct json));
    for (uint32_t i = 0; i < j->n; i++) {
        struct field_element at;
        str why;
        const struct json *item = &j->v.items[i];
        const struct field_node *node = apply_item_element(a, p, item, &at, &why)
                                            ? field_set_find(fields, &at)
                                            : NULL;
        node = node ? node : &none;
        if (!node->in)
            left.v.items[left.n++] = node->below.count
                                         ? remove_fields(a, &of_item, item, node->below, depth + 1)
                                         : *item;
    }
    return left.n ? left : json_null();
}

static struct json remove_members(struct arena *a, const struct apply_place *p, const struct json *j,
                                  struct field_set fields, unsigned depth)
{
    struct json left = {.type = JSON_OBJECT};
    left.v.members = arena_alloc(a, j->n * sizeof *left.v.members, _Alignof(struct json_member));
    for (uint32_t i = 0; i < j->n; i++) {
        const struct json_member *m = &j->v.members[i];
        struct field_element at = field_name(json_member_name(m));
        const struct field_node *node = field_set_find(fields, &at);
        node = node ? node : &none;
        if (node->in)
            continue;
        struct json_member *to = &left.v.members[left.n++];
        *to = *m;
        if (!node->below.count)
            continue;
        struct apply_place inside;
        apply_place_member(p, json_member_name(m), &inside);
        to->value = remove_fields(a, &inside, &m->value, node->below, depth + 1);
    }
    return left.n ? left : json_null();
}

static struct json remove_fields(struct arena *a, const struct apply_place *p, const struct json *j,
                                 struct field_set fields, unsigned depth)
{
    if (depth > APPLY_DEPTH_MAX)
        return *j;
    switch ((enum apply_shape)p->shape) {
    case SHAPE_SCALAR: return *j;
    case SHAPE_LIST:
    case SHAPE_LEAF:
    case SHAPE_ANY_LEAF: return json_is_container(j) ? json_null() : *j;
    case SHAPE_SET:
    case SHAPE_KEYED:
        return j->type == JSON_ARRAY && j->n ? remove_items(a, p, j, fields, depth) : json_null();
    case SHAPE_STRUCT:
    case SHAPE_MAP:
    case SHAPE_ANY:
    case SHAPE_UNKNOWN: break;
    }
    if (j->type == JSON_OBJECT && j->n)
        return remove_members(a, p, j, fields, depth);
    return json_is_container(j) ? json_null() : *j;
}

struct json apply_remove(struct arena *a, const struct apply_place *p, const struct json *j,
                         struct field_set fields)
{
    return fields.count ? remove_fields(a, p, j, fields, 0) : *j;
}
