/* stateful_sets.c - StatefulSet: numbered pods, each with claims of its own. */
#include "api/rules/internal_json.h"
#include "api/rules/workloads.h"
#include "view/apps_v1.h"
#include "view/meta_v1.h"

/* --- trees --- */

/* Templates of claims are whole claims, and say so. */
static void claim_defaults(const struct rules_input *in, struct json *claim)
{
    json_set(in->arena, claim, S("kind"), json_of_str(S("PersistentVolumeClaim")));
    json_set(in->arena, claim, S("apiVersion"), json_of_str(S("v1")));
    workload_member(in, claim, S("status"));
    resources_round_up(in, json_get(claim, S("spec"), S("resources")));
}

static void defaults(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec"));
    const struct json *claims = json_find(spec, S("volumeClaimTemplates"));
    pod_template_defaults(in, json_find(spec, S("template")));
    for (size_t i = 0; i < json_count(claims); i++)
        claim_defaults(in, json_at(claims, i));
    if (!spec)
        return;
    struct json *strategy = workload_member(in, spec, S("updateStrategy"));
    if (json_str(json_find(strategy, S("type"))).n == 0)
        workload_member(in, strategy, S("rollingUpdate"));
}

/* What belongs to features that are off. */
static void drop_disabled(const struct json *tree)
{
    struct json *rolling = json_get(tree, S("spec"), S("updateStrategy"), S("rollingUpdate"));
    pod_template_drop_disabled(json_get(tree, S("spec"), S("template")));
    if (rolling)
        json_remove(rolling, S("maxUnavailable"));
}

static void on_create(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
    drop_disabled(tree);
}

static void on_update(const struct rules_input *in, struct json *tree, const struct json *old)
{
    if (in->subresource.n == 0)
        drop_disabled(tree);
}

/* --- what is wrong --- */

static void strategy(struct field_errors *errors, const struct field_path *path,
                     const struct stateful_set_update_strategy *s)
{
    const struct field_path *rolling = AT(path, "rollingUpdate");
    if (s->type.n == 0) {
        field_required(errors, path, STR_NONE);
    } else if (str_is(s->type, "OnDelete") && s->rolling_update) {
        struct json shown = internal_json(errors->arena, VIEW_TYPE(rolling_update_stateful_set_strategy),
                                          s->rolling_update);
        field_invalid(errors, rolling, &shown, S("only allowed for updateStrategy 'RollingUpdate'"));
    } else if (str_is(s->type, "RollingUpdate") && s->rolling_update) {
        rules_non_negative(errors, AT(rolling, "partition"), s->rolling_update->partition.value);
    } else if (!str_is(s->type, "OnDelete") && !str_is(s->type, "RollingUpdate")) {
        struct json shown = internal_json(errors->arena, VIEW_TYPE(stateful_set_update_strategy), s);
        field_invalid(errors, path, &shown, S("must be 'RollingUpdate' or 'OnDelete'"));
    }
}

static void management(struct field_errors *errors, const struct field_path *path, str policy)
{
    if (policy.n == 0)
        field_required(errors, path, STR_NONE);
    else if (!str_is(policy, "OrderedReady") && !str_is(policy, "Parallel"))
        field_invalid(errors, path, TEXT(policy), S("must be 'OrderedReady' or 'Parallel'"));
}

static void retention(struct field_errors *errors, const struct field_path *path,
                      const struct stateful_set_persistent_volume_claim_retention_policy *p)
{
    if (!p)
        return;
    rules_one_of_in_order(errors, AT(path, "whenDeleted"), p->when_deleted, STRS(S("Retain"), S("Delete")));
    rules_one_of_in_order(errors, AT(path, "whenScaled"), p->when_scaled, STRS(S("Retain"), S("Delete")));
}

/* Containers may mount what claims will be made for, which takes the place of a volume of the same name. */
static struct pod_template_spec with_claims(struct arena *a, const struct stateful_set_spec *spec)
{
    struct pod_template_spec t = spec->template;
    const struct persistent_volume_claim_array *claims = &spec->volume_claim_templates;
    struct volume *volumes = ARENA_ARRAY(a, struct volume, t.spec.volumes.count + claims->count);
    struct persistent_volume_claim_volume_source *sources = ARENA_ARRAY(
        a, struct persistent_volume_claim_volume_source, claims->count);
    const bool *again;
    str *names = ARENA_ARRAY(a, str, claims->count + t.spec.volumes.count);
    size_t count = 0;
    for (size_t i = 0; i < claims->count; i++)
        names[i] = claims->items[i].metadata.name;
    for (size_t i = 0; i < t.spec.volumes.count; i++)
        names[claims->count + i] = t.spec.volumes.items[i].name;
    again = repeats(a, names, claims->count);
    const bool *taken = repeats(a, names, claims->count + t.spec.volumes.count);
    for (size_t i = 0; i < t.spec.volumes.count; i++)
        if (!taken[claims->count + i] || t.spec.volumes.items[i].name.n == 0)
            volumes[count++] = t.spec.volumes.items[i];
    for (size_t i = 0; i < claims->count; i++) {
        if (again[i])
            continue;
        sources[i].claim_name = names[i];
        volumes[count++] = (struct volume){.name = names[i],
                                           .volume_source = {.persistent_volume_claim = &sources[i]}};
    }
    t.spec.volumes.items = volumes;
    t.spec.volumes.count = count;
    return t;
}

static bool was_invalid(const struct rules_input *in, const struct stateful_set_spec *old)
{
    struct field_errors errors;
    field_errors_init(&errors, in->arena);
    struct pod_template_spec t = with_claims(in->arena, old);
    pod_template_validate(in, &t, AT(NULL, "template"), &errors);
    return errors.count > 0;
}

static void template(const struct rules_input *in, const struct stateful_set_spec *spec,
                     const struct field_path *path, struct field_errors *errors)
{
    const struct stateful_set *old = in->old;
    const struct object_meta *meta = &spec->template.metadata;
    if (!spec->selector || !rules_label_selector_is_empty(spec->selector))
        workload_labels_validate(errors, path, spec->selector, &meta->labels);
    if (old && was_invalid(in, &old->spec)) { /* what was wrong before may stay */
        rules_labels(errors, AT(path, "labels"), &meta->labels);
        rules_annotations(errors, AT(path, "annotations"), &meta->annotations);
        return;
    }
    struct pod_template_spec t = with_claims(errors->arena, spec);
    pod_template_validate(in, &t, path, errors);
}

static void validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct stateful_set_spec *spec = &((const struct stateful_set *)view)->spec;
    const struct field_path *path = AT(NULL, "spec"), *template_path = AT(path, "template");
    const struct workload_selector selector = {spec->selector, "statefulset", ""};
    if (in->subresource.n)
        return;
    management(errors, AT(path, "podManagementPolicy"), spec->pod_management_policy);
    strategy(errors, AT(path, "updateStrategy"), &spec->update_strategy);
    retention(errors, AT(path, "persistentVolumeClaimRetentionPolicy"),
              spec->persistent_volume_claim_retention_policy);
    for (size_t i = 0; !in->old && i < spec->volume_claim_templates.count; i++)
        claim_spec_validate(errors, AT(AT_INDEX(AT(path, "volumeClaimTemplates"), i), "spec"),
                            &spec->volume_claim_templates.items[i].spec);
    rules_non_negative(errors, AT(path, "replicas"), spec->replicas.value);
    rules_non_negative(errors, AT(path, "minReadySeconds"), spec->min_ready_seconds);
    rules_non_negative(errors, AT(path, "ordinals.start"), spec->ordinals ? spec->ordinals->start : 0);
    if (!in->old && spec->service_name.n)
        rules_name(errors, AT(path, "serviceName"), spec->service_name, name_check_dns1123_label);
    if (workload_selector_validate(errors, AT(path, "selector"), &selector))
        template(in, spec, template_path, errors);
    workload_pods_go_on_validate(errors, template_path, &spec->template.spec, "StatefulSet");
}

static void status(const struct stateful_set_status *s, const struct stateful_set_status *old,
                   struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "status");
    const struct workload_count counts[] = {
        {"replicas", s->replicas},
        {"readyReplicas", s->ready_replicas},
        {"currentReplicas", s->current_replicas},
        {"updatedReplicas", s->updated_replicas},
        {"availableReplicas", s->available_replicas},
        {"observedGeneration", s->observed_generation},
        {"collisionCount", s->collision_count.value},
    };
    workload_counts_validate(errors, path, counts, ARRAY_COUNT(counts));
    workload_at_most(errors, path, "readyReplicas", s->ready_replicas, s->replicas, "status.replicas");
    workload_at_most(errors, path, "currentReplicas", s->current_replicas, s->replicas, "status.replicas");
    workload_at_most(errors, path, "updatedReplicas", s->updated_replicas, s->replicas, "status.replicas");
    workload_at_most(errors, path, "availableReplicas", s->available_replicas, s->replicas,
                     "status.replicas");
    workload_at_most(errors, path, "availableReplicas", s->available_replicas, s->ready_replicas,
                     "status.readyReplicas");
    workload_collisions_validate(errors, path, s->collision_count, old->collision_count);
}

/* The pods and claims that are there were made by the rest of it. */
static bool only_allowed_changes(struct arena *a, const struct stateful_set_spec *spec,
                                 const struct stateful_set_spec *old)
{
    struct stateful_set_spec same = *spec;
    same.replicas = old->replicas;
    same.template = old->template;
    same.update_strategy = old->update_strategy;
    same.min_ready_seconds = old->min_ready_seconds;
    same.ordinals = old->ordinals;
    same.revision_history_limit = old->revision_history_limit;
    same.persistent_volume_claim_retention_policy = old->persistent_volume_claim_retention_policy;
    return views_equal(a, VIEW_TYPE(stateful_set_spec), &same, old);
}

static void validate_update(const struct rules_input *in, const void *view, const void *old,
                            struct field_errors *errors)
{
    const struct stateful_set *s = view, *before = old;
    if (str_is(in->subresource, "status"))
        status(&s->status, &before->status, errors);
    else if (in->subresource.n == 0 && !only_allowed_changes(errors->arena, &s->spec, &before->spec))
        field_forbidden(
            errors, AT(NULL, "spec"),
            S("updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
              "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
              "'minReadySeconds' are forbidden"));
}

static void warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct stateful_set *s = view, *before = old;
    const struct field_path *path = AT(NULL, "spec");
    if (in->subresource.n ||
        (old && views_equal(in->arena, VIEW_TYPE(stateful_set_spec), &s->spec, &before->spec)))
        return;
    pod_warnings(in, AT(path, "template"), &s->spec.template.metadata, &s->spec.template.spec);
    for (size_t i = 0; i < s->spec.volume_claim_templates.count; i++)
        claim_spec_warnings(in, AT(AT_INDEX(AT(path, "volumeClaimTemplates"), i), "spec"),
                            &s->spec.volume_claim_templates.items[i].spec);
    if (s->spec.revision_history_limit.is_set && s->spec.revision_history_limit.value < 0)
        warn(in,
             "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is "
             "recommended");
}

const struct kind_rules stateful_set_rules = {
    .package = "apps/v1",
    .kind = "StatefulSet",
    .has_generation = true,
    .defaults = defaults,
    .on_create = on_create,
    .on_update = on_update,
    .validate = validate,
    .validate_update = validate_update,
    .warnings = warnings,
};
