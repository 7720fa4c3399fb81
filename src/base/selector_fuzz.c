#include "base/selector.h"
#include "base/vec.h"
#include "harness/test.h"

static str print(struct arena *a, const struct label_selector *sel)
{
    struct buf b;
    buf_init_arena(&b, a, SELECTOR_SIZE_MAX * 2);
    label_selector_format(&b, sel);
    return buf_str(&b);
}

static int cmp_label(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return str_cmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/* Labels that have a chance to match: keys and values of the selector itself, every other one. */
static size_t labels_from(const struct label_selector *sel, struct label *labels, size_t max, unsigned pick)
{
    size_t n = 0;
    for (uint32_t i = 0; i < sel->count && n < max; i++, pick = pick * 5 + 3) {
        const struct label_requirement *r = &sel->requirements[i];
        bool again = n && str_eq(labels[n - 1].key, r->key);
        if (again || pick % 4 == 0)
            continue;
        labels[n++] = (struct label){r->key, r->value_count ? r->values[pick / 4 % r->value_count] : S("1")};
    }
    return n;
}

/* Requirement by requirement, without any order. */
static bool matches_slowly(const struct label_selector *sel, const struct label *labels, size_t count)
{
    bool all = true;
    for (uint32_t i = 0; i < sel->count; i++) {
        const str *value = NULL;
        for (size_t j = 0; j < count; j++)
            if (str_eq(labels[j].key, sel->requirements[i].key))
                value = &labels[j].value;
        all = all && label_requirement_matches(&sel->requirements[i], value);
    }
    return all;
}

/* The printed form reads as the same selector; both ways of matching agree with a plain one. */
FUZZ(selector)
{
    str s = str_of((const char *)data, size);
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct err e = ERR_INIT;
    struct label_selector sel, again;
    if (label_selector_parse(&a, s, &sel, &e)) {
        CHECK(e.code == ERR_SYNTAX || e.code == ERR_TOO_LARGE);
        return;
    }
    str once = print(&a, &sel);
    CHECK_EQ(label_selector_parse(&a, once, &again, &e), ERR_NONE);
    CHECK_STR(print(&a, &again), once);
    CHECK_EQ(sel.count, again.count);
    struct label labels[32];
    for (unsigned pick = 0; pick < 8; pick++) {
        size_t n = labels_from(&sel, labels, ARRAY_COUNT(labels), pick);
        bool want = matches_slowly(&sel, labels, n);
        CHECK_EQ(label_selector_matches(&sel, labels, n), want);
        vec_sort(labels, n, sizeof *labels, cmp_label, NULL);
        CHECK_EQ(label_selector_matches_sorted(&again, labels, n), want);
    }
}

static str get_field(void *ctx, str field)
{
    const struct field_selector *sel = ctx;
    str value;
    return field_selector_requires(sel, field, &value) ? value : STR_NONE;
}

FUZZ(field_selector)
{
    str s = str_of((const char *)data, size);
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct err e = ERR_INIT;
    struct field_selector sel, again;
    if (field_selector_parse(&a, s, &sel, &e)) {
        CHECK(e.code == ERR_SYNTAX || e.code == ERR_TOO_LARGE);
        return;
    }
    struct buf once, twice;
    buf_init_arena(&once, &a, SELECTOR_SIZE_MAX * 3);
    buf_init_arena(&twice, &a, SELECTOR_SIZE_MAX * 3);
    field_selector_format(&once, &sel);
    if (once.n > SELECTOR_SIZE_MAX)
        return;
    CHECK_EQ(field_selector_parse(&a, buf_str(&once), &again, &e), ERR_NONE);
    CHECK_EQ(again.count, sel.count);
    CHECK_EQ(field_selector_matches(&sel, get_field, &sel),
             field_selector_matches(&again, get_field, &again));
    field_selector_format(&twice, &again);
    CHECK_EQ(twice.n, once.n); /* "==" becomes "=", which may change the order once */
}
