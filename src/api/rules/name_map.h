/* name_map.h - which names were seen, and what they stood for: for rules that look at lists a client wrote. A tree over the bits
 * of names, so that no choice of names makes it slow: finding and adding cost the length of the name.
 * Memory: the arena; names and values are borrowed. {.arena = a} is empty. For files of this folder. */
#ifndef API_RULES_NAME_MAP_H
#define API_RULES_NAME_MAP_H

#include "base/arena.h"
#include "base/str.h"

struct name_node;

struct name_map {
    struct arena *arena;
    struct name_node *root;
    size_t count;
};

/* NULL: not there. */
const void *name_map_find(const struct name_map *m, str name);
/* False: it is there already and keeps its value. `value` is not NULL. */
bool name_map_add(struct name_map *m, str name, const void *value);

static inline bool name_map_has(const struct name_map *m, str name)
{
    return name_map_find(m, name) != NULL;
}
/* As a set. */
static inline bool name_map_add_name(struct name_map *m, str name)
{
    return name_map_add(m, name, "");
}

#endif
