/* table.h - what `kubectl get` shows: columns and rows of a kind as the server prints them (meta.k8s.io/v1 Table).
 * Columns stand in api/ (by path, or by naming a function of table_functions.def); those of a custom resource in its
 * definition. All of them are printed always, those of -o wide too (their priority is 1): which to show is for the client
 * to choose. Ages are printed too ("5m", "<unknown>"), relative to `now_wall`; only columns of type date give the time.
 * Content is that of the stored version: kinds served in other versions too show the same columns in each. Custom kinds:
 * the object in the version that is served; JSONPath finds what stands in it.
 * Threads: any; a struct kind_table is constant once made. */
#ifndef API_TABLE_H
#define API_TABLE_H

#include "api/schema.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct json;
struct kind_table; /* the columns of one kind, ready to print rows */

#define TABLE_CUSTOM_COLUMNS_MAX 1000

/* Built-in. `s` and `k` must outlive it, and `k` must be a stored version. Kinds without columns of their own have Name and
 * Created At. */
struct kind_table *table_new(const struct schema *s, const struct schema_kind_info *k);
/* Custom: `columns` is additionalPrinterColumns (may be NULL): Name is first, Age is last when there are none. INVALID when a
 * path does not parse, TOO_LARGE. */
err_code table_new_custom(const struct json *columns, struct kind_table **ret, struct err *err);
void table_free(struct kind_table *t);

/* The value of columnDefinitions. */
void table_print_columns(struct buf *out, const struct kind_table *t);
/* One row's cells, `["web-0","1/1","Running",0,"5m"]`, and its conditions where the kind has any (a finished pod is
 * "Completed"): `"cells":[...],"conditions":[...]`. `now_wall` in nanoseconds since 1970. Never fails: what cannot be read
 * prints as what is not there (<unknown>, <none>). The arena is scratch. */
void table_print_cells(struct buf *out, struct arena *a, const struct kind_table *t, str content,
                       int64_t now_wall);

#endif
