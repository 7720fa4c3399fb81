/* regex_set.c - sets of characters: joining, negating, folding, the named ones. */
#include "base/regex_set.h"
#include "base/arena.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include <stdlib.h>

/* What is paid for looking a letter's cases up, and for walking the table of categories or scripts. */
enum { WORK_FOLD = 64, WORK_UNICODE = 8192 };

static void add_plain(void *ctx, uint32_t first, uint32_t last)
{
    struct regex_set_builder *b = ctx;
    if (b->count == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 2;
        b->ranges = arena_grow(b->a, b->ranges, b->cap * sizeof *b->ranges, cap * sizeof *b->ranges,
                               _Alignof(struct regex_range));
        b->cap = cap;
    }
    b->ranges[b->count++] = (struct regex_range){first, last};
    ++*b->work;
}

void regex_set_add(struct regex_set_builder *b, uint32_t first, uint32_t last)
{
    add_plain(b, first, last);
    if (b->fold)
        *b->work += unicode_fold(first, last, add_plain, b) * WORK_FOLD;
}

static int by_first(const void *x, const void *y)
{
    const struct regex_range *a = x, *b = y;
    return a->first != b->first ? (a->first < b->first ? -1 : 1) : a->last < b->last ? -1 : a->last > b->last;
}

struct regex_set regex_set_finish(struct regex_set_builder *b)
{
    if (b->count == 0)
        return (struct regex_set){NULL, 0};
    qsort(b->ranges, b->count, sizeof *b->ranges, by_first);
    size_t kept = 0;
    for (size_t i = 1; i < b->count; i++) {
        struct regex_range *last = &b->ranges[kept], r = b->ranges[i];
        if (r.first > last->last + 1)
            b->ranges[++kept] = r;
        else if (r.last > last->last)
            last->last = r.last;
    }
    return (struct regex_set){b->ranges, kept + 1};
}

void regex_set_add_all(struct regex_set_builder *b, struct regex_set s, bool negated)
{
    uint32_t from = 0;
    for (size_t i = 0; i < s.count; i++) {
        if (!negated)
            add_plain(b, s.ranges[i].first, s.ranges[i].last);
        else if (s.ranges[i].first > from)
            add_plain(b, from, s.ranges[i].first - 1);
        from = s.ranges[i].last + 1;
    }
    if (negated && from <= UTF8_MAX)
        add_plain(b, from, UTF8_MAX);
}

/* --- named --- */

struct named_class {
    str name;
    str ranges; /* pairs */
};

static bool add_named(struct regex_set_builder *b, const struct named_class *classes, size_t count, str name,
                      bool negated)
{
    struct regex_set_builder named = {.a = b->a, .work = b->work, .fold = b->fold};
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(classes[i].name, name))
            continue;
        for (size_t j = 0; j < classes[i].ranges.n; j += 2)
            regex_set_add(&named, (uint32_t)classes[i].ranges.p[j], (uint32_t)classes[i].ranges.p[j + 1]);
        regex_set_add_all(b, regex_set_finish(&named), negated);
        return true;
    }
    return false;
}

bool regex_set_add_perl(struct regex_set_builder *b, char name, bool negated)
{
    static const struct named_class classes[] = {
        {S_INIT("d"), S_INIT("09")}, {S_INIT("s"), S_INIT("\t\n\f\r  ")}, {S_INIT("w"), S_INIT("09AZ__az")}};
    return add_named(b, classes, ARRAY_COUNT(classes), str_of(&name, 1), negated);
}

bool regex_set_add_posix(struct regex_set_builder *b, str name, bool negated)
{
    static const struct named_class classes[] = {
        {S_INIT("alnum"), S_INIT("09AZaz")},
        {S_INIT("alpha"), S_INIT("AZaz")},
        {S_INIT("ascii"), S_INIT("\0\x7f")},
        {S_INIT("blank"), S_INIT("\t\t  ")},
        {S_INIT("cntrl"), S_INIT("\0\x1f\x7f\x7f")},
        {S_INIT("digit"), S_INIT("09")},
        {S_INIT("graph"), S_INIT("!~")},
        {S_INIT("lower"), S_INIT("az")},
        {S_INIT("print"), S_INIT(" ~")},
        {S_INIT("punct"), S_INIT("!/:@[`{~")},
        {S_INIT("space"), S_INIT("\t\r  ")},
        {S_INIT("upper"), S_INIT("AZ")},
        {S_INIT("word"), S_INIT("09AZ__az")},
        {S_INIT("xdigit"), S_INIT("09AFaf")},
    };
    return add_named(b, classes, ARRAY_COUNT(classes), name, negated);
}

static void add_run(void *ctx, uint32_t first, uint32_t last)
{
    regex_set_add(ctx, first, last);
}

bool regex_set_add_unicode(struct regex_set_builder *b, str name, bool negated)
{
    struct regex_set_builder named = {.a = b->a, .work = b->work, .fold = b->fold};
    *b->work += WORK_UNICODE;
    if (!unicode_class(name, add_run, &named))
        return false;
    regex_set_add_all(b, regex_set_finish(&named), negated);
    return true;
}
