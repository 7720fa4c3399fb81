/* selector.h - label selectors and field selectors: read, printed canonically, matched.
 * Label selector: "app=web,tier in (front, back),!canary". Field selector: "status.phase!=Running,spec.nodeName=a".
 * Messages are the original's, which clients see.
 * Memory: what is read is in the arena and borrows from the text; nothing else allocates. A selector that is read does
 * not change any more and may be matched on any thread. {0} matches everything.
 * Limits: SELECTOR_SIZE_MAX bytes of text, SELECTOR_TERMS_MAX requirements, SELECTOR_VALUES_MAX values in all: a
 * selector is matched against every object of a list, so its size is a client's lever. ERR_TOO_LARGE. */
#ifndef BASE_SELECTOR_H
#define BASE_SELECTOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define SELECTOR_SIZE_MAX   65536
#define SELECTOR_TERMS_MAX  1000
#define SELECTOR_VALUES_MAX 10000

enum selector_op {
    SELECTOR_EXISTS,
    SELECTOR_NOT_EXISTS,
    SELECTOR_EQUALS,        /* = */
    SELECTOR_DOUBLE_EQUALS, /* ==, the same, but printed so */
    SELECTOR_NOT_EQUALS,
    SELECTOR_IN,
    SELECTOR_NOT_IN,
    SELECTOR_GREATER,
    SELECTOR_LESS,
};

struct label {
    str key, value;
};

struct label_requirement {
    str key;
    enum selector_op op;
    uint32_t value_count;
    const str *values; /* sorted, each once */
    int64_t number;    /* of SELECTOR_GREATER and SELECTOR_LESS */
};

struct label_selector {
    const struct label_requirement *requirements; /* sorted by key; all must hold */
    uint32_t count;
    bool nothing; /* matches no object at all, whatever its labels */
};

/* ERR_SYNTAX. */
err_code label_selector_parse(struct arena *a, str s, struct label_selector *ret, struct err *err);
/* From parts, checked as the original checks them ("key: Invalid value: ..."): for matchExpressions. The values are
 * copied (the texts not), sorted and deduplicated. ERR_INVALID. */
err_code label_requirement_make(struct arena *a, str key, enum selector_op op, const str *values,
                                size_t value_count, struct label_requirement *ret, struct err *err);
/* Sorts the requirements by key, in place, and borrows them. */
struct label_selector label_selector_of(struct label_requirement *requirements, size_t count);
/* Exactly these labels and perhaps others: for matchLabels and Services. Not checked. */
struct label_selector label_selector_of_labels(struct arena *a, const struct label *labels, size_t count);

static inline bool label_selector_is_everything(const struct label_selector *sel)
{
    return !sel->nothing && sel->count == 0;
}
void label_selector_format(struct buf *out, const struct label_selector *sel);
/* Labels in any order, each key once; and labels sorted by key, which is quicker when there are many. */
bool label_selector_matches(const struct label_selector *sel, const struct label *labels, size_t count);
bool label_selector_matches_sorted(const struct label_selector *sel, const struct label *labels,
                                   size_t count);
bool label_requirement_matches(const struct label_requirement *r, const str *value /* NULL: no such label */);
/* True when only objects with this one value of the label can match: a chance to use an index. */
bool label_selector_requires(const struct label_selector *sel, str key, str *ret_value);

struct field_requirement {
    str field;
    str value; /* unescaped */
    bool negated;
};

struct field_selector {
    const struct field_requirement
        *requirements; /* in the order of their texts, as the original keeps them */
    uint32_t count;
};

/* ERR_SYNTAX. Which fields there are is for the caller to check. */
err_code field_selector_parse(struct arena *a, str s, struct field_selector *ret, struct err *err);
void field_selector_format(struct buf *out, const struct field_selector *sel);
/* `get` gives a field's value, empty for one that is not set. */
typedef str field_get_fn(void *ctx, str field);
bool field_selector_matches(const struct field_selector *sel, field_get_fn *get, void *ctx);
bool field_selector_requires(const struct field_selector *sel, str field, str *ret_value);

#endif
