/* regex_parse.c - the syntax of Go's regexp. What its parser accepts, and what it says when it does not, is followed step by
 * step: the order in which mistakes are looked for shows in the messages. */
#include "base/regex_priv.h"
#include "base/utf8.h"

enum flags {
    FOLD = 1 << 0,  /* i: letter case does not matter */
    LINES = 1 << 1, /* m: ^ and $ match at lines */
    DOT_NL = 1 << 2 /* s: . matches a line's end too */
};

struct parser {
    struct arena *a;
    str whole, rest;
    unsigned flags;
    unsigned depth, nodes;
    uint64_t work, work_max; /* of sets: large classes by the hundred are no expression that somebody means */
    struct err *err;
};

/* --- mistakes --- */

static bool fail(struct parser *p, const char *what, str where)
{
    err_set(p->err, ERR_SYNTAX, "error parsing regexp: %s: `%" STR_FMT "`", what, STR_ARG(where));
    return false;
}

static bool fail_large(struct parser *p, const char *what)
{
    fail(p, what, p->whole);
    p->err->code = ERR_TOO_LARGE;
    return false;
}

/* From `start` up to where the parser is now. */
static str since(const struct parser *p, str start)
{
    return str_slice(start, 0, start.n - p->rest.n);
}

static void skip(struct parser *p, size_t n)
{
    p->rest = str_from(p->rest, n);
}

static bool at(const struct parser *p, char c)
{
    return p->rest.n && p->rest.p[0] == c;
}

/* --- nodes --- */

static struct regex_node *node(struct parser *p, enum regex_node_kind kind)
{
    struct regex_node *n = ARENA_NEW(p->a, struct regex_node);
    n->kind = kind;
    p->nodes++;
    return n;
}

static void node_append(struct regex_node *parent, struct regex_node *child)
{
    if (parent->last_child)
        parent->last_child->next = child;
    else
        parent->child = child;
    parent->last_child = child;
    if (parent->height <= child->height)
        parent->height = child->height + 1;
}

static struct regex_set_builder builder(struct parser *p)
{
    return (struct regex_set_builder){.a = p->a, .work = &p->work, .fold = p->flags & FOLD};
}

static struct regex_node *set_node(struct parser *p, struct regex_set_builder *b)
{
    struct regex_node *n = node(p, REGEX_NODE_SET);
    n->set = regex_set_finish(b);
    return n;
}

static struct regex_node *literal(struct parser *p, uint32_t c)
{
    struct regex_set_builder b = builder(p);
    regex_set_add(&b, c, c);
    return set_node(p, &b);
}

static struct regex_node *assertion(struct parser *p, enum regex_assert what)
{
    struct regex_node *n = node(p, REGEX_NODE_ASSERT);
    n->assertion = what;
    return n;
}

/* --- escapes --- */

static int hex_value(uint32_t c)
{
    return c >= '0' && c <= '9'   ? (int)c - '0'
           : c >= 'a' && c <= 'f' ? (int)c - 'a' + 10
           : c >= 'A' && c <= 'F' ? (int)c - 'A' + 10
                                  : -1;
}

static bool is_alnum(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Behind \x: two digits, or any number of them between braces. */
static bool hex_escape(struct parser *p, uint32_t *ret)
{
    uint32_t c, value = 0;
    if (!utf8_next(&p->rest, &c))
        return false;
    if (c != '{') {
        int high = hex_value(c), low = -1;
        if (utf8_next(&p->rest, &c))
            low = hex_value(c);
        *ret = (uint32_t)(high * 16 + low);
        return high >= 0 && low >= 0;
    }
    for (size_t digits = 0; utf8_next(&p->rest, &c); digits++) {
        if (c == '}') {
            *ret = value;
            return digits > 0;
        }
        int digit = hex_value(c);
        value = value * 16 + (uint32_t)digit;
        if (digit < 0 || value > UTF8_MAX)
            return false;
    }
    return false;
}

static bool next_is_octal(const struct parser *p)
{
    return p->rest.n && p->rest.p[0] >= '0' && p->rest.p[0] <= '7';
}

/* `first` is the first digit. One alone, but 0, would be a back-reference. */
static bool octal_escape(struct parser *p, uint32_t first, uint32_t *ret)
{
    if (first != '0' && !next_is_octal(p))
        return false;
    uint32_t value = first - '0';
    for (int i = 1; i < 3 && next_is_octal(p); i++) {
        value = value * 8 + (uint32_t)(p->rest.p[0] - '0');
        skip(p, 1);
    }
    *ret = value;
    return true;
}

/* At a backslash: the one character that it stands for. */
static bool escape(struct parser *p, uint32_t *ret)
{
    static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    str start = p->rest;
    uint32_t c;
    skip(p, 1);
    if (!utf8_next(&p->rest, &c)) {
        err_set(p->err, ERR_SYNTAX, "error parsing regexp: trailing backslash at end of expression: ``");
        return false;
    }
    const char *letter = c && c < 0x80 ? strchr(letters, (int)c) : NULL;
    if (letter) {
        *ret = (unsigned char)values[letter - letters];
        return true;
    }
    if (c < 0x80 && !is_alnum(c)) {
        *ret = c;
        return true;
    }
    if ((c == 'x' && hex_escape(p, ret)) || (c >= '0' && c <= '7' && octal_escape(p, c, ret)))
        return true;
    return fail(p, "invalid escape sequence", since(p, start));
}

/* --- classes --- */

/* \d, \S and their like. False: something else stands here. */
static bool perl_class(struct parser *p, struct regex_set_builder *b)
{
    if (p->rest.n < 2 || !at(p, '\\'))
        return false;
    char c = p->rest.p[1];
    bool negated = c >= 'A' && c <= 'Z';
    if (!regex_set_add_perl(b, negated ? (char)(c - 'A' + 'a') : c, negated))
        return false;
    skip(p, 2);
    return true;
}

/* [:alpha:] and [:^alpha:]. *ret_found false: something else stands here. */
static bool posix_class(struct parser *p, struct regex_set_builder *b, bool *ret_found)
{
    size_t end = str_starts(p->rest, S("[:")) ? str_index(str_from(p->rest, 2), S(":]")) : SIZE_MAX;
    *ret_found = end != SIZE_MAX;
    if (!*ret_found)
        return true;
    str name = str_slice(p->rest, 2, 2 + end);
    bool negated = str_take_prefix(&name, S("^"));
    if (!regex_set_add_posix(b, name, negated))
        return fail(p, "invalid character class range", str_slice(p->rest, 0, end + 4));
    skip(p, end + 4);
    return true;
}

/* \pL, \P{Greek}, \p{^Greek}. *ret_found false: something else stands here. */
static bool unicode_class(struct parser *p, struct regex_set_builder *b, bool *ret_found)
{
    str start = p->rest;
    *ret_found = start.n >= 2 && start.p[0] == '\\' && (start.p[1] == 'p' || start.p[1] == 'P');
    if (!*ret_found)
        return true;
    bool negated = start.p[1] == 'P';
    skip(p, 2);
    uint32_t c = 0;
    utf8_next(&p->rest, &c);
    str name = str_from(since(p, start), 2);
    if (c == '{') {
        size_t end = str_index_c(start, '}');
        if (end == SIZE_MAX)
            return fail(p, "invalid character class range", start);
        p->rest = str_from(start, end + 1);
        name = str_slice(start, 3, end);
    }
    negated ^= str_take_prefix(&name, S("^"));
    if (!regex_set_add_unicode(b, name, negated))
        return fail(p, "invalid character class range", since(p, start));
    return true;
}

/* One character of a class, or one end of a range. */
static bool class_char(struct parser *p, str class_start, uint32_t *ret)
{
    if (p->rest.n == 0)
        return fail(p, "missing closing ]", class_start);
    return at(p, '\\') ? escape(p, ret) : utf8_next(&p->rest, ret);
}

static bool class_range(struct parser *p, str class_start, struct regex_set_builder *b)
{
    str start = p->rest;
    uint32_t first, last;
    if (!class_char(p, class_start, &first))
        return false;
    last = first;
    /* [a-] is a or -. */
    if (p->rest.n >= 2 && at(p, '-') && p->rest.p[1] != ']') {
        skip(p, 1);
        if (!class_char(p, class_start, &last))
            return false;
        if (last < first)
            return fail(p, "invalid character class range", since(p, start));
    }
    regex_set_add(b, first, last);
    return true;
}

/* At "[". */
static bool class(struct parser *p, struct regex_node **ret)
{
    struct regex_set_builder b = builder(p), whole = builder(p);
    str start = p->rest;
    skip(p, 1);
    bool negated = str_take_prefix(&p->rest, S("^")), found;
    for (bool first = true; !at(p, ']') || first; first = false) {
        if (!posix_class(p, &b, &found) || (!found && !unicode_class(p, &b, &found)))
            return false;
        if (!found && !perl_class(p, &b) && !class_range(p, start, &b))
            return false;
        if (p->work > p->work_max)
            return fail_large(p, "expression too large");
    }
    skip(p, 1);
    regex_set_add_all(&whole, regex_set_finish(&b), negated);
    *ret = set_node(p, &whole);
    return true;
}

/* --- repetition --- */

/* Digits without leading zeros; -1: too many. False: no number stands here. */
static bool number(str *rest, int *ret)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
        n++;
    if (n == 0 || (n > 1 && rest->p[0] == '0'))
        return false;
    int64_t v;
    *ret = n < 9 && str_parse_i64(str_slice(*rest, 0, n), &v) ? (int)v : -1;
    *rest = str_from(*rest, n);
    return true;
}

/* {n}, {n,} or {n,m}. False: the brace stands for itself. */
static bool counts(struct parser *p, int *ret_min, int *ret_max)
{
    str rest = str_from(p->rest, 1);
    if (!number(&rest, ret_min))
        return false;
    *ret_max = *ret_min;
    if (str_take_prefix(&rest, S(","))) {
        bool open = str_starts(rest, S("}"));
        if (!open && !number(&rest, ret_max))
            return false;
        if (!open && *ret_max < 0)
            *ret_min = -1; /* too many is not "no end" */
        if (open)
            *ret_max = -1;
    }
    if (!str_take_prefix(&rest, S("}")))
        return false;
    p->rest = rest;
    return true;
}

/* Repetitions inside repetitions multiply: together at most `n`. */
static bool repeats_fit(const struct regex_node *e, int n)
{
    if (e->kind == REGEX_NODE_REPEAT) {
        int most = e->max < 0 ? e->min : e->max;
        if (e->max == 0)
            return true;
        if (most > n)
            return false;
        if (most > 0)
            n /= most;
    }
    for (const struct regex_node *c = e->child; c; c = c->next)
        if (!repeats_fit(c, n))
            return false;
    return true;
}

/* --- one after the other --- */

/* What is being put together: `before` stands before the last child of `cat`. */
struct run {
    struct regex_node *cat, *before;
    str last_op; /* the repetition that the last child is, up to the end of the expression; empty: it is none */
};

static void run_append(struct run *r, struct regex_node *n)
{
    r->before = r->cat->last_child;
    node_append(r->cat, n);
}

/* The operator that starts at `start` has been read; it repeats the last child. */
static bool repeat(struct parser *p, struct run *r, str start, int min, int max)
{
    str_take_prefix(&p->rest,
                    S("?")); /* which match comes first makes no difference to whether there is one */
    if (r->last_op.n)
        return fail(p, "invalid nested repetition operator", since(p, r->last_op));
    if (!r->cat->last_child)
        return fail(p, "missing argument to repetition operator", since(p, start));
    struct regex_node *n = node(p, REGEX_NODE_REPEAT);
    n->min = min;
    n->max = max;
    node_append(n, r->cat->last_child);
    r->cat->last_child = r->before;
    if (r->before)
        r->before->next = NULL;
    node_append(r->cat, n);
    r->last_op = start;
    if ((min >= 2 || max >= 2) && !repeats_fit(n, REGEX_REPEAT_MAX))
        return fail(p, "invalid repeat count", since(p, start));
    return true;
}

/* At one of * + ? or a brace. *ret_found false: a brace that stands for itself. */
static bool repetition(struct parser *p, struct run *r, bool *ret_found)
{
    str start = p->rest;
    int min = at(p, '+') ? 1 : 0, max = at(p, '?') ? 1 : -1;
    *ret_found = !at(p, '{') || counts(p, &min, &max);
    if (!*ret_found)
        return true;
    if (start.p[0] != '{')
        skip(p, 1);
    else if (min < 0 || min > REGEX_REPEAT_MAX || max > REGEX_REPEAT_MAX || (max >= 0 && min > max))
        return fail(p, "invalid repeat count", since(p, start));
    return repeat(p, r, start, min, max);
}

/* \Q...\E: nothing in it is special. */
static void quoted(struct parser *p, struct run *r)
{
    uint32_t c;
    skip(p, 2);
    while (!str_take_prefix(&p->rest, S("\\E")) && utf8_next(&p->rest, &c))
        run_append(r, literal(p, c));
}

static bool backslash(struct parser *p, struct run *r)
{
    static const char letters[] = "AzbB";
    static const enum regex_assert asserts[] = {REGEX_BEGIN_TEXT, REGEX_END_TEXT, REGEX_WORD_BOUNDARY,
                                                REGEX_NO_WORD_BOUNDARY};
    char c = p->rest.n >= 2 ? p->rest.p[1] : '\0';
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        run_append(r, assertion(p, asserts[letter - letters]));
        skip(p, 2);
        return true;
    }
    if (c == 'C') /* a byte of UTF-8, elsewhere */
        return fail(p, "invalid escape sequence", str_slice(p->rest, 0, 2));
    if (c == 'Q') {
        quoted(p, r);
        return true;
    }
    struct regex_set_builder b = builder(p);
    bool found;
    uint32_t value;
    if (!unicode_class(p, &b, &found))
        return false;
    if (found || perl_class(p, &b)) {
        run_append(r, set_node(p, &b));
        return true;
    }
    if (!escape(p, &value))
        return false;
    run_append(r, literal(p, value));
    return true;
}

static struct regex_node *dot(struct parser *p)
{
    struct regex_set_builder b = {.a = p->a, .work = &p->work};
    regex_set_add(&b, 0, p->flags & DOT_NL ? UTF8_MAX : '\n' - 1);
    if (!(p->flags & DOT_NL))
        regex_set_add(&b, '\n' + 1, UTF8_MAX);
    return set_node(p, &b);
}

static bool group(struct parser *p, struct regex_node **ret);

/* Whatever is no repetition. */
static bool atom(struct parser *p, struct run *r)
{
    struct regex_node *n = NULL;
    uint32_t c;
    switch (p->rest.p[0]) {
    case '(':
        if (!group(p, &n))
            return false;
        break;
    case '[':
        if (!class(p, &n))
            return false;
        break;
    case '\\': return backslash(p, r);
    case '.':
        skip(p, 1);
        n = dot(p);
        break;
    case '^':
        skip(p, 1);
        n = assertion(p, p->flags & LINES ? REGEX_BEGIN_LINE : REGEX_BEGIN_TEXT);
        break;
    case '$':
        skip(p, 1);
        n = assertion(p, p->flags & LINES ? REGEX_END_LINE : REGEX_END_TEXT);
        break;
    default: utf8_next(&p->rest, &c); n = literal(p, c);
    }
    if (n)
        run_append(r, n);
    return true;
}

/* Up to a | or ) or the end. */
static bool concatenation(struct parser *p, struct regex_node **ret)
{
    struct run r = {.cat = node(p, REGEX_NODE_CAT)};
    while (p->rest.n && !at(p, '|') && !at(p, ')')) {
        bool found = false;
        if (memchr("*+?{", p->rest.p[0], 4) && !repetition(p, &r, &found))
            return false;
        if (!found) {
            r.last_op = STR_NONE;
            if (!atom(p, &r))
                return false;
        }
        if (p->nodes > REGEX_PARTS_MAX || p->work > p->work_max)
            return fail_large(p, "expression too large");
        if (r.cat->height > REGEX_DEPTH_MAX)
            return fail_large(p, "expression nests too deeply");
    }
    *ret = r.cat->child && !r.cat->child->next ? r.cat->child : r.cat;
    return true;
}

static bool alternatives(struct parser *p, struct regex_node **ret)
{
    struct regex_node *alt = node(p, REGEX_NODE_ALT), *n;
    do {
        if (!concatenation(p, &n))
            return false;
        node_append(alt, n);
    } while (str_take_prefix(&p->rest, S("|")));
    *ret = alt->child->next ? alt : n;
    return true;
}

/* --- groups --- */

/* "(?P<name>" or "(?<name>". */
static bool group_name(struct parser *p)
{
    str start = p->rest;
    size_t name = start.p[2] == 'P' ? 4 : 3, end = str_index_c(start, '>');
    if (end == SIZE_MAX)
        return fail(p, "invalid named capture", start);
    bool good = end > name;
    for (size_t i = name; i < end; i++)
        good = good && (is_alnum((unsigned char)start.p[i]) || start.p[i] == '_');
    if (!good)
        return fail(p, "invalid named capture", str_slice(start, 0, end + 1));
    p->rest = str_from(start, end + 1);
    return true;
}

/* At "(?": flags, then ":" (a group follows) or ")". */
static bool group_flags(struct parser *p, bool *ret_group)
{
    str start = p->rest;
    skip(p, 2);
    unsigned on = 0, off = 0;
    bool negative = false, seen = false;
    uint32_t c;
    while (utf8_next(&p->rest, &c)) {
        unsigned flag = c == 'i' ? FOLD : c == 'm' ? LINES : c == 's' ? DOT_NL : 0;
        if (flag || c == 'U') {
            *(negative ? &off : &on) |= flag;
            seen = true;
        } else if (c == '-' && !negative) {
            negative = true;
            seen = false;
        } else if ((c == ':' || c == ')') && (!negative || seen)) {
            p->flags = (p->flags | on) & ~off;
            *ret_group = c == ':';
            return true;
        } else {
            break;
        }
    }
    return fail(p, "invalid or unsupported Perl syntax", since(p, start));
}

/* At "(". *ret NULL: only flags were set, for what follows. */
static bool group(struct parser *p, struct regex_node **ret)
{
    unsigned outer = p->flags;
    bool is_group = true;
    *ret = NULL;
    if ((p->rest.n > 4 && str_starts(p->rest, S("(?P<"))) ||
        (p->rest.n > 3 && str_starts(p->rest, S("(?<")))) {
        if (!group_name(p))
            return false;
    } else if (!str_starts(p->rest, S("(?"))) {
        skip(p, 1);
    } else if (!group_flags(p, &is_group)) {
        return false;
    }
    if (!is_group)
        return true;
    if (++p->depth > REGEX_DEPTH_MAX)
        return fail_large(p, "expression nests too deeply");
    if (!alternatives(p, ret))
        return false;
    if (!str_take_prefix(&p->rest, S(")")))
        return fail(p, "missing closing )", p->whole);
    p->depth--;
    p->flags = outer;
    return true;
}

err_code regex_parse(struct arena *a, str pattern, uint64_t *steps, struct regex_node **ret, struct err *err)
{
    struct parser p = {.a = a, .whole = pattern, .rest = pattern, .work_max = *steps, .err = err};
    bool good = false;
    if (!utf8_valid(pattern))
        fail(&p, "invalid UTF-8", pattern);
    else if (pattern.n > REGEX_PATTERN_MAX)
        fail_large(&p, "expression too large");
    else
        good = alternatives(&p, ret);
    if (good && p.rest.n)
        good = fail(&p, "unexpected )", pattern);
    *steps -= p.work < *steps ? p.work : *steps;
    return good ? ERR_NONE : err->code;
}
