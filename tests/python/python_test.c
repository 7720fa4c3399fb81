/* python_test.c - Debian's python3-kubernetes, which is there for Debian's python only: each script of this folder is a
 * test. */
#include "harness/server.h"
#include "harness/test.h"
#include <stdio.h>
#include <stdlib.h>

static void run(const char *name)
{
    struct test_server s;
    char command[512], path[128];
    if (system("/usr/bin/python3 -c 'import kubernetes' 2>/dev/null"))
        test_skip("there is no python3-kubernetes");
    test_server_start(&s);
    snprintf(path, sizeof path, "python/%s.py", name);
    snprintf(command, sizeof command, "/usr/bin/python3 %s 2>&1", test_path(path));
    if (system(command))
        FAIL("%s failed", path);
    test_server_stop(&s);
}

#define SCRIPT(name)               \
    TEST_WITHIN(python_##name, 60) \
    {                              \
        run(#name);                \
    }

SCRIPT(objects)
SCRIPT(watches)
