/* file_suite_test.c - what file.h promises, in both worlds. (What survives a crash only the simulator can show.) */
#include "base/arena.h"
#include "base/mem.h"
#include "sys/suite_test.h"

static void dir_closep(struct dir **d)
{
    dir_close(*d);
}

static void file_closep(struct file **f)
{
    file_close(*f);
}

static struct dir *open_dir(struct suite_world *w)
{
    struct dir *d;
    CHECK_OK(dir_open(w->env, str_from_c(w->dir), DIR_CREATE, &d, &e));
    return d;
}

static void put(struct dir *d, const char *path, str content)
{
    struct file *f;
    CHECK_OK(file_open(d, str_from_c(path), FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &f, &e));
    CHECK_OK(file_write_at(f, 0, content.p, content.n, &e));
    file_close(f);
}

static void check_content(struct dir *d, const char *path, str want)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str got;
    CHECK_OK(file_read_all(d, str_from_c(path), &a, 1 << 20, &got, &e));
    CHECK_STR(got, want);
}

/* Names, joined by spaces. */
static void check_names(struct dir *d, const char *want)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str *names;
    size_t count;
    CHECK_OK(dir_list(d, &a, &names, &count, &e));
    CHECK_STR(str_join(&a, names, count, S(" ")), want);
}

SUITE_TEST(a_file_holds_what_was_written_where_it_was_written)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    CLEANUP(file_closep) struct file *f = NULL;
    CHECK_OK(file_open(d, S("f"), FILE_READ | FILE_WRITE | FILE_CREATE, &f, &e));
    CHECK_OK(file_write_at(f, 6, "world", 5, &e));
    CHECK_OK(file_write_at(f, 0, "hello", 5, &e));
    char got[20];
    size_t n;
    CHECK_OK(file_read_at(f, 0, got, sizeof got, &n, &e));
    CHECK_STR(str_of(got, n), str_of("hello\0world", 11));
    CHECK_OK(file_read_at(f, 8, got, 2, &n, &e));
    CHECK_STR(str_of(got, n), "rl");
    CHECK_OK(file_read_at(f, 11, got, 5, &n, &e));
    CHECK_EQ(n, 0);
    CHECK_OK(file_read_at(f, 1000, got, 5, &n, &e));
    CHECK_EQ(n, 0);
    CHECK_OK(file_write_at(f, 3, NULL, 0, &e));
    CHECK_OK(file_sync(f, &e));
}

SUITE_TEST(a_files_size_is_what_was_written_or_truncated_to)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    CLEANUP(file_closep) struct file *f = NULL;
    uint64_t size;
    CHECK_OK(file_open(d, S("f"), FILE_READ | FILE_WRITE | FILE_CREATE, &f, &e));
    CHECK_OK(file_size(f, &size, &e));
    CHECK_EQ(size, 0);
    CHECK_OK(file_write_at(f, 100000, "x", 1, &e));
    CHECK_OK(file_size(f, &size, &e));
    CHECK_EQ(size, 100001);
    CHECK_OK(file_truncate(f, 3, &e));
    CHECK_OK(file_truncate(f, 5, &e));
    check_content(d, "f", str_of("\0\0\0\0\0", 5));
    CHECK_OK(file_size(f, &size, &e));
    CHECK_EQ(size, 5);
}

SUITE_TEST(megabytes_come_back_as_they_went)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    enum { SIZE = 3000000 };
    char *big = arena_alloc(&a, SIZE, 1);
    for (int i = 0; i < SIZE; i++)
        big[i] = (char)(i * 7 + i / 1000);
    put(d, "big", str_of(big, SIZE));
    str got;
    CHECK_OK(file_read_all(d, S("big"), &a, SIZE, &got, &e));
    CHECK(str_eq(got, str_of(big, SIZE)));
    CHECK_ERR(TOO_LARGE, "3000000", file_read_all(d, S("big"), &a, SIZE - 1, &got, &e));
}

SUITE_TEST(opening_obeys_its_flags)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    struct file *f;
    CHECK_ERR(NOT_FOUND, "'f'", file_open(d, S("f"), FILE_READ, &f, &e));
    CHECK_ERR(NOT_FOUND, "'f'", file_open(d, S("f"), FILE_READ | FILE_WRITE, &f, &e));
    CHECK_ERR(NOT_FOUND, "'no/f'", file_open(d, S("no/f"), FILE_WRITE | FILE_CREATE, &f, &e));
    CHECK_OK(file_open(d, S("f"), FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE, &f, &e));
    CHECK_OK(file_write_at(f, 0, "abc", 3, &e));
    file_close(f);
    CHECK_ERR(ALREADY_EXISTS, "'f'", file_open(d, S("f"), FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE, &f, &e));
    CHECK_OK(file_open(d, S("f"), FILE_WRITE | FILE_CREATE, &f, &e));
    file_close(f);
    check_content(d, "f", S("abc"));
    CHECK_OK(file_open(d, S("f"), FILE_WRITE | FILE_TRUNCATE, &f, &e));
    file_close(f);
    check_content(d, "f", S(""));
}

SUITE_TEST(a_path_that_is_no_name_beneath_is_refused)
{
    static const str bad[] = {S_INIT(""),     S_INIT("/"),    S_INIT("/etc/passwd"), S_INIT(".."),
                              S_INIT("."),    S_INIT("../x"), S_INIT("a/../b"),      S_INIT("a/.."),
                              S_INIT("a//b"), S_INIT("a/"),   S_INIT("a/./b"),       S_INIT("a\0b"),
                              S_INIT("./a"),  S_INIT("//a")};
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    CHECK_OK(dir_make(d, S("a"), &e));
    struct file *f;
    struct dir *sub;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        CHECK_ERR(INVALID, "path", file_open(d, bad[i], FILE_WRITE | FILE_CREATE, &f, &e));
        CHECK_ERR(INVALID, "path", dir_make(d, bad[i], &e));
        CHECK_ERR(INVALID, "path", dir_remove(d, bad[i], &e));
        CHECK_ERR(INVALID, "path", dir_rename(d, bad[i], S("x"), &e));
        CHECK_ERR(INVALID, "path", dir_rename(d, S("a"), bad[i], &e));
        CHECK_ERR(INVALID, "path", dir_lock(d, bad[i], &f, &e));
        CHECK_ERR(INVALID, "path", dir_open_beneath(d, bad[i], DIR_CREATE, &sub, &e));
        CHECK_ERR(INVALID, "path", file_replace(d, bad[i], S("x"), &e));
    }
    char name[300];
    memset(name, 'n', sizeof name);
    CHECK_ERR(INVALID, "255", dir_make(d, str_of(name, 256), &e));
    CHECK_OK(dir_make(d, str_of(name, 255), &e));
}

SUITE_TEST(a_list_is_in_byte_order_and_leaves_nothing_out)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    check_names(d, "");
    put(d, "b", S("1"));
    put(d, "a", S("2"));
    put(d, "B", S("3"));
    put(d, ".hidden", S("4"));
    put(d, "a-b", S("5"));
    CHECK_OK(dir_make(d, S("sub"), &e));
    put(d, "sub/inner", S("6"));
    check_names(d, ".hidden B a a-b b sub");
    CLEANUP(dir_closep) struct dir *sub = NULL;
    CHECK_OK(dir_open_beneath(d, S("sub"), 0, &sub, &e));
    check_names(sub, "inner");
    CHECK_OK(dir_sync(d, &e));
}

SUITE_TEST(a_rename_replaces_and_an_open_file_goes_with_its_name)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    CLEANUP(file_closep) struct file *f = NULL;
    put(d, "old", S("old"));
    put(d, "new", S("new"));
    CHECK_OK(dir_make(d, S("sub"), &e));
    CHECK_OK(file_open(d, S("new"), FILE_WRITE, &f, &e));
    CHECK_OK(dir_rename(d, S("new"), S("old"), &e));
    CHECK_OK(file_write_at(f, 0, "N", 1, &e));
    check_content(d, "old", S("New"));
    CHECK_OK(dir_rename(d, S("old"), S("sub/moved"), &e));
    check_content(d, "sub/moved", S("New"));
    check_names(d, "sub");
    CHECK_ERR(NOT_FOUND, "'old'", dir_rename(d, S("old"), S("x"), &e));
}

SUITE_TEST(removing_takes_files_and_empty_directories)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    CLEANUP(file_closep) struct file *f = NULL;
    CHECK_OK(dir_make(d, S("sub"), &e));
    CHECK_ERR(ALREADY_EXISTS, "'sub'", dir_make(d, S("sub"), &e));
    CHECK_ERR(NOT_FOUND, "'no/sub'", dir_make(d, S("no/sub"), &e));
    put(d, "sub/f", S("still here"));
    CHECK_ERR(CONFLICT, "'sub'", dir_remove(d, S("sub"), &e));
    CHECK_OK(file_open(d, S("sub/f"), FILE_READ, &f, &e));
    CHECK_OK(dir_remove(d, S("sub/f"), &e));
    CHECK_ERR(NOT_FOUND, "'sub/f'", dir_remove(d, S("sub/f"), &e));
    CHECK_OK(dir_remove(d, S("sub"), &e));
    check_names(d, "");
    /* Who has it open reads on. */
    char got[20];
    size_t n;
    CHECK_OK(file_read_at(f, 0, got, sizeof got, &n, &e));
    CHECK_STR(str_of(got, n), "still here");
}

SUITE_TEST(a_lock_is_held_once_and_until_closed)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    struct file *lock, *other;
    CHECK_OK(dir_lock(d, S("lock"), &lock, &e));
    CHECK_ERR(CONFLICT, "'lock'", dir_lock(d, S("lock"), &other, &e));
    CHECK_OK(dir_lock(d, S("another"), &other, &e));
    file_close(other);
    file_close(lock);
    CHECK_OK(dir_lock(d, S("lock"), &lock, &e));
    file_close(lock);
}

SUITE_TEST(a_replacement_is_whole_and_leaves_nothing_beside_it)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    CHECK_OK(file_replace(d, S("f"), S("a long first content"), &e));
    check_content(d, "f", S("a long first content"));
    CHECK_OK(file_replace(d, S("f"), S("short"), &e));
    check_content(d, "f", S("short"));
    CHECK_OK(dir_make(d, S("sub"), &e));
    CHECK_OK(file_replace(d, S("sub/f"), S("inner"), &e));
    check_content(d, "sub/f", S("inner"));
    CHECK_OK(file_replace(d, S("f"), S(""), &e));
    check_content(d, "f", S(""));
    CHECK_ERR(NOT_FOUND, "'no'", file_replace(d, S("no/f"), S("x"), &e));
    /* What a crashed one left behind does no harm. */
    put(d, ".f.new", S("half written by a former life, and longer than what comes now"));
    CHECK_OK(file_replace(d, S("f"), S("good"), &e));
    check_content(d, "f", S("good"));
    check_names(d, "f sub");
}

SUITE_TEST(directories_are_made_only_when_asked_for)
{
    struct dir *d;
    CHECK_ERR(NOT_FOUND, "could not open directory", dir_open(w->env, str_from_c(w->dir), 0, &d, &e));
    d = open_dir(w);
    struct dir *sub;
    CHECK_ERR(NOT_FOUND, "'x/y/z'", dir_open_beneath(d, S("x/y/z"), 0, &sub, &e));
    CHECK_OK(dir_open_beneath(d, S("x/y/z"), DIR_CREATE, &sub, &e));
    put(sub, "f", S("deep"));
    dir_close(sub);
    check_content(d, "x/y/z/f", S("deep"));
    CHECK_OK(dir_open_beneath(d, S("x/y"), DIR_CREATE, &sub, &e));
    check_names(sub, "z");
    dir_close(sub);
    dir_close(d);
    CHECK_OK(dir_open(w->env, str_from_c(w->dir), 0, &d, &e));
    check_content(d, "x/y/z/f", S("deep"));
    dir_close(d);
}

SUITE_TEST(a_directory_is_not_a_file_nor_a_file_a_directory)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    struct file *f;
    struct dir *sub;
    CHECK_OK(dir_make(d, S("sub"), &e));
    put(d, "f", S("x"));
    CHECK_ERR(INVALID, "'sub'", file_open(d, S("sub"), FILE_READ, &f, &e));
    CHECK_ERR(INVALID, "'sub'", file_open(d, S("sub"), FILE_WRITE, &f, &e));
    CHECK_ERR(INVALID, "'f'", dir_open_beneath(d, S("f"), 0, &sub, &e));
    CHECK_ERR(INVALID, "'f/g'", file_open(d, S("f/g"), FILE_READ, &f, &e));
    CHECK_ERR(INVALID, "'f/g'", dir_make(d, S("f/g"), &e));
    CHECK_ERR(INVALID, "'sub'", dir_rename(d, S("f"), S("sub"), &e));
}

SUITE_TEST(a_file_opened_for_reading_is_not_written)
{
    CLEANUP(dir_closep) struct dir *d = open_dir(w);
    CLEANUP(file_closep) struct file *f = NULL;
    struct err why = ERR_INIT;
    put(d, "f", S("x"));
    CHECK_OK(file_open(d, S("f"), FILE_READ, &f, &e));
    CHECK_NE(file_write_at(f, 0, "y", 1, &why), ERR_NONE);
    check_content(d, "f", S("x"));
}
