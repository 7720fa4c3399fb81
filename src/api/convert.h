/* convert.h - served versions that are stored as another: a pair of pure functions for each (`convert PREFIX` in api/).
 * Both take a normalised tree of one version and leave a normalised tree of the other; kind and apiVersion are replaced
 * where they stand. Nothing is lost on the way there and back: what the other version has no field for travels in the
 * annotations that the original uses for it.
 * Memory: the arena; trees may borrow from what they were made of. Threads: any. */
#ifndef API_CONVERT_H
#define API_CONVERT_H

#include "api/schema.h"
#include "wire/json.h"

struct served_kind;

/* How a served kind becomes what is stored, and back: as below, behind one interface with those of custom kinds. */
struct conversion {
    err_code (*from_stored)(struct arena *a, const struct served_kind *kind, const struct json *stored,
                            struct json *ret, struct err *err);
    err_code (*to_stored)(struct arena *a, const struct served_kind *kind, const struct json *served,
                          struct json *ret, struct err *err);
};
extern const struct conversion conversion_builtin;

/* `kind` is the served one (its `stored` names the other). A kind that is stored as itself is left as it is. */
err_code convert_from_stored(struct arena *a, const struct schema_kind_info *kind, const struct json *stored,
                             struct json *ret, struct err *err);
err_code convert_to_stored(struct arena *a, const struct schema_kind_info *kind, const struct json *served,
                           struct json *ret, struct err *err);

#endif
