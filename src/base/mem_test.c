#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "harness/test.h"

static void count_up(void *p)
{
    (*(int *)p)++;
}

TEST(arena_serves_past_its_budget_but_says_so)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 1000);
    for (int i = 0; i < 10; i++)
        memset(arena_alloc(&a, 100, 8), 'x', 100);
    CHECK(!arena_exceeded(&a));
    CHECK(arena_alloc(&a, 1, 1) != NULL);
    CHECK(arena_exceeded(&a));
    CHECK_ERR(TOO_LARGE, "used up", arena_check(&a, &e));
}

TEST(arena_aligns_and_keeps_allocations_apart)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    char *last = NULL;
    for (size_t i = 1; i < 3000; i++) {
        size_t align = (size_t)1 << i % 7;
        char *p = arena_alloc(&a, i % 517, align);
        CHECK_EQ((uintptr_t)p & (align - 1), 0);
        memset(p, (int)(i & 0xff), i % 517);
        if (last && (i - 1) % 517)
            CHECK_EQ((unsigned char)*last, (i - 1) & 0xff);
        last = p;
    }
    char *big = arena_alloc(&a, 10u << 20, 16);
    memset(big, 1, 10u << 20);
    arena_reset(&a);
    CHECK_EQ(a.used, 0);
    memset(arena_alloc(&a, 100, 8), 2, 100);
}

TEST(arena_grow_keeps_what_was_there)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    char *p = arena_alloc(&a, 4, 1);
    memcpy(p, "abcd", 4);
    p = arena_grow(&a, p, 4, 8, 1);
    arena_alloc(&a, 1, 1);
    p = arena_grow(&a, p, 8, 5000, 1);
    CHECK_STR(str_of(p, 4), "abcd");
}

TEST(arena_releases_what_it_holds_exactly_once)
{
    int released = 0;
    struct arena a;
    arena_init(&a, 0);
    arena_hold(&a, count_up, &released);
    arena_hold(&a, count_up, &released);
    arena_reset(&a);
    CHECK_EQ(released, 2);
    arena_hold(&a, count_up, &released);
    arena_done(&a);
    CHECK_EQ(released, 3);
}

TEST(buf_fails_once_and_stays_whole)
{
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 8);
    buf_add_lit(&b, "12345");
    buf_add_i64(&b, -123);
    CHECK(buf_check(&b, &(struct err){0}) != ERR_NONE);
    buf_add_c(&b, 'x');
    CHECK_STR(buf_str(&b), "12345");
    buf_clear(&b);
    buf_add_i64(&b, INT64_MIN / 1000000000000000);
    CHECK_STR(buf_str(&b), "-9223");
    CHECK_OK(buf_check(&b, &e));
}

TEST(buf_has_room_for_nothing)
{
    struct buf b;
    buf_init(&b, 0);
    CHECK(buf_room(&b, 0) != NULL && !b.failed);
    CHECK(buf_room(&b, 1) == NULL && b.failed);
    CHECK(buf_room(&b, 0) == NULL);
    buf_done(&b);
}

TEST(buf_prints_extremes)
{
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, 4000);
    buf_add_i64(&b, INT64_MIN);
    buf_add_c(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    CHECK_STR(buf_str(&b), "-9223372036854775808 18446744073709551615");
    buf_clear(&b);
    buf_add_f(&b, "%01000d", 7);
    CHECK_EQ(b.n, 1000);
    buf_drop_front(&b, 999);
    CHECK_STR(buf_str(&b), "7");
}

TEST(err_wrap_keeps_the_code_and_puts_context_first)
{
    struct err e = ERR_INIT;
    CHECK_EQ(err_errno(&e, 2, "could not open '%s'", "/x"), ERR_NOT_FOUND);
    CHECK_EQ(e.sys_errno, 2);
    CHECK_EQ(err_wrap(&e, "could not load manifest"), ERR_NOT_FOUND);
    CHECK_STR(e.msg, "could not load manifest: could not open '/x': No such file or directory");
    CHECK_EQ(err_wrap_as(&e, ERR_INTERNAL, "%s", "boot"), ERR_INTERNAL);
    CHECK_STR(err_reason(e.code), "InternalError");
    CHECK_EQ(err_http_status(ERR_EXPIRED), 410);
}

TEST(mem_counts_heap_calls_of_this_thread)
{
    uint64_t before = mem_thread_allocs();
    void *p = mem_alloc(10);
    mem_free(p);
    CHECK_EQ(mem_thread_allocs() - before, 1);
}
