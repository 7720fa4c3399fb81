/* validate.c - what the schema alone can tell is wrong with a document of a built-in kind: missing, of no known value, out of
 * bounds, of the wrong form, changed although immutable. Rules between fields are code, elsewhere; custom resources have
 * other words for the same things (validate_custom.c). */
#include "api/format.h"
#include "api/tree_priv.h"

struct validator {
    struct field_errors *errors;
};

static void value(struct validator *v, struct schema_at at, const struct field_path *path,
                  const struct json *j);

static bool is_missing(const struct json *j)
{
    return !j || j->type == JSON_NULL || ((j->type == JSON_STRING || json_is_container(j)) && j->n == 0);
}

static void check_enum(struct validator *v, struct schema_at at, const struct field_path *path,
                       const struct json *j)
{
    const struct schema_enum *e = &at.schema->enums[at.node->ref - 1];
    str text = json_str(j);
    if (!e->closed || text.n == 0)
        return;
    for (size_t i = 0; i < e->value_count; i++)
        if (str_eq(schema_text(at.schema, at.schema->values[e->value_first + i].text), text))
            return;
    str *supported = ARENA_ARRAY(v->errors->arena, str, e->value_count);
    for (size_t i = 0; i < e->value_count; i++)
        supported[i] = schema_text(at.schema, at.schema->values[e->value_first + i].text);
    field_not_supported(v->errors, path, j, supported, e->value_count);
}

static void check_integer(struct validator *v, const struct schema_rules *r, const struct field_path *path,
                          const struct json *j)
{
    struct arena *a = v->errors->arena;
    long long i = j->v.i, min = r->min.i, max = r->max.i;
    bool has_min = r->has & SCHEMA_HAS_MIN, has_max = r->has & SCHEMA_HAS_MAX;
    bool low = has_min && (r->has & SCHEMA_HAS_MIN_EXCLUSIVE ? i <= min : i < min);
    bool high = has_max && (r->has & SCHEMA_HAS_MAX_EXCLUSIVE ? i >= max : i > max);
    if ((low || high) && has_min && has_max)
        field_invalid(v->errors, path, j,
                      str_format(a, "must be between %lld and %lld, inclusive", min, max));
    else if (low)
        field_invalid(v->errors, path, j, str_format(a, "must be greater than or equal to %lld", min));
    else if (high)
        field_invalid(v->errors, path, j, str_format(a, "must be less than or equal to %lld", max));
}

static void check_text(struct validator *v, const struct schema_rules *r, const struct field_path *path,
                       const struct json *j)
{
    str text = json_str(j);
    if (j->type != JSON_STRING || text.n == 0)
        return;
    if ((r->has & SCHEMA_HAS_LEN_MAX) && text.n > r->len_max)
        field_too_long(v->errors, path, r->len_max);
    else if (r->len_min && text.n < r->len_min)
        field_invalid(v->errors, path, j,
                      str_format(v->errors->arena, "should be at least %u chars long", r->len_min));
}

static void check_items(struct validator *v, const struct schema_rules *r, const struct field_path *path,
                        const struct json *j)
{
    if (!json_is_container(j))
        return;
    if ((r->has & SCHEMA_HAS_ITEMS_MAX) && j->n > r->items_max)
        field_too_many(v->errors, path, j->n, r->items_max);
    else if (j->n && r->items_min && j->n < r->items_min)
        field_invalid(v->errors, path, j,
                      str_format(v->errors->arena, "must have at least %u items", r->items_min));
}

/* A format of a list or map field is that of its items or keys. */
static void check_format(struct validator *v, enum schema_format format, const struct field_path *path,
                         const struct json *j)
{
    if (j->type == JSON_ARRAY) {
        for (uint32_t i = 0; i < j->n; i++) {
            struct field_path inside = field_path_index(path, i);
            check_format(v, format, &inside, &j->v.items[i]);
        }
        return;
    }
    if (j->type == JSON_OBJECT) {
        for (uint32_t i = 0; i < j->n; i++) {
            struct json key = json_of_str(json_member_name(&j->v.members[i]));
            format_check(v->errors, format, path, &key);
        }
        return;
    }
    format_check(v->errors, format, path, j);
}

static void field(struct validator *v, const struct schema *s, const struct schema_field *f,
                  const struct field_path *path, const struct json *j)
{
    struct schema_at at = schema_field_at(s, f);
    if (is_missing(j)) {
        /* A plain struct is always there; what it requires is said inside it. Numbers and booleans have no "missing". */
        if ((f->flags & SCHEMA_REQUIRED) && (at.node->kind == SCHEMA_STRING || at.node->kind == SCHEMA_LIST ||
                                             at.node->kind == SCHEMA_MAP || (f->flags & SCHEMA_POINTER)))
            field_required(v->errors, path, STR_NONE);
        if (!j || at.node->kind != SCHEMA_STRUCT)
            return;
    }
    const struct schema_rules *r = schema_rules(s, f);
    if (r) {
        if (j->type == JSON_INT)
            check_integer(v, r, path, j);
        check_text(v, r, path, j);
        check_items(v, r, path, j);
        if (r->format)
            check_format(v, (enum schema_format)r->format, path, j);
    }
    value(v, at, path, j);
}

/* Members of a normalised tree stand in the order of the fields, so the next one is mostly it. */
static const struct json *find_next(const struct json *object, str name, uint32_t *next)
{
    if (object->type == JSON_OBJECT && *next < object->n &&
        str_eq(json_member_name(&object->v.members[*next]), name))
        return &object->v.members[(*next)++].value;
    return json_find(object, name);
}

static void structure(struct validator *v, struct schema_at at, const struct field_path *path,
                      const struct json *j)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    if (t->flags & SCHEMA_TYPE_CODED)
        return;
    uint32_t next = 0;
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &s->fields[t->field_first + i];
        struct field_path inside = field_path_name(path, schema_field_name(s, f));
        field(v, s, f, &inside, find_next(j, inside.name, &next));
    }
}

static void value(struct validator *v, struct schema_at at, const struct field_path *path,
                  const struct json *j)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_STRING:
        if (at.node->ref)
            check_enum(v, at, path, j);
        break;
    case SCHEMA_STRUCT:
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS:
        if (j->type == JSON_OBJECT)
            structure(v, at, path, j);
        break;
    case SCHEMA_LIST:
        for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->n; i++) {
            struct field_path inside = field_path_index(path, i);
            value(v, schema_items(at), &inside, &j->v.items[i]);
        }
        break;
    case SCHEMA_MAP:
        for (uint32_t i = 0; j->type == JSON_OBJECT && i < j->n; i++) {
            struct field_path inside = field_path_key(path, json_member_name(&j->v.members[i]));
            value(v, schema_items(at), &inside, &j->v.members[i].value);
        }
        break;
    default: break;
    }
}

void tree_validate_builtin(struct schema_at at, const struct field_path *path, const struct json *j,
                           struct field_errors *errors)
{
    struct validator v = {.errors = errors};
    value(&v, at, path, j);
}

void tree_validate(const struct schema *s, const struct schema_type *t, const struct json *tree,
                   struct field_errors *errors)
{
    struct schema_node storage;
    struct field_path root = FIELD_PATH_OF_ROOT;
    struct schema_at at = schema_at_type(s, t, &storage);
    if (s->base)
        tree_validate_custom(at, tree, errors);
    else
        tree_validate_builtin(at, &root, tree, errors);
}

/* --- updates --- */

static void immutable_struct(struct schema_at at, const struct field_path *path, const struct json *old,
                             const struct json *updated, struct field_errors *errors)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    static const struct json absent = {.type = JSON_NULL};
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &s->fields[t->field_first + i];
        if (s->base && !(s->nodes[f->node].flags & SCHEMA_NODE_BASE))
            continue; /* custom resources say such things by CEL */
        struct field_path inside = field_path_name(path, schema_field_name(s, f));
        const struct json *x = json_find(old, inside.name), *y = json_find(updated, inside.name);
        x = x ? x : &absent;
        y = y ? y : &absent;
        if ((f->flags & SCHEMA_IMMUTABLE) && !json_equal(x, y)) {
            field_invalid(errors, &inside, y, S("field is immutable"));
            continue;
        }
        /* Items of lists have no identity here; code that knows their keys compares those. */
        if (s->nodes[f->node].kind == SCHEMA_STRUCT && x->type == JSON_OBJECT && y->type == JSON_OBJECT)
            immutable_struct(schema_field_at(s, f), &inside, x, y, errors);
    }
}

void tree_immutable(const struct schema *s, const struct schema_type *t, const struct json *old,
                    const struct json *updated, struct field_errors *errors)
{
    struct schema_node storage;
    struct field_path root = FIELD_PATH_OF_ROOT;
    immutable_struct(schema_at_type(s, t, &storage), &root, old, updated, errors);
}
