/* server.c - the whole API server under load: TLS, client certificate, durable writes; the client on the same machine. The
 * original's figures (v1.20 with etcd 3.4 on a machine of two cores) stand beside ours for scale. */
#include "bench.h"
#include "load.h"
#include "server/command.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct served {
    char dir[64];
    pid_t pid;
};

static double seconds_now(struct env *env)
{
    return (double)env_now_mono(env) / 1e9;
}

static bool is_ready(const char *dir)
{
    char path[128], text[1024];
    snprintf(path, sizeof path, "%s/log", dir);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = 0;
    return strstr(text, "is ready") != NULL;
}

static void serve(struct served *s)
{
    char data[128], log[128], address[] = "--bind-address=127.0.0.1", port[] = "--secure-port=0";
    snprintf(s->dir, sizeof s->dir, "/tmp/skiff-bench-XXXXXX");
    BENCH_MUST(mkdtemp(s->dir));
    snprintf(data, sizeof data, "--data-dir=%s", s->dir);
    snprintf(log, sizeof log, "%s/log", s->dir);
    char *argv[] = {data, address, port, NULL};
    fflush(NULL);
    s->pid = fork();
    BENCH_MUST(s->pid >= 0);
    if (s->pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT, 0600);
        dup2(fd, 2);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        exit(server_command(3, argv));
    }
    while (!is_ready(s->dir))
        usleep(200);
}

static long resident_kb(const struct served *s)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", s->pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

static void end(struct served *s)
{
    char command[128];
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    BENCH_MUST(system(command) == 0);
}

static void make_config_map(void *ctx, size_t index, struct load_request *r)
{
    r->method = "POST";
    snprintf(r->path, sizeof r->path, "/api/v1/namespaces/default/configmaps");
    buf_add_f(
        &r->body,
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%scm-%06zu\",\"labels\":{\"app\":"
        "\"load\"}},\"data\":{\"key\":\"value\",\"other\":\"some more text that makes it a usual one\"}}",
        (const char *)ctx, index);
}

static void make_pod(void *ctx, size_t index, struct load_request *r)
{
    r->method = "POST";
    snprintf(r->path, sizeof r->path, "/api/v1/namespaces/default/pods");
    buf_add_f(
        &r->body,
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%spod-%06zu\",\"labels\":{\"app\":\"web\","
        "\"tier\":\"front\"}},\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"registry.example/"
        "web:1.2.3\",\"ports\":[{\"containerPort\":8080,\"name\":\"http\"}],\"env\":[{\"name\":\"MODE\",\"value\":"
        "\"production\"}],\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"},\"limits\":{"
        "\"memory\":\"256Mi\"}},\"readinessProbe\":{\"httpGet\":{\"path\":\"/ready\",\"port\":\"http\"}}}]}}",
        (const char *)ctx, index);
}

static void get_pod(void *ctx, size_t index, struct load_request *r)
{
    (void)ctx;
    r->method = "GET";
    snprintf(r->path, sizeof r->path, "/api/v1/namespaces/default/pods/pod-%06zu", index % 1000);
}

static void list_pods(void *ctx, size_t index, struct load_request *r)
{
    (void)ctx, (void)index;
    r->method = "GET";
    snprintf(r->path, sizeof r->path, "/api/v1/pods");
}

struct line {
    const char *what;
    void (*make)(void *ctx, size_t index, struct load_request *r);
    unsigned connections, in_flight;
    size_t requests;
    int expect;
    const char *original;
};

static void measure(struct bench *b, struct env *env, const struct served *s, const struct line *l)
{
    struct load load = {.kubeconfig_dir = str_from_c(s->dir),
                        .connections = l->connections,
                        .in_flight = l->in_flight,
                        .requests = l->requests,
                        .make = l->make,
                        .ctx = (void *)(uintptr_t) "",
                        .expect = l->expect};
    struct load_result got;
    load_run(env, &load, &got);
    bench_note(b, "%-34s %9.0f /s   p50 %6.2f ms   p99 %6.2f ms   max %6.1f ms   %7.1f MB/s   original %s%s",
               l->what, got.per_second, got.p50_ms, got.p99_ms, got.max_ms,
               (double)got.bytes / got.seconds / 1e6, l->original, got.failed ? "   SOME FAILED" : "");
    BENCH_MUST(!got.failed);
}

BENCH(server, "the API server over TLS")
{
    struct env *env;
    struct err err = ERR_INIT;
    struct served s;
    BENCH_MUST(!env_new_real(NULL, &env, &err));
    double began = seconds_now(env);
    serve(&s);
    bench_note(b, "empty directory to ready: %.0f ms (original 4,300); resident then: %.1f MB (original 512)",
               (seconds_now(env) - began) * 1e3, (double)resident_kb(&s) / 1e3);
    static const struct line lines[] = {
        {"create ConfigMap, 64 connections", make_config_map, 64, 1, 33000, 201, "2,320 /s"},
        {"create Pod, 64 connections", make_pod, 64, 1, 16000, 201, "1,030 /s"},
        {"GET Pod, 16 connections", get_pod, 16, 4, 100000, 200, "3,700 /s"},
        {"LIST 16,000 Pods, 2 connections", list_pods, 2, 1, 20, 200, "3.4 /s"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        measure(b, env, &s, &lines[i]);
    bench_note(b, "resident with 33,000 ConfigMaps and 16,000 Pods: %.1f MB (original 1,400)",
               (double)resident_kb(&s) / 1e3);
    end(&s);
    env_free(env);
}
