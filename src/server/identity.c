#include "server/identity.h"

bool user_in_group(const struct user *u, str group)
{
    for (size_t i = 0; i < u->group_count; i++) {
        if (str_eq(u->groups[i], group))
            return true;
    }
    return false;
}

bool user_is_service_account(const struct user *u, str *ret_ns, str *ret_name)
{
    str rest = u->name, ns, name;
    if (!str_take_prefix(&rest, S("system:serviceaccount:")) || !str_cut(rest, ':', &ns, &name) ||
        str_empty(ns) || str_empty(name) || str_index_c(name, ':') != SIZE_MAX)
        return false;
    *ret_ns = ns;
    *ret_name = name;
    return true;
}

bool user_is_node(const struct user *u, str *ret_node)
{
    str node = u->name;
    if (!str_take_prefix(&node, S("system:node:")) || !user_in_group(u, S(GROUP_NODES)))
        return false;
    *ret_node = node;
    return true;
}
