/* patch_strategic_list.c - strategic merge patch: lists.
 * A list merges by the key its field declares, or, of scalars, as a set. Order: what the patch names comes in the patch's
 * order (or that of its $setElementOrder), what only the original has stays in its own, and the two are put together by the
 * places both have in the original. */
#include "api/go_text.h"
#include "api/patch_priv.h"
#include "base/vec.h"

enum { NOWHERE = UINT32_MAX, VALUE_SIZE_MAX = 400 };

/* What tells items apart: a scalar, or an item's member of that name. */
struct by {
    str key; /* empty: items are scalars */
};

static struct by by_of(const struct smp_place *p)
{
    return (struct by){p->rules && p->rules->merge_key ? schema_text(p->rules_of, p->rules->merge_key)
                                                       : STR_NONE};
}

static const struct json *key_of(struct by by, const struct json *item)
{
    return by.key.n ? json_find(item, by.key) : item;
}

/* As Go compares interfaces: of the same type and equal. Containers are not compared. */
static int key_cmp(const struct json *x, const struct json *y)
{
    if (x->type != y->type)
        return x->type - y->type;
    switch ((enum json_type)x->type) {
    case JSON_INT: return (x->v.i > y->v.i) - (x->v.i < y->v.i);
    case JSON_FLOAT: return (x->v.f > y->v.f) - (x->v.f < y->v.f);
    case JSON_STRING: return str_cmp(json_str(x), json_str(y));
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return 0;
}

/* --- a list by key --- */

struct keyed {
    const struct json *key;
    uint32_t at; /* in the list */
};
struct index {
    struct keyed *items; /* by key, then place */
    uint32_t n;
};

static int keyed_cmp(const void *x, const void *y, void *ctx)
{
    const struct keyed *p = x, *q = y;
    int c = key_cmp(p->key, q->key);
    return c ? c : (p->at > q->at) - (p->at < q->at);
}

static struct index index_of(struct smp *m, struct by by, const struct json *list)
{
    struct index x = {0};
    x.items = arena_alloc(m->a, list->n * sizeof *x.items, _Alignof(struct keyed));
    for (uint32_t i = 0; i < list->n; i++) {
        const struct json *key = key_of(by, &list->v.items[i]);
        if (key && !json_is_container(key))
            x.items[x.n++] = (struct keyed){key, i};
    }
    vec_sort(x.items, x.n, sizeof *x.items, keyed_cmp, NULL);
    return x;
}

/* Where a key stands first; NOWHERE. */
static uint32_t place_in(const struct index *x, const struct json *key)
{
    struct keyed wanted = {key, 0};
    if (!key || json_is_container(key))
        return NOWHERE;
    size_t at = vec_lower_bound(x->items, x->n, sizeof *x->items, &wanted, keyed_cmp, NULL);
    return at < x->n && key_cmp(x->items[at].key, key) == 0 ? x->items[at].at : NOWHERE;
}

/* --- checks --- */

/* All of one type, and that no list. *ret_type: JSON_NULL when there are none. */
static bool item_type(struct smp *m, const struct json *x, const struct json *y, enum json_type *ret_type)
{
    const struct json *lists[] = {x, y}, *first = NULL;
    *ret_type = JSON_NULL;
    for (size_t l = 0; l < ARRAY_COUNT(lists); l++) {
        for (size_t i = 0; i < json_count(lists[l]); i++) {
            const struct json *item = &lists[l]->v.items[i];
            if (!first && item->type == JSON_ARRAY)
                return smp_fail(m, ERR_INVALID, "lists of lists are not supported");
            first = first ? first : item;
            if (str_eq(go_text_type(first), go_text_type(item)))
                continue;
            struct buf b;
            buf_init_arena(&b, m->a, VALUE_SIZE_MAX);
            for (size_t k = 0; k < ARRAY_COUNT(lists); k++) {
                if (k)
                    buf_add_c(&b, ' ');
                go_text_v(&b, lists[k] ? lists[k] : &(struct json){.type = JSON_ARRAY});
            }
            err_set(m->err, ERR_INTERNAL, "list element types are not identical: [%" STR_FMT "]",
                    STR_ARG(buf_str(&b)));
            return false;
        }
    }
    if (!first)
        return smp_fail(m, ERR_INTERNAL, "no elements in any of the given slices");
    *ret_type = (enum json_type)first->type;
    return true;
}

static bool all_have_keys(struct smp *m, struct by by, const struct json *list)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *item = &list->v.items[i];
        if (item->type != JSON_OBJECT)
            return smp_wrong_type(m, "map[string]interface {}", item);
        if (!json_find(item, by.key))
            return smp_no_key(m, item, by.key);
    }
    return true;
}

/* --- order --- */

struct placed {
    const struct json *value;
    uint32_t at; /* where it belongs; NOWHERE */
};

/* Is x to stand before y? The original says yes, too, when either has no place. */
static bool before(const struct placed *x, const struct placed *y)
{
    return x->at == NOWHERE || y->at == NOWHERE || x->at < y->at;
}

static int placed_cmp(const void *x, const void *y, void *ctx)
{
    const struct placed *p = x, *q = y;
    return (p->at > q->at) - (p->at < q->at);
}

/* By place. Few items that have none move as in the original, whose order is no order then. */
static void sort_placed(struct placed *items, uint32_t n)
{
    enum { INSERTED_MAX = 20 };
    if (n > INSERTED_MAX) {
        vec_sort(items, n, sizeof *items, placed_cmp, NULL);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        for (uint32_t j = i; j && before(&items[j], &items[j - 1]); j--) {
            struct placed swap = items[j];
            items[j] = items[j - 1];
            items[j - 1] = swap;
        }
    }
}

/* Items of `list` that are in `named` (or those that are not), by their places in `order`. */
static uint32_t pick(struct by by, const struct json *list, const struct index *named, bool in,
                     const struct index *order, struct placed *ret)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct json *key = key_of(by, &list->v.items[i]);
        if ((place_in(named, key) != NOWHERE) == in)
            ret[n++] = (struct placed){&list->v.items[i], place_in(order, key)};
    }
    sort_placed(ret, n);
    return n;
}

/* `merged` put in order: what `named` names in its order, the rest in that of `original`. */
static struct json in_order(struct smp *m, struct by by, const struct json *merged, const struct json *named,
                            const struct json *original)
{
    struct index by_patch = index_of(m, by, named), by_original = index_of(m, by, original);
    struct placed *x = arena_alloc(m->a, merged->n * sizeof *x, _Alignof(struct placed));
    struct placed *y = arena_alloc(m->a, merged->n * sizeof *y, _Alignof(struct placed));
    uint32_t nx = pick(by, merged, &by_patch, false, &by_original, x);
    uint32_t ny = pick(by, merged, &by_patch, true, &by_patch, y);
    struct json list = {.type = JSON_ARRAY};
    list.v.items = arena_alloc(m->a, merged->n * sizeof *list.v.items, _Alignof(struct json));
    for (uint32_t i = 0, j = 0; i < nx || j < ny;) {
        uint32_t px = i < nx ? x[i].at : NOWHERE;
        uint32_t py = j < ny ? place_in(&by_original, key_of(by, y[j].value)) : NOWHERE;
        bool take_x = j == ny || (i < nx && px != NOWHERE && py != NOWHERE && px < py);
        list.v.items[list.n++] = take_x ? *x[i++].value : *y[j++].value;
    }
    return list;
}

/* --- scalars --- */

static struct json without(struct smp *m, const struct json *list, const struct json *taken)
{
    struct by scalars = {STR_NONE};
    struct index x = index_of(m, scalars, taken);
    struct json left = {.type = JSON_ARRAY};
    left.v.items = arena_alloc(m->a, list->n * sizeof *left.v.items, _Alignof(struct json));
    for (uint32_t i = 0; i < list->n; i++)
        if (place_in(&x, &list->v.items[i]) == NOWHERE)
            left.v.items[left.n++] = list->v.items[i];
    return left;
}

/* Both together, each value once. */
static struct json together(struct smp *m, const struct json *original, const struct json *patch)
{
    struct json all = {.type = JSON_ARRAY, .n = original->n + patch->n}, once = {.type = JSON_ARRAY};
    all.v.items = arena_alloc(m->a, all.n * sizeof *all.v.items, _Alignof(struct json));
    once.v.items = arena_alloc(m->a, all.n * sizeof *once.v.items, _Alignof(struct json));
    if (original->n)
        memcpy(all.v.items, original->v.items, original->n * sizeof *all.v.items);
    if (patch->n)
        memcpy(all.v.items + original->n, patch->v.items, patch->n * sizeof *all.v.items);
    struct by scalars = {STR_NONE};
    struct index x = index_of(m, scalars, &all);
    for (uint32_t i = 0; i < all.n; i++)
        if (place_in(&x, &all.v.items[i]) == i)
            once.v.items[once.n++] = all.v.items[i];
    return once;
}

/* --- objects --- */

/* The original's list while it is patched, in the memory it has in the original: what is deleted there leaves its successors'
 * values behind it, and what is added fills these places first. A $setElementOrder goes by what that memory holds at last,
 * which clients can see in the order of what only the object has. */
struct memory {
    struct json *items;
    uint32_t size; /* as many as there were */
    uint32_t used;
};

static struct memory memory_of(struct smp *m, const struct json *list)
{
    struct memory x = {.size = list->n, .used = list->n};
    x.items = arena_dup(m->a, list->n ? list->v.items : NULL, list->n * sizeof *x.items,
                        _Alignof(struct json));
    return x;
}

static void delete_one_by_one(struct memory *x, struct by by, const struct json *deleted)
{
    for (uint32_t d = 0; d < deleted->n; d++) {
        const struct json *key = key_of(by, &deleted->v.items[d]);
        for (uint32_t i = 0; i < x->used;) {
            const struct json *other = key_of(by, &x->items[i]);
            if (!other || json_is_container(other) || key_cmp(key, other)) {
                i++;
                continue;
            }
            memmove(&x->items[i], &x->items[i + 1], (x->used - i - 1) * sizeof *x->items);
            x->used--;
        }
    }
}

static void delete_items(struct smp *m, struct memory *x, struct by by, const struct json *deleted)
{
    enum { COMPARED_MAX = 1 << 16 };
    if ((size_t)x->size * deleted->n <= COMPARED_MAX) {
        delete_one_by_one(x, by, deleted);
        return;
    }
    struct index index = index_of(m, by, deleted);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < x->used; i++)
        if (place_in(&index, key_of(by, &x->items[i])) == NOWHERE)
            x->items[kept++] = x->items[i];
    x->used = kept;
}

static struct json used_of(const struct memory *x)
{
    return (struct json){.type = JSON_ARRAY, .n = x->used, .v.items = x->items};
}

/* The patch's directives, carried out; *ret_items: what is left of it. *ret_replace: it takes the list's place. */
static bool run_item_directives(struct smp *m, struct by by, const struct json *patch, struct memory *x,
                                struct json *ret_items, bool *ret_replace)
{
    struct json items = {.type = JSON_ARRAY}, deleted = json_array();
    *ret_replace = false;
    items.v.items = arena_alloc(m->a, patch->n * sizeof *items.v.items, _Alignof(struct json));
    for (uint32_t i = 0; i < patch->n; i++) {
        const struct json *item = &patch->v.items[i], *directive = json_find(item, SMP_DIRECTIVE);
        str what = json_str(directive);
        if (!directive) {
            items.v.items[items.n++] = *item;
        } else if (str_is(what, "delete")) {
            if (!json_find(item, by.key))
                return smp_no_key(m, item, by.key);
            json_append(m->a, &deleted, *item);
        } else if (str_is(what, "replace")) {
            *ret_replace = true;
        } else if (str_is(what, "merge")) {
            return smp_fail(m, ERR_INTERNAL, "merging lists cannot yet be specified in the patch");
        } else {
            return smp_bad_directive(m, directive, item);
        }
    }
    delete_items(m, x, by, &deleted);
    *ret_items = items;
    return true;
}

/* Each item of the patch merged into the one of its key, or added. */
static bool merge_items(struct smp *m, const struct smp_place *of_item, struct by by,
                        const struct json *original, const struct json *patch, struct json *ret)
{
    struct index x = index_of(m, by, original), y = index_of(m, by, patch);
    uint32_t *added = ARENA_ARRAY(m->a, uint32_t, patch->n); /* by the first of the patch with that key */
    struct json merged = {.type = JSON_ARRAY, .n = original->n};
    merged.v.items = arena_alloc(m->a, ((size_t)original->n + patch->n) * sizeof *merged.v.items,
                                 _Alignof(struct json));
    if (original->n)
        memcpy(merged.v.items, original->v.items, original->n * sizeof *merged.v.items);
    for (uint32_t i = 0; i < patch->n; i++) {
        const struct json *item = &patch->v.items[i], *key = json_find(item, by.key);
        if (!key)
            return smp_no_key(m, item, by.key);
        uint32_t at = place_in(&x, key), first = place_in(&y, key);
        if (at == NOWHERE && first < i)
            at = added[first];
        if (at == NOWHERE) {
            added[i] = merged.n;
            merged.v.items[merged.n++] = *item;
        } else if (!smp_merge_objects(m, of_item, &merged.v.items[at], item, &merged.v.items[at])) {
            return false;
        }
    }
    *ret = merged;
    return true;
}

static struct smp_place place_of_items(const struct smp_place *p)
{
    bool is_list = p->at.node && p->at.node->kind == SCHEMA_LIST;
    return (struct smp_place){.at = is_list ? schema_items(p->at) : (struct schema_at){NULL, NULL}};
}

static bool merge_keyed(struct smp *m, const struct smp_place *p, const struct json *original,
                        const struct json *patch, struct json *ret, struct json *ret_memory)
{
    struct by by = by_of(p);
    struct smp_place of_item = place_of_items(p);
    struct memory x = memory_of(m, original);
    struct json items, before_patch, merged;
    bool replace;
    if (!by.key.n)
        return smp_fail(m, ERR_INTERNAL, "cannot merge lists without merge key for struct");
    if (!run_item_directives(m, by, patch, &x, &items, &replace))
        return false;
    before_patch = replace ? items : used_of(&x);
    items = replace ? json_array() : items;
    if (!merge_items(m, &of_item, by, &before_patch, &items, &merged) || !all_have_keys(m, by, &merged))
        return false;
    *ret = in_order(m, by, &merged, &items, &before_patch);
    for (uint32_t i = before_patch.n; !replace && i < merged.n && x.used < x.size; i++)
        x.items[x.used++] = merged.v.items[i];
    *ret_memory = (struct json){.type = JSON_ARRAY, .n = x.size, .v.items = x.items};
    return true;
}

/* `ret_memory`: what the original's list holds afterwards. */
static bool merge_lists(struct smp *m, const struct smp_place *p, const struct json *original,
                        const struct json *patch, bool deletes, struct json *ret, struct json *ret_memory)
{
    static const struct by scalars = {{NULL, 0}};
    enum json_type type;
    *ret = *patch;
    *ret_memory = *original;
    if (!deletes && !(p->rules && (p->rules->patch & SCHEMA_PATCH_MERGE)))
        return true;
    *ret = *original;
    if (!original->n && !patch->n)
        return true;
    if (!item_type(m, original, patch, &type))
        return false;
    if (type == JSON_OBJECT)
        return merge_keyed(m, p, original, patch, ret, ret_memory);
    if (deletes) {
        *ret = without(m, original, patch);
        return true;
    }
    struct json merged = together(m, original, patch);
    *ret = in_order(m, scalars, &merged, patch, original);
    return true;
}

bool smp_merge_lists(struct smp *m, const struct smp_place *p, const struct json *original,
                     const struct json *patch, bool deletes, struct json *ret)
{
    struct json memory;
    return merge_lists(m, p, original, patch, deletes, ret, &memory);
}

/* --- $setElementOrder --- */

/* Finds an item of the patch in the directive's list, from *at on. */
static bool find_in_order(struct smp *m, struct by by, const struct json *item, const struct json *order,
                          uint32_t *at, bool *ret_found)
{
    *ret_found = false;
    if (by.key.n && item->type != JSON_OBJECT)
        return smp_wrong_type(m, "map[string]interface {}", item);
    for (; *at < order->n && !*ret_found; ++*at) {
        const struct json *x = key_of(by, item), *other = &order->v.items[*at], *y = key_of(by, other);
        if (by.key.n && other->type != JSON_OBJECT)
            return smp_wrong_type(m, "map[string]interface {}", other);
        if (!x || !y)
            return smp_no_key(m, x ? other : item, by.key);
        *ret_found = !json_is_container(x) && key_cmp(x, y) == 0;
    }
    return true;
}

/* Items of the patch, deletions aside, stand in the directive's list, in its order. */
static bool order_agrees(struct smp *m, struct by by, const struct json *patch, const struct json *order)
{
    uint32_t at = 0;
    if (!json_count(patch) || !order->n)
        return true;
    for (uint32_t i = 0; i < patch->n; i++) {
        const struct json *item = &patch->v.items[i], *directive = json_find(item, SMP_DIRECTIVE);
        bool found;
        if (directive && (at < order->n || str_is(json_str(directive), "delete")))
            continue;
        if (!find_in_order(m, by, item, order, &at, &found))
            return false;
        if (found)
            continue;
        struct buf b;
        buf_init_arena(&b, m->a, VALUE_SIZE_MAX);
        buf_add_lit(&b, "the order in patch list:\n");
        go_text_v(&b, patch);
        buf_add_lit(&b, "\n doesn't match $setElementOrder list:\n");
        go_text_v(&b, order);
        err_set(m->err, ERR_INTERNAL, "%" STR_FMT, STR_ARG(buf_str(&b)));
        return false;
    }
    return true;
}

/* Either may be NULL, not both. */
static bool list_for_order(struct smp *m, const struct smp_place *p, const struct json *original,
                           const struct json *patch, struct json *ret, struct json *ret_memory)
{
    if (original && patch)
        return merge_lists(m, p, original, patch, false, ret, ret_memory);
    *ret = *ret_memory = original ? *original : json_array();
    if (!original)
        smp_without_directives(m, patch, ret); /* a list is no directive itself */
    return true;
}

bool smp_ordered_list(struct smp *m, const struct smp_place *p, const struct json *original,
                      const struct json *patch, const struct json *order, struct json *ret, bool *ret_there)
{
    struct by by = by_of(p);
    struct json merged, memory;
    enum json_type type;
    *ret_there = original || patch;
    if (!order_agrees(m, by, patch, order))
        return false;
    if (!*ret_there)
        return true;
    if (!list_for_order(m, p, original, patch, &merged, &memory))
        return false;
    if (by.key.n && !all_have_keys(m, by, &merged))
        return false;
    if (!item_type(m, original, patch, &type))
        return false;
    if (type == JSON_OBJECT && !all_have_keys(m, by, order))
        return false;
    *ret = in_order(m, by, &merged, order, &memory);
    return true;
}
