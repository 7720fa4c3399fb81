/* metadata.c - rules of metadata. Their order is that of the original, so that several errors read the same. */
#include "api/metadata.h"
#include "api/format.h"
#include "api/rules/checks.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "view/meta_v1.h"

enum { SUBRESOURCE_SIZE_MAX = 256, GENERATED_BASE_MAX = 58, GENERATED_SUFFIX = 5 };

/* --- names --- */

/* A name to be continued may end in a dash; what is checked is the name with something behind it. */
static str continued(struct arena *a, str name)
{
    if (name.n < 2 || name.p[name.n - 1] != '-')
        return name;
    return str_concat(a, str_slice(name, 0, name.n - 2), S("a"));
}

static void check_name(struct field_errors *errors, const struct field_path *path,
                       const struct schema_kind_info *k, str name, bool to_be_continued)
{
    enum schema_format format = k->name_format ? (enum schema_format)k->name_format
                                               : SCHEMA_FORMAT_DNS1123_SUBDOMAIN;
    bool as_it_is = format == SCHEMA_FORMAT_PATH_SEGMENT || !to_be_continued;
    struct name_errors wrong = {.count = 0};
    format_text_check(format)(as_it_is ? name : continued(errors->arena, name), &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, path, TEXT(name), wrong.reasons[i]);
}

static void check_names(struct field_errors *errors, const struct field_path *path,
                        const struct schema_kind_info *k, const struct object_meta *m)
{
    if (m->generate_name.n)
        check_name(errors, AT(path, "generateName"), k, m->generate_name, true);
    if (m->name.n)
        check_name(errors, AT(path, "name"), k, m->name, false);
    else
        field_required(errors, AT(path, "name"), S("name or generateName is required"));
    if (!k->namespaced && m->namespace.n)
        field_forbidden(errors, AT(path, "namespace"), S("not allowed on this type"));
    else if (k->namespaced && m->namespace.n)
        rules_name(errors, AT(path, "namespace"), m->namespace, name_check_dns1123_label);
    else if (k->namespaced)
        field_required(errors, AT(path, "namespace"), STR_NONE);
}

str metadata_generated_name(struct arena *a, str generate_name, uint64_t random)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    char suffix[GENERATED_SUFFIX];
    for (size_t i = 0; i < GENERATED_SUFFIX; i++, random /= sizeof letters - 1)
        suffix[i] = letters[random % (sizeof letters - 1)];
    return str_concat(a, str_slice(generate_name, 0, GENERATED_BASE_MAX), str_of(suffix, sizeof suffix));
}

/* --- the parts --- */

static void check_owner(struct field_errors *errors, const struct field_path *path,
                        const struct owner_reference *o)
{
    size_t slash = str_index_c(o->api_version, '/');
    if (o->api_version.n == 0 || slash + 1 == o->api_version.n)
        field_invalid(errors, AT(path, "apiVersion"), TEXT(o->api_version), S("version must not be empty"));
    if (o->kind.n == 0)
        field_invalid(errors, AT(path, "kind"), TEXT(o->kind), S("must not be empty"));
    if (o->name.n == 0)
        field_invalid(errors, AT(path, "name"), TEXT(o->name), S("must not be empty"));
    if (o->uid.n == 0)
        field_invalid(errors, AT(path, "uid"), TEXT(o->uid), S("must not be empty"));
    if (str_is(o->api_version, "v1") && str_is(o->kind, "Event")) {
        struct json value = rules_view(errors->arena, VIEW_TYPE(owner_reference), o);
        field_invalid(errors, path, &value, S("/v1, Kind=Event is disallowed from being an owner"));
    }
}

static struct json owners_value(struct arena *a, const struct owner_reference_array *owners)
{
    struct json list = json_array();
    for (size_t i = 0; i < owners->count; i++)
        json_append(a, &list, rules_view(a, VIEW_TYPE(owner_reference), &owners->items[i]));
    return list;
}

static void check_owners(struct field_errors *errors, const struct field_path *path,
                         const struct owner_reference_array *owners)
{
    const struct owner_reference *controller = NULL;
    for (size_t i = 0; i < owners->count; i++) {
        const struct owner_reference *o = &owners->items[i];
        check_owner(errors, path, o);
        if (!o->controller.value)
            continue;
        if (controller) {
            struct json value = owners_value(errors->arena, owners);
            field_invalid(errors, path, &value,
                          str_format(errors->arena,
                                     "Only one reference can have Controller set to true. Found \"true\" in "
                                     "references for %" STR_FMT "/%" STR_FMT " and %" STR_FMT "/%" STR_FMT,
                                     STR_ARG(controller->kind), STR_ARG(controller->name), STR_ARG(o->kind),
                                     STR_ARG(o->name)));
        }
        controller = controller ? controller : o;
    }
}

static void check_finalizers(struct field_errors *errors, const struct field_path *path,
                             const struct str_array *finalizers)
{
    bool orphan = false, foreground = false;
    for (size_t i = 0; i < finalizers->count; i++) {
        rules_name(errors, path, finalizers->items[i], name_check_qualified);
        orphan = orphan || str_is(finalizers->items[i], "orphan");
        foreground = foreground || str_is(finalizers->items[i], "foregroundDeletion");
    }
    if (orphan && foreground) {
        struct json value = rules_texts(errors->arena, finalizers);
        field_invalid(errors, path, &value, S("finalizer orphan and foregroundDeletion cannot be both set"));
    }
}

/* The kinds of Kubernetes itself want a finalizer without a domain to be one of its own; custom resources only get a
 * warning. */
static void check_domains_of_finalizers(const struct schema *s, const struct schema_kind_info *k,
                                        struct field_errors *errors, const struct field_path *path,
                                        const struct str_array *finalizers)
{
    str group = schema_text(s, s->packages[k->package].group);
    if (s != &schema_builtin || str_is(group, "apiextensions.k8s.io") ||
        str_is(group, "apiregistration.k8s.io"))
        return;
    for (size_t i = 0; i < finalizers->count; i++)
        check_standard_finalizer(errors, AT_INDEX(path, i), finalizers->items[i]);
}

/* Where the first code point stands that Go would not print as it is; SIZE_MAX: none. */
static size_t unprintable(struct arena *a, str text, uint32_t *ret)
{
    str rest = text;
    while (rest.n) {
        size_t at = text.n - rest.n;
        struct buf quoted;
        utf8_next(&rest, ret);
        if (*ret >= ' ' && *ret <= '~')
            continue;
        buf_init_arena(&quoted, a, 32);
        utf8_add_quoted(&quoted, str_slice(text, at, text.n - rest.n));
        if (str_starts(buf_str(&quoted), S("\"\\")))
            return at;
    }
    return SIZE_MAX;
}

void metadata_check_manager(struct field_errors *errors, const struct field_path *path, str manager)
{
    uint32_t c;
    if (manager.n > METADATA_MANAGER_SIZE_MAX)
        field_too_long(errors, path, METADATA_MANAGER_SIZE_MAX);
    size_t at = unprintable(errors->arena, manager, &c);
    if (at != SIZE_MAX)
        field_invalid(errors, path, TEXT(manager),
                      str_format(errors->arena, "invalid character U+%04X (at position %zu)", c, at));
}

static void check_managed_fields(struct field_errors *errors, const struct field_path *path,
                                 const struct managed_fields_entry_array *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct managed_fields_entry *e = &entries->items[i];
        const struct field_path *entry = AT_INDEX(path, i);
        if (!str_is(e->operation, "Apply") && !str_is(e->operation, "Update"))
            field_invalid(errors, AT(entry, "operation"), TEXT(e->operation),
                          S("must be `Apply` or `Update`"));
        if (e->fields_type.n && !str_is(e->fields_type, "FieldsV1"))
            field_invalid(errors, AT(entry, "fieldsType"), TEXT(e->fields_type), S("must be `FieldsV1`"));
        metadata_check_manager(errors, AT(entry, "manager"), e->manager);
        if (e->subresource.n > SUBRESOURCE_SIZE_MAX)
            field_too_long(errors, AT(entry, "subresource"), SUBRESOURCE_SIZE_MAX);
    }
}

/* --- creates --- */

void metadata_validate(const struct schema *s, const struct schema_kind_info *k, const struct object_meta *m,
                       struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "metadata");
    check_names(errors, path, k, m);
    if (m->generation < 0)
        field_invalid(errors, AT(path, "generation"), NUMBER(m->generation),
                      S("must be greater than or equal to 0"));
    rules_labels(errors, AT(path, "labels"), &m->labels);
    rules_annotations(errors, AT(path, "annotations"), &m->annotations);
    check_owners(errors, AT(path, "ownerReferences"), &m->owner_references);
    check_finalizers(errors, AT(path, "finalizers"), &m->finalizers);
    check_managed_fields(errors, AT(path, "managedFields"), &m->managed_fields);
    check_domains_of_finalizers(s, k, errors, AT(path, "finalizers"), &m->finalizers);
}

/* --- updates --- */

static void no_new_finalizers(struct field_errors *errors, const struct field_path *path,
                              const struct str_array *finalizers, const struct str_array *old)
{
    str *fresh = ARENA_ARRAY(errors->arena, str, finalizers->count);
    size_t count = 0;
    struct str_array were = sorted_strs(errors->arena, old);
    for (size_t i = 0; i < finalizers->count; i++)
        if (!strs_contain(were.items, were.count, finalizers->items[i]))
            fresh[count++] = finalizers->items[i];
    strs_sort(fresh, count);
    count = strs_dedupe(fresh, count);
    if (count == 0)
        return;
    struct buf b;
    buf_init_arena(&b, errors->arena, 1 << 16);
    buf_add_lit(
        &b, "no new finalizers can be added if the object is being deleted, found new finalizers []string{");
    for (size_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(", ") : S(""));
        utf8_add_quoted(&b, fresh[i]);
    }
    buf_add_c(&b, '}');
    field_forbidden(errors, path, buf_str(&b));
}

static void same_text(struct field_errors *errors, const struct field_path *path, str value, str old)
{
    if (!str_eq(value, old))
        field_invalid(errors, path, TEXT(value), S("field is immutable"));
}

static void same_time(struct field_errors *errors, const struct field_path *path, struct kube_time value,
                      struct kube_time old)
{
    struct json shown = time_value(errors->arena, value);
    if (kube_time_cmp(value, old) != 0)
        field_invalid(errors, path, &shown, S("field is immutable"));
}

static void same_number(struct field_errors *errors, const struct field_path *path, struct opt_int64 value,
                        struct opt_int64 old)
{
    struct json shown = value.is_set ? json_of_int(value.value) : json_null();
    if (value.is_set != old.is_set || value.value != old.value)
        field_invalid(errors, path, &shown, S("field is immutable"));
}

void metadata_validate_update(const struct schema *s, const struct schema_kind_info *k,
                              const struct object_meta *m, const struct object_meta *old,
                              struct field_errors *errors)
{
    const struct field_path *path = AT(NULL, "metadata");
    if (!kube_time_is_zero(old->deletion_timestamp))
        no_new_finalizers(errors, AT(path, "finalizers"), &m->finalizers, &old->finalizers);
    if (m->resource_version.n == 0)
        field_invalid(errors, AT(path, "resourceVersion"), TEXT(m->resource_version),
                      S("must be specified for an update"));
    if (m->generation < old->generation)
        field_invalid(errors, AT(path, "generation"), NUMBER(m->generation), S("must not be decremented"));
    same_text(errors, AT(path, "name"), m->name, old->name);
    same_text(errors, AT(path, "namespace"), m->namespace, old->namespace);
    same_text(errors, AT(path, "uid"), m->uid, old->uid);
    same_time(errors, AT(path, "creationTimestamp"), m->creation_timestamp, old->creation_timestamp);
    same_time(errors, AT(path, "deletionTimestamp"), m->deletion_timestamp, old->deletion_timestamp);
    same_number(errors, AT(path, "deletionGracePeriodSeconds"), m->deletion_grace_period_seconds,
                old->deletion_grace_period_seconds);
    rules_labels(errors, AT(path, "labels"), &m->labels);
    rules_annotations(errors, AT(path, "annotations"), &m->annotations);
    check_owners(errors, AT(path, "ownerReferences"), &m->owner_references);
    check_finalizers(errors, AT(path, "finalizers"), &m->finalizers);
    check_managed_fields(errors, AT(path, "managedFields"), &m->managed_fields);
    check_domains_of_finalizers(s, k, errors, AT(path, "finalizers"), &m->finalizers);
}

/* --- of content --- */

/* The view of what stands first in it. */
static err_code decode(struct arena *a, str content, struct object_meta *ret, struct err *err)
{
    struct json_reader rd;
    str name;
    json_reader_init(&rd, a, content, err);
    json_enter_object(&rd);
    if (!json_next_member(&rd, &name))
        return err->code ? err->code : err_set(err, ERR_CORRUPT, "an object without metadata");
    return VIEW_DECODE(a, object_meta, json_skip(&rd), ret, err);
}

err_code metadata_check(struct arena *a, const struct schema *s, const struct schema_kind_info *k,
                        str content, str old, int64_t old_revision, struct field_errors *errors,
                        struct err *err)
{
    struct object_meta m = {0}, before = {0};
    if (decode(a, content, &m, err))
        return err->code;
    if (!old.n) {
        metadata_validate(s, k, &m, errors);
        return ERR_NONE;
    }
    if (decode(a, old, &before, err))
        return err->code;
    m.resource_version = before.resource_version = str_format(a, "%lld", (long long)old_revision);
    metadata_validate_update(s, k, &m, &before, errors);
    return ERR_NONE;
}
