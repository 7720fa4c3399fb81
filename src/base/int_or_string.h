/* int_or_string.h - the API's IntOrString: a port number or a port's name, a count or a percentage ("25%").
 * A plain value; the text is borrowed. {0} is the number 0. Pure functions, any thread. */
#ifndef BASE_INT_OR_STRING_H
#define BASE_INT_OR_STRING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum int_or_string_type { /* the numbers are those of the wire */
                          INT_OR_STRING_INT = 0,
                          INT_OR_STRING_STRING = 1,
};

struct int_or_string {
    enum int_or_string_type type;
    int32_t number;
    str text;
};

static inline struct int_or_string int_or_string_of_int(int32_t number)
{
    return (struct int_or_string){.type = INT_OR_STRING_INT, .number = number};
}
static inline struct int_or_string int_or_string_of_str(str text)
{
    return (struct int_or_string){.type = INT_OR_STRING_STRING, .text = text};
}

/* A number if the text is one that fits 32 bits, else the text. */
struct int_or_string int_or_string_parse(str s);
void int_or_string_format(struct buf *out, const struct int_or_string *x);
bool int_or_string_equal(const struct int_or_string *x, const struct int_or_string *y);
/* The number, or the number that the text is; 0 for other texts. */
int32_t int_or_string_int(const struct int_or_string *x);

enum int_or_string_rounding {
    INT_OR_STRING_DOWN,
    INT_OR_STRING_UP,
};
/* A number as it is, a percentage of `total`. ERR_INVALID for other texts, with the original's message. What does not
 * fit becomes the nearest number that does. */
err_code int_or_string_scale(const struct int_or_string *x, int32_t total,
                             enum int_or_string_rounding rounding, int32_t *ret, struct err *err);

#endif
