/* pod_containers.c - containers of a pod of all three kinds. */
#include "api/rules/pod_priv.h"

/* Ephemeral containers are looked at as containers. */
#define SAME_PLACE(field)                                                                                  \
    static_assert(offsetof(struct container, field) == offsetof(struct ephemeral_container_common, field), \
                  "an ephemeral container is laid out as any other")
SAME_PLACE(image);
SAME_PLACE(env);
SAME_PLACE(resources);
SAME_PLACE(security_context);
SAME_PLACE(restart_policy_rules);
static_assert(sizeof(struct container) == sizeof(struct ephemeral_container_common),
              "an ephemeral container has the fields of any other");

const struct container *container_of_ephemeral(const struct ephemeral_container *e)
{
    return (const struct container *)(const void *)&e->ephemeral_container_common;
}

const struct container *container_walk_next(struct container_walk *w)
{
    const struct pod_spec *s = w->spec;
    size_t init = s->init_containers.count, plain = s->containers.count, at = w->at++;
    const struct container *c;
    if (at < init) {
        w->list = field_path_name(w->root, S("initContainers"));
        c = &s->init_containers.items[at];
    } else if (at - init < plain) {
        w->list = field_path_name(w->root, S("containers"));
        c = &s->containers.items[at -= init];
    } else if (at - init - plain < s->ephemeral_containers.count) {
        w->list = field_path_name(w->root, S("ephemeralContainers"));
        c = container_of_ephemeral(&s->ephemeral_containers.items[at -= init + plain]);
    } else {
        return NULL;
    }
    w->path = field_path_index(&w->list, at);
    return c;
}

bool container_is_sidecar(const struct container *c)
{
    return str_is(c->restart_policy, "Always");
}

void pull_policy_validate(struct field_errors *errors, const struct field_path *path, str policy)
{
    if (policy.n == 0)
        field_required(errors, path, STR_NONE);
    else
        rules_one_of(errors, path, policy, STRS(S("Always"), S("IfNotPresent"), S("Never")));
}

/* Pods only: templates of old may have such images. */
void pod_image_validate(struct field_errors *errors, const struct field_path *path, str image)
{
    static const char space[] = " \t\n\v\f\r";
    if (image.n && (strchr(space, image.p[0]) || strchr(space, image.p[image.n - 1])))
        field_invalid(errors, path, TEXT(image), S("must not have leading or trailing whitespace"));
}

static void ports(struct field_errors *errors, const struct field_path *path,
                  const struct container_port_array *list)
{
    struct name_map names = {.arena = errors->arena};
    for (size_t i = 0; i < list->count; i++) {
        const struct container_port *p = &list->items[i];
        const struct field_path *at = AT_INDEX(path, i);
        struct name_errors wrong = {.count = 0};
        if (p->name.n && !name_check_port_name(p->name, &wrong))
            rules_name(errors, AT(at, "name"), p->name, name_check_port_name);
        else if (p->name.n && !name_map_add_name(&names, p->name))
            field_duplicate(errors, AT(at, "name"), TEXT(p->name));
        struct int_or_string container = int_or_string_of_int(p->container_port),
                             host = int_or_string_of_int(p->host_port);
        if (p->container_port == 0)
            field_required(errors, AT(at, "containerPort"), STR_NONE);
        else
            rules_port(errors, AT(at, "containerPort"), &container);
        if (p->host_port)
            rules_port(errors, AT(at, "hostPort"), &host);
        rules_one_of(errors, AT(at, "protocol"), p->protocol, STRS(S("SCTP"), S("TCP"), S("UDP")));
    }
}

/* Ports of the node, each used once by all containers that run at the same time. */
static void host_ports(struct field_errors *errors, const struct field_path *path, const struct container *c,
                       struct name_map *used)
{
    for (size_t i = 0; i < c->ports.count; i++) {
        const struct container_port *p = &c->ports.items[i];
        if (p->host_port == 0)
            continue;
        str port = RULES_F(errors, "%" STR_FMT "/%" STR_FMT "/%d", STR_ARG(p->protocol), STR_ARG(p->host_ip),
                           p->host_port);
        if (!name_map_add_name(used, port))
            field_duplicate(errors, AT(AT_INDEX(AT(path, "ports"), i), "hostPort"), TEXT(port));
    }
}

/* --- mounts and devices --- */

static void mount_propagation(struct field_errors *errors, const struct field_path *path,
                              const struct container *c, str mode)
{
    if (!mode.p)
        return;
    rules_one_of(errors, path, mode, STRS(S("Bidirectional"), S("HostToContainer"), S("None")));
    bool privileged = c->security_context && c->security_context->privileged.value;
    if (str_is(mode, "Bidirectional") && !privileged)
        field_forbidden(errors, path,
                        S("Bidirectional mount propagation is available only to privileged containers"));
}

static void recursive_read_only(struct field_errors *errors, const struct field_path *path,
                                const struct volume_mount *m)
{
    if (!m->recursive_read_only.p || str_is(m->recursive_read_only, "Disabled"))
        return;
    if (!rules_one_of(errors, path, m->recursive_read_only,
                      STRS(S("Disabled"), S("Enabled"), S("IfPossible"))))
        return;
    if (!m->read_only)
        field_forbidden(errors, path, S("may only be specified when readOnly is true"));
    if (m->mount_propagation.p && !str_is(m->mount_propagation, "None"))
        field_forbidden(errors, path,
                        S("may only be specified when mountPropagation is None or not specified"));
}

/* Names and paths of mounts or of devices. */
struct attached {
    struct name_map names, paths;
};

static void sub_paths(struct field_errors *errors, const struct field_path *list, const struct field_path *at,
                      const struct volume_mount *m)
{
    if (m->sub_path.n)
        rules_name(errors, AT(list, "subPath"), m->sub_path, name_check_relative_path);
    if (m->sub_path_expr.n == 0)
        return;
    if (m->sub_path.n)
        field_invalid(errors, AT(at, "subPathExpr"), TEXT(m->sub_path_expr),
                      S("subPathExpr and subPath are mutually exclusive"));
    rules_name(errors, AT(list, "subPathExpr"), m->sub_path_expr, name_check_relative_path);
}

static void mounts(struct pod_check *c, const struct field_path *path, const struct container *container,
                   const struct attached *devices)
{
    struct name_map points = {.arena = c->errors->arena};
    for (size_t i = 0; i < container->volume_mounts.count; i++) {
        const struct volume_mount *m = &container->volume_mounts.items[i];
        const struct field_path *at = AT_INDEX(path, i), *name = AT(at, "name"), *point = AT(at, "mountPath");
        rules_required(c->errors, name, m->name);
        if (!name_map_has(&c->volumes, m->name))
            field_not_found(c->errors, name, TEXT(m->name));
        rules_required(c->errors, point, m->mount_path);
        if (!name_map_add_name(&points, m->mount_path))
            field_invalid(c->errors, point, TEXT(m->mount_path), S("must be unique"));
        if (name_map_has(&devices->names, m->name))
            field_invalid(c->errors, name, TEXT(m->name), S("must not already exist in volumeDevices"));
        if (name_map_has(&devices->paths, m->mount_path))
            field_invalid(c->errors, point, TEXT(m->mount_path),
                          S("must not already exist as a path in volumeDevices"));
        sub_paths(c->errors, path, at, m);
        mount_propagation(c->errors, AT(path, "mountPropagation"), container, m->mount_propagation);
        recursive_read_only(c->errors, AT(path, "recursiveReadOnly"), m);
    }
}

static void devices_name(struct pod_check *c, const struct field_path *name, const struct volume_device *d,
                         bool seen)
{
    rules_required(c->errors, name, d->name);
    if (seen)
        field_invalid(c->errors, name, TEXT(d->name), S("must be unique"));
    const struct volume *v = name_map_find(&c->volumes, d->name);
    if (!v)
        field_not_found(c->errors, name, TEXT(d->name));
    else if (!v->volume_source.persistent_volume_claim && !v->volume_source.ephemeral)
        field_invalid(
            c->errors, name, TEXT(d->name),
            S("can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"));
}

static void devices(struct pod_check *c, const struct field_path *path, const struct container *container,
                    const struct attached *mounted)
{
    struct name_map names = {.arena = c->errors->arena}, points = {.arena = c->errors->arena};
    for (size_t i = 0; i < container->volume_devices.count; i++) {
        const struct volume_device *d = &container->volume_devices.items[i];
        const struct field_path *at = AT_INDEX(path, i), *name = AT(at, "name"),
                                *point = AT(at, "devicePath");
        devices_name(c, name, d, d->name.n && !name_map_add_name(&names, d->name));
        rules_required(c->errors, point, d->device_path);
        if (name_map_has(&points, d->device_path))
            field_invalid(c->errors, point, TEXT(d->device_path), S("must be unique"));
        if (!name_check_path(d->device_path, NULL))
            field_invalid(c->errors, point, TEXT(d->device_path), S("can not contain backsteps ('..')"));
        else
            name_map_add_name(&points, d->device_path);
        if (name_map_has(&mounted->names, d->name))
            field_invalid(c->errors, name, TEXT(d->name), S("must not already exist in volumeMounts"));
        if (name_map_has(&mounted->paths, d->device_path))
            field_invalid(c->errors, point, TEXT(d->device_path),
                          S("must not already exist as a path in volumeMounts"));
    }
}

static void attached_init(struct attached *a, struct arena *arena)
{
    a->names = a->paths = (struct name_map){.arena = arena};
}

static void mounts_and_devices(struct pod_check *c, const struct field_path *path,
                               const struct container *container)
{
    struct attached mounted, raw;
    attached_init(&mounted, c->errors->arena);
    attached_init(&raw, c->errors->arena);
    for (size_t i = 0; container->volume_devices.count && i < container->volume_mounts.count; i++) {
        name_map_add_name(&mounted.names, container->volume_mounts.items[i].name);
        name_map_add_name(&mounted.paths, container->volume_mounts.items[i].mount_path);
    }
    for (size_t i = 0; i < container->volume_devices.count; i++) {
        name_map_add_name(&raw.names, container->volume_devices.items[i].name);
        name_map_add_name(&raw.paths, container->volume_devices.items[i].device_path);
    }
    mounts(c, AT(path, "volumeMounts"), container, &raw);
    devices(c, AT(path, "volumeDevices"), container, &mounted);
}

/* --- one container --- */

static void resize_policy(struct pod_check *c, const struct field_path *path,
                          const struct container *container)
{
    struct name_map resources = {.arena = c->errors->arena};
    for (size_t i = 0; i < container->resize_policy.count; i++) {
        const struct container_resize_policy *p = &container->resize_policy.items[i];
        if (!name_map_add_name(&resources, p->resource_name))
            field_duplicate(c->errors, AT_INDEX(path, i), TEXT(p->resource_name));
        if (p->resource_name.n == 0)
            field_required(c->errors, path, STR_NONE);
        else
            rules_one_of(c->errors, path, p->resource_name, STRS(S("cpu"), S("memory")));
        if (p->restart_policy.n == 0)
            field_required(c->errors, path, STR_NONE);
        else
            rules_one_of(c->errors, path, p->restart_policy, STRS(S("NotRequired"), S("RestartContainer")));
        if (str_is(c->spec->restart_policy, "Never") && !str_is(p->restart_policy, "NotRequired"))
            field_invalid(c->errors, path, TEXT(p->restart_policy),
                          S("must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
}

static void common(struct pod_check *c, const struct field_path *path, const struct container *container)
{
    struct field_errors *errors = c->errors;
    rules_name_required(errors, AT(path, "name"), container->name, name_check_dns1123_label);
    rules_required(errors, AT(path, "image"), container->image);
    if (container->termination_message_policy.n == 0)
        field_required(errors, AT(path, "terminationMessagePolicy"), STR_NONE);
    else
        rules_one_of_in_order(errors, AT(path, "terminationMessagePolicy"),
                              container->termination_message_policy,
                              STRS(S("File"), S("FallbackToLogsOnError")));
    ports(errors, AT(path, "ports"), &container->ports);
    pod_env_validate(errors, AT(path, "env"), &container->env);
    pod_env_from_validate(errors, AT(path, "envFrom"), &container->env_from);
    mounts_and_devices(c, path, container);
    pull_policy_validate(errors, AT(path, "imagePullPolicy"), container->image_pull_policy);
    container_resources_validate(c, AT(path, "resources"), &container->resources);
    resize_policy(c, AT(path, "resizePolicy"), container);
    security_context_validate(c, AT(path, "securityContext"), container->security_context);
}

static void restart_rules(struct field_errors *errors, const struct field_path *path,
                          const struct container_restart_rule_array *rules)
{
    if (rules->count > 20)
        field_too_many(errors, path, rules->count, 20);
    for (size_t i = 0; i < rules->count; i++) {
        const struct container_restart_rule *r = &rules->items[i];
        const struct field_path *at = AT_INDEX(path, i), *codes = AT(at, "exitCodes");
        rules_one_of(errors, AT(at, "action"), r->action, STRS(S("Restart"), S("RestartAllContainers")));
        if (!r->exit_codes) {
            field_required(errors, codes, S("must be specified"));
            continue;
        }
        rules_one_of(errors, AT(codes, "operator"), r->exit_codes->operator, STRS(S("In"), S("NotIn")));
        if (r->exit_codes->values.count > 255)
            field_too_many(errors, AT(codes, "values"), r->exit_codes->values.count, 255);
    }
}

/* Its own restart policy, and the rules that go with it. */
static void restart_policy(struct field_errors *errors, const struct field_path *path,
                           const struct container *container)
{
    if (container->restart_policy.p)
        rules_one_of(errors, AT(path, "restartPolicy"), container->restart_policy,
                     STRS(S("Always"), S("Never"), S("OnFailure")));
    else if (container->restart_policy_rules.count)
        field_required(errors, AT(path, "restartPolicy"),
                       S("must specify restartPolicy when restart rules are used"));
    restart_rules(errors, AT(path, "restartPolicyRules"), &container->restart_policy_rules);
}

static void handlers(struct pod_check *c, const struct field_path *path, const struct container *container)
{
    pod_lifecycle_validate(c, AT(path, "lifecycle"), container->lifecycle);
    pod_probe_validate(c, AT(path, "livenessProbe"), container->liveness_probe, PROBE_LIVENESS);
    pod_probe_validate(c, AT(path, "readinessProbe"), container->readiness_probe, PROBE_READINESS);
    pod_probe_validate(c, AT(path, "startupProbe"), container->startup_probe, PROBE_STARTUP);
}

/* --- the three lists --- */

void pod_containers_validate(struct pod_check *c, const struct field_path *path)
{
    const struct container_array *list = &c->spec->containers;
    if (list->count == 0) {
        field_required(c->errors, path, STR_NONE);
        return;
    }
    struct name_map names = {.arena = c->errors->arena}, used = {.arena = c->errors->arena};
    for (size_t i = 0; i < list->count; i++) {
        const struct container *container = &list->items[i];
        const struct field_path *at = AT_INDEX(path, i);
        common(c, at, container);
        if (!name_map_add_name(&names, container->name))
            field_duplicate(c->errors, AT(at, "name"), TEXT(container->name));
        handlers(c, at, container);
        restart_policy(c->errors, at, container);
    }
    for (size_t i = 0; i < list->count; i++)
        host_ports(c->errors, AT_INDEX(path, i), &list->items[i], &used);
}

static void init_container(struct pod_check *c, const struct field_path *path,
                           const struct container *container)
{
    str sidecars_only = S("may not be set for init containers without restartPolicy=Always");
    if (container_is_sidecar(container)) {
        handlers(c, path, container);
        return;
    }
    if (container->lifecycle)
        field_forbidden(c->errors, AT(path, "lifecycle"), sidecars_only);
    if (container->liveness_probe)
        field_forbidden(c->errors, AT(path, "livenessProbe"), sidecars_only);
    if (container->readiness_probe)
        field_forbidden(c->errors, AT(path, "readinessProbe"), sidecars_only);
    if (container->startup_probe)
        field_forbidden(c->errors, AT(path, "startupProbe"), sidecars_only);
    for (size_t i = 0; i < container->resize_policy.count; i++)
        if (str_is(container->resize_policy.items[i].restart_policy, "RestartContainer"))
            field_invalid(c->errors, AT(AT_INDEX(AT(path, "resizePolicy"), i), "restartPolicy"),
                          TEXT(S("RestartContainer")),
                          S("must not be set to 'RestartContainer' for non-sidecar initContainers"));
}

void pod_init_containers_validate(struct pod_check *c, const struct field_path *path)
{
    const struct container_array *list = &c->spec->init_containers;
    struct name_map names = {.arena = c->errors->arena};
    for (size_t i = 0; i < c->spec->containers.count; i++)
        name_map_add_name(&names, c->spec->containers.items[i].name);
    for (size_t i = 0; i < list->count; i++) {
        const struct container *container = &list->items[i];
        const struct field_path *at = AT_INDEX(path, i);
        common(c, at, container);
        restart_policy(c->errors, at, container);
        if (name_map_has(&names, container->name))
            field_duplicate(c->errors, AT(at, "name"), TEXT(container->name));
        else if (container->name.n)
            name_map_add_name(&names, container->name);
        /* They run one by one, so each has the ports for itself (and the original says so of the first). */
        struct name_map used = {.arena = c->errors->arena};
        host_ports(c->errors, AT_INDEX(path, 0), container, &used);
        init_container(c, at, container);
    }
}

static void ephemeral_container(struct pod_check *c, const struct field_path *path,
                                const struct ephemeral_container *e)
{
    const struct container *container = container_of_ephemeral(e);
    const struct resource_requirements *r = &container->resources;
    const struct {
        bool set;
        const char *name;
    } not_allowed[] = {
        {container->ports.count, "ports"},
        {r->limits.count || r->requests.count || r->claims.count, "resources"},
        {container->resize_policy.count, "resizePolicy"},
        {container->restart_policy.p, "restartPolicy"},
        {container->restart_policy_rules.count, "restartPolicyRules"},
        {container->liveness_probe, "livenessProbe"},
        {container->readiness_probe, "readinessProbe"},
        {container->startup_probe, "startupProbe"},
        {container->lifecycle, "lifecycle"},
    };
    str why = S("cannot be set for an Ephemeral Container");
    for (size_t i = 0; i < ARRAY_COUNT(not_allowed); i++)
        if (not_allowed[i].set)
            field_forbidden(c->errors, AT_NAME(path, str_from_c(not_allowed[i].name)), why);
    for (size_t i = 0; i < container->volume_mounts.count; i++) {
        const struct field_path *at = AT_INDEX(AT(path, "volumeMounts"), i);
        if (container->volume_mounts.items[i].sub_path.n)
            field_forbidden(c->errors, AT(at, "subPath"), why);
        if (container->volume_mounts.items[i].sub_path_expr.n)
            field_forbidden(c->errors, AT(at, "subPathExpr"), why);
    }
}

void pod_ephemeral_containers_validate(struct pod_check *c, const struct field_path *path)
{
    const struct ephemeral_container_array *list = &c->spec->ephemeral_containers;
    struct name_map others = {.arena = c->errors->arena}, names = {.arena = c->errors->arena};
    for (size_t i = 0; list->count && i < c->spec->containers.count; i++)
        name_map_add_name(&others, c->spec->containers.items[i].name);
    for (size_t i = 0; list->count && i < c->spec->init_containers.count; i++)
        name_map_add_name(&others, c->spec->init_containers.items[i].name);
    for (size_t i = 0; i < list->count; i++) {
        const struct ephemeral_container *e = &list->items[i];
        const struct container *container = container_of_ephemeral(e);
        const struct field_path *at = AT_INDEX(path, i);
        common(c, at, container);
        pod_image_validate(c->errors, AT(at, "image"), container->image);
        if (name_map_has(&others, container->name) || !name_map_add_name(&names, container->name))
            field_duplicate(c->errors, AT(at, "name"), TEXT(container->name));
        if (e->target_container_name.n && !name_map_has(&others, e->target_container_name))
            field_not_found(c->errors, AT(at, "targetContainerName"), TEXT(e->target_container_name));
        ephemeral_container(c, at, e);
    }
}
