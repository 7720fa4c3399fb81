/* load.c - keeps a server busy. */
#include "load.h"
#include "base/base64.h"
#include "base/mem.h"
#include "bench.h"
#include "client/http_pump.h"
#include "sys/file.h"
#include "sys/tls.h"
#include "wire/yaml.h"
#include <stdlib.h>

struct client {
    struct load_run *run;
    struct http_pump *pump;
};

struct call {
    struct client *client;
    struct http_exchange *x;
    int64_t began;
    int status;
};

struct load_run {
    const struct load *load;
    struct env *env;
    struct loop *loop;
    struct arena arena;
    struct tls_config *tls;
    struct net_addr address;
    struct client *clients;
    struct load_request request;
    size_t begun, ended, failed;
    uint64_t bytes;
    double *took_ms;
};

static void call_begin(struct client *c);

static void call_end(struct call *k)
{
    struct load_run *r = k->client->run;
    r->took_ms[r->ended++] = (double)(env_now_mono(r->env) - k->began) / 1e6;
    r->failed += k->status != r->load->expect;
    http_exchange_free(k->x);
    if (r->begun < r->load->requests)
        call_begin(k->client);
    mem_free(k);
}

static void on_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct call *k = ctx;
    (void)x;
    k->status = head->status;
    if (end && head->status >= 200)
        call_end(k);
}

static void on_body(void *ctx, struct http_exchange *x, str data)
{
    struct call *k = ctx;
    k->client->run->bytes += data.n;
    http_consumed(x, data.n);
}

static void on_end(void *ctx, struct http_exchange *x, const struct http_header *trailers,
                   size_t trailer_count)
{
    (void)x, (void)trailers, (void)trailer_count;
    call_end(ctx);
}

static void on_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    struct call *k = ctx;
    (void)x, (void)why;
    k->status = 0;
    call_end(k);
}

static void call_begin(struct client *c)
{
    struct load_run *r = c->run;
    struct load_request *q = &r->request;
    struct err err = ERR_INIT;
    buf_clear(&q->body);
    q->content_type = "application/json";
    q->accept = "application/json";
    r->load->make(r->load->ctx, r->begun, q);
    struct http_header headers[] = {{S("accept"), str_from_c(q->accept)},
                                    {S("content-type"), str_from_c(q->content_type)}};
    struct http_head head = {.method = str_from_c(q->method),
                             .target = str_from_c(q->path),
                             .authority = S("127.0.0.1"),
                             .scheme = S("https"),
                             .headers = headers,
                             .header_count = q->body.n ? 2 : 1,
                             .content_length = q->body.n ? (int64_t)q->body.n : -1};
    struct call *k = NEW(struct call);
    k->client = c;
    k->began = env_now_mono(r->env);
    k->x = http_request(
        http_pump_conn(c->pump), &head, !q->body.n,
        (struct http_handler){
            .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_reset = on_reset, .ctx = k},
        &err);
    BENCH_MUST(k->x);
    if (q->body.n) {
        http_send_body(k->x, buf_str(&q->body));
        http_send_end(k->x, NULL, 0);
    }
    r->begun++;
}

static void on_closed(void *ctx, struct http_pump *p, const struct err *why)
{
    struct client *c = ctx;
    (void)p, (void)why;
    c->pump = NULL;
}

/* --- who we are, out of admin.conf --- */

static str decoded(struct load_run *r, const struct json *value)
{
    struct buf out;
    struct err err = ERR_INIT;
    buf_init_arena(&out, &r->arena, 1 << 20);
    BENCH_MUST(!base64_decode(&out, json_str(value), 0, &err));
    return buf_str(&out);
}

static void read_kubeconfig(struct load_run *r)
{
    static const str alpn[] = {S_INIT("h2")};
    struct err err = ERR_INIT;
    struct dir *d;
    str text;
    struct json tree;
    BENCH_MUST(!dir_open(r->env, r->load->kubeconfig_dir, 0, &d, &err));
    BENCH_MUST(!file_read_all(d, S("admin.conf"), &r->arena, 1 << 20, &text, &err));
    dir_close(d);
    BENCH_MUST(!yaml_parse(&r->arena, text, NULL, &tree, &err));
    const struct json *cluster = json_get(json_at(json_find(&tree, S("clusters")), 0), S("cluster"));
    const struct json *user = json_get(json_at(json_find(&tree, S("users")), 0), S("user"));
    str url = json_str(json_find(cluster, S("server")));
    BENCH_MUST(str_take_prefix(&url, S("https://")));
    BENCH_MUST(!net_addr_parse(url, &r->address, &err));
    struct x509_pool *ca;
    struct x509_cert *cert;
    struct x509_key *key;
    BENCH_MUST(!x509_pool_new(decoded(r, json_find(cluster, S("certificate-authority-data"))), &ca, &err));
    BENCH_MUST(!x509_cert_parse(decoded(r, json_find(user, S("client-certificate-data"))), &cert, &err));
    BENCH_MUST(!x509_key_parse(decoded(r, json_find(user, S("client-key-data"))), &key, &err));
    struct tls_identity identity = {.chain = &cert, .chain_count = 1, .key = key};
    struct tls_client_opts opts = {.ca = ca, .identity = &identity, .alpn = alpn, .alpn_count = 1};
    BENCH_MUST(!tls_config_new_client(&opts, &r->tls, &err));
    x509_pool_unref(ca);
    x509_cert_unref(cert);
    x509_key_unref(key);
}

static void connect_all(struct load_run *r)
{
    r->clients = ARENA_ARRAY(&r->arena, struct client, r->load->connections);
    for (unsigned i = 0; i < r->load->connections; i++) {
        struct client *c = &r->clients[i];
        struct stream *plain, *s;
        struct err err = ERR_INIT;
        c->run = r;
        BENCH_MUST(!stream_connect(r->loop, &r->address, (struct stream_handler){0}, &plain, &err));
        BENCH_MUST(!tls_stream_client(plain, r->tls, S("127.0.0.1"), (struct stream_handler){0}, &s, &err));
        c->pump = http_pump_client(s, http_conn_new_client(HTTP_2, NULL), NULL,
                                   (struct http_pump_handler){.on_closed = on_closed, .ctx = c});
    }
}

static bool all_ended(void *ctx)
{
    struct load_run *r = ctx;
    return r->ended == r->load->requests;
}

static bool all_closed(void *ctx)
{
    struct load_run *r = ctx;
    for (unsigned i = 0; i < r->load->connections; i++)
        if (r->clients[i].pump)
            return false;
    return true;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void load_run(struct env *env, const struct load *l, struct load_result *ret)
{
    struct load_run r = {.load = l, .env = env};
    struct err err = ERR_INIT;
    arena_init(&r.arena, 0);
    buf_init(&r.request.body, 64 << 20);
    BENCH_MUST(!loop_new(env, S("load"), &r.loop, &err));
    read_kubeconfig(&r);
    r.took_ms = mem_alloc(l->requests * sizeof *r.took_ms);
    connect_all(&r);
    int64_t began = env_now_mono(env);
    for (unsigned i = 0; i < l->connections * l->in_flight && r.begun < l->requests; i++)
        call_begin(&r.clients[i % l->connections]);
    BENCH_MUST(loop_run_until(r.loop, all_ended, &r, 120 * NS_PER_S));
    double seconds = (double)(env_now_mono(env) - began) / 1e9;
    for (unsigned i = 0; i < l->connections; i++)
        http_pump_close(r.clients[i].pump);
    loop_run_until(r.loop, all_closed, &r, 5 * NS_PER_S);
    qsort(r.took_ms, l->requests, sizeof *r.took_ms, by_size);
    *ret = (struct load_result){.seconds = seconds,
                                .per_second = (double)l->requests / seconds,
                                .p50_ms = r.took_ms[l->requests / 2],
                                .p99_ms = r.took_ms[l->requests * 99 / 100],
                                .max_ms = r.took_ms[l->requests - 1],
                                .failed = r.failed,
                                .bytes = r.bytes};
    mem_free(r.took_ms);
    buf_done(&r.request.body);
    tls_config_unref(r.tls);
    loop_free(r.loop);
    arena_done(&r.arena);
}
