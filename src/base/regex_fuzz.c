#include "base/arena.h"
#include "base/regex_priv.h"
#include "harness/test.h"

/* The first line is an expression, what follows a text: a table and a program say the same of it, whatever they say, within
 * their steps. */
FUZZ(regex)
{
    str text = STR_NONE, pattern;
    if (!str_cut(str_of((const char *)data, size), '\n', &pattern, &text))
        text = STR_NONE;
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct err e = ERR_INIT;
    struct regex_node *tree;
    struct regex *program;
    const struct regex *table;
    uint64_t build = REGEX_BUILD_STEPS;
    err_code code = regex_compile(&a, pattern, &build, &table, &e);
    CHECK_LE(build, REGEX_BUILD_STEPS);
    if (code) {
        CHECK(code == ERR_SYNTAX || code == ERR_TOO_LARGE);
        CHECK(str_starts(str_from_c(e.msg), S("error parsing regexp: ")));
        return;
    }
    build = REGEX_BUILD_STEPS;
    CHECK_EQ(regex_parse(&a, pattern, &build, &tree, &e), ERR_NONE);
    CHECK_EQ(regex_assemble(&a, tree, pattern, &program, &e), ERR_NONE);
    uint64_t steps = REGEX_MATCH_STEPS, again = REGEX_MATCH_STEPS;
    enum regex_result x = regex_match(program, text, &steps), y = regex_match(table, text, &again);
    CHECK_LE(steps, REGEX_MATCH_STEPS);
    CHECK_LE(again, REGEX_MATCH_STEPS);
    if (x != REGEX_GAVE_UP && y != REGEX_GAVE_UP)
        CHECK_EQ(x, y);
}
