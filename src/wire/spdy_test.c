#include "base/arena.h"
#include "base/mem.h"
#include "harness/test.h"
#include "wire/spdy_priv.h"
#include "wire/spdy_testing.h"

/* --- what the tests say with --- */

struct side {
    struct spdy *s;
    struct spdy_transcript events;
    struct buf out;
};

static struct side side_new(enum spdy_role role, const struct spdy_opts *opts)
{
    struct side d = {.s = spdy_new(role, opts)};
    buf_init(&d.events.text, 1 << 24);
    buf_init(&d.out, 1 << 26);
    return d;
}

static void side_done(struct side *d)
{
    spdy_free(d->s);
    buf_done(&d->events.text);
    buf_done(&d->out);
}

static void take_output(struct side *d)
{
    str o = spdy_output(d->s);
    buf_add(&d->out, o);
    spdy_written(d->s, o.n);
}

static void feed(struct side *d, str bytes, size_t step)
{
    while (bytes.n) {
        str part = str_slice(bytes, 0, step);
        bytes = str_from(bytes, part.n);
        struct spdy_event ev;
        while (spdy_next(d->s, &part, &ev))
            spdy_transcript_add(&d->events, &ev);
        CHECK_EQ(part.n, 0);
    }
    take_output(d);
}

/* Hands over what waits to be written. */
static void pass(struct side *from, struct side *to)
{
    take_output(from);
    feed(to, buf_str(&from->out), SIZE_MAX);
    buf_clear(&from->out);
}

static str events(struct side *d)
{
    return spdy_transcript_text(&d->events);
}

#define H(n, v) ((struct http_header){S(n), S(v)})
#define HEADERS(...)                           \
    (const struct http_header[]){__VA_ARGS__}, \
        sizeof((const struct http_header[]){__VA_ARGS__}) / sizeof(struct http_header)

static uint32_t open_stream(struct side *d, const char *type, unsigned flags)
{
    uint32_t id = 0;
    struct http_header h = {S("streamtype"), str_from_c(type)};
    CHECK_OK(spdy_open(d->s, &h, 1, flags, NULL, &id, &e));
    return id;
}

static void reply(struct side *d, uint32_t id)
{
    CHECK_OK(spdy_reply(d->s, id, NULL, 0, 0, &e));
}

/* Frames by hand. A block is compressed from its plain form without the dictionary, which may be left out. */
struct forge {
    struct buf b;
    z_stream z;
};

static struct forge *forge_new(void)
{
    struct forge *f = NEW(struct forge);
    buf_init(&f->b, 1 << 24);
    CHECK_EQ(deflateInit(&f->z, 9), Z_OK);
    return f;
}

static void forge_free(struct forge *f)
{
    deflateEnd(&f->z);
    buf_done(&f->b);
    mem_free(f);
}

static void add_u32(struct buf *b, uint32_t v)
{
    buf_add(b, str_of((const char[]){(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v}, 4));
}

static void forge_control(struct forge *f, unsigned type, unsigned flags, str payload)
{
    add_u32(&f->b, 0x80030000 | type);
    add_u32(&f->b, flags << 24 | (uint32_t)payload.n);
    buf_add(&f->b, payload);
}

static void forge_numbers(struct forge *f, unsigned type, const uint32_t *numbers, size_t n)
{
    add_u32(&f->b, 0x80030000 | type);
    add_u32(&f->b, (uint32_t)n * 4);
    for (size_t i = 0; i < n; i++)
        add_u32(&f->b, numbers[i]);
}
#define NUMBERS(...) \
    (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)

static void forge_data(struct forge *f, uint32_t id, unsigned flags, str data)
{
    add_u32(&f->b, id);
    add_u32(&f->b, flags << 24 | (uint32_t)data.n);
    buf_add(&f->b, data);
}

enum {
    SYN_STREAM = 1,
    SYN_REPLY = 2,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    MORE = 8,
    WINDOW_UPDATE = 9
};

static void forge_block(struct forge *f, unsigned type, unsigned flags, uint32_t id, str plain)
{
    struct buf payload;
    buf_init(&payload, 1 << 24);
    add_u32(&payload, id);
    if (type == SYN_STREAM)
        buf_add_n(&payload, 0, 6);
    size_t room = plain.n + 1000;
    f->z.next_in = (const Bytef *)plain.p;
    f->z.avail_in = (unsigned)plain.n;
    f->z.next_out = (Bytef *)buf_room(&payload, room);
    f->z.avail_out = (unsigned)room;
    CHECK_EQ(deflate(&f->z, Z_SYNC_FLUSH), Z_OK);
    buf_commit(&payload, room - f->z.avail_out);
    forge_control(f, type, flags, buf_str(&payload));
    buf_done(&payload);
}

#define BLOCK_EMPTY S("\0\0\0\0")
#define BLOCK_A     S("\0\0\0\1\0\0\0\1a\0\0\0\1b")

/* --- tests --- */

TEST(spdy_recorded_exec_of_the_originals_client_is_understood)
{
    str recorded = str_from(test_read_file(test_path("corpus/spdy/server-recorded-exec")), 1);
    for (size_t step = 1; step < 1000; step = step * 5 + 1) {
        struct side d = side_new(SPDY_SERVER, NULL);
        feed(&d, recorded, step);
        CHECK_OK(spdy_check(d.s, &e));
        /* Go's header maps have no order of their own: it is that of this recording. */
        CHECK_STR(
            events(&d),
            " stream 1{streamtype=error,requestid=0,port=8080}"
            " stream 3{streamtype=stdin,requestid=0,port=8080}"
            " stream 5{streamtype=stdout,requestid=0,port=8080}"
            " data 3<ls -l\n> end 3 end 5 end 1 stream 7{streamtype=bad,requestid=0,port=8080} goaway 0(0)");
        side_done(&d);
    }
}

TEST(spdy_recorded_exec_of_the_originals_server_is_understood)
{
    str recorded = str_from(test_read_file(test_path("corpus/spdy/client-recorded-exec")), 1);
    struct side d = side_new(SPDY_CLIENT, NULL);
    for (size_t i = 0; i < 4; i++)
        open_stream(&d, "x", 0);
    feed(&d, recorded, 1);
    CHECK_OK(spdy_check(d.s, &e));
    CHECK_STR(events(&d),
              " reply 1{} data 1<{\"metadata\":{},\"status\":\"Success\"}> end 1 reply 3{} reply 5{}"
              " data 5<hello from the container\n> end 5 pong 1 end 3 reply 7{} reset 7(5)");
    side_done(&d);
}

TEST(spdy_first_header_block_names_the_dictionary_of_version_3)
{
    struct side d = side_new(SPDY_CLIENT, NULL);
    open_stream(&d, "error", 0);
    str out = spdy_output(d.s);
    CHECK_STR(str_slice(out, 0, 4), S("\x80\x03\x00\x01"));
    CHECK_STR(str_slice(out, 8, 18), S("\0\0\0\1\0\0\0\0\0\0"));
    CHECK_STR(str_slice(out, 20, 24), S("\xe3\xc6\xa7\xc2"));
    CHECK_STR(str_slice(out, out.n - 4, out.n), S("\0\0\xff\xff")); /* flushed to a byte */
    side_done(&d);
}

TEST(spdy_streams_open_reply_carry_data_and_end)
{
    struct side client = side_new(SPDY_CLIENT, NULL), server = side_new(SPDY_SERVER, NULL);
    uint32_t id = 0;
    CHECK_OK(spdy_open(client.s,
                       HEADERS(H("streamtype", "stdin"), H("port", "80"), H("many", "x\0y"), H("none", "")),
                       0, &client, &id, &e));
    CHECK_EQ(id, 1);
    CHECK_EQ(spdy_room(client.s, id), 0);
    CHECK_ERR(AGAIN, "room for 0", spdy_send(client.s, id, S("early"), 0, &e));
    CHECK_ERR(AGAIN, "before its reply", spdy_send_headers(client.s, id, NULL, 0, 0, &e));
    pass(&client, &server);
    CHECK_STR(events(&server), " stream 1{streamtype=stdin,port=80,many=x,many=y,none=}");
    CHECK_ERR(AGAIN, "room for 0", spdy_send(server.s, id, S("early"), 0, &e));
    CHECK_OK(spdy_reply(server.s, id, HEADERS(H("a", "b")), 0, &e));
    CHECK_ERR(CLOSED, "stream 1", spdy_reply(server.s, id, NULL, 0, 0, &e));
    CHECK_OK(spdy_send(server.s, id, S("out"), SPDY_END, &e));
    CHECK_ERR(CLOSED, "stream 1", spdy_send(server.s, id, S("more"), 0, &e));
    pass(&server, &client);
    CHECK_STR(events(&client), " reply 1{a=b} data 1<out> end 1");
    CHECK(spdy_user(client.s, 1) == &client);
    CHECK_OK(spdy_send_headers(client.s, id, HEADERS(H("c", "d")), 0, &e));
    CHECK_OK(spdy_send(client.s, id, S("in"), 0, &e));
    CHECK_OK(spdy_send(client.s, id, S(""), SPDY_END, &e));
    CHECK_EQ(spdy_stream_count(client.s), 0);
    CHECK_ERR(CLOSED, "stream 1", spdy_send(client.s, id, S("x"), 0, &e));
    pass(&client, &server);
    CHECK_STR(str_from(events(&server), strlen(" stream 1{streamtype=stdin,port=80,many=x,many=y,none=}")),
              " headers 1{c=d} data 1<in> end 1");
    CHECK_EQ(spdy_stream_count(server.s), 0);
    side_done(&client);
    side_done(&server);
}

TEST(spdy_reset_ends_a_stream_on_both_sides_and_tells_the_other)
{
    struct side client = side_new(SPDY_CLIENT, NULL), server = side_new(SPDY_SERVER, NULL);
    uint32_t a = open_stream(&client, "a", 0), b = open_stream(&client, "b", 0);
    pass(&client, &server);
    spdy_reset(server.s, a, SPDY_REFUSED_STREAM);
    spdy_reset(server.s, a, SPDY_CANCEL); /* gone already */
    reply(&server, b);
    pass(&server, &client);
    CHECK_STR(events(&client), " reset 1(3) reply 3{}");
    CHECK_OK(spdy_send(client.s, b, S("x"), 0, &e));
    spdy_reset(client.s, b, SPDY_CANCEL);
    pass(&client, &server);
    CHECK_STR(events(&server), " stream 1{streamtype=a} stream 3{streamtype=b} data 3<x> reset 3(5)");
    CHECK_EQ(spdy_stream_count(client.s) + spdy_stream_count(server.s), 0);
    side_done(&client);
    side_done(&server);
}

TEST(spdy_server_can_open_streams_too)
{
    struct side client = side_new(SPDY_CLIENT, NULL), server = side_new(SPDY_SERVER, NULL);
    CHECK_EQ(open_stream(&server, "x", 0), 2);
    CHECK_EQ(open_stream(&server, "y", SPDY_ONE_WAY), 4);
    CHECK_EQ(open_stream(&server, "z", SPDY_END), 6);
    CHECK_OK(spdy_send(server.s, 4, S("news"), SPDY_END, &e));
    pass(&server, &client);
    CHECK_STR(events(&client),
              " stream 2{streamtype=x} stream 4{streamtype=y} one-way stream 6{streamtype=z} end 6"
              " data 4<news> end 4");
    CHECK_ERR(CLOSED, "stream 4", spdy_reply(client.s, 4, NULL, 0, 0, &e));
    CHECK_OK(spdy_reply(client.s, 6, NULL, 0, SPDY_END, &e));
    pass(&client, &server);
    CHECK_STR(events(&server), " reply 6{} end 6");
    CHECK_EQ(spdy_stream_count(client.s), 1);
    CHECK_EQ(spdy_stream_count(server.s), 1);
    side_done(&client);
    side_done(&server);
}

TEST(spdy_ping_comes_back_and_goaway_refuses_what_was_not_seen)
{
    struct side client = side_new(SPDY_CLIENT, NULL), server = side_new(SPDY_SERVER, NULL);
    CHECK_EQ(spdy_ping(client.s), 1);
    CHECK_EQ(spdy_ping(server.s), 2);
    pass(&client, &server);
    pass(&server, &client);
    pass(&client, &server);
    CHECK_STR(events(&client), " pong 1");
    CHECK_STR(events(&server), " pong 2");

    open_stream(&client, "seen", 0);
    pass(&client, &server);
    open_stream(&client, "late", 0);
    open_stream(&client, "later", 0);
    spdy_goaway(server.s, SPDY_GOAWAY_OK);
    spdy_goaway(server.s, SPDY_GOAWAY_INTERNAL_ERROR);
    pass(&client, &server); /* ignored */
    pass(&server, &client);
    CHECK_STR(events(&server), " pong 2 stream 1{streamtype=seen}");
    CHECK_STR(events(&client), " pong 1 goaway 1(0) reset 3(3) reset 5(3)");
    uint32_t id;
    CHECK_ERR(CLOSED, "ending", spdy_open(client.s, NULL, 0, 0, NULL, &id, &e));
    CHECK_ERR(CLOSED, "ending", spdy_open(server.s, NULL, 0, 0, NULL, &id, &e));
    /* Headers that were ignored were inflated: the next block is still understood. */
    CHECK_OK(spdy_reply(server.s, 1, HEADERS(H("a", "b")), SPDY_END, &e));
    pass(&server, &client);
    CHECK(!spdy_is_over(client.s));
    CHECK_OK(spdy_send_headers(client.s, 1, HEADERS(H("streamtype", "late")), SPDY_END, &e));
    pass(&client, &server);
    CHECK(str_ends(events(&server), S(" headers 1{streamtype=late} end 1")));
    CHECK(spdy_is_over(client.s) && spdy_is_over(server.s));
    side_done(&client);
    side_done(&server);
}

TEST(spdy_after_our_goaway_late_frames_are_not_answered)
{
    struct side d = side_new(SPDY_SERVER, NULL);
    struct forge *f = forge_new();
    spdy_goaway(d.s, SPDY_GOAWAY_OK);
    forge_block(f, SYN_STREAM, 0, 1, BLOCK_A);
    forge_data(f, 1, SPDY_END, S("x"));
    feed(&d, buf_str(&f->b), 1);
    CHECK_STR(events(&d), "");
    CHECK_EQ(d.out.n, 16);
    forge_free(f);
    side_done(&d);
}

TEST(spdy_refused_streams_leave_the_header_compression_in_step)
{
    struct spdy_opts few = {.stream_max = 2};
    struct side client = side_new(SPDY_CLIENT, NULL), server = side_new(SPDY_SERVER, &few);
    for (int i = 0; i < 4; i++)
        open_stream(&client, "abcdefghijklmnop", 0);
    pass(&client, &server);
    CHECK_STR(events(&server),
              " stream 1{streamtype=abcdefghijklmnop} stream 3{streamtype=abcdefghijklmnop}");
    spdy_reset(server.s, 1, SPDY_CANCEL);
    pass(&server, &client);
    CHECK_STR(events(&client), " reset 5(3) reset 7(3) reset 1(5)");
    open_stream(&client, "abcdefghijklmnop", 0);
    pass(&client, &server);
    CHECK(str_ends(events(&server), S(" stream 9{streamtype=abcdefghijklmnop}")));
    side_done(&client);
    side_done(&server);
}

TEST(spdy_own_streams_are_bounded_by_both_sides)
{
    struct spdy_opts few = {.stream_max = 2};
    struct side d = side_new(SPDY_CLIENT, &few);
    uint32_t id;
    open_stream(&d, "a", 0);
    open_stream(&d, "b", 0);
    CHECK_ERR(AGAIN, "2 are open", spdy_open(d.s, NULL, 0, 0, NULL, &id, &e));
    spdy_reset(d.s, 1, SPDY_CANCEL);
    open_stream(&d, "c", 0);
    spdy_reset(d.s, 3, SPDY_CANCEL);
    struct forge *f = forge_new();
    forge_numbers(f, SETTINGS, NUMBERS(1, 4, 1));
    feed(&d, buf_str(&f->b), 1);
    CHECK_ERR(AGAIN, "1 are open", spdy_open(d.s, NULL, 0, 0, NULL, &id, &e));
    forge_free(f);
    side_done(&d);
}

TEST(spdy_streams_may_be_opened_slightly_out_of_order)
{
    struct side d = side_new(SPDY_SERVER, NULL);
    struct forge *f = forge_new();
    static const uint32_t ids[] = {5, 1, 3, 3, 201, 75, 73, 71, 77};
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
        forge_block(f, SYN_STREAM, 0, ids[i], BLOCK_EMPTY);
    feed(&d, buf_str(&f->b), 7);
    /* 3 came twice, 73 and 71 are 64 streams and more back. */
    CHECK_STR(events(&d),
              " stream 5{} stream 1{} stream 3{} reset 3(1) stream 201{} stream 75{} stream 77{}");
    struct side client = side_new(SPDY_CLIENT, NULL);
    for (size_t i = 0; i < 40; i++)
        open_stream(&client, "x", 0);
    feed(&client, buf_str(&d.out), 1);
    CHECK_STR(events(&client), " reset 3(1) reset 73(1) reset 71(1)");
    forge_free(f);
    side_done(&d);
    side_done(&client);
}

TEST(spdy_errors_of_one_stream_end_that_stream)
{
    struct side d = side_new(SPDY_SERVER, NULL);
    struct forge *f = forge_new();
    forge_block(f, SYN_STREAM, 0, 1, S("\0\0\0\1\0\0\0\1A\0\0\0\1b"));                   /* not lower case */
    forge_block(f, SYN_STREAM, 0, 3, S("\0\0\0\2\0\0\0\1a\0\0\0\1b\0\0\0\1a\0\0\0\1c")); /* twice */
    forge_block(f, SYN_STREAM, 0, 5, S("\0\0\0\1\0\0\0\1a\0\0\0\1\0")); /* two empty values */
    forge_block(f, SYN_STREAM, 0, 7, S("\0\0\0\1\0\0\0\0\0\0\0\1b"));   /* no name */
    forge_block(f, SYN_STREAM, SPDY_END, 9, BLOCK_A);
    forge_data(f, 9, 0, S("after its end"));
    forge_block(f, SYN_STREAM, 0, 11, BLOCK_A);
    forge_block(f, SYN_REPLY, 0, 11, BLOCK_A); /* to its own stream */
    forge_data(f, 11, 0, S("late: ignored"));
    forge_data(f, 13, SPDY_END, S("never opened"));
    forge_block(f, MORE, 0, 15, BLOCK_A);         /* never opened */
    forge_block(f, SYN_REPLY, 0, 2, BLOCK_A);     /* ours, never opened */
    forge_numbers(f, RST_STREAM, NUMBERS(17, 1)); /* never opened: not answered */
    forge_block(f, SYN_STREAM, SPDY_END, 19, BLOCK_A);
    forge_block(f, MORE, 0, 19, BLOCK_A);
    feed(&d, buf_str(&f->b), 3);
    CHECK_OK(spdy_check(d.s, &e));
    CHECK_STR(events(&d),
              " stream 9{a=b} end 9 reset 9(9) stream 11{a=b} reset 11(1) stream 19{a=b} end 19 reset 19(9)");
    struct forge *want = forge_new();
    const uint32_t resets[][2] = {{1, 1},  {3, 1},  {5, 1},  {7, 1}, {9, 9},
                                  {11, 1}, {13, 2}, {15, 2}, {2, 2}, {19, 9}};
    for (size_t i = 0; i < ARRAY_COUNT(resets); i++)
        forge_numbers(want, RST_STREAM, resets[i], 2);
    CHECK_STR(buf_str(&d.out), buf_str(&want->b));
    forge_free(f);
    forge_free(want);
    side_done(&d);
}

TEST(spdy_a_reply_comes_once_and_before_data)
{
    struct side d = side_new(SPDY_CLIENT, NULL);
    for (int i = 0; i < 3; i++)
        open_stream(&d, "x", 0);
    struct forge *f = forge_new();
    forge_data(f, 1, 0, S("before the reply"));
    forge_block(f, SYN_REPLY, 0, 3, BLOCK_A);
    forge_block(f, SYN_REPLY, 0, 3, BLOCK_A);
    forge_block(f, SYN_REPLY, 0, 5, S("\0\0\0\1\0\0\0\1A\0\0\0\1b"));
    feed(&d, buf_str(&f->b), 1);
    CHECK_STR(events(&d), " reset 1(1) reply 3{a=b} reset 3(8) reset 5(1)");
    forge_free(f);
    side_done(&d);
}

static void forge_nothing(struct forge *f)
{
}
static void forge_bomb(struct forge *f)
{
    char *plain = mem_alloc_zero(1, 4000000);
    memcpy(plain, "\0\0\0\1\0\0\0\1a\0\x3d\x08\xf3", 13);
    forge_block(f, SYN_STREAM, 0, 1, str_of(plain, 4000000));
    mem_free(plain);
}
static void forge_large(struct forge *f)
{
    forge_block(f, SYN_STREAM, 0, 1,
                S("\0\0\0\1\0\0\0\1a\0\0\0\x40"
                  "0123456789012345678901234567890123456789012345678901234567890123"));
}
static void forge_short(struct forge *f)
{
    forge_block(f, SYN_STREAM, 0, 1, S("\0\0\0\1\0\0\0\1a\0\0\0\2b"));
}
static void forge_long(struct forge *f)
{
    forge_block(f, SYN_STREAM, 0, 1, S("\0\0\0\0x"));
}
static void forge_many(struct forge *f)
{
    forge_block(f, SYN_STREAM, 0, 1, S("\0\0\0\6"));
}
static void forge_many_values(struct forge *f)
{
    forge_block(f, SYN_STREAM, 0, 1, S("\0\0\0\1\0\0\0\1a\0\0\0\013x\0x\0x\0x\0x\0x"));
}
static void forge_no_block(struct forge *f)
{
    forge_numbers(f, SYN_REPLY, NUMBERS(1));
}
static void forge_zero_stream(struct forge *f)
{
    forge_block(f, SYN_STREAM, 0, 0, BLOCK_A);
}
static void forge_our_stream(struct forge *f)
{
    forge_block(f, SYN_STREAM, 0, 2, BLOCK_A);
}
static void forge_finished(struct forge *f)
{
    struct buf b;
    buf_init(&b, 1000);
    add_u32(&b, 1);
    buf_add(&b, S("\x78\x9c\x03\x00\x00\x00\x00\x01"));
    forge_control(f, SYN_REPLY, 0, buf_str(&b));
    buf_done(&b);
}

TEST(spdy_hostile_frames_end_the_session_with_a_goaway)
{
    const struct {
        const char *text;
        err_code code;
        void (*forge)(struct forge *f);
        str bytes;
    } cases[] = {
        {"a frame of version 2", ERR_PROTOCOL, forge_nothing, S("\x80\x02\0\6\0\0\0\4\0\0\0\1")},
        {"a frame of version 32767", ERR_PROTOCOL, forge_nothing, S("\xff\xff\xff\xff\xff\xff\xff\xff")},
        {"data on stream 0", ERR_PROTOCOL, forge_nothing, S("\0\0\0\0\0\0\0\1x")},
        {"type 6 with 5 bytes", ERR_PROTOCOL, forge_nothing, S("\x80\x03\0\6\0\0\0\5\0\0\0\1\0")},
        {"type 3 with 4 bytes", ERR_PROTOCOL, forge_nothing, S("\x80\x03\0\3\0\0\0\4\0\0\0\1")},
        {"type 7 with 4 bytes", ERR_PROTOCOL, forge_nothing, S("\x80\x03\0\7\0\0\0\4\0\0\0\1")},
        {"type 9 with 9 bytes", ERR_PROTOCOL, forge_nothing, S("\x80\x03\0\x09\0\0\0\x09\0\0\0\1\0\0\0\1\0")},
        {"type 1 with 9 bytes", ERR_PROTOCOL, forge_nothing, S("\x80\x03\0\1\0\0\0\x09\0\0\0\1\0\0\0\0\0")},
        {"type 2 with 3 bytes", ERR_PROTOCOL, forge_nothing, S("\x80\x03\0\2\0\0\0\3\0\0\0")},
        {"type 8 with 0 bytes", ERR_PROTOCOL, forge_nothing, S("\x80\x03\0\x08\0\0\0\0")},
        {"reset of stream 0 with status 1", ERR_PROTOCOL, forge_nothing,
         S("\x80\x03\0\3\0\0\0\x08\0\0\0\0\0\0\0\1")},
        {"reset of stream 1 with status 0", ERR_PROTOCOL, forge_nothing,
         S("\x80\x03\0\3\0\0\0\x08\0\0\0\1\0\0\0\0")},
        {"2 settings in 8 bytes", ERR_PROTOCOL, forge_nothing,
         S("\x80\x03\0\4\0\0\0\x0c\0\0\0\2\0\0\0\1\0\0\0\1")},
        {"4294967295 settings", ERR_PROTOCOL, forge_nothing, S("\x80\x03\0\4\0\0\0\4\xff\xff\xff\xff")},
        {"1 settings in 9 bytes", ERR_PROTOCOL, forge_nothing,
         S("\x80\x03\0\4\0\0\0\x0d\0\0\0\1\0\0\0\1\0\0\0\1\0")},
        {"could not be inflated: incorrect header", ERR_PROTOCOL, forge_nothing,
         S("\x80\x03\0\1\0\0\0\x10\0\0\0\1\0\0\0\0\0\0"
           "plain!")},
        {"could not be inflated", ERR_PROTOCOL, forge_nothing,
         S("\x80\x03\0\2\0\0\0\x0a\0\0\0\1\x78\xf9\0\0\0\1")},
        {"could not be inflated", ERR_PROTOCOL, forge_finished, STR_NONE},
        {"larger than 64 bytes", ERR_TOO_LARGE, forge_bomb, STR_NONE},
        {"larger than 64 bytes", ERR_TOO_LARGE, forge_large, STR_NONE},
        {"ends inside header 1 of 1", ERR_PROTOCOL, forge_short, STR_NONE},
        {"1 bytes after its last header", ERR_PROTOCOL, forge_long, STR_NONE},
        {"6 headers, at most 5", ERR_TOO_LARGE, forge_many, STR_NONE},
        {"more than 5 values", ERR_TOO_LARGE, forge_many_values, STR_NONE},
        {"has no count", ERR_PROTOCOL, forge_no_block, STR_NONE},
        {"headers of stream 0", ERR_PROTOCOL, forge_zero_stream, STR_NONE},
        {"number that is ours to give", ERR_PROTOCOL, forge_our_stream, STR_NONE},
    };
    struct spdy_opts opts = {.header_size_max = 64, .header_count_max = 5};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (size_t step = 1; step < 100; step += 98) {
            struct forge *f = forge_new();
            cases[i].forge(f);
            buf_add(&f->b, cases[i].bytes);
            struct side d = side_new(SPDY_SERVER, &opts);
            feed(&d, buf_str(&f->b), step);
            struct err why = ERR_INIT;
            CHECK_EQ(spdy_check(d.s, &why), cases[i].code);
            CHECK_CONTAINS(why.msg, cases[i].text);
            CHECK_STR(buf_str(&d.out), S("\x80\x03\0\7\0\0\0\x08\0\0\0\0\0\0\0\1"));
            CHECK_STR(events(&d), "");
            feed(&d, S("\x80\x03\0\6\0\0\0\4\0\0\0\1"), 1); /* a ping: ignored */
            CHECK_EQ(d.out.n, 16);
            uint32_t id;
            CHECK_ERR(CLOSED, "ending", spdy_open(d.s, NULL, 0, 0, NULL, &id, &e));
            CHECK(spdy_is_over(d.s));
            side_done(&d);
            forge_free(f);
        }
}

TEST(spdy_block_of_exactly_the_largest_size_is_taken)
{
    struct spdy_opts opts = {.header_size_max = 64 + 13};
    struct side d = side_new(SPDY_SERVER, &opts);
    struct forge *f = forge_new();
    forge_large(f);
    feed(&d, buf_str(&f->b), 1);
    CHECK_OK(spdy_check(d.s, &e));
    CHECK_CONTAINS(events(&d), "3456789");
    forge_free(f);
    side_done(&d);
}

TEST(spdy_unknown_control_frames_are_skipped)
{
    struct side d = side_new(SPDY_SERVER, NULL);
    struct forge *f = forge_new();
    forge_control(f, 10, 0, S("a credential"));
    forge_control(f, 5, 0, S(""));
    forge_control(f, 65535, 255, S("x"));
    forge_numbers(f, WINDOW_UPDATE, NUMBERS(0, 0)); /* no flow control: not looked at */
    forge_numbers(f, PING, NUMBERS(7));
    feed(&d, buf_str(&f->b), 1);
    CHECK_OK(spdy_check(d.s, &e));
    CHECK_STR(buf_str(&d.out), S("\x80\x03\0\6\0\0\0\4\0\0\0\7"));
    forge_free(f);
    side_done(&d);
}

TEST(spdy_bad_headers_are_not_sent_and_leave_no_trace)
{
    const struct {
        err_code code;
        struct http_header header;
    } cases[] = {
        {ERR_INVALID, H("Port", "1")}, {ERR_INVALID, H("", "1")},
        {ERR_INVALID, H("a b", "1")},  {ERR_INVALID, H("a", "x\0")},
        {ERR_INVALID, H("a", "\0x")},  {ERR_INVALID, H("a", "x\0\0y")},
        {ERR_INVALID, H("good", "1")}, {ERR_TOO_LARGE, {S("a"), {NULL, 200}}},
    };
    char large[200] = "";
    memset(large, 'x', sizeof large);
    struct spdy_opts opts = {.header_size_max = 150};
    struct side client = side_new(SPDY_CLIENT, &opts), server = side_new(SPDY_SERVER, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct http_header h[2] = {H("good", "yes"), cases[i].header};
        if (!h[1].value.p)
            h[1].value.p = large;
        struct err e = ERR_INIT;
        uint32_t id = 0;
        CHECK_EQ(spdy_open(client.s, h, 2, 0, NULL, &id, &e), cases[i].code);
        CHECK_EQ(id, 0);
    }
    CHECK_EQ(open_stream(&client, "x", 0), 1);
    pass(&client, &server);
    CHECK_STR(events(&server), " stream 1{streamtype=x}");
    side_done(&client);
    side_done(&server);
}

TEST(spdy_output_is_bounded)
{
    struct spdy_opts opts = {.output_max = 200};
    struct side client = side_new(SPDY_CLIENT, &opts), server = side_new(SPDY_SERVER, NULL);
    char bytes[300] = {0};
    uint32_t id = open_stream(&client, "x", 0);
    pass(&client, &server);
    reply(&server, id);
    pass(&server, &client);
    CHECK_ERR(TOO_LARGE, "does not fit", spdy_send(client.s, id, str_of(bytes, 300), 0, &e));
    CHECK_OK(spdy_send(client.s, id, str_of(bytes, 150), 0, &e));
    CHECK_ERR(TOO_LARGE, "158 of at most 200", spdy_send(client.s, id, str_of(bytes, 50), 0, &e));
    uint32_t other;
    CHECK_ERR(TOO_LARGE, "does not fit", spdy_open(client.s, NULL, 0, 0, NULL, &other, &e));
    /* A peer that pings and does not read. */
    struct forge *f = forge_new();
    for (uint32_t i = 2; i < 20; i += 2)
        forge_numbers(f, PING, NUMBERS(i));
    str in = buf_str(&f->b);
    struct spdy_event ev;
    CHECK(!spdy_next(client.s, &in, &ev));
    CHECK_ERR(TOO_LARGE, "did not read the answers", spdy_check(client.s, &e));
    CHECK_LE(spdy_output(client.s).n, 216);
    CHECK(str_ends(spdy_output(client.s), S("\x80\x03\0\7\0\0\0\x08\0\0\0\0\0\0\0\1")));
    forge_free(f);
    side_done(&client);
    side_done(&server);
}

TEST(spdy_head_and_payload_of_the_caller_make_one_frame)
{
    struct side client = side_new(SPDY_CLIENT, NULL), server = side_new(SPDY_SERVER, NULL);
    uint32_t id = open_stream(&client, "x", 0);
    pass(&client, &server);
    reply(&server, id);
    CHECK_OK(spdy_send_head(server.s, id, 6, SPDY_END, &e));
    /* A ping that comes now is answered behind the payload, not inside the frame. */
    struct spdy_event ev;
    str in = S("\x80\x03\0\6\0\0\0\4\0\0\0\7");
    CHECK(!spdy_next(server.s, &in, &ev));
    feed(&client, spdy_output(server.s), 1);
    spdy_written(server.s, 5);
    spdy_written(server.s, spdy_output(server.s).n);
    feed(&client, S("output"), 1);
    CHECK_STR(events(&client), " reply 1{} data 1<output> end 1");
    CHECK_STR(spdy_output(server.s), S("\x80\x03\0\6\0\0\0\4\0\0\0\7"));
    side_done(&client);
    side_done(&server);
}

/* --- flow control --- */

static const struct spdy_opts flow = {.flow_control = true};

TEST(spdy_flow_control_stops_the_sender_until_data_is_consumed)
{
    struct side client = side_new(SPDY_CLIENT, &flow), server = side_new(SPDY_SERVER, &flow);
    uint32_t id = open_stream(&client, "x", 0);
    pass(&client, &server);
    reply(&server, id);
    pass(&server, &client);
    buf_clear(&client.events.text);
    char *bytes = mem_alloc_zero(1, 65536);
    CHECK_EQ(spdy_room(client.s, id), 65536);
    CHECK_OK(spdy_send(client.s, id, str_of(bytes, 65536), 0, &e));
    CHECK_EQ(spdy_room(client.s, id), 0);
    CHECK_ERR(AGAIN, "could not send 1 bytes on SPDY stream 1: there is room for 0",
              spdy_send(client.s, id, S("x"), 0, &e));
    pass(&client, &server);
    spdy_consumed(server.s, id, 30000); /* less than half: not yet worth a frame */
    pass(&server, &client);
    CHECK_STR(events(&client), "");
    spdy_consumed(server.s, id, 10000);
    pass(&server, &client);
    CHECK_STR(events(&client), " room 1");
    CHECK_EQ(spdy_room(client.s, id), 40000);
    CHECK_OK(spdy_send(client.s, id, str_of(bytes, 40000), SPDY_END, &e));
    pass(&client, &server);
    CHECK_OK(spdy_check(server.s, &e));
    spdy_consumed(server.s, id, 60000); /* of a stream that has ended: nothing to say */
    CHECK_EQ(spdy_output(server.s).n, 0);
    mem_free(bytes);
    side_done(&client);
    side_done(&server);
}

TEST(spdy_session_window_stops_all_streams_and_wakes_those_that_wait)
{
    struct spdy_opts opts = {.flow_control = true, .session_window = 65536};
    struct side client = side_new(SPDY_CLIENT, &flow), server = side_new(SPDY_SERVER, &opts);
    uint32_t a = open_stream(&client, "a", 0), b = open_stream(&client, "b", 0),
             c = open_stream(&client, "c", 0);
    pass(&client, &server);
    reply(&server, a);
    reply(&server, b);
    reply(&server, c);
    pass(&server, &client);
    buf_clear(&client.events.text);
    char *bytes = mem_alloc_zero(1, 65536);
    CHECK_OK(spdy_send(client.s, a, str_of(bytes, 60000), 0, &e));
    CHECK_EQ(spdy_room(client.s, b), 5536);
    CHECK_OK(spdy_send(client.s, b, str_of(bytes, 5536), 0, &e));
    CHECK_EQ(spdy_room(client.s, a), 0);
    CHECK_EQ(spdy_room(client.s, c), 0);
    pass(&client, &server);
    /* Data of a stream that was reset in between counts for the session all the same. */
    spdy_reset(server.s, a, SPDY_CANCEL);
    spdy_consumed(server.s, a, 60000);
    pass(&server, &client);
    CHECK_STR(events(&client), " reset 1(5) room 3 room 5");
    CHECK_EQ(spdy_room(client.s, b), 60000);
    mem_free(bytes);
    side_done(&client);
    side_done(&server);
}

TEST(spdy_dropped_data_is_given_back_to_the_session)
{
    struct spdy_opts opts = {.flow_control = true, .session_window = 65536};
    struct side d = side_new(SPDY_SERVER, &opts);
    struct forge *f = forge_new();
    char *bytes = mem_alloc_zero(1, 30000);
    forge_block(f, SYN_STREAM, SPDY_END, 1, BLOCK_EMPTY);
    for (int i = 0; i < 10; i++)
        forge_data(f, 1, 0, str_of(bytes, 30000));
    feed(&d, buf_str(&f->b), 1000);
    CHECK_OK(spdy_check(d.s, &e));
    mem_free(bytes);
    forge_free(f);
    side_done(&d);
}

TEST(spdy_windows_that_are_broken_end_the_stream_or_the_session)
{
    const struct {
        const char *text; /* of the failure; NULL: the session goes on */
        const char *events;
        uint32_t numbers[4];
        size_t data_n;
    } cases[] = {
        {NULL, " stream 1{} reset 1(7)", {WINDOW_UPDATE, 1, 0x7fffffff - 65535}, 0},
        {NULL, " stream 1{}", {WINDOW_UPDATE, 1, 0x7fffffff - 65536}, 0},
        {NULL, " stream 1{}", {WINDOW_UPDATE, 99, 0x7fffffff}, 0},
        {NULL, " stream 1{} reset 1(7)", {0}, 65537},
        {"more than the session's window", " stream 1{}", {0}, 200000},
        {"past the largest window", " stream 1{}", {WINDOW_UPDATE, 0, 0x7fffffff - 65535}, 0},
        {"empty window update", " stream 1{}", {WINDOW_UPDATE, 1, 0}, 0},
        {"initial window of 2147483648", " stream 1{}", {SETTINGS, 1, 7, 0x80000000}, 0},
        {NULL, " stream 1{}", {SETTINGS, 1, 0x01000007, 0x7fffffff}, 0},
    };
    struct spdy_opts opts = {.flow_control = true, .session_window = 150000};
    char *bytes = mem_alloc_zero(1, 200000);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct side d = side_new(SPDY_SERVER, &opts);
        struct forge *f = forge_new();
        forge_block(f, SYN_STREAM, 0, 1, BLOCK_EMPTY);
        if (cases[i].numbers[0])
            forge_numbers(f, cases[i].numbers[0], cases[i].numbers + 1,
                          cases[i].numbers[0] == SETTINGS ? 3 : 2);
        else
            forge_data(f, 1, 0, str_of(bytes, cases[i].data_n));
        feed(&d, buf_str(&f->b), 4096);
        CHECK_STR(events(&d), cases[i].events);
        struct err why = ERR_INIT;
        CHECK_EQ(spdy_check(d.s, &why), cases[i].text ? ERR_PROTOCOL : ERR_NONE);
        if (cases[i].text)
            CHECK_CONTAINS(why.msg, cases[i].text);
        forge_free(f);
        side_done(&d);
    }
    mem_free(bytes);
}

TEST(spdy_initial_window_changes_reach_open_streams_even_below_zero)
{
    struct side d = side_new(SPDY_SERVER, &flow);
    struct forge *f = forge_new();
    forge_block(f, SYN_STREAM, 0, 1, BLOCK_EMPTY);
    feed(&d, buf_str(&f->b), 1);
    reply(&d, 1);
    char bytes[1000] = {0};
    CHECK_OK(spdy_send(d.s, 1, str_of(bytes, 1000), 0, &e));
    buf_clear(&f->b);
    forge_numbers(f, SETTINGS, NUMBERS(1, 7, 400)); /* 600 too many are on their way */
    feed(&d, buf_str(&f->b), 1);
    CHECK_EQ(spdy_room(d.s, 1), 0);
    buf_clear(&f->b);
    forge_numbers(f, WINDOW_UPDATE, NUMBERS(1, 600));
    feed(&d, buf_str(&f->b), 1);
    CHECK_EQ(spdy_room(d.s, 1), 0);
    buf_clear(&f->b);
    forge_numbers(f, SETTINGS, NUMBERS(1, 7, 450));
    feed(&d, buf_str(&f->b), 1);
    CHECK_EQ(spdy_room(d.s, 1), 50);
    CHECK_STR(events(&d), " stream 1{} room 1");
    forge_free(f);
    side_done(&d);
}

TEST(spdy_streaming_costs_no_heap_calls)
{
    struct side client = side_new(SPDY_CLIENT, NULL), server = side_new(SPDY_SERVER, NULL);
    uint32_t id = open_stream(&client, "x", 0);
    pass(&client, &server);
    reply(&server, id);
    pass(&server, &client);
    char bytes[4096] = {0};
    uint64_t before = 0;
    for (size_t i = 0; i < 100; i++) {
        struct spdy_event ev;
        CHECK_OK(spdy_send(server.s, id, str_of(bytes, sizeof bytes), 0, &e));
        str out = spdy_output(server.s);
        const char *from = out.p;
        CHECK(spdy_next(client.s, &out, &ev));
        CHECK(ev.data.p == from + 8 && ev.data.n == sizeof bytes); /* not copied */
        spdy_written(server.s, spdy_output(server.s).n);
        if (i == 0)
            before = mem_thread_allocs();
    }
    CHECK_EQ(mem_thread_allocs(), before);
    side_done(&client);
    side_done(&server);
}

/* --- two engines against a model --- */

enum { MODEL_STREAMS = 200, MODEL_SIZE = 65536 };

struct model_stream {
    uint32_t sum[2], count[2]; /* of what was sent, by side */
    uint32_t got_sum[2], got_count[2];
    bool ended[2], got_end[2], reset;
};

struct model {
    uint64_t random;
    struct side sides[2]; /* server, client */
    struct model_stream streams[2 * MODEL_STREAMS];
    size_t open_count;
    char bytes[MODEL_SIZE];
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint32_t add_sum(uint32_t sum, str data)
{
    for (size_t i = 0; i < data.n; i++)
        sum = sum * 31 + (uint8_t)data.p[i];
    return sum;
}

static void model_event(struct model *m, size_t side, const struct spdy_event *ev)
{
    struct spdy *s = m->sides[side].s;
    struct model_stream *st = ev->stream ? &m->streams[ev->stream - 1] : NULL;
    if (ev->type == SPDY_STREAM) {
        CHECK_STR(ev->headers[0].value, "model");
        if (next_random(&m->random) % 10 == 0) {
            st->reset = true;
            spdy_reset(s, ev->stream, SPDY_REFUSED_STREAM);
        } else {
            struct err e = ERR_INIT;
            CHECK(!spdy_reply(s, ev->stream, HEADERS(H("a", "b")), 0, &e));
        }
    }
    if (ev->type == SPDY_DATA) {
        st->got_sum[!side] = add_sum(st->got_sum[!side], ev->data);
        st->got_count[!side] += (uint32_t)ev->data.n;
        spdy_consumed(s, ev->stream, ev->data.n);
    }
    if (ev->end)
        st->got_end[!side] = true;
    if (ev->type == SPDY_RESET)
        CHECK(st->reset && ev->status == SPDY_REFUSED_STREAM);
}

static void model_move(struct model *m, size_t from, size_t n)
{
    str part = str_slice(spdy_output(m->sides[from].s), 0, n);
    n = part.n;
    struct spdy_event ev;
    while (spdy_next(m->sides[!from].s, &part, &ev))
        model_event(m, !from, &ev);
    spdy_written(m->sides[from].s, n);
}

static void model_act(struct model *m, bool finishing)
{
    size_t side = next_random(&m->random) % 2;
    struct spdy *s = m->sides[side].s;
    struct err e = ERR_INIT;
    uint32_t id;
    if (!finishing && m->open_count < MODEL_STREAMS && next_random(&m->random) % 8 == 0 &&
        !spdy_open(s, HEADERS(H("streamtype", "model"), H("port", "80")), 0, NULL, &id, &e))
        m->open_count++;
    id = (uint32_t)(next_random(&m->random) % (2 * MODEL_STREAMS)) + 1;
    struct model_stream *st = &m->streams[id - 1];
    size_t room = spdy_room(s, id), n = size_min(room, next_random(&m->random) % 20000);
    if (!room && !finishing)
        return;
    bool end = finishing || next_random(&m->random) % 8 == 0;
    str data = finishing ? STR_NONE : str_of(m->bytes + next_random(&m->random) % 1000, n);
    if (!spdy_send(s, id, data, end ? SPDY_END : 0, &e)) {
        st->sum[side] = add_sum(st->sum[side], data);
        st->count[side] += (uint32_t)data.n;
        st->ended[side] |= end;
    }
}

TEST_WITHIN(spdy_peers_understand_each_other_over_any_split, 40)
{
    uint64_t random = test_seed() | 1;
    for (int round = 0; round < (test_is_sanitized() ? 4 : 20); round++) {
        struct model *m = NEW(struct model);
        m->random = random;
        for (size_t i = 0; i < MODEL_SIZE; i++)
            m->bytes[i] = (char)next_random(&m->random);
        struct spdy_opts opts = {.flow_control = round % 2, .stream_max = 30, .session_window = 200000};
        for (size_t i = 0; i < 2; i++)
            m->sides[i] = side_new(i ? SPDY_CLIENT : SPDY_SERVER, &opts);
        for (int i = 0; i < 20000; i++) {
            model_act(m, false);
            size_t from = next_random(&m->random) % 2;
            model_move(m, from, next_random(&m->random) % 3 ? next_random(&m->random) % 100 : 30000);
        }
        for (size_t i = 0; spdy_stream_count(m->sides[0].s) + spdy_stream_count(m->sides[1].s); i++) {
            CHECK_LT(i, 100000);
            model_act(m, true);
            model_move(m, i % 2, SIZE_MAX);
        }
        CHECK_GT(m->open_count, 100);
        size_t whole = 0;
        for (size_t i = 0; i < 2 * MODEL_STREAMS; i++) {
            struct model_stream *st = &m->streams[i];
            for (size_t side = 0; side < 2 && !st->reset; side++) {
                CHECK_EQ(st->got_count[side], st->count[side]);
                CHECK_EQ(st->got_sum[side], st->sum[side]);
                CHECK_EQ(st->got_end[side], st->ended[side]);
                whole += st->ended[side];
            }
        }
        CHECK_GT(whole, 100);
        for (size_t i = 0; i < 2; i++) {
            CHECK_OK(spdy_check(m->sides[i].s, &e));
            side_done(&m->sides[i]);
        }
        random = m->random;
        mem_free(m);
    }
}
