/* secret.c - bytes that are wiped. */
#include "base/secret.h"
#include "base/mem.h"

void secret_init(struct secret *s, str bytes)
{
    secret_init_zero(s, bytes.n);
    if (bytes.n)
        memcpy(s->p, bytes.p, bytes.n);
}

void secret_init_zero(struct secret *s, size_t n)
{
    *s = (struct secret){.p = mem_alloc_zero(n, 1), .n = n};
}

void secret_done(struct secret *s)
{
    if (s->p)
        bytes_wipe(s->p, s->n);
    mem_free(s->p);
    *s = (struct secret){0};
}

bool secret_equal(const struct secret *s, str bytes)
{
    return bytes_equal_constant_time(secret_bytes(s), bytes);
}

bool bytes_equal_constant_time(str a, str b)
{
    if (a.n != b.n)
        return false;
    /* Volatile, or the compiler may see that the loop can stop at the first difference. */
    const volatile unsigned char *x = (const volatile unsigned char *)a.p;
    const volatile unsigned char *y = (const volatile unsigned char *)b.p;
    unsigned char differ = 0;
    for (size_t i = 0; i < a.n; i++)
        differ |= (unsigned char)(x[i] ^ y[i]);
    return differ == 0;
}

void bytes_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}
