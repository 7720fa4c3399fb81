/* pod_resources.c - what containers and pods ask for: names of resources, amounts, claims; what it makes of the pod's class. */
#include "api/rules/checks.h"
#include "api/rules/pod_priv.h"

bool resource_is_huge_page(str name)
{
    return str_starts(name, S("hugepages-"));
}

static bool is_of_pods(str name)
{
    return str_is(name, "cpu") || str_is(name, "memory") || resource_is_huge_page(name);
}

static void pod_resource_name_validate(struct field_errors *errors, const struct field_path *path, str name)
{
    size_t before = errors->count;
    check_resource_name(errors, path, name);
    if (errors->count == before && !is_of_pods(name))
        field_not_supported(errors, path, TEXT(name), STRS(S("cpu"), S("hugepages-"), S("memory")));
}

static bool is_whole(const struct quantity *q)
{
    return quantity_milli_value(q) % 1000 == 0;
}

static void huge_pages(struct field_errors *errors, const struct field_path *path, str resource,
                       const struct quantity *q)
{
    struct quantity size;
    struct err err = ERR_INIT;
    str_take_prefix(&resource, S("hugepages-"));
    if (quantity_parse(errors->arena, resource, &size, &err) == ERR_NONE && quantity_sign(&size) > 0 &&
        is_whole(&size) && quantity_value(q) % quantity_value(&size) == 0)
        return;
    struct json shown = rules_quantity(errors->arena, q);
    field_invalid(errors, path, &shown,
                  RULES_F(errors, "%" STR_FMT " is not positive integer multiple of hugepages-%" STR_FMT,
                          STR_ARG(json_str(&shown)), STR_ARG(resource)));
}

/* --- requests and limits --- */

typedef void resource_name_fn(struct field_errors *errors, const struct field_path *path, str name);

struct kinds_seen {
    bool compute, huge;
};

static void amounts(struct field_errors *errors, const struct field_path *path,
                    const struct quantity_map *map, size_t i, resource_name_fn *name_validate,
                    struct kinds_seen *seen)
{
    str name = map->items[i].key;
    const struct field_path *at = AT_KEY(path, name);
    name_validate(errors, at, name);
    check_resource_amount(errors, at, name, &map->items[i].value);
    seen->compute |= str_is(name, "cpu") || str_is(name, "memory");
    seen->huge |= resource_is_huge_page(name);
}

static void request_within_limit(struct field_errors *errors, const struct field_path *path, str name,
                                 const struct quantity *request, const struct quantity_map *limits)
{
    const struct field_path *requests_at = AT(path, "requests");
    const struct quantity *limit = quantity_of(limits, name);
    bool over = resource_may_overcommit(name);
    if (!limit) {
        if (!over)
            field_required(errors, AT(path, "limits"),
                           S("Limit must be set for non overcommitable resources"));
        return;
    }
    int order = quantity_cmp(request, limit);
    if (order == 0 || (over && order < 0))
        return;
    struct json shown = rules_quantity(errors->arena, request), most = rules_quantity(errors->arena, limit);
    field_invalid(errors, requests_at, &shown,
                  RULES_F(errors, "must be %s %" STR_FMT " limit of %" STR_FMT,
                          over ? "less than or equal to" : "equal to", STR_ARG(name),
                          STR_ARG(json_str(&most))));
}

static void claim(struct pod_check *c, const struct field_path *path, const struct resource_claim *r,
                  struct name_map *names, struct name_map *parts)
{
    if (r->name.n == 0) {
        field_required(c->errors, path, STR_NONE);
        return;
    }
    str key = r->request.n
                  ? RULES_F(c->errors, "%" STR_FMT "/%" STR_FMT, STR_ARG(r->name), STR_ARG(r->request))
                  : r->name;
    if (name_map_has(names, r->name)) {
        field_duplicate(c->errors, path, TEXT(r->name));
    } else {
        if (r->request.n)
            rules_name(c->errors, AT(path, "request"), r->request, name_check_dns1123_label);
        if (name_map_has(names, key))
            field_duplicate(c->errors, path, TEXT(key));
        else if (r->request.n == 0 && name_map_has(parts, r->name))
            field_duplicate(c->errors, path, TEXT(r->name));
        name_map_add_name(names, key);
        if (r->request.n)
            name_map_add_name(parts, r->name);
    }
    if (name_map_has(&c->claims, r->name))
        return;
    field_not_found(c->errors, path, TEXT(r->name));
    field_error_add_detail(c->errors, c->claim_names);
}

static void requirements(struct pod_check *c, const struct field_path *path,
                         const struct resource_requirements *r, resource_name_fn *name_validate)
{
    struct field_errors *errors = c->errors;
    struct kinds_seen seen = {.compute = false};
    const struct field_path *limits = AT(path, "limits"), *requests = AT(path, "requests");
    for (size_t i = 0; i < r->limits.count; i++) {
        str name = r->limits.items[i].key;
        amounts(errors, limits, &r->limits, i, name_validate, &seen);
        if (resource_is_huge_page(name))
            huge_pages(errors, AT_KEY(limits, name), name, &r->limits.items[i].value);
    }
    for (size_t i = 0; i < r->requests.count; i++) {
        str name = r->requests.items[i].key;
        amounts(errors, requests, &r->requests, i, name_validate, &seen);
        request_within_limit(errors, path, name, &r->requests.items[i].value, &r->limits);
        if (resource_is_huge_page(name))
            huge_pages(errors, AT_KEY(requests, name), name, &r->requests.items[i].value);
    }
    if (seen.huge && !seen.compute)
        field_forbidden(errors, path, S("HugePages require cpu or memory"));
    struct name_map names = {.arena = errors->arena}, parts = {.arena = errors->arena};
    for (size_t i = 0; i < r->claims.count; i++)
        claim(c, AT_INDEX(AT(path, "claims"), i), &r->claims.items[i], &names, &parts);
}

void container_resources_validate(struct pod_check *c, const struct field_path *path,
                                  const struct resource_requirements *r)
{
    requirements(c, path, r, check_container_resource_name);
}

void pod_overhead_validate(struct pod_check *c, const struct field_path *path)
{
    struct resource_requirements as_limits = {.limits = c->spec->overhead};
    if (as_limits.limits.count)
        requirements(c, path, &as_limits, check_container_resource_name);
}

/* --- resources of the pod as a whole --- */

void resource_sum_add(struct resource_sum *s, str name, const struct quantity *q)
{
    struct resource_amount *there = (struct resource_amount *)(uintptr_t)name_map_find(&s->by_name, name);
    if (there) {
        quantity_add(s->arena, &there->q, q);
        return;
    }
    there = ARENA_NEW(s->arena, struct resource_amount);
    *there = (struct resource_amount){.name = name, .q = *q};
    name_map_add(&s->by_name, name, there);
    *s->tail = there;
    s->tail = &there->next;
}

void resource_sum_max(struct resource_sum *s, str name, const struct quantity *q)
{
    struct resource_amount *there = (struct resource_amount *)(uintptr_t)name_map_find(&s->by_name, name);
    if (!there)
        resource_sum_add(s, name, q);
    else if (quantity_cmp(q, &there->q) > 0)
        there->q = *q;
}

void resource_sum_init(struct resource_sum *s, struct arena *a)
{
    *s = (struct resource_sum){.arena = a, .by_name = {.arena = a}};
    s->tail = &s->first;
}

static const struct quantity_map *side_of(const struct container *c, bool limits)
{
    return limits ? &c->resources.limits : &c->resources.requests;
}

/* All containers and sidecars together, or one init container with the sidecars that run by then. */
void pod_resources_aggregate(struct arena *a, const struct pod_spec *spec, bool limits,
                             struct resource_sum *ret)
{
    struct resource_sum sidecars, most;
    resource_sum_init(ret, a);
    resource_sum_init(&sidecars, a);
    resource_sum_init(&most, a);
    for (size_t i = 0; i < spec->containers.count; i++) {
        const struct quantity_map *m = side_of(&spec->containers.items[i], limits);
        for (size_t j = 0; j < m->count; j++)
            resource_sum_add(ret, m->items[j].key, &m->items[j].value);
    }
    for (size_t i = 0; i < spec->init_containers.count; i++) {
        const struct container *c = &spec->init_containers.items[i];
        const struct quantity_map *m = side_of(c, limits);
        for (size_t j = 0; j < m->count; j++) {
            str name = m->items[j].key;
            struct quantity q = quantity_dup(a, &m->items[j].value);
            if (container_is_sidecar(c)) {
                resource_sum_add(ret, name, &q);
                resource_sum_add(&sidecars, name, &q);
            } else {
                const struct resource_amount *beside = name_map_find(&sidecars.by_name, name);
                if (beside)
                    quantity_add(a, &q, &beside->q);
            }
            const struct resource_amount *running = name_map_find(&sidecars.by_name, name);
            resource_sum_max(&most, name, container_is_sidecar(c) ? &running->q : &q);
        }
    }
    for (const struct resource_amount *m = most.first; m; m = m->next)
        resource_sum_max(ret, m->name, &m->q);
}

static void within_pod(struct pod_check *c, const struct field_path *path)
{
    const struct resource_requirements *r = c->spec->resources;
    struct resource_sum requests, limits;
    pod_resources_aggregate(c->errors->arena, c->spec, false, &requests);
    pod_resources_aggregate(c->errors->arena, c->spec, true, &limits);
    for (const struct resource_amount *m = requests.first; m; m = m->next) {
        const struct quantity *pod = quantity_of(&r->requests, m->name);
        if (!pod || quantity_cmp(&m->q, pod) <= 0)
            continue;
        struct json shown = rules_quantity(c->errors->arena, pod),
                    sum = rules_quantity(c->errors->arena, &m->q);
        field_invalid(c->errors, AT_KEY(AT(path, "requests"), m->name), &shown,
                      RULES_F(c->errors,
                              "must be greater than or equal to aggregate container requests of %" STR_FMT,
                              STR_ARG(json_str(&sum))));
    }
    for (const struct resource_amount *m = limits.first; m; m = m->next) {
        const struct quantity *pod = resource_is_huge_page(m->name) ? quantity_of(&r->limits, m->name) : NULL;
        if (!pod || quantity_cmp(&m->q, pod) <= 0)
            continue;
        struct json shown = rules_quantity(c->errors->arena, pod),
                    sum = rules_quantity(c->errors->arena, &m->q);
        field_invalid(c->errors, AT_KEY(AT(path, "limits"), m->name), &shown,
                      RULES_F(c->errors,
                              "must be greater than or equal to aggregate container limits of %" STR_FMT,
                              STR_ARG(json_str(&sum))));
    }
}

static void containers_within_pod(struct pod_check *c, const struct field_path *path)
{
    for (size_t i = 0; i < c->spec->containers.count; i++) {
        const struct quantity_map *limits = &c->spec->containers.items[i].resources.limits;
        const struct field_path *container = AT_INDEX(AT(path, "containers"), i);
        for (size_t j = 0; j < limits->count; j++) {
            const struct quantity *pod = quantity_of(&c->spec->resources->limits, limits->items[j].key);
            if (!pod || quantity_cmp(&limits->items[j].value, pod) <= 0)
                continue;
            struct json shown = rules_quantity(c->errors->arena, &limits->items[j].value),
                        most = rules_quantity(c->errors->arena, pod);
            field_invalid(c->errors, AT(AT_KEY(container, limits->items[j].key), "limits"), &shown,
                          RULES_F(c->errors, "must be less than or equal to pod limits of %" STR_FMT,
                                  STR_ARG(json_str(&most))));
        }
    }
}

void pod_resources_validate(struct pod_check *c, const struct field_path *spec_path)
{
    const struct field_path *path = AT(spec_path, "resources");
    const struct resource_requirements *r = c->spec->resources;
    if (!r)
        return;
    if (c->spec->os && str_is(c->spec->os->name, "windows")) {
        field_forbidden(c->errors, path, S("may not be set for a windows pod"));
        return;
    }
    if (r->claims.count)
        field_forbidden(c->errors, AT(path, "claims"), S("claims may not be set for Resources at pod-level"));
    requirements(c, path, r, pod_resource_name_validate);
    within_pod(c, path);
    containers_within_pod(c, path);
}
