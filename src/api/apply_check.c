/* apply_check.c - is a document what its schema says, as far as merging depends on it; and if not, in the original's words.
 * The first ERRORS_MAX faults are told. */
#include "api/apply_priv.h"
#include "api/go_text.h"
#include "base/vec.h"

enum {
    ERRORS_MAX = 100,
    MESSAGE_SIZE_MAX = 64 << 10,
    VALUE_SIZE_MAX = 1024, /* of a value shown */
};

/* The way to a value, from the inside out. */
struct way {
    const struct way *outer;
    struct field_element at;
    bool is_index;
    uint32_t index;
};

struct checker {
    struct arena *a;
    bool duplicates_ok;
    str errors[ERRORS_MAX];
    size_t count;
};

static void add_way(struct buf *out, const struct way *w)
{
    if (!w)
        return;
    add_way(out, w->outer);
    if (w->is_index)
        buf_add_f(out, "[%u]", w->index);
    else
        field_element_print(out, &w->at);
}

static void fault(struct checker *c, const struct way *w, str what)
{
    if (c->count == ERRORS_MAX)
        return;
    struct buf b;
    buf_init_arena(&b, c->a, MESSAGE_SIZE_MAX);
    add_way(&b, w);
    if (b.n)
        buf_add_lit(&b, ": ");
    buf_add(&b, what);
    c->errors[c->count++] = buf_str(&b);
}

/* "expected map, got &{x}": how Go shows the value's wrapper. */
static void wrong_form(struct checker *c, const struct way *w, const char *expected, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, c->a, VALUE_SIZE_MAX);
    buf_add_f(&b, "expected %s, got &{", expected);
    go_text_v(&b, j);
    buf_add_c(&b, '}');
    fault(c, w, buf_str(&b));
}

static bool is_number(const struct json *j)
{
    return j->type == JSON_INT || j->type == JSON_FLOAT;
}

static void wrong_scalar(struct checker *c, const struct apply_place *p, const struct way *w,
                         const struct json *j)
{
    struct buf b;
    switch ((enum apply_scalar)p->scalar) {
    case SCALAR_NUMERIC:
        fault(c, w, str_concat(c->a, S("expected numeric (int or float), got "), go_text_type(j)));
        break;
    case SCALAR_STRING:
        buf_init_arena(&b, c->a, VALUE_SIZE_MAX);
        buf_add_lit(&b, "expected string, got &value.valueUnstructured{Value:");
        go_text_syntax(&b, j);
        buf_add_c(&b, '}');
        fault(c, w, buf_str(&b));
        break;
    case SCALAR_BOOLEAN: wrong_form(c, w, "boolean", j); break;
    case SCALAR_UNTYPED: wrong_form(c, w, "any scalar", j); break;
    }
}

bool apply_is_form(const struct apply_place *p, const struct json *j)
{
    if (j->type == JSON_NULL)
        return true;
    switch ((enum apply_shape)p->shape) {
    case SHAPE_SCALAR: break;
    case SHAPE_LIST:
    case SHAPE_SET:
    case SHAPE_KEYED: return j->type == JSON_ARRAY;
    case SHAPE_STRUCT:
    case SHAPE_MAP:
    case SHAPE_LEAF: return j->type == JSON_OBJECT;
    case SHAPE_ANY:
    case SHAPE_ANY_LEAF: return true;
    case SHAPE_UNKNOWN: return false;
    }
    switch ((enum apply_scalar)p->scalar) {
    case SCALAR_NUMERIC: return is_number(j);
    case SCALAR_STRING: return j->type == JSON_STRING;
    case SCALAR_BOOLEAN: return j->type == JSON_TRUE || j->type == JSON_FALSE;
    case SCALAR_UNTYPED: break;
    }
    return !json_is_container(j);
}

static void check(struct checker *c, const struct apply_place *p, const struct way *w, const struct json *j);

static int element_cmp(const void *x, const void *y, void *ctx)
{
    return field_element_cmp(x, y);
}

static void report_duplicates(struct checker *c, const struct way *w, struct field_element *elements,
                              uint32_t count)
{
    vec_sort(elements, count, sizeof *elements, element_cmp, NULL);
    for (uint32_t i = 1; i < count; i++) {
        if (element_cmp(&elements[i - 1], &elements[i], NULL))
            continue;
        struct buf b;
        buf_init_arena(&b, c->a, VALUE_SIZE_MAX);
        buf_add_lit(&b, "duplicate entries for key ");
        field_element_print(&b, &elements[i]);
        fault(c, w, buf_str(&b));
    }
}

static void check_list(struct checker *c, const struct apply_place *p, const struct way *w,
                       const struct json *j)
{
    struct apply_place of_item;
    apply_place_item(p, &of_item);
    bool by_element = p->shape == SHAPE_SET || p->shape == SHAPE_KEYED;
    struct field_element *elements = by_element ? arena_alloc(c->a, j->n * sizeof *elements,
                                                              _Alignof(struct field_element))
                                                : NULL;
    for (uint32_t i = 0; i < j->n; i++) {
        struct way inside = {.outer = w, .is_index = !by_element, .index = i};
        str why;
        if (by_element && !apply_item_element(c->a, p, &j->v.items[i], &elements[i], &why)) {
            fault(c, w, str_format(c->a, "element %u: %" STR_FMT, i, STR_ARG(why)));
            return;
        }
        if (by_element)
            inside.at = elements[i];
        check(c, &of_item, &inside, &j->v.items[i]);
    }
    if (by_element && !c->duplicates_ok)
        report_duplicates(c, w, elements, j->n);
}

static void check_members(struct checker *c, const struct apply_place *p, const struct way *w,
                          const struct json *j)
{
    for (uint32_t i = 0; i < j->n; i++) {
        const struct json_member *m = &j->v.members[i];
        struct way inside = {.outer = w, .at = field_name(json_member_name(m))};
        struct apply_place place;
        apply_place_member(p, json_member_name(m), &place);
        if (place.shape == SHAPE_UNKNOWN) {
            fault(c, &inside, S("field not declared in schema"));
            return; /* the original looks no further in this one */
        }
        check(c, &place, &inside, &m->value);
    }
}

static void check(struct checker *c, const struct apply_place *p, const struct way *w, const struct json *j)
{
    bool good = apply_is_form(p, j);
    switch ((enum apply_shape)p->shape) {
    case SHAPE_SCALAR:
        if (!good)
            wrong_scalar(c, p, w, j);
        return;
    case SHAPE_LIST:
    case SHAPE_SET:
    case SHAPE_KEYED:
        if (!good)
            wrong_form(c, w, "list", j);
        else if (j->type != JSON_NULL)
            check_list(c, p, w, j);
        return;
    case SHAPE_STRUCT:
    case SHAPE_MAP:
    case SHAPE_LEAF:
        if (!good)
            wrong_form(c, w, "map", j);
        else if (j->type != JSON_NULL)
            check_members(c, p, w, j);
        return;
    case SHAPE_ANY:
    case SHAPE_ANY_LEAF:
    case SHAPE_UNKNOWN: return; /* whatever stands there */
    }
}

bool apply_check(struct arena *a, const struct apply_place *p, const struct json *j, bool duplicates_ok,
                 str *ret_message)
{
    struct checker *c = ARENA_NEW(a, struct checker);
    c->a = a;
    c->duplicates_ok = duplicates_ok;
    check(c, p, NULL, j);
    if (c->count == 0)
        return true;
    if (c->count == 1) {
        *ret_message = c->errors[0];
        return false;
    }
    struct buf b;
    buf_init_arena(&b, a, MESSAGE_SIZE_MAX);
    buf_add_lit(&b, "errors:");
    for (size_t i = 0; i < c->count; i++)
        buf_add_f(&b, "\n  %" STR_FMT, STR_ARG(c->errors[i]));
    *ret_message = buf_str(&b);
    return false;
}
