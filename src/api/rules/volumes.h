/* volumes.h - rules of persistent volumes that stand elsewhere too. For files of this folder. */
#ifndef API_RULES_VOLUMES_H
#define API_RULES_VOLUMES_H

#include "api/rules/checks.h"
#include "view/core_v1.h"

/* The volume of an attachment that is not an object of its own: a CSI volume and nothing that only those have. */
void inline_volume_validate(struct field_errors *errors, const struct field_path *path,
                            const struct persistent_volume_spec *v);

#endif
