/* field_error.c - messages of validation, word for word what clients of the original see. */
#include "api/field_error.h"
#include <stdlib.h>

enum { MESSAGE_SIZE_MAX = 1 << 16, VALUE_SIZE_MAX = 1 << 14 };

void field_errors_init(struct field_errors *l, struct arena *a)
{
    *l = (struct field_errors){.arena = a};
}

static void path_add(struct buf *out, const struct field_path *p)
{
    if (p->parent)
        path_add(out, p->parent);
    switch (p->kind) {
    case FIELD_PATH_ROOT: break;
    case FIELD_PATH_NAME:
        if (out->n)
            buf_add_c(out, '.');
        buf_add(out, p->name);
        break;
    case FIELD_PATH_KEY:
        buf_add_c(out, '[');
        buf_add(out, p->name);
        buf_add_c(out, ']');
        break;
    case FIELD_PATH_INDEX: buf_add_f(out, "[%zu]", p->index); break;
    }
}

str field_path_format(struct arena *a, const struct field_path *p)
{
    struct buf b;
    buf_init_arena(&b, a, MESSAGE_SIZE_MAX);
    path_add(&b, p);
    return buf_str(&b);
}

static void add_error(struct field_errors *l, struct field_error e)
{
    if (l->count == FIELD_ERRORS_MAX) {
        l->lost++;
        return;
    }
    if ((l->count & (l->count - 1)) == 0)
        l->items = arena_grow(l->arena, l->items, l->count * sizeof *l->items,
                              (l->count ? l->count * 2 : 1) * sizeof *l->items, _Alignof(struct field_error));
    l->items[l->count++] = e;
}

static void add(struct field_errors *l, enum field_error_kind kind, const struct field_path *p, str message)
{
    add_error(l,
              (struct field_error){.kind = kind, .path = field_path_format(l->arena, p), .message = message});
}

static struct buf message_start(struct field_errors *l, str what)
{
    struct buf b;
    buf_init_arena(&b, l->arena, MESSAGE_SIZE_MAX);
    buf_add(&b, what);
    return b;
}

/* A long one is cut, so that there is room for what is wrong with it. */
static void add_value(struct field_errors *l, struct buf *b, const struct json *value)
{
    struct buf shown;
    struct json cut = *value;
    if (cut.type == JSON_STRING && cut.n > VALUE_SIZE_MAX / 2)
        cut.n = VALUE_SIZE_MAX / 2;
    buf_init_arena(&shown, l->arena, VALUE_SIZE_MAX);
    json_print(&shown, &cut, 0);
    buf_add_lit(b, ": ");
    buf_add(b, buf_str(&shown));
}

static void add_detail(struct buf *b, str detail)
{
    if (detail.n) {
        buf_add_lit(b, ": ");
        buf_add(b, detail);
    }
}

void field_required(struct field_errors *l, const struct field_path *p, str detail)
{
    struct buf b = message_start(l, S("Required value"));
    add_detail(&b, detail);
    add(l, FIELD_REQUIRED, p, buf_str(&b));
}

void field_invalid(struct field_errors *l, const struct field_path *p, const struct json *value, str detail)
{
    struct buf b = message_start(l, S("Invalid value"));
    add_value(l, &b, value);
    add_detail(&b, detail);
    add(l, FIELD_INVALID, p, buf_str(&b));
}

void field_invalid_shown(struct field_errors *l, const struct field_path *p, str value, str detail)
{
    struct buf b = message_start(l, S("Invalid value: "));
    buf_add(&b, value);
    add_detail(&b, detail);
    add(l, FIELD_INVALID, p, buf_str(&b));
}

static int by_bytes(const void *x, const void *y)
{
    return str_cmp(*(const str *)x, *(const str *)y);
}

void field_not_supported_in_order(struct field_errors *l, const struct field_path *p,
                                  const struct json *value, const str *supported, size_t supported_count)
{
    struct buf b = message_start(l, S("Unsupported value"));
    add_value(l, &b, value);
    for (size_t i = 0; i < supported_count; i++) {
        buf_add(&b, i ? S(", ") : S(": supported values: "));
        json_print_str(&b, supported[i], 0);
    }
    add(l, FIELD_NOT_SUPPORTED, p, buf_str(&b));
}

void field_not_supported(struct field_errors *l, const struct field_path *p, const struct json *value,
                         const str *supported, size_t supported_count)
{
    str *sorted = arena_dup(l->arena, supported, supported_count * sizeof *supported, _Alignof(str));
    qsort(sorted, supported_count, sizeof *sorted, by_bytes);
    field_not_supported_in_order(l, p, value, sorted, supported_count);
}

void field_duplicate(struct field_errors *l, const struct field_path *p, const struct json *value)
{
    struct buf b = message_start(l, S("Duplicate value"));
    add_value(l, &b, value);
    add(l, FIELD_DUPLICATE, p, buf_str(&b));
}

void field_not_found(struct field_errors *l, const struct field_path *p, const struct json *value)
{
    struct buf b = message_start(l, S("Not found"));
    add_value(l, &b, value);
    add(l, FIELD_NOT_FOUND, p, buf_str(&b));
}

void field_forbidden(struct field_errors *l, const struct field_path *p, str detail)
{
    struct buf b = message_start(l, S("Forbidden"));
    add_detail(&b, detail);
    add(l, FIELD_FORBIDDEN, p, buf_str(&b));
}

void field_too_long(struct field_errors *l, const struct field_path *p, size_t max_bytes)
{
    struct buf b = message_start(l, S("Too long"));
    buf_add_f(&b, ": may not be more than %zu byte%s", max_bytes, max_bytes == 1 ? "" : "s");
    add(l, FIELD_TOO_LONG, p, buf_str(&b));
}

void field_too_many(struct field_errors *l, const struct field_path *p, size_t actual, size_t max)
{
    struct buf b = message_start(l, S("Too many"));
    buf_add_f(&b, ": %zu: must have at most %zu item%s", actual, max, max == 1 ? "" : "s");
    add(l, FIELD_TOO_MANY, p, buf_str(&b));
}

void field_type_invalid(struct field_errors *l, const struct field_path *p, const struct json *value,
                        str detail)
{
    struct buf b = message_start(l, S("Invalid value"));
    add_value(l, &b, value);
    add_detail(&b, detail);
    add(l, FIELD_TYPE_INVALID, p, buf_str(&b));
}

void field_internal(struct field_errors *l, const struct field_path *p, str detail)
{
    struct buf b = message_start(l, S("Internal error"));
    add_detail(&b, detail);
    add(l, FIELD_INTERNAL, p, buf_str(&b));
}

void field_error_add_detail(struct field_errors *l, str detail)
{
    if (l->count == 0 || l->lost)
        return;
    struct field_error *newest = &l->items[l->count - 1];
    newest->message = str_join(l->arena, (const str[]){newest->message, detail}, 2, S(": "));
}

str field_error_reason(enum field_error_kind kind)
{
    switch (kind) {
    case FIELD_REQUIRED: return S("FieldValueRequired");
    case FIELD_INVALID: return S("FieldValueInvalid");
    case FIELD_NOT_SUPPORTED: return S("FieldValueNotSupported");
    case FIELD_DUPLICATE: return S("FieldValueDuplicate");
    case FIELD_NOT_FOUND: return S("FieldValueNotFound");
    case FIELD_FORBIDDEN: return S("FieldValueForbidden");
    case FIELD_TOO_LONG: return S("FieldValueTooLong");
    case FIELD_TOO_MANY: return S("FieldValueTooMany");
    case FIELD_TYPE_INVALID: return S("FieldValueTypeInvalid");
    case FIELD_INTERNAL: return S("InternalError");
    }
    return STR_NONE;
}

static bool said_before(const struct field_errors *l, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (str_eq(l->items[j].path, l->items[i].path) && str_eq(l->items[j].message, l->items[i].message))
            return true;
    return false;
}

void field_errors_drop_repeated(struct field_errors *l)
{
    if (l->count && said_before(l, l->count - 1))
        l->count--;
}

void field_errors_append(struct field_errors *l, const struct field_errors *more)
{
    for (size_t i = 0; i < more->count; i++) {
        size_t before = l->count;
        add_error(l, more->items[i]);
        if (l->count > before)
            field_errors_drop_repeated(l);
    }
    l->lost += more->lost;
}

void field_errors_print(const struct field_errors *l, struct buf *out)
{
    size_t different = 0;
    for (size_t i = 0; i < l->count; i++)
        different += !said_before(l, i);
    if (different > 1)
        buf_add_c(out, '[');
    bool first = true;
    for (size_t i = 0; i < l->count; i++) {
        if (said_before(l, i))
            continue;
        if (!first)
            buf_add_lit(out, ", ");
        first = false;
        buf_add(out, l->items[i].path);
        buf_add_lit(out, ": ");
        buf_add(out, l->items[i].message);
    }
    if (different > 1)
        buf_add_c(out, ']');
}
