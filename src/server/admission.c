/* admission.c - goes through the plugins. */
#include "server/admission.h"

#define ADMISSION(plugin) extern const struct admission_plugin plugin;
#include "server/admission.def"
#undef ADMISSION

static const struct admission_plugin *const plugins[] = {
#define ADMISSION(plugin) &plugin,
#include "server/admission.def"
#undef ADMISSION
};

static bool handles(const struct admission_plugin *p, struct request *r, struct write *w)
{
    unsigned operation = w->old ? ADMIT_UPDATE : ADMIT_CREATE;
    return (p->operations & operation) && (p->subresources || !r->at.subresource.n) &&
           (!p->resource || str_eq(str_from_c(p->resource), r->kind->resource->store_name));
}

enum stage_result admission_mutate(struct request *r, struct write *w, struct json *tree)
{
    for (size_t i = 0; i < ARRAY_COUNT(plugins); i++) {
        const struct admission_plugin *p = plugins[i];
        enum stage_result result = p->mutate && handles(p, r, w) ? p->mutate(r, w, tree) : STAGE_NEXT;
        if (result != STAGE_NEXT)
            return result;
    }
    return STAGE_NEXT;
}

enum stage_result admission_check(struct request *r, struct write *w, const struct json *tree)
{
    for (size_t i = 0; i < ARRAY_COUNT(plugins); i++) {
        const struct admission_plugin *p = plugins[i];
        enum stage_result result = p->check && handles(p, r, w) ? p->check(r, w, tree) : STAGE_NEXT;
        if (result != STAGE_NEXT)
            return result;
    }
    return STAGE_NEXT;
}
