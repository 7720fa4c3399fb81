/* kubectl_test.c - stock kubectl against a server: each transcript of this folder is a test. */
#include "harness/server.h"
#include "harness/test.h"
#include "harness/transcript.h"
#include <stdio.h>

/* `minor`: of the oldest kubectl 1.x that has the options and prints the words. */
static void run(const char *name, int minor)
{
    struct test_server s;
    char path[128];
    snprintf(path, sizeof path, "kubectl/%s.txt", name);
    test_needs_kubectl(minor);
    test_server_start(&s);
    transcript_run(test_path(path));
    test_server_stop(&s);
}

#define TRANSCRIPT(name, minor)     \
    TEST_WITHIN(kubectl_##name, 60) \
    {                               \
        run(#name, minor);          \
    }

TRANSCRIPT(first_steps, 20)
TRANSCRIPT(changes, 28)
TRANSCRIPT(columns, 20)
