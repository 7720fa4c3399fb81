/* scale.c - the scale subresource: how many replicas, as a document of its own (autoscaling/v1 Scale) whatever the kind. Read
 * from the object, written into its spec.replicas. */
#include "api/patch.h"
#include "api/tree.h"
#include "base/selector.h"
#include "server/managed.h"
#include "server/stages.h"
#include "server/subresources.h"

struct scaling {
    struct write w; /* first */
    bool is_read;
    struct json document; /* a Scale, or a patch of one */
    str patch_type;       /* empty: a Scale */
};

static const struct schema_type *scale_type(void)
{
    return schema_type_find(&schema_builtin, S("autoscaling/v1"), S("Scale"));
}

/* --- the selector as text --- */

static enum selector_op operator_of(str op)
{
    return str_is(op, "In")       ? SELECTOR_IN
           : str_is(op, "NotIn")  ? SELECTOR_NOT_IN
           : str_is(op, "Exists") ? SELECTOR_EXISTS
                                  : SELECTOR_NOT_EXISTS;
}

static str selector_text(struct arena *a, const struct json *selector)
{
    const struct json *labels = json_find(selector, S("matchLabels")),
                      *expressions = json_find(selector, S("matchExpressions"));
    struct label_requirement *terms;
    struct label_selector sel;
    struct buf out;
    struct err err = ERR_INIT;
    size_t count = 0;
    if (!labels && !expressions) /* a ReplicationController's is the labels alone */
        labels = selector;
    terms = ARENA_ARRAY(a, struct label_requirement, json_count(labels) + json_count(expressions));
    for (uint32_t i = 0; i < json_count(labels); i++) {
        str value = json_str(&labels->v.members[i].value);
        count += !label_requirement_make(a, json_member_name(&labels->v.members[i]), SELECTOR_EQUALS, &value,
                                         1, &terms[count], &err);
    }
    for (size_t i = 0; i < json_count(expressions); i++) {
        const struct json *e = json_at(expressions, i), *values = json_find(e, S("values"));
        str *texts = ARENA_ARRAY(a, str, json_count(values));
        for (size_t k = 0; k < json_count(values); k++)
            texts[k] = json_str(json_at(values, k));
        count += !label_requirement_make(a, json_str(json_find(e, S("key"))),
                                         operator_of(json_str(json_find(e, S("operator")))), texts,
                                         json_count(values), &terms[count], &err);
    }
    sel = label_selector_of(terms, count);
    buf_init_arena(&out, a, 1 << 20);
    label_selector_format(&out, &sel);
    return buf_str(&out);
}

/* --- the document --- */

static struct json scale_of(struct arena *a, const struct json *tree)
{
    static const str kept[] = {S_INIT("name"), S_INIT("namespace"), S_INIT("uid"), S_INIT("resourceVersion"),
                               S_INIT("creationTimestamp")};
    const struct json *m = json_find(tree, S("metadata"));
    struct json scale = json_object(), metadata = json_object(), spec = json_object(), status = json_object();
    int64_t replicas = 0, current = 0;
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
        const struct json *v = json_find(m, kept[i]);
        if (v)
            json_add(a, &metadata, kept[i], *v);
    }
    json_int(json_get(tree, S("spec"), S("replicas")), &replicas);
    json_int(json_get(tree, S("status"), S("replicas")), &current);
    if (replicas)
        json_add(a, &spec, S("replicas"), json_of_int(replicas));
    json_add(a, &status, S("replicas"), json_of_int(current));
    str selector = selector_text(a, json_get(tree, S("spec"), S("selector")));
    if (selector.n)
        json_add(a, &status, S("selector"), json_of_str(selector));
    json_add(a, &scale, S("kind"), json_of_str(S("Scale")));
    json_add(a, &scale, S("apiVersion"), json_of_str(S("autoscaling/v1")));
    json_add(a, &scale, S("metadata"), metadata);
    json_add(a, &scale, S("spec"), spec);
    json_add(a, &scale, S("status"), status);
    return scale;
}

static enum stage_result answer_scale(struct request *r, struct write *w, int code, const struct object *o)
{
    struct json tree, scale;
    struct buf out;
    struct err err = ERR_INIT;
    (void)w;
    if (write_read_tree(r->arena, r->kind, o, &tree, &err))
        return answer_err(r, &err);
    scale = scale_of(r->arena, &tree);
    buf_init_arena(&out, r->arena, 1 << 20);
    json_print(&out, &scale, 0);
    buf_add_c(&out, '\n');
    return answer_json(r, code, buf_str(&out));
}

enum stage_result act_scale_get(struct request *r)
{
    enum stage_result result = request_read(r, 0);
    if (result != STAGE_NEXT)
        return result;
    const struct object *o = snapshot_find(r->read.snapshot,
                                           (struct object_key){r->resource, r->ns, r->at.name});
    return o ? answer_scale(r, NULL, 200, o)
             : answer_failure(r, status_not_found(r->arena, r->kind, r->at.name));
}

/* --- writing --- */

static enum stage_result negative(struct request *r, struct write *w, int64_t replicas)
{
    static const struct served_kind scale = {.kind = S_INIT("Scale"), .group = S_INIT("autoscaling")};
    struct field_errors errors;
    struct field_path root = FIELD_PATH_OF_ROOT, spec = field_path_name(&root, S("spec")),
                      at = field_path_name(&spec, S("replicas"));
    struct json value = json_of_int(replicas);
    field_errors_init(&errors, r->arena);
    field_invalid(&errors, &at, &value, S("must be greater than or equal to 0"));
    return answer_failure(r, status_invalid(r->arena, &scale, w->name, &errors));
}

/* The Scale that is wanted. */
static err_code wanted(struct request *r, struct scaling *s, struct json *ret, struct err *err)
{
    struct json patched, before = scale_of(r->arena, &s->w.old_tree);
    err_code code = ERR_NONE;
    if (!s->patch_type.n) {
        *ret = s->document;
        return ERR_NONE;
    }
    if (str_is(s->patch_type, "application/json-patch+json"))
        code = patch_json(r->arena, &before, &s->document, NULL, &patched, err);
    else if (str_is(s->patch_type, "application/merge-patch+json"))
        code = patch_merge(r->arena, &before, &s->document, &patched, err);
    else
        code = patch_strategic(r->arena, &schema_builtin, scale_type(), &before, &s->document, &patched, err);
    if (code == ERR_INVALID)
        return err_set(err, ERR_INVALID, "%s", PATCH_INVALID_MESSAGE);
    return code ? code : tree_normalise(r->arena, &schema_builtin, scale_type(), &patched, NULL, ret, err);
}

static enum stage_result make_scaled(struct request *r, struct write *w, struct json *ret)
{
    struct scaling *s = (struct scaling *)w;
    struct json scale;
    struct err err = ERR_INIT;
    int64_t replicas = 0, revision;
    if (wanted(r, s, &scale, &err))
        return answer_err(r, &err);
    str version = json_str(json_get(&scale, S("metadata"), S("resourceVersion")));
    if (version.n && (!str_parse_i64(version, &revision) || revision != w->old->revision))
        return answer_failure(r, status_modified(r->arena, r->kind, w->name));
    json_int(json_get(&scale, S("spec"), S("replicas")), &replicas);
    if (replicas < 0)
        return negative(r, w, replicas);
    *ret = json_clone(r->arena, &w->old_tree);
    struct json *spec = json_find(ret, S("spec"));
    if (!spec)
        spec = json_set(r->arena, ret, S("spec"), json_object());
    json_set(r->arena, spec, S("replicas"), json_of_int(replicas));
    return STAGE_NEXT;
}

static struct scaling *begin(struct request *r)
{
    struct scaling *s = (struct scaling *)write_begin_sized(r, sizeof *s);
    s->w.make = make_scaled;
    s->w.answer = answer_scale;
    return s;
}

enum stage_result act_scale_update(struct request *r)
{
    struct scaling *s = begin(r);
    struct tree_complaints complaints;
    enum tree_format format;
    struct err err = ERR_INIT;
    if (!s->is_read) {
        if (tree_format_of(http_header_find(&r->head, S("content-type")), &schema_builtin, &format, &err) ||
            tree_read(r->arena, &schema_builtin, scale_type(), format, buf_str(&r->body), &complaints,
                      &s->document, &err)) {
            err.code = err.code == ERR_SYNTAX ? ERR_BAD_REQUEST : err.code;
            return answer_err(r, &err);
        }
        s->is_read = true;
    }
    return write_run(r, &s->w);
}

enum stage_result act_scale_patch(struct request *r)
{
    struct scaling *s = begin(r);
    struct err err = ERR_INIT;
    str parameters;
    if (!s->is_read) {
        str_cut(http_header_find(&r->head, S("content-type")), ';', &s->patch_type, &parameters);
        if (!str_is(s->patch_type, "application/json-patch+json") &&
            !str_is(s->patch_type, "application/merge-patch+json") &&
            !str_is(s->patch_type, "application/strategic-merge-patch+json"))
            return answer_failure(
                r, status_make(
                       r->arena, ERR_UNSUPPORTED_MEDIA_TYPE,
                       "the body of the request was in an unknown format - accepted media types include: "
                       "application/json-patch+json, application/merge-patch+json, "
                       "application/strategic-merge-patch+json"));
        if (json_parse(r->arena, buf_str(&r->body), NULL, &s->document, &err))
            return answer_failure(
                r, status_make(r->arena, ERR_BAD_REQUEST, "error decoding patch: %s", err.msg));
        s->is_read = true;
    }
    return write_run(r, &s->w);
}
