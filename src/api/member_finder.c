/* member_finder.c - see member_finder.h. */
#include "api/member_finder.h"
#include "base/vec.h"

static int by_name(const void *x, const void *y, void *ctx)
{
    const struct json_member *members = ctx;
    return str_cmp(json_member_name(&members[*(const uint32_t *)x]),
                   json_member_name(&members[*(const uint32_t *)y]));
}

struct member_finder member_finder_of(struct arena *a, const struct json *object)
{
    enum { ORDER_FROM = 48 };
    struct member_finder f = {.object = object};
    if (object->type != JSON_OBJECT || object->n < ORDER_FROM)
        return f;
    f.order = ARENA_ARRAY(a, uint32_t, object->n);
    for (uint32_t i = 0; i < object->n; i++)
        f.order[i] = i;
    vec_sort(f.order, object->n, sizeof *f.order, by_name, object->v.members);
    return f;
}

static uint32_t find_by_halves(const struct member_finder *f, str name)
{
    for (uint32_t low = 0, high = f->object->n; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        int c = str_cmp(json_member_name(&f->object->v.members[f->order[middle]]), name);
        if (c == 0)
            return f->order[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return MEMBER_NONE;
}

static bool is_named(const struct json_member *m, str name)
{
    return m->name_n == name.n && (m->name == name.p || intern_same_(m->name, name.p, name.n));
}

uint32_t member_find(struct member_finder *f, str name)
{
    const struct json_member *m = f->object->v.members;
    uint32_t n = (uint32_t)(f->object->type == JSON_OBJECT ? f->object->n : 0), at = MEMBER_NONE;
    if (f->next < n && is_named(&m[f->next], name))
        return f->next++;
    if (f->order)
        at = find_by_halves(f, name);
    for (uint32_t i = 0; !f->order && i < n; i++)
        if (is_named(&m[i], name)) {
            at = i;
            break;
        }
    if (at != MEMBER_NONE)
        f->next = at + 1;
    return at;
}
