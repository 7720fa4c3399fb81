/* rules_priv.c - what the rules of many kinds are written with. */
#include "api/rules/rules_priv.h"

enum { VALUE_SIZE_MAX = 1 << 20 };

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

void rules_name(struct field_errors *errors, const struct field_path *path, str name, name_check_fn *check)
{
    struct name_errors wrong = {.count = 0};
    check(name, &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, path, TEXT(name), wrong.reasons[i]);
}

bool rules_one_of(struct field_errors *errors, const struct field_path *path, str value, const str *supported,
                  size_t supported_count)
{
    for (size_t i = 0; i < supported_count; i++)
        if (str_eq(value, supported[i]))
            return true;
    field_not_supported(errors, path, TEXT(value), supported, supported_count);
    return false;
}

void rules_labels(struct field_errors *errors, const struct field_path *path, const struct str_map *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        rules_name(errors, path, labels->items[i].key, name_check_qualified);
        rules_name(errors, path, labels->items[i].value, name_check_label_value);
    }
}
