/* open_format.c - the functions of open_formats.def: what Go's standard library and the original's own checks take. */
#include "api/open_format.h"
#include "base/defs.h"
#include "base/ip.h"
#include "base/kube_time.h"
#include "base/names.h"
#include "base/utf8.h"

typedef bool check_fn(str s);

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_value(char c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

/* --- URIs --- */

/* "http:" taken off the front; what begins with anything else has none. False: a colon without a scheme. */
static bool take_scheme(str *rest, bool *ret_found)
{
    *ret_found = false;
    for (size_t i = 0; i < rest->n; i++) {
        char c = rest->p[i];
        if (c == ':') {
            *ret_found = i > 0;
            *rest = str_from(*rest, i + 1);
            return i > 0;
        }
        if (!is_letter(c) && (i == 0 || !(is_digit(c) || is_one_of(c, "+-."))))
            return true;
    }
    return true;
}

/* Escapes are whole; in a host they stand for what is no ASCII, or for a percent sign. */
static bool escapes_are_good(str s, bool host)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%')
            continue;
        if (i + 2 >= s.n || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0)
            return false;
        if (host && hex_value(s.p[i + 1]) < 8 && memcmp(s.p + i, "%25", 3) != 0)
            return false;
        i += 2;
    }
    return true;
}

static bool is_optional_port(str s)
{
    if (s.n && s.p[0] != ':')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_digit(s.p[i]))
            return false;
    return true;
}

static bool is_host(str s)
{
    size_t end = str_starts(s, S("[")) ? str_rindex_c(s, ']') : str_rindex_c(s, ':');
    if (str_starts(s, S("["))) {
        if (end == SIZE_MAX || !is_optional_port(str_from(s, end + 1)))
            return false;
    } else if (end != SIZE_MAX && !is_optional_port(str_from(s, end))) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!is_letter(c) && !is_digit(c) && !((unsigned char)c & 0x80) &&
            !is_one_of(c, "-_.~!$&'()*+,;=:[]<>\"%"))
            return false;
    }
    return escapes_are_good(s, true);
}

static bool is_authority(str s)
{
    size_t at = str_rindex_c(s, '@');
    if (at == SIZE_MAX)
        return is_host(s);
    for (size_t i = 0; i < at; i++)
        if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && !is_one_of(s.p[i], "-._:~!$&'()*+,;=%@"))
            return false;
    return escapes_are_good(str_slice(s, 0, at), false) && is_host(str_from(s, at + 1));
}

/* As it could stand in a request: absolute, or a path from the root. */
static bool is_uri(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    if (s.n == 0 || str_is(s, "*"))
        return s.n > 0;
    bool scheme;
    if (!take_scheme(&s, &scheme))
        return false;
    size_t query = str_index_c(s, '?');
    s = query == SIZE_MAX ? s : str_slice(s, 0, query);
    if (!str_starts(s, S("/")))
        return scheme;
    if (scheme && str_starts(s, S("//"))) {
        str rest = str_from(s, 2);
        size_t end = str_index_c(rest, '/');
        if (!is_authority(end == SIZE_MAX ? rest : str_slice(rest, 0, end)))
            return false;
        s = end == SIZE_MAX ? STR_NONE : str_from(rest, end);
    }
    return escapes_are_good(s, false);
}

/* --- e-mail addresses --- */

static bool is_atom_char(char c)
{
    return is_letter(c) || is_digit(c) || ((unsigned char)c & 0x80) || is_one_of(c, "!#$%&'*+-/=?^_`{|}~");
}

static void skip_space(str *rest)
{
    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = str_from(*rest, 1);
}

/* Atoms with single dots between them; `loose`: dots anywhere, as in names. */
static bool take_dot_atom(str *rest, bool loose)
{
    size_t n = 0;
    while (n < rest->n && (is_atom_char(rest->p[n]) || rest->p[n] == '.')) {
        bool alone = rest->p[n] == '.' && (n == 0 || n + 1 == rest->n || !is_atom_char(rest->p[n + 1]));
        if (alone && !loose)
            return false;
        n++;
    }
    *rest = str_from(*rest, n);
    return n > 0;
}

static bool take_quoted(str *rest)
{
    for (size_t i = 1; i < rest->n; i++) {
        char c = rest->p[i];
        if (c == '"') {
            *rest = str_from(*rest, i + 1);
            return true;
        }
        if (c == '\\')
            i++;
        if (i < rest->n && (unsigned char)rest->p[i] < 0x20 && rest->p[i] != '\t')
            return false;
    }
    return false;
}

static bool take_address(str *rest)
{
    skip_space(rest);
    bool quoted = str_starts(*rest, S("\""));
    str before = *rest;
    if (!(quoted ? take_quoted(rest) : take_dot_atom(rest, false)) || (quoted && before.n - rest->n == 2))
        return false;
    if (!str_take_prefix(rest, S("@")))
        return false;
    skip_space(rest);
    if (!str_starts(*rest, S("[")))
        return take_dot_atom(rest, false);
    size_t end = str_index_c(*rest, ']');
    struct ip ip;
    if (end == SIZE_MAX || !ip_parse(str_slice(*rest, 1, end), &ip, NULL))
        return false;
    *rest = str_from(*rest, end + 1);
    return true;
}

/* "name@example.com", or "Some Name <name@example.com>". */
static bool is_email(str s)
{
    str rest = s;
    if (!take_address(&rest)) {
        rest = s;
        for (skip_space(&rest); rest.n && rest.p[0] != '<'; skip_space(&rest))
            if (!(rest.p[0] == '"' ? take_quoted(&rest) : take_dot_atom(&rest, true)))
                return false;
        if (!str_take_prefix(&rest, S("<")) || !take_address(&rest) || !str_take_prefix(&rest, S(">")))
            return false;
    }
    skip_space(&rest);
    return rest.n == 0 && utf8_valid(s);
}

/* --- names and addresses of the network --- */

static bool is_short_hostname(str s)
{
    str label;
    if (s.n > 255)
        return false;
    while (str_next(&s, '.', &label))
        if (label.n > 63)
            return false;
    return true;
}

static bool is_ipv4(str s)
{
    struct ip ip;
    return str_contains(s, S(".")) && ip_parse(s, &ip, NULL);
}

static bool is_ipv6(str s)
{
    struct ip ip;
    unsigned odd;
    return str_contains(s, S(":")) && ip_parse(s, &ip, &odd) && !(odd & IP_LEADING_ZEROS);
}

static bool is_cidr(str s)
{
    struct cidr c;
    return cidr_parse(s, &c, NULL);
}

/* 6, 8 or 20 bytes, in twos with : or - between, or in fours with dots. */
static bool is_mac(str s)
{
    if (s.n < 14)
        return false;
    size_t digits = s.p[4] == '.' ? 4 : 2;
    char between = s.p[digits];
    if (digits == 2 && between != ':' && between != '-')
        return false;
    if ((s.n + 1) % (digits + 1))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (i % (digits + 1) == digits ? s.p[i] != between : hex_value(s.p[i]) < 0)
            return false;
    size_t bytes = (s.n + 1) / (digits + 1) * digits / 2;
    return bytes == 6 || bytes == 8 || bytes == 20;
}

static bool is_short_name(str s)
{
    return name_check_dns1123_label(s, NULL);
}

static bool is_long_name(str s)
{
    return name_check_dns1123_subdomain(s, NULL);
}

/* --- numbers on paper --- */

enum { PAPER_MAX = 20 };

/* What is left without the characters that may stand anywhere; 0 when it is too long. */
static size_t strip(str s, bool digits_only, char ret[PAPER_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool skip = digits_only ? !is_digit(s.p[i]) : is_one_of(s.p[i], " \t\n\f\r-");
        if (skip)
            continue;
        if (n == PAPER_MAX)
            return 0;
        ret[n++] = s.p[i];
    }
    return n;
}

static bool is_isbn10(str s)
{
    char d[PAPER_MAX];
    int sum = 0;
    if (strip(s, false, d) != 10)
        return false;
    for (int i = 0; i < 10; i++) {
        if (!is_digit(d[i]) && !(i == 9 && d[i] == 'X'))
            return false;
        sum += (i + 1) * (d[i] == 'X' ? 10 : d[i] - '0');
    }
    return sum % 11 == 0;
}

static bool is_isbn13(str s)
{
    char d[PAPER_MAX];
    int sum = 0;
    if (strip(s, false, d) != 13)
        return false;
    for (int i = 0; i < 13; i++) {
        if (!is_digit(d[i]))
            return false;
        sum += (i % 2 ? 3 : 1) * (d[i] - '0');
    }
    return sum % 10 == 0;
}

static bool is_isbn(str s)
{
    return is_isbn10(s) || is_isbn13(s);
}

/* Beginnings that somebody issues cards with, and how long those are. */
static bool is_issued(int first4, size_t n)
{
    int first2 = first4 / 100, first3 = first4 / 10;
    if (first4 / 1000 == 4)
        return n == 13 || n == 16;
    if ((first2 >= 51 && first2 <= 55) || (first4 >= 2221 && first4 <= 2720) || first4 == 6011 ||
        first2 == 65)
        return n == 16;
    if (first2 == 62 || first2 == 67)
        return n == 16;
    if (first2 == 34 || first2 == 37)
        return n == 15;
    if ((first3 >= 300 && first3 <= 305) || first2 == 36 || first2 == 38)
        return n == 14;
    return first2 == 35 ? n == 16 : (first4 == 2131 || first4 == 1800) && n == 15;
}

static bool is_credit_card(str s)
{
    char d[PAPER_MAX];
    size_t n = strip(s, true, d);
    if (n < 13 || !is_issued((d[0] - '0') * 1000 + (d[1] - '0') * 100 + (d[2] - '0') * 10 + d[3] - '0', n))
        return false;
    int sum = 0;
    for (size_t i = 0; i < n; i++) {
        int v = (d[n - 1 - i] - '0') * (i % 2 ? 2 : 1);
        sum += v > 9 ? v - 9 : v;
    }
    return sum % 10 == 0;
}

/* --- times --- */

static bool two_digits(str s, size_t at, int *ret)
{
    if (at + 2 > s.n || !is_digit(s.p[at]) || !is_digit(s.p[at + 1]))
        return false;
    *ret = (s.p[at] - '0') * 10 + s.p[at + 1] - '0';
    return true;
}

static bool is_date(str s)
{
    int century, year, month, day;
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !two_digits(s, 0, &century) ||
        !two_digits(s, 2, &year) || !two_digits(s, 5, &month) || !two_digits(s, 8, &day))
        return false;
    return month >= 1 && month <= 12 && day >= 1 && day <= kube_days_in_month(century * 100 + year, month);
}

/* "z" or "+01:00". */
static bool is_zone(str s)
{
    int hours, minutes;
    if (str_eq_nocase(s, S("z")))
        return true;
    return s.n == 6 && is_one_of(s.p[0], "+-") && two_digits(s, 1, &hours) && s.p[3] == ':' &&
           two_digits(s, 4, &minutes);
}

/* The date, a T, the time up to the next T or the end. */
static bool is_date_time(str s)
{
    int hour, minute, second;
    if (s.n < 11 || !str_eq_nocase(str_slice(s, 10, 11), S("t")) || !is_date(str_slice(s, 0, 10)))
        return false;
    s = str_from(s, 11);
    size_t end = 0;
    while (end < s.n && s.p[end] != 't' && s.p[end] != 'T')
        end++;
    s = str_slice(s, 0, end);
    if (s.n < 9 || !two_digits(s, 0, &hour) || s.p[2] != ':' || !two_digits(s, 3, &minute) || s.p[5] != ':' ||
        !two_digits(s, 6, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    s = str_from(s, 8);
    if (is_zone(s))
        return true;
    uint32_t c; /* whatever it is that stands before the fraction */
    size_t digits = 0;
    utf8_next(&s, &c);
    while (digits < s.n && is_digit(s.p[digits]))
        digits++;
    return digits && c != '\n' && is_zone(str_from(s, digits));
}

static bool is_unit(str s)
{
    static const str whole[] = {S_INIT("ns"), S_INIT("us"), S_INIT("\xc2\xb5s"), S_INIT("ms"),
                                S_INIT("s"),  S_INIT("m"),  S_INIT("h"),         S_INIT("hr"),
                                S_INIT("d"),  S_INIT("w"),  S_INIT("wk")};
    static const str starts[] = {S_INIT("nano"), S_INIT("micro"), S_INIT("milli"), S_INIT("sec"),
                                 S_INIT("min"),  S_INIT("hour"),  S_INIT("day"),   S_INIT("week")};
    for (size_t i = 0; i < ARRAY_COUNT(whole); i++)
        if (str_eq_nocase(s, whole[i]))
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(starts); i++)
        if (str_eq_nocase(str_slice(s, 0, starts[i].n), starts[i]))
            return true;
    return false;
}

/* Go's form, or numbers with longer units anywhere: "3 days". */
static bool is_duration(str s)
{
    int64_t ns;
    struct err err = ERR_INIT;
    bool found = false;
    if (duration_parse(s, &ns, &err) == ERR_NONE)
        return true;
    for (size_t i = 0; i < s.n;) {
        size_t start = i;
        while (i < s.n && is_digit(s.p[i]))
            i++;
        str digits = str_slice(s, start, i);
        while (digits.n && i < s.n && is_one_of(s.p[i], " \t\n\f\r"))
            i++;
        size_t unit = i;
        while (i < s.n && (is_letter(s.p[i]) || str_starts(str_from(s, i), S("\xc2\xb5"))))
            i += is_letter(s.p[i]) ? 1 : 2;
        if (digits.n && i > unit) {
            if (!str_parse_i64(digits, &ns))
                return false;
            found |= is_unit(str_slice(s, unit, i));
        }
        i += i == start;
    }
    return found;
}

/* --- by name --- */

static const struct {
    str name;
    const char *pattern;
    check_fn *check;
} formats[OPEN_FORMAT_COUNT] = {
#define OPEN_FORMAT(name, text, pattern, check) [OPEN_FORMAT_##name] = {S_INIT(text), pattern, check},
#include "api/open_formats.def"
#undef OPEN_FORMAT
};

enum open_format open_format_find(str name)
{
    char plain[16];
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '-')
            continue;
        if (n == sizeof plain)
            return OPEN_FORMAT_NONE;
        plain[n++] = name.p[i];
    }
    for (unsigned f = OPEN_FORMAT_NONE + 1; f < OPEN_FORMAT_COUNT; f++)
        if (str_eq(formats[f].name, str_of(plain, n)))
            return (enum open_format)f;
    return OPEN_FORMAT_NONE;
}

str open_format_pattern(enum open_format f)
{
    return str_from_c(formats[f].pattern);
}

bool open_format_check(enum open_format f, str text)
{
    return !formats[f].check || formats[f].check(text);
}
