/* pod_security.c - as whom a pod and its containers run, and what they may; what only one operating system has. */
#include "api/rules/internal_json.h"
#include "api/rules/pod_priv.h"

static void id(struct field_errors *errors, const struct field_path *path, struct opt_int64 value)
{
    if (value.is_set)
        rules_range(errors, path, value.value, 0, INT32_MAX);
}

static void seccomp(struct field_errors *errors, const struct field_path *path,
                    const struct seccomp_profile *p)
{
    if (!p)
        return;
    const struct field_path *local = AT(path, "localhostProfile");
    if (p->type.n == 0)
        field_required(errors, AT(path, "type"), S("type is required when seccompProfile is set"));
    else
        rules_one_of_in_order(errors, AT(path, "type"), p->type,
                              STRS(S("Localhost"), S("RuntimeDefault"), S("Unconfined")));
    if (!str_is(p->type, "Localhost")) {
        struct json shown = internal_json(errors->arena, VIEW_TYPE(seccomp_profile), p);
        if (p->localhost_profile.p)
            field_invalid(errors, local, &shown, S("can only be set when seccomp type is Localhost"));
    } else if (!p->localhost_profile.p) {
        field_required(errors, local, S("must be set when seccomp type is Localhost"));
    } else {
        rules_name(errors, local, p->localhost_profile, name_check_relative_path);
    }
}

static void app_armor_local(struct field_errors *errors, const struct field_path *path, str profile)
{
    enum { PATH_SIZE_MAX = 4095 };
    str missing = S("must be set when AppArmor type is Localhost");
    if (!profile.p) {
        field_required(errors, path, missing);
        return;
    }
    if (str_trim(profile).n != profile.n)
        field_invalid(errors, path, TEXT(profile), S("must not be padded with whitespace"));
    else if (profile.n == 0)
        field_required(errors, path, missing);
    if (profile.n > PATH_SIZE_MAX)
        field_too_long(errors, path, PATH_SIZE_MAX);
}

void app_armor_validate(struct field_errors *errors, const struct field_path *path,
                        const struct app_armor_profile *p)
{
    if (!p)
        return;
    const struct field_path *local = AT(path, "localhostProfile");
    if (str_is(p->type, "Localhost")) {
        app_armor_local(errors, local, p->localhost_profile);
    } else if (str_is(p->type, "RuntimeDefault") || str_is(p->type, "Unconfined")) {
        if (p->localhost_profile.p)
            field_invalid(errors, local, TEXT(p->localhost_profile),
                          S("can only be set when AppArmor type is Localhost"));
    } else if (p->type.n == 0) {
        field_required(errors, AT(path, "type"), S("type is required when appArmorProfile is set"));
    } else {
        field_not_supported(errors, AT(path, "type"), TEXT(p->type),
                            STRS(S("Localhost"), S("RuntimeDefault"), S("Unconfined")));
    }
}

/* --- Windows --- */

enum {
    CREDENTIAL_SPEC_SIZE_MAX = 64 << 10,
    DOMAIN_SIZE_MAX = 256,
    USER_SIZE_MAX = 104,
    NET_BIOS_LENGTH_MAX = 15
};

static bool contains_any(str s, const char *chars)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] && strchr(chars, s.p[i]))
            return true;
    return false;
}

static bool has_control(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            return true;
    return false;
}

static size_t length(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static bool is_net_bios(str s)
{
    return s.n && s.p[0] != '.' && !contains_any(s, "\\/:*?\"<>|") && length(s) <= NET_BIOS_LENGTH_MAX;
}

static bool is_dns_domain(struct arena *a, str s)
{
    str rest = str_lower(a, s), label;
    while (str_next(&rest, '.', &label))
        if (!name_check_dns1123_label(label, NULL))
            return false;
    return s.n != 0;
}

static void windows_user(struct field_errors *errors, const struct field_path *path, str name)
{
    str domain = STR_NONE, user = name;
    bool has_domain = str_cut(name, '\\', &domain, &user);
    if (!has_domain)
        user = name;
    if (has_domain && domain.n >= DOMAIN_SIZE_MAX)
        field_invalid(errors, path, TEXT(name),
                      S("runAsUserName's Domain length must be under 256 characters"));
    if (has_domain && !is_net_bios(domain) && !is_dns_domain(errors->arena, domain))
        field_invalid(errors, path, TEXT(name),
                      S("runAsUserName's Domain doesn't match the NetBios nor the DNS format"));
    if (user.n == 0)
        field_invalid(errors, path, TEXT(name), S("runAsUserName's User cannot be empty"));
    else if (user.n > USER_SIZE_MAX)
        field_invalid(errors, path, TEXT(name),
                      S("runAsUserName's User length must not be longer than 104 characters"));
    size_t plain = 0;
    while (plain < user.n && (user.p[plain] == '.' || user.p[plain] == ' '))
        plain++;
    if (user.n && plain == user.n)
        field_invalid(errors, path, TEXT(name),
                      S("runAsUserName's User cannot contain only periods or spaces"));
    if (contains_any(user, "\"/\\:;|=,+*?<>@[]"))
        field_invalid(errors, path, TEXT(name),
                      S("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"));
}

static void windows_options(struct field_errors *errors, const struct field_path *path,
                            const struct windows_security_context_options *o)
{
    if (!o)
        return;
    const struct field_path *spec = AT(path, "gmsaCredentialSpec"), *user = AT(path, "runAsUserName");
    if (o->gmsa_credential_spec_name.p)
        rules_name(errors, AT(path, "gmsaCredentialSpecName"), o->gmsa_credential_spec_name,
                   name_check_dns1123_subdomain);
    if (o->gmsa_credential_spec.p && o->gmsa_credential_spec.n == 0)
        field_invalid(errors, spec, TEXT(S("")), S("gmsaCredentialSpec cannot be an empty string"));
    else if (o->gmsa_credential_spec.n > CREDENTIAL_SPEC_SIZE_MAX)
        field_invalid(errors, spec, TEXT(o->gmsa_credential_spec),
                      S("gmsaCredentialSpec size must be under 64 KiB"));
    str name = o->run_as_user_name;
    if (!name.p)
        return;
    if (name.n == 0)
        field_invalid(errors, user, TEXT(name), S("runAsUserName cannot be an empty string"));
    else if (has_control(name))
        field_invalid(errors, user, TEXT(name), S("runAsUserName cannot contain control characters"));
    else if (str_index_c(name, '\\') != str_rindex_c(name, '\\'))
        field_invalid(errors, user, TEXT(name), S("runAsUserName cannot contain more than one backslash"));
    else
        windows_user(errors, user, name);
}

/* --- contexts --- */

static void proc_mount(struct pod_check *c, const struct field_path *path, str type)
{
    if (!type.p)
        return;
    rules_one_of(c->errors, path, type, STRS(S("Default"), S("Unmasked")));
    bool host_users = !c->spec->host_users.is_set || c->spec->host_users.value;
    if (host_users && str_is(type, "Unmasked"))
        field_invalid(c->errors, path, TEXT(type), S("`hostUsers` must be false to use `Unmasked`"));
}

static void escalation(struct field_errors *errors, const struct field_path *path,
                       const struct security_context *sc)
{
    if (!sc->allow_privilege_escalation.is_set || sc->allow_privilege_escalation.value)
        return;
    struct json shown = internal_json(errors->arena, VIEW_TYPE(security_context), sc);
    if (sc->privileged.value)
        field_invalid(errors, path, &shown,
                      S("cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
    for (size_t i = 0; sc->capabilities && i < sc->capabilities->add.count; i++)
        if (str_is(sc->capabilities->add.items[i], "CAP_SYS_ADMIN"))
            field_invalid(
                errors, path, &shown,
                S("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
}

void security_context_validate(struct pod_check *c, const struct field_path *path,
                               const struct security_context *sc)
{
    if (!sc)
        return;
    id(c->errors, AT(path, "runAsUser"), sc->run_as_user);
    id(c->errors, AT(path, "runAsGroup"), sc->run_as_group);
    proc_mount(c, AT(path, "procMount"), sc->proc_mount);
    seccomp(c->errors, AT(path, "seccompProfile"), sc->seccomp_profile);
    escalation(c->errors, path, sc);
    windows_options(c->errors, AT(path, "windowsOptions"), sc->windows_options);
    app_armor_validate(c->errors, AT(path, "appArmorProfile"), sc->app_armor_profile);
}

static bool is_sysctl(str name)
{
    if (name.n > NAME_SUBDOMAIN_SIZE_MAX || name.n == 0)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        bool alnum = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9');
        bool edge = i == 0 || i + 1 == name.n || strchr("./", name.p[i - 1]) || strchr("./", name.p[i + 1]);
        bool separator = name.p[i] == '.' || name.p[i] == '/';
        if (!alnum && (edge || (!separator && name.p[i] != '-' && name.p[i] != '_')))
            return false;
    }
    return true;
}

/* Dots between the parts, whichever way it was written: net/ipv4/conf/eth0.1/rp_filter. */
static str sysctl_dotted(struct arena *a, str name)
{
    size_t first = 0;
    while (first < name.n && name.p[first] != '.' && name.p[first] != '/')
        first++;
    if (first == name.n || name.p[first] == '.')
        return name;
    char *p = arena_dup(a, name.p, name.n, 1);
    for (size_t i = 0; i < name.n; i++)
        p[i] = name.p[i] == '/' ? '.' : name.p[i] == '.' ? '/' : name.p[i];
    return str_of(p, name.n);
}

static void sysctl_of_host(struct pod_check *c, const struct field_path *path, str name)
{
    str dotted = sysctl_dotted(c->errors->arena, name);
    bool ipc = str_is(dotted, "kernel.sem") || str_starts(dotted, S("kernel.shm")) ||
               str_starts(dotted, S("kernel.msg")) || str_starts(dotted, S("fs.mqueue."));
    if (c->spec->host_network && str_starts(dotted, S("net.")))
        field_invalid(c->errors, path, TEXT(name), S("may not be specified when 'hostNetwork' is true"));
    else if (c->spec->host_ipc && ipc)
        field_invalid(c->errors, path, TEXT(name), S("may not be specified when 'hostIPC' is true"));
}

static void sysctls(struct pod_check *c, const struct field_path *path, const struct sysctl_array *list)
{
    struct name_map names = {.arena = c->errors->arena};
    for (size_t i = 0; i < list->count; i++) {
        const struct field_path *at = AT(AT_INDEX(path, i), "name");
        str name = list->items[i].name;
        if (name.n == 0)
            field_required(c->errors, at, STR_NONE);
        else if (!is_sysctl(name))
            field_invalid(c->errors, at, TEXT(name),
                          S("must have at most 253 characters and match regex "
                            "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"));
        else if (name_map_has(&names, name))
            field_duplicate(c->errors, at, TEXT(name));
        sysctl_of_host(c, at, name);
        name_map_add_name(&names, name);
    }
}

void pod_security_context_validate(struct pod_check *c, const struct field_path *path)
{
    const struct pod_security_context *sc = c->spec->security_context;
    struct field_errors *errors = c->errors;
    if (!sc)
        return;
    id(errors, AT(path, "fsGroup"), sc->fs_group);
    id(errors, AT(path, "runAsUser"), sc->run_as_user);
    id(errors, AT(path, "runAsGroup"), sc->run_as_group);
    for (size_t i = 0; i < sc->supplemental_groups.count; i++)
        rules_range(errors, AT_INDEX(AT(path, "supplementalGroups"), i), sc->supplemental_groups.items[i], 0,
                    INT32_MAX);
    if (c->spec->share_process_namespace.value && c->spec->host_pid)
        field_invalid(errors, AT(path, "shareProcessNamespace"), TRUTH(true),
                      S("ShareProcessNamespace and HostPID cannot both be enabled"));
    sysctls(c, AT(path, "sysctls"), &sc->sysctls);
    if (sc->fs_group_change_policy.p)
        rules_one_of(errors, AT(path, "fsGroupChangePolicy"), sc->fs_group_change_policy,
                     STRS(S("Always"), S("OnRootMismatch")));
    seccomp(errors, AT(path, "seccompProfile"), sc->seccomp_profile);
    windows_options(errors, AT(path, "windowsOptions"), sc->windows_options);
    app_armor_validate(errors, AT(path, "appArmorProfile"), sc->app_armor_profile);
    if (sc->supplemental_groups_policy.p)
        rules_one_of(errors, AT(path, "supplementalGroupsPolicy"), sc->supplemental_groups_policy,
                     STRS(S("Merge"), S("Strict")));
    if (sc->se_linux_change_policy.p)
        rules_one_of(errors, AT(path, "seLinuxChangePolicy"), sc->se_linux_change_policy,
                     STRS(S("MountOption"), S("Recursive")));
}

/* --- rules between containers and pod --- */

void pod_windows_host_process_validate(struct pod_check *c, const struct field_path *spec_path)
{
    const struct pod_security_context *pod = c->spec->security_context;
    struct opt_bool of_pod = {.is_set = false};
    if (pod && pod->windows_options)
        of_pod = pod->windows_options->host_process;
    size_t all = 0, of_host = 0;
    struct container_walk w = {.spec = c->spec, .root = spec_path};
    for (const struct container *container; (container = container_walk_next(&w)); all++) {
        struct opt_bool own = {.is_set = false};
        if (container->security_context && container->security_context->windows_options)
            own = container->security_context->windows_options->host_process;
        const struct field_path *at = AT(AT(AT(&w.path, "securityContext"), "windowsOptions"), "hostProcess");
        if (of_pod.is_set && own.is_set && of_pod.value != own.value)
            field_invalid(c->errors, at, TRUTH(own.value),
                          RULES_F(c->errors,
                                  "pod hostProcess value must be identical if both are specified, was %s",
                                  of_pod.value ? "true" : "false"));
        of_host += own.is_set ? own.value : of_pod.value;
    }
    if (of_host == 0)
        return;
    if (of_host != all)
        field_invalid(c->errors, spec_path, TEXT(S("")),
                      S("If pod contains any hostProcess containers then all containers must be HostProcess "
                        "containers"));
    if (!c->spec->host_network)
        field_invalid(c->errors, AT(spec_path, "hostNetwork"), TRUTH(false),
                      S("hostNetwork must be true if pod contains any hostProcess containers"));
}

void pod_host_users_validate(struct pod_check *c, const struct field_path *spec_path)
{
    if (!c->spec->host_users.is_set || c->spec->host_users.value)
        return;
    str why = S("when `hostUsers` is false");
    if (c->spec->host_network)
        field_forbidden(c->errors, AT(spec_path, "hostNetwork"), why);
    if (c->spec->host_pid)
        field_forbidden(c->errors, AT(spec_path, "HostPID"), why);
    if (c->spec->host_ipc)
        field_forbidden(c->errors, AT(spec_path, "HostIPC"), why);
    struct container_walk w = {.spec = c->spec, .root = spec_path};
    for (const struct container *container; (container = container_walk_next(&w));)
        if (container->volume_devices.count)
            field_forbidden(c->errors, AT(&w.path, "volumeDevices"), why);
}

/* --- operating systems --- */

static void linux_pod(struct pod_check *c, const struct field_path *spec_path)
{
    str why = S("windows options cannot be set for a linux pod");
    if (c->spec->security_context && c->spec->security_context->windows_options)
        field_forbidden(c->errors, AT(AT(spec_path, "securityContext"), "windowsOptions"), why);
    struct container_walk w = {.spec = c->spec, .root = spec_path};
    for (const struct container *container; (container = container_walk_next(&w));)
        if (container->security_context && container->security_context->windows_options)
            field_forbidden(c->errors, AT(AT(&w.path, "securityContext"), "windowsOptions"), why);
}

/* Whether a field is set that Windows does not have. */
struct linux_field {
    bool set;
    const char *name;
};

static void forbid_on_windows(struct pod_check *c, const struct field_path *path,
                              const struct linux_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].set)
            field_forbidden(c->errors, AT_NAME(path, str_from_c(fields[i].name)),
                            S("cannot be set for a windows pod"));
}

static void windows_pod_context(struct pod_check *c, const struct field_path *spec_path)
{
    const struct pod_spec *s = c->spec;
    const struct pod_security_context *sc = s->security_context;
    const struct field_path *path = AT(spec_path, "securityContext");
    if (!sc)
        return;
    const struct linux_field first[] = {{sc->app_armor_profile, "appArmorProfile"},
                                        {sc->se_linux_options, "seLinuxOptions"}};
    const struct linux_field of_spec[] = {
        {s->host_users.is_set, "hostUsers"}, {s->host_pid, "hostPID"}, {s->host_ipc, "hostIPC"}};
    const struct linux_field then[] = {{sc->seccomp_profile, "seccompProfile"},
                                       {sc->fs_group.is_set, "fsGroup"},
                                       {sc->fs_group_change_policy.p, "fsGroupChangePolicy"},
                                       {sc->sysctls.count, "sysctls"}};
    const struct linux_field shared[] = {{s->share_process_namespace.is_set, "shareProcessNamespace"}};
    const struct linux_field last[] = {{sc->run_as_user.is_set, "runAsUser"},
                                       {sc->run_as_group.is_set, "runAsGroup"},
                                       {sc->supplemental_groups.count, "supplementalGroups"},
                                       {sc->supplemental_groups_policy.p, "supplementalGroupsPolicy"},
                                       {sc->se_linux_change_policy.p, "seLinuxChangePolicy"}};
    forbid_on_windows(c, path, first, ARRAY_COUNT(first));
    forbid_on_windows(c, spec_path, of_spec, ARRAY_COUNT(of_spec));
    forbid_on_windows(c, path, then, ARRAY_COUNT(then));
    forbid_on_windows(c, spec_path, shared, ARRAY_COUNT(shared));
    forbid_on_windows(c, path, last, ARRAY_COUNT(last));
}

static void windows_pod(struct pod_check *c, const struct field_path *spec_path)
{
    windows_pod_context(c, spec_path);
    struct container_walk w = {.spec = c->spec, .root = spec_path};
    for (const struct container *container; (container = container_walk_next(&w));) {
        const struct security_context *sc = container->security_context;
        if (!sc)
            continue;
        const struct linux_field fields[] = {
            {sc->app_armor_profile, "appArmorProfile"},
            {sc->se_linux_options, "seLinuxOptions"},
            {sc->seccomp_profile, "seccompProfile"},
            {sc->capabilities, "capabilities"},
            {sc->read_only_root_filesystem.is_set, "readOnlyRootFilesystem"},
            {sc->privileged.is_set, "privileged"},
            {sc->allow_privilege_escalation.is_set, "allowPrivilegeEscalation"},
            {sc->proc_mount.p, "procMount"},
            {sc->run_as_user.is_set, "runAsUser"},
            {sc->run_as_group.is_set, "runAsGroup"}};
        forbid_on_windows(c, AT(&w.path, "securityContext"), fields, ARRAY_COUNT(fields));
    }
}

void pod_os_validate(struct pod_check *c, const struct field_path *spec_path)
{
    const struct pod_os *os = c->spec->os;
    if (!os)
        return;
    const struct field_path *path = AT(spec_path, "os");
    if (os->name.n == 0)
        field_required(c->errors, AT(path, "name"), STR_NONE);
    else if (!rules_one_of(c->errors, path, os->name, STRS(S("linux"), S("windows"))))
        return;
    else if (str_is(os->name, "linux"))
        linux_pod(c, spec_path);
    else
        windows_pod(c, spec_path);
}
