/* node_refs.c - what pods and volumes refer to, from their content. */
#include "server/node_priv.h"
#include "view/core_v1.h"

/* A walk that ends at the first name that is the wanted one. */
struct wanted {
    enum node_ref kind;
    str name;
};

static bool is(const struct wanted *w, enum node_ref kind, str name)
{
    return w->kind == kind && name.n && str_eq(name, w->name);
}

static bool secret_is(const struct wanted *w, const struct local_object_reference *ref)
{
    return ref && is(w, NODE_REF_SECRET, ref->name);
}

static bool env_refers(const struct wanted *w, struct env_var_array env)
{
    for (size_t i = 0; i < env.count; i++) {
        const struct env_var_source *from = env.items[i].value_from;
        if (!from)
            continue;
        if (from->secret_key_ref && secret_is(w, &from->secret_key_ref->local_object_reference))
            return true;
        if (from->config_map_key_ref &&
            is(w, NODE_REF_CONFIG_MAP, from->config_map_key_ref->local_object_reference.name))
            return true;
    }
    return false;
}

static bool env_from_refers(const struct wanted *w, struct env_from_source_array from)
{
    for (size_t i = 0; i < from.count; i++) {
        const struct env_from_source *f = &from.items[i];
        if (f->secret_ref && secret_is(w, &f->secret_ref->local_object_reference))
            return true;
        if (f->config_map_ref && is(w, NODE_REF_CONFIG_MAP, f->config_map_ref->local_object_reference.name))
            return true;
    }
    return false;
}

static bool containers_refer(const struct wanted *w, struct container_array containers)
{
    for (size_t i = 0; i < containers.count; i++) {
        const struct container *c = &containers.items[i];
        if (env_refers(w, c->env) || env_from_refers(w, c->env_from))
            return true;
    }
    return false;
}

static bool all_containers_refer(const struct wanted *w, const struct pod_spec *spec)
{
    if (containers_refer(w, spec->init_containers) || containers_refer(w, spec->containers))
        return true;
    for (size_t i = 0; i < spec->ephemeral_containers.count; i++) {
        const struct ephemeral_container_common *c =
            &spec->ephemeral_containers.items[i].ephemeral_container_common;
        if (env_refers(w, c->env) || env_from_refers(w, c->env_from))
            return true;
    }
    return false;
}

static bool projections_refer(const struct wanted *w, struct volume_projection_array sources)
{
    for (size_t i = 0; i < sources.count; i++) {
        const struct volume_projection *p = &sources.items[i];
        if (p->secret && secret_is(w, &p->secret->local_object_reference))
            return true;
        if (p->config_map && is(w, NODE_REF_CONFIG_MAP, p->config_map->local_object_reference.name))
            return true;
    }
    return false;
}

static bool volume_secret_refers(const struct wanted *w, const struct volume_source *v)
{
    return (v->secret && is(w, NODE_REF_SECRET, v->secret->secret_name)) ||
           (v->azure_file && is(w, NODE_REF_SECRET, v->azure_file->secret_name)) ||
           (v->cephfs && secret_is(w, v->cephfs->secret_ref)) ||
           (v->cinder && secret_is(w, v->cinder->secret_ref)) ||
           (v->flex_volume && secret_is(w, v->flex_volume->secret_ref)) ||
           (v->rbd && secret_is(w, v->rbd->secret_ref)) ||
           (v->scale_io && secret_is(w, v->scale_io->secret_ref)) ||
           (v->iscsi && secret_is(w, v->iscsi->secret_ref)) ||
           (v->storageos && secret_is(w, v->storageos->secret_ref)) ||
           (v->csi && secret_is(w, v->csi->node_publish_secret_ref));
}

/* Ephemeral volumes have a claim named for pod and volume. */
static bool ephemeral_claim_is(str pod, str volume, str name)
{
    return name.n == pod.n + 1 + volume.n && str_starts(name, pod) && name.p[pod.n] == '-' &&
           str_ends(name, volume);
}

static bool volumes_refer(const struct wanted *w, const struct pod *pod)
{
    for (size_t i = 0; i < pod->spec.volumes.count; i++) {
        const struct volume *volume = &pod->spec.volumes.items[i];
        const struct volume_source *v = &volume->volume_source;
        if (volume_secret_refers(w, v))
            return true;
        if (v->config_map && is(w, NODE_REF_CONFIG_MAP, v->config_map->local_object_reference.name))
            return true;
        if (v->projected && projections_refer(w, v->projected->sources))
            return true;
        if (v->persistent_volume_claim && is(w, NODE_REF_CLAIM, v->persistent_volume_claim->claim_name))
            return true;
        if (v->ephemeral && w->kind == NODE_REF_CLAIM &&
            ephemeral_claim_is(pod->metadata.name, volume->name, w->name))
            return true;
    }
    return false;
}

/* A claim made from a template has the name that stands in the status. */
static bool resource_claims_refer(const struct wanted *w, const struct pod *pod)
{
    const struct pod_resource_claim_status_array *made = &pod->status.resource_claim_statuses;
    for (size_t i = 0; i < pod->spec.resource_claims.count; i++) {
        const struct pod_resource_claim *c = &pod->spec.resource_claims.items[i];
        if (is(w, NODE_REF_RESOURCE_CLAIM, c->resource_claim_name))
            return true;
        for (size_t j = 0; c->resource_claim_template_name.n && j < made->count; j++) {
            if (str_eq(made->items[j].name, c->name) &&
                is(w, NODE_REF_RESOURCE_CLAIM, made->items[j].resource_claim_name))
                return true;
        }
    }
    const struct pod_extended_resource_claim_status *extended = pod->status.extended_resource_claim_status;
    return extended && is(w, NODE_REF_RESOURCE_CLAIM, extended->resource_claim_name);
}

static bool is_mirror(const struct pod *pod)
{
    for (size_t i = 0; i < pod->metadata.annotations.count; i++) {
        if (str_is(pod->metadata.annotations.items[i].key, "kubernetes.io/config.mirror"))
            return true;
    }
    return false;
}

static bool read_pod(struct arena *a, str content, struct pod *ret)
{
    struct err err = ERR_INIT;
    return !UNEXPECTED(VIEW_DECODE(a, pod, content, ret, &err) != ERR_NONE) && !is_mirror(ret);
}

#define NAME_MAX_N 253

/* Nearly all pods do not refer to it, and then its name does not stand there between quotes: a hundredth of the time that reading
 * the pod takes. Names have no character that JSON would write in another way. */
static bool may_refer(str content, enum node_ref kind, str name)
{
    char quoted[NAME_MAX_N + 2];
    if (name.n > NAME_MAX_N)
        return false;
    if (kind == NODE_REF_CLAIM && str_contains(content, S("\"ephemeral\":")))
        return true; /* put together from two names */
    quoted[0] = '"';
    memcpy(quoted + 1, name.p, name.n);
    quoted[name.n + 1] = '"';
    return memmem(content.p, content.n, quoted, name.n + 2) != NULL;
}

bool pod_refers(struct arena *scratch, str content, enum node_ref kind, str name)
{
    struct pod pod;
    if (str_empty(name) || !may_refer(content, kind, name) || !read_pod(scratch, content, &pod))
        return false;
    struct wanted w = {kind, name};
    switch (kind) {
    case NODE_REF_ACCOUNT: return is(&w, kind, pod.spec.service_account_name);
    case NODE_REF_RESOURCE_CLAIM: return resource_claims_refer(&w, &pod);
    case NODE_REF_SECRET:
        for (size_t i = 0; i < pod.spec.image_pull_secrets.count; i++) {
            if (secret_is(&w, &pod.spec.image_pull_secrets.items[i]))
                return true;
        }
        FALLTHROUGH;
    case NODE_REF_CONFIG_MAP:
    case NODE_REF_CLAIM: return volumes_refer(&w, &pod) || all_containers_refer(&w, &pod.spec);
    }
    return false;
}

void pod_claims(struct arena *a, str content, const str **ret, size_t *ret_count)
{
    struct pod pod;
    *ret = NULL;
    *ret_count = 0;
    if ((!str_contains(content, S("\"persistentVolumeClaim\":")) &&
         !str_contains(content, S("\"ephemeral\":"))) ||
        !read_pod(a, content, &pod))
        return;
    str *claims = ARENA_ARRAY(a, str, pod.spec.volumes.count);
    for (size_t i = 0; i < pod.spec.volumes.count; i++) {
        const struct volume *v = &pod.spec.volumes.items[i];
        if (v->volume_source.persistent_volume_claim)
            claims[(*ret_count)++] = v->volume_source.persistent_volume_claim->claim_name;
        else if (v->volume_source.ephemeral)
            claims[(*ret_count)++] = str_format(a, "%" STR_FMT "-%" STR_FMT, STR_ARG(pod.metadata.name),
                                                STR_ARG(v->name));
    }
    *ret = claims;
}

/* --- volumes --- */

static bool read_volume(struct arena *a, str content, struct persistent_volume *ret)
{
    struct err err = ERR_INIT;
    return !UNEXPECTED(VIEW_DECODE(a, persistent_volume, content, ret, &err) != ERR_NONE) &&
           ret->spec.claim_ref;
}

bool volume_has_claim(struct arena *scratch, str content, str ns, str claim)
{
    struct persistent_volume pv;
    return read_volume(scratch, content, &pv) && str_eq(pv.spec.claim_ref->namespace, ns) &&
           str_eq(pv.spec.claim_ref->name, claim);
}

struct secret_name {
    str ns, name;
};

static bool ref_is(const struct secret_name *w, const struct secret_reference *ref, str ns)
{
    return ref && ref->name.n && str_eq(ref->name, w->name) &&
           str_eq(ref->namespace.n ? ref->namespace : ns, w->ns);
}

static bool csi_shows(const struct secret_name *w, const struct csi_persistent_volume_source *csi)
{
    return csi && (ref_is(w, csi->node_publish_secret_ref, STR_NONE) ||
                   ref_is(w, csi->node_stage_secret_ref, STR_NONE) ||
                   ref_is(w, csi->node_expand_secret_ref, STR_NONE));
}

bool volume_shows_secret(struct arena *scratch, str content, str ns, str secret)
{
    struct persistent_volume pv;
    if (!read_volume(scratch, content, &pv))
        return false;
    const struct persistent_volume_source *s = &pv.spec.persistent_volume_source;
    struct secret_name w = {ns, secret};
    str own = pv.spec.claim_ref->namespace; /* where secrets are that do not say */
    if (s->azure_file) {
        struct secret_reference ref = {s->azure_file->secret_name, s->azure_file->secret_namespace};
        return ref_is(&w, &ref, own);
    }
    if (s->storageos && s->storageos->secret_ref) {
        struct secret_reference ref = {s->storageos->secret_ref->name, s->storageos->secret_ref->namespace};
        return ref_is(&w, &ref, STR_NONE);
    }
    return csi_shows(&w, s->csi) || (s->cephfs && ref_is(&w, s->cephfs->secret_ref, own)) ||
           (s->cinder && ref_is(&w, s->cinder->secret_ref, STR_NONE)) ||
           (s->flex_volume && ref_is(&w, s->flex_volume->secret_ref, own)) ||
           (s->rbd && ref_is(&w, s->rbd->secret_ref, own)) ||
           (s->scale_io && ref_is(&w, s->scale_io->secret_ref, own)) ||
           (s->iscsi && ref_is(&w, s->iscsi->secret_ref, own));
}
