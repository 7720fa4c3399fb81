/* format.h - what a string or number may have to be, by the names of formats.def. For files of src/api. */
#ifndef API_FORMAT_H
#define API_FORMAT_H

#include "api/field_error.h"
#include "api/schema.h"
#include "base/names.h"

/* Adds one error for each thing that is wrong with the value, in the original's words. */
void format_check(struct field_errors *errors, enum schema_format format, const struct field_path *path,
                  const struct json *value);

/* The check of a format of text; NULL: it is one of numbers. */
name_check_fn *format_text_check(enum schema_format format);

#endif
