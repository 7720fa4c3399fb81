/* view_encode.c - the content of a view: the other direction of view.c. */
#include "api/view.h"
#include "api/view_priv.h"
#include "base/base64.h"
#include "wire/json.h"

static void value(struct buf *out, struct schema_at at, const void *from);

/* --- is there anything to print? --- */

/* Pointer fields: how "unset" looks depends on what stands for the pointer. */
static bool pointer_is_set(struct schema_at at, const void *from)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: return ((const struct opt_bool *)from)->is_set;
    case SCHEMA_INT32:
    case SCHEMA_UINT32: return ((const struct opt_int32 *)from)->is_set;
    case SCHEMA_INT64:
    case SCHEMA_UINT64:
    case SCHEMA_DURATION: return ((const struct opt_int64 *)from)->is_set;
    case SCHEMA_DOUBLE: return ((const struct opt_double *)from)->is_set;
    case SCHEMA_STRING:
    case SCHEMA_BYTES:
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS: return ((const str *)from)->p != NULL;
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME: return !kube_time_is_zero(*(const struct kube_time *)from);
    case SCHEMA_LIST:
    case SCHEMA_MAP: return ((const struct any_array *)from)->count != 0;
    case SCHEMA_QUANTITY:
    case SCHEMA_INT_OR_STRING:
    case SCHEMA_STRUCT:
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: return *(const void *const *)from != NULL;
    case SCHEMA_NONE:
    case SCHEMA_KIND_COUNT: break;
    }
    return false;
}

/* Plain fields that Go leaves out when they are empty; structs it cannot leave out. */
static bool plain_is_empty(struct schema_at at, const void *from)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: return !*(const bool *)from;
    case SCHEMA_INT32:
    case SCHEMA_UINT32: return *(const int32_t *)from == 0;
    case SCHEMA_INT64:
    case SCHEMA_UINT64: return *(const int64_t *)from == 0;
    case SCHEMA_DOUBLE: return *(const double *)from == 0;
    case SCHEMA_STRING:
    case SCHEMA_BYTES: return ((const str *)from)->n == 0;
    case SCHEMA_LIST:
    case SCHEMA_MAP: return ((const struct any_array *)from)->count == 0;
    default: return false;
    }
}

/* The value of a pointer field: where its plain form is. */
static const void *behind_pointer(struct schema_at at, const void *from)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_QUANTITY:
    case SCHEMA_INT_OR_STRING:
    case SCHEMA_STRUCT:
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: return *(const void *const *)from;
    default: return from; /* opt_* begin with their value */
    }
}

/* --- values --- */

static void structure(struct buf *out, struct schema_at at, const char *from)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    buf_add_c(out, '{');
    bool first = true;
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &s->fields[t->field_first + i];
        struct schema_at field = schema_field_at(s, f);
        const void *p = from + f->offset;
        bool pointer = f->flags & SCHEMA_POINTER;
        bool unset = pointer ? !pointer_is_set(field, p) : plain_is_empty(field, p);
        bool zero_time = (f->flags & SCHEMA_OMITZERO) && !pointer_is_set(field, p);
        if ((unset && !(f->flags & SCHEMA_ALWAYS)) || zero_time)
            continue;
        if (!first)
            buf_add_c(out, ',');
        first = false;
        json_print_str(out, schema_field_name(s, f), 0);
        buf_add_c(out, ':');
        if (pointer && unset)
            buf_add_lit(out, "null");
        else
            value(out, field, pointer ? behind_pointer(field, p) : p);
    }
    buf_add_c(out, '}');
}

/* p == NULL is Go's nil, which prints as null where it is printed at all. */
static void list(struct buf *out, struct schema_at items, const struct any_array *from)
{
    if (!from->items) {
        buf_add_lit(out, "null");
        return;
    }
    size_t size = view_size_of(items);
    buf_add_c(out, '[');
    for (size_t i = 0; i < from->count; i++) {
        if (i)
            buf_add_c(out, ',');
        value(out, items, (const char *)from->items + i * size);
    }
    buf_add_c(out, ']');
}

static void map(struct buf *out, struct schema_at items, const struct any_map *from)
{
    if (!from->items) {
        buf_add_lit(out, "null");
        return;
    }
    size_t size = view_entry_size_of(items);
    buf_add_c(out, '{');
    for (size_t i = 0; i < from->count; i++) {
        const char *entry = (const char *)from->items + i * size;
        if (i)
            buf_add_c(out, ',');
        json_print_str(out, *(const str *)(const void *)entry, 0);
        buf_add_c(out, ':');
        value(out, items, entry + sizeof(str));
    }
    buf_add_c(out, '}');
}

static void bytes(struct buf *out, const str *from)
{
    if (!from->p) {
        buf_add_lit(out, "null");
        return;
    }
    buf_add_c(out, '"');
    base64_encode(out, *from, BASE64_STD);
    buf_add_c(out, '"');
}

static void raw(struct buf *out, const str *from)
{
    buf_add(out, from->n ? *from : S("null"));
}

static void time_value(struct buf *out, const struct kube_time *from, bool micro)
{
    if (kube_time_is_zero(*from)) {
        buf_add_lit(out, "null");
        return;
    }
    buf_add_c(out, '"');
    if (micro)
        kube_micro_time_format(out, *from);
    else
        kube_time_format(out, *from);
    buf_add_c(out, '"');
}

static void either(struct buf *out, struct schema_at at, const void *from)
{
    /* All three begin with the pointer to the struct side. */
    const void *type = *(const void *const *)from;
    if (type) {
        structure(out, at, type);
    } else if (at.node->kind == SCHEMA_OR_BOOL) {
        buf_add(out, ((const struct view_or_bool *)from)->allows ? S("true") : S("false"));
    } else if (at.node->kind == SCHEMA_OR_LIST) {
        struct schema_node item = {.kind = SCHEMA_STRUCT, .flags = at.node->flags, .ref = at.node->ref};
        list(out, (struct schema_at){at.schema, &item}, &((const struct view_or_list *)from)->types);
    } else {
        static const struct schema_node strings = {.kind = SCHEMA_STRING};
        const struct str_array *items = &((const struct view_or_strings *)from)->strings;
        struct any_array any = {.items = items->items, .count = items->count};
        list(out, (struct schema_at){at.schema, &strings}, &any);
    }
}

static void quoted(struct buf *out, void (*format)(struct buf *out, const void *from), const void *from)
{
    buf_add_c(out, '"');
    format(out, from);
    buf_add_c(out, '"');
}

static void format_quantity(struct buf *out, const void *from)
{
    quantity_format(out, from);
}

static void format_duration(struct buf *out, const void *from)
{
    duration_format(out, *(const int64_t *)from);
}

static void int_or_string(struct buf *out, const struct int_or_string *from)
{
    if (from->type == INT_OR_STRING_STRING)
        json_print_str(out, from->text, 0);
    else
        buf_add_i64(out, from->number);
}

static void value(struct buf *out, struct schema_at at, const void *from)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: buf_add(out, *(const bool *)from ? S("true") : S("false")); break;
    case SCHEMA_INT32: buf_add_i64(out, *(const int32_t *)from); break;
    case SCHEMA_UINT32: buf_add_u64(out, *(const uint32_t *)from); break;
    case SCHEMA_INT64: buf_add_i64(out, *(const int64_t *)from); break;
    case SCHEMA_UINT64: buf_add_u64(out, *(const uint64_t *)from); break;
    case SCHEMA_DOUBLE: json_print_float(out, *(const double *)from); break;
    case SCHEMA_STRING: json_print_str(out, *(const str *)from, 0); break;
    case SCHEMA_BYTES: bytes(out, from); break;
    case SCHEMA_QUANTITY: quoted(out, format_quantity, from); break;
    case SCHEMA_TIME: time_value(out, from, false); break;
    case SCHEMA_MICRO_TIME: time_value(out, from, true); break;
    case SCHEMA_DURATION: quoted(out, format_duration, from); break;
    case SCHEMA_INT_OR_STRING: int_or_string(out, from); break;
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS: raw(out, from); break;
    case SCHEMA_STRUCT: structure(out, at, from); break;
    case SCHEMA_LIST: list(out, schema_items(at), from); break;
    case SCHEMA_MAP: map(out, schema_items(at), from); break;
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: either(out, at, from); break;
    case SCHEMA_NONE:
    case SCHEMA_KIND_COUNT: ASSERT(!"every node has a kind");
    }
}

void view_encode(struct buf *out, const struct schema *s, const struct schema_type *t, const void *view)
{
    struct schema_node storage = {.kind = SCHEMA_STRUCT, .ref = (uint16_t)(t - s->types)};
    structure(out, (struct schema_at){s, &storage}, view);
}
