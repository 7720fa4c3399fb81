/* convert.h - served versions that are stored as another: a pair of pure functions for each (`convert PREFIX` in api/).
 * Both take a normalised tree of one version and leave a normalised tree of the other; kind and apiVersion are replaced
 * where they stand. Nothing is lost on the way there and back: what the other version has no field for travels in the
 * annotations that the original uses for it.
 * Memory: the arena; trees may borrow from what they were made of. Threads: any. */
#ifndef API_CONVERT_H
#define API_CONVERT_H

#include "api/schema.h"
#include "wire/json.h"

/* `kind` is the served one (its `stored` names the other). A kind that is stored as itself is left as it is. */
err_code convert_from_stored(struct arena *a, const struct schema_kind_info *kind, const struct json *stored,
                             struct json *ret, struct err *err);
err_code convert_to_stored(struct arena *a, const struct schema_kind_info *kind, const struct json *served,
                           struct json *ret, struct err *err);

#endif
