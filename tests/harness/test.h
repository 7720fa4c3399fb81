/* test.h - tests that register themselves, run in parallel, each in a process of its own.
 *
 *     TEST(lease_lives_for_its_full_ttl_and_not_longer)
 *     {
 *         CHECK_EQ(lease_count(l), 1);
 *     }
 *
 * The name is a sentence that can be false. A check that fails prints both values and ends the test. A test that
 * crashes, leaks (under the sanitizers), or outlives its deadline fails, and the others go on.
 * `make test T=part_of_a_name` runs some of them. */
#ifndef HARNESS_TEST_H
#define HARNESS_TEST_H

#include "base/err.h"
#include "base/str.h"

typedef void test_fn(void);

struct test {
    const char *name;
    const char *file;
    int line;
    int deadline_s;
    test_fn *fn;
};

#define TEST_DEADLINE_S 20

#define TEST_WITHIN(test_name, seconds)                                                                  \
    static void test_##test_name(void);                                                                  \
    static const struct test test_info_##test_name = {                                                   \
        .name = #test_name,                                                                              \
        .file = __FILE__,                                                                                \
        .line = __LINE__,                                                                                \
        .deadline_s = (seconds),                                                                         \
        .fn = test_##test_name,                                                                          \
    };                                                                                                   \
    __attribute__((section("skiff_tests"),                                                               \
                   used)) static const struct test *const test_ref_##test_name = &test_info_##test_name; \
    static void test_##test_name(void)

/* Seconds of wall time; several times as much under the sanitizers. */
#define TEST(test_name) TEST_WITHIN(test_name, TEST_DEADLINE_S)

/* A fuzz target: one input, checked for a property (decode, encode and decode again agree), never only for crashes.
 *
 *     FUZZ(json)
 *     {
 *         ... data, size ...
 *     }
 *
 * `make fuzz T=json SECONDS=60` lets libFuzzer look for inputs; `make test` replays every file of
 * tests/corpus/json/, and some thousand random mutations of them, as a test of its own (fuzz_json). */
struct fuzz_target {
    const char *name;
    void (*fn)(const uint8_t *data, size_t size);
};

#define FUZZ(target_name)                                                                                \
    static void fuzz_##target_name(const uint8_t *data, size_t size);                                    \
    static const struct fuzz_target fuzz_info_##target_name = {.name = #target_name,                     \
                                                               .fn = fuzz_##target_name};                \
    __attribute__((                                                                                      \
        section("skiff_fuzz"),                                                                           \
        used)) static const struct fuzz_target *const fuzz_ref_##target_name = &fuzz_info_##target_name; \
    static void fuzz_##target_name(const uint8_t *data, size_t size)

/* The same number through one run, another in each run unless SKIFF_SEED is set; printed with every failure. */
uint64_t test_seed(void);
const char *test_name(void);
/* When this test fails, by a check or an ASSERT, `fn(ctx)` is called before it ends: to print what led there. The newest
 * call counts; NULL: nothing. */
void test_on_failure(void (*fn)(void *ctx), void *ctx);
/* An empty folder of this test's own, removed after it. */
const char *test_dir(void);
/* Path of a file under tests/ ("corpus/json/a.json"), and of the reference facts ("api/fields.tsv"). */
const char *test_path(const char *relative);
const char *test_reference_path(const char *relative);
/* Whole file, living as long as the test; fails the test when it cannot be read. */
str test_read_file(const char *path);
/* Paths of the files of a folder that end so, without the ending, in order of names. They and the list live as long as
 * the test; NULL: there is no such folder. */
char **test_files(const char *folder, const char *ending, size_t *ret_count);

/* Ends the test, counted as skipped, with the reason. */
NORETURN void test_skip(const char *why);
#define TEST_NEEDS_ROOT()            \
    do {                             \
        if (!test_is_root())         \
            test_skip("needs root"); \
    } while (0)
bool test_is_root(void);
/* True under any sanitizer: loops of a test may be shorter there. */
bool test_is_sanitized(void);

NORETURN void test_fail(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define CHECK(cond)                                                    \
    do {                                                               \
        if (!(cond))                                                   \
            test_fail(__FILE__, __LINE__, "does not hold: %s", #cond); \
    } while (0)

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Integers of any width, compared as what they are: CHECK_EQ(-1, 4294967295u) fails. */
#define CHECK_EQ(got, want) CHECK_INT_(got, ==, want)
#define CHECK_NE(got, want) CHECK_INT_(got, !=, want)
#define CHECK_LT(got, want) CHECK_INT_(got, <, want)
#define CHECK_LE(got, want) CHECK_INT_(got, <=, want)
#define CHECK_GT(got, want) CHECK_INT_(got, >, want)
#define CHECK_GE(got, want) CHECK_INT_(got, >=, want)
#define CHECK_INT_(got, op, want)                                                   \
    do {                                                                            \
        __int128_t got_ = (__int128_t)(got), want_ = (__int128_t)(want);            \
        if (!(got_ op want_))                                                       \
            test_fail_int(__FILE__, __LINE__, #got " " #op " " #want, got_, want_); \
    } while (0)
NORETURN void test_fail_int(const char *file, int line, const char *what, __int128_t got, __int128_t want);

/* Text: each side a str or a C string. */
#define CHECK_STR(got, want) \
    test_check_str(__FILE__, __LINE__, #got " is " #want, TEST_STR_(got), TEST_STR_(want))
#define TEST_STR_(x) \
    _Generic((x), str : test_str_id, char * : test_str_from_c, const char * : test_str_from_c)(x)
str test_str_id(str s);
str test_str_from_c(const char *c);
void test_check_str(const char *file, int line, const char *what, str got, str want);
/* `got` contains `want`. */
#define CHECK_CONTAINS(got, want) \
    test_check_contains(__FILE__, __LINE__, #got " contains " #want, TEST_STR_(got), TEST_STR_(want))
void test_check_contains(const char *file, int line, const char *what, str got, str want);

/* A call that takes `&e`, a struct err declared by the macro:  CHECK_OK(json_parse(&a, text, NULL, &tree, &e));
 * CHECK_ERR(SYNTAX, "line 3", json_parse(..., &e)): the code, and a part of the message. */
#define CHECK_OK(call)                                                                          \
    do {                                                                                        \
        struct err e = ERR_INIT;                                                                \
        if ((call) != ERR_NONE)                                                                 \
            test_fail(__FILE__, __LINE__, "%s failed: %s: %s", #call, err_name(e.code), e.msg); \
    } while (0)
#define CHECK_ERR(want_code, want_text, call)                                                         \
    do {                                                                                              \
        struct err e = ERR_INIT;                                                                      \
        err_code code_ = (call);                                                                      \
        if (code_ == ERR_NONE)                                                                        \
            test_fail(__FILE__, __LINE__, "%s succeeded, should fail with %s", #call, #want_code);    \
        if (code_ != ERR_##want_code || e.code != code_)                                              \
            test_fail(__FILE__, __LINE__, "%s failed with %s (returned %s), should be %s: %s", #call, \
                      err_name(e.code), err_name(code_), #want_code, e.msg);                          \
        test_check_contains(__FILE__, __LINE__, #call " says " want_text, test_str_from_c(e.msg),     \
                            S(want_text));                                                            \
    } while (0)

#endif
