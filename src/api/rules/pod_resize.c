/* pod_resize.c - a running pod is given more or less of processors and memory, and nothing else changes. */
#include "api/rules/checks.h"
#include "api/rules/pod_priv.h"

bool pod_is_mirror(const struct pod *pod)
{
    return rules_map_find(&pod->metadata.annotations, S("kubernetes.io/config.mirror"));
}

/* --- amounts --- */

static bool is_removed(const struct quantity_map *map, const struct quantity_map *old)
{
    for (size_t i = 0; i < old->count; i++)
        if (!quantity_of(map, old->items[i].key))
            return true;
    return false;
}

static void nothing_removed(struct field_errors *errors, const struct field_path *path,
                            const struct resource_requirements *r, const struct resource_requirements *old,
                            const char *of)
{
    if (is_removed(&r->requests, &old->requests))
        field_forbidden(errors, AT(path, "requests"),
                        RULES_F(errors, "%sresource requests cannot be removed", of));
    if (is_removed(&r->limits, &old->limits))
        field_forbidden(errors, AT(path, "limits"),
                        RULES_F(errors, "%sresource limits cannot be removed", of));
}

/* What is said of processors and memory as it was before. */
static void put_back_amounts(struct arena *a, struct json *resources, const struct json *old, str side)
{
    static const char *const names[] = {"cpu", "memory"};
    struct json *amounts = json_find(resources, side);
    const struct json *old_amounts = json_find(old, side);
    if (!amounts && old_amounts)
        amounts = json_set(a, resources, side, json_object());
    for (size_t i = 0; amounts && i < ARRAY_COUNT(names); i++) {
        const struct json *value = json_find(old_amounts, str_from_c(names[i]));
        if (value)
            json_set(a, amounts, str_from_c(names[i]), *value);
        else
            json_remove(amounts, str_from_c(names[i]));
    }
    if (amounts && json_count(amounts) == 0)
        json_remove(resources, side);
}

static void put_back_resources(struct arena *a, struct json *resources, const struct json *old)
{
    put_back_amounts(a, resources, old, S("limits"));
    put_back_amounts(a, resources, old, S("requests"));
}

/* The container with the processors and memory of old; the original loses its claims to devices on the way. */
static void put_back_container(struct arena *a, struct json *c, const struct json *old)
{
    struct json *resources = json_find(c, S("resources"));
    if (!resources)
        resources = json_set(a, c, S("resources"), json_object());
    put_back_resources(a, resources, json_find(old, S("resources")));
    json_remove(resources, S("claims"));
}

/* --- the parts of a pod --- */

static void same_order(struct field_errors *errors, const struct field_path *path, const char *what,
                       const struct container_array *list, const struct container_array *old)
{
    if (list->count != old->count) {
        field_forbidden(errors, path, RULES_F(errors, "%s may not be added or removed on resize", what));
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        if (!str_eq(list->items[i].name, old->items[i].name))
            field_forbidden(errors, AT(AT_INDEX(path, i), "name"),
                            RULES_F(errors, "%s may not be renamed or reordered on resize", what));
}

static bool has_amounts(const struct resource_requirements *r)
{
    return r && r->requests.count + r->limits.count;
}

static void of_pod(struct field_errors *errors, const struct field_path *path, const struct pod_spec *spec,
                   const struct pod_spec *old, struct json *tree, const struct json *old_tree)
{
    struct arena *a = errors->arena;
    const struct json *old_resources = json_find(old_tree, S("resources"));
    if (!has_amounts(spec->resources) && !has_amounts(old->resources))
        return;
    if (old->resources && !spec->resources) {
        field_forbidden(errors, AT(path, "resources"), S("pod-level resources cannot be removed"));
        return;
    }
    if (old->resources)
        nothing_removed(errors, AT(path, "resources"), spec->resources, old->resources, "pod-level ");
    struct json *resources = json_find(tree, S("resources"));
    put_back_resources(a, resources, old_resources);
    if (!old_resources && json_count(resources) == 0)
        json_remove(tree, S("resources"));
    resources = json_find(tree, S("resources"));
    bool same = resources && old_resources ? json_equal(resources, old_resources)
                                           : !resources && !old_resources;
    if (!same)
        field_forbidden(errors, path, S("only cpu and memory resources are mutable at pod-level"));
}

static bool restarts_for(const struct container *c)
{
    for (size_t i = 0; i < c->resize_policy.count; i++)
        if (str_is(c->resize_policy.items[i].restart_policy, "RestartContainer"))
            return true;
    return false;
}

static void init_container(struct field_errors *errors, const struct field_path *path,
                           const struct container *c, struct json *tree, const struct json *old_tree)
{
    bool modified = !json_equal(tree, old_tree);
    put_back_container(errors->arena, tree, old_tree);
    if (!json_equal(tree, old_tree))
        field_forbidden(errors, path,
                        S("only cpu and memory resources for init or sidecar containers are mutable"));
    if (modified && !container_is_sidecar(c) && restarts_for(c))
        field_forbidden(
            errors, path,
            S("non-sidecar init containers with a resize policy of RestartContainer cannot be resized"));
}

static void of_containers(struct field_errors *errors, const struct field_path *path,
                          const struct pod_spec *spec, const struct pod_spec *old, struct json *tree,
                          const struct json *old_tree)
{
    const struct field_path *init_path = AT(path, "initContainers"), *plain_path = AT(path, "containers");
    const struct json *init = json_find(tree, S("initContainers")), *plain = json_find(tree, S("containers"));
    const struct json *old_init = json_find(old_tree, S("initContainers")),
                      *old_plain = json_find(old_tree, S("containers"));
    for (size_t i = 0; i < old->init_containers.count; i++)
        nothing_removed(errors, AT(AT_INDEX(init_path, i), "resources"),
                        &spec->init_containers.items[i].resources, &old->init_containers.items[i].resources,
                        "");
    for (size_t i = 0; i < old->containers.count; i++)
        nothing_removed(errors, AT(AT_INDEX(plain_path, i), "resources"),
                        &spec->containers.items[i].resources, &old->containers.items[i].resources, "");
    for (size_t i = 0; i < json_count(plain); i++) {
        put_back_container(errors->arena, json_at(plain, i), json_at(old_plain, i));
        if (!json_equal(json_at(plain, i), json_at(old_plain, i)))
            field_forbidden(errors, path, S("only cpu and memory resources are mutable"));
    }
    for (size_t i = 0; i < json_count(init); i++)
        init_container(errors, AT_INDEX(init_path, i), &spec->init_containers.items[i], json_at(init, i),
                       json_at(old_init, i));
}

/* A node that can do it says what its containers have. */
static bool node_can_resize(const struct pod *pod)
{
    for (size_t i = 0; i < pod->status.container_statuses.count; i++)
        if (pod->status.container_statuses.items[i].state.running)
            return pod->status.container_statuses.items[i].resources;
    return true;
}

static void changes(struct field_errors *errors, const struct field_path *path, const struct pod_spec *spec,
                    const struct pod_spec *old)
{
    struct arena *a = errors->arena;
    struct json tree = rules_view(a, VIEW_TYPE(pod_spec), spec),
                old_tree = rules_view(a, VIEW_TYPE(pod_spec), old);
    of_pod(errors, path, spec, old, &tree, &old_tree);
    size_t before = errors->count + errors->lost;
    same_order(errors, AT(path, "containers"), "containers", &spec->containers, &old->containers);
    same_order(errors, AT(path, "initContainers"), "initContainers", &spec->init_containers,
               &old->init_containers);
    if (errors->count + errors->lost != before)
        return;
    of_containers(errors, path, spec, old, &tree, &old_tree);
    if (errors->count == 0 && !json_equal(&tree, &old_tree))
        field_forbidden(errors, path, S("only cpu and memory resources are mutable"));
}

void pod_resize_validate(const struct pod *pod, const struct pod *old, struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "spec");
    if (pod_is_mirror(old)) {
        field_forbidden(errors, &FIELD_PATH_OF_ROOT, S("static pods cannot be resized"));
        return;
    }
    if (old->spec.os && str_is(old->spec.os->name, "windows")) {
        field_forbidden(errors, &FIELD_PATH_OF_ROOT, S("windows pods cannot be resized"));
        return;
    }
    pod_validate_whole(pod, errors);
    str old_class = old->status.qos_class.n ? old->status.qos_class
                                            : pod_qos_class(errors->arena, &old->spec);
    if (!str_eq(old_class, pod_qos_class(errors->arena, &pod->spec)))
        field_invalid(errors, path, TEXT(pod->status.qos_class),
                      S("Pod QOS Class may not change as a result of resizing"));
    if (!node_can_resize(old))
        field_forbidden(errors, path, S("Pod running on node without support for resize"));
    changes(errors, path, &pod->spec, &old->spec);
}
