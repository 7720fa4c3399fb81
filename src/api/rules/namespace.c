/* namespace.c - Namespace, and what bounds the resources of one: ResourceQuota, LimitRange. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "base/vec.h"

/* --- Namespace --- */

#define NAME_LABEL "kubernetes.io/metadata.name"

/* Selectors of namespaces can name one. */
static void label_with_name(const struct rules_input *in, struct json *tree)
{
    struct json *metadata = json_find(tree, S("metadata"));
    const struct json *name = json_find(metadata, S("name"));
    if (json_str(name).n == 0)
        return;
    struct json *labels = json_find(metadata, S("labels"));
    if (!labels || labels->type != JSON_OBJECT)
        labels = json_set(in->arena, metadata, S("labels"), json_object());
    json_set(in->arena, labels, S(NAME_LABEL), *json_get(tree, S("metadata"), S("name")));
}

static void on_create_namespace(const struct rules_input *in, struct json *tree)
{
    label_with_name(in, tree); /* again: the name may have been generated since */
    struct json status = json_object();
    json_set(in->arena, &status, S("phase"), json_of_str(S("Active")));
    json_set(in->arena, tree, S("status"), status);
    struct json *spec = json_find(tree, S("spec"));
    if (!spec || spec->type != JSON_OBJECT)
        spec = json_set(in->arena, tree, S("spec"), json_object());
    struct json *finalizers = json_find(spec, S("finalizers"));
    if (!finalizers || finalizers->type != JSON_ARRAY)
        finalizers = json_set(in->arena, spec, S("finalizers"), json_array());
    for (size_t i = 0; i < finalizers->n; i++)
        if (str_is(json_str(json_at(finalizers, i)), "kubernetes"))
            return;
    json_append(in->arena, finalizers, json_of_str(S("kubernetes")));
}

/* Finalizers of the content change through their own subresource only. */
static void on_update_namespace(const struct rules_input *in, struct json *tree, const struct json *old)
{
    const struct json *spec = json_find(old, S("spec")), *status = json_find(old, S("status"));
    if (in->subresource.n == 0 && spec)
        json_set(in->arena, tree, S("spec"), json_clone_deep(in->arena, spec));
    if (str_is(in->subresource, "finalize") && status)
        json_set(in->arena, tree, S("status"), json_clone_deep(in->arena, status));
}

static void check_finalizer(struct field_errors *errors, const struct field_path *path, str finalizer)
{
    rules_name(errors, path, finalizer, name_check_qualified);
    check_standard_finalizer(errors, path, finalizer);
}

static void check_phase(struct field_errors *errors, const struct namespace *n)
{
    const struct field_path *phase = AT(AT(NULL, "status"), "Phase");
    if (kube_time_is_zero(n->metadata.deletion_timestamp) && !str_is(n->status.phase, "Active"))
        field_invalid(errors, phase, TEXT(n->status.phase),
                      S("may only be 'Active' if `deletionTimestamp` is empty"));
    else if (!kube_time_is_zero(n->metadata.deletion_timestamp) && !str_is(n->status.phase, "Terminating"))
        field_invalid(errors, phase, TEXT(n->status.phase),
                      S("may only be 'Terminating' if `deletionTimestamp` is not empty"));
}

static void validate_namespace(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct namespace *n = view;
    const struct field_path *path = AT(AT(NULL, "spec"), "finalizers");
    bool finalize = str_is(in->subresource, "finalize");
    if (str_is(in->subresource, "status"))
        check_phase(errors, n);
    for (size_t i = 0; (!in->old || finalize) && i < n->spec.finalizers.count; i++)
        check_finalizer(errors, finalize ? AT_INDEX(path, i) : path, n->spec.finalizers.items[i]);
}

const struct kind_rules namespace_rules = {.package = "core/v1",
                                           .kind = "Namespace",
                                           .defaults = label_with_name,
                                           .on_create = on_create_namespace,
                                           .on_update = on_update_namespace,
                                           .validate = validate_namespace};

/* --- ResourceQuota --- */

static bool scope_is_known(str scope)
{
    return rules_is_one_of(scope, STRS(S("Terminating"), S("NotTerminating"), S("BestEffort"),
                                       S("NotBestEffort"), S("PriorityClass"), S("CrossNamespacePodAffinity"),
                                       S("VolumeAttributesClass")));
}

static bool scope_fits(str scope, str resource)
{
    bool count = str_is(resource, "pods");
    bool compute = rules_is_one_of(resource, STRS(S("cpu"), S("memory"), S("limits.cpu"), S("limits.memory"),
                                                  S("requests.cpu"), S("requests.memory")));
    if (str_is(scope, "BestEffort"))
        return count;
    if (str_is(scope, "VolumeAttributesClass"))
        return rules_is_one_of(resource, STRS(S("persistentvolumeclaims"), S("requests.storage")));
    return !scope_is_known(scope) || count || compute;
}

static void check_amounts(struct field_errors *errors, const struct field_path *path,
                          const struct quantity_map *amounts)
{
    for (size_t i = 0; i < amounts->count; i++) {
        const struct quantity_map_entry *e = &amounts->items[i];
        check_quota_resource_name(errors, AT_KEY(path, e->key), e->key);
        check_resource_amount(errors, AT_KEY(path, e->key), e->key, &e->value);
    }
}

/* Of the two ways to say scopes: each must be known and fit what is bounded. */
static void check_scope(struct field_errors *errors, const struct field_path *path,
                        const struct resource_quota_spec *s, str scope, const struct json *shown)
{
    for (size_t i = 0; i < s->hard.count; i++)
        if (resource_is_quota_standard(s->hard.items[i].key) && !scope_fits(scope, s->hard.items[i].key))
            field_invalid(errors, path, shown, S("unsupported scope applied to resource"));
}

static void check_pairs(struct field_errors *errors, const struct field_path *path,
                        const struct str_array *scopes, const struct json *shown)
{
    static const struct {
        str one, other;
    } pairs[] = {
        {S_INIT("BestEffort"), S_INIT("NotBestEffort")},
        {S_INIT("Terminating"), S_INIT("NotTerminating")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
        if (rules_is_one_of(pairs[i].one, scopes->items, scopes->count) &&
            rules_is_one_of(pairs[i].other, scopes->items, scopes->count))
            field_invalid(errors, path, shown, S("conflicting scopes"));
}

static void check_scopes(struct field_errors *errors, const struct field_path *spec,
                         const struct resource_quota_spec *s)
{
    const struct field_path *path = AT(spec, "scopes");
    struct json shown = rules_texts(errors->arena, &s->scopes);
    for (size_t i = 0; i < s->scopes.count; i++) {
        if (!scope_is_known(s->scopes.items[i]))
            field_invalid(errors, path, &shown, S("unsupported scope"));
        check_scope(errors, path, s, s->scopes.items[i], &shown);
    }
    check_pairs(errors, path, &s->scopes, &shown);
}

static void check_requirement(struct field_errors *errors, const struct field_path *path,
                              const struct scoped_resource_selector_requirement *r)
{
    const struct field_path *op = AT(path, "operator"), *values = AT(path, "values");
    bool only_exists = scope_is_known(r->scope_name) && !str_is(r->scope_name, "PriorityClass") &&
                       !str_is(r->scope_name, "VolumeAttributesClass");
    if (only_exists && !str_is(r->operator, "Exists"))
        field_invalid(errors, op, TEXT(r->operator),
                      S("must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                        "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                        "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"));
    if (str_is(r->operator, "In") || str_is(r->operator, "NotIn")) {
        if (r->values.count == 0)
            field_required(
                errors, values,
                S("must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
    } else if (str_is(r->operator, "Exists") || str_is(r->operator, "DoesNotExist")) {
        struct json shown = rules_texts(errors->arena, &r->values);
        if (r->values.count)
            field_invalid(
                errors, values, &shown,
                S("must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
    } else {
        field_invalid(errors, op, TEXT(r->operator), S("not a valid selector operator"));
    }
}

static void check_scope_selector(struct field_errors *errors, const struct field_path *spec,
                                 const struct resource_quota_spec *s)
{
    const struct field_path *path = AT(AT(spec, "scopeSelector"), "matchExpressions");
    if (!s->scope_selector)
        return;
    struct json shown = internal_json(errors->arena, VIEW_TYPE(scope_selector), s->scope_selector);
    size_t count = s->scope_selector->match_expressions.count;
    str *names = ARENA_ARRAY(errors->arena, str, count);
    for (size_t i = 0; i < count; i++) {
        const struct scoped_resource_selector_requirement *r = &s->scope_selector->match_expressions.items[i];
        names[i] = r->scope_name;
        if (!scope_is_known(r->scope_name))
            field_invalid(errors, AT(path, "scopeName"), TEXT(r->scope_name), S("unsupported scope"));
        check_scope(errors, path, s, r->scope_name, &shown);
        check_requirement(errors, path, r);
    }
    struct json scopes = rules_texts(errors->arena, &s->scopes);
    check_pairs(errors, path, &(struct str_array){.items = names, .count = count}, &scopes);
}

static void validate_quota(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct resource_quota *q = view;
    const struct field_path *spec = AT(NULL, "spec"), *status = AT(NULL, "status");
    if (!str_is(in->subresource, "status")) {
        check_amounts(errors, AT(spec, "hard"), &q->spec.hard);
        check_scopes(errors, spec, &q->spec);
        check_scope_selector(errors, spec, &q->spec);
    } else {
        check_amounts(errors, AT(status, "hard"), &q->status.hard);
        check_amounts(errors, AT(status, "used"), &q->status.used);
    }
}

static void validate_quota_update(const struct rules_input *in, const void *view, const void *old_view,
                                  struct field_errors *errors)
{
    const struct resource_quota *q = view, *old = old_view;
    struct arena *a = errors->arena;
    struct str_array now = sorted_strs(a, &q->spec.scopes), was = sorted_strs(a, &old->spec.scopes);
    struct json shown = rules_texts(a, &q->spec.scopes);
    if (!str_is(in->subresource, "status") && !str_arrays_equal(&now, &was))
        field_invalid(errors, AT(AT(NULL, "spec"), "scopes"), &shown, S("field is immutable"));
}

static void drop_status(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
}

const struct kind_rules resource_quota_rules = {.package = "core/v1",
                                                .kind = "ResourceQuota",
                                                .on_create = drop_status,
                                                .validate = validate_quota,
                                                .validate_update = validate_quota_update};

/* --- LimitRange --- */

/* What `from` says of a resource and `to` does not. */
static void fill_in(struct arena *a, struct json *limit, const char *from, const char *to)
{
    const struct json *source = json_find(limit, str_from_c(from));
    if (json_count(source) == 0)
        return;
    struct json *target = json_find(limit, str_from_c(to));
    if (!target || target->type != JSON_OBJECT)
        target = json_set(a, limit, str_from_c(to), json_object());
    source = json_find(limit, str_from_c(from)); /* the object may have moved */
    for (size_t i = 0; i < source->n; i++) {
        const struct json_member *m = &source->v.members[i];
        if (!json_find(target, json_member_name(m)))
            json_set(a, target, json_member_name(m), m->value);
    }
}

static void default_limits(const struct rules_input *in, struct json *tree)
{
    struct json *limits = json_get(tree, S("spec"), S("limits"));
    for (size_t i = 0; i < json_count(limits); i++) {
        struct json *limit = json_at(limits, i);
        if (!str_is(json_str(json_find(limit, S("type"))), "Container"))
            continue;
        fill_in(in->arena, limit, "max", "default");
        fill_in(in->arena, limit, "default", "defaultRequest");
        fill_in(in->arena, limit, "min", "defaultRequest");
    }
}

static void check_limit_type(struct field_errors *errors, const struct field_path *path, str type)
{
    size_t before = errors->count;
    rules_name(errors, path, type, name_check_qualified);
    if (errors->count == before && str_index_c(type, '/') == SIZE_MAX &&
        !rules_is_one_of(type, STRS(S("Pod"), S("Container"), S("PersistentVolumeClaim"))))
        field_invalid(errors, path, TEXT(type), S("must be a standard limit type or fully qualified"));
}

static void check_limit_names(struct field_errors *errors, const struct field_path *path, str type,
                              const struct quantity_map *amounts)
{
    bool of_containers = str_is(type, "Pod") || str_is(type, "Container");
    for (size_t i = 0; i < amounts->count; i++) {
        str key = amounts->items[i].key;
        if (of_containers)
            check_container_resource_name(errors, AT_KEY(path, key), key);
        else
            check_resource_name(errors, AT_KEY(path, key), key);
    }
}

/* What is said of one resource; NULL: nothing. */
struct bounds {
    const struct quantity *min, *max, *def, *request, *ratio;
};

static str shown(struct arena *a, const struct quantity *q)
{
    struct json j = rules_quantity(a, q);
    return json_str(&j);
}

/* `x` is above `y`: `field` of the resource is wrong, which shows `value`. */
static void check_order(struct field_errors *errors, const struct field_path *path, const struct quantity *x,
                        const char *x_name, const struct quantity *y, const char *y_name,
                        const struct quantity *value)
{
    if (!x || !y || quantity_cmp(x, y) <= 0)
        return;
    struct json of_value = rules_quantity(errors->arena, value);
    field_invalid(errors, path, &of_value,
                  RULES_F(errors, "%s value %" STR_FMT " is greater than %s value %" STR_FMT, x_name,
                          STR_ARG(shown(errors->arena, x)), y_name, STR_ARG(shown(errors->arena, y))));
}

static void check_ratio(struct field_errors *errors, const struct field_path *path, const struct bounds *b)
{
    const int64_t milli_max = INT64_MAX / 1000;
    struct json of_value = rules_quantity(errors->arena, b->ratio);
    struct quantity one = quantity_from_int(1, QUANTITY_DECIMAL_SI);
    str text = shown(errors->arena, b->ratio);
    if (quantity_cmp(b->ratio, &one) < 0)
        field_invalid(errors, path, &of_value,
                      RULES_F(errors, "ratio %" STR_FMT " is less than 1", STR_ARG(text)));
    if (!b->min || !b->max)
        return;
    double ratio = (double)quantity_value(b->ratio);
    int64_t min = quantity_value(b->min), max = quantity_value(b->max);
    if (quantity_value(b->ratio) < milli_max && min < milli_max && max < milli_max) {
        ratio = (double)quantity_milli_value(b->ratio) / 1000;
        min = quantity_milli_value(b->min);
        max = quantity_milli_value(b->max);
    }
    double limit = (double)max / (double)min;
    if (ratio > limit)
        field_invalid(
            errors, path, &of_value,
            RULES_F(errors, "ratio %" STR_FMT " is greater than max/min = %f", STR_ARG(text), limit));
}

static void check_bounds(struct field_errors *errors, const struct field_path *path, str name,
                         const struct bounds *b)
{
    const struct field_path *def = AT_KEY(AT(path, "default"), name);
    const struct field_path *request = AT_KEY(AT(path, "defaultRequest"), name);
    check_order(errors, AT_KEY(AT(path, "min"), name), b->min, "min", b->max, "max", b->min);
    check_order(errors, request, b->min, "min", b->request, "default request", b->request);
    check_order(errors, request, b->request, "default request", b->max, "max", b->request);
    check_order(errors, request, b->request, "default request", b->def, "default limit", b->request);
    check_order(errors, def, b->min, "min", b->def, "default", b->min);
    check_order(errors, def, b->def, "default", b->max, "max", b->max);
    if (b->ratio)
        check_ratio(errors, AT_KEY(AT(path, "maxLimitRequestRatio"), name), b);
    if (!resource_may_overcommit(name) && b->def && b->request && quantity_cmp(b->def, b->request) != 0) {
        struct json of_value = rules_quantity(errors->arena, b->request);
        field_invalid(errors, request, &of_value,
                      RULES_F(errors,
                              "default value %" STR_FMT " must equal to defaultRequest value %" STR_FMT
                              " in %" STR_FMT,
                              STR_ARG(shown(errors->arena, b->def)),
                              STR_ARG(shown(errors->arena, b->request)), STR_ARG(name)));
    }
}

/* Every resource that one of the maps speaks of, by name. */
static struct str_array resources_of(struct arena *a, const struct limit_range_item *l, bool of_pods)
{
    const struct quantity_map none = {NULL, 0};
    const struct quantity_map *maps[] = {&l->max, &l->min, of_pods ? &none : &l->default_,
                                         of_pods ? &none : &l->default_request, &l->max_limit_request_ratio};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(maps); i++)
        count += maps[i]->count;
    str *names = ARENA_ARRAY(a, str, count);
    count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(maps); i++)
        for (size_t j = 0; j < maps[i]->count; j++)
            names[count++] = maps[i]->items[j].key;
    strs_sort(names, count);
    return (struct str_array){.items = names, .count = strs_dedupe(names, count)};
}

static void check_limit(struct field_errors *errors, const struct field_path *path,
                        const struct limit_range_item *l)
{
    bool of_pods = str_is(l->type, "Pod");
    check_limit_names(errors, AT(path, "max"), l->type, &l->max);
    check_limit_names(errors, AT(path, "min"), l->type, &l->min);
    if (of_pods && l->default_.count)
        field_forbidden(errors, AT(path, "default"), S("may not be specified when `type` is 'Pod'"));
    if (of_pods && l->default_request.count)
        field_forbidden(errors, AT(path, "defaultRequest"), S("may not be specified when `type` is 'Pod'"));
    if (!of_pods) {
        check_limit_names(errors, AT(path, "default"), l->type, &l->default_);
        check_limit_names(errors, AT(path, "defaultRequest"), l->type, &l->default_request);
    }
    if (str_is(l->type, "PersistentVolumeClaim") && !quantity_of(&l->min, S("storage")) &&
        !quantity_of(&l->max, S("storage")))
        field_required(errors, AT(path, "limits"),
                       S("either minimum or maximum storage value is required, but neither was provided"));
    check_limit_names(errors, AT(path, "maxLimitRequestRatio"), l->type, &l->max_limit_request_ratio);
    struct str_array names = resources_of(errors->arena, l, of_pods);
    for (size_t i = 0; i < names.count; i++) {
        str name = names.items[i];
        struct bounds b = {
            .min = quantity_of(&l->min, name),
            .max = quantity_of(&l->max, name),
            .def = of_pods ? NULL : quantity_of(&l->default_, name),
            .request = of_pods ? NULL : quantity_of(&l->default_request, name),
            .ratio = quantity_of(&l->max_limit_request_ratio, name),
        };
        check_bounds(errors, path, name, &b);
    }
}

static void validate_limits(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct limit_range *r = view;
    const struct field_path *limits = AT(AT(NULL, "spec"), "limits");
    str *types = ARENA_ARRAY(errors->arena, str, r->spec.limits.count);
    for (size_t i = 0; i < r->spec.limits.count; i++)
        types[i] = r->spec.limits.items[i].type;
    const bool *repeated = repeats(errors->arena, types, r->spec.limits.count);
    for (size_t i = 0; i < r->spec.limits.count; i++) {
        const struct field_path *type = AT(AT_INDEX(limits, i), "type");
        check_limit_type(errors, type, types[i]);
        if (repeated[i])
            field_duplicate(errors, type, TEXT(types[i]));
        check_limit(errors, AT_INDEX(limits, i), &r->spec.limits.items[i]);
    }
}

const struct kind_rules limit_range_rules = {
    .package = "core/v1", .kind = "LimitRange", .defaults = default_limits, .validate = validate_limits};
