#include "base/arena.h"
#include "base/kube_time.h"
#include "harness/test.h"

static struct kube_time parsed(const char *text)
{
    struct kube_time t;
    CHECK_OK(kube_time_parse(str_from_c(text), &t, &e));
    return t;
}

static str formatted(struct arena *a, struct kube_time t)
{
    struct buf b;
    buf_init_arena(&b, a, 100);
    kube_time_format(&b, t);
    return buf_str(&b);
}

TEST(time_is_read_with_any_offset_and_written_in_utc)
{
    static const struct {
        const char *in, *out;
        int32_t nsec;
    } cases[] = {
        {"2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z", 0},
        {"2026-03-04T05:06:07+00:00", "2026-03-04T05:06:07Z", 0},
        {"2026-03-04T05:06:07-08:30", "2026-03-04T13:36:07Z", 0},
        {"2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00Z", 0},
        {"2026-03-04T5:06:07Z", "2026-03-04T05:06:07Z", 0}, /* Go takes one digit of hour */
        {"2026-03-04T05:06:07.5Z", "2026-03-04T05:06:07Z", 500000000},
        {"2026-03-04T05:06:07,25Z", "2026-03-04T05:06:07Z", 250000000},
        {"2026-03-04T05:06:07.1234567899Z", "2026-03-04T05:06:07Z", 123456789},
        {"2026-03-04T05:06:07+24:60", "2026-03-03T04:06:07Z", 0},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", 0},
        {"2000-02-29T23:59:59Z", "2000-02-29T23:59:59Z", 0},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 0},
        {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", 0},
        {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 0},
        {"1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59Z", 900000000},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct kube_time t = parsed(cases[i].in);
        CHECK_STR(formatted(&a, t), cases[i].out);
        CHECK_EQ(t.nsec, cases[i].nsec);
    }
    CHECK(kube_time_is_zero(parsed("0001-01-01T00:00:00Z")));
    CHECK(!kube_time_is_zero(parsed("0001-01-01T00:00:00.000000001Z")));
    CHECK_EQ(kube_time_unix(parsed("1970-01-01T00:00:00Z")), 0);
    CHECK_EQ(kube_time_unix(parsed("2026-03-04T05:06:07Z")), 1772600767);
}

#define AS " as \"2006-01-02T15:04:05Z07:00\": cannot parse "

TEST(time_errors_read_as_go_writes_them)
{
    static const struct {
        str in;
        const char *want;
    } cases[] = {
        {S_INIT(""), "parsing time \"\"" AS "\"\" as \"2006\""},
        {S_INIT("yesterday"), "parsing time \"yesterday\"" AS "\"yesterday\" as \"2006\""},
        {S_INIT("2026"), "parsing time \"2026\"" AS "\"\" as \"-\""},
        {S_INIT("2026-3-04T05:06:07Z"),
         "parsing time \"2026-3-04T05:06:07Z\"" AS "\"3-04T05:06:07Z\" as \"01\""},
        {S_INIT("2026-13-04T05:06:07Z"), "parsing time \"2026-13-04T05:06:07Z\": month out of range"},
        {S_INIT("2026-02-29T05:06:07Z"), "parsing time \"2026-02-29T05:06:07Z\": day out of range"},
        {S_INIT("2026-04-00T05:06:07Z"), "parsing time \"2026-04-00T05:06:07Z\": day out of range"},
        {S_INIT("2026-03-04 05:06:07Z"),
         "parsing time \"2026-03-04 05:06:07Z\"" AS "\" 05:06:07Z\" as \"T\""},
        {S_INIT("2026-03-04T24:06:07Z"), "parsing time \"2026-03-04T24:06:07Z\": hour out of range"},
        {S_INIT("2026-03-04T23:60:07Z"), "parsing time \"2026-03-04T23:60:07Z\": minute out of range"},
        {S_INIT("2026-03-04T23:06:60Z"), "parsing time \"2026-03-04T23:06:60Z\": second out of range"},
        {S_INIT("2026-03-04T05:06:07"), "parsing time \"2026-03-04T05:06:07\"" AS "\"\" as \"Z07:00\""},
        {S_INIT("2026-03-04T05:06:07.Z"), "parsing time \"2026-03-04T05:06:07.Z\"" AS "\".Z\" as \"Z07:00\""},
        {S_INIT("2026-03-04T05:06:07+25:00"),
         "parsing time \"2026-03-04T05:06:07+25:00\": time zone offset hour out of range"},
        {S_INIT("2026-03-04T05:06:07+0100"),
         "parsing time \"2026-03-04T05:06:07+0100\"" AS "\"+0100\" as \"Z07:00\""},
        {S_INIT("2026-03-04T05:06:07z"), "parsing time \"2026-03-04T05:06:07z\"" AS "\"z\" as \"Z07:00\""},
        {S_INIT("2026-03-04T05:06:07Zulu"), "parsing time \"2026-03-04T05:06:07Zulu\": extra text: \"ulu\""},
        {S_INIT("9999-12-31T23:59:59-01:00"),
         "parsing time \"9999-12-31T23:59:59-01:00\": year out of range"},
        {S_INIT("\xc2\xb5\n\"\\"),
         "parsing time \"\\xc2\\xb5\\x0a\\\"\\\\\"" AS "\"\\xc2\\xb5\\x0a\\\"\\\\\" as \"2006\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        struct kube_time t;
        CHECK_EQ(kube_time_parse(cases[i].in, &t, &e), ERR_SYNTAX);
        CHECK_STR(e.msg, cases[i].want);
    }
}

TEST(micro_time_wants_exactly_six_digits)
{
    struct kube_time t;
    CHECK_OK(kube_micro_time_parse(S("2026-03-04T05:06:07.000120+02:00"), &t, &e));
    CHECK_EQ(t.nsec, 120000);
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 100);
    kube_micro_time_format(&b, t);
    CHECK_STR(buf_str(&b), "2026-03-04T03:06:07.000120Z");
    CHECK_ERR(SYNTAX, "cannot parse \"Z\" as \".000000\"",
              kube_micro_time_parse(S("2026-03-04T05:06:07Z"), &t, &e));
    CHECK_ERR(SYNTAX, "as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \".12345Z\" as \".000000\"",
              kube_micro_time_parse(S("2026-03-04T05:06:07.12345Z"), &t, &e));
    CHECK_ERR(SYNTAX, "cannot parse \"7Z\" as \"Z07:00\"",
              kube_micro_time_parse(S("2026-03-04T05:06:07.1234567Z"), &t, &e));
    buf_clear(&b);
    t.nsec = 120000500;
    kube_time_format_nano(&b, t);
    buf_add_c(&b, ' ');
    kube_time_format_nano(&b, (struct kube_time){.sec = 1});
    CHECK_STR(buf_str(&b), "2026-03-04T03:06:07.1200005Z 0001-01-01T00:00:01Z");
}

TEST(calendar_counts_every_day_of_ten_thousand_years)
{
    int64_t sec = KUBE_TIME_SEC_MIN;
    int weekday = 6, days = 0;
    for (int32_t year = 0; year <= 9999; year++) {
        int yearday = 1;
        for (int month = 1; month <= 12; month++) {
            static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
            bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
            int length = lengths[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= length; day++, days++) {
                struct kube_date d = kube_time_to_date((struct kube_time){.sec = sec + days % SEC_PER_DAY});
                if (d.year != year || d.month != month || d.day != day || d.weekday != weekday ||
                    d.yearday != yearday)
                    FAIL("%d-%d-%d comes out as %d-%d-%d", year, month, day, d.year, d.month, d.day);
                CHECK_EQ(d.hour * 3600 + d.minute * 60 + d.second, days % SEC_PER_DAY);
                struct kube_time back;
                CHECK(kube_time_from_date(&d, 5, &back));
                CHECK_EQ(back.sec, sec + days % SEC_PER_DAY);
                sec += SEC_PER_DAY;
                weekday = (weekday + 1) % 7;
                yearday++;
            }
        }
    }
    CHECK_EQ(sec - 1, KUBE_TIME_SEC_MAX);
    struct kube_time t;
    CHECK(!kube_time_from_date(&(struct kube_date){.year = 2026, .month = 4, .day = 31}, 0, &t));
    CHECK(!kube_time_from_date(&(struct kube_date){.year = 10000, .month = 1, .day = 1}, 0, &t));
    CHECK(!kube_time_from_date(&(struct kube_date){.year = 2026, .month = 13, .day = 1}, 0, &t));
}

TEST(time_arithmetic_stops_at_the_ends)
{
    struct kube_time t = kube_time_from_unix_ns(-1);
    CHECK_EQ(kube_time_unix(t), -1);
    CHECK_EQ(t.nsec, 999999999);
    CHECK_EQ(kube_time_unix_ns(t), -1);
    CHECK_EQ(kube_time_unix_ns(kube_time_from_unix_ns(INT64_MIN)), INT64_MIN);
    CHECK_EQ(kube_time_unix_ns(kube_time_from_unix_ns(INT64_MAX)), INT64_MAX);
    CHECK_EQ(kube_time_unix_ns(kube_time_add(t, 2)), 1);
    CHECK_EQ(kube_time_unix_ns(kube_time_add(t, -NSEC_PER_SEC)), -1000000001);
    CHECK_EQ(kube_time_sub(kube_time_add(t, 90 * NSEC_PER_MIN + 7), t), 90 * NSEC_PER_MIN + 7);
    struct kube_time first = {.sec = KUBE_TIME_SEC_MIN}, last = {.sec = KUBE_TIME_SEC_MAX, .nsec = 999999999};
    CHECK_EQ(kube_time_sub(last, first), INT64_MAX);
    CHECK_EQ(kube_time_sub(first, last), INT64_MIN);
    CHECK_EQ(kube_time_unix_ns(last), INT64_MAX);
    CHECK_EQ(kube_time_cmp(kube_time_add(last, 1), last), 0);
    CHECK_EQ(kube_time_cmp(kube_time_add(first, INT64_MIN), first), 0);
    CHECK_LT(kube_time_cmp(first, last), 0);
    CHECK_GT(kube_time_cmp(kube_time_add(t, 1), t), 0);
    CHECK(!kube_time_from_unix(INT64_MAX, 0, &t));
    CHECK(!kube_time_from_unix(INT64_MIN, 0, &t));
    CHECK(!kube_time_from_unix(0, 1000000000, &t));
    CHECK(kube_time_from_unix(0, 1, &t));
}

TEST(duration_reads_and_writes_as_go_does)
{
    static const struct {
        const char *in;
        int64_t ns;
        const char *out; /* NULL: as in */
    } cases[] = {
        {"0", 0, "0s"},
        {"-0", 0, "0s"},
        {"+0s", 0, "0s"},
        {"1ns", 1, NULL},
        {"1.1\xc2\xb5s", 1100, NULL},
        {"1.1\xce\xbcs", 1100, "1.1\xc2\xb5s"},
        {"1.1us", 1100, "1.1\xc2\xb5s"},
        {"100ms", 100 * NSEC_PER_MSEC, NULL},
        {"2.2ms", 2200000, NULL},
        {"3.3s", 3300 * NSEC_PER_MSEC, NULL},
        {"1.5s", 1500 * NSEC_PER_MSEC, NULL},
        {"90s", 90 * NSEC_PER_SEC, "1m30s"},
        {"1.5h", 90 * NSEC_PER_MIN, "1h30m0s"},
        {"4m5.001s", 4 * NSEC_PER_MIN + 5001 * NSEC_PER_MSEC, NULL},
        {"5h6m7.001s", 5 * NSEC_PER_HOUR + 6 * NSEC_PER_MIN + 7001 * NSEC_PER_MSEC, NULL},
        {"8m0.000000001s", 8 * NSEC_PER_MIN + 1, NULL},
        {"-2h45m", -165 * NSEC_PER_MIN, "-2h45m0s"},
        {".5s", 500 * NSEC_PER_MSEC, "500ms"},
        {"1.s", NSEC_PER_SEC, "1s"},
        {"1s1s1h", NSEC_PER_HOUR + 2 * NSEC_PER_SEC, "1h0m2s"},
        {"0.100000000000000000000h", 6 * NSEC_PER_MIN, "6m0s"},
        {"0.3333333333333333333h", 20 * NSEC_PER_MIN, "20m0s"},
        {"0.830103483285477580700h", 2988372539827, "49m48.372539827s"},
        {"9007199254.740993ms", 9007199254740993, "2501h59m59.254740993s"},
        {"2562047h47m16.854775807s", INT64_MAX, NULL},
        {"-2562047h47m16.854775808s", INT64_MIN, NULL},
        {"-9223372036854775808ns", INT64_MIN, "-2562047h47m16.854775808s"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t ns = 1;
        CHECK_OK(duration_parse(str_from_c(cases[i].in), &ns, &e));
        CHECK_EQ(ns, cases[i].ns);
        char storage[DURATION_TEXT_MAX];
        CHECK_STR(duration_text(ns, storage), cases[i].out ? cases[i].out : cases[i].in);
    }
}

TEST(duration_for_people_has_two_units_while_the_second_matters)
{
    enum { S = 1, M = 60, H = 3600, D = 86400, Y = 365 * D };
    static const struct {
        int64_t sec;
        const char *want;
    } cases[] = {
        {-5, "<invalid>"},
        {-2, "<invalid>"},
        {-1, "0s"},
        {0, "0s"},
        {1, "1s"},
        {119, "119s"},
        {2 * M, "2m"},
        {2 * M + 1, "2m1s"},
        {10 * M - 1, "9m59s"},
        {10 * M + 30, "10m"},
        {3 * H - 1, "179m"},
        {3 * H, "3h"},
        {3 * H + 59, "3h"},
        {3 * H + M, "3h1m"},
        {8 * H - 1, "7h59m"},
        {8 * H + 59 * M, "8h"},
        {2 * D - 1, "47h"},
        {2 * D, "2d"},
        {2 * D + 23 * H, "2d23h"},
        {8 * D - 1, "7d23h"},
        {8 * D + 23 * H, "8d"},
        {2 * Y - 1, "729d"},
        {2 * Y, "2y"},
        {2 * Y + D, "2y1d"},
        {INT64_C(8) * Y - 1, "7y364d"},
        {INT64_C(8) * Y, "8y"},
        {INT64_C(200) * Y + 5 * D, "200y"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_done) struct buf b;
        buf_init(&b, 64);
        duration_format_human(&b, cases[i].sec * NSEC_PER_SEC);
        CHECK_STR(buf_str(&b), cases[i].want);
    }
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 64);
    duration_format_human(&b, -(2 * NSEC_PER_SEC - 1)); /* seconds are cut off towards zero */
    CHECK_STR(buf_str(&b), "0s");
}

TEST(duration_errors_read_as_go_writes_them)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", "time: invalid duration \"\""},
        {"-", "time: invalid duration \"-\""},
        {"3", "time: missing unit in duration \"3\""},
        {"1h0", "time: missing unit in duration \"1h0\""},
        {"s", "time: invalid duration \"s\""},
        {".", "time: invalid duration \".\""},
        {"+.s", "time: invalid duration \"+.s\""},
        {"1d", "time: unknown unit \"d\" in duration \"1d\""},
        {"1 h", "time: unknown unit \" h\" in duration \"1 h\""},
        {"1h -5m", "time: unknown unit \"h -\" in duration \"1h -5m\""},
        {"--1s", "time: invalid duration \"--1s\""},
        {"3000000h", "time: invalid duration \"3000000h\""},
        {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
        {"9223372036854775.808us", "time: invalid duration \"9223372036854775.808us\""},
        {"-9223372036854775809ns", "time: invalid duration \"-9223372036854775809ns\""},
        {"-9223372036854775808ns9223372036854775808ns",
         "time: invalid duration \"-9223372036854775808ns9223372036854775808ns\""},
        {"1\xe2\x82\xac", "time: unknown unit \"\\xe2\\x82\\xac\" in duration \"1\\xe2\\x82\\xac\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        int64_t ns;
        CHECK_EQ(duration_parse(str_from_c(cases[i].in), &ns, &e), ERR_SYNTAX);
        CHECK_STR(e.msg, cases[i].want);
    }
}
