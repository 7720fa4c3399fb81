/* What api/ says of workloads and services, by example: defaults, limits, what an update may not change. */
#include "api/tree.h"
#include "harness/test.h"

struct fixture {
    struct arena a;
    struct json tree;
    const struct schema_type *type;
};

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

/* Text with ' for ", normalised and with its defaults. */
static void setup(struct fixture *f, const char *package, const char *type, const char *text)
{
    arena_init(&f->a, 0);
    f->type = schema_type_find(&schema_builtin, str_from_c(package), str_from_c(type));
    CHECK(f->type != NULL);
    size_t n = strlen(text);
    char *copy = arena_dup(&f->a, text, n, 1);
    for (size_t i = 0; i < n; i++)
        if (copy[i] == '\'')
            copy[i] = '"';
    struct json in;
    CHECK_OK(json_parse(&f->a, str_of(copy, n), NULL, &in, &e));
    CHECK_OK(tree_normalise(&f->a, &schema_builtin, f->type, &in, NULL, &f->tree, &e));
    tree_defaults(&f->a, &schema_builtin, f->type, &f->tree);
}

static void check_defaulted(const char *package, const char *type, const char *text, const char *want)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f, package, type, text);
    struct buf b;
    buf_init_arena(&b, &f.a, 1 << 16);
    json_print(&b, &f.tree, 0);
    char *p = arena_dup(&f.a, buf_str(&b).p, b.n, 1);
    for (size_t i = 0; i < b.n; i++)
        if (p[i] == '"')
            p[i] = '\'';
    CHECK_STR(str_of(p, b.n), want);
}

static void check_errors(const char *package, const char *type, const char *text, const char *want)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f, package, type, text);
    struct field_errors errors;
    field_errors_init(&errors, &f.a);
    tree_validate(&schema_builtin, f.type, &f.tree, &errors);
    struct buf b;
    buf_init_arena(&b, &f.a, 1 << 16);
    field_errors_print(&errors, &b);
    if (*want)
        CHECK_CONTAINS(buf_str(&b), want);
    else
        CHECK_STR(buf_str(&b), "");
}

static void check_immutable(const char *package, const char *type, const char *old, const char *updated,
                            const char *want)
{
    CLEANUP(teardown) struct fixture f;
    CLEANUP(teardown) struct fixture g;
    setup(&f, package, type, old);
    setup(&g, package, type, updated);
    struct field_errors errors;
    field_errors_init(&errors, &f.a);
    tree_immutable(&schema_builtin, f.type, &f.tree, &g.tree, &errors);
    struct buf b;
    buf_init_arena(&b, &f.a, 1 << 16);
    field_errors_print(&errors, &b);
    if (*want)
        CHECK_CONTAINS(buf_str(&b), want);
    else
        CHECK_STR(buf_str(&b), "");
}

TEST(workloads_get_their_static_defaults)
{
    check_defaulted("apps/v1", "DeploymentStrategy", "{'rollingUpdate':{'maxSurge':3}}",
                    "{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':'25%','maxSurge':3}}");
    check_defaulted("apps/v1", "DaemonSetUpdateStrategy", "{'rollingUpdate':{}}",
                    "{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':1,'maxSurge':0}}");
    check_defaulted("apps/v1", "StatefulSetPersistentVolumeClaimRetentionPolicy", "{'whenScaled':'Delete'}",
                    "{'whenDeleted':'Retain','whenScaled':'Delete'}");
    check_defaulted(
        "autoscaling/v2", "HorizontalPodAutoscalerSpec", "{'maxReplicas':4}",
        "{'scaleTargetRef':{'kind':'','name':''},'minReplicas':1,'maxReplicas':4,'metrics':[{'type':"
        "'Resource','resource':{'name':'cpu','target':{'type':'Utilization','averageUtilization':80}}}]}");
}

/* The original fills in the defaults of a Job only in a Job. */
TEST(job_templates_of_cron_jobs_are_left_without_the_defaults_of_jobs)
{
    check_defaulted("batch/v1", "JobSpec",
                    "{'podFailurePolicy':{'rules':[{'onPodConditions':[{'type':'x'}]}]}}",
                    "{'template':{'metadata':{},'spec':{'containers':null,'restartPolicy':'Always',"
                    "'terminationGracePeriodSeconds':30,'dnsPolicy':'ClusterFirst','securityContext':{},"
                    "'schedulerName':'default-scheduler'}},'podFailurePolicy':{'rules':[{'action':'',"
                    "'onPodConditions':[{'type':'x','status':'True'}]}]}}");
}

TEST(services_get_their_static_defaults)
{
    check_defaulted("core/v1", "ServiceSpec", "{'sessionAffinityConfig':{'clientIP':{}}}",
                    "{'type':'ClusterIP','sessionAffinity':'None','sessionAffinityConfig':{'clientIP':{"
                    "'timeoutSeconds':10800}}}");
    check_defaulted("discovery/v1", "EndpointPort", "{'port':80}", "{'name':'','protocol':'TCP','port':80}");
    check_defaulted("networking/v1", "NetworkPolicyPort", "{}", "{'protocol':'TCP'}");
    check_defaulted("rbac/v1", "RoleRef", "{'kind':'Role','name':'r'}",
                    "{'apiGroup':'rbac.authorization.k8s.io','kind':'Role','name':'r'}");
}

TEST(workload_and_service_limits_are_checked)
{
    static const struct {
        const char *package, *type, *text, *want;
    } cases[] = {
        {"batch/v1", "CronJobSpec", "{'schedule':'@daily','failedJobsHistoryLimit':-2}",
         "failedJobsHistoryLimit: Invalid value: -2: must be greater than or equal to 0"},
        {"policy/v1", "PodDisruptionBudgetSpec", "{'minAvailable':'50%'}", ""},
        {"discovery/v1", "EndpointSlice", "{'addressType':'IPv5'}",
         "addressType: Unsupported value: \"IPv5\": supported values: \"FQDN\", \"IPv4\", \"IPv6\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_errors(cases[i].package, cases[i].type, cases[i].text, cases[i].want);
}

TEST(what_an_update_may_not_change_is_refused)
{
    check_immutable("networking/v1", "IngressClass", "{'spec':{'controller':'a/b'}}",
                    "{'spec':{'controller':'a/c'}}",
                    "spec.controller: Invalid value: \"a/c\": field is immutable");
    check_immutable("batch/v1", "CronJob", "{'spec':{'jobTemplate':{'spec':{'completionMode':'Indexed'}}}}",
                    "{}", "");
}
