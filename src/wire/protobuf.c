/* protobuf.c - reading and writing protobuf fields. */
#include "wire/protobuf.h"

/* --- reading --- */

void pb_reader_init(struct pb_reader *r, str bytes)
{
    const uint8_t *p = (const uint8_t *)(bytes.p ? bytes.p : "");
    *r = (struct pb_reader){.p = p, .end = p + bytes.n, .start = p};
}

void pb_fail(struct pb_reader *r, const char *why)
{
    if (!r->failure)
        r->failure = why;
}

err_code pb_check(const struct pb_reader *r, struct err *err)
{
    if (!r->failure)
        return ERR_NONE;
    return err_set(err, ERR_SYNTAX, "protobuf: %s, at byte %zu", r->failure, (size_t)(r->p - r->start));
}

static uint64_t take_varint_slow(struct pb_reader *r)
{
    uint64_t v = 0;
    const uint8_t *p = r->p;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (p == r->end) {
            pb_fail(r, "a number is cut off");
            return 0;
        }
        uint8_t c = *p++;
        if (shift == 63 && c > 1)
            break;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            r->p = p;
            return v;
        }
    }
    pb_fail(r, "a number is larger than 64 bits");
    return 0;
}

static uint64_t take_varint(struct pb_reader *r)
{
    if (UNLIKELY(r->failure))
        return 0;
    if (LIKELY(r->p < r->end && *r->p < 0x80))
        return *r->p++;
    return take_varint_slow(r);
}

bool pb_next(struct pb_reader *r)
{
    if (r->failure || r->p == r->end)
        return false;
    const uint8_t *at = r->p;
    uint64_t tag = take_varint(r);
    if (r->failure)
        return false;
    if (tag > UINT32_MAX || tag < 8) {
        r->p = at;
        pb_fail(r, "a tag has no valid field number");
        return false;
    }
    r->field = (uint32_t)tag >> 3;
    switch (tag & 7) {
    case PB_VARINT:
    case PB_FIXED64:
    case PB_BYTES:
    case PB_FIXED32: r->wire = (enum pb_wire)(tag & 7); return true;
    default:
        r->p = at;
        pb_fail(r, (tag & 7) == 3 || (tag & 7) == 4 ? "a group, which is not supported"
                                                    : "an unknown wire type");
        return false;
    }
}

/* False: nothing more can be read. */
static bool expect(struct pb_reader *r, enum pb_wire wire)
{
    if (UNLIKELY(r->wire != wire))
        pb_fail(r, "a field has the wrong wire type");
    return !r->failure;
}

uint64_t pb_varint(struct pb_reader *r)
{
    return expect(r, PB_VARINT) ? take_varint(r) : 0;
}

static const uint8_t *take(struct pb_reader *r, size_t n)
{
    if (n > (size_t)(r->end - r->p)) {
        pb_fail(r, "a field is longer than what is left");
        return NULL;
    }
    r->p += n;
    return r->p - n;
}

static uint64_t take_fixed(struct pb_reader *r, size_t n)
{
    const uint8_t *p = take(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

uint32_t pb_fixed32(struct pb_reader *r)
{
    return expect(r, PB_FIXED32) ? (uint32_t)take_fixed(r, 4) : 0;
}

uint64_t pb_fixed64(struct pb_reader *r)
{
    return expect(r, PB_FIXED64) ? take_fixed(r, 8) : 0;
}

double pb_double(struct pb_reader *r)
{
    uint64_t bits = pb_fixed64(r);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

str pb_bytes(struct pb_reader *r)
{
    if (!expect(r, PB_BYTES))
        return STR_NONE;
    uint64_t n = take_varint(r);
    const uint8_t *p = r->failure ? NULL : take(r, n);
    return p ? str_of((const char *)p, (size_t)n) : STR_NONE;
}

void pb_skip(struct pb_reader *r)
{
    switch (r->wire) {
    case PB_VARINT: pb_varint(r); break;
    case PB_FIXED64: pb_fixed64(r); break;
    case PB_BYTES: pb_bytes(r); break;
    case PB_FIXED32: pb_fixed32(r); break;
    }
}

struct pb_mark pb_enter(struct pb_reader *r)
{
    struct pb_mark outer = {r->end};
    str inside = pb_bytes(r);
    if (r->depth == PB_DEPTH_MAX)
        pb_fail(r, "messages are nested too deep");
    r->depth++;
    if (r->failure)
        return outer;
    r->end = r->p;
    r->p -= inside.n;
    return outer;
}

void pb_leave(struct pb_reader *r, struct pb_mark outer)
{
    ASSERT(r->depth && r->end <= outer.end);
    r->depth--;
    if (!r->failure)
        r->p = r->end;
    r->end = outer.end;
}

bool pb_next_packed(struct pb_reader *r, uint64_t *ret)
{
    if (r->failure || r->p == r->end)
        return false;
    uint64_t v = take_varint(r);
    if (r->failure)
        return false;
    *ret = v;
    return true;
}

/* --- writing --- */

/* Room for a tag, a number behind it and `more` bytes. NULL: the buffer is full. */
static char *room_for_field(struct buf *b, uint32_t field, enum pb_wire wire, size_t number_max, size_t more,
                            char **ret_at)
{
    ASSERT(field && field <= PB_FIELD_MAX);
    uint32_t tag = field << 3 | wire;
    char *p = buf_room(b, pb_varint_size(tag) + number_max + more);
    *ret_at = p ? pb_store_varint(p, tag) : NULL;
    return p;
}

void pb_add_raw_varint(struct buf *b, uint64_t v)
{
    size_t n = pb_varint_size(v);
    char *p = buf_room(b, n);
    if (p) {
        pb_store_varint(p, v);
        b->n += n;
    }
}

void pb_add_varint(struct buf *b, uint32_t field, uint64_t v)
{
    char *at, *p = room_for_field(b, field, PB_VARINT, pb_varint_size(v), 0, &at);
    if (p)
        b->n += (size_t)(pb_store_varint(at, v) - p);
}

static void add_fixed(struct buf *b, uint32_t field, enum pb_wire wire, uint64_t v, size_t n)
{
    char *at, *p = room_for_field(b, field, wire, 0, n, &at);
    if (!p)
        return;
    for (size_t i = 0; i < n; i++)
        *at++ = (char)(v >> 8 * i);
    b->n += (size_t)(at - p);
}

void pb_add_fixed32(struct buf *b, uint32_t field, uint32_t v)
{
    add_fixed(b, field, PB_FIXED32, v, 4);
}

void pb_add_fixed64(struct buf *b, uint32_t field, uint64_t v)
{
    add_fixed(b, field, PB_FIXED64, v, 8);
}

void pb_add_double(struct buf *b, uint32_t field, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    add_fixed(b, field, PB_FIXED64, bits, 8);
}

void pb_add_bytes(struct buf *b, uint32_t field, str v)
{
    char *at, *p = room_for_field(b, field, PB_BYTES, pb_varint_size(v.n), v.n, &at);
    if (!p)
        return;
    at = pb_store_varint(at, v.n);
    if (v.n)
        memcpy(at, v.p, v.n);
    b->n += (size_t)(at - p) + v.n;
}

size_t pb_begin(struct buf *b, uint32_t field)
{
    char *at, *p = room_for_field(b, field, PB_BYTES, 1, 0, &at);
    if (p)
        b->n += (size_t)(at - p) + 1;
    return b->n;
}

void pb_end(struct buf *b, size_t at)
{
    if (b->failed)
        return;
    ASSERT(at && at <= b->n);
    size_t n = b->n - at, more = pb_varint_size(n) - 1;
    if (more) {
        if (!buf_room(b, more))
            return;
        memmove(b->p + at + more, b->p + at, n);
        b->n += more;
    }
    pb_store_varint(b->p + at - 1, n);
}

/* --- the envelope --- */

enum { UNKNOWN_TYPE_META = 1, UNKNOWN_RAW = 2, UNKNOWN_ENCODING = 3, UNKNOWN_TYPE = 4 };
enum { TYPE_META_API_VERSION = 1, TYPE_META_KIND = 2 };

static void read_type_meta(struct pb_reader *r, struct pb_envelope *e)
{
    struct pb_mark outer = pb_enter(r);
    while (pb_next(r))
        switch (r->field) {
        case TYPE_META_API_VERSION: e->api_version = pb_bytes(r); break;
        case TYPE_META_KIND: e->kind = pb_bytes(r); break;
        default: pb_skip(r);
        }
    pb_leave(r, outer);
}

err_code pb_envelope_decode(str bytes, struct pb_envelope *ret, struct err *err)
{
    if (!str_take_prefix(&bytes, PB_ENVELOPE_MAGIC))
        return err_set(err, ERR_SYNTAX, "protobuf: the body does not begin with 'k8s' and a zero byte");
    struct pb_envelope e = {0};
    struct pb_reader r;
    pb_reader_init(&r, bytes);
    while (pb_next(&r))
        switch (r.field) {
        case UNKNOWN_TYPE_META: read_type_meta(&r, &e); break;
        case UNKNOWN_RAW: e.raw = pb_bytes(&r); break;
        case UNKNOWN_ENCODING: e.content_encoding = pb_bytes(&r); break;
        case UNKNOWN_TYPE: e.content_type = pb_bytes(&r); break;
        default: pb_skip(&r);
        }
    if (pb_check(&r, err))
        return err_wrap(err, "could not read the envelope");
    *ret = e;
    return ERR_NONE;
}

static void add_type_meta(struct buf *b, str api_version, str kind)
{
    buf_add(b, PB_ENVELOPE_MAGIC);
    size_t at = pb_begin(b, UNKNOWN_TYPE_META);
    pb_add_bytes(b, TYPE_META_API_VERSION, api_version);
    pb_add_bytes(b, TYPE_META_KIND, kind);
    pb_end(b, at);
}

void pb_envelope_encode(struct buf *b, const struct pb_envelope *e)
{
    add_type_meta(b, e->api_version, e->kind);
    pb_add_bytes(b, UNKNOWN_RAW, e->raw);
    /* The original writes these even when they are empty. */
    pb_add_bytes(b, UNKNOWN_ENCODING, e->content_encoding);
    pb_add_bytes(b, UNKNOWN_TYPE, e->content_type);
}

size_t pb_envelope_begin(struct buf *b, str api_version, str kind)
{
    add_type_meta(b, api_version, kind);
    return pb_begin(b, UNKNOWN_RAW);
}

void pb_envelope_end(struct buf *b, size_t at)
{
    pb_end(b, at);
    pb_add_bytes(b, UNKNOWN_ENCODING, STR_NONE);
    pb_add_bytes(b, UNKNOWN_TYPE, STR_NONE);
}
