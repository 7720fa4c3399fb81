#include "api/convert.h"
#include "api/convert_priv.h"
#include "api/tree.h"
#include "harness/test.h"
#include <stdio.h>

enum { MEMORY_MAX = 64 << 20, OUTPUT_MAX = 1 << 24 };

static str printed(struct arena *a, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, a, OUTPUT_MAX);
    json_print(&b, j, 0);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

static const struct schema_kind_info *kind_of(const char *api_version, const char *kind)
{
    const struct schema_kind_info *k = schema_kind_find(&schema_builtin, str_from_c(api_version),
                                                        str_from_c(kind));
    CHECK(k != NULL);
    return k;
}

/* Text with ' for ", as a normalised document of a kind. */
static struct json document(struct arena *a, const struct schema_kind_info *kind, const char *text)
{
    str copy = str_dup(a, str_from_c(text));
    char *p = arena_dup(a, copy.p, copy.n, 1);
    for (size_t i = 0; i < copy.n; i++)
        if (p[i] == '\'')
            p[i] = '"';
    struct json in, tree;
    CHECK_OK(json_parse(a, str_of(p, copy.n), NULL, &in, &e));
    CHECK_OK(tree_normalise(a, &schema_builtin, &schema_builtin.types[kind->type], &in, NULL, &tree, &e));
    return tree;
}

static struct json to_stored(struct arena *a, const struct schema_kind_info *kind, const struct json *served)
{
    struct json out;
    CHECK_OK(convert_to_stored(a, kind, served, &out, &e));
    return out;
}

static struct json from_stored(struct arena *a, const struct schema_kind_info *kind,
                               const struct json *stored)
{
    struct json out;
    CHECK_OK(convert_from_stored(a, kind, stored, &out, &e));
    return out;
}

static const char v1[] = "autoscaling/v1", v2[] = "autoscaling/v2", hpa[] = "HorizontalPodAutoscaler";

/* What v1 shows of a stored HPA. */
static void check_shows(const char *stored, const char *served)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in = document(&a, kind_of(v2, hpa), stored), want = document(&a, kind_of(v1, hpa), served);
    struct json got = from_stored(&a, kind_of(v1, hpa), &in);
    CHECK_STR(printed(&a, &got), printed(&a, &want));
}

/* What is stored of an HPA in v1. */
static void check_stores(const char *served, const char *stored)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in = document(&a, kind_of(v1, hpa), served), want = document(&a, kind_of(v2, hpa), stored);
    struct json got = to_stored(&a, kind_of(v1, hpa), &in);
    CHECK_STR(printed(&a, &got), printed(&a, &want));
}

static void check_survives_v1(const char *stored)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in = document(&a, kind_of(v2, hpa), stored);
    struct json served = from_stored(&a, kind_of(v1, hpa), &in);
    struct json back = to_stored(&a, kind_of(v1, hpa), &served);
    CHECK_STR(printed(&a, &back), printed(&a, &in));
}

TEST(convert_knows_a_pair_for_every_prefix_that_the_schema_names)
{
    const struct schema *s = &schema_builtin;
    size_t count = 0;
    for (size_t i = 0; i < s->kind_count; i++) {
        CHECK_EQ(s->kinds[i].stored != 0, s->kinds[i].convert != 0);
        if (!s->kinds[i].convert)
            continue;
        CHECK(convert_pair_find(schema_text(s, s->kinds[i].convert)) != NULL);
        count++;
        /* The stored kind is found: an empty object converts. */
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct json nothing = json_object();
        struct json stored = to_stored(&a, &s->kinds[i], &nothing);
        CHECK(json_find(&stored, S("metadata")) != NULL);
    }
    CHECK_EQ(count, 2);
    CHECK(convert_pair_find(S("nothing")) == NULL);
}

TEST(convert_leaves_kinds_alone_that_are_stored_as_they_are)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in = document(&a, kind_of("v1", "Pod"), "{'kind':'Pod','apiVersion':'v1'}");
    struct json stored = to_stored(&a, kind_of("v1", "Pod"), &in);
    struct json served = from_stored(&a, kind_of("v1", "Pod"), &in);
    CHECK_STR(printed(&a, &stored), printed(&a, &in));
    CHECK_STR(printed(&a, &served), printed(&a, &in));
}

TEST(convert_gives_an_event_its_other_names)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    const struct schema_kind_info *served = kind_of("events.k8s.io/v1", "Event");
    struct json in = document(
        &a, served,
        "{'kind':'Event','apiVersion':'events.k8s.io/v1','metadata':{'name':'e'},'eventTime':"
        "'2024-01-01T00:00:00.000001Z','series':{'count':2,'lastObservedTime':'2024-01-01T00:00:01.000000Z'},"
        "'reportingController':'c','reportingInstance':'i','action':'a','reason':'r','regarding':{'kind':'Pod'},"
        "'related':{'kind':'Node'},'note':'n','type':'Normal','deprecatedSource':{'host':'h'},"
        "'deprecatedFirstTimestamp':'2024-01-01T00:00:00Z','deprecatedLastTimestamp':'2024-01-01T00:00:01Z',"
        "'deprecatedCount':3}");
    struct json want = document(
        &a, kind_of("v1", "Event"),
        "{'kind':'Event','apiVersion':'v1','metadata':{'name':'e'},'eventTime':"
        "'2024-01-01T00:00:00.000001Z','series':{'count':2,'lastObservedTime':'2024-01-01T00:00:01.000000Z'},"
        "'reportingComponent':'c','reportingInstance':'i','action':'a','reason':'r','involvedObject':{'kind':'Pod'},"
        "'related':{'kind':'Node'},'message':'n','type':'Normal','source':{'host':'h'},"
        "'firstTimestamp':'2024-01-01T00:00:00Z','lastTimestamp':'2024-01-01T00:00:01Z','count':3}");
    struct json stored = to_stored(&a, served, &in);
    CHECK_STR(printed(&a, &stored), printed(&a, &want));
    struct json back = from_stored(&a, served, &stored);
    CHECK_STR(printed(&a, &back), printed(&a, &in));
}

TEST(convert_does_not_add_a_type_to_content_that_has_none)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in = document(&a, kind_of("events.k8s.io/v1", "Event"), "{'note':'n'}");
    struct json stored = to_stored(&a, kind_of("events.k8s.io/v1", "Event"), &in);
    CHECK(!json_find(&stored, S("kind")) && !json_find(&stored, S("apiVersion")));
}

TEST(convert_makes_the_cpu_percentage_a_metric_and_back)
{
    static const char one[] =
        "{'kind':'HorizontalPodAutoscaler','apiVersion':'autoscaling/v1','metadata':{'name':'h'},'spec':{"
        "'scaleTargetRef':{'kind':'Deployment','name':'d','apiVersion':'apps/v1'},'minReplicas':2,"
        "'maxReplicas':5,'targetCPUUtilizationPercentage':60},'status':{'observedGeneration':3,"
        "'lastScaleTime':'2024-01-01T00:00:00Z','currentReplicas':2,'desiredReplicas':4}}";
    static const char two[] =
        "{'kind':'HorizontalPodAutoscaler','apiVersion':'autoscaling/v2','metadata':{'name':'h'},'spec':{"
        "'scaleTargetRef':{'kind':'Deployment','name':'d','apiVersion':'apps/v1'},'minReplicas':2,"
        "'maxReplicas':5,'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{'type':"
        "'Utilization','averageUtilization':60}}}]},'status':{'observedGeneration':3,'lastScaleTime':"
        "'2024-01-01T00:00:00Z','currentReplicas':2,'desiredReplicas':4,'currentMetrics':null}}";
    check_stores(one, two);
    check_shows(two, one);
}

TEST(convert_stores_80_percent_of_cpu_for_who_names_no_metric)
{
    check_stores("{'spec':{'maxReplicas':5}}",
                 "{'spec':{'maxReplicas':5,'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{"
                 "'type':'Utilization','averageUtilization':80}}}]}}");
    check_stores("{'spec':{'targetCPUUtilizationPercentage':0}}",
                 "{'spec':{'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{"
                 "'type':'Utilization','averageUtilization':0}}}]}}");
}

TEST(convert_puts_other_metrics_into_an_annotation_of_v1s_types)
{
    static const char stored[] =
        "{'metadata':{'annotations':{'mine':'1'}},'spec':{'metrics':["
        "{'type':'Object','object':{'describedObject':{'kind':'Ingress','name':'i'},'target':{'type':'Value',"
        "'value':'2k'},'metric':{'name':'hits<','selector':{'matchLabels':{'a':'b'}}}}},"
        "{'type':'Pods','pods':{'metric':{'name':'m'},'target':{'type':'AverageValue','averageValue':'500m'}}},"
        "{'type':'Resource','resource':{'name':'memory','target':{'type':'AverageValue','averageValue':'1Gi'}}},"
        "{'type':'ContainerResource','containerResource':{'name':'cpu','container':'c','target':{'type':"
        "'Utilization','averageUtilization':50}}},"
        "{'type':'External','external':{'metric':{'name':'q'},'target':{'type':'AverageValue','averageValue':'30'}}},"
        "{'type':'Resource','resource':{'name':'cpu','target':{'type':'Utilization','averageUtilization':70}}}]}}";
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in = document(&a, kind_of(v2, hpa), stored);
    struct json served = from_stored(&a, kind_of(v1, hpa), &in);
    str text = json_str(
        json_get(&served, S("metadata"), S("annotations"), S("autoscaling.alpha.kubernetes.io/metrics")));
    CHECK_CONTAINS(
        text, "[{\"type\":\"Object\",\"object\":{\"target\":{\"kind\":\"Ingress\",\"name\":\"i\"},"
              "\"metricName\":\"hits\\u003c\",\"targetValue\":\"2k\",\"selector\":{\"matchLabels\":{\"a\":"
              "\"b\"}}}},{\"type\":\"Pods\",\"pods\":{\"metricName\":\"m\",\"targetAverageValue\":\"500m\"}},"
              "{\"type\":\"Resource\",\"resource\":{\"name\":\"memory\",\"targetAverageValue\":\"1Gi\"}},");
    CHECK_CONTAINS(text, "\"targetAverageUtilization\":50");
    CHECK_CONTAINS(text, "\"container\":\"c\"");
    CHECK_CONTAINS(
        text, "{\"type\":\"External\",\"external\":{\"metricName\":\"q\",\"targetAverageValue\":\"30\"}}]");
    CHECK(json_get(&served, S("metadata"), S("annotations"), S("mine")) != NULL);
    int64_t percent;
    CHECK(json_int(json_get(&served, S("spec"), S("targetCPUUtilizationPercentage")), &percent));
    CHECK_EQ(percent, 70);
    check_survives_v1(stored);
}

TEST(convert_keeps_measurements_and_conditions_in_annotations)
{
    static const char stored[] =
        "{'spec':{'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{'type':'Utilization',"
        "'averageUtilization':70}}}]},'status':{'currentMetrics':["
        "{'type':'Resource','resource':{'name':'cpu','current':{'averageValue':'250m','averageUtilization':25}}},"
        "{'type':'Object','object':{'metric':{'name':'m'},'current':{'value':'3'},'describedObject':{'kind':'S',"
        "'name':'n'}}},"
        "{'type':'External','external':{'metric':{'name':'q'},'current':{'value':'0','averageValue':'7'}}}],"
        "'conditions':[{'type':'AbleToScale','status':'True','lastTransitionTime':'2024-01-01T00:00:00Z',"
        "'reason':'R','message':'m'}]}}";
    check_survives_v1(stored);
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in = document(&a, kind_of(v2, hpa), stored);
    struct json served = from_stored(&a, kind_of(v1, hpa), &in);
    struct json *annotations = json_get(&served, S("metadata"), S("annotations"));
    CHECK_CONTAINS(json_str(json_find(annotations, S("autoscaling.alpha.kubernetes.io/current-metrics"))),
                   "[{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"currentAverageUtilization\":25,"
                   "\"currentAverageValue\":\"250m\"}},");
    CHECK_STR(
        json_str(json_find(annotations, S("autoscaling.alpha.kubernetes.io/conditions"))),
        "[{\"type\":\"AbleToScale\",\"status\":\"True\",\"lastTransitionTime\":\"2024-01-01T00:00:00Z\","
        "\"reason\":\"R\",\"message\":\"m\"}]");
    int64_t percent;
    CHECK(json_int(json_get(&served, S("status"), S("currentCPUUtilizationPercentage")), &percent));
    CHECK_EQ(percent, 25);
}

TEST(convert_writes_behavior_with_gos_names_and_nulls)
{
    static const char stored[] =
        "{'spec':{'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{'type':'Utilization',"
        "'averageUtilization':70}}}],'behavior':{'scaleDown':{'selectPolicy':'Max','policies':[{'type':'Pods',"
        "'value':4,'periodSeconds':15}],'stabilizationWindowSeconds':300,'tolerance':'50m'}}}}";
    check_survives_v1(stored);
    check_shows(
        stored,
        "{'metadata':{'annotations':{'autoscaling.alpha.kubernetes.io/behavior':"
        "'{\\'ScaleUp\\':null,\\'ScaleDown\\':{\\'StabilizationWindowSeconds\\':300,\\'SelectPolicy\\':"
        "\\'Max\\',\\'Policies\\':[{\\'Type\\':\\'Pods\\',\\'Value\\':4,\\'PeriodSeconds\\':15}],"
        "\\'Tolerance\\':\\'50m\\'}}'}},'spec':{'targetCPUUtilizationPercentage':70}}");
    check_shows(
        "{'spec':{'behavior':{'scaleUp':{}}}}",
        "{'metadata':{'annotations':{'autoscaling.alpha.kubernetes.io/behavior':"
        "'{\\'ScaleUp\\':{\\'StabilizationWindowSeconds\\':null,\\'SelectPolicy\\':null,\\'Policies\\':"
        "null,\\'Tolerance\\':null},\\'ScaleDown\\':null}'}}}");
}

#define STORED_80                                                                                    \
    "'spec':{'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{'type':'Utilization'," \
    "'averageUtilization':80}}}]}"

TEST(convert_drops_annotations_that_do_not_read)
{
    static const char *const names[] = {"metrics", "current-metrics", "conditions", "behavior",
                                        "scale-up-tolerance"};
    static const char *const values[] = {"",
                                         "abc",
                                         "{}",
                                         "[7]",
                                         "7",
                                         "null",
                                         "[]",
                                         "[{\\'type\\':7}]",
                                         "{\\'ScaleUp\\':7}",
                                         "[]]",
                                         "{\\'x\\':1}",
                                         "{\\'ScaleUp\\':null,\\'ScaleDown\\':null}"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        for (size_t k = 0; k < ARRAY_COUNT(values); k++) {
            char text[400];
            snprintf(text, sizeof text,
                     "{'metadata':{'annotations':{'autoscaling.alpha.kubernetes.io/%s':'%s'}}}", names[i],
                     values[k]);
            check_stores(text, "{" STORED_80 "}");
        }
}

TEST(convert_reads_annotations_in_any_case_and_in_any_spelling_of_a_quantity)
{
    check_stores(
        "{'metadata':{'annotations':{'autoscaling.alpha.kubernetes.io/metrics':'[{\\'Type\\':\\'Pods\\',"
        "\\'PODS\\':{\\'metricname\\':\\'m\\',\\'targetAverageValue\\':0.5}}]','a':'b'}}}",
        "{'metadata':{'annotations':{'a':'b'}},'spec':{'metrics':[{'type':'Pods','pods':{'metric':{'name':"
        "'m'},'target':{'type':'AverageValue','averageValue':'500m'}}}]}}");
}

TEST(convert_puts_cpu_behind_the_metrics_of_the_annotation)
{
    check_stores(
        "{'metadata':{'annotations':{'autoscaling.alpha.kubernetes.io/metrics':'[{\\'type\\':\\'External\\',"
        "\\'external\\':{\\'metricName\\':\\'m\\',\\'targetValue\\':\\'1\\'}}]'}},"
        "'spec':{'targetCPUUtilizationPercentage':9}}",
        "{'spec':{'metrics':[{'type':'External','external':{'metric':{'name':'m'},'target':{'type':"
        "'Value','value':'1'}}},{'type':'Resource','resource':{'name':'cpu','target':{'type':"
        "'Utilization','averageUtilization':9}}}]}}");
}

TEST(convert_takes_the_annotation_of_measurements_over_the_percentage)
{
    check_stores("{'status':{'currentCPUUtilizationPercentage':9}}",
                 "{" STORED_80 ",'status':{'currentMetrics':[{'type':'Resource','resource':{'name':'cpu',"
                 "'current':{'averageUtilization':9}}}]}}");
    check_stores("{'metadata':{'annotations':{'autoscaling.alpha.kubernetes.io/current-metrics':'[]'}},"
                 "'status':{'currentCPUUtilizationPercentage':9}}",
                 "{" STORED_80 "}");
}

TEST(convert_shows_the_percentage_only_of_the_first_cpu_metric)
{
    check_shows(
        "{'spec':{'metrics':[{'type':'Resource','resource':{'name':'cpu','target':{'type':'AverageValue',"
        "'averageValue':'1'}}},{'type':'Resource','resource':{'name':'cpu','target':{'type':'Utilization',"
        "'averageUtilization':9}}}]}}",
        "{'metadata':{'annotations':{'autoscaling.alpha.kubernetes.io/metrics':'[{\\'type\\':\\'Resource\\',"
        "\\'resource\\':{\\'name\\':\\'cpu\\',\\'targetAverageValue\\':\\'1\\'}}]'}}}");
}

TEST(convert_does_not_change_what_it_is_given)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct json in = document(
        &a, kind_of(v1, hpa),
        "{'metadata':{'annotations':{'autoscaling.alpha.kubernetes.io/metrics':'[]'}}}");
    str before = printed(&a, &in);
    to_stored(&a, kind_of(v1, hpa), &in);
    CHECK_STR(printed(&a, &in), before);
}

/* --- there and back, for any document --- */

static bool travels_in_annotations(const struct json *served)
{
    static const str prefix = S_INIT("autoscaling.alpha.kubernetes.io/");
    const struct json *annotations = json_get(served, S("metadata"), S("annotations"));
    for (size_t i = 0; i < json_count(annotations); i++)
        if (str_starts(json_member_name(&annotations->v.members[i]), prefix))
            return true;
    return false;
}

/* What v1 says, v1 reads again. */
static bool is_plain(const struct schema_kind_info *kind, const struct json *served)
{
    if (str_is(schema_text(&schema_builtin, kind->convert), "event"))
        return true;
    return !travels_in_annotations(served) &&
           json_get(served, S("spec"), S("targetCPUUtilizationPercentage")) &&
           !json_get(served, S("status"), S("currentCPUUtilizationPercentage"));
}

static void check_is_normal(struct arena *a, const struct schema_kind_info *kind, const struct json *tree)
{
    struct json again;
    CHECK_OK(tree_normalise(a, &schema_builtin, &schema_builtin.types[kind->type], tree, NULL, &again, &e));
    CHECK_STR(printed(a, &again), printed(a, tree));
}

static void check_served(struct arena *a, const struct schema_kind_info *served,
                         const struct schema_kind_info *stored, struct json tree)
{
    str text = printed(a, &tree);
    for (int pass = 1; pass <= 3; pass++) {
        struct json there = to_stored(a, served, &tree);
        check_is_normal(a, stored, &there);
        struct json back = from_stored(a, served, &there);
        check_is_normal(a, served, &back);
        str now = printed(a, &back);
        /* Percentages of CPU that v1's rules put second are dropped on the way; by then they are. */
        if (pass == 3 || is_plain(served, &tree))
            CHECK_STR(now, text);
        tree = back;
        text = now;
    }
}

static void check_stored(struct arena *a, const struct schema_kind_info *served,
                         const struct schema_kind_info *stored, struct json tree)
{
    str text = printed(a, &tree);
    bool is_event = str_is(schema_text(&schema_builtin, served->convert), "event");
    for (int pass = 1; pass <= 3; pass++) {
        struct json there = from_stored(a, served, &tree);
        check_is_normal(a, served, &there);
        struct json back = to_stored(a, served, &there);
        check_is_normal(a, stored, &back);
        str now = printed(a, &back);
        if (pass == 3 || is_event)
            CHECK_STR(now, text);
        tree = back;
        text = now;
    }
}

/* The first byte picks the kind. */
FUZZ(convert)
{
    static const char *const kinds[][2] = {
        {v1, hpa}, {v2, hpa}, {"events.k8s.io/v1", "Event"}, {"v1", "Event"}};
    if (size < 2)
        return;
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, MEMORY_MAX);
    size_t pick = data[0] % 4;
    const struct schema_kind_info *kind = kind_of(kinds[pick][0], kinds[pick][1]);
    const struct schema_kind_info *other = kind_of(kinds[pick ^ 1][0], kinds[pick ^ 1][1]);
    struct err err = ERR_INIT;
    struct json in, tree;
    if (json_parse(&a, str_of((const char *)data + 1, size - 1), NULL, &in, &err) ||
        tree_normalise(&a, &schema_builtin, &schema_builtin.types[kind->type], &in, NULL, &tree, &err))
        return;
    /* Whatever they said, they come back as what they are: a test of its own. */
    json_remove(&tree, S("kind"));
    json_remove(&tree, S("apiVersion"));
    if (kind->stored)
        check_served(&a, kind, other, tree);
    else
        check_stored(&a, other, kind, tree);
}
