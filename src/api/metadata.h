/* metadata.h - what must hold of the metadata of every object, and which of it may change.
 * What names of a kind look like is declared in api/ (`name FORMAT`; a DNS subdomain unless said). The few kinds whose name
 * follows from their content (plural.group, an IP address) say so in their own rules.
 * Called by the write path: `metadata_validate` on creates, `metadata_validate_update` on every other write, each together with
 * what else is wrong with the object. What a client may not set at all (uid, creationTimestamp, generation, ...) has been
 * replaced before; what it said wrongly about them in an update is what these find.
 * Messages, paths and orders are the original's. Pure; threads: any. */
#ifndef API_METADATA_H
#define API_METADATA_H

#include "api/field_error.h"
#include "api/schema.h"
#include "base/arena.h"

struct object_meta; /* view/meta_v1.h */

#define METADATA_MANAGER_SIZE_MAX 128

/* `s`, `k`: the kind, built-in or custom. The name has been generated, if that was asked for. */
void metadata_validate(const struct schema *s, const struct schema_kind_info *k, const struct object_meta *m,
                       struct field_errors *errors);
/* `m->resource_version` is what the client said, or what is stored where it need not say: empty is an error. */
void metadata_validate_update(const struct schema *s, const struct schema_kind_info *k,
                              const struct object_meta *m, const struct object_meta *old,
                              struct field_errors *errors);

/* Both of content, as objects have it (object.h). `old` empty: a create; else it is of `old_revision`, and the client has said
 * no other. CORRUPT: the metadata cannot be read. */
err_code metadata_check(struct arena *a, const struct schema *s, const struct schema_kind_info *k,
                        str content, str old, int64_t old_revision, struct field_errors *errors,
                        struct err *err);

/* A field manager's name: of an entry of managedFields, or of a request ("fieldManager"). */
void metadata_check_manager(struct field_errors *errors, const struct field_path *path, str manager);

/* The name for generateName: its beginning, so that the whole is a DNS label in length, and five letters and digits without
 * vowels chosen by `random`. In the arena. */
str metadata_generated_name(struct arena *a, str generate_name, uint64_t random);

#endif
