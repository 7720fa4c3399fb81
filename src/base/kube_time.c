/* kube_time.c - calendar arithmetic, RFC 3339, Go's durations. */
#include "base/kube_time.h"

/* The calendar. Days are counted from 0001-01-01. */

static bool is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static const uint16_t days_before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

int kube_days_in_month(int32_t year, int month)
{
    ASSERT(month >= 1 && month <= 12);
    return days_before_month[month] - days_before_month[month - 1] + (month == 2 && is_leap(year));
}

static int64_t days_before_year(int32_t year)
{
    /* From year 0 on, which is a leap year: nothing is negative then, and division rounds down. */
    int64_t before = year, leap = before ? (before - 1) / 4 - (before - 1) / 100 + (before - 1) / 400 + 1 : 0;
    return before * 365 + leap - 366;
}

static int64_t days_of_date(int32_t year, int month, int day)
{
    return days_before_year(year) + days_before_month[month - 1] + (month > 2 && is_leap(year)) + day - 1;
}

struct kube_date kube_time_to_date(struct kube_time t)
{
    int64_t sec = t.sec - KUBE_TIME_SEC_MIN; /* from 0000-01-01, so that nothing is negative */
    int64_t days = sec / SEC_PER_DAY;
    int32_t of_day = (int32_t)(sec % SEC_PER_DAY);
    int32_t year = (int32_t)(days * 400 / 146097); /* right, or one too many at the end of a year */
    while (days_before_year(year) + 366 > days)
        year--;
    while (days_before_year(year + 1) + 366 <= days)
        year++;
    int32_t yearday = (int32_t)(days - 366 - days_before_year(year));
    int month = 1;
    int32_t day = yearday;
    while (day >= kube_days_in_month(year, month))
        day -= kube_days_in_month(year, month++);
    return (struct kube_date){
        .year = year,
        .month = (uint8_t)month,
        .day = (uint8_t)(day + 1),
        .hour = (uint8_t)(of_day / 3600),
        .minute = (uint8_t)(of_day / 60 % 60),
        .second = (uint8_t)(of_day % 60),
        .weekday = (uint8_t)((days + 6) % 7), /* 0000-01-01 was a Saturday */
        .yearday = (uint16_t)(yearday + 1),
    };
}

bool kube_time_from_date(const struct kube_date *d, int32_t nsec, struct kube_time *ret)
{
    if (d->year < 0 || d->year > 9999 || d->month < 1 || d->month > 12 || d->day < 1)
        return false;
    if (d->day > kube_days_in_month(d->year, d->month) || d->hour > 23 || d->minute > 59 || d->second > 59)
        return false;
    if (nsec < 0 || nsec >= NSEC_PER_SEC)
        return false;
    ret->sec = days_of_date(d->year, d->month, d->day) * SEC_PER_DAY + d->hour * 3600 + d->minute * 60 +
               d->second;
    ret->nsec = nsec;
    return true;
}

/* Points in time. */

bool kube_time_from_unix(int64_t sec, int32_t nsec, struct kube_time *ret)
{
    if (nsec < 0 || nsec >= NSEC_PER_SEC)
        return false;
    if (sec < KUBE_TIME_SEC_MIN - KUBE_TIME_UNIX_EPOCH || sec > KUBE_TIME_SEC_MAX - KUBE_TIME_UNIX_EPOCH)
        return false;
    *ret = (struct kube_time){.sec = sec + KUBE_TIME_UNIX_EPOCH, .nsec = nsec};
    return true;
}

struct kube_time kube_time_from_unix_ns(int64_t ns)
{
    int64_t sec = ns / NSEC_PER_SEC, nsec = ns % NSEC_PER_SEC;
    if (nsec < 0) {
        sec--;
        nsec += NSEC_PER_SEC;
    }
    return (struct kube_time){.sec = sec + KUBE_TIME_UNIX_EPOCH, .nsec = (int32_t)nsec};
}

static int64_t saturated_ns(int64_t sec, int64_t nsec)
{
    __int128_t ns = (__int128_t)sec * NSEC_PER_SEC + nsec;
    return ns > INT64_MAX ? INT64_MAX : ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}

int64_t kube_time_unix_ns(struct kube_time t)
{
    return saturated_ns(kube_time_unix(t), t.nsec);
}

int kube_time_cmp(struct kube_time a, struct kube_time b)
{
    if (a.sec != b.sec)
        return a.sec < b.sec ? -1 : 1;
    return a.nsec < b.nsec ? -1 : a.nsec > b.nsec;
}

struct kube_time kube_time_add(struct kube_time t, int64_t ns)
{
    int64_t nsec = t.nsec + ns % NSEC_PER_SEC, carry = nsec < 0 ? -1 : nsec >= NSEC_PER_SEC;
    int64_t sec = t.sec + ns / NSEC_PER_SEC + carry;
    if (sec < KUBE_TIME_SEC_MIN)
        return (struct kube_time){.sec = KUBE_TIME_SEC_MIN};
    if (sec > KUBE_TIME_SEC_MAX)
        return (struct kube_time){.sec = KUBE_TIME_SEC_MAX, .nsec = NSEC_PER_SEC - 1};
    return (struct kube_time){.sec = sec, .nsec = (int32_t)(nsec - carry * NSEC_PER_SEC)};
}

int64_t kube_time_sub(struct kube_time a, struct kube_time b)
{
    return saturated_ns(a.sec - b.sec, (int64_t)a.nsec - b.nsec);
}

/* Writing. */

static char *put_digits(char *to, uint32_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

static void format(struct buf *out, struct kube_time t, int fraction_digits)
{
    struct kube_date d = kube_time_to_date(t);
    char text[32], *to = text;
    to = put_digits(to, (uint32_t)d.year, 4);
    *to++ = '-';
    to = put_digits(to, d.month, 2);
    *to++ = '-';
    to = put_digits(to, d.day, 2);
    *to++ = 'T';
    to = put_digits(to, d.hour, 2);
    *to++ = ':';
    to = put_digits(to, d.minute, 2);
    *to++ = ':';
    to = put_digits(to, d.second, 2);
    if (fraction_digits) {
        *to++ = '.';
        char nanos[9];
        put_digits(nanos, (uint32_t)t.nsec, 9);
        memcpy(to, nanos, (size_t)fraction_digits);
        to += fraction_digits;
    }
    *to++ = 'Z';
    buf_add(out, str_of(text, (size_t)(to - text)));
}

void kube_time_format(struct buf *out, struct kube_time t)
{
    format(out, t, 0);
}

void kube_micro_time_format(struct buf *out, struct kube_time t)
{
    format(out, t, 6);
}

void kube_time_format_nano(struct buf *out, struct kube_time t)
{
    int digits = t.nsec ? 9 : 0;
    for (int32_t n = t.nsec; n && n % 10 == 0; n /= 10)
        digits--;
    format(out, t, digits);
}

/* Reading. */

/* Go's time package quotes in a way of its own: bytes that are not plain ASCII in hex. Adds what there is room for. */
static void add_quoted(struct buf *out, str s)
{
    buf_add_c(out, '"');
    for (size_t i = 0; i < s.n && !out->failed; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80 || c < ' ') {
            buf_add_f(out, "\\x%02x", c);
        } else {
            if (c == '"' || c == '\\')
                buf_add_c(out, '\\');
            buf_add_c(out, (char)c);
        }
    }
    buf_add_c(out, '"');
}

/* Runs over the text element by element of the layout, as Go does; the first element that does not fit fills err. */
struct time_reader {
    str whole, rest;
    bool micro;
    struct err *err;
};

static bool fail(struct time_reader *r, const char *element, str at)
{
    CLEANUP(buf_done) struct buf m;
    buf_init(&m, sizeof r->err->msg);
    buf_add_lit(&m, "parsing time ");
    add_quoted(&m, r->whole);
    buf_add_lit(&m, " as ");
    add_quoted(&m, r->micro ? S("2006-01-02T15:04:05.000000Z07:00") : S("2006-01-02T15:04:05Z07:00"));
    buf_add_lit(&m, ": cannot parse ");
    add_quoted(&m, at);
    buf_add_lit(&m, " as ");
    add_quoted(&m, str_from_c(element));
    err_set(r->err, ERR_SYNTAX, "%" STR_FMT, STR_ARG(buf_str(&m)));
    return false;
}

static bool fail_range(struct time_reader *r, const char *what)
{
    CLEANUP(buf_done) struct buf m;
    buf_init(&m, sizeof r->err->msg);
    add_quoted(&m, r->whole);
    err_set(r->err, ERR_SYNTAX, "parsing time %" STR_FMT ": %s out of range", STR_ARG(buf_str(&m)), what);
    return false;
}

static bool is_digit(str s, size_t at)
{
    return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

static bool take_literal(struct time_reader *r, char c)
{
    if (!r->rest.n || r->rest.p[0] != c)
        return fail(r, (const char[]){c, 0}, r->rest);
    r->rest = str_from(r->rest, 1);
    return true;
}

static bool take_year(struct time_reader *r, int32_t *ret)
{
    uint64_t year;
    if (r->rest.n < 4 || !str_parse_u64(str_slice(r->rest, 0, 4), &year))
        return fail(r, "2006", r->rest);
    r->rest = str_from(r->rest, 4);
    *ret = (int32_t)year;
    return true;
}

/* Two digits, or where Go allows it one. `what`: the name in the message when it is not within [min, max]. */
static bool take_number(struct time_reader *r, const char *element, bool one_will_do, int min, int max,
                        const char *what, int *ret)
{
    size_t digits = is_digit(r->rest, 0) + (is_digit(r->rest, 0) && is_digit(r->rest, 1));
    if (digits < (one_will_do ? 1 : 2))
        return fail(r, element, r->rest);
    int v = r->rest.p[0] - '0';
    if (digits == 2)
        v = v * 10 + r->rest.p[1] - '0';
    r->rest = str_from(r->rest, digits);
    if (v < min || v > max)
        return fail_range(r, what);
    *ret = v;
    return true;
}

/* Digits [1, 1 + count) of the rest as nanoseconds; those past the ninth are dropped. */
static int32_t nanoseconds(str rest, size_t count)
{
    int32_t nsec = 0;
    for (size_t i = 1; i <= 9; i++)
        nsec = nsec * 10 + (i <= count ? rest.p[i] - '0' : 0);
    return nsec;
}

static bool take_fraction(struct time_reader *r, int32_t *ret)
{
    bool mark = r->rest.n && (r->rest.p[0] == '.' || r->rest.p[0] == ',');
    size_t digits = 0;
    while (mark && is_digit(r->rest, digits + 1) && (digits < 6 || !r->micro))
        digits++;
    if (r->micro && digits != 6)
        return fail(r, ".000000", r->rest);
    if (digits) {
        *ret = nanoseconds(r->rest, digits);
        r->rest = str_from(r->rest, digits + 1);
    }
    return true;
}

static bool take_zone(struct time_reader *r, int32_t *ret_offset)
{
    str at = r->rest;
    if (at.n && at.p[0] == 'Z') {
        r->rest = str_from(at, 1);
        return true;
    }
    if (at.n < 6 || at.p[3] != ':')
        return fail(r, "Z07:00", at);
    bool digits = is_digit(at, 1) && is_digit(at, 2) && is_digit(at, 4) && is_digit(at, 5);
    int hour = (at.p[1] - '0') * 10 + at.p[2] - '0', minute = (at.p[4] - '0') * 10 + at.p[5] - '0';
    /* 24 and 60 pass, as in Go: some people write such offsets. */
    if (digits && (hour > 24 || minute > 60))
        return fail_range(r, minute > 60 ? "time zone offset minute" : "time zone offset hour");
    if (!digits || (at.p[0] != '+' && at.p[0] != '-'))
        return fail(r, "Z07:00", at);
    *ret_offset = (hour * 60 + minute) * 60 * (at.p[0] == '-' ? -1 : 1);
    r->rest = str_from(at, 6);
    return true;
}

static bool take_end(struct time_reader *r)
{
    if (!r->rest.n)
        return true;
    CLEANUP(buf_done) struct buf m;
    buf_init(&m, sizeof r->err->msg);
    add_quoted(&m, r->whole);
    buf_add_lit(&m, ": extra text: ");
    add_quoted(&m, r->rest);
    err_set(r->err, ERR_SYNTAX, "parsing time %" STR_FMT, STR_ARG(buf_str(&m)));
    return false;
}

static err_code parse(str s, bool micro, struct kube_time *ret, struct err *err)
{
    struct time_reader r = {.whole = s, .rest = s, .micro = micro, .err = err};
    int32_t year = 0, nsec = 0, offset = 0;
    int month = 1, day = 1, hour = 0, minute = 0, second = 0;
    bool ok = take_year(&r, &year) && take_literal(&r, '-') &&
              take_number(&r, "01", false, 1, 12, "month", &month) && take_literal(&r, '-') &&
              take_number(&r, "02", false, 0, 99, "day", &day) && take_literal(&r, 'T') &&
              take_number(&r, "15", true, 0, 23, "hour", &hour) && take_literal(&r, ':') &&
              take_number(&r, "04", false, 0, 59, "minute", &minute) && take_literal(&r, ':') &&
              take_number(&r, "05", false, 0, 59, "second", &second) && take_fraction(&r, &nsec) &&
              take_zone(&r, &offset) && take_end(&r);
    if (ok && (day < 1 || day > kube_days_in_month(year, month)))
        ok = fail_range(&r, "day");
    if (!ok)
        return err->code;
    int64_t sec = days_of_date(year, month, day) * SEC_PER_DAY + hour * 3600 + minute * 60 + second - offset;
    if (sec < KUBE_TIME_SEC_MIN || sec > KUBE_TIME_SEC_MAX) {
        fail_range(&r, "year");
        return err->code;
    }
    *ret = (struct kube_time){.sec = sec, .nsec = nsec};
    return ERR_NONE;
}

err_code kube_time_parse(str s, struct kube_time *ret, struct err *err)
{
    return parse(s, false, ret, err);
}

err_code kube_micro_time_parse(str s, struct kube_time *ret, struct err *err)
{
    return parse(s, true, ret, err);
}

/* Durations. */

static err_code bad_duration(struct err *err, const char *what, str whole)
{
    CLEANUP(buf_done) struct buf m;
    buf_init(&m, sizeof err->msg);
    add_quoted(&m, whole);
    return err_set(err, ERR_SYNTAX, "time: %s duration %" STR_FMT, what, STR_ARG(buf_str(&m)));
}

static err_code unknown_unit(struct err *err, str unit, str whole)
{
    CLEANUP(buf_done) struct buf m;
    buf_init(&m, sizeof err->msg);
    add_quoted(&m, unit);
    buf_add_lit(&m, " in duration ");
    add_quoted(&m, whole);
    return err_set(err, ERR_SYNTAX, "time: unknown unit %" STR_FMT, STR_ARG(buf_str(&m)));
}

#define DURATION_SIZE_MAX ((uint64_t)1 << 63) /* of a negative one */

/* Leading digits; false when they are more than 2^63. */
static bool take_integer(str *s, uint64_t *ret)
{
    uint64_t v = 0;
    for (; is_digit(*s, 0); *s = str_from(*s, 1)) {
        if (v > DURATION_SIZE_MAX / 10)
            return false;
        v = v * 10 + (uint64_t)(s->p[0] - '0');
        if (v > DURATION_SIZE_MAX)
            return false;
    }
    *ret = v;
    return true;
}

/* Digits after the point; those past the 19th change nothing. */
static void take_duration_fraction(str *s, uint64_t *ret, double *ret_scale)
{
    bool full = false;
    for (; is_digit(*s, 0); *s = str_from(*s, 1)) {
        uint64_t v = *ret * 10 + (uint64_t)(s->p[0] - '0');
        full = full || *ret > (DURATION_SIZE_MAX - 1) / 10 || v > DURATION_SIZE_MAX;
        if (full)
            continue;
        *ret = v;
        *ret_scale *= 10;
    }
}

static uint64_t unit_ns(str unit)
{
    static const struct {
        str name;
        int64_t ns;
    } units[] = {
        {S_INIT("ns"), 1},
        {S_INIT("us"), NSEC_PER_USEC},
        {S_INIT("\xc2\xb5s"), NSEC_PER_USEC}, /* micro sign */
        {S_INIT("\xce\xbcs"), NSEC_PER_USEC}, /* Greek mu */
        {S_INIT("ms"), NSEC_PER_MSEC},
        {S_INIT("s"), NSEC_PER_SEC},
        {S_INIT("m"), NSEC_PER_MIN},
        {S_INIT("h"), NSEC_PER_HOUR},
    };
    for (size_t i = 0; i < ARRAY_COUNT(units); i++)
        if (str_eq(units[i].name, unit))
            return (uint64_t)units[i].ns;
    return 0;
}

/* One "1.5h"; adds to *ret. */
static err_code take_part(str *s, str whole, uint64_t *ret, struct err *err)
{
    uint64_t v, fraction = 0;
    double scale = 1;
    size_t before = s->n;
    if (!take_integer(s, &v))
        return bad_duration(err, "invalid", whole);
    bool digits = s->n != before;
    if (s->n && s->p[0] == '.') {
        *s = str_from(*s, 1);
        before = s->n;
        take_duration_fraction(s, &fraction, &scale);
        digits = digits || s->n != before;
    }
    if (!digits)
        return bad_duration(err, "invalid", whole);
    size_t unit_size = 0;
    while (unit_size < s->n && s->p[unit_size] != '.' && !is_digit(*s, unit_size))
        unit_size++;
    if (!unit_size)
        return bad_duration(err, "missing unit in", whole);
    str unit = str_slice(*s, 0, unit_size);
    *s = str_from(*s, unit_size);
    uint64_t ns = unit_ns(unit);
    if (!ns)
        return unknown_unit(err, unit, whole);
    if (v > DURATION_SIZE_MAX / ns)
        return bad_duration(err, "invalid", whole);
    /* In floating point as Go does it, so that the last nanosecond is the same. Below an hour: no overflow. */
    v = v * ns + (uint64_t)((double)fraction * ((double)ns / scale));
    if (v > DURATION_SIZE_MAX - *ret)
        return bad_duration(err, "invalid", whole);
    *ret += v;
    return ERR_NONE;
}

err_code duration_parse(str whole, int64_t *ret_ns, struct err *err)
{
    str s = whole;
    bool negative = s.n && s.p[0] == '-';
    if (negative || (s.n && s.p[0] == '+'))
        s = str_from(s, 1);
    if (!s.n)
        return bad_duration(err, "invalid", whole);
    uint64_t ns = 0;
    if (!str_is(s, "0"))
        while (s.n)
            if (take_part(&s, whole, &ns, err))
                return err->code;
    if (!negative && ns > INT64_MAX)
        return bad_duration(err, "invalid", whole);
    *ret_ns = negative ? (int64_t)-ns : (int64_t)ns;
    return ERR_NONE;
}

/* Writes backwards from `end`: v / 10^digits, without trailing zeros. */
static char *put_fraction(char *end, uint64_t *v, int digits)
{
    bool print = false;
    for (int i = 0; i < digits; i++, *v /= 10) {
        print = print || *v % 10;
        if (print)
            *--end = (char)('0' + *v % 10);
    }
    if (print)
        *--end = '.';
    return end;
}

static char *put_integer(char *end, uint64_t v)
{
    do {
        *--end = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    return end;
}

static char *put_short(char *end, uint64_t ns)
{
    *--end = 's';
    if (!ns)
        return put_integer(end, 0);
    if (ns < NSEC_PER_USEC) {
        *--end = 'n';
        return put_integer(end, ns);
    }
    if (ns < NSEC_PER_MSEC) {
        end -= 2;
        memcpy(end, "\xc2\xb5", 2);
        end = put_fraction(end, &ns, 3);
        return put_integer(end, ns);
    }
    *--end = 'm';
    end = put_fraction(end, &ns, 6);
    return put_integer(end, ns);
}

static char *put_long(char *end, uint64_t ns)
{
    *--end = 's';
    end = put_fraction(end, &ns, 9);
    end = put_integer(end, ns % 60);
    uint64_t minutes = ns / 60;
    if (!minutes)
        return end;
    *--end = 'm';
    end = put_integer(end, minutes % 60);
    if (minutes < 60)
        return end;
    *--end = 'h';
    return put_integer(end, minutes / 60);
}

str duration_text(int64_t ns, char storage[DURATION_TEXT_MAX])
{
    char *end = storage + DURATION_TEXT_MAX;
    uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    char *start = size < NSEC_PER_SEC ? put_short(end, size) : put_long(end, size);
    if (ns < 0)
        *--start = '-';
    return str_of(start, (size_t)(end - start));
}

void duration_format(struct buf *out, int64_t ns)
{
    char storage[DURATION_TEXT_MAX];
    buf_add(out, duration_text(ns, storage));
}

/* The second unit is shown where it still matters, and left out when it is none. */
static void two_units(struct buf *out, int64_t first, char first_unit, int64_t second, char second_unit)
{
    buf_add_i64(out, first);
    buf_add_c(out, first_unit);
    if (second) {
        buf_add_i64(out, second);
        buf_add_c(out, second_unit);
    }
}

void duration_format_human(struct buf *out, int64_t ns)
{
    int64_t s = ns / NSEC_PER_SEC, m = s / 60, h = m / 60, d = h / 24, y = d / 365;
    if (s < -1)
        buf_add_lit(out, "<invalid>");
    else if (s < 120)
        two_units(out, s < 0 ? 0 : s, 's', 0, 0);
    else if (m < 10)
        two_units(out, m, 'm', s % 60, 's');
    else if (m < 3 * 60)
        two_units(out, m, 'm', 0, 0);
    else if (h < 8)
        two_units(out, h, 'h', m % 60, 'm');
    else if (h < 48)
        two_units(out, h, 'h', 0, 0);
    else if (d < 8)
        two_units(out, d, 'd', h % 24, 'h');
    else if (y < 2)
        two_units(out, d, 'd', 0, 0);
    else
        two_units(out, y, 'y', y < 8 ? d % 365 : 0, 'd');
}
