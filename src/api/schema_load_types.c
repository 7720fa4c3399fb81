/* schema_load_types.c - schemas to nodes and types.
 * Bottom up: a value's node is made from rows that are there already, and an equal row is looked up before a new one is
 * added, so that a subtree that stands in ten places is stored once. */
#include "api/schema_load_priv.h"
#include "base/vec.h"
#include <stdlib.h>

/* --- what is required --- */

struct required {
    str *sorted; /* each once */
    size_t count;
    bool in_order; /* as it was given */
};

static struct required required_of(struct loader *l, const struct json *schema)
{
    const struct json *given = json_find(schema, S("required"));
    struct required r = {.sorted = ARENA_ARRAY(&l->a, str, json_count(given)), .in_order = true};
    for (size_t i = 0; i < json_count(given); i++) {
        str name = json_str(json_at(given, i));
        r.in_order &= r.count == 0 || str_cmp(r.sorted[r.count - 1], name) < 0;
        r.sorted[r.count++] = name;
    }
    strs_sort(r.sorted, r.count);
    r.count = strs_dedupe(r.sorted, r.count);
    return r;
}

/* The names as they were given, where the fields do not tell them: `known` of them are fields. */
static void note_required(struct loader *l, const struct json *schema, const struct required *r, size_t known,
                          struct schema_extra *x)
{
    if (r->in_order && known == r->count)
        return;
    const struct json *given = json_find(schema, S("required"));
    struct buf b;
    buf_init_arena(&b, &l->a, LOAD_TEXT_MAX);
    for (size_t i = 0; i < json_count(given); i++) {
        str name = json_str(json_at(given, i));
        if (name.n == 0 || memchr(name.p, 0, name.n))
            continue;
        buf_add(&b, name);
        buf_add_c(&b, 0);
    }
    x->required = load_text(l, buf_str(&b));
    x->has |= known < r->count ? SCHEMA_EXTRA_FOREIGN : 0;
}

/* --- fields --- */

struct property {
    str name;
    const struct json *schema;
};

static int by_name(const void *x, const void *y)
{
    return str_cmp(((const struct property *)x)->name, ((const struct property *)y)->name);
}

/* What the built-in schema knows better: a whole object's metadata. */
static bool metadata_node(struct loader *l, uint16_t *ret)
{
    const struct schema_type *t = schema_type_find(&schema_builtin, S("meta/v1"), S("ObjectMeta"));
    ASSERT(t);
    struct schema_node n = {
        .kind = SCHEMA_STRUCT, .flags = SCHEMA_NODE_BASE, .ref = (uint16_t)(t - schema_builtin.types)};
    return load_row(l, &l->nodes, &n, ret);
}

static bool property_field(struct loader *l, const struct property *p, const struct required *required,
                           enum load_place place, const struct field_path *path, struct schema_field *ret)
{
    memset(ret, 0, sizeof *ret);
    if (p->name.n > UINT16_MAX)
        return load_refuse(l, path, "a property's name is longer than 65535 bytes");
    ret->name = load_text(l, p->name);
    ret->name_n = (uint16_t)p->name.n;
    ret->flags = strs_contain(required->sorted, required->count, p->name) ? SCHEMA_REQUIRED : 0;
    if (!p->schema)
        return metadata_node(l, &ret->node);
    struct field_path inside = field_path_key(path, p->name);
    if (place == LOAD_STRUCTURAL ? !load_node(l, p->schema, &inside, &ret->node)
                                 : !load_nested(l, p->schema, &inside, LOAD_NESTED, &ret->node))
        return false;
    ret->flags |= SCHEMA_POINTER; /* whatever is given is kept as it is, empty or not */
    ret->rules = load_view(l).nodes[ret->node].rules;
    return true;
}

static bool slots_add(struct loader *l, const struct schema_field *fields, size_t count,
                      struct schema_type *t)
{
    size_t size = 2;
    while (size < count * 2)
        size *= 2;
    if (size > LOAD_ROWS_MAX)
        return load_too_large(l);
    uint16_t *slots = ARENA_ARRAY(&l->a, uint16_t, size);
    for (size_t i = 0; i < count; i++) {
        str name = str_of(l->text.p + fields[i].name, fields[i].name_n);
        size_t at = (size_t)str_hash(name) & (size - 1);
        while (slots[at])
            at = (at + 1) & (size - 1);
        slots[at] = (uint16_t)(i + 1);
    }
    t->slot_first = (uint32_t)l->slot_count;
    t->slot_mask = (uint16_t)(size - 1);
    l->slot_count += size;
    buf_add(&l->slots, str_of((const char *)slots, size * sizeof *slots));
    return true;
}

/* A type is the same as another when its fields and flags are. */
static bool type_put(struct loader *l, const struct schema_field *fields, size_t count, uint16_t flags,
                     uint16_t required_count, uint16_t *ret)
{
    if (load_out_of_room(l))
        return false;
    struct buf key;
    buf_init_arena(&key, &l->a, (size_t)LOAD_ROWS_MAX * sizeof *fields + sizeof flags);
    buf_add(&key, str_of((const char *)fields, count * sizeof *fields));
    buf_add(&key, str_of((const char *)&flags, sizeof flags));
    bool added;
    struct map_entry *e = map_put(&l->type_index, buf_str(&key), &added);
    if (!added) {
        *ret = (uint16_t)e->value.n;
        return true;
    }
    if (l->type_count == LOAD_ROWS_MAX || l->field_count + count > LOAD_ROWS_MAX || buf_check(&key, l->err))
        return load_too_large(l);
    struct schema_type t = {.field_first = (uint16_t)l->field_count,
                            .field_count = (uint16_t)count,
                            .flags = flags,
                            .required_count = required_count};
    if (!slots_add(l, fields, count, &t))
        return false;
    buf_add(&l->fields, str_of((const char *)fields, count * sizeof *fields));
    buf_add(&l->types, str_of((const char *)&t, sizeof t));
    l->field_count += count;
    e->value.n = l->type_count;
    *ret = (uint16_t)l->type_count++;
    return true;
}

/* --- structs --- */

static bool is_type_meta(str name)
{
    return str_is(name, "kind") || str_is(name, "apiVersion") || str_is(name, "metadata");
}

/* The properties that are fields; of a whole object (`object`) those that are not (`meta`). Sorted. */
static struct property *properties_of(struct loader *l, const struct json *schema, bool object, bool meta,
                                      size_t *ret_count)
{
    const struct json *properties = json_find(schema, S("properties"));
    struct property *sorted = ARENA_ARRAY(&l->a, struct property, json_count(properties) + 1);
    size_t count = 0;
    for (size_t i = 0; i < json_count(properties); i++) {
        const struct json_member *m = &properties->v.members[i];
        str name = json_member_name(m);
        if (object && is_type_meta(name) != meta)
            continue;
        sorted[count++] = (struct property){name, &m->value};
    }
    if (object && !meta)
        sorted[count++] = (struct property){S("metadata"), NULL};
    qsort(sorted, count, sizeof *sorted, by_name);
    *ret_count = count;
    return sorted;
}

static bool type_of_properties(struct loader *l, const struct property *sorted, size_t count,
                               const struct required *required, enum load_place place, uint16_t flags,
                               const struct field_path *path, uint16_t *ret, size_t *ret_known)
{
    struct schema_field *fields = ARENA_ARRAY(&l->a, struct schema_field, count);
    struct field_path inside = field_path_name(path, S("properties"));
    *ret_known = 0;
    for (size_t i = 0; i < count; i++) {
        if (!property_field(l, &sorted[i], required, place, &inside, &fields[i]))
            return false;
        *ret_known += fields[i].flags & SCHEMA_REQUIRED ? 1 : 0;
    }
    return type_put(l, fields, count, flags, (uint16_t)*ret_known, ret);
}

/* Does a schema of metadata, kind or apiVersion say more than what these are anyway? */
static bool says_more(const struct json *schema)
{
    static const str known[] = {S_INIT("type"), S_INIT("description"), S_INIT("title"),
                                S_INIT("x-kubernetes-preserve-unknown-fields")};
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        found += json_find(schema, known[i]) ? 1 : 0;
    return json_count(schema) > found;
}

/* A whole object's metadata is of a built-in type; what its schema restricts besides is looked at beside it. */
static bool restrictions(struct loader *l, const struct json *schema, const struct field_path *path,
                         struct schema_extra *x)
{
    struct required none = {0};
    size_t count, known, kept = 0;
    struct property *sorted = properties_of(l, schema, true, true, &count);
    struct schema_node n = {.kind = SCHEMA_STRUCT, .flags = SCHEMA_NODE_UNTYPED};
    uint16_t node;
    for (size_t i = 0; i < count; i++)
        if (says_more(sorted[i].schema))
            sorted[kept++] = sorted[i];
    if (kept == 0)
        return true;
    if (!type_of_properties(l, sorted, kept, &none, LOAD_STRUCTURAL, 0, path, &n.ref, &known) ||
        !load_row(l, &l->nodes, &n, &node))
        return false;
    x->also = (uint16_t)(node + 1);
    return true;
}

/* `object`: a whole object, with kind, apiVersion and metadata of its own. */
static bool struct_type(struct loader *l, const struct json *schema, bool object, enum load_place place,
                        const struct field_path *path, struct schema_extra *x, uint16_t *ret)
{
    const struct json *properties = json_find(schema, S("properties"));
    if (properties && properties->type != JSON_OBJECT)
        return load_refuse(l, path, "properties must be an object");
    struct required required = required_of(l, schema);
    size_t count, known;
    struct property *sorted = properties_of(l, schema, object, false, &count);
    bool preserve = load_flag(schema, S("x-kubernetes-preserve-unknown-fields"));
    uint16_t flags = (uint16_t)((object ? SCHEMA_TYPE_KIND : 0) | (preserve ? SCHEMA_TYPE_PRESERVE : 0));
    if (object && !restrictions(l, schema, path, x))
        return false;
    if (!type_of_properties(l, sorted, count, &required, place, flags, path, ret, &known))
        return false;
    note_required(l, schema, &required, known, x);
    return true;
}

/* --- values --- */

/* An object: of named properties, a map, or anything at all. */
static bool object_node(struct loader *l, const struct json *schema, const struct field_path *path,
                        struct schema_extra *x, struct schema_node *n)
{
    const struct json *properties = json_find(schema, S("properties"));
    const struct json *additional = json_find(schema, S("additionalProperties"));
    bool preserve = load_flag(schema, S("x-kubernetes-preserve-unknown-fields"));
    bool embedded = load_flag(schema, S("x-kubernetes-embedded-resource"));
    if (properties || embedded || !(additional || preserve)) {
        n->kind = SCHEMA_STRUCT;
        return struct_type(l, schema, embedded, LOAD_STRUCTURAL, path, x, &n->ref);
    }
    struct required required = required_of(l, schema);
    note_required(l, schema, &required, 0, x);
    if (additional && additional->type == JSON_OBJECT) {
        struct field_path inside = field_path_name(path, S("additionalProperties"));
        n->kind = SCHEMA_MAP;
        return load_node(l, additional, &inside, &n->ref);
    }
    n->kind = SCHEMA_OBJECT;
    if (preserve || json_bool(additional))
        return true;
    n->kind = SCHEMA_STRUCT; /* additionalProperties: false */
    return struct_type(l, schema, false, LOAD_STRUCTURAL, path, x, &n->ref);
}

static bool list_node(struct loader *l, const struct json *schema, const struct field_path *path,
                      struct schema_node *n)
{
    const struct json *items = json_find(schema, S("items"));
    struct field_path inside = field_path_name(path, S("items"));
    if (items && items->type == JSON_ARRAY)
        return load_refuse(l, &inside, "Forbidden: items must be a schema object and not an array");
    if (!items || items->type != JSON_OBJECT)
        return load_refuse(l, &inside, "Required value: must be specified");
    n->kind = SCHEMA_LIST;
    return load_node(l, items, &inside, &n->ref);
}

/* No type is stated: one of several, or anything. */
static bool open_node(struct loader *l, const struct json *schema, const struct field_path *path,
                      struct schema_extra *x, struct schema_node *n)
{
    struct field_path inside = field_path_name(path, S("type"));
    if (!load_flag(schema, S("x-kubernetes-preserve-unknown-fields")))
        return load_refuse(l, &inside, "Required value: must not be empty for specified object fields");
    n->flags |= SCHEMA_NODE_UNTYPED;
    if (json_find(schema, S("properties")) || json_find(schema, S("additionalProperties")) ||
        load_flag(schema, S("x-kubernetes-embedded-resource")))
        return object_node(l, schema, path, x, n);
    if (json_find(schema, S("items")))
        return list_node(l, schema, path, n);
    n->kind = SCHEMA_ANY;
    struct required required = required_of(l, schema);
    note_required(l, schema, &required, 0, x);
    return true;
}

static bool typed_node(struct loader *l, const struct json *schema, const struct field_path *path,
                       struct schema_extra *x, struct schema_node *n)
{
    str type = json_str(json_find(schema, S("type"))), format = json_str(json_find(schema, S("format")));
    struct field_path inside = field_path_name(path, S("type"));
    if (load_flag(schema, S("x-kubernetes-int-or-string")))
        n->kind = SCHEMA_INT_OR_STRING;
    else if (str_is(type, "object"))
        return object_node(l, schema, path, x, n);
    else if (str_is(type, "array"))
        return list_node(l, schema, path, n);
    else if (str_is(type, "string"))
        n->kind = SCHEMA_STRING;
    else if (str_is(type, "integer"))
        n->kind = str_is(format, "int32") ? SCHEMA_INT32 : SCHEMA_INT64;
    else if (str_is(type, "number"))
        n->kind = SCHEMA_DOUBLE;
    else if (str_is(type, "boolean"))
        n->kind = SCHEMA_BOOL;
    else if (type.n == 0)
        return open_node(l, schema, path, x, n);
    else
        return load_refuse(
            l, &inside,
            "Unsupported value: supported values: \"array\", \"boolean\", \"integer\", \"number\", "
            "\"object\", \"string\"");
    return true;
}

static bool is_schema(struct loader *l, const struct json *schema, const struct field_path *path)
{
    if (arena_check(&l->a, l->err))
        return false;
    if (!schema || schema->type != JSON_OBJECT)
        return load_refuse(l, path, "a schema is an object");
    return load_check_keywords(l, schema, path);
}

/* `n` and `x` are of this schema's own kind; they get its rules. */
static bool finish_node(struct loader *l, const struct json *schema, const struct field_path *path,
                        struct schema_extra *x, struct schema_node *n, uint16_t *ret)
{
    n->flags |= load_flag(schema, S("nullable")) ? SCHEMA_NODE_NULLABLE : 0;
    return load_rules(l, schema, path, LOAD_STRUCTURAL, x, n) && load_check_complete(l, schema, path, n) &&
           load_row(l, &l->nodes, n, ret);
}

bool load_node(struct loader *l, const struct json *schema, const struct field_path *path, uint16_t *ret)
{
    struct schema_node n = {0};
    struct schema_extra x;
    memset(&x, 0, sizeof x); /* padding too: rows are compared as bytes */
    return is_schema(l, schema, path) && typed_node(l, schema, path, &x, &n) &&
           finish_node(l, schema, path, &x, &n, ret);
}

bool load_root(struct loader *l, const struct json *schema, uint16_t *ret)
{
    struct schema_node n = {.kind = SCHEMA_STRUCT};
    struct schema_extra x;
    struct field_path path = FIELD_PATH_OF_ROOT;
    memset(&x, 0, sizeof x);
    if (!is_schema(l, schema, &path))
        return false;
    if (!str_is(json_str(json_find(schema, S("type"))), "object"))
        return load_refuse(l, &path, "type: Invalid value: must be object at the root");
    return struct_type(l, schema, true, LOAD_STRUCTURAL, &path, &x, &n.ref) &&
           finish_node(l, schema, &path, &x, &n, ret);
}

/* --- under anyOf and the like --- */

/* A list and an object at once, for values that are the one or the other. */
static bool nested_items(struct loader *l, const struct json *items, const struct field_path *path,
                         struct schema_extra *x, struct schema_node *n)
{
    struct field_path inside = field_path_name(path, S("items"));
    struct schema_node list = {.kind = SCHEMA_LIST, .flags = SCHEMA_NODE_UNTYPED};
    uint16_t node;
    if (!load_nested(l, items, &inside, LOAD_NESTED, &list.ref))
        return false;
    if (n->kind == SCHEMA_ANY) {
        *n = list;
        return true;
    }
    if (!load_row(l, &l->nodes, &list, &node))
        return false;
    x->also = (uint16_t)(node + 1);
    return true;
}

bool load_nested(struct loader *l, const struct json *schema, const struct field_path *path,
                 enum load_place place, uint16_t *ret)
{
    struct schema_node n = {.kind = SCHEMA_ANY, .flags = SCHEMA_NODE_UNTYPED};
    struct schema_extra x;
    memset(&x, 0, sizeof x);
    if (!is_schema(l, schema, path) || !load_check_nested(l, schema, path, place))
        return false;
    const struct json *items = json_find(schema, S("items"));
    if (place == LOAD_NESTED_TYPE) {
        n.kind = str_is(json_str(json_find(schema, S("type"))), "string") ? SCHEMA_STRING : SCHEMA_INT64;
        n.flags = 0;
    } else if (json_find(schema, S("properties"))) {
        n.kind = SCHEMA_STRUCT;
        if (!struct_type(l, schema, false, LOAD_NESTED, path, &x, &n.ref))
            return false;
    } else {
        struct required required = required_of(l, schema);
        note_required(l, schema, &required, 0, &x);
    }
    if (items && place != LOAD_NESTED_TYPE && !nested_items(l, items, path, &x, &n))
        return false;
    return load_rules(l, schema, path, place, &x, &n) && load_row(l, &l->nodes, &n, ret);
}
