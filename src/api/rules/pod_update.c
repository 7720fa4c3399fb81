/* pod_update.c - what an update may change of a pod: little, as its containers run already. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "api/rules/pod_priv.h"

/* --- containers and times --- */

/* False: nothing more can be compared. */
static bool same_containers(struct field_errors *errors, const struct field_path *path,
                            const struct container_array *list, const struct container_array *old)
{
    if (list->count != old->count) {
        field_forbidden(errors, path, S("pod updates may not add or remove containers"));
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct field_path *image = AT(AT_INDEX(path, i), "image");
        rules_required(errors, image, list->items[i].image);
        pod_image_validate(errors, image, list->items[i].image);
    }
    return true;
}

static bool deadline(struct field_errors *errors, const struct field_path *path, struct opt_int64 seconds,
                     struct opt_int64 old)
{
    if (!seconds.is_set && old.is_set)
        field_invalid(errors, path, TEXT(S("null")),
                      S("must not update from a positive integer to nil value"));
    if (!seconds.is_set)
        return true;
    size_t before = errors->count;
    rules_range(errors, path, seconds.value, 0, INT32_MAX);
    if (errors->count == before && old.is_set && old.value < seconds.value)
        field_invalid(errors, path, NUMBER(seconds.value), S("must be less than or equal to previous value"));
    return errors->count == before;
}

/* --- tolerations and gates --- */

/* All that may not change of it. */
static str toleration_text(struct field_errors *errors, const struct toleration *t)
{
    return RULES_F(errors, "%zu,%zu,%zu,%" STR_FMT "%" STR_FMT "%" STR_FMT "%" STR_FMT, t->key.n,
                   t->operator.n, t->value.n, STR_ARG(t->key), STR_ARG(t->operator), STR_ARG(t->value),
                   STR_ARG(t->effect));
}

static void tolerations(struct field_errors *errors, const struct field_path *path,
                        const struct toleration_array *list, const struct toleration_array *old)
{
    struct name_map there = {.arena = errors->arena};
    for (size_t i = 0; i < list->count; i++)
        name_map_add_name(&there, toleration_text(errors, &list->items[i]));
    for (size_t i = 0; i < old->count; i++)
        if (!name_map_has(&there, toleration_text(errors, &old->items[i]))) {
            field_forbidden(errors, path,
                            S("existing toleration can not be modified except its tolerationSeconds"));
            return;
        }
    pod_tolerations_validate(errors, path, list);
}

static void gates(struct field_errors *errors, const struct field_path *path,
                  const struct pod_scheduling_gate_array *list, const struct pod_scheduling_gate_array *old)
{
    struct name_map there = {.arena = errors->arena};
    for (size_t i = 0; i < old->count; i++)
        name_map_add_name(&there, old->items[i].name);
    for (size_t i = 0; i < list->count; i++)
        if (!name_map_has(&there, list->items[i].name))
            field_forbidden(errors, AT(AT_INDEX(path, i), "name"),
                            RULES_F(errors,
                                    "only deletion is allowed, but found new scheduling gate '%" STR_FMT "'",
                                    STR_ARG(list->items[i].name)));
}

/* --- where a gated pod may run can become narrower --- */

static void node_selector(struct field_errors *errors, const struct field_path *path,
                          const struct str_map *selector, const struct str_map *old)
{
    struct json shown = rules_text_map(errors->arena, selector);
    for (size_t i = 0; i < old->count; i++) {
        const str *now = rules_map_find(selector, old->items[i].key);
        if (now && str_eq(*now, old->items[i].value))
            continue;
        field_invalid(errors, path, &shown,
                      S("only additions to spec.nodeSelector are allowed (no mutations or deletions)"));
        return;
    }
}

static bool begins_with(struct arena *a, const struct node_selector_requirement_array *list,
                        const struct node_selector_requirement_array *old)
{
    if (list->count < old->count)
        return false;
    for (size_t i = 0; i < old->count; i++)
        if (!views_equal(a, VIEW_TYPE(node_selector_requirement), &list->items[i], &old->items[i]))
            return false;
    return true;
}

static bool is_narrower(struct arena *a, const struct node_selector_term *t,
                        const struct node_selector_term *old)
{
    bool had_none = old->match_expressions.count + old->match_fields.count == 0;
    if (had_none && t->match_expressions.count + t->match_fields.count)
        return false; /* none at all matches no node */
    return begins_with(a, &t->match_expressions, &old->match_expressions) &&
           begins_with(a, &t->match_fields, &old->match_fields);
}

static const struct node_selector_term_array *terms_of(const struct node_affinity *a)
{
    static const struct node_selector_term_array none = {.count = 0};
    const struct node_selector *s = a ? a->required_during_scheduling_ignored_during_execution : NULL;
    return s ? &s->node_selector_terms : &none;
}

static void node_affinity(struct field_errors *errors, const struct field_path *path,
                          const struct node_affinity *n, const struct node_affinity *old)
{
    const struct node_selector_term_array *terms = terms_of(n), *old_terms = terms_of(old);
    const struct field_path *at = AT(AT(path, "requiredDuringSchedulingIgnoredDuringExecution"),
                                     "nodeSelectorTerms");
    struct json all = terms->count ? json_array() : json_null();
    for (size_t i = 0; i < terms->count; i++)
        json_append(errors->arena, &all,
                    internal_json(errors->arena, VIEW_TYPE(node_selector_term), &terms->items[i]));
    if (old_terms->count && old_terms->count != terms->count) {
        field_invalid(errors, at, &all,
                      S("no additions/deletions to non-empty NodeSelectorTerms list are allowed"));
        return;
    }
    for (size_t i = 0; i < old_terms->count; i++)
        if (!is_narrower(errors->arena, &terms->items[i], &old_terms->items[i]))
            field_invalid(errors, AT_INDEX(at, i), json_at(&all, i),
                          S("only additions are allowed (no mutations or deletions)"));
}

/* --- the rest is as it was --- */

static void put_back(struct arena *a, struct json *spec, const struct json *old, str name)
{
    const struct json *value = json_find(old, name);
    if (value)
        json_set(a, spec, name, *value);
    else
        json_remove(spec, name);
}

static void put_back_images(struct arena *a, struct json *spec, const struct json *old, str list_name)
{
    const struct json *list = json_find(spec, list_name), *old_list = json_find(old, list_name);
    for (size_t i = 0; i < json_count(list); i++)
        put_back(a, json_at(list, i), json_at(old_list, i), S("image"));
}

static void put_back_node_affinity(struct arena *a, struct json *spec, const struct json *old)
{
    struct json *affinity = json_find(spec, S("affinity"));
    const struct json *old_affinity = json_find(old, S("affinity"));
    bool has_nodes = json_find(old_affinity, S("nodeAffinity"));
    if (!affinity && has_nodes)
        affinity = json_set(a, spec, S("affinity"), json_object());
    if (!affinity)
        return;
    put_back(a, affinity, old_affinity, S("nodeAffinity"));
    if (!old_affinity && json_count(affinity) == 0)
        json_remove(spec, S("affinity"));
}

static const struct node_affinity *nodes_of(const struct pod_spec *spec)
{
    return spec->affinity ? spec->affinity->node_affinity : NULL;
}

/* Says what is wrong with it and takes it out of the comparison. */
static void narrowing(struct field_errors *errors, const struct field_path *path, const struct pod_spec *spec,
                      const struct pod_spec *old, struct json *tree, const struct json *old_tree)
{
    struct arena *a = errors->arena;
    if (!str_maps_equal(&spec->node_selector, &old->node_selector)) {
        node_selector(errors, AT(path, "nodeSelector"), &spec->node_selector, &old->node_selector);
        put_back(a, tree, old_tree, S("nodeSelector"));
    }
    if (!views_equal(a, VIEW_TYPE(node_affinity), nodes_of(spec), nodes_of(old))) {
        node_affinity(errors, AT(AT(path, "affinity"), "nodeAffinity"), nodes_of(spec), nodes_of(old));
        put_back_node_affinity(a, tree, old_tree);
    }
}

static void only_allowed_changes(struct field_errors *errors, const struct field_path *path,
                                 const struct pod_spec *spec, const struct pod_spec *old)
{
    struct arena *a = errors->arena;
    if (views_equal(a, VIEW_TYPE(pod_spec), spec, old))
        return;
    struct json tree = rules_view(a, VIEW_TYPE(pod_spec), spec),
                old_tree = rules_view(a, VIEW_TYPE(pod_spec), old);
    put_back_images(a, &tree, &old_tree, S("containers"));
    put_back_images(a, &tree, &old_tree, S("initContainers"));
    put_back(a, &tree, &old_tree, S("activeDeadlineSeconds"));
    put_back(a, &tree, &old_tree, S("schedulingGates"));
    put_back(a, &tree, &old_tree, S("tolerations"));
    struct opt_int64 grace = spec->termination_grace_period_seconds,
                     old_grace = old->termination_grace_period_seconds;
    if (old_grace.is_set && old_grace.value < 0 && grace.is_set && grace.value == 1)
        put_back(a, &tree, &old_tree, S("terminationGracePeriodSeconds"));
    if (old->scheduling_gates.count)
        narrowing(errors, path, spec, old, &tree, &old_tree);
    if (json_equal(&tree, &old_tree))
        return;
    str diff = internal_diff(a, VIEW_TYPE(pod_spec), &old_tree, &tree);
    field_forbidden(
        errors, path,
        str_concat(a,
                   S("pod updates may not change fields other than `spec.containers[*].image`,"
                     "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
                     "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
                     "(allow it to be set to 1 if it was previously negative)\n"),
                   diff));
}

void pod_update_validate(const struct pod *pod, const struct pod *old, struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "spec");
    const struct pod_spec *spec = &pod->spec, *old_spec = &old->spec;
    pod_annotations_validate_update(errors, AT(AT(NULL, "metadata"), "annotations"), pod, old);
    if (!same_containers(errors, AT(path, "containers"), &spec->containers, &old_spec->containers) ||
        !same_containers(errors, AT(path, "initContainers"), &spec->init_containers,
                         &old_spec->init_containers) ||
        !deadline(errors, AT(path, "activeDeadlineSeconds"), spec->active_deadline_seconds,
                  old_spec->active_deadline_seconds))
        return;
    tolerations(errors, AT(path, "tolerations"), &spec->tolerations, &old_spec->tolerations);
    gates(errors, AT(path, "schedulingGates"), &spec->scheduling_gates, &old_spec->scheduling_gates);
    only_allowed_changes(errors, path, spec, old_spec);
}

/* --- ephemeral containers --- */

static void ephemeral_kept(struct field_errors *errors, const struct field_path *path,
                           const struct ephemeral_container *e, const struct ephemeral_container *old)
{
    struct arena *a = errors->arena;
    const struct schema_type *type = VIEW_TYPE(ephemeral_container);
    struct json name = json_of_str(container_of_ephemeral(old)->name);
    struct buf b;
    if (e && views_equal(a, type, e, old))
        return;
    buf_init_arena(&b, a, 1 << 16);
    buf_add_lit(&b, "existing ephemeral containers ");
    json_print(&b, &name, 0);
    if (!e) {
        buf_add_lit(&b, " may not be removed\n");
    } else {
        struct json tree = rules_view(a, type, e), old_tree = rules_view(a, type, old);
        buf_add_lit(&b, " may not be changed\n");
        buf_add(&b, internal_diff(a, type, &old_tree, &tree));
    }
    field_forbidden(errors, path, buf_str(&b));
}

void pod_ephemeral_update_validate(const struct pod *pod, const struct pod *old, struct field_errors *errors)
{
    const struct field_path *path = AT(AT(NULL, "spec"), "ephemeralContainers");
    const struct ephemeral_container_array *list = &pod->spec.ephemeral_containers,
                                           *old_list = &old->spec.ephemeral_containers;
    if (pod_is_mirror(old)) {
        field_forbidden(errors, &FIELD_PATH_OF_ROOT, S("static pods do not support ephemeral containers"));
        return;
    }
    pod_validate_whole(pod, errors);
    pod_annotations_validate_update(errors, AT(AT(NULL, "metadata"), "annotations"), pod, old);
    struct name_map by_name = {.arena = errors->arena};
    for (size_t i = list->count; i-- > 0;)
        name_map_add(&by_name, container_of_ephemeral(&list->items[i])->name, &list->items[i]);
    for (size_t i = 0; i < old_list->count; i++)
        ephemeral_kept(errors, path,
                       name_map_find(&by_name, container_of_ephemeral(&old_list->items[i])->name),
                       &old_list->items[i]);
}
