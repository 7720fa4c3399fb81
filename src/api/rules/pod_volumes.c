/* pod_volumes.c - volumes of a pod: each of exactly one type, with what that type cannot do without. */
#include "api/rules/checks.h"
#include "api/rules/pod_priv.h"

#define NEED(source, field, name) rules_required(c->errors, AT(path, name), (source)->field)
#define ONLY_ONE                  S("may not specify more than 1 volume type")

typedef void source_check_fn(struct pod_check *c, const struct field_path *path, const struct volume *v);

/* --- types of old, most of which nothing serves any more --- */

static void check_git_repo(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.git_repo, repository, "repository");
    rules_name(c->errors, AT(path, "directory"), v->volume_source.git_repo->directory,
               name_check_relative_path);
}

static void check_gce(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.gce_persistent_disk, pd_name, "pdName");
    int32_t partition = v->volume_source.gce_persistent_disk->partition;
    if (partition < 0 || partition > 255)
        field_invalid(c->errors, AT(path, "partition"), NUMBER(partition),
                      S("must be between 1 and 255, inclusive"));
}

static void check_aws(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.aws_elastic_block_store, volume_id, "volumeID");
    int32_t partition = v->volume_source.aws_elastic_block_store->partition;
    if (partition < 0 || partition > 255)
        field_invalid(c->errors, AT(path, "partition"), NUMBER(partition),
                      S("must be between 1 and 255, inclusive"));
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool all_digits(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* "iqn.2015-02.example.com:name", which may begin anywhere. */
static bool is_iqn_from(str s)
{
    if (!str_take_prefix(&s, S("iqn.")) || s.n < 8 || !all_digits(str_slice(s, 0, 4)) || s.p[4] != '-' ||
        !all_digits(str_slice(s, 5, 7)) || s.p[7] != '.')
        return false;
    str domain, name;
    if (!str_cut(str_from(s, 8), ':', &domain, &name) || domain.n == 0 || name.n == 0)
        return false;
    for (size_t i = 0; i < domain.n; i++)
        if (!is_alnum(domain.p[i]) && domain.p[i] != '-' && domain.p[i] != '.')
            return false;
    for (size_t i = 0; i < name.n; i++)
        if (strchr(",;*&$| \t\n\f\r", name.p[i]))
            return false;
    return true;
}

/* Its letters, some character, and so many letters and digits. */
static bool is_numbered(str s, size_t count)
{
    if (s.n != 4 + count || s.p[3] == '\n')
        return false;
    for (size_t i = 4; i < s.n; i++)
        if (!is_alnum(s.p[i]))
            return false;
    return true;
}

static void check_iscsi_name(struct pod_check *c, const struct field_path *path, str name)
{
    bool good = true;
    if (str_starts(name, S("iqn"))) {
        good = false;
        for (size_t at = 0; at < name.n && !good; at++)
            good = is_iqn_from(str_from(name, at));
    } else if (str_starts(name, S("eui"))) {
        good = is_numbered(name, 16);
    } else if (str_starts(name, S("naa"))) {
        good = is_numbered(name, 32);
    } else {
        field_invalid(c->errors, path, TEXT(name), S("must be valid format starting with iqn, eui, or naa"));
    }
    if (!good)
        field_invalid(c->errors, path, TEXT(name), S("must be valid format"));
}

static void check_iscsi(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct iscsi_volume_source *iscsi = v->volume_source.iscsi;
    NEED(iscsi, target_portal, "targetPortal");
    NEED(iscsi, iqn, "iqn");
    if (iscsi->iqn.n)
        check_iscsi_name(c, AT(path, "iqn"), iscsi->iqn);
    rules_range(c->errors, AT(path, "lun"), iscsi->lun, 0, 255);
    if ((iscsi->chap_auth_discovery || iscsi->chap_auth_session) && !iscsi->secret_ref)
        field_required(c->errors, AT(path, "secretRef"), STR_NONE);
    if (iscsi->initiator_name.p)
        check_iscsi_name(c, AT(path, "initiatorname"), iscsi->initiator_name);
}

static void check_glusterfs(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.glusterfs, endpoints, "endpoints");
    NEED(v->volume_source.glusterfs, path, "path");
}

static void check_flocker(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    str name = v->volume_source.flocker->dataset_name, uuid = v->volume_source.flocker->dataset_uuid;
    if (name.n == 0 && uuid.n == 0)
        field_required(c->errors, path, S("one of datasetName and datasetUUID is required"));
    if (name.n && uuid.n)
        field_invalid(c->errors, path, TEXT(S("resource")),
                      S("datasetName and datasetUUID can not be specified simultaneously"));
    if (str_contains(name, S("/")))
        field_invalid(c->errors, AT(path, "datasetName"), TEXT(name), S("must not contain '/'"));
}

static void check_rbd(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    if (v->volume_source.rbd->monitors.count == 0)
        field_required(c->errors, AT(path, "monitors"), STR_NONE);
    NEED(v->volume_source.rbd, image, "image");
}

static void check_cinder(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct cinder_volume_source *cinder = v->volume_source.cinder;
    NEED(cinder, volume_id, "volumeID");
    if (cinder->secret_ref)
        rules_required(c->errors, AT(AT(path, "secretRef"), "name"), cinder->secret_ref->name);
}

static void check_cephfs(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    if (v->volume_source.cephfs->monitors.count == 0)
        field_required(c->errors, AT(path, "monitors"), STR_NONE);
}

/* host:port, [host]:port, as Go splits them. */
static bool is_host_port(str s)
{
    size_t colon = str_rindex_c(s, ':');
    if (colon == SIZE_MAX)
        return false;
    str host = str_slice(s, 0, colon);
    if (str_starts(host, S("["))) {
        if (str_index_c(host, ']') != host.n - 1)
            return false;
        host = str_slice(host, 1, host.n - 1);
    } else if (str_contains(host, S(":"))) {
        return false;
    }
    str port = str_from(s, colon + 1);
    return !str_contains(host, S("[")) && !str_contains(host, S("]")) && !str_contains(port, S("[")) &&
           !str_contains(port, S("]"));
}

static void check_quobyte(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct quobyte_volume_source *quobyte = v->volume_source.quobyte;
    str pairs = S("must be a host:port pair or multiple pairs separated by commas");
    str rest = quobyte->registry, pair;
    if (rest.n == 0)
        field_required(c->errors, AT(path, "registry"), pairs);
    else if (quobyte->tenant.n >= 65)
        field_required(c->errors, AT(path, "tenant"),
                       S("must be a UUID and may not exceed a length of 64 characters"));
    else
        while (str_next(&rest, ',', &pair))
            if (!is_host_port(pair))
                field_invalid(c->errors, AT(path, "registry"), TEXT(quobyte->registry), pairs);
    NEED(quobyte, volume, "volume");
}

static void check_fc(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct fc_volume_source *fc = v->volume_source.fc;
    if (fc->target_wwns.count == 0 && fc->wwids.count == 0)
        field_required(c->errors, AT(path, "targetWWNs"),
                       S("must specify either targetWWNs or wwids, but not both"));
    if (fc->target_wwns.count && fc->wwids.count) {
        struct json names = rules_texts(c->errors->arena, &fc->target_wwns);
        field_invalid(c->errors, AT(path, "targetWWNs"), &names,
                      S("targetWWNs and wwids can not be specified simultaneously"));
    }
    if (fc->target_wwns.count && !fc->lun.is_set)
        field_required(c->errors, AT(path, "lun"), S("lun is required if targetWWNs is specified"));
    else if (fc->target_wwns.count)
        rules_range(c->errors, AT(path, "lun"), fc->lun.value, 0, 255);
}

static void check_flex(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct flex_volume_source *flex = v->volume_source.flex_volume;
    NEED(flex, driver, "driver");
    for (size_t i = 0; i < flex->options.count; i++) {
        str key = flex->options.items[i].key, namespace, rest;
        str_cut(key, '/', &namespace, &rest);
        str dotted = str_concat(c->errors->arena, S("."), str_lower(c->errors->arena, namespace));
        if (str_ends(dotted, S(".kubernetes.io")) || str_ends(dotted, S(".k8s.io")))
            field_invalid(c->errors, AT_KEY(AT(path, "options"), key), TEXT(key),
                          S("kubernetes.io and k8s.io namespaces are reserved"));
    }
}

static void check_azure_file(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.azure_file, secret_name, "secretName");
    NEED(v->volume_source.azure_file, share_name, "shareName");
}

static void check_azure_disk(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct azure_disk_volume_source *disk = v->volume_source.azure_disk;
    NEED(disk, disk_name, "diskName");
    NEED(disk, disk_uri, "diskURI");
    if (disk->caching_mode.p)
        rules_one_of(c->errors, AT(path, "cachingMode"), disk->caching_mode,
                     STRS(S("None"), S("ReadOnly"), S("ReadWrite")));
    if (!disk->kind.p)
        return;
    rules_one_of(c->errors, AT(path, "kind"), disk->kind, STRS(S("Dedicated"), S("Managed"), S("Shared")));
    if (str_is(disk->kind, "Managed") && !str_starts(disk->disk_uri, S("/subscriptions/")))
        field_not_supported(c->errors, AT(path, "diskURI"), TEXT(disk->disk_uri),
                            STRS(S("/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/"
                                   "microsoft.compute/disks/{disk-id}")));
    if (!str_is(disk->kind, "Managed") && !str_starts(disk->disk_uri, S("https://")))
        field_not_supported(
            c->errors, AT(path, "diskURI"), TEXT(disk->disk_uri),
            STRS(S("https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd")));
}

static void check_vsphere(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.vsphere_volume, volume_path, "volumePath");
}

static void check_photon(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.photon_persistent_disk, pd_id, "pdID");
}

static void check_portworx(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.portworx_volume, volume_id, "volumeID");
}

static void check_scale_io(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.scale_io, gateway, "gateway");
    NEED(v->volume_source.scale_io, system, "system");
    NEED(v->volume_source.scale_io, volume_name, "volumeName");
}

static void check_storage_os(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct storage_os_volume_source *os = v->volume_source.storageos;
    rules_name_required(c->errors, AT(path, "volumeName"), os->volume_name, name_check_dns1123_label);
    if (os->volume_namespace.n)
        rules_name(c->errors, AT(path, "volumeNamespace"), os->volume_namespace, name_check_dns1123_label);
    if (os->secret_ref)
        rules_required(c->errors, AT(AT(path, "secretRef"), "name"), os->secret_ref->name);
}

/* --- types in use --- */

static void check_empty_dir(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct quantity *limit = v->volume_source.empty_dir->size_limit;
    if (limit && quantity_sign(limit) < 0)
        field_forbidden(c->errors, AT(path, "sizeLimit"),
                        S("SizeLimit field must be a valid resource quantity"));
}

static void check_host_path(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct host_path_volume_source *host = v->volume_source.host_path;
    if (host->path.n == 0) {
        field_required(c->errors, AT(path, "path"), STR_NONE);
        return;
    }
    rules_name(c->errors, AT(path, "path"), host->path, name_check_path);
    if (host->type.p)
        rules_one_of(c->errors, AT(path, "type"), host->type,
                     STRS(S(""), S("BlockDevice"), S("CharDevice"), S("Directory"), S("DirectoryOrCreate"),
                          S("File"), S("FileOrCreate"), S("Socket")));
}

static void check_nfs(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct nfs_volume_source *nfs = v->volume_source.nfs;
    NEED(nfs, server, "server");
    NEED(nfs, path, "path");
    if (!str_starts(nfs->path, S("/")))
        field_invalid(c->errors, AT(path, "path"), TEXT(nfs->path), S("must be an absolute path"));
}

static void check_claim(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.persistent_volume_claim, claim_name, "claimName");
}

static void check_mode(struct pod_check *c, const struct field_path *path, struct opt_int32 mode)
{
    if (mode.is_set && (mode.value < 0 || mode.value > 0777))
        field_invalid(c->errors, path, NUMBER(mode.value),
                      S("must be a number between 0 and 0777 (octal), both inclusive"));
}

static void check_key_to_path(struct pod_check *c, const struct field_path *path, const struct key_to_path *k)
{
    NEED(k, key, "key");
    NEED(k, path, "path");
    rules_name(c->errors, AT(path, "path"), k->path, name_check_local_path);
    check_mode(c, AT(path, "mode"), k->mode);
}

static void check_secret(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct secret_volume_source *secret = v->volume_source.secret;
    NEED(secret, secret_name, "secretName");
    check_mode(c, AT(path, "defaultMode"), secret->default_mode);
    for (size_t i = 0; i < secret->items.count; i++)
        check_key_to_path(c, AT_INDEX(AT(path, "items"), i), &secret->items.items[i]);
}

static void check_config_map(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct config_map_volume_source *map = v->volume_source.config_map;
    NEED(map, local_object_reference.name, "name");
    check_mode(c, AT(path, "defaultMode"), map->default_mode);
    for (size_t i = 0; i < map->items.count; i++)
        check_key_to_path(c, AT_INDEX(AT(path, "items"), i), &map->items.items[i]);
}

static void check_downward_file(struct pod_check *c, const struct field_path *path,
                                const struct downward_api_volume_file *file)
{
    NEED(file, path, "path");
    rules_name(c->errors, AT(path, "path"), file->path, name_check_local_path);
    if (file->field_ref) {
        object_field_selector_validate(c->errors, AT(path, "fieldRef"), file->field_ref, true);
        if (file->resource_field_ref)
            field_invalid(c->errors, path, TEXT(S("resource")),
                          S("fieldRef and resourceFieldRef can not be specified simultaneously"));
    } else if (file->resource_field_ref) {
        resource_field_selector_validate(c->errors, AT(path, "resourceFieldRef"), file->resource_field_ref,
                                         true);
    } else {
        field_required(c->errors, path, S("one of fieldRef and resourceFieldRef is required"));
    }
    check_mode(c, AT(path, "mode"), file->mode);
}

static void check_downward_api(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct downward_api_volume_source *api = v->volume_source.downward_api;
    check_mode(c, AT(path, "defaultMode"), api->default_mode);
    for (size_t i = 0; i < api->items.count; i++)
        check_downward_file(c, path, &api->items.items[i]);
}

/* --- projected --- */

/* Paths of a projected volume so far. */
struct projected {
    struct pod_check *c;
    const struct field_path *path; /* of the volume's source */
    struct name_map paths;
};

/* `shown`: what the message names, which is not always the path. */
static void projected_path(struct projected *p, str path, str shown)
{
    if (path.n && !name_map_add_name(&p->paths, path))
        field_invalid(p->c->errors, p->path, TEXT(shown), S("conflicting duplicate paths"));
}

static void projected_keys(struct projected *p, const struct field_path *path, str name,
                           const struct key_to_path_array *items)
{
    rules_required(p->c->errors, AT(path, "name"), name);
    for (size_t i = 0; i < items->count; i++) {
        check_key_to_path(p->c, AT_INDEX(AT(path, "items"), i), &items->items[i]);
        projected_path(p, items->items[i].path, name);
    }
}

static void projected_token(struct projected *p, const struct field_path *path,
                            const struct service_account_token_projection *token)
{
    struct field_errors *errors = p->c->errors;
    int64_t seconds = token->expiration_seconds.value;
    if (seconds < 600)
        field_invalid(errors, AT(path, "expirationSeconds"), NUMBER(seconds),
                      S("may not specify a duration less than 10 minutes"));
    if (seconds > INT64_C(1) << 32)
        field_invalid(errors, AT(path, "expirationSeconds"), NUMBER(seconds),
                      S("may not specify a duration larger than 2^32 seconds"));
    rules_required(errors, AT(p->path, "path"), token->path);
    rules_name(errors, AT(p->path, "path"), token->path, name_check_local_path);
}

static void projected_source(struct projected *p, const struct field_path *path,
                             const struct volume_projection *s)
{
    if (s->secret)
        projected_keys(p, AT(path, "secret"), s->secret->local_object_reference.name, &s->secret->items);
    if (s->config_map)
        projected_keys(p, AT(path, "configMap"), s->config_map->local_object_reference.name,
                       &s->config_map->items);
    for (size_t i = 0; s->downward_api && i < s->downward_api->items.count; i++) {
        const struct downward_api_volume_file *file = &s->downward_api->items.items[i];
        check_downward_file(p->c, AT(path, "downwardAPI"), file);
        projected_path(p, file->path, file->path);
    }
    if (s->service_account_token)
        projected_token(p, AT(path, "serviceAccountToken"), s->service_account_token);
    if (!!s->secret + !!s->config_map + !!s->downward_api + !!s->service_account_token > 1)
        field_forbidden(p->c->errors, path, S("may not specify more than 1 volume type per source"));
}

static void check_projected(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct projected_volume_source *projected = v->volume_source.projected;
    struct projected p = {.c = c, .path = path, .paths = {.arena = c->errors->arena}};
    check_mode(c, AT(path, "defaultMode"), projected->default_mode);
    for (size_t i = 0; i < projected->sources.count; i++)
        projected_source(&p, AT_INDEX(AT(path, "sources"), i), &projected->sources.items[i]);
}

static void check_csi(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct csi_volume_source *csi = v->volume_source.csi;
    check_csi_driver_name(c->errors, AT(path, "driver"), csi->driver);
    if (!csi->node_publish_secret_ref)
        return;
    str secret = csi->node_publish_secret_ref->name;
    if (secret.n == 0)
        field_required(c->errors, AT(AT(path, "nodePublishSecretRef"), "name"), STR_NONE);
    else
        rules_name(c->errors, AT(path, "name"), secret, name_check_dns1123_subdomain);
}

static void check_template_metadata(struct pod_check *c, const struct field_path *path,
                                    const struct object_meta *m)
{
    rules_annotations(c->errors, AT(path, "annotations"), &m->annotations);
    rules_labels(c->errors, AT(path, "labels"), &m->labels);
    const struct {
        bool set;
        const char *name;
    } others[] = {
        {m->name.n, "name"},
        {m->generate_name.n, "generateName"},
        {m->namespace.n, "namespace"},
        {m->self_link.n, "selfLink"},
        {m->uid.n, "uID"},
        {m->resource_version.n, "resourceVersion"},
        {m->generation, "generation"},
        {!kube_time_is_zero(m->creation_timestamp), "creationTimestamp"},
        {!kube_time_is_zero(m->deletion_timestamp), "deletionTimestamp"},
        {m->deletion_grace_period_seconds.is_set, "deletionGracePeriodSeconds"},
        {m->owner_references.count, "ownerReferences"},
        {m->finalizers.count, "finalizers"},
        {m->managed_fields.count, "managedFields"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (others[i].set)
            field_forbidden(c->errors, AT_NAME(path, str_from_c(others[i].name)), S("cannot be set"));
}

static void check_ephemeral(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    const struct persistent_volume_claim_template *t = v->volume_source.ephemeral->volume_claim_template;
    const struct field_path *at = AT(path, "volumeClaimTemplate");
    if (!t) {
        field_required(c->errors, at, STR_NONE);
    } else {
        check_template_metadata(c, AT(at, "metadata"), &t->metadata);
        claim_spec_validate(c->errors, AT(at, "spec"), &t->spec);
    }
    if (!c->meta || c->meta->name.n == 0 || v->name.n == 0)
        return;
    str claim = RULES_F(c->errors, "%" STR_FMT "-%" STR_FMT, STR_ARG(c->meta->name), STR_ARG(v->name));
    struct name_errors wrong = {.count = 0};
    name_check_dns1123_subdomain(claim, &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(c->errors, AT(path->parent, "name"), TEXT(v->name),
                      RULES_F(c->errors, "PVC name \"%" STR_FMT "\": %" STR_FMT, STR_ARG(claim),
                              STR_ARG(wrong.reasons[i])));
}

static void check_image(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    NEED(v->volume_source.image, reference, "reference");
    pull_policy_validate(c->errors, AT(path, "pullPolicy"), v->volume_source.image->pull_policy);
}

/* --- all of them --- */

#define SOURCE(member, name, inside, check)                         \
    {                                                               \
        offsetof(struct volume_source, member), name, inside, check \
    }

/* In the original's order. `name` is where it says that there is one too many, `inside` where it says the rest. */
static const struct source_kind {
    size_t offset;
    const char *name, *inside;
    source_check_fn *check;
} source_kinds[] = {
    SOURCE(empty_dir, "emptyDir", "emptyDir", check_empty_dir),
    SOURCE(host_path, "hostPath", "hostPath", check_host_path),
    SOURCE(git_repo, "gitRepo", "gitRepo", check_git_repo),
    SOURCE(gce_persistent_disk, "gcePersistentDisk", "persistentDisk", check_gce),
    SOURCE(aws_elastic_block_store, "awsElasticBlockStore", "awsElasticBlockStore", check_aws),
    SOURCE(secret, "secret", "secret", check_secret),
    SOURCE(nfs, "nfs", "nfs", check_nfs),
    SOURCE(iscsi, "iscsi", "iscsi", check_iscsi),
    SOURCE(glusterfs, "glusterfs", "glusterfs", check_glusterfs),
    SOURCE(flocker, "flocker", "flocker", check_flocker),
    SOURCE(persistent_volume_claim, "persistentVolumeClaim", "persistentVolumeClaim", check_claim),
    SOURCE(rbd, "rbd", "rbd", check_rbd),
    SOURCE(cinder, "cinder", "cinder", check_cinder),
    SOURCE(cephfs, "cephFS", "cephfs", check_cephfs),
    SOURCE(quobyte, "quobyte", "quobyte", check_quobyte),
    SOURCE(downward_api, "downwarAPI", "downwardAPI", check_downward_api),
    SOURCE(fc, "fc", "fc", check_fc),
    SOURCE(flex_volume, "flexVolume", "flexVolume", check_flex),
    SOURCE(config_map, "configMap", "configMap", check_config_map),
    SOURCE(azure_file, "azureFile", "azureFile", check_azure_file),
    SOURCE(vsphere_volume, "vsphereVolume", "vsphereVolume", check_vsphere),
    SOURCE(photon_persistent_disk, "photonPersistentDisk", "photonPersistentDisk", check_photon),
    SOURCE(portworx_volume, "portworxVolume", "portworxVolume", check_portworx),
    SOURCE(azure_disk, "azureDisk", "azureDisk", check_azure_disk),
    SOURCE(storageos, "storageos", "storageos", check_storage_os),
    SOURCE(projected, "projected", "projected", check_projected),
    SOURCE(scale_io, "scaleIO", "scaleIO", check_scale_io),
    SOURCE(csi, "csi", "csi", check_csi),
    SOURCE(ephemeral, "ephemeral", "ephemeral", check_ephemeral),
    SOURCE(image, "image", "image", check_image),
};

static void check_source(struct pod_check *c, const struct field_path *path, const struct volume *v)
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(source_kinds); i++) {
        const struct source_kind *k = &source_kinds[i];
        const void *const *source = (const void *const *)(const void *)((const char *)&v->volume_source +
                                                                        k->offset);
        if (!*source)
            continue;
        if (count++ == 0)
            k->check(c, AT_NAME(path, str_from_c(k->inside)), v);
        else
            field_forbidden(c->errors, AT_NAME(path, str_from_c(k->name)), ONLY_ONE);
        if (k->check == check_iscsi && v->volume_source.iscsi->initiator_name.p &&
            v->name.n + 1 + v->volume_source.iscsi->target_portal.n > 64)
            field_invalid(
                c->errors, AT(path, "name"), TEXT(v->name),
                S("Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
                  "iscsi.initiatorName is specified."));
    }
    if (count == 0)
        field_required(c->errors, path, S("must specify a volume type"));
}

void volume_source_validate(struct field_errors *errors, const struct field_path *path,
                            const struct volume_source *source)
{
    struct pod_check c = {.errors = errors};
    const struct volume v = {.volume_source = *source};
    for (size_t i = 0; i < ARRAY_COUNT(source_kinds); i++)
        if (*(const void *const *)(const void *)((const char *)source + source_kinds[i].offset)) {
            source_kinds[i].check(&c, path, &v);
            return;
        }
}

/* Claims that come into being for ephemeral volumes of this very pod. */
static void add_made_claims(const struct pod_check *c, struct name_map *claims)
{
    const struct volume_array *volumes = &c->spec->volumes;
    for (size_t i = 0; c->meta && c->meta->name.n && i < volumes->count; i++)
        if (volumes->items[i].volume_source.ephemeral)
            name_map_add_name(claims, RULES_F(c->errors, "%" STR_FMT "-%" STR_FMT, STR_ARG(c->meta->name),
                                              STR_ARG(volumes->items[i].name)));
}

void pod_volumes_validate(struct pod_check *c, const struct field_path *path)
{
    struct name_map made = {.arena = c->errors->arena};
    add_made_claims(c, &made);
    for (size_t i = 0; i < c->spec->volumes.count; i++) {
        const struct volume *v = &c->spec->volumes.items[i];
        const struct field_path *at = AT_INDEX(path, i), *name = AT(at, "name");
        size_t before = c->errors->count + c->errors->lost;
        check_source(c, at, v);
        rules_name_required(c->errors, name, v->name, name_check_dns1123_label);
        if (name_map_has(&c->volumes, v->name))
            field_duplicate(c->errors, name, TEXT(v->name));
        if (c->errors->count + c->errors->lost == before)
            name_map_add(&c->volumes, v->name, v);
        const struct persistent_volume_claim_volume_source *claim = v->volume_source.persistent_volume_claim;
        if (claim && name_map_has(&made, claim->claim_name))
            field_invalid(c->errors, AT(AT(at, "persistentVolumeClaim"), "claimName"),
                          TEXT(claim->claim_name),
                          S("must not reference a PVC that gets created for an ephemeral volume"));
    }
}
