#include "base/mem.h"
#include "base/selector.h"
#include "harness/test.h"
#include <stdio.h>

static str printed(struct arena *a, const struct label_selector *sel)
{
    struct buf b;
    buf_init_arena(&b, a, SELECTOR_SIZE_MAX * 2);
    label_selector_format(&b, sel);
    return buf_str(&b);
}

TEST(label_selector_prints_sorted_by_key_with_sorted_values)
{
    static const struct {
        const char *in, *out; /* NULL: the same */
    } cases[] = {
        {"", NULL},
        {"   ", ""},
        {"x", NULL},
        {"!x", NULL},
        {"! x", "!x"},
        {"x=a", NULL},
        {"x==a", NULL},
        {"x!=a", NULL},
        {"x = a , y != b", "x=a,y!=b"},
        {"x>1", NULL},
        {"x<7", NULL},
        {"x=", NULL},
        {"x=,z=a", NULL},
        {"x= ", "x="},
        {"z,a,m", "a,m,z"},
        {"x in (b,a,b)", "x in (a,b)"},
        {"x notin (c)", NULL},
        {"x in ()", NULL},
        {"x in (,)", "x in ()"},
        {"x in (,,a)", "x in (,a)"},
        {"x in (foo,,baz),y,z notin ()", "x in (,baz,foo),y,z notin ()"},
        {"in in (in,notin)", NULL},
        {"notin", NULL},
        {"x=in", NULL},
        {"a=b,a!=c,a", NULL},
        {"example.com/My_Key.1 in (v-1)", NULL},
        {"x\tin\r\n( a )", "x in (a)"},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct label_selector sel;
        CHECK_OK(label_selector_parse(&a, str_from_c(cases[i].in), &sel, &e));
        CHECK_STR(printed(&a, &sel), cases[i].out ? cases[i].out : cases[i].in);
    }
}

#define QUALIFIED                                                                                            \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " \
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "                  \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define VALUE                                                                                                 \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must " \
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "  \
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define REQUIREMENT "unable to parse requirement: "

TEST(label_selector_errors_are_those_of_the_original)
{
    static const struct {
        str in;
        const char *want;
    } cases[] = {
        {S_INIT(","), "found ',', expected: !, identifier, or 'end of string'"},
        {S_INIT("=a"), "found '=', expected: !, identifier, or 'end of string'"},
        {S_INIT("x,"), "found '', expected: identifier after ','"},
        {S_INIT("x,,y"), "found ',', expected: identifier after ','"},
        {S_INIT("x=a y"), "found 'y', expected: ',' or 'end of string'"},
        {S_INIT("!x=y"), "found '=', expected: ',' or 'end of string'"},
        {S_INIT("!"), REQUIREMENT "found '', expected: identifier"},
        {S_INIT("!!x"), REQUIREMENT "found '!', expected: identifier"},
        {S_INIT("x y"), REQUIREMENT "found 'y', expected: in, notin, =, ==, !=, gt, lt"},
        {S_INIT("a\0b"), REQUIREMENT "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
        {S_INIT("x!a"), REQUIREMENT "found '!', expected: in, notin, =, ==, !=, gt, lt"},
        {S_INIT("x=>a"), REQUIREMENT "found '>', expected: identifier"},
        {S_INIT("x==="), REQUIREMENT "found '=', expected: identifier"},
        {S_INIT("x=(a)"), REQUIREMENT "found '(', expected: identifier"},
        {S_INIT("x in"), REQUIREMENT "found '' expected: '('"},
        {S_INIT("x in a"), REQUIREMENT "found 'a' expected: '('"},
        {S_INIT("x in ("), REQUIREMENT "found '', expected: ',', ')' or identifier"},
        {S_INIT("x in (="), REQUIREMENT "found '=', expected: ',', ')' or identifier"},
        {S_INIT("x in (a"), REQUIREMENT "found '', expected: ',' or ')'"},
        {S_INIT("x in (a b)"), REQUIREMENT "found 'b', expected: ',' or ')'"},
        {S_INIT("x in (a,"), REQUIREMENT "found '', expected: ',', or identifier"},
        {S_INIT("x in (a,=)"), REQUIREMENT "found '=', expected: ',', or identifier"},
        {S_INIT("x in (,,)"), REQUIREMENT "found ')', expected: ',', or identifier"},
        {S_INIT("x in (a))"), "found ')', expected: ',' or 'end of string'"},
        {S_INIT("-x=a"), REQUIREMENT "<nil>: Invalid value: \"-x\": name part " QUALIFIED},
        {S_INIT("x:y"), REQUIREMENT "<nil>: Invalid value: \"x:y\": name part " QUALIFIED},
        {S_INIT("x=a\\b"), REQUIREMENT "values[0][x]: Invalid value: \"a\\\\b\": " VALUE},
        {S_INIT("x in (a,b.)"), REQUIREMENT "values[1][x]: Invalid value: \"b.\": " VALUE},
        {S_INIT("x>a"),
         REQUIREMENT "values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an "
                     "integer"},
        {S_INIT("x<"),
         REQUIREMENT "values[0]: Invalid value: \"\": for 'Gt', 'Lt' operators, the value must be an "
                     "integer"},
        {S_INIT("x>-5"), REQUIREMENT "values[0][x]: Invalid value: \"-5\": " VALUE},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        struct label_selector sel;
        CHECK_EQ(label_selector_parse(&a, cases[i].in, &sel, &e), ERR_SYNTAX);
        CHECK_STR(e.msg, cases[i].want);
    }
    struct label_selector sel;
    CHECK_ERR(SYNTAX, REQUIREMENT "[values[0]: Invalid value: \"a:\": for 'Gt'",
              label_selector_parse(&a, S("x>a:"), &sel, &e));
    CHECK_ERR(SYNTAX, "the value must be an integer, values[0][x]: Invalid value",
              label_selector_parse(&a, S("x>a:"), &sel, &e));
}

TEST(label_selector_is_bounded)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, SELECTOR_SIZE_MAX * 2);
    struct label_selector sel;
    for (int i = 0; i < SELECTOR_TERMS_MAX; i++)
        buf_add_f(&b, "%sk%d", i ? "," : "", i);
    CHECK_OK(label_selector_parse(&a, buf_str(&b), &sel, &e));
    buf_add_lit(&b, ",x");
    CHECK_ERR(TOO_LARGE, "at most 1000 requirements", label_selector_parse(&a, buf_str(&b), &sel, &e));
    buf_clear(&b);
    buf_add_lit(&b, "x in (");
    for (int i = 0; i <= SELECTOR_VALUES_MAX; i++)
        buf_add_lit(&b, "a,");
    buf_add_lit(&b, ")");
    CHECK_ERR(TOO_LARGE, "at most 10000 values", label_selector_parse(&a, buf_str(&b), &sel, &e));
    buf_clear(&b);
    buf_add_n(&b, ' ', SELECTOR_SIZE_MAX);
    CHECK_OK(label_selector_parse(&a, buf_str(&b), &sel, &e));
    CHECK(label_selector_is_everything(&sel));
    buf_add_c(&b, ' ');
    CHECK_ERR(TOO_LARGE, "at most 65536 bytes", label_selector_parse(&a, buf_str(&b), &sel, &e));
}

TEST(label_selector_matches_what_it_says)
{
    static const struct label labels[] = {
        {S_INIT("app"), S_INIT("web")},
        {S_INIT("empty"), S_INIT("")},
        {S_INIT("gen"), S_INIT("0000000000000000000000000042")},
        {S_INIT("tier"), S_INIT("front")},
        {S_INIT("version"), S_INIT("v2")},
    };
    static const struct {
        const char *selector;
        bool want;
    } cases[] = {
        {"", true},
        {"app", true},
        {"nothere", false},
        {"!nothere", true},
        {"!app", false},
        {"app=web", true},
        {"app==web", true},
        {"app=db", false},
        {"app!=db", true},
        {"app!=web", false},
        {"nothere!=web", true},
        {"nothere=", false},
        {"empty=", true},
        {"empty", true},
        {"tier in (back,front)", true},
        {"tier in (back)", false},
        {"tier notin (back)", true},
        {"tier notin (front,back)", false},
        {"nothere notin (a)", true},
        {"nothere in (a,)", false},
        {"empty in (a,)", true},
        {"gen>41", true},
        {"gen>42", false},
        {"gen<43", true},
        {"gen<42", false},
        {"version>1", false},
        {"nothere<1", false},
        {"app=web,tier=front,version in (v1,v2),!canary", true},
        {"app=web,tier=back", false},
        {"aaa,app", false},
        {"app,app=web,app!=db", true},
        {"zzz", false},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct label reversed[ARRAY_COUNT(labels)];
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++)
        reversed[i] = labels[ARRAY_COUNT(labels) - 1 - i];
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct label_selector sel;
        CHECK_OK(label_selector_parse(&a, str_from_c(cases[i].selector), &sel, &e));
        uint64_t allocs = mem_thread_allocs();
        bool any = label_selector_matches(&sel, reversed, ARRAY_COUNT(labels));
        bool sorted = label_selector_matches_sorted(&sel, labels, ARRAY_COUNT(labels));
        CHECK_EQ(mem_thread_allocs(), allocs);
        if (any != cases[i].want || sorted != cases[i].want)
            FAIL("'%s' should be %d", cases[i].selector, cases[i].want);
    }
    struct label_selector nothing = {.nothing = true};
    CHECK(!label_selector_matches(&nothing, labels, 5) &&
          !label_selector_matches_sorted(&nothing, labels, 5));
    CHECK(!label_selector_is_everything(&nothing));
}

TEST(label_selector_from_parts_is_checked_as_the_original_does)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct label_requirement r[3];
    const str values[] = {S("b"), S("a"), S("b")};
    CHECK_OK(label_requirement_make(&a, S("tier"), SELECTOR_IN, values, 3, &r[0], &e));
    CHECK_OK(label_requirement_make(&a, S("app"), SELECTOR_EXISTS, NULL, 0, &r[1], &e));
    CHECK_OK(label_requirement_make(&a, S("age"), SELECTOR_GREATER, &S("7"), 1, &r[2], &e));
    struct label_selector sel = label_selector_of(r, 3);
    CHECK_STR(printed(&a, &sel), "age>7,app,tier in (a,b)");
    str value;
    CHECK(!label_selector_requires(&sel, S("tier"), &value));
    CHECK_ERR(INVALID, "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
              label_requirement_make(&a, S("x"), SELECTOR_NOT_IN, NULL, 0, &r[0], &e));
    CHECK_ERR(INVALID,
              "values: Invalid value: [\"a\",\"b\"]: exact-match compatibility requires one single value",
              label_requirement_make(&a, S("x"), SELECTOR_EQUALS, values, 3, &r[0], &e));
    CHECK_ERR(INVALID,
              "values: Invalid value: [\"b\"]: values set must be empty for exists and does not exist",
              label_requirement_make(&a, S("x"), SELECTOR_NOT_EXISTS, values, 1, &r[0], &e));
    CHECK_ERR(INVALID, "values: Invalid value: null: for 'Gt', 'Lt' operators, exactly one value is required",
              label_requirement_make(&a, S("x"), SELECTOR_LESS, NULL, 0, &r[0], &e));
    CHECK_ERR(INVALID, "key: Invalid value: \"a b\": name part must consist",
              label_requirement_make(&a, S("a b"), SELECTOR_EXISTS, NULL, 0, &r[0], &e));
    CHECK_ERR(INVALID, "[key: Invalid value: \"\": name part must be non-empty; name part must consist",
              label_requirement_make(&a, S(""), SELECTOR_IN, NULL, 0, &r[0], &e));
    CHECK_ERR(TOO_LARGE, "at most 10000 values",
              label_requirement_make(&a, S("x"), SELECTOR_IN, values, SELECTOR_VALUES_MAX + 1, &r[0], &e));
    const struct label labels[] = {{S("z"), S("1")}, {S("b"), S("2")}};
    sel = label_selector_of_labels(&a, labels, 2);
    CHECK_STR(printed(&a, &sel), "b=2,z=1");
    CHECK(label_selector_requires(&sel, S("z"), &value));
    CHECK_STR(value, "1");
}

static str get_field(void *ctx, str field)
{
    (void)ctx;
    if (str_is(field, "status.phase"))
        return S("Running");
    if (str_is(field, "odd"))
        return S("a,b=c\\d");
    return S("");
}

TEST(field_selector_reads_escapes_and_prints_them)
{
    static const struct {
        const char *in, *out; /* NULL: the same */
        bool want;
    } cases[] = {
        {"", NULL, true},
        {",,", "", true},
        {"status.phase=Running", NULL, true},
        {"status.phase==Running", "status.phase=Running", true},
        {"status.phase!=Running", NULL, false},
        {"status.phase!=Failed,metadata.name=", "metadata.name=,status.phase!=Failed", true},
        {"nothere!=x", NULL, true},
        {"odd=a\\,b\\=c\\\\d", NULL, true},
        {"odd!=a\\,b", NULL, true},
        {"=x", NULL, false},
        {"a!b=", NULL, true},
        {"b=1,a=2,", "a=2,b=1", false},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct field_selector sel;
        CHECK_OK(field_selector_parse(&a, str_from_c(cases[i].in), &sel, &e));
        struct buf b;
        buf_init_arena(&b, &a, 1000);
        field_selector_format(&b, &sel);
        CHECK_STR(buf_str(&b), cases[i].out ? cases[i].out : cases[i].in);
        CHECK_EQ(field_selector_matches(&sel, get_field, NULL), cases[i].want);
    }
    struct field_selector sel;
    str value;
    CHECK_OK(field_selector_parse(&a, S("spec.nodeName!=a,spec.nodeName=b"), &sel, &e));
    CHECK(field_selector_requires(&sel, S("spec.nodeName"), &value));
    CHECK_STR(value, "b");
    CHECK(!field_selector_requires(&sel, S("other"), &value));
}

TEST(field_selector_errors_are_those_of_the_original)
{
    static const struct {
        str in;
        const char *want;
    } cases[] = {
        {S_INIT("a"), "invalid selector: 'a'; can't understand 'a'"},
        {S_INIT("x=1,a!b"), "invalid selector: 'x=1,a!b'; can't understand 'a!b'"},
        {S_INIT("a=b=c"), "invalid field selector: unescaped character in value: 61"},
        {S_INIT("a==b=c"), "invalid field selector: unescaped character in value: 61"},
        {S_INIT("a===b"), "invalid field selector: unescaped character in value: 61"},
        {S_INIT("a=\\x"), "invalid field selector: invalid escape sequence: \\x"},
        {S_INIT("a=\\\xc3\xa9z"), "invalid field selector: invalid escape sequence: \\\xc3\xa9"},
        {S_INIT("a=b\\"), "invalid field selector: invalid escape sequence: \\"},
    };
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = ERR_INIT;
        struct field_selector sel;
        CHECK_EQ(field_selector_parse(&a, cases[i].in, &sel, &e), ERR_SYNTAX);
        CHECK_STR(e.msg, cases[i].want);
    }
    CLEANUP(buf_done) struct buf b;
    buf_init(&b, SELECTOR_SIZE_MAX * 2);
    struct field_selector sel;
    for (int i = 0; i <= SELECTOR_TERMS_MAX; i++)
        buf_add_lit(&b, "a=b,");
    CHECK_ERR(TOO_LARGE, "at most 1000 requirements", field_selector_parse(&a, buf_str(&b), &sel, &e));
    buf_add_n(&b, ',', SELECTOR_SIZE_MAX);
    CHECK_ERR(TOO_LARGE, "at most 65536 bytes", field_selector_parse(&a, buf_str(&b), &sel, &e));
}
