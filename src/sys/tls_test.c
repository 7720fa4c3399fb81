/* tls_test.c - TLS between two of our ends in memory, and between one of ours and a peer driven by hand. */
#include "base/mem.h"
#include "harness/test.h"
#include "sys/memory_pair_test.h"
#include "sys/tls_stage_test.h"
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static struct tls_stage stage;

static void stage_open(void)
{
    tls_stage_open(&stage);
}

static void stage_close(void)
{
    tls_stage_close(&stage);
}

/* --- one end: sends what it has, keeps what comes --- */

struct end {
    struct stream *s;
    struct stream *inner; /* not ours any more: to look at */
    str to_send;
    size_t sent;
    struct buf got;
    bool reads; /* wants to */
    bool shut_when_sent;
    err_code read_code; /* that ended reading; ERR_NONE: goes on */
    err_code write_code;
    struct err read_err, write_err;
    unsigned calls;
};

static unsigned wanted_by(const struct end *d)
{
    bool done = d->read_code || !d->reads;
    return (done ? 0 : STREAM_READ) | (d->sent < d->to_send.n && !d->write_code ? STREAM_WRITE : 0);
}

static void end_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct end *d = ctx;
    d->calls++;
    while (ready & STREAM_READ && !d->read_code) {
        char *to = buf_room(&d->got, 10000);
        size_t n;
        err_code code = stream_read(s, to, 10000, &n, &d->read_err);
        if (code == ERR_AGAIN)
            break;
        if (code)
            d->read_code = code;
        else
            buf_commit(&d->got, n);
    }
    while (ready & STREAM_WRITE && d->sent < d->to_send.n && !d->write_code) {
        str rest = str_from(d->to_send, d->sent);
        size_t n;
        err_code code = stream_write(s, &rest, 1, &n, &d->write_err);
        if (code == ERR_AGAIN)
            break;
        if (code)
            d->write_code = code;
        else
            d->sent += n;
        if (d->sent == d->to_send.n && d->shut_when_sent)
            CHECK_OK(stream_shutdown(s, &e));
    }
    stream_want(s, wanted_by(d));
}

static void end_init(struct end *d)
{
    *d = (struct end){.reads = true};
    buf_init(&d->got, (size_t)64 << 20);
}

static struct stream_handler handler_of(struct end *d)
{
    return (struct stream_handler){.on_ready = end_ready, .ctx = d};
}

static void end_close(struct end *d)
{
    stream_close(d->s);
    d->s = NULL;
    buf_done(&d->got);
}

static bool handshake_over(const struct end *d)
{
    struct tls_info info;
    return d->read_code || d->write_code || tls_stream_info(d->s, &info);
}

/* --- two ends --- */

struct duo {
    struct end server, client;
};

static void duo_open_host(struct duo *d, const struct memory_opts *opts, struct tls_config *server,
                          struct tls_config *client, const char *host)
{
    end_init(&d->server);
    end_init(&d->client);
    memory_pair(stage.loop, opts, &d->server.inner, &d->client.inner);
    CHECK_OK(tls_stream_server(d->server.inner, server, handler_of(&d->server), &d->server.s, &e));
    CHECK_OK(tls_stream_client(d->client.inner, client, str_from_c(host), handler_of(&d->client),
                               &d->client.s, &e));
    stream_want(d->server.s, STREAM_READ);
    stream_want(d->client.s, STREAM_READ);
}

static void duo_open_with(struct duo *d, struct tls_config *server, struct tls_config *client)
{
    duo_open_host(d, &(struct memory_opts){0}, server, client, HOST);
}

static void duo_open_cut(struct duo *d, const struct memory_opts *opts)
{
    duo_open_host(d, opts, stage.server, stage.client, HOST);
}

static void duo_open(struct duo *d)
{
    duo_open_with(d, stage.server, stage.client);
}

static void duo_close(struct duo *d)
{
    end_close(&d->client);
    end_close(&d->server);
}

static void end_send(struct end *d, str text)
{
    d->to_send = text;
    d->sent = 0;
    stream_want(d->s, wanted_by(d));
}

static bool duo_handshakes_over(void *ctx)
{
    const struct duo *d = ctx;
    return handshake_over(&d->server) && handshake_over(&d->client);
}

static bool duo_all_arrived(void *ctx)
{
    const struct duo *d = ctx;
    return d->server.got.n >= d->client.to_send.n && d->client.got.n >= d->server.to_send.n;
}

static bool duo_reads_over(void *ctx)
{
    const struct duo *d = ctx;
    return d->server.read_code && d->client.read_code;
}

static bool server_reads_over(void *ctx)
{
    return ((const struct duo *)ctx)->server.read_code != ERR_NONE;
}

static bool client_reads_over(void *ctx)
{
    return ((const struct duo *)ctx)->client.read_code != ERR_NONE;
}

static void run_until(bool (*cond)(void *ctx), void *ctx)
{
    CHECK(loop_run_until(stage.loop, cond, ctx, 10 * NS_PER_S));
}

static void let_pass(int64_t ns)
{
    CHECK(!loop_run_until(stage.loop, NULL, NULL, ns));
}

static void duo_shake_hands(struct duo *d)
{
    run_until(duo_handshakes_over, d);
    struct tls_info info;
    if (!tls_stream_info(d->server.s, &info) || !tls_stream_info(d->client.s, &info))
        FAIL("no handshake: server: %s; client: %s", d->server.read_err.msg, d->client.read_err.msg);
}

static str some_text(size_t n)
{
    char *p = arena_alloc(&stage.ca.arena, n, 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 7 + i / 257);
    return str_of(p, n);
}

/* A word each way: the connection works. */
static void duo_talk(struct duo *d)
{
    buf_clear(&d->server.got);
    buf_clear(&d->client.got);
    end_send(&d->server, S("hello client"));
    end_send(&d->client, S("hello server"));
    run_until(duo_all_arrived, d);
    CHECK_STR(buf_str(&d->server.got), "hello server");
    CHECK_STR(buf_str(&d->client.got), "hello client");
}

/* --- tests: bytes --- */

TEST(bytes_pass_both_ways_however_they_are_cut_up)
{
    const struct memory_opts cuts[] = {
        {0},
        {.piece_max = 1},
        {.piece_max = 5, .capacity = 5},
        {.piece_max = 3000, .capacity = 1000, .seed = test_seed() + 1},
        {.piece_max = 40000, .capacity = 20000, .seed = test_seed() + 2},
        {.capacity = 1 << 20},
    };
    stage_open();
    for (size_t i = 0; i < ARRAY_COUNT(cuts); i++) {
        struct duo d;
        str big = some_text(cuts[i].piece_max && cuts[i].piece_max < 10 ? 20000 : 500000);
        duo_open_cut(&d, &cuts[i]);
        end_send(&d.server, big);
        end_send(&d.client, str_from(big, 777));
        run_until(duo_all_arrived, &d);
        CHECK(str_eq(buf_str(&d.client.got), big));
        CHECK(str_eq(buf_str(&d.server.got), str_from(big, 777)));
        CHECK_EQ(d.server.read_code, ERR_NONE);
        duo_close(&d);
    }
    stage_close();
}

TEST(small_parts_are_put_into_one_record_and_large_ones_into_full_ones)
{
    stage_open();
    str big = some_text(100000);
    const struct {
        str parts[5];
        size_t records;
    } cases[] = {
        {{S("a"), S("b"), STR_NONE, S("c"), S("d")}, 1},
        {{str_slice(big, 0, 16384)}, 1},
        {{str_slice(big, 0, 16385)}, 2},
        {{S("head"), str_slice(big, 0, 16380)}, 1},
        {{S("head"), str_slice(big, 0, 16381)}, 2},
        {{str_slice(big, 0, 10000), str_slice(big, 0, 10000), S("tail")}, 2},
        {{S("head"), big, S("tail")}, 7},
    };
    struct duo d;
    duo_open_cut(&d, &(struct memory_opts){.capacity = 1 << 20});
    duo_shake_hands(&d);
    d.server.reads = false;
    stream_want(d.server.s, 0);
    let_pass(2 * NS_PER_MS);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        size_t n, total = 0, seen = memory_on_the_way(d.client.inner).n, records = 0;
        for (size_t k = 0; k < 5; k++)
            total += cases[i].parts[k].n;
        CHECK_OK(stream_write(d.client.s, cases[i].parts, 5, &n, &e));
        CHECK_EQ(n, total);
        str wire = str_from(memory_on_the_way(d.client.inner), seen);
        for (; wire.n; records++) {
            CHECK_EQ(wire.p[0], 23); /* application data */
            wire = str_from(wire, 5 + ((size_t)(unsigned char)wire.p[3] << 8 | (unsigned char)wire.p[4]));
        }
        CHECK_EQ(records, cases[i].records);
    }
    duo_close(&d);
    stage_close();
}

TEST(after_again_a_caller_may_write_something_else)
{
    stage_open();
    struct duo d;
    duo_open_cut(&d, &(struct memory_opts){.capacity = 5000});
    duo_shake_hands(&d);
    stream_want(d.server.s, 0);
    str big = some_text(200000);
    size_t taken = 0, n;
    struct err err;
    while (stream_write(d.client.s, &(str){big.p + taken, 1000}, 1, &n, &err) == ERR_NONE)
        taken += n;
    CHECK_EQ(err.code, ERR_AGAIN);
    CHECK_GT(taken, 4000);
    CHECK_LT(taken, 5000 + 16384);
    stream_want(d.server.s, STREAM_READ);
    end_send(&d.client, S("something shorter"));
    while (d.server.got.n < taken + d.client.to_send.n)
        loop_run_until(stage.loop, NULL, NULL, NS_PER_MS);
    CHECK(str_eq(str_slice(buf_str(&d.server.got), 0, taken), str_slice(big, 0, taken)));
    CHECK_STR(str_from(buf_str(&d.server.got), taken), "something shorter");
    duo_close(&d);
    stage_close();
}

TEST(an_end_with_farewell_is_orderly_and_one_without_is_not)
{
    stage_open();
    struct duo d;
    for (int cut = 0; cut < 3; cut++) {
        duo_open(&d);
        duo_shake_hands(&d);
        end_send(&d.client, S("some words"));
        if (cut == 1) /* inside of a record */
            memory_cut_after(d.client.inner, memory_written(d.client.inner) + 20);
        while (d.client.sent < d.client.to_send.n)
            loop_run_until(stage.loop, NULL, NULL, NS_PER_MS);
        if (cut == 2)
            memory_cut_after(d.client.inner, memory_written(d.client.inner));
        end_close(&d.client);
        run_until(server_reads_over, &d);
        CHECK_EQ(d.server.read_code, cut ? ERR_IO : ERR_CLOSED);
        CHECK_STR(buf_str(&d.server.got), cut == 1 ? "" : "some words");
        if (cut)
            CHECK_CONTAINS(d.server.read_err.msg, "cut off: it ended without a farewell");
        struct err err;
        CHECK_EQ(stream_read(d.server.s, &(char){0}, 1, &(size_t){0}, &err), d.server.read_code); /* again */
        end_close(&d.server);
    }
    stage_close();
}

TEST(after_a_shutdown_the_other_way_stays_open)
{
    stage_open();
    struct duo d;
    duo_open(&d);
    d.client.shut_when_sent = true;
    end_send(&d.client, S("a question"));
    run_until(server_reads_over, &d);
    CHECK_EQ(d.server.read_code, ERR_CLOSED);
    CHECK_STR(buf_str(&d.server.got), "a question");
    CHECK_ERR(CLOSED, "shut down", stream_write(d.client.s, &S("more"), 1, &(size_t){0}, &e));
    str answer = some_text(100000);
    d.server.shut_when_sent = true;
    end_send(&d.server, answer);
    run_until(client_reads_over, &d);
    CHECK_EQ(d.client.read_code, ERR_CLOSED);
    CHECK(str_eq(buf_str(&d.client.got), answer));
    duo_close(&d);
    stage_close();
}

TEST(a_shutdown_before_the_handshake_is_done_waits_for_it)
{
    stage_open();
    struct duo d;
    duo_open(&d);
    CHECK_OK(stream_shutdown(d.client.s, &e));
    CHECK_OK(stream_shutdown(d.server.s, &e));
    run_until(duo_reads_over, &d);
    CHECK_EQ(d.server.read_code, ERR_CLOSED);
    CHECK_EQ(d.client.read_code, ERR_CLOSED);
    duo_close(&d);
    stage_close();
}

TEST(what_was_taken_before_closing_arrives_though_the_inner_stream_was_full)
{
    stage_open();
    struct duo d;
    duo_open_cut(&d, &(struct memory_opts){.capacity = 1000});
    duo_shake_hands(&d);
    stream_want(d.server.s, 0);
    str text = some_text(16384);
    size_t n;
    CHECK_OK(stream_write(d.client.s, &text, 1, &n, &e));
    CHECK_EQ(n, text.n);
    end_close(&d.client);
    let_pass(5 * NS_PER_MS);
    CHECK_EQ(d.server.got.n, 0);
    stream_want(d.server.s, STREAM_READ);
    run_until(server_reads_over, &d);
    CHECK_EQ(d.server.read_code, ERR_CLOSED);
    CHECK(str_eq(buf_str(&d.server.got), text));
    end_close(&d.server);
    stage_close();
}

TEST(a_loop_can_be_freed_while_a_closed_end_still_sends)
{
    stage_open();
    struct duo d;
    duo_open_cut(&d, &(struct memory_opts){.capacity = 1000});
    duo_shake_hands(&d);
    stream_want(d.server.s, 0);
    str text = some_text(16384);
    CHECK_OK(stream_write(d.client.s, &text, 1, &(size_t){0}, &e));
    duo_close(&d);
    stage_close();
}

TEST(an_aborted_end_is_a_failure_for_the_other)
{
    stage_open();
    struct duo d;
    duo_open(&d);
    duo_shake_hands(&d);
    stream_abort(d.client.s);
    run_until(server_reads_over, &d);
    CHECK_EQ(d.server.read_code, ERR_IO);
    CHECK_CONTAINS(d.server.read_err.msg, "reset by the other end");
    buf_done(&d.client.got);
    end_close(&d.server);
    stage_close();
}

TEST(a_failure_to_write_leaves_readable_what_came_before)
{
    stage_open();
    struct duo d;
    duo_open(&d);
    duo_shake_hands(&d);
    stream_want(d.client.s, 0);
    /* A server that answers early and leaves, while the client is still sending. */
    CHECK_OK(stream_write(d.server.s, &S("413"), 1, &(size_t){0}, &e));
    end_close(&d.server);
    let_pass(NS_PER_MS);
    struct err err;
    size_t n;
    str text = some_text(1000);
    err_code code;
    for (int i = 0; !(code = stream_write(d.client.s, &text, 1, &n, &err)); i++)
        CHECK_LT(i, 10);
    CHECK_EQ(code, ERR_IO);
    CHECK_CONTAINS(err.msg, "the other end is gone");
    stream_want(d.client.s, STREAM_READ);
    run_until(client_reads_over, &d);
    CHECK_STR(buf_str(&d.client.got), "413");
    CHECK_EQ(d.client.read_code, ERR_CLOSED);
    end_close(&d.client);
    stage_close();
}

TEST(an_idle_connection_costs_no_turns_and_an_unread_one_neither)
{
    stage_open();
    struct duo d;
    duo_open(&d);
    duo_talk(&d);
    let_pass(5 * NS_PER_MS);
    unsigned calls = d.server.calls;
    struct loop_stats before, after;
    loop_stats(stage.loop, &before);
    let_pass(10 * NS_PER_MS);
    loop_stats(stage.loop, &after);
    CHECK_EQ(d.server.calls, calls);
    CHECK_LE(after.turns - before.turns, 3);
    /* Half a record is in, and the rest does not come. */
    memory_cut_after(d.client.inner, SIZE_MAX);
    memory_set_capacity(d.client.inner, 10);
    CHECK_OK(stream_write(d.client.s, &S("twenty bytes or more"), 1, &(size_t){0}, &e));
    memory_set_capacity(d.client.inner, 0);
    let_pass(5 * NS_PER_MS);
    calls = d.server.calls;
    loop_stats(stage.loop, &before);
    let_pass(10 * NS_PER_MS);
    loop_stats(stage.loop, &after);
    CHECK_EQ(d.server.calls, calls);
    CHECK_LE(after.turns - before.turns, 3);
    duo_close(&d);
    stage_close();
}

static void read_once(void *ctx, struct stream *s, unsigned ready)
{
    struct end *d = ctx;
    char *to = buf_room(&d->got, 10000);
    size_t n = 0;
    d->calls++;
    CHECK_OK(stream_read(s, to, 10000, &n, &e));
    buf_commit(&d->got, n);
}

TEST(a_message_read_whole_costs_one_call_and_one_read_below)
{
    stage_open();
    struct duo d;
    duo_open(&d);
    duo_talk(&d);
    let_pass(NS_PER_MS);
    stream_set_handler(d.server.s, (struct stream_handler){.on_ready = read_once, .ctx = &d.server});
    size_t calls = d.server.calls, reads = memory_reads(d.server.inner);
    buf_clear(&d.server.got);
    CHECK_OK(stream_write(d.client.s, &S("a message"), 1, &(size_t){0}, &e));
    let_pass(NS_PER_MS);
    CHECK_STR(buf_str(&d.server.got), "a message");
    CHECK_EQ(d.server.calls, calls + 1);
    CHECK_EQ(memory_reads(d.server.inner), reads + 1);
    /* Half of one is read from below, asked for once more, and then waited for. */
    stream_set_handler(d.server.s, handler_of(&d.server));
    memory_set_capacity(d.client.inner, 10);
    CHECK_OK(stream_write(d.client.s, &S("another message"), 1, &(size_t){0}, &e));
    memory_set_capacity(d.client.inner, 0);
    let_pass(NS_PER_MS);
    CHECK_EQ(memory_reads(d.server.inner), reads + 3);
    duo_close(&d);
    stage_close();
}

/* --- tests: who is who --- */

TEST(both_sides_agree_on_the_protocol_the_server_likes_best)
{
    static const struct {
        const char *server, *client, *agreed;
    } cases[] = {
        {"h2,http/1.1", "http/1.1,h2", "h2"},
        {"h2,http/1.1", "http/1.1", "http/1.1"},
        {"h2", "spdy/3,h2", "h2"},
        {"", "h2", ""},
        {"h2", "", ""},
        {"h2", "http/1.1", NULL},
        {"h2", "h2c", NULL},
    };
    stage_open();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        str lists[2][4] = {{{0}}};
        size_t counts[2] = {0, 0};
        for (int side = 0; side < 2; side++) {
            str rest = str_from_c(side ? cases[i].client : cases[i].server);
            while (rest.n && str_next(&rest, ',', &lists[side][counts[side]]))
                counts[side]++;
        }
        CLEANUP(tls_config_unrefp)
        struct tls_config *server = tls_stage_server(
            &stage, &(struct tls_server_opts){.alpn = lists[0], .alpn_count = counts[0]}, HOST);
        CLEANUP(tls_config_unrefp)
        struct tls_config *client = tls_stage_client(
            &stage, &(struct tls_client_opts){.alpn = lists[1], .alpn_count = counts[1]});
        struct duo d;
        duo_open_with(&d, server, client);
        run_until(duo_handshakes_over, &d);
        struct tls_info info;
        if (cases[i].agreed) {
            CHECK(tls_stream_info(d.server.s, &info));
            CHECK_STR(info.alpn, cases[i].agreed);
            CHECK(tls_stream_info(d.client.s, &info));
            CHECK_STR(info.alpn, cases[i].agreed);
            CHECK_STR(info.version, "TLSv1.3");
            CHECK_STR(info.cipher, "TLS_AES_128_GCM_SHA256");
        } else {
            CHECK_EQ(d.server.read_code, ERR_PROTOCOL);
            CHECK_CONTAINS(d.server.read_err.msg, "the other side speaks none of our protocols");
            CHECK_EQ(d.client.read_code, ERR_PROTOCOL);
            CHECK_CONTAINS(d.client.read_err.msg, "the other side refused: no application protocol");
        }
        duo_close(&d);
    }
    stage_close();
}

TEST(a_client_trusts_a_server_for_its_name_in_its_time_from_its_authority)
{
    stage_open();
    struct pki other;
    pki_init(&other, "other", stage.ca.now_s);
    str names[] = {S(HOST)};
    struct x509_template t = {.subject.common_name = S("server"),
                              .names = {.dns = names, .dns_count = 1},
                              .usages = X509_FOR_SERVER};
    struct pki_id good = pki_server(&stage.ca, HOST ",10.0.0.1,::1"), foreign = pki_issue(&other, &t);
    t.not_before_s = stage.ca.now_s - 2 * PKI_HOUR, t.not_after_s = stage.ca.now_s - PKI_HOUR;
    struct pki_id expired = pki_issue(&stage.ca, &t);
    t.not_before_s = stage.ca.now_s + PKI_HOUR, t.not_after_s = stage.ca.now_s + 2 * PKI_HOUR;
    struct pki_id early = pki_issue(&stage.ca, &t);
    struct pki_id no_server = pki_client(&stage.ca, "jane", "devs");
    struct {
        struct pki_id *id;
        const char *host;
        bool insecure;
        const char *says; /* NULL: trusted */
    } cases[] = {
        {&good, HOST, false, NULL},
        {&good, "SERVER.example.", false, NULL},
        {&good, "10.0.0.1", false, NULL},
        {&good, "[::1]", false, NULL},
        {&good, "else.example", false,
         "certificate is valid for server.example, 10.0.0.1, ::1, not else.example"},
        {&good, "10.0.0.2", false, ", not 10.0.0.2"},
        {&foreign, HOST, false, "signed by unknown authority 'CN=other'"},
        {&expired, HOST, false, "has expired: current time"},
        {&early, HOST, false, "is not yet valid"},
        {&no_server, HOST, false, "does not allow the usage 'server auth'"},
        {&foreign, HOST, true, NULL},
        {&expired, "", true, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct tls_identity identity = tls_identity_of(cases[i].id);
        struct tls_server_opts so = {.identities = &identity, .identity_count = 1};
        CLEANUP(tls_config_unrefp) struct tls_config *server = NULL;
        CHECK_OK(tls_config_new_server(&so, &server, &e));
        CLEANUP(tls_config_unrefp)
        struct tls_config *client = tls_stage_client(
            &stage, &(struct tls_client_opts){.insecure = cases[i].insecure});
        struct duo d;
        duo_open_host(&d, &(struct memory_opts){0}, server, client, cases[i].host);
        run_until(duo_handshakes_over, &d);
        if (!cases[i].says) {
            duo_talk(&d);
            struct tls_info info;
            CHECK(tls_stream_info(d.client.s, &info));
            CHECK_EQ(info.trust == ERR_NONE, !cases[i].insecure);
        } else {
            CHECK_EQ(d.client.read_code, ERR_UNAUTHORIZED);
            CHECK_CONTAINS(d.client.read_err.msg, cases[i].says);
            CHECK_CONTAINS(d.client.read_err.msg, "TLS handshake with ");
            run_until(server_reads_over, &d);
            CHECK_EQ(d.server.read_code, ERR_PROTOCOL);
            CHECK_CONTAINS(d.server.read_err.msg, "the other side refused: bad certificate");
        }
        duo_close(&d);
    }
    pki_done(&other);
    stage_close();
}

TEST(a_client_without_a_host_to_verify_is_refused)
{
    stage_open();
    struct stream *a, *b, *s;
    memory_pair(stage.loop, &(struct memory_opts){0}, &a, &b);
    struct end d;
    CHECK_ERR(INVALID, "there is no host", tls_stream_client(a, stage.client, S(""), handler_of(&d), &s, &e));
    CHECK_ERR(INVALID, "contains a NUL",
              tls_stream_client(a, stage.client, S("a\0b"), handler_of(&d), &s, &e));
    stream_close(a);
    stream_close(b);
    stage_close();
}

TEST(certificates_of_clients_are_judged_by_the_mode_of_the_server)
{
    stage_open();
    struct pki other;
    pki_init(&other, "other", stage.ca.now_s);
    struct x509_template t = {.subject.common_name = S("jane"), .usages = X509_FOR_CLIENT};
    struct pki_id good = pki_client(&stage.ca, "jane", "devs"), foreign = pki_client(&other, "jane", "devs");
    t.not_before_s = stage.ca.now_s - 2 * PKI_HOUR, t.not_after_s = stage.ca.now_s - PKI_HOUR;
    struct pki_id expired = pki_issue(&stage.ca, &t), no_client = pki_server(&stage.ca, "a");
    struct {
        struct pki_id *id;   /* NULL: none */
        const char *trust;   /* what the server says of it; NULL: trusted */
        const char *refusal; /* what the client hears of a server that insists; NULL: nothing */
    } cases[] = {
        {&good, NULL, NULL},
        {NULL, "no certificate was shown", "certificate required"},
        {&foreign, "signed by unknown authority 'CN=other'", "bad certificate"},
        {&expired, "has expired", "bad certificate"},
        {&no_client, "does not allow the usage 'client auth'", "bad certificate"},
    };
    for (int mode = TLS_CLIENT_AUTH_NONE; mode <= TLS_CLIENT_AUTH_REQUIRED; mode++) {
        bool asks = mode != TLS_CLIENT_AUTH_NONE, insists = mode == TLS_CLIENT_AUTH_REQUIRED;
        struct tls_server_opts so = {.client_auth = (enum tls_client_auth)mode,
                                     .client_ca = asks ? stage.pool : NULL};
        CLEANUP(tls_config_unrefp) struct tls_config *server = tls_stage_server(&stage, &so, HOST);
        for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
            struct tls_identity identity;
            if (cases[i].id)
                identity = tls_identity_of(cases[i].id);
            CLEANUP(tls_config_unrefp)
            struct tls_config *client = tls_stage_client(
                &stage, &(struct tls_client_opts){.identity = cases[i].id ? &identity : NULL});
            struct duo d;
            duo_open_with(&d, server, client);
            run_until(duo_handshakes_over, &d);
            if (insists && cases[i].refusal) {
                run_until(duo_reads_over, &d); /* with TLS 1.3 a client learns it after its handshake */
                CHECK_EQ(d.server.read_code, cases[i].id ? ERR_UNAUTHORIZED : ERR_PROTOCOL);
                CHECK_CONTAINS(d.server.read_err.msg,
                               cases[i].id ? cases[i].trust : "showed no certificate, and must");
                CHECK_EQ(d.client.read_code, ERR_PROTOCOL);
                CHECK_CONTAINS(d.client.read_err.msg, cases[i].refusal);
            } else {
                duo_talk(&d);
                struct tls_info info;
                CHECK(tls_stream_info(d.server.s, &info));
                CHECK_EQ(info.peer_has_cert, asks && cases[i].id);
                CHECK_EQ(info.trust == ERR_NONE, asks && !cases[i].trust);
                CHECK_CONTAINS(info.trust_text,
                               asks ? (cases[i].trust ? cases[i].trust : "") : "no certificate");
                struct x509_cert **certs;
                size_t count;
                CHECK_OK(tls_stream_peer_certs(d.server.s, &stage.ca.arena, &certs, &count, &e));
                CHECK_EQ(count, info.peer_has_cert);
                if (count)
                    CHECK_STR(x509_cert_info(certs[0])->der, x509_cert_info(cases[i].id->cert)->der);
            }
            duo_close(&d);
        }
    }
    pki_done(&other);
    stage_close();
}

TEST(a_chain_with_a_middle_is_shown_whole_and_trusted_both_ways)
{
    stage_open();
    struct pki_id middle = pki_issue(
        &stage.ca,
        &(struct x509_template){.subject.common_name = S("middle"), .usages = X509_FOR_CA, .is_ca = true});
    struct pki sub = stage.ca;
    sub.key = middle.key, sub.cert = middle.cert;
    arena_init(&sub.arena, 0);
    struct pki_id server_id = pki_server(&sub, HOST), client_id = pki_client(&sub, "jane", "devs");
    struct tls_identity server_identity = {(struct x509_cert *[]){server_id.cert, middle.cert}, 2,
                                           server_id.key};
    struct tls_identity client_identity = {(struct x509_cert *[]){client_id.cert, middle.cert}, 2,
                                           client_id.key};
    struct tls_server_opts so = {.identities = &server_identity,
                                 .identity_count = 1,
                                 .client_ca = stage.pool,
                                 .client_auth = TLS_CLIENT_AUTH_REQUIRED};
    CLEANUP(tls_config_unrefp) struct tls_config *server = NULL;
    CHECK_OK(tls_config_new_server(&so, &server, &e));
    CLEANUP(tls_config_unrefp)
    struct tls_config *client = tls_stage_client(&stage,
                                                 &(struct tls_client_opts){.identity = &client_identity});
    struct duo d;
    duo_open_with(&d, server, client);
    duo_talk(&d);
    struct stream *ends[] = {d.server.s, d.client.s};
    for (size_t i = 0; i < 2; i++) {
        struct x509_cert **certs;
        size_t count;
        CHECK_OK(tls_stream_peer_certs(ends[i], &stage.ca.arena, &certs, &count, &e));
        CHECK_EQ(count, 2);
        CHECK_STR(x509_cert_info(certs[0])->subject.common_name, i ? "server" : "jane");
        CHECK_STR(x509_cert_info(certs[1])->subject.common_name, "middle");
    }
    duo_close(&d);
    pki_done(&sub);
    stage_close();
}

TEST(the_name_a_client_asks_for_picks_the_certificate)
{
    static const struct {
        const char *host, *common_name;
    } cases[] = {
        {"first.example", "first"},   {"second.example", "second"},
        {"SECOND.example", "second"}, {"x.wild.example", "wild"},
        {"nobody.example", "first"},  {"10.0.0.9", "first"}, /* addresses are not told */
    };
    stage_open();
    CLEANUP(x509_key_unrefp) struct x509_key *rsa = NULL;
    CHECK_OK(x509_key_generate(X509_KEY_RSA, &rsa, &e));
    struct x509_cert *certs[3];
    struct tls_identity identities[3];
    const char *names[][2] = {
        {"first", "first.example"}, {"second", "second.example"}, {"wild", "*.wild.example"}};
    for (size_t i = 0; i < 3; i++) {
        struct x509_key *key = i == 1 ? rsa : pki_server(&stage.ca, "a").key; /* kinds of keys mix */
        str dns = str_from_c(names[i][1]);
        struct x509_template t = {.subject.common_name = str_from_c(names[i][0]),
                                  .names = {.dns = &dns, .dns_count = 1},
                                  .usages = X509_FOR_SERVER,
                                  .not_before_s = stage.ca.now_s - 1,
                                  .not_after_s = stage.ca.now_s + 99};
        CHECK_OK(x509_issue(&t, key, &(struct x509_issuer){stage.ca.cert, stage.ca.key}, &certs[i], &e));
        identities[i] = (struct tls_identity){&certs[i], 1, key};
    }
    CLEANUP(tls_config_unrefp) struct tls_config *server = NULL;
    CHECK_OK(tls_config_new_server(&(struct tls_server_opts){.identities = identities, .identity_count = 3},
                                   &server, &e));
    CLEANUP(tls_config_unrefp)
    struct tls_config *client = tls_stage_client(&stage, &(struct tls_client_opts){.insecure = true});
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct duo d;
        duo_open_host(&d, &(struct memory_opts){0}, server, client, cases[i].host);
        duo_shake_hands(&d);
        struct x509_cert **shown;
        size_t count;
        CHECK_OK(tls_stream_peer_certs(d.client.s, &stage.ca.arena, &shown, &count, &e));
        CHECK_EQ(count, 1);
        CHECK_STR(x509_cert_info(shown[0])->subject.common_name, cases[i].common_name);
        struct tls_info info;
        CHECK(tls_stream_info(d.server.s, &info));
        CHECK_STR(info.server_name, i == 5 ? "" : cases[i].host);
        duo_close(&d);
    }
    for (size_t i = 0; i < 3; i++)
        x509_cert_unref(certs[i]);
    stage_close();
}

static str common_name_shown(struct duo *d)
{
    struct x509_cert **shown;
    size_t count;
    CHECK_OK(tls_stream_peer_certs(d->client.s, &stage.ca.arena, &shown, &count, &e));
    return x509_cert_info(shown[0])->names.dns[0];
}

TEST(a_new_configuration_serves_new_handshakes_and_leaves_connections_alone)
{
    stage_open();
    struct tls_config *first = tls_stage_server(&stage, &(struct tls_server_opts){0}, HOST ",first");
    struct tls_slot *slot = tls_slot_new(first);
    tls_config_unref(first);
    struct duo before, during, after;
    struct tls_config *now = tls_slot_get(slot);
    duo_open_with(&before, now, stage.client);
    duo_shake_hands(&before);
    duo_open_with(&during, now, stage.client); /* its handshake begins with the old, and ends with it */
    tls_config_unref(now);
    struct tls_config *second = tls_stage_server(&stage, &(struct tls_server_opts){0}, "second," HOST);
    tls_slot_set(slot, second);
    tls_config_unref(second);
    now = tls_slot_get(slot);
    duo_open_with(&after, now, stage.client);
    tls_config_unref(now);
    duo_shake_hands(&during);
    duo_shake_hands(&after);
    CHECK_STR(common_name_shown(&before), HOST);
    CHECK_STR(common_name_shown(&during), HOST);
    CHECK_STR(common_name_shown(&after), "second");
    tls_slot_free(slot);
    duo_talk(&before);
    duo_talk(&during);
    duo_talk(&after);
    duo_close(&before);
    duo_close(&during);
    duo_close(&after);
    stage_close();
}

static struct tls_slot *shared_slot;
static atomic_bool swaps_done;

static void *swap_often(void *arg)
{
    struct tls_config **configs = arg;
    for (int i = 0; i < 3000; i++)
        tls_slot_set(shared_slot, configs[i % 2]);
    atomic_store(&swaps_done, true);
    return NULL;
}

TEST(a_slot_is_swapped_while_others_take_from_it)
{
    stage_open();
    struct tls_config *configs[] = {tls_stage_server(&stage, &(struct tls_server_opts){0}, HOST),
                                    tls_stage_server(&stage, &(struct tls_server_opts){0}, HOST)};
    shared_slot = tls_slot_new(configs[0]);
    pthread_t swapper;
    CHECK_EQ(pthread_create(&swapper, NULL, swap_often, configs), 0);
    while (!atomic_load(&swaps_done)) {
        struct tls_config *c = tls_slot_get(shared_slot);
        CHECK(c == configs[0] || c == configs[1]);
        tls_config_unref(c);
    }
    pthread_join(swapper, NULL);
    tls_slot_free(shared_slot);
    tls_config_unref(configs[0]);
    tls_config_unref(configs[1]);
    stage_close();
}

TEST(configurations_that_cannot_work_are_refused)
{
    stage_open();
    struct pki_id id = pki_server(&stage.ca, HOST), other = pki_server(&stage.ca, HOST);
    struct tls_identity good = tls_identity_of(&id), wrong_key = {&id.cert, 1, other.key},
                        none = {&id.cert, 0, id.key};
    str ten[TLS_ALPN_MAX + 1];
    for (size_t i = 0; i < ARRAY_COUNT(ten); i++)
        ten[i] = S("x");
    const struct {
        struct tls_server_opts opts;
        const char *says;
    } cases[] = {
        {{0}, "1 to 64 identities, not 0"},
        {{.identities = &wrong_key, .identity_count = 1}, "key does not fit certificate 'CN=server'"},
        {{.identities = &none, .identity_count = 1}, "1 to 10 certificates, not 0"},
        {{.identities = &good, .identity_count = 1, .client_auth = TLS_CLIENT_AUTH_OPTIONAL},
         "which authorities"},
        {{.identities = &good, .identity_count = 1, .client_ca = stage.pool}, "and only then"},
        {{.identities = &good,
          .identity_count = 1,
          .client_auth = TLS_CLIENT_AUTH_OPTIONAL,
          .client_ca = stage.pool,
          .tickets = true},
         "cannot be resumed"},
        {{.identities = &good, .identity_count = 1, .alpn = ten, .alpn_count = ARRAY_COUNT(ten)},
         "at most 8 protocols"},
        {{.identities = &good, .identity_count = 1, .alpn = &STR_NONE, .alpn_count = 1}, "1 to 255 bytes"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct tls_config *config;
        struct err e = ERR_INIT;
        CHECK_EQ(tls_config_new_server(&cases[i].opts, &config, &e), ERR_INVALID);
        CHECK_CONTAINS(e.msg, cases[i].says);
    }
    struct tls_config *config;
    CHECK_ERR(INVALID, "trusts authorities or is insecure",
              tls_config_new_client(&(struct tls_client_opts){0}, &config, &e));
    CHECK_ERR(
        INVALID, "trusts authorities or is insecure",
        tls_config_new_client(&(struct tls_client_opts){.ca = stage.pool, .insecure = true}, &config, &e));
    stage_close();
}

/* --- tests: hostile peers, by hand --- */

/* Our server at one end, and the bare inner stream of the client at the other. */
static void bare_open(struct end *server, struct stream **ret_peer, struct tls_config *config)
{
    end_init(server);
    memory_pair(stage.loop, &(struct memory_opts){.capacity = 1 << 20}, &server->inner, ret_peer);
    CHECK_OK(tls_stream_server(server->inner, config, handler_of(server), &server->s, &e));
    stream_want(server->s, STREAM_READ);
}

static bool end_reads_over(void *ctx)
{
    return ((const struct end *)ctx)->read_code != ERR_NONE;
}

TEST(what_is_no_handshake_fails_with_a_reason)
{
    static const struct {
        str bytes;
        err_code code;
        const char *says;
    } cases[] = {
        {S_INIT(""), ERR_CLOSED, "the other side left before it said anything"},
        {S_INIT("\x16"), ERR_IO, "cut off in the middle"},
        {S_INIT("\x16\x03\x01\x00\x10"), ERR_IO, "cut off in the middle"},
        {S_INIT("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), ERR_PROTOCOL, "speaks HTTP in the clear"},
        {S_INIT("CONNECT x:1 HTTP/1.1\r\n\r\n"), ERR_PROTOCOL, "speaks to an HTTP proxy"},
        {S_INIT("SSH-2.0-OpenSSH_9.2\r\n"), ERR_PROTOCOL, "does not speak TLS"},
        {S_INIT("\0\0\0\0\0\0\0\0\0\0\0\0"), ERR_PROTOCOL, "does not speak TLS"},
        {S_INIT("\x16\x03\x01\xff\xff......................"), ERR_PROTOCOL, "packet length too long"},
        {S_INIT("\x16\x03\x01\x00\x00\x16\x03\x01\x00\x00"), ERR_IO, "cut off in the middle"},
        {S_INIT("\x16\x03\x01\x00\x04\x01\xff\xff\xff"), ERR_PROTOCOL, "excessive message size"},
        {S_INIT("\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03"), ERR_PROTOCOL, ""},
        {S_INIT("\x17\x03\x03\x00\x05hello"), ERR_PROTOCOL, ""},
        {S_INIT("\x15\x03\x01\x00\x02\x02\x28"), ERR_PROTOCOL, "unexpected message"},
    };
    stage_open();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct end server;
        struct stream *peer;
        bare_open(&server, &peer, stage.server);
        if (cases[i].bytes.n)
            CHECK_OK(stream_write(peer, &cases[i].bytes, 1, &(size_t){0}, &e));
        CHECK_OK(stream_shutdown(peer, &e));
        run_until(end_reads_over, &server);
        if (server.read_code != cases[i].code)
            FAIL("case %zu: %s: %s", i, err_name(server.read_code), server.read_err.msg);
        CHECK_CONTAINS(server.read_err.msg, cases[i].says);
        CHECK_CONTAINS(server.read_err.msg, "TLS handshake with the other side failed: ");
        CHECK_EQ(server.got.n, 0);
        CHECK_EQ(ERR_peek_error(), 0); /* nothing is left for the next caller on this thread */
        end_close(&server);
        stream_close(peer);
    }
    stage_close();
}

TEST(a_server_that_speaks_no_tls_is_told_to_our_user)
{
    static const struct {
        str bytes;
        const char *says;
    } cases[] = {
        {S_INIT("HTTP/1.1 400 Bad Request\r\n\r\n"), "the other side does not speak TLS"},
        {S_INIT("220 mail.example ESMTP\r\n"), "the other side does not speak TLS"},
        {S_INIT("\x15\x03\x03\x00\x02\x02\x28"), "the other side refused: handshake failure"},
        {S_INIT("\x16\x03\x03\x00\x04\x0e\x00\x00\x00"), "unexpected message"},
    };
    stage_open();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct end client;
        struct stream *peer;
        end_init(&client);
        memory_pair(stage.loop, &(struct memory_opts){0}, &client.inner, &peer);
        CHECK_OK(tls_stream_client(client.inner, stage.client, S(HOST), handler_of(&client), &client.s, &e));
        stream_want(client.s, STREAM_READ);
        CHECK_OK(stream_write(peer, &cases[i].bytes, 1, &(size_t){0}, &e));
        run_until(end_reads_over, &client);
        CHECK_EQ(client.read_code, ERR_PROTOCOL);
        CHECK_CONTAINS(client.read_err.msg, "TLS handshake with " HOST " failed: ");
        CHECK_CONTAINS(client.read_err.msg, cases[i].says);
        end_close(&client);
        stream_close(peer);
    }
    stage_close();
}

TEST(a_client_that_speaks_plain_http_gets_the_answer_that_was_configured)
{
    stage_open();
    str answer = S("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    CLEANUP(tls_config_unrefp)
    struct tls_config *config = tls_stage_server(
        &stage, &(struct tls_server_opts){.plain_http_answer = answer}, HOST);
    struct end server;
    struct stream *peer;
    bare_open(&server, &peer, config);
    CHECK_OK(stream_write(peer, &S("GET / HTTP/1.1\r\n\r\n"), 1, &(size_t){0}, &e));
    run_until(end_reads_over, &server);
    end_close(&server);
    let_pass(NS_PER_MS);
    char got[200];
    size_t n;
    CHECK_OK(stream_read(peer, got, sizeof got, &n, &e));
    CHECK_STR(str_of(got, n), answer);
    stream_close(peer);
    stage_close();
}

TEST(a_handshake_cut_off_anywhere_fails_on_both_sides_and_leaks_nothing)
{
    stage_open();
    struct pki_id client_id = pki_client(&stage.ca, "jane", "devs");
    struct tls_identity identity = tls_identity_of(&client_id);
    CLEANUP(tls_config_unrefp)
    struct tls_config *server = tls_stage_server(
        &stage, &(struct tls_server_opts){.client_auth = TLS_CLIENT_AUTH_REQUIRED, .client_ca = stage.pool},
        HOST);
    CLEANUP(tls_config_unrefp)
    struct tls_config *client = tls_stage_client(&stage, &(struct tls_client_opts){.identity = &identity});
    struct duo d;
    duo_open_with(&d, server, client);
    duo_shake_hands(&d);
    size_t sizes[2] = {memory_written(d.server.inner), memory_written(d.client.inner)};
    duo_close(&d);
    size_t step = test_is_sanitized() ? 37 : 11;
    for (int side = 0; side < 2; side++)
        for (size_t at = 0; at + 16 < sizes[side]; at += step) { /* signatures differ by a byte or two */
            struct end *other = side ? &d.server : &d.client;
            duo_open_host(&d,
                          &(struct memory_opts){.cut_after = {side ? SIZE_MAX : at, side ? at : SIZE_MAX}},
                          server, client, HOST);
            run_until(end_reads_over, other);
            if (other->read_code != (at ? ERR_IO : ERR_CLOSED))
                FAIL("cut at %zu: %s: %s", at, err_name(other->read_code), other->read_err.msg);
            duo_close(&d);
        }
    stage_close();
}

TEST(bytes_changed_on_the_way_are_noticed)
{
    stage_open();
    struct duo d;
    duo_open(&d);
    duo_talk(&d);
    stream_want(d.server.s, 0);
    CHECK_OK(stream_write(d.client.s, &S("transfer 100"), 1, &(size_t){0}, &e));
    str wire = memory_on_the_way(d.client.inner);
    *(char *)(uintptr_t)&wire.p[wire.n - 1] ^= 1;
    buf_clear(&d.server.got);
    stream_want(d.server.s, STREAM_READ);
    run_until(server_reads_over, &d);
    CHECK_EQ(d.server.read_code, ERR_PROTOCOL);
    CHECK_CONTAINS(d.server.read_err.msg,
                   "TLS connection to the other side failed: decryption failed or bad record mac");
    CHECK_EQ(d.server.got.n, 0);
    CHECK_ERR(PROTOCOL, "bad record mac", stream_write(d.server.s, &S("x"), 1, &(size_t){0}, &e));
    run_until(client_reads_over, &d);
    CHECK_CONTAINS(d.client.read_err.msg, "the other side refused: bad record mac");
    duo_close(&d);
    stage_close();
}

/* A client of OpenSSL's own, to do what ours would not: its bytes are carried to and from a bare stream. */
struct foreign {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    struct stream *peer;
};

static void foreign_open(struct foreign *f, struct stream *peer, int version)
{
    f->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(f->ctx, 0);
    SSL_CTX_set_min_proto_version(f->ctx, version);
    SSL_CTX_set_max_proto_version(f->ctx, version);
    f->ssl = SSL_new(f->ctx);
    f->in = BIO_new(BIO_s_mem());
    f->out = BIO_new(BIO_s_mem());
    SSL_set_bio(f->ssl, f->in, f->out);
    SSL_set_connect_state(f->ssl);
    f->peer = peer;
}

static void foreign_close(struct foreign *f)
{
    SSL_free(f->ssl);
    SSL_CTX_free(f->ctx);
    ERR_clear_error();
    stream_close(f->peer);
}

static void foreign_carry(struct foreign *f)
{
    char bytes[70000];
    int got;
    while ((got = BIO_read(f->out, bytes, sizeof bytes)) > 0) {
        struct err err;
        size_t n;
        if (stream_write(f->peer, &(str){bytes, (size_t)got}, 1, &n, &err))
            break;
        CHECK_EQ(n, got);
    }
    ERR_clear_error();
    loop_run_until(stage.loop, NULL, NULL, NS_PER_MS / 5);
    size_t n;
    struct err err;
    while (stream_read(f->peer, bytes, sizeof bytes, &n, &err) == ERR_NONE)
        CHECK_EQ(BIO_write(f->in, bytes, (int)n), (int)n);
}

static int last_reason; /* why one failed */

static bool foreign_shake_hands(struct foreign *f)
{
    for (int i = 0; i < 20; i++) {
        if (SSL_do_handshake(f->ssl) == 1) {
            foreign_carry(f);
            return true;
        }
        if (ERR_peek_error())
            last_reason = ERR_GET_REASON(ERR_peek_error());
        foreign_carry(f);
    }
    return false;
}

TEST(versions_before_1_2_are_refused)
{
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    stage_open();
    for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
        struct end server;
        struct foreign f;
        struct stream *peer;
        bare_open(&server, &peer, stage.server);
        foreign_open(&f, peer, versions[i]);
        CHECK_EQ(foreign_shake_hands(&f), i >= 2);
        struct tls_info info;
        if (i < 2) {
            CHECK_EQ(server.read_code, ERR_PROTOCOL);
            CHECK_CONTAINS(server.read_err.msg, "the other side offers only versions of TLS before 1.2");
        } else {
            CHECK(tls_stream_info(server.s, &info));
            CHECK_STR(info.version, i == 2 ? "TLSv1.2" : "TLSv1.3");
            CHECK_STR(info.cipher, i == 2 ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "TLS_AES_128_GCM_SHA256");
        }
        foreign_close(&f);
        end_close(&server);
    }
    stage_close();
}

TEST(renegotiation_is_refused)
{
    stage_open();
    struct end server;
    struct foreign f;
    struct stream *peer;
    bare_open(&server, &peer, stage.server);
    foreign_open(&f, peer, TLS1_2_VERSION);
    CHECK(foreign_shake_hands(&f));
    CHECK_EQ(SSL_renegotiate(f.ssl), 1);
    CHECK(!foreign_shake_hands(&f));
    CHECK(last_reason == SSL_R_NO_RENEGOTIATION);
    CHECK_EQ(server.read_code, ERR_PROTOCOL); /* what a client of OpenSSL makes of that: it leaves */
    CHECK_CONTAINS(server.read_err.msg, "the other side refused: handshake failure");
    CHECK_EQ(server.got.n, 0);
    foreign_close(&f);
    end_close(&server);
    stage_close();
}

TEST(requests_for_new_keys_without_reading_the_answers_stop_being_read)
{
    stage_open();
    struct end server;
    struct foreign f;
    struct stream *peer;
    bare_open(&server, &peer, stage.server);
    foreign_open(&f, peer, TLS1_3_VERSION);
    CHECK(foreign_shake_hands(&f));
    memory_set_capacity(server.inner, 0); /* nothing that the server says gets out */
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 20000; i++) {
        CHECK_EQ(SSL_key_update(f.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        CHECK_EQ(SSL_do_handshake(f.ssl), 1);
        char bytes[1000];
        int got = BIO_read(f.out, bytes, sizeof bytes);
        struct err err;
        if (got <= 0 || stream_write(f.peer, &(str){bytes, (size_t)got}, 1, &(size_t){0}, &err))
            break;
        if (i % 100 == 0)
            loop_run_until(stage.loop, NULL, NULL, 0);
    }
    let_pass(20 * NS_PER_MS);
    if (!test_is_sanitized())
        CHECK_LT(mallinfo2().uordblks - before,
                 3 << 20); /* 64 KB of answers, and what waits unread in the pipe */
    CHECK_GT(memory_on_the_way(peer).n, 0);
    /* And when the other side reads again, all goes on. */
    memory_set_capacity(server.inner, 1 << 20);
    for (int i = 0; i < 100 && memory_on_the_way(peer).n; i++)
        foreign_carry(&f);
    CHECK_EQ(memory_on_the_way(peer).n, 0);
    CHECK_EQ(server.read_code, ERR_NONE);
    foreign_close(&f);
    end_close(&server);
    stage_close();
}

/* --- tests: tickets --- */

static SSL_SESSION *last_session;

static int session_keep(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION_free(last_session);
    last_session = session;
    return 1;
}

/* One connection that offers `session`; whether it was resumed. Its own last ticket is in last_session after it. */
static bool resumes(struct tls_config *config, SSL_SESSION *session)
{
    struct end server;
    struct foreign f;
    struct stream *peer;
    bare_open(&server, &peer, config);
    foreign_open(&f, peer, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(f.ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(f.ctx, session_keep);
    if (session)
        CHECK_EQ(SSL_set_session(f.ssl, session), 1);
    CHECK(foreign_shake_hands(&f));
    for (int i = 0; i < 3; i++) {
        char c;
        CHECK_LE(SSL_read(f.ssl, &c, 1), 0); /* takes in the tickets */
        foreign_carry(&f);
    }
    struct tls_info info;
    CHECK(tls_stream_info(server.s, &info));
    CHECK_EQ(info.resumed, SSL_session_reused(f.ssl));
    SSL_shutdown(f.ssl); /* or the session counts as broken */
    foreign_carry(&f);
    foreign_close(&f);
    end_close(&server);
    return info.resumed;
}

TEST(sessions_resume_only_where_tickets_are_on_and_only_with_the_same_configuration)
{
    stage_open();
    CLEANUP(tls_config_unrefp)
    struct tls_config *on = tls_stage_server(&stage, &(struct tls_server_opts){.tickets = true}, HOST);
    CLEANUP(tls_config_unrefp)
    struct tls_config *other = tls_stage_server(&stage, &(struct tls_server_opts){.tickets = true}, HOST);
    CHECK(!resumes(stage.server, NULL));
    CHECK(!last_session);
    CHECK(!resumes(on, NULL));
    CHECK(last_session);
    SSL_SESSION *first = last_session;
    last_session = NULL;
    CHECK(resumes(on, first));
    CHECK(!resumes(other, first));
    CHECK(!resumes(stage.server, first));
    SSL_SESSION_free(first);
    SSL_SESSION_free(last_session);
    stage_close();
}

/* --- cost --- */

TEST(an_idle_connection_stays_under_its_share_of_memory)
{
    enum { COUNT = 200, SHARE = 40000 };
    if (test_is_sanitized())
        test_skip("memory is counted in the plain build");
    stage_open();
    struct duo *duos = NEW_ARRAY(struct duo, COUNT + 1);
    duo_open(&duos[COUNT]); /* what is made once */
    duo_talk(&duos[COUNT]);
    size_t before = mallinfo2().uordblks;
    for (size_t i = 0; i < COUNT; i++) {
        duo_open(&duos[i]);
        duo_talk(&duos[i]);
        buf_done(&duos[i].server.got);
        buf_done(&duos[i].client.got);
    }
    size_t each = (mallinfo2().uordblks - before) / (2 * COUNT);
    printf("an idle end takes %zu bytes\n", each);
    CHECK_LT(each, SHARE);
    for (size_t i = 0; i <= COUNT; i++)
        duo_close(&duos[i]);
    mem_free(duos);
    stage_close();
}
