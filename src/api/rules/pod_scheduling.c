/* pod_scheduling.c - where a pod may run: affinity to nodes and to other pods, spreading, tolerations. */
#include "api/rules/pod_priv.h"
#include "view/meta_v1.h"

#define REQUIRED  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

/* --- nodes --- */

static void node_requirement(struct field_errors *errors, const struct field_path *path,
                             const struct node_selector_requirement *r, bool check_values)
{
    const struct field_path *values = AT(path, "values");
    if (str_is(r->operator, "In") || str_is(r->operator, "NotIn")) {
        if (r->values.count == 0)
            field_required(errors, values, S("must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (str_is(r->operator, "Exists") || str_is(r->operator, "DoesNotExist")) {
        if (r->values.count)
            field_forbidden(errors, values,
                            S("may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else if (str_is(r->operator, "Gt") || str_is(r->operator, "Lt")) {
        if (r->values.count != 1)
            field_required(errors, values,
                           S("must be specified single value when `operator` is 'Lt' or 'Gt'"));
    } else {
        field_invalid(errors, AT(path, "operator"), TEXT(r->operator), S("not a valid selector operator"));
    }
    rules_name(errors, AT(path, "key"), r->key, name_check_qualified);
    for (size_t i = 0; check_values && i < r->values.count; i++)
        rules_name(errors, AT_INDEX(values, i), r->values.items[i], name_check_label_value);
}

static void node_field_requirement(struct field_errors *errors, const struct field_path *path,
                                   const struct node_selector_requirement *r)
{
    const struct field_path *values = AT(path, "values");
    if (!str_is(r->operator, "In") && !str_is(r->operator, "NotIn"))
        field_invalid(errors, AT(path, "operator"), TEXT(r->operator), S("not a valid selector operator"));
    else if (r->values.count != 1)
        field_required(
            errors, values,
            S("must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
    if (!str_is(r->key, "metadata.name"))
        field_invalid(errors, AT(path, "key"), TEXT(r->key), S("not a valid field selector key"));
    else
        for (size_t i = 0; i < r->values.count; i++)
            rules_name(errors, AT_INDEX(values, i), r->values.items[i], name_check_dns1123_subdomain);
}

static void node_term(struct field_errors *errors, const struct field_path *path,
                      const struct node_selector_term *t, bool check_values)
{
    for (size_t i = 0; i < t->match_expressions.count; i++)
        node_requirement(errors, AT_INDEX(AT(path, "matchExpressions"), i), &t->match_expressions.items[i],
                         check_values);
    for (size_t i = 0; i < t->match_fields.count; i++)
        node_field_requirement(errors, AT_INDEX(AT(path, "matchFields"), i), &t->match_fields.items[i]);
}

void node_selector_validate(struct field_errors *errors, const struct field_path *path,
                            const struct node_selector *selector)
{
    const struct field_path *terms = AT(path, "nodeSelectorTerms");
    if (selector->node_selector_terms.count == 0)
        field_required(errors, terms, S("must have at least one node selector term"));
    for (size_t i = 0; i < selector->node_selector_terms.count; i++)
        node_term(errors, AT_INDEX(terms, i), &selector->node_selector_terms.items[i], true);
}

static void weight(struct field_errors *errors, const struct field_path *path, int32_t n)
{
    if (n <= 0 || n > 100)
        field_invalid(errors, AT(path, "weight"), NUMBER(n), S("must be in the range 1-100"));
}

static void node_affinity(struct field_errors *errors, const struct field_path *path,
                          const struct node_affinity *a)
{
    const struct preferred_scheduling_term_array *preferred =
        &a->preferred_during_scheduling_ignored_during_execution;
    if (a->required_during_scheduling_ignored_during_execution)
        node_selector_validate(errors, AT(path, REQUIRED),
                               a->required_during_scheduling_ignored_during_execution);
    for (size_t i = 0; i < preferred->count; i++) {
        const struct field_path *at = AT_INDEX(AT(path, PREFERRED), i);
        weight(errors, at, preferred->items[i].weight);
        /* Any values: a preference that nothing meets was always accepted. */
        node_term(errors, AT(at, "preference"), &preferred->items[i].preference, false);
    }
}

/* --- other pods --- */

static void label_keys(struct field_errors *errors, const struct field_path *path,
                       const struct str_array *keys, const struct label_selector *selector)
{
    if (keys->count && !selector) {
        field_forbidden(errors, path, S("must not be specified when labelSelector is not set"));
        return;
    }
    for (size_t i = 0; i < keys->count; i++)
        rules_name(errors, AT_INDEX(path, i), keys->items[i], name_check_qualified);
}

/* A key stands in the selector once: put there when the pod was created. Twice: it was there before. */
static void keys_of_selector(struct field_errors *errors, const struct field_path *path,
                             const struct str_array *keys, const struct label_selector *selector)
{
    struct name_map places = {.arena = errors->arena}, seen = {.arena = errors->arena};
    for (size_t i = keys->count; i-- > 0;)
        name_map_add(&places, keys->items[i], &keys->items[i]);
    for (size_t i = 0; i < selector->match_labels.count; i++)
        name_map_add_name(&seen, selector->match_labels.items[i].key);
    for (size_t i = 0; i < selector->match_expressions.count; i++) {
        str key = selector->match_expressions.items[i].key;
        const str *place = name_map_find(&places, key);
        if (place && name_map_has(&seen, key))
            field_invalid(errors, AT_INDEX(path, (size_t)(place - keys->items)), TEXT(key),
                          S("exists in both matchLabelKeys and labelSelector"));
        name_map_add_name(&seen, key);
    }
}

static void match_label_keys(struct field_errors *errors, const struct field_path *path,
                             const struct str_array *keys, const struct str_array *mismatch,
                             const struct label_selector *selector)
{
    label_keys(errors, AT(path, "matchLabelKeys"), keys, selector);
    label_keys(errors, AT(path, "mismatchLabelKeys"), mismatch, selector);
    if (keys->count && selector)
        keys_of_selector(errors, path, keys, selector);
    struct name_map other = {.arena = errors->arena};
    for (size_t i = 0; i < mismatch->count; i++)
        name_map_add_name(&other, mismatch->items[i]);
    for (size_t i = 0; i < keys->count; i++)
        if (name_map_has(&other, keys->items[i]))
            field_invalid(errors, AT_INDEX(AT(path, "matchLabelKeys"), i), TEXT(keys->items[i]),
                          S("exists in both matchLabelKeys and mismatchLabelKeys"));
}

static void pod_term(struct field_errors *errors, const struct field_path *path,
                     const struct pod_affinity_term *t)
{
    rules_label_selector(errors, AT(path, "labelSelector"), t->label_selector);
    rules_label_selector(errors, AT(path, "namespaceSelector"), t->namespace_selector);
    for (size_t i = 0; i < t->namespaces.count; i++)
        rules_name(errors, AT(path, "namespace"), t->namespaces.items[i], name_check_dns1123_label);
    match_label_keys(errors, path, &t->match_label_keys, &t->mismatch_label_keys, t->label_selector);
    if (t->topology_key.n == 0)
        field_required(errors, AT(path, "topologyKey"), S("can not be empty"));
    rules_name(errors, AT(path, "topologyKey"), t->topology_key, name_check_qualified);
}

static void pod_terms(struct field_errors *errors, const struct field_path *path,
                      const struct pod_affinity_term_array *required,
                      const struct weighted_pod_affinity_term_array *preferred)
{
    for (size_t i = 0; i < required->count; i++)
        pod_term(errors, AT_INDEX(AT(path, REQUIRED), i), &required->items[i]);
    for (size_t i = 0; i < preferred->count; i++) {
        const struct field_path *at = AT_INDEX(AT(path, PREFERRED), i);
        weight(errors, at, preferred->items[i].weight);
        pod_term(errors, AT(at, "podAffinityTerm"), &preferred->items[i].pod_affinity_term);
    }
}

void pod_affinity_validate(struct pod_check *c, const struct field_path *path)
{
    const struct affinity *a = c->spec->affinity;
    if (a && a->node_affinity)
        node_affinity(c->errors, AT(path, "nodeAffinity"), a->node_affinity);
    if (a && a->pod_affinity)
        pod_terms(c->errors, AT(path, "podAffinity"),
                  &a->pod_affinity->required_during_scheduling_ignored_during_execution,
                  &a->pod_affinity->preferred_during_scheduling_ignored_during_execution);
    if (a && a->pod_anti_affinity)
        pod_terms(c->errors, AT(path, "podAntiAffinity"),
                  &a->pod_anti_affinity->required_during_scheduling_ignored_during_execution,
                  &a->pod_anti_affinity->preferred_during_scheduling_ignored_during_execution);
}

/* --- spreading --- */

static void min_domains(struct field_errors *errors, const struct field_path *path,
                        const struct topology_spread_constraint *t)
{
    if (!t->min_domains.is_set)
        return;
    rules_positive(errors, path, t->min_domains.value);
    if (!str_is(t->when_unsatisfiable, "DoNotSchedule"))
        field_invalid(errors, path, NUMBER(t->min_domains.value),
                      RULES_F(errors,
                              "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %" STR_FMT,
                              STR_ARG(t->when_unsatisfiable)));
}

static void inclusion_policy(struct field_errors *errors, const struct field_path *path, str policy)
{
    if (policy.p)
        rules_one_of(errors, path, policy, STRS(S("Honor"), S("Ignore")));
}

static void spread_constraint(struct field_errors *errors, const struct field_path *path,
                              const struct topology_spread_constraint *t, bool again)
{
    rules_positive(errors, AT(path, "maxSkew"), t->max_skew);
    if (t->topology_key.n == 0)
        field_required(errors, AT(path, "topologyKey"), S("can not be empty"));
    rules_one_of(errors, AT(path, "whenUnsatisfiable"), t->when_unsatisfiable,
                 STRS(S("DoNotSchedule"), S("ScheduleAnyway")));
    if (again)
        field_duplicate(errors, AT(path, "{topologyKey, whenUnsatisfiable}"),
                        TEXT(RULES_F(errors, "{%" STR_FMT ", %" STR_FMT "}", STR_ARG(t->topology_key),
                                     STR_ARG(t->when_unsatisfiable))));
    min_domains(errors, AT(path, "minDomains"), t);
    inclusion_policy(errors, AT(path, "nodeAffinityPolicy"), t->node_affinity_policy);
    inclusion_policy(errors, AT(path, "nodeTaintsPolicy"), t->node_taints_policy);
    match_label_keys(errors, path, &t->match_label_keys, &(struct str_array){.count = 0}, t->label_selector);
    rules_label_selector(errors, AT(path, "labelSelector"), t->label_selector);
}

void pod_spread_validate(struct pod_check *c, const struct field_path *path)
{
    const struct topology_spread_constraint_array *list = &c->spec->topology_spread_constraints;
    struct name_map seen = {.arena = c->errors->arena};
    /* Of constraints of one kind all but the last are said to be there again, so it is looked for from behind. */
    bool *again = ARENA_ARRAY(c->errors->arena, bool, list->count);
    for (size_t i = list->count; i-- > 0;) {
        const struct topology_spread_constraint *t = &list->items[i];
        again[i] = !name_map_add_name(&seen,
                                      RULES_F(c->errors, "%zu,%" STR_FMT "%" STR_FMT, t->topology_key.n,
                                              STR_ARG(t->topology_key), STR_ARG(t->when_unsatisfiable)));
    }
    for (size_t i = 0; i < list->count; i++)
        spread_constraint(c->errors, AT_INDEX(path, i), &list->items[i], again[i]);
}

/* --- tolerations --- */

static void toleration_value(struct field_errors *errors, const struct field_path *path,
                             const struct toleration *t)
{
    if (t->operator.n == 0 || str_is(t->operator, "Equal")) {
        struct name_errors wrong = {.count = 0};
        if (name_check_label_value(t->value, &wrong))
            return;
        struct buf b;
        buf_init_arena(&b, errors->arena, 1 << 12);
        name_errors_add(&b, &wrong, S(";"));
        field_invalid(errors, path, TEXT(t->value), buf_str(&b));
    } else if (str_is(t->operator, "Exists")) {
        if (t->value.n)
            field_invalid(errors, path, TEXT(t->value), S("value must be empty when `operator` is 'Exists'"));
    } else if (str_is(t->operator, "Lt") || str_is(t->operator, "Gt")) {
        /* Of a feature that is off, which the list does not know. */
        field_not_supported_in_order(errors, path, TEXT(t->operator),
                                     STRS(S("Equal"), S("Exists"), S("Lt"), S("Gt")));
    } else {
        field_not_supported_in_order(errors, path, TEXT(t->operator), STRS(S("Equal"), S("Exists")));
    }
}

void pod_tolerations_validate(struct field_errors *errors, const struct field_path *path,
                              const struct toleration_array *tolerations)
{
    for (size_t i = 0; i < tolerations->count; i++) {
        const struct toleration *t = &tolerations->items[i];
        const struct field_path *at = AT_INDEX(path, i);
        if (t->key.n)
            rules_name(errors, AT(at, "key"), t->key, name_check_qualified);
        else if (!str_is(t->operator, "Exists"))
            field_invalid(
                errors, AT(at, "operator"), TEXT(t->operator),
                S("operator must be Exists when `key` is empty, which means \"match all values and all "
                  "keys\""));
        if (t->toleration_seconds.is_set && !str_is(t->effect, "NoExecute"))
            field_invalid(errors, AT(at, "effect"), TEXT(t->effect),
                          S("effect must be 'NoExecute' when `tolerationSeconds` is set"));
        toleration_value(errors, AT(at, "operator"), t);
        if (t->effect.n)
            rules_one_of_in_order(errors, AT(at, "effect"), t->effect,
                                  STRS(S("NoSchedule"), S("PreferNoSchedule"), S("NoExecute")));
    }
}
