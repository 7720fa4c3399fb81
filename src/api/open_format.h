/* open_format.h - formats of OpenAPI, which custom resources may state for their strings. For files of src/api.
 * What the original does not know, or does not check, is no format: it is ignored. A format is a regular expression, to
 * be compiled by whoever loads a schema, or a function, or both.
 * Where we differ: e-mail addresses are read without comments in parentheses, groups and encoded words. */
#ifndef API_OPEN_FORMAT_H
#define API_OPEN_FORMAT_H

#include "base/str.h"

enum open_format {
    OPEN_FORMAT_NONE,
#define OPEN_FORMAT(name, text, pattern, check) OPEN_FORMAT_##name,
#include "api/open_formats.def"
#undef OPEN_FORMAT
    OPEN_FORMAT_COUNT
};

/* By name, dashes in it do not matter; NONE: not known. */
enum open_format open_format_find(str name);
/* The expression that texts must match; empty: none. */
str open_format_pattern(enum open_format f);
/* Whatever is said besides it. Linear in the text. */
bool open_format_check(enum open_format f, str text);

#endif
