/* defaults.c - what nobody said, as far as the schema alone can tell.
 * A plain field is unset when it is empty (Go cannot tell the two apart); a pointer when it is absent. Structs that are
 * not there stay absent: a default inside applies only once somebody made its struct. */
#include "api/tree.h"

struct defaulter {
    struct arena *a;
};

static void value(struct defaulter *d, struct schema_at at, struct json *j);

static bool is_unset(const struct schema_field *f, const struct json *j)
{
    if (!j || j->type == JSON_NULL)
        return true;
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

/* Members stand in the schema's order: where a new one belongs. */
static void insert_in_order(struct defaulter *d, const struct schema *s, const struct schema_type *t,
                            struct json *object, const struct schema_field *f, struct json v)
{
    str name = schema_field_name(s, f);
    struct json_member *old = object->v.members;
    struct json_member *members = ARENA_ARRAY(d->a, struct json_member, object->n + 1u);
    uint32_t at = 0;
    while (at < object->n) {
        const struct schema_field *there = schema_field_find(s, t, json_member_name(&old[at]));
        if (there && there > f)
            break;
        at++;
    }
    if (at)
        memcpy(members, old, at * sizeof *old);
    members[at] = (struct json_member){.name = name.p, .name_n = (uint32_t)name.n, .id = f->id, .value = v};
    if (object->n - at)
        memcpy(members + at + 1, old + at, (object->n - at) * sizeof *old);
    object->v.members = members;
    object->n++;
    object->cap_log2 = 0;
}

static void structure(struct defaulter *d, struct schema_at at, struct json *j)
{
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &s->fields[t->field_first + i];
        const struct schema_rules *rules = schema_rules(s, f);
        uint32_t text = !rules ? 0 : rules->default_json ? rules->default_json : rules->preset_json;
        if (!text)
            continue;
        struct json *there = json_find(j, schema_field_name(s, f));
        if (!is_unset(f, there))
            continue;
        struct json v = parse_default(d, s, text);
        if (is_unset(f, &v)) /* zero, which for a plain field is how unset looks anyway */
            continue;
        if (there)
            *there = v;
        else
            insert_in_order(d, s, t, j, f, v);
    }
    for (uint32_t i = 0; i < j->n; i++) {
        struct json_member *m = &j->v.members[i];
        const struct schema_field *f = schema_field_find(s, t, json_member_name(m));
        if (f && json_is_container(&m->value))
            value(d, schema_field_at(s, f), &m->value);
    }
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
            value(d, schema_items(at), &j->v.items[i]);
        break;
    case SCHEMA_MAP:
        for (uint32_t i = 0; j->type == JSON_OBJECT && i < j->n; i++)
            value(d, schema_items(at), &j->v.members[i].value);
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
