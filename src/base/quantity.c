/* quantity.c - exact amounts: 64 bits where they fit, as nearly always, and long numbers for the rest.
 * The long form ("nanos") is the amount in billionths, in limbs of 18 decimal digits, the lowest first: scales, rounding
 * and printing are all decimal, so no base conversion is ever needed. */
#include "base/quantity.h"

enum {
    LIMB_DIGITS = 18,
    DIGITS_MAX = 1000,                                            /* before the point */
    LIMBS_MAX = (DIGITS_MAX + 9 + LIMB_DIGITS - 1) / LIMB_DIGITS, /* 57: leaves 17 digits for sums */
    FAST_SCALE_MAX = 9, /* up to here an int64 in nanos, and a sum of two, fits 128 bits */
    SHORT_DIGITS_MAX = 18,
};
#define LIMB_BASE UINT64_C(1000000000000000000)

struct quantity_big {
    bool negative;
    uint32_t count;
    uint64_t limbs[];
};

struct nanos {
    bool negative;
    uint32_t count; /* no zero limb on top; 0 for zero */
    uint64_t limbs[LIMBS_MAX];
};
static_assert(LIMBS_MAX * LIMB_DIGITS > DIGITS_MAX + 9 + 10, "a sum of quantities has room");

static uint64_t pow10_u64(unsigned exponent)
{
    static const uint64_t powers[] = {
        1,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
    };
    ASSERT(exponent < ARRAY_COUNT(powers));
    return powers[exponent];
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

/* Long numbers. */

static void nanos_trim(struct nanos *n)
{
    while (n->count && !n->limbs[n->count - 1])
        n->count--;
    if (!n->count)
        n->negative = false;
}

/* Past the last limb there is nothing to be right about: the largest number that can be held. */
static COLD void nanos_saturate(struct nanos *n)
{
    for (n->count = 0; n->count < LIMBS_MAX; n->count++)
        n->limbs[n->count] = LIMB_BASE - 1;
}

static void nanos_push(struct nanos *n, uint64_t limb)
{
    if (!limb)
        return;
    if (UNEXPECTED(n->count == LIMBS_MAX))
        nanos_saturate(n);
    else
        n->limbs[n->count++] = limb;
}

/* n * by + add */
static void nanos_mul_add(struct nanos *n, uint64_t by, uint64_t add)
{
    __uint128_t carry = add;
    for (uint32_t i = 0; i < n->count; i++) {
        carry += (__uint128_t)n->limbs[i] * by;
        n->limbs[i] = (uint64_t)(carry % LIMB_BASE);
        carry /= LIMB_BASE;
    }
    nanos_push(n, (uint64_t)(carry % LIMB_BASE));
    nanos_push(n, (uint64_t)(carry / LIMB_BASE));
}

/* Returns the remainder. */
static uint64_t nanos_div(struct nanos *n, uint64_t by)
{
    __uint128_t rest = 0;
    for (uint32_t i = n->count; i-- > 0;) {
        rest = rest * LIMB_BASE + n->limbs[i];
        n->limbs[i] = (uint64_t)(rest / by);
        rest %= by;
    }
    nanos_trim(n);
    return (uint64_t)rest;
}

static void nanos_mul_pow10(struct nanos *n, unsigned exponent)
{
    unsigned whole = exponent / LIMB_DIGITS;
    if (!n->count)
        return;
    nanos_mul_add(n, pow10_u64(exponent % LIMB_DIGITS), 0);
    if (UNEXPECTED(whole > LIMBS_MAX - n->count)) {
        nanos_saturate(n);
        return;
    }
    memmove(n->limbs + whole, n->limbs, n->count * sizeof *n->limbs);
    memset(n->limbs, 0, whole * sizeof *n->limbs);
    n->count += whole;
}

static int nanos_cmp_size(const struct nanos *x, const struct nanos *y)
{
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    for (uint32_t i = x->count; i-- > 0;)
        if (x->limbs[i] != y->limbs[i])
            return x->limbs[i] < y->limbs[i] ? -1 : 1;
    return 0;
}

static void nanos_add_size(struct nanos *x, const struct nanos *y)
{
    uint64_t carry = 0;
    while (x->count < y->count)
        x->limbs[x->count++] = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        uint64_t sum = x->limbs[i] + (i < y->count ? y->limbs[i] : 0) + carry;
        carry = sum >= LIMB_BASE;
        x->limbs[i] = carry ? sum - LIMB_BASE : sum;
    }
    nanos_push(x, carry);
}

/* |x| - |y|, where |x| is not the smaller one. */
static void nanos_sub_size(struct nanos *x, const struct nanos *y)
{
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        uint64_t take = (i < y->count ? y->limbs[i] : 0) + borrow;
        borrow = x->limbs[i] < take;
        x->limbs[i] = borrow ? x->limbs[i] + LIMB_BASE - take : x->limbs[i] - take;
    }
    ASSERT(!borrow);
    nanos_trim(x);
}

static void nanos_add(struct nanos *x, const struct nanos *y)
{
    if (x->negative == y->negative || !y->count) {
        nanos_add_size(x, y);
    } else if (nanos_cmp_size(x, y) >= 0) {
        nanos_sub_size(x, y);
    } else {
        struct nanos swapped = *y;
        nanos_sub_size(&swapped, x);
        *x = swapped;
    }
}

static int nanos_cmp(const struct nanos *x, const struct nanos *y)
{
    if (x->negative != y->negative)
        return x->negative ? -1 : 1;
    int c = nanos_cmp_size(x, y);
    return x->negative ? -c : c;
}

static void nanos_of_u128(struct nanos *ret, __uint128_t v)
{
    ret->negative = false;
    for (ret->count = 0; v; v /= LIMB_BASE)
        ret->limbs[ret->count++] = (uint64_t)(v % LIMB_BASE);
}

static void nanos_of(struct nanos *ret, const struct quantity *q)
{
    if (q->big) {
        ret->negative = q->big->negative;
        ret->count = q->big->count;
        memcpy(ret->limbs, q->big->limbs, q->big->count * sizeof *ret->limbs);
        return;
    }
    nanos_of_u128(ret, magnitude(q->value));
    nanos_mul_pow10(ret, (unsigned)(q->scale - QUANTITY_NANO));
    ret->negative = q->value < 0;
}

static size_t put_digits(char ret[LIMB_DIGITS + 1], uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    memcpy(ret, text + at, sizeof text - at);
    return sizeof text - at;
}

/* Decimal digits, the highest first; at least one. */
static size_t nanos_digits(const struct nanos *n, char ret[LIMBS_MAX * LIMB_DIGITS + 1])
{
    size_t size = put_digits(ret, n->count ? n->limbs[n->count - 1] : 0);
    for (uint32_t i = n->count ? n->count - 1 : 0; i-- > 0;) {
        uint64_t limb = n->limbs[i];
        for (size_t d = LIMB_DIGITS; d-- > 0; limb /= 10)
            ret[size + d] = (char)('0' + limb % 10);
        size += LIMB_DIGITS;
    }
    return size;
}

/* Quantities from what was computed. */

/* The number of the highest power of ten, up to 10^18, by which v can be divided; v is not 0. */
static unsigned factors_of_10(uint64_t v)
{
    unsigned n = 0;
    while (v % 10 == 0) {
        v /= 10;
        n++;
    }
    return n;
}

static void set_nanos(struct arena *a, struct quantity *q, const struct nanos *n)
{
    q->text = STR_NONE;
    q->big = NULL;
    q->value = q->scale = 0;
    if (!n->count)
        return;
    struct nanos rest = *n;
    unsigned scale = 0;
    while (rest.count > 1 && rest.limbs[0] == 0) {
        nanos_div(&rest, LIMB_BASE);
        scale += LIMB_DIGITS;
    }
    unsigned tens = factors_of_10(rest.limbs[0]);
    nanos_div(&rest, pow10_u64(tens));
    scale += tens;
    __uint128_t v = rest.limbs[0] + (rest.count > 1 ? (__uint128_t)rest.limbs[1] * LIMB_BASE : 0);
    if (rest.count <= 2 && v <= (__uint128_t)INT64_MAX + n->negative) {
        q->value = n->negative ? (int64_t) - (uint64_t)v : (int64_t)v;
        q->scale = (int16_t)((int)scale + QUANTITY_NANO);
        return;
    }
    struct quantity_big *big = arena_alloc(a, sizeof *big + n->count * sizeof *big->limbs,
                                           _Alignof(struct quantity_big));
    big->negative = n->negative;
    big->count = n->count;
    memcpy(big->limbs, n->limbs, n->count * sizeof *big->limbs);
    q->big = big;
}

static bool is_fast(const struct quantity *q)
{
    return !q->big && q->scale <= FAST_SCALE_MAX;
}

static __int128_t fast_nanos(const struct quantity *q)
{
    return (__int128_t)q->value * (int64_t)pow10_u64((unsigned)(q->scale - QUANTITY_NANO));
}

static void set_fast(struct arena *a, struct quantity *q, __int128_t nanos)
{
    for (int scale = 0; scale >= QUANTITY_NANO; scale -= 3) {
        int64_t unit = (int64_t)pow10_u64((unsigned)(scale - QUANTITY_NANO));
        __int128_t v = nanos / unit;
        if (v * unit != nanos)
            continue;
        if (v > INT64_MAX || v < INT64_MIN)
            break;
        q->value = (int64_t)v;
        q->scale = (int16_t)scale;
        q->big = NULL;
        q->text = STR_NONE;
        return;
    }
    struct nanos n;
    nanos_of_u128(&n, nanos < 0 ? -(__uint128_t)nanos : (__uint128_t)nanos);
    n.negative = nanos < 0;
    set_nanos(a, q, &n);
}

struct quantity quantity_from_int(int64_t value, enum quantity_format format)
{
    return quantity_from_scaled(value, 0, format);
}

struct quantity quantity_from_scaled(int64_t value, int scale, enum quantity_format format)
{
    ASSERT(scale >= QUANTITY_NANO && scale <= 18);
    return (struct quantity){.value = value, .scale = (int16_t)scale, .format = (uint8_t)format};
}

struct quantity quantity_dup(struct arena *a, const struct quantity *q)
{
    struct quantity copy = *q;
    copy.text = q->text.n ? str_dup(a, q->text) : STR_NONE;
    if (q->big)
        copy.big = arena_dup(a, q->big, sizeof *q->big + q->big->count * sizeof *q->big->limbs,
                             _Alignof(struct quantity_big));
    return copy;
}

/* Reading. */

struct suffix {
    enum quantity_format format;
    unsigned shift;   /* power of 2 */
    int64_t exponent; /* power of 10 */
};

static bool read_suffix(str s, struct suffix *ret)
{
    static const struct {
        str name;
        struct suffix meaning;
    } table[] = {
        {S_INIT(""), {QUANTITY_DECIMAL_SI, 0, 0}},   {S_INIT("n"), {QUANTITY_DECIMAL_SI, 0, -9}},
        {S_INIT("u"), {QUANTITY_DECIMAL_SI, 0, -6}}, {S_INIT("m"), {QUANTITY_DECIMAL_SI, 0, -3}},
        {S_INIT("k"), {QUANTITY_DECIMAL_SI, 0, 3}},  {S_INIT("M"), {QUANTITY_DECIMAL_SI, 0, 6}},
        {S_INIT("G"), {QUANTITY_DECIMAL_SI, 0, 9}},  {S_INIT("T"), {QUANTITY_DECIMAL_SI, 0, 12}},
        {S_INIT("P"), {QUANTITY_DECIMAL_SI, 0, 15}}, {S_INIT("E"), {QUANTITY_DECIMAL_SI, 0, 18}},
        {S_INIT("Ki"), {QUANTITY_BINARY_SI, 10, 0}}, {S_INIT("Mi"), {QUANTITY_BINARY_SI, 20, 0}},
        {S_INIT("Gi"), {QUANTITY_BINARY_SI, 30, 0}}, {S_INIT("Ti"), {QUANTITY_BINARY_SI, 40, 0}},
        {S_INIT("Pi"), {QUANTITY_BINARY_SI, 50, 0}}, {S_INIT("Ei"), {QUANTITY_BINARY_SI, 60, 0}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (str_eq(table[i].name, s)) {
            *ret = table[i].meaning;
            return true;
        }
    }
    if (s.n < 2 || (s.p[0] != 'e' && s.p[0] != 'E'))
        return false;
    str digits = str_from(s, 1);
    if (digits.n > 1 && digits.p[0] == '+' && digits.p[1] != '-')
        digits = str_from(digits, 1);
    ret->format = QUANTITY_DECIMAL_EXPONENT;
    ret->shift = 0;
    if (!str_parse_i64(digits, &ret->exponent))
        return false;
    /* Far past any limit already; smaller by what the length of a text can be, so that sums do not overflow. */
    const int64_t far = INT64_C(1) << 60;
    ret->exponent = ret->exponent > far ? far : ret->exponent < -far ? -far : ret->exponent;
    return true;
}

/* A quantity taken apart: sign, digits before the point without leading zeros ("" for 0), digits after it. */
struct parts {
    bool negative, any_digit;
    str whole, fraction;
    struct suffix suffix;
};

static size_t digits_end(str s, size_t at)
{
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    return at;
}

static err_code split(str s, struct parts *p, struct err *err)
{
    size_t at = s.n && (s.p[0] == '+' || s.p[0] == '-');
    p->negative = at && s.p[0] == '-';
    size_t start = at;
    while (at < s.n && s.p[at] == '0')
        at++;
    size_t end = digits_end(s, at);
    p->whole = str_slice(s, at, end);
    p->any_digit = end > start;
    at = end;
    p->fraction = STR_NONE;
    if (at < s.n && s.p[at] == '.') {
        end = digits_end(s, at + 1);
        p->fraction = str_slice(s, at + 1, end);
        p->any_digit = p->any_digit || p->fraction.n;
        at = end;
    }
    start = at;
    while (at < s.n && s.p[at] && strchr("eEinumkKMGTP", s.p[at]))
        at++;
    if (at < s.n && (s.p[at] == '+' || s.p[at] == '-'))
        at++;
    if (!s.n || digits_end(s, at) != s.n)
        return err_set(err, ERR_SYNTAX,
                       "quantities must match the regular expression "
                       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    if (!read_suffix(str_from(s, start), &p->suffix))
        return err_set(err, ERR_SYNTAX, "unable to parse quantity's suffix");
    return ERR_NONE;
}

/* Digit `i` of whole and fraction written together. */
static unsigned digit_at(const struct parts *p, size_t i)
{
    return (unsigned)((i < p->whole.n ? p->whole.p[i] : p->fraction.p[i - p->whole.n]) - '0');
}

/* Whether the original reads this one on its short way, which decides what becomes of the spelling: only there can it
 * be kept. Its bounds: 18 digits; with a binary suffix no fraction and about 15 digits in all. */
static bool is_short(const struct parts *p)
{
    int64_t digits = (int64_t)size_max(p->whole.n, 1) + (int64_t)p->fraction.n, exponent = p->suffix.exponent;
    if (p->suffix.format == QUANTITY_BINARY_SI)
        return !p->fraction.n && digits <= 14 - (int64_t)p->suffix.shift * 3 / 10;
    return digits <= SHORT_DIGITS_MAX && exponent >= (int64_t)p->fraction.n + QUANTITY_NANO &&
           exponent <=
               DIGITS_MAX - SHORT_DIGITS_MAX; /* the last one is ours: larger ones are refused there */
}

/* On the short way the original takes a spelling for canonical when the suffix fits and the digits neither begin with
 * 0 nor end in 000 (or, binary, when the number is odd enough): not quite right, but visible to clients. */
static bool keeps_spelling(const struct parts *p, int64_t value)
{
    if (p->suffix.format == QUANTITY_BINARY_SI)
        return value & 7;
    size_t n = p->whole.n + p->fraction.n;
    bool thousands = n >= 3 && !digit_at(p, n - 1) && !digit_at(p, n - 2) && !digit_at(p, n - 3);
    return p->whole.n && !thousands && (p->suffix.exponent - (int64_t)p->fraction.n) % 3 == 0;
}

static void read_short(str s, const struct parts *p, struct quantity *ret)
{
    int64_t value = 0;
    for (size_t i = 0; i < p->whole.n + p->fraction.n; i++)
        value = value * 10 + digit_at(p, i);
    int64_t scaled = (int64_t)((uint64_t)value << p->suffix.shift);
    *ret = (struct quantity){
        .value = p->negative ? -scaled : scaled,
        .scale = (int16_t)(value ? p->suffix.exponent - (int64_t)p->fraction.n : 0),
        .format = (uint8_t)p->suffix.format,
    };
    if (value && s.n <= QUANTITY_TEXT_MAX && keeps_spelling(p, value))
        ret->text = s;
}

/* Digits [0, count) of the parts, and then `zeros` zeros, as a number. */
static void read_digits(const struct parts *p, size_t count, unsigned zeros, struct nanos *ret)
{
    ret->negative = false;
    ret->count = 0;
    uint64_t chunk = 0;
    unsigned chunk_digits = 0;
    for (size_t i = 0; i < count; i++) {
        chunk = chunk * 10 + digit_at(p, i);
        if (++chunk_digits == LIMB_DIGITS || i + 1 == count) {
            nanos_mul_add(ret, pow10_u64(chunk_digits), chunk);
            chunk = chunk_digits = 0;
        }
    }
    nanos_mul_pow10(ret, zeros);
}

/* digits[from, to) / 10^places * 2^shift, rounded up. At least as many places as digits: below 2^shift. */
static uint64_t read_below_nano(const struct parts *p, size_t from, size_t to, uint64_t places)
{
    uint64_t carry = 0, lost = 0;
    for (size_t i = to; i-- > from; places--) {
        uint64_t v = ((uint64_t)digit_at(p, i) << p->suffix.shift) + carry;
        lost |= v % 10;
        carry = v / 10;
    }
    for (; places && carry; places--) {
        lost |= carry % 10;
        carry /= 10;
    }
    return carry + (lost != 0);
}

/* The general way: everything above a nano exactly, everything below rounded. */
static err_code read_long(struct arena *a, str s, const struct parts *p, struct quantity *ret,
                          struct err *err)
{
    if (!p->any_digit)
        return err_set(err, ERR_SYNTAX, "unable to parse numeric part of quantity");
    bool binary = p->suffix.format == QUANTITY_BINARY_SI;
    size_t first = 0, digits = p->whole.n + p->fraction.n;
    while (first < digits && !digit_at(p, first))
        first++;
    *ret = (struct quantity){.format = (uint8_t)p->suffix.format};
    if (first == digits)
        return ERR_NONE;
    /* The last digit stands for 10^unit nanos. */
    int64_t unit = p->suffix.exponent - (int64_t)p->fraction.n - QUANTITY_NANO;
    int64_t digits_in_nanos = unit + (int64_t)(digits - first);
    if (digits_in_nanos > DIGITS_MAX - QUANTITY_NANO && !binary)
        return err_set(err, ERR_TOO_LARGE, "quantity '%" STR_FMT "' is too large: must be below 1e%d",
                       STR_ARG(str_slice(s, 0, 64)), DIGITS_MAX);
    struct nanos n, cap;
    nanos_of_u128(&cap, (__uint128_t)INT64_MAX * pow10_u64(-QUANTITY_NANO));
    if (binary && digits_in_nanos > 40) {
        n = cap; /* far past it, and perhaps past any room */
    } else {
        uint64_t below = unit < 0 ? (uint64_t)-unit : 0;
        size_t above = below < digits ? digits - (size_t)below : 0;
        read_digits(p, above, unit < 0 ? 0 : (unsigned)unit, &n);
        nanos_mul_add(&n, UINT64_C(1) << p->suffix.shift, 0);
        nanos_mul_add(&n, 1, read_below_nano(p, size_max(above, first), digits, below));
    }
    if (binary && nanos_cmp_size(&n, &cap) > 0)
        n = cap;
    if (binary && n.count == 1 && n.limbs[0] < pow10_u64(-QUANTITY_NANO))
        ret->format = QUANTITY_DECIMAL_SI;
    n.negative = p->negative;
    set_nanos(a, ret, &n);
    return ERR_NONE;
}

err_code quantity_parse(struct arena *a, str s, struct quantity *ret, struct err *err)
{
    struct parts p;
    if (split(s, &p, err))
        return err->code;
    if (!is_short(&p))
        return read_long(a, s, &p, ret, err);
    read_short(s, &p, ret);
    return ERR_NONE;
}

/* Writing. */

static void put_decimal(struct buf *out, bool negative, char *digits, size_t n, int exponent,
                        enum quantity_format format)
{
    while (n > 1 && digits[n - 1] == '0') {
        n--;
        exponent++;
    }
    /* The exponent becomes a multiple of three by zeros at the end. */
    int zeros = ((exponent % 3) + 3) % 3;
    exponent -= zeros;
    if (negative)
        buf_add_c(out, '-');
    buf_add(out, str_of(digits, n));
    buf_add_n(out, '0', (size_t)zeros);
    static const char suffixes[] = "num\0kMGTPE";
    /* Past E there is no suffix, and the exponent is written. */
    if (format == QUANTITY_DECIMAL_SI && exponent <= 18) {
        if (exponent)
            buf_add_c(out, suffixes[exponent / 3 + 3]);
    } else if (exponent) {
        buf_add_f(out, "e%d", exponent);
    }
}

/* In multiples of 1024; false when it is not an integer of at least that size, which is written decimally. */
static bool put_binary(struct buf *out, const struct quantity *q)
{
    struct nanos n;
    nanos_of(&n, q);
    bool negative = n.negative;
    if (nanos_div(&n, pow10_u64(-QUANTITY_NANO)) != 0)
        return false;
    if (n.count == 0 || (n.count == 1 && n.limbs[0] < 1024))
        return false;
    static const char suffixes[] = "KMGTPE";
    size_t power = 0;
    for (; power < strlen(suffixes); power++) {
        struct nanos part = n;
        if (nanos_div(&part, 1024) != 0)
            break;
        n = part;
    }
    char digits[LIMBS_MAX * LIMB_DIGITS + 1];
    if (negative)
        buf_add_c(out, '-');
    buf_add(out, str_of(digits, nanos_digits(&n, digits)));
    if (power) {
        buf_add_c(out, suffixes[power - 1]);
        buf_add_c(out, 'i');
    }
    return true;
}

/* The same for what is nearly always there: an integer of 64 bits. */
static bool put_binary_fast(struct buf *out, const struct quantity *q)
{
    uint64_t v = magnitude(q->value);
    if (q->big || q->scale != 0 || v < 1024)
        return false;
    unsigned power = (unsigned)__builtin_ctzll(v) / 10;
    if (q->value < 0)
        buf_add_c(out, '-');
    buf_add_u64(out, v >> power * 10);
    if (power) {
        buf_add_c(out, " KMGTPE"[power]);
        buf_add_c(out, 'i');
    }
    return true;
}

void quantity_format(struct buf *out, const struct quantity *q)
{
    if (q->text.n) {
        buf_add(out, q->text);
        return;
    }
    if (quantity_is_zero(q)) {
        buf_add_c(out, '0');
        return;
    }
    enum quantity_format format = q->format;
    if (format == QUANTITY_BINARY_SI) {
        if (put_binary_fast(out, q) || put_binary(out, q))
            return;
        format = QUANTITY_DECIMAL_SI;
    }
    if (q->big) {
        struct nanos n;
        nanos_of(&n, q);
        char digits[LIMBS_MAX * LIMB_DIGITS + 1];
        put_decimal(out, n.negative, digits, nanos_digits(&n, digits), QUANTITY_NANO, format);
    } else {
        char digits[LIMB_DIGITS + 2];
        put_decimal(out, q->value < 0, digits, put_digits(digits, magnitude(q->value)), q->scale, format);
    }
}

/* Comparing and computing. */

bool quantity_is_zero(const struct quantity *q)
{
    return !q->big && q->value == 0;
}

int quantity_sign(const struct quantity *q)
{
    if (q->big)
        return q->big->negative ? -1 : 1;
    return q->value < 0 ? -1 : q->value > 0;
}

int quantity_cmp(const struct quantity *x, const struct quantity *y)
{
    if (!x->big && !y->big && x->scale == y->scale)
        return x->value < y->value ? -1 : x->value > y->value;
    if (is_fast(x) && is_fast(y)) {
        __int128_t m = fast_nanos(x), n = fast_nanos(y);
        return m < n ? -1 : m > n;
    }
    struct nanos m, n;
    nanos_of(&m, x);
    nanos_of(&n, y);
    return nanos_cmp(&m, &n);
}

/* q + y, or q - y. */
static void combine(struct arena *a, struct quantity *q, const struct quantity *y, bool subtract)
{
    if (quantity_is_zero(q))
        q->format = y->format;
    if (!q->big && !y->big && q->scale == y->scale) {
        int64_t v;
        bool overflow = subtract ? __builtin_sub_overflow(q->value, y->value, &v)
                                 : __builtin_add_overflow(q->value, y->value, &v);
        if (!overflow) {
            q->value = v;
            q->text = STR_NONE;
            return;
        }
    }
    if (is_fast(q) && is_fast(y)) {
        __int128_t m = fast_nanos(q), n = fast_nanos(y);
        set_fast(a, q, subtract ? m - n : m + n);
        return;
    }
    struct nanos m, n;
    nanos_of(&m, q);
    nanos_of(&n, y);
    n.negative = n.count && n.negative != subtract;
    nanos_add(&m, &n);
    set_nanos(a, q, &m);
}

void quantity_add(struct arena *a, struct quantity *q, const struct quantity *y)
{
    combine(a, q, y, false);
}

void quantity_sub(struct arena *a, struct quantity *q, const struct quantity *y)
{
    combine(a, q, y, true);
}

void quantity_neg(struct arena *a, struct quantity *q)
{
    q->text = STR_NONE;
    if (!q->big && q->value != INT64_MIN) {
        q->value = -q->value;
        return;
    }
    struct nanos n;
    nanos_of(&n, q);
    n.negative = !n.negative;
    set_nanos(a, q, &n);
}

int64_t quantity_value(const struct quantity *q)
{
    return quantity_scaled_value(q, 0);
}

int64_t quantity_milli_value(const struct quantity *q)
{
    return quantity_scaled_value(q, QUANTITY_MILLI);
}

int64_t quantity_scaled_value(const struct quantity *q, int scale)
{
    ASSERT(scale >= QUANTITY_NANO && scale <= FAST_SCALE_MAX);
    if (!q->big && q->scale == scale)
        return q->value;
    uint64_t unit = pow10_u64((unsigned)(scale - QUANTITY_NANO));
    __int128_t v;
    if (is_fast(q)) {
        __int128_t nanos = fast_nanos(q);
        v = nanos / (int64_t)unit;
        if (v * (int64_t)unit != nanos)
            v += nanos < 0 ? -1 : 1;
    } else {
        struct nanos n;
        nanos_of(&n, q);
        bool up = nanos_div(&n, unit) != 0;
        if (n.count > 2)
            return quantity_sign(q) < 0 ? INT64_MIN : INT64_MAX;
        v = (n.count > 1 ? (__int128_t)n.limbs[1] * LIMB_BASE : 0) + (n.count ? n.limbs[0] : 0) + up;
        v = quantity_sign(q) < 0 ? -v : v;
    }
    return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
}
