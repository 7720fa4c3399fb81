/* buf.h - text or bytes being built, with a maximum from birth.
 * Sticky failure: once an addition would pass the maximum, `failed` is set, that and every later addition does
 * nothing, and the caller checks once at the end (buf_check). What was added before stays whole.
 * Memory: on the heap (buf_init), freed by buf_done, or in an arena (buf_init_arena), gone with it.
 * Threads: one at a time. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/str.h"
#include <stdarg.h>

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max;
    struct arena *arena; /* NULL: heap */
    bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_init_arena(struct buf *b, struct arena *a, size_t max);
void buf_done(struct buf *b);  /* for CLEANUP too; leaves an empty buffer that can be used again */
void buf_clear(struct buf *b); /* keeps the memory, clears `failed` */

static inline str buf_str(const struct buf *b)
{
    return (str){b->p, b->n};
}

err_code buf_check(const struct buf *b, struct err *err); /* ERR_TOO_LARGE when additions were lost */

/* Room for `n` more bytes at the end (n may be 0), or NULL (failed). What was written is made part by buf_commit. `n - 1`:
 * one comparison sends both "does not fit" and "nothing" the slow way, where an empty buffer gets memory to point at. */
char *buf_room_slow(struct buf *b, size_t n);
static inline char *buf_room(struct buf *b, size_t n)
{
    return LIKELY(n - 1 < b->cap - b->n && !b->failed) ? b->p + b->n : buf_room_slow(b, n);
}
static inline void buf_commit(struct buf *b, size_t n)
{
    ASSERT(n <= b->cap - b->n);
    b->n += n;
}

static inline void buf_add(struct buf *b, str s)
{
    char *to = s.n ? buf_room(b, s.n) : NULL;
    if (to) {
        memcpy(to, s.p, s.n);
        b->n += s.n;
    }
}
static inline void buf_add_c(struct buf *b, char c)
{
    char *to = buf_room(b, 1);
    if (to) {
        *to = c;
        b->n++;
    }
}
#define buf_add_lit(b, lit) buf_add((b), S(lit))
void buf_add_n(struct buf *b, char c, size_t count);
void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);
void buf_add_f(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_add_vf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void buf_drop_front(struct buf *b, size_t n); /* moves the rest down */
/* Hands the bytes over to the caller (heap buffers only), who frees them with mem_free; the buffer is empty after. */
str buf_take(struct buf *b);

#endif
