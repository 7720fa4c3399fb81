/* yaml_priv.h - what reader and printer share: which value a scalar is when nothing but its text tells. */
#ifndef WIRE_YAML_PRIV_H
#define WIRE_YAML_PRIV_H

#include "wire/yaml.h"

enum yaml_kind {
    YAML_IS_STRING = 0,
    YAML_IS_NULL,
    YAML_IS_BOOL,
    YAML_IS_INT,
    YAML_IS_UINT, /* past int64 */
    YAML_IS_FLOAT,
    YAML_IS_TIME, /* a string to us, but one that must be quoted */
};

struct yaml_scalar {
    enum yaml_kind kind;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f; /* infinite and NaN too */
    } v;
};

/* What a plain scalar is. `times`: dates and times are told from strings. */
struct yaml_scalar yaml_resolve(str s, bool times);

/* yaml_parse without looking for JSON; opts are not NULL. */
err_code yaml_parse_events(struct arena *a, str text, const struct yaml_opts *opts, struct json *ret,
                           struct err *err);

/* As Go's FormatFloat(f, 'g', -1, 64) or, `narrow`, 32: 0.1, 1.5e+06, .inf. */
void yaml_print_float(struct buf *out, double f, bool narrow);

#endif
