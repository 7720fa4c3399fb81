/* openapi_protobuf.c - OpenAPI v2 from JSON to gnostic's protobuf form (openapi.v2.Document), by table.
 * The form is the JSON's with names made to numbers, but for a few places: maps are lists of (name, value), a value that may
 * be one thing or another is a message that says which, and what has no type of its own (defaults, enums, extensions) is
 * text. That text is YAML; JSON is YAML. */
#include "api/openapi_priv.h"
#include "wire/protobuf.h"

enum form {
    FORM_STRING,
    FORM_BOOL,
    FORM_INT,
    FORM_DOUBLE,
    FORM_STRINGS, /* repeated string */
    FORM_TYPE,    /* text or a list of texts: TypeItem{value=1} */
    FORM_ANY,     /* Any{yaml=2} */
    FORM_ANYS,    /* repeated Any */
    FORM_MESSAGE, /* of `table` */

    FORM_WRAPPED,    /* a message whose field 1 is one of `table` */
    FORM_NAMED,      /* a message whose field 1 is repeated (name, message of `table`) */
    FORM_RESPONSES,  /* the same, each value wrapped once more */
    FORM_ADDITIONAL, /* a schema (1) or a boolean (2) */
    FORM_PARAMETERS,
    FORM_NAMED_PARAMETERS,
    FORM_SECURITY,
    FORM_SECURITY_DEFINITIONS,
};

enum message_table {
    TABLE_NONE,
    TABLE_DOCUMENT,
    TABLE_INFO,
    TABLE_SCHEMA,
    TABLE_DOCS,
    TABLE_PATH,
    TABLE_OPERATION,
    TABLE_RESPONSE,
    TABLE_BODY_PARAMETER,
    TABLE_QUERY_PARAMETER,
    TABLE_PATH_PARAMETER,
    TABLE_API_KEY,
    TABLE_COUNT,
};

struct field {
    str name;
    uint8_t number, form, table;
};

static const struct field document_fields[] = {
    {S_INIT("swagger"), 1, FORM_STRING, 0},
    {S_INIT("info"), 2, FORM_MESSAGE, TABLE_INFO},
    {S_INIT("parameters"), 10, FORM_NAMED_PARAMETERS, 0},
    {S_INIT("security"), 12, FORM_SECURITY, 0},
    {S_INIT("securityDefinitions"), 13, FORM_SECURITY_DEFINITIONS, 0},
};
static const struct field info_fields[] = {
    {S_INIT("title"), 1, FORM_STRING, 0},
    {S_INIT("version"), 2, FORM_STRING, 0},
};
static const struct field schema_fields[] = {
    {S_INIT("$ref"), 1, FORM_STRING, 0},
    {S_INIT("format"), 2, FORM_STRING, 0},
    {S_INIT("title"), 3, FORM_STRING, 0},
    {S_INIT("description"), 4, FORM_STRING, 0},
    {S_INIT("default"), 5, FORM_ANY, 0},
    {S_INIT("multipleOf"), 6, FORM_DOUBLE, 0},
    {S_INIT("maximum"), 7, FORM_DOUBLE, 0},
    {S_INIT("exclusiveMaximum"), 8, FORM_BOOL, 0},
    {S_INIT("minimum"), 9, FORM_DOUBLE, 0},
    {S_INIT("exclusiveMinimum"), 10, FORM_BOOL, 0},
    {S_INIT("maxLength"), 11, FORM_INT, 0},
    {S_INIT("minLength"), 12, FORM_INT, 0},
    {S_INIT("pattern"), 13, FORM_STRING, 0},
    {S_INIT("maxItems"), 14, FORM_INT, 0},
    {S_INIT("minItems"), 15, FORM_INT, 0},
    {S_INIT("uniqueItems"), 16, FORM_BOOL, 0},
    {S_INIT("maxProperties"), 17, FORM_INT, 0},
    {S_INIT("minProperties"), 18, FORM_INT, 0},
    {S_INIT("required"), 19, FORM_STRINGS, 0},
    {S_INIT("enum"), 20, FORM_ANYS, 0},
    {S_INIT("additionalProperties"), 21, FORM_ADDITIONAL, TABLE_SCHEMA},
    {S_INIT("type"), 22, FORM_TYPE, 0},
    {S_INIT("items"), 23, FORM_WRAPPED, TABLE_SCHEMA},
    {S_INIT("properties"), 25, FORM_NAMED, TABLE_SCHEMA},
    {S_INIT("externalDocs"), 29, FORM_MESSAGE, TABLE_DOCS},
    {S_INIT("example"), 30, FORM_ANY, 0},
};
static const struct field docs_fields[] = {
    {S_INIT("description"), 1, FORM_STRING, 0},
    {S_INIT("url"), 2, FORM_STRING, 0},
};
static const struct field path_fields[] = {
    {S_INIT("get"), 2, FORM_MESSAGE, TABLE_OPERATION},
    {S_INIT("put"), 3, FORM_MESSAGE, TABLE_OPERATION},
    {S_INIT("post"), 4, FORM_MESSAGE, TABLE_OPERATION},
    {S_INIT("delete"), 5, FORM_MESSAGE, TABLE_OPERATION},
    {S_INIT("options"), 6, FORM_MESSAGE, TABLE_OPERATION},
    {S_INIT("head"), 7, FORM_MESSAGE, TABLE_OPERATION},
    {S_INIT("patch"), 8, FORM_MESSAGE, TABLE_OPERATION},
    {S_INIT("parameters"), 9, FORM_PARAMETERS, 0},
};
static const struct field operation_fields[] = {
    {S_INIT("tags"), 1, FORM_STRINGS, 0},
    {S_INIT("description"), 3, FORM_STRING, 0},
    {S_INIT("operationId"), 5, FORM_STRING, 0},
    {S_INIT("produces"), 6, FORM_STRINGS, 0},
    {S_INIT("consumes"), 7, FORM_STRINGS, 0},
    {S_INIT("parameters"), 8, FORM_PARAMETERS, 0},
    {S_INIT("responses"), 9, FORM_RESPONSES, TABLE_RESPONSE},
    {S_INIT("schemes"), 10, FORM_STRINGS, 0},
};
static const struct field response_fields[] = {
    {S_INIT("description"), 1, FORM_STRING, 0},
    {S_INIT("schema"), 2, FORM_WRAPPED, TABLE_SCHEMA},
};
static const struct field body_parameter_fields[] = {
    {S_INIT("description"), 1, FORM_STRING, 0},
    {S_INIT("name"), 2, FORM_STRING, 0},
    {S_INIT("in"), 3, FORM_STRING, 0},
    {S_INIT("required"), 4, FORM_BOOL, 0},
    {S_INIT("schema"), 5, FORM_MESSAGE, TABLE_SCHEMA},
};
static const struct field query_parameter_fields[] = {
    {S_INIT("required"), 1, FORM_BOOL, 0},      {S_INIT("in"), 2, FORM_STRING, 0},
    {S_INIT("description"), 3, FORM_STRING, 0}, {S_INIT("name"), 4, FORM_STRING, 0},
    {S_INIT("type"), 6, FORM_STRING, 0},        {S_INIT("uniqueItems"), 20, FORM_BOOL, 0},
};
static const struct field path_parameter_fields[] = {
    {S_INIT("required"), 1, FORM_BOOL, 0},      {S_INIT("in"), 2, FORM_STRING, 0},
    {S_INIT("description"), 3, FORM_STRING, 0}, {S_INIT("name"), 4, FORM_STRING, 0},
    {S_INIT("type"), 5, FORM_STRING, 0},        {S_INIT("uniqueItems"), 19, FORM_BOOL, 0},
};
static const struct field api_key_fields[] = {
    {S_INIT("type"), 1, FORM_STRING, 0},
    {S_INIT("name"), 2, FORM_STRING, 0},
    {S_INIT("in"), 3, FORM_STRING, 0},
    {S_INIT("description"), 4, FORM_STRING, 0},
};

#define FIELDS(list) (list), ARRAY_COUNT(list)
static const struct {
    const struct field *fields;
    size_t count;
    uint32_t extensions; /* repeated NamedAny: members called x-...; 0: none */
} tables[TABLE_COUNT] = {
    [TABLE_DOCUMENT] = {FIELDS(document_fields), 16},
    [TABLE_INFO] = {FIELDS(info_fields), 7},
    [TABLE_SCHEMA] = {FIELDS(schema_fields), 31},
    [TABLE_DOCS] = {FIELDS(docs_fields), 3},
    [TABLE_PATH] = {FIELDS(path_fields), 10},
    [TABLE_OPERATION] = {FIELDS(operation_fields), 13},
    [TABLE_RESPONSE] = {FIELDS(response_fields), 5},
    [TABLE_BODY_PARAMETER] = {FIELDS(body_parameter_fields), 6},
    [TABLE_QUERY_PARAMETER] = {FIELDS(query_parameter_fields), 23},
    [TABLE_PATH_PARAMETER] = {FIELDS(path_parameter_fields), 22},
    [TABLE_API_KEY] = {FIELDS(api_key_fields), 5},
};

enum { NAMED_NAME = 1, NAMED_VALUE = 2, ANY_YAML = 2 };

static const struct field *field_find(enum message_table table, str name)
{
    for (size_t i = 0; i < tables[table].count; i++)
        if (str_eq(tables[table].fields[i].name, name))
            return &tables[table].fields[i];
    return NULL;
}

static void add_message(struct buf *out, enum message_table table, struct json_reader *r);

static void add_any(struct buf *out, uint32_t number, struct json_reader *r)
{
    size_t at = pb_begin(out, number);
    pb_add_bytes(out, ANY_YAML, json_skip(r));
    pb_end(out, at);
}

/* A schema from outside may have anything anywhere. What does not fit is left out. */
static bool leave_out(struct json_reader *r, bool fits)
{
    if (!fits)
        json_skip(r);
    return !fits;
}

static void add_text(struct buf *out, uint32_t number, struct json_reader *r)
{
    if (leave_out(r, json_peek(r) == JSON_STRING))
        return;
    struct json s = json_read_scalar(r);
    pb_add_bytes(out, number, json_str(&s));
}

static void add_strings(struct buf *out, uint32_t number, struct json_reader *r)
{
    if (leave_out(r, json_peek(r) == JSON_ARRAY))
        return;
    json_enter_array(r);
    while (json_next_item(r))
        add_text(out, number, r);
}

static void add_type(struct buf *out, uint32_t number, struct json_reader *r)
{
    size_t at = pb_begin(out, number);
    if (json_peek(r) == JSON_ARRAY)
        add_strings(out, 1, r);
    else
        add_text(out, 1, r);
    pb_end(out, at);
}

static double number_of(const struct json *j)
{
    return j->type == JSON_INT ? (double)j->v.i : j->type == JSON_FLOAT ? j->v.f : 0;
}

static void add_scalar(struct buf *out, const struct field *f, struct json_reader *r)
{
    if (leave_out(r, json_peek(r) < JSON_ARRAY))
        return;
    struct json v = json_read_scalar(r);
    if (f->form == FORM_BOOL)
        pb_add_varint(out, f->number, json_bool(&v));
    else if (f->form == FORM_INT)
        pb_add_varint(out, f->number, v.type == JSON_INT ? (uint64_t)v.v.i : 0);
    else
        pb_add_double(out, f->number, number_of(&v));
}

/* --- parameters: which of four messages it is shows only inside --- */

static str member_text(struct json_reader *outer, str object, str name)
{
    struct json_reader r;
    str member;
    json_reader_init(&r, outer->arena, object, outer->err);
    json_enter_object(&r);
    while (json_next_member(&r, &member)) {
        if (str_eq(member, name)) {
            struct json v = json_read_scalar(&r);
            return json_str(&v);
        }
        json_skip(&r);
    }
    return STR_NONE;
}

static void add_from_text(struct buf *out, uint32_t number, enum message_table table,
                          struct json_reader *outer, str text)
{
    struct json_reader r;
    json_reader_init(&r, outer->arena, text, outer->err);
    size_t at = pb_begin(out, number);
    add_message(out, table, &r);
    pb_end(out, at);
}

/* Parameter{body_parameter=1, non_body_parameter=2{query=3, path=4}} */
static void add_parameter(struct buf *out, struct json_reader *r, str text)
{
    str in = member_text(r, text, S("in"));
    if (str_is(in, "body")) {
        add_from_text(out, 1, TABLE_BODY_PARAMETER, r, text);
        return;
    }
    size_t at = pb_begin(out, 2);
    if (str_is(in, "path"))
        add_from_text(out, 4, TABLE_PATH_PARAMETER, r, text);
    else
        add_from_text(out, 3, TABLE_QUERY_PARAMETER, r, text);
    pb_end(out, at);
}

/* repeated ParametersItem{parameter=1, json_reference=2{_ref=1}} */
static void add_parameters(struct buf *out, uint32_t number, struct json_reader *r)
{
    if (leave_out(r, json_peek(r) == JSON_ARRAY))
        return;
    json_enter_array(r);
    while (json_next_item(r)) {
        str text = json_skip(r), ref = member_text(r, text, S("$ref"));
        size_t item = pb_begin(out, number);
        size_t inner = pb_begin(out, ref.n ? 2 : 1);
        if (ref.n)
            pb_add_bytes(out, 1, ref);
        else
            add_parameter(out, r, text);
        pb_end(out, inner);
        pb_end(out, item);
    }
}

/* --- maps --- */

/* One entry: `wraps` messages around the value, each with it as field 1. */
static void add_entry(struct buf *out, str name, enum message_table table, unsigned wraps,
                      struct json_reader *r)
{
    size_t entry = pb_begin(out, 1);
    pb_add_bytes(out, NAMED_NAME, name);
    size_t value = pb_begin(out, NAMED_VALUE);
    size_t wrap = wraps ? pb_begin(out, 1) : 0;
    add_message(out, table, r);
    if (wraps)
        pb_end(out, wrap);
    pb_end(out, value);
    pb_end(out, entry);
}

static void add_named(struct buf *out, const struct field *f, struct json_reader *r)
{
    str name;
    if (leave_out(r, json_peek(r) == JSON_OBJECT))
        return;
    size_t at = pb_begin(out, f->number);
    json_enter_object(r);
    while (json_next_member(r, &name))
        add_entry(out, name, f->table, f->form == FORM_RESPONSES, r);
    pb_end(out, at);
}

static void add_named_parameters(struct buf *out, uint32_t number, struct json_reader *r)
{
    str name;
    size_t at = pb_begin(out, number);
    json_enter_object(r);
    while (json_next_member(r, &name)) {
        size_t entry = pb_begin(out, 1);
        pb_add_bytes(out, NAMED_NAME, name);
        size_t value = pb_begin(out, NAMED_VALUE);
        add_parameter(out, r, json_skip(r));
        pb_end(out, value);
        pb_end(out, entry);
    }
    pb_end(out, at);
}

/* repeated SecurityRequirement{repeated NamedStringArray{name, StringArray{value}}=1} */
static void add_security(struct buf *out, uint32_t number, struct json_reader *r)
{
    str name;
    json_enter_array(r);
    while (json_next_item(r)) {
        size_t item = pb_begin(out, number);
        json_enter_object(r);
        while (json_next_member(r, &name)) {
            size_t entry = pb_begin(out, 1);
            pb_add_bytes(out, NAMED_NAME, name);
            size_t value = pb_begin(out, NAMED_VALUE);
            add_strings(out, 1, r);
            pb_end(out, value);
            pb_end(out, entry);
        }
        pb_end(out, item);
    }
}

/* SecurityDefinitions{repeated (name, SecurityDefinitionsItem{api_key_security=2})=1} */
static void add_security_definitions(struct buf *out, uint32_t number, struct json_reader *r)
{
    str name;
    size_t at = pb_begin(out, number);
    json_enter_object(r);
    while (json_next_member(r, &name)) {
        size_t entry = pb_begin(out, 1);
        pb_add_bytes(out, NAMED_NAME, name);
        size_t value = pb_begin(out, NAMED_VALUE);
        size_t key = pb_begin(out, 2);
        add_message(out, TABLE_API_KEY, r);
        pb_end(out, key);
        pb_end(out, value);
        pb_end(out, entry);
    }
    pb_end(out, at);
}

/* --- any message --- */

static void add_anys(struct buf *out, uint32_t number, struct json_reader *r)
{
    if (leave_out(r, json_peek(r) == JSON_ARRAY))
        return;
    json_enter_array(r);
    while (json_next_item(r))
        add_any(out, number, r);
}

static void add_submessage(struct buf *out, uint32_t number, enum message_table table, struct json_reader *r)
{
    size_t at = pb_begin(out, number);
    add_message(out, table, r);
    pb_end(out, at);
}

static void add_additional(struct buf *out, const struct field *f, struct json_reader *r)
{
    size_t at = pb_begin(out, f->number);
    if (json_peek(r) == JSON_OBJECT) {
        add_submessage(out, 1, f->table, r);
    } else {
        bool is_true = json_peek(r) == JSON_TRUE;
        json_skip(r);
        pb_add_varint(out, 2, is_true);
    }
    pb_end(out, at);
}

static void add_wrapped(struct buf *out, const struct field *f, struct json_reader *r)
{
    size_t at = pb_begin(out, f->number);
    add_submessage(out, 1, f->table, r);
    pb_end(out, at);
}

static void add_field(struct buf *out, const struct field *f, struct json_reader *r)
{
    switch ((enum form)f->form) {
    case FORM_STRING: add_text(out, f->number, r); break;
    case FORM_BOOL:
    case FORM_INT:
    case FORM_DOUBLE: add_scalar(out, f, r); break;
    case FORM_STRINGS: add_strings(out, f->number, r); break;
    case FORM_TYPE: add_type(out, f->number, r); break;
    case FORM_ANY: add_any(out, f->number, r); break;
    case FORM_ANYS: add_anys(out, f->number, r); break;
    case FORM_MESSAGE: add_submessage(out, f->number, f->table, r); break;
    case FORM_WRAPPED: add_wrapped(out, f, r); break;
    case FORM_NAMED:
    case FORM_RESPONSES: add_named(out, f, r); break;
    case FORM_ADDITIONAL: add_additional(out, f, r); break;
    case FORM_PARAMETERS: add_parameters(out, f->number, r); break;
    case FORM_NAMED_PARAMETERS: add_named_parameters(out, f->number, r); break;
    case FORM_SECURITY: add_security(out, f->number, r); break;
    case FORM_SECURITY_DEFINITIONS: add_security_definitions(out, f->number, r); break;
    }
}

static void add_extension(struct buf *out, uint32_t number, str name, struct json_reader *r)
{
    size_t at = pb_begin(out, number);
    pb_add_bytes(out, NAMED_NAME, name);
    add_any(out, NAMED_VALUE, r);
    pb_end(out, at);
}

/* As deep as the document, which the reader bounds. */
static void add_message(struct buf *out, enum message_table table, struct json_reader *r)
{
    str name;
    if (leave_out(r, json_peek(r) == JSON_OBJECT))
        return;
    json_enter_object(r);
    while (json_next_member(r, &name)) {
        const struct field *f = field_find(table, name);
        if (f)
            add_field(out, f, r);
        else if (str_starts(name, S("x-")))
            add_extension(out, tables[table].extensions, name, r);
        else
            json_skip(r); /* the form has no place for it */
    }
}

void openapi_to_protobuf(struct buf *out, enum openapi_message which, str json)
{
    static const enum message_table of[] = {
        [OPENAPI_MESSAGE_DOCUMENT] = TABLE_DOCUMENT,
        [OPENAPI_MESSAGE_SCHEMA] = TABLE_SCHEMA,
        [OPENAPI_MESSAGE_PATH] = TABLE_PATH,
    };
    CLEANUP(arena_done) struct arena a;
    struct err err = ERR_INIT;
    struct json_reader r;
    arena_init(&a, 0);
    json_reader_init(&r, &a, json, &err);
    add_message(out, of[which], &r);
    err_ignore(json_reader_end(&r)); /* our own text: what could not be read is left out */
}
