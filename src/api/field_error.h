/* field_error.h - what is wrong with a document, field by field, in the words clients match on.
 * Validation collects all of them; one prints as `spec.containers[0].name: Required value`, and becomes a cause
 * {reason, message, field} of a Status.
 * Memory: the list's arena. At most FIELD_ERRORS_MAX are kept; more are only counted. */
#ifndef API_FIELD_ERROR_H
#define API_FIELD_ERROR_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

#define FIELD_ERRORS_MAX 1000

enum field_error_kind {
    FIELD_REQUIRED,
    FIELD_INVALID,
    FIELD_NOT_SUPPORTED,
    FIELD_DUPLICATE,
    FIELD_NOT_FOUND,
    FIELD_FORBIDDEN,
    FIELD_TOO_LONG,
    FIELD_TOO_MANY,
    FIELD_TYPE_INVALID,
    FIELD_INTERNAL,
};

struct field_error {
    enum field_error_kind kind;
    str path;
    str message; /* without the path: `Invalid value: -1: must be greater than or equal to 0` */
};

struct field_errors {
    struct arena *arena;
    struct field_error *items;
    size_t count; /* at most FIELD_ERRORS_MAX */
    size_t lost;
};

void field_errors_init(struct field_errors *l, struct arena *a);

/* A place in a document while it is walked: grows and shrinks with the walk, no copies until an error needs one. */
struct field_path {
    const struct field_path *parent;
    str name;     /* of a field, or a key of a map */
    size_t index; /* of a list item */
    enum field_path_kind { FIELD_PATH_ROOT, FIELD_PATH_NAME, FIELD_PATH_KEY, FIELD_PATH_INDEX } kind;
};
#define FIELD_PATH_OF_ROOT ((struct field_path){.kind = FIELD_PATH_ROOT})
static inline struct field_path field_path_name(const struct field_path *parent, str name)
{
    return (struct field_path){.parent = parent, .name = name, .kind = FIELD_PATH_NAME};
}
static inline struct field_path field_path_index(const struct field_path *parent, size_t index)
{
    return (struct field_path){.parent = parent, .index = index, .kind = FIELD_PATH_INDEX};
}
static inline struct field_path field_path_key(const struct field_path *parent, str key)
{
    return (struct field_path){.parent = parent, .name = key, .kind = FIELD_PATH_KEY};
}
str field_path_format(struct arena *a,
                      const struct field_path *p); /* "spec.containers[0].name", "data[key]" */

/* The value shows in the message as the original shows it: text quoted, numbers plain, the rest as JSON. */
void field_required(struct field_errors *l, const struct field_path *p, str detail);
void field_invalid(struct field_errors *l, const struct field_path *p, const struct json *value, str detail);
/* The value as it is to be shown. */
void field_invalid_shown(struct field_errors *l, const struct field_path *p, str value, str detail);
/* `supported` are listed in byte order. */
void field_not_supported(struct field_errors *l, const struct field_path *p, const struct json *value,
                         const str *supported, size_t supported_count);
/* The same in the order given, which is what the original does where it lists them in the code that checks. */
void field_not_supported_in_order(struct field_errors *l, const struct field_path *p,
                                  const struct json *value, const str *supported, size_t supported_count);
void field_duplicate(struct field_errors *l, const struct field_path *p, const struct json *value);
void field_not_found(struct field_errors *l, const struct field_path *p, const struct json *value);
void field_forbidden(struct field_errors *l, const struct field_path *p, str detail);
void field_too_long(struct field_errors *l, const struct field_path *p, size_t max_bytes);
void field_too_many(struct field_errors *l, const struct field_path *p, size_t actual, size_t max);
void field_type_invalid(struct field_errors *l, const struct field_path *p, const struct json *value,
                        str detail);
void field_internal(struct field_errors *l, const struct field_path *p, str detail);

/* Adds words to the newest: `Not found: "a": must be one of b, c`. */
void field_error_add_detail(struct field_errors *l, str detail);

/* Takes the newest one away again if it is there already, word for word. */
void field_errors_drop_repeated(struct field_errors *l);
/* What is there already is not said again. */
void field_errors_append(struct field_errors *l, const struct field_errors *more);
str field_error_reason(enum field_error_kind kind); /* "FieldValueRequired" */
/* All of them as one text: alone, or `[a: ..., b: ...]`, each once. */
void field_errors_print(const struct field_errors *l, struct buf *out);

#endif
