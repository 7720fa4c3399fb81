/* utf8.h - UTF-8: checking, walking, making valid.
 * Valid means Unicode's own rules: shortest form only, no surrogates, nothing above U+10FFFF.
 * Where something invalid must be read anyway, each bad byte stands for one U+FFFD, as for Go.
 * Pure functions, any thread. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"
#include "base/str.h"

#define UTF8_REPLACEMENT 0xfffdu
#define UTF8_MAX         0x10ffffu
#define UTF8_SIZE_MAX    4 /* bytes of one code point */

bool utf8_valid(str s);
/* How many bytes from the start are valid: s.n when all are. Never ends inside a code point. */
size_t utf8_valid_prefix(str s);

/* The first code point: its size in bytes, or 0 when `s` is empty or does not start with a valid one. */
size_t utf8_decode(str s, uint32_t *ret);
/* Takes one code point off the front; a byte that is not valid there gives U+FFFD. False: nothing left. */
bool utf8_next(str *rest, uint32_t *ret);
/* Code points, a bad byte counting as one. */
size_t utf8_count(str s);
/* The longest start of `s` that has at most `size_max` bytes and does not cut a valid code point in two. */
str utf8_cut(str s, size_t size_max);

/* Writes 1 to 4 bytes and tells how many; 0 for a surrogate or what is past U+10FFFF. */
size_t utf8_encode(uint32_t c, char ret[UTF8_SIZE_MAX]);
/* U+FFFD for what cannot be encoded. */
void utf8_add(struct buf *out, uint32_t c);
/* Adds `s` with every bad byte replaced by U+FFFD. */
void utf8_add_valid(struct buf *out, str s);
/* Adds `s` between double quotes as Go's %q prints it: the form in which the original shows a bad value in its
 * messages. Control, format, private and unusual space characters are escaped; code points that Unicode has not
 * assigned are not (Go escapes them; nobody matches on it). */
void utf8_add_quoted(struct buf *out, str s);

#endif
