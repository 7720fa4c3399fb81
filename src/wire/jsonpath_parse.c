/* jsonpath_parse.c - from the text of a template to its nodes.
 * The original parses what stands in brackets a second time, wrapped in braces; so do we, because that is how
 * ['a.b'] comes to mean .a.b. Brackets end at the first bracket and filters do not nest, so this goes three deep. */
#include "base/arena.h"
#include "wire/json_priv.h"
#include "wire/jsonpath_priv.h"

struct parser {
    struct arena *a;
    const char *p, *end;
    struct err *err;
};

static err_code parse_template(struct parser *ps, struct jsonpath_list *root);

static struct jsonpath_node *add_node(struct parser *ps, struct jsonpath_list *list, enum jsonpath_kind kind)
{
    struct jsonpath_node *n = ARENA_NEW(ps->a, struct jsonpath_node);
    n->kind = kind;
    if (list->last)
        list->last->next = n;
    else
        list->first = n;
    list->last = n;
    return n;
}

static bool at(const struct parser *ps, str prefix)
{
    return str_starts(str_of(ps->p, (size_t)(ps->end - ps->p)), prefix);
}

static bool is_end_of_line(char c)
{
    return c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_word(char c)
{
    return c == '_' || is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80;
}

static bool ends_word(char c)
{
    return is_end_of_line(c) || (c && strchr(" \t.,[]$@{}", c));
}

/* The actions in "{text}". */
static err_code parse_action(struct parser *ps, str text, struct jsonpath_list *ret)
{
    struct parser inner = {.a = ps->a, .err = ps->err};
    str whole = str_join(ps->a, (const str[]){S("{"), text, S("}")}, 3, STR_NONE);
    inner.p = whole.p;
    inner.end = whole.p + whole.n;
    struct jsonpath_list root = {0};
    if (parse_template(&inner, &root))
        return ps->err->code;
    *ret = root.first->list; /* a closing brace in `text` ends it early: what follows is dropped */
    return ERR_NONE;
}

static str without_backslashes(struct arena *a, str s)
{
    if (str_index_c(s, '\\') == SIZE_MAX)
        return str_dup(a, s);
    char *p = arena_alloc(a, s.n, 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\\')
            p[n++] = s.p[i];
    return str_of(p, n);
}

/* p is behind the point. */
static void parse_field(struct parser *ps, struct jsonpath_list *list)
{
    const char *start = ps->p;
    while (ps->p < ps->end && !ends_word(*ps->p))
        ps->p += *ps->p == '\\' && ps->end - ps->p >= 2 ? 2 : 1;
    str name = str_of(start, (size_t)(ps->p - start));
    if (str_is(name, "*"))
        add_node(ps, list, NODE_WILDCARD);
    else
        add_node(ps, list, NODE_FIELD)->name = without_backslashes(ps->a, name);
}

static err_code parse_recursive(struct parser *ps, struct jsonpath_list *list)
{
    if (list->last && list->last->kind == NODE_RECURSIVE)
        return err_set(ps->err, ERR_SYNTAX, "invalid multiple recursive descent");
    ps->p += 2;
    add_node(ps, list, NODE_RECURSIVE);
    if (ps->p < ps->end && begins_word(*ps->p))
        parse_field(ps, list);
    return ERR_NONE;
}

static void parse_word(struct parser *ps, struct jsonpath_list *list)
{
    const char *start = ps->p;
    while (ps->p < ps->end && !ends_word(*ps->p))
        ps->p++;
    str word = str_of(start, (size_t)(ps->p - start));
    if (str_is(word, "true") || str_is(word, "false"))
        add_node(ps, list, NODE_LITERAL)->literal = json_of_bool(word.n == 4);
    else if (str_is(word, "range"))
        add_node(ps, list, NODE_RANGE);
    else if (str_is(word, "end"))
        add_node(ps, list, NODE_END);
    else
        add_node(ps, list, NODE_IDENTIFIER)->name = str_dup(ps->a, word);
}

/* Digits with at most one point, and some digit. */
static bool is_decimal(str s)
{
    size_t points = 0;
    for (size_t i = 0; i < s.n; i++)
        points += s.p[i] == '.';
    return points <= 1 && s.n > points;
}

static err_code parse_number(struct parser *ps, struct jsonpath_list *list)
{
    const char *start = ps->p;
    ps->p += *ps->p == '+' || *ps->p == '-';
    while (ps->p < ps->end && (*ps->p == '.' || is_digit(*ps->p)))
        ps->p++;
    str text = str_of(start, (size_t)(ps->p - start));
    str number = str_from(text, *start == '+');
    struct json j = {.type = JSON_INT};
    if (!str_parse_i64(number, &j.v.i)) {
        j.type = JSON_FLOAT;
        if (!is_decimal(str_from(number, *start == '-')) || !json_parse_float(number, &j.v.f))
            return err_set(ps->err, ERR_SYNTAX, "cannot parse number %" STR_FMT, STR_ARG(text));
    }
    add_node(ps, list, NODE_LITERAL)->literal = j;
    return ERR_NONE;
}

/* Quoted text, with Go's escapes. */

static bool read_digits(str *s, unsigned count, unsigned base, uint32_t *ret)
{
    uint32_t v = 0;
    if (s->n < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        unsigned c = (unsigned char)s->p[i], digit = c - '0';
        if (digit > 9)
            digit = (c | 0x20) - 'a' + 10;
        if (digit >= base || (c > '9' && digit < 10))
            return false;
        v = v * base + digit;
    }
    *s = str_from(*s, count);
    *ret = v;
    return true;
}

/* The escape behind a backslash; false: there is none such. */
static bool unquote_escape(str *s, char quote, struct buf *out)
{
    static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
    if (!s->n)
        return false;
    char c = s->p[0];
    const char *letter = c ? strchr(letters, c) : NULL;
    uint32_t v;
    if (letter || c == quote) {
        buf_add_c(out, letter ? bytes[letter - letters] : c);
        *s = str_from(*s, 1);
        return true;
    }
    if (c >= '0' && c <= '7') {
        if (!read_digits(s, 3, 8, &v) || v > 255)
            return false;
        buf_add_c(out, (char)v);
        return true;
    }
    *s = str_from(*s, 1);
    if (c == 'x') {
        if (!read_digits(s, 2, 16, &v))
            return false;
        buf_add_c(out, (char)v);
        return true;
    }
    if ((c != 'u' && c != 'U') || !read_digits(s, c == 'u' ? 4 : 8, 16, &v))
        return false;
    if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
        return false;
    char text[4];
    buf_add(out, str_of(text, (size_t)(json_utf8_put(text, v) - text)));
    return true;
}

static bool unquote(struct arena *a, str quoted, str *ret)
{
    char quote = quoted.p[0];
    str s = str_slice(quoted, 1, quoted.n - 1);
    struct buf out;
    buf_init_arena(&out, a, s.n);
    while (s.n) {
        char c = s.p[0];
        s = str_from(s, 1);
        if (c == quote)
            return false;
        if (c != '\\')
            buf_add_c(&out, c);
        else if (!unquote_escape(&s, quote, &out))
            return false;
    }
    *ret = buf_str(&out);
    return true;
}

static err_code parse_quote(struct parser *ps, struct jsonpath_list *list)
{
    const char *start = ps->p++;
    /* The original looks at one byte before a quote only, so "a\\" has no end; so be it. */
    while (ps->p < ps->end && *ps->p != '\n' && (*ps->p != *start || ps->p[-1] == '\\'))
        ps->p++;
    if (ps->p == ps->end || *ps->p != *start)
        return err_set(ps->err, ERR_SYNTAX, "unterminated quoted string");
    ps->p++;
    str quoted = str_of(start, (size_t)(ps->p - start)), text;
    if (!unquote(ps->a, quoted, &text))
        return err_set(ps->err, ERR_SYNTAX, "unquote string %" STR_FMT " error invalid syntax",
                       STR_ARG(quoted));
    add_node(ps, list, NODE_TEXT)->literal = json_of_str(text);
    return ERR_NONE;
}

/* Brackets. */

static err_code parse_union(struct parser *ps, str text, struct jsonpath_list *list)
{
    struct jsonpath_node *n = add_node(ps, list, NODE_UNION);
    str rest = text, piece;
    while (str_next(&rest, ',', &piece)) {
        while (str_starts(piece, S(" ")))
            piece = str_from(piece, 1);
        while (str_ends(piece, S(" ")))
            piece = str_slice(piece, 0, piece.n - 1);
        str action = str_join(ps->a, (const str[]){S("["), piece, S("]")}, 3, STR_NONE);
        if (parse_action(ps, action, &add_node(ps, &n->list, NODE_LIST)->list))
            return ps->err->code;
    }
    return ERR_NONE;
}

static err_code parse_key(struct parser *ps, str key, struct jsonpath_list *list)
{
    struct jsonpath_list steps;
    if (parse_action(ps, str_concat(ps->a, S("."), key), &steps))
        return ps->err->code;
    if (!steps.first)
        return ERR_NONE;
    if (list->last)
        list->last->next = steps.first;
    else
        list->first = steps.first;
    list->last = steps.last;
    return ERR_NONE;
}

/* Takes -?[0-9]* off the text. */
static str take_index(str *text)
{
    size_t n = str_starts(*text, S("-"));
    while (n < text->n && is_digit(text->p[n]))
        n++;
    str index = str_slice(*text, 0, n);
    *text = str_from(*text, n);
    return index;
}

static err_code parse_slice(struct parser *ps, str text, struct jsonpath_list *list)
{
    struct jsonpath_param params[3] = {0};
    str rest = text, index[3];
    size_t count = 0;
    do
        index[count++] = take_index(&rest);
    while (count < 3 && str_take_prefix(&rest, S(":")));
    if (rest.n)
        return err_set(ps->err, ERR_SYNTAX, "invalid array index %" STR_FMT, STR_ARG(text));
    for (size_t i = 0; i < count; i++) {
        params[i].known = index[i].n > 0;
        if (index[i].n && !str_parse_i64(index[i], &params[i].value))
            return err_set(ps->err, ERR_SYNTAX, "array index %" STR_FMT " is not a number",
                           STR_ARG(index[i]));
    }
    if (count == 1)
        params[1] = (struct jsonpath_param){
            .value = (int64_t)((uint64_t)params[0].value + 1), .known = true, .derived = true};
    memcpy(add_node(ps, list, NODE_SLICE)->params, params, sizeof params);
    return ERR_NONE;
}

static err_code parse_array(struct parser *ps, struct jsonpath_list *list)
{
    const char *start = ++ps->p;
    while (ps->p < ps->end && *ps->p != '\n' && *ps->p != ']')
        ps->p++;
    if (ps->p == ps->end || *ps->p != ']')
        return err_set(ps->err, ERR_SYNTAX, "unterminated array");
    str text = str_of(start, (size_t)(ps->p++ - start));
    if (str_is(text, "*"))
        text = S(":");
    if (str_index_c(text, ',') != SIZE_MAX)
        return parse_union(ps, text, list);
    if (text.n >= 2 && str_index_c(str_from(text, 1), '\'') == text.n - 2 && text.p[0] == '\'')
        return parse_key(ps, str_slice(text, 1, text.n - 1), list);
    return parse_slice(ps, text, list);
}

static enum jsonpath_op op_of(str op)
{
    static const struct {
        str text;
        enum jsonpath_op op;
    } ops[] = {{S_INIT("=="), OP_EQ}, {S_INIT("!="), OP_NE}, {S_INIT("<"), OP_LT},
               {S_INIT("<="), OP_LE}, {S_INIT(">"), OP_GT},  {S_INIT(">="), OP_GE}};
    for (size_t i = 0; i < ARRAY_COUNT(ops); i++)
        if (str_eq(ops[i].text, op))
            return ops[i].op;
    return OP_UNKNOWN;
}

/* Moves p behind the bracket and parenthesis that end the filter; the text between is returned. */
static err_code take_filter(struct parser *ps, str *ret)
{
    const char *start = ps->p += 3;
    char quote = '\0';
    bool closed =
        false; /* after the first quoted text a parenthesis always ends the filter, as in the original */
    for (; ps->p < ps->end && *ps->p != '\n'; ps->p++) {
        if (*ps->p == ')' && (!quote || closed))
            break;
        if (!quote && (*ps->p == '"' || *ps->p == '\''))
            quote = *ps->p;
        else if (quote && *ps->p == quote && ps->p[-1] != '\\')
            closed = true;
    }
    if (ps->p == ps->end || *ps->p == '\n')
        return err_set(ps->err, ERR_SYNTAX, "unterminated filter");
    *ret = str_of(start, (size_t)(ps->p++ - start));
    if (ps->p == ps->end || *ps->p++ != ']')
        return err_set(ps->err, ERR_SYNTAX, "unclosed array expect ]");
    return ERR_NONE;
}

static bool is_op(char c)
{
    return c == '!' || c == '<' || c == '>' || c == '=';
}

/* left op right; something must stand on each side, else the whole is a path that may exist. */
static err_code parse_filter(struct parser *ps, struct jsonpath_list *list)
{
    str text;
    if (take_filter(ps, &text))
        return ps->err->code;
    size_t from = 0;
    while (from < text.n && !is_op(text.p[from]))
        from++;
    size_t to = from;
    while (to < text.n && is_op(text.p[to]))
        to++;
    to -= to == text.n && to > from;
    struct jsonpath_node *n = add_node(ps, list, NODE_FILTER);
    if (from == 0 || to == from)
        return parse_action(ps, text, &n->list);
    n->name = str_dup(ps->a, str_slice(text, from, to));
    n->op = op_of(n->name);
    if (parse_action(ps, str_slice(text, 0, from), &n->list))
        return ps->err->code;
    return parse_action(ps, str_from(text, to), &n->right);
}

static err_code unrecognized(struct parser *ps)
{
    unsigned char c = (unsigned char)*ps->p;
    if (c > ' ' && c < 0x7f)
        return err_set(ps->err, ERR_SYNTAX, "unrecognized character in action: U+%04X '%c'", c, c);
    return err_set(ps->err, ERR_SYNTAX, "unrecognized character in action: U+%04X", c);
}

/* One step; p is before the end and not at a closing brace. */
static err_code parse_step(struct parser *ps, struct jsonpath_list *list)
{
    if (at(ps, S("[?(")))
        return parse_filter(ps, list);
    if (at(ps, S("..")))
        return parse_recursive(ps, list);
    switch (*ps->p) {
    case ' ':
    case '@':
    case '$': ps->p++; return ERR_NONE;
    case '[': return parse_array(ps, list);
    case '"':
    case '\'': return parse_quote(ps, list);
    case '.':
        ps->p++;
        parse_field(ps, list);
        return ERR_NONE;
    case '+':
    case '-': return parse_number(ps, list);
    default:
        if (is_digit(*ps->p))
            return parse_number(ps, list);
        if (!begins_word(*ps->p))
            return unrecognized(ps);
        parse_word(ps, list);
        return ERR_NONE;
    }
}

static err_code parse_template(struct parser *ps, struct jsonpath_list *root)
{
    while (ps->p < ps->end) {
        const char *brace = memchr(ps->p, '{', (size_t)(ps->end - ps->p));
        const char *text_end = brace ? brace : ps->end;
        if (text_end > ps->p)
            add_node(ps, root, NODE_TEXT)->literal = json_of_str(
                str_dup(ps->a, str_of(ps->p, (size_t)(text_end - ps->p))));
        ps->p = text_end;
        if (!brace)
            return ERR_NONE;
        ps->p++;
        struct jsonpath_node *action = add_node(ps, root, NODE_LIST);
        while (!at(ps, S("}"))) {
            if (ps->p == ps->end || is_end_of_line(*ps->p))
                return err_set(ps->err, ERR_SYNTAX, "unclosed action");
            if (parse_step(ps, &action->list))
                return ps->err->code;
        }
        ps->p++;
    }
    return ERR_NONE;
}

err_code jsonpath_compile(struct arena *a, str text, const struct jsonpath **ret, struct err *err)
{
    if (text.n > JSONPATH_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "jsonpath template is longer than %d bytes", JSONPATH_SIZE_MAX);
    struct jsonpath *jp = ARENA_NEW(a, struct jsonpath);
    struct parser ps = {.a = a, .p = text.n ? text.p : "", .err = err};
    ps.end = ps.p + text.n;
    if (parse_template(&ps, &jp->root))
        return err->code;
    *ret = jp;
    return arena_check(a, err);
}

static bool has_brace(str s)
{
    return str_index_c(s, '{') != SIZE_MAX || str_index_c(s, '}') != SIZE_MAX;
}

err_code jsonpath_compile_relaxed(struct arena *a, str expression, const struct jsonpath **ret,
                                  struct err *err)
{
    str path = expression;
    if (str_empty(path))
        return jsonpath_compile(a, path, ret, err);
    if (path.n > 2 && path.p[0] == '{' && path.p[path.n - 1] == '}')
        path = str_slice(path, 1, path.n - 1);
    if (path.n > 1 && path.p[0] == '.')
        path = str_from(path, 1);
    if (has_brace(path))
        return err_set(
            err, ERR_SYNTAX,
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
            "'{.name1.name2}'");
    return jsonpath_compile(a, str_join(a, (const str[]){S("{."), path, S("}")}, 3, STR_NONE), ret, err);
}
