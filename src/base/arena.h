/* arena.h - memory of one task (a request, a reconcile pass, a connection), dropped whole.
 * arena_alloc never returns NULL. An arena past its budget sets `exceeded` and goes on serving, so that decoders can
 * read straight through and check arena_exceeded() once per object or container: what one of them can ask for is
 * bounded by input that is already in memory.
 * An arena can hold references to counted objects (arena_hold); they are let go, newest first, when it is dropped.
 * Under the sanitizers (ARENA_DEBUG) every allocation is its own malloc, so each overrun is seen.
 * Threads: one at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

struct arena_chunk;
struct arena_hold;

struct arena {
    char *at;
    char *end;
    struct arena_chunk *chunks;
    struct arena_hold *holds;
    size_t used;   /* bytes handed out, rounded up */
    size_t budget; /* 0: none */
    bool exceeded;
};

void arena_init(struct arena *a, size_t budget);
void arena_done(
    struct arena *a); /* for CLEANUP too: releases what is held, frees everything, can be used again */
void arena_reset(struct arena *a); /* as done, but keeps one chunk for the next task */

/* Uninitialised, `align` a power of two up to 64. Size 0 gives a pointer that must not be read. */
void *arena_alloc_slow(struct arena *a, size_t size, size_t align);
void *arena_alloc(struct arena *a, size_t size, size_t align);
void *arena_alloc_zero(struct arena *a, size_t count, size_t size, size_t align);
void *arena_dup(struct arena *a, const void *p, size_t size, size_t align);
/* Grows an allocation: in place if it was the newest and there is room, else by copying. */
void *arena_grow(struct arena *a, void *p, size_t old_size, size_t new_size, size_t align);

#define ARENA_NEW(a, type)          ((type *)arena_alloc_zero((a), 1, sizeof(type), _Alignof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_alloc_zero((a), (count), sizeof(type), _Alignof(type)))

/* `release(obj)` runs when the arena is dropped. */
void arena_hold(struct arena *a, void (*release)(void *obj), void *obj);

static inline bool arena_exceeded(const struct arena *a)
{
    return a->exceeded;
}
err_code arena_check(const struct arena *a, struct err *err); /* ERR_TOO_LARGE when exceeded */

#endif
