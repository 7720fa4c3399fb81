/* openapi_decode_test.c */
#include "api/openapi_decode_test.h"
#include "harness/test.h"
#include "wire/protobuf.h"

enum kind {
    TEXT = 1,
    BOOL,
    INT,
    DOUBLE,
    TEXTS,
    YAML,
    YAMLS,
    MESSAGE,
    MESSAGES,
    EXTENSION,   /* a (name, Any): becomes a member of that name */
    ENTRY,       /* a (name, message): likewise */
    TEXTS_ENTRY, /* a (name, StringArray): likewise */
    INSTEAD,     /* the message stands for what is inside */
    BOOL_INSTEAD,
};

enum message {
    NONE,
    DOCUMENT,
    INFO,
    PATHS,
    PATH_ITEM,
    OPERATION,
    PARAMETERS_ITEM,
    PARAMETER,
    BODY_PARAMETER,
    NON_BODY_PARAMETER,
    QUERY_PARAMETER,
    PATH_PARAMETER,
    REFERENCE,
    RESPONSES,
    RESPONSE_VALUE,
    RESPONSE,
    SCHEMA_ITEM,
    SCHEMA,
    ADDITIONAL_ITEM,
    ITEMS_ITEM,
    PROPERTIES,
    DEFINITIONS,
    PARAMETER_DEFINITIONS,
    SECURITY_REQUIREMENT,
    SECURITY_DEFINITIONS,
    SECURITY_ITEM,
    API_KEY,
    DOCS,
};

static const struct {
    enum message in;
    uint32_t number;
    enum kind kind;
    const char *name;
    enum message of;
} rows[] = {
    {DOCUMENT, 1, TEXT, "swagger"},
    {DOCUMENT, 2, MESSAGE, "info", INFO},
    {DOCUMENT, 8, MESSAGE, "paths", PATHS},
    {DOCUMENT, 9, MESSAGE, "definitions", DEFINITIONS},
    {DOCUMENT, 10, MESSAGE, "parameters", PARAMETER_DEFINITIONS},
    {DOCUMENT, 12, MESSAGES, "security", SECURITY_REQUIREMENT},
    {DOCUMENT, 13, MESSAGE, "securityDefinitions", SECURITY_DEFINITIONS},
    {INFO, 1, TEXT, "title"},
    {INFO, 2, TEXT, "version"},
    {PATHS, 2, ENTRY, NULL, PATH_ITEM},
    {PATH_ITEM, 2, MESSAGE, "get", OPERATION},
    {PATH_ITEM, 3, MESSAGE, "put", OPERATION},
    {PATH_ITEM, 4, MESSAGE, "post", OPERATION},
    {PATH_ITEM, 5, MESSAGE, "delete", OPERATION},
    {PATH_ITEM, 6, MESSAGE, "options", OPERATION},
    {PATH_ITEM, 7, MESSAGE, "head", OPERATION},
    {PATH_ITEM, 8, MESSAGE, "patch", OPERATION},
    {PATH_ITEM, 9, MESSAGES, "parameters", PARAMETERS_ITEM},
    {OPERATION, 1, TEXTS, "tags"},
    {OPERATION, 3, TEXT, "description"},
    {OPERATION, 5, TEXT, "operationId"},
    {OPERATION, 6, TEXTS, "produces"},
    {OPERATION, 7, TEXTS, "consumes"},
    {OPERATION, 8, MESSAGES, "parameters", PARAMETERS_ITEM},
    {OPERATION, 9, MESSAGE, "responses", RESPONSES},
    {OPERATION, 10, TEXTS, "schemes"},
    {OPERATION, 13, EXTENSION},
    {PARAMETERS_ITEM, 1, INSTEAD, NULL, PARAMETER},
    {PARAMETERS_ITEM, 2, INSTEAD, NULL, REFERENCE},
    {REFERENCE, 1, TEXT, "$ref"},
    {PARAMETER, 1, INSTEAD, NULL, BODY_PARAMETER},
    {PARAMETER, 2, INSTEAD, NULL, NON_BODY_PARAMETER},
    {BODY_PARAMETER, 1, TEXT, "description"},
    {BODY_PARAMETER, 2, TEXT, "name"},
    {BODY_PARAMETER, 3, TEXT, "in"},
    {BODY_PARAMETER, 4, BOOL, "required"},
    {BODY_PARAMETER, 5, MESSAGE, "schema", SCHEMA},
    {NON_BODY_PARAMETER, 3, INSTEAD, NULL, QUERY_PARAMETER},
    {NON_BODY_PARAMETER, 4, INSTEAD, NULL, PATH_PARAMETER},
    {QUERY_PARAMETER, 1, BOOL, "required"},
    {QUERY_PARAMETER, 2, TEXT, "in"},
    {QUERY_PARAMETER, 3, TEXT, "description"},
    {QUERY_PARAMETER, 4, TEXT, "name"},
    {QUERY_PARAMETER, 6, TEXT, "type"},
    {QUERY_PARAMETER, 20, BOOL, "uniqueItems"},
    {PATH_PARAMETER, 1, BOOL, "required"},
    {PATH_PARAMETER, 2, TEXT, "in"},
    {PATH_PARAMETER, 3, TEXT, "description"},
    {PATH_PARAMETER, 4, TEXT, "name"},
    {PATH_PARAMETER, 5, TEXT, "type"},
    {PATH_PARAMETER, 19, BOOL, "uniqueItems"},
    {RESPONSES, 1, ENTRY, NULL, RESPONSE_VALUE},
    {RESPONSE_VALUE, 1, INSTEAD, NULL, RESPONSE},
    {RESPONSE, 1, TEXT, "description"},
    {RESPONSE, 2, MESSAGE, "schema", SCHEMA_ITEM},
    {SCHEMA_ITEM, 1, INSTEAD, NULL, SCHEMA},
    {SCHEMA, 1, TEXT, "$ref"},
    {SCHEMA, 2, TEXT, "format"},
    {SCHEMA, 3, TEXT, "title"},
    {SCHEMA, 4, TEXT, "description"},
    {SCHEMA, 5, YAML, "default"},
    {SCHEMA, 6, DOUBLE, "multipleOf"},
    {SCHEMA, 7, DOUBLE, "maximum"},
    {SCHEMA, 8, BOOL, "exclusiveMaximum"},
    {SCHEMA, 9, DOUBLE, "minimum"},
    {SCHEMA, 10, BOOL, "exclusiveMinimum"},
    {SCHEMA, 11, INT, "maxLength"},
    {SCHEMA, 12, INT, "minLength"},
    {SCHEMA, 13, TEXT, "pattern"},
    {SCHEMA, 14, INT, "maxItems"},
    {SCHEMA, 15, INT, "minItems"},
    {SCHEMA, 16, BOOL, "uniqueItems"},
    {SCHEMA, 17, INT, "maxProperties"},
    {SCHEMA, 18, INT, "minProperties"},
    {SCHEMA, 19, TEXTS, "required"},
    {SCHEMA, 20, YAMLS, "enum"},
    {SCHEMA, 21, MESSAGE, "additionalProperties", ADDITIONAL_ITEM},
    {SCHEMA, 22, MESSAGE, "type", NONE}, /* TypeItem: see decode_type */
    {SCHEMA, 23, MESSAGE, "items", ITEMS_ITEM},
    {SCHEMA, 25, MESSAGE, "properties", PROPERTIES},
    {SCHEMA, 29, MESSAGE, "externalDocs", DOCS},
    {SCHEMA, 30, YAML, "example"},
    {SCHEMA, 31, EXTENSION},
    {DOCS, 1, TEXT, "description"},
    {DOCS, 2, TEXT, "url"},
    {ADDITIONAL_ITEM, 1, INSTEAD, NULL, SCHEMA},
    {ADDITIONAL_ITEM, 2, BOOL_INSTEAD},
    {ITEMS_ITEM, 1, INSTEAD, NULL, SCHEMA},
    {PROPERTIES, 1, ENTRY, NULL, SCHEMA},
    {DEFINITIONS, 1, ENTRY, NULL, SCHEMA},
    {PARAMETER_DEFINITIONS, 1, ENTRY, NULL, PARAMETER},
    {SECURITY_REQUIREMENT, 1, TEXTS_ENTRY},
    {SECURITY_DEFINITIONS, 1, ENTRY, NULL, SECURITY_ITEM},
    {SECURITY_ITEM, 2, INSTEAD, NULL, API_KEY},
    {API_KEY, 1, TEXT, "type"},
    {API_KEY, 2, TEXT, "name"},
    {API_KEY, 3, TEXT, "in"},
    {API_KEY, 4, TEXT, "description"},
};

static struct json decode(struct arena *a, enum message m, str bytes);

/* Any: only its text is used. */
static struct json decode_any(struct arena *a, str bytes)
{
    struct pb_reader r;
    struct json j = json_null();
    pb_reader_init(&r, bytes);
    while (pb_next(&r)) {
        CHECK_EQ(r.field, 2);
        CHECK_OK(json_parse(a, pb_bytes(&r), NULL, &j, &e));
    }
    CHECK_OK(pb_check(&r, &e));
    return j;
}

static struct json decode_texts(struct arena *a, str bytes)
{
    struct pb_reader r;
    struct json list = json_array();
    pb_reader_init(&r, bytes);
    while (pb_next(&r)) {
        CHECK_EQ(r.field, 1);
        json_append(a, &list, json_of_str(pb_bytes(&r)));
    }
    CHECK_OK(pb_check(&r, &e));
    return list;
}

/* One type is text, several are a list. */
static struct json decode_type(struct arena *a, str bytes)
{
    struct json list = decode_texts(a, bytes);
    return json_count(&list) == 1 ? *json_at(&list, 0) : list;
}

static void decode_entry(struct arena *a, struct json *to, enum kind kind, enum message of, str bytes)
{
    struct pb_reader r;
    str name = STR_NONE, value = STR_NONE;
    pb_reader_init(&r, bytes);
    while (pb_next(&r)) {
        CHECK(r.field == 1 || r.field == 2);
        if (r.field == 1)
            name = pb_bytes(&r);
        else
            value = pb_bytes(&r);
    }
    CHECK_OK(pb_check(&r, &e));
    CHECK(!json_find(to, name));
    json_set(a, to, name,
             kind == ENTRY         ? decode(a, of, value)
             : kind == TEXTS_ENTRY ? decode_texts(a, value)
                                   : decode_any(a, value));
}

static void append(struct arena *a, struct json *to, const char *name, struct json item)
{
    struct json *list = json_find(to, str_from_c(name));
    if (!list)
        list = json_set(a, to, str_from_c(name), json_array());
    json_append(a, list, item);
}

static struct json of_double(double f)
{
    bool whole = f > -1e15 && f < 1e15 && f == (double)(int64_t)f;
    return whole ? json_of_int((int64_t)f) : json_of_float(f);
}

static void decode_field(struct arena *a, struct pb_reader *r, size_t row, struct json *to)
{
    str name = str_from_c(rows[row].name);
    enum message of = rows[row].of;
    switch (rows[row].kind) {
    case TEXT: json_set(a, to, name, json_of_str(pb_bytes(r))); break;
    case BOOL: json_set(a, to, name, json_of_bool(pb_varint(r))); break;
    case INT: json_set(a, to, name, json_of_int((int64_t)pb_varint(r))); break;
    case DOUBLE: json_set(a, to, name, of_double(pb_double(r))); break;
    case TEXTS: append(a, to, rows[row].name, json_of_str(pb_bytes(r))); break;
    case YAML: json_set(a, to, name, decode_any(a, pb_bytes(r))); break;
    case YAMLS: append(a, to, rows[row].name, decode_any(a, pb_bytes(r))); break;
    case MESSAGE: json_set(a, to, name, of ? decode(a, of, pb_bytes(r)) : decode_type(a, pb_bytes(r))); break;
    case MESSAGES: append(a, to, rows[row].name, decode(a, of, pb_bytes(r))); break;
    case EXTENSION:
    case TEXTS_ENTRY:
    case ENTRY: decode_entry(a, to, rows[row].kind, of, pb_bytes(r)); break;
    case INSTEAD: *to = decode(a, of, pb_bytes(r)); break;
    case BOOL_INSTEAD: *to = json_of_bool(pb_varint(r)); break;
    }
}

static struct json decode(struct arena *a, enum message m, str bytes)
{
    struct pb_reader r;
    struct json to = json_object();
    pb_reader_init(&r, bytes);
    while (pb_next(&r)) {
        size_t row = 0;
        while (row < ARRAY_COUNT(rows) && (rows[row].in != m || rows[row].number != r.field))
            row++;
        if (row == ARRAY_COUNT(rows))
            FAIL("message %d has no field %u", (int)m, r.field);
        decode_field(a, &r, row, &to);
    }
    CHECK_OK(pb_check(&r, &e));
    return to;
}

struct json openapi_decode(struct arena *a, str bytes)
{
    return decode(a, DOCUMENT, bytes);
}

struct json openapi_decode_schema(struct arena *a, str bytes)
{
    return decode(a, SCHEMA, bytes);
}
