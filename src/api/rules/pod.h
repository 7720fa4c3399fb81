/* pod.h - rules of pods that other kinds share: templates of pods, and the parts of a pod that stand elsewhere too. For files
 * of this folder.
 * Paths and messages are those of the original, its slips included. */
#ifndef API_RULES_POD_H
#define API_RULES_POD_H

#include "api/rules/rules_priv.h"
#include "view/core_v1.h"

/* --- trees --- */

/* Defaults of a PodSpec that depend on other fields. */
void pod_spec_defaults(const struct rules_input *in, struct json *spec);
/* The same of a template {metadata, spec}; NULL is left alone. */
void pod_template_defaults(const struct rules_input *in, struct json *template);
/* Drops what belongs to features that are off; NULL is left alone. */
void pod_spec_drop_disabled(struct json *spec);
void pod_template_drop_disabled(struct json *template);
/* Rounds what {limits, requests} has finer than thousandths; NULL is left alone. */
void resources_round_up(const struct rules_input *in, struct json *resources);

/* --- validation --- */

void pod_template_validate(const struct rules_input *in, const struct pod_template_spec *template,
                           const struct field_path *path, struct field_errors *errors);
void pod_tolerations_validate(struct field_errors *errors, const struct field_path *path,
                              const struct toleration_array *tolerations);
void node_selector_validate(struct field_errors *errors, const struct field_path *path,
                            const struct node_selector *selector);
void claim_spec_validate(struct field_errors *errors, const struct field_path *path,
                         const struct persistent_volume_claim_spec *spec);
/* The one type that it is of, as volumes of pods are looked at; none: nothing is said. */
void volume_source_validate(struct field_errors *errors, const struct field_path *path,
                            const struct volume_source *source);
bool resource_is_huge_page(str name);

/* --- warnings --- */

/* Bytes come whole. */
void fraction_warning(const struct rules_input *in, const struct field_path *path,
                      const struct quantity_map *map, str name);
void claim_spec_warnings(const struct rules_input *in, const struct field_path *path,
                         const struct persistent_volume_claim_spec *spec);
/* `path` is that of the template ("spec.template"); NULL for a pod. */
void pod_warnings(const struct rules_input *in, const struct field_path *path, const struct object_meta *meta,
                  const struct pod_spec *spec);

#endif
