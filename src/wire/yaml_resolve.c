/* yaml_resolve.c - which value an unquoted scalar is, by the rules of Go's yaml.v2: the printer quotes what the reader
 * would not take for a string, so both ask here. */
#include "base/mem.h"
#include "wire/json_priv.h"
#include "wire/yaml_priv.h"
#include <math.h>
#include <stdio.h>

struct word {
    char text[6];
    uint8_t n;
    uint8_t kind;
    int8_t value; /* of a boolean; sign of an infinity, 0 for NaN */
};

#define WORD(text, kind, value)                       \
    {                                                 \
        text, sizeof(text) - 1, YAML_IS_##kind, value \
    }
static const struct word words[] = {
    WORD("", NULL, 0),        WORD("~", NULL, 0),       WORD("null", NULL, 0),    WORD("Null", NULL, 0),
    WORD("NULL", NULL, 0),    WORD("true", BOOL, 1),    WORD("True", BOOL, 1),    WORD("TRUE", BOOL, 1),
    WORD("false", BOOL, 0),   WORD("False", BOOL, 0),   WORD("FALSE", BOOL, 0),   WORD("y", BOOL, 1),
    WORD("Y", BOOL, 1),       WORD("yes", BOOL, 1),     WORD("Yes", BOOL, 1),     WORD("YES", BOOL, 1),
    WORD("n", BOOL, 0),       WORD("N", BOOL, 0),       WORD("no", BOOL, 0),      WORD("No", BOOL, 0),
    WORD("NO", BOOL, 0),      WORD("on", BOOL, 1),      WORD("On", BOOL, 1),      WORD("ON", BOOL, 1),
    WORD("off", BOOL, 0),     WORD("Off", BOOL, 0),     WORD("OFF", BOOL, 0),     WORD(".nan", FLOAT, 0),
    WORD(".NaN", FLOAT, 0),   WORD(".NAN", FLOAT, 0),   WORD(".inf", FLOAT, 1),   WORD(".Inf", FLOAT, 1),
    WORD(".INF", FLOAT, 1),   WORD("+.inf", FLOAT, 1),  WORD("+.Inf", FLOAT, 1),  WORD("+.INF", FLOAT, 1),
    WORD("-.inf", FLOAT, -1), WORD("-.Inf", FLOAT, -1), WORD("-.INF", FLOAT, -1),
};

enum { WORD_SIZE_MAX = 5 };

static bool resolve_word(str s, struct yaml_scalar *ret)
{
    if (s.n > WORD_SIZE_MAX)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        const struct word *w = &words[i];
        if (w->n != s.n || (s.n && (w->text[0] != s.p[0] || memcmp(w->text, s.p, s.n) != 0)))
            continue;
        *ret = (struct yaml_scalar){.kind = w->kind};
        if (w->kind == YAML_IS_BOOL)
            ret->v.b = w->value;
        else if (w->kind == YAML_IS_FLOAT)
            ret->v.f = w->value ? w->value * (double)INFINITY : (double)NAN;
        return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at the front of s. */
static size_t digits_size(str s)
{
    size_t n = 0;
    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n;
}

/* Dates and times: Go's layouts "2006-1-2", "2006-1-2T15:4:5.999999999Z07:00" (or "t"), and with a space for the T and no
 * zone. */

/* One or two digits, no more than `max`. */
static bool take_number(str *s, int max, int *ret)
{
    size_t n = size_min(digits_size(*s), 2);
    int v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (s->p[i] - '0');
    *s = str_from(*s, n);
    *ret = v;
    return n && v <= max;
}

static bool take_c(str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool is_zone(str s)
{
    if (str_is(s, "Z"))
        return true;
    int hour, minute;
    return (take_c(&s, '+') || take_c(&s, '-')) && s.n == 5 && digits_size(s) == 2 &&
           take_number(&s, 24, &hour) && take_c(&s, ':') && digits_size(s) == 2 &&
           take_number(&s, 60, &minute);
}

static bool is_time_of_day(str s, bool zone)
{
    int hour, minute, second;
    if (!take_number(&s, 23, &hour) || !take_c(&s, ':') || !take_number(&s, 59, &minute) ||
        !take_c(&s, ':') || !take_number(&s, 59, &second))
        return false;
    if (s.n > 1 && (s.p[0] == '.' || s.p[0] == ',') && is_digit(s.p[1]))
        s = str_from(s, 1 + digits_size(str_from(s, 1)));
    return zone ? is_zone(s) : s.n == 0;
}

static bool is_time(str s)
{
    static const int8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (digits_size(s) != 4)
        return false;
    int year = (s.p[0] - '0') * 1000 + (s.p[1] - '0') * 100 + (s.p[2] - '0') * 10 + (s.p[3] - '0');
    int month, day;
    s = str_from(s, 4);
    if (!take_c(&s, '-') || !take_number(&s, 12, &month) || month == 0 || !take_c(&s, '-') ||
        !take_number(&s, 31, &day) || day == 0)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > month_days[month - 1] + (month == 2 && leap))
        return false;
    if (s.n == 0)
        return true;
    bool zone = s.p[0] != ' ';
    return (take_c(&s, 'T') || take_c(&s, 't') || take_c(&s, ' ')) && is_time_of_day(s, zone);
}

/* Integers, as Go's ParseInt and ParseUint read them. */

static int digit_of(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* The base that the prefix tells, taken off. */
static unsigned take_base(str *s)
{
    if (!s->n || s->p[0] != '0')
        return 10;
    char c = s->n >= 3 ? (char)(s->p[1] | 0x20) : 0;
    unsigned base = c == 'b' ? 2 : c == 'x' ? 16 : 8;
    *s = str_from(*s, base == 8 && c != 'o' ? 1 : 2);
    return base;
}

/* `base` 0: by prefix. False: not an integer, or none of 64 bits. */
static bool parse_int(str s, unsigned base, struct yaml_scalar *ret)
{
    bool negative = take_c(&s, '-'), sign = negative || take_c(&s, '+');
    uint64_t v = 0;
    if (!s.n)
        return false;
    if (!base)
        base = take_base(&s);
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)digit_of(s.p[i]);
        if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    if (v <= (uint64_t)INT64_MAX + negative)
        *ret = (struct yaml_scalar){.kind = YAML_IS_INT, .v.i = (int64_t)(negative ? -v : v)};
    else if (!sign)
        *ret = (struct yaml_scalar){.kind = YAML_IS_UINT, .v.u = v};
    else
        return false;
    return true;
}

/* Floats. */

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?, but no infinity. Rewritten as JSON spells it: no '+' and no zeros
 * in front, digits on both sides of the point. */
static bool parse_float(str s, struct yaml_scalar *ret)
{
    CLEANUP(buf_done) struct buf json;
    buf_init(&json, s.n + 2);
    if (take_c(&s, '-'))
        buf_add_c(&json, '-');
    else
        take_c(&s, '+');
    str whole = str_slice(s, 0, digits_size(s)), fraction = STR_NONE;
    s = str_from(s, whole.n);
    if (take_c(&s, '.')) {
        fraction = str_slice(s, 0, digits_size(s));
        s = str_from(s, fraction.n);
    }
    if (!whole.n && !fraction.n)
        return false;
    while (whole.n > 1 && whole.p[0] == '0')
        whole = str_from(whole, 1);
    buf_add(&json, whole.n ? whole : S("0"));
    if (fraction.n) {
        buf_add_c(&json, '.');
        buf_add(&json, fraction);
    }
    if (s.n) {
        str exponent = str_from(s, 1 + (s.n > 1 && (s.p[1] == '-' || s.p[1] == '+')));
        if ((s.p[0] | 0x20) != 'e' || !exponent.n || digits_size(exponent) != exponent.n)
            return false;
        buf_add(&json, s);
    }
    ret->kind = YAML_IS_FLOAT;
    return json_parse_float(buf_str(&json), &ret->v.f);
}

/* Go's own rule where a number begins with a point: each between digits. */
static bool underscores_stand_well(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '_' && (!i || i + 1 == s.n || !is_digit(s.p[i - 1]) || !is_digit(s.p[i + 1])))
            return false;
    return true;
}

static bool resolve_number(str s, struct yaml_scalar *ret)
{
    if (s.p[0] == '.')
        return parse_float(s, ret);
    /* 0b+1: the sign behind the prefix is an accident of the original's; strings of that form are quoted. */
    return parse_int(s, 0, ret) || parse_float(s, ret) ||
           (str_starts(s, S("0b")) && parse_int(str_from(s, 2), 2, ret));
}

/* Numbers may be written with underscores between digits (anywhere, but in front). */
static bool resolve_spaced_number(str s, struct yaml_scalar *ret)
{
    if (s.p[0] == '.' && !underscores_stand_well(s))
        return false;
    CLEANUP(buf_done) struct buf plain;
    buf_init(&plain, s.n);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_')
            buf_add_c(&plain, s.p[i]);
    return resolve_number(buf_str(&plain), ret);
}

/* Only what begins with one of these can be something else than a string. */
enum hint { HINT_NONE, HINT_WORD, HINT_POINT, HINT_NUMBER };

static enum hint hint_of(char c)
{
    switch (c) {
    case 'y':
    case 'Y':
    case 'n':
    case 'N':
    case 't':
    case 'T':
    case 'f':
    case 'F':
    case 'o':
    case 'O':
    case '~': return HINT_WORD;
    case '.': return HINT_POINT;
    case '+':
    case '-': return HINT_NUMBER;
    default: return is_digit(c) ? HINT_NUMBER : HINT_NONE;
    }
}

struct yaml_scalar yaml_resolve(str s, bool times)
{
    struct yaml_scalar ret = {.kind = YAML_IS_STRING};
    enum hint hint = s.n ? hint_of(s.p[0]) : HINT_WORD;
    if (hint == HINT_NONE || resolve_word(s, &ret) || hint == HINT_WORD)
        return ret;
    if (hint == HINT_NUMBER && times && is_time(s))
        return (struct yaml_scalar){.kind = YAML_IS_TIME};
    bool spaced = str_index_c(s, '_') != SIZE_MAX;
    if (!(spaced ? resolve_spaced_number(s, &ret) : resolve_number(s, &ret)))
        ret.kind = YAML_IS_STRING;
    return ret;
}

/* Printing floats. */

/* The double whose shortest text is the shortest text of the nearest float of 32 bits. */
static double narrowed(double f)
{
    enum { DIGITS_MAX = 9 };
    float narrow = (float)f;
    double back = (double)narrow;
    if (!isfinite(narrow))
        return back;
    for (int n = 1; n <= DIGITS_MAX; n++) {
        char text[32];
        int size = snprintf(text, sizeof text, "%.*e", n - 1, (double)narrow);
        if (json_parse_float(str_of(text, (size_t)size), &back) && (float)back == narrow)
            break;
    }
    return back;
}

static void print_exponent(struct buf *out, str digits, int exponent)
{
    buf_add_c(out, digits.p[0]);
    if (digits.n > 1) {
        buf_add_c(out, '.');
        buf_add(out, str_from(digits, 1));
    }
    buf_add_f(out, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

void yaml_print_float(struct buf *out, double f, bool narrow)
{
    enum { PLAIN_FROM = -4, PLAIN_TO = 5 };
    if (narrow)
        f = narrowed(f);
    if (isnan(f)) {
        buf_add_lit(out, ".nan");
        return;
    }
    if (signbit(f))
        buf_add_c(out, '-');
    f = fabs(f);
    if (isinf(f)) {
        buf_add_lit(out, ".inf");
        return;
    }
    char digits[17];
    int point = 1;
    unsigned n = f == 0 ? 0 : json_float_digits(f, digits, &point);
    if (point - 1 < PLAIN_FROM || point - 1 > PLAIN_TO)
        print_exponent(out, str_of(digits, n), point - 1);
    else
        json_print_float(out, f);
}
