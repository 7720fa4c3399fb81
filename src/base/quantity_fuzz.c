#include "base/quantity.h"
#include "harness/test.h"

/* The amount in nanos as plain digits, worked out by hand: write the digits down, double them once for each power of
 * two, move the point, round up. No bound but the size of the array. */
struct reference {
    uint8_t digits[4096]; /* the lowest first */
    size_t count;
    bool rounded;
};

static void reference_double(struct reference *r)
{
    unsigned carry = 0;
    for (size_t i = 0; i < r->count; i++) {
        unsigned v = r->digits[i] * 2u + carry;
        r->digits[i] = v % 10;
        carry = v / 10;
    }
    if (carry)
        r->digits[r->count++] = 1;
}

static void reference_increment(struct reference *r)
{
    for (size_t i = 0;; i++) {
        if (i == r->count)
            r->digits[r->count++] = 0;
        if (r->digits[i]++ < 9)
            return;
        r->digits[i] = 0;
    }
}

static void reference_move_point(struct reference *r, int64_t by)
{
    bool lost = false;
    for (; by < 0 && r->count; by++) {
        lost = lost || r->digits[0];
        memmove(r->digits, r->digits + 1, --r->count);
    }
    for (; by > 0 && r->count; by--) {
        memmove(r->digits + 1, r->digits, r->count++);
        r->digits[0] = 0;
    }
    if (lost)
        reference_increment(r);
    r->rounded = lost;
}

static void reference_trim(struct reference *r)
{
    while (r->count && !r->digits[r->count - 1])
        r->count--;
}

/* False for what is too long to work out. The text is known to be a quantity. */
static bool reference_nanos(str s, struct reference *r)
{
    if (s.n > QUANTITY_TEXT_MAX)
        return false;
    size_t at = s.p[0] == '+' || s.p[0] == '-', places = 0;
    bool point = false;
    r->count = 0;
    r->rounded = false;
    for (; at < s.n && ((s.p[at] >= '0' && s.p[at] <= '9') || (s.p[at] == '.' && !point)); at++) {
        if (s.p[at] == '.') {
            point = true;
            continue;
        }
        memmove(r->digits + 1, r->digits, r->count++);
        r->digits[0] = (uint8_t)(s.p[at] - '0');
        places += point;
    }
    str suffix = str_from(s, at);
    int64_t exponent = 9 - (int64_t)places, e = 0;
    static const char decimal[] = "num\0kMGTPE", binary[] = "KMGTPE";
    if (suffix.n == 2 && suffix.p[1] == 'i') {
        for (const char *c = binary; *c != suffix.p[0]; c++)
            e += 10;
        for (e += 10; e; e--)
            reference_double(r);
    } else if (suffix.n == 1) {
        while (decimal[e] != suffix.p[0])
            e++;
        exponent += e * 3 - 9;
    } else if (suffix.n) {
        str text = str_from(suffix, suffix.p[1] == '+' ? 2 : 1);
        if (!str_parse_i64(text, &e) || e > 2000 || e < -2000)
            return false;
        exponent += e;
    }
    reference_move_point(r, exponent);
    reference_trim(r);
    return true;
}

/* Any quantity written with an exponent shows its whole number of nanos. */
static void nanos_of_quantity(struct arena *a, struct quantity q, struct reference *r)
{
    struct buf b;
    buf_init_arena(&b, a, QUANTITY_TEXT_MAX);
    q.text = STR_NONE;
    q.format = QUANTITY_DECIMAL_EXPONENT;
    quantity_format(&b, &q);
    CHECK(reference_nanos(buf_str(&b), r));
}

static str print(struct arena *a, const struct quantity *q)
{
    struct buf b;
    buf_init_arena(&b, a, QUANTITY_TEXT_MAX);
    quantity_format(&b, q);
    CHECK(!b.failed);
    return buf_str(&b);
}

static void check_against_reference(struct arena *a, str s, const struct quantity *q)
{
    static struct reference want, got;
    if (!reference_nanos(s, &want))
        return;
    nanos_of_quantity(a, *q, &got);
    CHECK(!got.rounded);
    static const char cap[] = "9223372036854775807000000000";
    bool capped = s.p[s.n - 1] == 'i' && (want.count > 28 || (want.count == 28 && got.count == 28));
    if (capped) {
        /* Compare from the top with the cap; past it only the cap will do. */
        int over = want.count > 28;
        for (size_t i = 0; i < 28 && !over; i++)
            over = (int)want.digits[27 - i] - (cap[i] - '0');
        if (over > 0)
            for (want.count = 0; want.count < 28; want.count++)
                want.digits[want.count] = (uint8_t)(cap[27 - want.count] - '0');
    }
    CHECK_EQ(got.count, want.count);
    CHECK(memcmp(got.digits, want.digits, got.count) == 0);
}

/* Two quantities with a space between: what is read is the exact amount; printing it and reading it again gives the
 * same amount, and from then on the same text; sums can be taken back; values agree with comparisons. */
FUZZ(quantity)
{
    str x_text, y_text;
    str_cut(str_of((const char *)data, size), ' ', &x_text, &y_text);
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct err e = ERR_INIT;
    struct quantity x, y;
    if (quantity_parse(&a, x_text, &x, &e)) {
        CHECK(e.code == ERR_SYNTAX || e.code == ERR_TOO_LARGE);
        return;
    }
    check_against_reference(&a, x_text, &x);
    str once = print(&a, &x);
    CHECK_EQ(quantity_parse(&a, once, &y, &e), ERR_NONE);
    CHECK_EQ(quantity_cmp(&x, &y), 0);
    str twice = print(&a, &y);
    CHECK_EQ(quantity_parse(&a, twice, &y, &e), ERR_NONE);
    CHECK_EQ(quantity_cmp(&x, &y), 0);
    CHECK_STR(print(&a, &y), twice);

    struct quantity value = quantity_from_int(quantity_value(&x), QUANTITY_DECIMAL_SI);
    if (quantity_value(&x) != INT64_MAX && quantity_value(&x) != INT64_MIN)
        CHECK_EQ(quantity_cmp(&value, &x) * quantity_sign(&x) >= 0, true);

    if (quantity_parse(&a, y_text, &y, &e))
        return;
    CHECK_EQ(quantity_cmp(&x, &y), -quantity_cmp(&y, &x));
    struct quantity sum = x, minus = y;
    quantity_add(&a, &sum, &y);
    CHECK_EQ(quantity_cmp(&sum, &x), quantity_sign(&y));
    quantity_neg(&a, &minus);
    quantity_add(&a, &sum, &minus);
    CHECK_EQ(quantity_cmp(&sum, &x), 0);
    quantity_sub(&a, &sum, &x);
    CHECK(quantity_is_zero(&sum));
}
