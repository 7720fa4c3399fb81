/* Each name of formats.def stands for its own check, with whole messages; the checks themselves are tested in full beside
 * base/names.h. */
#include "api/format.h"
#include "api/tree.h"
#include "harness/test.h"

enum {
    FORMAT_COUNT = 1
#define SCHEMA_FORMAT(name, text, check) +1
#include "api/formats.def"
#undef SCHEMA_FORMAT
};

struct format_case {
    const char *format; /* as written in api/ */
    const char *value;  /* JSON */
    const char *want; /* NULL: good; else what the message says behind the value, to its end or up to "..." */
};

static enum schema_format format_named(const char *name)
{
    static const char *const names[FORMAT_COUNT] = {
#define SCHEMA_FORMAT(name, text, check) [SCHEMA_FORMAT_##name] = text,
#include "api/formats.def"
#undef SCHEMA_FORMAT
    };
    for (size_t i = 1; i < FORMAT_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum schema_format)i;
    FAIL("there is no format '%s'", name);
}

#define X16  "xxxxxxxxxxxxxxxx"
#define X64  X16 X16 X16 X16
#define X256 X64 X64 X64 X64

#define LABEL      "a lowercase RFC 1123 label must consist of..."
#define SUBDOMAIN  "a lowercase RFC 1123 subdomain must consist of..."
#define QUALIFIED  "name part must consist of alphanumeric characters, '-', '_' or '.'..."
#define NO_DOT_DOT "must not contain '..'"
#define BAD_IP     "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
#define BAD_CIDR   "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
#define BAD_UUID   "must be a lowercase UUID in 8-4-4-4-12 format"
#define BAD_PORT   "must be between 1 and 65535, inclusive"
#define NEGATIVE   "must be greater than or equal to 0"
#define BAD_MODE   "must be a number between 0 and 0777 (octal), both inclusive"

static const struct format_case cases[] = {
    {"dns1123-label", "\"my-name\"", NULL},
    {"dns1123-label", "\"1\"", NULL},
    {"dns1123-label", "\"My-name\"", LABEL},
    {"dns1123-label", "\"a.b\"", "must not contain dots"},
    {"dns1123-label", "\"" X64 "\"", "must be no more than 63 bytes"},
    {"dns1123-subdomain", "\"example.com\"", NULL},
    {"dns1123-subdomain", "\"a..b\"", SUBDOMAIN},
    {"dns1123-subdomain", "\"" X256 "\"", "must be no more than 253 bytes"},
    {"dns1035-label", "\"abc-123\"", NULL},
    {"dns1035-label", "\"1abc\"", "a DNS-1035 label must consist of..."},
    {"wildcard-subdomain", "\"*.example.com\"", NULL},
    {"wildcard-subdomain", "\"example.com\"", "a wildcard DNS-1123 subdomain must start with '*.'..."},
    {"qualified-name", "\"example.com/My.name\"", NULL},
    {"qualified-name", "\"name\"", NULL},
    {"qualified-name", "\"a b\"", QUALIFIED},
    {"qualified-name", "\"/a\"", "prefix part must be non-empty"},
    {"prefixed-name", "\"example.com/name\"", NULL},
    {"prefixed-name", "\"name\"", "must include a prefix (e.g. 'example.com/key')"},
    {"label-value", "\"my_Value\"", NULL},
    {"label-value", "\"-\"", "a valid label must be an empty string or consist of..."},
    {"port-name", "\"http-1\"", NULL},
    {"port-name", "\"80\"", "must contain at least one letter (a-z)"},
    {"env-name", "\"1 $x!\"", NULL},
    {"env-name", "\"a=b\"",
     "a valid environment variable name must consist only of printable ASCII characters other than '='"},
    {"c-identifier", "\"_my_Name1\"", NULL},
    {"c-identifier", "\"my-name\"", "a valid C identifier must start with alphabetic character or '_'..."},
    {"config-key", "\"KEY_1.name\"", NULL},
    {"config-key", "\"a/b\"", "a valid config key must consist of..."},
    {"config-key", "\"..data\"", "must not start with '..'"},
    {"http-header", "\"X-Header\"", NULL},
    {"http-header", "\"X_Header\"", "a valid HTTP header must consist of..."},
    {"http-path", "\"/a/b%20c\"", NULL},
    {"http-path", "\"/a b\"", "Invalid path..."},
    {"path-segment", "\"system:node\"", NULL},
    {"path-segment", "\"a/b\"", "may not contain '/'"},
    {"path", "\"/a/..b\"", NULL},
    {"path", "\"/a/../b\"", NO_DOT_DOT},
    {"relative-path", "\"..a/b\"", NULL},
    {"relative-path", "\"/a\"", "must be a relative path"},
    {"relative-path", "\"a/..\"", NO_DOT_DOT},
    {"local-path", "\"a/..b\"", NULL},
    {"local-path", "\"..a/b\"", "must not start with '..'"},
    {"ip", "\"010.0.0.1\"", NULL},
    {"ip", "\"2001:db8::1\"", NULL},
    {"ip", "\"10.0.0\"", BAD_IP},
    {"ip-strict", "\"10.0.0.1\"", NULL},
    {"ip-strict", "\"10.0.0\"", BAD_IP},
    {"ip-strict", "\"010.0.0.1\"", "must not have leading 0s"},
    {"cidr", "\"10.1.2.3/8\"", NULL},
    {"cidr", "\"10.1.2.3\"", BAD_CIDR},
    {"cidr-strict", "\"10.0.0.0/8\"", NULL},
    {"cidr-strict", "\"10.1.2.3\"", BAD_CIDR},
    {"cidr-strict", "\"10.1.2.3/8\"", "must not have bits set beyond the prefix length"},
    {"uuid", "\"123e4567-e89b-12d3-a456-426614174000\"", NULL},
    {"uuid", "\"123e4567\"", BAD_UUID},
    {"port", "1", NULL},
    {"port", "65535", NULL},
    {"port", "0", BAD_PORT},
    {"port", "-1", BAD_PORT},
    {"port", "65536", BAD_PORT},
    {"port", "\"http\"", NULL},
    {"port", "\"80\"", "must contain at least one letter (a-z)"},
    {"non-negative", "0", NULL},
    {"non-negative", "9223372036854775807", NULL},
    {"non-negative", "-1", NEGATIVE},
    {"non-negative", "\"25%\"", NULL},
    {"non-negative", "\"25\"",
     "a valid percent string must be a numeric string followed by an ending '%'..."},
    {"file-mode", "0", NULL},
    {"file-mode", "511", NULL},
    {"file-mode", "512", BAD_MODE},
    {"file-mode", "-1", BAD_MODE},
};

/* "" where nothing is wrong. */
static str checked(struct arena *a, const struct format_case *c)
{
    struct json value;
    struct field_errors errors;
    struct field_path root = FIELD_PATH_OF_ROOT, path = field_path_name(&root, S("x"));
    CHECK_OK(json_parse(a, str_from_c(c->value), NULL, &value, &e));
    field_errors_init(&errors, a);
    format_check(&errors, format_named(c->format), &path, &value);
    struct buf b;
    buf_init_arena(&b, a, 1 << 16);
    field_errors_print(&errors, &b);
    return buf_str(&b);
}

static void check_case(const struct format_case *c)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str got = checked(&a, c);
    if (!c->want) {
        CHECK_STR(got, "");
        return;
    }
    str want = str_format(&a, "x: Invalid value: %s: %s", c->value, c->want);
    if (str_ends(want, S("..."))) {
        want.n -= 3;
        got = str_slice(got, 0, want.n);
    }
    CHECK_STR(got, want);
}

TEST(formats_accept_and_refuse_values_in_the_originals_words)
{
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_case(&cases[i]);
}

TEST(formats_have_a_good_and_a_bad_value_here_each)
{
    bool good[FORMAT_COUNT] = {false}, bad[FORMAT_COUNT] = {false};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        (cases[i].want ? bad : good)[format_named(cases[i].format)] = true;
    for (size_t i = 1; i < FORMAT_COUNT; i++)
        if (!good[i] || !bad[i])
            FAIL("format number %zu has no good or no bad value in the table", i);
}

/* Whether a value must be there is another rule's question. */
TEST(formats_have_nothing_to_say_of_what_is_empty_or_of_another_type)
{
    static const char *const values[] = {"\"\"", "null", "true", "1.5", "[\"-\"]", "{\"-\":1}"};
    for (size_t i = 1; i < FORMAT_COUNT; i++) {
        for (size_t k = 0; k < ARRAY_COUNT(values); k++) {
            CLEANUP(arena_done) struct arena a;
            arena_init(&a, 0);
            struct json value;
            struct field_errors errors;
            struct field_path root = FIELD_PATH_OF_ROOT;
            CHECK_OK(json_parse(&a, str_from_c(values[k]), NULL, &value, &e));
            field_errors_init(&errors, &a);
            format_check(&errors, (enum schema_format)i, &root, &value);
            CHECK_EQ(errors.count, 0);
        }
    }
}

/* A field's format is that of its items, or of its keys where it is a map. */
TEST(formats_of_lists_and_maps_are_those_of_their_items_and_keys)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    static const struct {
        const char *type, *text, *want;
    } fields[] = {
        {"Device", "{\"name\":\"a\",\"bindingConditions\":[\"a\",\"a/b/c\"]}",
         "bindingConditions[1]: Invalid value: \"a/b/c\": a valid label key must consist of alphanumeric characters, "
         "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
         "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS "
         "subdomain prefix and '/' (e.g. 'example.com/MyName')"},
        {"CounterSet", "{\"name\":\"a\",\"counters\":{\"ok\":{\"value\":1},\"a.b\":{\"value\":1}}}",
         "counters: Invalid value: \"a.b\": must not contain dots"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        const struct schema_type *t = schema_type_find(&schema_builtin, S("resource/v1"),
                                                       str_from_c(fields[i].type));
        struct json in, tree;
        struct field_errors errors;
        CHECK_OK(json_parse(&a, str_from_c(fields[i].text), NULL, &in, &e));
        CHECK_OK(tree_normalise(&a, &schema_builtin, t, &in, NULL, &tree, &e));
        field_errors_init(&errors, &a);
        tree_validate(&schema_builtin, t, &tree, &errors);
        struct buf b;
        buf_init_arena(&b, &a, 1 << 16);
        field_errors_print(&errors, &b);
        CHECK_STR(buf_str(&b), fields[i].want);
    }
}
