/* networking.c - NetworkPolicy, and what addresses of services are given out of: IPAddress and ServiceCIDR. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "view/networking_v1.h"

/* --- NetworkPolicy --- */

static void default_policy_types(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec"));
    if (!spec || json_count(json_find(spec, S("policyTypes"))))
        return;
    struct json types = json_array();
    json_append(in->arena, &types, json_of_str(S("Ingress")));
    if (json_count(json_find(spec, S("egress"))))
        json_append(in->arena, &types, json_of_str(S("Egress")));
    json_set(in->arena, spec, S("policyTypes"), types);
}

/* How much of what was wrong before may stay. */
struct policy_check {
    struct field_errors *errors;
    struct str_array cidrs_before; /* sorted */
    unsigned selector_flags;
};

static void check_policy_port(const struct policy_check *c, const struct field_path *path,
                              const struct network_policy_port *p)
{
    const struct field_path *end = AT(path, "endPort");
    bool named = p->port && p->port->type == INT_OR_STRING_STRING;
    if (p->protocol.p)
        rules_one_of_in_order(c->errors, AT(path, "protocol"), p->protocol,
                              STRS(S("TCP"), S("UDP"), S("SCTP")));
    if (!p->port && p->end_port.is_set)
        field_invalid(c->errors, end, NUMBER(p->end_port.value),
                      S("may not be specified when `port` is not specified"));
    if (named && p->end_port.is_set)
        field_invalid(c->errors, end, NUMBER(p->end_port.value),
                      S("may not be specified when `port` is non-numeric"));
    if (p->port)
        rules_port(c->errors, AT(path, "port"), p->port);
    if (!p->port || named || !p->end_port.is_set)
        return;
    if (p->end_port.value < p->port->number)
        field_invalid(c->errors, end, NUMBER(p->end_port.value),
                      S("must be greater than or equal to `port`"));
    rules_range(c->errors, end, p->end_port.value, 1, 65535);
}

static void check_block(const struct policy_check *c, const struct field_path *path, const struct ip_block *b)
{
    struct cidr outer, inner;
    if (b->cidr.n == 0) {
        field_required(c->errors, AT(path, "cidr"), STR_NONE);
        return;
    }
    check_cidr(c->errors, AT(path, "cidr"), b->cidr, &c->cidrs_before);
    if (!cidr_parse(b->cidr, &outer, NULL))
        return;
    for (size_t i = 0; i < b->except.count; i++) {
        const struct field_path *except = AT_INDEX(AT(path, "except"), i);
        check_cidr(c->errors, except, b->except.items[i], &c->cidrs_before);
        if (!cidr_parse(b->except.items[i], &inner, NULL))
            continue;
        struct ip first = cidr_first(&inner);
        if (!cidr_contains(&outer, &first) || cidr_prefix(&outer) >= cidr_prefix(&inner))
            field_invalid(c->errors, except, TEXT(b->except.items[i]),
                          S("must be a strict subset of `cidr`"));
    }
}

static void check_peer(const struct policy_check *c, const struct field_path *path,
                       const struct network_policy_peer *p)
{
    bool selects = p->pod_selector || p->namespace_selector;
    rules_label_selector_with(c->errors, AT(path, "podSelector"), p->pod_selector, c->selector_flags);
    rules_label_selector_with(c->errors, AT(path, "namespaceSelector"), p->namespace_selector,
                              c->selector_flags);
    if (p->ip_block)
        check_block(c, AT(path, "ipBlock"), p->ip_block);
    if (!selects && !p->ip_block)
        field_required(c->errors, path, S("must specify a peer"));
    else if (selects && p->ip_block)
        field_forbidden(c->errors, path, S("may not specify both ipBlock and another peer"));
}

static void check_direction(const struct policy_check *c, const struct field_path *path,
                            const struct network_policy_port_array *ports, const char *peers_name,
                            const struct network_policy_peer_array *peers)
{
    for (size_t i = 0; i < ports->count; i++)
        check_policy_port(c, AT_INDEX(AT(path, "ports"), i), &ports->items[i]);
    for (size_t i = 0; i < peers->count; i++)
        check_peer(c, AT_INDEX(AT_NAME(path, str_from_c(peers_name)), i), &peers->items[i]);
}

static size_t add_cidrs(str *to, size_t count, const struct network_policy_peer_array *peers)
{
    for (size_t i = 0; i < peers->count; i++) {
        const struct ip_block *b = peers->items[i].ip_block;
        if (to && b)
            to[count] = b->cidr;
        for (size_t j = 0; to && b && j < b->except.count; j++)
            to[count + 1 + j] = b->except.items[j];
        count += b ? 1 + b->except.count : 0;
    }
    return count;
}

static size_t all_cidrs(str *to, const struct network_policy_spec *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->ingress.count; i++)
        count = add_cidrs(to, count, &s->ingress.items[i].from);
    for (size_t i = 0; i < s->egress.count; i++)
        count = add_cidrs(to, count, &s->egress.items[i].to);
    return count;
}

/* A rule may have moved, so any range of the stored policy is fine anywhere in the new one. */
static struct str_array cidrs_of(struct arena *a, const struct network_policy_spec *s)
{
    size_t count = all_cidrs(NULL, s);
    str *items = ARENA_ARRAY(a, str, count);
    all_cidrs(items, s);
    return sorted_strs(a, &(struct str_array){.items = items, .count = count});
}

static void check_policy_types(struct field_errors *errors, const struct field_path *path,
                               const struct str_array *types)
{
    struct json shown = rules_texts(errors->arena, types);
    if (types->count > 2) {
        field_invalid(errors, path, &shown, S("may not specify more than two policyTypes"));
        return;
    }
    for (size_t i = 0; i < types->count; i++)
        rules_one_of_in_order(errors, AT_INDEX(path, i), types->items[i], STRS(S("Ingress"), S("Egress")));
}

static void validate_policy(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct network_policy *p = view, *old = in->old;
    const struct field_path *spec = AT(NULL, "spec");
    struct policy_check c = {.errors = errors};
    if (old) {
        c.cidrs_before = cidrs_of(in->arena, &old->spec);
        c.selector_flags = label_selector_is_valid(in->arena, &old->spec.pod_selector) ? 0 : RULES_ANY_VALUES;
    }
    rules_label_selector_with(errors, AT(spec, "podSelector"), &p->spec.pod_selector, c.selector_flags);
    for (size_t i = 0; i < p->spec.ingress.count; i++)
        check_direction(&c, AT_INDEX(AT(spec, "ingress"), i), &p->spec.ingress.items[i].ports, "from",
                        &p->spec.ingress.items[i].from);
    for (size_t i = 0; i < p->spec.egress.count; i++)
        check_direction(&c, AT_INDEX(AT(spec, "egress"), i), &p->spec.egress.items[i].ports, "to",
                        &p->spec.egress.items[i].to);
    check_policy_types(errors, AT(spec, "policyTypes"), &p->spec.policy_types);
}

static void warn_peers(const struct rules_input *in, const struct field_path *path,
                       const struct network_policy_peer_array *peers)
{
    for (size_t i = 0; i < peers->count; i++) {
        const struct ip_block *b = peers->items[i].ip_block;
        const struct field_path *block = AT(AT_INDEX(path, i), "ipBlock");
        if (b)
            warn_cidr(in, AT(block, "cidr"), b->cidr);
        for (size_t j = 0; b && j < b->except.count; j++)
            warn_cidr(in, AT_INDEX(AT(block, "except"), j), b->except.items[j]);
    }
}

static void warn_policy(const struct rules_input *in, const void *view, const void *old)
{
    const struct network_policy *p = view;
    const struct field_path *spec = AT(NULL, "spec");
    for (size_t i = 0; i < p->spec.ingress.count; i++)
        warn_peers(in, AT(AT_INDEX(AT(spec, "ingress"), i), "from"), &p->spec.ingress.items[i].from);
    for (size_t i = 0; i < p->spec.egress.count; i++)
        warn_peers(in, AT(AT_INDEX(AT(spec, "egress"), i), "to"), &p->spec.egress.items[i].to);
}

const struct kind_rules network_policy_rules = {.package = "networking/v1",
                                                .kind = "NetworkPolicy",
                                                .has_generation = true,
                                                .defaults = default_policy_types,
                                                .validate = validate_policy,
                                                .warnings = warn_policy};

/* --- IPAddress --- */

static void validate_address(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct ip_address *a = view;
    const struct parent_reference *p = a->spec.parent_ref;
    const struct field_path *parent = AT(AT(NULL, "spec"), "parentRef");
    if (in->old) /* neither the name nor the parent can have changed */
        return;
    check_canonical_ip(errors, AT(AT(NULL, "metadata"), "name"), a->metadata.name);
    if (!p) {
        field_required(errors, parent, STR_NONE);
        return;
    }
    if (p->group.n)
        rules_name(errors, AT(parent, "group"), p->group, name_check_dns1123_subdomain);
    check_required_segment(errors, AT(parent, "resource"), p->resource);
    check_required_segment(errors, AT(parent, "name"), p->name);
    if (p->namespace.n)
        rules_name(errors, AT(parent, "namespace"), p->namespace, name_check_path_segment);
}

static void validate_address_update(const struct rules_input *in, const void *view, const void *old_view,
                                    struct field_errors *errors)
{
    const struct ip_address *a = view, *old = old_view;
    check_same_internal(errors, AT(AT(NULL, "spec"), "parentRef"), VIEW_TYPE(parent_reference),
                        a->spec.parent_ref, old->spec.parent_ref);
}

const struct kind_rules ip_address_rules = {.package = "networking/v1",
                                            .kind = "IPAddress",
                                            .validate = validate_address,
                                            .validate_update = validate_address_update};

/* --- ServiceCIDR --- */

static void drop_status(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
}

static void check_ranges(struct field_errors *errors, const struct field_path *path,
                         const struct service_cidr_spec *s)
{
    struct cidr c[2];
    if (s->cidrs.count == 0) {
        field_required(errors, path, S("at least one CIDR required"));
        return;
    }
    if (s->cidrs.count > 2) {
        struct json shown = internal_json(errors->arena, VIEW_TYPE(service_cidr_spec), s);
        field_invalid(errors, path, &shown, S("may only hold up to 2 values"));
        return;
    }
    for (size_t i = 0; i < s->cidrs.count; i++)
        check_canonical_cidr(errors, AT_INDEX(path, i), s->cidrs.items[i]);
    if (s->cidrs.count == 2 && cidr_parse(s->cidrs.items[0], &c[0], NULL) &&
        cidr_parse(s->cidrs.items[1], &c[1], NULL) && cidr_is_v4(&c[0]) == cidr_is_v4(&c[1])) {
        struct json shown = rules_texts(errors->arena, &s->cidrs);
        field_invalid(
            errors, path, &shown,
            S("may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"));
    }
}

static void validate_ranges(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct service_cidr *s = view;
    if (!in->old)
        check_ranges(errors, AT(AT(NULL, "spec"), "cidrs"), &s->spec);
}

/* Nothing changes but that a range of the other family may come. */
static void validate_ranges_update(const struct rules_input *in, const void *view, const void *old_view,
                                   struct field_errors *errors)
{
    const struct service_cidr *s = view, *old = old_view;
    const struct field_path *path = AT(AT(NULL, "spec"), "cidrs");
    const struct str_array *now = &s->spec.cidrs, *was = &old->spec.cidrs;
    bool one_more = was->count == 1 && now->count == 2;
    if (str_is(in->subresource, "status"))
        return;
    if (was->count != now->count && !one_more) {
        struct json shown = rules_texts(errors->arena, now);
        field_invalid(errors, path, &shown, S("field is immutable"));
        return;
    }
    for (size_t i = 0; i < was->count; i++)
        check_same_text(errors, AT_INDEX(path, i), now->items[i], was->items[i]);
    if (one_more)
        check_ranges(errors, path, &s->spec);
}

const struct kind_rules service_cidr_rules = {.package = "networking/v1",
                                              .kind = "ServiceCIDR",
                                              .on_create = drop_status,
                                              .validate = validate_ranges,
                                              .validate_update = validate_ranges_update};
