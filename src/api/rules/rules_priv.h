/* rules_priv.h - what the rules of many kinds are written with. For files of this folder.
 *
 *     const struct field_path *target = AT(root, "target");
 *     if (b->target.name.n == 0)
 *         field_required(errors, AT(target, "name"), STR_NONE);
 */
#ifndef API_RULES_RULES_PRIV_H
#define API_RULES_RULES_PRIV_H

#include "api/rules.h"
#include "api/view.h"
#include "base/names.h"
#include "base/quantity.h"

/* Places below a place; they live as long as the block they are written in. */
#define AT(in, field)       AT_(.parent = (in), .name = S(field), .kind = FIELD_PATH_NAME)
#define AT_NAME(in, text)   AT_(.parent = (in), .name = (text), .kind = FIELD_PATH_NAME)
#define AT_KEY(in, text)    AT_(.parent = (in), .name = (text), .kind = FIELD_PATH_KEY)
#define AT_INDEX(in, count) AT_(.parent = (in), .index = (count), .kind = FIELD_PATH_INDEX)
#define AT_(...)            ((const struct field_path[]){{__VA_ARGS__}})

/* Values for messages, of the same life. */
#define TEXT(s)   ((const struct json[]){json_of_str(s)})
#define NUMBER(n) ((const struct json[]){json_of_int(n)})
#define TRUTH(b)  ((const struct json[]){json_of_bool(b)})

/* Lists of what is accepted: STRS(S("Always"), S("Never")) in a call is two arguments, the texts and their count. */
#define STRS(...) ((const str[]){__VA_ARGS__}), ARRAY_COUNT(((const str[]){__VA_ARGS__}))

/* A quantity as messages show it. */
struct json rules_quantity(struct arena *a, const struct quantity *q);
/* A whole view as messages show it. `type`: VIEW_TYPE(c_type). */
struct json rules_view(struct arena *a, const struct schema_type *type, const void *view);

/* One error for each thing that is wrong with a name. */
void rules_name(struct field_errors *errors, const struct field_path *path, str name, name_check_fn *check);
/* "Unsupported value" unless it is one of them. True: it is. */
bool rules_one_of(struct field_errors *errors, const struct field_path *path, str value, const str *supported,
                  size_t supported_count);
/* Labels: keys are qualified names, values label values. */
void rules_labels(struct field_errors *errors, const struct field_path *path, const struct str_map *labels);

#endif
