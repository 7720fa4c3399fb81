/* checks.h - what several kinds check in the same way: selectors, addresses, names and amounts of resources.
 * For files of this folder. Each adds one error for each thing that is wrong, in the original's words. */
#ifndef API_RULES_CHECKS_H
#define API_RULES_CHECKS_H

#include "api/rules/rules_priv.h"
#include "base/ip.h"
#include "view/core_v1.h"

/* --- selectors --- */
bool label_selector_is_valid(struct arena *a, const struct label_selector *selector);

/* --- addresses --- */
/* Fields that once took sloppy spellings: `before`, sorted, has values that may stay. It may be NULL. */
void check_ip(struct field_errors *errors, const struct field_path *path, str ip,
              const struct str_array *before);
void check_cidr(struct field_errors *errors, const struct field_path *path, str cidr,
                const struct str_array *before);
/* Younger fields: in their canonical form only. */
void check_canonical_ip(struct field_errors *errors, const struct field_path *path, str ip);
void check_canonical_cidr(struct field_errors *errors, const struct field_path *path, str cidr);
/* Of a pod or another end of a connection: not of this host, this link, or a group. */
void check_endpoint_ip(struct field_errors *errors, const struct field_path *path, str ip);
/* A DNS name that is no address. */
void check_hostname(struct field_errors *errors, const struct field_path *path, str hostname);
bool is_ip(str s);
bool is_ipv6(str s);

/* --- names --- */
/* "example.com/what": a domain, then a path. */
void check_domain_path(struct field_errors *errors, const struct field_path *path, str value);
/* A domain of at least so many parts, its reasons in one error. */
void check_domain(struct field_errors *errors, const struct field_path *path, str value, size_t parts);
/* Required, and a path segment. */
void check_required_segment(struct field_errors *errors, const struct field_path *path, str value);
/* A finalizer without a domain must be one of Kubernetes' own. */
void check_standard_finalizer(struct field_errors *errors, const struct field_path *path, str finalizer);
void check_csi_driver_name(struct field_errors *errors, const struct field_path *path, str name);

/* --- resources --- */
bool resource_is_native(str name); /* not of a vendor */
bool resource_is_extended(str name);
bool resource_may_overcommit(str name);
bool resource_is_quota_standard(str name);
void check_resource_name(struct field_errors *errors, const struct field_path *path, str name);
void check_container_resource_name(struct field_errors *errors, const struct field_path *path, str name);
void check_quota_resource_name(struct field_errors *errors, const struct field_path *path, str name);
void check_not_negative(struct field_errors *errors, const struct field_path *path, const struct quantity *q);
void check_positive(struct field_errors *errors, const struct field_path *path, const struct quantity *q);
/* Not negative, and whole where the resource comes in pieces. */
void check_resource_amount(struct field_errors *errors, const struct field_path *path, str name,
                           const struct quantity *q);
const struct quantity *quantity_of(const struct quantity_map *m, str name); /* NULL: not there */

/* --- conditions --- */
/* Of the common form: typed once, with a known status, a time and a reason. */
void check_conditions(struct field_errors *errors, const struct field_path *path,
                      const struct condition_array *conditions);

/* --- lists and maps --- */
/* Which items stand before them already: an array of `count` truths. */
const bool *repeats(struct arena *a, const str *items, size_t count);
/* A sorted copy, each text once; of NULL an empty list. */
struct str_array sorted_strs(struct arena *a, const struct str_array *list);
bool str_arrays_equal(const struct str_array *x, const struct str_array *y);
bool str_maps_equal(const struct str_map *x, const struct str_map *y);

/* --- changes --- */
/* As messages show it: null when it is zero. */
struct json time_value(struct arena *a, struct kube_time t);
/* Equal as content: what is said, not how views were made. `type`: VIEW_TYPE(c_type); NULL is a view that is not there. */
bool views_equal(struct arena *a, const struct schema_type *type, const void *x, const void *y);
/* "field is immutable", showing the new one. */
void check_same_text(struct field_errors *errors, const struct field_path *path, str value, str old);
/* The same, the new one shown by the names of the original's inside. */
void check_same_internal(struct field_errors *errors, const struct field_path *path,
                         const struct schema_type *type, const void *value, const void *old);
void check_same_view(struct field_errors *errors, const struct field_path *path,
                     const struct schema_type *type, const void *value, const void *old);

/* --- warnings --- */
void warn(const struct rules_input *in, const char *fmt, ...) PRINTF_LIKE(2, 3);
void warn_ip(const struct rules_input *in, const struct field_path *path, str ip);
void warn_cidr(const struct rules_input *in, const struct field_path *path, str cidr);
/* When the key is a label of nodes whose name has changed since. */
void warn_node_label(const struct rules_input *in, const struct field_path *path, str key);

#endif
