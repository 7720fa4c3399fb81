/* names.c - kinds of names, and the original's words about them.
 * The regular expressions are part of the messages only; what they mean is written out beside them. */
#include "base/names.h"
#include "base/ip.h"

/* A reason that ends in examples and the regular expression. */
#define REGEX_0(text, regex)    text " (regex used for validation is '" regex "')"
#define REGEX_1(text, regex, a) text " (e.g. '" a "', regex used for validation is '" regex "')"
#define REGEX_2(text, regex, a, b) \
    text " (e.g. '" a "',  or '" b "', regex used for validation is '" regex "')"
#define REGEX_3(text, regex, a, b, c) \
    text " (e.g. '" a "',  or '" b "',  or '" c "', regex used for validation is '" regex "')"

#define MAX_63  "must be no more than 63 bytes"
#define MAX_253 "must be no more than 253 bytes"
#define EMPTY   "must be non-empty"

#define LABEL_REGEX          "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN_REGEX      LABEL_REGEX "(\\." LABEL_REGEX ")*"
#define UNDERSCORE_REGEX     "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
#define UNDERSCORE_SUB_REGEX UNDERSCORE_REGEX "(\\." UNDERSCORE_REGEX ")*"
#define DNS1035_REGEX        "[a-z]([-a-z0-9]*[a-z0-9])?"
#define QUALIFIED_REGEX      "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

#define LABEL_REASON                                                                                      \
    REGEX_2(                                                                                              \
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " \
        "start and end with an alphanumeric character",                                                   \
        LABEL_REGEX, "my-name", "123-abc")
#define SUBDOMAIN_REASON                                                                                  \
    REGEX_1(                                                                                              \
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " \
        "and must start and end with an alphanumeric character",                                          \
        SUBDOMAIN_REGEX, "example.com")
#define QUALIFIED_REASON                                                                                \
    REGEX_3("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " \
            "alphanumeric character",                                                                   \
            QUALIFIED_REGEX, "MyName", "my.name", "123-abc")

static bool add(struct name_errors *errs, str reason)
{
    if (errs && !UNEXPECTED(errs->count == NAME_ERRORS_MAX))
        errs->reasons[errs->count++] = reason;
    return false;
}

#define REASON(errs, text) add((errs), S(text))

void name_errors_add(struct buf *out, const struct name_errors *errs, str separator)
{
    for (unsigned i = 0; i < errs->count; i++) {
        if (i)
            buf_add(out, separator);
        buf_add(out, errs->reasons[i]);
    }
}

/* Characters. */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_alnum(char c)
{
    return is_lower(c) || is_digit(c);
}

static bool is_alnum(char c)
{
    return is_lower((char)(c | 0x20)) || is_digit(c);
}

static bool is_label_inner(char c)
{
    return is_lower_alnum(c) || c == '-';
}

static bool is_underscore_inner(char c)
{
    return is_label_inner(c) || c == '_';
}

static bool is_qualified_inner(char c)
{
    return is_alnum(c) || c == '-' || c == '_' || c == '.';
}

static bool is_identifier_inner(char c)
{
    return is_alnum(c) || c == '_';
}

static bool is_header(char c)
{
    return is_alnum(c) || c == '-';
}

static bool is_path(char c)
{
    return is_alnum(c) || (c && strchr("/-._~%!$&'()*+,;=:", c));
}

static bool all(str s, bool (*is)(char))
{
    for (size_t i = 0; i < s.n; i++)
        if (!is(s.p[i]))
            return false;
    return true;
}

/* Not empty, ends of one set, everything of another. */
static bool has_shape(str s, bool (*first)(char), bool (*inner)(char), bool (*last)(char))
{
    return s.n && first(s.p[0]) && last(s.p[s.n - 1]) && all(s, inner);
}

static bool is_label(str s)
{
    return has_shape(s, is_lower_alnum, is_label_inner, is_lower_alnum);
}

static bool is_underscore_label(str s)
{
    str_take_prefix(&s, S("_"));
    return has_shape(s, is_lower_alnum, is_underscore_inner, is_lower_alnum);
}

/* Labels with single dots between. */
static bool is_dotted(str s, bool (*is)(str))
{
    str label;
    if (!s.n)
        return false;
    while (str_next(&s, '.', &label))
        if (!is(label))
            return false;
    return true;
}

static bool is_qualified_part(str s)
{
    return has_shape(s, is_alnum, is_qualified_inner, is_alnum);
}

/* Kinds of names. */

bool name_check_dns1123_label(str s, struct name_errors *errs)
{
    bool ok = s.n <= NAME_LABEL_SIZE_MAX || REASON(errs, MAX_63);
    if (is_label(s))
        return ok;
    if (is_dotted(s, is_label))
        return REASON(errs, "must not contain dots");
    return REASON(errs, LABEL_REASON);
}

bool name_check_dns1123_subdomain(str s, struct name_errors *errs)
{
    bool ok = s.n <= NAME_SUBDOMAIN_SIZE_MAX || REASON(errs, MAX_253);
    return is_dotted(s, is_label) ? ok : REASON(errs, SUBDOMAIN_REASON);
}

bool name_check_dns1123_subdomain_underscore(str s, struct name_errors *errs)
{
    bool ok = s.n <= NAME_SUBDOMAIN_SIZE_MAX || REASON(errs, MAX_253);
    if (is_dotted(s, is_underscore_label))
        return ok;
    return REASON(errs, REGEX_1("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                                "characters, '_', '-' or '.', and must start and end with an alphanumeric "
                                "character",
                                UNDERSCORE_SUB_REGEX, "example.com"));
}

bool name_check_dns1035_label(str s, struct name_errors *errs)
{
    bool ok = s.n <= NAME_LABEL_SIZE_MAX || REASON(errs, MAX_63);
    if (has_shape(s, is_lower, is_label_inner, is_lower_alnum))
        return ok;
    return REASON(errs, REGEX_2("a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
                                "start with an alphabetic character, and end with an alphanumeric character",
                                DNS1035_REGEX, "my-name", "abc-123"));
}

bool name_check_wildcard_subdomain(str s, struct name_errors *errs)
{
    bool ok = s.n <= NAME_SUBDOMAIN_SIZE_MAX || REASON(errs, MAX_253);
    str rest = s;
    if (str_take_prefix(&rest, S("*.")) && is_dotted(rest, is_label))
        return ok;
    return REASON(errs,
                  REGEX_1("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
                          "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' "
                          "and end with an alphanumeric character",
                          "\\*\\." SUBDOMAIN_REGEX, "*.example.com"));
}

bool name_check_qualified(str s, struct name_errors *errs)
{
    bool ok = true;
    str prefix, name = s;
    if (str_cut(s, '/', &prefix, &name)) {
        if (str_index_c(name, '/') != SIZE_MAX)
            return REASON(errs, "a valid label key " QUALIFIED_REASON
                                " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
        if (!prefix.n)
            ok = REASON(errs, "prefix part " EMPTY);
        if (prefix.n > NAME_SUBDOMAIN_SIZE_MAX)
            ok = REASON(errs, "prefix part " MAX_253);
        if (prefix.n && !is_dotted(prefix, is_label))
            ok = REASON(errs, "prefix part " SUBDOMAIN_REASON);
    } else {
        name = s;
    }
    if (!name.n)
        ok = REASON(errs, "name part " EMPTY);
    else if (name.n > NAME_LABEL_SIZE_MAX)
        ok = REASON(errs, "name part " MAX_63);
    return is_qualified_part(name) ? ok : REASON(errs, "name part " QUALIFIED_REASON);
}

bool name_check_prefixed(str s, struct name_errors *errs)
{
    if (!name_check_qualified(s, errs))
        return false;
    return str_index_c(s, '/') != SIZE_MAX || REASON(errs, "must include a prefix (e.g. 'example.com/key')");
}

bool name_check_label_value(str s, struct name_errors *errs)
{
    bool ok = s.n <= NAME_LABEL_SIZE_MAX || REASON(errs, MAX_63);
    if (!s.n || is_qualified_part(s))
        return ok;
    return REASON(errs,
                  REGEX_3("a valid label must be an empty string or consist of alphanumeric characters, "
                          "'-', '_' or '.', and must start and end with an alphanumeric character",
                          "(" QUALIFIED_REGEX ")?", "MyValue", "my_value", "12345"));
}

bool name_check_c_identifier(str s, struct name_errors *errs)
{
    if (s.n && !is_digit(s.p[0]) && all(s, is_identifier_inner))
        return true;
    return REASON(errs,
                  REGEX_3("a valid C identifier must start with alphabetic character or '_', followed by a "
                          "string of alphanumeric characters or '_'",
                          "[A-Za-z_][A-Za-z0-9_]*", "my_name", "MY_NAME", "MyName"));
}

/* Such a name would lead out of the folder that it is a file in. */
static bool leads_up(str s, struct name_errors *errs)
{
    if (str_is(s, "."))
        return !REASON(errs, "must not be '.'");
    if (str_is(s, ".."))
        return !REASON(errs, "must not be '..'");
    return str_starts(s, S("..")) && !REASON(errs, "must not start with '..'");
}

bool name_check_env_var(str s, struct name_errors *errs)
{
    bool ok = s.n && !is_digit(s.p[0]) && all(s, is_qualified_inner);
    if (!ok)
        REASON(errs,
               REGEX_3("a valid environment variable name must consist of alphabetic characters, digits, "
                       "'_', '-', or '.', and must not start with a digit",
                       "[-._a-zA-Z][-._a-zA-Z0-9]*", "my.env-name", "MY_ENV.NAME", "MyEnvName1"));
    return !leads_up(s, errs) && ok;
}

bool name_check_env_var_relaxed(str s, struct name_errors *errs)
{
    if (!s.n)
        return REASON(errs, "environment variable name " EMPTY);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~' || s.p[i] == '=')
            return REASON(errs,
                          "a valid environment variable name must consist only of printable ASCII characters "
                          "other than '='");
    return true;
}

bool name_check_config_map_key(str s, struct name_errors *errs)
{
    bool ok = s.n <= NAME_SUBDOMAIN_SIZE_MAX || REASON(errs, MAX_253);
    if (!s.n || !all(s, is_qualified_inner))
        ok = REASON(errs,
                    REGEX_3("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                            "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"));
    return !leads_up(s, errs) && ok;
}

bool name_check_port_name(str s, struct name_errors *errs)
{
    bool ok = true, letter = false;
    for (size_t i = 0; i < s.n; i++)
        letter = letter || is_lower(s.p[i]);
    if (s.n > 15)
        ok = REASON(errs, "must be no more than 15 bytes");
    if (!s.n || !all(s, is_label_inner))
        ok = REASON(errs, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    if (!letter)
        ok = REASON(errs, "must contain at least one letter (a-z)");
    if (str_contains(s, S("--")))
        ok = REASON(errs, "must not contain consecutive hyphens");
    if (s.n && (s.p[0] == '-' || s.p[s.n - 1] == '-'))
        ok = REASON(errs, "must not begin or end with a hyphen");
    return ok;
}

bool name_check_http_header(str s, struct name_errors *errs)
{
    if (s.n && all(s, is_header))
        return true;
    return REASON(errs, REGEX_1("a valid HTTP header must consist of alphanumeric characters or '-'",
                                "[-A-Za-z0-9]+", "X-Header-Name"));
}

bool name_check_http_path(str s, struct name_errors *errs)
{
    if (s.n && all(s, is_path))
        return true;
    return REASON(errs, REGEX_0("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"));
}

bool name_check_path_segment(str s, struct name_errors *errs)
{
    if (str_is(s, "."))
        return REASON(errs, "may not be '.'");
    if (str_is(s, ".."))
        return REASON(errs, "may not be '..'");
    bool ok = str_index_c(s, '/') == SIZE_MAX || REASON(errs, "may not contain '/'");
    return str_index_c(s, '%') == SIZE_MAX ? ok : REASON(errs, "may not contain '%'");
}

bool name_check_path(str s, struct name_errors *errs)
{
    str rest = s;
    while (rest.n) {
        size_t slash = str_index_c(rest, '/');
        size_t n = slash == SIZE_MAX ? rest.n : slash;
        if (str_is(str_slice(rest, 0, n), ".."))
            return REASON(errs, "must not contain '..'");
        rest = slash == SIZE_MAX ? S("") : str_from(rest, slash + 1);
    }
    return true;
}

bool name_check_relative_path(str s, struct name_errors *errs)
{
    bool ok = !str_starts(s, S("/")) || REASON(errs, "must be a relative path");
    return name_check_path(s, errs) && ok;
}

bool name_check_local_path(str s, struct name_errors *errs)
{
    bool ok = name_check_relative_path(s, errs);
    if (str_starts(s, S("..")) && !str_starts(s, S("../")))
        return REASON(errs, "must not start with '..'");
    return ok;
}

bool name_check_percent(str s, struct name_errors *errs)
{
    if (s.n > 1 && s.p[s.n - 1] == '%' && all(str_slice(s, 0, s.n - 1), is_digit))
        return true;
    return REASON(errs, REGEX_2("a valid percent string must be a numeric string followed by an ending '%'",
                                "[0-9]+%", "1%", "93%"));
}

bool name_check_port_number(int64_t port, struct name_errors *errs)
{
    return (port >= 1 && port <= 65535) || REASON(errs, "must be between 1 and 65535, inclusive");
}

static bool check_ip(str s, bool strict, struct name_errors *errs)
{
    struct ip ip;
    unsigned odd;
    bool ok = true;
    if (!ip_parse(s, &ip, &odd))
        return REASON(errs, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    if (strict && (odd & IP_LEADING_ZEROS))
        ok = REASON(errs, "must not have leading 0s");
    else if (strict && (odd & IP_V4_MAPPED))
        ok = REASON(errs, "must not be an IPv4-mapped IPv6 address");
    return ok;
}

bool name_check_ip(str s, struct name_errors *errs)
{
    return check_ip(s, false, errs);
}

bool name_check_ip_strict(str s, struct name_errors *errs)
{
    return check_ip(s, true, errs);
}

static bool check_cidr(str s, bool strict, struct name_errors *errs)
{
    struct cidr c;
    unsigned odd;
    if (!cidr_parse(s, &c, &odd))
        return REASON(errs, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    if (!strict)
        return true;
    if (odd & IP_LEADING_ZEROS)
        return REASON(errs, "must not have leading 0s in IP or prefix length");
    if (odd & IP_V4_MAPPED)
        return REASON(errs, "must not have an IPv4-mapped IPv6 address");
    return !(odd & IP_HOST_BITS) || REASON(errs, "must not have bits set beyond the prefix length");
}

bool name_check_cidr(str s, struct name_errors *errs)
{
    return check_cidr(s, false, errs);
}

bool name_check_cidr_strict(str s, struct name_errors *errs)
{
    return check_cidr(s, true, errs);
}

bool name_check_uuid(str s, struct name_errors *errs)
{
    bool ok = s.n == 36;
    for (size_t i = 0; i < s.n && ok; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        ok = dash ? s.p[i] == '-' : is_digit(s.p[i]) || (s.p[i] >= 'a' && s.p[i] <= 'f');
    }
    return ok || REASON(errs, "must be a lowercase UUID in 8-4-4-4-12 format");
}
