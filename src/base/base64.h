/* base64.h - base64 as Go's encoding/base64 understands it: the standard and the URL alphabet, with or without padding.
 * The decoder skips CR and LF anywhere, wants the padding that the flags say and nothing after it, and reports
 * "illegal base64 data at input byte N" with Go's N.
 * Pure functions, any thread. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum base64_flags {
    BASE64_STD = 0,
    BASE64_URL = 1 << 0,    /* '-' and '_' instead of '+' and '/' */
    BASE64_NO_PAD = 1 << 1, /* no '='; with BASE64_URL: the form of a JWT */
    BASE64_STRICT = 1 << 2, /* decoding: unused bits at the end must be 0, so that a value has one spelling */
};

/* Bytes that `n` bytes take when encoded; SIZE_MAX when that does not fit a size_t. */
size_t base64_encoded_size(size_t n, unsigned flags);
void base64_encode(struct buf *out, str bytes, unsigned flags);
/* Adds the decoded bytes; on failure `out` is as it was. ERR_SYNTAX; ERR_TOO_LARGE when `out` is full. */
err_code base64_decode(struct buf *out, str text, unsigned flags, struct err *err);

#endif
