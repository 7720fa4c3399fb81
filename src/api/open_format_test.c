#include "api/open_format.h"
#include "base/arena.h"
#include "base/regex.h"
#include "harness/test.h"

/* As a schema would have it: the expression, and the function. */
static bool has_format(struct arena *a, str name, str text)
{
    enum open_format f = open_format_find(name);
    CHECK_NE(f, OPEN_FORMAT_NONE);
    str pattern = open_format_pattern(f);
    if (pattern.n) {
        struct err e = ERR_INIT;
        const struct regex *re;
        uint64_t build = REGEX_BUILD_STEPS, steps = REGEX_MATCH_STEPS;
        if (regex_compile(a, pattern, &build, &re, &e))
            FAIL("%.*s: %s", STR_ARG(name), e.msg);
        enum regex_result result = regex_match(re, text, &steps);
        CHECK_NE(result, REGEX_GAVE_UP);
        if (result == REGEX_NO)
            return false;
    }
    return open_format_check(f, text);
}

struct format_case {
    const char *name;
    const char *good[12], *bad[12];
};

static void check_formats(const struct format_case *cases, size_t count)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < count; i++) {
        str name = str_from_c(cases[i].name);
        for (size_t k = 0; k < 12 && cases[i].good[k]; k++)
            if (!has_format(&a, name, str_from_c(cases[i].good[k])))
                FAIL("%s refuses \"%s\"", cases[i].name, cases[i].good[k]);
        for (size_t k = 0; k < 12 && cases[i].bad[k]; k++)
            if (has_format(&a, name, str_from_c(cases[i].bad[k])))
                FAIL("%s takes \"%s\"", cases[i].name, cases[i].bad[k]);
    }
}

TEST(open_formats_of_identifiers_take_what_they_should)
{
    static const struct format_case cases[] = {
        {"bsonobjectid",
         {"507f1f77bcf86cd799439011"},
         {"507f1f77bcf86cd79943901", "507f1f77bcf86cd79943901g", ""}},
        {"uuid",
         {"123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"},
         {"123e4567-e89b-12d3-a456-42661417400", "", "123e4567_e89b-12d3-a456-426614174000"}},
        {"uuid3", {"123e4567-e89b-32d3-a456-426614174000"}, {"123e4567-e89b-12d3-a456-426614174000"}},
        {"uuid4",
         {"123e4567-e89b-42d3-a456-426614174000"},
         {"123e4567-e89b-42d3-c456-426614174000", "123e4567-e89b-12d3-a456-426614174000"}},
        {"uuid5", {"123e4567-e89b-52d3-a456-426614174000"}, {"123e4567-e89b-42d3-a456-426614174000"}},
        {"isbn10", {"0-306-40615-2", "080442957X"}, {"0306406153", "080442957x", "030640615", ""}},
        {"isbn13", {"978-0-306-40615-7"}, {"9780306406158", "978030640615"}},
        {"isbn", {"0306406152", "9780306406157"}, {"1"}},
        {"creditcard",
         {"4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009", "30000000000004",
          "6011000000000004", "2221000000000009"},
         {"4111111111111112", "", "1234567890123", "411111111111111111111"}},
        {"ssn", {"111-22-3333", "111223333", "111 22 3333"}, {"11-22-3333", "111-22-333a"}},
        {"k8s-short-name", {"abc", "a-1"}, {"A", "a.b", "", "-a"}},
        {"k8s-long-name", {"abc", "a.b-c"}, {"A", "a..b", ""}},
        {"password", {"", "anything"}, {NULL}},
    };
    check_formats(cases, ARRAY_COUNT(cases));
}

TEST(open_formats_of_the_network_take_what_they_should)
{
    static const struct format_case cases[] = {
        {"uri",
         {"http://example.org/a?b=c#d", "/absolute", "mailto:a@b", "http://[::1]:80/", "http://u:p@h:1/%41",
          "*", "http://h", "urn:a:b", "http://h:/", "http://ex%C3%A9.org"},
         {"", "relative", ":no", "http://h:port/", "http://[::1/", "/%zz", "http://a b/", "a\tb", "1http://a",
          "http://h/%4", "http://%41/"}},
        {"email",
         {"a@b.c", "a.b+c@example.com", "\"a b\"@c", "A B <a@b>", "\"A. B\" <a@b.c>", "a@[127.0.0.1]",
          " a@b "},
         {"", "a", "a@", "@b", "a.@b", "a..b@c", "a b@c", "a@b, c@d", "A <a@b", "a@b>"}},
        {"hostname",
         {"example.com", "a", "a-b.example.org", "\xc3\xa9.example.com", "localhost"},
         {"", "-a", "a_b", "a..b", "example.com.",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com"}},
        {"ipv4", {"1.2.3.4", "001.2.3.4"}, {"", "1.2.3", "::1", "256.1.1.1"}},
        {"ipv6", {"::1", "fe80::1", "::ffff:1.2.3.4"}, {"", "1.2.3.4", ":::1", "fe80::1%eth0"}},
        {"cidr", {"10.0.0.0/8", "::/0", "10.0.0.1/8"}, {"", "10.0.0.0", "10.0.0.0/33"}},
        {"mac",
         {"00:00:5e:00:53:01", "02-00-5e-10-00-00-00-01", "0000.5e00.5301", "0200.5e10.0000.0001",
          "00:00:00:00:fe:80:00:00:00:00:00:00:02:00:5e:10:00:00:00:01"},
         {"", "00:00:5e:00:53", "00:00:5e:00:53:0g", "00:00-5e:00:53:01", "0000:5e00:5301",
          "00:00:5e:00:53:01:02"}},
    };
    check_formats(cases, ARRAY_COUNT(cases));
}

TEST(open_formats_of_colours_bytes_and_times_take_what_they_should)
{
    static const struct format_case cases[] = {
        {"hexcolor", {"#fff", "A0b1C2"}, {"#ffff", "fg0", ""}},
        {"rgbcolor", {"rgb(0,100,255)", "rgb( 1 , 2 , 3 )"}, {"rgb(256,0,0)", "rgb(1,2)", "(1,2,3)"}},
        {"byte", {"YQ==", "YWI=", "YWJj"}, {"", "YQ", "YQ=", "Y Q=", "YQ-_"}},
        {"date", {"2024-02-29", "0001-01-01"}, {"2023-02-29", "2024-2-29", "", "2024-02-29T", "2024-00-10"}},
        {"datetime",
         {"2024-02-29T23:59:59Z", "2024-02-29t00:00:00.123z", "2024-02-29T00:00:00+01:00",
          "2024-02-29T00:00:00,5Z"},
         {"2024-02-29 00:00:00Z", "2024-02-30T00:00:00Z", "2024-02-29T24:00:00Z", "2024-02-29T00:60:00Z",
          "2024-02-29T00:00:00", "2024-02-29T00:00:00.Z", "2024-02-29T00:00:00+0100", ""}},
        {"date-time", {"2024-02-29T23:59:59Z"}, {"x"}},
        {"duration",
         {"1h30m", "0", "3 days", "1 week", "500 millis", "2hours 3min", "1.5h", "10 \xc2\xb5s"},
         {"", "h", "3", "3 parsecs", "99999999999999999999 days"}},
    };
    check_formats(cases, ARRAY_COUNT(cases));
}

TEST(open_formats_are_found_without_their_dashes)
{
    CHECK_EQ(open_format_find(S("date-time")), OPEN_FORMAT_DATE_TIME);
    CHECK_EQ(open_format_find(S("datetime")), OPEN_FORMAT_DATE_TIME);
    CHECK_EQ(open_format_find(S("int-32")), OPEN_FORMAT_INT32);
    CHECK_EQ(open_format_find(S("Date")), OPEN_FORMAT_NONE);
    CHECK_EQ(open_format_find(S("")), OPEN_FORMAT_NONE);
    CHECK_EQ(open_format_find(S("---")), OPEN_FORMAT_NONE);
    CHECK_EQ(open_format_find(S("a-name-longer-than-any-of-theirs")), OPEN_FORMAT_NONE);
}
