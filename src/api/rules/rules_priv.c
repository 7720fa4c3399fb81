/* rules_priv.c - what the rules of many kinds are written with. */
#include "api/rules/rules_priv.h"
#include "view/meta_v1.h"

enum { VALUE_SIZE_MAX = 16 << 20, ANNOTATIONS_SIZE_MAX = 256 << 10 };

/* --- values for messages --- */

struct json rules_quantity(struct arena *a, const struct quantity *q)
{
    struct buf b;
    buf_init_arena(&b, a, QUANTITY_TEXT_MAX);
    quantity_format(&b, q);
    return json_of_str(buf_str(&b));
}

struct json rules_view(struct arena *a, const struct schema_type *type, const void *view)
{
    struct buf b;
    struct json j = json_null();
    struct err err = ERR_INIT;
    buf_init_arena(&b, a, VALUE_SIZE_MAX);
    view_encode(&b, &schema_builtin, type, view);
    err_ignore(json_parse(a, buf_str(&b), NULL, &j, &err)); /* too large: shown as null */
    return j;
}

struct json rules_texts(struct arena *a, const struct str_array *texts)
{
    struct json j = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_append(a, &j, json_of_str(texts->items[i]));
    return texts->count ? j : json_null();
}

struct json rules_text_map(struct arena *a, const struct str_map *map)
{
    struct json j = json_object();
    for (size_t i = 0; i < map->count; i++)
        json_add(a, &j, map->items[i].key, json_of_str(map->items[i].value));
    return map->count ? j : json_null();
}

/* --- names and numbers --- */

void rules_required(struct field_errors *errors, const struct field_path *path, str text)
{
    if (text.n == 0)
        field_required(errors, path, STR_NONE);
}

void rules_name(struct field_errors *errors, const struct field_path *path, str name, name_check_fn *check)
{
    struct name_errors wrong = {.count = 0};
    check(name, &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, path, TEXT(name), wrong.reasons[i]);
}

void rules_name_required(struct field_errors *errors, const struct field_path *path, str name,
                         name_check_fn *check)
{
    if (name.n == 0)
        field_required(errors, path, STR_NONE);
    else
        rules_name(errors, path, name, check);
}

void rules_name_prefix(struct field_errors *errors, const struct field_path *path, str name,
                       name_check_fn *check)
{
    struct name_errors wrong = {.count = 0};
    str checked = name;
    if (name.n > 1 && str_ends(name, S("-")))
        checked = str_concat(errors->arena, str_slice(name, 0, name.n - 1), S("a"));
    check(checked, &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, path, TEXT(name), wrong.reasons[i]);
}

bool rules_is_one_of(str value, const str *supported, size_t supported_count)
{
    for (size_t i = 0; i < supported_count; i++)
        if (str_eq(value, supported[i]))
            return true;
    return false;
}

bool rules_one_of(struct field_errors *errors, const struct field_path *path, str value, const str *supported,
                  size_t supported_count)
{
    if (rules_is_one_of(value, supported, supported_count))
        return true;
    field_not_supported(errors, path, TEXT(value), supported, supported_count);
    return false;
}

bool rules_one_of_in_order(struct field_errors *errors, const struct field_path *path, str value,
                           const str *supported, size_t supported_count)
{
    if (rules_is_one_of(value, supported, supported_count))
        return true;
    field_not_supported_in_order(errors, path, TEXT(value), supported, supported_count);
    return false;
}

void rules_non_negative(struct field_errors *errors, const struct field_path *path, int64_t n)
{
    if (n < 0)
        field_invalid(errors, path, NUMBER(n), S("must be greater than or equal to 0"));
}

void rules_positive(struct field_errors *errors, const struct field_path *path, int64_t n)
{
    if (n <= 0)
        field_invalid(errors, path, NUMBER(n), S("must be greater than zero"));
}

void rules_range(struct field_errors *errors, const struct field_path *path, int64_t n, int64_t min,
                 int64_t max)
{
    if (n < min || n > max)
        field_invalid(
            errors, path, NUMBER(n),
            RULES_F(errors, "must be between %lld and %lld, inclusive", (long long)min, (long long)max));
}

void rules_port(struct field_errors *errors, const struct field_path *path, const struct int_or_string *port)
{
    struct name_errors wrong = {.count = 0};
    bool is_number = port->type == INT_OR_STRING_INT;
    if (is_number)
        name_check_port_number(port->number, &wrong);
    else
        name_check_port_name(port->text, &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, path, is_number ? NUMBER(port->number) : TEXT(port->text), wrong.reasons[i]);
}

void rules_count_or_percent(struct field_errors *errors, const struct field_path *path,
                            const struct int_or_string *value)
{
    if (value->type == INT_OR_STRING_INT)
        rules_non_negative(errors, path, value->number);
    else
        rules_name(errors, path, value->text, name_check_percent);
}

void rules_ip(struct field_errors *errors, const struct field_path *path, str ip, const struct str_array *old)
{
    if (!old || !rules_is_one_of(ip, old->items, old->count))
        rules_name(errors, path, ip, name_check_ip_strict);
}

/* --- labels --- */

void rules_labels(struct field_errors *errors, const struct field_path *path, const struct str_map *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        rules_name(errors, path, labels->items[i].key, name_check_qualified);
        rules_name(errors, path, labels->items[i].value, name_check_label_value);
    }
}

void rules_annotations(struct field_errors *errors, const struct field_path *path,
                       const struct str_map *annotations)
{
    size_t size = 0;
    for (size_t i = 0; i < annotations->count; i++) {
        const struct str_map_entry *m = &annotations->items[i];
        struct name_errors wrong = {.count = 0};
        name_check_qualified(str_lower(errors->arena, m->key), &wrong);
        for (unsigned j = 0; j < wrong.count; j++)
            field_invalid(errors, path, TEXT(m->key), wrong.reasons[j]);
        size += m->key.n + m->value.n;
    }
    if (size > ANNOTATIONS_SIZE_MAX)
        field_too_long(errors, path, ANNOTATIONS_SIZE_MAX);
}

const str *rules_map_find(const struct str_map *map, str key)
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(map->items[middle].key, key);
        if (order == 0)
            return &map->items[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void selector_requirement(struct field_errors *errors, const struct field_path *path,
                                 const struct label_selector_requirement *r, unsigned flags)
{
    if (str_is(r->operator, "In") || str_is(r->operator, "NotIn")) {
        if (r->values.count == 0)
            field_required(errors, AT(path, "values"),
                           S("must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (str_is(r->operator, "Exists") || str_is(r->operator, "DoesNotExist")) {
        if (r->values.count)
            field_forbidden(errors, AT(path, "values"),
                            S("may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else if (!(flags & RULES_ANY_OPERATOR)) {
        field_invalid(errors, AT(path, "operator"), TEXT(r->operator), S("not a valid selector operator"));
    }
    rules_name(errors, AT(path, "key"), r->key, name_check_qualified);
    for (size_t i = 0; i < r->values.count && !(flags & RULES_ANY_VALUES); i++)
        rules_name(errors, AT_INDEX(AT(path, "values"), i), r->values.items[i], name_check_label_value);
}

void rules_label_selector_with(struct field_errors *errors, const struct field_path *path,
                               const struct label_selector *selector, unsigned flags)
{
    if (!selector)
        return;
    rules_labels(errors, AT(path, "matchLabels"), &selector->match_labels);
    for (size_t i = 0; i < selector->match_expressions.count; i++)
        selector_requirement(errors, AT_INDEX(AT(path, "matchExpressions"), i),
                             &selector->match_expressions.items[i], flags);
}

void rules_label_selector(struct field_errors *errors, const struct field_path *path,
                          const struct label_selector *selector)
{
    rules_label_selector_with(errors, path, selector, 0);
}

bool rules_label_selector_is_empty(const struct label_selector *selector)
{
    return selector->match_labels.count == 0 && selector->match_expressions.count == 0;
}

static bool requirement_matches(const struct label_selector_requirement *r, const struct str_map *labels)
{
    const str *there = rules_map_find(labels, r->key);
    bool listed = there && rules_is_one_of(*there, r->values.items, r->values.count);
    if (str_is(r->operator, "In"))
        return listed;
    if (str_is(r->operator, "NotIn"))
        return !listed;
    return str_is(r->operator, "Exists") == (there != NULL);
}

bool rules_label_selector_matches(const struct label_selector *selector, const struct str_map *labels)
{
    if (!selector)
        return false;
    for (size_t i = 0; i < selector->match_labels.count; i++) {
        const str *there = rules_map_find(labels, selector->match_labels.items[i].key);
        if (!there || !str_eq(*there, selector->match_labels.items[i].value))
            return false;
    }
    for (size_t i = 0; i < selector->match_expressions.count; i++)
        if (!requirement_matches(&selector->match_expressions.items[i], labels))
            return false;
    return true;
}
