/* format.c - formats by name. */
#include "api/format.h"

static name_check_fn *const text_checks[] = {
    [SCHEMA_FORMAT_NONE] = NULL,
#define SCHEMA_FORMAT(name, text, check) [SCHEMA_FORMAT_##name] = check,
#include "api/formats.def"
#undef SCHEMA_FORMAT
};

name_check_fn *format_text_check(enum schema_format format)
{
    return text_checks[format];
}

static void add_each(struct field_errors *errors, const struct field_path *path, const struct json *value,
                     const struct name_errors *wrong)
{
    for (unsigned i = 0; i < wrong->count; i++)
        field_invalid(errors, path, value, wrong->reasons[i]);
}

static void check_number(struct field_errors *errors, enum schema_format format,
                         const struct field_path *path, const struct json *value)
{
    struct name_errors wrong = {.count = 0};
    int64_t n;
    if (!json_int(value, &n))
        return;
    if (format == SCHEMA_FORMAT_PORT)
        name_check_port_number(n, &wrong);
    else if (format == SCHEMA_FORMAT_NON_NEGATIVE && n < 0)
        field_invalid(errors, path, value, S("must be greater than or equal to 0"));
    else if (format == SCHEMA_FORMAT_FILE_MODE && (n < 0 || n > 0777))
        field_invalid(errors, path, value, S("must be a number between 0 and 0777 (octal), both inclusive"));
    add_each(errors, path, value, &wrong);
}

static void check_text(struct field_errors *errors, enum schema_format format, const struct field_path *path,
                       const struct json *value)
{
    struct name_errors wrong = {.count = 0};
    name_check_fn *check = text_checks[format];
    if (format == SCHEMA_FORMAT_PORT)
        check = name_check_port_name;
    else if (format == SCHEMA_FORMAT_NON_NEGATIVE)
        check = name_check_percent;
    if (check && value->n)
        check(json_str(value), &wrong);
    add_each(errors, path, value, &wrong);
}

void format_check(struct field_errors *errors, enum schema_format format, const struct field_path *path,
                  const struct json *value)
{
    if (value->type == JSON_STRING)
        check_text(errors, format, path, value);
    else if (value->type == JSON_INT)
        check_number(errors, format, path, value);
}
