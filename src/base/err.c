/* err.c - filling in struct err. */
#include "base/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    int status;
    const char *reason;
} codes[] = {
    [ERR_NONE] = {"NONE", 200, ""},
#define ERR_CODE(name, status, reason) [ERR_##name] = {#name, status, reason},
#include "base/err_codes.def"
#undef ERR_CODE
};

err_code err_set(struct err *err, err_code code, const char *fmt, ...)
{
    ASSERT(code != ERR_NONE);
    /* Formatted aside: an argument may be err->msg itself. */
    char text[sizeof err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err->code = code;
    err->sys_errno = 0;
    memcpy(err->msg, text, sizeof text);
    return code;
}

static err_code code_of_errno(int e)
{
    switch (e) {
    case EAGAIN: return ERR_AGAIN;
    case ENOENT: return ERR_NOT_FOUND;
    case EEXIST: return ERR_ALREADY_EXISTS;
    case EACCES:
    case EPERM: return ERR_FORBIDDEN;
    case ENOSPC:
    case EDQUOT: return ERR_DISK_FULL;
    case ETIMEDOUT: return ERR_TIMEOUT;
    case EPIPE: return ERR_CLOSED; /* a reset is not: CLOSED is an end that was meant */
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH: return ERR_UNAVAILABLE;
    default: return ERR_IO;
    }
}

err_code err_errno(struct err *err, int sys_errno, const char *fmt, ...)
{
    char text[sizeof err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *why = strerrordesc_np(sys_errno);
    size_t n = strlen(text);
    if (why)
        snprintf(text + n, sizeof text - n, ": %s", why);
    else
        snprintf(text + n, sizeof text - n, ": errno %d", sys_errno);
    err->code = code_of_errno(sys_errno);
    err->sys_errno = sys_errno;
    memcpy(err->msg, text, sizeof text);
    return err->code;
}

PRINTF_LIKE(2, 0) static void wrap(struct err *err, const char *fmt, va_list ap)
{
    char text[sizeof err->msg];
    vsnprintf(text, sizeof text, fmt, ap);
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, ": %s", err->msg);
    memcpy(err->msg, text, sizeof text);
}

err_code err_wrap(struct err *err, const char *fmt, ...)
{
    ASSERT(err->code != ERR_NONE);
    va_list ap;
    va_start(ap, fmt);
    wrap(err, fmt, ap);
    va_end(ap);
    return err->code;
}

err_code err_wrap_as(struct err *err, err_code code, const char *fmt, ...)
{
    ASSERT(err->code != ERR_NONE && code != ERR_NONE);
    va_list ap;
    va_start(ap, fmt);
    wrap(err, fmt, ap);
    va_end(ap);
    err->code = code;
    return code;
}

const char *err_name(err_code code)
{
    ASSERT((size_t)code < ARRAY_COUNT(codes));
    return codes[code].name;
}

int err_http_status(err_code code)
{
    ASSERT((size_t)code < ARRAY_COUNT(codes));
    return codes[code].status;
}

const char *err_reason(err_code code)
{
    ASSERT((size_t)code < ARRAY_COUNT(codes));
    return codes[code].reason;
}
