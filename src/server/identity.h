/* identity.h - who asks, and for what: the two things that authentication makes and authorization, admission and audit read.
 * Plain data, borrowed from the request's arena. */
#ifndef SERVER_IDENTITY_H
#define SERVER_IDENTITY_H

#include "base/str.h"

struct field_selector;

struct user_extra {
    str key;
    const str *values;
    size_t value_count;
};

struct user {
    str name; /* "system:anonymous", "system:serviceaccount:NS:NAME" */
    str uid;
    const str *groups;
    size_t group_count;
    const struct user_extra *extra;
    size_t extra_count;
};

bool user_in_group(const struct user *u, str group);

#define GROUP_MASTERS "system:masters" /* may do anything, whatever any role says */
#define GROUP_NODES   "system:nodes"

/* "system:serviceaccount:NS:NAME" taken apart. */
bool user_is_service_account(const struct user *u, str *ret_ns, str *ret_name);
/* A node's agent: "system:node:NAME" in system:nodes. The name may be empty: then it is some agent, but which is not known. */
bool user_is_node(const struct user *u, str *ret_node);

/* What is asked, as authorizers see it. */
struct attributes {
    const struct user *user;
    str verb; /* "get", "list", "deletecollection", "impersonate" ...; of paths: the method in lower case */
    bool is_resource; /* else `path` */
    str group, version, resource, subresource, ns;
    str name; /* also of a list, watch or deletecollection that selects metadata.name=NAME */
    /* What a list, watch or deletecollection selects by; NULL: nothing. One that cannot be understood selects nothing. */
    const struct field_selector *fields;
    str path;
};

#endif
