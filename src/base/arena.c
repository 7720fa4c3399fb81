/* arena.c - bump allocation in chunks that double up to a bound; big requests get a chunk of their own. */
#include "base/arena.h"
#include "base/mem.h"

enum {
    CHUNK_SIZE_FIRST = 4096,
    CHUNK_SIZE_LAST = 256 * 1024,
    ALIGN_MAX = 64,
};

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of the bytes behind the header */
    _Alignas(16) char bytes[];
};

struct arena_hold {
    struct arena_hold *next;
    void (*release)(void *obj);
    void *obj;
};

void arena_init(struct arena *a, size_t budget)
{
    *a = (struct arena){.budget = budget};
}

static void holds_release(struct arena *a)
{
    /* A release function may hold something else in turn, so take one at a time. */
    while (a->holds) {
        struct arena_hold *h = a->holds;
        a->holds = h->next;
        h->release(h->obj);
    }
}

static void chunks_free(struct arena_chunk *c)
{
    while (c) {
        struct arena_chunk *next = c->next;
        mem_free(c);
        c = next;
    }
}

void arena_done(struct arena *a)
{
    holds_release(a);
    chunks_free(a->chunks);
    *a = (struct arena){.budget = a->budget};
}

void arena_reset(struct arena *a)
{
    holds_release(a);
#ifdef ARENA_DEBUG
    chunks_free(a->chunks);
    *a = (struct arena){.budget = a->budget};
#else
    struct arena_chunk *keep = a->chunks;
    if (keep) {
        chunks_free(keep->next);
        keep->next = NULL;
    }
    *a = (struct arena){.budget = a->budget, .chunks = keep};
    if (keep) {
        a->at = keep->bytes;
        a->end = keep->bytes + keep->size;
    }
#endif
}

static struct arena_chunk *chunk_new(struct arena *a, size_t size)
{
    ASSERT(size <= SIZE_MAX / 2);
    struct arena_chunk *c = mem_alloc(sizeof *c + size);
    c->size = size;
    c->next = a->chunks;
    a->chunks = c;
    return c;
}

static void account(struct arena *a, size_t size)
{
    a->used += size;
    if (a->budget && a->used > a->budget)
        a->exceeded = true;
}

static char *align_up(char *p, size_t align)
{
    return p + (-(uintptr_t)p & (align - 1));
}

void *arena_alloc_slow(struct arena *a, size_t size, size_t align)
{
    ASSERT(align && (align & (align - 1)) == 0 && align <= ALIGN_MAX);
    ASSERT(size <= SIZE_MAX / 4);
    account(a, size);
#ifdef ARENA_DEBUG
    struct arena_chunk *c = chunk_new(a, size + align);
    /* The end of the allocation is the end of the malloc block as far as the alignment lets it be. */
    return align_up(c->bytes, align);
#else
    size_t chunk_size = CHUNK_SIZE_FIRST;
    if (a->chunks)
        chunk_size = size_min(a->chunks->size * 2, CHUNK_SIZE_LAST);
    if (size + align > chunk_size / 2 && a->chunks) {
        /* A chunk of its own, behind the current one, which keeps serving small requests. */
        struct arena_chunk *current = a->chunks;
        a->chunks = current->next;
        struct arena_chunk *c = chunk_new(a, size + align);
        a->chunks = current;
        c->next = current->next;
        current->next = c;
        return align_up(c->bytes, align);
    }
    struct arena_chunk *c = chunk_new(a, size_max(chunk_size - sizeof *c, size + align));
    char *p = align_up(c->bytes, align);
    a->at = p + size;
    a->end = c->bytes + c->size;
    return p;
#endif
}

void *arena_alloc(struct arena *a, size_t size, size_t align)
{
#ifndef ARENA_DEBUG
    if (LIKELY(a->at != NULL)) {
        char *p = align_up(a->at, align);
        if (LIKELY(p <= a->end && size <= (size_t)(a->end - p))) {
            a->at = p + size;
            account(a, size);
            return p;
        }
    }
#endif
    return arena_alloc_slow(a, size, align);
}

void *arena_alloc_zero(struct arena *a, size_t count, size_t size, size_t align)
{
    size_t total;
    bool overflow = __builtin_mul_overflow(count, size, &total);
    ASSERT(!overflow);
    void *p = arena_alloc(a, total, align);
    memset(p, 0, total);
    return p;
}

void *arena_dup(struct arena *a, const void *p, size_t size, size_t align)
{
    void *q = arena_alloc(a, size, align);
    if (size)
        memcpy(q, p, size);
    return q;
}

void *arena_grow(struct arena *a, void *p, size_t old_size, size_t new_size, size_t align)
{
    ASSERT(new_size >= old_size);
#ifndef ARENA_DEBUG
    if (p && (char *)p + old_size == a->at && new_size - old_size <= (size_t)(a->end - a->at)) {
        a->at += new_size - old_size;
        account(a, new_size - old_size);
        return p;
    }
#endif
    void *q = arena_alloc(a, new_size, align);
    if (old_size)
        memcpy(q, p, old_size);
    return q;
}

void arena_hold(struct arena *a, void (*release)(void *obj), void *obj)
{
    struct arena_hold *h = ARENA_NEW(a, struct arena_hold);
    *h = (struct arena_hold){.next = a->holds, .release = release, .obj = obj};
    a->holds = h;
}

err_code arena_check(const struct arena *a, struct err *err)
{
    if (!a->exceeded)
        return ERR_NONE;
    return err_set(err, ERR_TOO_LARGE, "memory for this request is used up: %zu bytes of at most %zu",
                   a->used, a->budget);
}
