/* managed.h - who manages which field, as far as requests go: what apply.h needs to know of one. */
#ifndef SERVER_MANAGED_H
#define SERVER_MANAGED_H

#include "api/apply.h"
#include "server/write.h"

/* Borrows from the request. */
void managed_who(struct request *r, struct apply_who *ret);
/* After a create, update or patch: credits what changed to who asked. Trees are of the stored version, with defaults; `old` is
 * null for a create. */
err_code managed_track(struct request *r, struct write *w, const struct json *old, struct json *tree,
                       struct err *err);

#endif
