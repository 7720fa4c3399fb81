/* table_priv.h - between a table and the functions that print its cells, one call of cell_*() each. For columns/ and tests.
 *
 *     void column_deployment_ready(struct row *r, const struct deployment *d)
 *     {
 *         cell_f(r, "%d/%d", d->status.ready_replicas, d->spec.replicas.value);
 *     }
 *
 * What a function reads is said in table_functions.def: a view, or a part of one, never NULL: what is not set reads as zero.
 * Text of several pieces is composed between cell_begin and cell_end; a cell longer than TABLE_CELL_SIZE_MAX ends there.
 * base/selector.h may not be included here: views have a `struct label_selector` too. */
#ifndef API_TABLE_PRIV_H
#define API_TABLE_PRIV_H

#include "api/json_out.h"
#include "api/table.h"
#include "api/view.h"
#include "base/kube_time.h"

struct row {
    struct json_out out;
    struct arena *arena; /* scratch: gone with the row or later */
    struct kube_time now;
    struct buf text; /* of the cell that is being composed */
};

void cell(struct row *r, str text);
void cell_or(struct row *r, str text, str otherwise); /* `otherwise` for empty text */
void cell_f(struct row *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cell_int(struct row *r, int64_t n);
void cell_bool(struct row *r, bool b);
void cell_null(struct row *r);
void cell_since(struct row *r, struct kube_time t); /* "5m", or "<unknown>" when it is zero */

struct buf *cell_begin(struct row *r); /* where the text goes */
void cell_end(struct row *r, str otherwise);
/* Within: a comma or the like before every item but the first. */
void cell_item(struct buf *text, size_t index, str separator, str item);
/* Three of many: " + 7 more...", or nothing when none was left out. */
void cell_more(struct buf *text, size_t count, size_t shown_max);
void cell_add_since(struct row *r, struct buf *text, struct kube_time t);

/* A label selector in the form of views, by its parts: base/selector.h sees to its text. */
struct selector_part {
    str key, operator; /* "In", "NotIn", "Exists", "DoesNotExist"; "=" for matchLabels */
    const str *values;
    size_t value_count;
};
/* "a=b,c in (d,e)"; "<none>" for none, "<error>" for one that is not valid. */
void cell_selector(struct row *r, const struct selector_part *parts, size_t count);

enum { TABLE_CELL_SIZE_MAX = 8 << 20 };

/* --- compiled columns --- */

typedef void column_fn(struct row *r, const void *value);

/* From a struct to one of its members: what stands `offset` bytes on, or behind the pointer that stands there. */
struct column_step {
    uint32_t offset;
    bool is_pointer;
};

struct table_column {
    str name, type, format, help;
    int64_t priority;
    column_fn *print;
    const struct column_step *steps;
    size_t step_count;
    const struct jsonpath *path; /* custom */
};

struct kind_table {
    struct arena arena; /* the table itself is in it */
    struct table_column *columns;
    size_t column_count;
    const struct schema *schema; /* NULL: custom */
    const struct schema_type *type;
};

struct kind_table *table_alloc(size_t column_count);
void table_custom_cells(struct row *r, const struct kind_table *t, str content);
/* For tests: each function is used, each one used is there. */
bool table_function_is_known(str name);
size_t table_function_count(void);

#endif
