/* claim_spec.c - what a claim to storage asks for: of claims, of templates for them in pods and StatefulSets. */
#include "api/rules/checks.h"
#include "api/rules/pod.h"
#include "view/meta_v1.h"

struct data_source {
    str api_group, kind, name;
};

static void data_source(struct field_errors *errors, const struct field_path *path,
                        const struct data_source *d)
{
    rules_required(errors, AT(path, "name"), d->name);
    rules_required(errors, AT(path, "kind"), d->kind);
    if (d->api_group.n)
        rules_name(errors, AT(path, "apiGroup"), d->api_group, name_check_dns1123_subdomain);
    else if (!str_is(d->kind, "PersistentVolumeClaim"))
        field_invalid(errors, path, TEXT(d->kind),
                      S("must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
}

static void access_modes(struct field_errors *errors, const struct field_path *path,
                         const struct str_array *modes)
{
    bool alone = false, others = false;
    for (size_t i = 0; i < modes->count; i++) {
        bool known = rules_one_of(
            errors, path, modes->items[i],
            STRS(S("ReadOnlyMany"), S("ReadWriteMany"), S("ReadWriteOnce"), S("ReadWriteOncePod")));
        bool is_alone = str_is(modes->items[i], "ReadWriteOncePod");
        alone |= is_alone;
        others |= known && !is_alone;
    }
    if (alone && others)
        field_forbidden(errors, path, S("may not use ReadWriteOncePod with other access modes"));
}

static void data_sources(struct field_errors *errors, const struct field_path *path,
                         const struct persistent_volume_claim_spec *spec)
{
    const struct typed_local_object_reference *d = spec->data_source;
    const struct typed_object_reference *r = spec->data_source_ref;
    /* The original shows the place, of which nothing is left in its message. */
    const struct json place = json_object();
    if (d)
        data_source(errors, AT(path, "dataSource"), &(struct data_source){d->api_group, d->kind, d->name});
    if (r) {
        data_source(errors, AT(path, "dataSourceRef"), &(struct data_source){r->api_group, r->kind, r->name});
        if (r->namespace.n)
            rules_name(errors, AT(AT(path, "dataSourceRef"), "namespace"), r->namespace,
                       name_check_dns1123_label);
    }
    if (!d || !r)
        return;
    bool same_group = str_eq(d->api_group, r->api_group) && !d->api_group.p == !r->api_group.p;
    if (r->namespace.n)
        field_invalid(errors, path, &place,
                      S("may not be specified when dataSourceRef.namespace is specified"));
    else if (!same_group || !str_eq(d->kind, r->kind) || !str_eq(d->name, r->name))
        field_invalid(errors, path, &place, S("must match dataSourceRef"));
}

static void class_name(struct field_errors *errors, const struct field_path *path, str name)
{
    if (name.n)
        rules_name(errors, path, name, name_check_dns1123_subdomain);
}

void claim_spec_validate(struct field_errors *errors, const struct field_path *path,
                         const struct persistent_volume_claim_spec *spec)
{
    if (spec->access_modes.count == 0)
        field_required(errors, AT(path, "accessModes"), S("at least 1 access mode is required"));
    rules_label_selector(errors, AT(path, "selector"), spec->selector);
    access_modes(errors, AT(path, "accessModes"), &spec->access_modes);
    const struct field_path *storage = AT_KEY(AT(path, "resources"), S("storage"));
    const struct quantity *amount = quantity_of(&spec->resources.requests, S("storage"));
    if (!amount)
        field_required(errors, storage, STR_NONE);
    else
        check_positive(errors, storage, amount);
    class_name(errors, AT(path, "storageClassName"), spec->storage_class_name);
    if (spec->volume_mode.p)
        rules_one_of(errors, AT(path, "volumeMode"), spec->volume_mode, STRS(S("Block"), S("Filesystem")));
    data_sources(errors, path, spec);
    class_name(errors, AT(path, "volumeAttributesClassName"), spec->volume_attributes_class_name);
}

void claim_spec_warnings(const struct rules_input *in, const struct field_path *path,
                         const struct persistent_volume_claim_spec *spec)
{
    fraction_warning(in, AT(AT(path, "resources"), "requests"), &spec->resources.requests, S("storage"));
    fraction_warning(in, AT(AT(path, "resources"), "limits"), &spec->resources.limits, S("storage"));
}
