/* secret.h - bytes that must not be shown or left lying about: keys, tokens, passwords.
 * A struct secret owns its bytes on the heap, has its size from birth (growing would leave copies behind), is wiped when
 * it is let go, and is logged as its length (KV_SECRET).
 * Threads: one at a time; an unchanged one may be read by any. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/str.h"

struct secret {
    uint8_t *p;
    size_t n;
};

/* Copies; wiping where the bytes came from is the caller's matter. */
void secret_init(struct secret *s, str bytes);
/* For filling in: `n` zero bytes. */
void secret_init_zero(struct secret *s, size_t n);
void secret_done(struct secret *s); /* for CLEANUP too */

static inline str secret_bytes(const struct secret *s) /* borrowed: copy it nowhere that is not wiped */
{
    return str_of((const char *)s->p, s->n);
}

/* In a time that depends on the sizes only, not on where they differ. */
bool secret_equal(const struct secret *s, str bytes);
bool bytes_equal_constant_time(str a, str b);
/* The compiler does not take it out, though nobody reads the memory any more. */
void bytes_wipe(void *p, size_t n);

#endif
