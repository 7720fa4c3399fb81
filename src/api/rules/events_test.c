#include "api/rules/rules_test.h"
#include "base/defs.h"
#include "harness/test.h"

#define OLD_EVENT                                                                                                       \
    "{apiVersion: v1, kind: Event, metadata: {name: a, namespace: b}, involvedObject: {kind: Pod, name: p, namespace: " \
    "b}, reason: R, message: M, type: Normal}"
#define NEW_EVENT                                                                                            \
    "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: a, namespace: b}, regarding: {kind: Pod, " \
    "namespace: b}, eventTime: '2020-01-01T00:00:00.000000Z', type: Normal, reason: R, action: A, "          \
    "reportingController: example.com/c, reportingInstance: i}"
#define HUNDRED \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_NAME HUNDRED HUNDRED
#define LONG_NOTE HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

TEST(an_event_stands_with_its_object)
{
    RULES_CREATE(
        OLD_EVENT, {"type: Foo\nreason: ''", ""},
        {"involvedObject.namespace: null\nmetadata.namespace: default", ""},
        {"involvedObject.namespace: null",
         "involvedObject.namespace: Invalid value: \"\": does not match event.namespace"},
        {"involvedObject.namespace: c",
         "involvedObject.namespace: Invalid value: \"c\": does not match event.namespace"},
        {"eventTime: '2020-01-01T00:00:00.000000Z'\nreason: null",
         "reportingComponent: Required value\n"
         "reportingComponent: Invalid value: \"\": name part must be non-empty\n"
         "reportingComponent: Invalid value: \"\": name part must consist...\n"
         "reportingInstance: Required value\naction: Required value\nreason: Required value"},
        {"eventTime: '2020-01-01T00:00:00.000000Z'\nreportingComponent: c\nreportingInstance: " LONG_NAME
         "\naction: " LONG_NAME "\nreason: " LONG_NAME "\nmessage: " LONG_NOTE,
         "reportingInstance: Invalid value: \"\": can have at most 128 characters\n"
         "action: Invalid value: \"\": can have at most 128 characters\n"
         "reason: Invalid value: \"\": can have at most 128 characters\n"
         "message: Invalid value: \"\": can have at most 1024 characters"});
    RULES_UPDATE(OLD_EVENT, {.set = "message: Z\ncount: 5", .want = ""});
}

TEST(an_event_of_the_newer_form_says_all_of_it)
{
    RULES_CREATE(
        NEW_EVENT, {"regarding.namespace: null\nmetadata.namespace: kube-system", ""},
        {"regarding.namespace: null",
         "involvedObject.namespace: Invalid value: \"\": does not match event.namespace"},
        {"eventTime: null", "eventTime: Required value"},
        {"type: Foo", "type: Invalid value: \"\": has invalid value: Foo"},
        {"deprecatedFirstTimestamp: '2020-01-01T00:00:00Z'\ndeprecatedLastTimestamp: '2020-01-01T00:00:00Z'\n"
         "deprecatedCount: 1\ndeprecatedSource: {host: x}",
         "firstTimestamp: Invalid value: \"\": needs to be unset\n"
         "lastTimestamp: Invalid value: \"\": needs to be unset\n"
         "count: Invalid value: \"\": needs to be unset\n"
         "source: Invalid value: \"\": needs to be unset"},
        {"series: {count: 1, lastObservedTime: null}",
         "series.count: Invalid value: \"\": should be at least 2\nseries.lastObservedTime: Required value"},
        {"reportingController: 'a b'",
         "reportingController: Invalid value: \"a b\": name part must consist..."});
    RULES_UPDATE(
        NEW_EVENT, {.set = "series: {count: 2, lastObservedTime: '2020-01-01T00:00:00.000000Z'}", .want = ""},
        {.set = "regarding.name: x\nreason: S\nnote: Z\ndeprecatedSource: {host: h}\n"
                "deprecatedFirstTimestamp: '2020-01-01T00:00:00Z'\ndeprecatedLastTimestamp: "
                "'2020-01-01T00:00:00Z'\ndeprecatedCount: 3\ntype: Warning\neventTime: "
                "'2021-01-01T00:00:00.000000Z'\naction: B\nrelated: {name: r}\nreportingController: c\n"
                "reportingInstance: j",
         .want =
             "involvedObject: Invalid value: {\"Kind\":\"Pod\",\"Namespace\":\"b\",\"Name\":\"x\",\"UID\":\"\","
             "\"APIVersion\":\"\",\"ResourceVersion\":\"\",\"FieldPath\":\"\"}: field is immutable\n"
             "reason: Invalid value: \"S\": field is immutable\n"
             "message: Invalid value: \"Z\": field is immutable\n"
             "source: Invalid value: {\"Component\":\"\",\"Host\":\"h\"}: field is immutable\n"
             "firstTimestamp: Invalid value: \"2020-01-01T00:00:00Z\": field is immutable\n"
             "lastTimestamp: Invalid value: \"2020-01-01T00:00:00Z\": field is immutable\n"
             "count: Invalid value: 3: field is immutable\n"
             "type: Invalid value: \"Warning\": field is immutable\n"
             "eventTime: Invalid value: \"2021-01-01T00:00:00Z\": field is immutable\n"
             "action: Invalid value: \"B\": field is immutable\n"
             "related: Invalid value: {\"Kind\":\"\",\"Namespace\":\"\",\"Name\":\"r\",\"UID\":\"\","
             "\"APIVersion\":\"\",\"ResourceVersion\":\"\",\"FieldPath\":\"\"}: field is immutable\n"
             "reportingController: Invalid value: \"c\": field is immutable\n"
             "reportingInstance: Invalid value: \"j\": field is immutable"});
}
