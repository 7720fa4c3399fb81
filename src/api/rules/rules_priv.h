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
#include "base/int_or_string.h"
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
/* A whole view as messages show it. */
struct json rules_view(struct arena *a, const struct schema_type *type, const void *view);
struct json rules_texts(struct arena *a, const struct str_array *texts);
struct json rules_text_map(struct arena *a, const struct str_map *map);

/* One error for each thing that is wrong with a name. */
void rules_name(struct field_errors *errors, const struct field_path *path, str name, name_check_fn *check);
/* "Required value" for none, else rules_name. */
void rules_name_required(struct field_errors *errors, const struct field_path *path, str name,
                         name_check_fn *check);
/* The name may be the beginning of one: it may end in '-'. */
void rules_name_prefix(struct field_errors *errors, const struct field_path *path, str name,
                       name_check_fn *check);
void rules_required(struct field_errors *errors, const struct field_path *path, str text);
/* "Unsupported value" unless it is one of them (sorted, and in order). True: it is. */
bool rules_one_of(struct field_errors *errors, const struct field_path *path, str value, const str *supported,
                  size_t supported_count);
bool rules_one_of_in_order(struct field_errors *errors, const struct field_path *path, str value,
                           const str *supported, size_t supported_count);
bool rules_is_one_of(str value, const str *supported, size_t supported_count);
/* Numbers: 0 and more; more than 0; between, both included. */
void rules_non_negative(struct field_errors *errors, const struct field_path *path, int64_t n);
void rules_positive(struct field_errors *errors, const struct field_path *path, int64_t n);
void rules_range(struct field_errors *errors, const struct field_path *path, int64_t n, int64_t min,
                 int64_t max);
/* A port by number or by name. */
void rules_port(struct field_errors *errors, const struct field_path *path, const struct int_or_string *port);
/* A count or a percentage. */
void rules_count_or_percent(struct field_errors *errors, const struct field_path *path,
                            const struct int_or_string *value);
/* An IP address; one of `old` is good however it is written (may be NULL). */
void rules_ip(struct field_errors *errors, const struct field_path *path, str ip,
              const struct str_array *old);

/* Labels: keys are qualified names, values label values. */
void rules_labels(struct field_errors *errors, const struct field_path *path, const struct str_map *labels);
void rules_annotations(struct field_errors *errors, const struct field_path *path,
                       const struct str_map *annotations);
/* NULL: no such key. */
const str *rules_map_find(const struct str_map *map, str key);

struct label_selector; /* of view/meta_v1.h */
/* NULL is good. */
void rules_label_selector(struct field_errors *errors, const struct field_path *path,
                          const struct label_selector *selector);
/* The same, and some things are let through: values that are no label values (they were there before), operators of versions
 * to come. */
enum rules_selector_flags { RULES_ANY_VALUES = 1 << 0, RULES_ANY_OPERATOR = 1 << 1 };
void rules_label_selector_with(struct field_errors *errors, const struct field_path *path,
                               const struct label_selector *selector, unsigned flags);
bool rules_label_selector_is_empty(const struct label_selector *selector);
/* One that rules_label_selector has nothing to say about; NULL matches nothing. */
bool rules_label_selector_matches(const struct label_selector *selector, const struct str_map *labels);

/* printf, in the errors' arena. */
#define RULES_F(errors, ...) str_format((errors)->arena, __VA_ARGS__)

#endif
