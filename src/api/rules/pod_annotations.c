/* pod_annotations.c - annotations that were fields of pods before there were fields: mirrors, seccomp, AppArmor. */
#include "api/rules/checks.h"
#include "api/rules/pod_priv.h"

#define MIRROR        "kubernetes.io/config.mirror"
#define TOLERATIONS   "scheduler.alpha.kubernetes.io/tolerations"
#define DELETION_COST "controller.kubernetes.io/pod-deletion-cost"
#define SECCOMP_POD   "seccomp.security.alpha.kubernetes.io/pod"
#define SECCOMP       "container.seccomp.security.alpha.kubernetes.io/"
#define APP_ARMOR     "container.apparmor.security.beta.kubernetes.io/"

/* --- what they say --- */

/* Zeros may lead negative numbers only. */
static bool is_deletion_cost(str s)
{
    uint64_t n;
    bool negative = str_take_prefix(&s, S("-"));
    if (!negative && s.n > 1 && s.p[0] == '0')
        return false;
    return str_parse_u64(s, &n) && n <= (uint64_t)INT32_MAX + negative;
}

static str member_of(const struct json *object, const char *name)
{
    return json_str(json_find(object, str_from_c(name)));
}

static void tolerations(struct field_errors *errors, const struct field_path *path, str text)
{
    struct json list;
    struct err err = ERR_INIT;
    if (json_parse(errors->arena, text, NULL, &list, &err) != ERR_NONE) {
        field_invalid(errors, path, TEXT(S(TOLERATIONS)), RULES_F(errors, "%s", err.msg));
        return;
    }
    struct toleration *items = ARENA_ARRAY(errors->arena, struct toleration, json_count(&list));
    struct toleration_array all = {.items = items};
    for (size_t i = 0; list.type == JSON_ARRAY && i < json_count(&list); i++) {
        const struct json *j = json_at(&list, i);
        struct toleration *t = &items[all.count++];
        *t = (struct toleration){.key = member_of(j, "key"),
                                 .operator= member_of(j, "operator"),
                                 .value = member_of(j, "value"),
                                 .effect = member_of(j, "effect")};
        t->toleration_seconds.is_set = json_int(json_find(j, S("tolerationSeconds")),
                                                &t->toleration_seconds.value);
    }
    pod_tolerations_validate(errors, AT(path, TOLERATIONS), &all);
}

static void seccomp(struct field_errors *errors, const struct field_path *path, str profile)
{
    if (str_is(profile, "runtime/default") || str_is(profile, "docker/default") ||
        str_is(profile, "unconfined"))
        return;
    if (str_take_prefix(&profile, S("localhost/")))
        rules_name(errors, path, profile, name_check_relative_path);
    else
        field_invalid(errors, path, TEXT(profile), S("must be a valid seccomp profile"));
}

static bool has_container(const struct pod_spec *spec, str name)
{
    struct container_walk w = {.spec = spec};
    for (const struct container *c; (c = container_walk_next(&w));)
        if (str_eq(c->name, name))
            return true;
    return false;
}

static void app_armor(struct field_errors *errors, const struct field_path *path, str name, str profile,
                      const struct pod_spec *spec)
{
    if (!has_container(spec, name))
        field_invalid(errors, path, TEXT(name), S("container not found"));
    if (profile.n == 0 || str_is(profile, "runtime/default") || str_is(profile, "unconfined") ||
        str_starts(profile, S("localhost/")))
        return;
    struct buf b;
    buf_init_arena(&b, errors->arena, 1 << 20);
    buf_add_lit(&b, "invalid AppArmor profile name: ");
    json_print_str(&b, profile, 0);
    field_invalid(errors, path, TEXT(profile), buf_str(&b));
}

void pod_annotations_validate(struct field_errors *errors, const struct field_path *path,
                              const struct str_map *annotations, const struct pod_spec *spec)
{
    const str *value = rules_map_find(annotations, S(MIRROR));
    if (value && spec->node_name.n == 0)
        field_invalid(errors, AT_KEY(path, S(MIRROR)), TEXT(*value),
                      S("must set spec.nodeName if mirror pod annotation is set"));
    value = rules_map_find(annotations, S(TOLERATIONS));
    if (value && value->n)
        tolerations(errors, path, *value);
    value = rules_map_find(annotations, S(DELETION_COST));
    if (value && !is_deletion_cost(*value))
        field_invalid(errors, AT_KEY(path, S(DELETION_COST)), TEXT(*value), S("must be a 32bit integer"));
    value = rules_map_find(annotations, S(SECCOMP_POD));
    if (value)
        seccomp(errors, AT(path, SECCOMP_POD), *value);
    for (size_t i = 0; i < annotations->count; i++)
        if (str_starts(annotations->items[i].key, S(SECCOMP)))
            seccomp(errors, AT_NAME(path, annotations->items[i].key), annotations->items[i].value);
    for (size_t i = 0; i < annotations->count; i++) {
        str name = annotations->items[i].key;
        if (str_take_prefix(&name, S(APP_ARMOR)))
            app_armor(errors, AT_KEY(path, annotations->items[i].key), name, annotations->items[i].value,
                      spec);
    }
}

static bool is_app_armor(str key)
{
    return str_starts(key, S(APP_ARMOR));
}

void pod_annotations_validate_update(struct field_errors *errors, const struct field_path *path,
                                     const struct pod *pod, const struct pod *old)
{
    const struct str_map *after = &pod->metadata.annotations, *before = &old->metadata.annotations;
    for (size_t i = 0; i < before->count; i++) {
        str key = before->items[i].key;
        const str *now = rules_map_find(after, key);
        if (now && str_eq(*now, before->items[i].value))
            continue;
        if (is_app_armor(key))
            field_forbidden(errors, AT_KEY(path, key), S("may not remove or update AppArmor annotations"));
        if (str_is(key, MIRROR))
            field_forbidden(errors, AT_KEY(path, key), S("may not remove or update mirror pod annotation"));
    }
    for (size_t i = 0; i < after->count; i++) {
        str key = after->items[i].key;
        if (rules_map_find(before, key))
            continue;
        if (is_app_armor(key))
            field_forbidden(errors, AT_KEY(path, key), S("may not add AppArmor annotations"));
        if (str_is(key, MIRROR))
            field_forbidden(errors, AT_KEY(path, key), S("may not add mirror pod annotation"));
    }
    pod_annotations_validate(errors, path, after, &pod->spec);
}

/* --- and that fields say the same --- */

/* A profile as a field has it, of either kind. */
struct profile {
    const char *called; /* in messages */
    str type, localhost;
};

static void profile_matches(struct field_errors *errors, const struct field_path *path,
                            const struct profile *p, str annotation)
{
    bool same_type = true, same_profile = true;
    if (str_is(p->type, "Unconfined"))
        same_type = str_is(annotation, "unconfined");
    else if (str_is(p->type, "RuntimeDefault"))
        same_type = str_is(annotation, "runtime/default") ||
                    (strcmp(p->called, "seccomp") == 0 && str_is(annotation, "docker/default"));
    else if (str_is(p->type, "Localhost") && (same_type = str_take_prefix(&annotation, S("localhost/"))))
        same_profile = p->localhost.p && str_eq(annotation, p->localhost);
    if (!same_type)
        field_forbidden(errors, AT(path, "type"),
                        RULES_F(errors, "%s type in annotation and field must match", p->called));
    else if (!same_profile)
        field_forbidden(errors, AT(path, "localhostProfile"),
                        RULES_F(errors, "%s profile in annotation and field must match", p->called));
}

static const str *annotation_of(const struct field_errors *errors, const struct object_meta *meta, str prefix,
                                const struct container *c)
{
    return rules_map_find(&meta->annotations, str_concat(errors->arena, prefix, c->name));
}

static void seccomp_matches(struct field_errors *errors, const struct field_path *path,
                            const struct seccomp_profile *p, const str *annotation)
{
    if (p && annotation)
        profile_matches(errors, AT(path, "seccompProfile"),
                        &(struct profile){"seccomp", p->type, p->localhost_profile}, *annotation);
}

void pod_profiles_validate(struct field_errors *errors, const struct field_path *spec_path,
                           const struct object_meta *meta, const struct pod_spec *spec)
{
    const struct pod_security_context *of_pod = spec->security_context;
    if (meta->annotations.count == 0)
        return;
    seccomp_matches(errors, AT(spec_path, "securityContext"), of_pod ? of_pod->seccomp_profile : NULL,
                    rules_map_find(&meta->annotations, S(SECCOMP_POD)));
    struct container_walk w = {.spec = spec, .root = spec_path};
    for (const struct container *c; (c = container_walk_next(&w));)
        if (c->security_context)
            seccomp_matches(errors, AT(&w.path, "securityContext"), c->security_context->seccomp_profile,
                            annotation_of(errors, meta, S(SECCOMP), c));
    if (spec->os && str_is(spec->os->name, "windows"))
        return;
    w = (struct container_walk){.spec = spec, .root = spec_path};
    for (const struct container *c; (c = container_walk_next(&w));) {
        const struct app_armor_profile *p = of_pod ? of_pod->app_armor_profile : NULL;
        if (c->security_context && c->security_context->app_armor_profile)
            p = c->security_context->app_armor_profile;
        const str *annotation = annotation_of(errors, meta, S(APP_ARMOR), c);
        if (p && annotation)
            profile_matches(errors, AT(AT(&w.path, "securityContext"), "appArmorProfile"),
                            &(struct profile){"apparmor", p->type, p->localhost_profile}, *annotation);
    }
}
