/* checks.c - what several kinds check in the same way. */
#include "api/rules/checks.h"
#include "api/rules/internal_json.h"
#include "base/vec.h"

enum {
    TEXT_SIZE_MAX = 1 << 20,
    CSI_DRIVER_NAME_MAX = 63,
    REASON_SIZE_MAX = 1024,
    CONDITION_MESSAGE_SIZE_MAX = 32 << 10,
};

/* Maps of views are sorted by their keys, which come first in an entry. */
static int by_key(const void *x, const void *y, void *ctx)
{
    return str_cmp(*(const str *)x, *(const str *)y);
}

/* --- selectors --- */

bool label_selector_is_valid(struct arena *a, const struct label_selector *selector)
{
    struct field_errors errors;
    field_errors_init(&errors, a);
    rules_label_selector(&errors, AT(NULL, "x"), selector);
    return errors.count == 0;
}

/* --- addresses --- */

void check_ip(struct field_errors *errors, const struct field_path *path, str ip,
              const struct str_array *before)
{
    if (!before || !strs_contain(before->items, before->count, ip))
        rules_name(errors, path, ip, name_check_ip_strict);
}

void check_cidr(struct field_errors *errors, const struct field_path *path, str cidr,
                const struct str_array *before)
{
    if (!before || !strs_contain(before->items, before->count, cidr))
        rules_name(errors, path, cidr, name_check_cidr_strict);
}

static void check_canonical(struct field_errors *errors, const struct field_path *path, str value,
                            str canonical)
{
    if (!str_eq(value, canonical))
        field_invalid(
            errors, path, TEXT(value),
            str_format(errors->arena, "must be in canonical form (\"%" STR_FMT "\")", STR_ARG(canonical)));
}

void check_canonical_ip(struct field_errors *errors, const struct field_path *path, str ip)
{
    char storage[IP_TEXT_MAX];
    struct ip parsed;
    size_t before = errors->count;
    rules_name(errors, path, ip, name_check_ip_strict);
    if (errors->count == before && ip_parse(ip, &parsed, NULL))
        check_canonical(errors, path, ip, ip_text(&parsed, storage));
}

void check_canonical_cidr(struct field_errors *errors, const struct field_path *path, str cidr)
{
    char storage[CIDR_TEXT_MAX];
    struct cidr parsed;
    size_t before = errors->count;
    rules_name(errors, path, cidr, name_check_cidr_strict);
    if (errors->count == before && cidr_parse(cidr, &parsed, NULL))
        check_canonical(errors, path, cidr, cidr_text(&parsed, storage));
}

static bool within(const struct ip *ip, const char *block)
{
    struct cidr c;
    return cidr_parse(str_from_c(block), &c, NULL) && cidr_contains(&c, ip);
}

void check_endpoint_ip(struct field_errors *errors, const struct field_path *path, str text)
{
    struct ip ip;
    if (!ip_parse(text, &ip, NULL)) {
        field_invalid(errors, path, TEXT(text), S("must be a valid IP address"));
        return;
    }
    if (within(&ip, "0.0.0.0/32") || within(&ip, "::/128"))
        field_invalid(errors, path, TEXT(text),
                      str_format(errors->arena, "may not be unspecified (%" STR_FMT ")", STR_ARG(text)));
    if (within(&ip, "127.0.0.0/8") || within(&ip, "::1/128"))
        field_invalid(errors, path, TEXT(text), S("may not be in the loopback range (127.0.0.0/8, ::1/128)"));
    if (within(&ip, "169.254.0.0/16") || within(&ip, "fe80::/10"))
        field_invalid(errors, path, TEXT(text),
                      S("may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
    /* Any group of scope 2, whatever its flags; the message knows only the first of these blocks. */
    if (within(&ip, "224.0.0.0/24") || (!ip_is_v4(&ip) && ip.bytes[0] == 0xff && (ip.bytes[1] & 0x0f) == 2))
        field_invalid(errors, path, TEXT(text),
                      S("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
}

void check_hostname(struct field_errors *errors, const struct field_path *path, str hostname)
{
    rules_name(errors, path, hostname, name_check_dns1123_subdomain);
    if (is_ip(hostname))
        field_invalid(errors, path, TEXT(hostname), S("must be a DNS name, not an IP address"));
}

bool is_ip(str s)
{
    struct ip ip;
    return ip_parse(s, &ip, NULL);
}

bool is_ipv6(str s)
{
    struct ip ip;
    return ip_parse(s, &ip, NULL) && !ip_is_v4(&ip);
}

/* --- names --- */

void check_domain_path(struct field_errors *errors, const struct field_path *path, str value)
{
    str domain, rest;
    if (value.n == 0) {
        field_required(errors, path, STR_NONE);
        return;
    }
    if (!str_cut(value, '/', &domain, &rest) || domain.n == 0 || rest.n == 0) {
        field_invalid(errors, path, TEXT(value),
                      S("must be a domain-prefixed path (such as \"acme.io/foo\")"));
        return;
    }
    rules_name(errors, path, domain, name_check_dns1123_subdomain);
    rules_name(errors, path, rest, name_check_http_path);
}

void check_domain(struct field_errors *errors, const struct field_path *path, str value, size_t parts)
{
    struct name_errors wrong = {.count = 0};
    if (value.n == 0) {
        field_required(errors, path, STR_NONE);
        return;
    }
    if (!name_check_dns1123_subdomain(value, &wrong)) {
        struct buf b;
        buf_init_arena(&b, errors->arena, TEXT_SIZE_MAX);
        name_errors_add(&b, &wrong, S(","));
        field_invalid(errors, path, TEXT(value), buf_str(&b));
        return;
    }
    size_t dots = 0;
    for (size_t i = 0; i < value.n; i++)
        dots += value.p[i] == '.';
    if (dots + 1 < parts)
        field_invalid(errors, path, TEXT(value),
                      str_format(errors->arena,
                                 "should be a domain with at least %s segments separated by dots",
                                 parts == 3 ? "three" : "two"));
}

void check_required_segment(struct field_errors *errors, const struct field_path *path, str value)
{
    if (value.n)
        rules_name(errors, path, value, name_check_path_segment);
    else
        field_required(errors, path, STR_NONE);
}

void check_standard_finalizer(struct field_errors *errors, const struct field_path *path, str finalizer)
{
    if (str_index_c(finalizer, '/') == SIZE_MAX &&
        !rules_is_one_of(finalizer, STRS(S("kubernetes"), S("orphan"), S("foregroundDeletion"))))
        field_invalid(errors, path, TEXT(finalizer),
                      S("name is neither a standard finalizer name nor is it fully qualified"));
}

void check_csi_driver_name(struct field_errors *errors, const struct field_path *path, str name)
{
    struct name_errors wrong = {.count = 0};
    if (name.n == 0)
        field_required(errors, path, STR_NONE);
    if (name.n > CSI_DRIVER_NAME_MAX)
        field_too_long(errors, path, CSI_DRIVER_NAME_MAX);
    name_check_dns1123_subdomain(str_lower(errors->arena, name), &wrong);
    for (unsigned i = 0; i < wrong.count; i++)
        field_invalid(errors, path, TEXT(name), wrong.reasons[i]);
}

/* --- resources --- */

/* What a name without a domain may be, and where. */
enum resource_use {
    ANYWHERE = 1 << 0,
    IN_CONTAINERS = 1 << 1,
    IN_QUOTA = 1 << 2,
    WHOLE = 1 << 3,
};
static const struct {
    str name;
    unsigned uses;
} resources[] = {
    {S_INIT("cpu"), ANYWHERE | IN_CONTAINERS | IN_QUOTA},
    {S_INIT("memory"), ANYWHERE | IN_CONTAINERS | IN_QUOTA},
    {S_INIT("ephemeral-storage"), ANYWHERE | IN_CONTAINERS | IN_QUOTA},
    {S_INIT("requests.cpu"), ANYWHERE | IN_QUOTA},
    {S_INIT("requests.memory"), ANYWHERE | IN_QUOTA},
    {S_INIT("requests.ephemeral-storage"), ANYWHERE | IN_QUOTA},
    {S_INIT("limits.cpu"), ANYWHERE | IN_QUOTA},
    {S_INIT("limits.memory"), ANYWHERE | IN_QUOTA},
    {S_INIT("limits.ephemeral-storage"), ANYWHERE | IN_QUOTA},
    {S_INIT("pods"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("resourcequotas"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("services"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("replicationcontrollers"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("secrets"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("configmaps"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("persistentvolumeclaims"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("services.nodeports"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("services.loadbalancers"), ANYWHERE | IN_QUOTA | WHOLE},
    {S_INIT("storage"), ANYWHERE},
    {S_INIT("requests.storage"), ANYWHERE | IN_QUOTA},
};

static bool is_used(str name, unsigned use)
{
    for (size_t i = 0; i < ARRAY_COUNT(resources); i++)
        if (str_eq(resources[i].name, name))
            return resources[i].uses & use;
    return false;
}

static bool is_huge_page(str name)
{
    return str_starts(name, S("hugepages-"));
}

static bool is_quota_huge_page(str name)
{
    return is_huge_page(name) || str_starts(name, S("requests.hugepages-"));
}

static bool has_domain(str name)
{
    return str_index_c(name, '/') != SIZE_MAX;
}

bool resource_is_native(str name)
{
    return !has_domain(name) || str_contains(name, S("kubernetes.io/"));
}

bool resource_is_extended(str name)
{
    /* What counts it in a quota must have a valid name too, 9 bytes longer: all of them before the slash. */
    str domain, rest;
    if (resource_is_native(name) || str_starts(name, S("requests.")) || !name_check_qualified(name, NULL))
        return false;
    str_cut(name, '/', &domain, &rest);
    return domain.n + S("requests.").n <= NAME_SUBDOMAIN_SIZE_MAX;
}

bool resource_may_overcommit(str name)
{
    return resource_is_native(name) && !is_huge_page(name);
}

bool resource_is_quota_standard(str name)
{
    return is_used(name, IN_QUOTA) || is_quota_huge_page(name);
}

/* False: nothing more needs to be said about it. */
static bool check_form(struct field_errors *errors, const struct field_path *path, str name)
{
    size_t before = errors->count;
    rules_name(errors, path, name, name_check_qualified);
    if (errors->count != before)
        return false;
    if (has_domain(name) || is_used(name, ANYWHERE) || is_quota_huge_page(name))
        return true;
    field_invalid(errors, path, TEXT(name), S("must be a standard resource type or fully qualified"));
    return false;
}

void check_resource_name(struct field_errors *errors, const struct field_path *path, str name)
{
    check_form(errors, path, name);
}

void check_container_resource_name(struct field_errors *errors, const struct field_path *path, str name)
{
    check_form(errors, path, name);
    if (!has_domain(name)) {
        if (!is_used(name, IN_CONTAINERS) && !is_huge_page(name))
            field_invalid(errors, path, TEXT(name), S("must be a standard resource for containers"));
    } else if (!resource_is_native(name) && !resource_is_extended(name)) {
        field_invalid(errors, path, TEXT(name), S("doesn't follow extended resource name standard"));
    }
}

void check_quota_resource_name(struct field_errors *errors, const struct field_path *path, str name)
{
    check_form(errors, path, name);
    if (!has_domain(name) && !resource_is_quota_standard(name))
        field_invalid(errors, path, TEXT(name), S("must be a standard resource for quota"));
}

void check_not_negative(struct field_errors *errors, const struct field_path *path, const struct quantity *q)
{
    struct json shown = rules_quantity(errors->arena, q);
    if (quantity_sign(q) < 0)
        field_invalid(errors, path, &shown, S("must be greater than or equal to 0"));
}

void check_positive(struct field_errors *errors, const struct field_path *path, const struct quantity *q)
{
    struct json shown = rules_quantity(errors->arena, q);
    if (quantity_sign(q) <= 0)
        field_invalid(errors, path, &shown, S("must be greater than zero"));
}

void check_resource_amount(struct field_errors *errors, const struct field_path *path, str name,
                           const struct quantity *q)
{
    struct json shown = rules_quantity(errors->arena, q);
    check_not_negative(errors, path, q);
    if ((is_used(name, WHOLE) || resource_is_extended(name)) && quantity_milli_value(q) % 1000 != 0)
        field_invalid(errors, path, &shown, S("must be an integer"));
}

const struct quantity *quantity_of(const struct quantity_map *m, str name)
{
    const struct quantity_map_entry *found = vec_bsearch(m->items, m->count, sizeof *found, &name, by_key,
                                                         NULL);
    return found ? &found->value : NULL;
}

/* --- conditions --- */

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool is_reason(str s)
{
    bool good = s.n && is_word(s.p[0]) && s.p[0] != '_' && !(s.p[0] >= '0' && s.p[0] <= '9') &&
                is_word(s.p[s.n - 1]);
    for (size_t i = 0; i < s.n; i++)
        good = good && (is_word(s.p[i]) || s.p[i] == ',' || s.p[i] == ':');
    return good;
}

static void check_reason(struct field_errors *errors, const struct field_path *path, str reason)
{
    if (reason.n == 0) {
        field_required(errors, path, S("must be set"));
        return;
    }
    if (!is_reason(reason))
        field_invalid(
            errors, path, TEXT(reason),
            S("a condition reason must start with alphabetic character, optionally followed by a string of "
              "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. "
              "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex "
              "used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"));
    if (reason.n > REASON_SIZE_MAX)
        field_too_long(errors, path, REASON_SIZE_MAX);
}

static void check_condition(struct field_errors *errors, const struct field_path *path,
                            const struct condition *c)
{
    if (c->type.n == 0)
        field_required(errors, AT(path, "type"), S("must be set"));
    else
        rules_name(errors, AT(path, "type"), c->type, name_check_qualified);
    rules_one_of(errors, AT(path, "status"), c->status, STRS(S("False"), S("True"), S("Unknown")));
    if (c->observed_generation < 0)
        field_invalid(errors, AT(path, "observedGeneration"), NUMBER(c->observed_generation),
                      S("must be greater than or equal to zero"));
    if (kube_time_is_zero(c->last_transition_time))
        field_required(errors, AT(path, "lastTransitionTime"), S("must be set"));
    check_reason(errors, AT(path, "reason"), c->reason);
    if (c->message.n > CONDITION_MESSAGE_SIZE_MAX)
        field_too_long(errors, AT(path, "message"), CONDITION_MESSAGE_SIZE_MAX);
}

void check_conditions(struct field_errors *errors, const struct field_path *path,
                      const struct condition_array *conditions)
{
    str *types = ARENA_ARRAY(errors->arena, str, conditions->count);
    for (size_t i = 0; i < conditions->count; i++)
        types[i] = conditions->items[i].type;
    const bool *repeated = repeats(errors->arena, types, conditions->count);
    for (size_t i = 0; i < conditions->count; i++) {
        if (repeated[i])
            field_duplicate(errors, AT(AT_INDEX(path, i), "type"), TEXT(types[i]));
        check_condition(errors, AT_INDEX(path, i), &conditions->items[i]);
    }
}

/* --- lists and maps --- */

struct numbered {
    str text;
    size_t index;
};

static int by_text(const void *x, const void *y, void *ctx)
{
    return str_cmp(((const struct numbered *)x)->text, ((const struct numbered *)y)->text);
}

const bool *repeats(struct arena *a, const str *items, size_t count)
{
    bool *flags = ARENA_ARRAY(a, bool, count);
    struct numbered *sorted = ARENA_ARRAY(a, struct numbered, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct numbered){items[i], i};
    vec_sort(sorted, count, sizeof *sorted, by_text, NULL); /* stable: the first of equals stays the first */
    for (size_t i = 1; i < count; i++)
        flags[sorted[i].index] = str_eq(sorted[i].text, sorted[i - 1].text);
    return flags;
}

struct str_array sorted_strs(struct arena *a, const struct str_array *list)
{
    if (!list || list->count == 0)
        return (struct str_array){NULL, 0};
    str *items = arena_dup(a, list->items, list->count * sizeof *items, _Alignof(str));
    strs_sort(items, list->count);
    return (struct str_array){.items = items, .count = strs_dedupe(items, list->count)};
}

bool str_arrays_equal(const struct str_array *x, const struct str_array *y)
{
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!str_eq(x->items[i], y->items[i]))
            return false;
    return true;
}

bool str_maps_equal(const struct str_map *x, const struct str_map *y)
{
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++) /* both sorted by key */
        if (!str_eq(x->items[i].key, y->items[i].key) || !str_eq(x->items[i].value, y->items[i].value))
            return false;
    return true;
}

/* --- changes --- */

struct json time_value(struct arena *a, struct kube_time t)
{
    struct buf b;
    if (kube_time_is_zero(t))
        return json_null();
    buf_init_arena(&b, a, 64);
    kube_time_format(&b, t);
    return json_of_str(buf_str(&b));
}

static str printed(struct arena *a, const struct schema_type *type, const void *view)
{
    struct buf b;
    if (!view)
        return STR_NONE;
    buf_init_arena(&b, a, (size_t)16 << 20);
    view_encode(&b, &schema_builtin, type, view);
    return buf_str(&b);
}

bool views_equal(struct arena *a, const struct schema_type *type, const void *x, const void *y)
{
    return x == y || str_eq(printed(a, type, x), printed(a, type, y));
}

void check_same_text(struct field_errors *errors, const struct field_path *path, str value, str old)
{
    if (!str_eq(value, old))
        field_invalid(errors, path, TEXT(value), S("field is immutable"));
}

void check_same_view(struct field_errors *errors, const struct field_path *path,
                     const struct schema_type *type, const void *value, const void *old)
{
    if (views_equal(errors->arena, type, value, old))
        return;
    struct json shown = value ? rules_view(errors->arena, type, value) : json_null();
    field_invalid(errors, path, &shown, S("field is immutable"));
}

void check_same_internal(struct field_errors *errors, const struct field_path *path,
                         const struct schema_type *type, const void *value, const void *old)
{
    if (views_equal(errors->arena, type, value, old))
        return;
    struct json shown = value ? internal_json(errors->arena, type, value) : json_null();
    field_invalid(errors, path, &shown, S("field is immutable"));
}

/* --- warnings --- */

void warn(const struct rules_input *in, const char *fmt, ...)
{
    struct buf b;
    va_list ap;
    if (!in->warn)
        return;
    buf_init_arena(&b, in->arena, TEXT_SIZE_MAX);
    va_start(ap, fmt);
    buf_add_vf(&b, fmt, ap);
    va_end(ap);
    in->warn(in->ctx, buf_str(&b));
}

#define WARN_AT(in, path, fmt, ...) \
    warn((in), "%" STR_FMT ": " fmt, STR_ARG(field_path_format((in)->arena, (path))), __VA_ARGS__)

void warn_ip(const struct rules_input *in, const struct field_path *path, str text)
{
    char storage[IP_TEXT_MAX];
    struct ip ip;
    unsigned odd;
    if (!ip_parse(text, &ip, &odd))
        return;
    str canonical = ip_text(&ip, storage);
    if (odd & (IP_LEADING_ZEROS | IP_V4_MAPPED))
        WARN_AT(in, path,
                "non-standard IP address \"%" STR_FMT "\" will be considered invalid in a future Kubernetes "
                "release: use \"%" STR_FMT "\"",
                STR_ARG(text), STR_ARG(canonical));
    else if (!ip_is_v4(&ip) && !str_eq(text, canonical))
        WARN_AT(in, path,
                "IPv6 address \"%" STR_FMT "\" should be in RFC 5952 canonical format (\"%" STR_FMT "\")",
                STR_ARG(text), STR_ARG(canonical));
}

/* Canonical, but with the bits behind the prefix. */
static str as_written(struct arena *a, const struct cidr *c)
{
    char storage[IP_TEXT_MAX];
    return str_format(a, "%" STR_FMT "/%u", STR_ARG(ip_text(&c->ip, storage)), cidr_prefix(c));
}

void warn_cidr(const struct rules_input *in, const struct field_path *path, str text)
{
    char storage[CIDR_TEXT_MAX], ip_storage[IP_TEXT_MAX];
    struct cidr c;
    unsigned odd;
    if (!cidr_parse(text, &c, &odd))
        return;
    str canonical = cidr_text(&c, storage);
    if (odd & IP_HOST_BITS)
        WARN_AT(in, path,
                "CIDR value \"%" STR_FMT "\" is ambiguous in this context (should be \"%" STR_FMT
                "\" or \"%" STR_FMT "/%d\"?)",
                STR_ARG(text), STR_ARG(canonical), STR_ARG(ip_text(&c.ip, ip_storage)),
                cidr_is_v4(&c) ? 32 : 128);
    if (odd & (IP_LEADING_ZEROS | IP_V4_MAPPED))
        WARN_AT(in, path,
                "non-standard CIDR value \"%" STR_FMT "\" will be considered invalid in a future Kubernetes "
                "release: use \"%" STR_FMT "\"",
                STR_ARG(text), STR_ARG(canonical));
    else if (!cidr_is_v4(&c) && !str_eq(text, as_written(in->arena, &c)))
        WARN_AT(in, path,
                "IPv6 CIDR value \"%" STR_FMT "\" should be in RFC 5952 canonical format (\"%" STR_FMT "\")",
                STR_ARG(text), STR_ARG(canonical));
}

void warn_node_label(const struct rules_input *in, const struct field_path *path, str key)
{
    static const struct {
        str key;
        const char *text;
    } labels[] = {
        {S_INIT("beta.kubernetes.io/arch"), "deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
        {S_INIT("beta.kubernetes.io/os"), "deprecated since v1.14; use \"kubernetes.io/os\" instead"},
        {S_INIT("failure-domain.beta.kubernetes.io/region"),
         "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"},
        {S_INIT("failure-domain.beta.kubernetes.io/zone"),
         "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"},
        {S_INIT("beta.kubernetes.io/instance-type"),
         "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++)
        if (str_eq(labels[i].key, key))
            WARN_AT(in, path, "%s", labels[i].text);
}
