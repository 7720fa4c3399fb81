/* protobuf_fuzz.c - what can be read can be written in shortest form and then reads the same; written again it does not
 * change. As a message (bytes that happen to be one are entered), and as an envelope. */
#include "harness/test.h"
#include "wire/protobuf.h"

/* Copies a message; content of odd fields is taken for messages where it can be one. */
static void copy_message(struct pb_reader *r, struct buf *to)
{
    while (pb_next(r)) {
        uint32_t field = r->field;
        switch (r->wire) {
        case PB_VARINT: pb_add_varint(to, field, pb_varint(r)); break;
        case PB_FIXED32: pb_add_fixed32(to, field, pb_fixed32(r)); break;
        case PB_FIXED64: pb_add_fixed64(to, field, pb_fixed64(r)); break;
        case PB_BYTES:
            if (field % 2 == 0) {
                pb_add_bytes(to, field, pb_bytes(r));
                break;
            }
            struct pb_mark outer = pb_enter(r);
            size_t at = pb_begin(to, field);
            copy_message(r, to);
            pb_end(to, at);
            pb_leave(r, outer);
            break;
        }
    }
}

static bool copy(str bytes, struct buf *to)
{
    struct err err = ERR_INIT;
    struct pb_reader r;
    pb_reader_init(&r, bytes);
    copy_message(&r, to);
    if (pb_check(&r, &err)) {
        CHECK(r.p >= (const uint8_t *)bytes.p && r.p <= (const uint8_t *)bytes.p + bytes.n);
        return false;
    }
    CHECK(r.p == r.end);
    return true;
}

static void check_envelope(str bytes)
{
    struct err err = ERR_INIT;
    struct pb_envelope first, second;
    if (pb_envelope_decode(bytes, &first, &err))
        return;
    struct buf b;
    buf_init(&b, 1 << 24);
    pb_envelope_encode(&b, &first);
    CHECK_OK(pb_envelope_decode(buf_str(&b), &second, &e));
    CHECK_STR(second.api_version, first.api_version);
    CHECK_STR(second.kind, first.kind);
    CHECK_STR(second.raw, first.raw);
    CHECK_STR(second.content_encoding, first.content_encoding);
    CHECK_STR(second.content_type, first.content_type);
    buf_done(&b);
}

FUZZ(protobuf)
{
    str bytes = str_of((const char *)data, size);
    check_envelope(bytes);
    str_take_prefix(&bytes, PB_ENVELOPE_MAGIC);
    struct buf first, second;
    buf_init(&first, 1 << 24);
    buf_init(&second, 1 << 24);
    if (copy(bytes, &first)) {
        CHECK_LE(first.n, bytes.n); /* shortest form */
        CHECK(copy(buf_str(&first), &second));
        CHECK_STR(buf_str(&second), buf_str(&first));
    }
    buf_done(&first);
    buf_done(&second);
}
