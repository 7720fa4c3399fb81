/* pod_env.c - variables of containers: names, and where values come from; what fields of a pod may be shown to it. */
#include "api/rules/pod_priv.h"

/* "metadata.labels['app']" into path and key. */
static bool split_subscript(str field, str *ret_path, str *ret_key)
{
    size_t open = str_index(field, S("['"));
    if (!str_ends(field, S("']")) || open == SIZE_MAX || open == 0 || field.n < open + 4)
        return false;
    *ret_path = str_slice(field, 0, open);
    *ret_key = str_slice(field, open + 2, field.n - 2);
    return true;
}

/* Why the field is not one that could be shown, or none. */
static str unknown_field(struct field_errors *errors, const struct object_field_selector *f)
{
    static const str known[] = {
        S_INIT("metadata.annotations"),
        S_INIT("metadata.labels"),
        S_INIT("metadata.name"),
        S_INIT("metadata.namespace"),
        S_INIT("metadata.uid"),
        S_INIT("spec.nodeName"),
        S_INIT("spec.restartPolicy"),
        S_INIT("spec.serviceAccountName"),
        S_INIT("spec.schedulerName"),
        S_INIT("status.phase"),
        S_INIT("status.hostIP"),
        S_INIT("status.hostIPs"),
        S_INIT("status.podIP"),
        S_INIT("status.podIPs"),
        S_INIT("spec.host"),
    };
    str path, key;
    if (!str_is(f->api_version, "v1"))
        return RULES_F(errors, "unsupported pod version: %" STR_FMT, STR_ARG(f->api_version));
    if (split_subscript(f->field_path, &path, &key)) {
        if (str_is(path, "metadata.annotations") || str_is(path, "metadata.labels"))
            return STR_NONE;
        return RULES_F(errors, "field label does not support subscript: %" STR_FMT, STR_ARG(f->field_path));
    }
    if (rules_is_one_of(f->field_path, known, ARRAY_COUNT(known)))
        return STR_NONE;
    return RULES_F(errors, "field label not supported: %" STR_FMT, STR_ARG(f->field_path));
}

void object_field_selector_validate(struct field_errors *errors, const struct field_path *path,
                                    const struct object_field_selector *f, bool of_volume)
{
    static const str of_volumes[] = {S_INIT("metadata.annotations"), S_INIT("metadata.labels"),
                                     S_INIT("metadata.name"), S_INIT("metadata.namespace"),
                                     S_INIT("metadata.uid")};
    static const str of_variables[] = {S_INIT("metadata.name"),
                                       S_INIT("metadata.namespace"),
                                       S_INIT("metadata.uid"),
                                       S_INIT("spec.nodeName"),
                                       S_INIT("spec.serviceAccountName"),
                                       S_INIT("status.hostIP"),
                                       S_INIT("status.hostIPs"),
                                       S_INIT("status.podIP"),
                                       S_INIT("status.podIPs")};
    const struct field_path *field_path = AT(path, "fieldPath");
    if (f->field_path.n == 0) {
        field_required(errors, field_path, STR_NONE);
        return;
    }
    str why = unknown_field(errors, f);
    if (why.n) {
        field_invalid(errors, field_path, TEXT(f->field_path),
                      RULES_F(errors, "error converting fieldPath: %" STR_FMT, STR_ARG(why)));
        return;
    }
    str shown, key, wanted = str_is(f->field_path, "spec.host") ? S("spec.nodeName") : f->field_path;
    if (split_subscript(wanted, &shown, &key))
        rules_name(errors, path, str_is(shown, "metadata.annotations") ? str_lower(errors->arena, key) : key,
                   name_check_qualified);
    else if (of_volume)
        rules_one_of(errors, field_path, wanted, of_volumes, ARRAY_COUNT(of_volumes));
    else
        rules_one_of(errors, field_path, wanted, of_variables, ARRAY_COUNT(of_variables));
}

/* What a resource's amount may be divided by. */
static const struct {
    const char *resource; /* behind "limits." and "requests."; a prefix if it ends in '-' */
    const char *called;
    bool cpu;
} divisors[] = {
    {"cpu", "cpu", true},
    {"memory", "memory", false},
    {"ephemeral-storage", "local ephemeral storage", false},
    {"hugepages-", "hugepages", false},
};

static bool is_divisor(str divisor, bool cpu)
{
    if (cpu)
        return str_is(divisor, "1") || str_is(divisor, "1m");
    static const char units[] = "kMGTPE";
    if (!str_take_prefix(&divisor, S("1")))
        return false;
    if (divisor.n == 0)
        return true;
    if (divisor.n == 1)
        return strchr(units, divisor.p[0]) != NULL;
    return divisor.n == 2 && divisor.p[1] == 'i' &&
           (divisor.p[0] == 'K' || (divisor.p[0] != 'k' && strchr(units, divisor.p[0])));
}

static void divisor_validate(struct field_errors *errors, const struct field_path *path,
                             const struct resource_field_selector *f)
{
    str resource = f->resource;
    if (quantity_is_zero(&f->divisor) ||
        (!str_take_prefix(&resource, S("limits.")) && !str_take_prefix(&resource, S("requests."))))
        return;
    struct json shown = rules_quantity(errors->arena, &f->divisor);
    for (size_t i = 0; i < ARRAY_COUNT(divisors); i++) {
        str name = str_from_c(divisors[i].resource);
        bool is_it = str_ends(name, S("-")) ? str_starts(resource, name) : str_eq(resource, name);
        if (is_it && !is_divisor(json_str(&shown), divisors[i].cpu))
            field_invalid(errors, AT(path, "divisor"), TEXT(f->resource),
                          RULES_F(errors, "only divisor's values %s are supported with the %s resource",
                                  divisors[i].cpu ? "1m and 1"
                                                  : "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei",
                                  divisors[i].called));
    }
}

void resource_field_selector_validate(struct field_errors *errors, const struct field_path *path,
                                      const struct resource_field_selector *f, bool of_volume)
{
    if (of_volume && f->container_name.n == 0)
        field_required(errors, AT(path, "containerName"), STR_NONE);
    else if (f->resource.n == 0)
        field_required(errors, AT(path, "resource"), STR_NONE);
    else if (!str_starts(f->resource, S("limits.hugepages-")) &&
             !str_starts(f->resource, S("requests.hugepages-")))
        rules_one_of(errors, AT(path, "resource"), f->resource,
                     STRS(S("limits.cpu"), S("limits.ephemeral-storage"), S("limits.memory"),
                          S("requests.cpu"), S("requests.ephemeral-storage"), S("requests.memory")));
    divisor_validate(errors, path, f);
}

static void key_selector(struct field_errors *errors, const struct field_path *path, str name, str key)
{
    rules_name(errors, AT(path, "name"), name, name_check_dns1123_subdomain);
    rules_name_required(errors, AT(path, "key"), key, name_check_config_map_key);
}

static void file_key_selector(struct field_errors *errors, const struct field_path *path,
                              const struct file_key_selector *f)
{
    rules_name_required(errors, AT(path, "key"), f->key, name_check_env_var_relaxed);
    rules_name_required(errors, AT(path, "volumeName"), f->volume_name, name_check_dns1123_label);
    rules_name_required(errors, AT(path, "path"), f->path, name_check_path);
}

static void value_from(struct field_errors *errors, const struct field_path *path, const struct env_var *env)
{
    const struct env_var_source *from = env->value_from;
    if (from->field_ref)
        object_field_selector_validate(errors, AT(path, "fieldRef"), from->field_ref, false);
    if (from->resource_field_ref)
        resource_field_selector_validate(errors, AT(path, "resourceFieldRef"), from->resource_field_ref,
                                         false);
    if (from->config_map_key_ref)
        key_selector(errors, AT(path, "configMapKeyRef"),
                     from->config_map_key_ref->local_object_reference.name, from->config_map_key_ref->key);
    if (from->secret_key_ref)
        key_selector(errors, AT(path, "secretKeyRef"), from->secret_key_ref->local_object_reference.name,
                     from->secret_key_ref->key);
    if (from->file_key_ref)
        file_key_selector(errors, AT(path, "fileKeyRef"), from->file_key_ref);
    int sources = !!from->field_ref + !!from->resource_field_ref + !!from->config_map_key_ref +
                  !!from->secret_key_ref + !!from->file_key_ref;
    if (sources == 0)
        field_invalid(errors, path, TEXT(S("")),
                      S("must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                        "`secretKeyRef` or `fileKeyRef`"));
    else if (env->value.n)
        field_invalid(errors, path, TEXT(S("")), S("may not be specified when `value` is not empty"));
    else if (sources > 1)
        field_invalid(errors, path, TEXT(S("")), S("may not have more than one field specified at a time"));
}

void pod_env_validate(struct field_errors *errors, const struct field_path *path,
                      const struct env_var_array *env)
{
    for (size_t i = 0; i < env->count; i++) {
        const struct field_path *at = AT_INDEX(path, i);
        rules_name_required(errors, AT(at, "name"), env->items[i].name, name_check_env_var_relaxed);
        if (env->items[i].value_from)
            value_from(errors, AT(at, "valueFrom"), &env->items[i]);
    }
}

static void env_source(struct field_errors *errors, const struct field_path *path, str name)
{
    if (name.n == 0)
        field_required(errors, AT(path, "name"), STR_NONE);
    else
        rules_name_prefix(errors, AT(path, "name"), name, name_check_dns1123_subdomain);
}

void pod_env_from_validate(struct field_errors *errors, const struct field_path *path,
                           const struct env_from_source_array *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct env_from_source *s = &sources->items[i];
        const struct field_path *at = AT_INDEX(path, i);
        if (s->prefix.n)
            rules_name(errors, AT(at, "prefix"), s->prefix, name_check_env_var_relaxed);
        if (s->config_map_ref)
            env_source(errors, AT(at, "configMapRef"), s->config_map_ref->local_object_reference.name);
        if (s->secret_ref)
            env_source(errors, AT(at, "secretRef"), s->secret_ref->local_object_reference.name);
        if (!s->config_map_ref && !s->secret_ref)
            field_invalid(errors, path, TEXT(S("")), S("must specify one of: `configMapRef` or `secretRef`"));
        else if (s->config_map_ref && s->secret_ref)
            field_invalid(errors, path, TEXT(S("")),
                          S("may not have more than one field specified at a time"));
    }
}
