/* apply_testing.h - for tests of apply: one object through writes of several managers. */
#ifndef API_APPLY_TESTING_H
#define API_APPLY_TESTING_H

#include "api/apply.h"
#include "api/tree.h"
#include "harness/test.h"

struct apply_fixture {
    struct arena a;
    const struct schema *schema;
    const struct schema_type *type;
    struct apply_who who; /* but for the manager */
    struct json live;
    bool exists;
    int64_t clock;              /* seconds; each write is later than the one before */
    struct apply_result result; /* of the last apply */
};

void apply_fixture_open(struct apply_fixture *f, const char *api_version, const char *kind);
void apply_fixture_close(struct apply_fixture *f);
struct json apply_fixture_json(struct apply_fixture *f, const char *text);

/* A create or update: the whole document, to which defaults are added. */
void apply_fixture_put(struct apply_fixture *f, const char *manager, const char *text);
/* The live document with a merge patch. */
void apply_fixture_patch(struct apply_fixture *f, const char *manager, const char *text);
/* Applies; what comes out, with defaults, is live then. */
err_code apply_fixture_apply(struct apply_fixture *f, const char *manager, bool force, const char *text,
                             struct err *err);
/* fieldsV1 of a manager's entry, without what stands around it; "" when it has none. */
str apply_fixture_fields(struct apply_fixture *f, const char *manager);
/* "manager operation apiVersion subresource time; ..." in the order they stand, what is empty left out. */
str apply_fixture_entries(struct apply_fixture *f);
/* A value of the live document as JSON: "spec.replicas"; "" when there is none. */
str apply_fixture_value(struct apply_fixture *f, const char *path);

#endif
