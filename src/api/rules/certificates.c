/* certificates.c - CertificateSigningRequest: who asks what of which signer, and the verdicts on it. Who asked is filled in by
 * the server, which also looks into the request and the certificate; here they are no more than PEM. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "view/certificates_v1.h"

enum {
    EXPIRATION_MIN_S = 600,
    DOMAIN_SIZE_MAX = NAME_SUBDOMAIN_SIZE_MAX,
    SIGNER_SIZE_MAX = 2 * NAME_SUBDOMAIN_SIZE_MAX + NAME_LABEL_SIZE_MAX + 2,
};

/* --- before a write --- */

static void on_create(const struct rules_input *in, struct json *tree)
{
    static const char *const of_the_server[] = {"username", "uid", "groups", "extra"};
    struct json *spec = json_find(tree, S("spec"));
    json_remove(tree, S("status"));
    for (size_t i = 0; spec && spec->type == JSON_OBJECT && i < ARRAY_COUNT(of_the_server); i++)
        json_remove(spec, str_from_c(of_the_server[i]));
}

static bool same_verdict(const struct json *x, const struct json *y)
{
    return str_eq(json_str(json_find(x, S("type"))), json_str(json_find(y, S("type")))) &&
           str_eq(json_str(json_find(x, S("status"))), json_str(json_find(y, S("status"))));
}

static bool has_time(const struct json *condition, str field)
{
    return json_str(json_find(condition, field)).n != 0;
}

/* What a condition does not say about its times: a verdict that was there keeps its own. */
static void fill_in_times(const struct rules_input *in, struct json *tree, const struct json *old)
{
    struct json *conditions = json_get(tree, S("status"), S("conditions"));
    const struct json *before = json_get(old, S("status"), S("conditions"));
    struct json now = time_value(in->arena, kube_time_from_unix_ns(in->now_wall));
    for (size_t i = 0; i < json_count(conditions); i++) {
        struct json *c = json_at(conditions, i), transition = now;
        for (size_t j = 0; j < json_count(before); j++) {
            const struct json *was = json_at(before, j);
            if (same_verdict(c, was) && has_time(was, S("lastTransitionTime")))
                transition = *json_find(was, S("lastTransitionTime"));
        }
        if (!has_time(c, S("lastTransitionTime")))
            json_set(in->arena, c, S("lastTransitionTime"), transition);
        if (!has_time(c, S("lastUpdateTime")))
            json_set(in->arena, c, S("lastUpdateTime"), now);
    }
}

static void take_over(struct arena *a, struct json *object, const struct json *old, str name)
{
    const struct json *value = json_find(old, name);
    if (value)
        json_set(a, object, name, json_clone_deep(a, value));
    else
        json_remove(object, name);
}

/* Nothing of a request changes but verdicts and the certificate, each through its own subresource. */
static void on_update(const struct rules_input *in, struct json *tree, const struct json *old)
{
    take_over(in->arena, tree, old, S("spec"));
    if (in->subresource.n == 0)
        return;
    fill_in_times(in, tree, old);
    struct json *status = json_find(tree, S("status"));
    const struct json *old_status = json_find(old, S("status"));
    if (!str_is(in->subresource, "approval"))
        return;
    take_over(in->arena, tree, old, S("metadata"));
    if (status && status->type == JSON_OBJECT && old_status)
        take_over(in->arena, status, old_status, S("certificate"));
}

/* --- validation --- */

static void check_segment(struct field_errors *errors, const struct field_path *path, str segment,
                          name_check_fn *check)
{
    str rest = segment, label;
    struct name_errors wrong = {.count = 0};
    while (str_next(&rest, '.', &label) && check(label, &wrong)) {
    }
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, path, TEXT(segment),
                      RULES_F(errors, "validating label \"%" STR_FMT "\": %" STR_FMT, STR_ARG(label),
                              STR_ARG(wrong.reasons[i])));
}

static void check_signer_name(struct field_errors *errors, const struct field_path *path, str name)
{
    str domain, rest;
    rules_required(errors, path, name);
    if (!str_cut(name, '/', &domain, &rest) || str_index_c(rest, '/') != SIZE_MAX) {
        field_invalid(errors, path, TEXT(name),
                      S("must be a fully qualified domain and path of the form 'example.com/signer-name'"));
        return;
    }
    if (domain.n > DOMAIN_SIZE_MAX)
        field_too_long(errors, path, DOMAIN_SIZE_MAX);
    check_segment(errors, path, domain, name_check_dns1123_label);
    if (str_index_c(domain, '.') == SIZE_MAX)
        field_invalid(errors, path, TEXT(domain),
                      S("should be a domain with at least two segments separated by dots"));
    check_segment(errors, path, rest, name_check_dns1123_subdomain);
    if (name.n > SIGNER_SIZE_MAX)
        field_too_long(errors, path, SIGNER_SIZE_MAX);
}

/* The label of the first block of PEM, and what follows that line; none: STR_NONE. */
static str pem_label(str *rest)
{
    str line;
    while (str_next(rest, '\n', &line)) {
        line = str_trim(line);
        if (str_take_prefix(&line, S("-----BEGIN ")) && str_ends(line, S("-----")))
            return str_slice(line, 0, line.n - 5);
    }
    return STR_NONE;
}

static void check_request(struct field_errors *errors, const struct field_path *path,
                          const struct csr_certificate_signing_request *r)
{
    str rest = r->spec.request;
    if (str_is(pem_label(&rest), "CERTIFICATE REQUEST"))
        return;
    struct json spec = rules_view(errors->arena, VIEW_TYPE(csr_certificate_signing_request_spec), &r->spec);
    const struct json *shown = json_find(&spec, S("request"));
    field_invalid(errors, path, shown && shown->n ? shown : TEXT(S("")),
                  S("PEM block type must be CERTIFICATE REQUEST"));
}

static str certificate_fault(struct field_errors *errors, str pem)
{
    size_t blocks = 0;
    str label, rest = pem, line;
    while ((label = pem_label(&rest)).p) {
        if (!str_is(label, "CERTIFICATE"))
            return RULES_F(errors, "only CERTIFICATE PEM blocks are allowed, found \"%" STR_FMT "\"",
                           STR_ARG(label));
        str after = rest;
        if (str_next(&after, '\n', &line) && str_index_c(line, ':') != SIZE_MAX)
            return S("no PEM block headers are permitted");
        blocks++;
    }
    return blocks || pem.n == 0 ? STR_NONE : S("must contain at least one CERTIFICATE PEM block");
}

static void check_usages(struct field_errors *errors, const struct field_path *path,
                         const struct str_array *usages)
{
    const bool *repeated = repeats(errors->arena, usages->items, usages->count);
    if (usages->count == 0)
        field_required(errors, path, STR_NONE);
    for (size_t i = 0; i < usages->count; i++)
        rules_one_of(errors, AT_INDEX(path, i), usages->items[i],
                     STRS(S("any"), S("cert sign"), S("client auth"), S("code signing"),
                          S("content commitment"), S("crl sign"), S("data encipherment"), S("decipher only"),
                          S("digital signature"), S("email protection"), S("encipher only"),
                          S("ipsec end system"), S("ipsec tunnel"), S("ipsec user"), S("key agreement"),
                          S("key encipherment"), S("microsoft sgc"), S("netscape sgc"), S("ocsp signing"),
                          S("s/mime"), S("server auth"), S("signing"), S("timestamping")));
    for (size_t i = 0; i < usages->count; i++)
        if (repeated[i])
            field_duplicate(errors, AT_INDEX(path, i), TEXT(usages->items[i]));
}

static bool is_verdict(str type)
{
    return rules_is_one_of(type, STRS(S("Approved"), S("Denied"), S("Failed")));
}

static void check_verdicts(struct field_errors *errors,
                           const struct csr_certificate_signing_request_condition_array *conditions)
{
    const struct field_path *path = AT(AT(NULL, "status"), "conditions");
    str *types = ARENA_ARRAY(errors->arena, str, conditions->count);
    bool approved = false, denied = false;
    for (size_t i = 0; i < conditions->count; i++)
        types[i] = conditions->items[i].type;
    const bool *repeated = repeats(errors->arena, types, conditions->count);
    for (size_t i = 0; i < conditions->count; i++) {
        const struct csr_certificate_signing_request_condition *c = &conditions->items[i];
        const struct field_path *type = AT(AT_INDEX(path, i), "type"),
                                *status = AT(AT_INDEX(path, i), "status");
        rules_required(errors, type, c->type);
        if (c->status.n == 0)
            field_required(errors, status, STR_NONE);
        else if (is_verdict(c->type))
            rules_one_of(errors, status, c->status, STRS(S("True")));
        else
            rules_one_of(errors, status, c->status, STRS(S("True"), S("False"), S("Unknown")));
        approved |= str_is(c->type, "Approved");
        denied |= str_is(c->type, "Denied");
        if (approved && denied && (str_is(c->type, "Approved") || str_is(c->type, "Denied")))
            field_invalid(errors, type, TEXT(c->type),
                          S("Approved and Denied conditions are mutually exclusive"));
        if (repeated[i])
            field_duplicate(errors, type, TEXT(c->type));
    }
}

static void validate(const struct rules_input *in, const void *view, struct field_errors *errors)
{
    const struct csr_certificate_signing_request *r = view;
    const struct field_path *spec = AT(NULL, "spec"), *status = AT(NULL, "status");
    check_request(errors, AT(spec, "request"), r);
    check_usages(errors, AT(spec, "usages"), &r->spec.usages);
    if (str_is(r->spec.signer_name, "kubernetes.io/legacy-unknown"))
        field_invalid(errors, AT(spec, "signerName"), TEXT(r->spec.signer_name),
                      S("the legacy signerName is not allowed via this API version"));
    else
        check_signer_name(errors, AT(spec, "signerName"), r->spec.signer_name);
    if (r->spec.expiration_seconds.is_set && r->spec.expiration_seconds.value < EXPIRATION_MIN_S)
        field_invalid(errors, AT(spec, "expirationSeconds"), NUMBER(r->spec.expiration_seconds.value),
                      S("may not specify a duration less than 600 seconds (10 minutes)"));
    check_verdicts(errors, &r->status.conditions);
    str fault = certificate_fault(errors, r->status.certificate);
    if (fault.n)
        field_invalid(errors, AT(status, "certificate"), TEXT(S("<certificate data>")), fault);
}

/* --- updates --- */

/* The conditions of one type, as a tree. */
static struct json conditions_of(struct arena *a, const struct csr_certificate_signing_request *r, str type)
{
    struct json list = json_array();
    for (size_t i = 0; i < r->status.conditions.count; i++)
        if (str_eq(r->status.conditions.items[i].type, type))
            json_append(a, &list,
                        rules_view(a, VIEW_TYPE(csr_certificate_signing_request_condition),
                                   &r->status.conditions.items[i]));
    return list;
}

static void check_verdict_stays(struct field_errors *errors, const struct csr_certificate_signing_request *r,
                                const struct csr_certificate_signing_request *old, str type, bool of_approval)
{
    const struct field_path *path = AT(AT(NULL, "status"), "conditions");
    struct json now = conditions_of(errors->arena, r, type), was = conditions_of(errors->arena, old, type);
    const char *what = now.n < was.n                           ? "remove"
                       : of_approval || str_is(type, "Failed") ? NULL
                       : now.n > was.n                         ? "add"
                       : json_equal(&now, &was)                ? NULL
                                                               : "modify";
    if (what)
        field_forbidden(
            errors, path,
            RULES_F(errors, "updates may not %s a condition of type \"%" STR_FMT "\"", what, STR_ARG(type)));
}

static void validate_update(const struct rules_input *in, const void *view, const void *old_view,
                            struct field_errors *errors)
{
    const struct csr_certificate_signing_request *r = view, *old = old_view;
    const struct field_path *certificate = AT(AT(NULL, "status"), "certificate");
    const str types[] = {S("Approved"), S("Denied"), S("Failed")};
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        check_verdict_stays(errors, r, old, types[i], str_is(in->subresource, "approval"));
    if (str_eq(r->status.certificate, old->status.certificate))
        return;
    if (!str_is(in->subresource, "status"))
        field_forbidden(errors, certificate, S("updates may not set certificate content"));
    else if (old->status.certificate.n)
        field_forbidden(errors, certificate, S("updates may not modify existing certificate content"));
}

const struct kind_rules certificate_signing_request_rules = {.package = "certificates/v1",
                                                             .kind = "CertificateSigningRequest",
                                                             .on_create = on_create,
                                                             .on_update = on_update,
                                                             .validate = validate,
                                                             .validate_update = validate_update};
