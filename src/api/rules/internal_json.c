/* internal_json.c - values by the names of the original's internal fields, and what two of them differ by. */
#include "api/rules/internal_json.h"
#include "api/rules/line_diff.h"
#include "api/rules/rules_priv.h"

enum { TEXT_SIZE_MAX = 8 << 20, DIFF_SIZE_MAX = 32 << 10 };

/* Fields that are called otherwise than by their name in JSON with a capital. Type NULL: wherever it stands. */
static const struct {
    const char *type, *name, *internal;
} names[] = {
    {NULL, "apiGroup", "APIGroup"},
    {NULL, "apiVersion", "APIVersion"},
    {NULL, "awsElasticBlockStore", "AWSElasticBlockStore"},
    {NULL, "cephfs", "CephFS"},
    {NULL, "chapAuthDiscovery", "DiscoveryCHAPAuth"},
    {NULL, "chapAuthSession", "SessionCHAPAuth"},
    {NULL, "cidrs", "CIDRs"},
    {NULL, "csi", "CSI"},
    {NULL, "diskURI", "DataDiskURI"},
    {NULL, "dnsConfig", "DNSConfig"},
    {NULL, "dnsPolicy", "DNSPolicy"},
    {NULL, "endpoints", "EndpointsName"},
    {NULL, "fc", "FC"},
    {NULL, "fsGroup", "FSGroup"},
    {NULL, "fsGroupChangePolicy", "FSGroupChangePolicy"},
    {NULL, "fsType", "FSType"},
    {NULL, "gcePersistentDisk", "GCEPersistentDisk"},
    {NULL, "gmsaCredentialSpec", "GMSACredentialSpec"},
    {NULL, "gmsaCredentialSpecName", "GMSACredentialSpecName"},
    {NULL, "grpc", "GRPC"},
    {NULL, "httpGet", "HTTPGet"},
    {NULL, "httpHeaders", "HTTPHeaders"},
    {NULL, "ip", "IP"},
    {NULL, "iqn", "IQN"},
    {NULL, "iscsi", "ISCSI"},
    {NULL, "iscsiInterface", "ISCSIInterface"},
    {NULL, "nfs", "NFS"},
    {NULL, "os", "OS"},
    {NULL, "pdName", "PDName"},
    {NULL, "rbd", "RBD"},
    {NULL, "seLinuxChangePolicy", "SELinuxChangePolicy"},
    {NULL, "seLinuxOptions", "SELinuxOptions"},
    {NULL, "sslEnabled", "SSLEnabled"},
    {NULL, "storageos", "StorageOS"},
    {NULL, "tcpSocket", "TCPSocket"},
    {NULL, "tty", "TTY"},
    {NULL, "uid", "UID"},
    {NULL, "wwids", "WWIDs"},
    {"RBDVolumeSource", "image", "RBDImage"},
    {"RBDVolumeSource", "monitors", "CephMonitors"},
    {"RBDVolumeSource", "pool", "RBDPool"},
    {"RBDVolumeSource", "user", "RadosUser"},
};

/* Types whose internal fields have another order than their numbers; fields that are not listed here do not exist there. */
#define CONTAINER_ORDER                                                                                  \
    "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy "         \
    "restartPolicyRules volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle " \
    "terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty"
static const struct {
    const char *type, *fields;
} orders[] = {
    {"Container", CONTAINER_ORDER},
    {"EphemeralContainer", CONTAINER_ORDER " targetContainerName"},
    {"ISCSIVolumeSource", "targetPortal iqn lun iscsiInterface fsType readOnly portals chapAuthDiscovery "
                          "chapAuthSession secretRef initiatorName"},
    {"PersistentVolumeClaimSpec",
     "accessModes selector resources volumeName storageClassName volumeMode dataSource "
     "dataSourceRef volumeAttributesClassName"},
    {"PodSecurityContext",
     "seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups "
     "supplementalGroupsPolicy fsGroup sysctls fsGroupChangePolicy seccompProfile "
     "appArmorProfile seLinuxChangePolicy"},
    {"PodSpec",
     "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds "
     "activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName automountServiceAccountToken nodeName "
     "securityContext imagePullSecrets hostname subdomain setHostnameAsFQDN affinity schedulerName tolerations "
     "hostAliases priorityClassName priority preemptionPolicy dnsConfig readinessGates runtimeClassName overhead "
     "enableServiceLinks topologySpreadConstraints os schedulingGates resourceClaims resources hostnameOverride "
     "schedulingGroup"},
    {"SecurityContext",
     "capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot "
     "readOnlyRootFilesystem allowPrivilegeEscalation procMount seccompProfile appArmorProfile"},
    {"ServicePort", "name protocol appProtocol port targetPort nodePort"},
    {"Volume",
     "name hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs "
     "persistentVolumeClaim rbd quobyte flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap "
     "vsphereVolume azureDisk photonPersistentDisk projected portworxVolume scaleIO storageos csi ephemeral image"},
    {"VolumeMount", "name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr"},
};
/* Pointers that are values there. */
static const struct {
    const char *type, *name;
} values[] = {{"RollingUpdateStatefulSetStrategy", "partition"}};
/* Fields of a pod that its security context has there, and has first. */
static const struct {
    const char *name;
    bool pointer;
} of_the_host[] = {
    {"hostNetwork", false},          {"hostPID", false},  {"hostIPC", false},
    {"shareProcessNamespace", true}, {"hostUsers", true},
};

struct shower {
    struct arena *a;
    const struct schema *s;
};

static struct json show(const struct shower *w, struct schema_at at, const struct json *j);

static str capital(const struct shower *w, str name)
{
    char *p = arena_dup(w->a, name.p, name.n, 1);
    if (p[0] >= 'a' && p[0] <= 'z')
        p[0] = (char)(p[0] - 'a' + 'A');
    return str_of(p, name.n);
}

static str internal_name(const struct shower *w, str type, str name)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (str_eq(name, str_from_c(names[i].name)) &&
            (!names[i].type || str_eq(type, str_from_c(names[i].type))))
            return str_from_c(names[i].internal);
    return capital(w, name);
}

/* What a field is that is not set and not a pointer. */
static struct json show_unset(const struct shower *w, struct schema_at at)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: return json_of_bool(false);
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_UINT32:
    case SCHEMA_UINT64:
    case SCHEMA_INT_OR_STRING: return json_of_int(0);
    case SCHEMA_STRING: return json_of_str(S(""));
    case SCHEMA_QUANTITY: return json_of_str(S("0"));
    case SCHEMA_STRUCT: return show(w, at, (const struct json[]){json_object()});
    default: return json_null();
    }
}

static bool is_value(str type, str name)
{
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        if (str_eq(type, str_from_c(values[i].type)) && str_eq(name, str_from_c(values[i].name)))
            return true;
    return false;
}

static void show_field(const struct shower *w, struct json *out, str type, const struct schema_field *f,
                       const struct json *value)
{
    struct schema_at at = schema_field_at(w->s, f);
    str name = schema_field_name(w->s, f);
    struct json shown;
    if (value)
        shown = show(w, at, value);
    else
        shown = (f->flags & SCHEMA_POINTER) && !is_value(type, name) ? json_null() : show_unset(w, at);
    /* Metadata is embedded: its members are the struct's own. */
    if (str_is(name, "metadata")) {
        for (size_t i = 0; i < json_count(&shown); i++)
            json_add(w->a, out, json_member_name(&shown.v.members[i]), shown.v.members[i].value);
        return;
    }
    json_add(w->a, out, internal_name(w, type, name), shown);
}

static const char *order_of(str type)
{
    for (size_t i = 0; i < ARRAY_COUNT(orders); i++)
        if (str_eq(type, str_from_c(orders[i].type)))
            return orders[i].fields;
    return NULL;
}

static void show_fields(const struct shower *w, const struct schema_type *t, str type, const struct json *j,
                        struct json *out)
{
    str order = str_from_c(order_of(type)), name;
    if (order.n == 0)
        for (size_t i = 0; i < t->field_count; i++) {
            const struct schema_field *f = &w->s->fields[t->field_first + i];
            show_field(w, out, type, f, json_find(j, schema_field_name(w->s, f)));
        }
    else
        while (str_next(&order, ' ', &name)) {
            const struct schema_field *f = schema_field_find(w->s, t, name);
            if (!UNEXPECTED(!f))
                show_field(w, out, type, f, json_find(j, name));
        }
}

/* A pod's security context is there always, and begins with what the pod says of the host. */
static struct json move_to_context(const struct shower *w, struct json *spec)
{
    struct json context = json_object(), *said = json_find(spec, S("SecurityContext"));
    for (size_t i = 0; i < ARRAY_COUNT(of_the_host); i++)
        json_add(w->a, &context, capital(w, str_from_c(of_the_host[i].name)),
                 of_the_host[i].pointer ? json_null() : json_of_bool(false));
    for (size_t i = 0; i < json_count(said); i++)
        json_add(w->a, &context, json_member_name(&said->v.members[i]), said->v.members[i].value);
    return context;
}

static void show_pod_context(const struct shower *w, const struct schema_type *t, const struct json *j,
                             struct json *out)
{
    struct json *said = json_find(out, S("SecurityContext"));
    if (said->type == JSON_NULL) {
        struct schema_at at = schema_field_at(w->s, schema_field_find(w->s, t, S("securityContext")));
        *said = show_unset(w, at);
    }
    struct json context = move_to_context(w, out);
    for (size_t i = 0; i < ARRAY_COUNT(of_the_host); i++) {
        const struct json *value = json_find(j, str_from_c(of_the_host[i].name));
        if (value)
            context.v.members[i].value = *value;
    }
    *said = context;
}

static struct json show_struct(const struct shower *w, struct schema_at at, const struct json *j)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    str type = schema_text(s, t->name);
    if (str_is(schema_text(s, s->packages[t->package].name), "meta/v1"))
        return *j;
    struct json out = json_object();
    show_fields(w, t, type, j, &out);
    if (str_is(type, "PodSpec"))
        show_pod_context(w, t, j, &out);
    return out;
}

static struct json show(const struct shower *w, struct schema_at at, const struct json *j)
{
    struct json out;
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_STRUCT: return show_struct(w, at, j);
    case SCHEMA_LIST:
        out = json_array();
        for (size_t i = 0; i < json_count(j); i++)
            json_append(w->a, &out, show(w, schema_items(at), json_at(j, i)));
        return out;
    case SCHEMA_MAP:
        out = json_object();
        for (size_t i = 0; i < json_count(j); i++)
            json_add(w->a, &out, json_member_name(&j->v.members[i]),
                     show(w, schema_items(at), &j->v.members[i].value));
        return out;
    default: return *j;
    }
}

struct json internal_json_of_tree(struct arena *a, const struct schema_type *type, const struct json *tree)
{
    const struct shower w = {.a = a, .s = &schema_builtin};
    const struct schema_node node = {.kind = SCHEMA_STRUCT, .ref = (uint16_t)(type - schema_builtin.types)};
    return tree ? show(&w, (struct schema_at){&schema_builtin, &node}, tree) : json_null();
}

struct json internal_json(struct arena *a, const struct schema_type *type, const void *view)
{
    struct json tree = rules_view(a, type, view);
    return internal_json_of_tree(a, type, &tree);
}

static str text_of(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_SIZE_MAX);
    json_print(&b, j, JSON_INDENT_1 | JSON_HTML);
    return buf_str(&b);
}

str internal_diff(struct arena *a, const struct schema_type *type, const struct json *old_tree,
                  const struct json *new_tree)
{
    struct json x = internal_json_of_tree(a, type, old_tree), y = internal_json_of_tree(a, type, new_tree);
    struct buf b;
    buf_init_arena(&b, a, DIFF_SIZE_MAX);
    line_diff(&b, a, text_of(a, &x), text_of(a, &y));
    return buf_str(&b);
}
