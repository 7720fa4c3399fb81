/* json_reader.c - text without a tree. The same lexer as the parser's, so the same texts pass and the same errors come
 * out; what a tree would remember, the caller's own nesting does. */
#include "wire/json_priv.h"

enum { OBJECT = JSON_OBJECT + 1, ARRAY = JSON_ARRAY + 1, STRING = JSON_STRING + 1, NUMBER = JSON_INT + 1 };
const uint8_t json_type_of_byte[256] = {
    ['{'] = OBJECT,         ['['] = ARRAY,         ['"'] = STRING,         ['-'] = NUMBER,
    ['0' ... '9'] = NUMBER, ['t'] = JSON_TRUE + 1, ['f'] = JSON_FALSE + 1, ['n'] = JSON_NULL + 1,
};

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
        r->p = r->end;
        return;
    }
    uint64_t special = json_scan_block(start, r->end);
    r->scan = (struct json_scan){start, special, special};
}

/* At the next value; NULL when there is none. */
static inline const char *value_start(struct json_reader *r)
{
    r->p = json_space(r->p, r->end);
    return LIKELY(r->p < r->end) ? r->p : json_fail_expected(r, r->p, "a value");
}

enum json_type json_peek_slow(struct json_reader *r)
{
    const char *p = value_start(r);
    unsigned type = p ? json_type_of_byte[(unsigned char)*p] : 0;
    if (type)
        return (enum json_type)(type - 1);
    if (p)
        json_fail_expected(r, p, "a value");
    return JSON_NULL;
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

/* The start of the next element (or space before it); NULL when there is none, or failed. */
JSON_INLINE const char *next_element(struct json_reader *r, char bracket, const char *what)
{
    const char *p = json_to(r->p, r->end, ',');
    if (LIKELY(p < r->end && *p == ',') && !r->first)
        return p + 1;
    if (p < r->end && *p == bracket) {
        r->p = p + 1;
        r->depth--;
        r->first = false;
        return NULL;
    }
    if (UNLIKELY(!r->first || r->failed))
        return json_fail_expected(r, p, what);
    r->first = false;
    return p;
}

bool json_next_member(struct json_reader *r, str *ret_name)
{
    ASSERT(r->failed || r->depth);
    const char *p = next_element(r, '}', "',' or '}'");
    if (!p)
        return false;
    struct json name = {0};
    struct json_scan scan = r->scan;
    p = json_lex_name(r, &scan, p, &name);
    if (UNLIKELY(!p))
        return false;
    r->p = p;
    r->scan = scan;
    *ret_name = str_of(name.v.s, name.n);
    return true;
}

bool json_next_item(struct json_reader *r)
{
    ASSERT(r->failed || r->depth);
    const char *p = next_element(r, ']', "',' or ']'");
    if (!p)
        return false;
    r->p = json_space(p, r->end);
    return true;
}

struct json json_read_scalar(struct json_reader *r)
{
    const char *p = value_start(r);
    if (UNLIKELY(!p))
        return json_null();
    if (UNLIKELY(*p == '{' || *p == '[')) {
        json_fail_expected(r, p, "a string, a number, true, false or null");
        return json_null();
    }
    struct json j;
    struct json_scan scan = r->scan;
    p = json_lex_scalar(r, &scan, p, &j);
    if (UNLIKELY(!p))
        return json_null();
    r->p = p;
    r->scan = scan;
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

JSON_INLINE const char *skip_scalar(struct json_reader *r, struct json_scan *s, const char *p)
{
    struct json ignored;
    return *p == '"' ? json_lex_string(r, s, p, NULL) : json_lex_scalar(r, s, p, &ignored);
}

/* As the tree parser goes, see there. */
static const char *skip_value(struct json_reader *r, const char *p)
{
    struct kinds kinds = {{0}};
    const char *const end = r->end;
    const unsigned outer = r->depth;
    struct json_scan scan = r->scan;

    if (*p == '{')
        goto object;
    if (*p == '[')
        goto array;
    p = skip_scalar(r, &scan, p);
    goto done;

object:
    if (UNLIKELY(++r->depth > r->depth_max))
        return json_fail_depth(r, p);
    kinds_set(&kinds, r->depth, true);
    p = json_space(p + 1, end);
    if (p < end && *p == '}')
        goto close;
member:
    p = json_lex_name(r, &scan, p, NULL);
    if (UNLIKELY(!p))
        return NULL;
    if (UNLIKELY(p >= end))
        return json_fail_expected(r, p, "a value");
    if (*p == '{')
        goto object;
    if (*p == '[')
        goto array;
    p = skip_scalar(r, &scan, p);
    if (UNLIKELY(!p))
        return NULL;
member_end:
    p = json_to(p, end, ',');
    if (LIKELY(p < end && *p == ',')) {
        p++;
        goto member;
    }
    if (LIKELY(p < end && *p == '}'))
        goto close;
    return json_fail_expected(r, p, "',' or '}'");

array:
    if (UNLIKELY(++r->depth > r->depth_max))
        return json_fail_depth(r, p);
    kinds_set(&kinds, r->depth, false);
    p = json_space(p + 1, end);
    if (p < end && *p == ']')
        goto close;
item:
    p = json_space(p, end);
    if (UNLIKELY(p >= end))
        return json_fail_expected(r, p, "a value");
    if (*p == '{')
        goto object;
    if (*p == '[')
        goto array;
    p = skip_scalar(r, &scan, p);
    if (UNLIKELY(!p))
        return NULL;
item_end:
    p = json_to(p, end, ',');
    if (LIKELY(p < end && *p == ',')) {
        p++;
        goto item;
    }
    if (LIKELY(p < end && *p == ']'))
        goto close;
    return json_fail_expected(r, p, "',' or ']'");

close:
    p++;
    if (--r->depth == outer)
        goto done;
    if (kinds_is_object(&kinds, r->depth))
        goto member_end;
    goto item_end;

done:
    r->scan = scan;
    return p;
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
