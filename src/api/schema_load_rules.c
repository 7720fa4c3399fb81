/* schema_load_rules.c - what a value must be besides its type: limits, patterns, formats, defaults, anyOf and the like. */
#include "api/open_format.h"
#include "api/schema_load_priv.h"
#include "base/regex.h"

/* --- limits --- */

static double as_double(const struct json *j)
{
    return !j ? 0 : j->type == JSON_INT ? (double)j->v.i : j->type == JSON_FLOAT ? j->v.f : 0;
}

static void bounds(struct schema_rules *r, const struct json *schema)
{
    const struct json *min = json_find(schema, S("minimum")), *max = json_find(schema, S("maximum"));
    if (min)
        r->has |= SCHEMA_HAS_MIN | (load_flag(schema, S("exclusiveMinimum")) ? SCHEMA_HAS_MIN_EXCLUSIVE : 0);
    if (max)
        r->has |= SCHEMA_HAS_MAX | (load_flag(schema, S("exclusiveMaximum")) ? SCHEMA_HAS_MAX_EXCLUSIVE : 0);
    r->min.f = as_double(min);
    r->max.f = as_double(max);
    r->multiple_of = as_double(json_find(schema, S("multipleOf")));
}

static bool limit(const struct json *schema, str name, uint32_t *ret)
{
    int64_t v;
    if (!json_int(json_find(schema, name), &v) || v < 0)
        return false;
    *ret = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    return true;
}

static void limits(struct schema_rules *r, struct schema_extra *x, const struct json *schema,
                   enum schema_kind kind)
{
    limit(schema, S("minLength"), &r->len_min);
    if (limit(schema, S("maxLength"), &r->len_max))
        r->has |= SCHEMA_HAS_LEN_MAX;
    bool object = kind == SCHEMA_STRUCT || kind == SCHEMA_MAP || kind == SCHEMA_OBJECT;
    limit(schema, object ? S("minProperties") : S("minItems"), &r->items_min);
    if (limit(schema, object ? S("maxProperties") : S("maxItems"), &r->items_max))
        r->has |= SCHEMA_HAS_ITEMS_MAX;
    if (kind == SCHEMA_ANY) {
        limit(schema, S("minProperties"), &x->props_min);
        if (limit(schema, S("maxProperties"), &x->props_max))
            x->has |= SCHEMA_EXTRA_PROPS_MAX;
    }
    if (load_flag(schema, S("uniqueItems")))
        r->has |= SCHEMA_HAS_UNIQUE_ITEMS;
}

/* --- merging --- */

/* Names, NUL ended, an empty one at the end (load_text adds that one). */
static uint32_t text_of_names(struct loader *l, const struct json *names)
{
    struct buf b;
    buf_init_arena(&b, &l->a, LOAD_TEXT_MAX);
    for (size_t i = 0; i < json_count(names); i++) {
        buf_add(&b, json_str(json_at(names, i)));
        buf_add_c(&b, 0);
    }
    return load_text(l, buf_str(&b));
}

static uint8_t granularity(str type)
{
    return str_is(type, "atomic")     ? SCHEMA_MERGE_ATOMIC
           : str_is(type, "granular") ? SCHEMA_MERGE_GRANULAR
                                      : SCHEMA_MERGE_DEFAULT;
}

static void merging(struct loader *l, struct schema_rules *r, const struct json *schema)
{
    str list = json_str(json_find(schema, S("x-kubernetes-list-type")));
    r->list_type = str_is(list, "atomic") ? SCHEMA_LIST_ATOMIC
                   : str_is(list, "set")  ? SCHEMA_LIST_SET
                   : str_is(list, "map")  ? SCHEMA_LIST_MAP
                                          : SCHEMA_LIST_DEFAULT;
    if (r->list_type == SCHEMA_LIST_MAP)
        r->list_keys = text_of_names(l, json_find(schema, S("x-kubernetes-list-map-keys")));
    uint8_t map = granularity(json_str(json_find(schema, S("x-kubernetes-map-type"))));
    r->map_type = r->struct_type = map;
}

/* --- expressions --- */

static bool program(struct loader *l, str pattern, const struct field_path *path, uint32_t *ret)
{
    bool added;
    struct map_entry *e = map_put(&l->program_index, pattern, &added);
    if (added) {
        struct err err = ERR_INIT;
        const struct regex *re;
        arena_reset(&l->scratch);
        if (regex_compile(&l->scratch, pattern, &l->regex_steps, &re, &err)) {
            struct json shown = json_of_str(pattern);
            struct field_path at = field_path_name(path, S("pattern"));
            return load_refuse(
                l, &at, "Invalid value: %" STR_FMT ": must be a valid regular expression, but isn't: %s",
                STR_ARG(load_print(l, &shown)), err.msg);
        }
        e->value.n = l->programs.n;
        buf_add(&l->programs, str_of((const char *)re, regex_size(re)));
    }
    *ret = (uint32_t)e->value.n;
    return !load_out_of_room(l);
}

/* int32 goes without saying for an integer of that kind. */
static bool expressions(struct loader *l, const struct json *schema, const struct field_path *path,
                        enum schema_kind kind, struct schema_rules *r, struct schema_extra *x)
{
    str pattern = json_str(json_find(schema, S("pattern"))),
        format = json_str(json_find(schema, S("format")));
    enum open_format f = open_format_find(format);
    if (f != OPEN_FORMAT_NONE && !(f == OPEN_FORMAT_INT32 && kind == SCHEMA_INT32)) {
        x->open_format = f;
        x->format = load_text(l, format);
        str expression = open_format_pattern(f);
        if (expression.n && !program(l, expression, path, &x->format_pattern))
            return false;
    }
    if (pattern.n == 0)
        return true;
    r->pattern = load_text(l, pattern);
    return program(l, pattern, path, &x->pattern);
}

/* --- anyOf and the like --- */

static const str logic_names[SCHEMA_LOGIC_COUNT] = {S_INIT("anyOf"), S_INIT("oneOf"), S_INIT("allOf"),
                                                    S_INIT("not")};

static bool is_int_or_string_pair(const struct json *any)
{
    return json_count(any) == 2 && str_is(json_str(json_find(json_at(any, 0), S("type"))), "integer") &&
           str_is(json_str(json_find(json_at(any, 1), S("type"))), "string");
}

/* Equal ones are stored once, as everything is. */
static bool put_logic(struct loader *l, const uint16_t *row, size_t count, uint16_t *ret)
{
    str bytes = str_of((const char *)row, count * sizeof *row);
    bool added;
    struct map_entry *e = map_put(&l->logic_index, bytes, &added);
    if (added) {
        e->value.n = l->logics.n / sizeof *row;
        buf_add(&l->logics, bytes);
    }
    *ret = (uint16_t)e->value.n;
    return e->value.n <= LOAD_ROWS_MAX ? !load_out_of_room(l) : load_too_large(l);
}

/* What may be stated under one of the four. */
static enum load_place place_under(const struct json *schema, enum load_place place, enum schema_logic which,
                                   size_t index)
{
    bool either = place == LOAD_STRUCTURAL && load_flag(schema, S("x-kubernetes-int-or-string"));
    if (which == SCHEMA_ANY_OF && (either || place == LOAD_NESTED_PAIR) &&
        is_int_or_string_pair(json_find(schema, S("anyOf"))))
        return LOAD_NESTED_TYPE;
    return which == SCHEMA_ALL_OF && either && index == 0 ? LOAD_NESTED_PAIR : LOAD_NESTED;
}

/* The nodes under one of the four are added to the row. */
static bool branches(struct loader *l, const struct json *schema, const struct field_path *path,
                     enum load_place place, enum schema_logic which, uint16_t *row, size_t *count)
{
    const struct json *under = json_find(schema, logic_names[which]);
    struct field_path inside = field_path_name(path, logic_names[which]);
    if (!under || under->type == JSON_NULL)
        return true;
    if (which == SCHEMA_NOT) {
        row[which] = 1;
        return load_nested(l, under, &inside, LOAD_NESTED, &row[(*count)++]);
    }
    if (under->type != JSON_ARRAY)
        return load_refuse(l, &inside, "must be a list of schemas");
    if (under->n > LOAD_ROWS_MAX)
        return load_too_large(l);
    row[which] = (uint16_t)under->n;
    for (size_t i = 0; i < under->n; i++) {
        struct field_path item = field_path_index(&inside, i);
        if (!load_nested(l, json_at(under, i), &item, place_under(schema, place, which, i), &row[(*count)++]))
            return false;
    }
    return true;
}

static bool logic(struct loader *l, const struct json *schema, const struct field_path *path,
                  enum load_place place, struct schema_extra *x)
{
    size_t total = SCHEMA_LOGIC_COUNT + 1, count = SCHEMA_LOGIC_COUNT;
    for (size_t k = 0; k < SCHEMA_LOGIC_COUNT; k++)
        total += json_count(json_find(schema, logic_names[k]));
    uint16_t *row = ARENA_ARRAY(&l->a, uint16_t, total);
    for (unsigned k = 0; k < SCHEMA_LOGIC_COUNT; k++)
        if (!branches(l, schema, path, place, (enum schema_logic)k, row, &count))
            return false;
    return count == SCHEMA_LOGIC_COUNT || put_logic(l, row, count, &x->logic);
}

/* --- all together --- */

bool load_rules(struct loader *l, const struct json *schema, const struct field_path *path,
                enum load_place place, struct schema_extra *x, struct schema_node *n)
{
    struct schema_rules r;
    enum schema_kind kind = (enum schema_kind)n->kind;
    memset(&r, 0, sizeof r); /* padding too: rows are compared as bytes */
    bounds(&r, schema);
    limits(&r, x, schema, kind);
    merging(l, &r, schema);
    const struct json *values = json_find(schema, S("enum"));
    struct field_path at = field_path_name(path, S("enum"));
    if (values && values->type != JSON_NULL && values->type != JSON_ARRAY)
        return load_refuse(l, &at, "must be a list of values");
    r.values_json = json_count(values) ? load_json_text(l, values) : 0;
    x->validations = load_json_text(l, json_find(schema, S("x-kubernetes-validations")));
    if (!expressions(l, schema, path, kind, &r, x) || !logic(l, schema, path, place, x) ||
        !load_row(l, &l->extras, x, &r.extra))
        return false;
    const struct json *given = json_find(schema, S("default"));
    if (given && given->type != JSON_NULL && !load_check_default(l, given, path, n, &r, &r.default_json))
        return false;
    return load_row(l, &l->rules, &r, &n->rules);
}
