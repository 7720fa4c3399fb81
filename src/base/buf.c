/* buf.c - a growing buffer with a maximum. */
#include "base/buf.h"
#include "base/arena.h"
#include "base/mem.h"
#include <stdio.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_init_arena(struct buf *b, struct arena *a, size_t max)
{
    *b = (struct buf){.max = max, .arena = a};
}

void buf_done(struct buf *b)
{
    if (!b->arena)
        mem_free(b->p);
    *b = (struct buf){.max = b->max, .arena = b->arena};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

err_code buf_check(const struct buf *b, struct err *err)
{
    if (!b->failed)
        return ERR_NONE;
    return err_set(err, ERR_TOO_LARGE, "output would be larger than %zu bytes", b->max);
}

char *buf_room_slow(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > b->max - b->n) {
        b->failed = true;
        return NULL;
    }
    if (n > b->cap - b->n || !b->p) {
        size_t cap = size_max(size_max(b->cap * 2, 64), b->n + n);
        cap = size_min(cap, b->max);
        size_t size = size_max(cap, 1); /* something to point at even when the maximum is 0 */
        if (b->arena)
            b->p = arena_grow(b->arena, b->p, b->cap, size, 1);
        else
            b->p = mem_realloc(b->p, size);
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_add_n(struct buf *b, char c, size_t count)
{
    char *to = count ? buf_room(b, count) : NULL;
    if (to) {
        memset(to, c, count);
        b->n += count;
    }
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, str_of(digits + at, sizeof digits - at));
}

void buf_add_i64(struct buf *b, int64_t v)
{
    if (v >= 0) {
        buf_add_u64(b, (uint64_t)v);
        return;
    }
    /* Sign and digits go in together, so that a full buffer never holds half a number. */
    char text[21];
    size_t at = sizeof text;
    uint64_t rest = -(uint64_t)v;
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    text[--at] = '-';
    buf_add(b, str_of(text + at, sizeof text - at));
}

void buf_add_vf(struct buf *b, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    ASSERT(n >= 0);
    size_t need = (size_t)n;
    if (need < sizeof small) {
        buf_add(b, str_of(small, need));
    } else {
        char *big = mem_alloc(need + 1);
        vsnprintf(big, need + 1, fmt, again);
        buf_add(b, str_of(big, need));
        mem_free(big);
    }
    va_end(again);
}

void buf_add_f(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_add_vf(b, fmt, ap);
    va_end(ap);
}

void buf_drop_front(struct buf *b, size_t n)
{
    ASSERT(n <= b->n);
    if (n && b->n - n)
        memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

str buf_take(struct buf *b)
{
    ASSERT(!b->arena);
    str s = buf_str(b);
    *b = (struct buf){.max = b->max};
    return s;
}
