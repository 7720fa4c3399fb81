/* subresources.c - which act stands for which subresource. */
#include "server/subresources.h"
#include "server/stages.h"

/* Metadata of an update of the status: what controllers keep there. Labels are not theirs. */
#define STATUS_METADATA                                      \
    {"metadata", "annotations"}, {"metadata", "finalizers"}, \
    {                                                        \
        "metadata", "ownerReferences"                        \
    }

static const struct narrow narrows[] = {
    {NULL, "status", {{"status", NULL}, STATUS_METADATA}},
    {"namespaces", "finalize", {{"spec", "finalizers"}}},
    {"certificatesigningrequests.certificates.k8s.io", "approval", {{"status", "conditions"}}},
    {"pods", "ephemeralcontainers", {{"spec", "ephemeralContainers"}}},
    {"pods", "resize", {{"spec", NULL}}}, /* the kind's rules see to it that only resources change */
};

static bool is(str s, const char *c)
{
    return str_eq(s, str_from_c(c));
}

const struct narrow *subresource_narrow(const struct request *r)
{
    for (size_t i = 0; i < ARRAY_COUNT(narrows); i++)
        if (is(r->at.subresource, narrows[i].subresource) &&
            (!narrows[i].resource || is(r->kind->resource->store_name, narrows[i].resource)))
            return &narrows[i];
    return NULL;
}

static const struct {
    const char *subresource, *verb;
    stage_fn *act;
} acts[] = {
    {"scale", "get", act_scale_get},
    {"scale", "update", act_scale_update},
    {"scale", "patch", act_scale_patch},
    {"binding", "create", act_bind},
};

stage_fn *subresource_act(const struct request *r, str verb)
{
    if (subresource_narrow(r))
        return str_is(verb, "get")      ? act_get
               : str_is(verb, "update") ? act_update
               : str_is(verb, "patch")  ? act_patch
                                        : NULL;
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++)
        if (is(r->at.subresource, acts[i].subresource) && is(verb, acts[i].verb))
            return acts[i].act;
    return NULL;
}
