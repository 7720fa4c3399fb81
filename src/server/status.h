/* status.h - what a request is answered with when it is not answered with an object: a Status document, and the makers of
 * those whose words clients match on.
 * Plain data, borrowed from the request's arena. */
#ifndef SERVER_STATUS_H
#define SERVER_STATUS_H

#include "api/catalog.h"
#include "api/field_error.h"
#include "base/buf.h"

struct status_cause {
    str reason, message, field;
};

struct status {
    int code;   /* HTTP's; 0: success, nothing went wrong */
    str reason; /* "NotFound" */
    str message;
    /* details, left out when all are empty */
    str name, group, kind, uid;
    const struct status_cause *causes;
    size_t cause_count;
    int retry_after_s; /* also the header */
};

/* {"kind":"Status","apiVersion":"v1",...}. */
void status_print(struct buf *out, const struct status *st);

/* The makers. `k` NULL: nothing is known of the kind. They return the status, so that failing is one statement. */
struct status status_of_err(struct arena *a, const struct err *err); /* code and reason follow from err's */
struct status status_make(struct arena *a, err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
struct status status_not_found(struct arena *a, const struct served_kind *k, str name);
struct status status_already_exists(struct arena *a, const struct served_kind *k, str name);
struct status status_conflict(struct arena *a, const struct served_kind *k, str name, str why);
/* The object was changed by somebody else meanwhile. */
struct status status_modified(struct arena *a, const struct served_kind *k, str name);
struct status status_invalid(struct arena *a, const struct served_kind *k, str name,
                             const struct field_errors *errors);
struct status status_forbidden(struct arena *a, const struct served_kind *k, str name, str why);
struct status status_method_not_allowed(struct arena *a, const struct served_kind *k);
/* `group`.`plural`, as messages name a resource: "pods", "deployments.apps". */
str served_kind_qualified(struct arena *a, const struct served_kind *k);

#endif
