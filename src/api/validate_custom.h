/* validate_custom.h - between the files that validate custom resources.
 * Whatever is wrong is noted in `failed`, and told where somebody listens. */
#ifndef API_VALIDATE_CUSTOM_H
#define API_VALIDATE_CUSTOM_H

#include "api/field_error.h"
#include "api/schema.h"

struct custom {
    struct field_errors *errors;         /* NULL: nobody listens */
    struct field_errors embedded, lists; /* told behind the others */
    struct arena *arena;
    const struct field_path *base; /* of a default: where it stands in the schema; NULL: a document */
    uint64_t steps;                /* left for all of it */
    uint32_t matches;              /* checkers that had something to look at */
    bool failed;
};

void custom_check(struct custom *c, struct schema_at at, const struct field_path *path, const struct json *j);

/* What floating point makes of a whole number is one. */
bool custom_is_integral(double f);

/* Parts of it. */
void custom_check_logic(struct custom *c, struct schema_at at, const struct schema_extra *x,
                        const struct field_path *path, const struct json *j);
void custom_check_number(struct custom *c, struct schema_at at, const struct schema_rules *r,
                         const struct field_path *path, const struct json *j);
void custom_check_enum(struct custom *c, struct schema_at at, const struct schema_rules *r,
                       const struct field_path *path, const struct json *j);

/* Telling. The text is what follows "spec.x in body ". */
void custom_invalid(struct custom *c, const struct field_path *path, const struct json *value,
                    const char *fmt, ...) PRINTF_LIKE(4, 5);
/* "should have at least 2 items". */
void custom_invalid_count(struct custom *c, const struct field_path *path, size_t count, const char *what,
                          size_t min);
void custom_duplicates(struct custom *c, const struct field_path *path);
/* Of floating point, as Go prints it. */
void custom_invalid_float(struct custom *c, const struct field_path *path, double value, const char *text,
                          double bound);
void custom_wrong_type(struct custom *c, const struct field_path *path, str wanted, const char *got);
void custom_wrong_format(struct custom *c, const struct field_path *path, const struct json *value,
                         str format);
void custom_too_long(struct custom *c, const struct field_path *path, size_t max);
void custom_too_many(struct custom *c, const struct field_path *path, size_t count, size_t max);
void custom_required(struct custom *c, const struct field_path *path, str name);
void custom_not_supported(struct custom *c, const struct field_path *path, const struct json *value,
                          const struct json *supported);
/* Of no field: the text says where, between the two. */
void custom_somewhere(struct custom *c, const struct field_path *path, str before, const char *after, ...)
    PRINTF_LIKE(4, 5);

#endif
