/* convert_priv.h - inside conversions: one pair for each `convert PREFIX` of api/.
 * A pair moves values to where the other version has them, in any order; what calls it normalises the result, which puts
 * members in order and fills in what is always printed. `in` is normalised and not changed. */
#ifndef API_CONVERT_PRIV_H
#define API_CONVERT_PRIV_H

#include "wire/json.h"

typedef err_code convert_fn(struct arena *a, const struct json *in, struct json *ret, struct err *err);

convert_fn hpa_from_stored, hpa_to_stored;
convert_fn event_from_stored, event_to_stored;

/* NULL: no pair of that name. */
struct convert_pair {
    str prefix;
    convert_fn *from_stored, *to_stored;
};
const struct convert_pair *convert_pair_find(str prefix);

/* Puts the value of a member that is there at (ret, name). */
void convert_copy(struct arena *a, const struct json *in, str from, struct json *ret, str to);

#endif
