#include "base/ip.h"
#include "harness/test.h"

TEST(ip_is_read_generously_and_written_canonically)
{
    static const struct {
        const char *in, *out;
        unsigned odd;
    } cases[] = {
        {"10.9.8.7", "10.9.8.7", 0},
        {"255.255.255.255", "255.255.255.255", 0},
        {"010.002.003.004", "10.2.3.4", IP_LEADING_ZEROS | IP_NOT_CANONICAL},
        {"0.0.0.0", "0.0.0.0", 0},
        {"::", "::", 0},
        {"::1", "::1", 0},
        {"1::", "1::", 0},
        {"2001:db8::ffff", "2001:db8::ffff", 0},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1", IP_NOT_CANONICAL},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", 0},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", IP_NOT_CANONICAL},
        {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4", IP_NOT_CANONICAL},
        {"0:0:1::", "0:0:1::", 0},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", IP_NOT_CANONICAL},
        {"00001::", "1::", IP_LEADING_ZEROS | IP_NOT_CANONICAL},
        {"::ffff:1.2.3.4", "1.2.3.4", IP_V4_MAPPED | IP_NOT_CANONICAL},
        {"::ffff:102:304", "1.2.3.4", IP_V4_MAPPED | IP_NOT_CANONICAL},
        {"64:ff9b::1.2.3.4", "64:ff9b::102:304", IP_NOT_CANONICAL},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304", IP_NOT_CANONICAL},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct ip ip;
        unsigned odd = 0;
        char storage[IP_TEXT_MAX];
        if (!ip_parse(str_from_c(cases[i].in), &ip, &odd))
            FAIL("'%s' is not read", cases[i].in);
        CHECK_STR(ip_text(&ip, storage), cases[i].out);
        CHECK_EQ(odd, cases[i].odd);
        CHECK_EQ(ip_is_v4(&ip), strchr(cases[i].out, ':') == NULL);
    }
}

TEST(ip_refuses_what_is_no_address)
{
    static const char *const bad[] = {
        "",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1..2.3",
        ".1.2.3",
        "1.2.3.4 ",
        "1.2.3.-4",
        "a.b.c.d",
        "1.2.3.4/8",
        ":",
        ":::",
        "1:",
        ":1",
        "1::2::3",
        "1:2:3",
        "12345::",
        "g::",
        "::1%eth0",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "::1.2.3",
        "1.2.3.4::",
        "::1.2.3.4:5",
        "1:2:3:4:5:1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
        "4294967296.1.1.1",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct ip ip;
        if (ip_parse(str_from_c(bad[i]), &ip, NULL))
            FAIL("'%s' is read", bad[i]);
    }
}

TEST(cidr_knows_its_block)
{
    static const struct {
        const char *in, *out;
        unsigned odd;
    } cases[] = {
        {"10.0.0.0/8", "10.0.0.0/8", 0},
        {"10.1.2.3/8", "10.0.0.0/8", IP_HOST_BITS | IP_NOT_CANONICAL},
        {"10.1.2.3/32", "10.1.2.3/32", 0},
        {"0.0.0.0/0", "0.0.0.0/0", 0},
        {"10.0.0.0/08", "10.0.0.0/8", IP_LEADING_ZEROS | IP_NOT_CANONICAL},
        {"2001:db8::/32", "2001:db8::/32", 0},
        {"2001:db8:ffff::/33", "2001:db8:8000::/33", IP_HOST_BITS | IP_NOT_CANONICAL},
        {"::/0", "::/0", 0},
        {"::1/128", "::1/128", 0},
        {"::ffff:1.2.3.4/120", "1.2.3.0/24", IP_V4_MAPPED | IP_HOST_BITS | IP_NOT_CANONICAL},
        {"::ffff:1.2.3.4/64", "::/64", IP_V4_MAPPED | IP_HOST_BITS | IP_NOT_CANONICAL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct cidr c;
        unsigned odd = 0;
        char storage[CIDR_TEXT_MAX];
        if (!cidr_parse(str_from_c(cases[i].in), &c, &odd))
            FAIL("'%s' is not read", cases[i].in);
        CHECK_STR(cidr_text(&c, storage), cases[i].out);
        CHECK_EQ(odd, cases[i].odd);
    }
    static const char *const bad[] = {
        "",         "10.0.0.0",    "10.0.0.0/",   "10.0.0.0/33",        "::/129", "/8", "10.0.0.0/8/8",
        "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/4294967304"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct cidr c;
        if (cidr_parse(str_from_c(bad[i]), &c, NULL))
            FAIL("'%s' is read", bad[i]);
    }
}

TEST(cidr_contains_addresses_of_its_own_family_only)
{
    static const struct {
        const char *cidr, *ip;
        bool want;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/9", "10.127.0.0", true},
        {"10.0.0.0/9", "10.128.0.0", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "::1", true},
        {"::/0", "8.8.8.8", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"10.1.2.3/32", "10.1.2.3", true},
        {"10.1.2.3/32", "10.1.2.2", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct cidr c;
        struct ip ip;
        CHECK(cidr_parse(str_from_c(cases[i].cidr), &c, NULL));
        CHECK(ip_parse(str_from_c(cases[i].ip), &ip, NULL));
        if (cidr_contains(&c, &ip) != cases[i].want)
            FAIL("'%s' in '%s' should be %d", cases[i].ip, cases[i].cidr, cases[i].want);
    }
}
