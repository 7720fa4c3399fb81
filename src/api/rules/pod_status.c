/* pod_status.c - what a node may say of a pod. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "api/rules/pod_priv.h"

enum { HEALTH_MESSAGE_SIZE_MAX = 1024 };

/* --- containers that ended --- */

static bool has_code(const struct container_restart_rule_on_exit_codes *e, int32_t code)
{
    for (size_t i = 0; i < e->values.count; i++)
        if (e->values.items[i] == code)
            return true;
    return false;
}

static bool rule_restarts(const struct container *c, int32_t code)
{
    for (size_t i = 0; i < c->restart_policy_rules.count; i++) {
        const struct container_restart_rule_on_exit_codes *e = c->restart_policy_rules.items[i].exit_codes;
        if (e && has_code(e, code) == str_is(e->operator, "In"))
            return true;
    }
    return false;
}

static bool policy_restarts(str policy, int32_t code)
{
    return str_is(policy, "Always") || (str_is(policy, "OnFailure") && code != 0);
}

static bool may_restart(const struct container *c, const struct pod_spec *spec, int32_t code)
{
    if (c && c->restart_policy.p)
        return rule_restarts(c, code) || policy_restarts(c->restart_policy, code);
    return c && policy_restarts(spec->restart_policy, code);
}

static bool restarts_all(const struct container_array *list)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < list->items[i].restart_policy_rules.count; j++)
            if (str_is(list->items[i].restart_policy_rules.items[j].action, "RestartAllContainers"))
                return true;
    return false;
}

/* `containers`: struct container by name; of ephemeral ones NULL: they never run again. */
static void transitions(struct field_errors *errors, const struct field_path *path,
                        const struct container_status_array *list, const struct container_status_array *old,
                        const struct name_map *containers, const struct pod_spec *spec)
{
    struct name_map now = {.arena = errors->arena};
    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].state.terminated)
            name_map_add_name(&now, list->items[i].name);
    for (size_t i = 0; i < old->count; i++) {
        const struct container_state_terminated *end = old->items[i].state.terminated;
        if (!end || !name_map_has(&now, old->items[i].name))
            continue;
        const struct container *c = containers ? name_map_find(containers, old->items[i].name) : NULL;
        if (!may_restart(c, spec, end->exit_code))
            field_forbidden(errors, AT(AT_INDEX(path, i), "state"),
                            S("may not be transitioned to non-terminated state"));
    }
}

static void by_name(struct name_map *map, const struct container_array *list)
{
    for (size_t i = 0; i < list->count; i++)
        name_map_add(map, list->items[i].name, &list->items[i]);
}

static void all_transitions(struct field_errors *errors, const struct field_path *path, const struct pod *pod,
                            const struct pod *old)
{
    const struct pod_status *s = &pod->status, *before = &old->status;
    const struct pod_spec *spec = &old->spec;
    struct name_map plain = {.arena = errors->arena}, init = {.arena = errors->arena};
    by_name(&plain, &spec->containers);
    by_name(&init, &spec->init_containers);
    if (!restarts_all(&spec->containers) && !restarts_all(&spec->init_containers)) {
        transitions(errors, AT(path, "containerStatuses"), &s->container_statuses,
                    &before->container_statuses, &plain, spec);
        transitions(errors, AT(path, "initContainerStatuses"), &s->init_container_statuses,
                    &before->init_container_statuses, &init, spec);
    }
    transitions(errors, AT(path, "ephemeralContainerStatuses"), &s->ephemeral_container_statuses,
                &before->ephemeral_container_statuses, NULL, spec);
}

/* --- claims --- */

static void claim_statuses(struct field_errors *errors, const struct field_path *path, const struct pod *pod)
{
    const struct pod_resource_claim_status_array *list = &pod->status.resource_claim_statuses;
    struct name_map claims = {.arena = errors->arena}, seen = {.arena = errors->arena};
    for (size_t i = 0; i < pod->spec.resource_claims.count; i++)
        name_map_add_name(&claims, pod->spec.resource_claims.items[i].name);
    for (size_t i = 0; i < list->count; i++) {
        const struct pod_resource_claim_status *s = &list->items[i];
        const struct field_path *at = AT_INDEX(path, i);
        if (!name_map_has(&claims, s->name))
            field_invalid(errors, AT(at, "name"), TEXT(s->name),
                          S("must match the name of an entry in `spec.resourceClaims`"));
        if (!name_map_add_name(&seen, s->name))
            field_duplicate(errors, AT(at, "name"), TEXT(s->name));
        if (s->resource_claim_name.p)
            rules_name(errors, AT(at, "resourceClaimName"), s->resource_claim_name,
                       name_check_dns1123_subdomain);
    }
}

static void request_mapping(struct field_errors *errors, const struct field_path *path,
                            const struct container_extended_resource_request *m,
                            const struct name_map *containers)
{
    const struct container *c = name_map_find(containers, m->container_name);
    if (!c)
        field_invalid(
            errors, AT(path, "containerName"), TEXT(m->container_name),
            S("must match the name of an entry in spec.initContainers.name or spec.containers.name"));
    else if (!quantity_of(&c->resources.requests, m->resource_name))
        field_invalid(
            errors, AT(path, "resourceName"), TEXT(m->resource_name),
            S("must match the extended resource name of an entry in spec.initContainers.resources.requests "
              "or spec.containers.resources.requests"));
}

static void extended_claim(struct field_errors *errors, const struct field_path *path, const struct pod *pod)
{
    const struct pod_extended_resource_claim_status *s = pod->status.extended_resource_claim_status;
    const struct field_path *mappings = AT(path, "requestMappings");
    struct name_map containers = {.arena = errors->arena}, seen = {.arena = errors->arena};
    if (!s)
        return;
    by_name(&containers, &pod->spec.containers);
    by_name(&containers, &pod->spec.init_containers);
    if (s->request_mappings.count == 0)
        field_required(errors, mappings, S("at least one request mapping is required"));
    for (size_t i = 0; i < s->request_mappings.count; i++) {
        const struct container_extended_resource_request *m = &s->request_mappings.items[i];
        const struct field_path *at = AT_INDEX(mappings, i);
        request_mapping(errors, at, m, &containers);
        rules_name(errors, AT(path, "requestName"), m->request_name, name_check_dns1123_label);
        str key = RULES_F(errors, "%zu,%zu,%" STR_FMT "%" STR_FMT "%" STR_FMT, m->container_name.n,
                          m->resource_name.n, STR_ARG(m->container_name), STR_ARG(m->resource_name),
                          STR_ARG(m->request_name));
        if (name_map_add_name(&seen, key))
            continue;
        field_duplicate(errors, AT(at, "containerName"), TEXT(m->container_name));
        field_duplicate(errors, AT(at, "resourceName"), TEXT(m->resource_name));
        field_duplicate(errors, AT(at, "requestName"), TEXT(m->request_name));
    }
    rules_name_required(errors, AT(path, "resourceClaimName"), s->resource_claim_name,
                        name_check_dns1123_subdomain);
}

/* --- addresses --- */

struct addresses {
    str *items;
    size_t count;
    struct json shown; /* as messages show the list */
};

static struct addresses collect(struct arena *a, const void *items, size_t count)
{
    const struct pod_ip *list = items; /* or host_ip, which is the same */
    struct addresses all = {.items = ARENA_ARRAY(a, str, count), .count = count, .shown = json_array()};
    static_assert(sizeof(struct pod_ip) == sizeof(struct host_ip), "both are one address");
    for (size_t i = 0; i < count; i++) {
        struct json item = json_object();
        json_add(a, &item, S("IP"), json_of_str(list[i].ip));
        json_append(a, &all.shown, item);
        all.items[i] = list[i].ip;
    }
    return all;
}

static void addresses(struct field_errors *errors, const struct field_path *path,
                      const struct addresses *list, const struct addresses *old)
{
    const struct str_array before = {.items = old->items, .count = old->count};
    for (size_t i = 0; i < list->count; i++)
        rules_ip(errors, AT_INDEX(path, i), list->items[i], &before);
    bool v4 = false, v6 = false;
    for (size_t i = 0; list->count > 1 && i < list->count; i++) {
        if (!is_ip(list->items[i])) {
            field_internal(
                errors, path,
                RULES_F(errors, "failed to check for dual stack with error:invalid IP[%zu]: <nil>", i));
            v4 = false;
            break;
        }
        v6 |= is_ipv6(list->items[i]);
        v4 |= !is_ipv6(list->items[i]);
    }
    if (list->count > 1 && (!v4 || !v6 || list->count > 2))
        field_invalid(errors, path, &list->shown, S("may specify no more than one IP for each IP family"));
}

static void all_addresses(struct field_errors *errors, const struct field_path *path,
                          const struct pod_status *s, const struct pod_status *old)
{
    struct arena *a = errors->arena;
    const struct field_path *hosts = AT(path, "hostIPs");
    struct addresses list = collect(a, s->pod_ips.items, s->pod_ips.count),
                     before = collect(a, old->pod_ips.items, old->pod_ips.count);
    addresses(errors, AT(path, "podIPs"), &list, &before);
    list = collect(a, s->host_ips.items, s->host_ips.count);
    before = collect(a, old->host_ips.items, old->host_ips.count);
    if (list.count && !str_eq(s->host_ip, list.items[0]))
        field_invalid(errors, AT(AT_INDEX(hosts, 0), "ip"), TEXT(list.items[0]),
                      S("must be equal to `hostIP`"));
    addresses(errors, hosts, &list, &before);
}

/* --- what containers got --- */

static void linux_user(struct field_errors *errors, const struct field_path *path,
                       const struct linux_container_user *u)
{
    if (!u)
        return;
    rules_range(errors, AT(path, "uid"), u->uid, 0, INT32_MAX);
    rules_range(errors, AT(path, "gid"), u->gid, 0, INT32_MAX);
    for (size_t i = 0; i < u->supplemental_groups.count; i++)
        rules_range(errors, AT_INDEX(AT(path, "supplementalGroups"), i), u->supplemental_groups.items[i], 0,
                    INT32_MAX);
}

static void users(struct field_errors *errors, const struct field_path *path,
                  const struct container_status_array *list, const struct pod_os *os)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct container_user *u = list->items[i].user;
        const struct field_path *at = AT(AT(AT_INDEX(path, i), "user"), "linux");
        if (u && (!os || str_is(os->name, "linux")))
            linux_user(errors, at, u->linux_);
        else if (u && u->linux_ && str_is(os->name, "windows"))
            field_forbidden(errors, at, S("cannot be set for a windows pod"));
    }
}

static bool has_claim(struct arena *a, const struct container *c, str name)
{
    for (size_t i = 0; i < c->resources.claims.count; i++) {
        const struct resource_claim *r = &c->resources.claims.items[i];
        str wanted = str_format(a, "claim:%" STR_FMT "%s%" STR_FMT, STR_ARG(r->name), r->request.n ? "/" : "",
                                STR_ARG(r->request));
        if (str_eq(name, wanted))
            return true;
    }
    return false;
}

static void health(struct field_errors *errors, const struct field_path *path,
                   const struct resource_status *r)
{
    struct name_map seen = {.arena = errors->arena};
    for (size_t i = 0; i < r->resources.count; i++) {
        const struct resource_health *h = &r->resources.items[i];
        const struct field_path *at = AT_INDEX(AT(path, "resources"), i);
        rules_one_of(errors, AT(at, "health"), h->health, STRS(S("Healthy"), S("Unhealthy"), S("Unknown")));
        if (h->message.p && h->message.n == 0)
            field_required(errors, AT(at, "message"), S("must be non-empty if specified"));
        if (h->message.n > HEALTH_MESSAGE_SIZE_MAX)
            field_too_long(errors, AT(at, "message"), HEALTH_MESSAGE_SIZE_MAX);
        if (!name_map_add_name(&seen, h->resource_id))
            field_duplicate(errors, AT(at, "resourceID"), TEXT(h->resource_id));
    }
}

static void allocated(struct field_errors *errors, const struct field_path *path,
                      const struct container_status_array *list, const struct container_array *containers)
{
    struct name_map map = {.arena = errors->arena};
    by_name(&map, containers);
    for (size_t i = 0; i < list->count; i++) {
        const struct container *c = name_map_find(&map, list->items[i].name);
        for (size_t j = 0; j < list->items[i].allocated_resources_status.count; j++) {
            const struct resource_status *r = &list->items[i].allocated_resources_status.items[j];
            const struct field_path *at = AT_INDEX(AT(AT_INDEX(path, i), "allocatedResourcesStatus"), j);
            bool claim = str_starts(r->name, S("claim:"));
            if (c && claim && !has_claim(errors->arena, c, r->name))
                field_invalid(errors, AT(at, "name"), TEXT(r->name),
                              S("must match one of the container's resource claims in a format "
                                "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"));
            else if (c && !claim && !quantity_of(&c->resources.requests, r->name))
                field_invalid(errors, AT(at, "name"), TEXT(r->name),
                              S("must match one of the container's resource requests"));
            health(errors, at, r);
        }
    }
}

static void containers(struct field_errors *errors, const struct field_path *path, const struct pod *pod)
{
    const struct pod_status *s = &pod->status;
    const struct field_path *plain = AT(path, "containerStatuses"), *init = AT(path, "initContainerStatuses"),
                            *ephemeral = AT(path, "ephemeralContainerStatuses");
    users(errors, plain, &s->container_statuses, pod->spec.os);
    users(errors, init, &s->init_container_statuses, pod->spec.os);
    users(errors, ephemeral, &s->ephemeral_container_statuses, pod->spec.os);
    allocated(errors, plain, &s->container_statuses, &pod->spec.containers);
    allocated(errors, init, &s->init_container_statuses, &pod->spec.init_containers);
    for (size_t i = 0; i < s->ephemeral_container_statuses.count; i++)
        if (s->ephemeral_container_statuses.items[i].allocated_resources_status.count)
            field_forbidden(errors, AT(AT_INDEX(ephemeral, i), "allocatedResourcesStatus"),
                            S("must not be specified in container status"));
}

/* --- the whole --- */

static void conditions(struct field_errors *errors, const struct field_path *path,
                       const struct pod_condition_array *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct pod_condition *c = &list->items[i];
        if (c->observed_generation < 0)
            field_invalid(errors, AT(AT_INDEX(path, i), "observedGeneration"), NUMBER(c->observed_generation),
                          S("must be a non-negative integer"));
        if (!rules_is_one_of(c->type, STRS(S("PodScheduled"), S("Ready"), S("Initialized"))))
            rules_name(errors, AT(AT_INDEX(path, i), "Type"), c->type, name_check_qualified);
    }
}

static void nominated(struct field_errors *errors, const struct field_path *path, const struct pod *pod,
                      const struct pod *old)
{
    str name = pod->status.nominated_node_name;
    if (name.n == 0 || str_eq(name, old->status.nominated_node_name))
        return;
    rules_name(errors, path, name, name_check_dns1123_subdomain);
    if (old->spec.node_name.n)
        field_forbidden(errors, path, S("may not be set on pods that are already bound to a node"));
}

void pod_status_validate(const struct pod *pod, const struct pod *old, struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "status");
    const struct pod_status *s = &pod->status;
    pod_annotations_validate_update(errors, AT(AT(NULL, "metadata"), "annotations"), pod, old);
    conditions(errors, AT(path, "conditions"), &s->conditions);
    nominated(errors, AT(path, "nominatedNodeName"), pod, old);
    if (s->observed_generation < 0)
        field_invalid(errors, AT(path, "observedGeneration"), NUMBER(s->observed_generation),
                      S("must be a non-negative integer"));
    check_same_text(errors, AT(path, "qosClass"), s->qos_class, old->status.qos_class);
    all_transitions(errors, path, pod, old);
    claim_statuses(errors, AT(path, "resourceClaimStatuses"), pod);
    extended_claim(errors, AT(path, "extendedResourceClaimStatus"), pod);
    all_addresses(errors, path, s, &old->status);
    containers(errors, path, pod);
}
