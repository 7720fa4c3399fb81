/* apply_job.h - one tracked or applied write on its way: who, the versions, the entries. For apply*.c. */
#ifndef API_APPLY_JOB_H
#define API_APPLY_JOB_H

#include "api/apply_priv.h"

/* A document in one version. */
struct apply_doc {
    const struct apply_version *version;
    const struct apply_place *place;
    const struct json *tree;
    bool is_normal;
};

/* How old and new document differ, in one version. */
struct apply_diff {
    str api_version;
    struct field_set fields; /* what is reset is not in it */
    struct apply_diff *next;
};

struct apply_job {
    struct arena *a;
    struct err *err;
    const struct apply_who *who;
    const struct apply_version *here; /* the request's */
    const struct apply_place *place;
    struct apply_entries entries;
    struct apply_diff *diffs;
};

void job_init(struct apply_job *j, struct arena *a, const struct schema *s, const struct schema_type *t,
              const struct apply_who *who, struct err *err);
struct apply_doc job_doc(const struct apply_job *j, const struct json *tree, bool is_normal);
/* An object of the kind that nobody has said anything about. */
err_code job_empty(struct apply_job *j, struct json *ret);
/* The same document in another version. *ret_missing: not served; then nothing is returned. */
err_code job_convert(struct apply_job *j, const struct apply_doc *doc, str api_version, struct apply_doc *ret,
                     bool *ret_missing);
/* Without what is reset. */
struct field_set job_without_reset(struct apply_job *j, str api_version, struct field_set s);
/* Compares in the request's version; what needs it in others finds it there. */
err_code job_compare(struct apply_job *j, const struct json *old, const struct json *updated,
                     struct field_set *ret);
/* Entries of versions that are not served any more. Before anything else is asked of the entries. */
void job_drop_unserved(struct apply_job *j);
/* What others than `self` would lose that is still there: fields changed or added. */
struct apply_lost {
    struct apply_entry entry;
    struct field_set fields;
};
struct apply_losses {
    struct apply_lost *items;
    size_t count;
};
err_code job_conflicts(struct apply_job *j, const struct json *old, const struct json *updated,
                       struct field_set diff, const struct apply_entry *self, struct apply_losses *ret);
/* Takes what changed off every entry but `self` (NULL: off all); those that have nothing left are dropped. */
err_code job_take(struct apply_job *j, const struct json *old, const struct json *updated,
                  struct field_set diff, const struct apply_entry *self);
/* What is never recorded: apiVersion, kind, what metadata says about the object itself. */
struct field_set job_strip(struct apply_job *j, struct field_set s);
/* Records fields changed by an update. */
err_code job_record_update(struct apply_job *j, str manager, struct field_set changed);
/* Drops what was applied the last time (`last`, of version `api_version`) and is owned by nobody now. */
err_code job_prune(struct apply_job *j, str api_version, struct field_set last, struct json *merged);

#endif
