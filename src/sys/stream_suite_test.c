/* stream_suite_test.c - what stream.h promises, in both worlds.
 * The tested side listens on a loop that the test drives; the other side is a loop of its own, started. */
#include "base/mem.h"
#define SUITE_OVER_TLS
#include "sys/suite_test.h"

/* --- an end of a stream: sends and receives a known pattern, ends when it has all --- */

#define TO_THE_END SIZE_MAX

struct end {
    /* What it is to do. */
    size_t send_total;
    size_t receive_total; /* TO_THE_END: until the stream ends */
    size_t chunk;         /* at most, at a time; 0: as much as there is */
    bool shut_when_sent;
    bool silent; /* wants nothing by itself */
    /* What came of it. */
    struct stream *s;
    size_t sent, received;
    err_code read_code, write_code; /* that ended it */
    char why[480];
    atomic_int waits; /* writes that had to wait */
    atomic_int calls;
    atomic_int done;
};

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + i / 251);
}

static void end_read(struct end *d)
{
    unsigned char bytes[16384];
    struct err why = ERR_INIT;
    size_t n = d->chunk ? size_min(d->chunk, sizeof bytes) : sizeof bytes;
    d->read_code = stream_read(d->s, bytes, n, &n, &why);
    if (d->read_code == ERR_AGAIN) {
        d->read_code = ERR_NONE;
    } else if (d->read_code) {
        memcpy(d->why, why.msg, sizeof d->why);
    } else {
        CHECK_GT(n, 0);
        for (size_t i = 0; i < n; i++)
            CHECK_EQ(bytes[i], pattern(d->received + i));
        d->received += n;
    }
}

static void end_write(struct end *d)
{
    unsigned char bytes[16384];
    struct err why = ERR_INIT;
    size_t n = size_min(d->chunk ? d->chunk : sizeof bytes, sizeof bytes);
    n = size_min(n, d->send_total - d->sent);
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern(d->sent + i);
    /* In two parts and an empty one. */
    str parts[] = {str_of((const char *)bytes, n / 2), STR_NONE,
                   str_of((const char *)bytes + n / 2, n - n / 2)};
    d->write_code = stream_write(d->s, parts, 3, &n, &why);
    if (d->write_code == ERR_AGAIN) {
        d->write_code = ERR_NONE;
        atomic_fetch_add(&d->waits, 1);
    } else if (d->write_code) {
        memcpy(d->why, why.msg, sizeof d->why);
    } else {
        CHECK_GT(n, 0);
        d->sent += n;
        if (d->sent == d->send_total && d->shut_when_sent)
            CHECK_OK(stream_shutdown(d->s, &e));
    }
}

static void end_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct end *d = ctx;
    CHECK(s == d->s);
    CHECK_EQ(ready & ~stream_wanted(s), 0);
    CHECK_NE(ready, 0);
    atomic_fetch_add(&d->calls, 1);
    if (ready & STREAM_READ)
        end_read(d);
    if (ready & STREAM_WRITE && !d->write_code && d->sent < d->send_total)
        end_write(d);
    bool all_sent = d->sent == d->send_total || d->write_code;
    bool all_received = d->received >= d->receive_total || d->read_code;
    if (all_sent && all_received) {
        stream_close(d->s);
        atomic_store(&d->done, 1);
        return;
    }
    stream_want(s, (all_received ? 0 : STREAM_READ) | (all_sent ? 0 : STREAM_WRITE));
}

static struct stream_handler end_handler(struct end *d)
{
    return (struct stream_handler){.on_ready = end_ready, .ctx = d};
}

static void end_begin(struct end *d, struct stream *s)
{
    d->s = s;
    stream_set_handler(s, end_handler(d));
    if (!d->silent)
        stream_want(s, STREAM_READ | STREAM_WRITE);
}

/* --- a listener that gives each connection an end --- */

struct server {
    struct listener *ln;
    struct end ends[8];
    size_t count;
    atomic_int accepted;
};

static void server_accept(void *ctx, struct stream *s)
{
    struct server *sv = ctx;
    CHECK(sv->count < ARRAY_COUNT(sv->ends));
    end_begin(&sv->ends[sv->count++], s);
    atomic_fetch_add(&sv->accepted, 1);
}

static void listen_at(struct suite_world *w, const struct listener_opts *opts, struct listener **ret)
{
    struct net_addr at;
    CHECK_OK(net_addr_parse(str_from_c(w->listen_at), &at, &e));
    CHECK_OK(listener_new(w->env, &at, opts, ret, &e));
    CHECK_NE(listener_addr(*ret)->port, 0);
}

static void server_open(struct server *sv, struct suite_world *w, struct loop *l,
                        const struct listener_opts *opts)
{
    listen_at(w, opts, &sv->ln);
    CHECK_OK(listener_attach(sv->ln, l, server_accept, sv, &e));
}

static void server_close(struct server *sv, struct loop *l)
{
    listener_detach(sv->ln, l);
    listener_free(sv->ln);
}

/* Before the loop is started. */
static void end_connect(struct end *d, struct loop *l, const struct net_addr *to)
{
    CHECK_OK(stream_connect(l, to, end_handler(d), &d->s, &e));
    if (!d->silent)
        stream_want(d->s, STREAM_READ | STREAM_WRITE);
}

/* One connection, from the peer's loop, which is started, to `l`, which is driven until both ends are done. */
static void converse(struct suite_world *w, struct end *server, struct end *client)
{
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "client");
    struct server sv = {.ends = {*server}};
    server_open(&sv, w, l, NULL);
    end_connect(client, pl, listener_addr(sv.ln));
    suite_start(pl);
    SUITE_WAIT_COUNT(l, &sv.ends[0].done, 1);
    SUITE_WAIT_COUNT(l, &client->done, 1);
    server_close(&sv, l);
    *server = sv.ends[0];
}

/* --- tests --- */

SUITE_TEST(bytes_go_both_ways_and_then_the_end)
{
    struct end server = {.send_total = 100000, .receive_total = TO_THE_END},
               client = {.send_total = 3000, .receive_total = 100000};
    converse(w, &server, &client);
    CHECK_EQ(server.received, 3000);
    CHECK_EQ(server.read_code, ERR_CLOSED);
    CHECK_EQ(client.received, 100000);
    CHECK_EQ(client.read_code, ERR_NONE);
}

SUITE_TEST(after_a_shutdown_the_other_direction_goes_on)
{
    struct end server = {.receive_total = TO_THE_END},
               client = {.send_total = 5000, .shut_when_sent = true, .receive_total = TO_THE_END};
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "client");
    struct server sv = {.ends = {{.receive_total = TO_THE_END, .silent = true}}};
    server_open(&sv, w, l, NULL);
    end_connect(&client, pl, listener_addr(sv.ln));
    suite_start(pl);
    SUITE_WAIT_COUNT(l, &sv.accepted, 1);
    /* All is read, to the end, and only then the answer is written. */
    server = sv.ends[0];
    struct err why = ERR_INIT;
    while (!server.read_code) {
        end_read(&server);
        suite_let_pass(l, NS_PER_MS);
    }
    CHECK_EQ(server.read_code, ERR_CLOSED);
    CHECK_EQ(server.received, 5000);
    CHECK_EQ(stream_read(server.s, &(char){0}, 1, &(size_t){0}, &why), ERR_CLOSED); /* again */
    CHECK_EQ(client.done, 0);
    server.send_total = 700;
    while (server.sent < 700)
        end_write(&server); /* less than any window, though maybe in pieces */
    stream_close(server.s);
    SUITE_WAIT_COUNT(l, &client.done, 1);
    CHECK_EQ(client.received, 700);
    CHECK_EQ(client.read_code, ERR_CLOSED);
    server_close(&sv, l);
}

SUITE_TEST(writing_after_ones_own_shutdown_says_closed)
{
    struct loop *l = suite_loop(w, "pair");
    struct stream *a, *b;
    CHECK_OK(stream_pair(l, &a, &b, &e));
    CHECK_OK(stream_shutdown(a, &e));
    CHECK_OK(stream_shutdown(a, &e));
    size_t n;
    CHECK_ERR(CLOSED, "write", stream_write(a, &S("x"), 1, &n, &e));
    stream_close(a);
    stream_close(b);
}

SUITE_TEST(a_slow_reader_holds_the_writer_back_and_gets_all)
{
    struct end client = {.send_total = 32 << 20, .receive_total = 0};
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "client");
    struct server sv = {.ends = {{.receive_total = TO_THE_END, .silent = true}}};
    struct end *server = &sv.ends[0];
    server_open(&sv, w, l, NULL);
    end_connect(&client, pl, listener_addr(sv.ln));
    suite_start(pl);
    /* A writer that waits is not asked again and again: its calls come to rest. */
    int calls;
    do {
        calls = client.calls;
        suite_let_pass(l, 20 * NS_PER_MS);
    } while (client.calls == 0 || client.calls != calls);
    CHECK_EQ(client.done, 0);
    stream_want(server->s, STREAM_READ);
    SUITE_WAIT_COUNT(l, &server->done, 1);
    CHECK_EQ(server->received, client.send_total);
    CHECK_EQ(server->read_code, ERR_CLOSED);
    server_close(&sv, l);
}

SUITE_TEST(small_pieces_add_up)
{
    struct end server = {.send_total = 20000, .receive_total = TO_THE_END, .chunk = 7},
               client = {.send_total = 20000, .receive_total = 20000, .chunk = 11};
    converse(w, &server, &client);
    CHECK_EQ(server.received, 20000);
    CHECK_EQ(client.received, 20000);
}

SUITE_TEST(a_refused_connection_is_told_by_the_first_read_or_write)
{
    struct loop *pl = suite_peer_loop(w, "client");
    struct net_addr nobody;
    CHECK_OK(net_addr_parse(str_from_c(w->nobody_at), &nobody, &e));
    struct end reader = {.receive_total = TO_THE_END}, writer = {.send_total = 1, .receive_total = 0};
    end_connect(&reader, pl, &nobody);
    end_connect(&writer, pl, &nobody);
    stream_want(reader.s, STREAM_READ);
    stream_want(writer.s, STREAM_WRITE);
    SUITE_WAIT_COUNT(pl, &reader.done, 1);
    SUITE_WAIT_COUNT(pl, &writer.done, 1);
    CHECK_EQ(reader.read_code, ERR_UNAVAILABLE);
    CHECK_EQ(writer.write_code, ERR_UNAVAILABLE);
    CHECK_CONTAINS(writer.why, "could not connect to");
    CHECK_CONTAINS(writer.why, w->nobody_at);
}

SUITE_TEST(an_aborted_stream_is_not_taken_for_an_orderly_end)
{
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "client");
    struct server sv = {.ends = {{.receive_total = TO_THE_END, .silent = true}}};
    struct end client = {.send_total = 10, .receive_total = TO_THE_END};
    server_open(&sv, w, l, NULL);
    end_connect(&client, pl, listener_addr(sv.ln));
    suite_start(pl);
    SUITE_WAIT_COUNT(l, &sv.accepted, 1);
    stream_abort(sv.ends[0].s);
    SUITE_WAIT_COUNT(l, &client.done, 1);
    CHECK_EQ(client.read_code, ERR_IO);
    server_close(&sv, l);
}

/* A server that answers an upload early and closes: the answer must not be lost with what it has not read. */
SUITE_TEST(what_was_written_before_closing_arrives_though_the_other_end_goes_on_sending)
{
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "client");
    struct server sv = {.ends = {{.silent = true}}};
    struct end client = {.send_total = 50000, .receive_total = TO_THE_END, .chunk = 100};
    server_open(&sv, w, l, NULL);
    end_connect(&client, pl, listener_addr(sv.ln));
    suite_start(pl);
    SUITE_WAIT_COUNT(l, &sv.accepted, 1);
    /* As much as is taken, which is more than the other end has read or even been sent. */
    struct end server = {.s = sv.ends[0].s, .send_total = SIZE_MAX};
    while (!server.waits)
        end_write(&server);
    stream_close(server.s);
    SUITE_WAIT_COUNT(l, &client.done, 1);
    CHECK_EQ(client.read_code, ERR_CLOSED);
    CHECK_EQ(client.received, server.sent);
    server_close(&sv, l);
}

SUITE_TEST(a_reset_that_a_write_met_first_is_no_end_of_stream_for_a_read)
{
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "client");
    struct server sv = {.ends = {{.silent = true}}};
    struct end client = {.send_total = 1, .receive_total = TO_THE_END};
    server_open(&sv, w, l, NULL);
    end_connect(&client, pl, listener_addr(sv.ln));
    suite_start(pl);
    SUITE_WAIT_COUNT(l, &sv.accepted, 1);
    /* The roles turned: it is the client that resets, once it has sent its byte and this end has read it. */
    struct end server = {.s = sv.ends[0].s, .send_total = SIZE_MAX};
    while (!server.received) {
        end_read(&server);
        suite_let_pass(l, NS_PER_MS);
    }
    loop_stop(pl);
    loop_join(pl);
    stream_abort(client.s);
    while (!server.write_code) {
        end_write(&server);
        suite_let_pass(l, NS_PER_MS);
    }
    CHECK_EQ(server.write_code, ERR_IO);
    while (!server.read_code)
        end_read(&server);
    CHECK_EQ(server.read_code, ERR_IO);
    stream_close(server.s);
    server_close(&sv, l);
}

SUITE_TEST(a_stream_is_reported_only_while_wanted_and_each_turn_while_possible)
{
    struct loop *l = suite_loop(w, "pair");
    struct stream *a, *b;
    CHECK_OK(stream_pair(l, &a, &b, &e));
    struct end reader = {.receive_total = TO_THE_END, .chunk = 1, .silent = true};
    end_begin(&reader, b);
    struct end writer = {.s = a, .send_total = 5};
    while (writer.sent < 5)
        end_write(&writer);
    suite_let_pass(l, 5 * NS_PER_MS);
    CHECK_EQ(reader.calls, 0);
    stream_want(b, STREAM_READ);
    CHECK_EQ(reader.calls, 0); /* never inside the call */
    SUITE_WAIT_COUNT(l, &reader.calls, 5);
    CHECK_EQ(reader.received, 5);
    suite_let_pass(l, 5 * NS_PER_MS);
    CHECK_LE(reader.calls, 6); /* once too early is allowed */
    stream_close(a);
    SUITE_WAIT_COUNT(l, &reader.done, 1);
    CHECK_EQ(reader.read_code, ERR_CLOSED);
}

SUITE_TEST(writing_nothing_writes_nothing)
{
    struct loop *l = suite_loop(w, "pair");
    struct stream *a, *b;
    CHECK_OK(stream_pair(l, &a, &b, &e));
    size_t n = 7;
    CHECK_OK(stream_write(a, (str[]){STR_NONE, S("")}, 2, &n, &e));
    CHECK_EQ(n, 0);
    CHECK_OK(stream_write(a, NULL, 0, &n, &e));
    CHECK_EQ(n, 0);
    char c;
    struct err why = ERR_INIT;
    CHECK_EQ(stream_read(b, &c, 1, &n, &why), ERR_AGAIN);
    stream_close(a);
    stream_close(b);
}

/* Both of a pair become ready in one turn; whichever is called first closes both. */
struct murderer {
    struct stream *both[2];
    atomic_int calls;
};

static void close_both(void *ctx, struct stream *s, unsigned ready)
{
    struct murderer *m = ctx;
    atomic_fetch_add(&m->calls, 1);
    stream_close(m->both[0]);
    stream_close(m->both[1]);
}

SUITE_TEST(a_stream_closed_by_anothers_callback_is_not_reported)
{
    struct loop *l = suite_loop(w, "pair");
    struct murderer m = {.calls = 0};
    CHECK_OK(stream_pair(l, &m.both[0], &m.both[1], &e));
    for (int i = 0; i < 2; i++) {
        stream_set_handler(m.both[i], (struct stream_handler){.on_ready = close_both, .ctx = &m});
        stream_want(m.both[i], STREAM_WRITE);
    }
    suite_let_pass(l, 5 * NS_PER_MS);
    CHECK_EQ(m.calls, 1);
}

SUITE_TEST(both_ends_know_each_others_address)
{
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "client");
    struct server sv = {.ends = {{.silent = true}}};
    struct end client = {.silent = true};
    server_open(&sv, w, l, NULL);
    end_connect(&client, pl, listener_addr(sv.ln));
    CHECK(stream_loop(client.s) == pl);
    for (int i = 0; i < 100 && !sv.accepted; i++) {
        loop_run_until(pl, NULL, NULL, NS_PER_MS);
        loop_run_until(l, NULL, NULL, NS_PER_MS);
    }
    loop_run_until(pl, NULL, NULL, 10 * NS_PER_MS);
    CHECK_EQ(sv.accepted, 1);
    CHECK(net_addr_eq(stream_peer(client.s), listener_addr(sv.ln)));
    CHECK(net_addr_eq(stream_local(sv.ends[0].s), listener_addr(sv.ln)));
    CHECK(net_addr_eq(stream_peer(sv.ends[0].s), stream_local(client.s)));
    stream_close(client.s);
    stream_close(sv.ends[0].s);
    server_close(&sv, l);
}

/* --- listeners --- */

struct crowd {
    struct end clients[30];
    atomic_int accepted[3];
    struct counting {
        struct crowd *crowd;
        int id;
        struct stream *streams[30];
    } at[3];
};

static void count_accept(void *ctx, struct stream *s)
{
    struct counting *c = ctx;
    c->streams[atomic_load(&c->crowd->accepted[c->id])] = s;
    atomic_fetch_add(&c->crowd->accepted[c->id], 1);
}

SUITE_TEST(loops_that_share_a_listener_get_equal_shares)
{
    CLEANUP(mem_freep) struct crowd *crowd = NEW(struct crowd);
    struct loop *own = suite_loop(w, "own"), *pl = suite_peer_loop(w, "clients"), *loops[3];
    struct listener *ln;
    listen_at(w, NULL, &ln);
    for (int i = 0; i < 3; i++) {
        loops[i] = suite_loop(w, "server");
        crowd->at[i] = (struct counting){.crowd = crowd, .id = i};
        CHECK_OK(listener_attach(ln, loops[i], count_accept, &crowd->at[i], &e));
        suite_start(loops[i]);
    }
    for (int i = 0; i < 30; i++) {
        crowd->clients[i].silent = true;
        end_connect(&crowd->clients[i], pl, listener_addr(ln));
    }
    suite_start(pl);
    for (int i = 0; i < 3; i++)
        SUITE_WAIT_COUNT(own, &crowd->accepted[i], 10);
    loop_stop(pl);
    loop_join(pl);
    for (int i = 0; i < 30; i++)
        stream_close(crowd->clients[i].s);
    for (int i = 0; i < 3; i++) {
        loop_stop(loops[i]);
        loop_join(loops[i]);
        CHECK_EQ(crowd->accepted[i], 10);
        for (int k = 0; k < 10; k++)
            stream_close(crowd->at[i].streams[k]);
        listener_detach(ln, loops[i]);
    }
    listener_free(ln);
}

SUITE_TEST(connections_past_the_maximum_wait_until_one_is_closed)
{
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "clients");
    struct server sv = {.ends = {{.silent = true}, {.silent = true}, {.silent = true}}};
    struct end clients[3];
    server_open(&sv, w, l, &(struct listener_opts){.connection_max = 2});
    for (int i = 0; i < 3; i++) {
        clients[i] = (struct end){.receive_total = TO_THE_END};
        end_connect(&clients[i], pl, listener_addr(sv.ln));
    }
    suite_start(pl);
    SUITE_WAIT_COUNT(l, &sv.accepted, 2);
    suite_let_pass(l, 50 * NS_PER_MS);
    CHECK_EQ(sv.accepted, 2);
    stream_close(sv.ends[1].s);
    SUITE_WAIT_COUNT(l, &sv.accepted, 3);
    stream_close(sv.ends[0].s);
    stream_close(sv.ends[2].s);
    for (int i = 0; i < 3; i++)
        SUITE_WAIT_COUNT(l, &clients[i].done, 1);
    server_close(&sv, l);
}

SUITE_TEST(a_detached_loop_accepts_no_more_and_what_it_accepted_lives_on)
{
    struct end server = {.send_total = 500, .receive_total = TO_THE_END}, client = {.receive_total = 500};
    struct loop *l = suite_loop(w, "server"), *pl = suite_peer_loop(w, "client");
    struct server sv = {.ends = {server}};
    sv.ends[0].silent = true;
    server_open(&sv, w, l, NULL);
    struct net_addr at = *listener_addr(sv.ln);
    end_connect(&client, pl, &at);
    suite_start(pl);
    SUITE_WAIT_COUNT(l, &sv.accepted, 1);
    server_close(&sv, l);
    stream_want(sv.ends[0].s, STREAM_READ | STREAM_WRITE);
    SUITE_WAIT_COUNT(l, &client.done, 1);
    SUITE_WAIT_COUNT(l, &sv.ends[0].done, 1);
    CHECK_EQ(client.received, 500);
    /* Nobody listens there any more. */
    struct loop *pl2 = suite_peer_loop(w, "late");
    struct end late = {.receive_total = TO_THE_END};
    end_connect(&late, pl2, &at);
    SUITE_WAIT_COUNT(pl2, &late.done, 1);
    CHECK_EQ(late.read_code ? late.read_code : late.write_code, ERR_UNAVAILABLE);
}

SUITE_TEST(a_port_is_listened_on_once)
{
    struct listener *ln, *other;
    listen_at(w, NULL, &ln);
    CHECK_ERR(CONFLICT, "could not listen on", listener_new(w->env, listener_addr(ln), NULL, &other, &e));
    listener_free(ln);
}
