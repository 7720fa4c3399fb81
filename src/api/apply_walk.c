/* apply_walk.c - the fields of a document, and in which fields two documents differ.
 * The rules are those of the original: an empty map or list is a field itself; a struct's field that holds others is none,
 * unless it was added or removed as a whole; an item of a list and a key of a map always are. */
#include "api/apply_priv.h"
#include "api/member_finder.h"
#include "base/vec.h"

struct walk {
    struct arena *a;
    struct field_stack stack;
    unsigned depth;
    bool failed; /* an item without an element */
    bool strict; /* what is not of its place's form fails too */
};

static bool is_object(const struct json *j)
{
    return j && j->type == JSON_OBJECT;
}
static bool is_array(const struct json *j)
{
    return j && j->type == JSON_ARRAY;
}

/* Which of the forms that any value may have. */
enum form { FORM_MAP, FORM_SCALAR, FORM_LIST, FORM_NULL };
static enum form form_of(const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_NULL: return FORM_NULL;
    case JSON_OBJECT: return FORM_MAP;
    case JSON_ARRAY: return FORM_LIST;
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INT:
    case JSON_FLOAT:
    case JSON_STRING: break;
    }
    return FORM_SCALAR;
}

/* --- items by element --- */

struct item {
    struct field_element at;
    const struct json *value;
};
struct items {
    struct item *p;
    uint32_t n;
};

static int item_cmp(const void *x, const void *y, void *ctx)
{
    return field_element_cmp(&((const struct item *)x)->at, &((const struct item *)y)->at);
}

/* Sorted, equal ones in the order they stand. */
static struct items items_of(struct walk *w, const struct apply_place *p, const struct json *list)
{
    struct items items = {0};
    if (!is_array(list))
        return items;
    items.p = arena_alloc(w->a, list->n * sizeof *items.p, _Alignof(struct item));
    bool sorted = true;
    for (uint32_t i = 0; i < list->n; i++) {
        struct item *item = &items.p[items.n];
        str why;
        item->value = &list->v.items[i];
        if (!apply_item_element(w->a, p, item->value, &item->at, &why)) {
            w->failed = true;
            continue;
        }
        sorted = sorted && (!items.n || item_cmp(item - 1, item, NULL) <= 0);
        items.n++;
    }
    if (!sorted)
        vec_sort(items.p, items.n, sizeof *items.p, item_cmp, NULL);
    return items;
}

/* How many from `at` on have its element. */
static uint32_t run_length(struct items items, uint32_t at)
{
    uint32_t end = at + 1;
    while (end < items.n && item_cmp(&items.p[at], &items.p[end], NULL) == 0)
        end++;
    return end - at;
}

/* --- fields of one document --- */

static unsigned fields_of(struct walk *w, const struct apply_place *p, const struct json *j);

/* `in`: the element is a field whatever stands there. */
static void field_below(struct walk *w, const struct apply_place *p, const struct field_element *at,
                        const struct json *j, unsigned in)
{
    uint32_t base = w->stack.count;
    w->depth++;
    in |= fields_of(w, p, j);
    w->depth--;
    struct field_set below = field_stack_take(&w->stack, base);
    if (in || below.count)
        field_stack_add(&w->stack, at, below, in);
}

static void fields_of_items(struct walk *w, const struct apply_place *p, const struct json *j)
{
    struct apply_place of_item;
    apply_place_item(p, &of_item);
    struct items items = items_of(w, p, j);
    for (uint32_t i = 0, n; i < items.n; i += n) {
        n = run_length(items, i);
        if (n > 1) /* which one is meant nobody can say: one field for all of them */
            field_stack_add(&w->stack, &items.p[i].at, FIELD_SET_EMPTY, FIELD_IN);
        else
            field_below(w, &of_item, &items.p[i].at, items.p[i].value, FIELD_IN);
        w->failed = w->failed || (w->strict && n > 1);
    }
}

static void fields_of_members(struct walk *w, const struct apply_place *p, const struct json *j)
{
    for (uint32_t i = 0; i < j->n; i++) {
        const struct json_member *m = &j->v.members[i];
        struct apply_place inside;
        bool named = apply_place_member(p, json_member_name(m), &inside);
        bool empty = m->value.type == JSON_NULL || (m->value.type == JSON_OBJECT && m->value.n == 0);
        struct field_element at = field_name(json_member_name(m));
        field_below(w, &inside, &at, &m->value, empty || !named ? FIELD_IN : 0);
    }
}

static unsigned fields_of(struct walk *w, const struct apply_place *p, const struct json *j)
{
    if (w->strict && !apply_is_form(p, j))
        w->failed = true;
    if (w->depth > APPLY_DEPTH_MAX)
        return FIELD_IN;
    switch ((enum apply_shape)p->shape) {
    case SHAPE_LIST:
    case SHAPE_LEAF:
        if (w->strict && j->n && json_is_container(j) && !w->failed) {
            str why; /* no fields inside, but a form all the same */
            w->failed = !apply_check(w->a, p, j, false, &why);
        }
        return FIELD_IN;
    case SHAPE_SCALAR:
    case SHAPE_ANY_LEAF: return FIELD_IN;
    case SHAPE_SET:
    case SHAPE_KEYED: fields_of_items(w, p, j); return 0;
    case SHAPE_STRUCT:
    case SHAPE_MAP:
    case SHAPE_ANY:
    case SHAPE_UNKNOWN: break;
    }
    if (j->type == JSON_OBJECT) {
        fields_of_members(w, p, j);
        return 0;
    }
    return p->shape == SHAPE_ANY && j->type != JSON_NULL ? FIELD_IN : 0;
}

bool apply_fields_of(struct arena *a, const struct apply_place *p, const struct json *j,
                     struct field_set *ret)
{
    struct walk w = {.a = a, .stack = {.a = a}};
    fields_of(&w, p, j);
    *ret = field_stack_take(&w.stack, 0);
    return !w.failed;
}

bool apply_fields_of_config(struct arena *a, const struct apply_place *p, const struct json *j,
                            struct field_set *ret)
{
    struct walk w = {.a = a, .stack = {.a = a}, .strict = true};
    fields_of(&w, p, j);
    *ret = field_stack_take(&w.stack, 0);
    return !w.failed;
}

/* --- two documents --- */

static unsigned compare(struct walk *w, const struct apply_place *p, const struct json *x,
                        const struct json *y);

static void compare_below(struct walk *w, const struct apply_place *p, const struct field_element *at,
                          const struct json *x, const struct json *y, unsigned in)
{
    uint32_t base = w->stack.count;
    w->depth++;
    in |= x || y ? compare(w, p, x, y) : 0;
    w->depth--;
    struct field_set below = field_stack_take(&w->stack, base);
    if (in || below.count)
        field_stack_add(&w->stack, at, below, in);
}

static unsigned leaf(const struct json *x, const struct json *y)
{
    return !x ? FIELD_ADDED : !y ? FIELD_REMOVED : apply_equal(x, y) ? 0 : FIELD_MODIFIED;
}

/* What holds others is a field of the comparison only when it came or went as a whole. */
static unsigned whole(const struct json *x, const struct json *y)
{
    return !x ? FIELD_ADDED : !y ? FIELD_REMOVED : 0;
}

static bool runs_equal(const struct item *x, const struct item *y, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!apply_equal(x[i].value, y[i].value))
            return false;
    return true;
}

/* Of one element, `nx` items before and `ny` after. */
static void compare_runs(struct walk *w, const struct apply_place *of_item, const struct item *x, uint32_t nx,
                         const struct item *y, uint32_t ny)
{
    const struct field_element *at = nx ? &x->at : &y->at;
    if (nx <= 1 && ny <= 1)
        compare_below(w, of_item, at, nx ? x->value : NULL, ny ? y->value : NULL, 0);
    else if (nx > 1 && ny > 1)
        compare_below(w, of_item, at, NULL, NULL, nx == ny && runs_equal(x, y, nx) ? 0 : FIELD_MODIFIED);
    else if (nx > 1)
        compare_below(w, of_item, at, NULL, ny ? y->value : NULL, FIELD_REMOVED);
    else
        compare_below(w, of_item, at, nx ? x->value : NULL, NULL, FIELD_ADDED);
}

static unsigned compare_lists(struct walk *w, const struct apply_place *p, const struct json *x,
                              const struct json *y)
{
    if (!(is_array(x) && x->n) && !(is_array(y) && y->n))
        return leaf(x, y);
    struct apply_place of_item;
    apply_place_item(p, &of_item);
    struct items xs = items_of(w, p, x), ys = items_of(w, p, y);
    for (uint32_t i = 0, j = 0; i < xs.n || j < ys.n;) {
        int c = i == xs.n ? 1 : j == ys.n ? -1 : item_cmp(&xs.p[i], &ys.p[j], NULL);
        uint32_t nx = c <= 0 ? run_length(xs, i) : 0, ny = c >= 0 ? run_length(ys, j) : 0;
        compare_runs(w, &of_item, nx ? &xs.p[i] : NULL, nx, ny ? &ys.p[j] : NULL, ny);
        i += nx;
        j += ny;
    }
    return whole(x, y);
}

static void compare_member(struct walk *w, const struct apply_place *p, str name, const struct json *x,
                           const struct json *y)
{
    if (x && y && apply_same(x, y))
        return;
    struct apply_place inside;
    struct field_element at = field_name(name);
    apply_place_member(p, name, &inside);
    compare_below(w, &inside, &at, x, y, 0);
}

static void compare_members(struct walk *w, const struct apply_place *p, const struct json *x,
                            const struct json *y)
{
    bool *met = ARENA_ARRAY(w->a, bool, y->n);
    struct member_finder f = member_finder_of(w->a, y);
    for (uint32_t i = 0; i < x->n; i++) {
        str name = json_member_name(&x->v.members[i]);
        uint32_t at = member_find(&f, name);
        if (at != MEMBER_NONE)
            met[at] = true;
        compare_member(w, p, name, &x->v.members[i].value,
                       at != MEMBER_NONE ? &y->v.members[at].value : NULL);
    }
    for (uint32_t i = 0; i < y->n; i++)
        if (!met[i])
            compare_member(w, p, json_member_name(&y->v.members[i]), NULL, &y->v.members[i].value);
}

static unsigned compare_objects(struct walk *w, const struct apply_place *p, const struct json *x,
                                const struct json *y)
{
    bool has_x = is_object(x), has_y = is_object(y);
    if (!(has_x && x->n) && !(has_y && y->n))
        return leaf(x, y);
    static const struct json nothing = {.type = JSON_OBJECT};
    compare_members(w, p, has_x ? x : &nothing, has_y ? y : &nothing);
    return whole(x, y);
}

static unsigned compare_as(struct walk *w, const struct apply_place *p, enum form form, const struct json *x,
                           const struct json *y)
{
    return form == FORM_MAP || form == FORM_NULL ? compare_objects(w, p, x, y) : leaf(x, y);
}

/* Of two forms both count: what one had is gone, what the other has is new. */
static unsigned compare_any(struct walk *w, const struct apply_place *p, const struct json *x,
                            const struct json *y)
{
    if (!y)
        return compare_as(w, p, form_of(x), x, y);
    unsigned in = compare_as(w, p, form_of(y), x, y);
    if (x && form_of(x) != form_of(y))
        in |= compare_as(w, p, form_of(x), x, y);
    return in;
}

static unsigned compare(struct walk *w, const struct apply_place *p, const struct json *x,
                        const struct json *y)
{
    if (x && y && apply_same(x, y))
        return 0;
    if (w->depth > APPLY_DEPTH_MAX)
        return leaf(x, y);
    switch ((enum apply_shape)p->shape) {
    case SHAPE_SCALAR:
    case SHAPE_LIST:
    case SHAPE_LEAF:
    case SHAPE_ANY_LEAF: return leaf(x, y);
    case SHAPE_SET:
    case SHAPE_KEYED: return compare_lists(w, p, x, y);
    case SHAPE_STRUCT:
    case SHAPE_MAP: return compare_objects(w, p, x, y);
    case SHAPE_ANY:
    case SHAPE_UNKNOWN: break;
    }
    return compare_any(w, p, x, y);
}

bool apply_compare(struct arena *a, const struct apply_place *p, const struct json *x, const struct json *y,
                   struct field_set *ret)
{
    struct walk w = {.a = a, .stack = {.a = a}};
    compare(&w, p, x, y);
    *ret = field_stack_take(&w.stack, 0);
    return !w.failed;
}

/* --- sets along the schema --- */

/* The place of what a node stands for; SHAPE_UNKNOWN: the schema does not say. True: it is a named field. */
static bool node_place(const struct apply_place *p, const struct field_element *at, struct apply_place *ret)
{
    bool holds_members = p->shape == SHAPE_STRUCT || p->shape == SHAPE_MAP || p->shape == SHAPE_ANY;
    ret->shape = SHAPE_UNKNOWN;
    if (at->kind == FIELD_NAME && holds_members)
        return apply_place_member(p, (str){at->p, at->n}, ret);
    if (at->kind != FIELD_NAME && (p->shape == SHAPE_SET || p->shape == SHAPE_KEYED))
        apply_place_item(p, ret);
    return false;
}

struct field_set apply_reconcile(struct arena *a, const struct apply_place *p, struct field_set s,
                                 bool *ret_changed)
{
    struct field_node *copy = NULL;
    for (uint32_t i = 0; i < s.count; i++) {
        const struct field_node *node = &s.nodes[i];
        if (!node->below.count)
            continue;
        bool changed = false;
        struct apply_place inside;
        node_place(p, &node->at, &inside);
        struct field_node now = *node;
        if (inside.shape == SHAPE_LIST || inside.shape == SHAPE_LEAF || inside.shape == SHAPE_ANY_LEAF) {
            now = (struct field_node){.at = node->at, .in = FIELD_IN};
            changed = true;
        } else if (inside.shape != SHAPE_ANY && inside.shape != SHAPE_UNKNOWN) {
            now.below = apply_reconcile(a, &inside, node->below, &changed);
        }
        if (!changed)
            continue;
        if (!copy)
            copy = arena_dup(a, s.nodes, s.count * sizeof *copy, _Alignof(struct field_node));
        copy[i] = now;
        *ret_changed = true;
    }
    return copy ? (struct field_set){copy, s.count} : s;
}

struct field_set apply_with_named(struct arena *a, const struct apply_place *p, struct field_set s)
{
    if (!s.count)
        return s;
    struct field_node *copy = arena_dup(a, s.nodes, s.count * sizeof *copy, _Alignof(struct field_node));
    for (uint32_t i = 0; i < s.count; i++) {
        if (!copy[i].below.count)
            continue;
        struct apply_place inside;
        copy[i].in |= node_place(p, &copy[i].at, &inside) ? FIELD_IN : 0;
        copy[i].below = apply_with_named(a, &inside, copy[i].below);
    }
    return (struct field_set){copy, s.count};
}
