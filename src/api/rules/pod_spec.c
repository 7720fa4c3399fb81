/* pod_spec.c - what a pod is asked to be, as a whole: in the order in which the original looks at it. */
#include "api/rules/internal_json.h"
#include "api/rules/pod_priv.h"
#include "base/vec.h"

enum {
    DNS_SERVERS_MAX = 3,
    DNS_SEARCHES_MAX = 32,
    DNS_SEARCH_SIZE_MAX = 2048,
    HOSTNAME_SIZE_MAX = 64,
};

static void optional_name(struct field_errors *errors, const struct field_path *path, str name,
                          name_check_fn *check)
{
    if (name.n)
        rules_name(errors, path, name, check);
}

/* A field that defaults are for, and that has few values. */
static void policy(struct field_errors *errors, const struct field_path *path, str value,
                   const str *supported, size_t supported_count)
{
    if (value.n == 0)
        field_required(errors, path, STR_NONE);
    else
        rules_one_of_in_order(errors, path, value, supported, supported_count);
}

/* --- claims to devices --- */

static void collect_claims(struct pod_check *c)
{
    struct arena *a = c->errors->arena;
    const struct pod_resource_claim_array *list = &c->spec->resource_claims;
    str *names = ARENA_ARRAY(a, str, list->count);
    size_t count = 0;
    c->claims.arena = a;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].name.n && name_map_add_name(&c->claims, list->items[i].name))
            names[count++] = list->items[i].name;
    strs_sort(names, count);
    str all = count ? str_join(a, names, count, S(", ")) : STR_NONE;
    c->claim_names = str_concat(a, S("must be one of the names in pod.spec.resourceClaims"),
                                count ? str_concat(a, S(": "), all) : S(" which is empty"));
}

static void resource_claim(struct pod_check *c, const struct field_path *path,
                           const struct pod_resource_claim *r, bool again)
{
    struct field_errors *errors = c->errors;
    if (r->name.n == 0)
        field_required(errors, AT(path, "name"), STR_NONE);
    else if (again)
        field_duplicate(errors, AT(path, "name"), TEXT(r->name));
    else
        rules_name(errors, AT(path, "name"), r->name, name_check_dns1123_label);
    bool claim = r->resource_claim_name.p, template = r->resource_claim_template_name.p;
    struct json shown = internal_json(errors->arena, VIEW_TYPE(pod_resource_claim), r);
    if (claim && template)
        field_invalid(
            errors, path, &shown,
            S("at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"));
    if (!claim && !template)
        field_invalid(errors, path, &shown,
                      S("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    if (claim)
        rules_name(errors, AT(path, "resourceClaimName"), r->resource_claim_name,
                   name_check_dns1123_subdomain);
    if (template)
        rules_name(errors, AT(path, "resourceClaimTemplateName"), r->resource_claim_template_name,
                   name_check_dns1123_subdomain);
}

static void resource_claims(struct pod_check *c, const struct field_path *path)
{
    const struct pod_resource_claim_array *list = &c->spec->resource_claims;
    struct name_map seen = {.arena = c->errors->arena};
    if (list->count && c->meta && rules_map_find(&c->meta->annotations, S("kubernetes.io/config.mirror")))
        field_forbidden(c->errors, &FIELD_PATH_OF_ROOT, S("static pods do not support resource claims"));
    for (size_t i = 0; i < list->count; i++)
        resource_claim(c, AT_INDEX(path, i), &list->items[i], !name_map_add_name(&seen, list->items[i].name));
}

/* --- network --- */

static void ports_of_host(struct pod_check *c, const struct field_path *path)
{
    const struct container_array *list = &c->spec->containers;
    for (size_t i = 0; c->spec->host_network && i < list->count; i++) {
        const struct field_path *ports = AT(AT_INDEX(path, i), "ports");
        for (size_t j = 0; j < list->items[i].ports.count; j++) {
            const struct container_port *p = &list->items[i].ports.items[j];
            /* A template need not say it: pods made of it will. */
            if (p->host_port != p->container_port && (c->meta || p->host_port))
                field_invalid(c->errors, AT(AT_INDEX(ports, j), "hostPort"), NUMBER(p->host_port),
                              S("must match `containerPort` when `hostNetwork` is true"));
        }
    }
}

static void dns_searches(struct field_errors *errors, const struct field_path *path,
                         const struct str_array *searches)
{
    struct json shown = rules_texts(errors->arena, searches);
    size_t size = searches->count ? searches->count - 1 : 0;
    for (size_t i = 0; i < searches->count; i++)
        size += searches->items[i].n;
    if (searches->count > DNS_SEARCHES_MAX)
        field_invalid(errors, path, &shown, S("must not have more than 32 search paths"));
    if (size > DNS_SEARCH_SIZE_MAX)
        field_invalid(errors, path, &shown,
                      S("must not have more than 2048 characters (including spaces) in the search list"));
    for (size_t i = 0; i < searches->count; i++) {
        str search = searches->items[i];
        if (str_is(search, "."))
            continue;
        if (str_ends(search, S(".")))
            search.n--;
        rules_name(errors, AT_INDEX(path, i), search, name_check_dns1123_subdomain_underscore);
    }
}

static void dns_config(struct pod_check *c, const struct field_path *path)
{
    const struct pod_dns_config *dns = c->spec->dns_config;
    struct field_errors *errors = c->errors;
    const struct field_path *servers = AT(path, "nameservers");
    bool none = str_is(c->spec->dns_policy, "None");
    if (!dns && none)
        field_required(errors, path, S("must provide `dnsConfig` when `dnsPolicy` is None"));
    else if (dns && none && dns->nameservers.count == 0)
        field_required(errors, servers,
                       S("must provide at least one DNS nameserver when `dnsPolicy` is None"));
    if (!dns || (none && dns->nameservers.count == 0))
        return;
    struct json shown = rules_texts(errors->arena, &dns->nameservers);
    if (dns->nameservers.count > DNS_SERVERS_MAX)
        field_invalid(errors, servers, &shown, S("must not have more than 3 nameservers"));
    for (size_t i = 0; i < dns->nameservers.count; i++)
        rules_ip(errors, AT_INDEX(servers, i), dns->nameservers.items[i], NULL);
    dns_searches(errors, AT(path, "searches"), &dns->searches);
    for (size_t i = 0; i < dns->options.count; i++)
        if (dns->options.items[i].name.n == 0)
            field_required(errors, AT_INDEX(AT(path, "options"), i), S("must not be empty"));
}

static void hostname_override(struct pod_check *c, const struct field_path *path)
{
    str name = c->spec->hostname_override;
    if (!name.p)
        return;
    if (c->spec->set_hostname_as_fqdn.value)
        field_forbidden(c->errors, path, S("may not be specified when setHostnameAsFQDN is true"));
    if (c->spec->host_network)
        field_forbidden(c->errors, path, S("may not be specified when hostNetwork is true"));
    if (name.n > HOSTNAME_SIZE_MAX)
        field_too_long(c->errors, path, HOSTNAME_SIZE_MAX);
    rules_name(c->errors, path, name, name_check_dns1123_subdomain);
}

static void host_aliases(struct pod_check *c, const struct field_path *path)
{
    for (size_t i = 0; i < c->spec->host_aliases.count; i++) {
        const struct host_alias *h = &c->spec->host_aliases.items[i];
        const struct field_path *at = AT_INDEX(path, i);
        rules_ip(c->errors, AT(at, "ip"), h->ip, NULL);
        for (size_t j = 0; j < h->hostnames.count; j++)
            rules_name(c->errors, AT_INDEX(AT(at, "hostnames"), j), h->hostnames.items[j],
                       name_check_dns1123_subdomain);
    }
}

/* --- gates --- */

static void gates(struct pod_check *c, const struct field_path *path)
{
    const struct pod_readiness_gate_array *readiness = &c->spec->readiness_gates;
    for (size_t i = 0; i < readiness->count; i++)
        rules_name(c->errors, AT(AT_INDEX(AT(path, "readinessGates"), i), "conditionType"),
                   readiness->items[i].condition_type, name_check_qualified);
    const struct pod_scheduling_gate_array *scheduling = &c->spec->scheduling_gates;
    struct name_map seen = {.arena = c->errors->arena};
    for (size_t i = 0; i < scheduling->count; i++) {
        const struct field_path *at = AT_INDEX(AT(path, "schedulingGates"), i);
        rules_name(c->errors, at, scheduling->items[i].name, name_check_qualified);
        if (!name_map_add_name(&seen, scheduling->items[i].name))
            field_duplicate(c->errors, at, TEXT(scheduling->items[i].name));
    }
}

/* --- files with variables --- */

static void files_of_container(struct pod_check *c, const struct field_path *path,
                               const struct container *container, const struct name_map *volumes)
{
    for (size_t i = 0; i < container->env.count; i++) {
        const struct env_var_source *from = container->env.items[i].value_from;
        if (!from || !from->file_key_ref)
            continue;
        str name = from->file_key_ref->volume_name;
        const struct field_path *at = AT(AT(AT(AT_INDEX(AT(path, "env"), i), "valueFrom"), "fileKeyRef"),
                                         "volumeName");
        const struct volume *v = name_map_find(volumes, name);
        if (!v)
            field_not_found(c->errors, at, TEXT(name));
        else if (!v->volume_source.empty_dir)
            field_invalid(c->errors, at, TEXT(name), S("referenced volume must be of type emptyDir"));
    }
}

/* They may name any volume, wrong as it may be; of two of a name the last. */
static void variable_files(struct pod_check *c, const struct field_path *path)
{
    const struct volume_array *list = &c->spec->volumes;
    struct name_map volumes = {.arena = c->errors->arena};
    for (size_t i = list->count; i-- > 0;)
        name_map_add(&volumes, list->items[i].name, &list->items[i]);
    struct container_walk w = {.spec = c->spec, .root = path};
    for (const struct container *container; (container = container_walk_next(&w));)
        files_of_container(c, &w.path, container, &volumes);
}

/* --- the whole --- */

static void containers(struct pod_check *c, const struct field_path *path)
{
    pod_containers_validate(c, AT(path, "containers"));
    pod_init_containers_validate(c, AT(path, "initContainers"));
    pod_ephemeral_containers_validate(c, AT(path, "ephemeralContainers"));
    pod_resources_validate(c, path);
}

static void names(struct pod_check *c, const struct field_path *path)
{
    const struct pod_spec *s = c->spec;
    struct opt_int64 deadline = s->active_deadline_seconds;
    optional_name(c->errors, AT(path, "serviceAccountName"), s->service_account_name,
                  name_check_dns1123_subdomain);
    optional_name(c->errors, AT(path, "nodeName"), s->node_name, name_check_dns1123_subdomain);
    if (deadline.is_set)
        rules_range(c->errors, AT(path, "activeDeadlineSeconds"), deadline.value, 1, INT32_MAX);
    optional_name(c->errors, AT(path, "hostname"), s->hostname, name_check_dns1123_label);
    optional_name(c->errors, AT(path, "subdomain"), s->subdomain, name_check_dns1123_label);
    pod_tolerations_validate(c->errors, AT(path, "tolerations"), &s->tolerations);
    host_aliases(c, AT(path, "hostAliases"));
    optional_name(c->errors, AT(path, "priorityClassName"), s->priority_class_name,
                  name_check_dns1123_subdomain);
    if (s->runtime_class_name.p)
        rules_name(c->errors, AT(path, "runtimeClassName"), s->runtime_class_name,
                   name_check_dns1123_subdomain);
    if (s->preemption_policy.p)
        policy(c->errors, AT(path, "preemptionPolicy"), s->preemption_policy,
               STRS(S("PreemptLowerPriority"), S("Never")));
}

void pod_spec_validate(struct pod_check *c, const struct field_path *path)
{
    const struct pod_spec *s = c->spec;
    c->volumes.arena = c->errors->arena;
    collect_claims(c);
    if (!s->termination_grace_period_seconds.is_set)
        field_required(c->errors, AT(path, "terminationGracePeriodSeconds"), STR_NONE);
    pod_volumes_validate(c, AT(path, "volumes"));
    resource_claims(c, AT(path, "resourceClaims"));
    containers(c, path);
    ports_of_host(c, AT(path, "containers"));
    policy(c->errors, AT(path, "restartPolicy"), s->restart_policy,
           STRS(S("Always"), S("OnFailure"), S("Never")));
    policy(c->errors, AT(path, "dnsPolicy"), s->dns_policy,
           STRS(S("ClusterFirstWithHostNet"), S("ClusterFirst"), S("Default"), S("None")));
    rules_labels(c->errors, AT(path, "nodeSelector"), &s->node_selector);
    pod_security_context_validate(c, AT(path, "securityContext"));
    pod_affinity_validate(c, AT(path, "affinity"));
    dns_config(c, AT(path, "dnsConfig"));
    gates(c, path);
    pod_spread_validate(c, AT(path, "topologySpreadConstraints"));
    pod_windows_host_process_validate(c, path);
    pod_host_users_validate(c, path);
    hostname_override(c, AT(path, "hostnameOverride"));
    names(c, path);
    pod_overhead_validate(c, AT(path, "overhead"));
    pod_os_validate(c, path);
    variable_files(c, path);
}

void pod_template_validate(const struct rules_input *in, const struct pod_template_spec *template,
                           const struct field_path *path, struct field_errors *errors)
{
    struct pod_check c = {.errors = errors, .spec = &template->spec};
    rules_labels(errors, AT(path, "labels"), &template->metadata.labels);
    rules_annotations(errors, AT(path, "annotations"), &template->metadata.annotations);
    pod_annotations_validate(errors, AT(path, "annotations"), &template->metadata.annotations,
                             &template->spec);
    pod_spec_validate(&c, AT(path, "spec"));
    pod_profiles_validate(errors, AT(path, "spec"), &template->metadata, &template->spec);
    if (template->spec.ephemeral_containers.count)
        field_forbidden(errors, AT(AT(path, "spec"), "ephemeralContainers"),
                        S("ephemeral containers not allowed in pod template"));
}
