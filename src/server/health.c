/* health.c - /healthz, /livez, /readyz: in one word, or check by check with ?verbose or when one fails; single checks below
 * them (/readyz/ping). */
#include "base/arena.h"
#include "server/params.h"
#include "server/server_priv.h"
#include "server/stages.h"

enum health_path { HEALTHZ = 1, LIVEZ = 2, READYZ = 4 };

static bool always(struct server *s)
{
    (void)s;
    return true;
}

static bool not_draining(struct server *s)
{
    return !atomic_load(&s->draining);
}

static const struct {
    str name;
    unsigned paths;
    bool (*passes)(struct server *s);
} checks[] = {
    {S_INIT("ping"), HEALTHZ | LIVEZ | READYZ, always},
    {S_INIT("log"), HEALTHZ | LIVEZ | READYZ, always},
    {S_INIT("etcd"), HEALTHZ | LIVEZ | READYZ, always}, /* the store, by the name that scripts look for */
    {S_INIT("informer-sync"), READYZ, always},
    {S_INIT("poststarthook/rbac/bootstrap-roles"), HEALTHZ | LIVEZ | READYZ, always},
    {S_INIT("poststarthook/scheduling/bootstrap-system-priority-classes"), HEALTHZ | LIVEZ | READYZ, always},
    {S_INIT("shutdown"), READYZ, not_draining},
};

static unsigned path_of(str path, str *ret_name, str *ret_check)
{
    static const struct {
        str prefix;
        unsigned path;
    } prefixes[] = {{S_INIT("/healthz"), HEALTHZ}, {S_INIT("/livez"), LIVEZ}, {S_INIT("/readyz"), READYZ}};
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        str rest = path;
        if (!str_take_prefix(&rest, prefixes[i].prefix))
            continue;
        *ret_name = str_from(prefixes[i].prefix, 1);
        *ret_check = str_from(rest, 1);
        return prefixes[i].path;
    }
    return 0;
}

static bool excluded(struct request *r, str check)
{
    struct err err = ERR_INIT;
    str rest = r->query, name, value;
    while (http_query_next(r->arena, &rest, &name, &value, &err))
        if (str_is(name, "exclude") && str_eq(value, check))
            return true;
    return false;
}

static enum stage_result answer_single(struct request *r, unsigned path, str check)
{
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++)
        if ((checks[i].paths & path) && str_eq(checks[i].name, check))
            return checks[i].passes(r->server) ? answer_text(r, 200, S("ok"))
                                               : answer_text(r, 500, S("internal server error: not ready\n"));
    return answer_text(r, 404, S("404 page not found\n"));
}

enum stage_result act_health(struct request *r)
{
    str name = STR_NONE, check = STR_NONE;
    unsigned path = path_of(r->path, &name, &check);
    struct buf out;
    bool good = true;
    if (check.n)
        return answer_single(r, path, check);
    buf_init_arena(&out, r->arena, 16 * 1024);
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
        if (!(checks[i].paths & path))
            continue;
        if (excluded(r, checks[i].name)) {
            buf_add_f(&out, "[+]%" STR_FMT " excluded: ok\n", STR_ARG(checks[i].name));
            continue;
        }
        bool passes = checks[i].passes(r->server);
        buf_add_f(&out, passes ? "[+]%" STR_FMT " ok\n" : "[-]%" STR_FMT " failed: reason withheld\n",
                  STR_ARG(checks[i].name));
        good &= passes;
    }
    if (!good) {
        buf_add_f(&out, "%" STR_FMT " check failed\n", STR_ARG(name));
        return answer_text(r, 500, buf_str(&out));
    }
    str verbose;
    if (!param_find(r, S("verbose"), &verbose))
        return answer_text(r, 200, S("ok"));
    buf_add_f(&out, "%" STR_FMT " check passed\n", STR_ARG(name));
    return answer_text(r, 200, buf_str(&out));
}
