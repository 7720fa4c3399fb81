/* protobuf.h - the wire format of Protocol Buffers, without a schema: fields in, fields out, and the envelope Kubernetes
 * puts around its objects. Who knows the types (by table) stands on top.
 *
 *     struct pb_reader r;
 *     pb_reader_init(&r, bytes);
 *     while (pb_next(&r))
 *         switch (r.field) {
 *         case 1: name = pb_bytes(&r); break;
 *         case 2: replicas = (int32_t)pb_varint(&r); break;
 *         case 3: {
 *             struct pb_mark outer = pb_enter(&r);
 *             while (pb_next(&r)) ...
 *             pb_leave(&r, outer);
 *             break;
 *         }
 *         default: pb_skip(&r);
 *         }
 *     return pb_check(&r, err);
 *
 * Reading borrows from the bytes and allocates nothing. Failure is sticky: everything then reads as zero and pb_next is
 * false, so that one check at the end is enough.
 * Writing appends to a struct buf, whose failure is sticky too. A nested message is written in place and moved by a byte
 * or two when its size turns out to need them; that measured the same as writing backwards, and needs no size pass.
 * Groups are refused: no interface we speak has them. Threads: one at a time. */
#ifndef WIRE_PROTOBUF_H
#define WIRE_PROTOBUF_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

#define PB_FIELD_MAX  ((1u << 29) - 1)
#define PB_DEPTH_MAX  128 /* messages inside messages */
#define PB_VARINT_MAX 10  /* bytes */

struct pb_reader {
    uint32_t field; /* what pb_next found */
    enum pb_wire wire;
    const uint8_t *p, *end; /* of the message that is being read */
    const uint8_t *start;   /* of the outermost */
    unsigned depth;
    const char *failure; /* NULL while all is well */
};

void pb_reader_init(struct pb_reader *r, str bytes);
/* The next field of this message. False: there is none, or it failed. Its value must then be taken, by one of those
 * below (another wire type than theirs is a failure), by pb_enter, or by pb_skip. */
bool pb_next(struct pb_reader *r);
uint64_t pb_varint(struct pb_reader *r); /* int32 and enums: cast; bool: != 0 */
uint32_t pb_fixed32(struct pb_reader *r);
uint64_t pb_fixed64(struct pb_reader *r);
double pb_double(struct pb_reader *r);
str pb_bytes(struct pb_reader *r); /* bytes or text: UTF-8 is the caller's question */
void pb_skip(struct pb_reader *r);

struct pb_mark {
    const uint8_t *end;
};
/* Reads inside the field (of PB_BYTES) until pb_leave, which goes on behind it, whether all of it was read or not. */
struct pb_mark pb_enter(struct pb_reader *r);
void pb_leave(struct pb_reader *r, struct pb_mark outer);
/* Repeated numbers come one by one or packed. Inside a packed field (pb_enter): the next, without a tag; false: no more. */
bool pb_next_packed(struct pb_reader *r, uint64_t *ret);

void pb_fail(struct pb_reader *r, const char *why); /* for what the layer above finds; a text that lives on */
err_code pb_check(const struct pb_reader *r, struct err *err); /* SYNTAX, with the byte */

/* --- writing --- */
static inline size_t pb_varint_size(uint64_t v)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    return (bits + 6) / 7;
}
/* To at least pb_varint_size bytes; returns the end. */
static inline char *pb_store_varint(char *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *to++ = (char)(v | 0x80);
    *to++ = (char)v;
    return to;
}
void pb_add_raw_varint(struct buf *b, uint64_t v);             /* without a tag: for packed fields */
void pb_add_varint(struct buf *b, uint32_t field, uint64_t v); /* a negative int32 is cast through int64 */
void pb_add_fixed32(struct buf *b, uint32_t field, uint32_t v);
void pb_add_fixed64(struct buf *b, uint32_t field, uint64_t v);
void pb_add_double(struct buf *b, uint32_t field, double v);
void pb_add_bytes(struct buf *b, uint32_t field, str v);
/* What is added until pb_end, to which the result goes, is the field's content: a message, or packed numbers. */
size_t pb_begin(struct buf *b, uint32_t field);
void pb_end(struct buf *b, size_t at);

/* --- the envelope of application/vnd.kubernetes.protobuf: `k8s\0`, then runtime.Unknown --- */
#define PB_ENVELOPE_MAGIC S("k8s\0")

struct pb_envelope {
    str api_version, kind;
    str raw; /* the object's message */
    str content_encoding, content_type;
};
/* Borrows. SYNTAX: no such prefix, or not a runtime.Unknown. */
err_code pb_envelope_decode(str bytes, struct pb_envelope *ret, struct err *err);
void pb_envelope_encode(struct buf *b, const struct pb_envelope *e);
/* The same without a copy of the object: it is added between the two. */
size_t pb_envelope_begin(struct buf *b, str api_version, str kind);
void pb_envelope_end(struct buf *b, size_t at);

#endif
