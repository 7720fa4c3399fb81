/* table.h - what `kubectl get` shows: columns and rows of a kind as the server prints them (meta.k8s.io/v1 Table).
 * Columns stand in api/ (by path, or by naming a function of table_functions.def); those of a custom resource in its
 * definition. Cells are made from content and view, never from the clock: ages are for the client... except where the original
 * has the server print them, relative to `now`.
 * Threads: any; a struct table is constant once made. */
#ifndef API_TABLE_H
#define API_TABLE_H

#include "api/object.h"
#include "api/schema.h"
#include "wire/json.h"

struct table; /* the columns of one kind, ready to print rows */

/* Built-in. `s` and `k` must outlive it. Kinds without columns of their own have Name and Created At. */
struct table *table_new(const struct schema *s, const struct schema_kind_info *k);
/* Custom: `columns` is additionalPrinterColumns (may be NULL): Name is first, Age is last when there are none. */
err_code table_new_custom(const struct json *columns, struct table **ret, struct err *err);
void table_free(struct table *t);

/* The value of columnDefinitions. */
void table_print_columns(struct buf *out, const struct table *t);
/* One row's cells, `["web-0","1/1","Running",0,"5m"]`, and its conditions where the kind has any (a finished pod is
 * "Completed"): `"cells":[...],"conditions":[...]`. `content` is the object's as served in the table's version. Never fails: what
 * cannot be read prints as the original prints it (<unknown>, <none>). */
void table_print_cells(struct buf *out, struct arena *a, const struct table *t, str content,
                       int64_t now_wall);

#endif
