/* field_selector.c - field selectors: equality only, with backslashes before what would else mean something. */
#include "base/selector.h"
#include "base/utf8.h"
#include "base/vec.h"

/* Up to the next comma that has no backslash before it. False: nothing left. */
static bool next_term(str *rest, str *ret)
{
    if (!rest->p)
        return false;
    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] == '\\') {
            i++;
        } else if (rest->p[i] == ',') {
            *ret = str_slice(*rest, 0, i);
            *rest = str_from(*rest, i + 1);
            return true;
        }
    }
    *ret = *rest;
    *rest = STR_NONE;
    return true;
}

/* At the first operator; what stands before it has no escapes. */
static bool split_term(str term, struct field_requirement *ret)
{
    for (size_t i = 0; i < term.n; i++) {
        str op = str_slice(term, i, i + 2);
        bool two = str_is(op, "!=") || str_is(op, "==");
        if (!two && term.p[i] != '=')
            continue;
        ret->field = str_slice(term, 0, i);
        ret->value = str_from(term, i + (two ? 2 : 1));
        ret->negated = term.p[i] == '!';
        return true;
    }
    return false;
}

static bool needs_escape(char c)
{
    return c == '\\' || c == ',' || c == '=';
}

static err_code unescape(struct arena *a, str s, str *ret, struct err *err)
{
    char *to = NULL; /* copied from the first backslash on */
    size_t n = 0;
    for (size_t at = 0; at < s.n; at++, n++) {
        if (s.p[at] == '\\') {
            str rest = str_from(s, at + 1);
            uint32_t c;
            size_t size = utf8_decode(rest, &c);
            if (!size || !needs_escape(rest.p[0]))
                return err_set(err, ERR_SYNTAX,
                               "invalid field selector: invalid escape sequence: \\%" STR_FMT,
                               STR_ARG(str_slice(rest, 0, size)));
            if (!to)
                to = arena_dup(a, s.p, s.n, 1);
            at++;
        } else if (needs_escape(s.p[at])) {
            /* The original prints the number of the character. */
            return err_set(err, ERR_SYNTAX, "invalid field selector: unescaped character in value: %d",
                           s.p[at]);
        }
        if (to)
            to[n] = s.p[at];
    }
    *ret = to ? str_of(to, n) : s;
    return ERR_NONE;
}

err_code field_selector_parse(struct arena *a, str s, struct field_selector *ret, struct err *err)
{
    if (s.n > SELECTOR_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "a field selector may be at most %d bytes long",
                       SELECTOR_SIZE_MAX);
    size_t count = 0, cap = 0;
    str *terms = NULL, term, rest = s;
    while (next_term(&rest, &term)) {
        if (!term.n)
            continue;
        if (count == SELECTOR_TERMS_MAX)
            return err_set(err, ERR_TOO_LARGE, "a field selector may have at most %d requirements",
                           SELECTOR_TERMS_MAX);
        if (count == cap) {
            terms = arena_grow(a, terms, cap * sizeof(str), (cap * 2 + 4) * sizeof(str), _Alignof(str));
            cap = cap * 2 + 4;
        }
        terms[count++] = term;
    }
    strs_sort(terms, count);
    struct field_requirement *r = ARENA_ARRAY(a, struct field_requirement, count);
    for (size_t i = 0; i < count; i++) {
        if (!split_term(terms[i], &r[i]))
            return err_set(err, ERR_SYNTAX,
                           "invalid selector: '%" STR_FMT "'; can't understand '%" STR_FMT "'", STR_ARG(s),
                           STR_ARG(terms[i]));
        if (unescape(a, r[i].value, &r[i].value, err))
            return err->code;
    }
    *ret = (struct field_selector){.requirements = r, .count = (uint32_t)count};
    return ERR_NONE;
}

void field_selector_format(struct buf *out, const struct field_selector *sel)
{
    for (uint32_t i = 0; i < sel->count; i++) {
        const struct field_requirement *r = &sel->requirements[i];
        if (i)
            buf_add_c(out, ',');
        buf_add(out, r->field);
        buf_add(out, r->negated ? S("!=") : S("="));
        for (size_t j = 0; j < r->value.n; j++) {
            char c = r->value.p[j];
            if (needs_escape(c))
                buf_add_c(out, '\\');
            buf_add_c(out, c);
        }
    }
}

bool field_selector_matches(const struct field_selector *sel, field_get_fn *get, void *ctx)
{
    for (uint32_t i = 0; i < sel->count; i++) {
        const struct field_requirement *r = &sel->requirements[i];
        if (str_eq(get(ctx, r->field), r->value) == r->negated)
            return false;
    }
    return true;
}

bool field_selector_requires(const struct field_selector *sel, str field, str *ret_value)
{
    for (uint32_t i = 0; i < sel->count; i++) {
        const struct field_requirement *r = &sel->requirements[i];
        if (!r->negated && str_eq(r->field, field)) {
            *ret_value = r->value;
            return true;
        }
    }
    return false;
}
