/* authorize.c - may he? What anybody may read is answered at once; for the rest the authorizers are asked (authz.h). */
#include "server/server_priv.h"
#include "server/stages.h"

/* What is answered to whoever can reach us: nothing about the cluster is in it. */
static bool is_public(const struct attributes *at)
{
    static const str paths[] = {S_INIT("/healthz"), S_INIT("/livez"), S_INIT("/readyz")};
    for (size_t i = 0; i < ARRAY_COUNT(paths) && !at->is_resource; i++)
        if (str_eq(paths[i], at->path) && str_is(at->verb, "get"))
            return true;
    return false;
}

static enum stage_result forbidden(struct request *r, str reason)
{
    struct buf message;
    buf_init_arena(&message, r->arena, 64 * 1024);
    authz_forbidden_message(&message, &r->at, reason);
    return answer_failure(r, (struct status){.code = 403,
                                             .reason = S("Forbidden"),
                                             .message = buf_str(&message),
                                             .name = r->at.name,
                                             .group = r->at.group,
                                             .kind = r->at.resource});
}

enum stage_result stage_authorize(struct request *r)
{
    struct authz_answer answer = {0};
    if (is_public(&r->at))
        return STAGE_NEXT;
    const struct snapshot *sn = store_snapshot(r->server->store);
    authz_authorize(&r->server->authz, r->arena, sn, &r->at, &answer);
    snapshot_unref(sn);
    return answer.decision == AUTHZ_ALLOW ? STAGE_NEXT : forbidden(r, answer.reason);
}
