#include "base/secret.h"
#include "harness/test.h"

TEST(secrets_compare_equal_only_to_the_same_bytes)
{
    CLEANUP(secret_done) struct secret s;
    secret_init(&s, S("hunter2"));
    CHECK(secret_equal(&s, S("hunter2")));
    CHECK(!secret_equal(&s, S("hunter3")));
    CHECK(!secret_equal(&s, S("Hunter2")));
    CHECK(!secret_equal(&s, S("hunter")));
    CHECK(!secret_equal(&s, S("hunter22")));
    CHECK(!secret_equal(&s, S("")));
    CHECK(bytes_equal_constant_time(STR_NONE, S("")));
    secret_done(&s);
    CHECK(secret_equal(&s, S("")));
    secret_init_zero(&s, 16);
    CHECK_EQ(secret_bytes(&s).n, 16);
    CHECK_EQ(s.p[15], 0);
}

TEST(wiped_bytes_are_zero)
{
    char bytes[] = "something";
    bytes_wipe(bytes, 4);
    CHECK(memcmp(bytes, "\0\0\0\0thing", sizeof bytes) == 0);
    bytes_wipe(NULL, 0);
}
