/* server.c - a server for tests. */
#include "harness/server.h"
#include "harness/test.h"
#include "server/command.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_S = 60 };

static void show_log(void *ctx)
{
    struct test_server *s = ctx;
    char path[300], text[8192];
    snprintf(path, sizeof path, "%s/server.log", s->dir);
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    fseek(f, size > 8000 ? size - 8000 : 0, SEEK_SET);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fprintf(stderr, "--- the server's log\n%s---\n", text);
    fclose(f);
}

NORETURN static void be_server(struct test_server *s)
{
    char log[300], dir[300];
    snprintf(log, sizeof log, "%s/server.log", s->dir);
    snprintf(dir, sizeof dir, "--data-dir=%s", s->dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char address[] = "--bind-address=127.0.0.1", port[] = "--secure-port=0";
    char *argv[] = {dir, address, port, NULL};
    exit(server_command(3, argv));
}

static bool read_url(struct test_server *s, const struct timespec *since)
{
    struct stat st;
    char line[512];
    FILE *f = fopen(s->kubeconfig, "r");
    bool found = false;
    if (!f)
        return false;
    bool fresh = !fstat(fileno(f), &st) &&
                 (st.st_mtim.tv_sec > since->tv_sec ||
                  (st.st_mtim.tv_sec == since->tv_sec && st.st_mtim.tv_nsec >= since->tv_nsec));
    while (fresh && !found && fgets(line, sizeof line, f))
        found = sscanf(line, " server: %63s", s->url) == 1;
    fclose(f);
    return found;
}

void test_server_start(struct test_server *s)
{
    struct timespec since;
    snprintf(s->dir, sizeof s->dir, "%s/server", test_dir());
    snprintf(s->kubeconfig, sizeof s->kubeconfig, "%s/admin.conf", s->dir);
    mkdir(s->dir, 0700);
    unlink(s->kubeconfig);
    test_on_failure(show_log, s);
    clock_gettime(CLOCK_REALTIME_COARSE, &since);
    fflush(NULL);
    s->pid = fork();
    CHECK(s->pid >= 0);
    if (s->pid == 0)
        be_server(s);
    setenv("KUBECONFIG", s->kubeconfig, 1);
    setenv("HOME", test_dir(), 1);
    for (int i = 0; i < START_S * 200; i++) {
        int status;
        if (read_url(s, &since))
            return;
        if (waitpid(s->pid, &status, WNOHANG) == s->pid)
            FAIL("the server ended with status %d", status);
        nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
    }
    FAIL("the server was not ready after %d s", START_S);
}

void test_server_stop(struct test_server *s)
{
    int status;
    CHECK(kill(s->pid, SIGTERM) == 0);
    CHECK(waitpid(s->pid, &status, 0) == s->pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        FAIL("the server ended with status %d", status);
    s->pid = 0;
}

void test_server_kill(struct test_server *s)
{
    int status;
    CHECK(kill(s->pid, SIGKILL) == 0);
    CHECK(waitpid(s->pid, &status, 0) == s->pid);
    s->pid = 0;
}

void test_needs_kubectl(int minor)
{
    static char why[64];
    char line[256];
    int found = -1;
    FILE *f = popen("kubectl version --client -o json 2>/dev/null", "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, " \"minor\": \"%d", &found);
    if (f)
        pclose(f);
    if (found < 0)
        test_skip("there is no kubectl");
    snprintf(why, sizeof why, "kubectl is 1.%d, and this is for 1.%d", found, minor);
    if (found < minor)
        test_skip(why);
}
