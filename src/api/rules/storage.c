/* storage.c - storage.k8s.io: classes of volumes, drivers and what they can do on a node, attachments. */
#include "api/rules/internal_json.h"
#include "api/rules/volumes.h"
#include "base/vec.h"
#include "view/storage_v1.h"

enum {
    PARAMETERS_MAX = 512,
    PARAMETERS_SIZE_MAX = 256 << 10,
    METADATA_SIZE_MAX = 256 << 10,
    MESSAGE_SIZE_MAX = 1024,
    NODE_ID_SIZE_MAX = 192,
    UPDATE_PERIOD_MIN_S = 10,
    TOKEN_MIN_S = 600,
};

/* --- StorageClass and VolumeAttributesClass --- */

static void check_provisioner(struct field_errors *errors, const struct field_path *path, str name)
{
    struct name_errors wrong = {.count = 0};
    if (name.n == 0) /* said by the schema */
        return;
    name_check_qualified(str_lower(errors->arena, name), &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, path, TEXT(str_lower(errors->arena, name)), wrong.reasons[i]);
}

static size_t map_size(const struct str_map *m)
{
    size_t size = 0;
    for (size_t i = 0; i < m->count; i++)
        size += m->items[i].key.n + m->items[i].value.n;
    return size;
}

static void check_parameters(struct field_errors *errors, const struct field_path *path,
                             const struct str_map *parameters)
{
    if (parameters->count > PARAMETERS_MAX) {
        field_too_long(errors, path, PARAMETERS_MAX);
        return;
    }
    if (rules_map_find(parameters, S("")))
        field_invalid(errors, path, TEXT(S("")), S("field can not be empty."));
    if (map_size(parameters) > PARAMETERS_SIZE_MAX)
        field_too_long(errors, path, PARAMETERS_SIZE_MAX);
}

static void check_topology_requirement(struct field_errors *errors, const struct field_path *path,
                                       const struct topology_selector_label_requirement *r)
{
    const struct field_path *values = AT(path, "values");
    if (r->values.count == 0)
        field_required(errors, values, STR_NONE);
    const bool *repeated = repeats(errors->arena, r->values.items, r->values.count);
    for (size_t i = 0; i < r->values.count; i++)
        if (repeated[i])
            field_duplicate(errors, AT_INDEX(values, i), TEXT(r->values.items[i]));
    rules_name(errors, AT(path, "key"), r->key, name_check_qualified);
}

static void check_topology_term(struct field_errors *errors, const struct field_path *path,
                                const struct topology_selector_term *t)
{
    size_t count = t->match_label_expressions.count;
    str *keys = ARENA_ARRAY(errors->arena, str, count);
    for (size_t i = 0; i < count; i++)
        keys[i] = t->match_label_expressions.items[i].key;
    const bool *repeated = repeats(errors->arena, keys, count);
    for (size_t i = 0; i < count; i++) {
        const struct field_path *at = AT_INDEX(AT(path, "matchLabelExpressions"), i);
        check_topology_requirement(errors, at, &t->match_label_expressions.items[i]);
        if (repeated[i])
            field_duplicate(errors, AT(at, "key"), TEXT(keys[i]));
    }
}

static int by_name(const void *x, const void *y, void *ctx)
{
    return str_cmp(*(const str *)x, *(const str *)y);
}

/* What tells terms apart: keys with their sets of values, in any order. */
static str term_key(struct arena *a, const struct topology_selector_term *t)
{
    size_t count = t->match_label_expressions.count;
    str *parts = ARENA_ARRAY(a, str, count);
    for (size_t i = 0; i < count; i++) {
        const struct topology_selector_label_requirement *r = &t->match_label_expressions.items[i];
        struct str_array values = sorted_strs(a, &r->values);
        parts[i] = str_format(a, "%zu %" STR_FMT " %" STR_FMT, r->key.n, STR_ARG(r->key),
                              STR_ARG(str_join(a, values.items, values.count, S("\n"))));
    }
    vec_sort(parts, count, sizeof *parts, by_name, NULL);
    return str_join(a, parts, count, S("\n\n"));
}

static void check_topologies(struct field_errors *errors, const struct topology_selector_term_array *terms)
{
    const struct field_path *path = AT(NULL, "allowedTopologies");
    str *keys = ARENA_ARRAY(errors->arena, str, terms->count);
    for (size_t i = 0; i < terms->count; i++)
        keys[i] = term_key(errors->arena, &terms->items[i]);
    const bool *repeated = repeats(errors->arena, keys, terms->count);
    for (size_t i = 0; i < terms->count; i++) {
        check_topology_term(errors, AT_INDEX(path, i), &terms->items[i]);
        if (repeated[i])
            field_duplicate(errors, AT(AT_INDEX(path, i), "matchLabelExpressions"), TEXT(S("")));
    }
}

static void validate_class(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct storage_class *c = view;
    check_provisioner(errors, AT(NULL, "provisioner"), c->provisioner);
    check_parameters(errors, AT(NULL, "parameters"), &c->parameters);
    if (c->reclaim_policy.n)
        rules_one_of(errors, AT(NULL, "reclaimPolicy"), c->reclaim_policy, STRS(S("Delete"), S("Retain")));
    check_topologies(errors, &c->allowed_topologies);
}

static void forbid_change(struct field_errors *errors, str field, bool same)
{
    if (!same)
        field_forbidden(errors, AT_NAME(NULL, field),
                        RULES_F(errors, "updates to %" STR_FMT " are forbidden.", STR_ARG(field)));
}

static void validate_class_update(const struct rules_input *in, const void *view, const void *old_view,
                                  struct field_errors *errors)
{
    const struct storage_class *c = view, *old = old_view;
    forbid_change(errors, S("parameters"), str_maps_equal(&c->parameters, &old->parameters));
    forbid_change(errors, S("provisioner"), str_eq(c->provisioner, old->provisioner));
    forbid_change(errors, S("reclaimPolicy"), str_eq(c->reclaim_policy, old->reclaim_policy));
}

static void warn_class(const struct rules_input *in, const void *view, const void *old)
{
    const struct storage_class *c = view;
    const struct field_path *path = AT(NULL, "allowedTopologies");
    for (size_t i = 0; i < c->allowed_topologies.count; i++) {
        const struct topology_selector_term *t = &c->allowed_topologies.items[i];
        for (size_t j = 0; j < t->match_label_expressions.count; j++)
            warn_node_label(in, AT(AT_INDEX(AT(AT_INDEX(path, i), "matchLabelExpressions"), j), "key"),
                            t->match_label_expressions.items[j].key);
    }
}

const struct kind_rules storage_class_rules = {.package = "storage/v1",
                                               .kind = "StorageClass",
                                               .validate = validate_class,
                                               .validate_update = validate_class_update,
                                               .warnings = warn_class};

static void validate_attributes(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct volume_attributes_class *c = view;
    check_provisioner(errors, AT(NULL, "driverName"), c->driver_name);
    check_parameters(errors, AT(NULL, "parameters"), &c->parameters);
    if (c->parameters.count == 0)
        field_required(errors, AT(NULL, "parameters"), S("must contain at least one key/value pair"));
}

static void validate_attributes_update(const struct rules_input *in, const void *view, const void *old_view,
                                       struct field_errors *errors)
{
    const struct volume_attributes_class *c = view, *old = old_view;
    forbid_change(errors, S("driverName"), str_eq(c->driver_name, old->driver_name));
    forbid_change(errors, S("parameters"), str_maps_equal(&c->parameters, &old->parameters));
}

const struct kind_rules volume_attributes_class_rules = {.package = "storage/v1",
                                                         .kind = "VolumeAttributesClass",
                                                         .validate = validate_attributes,
                                                         .validate_update = validate_attributes_update};

/* --- CSIDriver --- */

static void check_token_requests(struct field_errors *errors, const struct field_path *path,
                                 const struct token_request_array *tokens)
{
    str *audiences = ARENA_ARRAY(errors->arena, str, tokens->count);
    for (size_t i = 0; i < tokens->count; i++)
        audiences[i] = tokens->items[i].audience;
    const bool *repeated = repeats(errors->arena, audiences, tokens->count);
    for (size_t i = 0; i < tokens->count; i++) {
        const struct field_path *at = AT_INDEX(path, i), *seconds = AT(at, "expirationSeconds");
        struct opt_int64 expiration = tokens->items[i].expiration_seconds;
        if (repeated[i]) {
            field_duplicate(errors, AT(at, "audience"), TEXT(audiences[i]));
            continue;
        }
        if (expiration.is_set && expiration.value < TOKEN_MIN_S)
            field_invalid(errors, seconds, NUMBER(expiration.value),
                          S("may not specify a duration less than 10 minutes"));
        if (expiration.is_set && expiration.value > INT64_C(1) << 32)
            field_invalid(errors, seconds, NUMBER(expiration.value),
                          S("may not specify a duration larger than 2^32 seconds"));
    }
}

static void validate_driver(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct csi_driver_spec *s = &((const struct csi_driver *)view)->spec;
    const struct field_path *spec = AT(NULL, "spec");
    if (s->fs_group_policy.p)
        rules_one_of(errors, AT(spec, "fsGroupPolicy"), s->fs_group_policy,
                     STRS(S("File"), S("None"), S("ReadWriteOnceWithFSType")));
    check_token_requests(errors, AT(spec, "tokenRequests"), &s->token_requests);
    for (size_t i = 0; i < s->volume_lifecycle_modes.count; i++)
        rules_one_of_in_order(errors, AT(spec, "volumeLifecycleModes"), s->volume_lifecycle_modes.items[i],
                              STRS(S("Persistent"), S("Ephemeral")));
    if (s->node_allocatable_update_period_seconds.is_set &&
        s->node_allocatable_update_period_seconds.value < UPDATE_PERIOD_MIN_S)
        field_invalid(errors, AT(spec, "nodeAllocatableUpdatePeriodSeconds"),
                      NUMBER(s->node_allocatable_update_period_seconds.value),
                      S("must be greater than or equal to 10 seconds"));
}

static void validate_driver_update(const struct rules_input *in, const void *view, const void *old_view,
                                   struct field_errors *errors)
{
    const struct csi_driver_spec *s = &((const struct csi_driver *)view)->spec;
    const struct csi_driver_spec *old = &((const struct csi_driver *)old_view)->spec;
    const struct field_path *spec = AT(NULL, "spec");
    struct json modes = rules_texts(errors->arena, &s->volume_lifecycle_modes);
    if (s->attach_required.value != old->attach_required.value)
        field_invalid(errors, AT(spec, "attachedRequired"), TRUTH(s->attach_required.value),
                      S("field is immutable"));
    if (!str_arrays_equal(&s->volume_lifecycle_modes, &old->volume_lifecycle_modes))
        field_invalid(errors, AT(spec, "volumeLifecycleModes"), &modes, S("field is immutable"));
}

const struct kind_rules csi_driver_rules = {.package = "storage/v1",
                                            .kind = "CSIDriver",
                                            .has_generation = true,
                                            .validate = validate_driver,
                                            .validate_update = validate_driver_update};

/* --- CSINode --- */

static void check_node_driver(struct field_errors *errors, const struct field_path *path,
                              const struct csi_node_driver *d, bool name_is_taken)
{
    check_csi_driver_name(errors, AT(path, "name"), d->name);
    rules_required(errors, AT(path, "nodeID"), d->node_id);
    if (d->node_id.n > NODE_ID_SIZE_MAX)
        field_invalid(errors, AT(path, "nodeID"), TEXT(d->node_id), S("must be 192 characters or less"));
    if (d->allocatable && d->allocatable->count.is_set)
        rules_non_negative(errors, AT(AT(path, "allocatable"), "count"), d->allocatable->count.value);
    if (name_is_taken)
        field_duplicate(errors, AT(path, "name"), TEXT(d->name));
    const bool *repeated = repeats(errors->arena, d->topology_keys.items, d->topology_keys.count);
    for (size_t i = 0; i < d->topology_keys.count; i++) {
        rules_required(errors, path, d->topology_keys.items[i]);
        if (repeated[i])
            field_duplicate(errors, path, TEXT(d->topology_keys.items[i]));
        rules_name(errors, path, d->topology_keys.items[i], name_check_qualified);
    }
}

static void validate_csi_node(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct csi_node_driver_array *drivers = &((const struct csi_node *)view)->spec.drivers;
    const struct field_path *path = AT(AT(NULL, "spec"), "drivers");
    str *names = ARENA_ARRAY(errors->arena, str, drivers->count);
    for (size_t i = 0; i < drivers->count; i++)
        names[i] = drivers->items[i].name;
    const bool *repeated = repeats(errors->arena, names, drivers->count);
    for (size_t i = 0; i < drivers->count; i++)
        check_node_driver(errors, AT_INDEX(path, i), &drivers->items[i], repeated[i]);
}

struct named_driver {
    str name;
    const struct csi_node_driver *driver;
};

/* A driver that was there stays as it was; how many volumes it takes may change. */
static void validate_csi_node_update(const struct rules_input *in, const void *view, const void *old_view,
                                     struct field_errors *errors)
{
    const struct csi_node_driver_array *drivers = &((const struct csi_node *)view)->spec.drivers;
    const struct csi_node_driver_array *old = &((const struct csi_node *)old_view)->spec.drivers;
    struct named_driver *named = ARENA_ARRAY(errors->arena, struct named_driver, old->count);
    for (size_t i = 0; i < old->count; i++)
        named[i] = (struct named_driver){old->items[i].name, &old->items[i]};
    vec_sort(named, old->count, sizeof *named, by_name, NULL);
    for (size_t i = 0; i < drivers->count; i++) {
        struct csi_node_driver now = drivers->items[i];
        const struct named_driver *found = vec_bsearch(named, old->count, sizeof *named, &now.name, by_name,
                                                       NULL);
        if (!found)
            continue;
        struct csi_node_driver was = *found->driver;
        now.allocatable = was.allocatable = NULL;
        check_same_internal(errors, AT(AT(NULL, "spec"), "drivers"), VIEW_TYPE(csi_node_driver), &now, &was);
    }
}

const struct kind_rules csi_node_rules = {.package = "storage/v1",
                                          .kind = "CSINode",
                                          .validate = validate_csi_node,
                                          .validate_update = validate_csi_node_update};

/* --- CSIStorageCapacity --- */

static void validate_capacity(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct csi_storage_capacity *c = view, *old = in->old;
    unsigned flags = old && !label_selector_is_valid(in->arena, old->node_topology) ? RULES_ANY_VALUES : 0;
    rules_label_selector_with(errors, AT(NULL, "nodeTopology"), c->node_topology, flags);
    if (c->storage_class_name.n)
        rules_name(errors, AT(NULL, "storageClassName"), c->storage_class_name, name_check_dns1123_subdomain);
    if (c->capacity)
        check_not_negative(errors, AT(NULL, "capacity"), c->capacity);
}

static void warn_capacity(const struct rules_input *in, const void *view, const void *old)
{
    const struct csi_storage_capacity *c = view;
    const struct field_path *path = AT(NULL, "nodeTopology");
    if (!c->node_topology)
        return;
    for (size_t i = 0; i < c->node_topology->match_expressions.count; i++)
        warn_node_label(in, AT(AT_INDEX(AT(path, "matchExpressions"), i), "key"),
                        c->node_topology->match_expressions.items[i].key);
    for (size_t i = 0; i < c->node_topology->match_labels.count; i++) {
        str key = c->node_topology->match_labels.items[i].key;
        warn_node_label(in, AT_NAME(AT(path, "matchLabels"), key), key);
    }
}

const struct kind_rules csi_storage_capacity_rules = {.package = "storage/v1",
                                                      .kind = "CSIStorageCapacity",
                                                      .validate = validate_capacity,
                                                      .warnings = warn_capacity};

/* --- VolumeAttachment --- */

static void drop_status(const struct rules_input *in, struct json *tree)
{
    json_remove(tree, S("status"));
}

#define ONE_SOURCE "must specify exactly one of inlineVolumeSpec and persistentVolumeName"

static void check_source(struct field_errors *errors, const struct field_path *path,
                         const struct volume_attachment_source *s)
{
    bool named = s->persistent_volume_name.p;
    if (!s->inline_volume_spec && !named)
        field_required(errors, path, S(ONE_SOURCE));
    else if (s->inline_volume_spec && named)
        field_forbidden(errors, path, S(ONE_SOURCE));
    else if (named && s->persistent_volume_name.n == 0)
        field_required(errors, AT(path, "persistentVolumeName"),
                       S("must specify non empty persistentVolumeName"));
    else if (s->inline_volume_spec)
        inline_volume_validate(errors, AT(path, "inlineVolumeSpec"), s->inline_volume_spec);
}

static void check_volume_error(struct field_errors *errors, const struct field_path *path,
                               const struct volume_error *e)
{
    /* The bound it names is that of the metadata. */
    if (e && e->message.n > MESSAGE_SIZE_MAX)
        field_too_long(errors, AT(path, "message"), METADATA_SIZE_MAX);
    if (e && e->error_code.is_set)
        rules_range(errors, AT(path, "errorCode"), e->error_code.value, 0, INT32_MAX);
}

static void validate_attachment(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct volume_attachment *v = view;
    const struct field_path *spec = AT(NULL, "spec"), *status = AT(NULL, "status");
    rules_required(errors, AT(spec, "attacher"), v->spec.attacher);
    check_source(errors, AT(spec, "source"), &v->spec.source);
    rules_name(errors, AT(spec, "nodeName"), v->spec.node_name, name_check_dns1123_subdomain);
    if (map_size(&v->status.attachment_metadata) > METADATA_SIZE_MAX)
        field_too_long(errors, AT(status, "attachmentMetadata"), METADATA_SIZE_MAX);
    check_volume_error(errors, AT(status, "attachError"), v->status.attach_error);
    check_volume_error(errors, AT(status, "detachError"), v->status.detach_error);
    if (in->old)
        return;
    check_csi_driver_name(errors, AT(spec, "attacher"), v->spec.attacher);
    if (v->spec.source.persistent_volume_name.p)
        rules_name(errors, AT(AT(spec, "source"), "persistentVolumeName"),
                   v->spec.source.persistent_volume_name, name_check_dns1123_subdomain);
}

static void validate_attachment_update(const struct rules_input *in, const void *view, const void *old_view,
                                       struct field_errors *errors)
{
    const struct volume_attachment *v = view, *old = old_view;
    check_same_internal(errors, AT(NULL, "spec"), VIEW_TYPE(volume_attachment_spec), &v->spec, &old->spec);
}

const struct kind_rules volume_attachment_rules = {.package = "storage/v1",
                                                   .kind = "VolumeAttachment",
                                                   .on_create = drop_status,
                                                   .validate = validate_attachment,
                                                   .validate_update = validate_attachment_update};
