/* name_map.c - a crit-bit tree: inner nodes know the first bit in which the names below them differ. */
#include "api/rules/name_map.h"

struct name_node {
    const void *value; /* of a leaf; NULL: an inner node */
    union {
        str name;
        struct {
            struct name_node *child[2];
            size_t byte;
            unsigned bit; /* of a symbol, one set */
        } inner;
    } u;
};

/* A byte with a bit that says that there is one: "a" and "a\0" differ. */
static unsigned symbol(str s, size_t at)
{
    return at < s.n ? 256u | (unsigned char)s.p[at] : 0;
}

/* The only leaf that can hold this name. */
static struct name_node *nearest(const struct name_map *m, str name)
{
    struct name_node *n = m->root;
    while (n && !n->value)
        n = n->u.inner.child[!!(symbol(name, n->u.inner.byte) & n->u.inner.bit)];
    return n;
}

const void *name_map_find(const struct name_map *m, str name)
{
    const struct name_node *n = nearest(m, name);
    return n && str_eq(n->u.name, name) ? n->value : NULL;
}

static struct name_node *leaf(struct name_map *m, str name, const void *value)
{
    struct name_node *n = ARENA_NEW(m->arena, struct name_node);
    n->value = value;
    n->u.name = name;
    m->count++;
    return n;
}

bool name_map_add(struct name_map *m, str name, const void *value)
{
    const struct name_node *near = nearest(m, name);
    if (!near) {
        m->root = leaf(m, name, value);
        return true;
    }
    str other = near->u.name;
    if (str_eq(other, name))
        return false;
    size_t byte = 0;
    while (symbol(name, byte) == symbol(other, byte))
        byte++;
    unsigned difference = symbol(name, byte) ^ symbol(other, byte), bit = 256;
    while (!(difference & bit))
        bit >>= 1;
    struct name_node **at = &m->root;
    while (!(*at)->value &&
           ((*at)->u.inner.byte < byte || ((*at)->u.inner.byte == byte && (*at)->u.inner.bit > bit)))
        at = &(*at)->u.inner.child[!!(symbol(name, (*at)->u.inner.byte) & (*at)->u.inner.bit)];
    struct name_node *inner = ARENA_NEW(m->arena, struct name_node);
    bool side = symbol(name, byte) & bit;
    inner->u.inner.byte = byte;
    inner->u.inner.bit = bit;
    inner->u.inner.child[!side] = *at;
    inner->u.inner.child[side] = leaf(m, name, value);
    *at = inner;
    return true;
}
