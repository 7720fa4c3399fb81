/* validate_embedded.c - objects inside custom resources that are whole ones themselves: what they are must be said. */
#include "api/tree_priv.h"
#include "base/names.h"

static bool is_empty(struct field_errors *errors, const struct field_path *path, const struct json *j)
{
    if (!j)
        field_required(errors, path, STR_NONE);
    else if (j->type != JSON_STRING)
        field_invalid(errors, path, j, S("must be a string"));
    else if (j->n == 0)
        field_invalid(errors, path, j, S("must not be empty"));
    return !j || j->type != JSON_STRING || j->n == 0;
}

static void check_api_version(struct field_errors *errors, const struct field_path *path,
                              const struct json *j)
{
    str rest = json_str(j), part;
    size_t parts = 0;
    if (is_empty(errors, path, j))
        return;
    for (rest = json_str(j); str_cut(rest, '/', &part, &rest); parts++)
        ;
    if (parts > 1)
        field_invalid(
            errors, path, j,
            str_format(errors->arena, "unexpected GroupVersion string: %" STR_FMT, STR_ARG(json_str(j))));
}

static void check_kind(struct field_errors *errors, const struct field_path *path, const struct json *j)
{
    struct name_errors wrong = {.count = 0};
    if (is_empty(errors, path, j) || name_check_dns1035_label(str_lower(errors->arena, json_str(j)), &wrong))
        return;
    struct buf b;
    buf_init_arena(&b, errors->arena, 1 << 12);
    buf_add_lit(&b, "may have mixed case, but should otherwise match: ");
    name_errors_add(&b, &wrong, S(","));
    field_invalid(errors, path, j, buf_str(&b));
}

/* A name that can stand in a path, besides what holds for all metadata. */
static void check_metadata(struct field_errors *errors, const struct field_path *path, const struct json *j)
{
    const struct schema_type *t = schema_type_find(&schema_builtin, S("meta/v1"), S("ObjectMeta"));
    const struct schema_node node = {.kind = SCHEMA_STRUCT, .ref = (uint16_t)(t - schema_builtin.types)};
    struct name_errors wrong = {.count = 0};
    struct field_path name_path = field_path_name(path, S("name"));
    const struct json *name = json_find(j, S("name"));
    if (json_str(name).n)
        name_check_path_segment(json_str(name), &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, &name_path, name, wrong.reasons[i]);
    tree_validate_builtin((struct schema_at){&schema_builtin, &node}, path, j, errors);
}

void tree_validate_embedded(struct field_errors *errors, const struct field_path *path, const struct json *j)
{
    struct field_path api_version = field_path_name(path, S("apiVersion"));
    struct field_path kind = field_path_name(path, S("kind")),
                      metadata = field_path_name(path, S("metadata"));
    check_api_version(errors, &api_version, json_find(j, S("apiVersion")));
    check_kind(errors, &kind, json_find(j, S("kind")));
    const struct json *m = json_find(j, S("metadata"));
    if (m && m->type == JSON_OBJECT)
        check_metadata(errors, &metadata, m);
}
