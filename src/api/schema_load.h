/* schema_load.h - a custom resource's OpenAPI v3 schema as a schema of ours.
 * The result is a module of the same form as the built-in one, which it refers to for metadata; decoding, pruning,
 * defaults, validation and patches then need not know which is which.
 * What is structural is taken over: types, properties, items, additional properties, nullable, defaults, enums, limits,
 * patterns, formats, list types and keys, preserved unknown fields, embedded resources, int-or-string. Value validations
 * by allOf, anyOf, oneOf and not, and CEL rules, are not part of it; nor are descriptions, which make up most of a
 * schema and are read from its own document when somebody asks for them.
 * Memory: one heap block; equal subtrees, names and rules are stored once.
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

/* `openapi` is the value of openAPIV3Schema. BAD_REQUEST with the path of what cannot be taken
 * ("spec.properties[replicas].type: ..."); TOO_LARGE. */
err_code schema_load(const struct json *openapi, const struct schema_load_opts *opts, struct schema **ret,
                     struct err *err);
void schema_unload(struct schema *s);
/* Bytes that it takes, all told. */
size_t schema_load_size(const struct schema *s);

#endif
