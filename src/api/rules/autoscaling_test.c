#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define SCALER                                                                                              \
    "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a, namespace: b}, spec: " \
    "{scaleTargetRef: {kind: Deployment, name: a}, maxReplicas: 3}}"

TEST(a_scaler_has_bounds_in_order)
{
    RULES_CREATE(
        SCALER, {"spec.minReplicas: 3", ""},
        {"spec.minReplicas: 0", "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"},
        {"spec.maxReplicas: 0",
         "spec.maxReplicas: Invalid value: 0: must be greater than 0\n"
         "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`"},
        {"spec.minReplicas: 4",
         "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"},
        {"spec.scaleTargetRef: {kind: a/b, name: ..}",
         "spec.scaleTargetRef.kind: Invalid value: \"a/b\": may not contain '/'\n"
         "spec.scaleTargetRef.name: Invalid value: \"..\": may not be '..'"},
        {"spec.scaleTargetRef: {kind: '', name: ''}",
         "spec.scaleTargetRef.kind: Required value\nspec.scaleTargetRef.name: Required value"});
    RULES_UPDATE(
        SCALER,
        {.subresource = "status", .set = "status: {currentReplicas: 1, desiredReplicas: 2}", .want = ""},
        {.subresource = "status",
         .set = "status: {currentReplicas: -1, desiredReplicas: -2}",
         .want = "status.currentReplicas: Invalid value: -1: must be greater than or equal to 0\n"
                 "status.desiredReplicas: Invalid value: -2: must be greater than or equal to 0"});
}

TEST(a_metric_says_what_it_measures)
{
    RULES_CREATE(
        SCALER,
        {"spec.metrics: [{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 1}}}]",
         ""},
        {"spec.metrics: [{type: Pods}]",
         "spec.metrics[0].pods: Required value: must populate information for the given "
         "metric source"},
        {"spec.metrics: [{type: ''}]",
         "spec.metrics[0].type: Required value: must specify a metric source type\n"
         "spec.metrics[0].type: Unsupported value: \"\": supported values: \"ContainerResource\", \"External\", "
         "\"Object\", \"Pods\", \"Resource\""},
        {"spec.metrics: [{type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: 1}}, resource: "
         "{name: cpu, target: {type: AverageValue, averageValue: 1}}}]",
         "spec.metrics[0].resource: Forbidden: must populate the given metric source only"},
        {"spec.metrics: [{type: Pods, pods: {metric: {name: ''}, target: {type: ''}}}]",
         "spec.metrics[0].pods.metric.name: Required value: must specify a metric name\n"
         "spec.metrics[0].pods.target.type: Required value: must specify a metric target type\n"
         "spec.metrics[0].pods.target.type: Invalid value: \"\": must be either Utilization, Value, or AverageValue\n"
         "spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target averageValue"},
        {"spec.metrics: [{type: Pods, pods: {metric: {name: a%b}, target: {type: Value, value: 0, averageValue: -1}}}]",
         "spec.metrics[0].pods.metric.name: Invalid value: \"a%b\": may not contain '%'\n"
         "spec.metrics[0].pods.target.value: Invalid value: \"0\": must be positive\n"
         "spec.metrics[0].pods.target.averageValue: Invalid value: \"-1\": must be positive\n"
         "spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target averageValue"},
        {"spec.metrics: [{type: Object, object: {describedObject: {kind: '', name: x}, metric: {name: m}, target: "
         "{type: Value}}}]",
         "spec.metrics[0].object.describedObject.kind: Required value\n"
         "spec.metrics[0].object.target.averageValue: Required value: must set either a target value for metric or a "
         "per-pod target"},
        {"spec.metrics: [{type: External, external: {metric: {name: m}, target: {type: Value, value: 1, averageValue: 1}}}]",
         "spec.metrics[0].external.target.value: Forbidden: may not set both a target value for metric and a per-pod "
         "target"},
        {"spec.metrics: [{type: External, external: {metric: {name: m}, target: {type: Value}}}]",
         "spec.metrics[0].external.target.averageValue: Required value: must set either a target value for metric or a "
         "per-pod target"},
        {"spec.metrics: [{type: Resource, resource: {name: '', target: {type: Utilization, averageUtilization: 0, "
         "averageValue: 1}}}]",
         "spec.metrics[0].resource.name: Required value: must specify a resource name\n"
         "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0\n"
         "spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target "
         "utilization"},
        {"spec.metrics: [{type: ContainerResource, containerResource: {name: cpu, container: '', target: {type: Value, "
         "value: 1}}}]",
         "spec.metrics[0].containerResource.container: Required value: must specify a container name\n"
         "spec.metrics[0].containerResource.target.averageUtilization: Required value: must set either a target raw value "
         "or a target utilization"});
}

TEST(a_scaler_scales_as_fast_as_it_may)
{
    RULES_CREATED(
        SCALER,
        {"spec.behavior: {scaleDown: {stabilizationWindowSeconds: 5}}",
         "spec.behavior.scaleUp: {\"selectPolicy\":\"Max\",\"policies\":[{\"type\":\"Pods\",\"value\":4,"
         "\"periodSeconds\":15},{\"type\":\"Percent\",\"value\":100,\"periodSeconds\":15}],"
         "\"stabilizationWindowSeconds\":0}\n"
         "spec.behavior.scaleDown: {\"selectPolicy\":\"Max\",\"policies\":[{\"type\":\"Percent\",\"value\":100,"
         "\"periodSeconds\":15}],\"stabilizationWindowSeconds\":5}"},
        {"status: {currentReplicas: 3}",
         "spec.minReplicas: 1\nstatus.currentReplicas: absent\nspec.behavior: absent"});
    RULES_CREATE(
        SCALER, {"spec.behavior: {scaleUp: {tolerance: 5m, selectPolicy: Disabled}}", ""},
        {"spec.behavior: {scaleUp: {stabilizationWindowSeconds: -1, selectPolicy: Foo, tolerance: -1}}",
         "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero\n"
         "spec.behavior.scaleUp.selectPolicy: Unsupported value: \"Foo\": supported values: \"Disabled\", \"Max\", \"Min\"\n"
         "spec.behavior.scaleUp.tolerance: Invalid value: \"-1\": must be greater than or equal to 0"},
        {"spec.behavior: {scaleDown: {stabilizationWindowSeconds: 3601, policies: [{type: Foo, value: 0, periodSeconds: "
         "1801}, {type: Pods, value: 1, periodSeconds: 0}]}}",
         "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600\n"
         "spec.behavior.scaleDown.policies[0].type: Unsupported value: \"Foo\": supported values: \"Percent\", \"Pods\"\n"
         "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero\n"
         "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800\n"
         "spec.behavior.scaleDown.policies[1].periodSeconds: Invalid value: 0: must be greater than zero"});
}
