/* message.c - protobuf messages of a type: to a tree and back, by table.
 * Decoding makes the tree that JSON would have given and normalises it, so that both forms follow one set of rules.
 * Encoding writes what the original's generated code writes: fields in order of number; a plain field always, even when
 * it is zero; a pointer when it is set; lists item by item, never packed; maps by key. */
#include "api/tree.h"
#include "base/base64.h"
#include "base/kube_time.h"
#include "base/utf8.h"
#include "wire/protobuf.h"

enum {
    TEXT_SIZE_MAX = 64,
    DOCUMENT_DEPTH_MAX = 4, /* documents inside documents: a list of lists is more than anybody sends */
};

/* --- decoding --- */

struct decoder {
    struct arena *a;
    struct err *err; /* of what pb_reader does not know: filled in before pb_fail */
    struct pb_reader r;
    unsigned document_depth;
};

static err_code decode_document(struct arena *a, const struct schema *s, const struct schema_type *t,
                                str bytes, unsigned depth, struct json *ret, struct err *err);

static struct json decode_value(struct decoder *d, struct schema_at at);

static struct json failed(struct decoder *d, const char *why)
{
    pb_fail(&d->r, why);
    return json_null();
}

static struct json text_of(struct decoder *d, str s)
{
    if (!utf8_valid(s))
        return failed(d, "text that is not UTF-8");
    return json_of_str(s);
}

static struct json decode_number(struct decoder *d, enum schema_kind kind)
{
    uint64_t v = pb_varint(&d->r);
    switch (kind) {
    case SCHEMA_BOOL: return json_of_bool(v != 0);
    case SCHEMA_INT32: return json_of_int((int32_t)v);
    case SCHEMA_UINT32: return json_of_int((uint32_t)v);
    default: return json_of_int((int64_t)v);
    }
}

static struct json decode_bytes(struct decoder *d)
{
    str raw = pb_bytes(&d->r);
    struct buf b;
    buf_init_arena(&b, d->a, base64_encoded_size(raw.n, BASE64_STD));
    base64_encode(&b, raw, BASE64_STD);
    return json_of_str(buf_str(&b));
}

/* Two small numbers of a message: {seconds=1, nanos=2}. False: the message is empty. */
static bool decode_two(struct decoder *d, int64_t *ret_first, int64_t *ret_second)
{
    bool any = false;
    struct pb_mark outer = pb_enter(&d->r);
    *ret_first = *ret_second = 0;
    while (pb_next(&d->r)) {
        any = true;
        if (d->r.field == 1)
            *ret_first = (int64_t)pb_varint(&d->r);
        else if (d->r.field == 2)
            *ret_second = (int32_t)pb_varint(&d->r);
        else
            pb_skip(&d->r);
    }
    pb_leave(&d->r, outer);
    return any;
}

/* An empty message is the zero time, which is null; 1970 has its two zeros written out. */
static struct json decode_time(struct decoder *d, bool micro)
{
    int64_t sec, nsec;
    struct kube_time t;
    if (!decode_two(d, &sec, &nsec))
        return json_null();
    if (nsec < 0 || nsec >= NSEC_PER_SEC || !kube_time_from_unix(sec, (int32_t)nsec, &t))
        return failed(d, "a time outside the years 0 to 9999");
    struct buf b;
    buf_init_arena(&b, d->a, TEXT_SIZE_MAX);
    if (micro)
        kube_micro_time_format(&b, t);
    else
        kube_time_format(&b, t);
    return json_of_str(buf_str(&b));
}

static struct json decode_duration(struct decoder *d)
{
    int64_t ns, nothing;
    decode_two(d, &ns, &nothing);
    struct buf b;
    buf_init_arena(&b, d->a, TEXT_SIZE_MAX);
    duration_format(&b, ns);
    return json_of_str(buf_str(&b));
}

static struct json decode_quantity(struct decoder *d)
{
    struct json text = json_of_str(S("0"));
    struct pb_mark outer = pb_enter(&d->r);
    while (pb_next(&d->r)) {
        if (d->r.field == 1)
            text = text_of(d, pb_bytes(&d->r));
        else
            pb_skip(&d->r);
    }
    pb_leave(&d->r, outer);
    return text;
}

static struct json decode_int_or_string(struct decoder *d)
{
    uint64_t type = 0;
    int32_t number = 0;
    str text = STR_NONE;
    struct pb_mark outer = pb_enter(&d->r);
    while (pb_next(&d->r)) {
        switch (d->r.field) {
        case 1: type = pb_varint(&d->r); break;
        case 2: number = (int32_t)pb_varint(&d->r); break;
        case 3: text = pb_bytes(&d->r); break;
        default: pb_skip(&d->r);
        }
    }
    pb_leave(&d->r, outer);
    return type == 0 ? json_of_int(number) : text_of(d, text);
}

/* An object inside an object that came as protobuf itself. */
static struct json decode_enveloped(struct decoder *d, const struct schema *s, str raw)
{
    struct pb_envelope e;
    if (pb_envelope_decode(raw, &e, d->err))
        return failed(d, "an object inside that is no protobuf document");
    const struct schema_kind_info *k = schema_kind_find(s, e.api_version, e.kind);
    struct json inside;
    if (d->document_depth == DOCUMENT_DEPTH_MAX)
        return failed(d, "documents inside documents, too deep");
    if (!k || decode_document(d->a, s, &s->types[k->type], e.raw, d->document_depth + 1, &inside, d->err))
        return failed(d, "an object inside that cannot be decoded");
    struct json whole = json_object();
    json_set(d->a, &whole, S("kind"), text_of(d, e.kind));
    json_set(d->a, &whole, S("apiVersion"), text_of(d, e.api_version));
    for (uint32_t i = 0; i < inside.n; i++)
        json_set(d->a, &whole, json_member_name(&inside.v.members[i]), inside.v.members[i].value);
    return whole;
}

/* {raw=1}: JSON, or a document in protobuf. */
static struct json decode_raw(struct decoder *d, const struct schema *s)
{
    str raw = STR_NONE;
    struct json j = json_null();
    struct pb_mark outer = pb_enter(&d->r);
    while (pb_next(&d->r)) {
        if (d->r.field == 1)
            raw = pb_bytes(&d->r);
        else
            pb_skip(&d->r);
    }
    pb_leave(&d->r, outer);
    if (str_starts(raw, PB_ENVELOPE_MAGIC))
        return decode_enveloped(d, s, raw);
    if (raw.n && json_parse(d->a, raw, NULL, &j, d->err))
        return failed(d, "an object inside that is not JSON");
    return j;
}

static const struct schema_message_field *message_field(const struct schema *s, const struct schema_type *t,
                                                        uint32_t number)
{
    size_t low = t->message_first, high = low + t->message_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->messages[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < (size_t)t->message_first + t->message_count && s->messages[low].number == number;
    return found ? &s->messages[low] : NULL;
}

/* {key=1, value=2}, into the map that was read so far. */
static void decode_map_entry(struct decoder *d, struct schema_at items, struct json *map)
{
    struct json key = json_of_str(S("")), v = json_null();
    bool has_value = false;
    struct pb_mark outer = pb_enter(&d->r);
    while (pb_next(&d->r)) {
        if (d->r.field == 1) {
            key = text_of(d, pb_bytes(&d->r));
        } else if (d->r.field == 2) {
            v = decode_value(d, items);
            has_value = true;
        } else {
            pb_skip(&d->r);
        }
    }
    pb_leave(&d->r, outer);
    /* A value that is not there is the zero of its type; null becomes that when normalised. */
    if (!has_value && items.node->kind == SCHEMA_STRING)
        v = json_of_str(S(""));
    /* The last one of a key counts; normalising sorts and drops the others. */
    json_add(d->a, map, json_str(&key), v);
}

static void decode_field(struct decoder *d, const struct schema *s, const struct schema_field *f,
                         struct json *object)
{
    struct schema_at at = schema_field_at(s, f);
    str name = schema_field_name(s, f);
    struct json *there = json_find(object, name);
    if (at.node->kind == SCHEMA_LIST && !(at.node->flags & SCHEMA_NODE_MESSAGE)) {
        if (!there)
            there = json_set(d->a, object, name, json_array());
        json_append(d->a, there, decode_value(d, schema_items(at)));
    } else if (at.node->kind == SCHEMA_MAP) {
        if (!there)
            there = json_set(d->a, object, name, json_object());
        decode_map_entry(d, schema_items(at), there);
    } else {
        json_set(d->a, object, name, decode_value(d, at));
    }
}

/* What the reader stands in, up to its end. */
static void decode_fields(struct decoder *d, const struct schema *s, const struct schema_type *t,
                          struct json *object)
{
    while (pb_next(&d->r) && !arena_exceeded(d->a)) {
        const struct schema_message_field *m = message_field(s, t, d->r.field);
        if (!m) {
            pb_skip(&d->r);
        } else if (m->field == UINT16_MAX) {
            struct pb_mark outer = pb_enter(&d->r);
            decode_fields(d, s, &s->types[m->inlined], object);
            pb_leave(&d->r, outer);
        } else {
            decode_field(d, s, &s->fields[t->field_first + m->field], object);
        }
    }
}

static struct json decode_struct(struct decoder *d, struct schema_at at)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    struct json object = json_object();
    struct pb_mark outer = pb_enter(&d->r);
    decode_fields(d, s, t, &object);
    pb_leave(&d->r, outer);
    return object;
}

/* A list that is a message: {items=1}. */
static struct json decode_list_message(struct decoder *d, struct schema_at items)
{
    struct json list = json_array();
    struct pb_mark outer = pb_enter(&d->r);
    while (pb_next(&d->r)) {
        if (d->r.field == 1)
            json_append(d->a, &list, decode_value(d, items));
        else
            pb_skip(&d->r);
    }
    pb_leave(&d->r, outer);
    return list;
}

/* OR_BOOL {allows=1, schema=2}; OR_LIST {schema=1, list=2}; OR_STRINGS {schema=1, strings=2}. */
static struct json decode_either(struct decoder *d, struct schema_at at)
{
    bool or_bool = at.node->kind == SCHEMA_OR_BOOL;
    uint32_t struct_field = or_bool ? 2 : 1;
    struct json type = json_null(), other = or_bool ? json_of_bool(false) : json_array();
    struct pb_mark outer = pb_enter(&d->r);
    while (pb_next(&d->r)) {
        if (d->r.field == struct_field)
            type = decode_struct(d, at);
        else if (d->r.field == 1)
            other = json_of_bool(pb_varint(&d->r) != 0);
        else if (d->r.field == 2 && at.node->kind == SCHEMA_OR_LIST)
            json_append(d->a, &other, decode_struct(d, at));
        else if (d->r.field == 2)
            json_append(d->a, &other, text_of(d, pb_bytes(&d->r)));
        else
            pb_skip(&d->r);
    }
    pb_leave(&d->r, outer);
    return type.type == JSON_OBJECT ? type : other;
}

static struct json decode_value(struct decoder *d, struct schema_at at)
{
    enum schema_kind kind = (enum schema_kind)at.node->kind;
    switch (kind) {
    case SCHEMA_BOOL:
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_UINT32:
    case SCHEMA_UINT64: return decode_number(d, kind);
    case SCHEMA_DOUBLE: {
        double f = pb_double(&d->r);
        return __builtin_isfinite(f) ? json_of_float(f) : failed(d, "a number that is not finite");
    }
    case SCHEMA_STRING: return text_of(d, pb_bytes(&d->r));
    case SCHEMA_BYTES: return decode_bytes(d);
    case SCHEMA_QUANTITY: return decode_quantity(d);
    case SCHEMA_TIME: return decode_time(d, false);
    case SCHEMA_MICRO_TIME: return decode_time(d, true);
    case SCHEMA_DURATION: return decode_duration(d);
    case SCHEMA_INT_OR_STRING: return decode_int_or_string(d);
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS: return decode_raw(d, at.schema);
    case SCHEMA_STRUCT: return decode_struct(d, at);
    case SCHEMA_LIST: return decode_list_message(d, schema_items(at));
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: return decode_either(d, at);
    case SCHEMA_MAP: /* only as a field: maps do not nest in protobuf */
    case SCHEMA_NONE:
    case SCHEMA_KIND_COUNT: break;
    }
    return failed(d, "a value that protobuf has no form for");
}

static err_code decode_document(struct arena *a, const struct schema *s, const struct schema_type *t,
                                str bytes, unsigned depth, struct json *ret, struct err *err)
{
    struct err inside = ERR_INIT;
    struct decoder d = {.a = a, .err = &inside, .document_depth = depth};
    struct json object = json_object();
    pb_reader_init(&d.r, bytes);
    decode_fields(&d, s, t, &object);
    if (arena_check(a, err))
        return err->code;
    if (pb_check(&d.r, err)) {
        if (inside.code != ERR_NONE)
            err_set(err, ERR_BAD_REQUEST, "%s: %s", err->msg, inside.msg);
        return err->code;
    }
    return tree_normalise(a, s, t, &object, NULL, ret, err);
}

err_code message_decode(struct arena *a, const struct schema *s, const struct schema_type *t, str bytes,
                        struct json *ret, struct err *err)
{
    return decode_document(a, s, t, bytes, 0, ret, err);
}

/* --- encoding --- */

struct encoder {
    struct arena *a;
    struct buf *out;
    bool failed; /* a value that its scalar does not read: not a normalised tree */
};

static void encode_value(struct encoder *e, struct schema_at at, uint32_t number, const struct json *j);

static void encode_bytes(struct encoder *e, uint32_t number, const struct json *j)
{
    struct err err = ERR_INIT;
    struct buf b;
    buf_init_arena(&b, e->a, j->n + 1u);
    e->failed |= base64_decode(&b, json_str(j), BASE64_STD, &err) != ERR_NONE;
    pb_add_bytes(e->out, number, buf_str(&b));
}

static void encode_time(struct encoder *e, uint32_t number, const struct json *j)
{
    size_t at = pb_begin(e->out, number);
    struct kube_time t = {0};
    struct err err = ERR_INIT;
    if (j->type == JSON_STRING) {
        e->failed |= kube_time_parse(json_str(j), &t, &err) != ERR_NONE;
        pb_add_varint(e->out, 1, (uint64_t)kube_time_unix(t));
        pb_add_varint(e->out, 2, (uint64_t)t.nsec);
    }
    pb_end(e->out, at);
}

static void encode_duration(struct encoder *e, uint32_t number, const struct json *j)
{
    int64_t ns = 0;
    struct err err = ERR_INIT;
    e->failed |= duration_parse(json_str(j), &ns, &err) != ERR_NONE;
    size_t at = pb_begin(e->out, number);
    pb_add_varint(e->out, 1, (uint64_t)ns);
    pb_end(e->out, at);
}

static void encode_int_or_string(struct encoder *e, uint32_t number, const struct json *j)
{
    int64_t n = 0;
    json_int(j, &n);
    size_t at = pb_begin(e->out, number);
    pb_add_varint(e->out, 1, j->type == JSON_STRING);
    pb_add_varint(e->out, 2, (uint64_t)n);
    pb_add_bytes(e->out, 3, json_str(j));
    pb_end(e->out, at);
}

/* {raw=1}, nothing inside for null. */
static void encode_raw(struct encoder *e, uint32_t number, const struct json *j)
{
    size_t at = pb_begin(e->out, number);
    if (j->type != JSON_NULL) {
        size_t raw = pb_begin(e->out, 1);
        json_print(e->out, j, 0);
        pb_end(e->out, raw);
    }
    pb_end(e->out, at);
}

static void encode_list(struct encoder *e, struct schema_at items, uint32_t number, const struct json *j)
{
    for (size_t i = 0; i < json_count(j); i++)
        encode_value(e, items, number, json_at(j, i));
}

static void encode_map(struct encoder *e, struct schema_at items, uint32_t number, const struct json *j)
{
    for (uint32_t i = 0; i < json_count(j); i++) {
        size_t at = pb_begin(e->out, number);
        pb_add_bytes(e->out, 1, json_member_name(&j->v.members[i]));
        encode_value(e, items, 2, &j->v.members[i].value);
        pb_end(e->out, at);
    }
}

/* Plain fields that a normalised tree leaves out are written as their zero; lists, maps and nil bytes are nothing. */
static void encode_absent(struct encoder *e, struct schema_at at, uint32_t number)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL:
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_UINT32:
    case SCHEMA_UINT64: pb_add_varint(e->out, number, 0); break;
    case SCHEMA_DOUBLE: pb_add_double(e->out, number, 0); break;
    case SCHEMA_STRING: pb_add_bytes(e->out, number, STR_NONE); break;
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME:
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS: pb_end(e->out, pb_begin(e->out, number)); break;
    default: break;
    }
}

static void encode_fields(struct encoder *e, const struct schema *s, const struct schema_type *t,
                          const struct json *object)
{
    for (size_t i = 0; i < t->message_count; i++) {
        const struct schema_message_field *m = &s->messages[t->message_first + i];
        if (m->field == UINT16_MAX) {
            size_t at = pb_begin(e->out, m->number);
            encode_fields(e, s, &s->types[m->inlined], object);
            pb_end(e->out, at);
            continue;
        }
        const struct schema_field *f = &s->fields[t->field_first + m->field];
        struct schema_at at = schema_field_at(s, f);
        const struct json *j = json_find(object, schema_field_name(s, f));
        if (j && j->type != JSON_NULL)
            encode_value(e, at, m->number, j);
        else if (!(f->flags & SCHEMA_POINTER))
            encode_absent(e, at, m->number);
    }
}

static void encode_struct(struct encoder *e, struct schema_at at, uint32_t number, const struct json *j)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    size_t mark = pb_begin(e->out, number);
    encode_fields(e, s, t, j);
    pb_end(e->out, mark);
}

static void encode_either(struct encoder *e, struct schema_at at, uint32_t number, const struct json *j)
{
    bool or_bool = at.node->kind == SCHEMA_OR_BOOL, is_struct = j->type == JSON_OBJECT;
    size_t mark = pb_begin(e->out, number);
    if (or_bool)
        pb_add_varint(e->out, 1, is_struct || json_bool(j));
    if (is_struct)
        encode_struct(e, at, or_bool ? 2 : 1, j);
    for (size_t i = 0; j->type == JSON_ARRAY && i < j->n; i++) {
        if (at.node->kind == SCHEMA_OR_LIST)
            encode_struct(e, at, 2, json_at(j, i));
        else
            pb_add_bytes(e->out, 2, json_str(json_at(j, i)));
    }
    pb_end(e->out, mark);
}

static void encode_value(struct encoder *e, struct schema_at at, uint32_t number, const struct json *j)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: pb_add_varint(e->out, number, json_bool(j)); break;
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_UINT32:
    case SCHEMA_UINT64: {
        int64_t v = 0;
        e->failed |= !json_int(j, &v);
        pb_add_varint(e->out, number, (uint64_t)v);
        break;
    }
    case SCHEMA_DOUBLE: pb_add_double(e->out, number, j->type == JSON_INT ? (double)j->v.i : j->v.f); break;
    case SCHEMA_STRING: pb_add_bytes(e->out, number, json_str(j)); break;
    case SCHEMA_BYTES: encode_bytes(e, number, j); break;
    case SCHEMA_QUANTITY: {
        size_t mark = pb_begin(e->out, number);
        pb_add_bytes(e->out, 1, json_str(j));
        pb_end(e->out, mark);
        break;
    }
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME: encode_time(e, number, j); break;
    case SCHEMA_DURATION: encode_duration(e, number, j); break;
    case SCHEMA_INT_OR_STRING: encode_int_or_string(e, number, j); break;
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS: encode_raw(e, number, j); break;
    case SCHEMA_STRUCT: encode_struct(e, at, number, j); break;
    case SCHEMA_LIST: {
        size_t mark = at.node->flags & SCHEMA_NODE_MESSAGE ? pb_begin(e->out, number) : SIZE_MAX;
        encode_list(e, schema_items(at), mark == SIZE_MAX ? number : 1, j);
        if (mark != SIZE_MAX)
            pb_end(e->out, mark);
        break;
    }
    case SCHEMA_MAP: encode_map(e, schema_items(at), number, j); break;
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: encode_either(e, at, number, j); break;
    case SCHEMA_NONE:
    case SCHEMA_KIND_COUNT: e->failed = true; break;
    }
}

err_code message_encode(struct arena *a, const struct schema *s, const struct schema_type *t,
                        const struct json *tree, struct buf *out, struct err *err)
{
    struct encoder e = {.a = a, .out = out};
    encode_fields(&e, s, t, tree);
    if (e.failed)
        return err_set(err, ERR_INTERNAL, "could not encode a document as protobuf: it is not of type '%s'",
                       s->text + t->name);
    return buf_check(out, err);
}
