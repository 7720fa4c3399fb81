#include "api/rules/image_ref.h"
#include "harness/test.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(image_names_have_the_tag_that_was_meant)
{
    static const struct {
        const char *text, *tag;
    } cases[] = {
        {"busybox", "latest"},
        {"busybox:1.36", "1.36"},
        {"team/app", "latest"},
        {"localhost:5000/app", "latest"},
        {"localhost/app:x", "x"},
        {"r.example.com/a/b/c:v1.2_3-x", "v1.2_3-x"},
        {"[2001:db8::1]:5000/app:x", "x"},
        {"[2001:db8::1]/app:x", "x"},
        {"a_b__c-d---e.f/app", "latest"},
        {"foo_bar.com/app", "latest"},
        {"HOST/app", "latest"},
        {"busybox:5000", "5000"},
        {"busybox@sha256:" HEX64, ""},
        {"busybox:latest@sha256:" HEX64, "latest"},
        /* No names of images. */
        {"", ""},
        {HEX64, ""},
        {"Busybox", ""},
        {"team/App", ""},
        {"busybox:", ""},
        {"busybox:-x", ""},
        {"busybox:a/b", ""},
        {"busybox@sha256:0123", ""},
        {"busybox@", ""},
        {"busybox@md5:" HEX64, ""},
        {"busybox ", ""},
        {"a..b", ""},
        {"a___b", ""},
        {"-a", ""},
        {"a-", ""},
        {"a//b", ""},
        {"host:/app", ""},
        {"host:x/app", ""},
        {"Host_x.com/app", ""},
        {"[::x]/app", ""},
        {"/app", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK_STR(image_ref_tag(str_from_c(cases[i].text)), cases[i].tag);
    }
}
