#include "base/arena.h"
#include "base/str.h"
#include "harness/test.h"

TEST(str_cut_and_next_walk_every_piece)
{
    str rest = S("a,,b,"), piece;
    CHECK(str_next(&rest, ',', &piece));
    CHECK_STR(piece, "a");
    CHECK(str_next(&rest, ',', &piece));
    CHECK_STR(piece, "");
    CHECK(str_next(&rest, ',', &piece));
    CHECK_STR(piece, "b");
    CHECK(str_next(&rest, ',', &piece));
    CHECK_STR(piece, "");
    CHECK(!str_next(&rest, ',', &piece));
    str before, after;
    CHECK(!str_cut(S("abc"), '=', &before, &after));
    CHECK_STR(before, "abc");
    CHECK(str_cut(S("k=v=w"), '=', &before, &after));
    CHECK_STR(after, "v=w");
}

TEST(str_numbers_parse_whole_or_not_at_all)
{
    int64_t i;
    uint64_t u;
    CHECK(str_parse_i64(S("-9223372036854775808"), &i));
    CHECK_EQ(i, INT64_MIN);
    CHECK(!str_parse_i64(S("9223372036854775808"), &i));
    CHECK(!str_parse_i64(S(""), &i));
    CHECK(!str_parse_i64(S("-"), &i));
    CHECK(!str_parse_i64(S("+1"), &i));
    CHECK(!str_parse_i64(S("1 "), &i));
    CHECK(str_parse_i64(S("-0000000000000000000000000000007"), &i));
    CHECK_EQ(i, -7);
    CHECK(str_parse_u64(S("18446744073709551615"), &u));
    CHECK_EQ(u, UINT64_MAX);
    CHECK(!str_parse_u64(S("18446744073709551616"), &u));
    CHECK(str_parse_u64_hex(S("fFff"), &u));
    CHECK_EQ(u, 0xffff);
    CHECK(!str_parse_u64_hex(S("10000000000000000"), &u));
}

TEST(str_order_puts_a_prefix_first)
{
    CHECK_LT(str_cmp(S("ab"), S("abc")), 0);
    CHECK_GT(str_cmp(S("b"), S("abc")), 0);
    CHECK_EQ(str_cmp(STR_NONE, S("")), 0);
    CHECK_LT(str_cmp(S("a"), S("\xff")), 0);
}

TEST(str_search_finds_first_last_and_nothing)
{
    CHECK_EQ(str_index(S("hello"), S("ll")), 2);
    CHECK_EQ(str_index(S("hello"), S("lx")), SIZE_MAX);
    CHECK_EQ(str_rindex_c(S("a/b/c"), '/'), 3);
    CHECK_EQ(str_index_c(STR_NONE, '/'), SIZE_MAX);
    CHECK(str_starts(S("kube-system"), S("kube-")));
    CHECK(!str_ends(S("m"), S("am")));
    CHECK_STR(str_trim(S(" \t x y\r\n")), "x y");
    CHECK(str_eq_nocase(S("Content-TYPE"), S("content-type")));
}

TEST(str_cstr_refuses_an_embedded_nul)
{
    struct arena a;
    arena_init(&a, 0);
    CHECK(str_cstr(&a, S("a\0b")) == NULL);
    CHECK_STR(str_cstr(&a, S("ab")), "ab");
    CHECK_STR(str_format(&a, "%s-%d", "x", 7), "x-7");
    CHECK_STR(str_join(&a, (const str[]){S("a"), S("b"), S("c")}, 3, S(", ")), "a, b, c");
    arena_done(&a);
}

TEST(str_hash_depends_on_the_key_the_length_and_every_byte)
{
    uint64_t key[2] = {1, 2}, other[2] = {1, 3};
    CHECK_NE(str_hash_keyed(S("abc"), key), str_hash_keyed(S("abc"), other));
    CHECK_NE(str_hash_keyed(S("abc"), key), str_hash_keyed(S("abd"), key));
    CHECK_NE(str_hash_keyed(S("a\0"), key), str_hash_keyed(S("a"), key));
    CHECK_NE(str_hash(S("a\0")), str_hash(S("a")));
}
