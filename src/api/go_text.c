/* go_text.c - fmt's verbs for what encoding/json makes of a document. Maps print sorted by key. */
#include "api/go_text.h"
#include "base/utf8.h"

str go_text_type(const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_NULL: return S("<nil>");
    case JSON_FALSE:
    case JSON_TRUE: return S("bool");
    case JSON_INT: return S("int64");
    case JSON_FLOAT: return S("float64");
    case JSON_STRING: return S("string");
    case JSON_ARRAY: return S("[]interface {}");
    case JSON_OBJECT: return S("map[string]interface {}");
    }
    return S("");
}

enum { SORTED_MAX = 64 }; /* members of a larger map stand as they come: no message shows all of them */

/* What follows `last` (NULL: the first) by name; NULL: nothing. */
static const struct json_member *next_member(const struct json *j, const struct json_member *last)
{
    const struct json_member *next = NULL, *end = j->v.members + j->n;
    if (j->n > SORTED_MAX) {
        next = last ? last + 1 : j->v.members;
        return next == end ? NULL : next;
    }
    for (const struct json_member *m = j->v.members; m < end; m++) {
        if (last && str_cmp(json_member_name(m), json_member_name(last)) <= 0)
            continue;
        if (!next || str_cmp(json_member_name(m), json_member_name(next)) < 0)
            next = m;
    }
    return next;
}

void go_text_v(struct buf *out, const struct json *j)
{
    const struct json_member *m = NULL;
    switch ((enum json_type)j->type) {
    case JSON_NULL: buf_add_lit(out, "<nil>"); break;
    case JSON_STRING: buf_add(out, json_str(j)); break;
    case JSON_ARRAY:
        buf_add_c(out, '[');
        for (uint32_t i = 0; i < j->n && !out->failed; i++) {
            if (i)
                buf_add_c(out, ' ');
            go_text_v(out, &j->v.items[i]);
        }
        buf_add_c(out, ']');
        break;
    case JSON_OBJECT:
        buf_add_lit(out, "map[");
        for (bool first = true; !out->failed && (m = next_member(j, m)); first = false) {
            if (!first)
                buf_add_c(out, ' ');
            buf_add(out, json_member_name(m));
            buf_add_c(out, ':');
            go_text_v(out, &m->value);
        }
        buf_add_c(out, ']');
        break;
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INT:
    case JSON_FLOAT: json_print(out, j, 0); break;
    }
}

void go_text_syntax(struct buf *out, const struct json *j)
{
    const struct json_member *m = NULL;
    switch ((enum json_type)j->type) {
    case JSON_NULL: buf_add_lit(out, "interface {}(nil)"); break;
    case JSON_STRING: utf8_add_quoted(out, json_str(j)); break;
    case JSON_ARRAY:
        buf_add_lit(out, "[]interface {}{");
        for (uint32_t i = 0; i < j->n && !out->failed; i++) {
            if (i)
                buf_add_lit(out, ", ");
            go_text_syntax(out, &j->v.items[i]);
        }
        buf_add_c(out, '}');
        break;
    case JSON_OBJECT:
        buf_add_lit(out, "map[string]interface {}{");
        for (bool first = true; !out->failed && (m = next_member(j, m)); first = false) {
            if (!first)
                buf_add_lit(out, ", ");
            utf8_add_quoted(out, json_member_name(m));
            buf_add_c(out, ':');
            go_text_syntax(out, &m->value);
        }
        buf_add_c(out, '}');
        break;
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INT:
    case JSON_FLOAT: json_print(out, j, 0); break;
    }
}
