/* member_finder.h - members of an object by name, for who asks for many: mostly the next one is asked for next, and large
 * objects are searched by halves, so that two large ones can be merged.
 * Memory: the arena's. The object must not be edited meanwhile. Threads: one. */
#ifndef API_MEMBER_FINDER_H
#define API_MEMBER_FINDER_H

#include "wire/json.h"

#define MEMBER_NONE UINT32_MAX

struct member_finder {
    const struct json *object;
    uint32_t *order; /* by name; NULL: from end to end */
    uint32_t next;
};

/* Anything but an object has no members. */
struct member_finder member_finder_of(struct arena *a, const struct json *object);
uint32_t member_find(struct member_finder *f, str name); /* an index; MEMBER_NONE */

#endif
