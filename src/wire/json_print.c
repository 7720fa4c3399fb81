/* json_print.c - a tree as text, the way Go's encoder writes it. */
#include "wire/json_priv.h"

/* A block of sixteen bytes that holds all of a shorter, not empty text: parts of it twice, which a search does not
 * mind. */
static void gather(const char *p, size_t n, char block[JSON_BLOCK])
{
    if (n >= 8) {
        memcpy(block, p, 8);
        memcpy(block + 8, p + n - 8, 8);
    } else if (n >= 4) {
        memcpy(block, p, 4);
        memcpy(block + 4, p + n - 4, 4);
        memcpy(block + 8, block, 8);
    } else {
        memset(block, p[0], JSON_BLOCK);
        block[1] = p[n / 2];
        block[2] = p[n - 1];
    }
}

JSON_INLINE unsigned escape_mask(const char *p, bool html)
{
    return json_mask_stop(p) | (html ? json_mask_html(p) : 0);
}

static bool escapes_any(str s, bool html)
{
    unsigned mask = 0;
    if (s.n == 0)
        return false;
    if (s.n < JSON_BLOCK) {
        char block[JSON_BLOCK];
        gather(s.p, s.n, block);
        return escape_mask(block, html) != 0;
    }
    for (size_t i = 0; s.n - i >= JSON_BLOCK; i += JSON_BLOCK)
        mask |= escape_mask(s.p + i, html);
    return (mask | escape_mask(s.p + s.n - JSON_BLOCK, html)) != 0;
}

static bool byte_escapes(char c, bool html)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\' ||
           (html && (c == '<' || c == '>' || c == '&' || c == '\xe2'));
}

/* The next byte that may have to be escaped, or s.n. */
static size_t plain_size(str s, size_t from, bool html)
{
    for (; s.n - from >= JSON_BLOCK; from += JSON_BLOCK) {
        unsigned mask = escape_mask(s.p + from, html);
        if (mask)
            return from + (unsigned)__builtin_ctz(mask);
    }
    while (from < s.n && !byte_escapes(s.p[from], html))
        from++;
    return from;
}

static void add_u(struct buf *out, unsigned c)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\',          'u', digits[c >> 12 & 15], digits[c >> 8 & 15], digits[c >> 4 & 15],
                    digits[c & 15]};
    buf_add(out, str_of(text, sizeof text));
}

/* Writes what stands at s.p[at]; returns how many bytes that was. */
static size_t add_escaped(struct buf *out, str s, size_t at)
{
    char c = s.p[at];
    char pair[2] = {'\\', c};
    switch (c) {
    case '"':
    case '\\': break;
    case '\b': pair[1] = 'b'; break;
    case '\f': pair[1] = 'f'; break;
    case '\n': pair[1] = 'n'; break;
    case '\r': pair[1] = 'r'; break;
    case '\t': pair[1] = 't'; break;
    case '\xe2': /* asked for with JSON_HTML only */
        if (s.n - at >= 3 && s.p[at + 1] == '\x80' && (s.p[at + 2] == '\xa8' || s.p[at + 2] == '\xa9')) {
            add_u(out, s.p[at + 2] == '\xa8' ? 0x2028 : 0x2029);
            return 3;
        }
        buf_add_c(out, c);
        return 1;
    default: add_u(out, (unsigned char)c); return 1;
    }
    buf_add(out, str_of(pair, 2));
    return 1;
}

static void print_escaped(struct buf *out, str s, bool html)
{
    buf_add_c(out, '"');
    for (size_t at = 0; at < s.n;) {
        size_t end = plain_size(s, at, html);
        buf_add(out, str_slice(s, at, end));
        at = end;
        if (at < s.n)
            at += add_escaped(out, s, at);
    }
    buf_add_c(out, '"');
}

/* A string, and `after` behind it. */
JSON_INLINE void print_str(struct buf *out, str s, bool html, str after)
{
    char *to = buf_room(out, s.n + 2 + after.n);
    if (UNLIKELY(!to))
        return; /* escaped it would be longer still */
    if (UNLIKELY(escapes_any(s, html))) {
        print_escaped(out, s, html);
        buf_add(out, after);
        return;
    }
    to[0] = '"';
    if (s.n)
        memcpy(to + 1, s.p, s.n);
    to[s.n + 1] = '"';
    memcpy(to + s.n + 2, after.p, after.n);
    out->n += s.n + 2 + after.n;
}

void json_print_str(struct buf *out, str s, unsigned flags)
{
    print_str(out, s, flags & JSON_HTML, S(""));
}

static void print_exponent(struct buf *out, str digits, int exponent)
{
    buf_add_c(out, digits.p[0]);
    if (digits.n > 1) {
        buf_add_c(out, '.');
        buf_add(out, str_from(digits, 1));
    }
    buf_add_c(out, 'e');
    buf_add_c(out, exponent < 0 ? '-' : '+');
    buf_add_u64(out, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

/* 0.DIGITS * 10^point, without an exponent. */
static void print_plain(struct buf *out, str digits, int point)
{
    if (point <= 0) {
        buf_add_lit(out, "0.");
        buf_add_n(out, '0', (size_t)-point);
        buf_add(out, digits);
    } else if ((size_t)point >= digits.n) {
        buf_add(out, digits);
        buf_add_n(out, '0', (size_t)point - digits.n);
    } else {
        buf_add(out, str_slice(digits, 0, (size_t)point));
        buf_add_c(out, '.');
        buf_add(out, str_from(digits, (size_t)point));
    }
}

void json_print_float(struct buf *out, double f)
{
    if (UNEXPECTED(!__builtin_isfinite(f))) {
        buf_add_lit(out, "null");
        return;
    }
    if (__builtin_signbit(f))
        buf_add_c(out, '-');
    if (f == 0) {
        buf_add_c(out, '0');
        return;
    }
    char digits[17];
    int point;
    unsigned n = json_float_digits(f, digits, &point);
    double size = __builtin_fabs(f);
    if (size < 1e-6 || size >= 1e21)
        print_exponent(out, str_of(digits, n), point - 1);
    else
        print_plain(out, str_of(digits, n), point);
}

struct printer {
    struct buf *out;
    bool html;
    bool sorted;
    uint8_t indent; /* 0: none */
    struct json_levels levels;
};

static void new_line(struct printer *pr)
{
    if (pr->indent) {
        buf_add_c(pr->out, '\n');
        buf_add_n(pr->out, ' ', pr->levels.n * pr->indent);
    }
}

/* Everything of a value but the children of a container that has some: that is pushed. */
JSON_INLINE void print_value(struct printer *pr, const struct json *j)
{
    struct buf *out = pr->out;
    switch ((enum json_type)j->type) {
    case JSON_NULL: buf_add_lit(out, "null"); break;
    case JSON_FALSE: buf_add_lit(out, "false"); break;
    case JSON_TRUE: buf_add_lit(out, "true"); break;
    case JSON_INT: buf_add_i64(out, j->v.i); break;
    case JSON_FLOAT: json_print_float(out, j->v.f); break;
    case JSON_STRING: print_str(out, json_str(j), pr->html, S("")); break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (j->n == 0) {
            buf_add(out, j->type == JSON_ARRAY ? S("[]") : S("{}"));
            break;
        }
        buf_add_c(out, j->type == JSON_ARRAY ? '[' : '{');
        struct json_level *level = json_levels_push(&pr->levels, j);
        if (UNLIKELY(pr->sorted) && j->type == JSON_OBJECT && !json_is_sorted(j))
            level->members = json_order(j);
        break;
    }
}

/* The next child of the innermost container with what stands before it, or the bracket that closes it. */
JSON_INLINE void print_next(struct printer *pr)
{
    struct json_level *top = &pr->levels.p[pr->levels.n - 1];
    const struct json *j = top->j;
    bool is_object = j->type == JSON_OBJECT;
    if (top->at == j->n) {
        json_levels_pop(&pr->levels);
        new_line(pr);
        buf_add_c(pr->out, is_object ? '}' : ']');
        return;
    }
    uint32_t at = top->at++;
    if (at)
        buf_add_c(pr->out, ',');
    new_line(pr);
    if (!is_object) {
        print_value(pr, &j->v.items[at]);
        return;
    }
    const struct json_member *m = UNLIKELY(top->members) ? top->members[at] : &j->v.members[at];
    print_str(pr->out, json_member_name(m), pr->html, pr->indent ? S(": ") : S(":"));
    print_value(pr, &m->value);
}

void json_print(struct buf *out, const struct json *j, unsigned flags)
{
    struct printer pr;
    pr.out = out;
    pr.html = flags & JSON_HTML;
    pr.sorted = flags & JSON_SORTED;
    pr.indent = flags & JSON_INDENT_4 ? 4 : flags & JSON_INDENT_2 ? 2 : flags & JSON_INDENT_1 ? 1 : 0;
    json_levels_init(&pr.levels);
    print_value(&pr, j);
    while (pr.levels.n && !out->failed)
        print_next(&pr);
    json_levels_done(&pr.levels);
}
