/* node.c - Node: taints, address ranges that stay once they are set, what its agent reports. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"

/* --- defaults --- */

static void defaults(const struct rules_input *in, struct json *tree)
{
    struct json *spec = json_find(tree, S("spec")), *status = json_find(tree, S("status"));
    const struct json *capacity = json_find(status, S("capacity"));
    if (capacity && !json_find(status, S("allocatable")))
        json_set(in->arena, status, S("allocatable"), json_clone(in->arena, capacity));
    if (!spec)
        return;
    /* The older, single form counts where the two differ. */
    const struct json *one = json_find(spec, S("podCIDR"));
    const struct json *first = json_at(json_find(spec, S("podCIDRs")), 0);
    if (json_str(one).n && !(first && str_eq(json_str(first), json_str(one)))) {
        struct json list = json_array();
        json_append(in->arena, &list, *one);
        json_set(in->arena, spec, S("podCIDRs"), list);
    } else if (first && json_str(one).n == 0) {
        json_set(in->arena, spec, S("podCIDR"), *first);
    }
}

/* --- validation --- */

static void check_effect(struct field_errors *errors, const struct field_path *path, str effect)
{
    if (effect.n == 0)
        field_required(errors, path, STR_NONE);
    else
        rules_one_of_in_order(errors, path, effect,
                              STRS(S("NoSchedule"), S("PreferNoSchedule"), S("NoExecute")));
}

static void check_taint(struct field_errors *errors, const struct field_path *path, const struct taint *t)
{
    struct name_errors wrong = {.count = 0};
    rules_name(errors, AT(path, "key"), t->key, name_check_qualified);
    if (!name_check_label_value(t->value, &wrong)) {
        struct buf b;
        buf_init_arena(&b, errors->arena, 4096);
        name_errors_add(&b, &wrong, S(";"));
        field_invalid(errors, AT(path, "value"), TEXT(t->value), buf_str(&b));
    }
    check_effect(errors, AT(path, "effect"), t->effect);
}

/* The original says "metadata.taints". */
static void check_taints(struct field_errors *errors, const struct taint_array *taints)
{
    const struct field_path *path = AT(AT(NULL, "metadata"), "taints");
    str *keys = ARENA_ARRAY(errors->arena, str, taints->count);
    for (size_t i = 0; i < taints->count; i++)
        keys[i] = str_join(errors->arena, (const str[]){taints->items[i].key, taints->items[i].effect}, 2,
                           S(" "));
    const bool *repeated = repeats(errors->arena, keys, taints->count);
    for (size_t i = 0; i < taints->count; i++) {
        check_taint(errors, AT_INDEX(path, i), &taints->items[i]);
        if (!repeated[i])
            continue;
        struct json shown = internal_json(errors->arena, VIEW_TYPE(taint), &taints->items[i]);
        field_duplicate(errors, AT_INDEX(path, i), &shown);
        field_error_add_detail(errors, S("taints must be unique by key and effect pair"));
    }
}

static void check_amounts(struct field_errors *errors, const struct field_path *path,
                          const struct quantity_map *amounts)
{
    for (size_t i = 0; i < amounts->count; i++) {
        const struct quantity_map_entry *e = &amounts->items[i];
        check_resource_amount(errors, AT_NAME(path, e->key), e->key, &e->value);
    }
}

static bool is_letter(char c, bool capital)
{
    return capital ? c >= 'A' && c <= 'Z' : (c >= 'a' && c <= 'z');
}

/* MyFeature/mySubFeature */
static bool is_feature_name(str name)
{
    str part;
    if (name.n == 0 || !is_letter(name.p[0], true))
        return false;
    while (str_next(&name, '/', &part)) {
        if (part.n == 0 || !(is_letter(part.p[0], true) || is_letter(part.p[0], false)))
            return false;
        for (size_t i = 0; i < part.n; i++)
            if (!is_letter(part.p[i], true) && !is_letter(part.p[i], false) &&
                !(part.p[i] >= '0' && part.p[i] <= '9'))
                return false;
    }
    return true;
}

static void check_features(struct field_errors *errors, const struct str_array *features)
{
    const struct field_path *path = AT(AT(NULL, "status"), "declaredFeatures");
    for (size_t i = 0; i < features->count; i++) {
        str name = features->items[i];
        const char *wrong = NULL;
        if (name.n > NAME_SUBDOMAIN_SIZE_MAX)
            wrong = "must be no more than 253 characters";
        else if (!is_feature_name(name))
            wrong =
                "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., "
                "MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";
        if (wrong)
            field_invalid(errors, AT_INDEX(path, i), TEXT(name),
                          RULES_F(errors, "invalid feature name \"%" STR_FMT "\": %s", STR_ARG(name), wrong));
        if (i == 0)
            continue;
        int order = str_cmp(features->items[i - 1], name);
        if (order == 0)
            field_duplicate(errors, AT_INDEX(path, i), TEXT(name));
        else if (order > 0)
            field_invalid(errors, AT_INDEX(path, i), TEXT(name), S("list must be sorted alphabetically"));
    }
}

static void check_pod_cidrs(struct field_errors *errors, const struct str_array *cidrs)
{
    const struct field_path *path = AT(AT(NULL, "spec"), "podCIDRs");
    unsigned v4 = 0, v6 = 0;
    size_t before = errors->count;
    for (size_t i = 0; i < cidrs->count; i++) {
        struct cidr c;
        check_cidr(errors, AT_INDEX(path, i), cidrs->items[i], NULL);
        if (cidr_parse(cidrs->items[i], &c, NULL))
            *(cidr_is_v4(&c) ? &v4 : &v6) += 1;
    }
    struct json shown = rules_texts(errors->arena, cidrs);
    if (errors->count == before && (v4 > 1 || v6 > 1))
        field_invalid(errors, path, &shown, S("may specify no more than one CIDR for each IP family"));
}

static void check_swap(struct field_errors *errors, const struct node_swap_status *swap)
{
    if (swap && swap->capacity.is_set && swap->capacity.value <= 0)
        field_invalid(errors, AT(AT(AT(NULL, "metadata"), "nodeSwapStatus"), "capacity"),
                      NUMBER(swap->capacity.value), S("must be greater than zero"));
}

static void validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct node *n = view;
    const struct field_path *status = AT(NULL, "status");
    check_taints(errors, &n->spec.taints);
    check_amounts(errors, AT(status, "capacity"), &n->status.capacity);
    check_amounts(errors, AT(status, "allocatable"), &n->status.allocatable);
    check_swap(errors, n->status.node_info.swap);
    check_features(errors, &n->status.declared_features);
    if (!str_is(in->subresource, "status"))
        check_pod_cidrs(errors, &n->spec.pod_cidrs);
}

static void check_addresses(struct field_errors *errors, const struct node_address_array *addresses)
{
    const struct field_path *path = AT(AT(NULL, "status"), "addresses");
    str *keys = ARENA_ARRAY(errors->arena, str, addresses->count);
    for (size_t i = 0; i < addresses->count; i++)
        keys[i] = str_join(errors->arena,
                           (const str[]){addresses->items[i].type, addresses->items[i].address}, 2, S(" "));
    const bool *repeated = repeats(errors->arena, keys, addresses->count);
    for (size_t i = 0; i < addresses->count; i++) {
        if (!repeated[i])
            continue;
        struct json shown = internal_json(errors->arena, VIEW_TYPE(node_address), &addresses->items[i]);
        field_duplicate(errors, AT_INDEX(path, i), &shown);
    }
}

static void validate_update(const struct rules_input *in, const void *view, const void *old_view,
                            struct field_errors *errors)
{
    const struct node *n = view, *old = old_view;
    const struct field_path *spec = AT(NULL, "spec");
    check_addresses(errors, &n->status.addresses);
    if (old->spec.pod_cidrs.count && !str_arrays_equal(&n->spec.pod_cidrs, &old->spec.pod_cidrs))
        field_forbidden(errors, AT(spec, "podCIDRs"),
                        S("node updates may not change podCIDR except from \"\" to valid"));
    if (old->spec.provider_id.n && !str_eq(n->spec.provider_id, old->spec.provider_id))
        field_forbidden(errors, AT(spec, "providerID"),
                        S("node updates may not change providerID except from \"\" to valid"));
    if (!str_eq(n->spec.external_id, old->spec.external_id))
        field_forbidden(errors, AT(spec, "externalID"), S("may not be updated"));
}

static void warnings(const struct rules_input *in, const void *view, const void *old)
{
    const struct node *n = view;
    if (n->spec.config_source)
        warn(in, "spec.configSource: the feature is removed");
    if (n->spec.external_id.n)
        warn(in, "spec.externalID: this field is deprecated, and is unused by Kubernetes");
    for (size_t i = 0; !old && i < n->spec.pod_cidrs.count; i++)
        warn_cidr(in, AT_INDEX(AT(AT(NULL, "spec"), "podCIDRs"), i), n->spec.pod_cidrs.items[i]);
}

const struct kind_rules node_rules = {.package = "core/v1",
                                      .kind = "Node",
                                      .defaults = defaults,
                                      .validate = validate,
                                      .validate_update = validate_update,
                                      .warnings = warnings};
