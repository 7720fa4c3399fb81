/* validate_list.c - items that must be different: sets, maps by keys, uniqueItems. */
#include "api/tree_priv.h"
#include "base/vec.h"

enum { FEW = 16 }; /* compared each with each, without asking for memory */

/* An item, or the keys of one, in an order of their own: only whether two are equal matters. */
struct entry {
    const struct json *item;
    uint32_t index;
};

struct by_keys {
    const struct schema *s;
    uint32_t keys; /* names; 0: the whole item is compared */
};

static int compare(const struct json *x, const struct json *y);

static int compare_members(const struct json *x, const struct json *y)
{
    for (uint32_t i = 0; i < x->n; i++) {
        const struct json_member *m = &x->v.members[i];
        const struct json_member *same = &y->v.members[i];
        int order = str_cmp(json_member_name(m), json_member_name(same));
        if (order == 0)
            order = compare(&m->value, &same->value);
        if (order)
            return order;
    }
    return 0;
}

static int compare_numbers(const struct json *x, const struct json *y)
{
    if (x->type == JSON_INT)
        return x->v.i < y->v.i ? -1 : x->v.i > y->v.i;
    return x->v.f < y->v.f ? -1 : x->v.f > y->v.f;
}

/* Members stand in the same order in both: the tree is a normalised one. */
static int compare(const struct json *x, const struct json *y)
{
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->type == JSON_INT || x->type == JSON_FLOAT)
        return compare_numbers(x, y);
    if (x->type == JSON_STRING)
        return str_cmp(json_str(x), json_str(y));
    if (!json_is_container(x))
        return 0;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    if (x->type == JSON_OBJECT)
        return compare_members(x, y);
    int order = 0;
    for (uint32_t i = 0; i < x->n && order == 0; i++)
        order = compare(&x->v.items[i], &y->v.items[i]);
    return order;
}

static int compare_entries(const void *x, const void *y, void *ctx)
{
    const struct entry *a = x, *b = y;
    const struct by_keys *by = ctx;
    if (!by->keys)
        return compare(a->item, b->item);
    uint32_t at = by->keys;
    for (str name; schema_names_next(by->s, &at, &name);) {
        static const struct json absent = {.type = JSON_NULL};
        const struct json *p = json_find(a->item, name), *q = json_find(b->item, name);
        int order = compare(p ? p : &absent, q ? q : &absent);
        if (order)
            return order;
    }
    return 0;
}

/* The size of what is compared, roughly: every value counts. */
static uint64_t size_of(const struct json *j)
{
    uint64_t size = 1 + (j->type == JSON_STRING ? j->n / 8 : 0);
    for (uint32_t i = 0; json_is_container(j) && i < j->n; i++)
        size += size_of(j->type == JSON_ARRAY ? &j->v.items[i] : &j->v.members[i].value);
    return size;
}

static bool spend(const struct json *list, uint64_t *steps)
{
    uint64_t rounds = 1;
    for (uint32_t n = list->n; n > 1; n /= 2)
        rounds++;
    uint64_t cost = size_of(list) * (list->n <= FEW ? list->n : rounds);
    *steps = *steps > cost ? *steps - cost : 0;
    return *steps > 0;
}

/* Calls fn for the second one of each value that is there more than once, in the order of the list. How many. */
static size_t find_second(struct arena *a, const struct json *list, struct by_keys *by,
                          void (*fn)(void *ctx, uint32_t index), void *ctx)
{
    size_t found = 0;
    struct entry few[FEW], *entries = list->n <= FEW ? few : ARENA_ARRAY(a, struct entry, list->n);
    for (uint32_t i = 0; i < list->n; i++)
        entries[i] = (struct entry){&list->v.items[i], i};
    if (list->n <= FEW) {
        for (uint32_t i = 1; i < list->n; i++) {
            unsigned before = 0;
            for (uint32_t k = 0; k < i; k++)
                before += compare_entries(&entries[i], &entries[k], by) == 0;
            if (before == 1) {
                fn(ctx, i);
                found++;
            }
        }
        return found;
    }
    bool *second = ARENA_ARRAY(a, bool, list->n);
    vec_sort(entries, list->n, sizeof *entries, compare_entries, by); /* stable */
    for (uint32_t i = 1, run = 0; i < list->n; i++) {
        run = compare_entries(&entries[i - 1], &entries[i], by) == 0 ? run + 1 : 0;
        second[entries[i].index] = run == 1;
    }
    for (uint32_t i = 0; i < list->n; i++)
        if (second[i]) {
            fn(ctx, i);
            found++;
        }
    return found;
}

static void ignore(void *ctx, uint32_t index)
{
    (void)ctx;
    (void)index;
}

bool tree_has_duplicates(struct arena *a, const struct json *list, uint64_t *steps)
{
    struct by_keys by = {0};
    return spend(list, steps) && find_second(a, list, &by, ignore, NULL) > 0;
}

/* --- telling --- */

struct teller {
    struct field_errors *errors;
    const struct field_path *path;
    const struct json *list;
    struct by_keys by;
};

/* Of an item of a map its keys alone are shown. */
static void tell_duplicate(void *ctx, uint32_t index)
{
    const struct teller *t = ctx;
    struct field_path at = field_path_index(t->path, index);
    const struct json *item = &t->list->v.items[index];
    struct json shown = json_object();
    uint32_t keys = t->by.keys;
    for (str name; schema_names_next(t->by.s, &keys, &name);) {
        const struct json *value = json_find(item, name);
        if (value)
            json_set(t->errors->arena, &shown, name, *value);
    }
    json_sort_members(&shown, false);
    field_duplicate(t->errors, &at, t->by.keys ? &shown : item);
}

void tree_validate_list_set(struct field_errors *errors, const struct field_path *path,
                            const struct json *list, uint64_t *steps)
{
    struct teller t = {.errors = errors, .path = path, .list = list, .by = {.s = &schema_builtin}};
    if (spend(list, steps))
        find_second(errors->arena, list, &t.by, tell_duplicate, &t);
}

/* What is no object has no keys: then nothing else is looked at. */
static bool all_objects(struct field_errors *errors, const struct field_path *path, const struct json *list)
{
    bool all = true;
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->v.items[i].type == JSON_OBJECT)
            continue;
        struct field_path at = field_path_index(path, i);
        field_invalid(errors, &at, &list->v.items[i], S("must be an object for an array of list-type map"));
        all = false;
    }
    return all;
}

void tree_validate_list_map(struct field_errors *errors, const struct field_path *path,
                            const struct json *list, const struct schema *s, uint32_t keys, uint64_t *steps)
{
    struct teller t = {.errors = errors, .path = path, .list = list, .by = {s, keys}};
    if (spend(list, steps) && all_objects(errors, path, list))
        find_second(errors->arena, list, &t.by, tell_duplicate, &t);
}
