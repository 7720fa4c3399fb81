/* pod_priv.h - the parts of validating a pod, by file. */
#ifndef API_RULES_POD_PRIV_H
#define API_RULES_POD_PRIV_H

#include "api/rules/name_map.h"
#include "api/rules/pod.h"

/* One PodSpec being looked at. */
struct pod_check {
    struct field_errors *errors;
    const struct pod_spec *spec;
    const struct object_meta *meta; /* of a pod; NULL: a template */
    struct name_map volumes; /* struct volume, those that nothing is wrong with: which mounts may name */
    struct name_map claims;  /* names of resource claims */
    str claim_names;         /* what is said to who names another one */
};

/* Init containers, containers, ephemeral ones, each with its place. Start with {.spec, .root}. */
struct container_walk {
    const struct pod_spec *spec;
    const struct field_path *root; /* of the spec */
    struct field_path list, path;  /* path: of the container */
    size_t at;
};
/* NULL: no more. */
const struct container *container_walk_next(struct container_walk *w);
/* Ephemeral containers have the fields of others, in the same places. */
const struct container *container_of_ephemeral(const struct ephemeral_container *e);
bool container_is_sidecar(const struct container *c);

/* pod_defaults.c */
void pod_defaults(const struct rules_input *in, struct json *tree);
/* The view of a tree that is normalised. False: it is not. */
bool pod_spec_view(const struct rules_input *in, const struct json *spec, struct pod_spec *ret);
/* BestEffort, Burstable, Guaranteed. */
str pod_qos_class(struct arena *a, const struct pod_spec *spec);

/* pod_spec.c; `path`: of the spec */
void pod_spec_validate(struct pod_check *c, const struct field_path *path);
/* pod_annotations.c */
void pod_annotations_validate(struct field_errors *errors, const struct field_path *path,
                              const struct str_map *annotations, const struct pod_spec *spec);
void pod_annotations_validate_update(struct field_errors *errors, const struct field_path *path,
                                     const struct pod *pod, const struct pod *old);
/* Annotations of old say the same as the fields. */
void pod_profiles_validate(struct field_errors *errors, const struct field_path *spec_path,
                           const struct object_meta *meta, const struct pod_spec *spec);

/* pod_volumes.c: fills in c->volumes. */
void pod_volumes_validate(struct pod_check *c, const struct field_path *path);

/* pod_env.c */
void pod_env_validate(struct field_errors *errors, const struct field_path *path,
                      const struct env_var_array *env);
void pod_env_from_validate(struct field_errors *errors, const struct field_path *path,
                           const struct env_from_source_array *sources);
/* Of a file of a volume (fields of pods that volumes may show) or of a variable. */
void object_field_selector_validate(struct field_errors *errors, const struct field_path *path,
                                    const struct object_field_selector *f, bool of_volume);
void resource_field_selector_validate(struct field_errors *errors, const struct field_path *path,
                                      const struct resource_field_selector *f, bool of_volume);

/* pod_containers.c */
void pod_containers_validate(struct pod_check *c, const struct field_path *path);
void pod_init_containers_validate(struct pod_check *c, const struct field_path *path);
void pod_ephemeral_containers_validate(struct pod_check *c, const struct field_path *path);
void pod_image_validate(struct field_errors *errors, const struct field_path *path, str image);
void pull_policy_validate(struct field_errors *errors, const struct field_path *path, str policy);

/* pod_handlers.c */
void pod_lifecycle_validate(struct pod_check *c, const struct field_path *path, const struct lifecycle *l);
enum probe_role { PROBE_LIVENESS, PROBE_READINESS, PROBE_STARTUP };
void pod_probe_validate(struct pod_check *c, const struct field_path *path, const struct probe *p,
                        enum probe_role role);

/* pod_resources.c */
void pod_resources_validate(struct pod_check *c, const struct field_path *spec_path);
void container_resources_validate(struct pod_check *c, const struct field_path *path,
                                  const struct resource_requirements *r);
void pod_overhead_validate(struct pod_check *c, const struct field_path *path);
/* Amounts by resource, in the order they came. */
struct resource_amount {
    str name;
    struct quantity q;
    struct resource_amount *next;
};
struct resource_sum {
    struct arena *arena;
    struct name_map by_name; /* struct resource_amount */
    struct resource_amount *first, **tail;
};
void resource_sum_init(struct resource_sum *s, struct arena *a);
void resource_sum_add(struct resource_sum *s, str name, const struct quantity *q);
/* The larger of what is there and this. */
void resource_sum_max(struct resource_sum *s, str name, const struct quantity *q);
/* What the containers of a pod need together (or may use, limits) at any one time. */
void pod_resources_aggregate(struct arena *a, const struct pod_spec *spec, bool limits,
                             struct resource_sum *ret);

/* pod_security.c */
void security_context_validate(struct pod_check *c, const struct field_path *path,
                               const struct security_context *sc);
void pod_security_context_validate(struct pod_check *c, const struct field_path *path);
void pod_windows_host_process_validate(struct pod_check *c, const struct field_path *spec_path);
void pod_host_users_validate(struct pod_check *c, const struct field_path *spec_path);
/* Shared with what annotations of old become. */
void app_armor_validate(struct field_errors *errors, const struct field_path *path,
                        const struct app_armor_profile *p);
void pod_os_validate(struct pod_check *c, const struct field_path *spec_path);

/* pod_scheduling.c */
void pod_affinity_validate(struct pod_check *c, const struct field_path *path);
void pod_spread_validate(struct pod_check *c, const struct field_path *path);

/* pod.c: what holds of a pod on a create and on an update */
void pod_validate_whole(const struct pod *pod, struct field_errors *errors);

/* What an update changed, by subresource. */
/* pod_update.c */
void pod_update_validate(const struct pod *pod, const struct pod *old, struct field_errors *errors);
void pod_ephemeral_update_validate(const struct pod *pod, const struct pod *old, struct field_errors *errors);
/* pod_status.c */
void pod_status_validate(const struct pod *pod, const struct pod *old, struct field_errors *errors);
/* pod_resize.c */
void pod_resize_validate(const struct pod *pod, const struct pod *old, struct field_errors *errors);
/* Of one that its node has from elsewhere. */
bool pod_is_mirror(const struct pod *pod);

#endif
