/* validate_custom_tell.c - the words of what is wrong with a custom resource. */
#include "api/validate_custom.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 1 << 16 };

/* Noted; true: somebody wants to know. */
static bool failing(struct custom *c)
{
    c->failed = true;
    if (c->errors && c->errors->count == FIELD_ERRORS_MAX)
        c->errors->lost++;
    return c->errors && c->errors->count < FIELD_ERRORS_MAX;
}

/* "spec.list[0].map.key", from the value that is looked at. */
static void add_place(struct buf *out, const struct field_path *p)
{
    if (p->kind == FIELD_PATH_ROOT)
        return;
    add_place(out, p->parent);
    if (p->kind == FIELD_PATH_INDEX) {
        buf_add_f(out, "[%zu]", p->index);
        return;
    }
    if (out->n)
        buf_add_c(out, '.');
    buf_add(out, p->name);
}

static str place_of(struct custom *c, const struct field_path *path)
{
    struct buf b;
    buf_init_arena(&b, c->errors->arena, TEXT_MAX);
    add_place(&b, path);
    return buf_str(&b);
}

/* Where an error is said to be. */
static struct field_path error_path(struct custom *c, str place)
{
    if (c->base)
        return place.n ? field_path_name(c->base, place) : *c->base;
    static const struct field_path nowhere = {.kind = FIELD_PATH_ROOT};
    return field_path_name(&nowhere, place.n ? place : S("<nil>"));
}

static void told(struct custom *c)
{
    field_errors_drop_repeated(c->errors);
}

static void invalid(struct custom *c, str place, const struct json *value, str text)
{
    struct field_path at = error_path(c, place);
    field_invalid(c->errors, &at, value,
                  str_join(c->errors->arena, (const str[]){place, text}, 2, S(" in body ")));
    told(c);
}

void custom_invalid(struct custom *c, const struct field_path *path, const struct json *value,
                    const char *fmt, ...)
{
    if (!failing(c))
        return;
    struct buf b;
    va_list ap;
    buf_init_arena(&b, c->errors->arena, TEXT_MAX);
    va_start(ap, fmt);
    buf_add_vf(&b, fmt, ap);
    va_end(ap);
    invalid(c, place_of(c, path), value, buf_str(&b));
}

void custom_invalid_count(struct custom *c, const struct field_path *path, size_t count, const char *text,
                          size_t bound)
{
    if (!failing(c))
        return;
    struct json shown = json_of_int((int64_t)count);
    str s = str_format(c->errors->arena, "should have at least %zu %s", bound, text);
    invalid(c, place_of(c, path), &shown, s);
}

void custom_duplicates(struct custom *c, const struct field_path *path)
{
    struct json empty = json_of_str(S(""));
    if (failing(c))
        invalid(c, place_of(c, path), &empty, S("shouldn't contain duplicates"));
}

/* As Go's %v: the fewest digits that read back as the same, an exponent from 1e+06 on and below 0.0001. */
static void add_float(struct buf *out, double f)
{
    char text[40];
    int digits = 0;
    int64_t exponent = 0;
    do
        snprintf(text, sizeof text, "%.*e", digits, f);
    while (strtod(text, NULL) != f && ++digits < 17);
    str behind = str_from(str_from_c(text), str_index_c(str_from_c(text), 'e') + 1);
    if (str_parse_i64(str_from(behind, 1), &exponent) && behind.p[0] == '-')
        exponent = -exponent;
    if (exponent >= -4 && exponent < 6)
        snprintf(text, sizeof text, "%.*f", digits > exponent ? (int)(digits - exponent) : 0, f);
    buf_add(out, str_from_c(text));
}

void custom_invalid_float(struct custom *c, const struct field_path *path, double value, const char *text,
                          double bound)
{
    if (!failing(c))
        return;
    struct field_path at = error_path(c, place_of(c, path));
    struct buf shown, detail;
    buf_init_arena(&shown, c->errors->arena, TEXT_MAX);
    buf_init_arena(&detail, c->errors->arena, TEXT_MAX);
    add_float(&shown, value);
    add_place(&detail, path);
    buf_add_f(&detail, " in body %s ", text);
    add_float(&detail, bound);
    field_invalid_shown(c->errors, &at, buf_str(&shown), buf_str(&detail));
    told(c);
}

/* "must be of type integer: "string"". */
static void wrong(struct custom *c, const struct field_path *path, const struct json *value, str wanted,
                  str got)
{
    str place = place_of(c, path);
    struct field_path at = error_path(c, place);
    struct buf b;
    buf_init_arena(&b, c->errors->arena, TEXT_MAX);
    buf_add(&b, place);
    buf_add_lit(&b, " in body must be of type ");
    buf_add(&b, wanted);
    buf_add_lit(&b, ": ");
    utf8_add_quoted(&b, got);
    field_type_invalid(c->errors, &at, value, buf_str(&b));
    told(c);
}

void custom_wrong_type(struct custom *c, const struct field_path *path, str wanted, const char *got)
{
    struct json shown = json_of_str(str_from_c(got));
    if (failing(c))
        wrong(c, path, &shown, wanted, str_from_c(got));
}

void custom_wrong_format(struct custom *c, const struct field_path *path, const struct json *value,
                         str format)
{
    if (failing(c))
        wrong(c, path, value, format, json_str(value));
}

void custom_too_long(struct custom *c, const struct field_path *path, size_t max)
{
    if (!failing(c))
        return;
    struct field_path at = error_path(c, place_of(c, path));
    field_too_long(c->errors, &at, max);
    told(c);
}

void custom_too_many(struct custom *c, const struct field_path *path, size_t count, size_t max)
{
    if (!failing(c))
        return;
    struct field_path at = error_path(c, place_of(c, path));
    field_too_many(c->errors, &at, count, max);
    told(c);
}

void custom_required(struct custom *c, const struct field_path *path, str name)
{
    if (!failing(c))
        return;
    struct field_path inside = field_path_name(path, name), at = error_path(c, place_of(c, &inside));
    field_required(c->errors, &at, STR_NONE);
    told(c);
}

void custom_not_supported(struct custom *c, const struct field_path *path, const struct json *value,
                          const struct json *supported)
{
    if (!failing(c))
        return;
    struct field_path at = error_path(c, place_of(c, path));
    str *texts = ARENA_ARRAY(c->errors->arena, str, json_count(supported));
    for (size_t i = 0; i < json_count(supported); i++) {
        const struct json *item = json_at(supported, i);
        struct buf b;
        buf_init_arena(&b, c->errors->arena, TEXT_MAX);
        if (item->type != JSON_STRING)
            json_print(&b, item, 0);
        texts[i] = item->type == JSON_STRING ? json_str(item) : buf_str(&b);
    }
    field_not_supported_in_order(c->errors, &at, value, texts, json_count(supported));
    told(c);
}

void custom_somewhere(struct custom *c, const struct field_path *path, str before, const char *after, ...)
{
    if (!failing(c))
        return;
    struct json empty = json_of_str(S(""));
    struct field_path at = error_path(c, STR_NONE);
    struct buf b;
    va_list ap;
    buf_init_arena(&b, c->errors->arena, TEXT_MAX);
    buf_add(&b, before);
    buf_add(&b, place_of(c, path));
    va_start(ap, after);
    buf_add_vf(&b, after, ap);
    va_end(ap);
    field_invalid(c->errors, &at, &empty, buf_str(&b));
    told(c);
}
