/* ingress.c - Ingress and IngressClass: hosts that are names, paths that mean what they say, backends that can be found. */
#include "api/rules/checks.h"
#include "view/networking_v1.h"

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

enum { CONTROLLER_SIZE_MAX = 250 };

/* --- Ingress --- */

static void check_object(struct field_errors *errors, const struct field_path *path,
                         const struct typed_local_object_reference *o)
{
    if (o->api_group.p)
        rules_name(errors, AT(path, "apiGroup"), o->api_group, name_check_dns1123_subdomain);
    check_required_segment(errors, AT(path, "kind"), o->kind);
    check_required_segment(errors, AT(path, "name"), o->name);
}

static void check_service(struct field_errors *errors, const struct field_path *path,
                          const struct ingress_service_backend *s)
{
    const struct field_path *service = AT(path, "service"), *port = AT(service, "port");
    rules_name_required(errors, AT(service, "name"), s->name, name_check_dns1123_label);
    if (s->port.name.n && s->port.number)
        field_invalid(errors, path, TEXT(S("")), S("cannot set both port name & port number"));
    else if (s->port.name.n)
        rules_name(errors, AT(port, "name"), s->port.name, name_check_port_name);
    else if (s->port.number)
        rules_range(errors, AT(port, "number"), s->port.number, 1, 65535);
    else
        field_required(errors, path, S("port name or number is required"));
}

static void check_backend(struct field_errors *errors, const struct field_path *path,
                          const struct ingress_backend *b)
{
    if (b->resource && b->service)
        field_invalid(errors, path, TEXT(S("")), S("cannot set both resource and service backends"));
    else if (b->resource)
        check_object(errors, AT(path, "resource"), b->resource);
    else if (b->service)
        check_service(errors, path, b->service);
    else
        field_invalid(errors, path, TEXT(S("")), S("resource or service backend is required"));
}

/* What would let two paths look different and be the same. */
static void check_path_text(struct field_errors *errors, const struct field_path *path, str text)
{
    static const str inside[] = {S_INIT("//"), S_INIT("/./"), S_INIT("/../"), S_INIT("%2f"), S_INIT("%2F")};
    static const str at_end[] = {S_INIT("/.."), S_INIT("/.")};
    for (size_t i = 0; i < ARRAY_COUNT(inside); i++)
        if (str_contains(text, inside[i]))
            field_invalid(errors, path, TEXT(text),
                          RULES_F(errors, "must not contain '%" STR_FMT "'", STR_ARG(inside[i])));
    for (size_t i = 0; i < ARRAY_COUNT(at_end); i++)
        if (str_ends(text, at_end[i]))
            field_invalid(errors, path, TEXT(text),
                          RULES_F(errors, "cannot end with '%" STR_FMT "'", STR_ARG(at_end[i])));
}

static void check_path(struct field_errors *errors, const struct field_path *at,
                       const struct http_ingress_path *p)
{
    const struct field_path *path = AT(at, "path");
    bool exact = str_is(p->path_type, "Exact") || str_is(p->path_type, "Prefix");
    if (!p->path_type.p) {
        field_required(errors, AT(at, "pathType"), S("pathType must be specified"));
        return;
    }
    bool known = rules_one_of(errors, AT(at, "pathType"), p->path_type,
                              STRS(S("Exact"), S("Prefix"), S("ImplementationSpecific")));
    if (known && (exact || p->path.n) && !str_starts(p->path, S("/")))
        field_invalid(errors, path, TEXT(p->path), S("must be an absolute path"));
    if (exact)
        check_path_text(errors, path, p->path);
    check_backend(errors, AT(at, "backend"), &p->backend);
}

static void check_http(struct field_errors *errors, const struct field_path *path,
                       const struct http_ingress_rule_value *h)
{
    const struct field_path *paths = AT(path, "paths");
    if (h->paths.count == 0)
        field_required(errors, paths, STR_NONE);
    for (size_t i = 0; i < h->paths.count; i++)
        check_path(errors, AT_INDEX(paths, i), &h->paths.items[i]);
}

static bool is_wildcard(str host)
{
    return str_index_c(host, '*') != SIZE_MAX;
}

/* Rules of wildcard hosts were not looked at once; if the stored object has a wrong one, they are not now. */
static bool had_wrong_wildcard_rule(struct arena *a, const struct ingress *old)
{
    struct field_errors errors;
    field_errors_init(&errors, a);
    for (size_t i = 0; old && i < old->spec.rules.count; i++) {
        const struct ingress_rule *r = &old->spec.rules.items[i];
        if (is_wildcard(r->host) && r->ingress_rule_value.http)
            check_http(&errors, AT(NULL, "x"), r->ingress_rule_value.http);
    }
    return errors.count > 0;
}

static void check_host(struct field_errors *errors, const struct field_path *path, str host)
{
    rules_name(errors, path, host,
               is_wildcard(host) ? name_check_wildcard_subdomain : name_check_dns1123_subdomain);
}

static void check_rules(struct field_errors *errors, const struct field_path *path, const struct ingress *g,
                        const struct ingress *old)
{
    bool any_wildcard_rule = had_wrong_wildcard_rule(errors->arena, old);
    for (size_t i = 0; i < g->spec.rules.count; i++) {
        const struct ingress_rule *r = &g->spec.rules.items[i];
        const struct field_path *at = AT_INDEX(path, i), *host = AT(at, "host");
        if (is_ip(r->host))
            field_invalid(errors, host, TEXT(r->host), S("must be a DNS name, not an IP address"));
        if (r->host.n)
            check_host(errors, host, r->host);
        if (r->ingress_rule_value.http && !(is_wildcard(r->host) && any_wildcard_rule))
            check_http(errors, AT(at, "http"), r->ingress_rule_value.http);
    }
}

static bool had_odd_secret_name(const struct ingress *old)
{
    for (size_t i = 0; old && i < old->spec.tls.count; i++) {
        str name = old->spec.tls.items[i].secret_name;
        if (name.n && !name_check_dns1123_subdomain(name, NULL))
            return true;
    }
    return false;
}

static void check_tls(struct field_errors *errors, const struct field_path *path, const struct ingress *g,
                      const struct ingress *old)
{
    bool any_secret = had_odd_secret_name(old);
    for (size_t i = 0; i < g->spec.tls.count; i++) {
        const struct ingress_tls *t = &g->spec.tls.items[i];
        const struct field_path *hosts = AT(AT_INDEX(path, i), "hosts");
        for (size_t j = 0; j < t->hosts.count; j++)
            check_host(errors, AT_INDEX(hosts, j), t->hosts.items[j]);
        if (t->secret_name.n && !any_secret)
            rules_name(errors, AT(AT_INDEX(path, i), "secretName"), t->secret_name,
                       name_check_dns1123_subdomain);
    }
}

static void check_spec(struct field_errors *errors, const struct ingress *g, const struct ingress *old)
{
    const struct field_path *spec = AT(NULL, "spec");
    struct json none = json_null();
    if (g->spec.rules.count == 0 && !g->spec.default_backend)
        field_invalid(errors, spec, &none, S("either `defaultBackend` or `rules` must be specified"));
    if (g->spec.default_backend)
        check_backend(errors, AT(spec, "defaultBackend"), g->spec.default_backend);
    check_rules(errors, AT(spec, "rules"), g, old);
    check_tls(errors, AT(spec, "tls"), g, old);
    if (g->spec.ingress_class_name.p)
        rules_name(errors, AT(spec, "ingressClassName"), g->spec.ingress_class_name,
                   name_check_dns1123_subdomain);
}

static void check_status(struct field_errors *errors, const struct ingress *g, const struct ingress *old)
{
    const struct field_path *path = AT(AT(AT(NULL, "status"), "loadBalancer"), "ingress");
    size_t count = old ? old->status.load_balancer.ingress.count : 0;
    str *ips = ARENA_ARRAY(errors->arena, str, count);
    for (size_t i = 0; i < count; i++)
        ips[i] = old->status.load_balancer.ingress.items[i].ip;
    struct str_array before = sorted_strs(errors->arena, &(struct str_array){.items = ips, .count = count});
    for (size_t i = 0; i < g->status.load_balancer.ingress.count; i++) {
        const struct ingress_load_balancer_ingress *at = &g->status.load_balancer.ingress.items[i];
        if (at->ip.n)
            check_ip(errors, AT(AT_INDEX(path, i), "ip"), at->ip, &before);
        if (at->hostname.n)
            check_hostname(errors, AT(AT_INDEX(path, i), "hostname"), at->hostname);
    }
}

static void validate_ingress(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct ingress *g = view;
    if (str_is(in->subresource, "status")) {
        check_status(errors, g, in->old);
        return;
    }
    check_spec(errors, g, in->old);
    const str *annotated = rules_map_find(&g->metadata.annotations, S(CLASS_ANNOTATION));
    if (!in->old && annotated && g->spec.ingress_class_name.p &&
        !str_eq(*annotated, g->spec.ingress_class_name))
        field_invalid(errors, AT(AT(NULL, "annotations"), CLASS_ANNOTATION), TEXT(*annotated),
                      S("must match `ingressClassName` when both are specified"));
}

static void on_create(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
}

static void warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct ingress *g = view;
    if (!old && !g->spec.ingress_class_name.p &&
        rules_map_find(&g->metadata.annotations, S(CLASS_ANNOTATION)))
        warn(in, "annotation \"%s\" is deprecated, please use 'spec.ingressClassName' instead",
             CLASS_ANNOTATION);
}

const struct kind_rules ingress_rules = {.package = "networking/v1",
                                         .kind = "Ingress",
                                         .has_generation = true,
                                         .on_create = on_create,
                                         .validate = validate_ingress,
                                         .warnings = warnings};

/* --- IngressClass --- */

static void check_scope(struct field_errors *errors, const struct field_path *path,
                        const struct ingress_class_parameters_reference *p)
{
    const struct field_path *namespace = AT(path, "namespace");
    if (!p->scope.p) {
        field_required(errors, AT(path, "scope"), STR_NONE);
        return;
    }
    rules_one_of(errors, AT(path, "scope"), p->scope, STRS(S("Cluster"), S("Namespace")));
    if (str_is(p->scope, "Cluster") && p->namespace.p)
        field_forbidden(errors, namespace, S("`parameters.scope` is set to 'Cluster'"));
    if (!str_is(p->scope, "Namespace"))
        return;
    if (p->namespace.p)
        rules_name(errors, namespace, p->namespace, name_check_dns1123_label);
    else
        field_required(errors, namespace, S("`parameters.scope` is set to 'Namespace'"));
}

static void validate_class(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct ingress_class *c = view;
    const struct field_path *spec = AT(NULL, "spec"), *parameters = AT(spec, "parameters");
    const struct ingress_class_parameters_reference *p = c->spec.parameters;
    if (c->spec.controller.n > CONTROLLER_SIZE_MAX)
        field_too_long(errors, AT(spec, "controller"), CONTROLLER_SIZE_MAX);
    check_domain_path(errors, AT(spec, "controller"), c->spec.controller);
    if (!p)
        return;
    if (p->api_group.p)
        rules_name(errors, AT(parameters, "apiGroup"), p->api_group, name_check_dns1123_subdomain);
    check_required_segment(errors, AT(parameters, "kind"), p->kind);
    check_required_segment(errors, AT(parameters, "name"), p->name);
    check_scope(errors, parameters, p);
}

const struct kind_rules ingress_class_rules = {
    .package = "networking/v1", .kind = "IngressClass", .has_generation = true, .validate = validate_class};
