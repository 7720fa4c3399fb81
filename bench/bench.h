/* bench.h - measurements that register themselves.
 *
 *     BENCH(json_parse, "text to tree")
 *     {
 *         ... set up ...
 *         BENCH_CASE(b, "pod, 1 KB", BENCH_BYTES(doc.n), {"skiff", parse_ours, &doc}, {"jansson", parse_jansson, &doc});
 *         ... more cases, tear down ...
 *     }
 *
 * A contender is a function that does one operation. The contenders of a case take turns, some milliseconds each, in
 * many rounds of one run, so that what disturbs the machine disturbs them all; each turn begins with another one. What is
 * printed, per contender: the median time of an operation, the 99th of 100, how much it gets done in a second, and how
 * many times as fast as it the first one is: by the first's medians, so put ours first.
 * Short operations are timed several at a time (20 us or more): their p99 is that of such a bundle.
 *
 * `make bench` runs all, `make bench B=json` those with json in the name. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/arena.h"
#include "base/str.h"

struct bench;

/* What one operation works through: 1,024 bytes, 1 object, 100,000 messages. */
struct bench_work {
    double amount;
    const char *unit; /* "B" is printed as KB, MB, GB */
};
#define BENCH_BYTES(n)         ((struct bench_work){(double)(n), "B"})
#define BENCH_ITEMS(n, plural) ((struct bench_work){(double)(n), (plural)})

struct bench_contender {
    const char *name;
    void (*run)(void *ctx);
    void *ctx;
};

#define BENCH_CONTENDERS_MAX 8

void bench_case(struct bench *b, const char *name, struct bench_work work,
                const struct bench_contender *contenders, size_t count);
#define BENCH_CASE(b, name, work, ...)                                             \
    bench_case((b), (name), (work), (const struct bench_contender[]){__VA_ARGS__}, \
               sizeof((const struct bench_contender[]){__VA_ARGS__}) / sizeof(struct bench_contender))

/* A line below the table: what a reader must know to judge the figures. */
void bench_note(struct bench *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Lives as long as the benchmark. */
struct arena *bench_arena(struct bench *b);
/* For what can only be measured where a peer is installed, and the like: ends the benchmark with the reason. */
NORETURN void bench_skip(struct bench *b, const char *why);
/* A contender that does not do what it should is no contender: ends the program. */
#define BENCH_MUST(cond)                             \
    do {                                             \
        if (UNLIKELY(!(cond)))                       \
            bench_broken(__FILE__, __LINE__, #cond); \
    } while (0)
NORETURN COLD void bench_broken(const char *file, int line, const char *what);

/* The compiler must believe that `p` and what it points to are used. */
static inline void bench_keep(const void *p)
{
    __asm__ volatile("" : : "g"(p) : "memory");
}

struct bench_info {
    const char *name;
    const char *what;
    void (*fn)(struct bench *b);
};

#define BENCH(bench_name, description)                                                                  \
    static void bench_##bench_name(struct bench *b);                                                    \
    static const struct bench_info bench_info_##bench_name = {                                          \
        .name = #bench_name, .what = (description), .fn = bench_##bench_name};                          \
    __attribute__((                                                                                     \
        section("skiff_bench"),                                                                         \
        used)) static const struct bench_info *const bench_ref_##bench_name = &bench_info_##bench_name; \
    static void bench_##bench_name(struct bench *b)

#endif
