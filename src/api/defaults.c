/* defaults.c - what nobody said, as far as the schema alone can tell.
 * A plain field is unset when it is empty (Go cannot tell the two apart); a pointer when it is absent. Structs that are
 * not there stay absent: a default inside applies only once somebody made its struct. */
#include "api/tree.h"

struct defaulter {
    struct arena *a;
};

static void value(struct defaulter *d, struct schema_at at, struct json *j);

static bool is_unset(const struct schema *s, const struct schema_field *f, const struct json *j)
{
    if (!j)
        return true;
    if (j->type == JSON_NULL)
        return !(s->nodes[f->node].flags & SCHEMA_NODE_NULLABLE);
    if (f->flags & SCHEMA_POINTER)
        return false;
    return j->type == JSON_FALSE || (j->type == JSON_INT && j->v.i == 0) ||
           ((j->type == JSON_STRING || j->type == JSON_ARRAY) && j->n == 0);
}

/* The schema's own text; the generator has checked that it parses. */
static struct json parse_default(struct defaulter *d, const struct schema *s, uint32_t text)
{
    struct json j = json_null();
    struct err err = ERR_INIT;
    err_code code = json_parse(d->a, schema_text(s, text), NULL, &j, &err);
    ASSERT(code == ERR_NONE);
    return j;
}

/* Members stand in the schema's order, and those that a custom resource's schema does not know by name between them: does
 * `m` belong behind field `f`? */
static bool stands_behind(const struct schema *s, const struct schema_type *t, const struct json_member *m,
                          const struct schema_field *f)
{
    str name = json_member_name(m);
    const struct schema_field *there = schema_field_find(s, t, name);
    if (there)
        return there > f;
    bool type_meta = (t->flags & SCHEMA_TYPE_KIND) && (str_is(name, "kind") || str_is(name, "apiVersion"));
    return (t->flags & SCHEMA_TYPE_PRESERVE) && !type_meta && str_cmp(name, schema_field_name(s, f)) > 0;
}

/* One new run of members for all that are added, however many. */
static void merge_members(struct defaulter *d, const struct schema *s, const struct schema_type *t,
                          struct json *object, const struct json_member *added, size_t count)
{
    const struct json_member *old = object->v.members;
    uint32_t at = 0;
    struct json_member *members = ARENA_ARRAY(d->a, struct json_member, object->n + count), *to = members;
    for (size_t i = 0; i < count; i++) {
        const struct schema_field *f = schema_field_find(s, t, json_member_name(&added[i]));
        while (at < object->n && !stands_behind(s, t, &old[at], f))
            *to++ = old[at++];
        *to++ = added[i];
    }
    while (at < object->n)
        *to++ = old[at++];
    object->v.members = members;
    object->n += (uint32_t)count;
    object->cap_log2 = 0;
}

/* What a field is filled in with; 0: nothing. */
static uint32_t default_of(const struct schema *s, const struct schema_field *f)
{
    const struct schema_rules *r = schema_rules(s, f);
    return !r ? 0 : r->default_json ? r->default_json : r->preset_json;
}

/* The members of a struct by field, so that a large one is not searched for each; NULL where there is none. */
static struct json **members_by_field(struct defaulter *d, const struct schema *s,
                                      const struct schema_type *t, const struct json *j)
{
    struct json **found = ARENA_ARRAY(d->a, struct json *, t->field_count);
    for (uint32_t i = 0; i < j->n; i++) {
        struct json_member *m = &j->v.members[i];
        const struct schema_field *f = schema_field_find(s, t, json_member_name(m));
        if (f)
            found[f - &s->fields[t->field_first]] = &m->value;
    }
    return found;
}

static void fill_in(struct defaulter *d, const struct schema *s, const struct schema_type *t, struct json *j)
{
    struct json_member *added = NULL;
    struct json **found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &s->fields[t->field_first + i];
        uint32_t text = default_of(s, f);
        if (!text)
            continue;
        found = found ? found : members_by_field(d, s, t, j);
        struct json *there = found[i];
        if (!is_unset(s, f, there))
            continue;
        struct json v = parse_default(d, s, text);
        if (is_unset(s, f, &v)) /* zero, which for a plain field is how unset looks anyway */
            continue;
        if (there) {
            *there = v;
            continue;
        }
        if (!added)
            added = ARENA_ARRAY(d->a, struct json_member, t->field_count - i);
        added[count++] = (struct json_member){
            .name = s->text + f->name, .name_n = f->name_n, .id = f->id, .value = v};
    }
    if (count)
        merge_members(d, s, t, j, added, count);
}

static void structure(struct defaulter *d, struct schema_at at, struct json *j)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    fill_in(d, s, t, j);
    for (uint32_t i = 0; i < j->n; i++) {
        struct json_member *m = &j->v.members[i];
        const struct schema_field *f = json_is_container(&m->value)
                                           ? schema_field_find(s, t, json_member_name(m))
                                           : NULL;
        if (f)
            value(d, schema_field_at(s, f), &m->value);
    }
}

/* null among the items of a custom resource's list, or the values of its map, is replaced like one in a field. */
static void item(struct defaulter *d, struct schema_at at, struct json *j)
{
    uint32_t text = at.schema->base ? at.schema->rules[at.node->rules].default_json : 0;
    if (text && j->type == JSON_NULL && !(at.node->flags & SCHEMA_NODE_NULLABLE))
        *j = parse_default(d, at.schema, text);
    value(d, at, j);
}

static void value(struct defaulter *d, struct schema_at at, struct json *j)
{
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_STRUCT:
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS:
        if (j->type == JSON_OBJECT)
            structure(d, at, j);
        break;
    case SCHEMA_LIST:
        for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->n; i++)
            item(d, schema_items(at), &j->v.items[i]);
        break;
    case SCHEMA_MAP:
        for (uint32_t i = 0; j->type == JSON_OBJECT && i < j->n; i++)
            item(d, schema_items(at), &j->v.members[i].value);
        break;
    default: break;
    }
}

void tree_defaults(struct arena *a, const struct schema *s, const struct schema_type *t, struct json *tree)
{
    struct defaulter d = {.a = a};
    struct schema_node storage;
    value(&d, schema_at_type(s, t, &storage), tree);
}
