/* replicas.c - ReplicationController, ReplicaSet, Deployment: so many pods of one kind. */
#include "api/rules/internal_json.h"
#include "api/rules/workloads.h"
#include "view/apps_v1.h"
#include "view/meta_v1.h"

static void drop_disabled(const struct rules_input *in, struct json *tree)
{
    pod_template_drop_disabled(json_get(tree, S("spec"), S("template")));
}

/* Nobody but a controller says what became of it. */
static void on_create(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
    drop_disabled(in, tree);
}

static void on_update(const struct rules_input *in, struct json *tree, const struct json *old)
{
    if (in->subresource.n == 0)
        drop_disabled(in, tree);
}

static void template_defaults(const struct rules_input *in, struct json *tree)
{
    pod_template_defaults(in, json_get(tree, S("spec"), S("template")));
}

/* --- statuses --- */

struct replica_counts {
    int64_t replicas, labeled, ready, available;
};

static void at_most_replicas(struct field_errors *errors, const struct field_path *path,
                             const struct replica_counts *c)
{
    workload_at_most(errors, path, "fullyLabeledReplicas", c->labeled, c->replicas, "status.replicas");
    workload_at_most(errors, path, "readyReplicas", c->ready, c->replicas, "status.replicas");
    workload_at_most(errors, path, "availableReplicas", c->available, c->replicas, "status.replicas");
    workload_at_most(errors, path, "availableReplicas", c->available, c->ready, "readyReplicas");
}

/* --- ReplicationController --- */

static void controller_defaults(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec"));
    const struct json *labels = json_get(spec, S("template"), S("metadata"), S("labels"));
    template_defaults(in, tree);
    if (json_count(labels) == 0)
        return;
    struct json copy = json_clone_deep(in->arena, labels);
    if (json_count(json_find(spec, S("selector"))) == 0)
        json_set(in->arena, spec, S("selector"), copy);
    struct json *metadata = workload_member(in, tree, S("metadata"));
    if (json_count(json_find(metadata, S("labels"))) == 0)
        json_set(in->arena, metadata, S("labels"), json_clone_deep(in->arena, &copy));
}

static void controller_template(const struct rules_input *in, const struct replication_controller_spec *spec,
                                const struct field_path *path, struct field_errors *errors)
{
    const struct pod_template_spec *template = spec->template;
    const struct label_selector selector = {.match_labels = spec->selector};
    if (!template) {
        field_required(errors, path, STR_NONE);
        return;
    }
    if (spec->selector.count)
        workload_labels_validate(errors, path, &selector, &template->metadata.labels);
    pod_template_validate(in, template, path, errors);
    workload_pods_go_on_validate(errors, path, &template->spec, "ReplicationController");
}

static void controller_validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct replication_controller *c = view;
    const struct field_path *path = AT(NULL, "spec");
    if (in->subresource.n)
        return;
    rules_non_negative(errors, AT(path, "minReadySeconds"), c->spec.min_ready_seconds);
    if (c->spec.selector.count == 0)
        field_required(errors, AT(path, "selector"), STR_NONE);
    rules_non_negative(errors, AT(path, "replicas"), c->spec.replicas.value);
    controller_template(in, &c->spec, AT(path, "template"), errors);
}

static void controller_validate_update(const struct rules_input *in, const void *view, const void *old,
                                       struct field_errors *errors)
{
    const struct replication_controller_status *s = &((const struct replication_controller *)view)->status;
    const struct field_path *path = AT(NULL, "status");
    const struct workload_count counts[] = {
        {"replicas", s->replicas},
        {"fullyLabeledReplicas", s->fully_labeled_replicas},
        {"readyReplicas", s->ready_replicas},
        {"availableReplicas", s->available_replicas},
        {"observedGeneration", s->observed_generation},
    };
    if (!str_is(in->subresource, "status"))
        return;
    workload_counts_validate(errors, path, counts, ARRAY_COUNT(counts));
    at_most_replicas(errors, path,
                     &(struct replica_counts){s->replicas, s->fully_labeled_replicas, s->ready_replicas,
                                              s->available_replicas});
}

static void controller_warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct replication_controller *c = view, *before = old;
    if (!old)
        host_name_warning(in, c->metadata.name, USED_IN_POD_NAMES);
    if (c->spec.template && in->subresource.n == 0 &&
        (!old || !views_equal(in->arena, VIEW_TYPE(replication_controller_spec), &c->spec, &before->spec)))
        pod_warnings(in, AT(AT(NULL, "spec"), "template"), &c->spec.template->metadata,
                     &c->spec.template->spec);
}

const struct kind_rules replication_controller_rules = {
    .package = "core/v1",
    .kind = "ReplicationController",
    .has_generation = true,
    .defaults = controller_defaults,
    .on_create = on_create,
    .on_update = on_update,
    .validate = controller_validate,
    .validate_update = controller_validate_update,
    .warnings = controller_warnings,
};

/* --- ReplicaSet --- */

/* A selector and a template of pods that it fits. */
static void selected(const struct rules_input *in, const struct label_selector *selector,
                     const struct pod_template_spec *template, const struct field_path *path,
                     struct field_errors *errors)
{
    const struct field_path *at = AT(path, "template");
    const struct workload_selector s = {selector, "deployment", "invalid label selector"};
    if (!workload_selector_validate(errors, AT(path, "selector"), &s))
        return;
    if (!selector || !rules_label_selector_is_empty(selector))
        workload_labels_validate(errors, at, selector, &template->metadata.labels);
    pod_template_validate(in, template, at, errors);
    workload_pods_go_on_validate(errors, at, &template->spec, "ReplicaSet");
}

static void set_validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct replica_set *r = view;
    const struct field_path *path = AT(NULL, "spec");
    if (in->subresource.n)
        return;
    rules_non_negative(errors, AT(path, "replicas"), r->spec.replicas.value);
    rules_non_negative(errors, AT(path, "minReadySeconds"), r->spec.min_ready_seconds);
    selected(in, r->spec.selector, &r->spec.template, path, errors);
}

static void set_status(const struct replica_set_status *s, struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "status");
    const struct workload_count counts[] = {
        {"replicas", s->replicas},
        {"fullyLabeledReplicas", s->fully_labeled_replicas},
        {"readyReplicas", s->ready_replicas},
        {"availableReplicas", s->available_replicas},
        {"terminatingReplicas", s->terminating_replicas.value},
        {"observedGeneration", s->observed_generation},
    };
    workload_counts_validate(errors, path, counts, ARRAY_COUNT(counts));
    at_most_replicas(errors, path,
                     &(struct replica_counts){s->replicas, s->fully_labeled_replicas, s->ready_replicas,
                                              s->available_replicas});
}

static void set_validate_update(const struct rules_input *in, const void *view, const void *old,
                                struct field_errors *errors)
{
    const struct replica_set *r = view, *before = old;
    if (in->subresource.n == 0)
        workload_selector_is_same(errors, r->spec.selector, before->spec.selector);
    else if (str_is(in->subresource, "status"))
        set_status(&r->status, errors);
}

static void set_warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct replica_set *r = view, *before = old;
    if (!old)
        host_name_warning(in, r->metadata.name, USED_IN_POD_NAMES);
    if (in->subresource.n == 0 &&
        (!old || !views_equal(in->arena, VIEW_TYPE(replica_set_spec), &r->spec, &before->spec)))
        pod_warnings(in, AT(AT(NULL, "spec"), "template"), &r->spec.template.metadata,
                     &r->spec.template.spec);
}

const struct kind_rules replica_set_rules = {
    .package = "apps/v1",
    .kind = "ReplicaSet",
    .has_generation = true,
    .defaults = template_defaults,
    .on_create = on_create,
    .on_update = on_update,
    .validate = set_validate,
    .validate_update = set_validate_update,
    .warnings = set_warnings,
};

/* --- Deployment --- */

static void deployment_defaults(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec"));
    template_defaults(in, tree);
    if (!spec)
        return;
    struct json *strategy = workload_member(in, spec, S("strategy"));
    str type = json_str(json_find(strategy, S("type")));
    if (type.n && !str_is(type, "RollingUpdate"))
        return;
    workload_member(in, strategy, S("rollingUpdate")); /* what stands in it is said in api/ */
}

/* What the annotations say goes to its replica sets, so a change of them counts as one of the spec. */
static void deployment_on_update(const struct rules_input *in, struct json *tree, const struct json *old)
{
    struct json *metadata = json_find(tree, S("metadata"));
    const struct json *now = json_find(metadata, S("annotations")),
                      *before = json_get(old, S("metadata"), S("annotations"));
    int64_t generation;
    if (in->subresource.n)
        return;
    drop_disabled(in, tree);
    bool same = now && before ? json_equal(now, before) : !now && !before;
    if (!same && metadata && json_int(json_get(old, S("metadata"), S("generation")), &generation))
        json_set(in->arena, metadata, S("generation"), json_of_int(generation + 1));
}

static void rolling_update(struct field_errors *errors, const struct field_path *path,
                           const struct rolling_update_deployment *r)
{
    const struct field_path *unavailable = AT(path, "maxUnavailable");
    if (r->max_unavailable)
        rules_count_or_percent(errors, unavailable, r->max_unavailable);
    if (r->max_surge)
        rules_count_or_percent(errors, AT(path, "maxSurge"), r->max_surge);
    struct json value = int_or_string_json(r->max_unavailable);
    if (count_or_percent_value(r->max_unavailable) == 0 && count_or_percent_value(r->max_surge) == 0)
        field_invalid(errors, unavailable, &value, S("may not be 0 when `maxSurge` is 0"));
    at_most_all_validate(errors, unavailable, r->max_unavailable);
}

static void strategy(struct field_errors *errors, const struct field_path *path,
                     const struct deployment_strategy *s)
{
    const struct field_path *rolling = AT(path, "rollingUpdate");
    struct json value = internal_json(errors->arena, VIEW_TYPE(deployment_strategy), s);
    if (str_is(s->type, "Recreate")) {
        if (s->rolling_update)
            field_forbidden(errors, rolling, S("may not be specified when strategy `type` is 'Recreate'"));
    } else if (!str_is(s->type, "RollingUpdate")) {
        field_not_supported_in_order(errors, path, &value, STRS(S("Recreate"), S("RollingUpdate")));
    } else if (s->rolling_update) {
        rolling_update(errors, rolling, s->rolling_update);
    } else {
        field_required(errors, rolling, S("this should be defaulted and never be nil"));
    }
}

static void deployment_validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct deployment_spec *spec = &((const struct deployment *)view)->spec;
    const struct field_path *path = AT(NULL, "spec"), *progress = AT(path, "progressDeadlineSeconds");
    struct opt_int32 deadline = spec->progress_deadline_seconds;
    if (in->subresource.n)
        return;
    rules_non_negative(errors, AT(path, "replicas"), spec->replicas.value);
    selected(in, spec->selector, &spec->template, path, errors);
    strategy(errors, AT(path, "strategy"), &spec->strategy);
    rules_non_negative(errors, AT(path, "minReadySeconds"), spec->min_ready_seconds);
    rules_non_negative(errors, AT(path, "revisionHistoryLimit"), spec->revision_history_limit.value);
    rules_non_negative(errors, progress, deadline.value);
    if (deadline.is_set && deadline.value <= spec->min_ready_seconds)
        field_invalid(errors, progress, NUMBER(deadline.value), S("must be greater than minReadySeconds"));
}

static void deployment_status(const struct deployment_status *s, const struct deployment_status *old,
                              struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "status");
    const struct workload_count counts[] = {
        {"observedGeneration", s->observed_generation},
        {"replicas", s->replicas},
        {"updatedReplicas", s->updated_replicas},
        {"readyReplicas", s->ready_replicas},
        {"availableReplicas", s->available_replicas},
        {"unavailableReplicas", s->unavailable_replicas},
        {"terminatingReplicas", s->terminating_replicas.value},
        {"collisionCount", s->collision_count.value},
    };
    workload_counts_validate(errors, path, counts, ARRAY_COUNT(counts));
    workload_at_most(errors, path, "updatedReplicas", s->updated_replicas, s->replicas, "status.replicas");
    workload_at_most(errors, path, "readyReplicas", s->ready_replicas, s->replicas, "status.replicas");
    workload_at_most(errors, path, "availableReplicas", s->available_replicas, s->replicas,
                     "status.replicas");
    workload_at_most(errors, path, "availableReplicas", s->available_replicas, s->ready_replicas,
                     "readyReplicas");
    workload_collisions_validate(errors, path, s->collision_count, old->collision_count);
}

static void deployment_validate_update(const struct rules_input *in, const void *view, const void *old,
                                       struct field_errors *errors)
{
    const struct deployment *d = view, *before = old;
    if (in->subresource.n == 0)
        workload_selector_is_same(errors, d->spec.selector, before->spec.selector);
    else if (str_is(in->subresource, "status"))
        deployment_status(&d->status, &before->status, errors);
}

static void deployment_warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct deployment *d = view, *before = old;
    if (!old)
        host_name_warning(in, d->metadata.name, USED_IN_POD_NAMES);
    if (in->subresource.n == 0 &&
        (!old || !str_maps_equal(&d->metadata.annotations, &before->metadata.annotations) ||
         !views_equal(in->arena, VIEW_TYPE(deployment_spec), &d->spec, &before->spec)))
        pod_warnings(in, AT(AT(NULL, "spec"), "template"), &d->spec.template.metadata,
                     &d->spec.template.spec);
}

const struct kind_rules deployment_rules = {
    .package = "apps/v1",
    .kind = "Deployment",
    .has_generation = true,
    .defaults = deployment_defaults,
    .on_create = on_create,
    .on_update = deployment_on_update,
    .validate = deployment_validate,
    .validate_update = deployment_validate_update,
    .warnings = deployment_warnings,
};
