/* int_or_string.c - a number or a text. */
#include "base/int_or_string.h"
#include "base/utf8.h"
#include <math.h>

enum atoi_result {
    ATOI_OK,
    ATOI_SYNTAX,
    ATOI_RANGE,
};

/* As Go's strconv.Atoi: digits, with a sign if need be. */
static enum atoi_result go_atoi(str s, int64_t *ret)
{
    bool sign = s.n && (s.p[0] == '+' || s.p[0] == '-');
    str digits = str_from(s, sign);
    for (size_t i = 0; i < digits.n; i++)
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return ATOI_SYNTAX;
    if (!digits.n)
        return ATOI_SYNTAX;
    uint64_t v;
    bool negative = sign && s.p[0] == '-';
    if (!str_parse_u64(digits, &v) || v > (uint64_t)INT64_MAX + negative)
        return ATOI_RANGE;
    *ret = negative ? (int64_t)-v : (int64_t)v;
    return ATOI_OK;
}

struct int_or_string int_or_string_parse(str s)
{
    int64_t v;
    if (go_atoi(s, &v) == ATOI_OK && v >= INT32_MIN && v <= INT32_MAX)
        return int_or_string_of_int((int32_t)v);
    return int_or_string_of_str(s);
}

void int_or_string_format(struct buf *out, const struct int_or_string *x)
{
    if (x->type == INT_OR_STRING_STRING)
        buf_add(out, x->text);
    else
        buf_add_i64(out, x->number);
}

bool int_or_string_equal(const struct int_or_string *x, const struct int_or_string *y)
{
    if (x->type != y->type)
        return false;
    return x->type == INT_OR_STRING_STRING ? str_eq(x->text, y->text) : x->number == y->number;
}

int32_t int_or_string_int(const struct int_or_string *x)
{
    if (x->type == INT_OR_STRING_INT)
        return x->number;
    struct int_or_string number = int_or_string_parse(x->text);
    return number.type == INT_OR_STRING_INT ? number.number : 0;
}

static err_code bad_percentage(const struct int_or_string *x, str digits, const char *why, struct err *err)
{
    CLEANUP(buf_done) struct buf m;
    buf_init(&m, 2000);
    buf_add_lit(&m, "invalid value ");
    utf8_add_quoted(&m, str_slice(x->text, 0, 64)); /* it is as long as its sender liked */
    buf_add_lit(&m, ": strconv.Atoi: parsing ");
    utf8_add_quoted(&m, str_slice(digits, 0, 64));
    return err_set(err, ERR_INVALID, "invalid value for IntOrString: %" STR_FMT ": %s", STR_ARG(buf_str(&m)),
                   why);
}

err_code int_or_string_scale(const struct int_or_string *x, int32_t total,
                             enum int_or_string_rounding rounding, int32_t *ret, struct err *err)
{
    if (x->type == INT_OR_STRING_INT) {
        *ret = x->number;
        return ERR_NONE;
    }
    if (!str_ends(x->text, S("%")))
        return err_set(err, ERR_INVALID,
                       "invalid value for IntOrString: invalid type: string is not a percentage");
    str digits = str_slice(x->text, 0, x->text.n - 1);
    int64_t percent = 0;
    switch (go_atoi(digits, &percent)) {
    case ATOI_OK: break;
    case ATOI_SYNTAX: return bad_percentage(x, digits, "invalid syntax", err);
    case ATOI_RANGE: return bad_percentage(x, digits, "value out of range", err);
    }
    /* In floating point, in this order, as the original does: it decides on which side a whole number falls. */
    double v = (double)percent * (double)total / 100;
    v = rounding == INT_OR_STRING_UP ? ceil(v) : floor(v);
    *ret = v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
    return ERR_NONE;
}
