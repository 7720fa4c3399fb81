/* mem.c - the heap, counted per thread. */
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local uint64_t thread_allocs;
static _Thread_local uint64_t thread_frees;

static NORETURN COLD void out_of_memory(size_t size)
{
    fprintf(stderr, "skiff: could not allocate %zu bytes: out of memory\n", size);
    _Exit(71); /* EX_OSERR: no clean-up that might itself allocate */
}

void *mem_alloc(size_t size)
{
    thread_allocs++;
    void *p = malloc(size ? size : 1);
    if (UNLIKELY(!p))
        out_of_memory(size);
    return p;
}

void *mem_alloc_zero(size_t count, size_t size)
{
    thread_allocs++;
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (UNLIKELY(!p))
        out_of_memory(count * size);
    return p;
}

void *mem_realloc(void *p, size_t size)
{
    thread_allocs++;
    void *q = realloc(p, size ? size : 1);
    if (UNLIKELY(!q))
        out_of_memory(size);
    return q;
}

void mem_free(void *p)
{
    if (p) {
        thread_frees++;
        free(p);
    }
}

void *mem_dup(const void *p, size_t size)
{
    void *q = mem_alloc(size);
    if (size)
        memcpy(q, p, size);
    return q;
}

void mem_freep(void *p)
{
    void *owned;
    memcpy(&owned, p, sizeof owned);
    mem_free(owned);
}

uint64_t mem_thread_allocs(void)
{
    return thread_allocs;
}

uint64_t mem_thread_frees(void)
{
    return thread_frees;
}
