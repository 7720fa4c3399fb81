/* quantity.h - amounts of resources: "100m", "1.5Gi", "2e3". The original's resource.Quantity.
 * Always true:
 *  - exact: a quantity is a whole number of billionths ("nano"); what was written finer is rounded away from zero;
 *  - it remembers in which of three ways it was written and is written again in that way, canonically: no fraction, the
 *    largest suffix that leaves none;
 *  - some spellings that are not canonical ("1.500", "+1", "01", "1E3") the original keeps as they are, so `text` does.
 * Memory: `text` borrows from what was parsed; a number that does not fit `value` is in the arena given. Else a
 * quantity is a plain value; quantity_dup makes one that stands alone. {0} is zero.
 * Limits: 10^1000 and more is refused (the original hangs on some of those); a result that would be larger stays just
 * below.
 * Pure functions, any thread. */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum quantity_format {
    QUANTITY_DECIMAL_SI = 0,   /* 12M */
    QUANTITY_BINARY_SI,        /* 12Mi */
    QUANTITY_DECIMAL_EXPONENT, /* 12e6 */
};

struct quantity_big;

struct quantity {
    int64_t value; /* times 10 to the power of `scale`; not used when `big` is set */
    int16_t scale; /* -9 or more */
    uint8_t format;
    const struct quantity_big *big;
    str text; /* how it was written, where that is also how it is printed; empty: canonical */
};

#define QUANTITY_NANO  -9
#define QUANTITY_MILLI -3

/* ERR_SYNTAX with the original's messages; ERR_TOO_LARGE past the limit. */
err_code quantity_parse(struct arena *a, str s, struct quantity *ret, struct err *err);
void quantity_format(struct buf *out, const struct quantity *q);
#define QUANTITY_TEXT_MAX 1100 /* nothing printed is longer; a longer spelling is not kept */

struct quantity quantity_from_int(int64_t value, enum quantity_format format);
/* value * 10^scale, scale from -9 to 18. */
struct quantity quantity_from_scaled(int64_t value, int scale, enum quantity_format format);
struct quantity quantity_dup(struct arena *a, const struct quantity *q);

bool quantity_is_zero(const struct quantity *q);
int quantity_sign(const struct quantity *q); /* -1, 0, 1 */
int quantity_cmp(const struct quantity *x, const struct quantity *y);

/* In place. A zero takes over the format of what is added to it or taken from it. The arena is used only by numbers
 * that do not fit `value`. */
void quantity_add(struct arena *a, struct quantity *q, const struct quantity *y);
void quantity_sub(struct arena *a, struct quantity *q, const struct quantity *y);
void quantity_neg(struct arena *a, struct quantity *q);

/* As an integer, rounded away from zero; int64's ends for what is past them. The second counts thousandths, the third
 * units of 10^scale, scale from -9 to 9. */
int64_t quantity_value(const struct quantity *q);
int64_t quantity_milli_value(const struct quantity *q);
int64_t quantity_scaled_value(const struct quantity *q, int scale);

#endif
