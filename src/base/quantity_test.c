#include "base/mem.h"
#include "base/quantity.h"
#include "harness/test.h"

static struct quantity parsed(struct arena *a, str text)
{
    struct quantity q;
    CHECK_OK(quantity_parse(a, text, &q, &e));
    return q;
}

static str printed(struct arena *a, const struct quantity *q)
{
    struct buf b;
    buf_init_arena(&b, a, QUANTITY_TEXT_MAX);
    quantity_format(&b, q);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

struct round_trip {
    const char *in, *out; /* out NULL: the same */
};

static void check_round_trips(const struct round_trip *cases, size_t count)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < count; i++) {
        const char *want = cases[i].out ? cases[i].out : cases[i].in;
        struct quantity q = parsed(&a, str_from_c(cases[i].in));
        CHECK_STR(printed(&a, &q), want);
        /* Negative ones mirror the positive ones, except that zero has no sign. */
        if (quantity_is_zero(&q) || cases[i].in[0] == '+' || cases[i].in[0] == '-')
            continue;
        struct quantity minus = parsed(&a, str_format(&a, "-%s", cases[i].in));
        CHECK_STR(printed(&a, &minus), str_format(&a, "-%s", want));
        quantity_neg(&a, &minus);
        CHECK_EQ(quantity_cmp(&minus, &q), 0);
    }
}

TEST(quantity_prints_the_largest_suffix_that_leaves_no_fraction)
{
    static const struct round_trip cases[] = {
        {"0", NULL},
        {"1", NULL},
        {"100m", NULL},
        {"0.5", "500m"},
        {".5", "500m"},
        {"0.001", "1m"},
        {"1.08", "1080m"},
        {"1000m", "1"},
        {"100000m", "100"},
        {"1000", "1k"},
        {"1234000", "1234k"},
        {"1000M", "1G"},
        {"0.001T", "1G"},
        {"1080000000n", "1080m"},
        {"12E", NULL},
        {"1000E", "1e21"}, /* no suffix is that large */
        {"1.01E", "1010P"},
        {"100.0350k", "100035"},
        {"100.035k", NULL},
        {"2.5P", "2500T"},
        {"1e3", NULL},
        {"1000e0", "1e3"},
        {"1.2e3", "1200"},
        {"12e2", "1200"},
        {"12e4", "120e3"},
        {"0.5e0", "500e-3"},
        {".001e12", "1e9"},
        {"1000e-12", "1e-9"},
        {"80e-3", NULL},
        {"1.6e15", "1600e12"},
        {"1e999", NULL},
        {"1Ki", NULL},
        {"1024Mi", "1Gi"},
        {"307200Ki", "300Mi"},
        {"1025024Mi", "1001Gi"},
        {"1536Mi", NULL},
        {"1.5Gi", "1536Mi"},
        {"0.5Mi", "512Ki"},
        {"0.1Ki", "102400m"},
        {"100.035Ki", "102435840m"},
        {"0.05Gi", "53687091200m"},
        {"1.953125Ki", "2000"},
        {"4Pi", NULL},
        {"3Ei", NULL},
        {"7.5Ei", "7680Pi"},
        {"8Ki", NULL},
        {"1023.5Ki", "1048064"},
    };
    check_round_trips(cases, ARRAY_COUNT(cases));
}

TEST(quantity_keeps_the_spellings_that_the_original_keeps)
{
    static const struct round_trip cases[] = {
        {"+4Ki", NULL},
        {"+8Ki", "8Ki"},
        /* As many digits as the original reads on its short way, and one more. */
        {"+12345678901Ki", NULL},
        {"+123456789013Ki", "123456789013Ki"},
        {"+12345679Mi", NULL},
        {"+123456789Mi", "123456789Mi"},
        {"+99Ti", NULL},
        {"+101Ti", "101Ti"},
        {"+1Pi", "1Pi"},
        {"+123456789012345678", NULL},
        {"+1234567890123456789", "1234567890123456789"},
        {"+1.234567n", "2n"},
        {"+123n", NULL},
        {"1.500", NULL},
        {"1.234", NULL},
        {"1.001k", NULL},
        {"+1", NULL},
        {"01", NULL},
        {"-01", NULL},
        {"1.", NULL},
        {"1.G", NULL},
        {"1E3", NULL},
        {"1e+21", NULL},
        {"1e0", NULL},
        {"1e03", NULL},
        {"01Ki", NULL},
        {"1.Ki", NULL},
        {"+7Mi", NULL},
        {"1.000", "1"},
        {"2.0", "2"},
        {"1.50", "1500m"},
        {"0.500", "500m"},
        {"0.5000", "500m"},
        {"08Ki", "8Ki"},
        {"1.000e3", "1e3"},
        {"1000.000", "1k"},
        {"+0.5", "500m"},
    };
    check_round_trips(cases, ARRAY_COUNT(cases));
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct quantity q = parsed(&a, S("1.500"));
    struct quantity zero = {0};
    quantity_add(&a, &q, &zero);
    CHECK_STR(printed(&a, &q), "1500m");
}

TEST(quantity_rounds_away_from_zero_below_a_nano)
{
    static const struct round_trip cases[] = {
        {"3.001n", "4n"},
        {"0.9n", "1n"},
        {"1.1E-9", "2e-9"},
        {"0.0000000001", "1n"},
        {"0.00000000050", "1n"},
        {"0.5e-9", "1e-9"},
        {"0.00000012345", "124n"},
        {"1e-2147483630", "1e-9"},
        {"1e-9223372036854775808", "1e-9"},
        {"0.000000000001Ki", "2n"},
        {".001Ki", "1024m"},
        {".000000001Ki", "1024n"},
        {"0.0000000000000000000000000000001Ei", "1n"},
        {"1.0000000000000000000000000000000000001Ei", "1152921504606846976000000001n"},
        {"1.000000000000000000000000000000000000", "1"},
        {"999999999999999999999999999999.9999999999", "1e30"},
    };
    check_round_trips(cases, ARRAY_COUNT(cases));
}

TEST(quantity_is_exact_beyond_64_bits)
{
    static const struct round_trip cases[] = {
        {"999999999999999999", NULL},
        {"999999999999999999.0", "999999999999999999"},
        {"999999999999999999.1", "999999999999999999100m"},
        {"1000000000000000000", "1E"},
        {"1000000000000000001", NULL},
        {"1.000000000000000001E", "1000000000000000001"},
        {"1.0000000000000000001E", "1000000000000000000100m"},
        {"9223372036854775807", NULL},
        {"9223372036854775808", NULL},
        {"9223372036854775808000m", "9223372036854775808"},
        {"9223372036854775807.1", "9223372036854775807100m"},
        {"18446744073709551616", NULL},
        {"9999999999999999999000m", "9999999999999999999"},
        {"10000000000000000000", "10E"},
        {"1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890"},
        {"123456789012345678901234567890e30", NULL},
        {"9Ei", "9223372036854775807"}, /* capped, as in the original */
        {"8Ei", "9223372036854775807"},
        {"9223372036854775807Ki", "9223372036854775807"},
        {"99999999999999999999999999999999999999999999999999Ei", "9223372036854775807"},
        {"7.999999999999999999999999999999999Ei", "9223372036854775807"},
    };
    check_round_trips(cases, ARRAY_COUNT(cases));
}

TEST(quantity_reads_no_digits_as_zero_where_the_original_does)
{
    static const char *const zeros[] = {"0",  "00", "0.", ".",  "+", "-",   "-.", "0n",    "0Ki",
                                        "0m", "Ki", "m",  ".m", "E", "0e5", "-0", "0e-20", "0e99999999999"};
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(zeros); i++) {
        struct quantity q = parsed(&a, str_from_c(zeros[i]));
        CHECK(quantity_is_zero(&q));
        CHECK_STR(printed(&a, &q), "0");
    }
    CHECK_EQ(parsed(&a, S("0Ki")).format, QUANTITY_BINARY_SI);
    CHECK_EQ(parsed(&a, S("0e5")).format, QUANTITY_DECIMAL_EXPONENT);
}

TEST(quantity_refuses_with_the_messages_of_the_original)
{
    static const char format[] = "quantities must match the regular expression "
                                 "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    static const char suffix[] = "unable to parse quantity's suffix";
    static const char numeric[] = "unable to parse numeric part of quantity";
    static const struct {
        str in;
        const char *want;
    } cases[] = {
        {S_INIT(""), format},
        {S_INIT("1.1.M"), format},
        {S_INIT("1+1.0M"), format},
        {S_INIT("aoeu"), format},
        {S_INIT(" 1"), format},
        {S_INIT("1 "), format},
        {S_INIT("0.1am"), format},
        {S_INIT("1M2x"), format},
        {S_INIT("1\0"), format},
        {S_INIT("1\xff"), format},
        {S_INIT("--1"), suffix},
        {S_INIT("1e-+3"), format},
        {S_INIT("0.1mi"), suffix},
        {S_INIT(".5i"), suffix},
        {S_INIT("1i"), suffix},
        {S_INIT("-3.01e-"), suffix},
        {S_INIT("1K"), suffix},
        {S_INIT("1e"), suffix},
        {S_INIT("1eE5"), suffix},
        {S_INIT("1MM"), suffix},
        {S_INIT("1+1"), suffix},
        {S_INIT("1Ki3"), suffix},
        {S_INIT("1e9223372036854775808"), suffix},
        {S_INIT(".e-20"), numeric},
        {S_INIT("e-20"), numeric},
        {S_INIT("-e-10"), numeric},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        struct quantity q;
        CHECK_EQ(quantity_parse(&a, cases[i].in, &q, &e), ERR_SYNTAX);
        CHECK_STR(e.msg, cases[i].want);
    }
    struct quantity q;
    CHECK_ERR(TOO_LARGE, "quantity '1e1000' is too large: must be below 1e1000",
              quantity_parse(&a, S("1e1000"), &q, &e));
    CHECK_ERR(TOO_LARGE, "too large", quantity_parse(&a, S("1e9223372036854775807"), &q, &e));
    CHECK_ERR(TOO_LARGE, "too large", quantity_parse(&a, S("0.01e1002"), &q, &e));
    CHECK_OK(quantity_parse(&a, S("0.01e1001"), &q, &e));
}

TEST(quantity_compares_by_value_whatever_the_form)
{
    static const char *const ordered[] = {
        "-1e999",
        "-9223372036854775809",
        "-9223372036854775808",
        "-1E",
        "-1Ki",
        "-1",
        "-1n",
        "0",
        "1n",
        "50m",
        "0.1",
        "1.5",
        "1500001u",
        "1Ki",
        "1025",
        "100Gi",
        "10000T",
        "1E",
        "8Ei",
        "9223372036854775808",
        "92233720368547758070001m",
        "1e20",
        "1e100",
        "1e999",
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(ordered); i++)
        for (size_t j = 0; j < ARRAY_COUNT(ordered); j++) {
            struct quantity x = parsed(&a, str_from_c(ordered[i])), y = parsed(&a, str_from_c(ordered[j]));
            int want = i < j ? -1 : i > j;
            if (quantity_cmp(&x, &y) != want)
                FAIL("'%s' against '%s' should give %d", ordered[i], ordered[j], want);
        }
    struct quantity x = parsed(&a, S("1024")), y = parsed(&a, S("1Ki")), z = parsed(&a, S("1.024e3"));
    CHECK_EQ(quantity_cmp(&x, &y), 0);
    CHECK_EQ(quantity_cmp(&z, &y), 0);
    CHECK_EQ(quantity_sign(&x), 1);
}

TEST(quantity_arithmetic_is_exact_and_takes_a_format_only_when_zero)
{
    static const struct {
        const char *x, *y, *sum, *difference;
    } cases[] = {
        {"0", "100m", "100m", "-100m"},
        {"0", "1Gi", "1Gi", "-1Gi"},
        {"1Gi", "0", "1Gi", "1Gi"},
        {"100m", "100m", "200m", "0"},
        {"1", "1n", "1000000001n", "999999999n"},
        {"1Gi", "1G", "2073741824", "73741824"},
        {"1Gi", "1Mi", "1025Mi", "1023Mi"},
        {"1k", "1Ki", "2024", "-24"},
        {"1Ki", "500m", "1024500m", "1023500m"},
        {"9223372036854775807", "1", "9223372036854775808", "9223372036854775806"},
        {"9223372036854775808", "1", "9223372036854775809", "9223372036854775807"},
        {"-9223372036854775808", "1", "-9223372036854775807", "-9223372036854775809"},
        {"5Ei", "5Ei", "10Ei", "0"},
        {"7Ei", "7E", "14717236847898368Ki", "1045361847898368Ki"},
        {"1e100", "1n", NULL, NULL},
        {"1e30", "-1e30", "0", "2e30"},
        {"1e30", "1e30", "2e30", "0"},
        {"1n", "1e30", "1000000000000000000000000000000000000001n",
         "-999999999999999999999999999999999999999n"},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct quantity x = parsed(&a, str_from_c(cases[i].x)), y = parsed(&a, str_from_c(cases[i].y)), z = x;
        quantity_add(&a, &z, &y);
        if (cases[i].sum)
            CHECK_STR(printed(&a, &z), cases[i].sum);
        quantity_sub(&a, &z, &y);
        CHECK_EQ(quantity_cmp(&z, &x), 0);
        quantity_sub(&a, &z, &y);
        if (cases[i].difference)
            CHECK_STR(printed(&a, &z), cases[i].difference);
        quantity_add(&a, &z, &y);
        CHECK_EQ(quantity_cmp(&z, &x), 0);
    }
    struct quantity q = quantity_from_int(INT64_MIN, QUANTITY_BINARY_SI);
    quantity_neg(&a, &q);
    CHECK_STR(printed(&a, &q), "8Ei");
    quantity_add(&a, &q, &q);
    quantity_neg(&a, &q);
    CHECK_STR(printed(&a, &q), "-16Ei");
    q = quantity_from_scaled(INT64_MIN, QUANTITY_MILLI, QUANTITY_DECIMAL_SI);
    quantity_neg(&a, &q);
    CHECK_STR(printed(&a, &q), "9223372036854775808m");
    quantity_sub(&a, &q, &q);
    CHECK(quantity_is_zero(&q));
}

TEST(quantity_of_1024_exbi_still_shows_its_size)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct quantity q = parsed(&a, S("4Ei"));
    for (int i = 0; i < 8; i++)
        quantity_add(&a, &q, &q);
    CHECK_STR(printed(&a, &q), "1024Ei");
    for (int i = 0; i < 10; i++)
        quantity_add(&a, &q, &q);
    CHECK_STR(printed(&a, &q), "1048576Ei");
}

TEST(quantity_sums_stop_at_the_largest_number_that_can_be_held)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct quantity q = parsed(&a, S("1e999")), last = q;
    uint64_t unexpected = unexpected_count();
    for (int i = 0; i < 80; i++) {
        last = q;
        quantity_add(&a, &q, &q);
        CHECK_GE(quantity_cmp(&q, &last), 0);
    }
    CHECK_EQ(quantity_cmp(&q, &last), 0);
    CHECK_GT(unexpected_count(), unexpected);
    CHECK_LE(printed(&a, &q).n, QUANTITY_TEXT_MAX);
}

TEST(quantity_values_round_up_and_saturate)
{
    static const struct {
        const char *in;
        int64_t value, milli;
    } cases[] = {
        {"0", 0, 0},
        {"1n", 1, 1},
        {"-1n", -1, -1},
        {"9.01", 10, 9010},
        {"-9.01", -10, -9010},
        {"1500m", 2, 1500},
        {"100m", 1, 100},
        {"1.0001", 2, 1001},
        {"1Gi", 1 << 30, 1073741824000},
        {"9223372036854775807", INT64_MAX, INT64_MAX},
        {"9223372036854775807m", 9223372036854776, INT64_MAX},
        {"-9223372036854775808m", -9223372036854776, INT64_MIN},
        {"9223372036854775806.5", INT64_MAX, INT64_MAX},
        {"1e20", INT64_MAX, INT64_MAX},
        {"-1e20", INT64_MIN, INT64_MIN},
        {"-1e999", INT64_MIN, INT64_MIN},
        {"123456789012345678901234567890n", INT64_MAX, INT64_MAX},
        {"12345678901234567890123456n", 12345678901234568, INT64_MAX},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct quantity q = parsed(&a, str_from_c(cases[i].in));
        CHECK_EQ(quantity_value(&q), cases[i].value);
        CHECK_EQ(quantity_milli_value(&q), cases[i].milli);
    }
    struct quantity q = quantity_from_scaled(1, 2, QUANTITY_DECIMAL_SI);
    CHECK_EQ(quantity_scaled_value(&q, 2), 1);
    CHECK_EQ(quantity_scaled_value(&q, 9), 1);
    CHECK_EQ(quantity_scaled_value(&q, QUANTITY_NANO), 100000000000);
    CHECK_STR(printed(&a, &q), "100");
}

TEST(quantity_dup_outlives_what_it_was_read_from)
{
    CLEANUP(arena_done) struct arena a, other;
    arena_init(&a, 0);
    arena_init(&other, 0);
    char text[] = "1.500";
    struct quantity kept = parsed(&other, str_from_c(text)),
                    big = parsed(&other, S("123456789012345678901234567"));
    kept = quantity_dup(&a, &kept);
    big = quantity_dup(&a, &big);
    memset(text, 'x', sizeof text);
    arena_done(&other);
    CHECK_STR(printed(&a, &kept), "1.500");
    CHECK_STR(printed(&a, &big), "123456789012345678901234567");
}

TEST(quantity_work_with_usual_numbers_costs_no_memory)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    uint64_t allocs = mem_thread_allocs();
    struct quantity q = parsed(&a, S("1.5Gi")), y = parsed(&a, S("250m"));
    quantity_add(&a, &q, &y);
    quantity_sub(&a, &q, &y);
    quantity_neg(&a, &q);
    CHECK_EQ(quantity_value(&q), -1610612736);
    CHECK_EQ(mem_thread_allocs(), allocs);
}
