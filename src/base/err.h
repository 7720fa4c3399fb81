/* err.h - why something failed: one type, owned by the caller, no allocation.
 * A function that can fail returns err_code (ERR_NONE is 0) and takes `struct err *err`, never NULL, last. The
 * setters return the code, so that failing is one statement: `return err_set(err, ERR_INVALID, "...")`.
 * Messages: lower case, no final period; what was attempted, on what (quoted), why it failed. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/defs.h"
#include "base/str.h"

typedef enum err_code {
    ERR_NONE = 0,
#define ERR_CODE(name, status, reason) ERR_##name,
#include "base/err_codes.def"
#undef ERR_CODE
    ERR_COUNT_
} err_code;

struct err {
    err_code code;
    int sys_errno; /* 0 when no system call was at fault */
    char msg[480]; /* NUL ended, cut at the end when too long */
};

#define ERR_INIT ((struct err){.code = ERR_NONE})

err_code err_set(struct err *err, err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The code follows from the errno (ENOENT: NOT_FOUND, ENOSPC: DISK_FULL, EAGAIN: AGAIN, else IO); ": strerror" is
 * added to the message. */
err_code err_errno(struct err *err, int sys_errno, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts "text: " before the message that is there; the code stays. */
err_code err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same, and the code becomes another. */
err_code err_wrap_as(struct err *err, err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Says in code that a failure does not matter; give the reason in a comment beside it. */
static inline void err_ignore(err_code code)
{
    (void)code;
}

const char *err_name(err_code code);   /* "NOT_FOUND" */
int err_http_status(err_code code);    /* 404; 200 for ERR_NONE */
const char *err_reason(err_code code); /* "NotFound"; "" for ERR_NONE */

#endif
