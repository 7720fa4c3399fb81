/* names.h - whether a text is what Kubernetes calls a name of some kind, and if not, why.
 * Each check is true when the text is good. Else it adds its reasons to `errs`, word for word those of the original
 * (clients see and match them, the regular expressions in them included); `errs` may be NULL.
 * The reasons are constant texts: they live for the whole program. Pure functions, any thread. */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/buf.h"
#include "base/str.h"

#define NAME_ERRORS_MAX 8 /* no check has more */

struct name_errors {
    str reasons[NAME_ERRORS_MAX];
    unsigned count;
};

/* The reasons, `separator` between them. */
void name_errors_add(struct buf *out, const struct name_errors *errs, str separator);

typedef bool name_check_fn(str s, struct name_errors *errs);

name_check_fn name_check_qualified; /* label and annotation keys: "example.com/My.name", "app" */
name_check_fn name_check_prefixed;  /* the same with the prefix required */
name_check_fn name_check_label_value;
name_check_fn name_check_dns1123_label;                /* "my-name" */
name_check_fn name_check_dns1123_subdomain;            /* "example.com": the usual name of an object */
name_check_fn name_check_dns1123_subdomain_underscore; /* "_srv.example.com" */
name_check_fn name_check_dns1035_label;                /* "abc-123": services of old */
name_check_fn name_check_wildcard_subdomain;           /* "*.example.com" */
name_check_fn name_check_c_identifier;
name_check_fn name_check_env_var;         /* strict: what a shell can mostly use */
name_check_fn name_check_env_var_relaxed; /* printable ASCII but '=' */
name_check_fn name_check_config_map_key;
name_check_fn name_check_port_name; /* IANA service name */
name_check_fn name_check_http_header;
name_check_fn name_check_http_path;     /* characters only */
name_check_fn name_check_path_segment;  /* can stand in a URL's path, and in a file system */
name_check_fn name_check_path;          /* of a file: no element is ".." */
name_check_fn name_check_relative_path; /* and it does not begin with "/" */
name_check_fn name_check_local_path;    /* and its first element does not begin with ".." */
name_check_fn name_check_percent;       /* "25%" */
name_check_fn name_check_ip;            /* as fields of old take it, and... */
name_check_fn name_check_ip_strict;     /* ...without leading zeros and mapped addresses */
name_check_fn name_check_cidr;
name_check_fn name_check_cidr_strict; /* and without bits behind the prefix */
name_check_fn name_check_uuid;

bool name_check_port_number(int64_t port, struct name_errors *errs); /* 1 to 65535 */

#define NAME_LABEL_SIZE_MAX     63
#define NAME_SUBDOMAIN_SIZE_MAX 253

#endif
