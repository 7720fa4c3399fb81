/* tls.c - TLS as a stream against bare OpenSSL on the same sockets, and against the cipher alone. */
#include "sys/tls.h"
#include "base/mem.h"
#include "bench.h"
#include "sys/digest.h"
#include "sys/x509_priv.h"
#include <errno.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HOST "bench.example"

enum { BULK = 1 << 20, QUESTION = 200, ANSWER = 2000, PIECE = 64 * 1024 };

static char bulk[BULK];

/* --- who is who --- */

struct cast {
    struct x509_key *key;
    struct x509_cert *cert;
    struct x509_pool *pool;
    struct tls_config *server, *client;
    SSL_CTX *bare_server, *bare_client;
    struct env *env;
    struct loop *loop;
};

static void cast_make_cert(struct cast *c)
{
    struct err why;
    str name = S(HOST);
    struct x509_template t = {.names = {.dns = &name, .dns_count = 1},
                              .usages = X509_FOR_CA | X509_USAGE_SERVER_AUTH,
                              .is_ca = true,
                              .not_before_s = time(NULL) - 60,
                              .not_after_s = time(NULL) + 3600};
    BENCH_MUST(!x509_key_generate(X509_KEY_P256, &c->key, &why));
    BENCH_MUST(!x509_issue(&t, c->key, NULL, &c->cert, &why));
    BENCH_MUST(!x509_pool_new_of(&c->cert, 1, &c->pool, &why));
}

/* As a program would that uses OpenSSL straight: defaults, but for what ours has too. */
static void cast_make_bare(struct cast *c)
{
    c->bare_server = SSL_CTX_new(TLS_server_method());
    c->bare_client = SSL_CTX_new(TLS_client_method());
    SSL_CTX *both[] = {c->bare_server, c->bare_client};
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX_set_ciphersuites(both[i], "TLS_AES_128_GCM_SHA256");
        SSL_CTX_set_num_tickets(both[i], 0);
        SSL_CTX_set_mode(both[i], SSL_MODE_ENABLE_PARTIAL_WRITE);
    }
    BENCH_MUST(SSL_CTX_use_cert_and_key(c->bare_server, c->cert->x, c->key->pkey, NULL, 1) == 1);
    BENCH_MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(c->bare_client), c->cert->x) == 1);
    SSL_CTX_set_verify(c->bare_client, SSL_VERIFY_PEER, NULL);
}

static void cast_open(struct cast *c)
{
    struct err why;
    cast_make_cert(c);
    cast_make_bare(c);
    struct tls_identity identity = {&c->cert, 1, c->key};
    struct tls_server_opts so = {.identities = &identity, .identity_count = 1};
    struct tls_client_opts co = {.ca = c->pool};
    BENCH_MUST(!tls_config_new_server(&so, &c->server, &why));
    BENCH_MUST(!tls_config_new_client(&co, &c->client, &why));
    BENCH_MUST(!env_new_real(NULL, &c->env, &why));
    BENCH_MUST(!loop_new(c->env, S("bench"), &c->loop, &why));
}

static void cast_close(struct cast *c)
{
    loop_free(c->loop);
    env_free(c->env);
    tls_config_unref(c->server);
    tls_config_unref(c->client);
    SSL_CTX_free(c->bare_server);
    SSL_CTX_free(c->bare_client);
    x509_pool_unref(c->pool);
    x509_cert_unref(c->cert);
    x509_key_unref(c->key);
}

/* --- ours: each end has so much to send and so much to receive --- */

struct end {
    struct stream *s;
    size_t to_send, to_receive;
};

struct pair {
    struct cast *cast;
    struct end a, b;
    bool answers; /* b begins to send when it has received all */
};

static void end_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct end *d = ctx;
    struct err why;
    char room[PIECE];
    size_t n;
    if (ready & STREAM_READ && d->to_receive) {
        err_code code = stream_read(s, room, size_min(PIECE, d->to_receive), &n, &why);
        BENCH_MUST(code == ERR_NONE || code == ERR_AGAIN);
        d->to_receive -= code ? 0 : n;
    }
    if (ready & STREAM_WRITE && d->to_send) {
        err_code code = stream_write(s, &(str){bulk, d->to_send}, 1, &n, &why);
        BENCH_MUST(code == ERR_NONE || code == ERR_AGAIN);
        d->to_send -= code ? 0 : n;
    }
    stream_want(s, (d->to_receive ? STREAM_READ : 0) | (d->to_send ? STREAM_WRITE : 0));
}

static bool pair_idle(void *ctx)
{
    const struct pair *p = ctx;
    return !p->a.to_send && !p->a.to_receive && !p->b.to_send && !p->b.to_receive;
}

static bool b_has_received(void *ctx)
{
    return ((const struct pair *)ctx)->b.to_receive == 0;
}

static void end_begin(struct end *d, size_t to_send, size_t to_receive)
{
    d->to_send = to_send;
    d->to_receive = to_receive;
    stream_want(d->s, (to_receive ? STREAM_READ : 0) | (to_send ? STREAM_WRITE : 0));
}

static void pair_open(struct pair *p, bool with_tls)
{
    struct err why;
    struct stream *a, *b;
    struct stream_handler ha = {end_ready, &p->a}, hb = {end_ready, &p->b};
    BENCH_MUST(!stream_pair(p->cast->loop, &a, &b, &why));
    p->a.s = a;
    p->b.s = b;
    if (with_tls) {
        BENCH_MUST(!tls_stream_server(b, p->cast->server, hb, &p->b.s, &why));
        BENCH_MUST(!tls_stream_client(a, p->cast->client, S(HOST), ha, &p->a.s, &why));
    } else {
        stream_set_handler(a, ha);
        stream_set_handler(b, hb);
    }
}

static void pair_close(struct pair *p)
{
    stream_close(p->a.s);
    stream_close(p->b.s);
    loop_run_until(p->cast->loop, NULL, NULL, 0);
}

static void ours_bulk(void *ctx)
{
    struct pair *p = ctx;
    end_begin(&p->b, 0, BULK);
    end_begin(&p->a, BULK, 0);
    BENCH_MUST(loop_run_until(p->cast->loop, pair_idle, p, NS_PER_S));
}

static void ours_ask(void *ctx)
{
    struct pair *p = ctx;
    end_begin(&p->b, 0, QUESTION);
    end_begin(&p->a, QUESTION, ANSWER);
    BENCH_MUST(loop_run_until(p->cast->loop, b_has_received, p, NS_PER_S));
    end_begin(&p->b, ANSWER, 0);
    BENCH_MUST(loop_run_until(p->cast->loop, pair_idle, p, NS_PER_S));
}

static void ours_handshake(void *ctx)
{
    struct pair *p = ctx;
    pair_open(p, true);
    end_begin(&p->a, 1, 0);
    end_begin(&p->b, 0, 1);
    BENCH_MUST(loop_run_until(p->cast->loop, pair_idle, p, NS_PER_S));
    pair_close(p);
}

/* --- bare OpenSSL on a pair of sockets that do not block, one thread going to and fro --- */

struct bare {
    struct cast *cast;
    int fds[2];
    SSL *a, *b;
};

static void bare_step(SSL *ssl, int result)
{
    int why = SSL_get_error(ssl, result);
    BENCH_MUST(result > 0 || why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE);
}

static void bare_open(struct bare *p)
{
    BENCH_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p->fds) == 0);
    p->a = SSL_new(p->cast->bare_client);
    p->b = SSL_new(p->cast->bare_server);
    SSL_set_fd(p->a, p->fds[0]);
    SSL_set_fd(p->b, p->fds[1]);
    SSL_set_tlsext_host_name(p->a, HOST);
    SSL_set1_host(p->a, HOST);
    SSL_set_connect_state(p->a);
    SSL_set_accept_state(p->b);
    while (SSL_in_init(p->a) || SSL_in_init(p->b)) {
        bare_step(p->a, SSL_do_handshake(p->a));
        bare_step(p->b, SSL_do_handshake(p->b));
    }
}

static void bare_close(struct bare *p)
{
    SSL_shutdown(p->a);
    SSL_shutdown(p->b);
    SSL_free(p->a);
    SSL_free(p->b);
    close(p->fds[0]);
    close(p->fds[1]);
}

static void bare_send(SSL *from, SSL *to, size_t total)
{
    char room[PIECE];
    size_t sent = 0, received = 0, n;
    while (received < total) {
        if (sent < total) {
            n = 0;
            bare_step(from, SSL_write_ex(from, bulk, total - sent, &n));
            sent += n;
        }
        n = 0;
        bare_step(to, SSL_read_ex(to, room, size_min(sizeof room, total - received), &n));
        received += n;
    }
}

static void bare_bulk(void *ctx)
{
    struct bare *p = ctx;
    bare_send(p->a, p->b, BULK);
}

static void bare_ask(void *ctx)
{
    struct bare *p = ctx;
    bare_send(p->a, p->b, QUESTION);
    bare_send(p->b, p->a, ANSWER);
}

static void bare_handshake(void *ctx)
{
    struct bare *p = ctx;
    bare_open(p);
    bare_send(p->a, p->b, 1);
    bare_close(p);
}

/* --- the cipher alone --- */

struct cipher {
    struct buf sealed, opened;
};

static void cipher_bulk(void *ctx)
{
    struct cipher *c = ctx;
    struct err why;
    str key = S("0123456789abcdef"), nonce = S("0123456789ab");
    for (size_t at = 0; at < BULK; at += 16384) {
        buf_clear(&c->sealed);
        buf_clear(&c->opened);
        BENCH_MUST(!aead_seal(key, nonce, STR_NONE, str_of(bulk + at, 16384), &c->sealed, &why));
        BENCH_MUST(!aead_open(key, nonce, STR_NONE, buf_str(&c->sealed), &c->opened, &why));
    }
}

static void note_memory(struct bench *b, struct cast *c)
{
    enum { COUNT = 200 };
    struct pair *pairs = NEW_ARRAY(struct pair, COUNT);
    size_t before = mallinfo2().uordblks;
    for (size_t i = 0; i < COUNT; i++) {
        pairs[i].cast = c;
        pair_open(&pairs[i], true);
        ours_ask(&pairs[i]);
    }
    size_t each = (mallinfo2().uordblks - before) / (2 * COUNT);
    bench_note(b, "An idle end, its socket's stream included, holds %zu bytes of memory.", each);
    for (size_t i = 0; i < COUNT; i++)
        pair_close(&pairs[i]);
    mem_free(pairs);
}

BENCH(tls, "TLS 1.3 with P-256 and AES-128-GCM, both ends in one thread")
{
    struct cast c;
    cast_open(&c);
    struct pair ours = {.cast = &c}, plain = {.cast = &c}, shaking = {.cast = &c};
    struct bare bare = {.cast = &c}, bare_shaking = {.cast = &c};
    struct cipher cipher;
    pair_open(&ours, true);
    pair_open(&plain, false);
    bare_open(&bare);
    buf_init(&cipher.sealed, 20000);
    buf_init(&cipher.opened, 20000);
    BENCH_CASE(b, "1 MB one way", BENCH_BYTES(BULK), {"skiff", ours_bulk, &ours},
               {"bare OpenSSL", bare_bulk, &bare}, {"no TLS", ours_bulk, &plain},
               {"sealed and opened", cipher_bulk, &cipher});
    BENCH_CASE(b, "200 B there, 2 KB back", BENCH_ITEMS(1, "answers"), {"skiff", ours_ask, &ours},
               {"bare OpenSSL", bare_ask, &bare}, {"no TLS", ours_ask, &plain});
    BENCH_CASE(b, "handshake, both sides", BENCH_ITEMS(1, "handshakes"), {"skiff", ours_handshake, &shaking},
               {"bare OpenSSL", bare_handshake, &bare_shaking});
    note_memory(b, &c);
    pair_close(&ours);
    pair_close(&plain);
    bare_close(&bare);
    buf_done(&cipher.sealed);
    buf_done(&cipher.opened);
    cast_close(&c);
}
