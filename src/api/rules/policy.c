/* policy.c - what ranks and protects pods: PriorityClass, RuntimeClass, PodDisruptionBudget; and Lease. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "api/rules/pod.h"
#include "view/coordination_v1.h"
#include "view/node_v1.h"
#include "view/policy_v1.h"
#include "view/scheduling_v1.h"

enum { USER_PRIORITY_MAX = 1000000000 };

/* --- PriorityClass --- */

static const struct {
    str name;
    int32_t value;
} system_classes[] = {
    {S_INIT("system-node-critical"), 2000001000},
    {S_INIT("system-cluster-critical"), 2000000000},
};

#define RESERVED "priority class names with 'system-' prefix are reserved for system use only. error: "

static void check_system_class(struct field_errors *errors, const struct priority_class *c)
{
    const struct field_path *name = AT(AT(NULL, "metadata"), "name");
    for (size_t i = 0; i < ARRAY_COUNT(system_classes); i++) {
        if (!str_eq(system_classes[i].name, c->metadata.name))
            continue;
        if (c->value != system_classes[i].value)
            field_forbidden(errors, name,
                            RULES_F(errors, RESERVED "value of %" STR_FMT " PriorityClass must be %d",
                                    STR_ARG(c->metadata.name), system_classes[i].value));
        else if (c->global_default)
            field_forbidden(errors, name,
                            RULES_F(errors,
                                    RESERVED "globalDefault of %" STR_FMT " PriorityClass must be false",
                                    STR_ARG(c->metadata.name)));
        return;
    }
    field_forbidden(errors, name,
                    RULES_F(errors, RESERVED "%" STR_FMT " is not a known system priority class",
                            STR_ARG(c->metadata.name)));
}

static void validate_priority(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct priority_class *c = view;
    if (str_starts(c->metadata.name, S("system-")))
        check_system_class(errors, c);
    else if (c->value > USER_PRIORITY_MAX)
        field_forbidden(errors, AT(NULL, "value"),
                        S("maximum allowed value of a user defined priority is 1000000000"));
    if (c->preemption_policy.p && c->preemption_policy.n == 0)
        field_required(errors, AT(NULL, "preemptionPolicy"), STR_NONE);
}

static void validate_priority_update(const struct rules_input *in, const void *view, const void *old,
                                     struct field_errors *errors)
{
    if (((const struct priority_class *)view)->value != ((const struct priority_class *)old)->value)
        field_forbidden(errors, AT(NULL, "value"), S("may not be changed in an update."));
}

const struct kind_rules priority_class_rules = {.package = "scheduling/v1",
                                                .kind = "PriorityClass",
                                                .has_generation = true,
                                                .validate = validate_priority,
                                                .validate_update = validate_priority_update};

/* --- RuntimeClass --- */

static void check_tolerations(struct field_errors *errors, const struct field_path *path,
                              const struct toleration_array *tolerations)
{
    str *keys = ARENA_ARRAY(errors->arena, str, tolerations->count);
    pod_tolerations_validate(errors, path, tolerations);
    for (size_t i = 0; i < tolerations->count; i++) {
        struct json shown = rules_view(errors->arena, VIEW_TYPE(toleration), &tolerations->items[i]);
        struct buf b;
        buf_init_arena(&b, errors->arena, 1 << 16);
        json_print(&b, &shown, 0);
        keys[i] = buf_str(&b);
    }
    const bool *repeated = repeats(errors->arena, keys, tolerations->count);
    for (size_t i = 0; i < tolerations->count; i++) {
        if (!repeated[i])
            continue;
        struct json shown = internal_json(errors->arena, VIEW_TYPE(toleration), &tolerations->items[i]);
        field_duplicate(errors, AT_INDEX(path, i), &shown);
    }
}

static void validate_runtime(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct runtime_class *c = view;
    const struct field_path *scheduling = AT(NULL, "scheduling"),
                            *limits = AT(AT(NULL, "overhead"), "limits");
    for (size_t i = 0; c->overhead && i < c->overhead->pod_fixed.count; i++) {
        const struct quantity_map_entry *e = &c->overhead->pod_fixed.items[i];
        check_container_resource_name(errors, AT_KEY(limits, e->key), e->key);
        check_resource_amount(errors, AT_KEY(limits, e->key), e->key, &e->value);
    }
    if (!c->scheduling)
        return;
    rules_labels(errors, AT(scheduling, "nodeSelector"), &c->scheduling->node_selector);
    check_tolerations(errors, AT(scheduling, "tolerations"), &c->scheduling->tolerations);
}

static void warn_runtime(const struct rules_input *in, const void *view, const void *old)
{
    const struct runtime_class *c = view;
    for (size_t i = 0; c->scheduling && i < c->scheduling->node_selector.count; i++)
        warn_node_label(in, AT(AT(NULL, "scheduling"), "nodeSelector"),
                        c->scheduling->node_selector.items[i].key);
}

const struct kind_rules runtime_class_rules = {
    .package = "node/v1", .kind = "RuntimeClass", .validate = validate_runtime, .warnings = warn_runtime};

/* --- PodDisruptionBudget --- */

static void drop_status(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
}

/* What it is a percentage of is all there is. */
static void check_percentage(struct field_errors *errors, const struct field_path *path,
                             const struct int_or_string *v)
{
    uint64_t percent;
    if (v && v->type == INT_OR_STRING_STRING && name_check_percent(v->text, NULL) &&
        (!str_parse_u64(str_slice(v->text, 0, v->text.n - 1), &percent) || percent > 100))
        field_invalid(errors, path, TEXT(v->text), S("must not be greater than 100%"));
}

static void validate_budget(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct pod_disruption_budget *b = view, *old = in->old;
    const struct field_path *spec = AT(NULL, "spec");
    unsigned flags = old && !label_selector_is_valid(in->arena, old->spec.selector) ? RULES_ANY_VALUES : 0;
    if (str_is(in->subresource, "status")) {
        check_conditions(errors, AT(AT(NULL, "status"), "conditions"), &b->status.conditions);
        return;
    }
    if (b->spec.min_available && b->spec.max_unavailable) {
        struct json shown = internal_json(errors->arena, VIEW_TYPE(pod_disruption_budget_spec), &b->spec);
        field_invalid(errors, spec, &shown, S("minAvailable and maxUnavailable cannot be both set"));
    }
    check_percentage(errors, AT(spec, "minAvailable"), b->spec.min_available);
    check_percentage(errors, AT(spec, "maxUnavailable"), b->spec.max_unavailable);
    rules_label_selector_with(errors, AT(spec, "selector"), b->spec.selector, flags);
}

const struct kind_rules pod_disruption_budget_rules = {.package = "policy/v1",
                                                       .kind = "PodDisruptionBudget",
                                                       .has_generation = true,
                                                       .on_create = drop_status,
                                                       .validate = validate_budget};

/* --- Lease --- */

/* Coordinated leader election is off: what belongs to it is not taken. */
static void drop_coordination(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec"));
    if (spec && spec->type == JSON_OBJECT) {
        json_remove(spec, S("strategy"));
        json_remove(spec, S("preferredHolder"));
    }
}

static void drop_coordination_on_update(const struct rules_input *in, struct json *tree,
                                        const struct json *old)
{
    drop_coordination(in, tree);
}

static void validate_lease(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct lease *l = view;
    const struct field_path *spec = AT(NULL, "spec");
    if (l->spec.lease_duration_seconds.is_set && l->spec.lease_duration_seconds.value <= 0)
        field_invalid(errors, AT(spec, "leaseDurationSeconds"), NUMBER(l->spec.lease_duration_seconds.value),
                      S("must be greater than 0"));
    if (l->spec.lease_transitions.is_set)
        rules_non_negative(errors, AT(spec, "leaseTransitions"), l->spec.lease_transitions.value);
}

const struct kind_rules lease_rules = {.package = "coordination/v1",
                                       .kind = "Lease",
                                       .on_create = drop_coordination,
                                       .on_update = drop_coordination_on_update,
                                       .validate = validate_lease};
