/* yaml_print.c - a tree as YAML, the way Go's yaml.v2 writes what kubectl hands it.
 * What makes it look so: two columns for each level, but none for a list below a key; strings in the plainest style that
 * reads back as the same string; lines broken at a single space behind column 80. */
#include "base/mem.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "wire/json_priv.h"
#include "wire/yaml_priv.h"
#include <math.h>

enum {
    INDENT = 2,
    WIDTH = 80,
    SIMPLE_KEY_MAX = 128, /* bytes; a longer key is written behind "? " */
};

/* A container that is open. */
struct level {
    const struct json *j;
    const struct json_member **order; /* on the heap; NULL: as they stand */
    uint32_t at;
    int indent;
};

struct printer {
    struct buf *out;
    int64_t column; /* characters in this line */
    bool spaced;    /* what comes next needs no space before it */
    bool at_start;  /* in this line there is nothing yet but spaces, '-', '?' and ':' */
    VEC(struct level) levels;
};

/* Characters. */

/* What a byte may mean to one who looks for the style of a string. */
enum class {
    ORDINARY = 0,
    SPACE,
    COLON,
    HASH,
    OPENING, /* an indicator at the start only */
    CONTROL, /* must be escaped */
    HIGH,    /* part of a longer character */
};

static const uint8_t classes[256] = {
    [0 ... 0x1f] = CONTROL, [0x7f] = CONTROL, [0x80 ... 0xff] = HIGH, [' '] = SPACE,   [':'] = COLON,
    ['#'] = HASH,           [','] = OPENING,  ['['] = OPENING,        [']'] = OPENING, ['{'] = OPENING,
    ['}'] = OPENING,        ['&'] = OPENING,  ['*'] = OPENING,        ['!'] = OPENING, ['|'] = OPENING,
    ['>'] = OPENING,        ['\''] = OPENING, ['"'] = OPENING,        ['%'] = OPENING, ['@'] = OPENING,
    ['`'] = OPENING,
};

/* Line breaks beyond ASCII's: U+2028, U+2029; U+0085 is escaped. */
static bool is_line_separator(str s, size_t at)
{
    return s.n - at >= 3 && s.p[at] == '\xe2' && s.p[at + 1] == '\x80' &&
           (s.p[at + 2] == '\xa8' || s.p[at + 2] == '\xa9');
}

static bool is_printable(uint32_t c)
{
    return (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0xfffe && c != 0xfeff);
}

static size_t break_size(str s, size_t at)
{
    return s.p[at] == '\n' ? 1 : is_line_separator(s, at) ? 3 : 0;
}

/* Looking at a string. */

struct look {
    bool indicators;      /* something that would not be text if it stood there plain */
    bool special;         /* something that only double quotes can show */
    bool newline, breaks; /* \n; any line break */
    bool leading_space, trailing_space;
    bool break_space, space_break; /* a space behind or before a break */
    bool high;
};

static void look_at_break(struct look *l, str s, size_t at, enum class before)
{
    l->breaks = true;
    l->newline |= s.p[at] == '\n';
    l->space_break |= before == SPACE;
}

static void look_at_space(struct look *l, str s, size_t at, bool behind_break)
{
    l->leading_space |= at == 0;
    l->trailing_space |= at + 1 == s.n;
    l->break_space |= behind_break;
}

static bool is_blank_behind(str s, size_t at)
{
    return at + 1 == s.n || s.p[at + 1] == ' ' || s.p[at + 1] == '\t';
}

/* What only the start of a string can be. */
static bool starts_as_indicator(str s)
{
    char c = s.p[0];
    enum class class = classes[(unsigned char)c];
    if (class == OPENING || class == HASH)
        return true;
    if (c == '-' || c == '?')
        return is_blank_behind(s, 0) || str_starts(s, S("---"));
    return str_starts(s, S("..."));
}

static struct look look_at(str s)
{
    struct look l = {.indicators = s.n && starts_as_indicator(s)};
    enum class before = ORDINARY;
    bool behind_break = false;
    for (size_t i = 0, size; i < s.n; i += size) {
        enum class class = classes[(unsigned char)s.p[i]];
        size = 1;
        if (LIKELY(class == ORDINARY || class == OPENING)) {
            before = ORDINARY;
            behind_break = false;
            continue;
        }
        bool is_break = s.p[i] == '\n' || s.p[i] == '\r';
        if (class == COLON) {
            l.indicators |= is_blank_behind(s, i);
        } else if (class == HASH) {
            l.indicators |= before == SPACE || behind_break;
        } else if (class == SPACE) {
            look_at_space(&l, s, i, behind_break);
        } else if (class == CONTROL) {
            l.special |= s.p[i] != '\n';
        } else {
            uint32_t c = 0;
            size = size_max(utf8_decode(str_from(s, i), &c), 1);
            l.high = true;
            l.special |= !is_printable(c);
            is_break = c == 0x85 || c == 0x2028 || c == 0x2029;
        }
        if (is_break)
            look_at_break(&l, s, i, before);
        before = class;
        behind_break = is_break;
    }
    return l;
}

/* Sexagesimal, which nobody reads any more and everybody quotes: [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
static bool is_base_60(str s)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+'), start = i, parts = 0;
    while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] == '_' && i > start)))
        i++;
    if (i == start)
        return false;
    for (; i + 1 < s.n && s.p[i] == ':'; parts++) {
        size_t digits = i + 1;
        for (i = digits; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
            continue;
        if (i == digits || i - digits > 2 || (i - digits == 2 && s.p[digits] > '5'))
            return false;
    }
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_');)
            i++;
    return parts && i == s.n;
}

enum style { PLAIN, SINGLE, DOUBLE, LITERAL };

static enum style style_of(str s, const struct look *l)
{
    bool quotable = !(l->break_space || l->space_break || l->special);
    if (l->newline)
        return l->trailing_space || l->space_break || l->special ? DOUBLE : LITERAL;
    if (yaml_resolve(s, true).kind != YAML_IS_STRING || is_base_60(s))
        return DOUBLE;
    if (quotable && !(l->indicators || l->breaks || l->leading_space || l->trailing_space))
        return PLAIN;
    return quotable ? SINGLE : DOUBLE;
}

/* Writing. */

static void put(struct printer *pr, str s, bool high)
{
    buf_add(pr->out, s);
    pr->column += (int64_t)(high ? utf8_count(s) : s.n);
}

static void pad(struct printer *pr, int indent)
{
    if (pr->column < indent) {
        buf_add_n(pr->out, ' ', (size_t)(indent - pr->column));
        pr->column = indent;
    }
}

static void break_line(struct printer *pr, int indent)
{
    buf_add_c(pr->out, '\n');
    pr->column = 0;
    pad(pr, indent);
}

/* To where an entry of a container begins: a new line, or behind the '-' of the entry that the container is. */
static void to_entry(struct printer *pr, int indent)
{
    if (!pr->at_start || pr->column > indent || (pr->column == indent && !pr->spaced))
        break_line(pr, indent);
    pad(pr, indent);
    pr->spaced = pr->at_start = true;
}

/* '-', '?' or the ':' behind a '?' */
static void put_entry(struct printer *pr, str mark)
{
    put(pr, mark, false);
    pr->spaced = false;
}

static void put_space(struct printer *pr)
{
    if (!pr->spaced)
        put(pr, S(" "), false);
}

static void put_word(struct printer *pr, str word)
{
    put_space(pr);
    put(pr, word, false);
}

/* How a string is written. */
struct text {
    str s;
    bool high;
    bool foldable; /* long lines may be broken */
    int indent;    /* of lines but the first */
};

/* The run from `at` on of what is neither space nor quote nor break. */
static size_t run_end(str s, size_t at, char quote)
{
    while (at < s.n && s.p[at] != ' ' && s.p[at] != quote && s.p[at] != '\n' && !is_line_separator(s, at))
        at++;
    return at;
}

/* Spaces from `at` on; a single one inside the text may become a line break. */
static size_t put_spaces(struct printer *pr, const struct text *t, size_t at)
{
    size_t end = at;
    while (end < t->s.n && t->s.p[end] == ' ')
        end++;
    if (t->foldable && end - at == 1 && at > 0 && end < t->s.n && pr->column > WIDTH)
        break_line(pr, t->indent);
    else
        put(pr, str_slice(t->s, at, end), false);
    return end;
}

static void put_plain(struct printer *pr, const struct text *t)
{
    if (!t->foldable || pr->column + (int64_t)t->s.n <= WIDTH) {
        put(pr, t->s, t->high);
        return;
    }
    for (size_t at = 0; at < t->s.n;) {
        size_t end = str_index_c(str_from(t->s, at), ' ');
        end = end == SIZE_MAX ? t->s.n : at + end;
        put(pr, str_slice(t->s, at, end), t->high);
        at = end < t->s.n ? put_spaces(pr, t, end) : end;
    }
}

static void put_single_quoted(struct printer *pr, const struct text *t)
{
    put(pr, S("'"), false);
    for (size_t at = 0; at < t->s.n;) {
        size_t end = run_end(t->s, at, '\'');
        put(pr, str_slice(t->s, at, end), t->high);
        at = end;
        if (at == t->s.n)
            break;
        size_t size = break_size(t->s, at);
        if (t->s.p[at] == ' ') {
            at = put_spaces(pr, t, at);
        } else if (size) {
            buf_add(pr->out, str_slice(t->s, at, at + size));
            pr->column = 0;
            at += size;
            if (at < t->s.n && !break_size(t->s, at))
                pad(pr, t->indent);
        } else {
            put(pr, S("''"), false);
            at++;
        }
    }
    put(pr, S("'"), false);
}

static char short_escape(uint32_t c)
{
    switch (c) {
    case 0: return '0';
    case '\a': return 'a';
    case '\b': return 'b';
    case '\t': return 't';
    case '\n': return 'n';
    case '\v': return 'v';
    case '\f': return 'f';
    case '\r': return 'r';
    case 0x1b: return 'e';
    case '"': return '"';
    case '\\': return '\\';
    case 0x85: return 'N';
    case 0x2028: return 'L';
    case 0x2029: return 'P';
    default: return 0;
    }
}

static void put_escape(struct printer *pr, uint32_t c)
{
    size_t start = pr->out->n;
    char code = short_escape(c);
    if (code)
        buf_add_f(pr->out, "\\%c", code);
    else if (c <= 0xff)
        buf_add_f(pr->out, "\\x%02X", c);
    else if (c <= 0xffff)
        buf_add_f(pr->out, "\\u%04X", c);
    else
        buf_add_f(pr->out, "\\U%08X", c);
    pr->column += (int64_t)(pr->out->n - start);
}

/* A space in double quotes, where a break may be escaped. */
static void put_double_quoted_space(struct printer *pr, const struct text *t, size_t at)
{
    bool first = at == 0 || t->s.p[at - 1] != ' ';
    if (!t->foldable || !first || at == 0 || at + 1 == t->s.n || pr->column <= WIDTH) {
        put(pr, S(" "), false);
        return;
    }
    break_line(pr, t->indent);
    if (t->s.p[at + 1] == ' ')
        put(pr, S("\\"), false);
}

static void put_double_quoted(struct printer *pr, const struct text *t)
{
    str rest = t->s;
    put(pr, S("\""), false);
    while (rest.n) {
        size_t at = t->s.n - rest.n, size = 0;
        uint32_t c;
        while (size < rest.n &&
               (classes[(unsigned char)rest.p[size]] == ORDINARY ||
                (classes[(unsigned char)rest.p[size]] == OPENING && rest.p[size] != '"')) &&
               rest.p[size] != '\\')
            size++;
        put(pr, str_slice(rest, 0, size), false);
        rest = str_from(rest, size);
        at += size;
        if (!rest.n)
            break;
        str character = rest;
        utf8_next(&rest, &c);
        if (c == ' ')
            put_double_quoted_space(pr, t, at);
        else if (is_printable(c) && c != '"' && c != '\\' && c != 0x2028 && c != 0x2029)
            put(pr, str_slice(character, 0, character.n - rest.n), true);
        else
            put_escape(pr, c);
    }
    put(pr, S("\""), false);
}

/* '2' where the first line must not tell the indentation; '-' for no line break at the end, '+' for more than one. */
static void put_literal_hints(struct printer *pr, str s)
{
    if (s.p[0] == ' ' || break_size(s, 0))
        buf_add_c(pr->out, '0' + INDENT);
    size_t last = s.p[s.n - 1] == '\n' ? 1 : s.n >= 3 && is_line_separator(s, s.n - 3) ? 3 : 0;
    if (!last) {
        buf_add_c(pr->out, '-');
        return;
    }
    str before = str_slice(s, 0, s.n - last);
    if (!before.n || before.p[before.n - 1] == '\n' ||
        (before.n >= 3 && is_line_separator(before, before.n - 3)))
        buf_add_c(pr->out, '+');
}

static void put_literal(struct printer *pr, const struct text *t)
{
    buf_add_c(pr->out, '|');
    put_literal_hints(pr, t->s);
    buf_add_c(pr->out, '\n');
    pr->column = 0;
    bool after_break = true;
    for (size_t at = 0; at < t->s.n;) {
        size_t size = break_size(t->s, at), end = at + size;
        after_break = size != 0;
        if (!size) {
            pad(pr, t->indent);
            while (end < t->s.n && !break_size(t->s, end))
                end++;
        }
        put(pr, str_slice(t->s, at, end), t->high);
        if (size)
            pr->column = 0;
        at = end;
    }
    pr->spaced = pr->at_start = after_break;
}

static void put_text(struct printer *pr, const struct text *t, enum style style)
{
    put_space(pr);
    pr->spaced = pr->at_start = false;
    switch (style) {
    case PLAIN: put_plain(pr, t); break;
    case SINGLE: put_single_quoted(pr, t); break;
    case DOUBLE: put_double_quoted(pr, t); break;
    case LITERAL: put_literal(pr, t); break;
    }
}

static int inner_indent(const struct printer *pr)
{
    return pr->levels.count ? pr->levels.items[pr->levels.count - 1].indent + INDENT : INDENT;
}

static void put_valid_string(struct printer *pr, str s)
{
    struct look look = look_at(s);
    struct text t = {.s = s, .high = look.high, .foldable = true, .indent = inner_indent(pr)};
    put_text(pr, &t, style_of(s, &look));
}

/* Runs `put_it` on a text that is UTF-8. */
static void put_string(struct printer *pr, str s, void (*put_it)(struct printer *pr, str s))
{
    if (LIKELY(utf8_valid(s))) {
        put_it(pr, s);
        return;
    }
    CLEANUP(buf_done) struct buf valid;
    buf_init(&valid, s.n * 3);
    utf8_add_valid(&valid, s);
    put_it(pr, buf_str(&valid));
}

/* A number as it comes back from JSON's text of it: 1.0 is 1. */
static void put_float(struct printer *pr, double f)
{
    char storage[64];
    struct buf json = {.p = storage, .cap = sizeof storage, .max = sizeof storage}, *out = pr->out;
    int64_t i;
    uint64_t u;
    if (isfinite(f))
        json_print_float(&json, f == 0 ? 0 : f); /* no -0 */
    size_t start = out->n;
    if (str_parse_i64(buf_str(&json), &i))
        buf_add_i64(out, i);
    else if (str_parse_u64(buf_str(&json), &u))
        buf_add_u64(out, u);
    else
        yaml_print_float(out, f, false);
    pr->column += (int64_t)(out->n - start);
}

static void put_scalar(struct printer *pr, const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_STRING: put_string(pr, json_str(j), put_valid_string); return;
    case JSON_NULL: put_word(pr, S("null")); break;
    case JSON_FALSE: put_word(pr, S("false")); break;
    case JSON_TRUE: put_word(pr, S("true")); break;
    case JSON_ARRAY: put_word(pr, S("[]")); break;
    case JSON_OBJECT: put_word(pr, S("{}")); break;
    case JSON_INT:
        put_space(pr);
        buf_add_i64(pr->out, j->v.i);
        break;
    case JSON_FLOAT:
        put_space(pr);
        put_float(pr, j->v.f);
        break;
    }
    pr->spaced = pr->at_start = false;
}

/* Keys. */

static void put_valid_key(struct printer *pr, str s)
{
    struct look look = look_at(s);
    struct text t = {.s = s, .high = look.high, .indent = inner_indent(pr)};
    enum style style = style_of(s, &look);
    /* A plain "<<" would merge. (The original writes it, and reads its own text wrongly.) */
    if (str_is(s, "<<"))
        style = DOUBLE;
    if (!look.breaks && s.n <= SIMPLE_KEY_MAX) {
        put_text(pr, &t, style);
        put(pr, S(":"), false);
        return;
    }
    put_entry(pr, S("?"));
    t.foldable = true;
    put_text(pr, &t, style);
    to_entry(pr, pr->levels.items[pr->levels.count - 1].indent);
    put_entry(pr, S(":"));
}

/* Beyond ASCII nearly everything that stands in keys is a letter; blocks where nearly nothing is: */
static const struct {
    uint32_t first, last;
} other_blocks[] = {
    {0x80, 0xa9},       {0xab, 0xb4},        {0xb6, 0xb9},     {0xbb, 0xbf},     {0xd7, 0xd7},
    {0xf7, 0xf7},       {0x300, 0x36f},      {0x2000, 0x2070}, {0x2072, 0x207e}, {0x2080, 0x208f},
    {0x20a0, 0x2101},   {0x2150, 0x2182},    {0x2185, 0x2bff}, {0x3000, 0x3004}, {0x3007, 0x3030},
    {0xe000, 0xf8ff},   {0xfe00, 0xfe6f},    {0xfeff, 0xff20}, {0xffe0, 0xffff}, {0x1d000, 0x1d3ff},
    {0x1f000, 0x1faff}, {0xe0000, UTF8_MAX},
};

static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c | 0x20) - 'a' < 26;
    for (size_t i = 0; i < ARRAY_COUNT(other_blocks); i++)
        if (c >= other_blocks[i].first && c <= other_blocks[i].last)
            return false;
    return true;
}

static bool is_digit(str s, size_t at)
{
    return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

/* The number at `at`, 0 where there is none; wraps around as the original's does. */
static size_t number_end(str s, size_t at, uint64_t *v)
{
    for (; is_digit(s, at); at++)
        *v = *v * 10 + (uint64_t)(s.p[at] - '0');
    return at;
}

/* The original's order of keys, from where they differ: numbers by value, letters behind everything else. */
static int compare_from(str x, str y, size_t at)
{
    uint32_t cx = 0, cy = 0;
    while (at && ((unsigned char)x.p[at] & 0xc0) == 0x80)
        at--;
    utf8_decode(str_from(x, at), &cx);
    utf8_decode(str_from(y, at), &cy);
    bool x_letter = is_letter(cx), y_letter = is_letter(cy);
    if (x_letter != y_letter)
        return x_letter ? 1 : -1;
    uint64_t nx = 0, ny = 0;
    if (!x_letter && (cx == '0' || cy == '0'))
        for (size_t i = at; i > 0 && is_digit(x, i - 1) && !nx; i--)
            nx = ny = x.p[i - 1] != '0';
    size_t end_x = x_letter ? at : number_end(x, at, &nx), end_y = x_letter ? at : number_end(y, at, &ny);
    if (nx != ny)
        return (int64_t)nx < (int64_t)ny ? -1 : 1;
    if (end_x != end_y)
        return end_x < end_y ? -1 : 1;
    return cx < cy ? -1 : 1;
}

static int compare_names(const struct json_member *x, const struct json_member *y)
{
    size_t n = size_min(x->name_n, y->name_n);
    for (size_t i = 0; i < n; i++)
        if (x->name[i] != y->name[i])
            return compare_from(json_member_name(x), json_member_name(y), i);
    return x->name_n < y->name_n ? -1 : x->name_n > y->name_n;
}

static int compare_refs(const void *x, const void *y, void *ctx)
{
    return compare_names(*(const struct json_member *const *)x, *(const struct json_member *const *)y);
}

/* Members in order, on the heap; NULL when they stand in order. */
static const struct json_member **order_of(const struct json *object)
{
    const struct json_member *m = object->v.members;
    uint32_t i = 1;
    while (i < object->n && compare_names(&m[i - 1], &m[i]) <= 0)
        i++;
    if (i >= object->n)
        return NULL;
    const struct json_member **order = NEW_ARRAY(const struct json_member *, object->n);
    for (i = 0; i < object->n; i++)
        order[i] = &m[i];
    vec_sort(order, object->n, sizeof order[0], compare_refs, NULL);
    return order;
}

/* Containers. */

static void put_value(struct printer *pr, const struct json *j, bool in_mapping)
{
    if (!json_count(j)) {
        put_scalar(pr, j);
        return;
    }
    struct level level = {.j = j};
    if (j->type == JSON_OBJECT)
        level.order = order_of(j);
    if (pr->levels.count) {
        /* A list below its key stands in the key's column. */
        bool flush = j->type == JSON_ARRAY && in_mapping && !pr->at_start;
        level.indent = pr->levels.items[pr->levels.count - 1].indent + (flush ? 0 : INDENT);
    }
    vec_push(&pr->levels, level);
}

/* The next entry of the innermost container; when there is none, the container is done. */
static void put_next(struct printer *pr)
{
    struct level *top = &pr->levels.items[pr->levels.count - 1];
    const struct json *j = top->j;
    if (top->at == j->n) {
        mem_free(top->order);
        pr->levels.count--;
        return;
    }
    uint32_t at = top->at++;
    to_entry(pr, top->indent);
    if (j->type == JSON_ARRAY) {
        put_entry(pr, S("-"));
        put_value(pr, &j->v.items[at], false);
        return;
    }
    const struct json_member *m = top->order ? top->order[at] : &j->v.members[at];
    put_string(pr, json_member_name(m), put_valid_key);
    put_value(pr, &m->value, true);
}

void yaml_print(struct buf *out, const struct json *j)
{
    struct printer pr = {.out = out, .spaced = true, .at_start = true};
    put_value(&pr, j, false);
    while (pr.levels.count && !out->failed)
        put_next(&pr);
    for (size_t i = 0; i < pr.levels.count; i++)
        mem_free(pr.levels.items[i].order);
    vec_done(&pr.levels);
    if (!pr.at_start || pr.column > 0)
        buf_add_c(out, '\n');
}
