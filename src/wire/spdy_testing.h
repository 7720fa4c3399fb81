/* spdy_testing.h - what the tests and the fuzz target of spdy.c share: the events of a session as text that does not depend
 * on how the bytes were split. */
#ifndef WIRE_SPDY_TESTING_H
#define WIRE_SPDY_TESTING_H

#include "base/buf.h"
#include "wire/spdy.h"

struct spdy_transcript {
    struct buf text;
    uint32_t data_stream; /* whose data the text ends with */
};

/* "stream 1{streamtype=error} data 1<...> end 1 reset 3(5) pong 2 goaway 7(0)", one space before each. */
static inline void spdy_transcript_add(struct spdy_transcript *t, const struct spdy_event *ev)
{
    static const char *const names[] = {
        [SPDY_STREAM] = "stream", [SPDY_REPLY] = "reply",   [SPDY_HEADERS] = "headers",
        [SPDY_DATA] = "data",     [SPDY_RESET] = "reset",   [SPDY_ROOM] = "room",
        [SPDY_PONG] = "pong",     [SPDY_GOAWAY] = "goaway",
    };
    struct buf *to = &t->text;
    if (t->data_stream && (ev->type != SPDY_DATA || ev->stream != t->data_stream)) {
        buf_add_c(to, '>');
        t->data_stream = 0;
    }
    if (ev->type == SPDY_DATA && t->data_stream != ev->stream && ev->data.n) {
        buf_add_f(to, " data %u<", ev->stream);
        t->data_stream = ev->stream;
    }
    if (ev->type == SPDY_DATA)
        buf_add(to, ev->data);
    else
        buf_add_f(to, " %s %u", names[ev->type],
                  ev->type == SPDY_PONG || ev->type == SPDY_GOAWAY ? ev->number : ev->stream);
    if (ev->type == SPDY_RESET || ev->type == SPDY_GOAWAY)
        buf_add_f(to, "(%u)", ev->status);
    if (ev->type == SPDY_STREAM || ev->type == SPDY_REPLY || ev->type == SPDY_HEADERS) {
        buf_add_lit(to, "{");
        for (size_t i = 0; i < ev->header_count; i++)
            buf_add_f(to, "%s%" STR_FMT "=%" STR_FMT, i ? "," : "", STR_ARG(ev->headers[i].name),
                      STR_ARG(ev->headers[i].value));
        buf_add_lit(to, "}");
    }
    if (ev->one_way)
        buf_add_lit(to, " one-way");
    if (ev->end) {
        buf_add_f(to, "%s end %u", t->data_stream ? ">" : "", ev->stream);
        t->data_stream = 0;
    }
}

static inline str spdy_transcript_text(struct spdy_transcript *t)
{
    if (t->data_stream)
        buf_add_c(&t->text, '>');
    t->data_stream = 0;
    return buf_str(&t->text);
}

#endif
