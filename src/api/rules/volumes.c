/* volumes.c - PersistentVolume and PersistentVolumeClaim: where storage is, and who wants how much of which kind. What a claim
 * may ask for is in claim_spec.c, volumes that pods have too in pod_volumes.c. */
#include "api/rules/volumes.h"
#include "api/rules/internal_json.h"
#include "api/rules/pod.h"

#define CLASS_ANNOTATION   "volume.beta.kubernetes.io/storage-class"
#define OPTIONS_ANNOTATION "volume.beta.kubernetes.io/mount-options"

/* --- sources --- */

static void check_secret(struct field_errors *errors, const struct field_path *path, const char *field,
                         const struct secret_reference *r)
{
    const struct field_path *at = AT_NAME(path, str_from_c(field));
    if (!r)
        return;
    rules_name_required(errors, AT(at, "name"), r->name, name_check_dns1123_subdomain);
    rules_name_required(errors, AT(at, "namespace"), r->namespace, name_check_dns1123_label);
}

static void check_glusterfs(struct field_errors *errors, const struct field_path *path,
                            const struct glusterfs_persistent_volume_source *g)
{
    rules_required(errors, AT(path, "endpoints"), g->endpoints);
    rules_required(errors, AT(path, "path"), g->path);
    if (g->endpoints_namespace.p)
        rules_name(errors, AT(path, "endpointsNamespace"), g->endpoints_namespace, name_check_dns1123_label);
}

static void check_iscsi(struct field_errors *errors, const struct field_path *path,
                        const struct iscsi_persistent_volume_source *i, str volume)
{
    struct local_object_reference secret = {.name = i->secret_ref ? i->secret_ref->name : STR_NONE};
    struct iscsi_volume_source same = {
        .target_portal = i->target_portal,
        .iqn = i->iqn,
        .lun = i->lun,
        .chap_auth_discovery = i->chap_auth_discovery,
        .chap_auth_session = i->chap_auth_session,
        .secret_ref = i->secret_ref ? &secret : NULL,
        .initiator_name = i->initiator_name,
    };
    volume_source_validate(errors, path, &(struct volume_source){.iscsi = &same});
    if (i->secret_ref)
        rules_required(errors, AT(AT(path, "secretRef"), "name"), i->secret_ref->name);
    if (i->initiator_name.p && volume.n + 1 + i->target_portal.n > 64)
        field_invalid(errors, AT(path, "targetportal"), TEXT(i->target_portal),
                      S("Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
                        "iscsi.initiatorName is specified."));
}

static void check_cinder(struct field_errors *errors, const struct field_path *path,
                         const struct cinder_persistent_volume_source *c)
{
    rules_required(errors, AT(path, "volumeID"), c->volume_id);
    if (c->secret_ref) {
        rules_required(errors, AT(AT(path, "secretRef"), "name"), c->secret_ref->name);
        rules_required(errors, AT(AT(path, "secretRef"), "namespace"), c->secret_ref->namespace);
    }
}

static void check_flex(struct field_errors *errors, const struct field_path *path,
                       const struct flex_persistent_volume_source *f)
{
    struct flex_volume_source same = {.driver = f->driver, .options = f->options};
    volume_source_validate(errors, path, &(struct volume_source){.flex_volume = &same});
}

static void check_azure_file(struct field_errors *errors, const struct field_path *path,
                             const struct azure_file_persistent_volume_source *f)
{
    rules_required(errors, AT(path, "secretName"), f->secret_name);
    rules_required(errors, AT(path, "shareName"), f->share_name);
    if (f->secret_namespace.p)
        rules_required(errors, AT(path, "secretNamespace"), f->secret_namespace);
}

static void check_scale_io(struct field_errors *errors, const struct field_path *path,
                           const struct scale_io_persistent_volume_source *s)
{
    rules_required(errors, AT(path, "gateway"), s->gateway);
    rules_required(errors, AT(path, "system"), s->system);
    rules_required(errors, AT(path, "volumeName"), s->volume_name);
}

static void check_storage_os(struct field_errors *errors, const struct field_path *path,
                             const struct storage_os_persistent_volume_source *s)
{
    rules_name_required(errors, AT(path, "volumeName"), s->volume_name, name_check_dns1123_label);
    if (s->volume_namespace.n)
        rules_name(errors, AT(path, "volumeNamespace"), s->volume_namespace, name_check_dns1123_label);
    if (s->secret_ref) {
        rules_required(errors, AT(AT(path, "secretRef"), "name"), s->secret_ref->name);
        rules_required(errors, AT(AT(path, "secretRef"), "namespace"), s->secret_ref->namespace);
    }
}

static void check_local(struct field_errors *errors, const struct field_path *path,
                        const struct local_volume_source *l)
{
    rules_required(errors, AT(path, "path"), l->path);
    rules_name(errors, AT(path, "path"), l->path, name_check_path);
}

static void check_csi(struct field_errors *errors, const struct field_path *path,
                      const struct csi_persistent_volume_source *c)
{
    check_csi_driver_name(errors, AT(path, "driver"), c->driver);
    rules_required(errors, AT(path, "volumeHandle"), c->volume_handle);
    check_secret(errors, path, "controllerPublishSecretRef", c->controller_publish_secret_ref);
    check_secret(errors, path, "controllerExpandSecretRef", c->controller_expand_secret_ref);
    check_secret(errors, path, "nodePublishSecretRef", c->node_publish_secret_ref);
    check_secret(errors, path, "nodeExpandSecretRef", c->node_expand_secret_ref);
}

/* Which types there are, in the original's order; `inside` is where it looks for the rest. */
static const struct source_kind {
    size_t offset;
    const char *name, *inside;
} source_kinds[] = {
#define SOURCE(member, name, inside)                                    \
    {                                                                   \
        offsetof(struct persistent_volume_source, member), name, inside \
    }
    SOURCE(host_path, "hostPath", "hostPath"),
    SOURCE(gce_persistent_disk, "gcePersistentDisk", "persistentDisk"),
    SOURCE(aws_elastic_block_store, "awsElasticBlockStore", "awsElasticBlockStore"),
    SOURCE(glusterfs, "glusterfs", "glusterfs"),
    SOURCE(flocker, "flocker", "flocker"),
    SOURCE(nfs, "nfs", "nfs"),
    SOURCE(rbd, "rbd", "rbd"),
    SOURCE(quobyte, "quobyte", "quobyte"),
    SOURCE(cephfs, "cephFS", "cephfs"),
    SOURCE(iscsi, "iscsi", "iscsi"),
    SOURCE(cinder, "cinder", "cinder"),
    SOURCE(fc, "fc", "fc"),
    SOURCE(flex_volume, "flexVolume", "flexVolume"),
    SOURCE(azure_file, "azureFile", "azureFile"),
    SOURCE(vsphere_volume, "vsphereVolume", "vsphereVolume"),
    SOURCE(photon_persistent_disk, "photonPersistentDisk", "photonPersistentDisk"),
    SOURCE(portworx_volume, "portworxVolume", "portworxVolume"),
    SOURCE(azure_disk, "azureDisk", "azureDisk"),
    SOURCE(scale_io, "scaleIO", "scaleIO"),
    SOURCE(local, "local", "local"),
    SOURCE(storageos, "storageos", "storageos"),
    SOURCE(csi, "csi", "csi"),
#undef SOURCE
};

static bool source_is_there(const struct persistent_volume_source *s, size_t offset)
{
    return *(const void *const *)(const void *)((const char *)s + offset) != NULL;
}

#define IS(member) (offset == offsetof(struct persistent_volume_source, member))

/* Types that pods have in the same form, or in one that is looked at in the same way. */
static void check_as_of_pods(struct field_errors *errors, const struct field_path *path,
                             const struct persistent_volume_source *s, size_t offset)
{
    struct volume_source v = {.host_path = NULL};
    struct rbd_volume_source rbd = {.image = s->rbd ? s->rbd->image : STR_NONE};
    struct ceph_fs_volume_source cephfs = {.path = STR_NONE};
    rbd.monitors = s->rbd ? s->rbd->monitors : (struct str_array){NULL, 0};
    cephfs.monitors = s->cephfs ? s->cephfs->monitors : (struct str_array){NULL, 0};
    v.host_path = IS(host_path) ? s->host_path : NULL;
    v.gce_persistent_disk = IS(gce_persistent_disk) ? s->gce_persistent_disk : NULL;
    v.aws_elastic_block_store = IS(aws_elastic_block_store) ? s->aws_elastic_block_store : NULL;
    v.flocker = IS(flocker) ? s->flocker : NULL;
    v.nfs = IS(nfs) ? s->nfs : NULL;
    v.rbd = IS(rbd) ? &rbd : NULL;
    v.quobyte = IS(quobyte) ? s->quobyte : NULL;
    v.cephfs = IS(cephfs) ? &cephfs : NULL;
    v.fc = IS(fc) ? s->fc : NULL;
    v.vsphere_volume = IS(vsphere_volume) ? s->vsphere_volume : NULL;
    v.photon_persistent_disk = IS(photon_persistent_disk) ? s->photon_persistent_disk : NULL;
    v.portworx_volume = IS(portworx_volume) ? s->portworx_volume : NULL;
    v.azure_disk = IS(azure_disk) ? s->azure_disk : NULL;
    volume_source_validate(errors, path, &v);
}

static void check_source(struct field_errors *errors, const struct field_path *path,
                         const struct persistent_volume_source *s, size_t offset, str volume)
{
    if (IS(glusterfs))
        check_glusterfs(errors, path, s->glusterfs);
    else if (IS(iscsi))
        check_iscsi(errors, path, s->iscsi, volume);
    else if (IS(cinder))
        check_cinder(errors, path, s->cinder);
    else if (IS(flex_volume))
        check_flex(errors, path, s->flex_volume);
    else if (IS(azure_file))
        check_azure_file(errors, path, s->azure_file);
    else if (IS(scale_io))
        check_scale_io(errors, path, s->scale_io);
    else if (IS(storageos))
        check_storage_os(errors, path, s->storageos);
    else if (IS(local))
        check_local(errors, path, s->local);
    else if (IS(csi))
        check_csi(errors, path, s->csi);
    else
        check_as_of_pods(errors, path, s, offset);
}

/* True: the nodes that reach it are known. */
static bool check_node_affinity(struct field_errors *errors, const struct field_path *path,
                                const struct volume_node_affinity *n)
{
    if (!n)
        return false;
    if (n->required)
        node_selector_validate(errors, AT(path, "required"), n->required);
    else
        field_required(errors, AT(path, "required"), S("must specify required node constraints"));
    return n->required != NULL;
}

static void check_sources(struct field_errors *errors, const struct field_path *path,
                          const struct persistent_volume_spec *v, str name, bool nodes_known)
{
    const struct persistent_volume_source *s = &v->persistent_volume_source;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(source_kinds); i++) {
        const struct source_kind *k = &source_kinds[i];
        size_t offset = k->offset;
        if (!source_is_there(s, offset))
            continue;
        if (count++ && !IS(flex_volume)) {
            field_forbidden(errors, AT_NAME(path, str_from_c(k->name)),
                            S("may not specify more than 1 volume type"));
            continue;
        }
        check_source(errors, AT_NAME(path, str_from_c(k->inside)), s, offset, name);
        if (IS(local) && !nodes_known)
            field_required(errors, AT(path, "nodeAffinity"), S("Local volume requires node affinity"));
    }
    if (count == 0)
        field_required(errors, path, S("must specify a volume type"));
}

/* --- the spec of a volume --- */

static void check_access_modes(struct field_errors *errors, const struct field_path *path,
                               const struct str_array *modes)
{
    bool alone = false, shared = false;
    if (modes->count == 0)
        field_required(errors, path, STR_NONE);
    for (size_t i = 0; i < modes->count; i++) {
        bool known = rules_one_of(
            errors, path, modes->items[i],
            STRS(S("ReadOnlyMany"), S("ReadWriteMany"), S("ReadWriteOnce"), S("ReadWriteOncePod")));
        bool is_alone = str_is(modes->items[i], "ReadWriteOncePod");
        alone |= is_alone;
        shared |= known && !is_alone;
    }
    if (alone && shared)
        field_forbidden(errors, path, S("may not use ReadWriteOncePod with other access modes"));
}

static struct json amounts_value(struct arena *a, const struct quantity_map *m)
{
    struct json j = json_object();
    for (size_t i = 0; i < m->count; i++)
        json_add(a, &j, m->items[i].key, rules_quantity(a, &m->items[i].value));
    return m->count ? j : json_null();
}

static void check_basic_amount(struct field_errors *errors, const struct field_path *path,
                               const struct quantity *q)
{
    if (quantity_value(q) < 0)
        field_invalid(errors, path, NUMBER(quantity_value(q)), S("must be a valid resource quantity"));
}

static void check_capacity(struct field_errors *errors, const struct field_path *path,
                           const struct quantity_map *capacity, bool is_inline)
{
    if (!is_inline && capacity->count == 0)
        field_required(errors, path, STR_NONE);
    if (!is_inline && (!quantity_of(capacity, S("storage")) || capacity->count > 1)) {
        struct json shown = amounts_value(errors->arena, capacity);
        field_not_supported(errors, path, &shown, STRS(S("storage")));
    }
    for (size_t i = 0; i < capacity->count; i++) {
        const struct quantity_map_entry *e = &capacity->items[i];
        check_basic_amount(errors, AT_KEY(path, e->key), &e->value);
        check_positive(errors, AT_KEY(path, e->key), &e->value);
    }
}

#define INLINE "may not be specified in the context of inline volumes"

/* What only volumes of their own can have. */
static void check_not_inline(struct field_errors *errors, const struct field_path *path,
                             const struct persistent_volume_spec *v)
{
    if (v->claim_ref)
        field_forbidden(errors, AT(path, "claimRef"), S(INLINE));
    if (v->capacity.count)
        field_forbidden(errors, AT(path, "capacity"), S(INLINE));
    if (!v->persistent_volume_source.csi)
        field_required(errors, AT(path, "csi"), S("has to be specified in the context of inline volumes"));
}

static void check_policies(struct field_errors *errors, const struct field_path *path,
                           const struct persistent_volume_spec *v, bool is_inline)
{
    str policy = v->persistent_volume_reclaim_policy;
    const struct field_path *at = AT(path, "persistentVolumeReclaimPolicy");
    if (policy.n && !is_inline)
        rules_one_of(errors, at, policy, STRS(S("Delete"), S("Recycle"), S("Retain")));
    else if (policy.n && !str_is(policy, "Retain"))
        field_forbidden(errors, at, S("may only be Retain in the context of inline volumes"));
}

/* "/", "//", "/./" */
static bool is_root(str path)
{
    str part;
    if (!str_starts(path, S("/")))
        return false;
    while (str_next(&path, '/', &part))
        if (part.n && !str_is(part, "."))
            return false;
    return true;
}

static void check_classes(struct field_errors *errors, const struct field_path *path,
                          const struct persistent_volume_spec *v, bool is_inline)
{
    const struct field_path *class = AT(path, "storageClassName"), *mode = AT(path, "volumeMode");
    const struct field_path *attributes = AT(path, "volumeAttributesClassName");
    if (v->storage_class_name.n && is_inline)
        field_forbidden(errors, class, S(INLINE));
    else if (v->storage_class_name.n)
        rules_name(errors, class, v->storage_class_name, name_check_dns1123_subdomain);
    if (v->volume_mode.p && !is_inline)
        rules_one_of(errors, mode, v->volume_mode, STRS(S("Block"), S("Filesystem")));
    else if (v->volume_mode.p && !str_is(v->volume_mode, "Filesystem"))
        field_forbidden(
            errors, mode,
            S("may not specify volumeMode other than Filesystem in the context of inline volumes"));
    if (!v->volume_attributes_class_name.p || is_inline)
        return;
    if (v->volume_attributes_class_name.n == 0)
        field_required(errors, attributes, S("an empty string is disallowed"));
    else
        rules_name(errors, attributes, v->volume_attributes_class_name, name_check_dns1123_subdomain);
    if (!v->persistent_volume_source.csi)
        field_required(errors, AT(path, "csi"),
                       S("has to be specified when using volumeAttributesClassName"));
}

static void check_volume(struct field_errors *errors, const struct field_path *path,
                         const struct persistent_volume_spec *v, str name, bool is_inline)
{
    const struct host_path_volume_source *host = v->persistent_volume_source.host_path;
    bool nodes_known = false;
    if (is_inline)
        check_not_inline(errors, path, v);
    check_access_modes(errors, AT(path, "accessModes"), &v->access_modes);
    check_capacity(errors, AT(path, "capacity"), &v->capacity, is_inline);
    check_policies(errors, path, v, is_inline);
    if (is_inline && v->node_affinity)
        field_forbidden(errors, AT(path, "nodeAffinity"), S(INLINE));
    else
        nodes_known = check_node_affinity(errors, AT(path, "nodeAffinity"), v->node_affinity);
    check_sources(errors, path, v, name, nodes_known);
    if (host && is_root(host->path) && str_is(v->persistent_volume_reclaim_policy, "Recycle"))
        field_forbidden(errors, AT(path, "persistentVolumeReclaimPolicy"),
                        S("may not be 'recycle' for a hostPath mount of '/'"));
    check_classes(errors, path, v, is_inline);
}

void inline_volume_validate(struct field_errors *errors, const struct field_path *path,
                            const struct persistent_volume_spec *v)
{
    check_volume(errors, path, v, STR_NONE, true);
}

/* --- PersistentVolume --- */

static void set_phase_time(const struct rules_input *in, struct json *status)
{
    json_set(in->arena, status, S("lastPhaseTransitionTime"),
             time_value(in->arena, kube_time_from_unix_ns(in->now_wall)));
}

static void on_create_volume(const struct rules_input *in, struct json *tree)
{
    struct json status = json_object();
    json_set(in->arena, &status, S("phase"), json_of_str(S("Pending")));
    set_phase_time(in, &status);
    json_set(in->arena, tree, S("status"), status);
}

static void on_update_volume(const struct rules_input *in, struct json *tree, const struct json *old)
{
    struct json *status = json_find(tree, S("status"));
    const struct json *old_status = json_find(old, S("status"));
    str name = S("lastPhaseTransitionTime");
    if (!str_is(in->subresource, "status") || !status || status->type != JSON_OBJECT)
        return;
    str time = json_str(json_find(status, name)), old_time = json_str(json_find(old_status, name));
    bool same_phase = str_eq(json_str(json_find(status, S("phase"))),
                             json_str(json_find(old_status, S("phase"))));
    if (same_phase && time.n == 0 && old_time.n)
        json_set(in->arena, status, name, json_of_str(old_time));
    else if (!same_phase && (time.n == 0 || str_eq(time, old_time)))
        set_phase_time(in, status);
}

static void validate_volume(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct persistent_volume *v = view;
    if (!str_is(in->subresource, "status"))
        check_volume(errors, AT(NULL, "spec"), &v->spec, v->metadata.name, false);
}

static void forbid_with_diff(struct field_errors *errors, const struct field_path *path, const char *text,
                             const struct schema_type *type, const void *now, const void *was)
{
    struct arena *a = errors->arena;
    struct json old_tree = rules_view(a, type, was), new_tree = rules_view(a, type, now);
    str diff = internal_diff(a, type, &old_tree, &new_tree);
    field_forbidden(errors, path, RULES_F(errors, "%s\n%" STR_FMT, text, STR_ARG(diff)));
}

static void check_source_stays(struct field_errors *errors, const struct persistent_volume *v,
                               const struct persistent_volume *old)
{
    struct persistent_volume_source now = v->spec.persistent_volume_source;
    const struct persistent_volume_source *was = &old->spec.persistent_volume_source;
    struct csi_persistent_volume_source csi;
    if (now.csi && was->csi && now.csi->controller_expand_secret_ref &&
        !was->csi->controller_expand_secret_ref) {
        csi = *now.csi;
        csi.controller_expand_secret_ref = NULL;
        now.csi = &csi;
    }
    if (!views_equal(errors->arena, VIEW_TYPE(persistent_volume_source), &now, was))
        forbid_with_diff(errors, AT(AT(NULL, "spec"), "persistentvolumesource"),
                         "spec.persistentvolumesource is immutable after creation",
                         VIEW_TYPE(persistent_volume_source), &now, was);
}

/* The name that took the place of a label from its beta time. */
static str stable_label(str key)
{
    static const struct {
        str beta, stable;
    } labels[] = {
        {S_INIT("failure-domain.beta.kubernetes.io/zone"), S_INIT("topology.kubernetes.io/zone")},
        {S_INIT("failure-domain.beta.kubernetes.io/region"), S_INIT("topology.kubernetes.io/region")},
        {S_INIT("beta.kubernetes.io/os"), S_INIT("kubernetes.io/os")},
        {S_INIT("beta.kubernetes.io/arch"), S_INIT("kubernetes.io/arch")},
        {S_INIT("beta.kubernetes.io/instance-type"), S_INIT("node.kubernetes.io/instance-type")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++)
        if (str_eq(labels[i].beta, key))
            return labels[i].stable;
    return STR_NONE;
}

static void follow_labels(struct arena *a, struct json *was, const struct json *now, str list)
{
    struct json *x = json_find(was, list);
    const struct json *y = json_find(now, list);
    for (size_t i = 0; i < json_count(x) && i < json_count(y); i++) {
        str key = json_str(json_find(json_at(y, i), S("key")));
        str stable = stable_label(json_str(json_find(json_at(x, i), S("key"))));
        if (stable.n && str_eq(stable, key))
            json_set(a, json_at(x, i), S("key"), json_of_str(key));
    }
}

static void check_nodes_stay(struct field_errors *errors, const struct persistent_volume *v,
                             const struct persistent_volume *old)
{
    struct arena *a = errors->arena;
    const struct schema_type *type = VIEW_TYPE(volume_node_affinity);
    if (!old->spec.node_affinity)
        return;
    struct json was = rules_view(a, type, old->spec.node_affinity);
    struct json now = v->spec.node_affinity ? rules_view(a, type, v->spec.node_affinity) : json_null();
    struct json *terms = json_get(&was, S("required"), S("nodeSelectorTerms"));
    const struct json *new_terms = json_get(&now, S("required"), S("nodeSelectorTerms"));
    for (size_t i = 0; i < json_count(terms) && i < json_count(new_terms); i++) {
        follow_labels(a, json_at(terms, i), json_at(new_terms, i), S("matchExpressions"));
        follow_labels(a, json_at(terms, i), json_at(new_terms, i), S("matchFields"));
    }
    if (json_equal(&was, &now))
        return;
    struct json shown = v->spec.node_affinity ? internal_json(a, type, v->spec.node_affinity) : json_null();
    field_invalid(errors, AT(NULL, "nodeAffinity"), &shown,
                  S("field is immutable, except for updating from beta label to GA"));
}

static void validate_volume_update(const struct rules_input *in, const void *view, const void *old_view,
                                   struct field_errors *errors)
{
    const struct persistent_volume *v = view, *old = old_view;
    if (in->subresource.n)
        return;
    check_source_stays(errors, v, old);
    check_same_text(errors, AT(NULL, "volumeMode"), v->spec.volume_mode, old->spec.volume_mode);
    check_nodes_stay(errors, v, old);
    if (old->spec.volume_attributes_class_name.p && !v->spec.volume_attributes_class_name.p)
        field_forbidden(errors, AT(AT(NULL, "spec"), "volumeAttributesClassName"),
                        S("update from non-nil value to nil is forbidden"));
}

/* Types that nothing serves any more. */
static const struct {
    size_t offset;
    const char *name, *since;
} gone[] = {
#define GONE(member, name, since)                                      \
    {                                                                  \
        offsetof(struct persistent_volume_source, member), name, since \
    }
    GONE(photon_persistent_disk, "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    GONE(scale_io, "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    GONE(storageos, "storageos", "deprecated in v1.22, non-functional in v1.25+"),
    GONE(glusterfs, "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    GONE(cephfs, "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    GONE(rbd, "rbd", "deprecated in v1.28, non-functional in v1.31+"),
#undef GONE
};

static void warn_annotation(const struct rules_input *in, const struct object_meta *m, const char *key,
                            const char *text)
{
    if (rules_map_find(&m->annotations, str_from_c(key)))
        warn(in, "metadata.annotations[%s]: %s", key, text);
}

static void warn_term(const struct rules_input *in, const struct field_path *path,
                      const struct node_selector_term *t)
{
    for (size_t i = 0; i < t->match_expressions.count; i++)
        warn_node_label(in, AT(AT_INDEX(AT(path, "matchExpressions"), i), "key"),
                        t->match_expressions.items[i].key);
}

static void warn_volume(const struct rules_input *in, const void *view, const void *old)
{
    const struct persistent_volume *v = view;
    const struct field_path *spec = AT(NULL, "spec");
    const struct field_path *terms = AT(AT(AT(spec, "nodeAffinity"), "required"), "nodeSelectorTerms");
    if (in->subresource.n)
        return;
    warn_annotation(in, &v->metadata, CLASS_ANNOTATION,
                    "deprecated since v1.8; use \"storageClassName\" attribute instead");
    warn_annotation(in, &v->metadata, OPTIONS_ANNOTATION,
                    "deprecated since v1.31; use \"mountOptions\" attribute instead");
    if (str_is(v->spec.persistent_volume_reclaim_policy, "Recycle"))
        warn(in, "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the "
                 "recommended approach is to use dynamic provisioning.");
    const struct node_selector *nodes = v->spec.node_affinity ? v->spec.node_affinity->required : NULL;
    for (size_t i = 0; nodes && i < nodes->node_selector_terms.count; i++)
        warn_term(in, AT_INDEX(terms, i), &nodes->node_selector_terms.items[i]);
    for (size_t i = 0; i < ARRAY_COUNT(gone); i++)
        if (source_is_there(&v->spec.persistent_volume_source, gone[i].offset))
            warn(in, "spec.%s: %s", gone[i].name, gone[i].since);
}

const struct kind_rules persistent_volume_rules = {.package = "core/v1",
                                                   .kind = "PersistentVolume",
                                                   .on_create = on_create_volume,
                                                   .on_update = on_update_volume,
                                                   .validate = validate_volume,
                                                   .validate_update = validate_volume_update,
                                                   .warnings = warn_volume};

/* --- PersistentVolumeClaim --- */

static bool is_claim_or_snapshot(const struct json *source)
{
    str kind = json_str(json_find(source, S("kind"))), group = json_str(json_find(source, S("apiGroup")));
    return (str_is(kind, "PersistentVolumeClaim") && group.n == 0) ||
           (str_is(kind, "VolumeSnapshot") && str_is(group, "snapshot.storage.k8s.io"));
}

static struct json source_of(struct arena *a, const struct json *from)
{
    static const char *const fields[] = {"apiGroup", "kind", "name"};
    struct json j = json_object();
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        const struct json *value = json_find(from, str_from_c(fields[i]));
        if (value)
            json_set(a, &j, str_from_c(fields[i]), *value);
    }
    return j;
}

/* dataSource and dataSourceRef say the same; what the older one cannot say is dropped from it. */
static void match_sources(struct arena *a, struct json *spec, bool was_in_use)
{
    if (!spec || spec->type != JSON_OBJECT)
        return;
    const struct json *source = json_find(spec, S("dataSource"));
    if (source && !was_in_use && !is_claim_or_snapshot(source))
        json_remove(spec, S("dataSource"));
    source = json_find(spec, S("dataSource"));
    const struct json *ref = json_find(spec, S("dataSourceRef"));
    if (source && !ref)
        json_set(a, spec, S("dataSourceRef"), source_of(a, source));
    else if (ref && !source && json_str(json_find(ref, S("namespace"))).n == 0)
        json_set(a, spec, S("dataSource"), source_of(a, ref));
}

static void on_create_claim(const struct rules_input *in, struct json *tree)
{
    struct json status = json_object();
    json_set(in->arena, &status, S("phase"), json_of_str(S("Pending")));
    json_set(in->arena, tree, S("status"), status);
    match_sources(in->arena, json_find(tree, S("spec")), false);
}

static void on_update_claim(const struct rules_input *in, struct json *tree, const struct json *old)
{
    const struct json *old_spec = json_find(old, S("spec"));
    bool in_use = json_find(old_spec, S("dataSource")) || json_find(old_spec, S("dataSourceRef"));
    if (in->subresource.n == 0)
        match_sources(in->arena, json_find(tree, S("spec")), in_use);
}

static void check_claim_resource(struct field_errors *errors, const struct field_path *path, str name)
{
    size_t before = errors->count;
    rules_name(errors, path, name, name_check_qualified);
    if (errors->count == before && resource_is_native(name))
        rules_one_of(errors, path, name, STRS(S("storage")));
}

static void check_claim_status(struct field_errors *errors, const struct persistent_volume_claim *c)
{
    const struct field_path *status = AT(NULL, "status"), *allocated = AT(status, "allocatedResources");
    const struct field_path *statuses = AT(status, "allocatedResourceStatuses");
    if (c->spec.access_modes.count == 0)
        field_required(errors, AT(AT(NULL, "Spec"), "accessModes"), STR_NONE);
    for (size_t i = 0; i < c->status.capacity.count; i++)
        check_basic_amount(errors, AT_KEY(AT(status, "capacity"), c->status.capacity.items[i].key),
                           &c->status.capacity.items[i].value);
    for (size_t i = 0; i < c->status.allocated_resource_statuses.count; i++) {
        const struct str_map_entry *e = &c->status.allocated_resource_statuses.items[i];
        static const str known[] = {S_INIT("ControllerResizeInProgress"),
                                    S_INIT("ControllerResizeInfeasible"), S_INIT("NodeResizePending"),
                                    S_INIT("NodeResizeInProgress"), S_INIT("NodeResizeInfeasible")};
        check_claim_resource(errors, statuses, e->key);
        if (!rules_is_one_of(e->value, known, ARRAY_COUNT(known))) /* it shows the key */
            field_not_supported(errors, statuses, TEXT(e->key), known, ARRAY_COUNT(known));
    }
    for (size_t i = 0; i < c->status.allocated_resources.count; i++) {
        const struct quantity_map_entry *e = &c->status.allocated_resources.items[i];
        size_t before = errors->count;
        check_claim_resource(errors, allocated, e->key);
        if (errors->count != before)
            continue;
        check_basic_amount(errors, AT_KEY(allocated, e->key), &e->value);
        if (errors->count == before)
            check_resource_amount(errors, AT_KEY(allocated, e->key), S("storage"), &e->value);
    }
}

static void validate_claim(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct persistent_volume_claim *c = view;
    if (str_is(in->subresource, "status"))
        check_claim_status(errors, c);
    else
        claim_spec_validate(errors, AT(NULL, "spec"), &c->spec);
}

static bool says(str text, const str *value)
{
    return value && str_eq(text, *value);
}

/* The class moves from the annotation of old into the field, or is set for the first time. */
static bool class_may_come(const struct persistent_volume_claim *c, const struct persistent_volume_claim *old,
                           bool *ret_from_annotation)
{
    const str *was = rules_map_find(&old->metadata.annotations, S(CLASS_ANNOTATION));
    const str *now = rules_map_find(&c->metadata.annotations, S(CLASS_ANNOTATION));
    bool comes = c->spec.storage_class_name.p && !old->spec.storage_class_name.p;
    *ret_from_annotation = comes && says(c->spec.storage_class_name, was) && (!now || says(*now, was));
    return comes && (!was || says(c->spec.storage_class_name, was));
}

static struct quantity_map with_storage_of(struct arena *a, const struct quantity_map *requests,
                                           const struct quantity_map *old)
{
    const struct quantity *storage = quantity_of(old, S("storage"));
    struct quantity_map_entry *items = arena_dup(a, requests->items, requests->count * sizeof *items,
                                                 _Alignof(struct quantity_map_entry));
    for (size_t i = 0; i < requests->count; i++)
        if (storage && str_is(items[i].key, "storage"))
            items[i].value = *storage;
    return (struct quantity_map){.items = items, .count = requests->count};
}

/* Nothing of a claim changes but the volume that is found for it and, once it is bound, how much it wants and of which class
 * of attributes. */
static void check_claim_stays(struct field_errors *errors, const struct persistent_volume_claim *c,
                              const struct persistent_volume_claim *old)
{
    struct persistent_volume_claim_spec now = c->spec, was = old->spec;
    const str *annotated = rules_map_find(&c->metadata.annotations, S(CLASS_ANNOTATION));
    const str *was_annotated = rules_map_find(&old->metadata.annotations, S(CLASS_ANNOTATION));
    bool from_annotation, may_come = class_may_come(c, old, &from_annotation);
    if (was.volume_name.n == 0)
        was.volume_name = now.volume_name;
    if (from_annotation || may_come)
        now.storage_class_name = was.storage_class_name;
    if (!from_annotation)
        check_same_text(errors, AT(AT(AT(NULL, "metadata"), "annotations"), CLASS_ANNOTATION),
                        annotated ? *annotated : S(""), was_annotated ? *was_annotated : S(""));
    if (str_is(c->status.phase, "Bound")) {
        now.resources.requests = with_storage_of(errors->arena, &now.resources.requests,
                                                 &was.resources.requests);
        now.volume_attributes_class_name = was.volume_attributes_class_name;
    }
    if (!views_equal(errors->arena, VIEW_TYPE(persistent_volume_claim_spec), &now, &was))
        forbid_with_diff(
            errors, AT(NULL, "spec"),
            "spec is immutable after creation except resources.requests and volumeAttributesClassName "
            "for bound claims",
            VIEW_TYPE(persistent_volume_claim_spec), &now, &was);
}

static void check_size(struct field_errors *errors, const struct persistent_volume_claim *c,
                       const struct persistent_volume_claim *old)
{
    static const struct quantity zero;
    const struct quantity *now = quantity_of(&c->spec.resources.requests, S("storage"));
    const struct quantity *was = quantity_of(&old->spec.resources.requests, S("storage"));
    const struct quantity *has = quantity_of(&old->status.capacity, S("storage"));
    now = now ? now : &zero;
    if (quantity_cmp(now, was ? was : &zero) < 0 && quantity_cmp(now, has ? has : &zero) <= 0)
        field_forbidden(errors, AT(AT(AT(AT(NULL, "spec"), "resources"), "requests"), "storage"),
                        S("field can not be less than status.capacity"));
}

static void validate_claim_update(const struct rules_input *in, const void *view, const void *old_view,
                                  struct field_errors *errors)
{
    const struct persistent_volume_claim *c = view, *old = old_view;
    const struct field_path *class = AT(AT(NULL, "spec"), "volumeAttributesClassName");
    if (in->subresource.n)
        return;
    check_claim_stays(errors, c, old);
    check_size(errors, c, old);
    check_same_text(errors, AT(NULL, "volumeMode"), c->spec.volume_mode, old->spec.volume_mode);
    if (!old->status.current_volume_attributes_class_name.p)
        return;
    if (!c->spec.volume_attributes_class_name.p && old->spec.volume_attributes_class_name.p)
        field_forbidden(
            errors, class,
            S("update to nil is forbidden when status.currentVolumeAttributesClassName is not nil"));
    else if (c->spec.volume_attributes_class_name.n == 0 && old->spec.volume_attributes_class_name.n)
        field_forbidden(
            errors, class,
            S("update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil"));
}

static void warn_claim(const struct rules_input *in, const void *view, const void *old)
{
    const struct persistent_volume_claim *c = view;
    const struct quantity *storage = quantity_of(&c->spec.resources.requests, S("storage"));
    if (in->subresource.n)
        return;
    warn_annotation(in, &c->metadata, CLASS_ANNOTATION,
                    "deprecated since v1.8; use \"storageClassName\" attribute instead");
    if (!storage || quantity_milli_value(storage) % 1000 == 0)
        return;
    struct json shown = rules_quantity(in->arena, storage);
    warn(in,
         "spec.resources.requests[storage]: fractional byte value \"%" STR_FMT
         "\" is invalid, must be an integer",
         STR_ARG(json_str(&shown)));
}

const struct kind_rules persistent_volume_claim_rules = {.package = "core/v1",
                                                         .kind = "PersistentVolumeClaim",
                                                         .on_create = on_create_claim,
                                                         .on_update = on_update_claim,
                                                         .validate = validate_claim,
                                                         .validate_update = validate_claim_update,
                                                         .warnings = warn_claim};
