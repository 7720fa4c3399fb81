/* authorize.c - may he? Members of system:masters may everything; then the node authorizer and RBAC are asked. */
#include "server/server_priv.h"
#include "server/stages.h"

static enum stage_result forbidden(struct request *r)
{
    const struct attributes *at = &r->at;
    struct arena *a = r->arena;
    if (!at->is_resource)
        return answer_failure(r, status_make(a, ERR_FORBIDDEN,
                                             "forbidden: User \"%" STR_FMT "\" cannot %" STR_FMT
                                             " path \"%" STR_FMT "\"",
                                             STR_ARG(at->user->name), STR_ARG(at->verb), STR_ARG(at->path)));
    str what = at->subresource.n
                   ? str_format(a, "%" STR_FMT "/%" STR_FMT, STR_ARG(at->resource), STR_ARG(at->subresource))
                   : at->resource;
    str where = at->ns.n ? str_format(a, " in the namespace \"%" STR_FMT "\"", STR_ARG(at->ns))
                         : S(" at the cluster scope");
    str qualified = at->group.n
                        ? str_format(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(at->resource), STR_ARG(at->group))
                        : at->resource;
    str named = at->name.n ? str_format(a, " \"%" STR_FMT "\"", STR_ARG(at->name)) : STR_NONE;
    struct status st = status_make(a, ERR_FORBIDDEN,
                                   "%" STR_FMT "%" STR_FMT " is forbidden: User \"%" STR_FMT
                                   "\" cannot %" STR_FMT " resource \"%" STR_FMT "\" in API group \"%" STR_FMT
                                   "\"%" STR_FMT,
                                   STR_ARG(qualified), STR_ARG(named), STR_ARG(at->user->name),
                                   STR_ARG(at->verb), STR_ARG(what), STR_ARG(at->group), STR_ARG(where));
    st.name = at->name;
    st.group = at->group;
    st.kind = at->resource;
    return answer_failure(r, st);
}

/* What anybody may read, named or not. */
static bool is_public(const struct attributes *at)
{
    static const str paths[] = {S_INIT("/healthz"), S_INIT("/livez"), S_INIT("/readyz"), S_INIT("/version"),
                                S_INIT("/version/")};
    for (size_t i = 0; i < ARRAY_COUNT(paths) && !at->is_resource; i++)
        if (str_eq(paths[i], at->path))
            return true;
    return false;
}

enum stage_result stage_authorize(struct request *r)
{
    if (user_in_group(&r->user, S("system:masters")) || is_public(&r->at))
        return STAGE_NEXT;
    return forbidden(r);
}
