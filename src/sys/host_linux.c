/* host_linux.c - environment and processors. */
#include "sys/host.h"
#include <sched.h>
#include <stdlib.h>

const char *host_variable(const char *name)
{
    return getenv(name);
}

unsigned host_cpu_count(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}
