/* intern.c - names to numbers by open addressing. */
#include "base/intern.h"
#include "base/mem.h"

name_id intern_find(const struct intern *in, str name)
{
    return intern_find_hashed(in, name, intern_hash(name));
}

struct intern *intern_new(const str *names, size_t name_count)
{
    ASSERT(name_count < UINT16_MAX / 2);
    size_t slot_count = 16;
    while (slot_count < name_count * 2 + 2)
        slot_count *= 2;
    uint16_t *slots = NEW_ARRAY(uint16_t, slot_count);
    str *copies = NEW_ARRAY(str, name_count + 1);
    struct intern *in = NEW(struct intern);
    *in = (struct intern){.names = copies, .slots = slots, .slot_mask = (uint32_t)slot_count - 1};
    for (size_t i = 0; i < name_count; i++) {
        if (intern_find(in, names[i]))
            continue;
        copies[++in->count] = str_of(mem_dup(names[i].p, names[i].n), names[i].n);
        uint32_t at = (uint32_t)intern_hash(names[i]) & in->slot_mask;
        while (slots[at])
            at = (at + 1) & in->slot_mask;
        slots[at] = (uint16_t)in->count;
    }
    return in;
}

void intern_free(struct intern *in)
{
    if (!in)
        return;
    str *names = (str *)(uintptr_t)in->names; /* ours: intern_new made them */
    for (uint32_t i = 1; i <= in->count; i++)
        mem_free((void *)(uintptr_t)names[i].p);
    mem_free(names);
    mem_free((void *)(uintptr_t)in->slots);
    mem_free(in);
}
