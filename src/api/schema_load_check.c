/* schema_load_check.c - what a schema may not say: outside of its structure, and in its defaults. */
#include "api/schema_load_priv.h"
#include "api/tree_priv.h"

/* --- keywords --- */

bool load_check_keywords(struct loader *l, const struct json *schema, const struct field_path *path)
{
    static const str refused[] = {S_INIT("$ref"),         S_INIT("id"),
                                  S_INIT("definitions"),  S_INIT("patternProperties"),
                                  S_INIT("dependencies"), S_INIT("additionalItems")};
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        const struct json *j = json_find(schema, refused[i]);
        struct field_path inside = field_path_name(path, refused[i]);
        if (j && j->type != JSON_NULL && !(j->type == JSON_STRING && j->n == 0))
            return load_refuse(l, &inside, "Forbidden: %" STR_FMT " is not supported", STR_ARG(refused[i]));
    }
    return true;
}

enum when { WHEN_THERE, WHEN_FULL, WHEN_TRUE };

static bool is_said(const struct json *j, enum when when)
{
    if (!j || j->type == JSON_NULL)
        return false;
    return when == WHEN_THERE || (when == WHEN_TRUE ? json_bool(j) : j->type >= JSON_STRING && j->n > 0);
}

bool load_check_nested(struct loader *l, const struct json *schema, const struct field_path *path,
                       enum load_place place)
{
    static const struct {
        str name;
        enum when when;
    } forbidden[] = {
        {S_INIT("type"), WHEN_FULL},
        {S_INIT("additionalProperties"), WHEN_THERE},
        {S_INIT("default"), WHEN_THERE},
        {S_INIT("title"), WHEN_FULL},
        {S_INIT("description"), WHEN_FULL},
        {S_INIT("nullable"), WHEN_TRUE},
        {S_INIT("x-kubernetes-preserve-unknown-fields"), WHEN_TRUE},
        {S_INIT("x-kubernetes-embedded-resource"), WHEN_TRUE},
        {S_INIT("x-kubernetes-int-or-string"), WHEN_TRUE},
        {S_INIT("x-kubernetes-list-map-keys"), WHEN_FULL},
        {S_INIT("x-kubernetes-list-type"), WHEN_THERE},
        {S_INIT("x-kubernetes-map-type"), WHEN_THERE},
        {S_INIT("x-kubernetes-validations"), WHEN_FULL},
    };
    static const char *const must_be[] = {
        [WHEN_THERE] = "undefined", [WHEN_FULL] = "empty", [WHEN_TRUE] = "false"};
    for (size_t i = place == LOAD_NESTED_TYPE ? 1 : 0; i < ARRAY_COUNT(forbidden); i++) {
        struct field_path inside = field_path_name(path, forbidden[i].name);
        if (is_said(json_find(schema, forbidden[i].name), forbidden[i].when))
            return load_refuse(l, &inside, "Forbidden: must be %s to be structural",
                               must_be[forbidden[i].when]);
    }
    struct field_path properties = field_path_name(path, S("properties"));
    struct field_path metadata = field_path_key(&properties, S("metadata"));
    if (json_get(schema, S("properties"), S("metadata")))
        return load_refuse(l, &metadata, "Forbidden: must not be specified in a nested context");
    return true;
}

/* --- completeness --- */

/* Where both stand: the structural schema, and what is nested beside or in it. */
struct pair {
    const struct field_path *structural, *nested;
};

static bool complete(struct loader *l, const struct json *nested, const struct schema *s,
                     const struct schema_node *n, struct pair at);

static bool incomplete(struct loader *l, struct pair at)
{
    return load_refuse(l, at.structural, "Required value: because it is defined in %" STR_FMT,
                       STR_ARG(field_path_format(&l->a, at.nested)));
}

static bool complete_logic(struct loader *l, const struct json *schema, const struct schema *s,
                           const struct schema_node *n, struct pair at)
{
    static const str names[] = {S_INIT("allOf"), S_INIT("anyOf"), S_INIT("oneOf")};
    struct field_path inside;
    for (size_t k = 0; k < ARRAY_COUNT(names); k++) {
        const struct json *list = json_find(schema, names[k]);
        struct field_path under = field_path_name(at.nested, names[k]);
        for (size_t i = 0; i < json_count(list); i++) {
            inside = field_path_index(&under, i);
            if (!complete(l, json_at(list, i), s, n, (struct pair){at.structural, &inside}))
                return false;
        }
    }
    const struct json *no = json_find(schema, S("not"));
    inside = field_path_name(at.nested, S("not"));
    return !no || complete(l, no, s, n, (struct pair){at.structural, &inside});
}

static bool complete_property(struct loader *l, const struct json_member *m, const struct schema *s,
                              const struct schema_type *t, struct pair at)
{
    str name = json_member_name(m);
    struct field_path structural = field_path_name(at.structural, S("properties"));
    struct field_path nested = field_path_name(at.nested, S("properties"));
    struct field_path this = field_path_key(&structural, name), that = field_path_key(&nested, name);
    const struct schema_field *f = t ? schema_field_find(s, t, name) : NULL;
    if (t && (t->flags & SCHEMA_TYPE_KIND) && (str_is(name, "kind") || str_is(name, "apiVersion")))
        return true;
    return f ? complete(l, &m->value, s, &s->nodes[f->node], (struct pair){&this, &that})
             : incomplete(l, (struct pair){&this, &that});
}

static bool complete(struct loader *l, const struct json *nested, const struct schema *s,
                     const struct schema_node *n, struct pair at)
{
    if (!complete_logic(l, nested, s, n, at))
        return false;
    const struct json *items = json_find(nested, S("items")),
                      *properties = json_find(nested, S("properties"));
    struct field_path this = field_path_name(at.structural, S("items"));
    struct field_path that = field_path_name(at.nested, S("items"));
    struct pair inside = {&this, &that};
    if (items &&
        (n->kind != SCHEMA_LIST ? !incomplete(l, inside) : !complete(l, items, s, &s->nodes[n->ref], inside)))
        return false;
    const struct schema_type *t = n->kind == SCHEMA_STRUCT && !(n->flags & SCHEMA_NODE_BASE)
                                      ? &s->types[n->ref]
                                      : NULL;
    for (size_t i = 0; i < json_count(properties); i++)
        if (!complete_property(l, &properties->v.members[i], s, t, at))
            return false;
    return true;
}

bool load_check_complete(struct loader *l, const struct json *schema, const struct field_path *path,
                         const struct schema_node *n)
{
    struct schema view = load_view(l);
    if (load_out_of_room(l))
        return false;
    return complete_logic(l, schema, &view, n, (struct pair){path, path});
}

/* --- defaults --- */

static void note_unknown(void *ctx, str path)
{
    (void)path;
    *(bool *)ctx = true;
}

/* The node with its rules, which are put behind their table while they are needed. */
static void check_value(struct loader *l, const struct schema_node *n, const struct schema_rules *r,
                        const struct json *value, const struct field_path *path, struct field_errors *errors)
{
    struct schema_node whole = *n;
    size_t before = l->rules.bytes.n;
    whole.rules = (uint16_t)l->rules.count;
    buf_add(&l->rules.bytes, str_of((const char *)r, sizeof *r));
    if (l->rules.bytes.n == before)
        return; /* no room: the row itself will not find any either */
    struct schema view = load_view(l);
    tree_validate_default((struct schema_at){&view, &whole}, path, value, errors);
    l->rules.bytes.n = before;
}

bool load_check_default(struct loader *l, const struct json *given, const struct field_path *path,
                        const struct schema_node *n, const struct schema_rules *r, uint32_t *ret_text)
{
    struct field_path at = field_path_name(path, S("default"));
    struct schema view = load_view(l);
    struct json normal;
    struct err err = ERR_INIT;
    bool unknown = false;
    struct tree_report report = {.on_unknown = note_unknown, .ctx = &unknown};
    struct field_errors errors;
    if (load_out_of_room(l))
        return false;
    arena_reset(&l->scratch);
    field_errors_init(&errors, &l->scratch);
    if (tree_normalise_at(&l->scratch, (struct schema_at){&view, n}, given, &report, &normal, &err))
        return load_refuse(l, &at, "Invalid value: %" STR_FMT ": %s", STR_ARG(load_print(l, given)), err.msg);
    if (unknown)
        return load_refuse(l, &at, "Invalid value: %" STR_FMT ": must not have unknown fields",
                           STR_ARG(load_print(l, given)));
    check_value(l, n, r, &normal, &at, &errors);
    if (errors.count) {
        err_set(l->err, ERR_BAD_REQUEST, "%" STR_FMT ": %" STR_FMT, STR_ARG(errors.items[0].path),
                STR_ARG(errors.items[0].message));
        return false;
    }
    *ret_text = load_json_text(l, &normal);
    return true;
}
