/* patch_merge.c - RFC 7386 as the original's library (json-patch v4) understands it: null takes a member away, also inside
 * what is added; in lists, which are replaced whole, it takes members of objects away too but stays as an item. */
#include "api/member_finder.h"
#include "api/patch.h"
#include "api/scalar.h"

static struct json pruned(struct arena *a, const struct json *j);

static struct json pruned_object(struct arena *a, const struct json *j)
{
    struct json left = {.type = JSON_OBJECT};
    left.v.members = arena_alloc(a, j->n * sizeof *left.v.members, _Alignof(struct json_member));
    for (uint32_t i = 0; i < j->n; i++) {
        if (j->v.members[i].value.type == JSON_NULL)
            continue;
        left.v.members[left.n] = j->v.members[i];
        left.v.members[left.n++].value = pruned(a, &j->v.members[i].value);
    }
    return left;
}

static struct json pruned_array(struct arena *a, const struct json *j)
{
    struct json copy = {.type = JSON_ARRAY, .n = j->n};
    copy.v.items = arena_alloc(a, j->n * sizeof *copy.v.items, _Alignof(struct json));
    for (uint32_t i = 0; i < j->n; i++)
        copy.v.items[i] = pruned(a, &j->v.items[i]);
    return copy;
}

/* Without members that are null, all the way down. */
static struct json pruned(struct arena *a, const struct json *j)
{
    return j->type == JSON_OBJECT ? pruned_object(a, j) : j->type == JSON_ARRAY ? pruned_array(a, j) : *j;
}

static struct json merge_objects(struct arena *a, const struct json *doc, const struct json *patch);

static struct json merge(struct arena *a, const struct json *doc, const struct json *patch)
{
    if (doc->type == JSON_OBJECT && patch->type == JSON_OBJECT)
        return merge_objects(a, doc, patch);
    return doc->type == JSON_OBJECT ? *patch : pruned(a, patch);
}

static struct json merge_objects(struct arena *a, const struct json *doc, const struct json *patch)
{
    bool *met = ARENA_ARRAY(a, bool, patch->n);
    struct member_finder f = member_finder_of(a, patch);
    struct json merged = {.type = JSON_OBJECT};
    merged.v.members = arena_alloc(a, ((size_t)doc->n + patch->n) * sizeof *merged.v.members,
                                   _Alignof(struct json_member));
    for (uint32_t i = 0; i < doc->n; i++) {
        const struct json_member *m = &doc->v.members[i];
        uint32_t at = member_find(&f, json_member_name(m));
        const struct json *change = at == MEMBER_NONE ? NULL : &patch->v.members[at].value;
        if (change)
            met[at] = true;
        if (change && change->type == JSON_NULL)
            continue;
        struct json_member *to = &merged.v.members[merged.n++];
        *to = *m;
        if (change)
            to->value = merge(a, &m->value, change);
    }
    for (uint32_t i = 0; i < patch->n; i++) {
        const struct json_member *m = &patch->v.members[i];
        if (met[i] || m->value.type == JSON_NULL)
            continue;
        merged.v.members[merged.n] = *m;
        merged.v.members[merged.n++].value = pruned(a, &m->value);
    }
    return merged;
}

err_code patch_merge(struct arena *a, const struct json *doc, const struct json *patch, struct json *ret,
                     struct err *err)
{
    if (patch->type == JSON_NULL)
        return err_set(err, ERR_BAD_REQUEST, "Invalid JSON Patch");
    if (patch->type != JSON_OBJECT) {
        str name = scalar_json_name(patch);
        return err_set(err, ERR_BAD_REQUEST,
                       "error decoding patch: json: cannot unmarshal %" STR_FMT
                       " into Go value of type map[string]interface {}",
                       STR_ARG(name));
    }
    *ret = merge(a, doc, patch);
    return arena_check(a, err);
}
