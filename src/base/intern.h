/* intern.h - a fixed set of names, each with a small number: field names of the schema, header names, metrics.
 * Built once (or generated as constant data), never changed, shared by every thread. A parser that meets a name of the
 * set takes the set's own text and number instead of copying: comparing and switching is then by number.
 * Number 0 means "not in the set". */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "base/str.h"

typedef uint32_t name_id;

/* Open addressing over str_hash. `slots[i]` is a number or 0; slot_mask + 1 is a power of two at least twice the
 * count. names[0] is unused. */
struct intern {
    const str *names;
    const uint16_t *slots;
    uint32_t slot_mask;
    uint32_t count; /* highest number */
};

/* 0: not there. */
name_id intern_find(const struct intern *in, str name);
/* The same for who has str_hash(name) at hand. */
static inline name_id intern_find_hashed(const struct intern *in, str name, uint64_t hash)
{
    for (uint32_t at = (uint32_t)hash & in->slot_mask;; at = (at + 1) & in->slot_mask) {
        name_id id = in->slots[at];
        if (id == 0 || str_eq(in->names[id], name))
            return id;
    }
}
static inline str intern_name(const struct intern *in, name_id id)
{
    ASSERT(id && id <= in->count);
    return in->names[id];
}

/* Builds one on the heap (tests, custom resources); names are copied, duplicates count once, numbers in order given. */
struct intern *intern_new(const str *names, size_t name_count);
void intern_free(struct intern *in);

#endif
