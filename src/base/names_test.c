#include "base/arena.h"
#include "base/names.h"
#include "harness/test.h"
#include <stdio.h>

#define LABEL_REASON                                                                                            \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and " \
    "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "          \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define SUBDOMAIN_REASON                                                                                       \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " \
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "          \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define QUALIFIED_REASON                                                                                     \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " \
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "                  \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define VALUE_REASON                                                                                             \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "    \
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for " \
    "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

#define X16  "xxxxxxxxxxxxxxxx"
#define X63  X16 X16 X16 "xxxxxxxxxxxxxxx"
#define X253 X63 "." X63 "." X63 "." X16 X16 X16 "xxxxxxxxxxxxx"

struct name_case {
    name_check_fn *check;
    const char *in;
    const char *want; /* reasons with "; " between; "" when good */
};

static void check_names(const struct name_case *cases, size_t count)
{
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 4000);
    for (size_t i = 0; i < count; i++) {
        struct name_errors errs = {0};
        bool ok = cases[i].check(str_from_c(cases[i].in), &errs);
        buf_clear(&b);
        name_errors_add(&b, &errs, S("; "));
        if (!str_eq(buf_str(&b), str_from_c(cases[i].want)))
            printf("of '%s':\n", cases[i].in);
        CHECK_STR(buf_str(&b), cases[i].want);
        CHECK_EQ(ok, cases[i].want[0] == 0);
        CHECK_EQ(cases[i].check(str_from_c(cases[i].in), NULL), ok);
    }
}

TEST(names_of_dns_are_checked_with_the_words_of_the_original)
{
    static const struct name_case cases[] = {
        {name_check_dns1123_label, "my-name", ""},
        {name_check_dns1123_label, "1", ""},
        {name_check_dns1123_label, X63, ""},
        {name_check_dns1123_label, X63 "x", "must be no more than 63 bytes"},
        {name_check_dns1123_label, "a.b", "must not contain dots"},
        {name_check_dns1123_label, "", LABEL_REASON},
        {name_check_dns1123_label, "A", LABEL_REASON},
        {name_check_dns1123_label, "-a", LABEL_REASON},
        {name_check_dns1123_label, "a-", LABEL_REASON},
        {name_check_dns1123_label, "a\n", LABEL_REASON},
        {name_check_dns1123_label, "a..b", LABEL_REASON},
        {name_check_dns1123_label, X63 "_", "must be no more than 63 bytes; " LABEL_REASON},
        {name_check_dns1123_subdomain, "example.com", ""},
        {name_check_dns1123_subdomain, "a.1.b-c", ""},
        {name_check_dns1123_subdomain, X253, ""},
        {name_check_dns1123_subdomain, X253 "x", "must be no more than 253 bytes"},
        {name_check_dns1123_subdomain, "", SUBDOMAIN_REASON},
        {name_check_dns1123_subdomain, ".a", SUBDOMAIN_REASON},
        {name_check_dns1123_subdomain, "a.", SUBDOMAIN_REASON},
        {name_check_dns1123_subdomain, "a.-b", SUBDOMAIN_REASON},
        {name_check_dns1123_subdomain, "Upper.Case", SUBDOMAIN_REASON},
        {name_check_dns1123_subdomain, "my_name", SUBDOMAIN_REASON},
        {name_check_dns1123_subdomain_underscore, "_srv.my_name.com", ""},
        {name_check_dns1123_subdomain_underscore, "__srv",
         "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and "
         "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
         "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')"},
        {name_check_dns1035_label, "abc-123", ""},
        {name_check_dns1035_label, "1abc",
         "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
         "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
         "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"},
        {name_check_wildcard_subdomain, "*.bar.com", ""},
        {name_check_wildcard_subdomain, "*.*.com",
         "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist "
         "of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "
         "'*.example.com', regex used for validation is "
         "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    };
    check_names(cases, ARRAY_COUNT(cases));
    CHECK(!name_check_wildcard_subdomain(S("*"), NULL));
    CHECK(!name_check_wildcard_subdomain(S("bar.com"), NULL));
}

TEST(names_of_labels_are_checked_with_the_words_of_the_original)
{
    static const struct name_case cases[] = {
        {name_check_qualified, "app", ""},
        {name_check_qualified, "1.2-3_4.A", ""},
        {name_check_qualified, "example.com/My.name", ""},
        {name_check_qualified, X253 "/" X63, ""},
        {name_check_qualified, X63 "x", "name part must be no more than 63 bytes"},
        {name_check_qualified, "", "name part must be non-empty; name part " QUALIFIED_REASON},
        {name_check_qualified, "a b", "name part " QUALIFIED_REASON},
        {name_check_qualified, "-a", "name part " QUALIFIED_REASON},
        {name_check_qualified, "/a", "prefix part must be non-empty"},
        {name_check_qualified, "a/", "name part must be non-empty; name part " QUALIFIED_REASON},
        {name_check_qualified, "A/a", "prefix part " SUBDOMAIN_REASON},
        {name_check_qualified, X253 "x./_",
         "prefix part must be no more than 253 bytes; prefix part " SUBDOMAIN_REASON
         "; name part " QUALIFIED_REASON},
        {name_check_qualified, "a/b/c",
         "a valid label key " QUALIFIED_REASON
         " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"},
        {name_check_prefixed, "example.com/a", ""},
        {name_check_prefixed, "a", "must include a prefix (e.g. 'example.com/key')"},
        {name_check_prefixed, "a b", "name part " QUALIFIED_REASON},
        {name_check_label_value, "", ""},
        {name_check_label_value, "v1.2_3", ""},
        {name_check_label_value, X63, ""},
        {name_check_label_value, X63 "x", "must be no more than 63 bytes"},
        {name_check_label_value, "a/b", VALUE_REASON},
        {name_check_label_value, "-", VALUE_REASON},
        {name_check_label_value, " " X63, "must be no more than 63 bytes; " VALUE_REASON},
    };
    check_names(cases, ARRAY_COUNT(cases));
}

TEST(names_of_other_kinds_are_checked_with_the_words_of_the_original)
{
    static const struct name_case cases[] = {
        {name_check_c_identifier, "_my_Name1", ""},
        {name_check_c_identifier, "1a",
         "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
         "characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is "
         "'[A-Za-z_][A-Za-z0-9_]*')"},
        {name_check_env_var, "MY_ENV.NAME-1", ""},
        {name_check_env_var, "..", "must not be '..'"},
        {name_check_env_var, "..a", "must not start with '..'"},
        {name_check_env_var, ".", "must not be '.'"},
        {name_check_env_var, ".a", ""},
        {name_check_env_var, "1",
         "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and "
         "must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for "
         "validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"},
        {name_check_env_var_relaxed, "1 $x!", ""},
        {name_check_env_var_relaxed, "", "environment variable name must be non-empty"},
        {name_check_env_var_relaxed, "a=b",
         "a valid environment variable name must consist only of printable ASCII characters other than '='"},
        {name_check_env_var_relaxed, "caf\xc3\xa9",
         "a valid environment variable name must consist only of printable ASCII characters other than '='"},
        {name_check_config_map_key, "key.name", ""},
        {name_check_config_map_key, "..data", "must not start with '..'"},
        {name_check_config_map_key, "a/b",
         "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
         "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"},
        {name_check_config_map_key, X253 "x", "must be no more than 253 bytes"},
        {name_check_port_name, "http-1", ""},
        {name_check_port_name, "123456789012345", "must contain at least one letter (a-z)"},
        {name_check_port_name, "a23456789-123456", "must be no more than 15 bytes"},
        {name_check_port_name, "",
         "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-); must contain at least one letter "
         "(a-z)"},
        {name_check_port_name, "-HTTP--1",
         "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-); must contain at least one letter "
         "(a-z); must not contain consecutive hyphens; must not begin or end with a hyphen"},
        {name_check_http_header, "X-Header-Name", ""},
        {name_check_http_header, "X_H",
         "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
         "validation is '[-A-Za-z0-9]+')"},
        {name_check_http_path, "/a-b._~%20!$&'()*+,;=:", ""},
        {name_check_http_path, "a b",
         "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"},
        {name_check_path_segment, "system:node", ""},
        {name_check_path_segment, "..", "may not be '..'"},
        {name_check_path_segment, ".", "may not be '.'"},
        {name_check_path_segment, "a/b%", "may not contain '/'; may not contain '%'"},
        {name_check_path, "/a/..b/c..", ""},
        {name_check_path, "/a/../b", "must not contain '..'"},
        {name_check_path, "a/..", "must not contain '..'"},
        {name_check_relative_path, "a/b/", ""},
        {name_check_relative_path, "..a", ""},
        {name_check_relative_path, "/a/../..", "must be a relative path; must not contain '..'"},
        {name_check_local_path, "a/..b", ""},
        {name_check_local_path, "../a", "must not contain '..'"},
        {name_check_local_path, "..", "must not contain '..'; must not start with '..'"},
        {name_check_local_path, "..data/a", "must not start with '..'"},
        {name_check_percent, "93%", ""},
        {name_check_percent, "%",
         "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
         "used for validation is '[0-9]+%')"},
        {name_check_ip, "010.0.0.1", ""},
        {name_check_ip, "10.0.0", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"},
        {name_check_ip_strict, "2001:db8::1", ""},
        {name_check_ip_strict, "010.0.0.1", "must not have leading 0s"},
        {name_check_ip_strict, "::ffff:1.2.3.4", "must not be an IPv4-mapped IPv6 address"},
        {name_check_cidr, "10.1.2.3/8", ""},
        {name_check_cidr, "10.1.2.3", "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"},
        {name_check_cidr_strict, "10.0.0.0/8", ""},
        {name_check_cidr_strict, "10.0.0.0/08", "must not have leading 0s in IP or prefix length"},
        {name_check_cidr_strict, "::ffff:1.2.3.0/120", "must not have an IPv4-mapped IPv6 address"},
        {name_check_cidr_strict, "10.1.2.3/8", "must not have bits set beyond the prefix length"},
        {name_check_uuid, "123e4567-e89b-12d3-a456-426614174000", ""},
        {name_check_uuid, "123E4567-e89b-12d3-a456-426614174000",
         "must be a lowercase UUID in 8-4-4-4-12 format"},
        {name_check_uuid, "123e4567e89b12d3a456426614174000",
         "must be a lowercase UUID in 8-4-4-4-12 format"},
    };
    check_names(cases, ARRAY_COUNT(cases));
    struct name_errors errs = {0};
    CHECK(name_check_port_number(1, &errs) && name_check_port_number(65535, &errs));
    CHECK(!name_check_port_number(0, NULL));
    CHECK(!name_check_port_number(65536, &errs));
    CHECK_STR(errs.reasons[0], "must be between 1 and 65535, inclusive");
}
