#include "wire/http_pair_test.h"
#include "base/mem.h"
#include "harness/test.h"
#include <nghttp2/nghttp2.h>

size_t http_pair_random(struct http_pair *p, size_t below)
{
    uint64_t z = p->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (size_t)((z ^ z >> 31) % below);
}

void http_pair_init(struct http_pair *p, enum http_version v, const struct http_limits *server_limits,
                    const struct http_limits *client_limits, struct http_handler server_handler)
{
    *p = (struct http_pair){.random = test_seed()};
    p->server = http_conn_new_server(v, server_limits, server_handler);
    p->client = http_conn_new_client(v, client_limits);
    buf_init(&p->errors, 1 << 20);
}

void http_pair_done(struct http_pair *p)
{
    http_conn_free(p->server);
    http_conn_free(p->client);
    buf_done(&p->errors);
}

static void feed(struct http_pair *p, struct http_conn *to, str bytes)
{
    while (bytes.n) {
        size_t n = 1 + http_pair_random(p, bytes.n);
        /* A copy of the exact size: a read past its end is seen by the address sanitizer. */
        char *copy = mem_dup(bytes.p, n);
        struct err err = ERR_INIT;
        size_t used;
        err_code code = http_conn_feed(to, str_of(copy, n), &used, &err);
        mem_free(copy);
        if (code) {
            CHECK_EQ(code, err.code);
            buf_add_f(&p->errors, "%s: %s: %s\n", to == p->server ? "server" : "client", err_name(code),
                      err.msg);
            return;
        }
        CHECK_EQ(used, n);
        bytes = str_from(bytes, n);
    }
}

static bool step_one_way(struct http_pair *p, struct http_conn *from, struct http_conn *to, bool is_lost)
{
    str parts[16];
    size_t count = http_conn_output(from, parts, 1 + http_pair_random(p, 16));
    if (!count)
        return false;
    struct buf bytes;
    buf_init(&bytes, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        buf_add(&bytes, parts[i]);
    size_t n = 1 + http_pair_random(p, bytes.n);
    if (http_pair_random(p, 2))
        n = bytes.n;
    http_conn_written(from, n);
    if (!is_lost)
        feed(p, to, str_of(bytes.p, n));
    buf_done(&bytes);
    return true;
}

bool http_pair_step(struct http_pair *p)
{
    bool up = step_one_way(p, p->client, p->server, p->is_deaf[1]);
    bool down = step_one_way(p, p->server, p->client, p->is_deaf[0]);
    return up || down;
}

void http_pair_run(struct http_pair *p)
{
    while (http_pair_step(p))
        ;
}

void http_take(struct http_conn *c, struct buf *to)
{
    str parts[8];
    for (size_t count; (count = http_conn_output(c, parts, ARRAY_COUNT(parts)));) {
        size_t n = 0;
        for (size_t i = 0; i < count; i++) {
            if (to)
                buf_add(to, parts[i]);
            n += parts[i].n;
        }
        http_conn_written(c, n);
    }
}

void http_carry(struct http_conn *from, struct http_conn *to)
{
    str parts[8];
    for (size_t count; (count = http_conn_output(from, parts, ARRAY_COUNT(parts)));) {
        size_t n = 0, used;
        for (size_t i = 0; i < count; i++) {
            CHECK_OK(http_conn_feed(to, parts[i], &used, &e));
            CHECK_EQ(used, parts[i].n);
            n += used;
        }
        http_conn_written(from, n);
    }
}

/* --- owner --- */

static void add_headers(struct buf *b, const struct http_header *h, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_add_f(b, " %" STR_FMT "=%" STR_FMT, STR_ARG(h[i].name), STR_ARG(h[i].value));
    buf_add_c(b, '\n');
}

static void free_at(struct http_watch *w, const char *event)
{
    if (w->frees_at && strcmp(w->frees_at, event) == 0) {
        http_exchange_free(w->x);
        w->x = NULL;
    }
}

static void watch_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct http_watch *w = ctx;
    CHECK(w->x == x);
    w->status = head->status;
    buf_add_f(&w->text, "head %d", head->status);
    add_headers(&w->text, head->headers, head->header_count);
    if (end) {
        w->ended = true;
        buf_add_lit(&w->text, "end\n");
    }
    free_at(w, "head");
}

static void watch_body(void *ctx, struct http_exchange *x, str data)
{
    struct http_watch *w = ctx;
    CHECK(w->x == x);
    CHECK(!w->ended && !w->was_reset);
    buf_add(&w->body, data);
    if (!w->is_lazy)
        http_consumed(x, data.n);
    free_at(w, "body");
}

static void watch_end(void *ctx, struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    struct http_watch *w = ctx;
    CHECK(w->x == x);
    CHECK(!w->ended && !w->was_reset);
    w->ended = true;
    buf_add_lit(&w->text, "end");
    add_headers(&w->text, trailers, count);
    free_at(w, "end");
}

static void watch_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    struct http_watch *w = ctx;
    CHECK(w->x == x);
    CHECK(!w->was_reset);
    CHECK(http_exchange_is_over(x));
    w->was_reset = true;
    buf_add_f(&w->text, "reset %s: %s\n", err_name(why->code), why->msg);
    free_at(w, "reset");
}

static void watch_room(void *ctx, struct http_exchange *x)
{
    struct http_watch *w = ctx;
    CHECK(w->x == x);
    buf_add_lit(&w->text, "room\n");
    free_at(w, "room");
}

void http_watch_init(struct http_watch *w)
{
    *w = (struct http_watch){0};
    buf_init(&w->text, 1 << 20);
    buf_init(&w->body, 1 << 30);
}

void http_watch_done(struct http_watch *w)
{
    http_exchange_free(w->x);
    buf_done(&w->text);
    buf_done(&w->body);
}

struct http_handler http_watch_handler(struct http_watch *w)
{
    return (struct http_handler){.on_head = watch_head,
                                 .on_body = watch_body,
                                 .on_end = watch_end,
                                 .on_reset = watch_reset,
                                 .on_room = watch_room,
                                 .ctx = w};
}

void http_watch_request(struct http_watch *w, struct http_conn *client, str method, str target, bool end)
{
    struct http_head head = {.method = method,
                             .target = target,
                             .authority = S("test:1"),
                             .scheme = S("http"),
                             .content_length = -1};
    struct err err = ERR_INIT;
    w->x = http_request(client, &head, end, http_watch_handler(w), &err);
    if (!w->x)
        FAIL("request was refused: %s: %s", err_name(err.code), err.msg);
}

void http_watch_get(struct http_watch *w, struct http_conn *client, str target)
{
    http_watch_request(w, client, S("GET"), target, true);
}

/* --- frames --- */

static const char *const types[] = {"DATA", "HEADERS", "PRIORITY", "RST",    "SETTINGS",
                                    "PUSH", "PING",    "GOAWAY",   "WINDOW", "CONT"};

static unsigned type_of(str name)
{
    for (unsigned i = 0; i < ARRAY_COUNT(types); i++)
        if (str_eq(name, str_from_c(types[i])))
            return i;
    uint64_t number;
    CHECK(str_parse_u64(name, &number));
    return (unsigned)number;
}

static unsigned flags_of(str text)
{
    static const struct {
        const char *name;
        unsigned flag;
    } names[] = {{"-", 0}, {"ES", 1}, {"ACK", 1}, {"EH", 4}, {"PAD", 8}, {"PRI", 32}};
    unsigned flags = 0;
    str piece;
    while (str_next(&text, ',', &piece))
        for (size_t i = 0; i < ARRAY_COUNT(names); i++)
            if (str_eq(piece, str_from_c(names[i].name)))
                flags |= names[i].flag;
    return flags;
}

static void add_hpack_int(struct buf *b, size_t n)
{
    if (n < 127) {
        buf_add_c(b, (char)n);
        return;
    }
    buf_add_c(b, 127);
    for (n -= 127; n >= 128; n /= 128)
        buf_add_c(b, (char)(n % 128 + 128));
    buf_add_c(b, (char)n);
}

/* Literals without indexing and without Huffman. */
static void add_fields(struct buf *b, str text)
{
    str pair;
    while (str_next(&text, ' ', &pair)) {
        if (str_empty(pair))
            continue;
        size_t eq = str_index_c(pair, '=');
        CHECK(eq != SIZE_MAX);
        buf_add_c(b, 0);
        add_hpack_int(b, eq);
        buf_add(b, str_slice(pair, 0, eq));
        add_hpack_int(b, pair.n - eq - 1);
        buf_add(b, str_from(pair, eq + 1));
    }
}

static void add_hex(struct buf *b, str text)
{
    text = str_trim(text);
    for (size_t i = 0; i + 1 < text.n; i += 2) {
        uint64_t byte;
        CHECK(str_parse_u64_hex(str_slice(text, i, i + 2), &byte));
        buf_add_c(b, (char)byte);
    }
}

static void add_frame(struct buf *b, str line)
{
    str type_name, id_text, flags, payload;
    str_cut(line, ' ', &type_name, &line);
    if (str_is(type_name, "PREFACE")) {
        buf_add_lit(b, NGHTTP2_CLIENT_MAGIC "\0\0\0\4\0\0\0\0\0");
        return;
    }
    if (str_is(type_name, "RAW")) {
        add_hex(b, line);
        return;
    }
    str_cut(line, ' ', &id_text, &line);
    str_cut(line, ' ', &flags, &payload);
    unsigned type = type_of(type_name);
    uint64_t id;
    CHECK(str_parse_u64(id_text, &id));
    struct buf p;
    buf_init(&p, 1 << 20);
    if (type == NGHTTP2_DATA)
        buf_add(&p, payload);
    else if (type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION)
        add_fields(&p, payload);
    else
        add_hex(&p, payload);
    const char head[9] = {(char)(p.n >> 16), (char)(p.n >> 8),      (char)p.n,
                          (char)type,        (char)flags_of(flags), (char)(id >> 24),
                          (char)(id >> 16),  (char)(id >> 8),       (char)id};
    buf_add(b, str_of(head, sizeof head));
    buf_add(b, buf_str(&p));
    buf_done(&p);
}

void http2_frames_add(struct buf *b, str lines)
{
    str line;
    while (str_next(&lines, '\n', &line)) {
        line = str_trim(line);
        if (str_empty(line))
            continue;
        uint64_t times = 1;
        if (str_take_prefix(&line, S("*"))) {
            str count;
            str_cut(line, ' ', &count, &line);
            CHECK(str_parse_u64(count, &times));
        }
        while (times--)
            add_frame(b, line);
    }
}

static uint32_t u32(str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void http2_frames_print(struct buf *to, str bytes)
{
    while (bytes.n >= 9) {
        size_t n = u32(bytes, 0) >> 8;
        unsigned type = (unsigned char)bytes.p[3], flags = (unsigned char)bytes.p[4];
        uint32_t id = u32(bytes, 5);
        CHECK_LE(n, bytes.n - 9);
        str payload = str_slice(bytes, 9, 9 + n);
        buf_add_f(to, "%s %u", type < ARRAY_COUNT(types) ? types[type] : "?", id);
        if (type == NGHTTP2_RST_STREAM)
            buf_add_f(to, " %s", nghttp2_http2_strerror(u32(payload, 0)));
        else if (type == NGHTTP2_GOAWAY)
            buf_add_f(to, " %s last %u", nghttp2_http2_strerror(u32(payload, 4)), u32(payload, 0));
        else if (type == NGHTTP2_WINDOW_UPDATE)
            buf_add_f(to, " +%u", u32(payload, 0));
        else if (type == NGHTTP2_DATA)
            buf_add_f(to, " %zu", n);
        if (type <= NGHTTP2_HEADERS && (flags & 1))
            buf_add_lit(to, " ES");
        else if ((type == NGHTTP2_PING || type == NGHTTP2_SETTINGS) && (flags & 1))
            buf_add_lit(to, " ACK");
        buf_add_c(to, '\n');
        bytes = str_from(bytes, 9 + n);
    }
    CHECK_EQ(bytes.n, 0);
}
