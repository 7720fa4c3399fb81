/* pod.c - Pod: what a create makes of it, what each of its subresources may change; PodTemplate. What is checked stands in
 * pod_*.c. */
#include "api/rules/checks.h"
#include "api/rules/pod_priv.h"
#include "api/rules/workloads.h"

#define APP_ARMOR "container.apparmor.security.beta.kubernetes.io/"

/* --- create --- */

static struct json *child(const struct json *tree, str name)
{
    return json_find(tree, name);
}

static void add_requirements(const struct rules_input *in, struct json *selector, const struct json *keys,
                             const char *operator, const struct json * labels)
{
    for (size_t i = 0; i < json_count(keys); i++) {
        str key = json_str(json_at(keys, i));
        const struct json *value = json_find(labels, key);
        if (!value)
            continue;
        struct json *list = json_find(selector, S("matchExpressions"));
        if (!list)
            list = json_set(in->arena, selector, S("matchExpressions"), json_array());
        struct json values = json_array(), r = json_object();
        json_append(in->arena, &values, *value);
        json_add(in->arena, &r, S("key"), json_of_str(key));
        json_add(in->arena, &r, S("operator"), json_of_str(str_from_c(operator)));
        json_add(in->arena, &r, S("values"), values);
        json_append(in->arena, list, r);
    }
}

/* Keys whose values the pod's own labels have become part of the selector. */
static void merge_label_keys(const struct rules_input *in, const struct json *term, const struct json *labels)
{
    struct json *selector = json_find(term, S("labelSelector"));
    if (!selector)
        return;
    add_requirements(in, selector, json_find(term, S("matchLabelKeys")), "In", labels);
    add_requirements(in, selector, json_find(term, S("mismatchLabelKeys")), "NotIn", labels);
}

static void merge_affinity(const struct rules_input *in, const struct json *affinity,
                           const struct json *labels)
{
    const struct json *preferred = json_find(affinity, S("preferredDuringSchedulingIgnoredDuringExecution")),
                      *required = json_find(affinity, S("requiredDuringSchedulingIgnoredDuringExecution"));
    for (size_t i = 0; i < json_count(preferred); i++)
        merge_label_keys(in, json_find(json_at(preferred, i), S("podAffinityTerm")), labels);
    for (size_t i = 0; i < json_count(required); i++)
        merge_label_keys(in, json_at(required, i), labels);
}

static void merge_all_label_keys(const struct rules_input *in, const struct json *spec,
                                 const struct json *labels)
{
    const struct json *affinity = child(spec, S("affinity")),
                      *spread = child(spec, S("topologySpreadConstraints"));
    merge_affinity(in, json_find(affinity, S("podAffinity")), labels);
    merge_affinity(in, json_find(affinity, S("podAntiAffinity")), labels);
    for (size_t i = 0; i < json_count(spread); i++)
        merge_label_keys(in, json_at(spread, i), labels);
}

/* The field that says what an annotation says; null: it says nothing that a field could. */
static struct json app_armor_field(const struct rules_input *in, str annotation)
{
    struct json field = json_object();
    if (str_is(annotation, "runtime/default")) {
        json_add(in->arena, &field, S("type"), json_of_str(S("RuntimeDefault")));
    } else if (str_is(annotation, "unconfined")) {
        json_add(in->arena, &field, S("type"), json_of_str(S("Unconfined")));
    } else if (str_take_prefix(&annotation, S("localhost/"))) {
        struct app_armor_profile p = {.type = S("Localhost"), .localhost_profile = annotation};
        struct field_errors errors;
        field_errors_init(&errors, in->arena);
        app_armor_validate(&errors, AT(NULL, "x"), &p);
        if (errors.count)
            return json_null();
        json_add(in->arena, &field, S("type"), json_of_str(p.type));
        json_add(in->arena, &field, S("localhostProfile"), json_of_str(annotation));
    } else {
        return json_null();
    }
    return field;
}

static void app_armor_of_container(const struct rules_input *in, struct json *container, str key,
                                   str annotation, const struct json *of_pod)
{
    struct json *context = json_find(container, S("securityContext"));
    if (json_find(context, S("appArmorProfile")))
        return;
    struct json field = app_armor_field(in, annotation);
    if (field.type != JSON_NULL && of_pod && json_equal(of_pod, &field))
        return;
    if (field.type != JSON_NULL) {
        if (!context)
            context = json_set(in->arena, container, S("securityContext"), json_object());
        json_set(in->arena, context, S("appArmorProfile"), field);
    }
    warn(in,
         "metadata.annotations[%" STR_FMT
         "]: deprecated since v1.30; use the \"appArmorProfile\" field instead",
         STR_ARG(key));
}

/* Profiles that annotations name become fields. */
static void app_armor_fields(const struct rules_input *in, const struct json *spec,
                             const struct json *annotations)
{
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
    const struct json *of_pod = json_get(spec, S("securityContext"), S("appArmorProfile"));
    if (!annotations || str_is(json_str(json_get(spec, S("os"), S("name"))), "windows"))
        return;
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        const struct json *list = json_find(spec, str_from_c(lists[i]));
        for (size_t j = 0; j < json_count(list); j++) {
            struct json *container = json_at(list, j);
            str key = str_concat(in->arena, S(APP_ARMOR), json_str(json_find(container, S("name"))));
            const struct json *annotation = json_find(annotations, key);
            if (annotation)
                app_armor_of_container(in, container, key, json_str(annotation), of_pod);
        }
    }
}

static struct json gated_condition(const struct rules_input *in)
{
    struct json c = json_object();
    struct buf b;
    buf_init_arena(&b, in->arena, 64);
    kube_time_format(&b, kube_time_from_unix_ns(in->now_wall));
    json_add(in->arena, &c, S("type"), json_of_str(S("PodScheduled")));
    json_add(in->arena, &c, S("status"), json_of_str(S("False")));
    json_add(in->arena, &c, S("lastTransitionTime"), json_of_str(buf_str(&b)));
    json_add(in->arena, &c, S("reason"), json_of_str(S("SchedulingGated")));
    json_add(in->arena, &c, S("message"),
             json_of_str(S("Scheduling is blocked due to non-empty scheduling gates")));
    return c;
}

static void on_create(const struct rules_input *in, struct json *tree)
{
    struct json empty = json_object(), status = json_object();
    struct json *spec = json_find(tree, S("spec")), *metadata = json_find(tree, S("metadata"));
    struct pod_spec view;
    bool classed = pod_spec_view(in, spec ? spec : &empty, &view);
    json_add(in->arena, &status, S("phase"), json_of_str(S("Pending")));
    if (spec && json_count(json_find(spec, S("schedulingGates")))) {
        struct json conditions = json_array();
        json_append(in->arena, &conditions, gated_condition(in));
        json_add(in->arena, &status, S("conditions"), conditions);
    }
    if (classed)
        json_add(in->arena, &status, S("qosClass"), json_of_str(pod_qos_class(in->arena, &view)));
    json_set(in->arena, tree, S("status"), status);
    spec = json_find(tree, S("spec"));
    if (!spec)
        return;
    pod_spec_drop_disabled(spec);
    merge_all_label_keys(in, spec, json_find(metadata, S("labels")));
    app_armor_fields(in, spec, json_find(metadata, S("annotations")));
}

/* --- update --- */

static void set_or_remove(const struct rules_input *in, struct json *object, str name,
                          const struct json *value)
{
    if (value)
        json_set(in->arena, object, name, json_clone_deep(in->arena, value));
    else
        json_remove(object, name);
}

/* A generation that is not said stays what it was; of several conditions of one type the first that is left counts. */
static void keep_observed_generations(const struct rules_input *in, struct json *status,
                                      const struct json *old)
{
    str field = S("observedGeneration");
    const struct json *conditions = json_find(status, S("conditions")),
                      *before = json_find(old, S("conditions"));
    if (!json_find(status, field) && json_find(old, field))
        json_set(in->arena, status, field, *json_find(old, field));
    struct name_map places = {.arena = in->arena};
    for (size_t i = 0; i < json_count(conditions); i++) {
        struct json *c = json_at(conditions, i);
        str type = json_str(json_find(c, S("type")));
        size_t *from = (size_t *)(uintptr_t)name_map_find(&places, type);
        if (!from) {
            from = ARENA_NEW(in->arena, size_t);
            name_map_add(&places, type, from);
        }
        while (*from < json_count(before) &&
               !str_eq(json_str(json_find(json_at(before, *from), S("type"))), type))
            ++*from;
        const struct json *same = *from < json_count(before) ? json_at(before, (*from)++) : NULL;
        const struct json *generation = json_find(same, field);
        if (generation && !json_find(c, field))
            json_set(in->arena, c, field, *generation);
    }
}

/* The one address of old and the list of now say the same: the one counts. */
static void agree_on_ips(const struct rules_input *in, struct json *status)
{
    const struct json *ip = json_find(status, S("podIP")), *ips = json_find(status, S("podIPs"));
    str first = json_str(json_find(json_at(ips, 0), S("ip")));
    if (ip && !str_eq(json_str(ip), first)) {
        struct json list = json_array(), item = json_object();
        json_add(in->arena, &item, S("ip"), *ip);
        json_append(in->arena, &list, item);
        json_set(in->arena, status, S("podIPs"), list);
    } else if (!ip && first.n) {
        json_set(in->arena, status, S("podIP"), json_of_str(first));
    }
}

static void drop_disabled_status(struct json *status)
{
    static const char *const lists[] = {"initContainerStatuses", "containerStatuses",
                                        "ephemeralContainerStatuses"};
    json_remove(status, S("nodeAllocatableResourceClaimStatuses"));
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        const struct json *containers = json_find(status, str_from_c(lists[i]));
        for (size_t j = 0; j < json_count(containers); j++) {
            const struct json *mounts = json_find(json_at(containers, j), S("volumeMounts"));
            for (size_t k = 0; k < json_count(mounts); k++)
                json_remove(json_at(mounts, k), S("volumeStatus"));
        }
    }
}

static void on_update_status(const struct rules_input *in, struct json *tree, const struct json *old)
{
    struct json *metadata = json_find(tree, S("metadata")), *status = json_find(tree, S("status"));
    const struct json *old_status = json_find(old, S("status"));
    if (metadata)
        set_or_remove(in, metadata, S("ownerReferences"), json_get(old, S("metadata"), S("ownerReferences")));
    if (!status)
        status = json_set(in->arena, tree, S("status"), json_object());
    if (!json_find(status, S("qosClass")) && json_find(old_status, S("qosClass")))
        json_set(in->arena, status, S("qosClass"), *json_find(old_status, S("qosClass")));
    keep_observed_generations(in, status, old_status);
    agree_on_ips(in, status);
    drop_disabled_status(status);
}

/* Everything as it is stored but the resource version, which says what the client has seen, and one list of the spec. */
static void restore(const struct rules_input *in, struct json *tree, const struct json *old)
{
    static const char *const of_metadata[] = {"deletionTimestamp", "deletionGracePeriodSeconds",
                                              "generation",        "labels",
                                              "annotations",       "finalizers",
                                              "ownerReferences"};
    struct json *metadata = json_find(tree, S("metadata"));
    for (size_t i = 0; metadata && i < ARRAY_COUNT(of_metadata); i++) {
        str name = str_from_c(of_metadata[i]);
        set_or_remove(in, metadata, name, json_get(old, S("metadata"), name));
    }
    set_or_remove(in, tree, S("spec"), json_find(old, S("spec")));
    set_or_remove(in, tree, S("status"), json_find(old, S("status")));
}

static void on_update_ephemeral(const struct rules_input *in, struct json *tree, const struct json *old)
{
    const struct json *list = json_get(tree, S("spec"), S("ephemeralContainers"));
    struct json containers = list ? json_clone_deep(in->arena, list) : json_null();
    restore(in, tree, old);
    struct json *spec = json_find(tree, S("spec"));
    if (spec)
        set_or_remove(in, spec, S("ephemeralContainers"), list ? &containers : NULL);
}

/* Containers as they were but for what they are given; as they are said to be if they are others, which is found wrong. */
static struct json resized(const struct rules_input *in, const struct json *list, const struct json *old)
{
    if (!old)
        return json_null();
    struct json merged = json_clone_deep(in->arena, old);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *c = json_at(list, i);
        struct json *to = json_at(&merged, i);
        if (!str_eq(json_str(json_find(c, S("name"))), json_str(json_find(to, S("name")))))
            return json_clone_deep(in->arena, list);
        set_or_remove(in, to, S("resources"), json_find(c, S("resources")));
        set_or_remove(in, to, S("resizePolicy"), json_find(c, S("resizePolicy")));
    }
    return merged;
}

static void on_update_resize(const struct rules_input *in, struct json *tree, const struct json *old)
{
    const struct json *spec = json_find(tree, S("spec")), *old_spec = json_find(old, S("spec"));
    const struct json *containers = json_find(spec, S("containers")),
                      *init = json_find(spec, S("initContainers"));
    const struct json *old_containers = json_find(old_spec, S("containers")),
                      *old_init = json_find(old_spec, S("initContainers"));
    if (json_count(containers) != json_count(old_containers) || json_count(init) != json_count(old_init))
        return;
    struct json new_containers = resized(in, containers, old_containers),
                new_init = resized(in, init, old_init);
    const struct json *of_pod = json_find(spec, S("resources"));
    struct json resources = of_pod ? json_clone_deep(in->arena, of_pod) : json_null();
    restore(in, tree, old);
    struct json *to = json_find(tree, S("spec"));
    if (!to)
        return;
    set_or_remove(in, to, S("containers"), old_containers ? &new_containers : NULL);
    set_or_remove(in, to, S("initContainers"), old_init ? &new_init : NULL);
    set_or_remove(in, to, S("resources"), of_pod ? &resources : NULL);
}

static void on_update(const struct rules_input *in, struct json *tree, const struct json *old)
{
    if (str_is(in->subresource, "status"))
        on_update_status(in, tree, old);
    else if (str_is(in->subresource, "ephemeralcontainers"))
        on_update_ephemeral(in, tree, old);
    else if (str_is(in->subresource, "resize"))
        on_update_resize(in, tree, old);
    struct json *spec = json_find(tree, S("spec"));
    if (spec)
        pod_spec_drop_disabled(spec);
}

/* --- what is wrong --- */

static void tokens(const struct pod_spec *spec, const struct field_path *path, struct field_errors *errors)
{
    for (size_t i = 0; spec->service_account_name.n == 0 && i < spec->volumes.count; i++) {
        const struct projected_volume_source *p = spec->volumes.items[i].volume_source.projected;
        const struct field_path *sources = AT(AT(AT_INDEX(AT(path, "volumes"), i), "projected"), "sources");
        for (size_t j = 0; p && j < p->sources.count; j++)
            if (p->sources.items[j].service_account_token)
                field_forbidden(errors, AT(AT_INDEX(sources, j), "serviceAccountToken"),
                                S("must not be specified when serviceAccountName is not set"));
    }
}

static void images(const struct container_array *list, const struct field_path *path,
                   struct field_errors *errors)
{
    for (size_t i = 0; i < list->count; i++)
        pod_image_validate(errors, AT(AT_INDEX(path, i), "image"), list->items[i].image);
}

void pod_validate_whole(const struct pod *pod, struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "spec");
    const struct pod_spec *spec = &pod->spec;
    struct pod_check c = {.errors = errors, .spec = spec, .meta = &pod->metadata};
    pod_annotations_validate(errors, AT(AT(NULL, "metadata"), "annotations"), &pod->metadata.annotations,
                             spec);
    pod_spec_validate(&c, path);
    tokens(spec, path, errors);
    images(&spec->containers, AT(path, "containers"), errors);
    images(&spec->init_containers, AT(path, "initContainers"), errors);
}

static void validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct pod *pod = view;
    const struct field_path *path = AT(NULL, "spec");
    if (in->subresource.n)
        return; /* validate_update says what is to say */
    pod_validate_whole(pod, errors);
    if (in->old)
        return;
    if (pod->spec.ephemeral_containers.count)
        field_forbidden(errors, AT(path, "ephemeralContainers"), S("cannot be set on create"));
    if (pod->spec.node_name.n && pod->spec.scheduling_gates.count)
        field_forbidden(errors, AT(path, "nodeName"),
                        S("cannot be set until all schedulingGates have been cleared"));
    pod_profiles_validate(errors, path, &pod->metadata, &pod->spec);
}

static void validate_update(const struct rules_input *in, const void *view, const void *old,
                            struct field_errors *errors)
{
    if (in->subresource.n == 0)
        pod_update_validate(view, old, errors);
    else if (str_is(in->subresource, "status"))
        pod_status_validate(view, old, errors);
    else if (str_is(in->subresource, "ephemeralcontainers"))
        pod_ephemeral_update_validate(view, old, errors);
    else if (str_is(in->subresource, "resize"))
        pod_resize_validate(view, old, errors);
}

static void status_warnings(const struct rules_input *in, const struct pod_status *s)
{
    const struct field_path *path = AT(NULL, "status");
    for (size_t i = 0; i < s->pod_ips.count; i++)
        warn_ip(in, AT(AT_INDEX(AT(path, "podIPs"), i), "ip"), s->pod_ips.items[i].ip);
    for (size_t i = 0; i < s->host_ips.count; i++)
        warn_ip(in, AT(AT_INDEX(AT(path, "hostIPs"), i), "ip"), s->host_ips.items[i].ip);
}

/* None of updates of a pod: they are frequent, and nobody reads them. */
static void warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct pod *pod = view;
    if (old && str_is(in->subresource, "status"))
        status_warnings(in, &pod->status);
    if (old)
        return;
    host_name_warning(in, pod->metadata.name, "the Pod's hostname");
    pod_warnings(in, NULL, &pod->metadata, &pod->spec);
}

const struct kind_rules pod_rules = {
    .package = "core/v1",
    .kind = "Pod",
    .has_generation = true,
    .defaults = pod_defaults,
    .on_create = on_create,
    .on_update = on_update,
    .validate = validate,
    .validate_update = validate_update,
    .warnings = warnings,
};

/* --- PodTemplate --- */

static void template_defaults(const struct rules_input *in, struct json *tree)
{
    pod_template_defaults(in, json_find(tree, S("template")));
}

static void template_on_create(const struct rules_input *in, struct json *tree)
{
    pod_template_drop_disabled(json_find(tree, S("template")));
}

static void template_on_update(const struct rules_input *in, struct json *tree, const struct json *old)
{
    pod_template_drop_disabled(json_find(tree, S("template")));
}

static void template_validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct pod_template *t = view;
    pod_template_validate(in, &t->template, AT(NULL, "template"), errors);
}

const struct kind_rules pod_template_rules = {
    .package = "core/v1",
    .kind = "PodTemplate",
    .has_generation = true,
    .defaults = template_defaults,
    .on_create = template_on_create,
    .on_update = template_on_update,
    .validate = template_validate,
};
