/* What api/core/v1 says of pods and volumes by itself: defaults as the original fills them in. */
#include "api/tree.h"
#include "harness/test.h"

struct fixture {
    struct arena a;
};

static void setup(struct fixture *f)
{
    arena_init(&f->a, 0);
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static const struct schema_type *type(const char *name)
{
    const struct schema_type *t = schema_type_find(&schema_builtin, S("core/v1"), str_from_c(name));
    CHECK(t != NULL);
    return t;
}

static struct json normal(struct fixture *f, const char *name, const char *text)
{
    struct json in, out;
    struct tree_report report = {.on_unknown = NULL};
    CHECK_OK(json_parse(&f->a, str_from_c(text), NULL, &in, &e));
    CHECK_OK(tree_normalise(&f->a, &schema_builtin, type(name), &in, &report, &out, &e));
    return out;
}

TEST(pods_and_volumes_get_the_defaults_of_the_original)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    static const struct {
        const char *type, *given, *want;
    } cases[] = {
        {"PodSpec", "{\"containers\":[{\"name\":\"a\",\"image\":\"b\"}]}",
         "{\"containers\":[{\"name\":\"a\",\"image\":\"b\",\"resources\":{},"
         "\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\"}],"
         "\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\","
         "\"securityContext\":{},\"schedulerName\":\"default-scheduler\"}"},
        {"Probe", "{\"httpGet\":{\"port\":80},\"timeoutSeconds\":5}",
         "{\"httpGet\":{\"path\":\"/\",\"port\":80,\"scheme\":\"HTTP\"},\"timeoutSeconds\":5,\"periodSeconds\":10,"
         "\"successThreshold\":1,\"failureThreshold\":3}"},
        {"EnvVarSource", "{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}",
         "{\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.name\"}}"},
        {"Volume", "{\"name\":\"v\",\"hostPath\":{\"path\":\"/x\"}}",
         "{\"name\":\"v\",\"hostPath\":{\"path\":\"/x\",\"type\":\"\"}}"},
        {"Volume", "{\"name\":\"v\",\"configMap\":{\"name\":\"c\"}}",
         "{\"name\":\"v\",\"configMap\":{\"name\":\"c\",\"defaultMode\":420}}"},
        {"Volume", "{\"name\":\"v\",\"secret\":{\"secretName\":\"c\",\"defaultMode\":0}}",
         "{\"name\":\"v\",\"secret\":{\"secretName\":\"c\",\"defaultMode\":0}}"},
        {"ProjectedVolumeSource", "{\"sources\":[{\"serviceAccountToken\":{\"path\":\"token\"}}]}",
         "{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3600,\"path\":\"token\"}}],"
         "\"defaultMode\":420}"},
        {"EphemeralVolumeSource", "{\"volumeClaimTemplate\":{\"spec\":{}}}",
         "{\"volumeClaimTemplate\":{\"metadata\":{},\"spec\":{\"resources\":{},\"volumeMode\":\"Filesystem\"}}}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct json j = normal(&f, cases[i].type, cases[i].given);
        tree_defaults(&f.a, &schema_builtin, type(cases[i].type), &j);
        struct buf b;
        buf_init_arena(&b, &f.a, 1 << 16);
        json_print(&b, &j, 0);
        CHECK_STR(buf_str(&b), cases[i].want);
    }
}
