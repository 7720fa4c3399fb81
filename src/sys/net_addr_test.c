#include "harness/test.h"
#include "sys/stream.h"

static void check_round_trip(const char *text, const char *want)
{
    struct net_addr a, again;
    char got[NET_ADDR_TEXT];
    CHECK_OK(net_addr_parse(str_from_c(text), &a, &e));
    net_addr_format(&a, got);
    CHECK_STR(got, want);
    CHECK_OK(net_addr_parse(str_from_c(got), &again, &e));
    CHECK(net_addr_eq(&a, &again));
}

TEST(net_addr_prints_each_address_in_one_way)
{
    static const char *const same[] = {
        "127.0.0.1:6443",   "0.0.0.0:0",
        "[::1]:0",          "255.255.255.255:65535",
        "[::]:80",          "[1::]:1",
        "[fe80::1%2]:80",   "[2001:db8::1:0:0:1]:1",
        "[0:1::]:9",        "[1:2:3:4:5:6:7:8]:1",
        "unix:/run/x.sock", "[1:0:2:3:4:5:6:7]:9",
        "unix:@abstract",   "unix:relative",
    };
    for (size_t i = 0; i < ARRAY_COUNT(same); i++)
        check_round_trip(same[i], same[i]);
    /* RFC 5952: lower case, no leading zeros, the longest run of zeros, the first of equals, never a single zero. */
    check_round_trip("[2001:DB8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1");
    check_round_trip("[2001:0db8::0001:0000:0000:0000]:1", "[2001:db8:0:0:1::]:1");
    check_round_trip("[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1");
    check_round_trip("[2001:db8::1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1");
    check_round_trip("[0:0:0:0:0:0:0:0]:1", "[::]:1");
    check_round_trip("[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1");
    check_round_trip("[::1.2.3.4]:7", "[::102:304]:7");
    check_round_trip("[64:ff9b::10.0.0.1]:7", "[64:ff9b::a00:1]:7");
    check_round_trip("[::ffff:10.0.0.1]:7", "10.0.0.1:7");
}

TEST(net_addr_refuses_what_is_not_an_address)
{
    static const struct {
        str text;
        const char *why;
    } bad[] = {
        {S_INIT(""), "there is no ':PORT'"},
        {S_INIT("127.0.0.1"), "there is no ':PORT'"},
        {S_INIT("localhost:80"), "expected an IP address"},
        {S_INIT(":80"), "expected an IP address"},
        {S_INIT("1.2.3:80"), "expected an IP address"},
        {S_INIT("1.2.3.4.5:80"), "expected an IP address"},
        {S_INIT("1.2.3.256:80"), "expected an IP address"},
        {S_INIT("1.2.3.04:80"), "expected an IP address"},
        {S_INIT("1.2.3.:80"), "expected an IP address"},
        {S_INIT("::1:80"), "in brackets"},
        {S_INIT("[1.2.3.4]:80"), "in brackets"},
        {S_INIT("[::1:80"), "expected an IP address"},
        {S_INIT("[1:2:3:4:5:6:7]:80"), "expected an IP address"},
        {S_INIT("[1:2:3:4:5:6:7:8:9]:80"), "expected an IP address"},
        {S_INIT("[1:2:3:4::5:6:7:8]:80"), "expected an IP address"},
        {S_INIT("[1::2::3]:80"), "expected an IP address"},
        {S_INIT("[:::]:80"), "expected an IP address"},
        {S_INIT("[12345::]:80"), "expected an IP address"},
        {S_INIT("[g::]:80"), "expected an IP address"},
        {S_INIT("[1.2.3.4::]:80"), "expected an IP address"},
        {S_INIT("[::1.2.3.4:5]:80"), "expected an IP address"},
        {S_INIT("[:1::]:80"), "expected an IP address"},
        {S_INIT("[::1]"), "expected an IP address"},
        {S_INIT("[fe80::1%eth0]:80"), "scope"},
        {S_INIT("[fe80::1%]:80"), "scope"},
        {S_INIT("1.2.3.4:"), "port"},
        {S_INIT("1.2.3.4:65536"), "port"},
        {S_INIT("1.2.3.4:+1"), "port"},
        {S_INIT("1.2.3.4:080"), "port"},
        {S_INIT("1.2.3.4:99999999999999999999"), "port"},
        {S_INIT("unix:"), "there is no path"},
        {S_INIT("unix:@"), "there is no path"},
        {S_INIT("unix:a\0b"), "NUL"},
    };
    struct net_addr a;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        CHECK_ERR(INVALID, "could not parse address '", net_addr_parse(bad[i].text, &a, &e));
        struct err why = ERR_INIT;
        err_ignore(net_addr_parse(bad[i].text, &a, &why)); /* for its message */
        CHECK_CONTAINS(why.msg, bad[i].why);
    }
}

TEST(net_addr_takes_unix_paths_up_to_what_the_kernel_holds)
{
    char text[200] = "unix:/";
    memset(text + 6, 'p', sizeof text - 6);
    struct net_addr a;
    char got[NET_ADDR_TEXT];
    CHECK_OK(net_addr_parse(str_of(text, 5 + 107), &a, &e));
    net_addr_format(&a, got);
    CHECK_STR(got, str_of(text, 5 + 107));
    CHECK_ERR(INVALID, "longer than 107", net_addr_parse(str_of(text, 5 + 108), &a, &e));
}

TEST(net_addr_formats_even_what_cannot_be_parsed)
{
    char got[NET_ADDR_TEXT];
    net_addr_format(&(struct net_addr){.family = NET_NONE}, got);
    CHECK_STR(got, "");
    net_addr_format(&(struct net_addr){.family = NET_UNIX}, got);
    CHECK_STR(got, "unix:");
    net_addr_format(&(struct net_addr){.family = NET_UNIX, .path = "a\nb\xff", .path_n = 4}, got);
    CHECK_STR(got, "unix:a?b?");
}

TEST(net_ip_is_an_address_without_a_port)
{
    struct net_addr a;
    char got[NET_ADDR_TEXT];
    CHECK_OK(net_ip_parse(S("2001:DB8::1"), &a, &e));
    CHECK_EQ(a.port, 0);
    net_ip_format(&a, got);
    CHECK_STR(got, "2001:db8::1");
    CHECK_OK(net_ip_parse(S("10.0.0.1"), &a, &e));
    net_ip_format(&a, got);
    CHECK_STR(got, "10.0.0.1");
    CHECK_ERR(INVALID, "'10.0.0.1:80' is not an IP address", net_ip_parse(S("10.0.0.1:80"), &a, &e));
    CHECK_ERR(INVALID, "'[::1]' is not an IP address", net_ip_parse(S("[::1]"), &a, &e));
}

TEST(net_addr_eq_sees_every_part)
{
    static const char *const all[] = {"1.2.3.4:5", "1.2.3.4:6", "1.2.3.5:5", "[::1]:5", "[::2]:5", "[::1]:6",
                                      "[::1%3]:5", "unix:a",    "unix:b",    "unix:@a", "unix:ab"};
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        for (size_t k = 0; k < ARRAY_COUNT(all); k++) {
            struct net_addr x, y;
            CHECK_OK(net_addr_parse(str_from_c(all[i]), &x, &e));
            CHECK_OK(net_addr_parse(str_from_c(all[k]), &y, &e));
            CHECK_EQ(net_addr_eq(&x, &y), i == k);
        }
    CHECK(net_addr_eq(&(struct net_addr){.family = NET_NONE}, &(struct net_addr){.family = NET_NONE}));
}
