/* main.c - runs the benchmarks and prints a table of each. */
#include "base/mem.h"
#include "bench.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    BUNDLE_NS = 20000,   /* least time of one sample */
    TURN_NS = 5000000,   /* least time of one turn */
    CASE_NS = 600000000, /* time of a case, if its least rounds fit in */
    ROUNDS_MIN = 5,
    SAMPLES_MAX = 1 << 16,
    NOTES_MAX = 16,
};

struct bench {
    const struct bench_info *info;
    struct arena arena;
    str notes[NOTES_MAX];
    size_t note_count;
    bool any_case;
    jmp_buf skipped;
    double scale; /* of the time of a case */
};

/* One contender in one case. */
struct lane {
    const struct bench_contender *who;
    uint64_t bundle; /* operations in one sample */
    double *ns;      /* samples: time of one operation */
    size_t count;
};

extern const struct bench_info *const __start_skiff_bench[] __attribute__((weak));
extern const struct bench_info *const __stop_skiff_bench[] __attribute__((weak));

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t time_of(const struct bench_contender *who, uint64_t operations)
{
    uint64_t start = now_ns();
    for (uint64_t i = 0; i < operations; i++)
        who->run(who->ctx);
    return now_ns() - start;
}

static void calibrate(struct lane *lane)
{
    time_of(lane->who, 1); /* caches, page faults, growth of buffers */
    for (lane->bundle = 1; time_of(lane->who, lane->bundle) < BUNDLE_NS; lane->bundle *= 2)
        continue;
}

static void take_turn(struct lane *lane)
{
    uint64_t start = now_ns();
    do {
        double ns = (double)time_of(lane->who, lane->bundle) / (double)lane->bundle;
        if (lane->count < SAMPLES_MAX)
            lane->ns[lane->count++] = ns;
    } while (now_ns() - start < TURN_NS);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The sample that `share` of them do not pass. */
static double quantile(const struct lane *lane, double share)
{
    return lane->ns[(size_t)(share * (double)(lane->count - 1) + 0.5)];
}

/* Three digits and a unit: 1.23 us, 45.6 ms. */
static const char *scaled(char *to, size_t size, double v, const char *const *units, double step)
{
    while (v >= 999.5 && units[1]) {
        v /= step;
        units++;
    }
    int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
    snprintf(to, size, "%.*f %s", decimals, v, *units);
    return to;
}

static const char *print_time(char *to, size_t size, double ns)
{
    static const char *const units[] = {"ns", "us", "ms", "s", NULL};
    return scaled(to, size, ns, units, 1000);
}

static const char *print_rate(char *to, size_t size, struct bench_work work, double ns)
{
    static const char *const bytes[] = {"B/s", "KB/s", "MB/s", "GB/s", NULL};
    static const char *const counts[] = {"", "k", "M", "G", NULL};
    double rate = work.amount / ns * 1e9;
    if (strcmp(work.unit, "B") == 0)
        return scaled(to, size, rate, bytes, 1000);
    char number[32];
    snprintf(to, size, "%s %s/s", scaled(number, sizeof number, rate, counts, 1000), work.unit);
    return to;
}

static void print_row(struct bench *b, const char *name, const struct lane *lane, const struct lane *first,
                      struct bench_work work)
{
    char median[32], p99[32], rate[64], ratio[32] = "";
    double ns = quantile(lane, 0.5);
    if (lane != first)
        snprintf(ratio, sizeof ratio, "%.2f x", ns / quantile(first, 0.5));
    printf("  %-22s %-20s %10s %10s %18s %10s\n", name, lane->who->name,
           print_time(median, sizeof median, ns), print_time(p99, sizeof p99, quantile(lane, 0.99)),
           print_rate(rate, sizeof rate, work, ns), ratio);
}

static void print_head(struct bench *b, const char *first)
{
    if (b->any_case)
        return;
    b->any_case = true;
    char faster[32];
    snprintf(faster, sizeof faster, "vs %.7s", first);
    printf("\n%s: %s\n", b->info->name, b->info->what);
    printf("  %-22s %-20s %10s %10s %18s %10s\n", "case", "contender", "median", "p99", "rate", faster);
}

void bench_case(struct bench *b, const char *name, struct bench_work work,
                const struct bench_contender *contenders, size_t count)
{
    ASSERT(count && count <= BENCH_CONTENDERS_MAX);
    struct lane lanes[BENCH_CONTENDERS_MAX];
    for (size_t i = 0; i < count; i++) {
        lanes[i] = (struct lane){.who = &contenders[i], .ns = NEW_ARRAY(double, SAMPLES_MAX)};
        calibrate(&lanes[i]);
    }
    uint64_t end = now_ns() + (uint64_t)(CASE_NS * b->scale);
    for (size_t round = 0; round < ROUNDS_MIN || now_ns() < end; round++)
        for (size_t i = 0; i < count; i++)
            take_turn(&lanes[(round + i) % count]);
    print_head(b, contenders[0].name);
    for (size_t i = 0; i < count; i++)
        qsort(lanes[i].ns, lanes[i].count, sizeof lanes[i].ns[0], by_value);
    for (size_t i = 0; i < count; i++)
        print_row(b, i ? "" : name, &lanes[i], &lanes[0], work);
    for (size_t i = 0; i < count; i++)
        mem_free(lanes[i].ns);
    fflush(stdout);
}

void bench_note(struct bench *b, const char *fmt, ...)
{
    ASSERT(b->note_count < NOTES_MAX);
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    b->notes[b->note_count++] = str_dup(&b->arena, str_from_c(text));
}

struct arena *bench_arena(struct bench *b)
{
    return &b->arena;
}

void bench_skip(struct bench *b, const char *why)
{
    printf("\n%s: skipped: %s\n", b->info->name, why);
    longjmp(b->skipped, 1);
}

void bench_broken(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: a contender failed: %s\n", file, line, what);
    exit(1);
}

static void run(const struct bench_info *info, double scale)
{
    struct bench b = {.info = info, .scale = scale};
    arena_init(&b.arena, 0);
    if (setjmp(b.skipped) == 0)
        info->fn(&b);
    for (size_t i = 0; i < b.note_count; i++)
        printf("  %" STR_FMT "\n", STR_ARG(b.notes[i]));
    arena_done(&b.arena);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct bench_info *const *)a)->name, (*(const struct bench_info *const *)b)->name);
}

static void usage(void)
{
    puts("usage: skiff-bench [--filter TEXT] [--scale N] [--list]\n"
         "  --filter TEXT   only benchmarks whose name contains TEXT\n"
         "  --scale N       N times as long for each case (0.2: a glance)\n"
         "  --list          names only");
}

int main(int argc, char **argv)
{
    const char *filter = "";
    double scale = 1;
    bool list = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0)
            list = true;
        else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc)
            filter = argv[++i];
        else if (strcmp(argv[i], "--scale") == 0 && i + 1 < argc)
            scale = strtod(argv[++i], NULL);
        else
            return usage(), 2;
    }
    size_t count = (size_t)(__stop_skiff_bench - __start_skiff_bench), ran = 0;
    const struct bench_info **all = NEW_ARRAY(const struct bench_info *, count + 1);
    memcpy(all, __start_skiff_bench, count * sizeof *all);
    qsort(all, count, sizeof *all, by_name);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(all[i]->name, filter))
            continue;
        ran++;
        if (list)
            printf("%-24s %s\n", all[i]->name, all[i]->what);
        else
            run(all[i], scale);
    }
    mem_free(all);
    if (!ran)
        fprintf(stderr, "no benchmark has '%s' in its name\n", filter);
    return ran ? 0 : 1;
}
