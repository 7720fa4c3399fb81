/* node_authz.c - what agents may do. Their own objects go by their name; what pods refer to, by the pods the node has. Whether an
 * agent writes only what is its own (a pod's status, an eviction) is for admission, which sees the object. */
#include "api/object.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "server/bootstrap.h"
#include "server/follow.h"
#include "server/node_priv.h"
#include "server/rbac_priv.h"
#include "store/store.h"

/* --- the lists --- */

struct pod_name {
    _Atomic uint32_t refs;
    uint16_t ns_n, name_n;
    char text[];
};

static str pod_ns(const struct pod_name *p)
{
    return (str){p->text, p->ns_n};
}

static str pod_name(const struct pod_name *p)
{
    return (str){p->text + p->ns_n, p->name_n};
}

static struct pod_name *pod_name_new(str ns, str name)
{
    ASSERT(ns.n <= UINT16_MAX && name.n <= UINT16_MAX); /* as in struct object */
    struct pod_name *p = mem_alloc(sizeof *p + ns.n + name.n);
    atomic_init(&p->refs, 1);
    p->ns_n = (uint16_t)ns.n;
    p->name_n = (uint16_t)name.n;
    memcpy(p->text, ns.p, ns.n);
    memcpy(p->text + ns.n, name.p, name.n);
    return p;
}

static void pod_name_unref(struct pod_name *p)
{
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
        mem_free(p);
}

struct node_list {
    struct cow_item item;
    struct pod_name **pods; /* by namespace and name */
    size_t count, cap;
    char name[];
};

static const struct node_list *node_list_of(const struct cow_item *item)
{
    static_assert(offsetof(struct node_list, item) == 0, "an item is the front of what it is of");
    return (const struct node_list *)(const void *)item;
}

static void list_free(struct cow_item *item)
{
    struct node_list *list = CONTAINER_OF(item, struct node_list, item);
    for (size_t i = 0; i < list->count; i++)
        pod_name_unref(list->pods[i]);
    mem_free(list->pods);
    mem_free(list);
}

static struct cow_item *list_clone(const struct cow_item *item);
static const struct cow_ops list_ops = {.free = list_free, .clone = list_clone};

static struct node_list *list_new(const struct cow_key *key, size_t cap)
{
    struct node_list *list = mem_alloc(sizeof *list + key->name.n);
    struct cow_key own = *key;
    if (key->name.n)
        memcpy(list->name, key->name.p, key->name.n);
    own.ns = STR_NONE;
    own.name.p = list->name;
    cow_item_init(&list->item, &list_ops, &own);
    list->pods = NEW_ARRAY(struct pod_name *, cap);
    list->count = 0;
    list->cap = cap;
    return list;
}

static struct cow_item *list_clone(const struct cow_item *item)
{
    const struct node_list *from = node_list_of(item);
    struct cow_key key = {item->kind, item->ns, item->name, item->hash};
    struct node_list *list = list_new(&key, from->count + 1);
    memcpy(list->pods, from->pods, from->count * sizeof list->pods[0]);
    list->count = from->count;
    for (size_t i = 0; i < list->count; i++)
        atomic_fetch_add_explicit(&list->pods[i]->refs, 1, memory_order_relaxed);
    return &list->item;
}

static int pod_cmp(const struct pod_name *p, str ns, str name)
{
    int by_ns = str_cmp(pod_ns(p), ns);
    return by_ns ? by_ns : str_cmp(pod_name(p), name);
}

/* Where a pod is, or belongs. With an empty name: where its namespace begins. */
static size_t list_place(const struct node_list *list, str ns, str name)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (pod_cmp(list->pods[mid], ns, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool list_has(const struct node_list *list, str ns, str name)
{
    size_t at = list_place(list, ns, name);
    return at < list->count && pod_cmp(list->pods[at], ns, name) == 0;
}

static void pod_enter(const uint64_t hash_key[2], struct cow_table *t, str node, str ns, str pod)
{
    struct cow_key key = cow_key(hash_key, 0, STR_NONE, node);
    const struct cow_item *there = cow_table_find(t, &key);
    if (there && list_has(node_list_of(there), ns, pod))
        return; /* nearly always: a change of status */
    if (!there)
        cow_table_put(t, &list_new(&key, 1)->item);
    struct node_list *list = CONTAINER_OF(cow_table_edit(t, &key), struct node_list, item);
    size_t at = list_place(list, ns, pod);
    if (list->count == list->cap) {
        list->cap = list->cap + list->cap / 2 + 1;
        list->pods = mem_realloc(list->pods, list->cap * sizeof list->pods[0]);
    }
    memmove(&list->pods[at + 1], &list->pods[at], (list->count - at) * sizeof list->pods[0]);
    list->pods[at] = pod_name_new(ns, pod);
    list->count++;
}

static void pod_strike(const uint64_t hash_key[2], struct cow_table *t, str node, str ns, str pod)
{
    struct cow_key key = cow_key(hash_key, 0, STR_NONE, node);
    const struct cow_item *there = cow_table_find(t, &key);
    if (!there || !list_has(node_list_of(there), ns, pod))
        return;
    struct node_list *list = CONTAINER_OF(cow_table_edit(t, &key), struct node_list, item);
    size_t at = list_place(list, ns, pod);
    pod_name_unref(list->pods[at]);
    list->count--;
    memmove(&list->pods[at], &list->pods[at + 1], (list->count - at) * sizeof list->pods[0]);
    if (list->count == 0)
        cow_item_unref(cow_table_take(t, &key));
}

/* What is looked at. The lists of pods may be newer than the objects: those have the last word. */
enum looked_at {
    NODE_PODS,
    NODE_CLAIMS,
    NODE_VOLUMES,
    NODE_ATTACHMENTS,
    NODE_SLICES,
    NODE_RESOURCES,
};

struct node_authz {
    struct follow follow;
    uint64_t hash_key[2];
    struct compiled_role *rules;
    uint32_t resources[NODE_RESOURCES];
    struct arena scratch; /* of the one who makes the next version */
};

static const str resource_names[NODE_RESOURCES] = {
    [NODE_PODS] = S_INIT("pods"),
    [NODE_CLAIMS] = S_INIT("persistentvolumeclaims"),
    [NODE_VOLUMES] = S_INIT("persistentvolumes"),
    [NODE_ATTACHMENTS] = S_INIT("volumeattachments.storage.k8s.io"),
    [NODE_SLICES] = S_INIT("resourceslices.resource.k8s.io"),
};

/* --- a question --- */

struct question {
    const struct node_authz *nodes;
    const struct snapshot *sn;
    const struct cow_table *table;
    struct arena *arena; /* of reasons */
    const struct attributes *at;
    str node;
    struct authz_answer *answer;
};

static void allow(const struct question *q)
{
    q->answer->decision = AUTHZ_ALLOW;
}

static void refuse(const struct question *q, str reason)
{
    q->answer->reason = reason;
}

static void refuse_unrelated(const struct question *q)
{
    refuse(q, str_format(q->arena, "no relationship found between node '%" STR_FMT "' and this object",
                         STR_ARG(q->node)));
}

static bool verb_is(const struct question *q, const str *verbs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(q->at->verb, verbs[i]))
            return true;
    }
    return false;
}
#define VERB_IS(q, ...) \
    verb_is((q), (const str[]){__VA_ARGS__}, sizeof((const str[]){__VA_ARGS__}) / sizeof(str))

static const struct object *find(const struct question *q, enum looked_at what, str ns, str name)
{
    return snapshot_find(q->sn, (struct object_key){q->nodes->resources[what], ns, name});
}

/* The node's pod of that name, as of the snapshot; NULL: it is not there or on another node. */
static const struct object *own_pod(const struct question *q, struct arena *scratch, str ns, str name)
{
    const struct object *o = find(q, NODE_PODS, ns, name);
    return o && str_eq(object_field(scratch, o, S("spec.nodeName")), q->node) ? o : NULL;
}

static const struct node_list *own_list(const struct question *q)
{
    struct cow_key key = cow_key(q->nodes->hash_key, 0, STR_NONE, q->node);
    const struct cow_item *item = cow_table_find(q->table, &key);
    return item ? node_list_of(item) : NULL;
}

/* Does any pod of the node in that namespace refer to it? */
static bool pods_refer(const struct question *q, struct arena *scratch, enum node_ref kind, str ns, str name)
{
    const struct node_list *list = own_list(q);
    for (size_t i = list ? list_place(list, ns, STR_NONE) : 0; list && i < list->count; i++) {
        const struct pod_name *p = list->pods[i];
        if (!str_eq(pod_ns(p), ns))
            break;
        const struct object *o = find(q, NODE_PODS, ns, pod_name(p));
        if (o && pod_refers(scratch, object_content(o), kind, name) && own_pod(q, scratch, ns, pod_name(p)))
            return true;
        arena_reset(scratch);
    }
    return false;
}

/* The volume that a claim is bound to, if both say so. */
static const struct object *volume_of_claim(const struct question *q, struct arena *scratch, str ns,
                                            str claim)
{
    const struct object *pvc = find(q, NODE_CLAIMS, ns, claim);
    str name = pvc ? object_field(scratch, pvc, S("spec.volumeName")) : STR_NONE;
    const struct object *pv = name.n ? find(q, NODE_VOLUMES, STR_NONE, name) : NULL;
    return pv && volume_has_claim(scratch, object_content(pv), ns, claim) ? pv : NULL;
}

static bool pod_volumes_show_secret(const struct question *q, struct arena *scratch, const struct object *pod)
{
    const str *claims;
    size_t count;
    pod_claims(scratch, object_content(pod), &claims, &count);
    for (size_t i = 0; i < count; i++) {
        const struct object *pv = volume_of_claim(q, scratch, object_ns(pod), claims[i]);
        if (pv && volume_shows_secret(scratch, object_content(pv), q->at->ns, q->at->name))
            return true;
    }
    return false;
}

/* Secrets that volumes are mounted with may be in any namespace. */
static bool volumes_show_secret(const struct question *q, struct arena *scratch)
{
    const struct node_list *list = own_list(q);
    for (size_t i = 0; list && i < list->count; i++) {
        const struct object *pod = own_pod(q, scratch, pod_ns(list->pods[i]), pod_name(list->pods[i]));
        if (pod && pod_volumes_show_secret(q, scratch, pod))
            return true;
        arena_reset(scratch);
    }
    return false;
}

static bool volume_is_related(const struct question *q, struct arena *scratch, str name)
{
    const struct object *pv = find(q, NODE_VOLUMES, STR_NONE, name);
    if (!pv)
        return false;
    str ns = str_dup(q->arena, object_field(scratch, pv, S("spec.claimRef.namespace")));
    str claim = str_dup(q->arena, object_field(scratch, pv, S("spec.claimRef.name")));
    return claim.n && pods_refer(q, scratch, NODE_REF_CLAIM, ns, claim);
}

/* Attachments and slices say which node they are of. */
static bool names_node(const struct question *q, struct arena *scratch, enum looked_at resource)
{
    const struct object *o = find(q, resource, STR_NONE, q->at->name);
    return o && str_eq(object_field(scratch, o, S("spec.nodeName")), q->node);
}

enum relation {
    RELATED_SECRET,
    RELATED_CONFIG_MAP,
    RELATED_CLAIM,
    RELATED_RESOURCE_CLAIM,
    RELATED_ACCOUNT,
    RELATED_VOLUME,
    RELATED_ATTACHMENT,
    RELATED_SLICE,
    RELATED_POD,
};

static bool is_related(const struct question *q, enum relation relation)
{
    CLEANUP(arena_done) struct arena scratch;
    arena_init(&scratch, 0);
    str ns = q->at->ns, name = q->at->name;
    switch (relation) {
    case RELATED_SECRET:
        return pods_refer(q, &scratch, NODE_REF_SECRET, ns, name) || volumes_show_secret(q, &scratch);
    case RELATED_CONFIG_MAP: return pods_refer(q, &scratch, NODE_REF_CONFIG_MAP, ns, name);
    case RELATED_CLAIM: return pods_refer(q, &scratch, NODE_REF_CLAIM, ns, name);
    case RELATED_RESOURCE_CLAIM: return pods_refer(q, &scratch, NODE_REF_RESOURCE_CLAIM, ns, name);
    case RELATED_ACCOUNT: return pods_refer(q, &scratch, NODE_REF_ACCOUNT, ns, name);
    case RELATED_VOLUME: return volume_is_related(q, &scratch, name);
    case RELATED_ATTACHMENT: return names_node(q, &scratch, NODE_ATTACHMENTS);
    case RELATED_SLICE: return names_node(q, &scratch, NODE_SLICES);
    case RELATED_POD: return own_pod(q, &scratch, ns, name) != NULL;
    }
    return false;
}

static void if_related(const struct question *q, enum relation relation)
{
    if (!q->at->name.n)
        refuse(q, S("No Object name found"));
    else if (is_related(q, relation))
        allow(q);
    else
        refuse_unrelated(q);
}

/* --- by resource --- */

static void on_get(const struct question *q, enum relation relation)
{
    if (!str_is(q->at->verb, "get"))
        refuse(q, S("can only get individual resources of this type"));
    else if (q->at->subresource.n)
        refuse(q, S("cannot get subresource"));
    else
        if_related(q, relation);
}

static void on_read(const struct question *q, enum relation relation)
{
    if (!VERB_IS(q, S("get"), S("list"), S("watch")))
        refuse(q, S("can only read resources of this type"));
    else if (q->at->subresource.n)
        refuse(q, S("cannot read subresource"));
    else if (!q->at->ns.n)
        refuse(q, S("can only read namespaced object of this type"));
    else
        if_related(q, relation);
}

static void on_claim(const struct question *q)
{
    if (!str_is(q->at->subresource, "status"))
        on_get(q, RELATED_CLAIM);
    else if (!VERB_IS(q, S("update"), S("patch")))
        refuse(q, S("can only get/update/patch this type"));
    else
        if_related(q, RELATED_CLAIM);
}

static void on_account(const struct question *q)
{
    if (str_is(q->at->verb, "get") && !q->at->subresource.n)
        on_read(q, RELATED_ACCOUNT);
    else if (!str_is(q->at->verb, "create") || !q->at->name.n)
        refuse(q, S("can only create tokens for individual service accounts"));
    else if (!str_is(q->at->subresource, "token"))
        refuse(q, S("can only create token subresource of serviceaccount"));
    else
        if_related(q, RELATED_ACCOUNT);
}

/* What an agent has one of, under its own name. Of a create the name is not known here. */
static bool is_own(const struct question *q)
{
    return str_is(q->at->verb, "create") || str_eq(q->at->name, q->node);
}

static void on_lease(const struct question *q)
{
    if (!VERB_IS(q, S("get"), S("create"), S("update"), S("patch"), S("delete")))
        refuse(q, S("can only get, create, update, patch, or delete a node lease"));
    else if (!str_is(q->at->ns, "kube-node-lease"))
        refuse(q, S("can only access leases in the \"kube-node-lease\" system namespace"));
    else if (!is_own(q))
        refuse(q, S("can only access node lease with the same name as the requesting node"));
    else
        allow(q);
}

static void on_csi_node(const struct question *q)
{
    if (!VERB_IS(q, S("get"), S("create"), S("update"), S("patch"), S("delete")))
        refuse(q, S("can only get, create, update, patch, or delete a CSINode"));
    else if (q->at->subresource.n)
        refuse(q, S("cannot authorize CSINode subresources"));
    else if (!is_own(q))
        refuse(q, S("can only access CSINode with the same name as the requesting node"));
    else
        allow(q);
}

/* Does the request select only what is of this node? */
static bool selects_node(const struct question *q)
{
    const struct field_selector *fields = q->at->fields;
    for (uint32_t i = 0; fields && i < fields->count; i++) {
        const struct field_requirement *r = &fields->requirements[i];
        if (str_is(r->field, "spec.nodeName") && !r->negated && str_eq(r->value, q->node))
            return true;
    }
    return false;
}

static void on_slice(const struct question *q)
{
    if (q->at->subresource.n)
        refuse(q, S("cannot authorize ResourceSlice subresources"));
    else if (str_is(q->at->verb, "create"))
        allow(q);
    else if (VERB_IS(q, S("get"), S("update"), S("patch"), S("delete")))
        if_related(q, RELATED_SLICE);
    else if (!VERB_IS(q, S("watch"), S("list"), S("deletecollection")))
        refuse(
            q,
            S("only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, "
              "patch, delete, deletecollection"));
    else if (selects_node(q))
        allow(q);
    else
        refuse(q, S("can only list/watch/deletecollection resourceslices with nodeName field selector"));
}

static void on_node(const struct question *q)
{
    if (str_is(q->at->subresource, "status")) {
        if (VERB_IS(q, S("update"), S("patch")))
            allow(q);
        return;
    }
    if (q->at->subresource.n)
        return;
    if (VERB_IS(q, S("create"), S("update"), S("patch"))) {
        allow(q);
    } else if (VERB_IS(q, S("get"), S("list"), S("watch"))) {
        /* By name alone: an agent asks for its node before that is there. */
        if (str_eq(q->at->name, q->node))
            allow(q);
        else if (!q->at->name.n)
            refuse(q,
                   str_format(q->arena, "node '%" STR_FMT "' cannot read all nodes, only its own Node object",
                              STR_ARG(q->node)));
        else
            refuse(q, str_format(q->arena,
                                 "node '%" STR_FMT "' cannot read '%" STR_FMT "', only its own Node object",
                                 STR_ARG(q->node), STR_ARG(q->at->name)));
    }
}

static void on_pod(const struct question *q)
{
    str sub = q->at->subresource;
    bool allowed = (!sub.n && VERB_IS(q, S("create"), S("delete"))) || /* mirror pods */
                   (str_is(sub, "status") && VERB_IS(q, S("update"), S("patch"))) ||
                   (str_is(sub, "eviction") && VERB_IS(q, S("create")));
    if (allowed)
        allow(q);
    else if (sub.n)
        return;
    else if (str_is(q->at->verb, "get"))
        on_get(q, RELATED_POD);
    else if (!VERB_IS(q, S("list"), S("watch")))
        return;
    else if (selects_node(q))
        allow(q);
    else if (q->at->name.n)
        if_related(q, RELATED_POD);
    else
        refuse(q, S("can only list/watch pods with spec.nodeName field selector"));
}

static bool resource_is(const struct question *q, str group, str resource)
{
    return str_eq(q->at->group, group) && str_eq(q->at->resource, resource);
}

/* False: nothing special. */
static bool on_resource(const struct question *q)
{
    const str core = STR_NONE, storage = S("storage.k8s.io"), dra = S("resource.k8s.io");
    if (resource_is(q, core, S("pods")))
        on_pod(q);
    else if (resource_is(q, core, S("nodes")))
        on_node(q);
    else if (resource_is(q, S("coordination.k8s.io"), S("leases")))
        on_lease(q);
    else if (resource_is(q, core, S("secrets")))
        on_read(q, RELATED_SECRET);
    else if (resource_is(q, core, S("configmaps")))
        on_read(q, RELATED_CONFIG_MAP);
    else if (resource_is(q, core, S("serviceaccounts")))
        on_account(q);
    else if (resource_is(q, core, S("persistentvolumeclaims")))
        on_claim(q);
    else if (resource_is(q, core, S("persistentvolumes")))
        on_get(q, RELATED_VOLUME);
    else if (resource_is(q, storage, S("volumeattachments")))
        on_get(q, RELATED_ATTACHMENT);
    else if (resource_is(q, storage, S("csinodes")))
        on_csi_node(q);
    else if (resource_is(q, dra, S("resourceclaims")))
        on_get(q, RELATED_RESOURCE_CLAIM);
    else if (resource_is(q, dra, S("resourceslices")))
        on_slice(q);
    else
        return false;
    return true;
}

static void decide(const struct question *q)
{
    if (!q->node.n) {
        struct buf b;
        buf_init_arena(&b, q->arena, 256);
        buf_add_lit(&b, "unknown node for user ");
        utf8_add_quoted(&b, q->at->user->name);
        refuse(q, buf_str(&b));
        return;
    }
    if (q->at->is_resource && on_resource(q))
        return;
    struct rbac_ask ask = rbac_ask_of(q->at);
    if (rbac_role_allows(q->nodes->rules, &ask))
        allow(q);
}

void node_authorize(struct node_authz *n, struct arena *a, const struct snapshot *sn,
                    const struct attributes *at, struct authz_answer *ret)
{
    ret->decision = AUTHZ_NO_OPINION;
    ret->reason = STR_NONE;
    struct question q = {.nodes = n, .sn = sn, .arena = a, .at = at, .answer = ret};
    if (!user_is_node(at->user, &q.node))
        return; /* before anything is brought up to date for it */
    q.table = follow_table(&n->follow, sn);
    decide(&q);
    cow_table_unref(q.table);
}

str node_authz_rules_error(const struct user *u)
{
    str node;
    return user_is_node(u, &node) ? S("node authorizer does not support user rule resolution") : STR_NONE;
}

/* --- following the store --- */

/* A pod's node never changes once it is said. */
static void on_change(void *ctx, struct cow_table *t, unsigned which, const struct object *old,
                      const struct object *now)
{
    struct node_authz *n = ctx;
    const struct object *o = now ? now : old;
    str node = object_field(&n->scratch, o, S("spec.nodeName"));
    if (node.n && now)
        pod_enter(n->hash_key, t, node, object_ns(o), object_name(o));
    else if (node.n)
        pod_strike(n->hash_key, t, node, object_ns(o), object_name(o));
    arena_reset(&n->scratch);
}

static struct compiled_role *node_rules(const uint64_t hash_key[2])
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct bootstrap_doc doc;
    bool there = bootstrap_find(&a, S("clusterroles.rbac.authorization.k8s.io"), STR_NONE, S("system:node"),
                                &doc);
    ASSERT(there);
    return rbac_role_compile(hash_key, RBAC_CLUSTER_ROLE, STR_NONE, doc.name, doc.content);
}

struct node_authz *node_authz_new(struct store *s, const uint64_t hash_key[2])
{
    struct node_authz *n = NEW(struct node_authz);
    memcpy(n->hash_key, hash_key, sizeof n->hash_key);
    n->rules = node_rules(hash_key);
    arena_init(&n->scratch, 0);
    for (size_t i = 0; i < NODE_RESOURCES; i++)
        n->resources[i] = store_resource(s, resource_names[i], 0);
    struct follow_opts opts = {.store = s, .resource_count = 1, .change = on_change, .ctx = n};
    opts.resources[0] = n->resources[NODE_PODS];
    follow_init(&n->follow, &opts);
    return n;
}

void node_authz_free(struct node_authz *n)
{
    if (!n)
        return;
    follow_done(&n->follow);
    cow_item_unref(&n->rules->item);
    arena_done(&n->scratch);
    mem_free(n);
}
