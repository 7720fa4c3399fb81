/* server.h - a server of a test's own: `skiff server` in a child process, in the test's folder, on a free port of 127.0.0.1.
 * Its log is DIR/server.log and is shown when the test fails. It ends with the test. */
#ifndef HARNESS_SERVER_H
#define HARNESS_SERVER_H

#include <sys/types.h>

struct test_server {
    char dir[256];        /* its data */
    char kubeconfig[300]; /* DIR/admin.conf */
    char url[64];         /* https://127.0.0.1:PORT */
    pid_t pid;
};

/* Waits until it is ready. Sets KUBECONFIG for what the test runs. Starting it again on the same folder is fine. */
void test_server_start(struct test_server *s);
/* SIGTERM; the server must end in order, without a leak. */
void test_server_stop(struct test_server *s);
void test_server_kill(struct test_server *s); /* SIGKILL */

/* Skips the test when there is no kubectl, or one older than 1.MINOR. */
void test_needs_kubectl(int minor);

#endif
