/* ossl.c - OpenSSL's error queue as one sentence. */
#include "sys/ossl_priv.h"
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ossl_clear(void)
{
    ERR_clear_error();
}

err_code ossl_err(struct err *err, err_code code, const char *fmt, ...)
{
    char text[sizeof err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *data = NULL;
    int flags = 0;
    unsigned long first = ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
    const char *why = first ? ERR_reason_error_string(first) : NULL;
    if (!why)
        err_set(err, code, "%s", text);
    else if (data && data[0] && (flags & ERR_TXT_STRING))
        err_set(err, code, "%s: %s (%s)", text, why, data);
    else
        err_set(err, code, "%s: %s", text, why);
    ERR_clear_error();
    return code;
}

void ossl_failed(const char *file, int line, const char *what)
{
    unsigned long first = ERR_peek_error();
    const char *why = first ? ERR_reason_error_string(first) : NULL;
    fprintf(stderr, "skiff: %s:%d: %s failed: %s\n", file, line, what, why ? why : "out of memory");
    _Exit(71); /* as mem.c */
}
