/* service.c - Service: what it is filled in with, what its fields allow each other, what becomes of them when its type
 * changes. Cluster addresses and node ports are given out by the server, between on_create or on_update and validate. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "base/vec.h"

#define TOPOLOGY_HINTS "service.kubernetes.io/topology-aware-hints"
#define TOPOLOGY_MODE  "service.kubernetes.io/topology-mode"
#define SOURCE_RANGES  "service.beta.kubernetes.io/load-balancer-source-ranges"

enum { CLIENT_IP_TIMEOUT_S = 10800, CLIENT_IP_TIMEOUT_MAX_S = 86400 };

/* --- defaults --- */

static str text_at(const struct json *object, const char *name)
{
    return json_str(json_find(object, str_from_c(name)));
}

static str type_of(const struct json *spec)
{
    str type = text_at(spec, "type");
    return type.n ? type : S("ClusterIP");
}

static void default_affinity(struct arena *a, struct json *spec)
{
    if (!str_is(text_at(spec, "sessionAffinity"), "ClientIP")) {
        if (str_is(text_at(spec, "sessionAffinity"), "None") || text_at(spec, "sessionAffinity").n == 0)
            json_remove(spec, S("sessionAffinityConfig"));
        return;
    }
    if (json_get(spec, S("sessionAffinityConfig"), S("clientIP"), S("timeoutSeconds")))
        return;
    struct json config = json_object(), client = json_object();
    json_set(a, &client, S("timeoutSeconds"), json_of_int(CLIENT_IP_TIMEOUT_S));
    json_set(a, &config, S("clientIP"), client);
    json_set(a, spec, S("sessionAffinityConfig"), config);
}

static void default_target_ports(struct arena *a, struct json *spec)
{
    struct json *ports = json_find(spec, S("ports"));
    for (size_t i = 0; i < json_count(ports); i++) {
        struct json *port = json_at(ports, i), *target = json_find(port, S("targetPort"));
        const struct json *number = json_find(port, S("port"));
        int64_t n;
        bool unset = !target || (json_int(target, &n) && n == 0) ||
                     (target->type == JSON_STRING && target->n == 0);
        if (unset && number)
            json_set(a, port, S("targetPort"), *number);
    }
}

static bool is_external(const struct json *spec)
{
    str type = type_of(spec);
    return str_is(type, "NodePort") || str_is(type, "LoadBalancer") ||
           (str_is(type, "ClusterIP") && json_count(json_find(spec, S("externalIPs"))));
}

static void default_ip_modes(struct arena *a, struct json *tree)
{
    struct json *ingress = json_get(tree, S("status"), S("loadBalancer"), S("ingress"));
    for (size_t i = 0; i < json_count(ingress); i++) {
        struct json *at = json_at(ingress, i);
        if (text_at(at, "ip").n && !json_find(at, S("ipMode")))
            json_set(a, at, S("ipMode"), json_of_str(S("VIP")));
    }
}

static void defaults(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec"));
    if (!spec)
        return;
    str type = type_of(spec);
    bool balanced = str_is(type, "LoadBalancer");
    default_affinity(in->arena, spec);
    default_target_ports(in->arena, spec);
    if (is_external(spec) && text_at(spec, "externalTrafficPolicy").n == 0)
        json_set(in->arena, spec, S("externalTrafficPolicy"), json_of_str(S("Cluster")));
    if (!str_is(type, "ExternalName") && !json_find(spec, S("internalTrafficPolicy")))
        json_set(in->arena, spec, S("internalTrafficPolicy"), json_of_str(S("Cluster")));
    if (balanced && !json_find(spec, S("allocateLoadBalancerNodePorts")))
        json_set(in->arena, spec, S("allocateLoadBalancerNodePorts"), json_of_bool(true));
    if (balanced)
        default_ip_modes(in->arena, tree);
}

/* --- before a write --- */

static bool has_cluster_ip(const struct json *spec)
{
    return !str_is(type_of(spec), "ExternalName");
}

static bool has_node_ports(const struct json *spec)
{
    const struct json *allocate = json_find(spec, S("allocateLoadBalancerNodePorts"));
    return str_is(type_of(spec), "NodePort") ||
           (str_is(type_of(spec), "LoadBalancer") && (!allocate || json_bool(allocate)));
}

static bool has_health_port(const struct json *spec)
{
    return str_is(type_of(spec), "LoadBalancer") && str_is(text_at(spec, "externalTrafficPolicy"), "Local");
}

static bool is_balanced(const struct json *spec)
{
    return str_is(type_of(spec), "LoadBalancer");
}

static bool same(const struct json *spec, const struct json *old, str name)
{
    static const struct json absent = {.type = JSON_NULL};
    const struct json *x = json_find(spec, name), *y = json_find(old, name);
    return json_equal(x ? x : &absent, y ? y : &absent);
}

static void take_over(struct arena *a, struct json *spec, const struct json *old, str name)
{
    const struct json *value = json_find(old, name);
    if (value)
        json_set(a, spec, name, json_clone_deep(a, value));
}

static struct json list_of(struct arena *a, str text)
{
    struct json list = json_array();
    json_append(a, &list, json_of_str(text));
    return list;
}

/* clusterIP and clusterIPs say the same, for clients that know only one of them. What they contradict each other in is for
 * validation to find. */
static void match_cluster_ips(struct arena *a, struct json *spec, const struct json *old)
{
    str ip = text_at(spec, "clusterIP"), old_ip = text_at(old, "clusterIP");
    size_t count = json_count(json_find(spec, S("clusterIPs")));
    if (!old) {
        if (ip.n && count == 0)
            json_set(a, spec, S("clusterIPs"), list_of(a, ip));
        return;
    }
    if (count == 0 && str_eq(ip, old_ip))
        take_over(a, spec, old, S("clusterIPs"));
    if (str_eq(ip, old_ip) || !same(spec, old, S("clusterIPs")))
        return;
    if (ip.n)
        json_set(a, spec, S("clusterIPs"), list_of(a, ip));
    else
        json_remove(spec, S("clusterIPs"));
}

static int64_t node_port(const struct json *port)
{
    int64_t n = 0;
    const struct json *there = json_find(port, S("nodePort"));
    return there && json_int(there, &n) ? n : 0;
}

/* Node ports in use, a bit for each; others than real ones do not count. */
struct port_set {
    uint64_t bits[65536 / 64];
};

static bool port_set_has(const struct port_set *set, int64_t number)
{
    return number > 0 && number < 65536 && (set->bits[number / 64] >> (number % 64) & 1);
}

static void port_set_add(struct port_set *set, int64_t number)
{
    if (number > 0 && number < 65536)
        set->bits[number / 64] |= UINT64_C(1) << (number % 64);
}

static struct port_set *port_set_of(struct arena *a, const struct json *spec)
{
    struct port_set *set = ARENA_NEW(a, struct port_set);
    const struct json *ports = json_find(spec, S("ports"));
    for (size_t i = 0; i < json_count(ports); i++)
        port_set_add(set, node_port(json_at(ports, i)));
    return set;
}

struct named_port {
    str name;
    int64_t number;
};

static int by_name(const void *x, const void *y, void *ctx)
{
    return str_cmp(((const struct named_port *)x)->name, ((const struct named_port *)y)->name);
}

/* A port keeps the node port that one of its name had, unless another port has taken that. Of several old ports without a
 * name the last one counts. */
static void keep_node_ports(struct arena *a, struct json *spec, const struct json *old)
{
    struct json *ports = json_find(spec, S("ports"));
    const struct json *old_ports = json_find(old, S("ports"));
    size_t count = json_count(old_ports);
    struct named_port *had = ARENA_ARRAY(a, struct named_port, count);
    for (size_t i = 0; i < count; i++) {
        const struct json *port = json_at(old_ports, count - 1 - i);
        had[i] = (struct named_port){text_at(port, "name"), node_port(port)};
    }
    vec_sort(had, count, sizeof *had, by_name, NULL);
    struct port_set *used = port_set_of(a, spec);
    for (size_t i = 0; i < json_count(ports); i++) {
        struct json *port = json_at(ports, i);
        struct named_port key = {.name = text_at(port, "name")};
        const struct named_port *found = vec_bsearch(had, count, sizeof *had, &key, by_name, NULL);
        if (node_port(port) || !found || found->number == 0 || port_set_has(used, found->number))
            continue;
        json_set(a, port, S("nodePort"), json_of_int(found->number));
        port_set_add(used, found->number);
    }
}

/* Who did not say again what the server chose does not give it back. */
static void keep_allocated(struct arena *a, struct json *spec, const struct json *old)
{
    if (has_cluster_ip(spec) && has_cluster_ip(old)) {
        if (text_at(spec, "clusterIP").n == 0)
            take_over(a, spec, old, S("clusterIP"));
        if (json_count(json_find(spec, S("clusterIPs"))) == 0 && same(spec, old, S("clusterIP")))
            take_over(a, spec, old, S("clusterIPs"));
    }
    if (has_node_ports(spec) && has_node_ports(old))
        keep_node_ports(a, spec, old);
    if (has_health_port(spec) && has_health_port(old) && !json_find(spec, S("healthCheckNodePort")))
        take_over(a, spec, old, S("healthCheckNodePort"));
}

static bool same_node_ports(struct arena *a, const struct json *spec, const struct json *old)
{
    const struct port_set *now = port_set_of(a, spec), *was = port_set_of(a, old);
    return memcmp(now, was, sizeof *now) == 0;
}

static void drop_same(struct json *spec, const struct json *old, str name)
{
    if (same(spec, old, name))
        json_remove(spec, name);
}

/* A type that has no use for a field loses it, unless the client changed it at the same time. */
static void drop_by_type(struct arena *a, struct json *spec, const struct json *old)
{
    if (has_cluster_ip(old) && !has_cluster_ip(spec)) {
        if (same(spec, old, S("clusterIP")) && same(spec, old, S("clusterIPs"))) {
            json_remove(spec, S("clusterIP"));
            json_remove(spec, S("clusterIPs"));
        }
        drop_same(spec, old, S("ipFamilies"));
        drop_same(spec, old, S("ipFamilyPolicy"));
    }
    if (has_node_ports(old) && !has_node_ports(spec) && same_node_ports(a, spec, old)) {
        struct json *ports = json_find(spec, S("ports"));
        for (size_t i = 0; i < json_count(ports); i++)
            json_remove(json_at(ports, i), S("nodePort"));
    }
    if (has_health_port(old) && !has_health_port(spec))
        drop_same(spec, old, S("healthCheckNodePort"));
    if (is_balanced(old) && !is_balanced(spec)) {
        drop_same(spec, old, S("allocateLoadBalancerNodePorts"));
        drop_same(spec, old, S("loadBalancerClass"));
    }
    if (is_external(old) && !is_external(spec))
        drop_same(spec, old, S("externalTrafficPolicy"));
}

static void on_create(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
    if (json_find(tree, S("spec")))
        match_cluster_ips(in->arena, json_find(tree, S("spec")), NULL);
}

static void on_update(const struct rules_input *in, struct json *tree, const struct json *old)
{
    struct json *spec = json_find(tree, S("spec"));
    const struct json *old_spec = json_find(old, S("spec"));
    if (in->subresource.n || !spec || !old_spec)
        return;
    keep_allocated(in->arena, spec, old_spec);
    match_cluster_ips(in->arena, spec, old_spec);
    drop_by_type(in->arena, spec, old_spec);
}

/* --- validation --- */

static bool is_headless(const struct service *s)
{
    return s->spec.cluster_ips.count == 1 && str_is(s->spec.cluster_ips.items[0], "None");
}

static void check_of_type(struct field_errors *errors, const struct field_path *spec, const struct service *s)
{
    str type = s->spec.type;
    if ((str_is(type, "LoadBalancer") || str_is(type, "NodePort")) && is_headless(s))
        field_invalid(errors, AT_INDEX(AT(spec, "clusterIPs"), 0), TEXT(S("None")),
                      RULES_F(errors, "may not be set to 'None' for %" STR_FMT " services", STR_ARG(type)));
    if (!str_is(type, "ExternalName"))
        return;
    if (s->spec.cluster_ips.count)
        field_forbidden(errors, AT(spec, "clusterIPs"), S("may not be set for ExternalName services"));
    if (s->spec.ip_families.count)
        field_forbidden(errors, AT(spec, "ipFamilies"), S("may not be set for ExternalName services"));
    if (s->spec.ip_family_policy.p)
        field_forbidden(errors, AT(spec, "ipFamilyPolicy"), S("may not be set for ExternalName services"));
    /* An alias may be written with the dot at its end. */
    str name = s->spec.external_name;
    if (str_ends(name, S(".")))
        name.n--;
    if (name.n)
        rules_name(errors, AT(spec, "externalName"), name, name_check_dns1123_subdomain);
    else
        field_required(errors, AT(spec, "externalName"), STR_NONE);
}

static void check_port(struct field_errors *errors, const struct field_path *path,
                       const struct service_port *p, bool needs_name, bool name_is_taken)
{
    if (p->name.n == 0 && needs_name) {
        field_required(errors, AT(path, "name"), STR_NONE);
    } else if (p->name.n) {
        rules_name(errors, AT(path, "name"), p->name, name_check_dns1123_label);
        if (name_is_taken)
            field_duplicate(errors, AT(path, "name"), TEXT(p->name));
    }
    rules_range(errors, AT(path, "port"), p->port, 1, 65535);
    if (p->protocol.n == 0)
        field_required(errors, AT(path, "protocol"), STR_NONE);
    else
        rules_one_of(errors, AT(path, "protocol"), p->protocol, STRS(S("TCP"), S("UDP"), S("SCTP")));
    rules_port(errors, AT(path, "targetPort"), &p->target_port);
    if (p->app_protocol.p)
        rules_name(errors, AT(path, "appProtocol"), p->app_protocol, name_check_qualified);
}

static void check_ports(struct field_errors *errors, const struct field_path *path,
                        const struct service_port_array *ports)
{
    str *names = ARENA_ARRAY(errors->arena, str, ports->count);
    for (size_t i = 0; i < ports->count; i++)
        names[i] = ports->items[i].name;
    const bool *repeated = repeats(errors->arena, names, ports->count);
    for (size_t i = 0; i < ports->count; i++)
        check_port(errors, AT_INDEX(path, i), &ports->items[i], ports->count > 1, repeated[i]);
}

static void check_affinity(struct field_errors *errors, const struct field_path *spec,
                           const struct service_spec *s)
{
    const struct field_path *config = AT(spec, "sessionAffinityConfig"), *client = AT(config, "clientIP");
    const struct session_affinity_config *c = s->session_affinity_config;
    rules_one_of(errors, AT(spec, "sessionAffinity"), s->session_affinity, STRS(S("ClientIP"), S("None")));
    if (str_is(s->session_affinity, "None") && c)
        field_forbidden(errors, config, S("must not be set when session affinity is None"));
    if (!str_is(s->session_affinity, "ClientIP"))
        return;
    if (!c) {
        field_required(errors, config, S("when session affinity type is ClientIP"));
    } else if (!c->client_ip) {
        field_required(errors, client, S("when session affinity type is ClientIP"));
    } else if (!c->client_ip->timeout_seconds.is_set) {
        field_required(errors, AT(client, "timeoutSeconds"), S("when session affinity type is ClientIP"));
    } else {
        int32_t seconds = c->client_ip->timeout_seconds.value;
        if (seconds <= 0 || seconds > CLIENT_IP_TIMEOUT_MAX_S)
            field_invalid(errors, AT(client, "timeoutSeconds"), NUMBER(seconds),
                          S("must be greater than 0 and less than 86400"));
    }
}

/* --- cluster addresses --- */

static void invalid_list(struct field_errors *errors, const struct field_path *path,
                         const struct str_array *list, str detail)
{
    struct json shown = rules_texts(errors->arena, list);
    field_invalid(errors, path, &shown, detail);
}

static void check_families(struct field_errors *errors, const struct field_path *spec,
                           const struct service_spec *s)
{
    const struct field_path *families = AT(spec, "ipFamilies");
    const bool *repeated = repeats(errors->arena, s->ip_families.items, s->ip_families.count);
    for (size_t i = 0; i < s->ip_families.count; i++) {
        str family = s->ip_families.items[i];
        rules_one_of(errors, AT_INDEX(families, i), family, STRS(S("IPv4"), S("IPv6")));
        if (repeated[i])
            field_duplicate(errors, AT_INDEX(families, i), TEXT(family));
    }
    if (s->ip_family_policy.p)
        rules_one_of(errors, AT(spec, "ipFamilyPolicy"), s->ip_family_policy,
                     STRS(S("SingleStack"), S("PreferDualStack"), S("RequireDualStack")));
}

/* False: there is one that is no address, and comparing them makes no sense. */
static bool check_each_cluster_ip(struct field_errors *errors, const struct field_path *path,
                                  const struct service_spec *s, const struct service *old)
{
    const struct str_array *ips = &s->cluster_ips;
    struct str_array was = sorted_strs(errors->arena, old ? &old->spec.cluster_ips : NULL);
    size_t before = errors->count;
    for (size_t i = 0; i < ips->count; i++) {
        if (i || !str_is(ips->items[i], "None"))
            check_ip(errors, AT_INDEX(path, i), ips->items[i], &was);
        else if (ips->count > 1)
            invalid_list(errors, path, ips, S("'None' must be the first and only value"));
    }
    bool all_fine = errors->count == before;
    if (ips->count > 2)
        invalid_list(errors, path, ips, S("may only hold up to 2 values"));
    return all_fine;
}

static void check_stacks(struct field_errors *errors, const struct field_path *path, const struct service *s)
{
    const struct str_array *ips = &s->spec.cluster_ips, *families = &s->spec.ip_families;
    bool v4 = false, v6 = false;
    for (size_t i = 0; i < ips->count; i++)
        *(is_ipv6(ips->items[i]) ? &v6 : &v4) = true;
    if (ips->count > 1 && !(v4 && v6))
        invalid_list(errors, path, ips, S("may specify no more than one IP for each IP family"));
    for (size_t i = 0; !is_headless(s) && i < size_min(ips->count, families->count); i++) {
        str want = families->items[i];
        bool fits = is_ipv6(ips->items[i]) ? !str_is(want, "IPv4") : !str_is(want, "IPv6");
        if (!fits)
            field_invalid(errors, AT_INDEX(path, i), TEXT(ips->items[i]),
                          RULES_F(errors, "expected an %" STR_FMT " value as indicated by `ipFamilies[%zu]`",
                                  STR_ARG(want), i));
    }
}

static void check_cluster_ips(struct field_errors *errors, const struct field_path *spec,
                              const struct service *s, const struct service *old)
{
    const struct field_path *path = AT(spec, "clusterIPs");
    const struct str_array *ips = &s->spec.cluster_ips;
    if (str_is(s->spec.type, "ExternalName"))
        return;
    if (s->spec.cluster_ip.n && ips->count == 0)
        field_required(errors, path, STR_NONE);
    else if (s->spec.cluster_ip.n && !str_eq(ips->items[0], s->spec.cluster_ip))
        invalid_list(errors, path, ips, S("first value must match `clusterIP`"));
    else if (s->spec.cluster_ip.n == 0 && ips->count)
        invalid_list(errors, path, ips, S("must be empty when `clusterIP` is not specified"));
    check_families(errors, spec, &s->spec);
    if (check_each_cluster_ip(errors, path, &s->spec, old))
        check_stacks(errors, path, s);
}

/* --- the rest of the spec --- */

static void check_external_ips(struct field_errors *errors, const struct field_path *spec,
                               const struct service *s, const struct service *old)
{
    const struct field_path *path = AT(spec, "externalIPs");
    struct str_array was = sorted_strs(errors->arena, old ? &old->spec.external_ips : NULL);
    for (size_t i = 0; i < s->spec.external_ips.count; i++) {
        str ip = s->spec.external_ips.items[i];
        size_t before = errors->count;
        check_ip(errors, AT_INDEX(path, i), ip, &was);
        if (errors->count == before)
            check_endpoint_ip(errors, AT_INDEX(path, i), ip);
    }
}

/* Which of the numbers, each with its protocol, were there before; 0 never was. */
static const bool *repeated_numbers(struct arena *a, const struct service_port_array *ports, bool of_nodes)
{
    str *keys = ARENA_ARRAY(a, str, ports->count);
    for (size_t i = 0; i < ports->count; i++) {
        const struct service_port *p = &ports->items[i];
        int32_t number = of_nodes ? p->node_port : p->port;
        keys[i] = of_nodes && number == 0 ? str_format(a, "%zu", i)
                                          : str_format(a, "%" STR_FMT "/%d", STR_ARG(p->protocol), number);
    }
    return repeats(a, keys, ports->count);
}

static void check_ports_differ(struct field_errors *errors, const struct field_path *path,
                               const struct service_port_array *ports)
{
    const bool *repeated = repeated_numbers(errors->arena, ports, true);
    for (size_t i = 0; i < ports->count; i++)
        if (repeated[i])
            field_duplicate(errors, AT(AT_INDEX(path, i), "nodePort"), NUMBER(ports->items[i].node_port));
    repeated = repeated_numbers(errors->arena, ports, false);
    for (size_t i = 0; i < ports->count; i++)
        if (repeated[i]) {
            /* Shown with what was compared only. */
            struct service_port compared = {.protocol = ports->items[i].protocol,
                                            .port = ports->items[i].port};
            struct json key = internal_json(errors->arena, VIEW_TYPE(service_port), &compared);
            field_duplicate(errors, AT_INDEX(path, i), &key);
        }
}

static struct str_array trimmed(struct arena *a, const struct str_array *list)
{
    str *items = ARENA_ARRAY(a, str, list->count);
    for (size_t i = 0; i < list->count; i++)
        items[i] = str_trim(list->items[i]);
    return (struct str_array){.items = items, .count = list->count};
}

/* The field, or the annotation that was there before it. Spaces around a range were always fine. */
static void check_source_ranges(struct field_errors *errors, const struct field_path *spec,
                                const struct service *s, const struct service *old)
{
    bool balanced = str_is(s->spec.type, "LoadBalancer");
    const str *annotated = rules_map_find(&s->metadata.annotations, S(SOURCE_RANGES));
    if (s->spec.load_balancer_source_ranges.count) {
        const struct field_path *path = AT(spec, "LoadBalancerSourceRanges");
        struct str_array ranges = trimmed(errors->arena, &s->spec.load_balancer_source_ranges),
                         before = {NULL, 0};
        if (old)
            before = trimmed(errors->arena, &old->spec.load_balancer_source_ranges);
        before = sorted_strs(errors->arena, &before);
        if (!balanced)
            field_forbidden(errors, path, S("may only be used when `type` is 'LoadBalancer'"));
        for (size_t i = 0; i < ranges.count; i++)
            check_cidr(errors, AT_INDEX(path, i), ranges.items[i], &before);
        return;
    }
    if (!annotated)
        return;
    const struct field_path *path = AT_KEY(AT(AT(NULL, "metadata"), "annotations"), S(SOURCE_RANGES));
    const str *was = old ? rules_map_find(&old->metadata.annotations, S(SOURCE_RANGES)) : NULL;
    str rest = str_trim(*annotated), range;
    if (!balanced)
        field_forbidden(errors, path, S("may only be used when `type` is 'LoadBalancer'"));
    if ((was && str_eq(*was, *annotated)) || rest.n == 0)
        return;
    while (str_next(&rest, ',', &range))
        check_cidr(errors, path, str_trim(range), NULL);
}

static void check_balancer(struct field_errors *errors, const struct field_path *spec,
                           const struct service_spec *s)
{
    bool balanced = str_is(s->type, "LoadBalancer");
    if (s->allocate_load_balancer_node_ports.is_set && !balanced)
        field_forbidden(errors, AT(spec, "allocateLoadBalancerNodePorts"),
                        S("may only be used when `type` is 'LoadBalancer'"));
    if (!s->allocate_load_balancer_node_ports.is_set && balanced)
        field_required(errors, AT(NULL, "allocateLoadBalancerNodePorts"), STR_NONE);
    if (s->load_balancer_class.p && balanced)
        rules_name(errors, AT(spec, "loadBalancerClass"), s->load_balancer_class, name_check_qualified);
    else if (s->load_balancer_class.p)
        field_forbidden(errors, AT(spec, "loadBalancerClass"),
                        S("may only be used when `type` is 'LoadBalancer'"));
}

static bool spec_is_external(const struct service_spec *s)
{
    return str_is(s->type, "NodePort") || str_is(s->type, "LoadBalancer") ||
           (str_is(s->type, "ClusterIP") && s->external_ips.count);
}

static bool needs_health_port(const struct service_spec *s)
{
    return str_is(s->type, "LoadBalancer") && str_is(s->external_traffic_policy, "Local");
}

static void check_traffic(struct field_errors *errors, const struct field_path *spec,
                          const struct service_spec *s)
{
    const struct field_path *policy = AT(spec, "externalTrafficPolicy"),
                            *health = AT(spec, "healthCheckNodePort");
    if (!spec_is_external(s)) {
        if (s->external_traffic_policy.n)
            field_invalid(errors, policy, TEXT(s->external_traffic_policy),
                          S("may only be set for externally-accessible services"));
    } else if (s->external_traffic_policy.n == 0) {
        field_required(errors, policy, STR_NONE);
    } else {
        rules_one_of(errors, policy, s->external_traffic_policy, STRS(S("Cluster"), S("Local")));
    }
    if (!needs_health_port(s) && s->health_check_node_port)
        field_invalid(
            errors, health, NUMBER(s->health_check_node_port),
            S("may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
    else if (needs_health_port(s) && s->health_check_node_port == 0)
        field_required(errors, health, STR_NONE);
    else if (needs_health_port(s))
        rules_range(errors, health, s->health_check_node_port, 1, 65535);
    if (s->internal_traffic_policy.p)
        rules_one_of(errors, AT(spec, "internalTrafficPolicy"), s->internal_traffic_policy,
                     STRS(S("Cluster"), S("Local")));
    else if (!str_is(s->type, "ExternalName"))
        field_required(errors, AT(spec, "internalTrafficPolicy"), STR_NONE);
    if (s->traffic_distribution.p)
        rules_one_of_in_order(errors, AT(spec, "trafficDistribution"), s->traffic_distribution,
                              STRS(S("PreferClose"), S("PreferSameZone"), S("PreferSameNode")));
}

static void check_topology_annotations(struct field_errors *errors, const struct service *s)
{
    const str *hints = rules_map_find(&s->metadata.annotations, S(TOPOLOGY_HINTS));
    const str *mode = rules_map_find(&s->metadata.annotations, S(TOPOLOGY_MODE));
    if (hints && mode && !str_eq(*hints, *mode))
        field_invalid(errors, AT_KEY(AT(AT(NULL, "metadata"), "annotations"), S(TOPOLOGY_MODE)), TEXT(*mode),
                      S("must match annotations[" TOPOLOGY_HINTS "] when both are specified"));
}

static void check_spec(struct field_errors *errors, const struct service *s, const struct service *old)
{
    const struct field_path *spec = AT(NULL, "spec"), *ports = AT(spec, "ports");
    check_topology_annotations(errors, s);
    if (s->spec.ports.count == 0 && !is_headless(s) && !str_is(s->spec.type, "ExternalName"))
        field_required(errors, ports, STR_NONE);
    check_of_type(errors, spec, s);
    check_ports(errors, ports, &s->spec.ports);
    rules_labels(errors, AT(spec, "selector"), &s->spec.selector);
    check_affinity(errors, spec, &s->spec);
    check_cluster_ips(errors, spec, s, old);
    check_external_ips(errors, spec, s, old);
    rules_one_of(errors, AT(spec, "type"), s->spec.type,
                 STRS(S("ClusterIP"), S("NodePort"), S("LoadBalancer"), S("ExternalName")));
    for (size_t i = 0; str_is(s->spec.type, "ClusterIP") && i < s->spec.ports.count; i++)
        if (s->spec.ports.items[i].node_port)
            field_forbidden(errors, AT(AT_INDEX(ports, i), "nodePort"),
                            S("may not be used when `type` is 'ClusterIP'"));
    check_ports_differ(errors, ports, &s->spec.ports);
    check_source_ranges(errors, spec, s, old);
    check_balancer(errors, spec, &s->spec);
    check_traffic(errors, spec, &s->spec);
}

/* --- status --- */

static void check_ingress(struct field_errors *errors, const struct field_path *path,
                          const struct load_balancer_ingress *i, const struct str_array *before)
{
    if (i->ip.n)
        check_ip(errors, AT(path, "ip"), i->ip, before);
    if (!i->ip_mode.p && i->ip.n)
        field_required(errors, AT(path, "ipMode"), S("must be specified when `ip` is set"));
    else if (i->ip_mode.p && i->ip.n == 0)
        field_forbidden(errors, AT(path, "ipMode"), S("may not be specified when `ip` is not set"));
    else if (i->ip_mode.p)
        rules_one_of(errors, AT(path, "ipMode"), i->ip_mode, STRS(S("Proxy"), S("VIP")));
    if (i->hostname.n)
        check_hostname(errors, AT(path, "hostname"), i->hostname);
}

static void check_status(struct field_errors *errors, const struct service *s, const struct service *old)
{
    const struct field_path *path = AT(AT(AT(NULL, "status"), "loadBalancer"), "ingress");
    const struct load_balancer_ingress_array *ingress = &s->status.load_balancer.ingress;
    struct str_array before = {NULL, 0};
    if (ingress->count && !str_is(s->spec.type, "LoadBalancer")) {
        field_forbidden(errors, path, S("may only be used when `spec.type` is 'LoadBalancer'"));
        return;
    }
    if (old) {
        const struct load_balancer_ingress_array *was = &old->status.load_balancer.ingress;
        str *items = ARENA_ARRAY(errors->arena, str, was->count);
        for (size_t i = 0; i < was->count; i++)
            items[i] = was->items[i].ip;
        before = (struct str_array){.items = items, .count = was->count};
    }
    before = sorted_strs(errors->arena, &before);
    for (size_t i = 0; i < ingress->count; i++)
        check_ingress(errors, AT_INDEX(path, i), &ingress->items[i], &before);
}

static void validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    if (str_is(in->subresource, "status"))
        check_status(errors, view, in->old);
    else
        check_spec(errors, view, in->old);
}

/* --- updates --- */

/* Addresses and families: the first one stays, a second may come, and go together with the policy. */
struct stacks {
    const char *field, *one;
    const struct str_array *now, *was;
};

static void check_stacks_stay(struct field_errors *errors, const struct field_path *spec,
                              const struct stacks *t, const struct service_spec *s)
{
    const struct field_path *path = AT_NAME(spec, str_from_c(t->field)), *first = AT_INDEX(path, 0);
    /* Where families changed the original shows the addresses. */
    const struct str_array *shown = t->was->count == t->now->count ? t->now : &s->cluster_ips;
    bool addresses = t->now == &s->cluster_ips;
    if (t->was->count == t->now->count) {
        for (size_t i = 0; i < t->now->count; i++)
            if (!str_eq(t->now->items[i], t->was->items[i]))
                invalid_list(errors, addresses ? AT_INDEX(path, i) : first, t->now,
                             S("may not change once set"));
        return;
    }
    if (t->was->count > t->now->count && s->cluster_ips.count == 0)
        invalid_list(errors, first, t->now, RULES_F(errors, "primary %s can not be unset", t->one));
    if (t->was->count && t->now->count && !str_eq(t->now->items[0], t->was->items[0]))
        invalid_list(errors, first, shown, S("may not change once set"));
    if (t->was->count > t->now->count && t->now->count == 1 && !str_is(s->ip_family_policy, "SingleStack")) {
        struct json policy = s->ip_family_policy.p ? json_of_str(s->ip_family_policy) : json_null();
        field_invalid(
            errors, AT(spec, "ipFamilyPolicy"), &policy,
            RULES_F(errors, "must be set to 'SingleStack' when releasing the secondary %s", t->one));
    }
}

static void validate_update(const struct rules_input *in, const void *view, const void *old_view,
                            struct field_errors *errors)
{
    const struct service *s = view, *old = old_view;
    const struct field_path *spec = AT(NULL, "spec");
    if (in->subresource.n)
        return;
    if (!str_is(s->spec.type, "ExternalName") && !str_is(old->spec.type, "ExternalName")) {
        bool now = is_headless(s), was = is_headless(old);
        struct stacks ips = {"clusterIPs", "clusterIP", &s->spec.cluster_ips, &old->spec.cluster_ips};
        struct stacks families = {"ipFamilies", "ipFamily", &s->spec.ip_families, &old->spec.ip_families};
        if (!now || !was)
            check_stacks_stay(errors, spec, &ips, &s->spec);
        if (!now && !was)
            check_stacks_stay(errors, spec, &families, &s->spec);
    }
    str class = s->spec.load_balancer_class, old_class = old->spec.load_balancer_class;
    if (str_is(s->spec.type, "LoadBalancer") && str_is(old->spec.type, "LoadBalancer") &&
        (!class.p != !old_class.p || !str_eq(class, old_class))) {
        struct json shown = class.p ? json_of_str(class) : json_null();
        field_invalid(errors, AT(spec, "loadBalancerClass"), &shown, S("may not change once set"));
    }
    if (needs_health_port(&s->spec) && needs_health_port(&old->spec) &&
        s->spec.health_check_node_port != old->spec.health_check_node_port)
        field_forbidden(errors, AT(spec, "healthCheckNodePort"), S("field is immutable"));
}

/* --- warnings --- */

static void warn_about_external_ips(const struct rules_input *in, const struct service *s, bool headless)
{
    const struct field_path *path = AT(AT(NULL, "spec"), "externalIPs");
    for (size_t i = 0; i < s->spec.external_ips.count; i++)
        warn_ip(in, AT_INDEX(path, i), s->spec.external_ips.items[i]);
    if (s->spec.external_ips.count && !headless && !str_is(s->spec.type, "ExternalName"))
        warn(in, "spec.externalIPs is deprecated and may no longer be implemented in some clusters");
}

static void warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct service *s = view;
    const struct field_path *spec = AT(NULL, "spec");
    bool headless = str_is(s->spec.type, "ClusterIP") && str_is(s->spec.cluster_ip, "None");
    if (in->subresource.n)
        return;
    if (rules_map_find(&s->metadata.annotations, S(TOPOLOGY_HINTS)))
        warn(in, "annotation %s is deprecated, please use %s instead", TOPOLOGY_HINTS, TOPOLOGY_MODE);
    for (size_t i = 0; s->spec.cluster_ip.n && !headless && i < s->spec.cluster_ips.count; i++)
        warn_ip(in, AT_INDEX(AT(spec, "clusterIPs"), i), s->spec.cluster_ips.items[i]);
    if (headless && s->spec.load_balancer_ip.n)
        warn(in, "spec.loadBalancerIP is ignored for headless services");
    if (headless && s->spec.external_ips.count)
        warn(in, "spec.externalIPs is ignored for headless services");
    if (headless && !str_is(s->spec.session_affinity, "None"))
        warn(in, "spec.SessionAffinity is ignored for headless services");
    warn_about_external_ips(in, s, headless);
    if (s->spec.load_balancer_ip.n)
        warn_ip(in, AT(spec, "loadBalancerIP"), s->spec.load_balancer_ip);
    for (size_t i = 0; i < s->spec.load_balancer_source_ranges.count; i++)
        warn_cidr(in, AT_INDEX(AT(spec, "loadBalancerSourceRanges"), i),
                  s->spec.load_balancer_source_ranges.items[i]);
    if (str_is(s->spec.type, "ExternalName") && s->spec.external_ips.count)
        warn(in, "spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    if (!str_is(s->spec.type, "ExternalName") && s->spec.external_name.n)
        warn(in, "spec.externalName is ignored when spec.type is not \"ExternalName\"");
    if (str_is(s->spec.traffic_distribution, "PreferClose"))
        warn(in, "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
}

const struct kind_rules service_rules = {.package = "core/v1",
                                         .kind = "Service",
                                         .defaults = defaults,
                                         .on_create = on_create,
                                         .on_update = on_update,
                                         .validate = validate,
                                         .validate_update = validate_update,
                                         .warnings = warnings};
