/* view.c - C structs from JSON content and back, by table.
 * Both directions walk the same tables; what is left out and what is printed empty follows the same rules as
 * tree_normalise, so that encoding a decoded view gives the content back byte for byte. */
#include "api/view.h"
#include "api/view_priv.h"
#include "base/base64.h"
#include "wire/json.h"

enum { ITEMS_FIRST = 4 };

struct decoder {
    struct json_reader r;
    struct arena *a;
    struct err *err;
};

static void value(struct decoder *d, struct schema_at at, unsigned flags, void *to);

/* --- layout --- */

size_t view_size_of(struct schema_at at)
{
    const struct schema *s;
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: return sizeof(bool);
    case SCHEMA_INT32:
    case SCHEMA_UINT32: return sizeof(int32_t);
    case SCHEMA_INT64:
    case SCHEMA_UINT64:
    case SCHEMA_DURATION: return sizeof(int64_t);
    case SCHEMA_DOUBLE: return sizeof(double);
    case SCHEMA_STRING:
    case SCHEMA_BYTES:
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS: return sizeof(str);
    case SCHEMA_QUANTITY: return sizeof(struct quantity);
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME: return sizeof(struct kube_time);
    case SCHEMA_INT_OR_STRING: return sizeof(struct int_or_string);
    case SCHEMA_STRUCT: return schema_struct(at, &s)->view_size;
    case SCHEMA_LIST: return sizeof(struct any_array);
    case SCHEMA_MAP: return sizeof(struct any_map);
    case SCHEMA_OR_BOOL: return sizeof(struct view_or_bool);
    case SCHEMA_OR_LIST: return sizeof(struct view_or_list);
    case SCHEMA_OR_STRINGS: return sizeof(struct view_or_strings);
    case SCHEMA_NONE:
    case SCHEMA_KIND_COUNT: break;
    }
    ASSERT(!"every node has a kind");
}

/* A map's entry is {str key; VALUE value;}: everything in a view is aligned to 8 at most, a str starts it. */
size_t view_entry_size_of(struct schema_at values)
{
    size_t n = sizeof(str) + view_size_of(values);
    return (n + _Alignof(str) - 1) & ~(_Alignof(str) - 1);
}

/* --- decoding --- */

static void corrupt(struct decoder *d, const char *what)
{
    if (!d->r.failed)
        err_set(d->err, ERR_CORRUPT, "stored content is not what its schema says: expected %s", what);
    d->r.failed = true;
}

static str text(struct decoder *d)
{
    struct json j = json_read_scalar(&d->r);
    if (j.type != JSON_STRING) {
        corrupt(d, "text");
        return STR_NONE;
    }
    /* Set and empty is not unset: keep a pointer. */
    return j.n ? json_str(&j) : S("");
}

static int64_t number(struct decoder *d)
{
    struct json j = json_read_scalar(&d->r);
    if (j.type == JSON_INT)
        return j.v.i;
    corrupt(d, "an integer");
    return 0;
}

static void failed_in(struct decoder *d, err_code code)
{
    if (code != ERR_NONE) {
        err_wrap_as(d->err, ERR_CORRUPT, "stored content is not what its schema says");
        d->r.failed = true;
    }
}

static str bytes(struct decoder *d)
{
    str encoded = text(d);
    struct buf b;
    buf_init_arena(&b, d->a, encoded.n + 1);
    failed_in(d, base64_decode(&b, encoded, BASE64_STD, d->err));
    return b.n ? buf_str(&b) : S("");
}

static void time_value(struct decoder *d, struct kube_time *to, bool micro)
{
    str s = text(d);
    if (d->r.failed)
        return;
    failed_in(d, micro ? kube_micro_time_parse(s, to, d->err) : kube_time_parse(s, to, d->err));
}

static void int_or_string(struct decoder *d, struct int_or_string *to)
{
    struct json j = json_read_scalar(&d->r);
    if (j.type == JSON_STRING)
        *to = int_or_string_of_str(json_str(&j));
    else if (j.type == JSON_INT)
        *to = int_or_string_of_int((int32_t)j.v.i);
    else
        corrupt(d, "an integer or text");
}

static void structure(struct decoder *d, struct schema_at at, char *to)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    str name;
    json_enter_object(&d->r);
    while (json_next_member(&d->r, &name)) {
        const struct schema_field *f = schema_field_find(s, t, name);
        if (!f || json_peek(&d->r) == JSON_NULL)
            json_skip(&d->r);
        else
            value(d, schema_field_at(s, f), f->flags, to + f->offset);
    }
}

/* Room for one more item at the end of a growing run. */
static char *item_room(struct decoder *d, char **items, size_t count, size_t size)
{
    if (count == 0)
        *items = arena_alloc(d->a, ITEMS_FIRST * size, _Alignof(str));
    else if (count >= ITEMS_FIRST && (count & (count - 1)) == 0)
        *items = arena_grow(d->a, *items, count * size, 2 * count * size, _Alignof(str));
    char *to = *items + count * size;
    memset(to, 0, size);
    return to;
}

static struct any_array list(struct decoder *d, struct schema_at items)
{
    size_t size = view_size_of(items), count = 0;
    char *p = NULL;
    json_enter_array(&d->r);
    while (json_next_item(&d->r)) {
        char *to = item_room(d, &p, count++, size);
        if (json_peek(&d->r) == JSON_NULL)
            json_skip(&d->r);
        else
            value(d, items, 0, to);
    }
    /* Given and empty is not absent: items that are not NULL. */
    return (struct any_array){.items = p ? p : "", .count = count};
}

static struct any_map map(struct decoder *d, struct schema_at items)
{
    size_t size = view_entry_size_of(items), count = 0;
    char *p = NULL;
    str name;
    json_enter_object(&d->r);
    while (json_next_member(&d->r, &name)) {
        char *to = item_room(d, &p, count++, size);
        memcpy(to, &name, sizeof name);
        if (json_peek(&d->r) == JSON_NULL)
            json_skip(&d->r);
        else
            value(d, items, 0, to + sizeof(str));
    }
    return (struct any_map){.items = p ? p : "", .count = count};
}

static const void *struct_behind_pointer(struct decoder *d, struct schema_at at)
{
    const struct schema *s;
    char *p = arena_alloc_zero(d->a, 1, schema_struct(at, &s)->view_size, _Alignof(str));
    structure(d, at, p);
    return p;
}

static void either(struct decoder *d, struct schema_at at, void *to)
{
    enum json_type type = json_peek(&d->r);
    if (at.node->kind == SCHEMA_OR_BOOL) {
        struct view_or_bool *v = to;
        v->allows = true;
        if (type == JSON_OBJECT) {
            v->type = struct_behind_pointer(d, at);
        } else {
            struct json j = json_read_scalar(&d->r);
            v->allows = json_bool(&j);
        }
    } else if (at.node->kind == SCHEMA_OR_LIST) {
        struct view_or_list *v = to;
        struct schema_node item = {.kind = SCHEMA_STRUCT, .flags = at.node->flags, .ref = at.node->ref};
        if (type == JSON_OBJECT)
            v->type = struct_behind_pointer(d, at);
        else
            v->types = list(d, (struct schema_at){at.schema, &item});
    } else {
        static const struct schema_node strings = {.kind = SCHEMA_STRING};
        struct view_or_strings *v = to;
        if (type == JSON_OBJECT) {
            v->type = struct_behind_pointer(d, at);
        } else {
            struct any_array items = list(d, (struct schema_at){at.schema, &strings});
            v->strings = (struct str_array){.items = items.items, .count = items.count};
        }
    }
}

/* Pointer fields of kinds whose plain form is bigger than a word. */
static void behind_pointer(struct decoder *d, struct schema_at at, void *to)
{
    void *p = arena_alloc_zero(d->a, 1, view_size_of(at), _Alignof(str));
    value(d, at, 0, p);
    memcpy(to, &p, sizeof p);
}

static void optional(struct decoder *d, struct schema_at at, void *to)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL:
        value(d, at, 0, &((struct opt_bool *)to)->value);
        ((struct opt_bool *)to)->is_set = true;
        break;
    case SCHEMA_INT32:
    case SCHEMA_UINT32:
        value(d, at, 0, &((struct opt_int32 *)to)->value);
        ((struct opt_int32 *)to)->is_set = true;
        break;
    case SCHEMA_INT64:
    case SCHEMA_UINT64:
    case SCHEMA_DURATION:
        value(d, at, 0, &((struct opt_int64 *)to)->value);
        ((struct opt_int64 *)to)->is_set = true;
        break;
    case SCHEMA_DOUBLE:
        value(d, at, 0, &((struct opt_double *)to)->value);
        ((struct opt_double *)to)->is_set = true;
        break;
    case SCHEMA_QUANTITY:
    case SCHEMA_INT_OR_STRING:
    case SCHEMA_STRUCT:
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: behind_pointer(d, at, to); break;
    default: value(d, at, 0, to); break;
    }
}

static void value(struct decoder *d, struct schema_at at, unsigned flags, void *to)
{
    if (flags & SCHEMA_POINTER) {
        optional(d, at, to);
        return;
    }
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: {
        struct json j = json_read_scalar(&d->r);
        if (j.type != JSON_TRUE && j.type != JSON_FALSE)
            corrupt(d, "true or false");
        *(bool *)to = json_bool(&j);
        break;
    }
    case SCHEMA_INT32:
    case SCHEMA_UINT32: *(int32_t *)to = (int32_t)number(d); break;
    case SCHEMA_INT64:
    case SCHEMA_UINT64: *(int64_t *)to = number(d); break;
    case SCHEMA_DOUBLE: {
        struct json j = json_read_scalar(&d->r);
        if (j.type != JSON_INT && j.type != JSON_FLOAT)
            corrupt(d, "a number");
        *(double *)to = j.type == JSON_INT ? (double)j.v.i : j.v.f;
        break;
    }
    case SCHEMA_STRING: *(str *)to = text(d); break;
    case SCHEMA_BYTES: *(str *)to = bytes(d); break;
    case SCHEMA_QUANTITY: failed_in(d, quantity_parse(d->a, text(d), to, d->err)); break;
    case SCHEMA_TIME: time_value(d, to, false); break;
    case SCHEMA_MICRO_TIME: time_value(d, to, true); break;
    case SCHEMA_DURATION: failed_in(d, duration_parse(text(d), to, d->err)); break;
    case SCHEMA_INT_OR_STRING: int_or_string(d, to); break;
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS: *(str *)to = json_skip(&d->r); break;
    case SCHEMA_STRUCT: structure(d, at, to); break;
    case SCHEMA_LIST: *(struct any_array *)to = list(d, schema_items(at)); break;
    case SCHEMA_MAP: *(struct any_map *)to = map(d, schema_items(at)); break;
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: either(d, at, to); break;
    case SCHEMA_NONE:
    case SCHEMA_KIND_COUNT: ASSERT(!"every node has a kind");
    }
}

err_code view_decode(struct arena *a, const struct schema *s, const struct schema_type *t, str content,
                     void *ret, struct err *err)
{
    struct decoder d = {.a = a, .err = err};
    struct schema_node storage = {.kind = SCHEMA_STRUCT, .ref = (uint16_t)(t - s->types)};
    memset(ret, 0, t->view_size);
    json_reader_init(&d.r, a, content, err);
    structure(&d, (struct schema_at){s, &storage}, ret);
    if (json_reader_end(&d.r))
        return err->code;
    return arena_check(a, err);
}
