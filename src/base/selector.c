/* selector.c - label selectors. The grammar and the odd corners of its reader are the original's. */
#include "base/selector.h"
#include "base/names.h"
#include "base/utf8.h"
#include "base/vec.h"

/* Tokens. */

enum token {
    TOKEN_END,
    TOKEN_IDENTIFIER,
    TOKEN_IN,
    TOKEN_NOT_IN,
    TOKEN_EQUALS,
    TOKEN_DOUBLE_EQUALS,
    TOKEN_NOT_EQUALS,
    TOKEN_NOT,
    TOKEN_GREATER,
    TOKEN_LESS,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
};

struct parser {
    struct arena *arena;
    struct err *err;
    str rest;
    enum token token; /* the next one, not taken yet */
    str text;         /* its text; "" at the end */
    size_t value_count;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_special(char c)
{
    return c && strchr("=!(),><", c);
}

static enum token special_token(str s, size_t *ret_size)
{
    bool equals = s.n > 1 && s.p[1] == '=';
    *ret_size = equals && (s.p[0] == '=' || s.p[0] == '!') ? 2 : 1;
    switch (s.p[0]) {
    case '=': return equals ? TOKEN_DOUBLE_EQUALS : TOKEN_EQUALS;
    case '!': return equals ? TOKEN_NOT_EQUALS : TOKEN_NOT;
    case '(': return TOKEN_OPEN;
    case ')': return TOKEN_CLOSE;
    case ',': return TOKEN_COMMA;
    case '>': return TOKEN_GREATER;
    default: return TOKEN_LESS;
    }
}

static void advance(struct parser *p)
{
    while (p->rest.n && is_space(p->rest.p[0]))
        p->rest = str_from(p->rest, 1);
    size_t n = 0;
    p->token = TOKEN_END; /* also at a NUL byte */
    if (p->rest.n && is_special(p->rest.p[0])) {
        p->token = special_token(p->rest, &n);
    } else if (p->rest.n && p->rest.p[0]) {
        while (n < p->rest.n && p->rest.p[n] && !is_special(p->rest.p[n]) && !is_space(p->rest.p[n]))
            n++;
        str word = str_slice(p->rest, 0, n);
        p->token = str_is(word, "in") ? TOKEN_IN : str_is(word, "notin") ? TOKEN_NOT_IN : TOKEN_IDENTIFIER;
    }
    p->text = str_slice(p->rest, 0, n);
    p->rest = str_from(p->rest, n);
    /* The original's reader swallows a NUL that ends a token, and goes on behind it. */
    if (n && p->rest.n && !p->rest.p[0])
        p->rest = str_from(p->rest, 1);
}

/* Takes the next token, but where an operator is expected "in" and "notin" are words as any other. */
static enum token peek(const struct parser *p)
{
    return p->token == TOKEN_IN || p->token == TOKEN_NOT_IN ? TOKEN_IDENTIFIER : p->token;
}

static enum token take(struct parser *p, str *ret_text)
{
    enum token token = peek(p);
    *ret_text = p->text;
    advance(p);
    return token;
}

static err_code found(struct parser *p, str text, const char *expected)
{
    return err_set(p->err, ERR_SYNTAX, "found '%" STR_FMT "'%s", STR_ARG(text), expected);
}

/* Reasons, as the original lists them: one alone, several between brackets. */

struct complaints {
    struct buf text;
    size_t count;
};

static void complain(struct complaints *c, str path, str value_text, str reason)
{
    if (c->count++)
        buf_add_lit(&c->text, ", ");
    buf_add(&c->text, path);
    buf_add_lit(&c->text, ": Invalid value: ");
    buf_add(&c->text, value_text);
    buf_add_lit(&c->text, ": ");
    buf_add(&c->text, reason);
}

static str quoted(struct arena *a, str s)
{
    struct buf b;
    buf_init_arena(&b, a, 1000);
    utf8_add_quoted(&b, str_slice(s, 0, 480)); /* a message holds no more */
    return buf_str(&b);
}

static str joined(struct arena *a, const struct name_errors *errs)
{
    struct buf b;
    buf_init_arena(&b, a, 4000);
    name_errors_add(&b, errs, S("; "));
    return buf_str(&b);
}

static err_code complaints_end(struct complaints *c, err_code code, struct err *err)
{
    if (!c->count)
        return ERR_NONE;
    str text = buf_str(&c->text);
    return err_set(err, code, c->count > 1 ? "[%" STR_FMT "]" : "%" STR_FMT, STR_ARG(text));
}

static err_code check_key(struct arena *a, str path, str key, err_code code, struct err *err)
{
    struct name_errors errs = {0};
    if (name_check_qualified(key, &errs))
        return ERR_NONE;
    struct complaints c = {0};
    buf_init_arena(&c.text, a, 4000);
    complain(&c, path, quoted(a, key), joined(a, &errs));
    return complaints_end(&c, code, err);
}

/* Requirements. */

/* As Go's ParseInt: a sign may stand before the digits. */
static bool parse_number(str s, int64_t *ret)
{
    if (s.n > 1 && s.p[0] == '+' && s.p[1] != '-')
        s = str_from(s, 1);
    return str_parse_i64(s, ret);
}

static str values_text(struct arena *a, const str *values, size_t count)
{
    struct buf b;
    buf_init_arena(&b, a, 1000);
    buf_add(&b, count ? S("[") : S("null"));
    for (size_t i = 0; i < count && !b.failed; i++) {
        if (i)
            buf_add_c(&b, ',');
        utf8_add_quoted(&b, str_slice(values[i], 0, 100));
    }
    if (count)
        buf_add_c(&b, ']');
    return buf_str(&b);
}

static const char *count_complaint(enum selector_op op, size_t count)
{
    switch (op) {
    case SELECTOR_IN:
    case SELECTOR_NOT_IN: return count ? NULL : "for 'in', 'notin' operators, values set can't be empty";
    case SELECTOR_EQUALS:
    case SELECTOR_DOUBLE_EQUALS:
    case SELECTOR_NOT_EQUALS:
        return count == 1 ? NULL : "exact-match compatibility requires one single value";
    case SELECTOR_EXISTS:
    case SELECTOR_NOT_EXISTS: return count ? "values set must be empty for exists and does not exist" : NULL;
    case SELECTOR_GREATER:
    case SELECTOR_LESS: return count == 1 ? NULL : "for 'Gt', 'Lt' operators, exactly one value is required";
    }
    return NULL;
}

static bool has_number(enum selector_op op)
{
    return op == SELECTOR_GREATER || op == SELECTOR_LESS;
}

static void check_values(struct arena *a, str key, enum selector_op op, const str *values, size_t count,
                         struct complaints *c)
{
    const char *reason = count_complaint(op, count);
    int64_t number;
    if (reason)
        complain(c, S("values"), values_text(a, values, count), str_from_c(reason));
    for (size_t i = 0; i < count && has_number(op) && !c->text.failed; i++)
        if (!parse_number(values[i], &number))
            complain(c, str_format(a, "values[%zu]", i), quoted(a, values[i]),
                     S("for 'Gt', 'Lt' operators, the value must be an integer"));
    for (size_t i = 0; i < count && !c->text.failed; i++) {
        struct name_errors errs = {0};
        if (!name_check_label_value(values[i], &errs))
            complain(c, str_format(a, "values[%zu][%" STR_FMT "]", i, STR_ARG(key)), quoted(a, values[i]),
                     joined(a, &errs));
    }
}

/* Of a key that was checked; takes over `values`, which are sorted and different. */
static err_code make_checked(struct arena *a, str key, enum selector_op op, const str *values, size_t count,
                             struct complaints *c, err_code code, struct label_requirement *ret,
                             struct err *err)
{
    check_values(a, key, op, values, count, c);
    if (complaints_end(c, code, err))
        return code;
    *ret = (struct label_requirement){.key = key, .op = op, .value_count = (uint32_t)count, .values = values};
    if (has_number(op))
        (void)parse_number(values[0], &ret->number); /* is one: it was checked */
    return ERR_NONE;
}

err_code label_requirement_make(struct arena *a, str key, enum selector_op op, const str *values,
                                size_t value_count, struct label_requirement *ret, struct err *err)
{
    if (value_count > SELECTOR_VALUES_MAX)
        return err_set(err, ERR_TOO_LARGE, "a label selector may have at most %d values",
                       SELECTOR_VALUES_MAX);
    struct complaints c = {0};
    buf_init_arena(&c.text, a, 4000);
    struct name_errors errs = {0};
    if (!name_check_qualified(key, &errs))
        complain(&c, S("key"), quoted(a, key), joined(a, &errs));
    str *copy = arena_dup(a, values, value_count * sizeof *values, _Alignof(str));
    strs_sort(copy, value_count);
    return make_checked(a, key, op, copy, strs_dedupe(copy, value_count), &c, ERR_INVALID, ret, err);
}

/* Reading. */

struct values {
    str *items;
    size_t count, cap;
};

static err_code add_value(struct parser *p, struct values *v, str value)
{
    if (++p->value_count > SELECTOR_VALUES_MAX)
        return err_set(p->err, ERR_TOO_LARGE, "a label selector may have at most %d values",
                       SELECTOR_VALUES_MAX);
    if (v->count == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 4;
        v->items = arena_grow(p->arena, v->items, v->cap * sizeof(str), cap * sizeof(str), _Alignof(str));
        v->cap = cap;
    }
    v->items[v->count++] = value;
    return ERR_NONE;
}

/* Behind "(", at a word or a comma: words between commas; where there is none, the empty text is meant. */
static err_code parse_list(struct parser *p, struct values *v)
{
    for (;;) {
        str text;
        switch (take(p, &text)) {
        case TOKEN_IDENTIFIER:
            if (add_value(p, v, text))
                return p->err->code;
            if (peek(p) == TOKEN_CLOSE)
                return ERR_NONE;
            if (peek(p) != TOKEN_COMMA)
                return found(p, p->text, ", expected: ',' or ')'");
            break;
        case TOKEN_COMMA:
            if (v->count == 0 && add_value(p, v, S("")))
                return p->err->code;
            if (peek(p) == TOKEN_CLOSE)
                return add_value(p, v, S(""));
            if (peek(p) == TOKEN_COMMA) {
                advance(p);
                if (add_value(p, v, S("")))
                    return p->err->code;
            }
            break;
        default: return found(p, text, ", expected: ',', or identifier");
        }
    }
}

static err_code parse_set(struct parser *p, struct values *v)
{
    str text;
    if (take(p, &text) != TOKEN_OPEN)
        return found(p, text, " expected: '('");
    switch (peek(p)) {
    case TOKEN_IDENTIFIER:
    case TOKEN_COMMA:
        if (parse_list(p, v))
            return p->err->code;
        break;
    case TOKEN_CLOSE:
        if (add_value(p, v, S("")))
            return p->err->code;
        break;
    default: return found(p, p->text, ", expected: ',', ')' or identifier");
    }
    advance(p); /* the ")" */
    return ERR_NONE;
}

static err_code parse_exact_value(struct parser *p, struct values *v)
{
    if (peek(p) == TOKEN_END || peek(p) == TOKEN_COMMA)
        return add_value(p, v, S(""));
    str text;
    if (take(p, &text) != TOKEN_IDENTIFIER)
        return found(p, text, ", expected: identifier");
    return add_value(p, v, text);
}

static bool operator_of(enum token token, enum selector_op *ret)
{
    switch (token) {
    case TOKEN_IN: *ret = SELECTOR_IN; return true;
    case TOKEN_NOT_IN: *ret = SELECTOR_NOT_IN; return true;
    case TOKEN_EQUALS: *ret = SELECTOR_EQUALS; return true;
    case TOKEN_DOUBLE_EQUALS: *ret = SELECTOR_DOUBLE_EQUALS; return true;
    case TOKEN_NOT_EQUALS: *ret = SELECTOR_NOT_EQUALS; return true;
    case TOKEN_GREATER: *ret = SELECTOR_GREATER; return true;
    case TOKEN_LESS: *ret = SELECTOR_LESS; return true;
    case TOKEN_END:
    case TOKEN_IDENTIFIER:
    case TOKEN_NOT:
    case TOKEN_OPEN:
    case TOKEN_CLOSE:
    case TOKEN_COMMA: break;
    }
    return false;
}

static err_code parse_requirement(struct parser *p, struct label_requirement *ret)
{
    str key, text;
    enum selector_op op = SELECTOR_EXISTS;
    enum token token = take(p, &key);
    if (token == TOKEN_NOT) {
        op = SELECTOR_NOT_EXISTS;
        token = take(p, &key);
    }
    if (token != TOKEN_IDENTIFIER)
        return found(p, key, ", expected: identifier");
    /* The original gives no path here and prints that. */
    if (check_key(p->arena, S("<nil>"), key, ERR_SYNTAX, p->err))
        return p->err->code;
    struct values v = {0};
    if (op == SELECTOR_EXISTS && peek(p) != TOKEN_END && peek(p) != TOKEN_COMMA) {
        token = p->token;
        text = p->text;
        advance(p);
        if (!operator_of(token, &op))
            return found(p, text, ", expected: in, notin, =, ==, !=, gt, lt");
        bool set = op == SELECTOR_IN || op == SELECTOR_NOT_IN;
        if (set ? parse_set(p, &v) : parse_exact_value(p, &v))
            return p->err->code;
    }
    strs_sort(v.items, v.count);
    v.count = strs_dedupe(v.items, v.count);
    struct complaints c = {0};
    buf_init_arena(&c.text, p->arena, 4000);
    return make_checked(p->arena, key, op, v.items, v.count, &c, ERR_SYNTAX, ret, p->err);
}

struct requirements {
    struct label_requirement *items;
    size_t count, cap;
};

static err_code add_requirement(struct parser *p, struct requirements *r)
{
    if (r->count == SELECTOR_TERMS_MAX)
        return err_set(p->err, ERR_TOO_LARGE, "a label selector may have at most %d requirements",
                       SELECTOR_TERMS_MAX);
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 4;
        r->items = arena_grow(p->arena, r->items, r->cap * sizeof *r->items, cap * sizeof *r->items,
                              _Alignof(struct label_requirement));
        r->cap = cap;
    }
    if (parse_requirement(p, &r->items[r->count]))
        return err_wrap(p->err, "unable to parse requirement");
    r->count++;
    return ERR_NONE;
}

err_code label_selector_parse(struct arena *a, str s, struct label_selector *ret, struct err *err)
{
    if (s.n > SELECTOR_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "a label selector may be at most %d bytes long",
                       SELECTOR_SIZE_MAX);
    struct parser p = {.arena = a, .err = err, .rest = s};
    struct requirements r = {0};
    advance(&p);
    while (peek(&p) != TOKEN_END) {
        if (peek(&p) != TOKEN_IDENTIFIER && peek(&p) != TOKEN_NOT)
            return found(&p, p.text, ", expected: !, identifier, or 'end of string'");
        if (add_requirement(&p, &r))
            return err->code;
        str text;
        enum token token = take(&p, &text);
        if (token == TOKEN_END)
            break;
        if (token != TOKEN_COMMA)
            return found(&p, text, ", expected: ',' or 'end of string'");
        if (peek(&p) != TOKEN_IDENTIFIER && peek(&p) != TOKEN_NOT)
            return found(&p, p.text, ", expected: identifier after ','");
    }
    *ret = label_selector_of(r.items, r.count);
    return ERR_NONE;
}

static int cmp_requirement(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return str_cmp(((const struct label_requirement *)a)->key, ((const struct label_requirement *)b)->key);
}

struct label_selector label_selector_of(struct label_requirement *requirements, size_t count)
{
    vec_sort(requirements, count, sizeof *requirements, cmp_requirement, NULL);
    return (struct label_selector){.requirements = requirements, .count = (uint32_t)count};
}

struct label_selector label_selector_of_labels(struct arena *a, const struct label *labels, size_t count)
{
    struct label_requirement *r = ARENA_ARRAY(a, struct label_requirement, count);
    for (size_t i = 0; i < count; i++)
        r[i] = (struct label_requirement){
            .key = labels[i].key, .op = SELECTOR_EQUALS, .value_count = 1, .values = &labels[i].value};
    return label_selector_of(r, count);
}

/* Writing. */

static const char *operator_text(enum selector_op op)
{
    switch (op) {
    case SELECTOR_EXISTS:
    case SELECTOR_NOT_EXISTS: return "";
    case SELECTOR_EQUALS: return "=";
    case SELECTOR_DOUBLE_EQUALS: return "==";
    case SELECTOR_NOT_EQUALS: return "!=";
    case SELECTOR_IN: return " in ";
    case SELECTOR_NOT_IN: return " notin ";
    case SELECTOR_GREATER: return ">";
    case SELECTOR_LESS: return "<";
    }
    return "";
}

static void format_requirement(struct buf *out, const struct label_requirement *r)
{
    bool set = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;
    if (r->op == SELECTOR_NOT_EXISTS)
        buf_add_c(out, '!');
    buf_add(out, r->key);
    buf_add(out, str_from_c(operator_text(r->op)));
    if (set)
        buf_add_c(out, '(');
    for (uint32_t i = 0; i < r->value_count; i++) {
        if (i)
            buf_add_c(out, ',');
        buf_add(out, r->values[i]);
    }
    if (set)
        buf_add_c(out, ')');
}

void label_selector_format(struct buf *out, const struct label_selector *sel)
{
    for (uint32_t i = 0; i < sel->count; i++) {
        if (i)
            buf_add_c(out, ',');
        format_requirement(out, &sel->requirements[i]);
    }
}

/* Matching. */

static bool has_value(const struct label_requirement *r, str value)
{
    if (r->value_count == 1)
        return str_eq(r->values[0], value);
    return strs_contain(r->values, r->value_count, value);
}

bool label_requirement_matches(const struct label_requirement *r, const str *value)
{
    int64_t number;
    switch (r->op) {
    case SELECTOR_EXISTS: return value;
    case SELECTOR_NOT_EXISTS: return !value;
    case SELECTOR_EQUALS:
    case SELECTOR_DOUBLE_EQUALS:
    case SELECTOR_IN: return value && has_value(r, *value);
    case SELECTOR_NOT_EQUALS:
    case SELECTOR_NOT_IN: return !value || !has_value(r, *value);
    case SELECTOR_GREATER: return value && parse_number(*value, &number) && number > r->number;
    case SELECTOR_LESS: return value && parse_number(*value, &number) && number < r->number;
    }
    return false;
}

bool label_selector_matches(const struct label_selector *sel, const struct label *labels, size_t count)
{
    for (uint32_t i = 0; i < sel->count; i++) {
        const str *value = NULL;
        for (size_t j = 0; j < count && !value; j++)
            if (str_eq(labels[j].key, sel->requirements[i].key))
                value = &labels[j].value;
        if (!label_requirement_matches(&sel->requirements[i], value))
            return false;
    }
    return !sel->nothing;
}

bool label_selector_matches_sorted(const struct label_selector *sel, const struct label *labels, size_t count)
{
    /* Both are in order of keys, so one walk over both finds every pair. */
    size_t at = 0;
    for (uint32_t i = 0; i < sel->count; i++) {
        const struct label_requirement *r = &sel->requirements[i];
        int c = -1;
        while (at < count && (c = str_cmp(labels[at].key, r->key)) < 0)
            at++;
        if (!label_requirement_matches(r, at < count && c == 0 ? &labels[at].value : NULL))
            return false;
    }
    return !sel->nothing;
}

bool label_selector_requires(const struct label_selector *sel, str key, str *ret_value)
{
    for (uint32_t i = 0; i < sel->count; i++) {
        const struct label_requirement *r = &sel->requirements[i];
        bool exact = r->op == SELECTOR_EQUALS || r->op == SELECTOR_DOUBLE_EQUALS || r->op == SELECTOR_IN;
        if (exact && r->value_count == 1 && str_eq(r->key, key)) {
            *ret_value = r->values[0];
            return true;
        }
    }
    return false;
}
