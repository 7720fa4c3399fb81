#include "api/rules/line_diff.h"
#include "harness/test.h"

TEST(differing_lines_show_in_unified_form)
{
    static const struct {
        const char *old_text, *new_text, *want;
    } cases[] = {
        {"a\nb", "a\nb", ""},
        {"", "a", "@@ -1 +1 @@\n-\n+a\n"},
        {"a\nb\nc", "a\nx\nc", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
        {"a", "a\nb", "@@ -1 +1,2 @@\n a\n+b\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n5\n6\n7\n8\nx", "@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+x\n"},
        /* Six lines between two changes belong to both. */
        {"a\n1\n2\n3\n4\n5\n6\nb", "x\n1\n2\n3\n4\n5\n6\ny",
         "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n"},
        {"a\n1\n2\n3\n4\n5\n6\n7\nb", "x\n1\n2\n3\n4\n5\n6\n7\ny",
         "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+y\n"},
        /* The longest run counts, not the most lines. */
        {"a\nb\nc\nd", "b\nc\na\nd", "@@ -1,4 +1,4 @@\n-a\n b\n c\n+a\n d\n"},
        {"b", "a\nb\nc", "@@ -1 +1,3 @@\n+a\n b\n+c\n"},
        {"a\nb", "c\nd\ne", "@@ -1,2 +1,3 @@\n-a\n-b\n+c\n+d\n+e\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct buf b;
        buf_init_arena(&b, &a, 1 << 16);
        line_diff(&b, &a, str_from_c(cases[i].old_text), str_from_c(cases[i].new_text));
        CHECK_STR(buf_str(&b), cases[i].want);
    }
}

/* 300 lines, every other of which says the same: those start no match. */
TEST(lines_that_stand_everywhere_start_no_match)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct buf x, y, d;
    buf_init_arena(&x, &a, 1 << 16);
    buf_init_arena(&y, &a, 1 << 16);
    buf_init_arena(&d, &a, 1 << 16);
    for (int i = 0; i < 150; i++) {
        buf_add_f(&x, "same\nold %d\n", i);
        buf_add_f(&y, "same\nnew %d\n", i);
    }
    line_diff(&d, &a, buf_str(&x), buf_str(&y));
    /* The ends match because nothing stands before or behind them. */
    CHECK(str_starts(buf_str(&d), S("@@ -1,301 +1,301 @@\n same\n-old 0\n-same\n")));
}

TEST(what_differs_in_too_many_ways_is_replaced)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct buf x, y, d;
    buf_init_arena(&x, &a, 1 << 24);
    buf_init_arena(&y, &a, 1 << 24);
    buf_init_arena(&d, &a, 1 << 24);
    for (int i = 0; i < 40000; i++) {
        buf_add_f(&x, "%d\n", i % 200);
        buf_add_f(&y, "%d\n", (i * 7) % 200);
    }
    line_diff(&d, &a, buf_str(&x), buf_str(&y));
    CHECK(d.n > 0);
}
