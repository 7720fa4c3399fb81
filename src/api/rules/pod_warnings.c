/* pod_warnings.c - what is allowed in a pod and hardly meant. */
#include "api/rules/checks.h"
#include "api/rules/pod_priv.h"
#include "base/vec.h"
#include "view/meta_v1.h"

/* Of pairs that are compared: more than anybody means, so that what is left out is no loss. */
enum { COMPARISONS_MAX = 1 << 20 };

struct pod_warner {
    const struct rules_input *in;
    const struct field_path *path, *spec_path; /* of the template, NULL: a pod; of its spec */
    const struct object_meta *meta;
    const struct pod_spec *spec;
};

#define WARN(w, at, fmt, ...) \
    warn((w)->in, "%" STR_FMT ": " fmt, STR_ARG(field_path_format((w)->in->arena, (at))), ##__VA_ARGS__)

/* As Go prints text with %q. */
static str quoted(const struct pod_warner *w, str text)
{
    struct buf b;
    buf_init_arena(&b, w->in->arena, 1 << 16);
    json_print_str(&b, text, 0);
    return buf_str(&b);
}

/* --- where pods run --- */

static const char *label_advice(str key)
{
    static const struct {
        const char *key, *advice;
    } old[] = {
        {"beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
        {"beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"},
        {"beta.kubernetes.io/instance-type",
         "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"},
        {"failure-domain.beta.kubernetes.io/region",
         "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"},
        {"failure-domain.beta.kubernetes.io/zone",
         "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(old); i++)
        if (str_eq(key, str_from_c(old[i].key)))
            return old[i].advice;
    return NULL;
}

static void node_term(const struct pod_warner *w, const struct field_path *path,
                      const struct node_selector_term *t, bool check_values)
{
    for (size_t i = 0; i < t->match_expressions.count; i++) {
        const struct node_selector_requirement *r = &t->match_expressions.items[i];
        const struct field_path *at = AT_INDEX(AT(path, "matchExpressions"), i);
        const char *advice = label_advice(r->key);
        if (advice)
            WARN(w, AT(at, "key"), "%" STR_FMT " is %s", STR_ARG(r->key), advice);
        for (size_t j = 0; check_values && j < r->values.count; j++) {
            struct name_errors wrong = {.count = 0};
            name_check_label_value(r->values.items[j], &wrong);
            for (unsigned k = 0; k < wrong.count; k++)
                WARN(w, AT_INDEX(AT(at, "values"), j), "%" STR_FMT " is invalid, %" STR_FMT,
                     STR_ARG(r->values.items[j]), STR_ARG(wrong.reasons[k]));
        }
    }
}

static void nodes(const struct pod_warner *w)
{
    const struct pod_spec *s = w->spec;
    for (size_t i = 0; i < s->node_selector.count; i++) {
        const char *advice = label_advice(s->node_selector.items[i].key);
        if (advice)
            WARN(w, AT_KEY(AT(w->spec_path, "nodeSelector"), s->node_selector.items[i].key), "%s", advice);
    }
    const struct node_affinity *n = s->affinity ? s->affinity->node_affinity : NULL;
    const struct field_path *path = AT(AT(w->spec_path, "affinity"), "nodeAffinity");
    const struct node_selector *required = n ? n->required_during_scheduling_ignored_during_execution : NULL;
    for (size_t i = 0; required && i < required->node_selector_terms.count; i++)
        node_term(
            w,
            AT_INDEX(AT(AT(path, "requiredDuringSchedulingIgnoredDuringExecution"), "nodeSelectorTerms"), i),
            &required->node_selector_terms.items[i], false);
    for (size_t i = 0; n && i < n->preferred_during_scheduling_ignored_during_execution.count; i++)
        node_term(w,
                  AT(AT_INDEX(AT(path, "preferredDuringSchedulingIgnoredDuringExecution"), i), "preference"),
                  &n->preferred_during_scheduling_ignored_during_execution.items[i].preference, true);
}

static void null_selector(const struct pod_warner *w, const struct field_path *path,
                          const struct label_selector *s)
{
    if (!s)
        WARN(w, AT(path, "labelSelector"), "a null labelSelector results in matching no pod");
}

static void spreading(const struct pod_warner *w)
{
    const struct topology_spread_constraint_array *list = &w->spec->topology_spread_constraints;
    for (size_t i = 0; i < list->count; i++) {
        const struct field_path *at = AT_INDEX(AT(w->spec_path, "topologySpreadConstraints"), i);
        const char *advice = label_advice(list->items[i].topology_key);
        if (advice)
            WARN(w, AT(at, "topologyKey"), "%" STR_FMT " is %s", STR_ARG(list->items[i].topology_key),
                 advice);
        null_selector(w, at, list->items[i].label_selector);
    }
}

static void pod_terms(const struct pod_warner *w, const struct field_path *path,
                      const struct pod_affinity_term_array *required,
                      const struct weighted_pod_affinity_term_array *preferred)
{
    for (size_t i = 0; i < required->count; i++)
        null_selector(w, AT_INDEX(AT(path, "requiredDuringSchedulingIgnoredDuringExecution"), i),
                      required->items[i].label_selector);
    for (size_t i = 0; i < preferred->count; i++)
        null_selector(
            w,
            AT(AT_INDEX(AT(path, "preferredDuringSchedulingIgnoredDuringExecution"), i), "podAffinityTerm"),
            preferred->items[i].pod_affinity_term.label_selector);
}

static void other_pods(const struct pod_warner *w)
{
    const struct affinity *a = w->spec->affinity;
    const struct field_path *path = AT(w->spec_path, "affinity");
    if (a && a->pod_affinity)
        pod_terms(w, AT(path, "podAffinity"),
                  &a->pod_affinity->required_during_scheduling_ignored_during_execution,
                  &a->pod_affinity->preferred_during_scheduling_ignored_during_execution);
    if (a && a->pod_anti_affinity)
        pod_terms(w, AT(path, "podAntiAffinity"),
                  &a->pod_anti_affinity->required_during_scheduling_ignored_during_execution,
                  &a->pod_anti_affinity->preferred_during_scheduling_ignored_during_execution);
}

/* --- annotations --- */

static bool has_annotation(const struct pod_warner *w, str key)
{
    return rules_map_find(&w->meta->annotations, key);
}

static void annotation(const struct pod_warner *w, str key, const char *advice)
{
    if (has_annotation(w, key))
        WARN(w, AT_KEY(AT(AT(w->path, "metadata"), "annotations"), key), "%s", advice);
}

static void annotations(const struct pod_warner *w)
{
    annotation(w, S("scheduler.alpha.kubernetes.io/critical-pod"),
               "non-functional in v1.16+; use the \"priorityClassName\" field instead");
    annotation(w, S("security.alpha.kubernetes.io/sysctls"),
               "non-functional in v1.11+; use the \"sysctls\" field instead");
    annotation(w, S("security.alpha.kubernetes.io/unsafe-sysctls"),
               "non-functional in v1.11+; use the \"sysctls\" field instead");
}

#define SECCOMP_ADVICE "non-functional in v1.27+; use the \"seccompProfile\" field instead"

static void container_profiles(const struct pod_warner *w, const struct container *c)
{
    struct arena *a = w->in->arena;
    const struct pod_security_context *of_pod = w->spec->security_context;
    const struct security_context *sc = c->security_context;
    if (!sc || !sc->seccomp_profile)
        annotation(w, str_concat(a, S("container.seccomp.security.alpha.kubernetes.io/"), c->name),
                   SECCOMP_ADVICE);
    /* Of pods themselves it is said when the annotation becomes a field. */
    if (w->path && !(of_pod && of_pod->app_armor_profile) && !(sc && sc->app_armor_profile))
        annotation(w, str_concat(a, S("container.apparmor.security.beta.kubernetes.io/"), c->name),
                   "deprecated since v1.30; use the \"appArmorProfile\" field instead");
}

/* --- volumes --- */

static void old_volumes(const struct pod_warner *w)
{
    for (size_t i = 0; i < w->spec->volumes.count; i++) {
        const struct volume_source *s = &w->spec->volumes.items[i].volume_source;
        const struct field_path *at = AT_INDEX(AT(w->spec_path, "volumes"), i);
        const struct {
            const void *source;
            const char *name, *advice;
        } old[] = {
            {s->photon_persistent_disk, "photonPersistentDisk",
             "deprecated in v1.11, non-functional in v1.16+"},
            {s->git_repo, "gitRepo", "deprecated in v1.11"},
            {s->scale_io, "scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
            {s->flocker, "flocker", "deprecated in v1.22, non-functional in v1.25+"},
            {s->storageos, "storageOS", "deprecated in v1.22, non-functional in v1.25+"},
            {s->quobyte, "quobyte", "deprecated in v1.22, non-functional in v1.25+"},
            {s->glusterfs, "glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
            {s->cephfs, "cephfs", "deprecated in v1.28, non-functional in v1.31+"},
            {s->rbd, "rbd", "deprecated in v1.28, non-functional in v1.31+"},
        };
        for (size_t j = 0; j < ARRAY_COUNT(old); j++)
            if (old[j].source)
                WARN(w, AT_NAME(at, str_from_c(old[j].name)), "%s", old[j].advice);
        if (s->ephemeral && s->ephemeral->volume_claim_template)
            claim_spec_warnings(w->in, AT(AT(AT(at, "ephemeral"), "volumeClaimTemplate"), "spec"),
                                &s->ephemeral->volume_claim_template->spec);
    }
}

/* Paths of files in a volume. */
struct paths {
    str *items;
    size_t count;
};

static struct paths paths_of_keys(const struct pod_warner *w, const struct key_to_path_array *items)
{
    struct paths p = {.items = ARENA_ARRAY(w->in->arena, str, items->count), .count = items->count};
    for (size_t i = 0; i < items->count; i++)
        p.items[i] = items->items[i].path;
    return p;
}

static struct paths paths_of_files(const struct pod_warner *w,
                                   const struct downward_api_volume_file_array *items)
{
    struct paths p = {.items = ARENA_ARRAY(w->in->arena, str, items->count), .count = items->count};
    for (size_t i = 0; i < items->count; i++)
        p.items[i] = items->items[i].path;
    return p;
}

static str without_slashes(str path)
{
    while (str_ends(path, S("/")))
        path.n--;
    return path;
}

/* One begins as the other ends: the original takes "a" and "ab" for file and folder too. */
static bool overlap(str x, str y)
{
    if (x.n == 0 || y.n == 0)
        return false;
    str shorter = x.n < y.n ? x : y, longer = x.n < y.n ? y : x;
    return str_starts(longer, shorter);
}

/* "volume ...: overlapping paths: "a" with "b"" */
static void overlapping(const struct pod_warner *w, const struct paths *p, str what)
{
    size_t comparisons = 0;
    for (size_t i = 0; i < p->count; i++) {
        str path = without_slashes(p->items[i]);
        for (size_t j = 0; j < i && comparisons++ < COMPARISONS_MAX; j++) {
            str other = without_slashes(p->items[j]);
            if (!overlap(path, other))
                continue;
            warn(w->in, "%" STR_FMT ": overlapping paths: %" STR_FMT " with %" STR_FMT, STR_ARG(what),
                 STR_ARG(quoted(w, path)), STR_ARG(quoted(w, other)));
            break;
        }
    }
}

static str volume_called(const struct pod_warner *w, str volume, const char *kind, str name)
{
    return str_format(w->in->arena, "volume %" STR_FMT " (%s%s%" STR_FMT ")", STR_ARG(quoted(w, volume)),
                      kind, name.p ? " " : "", STR_ARG(name.p ? quoted(w, name) : STR_NONE));
}

static bool projected_paths(const struct pod_warner *w, str volume, const struct volume_projection *s,
                            struct paths *ret, str *ret_what)
{
    if (s->config_map && s->config_map->items.count) {
        *ret = paths_of_keys(w, &s->config_map->items);
        *ret_what = volume_called(w, volume, "Projected ConfigMap",
                                  s->config_map->local_object_reference.name);
    } else if (s->secret && s->secret->items.count) {
        *ret = paths_of_keys(w, &s->secret->items);
        *ret_what = volume_called(w, volume, "Projected Secret", s->secret->local_object_reference.name);
    } else if (s->downward_api && s->downward_api->items.count) {
        *ret = paths_of_files(w, &s->downward_api->items);
        *ret_what = volume_called(w, volume, "Projected DownwardAPI", STR_NONE);
    } else if (s->service_account_token) {
        *ret = (struct paths){.items = ARENA_NEW(w->in->arena, str), .count = 1};
        ret->items[0] = s->service_account_token->path;
        *ret_what = volume_called(w, volume, "Projected ServiceAccountToken", STR_NONE);
    } else {
        return false;
    }
    return true;
}

/* Each path once, with those of the sources before, in order. */
static struct paths merged(const struct pod_warner *w, const struct paths *all, const struct paths *p)
{
    struct paths m = {.items = ARENA_ARRAY(w->in->arena, str, all->count + p->count)};
    for (size_t i = 0; i < p->count; i++)
        m.items[m.count++] = p->items[i];
    strs_sort(m.items, m.count);
    m.count = strs_dedupe(m.items, m.count);
    for (size_t i = 0; i < all->count; i++)
        m.items[m.count++] = all->items[i];
    strs_sort(m.items, m.count);
    return m;
}

static void projected(const struct pod_warner *w, str volume, const struct projected_volume_source *p)
{
    struct paths all = {.count = 0}, paths = {.count = 0};
    str what = STR_NONE;
    for (size_t i = 0; i < p->sources.count; i++) {
        const struct volume_projection *s = &p->sources.items[i];
        if (!s->secret && !s->config_map && !s->downward_api && !s->service_account_token) {
            warn(w->in, "volume %" STR_FMT " (Projected) has no sources provided",
                 STR_ARG(quoted(w, volume)));
            continue;
        }
        /* A source without paths of its own has those of the one before: so does the original. */
        projected_paths(w, volume, s, &paths, &what);
        if (paths.count == 0)
            continue;
        overlapping(w, &paths, what);
        struct paths together = merged(w, &all, &paths);
        overlapping(w, &together, what);
        strs_sort(together.items, together.count);
        together.count = strs_dedupe(together.items, together.count);
        all = together;
    }
}

static void overlapping_paths(const struct pod_warner *w)
{
    for (size_t i = 0; i < w->spec->volumes.count; i++) {
        const struct volume *v = &w->spec->volumes.items[i];
        const struct volume_source *s = &v->volume_source;
        struct paths p = {.count = 0};
        if (s->config_map) {
            p = paths_of_keys(w, &s->config_map->items);
            overlapping(w, &p,
                        volume_called(w, v->name, "ConfigMap", s->config_map->local_object_reference.name));
        }
        if (s->secret) {
            p = paths_of_keys(w, &s->secret->items);
            overlapping(w, &p, volume_called(w, v->name, "Secret", s->secret->secret_name));
        }
        if (s->downward_api) {
            p = paths_of_files(w, &s->downward_api->items);
            overlapping(w, &p, volume_called(w, v->name, "DownwardAPI", STR_NONE));
        }
        if (s->projected)
            projected(w, v->name, s->projected);
    }
}

/* --- what is there twice --- */

static void repeated(const struct pod_warner *w)
{
    struct name_map ips = {.arena = w->in->arena}, secrets = {.arena = w->in->arena};
    const struct host_alias_array *aliases = &w->spec->host_aliases;
    const struct local_object_reference_array *pull = &w->spec->image_pull_secrets;
    for (size_t i = 0; i < aliases->count; i++)
        if (!name_map_add_name(&ips, aliases->items[i].ip))
            WARN(w, AT(AT_INDEX(AT(w->spec_path, "hostAliases"), i), "ip"), "duplicate ip %" STR_FMT,
                 STR_ARG(quoted(w, aliases->items[i].ip)));
    for (size_t i = 0; i < pull->count; i++)
        if (!name_map_add_name(&secrets, pull->items[i].name))
            WARN(w, AT(AT_INDEX(AT(w->spec_path, "imagePullSecrets"), i), "name"), "duplicate name %" STR_FMT,
                 STR_ARG(quoted(w, pull->items[i].name)));
    for (size_t i = 0; i < pull->count; i++)
        if (pull->items[i].name.n == 0)
            WARN(w, AT(AT_INDEX(AT(w->spec_path, "imagePullSecrets"), i), "name"), "invalid empty name \"\"");
}

static void hidden_variables(const struct pod_warner *w, const struct field_path *path,
                             const struct env_var_array *env)
{
    struct name_map names = {.arena = w->in->arena};
    for (size_t i = 0; i < env->count; i++) {
        const struct env_var *e = &env->items[i];
        if (name_map_add_name(&names, e->name))
            continue;
        /* What goes on with the one before is meant. */
        str ref = str_format(w->in->arena, "$(%" STR_FMT ")", STR_ARG(e->name));
        if (e->value_from || str_eq(e->value, ref) || !str_contains(e->value, ref))
            WARN(w, AT_INDEX(path, i),
                 "hides previous definition of %" STR_FMT ", which may be dropped when using apply",
                 STR_ARG(quoted(w, e->name)));
    }
}

/* --- amounts --- */

void fraction_warning(const struct rules_input *in, const struct field_path *path,
                      const struct quantity_map *map, str name)
{
    const struct quantity *q = quantity_of(map, name);
    if (!q || quantity_milli_value(q) % 1000 == 0)
        return;
    struct json shown = rules_quantity(in->arena, q);
    warn(in, "%" STR_FMT ": fractional byte value \"%" STR_FMT "\" is invalid, must be an integer",
         STR_ARG(field_path_format(in->arena, AT_KEY(path, name))), STR_ARG(json_str(&shown)));
}

static void containers(const struct pod_warner *w)
{
    struct container_walk walk = {.spec = w->spec, .root = w->spec_path};
    for (const struct container *c; (c = container_walk_next(&walk));) {
        const struct field_path *resources = AT(&walk.path, "resources");
        container_profiles(w, c);
        fraction_warning(w->in, AT(resources, "limits"), &c->resources.limits, S("memory"));
        fraction_warning(w->in, AT(resources, "requests"), &c->resources.requests, S("memory"));
        fraction_warning(w->in, AT(resources, "limits"), &c->resources.limits, S("ephemeral-storage"));
        fraction_warning(w->in, AT(resources, "requests"), &c->resources.requests, S("ephemeral-storage"));
        hidden_variables(w, AT(&walk.path, "env"), &c->env);
    }
}

/* --- ports --- */

/* A port with where it stands; the next one of the same number and protocol. */
struct port_place {
    const struct container_port *port;
    str place;
    struct port_place *next;
};
struct port_places {
    struct port_place *first, **tail;
};

static const char *conflict(const struct container_port *p, const struct container_port *other)
{
    if (str_eq(p->host_ip, other->host_ip) && p->host_port == other->host_port)
        return "duplicate";
    if (p->host_port == 0 || other->host_port == 0)
        return "overlapping";
    if (p->host_port == other->host_port && !p->host_ip.n != !other->host_ip.n)
        return "dangerously ambiguous";
    return NULL;
}

static void one_port(const struct pod_warner *w, struct name_map *by_port, const struct field_path *path,
                     const struct container_port *p, size_t *comparisons)
{
    struct arena *a = w->in->arena;
    if (p->host_ip.n && p->host_port == 0)
        WARN(w, path,
             "hostIP set without hostPort: {Name:%" STR_FMT " HostPort:0 ContainerPort:%d Protocol:%" STR_FMT
             " HostIP:%" STR_FMT "}",
             STR_ARG(p->name), p->container_port, STR_ARG(p->protocol), STR_ARG(p->host_ip));
    str key = str_format(a, "%d/%" STR_FMT, p->container_port, STR_ARG(p->protocol));
    struct port_places *all = (struct port_places *)(uintptr_t)name_map_find(by_port, key);
    if (!all) {
        all = ARENA_NEW(a, struct port_places);
        all->tail = &all->first;
        name_map_add(by_port, key, all);
    }
    for (const struct port_place *other = all->first; other && *comparisons < COMPARISONS_MAX;
         other = other->next) {
        const char *how = conflict(p, other->port);
        ++*comparisons;
        if (how)
            WARN(w, path, "%s port definition with %" STR_FMT, how, STR_ARG(other->place));
    }
    struct port_place *mine = ARENA_NEW(a, struct port_place);
    *mine = (struct port_place){.port = p, .place = field_path_format(a, path)};
    *all->tail = mine;
    all->tail = &mine->next;
}

static void ports(const struct pod_warner *w)
{
    struct name_map by_port = {.arena = w->in->arena};
    struct container_walk walk = {.spec = w->spec, .root = w->spec_path};
    size_t comparisons = 0;
    for (const struct container *c; (c = container_walk_next(&walk));)
        for (size_t i = 0; i < c->ports.count; i++)
            one_port(w, &by_port, AT_INDEX(AT(&walk.path, "ports"), i), &c->ports.items[i], &comparisons);
}

static void addresses(const struct pod_warner *w)
{
    const struct pod_dns_config *dns = w->spec->dns_config;
    for (size_t i = 0; dns && i < dns->nameservers.count; i++)
        warn_ip(w->in, AT_INDEX(AT(AT(w->spec_path, "dnsConfig"), "nameservers"), i),
                dns->nameservers.items[i]);
    for (size_t i = 0; i < w->spec->host_aliases.count; i++)
        warn_ip(w->in, AT(AT_INDEX(AT(w->spec_path, "hostAliases"), i), "ip"),
                w->spec->host_aliases.items[i].ip);
}

void pod_warnings(const struct rules_input *in, const struct field_path *path, const struct object_meta *meta,
                  const struct pod_spec *spec)
{
    const struct pod_warner w = {
        .in = in, .path = path, .spec_path = AT(path, "spec"), .meta = meta, .spec = spec};
    if (!in->warn)
        return;
    nodes(&w);
    spreading(&w);
    annotations(&w);
    old_volumes(&w);
    overlapping_paths(&w);
    repeated(&w);
    fraction_warning(in, AT(w.spec_path, "overhead"), &spec->overhead, S("memory"));
    fraction_warning(in, AT(w.spec_path, "overhead"), &spec->overhead, S("ephemeral-storage"));
    if (!spec->security_context || !spec->security_context->seccomp_profile)
        annotation(&w, S("seccomp.security.alpha.kubernetes.io/pod"), SECCOMP_ADVICE);
    containers(&w);
    ports(&w);
    if (spec->termination_grace_period_seconds.is_set && spec->termination_grace_period_seconds.value < 0)
        WARN(&w, AT(w.spec_path, "terminationGracePeriodSeconds"),
             "must be >= 0; negative values are invalid and will be treated as 1");
    other_pods(&w);
    addresses(&w);
}
