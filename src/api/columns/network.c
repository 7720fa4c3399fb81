/* network.c - services and where they lead: endpoints, ingresses, addresses. */
#include "api/columns/columns.h"
#include <inttypes.h>

enum { SHOWN_MAX = 3 };

/* --- services --- */

void column_service_cluster_ip(struct row *r, const struct service_spec *s)
{
    cell_or(r, s->cluster_ips.count ? s->cluster_ips.items[0] : STR_NONE, S("<none>"));
}

/* What load balancers answered with, by address or else by name: sorted, each once. */
static struct text_set ingress_points(struct row *r, const struct load_balancer_ingress_array *ingress)
{
    struct text_set set = {.items = ARENA_ARRAY(r->arena, str, ingress->count)};
    for (size_t i = 0; i < ingress->count; i++) {
        const struct load_balancer_ingress *p = &ingress->items[i];
        if (p->ip.n || p->hostname.n)
            set.items[set.count++] = p->ip.n ? p->ip : p->hostname;
    }
    text_set_sort(&set);
    return set;
}

static void load_balanced(struct row *r, const struct service *s)
{
    struct text_set points = ingress_points(r, &s->status.load_balancer.ingress);
    const struct str_array *more = &s->spec.external_ips;
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < points.count; i++)
        cell_item(b, i, S(","), points.items[i]);
    for (size_t i = 0; i < more->count; i++)
        cell_item(b, points.count + i, S(","), more->items[i]);
    cell_end(r, S("<pending>"));
}

void column_service_external_ip(struct row *r, const struct service *s)
{
    if (str_is(s->spec.type, "LoadBalancer"))
        load_balanced(r, s);
    else if (str_is(s->spec.type, "ClusterIP") || str_is(s->spec.type, "NodePort"))
        column_texts_or_none(r, &s->spec.external_ips);
    else if (str_is(s->spec.type, "ExternalName"))
        cell(r, s->spec.external_name);
    else
        cell(r, S("<unknown>"));
}

void column_service_ports(struct row *r, const struct service_spec *s)
{
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < s->ports.count; i++) {
        const struct service_port *p = &s->ports.items[i];
        cell_item(b, i, S(","), STR_NONE);
        buf_add_i64(b, p->port);
        if (p->node_port > 0) {
            buf_add_c(b, ':');
            buf_add_i64(b, p->node_port);
        }
        buf_add_c(b, '/');
        buf_add(b, p->protocol);
    }
    cell_end(r, S("<none>"));
}

/* --- endpoints --- */

/* `port` NULL: a service without any. */
static void add_endpoint(struct buf *b, str ip, const struct endpoint_port *port)
{
    bool is_v6 = port && str_index_c(ip, ':') < ip.n;
    if (is_v6)
        buf_add_c(b, '[');
    buf_add(b, ip);
    if (is_v6)
        buf_add_c(b, ']');
    if (port) {
        buf_add_c(b, ':');
        buf_add_i64(b, port->port);
    }
}

void column_endpoints_endpoints(struct row *r, const struct endpoints *e)
{
    size_t count = 0, shown = 0;
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < e->subsets.count; i++) {
        const struct endpoint_subset *s = &e->subsets.items[i];
        size_t times = s->ports.count ? s->ports.count : 1;
        count += times * s->addresses.count;
        for (size_t n = 0; n < times && shown < SHOWN_MAX; n++)
            for (size_t k = 0; k < s->addresses.count && shown < SHOWN_MAX; k++) {
                cell_item(b, shown++, S(","), STR_NONE);
                add_endpoint(b, s->addresses.items[k].ip, s->ports.count ? &s->ports.items[n] : NULL);
            }
    }
    cell_more(b, count, SHOWN_MAX);
    cell_end(r, e->subsets.count ? STR_NONE : S("<none>"));
}

void column_endpoint_slice_ports(struct row *r, const struct slice_endpoint_slice *s)
{
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < s->ports.count && i < SHOWN_MAX; i++) {
        const struct slice_endpoint_port *p = &s->ports.items[i];
        cell_item(b, i, S(","), STR_NONE);
        if (p->port.is_set)
            buf_add_i64(b, p->port.value);
        else
            buf_add(b, p->name.p ? p->name : S("*"));
    }
    cell_more(b, s->ports.count, SHOWN_MAX);
    cell_end(r, S("<unset>"));
}

void column_endpoint_slice_endpoints(struct row *r, const struct slice_endpoint_slice *s)
{
    size_t count = 0;
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < s->endpoints.count; i++) {
        const struct str_array *addresses = &s->endpoints.items[i].addresses;
        for (size_t k = 0; k < addresses->count; k++, count++)
            if (count < SHOWN_MAX)
                cell_item(b, count, S(","), addresses->items[k]);
    }
    cell_more(b, count, SHOWN_MAX);
    cell_end(r, S("<unset>"));
}

/* --- ingresses --- */

void column_ingress_hosts(struct row *r, const struct ingress_spec *s)
{
    size_t shown = 0, at = 0;
    struct buf *b = cell_begin(r);
    for (; at < s->rules.count && shown < SHOWN_MAX; at++)
        if (s->rules.items[at].host.n)
            cell_item(b, shown++, S(","), s->rules.items[at].host);
    /* As the original counts: rules without a host are among those left out, wherever they stand. */
    if (at < s->rules.count)
        cell_more(b, s->rules.count, SHOWN_MAX);
    cell_end(r, S("*"));
}

void column_ingress_address(struct row *r, const struct ingress_status *s)
{
    const struct ingress_load_balancer_ingress_array *ingress = &s->load_balancer.ingress;
    struct text_set points = {.items = ARENA_ARRAY(r->arena, str, ingress->count)};
    for (size_t i = 0; i < ingress->count; i++) {
        const struct ingress_load_balancer_ingress *p = &ingress->items[i];
        if (p->ip.n || p->hostname.n)
            points.items[points.count++] = p->ip.n ? p->ip : p->hostname;
    }
    text_set_sort(&points);
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < points.count; i++)
        cell_item(b, i, S(","), points.items[i]);
    cell_end(r, STR_NONE);
}

void column_ingress_ports(struct row *r, const struct ingress_spec *s)
{
    cell(r, s->tls.count ? S("80, 443") : S("80"));
}

void column_ingress_class_name(struct row *r, const struct object_meta *meta)
{
    cell_name_of_class(r, meta, annotation_is_true(meta, S("ingressclass.kubernetes.io/is-default-class")));
}

void column_ingress_class_parameters(struct row *r, const struct ingress_class_spec *s)
{
    const struct ingress_class_parameters_reference *p = s->parameters;
    struct buf *b = cell_begin(r);
    if (p) {
        buf_add(b, p->kind);
        if (p->api_group.p) {
            buf_add_c(b, '.');
            buf_add(b, p->api_group);
        }
        buf_add_c(b, '/');
        buf_add(b, p->name);
    }
    cell_end(r, S("<none>"));
}

/* "services/default/web", "gateways.example.com/web" */
void column_ip_address_parent_ref(struct row *r, const struct ip_address_spec *s)
{
    const struct parent_reference *p = s->parent_ref;
    struct buf *b = cell_begin(r);
    if (p) {
        buf_add(b, str_lower(r->arena, p->resource));
        if (p->group.n) {
            buf_add_c(b, '.');
            buf_add(b, str_lower(r->arena, p->group));
        }
        if (p->namespace.n) {
            buf_add_c(b, '/');
            buf_add(b, p->namespace);
        }
        buf_add_c(b, '/');
        buf_add(b, p->name);
    }
    cell_end(r, S("<none>"));
}
