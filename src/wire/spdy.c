/* spdy.c - SPDY/3.1 sessions: frames in, streams, frames out.
 * Always true:
 *  - `streams` is in order of id and holds exactly those that neither side reset and at least one side has not ended;
 *  - `out` holds whole frames, but for a head whose payload the caller adds (head_last); meanwhile new frames go to `held`;
 *  - every header block that comes goes through the unpacker, whatever becomes of its frame. */
#include "wire/spdy.h"
#include "base/mem.h"
#include "wire/spdy_priv.h"
#include <stdio.h>

#define VERSION         3
#define HEAD_N          8
#define FRAME_SIZE_MAX  0xffffffu
#define STREAM_ID_MAX   0x7fffffffu
#define WINDOW_FIRST    65536 /* of both kinds, until something else is said */
#define WINDOW_MAX      0x7fffffff
#define GOAWAY_FRAME_N  16
#define SETTING_STREAMS 4
#define SETTING_WINDOW  7
#define CONTROL_FIXED_N 10 /* longest part of a control frame before its header block */

enum frame_type {
    SYN_STREAM = 1,
    SYN_REPLY = 2,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    HEADERS = 8,
    WINDOW_UPDATE = 9,
};

enum parse_state {
    AT_HEAD,     /* collecting the 8 bytes every frame begins with */
    AT_FIXED,    /* collecting fixed_need bytes of a control frame */
    AT_BLOCK,    /* inflating a header block */
    AT_SETTINGS, /* collecting one setting after the other */
    AT_DATA,     /* of frame_stream, if that is still there */
    AT_SKIP,     /* a control frame of unknown type */
};

struct stream {
    uint32_t id;
    bool ours, replied, ended_here, ended_there;
    bool wants_room;     /* its owner was told 0 */
    int64_t send_window; /* may be negative: the peer can shrink it */
    int64_t receive_window;
    uint32_t consumed; /* not yet given back to the peer */
    void *user;
};

struct spdy {
    enum spdy_role role;
    struct spdy_opts opts;

    /* Reading. `part` collects what must be whole: a frame's head, fixed part, one setting. */
    enum parse_state state;
    uint8_t part[CONTROL_FIXED_N];
    uint8_t part_n;
    uint8_t fixed_need;
    uint8_t frame_flags;
    uint16_t frame_type;
    uint32_t frame_left;
    uint32_t frame_stream; /* of data and header blocks */
    struct spdy_unpacker unpacker;

    struct stream *streams;
    size_t stream_count, stream_cap;
    size_t count_by[2]; /* by the peer, by us */
    uint32_t last_theirs;
    uint64_t seen_theirs; /* bit k: last_theirs - 2k was opened */
    uint32_t next_ours;
    uint32_t next_ping;
    uint32_t peer_stream_max;
    uint32_t refused_from; /* streams of ours from this id on are told reset; 0: none */
    uint32_t room_from;    /* from this id on it is looked for streams to tell SPDY_ROOM; 0: not */
    bool goaway_sent, goaway_received;

    int64_t send_window, receive_window; /* of the session */
    uint32_t consumed;
    uint32_t peer_initial_window;

    struct spdy_packer packer;
    struct buf out, held;
    bool head_last;
    struct err failure; /* code ERR_NONE while it works */
};

/* --- bytes --- */

static uint32_t load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static char *store_u32(char *p, uint32_t v)
{
    *p++ = (char)(v >> 24);
    *p++ = (char)(v >> 16);
    *p++ = (char)(v >> 8);
    *p++ = (char)v;
    return p;
}

static char *store_control_head(char *p, enum frame_type type, unsigned flags, size_t size)
{
    p = store_u32(p, 0x80000000u | VERSION << 16 | type);
    return store_u32(p, flags << 24 | (uint32_t)size);
}

static struct buf *sink(struct spdy *s)
{
    return s->head_last ? &s->held : &s->out;
}

static bool output_has_room(const struct spdy *s, size_t n)
{
    size_t waiting = s->out.n + s->held.n;
    return waiting <= s->opts.output_max && n <= s->opts.output_max - waiting;
}

static err_code check_output(const struct spdy *s, size_t n, struct err *err)
{
    if (output_has_room(s, n))
        return ERR_NONE;
    return err_set(err, ERR_TOO_LARGE,
                   "a SPDY frame of %zu bytes does not fit: %zu of at most %zu bytes wait to be written", n,
                   s->out.n + s->held.n, s->opts.output_max);
}

static void add_goaway(struct spdy *s, enum spdy_goaway_status status)
{
    char frame[GOAWAY_FRAME_N];
    char *p = store_control_head(frame, GOAWAY, 0, 8);
    p = store_u32(p, s->last_theirs);
    store_u32(p, status);
    /* Room for this one is kept. */
    buf_add(sink(s), str_of(frame, sizeof frame));
    s->goaway_sent = true;
}

/* The session ends. Later calls keep the first reason. */
PRINTF_LIKE(3, 4)
static bool fail(struct spdy *s, err_code code, const char *fmt, ...)
{
    if (s->failure.code)
        return false;
    char why[sizeof s->failure.msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    err_set(&s->failure, code, "SPDY peer sent %s", why);
    if (!s->goaway_sent)
        add_goaway(s, SPDY_GOAWAY_PROTOCOL_ERROR);
    return false;
}

/* A control frame of one or two numbers. */
static void add_control(struct spdy *s, enum frame_type type, const uint32_t *values, size_t n)
{
    char frame[HEAD_N + 8];
    char *p = store_control_head(frame, type, 0, n * 4);
    for (size_t i = 0; i < n; i++)
        p = store_u32(p, values[i]);
    size_t size = (size_t)(p - frame);
    if (output_has_room(s, size))
        buf_add(sink(s), str_of(frame, size));
    else
        fail(s, ERR_TOO_LARGE, "too much that had to be answered, and did not read the answers");
}

static void add_reset(struct spdy *s, uint32_t id, enum spdy_reset_status status)
{
    add_control(s, RST_STREAM, (const uint32_t[]){id, status}, 2);
}

/* --- streams --- */

/* Index of the first stream whose id is not below `id`. */
static size_t stream_index(const struct spdy *s, uint32_t id)
{
    size_t low = 0, high = s->stream_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->streams[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct stream *find_stream(const struct spdy *s, uint32_t id)
{
    size_t i = stream_index(s, id);
    return i < s->stream_count && s->streams[i].id == id ? &s->streams[i] : NULL;
}

static struct stream *add_stream(struct spdy *s, uint32_t id, bool ours)
{
    if (s->stream_count == s->stream_cap) {
        s->stream_cap = size_max(8, s->stream_cap * 2);
        s->streams = mem_realloc(s->streams, s->stream_cap * sizeof *s->streams);
    }
    size_t i = stream_index(s, id);
    struct stream *st = &s->streams[i];
    memmove(st + 1, st, (s->stream_count - i) * sizeof *st);
    *st = (struct stream){
        .id = id, .ours = ours, .send_window = s->peer_initial_window, .receive_window = s->opts.window};
    s->stream_count++;
    s->count_by[ours]++;
    return st;
}

static void remove_stream(struct spdy *s, struct stream *st)
{
    s->count_by[st->ours]--;
    s->stream_count--;
    memmove(st, st + 1, (size_t)(s->streams + s->stream_count - st) * sizeof *st);
}

static void end_there(struct spdy *s, struct stream *st)
{
    st->ended_there = true;
    if (st->ended_here)
        remove_stream(s, st);
}

static void end_here(struct spdy *s, struct stream *st)
{
    st->ended_here = true;
    if (st->ended_there)
        remove_stream(s, st);
}

static size_t room_of(const struct spdy *s, const struct stream *st)
{
    if (!st->replied || st->ended_here)
        return 0;
    if (!s->opts.flow_control)
        return FRAME_SIZE_MAX;
    int64_t room = st->send_window < s->send_window ? st->send_window : s->send_window;
    return room < 0 ? 0 : size_min((size_t)room, FRAME_SIZE_MAX);
}

static bool is_theirs(const struct spdy *s, uint32_t id)
{
    return (id & 1) == (s->role == SPDY_SERVER);
}

static bool was_opened(const struct spdy *s, uint32_t id)
{
    return is_theirs(s, id) ? id <= s->last_theirs : id < s->next_ours;
}

/* A smaller one than the protocol begins with could not be told to the peer in time. */
static uint32_t window_option(uint32_t v)
{
    return v < WINDOW_FIRST ? WINDOW_FIRST : v > WINDOW_MAX ? WINDOW_MAX : v;
}

static void add_first_windows(struct spdy *s)
{
    char frame[HEAD_N + 4 + 8];
    char *p = store_control_head(frame, SETTINGS, 0, sizeof frame - HEAD_N);
    p = store_u32(p, 1);
    p = store_u32(p, SETTING_WINDOW);
    store_u32(p, s->opts.window);
    buf_add(&s->out, str_of(frame, sizeof frame));
    if (s->opts.session_window > WINDOW_FIRST)
        add_control(s, WINDOW_UPDATE, (const uint32_t[]){0, s->opts.session_window - WINDOW_FIRST}, 2);
}

struct spdy *spdy_new(enum spdy_role role, const struct spdy_opts *opts)
{
    struct spdy *s = NEW(struct spdy);
    s->role = role;
    if (opts)
        s->opts = *opts;
    struct spdy_opts *o = &s->opts;
    o->header_size_max = o->header_size_max ? o->header_size_max : 16384;
    o->header_count_max = o->header_count_max ? o->header_count_max : 64;
    o->stream_max = o->stream_max ? o->stream_max : 1000;
    o->output_max = o->output_max ? o->output_max : 1u << 20;
    o->window = window_option(o->window);
    o->session_window = window_option(o->session_window ? o->session_window : 1u << 20);
    s->next_ours = s->next_ping = role == SPDY_CLIENT ? 1 : 2;
    s->peer_stream_max = UINT32_MAX;
    s->peer_initial_window = WINDOW_FIRST;
    s->send_window = WINDOW_FIRST;
    s->receive_window = o->session_window;
    buf_init(&s->out, o->output_max + GOAWAY_FRAME_N);
    buf_init(&s->held, o->output_max + GOAWAY_FRAME_N);
    spdy_packer_init(&s->packer, o->header_size_max);
    spdy_unpacker_init(&s->unpacker, o->header_size_max, o->header_count_max);
    if (o->flow_control)
        add_first_windows(s);
    return s;
}

void spdy_free(struct spdy *s)
{
    if (!s)
        return;
    spdy_packer_done(&s->packer);
    spdy_unpacker_done(&s->unpacker);
    buf_done(&s->out);
    buf_done(&s->held);
    mem_free(s->streams);
    mem_free(s);
}

err_code spdy_check(const struct spdy *s, struct err *err)
{
    if (s->failure.code)
        *err = s->failure;
    return s->failure.code;
}

bool spdy_is_over(const struct spdy *s)
{
    return s->failure.code || ((s->goaway_sent || s->goaway_received) && !s->stream_count);
}

/* --- reading --- */

/* The peer's doing ends the stream. True: its owner is to be told. */
static bool stream_error(struct spdy *s, uint32_t id, enum spdy_reset_status status, struct spdy_event *ret)
{
    add_reset(s, id, status);
    struct stream *st = find_stream(s, id);
    if (!st)
        return false;
    *ret = (struct spdy_event){.type = SPDY_RESET, .stream = id, .user = st->user, .status = status};
    remove_stream(s, st);
    return true;
}

/* A frame came for a stream that is not there: late, or never opened. */
static void answer_unknown(struct spdy *s, uint32_t id)
{
    if (!was_opened(s, id) && !s->goaway_sent)
        add_reset(s, id, SPDY_INVALID_STREAM);
}

static void give_back(struct spdy *s, uint32_t id, size_t n, uint32_t window, uint32_t *consumed,
                      int64_t *receive_window)
{
    int64_t outstanding = window - *receive_window - *consumed;
    if (UNEXPECTED((int64_t)n > outstanding))
        n = (size_t)outstanding;
    *consumed += (uint32_t)n;
    if (*consumed < window / 2)
        return;
    add_control(s, WINDOW_UPDATE, (const uint32_t[]){id, *consumed}, 2);
    *receive_window += *consumed;
    *consumed = 0;
}

static void give_back_session(struct spdy *s, size_t n)
{
    if (s->opts.flow_control)
        give_back(s, 0, n, s->opts.session_window, &s->consumed, &s->receive_window);
}

void spdy_consumed(struct spdy *s, uint32_t stream, size_t n)
{
    if (!s->opts.flow_control || s->failure.code)
        return;
    give_back_session(s, n);
    struct stream *st = find_stream(s, stream);
    if (st && !st->ended_there)
        give_back(s, stream, n, s->opts.window, &st->consumed, &st->receive_window);
}

static bool begin_data(struct spdy *s, uint32_t id, struct spdy_event *ret)
{
    uint32_t size = s->frame_left;
    if (!id)
        return fail(s, ERR_PROTOCOL, "data on stream 0");
    s->frame_stream = id;
    s->state = AT_DATA;
    if (s->opts.flow_control) {
        if (size > s->receive_window)
            return fail(s, ERR_PROTOCOL, "%u bytes of data, %lld more than the session's window", size,
                        (long long)(size - s->receive_window));
        s->receive_window -= size;
    }
    struct stream *st = find_stream(s, id);
    if (!st) {
        answer_unknown(s, id);
        return false;
    }
    if (st->ended_there)
        return stream_error(s, id, SPDY_STREAM_ALREADY_CLOSED, ret);
    if (st->ours && !st->replied)
        return stream_error(s, id, SPDY_PROTOCOL_ERROR, ret);
    if (s->opts.flow_control) {
        if (size > st->receive_window)
            return stream_error(s, id, SPDY_FLOW_CONTROL_ERROR, ret);
        st->receive_window -= size;
    }
    return false;
}

static bool take_data(struct spdy *s, str *in, struct spdy_event *ret)
{
    str piece = str_slice(*in, 0, s->frame_left);
    *in = str_from(*in, piece.n);
    s->frame_left -= (uint32_t)piece.n;
    if (!s->frame_left)
        s->state = AT_HEAD;
    struct stream *st = find_stream(s, s->frame_stream);
    if (!st) {
        give_back_session(s, piece.n);
        return false;
    }
    bool end = !s->frame_left && s->frame_flags & SPDY_END;
    if (!piece.n && !end)
        return false;
    *ret = (struct spdy_event){
        .type = SPDY_DATA, .stream = st->id, .user = st->user, .data = piece, .end = end};
    if (end)
        end_there(s, st);
    return true;
}

/* How a control frame begins: `fixed` bytes, and nothing more when `exact`. */
static const struct {
    uint8_t fixed;
    bool exact;
} control_shapes[] = {
    [SYN_STREAM] = {10, false}, [SYN_REPLY] = {4, false},    [RST_STREAM] = {8, true},
    [SETTINGS] = {4, false},    [PING] = {4, true},          [GOAWAY] = {8, true},
    [HEADERS] = {4, false},     [WINDOW_UPDATE] = {8, true},
};

static bool begin_control(struct spdy *s, uint32_t word)
{
    unsigned version = word >> 16 & 0x7fff, type = word & 0xffff;
    if (version != VERSION)
        return fail(s, ERR_PROTOCOL, "a frame of version %u", version);
    if (type >= ARRAY_COUNT(control_shapes) || !control_shapes[type].fixed) {
        s->state = AT_SKIP;
        return false;
    }
    s->frame_type = (uint16_t)type;
    s->fixed_need = control_shapes[type].fixed;
    if (control_shapes[type].exact ? s->frame_left != s->fixed_need : s->frame_left < s->fixed_need)
        return fail(s, ERR_PROTOCOL, "a control frame of type %u with %u bytes", type, s->frame_left);
    s->state = AT_FIXED;
    return false;
}

/* Fills `part` up to `need` bytes: true when it is whole. */
static bool collect(struct spdy *s, str *in, size_t need)
{
    str piece = str_slice(*in, 0, need - s->part_n);
    *in = str_from(*in, piece.n);
    if (piece.n)
        memcpy(s->part + s->part_n, piece.p, piece.n);
    s->part_n = (uint8_t)(s->part_n + piece.n);
    if (s->state != AT_HEAD)
        s->frame_left -= (uint32_t)piece.n;
    if (s->part_n < need)
        return false;
    s->part_n = 0;
    return true;
}

static bool take_head(struct spdy *s, str *in, struct spdy_event *ret)
{
    if (!collect(s, in, HEAD_N))
        return false;
    uint32_t word = load_u32(s->part), rest = load_u32(s->part + 4);
    s->frame_flags = (uint8_t)(rest >> 24);
    s->frame_left = rest & FRAME_SIZE_MAX;
    return word >> 31 ? begin_control(s, word) : begin_data(s, word, ret);
}

/* Whether the peer may open this stream now; notes that it did. Creators of several threads may let a later number
 * overtake an earlier one. */
static bool note_seen(struct spdy *s, uint32_t id)
{
    if (id > s->last_theirs) {
        uint32_t steps = (id - s->last_theirs) / 2;
        s->seen_theirs = (steps < 64 ? s->seen_theirs << steps : 0) | 1;
        s->last_theirs = id;
        return true;
    }
    uint32_t steps = (s->last_theirs - id) / 2;
    if (steps >= 64 || s->seen_theirs >> steps & 1)
        return false;
    s->seen_theirs |= 1ull << steps;
    return true;
}

static bool open_theirs(struct spdy *s, uint32_t id, const char *bad, struct spdy_event *ret)
{
    if (!is_theirs(s, id))
        return fail(s, ERR_PROTOCOL, "a new stream %u, a number that is ours to give", id);
    if (s->goaway_sent)
        return false;
    if (!note_seen(s, id))
        return stream_error(s, id, SPDY_PROTOCOL_ERROR, ret);
    if (bad || s->count_by[0] >= s->opts.stream_max) {
        add_reset(s, id, bad ? SPDY_PROTOCOL_ERROR : SPDY_REFUSED_STREAM);
        return false;
    }
    struct stream *st = add_stream(s, id, false);
    *ret = (struct spdy_event){.type = SPDY_STREAM,
                               .stream = id,
                               .end = s->frame_flags & SPDY_END,
                               .one_way = s->frame_flags & SPDY_ONE_WAY,
                               .headers = s->unpacker.headers,
                               .header_count = s->unpacker.header_count};
    st->ended_here = ret->one_way;
    if (ret->end)
        end_there(s, st);
    return true;
}

/* A SYN_REPLY or HEADERS frame. */
static bool take_headers(struct spdy *s, uint32_t id, const char *bad, struct spdy_event *ret)
{
    bool is_reply = s->frame_type == SYN_REPLY;
    struct stream *st = find_stream(s, id);
    if (!st) {
        answer_unknown(s, id);
        return false;
    }
    if (st->ended_there)
        return stream_error(s, id, SPDY_STREAM_ALREADY_CLOSED, ret);
    if (is_reply && st->ours && st->replied)
        return stream_error(s, id, SPDY_STREAM_IN_USE, ret);
    if (bad || (is_reply && !st->ours))
        return stream_error(s, id, SPDY_PROTOCOL_ERROR, ret);
    *ret = (struct spdy_event){.type = is_reply ? SPDY_REPLY : SPDY_HEADERS,
                               .stream = id,
                               .user = st->user,
                               .end = s->frame_flags & SPDY_END,
                               .headers = s->unpacker.headers,
                               .header_count = s->unpacker.header_count};
    if (is_reply)
        st->replied = true;
    if (ret->end)
        end_there(s, st);
    return true;
}

static bool fail_block(struct spdy *s, const struct err *why)
{
    return fail(s, why->code == ERR_TOO_LARGE ? ERR_TOO_LARGE : ERR_PROTOCOL, "a bad header block: %s",
                why->msg);
}

static bool take_block(struct spdy *s, str *in, struct spdy_event *ret)
{
    struct err err = ERR_INIT;
    str piece = str_slice(*in, 0, s->frame_left);
    *in = str_from(*in, piece.n);
    s->frame_left -= (uint32_t)piece.n;
    if (piece.n && spdy_unpack(&s->unpacker, piece, &err))
        return fail_block(s, &err);
    if (s->frame_left)
        return false;
    s->state = AT_HEAD;
    const char *bad;
    if (spdy_unpack_end(&s->unpacker, &bad, &err))
        return fail_block(s, &err);
    uint32_t id = s->frame_stream;
    if (!id)
        return fail(s, ERR_PROTOCOL, "headers of stream 0");
    return s->frame_type == SYN_STREAM ? open_theirs(s, id, bad, ret) : take_headers(s, id, bad, ret);
}

static bool take_reset(struct spdy *s, uint32_t id, uint32_t status, struct spdy_event *ret)
{
    if (!id || !status)
        return fail(s, ERR_PROTOCOL, "a reset of stream %u with status %u", id, status);
    struct stream *st = find_stream(s, id);
    if (!st)
        return false;
    *ret = (struct spdy_event){.type = SPDY_RESET, .stream = id, .user = st->user, .status = status};
    remove_stream(s, st);
    return true;
}

static bool take_ping(struct spdy *s, uint32_t number, struct spdy_event *ret)
{
    if (is_theirs(s, number)) {
        add_control(s, PING, &number, 1);
        return false;
    }
    *ret = (struct spdy_event){.type = SPDY_PONG, .number = number};
    return true;
}

static bool take_goaway(struct spdy *s, uint32_t last, uint32_t status, struct spdy_event *ret)
{
    s->goaway_received = true;
    s->refused_from = last + 1;
    *ret = (struct spdy_event){.type = SPDY_GOAWAY, .number = last, .status = status};
    return true;
}

static bool tell_room(struct stream *st, struct spdy_event *ret)
{
    st->wants_room = false;
    *ret = (struct spdy_event){.type = SPDY_ROOM, .stream = st->id, .user = st->user};
    return true;
}

static bool take_window_update(struct spdy *s, uint32_t id, uint32_t more, struct spdy_event *ret)
{
    if (!s->opts.flow_control)
        return false;
    if (!more)
        return fail(s, ERR_PROTOCOL, "an empty window update");
    if (!id) {
        if (more > WINDOW_MAX - s->send_window)
            return fail(s, ERR_PROTOCOL, "a window update past the largest window");
        s->send_window += more;
        s->room_from = 1;
        return false;
    }
    struct stream *st = find_stream(s, id);
    if (!st)
        return false;
    if (more > WINDOW_MAX - st->send_window)
        return stream_error(s, id, SPDY_FLOW_CONTROL_ERROR, ret);
    st->send_window += more;
    return st->wants_room && room_of(s, st) && tell_room(st, ret);
}

static void take_setting(struct spdy *s, uint32_t id, uint32_t value)
{
    if (id == SETTING_STREAMS)
        s->peer_stream_max = value;
    if (id != SETTING_WINDOW || !s->opts.flow_control)
        return;
    if (value > WINDOW_MAX) {
        fail(s, ERR_PROTOCOL, "an initial window of %u bytes", value);
        return;
    }
    int64_t more = (int64_t)value - s->peer_initial_window;
    for (size_t i = 0; i < s->stream_count; i++) {
        s->streams[i].send_window += more;
        if (s->streams[i].send_window > WINDOW_MAX)
            fail(s, ERR_PROTOCOL, "an initial window past the largest window of stream %u", s->streams[i].id);
    }
    s->peer_initial_window = value;
    s->room_from = 1;
}

static bool take_settings(struct spdy *s, str *in)
{
    if (!s->frame_left)
        s->state = AT_HEAD;
    else if (collect(s, in, 8))
        take_setting(s, load_u32(s->part) & 0xffffff, load_u32(s->part + 4));
    return false;
}

static bool take_fixed(struct spdy *s, str *in, struct spdy_event *ret)
{
    if (!collect(s, in, s->fixed_need))
        return false;
    uint32_t id = load_u32(s->part) & STREAM_ID_MAX, second = load_u32(s->part + 4);
    s->state = AT_HEAD;
    switch ((enum frame_type)s->frame_type) {
    case SYN_STREAM:
    case SYN_REPLY:
    case HEADERS:
        s->frame_stream = id;
        s->state = AT_BLOCK;
        spdy_unpack_begin(&s->unpacker);
        return false;
    case SETTINGS:
        s->state = AT_SETTINGS;
        if (s->frame_left % 8 || load_u32(s->part) != s->frame_left / 8)
            return fail(s, ERR_PROTOCOL, "%u settings in %u bytes", load_u32(s->part), s->frame_left);
        return false;
    case RST_STREAM: return take_reset(s, id, second, ret);
    case PING: return take_ping(s, load_u32(s->part), ret);
    case GOAWAY: return take_goaway(s, id, second, ret);
    case WINDOW_UPDATE: return take_window_update(s, id, second & WINDOW_MAX, ret);
    }
    return false;
}

/* Streams of ours that the peer's GOAWAY says it never saw. */
static bool next_refused(struct spdy *s, struct spdy_event *ret)
{
    if (!s->refused_from)
        return false;
    for (size_t i = stream_index(s, s->refused_from); i < s->stream_count; i++) {
        struct stream *st = &s->streams[i];
        if (!st->ours)
            continue;
        s->refused_from = st->id;
        *ret = (struct spdy_event){
            .type = SPDY_RESET, .stream = st->id, .user = st->user, .status = SPDY_REFUSED_STREAM};
        remove_stream(s, st);
        return true;
    }
    s->refused_from = 0;
    return false;
}

/* Streams that can send again since the session's window, or the window they began with, has grown. */
static bool next_room(struct spdy *s, struct spdy_event *ret)
{
    if (!s->room_from)
        return false;
    for (size_t i = stream_index(s, s->room_from); i < s->stream_count; i++) {
        struct stream *st = &s->streams[i];
        if (!st->wants_room || !room_of(s, st))
            continue;
        s->room_from = st->id + 1;
        return tell_room(st, ret);
    }
    s->room_from = 0;
    return false;
}

static bool take_some(struct spdy *s, str *in, struct spdy_event *ret)
{
    switch (s->state) {
    case AT_HEAD: return take_head(s, in, ret);
    case AT_FIXED: return take_fixed(s, in, ret);
    case AT_BLOCK: return take_block(s, in, ret);
    case AT_SETTINGS: return take_settings(s, in);
    case AT_DATA: return take_data(s, in, ret);
    case AT_SKIP: {
        size_t n = size_min(in->n, s->frame_left);
        *in = str_from(*in, n);
        s->frame_left -= (uint32_t)n;
        if (!s->frame_left)
            s->state = AT_HEAD;
        return false;
    }
    }
    return false;
}

bool spdy_next(struct spdy *s, str *in, struct spdy_event *ret)
{
    for (;;) {
        if (s->failure.code) {
            *in = str_from(*in, in->n);
            return false;
        }
        if (next_refused(s, ret) || next_room(s, ret))
            return true;
        /* Inside a frame of which nothing is left there is a step to take without input. */
        if (!in->n && (s->state == AT_HEAD || s->frame_left))
            return false;
        if (take_some(s, in, ret))
            return true;
    }
}

/* --- writing --- */

static err_code closed(struct err *err, uint32_t id)
{
    return err_set(err, ERR_CLOSED, "SPDY stream %u is closed for sending", id);
}

/* Nothing is added, and the packer untouched, when it fails. `fixed` begins with the stream's id. */
static err_code add_header_frame(struct spdy *s, enum frame_type type, unsigned flags, str fixed,
                                 const struct http_header *headers, size_t header_count, struct err *err)
{
    ASSERT(!s->head_last);
    size_t bound;
    err_code code = spdy_pack_begin(&s->packer, headers, header_count, &bound, err);
    if (!code)
        code = check_output(s, HEAD_N + fixed.n + bound, err);
    if (code)
        return code;
    size_t before = HEAD_N + fixed.n;
    char *to = buf_room(&s->out, before + bound);
    ASSERT(to);
    size_t n = spdy_pack_finish(&s->packer, to + before, bound);
    store_control_head(to, type, flags, fixed.n + n);
    memcpy(to + HEAD_N, fixed.p, fixed.n);
    buf_commit(&s->out, before + n);
    return ERR_NONE;
}

err_code spdy_open(struct spdy *s, const struct http_header *headers, size_t header_count, unsigned flags,
                   void *user, uint32_t *ret_stream, struct err *err)
{
    if (s->failure.code || s->goaway_sent || s->goaway_received || s->next_ours > STREAM_ID_MAX)
        return err_set(err, ERR_CLOSED, "could not open a stream: the SPDY session is ending");
    if (s->count_by[1] >= s->opts.stream_max || s->count_by[1] >= s->peer_stream_max)
        return err_set(err, ERR_AGAIN, "could not open a stream: %zu are open", s->count_by[1]);
    /* Priority 0 for all: the original's library sorts what it reads by priority, and would let data of another one
     * overtake what opened its stream. */
    char fixed[10] = {0};
    store_u32(fixed, s->next_ours);
    flags &= SPDY_END | SPDY_ONE_WAY;
    err_code code = add_header_frame(s, SYN_STREAM, flags, str_of(fixed, sizeof fixed), headers, header_count,
                                     err);
    if (code)
        return code;
    struct stream *st = add_stream(s, s->next_ours, true);
    st->user = user;
    st->replied = st->ended_there = flags & SPDY_ONE_WAY;
    *ret_stream = st->id;
    s->next_ours += 2;
    if (flags & SPDY_END)
        end_here(s, st);
    return ERR_NONE;
}

static err_code send_block(struct spdy *s, enum frame_type type, uint32_t id,
                           const struct http_header *headers, size_t header_count, unsigned flags,
                           struct err *err)
{
    char fixed[4];
    store_u32(fixed, id);
    flags &= SPDY_END;
    err_code code = add_header_frame(s, type, flags, str_of(fixed, sizeof fixed), headers, header_count, err);
    if (code)
        return code;
    struct stream *st = find_stream(s, id);
    st->replied |= type == SYN_REPLY;
    if (flags)
        end_here(s, st);
    return ERR_NONE;
}

err_code spdy_reply(struct spdy *s, uint32_t stream, const struct http_header *headers, size_t header_count,
                    unsigned flags, struct err *err)
{
    const struct stream *st = find_stream(s, stream);
    if (s->failure.code || !st || st->ours || st->replied || st->ended_here)
        return closed(err, stream);
    return send_block(s, SYN_REPLY, stream, headers, header_count, flags, err);
}

err_code spdy_send_headers(struct spdy *s, uint32_t stream, const struct http_header *headers,
                           size_t header_count, unsigned flags, struct err *err)
{
    const struct stream *st = find_stream(s, stream);
    if (s->failure.code || !st || st->ended_here)
        return closed(err, stream);
    if (!st->replied)
        return err_set(err, ERR_AGAIN, "could not send headers on SPDY stream %u before its reply", stream);
    return send_block(s, HEADERS, stream, headers, header_count, flags, err);
}

size_t spdy_room(struct spdy *s, uint32_t stream)
{
    struct stream *st = find_stream(s, stream);
    if (!st || s->failure.code)
        return 0;
    size_t room = room_of(s, st);
    if (!room && st->replied)
        st->wants_room = true;
    return room;
}

/* Adds a data frame's head and counts its payload. */
static err_code add_data_head(struct spdy *s, uint32_t id, size_t size, size_t copied, unsigned flags,
                              struct err *err)
{
    ASSERT(!s->head_last);
    struct stream *st = find_stream(s, id);
    if (s->failure.code || !st || st->ended_here)
        return closed(err, id);
    if (!st->replied || size > spdy_room(s, id))
        return err_set(err, ERR_AGAIN, "could not send %zu bytes on SPDY stream %u: there is room for %zu",
                       size, id, room_of(s, st));
    err_code code = check_output(s, HEAD_N + copied, err);
    if (code)
        return code;
    char head[HEAD_N];
    flags &= SPDY_END;
    store_u32(store_u32(head, id), flags << 24 | (uint32_t)size);
    buf_add(&s->out, str_of(head, sizeof head));
    if (s->opts.flow_control) {
        st->send_window -= (int64_t)size;
        s->send_window -= (int64_t)size;
        st->wants_room |= !room_of(s, st);
    }
    if (flags)
        end_here(s, st);
    return ERR_NONE;
}

err_code spdy_send(struct spdy *s, uint32_t stream, str data, unsigned flags, struct err *err)
{
    err_code code = add_data_head(s, stream, data.n, data.n, flags, err);
    if (!code)
        buf_add(&s->out, data);
    return code;
}

err_code spdy_send_head(struct spdy *s, uint32_t stream, size_t size, unsigned flags, struct err *err)
{
    err_code code = add_data_head(s, stream, size, 0, flags, err);
    if (!code)
        s->head_last = size;
    return code;
}

void spdy_reset(struct spdy *s, uint32_t stream, enum spdy_reset_status status)
{
    struct stream *st = find_stream(s, stream);
    if (!st || s->failure.code)
        return;
    add_reset(s, stream, status);
    remove_stream(s, st);
}

void spdy_set_user(struct spdy *s, uint32_t stream, void *user)
{
    struct stream *st = find_stream(s, stream);
    if (st)
        st->user = user;
}

void *spdy_user(const struct spdy *s, uint32_t stream)
{
    const struct stream *st = find_stream(s, stream);
    return st ? st->user : NULL;
}

size_t spdy_stream_count(const struct spdy *s)
{
    return s->stream_count;
}

uint32_t spdy_ping(struct spdy *s)
{
    uint32_t number = s->next_ping;
    s->next_ping += 2;
    if (!s->failure.code)
        add_control(s, PING, &number, 1);
    return number;
}

void spdy_goaway(struct spdy *s, enum spdy_goaway_status status)
{
    if (!s->goaway_sent)
        add_goaway(s, status);
}

str spdy_output(struct spdy *s)
{
    return buf_str(&s->out);
}

void spdy_written(struct spdy *s, size_t n)
{
    ASSERT(n <= s->out.n);
    buf_drop_front(&s->out, n);
    if (s->out.n || !s->head_last)
        return;
    struct buf empty = s->out;
    s->out = s->held;
    s->held = empty;
    s->head_last = false;
}
