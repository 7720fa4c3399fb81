/* json_float.c - decimal text to the nearest double and back to the shortest text, without the C library, whose
 * conversions follow the process's locale.
 * Both ways have three steps: small numbers exactly in double arithmetic; the rest by one product with a power of ten
 * of 128 bits, whose error is known; and what lies too near to a boundary for that by comparing big integers. */
#include "wire/json_priv.h"

typedef unsigned __int128 u128;

enum {
    DIGITS_MAX = 770, /* of a decimal between two doubles; more digits can only say "and a bit more" */
    POWER_STEP = 28,
    POWER_FIRST = -364, /* below: 0, with any 19 digits before it */
    POWER_LAST = 336 + POWER_STEP - 1,
    BIG_WORDS = 64,
};

/* 10^(POWER_FIRST + 28 i) / 2^k, with k such that the top bit of the 128 is set; rest cut off. */
static const uint64_t coarse_powers[][2] = {
    {0xe1afa13afbd14d6d, 0x82189c09a3a1ec21}, /* 10^-364 */
    {0xe3e27a444d8d98b7, 0xfd1b1b2308169b25}, /* 10^-336 */
    {0xe61acf033d1a45df, 0x6fb92487298e33bd}, /* 10^-308 */
    {0xe858ad248f5c22c9, 0xd1b3400f8f9cff68}, /* 10^-280 */
    {0xea9c227723ee8bcb, 0x465e15a979c1cadc}, /* 10^-252 */
    {0xece53cec4a314ebd, 0xa4f8bf5635246428}, /* 10^-224 */
    {0xef340a98172aace4, 0x86fb897116c87c34}, /* 10^-196 */
    {0xf18899b1bc3f8ca1, 0xdc44e6c3cb279ac1}, /* 10^-168 */
    {0xf3e2f893dec3f126, 0x5a89dba3c3efccfa}, /* 10^-140 */
    {0xf64335bcf065d37d, 0x4d4617b5ff4a16d5}, /* 10^-112 */
    {0xf8a95fcf88747d94, 0x75a44c6397ce912a}, /* 10^-84 */
    {0xfb158592be068d2e, 0xeed6e2f0f0d56712}, /* 10^-56 */
    {0xfd87b5f28300ca0d, 0x8bca9d6e188853fc}, /* 10^-28 */
    {0x8000000000000000, 0x0000000000000000}, /* 10^0 */
    {0x813f3978f8940984, 0x4000000000000000}, /* 10^28 */
    {0x82818f1281ed449f, 0xbff8f10e7a8921a4}, /* 10^56 */
    {0x83c7088e1aab65db, 0x792667c6da79e0fa}, /* 10^84 */
    {0x850fadc09923329e, 0x03e2cf6bc604ddb0}, /* 10^112 */
    {0x865b86925b9bc5c2, 0x0b8a2392ba45a9b2}, /* 10^140 */
    {0x87aa9aff79042286, 0x90fb44d2f05d0842}, /* 10^168 */
    {0x88fcf317f22241e2, 0x441fece3bdf81f03}, /* 10^196 */
    {0x8a5296ffe33cc92f, 0x82bd6b70d99aaa6f}, /* 10^224 */
    {0x8bab8eefb6409c1a, 0x1ad089b6c2f7548e}, /* 10^252 */
    {0x8d07e33455637eb2, 0xdb0b487b6423e1e8}, /* 10^280 */
    {0x8e679c2f5e44ff8f, 0x570f09eaa7ea7648}, /* 10^308 */
    {0x8fcac257558ee4e6, 0x213a4f0aa5e8a7b1}, /* 10^336 */
};

static const uint64_t powers_of_5[POWER_STEP] = {
    1u,
    5u,
    25u,
    125u,
    625u,
    3125u,
    15625u,
    78125u,
    390625u,
    1953125u,
    9765625u,
    48828125u,
    244140625u,
    1220703125u,
    6103515625u,
    30517578125u,
    152587890625u,
    762939453125u,
    3814697265625u,
    19073486328125u,
    95367431640625u,
    476837158203125u,
    2384185791015625u,
    11920928955078125u,
    59604644775390625u,
    298023223876953125u,
    1490116119384765625u,
    7450580596923828125u,
};

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { EXACT_POWER_MAX = ARRAY_COUNT(exact_powers) - 1 };
static const uint64_t exact_mantissa_max = (uint64_t)1 << 53;

/* A number between value * 2^exponent and (value + 4) * 2^exponent; the first exactly when `exact`. The top bit of
 * value is set. */
struct wide {
    u128 value;
    int exponent;
    bool exact;
};

static u128 normalise(u128 v, int *exponent)
{
    uint64_t high = (uint64_t)(v >> 64);
    int zeros = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)v);
    *exponent -= zeros;
    return v << zeros;
}

static int floor_div(int a, int b)
{
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/* w * 10^power; w is not 0, power from POWER_FIRST to POWER_LAST. */
static struct wide wide_scale(uint64_t w, int power)
{
    int coarse = floor_div(power, POWER_STEP);
    int fine = power - coarse * POWER_STEP;
    int exponent = fine;
    u128 a = normalise((u128)w * powers_of_5[fine], &exponent);
    const uint64_t *c = coarse_powers[coarse - POWER_FIRST / POWER_STEP];
    /* log2(10) is 217706 / 2^16 as far as these powers go. */
    exponent += (coarse * POWER_STEP * 217706 >> 16) - 127 + 128;
    uint64_t a1 = (uint64_t)(a >> 64), a0 = (uint64_t)a;
    u128 p10 = (u128)a1 * c[1], p01 = (u128)a0 * c[0];
    u128 middle = ((u128)a0 * c[1] >> 64) + (uint64_t)p10 + (uint64_t)p01;
    u128 value = (u128)a1 * c[0] + (p10 >> 64) + (p01 >> 64) + (middle >> 64);
    if (!(value >> 127)) {
        value = value << 1 | ((uint64_t)middle >> 63);
        exponent--;
    }
    return (struct wide){value, exponent, coarse == 0};
}

/* Big integers, little end first. */
struct big {
    size_t n;
    uint64_t d[BIG_WORDS];
};

static void big_mul_add(struct big *x, uint64_t by, uint64_t add)
{
    u128 carry = add;
    for (size_t i = 0; i < x->n; i++) {
        carry += (u128)x->d[i] * by;
        x->d[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry) {
        ASSERT(x->n < BIG_WORDS);
        x->d[x->n++] = (uint64_t)carry;
    }
}

static void big_mul_power_of_5(struct big *x, unsigned power)
{
    for (; power >= POWER_STEP; power -= POWER_STEP - 1)
        big_mul_add(x, powers_of_5[POWER_STEP - 1], 0);
    big_mul_add(x, powers_of_5[power], 0);
}

static void big_shift(struct big *x, unsigned bits)
{
    size_t words = bits / 64;
    ASSERT(x->n + words <= BIG_WORDS);
    memmove(x->d + words, x->d, x->n * sizeof x->d[0]);
    memset(x->d, 0, words * sizeof x->d[0]);
    x->n += words;
    big_mul_add(x, (uint64_t)1 << bits % 64, 0);
}

static int big_cmp(const struct big *x, const struct big *y)
{
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    for (size_t i = x->n; i-- > 0;)
        if (x->d[i] != y->d[i])
            return x->d[i] < y->d[i] ? -1 : 1;
    return 0;
}

/* x * 10^power to m * 2^exponent: below 0, 0 or above. The two are near each other, so that neither grows past the
 * room: 770 digits or 5^1100 at most. */
static int compare(struct big *x, int power, uint64_t m, int exponent)
{
    struct big y = {.n = 1, .d = {m}};
    if (power >= 0)
        big_mul_power_of_5(x, (unsigned)power);
    else
        big_mul_power_of_5(&y, (unsigned)-power);
    if (power > exponent)
        big_shift(x, (unsigned)(power - exponent));
    else
        big_shift(&y, (unsigned)(exponent - power));
    return big_cmp(x, &y);
}

/* A decimal as read: w * 10^power, and a bit more when `more`. */
struct decimal {
    uint64_t w; /* the first 19 digits */
    int power;
    bool more; /* some digit behind them is not 0 */
    bool negative;
    bool huge; /* 10^power is out of all bounds, and w not 0 */
    str text;  /* digits and point */
};

enum { POWER_BOUND = 100000 };

static int64_t read_exponent(str s)
{
    bool negative = s.n && s.p[0] == '-';
    int64_t v = 0;
    for (size_t i = negative || (s.n && s.p[0] == '+'); i < s.n; i++)
        if (v < (int64_t)1 << 40) /* past the length of any text */
            v = v * 10 + (s.p[i] - '0');
    return negative ? -v : v;
}

static struct decimal read_decimal(str s)
{
    struct decimal d = {.negative = s.p[0] == '-'};
    d.text = str_from(s, d.negative);
    int64_t power = 0;
    size_t taken = 0, i = 0;
    bool point = false;
    for (; i < d.text.n && (d.text.p[i] | 0x20) != 'e'; i++) {
        char c = d.text.p[i];
        if (c == '.') {
            point = true;
            continue;
        }
        if (taken < 19) {
            d.w = d.w * 10 + (uint64_t)(c - '0');
            taken += d.w != 0;
            power -= point;
        } else {
            d.more |= c != '0';
            power += !point;
        }
    }
    power += read_exponent(str_from(d.text, i + 1));
    d.text.n = i;
    d.huge = power > POWER_BOUND;
    d.power = (int)(power > POWER_BOUND ? POWER_BOUND : power < -POWER_BOUND ? -POWER_BOUND : power);
    return d;
}

/* Bits of a double (sign 0) from value * 2^exponent, cut off. What was cut is in *ret_rest, scaled so that half a unit
 * is half of 2^128. The infinite gives its own bits. */
static uint64_t double_bits(u128 value, int exponent, u128 *ret_rest)
{
    enum { SUBNORMAL = -1022, SHIFT = 128 - 53 };
    int top = exponent + 127; /* value is 1.x * 2^top */
    *ret_rest = 0;
    if (top > 1023)
        return (uint64_t)0x7ff << 52;
    int shift = top >= SUBNORMAL ? SHIFT : SHIFT + SUBNORMAL - top;
    if (shift > 128)
        return 0;
    *ret_rest = shift == 128 ? value : value << (128 - shift);
    uint64_t m = shift == 128 ? 0 : (uint64_t)(value >> shift);
    /* The leading bit of a normal m adds the 1 that is missing in its exponent. */
    return top >= SUBNORMAL ? ((uint64_t)(top + 1022) << 52) + m : m;
}

static const u128 half = (u128)1 << 127;

/* True when every number that `x` can stand for is rounded to the same double. */
static bool wide_round(struct wide x, uint64_t *ret_bits)
{
    u128 rest;
    uint64_t bits = double_bits(x.value, x.exponent, &rest);
    *ret_bits = bits + (rest > half || (rest == half && (bits & 1)));
    if (x.exact)
        return true;
    u128 rest_far;
    bool carries = x.value + 4 < x.value;
    uint64_t far = carries ? double_bits(half, x.exponent + 1, &rest_far)
                           : double_bits(x.value + 4, x.exponent, &rest_far);
    /* Exactly half is only certain to be above when something was added to it. */
    return far == bits && (rest > half) == (rest_far > half) && rest != half && rest_far != half;
}

static void mantissa_of(uint64_t bits, uint64_t *ret_m, int *ret_exponent)
{
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7ff);
    *ret_m = biased ? fraction | (uint64_t)1 << 52 : fraction;
    *ret_exponent = (biased ? biased : 1) - 1075;
}

/* The double above or below the middle between `bits` and the next one? By the whole text, exactly. */
static uint64_t round_exactly(const struct decimal *d, uint64_t bits)
{
    struct big x = {.n = 0};
    int power = d->power;
    size_t taken = 0;
    bool more = false;
    for (size_t i = 0; i < d->text.n; i++) {
        char c = d->text.p[i];
        if (c == '.' || (c == '0' && taken == 0))
            continue;
        if (taken < DIGITS_MAX)
            big_mul_add(&x, 10, (uint64_t)(c - '0'));
        else
            more |= c != '0';
        taken++;
        /* d->power counts from the 19th digit; one less for each that is taken behind it. */
        power -= taken > 19 && taken <= DIGITS_MAX;
    }
    if (more) {
        big_mul_add(&x, 10, 1);
        power--;
    }
    uint64_t m;
    int exponent;
    mantissa_of(bits, &m, &exponent);
    int c = compare(&x, power, m * 2 + 1, exponent - 1);
    return bits + (c > 0 || (c == 0 && (bits & 1)));
}

static uint64_t nearest_bits(const struct decimal *d)
{
    struct wide low = wide_scale(d->w, d->power);
    uint64_t bits, bits_high;
    bool certain = wide_round(low, &bits);
    if (certain && !d->more)
        return bits;
    if (certain && wide_round(wide_scale(d->w + 1, d->power), &bits_high) && bits_high == bits)
        return bits;
    u128 rest;
    return round_exactly(d, double_bits(low.value, low.exponent, &rest));
}

bool json_parse_float(str number, double *ret)
{
    struct decimal d = read_decimal(number);
    double f;
    int magnitude = d.power < 0 ? -d.power : d.power;
    if (d.w <= exact_mantissa_max && magnitude <= EXACT_POWER_MAX && !d.more) {
        /* Both sides are exact, so one operation rounds once. */
        f = (double)d.w;
        f = d.power < 0 ? f / exact_powers[magnitude] : f * exact_powers[magnitude];
    } else if (d.w == 0 || d.power < POWER_FIRST) {
        f = 0;
    } else {
        uint64_t bits = d.huge || d.power > POWER_LAST ? (uint64_t)0x7ff << 52 : nearest_bits(&d);
        if (bits >= (uint64_t)0x7ff << 52)
            return false;
        memcpy(&f, &bits, sizeof f);
    }
    *ret = d.negative ? -f : f;
    return true;
}

/* The other way. The doubles next to f are half way beyond these bounds; scaled by 10^power so that f has 17 or 18
 * digits before the point, where the interval between the bounds is wider than 1. */
struct bound {
    u128 fixed; /* 64 bits of fraction; the bound is from `fixed` to `fixed` + 2 */
    uint64_t m; /* exactly: m * 2^exponent * 10^power */
    int exponent;
    int power;
};

static struct bound bound_of(uint64_t m, int exponent, int power)
{
    struct wide w = wide_scale(m, power);
    return (struct bound){w.value >> -(w.exponent + exponent + 64), m, exponent, power};
}

/* twice_c / 2 to the bound: below 0, 0 or above. */
static int bound_cmp(uint64_t twice_c, const struct bound *b)
{
    u128 c = (u128)twice_c << 63;
    if (c < b->fixed)
        return -1;
    if (c > b->fixed + 2)
        return 1;
    struct big x = {.n = 1, .d = {twice_c}};
    return compare(&x, -b->power, b->m, b->exponent + 1);
}

static int floor_log10(uint64_t m, int exponent)
{
    int log2 = exponent + 63 - __builtin_clzll(m);
    return log2 * 315653 >> 20; /* log10(2); right or one too small */
}

/* Of the integers between the bounds the one with the most zeros at its end; of those the nearest to f. */
static uint64_t roundest(const struct bound *low, const struct bound *f, const struct bound *high,
                         bool inclusive)
{
    uint64_t best = 0, unit = 1;
    for (uint64_t q = (uint64_t)(f->fixed >> 64); q; q /= 10, unit *= 10) {
        uint64_t below = q * unit, above = below + unit;
        bool below_ok = bound_cmp(below * 2, low) >= !inclusive;
        bool above_ok = bound_cmp(above * 2, high) <= -!inclusive;
        if (!below_ok && !above_ok)
            break;
        if (below_ok && above_ok) {
            int middle = bound_cmp(below + above, f);
            below_ok = middle > 0 || (middle == 0 && q % 2 == 0);
        }
        best = below_ok ? below : above;
    }
    return best;
}

unsigned json_float_digits(double f, char *digits, int *ret_exponent)
{
    uint64_t bits, m;
    int exponent;
    memcpy(&bits, &f, sizeof bits);
    mantissa_of(bits, &m, &exponent);
    int power = 16 - floor_log10(m, exponent);
    /* Below a power of two the doubles are twice as dense. */
    bool edge = m == (uint64_t)1 << 52 && exponent > -1074;
    struct bound low = bound_of(edge ? m * 4 - 1 : m * 4 - 2, exponent - 2, power);
    struct bound high = bound_of(m * 4 + 2, exponent - 2, power);
    struct bound middle = bound_of(m * 4, exponent - 2, power);
    uint64_t best = roundest(&low, &middle, &high, m % 2 == 0);
    ASSERT(best);
    int dropped = 0;
    for (; best % 10 == 0; best /= 10)
        dropped++;
    unsigned n = 1;
    for (uint64_t rest = best; rest >= 10; rest /= 10)
        n++;
    ASSERT(n <= 17);
    for (unsigned i = n; i-- > 0; best /= 10)
        digits[i] = (char)('0' + best % 10);
    *ret_exponent = (int)n + dropped - power;
    return n;
}
