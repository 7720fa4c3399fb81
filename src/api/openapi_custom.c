/* openapi_custom.c - a custom kind's schema as a definition.
 * The definition's own document is what is published, with the members that every object has. v2 can say less: values that
 * may be null or have unknown members lose their type or their members there, because kubectl would refuse what the server
 * takes; alternatives (oneOf and the like) and defaults are left out. */
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

static struct json text_property(struct arena *a, str description)
{
    struct json p = json_object();
    json_set(a, &p, S("description"), json_of_str(description));
    json_set(a, &p, S("type"), json_of_str(S("string")));
    return p;
}

static struct json metadata_property(struct openapi *m, struct arena *a)
{
    str to = str_concat(a, m->v3 ? S("#/components/schemas/") : S("#/definitions/"), m->object_meta_name);
    struct json ref = json_object(), p = json_object();
    json_set(a, &ref, S("$ref"), json_of_str(to));
    if (m->v3) {
        struct json all = json_array();
        json_append(a, &all, ref);
        json_set(a, &p, S("allOf"), all);
    } else {
        p = ref;
    }
    json_set(a, &p, S("description"),
             json_of_str(S("Name, namespace, labels and whatever else objects of all kinds have.")));
    return p;
}

static void add_common_properties(struct openapi *m, struct arena *a, struct json *schema)
{
    struct json *properties = json_find(schema, S("properties"));
    if (!properties || properties->type != JSON_OBJECT)
        properties = json_set(a, schema, S("properties"), json_object());
    json_set(a, properties, S("apiVersion"),
             text_property(a, S("Schema that this object is written in: GROUP/VERSION.")));
    json_set(a, properties, S("kind"), text_property(a, S("What this object is, in CamelCase.")));
    json_set(a, properties, S("metadata"), metadata_property(m, a));
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

static struct json gvk(struct arena *a, const struct served_kind *k)
{
    struct json one = json_object(), list = json_array();
    json_set(a, &one, S("group"), json_of_str(k->group));
    json_set(a, &one, S("kind"), json_of_str(k->kind));
    json_set(a, &one, S("version"), json_of_str(k->version));
    json_append(a, &list, one);
    return list;
}

static bool read_schema(struct arena *a, const struct served_kind *k, struct json *ret)
{
    struct err err = ERR_INIT;
    return k->openapi.n && json_parse(a, k->openapi, NULL, ret, &err) == ERR_NONE && !arena_exceeded(a) &&
           ret->type == JSON_OBJECT;
}

void openapi_add_custom(struct openapi *m, struct json_out *o, const struct served_kind *k)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, DOCUMENT_ARENA_MAX);
    struct json schema;
    bool known = read_schema(&a, k, &schema);
    bool anything = k->preserves_unknown ||
                    (known && is_true(&schema, S("x-kubernetes-preserve-unknown-fields")));
    if (!known || (anything && !m->v3)) {
        /* No members at all: kubectl would take those that are said for all there are. */
        schema = json_object();
        json_set(&a, &schema, S("type"), json_of_str(S("object")));
    } else {
        adapt(m, &a, &schema);
        add_common_properties(m, &a, &schema);
    }
    json_set(&a, &schema, S("x-kubernetes-group-version-kind"), gvk(&a, k));
    json_print(o->to, &schema, JSON_SORTED);
}
