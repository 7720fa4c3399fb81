/* validate_custom.c - what a custom resource's schema says is wrong with it, in the original's words.
 * The original's validator (kube-openapi's) looks at a value with one checker after the other, whatever the others have found:
 * type, anyOf and the like, text, format, number, list, enum, object. Each that has something to look at counts as a match;
 * of several alternatives that all fail, the one with the most matches is the one whose errors are told.
 * An alternative is first looked at quietly: nothing is told, so nothing is allocated. Places are written in another way than
 * those of built-in kinds: a map's key like a field; what belongs to no field is at "<nil>". */
#include "api/validate_custom.h"
#include "api/open_format.h"
#include "api/tree_priv.h"
#include "base/regex.h"
#include "base/utf8.h"

enum { STEPS_MAX = 1 << 25, PATH_MAX_BYTES = 1 << 16 };

static void check(struct custom *c, struct schema_at at, const struct field_path *path, const struct json *j);

/* --- how much it may cost --- */

static bool spend(struct custom *c, uint64_t steps)
{
    if (c->steps > steps) {
        c->steps -= steps;
        return true;
    }
    c->steps = 0;
    return false;
}

/* --- type --- */

/* As JSON schema names what a value is. */
static const char *type_of_value(const struct json *j)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",    [JSON_FALSE] = "boolean", [JSON_TRUE] = "boolean", [JSON_INT] = "integer",
        [JSON_FLOAT] = "number", [JSON_STRING] = "string", [JSON_ARRAY] = "array",  [JSON_OBJECT] = "object",
    };
    return names[j->type];
}

/* And what a node asks for; empty: nothing. */
static const char *type_of_node(const struct schema_node *n)
{
    if (n->flags & SCHEMA_NODE_UNTYPED)
        return "";
    switch ((enum schema_kind)n->kind) {
    case SCHEMA_BOOL: return "boolean";
    case SCHEMA_INT32:
    case SCHEMA_INT64: return "integer";
    case SCHEMA_DOUBLE: return "number";
    case SCHEMA_STRING: return "string";
    case SCHEMA_INT_OR_STRING: return "integer,string";
    case SCHEMA_LIST: return "array";
    case SCHEMA_STRUCT:
    case SCHEMA_MAP:
    case SCHEMA_OBJECT: return "object";
    default: return "";
    }
}

bool custom_is_integral(double f)
{
    const double max = 9007199254740991.0, near = 1e-9; /* 2^53 - 1 */
    if (!(f >= -max && f <= max))
        return false;
    double whole = f < 0 ? -(double)(int64_t)(-f + 0.5) : (double)(int64_t)(f + 0.5), off = f - whole;
    off = off < 0 ? -off : off;
    double size = f < 0 ? -f : f;
    return off == 0 || off < near * (size < 1 ? 1 : size);
}

static bool type_fits(const struct schema_node *n, const struct json *j)
{
    bool integer = j->type == JSON_INT || (j->type == JSON_FLOAT && custom_is_integral(j->v.f));
    if (n->flags & SCHEMA_NODE_UNTYPED)
        return false;
    switch ((enum schema_kind)n->kind) {
    case SCHEMA_BOOL: return j->type == JSON_TRUE || j->type == JSON_FALSE;
    case SCHEMA_INT32:
    case SCHEMA_INT64: return integer;
    case SCHEMA_DOUBLE: return j->type == JSON_INT || j->type == JSON_FLOAT;
    case SCHEMA_STRING: return j->type == JSON_STRING;
    case SCHEMA_INT_OR_STRING: return integer || j->type == JSON_STRING;
    case SCHEMA_LIST: return j->type == JSON_ARRAY;
    case SCHEMA_STRUCT:
    case SCHEMA_MAP:
    case SCHEMA_OBJECT: return j->type == JSON_OBJECT;
    default: return false;
    }
}

static bool is_numeric(const struct schema_node *n)
{
    return !(n->flags & SCHEMA_NODE_UNTYPED) && (n->kind == SCHEMA_INT32 || n->kind == SCHEMA_INT64 ||
                                                 n->kind == SCHEMA_DOUBLE || n->kind == SCHEMA_INT_OR_STRING);
}

static str format_of(struct schema_at at, const struct schema_extra *x)
{
    return x->format                       ? schema_text(at.schema, x->format)
           : at.node->kind == SCHEMA_INT32 ? S("int32")
                                           : STR_NONE;
}

/* A value of the wrong type where a format is stated, too, is said not to be of that format. */
static void check_type(struct custom *c, struct schema_at at, const struct schema_extra *x,
                       const struct field_path *path, const struct json *j)
{
    const char *wanted = type_of_node(at.node);
    str format = format_of(at, x);
    bool text = j->type == JSON_STRING || j->type == JSON_ARRAY, fits = type_fits(at.node, j);
    if (j->type == JSON_NULL) {
        if (!*wanted || (at.node->flags & SCHEMA_NODE_NULLABLE))
            c->matches++;
        else
            custom_wrong_type(c, path, str_from_c(wanted), "null");
        return;
    }
    if (!*wanted && !format.n)
        return;
    const char *go = j->type == JSON_INT ? "int64" : j->type == JSON_FLOAT ? "float64" : "";
    c->matches++;
    if (!text && format.n && !fits && !str_eq(format, str_from_c(go)))
        custom_wrong_type(c, path, format, go);
    else if (!fits && !(text && format.n && !is_numeric(at.node)))
        custom_wrong_type(c, path, str_from_c(wanted), type_of_value(j));
    else
        c->matches++;
}

/* --- text --- */

static bool matches(struct custom *c, const struct schema *s, uint32_t program, str text)
{
    const struct regex *re = (const struct regex *)(const void *)(s->programs + program);
    uint64_t limit = REGEX_MATCH_STEPS + text.n, left = limit < c->steps ? limit : c->steps, before = left;
    enum regex_result result = regex_match(re, text, &left);
    if (result == REGEX_GAVE_UP || !spend(c, before - left))
        c->steps = 0;
    return result == REGEX_YES;
}

static bool too_long(const struct schema_rules *r, str text)
{
    return (r->has & SCHEMA_HAS_LEN_MAX) && text.n > r->len_max && utf8_count(text) > r->len_max;
}

static bool too_short(const struct schema_rules *r, str text)
{
    return r->len_min && (text.n < r->len_min || utf8_count(text) < r->len_min);
}

/* The first that is wrong. */
static void check_text(struct custom *c, struct schema_at at, const struct schema_rules *r,
                       const struct field_path *path, const struct json *j)
{
    const struct schema_extra *x = &at.schema->extras[r->extra];
    str text = json_str(j);
    c->matches++;
    if (!spend(c, text.n / 8))
        return;
    if (too_long(r, text))
        custom_too_long(c, path, r->len_max);
    else if (too_short(r, text))
        custom_invalid(c, path, j, "should be at least %u chars long", r->len_min);
    else if (r->pattern && !matches(c, at.schema, x->pattern, text))
        custom_invalid(c, path, j, "should match '%s'", at.schema->text + r->pattern);
}

static void check_format(struct custom *c, struct schema_at at, const struct schema_extra *x,
                         const struct field_path *path, const struct json *j)
{
    str text = json_str(j);
    c->matches++;
    if (!spend(c, text.n))
        return;
    if ((x->format_pattern && !matches(c, at.schema, x->format_pattern, text)) ||
        !open_format_check((enum open_format)x->open_format, text))
        custom_wrong_format(c, path, j, schema_text(at.schema, x->format));
}

/* --- lists --- */

static void check_items(struct custom *c, struct schema_at at, const struct field_path *path,
                        const struct json *j)
{
    struct schema_at items = schema_items(at);
    for (uint32_t i = 0; i < j->n && c->steps; i++) {
        struct field_path inside = field_path_index(path, i);
        check(c, items, &inside, &j->v.items[i]);
    }
}

static void check_list(struct custom *c, struct schema_at at, const struct schema_rules *r,
                       const struct field_path *path, const struct json *j)
{
    bool of_lists = at.node->kind == SCHEMA_LIST || at.node->kind == SCHEMA_ANY;
    c->matches += 2;
    if (at.node->kind == SCHEMA_LIST)
        check_items(c, at, path, j);
    if (of_lists && j->n < r->items_min)
        custom_invalid_count(c, path, j->n, "items", r->items_min);
    if (of_lists && (r->has & SCHEMA_HAS_ITEMS_MAX) && j->n > r->items_max)
        custom_too_many(c, path, j->n, r->items_max);
    if ((r->has & SCHEMA_HAS_UNIQUE_ITEMS) && tree_has_duplicates(c->arena, j, &c->steps))
        custom_duplicates(c, path);
    if (c->errors && r->list_type == SCHEMA_LIST_SET)
        tree_validate_list_set(&c->lists, path, j, &c->steps);
    if (c->errors && r->list_type == SCHEMA_LIST_MAP)
        tree_validate_list_map(&c->lists, path, j, at.schema, r->list_keys, &c->steps);
}

/* --- objects --- */

static void check_count(struct custom *c, struct schema_at at, const struct schema_rules *r,
                        const struct field_path *path, const struct json *j)
{
    const struct schema_extra *x = &at.schema->extras[r->extra];
    bool open = at.node->kind == SCHEMA_ANY;
    uint32_t min = open ? x->props_min : r->items_min, max = open ? x->props_max : r->items_max;
    bool limited = open ? x->has & SCHEMA_EXTRA_PROPS_MAX : r->has & SCHEMA_HAS_ITEMS_MAX;
    if (at.node->kind == SCHEMA_LIST)
        return;
    if (j->n < min)
        custom_invalid_count(c, path, j->n, "properties", min);
    if (limited && j->n > max)
        custom_too_many(c, path, j->n, max);
}

static void check_map(struct custom *c, struct schema_at at, const struct field_path *path,
                      const struct json *j)
{
    struct schema_at values = schema_items(at);
    for (uint32_t i = 0; i < j->n && c->steps; i++) {
        struct field_path inside = field_path_key(path, json_member_name(&j->v.members[i]));
        check(c, values, &inside, &j->v.members[i].value);
    }
}

/* Members by their fields. Metadata of a whole object is of a built-in type, and looked at elsewhere. How many of the
 * required ones are there. */
static size_t check_members(struct custom *c, const struct schema *s, const struct schema_type *t,
                            const struct field_path *path, const struct json *j)
{
    size_t required = 0;
    for (uint32_t i = 0; i < j->n && spend(c, 1); i++) {
        const struct json_member *m = &j->v.members[i];
        const struct schema_field *f = schema_field_find(s, t, json_member_name(m));
        if (!f)
            continue;
        required += f->flags & SCHEMA_REQUIRED ? 1 : 0;
        if (s->nodes[f->node].flags & SCHEMA_NODE_BASE)
            continue;
        struct field_path inside = field_path_name(path, json_member_name(m));
        check(c, schema_field_at(s, f), &inside, &m->value);
    }
    return required;
}

/* In the order in which they were required. */
static void check_names(struct custom *c, const struct schema *s, uint32_t names,
                        const struct field_path *path, const struct json *j)
{
    str name;
    while (schema_names_next(s, &names, &name) && spend(c, j->n + 1))
        if (!json_find(j, name))
            custom_required(c, path, name);
}

/* Some field is missing: which? */
static void check_fields(struct custom *c, const struct schema *s, const struct schema_type *t,
                         const struct field_path *path, const struct json *j)
{
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &s->fields[t->field_first + i];
        if (!(f->flags & SCHEMA_REQUIRED) || !spend(c, j->n + 1))
            continue;
        if (!json_find(j, schema_field_name(s, f)))
            custom_required(c, path, schema_field_name(s, f));
    }
}

static void check_struct(struct custom *c, struct schema_at at, const struct schema_extra *x,
                         const struct field_path *path, const struct json *j)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    if (c->errors && (t->flags & SCHEMA_TYPE_KIND) && (path->kind != FIELD_PATH_ROOT || c->base))
        tree_validate_embedded(&c->embedded, path, j);
    size_t there = check_members(c, s, t, path, j);
    if (x->required && (there < t->required_count || (x->has & SCHEMA_EXTRA_FOREIGN)))
        check_names(c, s, x->required, path, j);
    else if (there < t->required_count)
        check_fields(c, s, t, path, j);
}

static void check_object(struct custom *c, struct schema_at at, const struct schema_rules *r,
                         const struct field_path *path, const struct json *j)
{
    const struct schema_extra *x = &at.schema->extras[r->extra];
    c->matches++;
    check_count(c, at, r, path, j);
    if (at.node->kind == SCHEMA_STRUCT) {
        check_struct(c, at, x, path, j);
        return;
    }
    if (at.node->kind == SCHEMA_MAP)
        check_map(c, at, path, j);
    if (x->required)
        check_names(c, at.schema, x->required, path, j);
}

/* What holds for the items or members of the same value. */
static void check_also(struct custom *c, struct schema_at at, const struct field_path *path,
                       const struct json *j)
{
    if (at.node->kind == SCHEMA_LIST && j->type == JSON_ARRAY)
        check_items(c, at, path, j);
    else if (at.node->kind == SCHEMA_STRUCT && j->type == JSON_OBJECT)
        check_members(c, at.schema, &at.schema->types[at.node->ref], path, j);
}

/* --- any value --- */

static void check_content(struct custom *c, struct schema_at at, const struct schema_rules *r,
                          const struct field_path *path, const struct json *j)
{
    const struct schema_extra *x = &at.schema->extras[r->extra];
    if (j->type == JSON_STRING)
        check_text(c, at, r, path, j);
    if (j->type == JSON_STRING && x->format)
        check_format(c, at, x, path, j);
    if (j->type == JSON_INT || j->type == JSON_FLOAT)
        custom_check_number(c, at, r, path, j);
    if (j->type == JSON_ARRAY)
        check_list(c, at, r, path, j);
    if (r->values_json)
        custom_check_enum(c, at, r, path, j);
    if (j->type == JSON_OBJECT)
        check_object(c, at, r, path, j);
    if (x->also)
        check_also(c, (struct schema_at){at.schema, &at.schema->nodes[x->also - 1]}, path, j);
}

static void check(struct custom *c, struct schema_at at, const struct field_path *path, const struct json *j)
{
    const struct schema_rules *r = &at.schema->rules[at.node->rules];
    const struct schema_extra *x = &at.schema->extras[r->extra];
    if (!spend(c, 1))
        return;
    check_type(c, at, x, path, j);
    if (j->type == JSON_NULL) {
        if (r->values_json)
            custom_check_enum(c, at, r, path, j);
        return;
    }
    c->matches += 4; /* the checker of alternatives, twice; of enums; and the whole */
    if (x->logic)
        custom_check_logic(c, at, x, path, j);
    check_content(c, at, r, path, j);
}

void custom_check(struct custom *c, struct schema_at at, const struct field_path *path, const struct json *j)
{
    check(c, at, path, j);
}

/* --- documents --- */

/* Metadata, before anything else. */
static void check_builtin_members(struct schema_at at, const struct field_path *root, const struct json *j,
                                  struct field_errors *errors)
{
    const struct schema_type *t = &at.schema->types[at.node->ref];
    for (uint32_t i = 0; at.node->kind == SCHEMA_STRUCT && i < json_count(j) && j->type == JSON_OBJECT; i++) {
        const struct json_member *m = &j->v.members[i];
        const struct schema_field *f = schema_field_find(at.schema, t, json_member_name(m));
        if (!f || !(at.schema->nodes[f->node].flags & SCHEMA_NODE_BASE))
            continue;
        struct field_path inside = field_path_name(root, json_member_name(m));
        tree_validate_builtin(schema_field_at(at.schema, f), &inside, &m->value, errors);
    }
}

static void run(struct schema_at at, const struct field_path *base, const struct json *j,
                struct field_errors *errors)
{
    struct custom c = {.errors = errors, .arena = errors->arena, .base = base, .steps = STEPS_MAX};
    struct field_path root = {.parent = base, .kind = FIELD_PATH_ROOT};
    field_errors_init(&c.embedded, errors->arena);
    field_errors_init(&c.lists, errors->arena);
    check(&c, at, &root, j);
    field_errors_append(errors, &c.embedded);
    field_errors_append(errors, &c.lists);
    if (c.steps == 0)
        field_internal(errors, &root, S("the object takes too long to validate"));
}

void tree_validate_custom(struct schema_at at, const struct json *j, struct field_errors *errors)
{
    struct field_path root = FIELD_PATH_OF_ROOT;
    check_builtin_members(at, &root, j, errors);
    run(at, NULL, j, errors);
}

void tree_validate_default(struct schema_at at, const struct field_path *path, const struct json *j,
                           struct field_errors *errors)
{
    run(at, path, j, errors);
}
