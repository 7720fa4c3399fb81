/* read.h - reading from the store within a request. */
#ifndef SERVER_READ_H
#define SERVER_READ_H

#include "server/server_priv.h"

/* NEXT: r->read.snapshot is there, until the request ends or reads again; it is the newest, or not older than `not_before`
 * (above 0). Else it waits (and is to be called again) or has answered. */
enum stage_result request_read(struct request *r, int64_t not_before);
/* Lets go of the snapshot: the next request_read gets a newer one. */
void request_read_again(struct request *r);

enum stage_result answer_object(struct request *r, int code, const struct object *o);

/* Does an object match? */
struct list_params;
bool object_matches(struct arena *a, const struct object *o, const struct list_params *p);

#endif
