/* docs.c - writes the documents. */
#include "docs.h"
#include "base/arena.h"
#include "wire/json.h"

struct writer {
    struct buf *out;
    uint64_t state;
    size_t size; /* wanted */
    size_t start;
};

static unsigned lot(struct writer *w, unsigned below)
{
    w->state = w->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(w->state >> 33) % below;
}

#define put(w, ...)     buf_add_f((w)->out, __VA_ARGS__)
#define PICK(w, choice) ((choice)[lot((w), ARRAY_COUNT(choice))])

static const char *const apps[] = {"web",          "checkout", "cart",  "search-indexer",
                                   "payments-api", "cache",    "mailer"};
static const char *const namespaces[] = {"default", "shop", "kube-system", "team-observability"};
static const char *const times[] = {"2025-11-02T09:13:44Z", "2025-10-30T23:59:01Z", "2025-11-03T17:20:09Z"};

static bool wants(const struct writer *w, size_t more)
{
    return w->out->n - w->start + more <= w->size;
}

static void put_uid(struct writer *w)
{
    unsigned a = lot(w, 1u << 30), b = lot(w, 1u << 16), c = lot(w, 1u << 12), d = lot(w, 1u << 12),
             e = lot(w, 1u << 30);
    put(w, "\"%08x-%04x-4%03x-a%03x-%012x\"", a, b, c, d, e);
}

static void put_metadata(struct writer *w, const char *app)
{
    unsigned hash = lot(w, 1u << 30), suffix = lot(w, 1u << 20);
    put(w,
        "\"metadata\":{\"name\":\"%s-%08x-%05x\",\"generateName\":\"%s-%08x-\",\"namespace\":\"%s\",\"uid\":",
        app, hash, suffix, app, hash, PICK(w, namespaces));
    put_uid(w);
    put(w,
        ",\"resourceVersion\":\"%u\",\"creationTimestamp\":\"%s\",\"labels\":{\"app\":\"%s\",\"pod-template-hash\":\"%08x\"}",
        lot(w, 9000000), PICK(w, times), app, hash);
    if (wants(w, 900))
        put(w, ",\"annotations\":{\"prometheus.io/scrape\":\"true\",\"prometheus.io/port\":\"%u\"}",
            8000 + lot(w, 999));
    if (wants(w, 600)) {
        put(w,
            ",\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"%s-%08x\",\"uid\":",
            app, hash);
        put_uid(w);
        put(w, ",\"controller\":true,\"blockOwnerDeletion\":true}]");
    }
    put(w, "}");
}

static void put_container(struct writer *w, const char *app, unsigned number)
{
    static const char *const variables[] = {"LOG_LEVEL", "DATABASE_URL", "FEATURE_FLAGS", "REGION",
                                            "QUEUE_NAME"};
    static const char *const values[] = {"info", "postgres://db.shop.svc.cluster.local:5432/shop", "a,b,c",
                                         "eu-west-1"};
    put(w, "%s{\"name\":\"%s-%u\",\"image\":\"registry.example.com/shop/%s:1.%u.%u\"", number ? "," : "", app,
        number, app, lot(w, 30), lot(w, 10));
    if (wants(w, 500))
        put(w, ",\"ports\":[{\"name\":\"http\",\"containerPort\":%u,\"protocol\":\"TCP\"}]",
            8000 + lot(w, 1000));
    if (wants(w, 700)) {
        for (unsigned i = 0; i < 4 && wants(w, 700); i++)
            put(w, "%s{\"name\":\"%s\",\"value\":\"%s\"}", i ? "," : ",\"env\":[", variables[i],
                PICK(w, values));
        put(w, "]");
    }
    put(w, ",\"resources\":{\"limits\":{\"cpu\":\"%um\",\"memory\":\"%uMi\"}}", 100 * (1 + lot(w, 20)),
        64 << lot(w, 5));
    if (wants(w, 600))
        put(w, ",\"volumeMounts\":[{\"name\":\"kube-api-access-x2x9k\",\"readOnly\":true,\"mountPath\":"
               "\"/var/run/secrets/kubernetes.io/serviceaccount\"}]");
    if (wants(w, 600))
        put(w,
            ",\"livenessProbe\":{\"httpGet\":{\"path\":\"/healthz\",\"port\":8080,\"scheme\":\"HTTP\"},\"timeoutSeconds\":1,"
            "\"periodSeconds\":10,\"successThreshold\":1,\"failureThreshold\":3}");
    if (wants(w, 500))
        put(w, ",\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\"");
    put(w, ",\"imagePullPolicy\":\"IfNotPresent\"}");
}

static void put_spec(struct writer *w, const char *app)
{
    put(w, ",\"spec\":{");
    if (wants(w, 1500))
        put(w,
            "\"volumes\":[{\"name\":\"kube-api-access-x2x9k\",\"projected\":{\"sources\":[{\"serviceAccountToken\":"
            "{\"expirationSeconds\":3607,\"path\":\"token\"}},{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":"
            "[{\"key\":\"ca.crt\",\"path\":\"ca.crt\"}]}}],\"defaultMode\":420}}],");
    put(w, "\"containers\":[");
    put_container(w, app, 0);
    for (unsigned i = 1; i < 8 && wants(w, 1400); i++)
        put_container(w, app, i);
    put(w,
        "],\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\"");
    if (wants(w, 300))
        put(w,
            ",\"serviceAccountName\":\"default\",\"nodeName\":\"node-%u\",\"securityContext\":{},\"schedulerName\":"
            "\"default-scheduler\",\"tolerations\":[{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\","
            "\"effect\":\"NoExecute\",\"tolerationSeconds\":300}],\"priority\":0,\"enableServiceLinks\":true",
            lot(w, 5000));
    put(w, "}");
}

static void put_status(struct writer *w)
{
    static const char *const types[] = {"Initialized", "Ready", "ContainersReady", "PodScheduled"};
    put(w, ",\"status\":{\"phase\":\"Running\"");
    if (wants(w, 120)) {
        put(w, ",\"conditions\":[");
        for (unsigned i = 0; i < ARRAY_COUNT(types) && (i == 0 || wants(w, 120)); i++)
            put(w,
                "%s{\"type\":\"%s\",\"status\":\"True\",\"lastProbeTime\":null,\"lastTransitionTime\":\"%s\"}",
                i ? "," : "", types[i], PICK(w, times));
        put(w, "]");
    }
    if (wants(w, 200))
        put(w,
            ",\"hostIP\":\"10.0.%u.%u\",\"podIP\":\"10.244.%u.%u\",\"startTime\":\"%s\",\"qosClass\":\"Burstable\"",
            lot(w, 255), lot(w, 255), lot(w, 255), lot(w, 255), PICK(w, times));
    put(w, "}");
}

static void put_pod(struct writer *w, bool in_list)
{
    const char *app = PICK(w, apps);
    put(w, "{%s", in_list ? "" : "\"kind\":\"Pod\",\"apiVersion\":\"v1\",");
    put_metadata(w, app);
    put_spec(w, app);
    put_status(w);
    put(w, "}");
}

static str finish(struct buf *out)
{
    ASSERT(!out->failed);
    size_t n = out->n;
    buf_add_n(out, ' ', BENCH_PADDING);
    return str_of(out->p, n);
}

str bench_pod(struct arena *a, unsigned seed, size_t size)
{
    struct buf out;
    buf_init_arena(&out, a, 1 << 20);
    struct writer w = {.out = &out, .state = seed, .size = size};
    put_pod(&w, false);
    return finish(&out);
}

str bench_applied_pod(struct arena *a, unsigned seed, size_t size)
{
    str outer = bench_pod(a, seed, size / 2), inner = bench_pod(a, seed + 1, size * 2 / 5);
    size_t at = str_index(outer, S("\"metadata\":{")) + strlen("\"metadata\":{");
    struct buf out;
    buf_init_arena(&out, a, 1 << 20);
    buf_add(&out, str_slice(outer, 0, at));
    buf_add_lit(&out, "\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":");
    json_print_str(&out, inner, 0);
    buf_add_lit(&out, "},");
    buf_add(&out, str_from(outer, at));
    return finish(&out);
}

str bench_pod_list(struct arena *a, size_t size)
{
    struct buf out;
    buf_init_arena(&out, a, size + (1 << 20));
    buf_room(&out, size + (1 << 16));
    struct writer w = {.out = &out, .state = 7, .size = 3000};
    put(&w,
        "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"9000001\"},\"items\":[");
    for (bool first = true; out.n < size; first = false) {
        if (!first)
            put(&w, ",");
        w.start = out.n;
        w.size = 1500 + lot(&w, 3000);
        put_pod(&w, true);
    }
    put(&w, "]}");
    return finish(&out);
}

str bench_config_map(struct arena *a, unsigned seed, size_t size)
{
    static const char *const lines[] = {
        "log_format json;", "worker_connections 1024;", "server_name shop.example.com;",
        "location / { proxy_pass http://backend; }", "# keep this in step with the chart"};
    struct buf out;
    buf_init_arena(&out, a, 1 << 20);
    struct writer w = {.out = &out, .state = seed, .size = size};
    put(&w, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",");
    put_metadata(&w, PICK(&w, apps));
    put(&w, ",\"data\":{");
    for (unsigned file = 0; file == 0 || wants(&w, 60); file++) {
        put(&w, "%s\"file-%u.conf\":\"", file ? "," : "", file);
        for (unsigned line = 0; line < 20 && wants(&w, 50); line++)
            put(&w, "%s\\n", PICK(&w, lines));
        put(&w, "\"");
    }
    put(&w, "}}");
    return finish(&out);
}

static const char pod_fields[] =
    "kind apiVersion metadata name generateName namespace uid resourceVersion creationTimestamp labels annotations "
    "ownerReferences controller blockOwnerDeletion spec volumes projected sources serviceAccountToken expirationSeconds "
    "path configMap items key defaultMode containers image ports containerPort protocol env value resources limits cpu "
    "memory requests volumeMounts readOnly mountPath livenessProbe httpGet port scheme timeoutSeconds periodSeconds "
    "successThreshold failureThreshold terminationMessagePath terminationMessagePolicy imagePullPolicy restartPolicy "
    "terminationGracePeriodSeconds dnsPolicy serviceAccountName nodeName securityContext schedulerName tolerations "
    "operator effect tolerationSeconds priority enableServiceLinks status phase conditions type lastProbeTime "
    "lastTransitionTime hostIP podIP startTime qosClass data";

struct intern *bench_names(void)
{
    enum { COUNT = 2500 };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str *names = ARENA_ARRAY(&a, str, COUNT), rest = str_from_c(pod_fields), name;
    size_t n = 0;
    while (str_next(&rest, ' ', &name))
        names[n++] = name;
    for (; n < COUNT; n++)
        names[n] = str_format(&a, "someOtherField%zu", n);
    return intern_new(names, COUNT);
}
