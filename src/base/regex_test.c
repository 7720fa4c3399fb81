#include "base/arena.h"
#include "base/buf.h"
#include "base/regex_priv.h"
#include "harness/test.h"

/* As a table, if it becomes one, or as the program that it always is first. */
static const struct regex *compile(struct arena *a, str pattern, bool table)
{
    struct err e = ERR_INIT;
    const struct regex *re = NULL;
    struct regex_node *tree;
    struct regex *program = NULL;
    uint64_t steps = REGEX_BUILD_STEPS;
    if (table ? regex_compile(a, pattern, &steps, &re, &e)
              : regex_parse(a, pattern, &steps, &tree, &e) || regex_assemble(a, tree, pattern, &program, &e))
        FAIL("%.*s: %s", STR_ARG(pattern), e.msg);
    return table ? re : program;
}

static void check_match(str pattern, str text, bool want)
{
    for (int table = 0; table < 2; table++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        uint64_t steps = REGEX_MATCH_STEPS;
        enum regex_result got = regex_match(compile(&a, pattern, table), text, &steps);
        if (got != (want ? REGEX_YES : REGEX_NO))
            FAIL("/%.*s/ on \"%.*s\" as a %s: %d", STR_ARG(pattern), STR_ARG(text),
                 table ? "table" : "program", (int)got);
    }
}

static void check_matches(str pattern, str texts, bool want)
{
    str text;
    while (texts.n && str_next(&texts, ' ', &text))
        check_match(pattern, str_is(text, "_") ? STR_NONE : text, want);
}

TEST(regex_matches_what_it_should)
{
    static const struct {
        str pattern, yes, no; /* separated by spaces; _ stands for the empty text */
    } cases[] = {
        {S_INIT("abc"), S_INIT("abc xabcx"), S_INIT("ab _")},
        {S_INIT("^abc$"), S_INIT("abc"), S_INIT("xabc abcx abc\n")},
        {S_INIT(""), S_INIT("_ abc"), S_INIT("")},
        {S_INIT("^$"), S_INIT("_"), S_INIT("a \n")},
        {S_INIT("$^"), S_INIT("_"), S_INIT("a ab")},
        {S_INIT("a|b|cd"), S_INIT("a xb cd"), S_INIT("c d")},
        {S_INIT("^(a|b|cd)$"), S_INIT("a b cd"), S_INIT("c ab acd")},
        {S_INIT("^(a|)b$"), S_INIT("ab b"), S_INIT("aab a")},
        {S_INIT("^a*b+c?$"), S_INIT("b aabbc bc"), S_INIT("a ac bcc")},
        {S_INIT("^a{2}$"), S_INIT("aa"), S_INIT("a aaa")},
        {S_INIT("^a{2,}$"), S_INIT("aa aaaa"), S_INIT("a _")},
        {S_INIT("^a{1,3}$"), S_INIT("a aa aaa"), S_INIT("_ aaaa")},
        {S_INIT("^a{0}$"), S_INIT("_"), S_INIT("a")},
        {S_INIT("^(ab){2,3}$"), S_INIT("abab ababab"), S_INIT("ab aba abababab")},
        {S_INIT("^(a*)*$"), S_INIT("_ aaa"), S_INIT("b")},
        {S_INIT("^(()|a)+$"), S_INIT("_ aaa"), S_INIT("b")},
        {S_INIT("^()*$"), S_INIT("_"), S_INIT("a")},
        {S_INIT("^a{,2}$"), S_INIT("a{,2}"), S_INIT("a aa")},
        {S_INIT("^a{x}{$"), S_INIT("a{x}{"), S_INIT("a")},
        {S_INIT("^a{01}$"), S_INIT("a{01}"), S_INIT("a")},
        {S_INIT("^a*?b+?c??d{2}?$"), S_INIT("aabcdd"), S_INIT("cdd")},
        {S_INIT("^[a-c]x[^a-c]$"), S_INIT("axd bxx"), S_INIT("dxd axa")},
        {S_INIT("^[]a]$"), S_INIT("] a"), S_INIT("b")},
        {S_INIT("^[^]a]$"), S_INIT("b"), S_INIT("] a")},
        {S_INIT("^[a-]$"), S_INIT("a -"), S_INIT("b")},
        {S_INIT("^[-a]$"), S_INIT("a -"), S_INIT("b")},
        {S_INIT("^[a\\-z]$"), S_INIT("a - z"), S_INIT("b")},
        {S_INIT("^[\\d_]+$"), S_INIT("12_3"), S_INIT("a")},
        {S_INIT("^[^\\d]+$"), S_INIT("ab"), S_INIT("1")},
        {S_INIT("^[\\D]+$"), S_INIT("ab"), S_INIT("1")},
        {S_INIT("^[[:alpha:]-]+$"), S_INIT("a-b"), S_INIT("1")},
        {S_INIT("^[[:^alpha:]]$"), S_INIT("1"), S_INIT("a")},
        {S_INIT("^[[:word:]]+$"), S_INIT("aZ09_"), S_INIT("- \xc3\xa9")},
        {S_INIT("^\\w\\W\\d\\D$"), S_INIT("a-1x"), S_INIT("aa1x")},
        {S_INIT("^\\s\\S$"), S_INIT("\tx \nx"), S_INIT("\vx xx")},
        {S_INIT("^[[:space:]]$"), S_INIT("\v \t"), S_INIT("x")},
        {S_INIT("^\\.\\*\\_\\-$"), S_INIT(".*_-"), S_INIT("a*_-")},
        {S_INIT("^\\x41\\x{42}\\103\\t$"), S_INIT("ABC\t"), S_INIT("ABC")},
        {S_INIT("^\\Qa.b*\\E+$"), S_INIT("a.b* a.b**"), S_INIT("axb* a.b")},
        {S_INIT("\\Qa.b"), S_INIT("a.b"), S_INIT("axb")},
        {S_INIT("^.$"), S_INIT("a \xc3\xa9 \xf0\x9f\x98\x80 \xff"), S_INIT("\n ab")},
        {S_INIT("(?s)^.$"), S_INIT("a \n"), S_INIT("ab")},
        {S_INIT("(?m)^b$"), S_INIT("b a\nb b\na"), S_INIT("ab")},
        {S_INIT("(?i)^stra\xc3\x9f"
                "e$"),
         S_INIT("STRA\xc3\x9f"
                "E stra\xe1\xba\x9e"
                "e \xc5\xbftra\xc3\x9f"
                "e"),
         S_INIT("strase")},
        {S_INIT("(?i)^[k-m]$"), S_INIT("k K M \xe2\x84\xaa"), S_INIT("a")},
        {S_INIT("(?i)^[^k]$"), S_INIT("a"), S_INIT("k K \xe2\x84\xaa")},
        {S_INIT("^a(?i)b(?-i)c$"), S_INIT("abc aBc"), S_INIT("ABc aBC")},
        {S_INIT("^a(?i:b)c$"), S_INIT("abc aBc"), S_INIT("ABc aBC")},
        {S_INIT("^(a(?i)b)c$"), S_INIT("aBc"), S_INIT("aBC")},
        {S_INIT("^a(?i)*$"), S_INIT("_ aaa"), S_INIT("A")},
        {S_INIT("^(?P<x>a)(?<y>b)(?:c)$"), S_INIT("abc"), S_INIT("ab")},
        {S_INIT("\\bfoo\\b"), S_INIT("foo a-foo- foo!"), S_INIT("afoo foob")},
        {S_INIT("\\Bfoo"), S_INIT("afoo"), S_INIT("foo -foo")},
        {S_INIT("\\Aa\\z"), S_INIT("a"), S_INIT("ab ba")},
        {S_INIT("^\\p{Lu}\\pL\\P{L}$"), S_INIT("Aa1 \xc3\x89\xc3\xa9-"), S_INIT("aa1 Aaa")},
        {S_INIT("^\\p{Greek}+$"), S_INIT("\xce\xb1\xce\xa9"), S_INIT("a")},
        {S_INIT("^\\p{^Greek}+$"), S_INIT("a"), S_INIT("\xce\xb1")},
        {S_INIT("^[\\p{Nd}x]+$"), S_INIT("1x\xd9\xa3"), S_INIT("a")},
        {S_INIT("^\xc3\xa9+[\xce\xb1-\xcf\x89]$"), S_INIT("\xc3\xa9\xc3\xa9\xce\xb2"), S_INIT("\xc3\xa9")},
        {S_INIT("^a|b$"), S_INIT("ax xb"), S_INIT("xax")},
        {S_INIT("a.*z"), S_INIT("az xaxzx"), S_INIT("za a\nz")},
        {S_INIT("^a.{3,5}z$"), S_INIT("abcdz abcdefz"), S_INIT("abz abcdefgz")},
        {S_INIT("(a|ab)(c|bcd)(d*)$"), S_INIT("abcd abc acd"), S_INIT("ab")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        check_matches(cases[i].pattern, cases[i].yes, true);
        check_matches(cases[i].pattern, cases[i].no, false);
    }
}

/* What people write into their definitions. */
TEST(regex_understands_the_patterns_of_real_definitions)
{
    static const struct {
        str pattern, yes, no;
    } cases[] = {
        {S_INIT("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
         S_INIT("a a-b.c-d.e 0.0"), S_INIT("-a a- a..b A .a a. a-.b _")},
        {S_INIT("^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+("
                "\\.[0-9]*)?)|(\\.[0-9]+))))?$"),
         S_INIT("1 1.5Gi .5 -3e-2 100m"), S_INIT("1.5.2 Gi 1Kb _")},
        {S_INIT("^([0-9]{1,5}(h|m|s|ms)){1,4}$"), S_INIT("1h 1h30m 100ms"), S_INIT("1 123456s 1h1h1h1h1h")},
        {S_INIT(
             "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$"),
         S_INIT("_ 0 1y2w3d 30s 5ms"), S_INIT("1 1d1y 0s0s")},
        {S_INIT(
             "^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$"),
         S_INIT("1.2.3.4 255.255.255.0"), S_INIT("256.1.1.1 1.2.3 1.2.3.4.5")},
        {S_INIT("^https?://[^\\s/$.?#].[^\\s]*$"), S_INIT("http://example.org/x"), S_INIT("ftp://a http://")},
        {S_INIT("(?i)^(get|put)$"), S_INIT("GET pUt"), S_INIT("gett")},
        {S_INIT("^\\S+$"), S_INIT("abc"), S_INIT("_")},
        {S_INIT("^(\\/|(\\/[^\\/\\n]+)+)$"), S_INIT("/ /a/b"), S_INIT("a //")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        check_matches(cases[i].pattern, cases[i].yes, true);
        check_matches(cases[i].pattern, cases[i].no, false);
    }
}

TEST(regex_refuses_with_the_words_of_go)
{
    static const struct {
        str pattern;
        const char *want;
    } cases[] = {
        {S_INIT("a("), "missing closing ): `a(`"},
        {S_INIT("(a|b"), "missing closing ): `(a|b`"},
        {S_INIT("a)b"), "unexpected ): `a)b`"},
        {S_INIT("x[a"), "missing closing ]: `[a`"},
        {S_INIT("[a-"), "missing closing ]: `[a-`"},
        {S_INIT("[]"), "missing closing ]: `[]`"},
        {S_INIT("[z-a]"), "invalid character class range: `z-a`"},
        {S_INIT("[a-\\d]"), "invalid escape sequence: `\\d`"},
        {S_INIT("[[:foo:]]"), "invalid character class range: `[:foo:]`"},
        {S_INIT("\\p{Foo}x"), "invalid character class range: `\\p{Foo}`"},
        {S_INIT("\\p{Foo"), "invalid character class range: `\\p{Foo`"},
        {S_INIT("\\pX"), "invalid character class range: `\\pX`"},
        {S_INIT("*a"), "missing argument to repetition operator: `*`"},
        {S_INIT("a|+"), "missing argument to repetition operator: `+`"},
        {S_INIT("({2})"), "missing argument to repetition operator: `{2}`"},
        {S_INIT("a**"), "invalid nested repetition operator: `**`"},
        {S_INIT("a+?{2}b"), "invalid nested repetition operator: `+?{2}`"},
        {S_INIT("a{1001}"), "invalid repeat count: `{1001}`"},
        {S_INIT("a{2,1}"), "invalid repeat count: `{2,1}`"},
        {S_INIT("a{1,99999999999}"), "invalid repeat count: `{1,99999999999}`"},
        {S_INIT("(a{100}){11}"), "invalid repeat count: `{11}`"},
        {S_INIT("\\q"), "invalid escape sequence: `\\q`"},
        {S_INIT("(a)\\1"), "invalid escape sequence: `\\1`"},
        {S_INIT("\\C"), "invalid escape sequence: `\\C`"},
        {S_INIT("\\x{110000}"), "invalid escape sequence: `\\x{110000`"},
        {S_INIT("\\xg0"), "invalid escape sequence: `\\xg0`"},
        {S_INIT("\\8"), "invalid escape sequence: `\\8`"},
        {S_INIT("a\\"), "trailing backslash at end of expression: ``"},
        {S_INIT("(?=a)"), "invalid or unsupported Perl syntax: `(?=`"},
        {S_INIT("^(?!a).*$"), "invalid or unsupported Perl syntax: `(?!`"},
        {S_INIT("(?>a)"), "invalid or unsupported Perl syntax: `(?>`"},
        {S_INIT("(?<=a)b"), "invalid named capture: `(?<=a)b`"},
        {S_INIT("(?<!a)b>"), "invalid named capture: `(?<!a)b>`"},
        {S_INIT("(?P<n"), "invalid named capture: `(?P<n`"},
        {S_INIT("(?P<a b>c)"), "invalid named capture: `(?P<a b>`"},
        {S_INIT("(?P=n)"), "invalid or unsupported Perl syntax: `(?P`"},
        {S_INIT("(?i-)a"), "invalid or unsupported Perl syntax: `(?i-)`"},
        {S_INIT("(?i"), "invalid or unsupported Perl syntax: `(?i`"},
        {S_INIT("(?x)a"), "invalid or unsupported Perl syntax: `(?x`"},
        {S_INIT("a\xff"), "invalid UTF-8: `a\xff`"},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        const struct regex *re;
        uint64_t steps = REGEX_BUILD_STEPS;
        if (regex_compile(&a, cases[i].pattern, &steps, &re, &e) != ERR_SYNTAX)
            FAIL("/%.*s/ is taken", STR_ARG(cases[i].pattern));
        CHECK_STR(e.msg, str_format(&a, "error parsing regexp: %s", cases[i].want));
    }
}

/* Built of many of the same. */
static str many(struct arena *a, str piece, size_t count)
{
    struct buf b;
    buf_init_arena(&b, a, piece.n * count);
    for (size_t i = 0; i < count; i++)
        buf_add(&b, piece);
    return buf_str(&b);
}

TEST(regex_refuses_what_would_grow_beyond_its_bounds)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    const str large[] = {
        S("((a{100}){10}){10}"), /* refused by the count already */
        S("(a{1000}){9}"),
        many(&a, S("a{1000}"), 9),
        many(&a, S("(?i)[\\pL\\p{Lu}\\x{100}-\\x{10ffff}]"), 1500),
        many(&a, S("a"), 8193),
        many(&a, S("a|"), 40000),
        many(&a, S("("), 300),
        many(&a, S("a*(?i)"), 300),
        str_concat(&a, S("a"), many(&a, S("*(?i)"), 300)),
        str_concat(&a, many(&a, S("("), 260), many(&a, S(")"), 260)),
    };
    for (size_t i = 0; i < ARRAY_COUNT(large); i++) {
        struct err e = ERR_INIT;
        const struct regex *re;
        uint64_t steps = REGEX_BUILD_STEPS;
        err_code code = regex_compile(&a, large[i], &steps, &re, &e);
        if (i == 7)
            CHECK_EQ(code, ERR_NONE);
        else
            CHECK_EQ(i * 100 + code, i * 100 + (i < 2 ? ERR_SYNTAX : ERR_TOO_LARGE));
    }
    CHECK_LT(a.used, 64 << 20);
}

/* However an expression is made, a step per thread and character is all it takes. */
TEST(regex_time_is_linear_in_the_text)
{
    static const str evil[] = {
        S_INIT("^(a+)+$"),
        S_INIT("^(a|aa)+$"),
        S_INIT("^(a|a?)+$"),
        S_INIT("(a*)*b"),
        S_INIT("^(.*a){12}$"),
        S_INIT("(x+x+)+y"),
        S_INIT("^(([a-z])+.)+[A-Z]([a-z])+$"),
        S_INIT("(.*)(.*)(.*)(.*)(.*)[^a]"),
        S_INIT("^((a{0,9}){0,9}){0,9}$"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(evil); i++)
        for (int table = 0; table < 2; table++) {
            CLEANUP(arena_done) struct arena a;
            arena_init(&a, 0);
            const struct regex *re = compile(&a, evil[i], table);
            uint64_t spent[2];
            for (size_t k = 0; k < 2; k++) {
                uint64_t steps = UINT64_MAX;
                str text = str_concat(&a, many(&a, S("a"), (k + 1) * 1000), S("!"));
                CHECK_NE(regex_match(re, text, &steps), REGEX_GAVE_UP);
                spent[k] = UINT64_MAX - steps;
            }
            CHECK_LE(spent[1], 2 * spent[0] + 1000);
            CHECK_LE(spent[0], 1001 * 2000 * 4);
        }
}

TEST(regex_gives_up_when_its_steps_are_used_up)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str text = many(&a, S("a"), 1000);
    for (int table = 0; table < 2; table++) {
        const struct regex *re = compile(&a, S("^(a|aa)+$"), table);
        uint64_t steps = UINT64_MAX;
        CHECK_EQ(regex_match(re, text, &steps), REGEX_YES);
        uint64_t spent = UINT64_MAX - steps;
        steps = spent;
        CHECK_EQ(regex_match(re, text, &steps), REGEX_YES);
        CHECK_EQ(steps, 0);
        steps = spent - 1;
        CHECK_EQ(regex_match(re, text, &steps), REGEX_GAVE_UP);
    }
}

/* It is stored among other tables, and moved. */
TEST(regex_can_be_copied)
{
    for (int table = 0; table < 2; table++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        const struct regex *re = compile(&a, S("^[a-z\xc3\xa9]+(-[a-z]+)*$"), table);
        CHECK_EQ(regex_size(re) % 4, 0);
        CHECK_LT(regex_size(re), 400);
        char *copy = arena_alloc(&a, regex_size(re) + 4, 8);
        memcpy(copy + 4, re, regex_size(re));
        uint64_t steps = REGEX_MATCH_STEPS;
        CHECK_EQ(
            regex_match((const struct regex *)(const void *)(copy + 4), S("caf\xc3\xa9-au-lait"), &steps),
            REGEX_YES);
        CHECK_EQ(regex_match((const struct regex *)(const void *)(copy + 4), S("caf\xc3\xa9-"), &steps),
                 REGEX_NO);
    }
}
