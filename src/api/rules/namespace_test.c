#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define NAMESPACE "{apiVersion: v1, kind: Namespace, metadata: {name: a}}"
#define QUOTA \
    "{apiVersion: v1, kind: ResourceQuota, metadata: {name: a, namespace: b}, spec: {hard: {pods: 1}}}"
#define LIMITS \
    "{apiVersion: v1, kind: LimitRange, metadata: {name: a, namespace: b}, spec: {limits: [{type: Container}]}}"

TEST(a_namespace_is_labelled_active_and_held_by_its_content)
{
    RULES_CREATED(NAMESPACE,
                  {"metadata.labels: {x: 'y'}",
                   "metadata.labels: {\"kubernetes.io/metadata.name\":\"a\",\"x\":\"y\"}\n"
                   "spec.finalizers: [\"kubernetes\"]\nstatus: {\"phase\":\"Active\"}"},
                  {"metadata.labels: {kubernetes.io/metadata.name: b}\nspec.finalizers: [kubernetes, x/z]",
                   "metadata.labels: {\"kubernetes.io/metadata.name\":\"a\"}\n"
                   "spec.finalizers: [\"kubernetes\",\"x/z\"]"});
    RULES_CREATE(
        NAMESPACE,
        {"spec.finalizers: [x]",
         "spec.finalizers: Invalid value: \"x\": name is neither a standard finalizer name nor is it fully "
         "qualified"},
        {"spec.finalizers: ['a b']", "spec.finalizers: Invalid value: \"a b\": name part must...\n"
                                     "spec.finalizers: Invalid value: \"a b\": name is neither..."});
    RULES_UPDATED(NAMESPACE,
                  {.set = "spec.finalizers: []\nstatus.phase: Terminating",
                   .want = "spec.finalizers: [\"kubernetes\"]\nstatus.phase: \"Active\""},
                  {.subresource = "finalize",
                   .set = "spec.finalizers: []\nstatus.phase: Terminating",
                   .want = "spec.finalizers: absent\nstatus.phase: \"Active\""});
    RULES_UPDATE(
        NAMESPACE,
        {.subresource = "finalize",
         .set = "spec.finalizers: [kubernetes, x]",
         .want = "spec.finalizers[1]: Invalid value: \"x\": name is neither a standard finalizer name nor is "
                 "it fully qualified"},
        {.subresource = "status",
         .set = "status.phase: Terminating",
         .want = "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` "
                 "is empty"},
        {.subresource = "status",
         .old = "metadata.deletionTimestamp: '2026-01-01T00:00:00Z'",
         .set = "status.phase: Active",
         .want = "status.Phase: Invalid value: \"Active\": may only be 'Terminating' if `deletionTimestamp` "
                 "is not empty"});
}

TEST(a_quota_bounds_what_can_be_counted)
{
    RULES_CREATE(
        QUOTA,
        {"spec.hard: {cpu: 1, requests.storage: 1Gi, count/deployments.apps: 5, requests.hugepages-2Mi: 1Gi, "
         "requests.example.com/gpu: 1}",
         ""},
        {"spec.hard: {foo: 1}",
         "spec.hard[foo]: Invalid value: \"foo\": must be a standard resource type or fully qualified\n"
         "spec.hard[foo]: Invalid value: \"foo\": must be a standard resource for quota"},
        {"spec.hard: {storage: 1}",
         "spec.hard[storage]: Invalid value: \"storage\": must be a standard resource for quota"},
        {"spec.hard: {'a b': 1}",
         "spec.hard[a b]: Invalid value: \"a b\": name part must...\n"
         "spec.hard[a b]: Invalid value: \"a b\": must be a standard resource for quota"},
        {"spec.hard: {pods: -1}",
         "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0"},
        {"spec.hard: {pods: 1500m}", "spec.hard[pods]: Invalid value: \"1500m\": must be an integer"},
        {"spec.hard: {example.com/gpu: 500m}",
         "spec.hard[example.com/gpu]: Invalid value: \"500m\": must be an integer"});
}

TEST(scopes_of_a_quota_fit_together_and_fit_what_it_bounds)
{
    RULES_CREATE(
        QUOTA, {"spec.scopes: [BestEffort]", ""},
        {"spec.scopes: [Foo]", "spec.scopes: Invalid value: [\"Foo\"]: unsupported scope"},
        {"spec.hard: {cpu: 1}\nspec.scopes: [BestEffort]",
         "spec.scopes: Invalid value: [\"BestEffort\"]: unsupported scope applied to resource"},
        {"spec.hard: {services: 1}\nspec.scopes: [Terminating]",
         "spec.scopes: Invalid value: [\"Terminating\"]: unsupported scope applied to resource"},
        {"spec.scopes: [BestEffort, NotBestEffort]",
         "spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]: conflicting scopes"},
        {"spec.scopes: [Terminating, NotTerminating]",
         "spec.scopes: Invalid value: [\"Terminating\",\"NotTerminating\"]: conflicting scopes"},
        {"spec.hard: {requests.storage: 1}\nspec.scopeSelector.matchExpressions: [{scopeName: VolumeAttributesClass, "
         "operator: In, values: [a]}]",
         ""},
        {"spec.scopeSelector.matchExpressions: [{scopeName: PriorityClass, operator: In}]",
         "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is "
         "'In' or 'NotIn' for scope selector"},
        {"spec.scopeSelector.matchExpressions: [{scopeName: PriorityClass, operator: Exists, values: [a]}]",
         "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is "
         "'Exist' or 'DoesNotExist' for scope selector"},
        {"spec.scopeSelector.matchExpressions: [{scopeName: PriorityClass, operator: Foo}]",
         "spec.scopeSelector.matchExpressions.operator: Invalid value: \"Foo\": not a valid selector operator"},
        {"spec.scopeSelector.matchExpressions: [{scopeName: Foo, operator: Exists}]",
         "spec.scopeSelector.matchExpressions.scopeName: Invalid value: \"Foo\": unsupported scope"},
        {"spec.scopeSelector.matchExpressions: [{scopeName: Terminating, operator: In, values: [a]}]",
         "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of "
         "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
         "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"},
        {"spec.hard: {services: 1}\nspec.scopeSelector.matchExpressions: [{scopeName: BestEffort, operator: Exists}]",
         "spec.scopeSelector.matchExpressions: Invalid value: {\"MatchExpressions\":[{\"ScopeName\":\"BestEffort\","
         "\"Operator\":\"Exists\",\"Values\":null}]}: unsupported scope applied to resource"},
        {"spec.scopeSelector.matchExpressions: [{scopeName: BestEffort, operator: Exists}, {scopeName: NotBestEffort, "
         "operator: Exists}]",
         "spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes"});
    RULES_UPDATE(QUOTA,
                 {.old = "spec.scopes: [BestEffort]",
                  .set = "spec.scopes: [NotBestEffort]",
                  .want = "spec.scopes: Invalid value: [\"NotBestEffort\"]: field is immutable"},
                 {.old = "spec.scopes: [BestEffort]", .set = "spec.hard: {pods: 5}", .want = ""},
                 {.subresource = "status",
                  .set = "status: {hard: {pods: 1, foo/bar: 1}, used: {pods: -1}}",
                  .want = "status.used[pods]: Invalid value: \"-1\": must be greater than or equal to 0"});
    RULES_CREATED(QUOTA, {"status: {used: {pods: 3}}", "status: {}"});
}

TEST(limits_of_containers_are_filled_in_from_each_other)
{
    RULES_CREATED(
        LIMITS,
        {"spec.limits[0].max: {cpu: 2}\nspec.limits[0].min: {memory: 1Gi}",
         "spec.limits[0].default: {\"cpu\":\"2\"}\nspec.limits[0].defaultRequest: {\"cpu\":\"2\",\"memory\":\"1Gi\"}"},
        {"spec.limits[0].max: {cpu: 2}\nspec.limits[0].default: {cpu: 1}",
         "spec.limits[0].default: {\"cpu\":\"1\"}\nspec.limits[0].defaultRequest: {\"cpu\":\"1\"}"},
        {"spec.limits[0]: {type: Pod, max: {cpu: 2}}", "spec.limits[0].default: absent"});
}

TEST(limits_are_of_known_things_and_in_order)
{
    RULES_CREATE(
        LIMITS,
        {"spec.limits[0].type: null",
         "spec.limits[0].type: Invalid value: \"\": name part must be non-empty\n"
         "spec.limits[0].type: Invalid value: \"\": name part must consist..."},
        {"spec.limits[0].type: Foo",
         "spec.limits[0].type: Invalid value: \"Foo\": must be a standard limit type or fully qualified"},
        {"spec.limits: [{type: Pod}, {type: Pod}]", "spec.limits[1].type: Duplicate value: \"Pod\""},
        {"spec.limits: [{type: Pod, default: {cpu: 1}, defaultRequest: {cpu: 1}}]",
         "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'\n"
         "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'"},
        {"spec.limits: [{type: PersistentVolumeClaim}]",
         "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was "
         "provided"},
        {"spec.limits: [{type: PersistentVolumeClaim, max: {storage: 1}}]", ""},
        {"spec.limits[0].max: {storage: 1}",
         "spec.limits[0].max[storage]: Invalid value: \"storage\": must be a standard resource for containers\n"
         "spec.limits[0].default[storage]: Invalid value: \"storage\": must be a standard resource for containers\n"
         "spec.limits[0].defaultRequest[storage]: Invalid value: \"storage\": must be a standard resource for "
         "containers"},
        {"spec.limits: [{type: Pod, max: {requests.example.com/a: 1}}]",
         "spec.limits[0].max[requests.example.com/a]: Invalid value: \"requests.example.com/a\": doesn't follow "
         "extended resource name standard"},
        {"spec.limits: [{type: Pod, min: {cpu: 2}, max: {cpu: 1}}]",
         "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1"},
        {"spec.limits[0].min: {cpu: 2}\nspec.limits[0].defaultRequest: {cpu: 1}",
         "spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than default request value "
         "1"},
        {"spec.limits[0].max: {cpu: 2}\nspec.limits[0].defaultRequest: {cpu: 3}\nspec.limits[0].default: {cpu: 1}",
         "spec.limits[0].defaultRequest[cpu]: Invalid value: \"3\": default request value 3 is greater than max value "
         "2\n"
         "spec.limits[0].defaultRequest[cpu]: Invalid value: \"3\": default request value 3 is greater than default "
         "limit value 1"},
        {"spec.limits[0].min: {cpu: 2}\nspec.limits[0].default: {cpu: 1}\nspec.limits[0].defaultRequest: {cpu: 2}",
         "spec.limits[0].defaultRequest[cpu]: Invalid value: \"2\": default request value 2 is greater than default "
         "limit value 1\n"
         "spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1"},
        {"spec.limits[0].max: {cpu: 1}\nspec.limits[0].default: {cpu: 2}\nspec.limits[0].defaultRequest: {cpu: 1}",
         "spec.limits[0].default[cpu]: Invalid value: \"1\": default value 2 is greater than max value 1"},
        {"spec.limits: [{type: Pod, maxLimitRequestRatio: {cpu: 500m}}]",
         "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"500m\": ratio 500m is less than 1"},
        {"spec.limits: [{type: Pod, min: {cpu: 1}, max: {cpu: 2}, maxLimitRequestRatio: {cpu: 3}}]",
         "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"3\": ratio 3 is greater than max/min = 2.000000"},
        {"spec.limits[0].default: {hugepages-2Mi: 4Mi}\nspec.limits[0].defaultRequest: {hugepages-2Mi: 2Mi}",
         "spec.limits[0].defaultRequest[hugepages-2Mi]: Invalid value: \"2Mi\": default value 4Mi must equal to "
         "defaultRequest value 2Mi in hugepages-2Mi"});
}
