/* apply_shape.c - how a place merges, as the original derives it from its OpenAPI. */
#include "api/apply_priv.h"
#include "api/tree.h"

/* Items of a built-in list say nothing about themselves; those of a custom one do. */
static const struct schema_rules *rules_of(const struct schema *s, const struct schema_node *node,
                                           const struct schema_field *f)
{
    unsigned rules = f && f->rules ? f->rules : node->rules;
    return rules ? &s->rules[rules] : NULL;
}

static void list_shape(struct apply_place *p, const struct schema_rules *r)
{
    enum schema_list_type type = r ? (enum schema_list_type)r->list_type : SCHEMA_LIST_DEFAULT;
    p->shape = type == SCHEMA_LIST_SET ? SHAPE_SET : type == SCHEMA_LIST_MAP ? SHAPE_KEYED : SHAPE_LIST;
    p->keys = r ? r->list_keys : 0;
}

static uint8_t struct_shape(struct schema_at at, const struct schema_rules *r)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    uint8_t said = r ? r->struct_type : SCHEMA_MERGE_DEFAULT;
    if (said == SCHEMA_MERGE_DEFAULT && (t->flags & SCHEMA_TYPE_ATOMIC))
        said = SCHEMA_MERGE_ATOMIC;
    return said == SCHEMA_MERGE_ATOMIC ? SHAPE_LEAF : SHAPE_STRUCT;
}

static uint8_t map_shape(const struct schema_rules *r)
{
    return r && r->map_type == SCHEMA_MERGE_ATOMIC ? SHAPE_LEAF : SHAPE_MAP;
}

/* Results are written member by member into what the caller has: places are made for every value of a document. */
static void set_any(struct apply_place *ret)
{
    ret->at.schema = NULL;
    ret->at.node = NULL;
    ret->keys = 0;
    ret->shape = SHAPE_ANY;
    ret->scalar = SCALAR_UNTYPED;
}

/* `f`: the field it is, of the same module; NULL for items. */
static void set_place(const struct schema *s, const struct schema_node *node, const struct schema_field *f,
                      struct apply_place *ret)
{
    static const struct {
        uint8_t shape, scalar;
    } simple[SCHEMA_KIND_COUNT] = {
        [SCHEMA_BOOL] = {SHAPE_SCALAR, SCALAR_BOOLEAN},
        [SCHEMA_INT32] = {SHAPE_SCALAR, SCALAR_NUMERIC},
        [SCHEMA_INT64] = {SHAPE_SCALAR, SCALAR_NUMERIC},
        [SCHEMA_UINT32] = {SHAPE_SCALAR, SCALAR_NUMERIC},
        [SCHEMA_UINT64] = {SHAPE_SCALAR, SCALAR_NUMERIC},
        [SCHEMA_DOUBLE] = {SHAPE_SCALAR, SCALAR_NUMERIC},
        [SCHEMA_STRING] = {SHAPE_SCALAR, SCALAR_STRING},
        [SCHEMA_BYTES] = {SHAPE_SCALAR, SCALAR_STRING},
        [SCHEMA_DURATION] = {SHAPE_SCALAR, SCALAR_STRING},
        [SCHEMA_QUANTITY] = {SHAPE_SCALAR, SCALAR_UNTYPED},
        [SCHEMA_TIME] = {SHAPE_SCALAR, SCALAR_UNTYPED},
        [SCHEMA_MICRO_TIME] = {SHAPE_SCALAR, SCALAR_UNTYPED},
        [SCHEMA_FIELDS] = {SHAPE_ANY_LEAF, SCALAR_UNTYPED},
        [SCHEMA_INT_OR_STRING] = {SHAPE_SCALAR, SCALAR_UNTYPED},
    };
    enum schema_kind kind = (enum schema_kind)node->kind;
    ret->at.schema = s;
    ret->at.node = node;
    ret->keys = 0;
    ret->shape = simple[kind].shape;
    ret->scalar = simple[kind].scalar;
    if (ret->shape != SHAPE_UNKNOWN)
        return;
    const struct schema_rules *r = rules_of(s, node, f);
    if (kind == SCHEMA_STRUCT)
        ret->shape = struct_shape(ret->at, r);
    else if (kind == SCHEMA_LIST)
        list_shape(ret, r);
    else if (kind == SCHEMA_MAP)
        ret->shape = map_shape(r);
    else if (
        kind ==
        SCHEMA_OBJECT) /* the original's RawExtension is one value; a custom resource's open object is a map */
        ret->shape = s->base ? map_shape(r) : SHAPE_ANY_LEAF;
    else /* JSON, and the three that are one thing or another */
        set_any(ret);
}

void apply_place_root(const struct schema *s, const struct schema_type *t, struct schema_node *storage,
                      struct apply_place *ret)
{
    set_any(ret);
    if (!t)
        return;
    ret->at = schema_at_type(s, t, storage);
    ret->shape = SHAPE_STRUCT;
}

static bool struct_member(const struct apply_place *p, str name, struct apply_place *ret)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(p->at, &s);
    const struct schema_field *f = schema_field_find(s, t, name);
    if (f) {
        set_place(s, &s->nodes[f->node], f, ret);
        return true;
    }
    set_any(ret);
    if ((t->flags & SCHEMA_TYPE_KIND) && (str_is(name, "kind") || str_is(name, "apiVersion"))) {
        ret->shape = SHAPE_SCALAR;
        ret->scalar = SCALAR_STRING;
        return true;
    }
    if (!(t->flags & SCHEMA_TYPE_PRESERVE) && t->field_count)
        ret->shape = SHAPE_UNKNOWN;
    return false;
}

bool apply_place_member(const struct apply_place *p, str name, struct apply_place *ret)
{
    if (p->at.node && p->at.node->kind == SCHEMA_STRUCT)
        return struct_member(p, name, ret);
    apply_place_item(p, ret);
    return false;
}

void apply_place_item(const struct apply_place *p, struct apply_place *ret)
{
    bool typed = p->at.node && (p->at.node->kind == SCHEMA_LIST || p->at.node->kind == SCHEMA_MAP);
    if (typed) {
        struct schema_at items = schema_items(p->at);
        set_place(items.schema, items.node, NULL, ret);
        return;
    }
    set_any(ret);
    if (p->shape == SHAPE_ANY_LEAF)
        ret->shape = SHAPE_ANY_LEAF;
}

/* --- items of lists --- */

/* What an item is taken to have where it does not say: the published default. NULL: none. */
static const struct json *key_default(struct arena *a, const struct apply_place *list, str key)
{
    struct schema_at items = schema_items(list->at);
    if (items.node->kind != SCHEMA_STRUCT)
        return NULL;
    const struct schema *s;
    const struct schema_type *t = schema_struct(items, &s);
    const struct schema_field *f = schema_field_find(s, t, key);
    const struct schema_rules *r = f ? schema_rules(s, f) : NULL;
    if (!r || !r->default_json)
        return NULL;
    struct json *j = ARENA_NEW(a, struct json);
    struct err err = ERR_INIT;
    err_code code = json_parse(a, schema_text(s, r->default_json), NULL, j, &err);
    ASSERT(code == ERR_NONE); /* the generator, or who loaded the schema, has read it */
    return j;
}

/* Inserts by name. */
static void add_key(struct json *keys, str name, const struct json *value)
{
    uint32_t at = keys->n++;
    struct json_member *m = keys->v.members;
    for (; at && str_cmp(json_member_name(&m[at - 1]), name) > 0; at--)
        m[at] = m[at - 1];
    m[at] = (struct json_member){.name = name.p, .name_n = (uint32_t)name.n, .value = *value};
}

static bool one_key(struct arena *a, const struct apply_place *list, const struct json *item, str name,
                    struct json *keys, str *ret_why)
{
    const struct json *value = json_find(item, name);
    if (!value)
        value = key_default(a, list, name);
    if (value) {
        add_key(keys, name, value);
        return true;
    }
    *ret_why = str_format(a,
                          "associative list with keys has an element that omits key field \"%" STR_FMT
                          "\" (and doesn't have default value)",
                          STR_ARG(name));
    return false;
}

static bool keyed_element(struct arena *a, const struct apply_place *list, const struct json *item,
                          struct field_element *ret, str *ret_why)
{
    if (item->type != JSON_OBJECT) {
        *ret_why = item->type == JSON_NULL ? S("associative list with keys may not have a null element")
                                           : S("associative list with keys may not have non-map elements");
        return false;
    }
    const struct schema *s = list->at.schema;
    size_t count = 0;
    str name;
    for (uint32_t at = list->keys; schema_names_next(s, &at, &name);)
        count++;
    struct json *keys = ARENA_NEW(a, struct json);
    *keys = (struct json){
        .type = JSON_OBJECT,
        .v.members = arena_alloc(a, count * sizeof(struct json_member), _Alignof(struct json_member))};
    for (uint32_t at = list->keys; schema_names_next(s, &at, &name);)
        if (!one_key(a, list, item, name, keys, ret_why))
            return false;
    *ret = (struct field_element){.kind = FIELD_KEY, .value = keys};
    return true;
}

bool apply_item_element(struct arena *a, const struct apply_place *list, const struct json *item,
                        struct field_element *ret, str *ret_why)
{
    if (list->shape == SHAPE_KEYED)
        return keyed_element(a, list, item, ret, ret_why);
    switch ((enum json_type)item->type) {
    case JSON_OBJECT:
        *ret_why = S("associative list without keys has an element that's a map type");
        return false;
    case JSON_ARRAY: *ret_why = S("not supported: associative list with lists as elements"); return false;
    case JSON_NULL:
        *ret_why = S("associative list without keys has an element that's an explicit null");
        return false;
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INT:
    case JSON_FLOAT:
    case JSON_STRING: break;
    }
    *ret = (struct field_element){.kind = FIELD_VALUE, .value = item};
    return true;
}

/* --- values --- */

bool apply_equal(const struct json *x, const struct json *y)
{
    bool numbers = (x->type == JSON_INT || x->type == JSON_FLOAT) &&
                   (y->type == JSON_INT || y->type == JSON_FLOAT);
    return numbers ? field_value_cmp(x, y) == 0 : json_equal(x, y);
}

bool apply_same(const struct json *x, const struct json *y)
{
    if (x == y)
        return true;
    if (x->type != y->type || x->n != y->n)
        return false;
    return json_is_container(x)     ? x->v.items == y->v.items
           : x->type == JSON_STRING ? x->v.s == y->v.s
                                    : false;
}
