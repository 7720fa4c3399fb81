/* managed.c - managedFields of a write. */
#include "server/managed.h"
#include "api/convert.h"
#include "api/tree.h"

/* --- versions of the kind --- */

static const struct served_kind *version_of(struct request *r, str api_version)
{
    str group = STR_NONE, version = api_version;
    if (!str_cut(api_version, '/', &group, &version)) {
        group = STR_NONE;
        version = api_version;
    }
    return catalog_find(r->catalog, group, version, r->kind->plural);
}

static bool find_version(void *ctx, str api_version, struct apply_version *ret)
{
    const struct served_kind *k = version_of(ctx, api_version);
    if (!k)
        return false;
    *ret = (struct apply_version){
        .schema = k->schema, .type = k->type, .api_version = k->api_version, .kind = k->kind};
    return true;
}

static err_code convert_version(void *ctx, struct arena *a, const struct apply_version *from,
                                const struct apply_version *to, const struct json *tree, struct json *ret,
                                struct err *err)
{
    const struct served_kind *source = version_of(ctx, from->api_version),
                             *target = version_of(ctx, to->api_version);
    struct json stored, served;
    if (!source || !target)
        return err_set(err, ERR_INTERNAL, "a version that is not served");
    if (convert_to_stored(a, source->info, tree, &stored, err) ||
        convert_from_stored(a, target->info, &stored, &served, err))
        return err->code;
    return tree_normalise(a, target->schema, target->type, &served, NULL, ret, err);
}

/* --- who --- */

static const str status_only[] = {S_INIT("status")};
static const str all_but_status[] = {S_INIT("spec"), S_INIT("metadata.labels")};

static void resets_of(struct request *r, struct apply_who *who)
{
    struct apply_reset *reset = ARENA_NEW(r->arena, struct apply_reset);
    reset->api_version = r->kind->api_version;
    if (!r->at.subresource.n && served_subresource_find(r->kind, S("status"))) {
        reset->patterns = status_only;
        reset->pattern_count = ARRAY_COUNT(status_only);
    } else if (str_is(r->at.subresource, "status")) {
        reset->patterns = r->kind->is_custom ? status_only : all_but_status;
        reset->pattern_count = r->kind->is_custom ? ARRAY_COUNT(status_only) : ARRAY_COUNT(all_but_status);
        reset->all_but = r->kind->is_custom;
    } else {
        return;
    }
    who->resets = reset;
    who->reset_count = 1;
}

void managed_who(struct request *r, struct apply_who *ret)
{
    struct apply_versions *versions = ARENA_NEW(r->arena, struct apply_versions);
    *versions = (struct apply_versions){.find = find_version, .convert = convert_version, .ctx = r};
    *ret = (struct apply_who){.manager = apply_manager(r->arena, r->params.field_manager,
                                                       http_header_find(&r->head, S("user-agent"))),
                              .api_version = r->kind->api_version,
                              .kind = r->kind->kind,
                              .subresource = r->at.subresource,
                              .now = kube_time_from_unix_ns(r->now_wall),
                              .versions = versions};
    resets_of(r, ret);
}

/* --- tracking --- */

/* In the version that the client speaks. */
static err_code track_served(struct request *r, struct write *w, const struct json *old, struct json *tree,
                             const struct apply_who *who, struct err *err)
{
    const struct served_kind *k = r->kind;
    struct json served, old_served, stored;
    if (convert_from_stored(r->arena, k->info, tree, &served, err) ||
        (w->old && convert_from_stored(r->arena, k->info, old, &old_served, err)) ||
        apply_track(r->arena, k->schema, k->type, w->old ? &old_served : NULL, &served, w->forgets, who,
                    err) ||
        convert_to_stored(r->arena, k->info, &served, &stored, err))
        return err->code;
    *tree = stored;
    return ERR_NONE;
}

err_code managed_track(struct request *r, struct write *w, const struct json *old, struct json *tree,
                       struct err *err)
{
    const struct served_kind *k = r->kind->resource->stored;
    struct apply_who who;
    managed_who(r, &who);
    if (k != r->kind)
        return track_served(r, w, old, tree, &who, err);
    return apply_track(r->arena, k->schema, k->type, w->old ? old : NULL, tree, w->forgets, &who, err);
}
