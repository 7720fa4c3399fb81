/* websocket_testing.h - what the tests and the fuzz target of websocket.c share: the events of an engine as text that
 * does not depend on how the bytes were split. */
#ifndef WIRE_WEBSOCKET_TESTING_H
#define WIRE_WEBSOCKET_TESTING_H

#include "base/buf.h"
#include "wire/websocket.h"

/* "text<...>", "binary<...>" (pieces run together), "ping(...)", "pong(...)", "close 1000(...)". */
static inline void ws_transcript_add(struct buf *to, const struct ws_event *ev)
{
    switch (ev->type) {
    case WS_DATA:
        if (ev->begin)
            buf_add(to, ev->kind == WS_TEXT ? S("text<") : S("binary<"));
        buf_add(to, ev->data);
        if (ev->end)
            buf_add_c(to, '>');
        return;
    case WS_PING: buf_add_lit(to, "ping("); break;
    case WS_PONG: buf_add_lit(to, "pong("); break;
    case WS_CLOSE: buf_add_f(to, "close %d(", ev->code); break;
    }
    buf_add(to, ev->data);
    buf_add_c(to, ')');
}

/* Feeds `bytes` in parts of `step`; what is to be written is taken after each part. */
static inline void ws_run(struct ws *w, str bytes, size_t step, struct buf *events, struct buf *out)
{
    while (bytes.n) {
        str part = str_slice(bytes, 0, step);
        bytes = str_from(bytes, part.n);
        struct ws_event ev;
        while (ws_next(w, &part, &ev)) {
            ASSERT(ev.type != WS_DATA || ev.data.n || ev.end);
            ws_transcript_add(events, &ev);
            str o = ws_output(w);
            buf_add(out, o);
            ws_written(w, o.n);
        }
        ASSERT(part.n == 0);
    }
    str o = ws_output(w);
    buf_add(out, o);
    ws_written(w, o.n);
}

#endif
