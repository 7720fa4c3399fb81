/* rbac.c - Role, ClusterRole and their bindings: rules that grant something, subjects that can be told apart, a role that a
 * binding keeps. Whether who writes them may grant it is the server's to check. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "view/rbac_v1.h"

#define GROUP "rbac.authorization.k8s.io"

/* --- roles --- */

static void check_rule(struct field_errors *errors, const struct field_path *path,
                       const struct rbac_policy_rule *r, bool namespaced)
{
    const struct field_path *urls = AT(path, "nonResourceURLs");
    if (r->verbs.count == 0)
        field_required(errors, AT(path, "verbs"), S("verbs must contain at least one value"));
    if (r->non_resource_urls.count) {
        struct json shown = rules_texts(errors->arena, &r->non_resource_urls);
        if (namespaced)
            field_invalid(errors, urls, &shown, S("namespaced rules cannot apply to non-resource URLs"));
        if (r->api_groups.count || r->resources.count || r->resource_names.count)
            field_invalid(errors, urls, &shown,
                          S("rules cannot apply to both regular resources and non-resource URLs"));
        return;
    }
    if (r->api_groups.count == 0)
        field_required(errors, AT(path, "apiGroups"), S("resource rules must supply at least one api group"));
    if (r->resources.count == 0)
        field_required(errors, AT(path, "resources"), S("resource rules must supply at least one resource"));
    if (r->resource_names.count && r->resources.count > 1)
        field_required(errors, AT(path, "resourceNames"),
                       S("resource names cannot apply to multiple resources"));
}

static void check_rules(struct field_errors *errors, const struct rbac_policy_rule_array *rules,
                        bool namespaced)
{
    for (size_t i = 0; i < rules->count; i++)
        check_rule(errors, AT_INDEX(AT(NULL, "rules"), i), &rules->items[i], namespaced);
}

static void validate_role(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct rbac_role *r = view;
    check_rules(errors, &r->rules, true);
}

static bool aggregates_oddly(const struct rules_input *in, const struct rbac_cluster_role *r)
{
    bool odd = false;
    for (size_t i = 0; r && r->aggregation_rule && i < r->aggregation_rule->cluster_role_selectors.count; i++)
        odd = odd ||
              !label_selector_is_valid(in->arena, &r->aggregation_rule->cluster_role_selectors.items[i]);
    return odd;
}

static void validate_cluster_role(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct rbac_cluster_role *r = view;
    const struct field_path *selectors = AT(AT(NULL, "aggregationRule"), "clusterRoleSelectors");
    unsigned flags = aggregates_oddly(in, in->old) ? RULES_ANY_VALUES : 0;
    check_rules(errors, &r->rules, false);
    if (!r->aggregation_rule)
        return;
    if (r->aggregation_rule->cluster_role_selectors.count == 0)
        field_required(errors, selectors,
                       S("at least one clusterRoleSelector required if aggregationRule is non-nil"));
    for (size_t i = 0; i < r->aggregation_rule->cluster_role_selectors.count; i++)
        rules_label_selector_with(errors, AT_INDEX(selectors, i),
                                  &r->aggregation_rule->cluster_role_selectors.items[i], flags);
}

/* --- bindings --- */

static void default_subjects(const struct rules_input *in, struct json *tree)
{
    struct json *subjects = json_find(tree, S("subjects"));
    for (size_t i = 0; i < json_count(subjects); i++) {
        struct json *subject = json_at(subjects, i);
        str kind = json_str(json_find(subject, S("kind")));
        if ((str_is(kind, "User") || str_is(kind, "Group")) &&
            json_str(json_find(subject, S("apiGroup"))).n == 0)
            json_set(in->arena, subject, S("apiGroup"), json_of_str(S(GROUP)));
    }
}

static void check_role_ref(struct field_errors *errors, const struct rbac_role_ref *r, bool namespaced)
{
    const struct field_path *path = AT(NULL, "roleRef");
    rules_one_of_in_order(errors, AT(path, "apiGroup"), r->api_group, STRS(S(GROUP)));
    if (namespaced)
        rules_one_of_in_order(errors, AT(path, "kind"), r->kind, STRS(S("Role"), S("ClusterRole")));
    else
        rules_one_of_in_order(errors, AT(path, "kind"), r->kind, STRS(S("ClusterRole")));
    check_required_segment(errors, AT(path, "name"), r->name);
}

static void check_subject(struct field_errors *errors, const struct field_path *path,
                          const struct rbac_subject *s, bool namespaced)
{
    const struct field_path *name = AT(path, "name"), *group = AT(path, "apiGroup");
    rules_required(errors, name, s->name);
    if (str_is(s->kind, "ServiceAccount")) {
        if (s->name.n)
            rules_name(errors, name, s->name, name_check_dns1123_subdomain);
        if (s->api_group.n)
            rules_one_of_in_order(errors, group, s->api_group, STRS(S("")));
        if (!namespaced)
            rules_required(errors, AT(path, "namespace"), s->namespace);
    } else if (str_is(s->kind, "User") || str_is(s->kind, "Group")) {
        if (s->name.n == 0)
            field_invalid(errors, name, TEXT(s->name),
                          str_is(s->kind, "User") ? S("user name cannot be empty")
                                                  : S("group name cannot be empty"));
        rules_one_of_in_order(errors, group, s->api_group, STRS(S(GROUP)));
    } else {
        rules_one_of_in_order(errors, AT(path, "kind"), s->kind,
                              STRS(S("ServiceAccount"), S("User"), S("Group")));
    }
}

static void check_subjects(struct field_errors *errors, const struct rbac_subject_array *subjects,
                           bool namespaced)
{
    for (size_t i = 0; i < subjects->count; i++)
        check_subject(errors, AT_INDEX(AT(NULL, "subjects"), i), &subjects->items[i], namespaced);
}

static void check_same_role(struct field_errors *errors, const struct rbac_role_ref *r,
                            const struct rbac_role_ref *old)
{
    if (str_eq(r->api_group, old->api_group) && str_eq(r->kind, old->kind) && str_eq(r->name, old->name))
        return;
    struct json shown = internal_json(errors->arena, VIEW_TYPE(rbac_role_ref), r);
    field_invalid(errors, AT(NULL, "roleRef"), &shown, S("cannot change roleRef"));
}

static void validate_binding(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct rbac_role_binding *b = view;
    check_role_ref(errors, &b->role_ref, true);
    check_subjects(errors, &b->subjects, true);
}

static void validate_binding_update(const struct rules_input *in, const void *view, const void *old,
                                    struct field_errors *errors)
{
    check_same_role(errors, &((const struct rbac_role_binding *)view)->role_ref,
                    &((const struct rbac_role_binding *)old)->role_ref);
}

static void validate_cluster_binding(const struct rules_input *in, const void *view,
                                     struct field_errors *errors)
{
    const struct rbac_cluster_role_binding *b = view;
    check_role_ref(errors, &b->role_ref, false);
    check_subjects(errors, &b->subjects, false);
}

static void validate_cluster_binding_update(const struct rules_input *in, const void *view, const void *old,
                                            struct field_errors *errors)
{
    check_same_role(errors, &((const struct rbac_cluster_role_binding *)view)->role_ref,
                    &((const struct rbac_cluster_role_binding *)old)->role_ref);
}

const struct kind_rules role_rules = {.package = "rbac/v1", .kind = "Role", .validate = validate_role};
const struct kind_rules cluster_role_rules = {
    .package = "rbac/v1", .kind = "ClusterRole", .validate = validate_cluster_role};
const struct kind_rules role_binding_rules = {.package = "rbac/v1",
                                              .kind = "RoleBinding",
                                              .defaults = default_subjects,
                                              .validate = validate_binding,
                                              .validate_update = validate_binding_update};
const struct kind_rules cluster_role_binding_rules = {.package = "rbac/v1",
                                                      .kind = "ClusterRoleBinding",
                                                      .defaults = default_subjects,
                                                      .validate = validate_cluster_binding,
                                                      .validate_update = validate_cluster_binding_update};
