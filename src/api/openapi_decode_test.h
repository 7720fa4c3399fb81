/* openapi_decode_test.h - gnostic's protobuf form of OpenAPI v2 back to JSON, for tests: written from the form's definition
 * alone, so that it holds the encoder to it. */
#ifndef API_OPENAPI_DECODE_TEST_H
#define API_OPENAPI_DECODE_TEST_H

#include "wire/json.h"

/* Ends the test when the bytes are no such document. */
struct json openapi_decode(struct arena *a, str bytes);
/* The same of a schema alone. */
struct json openapi_decode_schema(struct arena *a, str bytes);

#endif
