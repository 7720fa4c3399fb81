/* autoscaling.c - HorizontalPodAutoscaler: bounds in order, metrics that say what they measure, how fast it may scale. */
#include "api/rules/checks.h"
#include "view/autoscaling_v2.h"

enum { WINDOW_MAX_S = 3600, PERIOD_MAX_S = 1800 };

/* --- defaults --- */

#define UP                                                                                                     \
    "{\"stabilizationWindowSeconds\":0,\"selectPolicy\":\"Max\",\"policies\":[{\"type\":\"Pods\",\"value\":4," \
    "\"periodSeconds\":15},{\"type\":\"Percent\",\"value\":100,\"periodSeconds\":15}]}"
#define DOWN \
    "{\"selectPolicy\":\"Max\",\"policies\":[{\"type\":\"Percent\",\"value\":100,\"periodSeconds\":15}]}"

static struct json parsed(struct arena *a, str text)
{
    struct json j = json_null();
    struct err err = ERR_INIT;
    err_code code = json_parse(a, text, NULL, &j, &err);
    ASSERT(code == ERR_NONE);
    return j;
}

/* What a side does not say of its rules. */
static void default_side(struct arena *a, struct json *behavior, str side, str text)
{
    struct json filled = parsed(a, text);
    const struct json *said = json_find(behavior, side);
    for (size_t i = 0; said && said->type == JSON_OBJECT && i < said->n; i++)
        json_set(a, &filled, json_member_name(&said->v.members[i]), said->v.members[i].value);
    json_set(a, behavior, side, filled);
}

static void defaults(const struct rules_input *in, struct json *tree)
{
    struct json *behavior = json_get(tree, S("spec"), S("behavior"));
    if (!behavior || behavior->type != JSON_OBJECT)
        return;
    default_side(in->arena, behavior, S("scaleUp"), S(UP));
    default_side(in->arena, behavior, S("scaleDown"), S(DOWN));
}

static void drop_status(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
}

/* --- metrics --- */

static void check_object(struct field_errors *errors, const struct field_path *path,
                         const struct cross_version_object_reference *r)
{
    check_required_segment(errors, AT(path, "kind"), r->kind);
    check_required_segment(errors, AT(path, "name"), r->name);
}

static void check_metric_name(struct field_errors *errors, const struct field_path *path,
                              const struct metric_identifier *m)
{
    if (m->name.n == 0)
        field_required(errors, AT(path, "name"), S("must specify a metric name"));
    else
        rules_name(errors, AT(path, "name"), m->name, name_check_path_segment);
}

static void check_amount(struct field_errors *errors, const struct field_path *path, const struct quantity *q)
{
    if (!q || quantity_sign(q) == 1)
        return;
    struct json shown = rules_quantity(errors->arena, q);
    field_invalid(errors, path, &shown, S("must be positive"));
}

static void check_target(struct field_errors *errors, const struct field_path *path,
                         const struct metric_target *t)
{
    const struct field_path *type = AT(path, "type");
    if (t->type.n == 0)
        field_required(errors, type, S("must specify a metric target type"));
    if (!rules_is_one_of(t->type, STRS(S("Utilization"), S("Value"), S("AverageValue"))))
        field_invalid(errors, type, TEXT(t->type), S("must be either Utilization, Value, or AverageValue"));
    check_amount(errors, AT(path, "value"), t->value);
    check_amount(errors, AT(path, "averageValue"), t->average_value);
    if (t->average_utilization.is_set && t->average_utilization.value < 1)
        field_invalid(errors, AT(path, "averageUtilization"), NUMBER(t->average_utilization.value),
                      S("must be greater than 0"));
}

#define ONE_TARGET "must set either a target value for metric or a per-pod target"

static void check_object_metric(struct field_errors *errors, const struct field_path *path,
                                const struct object_metric_source *s)
{
    const struct field_path *target = AT(path, "target");
    check_object(errors, AT(path, "describedObject"), &s->described_object);
    check_metric_name(errors, AT(path, "metric"), &s->metric);
    check_target(errors, target, &s->target);
    if (!s->target.value && !s->target.average_value)
        field_required(errors, AT(target, "averageValue"), S(ONE_TARGET));
}

static void check_external_metric(struct field_errors *errors, const struct field_path *path,
                                  const struct external_metric_source *s)
{
    const struct field_path *target = AT(path, "target");
    check_metric_name(errors, AT(path, "metric"), &s->metric);
    check_target(errors, target, &s->target);
    if (!s->target.value && !s->target.average_value)
        field_required(errors, AT(target, "averageValue"), S(ONE_TARGET));
    if (s->target.value && s->target.average_value)
        field_forbidden(errors, AT(target, "value"),
                        S("may not set both a target value for metric and a per-pod target"));
}

static void check_pods_metric(struct field_errors *errors, const struct field_path *path,
                              const struct pods_metric_source *s)
{
    const struct field_path *target = AT(path, "target");
    check_metric_name(errors, AT(path, "metric"), &s->metric);
    check_target(errors, target, &s->target);
    if (!s->target.average_value || quantity_sign(s->target.average_value) != 1)
        field_required(errors, AT(target, "averageValue"), S("must specify a positive target averageValue"));
}

static void check_resource_name_there(struct field_errors *errors, const struct field_path *path, str name)
{
    if (name.n == 0)
        field_required(errors, AT(path, "name"), S("must specify a resource name"));
}

static void check_resource_target(struct field_errors *errors, const struct field_path *target,
                                  const struct metric_target *t)
{
    check_target(errors, target, t);
    if (!t->average_utilization.is_set && !t->average_value)
        field_required(errors, AT(target, "averageUtilization"),
                       S("must set either a target raw value or a target utilization"));
    if (t->average_utilization.is_set && t->average_value)
        field_forbidden(errors, AT(target, "averageValue"),
                        S("may not set both a target raw value and a target utilization"));
}

/* The first source that is there. */
static void check_source(struct field_errors *errors, const struct field_path *path,
                         const struct metric_spec *m)
{
    if (m->object) {
        check_object_metric(errors, AT(path, "object"), m->object);
    } else if (m->external) {
        check_external_metric(errors, AT(path, "external"), m->external);
    } else if (m->pods) {
        check_pods_metric(errors, AT(path, "pods"), m->pods);
    } else if (m->resource) {
        const struct field_path *at = AT(path, "resource");
        check_resource_name_there(errors, at, m->resource->name);
        check_resource_target(errors, AT(at, "target"), &m->resource->target);
    } else if (m->container_resource) {
        const struct field_path *at = AT(path, "containerResource");
        check_resource_name_there(errors, at, m->container_resource->name);
        if (m->container_resource->container.n == 0)
            field_required(errors, AT(at, "container"), S("must specify a container name"));
        check_resource_target(errors, AT(at, "target"), &m->container_resource->target);
    }
}

static void check_metric(struct field_errors *errors, const struct field_path *path,
                         const struct metric_spec *m)
{
    const struct {
        str type, field;
        bool there;
    } sources[] = {
        {S("ContainerResource"), S("containerResource"), m->container_resource},
        {S("External"), S("external"), m->external},
        {S("Object"), S("object"), m->object},
        {S("Pods"), S("pods"), m->pods},
        {S("Resource"), S("resource"), m->resource},
    };
    size_t count = 0;
    if (m->type.n == 0)
        field_required(errors, AT(path, "type"), S("must specify a metric source type"));
    rules_one_of(errors, AT(path, "type"), m->type,
                 STRS(S("ContainerResource"), S("External"), S("Object"), S("Pods"), S("Resource")));
    check_source(errors, path, m);
    for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
        count += sources[i].there;
        if (str_eq(m->type, sources[i].type) && !sources[i].there)
            field_required(errors, AT_NAME(path, sources[i].field),
                           S("must populate information for the given metric source"));
    }
    for (size_t i = 0; count != 1 && i < ARRAY_COUNT(sources); i++)
        if (sources[i].there && !str_eq(m->type, sources[i].type))
            field_forbidden(errors, AT_NAME(path, sources[i].field),
                            S("must populate the given metric source only"));
}

/* --- behaviour --- */

static void check_policy(struct field_errors *errors, const struct field_path *path,
                         const struct hpa_scaling_policy *p)
{
    rules_one_of(errors, AT(path, "type"), p->type, STRS(S("Percent"), S("Pods")));
    rules_positive(errors, AT(path, "value"), p->value);
    rules_positive(errors, AT(path, "periodSeconds"), p->period_seconds);
    if (p->period_seconds > PERIOD_MAX_S)
        field_invalid(errors, AT(path, "periodSeconds"), NUMBER(p->period_seconds),
                      S("must be less than or equal to 1800"));
}

static void check_rules(struct field_errors *errors, const struct field_path *path,
                        const struct hpa_scaling_rules *r)
{
    const struct field_path *window = AT(path, "stabilizationWindowSeconds"),
                            *policies = AT(path, "policies");
    if (!r)
        return;
    if (r->stabilization_window_seconds.is_set && r->stabilization_window_seconds.value < 0)
        field_invalid(errors, window, NUMBER(r->stabilization_window_seconds.value),
                      S("must be greater than or equal to zero"));
    if (r->stabilization_window_seconds.is_set && r->stabilization_window_seconds.value > WINDOW_MAX_S)
        field_invalid(errors, window, NUMBER(r->stabilization_window_seconds.value),
                      S("must be less than or equal to 3600"));
    if (r->select_policy.p)
        rules_one_of(errors, AT(path, "selectPolicy"), r->select_policy,
                     STRS(S("Disabled"), S("Max"), S("Min")));
    for (size_t i = 0; i < r->policies.count; i++)
        check_policy(errors, AT_INDEX(policies, i), &r->policies.items[i]);
    if (r->tolerance)
        check_not_negative(errors, AT(path, "tolerance"), r->tolerance);
}

/* --- the whole --- */

static void check_spec(struct field_errors *errors, const struct horizontal_pod_autoscaler_spec *s)
{
    const struct field_path *spec = AT(NULL, "spec"), *behavior = AT(spec, "behavior"),
                            *max = AT(spec, "maxReplicas");
    if (s->min_replicas.is_set && s->min_replicas.value < 1)
        field_invalid(errors, AT(spec, "minReplicas"), NUMBER(s->min_replicas.value),
                      S("must be greater than or equal to 1"));
    if (s->max_replicas < 1)
        field_invalid(errors, max, NUMBER(s->max_replicas), S("must be greater than 0"));
    if (s->min_replicas.is_set && s->max_replicas < s->min_replicas.value)
        field_invalid(errors, max, NUMBER(s->max_replicas),
                      S("must be greater than or equal to `minReplicas`"));
    check_object(errors, AT(spec, "scaleTargetRef"), &s->scale_target_ref);
    for (size_t i = 0; i < s->metrics.count; i++)
        check_metric(errors, AT_INDEX(AT(spec, "metrics"), i), &s->metrics.items[i]);
    if (s->behavior) {
        check_rules(errors, AT(behavior, "scaleUp"), s->behavior->scale_up);
        check_rules(errors, AT(behavior, "scaleDown"), s->behavior->scale_down);
    }
}

static void validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct horizontal_pod_autoscaler *h = view;
    const struct field_path *status = AT(NULL, "status");
    if (!str_is(in->subresource, "status")) {
        check_spec(errors, &h->spec);
        return;
    }
    rules_non_negative(errors, AT(status, "currentReplicas"), h->status.current_replicas);
    rules_non_negative(errors, AT(status, "desiredReplicas"), h->status.desired_replicas);
}

const struct kind_rules horizontal_pod_autoscaler_rules = {.package = "autoscaling/v2",
                                                           .kind = "HorizontalPodAutoscaler",
                                                           .defaults = defaults,
                                                           .on_create = drop_status,
                                                           .validate = validate};
