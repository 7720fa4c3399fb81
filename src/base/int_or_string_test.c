#include "base/int_or_string.h"
#include "harness/test.h"

TEST(int_or_string_is_a_number_only_when_all_of_it_is_one)
{
    static const struct {
        const char *in;
        bool number;
        int32_t value;
    } cases[] = {
        {"80", true, 80},
        {"-5", true, -5},
        {"+7", true, 7},
        {"0", true, 0},
        {"0080", true, 80},
        {"http", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"80%", false, 0},
        {" 80", false, 0},
        {"2147483647", true, INT32_MAX},
        {"2147483648", false, 0},
        {"-2147483648", true, INT32_MIN},
        {"99999999999999999999", false, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct int_or_string x = int_or_string_parse(str_from_c(cases[i].in));
        CHECK_EQ(x.type, cases[i].number ? INT_OR_STRING_INT : INT_OR_STRING_STRING);
        CHECK_EQ(int_or_string_int(&x), cases[i].value);
        struct int_or_string text = int_or_string_of_str(str_from_c(cases[i].in));
        CHECK_EQ(int_or_string_int(&text), cases[i].value);
        CHECK_EQ(int_or_string_equal(&x, &text), !cases[i].number);
    }
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 100);
    struct int_or_string number = int_or_string_of_int(-12), text = int_or_string_of_str(S("25%"));
    int_or_string_format(&b, &number);
    int_or_string_format(&b, &text);
    CHECK_STR(buf_str(&b), "-1225%");
}

TEST(int_or_string_takes_a_percentage_of_a_total)
{
    static const struct {
        const char *in;
        int32_t total, down, up;
    } cases[] = {
        {"25%", 4, 1, 1},
        {"25%", 10, 2, 3},
        {"0%", 10, 0, 0},
        {"100%", 7, 7, 7},
        {"150%", 3, 4, 5},
        {"-25%", 10, -3, -2},
        {"+50%", 3, 1, 2},
        {"1%", 1, 0, 1},
        {"29%", 100, 29, 29},
        {"58%", 100, 58, 58},
        {"9223372036854775807%", 100, INT32_MAX, INT32_MAX},
        {"-9223372036854775808%", 2, INT32_MIN, INT32_MIN},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct int_or_string x = int_or_string_of_str(str_from_c(cases[i].in));
        int32_t v;
        CHECK_OK(int_or_string_scale(&x, cases[i].total, INT_OR_STRING_DOWN, &v, &e));
        CHECK_EQ(v, cases[i].down);
        CHECK_OK(int_or_string_scale(&x, cases[i].total, INT_OR_STRING_UP, &v, &e));
        CHECK_EQ(v, cases[i].up);
    }
    struct int_or_string five = int_or_string_of_int(5);
    int32_t v;
    CHECK_OK(int_or_string_scale(&five, 2, INT_OR_STRING_UP, &v, &e));
    CHECK_EQ(v, 5);
}

TEST(int_or_string_says_what_is_wrong_with_a_percentage)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"5", "invalid value for IntOrString: invalid type: string is not a percentage"},
        {"", "invalid value for IntOrString: invalid type: string is not a percentage"},
        {"%",
         "invalid value for IntOrString: invalid value \"%\": strconv.Atoi: parsing \"\": invalid syntax"},
        {"a%",
         "invalid value for IntOrString: invalid value \"a%\": strconv.Atoi: parsing \"a\": invalid syntax"},
        {"5%%",
         "invalid value for IntOrString: invalid value \"5%%\": strconv.Atoi: parsing \"5%\": invalid syntax"},
        {"99999999999999999999%", "invalid value for IntOrString: invalid value \"99999999999999999999%\": "
                                  "strconv.Atoi: parsing \"99999999999999999999\": value out of range"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        int32_t v;
        struct int_or_string x = int_or_string_of_str(str_from_c(cases[i].in));
        CHECK_EQ(int_or_string_scale(&x, 10, INT_OR_STRING_UP, &v, &e), ERR_INVALID);
        CHECK_STR(e.msg, cases[i].want);
    }
}
