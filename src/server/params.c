/* params.c - query parameters. */
#include "server/params.h"
#include "base/arena.h"
#include "base/base64.h"

bool param_find(struct request *r, str name, str *ret)
{
    struct err err = ERR_INIT;
    str rest = r->query, key, value;
    while (http_query_next(r->arena, &rest, &key, &value, &err))
        if (str_eq(key, name)) {
            *ret = value;
            return true;
        }
    return false;
}

static bool is_true(str v)
{
    return !str_is(v, "0") && !str_eq_nocase(v, S("false"));
}

bool param_bool(struct request *r, str name)
{
    str v;
    return param_find(r, name, &v) && is_true(v);
}

static err_code read_number(str name, str v, int64_t *ret, struct err *err)
{
    if (!v.n || str_parse_i64(v, ret))
        return ERR_NONE;
    return err_set(err, ERR_BAD_REQUEST,
                   "unable to convert %" STR_FMT ": strconv.ParseInt: parsing \"%" STR_FMT
                   "\": invalid syntax",
                   STR_ARG(name), STR_ARG(v));
}

static err_code read_revision(struct list_params *p, struct err *err)
{
    uint64_t revision = 0;
    if (!p->resource_version.n)
        return ERR_NONE;
    if (!str_parse_u64(p->resource_version, &revision) || revision > INT64_MAX)
        return err_set(err, ERR_BAD_REQUEST,
                       "resourceVersion: Invalid value: \"%" STR_FMT
                       "\": strconv.ParseUint: parsing \"%" STR_FMT "\": invalid syntax",
                       STR_ARG(p->resource_version), STR_ARG(p->resource_version));
    p->revision = (int64_t)revision;
    return ERR_NONE;
}

/* Which combinations there are. */
static err_code check_combination(const struct list_params *p, struct err *err)
{
    str match = p->resource_version_match;
    const char *what = NULL;
    if (p->has_send_initial_events && p->send_initial_events && !p->watch)
        what = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list";
    else if (p->has_send_initial_events && p->watch && !str_is(match, "NotOlderThan"))
        what = "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
               "NotOlderThan";
    else if (match.n && p->watch && !p->has_send_initial_events)
        what = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless "
               "sendInitialEvents is provided";
    else if (match.n && !p->resource_version.n && !p->watch)
        what = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is "
               "provided";
    else if (match.n && p->continue_token.n)
        what = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided";
    else if (match.n && !str_is(match, "Exact") && !str_is(match, "NotOlderThan"))
        return err_set(err, ERR_INVALID,
                       "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Unsupported value: "
                       "\"%" STR_FMT "\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
                       STR_ARG(match));
    else if (str_is(match, "Exact") && str_is(p->resource_version, "0"))
        what = "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for "
               "resourceVersion \"0\"";
    if (what)
        return err_set(err, ERR_INVALID, "ListOptions.meta.k8s.io \"\" is invalid: %s", what);
    return ERR_NONE;
}

static err_code read_one(struct request *r, struct list_params *p, str name, str v, struct err *err)
{
    if (str_is(name, "labelSelector"))
        return label_selector_parse(r->arena, v, &p->labels, err)
                   ? err_wrap_as(err, ERR_BAD_REQUEST, "unable to parse requirement")
                   : ERR_NONE;
    if (str_is(name, "fieldSelector"))
        return field_selector_parse(r->arena, v, &p->fields, err) ? (err->code = ERR_BAD_REQUEST) : ERR_NONE;
    if (str_is(name, "resourceVersion"))
        p->resource_version = v;
    else if (str_is(name, "resourceVersionMatch"))
        p->resource_version_match = v;
    else if (str_is(name, "continue"))
        p->continue_token = v;
    else if (str_is(name, "limit"))
        return read_number(name, v, &p->limit, err);
    else if (str_is(name, "timeoutSeconds"))
        return read_number(name, v, &p->timeout_s, err);
    else if (str_is(name, "watch"))
        p->watch = is_true(v);
    else if (str_is(name, "allowWatchBookmarks"))
        p->allow_bookmarks = is_true(v);
    else if (str_is(name, "sendInitialEvents")) {
        p->has_send_initial_events = true;
        p->send_initial_events = is_true(v);
    }
    return ERR_NONE;
}

/* Of the field selector: only what the kind knows; a name that is required bounds the answer to one object. */
static err_code check_fields(struct request *r, struct list_params *p, struct err *err)
{
    const struct served_kind *k = r->kind;
    for (size_t i = 0; i < p->fields.count; i++) {
        str field = p->fields.requirements[i].field;
        bool known = str_is(field, "metadata.name") || (k->namespaced && str_is(field, "metadata.namespace"));
        for (size_t n = 0; n < k->selectable.count && !known; n++)
            known = str_eq(k->selectable.items[n], field);
        if (!known)
            return err_set(err, ERR_BAD_REQUEST, "field label not supported: %" STR_FMT, STR_ARG(field));
    }
    p->has_name = field_selector_requires(&p->fields, S("metadata.name"), &p->name);
    return ERR_NONE;
}

err_code list_params_read(struct request *r, struct list_params *ret, struct err *err)
{
    struct err syntax = ERR_INIT;
    str rest = r->query, name, value;
    *ret = (struct list_params){0};
    ret->watch = str_is(r->at.verb, "watch");
    while (http_query_next(r->arena, &rest, &name, &value, &syntax))
        if (read_one(r, ret, name, value, err))
            return err->code;
    if (syntax.code) {
        *err = syntax;
        return err->code;
    }
    if (read_revision(ret, err) || check_combination(ret, err) || check_fields(r, ret, err))
        return err->code;
    return ERR_NONE;
}

/* --- continue tokens --- */

void continue_token_print(struct arena *a, int64_t revision, const struct object_range *range,
                          struct object_key last, str *ret)
{
    struct buf text, out;
    buf_init_arena(&text, a, 8192);
    buf_init_arena(&out, a, 16384);
    struct buf start;
    buf_init_arena(&start, a, 8192);
    if (range->all_namespaces && last.ns.n) {
        buf_add(&start, last.ns);
        buf_add_c(&start, '/');
    }
    buf_add(&start, last.name);
    buf_add_c(&start, 0);
    buf_add_f(&text, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%lld,\"start\":", (long long)revision);
    json_print_str(&text, buf_str(&start), 0);
    buf_add_lit(&text, "}\n");
    base64_encode(&out, buf_str(&text), BASE64_URL | BASE64_NO_PAD);
    *ret = buf_str(&out);
}

err_code continue_token_read(struct arena *a, str token, const struct object_range *range,
                             int64_t *ret_revision, struct object_key *ret_after, struct err *err)
{
    struct buf text;
    struct json tree;
    int64_t revision = 0;
    buf_init_arena(&text, a, 64 * 1024);
    if (base64_decode(&text, token, BASE64_URL | BASE64_NO_PAD, err))
        return err_wrap_as(err, ERR_BAD_REQUEST, "continue key is not valid");
    if (json_parse(a, buf_str(&text), NULL, &tree, err))
        return err_wrap_as(err, ERR_BAD_REQUEST, "continue key is not valid");
    str start = json_str(json_find(&tree, S("start")));
    bool known = str_is(json_str(json_find(&tree, S("v"))), "meta.k8s.io/v1");
    if (!known)
        return err_set(err, ERR_BAD_REQUEST,
                       "continue key is not valid: server does not recognize this encoded version \"%" STR_FMT
                       "\"",
                       STR_ARG(json_str(json_find(&tree, S("v")))));
    if (!json_int(json_find(&tree, S("rv")), &revision) || revision == 0 || revision < -1)
        return err_set(
            err, ERR_BAD_REQUEST,
            "continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
    if (!start.n || start.p[start.n - 1] != 0)
        return err_set(err, ERR_BAD_REQUEST,
                       "continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
    start.n--;
    *ret_revision = revision;
    *ret_after = (struct object_key){.resource = range->resource, .ns = range->ns, .name = start};
    if (range->all_namespaces)
        if (!str_cut(start, '/', &ret_after->ns, &ret_after->name)) {
            ret_after->ns = STR_NONE;
            ret_after->name = start;
        }
    return ERR_NONE;
}

/* --- of every write --- */

err_code write_params_read(struct request *r, struct err *err)
{
    struct request_params *p = &r->params;
    struct err syntax = ERR_INIT;
    str rest = r->query, name, value;
    while (http_query_next(r->arena, &rest, &name, &value, &syntax)) {
        if (str_is(name, "dryRun")) {
            if (!str_is(value, "All") && value.n)
                return err_set(err, ERR_INVALID,
                               "dryRun: Unsupported value: \"%" STR_FMT "\": supported values: \"All\"",
                               STR_ARG(value));
            p->dry_run = value.n != 0;
        } else if (str_is(name, "fieldValidation")) {
            if (str_is(value, "Strict"))
                p->field_validation = VALIDATION_STRICT;
            else if (str_is(value, "Ignore"))
                p->field_validation = VALIDATION_IGNORE;
            else if (str_is(value, "Warn") || !value.n)
                p->field_validation = VALIDATION_WARN;
            else
                return err_set(err, ERR_INVALID,
                               "fieldValidation: Unsupported value: \"%" STR_FMT
                               "\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
                               STR_ARG(value));
        } else if (str_is(name, "fieldManager")) {
            p->field_manager = value;
            p->has_field_manager = true;
            if (value.n > 128)
                return err_set(err, ERR_INVALID, "fieldManager: Too long: may not be more than 128 bytes");
        } else if (str_is(name, "force")) {
            p->has_force = true;
            p->force = is_true(value);
        }
    }
    if (syntax.code)
        *err = syntax;
    return err->code;
}
