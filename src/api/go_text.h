/* go_text.h - values as Go's fmt prints them: the original shows them so in some of its messages.
 * Pure functions, any thread. */
#ifndef API_GO_TEXT_H
#define API_GO_TEXT_H

#include "base/buf.h"
#include "wire/json.h"

/* %v: map[a:1 b:[x y]], <nil> */
void go_text_v(struct buf *out, const struct json *j);
/* %#v: map[string]interface {}{"a":1} */
void go_text_syntax(struct buf *out, const struct json *j);
/* %T: map[string]interface {} */
str go_text_type(const struct json *j);

#endif
