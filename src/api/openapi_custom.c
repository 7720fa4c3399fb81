/* openapi_custom.c - a custom kind's schema as a definition.
 * The definition's own document is what is published, with the members that every object has. v2 can say less: values that
 * may be null or have unknown members lose their type or their members there, because kubectl would refuse what the server
 * takes; alternatives (oneOf and the like) and defaults are left out.
 * Most schemas need no such care below their root: their text is then copied, not read into a tree. */
#include "api/openapi_priv.h"

enum {
    DOCUMENT_ARENA_MAX = 256 << 20, /* of one schema as a tree: the text is at most 3 MiB */
};

static bool is_true(const struct json *schema, str name)
{
    return json_bool(json_find(schema, name));
}

/* --- what v2 cannot say --- */

/* Without `name` in "required". */
static void drop_required(struct json *schema, str name)
{
    struct json *required = json_find(schema, S("required"));
    for (size_t i = json_count(required); i-- > 0;)
        if (str_eq(json_str(json_at(required, i)), name))
            json_remove_at(required, i);
    if (required && json_count(required) == 0)
        json_remove(schema, S("required"));
}

static void strip_for_v2(struct json *schema)
{
    static const str unsaid[] = {S_INIT("allOf"), S_INIT("anyOf"),   S_INIT("oneOf"),
                                 S_INIT("not"),   S_INIT("default"), S_INIT("nullable")};
    bool nullable = is_true(schema, S("nullable"));
    for (size_t i = 0; i < ARRAY_COUNT(unsaid); i++)
        json_remove(schema, unsaid[i]);
    if (nullable)
        json_remove(schema, S("type"));
    if (nullable || is_true(schema, S("x-kubernetes-preserve-unknown-fields"))) {
        json_remove(schema, S("items"));
        json_remove(schema, S("properties"));
    }
    if (str_is(json_str(json_find(schema, S("type"))), "array") && !json_find(schema, S("items")))
        json_remove(schema, S("type"));
    const struct json *properties = json_find(schema, S("properties"));
    for (size_t i = 0; i < json_count(properties); i++)
        if (is_true(&properties->v.members[i].value, S("nullable")))
            drop_required(schema, json_member_name(&properties->v.members[i]));
    if (is_true(json_find(schema, S("additionalProperties")), S("nullable")))
        json_remove(schema, S("required"));
}

/* --- what every object has --- */

static bool is_common_property(str name)
{
    return str_is(name, "apiVersion") || str_is(name, "kind") || str_is(name, "metadata");
}

/* As members of "properties". */
static void write_common_properties(struct openapi *m, struct json_out *o)
{
    out_member(
        o, "apiVersion",
        "{\"description\":\"Schema that this object is written in: GROUP/VERSION.\",\"type\":\"string\"}");
    out_member(o, "kind", "{\"description\":\"What this object is, in CamelCase.\",\"type\":\"string\"}");
    out_key(o, "metadata");
    buf_add(o->to, m->v3 ? S("{\"allOf\":[{") : S("{"));
    o->comma = false;
    openapi_add_ref(m, o, m->object_meta_name);
    if (m->v3)
        buf_add_lit(o->to, "}]");
    out_member(o, "description", "\"Name, namespace, labels and whatever else objects of all kinds have.\"");
    out_close(o, '}');
}

/* --- a schema as a tree --- */

static void add_common_properties(struct openapi *m, struct arena *a, struct json *schema)
{
    struct json *properties = json_find(schema, S("properties"));
    if (!properties || properties->type != JSON_OBJECT)
        properties = json_set(a, schema, S("properties"), json_object());
    struct buf text;
    buf_init_arena(&text, a, 4096);
    struct json_out o = {.to = &text};
    out_open(&o, '{');
    write_common_properties(m, &o);
    out_close(&o, '}');
    struct err err = ERR_INIT;
    struct json common = json_object();
    err_ignore(json_parse(a, buf_str(&text), NULL, &common, &err)); /* our own text */
    for (size_t i = 0; i < json_count(&common); i++)
        json_set(a, properties, json_member_name(&common.v.members[i]), common.v.members[i].value);
}

static void require(struct arena *a, struct json *schema, str name)
{
    struct json *required = json_find(schema, S("required"));
    if (!required || required->type != JSON_ARRAY)
        required = json_set(a, schema, S("required"), json_array());
    for (size_t i = 0; i < json_count(required); i++)
        if (str_eq(json_str(json_at(required, i)), name))
            return;
    json_append(a, required, json_of_str(name));
}

/* A whole object inside another has what every object has too. */
static void complete_embedded(struct openapi *m, struct arena *a, struct json *schema)
{
    if (!is_true(schema, S("x-kubernetes-embedded-resource")))
        return;
    if (!m->v3 && is_true(schema, S("x-kubernetes-preserve-unknown-fields")))
        return; /* kubectl would refuse all other members */
    add_common_properties(m, a, schema);
    require(a, schema, S("kind"));
    require(a, schema, S("apiVersion"));
}

/* A schema and those inside it; the parser has bounded how deep that is. */
static void adapt(struct openapi *m, struct arena *a, struct json *schema)
{
    if (schema->type != JSON_OBJECT)
        return; /* additionalProperties: true */
    if (!m->v3)
        strip_for_v2(schema);
    struct json *properties = json_find(schema, S("properties"));
    if (properties && properties->type == JSON_OBJECT)
        for (size_t i = 0; i < properties->n; i++)
            adapt(m, a, &properties->v.members[i].value);
    struct json *items = json_find(schema, S("items"));
    if (items)
        adapt(m, a, items);
    struct json *values = json_find(schema, S("additionalProperties"));
    if (values)
        adapt(m, a, values);
    complete_embedded(m, a, schema);
}

static void write_gvk(struct json_out *o, const struct served_kind *k)
{
    out_key(o, "x-kubernetes-group-version-kind");
    out_open(o, '[');
    openapi_add_gvk(o, k->group, k->version, k->kind);
    out_close(o, ']');
}

/* No members at all: kubectl would take those that are said for all there are. */
static void write_anything(struct json_out *o, const struct served_kind *k)
{
    out_open(o, '{');
    out_member(o, "type", "\"object\"");
    write_gvk(o, k);
    out_close(o, '}');
}

static bool read_schema(struct arena *a, const struct served_kind *k, struct json *ret)
{
    struct err err = ERR_INIT;
    return json_parse(a, k->openapi, NULL, ret, &err) == ERR_NONE && !arena_exceeded(a) &&
           ret->type == JSON_OBJECT;
}

static void write_tree(struct openapi *m, struct json_out *o, const struct served_kind *k)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, DOCUMENT_ARENA_MAX);
    struct json schema;
    if (!read_schema(&a, k, &schema) ||
        (!m->v3 && is_true(&schema, S("x-kubernetes-preserve-unknown-fields")))) {
        write_anything(o, k);
        return;
    }
    adapt(m, &a, &schema);
    add_common_properties(m, &a, &schema);
    json_remove(&schema, S("x-kubernetes-group-version-kind"));
    out_open(o, '{');
    for (size_t i = 0; i < json_count(&schema); i++) {
        out_name(o, json_member_name(&schema.v.members[i]));
        json_print(o->to, &schema.v.members[i].value, 0);
    }
    write_gvk(o, k);
    out_close(o, '}');
}

/* --- a schema as text --- */

/* May something below the root have to be changed? The words may also be names of members; then the tree finds nothing to do. */
static bool may_need_change(const struct openapi *m, str text)
{
    static const str words[] = {S_INIT("\"x-kubernetes-embedded-resource\""),
                                /* v2 only: */
                                S_INIT("\"x-kubernetes-preserve-unknown-fields\""), S_INIT("\"nullable\""),
                                S_INIT("\"default\""), S_INIT("\"allOf\""), S_INIT("\"anyOf\""),
                                S_INIT("\"oneOf\""), S_INIT("\"not\"")};
    for (size_t i = 0; i < (m->v3 ? 1 : ARRAY_COUNT(words)); i++)
        if (str_contains(text, words[i]))
            return true;
    return false;
}

/* The members of "properties" but for those that we write, and those. */
static void copy_properties(struct openapi *m, struct json_out *o, struct json_reader *r)
{
    str name;
    out_key(o, "properties");
    out_open(o, '{');
    if (r)
        json_enter_object(r);
    while (r && json_next_member(r, &name)) {
        str value = json_skip(r);
        if (is_common_property(name))
            continue;
        out_name(o, name);
        buf_add(o->to, value);
    }
    write_common_properties(m, o);
    out_close(o, '}');
}

/* False: it is no JSON, or has at its root what a schema does not; what was written is to be taken back. */
static bool copy_text(struct openapi *m, struct json_out *o, const struct served_kind *k)
{
    CLEANUP(arena_done) struct arena a;
    struct err err = ERR_INIT;
    struct json_reader r;
    str name;
    bool any_properties = false;
    arena_init(&a, DOCUMENT_ARENA_MAX);
    json_reader_init(&r, &a, k->openapi, &err);
    out_open(o, '{');
    json_enter_object(&r);
    while (json_next_member(&r, &name)) {
        if (str_is(name, "properties")) {
            if (any_properties || json_peek(&r) != JSON_OBJECT)
                return false;
            any_properties = true;
            copy_properties(m, o, &r);
            continue;
        }
        if (str_is(name, "x-kubernetes-group-version-kind"))
            return false;
        out_name(o, name);
        buf_add(o->to, json_skip(&r));
    }
    if (!any_properties)
        copy_properties(m, o, NULL);
    write_gvk(o, k);
    out_close(o, '}');
    return json_reader_end(&r) == ERR_NONE;
}

void openapi_add_custom(struct openapi *m, struct json_out *o, const struct served_kind *k)
{
    if (!k->openapi.n || (!m->v3 && k->preserves_unknown)) {
        write_anything(o, k);
        return;
    }
    size_t start = o->to->n;
    if (!may_need_change(m, k->openapi) && copy_text(m, o, k))
        return;
    o->to->n = start;
    write_tree(m, o, k);
}
