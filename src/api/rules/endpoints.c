/* endpoints.c - Endpoints and EndpointSlice: addresses that can be reached, ports with names of their own. */
#include "api/rules/checks.h"
#include "view/discovery_v1.h"

enum {
    ENDPOINTS_MAX = 1000,
    ADDRESSES_MAX = 100,
    PORTS_MAX = 20000,
    TOPOLOGY_MAX = 16,
    HINTS_MAX = 8,
};

static void check_protocol(struct field_errors *errors, const struct field_path *path, str protocol)
{
    if (protocol.n == 0)
        field_required(errors, path, STR_NONE);
    else
        rules_one_of(errors, path, protocol, STRS(S("TCP"), S("UDP"), S("SCTP")));
}

/* --- Endpoints --- */

static void check_address(struct field_errors *errors, const struct field_path *path,
                          const struct endpoint_address *a)
{
    check_ip(errors, AT(path, "ip"), a->ip, NULL);
    if (a->hostname.n)
        rules_name(errors, AT(path, "hostname"), a->hostname, name_check_dns1123_label);
    if (a->node_name.p)
        rules_name(errors, AT(path, "nodeName"), a->node_name, name_check_dns1123_subdomain);
    check_endpoint_ip(errors, AT(path, "ip"), a->ip);
}

static void check_port(struct field_errors *errors, const struct field_path *path,
                       const struct endpoint_port *p, bool needs_name)
{
    if (p->name.n)
        rules_name(errors, AT(path, "name"), p->name, name_check_dns1123_label);
    else if (needs_name)
        field_required(errors, AT(path, "name"), STR_NONE);
    rules_range(errors, AT(path, "port"), p->port, 1, 65535);
    check_protocol(errors, AT(path, "protocol"), p->protocol);
    if (p->app_protocol.p)
        rules_name(errors, AT(path, "appProtocol"), p->app_protocol, name_check_qualified);
}

static void check_subset(struct field_errors *errors, const struct field_path *path,
                         const struct endpoint_subset *s)
{
    if (s->addresses.count == 0 && s->not_ready_addresses.count == 0)
        field_required(errors, path, S("must specify `addresses` or `notReadyAddresses`"));
    for (size_t i = 0; i < s->addresses.count; i++)
        check_address(errors, AT_INDEX(AT(path, "addresses"), i), &s->addresses.items[i]);
    for (size_t i = 0; i < s->not_ready_addresses.count; i++)
        check_address(errors, AT_INDEX(AT(path, "notReadyAddresses"), i), &s->not_ready_addresses.items[i]);
    for (size_t i = 0; i < s->ports.count; i++)
        check_port(errors, AT_INDEX(AT(path, "ports"), i), &s->ports.items[i], s->ports.count > 1);
}

static bool same_subsets(struct arena *a, const struct endpoints *e, const struct endpoints *old)
{
    struct endpoints now = {.subsets = e->subsets}, was = {.subsets = old->subsets};
    return views_equal(a, VIEW_TYPE(endpoints), &now, &was);
}

static void validate_endpoints(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct endpoints *e = view;
    const struct field_path *subsets = AT(NULL, "subsets");
    size_t before = errors->count;
    for (size_t i = 0; i < e->subsets.count; i++)
        check_subset(errors, AT_INDEX(subsets, i), &e->subsets.items[i]);
    /* Looked at only now: there may be many, and they are rarely wrong. */
    if (errors->count != before && in->old && same_subsets(in->arena, e, in->old))
        errors->count = before;
}

static void warn_addresses(const struct rules_input *in, const struct field_path *path,
                           const struct endpoint_address_array *addresses)
{
    for (size_t i = 0; i < addresses->count; i++)
        warn_ip(in, AT(AT_INDEX(path, i), "ip"), addresses->items[i].ip);
}

static void warnings_of_endpoints(const struct rules_input *in, const void *view, const void *old)
{
    const struct endpoints *e = view;
    const struct field_path *subsets = AT(NULL, "subsets");
    for (size_t i = 0; i < e->subsets.count; i++) {
        warn_addresses(in, AT(AT_INDEX(subsets, i), "addresses"), &e->subsets.items[i].addresses);
        warn_addresses(in, AT(AT_INDEX(subsets, i), "notReadyAddresses"),
                       &e->subsets.items[i].not_ready_addresses);
    }
}

const struct kind_rules endpoints_rules = {.package = "core/v1",
                                           .kind = "Endpoints",
                                           .validate = validate_endpoints,
                                           .warnings = warnings_of_endpoints};

/* --- EndpointSlice --- */

static void on_create_slice(const struct rules_input *in, struct json *tree)
{
    struct json *endpoints = json_find(tree, S("endpoints"));
    for (size_t i = 0; i < json_count(endpoints); i++)
        json_remove(json_at(endpoints, i), S("deprecatedTopology"));
}

static void check_slice_ports(struct field_errors *errors, const struct field_path *path,
                              const struct slice_endpoint_port_array *ports)
{
    if (ports->count > PORTS_MAX) {
        field_too_many(errors, path, ports->count, PORTS_MAX);
        return;
    }
    str *names = ARENA_ARRAY(errors->arena, str, ports->count);
    for (size_t i = 0; i < ports->count; i++)
        names[i] = ports->items[i].name;
    const bool *repeated = repeats(errors->arena, names, ports->count);
    for (size_t i = 0; i < ports->count; i++) {
        const struct slice_endpoint_port *p = &ports->items[i];
        const struct field_path *at = AT_INDEX(path, i);
        if (p->name.n)
            rules_name(errors, AT(at, "name"), p->name, name_check_dns1123_label);
        if (repeated[i])
            field_duplicate(errors, AT(at, "name"), TEXT(p->name));
        check_protocol(errors, AT(at, "protocol"), p->protocol);
        if (p->app_protocol.p)
            rules_name(errors, AT(at, "appProtocol"), p->app_protocol, name_check_qualified);
    }
}

static void check_slice_address(struct field_errors *errors, const struct field_path *path, str type,
                                str address)
{
    bool v6 = str_is(type, "IPv6");
    if (str_is(type, "FQDN")) {
        if (str_ends(address, S(".")))
            address.n--;
        check_domain(errors, path, address, 2);
        return;
    }
    if (!v6 && !str_is(type, "IPv4"))
        return;
    size_t before = errors->count;
    check_ip(errors, path, address, NULL);
    if (errors->count != before)
        return;
    if (is_ipv6(address) != v6)
        field_invalid(errors, path, TEXT(address),
                      v6 ? S("must be an IPv6 address") : S("must be an IPv4 address"));
    check_endpoint_ip(errors, path, address);
}

static void check_hint_names(struct field_errors *errors, const struct field_path *path, const str *names,
                             size_t count, name_check_fn *check)
{
    if (count > HINTS_MAX) {
        field_too_many(errors, path, count, HINTS_MAX);
        return;
    }
    const bool *repeated = repeats(errors->arena, names, count);
    for (size_t i = 0; i < count; i++) {
        const struct field_path *name = AT(AT_INDEX(path, i), "name");
        if (repeated[i])
            field_duplicate(errors, name, TEXT(names[i]));
        rules_name(errors, name, names[i], check);
    }
}

static void check_hints(struct field_errors *errors, const struct field_path *path,
                        const struct slice_endpoint_hints *h)
{
    str *zones = ARENA_ARRAY(errors->arena, str, h->for_zones.count);
    str *nodes = ARENA_ARRAY(errors->arena, str, h->for_nodes.count);
    for (size_t i = 0; i < h->for_zones.count; i++)
        zones[i] = h->for_zones.items[i].name;
    for (size_t i = 0; i < h->for_nodes.count; i++)
        nodes[i] = h->for_nodes.items[i].name;
    check_hint_names(errors, AT(path, "forZones"), zones, h->for_zones.count, name_check_label_value);
    check_hint_names(errors, AT(path, "forNodes"), nodes, h->for_nodes.count, name_check_dns1123_subdomain);
}

static void check_endpoint(struct field_errors *errors, const struct field_path *path,
                           const struct slice_endpoint_slice *s, const struct slice_endpoint *e)
{
    const struct field_path *addresses = AT(path, "addresses"), *topology = AT(path, "deprecatedTopology");
    if (e->addresses.count == 0)
        field_required(errors, addresses, S("must contain at least 1 address"));
    else if (e->addresses.count > ADDRESSES_MAX)
        field_too_many(errors, addresses, e->addresses.count, ADDRESSES_MAX);
    for (size_t i = 0; i < e->addresses.count; i++)
        check_slice_address(errors, AT_INDEX(addresses, i), s->address_type, e->addresses.items[i]);
    if (e->node_name.p)
        rules_name(errors, AT(path, "nodeName"), e->node_name, name_check_dns1123_subdomain);
    if (e->deprecated_topology.count > TOPOLOGY_MAX)
        field_too_many(errors, topology, e->deprecated_topology.count, TOPOLOGY_MAX);
    rules_labels(errors, topology, &e->deprecated_topology);
    if (e->hostname.p)
        rules_name(errors, AT(path, "hostname"), e->hostname, name_check_dns1123_label);
    if (e->hints)
        check_hints(errors, AT(path, "hints"), e->hints);
}

static void check_endpoints(struct field_errors *errors, const struct slice_endpoint_slice *s)
{
    const struct field_path *path = AT(NULL, "endpoints");
    if (s->endpoints.count > ENDPOINTS_MAX) {
        field_too_many(errors, path, s->endpoints.count, ENDPOINTS_MAX);
        return;
    }
    for (size_t i = 0; i < s->endpoints.count; i++)
        check_endpoint(errors, AT_INDEX(path, i), s, &s->endpoints.items[i]);
}

static bool same_endpoints(struct arena *a, const struct slice_endpoint_slice *s,
                           const struct slice_endpoint_slice *old)
{
    struct slice_endpoint_slice now = {.endpoints = s->endpoints}, was = {.endpoints = old->endpoints};
    return views_equal(a, VIEW_TYPE(slice_endpoint_slice), &now, &was);
}

static void validate_slice(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct slice_endpoint_slice *s = view;
    check_slice_ports(errors, AT(NULL, "ports"), &s->ports);
    size_t before = errors->count;
    check_endpoints(errors, s);
    if (errors->count != before && in->old && same_endpoints(in->arena, s, in->old))
        errors->count = before;
}

static void warnings_of_slice(const struct rules_input *in, const void *view, const void *old)
{
    const struct slice_endpoint_slice *s = view;
    const struct field_path *endpoints = AT(NULL, "endpoints");
    for (size_t i = 0; i < s->endpoints.count && !str_is(s->address_type, "FQDN"); i++)
        for (size_t j = 0; j < s->endpoints.items[i].addresses.count; j++)
            warn_ip(in, AT_INDEX(AT(AT_INDEX(endpoints, i), "addresses"), j),
                    s->endpoints.items[i].addresses.items[j]);
}

const struct kind_rules endpoint_slice_rules = {.package = "discovery/v1",
                                                .kind = "EndpointSlice",
                                                .has_generation = true,
                                                .on_create = on_create_slice,
                                                .validate = validate_slice,
                                                .warnings = warnings_of_slice};
