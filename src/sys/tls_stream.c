/* tls_stream.c - a stream that is TLS over another.
 * OpenSSL reads from and writes to the inner stream through a BIO of ours, without buffers between. Writing to that BIO
 * never comes back half done: what the inner stream does not take waits in `out` (one record as a rule, OUT_MAX at most)
 * and is flushed when the inner stream is writable. So a byte that OpenSSL has turned into a record is a byte taken, and a
 * caller that was told ERR_AGAIN may come back with other bytes - which OpenSSL's own rule for retries would forbid. */
#include "base/mem.h"
#include "sys/loop_priv.h"
#include "sys/stream_priv.h"
#include "sys/tls_priv.h"
#include <openssl/err.h>

enum {
    RECORD_SIZE = SSL3_RT_MAX_PLAIN_LENGTH,
    /* More than a record waits only if the other side makes us answer (key updates) and does not read: then we stop
     * reading too. */
    OUT_MAX = 64 * 1024,
    /* How many records without content one read of a caller goes through. */
    EMPTY_RECORDS_MAX = 32,
};

enum tls_state {
    TLS_HANDSHAKE,
    TLS_OPEN,
    TLS_FAILED, /* `failure` says why */
};

struct tls_stream {
    struct stream s;
    struct stream *inner;
    struct tls_config *config;
    SSL *ssl;
    char *host; /* client: whom we want, as given */
    enum tls_state state;
    bool agreed;      /* the handshake was done; tls_info holds */
    bool starved;     /* the inner stream had nothing when last asked */
    bool stuffed;     /* `out` was full when OpenSSL wanted to write: reading waits too */
    bool heard;       /* something came */
    bool inner_ended; /* and nothing more will */
    bool ended;       /* the other side said farewell */
    bool shut;        /* we do, or will once the handshake is done */
    bool trusted;
    struct buf out;
    size_t out_sent;
    /* NULL while there is none. Of the inner stream: to read and to write; of TLS as a whole; why there is no trust. */
    struct err *inner_read, *inner_write, *failure, *distrust;
    struct timer linger; /* after closing, while `out` is sent */
    struct background background;
};

static struct tls_stream *tls_of(struct stream *s)
{
    return CONTAINER_OF(s, struct tls_stream, s);
}

static struct err *err_keep(const struct err *err)
{
    return mem_dup(err, sizeof *err);
}

static err_code err_tell(const struct err *kept, struct err *err)
{
    *err = *kept;
    return kept->code;
}

/* --- the inner stream, for OpenSSL --- */

static bool out_waits(const struct tls_stream *t)
{
    return t->out.n > t->out_sent;
}

/* As much as the inner stream takes; the rest is *ret_put short of it. */
static void inner_write(struct tls_stream *t, str bytes, size_t *ret_put)
{
    struct err err;
    *ret_put = 0;
    while (*ret_put < bytes.n && !t->inner_write) {
        str rest = str_from(bytes, *ret_put);
        size_t n;
        err_code code = stream_write(t->inner, &rest, 1, &n, &err);
        if (code == ERR_AGAIN)
            return;
        if (code)
            t->inner_write = err_keep(&err);
        else
            *ret_put += n;
    }
}

/* What cannot be sent any more is dropped, and reading goes on: often the other side has said why it left. */
static void out_flush(struct tls_stream *t)
{
    size_t put;
    inner_write(t, str_from(buf_str(&t->out), t->out_sent), &put);
    t->out_sent += put;
    if (t->inner_write || !out_waits(t)) {
        buf_done(&t->out);
        t->out_sent = 0;
        t->stuffed = false;
    }
}

static int bio_write(BIO *bio, const char *p, int n)
{
    struct tls_stream *t = BIO_get_data(bio);
    str bytes = str_of(p, (size_t)n);
    BIO_clear_retry_flags(bio);
    if (t->inner_write)
        return n; /* dropped: see out_flush */
    if (out_waits(t) && bytes.n > OUT_MAX - t->out.n) {
        t->stuffed = true;
        BIO_set_retry_write(bio);
        return -1;
    }
    size_t put = 0;
    if (!out_waits(t))
        inner_write(t, bytes, &put);
    if (!t->inner_write)
        buf_add(&t->out, str_from(bytes, put));
    return n;
}

static int bio_read(BIO *bio, char *p, int n)
{
    struct tls_stream *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (t->inner_ended || t->inner_read)
        return t->inner_ended ? 0 : -1;
    struct err err;
    size_t got;
    switch (stream_read(t->inner, p, (size_t)n, &got, &err)) {
    case ERR_NONE: t->heard = true; return (int)got;
    case ERR_AGAIN:
        t->starved = true;
        BIO_set_retry_read(bio);
        return -1;
    case ERR_CLOSED: t->inner_ended = true; return 0;
    default: t->inner_read = err_keep(&err); return -1;
    }
}

static long bio_ctrl(BIO *bio, int what, long number, void *p)
{
    (void)number, (void)p;
    const struct tls_stream *t = BIO_get_data(bio);
    switch (what) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return t->inner_ended;
    default: return 0;
    }
}

BIO_METHOD *tls_bio_method_new(void)
{
    BIO_METHOD *m = OSSL_MUST(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "skiff stream"));
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
}

struct loop *tls_loop_of(const SSL *ssl)
{
    const struct tls_stream *t = SSL_get_app_data(ssl);
    return t->s.loop;
}

/* --- trust --- */

static void trust_decide(struct tls_stream *t, X509 *leaf, STACK_OF(X509) * others)
{
    const struct tls_config *c = t->config;
    struct err err;
    struct x509_verify_opts opts = {
        .now_s = env_now_wall(loop_env(t->s.loop)) / NS_PER_S,
        .usage = c->is_server ? X509_USAGE_CLIENT_AUTH : X509_USAGE_SERVER_AUTH,
        .host = str_from_c(t->host),
    };
    mem_free(t->distrust);
    t->distrust = NULL;
    t->trusted = !x509_verify_ossl(c->pool, leaf, others, &opts, &err);
    if (!t->trusted)
        t->distrust = err_keep(&err);
}

int tls_verify(X509_STORE_CTX *store, void *config)
{
    const struct tls_config *c = config;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_stream *t = SSL_get_app_data(ssl);
    X509_STORE_CTX_set_error(store, X509_V_OK);
    if (!c->pool)
        return 1;
    trust_decide(t, X509_STORE_CTX_get0_cert(store), X509_STORE_CTX_get0_untrusted(store));
    if (t->trusted || c->client_auth == TLS_CLIENT_AUTH_OPTIONAL)
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED); /* the alert: bad certificate */
    return 0;
}

/* --- failures, in words --- */

static const struct {
    int reason;
    const char *text;
} reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "the other side does not speak TLS"},
    {SSL_R_HTTP_REQUEST, "the other side speaks HTTP in the clear"},
    {SSL_R_HTTPS_PROXY_REQUEST, "the other side speaks to an HTTP proxy"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the other side offers only versions of TLS before 1.2"},
    {SSL_R_VERSION_TOO_LOW, "the other side offers only versions of TLS before 1.2"},
    {SSL_R_NO_SHARED_CIPHER, "there is no cipher that both sides have"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "the other side speaks none of our protocols"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the other side showed no certificate, and must"},
};

/* The first thing TLS had to say; 0: nothing. Empties the queue. */
static int reason_take(void)
{
    int reason = 0;
    for (unsigned long e; (e = ERR_get_error());)
        if (!reason && ERR_GET_LIB(e) == ERR_LIB_SSL)
            reason = ERR_GET_REASON(e);
    return reason;
}

static err_code ended_early(const struct tls_stream *t, struct err *err)
{
    if (!t->heard)
        return err_set(err, ERR_CLOSED, "the other side left before it said anything");
    return err_set(err, ERR_IO,
                   t->state == TLS_HANDSHAKE ? "cut off in the middle"
                                             : "cut off: it ended without a farewell");
}

/* It has sent an alert. OpenSSL has two lists of their names, each with gaps. */
static err_code refused(int reason, struct err *err)
{
    int alert = reason - SSL_AD_REASON_OFFSET;
    str text = str_from_c(SSL_alert_desc_string_long(alert));
    if (str_is(text, "unknown")) {
        text = str_from_c(ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason)));
        str_take_prefix(&text, S("tlsv1 "));
        str_take_prefix(&text, S("tlsv13 "));
        str_take_prefix(&text, S("alert "));
    }
    if (!text.n)
        return err_set(err, ERR_PROTOCOL, "the other side refused: alert %d", alert);
    return err_set(err, ERR_PROTOCOL, "the other side refused: %" STR_FMT, STR_ARG(text));
}

static err_code cause(const struct tls_stream *t, int reason, struct err *err)
{
    if (t->inner_read)
        return err_tell(t->inner_read, err);
    if (t->inner_ended)
        return ended_early(t, err);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && t->distrust)
        return err_tell(t->distrust, err);
    if (reason >= SSL_AD_REASON_OFFSET)
        return refused(reason, err);
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
        if (reasons[i].reason == reason)
            return err_set(err, ERR_PROTOCOL, "%s", reasons[i].text);
    const char *text = reason ? ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason)) : NULL;
    return err_set(err, ERR_PROTOCOL, "%s", text ? text : "it broke the protocol");
}

static void fail(struct tls_stream *t)
{
    struct err err = ERR_INIT;
    char addr[NET_ADDR_TEXT];
    int reason = reason_take();
    bool in_handshake = t->state == TLS_HANDSHAKE;
    cause(t, reason, &err);
    net_addr_format(&t->s.peer, addr);
    err_wrap(&err, "TLS %s %s%s%s%s failed", in_handshake ? "handshake with" : "connection to",
             t->host ? t->host : "", t->host && addr[0] ? " at " : "", addr,
             !t->host && !addr[0] ? "the other side" : "");
    t->failure = err_keep(&err);
    t->state = TLS_FAILED;
    if (in_handshake && reason == SSL_R_HTTP_REQUEST && !t->inner_write)
        buf_add(&t->out, buf_str(&t->config->plain_http_answer));
    out_flush(t);
}

/* --- the handshake --- */

/* What we must hear of from the inner stream. */
static void interest_set(struct tls_stream *t)
{
    unsigned what = out_waits(t) ? STREAM_WRITE : 0;
    bool to_read = t->state == TLS_HANDSHAKE ||
                   (t->state == TLS_OPEN && t->s.wanted & STREAM_READ && !(t->s.possible & STREAM_READ));
    if (to_read && !t->stuffed && !t->s.closed)
        what |= STREAM_READ;
    stream_want(t->inner, what);
}

static void farewell(struct tls_stream *t)
{
    /* Whether the other side has said its own does not matter: 0 and 1 are both fine. */
    if (SSL_shutdown(t->ssl) < 0)
        ossl_clear();
}

static void handshake_done(struct tls_stream *t)
{
    t->state = TLS_OPEN;
    t->agreed = true;
    t->s.local = t->inner->local; /* a client has one only now */
    if (t->shut)
        farewell(t);
}

static void handshake_step(struct tls_stream *t)
{
    t->starved = false;
    ERR_clear_error();
    int result = SSL_do_handshake(t->ssl);
    int why = result == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return;
    if (why == SSL_ERROR_NONE)
        handshake_done(t);
    else
        fail(t);
    /* Bytes that came with the end of the handshake are inside OpenSSL already, so look. */
    stream_possible_add(&t->s, STREAM_READ | (out_waits(t) ? 0 : STREAM_WRITE));
}

static void finish(struct tls_stream *t);

static void inner_ready(void *ctx, struct stream *inner, unsigned ready)
{
    (void)inner;
    struct tls_stream *t = ctx;
    bool stuffed = t->stuffed;
    if (ready & STREAM_WRITE)
        out_flush(t);
    if (t->s.closed) {
        if (!out_waits(t))
            finish(t);
        return;
    }
    if (t->state == TLS_HANDSHAKE)
        handshake_step(t);
    else if (ready & STREAM_READ || (stuffed && !t->stuffed))
        stream_possible_add(&t->s, STREAM_READ);
    if (t->state != TLS_HANDSHAKE && !out_waits(t))
        stream_possible_add(&t->s, STREAM_WRITE);
    interest_set(t);
}

/* --- reading and writing --- */

/* One go at OpenSSL. False: nothing more now, or ever. */
static bool read_some(struct tls_stream *t, char *p, size_t n, size_t *total)
{
    size_t got = 0;
    t->starved = false;
    ERR_clear_error();
    int result = SSL_read_ex(t->ssl, p + *total, n - *total, &got);
    if (result == 1) {
        *total += got;
        return *total < n && SSL_has_pending(t->ssl);
    }
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ: return !t->starved; /* else it was a record without content */
    case SSL_ERROR_WANT_WRITE: return false;
    case SSL_ERROR_ZERO_RETURN: t->ended = true; return false;
    default: fail(t); return false;
    }
}

static err_code tls_read(struct stream *s, void *p, size_t n, size_t *ret_n, struct err *err)
{
    struct tls_stream *t = tls_of(s);
    size_t total = 0, empty = 0;
    if (t->state == TLS_OPEN && !t->ended) {
        for (size_t before = 0; read_some(t, p, n, &total) && empty < EMPTY_RECORDS_MAX; before = total)
            empty += total == before;
        /* Nothing inside OpenSSL and nothing below it: spares the caller a read in vain. */
        bool dry = !SSL_has_pending(t->ssl) && !(t->inner->possible & STREAM_READ);
        if (t->state == TLS_OPEN && !t->ended && (t->starved || t->stuffed || dry))
            stream_possible_remove(s, STREAM_READ);
        interest_set(t);
    }
    if (total) {
        *ret_n = total;
        return ERR_NONE;
    }
    if (t->failure)
        return err_tell(t->failure, err);
    if (t->ended)
        return err_set(err, ERR_CLOSED, "the other end has closed the stream");
    return stream_again(err);
}

/* Where a write has got to in its parts. */
struct gather {
    const str *parts;
    size_t count, index, at;
};

/* The content of the next record: a piece of one part as it lies there, if it fills the record or is the last; else small
 * parts put together in `room`. Empty: nothing left. */
static str gather_next(struct gather *g, char room[RECORD_SIZE])
{
    size_t n = 0;
    while (g->index < g->count) {
        str rest = str_from(g->parts[g->index], g->at);
        if (n == 0 && (rest.n >= RECORD_SIZE || g->index + 1 == g->count)) {
            str piece = str_slice(rest, 0, RECORD_SIZE);
            g->at += piece.n;
            return piece;
        }
        size_t step = size_min(rest.n, RECORD_SIZE - n);
        if (step)
            memcpy(room + n, rest.p, step);
        n += step;
        g->at += step;
        if (n == RECORD_SIZE)
            break;
        g->index++;
        g->at = 0;
    }
    return str_of(room, n);
}

static err_code write_records(struct tls_stream *t, struct gather *g, size_t *total, struct err *err)
{
    char room[RECORD_SIZE];
    while (!out_waits(t) && !t->inner_write) {
        str content = gather_next(g, room);
        if (!content.n)
            break;
        size_t put = 0;
        ERR_clear_error();
        int result = SSL_write_ex(t->ssl, content.p, content.n, &put);
        if (result != 1 || put != content.n) {
            /* There is room for a record, and no renegotiation: it takes it whole, or the connection is broken. */
            fail(t);
            return err_tell(t->failure, err);
        }
        *total += put;
    }
    return ERR_NONE;
}

static err_code tls_write(struct stream *s, const str *parts, size_t part_count, size_t *ret_n,
                          struct err *err)
{
    struct tls_stream *t = tls_of(s);
    if (t->failure)
        return err_tell(t->failure, err);
    if (t->shut)
        return err_set(err, ERR_CLOSED, "could not write to a stream that was shut down");
    if (t->state == TLS_HANDSHAKE)
        return stream_again(err);
    if (out_waits(t))
        out_flush(t);
    if (t->inner_write)
        return err_tell(t->inner_write, err);
    if (out_waits(t)) {
        stream_possible_remove(s, STREAM_WRITE);
        interest_set(t);
        return stream_again(err);
    }
    size_t total = 0;
    struct gather g = {.parts = parts, .count = part_count};
    if (write_records(t, &g, &total, err))
        return err->code;
    if (out_waits(t))
        stream_possible_remove(s, STREAM_WRITE);
    interest_set(t);
    *ret_n = total;
    return ERR_NONE;
}

static err_code tls_shutdown(struct stream *s, struct err *err)
{
    struct tls_stream *t = tls_of(s);
    if (t->failure)
        return err_tell(t->failure, err);
    if (t->shut)
        return ERR_NONE;
    t->shut = true;
    if (t->state == TLS_OPEN)
        farewell(t);
    interest_set(t);
    return ERR_NONE;
}

static void tls_want(struct stream *s)
{
    interest_set(tls_of(s));
}

/* --- closing --- */

static void finish(struct tls_stream *t)
{
    timer_cancel(&t->linger);
    background_remove(&t->background);
    stream_close(t->inner);
    t->inner = NULL;
    stream_gone(&t->s);
}

static void linger_too_long(struct timer *timer)
{
    finish(CONTAINER_OF(timer, struct tls_stream, linger));
}

static void linger_cut(struct background *b)
{
    finish(CONTAINER_OF(b, struct tls_stream, background));
}

static void tls_close(struct stream *s, bool abort)
{
    struct tls_stream *t = tls_of(s);
    if (abort) {
        stream_abort(t->inner);
        t->inner = NULL;
        stream_gone(s);
        return;
    }
    if (t->state == TLS_OPEN && !t->shut)
        farewell(t);
    if (t->state == TLS_HANDSHAKE || !out_waits(t) || s->loop->closing) {
        finish(t);
        return;
    }
    background_add(s->loop, &t->background);
    timer_set(&t->linger, TLS_LINGER_NS);
    interest_set(t);
}

static void tls_free(struct stream *s)
{
    struct tls_stream *t = tls_of(s);
    SSL_free(t->ssl);
    tls_config_unref(t->config);
    buf_done(&t->out);
    mem_free(t->host);
    mem_free(t->inner_read);
    mem_free(t->inner_write);
    mem_free(t->failure);
    mem_free(t->distrust);
    mem_free(t);
}

/* --- making --- */

static const struct stream_ops tls_ops = {
    .read = tls_read,
    .write = tls_write,
    .shutdown = tls_shutdown,
    .want = tls_want,
    .close = tls_close,
    .free = tls_free,
};

static struct tls_stream *tls_new(struct stream *inner, struct tls_config *config,
                                  struct stream_handler handler)
{
    struct tls_stream *t = NEW(struct tls_stream);
    stream_init(&t->s, &tls_ops, inner->loop);
    t->s.handler = handler;
    t->s.local = inner->local;
    t->s.peer = inner->peer;
    t->inner = inner;
    t->config = tls_config_ref(config);
    buf_init(&t->out, OUT_MAX);
    timer_init(&t->linger, inner->loop, linger_too_long);
    t->background.end = linger_cut;
    t->ssl = OSSL_MUST(SSL_new(config->ctx));
    SSL_set_app_data(t->ssl, t);
    BIO *bio = OSSL_MUST(BIO_new(config->bio));
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    stream_set_handler(inner, (struct stream_handler){.on_ready = inner_ready, .ctx = t});
    return t;
}

err_code tls_stream_server(struct stream *inner, struct tls_config *config, struct stream_handler handler,
                           struct stream **ret, struct err *err)
{
    (void)err;
    ASSERT(config->is_server);
    struct tls_stream *t = tls_new(inner, config, handler);
    SSL_set_accept_state(t->ssl);
    interest_set(t);
    *ret = &t->s;
    return ERR_NONE;
}

/* Name for the server to pick its certificate by, without brackets or a final dot; addresses are not told. */
static void host_tell(struct tls_stream *t)
{
    struct ip ip;
    str host = str_from_c(t->host);
    if (host.n > 255 || host.p[0] == '[' || ip_parse(host, &ip, NULL))
        return;
    if (str_ends(host, S(".")))
        host = str_slice(host, 0, host.n - 1);
    char name[256];
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    if (!name[0] || SSL_set_tlsext_host_name(t->ssl, name) != 1)
        ossl_clear(); /* nothing a server could know, so it is not told; the certificate is checked all the same */
}

err_code tls_stream_client(struct stream *inner, struct tls_config *config, str host,
                           struct stream_handler handler, struct stream **ret, struct err *err)
{
    ASSERT(!config->is_server);
    if (!host.n && !config->insecure)
        return err_set(err, ERR_INVALID,
                       "could not begin TLS: there is no host to verify the certificate for");
    if (str_index_c(host, '\0') != SIZE_MAX)
        return err_set(err, ERR_INVALID, "could not begin TLS: the name of the host contains a NUL");
    struct tls_stream *t = tls_new(inner, config, handler);
    if (host.n) {
        t->host = mem_alloc_zero(host.n + 1, 1);
        memcpy(t->host, host.p, host.n);
        host_tell(t);
    }
    SSL_set_connect_state(t->ssl);
    handshake_step(t); /* says hello, or puts it into `out` */
    interest_set(t);
    *ret = &t->s;
    return ERR_NONE;
}

/* --- what came of it --- */

bool tls_stream_info(struct stream *s, struct tls_info *ret)
{
    struct tls_stream *t = tls_of(s);
    if (s->ops != &tls_ops || !t->agreed)
        return false;
    const unsigned char *alpn;
    unsigned alpn_n;
    SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_n);
    *ret = (struct tls_info){
        .alpn = str_of((const char *)alpn, alpn_n),
        .server_name = str_from_c(SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name)),
        .peer_has_cert = SSL_get0_peer_certificate(t->ssl) != NULL,
        .trust = t->trusted ? ERR_NONE : ERR_UNAUTHORIZED,
        .trust_text = "",
        .version = SSL_get_version(t->ssl),
        .cipher = SSL_get_cipher_name(t->ssl),
        .resumed = SSL_session_reused(t->ssl),
    };
    if (t->distrust)
        ret->trust_text = t->distrust->msg;
    else if (!t->trusted)
        ret->trust_text = ret->peer_has_cert ? "certificates are not verified here"
                                             : "no certificate was shown";
    return true;
}

static void cert_release(void *cert)
{
    x509_cert_unref(cert);
}

err_code tls_stream_peer_certs(struct stream *s, struct arena *a, struct x509_cert ***ret, size_t *ret_count,
                               struct err *err)
{
    ASSERT(s->ops == &tls_ops);
    struct tls_stream *t = tls_of(s);
    X509 *leaf = SSL_get0_peer_certificate(t->ssl);
    STACK_OF(X509) *others = SSL_get_peer_cert_chain(t->ssl);
    /* For a client the list begins with the leaf, for a server it does not. */
    size_t skip = t->config->is_server ? 0 : 1;
    size_t listed = others ? (size_t)sk_X509_num(others) : 0;
    size_t count = leaf ? 1 + (listed > skip ? listed - skip : 0) : 0;
    struct x509_cert **certs = ARENA_ARRAY(a, struct x509_cert *, count);
    for (size_t i = 0; i < count; i++) {
        X509 *x = i == 0 ? leaf : sk_X509_value(others, (int)(i - 1 + skip));
        OSSL_MUST(X509_up_ref(x));
        if (x509_cert_wrap(x, &certs[i], err))
            return err->code;
        arena_hold(a, cert_release, certs[i]);
    }
    *ret = certs;
    *ret_count = count;
    return ERR_NONE;
}
