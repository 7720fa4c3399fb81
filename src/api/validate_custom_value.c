/* validate_custom_value.c - numbers and enums. */
#include "api/open_format.h"
#include "api/validate_custom.h"

/* --- numbers --- */

static double as_double(const struct json *j)
{
    return j->type == JSON_INT ? (double)j->v.i : j->v.f;
}

/* As Go converts; what does not fit becomes the end. */
static int64_t as_integer(double f)
{
    return f >= 9223372036854775808.0 ? INT64_MAX : f < -9223372036854775808.0 ? INT64_MIN : (int64_t)f;
}

/* The format that limits what a number may be; "": none does. */
static const char *ranged_format(struct schema_at at, const struct schema_extra *x, const char **ret_type)
{
    enum open_format f = (enum open_format)x->open_format;
    bool integer = at.node->kind == SCHEMA_INT32 || at.node->kind == SCHEMA_INT64;
    if (at.node->flags & SCHEMA_NODE_UNTYPED)
        return "";
    *ret_type = integer ? "integer" : "number";
    if (integer && (f == OPEN_FORMAT_INT32 || (f == OPEN_FORMAT_NONE && at.node->kind == SCHEMA_INT32)))
        return "int32";
    if (integer)
        return f == OPEN_FORMAT_INT64 ? "int64" : "";
    return at.node->kind == SCHEMA_DOUBLE && f == OPEN_FORMAT_FLOAT ? "float" : "";
}

static bool in_range(const char *format, double f)
{
    const double int64_end = 9223372036854775808.0, float_end = 0x1.ffffffp127;
    if (!*format)
        return true;
    if (*format == 'f')
        return f < float_end && f > -float_end;
    bool whole = f > -int64_end && f < int64_end ? (double)(int64_t)f == f : f == -int64_end;
    return whole && (format[3] == '6' || (f >= INT32_MIN && f <= INT32_MAX));
}

struct number {
    struct custom *c;
    const struct field_path *path;
    const struct json *j;
    const char *type, *format;
};

/* Is a bound, or the value, one that the format can hold? */
static bool holds(const struct number *n, const char *what, double f)
{
    if (in_range(n->format, f))
        return true;
    n->c->failed = true;
    if (n->c->errors)
        custom_somewhere(n->c, n->path,
                         str_format(n->c->errors->arena, "%s value must be of type %s with format %s in ",
                                    what, n->type, n->format),
                         "%s", "");
    return false;
}

/* An integer is compared with the bound as an integer, if the format can hold that; else all are floats. */
static bool by_integers(const struct number *n, const char *what, double bound)
{
    return holds(n, what, bound) && n->j->type == JSON_INT;
}

static void check_multiple(const struct number *n, double factor)
{
    bool integers = by_integers(n, "MultipleOf", factor);
    int64_t i = as_integer(factor);
    double f = as_double(n->j);
    if (integers ? i <= 0 : factor <= 0)
        custom_somewhere(n->c, n->path, S("factor MultipleOf declared for "), " must be positive: %lld",
                         (long long)i);
    else if (integers && n->j->v.i % i)
        custom_invalid(n->c, n->path, n->j, "should be a multiple of %lld", (long long)i);
    else if (!integers && !custom_is_integral(factor < 1 ? 1 / factor * f : f / factor))
        custom_invalid_float(n->c, n->path, f, "should be a multiple of", factor);
}

static void check_min(const struct number *n, double min, bool exclusive)
{
    const char *text = exclusive ? "should be greater than" : "should be greater than or equal to";
    bool integers = by_integers(n, "Minimum boundary", min);
    int64_t bound = as_integer(min);
    double f = as_double(n->j);
    if (integers && (exclusive ? n->j->v.i <= bound : n->j->v.i < bound))
        custom_invalid(n->c, n->path, n->j, "%s %lld", text, (long long)bound);
    else if (!integers && (exclusive ? f <= min : f < min))
        custom_invalid_float(n->c, n->path, f, text, min);
}

static void check_max(const struct number *n, double max, bool exclusive)
{
    const char *text = exclusive ? "should be less than" : "should be less than or equal to";
    bool integers = by_integers(n, "Maximum boundary", max);
    int64_t bound = as_integer(max);
    double f = as_double(n->j);
    if (integers && (exclusive ? n->j->v.i >= bound : n->j->v.i > bound))
        custom_invalid(n->c, n->path, n->j, "%s %lld", text, (long long)bound);
    else if (!integers && (exclusive ? f >= max : f > max))
        custom_invalid_float(n->c, n->path, f, text, max);
}

void custom_check_number(struct custom *c, struct schema_at at, const struct schema_rules *r,
                         const struct field_path *path, const struct json *j)
{
    struct number n = {.c = c, .path = path, .j = j, .type = ""};
    n.format = ranged_format(at, &at.schema->extras[r->extra], &n.type);
    c->matches += 2;
    if (j->type == JSON_FLOAT || str_is(str_from_c(n.format), "int32")) /* an integer fits all others */
        holds(&n, "Checked", as_double(j));
    if (r->multiple_of != 0)
        check_multiple(&n, r->multiple_of);
    if (r->has & SCHEMA_HAS_MIN)
        check_min(&n, r->min.f, r->has & SCHEMA_HAS_MIN_EXCLUSIVE);
    if (r->has & SCHEMA_HAS_MAX)
        check_max(&n, r->max.f, r->has & SCHEMA_HAS_MAX_EXCLUSIVE);
}

/* --- enums --- */

/* A number is converted to the type of the other before it is compared. */
static bool is_value(const struct json *j, const struct json *value)
{
    if (j->type == JSON_INT && value->type == JSON_FLOAT)
        return (double)j->v.i == value->v.f;
    if (j->type == JSON_FLOAT && value->type == JSON_INT)
        return as_integer(j->v.f) == value->v.i;
    return json_equal(j, value);
}

/* The text of the schema is read on, value by value: nothing is built for those that are no container. */
static bool is_listed(struct custom *c, str values, const struct json *j)
{
    struct err err = ERR_INIT;
    struct json_reader r;
    json_reader_init(&r, c->arena, values, &err);
    for (json_enter_array(&r); json_next_item(&r);) {
        struct json value;
        if (json_peek(&r) < JSON_ARRAY) {
            value = json_read_scalar(&r);
        } else {
            str text = json_skip(&r);
            if (j->type < JSON_ARRAY || json_parse(c->arena, text, NULL, &value, &err))
                continue;
        }
        if (is_value(j, &value))
            return true;
    }
    return false;
}

/* null is never one of them. */
void custom_check_enum(struct custom *c, struct schema_at at, const struct schema_rules *r,
                       const struct field_path *path, const struct json *j)
{
    str text = schema_text(at.schema, r->values_json);
    struct err err = ERR_INIT;
    struct json values;
    c->steps -= size_min(c->steps, text.n / 4);
    if (j->type != JSON_NULL && is_listed(c, text, j))
        return;
    c->failed = true;
    if (c->errors && json_parse(c->errors->arena, text, NULL, &values, &err) == ERR_NONE)
        custom_not_supported(c, path, j, &values);
}
