/* websocket.c - WebSocket handshake values, frames in and frames out.
 * Always true: `out` holds whole frames, but for a head whose payload the caller adds (head_last); what the engine itself
 * has to say waits in pong and close until ws_output finds a frame boundary. */
#include "wire/websocket.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#define CONTROL_MAX       125 /* payload of a control frame */
#define CONTROL_FRAME_MAX (2 + 4 + CONTROL_MAX)
#define HEAD_MAX          14
#define UNMASK_SIZE       16384 /* bytes delivered at once where they have to be copied */

enum opcode { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

enum parse_state {
    AT_HEAD,    /* collecting a frame's head */
    AT_PAYLOAD, /* of a data frame */
    AT_CONTROL, /* collecting a control frame's payload */
    AT_END,     /* the peer's close was taken, or it failed: the rest is ignored */
};

/* What must follow in the UTF-8 text of a message, which comes in pieces cut anywhere: `tail` more bytes, the next one in
 * [low, high]. */
struct utf8_state {
    uint8_t tail, low, high;
};

struct control {
    bool waits;
    uint8_t n;
    char payload[CONTROL_MAX];
};

struct ws {
    enum ws_role role;
    struct ws_opts opts;
    enum parse_state state;

    uint8_t head[HEAD_MAX];
    uint8_t head_n;
    enum opcode opcode; /* of the frame */
    bool frame_end;     /* FIN */
    uint8_t mask[4];
    unsigned mask_at;    /* payload bytes unmasked so far, modulo 4 */
    uint64_t frame_left; /* payload to come */

    bool in_message, began; /* its first frame came; a piece of it was delivered */
    enum ws_kind kind;
    uint64_t message_size;
    struct utf8_state utf8; /* of the text message; between messages it is at rest */

    uint8_t control_n;
    char control[CONTROL_MAX];

    struct buf out;
    bool head_last;      /* out ends with a head whose payload is the caller's */
    bool sending;        /* our message goes on */
    bool closing;        /* no more sending: our close frame waits or went out */
    bool close_received; /* the peer's close came */
    struct control pong, close;
    uint64_t mask_count;
    struct err failure; /* code ERR_NONE while it works */

    char *unmasked; /* server: UNMASK_SIZE bytes, made at the first need */
};

/* --- handshake --- */

static uint32_t rotate_left(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void sha1_block(uint32_t h[5], const uint8_t block[64])
{
    static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t w[80];
    for (size_t i = 0; i < 16; i++)
        w[i] = load_be32(block + 4 * i);
    for (size_t i = 16; i < 80; i++)
        w[i] = rotate_left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (size_t i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? (b & c) | (~b & d)
                     : i < 40 ? b ^ c ^ d
                     : i < 60 ? (b & c) | (b & d) | (c & d)
                              : b ^ c ^ d;
        uint32_t next = rotate_left(a, 5) + f + e + constants[i / 20] + w[i];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* Of at most 119 bytes: two blocks. SHA-1 names the protocol here and protects nothing, which is why it is not taken from
 * the crypto library: this folder stands without it. */
static void sha1_short(const uint8_t *p, size_t n, uint8_t ret[20])
{
    ASSERT(n <= 119);
    uint8_t blocks[128] = {0};
    size_t size = n < 56 ? 64 : 128;
    memcpy(blocks, p, n);
    blocks[n] = 0x80;
    blocks[size - 2] = (uint8_t)(n * 8 >> 8);
    blocks[size - 1] = (uint8_t)(n * 8);
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for (size_t at = 0; at < size; at += 64)
        sha1_block(h, blocks + at);
    for (size_t i = 0; i < 20; i++)
        ret[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void encode(const uint8_t *p, size_t n, char *ret, size_t ret_n)
{
    struct buf out = {.p = ret, .cap = ret_n, .max = ret_n};
    base64_encode(&out, str_of((const char *)p, n), BASE64_STD);
    ASSERT(out.n == ret_n);
}

void ws_key(const uint8_t random[16], char ret[WS_KEY_N])
{
    encode(random, 16, ret, WS_KEY_N);
}

void ws_accept(str key, char ret[WS_ACCEPT_N])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[WS_KEY_N + sizeof guid - 1], digest[20];
    ASSERT(key.n == WS_KEY_N);
    memcpy(text, key.p, WS_KEY_N);
    memcpy(text + WS_KEY_N, guid, sizeof guid - 1);
    sha1_short(text, sizeof text, digest);
    encode(digest, sizeof digest, ret, WS_ACCEPT_N);
}

/* 16 bytes in base64. */
static bool key_is_valid(str key)
{
    char bytes[16];
    struct buf out = {.p = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    struct err e = ERR_INIT;
    return !base64_decode(&out, key, BASE64_STD, &e) && out.n == sizeof bytes && key.n == WS_KEY_N;
}

/* The only header of that name; STR_NONE when absent or repeated. */
static str single_header(const struct http_head *head, str name)
{
    str value = STR_NONE;
    for (size_t i = 0; i < head->header_count; i++)
        if (str_eq(head->headers[i].name, name)) {
            if (value.p)
                return STR_NONE;
            value = head->headers[i].value;
        }
    return value;
}

err_code ws_check_request(const struct http_head *head, str *ret_key, struct err *err)
{
    if (!str_is(head->method, "GET"))
        return err_set(err, ERR_BAD_REQUEST, "a WebSocket is asked for with GET, not '%" STR_FMT "'",
                       STR_ARG(head->method));
    if (!str_eq_nocase(head->upgrade, S("websocket")))
        return err_set(err, ERR_BAD_REQUEST, "the request does not ask to upgrade to a WebSocket");
    str version = str_trim(single_header(head, S("sec-websocket-version")));
    if (!str_is(version, WS_VERSION))
        return err_set(err, ERR_UNSUPPORTED,
                       "sec-websocket-version is '%" STR_FMT "', only " WS_VERSION " is supported",
                       STR_ARG(version));
    str key = str_trim(single_header(head, S("sec-websocket-key")));
    if (!key_is_valid(key))
        return err_set(err, ERR_BAD_REQUEST,
                       "sec-websocket-key must be there once and be 16 bytes in base64");
    *ret_key = key;
    return ERR_NONE;
}

/* Next element of the request's protocol lists, over all its header lines. */
struct offer_iter {
    const struct http_head *head;
    size_t next;
    str rest;
};

static bool next_offer(struct offer_iter *it, str *ret)
{
    for (;;) {
        while (str_next(&it->rest, ',', ret)) {
            *ret = str_trim(*ret);
            if (ret->n)
                return true;
        }
        if (it->next == it->head->header_count)
            return false;
        const struct http_header *h = &it->head->headers[it->next++];
        it->rest = str_eq(h->name, S("sec-websocket-protocol")) ? h->value : STR_NONE;
    }
}

static bool among(str s, const str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(s, list[i]))
            return true;
    return false;
}

err_code ws_choose_protocol(const struct http_head *head, const str *ours, size_t our_count, str *ret,
                            struct err *err)
{
    struct offer_iter it = {.head = head};
    bool any = false;
    for (str offer; next_offer(&it, &offer); any = true)
        if (!str_starts(offer, S(WS_BEARER_PREFIX)) && among(offer, ours, our_count)) {
            *ret = offer;
            return ERR_NONE;
        }
    if (!any && among(S(""), ours, our_count)) {
        *ret = S("");
        return ERR_NONE;
    }
    return err_set(err, ERR_FORBIDDEN, "none of the requested WebSocket protocols is supported");
}

err_code ws_find_bearer(const struct http_head *head, str *ret, struct err *err)
{
    struct offer_iter it = {.head = head};
    str token = STR_NONE;
    size_t others = 0;
    for (str offer; next_offer(&it, &offer);) {
        if (!str_take_prefix(&offer, S(WS_BEARER_PREFIX)))
            others++;
        else if (token.p)
            return err_set(err, ERR_INVALID, "multiple bearer tokens among the WebSocket protocols");
        else
            token = offer;
    }
    if (token.p && !token.n)
        return err_set(err, ERR_INVALID, "empty bearer token among the WebSocket protocols");
    if (token.p && !others)
        return err_set(err, ERR_INVALID, "a WebSocket protocol is needed beside the bearer token");
    *ret = token;
    return ERR_NONE;
}

err_code ws_check_response(const struct http_head *head, str key, const str *offered, size_t offered_count,
                           str *ret_protocol, struct err *err)
{
    if (head->status != 101 || !str_eq_nocase(head->upgrade, S("websocket")))
        return err_set(err, ERR_PROTOCOL, "the server did not upgrade to a WebSocket: status %d",
                       head->status);
    char accept[WS_ACCEPT_N];
    ws_accept(key, accept);
    str got = str_trim(single_header(head, S("sec-websocket-accept")));
    if (!str_eq(got, str_of(accept, sizeof accept)))
        return err_set(err, ERR_PROTOCOL, "sec-websocket-accept is '%" STR_FMT "', should be '%.*s'",
                       STR_ARG(got), WS_ACCEPT_N, accept);
    str protocol = STR_NONE;
    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_header *h = &head->headers[i];
        if (str_is(h->name, "sec-websocket-extensions"))
            return err_set(err, ERR_PROTOCOL,
                           "the server wants an extension that was not offered: '%" STR_FMT "'",
                           STR_ARG(h->value));
        if (!str_is(h->name, "sec-websocket-protocol"))
            continue;
        if (protocol.p || !among(str_trim(h->value), offered, offered_count))
            return err_set(err, ERR_PROTOCOL,
                           "the server chose protocol '%" STR_FMT "', which was not offered",
                           STR_ARG(h->value));
        protocol = str_trim(h->value);
    }
    *ret_protocol = protocol;
    return ERR_NONE;
}

/* --- sending --- */

struct ws *ws_new(enum ws_role role, const struct ws_opts *opts)
{
    struct ws *w = NEW(struct ws);
    w->role = role;
    if (opts)
        w->opts = *opts;
    ASSERT(role == WS_SERVER || w->opts.mask_key[0] || w->opts.mask_key[1]);
    if (!w->opts.frame_size_max)
        w->opts.frame_size_max = 16u << 20;
    if (!w->opts.message_size_max)
        w->opts.message_size_max = 64u << 20;
    if (!w->opts.output_max)
        w->opts.output_max = 1u << 20;
    /* Room for a pong and a close is always left. */
    buf_init(&w->out, w->opts.output_max + 2 * CONTROL_FRAME_MAX);
    return w;
}

void ws_free(struct ws *w)
{
    if (!w)
        return;
    buf_done(&w->out);
    mem_free(w->unmasked);
    mem_free(w);
}

/* Byte i of `from` is payload byte `at` + i. */
static void apply_mask(char *to, const char *from, size_t n, const uint8_t mask[4], unsigned at)
{
    uint8_t turned[8];
    for (unsigned i = 0; i < 8; i++)
        turned[i] = mask[(at + i) % 4];
    uint64_t wide;
    memcpy(&wide, turned, 8);
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t v;
        memcpy(&v, from + i, 8);
        v ^= wide;
        memcpy(to + i, &v, 8);
    }
    for (; i < n; i++)
        to[i] = (char)(from[i] ^ turned[i % 8]);
}

/* Unpredictable to who chooses the payload (RFC 6455, 10.3), which is all that is asked of a mask. */
static void next_mask(struct ws *w, uint8_t ret[4])
{
    uint64_t n = w->mask_count++;
    uint64_t hash = str_hash_keyed(str_of((const char *)&n, sizeof n), w->opts.mask_key);
    memcpy(ret, &hash, 4);
}

static size_t make_head(enum ws_role role, uint8_t first, uint64_t size, const uint8_t mask[4],
                        char ret[HEAD_MAX])
{
    uint8_t mask_bit = role == WS_CLIENT ? 0x80 : 0;
    size_t n = 0, size_bytes = size < 126 ? 0 : size <= UINT16_MAX ? 2 : 8;
    ret[n++] = (char)first;
    ret[n++] = (char)(mask_bit | (uint8_t)(size_bytes == 0 ? size : size_bytes == 2 ? 126 : 127));
    while (size_bytes)
        ret[n++] = (char)(size >> 8 * --size_bytes);
    if (mask_bit) {
        memcpy(ret + n, mask, 4);
        n += 4;
    }
    return n;
}

/* The whole frame into `out`; there is room for it. */
static void add_frame(struct ws *w, uint8_t first, const str *parts, size_t part_count, uint64_t size)
{
    uint8_t mask[4] = {0};
    if (w->role == WS_CLIENT)
        next_mask(w, mask);
    char head[HEAD_MAX];
    buf_add(&w->out, str_of(head, make_head(w->role, first, size, mask, head)));
    unsigned at = 0;
    for (size_t i = 0; i < part_count; i++) {
        if (w->role == WS_SERVER || !parts[i].n) {
            buf_add(&w->out, parts[i]);
            continue;
        }
        char *to = buf_room(&w->out, parts[i].n);
        ASSERT(to);
        apply_mask(to, parts[i].p, parts[i].n, mask, at);
        buf_commit(&w->out, parts[i].n);
        at = (unsigned)((at + parts[i].n) % 4);
    }
}

/* Whether a frame of `size` bytes may be added now. */
static err_code check_sending(const struct ws *w, uint64_t size, struct err *err)
{
    ASSERT(!w->head_last);
    if (w->closing)
        return err_set(err, ERR_CLOSED, "could not send on a WebSocket that is closing");
    size_t room = w->opts.output_max - size_min(w->out.n, w->opts.output_max);
    if (room < HEAD_MAX || size > room - HEAD_MAX)
        return err_set(err, ERR_TOO_LARGE,
                       "a frame of %llu bytes does not fit: %zu of at most %zu bytes wait to be written",
                       (unsigned long long)size, w->out.n, w->opts.output_max);
    return ERR_NONE;
}

static uint8_t first_byte(struct ws *w, enum ws_kind kind, unsigned flags)
{
    uint8_t opcode = w->sending ? OP_CONTINUE : (uint8_t)kind;
    w->sending = flags & WS_MORE;
    return (uint8_t)(w->sending ? opcode : 0x80 | opcode);
}

err_code ws_send(struct ws *w, enum ws_kind kind, unsigned flags, const str *parts, size_t part_count,
                 struct err *err)
{
    uint64_t size = 0;
    for (size_t i = 0; i < part_count; i++)
        size += parts[i].n;
    err_code code = check_sending(w, size, err);
    if (!code)
        add_frame(w, first_byte(w, kind, flags), parts, part_count, size);
    return code;
}

err_code ws_send_head(struct ws *w, enum ws_kind kind, unsigned flags, uint64_t payload_size, struct err *err)
{
    ASSERT(w->role == WS_SERVER);
    err_code code = check_sending(w, 0, err);
    if (code)
        return code;
    char head[HEAD_MAX];
    size_t n = make_head(w->role, first_byte(w, kind, flags), payload_size, NULL, head);
    buf_add(&w->out, str_of(head, n));
    w->head_last = payload_size;
    return ERR_NONE;
}

static err_code send_control(struct ws *w, enum opcode opcode, str payload, struct err *err)
{
    payload = str_slice(payload, 0, CONTROL_MAX);
    err_code code = check_sending(w, payload.n, err);
    if (!code)
        add_frame(w, (uint8_t)(0x80 | opcode), &payload, 1, payload.n);
    return code;
}

err_code ws_ping(struct ws *w, str payload, struct err *err)
{
    return send_control(w, OP_PING, payload, err);
}

err_code ws_pong(struct ws *w, str payload, struct err *err)
{
    return send_control(w, OP_PONG, payload, err);
}

/* RFC 6455, 7.4, and what was registered since. */
static bool close_code_is_valid(unsigned code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != WS_CLOSE_NO_CODE && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

void ws_close(struct ws *w, uint16_t code, str reason)
{
    if (w->closing)
        return;
    w->closing = true;
    w->close.waits = true;
    if (code == WS_CLOSE_NO_CODE)
        return;
    ASSERT(close_code_is_valid(code));
    reason = utf8_cut(reason, CONTROL_MAX - 2);
    w->close.payload[0] = (char)(code >> 8);
    w->close.payload[1] = (char)code;
    if (reason.n)
        memcpy(w->close.payload + 2, reason.p, reason.n);
    w->close.n = (uint8_t)(2 + reason.n);
}

static void add_waiting(struct ws *w, struct control *c, enum opcode opcode)
{
    if (!c->waits)
        return;
    c->waits = false;
    add_frame(w, (uint8_t)(0x80 | opcode), &(str){c->payload, c->n}, 1, c->n);
}

str ws_output(struct ws *w)
{
    if (!w->head_last) {
        /* Room for one pong and the close is kept beside output_max: pings cannot fill the buffer. */
        if (w->out.n <= w->opts.output_max)
            add_waiting(w, &w->pong, OP_PONG);
        add_waiting(w, &w->close, OP_CLOSE);
    }
    return buf_str(&w->out);
}

void ws_written(struct ws *w, size_t n)
{
    ASSERT(n <= w->out.n);
    buf_drop_front(&w->out, n);
    if (!w->out.n)
        w->head_last = false;
}

bool ws_is_over(const struct ws *w)
{
    return w->failure.code || (w->closing && w->close_received);
}

err_code ws_check(const struct ws *w, struct err *err)
{
    if (w->failure.code)
        *err = w->failure;
    return w->failure.code;
}

/* --- receiving --- */

static bool fail(struct ws *w, uint16_t close_code, const char *why)
{
    err_set(&w->failure, close_code == WS_CLOSE_TOO_LARGE ? ERR_TOO_LARGE : ERR_PROTOCOL,
            "WebSocket peer sent %s", why);
    ws_close(w, close_code, str_from_c(why));
    w->pong.waits = false;
    w->state = AT_END;
    return false;
}

static bool utf8_take(struct utf8_state *u, uint8_t c)
{
    if (u->tail) {
        bool ok = c >= u->low && c <= u->high;
        *u = (struct utf8_state){(uint8_t)(u->tail - 1), 0x80, 0xbf};
        return ok;
    }
    /* The first byte bounds the second: there overlong forms, surrogates and what is past U+10FFFF are told apart
     * (Unicode, table 3-7). */
    if (c < 0x80)
        return true;
    if (c < 0xc2 || c > 0xf4)
        return false;
    *u = (struct utf8_state){.tail = c < 0xe0   ? 1
                                     : c < 0xf0 ? 2
                                                : 3,
                             .low = c == 0xe0   ? 0xa0
                                    : c == 0xf0 ? 0x90
                                                : 0x80,
                             .high = c == 0xed   ? 0x9f
                                     : c == 0xf4 ? 0x8f
                                                 : 0xbf};
    return true;
}

static bool utf8_take_all(struct utf8_state *u, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        for (uint64_t v; !u->tail && s.n - i >= 8; i += 8) {
            memcpy(&v, s.p + i, 8);
            if (v & 0x8080808080808080u)
                break;
        }
        if (i < s.n && !utf8_take(u, (uint8_t)s.p[i]))
            return false;
    }
    return true;
}

static bool is_control(enum opcode o)
{
    return o >= OP_CLOSE;
}

/* The first two bytes of a head: everything but the size. */
static bool check_head_start(struct ws *w)
{
    uint8_t a = w->head[0], b = w->head[1];
    w->frame_end = a & 0x80;
    w->opcode = a & 0x0f;
    if (a & 0x70)
        return fail(w, WS_CLOSE_PROTOCOL_ERROR, "a frame with a reserved bit set");
    if (w->opcode > OP_PONG || (w->opcode > OP_BINARY && w->opcode < OP_CLOSE))
        return fail(w, WS_CLOSE_PROTOCOL_ERROR, "a frame with an unknown opcode");
    if ((b & 0x80) != (w->role == WS_SERVER ? 0x80 : 0))
        return fail(w, WS_CLOSE_PROTOCOL_ERROR,
                    w->role == WS_SERVER ? "a frame that is not masked" : "a masked frame");
    if (is_control(w->opcode)) {
        if (!w->frame_end)
            return fail(w, WS_CLOSE_PROTOCOL_ERROR, "a fragmented control frame");
        if ((b & 0x7f) > CONTROL_MAX)
            return fail(w, WS_CLOSE_PROTOCOL_ERROR, "a control frame of more than 125 bytes");
    } else if (w->in_message != (w->opcode == OP_CONTINUE)) {
        return fail(w, WS_CLOSE_PROTOCOL_ERROR,
                    w->in_message ? "a new message inside a message" : "a continuation of no message");
    }
    return true;
}

static bool begin_data_frame(struct ws *w, uint64_t size)
{
    if (w->opcode != OP_CONTINUE) {
        w->in_message = true;
        w->began = false;
        w->kind = (enum ws_kind)w->opcode;
        w->message_size = 0;
    }
    if (size > w->opts.frame_size_max)
        return fail(w, WS_CLOSE_TOO_LARGE, "a frame that is too large");
    if (size > w->opts.message_size_max - w->message_size)
        return fail(w, WS_CLOSE_TOO_LARGE, "a message that is too large");
    w->message_size += size;
    w->frame_left = size;
    w->state = AT_PAYLOAD;
    return true;
}

/* The head is whole. */
static bool begin_frame(struct ws *w, unsigned size_bytes)
{
    uint64_t size = w->head[1] & 0x7f;
    const uint8_t *p = w->head + 2;
    if (size_bytes) {
        size = 0;
        for (unsigned i = 0; i < size_bytes; i++)
            size = size << 8 | *p++;
        if (size < (size_bytes == 2 ? 126 : 65536))
            return fail(w, WS_CLOSE_PROTOCOL_ERROR, "a frame whose size is not in its shortest form");
        if (size >> 63)
            return fail(w, WS_CLOSE_PROTOCOL_ERROR, "a frame whose size has its highest bit set");
    }
    if (w->role == WS_SERVER)
        memcpy(w->mask, p, 4);
    w->mask_at = 0;
    w->head_n = 0;
    if (!is_control(w->opcode))
        return begin_data_frame(w, size);
    w->frame_left = size;
    w->control_n = 0;
    w->state = AT_CONTROL;
    return true;
}

static void take_head(struct ws *w, str *in)
{
    while (in->n) {
        w->head[w->head_n++] = (uint8_t)in->p[0];
        *in = str_from(*in, 1);
        if (w->head_n < 2)
            continue;
        if (w->head_n == 2 && !check_head_start(w))
            return;
        unsigned size = w->head[1] & 0x7f, size_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
        if (w->head_n == 2 + size_bytes + (w->role == WS_SERVER ? 4 : 0)) {
            begin_frame(w, size_bytes);
            return;
        }
    }
}

/* Up to `max` bytes of payload off *in, unmasked. */
static str take_payload(struct ws *w, str *in, char *to, size_t max)
{
    str piece = str_slice(*in, 0, max);
    if (piece.n > w->frame_left)
        piece.n = (size_t)w->frame_left;
    *in = str_from(*in, piece.n);
    w->frame_left -= piece.n;
    if (w->role == WS_CLIENT || !piece.n)
        return piece;
    apply_mask(to, piece.p, piece.n, w->mask, w->mask_at);
    w->mask_at = (unsigned)((w->mask_at + piece.n) % 4);
    return str_of(to, piece.n);
}

/* True: a piece is to be told. */
static bool take_data(struct ws *w, str *in, struct ws_event *ret)
{
    if (w->frame_left && !in->n)
        return false;
    if (w->role == WS_SERVER && !w->unmasked && w->frame_left)
        w->unmasked = mem_alloc(UNMASK_SIZE);
    str piece = take_payload(w, in, w->unmasked, w->role == WS_SERVER ? UNMASK_SIZE : SIZE_MAX);
    bool frame_done = !w->frame_left, end = frame_done && w->frame_end;
    if (w->kind == WS_TEXT && (!utf8_take_all(&w->utf8, piece) || (end && w->utf8.tail)))
        return fail(w, WS_CLOSE_BAD_DATA, "text that is not UTF-8");
    if (frame_done)
        w->state = AT_HEAD;
    if (!piece.n && !end)
        return false;
    *ret = (struct ws_event){.type = WS_DATA, .kind = w->kind, .begin = !w->began, .end = end, .data = piece};
    w->began = true;
    w->in_message = !end;
    return true;
}

static bool take_close(struct ws *w, struct ws_event *ret)
{
    str payload = str_of(w->control, w->control_n);
    uint16_t code = WS_CLOSE_NO_CODE;
    if (payload.n == 1)
        return fail(w, WS_CLOSE_PROTOCOL_ERROR, "a close frame of one byte");
    if (payload.n) {
        code = (uint16_t)((uint8_t)payload.p[0] << 8 | (uint8_t)payload.p[1]);
        if (!close_code_is_valid(code))
            return fail(w, WS_CLOSE_PROTOCOL_ERROR, "a close frame with a code that may not be sent");
        if (!utf8_valid(str_from(payload, 2)))
            return fail(w, WS_CLOSE_BAD_DATA, "a close frame whose reason is not UTF-8");
    }
    w->close_received = true;
    w->state = AT_END;
    ws_close(w, code, STR_NONE);
    *ret = (struct ws_event){.type = WS_CLOSE, .code = code, .data = str_from(payload, 2)};
    return true;
}

static bool take_control(struct ws *w, str *in, struct ws_event *ret)
{
    str piece = take_payload(w, in, w->control + w->control_n, SIZE_MAX);
    if (w->role == WS_CLIENT && piece.n)
        memcpy(w->control + w->control_n, piece.p, piece.n);
    w->control_n = (uint8_t)(w->control_n + piece.n);
    if (w->frame_left)
        return false;
    w->state = AT_HEAD;
    if (w->opcode == OP_CLOSE)
        return take_close(w, ret);
    bool is_ping = w->opcode == OP_PING;
    if (is_ping && !w->opts.manual_pong && !w->closing) {
        /* Only the newest unanswered ping counts (RFC 6455, 5.5.3). */
        w->pong.waits = true;
        w->pong.n = w->control_n;
        memcpy(w->pong.payload, w->control, w->control_n);
    }
    *ret = (struct ws_event){.type = is_ping ? WS_PING : WS_PONG, .data = str_of(w->control, w->control_n)};
    return true;
}

bool ws_next(struct ws *w, str *in, struct ws_event *ret)
{
    for (;;) {
        bool told = false;
        switch (w->state) {
        case AT_HEAD:
            if (!in->n)
                return false;
            take_head(w, in);
            break;
        case AT_PAYLOAD:
            if (!in->n && w->frame_left)
                return false;
            told = take_data(w, in, ret);
            break;
        case AT_CONTROL:
            if (!in->n && w->frame_left)
                return false;
            told = take_control(w, in, ret);
            break;
        case AT_END: *in = str_from(*in, in->n); return false;
        }
        if (told)
            return true;
    }
}
