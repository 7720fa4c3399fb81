/* http2.c - our HTTP/2 server (loop, stream, pump, engine) against nghttpd, both in a process of their own with one thread
 * that serves, both on plain text, driven by the same h2load. */
#include "base/mem.h"
#include "bench.h"
#include "client/http_pump.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SMALL = 600,
    LARGE = 4 << 20,
    IDLE_COUNT = 500,
};

/* --- our server --- */

struct site {
    char *small, *large;
};

static void site_body(void *ctx, struct http_exchange *x, str data)
{
    http_send_body(x, data);
    http_consumed(x, data.n);
}

static void site_end(void *ctx, struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    http_send_end(x, NULL, 0);
    http_exchange_free(x);
}

static void site_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    http_exchange_free(x);
}

static void site_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    const struct site *s = ctx;
    struct err err = ERR_INIT;
    struct http_header fields[] = {{S("server"), S("skiff")}, {S("cache-control"), S("max-age=3600")}};
    struct http_head answer = {.status = 200, .headers = fields, .header_count = 2, .content_length = -1};
    http_exchange_set_handler(
        x, (struct http_handler){.on_body = site_body, .on_end = site_end, .on_reset = site_reset});
    if (end) {
        str body = str_is(head->target, "/large") ? str_of(s->large, LARGE) : str_of(s->small, SMALL);
        answer.content_length = (int64_t)body.n;
        BENCH_MUST(http_send_head(x, &answer, false, &err) == ERR_NONE);
        http_send_body_ref(x, body, NULL, NULL);
        http_send_end(x, NULL, 0);
        http_exchange_free(x);
    } else {
        BENCH_MUST(http_send_head(x, &answer, false, &err) == ERR_NONE);
    }
}

static void site_accept(void *ctx, struct stream *s)
{
    http_pump_server(s, NULL, (struct http_handler){.on_head = site_head, .ctx = ctx}, NULL,
                     (struct http_pump_handler){0});
}

NORETURN static void site_run(int tell)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct err err = ERR_INIT;
    struct env *env;
    struct loop *l;
    struct listener *ln;
    struct net_addr at;
    struct site s = {.small = mem_alloc_zero(1, SMALL), .large = mem_alloc_zero(1, LARGE)};
    BENCH_MUST(env_new_real(NULL, &env, &err) == ERR_NONE);
    BENCH_MUST(loop_new(env, S("site"), &l, &err) == ERR_NONE);
    BENCH_MUST(net_addr_parse(S("127.0.0.1:0"), &at, &err) == ERR_NONE);
    BENCH_MUST(listener_new(env, &at, NULL, &ln, &err) == ERR_NONE);
    BENCH_MUST(listener_attach(ln, l, site_accept, &s, &err) == ERR_NONE);
    uint16_t port = listener_addr(ln)->port;
    BENCH_MUST(write(tell, &port, sizeof port) == sizeof port);
    loop_run_until(l, NULL, NULL, INT64_MAX);
    exit(0);
}

/* --- the peers --- */

struct target {
    const char *name;
    pid_t pid;
    uint16_t port;
    char url[64];
    const char *const *load; /* arguments of h2load before the url */
    uint64_t cpu_ns, requests;
};

static uint64_t cpu_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    FILE *f = fopen(path, "re");
    unsigned long long ns = 0;
    if (f) {
        if (fscanf(f, "%llu", &ns) != 1)
            ns = 0;
        fclose(f);
    }
    return ns;
}

static long rss_of(pid_t pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    BENCH_MUST(f);
    long kb = 0;
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    fclose(f);
    return kb;
}

static int dial(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_MUST(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static void ours_start(struct target *t)
{
    int fds[2];
    BENCH_MUST(pipe2(fds, O_CLOEXEC) == 0);
    fflush(stdout);
    t->pid = fork();
    BENCH_MUST(t->pid >= 0);
    if (t->pid == 0)
        site_run(fds[1]);
    BENCH_MUST(read(fds[0], &t->port, sizeof t->port) == sizeof t->port);
    close(fds[0]);
    close(fds[1]);
}

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_MUST(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
               getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

static pid_t start(const char *const *argv, int out)
{
    fflush(stdout);
    pid_t pid = fork();
    BENCH_MUST(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out, 1);
        dup2(out, 2);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid;
}

static void nghttpd_start(struct target *t, const char *dir)
{
    char port[16];
    t->port = free_port();
    snprintf(port, sizeof port, "%u", t->port);
    const char *argv[] = {"nghttpd", "--no-tls", "--echo-upload", "-a", "127.0.0.1", "-d", dir, port, NULL};
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    t->pid = start(argv, null_fd);
    close(null_fd);
    for (int i = 0; i < 200; i++) {
        int fd = dial(t->port);
        if (fd >= 0) {
            close(fd);
            return;
        }
        usleep(10000);
    }
    BENCH_MUST(!"nghttpd listens");
}

static void target_stop(struct target *t)
{
    kill(t->pid, SIGKILL);
    waitpid(t->pid, NULL, 0);
}

/* One run of h2load, all of whose requests must succeed. */
static void load(void *ctx)
{
    struct target *t = ctx;
    const char *argv[24] = {"h2load"};
    size_t n = 1;
    for (const char *const *a = t->load; *a; a++)
        argv[n++] = *a;
    argv[n] = t->url;
    int fds[2];
    BENCH_MUST(pipe2(fds, O_CLOEXEC) == 0);
    uint64_t before = cpu_of(t->pid);
    pid_t pid = start(argv, fds[1]);
    close(fds[1]);
    FILE *f = fdopen(fds[0], "r");
    BENCH_MUST(f);
    char line[512];
    unsigned long done = 0, succeeded = 0;
    while (fgets(line, sizeof line, f)) {
        if (getenv("DBG"))
            fputs(line, stderr);
        if (strncmp(line, "requests:", 9) == 0)
            BENCH_MUST(sscanf(line, "requests: %lu total, %*u started, %*u done, %lu succeeded", &done,
                              &succeeded) == 2);
    }
    fclose(f);
    waitpid(pid, NULL, 0);
    BENCH_MUST(done && done == succeeded);
    t->cpu_ns += cpu_of(t->pid) - before;
    t->requests += succeeded;
}

static void load_case(struct bench *b, const char *name, struct bench_work work, struct target *ours,
                      struct target *theirs, const char *path, const char *const *args)
{
    struct target *both[] = {ours, theirs};
    for (int i = 0; i < 2; i++) {
        both[i]->load = args;
        both[i]->cpu_ns = both[i]->requests = 0;
        snprintf(both[i]->url, sizeof both[i]->url, "http://127.0.0.1:%u%s", both[i]->port, path);
    }
    BENCH_CASE(b, name, work, {ours->name, load, ours}, {theirs->name, load, theirs});
    double a = (double)ours->cpu_ns / (double)ours->requests,
           z = (double)theirs->cpu_ns / (double)theirs->requests;
    bench_note(b, "%s: the server's own time for a request: %.2f us, nghttpd %.2f us (%.1f x)", name,
               a / 1000, z / 1000, z / a);
}

/* Connections that have served one request and wait. */
static void idle_open(struct target *t, int *fds, size_t count)
{
    static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                                "\0\0\x12\1\5\0\0\0\1\x82\x86\x41\1h\x04\x06/small\0\1a\1b";
    for (size_t i = 0; i < count; i++) {
        fds[i] = dial(t->port);
        BENCH_MUST(fds[i] >= 0);
        BENCH_MUST(write(fds[i], hello, sizeof hello - 1) == sizeof hello - 1);
        for (size_t got = 0; got < SMALL;) {
            char answer[4096];
            ssize_t n = read(fds[i], answer, sizeof answer);
            BENCH_MUST(n > 0);
            got += (size_t)n;
        }
    }
}

static void idle_note(struct bench *b, struct target *ours, struct target *theirs)
{
    static int fds[2][2][IDLE_COUNT];
    struct target *both[] = {ours, theirs};
    long rss[2][2];
    /* The first half fills what the server had free; the second shows what one more costs. */
    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 2; i++)
            idle_open(both[i], fds[i][half], IDLE_COUNT);
        usleep(2300000); /* what is given back when idle is given back after 2 s */
        for (int i = 0; i < 2; i++)
            rss[i][half] = rss_of(both[i]->pid);
    }
    for (int i = 0; i < 4 * IDLE_COUNT; i++)
        close(fds[i / 2 / IDLE_COUNT][i / IDLE_COUNT % 2][i % IDLE_COUNT]);
    bench_note(b, "resident memory of an idle connection that has served a request: %.1f KB, nghttpd %.1f KB",
               (double)(rss[0][1] - rss[0][0]) / IDLE_COUNT, (double)(rss[1][1] - rss[1][0]) / IDLE_COUNT);
}

static void file_make(const char *dir, const char *name, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    BENCH_MUST(f && ftruncate(fileno(f), (off_t)size) == 0);
    fclose(f);
}

static void files_remove(const char *dir)
{
    static const char *const names[] = {"small", "large", "body"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

BENCH(http2, "a server with one thread, driven by h2load: whole runs of it")
{
    if (system("command -v h2load nghttpd >/dev/null") != 0)
        bench_skip(b, "h2load and nghttpd are not installed (make deps with --bench)");
    char dir[] = "/tmp/skiff-bench-XXXXXX", body[64];
    BENCH_MUST(mkdtemp(dir));
    file_make(dir, "small", SMALL);
    file_make(dir, "large", LARGE);
    file_make(dir, "body", 1024);
    snprintf(body, sizeof body, "%s/body", dir);
    struct target ours = {.name = "skiff"}, theirs = {.name = "nghttpd"};
    ours_start(&ours);
    nghttpd_start(&theirs, dir);
    const char *const gets[] = {"-n20000", "-c8", "-m32", NULL};
    const char *const echoes[] = {"-n2000", "-c8", "-m32", "-d", body, NULL};
    const char *const singles[] = {"-n5000", "-c1", "-m1", NULL};
    const char *const larges[] = {"-n64", "-c4", "-m4", NULL};
    load_case(b, "GET 600 B, 8 x 32", BENCH_ITEMS(20000, "req"), &ours, &theirs, "/small", gets);
    load_case(b, "GET one by one", BENCH_ITEMS(5000, "req"), &ours, &theirs, "/small", singles);
    load_case(b, "POST 1 KB echo, 8 x 32", BENCH_ITEMS(2000, "req"), &ours, &theirs, "/echo", echoes);
    load_case(b, "GET 4 MB, 4 x 4", BENCH_BYTES(64.0 * LARGE), &ours, &theirs, "/large", larges);
    idle_note(b, &ours, &theirs);
    bench_note(
        b,
        "the rates are also h2load's: it needs about a core itself. nghttpd echoes through a temporary file.");
    target_stop(&ours);
    target_stop(&theirs);
    files_remove(dir);
}
