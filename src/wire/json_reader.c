/* json_reader.c - text without a tree. The same lexer as the parser's, so the same texts pass and the same errors come
 * out; what a tree would remember, the caller's own nesting does. */
#include "wire/json_priv.h"

void json_reader_init(struct json_reader *r, struct arena *a, str text, struct err *err)
{
    const char *start = text.p ? text.p : "";
    *r = (struct json_reader){.p = start,
                              .start = start,
                              .end = start + text.n,
                              .depth_max = JSON_DEPTH_MAX,
                              .arena = a,
                              .err = err};
    if (text.n > UINT32_MAX) {
        err_set(err, ERR_TOO_LARGE, "JSON text of %zu bytes is longer than %u", text.n, UINT32_MAX);
        r->failed = true;
    }
}

/* At the next value; NULL when there is none. */
static inline const char *value_start(struct json_reader *r)
{
    if (UNLIKELY(r->failed))
        return NULL;
    r->p = json_space(r->p, r->end);
    return LIKELY(r->p < r->end) ? r->p : json_fail_expected(r, r->p, "a value");
}

enum json_type json_peek(struct json_reader *r)
{
    const char *p = value_start(r);
    if (UNLIKELY(!p))
        return JSON_NULL;
    switch (*p) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': return JSON_TRUE;
    case 'f': return JSON_FALSE;
    case 'n': return JSON_NULL;
    case '-': return JSON_INT;
    default:
        if ((unsigned char)(*p - '0') <= 9)
            return JSON_INT;
        json_fail_expected(r, p, "a value");
        return JSON_NULL;
    }
}

static inline void enter(struct json_reader *r, char bracket, const char *what)
{
    const char *p = value_start(r);
    if (UNLIKELY(!p))
        return;
    if (UNLIKELY(*p != bracket)) {
        json_fail_expected(r, p, what);
        return;
    }
    if (UNLIKELY(++r->depth > r->depth_max)) {
        json_fail_depth(r, p);
        return;
    }
    r->p = p + 1;
    r->first = true;
}

void json_enter_object(struct json_reader *r)
{
    enter(r, '{', "an object");
}

void json_enter_array(struct json_reader *r)
{
    enter(r, '[', "an array");
}

/* To the start of the next element; false when there is none, or failed. */
JSON_INLINE bool next_element(struct json_reader *r, char bracket, const char *what)
{
    if (UNLIKELY(r->failed))
        return false;
    const char *p = json_space(r->p, r->end);
    char c = '\0';
    if (LIKELY(p < r->end))
        c = *p;
    if (c == bracket) {
        r->p = p + 1;
        r->depth--;
        r->first = false;
        return false;
    }
    if (r->first) {
        r->first = false;
    } else if (LIKELY(c == ',')) {
        p = json_space(p + 1, r->end);
    } else {
        json_fail_expected(r, p, what);
        return false;
    }
    r->p = p;
    return true;
}

bool json_next_member(struct json_reader *r, str *ret_name)
{
    ASSERT(r->failed || r->depth);
    if (!next_element(r, '}', "',' or '}'"))
        return false;
    struct json name;
    const char *p = json_lex_name(r, r->p, &name);
    if (UNLIKELY(!p))
        return false;
    r->p = p;
    *ret_name = str_of(name.v.s, name.n);
    return true;
}

bool json_next_item(struct json_reader *r)
{
    ASSERT(r->failed || r->depth);
    return next_element(r, ']', "',' or ']'");
}

struct json json_read_scalar(struct json_reader *r)
{
    struct json j = {.type = JSON_NULL};
    const char *p = value_start(r);
    if (UNLIKELY(!p))
        return j;
    if (UNLIKELY(*p == '{' || *p == '[')) {
        json_fail_expected(r, p, "a string, a number, true, false or null");
        return j;
    }
    p = json_lex_scalar(r, p, &j);
    if (UNLIKELY(!p))
        return json_null();
    r->p = p;
    return j;
}

/* Which of the containers that are open are objects, a bit each; bit 0 is for none. */
struct kinds {
    uint64_t words[JSON_DEPTH_MAX / 64 + 1];
};

static inline bool kinds_is_object(const struct kinds *k, unsigned depth)
{
    return k->words[depth / 64] >> depth % 64 & 1;
}

static inline void kinds_set(struct kinds *k, unsigned depth, bool is_object)
{
    uint64_t bit = (uint64_t)1 << depth % 64;
    k->words[depth / 64] = is_object ? k->words[depth / 64] | bit : k->words[depth / 64] & ~bit;
}

static const char *skip_value(struct json_reader *r, const char *p)
{
    struct kinds kinds = {{0}};
    const char *const end = r->end;
    const unsigned outer = r->depth;
    struct json ignored;

value:
    if (UNLIKELY(p >= end))
        return json_fail_expected(r, p, "a value");
    if (*p == '{' || *p == '[') {
        bool is_object = *p == '{';
        if (UNLIKELY(++r->depth > r->depth_max))
            return json_fail_depth(r, p);
        kinds_set(&kinds, r->depth, is_object);
        p = json_space(p + 1, end);
        if (p < end && *p == (is_object ? '}' : ']'))
            goto close;
        if (is_object)
            goto member;
        goto value;
    }
    p = *p == '"' ? json_lex_string(r, p + 1, NULL) : json_lex_scalar(r, p, &ignored);
    if (UNLIKELY(!p))
        return NULL;

next:
    if (r->depth == outer)
        return p;
    p = json_space(p, end);
    bool is_object = kinds_is_object(&kinds, r->depth);
    if (LIKELY(p < end && *p == ',')) {
        p = json_space(p + 1, end);
        if (!is_object)
            goto value;
        goto member;
    }
    if (LIKELY(p < end && *p == (is_object ? '}' : ']')))
        goto close;
    return json_fail_expected(r, p, is_object ? "',' or '}'" : "',' or ']'");

member:
    p = json_lex_name(r, p, NULL);
    if (UNLIKELY(!p))
        return NULL;
    goto value;

close:
    p++;
    r->depth--;
    goto next;
}

str json_skip(struct json_reader *r)
{
    const char *start = value_start(r);
    const char *p = start ? skip_value(r, start) : NULL;
    if (UNLIKELY(!p))
        return STR_NONE;
    r->p = p;
    r->first = false;
    return str_of(start, (size_t)(p - start));
}

err_code json_reader_end(struct json_reader *r)
{
    if (!r->failed) {
        r->p = json_space(r->p, r->end);
        if (r->depth || r->p < r->end)
            json_fail_expected(r, r->p, "the end of the text");
    }
    return r->failed ? r->err->code : ERR_NONE;
}
