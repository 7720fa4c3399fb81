/* scalar.c - text forms of Kubernetes' scalars; Go's names for types. */
#include "api/scalar.h"
#include "base/base64.h"
#include "base/int_or_string.h"
#include "base/kube_time.h"
#include "base/quantity.h"

enum { SCALAR_TEXT_MAX = 1 << 10 };

str scalar_json_name(const struct json *j)
{
    static const str names[] = {
        [JSON_NULL] = S_INIT("null"),   [JSON_FALSE] = S_INIT("bool"),    [JSON_TRUE] = S_INIT("bool"),
        [JSON_INT] = S_INIT("number"),  [JSON_FLOAT] = S_INIT("number"),  [JSON_STRING] = S_INIT("string"),
        [JSON_ARRAY] = S_INIT("array"), [JSON_OBJECT] = S_INIT("object"),
    };
    return names[j->type];
}

/* These scalars decode themselves in the original, so that its message does not know the field; a number shows where one
 * was expected, but of another kind. */
static enum scalar_result not_of(struct arena *a, const struct json *in, const char *go_type, struct err *err)
{
    struct buf b;
    buf_init_arena(&b, a, SCALAR_TEXT_MAX);
    bool is_number = in->type == JSON_INT || in->type == JSON_FLOAT;
    if (is_number && strcmp(go_type, "int32") == 0) {
        buf_add_c(&b, ' ');
        json_print(&b, in, 0);
    }
    str name = scalar_json_name(in), shown = buf_str(&b);
    err_set(err, ERR_BAD_REQUEST, "json: cannot unmarshal %" STR_FMT "%" STR_FMT " into Go value of type %s",
            STR_ARG(name), STR_ARG(shown), go_type);
    return SCALAR_INVALID;
}

static enum scalar_result as_text(struct buf *b, struct json *ret)
{
    *ret = json_of_str(buf_str(b));
    return SCALAR_OK;
}

static enum scalar_result canonical_bytes(struct arena *a, const struct json *in, struct json *ret,
                                          struct err *err)
{
    struct buf decoded, encoded;
    buf_init_arena(&decoded, a, in->n + 1u);
    if (base64_decode(&decoded, json_str(in), BASE64_STD, err))
        return SCALAR_INVALID;
    /* Encoded again: line ends and stray bits behind the last byte go away. */
    buf_init_arena(&encoded, a, base64_encoded_size(decoded.n, BASE64_STD));
    base64_encode(&encoded, buf_str(&decoded), BASE64_STD);
    return as_text(&encoded, ret);
}

static enum scalar_result canonical_quantity(struct arena *a, const struct json *in, struct json *ret,
                                             struct err *err)
{
    str text = json_str(in);
    /* Whatever is not text is read as it is written: 1 is 1, and true is refused for its letters. */
    if (in->type != JSON_STRING) {
        struct buf number;
        buf_init_arena(&number, a, SCALAR_TEXT_MAX);
        json_print(&number, in, 0);
        text = buf_str(&number);
    }
    struct quantity q;
    if (quantity_parse(a, text, &q, err))
        return SCALAR_INVALID;
    struct buf b;
    buf_init_arena(&b, a, SCALAR_TEXT_MAX);
    quantity_format(&b, &q);
    return as_text(&b, ret);
}

static enum scalar_result canonical_time(struct arena *a, const struct json *in, bool micro, struct json *ret,
                                         struct err *err)
{
    struct kube_time t;
    if (micro ? kube_micro_time_parse(json_str(in), &t, err) : kube_time_parse(json_str(in), &t, err))
        return SCALAR_INVALID;
    if (kube_time_is_zero(t)) {
        *ret = json_null();
        return SCALAR_OK;
    }
    struct buf b;
    buf_init_arena(&b, a, SCALAR_TEXT_MAX);
    if (micro)
        kube_micro_time_format(&b, t);
    else
        kube_time_format(&b, t);
    return as_text(&b, ret);
}

static enum scalar_result canonical_duration(struct arena *a, const struct json *in, struct json *ret,
                                             struct err *err)
{
    int64_t ns;
    if (duration_parse(json_str(in), &ns, err))
        return SCALAR_INVALID;
    struct buf b;
    buf_init_arena(&b, a, SCALAR_TEXT_MAX);
    duration_format(&b, ns);
    return as_text(&b, ret);
}

static enum scalar_result canonical_int_or_string(struct arena *a, const struct json *in, struct json *ret,
                                                  struct err *err)
{
    bool fits = in->type == JSON_INT && in->v.i >= INT32_MIN && in->v.i <= INT32_MAX;
    if (in->type != JSON_STRING && !fits)
        return not_of(a, in, "int32", err);
    *ret = *in;
    return SCALAR_OK;
}

enum scalar_result scalar_canonical(struct arena *a, enum schema_kind kind, const struct json *in,
                                    struct json *ret, struct err *err)
{
    bool text_only = kind == SCHEMA_TIME || kind == SCHEMA_MICRO_TIME || kind == SCHEMA_DURATION;
    if (kind == SCHEMA_BYTES && in->type != JSON_STRING)
        return SCALAR_WRONG_TYPE;
    if (text_only && in->type != JSON_STRING)
        return not_of(a, in, "string", err);
    enum scalar_result result;
    switch (kind) {
    case SCHEMA_BYTES: result = canonical_bytes(a, in, ret, err); break;
    case SCHEMA_QUANTITY: result = canonical_quantity(a, in, ret, err); break;
    case SCHEMA_TIME: result = canonical_time(a, in, false, ret, err); break;
    case SCHEMA_MICRO_TIME: result = canonical_time(a, in, true, ret, err); break;
    case SCHEMA_DURATION: result = canonical_duration(a, in, ret, err); break;
    case SCHEMA_INT_OR_STRING: result = canonical_int_or_string(a, in, ret, err); break;
    default: ASSERT(!"a scalar with a text form");
    }
    if (result == SCALAR_INVALID)
        err->code = ERR_BAD_REQUEST;
    return result;
}

bool scalar_json_fits(enum schema_kind kind, const struct json *j)
{
    switch (kind) {
    case SCHEMA_BOOL: return j->type == JSON_TRUE || j->type == JSON_FALSE;
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_UINT32:
    case SCHEMA_UINT64: return j->type == JSON_INT;
    case SCHEMA_DOUBLE: return j->type == JSON_INT || j->type == JSON_FLOAT;
    case SCHEMA_STRING:
    case SCHEMA_BYTES:
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME:
    case SCHEMA_DURATION: return j->type == JSON_STRING;
    case SCHEMA_QUANTITY:
    case SCHEMA_INT_OR_STRING: return j->type == JSON_STRING || j->type == JSON_INT;
    case SCHEMA_OBJECT:
    case SCHEMA_FIELDS:
    case SCHEMA_STRUCT:
    case SCHEMA_MAP: return j->type == JSON_OBJECT;
    case SCHEMA_LIST: return j->type == JSON_ARRAY;
    case SCHEMA_OR_BOOL: return j->type == JSON_OBJECT || j->type == JSON_TRUE || j->type == JSON_FALSE;
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: return j->type == JSON_OBJECT || j->type == JSON_ARRAY;
    case SCHEMA_ANY:
    case SCHEMA_NONE:
    case SCHEMA_KIND_COUNT: return true;
    }
    return true;
}

/* Go qualifies a type with the last part of its package's path: "v1". */
static void add_go_name(struct buf *out, const struct schema *s, uint16_t package, uint32_t name)
{
    str path = schema_text(s, s->packages[package].name);
    size_t slash = str_rindex_c(path, '/');
    buf_add(out, slash == SIZE_MAX ? path : str_from(path, slash + 1));
    buf_add_c(out, '.');
    buf_add(out, schema_text(s, name));
}

void scalar_add_go_type(struct buf *out, struct schema_at at)
{
    static const char *const names[SCHEMA_KIND_COUNT] = {
        [SCHEMA_BOOL] = "bool",
        [SCHEMA_INT32] = "int32",
        [SCHEMA_INT64] = "int64",
        [SCHEMA_UINT32] = "uint32",
        [SCHEMA_UINT64] = "uint64",
        [SCHEMA_DOUBLE] = "float64",
        [SCHEMA_STRING] = "string",
        [SCHEMA_BYTES] = "[]uint8",
        [SCHEMA_QUANTITY] = "resource.Quantity",
        [SCHEMA_TIME] = "v1.Time",
        [SCHEMA_MICRO_TIME] = "v1.MicroTime",
        [SCHEMA_DURATION] = "v1.Duration",
        [SCHEMA_INT_OR_STRING] = "intstr.IntOrString",
        [SCHEMA_OBJECT] = "runtime.RawExtension",
        [SCHEMA_ANY] = "v1.JSON",
        [SCHEMA_FIELDS] = "v1.FieldsV1",
        [SCHEMA_OR_BOOL] = "v1.JSONSchemaPropsOrBool",
        [SCHEMA_OR_LIST] = "v1.JSONSchemaPropsOrArray",
        [SCHEMA_OR_STRINGS] = "v1.JSONSchemaPropsOrStringArray",
    };
    enum schema_kind kind = (enum schema_kind)at.node->kind;
    const struct schema *s;
    if (kind == SCHEMA_LIST || kind == SCHEMA_MAP) {
        buf_add(out, kind == SCHEMA_LIST ? S("[]") : S("map[string]"));
        scalar_add_go_type(out, schema_items(at));
    } else if (kind == SCHEMA_STRUCT) {
        const struct schema_type *t = schema_struct(at, &s);
        add_go_name(out, s, t->package, t->name);
    } else if (kind == SCHEMA_STRING && at.node->ref) {
        s = schema_of_ref(at.schema, at.node);
        const struct schema_enum *e = &s->enums[at.node->ref - 1];
        add_go_name(out, s, e->package, e->name);
    } else {
        buf_add(out, str_from_c(names[kind]));
    }
}
