/* policy.c - who may do what, and what stands in between: roles, certificates, admission, flow control, aggregation. */
#include "api/columns/columns.h"
#include <inttypes.h>

/* --- roles --- */

void column_binding_role(struct row *r, const struct rbac_role_ref *role)
{
    cell_f(r, "%" STR_FMT "/%" STR_FMT, STR_ARG(role->kind), STR_ARG(role->name));
}

static void subjects_of(struct row *r, const struct rbac_subject_array *subjects, str kind)
{
    size_t count = 0;
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < subjects->count; i++) {
        const struct rbac_subject *s = &subjects->items[i];
        if (!str_eq(s->kind, kind))
            continue;
        cell_item(b, count++, S(", "), STR_NONE);
        if (str_is(kind, "ServiceAccount")) {
            buf_add(b, s->namespace);
            buf_add_c(b, '/');
        }
        buf_add(b, s->name);
    }
    cell_end(r, STR_NONE);
}

void column_binding_users(struct row *r, const struct rbac_subject_array *subjects)
{
    subjects_of(r, subjects, S("User"));
}

void column_binding_groups(struct row *r, const struct rbac_subject_array *subjects)
{
    subjects_of(r, subjects, S("Group"));
}

void column_binding_service_accounts(struct row *r, const struct rbac_subject_array *subjects)
{
    subjects_of(r, subjects, S("ServiceAccount"));
}

/* --- certificates --- */

void column_csr_condition(struct row *r, const struct csr_certificate_signing_request_status *s)
{
    bool is_denied = CONDITION_FIND(&s->conditions, "Denied");
    bool is_approved = CONDITION_FIND(&s->conditions, "Approved");
    struct buf *b = cell_begin(r);
    buf_add(b, is_denied ? S("Denied") : is_approved ? S("Approved") : S("Pending"));
    if (CONDITION_FIND(&s->conditions, "Failed"))
        buf_add_lit(b, ",Failed");
    if (s->certificate.n)
        buf_add_lit(b, ",Issued");
    cell_end(r, STR_NONE);
}

void column_csr_requested_duration(struct row *r, const struct opt_int32 *seconds)
{
    struct buf *b = cell_begin(r);
    if (seconds->is_set)
        duration_format_human(b, seconds->value * NSEC_PER_SEC);
    cell_end(r, S("<none>"));
}

/* --- admission --- */

void column_admission_policy_param_kind(struct row *r, const struct webhook_param_kind *k)
{
    if (k->api_version.p || k->kind.p)
        cell_f(r, "%" STR_FMT "/%" STR_FMT, STR_ARG(k->api_version), STR_ARG(k->kind));
    else
        cell(r, S("<unset>"));
}

/* As the original's generated code prints the struct. */
static void add_selector(struct buf *b, const struct label_selector *s)
{
    buf_add_lit(b, "&LabelSelector{MatchLabels:map[string]string{");
    for (size_t i = 0; i < s->match_labels.count; i++)
        buf_add_f(b, "%" STR_FMT ": %" STR_FMT ",", STR_ARG(s->match_labels.items[i].key),
                  STR_ARG(s->match_labels.items[i].value));
    buf_add_lit(b, "},MatchExpressions:[]LabelSelectorRequirement{");
    for (size_t i = 0; i < s->match_expressions.count; i++) {
        const struct label_selector_requirement *e = &s->match_expressions.items[i];
        buf_add_f(b, "LabelSelectorRequirement{Key:%" STR_FMT ",Operator:%" STR_FMT ",Values:[",
                  STR_ARG(e->key), STR_ARG(e->operator));
        for (size_t k = 0; k < e->values.count; k++)
            cell_item(b, k, S(" "), e->values.items[k]);
        buf_add_lit(b, "],},");
    }
    buf_add_lit(b, "},}");
}

void column_admission_policy_param_ref(struct row *r, const struct webhook_param_ref *p)
{
    struct buf *b = cell_begin(r);
    if (p->name.n) {
        buf_add(b, p->namespace.n ? p->namespace : S("*"));
        buf_add_c(b, '/');
        buf_add(b, p->name);
    } else if (p->selector) {
        add_selector(b, p->selector);
    }
    cell_end(r, S("<unset>"));
}

/* --- flow control --- */

void column_flow_schema_missing_priority_level(struct row *r, const struct flow_flow_schema_status *s)
{
    const struct flow_flow_schema_condition *dangling = CONDITION_FIND(&s->conditions, "Dangling");
    cell(r, dangling ? dangling->status : S("?"));
}

static void number_or_none(struct row *r, const int32_t *n)
{
    if (n)
        cell_int(r, *n);
    else
        cell(r, S("<none>"));
}

void column_priority_level_shares(struct row *r, const struct flow_priority_level_configuration_spec *s)
{
    number_or_none(r, s->limited ? &s->limited->nominal_concurrency_shares.value : NULL);
}

static const struct flow_queuing_configuration *queuing_of(
    const struct flow_priority_level_configuration_spec *s)
{
    return s->limited ? s->limited->limit_response.queuing : NULL;
}

void column_priority_level_queues(struct row *r, const struct flow_priority_level_configuration_spec *s)
{
    number_or_none(r, queuing_of(s) ? &queuing_of(s)->queues : NULL);
}

void column_priority_level_hand_size(struct row *r, const struct flow_priority_level_configuration_spec *s)
{
    number_or_none(r, queuing_of(s) ? &queuing_of(s)->hand_size : NULL);
}

void column_priority_level_queue_length_limit(struct row *r,
                                              const struct flow_priority_level_configuration_spec *s)
{
    number_or_none(r, queuing_of(s) ? &queuing_of(s)->queue_length_limit : NULL);
}

/* --- aggregation --- */

void column_api_service_service(struct row *r, const struct apiservice_api_service_spec *s)
{
    if (s->service)
        cell_f(r, "%" STR_FMT "/%" STR_FMT, STR_ARG(s->service->namespace), STR_ARG(s->service->name));
    else
        cell(r, S("Local"));
}

void column_api_service_available(struct row *r, const struct apiservice_api_service_status *s)
{
    const struct apiservice_api_service_condition *available = CONDITION_FIND(&s->conditions, "Available");
    if (!available)
        cell(r, S("Unknown"));
    else if (str_is(available->status, "True") || available->reason.n == 0)
        cell(r, available->status);
    else
        cell_f(r, "%" STR_FMT " (%" STR_FMT ")", STR_ARG(available->status), STR_ARG(available->reason));
}
