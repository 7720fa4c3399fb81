/* route.c - from a method and a path to what is asked for: the attributes that authorization reads, the kind, and the act.
 *   /api/v1/...                  the core group        /apis/GROUP/VERSION/...   the others
 *     PLURAL[/NAME[/SUBRESOURCE...]]
 *     namespaces/NS/PLURAL[/NAME[/SUBRESOURCE...]]
 *     watch/...                  the old way to say ?watch=true
 * Everything else is a path. */
#include "base/arena.h"
#include "server/negotiate.h"
#include "server/params.h"
#include "server/server_priv.h"
#include "server/stages.h"
#include "server/subresources.h"

enum { SEGMENTS_MAX = 64 };

struct segments {
    str items[SEGMENTS_MAX];
    size_t count;
};

/* False: too many, or one that is no name ("", ".", ".."), but for an empty one at the end. */
static bool cut(str path, struct segments *ret)
{
    str rest = str_from(path, 1), piece;
    ret->count = 0;
    while (str_next(&rest, '/', &piece)) {
        bool last = rest.p == NULL;
        if (!piece.n && last)
            return true;
        if (!piece.n || str_is(piece, ".") || str_is(piece, "..") || ret->count == SEGMENTS_MAX)
            return false;
        ret->items[ret->count++] = piece;
    }
    return true;
}

static str join(struct arena *a, const str *items, size_t count)
{
    return count == 1 ? items[0] : str_join(a, items, count, S("/"));
}

/* What the method means for a resource. Empty: nothing. */
static str verb_of(struct request *r, bool has_name, bool watch)
{
    str m = r->head.method;
    if (str_is(m, "POST"))
        return S("create");
    if (str_is(m, "PUT"))
        return S("update");
    if (str_is(m, "PATCH"))
        return S("patch");
    if (str_is(m, "DELETE"))
        return has_name ? S("delete") : S("deletecollection");
    if (str_is(m, "GET") || str_is(m, "HEAD"))
        return has_name ? S("get") : watch ? S("watch") : S("list");
    return STR_NONE;
}

/* The segments behind the version. */
static void read_resource(struct request *r, const str *seg, size_t n)
{
    struct attributes *at = &r->at;
    bool watch = param_bool(r, S("watch"));
    if (n && str_is(seg[0], "watch") && n > 1) {
        watch = true;
        seg++, n--;
    }
    if (n >= 2 && str_is(seg[0], "namespaces")) {
        at->ns = seg[1];
        /* A namespace's own subresources look like resources in it. */
        bool own = n == 2 || (n == 3 && (str_is(seg[2], "status") || str_is(seg[2], "finalize")));
        if (!own)
            seg += 2, n -= 2;
    }
    at->is_resource = true;
    at->resource = n ? seg[0] : STR_NONE;
    at->name = n > 1 ? seg[1] : STR_NONE;
    at->subresource = n > 2 ? join(r->arena, seg + 2, n - 2) : STR_NONE;
    at->verb = verb_of(r, at->name.n != 0, watch);
    if (at->verb.n && watch && str_is(at->verb, "get") && !at->subresource.n)
        at->verb = S("watch"); /* of one object, by its name */
}

static str method_in_lower_case(struct request *r)
{
    return str_lower(r->arena, r->head.method);
}

/* --- which act --- */

static enum stage_result not_found(struct request *r)
{
    return answer_text(r, 404, S("404 page not found\n"));
}

static enum stage_result not_served(struct request *r)
{
    (void)r;
    return not_found(r);
}

static enum stage_result not_allowed(struct request *r)
{
    return answer_failure(r, status_method_not_allowed(r->arena, r->kind));
}

static stage_fn *act_of_verb(str verb)
{
    static const struct {
        str verb;
        stage_fn *act;
    } acts[] = {
        {S_INIT("get"), act_get},       {S_INIT("list"), act_list},
        {S_INIT("watch"), act_watch},   {S_INIT("create"), act_create},
        {S_INIT("update"), act_update}, {S_INIT("patch"), act_patch},
        {S_INIT("delete"), act_delete}, {S_INIT("deletecollection"), act_delete_collection},
    };
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++)
        if (str_eq(acts[i].verb, verb))
            return acts[i].act;
    return NULL;
}

static unsigned verb_bit(str verb)
{
    static const struct {
        str verb;
        unsigned bit;
    } bits[] = {
        {S_INIT("get"), SCHEMA_GET},       {S_INIT("list"), SCHEMA_LIST_VERB},
        {S_INIT("watch"), SCHEMA_WATCH},   {S_INIT("create"), SCHEMA_CREATE},
        {S_INIT("update"), SCHEMA_UPDATE}, {S_INIT("patch"), SCHEMA_PATCH_VERB},
        {S_INIT("delete"), SCHEMA_DELETE}, {S_INIT("deletecollection"), SCHEMA_DELETECOLLECTION},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bits); i++)
        if (str_eq(bits[i].verb, verb))
            return bits[i].bit;
    return 0;
}

/* What a list, watch or deletecollection selects by, for authorizers: agents may list what is on their node only. */
static void read_selection(struct request *r)
{
    struct attributes *at = &r->at;
    struct field_selector *fields;
    struct err err = ERR_INIT;
    str text;
    bool over_many = str_is(at->verb, "list") || str_is(at->verb, "watch") ||
                     str_is(at->verb, "deletecollection");
    if (!over_many || !param_find(r, S("fieldSelector"), &text) || !text.n)
        return;
    fields = ARENA_NEW(r->arena, struct field_selector);
    if (field_selector_parse(r->arena, text, fields, &err))
        return; /* the act says what is wrong with it */
    at->fields = fields;
    if (!at->name.n)
        field_selector_requires(fields, S("metadata.name"), &at->name);
}

/* Which act answers, once it is known that the user may ask. */
static stage_fn *find_act(struct request *r)
{
    struct attributes *at = &r->at;
    unsigned verbs;
    r->kind = catalog_find(r->catalog, at->group, at->version, at->resource);
    if (!r->kind || (at->ns.n && !r->kind->namespaced && !str_is(at->resource, "namespaces")))
        return not_served;
    if (at->subresource.n) {
        r->subresource = served_subresource_find(r->kind, at->subresource);
        if (!r->subresource)
            return not_served;
        verbs = r->subresource->verbs;
    } else {
        verbs = r->kind->verbs;
    }
    r->ns = r->kind->namespaced ? at->ns : STR_NONE;
    bool misses_namespace = r->kind->namespaced && !at->ns.n;
    bool over_all = str_is(at->verb, "list") || str_is(at->verb, "watch");
    if (misses_namespace && (at->name.n || !over_all))
        return str_is(at->verb, "create") || str_is(at->verb, "deletecollection") ? not_allowed : not_served;
    if (!(verbs & verb_bit(at->verb)) ||
        (at->name.n != 0 && str_is(at->verb, "create") && !at->subresource.n))
        return not_allowed;
    r->resource = store_resource(r->server->store, r->kind->resource->store_name,
                                 r->kind->resource->short_history ? STORE_SHORT_HISTORY : 0);
    stage_fn *act = at->subresource.n ? subresource_act(r, at->verb) : act_of_verb(at->verb);
    return act ? act : not_served;
}

static stage_fn *find_path_act(struct request *r)
{
    str p = r->path;
    if (str_is(p, "/healthz") || str_is(p, "/livez") || str_is(p, "/readyz") ||
        str_starts(p, S("/healthz/")) || str_starts(p, S("/livez/")) || str_starts(p, S("/readyz/")))
        return act_health;
    return act_discovery;
}

enum stage_result stage_route(struct request *r)
{
    struct err err = ERR_INIT;
    struct segments seg;
    if (http_target_split(r->arena, r->head.target, &r->path, &r->query, &err))
        return answer_err(r, &err);
    r->catalog = server_catalog(r->server);
    arena_hold(r->arena, (void (*)(void *))(void (*)(void))catalog_unref, (void *)(uintptr_t)r->catalog);
    r->at.user = &r->user;
    r->at.path = r->path;
    r->at.verb = method_in_lower_case(r);
    if (!negotiate_accept(r, &err))
        return answer_err(r, &err);
    if (!cut(r->path, &seg))
        return not_found(r);
    bool core = seg.count >= 3 && str_is(seg.items[0], "api");
    bool grouped = seg.count >= 4 && str_is(seg.items[0], "apis");
    if (core || grouped) {
        r->at.group = core ? STR_NONE : seg.items[1];
        r->at.version = seg.items[core ? 1 : 2];
        read_resource(r, seg.items + (core ? 2 : 3), seg.count - (core ? 2 : 3));
        if (!r->at.verb.n) {
            r->act = not_allowed;
            return STAGE_NEXT;
        }
        r->act = find_act(r);
        read_selection(r);
    } else {
        r->act = find_path_act(r);
    }
    str m = r->head.method;
    r->needs_body = r->at.is_resource && !str_is(m, "GET") && !str_is(m, "HEAD");
    if (r->needs_body && write_params_read(r, &err))
        return answer_err(r, &err);
    return STAGE_NEXT;
}
