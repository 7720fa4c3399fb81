#include "harness/test.h"
#include "wire/json_priv.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double parse_double(const char *text)
{
    double f = NAN;
    if (!json_parse_float(str_from_c(text), &f))
        f = text[0] == '-' ? -INFINITY : INFINITY;
    return f;
}

static uint64_t bits_of(double f)
{
    uint64_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* The C library rounds correctly too (in the C locale, which a test runs in): the judge of ours. */
static void check_as_libc(const char *text)
{
    double ours = parse_double(text), theirs = strtod(text, NULL);
    if (bits_of(ours) != bits_of(theirs))
        FAIL("%.200s: %a, should be %a", text, ours, theirs);
}

static const char *const hard[] = {
    "0.1",
    "0.3",
    "1e22",
    "1e23",
    "123456789012345678",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "2e308",
    "4.9e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "2.225073858507201136e-308",
    "1e-400",
    "1e400",
    "9007199254740992",
    "9007199254740993",
    "9007199254740994",
    "9007199254740995",
    "9007199254740993.0",
    "9007199254740993.00000000000000000000000000000000000000000000000001",
    "9007199254740992.99999999999999999999999999999999999999999999999999",
    "18446744073709551615",
    "18446744073709551616",
    "0.000000000000000000000000000000000000000000000000000000000000001",
    "1000000000000000000000000000000000000000000000000000000000000000",
    "7.2057594037927933e16",
    "1090544144181609348835077142190",
    "6.631236846766476e-316",
    "3.2378839133029012895883524125015321748630094150e-319",
    "1448997445238699",
    "5708990770823839207320493820740630171355185151999e-3",
    "8.5e-45",
    "0.5e-323",
    "10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000e-90",
};

TEST(json_float_is_the_nearest_double)
{
    for (size_t i = 0; i < ARRAY_COUNT(hard); i++)
        check_as_libc(hard[i]);
    uint64_t state = test_seed();
    unsigned rounds = test_is_sanitized() ? 20000 : 300000;
    for (unsigned i = 0; i < rounds; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        char text[64];
        uint64_t digits = state >> 1 >> state % 60;
        int exponent = (int)((state >> 20) % 700) - 370;
        if (i % 4 == 0)
            exponent = (int)((state >> 20) % 60) - 30;
        if (i % 3 == 0)
            snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)digits,
                     (unsigned long long)(state >> 5), exponent);
        else
            snprintf(text, sizeof text, "-%llue%d", (unsigned long long)digits, exponent);
        check_as_libc(text);
    }
}

TEST(json_float_rounds_right_next_to_the_middle_of_two_doubles)
{
    /* The middle written out in full, one digit less and one digit more at its end. */
    uint64_t state = test_seed();
    unsigned rounds = test_is_sanitized() ? 500 : 5000;
    for (unsigned i = 0; i < rounds; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = (state >> 12 | state << 52) % ((uint64_t)0x7fe << 52);
        if (i % 5 == 0)
            bits %= (uint64_t)1 << 53; /* subnormal and the first that are not */
        double f;
        memcpy(&f, &bits, sizeof f);
        double next = nextafter(f, INFINITY);
        char text[1200];
        /* Exact in 64 bits of mantissa, which the long double has here. */
        long double middle = ((long double)f + (long double)next) / 2;
        int n = snprintf(text, sizeof text, "%.1100Lg", middle);
        CHECK_LT(n, 1190);
        check_as_libc(text);
        char *e = strchr(text, 'e');
        char tail[20] = "";
        if (e) {
            snprintf(tail, sizeof tail, "%s", e);
            *e = '\0';
        }
        const char *zeros = strchr(text, '.') ? "" : ".";
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s00000000000000000000000000001%s", zeros, tail);
        check_as_libc(text);
        snprintf(text + at, sizeof text - at, "%s", tail);
        if (text[at - 1] > '0' && text[at - 1] <= '9') {
            text[at - 1]--;
            check_as_libc(text);
        }
    }
}

TEST(json_float_of_many_digits_takes_the_last_one_into_account)
{
    char text[3000];
    for (size_t zeros = 1; zeros < 2000; zeros += 97) {
        snprintf(text, sizeof text, "9007199254740993.%0*d1e-5", (int)zeros, 0);
        check_as_libc(text);
        snprintf(text, sizeof text, "0.%0*d9007199254740993e%d", (int)zeros, 0, (int)zeros);
        check_as_libc(text);
        snprintf(text, sizeof text, "1%0*de-%d", (int)zeros, 0, (int)zeros);
        check_as_libc(text);
    }
}

static const struct {
    double f;
    const char *printed;
} printed[] = {
    {0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {-1.5, "-1.5"},
    {0.1, "0.1"},
    {100, "100"},
    {123456.789, "123456.789"},
    {0.000001, "0.000001"},
    {0.0000001, "1e-7"},
    {0.00000123, "0.00000123"},
    {0.000000999, "9.99e-7"},
    {1e20, "100000000000000000000"},
    {1e21, "1e+21"},
    {123e19, "1.23e+21"},
    {999999999999999900000.0, "999999999999999900000"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {5e-324, "5e-324"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {2.225073858507201e-308, "2.225073858507201e-308"},
    {0.3, "0.3"},
    {0.1 + 0.2, "0.30000000000000004"},
    {9007199254740993.0, "9007199254740992"},
    {5.684341886080802e-14, "5.684341886080802e-14"},
    {9223372036854775807.0, "9223372036854776000"},
    {1e23, "1e+23"},
    {9.5367431640625e-7, "9.5367431640625e-7"},
    {4.35, "4.35"},
    {1e-10, "1e-10"},
    {-1e-310, "-1e-310"},
};

TEST(json_float_prints_as_go_does)
{
    for (size_t i = 0; i < ARRAY_COUNT(printed); i++) {
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, 100);
        json_print_float(&out, printed[i].f);
        CHECK_STR(buf_str(&out), printed[i].printed);
    }
}

/* No text of fewer digits gives f back, and none of as many is nearer. */
static void check_shortest(double f)
{
    CLEANUP(buf_done) struct buf out;
    buf_init(&out, 100);
    json_print_float(&out, f);
    char text[100];
    snprintf(text, sizeof text, "%" STR_FMT, STR_ARG(buf_str(&out)));
    if (bits_of(strtod(text, NULL)) != bits_of(f))
        FAIL("%a printed as %s is another number", f, text);
    char digits[17], libc[40];
    int exponent;
    unsigned n = json_float_digits(f, digits, &exponent);
    CHECK(digits[0] != '0' && digits[n - 1] != '0');
    for (int shorter = 1; shorter < (int)n; shorter++) {
        snprintf(libc, sizeof libc, "%.*e", shorter - 1, f);
        if (strtod(libc, NULL) == f)
            FAIL("%a has %u digits (%s), but %s is enough", f, n, text, libc);
    }
    snprintf(libc, sizeof libc, "%.*e", (int)n - 1, f);
    if (strtod(libc, NULL) == f && strtod(text, NULL) == f) {
        char ours[40];
        snprintf(ours, sizeof ours, "%s%c%s%.*se%+03d", f < 0 ? "-" : "", digits[0], n > 1 ? "." : "",
                 (int)n - 1, digits + 1, exponent - 1);
        CHECK_STR((const char *)ours, (const char *)libc);
    }
}

TEST(json_float_prints_the_shortest_text_that_gives_it_back)
{
    uint64_t state = test_seed();
    unsigned rounds = test_is_sanitized() ? 5000 : 60000;
    for (unsigned i = 0; i < rounds; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = state >> 12 | state << 52;
        double f;
        if (i % 3 == 1)
            f = (double)(int64_t)(state >> 40) / 1000;
        else if (i % 3 == 2)
            f = ldexp(1, (int)((state >> 30) % 2098) - 1074); /* where the doubles get twice as dense */
        else
            memcpy(&f, &bits, sizeof f);
        if (isfinite(f) && f != 0)
            check_shortest(f);
    }
    for (int i = -1074; i < 1024; i++) {
        check_shortest(ldexp(1, i));
        if (i > -1074)
            check_shortest(nextafter(ldexp(1, i), 0));
    }
}
