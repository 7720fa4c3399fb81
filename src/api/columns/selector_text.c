/* selector_text.c - label selectors as text. A file of its own: base/selector.h and the views have structs of one name. */
#include "api/table_priv.h"
#include "base/selector.h"

static bool operator_of(str text, enum selector_op *ret)
{
    static const struct {
        const char *text;
        enum selector_op op;
    } known[] = {
        {"=", SELECTOR_EQUALS},
        {"In", SELECTOR_IN},
        {"NotIn", SELECTOR_NOT_IN},
        {"Exists", SELECTOR_EXISTS},
        {"DoesNotExist", SELECTOR_NOT_EXISTS},
    };
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (str_eq(text, str_from_c(known[i].text))) {
            *ret = known[i].op;
            return true;
        }
    return false;
}

static bool selector_of(struct arena *a, const struct selector_part *parts, size_t count,
                        struct label_selector *ret)
{
    struct label_requirement *requirements = ARENA_ARRAY(a, struct label_requirement, count);
    struct err ignored = ERR_INIT;
    for (size_t i = 0; i < count; i++) {
        enum selector_op op;
        if (!operator_of(parts[i].operator, & op) ||
            label_requirement_make(a, parts[i].key, op, parts[i].values, parts[i].value_count,
                                   &requirements[i], &ignored))
            return false;
    }
    *ret = label_selector_of(requirements, count);
    return true;
}

void cell_selector(struct row *r, const struct selector_part *parts, size_t count)
{
    struct label_selector selector;
    if (!selector_of(r->arena, parts, count, &selector)) {
        cell(r, S("<error>"));
        return;
    }
    label_selector_format(cell_begin(r), &selector);
    cell_end(r, S("<none>"));
}
