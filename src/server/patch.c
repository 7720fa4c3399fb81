/* patch.c - PATCH: JSON patch, merge patch, strategic merge patch, and server-side apply. */
#include "api/patch.h"
#include "api/tree.h"
#include "server/managed.h"
#include "server/stages.h"
#include "wire/yaml.h"

enum patch_kind { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY, PATCH_KINDS };

static const str content_types[PATCH_KINDS] = {
    [PATCH_JSON] = S_INIT("application/json-patch+json"),
    [PATCH_MERGE] = S_INIT("application/merge-patch+json"),
    [PATCH_STRATEGIC] = S_INIT("application/strategic-merge-patch+json"),
    [PATCH_APPLY] = S_INIT("application/apply-patch+yaml"),
};

struct patch {
    struct write w; /* first */
    enum patch_kind kind;
    bool is_read;
    struct json document; /* the patch, or the configuration to apply */
};

static bool takes(const struct request *r, enum patch_kind kind)
{
    return kind != PATCH_STRATEGIC || !r->kind->is_custom;
}

static bool find_kind(struct request *r, enum patch_kind *ret)
{
    str type, parameters;
    str_cut(http_header_find(&r->head, S("content-type")), ';', &type, &parameters);
    type = str_trim(type);
    for (int i = 0; i < PATCH_KINDS; i++)
        if (str_eq(content_types[i], type) && takes(r, (enum patch_kind)i)) {
            *ret = (enum patch_kind)i;
            return true;
        }
    return false;
}

static enum stage_result unknown_kind(struct request *r)
{
    struct buf list;
    buf_init_arena(&list, r->arena, 1024);
    for (int i = 0; i < PATCH_KINDS; i++)
        if (takes(r, (enum patch_kind)i)) {
            buf_add(&list, list.n ? S(", ") : STR_NONE);
            buf_add(&list, content_types[i]);
        }
    return answer_failure(
        r, status_make(r->arena, ERR_UNSUPPORTED_MEDIA_TYPE,
                       "the body of the request was in an unknown format - accepted media types "
                       "include: %" STR_FMT,
                       STR_ARG(buf_str(&list))));
}

/* What only one of patch and apply may say. */
static enum stage_result check_params(struct request *r, enum patch_kind kind)
{
    const char *what = NULL;
    if (kind == PATCH_APPLY && !r->params.field_manager.n)
        what = "fieldManager: Required value: is required for apply patch";
    else if (kind != PATCH_APPLY && r->params.has_force)
        what = "force: Forbidden: may not be specified for non-apply patch";
    return what ? answer_failure(r, status_make(r->arena, ERR_INVALID,
                                                "PatchOptions.meta.k8s.io \"\" is invalid: %s", what))
                : STAGE_NEXT;
}

static enum stage_result read_document(struct request *r, struct patch *p)
{
    struct err err = ERR_INIT;
    err_code code;
    struct json_opts opts = {.names = schema_builtin.names};
    if (p->kind == PATCH_APPLY)
        code = yaml_parse(r->arena, buf_str(&r->body), &(struct yaml_opts){.names = schema_builtin.names},
                          &p->document, &err);
    else
        code = json_parse(r->arena, buf_str(&r->body), &opts, &p->document, &err);
    p->is_read = true;
    if (code && p->kind == PATCH_APPLY)
        return answer_failure(r, status_make(r->arena, ERR_BAD_REQUEST, "error decoding YAML: %s", err.msg));
    return code ? answer_failure(r,
                                 status_make(r->arena, ERR_BAD_REQUEST, "error decoding patch: %s", err.msg))
                : STAGE_NEXT;
}

/* --- patches --- */

static enum stage_result patch_failed(struct request *r, const struct err *err)
{
    if (err->code == ERR_INVALID) {
        struct status st = status_make(r->arena, ERR_INVALID, "%s", PATCH_INVALID_MESSAGE);
        return answer_failure(r, st);
    }
    if (err->code == ERR_INTERNAL)
        return answer_failure(
            r, (struct status){.code = 500, .message = str_dup(r->arena, str_from_c(err->msg))});
    return answer_err(r, err);
}

struct complaints_ctx {
    struct request *r;
    struct buf text; /* all of them, for strict reading */
    size_t count;
};

static void add_unknown(void *ctx, str path)
{
    struct complaints_ctx *c = ctx;
    str text = str_format(c->r->arena, "unknown field \"%" STR_FMT "\"", STR_ARG(path));
    if (c->r->params.field_validation == VALIDATION_WARN)
        request_warn(c->r, text);
    if (c->count++)
        buf_add_lit(&c->text, ", ");
    buf_add(&c->text, text);
}

static str text_at(const struct json *tree, str name)
{
    return json_str(json_get(tree, S("metadata"), name));
}

/* What came out of the patch is not an object of this kind. */
static enum stage_result no_object(struct request *r, const struct json *patched, str why)
{
    static const struct served_kind none = {0};
    struct field_errors errors;
    struct field_path root = FIELD_PATH_OF_ROOT, at = field_path_name(&root, S("patch"));
    struct buf text;
    buf_init_arena(&text, r->arena, OBJECT_SIZE_MAX);
    json_print(&text, patched, 0);
    struct json value = json_of_str(buf_str(&text));
    field_errors_init(&errors, r->arena);
    field_invalid(&errors, &at, &value, why);
    return answer_failure(r, status_invalid(r->arena, &none, STR_NONE, &errors));
}

static enum stage_result make_patched(struct request *r, struct write *w, struct json *ret)
{
    struct patch *p = (struct patch *)w;
    const struct served_kind *k = r->kind;
    struct err err = ERR_INIT;
    struct json patched;
    err_code code = ERR_NONE;
    switch (p->kind) {
    case PATCH_JSON: code = patch_json(r->arena, &w->old_tree, &p->document, NULL, &patched, &err); break;
    case PATCH_MERGE: code = patch_merge(r->arena, &w->old_tree, &p->document, &patched, &err); break;
    case PATCH_STRATEGIC:
        code = patch_strategic(r->arena, k->schema, k->type, &w->old_tree, &p->document, &patched, &err);
        break;
    case PATCH_APPLY:
    case PATCH_KINDS: break;
    }
    if (code)
        return patch_failed(r, &err);
    struct complaints_ctx c = {.r = r};
    buf_init_arena(&c.text, r->arena, 1 << 20);
    struct tree_report report = {.on_unknown = add_unknown, .ctx = &c};
    if (tree_normalise(r->arena, k->schema, k->type, &patched, &report, ret, &err))
        return p->kind == PATCH_STRATEGIC ? answer_err(r, &err) : no_object(r, &patched, str_from_c(err.msg));
    if (c.count && r->params.field_validation == VALIDATION_STRICT)
        return no_object(r, p->kind == PATCH_STRATEGIC ? &p->document : &patched,
                         str_format(r->arena, "strict decoding error: %" STR_FMT, STR_ARG(buf_str(&c.text))));
    str version = text_at(ret, S("resourceVersion")), uid = text_at(ret, S("uid"));
    int64_t revision;
    if (version.n && (!str_parse_i64(version, &revision) || revision != w->old->revision))
        return answer_failure(r, status_modified(r->arena, k, w->name));
    if (uid.n && !str_eq(uid, object_uid(w->old)))
        return answer_failure(r,
                              status_conflict(r->arena, k, w->name,
                                              str_format(r->arena,
                                                         "Precondition failed: UID in precondition: %" STR_FMT
                                                         ", UID in object meta: %" STR_FMT,
                                                         STR_ARG(uid), STR_ARG(object_uid(w->old)))));
    w->forgets = apply_is_reset(&patched);
    return STAGE_NEXT;
}

/* --- apply --- */

static enum stage_result conflicts(struct request *r, const struct apply_result *result)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < result->conflict_count; i++)
        count += result->conflicts[i].path_count;
    struct status_cause *causes = ARENA_ARRAY(r->arena, struct status_cause, count);
    for (size_t i = 0; i < result->conflict_count; i++)
        for (size_t k = 0; k < result->conflicts[i].path_count; k++)
            causes[at++] = (struct status_cause){.reason = S("FieldManagerConflict"),
                                                 .message = str_format(r->arena, "conflict with %" STR_FMT,
                                                                       STR_ARG(result->conflicts[i].manager)),
                                                 .field = result->conflicts[i].paths[k]};
    struct status st = {.code = 409,
                        .reason = S("Conflict"),
                        .message = result->message,
                        .causes = causes,
                        .cause_count = count};
    return answer_failure(r, st);
}

static enum stage_result make_applied(struct request *r, struct write *w, struct json *ret)
{
    struct patch *p = (struct patch *)w;
    const struct served_kind *k = r->kind;
    struct apply_who who;
    struct apply_result result = {0};
    struct err err = ERR_INIT;
    str name = text_at(&p->document, S("name"));
    if (name.n && !str_eq(name, w->name))
        return answer_failure(r, status_make(r->arena, ERR_BAD_REQUEST,
                                             "the name of the object (%" STR_FMT
                                             ") does not match the name on the URL (%" STR_FMT ")",
                                             STR_ARG(name), STR_ARG(w->name)));
    managed_who(r, &who);
    err_code code = apply_config(r->arena, k->schema, k->type, w->old ? &w->old_tree : NULL, &p->document,
                                 &who, r->params.force, &result, &err);
    if (code == ERR_CONFLICT)
        return conflicts(r, &result);
    if (code == ERR_INTERNAL)
        return answer_failure(
            r, (struct status){.code = 500, .message = str_dup(r->arena, str_from_c(err.msg))});
    if (code)
        return answer_err(r, &err);
    if (w->old && result.unchanged)
        return answer_object(r, 200, w->old);
    *ret = result.tree;
    struct json *m = json_find(ret, S("metadata"));
    if (!m)
        m = json_set(r->arena, ret, S("metadata"), json_object());
    json_set(r->arena, m, S("name"), json_of_str(w->name));
    w->is_tracked = true;
    return STAGE_NEXT;
}

enum stage_result act_patch(struct request *r)
{
    struct patch *p = (struct patch *)write_begin_sized(r, sizeof *p);
    enum stage_result result;
    if (!p->is_read) {
        if (!find_kind(r, &p->kind))
            return unknown_kind(r);
        if ((result = check_params(r, p->kind)) != STAGE_NEXT || (result = read_document(r, p)) != STAGE_NEXT)
            return result;
        p->w.make = p->kind == PATCH_APPLY ? make_applied : make_patched;
        p->w.may_create = p->kind == PATCH_APPLY && !r->at.subresource.n;
    }
    return write_run(r, &p->w);
}
