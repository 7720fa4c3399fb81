/* host.h - what the process is told from outside. Threads: any, as long as nobody changes the environment (nobody does). */
#ifndef SYS_HOST_H
#define SYS_HOST_H

/* A variable of the environment; NULL: not set. Lives as long as the process. */
const char *host_variable(const char *name);
/* How many threads can run at once. */
unsigned host_cpu_count(void);

#endif
