/* spdy_fuzz.c - any bytes, either role, with and without flow control: fed whole or byte by byte they give the same
 * events, the same answers and the same failure; what is answered is itself valid for the other role. */
#include "base/mem.h"
#include "harness/test.h"
#include "wire/spdy_testing.h"
#define ZLIB_CONST
#include <zlib.h>

enum { FLAG_CLIENT = 1, FLAG_FLOW = 2, FLAG_SMALL = 4, FLAG_PLAIN = 8, RUN_MAX = 1 << 24 };

struct run {
    struct spdy *s;
    struct spdy_transcript events;
    struct buf out;
    struct err err;
    size_t unconsumed[64]; /* by stream, as far as they are counted */
};

static void act(struct run *r, const struct spdy_event *ev)
{
    struct err e = ERR_INIT;
    const struct http_header answer[] = {{S("x"), S("y")}, {S("streamtype"), S("stdout")}};
    if (ev->type == SPDY_STREAM && ev->stream % 16 == 13)
        spdy_reset(r->s, ev->stream, SPDY_REFUSED_STREAM);
    else if (ev->type == SPDY_STREAM)
        err_ignore(spdy_reply(r->s, ev->stream, answer, 2, ev->stream % 16 == 11 ? SPDY_END : 0, &e));
    if (ev->type == SPDY_REPLY || ev->type == SPDY_HEADERS || ev->type == SPDY_ROOM || ev->end) {
        size_t room = spdy_room(r->s, ev->stream);
        str text = S("some bytes to send, as many as there is room for");
        err_ignore(spdy_send(r->s, ev->stream, str_slice(text, 0, room), ev->end ? SPDY_END : 0, &e));
    }
    /* Consuming depends on pieces unless it waits for something else to happen. */
    if (ev->type == SPDY_DATA && ev->stream < ARRAY_COUNT(r->unconsumed))
        r->unconsumed[ev->stream] += ev->data.n;
    for (uint32_t i = 0; ev->type == SPDY_HEADERS && i < ARRAY_COUNT(r->unconsumed); i++) {
        spdy_consumed(r->s, i, r->unconsumed[i]);
        r->unconsumed[i] = 0;
    }
}

static void take_output(struct run *r)
{
    str o = spdy_output(r->s);
    buf_add(&r->out, o);
    spdy_written(r->s, o.n);
}

static void run(struct run *r, unsigned flags, str bytes, size_t step)
{
    *r = (struct run){.err = ERR_INIT};
    buf_init(&r->events.text, RUN_MAX);
    buf_init(&r->out, RUN_MAX);
    struct spdy_opts opts = {.flow_control = flags & FLAG_FLOW};
    if (flags & FLAG_SMALL)
        opts = (struct spdy_opts){.flow_control = opts.flow_control,
                                  .header_size_max = 64,
                                  .header_count_max = 3,
                                  .stream_max = 2,
                                  .output_max = 300};
    r->s = spdy_new(flags & FLAG_CLIENT ? SPDY_CLIENT : SPDY_SERVER, &opts);
    for (uint32_t i = 0, id; i < 3; i++)
        err_ignore(spdy_open(r->s, &(struct http_header){S("port"), S("80")}, 1, i == 1 ? SPDY_END : 0, r,
                             &id, &r->err));
    r->err = ERR_INIT;
    while (bytes.n) {
        str part = str_slice(bytes, 0, step);
        bytes = str_from(bytes, part.n);
        struct spdy_event ev;
        while (spdy_next(r->s, &part, &ev)) {
            CHECK(ev.type != SPDY_DATA || ev.data.n || ev.end);
            spdy_transcript_add(&r->events, &ev);
            act(r, &ev);
            take_output(r);
        }
        CHECK_EQ(part.n, 0);
        if (!(flags & FLAG_SMALL))
            take_output(r);
    }
    take_output(r);
    err_ignore(spdy_check(r->s, &r->err)); /* compared by the caller */
    spdy_transcript_text(&r->events);
    spdy_free(r->s);
}

static void run_done(struct run *r)
{
    buf_done(&r->events.text);
    buf_done(&r->out);
}

/* Compresses the header blocks of frames that hold them plainly: what a fuzzer cannot be expected to do. */
static void compress_blocks(struct buf *to, str bytes)
{
    z_stream z = {0};
    ASSERT(deflateInit2(&z, 1, Z_DEFLATED, 10, 1, Z_DEFAULT_STRATEGY) == Z_OK); /* the cheapest to set up */
    while (bytes.n >= 8) {
        const uint8_t *p = (const uint8_t *)bytes.p;
        size_t size = size_min((size_t)p[6] << 8 | p[7], bytes.n - 8);
        size_t fixed = p[0] != 0x80 ? size : p[3] == 1 ? 10 : p[3] == 2 || p[3] == 8 ? 4 : size;
        fixed = size_min(fixed, size);
        char packed[2048];
        z.next_in = p + 8 + fixed;
        z.avail_in = (unsigned)size_min(size - fixed, 1024);
        z.next_out = (Bytef *)packed;
        z.avail_out = sizeof packed;
        if (fixed < size)
            ASSERT(deflate(&z, Z_SYNC_FLUSH) == Z_OK);
        size_t packed_n = sizeof packed - z.avail_out, new_size = fixed + packed_n;
        buf_add(to, str_slice(bytes, 0, 5));
        buf_add(to, str_of((const char[]){(char)(new_size >> 16), (char)(new_size >> 8), (char)new_size}, 3));
        buf_add(to, str_slice(bytes, 8, 8 + fixed));
        buf_add(to, str_of(packed, packed_n));
        bytes = str_from(bytes, 8 + size);
    }
    buf_add(to, bytes);
    deflateEnd(&z);
}

FUZZ(spdy)
{
    if (size < 1)
        return;
    unsigned flags = data[0];
    struct buf compressed;
    buf_init(&compressed, RUN_MAX);
    str bytes = str_of((const char *)data + 1, size - 1);
    if (flags & FLAG_PLAIN) {
        compress_blocks(&compressed, bytes);
        bytes = buf_str(&compressed);
    }
    struct run whole, single, other;
    run(&whole, flags, bytes, SIZE_MAX);
    /* Windows need many bytes to be used up; what they are full of does not matter. */
    run(&single, flags, bytes, bytes.n <= 4096 ? 1 : 61);
    CHECK_STR(whole.err.msg, single.err.msg);
    CHECK_EQ(whole.err.code, single.err.code);
    CHECK_STR(buf_str(&whole.events.text), buf_str(&single.events.text));
    CHECK_STR(buf_str(&whole.out), buf_str(&single.out));
    run(&other, ~flags & FLAG_CLIENT, buf_str(&whole.out), SIZE_MAX);
    CHECK_STR(other.err.msg, "");
    run_done(&whole);
    run_done(&single);
    run_done(&other);
    buf_done(&compressed);
}
