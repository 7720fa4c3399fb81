/* pod_defaults.c - what a pod gets that nobody said, where it depends on what was said; what of it belongs to features that
 * are off; which class of service it makes. On trees. */
#include "api/rules/checks.h"
#include "api/rules/image_ref.h"
#include "api/rules/pod_priv.h"

enum { SPEC_SIZE_MAX = 16 << 20 };

static const char *const container_lists[] = {"containers", "initContainers", "ephemeralContainers"};

/* NULL for no more: `for (size_t at = 0; (c = next_container(spec, &at));)` */
struct place {
    size_t list, index;
};

static struct json *next_container(struct json *spec, struct place *at)
{
    for (; at->list < ARRAY_COUNT(container_lists); at->list++, at->index = 0) {
        struct json *c = json_at(json_find(spec, str_from_c(container_lists[at->list])), at->index);
        if (c) {
            at->index++;
            return c;
        }
    }
    return NULL;
}

static bool is_empty(const struct json *object, str name)
{
    return json_str(json_find(object, name)).n == 0;
}

static void set_if_absent(const struct rules_input *in, struct json *object, str name, struct json value)
{
    if (!json_find(object, name))
        json_set(in->arena, object, name, value);
}

/* The object's member that is an object; made if it is not there. */
static struct json *member_object(const struct rules_input *in, struct json *object, str name)
{
    struct json *there = json_find(object, name);
    return there ? there : json_set(in->arena, object, name, json_object());
}

/* --- amounts --- */

/* Nothing counts in less than thousandths. */
static void round_up(const struct rules_input *in, struct json *amounts)
{
    for (size_t i = 0; amounts && i < json_count(amounts); i++) {
        struct json *value = &amounts->v.members[i].value;
        struct quantity q;
        struct err err = ERR_INIT;
        str text = json_str(value);
        bool fine = str_ends(text, S("n")) || str_ends(text, S("u")) || str_contains(text, S("e-"));
        if (!fine || quantity_parse(in->arena, text, &q, &err) != ERR_NONE)
            continue;
        struct quantity rounded = quantity_from_scaled(quantity_milli_value(&q), QUANTITY_MILLI, q.format);
        *value = rules_quantity(in->arena, &rounded);
    }
}

void resources_round_up(const struct rules_input *in, struct json *resources)
{
    round_up(in, json_find(resources, S("limits")));
    round_up(in, json_find(resources, S("requests")));
}

/* --- the parts that templates have too --- */

static void pull_policy(const struct rules_input *in, struct json *object, str field, str image)
{
    if (is_empty(object, field))
        json_set(in->arena, object, field,
                 json_of_str(str_is(image_ref_tag(image), "latest") ? S("Always") : S("IfNotPresent")));
}

static void volume_defaults(const struct rules_input *in, struct json *volume)
{
    struct json *image = json_find(volume, S("image")), *ephemeral = json_find(volume, S("ephemeral"));
    if (json_count(volume) == (json_find(volume, S("name")) != NULL))
        json_set(in->arena, volume, S("emptyDir"), json_object());
    if (image)
        pull_policy(in, image, S("pullPolicy"), json_str(json_find(image, S("reference"))));
    if (ephemeral)
        resources_round_up(in, json_get(ephemeral, S("volumeClaimTemplate"), S("spec"), S("resources")));
}

/* Two names of one field. */
static void service_account(const struct rules_input *in, struct json *spec)
{
    const struct json *name = json_find(spec, S("serviceAccountName"));
    if (is_empty(spec, S("serviceAccountName")))
        name = json_find(spec, S("serviceAccount"));
    if (!name)
        return;
    struct json value = *name;
    json_set(in->arena, spec, S("serviceAccountName"), value);
    json_set(in->arena, spec, S("serviceAccount"), value);
}

void pod_spec_defaults(const struct rules_input *in, struct json *spec)
{
    const struct json *volumes = json_find(spec, S("volumes"));
    struct json *c;
    for (size_t i = 0; i < json_count(volumes); i++)
        volume_defaults(in, json_at(volumes, i));
    for (struct place at = {0}; (c = next_container(spec, &at));) {
        pull_policy(in, c, S("imagePullPolicy"), json_str(json_find(c, S("image"))));
        resources_round_up(in, json_find(c, S("resources")));
    }
    resources_round_up(in, json_find(spec, S("resources")));
    round_up(in, json_find(spec, S("overhead")));
    service_account(in, spec);
}

/* What a version long gone kept in annotations. */
static void drop_old_annotations(struct json *metadata)
{
    static const char *const old[] = {
        "pod.beta.kubernetes.io/init-containers",
        "pod.alpha.kubernetes.io/init-containers",
        "pod.beta.kubernetes.io/init-container-statuses",
        "pod.alpha.kubernetes.io/init-container-statuses",
    };
    struct json *annotations = json_find(metadata, S("annotations"));
    for (size_t i = 0; annotations && i < ARRAY_COUNT(old); i++)
        json_remove(annotations, str_from_c(old[i]));
}

void pod_template_defaults(const struct rules_input *in, struct json *template)
{
    struct json *spec = json_find(template, S("spec"));
    if (template)
        drop_old_annotations(json_find(template, S("metadata")));
    if (spec)
        pod_spec_defaults(in, spec);
}

/* --- of pods alone --- */

static void requests_from_limits(const struct rules_input *in, struct json *container)
{
    struct json *resources = json_find(container, S("resources"));
    const struct json *limits = json_find(resources, S("limits"));
    if (json_count(limits) == 0)
        return;
    struct json *requests = member_object(in, resources, S("requests"));
    limits = json_find(resources, S("limits")); /* the one before may have moved it */
    for (size_t i = 0; i < json_count(limits); i++)
        set_if_absent(in, requests, json_member_name(&limits->v.members[i]), limits->v.members[i].value);
}

static void ports_of_host(const struct rules_input *in, struct json *container)
{
    const struct json *ports = json_find(container, S("ports"));
    for (size_t i = 0; i < json_count(ports); i++) {
        struct json *port = json_at(ports, i);
        const struct json *number = json_find(port, S("containerPort"));
        int64_t host;
        if (number && (!json_int(json_find(port, S("hostPort")), &host) || host == 0))
            json_set(in->arena, port, S("hostPort"), *number);
    }
}

bool pod_spec_view(const struct rules_input *in, const struct json *spec, struct pod_spec *ret)
{
    struct buf b;
    struct err err = ERR_INIT;
    buf_init_arena(&b, in->arena, SPEC_SIZE_MAX);
    json_print(&b, spec, 0);
    *ret = (struct pod_spec){.containers = {.count = 0}};
    return VIEW_DECODE(in->arena, pod_spec, buf_str(&b), ret, &err) == ERR_NONE;
}

static bool is_of_pods(str name)
{
    return str_is(name, "cpu") || str_is(name, "memory") || resource_is_huge_page(name);
}

static bool all_have_limit(const struct pod_spec *spec, str name)
{
    for (size_t i = 0; i < spec->containers.count; i++)
        if (!quantity_of(&spec->containers.items[i].resources.limits, name))
            return false;
    for (size_t i = 0; i < spec->init_containers.count; i++)
        if (!quantity_of(&spec->init_containers.items[i].resources.limits, name))
            return false;
    return true;
}

static bool any_of_pods(const struct json *amounts)
{
    for (size_t i = 0; i < json_count(amounts); i++)
        if (is_of_pods(json_member_name(&amounts->v.members[i])))
            return true;
    return false;
}

static void add_amount(const struct rules_input *in, struct json *resources, str side, str name,
                       struct json value)
{
    set_if_absent(in, member_object(in, resources, side), name, value);
}

/* What containers may use of huge pages is what the pod may, and asks for. */
static void huge_page_limits(const struct rules_input *in, struct json *resources,
                             const struct resource_sum *limits)
{
    for (const struct resource_amount *m = limits->first; m; m = m->next)
        if (resource_is_huge_page(m->name) && !json_find(json_find(resources, S("requests")), m->name))
            add_amount(in, resources, S("limits"), m->name, rules_quantity(in->arena, &m->q));
}

static void pod_requests(const struct rules_input *in, struct json *resources,
                         const struct resource_sum *requests)
{
    if (json_count(json_find(resources, S("limits"))) == 0)
        return;
    for (const struct resource_amount *m = requests->first; m; m = m->next)
        if (is_of_pods(m->name) && resource_may_overcommit(m->name))
            add_amount(in, resources, S("requests"), m->name, rules_quantity(in->arena, &m->q));
    const struct json limits = *json_find(resources, S("limits"));
    for (size_t i = 0; i < json_count(&limits); i++)
        if (is_of_pods(json_member_name(&limits.v.members[i])))
            add_amount(in, resources, S("requests"), json_member_name(&limits.v.members[i]),
                       limits.v.members[i].value);
}

static void pod_limits(const struct rules_input *in, struct json *resources,
                       const struct resource_sum *limits, const struct pod_spec *spec)
{
    if (any_of_pods(json_find(resources, S("limits"))) || !any_of_pods(json_find(resources, S("requests"))))
        return;
    for (const struct resource_amount *m = limits->first; m; m = m->next)
        if (is_of_pods(m->name) && resource_may_overcommit(m->name) && all_have_limit(spec, m->name))
            add_amount(in, resources, S("limits"), m->name, rules_quantity(in->arena, &m->q));
}

/* Resources of the pod as a whole, where some are said. */
static void pod_resources(const struct rules_input *in, struct json *spec)
{
    struct json *resources = json_find(spec, S("resources"));
    struct pod_spec view;
    struct resource_sum requests, limits;
    if (json_count(json_find(resources, S("limits"))) + json_count(json_find(resources, S("requests"))) ==
            0 ||
        !pod_spec_view(in, spec, &view))
        return;
    pod_resources_aggregate(in->arena, &view, false, &requests);
    pod_resources_aggregate(in->arena, &view, true, &limits);
    huge_page_limits(in, resources, &limits);
    pod_requests(in, resources, &requests);
    pod_limits(in, resources, &limits, &view);
}

void pod_defaults(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec"));
    drop_old_annotations(json_find(tree, S("metadata")));
    if (!spec)
        return;
    for (size_t list = 0; list < 2; list++) { /* not of ephemeral ones */
        const struct json *containers = json_find(spec, str_from_c(container_lists[list]));
        for (size_t i = 0; i < json_count(containers); i++) {
            requests_from_limits(in, json_at(containers, i));
            if (json_bool(json_find(spec, S("hostNetwork"))))
                ports_of_host(in, json_at(containers, i));
        }
    }
    pod_resources(in, spec);
    set_if_absent(in, spec, S("enableServiceLinks"), json_of_bool(true));
    pod_spec_defaults(in, spec);
}

/* --- features that are off --- */

void pod_spec_drop_disabled(struct json *spec)
{
    const struct json *volumes = json_find(spec, S("volumes"));
    struct json *c;
    json_remove(spec, S("schedulingGroup"));
    for (size_t i = 0; i < json_count(volumes); i++) {
        const struct json *sources = json_get(json_at(volumes, i), S("projected"), S("sources"));
        for (size_t j = 0; j < json_count(sources); j++) {
            json_remove(json_at(sources, j), S("clusterTrustBundle"));
            json_remove(json_at(sources, j), S("podCertificate"));
        }
    }
    for (struct place at = {0}; (c = next_container(spec, &at));) {
        struct json *lifecycle = json_find(c, S("lifecycle"));
        if (lifecycle && json_remove(lifecycle, S("stopSignal")) && json_count(lifecycle) == 0)
            json_remove(c, S("lifecycle"));
    }
}

void pod_template_drop_disabled(struct json *template)
{
    struct json *spec = json_find(template, S("spec"));
    if (spec)
        pod_spec_drop_disabled(spec);
}

/* --- class of service --- */

struct service_class {
    struct resource_sum requests, limits;
    bool guaranteed;
};

/* Returns whether there is some of both that count. */
static bool add_counting(struct resource_sum *sum, const struct quantity_map *amounts)
{
    size_t count = 0;
    for (size_t i = 0; i < amounts->count; i++) {
        str name = amounts->items[i].key;
        if ((!str_is(name, "cpu") && !str_is(name, "memory")) || quantity_sign(&amounts->items[i].value) <= 0)
            continue;
        resource_sum_add(sum, name, &amounts->items[i].value);
        count++;
    }
    return count == 2;
}

static void add_containers(struct service_class *c, const struct container_array *list)
{
    for (size_t i = 0; i < list->count; i++) {
        add_counting(&c->requests, &list->items[i].resources.requests);
        c->guaranteed &= add_counting(&c->limits, &list->items[i].resources.limits);
    }
}

static size_t count_amounts(const struct resource_sum *s)
{
    return s->by_name.count;
}

str pod_qos_class(struct arena *a, const struct pod_spec *spec)
{
    struct service_class c = {.guaranteed = true};
    resource_sum_init(&c.requests, a);
    resource_sum_init(&c.limits, a);
    if (spec->resources) {
        add_counting(&c.requests, &spec->resources->requests);
        bool both = add_counting(&c.limits, &spec->resources->limits);
        c.guaranteed = both || spec->resources->limits.count == 0;
    } else {
        add_containers(&c, &spec->containers);
        add_containers(&c, &spec->init_containers);
    }
    if (count_amounts(&c.requests) + count_amounts(&c.limits) == 0)
        return S("BestEffort");
    for (const struct resource_amount *m = c.requests.first; m; m = m->next) {
        const struct resource_amount *limit = name_map_find(&c.limits.by_name, m->name);
        c.guaranteed &= limit && quantity_cmp(&limit->q, &m->q) == 0;
    }
    return c.guaranteed && count_amounts(&c.requests) == count_amounts(&c.limits) ? S("Guaranteed")
                                                                                  : S("Burstable");
}
