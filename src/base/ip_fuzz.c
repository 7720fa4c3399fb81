#include "base/ip.h"
#include "harness/test.h"
#include <arpa/inet.h>

/* What is read prints as a text that is read as the same, canonically; and the C library agrees about what both read. */
FUZZ(ip)
{
    str s = str_of((const char *)data, size);
    char storage[CIDR_TEXT_MAX], text[64] = {0};
    struct ip ip, back;
    struct cidr c, c_back;
    unsigned odd;
    bool fits = size < sizeof text && !memchr(data, 0, size);
    if (fits)
        memcpy(text, data, size);
    bool ok = ip_parse(s, &ip, &odd);
    if (ok) {
        str printed = ip_text(&ip, storage);
        unsigned none;
        CHECK(ip_parse(printed, &back, &none));
        CHECK(ip_equal(&ip, &back));
        CHECK_EQ(none, 0);
        CHECK_EQ(str_eq(printed, s), !(odd & IP_NOT_CANONICAL));
    }
    uint8_t theirs[16];
    if (fits && inet_pton(AF_INET6, text, theirs) == 1) {
        CHECK(ok);
        CHECK(memcmp(theirs, ip.bytes, 16) == 0);
    } else if (fits && inet_pton(AF_INET, text, theirs) == 1) {
        CHECK(ok);
        CHECK(memcmp(theirs, ip.bytes + 12, 4) == 0);
    } else if (fits) {
        CHECK(!ok || (odd & IP_LEADING_ZEROS));
    }
    if (cidr_parse(s, &c, &odd)) {
        str printed = cidr_text(&c, storage);
        unsigned none;
        CHECK(cidr_parse(printed, &c_back, &none));
        CHECK_EQ(none, 0);
        struct ip first = cidr_first(&c);
        CHECK(ip_equal(&first, &c_back.ip));
        CHECK_EQ(c.bits, c_back.bits);
        CHECK(cidr_contains(&c_back, &first));
    }
}
