/* params.h - what stands behind the '?', by verb, and how strictly the original reads it.
 * An unknown parameter is ignored; one that cannot be read is BAD_REQUEST in the original's words. */
#ifndef SERVER_PARAMS_H
#define SERVER_PARAMS_H

#include "base/selector.h"
#include "server/request.h"

/* get, list, watch, deletecollection. */
struct list_params {
    struct label_selector labels;
    struct field_selector fields;
    str name; /* of metadata.name=...: a list of at most one */
    bool has_name;
    str resource_version; /* as given; empty: not given */
    int64_t revision;     /* of it; 0: "0" or not given */
    str resource_version_match;
    int64_t limit; /* 0: none */
    str continue_token;
    bool watch, allow_bookmarks, send_initial_events, has_send_initial_events;
    int64_t timeout_s; /* 0: not given */
};
err_code list_params_read(struct request *r, struct list_params *ret, struct err *err);

/* Of writes, into r->params. */
err_code write_params_read(struct request *r, struct err *err);

/* Where a list goes on: a revision (-1: the newest) and the last object that was given. Stateless: good on another server and
 * after a restart. Nothing is in it that the client could not ask for anyway, so it is not signed. */
void continue_token_print(struct arena *a, int64_t revision, const struct object_range *range,
                          struct object_key last, str *ret);
err_code continue_token_read(struct arena *a, str token, const struct object_range *range,
                             int64_t *ret_revision, struct object_key *ret_after, struct err *err);

/* Value of a parameter, the first of its name. False: not there. */
bool param_find(struct request *r, str name, str *ret);
bool param_bool(struct request *r,
                str name); /* "", "1", "true" ... as the original: anything but 0 and false */

#endif
