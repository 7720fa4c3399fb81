#include "harness/test.h"
#include "sys/stream.h"

/* An address that parses has one text, and that text gives the address back. */
FUZZ(net_addr)
{
    struct net_addr a, again;
    struct err why = ERR_INIT;
    char text[NET_ADDR_TEXT], text2[NET_ADDR_TEXT];
    if (net_addr_parse(str_of((const char *)data, size), &a, &why)) {
        CHECK_EQ(why.code, ERR_INVALID);
        return;
    }
    net_addr_format(&a, text);
    /* A path may hold bytes that are not printed. */
    for (size_t i = 0; i < a.path_n; i++)
        if ((a.path[i] < 0x20 || a.path[i] >= 0x7f) && !(i == 0 && a.path[0] == '\0'))
            return;
    CHECK_OK(net_addr_parse(str_from_c(text), &again, &e));
    CHECK(net_addr_eq(&a, &again));
    net_addr_format(&again, text2);
    CHECK_STR(text2, text);
}
