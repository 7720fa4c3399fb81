/* rules_test.h - rules of kinds, tested by tables: a valid document, and lines that change it.
 *
 *     static const struct rules_case cases[] = {
 *         {"spec.replicas: -1", "spec.replicas: Invalid value: -1: must be greater than or equal to 0"},
 *         {"spec.selector.matchLabels: {a: c}\n"
 *          "spec.template.metadata.labels: {a: c}", ""},
 *     };
 *     rules_check_create(deployment, cases, ARRAY_COUNT(cases));
 *
 * `set` has lines "path: value": the value in YAML (flow style), null removes; lists grow by one when the index is their
 * length. `want` has one line for each error, in order; one that ends in "..." is the beginning of what is said, one that is
 * "..." is all that follows.
 * Documents go through the whole chain of a write: read, defaults, tree_defaults, on_create or on_update, normalised, printed,
 * decoded into a view, tree_validate (and tree_immutable), validate (and validate_update), warnings. */
#ifndef API_RULES_RULES_TEST_H
#define API_RULES_RULES_TEST_H

#include <stddef.h>

struct rules_case {
    const char *set;
    const char *want;
    const char *old;         /* updates: lines that change the stored object first; NULL: none */
    const char *subresource; /* NULL: the object itself */
};

/* `base`: a document in YAML. */
void rules_check_create(const char *base, const struct rules_case *cases, size_t count);
/* The base as it is once created (and as `old` says), then an update to the same with `set`. As the server does it, status
 * stays as it is on a plain update, and nothing but status changes on one of status. */
void rules_check_update(const char *base, const struct rules_case *cases, size_t count);
/* `want`: lines "path: JSON" of what is stored after a create; "path: absent" where nothing is. No errors. */
void rules_check_created(const char *base, const struct rules_case *cases, size_t count);
/* The same after an update. */
void rules_check_updated(const char *base, const struct rules_case *cases, size_t count);
/* `want`: lines of warnings of a create; no errors. */
void rules_check_warnings(const char *base, const struct rules_case *cases, size_t count);
/* The same of an update. */
void rules_check_update_warnings(const char *base, const struct rules_case *cases, size_t count);

#define RULES_CREATE(base, ...)          RULES_CASES_(create, base, __VA_ARGS__)
#define RULES_UPDATE(base, ...)          RULES_CASES_(update, base, __VA_ARGS__)
#define RULES_CREATED(base, ...)         RULES_CASES_(created, base, __VA_ARGS__)
#define RULES_UPDATED(base, ...)         RULES_CASES_(updated, base, __VA_ARGS__)
#define RULES_WARNINGS(base, ...)        RULES_CASES_(warnings, base, __VA_ARGS__)
#define RULES_UPDATE_WARNINGS(base, ...) RULES_CASES_(update_warnings, base, __VA_ARGS__)
#define RULES_CASES_(what, base, ...)                                      \
    do {                                                                   \
        static const struct rules_case rules_cases_[] = {__VA_ARGS__};     \
        rules_check_##what(base, rules_cases_, ARRAY_COUNT(rules_cases_)); \
    } while (0)

#endif
