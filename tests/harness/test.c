/* test.c - runs the registered tests: a process each, as many at once as there are cores, output kept per test.
 * What is printed is for a person: nothing for a test that passes, everything for one that fails, then one line of
 * counts. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "harness/test_priv.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum {
    EXIT_PASSED = 76, /* not 0: code under test that ends the process is no test that passed */
    EXIT_SKIPPED = 77,
    DEADLINE_FACTOR_SANITIZED = 6,
    JOBS_MAX = 64,
    OUTPUT_MAX = 1 << 20,
    OUTPUT_KEPT = 16 << 10,
    DRAIN_READS_MAX = 64,
};

extern const struct test *const __start_skiff_tests[] __attribute__((weak));
extern const struct test *const __stop_skiff_tests[] __attribute__((weak));
extern const struct fuzz_target *const __start_skiff_fuzz[] __attribute__((weak));
extern const struct fuzz_target *const __stop_skiff_fuzz[] __attribute__((weak));

/* State of one test's process (and, for the seed and the paths, of the runner before it forks). */
static uint64_t seed;
static char dir_of_test[256];
static struct arena test_arena;
static void (*failure_fn)(void *ctx);
static void *failure_ctx;

uint64_t test_seed(void)
{
    return seed;
}

const char *test_name(void)
{
    const char *slash = strrchr(dir_of_test, '/');
    return slash ? slash + 1 : "";
}

void test_on_failure(void (*fn)(void *ctx), void *ctx)
{
    failure_fn = fn;
    failure_ctx = ctx;
}

static void tell_of_failure(void)
{
    void (*fn)(void *ctx) = TAKE(failure_fn);
    if (fn)
        fn(failure_ctx);
}

/* From an ASSERT: a regular place of our own program, so printing is fine; returning lets abort go on. */
static void on_abort(int signo)
{
    tell_of_failure();
    fflush(stdout);
}

#if SANITIZED
extern void __sanitizer_set_death_callback(void (*fn)(void));
#endif

#if SANITIZED
/* The thread sanitizer asks for it by this name, and would else report that on_abort allocates: it cannot know that it
 * runs inside of abort() alone. Other handlers of signals it goes on watching. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "signal:on_abort\n";
}
#endif

static void watch_failures(void)
{
    signal(SIGABRT, on_abort);
#if SANITIZED
    __sanitizer_set_death_callback(tell_of_failure);
#endif
}

bool test_is_root(void)
{
    return geteuid() == 0;
}

bool test_is_sanitized(void)
{
    return SANITIZED;
}

const char *test_dir(void)
{
    ASSERT(dir_of_test[0]);
    mkdir(dir_of_test, 0700);
    return dir_of_test;
}

static const char *path_under(const char *base, const char *relative)
{
    return str_format(&test_arena, "%s/%s", base, relative).p;
}

const char *test_path(const char *relative)
{
    const char *base = getenv("SKIFF_TESTS");
    return path_under(base ? base : "tests", relative);
}

const char *test_reference_path(const char *relative)
{
    const char *base = getenv("SKIFF_REFERENCE");
    return path_under(base ? base : "../shared/reference", relative);
}

static int compare_paths(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

char **test_files(const char *folder, const char *ending, size_t *ret_count)
{
    DIR *d = opendir(folder);
    if (!d)
        return NULL;
    size_t count = 0, cap = 64;
    char **paths = ARENA_ARRAY(&test_arena, char *, cap);
    for (struct dirent *e; (e = readdir(d));) {
        str name = str_from_c(e->d_name);
        if (!str_ends(name, str_from_c(ending)))
            continue;
        if (count == cap) {
            paths = arena_grow(&test_arena, paths, cap * sizeof *paths, 2 * cap * sizeof *paths,
                               _Alignof(char *));
            cap *= 2;
        }
        str stem = str_slice(name, 0, name.n - strlen(ending));
        paths[count++] = str_cstr(&test_arena,
                                  str_format(&test_arena, "%s/%" STR_FMT, folder, STR_ARG(stem)));
    }
    closedir(d);
    qsort(paths, count, sizeof *paths, compare_paths);
    *ret_count = count;
    return paths;
}

str test_read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f)
        FAIL("could not open '%s': %s", path, strerror(errno));
    struct buf b;
    buf_init_arena(&b, &test_arena, (size_t)1 << 30);
    for (;;) {
        char *to = buf_room(&b, 65536);
        size_t n = fread(to, 1, 65536, f);
        buf_commit(&b, n);
        if (n == 0)
            break;
    }
    fclose(f);
    return buf_str(&b);
}

bool test_failure_aborts;

NORETURN static void test_end(int code)
{
    if (code == 1)
        tell_of_failure();
    fflush(stdout);
    fflush(stderr);
    if (code && test_failure_aborts)
        abort();
    arena_done(&test_arena);
    /* A failed test leaves its memory as it was: no use in looking for leaks behind it. */
    if (code == EXIT_PASSED)
        exit(code);
    _exit(code);
}

void test_skip(const char *why)
{
    printf("%s\n", why);
    test_end(EXIT_SKIPPED);
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("%s:%d: ", file, line);
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    test_end(1);
}

static void print_int128(__int128_t v)
{
    if (v < 0)
        printf("-%llu", (unsigned long long)-v);
    else
        printf("%llu", (unsigned long long)v);
}

void test_fail_int(const char *file, int line, const char *what, __int128_t got, __int128_t want)
{
    printf("%s:%d: does not hold: %s\n    left:  ", file, line, what);
    print_int128(got);
    printf("\n    right: ");
    print_int128(want);
    printf("\n");
    test_end(1);
}

str test_str_id(str s)
{
    return s;
}

str test_str_from_c(const char *c)
{
    return str_from_c(c);
}

static void print_text(const char *label, str s)
{
    printf("    %s (%zu bytes): ", label, s.n);
    for (size_t i = 0; i < s.n && i < 4000; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\n')
            printf("\n        ");
        else if (c < 0x20 || c == 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    printf(s.n > 4000 ? " ...\n" : "\n");
}

void test_check_str(const char *file, int line, const char *what, str got, str want)
{
    if (str_eq(got, want))
        return;
    printf("%s:%d: does not hold: %s\n", file, line, what);
    print_text("left ", got);
    print_text("right", want);
    size_t at = 0;
    while (at < got.n && at < want.n && got.p[at] == want.p[at])
        at++;
    printf("    first difference at byte %zu\n", at);
    test_end(1);
}

void test_check_contains(const char *file, int line, const char *what, str got, str want)
{
    if (str_contains(got, want))
        return;
    printf("%s:%d: does not hold: %s\n", file, line, what);
    print_text("text", got);
    print_text("part", want);
    test_end(1);
}

/* The runner. */

struct run {
    const struct test *test;
    pid_t pid;
    int out; /* read end of what the test prints */
    struct buf text;
    int64_t started_ms;
    bool timed_out;
    char dir[256];
};

struct runner {
    struct run runs[JOBS_MAX];
    size_t run_count;
    size_t passed, failed, skipped;
    bool verbose;
    int64_t extra_ms; /* on every deadline */
    const char *label;
    char tmp[128];
    struct buf failed_names;
};

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void start(struct runner *r, const struct test *t)
{
    struct run *run = &r->runs[r->run_count++];
    *run = (struct run){.test = t, .started_ms = now_ms()};
    buf_init(&run->text, OUTPUT_MAX);
    snprintf(run->dir, sizeof run->dir, "%s/%s", r->tmp, t->name);
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        perror("pipe2");
        exit(2);
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0) {
        setpgid(0, 0); /* so that the deadline ends its children too */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipe_fds[1], 1);
        dup2(pipe_fds[1], 2);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        int null_fd = open("/dev/null", O_RDONLY);
        dup2(null_fd, 0);
        close(null_fd);
        snprintf(dir_of_test, sizeof dir_of_test, "%s", run->dir);
        for (size_t i = 0; i < r->run_count; i++)
            buf_done(&r->runs[i].text);
        buf_done(&r->failed_names);
        arena_init(&test_arena, 0);
        watch_failures();
        t->fn();
        test_end(EXIT_PASSED);
    }
    setpgid(pid, pid);
    close(pipe_fds[1]);
    fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    run->pid = pid;
    run->out = pipe_fds[0];
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    remove(path);
    return 0;
}

static void remove_dir(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Reads what is there, but not for ever from a test that never stops printing. What is more than the buffer's maximum is
 * lost, but for its end: there stands why a test failed. */
static void drain(struct run *run)
{
    for (int i = 0; i < DRAIN_READS_MAX; i++) {
        char chunk[4096];
        ssize_t n = read(run->out, chunk, sizeof chunk);
        if (n <= 0)
            return;
        if (run->text.n + (size_t)n > OUTPUT_MAX) {
            struct buf end;
            buf_init(&end, OUTPUT_MAX);
            buf_add_lit(&end, "... (more than 1 MB of output; this is its end)\n");
            buf_add(&end, str_from(buf_str(&run->text), run->text.n - OUTPUT_KEPT));
            buf_done(&run->text);
            run->text = end;
        }
        buf_add(&run->text, str_of(chunk, (size_t)n));
    }
}

static void report(struct runner *r, struct run *run, int status)
{
    const struct test *t = run->test;
    long took = (long)(now_ms() - run->started_ms);
    str text = str_trim(buf_str(&run->text));
    if (!run->timed_out && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_PASSED) {
        r->passed++;
        if (r->verbose)
            printf("ok      %s (%ld ms)%s%" STR_FMT "\n", t->name, took, text.n ? ": " : "", STR_ARG(text));
        return;
    }
    if (!run->timed_out && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
        r->skipped++;
        printf("skipped %s%s: %" STR_FMT "\n", t->name, r->label, STR_ARG(text));
        return;
    }
    r->failed++;
    buf_add_f(&r->failed_names, "    %s%s\n", t->name, r->label);
    printf("FAILED  %s%s (%s:%d, %ld ms, seed %llu): ", t->name, r->label, t->file, t->line, took,
           (unsigned long long)seed);
    if (run->timed_out)
        printf("still running at its deadline\n");
    else if (WIFSIGNALED(status))
        printf("killed by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 0)
        printf("ended by exit(0)\n");
    else
        printf("exit status %d\n", WEXITSTATUS(status));
    str line;
    while (str_next(&text, '\n', &line))
        printf("    %" STR_FMT "\n", STR_ARG(line));
}

/* Ends what is over or too late; true when a slot came free. */
static bool reap(struct runner *r)
{
    bool freed = false;
    for (size_t i = 0; i < r->run_count;) {
        struct run *run = &r->runs[i];
        int64_t deadline_ms =
            (int64_t)run->test->deadline_s * 1000 * (SANITIZED ? DEADLINE_FACTOR_SANITIZED : 1) + r->extra_ms;
        drain(run);
        int status;
        pid_t got = waitpid(run->pid, &status, WNOHANG);
        if (got == 0) {
            if (!run->timed_out && now_ms() - run->started_ms > deadline_ms) {
                run->timed_out = true;
                kill(-run->pid, SIGKILL);
            }
            i++;
            continue;
        }
        kill(-run->pid, SIGKILL); /* whatever it left running */
        drain(run);
        report(r, run, status);
        fflush(stdout);
        close(run->out);
        buf_done(&run->text);
        remove_dir(run->dir);
        r->runs[i] = r->runs[--r->run_count];
        freed = true;
    }
    return freed;
}

static void wait_for_news(struct runner *r)
{
    struct pollfd fds[JOBS_MAX];
    for (size_t i = 0; i < r->run_count; i++)
        fds[i] = (struct pollfd){.fd = r->runs[i].out, .events = POLLIN};
    poll(fds, r->run_count, 20);
    /* A test that closed its output but lives on would make poll return at once: do not spin on it. */
    for (size_t i = 0; i < r->run_count; i++)
        if (fds[i].revents == POLLHUP)
            usleep(500);
}

static void run_all(struct runner *r, const struct test *const *tests, size_t count, size_t jobs)
{
    size_t next = 0;
    while (next < count || r->run_count) {
        while (next < count && r->run_count < jobs)
            start(r, tests[next++]);
        if (!reap(r))
            wait_for_news(r);
    }
}

static int by_deadline_then_name(const void *pa, const void *pb)
{
    const struct test *a = *(const struct test *const *)pa, *b = *(const struct test *const *)pb;
    if (a->deadline_s != b->deadline_s)
        return a->deadline_s > b->deadline_s ? -1 : 1; /* the long ones first */
    return strcmp(a->name, b->name);
}

/* Every fuzz target is a test too: its corpus, replayed. */
static const struct fuzz_target *target_of_name(const char *name)
{
    for (const struct fuzz_target *const *t = __start_skiff_fuzz; t < __stop_skiff_fuzz; t++)
        if (strcmp((*t)->name, name) == 0)
            return *t;
    return NULL;
}

const struct fuzz_target *fuzz_target_find(const char *name)
{
    return target_of_name(name);
}

void fuzz_targets_list(void)
{
    for (const struct fuzz_target *const *t = __start_skiff_fuzz; t < __stop_skiff_fuzz; t++)
        printf("%s\n", (*t)->name);
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void feed_copy(const struct fuzz_target *t, const char *p, size_t n)
{
    /* A copy of the exact size, so that the address sanitizer sees a read past the end. */
    uint8_t *copy = mem_dup(p, n);
    t->fn(copy, n);
    mem_free(copy);
}

static void mutate_and_feed(const struct fuzz_target *t, str input, uint64_t *random, size_t rounds)
{
    for (size_t round = 0; round < rounds; round++) {
        size_t n = input.n;
        char *copy = mem_alloc(n + 8);
        if (n)
            memcpy(copy, input.p, n);
        size_t changes = 1 + next_random(random) % 3;
        for (size_t i = 0; i < changes && n; i++) {
            size_t at = next_random(random) % n;
            switch (next_random(random) % 4) {
            case 0: copy[at] = (char)next_random(random); break;
            case 1: copy[at] = (char)(copy[at] ^ 1 << next_random(random) % 8); break;
            case 2: n = at; break;
            case 3: copy[at] = input.p[next_random(random) % input.n]; break;
            }
        }
        feed_copy(t, copy, n);
        mem_free(copy);
    }
}

static void replay_corpus(void)
{
    const char *name = strrchr(dir_of_test, '/') + strlen("/fuzz_");
    const struct fuzz_target *t = target_of_name(name);
    ASSERT(t);
    uint64_t random = seed;
    t->fn((const uint8_t *)"", 0);
    const char *folder = test_path(str_format(&test_arena, "corpus/%s", name).p);
    DIR *d = opendir(folder);
    if (!d)
        FAIL("fuzz target '%s' has no corpus: make a folder '%s' with a few inputs", name, folder);
    size_t inputs = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        str input = test_read_file(path_under(folder, e->d_name));
        feed_copy(t, input.p, input.n);
        mutate_and_feed(t, input, &random, input.n > 20000 ? 10 : 50);
        inputs++;
    }
    closedir(d);
    CHECK_GT(inputs, 0);
}

static size_t collect(struct arena *a, const struct test ***ret, const char *filter)
{
    size_t test_count = (size_t)(__stop_skiff_tests - __start_skiff_tests);
    size_t fuzz_count = (size_t)(__stop_skiff_fuzz - __start_skiff_fuzz);
    const struct test **tests = ARENA_ARRAY(a, const struct test *, test_count + fuzz_count + 1);
    size_t n = 0;
    for (size_t i = 0; i < test_count; i++)
        if (!filter || strstr(__start_skiff_tests[i]->name, filter))
            tests[n++] = __start_skiff_tests[i];
    for (size_t i = 0; i < fuzz_count; i++) {
        const char *name = str_format(a, "fuzz_%s", __start_skiff_fuzz[i]->name).p;
        if (filter && !strstr(name, filter))
            continue;
        struct test *t = ARENA_NEW(a, struct test);
        *t = (struct test){.name = name,
                           .file = "tests/harness/test.c",
                           .line = __LINE__,
                           .deadline_s = 60,
                           .fn = replay_corpus};
        tests[n++] = t;
    }
    qsort(tests, n, sizeof *tests, by_deadline_then_name);
    *ret = tests;
    return n;
}

/* A name finds one test, and its folder is its own. */
static bool named_twice(const struct test *const *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(tests[i]->name, tests[k]->name) == 0) {
                fprintf(stderr, "skiff-test: two tests are named '%s': %s and %s\n", tests[i]->name,
                        tests[i]->file, tests[k]->file);
                return true;
            }
        }
    }
    return false;
}

static void usage(void)
{
    puts(
        "usage: skiff-test [--filter TEXT] [--jobs N] [--seed N] [--label TEXT] [--counts FILE] [--list] [-v]\n"
        "  --filter TEXT   only tests whose name contains TEXT\n"
        "  --jobs N        how many at once (default: cores, at least 2)\n"
        "  --seed N        the number test_seed() gives (default: random; printed with each failure)\n"
        "  --label TEXT    added to names in reports\n"
        "  --counts FILE   writes 'PASSED FAILED SKIPPED' there\n"
        "  --list          names only\n"
        "  -v              passed tests too, with what they printed");
}

int test_main(int argc, char **argv)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct runner *r = ARENA_NEW(&a, struct runner);
    const char *filter = NULL, *counts = NULL;
    bool list = false;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = cores < 2 ? 2 : (size_t)cores;
    r->label = "";
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint64_t)now_ms();
    seed %= 1000000000; /* short enough to type */
    const char *seed_text = getenv("SKIFF_SEED"), *seconds_text = getenv("SKIFF_SIM_SECONDS");
    int64_t seconds = 0; /* that simulated runs go on for, see sim_run.h */
    if (seconds_text && str_parse_i64(str_from_c(seconds_text), &seconds))
        r->extra_ms = seconds * 2000;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        uint64_t number = 0;
        if (strcmp(arg, "--list") == 0)
            list = true;
        else if (strcmp(arg, "-v") == 0)
            r->verbose = true;
        else if (strcmp(arg, "--filter") == 0 && value)
            filter = value[0] ? value : NULL, i++;
        else if (strcmp(arg, "--label") == 0 && value)
            r->label = value, i++;
        else if (strcmp(arg, "--counts") == 0 && value)
            counts = value, i++;
        else if (strcmp(arg, "--seed") == 0 && value)
            seed_text = value, i++;
        else if (strcmp(arg, "--jobs") == 0 && value && str_parse_u64(str_from_c(value), &number) && number)
            jobs = (size_t)number, i++;
        else
            return usage(), 2;
    }
    if (seed_text && seed_text[0] && !str_parse_u64(str_from_c(seed_text), &seed))
        return fprintf(stderr, "skiff-test: seed '%s' is not a number\n", seed_text), 2;

    const struct test **tests;
    size_t count = collect(&a, &tests, filter);
    if (named_twice(tests, count))
        return 2;
    if (list) {
        for (size_t i = 0; i < count; i++)
            puts(tests[i]->name);
        return 0;
    }
    snprintf(r->tmp, sizeof r->tmp, "/tmp/skiff-test-XXXXXX");
    if (!mkdtemp(r->tmp)) {
        perror("could not make a folder in /tmp");
        return 2;
    }
    buf_init(&r->failed_names, (size_t)1 << 20);
    run_all(r, tests, count, size_min(jobs, JOBS_MAX));
    remove_dir(r->tmp);
    if (r->failed)
        printf("failed:\n%" STR_FMT, STR_ARG(buf_str(&r->failed_names)));
    if (counts) {
        FILE *f = fopen(counts, "we");
        if (!f || fprintf(f, "%zu %zu %zu\n", r->passed, r->failed, r->skipped) < 0 || fclose(f) != 0) {
            perror(counts);
            return 2;
        }
    } else {
        printf("%zu passed, %zu failed, %zu skipped\n", r->passed, r->failed, r->skipped);
    }
    bool bad = r->failed || count == 0;
    buf_done(&r->failed_names);
    return bad;
}
