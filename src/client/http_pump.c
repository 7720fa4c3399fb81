/* http_pump.c - one function, turn(), does all that can be done now; it runs when the stream is ready, when the connection
 * was given commands (deferred to the end of the turn) and when the timer fires. Deadlines are moments that are noted while
 * things happen; the one timer is set to the nearest and looks again when it fires, so busy connections hardly touch it.
 *
 * Always true:
 *  - once `is_closing` is set the stream and the timer are gone, and the message `later` is on its way to finish();
 *  - `rest` holds input only while the version is unknown or the connection takes no more. */
#include "client/http_pump.h"
#include "base/mem.h"

enum {
    READ_SIZE = 32 * 1024,
    TURN_SIZE_MAX = 1024 * 1024,
    REST_SIZE_MAX = 2 * READ_SIZE,
    PARTS_MAX = 64,
};

#define TRIM_NS (2 * NS_PER_S) /* idle for so long: memory kept for the next exchange is given back */

struct http_pump {
    struct stream *s;
    struct http_conn *c;
    struct loop *loop;
    struct http_pump_handler handler;
    struct http_pump_times times;
    struct http_limits limits; /* server, until the version is known */
    struct http_handler http;
    struct buf rest;
    struct timer timer;
    struct loop_msg later;
    struct err why;
    bool is_server;
    bool is_open; /* connected: something came or went */
    bool is_later_due, is_turning, is_closing;
    bool input_ended, end_was_fed;
    bool waits_to_write, is_shut;
    bool is_trimmed;
    /* when it began; 0: it is not so */
    int64_t opened_at, heard_at, in_head_at, idle_at, stalled_at, pinged_at, ending_at;
};

/* --- the end --- */

static void finish(struct http_pump *p)
{
    struct err ended = ERR_INIT;
    if (p->c) {
        http_conn_set_wake(p->c, NULL, NULL);
        if (p->why.code == ERR_NONE)
            err_set(&ended, ERR_CLOSED, "the connection has ended");
        http_conn_lost(p->c, p->why.code ? &p->why : &ended);
    }
    if (p->handler.on_closed)
        p->handler.on_closed(p->handler.ctx, p, &p->why);
    http_conn_free(p->c);
    buf_done(&p->rest);
    mem_free(p);
}

static void turn(struct http_pump *p, unsigned ready);

static void later_run(struct loop_msg *m)
{
    struct http_pump *p = CONTAINER_OF(m, struct http_pump, later);
    p->is_later_due = false;
    if (p->is_closing)
        finish(p);
    else
        turn(p, 0);
}

/* The loop is freed with the message on its way: nobody is left to be told. */
static void later_drop(struct loop_msg *m)
{
    struct http_pump *p = CONTAINER_OF(m, struct http_pump, later);
    if (p->c)
        http_conn_set_wake(p->c, NULL, NULL);
    http_conn_free(p->c);
    buf_done(&p->rest);
    mem_free(p);
}

static void later_schedule(struct http_pump *p)
{
    if (p->is_later_due)
        return;
    p->is_later_due = true;
    p->later = (struct loop_msg){.run = later_run, .drop = later_drop};
    loop_defer(p->loop, &p->later);
}

/* why NULL: in agreement. `abort`: what waits to be sent would hold the stream up. */
static void close_for(struct http_pump *p, const struct err *why, bool abort)
{
    if (p->is_closing)
        return;
    p->is_closing = true;
    if (why && !p->why.code)
        p->why = *why;
    timer_cancel(&p->timer);
    if (abort)
        stream_abort(p->s);
    else
        stream_close(p->s);
    p->s = NULL;
    later_schedule(p);
}

static void close_late(struct http_pump *p, const char *what)
{
    struct err why = ERR_INIT;
    err_set(&why, ERR_TIMEOUT, "%s", what);
    close_for(p, &why, true);
}

void http_pump_close(struct http_pump *p)
{
    struct err why = ERR_INIT;
    err_set(&why, ERR_CANCELED, "we closed the connection");
    close_for(p, &why, false);
}

static void woken(void *ctx)
{
    struct http_pump *p = ctx;
    if (!p->is_turning && !p->is_closing)
        later_schedule(p);
}

void http_pump_drain(struct http_pump *p)
{
    if (p->is_closing)
        return;
    p->ending_at = loop_now(p->loop);
    if (p->c)
        http_conn_drain(p->c);
    else
        close_for(p, NULL, false);
}

/* --- input --- */

static void feed(struct http_pump *p, str bytes, size_t *ret_used)
{
    struct err err = ERR_INIT;
    /* On failure the connection still has something to say and is over: it closes when that is written. */
    if (http_conn_feed(p->c, bytes, ret_used, &err) && !p->why.code)
        p->why = err;
}

/* False: too few bytes to tell. */
static bool version_find(struct http_pump *p, str first)
{
    enum http_preface look = http_preface_look(first);
    if (look == HTTP_PREFACE_PARTLY && !p->input_ended)
        return false;
    p->c = http_conn_new_server(look == HTTP_PREFACE_YES ? HTTP_2 : HTTP_1_1, &p->limits, p->http);
    http_conn_set_wake(p->c, woken, p);
    return true;
}

static void input(struct http_pump *p, str bytes)
{
    size_t used = 0;
    if (!p->rest.n && (p->c || version_find(p, bytes))) {
        feed(p, bytes, &used);
        bytes = str_from(bytes, used);
    }
    buf_add(&p->rest, bytes);
    if (!p->c)
        version_find(p, buf_str(&p->rest));
}

/* What was kept back goes in as far as it is taken; then the end, when it has come. */
static void input_rest(struct http_pump *p)
{
    while (p->c && p->rest.n && http_conn_wants_input(p->c)) {
        size_t used;
        feed(p, buf_str(&p->rest), &used);
        buf_drop_front(&p->rest, used);
        if (!p->rest.n)
            buf_done(&p->rest);
        if (!used)
            break;
    }
    if (!p->input_ended || p->end_was_fed || p->rest.n)
        return;
    p->end_was_fed = true;
    struct err err = ERR_INIT;
    if (p->c && http_conn_feed_end(p->c, &err) && !p->why.code)
        p->why = err;
}

static bool may_read(const struct http_pump *p)
{
    return !p->input_ended && (!p->c || (!p->rest.n && http_conn_wants_input(p->c)));
}

static void read_input(struct http_pump *p)
{
    char bytes[READ_SIZE];
    for (size_t total = 0; total < TURN_SIZE_MAX && may_read(p) && !p->is_closing;) {
        struct err err = ERR_INIT;
        size_t n;
        err_code code = stream_read(p->s, bytes, sizeof bytes, &n, &err);
        if (code == ERR_AGAIN)
            return;
        if (code == ERR_CLOSED) {
            p->input_ended = true;
            if (!p->c && p->rest.n)
                version_find(p, buf_str(&p->rest));
            return;
        }
        if (code) {
            close_for(p, &err, false);
            return;
        }
        p->is_open = true;
        p->heard_at = loop_now(p->loop);
        p->pinged_at = 0;
        total += n;
        input(p, str_of(bytes, n));
        if (!p->is_closing)
            input_rest(p);
        if (n < sizeof bytes)
            return; /* most likely all there was: saves the call that says so */
    }
}

/* --- output --- */

static void write_output(struct http_pump *p)
{
    p->waits_to_write = false;
    for (size_t total = 0; p->c && !p->is_closing;) {
        str parts[PARTS_MAX];
        size_t count = http_conn_output(p->c, parts, PARTS_MAX), size = 0, n = 0;
        if (!count) {
            p->stalled_at = 0;
            return;
        }
        for (size_t i = 0; i < count; i++)
            size += parts[i].n;
        struct err err = ERR_INIT;
        err_code code = stream_write(p->s, parts, count, &n, &err);
        if (code && code != ERR_AGAIN) {
            close_for(p, &err, false);
            return;
        }
        if (!code) {
            http_conn_written(p->c, n);
            p->is_open = true;
            p->stalled_at = 0;
            total += n;
        }
        if (n < size || total >= TURN_SIZE_MAX) {
            p->waits_to_write = true;
            p->stalled_at = p->stalled_at ? p->stalled_at : loop_now(p->loop);
            return;
        }
    }
}

/* --- what follows from the state --- */

static void since(int64_t *moment, bool is_so, int64_t now)
{
    *moment = !is_so ? 0 : *moment ? *moment : now;
}

static void moments_note(struct http_pump *p)
{
    int64_t now = loop_now(p->loop);
    size_t exchanges = p->c ? http_conn_exchange_count(p->c) : 0;
    bool in_head = p->is_server && (!p->c || http_conn_is_in_head(p->c) || !p->is_open);
    since(&p->in_head_at, in_head, now);
    since(&p->idle_at, !in_head && !exchanges, now);
    p->is_trimmed = p->is_trimmed && p->idle_at;
}

static int64_t sooner(int64_t nearest, int64_t moment, int64_t wait)
{
    if (!moment || wait == HTTP_PUMP_NEVER)
        return nearest;
    return moment + wait < nearest ? moment + wait : nearest;
}

static int64_t last_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool pings(const struct http_pump *p)
{
    return p->c && http_conn_version(p->c) == HTTP_2 && http_conn_exchange_count(p->c) && p->is_open;
}

static int64_t deadline(const struct http_pump *p)
{
    const struct http_pump_times *t = &p->times;
    int64_t at = INT64_MAX;
    if (!p->is_server && !p->is_open)
        return sooner(at, p->opened_at, t->connect_ns);
    at = sooner(at, p->in_head_at, p->ending_at ? HTTP_PUMP_NEVER : t->head_ns);
    at = sooner(at, p->stalled_at, t->stall_ns);
    at = sooner(at, p->idle_at, p->is_trimmed ? HTTP_PUMP_NEVER : TRIM_NS);
    if (!p->ending_at)
        at = sooner(at, p->idle_at, t->idle_ns);
    else if (p->idle_at || p->in_head_at)
        at = sooner(at, last_of(p->ending_at, p->idle_at), t->grace_ns);
    if (pings(p))
        at = p->pinged_at ? sooner(at, p->pinged_at, t->pong_ns) : sooner(at, p->heard_at, t->ping_ns);
    return at;
}

static void settle(struct http_pump *p)
{
    if (p->is_closing)
        return;
    bool nothing_to_write = !p->c || !p->waits_to_write;
    if (nothing_to_write && (p->c ? http_conn_is_over(p->c) : p->input_ended)) {
        close_for(p, NULL, false);
        return;
    }
    moments_note(p);
    if (p->c && nothing_to_write && !p->is_shut && http_conn_output_ended(p->c)) {
        struct err err = ERR_INIT;
        p->is_shut = true;
        err_ignore(stream_shutdown(p->s, &err)); /* what is wrong with it shows in the next read */
    }
    bool is_connecting = !p->is_server && !p->is_open;
    stream_want(p->s,
                (may_read(p) ? STREAM_READ : 0u) | (p->waits_to_write || is_connecting ? STREAM_WRITE : 0u));
    int64_t at = deadline(p);
    if (at != INT64_MAX && (!timer_is_set(&p->timer) || p->timer.at_ns > at))
        timer_set_at(&p->timer, at);
}

static void turn(struct http_pump *p, unsigned ready)
{
    p->is_turning = true;
    p->is_open |= ready & STREAM_WRITE; /* connected, or not: the next read or write tells */
    if (ready & STREAM_READ)
        read_input(p);
    write_output(p);
    /* Writing makes room for input that was kept back, and that makes more to write. */
    for (size_t had = SIZE_MAX; !p->is_closing && p->rest.n < had;) {
        had = p->rest.n;
        input_rest(p);
        write_output(p);
    }
    p->is_turning = false;
    settle(p);
}

static void on_ready(void *ctx, struct stream *s, unsigned ready)
{
    turn(ctx, ready);
}

/* --- time --- */

static bool is_due(const struct http_pump *p, int64_t moment, int64_t wait)
{
    return moment && wait != HTTP_PUMP_NEVER && loop_now(p->loop) - moment >= wait;
}

static void ending_check(struct http_pump *p)
{
    if (!p->idle_at)
        return;
    if (!p->is_trimmed && is_due(p, p->idle_at, TRIM_NS)) {
        p->is_trimmed = true;
        http_conn_trim(p->c);
    }
    if (!p->ending_at && is_due(p, p->idle_at, p->times.idle_ns)) {
        p->ending_at = loop_now(p->loop);
        http_conn_drain(p->c);
    } else if (is_due(p, last_of(p->ending_at, p->idle_at), p->times.grace_ns)) {
        close_for(p, NULL, false);
    }
}

static void ping_check(struct http_pump *p)
{
    if (!pings(p))
        return;
    if (is_due(p, p->pinged_at, p->times.pong_ns)) {
        close_late(p, "the peer is silent: it did not even answer a ping");
    } else if (!p->pinged_at && is_due(p, p->heard_at, p->times.ping_ns)) {
        p->pinged_at = loop_now(p->loop);
        http_conn_ping(p->c);
    }
}

static void head_check(struct http_pump *p)
{
    if (!is_due(p, p->in_head_at, p->times.head_ns))
        return;
    if (!p->why.code)
        err_set(&p->why, ERR_TIMEOUT, "no whole request came in time");
    if (p->c)
        http_conn_time_out(p->c); /* it says so to the peer, and is over when that is written */
    else
        close_for(p, NULL, false);
}

static void on_timer(struct timer *t)
{
    struct http_pump *p = CONTAINER_OF(t, struct http_pump, timer);
    p->is_turning = true;
    if (!p->is_server && !p->is_open && is_due(p, p->opened_at, p->times.connect_ns))
        close_late(p, "the connection did not come about in time");
    else if (is_due(p, p->stalled_at, p->times.stall_ns))
        close_late(p, "the peer takes nothing of what it is sent");
    if (!p->is_closing)
        head_check(p);
    if (!p->is_closing)
        ending_check(p);
    if (!p->is_closing)
        ping_check(p);
    if (p->is_closing)
        p->is_turning = false;
    else
        turn(p, 0);
}

/* --- the beginning --- */

static void times_fill(struct http_pump_times *t, bool is_server)
{
    const struct http_pump_times defaults = {
        .connect_ns = is_server ? HTTP_PUMP_NEVER : 10 * NS_PER_S,
        .head_ns = is_server ? 30 * NS_PER_S : HTTP_PUMP_NEVER,
        .idle_ns = is_server ? 90 * NS_PER_S : HTTP_PUMP_NEVER,
        .grace_ns = 5 * NS_PER_S,
        .stall_ns = 30 * NS_PER_S,
        .ping_ns = is_server ? 60 * NS_PER_S : 30 * NS_PER_S,
        .pong_ns = 15 * NS_PER_S,
    };
    t->connect_ns = t->connect_ns ? t->connect_ns : defaults.connect_ns;
    t->head_ns = t->head_ns ? t->head_ns : defaults.head_ns;
    t->idle_ns = t->idle_ns ? t->idle_ns : defaults.idle_ns;
    t->grace_ns = t->grace_ns ? t->grace_ns : defaults.grace_ns;
    t->stall_ns = t->stall_ns ? t->stall_ns : defaults.stall_ns;
    t->ping_ns = t->ping_ns ? t->ping_ns : defaults.ping_ns;
    t->pong_ns = t->pong_ns ? t->pong_ns : defaults.pong_ns;
}

static struct http_pump *pump_new(struct stream *s, bool is_server, const struct http_pump_times *times,
                                  struct http_pump_handler handler)
{
    struct http_pump *p = NEW(struct http_pump);
    *p = (struct http_pump){.s = s, .loop = stream_loop(s), .is_server = is_server, .handler = handler};
    if (times)
        p->times = *times;
    times_fill(&p->times, is_server);
    buf_init(&p->rest, REST_SIZE_MAX);
    timer_init(&p->timer, p->loop, on_timer);
    p->opened_at = p->heard_at = loop_now(p->loop);
    stream_set_handler(s, (struct stream_handler){.on_ready = on_ready, .ctx = p});
    return p;
}

struct http_pump *http_pump_client(struct stream *s, struct http_conn *c, const struct http_pump_times *times,
                                   struct http_pump_handler handler)
{
    struct http_pump *p = pump_new(s, false, times, handler);
    p->c = c;
    http_conn_set_wake(c, woken, p);
    later_schedule(p);
    return p;
}

struct http_pump *http_pump_server(struct stream *s, const struct http_limits *limits,
                                   struct http_handler http, const struct http_pump_times *times,
                                   struct http_pump_handler handler)
{
    struct http_pump *p = pump_new(s, true, times, handler);
    if (limits)
        p->limits = *limits;
    p->http = http;
    settle(p);
    return p;
}

struct http_conn *http_pump_conn(struct http_pump *p)
{
    return p->c;
}

struct stream *http_pump_stream(struct http_pump *p)
{
    return p->s;
}
