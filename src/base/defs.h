/* defs.h - the few words every file uses: attributes, assertions, scope clean-up.
 * Knows nothing but the compiler. Include it first from headers that need it; it includes almost nothing. */
#ifndef BASE_DEFS_H
#define BASE_DEFS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK             __attribute__((warn_unused_result))
#define NORETURN               __attribute__((noreturn))
#define COLD                   __attribute__((cold, noinline))
#define LIKELY(x)              __builtin_expect(!!(x), 1)
#define UNLIKELY(x)            __builtin_expect(!!(x), 0)
#define FALLTHROUGH            __attribute__((fallthrough))

#define ARRAY_COUNT(a)                  (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Runs `fn(&variable)` when the variable leaves its scope. Initialise the variable where it is declared. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Moves the value out of a variable that CLEANUP watches: the variable becomes 0, the value is the caller's. */
#define TAKE(x)                             \
    ({                                      \
        __typeof__(&(x)) take_from_ = &(x); \
        __typeof__(x) taken_ = *take_from_; \
        *take_from_ = (__typeof__(x)){0};   \
        taken_;                             \
    })

/* For our own bugs only: on in every build, prints and aborts. Nothing that comes from a network, a disk, a flag or
 * another process may reach one. */
#define ASSERT(cond)                                            \
    do {                                                        \
        if (UNLIKELY(!(cond)))                                  \
            assert_failed(__FILE__, __LINE__, __func__, #cond); \
    } while (0)

/* What should not happen but can be survived: counts it, prints the first hundred, and is true so
 * that the caller takes the safe branch: `if (UNEXPECTED(n > max)) n = max;`. */
#define UNEXPECTED(cond) \
    (UNLIKELY(cond) ? (unexpected_happened(__FILE__, __LINE__, __func__, #cond), true) : false)

NORETURN COLD void assert_failed(const char *file, int line, const char *func, const char *cond);
COLD void unexpected_happened(const char *file, int line, const char *func, const char *cond);
/* How many times any UNEXPECTED was true in this process. */
uint64_t unexpected_count(void);

static inline size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
