/* patch_strategic.c - strategic merge patch: objects. Lists are in patch_strategic_list.c.
 * As the original's, with two differences where it answers with an internal error: keys of maps whose values are objects or
 * lists (map[string]struct) merge, and so does what the schema leaves open. */
#include "api/go_text.h"
#include "api/member_finder.h"
#include "api/patch_priv.h"
#include "api/scalar.h"
#include "base/vec.h"

enum { VALUE_SIZE_MAX = 400 }; /* of a value in a message */

#define RETAIN_KEYS S("$retainKeys")
#define SET_ORDER   S("$setElementOrder")
#define DELETE_LIST S("$deleteFromPrimitiveList")

/* --- errors --- */

bool smp_fail(struct smp *m, err_code code, const char *what)
{
    err_set(m->err, code, "%s", what);
    return false;
}

bool smp_wrong_type(struct smp *m, const char *expected, const struct json *j)
{
    str type = j->type == JSON_NULL ? S("%!s(<nil>)") : go_text_type(j);
    err_set(m->err, ERR_INTERNAL, "expected a %s, but received a %" STR_FMT, expected, STR_ARG(type));
    return false;
}

static str shown(struct smp *m, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, m->a, VALUE_SIZE_MAX);
    go_text_v(&b, j);
    return buf_str(&b);
}

bool smp_no_key(struct smp *m, const struct json *item, str key)
{
    str map = shown(m, item);
    err_set(m->err, ERR_INTERNAL, "map: %" STR_FMT " does not contain declared merge key: %" STR_FMT,
            STR_ARG(map), STR_ARG(key));
    return false;
}

bool smp_bad_directive(struct smp *m, const struct json *directive, const struct json *object)
{
    str what = shown(m, directive), map = shown(m, object);
    err_set(m->err, ERR_INTERNAL, "unknown patch type: %" STR_FMT " in map: %" STR_FMT, STR_ARG(what),
            STR_ARG(map));
    return false;
}

/* --- places --- */

/* False: a struct has no such field. */
static bool place_of_member(struct smp *m, const struct smp_place *p, str name, struct smp_place *ret)
{
    *ret = (struct smp_place){.rules = NULL};
    if (!p->at.node)
        return true;
    if (p->at.node->kind == SCHEMA_MAP) {
        ret->at = schema_items(p->at);
        return true;
    }
    if (p->at.node->kind != SCHEMA_STRUCT)
        return true;
    const struct schema *s;
    const struct schema_type *t = schema_struct(p->at, &s);
    const struct schema_field *f = schema_field_find(s, t, name);
    if (!f) {
        err_set(m->err, ERR_INTERNAL,
                "unable to find api field in struct %s for the json field \"%" STR_FMT "\"",
                s->text + t->name, STR_ARG(name));
        return false;
    }
    *ret = (struct smp_place){schema_field_at(s, f), s, schema_rules(s, f)};
    return true;
}

/* --- what is added --- */

/* Without members that are null, all the way down: there is nothing they could take away. */
static struct json without_nulls(struct smp *m, const struct json *j)
{
    struct json copy = *j;
    copy.cap_log2 = 0;
    if (j->type == JSON_ARRAY) {
        copy.v.items = arena_alloc(m->a, j->n * sizeof *copy.v.items, _Alignof(struct json));
        for (uint32_t i = 0; i < j->n; i++)
            copy.v.items[i] = without_nulls(m, &j->v.items[i]);
    } else if (j->type == JSON_OBJECT) {
        copy.v.members = arena_alloc(m->a, j->n * sizeof *copy.v.members, _Alignof(struct json_member));
        copy.n = 0;
        for (uint32_t i = 0; i < j->n; i++) {
            if (j->v.members[i].value.type == JSON_NULL)
                continue;
            copy.v.members[copy.n] = j->v.members[i];
            copy.v.members[copy.n++].value = without_nulls(m, &j->v.members[i].value);
        }
    }
    return copy;
}

bool smp_without_directives(struct smp *m, const struct json *j, struct json *ret)
{
    struct json copy = *j;
    copy.cap_log2 = 0;
    if (j->type == JSON_OBJECT) {
        if (json_find(j, SMP_DIRECTIVE))
            return false;
        copy.v.members = arena_alloc(m->a, j->n * sizeof *copy.v.members, _Alignof(struct json_member));
        copy.n = 0;
        for (uint32_t i = 0; i < j->n; i++) {
            struct json_member *to = &copy.v.members[copy.n];
            *to = j->v.members[i];
            copy.n += smp_without_directives(m, &j->v.members[i].value, &to->value);
        }
    } else if (j->type == JSON_ARRAY) {
        copy.v.items = arena_alloc(m->a, j->n * sizeof *copy.v.items, _Alignof(struct json));
        copy.n = 0;
        for (uint32_t i = 0; i < j->n; i++)
            copy.n += smp_without_directives(m, &j->v.items[i], &copy.v.items[copy.n]);
    }
    *ret = copy;
    return true;
}

/* --- an object being merged --- */

struct merging {
    const struct smp_place *place;
    const struct json *patch;
    bool *done; /* members of the patch that were dealt with */
    struct member_finder originals;
    uint32_t original_count;
    struct json result; /* the original's members first, in their places */
    bool *gone;         /* of those */
    struct member_finder patches;
};

static const struct json *original_of(struct merging *g, str name, uint32_t *ret_at)
{
    *ret_at = member_find(&g->originals, name);
    if (*ret_at == MEMBER_NONE || g->gone[*ret_at])
        return NULL;
    return &g->result.v.members[*ret_at].value;
}

/* `at`: what original_of said. */
static void put(struct merging *g, str name, uint32_t at, struct json value)
{
    if (at == MEMBER_NONE) {
        at = g->result.n++;
        g->result.v.members[at] = (struct json_member){.name = name.p, .name_n = (uint32_t)name.n};
    }
    g->result.v.members[at].value = value;
    g->gone[at] = false;
}

static struct merging merging_of(struct smp *m, const struct smp_place *p, const struct json *original,
                                 const struct json *patch)
{
    size_t room = (size_t)original->n + patch->n;
    struct merging g = {.place = p,
                        .patch = patch,
                        .done = ARENA_ARRAY(m->a, bool, patch->n),
                        .originals = member_finder_of(m->a, original),
                        .original_count = original->n,
                        .result = {.type = JSON_OBJECT, .n = original->n},
                        .gone = ARENA_ARRAY(m->a, bool, room),
                        .patches = member_finder_of(m->a, patch)};
    g.result.v.members = arena_alloc(m->a, room * sizeof(struct json_member), _Alignof(struct json_member));
    if (original->n)
        memcpy(g.result.v.members, original->v.members, original->n * sizeof(struct json_member));
    return g;
}

static struct json result_of(struct merging *g)
{
    struct json result = g->result;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < result.n; i++)
        if (!g->gone[i])
            result.v.members[kept++] = result.v.members[i];
    result.n = kept;
    return result;
}

/* --- directives --- */

/* "$setElementOrder/ports" is "ports". */
static bool name_behind(str key, str directive, str *ret)
{
    str head;
    return str_cut(key, '/', &head, ret) && str_eq(head, directive);
}

static bool retain_keys(struct smp *m, struct merging *g)
{
    uint32_t at = member_find(&g->patches, RETAIN_KEYS);
    if (at == MEMBER_NONE)
        return true;
    const char *refused = "invalid patch format of retainKeys";
    const struct json *list = &g->patch->v.members[at].value;
    g->done[at] = true;
    if (list->type != JSON_ARRAY)
        return smp_fail(m, ERR_BAD_REQUEST, refused);
    str *keys = ARENA_ARRAY(m->a, str, list->n);
    for (uint32_t i = 0; i < list->n; i++)
        keys[i] = json_str(&list->v.items[i]);
    strs_sort(keys, list->n);
    for (uint32_t i = 0; i < g->patch->n; i++) {
        const struct json_member *member = &g->patch->v.members[i];
        str name = json_member_name(member);
        if (i != at && member->value.type != JSON_NULL && !str_starts(name, DELETE_LIST) &&
            !str_starts(name, SET_ORDER) && !strs_contain(keys, list->n, name))
            return smp_fail(m, ERR_BAD_REQUEST, refused);
    }
    for (uint32_t i = 0; i < g->original_count; i++)
        if (!strs_contain(keys, list->n, json_member_name(&g->result.v.members[i])))
            g->gone[i] = true;
    return true;
}

/* A list that may be absent. */
static bool is_list(struct smp *m, const struct json *j)
{
    return !j || j->type == JSON_ARRAY || smp_wrong_type(m, "[]interface {}", j);
}

/* The list of one $setElementOrder directive, merged and put in order. */
static bool set_order(struct smp *m, struct merging *g, uint32_t at)
{
    const struct json_member *directive = &g->patch->v.members[at];
    str name;
    g->done[at] = true;
    if (directive->value.type != JSON_ARRAY)
        return smp_wrong_type(m, "[]interface {}", &directive->value);
    if (!name_behind(json_member_name(directive), SET_ORDER, &name))
        return smp_fail(m, ERR_BAD_REQUEST, "invalid patch format of setElementOrder list");
    uint32_t original_at, patch_at = member_find(&g->patches, name);
    const struct json *original = original_of(g, name, &original_at);
    const struct json *patch = patch_at == MEMBER_NONE || g->done[patch_at]
                                   ? NULL
                                   : &g->patch->v.members[patch_at].value;
    struct smp_place place;
    struct json ordered;
    bool there;
    if (!is_list(m, original) || !is_list(m, patch) || !place_of_member(m, g->place, name, &place) ||
        !smp_ordered_list(m, &place, original, patch, &directive->value, &ordered, &there))
        return false;
    if (!there)
        return true;
    put(g, name, original_at, ordered);
    if (patch)
        g->done[patch_at] = true;
    return true;
}

static bool delete_from_list(struct smp *m, struct merging *g, uint32_t at)
{
    const struct json_member *directive = &g->patch->v.members[at];
    const struct json *names = &directive->value;
    str name;
    g->done[at] = true;
    if (!name_behind(json_member_name(directive), DELETE_LIST, &name))
        return smp_fail(m, ERR_BAD_REQUEST, "invalid patch format of primitive list");
    uint32_t original_at;
    const struct json *original = original_of(g, name, &original_at);
    if (names->type == JSON_NULL && original)
        g->gone[original_at] = true;
    if (!original || names->type != JSON_ARRAY || original->type != JSON_ARRAY)
        return true;
    struct smp_place place;
    struct json left;
    if (!place_of_member(m, g->place, name, &place) ||
        !smp_merge_lists(m, &place, original, names, true, &left))
        return false;
    put(g, name, original_at, left);
    return true;
}

/* Directives first: they change what members of the patch then merge with. */
static bool run_directives(struct smp *m, struct merging *g, str directive,
                           bool (*run)(struct smp *m, struct merging *g, uint32_t at))
{
    for (uint32_t i = 0; i < g->patch->n; i++)
        if (!g->done[i] && str_starts(json_member_name(&g->patch->v.members[i]), directive) && !run(m, g, i))
            return false;
    return true;
}

/* --- members --- */

/* As Go's types of values: numbers of two kinds, booleans of one. */
static bool same_type(const struct json *x, const struct json *y)
{
    bool both_bool = (x->type == JSON_TRUE || x->type == JSON_FALSE) &&
                     (y->type == JSON_TRUE || y->type == JSON_FALSE);
    return both_bool || x->type == y->type;
}

static bool replaces(const struct smp_place *p)
{
    return p->rules && (p->rules->patch & SCHEMA_PATCH_REPLACE);
}

static bool merge_containers(struct smp *m, const struct smp_place *around, str name,
                             const struct json *original, const struct json *patch, struct json *ret)
{
    struct smp_place p;
    *ret = *patch;
    if (!place_of_member(m, around, name, &p))
        return false;
    if (patch->type == JSON_ARRAY)
        return smp_merge_lists(m, &p, original, patch, false, ret);
    return replaces(&p) || smp_merge_objects(m, &p, original, patch, ret);
}

static bool merge_member(struct smp *m, struct merging *g, const struct json_member *member)
{
    str name = json_member_name(member);
    uint32_t at;
    const struct json *original = original_of(g, name, &at);
    struct json value;
    if (member->value.type == JSON_NULL) {
        if (original)
            g->gone[at] = true;
        return true;
    }
    if (original && same_type(original, &member->value)) {
        value = member->value;
        if (json_is_container(&value) &&
            !merge_containers(m, g->place, name, original, &member->value, &value))
            return false;
        put(g, name, at, value);
        return true;
    }
    value = without_nulls(m, &member->value);
    if (smp_without_directives(m, &value, &value))
        put(g, name, at, value);
    else if (original)
        g->gone[at] = true;
    return true;
}

/* $patch of an object: the patch as it is, or nothing at all. */
static bool whole(struct smp *m, const struct json *directive, const struct json *patch, struct json *ret)
{
    if (str_is(json_str(directive), "delete")) {
        *ret = json_object();
        return true;
    }
    if (!str_is(json_str(directive), "replace"))
        return smp_bad_directive(m, directive, patch);
    *ret = *patch;
    ret->v.members = arena_dup(m->a, patch->v.members, patch->n * sizeof *ret->v.members,
                               _Alignof(struct json_member));
    ret->cap_log2 = 0;
    json_remove(ret, SMP_DIRECTIVE);
    return true;
}

bool smp_merge_objects(struct smp *m, const struct smp_place *p, const struct json *original,
                       const struct json *patch, struct json *ret)
{
    const struct json *directive = json_find(patch, SMP_DIRECTIVE);
    if (directive)
        return whole(m, directive, patch, ret);
    struct merging g = merging_of(m, p, original, patch);
    if (!retain_keys(m, &g) || !run_directives(m, &g, SET_ORDER, set_order) ||
        !run_directives(m, &g, DELETE_LIST, delete_from_list))
        return false;
    for (uint32_t i = 0; i < patch->n; i++)
        if (!g.done[i] && !merge_member(m, &g, &patch->v.members[i]))
            return false;
    *ret = result_of(&g);
    return true;
}

err_code patch_strategic(struct arena *a, const struct schema *s, const struct schema_type *t,
                         const struct json *doc, const struct json *patch, struct json *ret, struct err *err)
{
    struct smp m = {.a = a, .err = err};
    struct schema_node storage;
    struct smp_place root = {.at = schema_at_type(s, t, &storage)};
    struct json result = *doc;
    if (patch->type != JSON_OBJECT && patch->type != JSON_NULL) {
        str name = scalar_json_name(patch);
        return err_set(err, ERR_BAD_REQUEST,
                       "json: cannot unmarshal %" STR_FMT " into Go value of type map[string]interface {}",
                       STR_ARG(name));
    }
    if (patch->type == JSON_OBJECT && !smp_merge_objects(&m, &root, doc, patch, &result))
        return err->code;
    *ret = result;
    return arena_check(a, err);
}
