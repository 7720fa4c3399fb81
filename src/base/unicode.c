/* unicode.c - looking through the tables. They are short, and read when an expression is compiled, not when text is matched. */
#include "base/unicode.h"
#include "base/unicode_priv.h"
#include "base/utf8.h"

enum {
#define CATEGORY(name) CATEGORY_##name,
#include "base/unicode_categories.def"
#undef CATEGORY
    CATEGORY_COUNT
};
static_assert(CATEGORY_COUNT <= 32, "a set of them is a word");

static const char category_names[CATEGORY_COUNT][3] = {
#define CATEGORY(name) #name,
#include "base/unicode_categories.def"
#undef CATEGORY
};

/* The categories of a name as a set; 0: it names none. */
static uint32_t categories_of(str name)
{
    if (str_is(name, "LC"))
        return 1u << CATEGORY_Lu | 1u << CATEGORY_Ll | 1u << CATEGORY_Lt;
    if (str_is(name, "Any"))
        return UINT32_MAX;
    if (str_is(name, "Assigned"))
        return UINT32_MAX & ~(1u << CATEGORY_Cn);
    uint32_t set = 0;
    for (size_t i = 0; i < CATEGORY_COUNT; i++)
        if (name.n && name.n <= 2 && memcmp(category_names[i], name.p, name.n) == 0)
            set |= 1u << i;
    return set;
}

/* Joins neighbours before they are told. */
struct joiner {
    void (*fn)(void *ctx, uint32_t first, uint32_t last);
    void *ctx;
    uint32_t first, end; /* not told yet: [first, end) */
};

static void join(struct joiner *j, uint32_t first, uint32_t end)
{
    if (first != j->end) {
        if (j->first < j->end)
            j->fn(j->ctx, j->first, j->end - 1);
        j->first = first;
    }
    j->end = end;
}

static uint32_t run_start(const uint32_t *runs, size_t count, size_t i, unsigned bits)
{
    return i < count ? runs[i] >> bits : UTF8_MAX + 1;
}

static bool script_class(str name, struct joiner *j)
{
    size_t script = 0;
    while (script < unicode_script_count && !str_eq(str_from_c(unicode_script_names[script]), name))
        script++;
    if (script == unicode_script_count)
        return false;
    for (size_t i = 0; i < unicode_script_runs_count; i++)
        if ((unicode_script_runs[i] & 0xff) == script)
            join(j, run_start(unicode_script_runs, unicode_script_runs_count, i, 8),
                 run_start(unicode_script_runs, unicode_script_runs_count, i + 1, 8));
    return true;
}

bool unicode_class(str name, void (*fn)(void *ctx, uint32_t first, uint32_t last), void *ctx)
{
    struct joiner j = {.fn = fn, .ctx = ctx};
    uint32_t set = categories_of(name);
    if (str_is(name, "ASCII"))
        join(&j, 0, 0x80);
    else if (!set && !script_class(name, &j))
        return false;
    for (size_t i = 0; set && i < unicode_category_runs_count; i++)
        if (set >> (unicode_category_runs[i] & 31) & 1)
            join(&j, run_start(unicode_category_runs, unicode_category_runs_count, i, 5),
                 run_start(unicode_category_runs, unicode_category_runs_count, i + 1, 5));
    if (j.first < j.end)
        fn(ctx, j.first, j.end - 1);
    return true;
}

/* Code points that differ by case only stand in a ring: the next one after `c`. */
static uint32_t ring_next(uint32_t c)
{
    for (size_t i = 0;; i++) {
        ASSERT(i < unicode_ring_count); /* the rings are closed */
        const struct unicode_ring *r = &unicode_rings[i];
        if (r->first <= c && c <= r->last && (c - r->first) % r->step == 0)
            return c + (uint32_t)r->distance;
    }
}

size_t unicode_fold(uint32_t first, uint32_t last, void (*fn)(void *ctx, uint32_t first, uint32_t last),
                    void *ctx)
{
    size_t looked = 0;
    for (size_t i = 0; i < unicode_ring_count && unicode_rings[i].first <= last; i++) {
        const struct unicode_ring *r = &unicode_rings[i];
        uint32_t skip = first > r->first ? (first - r->first + r->step - 1) / r->step : 0;
        for (uint32_t c = r->first + skip * r->step; c <= r->last && c <= last; c += r->step, looked++)
            /* Back among them: that one tells the rest of the ring. */
            for (uint32_t o = c + (uint32_t)r->distance; o < first || o > last; o = ring_next(o), looked++)
                fn(ctx, o, o);
    }
    return looked;
}
