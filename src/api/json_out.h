/* json_out.h - JSON written straight into a buffer, commas taken care of: for documents made from tables. For files of
 * src/api. Names are literals that need no escapes; values go through out_str unless they are JSON already. */
#ifndef API_JSON_OUT_H
#define API_JSON_OUT_H

#include "base/buf.h"
#include "wire/json.h"

struct json_out {
    struct buf *to;
    bool comma; /* something stands before, in the same object or array */
};

static inline void out_open(struct json_out *o, char bracket)
{
    buf_add_c(o->to, bracket);
    o->comma = false;
}
static inline void out_close(struct json_out *o, char bracket)
{
    buf_add_c(o->to, bracket);
    o->comma = true;
}
/* Before each element of an array. */
static inline void out_item(struct json_out *o)
{
    if (o->comma)
        buf_add_c(o->to, ',');
    o->comma = true;
}
static inline void out_raw(struct json_out *o, str text)
{
    out_item(o);
    buf_add(o->to, text);
}

/* The name of a member; its value follows. */
#define out_key(o, name)          out_raw((o), S("\"" name "\":"))
/* A member with its value, which is JSON: out_member(o, "type", "\"object\""). */
#define out_member(o, name, json) out_raw((o), S("\"" name "\":" json))
static inline void out_name(struct json_out *o, str name)
{
    out_item(o);
    json_print_str(o->to, name, 0);
    buf_add_c(o->to, ':');
}

static inline void out_str(struct json_out *o, str value)
{
    json_print_str(o->to, value, 0);
}
#define out_text(o, name, value) \
    do {                         \
        out_key((o), name);      \
        out_str((o), (value));   \
    } while (0)
static inline void out_strings(struct json_out *o, const str *items, size_t count)
{
    out_open(o, '[');
    for (size_t i = 0; i < count; i++) {
        out_item(o);
        out_str(o, items[i]);
    }
    out_close(o, ']');
}

#endif
