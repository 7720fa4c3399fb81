/* workloads.h - what the kinds share that make pods of a template. For files of this folder. */
#ifndef API_RULES_WORKLOADS_H
#define API_RULES_WORKLOADS_H

#include "api/rules/checks.h"
#include "api/rules/pod.h"

/* A count that may not be negative. */
struct workload_count {
    const char *name;
    int64_t n;
};
void workload_counts_validate(struct field_errors *errors, const struct field_path *path,
                              const struct workload_count *counts, size_t count);
/* "cannot be greater than status.replicas" */
void workload_at_most(struct field_errors *errors, const struct field_path *path, const char *name, int64_t n,
                      int64_t most, const char *than);
/* "cannot be decremented" */
void workload_collisions_validate(struct field_errors *errors, const struct field_path *path,
                                  struct opt_int32 count, struct opt_int32 old);

/* `wrong`: what is said of a selector that is none. `called`: "empty selector is invalid for deployment". */
struct workload_selector {
    const struct label_selector *selector;
    const char *called, *wrong;
};
/* True: it can be compared with labels (NULL can, and fits none). */
bool workload_selector_validate(struct field_errors *errors, const struct field_path *path,
                                const struct workload_selector *s);
void workload_labels_validate(struct field_errors *errors, const struct field_path *template_path,
                              const struct label_selector *selector, const struct str_map *labels);
/* `kind`: "activeDeadlineSeconds in ReplicaSet is not Supported" */
void workload_pods_go_on_validate(struct field_errors *errors, const struct field_path *template_path,
                                  const struct pod_spec *spec, const char *kind);
void workload_selector_is_same(struct field_errors *errors, const struct label_selector *selector,
                               const struct label_selector *old);

/* Counts or percentages: a number, percent signs left out; 0 for what is neither. */
int64_t count_or_percent_value(const struct int_or_string *v);
struct json int_or_string_json(const struct int_or_string *v);
/* "must not be greater than 100%" */
void at_most_all_validate(struct field_errors *errors, const struct field_path *path,
                          const struct int_or_string *v);

/* A name that is no DNS label: "this is used in " Pod names and hostnames. */
void host_name_warning(const struct rules_input *in, str name, const char *used_in);
#define USED_IN_POD_NAMES "Pod names and hostnames"

/* --- trees --- */
/* `spec`.`name`, made an object if it is not there. */
struct json *workload_member(const struct rules_input *in, struct json *object, str name);

#endif
