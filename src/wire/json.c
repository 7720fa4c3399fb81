/* json.c - the tree: reading, building, editing, comparing. */
#include "wire/json.h"
#include "base/mem.h"
#include "wire/json_priv.h"

bool json_int(const struct json *j, int64_t *ret)
{
    if (!j || j->type != JSON_INT)
        return false;
    *ret = j->v.i;
    return true;
}

static struct json_member *find_member(const struct json *object, str name)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    struct json_member *members = object->v.members;
    for (uint32_t i = 0; i < object->n; i++)
        if (members[i].name_n == name.n && (name.n == 0 || memcmp(members[i].name, name.p, name.n) == 0))
            return &members[i];
    return NULL;
}

struct json *json_find(const struct json *object, str name)
{
    struct json_member *m = find_member(object, name);
    return m ? &m->value : NULL;
}

struct json *json_find_id(const struct json *object, name_id id)
{
    if (!object || object->type != JSON_OBJECT || !id)
        return NULL;
    struct json_member *members = object->v.members;
    for (uint32_t i = 0; i < object->n; i++)
        if (members[i].id == id)
            return &members[i].value;
    return NULL;
}

struct json *json_at(const struct json *array, size_t index)
{
    if (!array || array->type != JSON_ARRAY || index >= array->n)
        return NULL;
    return &array->v.items[index];
}

struct json *json_path(const struct json *j, const str *names, size_t name_count)
{
    struct json *at = NULL;
    for (size_t i = 0; i < name_count; i++) {
        at = json_find(j, names[i]);
        j = at;
    }
    return at;
}

struct json json_null(void)
{
    return (struct json){.type = JSON_NULL};
}

struct json json_of_bool(bool b)
{
    return (struct json){.type = b ? JSON_TRUE : JSON_FALSE};
}

struct json json_of_int(int64_t i)
{
    return (struct json){.type = JSON_INT, .v.i = i};
}

struct json json_of_float(double f)
{
    ASSERT(__builtin_isfinite(f));
    return (struct json){.type = JSON_FLOAT, .v.f = f};
}

struct json json_of_str(str s)
{
    ASSERT(s.n <= UINT32_MAX);
    return (struct json){.type = JSON_STRING, .n = (uint32_t)s.n, .v.s = s.n ? s.p : ""};
}

struct json json_array(void)
{
    return (struct json){.type = JSON_ARRAY};
}

struct json json_object(void)
{
    return (struct json){.type = JSON_OBJECT};
}

static size_t child_size(const struct json *j)
{
    return j->type == JSON_OBJECT ? sizeof(struct json_member) : sizeof(struct json);
}

/* Room for one child more. */
static void make_room(struct arena *a, struct json *j)
{
    enum { LOG2_MIN = 2 };
    size_t cap = j->cap_log2 ? (size_t)1 << j->cap_log2 : j->n;
    if (j->n < cap)
        return;
    ASSERT(j->n < (uint32_t)1 << 31);
    uint16_t log2 = j->n ? (uint16_t)(32 - __builtin_clz(j->n)) : 0;
    log2 = log2 < LOG2_MIN ? LOG2_MIN : log2;
    size_t size = child_size(j);
    j->v.items = arena_grow(a, j->v.items, cap * size, size << log2, _Alignof(struct json));
    j->cap_log2 = log2;
}

struct json *json_append(struct arena *a, struct json *array, struct json value)
{
    ASSERT(array->type == JSON_ARRAY);
    make_room(a, array);
    struct json *slot = &array->v.items[array->n++];
    *slot = value;
    return slot;
}

void json_insert(struct arena *a, struct json *array, size_t index, struct json value)
{
    ASSERT(array->type == JSON_ARRAY && index <= array->n);
    make_room(a, array);
    struct json *at = array->v.items + index;
    memmove(at + 1, at, (array->n - index) * sizeof *at);
    *at = value;
    array->n++;
}

void json_remove_at(struct json *array, size_t index)
{
    ASSERT(array->type == JSON_ARRAY && index < array->n);
    struct json *at = array->v.items + index;
    /* "Exactly n" must stay true of the room: forgetting the freed place is all it costs. */
    memmove(at, at + 1, (array->n - index - 1) * sizeof *at);
    array->n--;
}

struct json *json_add(struct arena *a, struct json *object, str name, struct json value)
{
    ASSERT(object->type == JSON_OBJECT && name.n <= UINT32_MAX);
    make_room(a, object);
    struct json_member *m = &object->v.members[object->n++];
    *m = (struct json_member){.name = name.n ? name.p : "", .name_n = (uint32_t)name.n, .value = value};
    return &m->value;
}

struct json *json_set(struct arena *a, struct json *object, str name, struct json value)
{
    ASSERT(object->type == JSON_OBJECT);
    struct json_member *m = find_member(object, name);
    if (!m)
        return json_add(a, object, name, value);
    m->value = value;
    return &m->value;
}

bool json_remove(struct json *object, str name)
{
    struct json_member *m = find_member(object, name);
    if (!m)
        return false;
    struct json_member *end = object->v.members + object->n;
    memmove(m, m + 1, (size_t)((char *)end - (char *)(m + 1)));
    object->n--;
    return true;
}

/* Order by name. */

bool json_is_sorted(const struct json *object)
{
    const struct json_member *m = object->v.members;
    for (uint32_t i = 1; i < object->n; i++)
        if (str_cmp(json_member_name(&m[i - 1]), json_member_name(&m[i])) > 0)
            return false;
    return true;
}

typedef const struct json_member *member_ref;

static void merge(const member_ref *from, member_ref *to, size_t start, size_t middle, size_t end)
{
    for (size_t a = start, b = middle, i = start; i < end; i++) {
        bool left = a < middle &&
                    (b >= end || str_cmp(json_member_name(from[a]), json_member_name(from[b])) <= 0);
        to[i] = left ? from[a++] : from[b++];
    }
}

const struct json_member **json_order(const struct json *object)
{
    size_t n = object->n;
    member_ref *order = NEW_ARRAY(member_ref, n), *other = NEW_ARRAY(member_ref, n);
    for (size_t i = 0; i < n; i++)
        order[i] = &object->v.members[i];
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t at = 0; at < n; at += run * 2)
            merge(order, other, at, size_min(at + run, n), size_min(at + run * 2, n));
        member_ref *swap = order;
        order = other;
        other = swap;
    }
    mem_free(other);
    return order;
}

static void sort_one(struct json *object)
{
    if (json_is_sorted(object))
        return;
    member_ref *order = json_order(object);
    struct json_member *sorted = NEW_ARRAY(struct json_member, object->n);
    for (uint32_t i = 0; i < object->n; i++)
        sorted[i] = *order[i];
    memcpy(object->v.members, sorted, object->n * sizeof sorted[0]);
    mem_free(sorted);
    mem_free(order);
}

/* Walking. */

void json_levels_init(struct json_levels *l)
{
    l->p = l->first;
    l->n = 0;
    l->cap = ARRAY_COUNT(l->first);
}

void json_levels_done(struct json_levels *l)
{
    while (l->n)
        json_levels_pop(l);
    if (l->p != l->first)
        mem_free(l->p);
}

struct json_level *json_levels_push(struct json_levels *l, const struct json *j)
{
    if (l->n == l->cap) {
        bool first = l->p == l->first;
        struct json_level *p = mem_realloc(first ? NULL : l->p, l->cap * 2 * sizeof *p);
        if (first)
            memcpy(p, l->first, sizeof l->first);
        l->p = p;
        l->cap *= 2;
    }
    struct json_level *top = &l->p[l->n++];
    top->j = j;
    top->other = NULL;
    top->members = NULL;
    top->at = 0;
    return top;
}

void json_levels_pop(struct json_levels *l)
{
    mem_free(l->p[--l->n].members);
}

/* The next child of the innermost container, or NULL: that was popped. */
static struct json *next_child(struct json_levels *l)
{
    struct json_level *top = &l->p[l->n - 1];
    const struct json *j = top->j;
    if (top->at == j->n) {
        json_levels_pop(l);
        return NULL;
    }
    uint32_t at = top->at++;
    return j->type == JSON_OBJECT ? &j->v.members[at].value : &j->v.items[at];
}

void json_sort_members(struct json *j, bool deep)
{
    if (j->type == JSON_OBJECT)
        sort_one(j);
    if (!deep || !json_is_container(j))
        return;
    CLEANUP(json_levels_done) struct json_levels levels;
    json_levels_init(&levels);
    json_levels_push(&levels, j);
    while (levels.n) {
        struct json *child = next_child(&levels);
        if (!child || !json_is_container(child))
            continue;
        if (child->type == JSON_OBJECT)
            sort_one(child);
        json_levels_push(&levels, child);
    }
}

/* Makes `j`'s children its own; the copies still share what is below them. */
static void own_children(struct arena *a, struct json *j, bool strings)
{
    if (strings && j->type == JSON_STRING)
        j->v.s = arena_dup(a, j->v.s, j->n, 1);
    if (!json_is_container(j))
        return;
    j->v.items = arena_dup(a, j->v.items, j->n * child_size(j), _Alignof(struct json));
    j->cap_log2 = 0;
    if (!strings || j->type != JSON_OBJECT)
        return;
    struct json_member *members = j->v.members;
    for (uint32_t i = 0; i < j->n; i++)
        members[i].name = arena_dup(a, members[i].name, members[i].name_n, 1);
}

static struct json clone(struct arena *a, const struct json *j, bool strings)
{
    struct json copy = *j;
    own_children(a, &copy, strings);
    if (!json_is_container(&copy))
        return copy;
    CLEANUP(json_levels_done) struct json_levels levels;
    json_levels_init(&levels);
    json_levels_push(&levels, &copy);
    while (levels.n) {
        struct json *child = next_child(&levels);
        if (!child)
            continue;
        own_children(a, child, strings);
        if (json_is_container(child))
            json_levels_push(&levels, child);
    }
    return copy;
}

struct json json_clone(struct arena *a, const struct json *j)
{
    return clone(a, j, false);
}

struct json json_clone_deep(struct arena *a, const struct json *j)
{
    return clone(a, j, true);
}

/* Equality. */

static bool scalars_equal(const struct json *x, const struct json *y)
{
    switch ((enum json_type)x->type) {
    case JSON_INT: return x->v.i == y->v.i;
    case JSON_FLOAT: return x->v.f == y->v.f;
    case JSON_STRING: return str_eq(json_str(x), json_str(y));
    case JSON_ARRAY:
    case JSON_OBJECT: return x->n == y->n;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: return true;
    }
    return false;
}

static const struct json *find_ordered(const member_ref *order, size_t n, str name)
{
    for (size_t low = 0, high = n; low < high;) {
        size_t middle = low + (high - low) / 2;
        int c = str_cmp(json_member_name(order[middle]), name);
        if (c == 0)
            return &order[middle]->value;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Whom the child number `at` of the level must equal: mostly the one at the same place. */
static const struct json *partner(struct json_level *top, uint32_t at)
{
    enum { ORDER_FROM = 16 };
    const struct json *other = top->other;
    if (top->j->type == JSON_ARRAY)
        return &other->v.items[at];
    str name = json_member_name(&top->j->v.members[at]);
    if (str_eq(json_member_name(&other->v.members[at]), name))
        return &other->v.members[at].value;
    if (other->n < ORDER_FROM)
        return json_find(other, name);
    if (!top->members)
        top->members = json_order(other);
    return find_ordered(top->members, other->n, name);
}

bool json_equal(const struct json *x, const struct json *y)
{
    CLEANUP(json_levels_done) struct json_levels levels;
    json_levels_init(&levels);
    for (;;) {
        if (!y || x->type != y->type || !scalars_equal(x, y))
            return false;
        if (json_is_container(x))
            json_levels_push(&levels, x)->other = y;
        do {
            if (!levels.n)
                return true;
            x = next_child(&levels);
        } while (!x);
        struct json_level *top = &levels.p[levels.n - 1];
        y = partner(top, top->at - 1);
    }
}
