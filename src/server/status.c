/* status.c - Status documents. */
#include "server/status.h"
#include "base/arena.h"
#include "wire/json.h"
#include <stdarg.h>

/* --- printing --- */

/* `"name":"value"` with a comma before it when it is not the first; nothing for an empty value. */
static void member(struct buf *out, bool *first, const char *name, str value)
{
    if (!value.n)
        return;
    buf_add_f(out, "%s\"%s\":", *first ? "" : ",", name);
    json_print_str(out, value, JSON_HTML);
    *first = false;
}

static void print_causes(struct buf *out, const struct status *st)
{
    buf_add_lit(out, "[");
    for (size_t i = 0; i < st->cause_count; i++) {
        bool first = true;
        buf_add(out, i ? S(",{") : S("{"));
        member(out, &first, "reason", st->causes[i].reason);
        member(out, &first, "message", st->causes[i].message);
        member(out, &first, "field", st->causes[i].field);
        buf_add_c(out, '}');
    }
    buf_add_c(out, ']');
}

static void print_details(struct buf *out, const struct status *st)
{
    bool first = true;
    if (!st->name.n && !st->group.n && !st->kind.n && !st->uid.n && !st->cause_count && !st->retry_after_s)
        return;
    buf_add_lit(out, ",\"details\":{");
    member(out, &first, "name", st->name);
    member(out, &first, "group", st->group);
    member(out, &first, "kind", st->kind);
    member(out, &first, "uid", st->uid);
    if (st->cause_count) {
        buf_add(out, first ? S("\"causes\":") : S(",\"causes\":"));
        print_causes(out, st);
        first = false;
    }
    if (st->retry_after_s)
        buf_add_f(out, "%s\"retryAfterSeconds\":%d", first ? "" : ",", st->retry_after_s);
    buf_add_c(out, '}');
}

void status_print(struct buf *out, const struct status *st)
{
    bool first = false;
    buf_add_lit(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{}");
    member(out, &first, "status", st->code && st->code >= 400 ? S("Failure") : S("Success"));
    member(out, &first, "message", st->message);
    member(out, &first, "reason", st->reason);
    print_details(out, st);
    if (st->code && st->code >= 400)
        buf_add_f(out, ",\"code\":%d", st->code);
    buf_add_lit(out, "}\n");
}

/* --- makers --- */

static struct status with_message(err_code code, str message)
{
    return (struct status){
        .code = err_http_status(code), .reason = str_from_c(err_reason(code)), .message = message};
}

struct status status_of_err(struct arena *a, const struct err *err)
{
    return with_message(err->code, str_dup(a, str_from_c(err->msg)));
}

struct status status_make(struct arena *a, err_code code, const char *fmt, ...)
{
    struct buf text;
    buf_init_arena(&text, a, 64 * 1024);
    va_list ap;
    va_start(ap, fmt);
    buf_add_vf(&text, fmt, ap);
    va_end(ap);
    return with_message(code, buf_str(&text));
}

str served_kind_qualified(struct arena *a, const struct served_kind *k)
{
    return k->group.n ? str_format(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(k->plural), STR_ARG(k->group))
                      : k->plural;
}

static struct status about(struct status st, const struct served_kind *k, str name)
{
    st.name = name;
    st.group = k->group;
    st.kind = k->plural;
    return st;
}

struct status status_not_found(struct arena *a, const struct served_kind *k, str name)
{
    str what = served_kind_qualified(a, k);
    return about(status_make(a, ERR_NOT_FOUND, "%" STR_FMT " \"%" STR_FMT "\" not found", STR_ARG(what),
                             STR_ARG(name)),
                 k, name);
}

struct status status_already_exists(struct arena *a, const struct served_kind *k, str name)
{
    str what = served_kind_qualified(a, k);
    return about(status_make(a, ERR_ALREADY_EXISTS, "%" STR_FMT " \"%" STR_FMT "\" already exists",
                             STR_ARG(what), STR_ARG(name)),
                 k, name);
}

struct status status_conflict(struct arena *a, const struct served_kind *k, str name, str why)
{
    str what = served_kind_qualified(a, k);
    return about(status_make(a, ERR_CONFLICT,
                             "Operation cannot be fulfilled on %" STR_FMT " \"%" STR_FMT "\": %" STR_FMT,
                             STR_ARG(what), STR_ARG(name), STR_ARG(why)),
                 k, name);
}

struct status status_modified(struct arena *a, const struct served_kind *k, str name)
{
    return status_conflict(a, k, name,
                           S("the object has been modified; please apply your changes to the latest version "
                             "and try again"));
}

struct status status_invalid(struct arena *a, const struct served_kind *k, str name,
                             const struct field_errors *errors)
{
    struct buf all;
    buf_init_arena(&all, a, 1 << 20);
    field_errors_print(errors, &all);
    str text = buf_str(&all);
    str qualified = k->group.n ? str_format(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(k->kind), STR_ARG(k->group))
                               : k->kind;
    struct status st = status_make(a, ERR_INVALID, "%" STR_FMT " \"%" STR_FMT "\" is invalid: %" STR_FMT,
                                   STR_ARG(qualified), STR_ARG(name), STR_ARG(text));
    struct status_cause *causes = ARENA_ARRAY(a, struct status_cause, errors->count);
    for (size_t i = 0; i < errors->count; i++)
        causes[i] = (struct status_cause){.reason = field_error_reason(errors->items[i].kind),
                                          .message = errors->items[i].message,
                                          .field = errors->items[i].path};
    st.name = name;
    st.group = k->group;
    st.kind = k->kind;
    st.causes = causes;
    st.cause_count = errors->count;
    return st;
}

struct status status_forbidden(struct arena *a, const struct served_kind *k, str name, str why)
{
    if (!k)
        return status_make(a, ERR_FORBIDDEN, "forbidden: %" STR_FMT, STR_ARG(why));
    str what = served_kind_qualified(a, k);
    struct status st = name.n ? status_make(a, ERR_FORBIDDEN,
                                            "%" STR_FMT " \"%" STR_FMT "\" is forbidden: %" STR_FMT,
                                            STR_ARG(what), STR_ARG(name), STR_ARG(why))
                              : status_make(a, ERR_FORBIDDEN, "%" STR_FMT " is forbidden: %" STR_FMT,
                                            STR_ARG(what), STR_ARG(why));
    return about(st, k, name);
}

struct status status_method_not_allowed(struct arena *a, const struct served_kind *k)
{
    struct status st = status_make(a, ERR_METHOD_NOT_ALLOWED,
                                   "the server does not allow this method on the requested resource");
    return k ? about(st, k, STR_NONE) : st;
}
