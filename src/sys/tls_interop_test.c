/* tls_interop_test.c - our ends against OpenSSL's own programs, over real sockets. */
#include "base/mem.h"
#include "harness/test.h"
#include "sys/process.h"
#include "sys/tls_stage_test.h"
#include <stdio.h>
#include <sys/wait.h>

static struct tls_stage stage;
static const char *ca_path;

static void stage_open(void)
{
    tls_stage_open(&stage);
    ca_path = pki_file(&stage.ca, "ca.pem", pki_cert_pem(&stage.ca, stage.ca.cert));
}

static void stage_close(void)
{
    tls_stage_close(&stage);
}

/* --- a program whose output is kept --- */

struct program {
    struct child *child;
    struct stream *in, *outs[2];
    struct buf out;
    bool over;
    int status;
};

static void program_exit(void *ctx, struct child *c, int status)
{
    struct program *p = ctx;
    p->over = true;
    p->status = status;
}

static void program_out(void *ctx, struct stream *s, unsigned ready)
{
    struct program *p = ctx;
    char bytes[4096];
    size_t n;
    struct err err;
    err_code code = stream_read(s, bytes, sizeof bytes, &n, &err);
    if (code == ERR_NONE)
        buf_add(&p->out, str_of(bytes, n));
    else if (code != ERR_AGAIN)
        stream_want(s, 0);
}

/* Words separated by single spaces. */
static void program_start(struct program *p, const char *command)
{
    const char *argv[64];
    size_t n = 0;
    str rest = str_from_c(command), word;
    while (str_next(&rest, ' ', &word)) {
        ASSERT(n < ARRAY_COUNT(argv) - 1);
        argv[n++] = str_cstr(&stage.ca.arena, word);
    }
    argv[n] = NULL;
    *p = (struct program){.over = false};
    buf_init_arena(&p->out, &stage.ca.arena, 1 << 20);
    struct child_spec spec = {.argv = argv,
                              .stdin_fd = CHILD_PIPE,
                              .stdout_fd = CHILD_PIPE,
                              .stderr_fd = CHILD_PIPE,
                              .dies_with_parent = true};
    CHECK_OK(child_spawn(stage.loop, &spec, (struct child_handler){.on_exit = program_exit, .ctx = p},
                         &p->child, &e));
    p->in = child_take_stream(p->child, 0);
    for (int i = 0; i < 2; i++) {
        p->outs[i] = child_take_stream(p->child, 1 + i);
        stream_set_handler(p->outs[i], (struct stream_handler){.on_ready = program_out, .ctx = p});
        stream_want(p->outs[i], STREAM_READ);
    }
}

static void program_say(struct program *p, str text)
{
    size_t n;
    CHECK_OK(stream_write(p->in, &text, 1, &n, &e));
    CHECK_EQ(n, text.n);
}

/* It has ended by itself. */
static void program_close(struct program *p)
{
    CHECK(p->over);
    stream_close(p->in);
    stream_close(p->outs[0]);
    stream_close(p->outs[1]);
}

/* --- our end: answers each line with the line in capitals --- */

struct end {
    struct listener *listener;
    struct tls_config *config;
    struct stream *s;
    struct buf got;
    err_code code;
    struct err err;
    struct tls_info info;
    str peer; /* whom its certificate names */
};

static void end_answer(struct end *d, str text)
{
    char upper[1000];
    size_t n;
    ASSERT(text.n <= sizeof upper);
    for (size_t i = 0; i < text.n; i++)
        upper[i] = (char)(text.p[i] >= 'a' && text.p[i] <= 'z' ? text.p[i] - 32 : text.p[i]);
    CHECK_OK(stream_write(d->s, &(str){upper, text.n}, 1, &n, &e));
    CHECK_EQ(n, text.n);
}

static void end_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct end *d = ctx;
    char bytes[1000];
    size_t n;
    d->code = stream_read(s, bytes, sizeof bytes, &n, &d->err);
    if (d->code == ERR_AGAIN) {
        d->code = ERR_NONE;
    } else if (d->code) {
        stream_want(s, 0);
    } else {
        buf_add(&d->got, str_of(bytes, n));
        if (d->listener)
            end_answer(d, str_of(bytes, n));
    }
}

static void end_accept(void *ctx, struct stream *inner)
{
    struct end *d = ctx;
    struct stream_handler handler = {.on_ready = end_ready, .ctx = d};
    CHECK(!d->s);
    CHECK_OK(tls_stream_server(inner, d->config, handler, &d->s, &e));
    stream_want(d->s, STREAM_READ);
}

static void end_listen(struct end *d, struct tls_config *config)
{
    struct net_addr at;
    *d = (struct end){.config = config};
    buf_init_arena(&d->got, &stage.ca.arena, 1 << 20);
    CHECK_OK(net_addr_parse(S("127.0.0.1:0"), &at, &e));
    CHECK_OK(listener_new(stage.env, &at, NULL, &d->listener, &e));
    CHECK_OK(listener_attach(d->listener, stage.loop, end_accept, d, &e));
}

static void end_close(struct end *d)
{
    stream_close(d->s);
    d->s = NULL;
    if (d->listener) {
        listener_detach(d->listener, stage.loop);
        listener_free(d->listener);
    }
}

static void end_look(struct end *d)
{
    struct x509_cert **certs;
    size_t count;
    CHECK(tls_stream_info(d->s, &d->info));
    CHECK_OK(tls_stream_peer_certs(d->s, &stage.ca.arena, &certs, &count, &e));
    d->peer = count ? x509_cert_info(certs[0])->subject.common_name : STR_NONE;
}

struct both {
    struct end *end;
    struct program *program;
    const char *wanted; /* in the program's output */
};

static bool program_said(void *ctx)
{
    const struct both *b = ctx;
    return str_contains(buf_str(&b->program->out), str_from_c(b->wanted));
}

static bool program_over(void *ctx)
{
    return ((const struct both *)ctx)->program->over;
}

static bool end_over(void *ctx)
{
    return ((const struct both *)ctx)->end->code != ERR_NONE;
}

static bool end_got_line(void *ctx)
{
    const struct both *b = ctx;
    return b->end->code || str_ends(buf_str(&b->end->got), S("\n"));
}

static void run_until(bool (*cond)(void *ctx), struct both *b)
{
    if (!loop_run_until(stage.loop, cond, b, 10 * NS_PER_S))
        FAIL("nothing more happens; the program said: %" STR_FMT, STR_ARG(buf_str(&b->program->out)));
}

static void wait_for_words(struct both *b, const char *wanted)
{
    b->wanted = wanted;
    run_until(program_said, b);
}

static const char *id_files(struct pki_id *id, const char *name)
{
    const char *cert = pki_file(&stage.ca, str_format(&stage.ca.arena, "%s.pem", name).p,
                                pki_cert_pem(&stage.ca, id->cert));
    const char *key = pki_file(&stage.ca, str_format(&stage.ca.arena, "%s.key", name).p,
                               pki_key_pem(&stage.ca, id->key));
    return str_format(&stage.ca.arena, "-cert %s -key %s", cert, key).p;
}

TEST(openssl_as_a_client_talks_to_us_and_knows_who_we_are)
{
    static const char *const versions[] = {"-tls1_2", "-tls1_3"};
    stage_open();
    struct pki_id server_id = pki_server(&stage.ca, HOST), client_id = pki_client(&stage.ca, "jane", "devs");
    struct tls_identity identity = {&server_id.cert, 1, server_id.key};
    str alpn[] = {S("h2"), S("http/1.1")};
    struct tls_server_opts opts = {.identities = &identity,
                                   .identity_count = 1,
                                   .client_auth = TLS_CLIENT_AUTH_OPTIONAL,
                                   .client_ca = stage.pool,
                                   .alpn = alpn,
                                   .alpn_count = 2};
    CLEANUP(tls_config_unrefp) struct tls_config *config = NULL;
    CHECK_OK(tls_config_new_server(&opts, &config, &e));
    const char *id = id_files(&client_id, "client");
    for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
        struct end d;
        struct program p;
        end_listen(&d, config);
        program_start(&p,
                      str_format(&stage.ca.arena,
                                 "openssl s_client -connect 127.0.0.1:%d -servername %s -verify_hostname %s "
                                 "-CAfile %s -verify_return_error -alpn http/1.1 %s %s",
                                 listener_addr(d.listener)->port, HOST, HOST, ca_path, versions[i], id)
                          .p);
        struct both b = {&d, &p, NULL};
        wait_for_words(&b, "Verify return code: 0 (ok)");
        program_say(&p, S("are you there\n"));
        wait_for_words(&b, "ARE YOU THERE\n");
        CHECK_CONTAINS(buf_str(&p.out), "ALPN protocol: http/1.1");
        CHECK_CONTAINS(buf_str(&p.out), "Acceptable client certificate CA names\nCN = ca");
        end_look(&d);
        CHECK_EQ(d.info.trust, ERR_NONE);
        CHECK_STR(d.peer, "jane");
        CHECK_STR(d.info.server_name, HOST);
        CHECK_STR(d.info.alpn, "http/1.1");
        CHECK_STR(d.info.version, i ? "TLSv1.3" : "TLSv1.2");
        program_say(&p, S("Q\n")); /* its word for: close */
        run_until(end_over, &b);
        CHECK_EQ(d.code, ERR_CLOSED);
        run_until(program_over, &b);
        CHECK_EQ(p.status, 0);
        program_close(&p);
        end_close(&d);
    }
    stage_close();
}

TEST(openssl_as_a_client_is_told_why_when_it_may_not_in)
{
    stage_open();
    struct pki_id server_id = pki_server(&stage.ca, HOST);
    struct tls_identity identity = {&server_id.cert, 1, server_id.key};
    struct tls_server_opts opts = {.identities = &identity,
                                   .identity_count = 1,
                                   .client_auth = TLS_CLIENT_AUTH_REQUIRED,
                                   .client_ca = stage.pool};
    CLEANUP(tls_config_unrefp) struct tls_config *config = NULL;
    CHECK_OK(tls_config_new_server(&opts, &config, &e));
    struct end d;
    struct program p;
    end_listen(&d, config);
    program_start(&p, str_format(&stage.ca.arena, "openssl s_client -connect 127.0.0.1:%d -CAfile %s",
                                 listener_addr(d.listener)->port, ca_path)
                          .p);
    struct both b = {&d, &p, NULL};
    run_until(end_over, &b);
    CHECK_EQ(d.code, ERR_PROTOCOL);
    CHECK_CONTAINS(d.err.msg, "TLS handshake with 127.0.0.1:");
    CHECK_CONTAINS(d.err.msg, "failed: the other side showed no certificate, and must");
    wait_for_words(&b, "alert certificate required");
    end_close(&d);
    run_until(program_over, &b);
    CHECK_NE(p.status, 0);
    program_close(&p);
    stage_close();
}

/* Starts "openssl s_server" with these options and gives the port it took. */
static uint16_t server_start(struct program *p, const char *options)
{
    program_start(
        p, str_format(&stage.ca.arena, "openssl s_server -accept 127.0.0.1:0 -naccept 1 -rev %s", options).p);
    struct both b = {NULL, p, NULL};
    wait_for_words(&b, "ACCEPT 127.0.0.1:");
    wait_for_words(&b, "\n");
    str out = buf_str(&p->out);
    str line = str_from(out, str_index(out, S("ACCEPT 127.0.0.1:")) + 17), rest;
    str_cut(line, '\n', &line, &rest);
    uint64_t port = 0;
    CHECK(str_parse_u64(str_trim(line), &port));
    return (uint16_t)port;
}

static void end_connect(struct end *d, struct tls_config *config, uint16_t port)
{
    struct net_addr to;
    struct stream *inner;
    struct stream_handler handler = {.on_ready = end_ready, .ctx = d};
    *d = (struct end){.config = config};
    buf_init_arena(&d->got, &stage.ca.arena, 1 << 20);
    CHECK_OK(net_addr_parse(str_format(&stage.ca.arena, "127.0.0.1:%d", port), &to, &e));
    CHECK_OK(stream_connect(stage.loop, &to, (struct stream_handler){NULL}, &inner, &e));
    CHECK_OK(tls_stream_client(inner, config, S(HOST), handler, &d->s, &e));
    stream_want(d->s, STREAM_READ);
}

static bool end_shaken(void *ctx)
{
    const struct both *b = ctx;
    struct tls_info info;
    return b->end->code || tls_stream_info(b->end->s, &info);
}

TEST(openssl_as_a_server_talks_to_us_and_knows_who_we_are)
{
    static const char *const versions[] = {"-tls1_2", "-tls1_3"};
    stage_open();
    struct pki_id server_id = pki_server(&stage.ca, HOST), client_id = pki_client(&stage.ca, "jane", "devs");
    struct tls_identity identity = {&client_id.cert, 1, client_id.key};
    str alpn[] = {S("h2"), S("http/1.1")};
    CLEANUP(tls_config_unrefp) struct tls_config *config = NULL;
    struct tls_client_opts opts = {.ca = stage.pool, .identity = &identity, .alpn = alpn, .alpn_count = 2};
    CHECK_OK(tls_config_new_client(&opts, &config, &e));
    const char *id = id_files(&server_id, "server");
    for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
        struct end d;
        struct program p;
        uint16_t port = server_start(
            &p, str_format(&stage.ca.arena, "%s %s -CAfile %s -Verify 1 -verify_return_error -alpn h2",
                           versions[i], id, ca_path)
                    .p);
        struct both b = {&d, &p, NULL};
        end_connect(&d, config, port);
        run_until(end_shaken, &b);
        CHECK_STR(d.err.msg, "");
        end_look(&d);
        CHECK_EQ(d.info.trust, ERR_NONE);
        CHECK_STR(d.peer, "server");
        CHECK_STR(d.info.alpn, "h2");
        CHECK_OK(stream_write(d.s, &S("backwards\n"), 1, &(size_t){0}, &e));
        run_until(end_got_line, &b);
        CHECK_STR(buf_str(&d.got), "sdrawkcab\n");
        CHECK_CONTAINS(buf_str(&p.out), "Peer certificate: O = devs, CN = jane");
        end_close(&d);
        run_until(program_over, &b);
        CHECK_EQ(p.status, 0);
        program_close(&p);
    }
    stage_close();
}

TEST(a_server_of_openssl_with_the_wrong_name_is_not_talked_to)
{
    stage_open();
    struct pki_id server_id = pki_server(&stage.ca, "else.example");
    struct end d;
    struct program p;
    uint16_t port = server_start(&p, id_files(&server_id, "server"));
    struct both b = {&d, &p, NULL};
    end_connect(&d, stage.client, port);
    run_until(end_over, &b);
    CHECK_EQ(d.code, ERR_UNAUTHORIZED);
    CHECK_STR(d.err.msg,
              str_format(&stage.ca.arena,
                         "TLS handshake with " HOST " at 127.0.0.1:%d failed: certificate is valid for "
                         "else.example, not " HOST,
                         port));
    end_close(&d);
    run_until(program_over, &b);
    program_close(&p);
    stage_close();
}
