/* unicode.h - what regular expressions ask about code points: categories, scripts, letter cases.
 * Unicode 14: what the PCRE2 of the machine that builds knows, in tables made then (tools/unicode).
 * Pure functions, any thread. */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include "base/str.h"

/* Calls `fn` for every run of code points in the class, in ascending order, neighbours joined. The name is a general
 * category ("Lu"), the first letter of several ("L"), "LC" (letters with case), "Any", "ASCII", "Assigned", or a script
 * ("Greek"). False: no such class, nothing was called. */
bool unicode_class(str name, void (*fn)(void *ctx, uint32_t first, uint32_t last), void *ctx);

/* Calls `fn` for every code point that differs by case only from one of [first, last] and is not among them: k stands with K
 * and U+212A (Kelvin). One at a time, in no order, perhaps more than once. How many were looked at. */
size_t unicode_fold(uint32_t first, uint32_t last, void (*fn)(void *ctx, uint32_t first, uint32_t last),
                    void *ctx);

#endif
