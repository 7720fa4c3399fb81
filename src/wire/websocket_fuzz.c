/* websocket_fuzz.c - any bytes, either role: fed whole or byte by byte they give the same events, the same answers and
 * the same failure; what is answered is itself valid for the other role. */
#include "harness/test.h"
#include "wire/websocket_testing.h"

enum { RUN_MAX = 1 << 22 };

struct outcome {
    struct buf events, out;
    struct err err;
    bool over;
};

static void run(struct outcome *o, enum ws_role role, unsigned flags, str bytes, size_t step)
{
    *o = (struct outcome){.err = ERR_INIT};
    buf_init(&o->events, RUN_MAX);
    buf_init(&o->out, RUN_MAX);
    struct ws_opts opts = {.mask_key = {1, 2},
                           .frame_size_max = flags & 1 ? 100 : 0,
                           .message_size_max = flags & 2 ? 150 : 0,
                           .manual_pong = flags & 4};
    struct ws *w = ws_new(role, &opts);
    ws_run(w, bytes, step, &o->events, &o->out);
    err_ignore(ws_check(w, &o->err)); /* compared below */
    o->over = ws_is_over(w);
    ws_free(w);
}

static void outcome_done(struct outcome *o)
{
    buf_done(&o->events);
    buf_done(&o->out);
}

FUZZ(websocket)
{
    if (size < 1)
        return;
    enum ws_role role = data[0] & 1 ? WS_CLIENT : WS_SERVER;
    unsigned flags = data[0] >> 1;
    str bytes = str_of((const char *)data + 1, size - 1);
    struct outcome whole, single;
    run(&whole, role, flags, bytes, SIZE_MAX);
    run(&single, role, flags, bytes, 1);
    CHECK_EQ(whole.err.code, single.err.code);
    CHECK_STR(whole.err.msg, single.err.msg);
    CHECK_EQ(whole.over, single.over);
    CHECK_STR(buf_str(&whole.out), buf_str(&single.out));
    /* Before text that is not UTF-8 is refused, single bytes deliver more of it. */
    if (!whole.err.code)
        CHECK_STR(buf_str(&whole.events), buf_str(&single.events));
    else
        CHECK(str_starts(buf_str(&single.events), buf_str(&whole.events)));

    struct outcome answer;
    run(&answer, role == WS_SERVER ? WS_CLIENT : WS_SERVER, 0, buf_str(&whole.out), SIZE_MAX);
    CHECK_EQ(answer.err.code, ERR_NONE);
    outcome_done(&whole);
    outcome_done(&single);
    outcome_done(&answer);
}
