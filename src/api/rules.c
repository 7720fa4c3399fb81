/* rules.c - which kinds have rules in code: the list of rules.def. */
#include "api/rules.h"

#define KIND_RULES(variable) extern const struct kind_rules variable;
#include "api/rules/rules.def"
#undef KIND_RULES

static const struct kind_rules *const all[] = {
#define KIND_RULES(variable) &variable,
#include "api/rules/rules.def"
#undef KIND_RULES
};

const struct kind_rules *kind_rules_find(const struct schema *s, const struct schema_kind_info *k)
{
    if (s != &schema_builtin)
        return NULL;
    str kind = schema_text(s, k->name), package = schema_text(s, s->packages[k->package].name);
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        if (str_eq(str_from_c(all[i]->kind), kind) && str_eq(str_from_c(all[i]->package), package))
            return all[i];
    return NULL;
}
