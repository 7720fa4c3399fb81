/* tree_read.c - a body from outside: parsed, normalised, and what strict decoding would complain about. */
#include "api/tree.h"

void tree_complaints_add(struct tree_complaints *c, const char *what, str path)
{
    if (c->count == TREE_COMPLAINTS_MAX)
        return;
    str text = str_format(c->arena, "%s field \"%" STR_FMT "\"", what, STR_ARG(path));
    for (size_t i = 0; i < c->count; i++)
        if (str_eq(c->items[i], text))
            return;
    c->items[c->count++] = text;
}

static void add_duplicate(void *ctx, str path)
{
    tree_complaints_add(ctx, "duplicate", path);
}

static void add_unknown(void *ctx, str path)
{
    tree_complaints_add(ctx, "unknown", path);
}

err_code tree_read(struct arena *a, const struct schema *s, const struct schema_type *t, str text,
                   struct tree_complaints *ret_complaints, struct json *ret, struct err *err)
{
    *ret_complaints = (struct tree_complaints){.arena = a};
    struct json_opts opts = {
        .names = schema_builtin.names, .on_duplicate = add_duplicate, .ctx = ret_complaints};
    struct tree_report report = {.on_unknown = add_unknown, .ctx = ret_complaints};
    struct json in;
    if (json_parse(a, text, &opts, &in, err))
        return err->code;
    return tree_normalise(a, s, t, &in, &report, ret, err);
}
