/* columns.h - the functions of table_functions.def, and what several files of this folder use. */
#ifndef API_COLUMNS_COLUMNS_H
#define API_COLUMNS_COLUMNS_H

#include "api/table_priv.h"
#include "view/admissionregistration_v1.h"
#include "view/apiregistration_v1.h"
#include "view/apps_v1.h"
#include "view/autoscaling_v2.h"
#include "view/batch_v1.h"
#include "view/certificates_v1.h"
#include "view/core_v1.h"
#include "view/discovery_v1.h"
#include "view/flowcontrol_v1.h"
#include "view/meta_v1.h"
#include "view/networking_v1.h"
#include "view/policy_v1.h"
#include "view/rbac_v1.h"
#include "view/resource_v1.h"
#include "view/storage_v1.h"

#define TABLE_STRUCT(function, view)        void column_##function(struct row *r, const struct view *v);
#define TABLE_VALUE(function, c_type, kind) void column_##function(struct row *r, const c_type *v);
#include "api/table_functions.def"

/* `,"conditions":[...]` of a finished pod; nothing of others. */
void pod_row_conditions(struct buf *out, const struct pod *p);

/* By the original's names of states: "True" or "False". */
static inline str bool_word(bool b)
{
    return b ? S("True") : S("False");
}
/* The first condition of a type, of any array of structs with these two members; NULL: there is none. */
#define CONDITION_FIND(conditions, wanted)                                                  \
    ({                                                                                      \
        size_t at_ = 0;                                                                     \
        while (at_ < (conditions)->count && !str_is((conditions)->items[at_].type, wanted)) \
            at_++;                                                                          \
        at_ < (conditions)->count ? &(conditions)->items[at_] : NULL;                       \
    })

bool annotation_is_true(const struct object_meta *meta, str key);
/* The name, and " (default)" behind it. */
void cell_name_of_class(struct row *r, const struct object_meta *meta, bool is_default);

/* Texts to look up or to print in order: sorted, each once. */
struct text_set {
    str *items;
    size_t count;
};
void text_set_sort(struct text_set *set);
bool text_set_has(const struct text_set *set, str text);

#endif
