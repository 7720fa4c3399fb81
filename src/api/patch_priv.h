/* patch_priv.h - strategic merge patch, shared by its two files: objects and lists. */
#ifndef API_PATCH_PRIV_H
#define API_PATCH_PRIV_H

#include "api/patch.h"

/* How what stands at a place merges. */
struct smp_place {
    struct schema_at at; /* node NULL: nothing is known: maps merge, lists are replaced */
    const struct schema *rules_of;
    const struct schema_rules *rules; /* of the field; NULL: none */
};

struct smp {
    struct arena *a;
    struct err *err;
};

#define SMP_DIRECTIVE S("$patch")

/* `original` and `patch` are objects. False: err is set. */
bool smp_merge_objects(struct smp *m, const struct smp_place *p, const struct json *original,
                       const struct json *patch, struct json *ret);
/* `original` and `patch` are arrays; `deletes`: the patch names what to take away. */
bool smp_merge_lists(struct smp *m, const struct smp_place *p, const struct json *original,
                     const struct json *patch, bool deletes, struct json *ret);
/* The list of a $setElementOrder directive with what patch and original have; *ret_there false: neither has any. Both may be
 * NULL. */
bool smp_ordered_list(struct smp *m, const struct smp_place *p, const struct json *original,
                      const struct json *patch, const struct json *order, struct json *ret, bool *ret_there);
/* Without objects that hold a directive, all the way down. False: `j` is one. */
bool smp_without_directives(struct smp *m, const struct json *j, struct json *ret);

/* As the original names values: "[]interface {}". */
bool smp_fail(struct smp *m, err_code code, const char *what);
bool smp_wrong_type(struct smp *m, const char *expected, const struct json *j);
bool smp_no_key(struct smp *m, const struct json *item, str key);
bool smp_bad_directive(struct smp *m, const struct json *directive, const struct json *object);

#endif
