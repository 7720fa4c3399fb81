/* admit_namespace.c - NamespaceLifecycle: nothing new in a namespace that is not there or is going. The namespace as it was
 * looked at is a guard of the write, so that none slips in while it goes. */
#include "server/admission.h"

static enum stage_result not_there(struct request *r, str ns)
{
    struct status st = status_make(r->arena, ERR_NOT_FOUND, "namespaces \"%" STR_FMT "\" not found",
                                   STR_ARG(ns));
    st.name = ns;
    st.kind = S("namespaces");
    return answer_failure(r, st);
}

static enum stage_result going(struct request *r, struct write *w)
{
    struct status_cause *cause = ARENA_NEW(r->arena, struct status_cause);
    *cause = (struct status_cause){
        .reason = S("NamespaceTerminating"),
        .message = str_format(r->arena, "namespace %" STR_FMT " is being terminated", STR_ARG(w->ns)),
        .field = S("metadata.namespace")};
    str why = str_format(
        r->arena, "unable to create new content in namespace %" STR_FMT " because it is being terminated",
        STR_ARG(w->ns));
    struct status st = status_forbidden(r->arena, r->kind, w->name, why);
    st.causes = cause;
    st.cause_count = 1;
    return answer_failure(r, st);
}

static enum stage_result mutate(struct request *r, struct write *w, struct json *tree)
{
    (void)tree;
    if (!r->kind->namespaced)
        return STAGE_NEXT;
    struct object_key key = {store_resource(r->server->store, S("namespaces"), 0), STR_NONE, w->ns};
    const struct object *ns = snapshot_find(w->sn, key);
    if (!ns)
        return not_there(r, w->ns);
    if (ns->flags & OBJECT_DELETING)
        return going(r, w);
    write_guard(w, (struct store_guard){.kind = STORE_GUARD_AT, .key = key, .revision = ns->revision});
    return STAGE_NEXT;
}

const struct admission_plugin admit_namespace_lifecycle = {
    .name = "NamespaceLifecycle", .operations = ADMIT_CREATE, .mutate = mutate};
