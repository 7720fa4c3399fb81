/* intern.h - a fixed set of names, each with a small number: field names of the schema, header names, metrics.
 * Built once (or generated as constant data), never changed, shared by every thread. A parser that meets a name of the
 * set takes the set's own text and number instead of copying: comparing and switching is then by number.
 * Number 0 means "not in the set". */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "base/str.h"

typedef uint32_t name_id;

/* Open addressing over intern_hash. `slots[i]` is a number or 0; slot_mask + 1 is a power of two at least twice the
 * count. names[0] is unused. */
struct intern {
    const str *names;
    const uint16_t *slots;
    uint32_t slot_mask;
    uint32_t count; /* highest number */
};

/* 0: not there. */
name_id intern_find(const struct intern *in, str name);

/* Names are short: a multiplication over their first and last eight bytes (and the length) tells them apart, in a
 * quarter of the time of str_hash. Not for keys from outside: what differs in the middle only collides. */
static inline uint64_t intern_hash(str name)
{
    bool shorter = name.n < 8;
    uint64_t head = shorter ? 0 : str_read64_(name.p);
    uint64_t tail = shorter ? str_read_tail_(name.p, name.n) : str_read64_(name.p + name.n - 8);
    __uint128_t m = (__uint128_t)(head ^ 0x9e3779b97f4a7c15u ^ name.n) * (tail ^ 0xd6e8feb86659fd93u);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline bool intern_same_(const char *a, const char *b, size_t n)
{
    if (n < 8)
        return str_read_tail_(a, n) == str_read_tail_(b, n);
    uint64_t differ = str_read64_(a + n - 8) ^ str_read64_(b + n - 8);
    for (size_t i = 0; i + 8 < n; i += 8)
        differ |= str_read64_(a + i) ^ str_read64_(b + i);
    return !differ;
}

/* As intern_find, for who has intern_hash(name) at hand. */
static inline name_id intern_find_hashed(const struct intern *in, str name, uint64_t hash)
{
    for (uint32_t at = (uint32_t)hash & in->slot_mask;; at = (at + 1) & in->slot_mask) {
        name_id id = in->slots[at];
        if (id == 0 || (in->names[id].n == name.n && intern_same_(in->names[id].p, name.p, name.n)))
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
