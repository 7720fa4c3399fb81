/* identity.h - who asks, and for what: the two things that authentication makes and authorization, admission and audit read.
 * Plain data, borrowed from the request's arena. */
#ifndef SERVER_IDENTITY_H
#define SERVER_IDENTITY_H

#include "base/str.h"

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

/* What is asked, as authorizers see it. */
struct attributes {
    const struct user *user;
    str verb; /* "get", "list", "deletecollection", "impersonate" ...; of paths: the method in lower case */
    bool is_resource; /* else `path` */
    str group, version, resource, subresource, ns, name;
    str path;
};

#endif
