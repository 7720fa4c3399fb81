/* daemon_sets.c - DaemonSet: a pod on every node that fits; ControllerRevision: what a set was like once. */
#include "api/rules/internal_json.h"
#include "api/rules/workloads.h"
#include "view/apps_v1.h"
#include "view/meta_v1.h"

/* How often the template has changed; a field once, an annotation since. */
#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"

/* --- DaemonSet --- */

static void set_defaults(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec"));
    pod_template_defaults(in, json_find(spec, S("template")));
    if (!spec)
        return;
    struct json *strategy = workload_member(in, spec, S("updateStrategy"));
    str type = json_str(json_find(strategy, S("type")));
    if (type.n == 0 || str_is(type, "RollingUpdate"))
        workload_member(in, strategy, S("rollingUpdate"));
}

static int64_t template_generation(const struct json *tree)
{
    int64_t n;
    str text = json_str(json_get(tree, S("metadata"), S("annotations"), S(TEMPLATE_GENERATION)));
    return str_parse_i64(text, &n) && n > 0 ? n : 1;
}

static void set_template_generation(const struct rules_input *in, struct json *tree, int64_t n)
{
    struct json *metadata = workload_member(in, tree, S("metadata"));
    struct json *annotations = workload_member(in, metadata, S("annotations"));
    json_set(in->arena, annotations, S(TEMPLATE_GENERATION),
             json_of_str(str_format(in->arena, "%lld", (long long)n)));
}

static void set_on_create(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
    pod_template_drop_disabled(json_get(tree, S("spec"), S("template")));
    set_template_generation(in, tree, template_generation(tree));
}

static void set_on_update(const struct rules_input *in, struct json *tree, const struct json *old)
{
    struct json *template = json_get(tree, S("spec"), S("template"));
    const struct json *before = json_get(old, S("spec"), S("template"));
    if (in->subresource.n)
        return;
    pod_template_drop_disabled(template);
    bool same = template && before ? json_equal(template, before) : !template && !before;
    set_template_generation(in, tree, template_generation(old) + !same);
}

static void rolling_update(struct field_errors *errors, const struct field_path *path,
                           const struct rolling_update_daemon_set *r)
{
    const struct field_path *unavailable = AT(path, "maxUnavailable"), *surge = AT(path, "maxSurge");
    if (r->max_unavailable)
        rules_count_or_percent(errors, unavailable, r->max_unavailable);
    if (r->max_surge)
        rules_count_or_percent(errors, surge, r->max_surge);
    at_most_all_validate(errors, unavailable, r->max_unavailable);
    at_most_all_validate(errors, surge, r->max_surge);
    bool some_down = count_or_percent_value(r->max_unavailable),
         some_more = count_or_percent_value(r->max_surge);
    if (some_down && some_more) {
        struct json shown = int_or_string_json(r->max_surge);
        field_invalid(errors, surge, &shown, S("may not be set when maxUnavailable is non-zero"));
    } else if (!some_down && !some_more) {
        field_required(errors, unavailable, S("cannot be 0 when maxSurge is 0"));
    }
}

static void strategy(struct field_errors *errors, const struct field_path *path,
                     const struct daemon_set_update_strategy *s)
{
    struct json shown = internal_json(errors->arena, VIEW_TYPE(daemon_set_update_strategy), s);
    if (str_is(s->type, "OnDelete"))
        return;
    if (!str_is(s->type, "RollingUpdate"))
        field_not_supported_in_order(errors, path, &shown, STRS(S("RollingUpdate"), S("OnDelete")));
    else if (s->rolling_update)
        rolling_update(errors, AT(path, "rollingUpdate"), s->rolling_update);
    else
        field_required(errors, AT(path, "rollingUpdate"), STR_NONE);
}

static void set_validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct daemon_set_spec *spec = &((const struct daemon_set *)view)->spec;
    const struct field_path *path = AT(NULL, "spec"), *template = AT(path, "template");
    if (in->subresource.n)
        return;
    size_t before = errors->count + errors->lost;
    rules_label_selector(errors, AT(path, "selector"), spec->selector);
    if (errors->count + errors->lost == before)
        workload_labels_validate(errors, template, spec->selector, &spec->template.metadata.labels);
    if (spec->selector && rules_label_selector_is_empty(spec->selector)) {
        struct json shown = json_object();
        field_invalid(errors, AT(path, "selector"), &shown, S("empty selector is invalid for daemonset"));
    }
    pod_template_validate(in, &spec->template, template, errors);
    workload_pods_go_on_validate(errors, template, &spec->template.spec, "DaemonSet");
    rules_non_negative(errors, AT(path, "minReadySeconds"), spec->min_ready_seconds);
    strategy(errors, AT(path, "updateStrategy"), &spec->update_strategy);
    rules_non_negative(errors, AT(path, "revisionHistoryLimit"), spec->revision_history_limit.value);
}

static void set_status(const struct daemon_set_status *s, const struct daemon_set_status *old,
                       struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "status");
    const struct workload_count counts[] = {
        {"currentNumberScheduled", s->current_number_scheduled},
        {"numberMisscheduled", s->number_misscheduled},
        {"desiredNumberScheduled", s->desired_number_scheduled},
        {"numberReady", s->number_ready},
        {"observedGeneration", s->observed_generation},
        {"updatedNumberScheduled", s->updated_number_scheduled},
        {"numberAvailable", s->number_available},
        {"numberUnavailable", s->number_unavailable},
        {"collisionCount", s->collision_count.value},
    };
    workload_counts_validate(errors, path, counts, ARRAY_COUNT(counts));
    workload_collisions_validate(errors, path, s->collision_count, old->collision_count);
}

static void set_validate_update(const struct rules_input *in, const void *view, const void *old,
                                struct field_errors *errors)
{
    const struct daemon_set *d = view, *before = old;
    if (in->subresource.n == 0)
        workload_selector_is_same(errors, d->spec.selector, before->spec.selector);
    else if (str_is(in->subresource, "status"))
        set_status(&d->status, &before->status, errors);
}

static void set_warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct daemon_set *d = view, *before = old;
    if (in->subresource.n == 0 &&
        (!old || !views_equal(in->arena, VIEW_TYPE(daemon_set_spec), &d->spec, &before->spec)))
        pod_warnings(in, AT(AT(NULL, "spec"), "template"), &d->spec.template.metadata,
                     &d->spec.template.spec);
}

const struct kind_rules daemon_set_rules = {
    .package = "apps/v1",
    .kind = "DaemonSet",
    .has_generation = true,
    .defaults = set_defaults,
    .on_create = set_on_create,
    .on_update = set_on_update,
    .validate = set_validate,
    .validate_update = set_validate_update,
    .warnings = set_warnings,
};

/* --- ControllerRevision --- */

/* The rest is said in api/. */
static void revision_validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct controller_revision *r = view;
    if (!r->data.p)
        field_required(errors, AT(NULL, "data"), S("data is mandatory"));
}

const struct kind_rules controller_revision_rules = {
    .package = "apps/v1",
    .kind = "ControllerRevision",
    .validate = revision_validate,
};
