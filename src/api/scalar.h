/* scalar.h - the scalars of Kubernetes seen from a schema: text forms, Go's names for types. For files of src/api. */
#ifndef API_SCALAR_H
#define API_SCALAR_H

#include "api/schema.h"
#include "base/buf.h"
#include "wire/json.h"

enum scalar_result {
    SCALAR_OK,
    SCALAR_WRONG_TYPE, /* BYTES that are no text; err is not set: the message names the field */
    SCALAR_INVALID,    /* err says why, in the original's words */
};
/* BYTES, QUANTITY, TIME, MICRO_TIME, DURATION, INT_OR_STRING: the one form in which it is stored and printed. */
enum scalar_result scalar_canonical(struct arena *a, enum schema_kind kind, const struct json *in,
                                    struct json *ret, struct err *err);

/* What Go's decoder calls a value: "string", "bool", "number", "array". */
str scalar_json_name(const struct json *j);

/* Is a value of this kind written as this JSON type? */
bool scalar_json_fits(enum schema_kind kind, const struct json *j);

/* As Go prints the type: "int32", "[]v1.Container", "map[string]string", "v1.PullPolicy". */
void scalar_add_go_type(struct buf *out, struct schema_at at);

#endif
