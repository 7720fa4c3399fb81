/* workloads.c - what runs pods: deployments and their like, jobs, autoscalers, disruption budgets. */
#include "api/columns/columns.h"
#include <inttypes.h>

enum { TARGETS_SHOWN_MAX = 2 };

static void ready_of(struct row *r, int32_t ready, struct opt_int32 wanted)
{
    cell_f(r, "%" PRId32 "/%" PRId32, ready, wanted.value);
}

void column_deployment_ready(struct row *r, const struct deployment *d)
{
    ready_of(r, d->status.ready_replicas, d->spec.replicas);
}

void column_stateful_set_ready(struct row *r, const struct stateful_set *s)
{
    ready_of(r, s->status.ready_replicas, s->spec.replicas);
}

/* "deployment.apps/web" */
void column_controller_revision_controller(struct row *r, const struct object_meta *meta)
{
    const struct owner_reference *owner = NULL;
    for (size_t i = 0; i < meta->owner_references.count && !owner; i++)
        if (meta->owner_references.items[i].controller.value)
            owner = &meta->owner_references.items[i];
    struct buf *b = cell_begin(r);
    if (owner) {
        str group, version;
        buf_add(b, str_lower(r->arena, owner->kind));
        if (str_cut(owner->api_version, '/', &group, &version)) {
            buf_add_c(b, '.');
            buf_add(b, str_lower(r->arena, group));
        }
        buf_add_c(b, '/');
        buf_add(b, owner->name);
    }
    cell_end(r, S("<none>"));
}

/* --- jobs --- */

static bool job_is(const struct job *j, str type)
{
    for (size_t i = 0; i < j->status.conditions.count; i++)
        if (str_eq(j->status.conditions.items[i].type, type) &&
            str_is(j->status.conditions.items[i].status, "True"))
            return true;
    return false;
}

void column_job_status(struct row *r, const struct job *j)
{
    if (job_is(j, S("Complete")))
        cell(r, S("Complete"));
    else if (job_is(j, S("Failed")))
        cell(r, S("Failed"));
    else if (!kube_time_is_zero(j->metadata.deletion_timestamp))
        cell(r, S("Terminating"));
    else if (job_is(j, S("Suspended")))
        cell(r, S("Suspended"));
    else if (job_is(j, S("FailureTarget")))
        cell(r, S("FailureTarget"));
    else
        cell(r, S("Running"));
}

void column_job_completions(struct row *r, const struct job *j)
{
    int32_t done = j->status.succeeded, parallelism = j->spec.parallelism.value;
    if (j->spec.completions.is_set)
        cell_f(r, "%" PRId32 "/%" PRId32, done, j->spec.completions.value);
    else if (parallelism > 1)
        cell_f(r, "%" PRId32 "/1 of %" PRId32, done, parallelism);
    else
        cell_f(r, "%" PRId32 "/1", done);
}

void column_job_duration(struct row *r, const struct job_status *s)
{
    struct kube_time end = kube_time_is_zero(s->completion_time) ? r->now : s->completion_time;
    struct buf *b = cell_begin(r);
    if (!kube_time_is_zero(s->start_time))
        duration_format_human(b, kube_time_sub(end, s->start_time));
    cell_end(r, STR_NONE);
}

/* --- autoscalers --- */

void column_hpa_reference(struct row *r, const struct cross_version_object_reference *target)
{
    cell_f(r, "%" STR_FMT "/%" STR_FMT, STR_ARG(target->kind), STR_ARG(target->name));
}

void column_hpa_min_pods(struct row *r, const struct opt_int32 *min)
{
    if (min->is_set)
        cell_f(r, "%" PRId32, min->value);
    else
        cell(r, S("<unset>"));
}

static void add_quantity(struct buf *b, const struct quantity *q)
{
    if (q)
        quantity_format(b, q);
    else
        buf_add_lit(b, "<nil>");
}

static void add_percent(struct buf *b, struct opt_int32 utilization, str otherwise)
{
    if (utilization.is_set)
        buf_add_f(b, "%" PRId32 "%%", utilization.value);
    else
        buf_add(b, otherwise);
}

/* What counts all pods together, or each in the mean: "12/10", "4/5 (avg)". `current` may be NULL. */
static void add_whole(struct buf *b, const struct metric_target *target,
                      const struct metric_value_status *current)
{
    bool is_mean = target->average_value != NULL;
    if (!current || (is_mean && !current->average_value))
        buf_add_lit(b, "<unknown>");
    else
        add_quantity(b, is_mean ? current->average_value : current->value);
    buf_add_c(b, '/');
    add_quantity(b, is_mean ? target->average_value : target->value);
    if (is_mean)
        buf_add_lit(b, " (avg)");
}

static void add_pods(struct buf *b, const struct metric_target *target,
                     const struct metric_value_status *current)
{
    if (current)
        add_quantity(b, current->average_value);
    else
        buf_add_lit(b, "<unknown>");
    buf_add_c(b, '/');
    add_quantity(b, target->average_value);
}

/* "cpu: 40%/80%" */
static void add_resource(struct buf *b, str name, const struct metric_target *target,
                         const struct metric_value_status *current)
{
    buf_add(b, name);
    buf_add_lit(b, ": ");
    if (target->average_value) {
        add_pods(b, target, current);
        return;
    }
    add_percent(b, current ? current->average_utilization : (struct opt_int32){.is_set = false},
                S("<unknown>"));
    buf_add_c(b, '/');
    add_percent(b, target->average_utilization, S("<auto>"));
}

static void add_target(struct buf *b, const struct metric_spec *m, const struct metric_status *s)
{
    static const struct metric_status none;
    s = s ? s : &none;
    if (str_is(m->type, "External") && m->external)
        add_whole(b, &m->external->target, s->external ? &s->external->current : NULL);
    else if (str_is(m->type, "Object") && m->object)
        add_whole(b, &m->object->target, s->object ? &s->object->current : NULL);
    else if (str_is(m->type, "Pods") && m->pods)
        add_pods(b, &m->pods->target, s->pods ? &s->pods->current : NULL);
    else if (str_is(m->type, "Resource") && m->resource)
        add_resource(b, m->resource->name, &m->resource->target, s->resource ? &s->resource->current : NULL);
    else if (str_is(m->type, "ContainerResource") && m->container_resource)
        add_resource(b, m->container_resource->name, &m->container_resource->target,
                     s->container_resource ? &s->container_resource->current : NULL);
    else
        buf_add_lit(b, "<unknown type>");
}

void column_hpa_targets(struct row *r, const struct horizontal_pod_autoscaler *h)
{
    const struct metric_spec_array *metrics = &h->spec.metrics;
    const struct metric_status_array *current = &h->status.current_metrics;
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < metrics->count && i < TARGETS_SHOWN_MAX; i++) {
        cell_item(b, i, S(", "), STR_NONE);
        add_target(b, &metrics->items[i], i < current->count ? &current->items[i] : NULL);
    }
    cell_more(b, metrics->count, TARGETS_SHOWN_MAX);
    cell_end(r, S("<none>"));
}

/* --- disruption budgets --- */

static void amount(struct row *r, const struct int_or_string *n)
{
    if (n)
        int_or_string_format(cell_begin(r), n);
    else
        buf_add_lit(cell_begin(r), "N/A");
    cell_end(r, STR_NONE);
}

void column_pod_disruption_budget_min_available(struct row *r, const struct pod_disruption_budget_spec *s)
{
    amount(r, s->min_available);
}

void column_pod_disruption_budget_max_unavailable(struct row *r, const struct pod_disruption_budget_spec *s)
{
    amount(r, s->max_unavailable);
}
