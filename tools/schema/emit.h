/* emit.h - the two products of the generator, made from a model.
 *   view headers: a C struct for each declared type, one header for each package (view/core_v1.h);
 *   tables: src/api/schema.h's struct schema, filled in. */
#ifndef TOOLS_SCHEMA_EMIT_H
#define TOOLS_SCHEMA_EMIT_H

#include "base/buf.h"
#include "model.h"

/* C names: podCIDRs -> pod_cidrs; a C keyword gets a '_' at its end. */
str c_snake(struct arena *a, str name);
/* "core/v1" -> "core_v1" */
str c_package(struct arena *a, str package);
/* Gives every type its C name; ERR_INVALID when two types get the same. */
err_code c_names_assign(struct model *m, struct err *err);

/* Numbers packages, types and enums as the tables will hold them. */
void model_number(struct model *m);

void emit_view_header(struct model *m, const struct m_package *package, struct buf *out);
err_code emit_tables(struct model *m, struct buf *out, struct err *err);

#endif
