/* kube_time.h - points in time and durations, as the API writes them.
 * A time lies within the years 0000 to 9999, the ones that RFC 3339 can write, and is always UTC. Its zero is the
 * original's zero time, 0001-01-01T00:00:00Z: the value of a field that is absent or null; writers put null for it.
 * Durations are int64 nanoseconds.
 * Messages are those of Go's time package, which clients of the original see.
 * Pure functions; no clock, no time zones of the machine. */
#ifndef BASE_KUBE_TIME_H
#define BASE_KUBE_TIME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define NSEC_PER_USEC INT64_C(1000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_SEC  INT64_C(1000000000)
#define NSEC_PER_MIN  (60 * NSEC_PER_SEC)
#define NSEC_PER_HOUR (60 * NSEC_PER_MIN)
#define SEC_PER_DAY   INT64_C(86400)

struct kube_time {
    int64_t sec;  /* since 0001-01-01T00:00:00Z, so that {0} is null: for others kube_time_unix() */
    int32_t nsec; /* 0 to 999,999,999, counted forward from `sec` also before year 1 */
};

#define KUBE_TIME_UNIX_EPOCH INT64_C(62135596800)  /* `sec` of 1970-01-01 */
#define KUBE_TIME_SEC_MIN    INT64_C(-31622400)    /* of 0000-01-01 */
#define KUBE_TIME_SEC_MAX    INT64_C(315537897599) /* of 9999-12-31T23:59:59 */

static inline bool kube_time_is_zero(struct kube_time t)
{
    return t.sec == 0 && t.nsec == 0;
}
static inline int64_t kube_time_unix(struct kube_time t) /* seconds since 1970, rounded down */
{
    return t.sec - KUBE_TIME_UNIX_EPOCH;
}
/* False when it is outside the years 0000 to 9999, or nsec is not below a second. */
bool kube_time_from_unix(int64_t sec, int32_t nsec, struct kube_time *ret);
struct kube_time kube_time_from_unix_ns(int64_t ns);
int64_t kube_time_unix_ns(struct kube_time t); /* int64's ends for what is before 1677 or after 2262 */

int kube_time_cmp(struct kube_time a, struct kube_time b);
/* Both stop at the ends of what their result can hold. */
struct kube_time kube_time_add(struct kube_time t, int64_t ns);
int64_t kube_time_sub(struct kube_time a, struct kube_time b); /* a - b in nanoseconds */

/* RFC 3339 with any offset and any fraction (digits past the nanoseconds are dropped), for Time. ERR_SYNTAX. */
err_code kube_time_parse(str s, struct kube_time *ret, struct err *err);
/* For MicroTime: the same with exactly six digits of fraction. */
err_code kube_micro_time_parse(str s, struct kube_time *ret, struct err *err);

/* "2006-01-02T15:04:05Z": what is below a second is not written. */
void kube_time_format(struct buf *out, struct kube_time t);
/* "2006-01-02T15:04:05.000000Z" */
void kube_micro_time_format(struct buf *out, struct kube_time t);
/* As many digits of fraction as are needed, none for a whole second: query parameters. */
void kube_time_format_nano(struct buf *out, struct kube_time t);

/* The calendar (proleptic Gregorian, as everywhere). */
struct kube_date {
    int32_t year;
    uint8_t month; /* 1 to 12 */
    uint8_t day;   /* 1 to 31 */
    uint8_t hour, minute, second;
    uint8_t weekday;  /* 0 is Sunday */
    uint16_t yearday; /* 1 to 366 */
};
struct kube_date kube_time_to_date(struct kube_time t);
/* weekday and yearday are not read. False when a part is out of its range (a 31st of April). */
bool kube_time_from_date(const struct kube_date *d, int32_t nsec, struct kube_time *ret);
int kube_days_in_month(int32_t year, int month);

/* "300ms", "-1.5h", "2h45m", "0"; units ns, us, ms, s, m, h. ERR_SYNTAX. */
err_code duration_parse(str s, int64_t *ret_ns, struct err *err);
/* "1h30m0s", "1.5s", "100ms", "0s" */
void duration_format(struct buf *out, int64_t ns);
#define DURATION_TEXT_MAX 32
str duration_text(int64_t ns, char storage[DURATION_TEXT_MAX]); /* the same, without a buffer */
/* An age as it is shown to people, two digits or so of it: "45s", "5m30s", "3h", "2d4h", "7y120d"; "<invalid>" when it is
 * more than a second before zero. */
void duration_format_human(struct buf *out, int64_t ns);

#endif
