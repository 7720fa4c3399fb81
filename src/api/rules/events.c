/* events.c - Event, of core and of events.k8s.io: one kind in two forms. Those with an eventTime are new ones and must say who
 * reports what; what is written through events.k8s.io must be one, and then stays as it is but for its series.
 * The original looks at both by the names that core has for the fields. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "view/events_v1.h"

enum { NAME_SIZE_MAX = 128, MESSAGE_SIZE_MAX = 1024 };

/* --- both --- */

static void check_size(struct field_errors *errors, const struct field_path *path, str text, size_t max)
{
    if (text.n > max)
        field_invalid(errors, path, TEXT(S("")), RULES_F(errors, "can have at most %zu characters", max));
}

static void check_new(struct field_errors *errors, const struct event *e, const struct field_path *controller)
{
    rules_required(errors, controller, e->reporting_component);
    rules_name(errors, controller, e->reporting_component, name_check_qualified);
    rules_required(errors, AT(NULL, "reportingInstance"), e->reporting_instance);
    check_size(errors, AT(NULL, "reportingInstance"), e->reporting_instance, NAME_SIZE_MAX);
    rules_required(errors, AT(NULL, "action"), e->action);
    check_size(errors, AT(NULL, "action"), e->action, NAME_SIZE_MAX);
    rules_required(errors, AT(NULL, "reason"), e->reason);
    check_size(errors, AT(NULL, "reason"), e->reason, NAME_SIZE_MAX);
    check_size(errors, AT(NULL, "message"), e->message, MESSAGE_SIZE_MAX);
}

/* An event stands with the object it is about; those about the cluster's own are in "default". */
static void check_namespace(struct field_errors *errors, const struct event *e, bool is_new)
{
    str of_object = e->involved_object.namespace, of_event = e->metadata.namespace;
    bool fits = of_object.n ? str_eq(of_object, of_event) || is_new
                            : of_event.n == 0 || str_is(of_event, "default") ||
                                  (is_new && str_is(of_event, "kube-system"));
    if (!fits)
        field_invalid(errors, AT(AT(NULL, "involvedObject"), "namespace"), TEXT(of_object),
                      S("does not match event.namespace"));
}

static void check_event(struct field_errors *errors, const struct event *e,
                        const struct field_path *controller)
{
    bool is_new = !kube_time_is_zero(e->event_time);
    check_namespace(errors, e, is_new);
    if (is_new)
        check_new(errors, e, controller);
    rules_name(errors, AT(NULL, "namespace"), e->metadata.namespace, name_check_dns1123_subdomain);
}

static void validate_core(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    check_event(errors, view, AT(NULL, "reportingComponent"));
}

const struct kind_rules event_rules = {.package = "core/v1", .kind = "Event", .validate = validate_core};

/* --- events.k8s.io --- */

/* By the names of core. */
static struct event core_event(const struct events_event *e)
{
    return (struct event){
        .metadata = e->metadata,
        .involved_object = e->regarding,
        .reason = e->reason,
        .message = e->note,
        .source = e->deprecated_source,
        .first_timestamp = e->deprecated_first_timestamp,
        .last_timestamp = e->deprecated_last_timestamp,
        .count = e->deprecated_count,
        .type = e->type,
        .event_time = e->event_time,
        .action = e->action,
        .related = e->related,
        .reporting_component = e->reporting_controller,
        .reporting_instance = e->reporting_instance,
    };
}

static void check_series(struct field_errors *errors, const struct events_event_series *s)
{
    if (s && s->count < 2)
        field_invalid(errors, AT(AT(NULL, "series"), "count"), TEXT(S("")), S("should be at least 2"));
    if (s && kube_time_is_zero(s->last_observed_time))
        field_required(errors, AT(AT(NULL, "series"), "lastObservedTime"), STR_NONE);
}

static void check_unset(struct field_errors *errors, const char *field, bool set)
{
    if (set)
        field_invalid(errors, AT_NAME(NULL, str_from_c(field)), TEXT(S("")), S("needs to be unset"));
}

static void validate_events(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct events_event *given = view;
    struct event e = core_event(given);
    check_event(errors, &e, AT(NULL, "reportingController"));
    if (in->old)
        return;
    rules_name(errors, AT(AT(NULL, "metadata"), "name"), e.metadata.name, name_check_dns1123_subdomain);
    check_series(errors, given->series);
    if (kube_time_is_zero(e.event_time))
        field_required(errors, AT(NULL, "eventTime"), STR_NONE);
    if (!str_is(e.type, "Normal") && !str_is(e.type, "Warning"))
        field_invalid(errors, AT(NULL, "type"), TEXT(S("")),
                      RULES_F(errors, "has invalid value: %" STR_FMT, STR_ARG(e.type)));
    check_unset(errors, "firstTimestamp", !kube_time_is_zero(e.first_timestamp));
    check_unset(errors, "lastTimestamp", !kube_time_is_zero(e.last_timestamp));
    check_unset(errors, "count", e.count != 0);
    check_unset(errors, "source", e.source.component.n || e.source.host.n);
}

static void check_same_time(struct field_errors *errors, const char *field, struct kube_time now,
                            struct kube_time was)
{
    struct json shown = time_value(errors->arena, now);
    if (kube_time_cmp(now, was) != 0)
        field_invalid(errors, AT_NAME(NULL, str_from_c(field)), &shown, S("field is immutable"));
}

static void validate_events_update(const struct rules_input *in, const void *view, const void *old_view,
                                   struct field_errors *errors)
{
    const struct events_event *given = view, *stored = old_view;
    struct event e = core_event(given), old = core_event(stored);
    if (!views_equal(in->arena, VIEW_TYPE(events_event_series), given->series, stored->series))
        check_series(errors, given->series);
    check_same_internal(errors, AT(NULL, "involvedObject"), VIEW_TYPE(object_reference), &e.involved_object,
                        &old.involved_object);
    check_same_text(errors, AT(NULL, "reason"), e.reason, old.reason);
    check_same_text(errors, AT(NULL, "message"), e.message, old.message);
    check_same_internal(errors, AT(NULL, "source"), VIEW_TYPE(event_source), &e.source, &old.source);
    check_same_time(errors, "firstTimestamp", e.first_timestamp, old.first_timestamp);
    check_same_time(errors, "lastTimestamp", e.last_timestamp, old.last_timestamp);
    if (e.count != old.count)
        field_invalid(errors, AT(NULL, "count"), NUMBER(e.count), S("field is immutable"));
    check_same_text(errors, AT(NULL, "type"), e.type, old.type);
    check_same_time(errors, "eventTime", e.event_time, old.event_time);
    check_same_text(errors, AT(NULL, "action"), e.action, old.action);
    check_same_internal(errors, AT(NULL, "related"), VIEW_TYPE(object_reference), e.related, old.related);
    check_same_text(errors, AT(NULL, "reportingController"), e.reporting_component, old.reporting_component);
    check_same_text(errors, AT(NULL, "reportingInstance"), e.reporting_instance, old.reporting_instance);
}

const struct kind_rules events_event_rules = {.package = "events/v1",
                                              .kind = "Event",
                                              .validate = validate_events,
                                              .validate_update = validate_events_update};
