/* convert_hpa.c - autoscaling/v1 of what is stored as autoscaling/v2.
 * v1 knows one metric, the use of CPU in percent. The other metrics, what was measured, conditions and behavior travel in
 * annotations: the first three as JSON of v1's types, the last as that of the original's internal one (Go's names, nulls).
 * As in the original: an annotation that does not read is dropped; CPU comes behind the metrics of the annotation; a v1
 * object that names no metric at all gets 80 percent of CPU. */
#include "api/convert_priv.h"
#include "api/tree.h"

/* An object may be 3 MB; its text grows by escaping. */
enum { ANNOTATION_SIZE_MAX = 32 << 20, CPU_PERCENT_DEFAULT = 80 };

#define METRICS         S("autoscaling.alpha.kubernetes.io/metrics")
#define CURRENT_METRICS S("autoscaling.alpha.kubernetes.io/current-metrics")
#define CONDITIONS      S("autoscaling.alpha.kubernetes.io/conditions")
#define BEHAVIOR        S("autoscaling.alpha.kubernetes.io/behavior")

/* The last two are those of versions that are gone. */
static const str round_trip_annotations[] = {
    S_INIT("autoscaling.alpha.kubernetes.io/metrics"),
    S_INIT("autoscaling.alpha.kubernetes.io/current-metrics"),
    S_INIT("autoscaling.alpha.kubernetes.io/conditions"),
    S_INIT("autoscaling.alpha.kubernetes.io/behavior"),
    S_INIT("autoscaling.alpha.kubernetes.io/scale-down-tolerance"),
    S_INIT("autoscaling.alpha.kubernetes.io/scale-up-tolerance"),
};

static const str same_in_spec[] = {S_INIT("scaleTargetRef"), S_INIT("minReplicas"), S_INIT("maxReplicas")};
static const str same_in_status[] = {S_INIT("observedGeneration"), S_INIT("lastScaleTime"),
                                     S_INIT("currentReplicas"), S_INIT("desiredReplicas")};

static void copy_all(struct arena *a, const struct json *in, const str *names, size_t name_count,
                     struct json *ret)
{
    for (size_t i = 0; i < name_count; i++)
        convert_copy(a, in, names[i], ret, names[i]);
}

static const struct schema_type *type_of(const char *package, const char *name)
{
    return schema_type_find(&schema_builtin, str_from_c(package), str_from_c(name));
}

/* --- one metric --- */

/* Where v1 has a field flat, and v2 inside a struct of the metric ("": flat too). */
struct move {
    str flat, part, name;
};
enum { MOVES_MAX = 5 };

struct metric_source {
    str name;
    struct move spec[MOVES_MAX], status[MOVES_MAX];
};

/* clang-format off */
#define MOVE(flat, part, name) {S_INIT(flat), S_INIT(part), S_INIT(name)}
#define RESOURCE_SPEC {                                                       \
        MOVE("name", "", "name"),                                             \
        MOVE("container", "", "container"),                                   \
        MOVE("targetAverageUtilization", "target", "averageUtilization"),     \
        MOVE("targetAverageValue", "target", "averageValue")}
#define RESOURCE_STATUS {                                                     \
        MOVE("name", "", "name"),                                             \
        MOVE("container", "", "container"),                                   \
        MOVE("currentAverageUtilization", "current", "averageUtilization"),   \
        MOVE("currentAverageValue", "current", "averageValue")}
static const struct metric_source metric_sources[] = {
    {S_INIT("object"),
     {MOVE("target", "", "describedObject"),
      MOVE("metricName", "metric", "name"),
      MOVE("selector", "metric", "selector"),
      MOVE("targetValue", "target", "value"),
      MOVE("averageValue", "target", "averageValue")},
     {MOVE("target", "", "describedObject"),
      MOVE("metricName", "metric", "name"),
      MOVE("selector", "metric", "selector"),
      MOVE("currentValue", "current", "value"),
      MOVE("averageValue", "current", "averageValue")}},
    {S_INIT("pods"),
     {MOVE("metricName", "metric", "name"),
      MOVE("selector", "metric", "selector"),
      MOVE("targetAverageValue", "target", "averageValue")},
     {MOVE("metricName", "metric", "name"),
      MOVE("selector", "metric", "selector"),
      MOVE("currentAverageValue", "current", "averageValue")}},
    {S_INIT("resource"), RESOURCE_SPEC, RESOURCE_STATUS},
    {S_INIT("containerResource"), RESOURCE_SPEC, RESOURCE_STATUS},
    {S_INIT("external"),
     {MOVE("metricName", "metric", "name"),
      MOVE("metricSelector", "metric", "selector"),
      MOVE("targetValue", "target", "value"),
      MOVE("targetAverageValue", "target", "averageValue")},
     {MOVE("metricName", "metric", "name"),
      MOVE("metricSelector", "metric", "selector"),
      MOVE("currentValue", "current", "value"),
      MOVE("currentAverageValue", "current", "averageValue")}},
};
/* clang-format on */

static struct json *member_object(struct arena *a, struct json *object, str name)
{
    struct json *found = json_find(object, name);
    return found ? found : json_set(a, object, name, json_object());
}

static struct json to_flat(struct arena *a, const struct move *moves, const struct json *in)
{
    struct json flat = json_object();
    for (size_t i = 0; i < MOVES_MAX && moves[i].flat.n; i++) {
        const struct json *part = moves[i].part.n ? json_find(in, moves[i].part) : in;
        convert_copy(a, part, moves[i].name, &flat, moves[i].flat);
    }
    return flat;
}

static struct json to_nested(struct arena *a, const struct move *moves, const struct json *in)
{
    struct json nested = json_object();
    for (size_t i = 0; i < MOVES_MAX && moves[i].flat.n; i++) {
        if (!json_find(in, moves[i].flat))
            continue;
        struct json *part = moves[i].part.n ? member_object(a, &nested, moves[i].part) : &nested;
        convert_copy(a, in, moves[i].flat, part, moves[i].name);
    }
    return nested;
}

/* v2 says which of its values is the target, v1 leaves that to which are there. */
static str target_type(str source, const struct json *flat)
{
    if (str_is(source, "object"))
        return json_find(flat, S("averageValue")) ? S("AverageValue") : S("Value");
    if (str_is(source, "external"))
        return json_find(flat, S("targetValue")) ? S("Value") : S("AverageValue");
    return json_find(flat, S("targetAverageUtilization")) ? S("Utilization") : S("AverageValue");
}

static struct json metric_to_v1(struct arena *a, const struct json *in, bool is_status)
{
    struct json metric = json_object();
    convert_copy(a, in, S("type"), &metric, S("type"));
    for (size_t i = 0; i < ARRAY_COUNT(metric_sources); i++) {
        const struct metric_source *source = &metric_sources[i];
        const struct json *nested = json_find(in, source->name);
        if (nested)
            json_set(a, &metric, source->name, to_flat(a, is_status ? source->status : source->spec, nested));
    }
    return metric;
}

static struct json metric_to_v2(struct arena *a, const struct json *in, bool is_status)
{
    struct json metric = json_object();
    convert_copy(a, in, S("type"), &metric, S("type"));
    for (size_t i = 0; i < ARRAY_COUNT(metric_sources); i++) {
        const struct metric_source *source = &metric_sources[i];
        const struct json *flat = json_find(in, source->name);
        if (!flat)
            continue;
        struct json nested = to_nested(a, is_status ? source->status : source->spec, flat);
        if (!is_status)
            json_set(a, member_object(a, &nested, S("target")), S("type"),
                     json_of_str(target_type(source->name, flat)));
        json_set(a, &metric, source->name, nested);
    }
    return metric;
}

/* --- the use of CPU in percent: {"type":"Resource","resource":{"name":"cpu","target":{"averageUtilization":80,...}}} --- */

static bool is_cpu(const struct json *metric)
{
    return str_is(json_str(json_find(metric, S("type"))), "Resource") &&
           str_is(json_str(json_get(metric, S("resource"), S("name"))), "cpu");
}

/* `part`: "target" or "current". NULL: not of CPU, or not in percent. */
static const struct json *cpu_percent(const struct json *metric, str part)
{
    return is_cpu(metric) ? json_get(metric, S("resource"), part, S("averageUtilization")) : NULL;
}

static struct json cpu_metric(struct arena *a, str part, struct json percent)
{
    struct json value = json_object(), resource = json_object(), metric = json_object();
    if (str_is(part, "target"))
        json_set(a, &value, S("type"), json_of_str(S("Utilization")));
    json_set(a, &value, S("averageUtilization"), percent);
    json_set(a, &resource, S("name"), json_of_str(S("cpu")));
    json_set(a, &resource, part, value);
    json_set(a, &metric, S("type"), json_of_str(S("Resource")));
    json_set(a, &metric, S("resource"), resource);
    return metric;
}

/* --- annotations: writing --- */

static err_code annotate(struct arena *a, struct json *annotations, str name, const struct json *value,
                         struct err *err)
{
    struct buf text;
    buf_init_arena(&text, a, ANNOTATION_SIZE_MAX);
    json_print(&text, value, JSON_HTML);
    if (buf_check(&text, err))
        return err_wrap(err, "could not write annotation '%" STR_FMT "'", STR_ARG(name));
    json_set(a, annotations, name, json_of_str(buf_str(&text)));
    return ERR_NONE;
}

static err_code annotate_metrics(struct arena *a, struct json *annotations, const struct json *metrics,
                                 bool is_status, struct err *err)
{
    const struct schema_type *type = type_of("autoscaling/v1", is_status ? "MetricStatus" : "MetricSpec");
    struct json list = json_array();
    for (size_t i = 0; i < json_count(metrics); i++) {
        const struct json *metric = json_at(metrics, i);
        /* What was measured is kept for CPU too: v1 has its percentage, but not its value. */
        if (!is_status && cpu_percent(metric, S("target")))
            continue;
        struct json flat = metric_to_v1(a, metric, is_status), normal;
        if (tree_normalise(a, &schema_builtin, type, &flat, NULL, &normal, err))
            return err->code;
        json_append(a, &list, normal);
    }
    if (json_count(&list) == 0)
        return ERR_NONE;
    return annotate(a, annotations, is_status ? CURRENT_METRICS : METRICS, &list, err);
}

/* Go's names of the fields, in Go's order, and null for what is not set. */
static const str rules_fields[][2] = {
    {S_INIT("stabilizationWindowSeconds"), S_INIT("StabilizationWindowSeconds")},
    {S_INIT("selectPolicy"), S_INIT("SelectPolicy")},
    {S_INIT("policies"), S_INIT("Policies")},
    {S_INIT("tolerance"), S_INIT("Tolerance")},
};
static const str policy_fields[][2] = {
    {S_INIT("type"), S_INIT("Type")},
    {S_INIT("value"), S_INIT("Value")},
    {S_INIT("periodSeconds"), S_INIT("PeriodSeconds")},
};

static struct json go_struct(struct arena *a, const struct json *in, const str (*fields)[2],
                             size_t field_count)
{
    if (!in)
        return json_null();
    struct json out = json_object();
    for (size_t i = 0; i < field_count; i++) {
        json_add(a, &out, fields[i][1], json_null());
        convert_copy(a, in, fields[i][0], &out, fields[i][1]);
    }
    return out;
}

static struct json go_rules(struct arena *a, const struct json *in)
{
    struct json rules = go_struct(a, in, rules_fields, ARRAY_COUNT(rules_fields));
    const struct json *policies = json_find(in, S("policies"));
    if (policies) {
        struct json list = json_array();
        for (size_t i = 0; i < json_count(policies); i++)
            json_append(a, &list,
                        go_struct(a, json_at(policies, i), policy_fields, ARRAY_COUNT(policy_fields)));
        json_set(a, &rules, S("Policies"), list);
    }
    return rules;
}

static err_code annotate_behavior(struct arena *a, struct json *annotations, const struct json *behavior,
                                  struct err *err)
{
    if (!behavior)
        return ERR_NONE;
    struct json out = json_object();
    json_add(a, &out, S("ScaleUp"), go_rules(a, json_find(behavior, S("scaleUp"))));
    json_add(a, &out, S("ScaleDown"), go_rules(a, json_find(behavior, S("scaleDown"))));
    return annotate(a, annotations, BEHAVIOR, &out, err);
}

/* --- annotations: reading --- */

static const struct schema_field *field_any_case(const struct schema *s, const struct schema_type *t,
                                                 str name)
{
    const struct schema_field *exact = schema_field_find(s, t, name);
    for (size_t i = 0; !exact && i < t->field_count; i++)
        if (str_eq_nocase(schema_field_name(s, &s->fields[t->field_first + i]), name))
            exact = &s->fields[t->field_first + i];
    return exact;
}

/* Go reads names in any case, and behavior is written with Go's. */
static void fix_names(struct schema_at at, struct json *in)
{
    if (at.node->kind == SCHEMA_LIST && in->type == JSON_ARRAY) {
        for (size_t i = 0; i < json_count(in); i++)
            fix_names(schema_items(at), json_at(in, i));
        return;
    }
    if (at.node->kind != SCHEMA_STRUCT || in->type != JSON_OBJECT)
        return;
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    for (size_t i = 0; i < in->n; i++) {
        struct json_member *m = &in->v.members[i];
        const struct schema_field *f = field_any_case(s, t, json_member_name(m));
        if (!f)
            continue;
        str name = schema_field_name(s, f);
        m->name = name.p;
        m->name_n = (uint32_t)name.n;
        m->id = f->id;
        fix_names(schema_field_at(s, f), &m->value);
    }
}

/* False: no such annotation, or it does not read. */
static bool annotation(struct arena *a, const struct json *metadata, str name, struct json *ret)
{
    const struct json *text = json_get(metadata, S("annotations"), name);
    struct err err = ERR_INIT;
    return text && json_parse(a, json_str(text), NULL, ret, &err) == ERR_NONE;
}

static bool annotated_struct(struct arena *a, const struct schema_type *type, struct json *in,
                             struct json *ret)
{
    struct schema_node storage;
    fix_names(schema_at_type(&schema_builtin, type, &storage), in);
    struct err err = ERR_INIT;
    return tree_normalise(a, &schema_builtin, type, in, NULL, ret, &err) == ERR_NONE;
}

static bool annotated_list(struct arena *a, const struct json *metadata, str name,
                           const struct schema_type *type, struct json *ret)
{
    struct json in;
    if (!annotation(a, metadata, name, &in) || (in.type != JSON_ARRAY && in.type != JSON_NULL))
        return false;
    *ret = json_array();
    for (size_t i = 0; i < json_count(&in); i++) {
        struct json item;
        if (!annotated_struct(a, type, json_at(&in, i), &item))
            return false;
        json_append(a, ret, item);
    }
    return true;
}

static bool annotated_metrics(struct arena *a, const struct json *metadata, bool is_status, struct json *ret)
{
    const struct schema_type *type = type_of("autoscaling/v1", is_status ? "MetricStatus" : "MetricSpec");
    if (!annotated_list(a, metadata, is_status ? CURRENT_METRICS : METRICS, type, ret))
        return false;
    for (size_t i = 0; i < json_count(ret); i++)
        *json_at(ret, i) = metric_to_v2(a, json_at(ret, i), is_status);
    return true;
}

static bool annotated_behavior(struct arena *a, const struct json *metadata, struct json *ret)
{
    struct json in;
    return annotation(a, metadata, BEHAVIOR, &in) &&
           annotated_struct(a, type_of("autoscaling/v2", "HorizontalPodAutoscalerBehavior"), &in, ret) &&
           json_count(ret) > 0;
}

/* --- the pair --- */

/* Without what travelled in annotations. */
static struct json *add_metadata(struct arena *a, const struct json *in, struct json *ret)
{
    const struct json *metadata = json_find(in, S("metadata"));
    struct json *copy = json_set(a, ret, S("metadata"), metadata ? json_clone(a, metadata) : json_object());
    struct json *annotations = member_object(a, copy, S("annotations"));
    for (size_t i = 0; i < ARRAY_COUNT(round_trip_annotations); i++)
        json_remove(annotations, round_trip_annotations[i]);
    return annotations;
}

err_code hpa_from_stored(struct arena *a, const struct json *in, struct json *ret, struct err *err)
{
    const struct json *in_spec = json_find(in, S("spec")), *in_status = json_find(in, S("status"));
    const struct json *metrics = json_find(in_spec, S("metrics"));
    const struct json *current = json_find(in_status, S("currentMetrics"));
    const struct json *conditions = json_find(in_status, S("conditions"));
    *ret = json_object();
    struct json *annotations = add_metadata(a, in, ret);
    if (annotate_metrics(a, annotations, metrics, false, err) ||
        annotate_metrics(a, annotations, current, true, err) ||
        (json_count(conditions) && annotate(a, annotations, CONDITIONS, conditions, err)) ||
        annotate_behavior(a, annotations, json_find(in_spec, S("behavior")), err))
        return err->code;

    struct json spec = json_object(), status = json_object();
    copy_all(a, in_spec, same_in_spec, ARRAY_COUNT(same_in_spec), &spec);
    copy_all(a, in_status, same_in_status, ARRAY_COUNT(same_in_status), &status);
    for (size_t i = 0; i < json_count(metrics); i++) {
        const struct json *percent = cpu_percent(json_at(metrics, i), S("target"));
        if (percent)
            json_set(a, &spec, S("targetCPUUtilizationPercentage"), *percent);
        if (is_cpu(json_at(metrics, i)))
            break; /* the first one of CPU decides, in percent or not */
    }
    for (size_t i = 0; i < json_count(current); i++) {
        const struct json *percent = cpu_percent(json_at(current, i), S("current"));
        if (percent)
            json_set(a, &status, S("currentCPUUtilizationPercentage"), *percent); /* the last one counts */
    }
    json_set(a, ret, S("spec"), spec);
    json_set(a, ret, S("status"), status);
    return ERR_NONE;
}

static struct json spec_to_v2(struct arena *a, const struct json *in, const struct json *metadata)
{
    struct json spec = json_object(), metrics, behavior;
    copy_all(a, in, same_in_spec, ARRAY_COUNT(same_in_spec), &spec);
    if (!annotated_metrics(a, metadata, false, &metrics))
        metrics = json_array();
    const struct json *percent = json_find(in, S("targetCPUUtilizationPercentage"));
    if (percent)
        json_append(a, &metrics, cpu_metric(a, S("target"), *percent));
    if (json_count(&metrics) == 0)
        json_append(a, &metrics, cpu_metric(a, S("target"), json_of_int(CPU_PERCENT_DEFAULT)));
    json_set(a, &spec, S("metrics"), metrics);
    if (annotated_behavior(a, metadata, &behavior))
        json_set(a, &spec, S("behavior"), behavior);
    return spec;
}

static struct json status_to_v2(struct arena *a, const struct json *in, const struct json *metadata)
{
    struct json status = json_object(), current, conditions;
    copy_all(a, in, same_in_status, ARRAY_COUNT(same_in_status), &status);
    const struct json *percent = json_find(in, S("currentCPUUtilizationPercentage"));
    if (!annotated_metrics(a, metadata, true, &current)) {
        current = json_array();
        if (percent)
            json_append(a, &current, cpu_metric(a, S("current"), *percent));
    }
    if (json_count(&current))
        json_set(a, &status, S("currentMetrics"), current);
    const struct schema_type *condition = type_of("autoscaling/v1", "HorizontalPodAutoscalerCondition");
    if (annotated_list(a, metadata, CONDITIONS, condition, &conditions))
        json_set(a, &status, S("conditions"), conditions);
    return status;
}

err_code hpa_to_stored(struct arena *a, const struct json *in, struct json *ret, struct err *err)
{
    const struct json *metadata = json_find(in, S("metadata"));
    *ret = json_object();
    add_metadata(a, in, ret);
    json_set(a, ret, S("spec"), spec_to_v2(a, json_find(in, S("spec")), metadata));
    json_set(a, ret, S("status"), status_to_v2(a, json_find(in, S("status")), metadata));
    return ERR_NONE;
}
