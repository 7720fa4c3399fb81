/* schema_load.h - a custom resource's OpenAPI v3 schema as a schema of ours.
 * The result is a module of the same form as the built-in one, which it refers to for metadata; decoding, pruning,
 * defaults, validation and patches then need not know which is which.
 * Everything is taken over that decides whether an object is valid: types, properties, items, additional properties,
 * nullable, defaults, enums, limits, patterns (compiled), formats, list types and keys, preserved unknown fields, embedded
 * resources, int-or-string, and value validations under allOf, anyOf, oneOf and not. CEL rules are kept as text, for whoever
 * evaluates them (schema_extra's validations). Descriptions, which make up most of a schema, are not: they are read from
 * its own document when somebody asks for them.
 * Refused is what the original refuses as not structural, as far as validation relies on it: what a nested schema must not
 * say, what it speaks of without it being specified, keywords that are not supported, expressions that are none, defaults
 * that do not fit. Where we differ: uniqueItems is allowed, and costs n log n; the sum of an object's checks is bounded, see
 * tree_validate.
 * Memory: one heap block; equal subtrees, names, rules, alternatives and expressions are stored once.
 * Threads: constant once made. */
#ifndef API_SCHEMA_LOAD_H
#define API_SCHEMA_LOAD_H

#include "api/schema.h"
#include "wire/json.h"

struct schema_load_opts {
    str group, version, kind;
    size_t size_max;      /* of the result, in bytes; 0: 4 MiB */
    uint64_t hash_key[2]; /* random where schemas come from outside */
};

/* `openapi` is the value of openAPIV3Schema. BAD_REQUEST with the path of what cannot be taken, the first of it, in the
 * original's words ("properties[spec].properties[replicas].default: Invalid value: ..."); TOO_LARGE. */
err_code schema_load(const struct json *openapi, const struct schema_load_opts *opts, struct schema **ret,
                     struct err *err);
void schema_unload(struct schema *s);
/* Bytes that it takes, all told. */
size_t schema_load_size(const struct schema *s);

#endif
