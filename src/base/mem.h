/* mem.h - the heap, counted. Every heap call of skiff's own code goes through here.
 * A small allocation that fails ends the process with one line (containers outlive us; starting again is a tested
 * path), so these never return NULL, except for size 0.
 * Threads: any. The counters belong to the calling thread. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/defs.h"

void *mem_alloc(size_t size);                    /* not zeroed */
void *mem_alloc_zero(size_t count, size_t size); /* zeroed; count*size is overflow checked */
void *mem_realloc(void *p, size_t size);
void mem_free(void *p); /* accepts NULL */
void *mem_dup(const void *p, size_t size);

/* For CLEANUP: frees *(void **)p. */
void mem_freep(void *p);

#define NEW(type)          ((type *)mem_alloc_zero(1, sizeof(type)))
#define NEW_ARRAY(type, n) ((type *)mem_alloc_zero((n), sizeof(type)))

/* Heap calls made by this thread so far (alloc and realloc; frees are counted apart): a test reads it before and
 * after to prove that a hot path does not allocate. */
uint64_t mem_thread_allocs(void);
uint64_t mem_thread_frees(void);

#endif
