#include "base/unicode.h"
#include "base/utf8.h"
#include "harness/test.h"

struct gathered {
    uint32_t count, runs, last;
    uint32_t probe;
    bool ordered, has_probe;
};

static void gather(void *ctx, uint32_t first, uint32_t last)
{
    struct gathered *g = ctx;
    g->ordered &= first <= last && (g->runs == 0 || first > g->last + 1);
    g->has_probe |= first <= g->probe && g->probe <= last;
    g->count += last - first + 1;
    g->last = last;
    g->runs++;
}

static struct gathered class_of(str name, uint32_t probe)
{
    struct gathered g = {.ordered = true, .probe = probe};
    CHECK(unicode_class(name, gather, &g));
    CHECK(g.ordered);
    return g;
}

TEST(unicode_classes_hold_what_they_are_named_for)
{
    static const struct {
        str name;
        uint32_t in, out;
    } cases[] = {
        {S_INIT("Lu"), 'A', 'a'},
        {S_INIT("Ll"), 'a', 'A'},
        {S_INIT("L"), 0xe9, '1'},
        {S_INIT("Lt"), 0x1c5, 'A'},
        {S_INIT("LC"), 'A', 0x5d0},
        {S_INIT("Nd"), 0x663, 'a'},
        {S_INIT("Zs"), 0xa0, '\n'},
        {S_INIT("Cc"), '\n', ' '},
        {S_INIT("Cs"), 0xdfff, 0xe000},
        {S_INIT("Sc"), 0x20ac, 'E'},
        {S_INIT("Greek"), 0x3b1, 'a'},
        {S_INIT("Latin"), 'a', 0x3b1},
        {S_INIT("Han"), 0x4e00, 0xe9},
        {S_INIT("Common"), '1', 'a'},
        {S_INIT("Any"), 0x10ffff, 0x110000},
        {S_INIT("ASCII"), 0x7f, 0x80},
        {S_INIT("Assigned"), 'a', 0x378},
        {S_INIT("Cn"), 0x378, 'a'},
        {S_INIT("Hiragana"), 0x3042, 0x30a2},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (!class_of(cases[i].name, cases[i].in).has_probe ||
            class_of(cases[i].name, cases[i].out).has_probe)
            FAIL("%.*s", STR_ARG(cases[i].name));
    }
    struct gathered g = {0};
    static const str none[] = {S_INIT(""), S_INIT("lu"), S_INIT("X"), S_INIT("Lux"), S_INIT("greek")};
    for (size_t i = 0; i < ARRAY_COUNT(none); i++)
        CHECK(!unicode_class(none[i], gather, &g));
    CHECK_EQ(g.runs, 0);
}

TEST(unicode_every_code_point_is_of_one_category)
{
    static const str majors[] = {S_INIT("L"), S_INIT("M"), S_INIT("N"), S_INIT("P"),
                                 S_INIT("S"), S_INIT("Z"), S_INIT("C")};
    uint32_t total = 0;
    for (size_t i = 0; i < ARRAY_COUNT(majors); i++)
        total += class_of(majors[i], 0).count;
    CHECK_EQ(total, UTF8_MAX + 1);
    CHECK_EQ(class_of(S("Any"), 0).count, UTF8_MAX + 1);
    CHECK_EQ(class_of(S("Any"), 0).runs, 1);
}

struct folds {
    uint32_t of[8];
    size_t count;
};

static void add_fold(void *ctx, uint32_t first, uint32_t last)
{
    struct folds *f = ctx;
    CHECK_EQ(first, last);
    CHECK_LT(f->count, ARRAY_COUNT(f->of));
    f->of[f->count++] = first;
}

static bool folds_to(uint32_t c, uint32_t other)
{
    struct folds f = {.count = 0};
    unicode_fold(c, c, add_fold, &f);
    for (size_t i = 0; i < f.count; i++)
        if (f.of[i] == other)
            return true;
    return false;
}

TEST(unicode_letters_fold_to_all_of_their_cases)
{
    CHECK(folds_to('a', 'A') && folds_to('A', 'a'));
    CHECK(folds_to('k', 'K') && folds_to('k', 0x212a) && folds_to(0x212a, 'k') && folds_to(0x212a, 'K'));
    CHECK(folds_to('s', 0x17f) && folds_to(0xe9, 0xc9) && folds_to(0x3c2, 0x3c3) && folds_to(0x3c2, 0x3a3));
    CHECK(!folds_to('1', '1') && !folds_to('a', 'a') && !folds_to('a', 'b'));
}

static void count_fold(void *ctx, uint32_t first, uint32_t last)
{
    (void)last;
    uint32_t *outside = ctx;
    *outside += first >= 'a' && first <= 'z' ? 0 : 1;
}

TEST(unicode_folding_a_range_tells_only_what_is_outside_of_it)
{
    uint32_t outside = 0;
    unicode_fold('a', 'z', count_fold, &outside);
    CHECK_EQ(outside, 26 + 2); /* the Kelvin sign and the long s */
    outside = 0;
    unicode_fold(0, UTF8_MAX, count_fold, &outside);
    CHECK_EQ(outside, 0);
}

/* Folding is mutual: what c folds to folds to c. */
TEST(unicode_folding_is_symmetric)
{
    for (uint32_t c = 0; c < 0x1f000; c++) {
        struct folds f = {.count = 0};
        unicode_fold(c, c, add_fold, &f);
        for (size_t i = 0; i < f.count; i++)
            if (f.of[i] == c || !folds_to(f.of[i], c))
                FAIL("U+%04x and U+%04x", c, f.of[i]);
    }
}
