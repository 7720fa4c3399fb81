/* table_custom.c - columns of custom resources: JSONPath over the object as it is served. */
#include "api/table_priv.h"
#include "wire/jsonpath.h"

static err_code too_large(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "more than %d columns", TABLE_CUSTOM_COLUMNS_MAX);
}

/* Help for the two columns that are always those of metadata. */
static str help_of_meta(str name)
{
    const struct schema *s = &schema_builtin;
    const struct schema_type *meta = schema_type_find(s, S("meta/v1"), S("ObjectMeta"));
    return schema_text(s, schema_field_find(s, meta, name)->help);
}

static err_code compile_path(struct kind_table *t, struct table_column *c, str path, struct err *err)
{
    struct err why = ERR_INIT;
    str template = str_join(&t->arena, (const str[]){S("{"), path, S("}")}, 3, STR_NONE);
    if (jsonpath_compile(&t->arena, template, &c->path, &why))
        return err_set(err, ERR_INVALID, "unrecognized column definition \"%" STR_FMT "\"", STR_ARG(path));
    return ERR_NONE;
}

static str member_text(struct arena *a, const struct json *object, str name)
{
    const struct json *j = json_find(object, name);
    return j ? str_dup(a, json_str(j)) : S("");
}

static err_code add_column(struct kind_table *t, struct table_column *c, const struct json *from,
                           struct err *err)
{
    struct arena *a = &t->arena;
    const struct json *priority = json_find(from, S("priority"));
    str path = member_text(a, from, S("jsonPath"));
    *c = (struct table_column){
        .name = member_text(a, from, S("name")),
        .type = member_text(a, from, S("type")),
        .format = member_text(a, from, S("format")),
        .help = member_text(a, from, S("description")),
    };
    if (c->help.n == 0)
        c->help = str_concat(a, S("Custom resource definition column (in JSONPath format): "), path);
    if (priority)
        (void)json_int(priority, &c->priority);
    return compile_path(t, c, path, err);
}

static err_code add_all(struct kind_table *t, const struct json *columns, struct err *err)
{
    t->columns[0] = (struct table_column){
        .name = S("Name"),
        .type = S("string"),
        .format = S("name"),
        .help = help_of_meta(S("name")),
    };
    if (compile_path(t, &t->columns[0], S(".metadata.name"), err))
        return err->code;
    for (size_t i = 0; i < json_count(columns); i++)
        if (add_column(t, &t->columns[1 + i], json_at(columns, i), err))
            return err->code;
    if (json_count(columns))
        return ERR_NONE;
    t->columns[1] = (struct table_column){
        .name = S("Age"),
        .type = S("date"),
        .help = help_of_meta(S("creationTimestamp")),
    };
    return compile_path(t, &t->columns[1], S(".metadata.creationTimestamp"), err);
}

err_code table_new_custom(const struct json *columns, struct kind_table **ret, struct err *err)
{
    static const struct json none = {.type = JSON_ARRAY};
    columns = columns && columns->type == JSON_ARRAY ? columns : &none;
    if (json_count(columns) > TABLE_CUSTOM_COLUMNS_MAX)
        return too_large(err);
    struct kind_table *t = table_alloc(json_count(columns) ? 1 + json_count(columns) : 2);
    if (add_all(t, columns, err)) {
        table_free(t);
        return err->code;
    }
    *ret = t;
    return ERR_NONE;
}

/* --- cells --- */

static void print_as_text(struct row *r, const struct json *value)
{
    if (value->type == JSON_NULL) {
        cell(r, S("<no value>"));
        return;
    }
    const struct jsonpath_piece piece = {&value, 1};
    const struct jsonpath_found found = {&piece, 1};
    jsonpath_print_found(cell_begin(r), r->arena, &found, 0);
    cell_end(r, STR_NONE);
}

static void print_as_integer(struct row *r, const struct json *value)
{
    if (value->type == JSON_INT)
        cell_int(r, value->v.i);
    else if (value->type != JSON_FLOAT)
        cell_null(r);
    else if (value->v.f >= -0x1p63 && value->v.f < 0x1p63)
        cell_int(r, (int64_t)value->v.f);
    else
        cell_int(r, INT64_MIN); /* as the original's machine converts it */
}

static void print_as_number(struct row *r, const struct json *value)
{
    if (value->type != JSON_INT && value->type != JSON_FLOAT) {
        cell_null(r);
        return;
    }
    out_item(&r->out);
    json_print_float(r->out.to, value->type == JSON_INT ? (double)value->v.i : value->v.f);
}

static void print_as_date(struct row *r, const struct json *value)
{
    struct err ignored = ERR_INIT;
    struct kube_time t = {.sec = 0};
    str text = json_str(value);
    if (value->type != JSON_STRING)
        cell_null(r);
    else if (text.n && !str_is(text, "null") && kube_time_parse(text, &t, &ignored))
        cell(r, S("<invalid>"));
    else
        cell_since(r, t);
}

static void print_value(struct row *r, str type, const struct json *value)
{
    if (str_is(type, "string"))
        print_as_text(r, value);
    else if (str_is(type, "integer"))
        print_as_integer(r, value);
    else if (str_is(type, "number"))
        print_as_number(r, value);
    else if (str_is(type, "date"))
        print_as_date(r, value);
    else if (str_is(type, "boolean") && (value->type == JSON_TRUE || value->type == JSON_FALSE))
        cell_bool(r, json_bool(value));
    else
        cell_null(r);
}

/* The first value that the path finds; NULL: none. */
static const struct json *find_first(struct row *r, const struct jsonpath *path, const struct json *object)
{
    struct err ignored = ERR_INIT;
    struct jsonpath_found found;
    if (jsonpath_find(path, r->arena, object, JSONPATH_ALLOW_MISSING, &found, &ignored) || found.count == 0 ||
        found.pieces[0].count == 0)
        return NULL;
    return found.pieces[0].values[0];
}

void table_custom_cells(struct row *r, const struct kind_table *t, str content)
{
    struct err ignored = ERR_INIT;
    struct json object;
    bool is_read = json_parse(r->arena, content, NULL, &object, &ignored) == ERR_NONE;
    for (size_t i = 0; i < t->column_count; i++) {
        const struct table_column *c = &t->columns[i];
        const struct json *value = is_read ? find_first(r, c->path, &object) : NULL;
        if (value)
            print_value(r, c->type, value);
        else
            cell_null(r);
    }
}
