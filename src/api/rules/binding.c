/* binding.c - Binding: which node a pod is to run on. */
#include "api/rules/rules_priv.h"
#include "view/core_v1.h"

static void validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct binding *b = view;
    const struct field_path *target = AT(NULL, "target");
    if (b->target.kind.n)
        rules_one_of(errors, AT(target, "kind"), b->target.kind, STRS(S("Node"), S("<empty>")));
    if (b->target.name.n == 0)
        field_required(errors, AT(target, "name"), STR_NONE);
}

const struct kind_rules binding_rules = {.package = "core/v1", .kind = "Binding", .validate = validate};
