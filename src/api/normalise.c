/* normalise.c - a tree as the original's decoder and encoder would leave it.
 * The rules are those of Go's encoding/json over the original's structs, restated by schema: a plain struct is always
 * there; a plain scalar, list or map is left out when empty unless the field is always printed; a pointer is left out
 * when unset; null counts as unset.
 * Custom resources are never decoded into structs by the original: there unknown members go (pruning) and everything else
 * stays as it was given; a value of the wrong type is for validation to report. */
#include "api/scalar.h"
#include "api/tree_priv.h"
#include "base/base64.h"
#include "base/map.h"

enum { PATH_SIZE_MAX = 1 << 16 };

struct normaliser {
    struct arena *a;
    const struct tree_report *report;
    struct err *err;
};

/* Where a value stands: for messages about Go structs, and about paths. */
struct place {
    const struct field_path *path;
    const struct schema *schema; /* of the struct around it */
    const struct schema_type *type;
};

static bool value(struct normaliser *n, struct schema_at at, const struct place *place, const struct json *in,
                  struct json *ret);

/* --- messages --- */

/* Names of fields only: "spec.containers.image". */
static void add_go_path(struct buf *out, const struct field_path *p)
{
    if (p->parent)
        add_go_path(out, p->parent);
    if (p->kind != FIELD_PATH_NAME)
        return;
    if (out->n)
        buf_add_c(out, '.');
    buf_add(out, p->name);
}

/* The rules of custom resources hold here. Not inside their metadata, which is a built-in type. */
static bool is_custom(struct schema_at at)
{
    return at.schema->base != NULL;
}

/* null is "not given", but where a custom resource's schema says that it is a value. */
static bool keeps_null(struct schema_at at)
{
    return is_custom(at) && (at.node->flags & SCHEMA_NODE_NULLABLE);
}

/* A value of a map that is null goes, unless something is going to stand for it. */
static bool drops_null(struct schema_at at)
{
    return is_custom(at) && !keeps_null(at) && !at.schema->rules[at.node->rules].default_json;
}

static bool wrong_type(struct normaliser *n, struct schema_at at, const struct place *place,
                       const struct json *in, bool show_number)
{
    struct buf b;
    buf_init_arena(&b, n->a, PATH_SIZE_MAX);
    buf_add_lit(&b, "json: cannot unmarshal ");
    buf_add(&b, scalar_json_name(in));
    if (show_number && (in->type == JSON_INT || in->type == JSON_FLOAT)) {
        buf_add_c(&b, ' ');
        json_print(&b, in, 0);
    }
    if (place->type) {
        struct buf path;
        buf_init_arena(&path, n->a, PATH_SIZE_MAX);
        add_go_path(&path, place->path);
        buf_add_f(&b, " into Go struct field %s.%" STR_FMT " of type ",
                  place->schema->text + place->type->name, STR_ARG(buf_str(&path)));
    } else {
        buf_add_lit(&b, " into Go value of type ");
    }
    scalar_add_go_type(&b, at);
    err_set(n->err, ERR_BAD_REQUEST, "%" STR_FMT, STR_ARG(buf_str(&b)));
    return false;
}

/* As the original's strict decoding writes places: a map's key like a field, "spec.limits.cpu". */
static void add_strict_path(struct buf *out, const struct field_path *p)
{
    if (p->parent)
        add_strict_path(out, p->parent);
    if (p->kind == FIELD_PATH_INDEX)
        buf_add_f(out, "[%zu]", p->index);
    else if (p->kind != FIELD_PATH_ROOT && out->n)
        buf_add_c(out, '.');
    if (p->kind == FIELD_PATH_NAME || p->kind == FIELD_PATH_KEY)
        buf_add(out, p->name);
}

typedef void report_fn(void *ctx, str path);

static void report_member(struct normaliser *n, report_fn *fn, const struct field_path *p)
{
    struct buf path;
    buf_init_arena(&path, n->a, PATH_SIZE_MAX);
    add_strict_path(&path, p);
    fn(n->report->ctx, buf_str(&path));
}

static void unknown_member(struct normaliser *n, const struct field_path *p)
{
    if (n->report && n->report->on_unknown)
        report_member(n, n->report->on_unknown, p);
}

static bool watches_duplicates(const struct normaliser *n)
{
    return n->report && n->report->on_duplicate;
}

static void duplicate_member(struct normaliser *n, const struct field_path *p)
{
    if (watches_duplicates(n))
        report_member(n, n->report->on_duplicate, p);
}

/* --- scalars --- */

static bool integer(struct normaliser *n, struct schema_at at, const struct place *place,
                    const struct json *in, struct json *ret)
{
    static const struct {
        int64_t min, max;
    } ranges[] = {
        [SCHEMA_INT32] = {INT32_MIN, INT32_MAX},
        [SCHEMA_INT64] = {INT64_MIN, INT64_MAX},
        [SCHEMA_UINT32] = {0, UINT32_MAX},
        [SCHEMA_UINT64] = {0, INT64_MAX},
    };
    if (in->type != JSON_INT)
        return wrong_type(n, at, place, in, in->type == JSON_FLOAT);
    if (in->v.i < ranges[at.node->kind].min || in->v.i > ranges[at.node->kind].max)
        return wrong_type(n, at, place, in, true);
    *ret = *in;
    return true;
}

static bool floating(struct normaliser *n, struct schema_at at, const struct place *place,
                     const struct json *in, struct json *ret)
{
    if (in->type == JSON_INT) {
        *ret = *in;
        return true;
    }
    if (in->type != JSON_FLOAT)
        return wrong_type(n, at, place, in, false);
    /* What prints without a point reads back as an integer. */
    bool integral = in->v.f > -1e15 && in->v.f < 1e15 && in->v.f == (double)(int64_t)in->v.f;
    *ret = integral ? json_of_int((int64_t)in->v.f) : *in;
    return true;
}

/* Scalars with a text form of their own: canonical text, or the original's message. */
static bool special(struct normaliser *n, struct schema_at at, const struct place *place,
                    const struct json *in, struct json *ret)
{
    switch (scalar_canonical(n->a, (enum schema_kind)at.node->kind, in, ret, n->err)) {
    case SCALAR_OK: return true;
    case SCALAR_WRONG_TYPE: return wrong_type(n, at, place, in, false);
    case SCALAR_INVALID: return false;
    }
    return false;
}

/* --- containers --- */

static bool list(struct normaliser *n, struct schema_at at, const struct place *place, const struct json *in,
                 struct json *ret)
{
    if (in->type != JSON_ARRAY)
        return wrong_type(n, at, place, in, false);
    struct schema_at items = schema_items(at);
    struct json *to = ARENA_ARRAY(n->a, struct json, in->n);
    for (uint32_t i = 0; i < in->n; i++) {
        struct field_path path = field_path_index(place->path, i);
        struct place inside = {&path, place->schema, place->type};
        if (!value(n, items, &inside, &in->v.items[i], &to[i]))
            return false;
    }
    *ret = (struct json){.type = JSON_ARRAY, .n = in->n, .v.items = to};
    return true;
}

/* Sorted, equal keys next to each other in the order they came: the last one counts. */
static void drop_earlier(struct json *map)
{
    struct json_member *m = map->v.members;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < map->n; i++)
        if (i + 1 == map->n || !str_eq(json_member_name(&m[i]), json_member_name(&m[i + 1])))
            m[kept++] = m[i];
    map->n = kept;
}

/* Enters a key. */
static bool was_seen(struct map *seen, str key)
{
    bool added;
    map_put(seen, key, &added);
    return !added;
}

static bool map(struct normaliser *n, struct schema_at at, const struct place *place, const struct json *in,
                struct json *ret)
{
    if (in->type != JSON_OBJECT)
        return wrong_type(n, at, place, in, false);
    CLEANUP(map_done) struct map seen;
    map_init(&seen, (uint64_t[]){(uint64_t)(uintptr_t)n, (uint64_t)(uintptr_t)in}, MAP_BORROW_KEYS);
    struct schema_at items = schema_items(at);
    struct json_member *to = ARENA_ARRAY(n->a, struct json_member, in->n);
    uint32_t count = 0;
    for (uint32_t i = 0; i < in->n; i++) {
        const struct json_member *m = &in->v.members[i];
        if (m->value.type == JSON_NULL && drops_null(items))
            continue;
        to[count] = *m;
        struct field_path path = field_path_key(place->path, json_member_name(m));
        if (watches_duplicates(n) && was_seen(&seen, path.name))
            duplicate_member(n, &path);
        struct place inside = {&path, place->schema, place->type};
        if (!value(n, items, &inside, &m->value, &to[count++].value))
            return false;
    }
    *ret = (struct json){.type = JSON_OBJECT, .n = count, .v.members = to};
    json_sort_members(ret, false);
    drop_earlier(ret);
    return true;
}

/* What stands for a plain field that nobody set and that is printed all the same. */
static struct json zero_of(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_BOOL: return json_of_bool(false);
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_UINT32:
    case SCHEMA_UINT64:
    case SCHEMA_DOUBLE:
    case SCHEMA_INT_OR_STRING: return json_of_int(0);
    case SCHEMA_STRING: return json_of_str(S(""));
    case SCHEMA_QUANTITY: return json_of_str(S("0"));
    case SCHEMA_DURATION: return json_of_str(S("0s"));
    case SCHEMA_OR_BOOL: return json_of_bool(false);
    default: return json_null();
    }
}

/* Is a plain field of this kind printed although it is empty? Go cannot leave out a struct. */
static bool struct_in_go(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_QUANTITY:
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME:
    case SCHEMA_DURATION:
    case SCHEMA_INT_OR_STRING:
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS:
    case SCHEMA_STRUCT:
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: return true;
    default: return false;
    }
}

static bool is_empty(const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_NULL:
    case JSON_FALSE: return true;
    case JSON_INT: return j->v.i == 0;
    case JSON_FLOAT: return j->v.f == 0;
    case JSON_STRING:
    case JSON_ARRAY:
    case JSON_OBJECT: return j->n == 0;
    case JSON_TRUE: return false;
    }
    return false;
}

/* Is this field printed? *ret holds its value if it was given, and gets what stands for it if not. */
static bool field_keep(struct normaliser *n, struct schema_at at, unsigned flags, const struct place *place,
                       bool given, struct json *ret, bool *ret_keep)
{
    enum schema_kind kind = (enum schema_kind)at.node->kind;
    if (flags & SCHEMA_POINTER) {
        *ret_keep = given || (flags & SCHEMA_ALWAYS);
        if (!given)
            *ret = json_null();
        return true;
    }
    if (struct_in_go(kind)) {
        *ret_keep = given || !(flags & SCHEMA_OMITZERO);
        if (given)
            return true;
        *ret = zero_of(kind);
        static const struct json nothing = {.type = JSON_OBJECT};
        return kind != SCHEMA_STRUCT || value(n, at, place, &nothing, ret);
    }
    *ret_keep = (flags & SCHEMA_ALWAYS) || (given && !is_empty(ret));
    if (!given)
        *ret = zero_of(kind);
    return true;
}

/* What was read of a struct, by field. */
struct slots {
    struct json *values;
    bool *given, *seen;
    const struct json *kind, *api_version;
};

static bool is_type_meta(str name)
{
    return str_is(name, "kind") || str_is(name, "apiVersion");
}

/* In the order of the document, so that reports and the first error come in that order too. */
static bool read_members(struct normaliser *n, const struct schema *s, const struct schema_type *t,
                         bool preserve, const struct field_path *around, const struct json *in,
                         struct slots *to)
{
    for (uint32_t i = 0; i < in->n; i++) {
        const struct json_member *m = &in->v.members[i];
        struct field_path path = field_path_name(around, json_member_name(m));
        const struct schema_field *f = schema_field_find(s, t, path.name);
        if (f) {
            size_t at = (size_t)(f - &s->fields[t->field_first]);
            struct place inside = {&path, s, t};
            struct schema_at field = schema_field_at(s, f);
            if (to->seen[at])
                duplicate_member(n, &path);
            to->seen[at] = true;
            to->given[at] = m->value.type != JSON_NULL || keeps_null(field);
            if (to->given[at] && !value(n, field, &inside, &m->value, &to->values[at]))
                return false;
        } else if ((t->flags & SCHEMA_TYPE_KIND) && is_type_meta(path.name)) {
            const struct json **at = str_is(path.name, "kind") ? &to->kind : &to->api_version;
            if (*at)
                duplicate_member(n, &path);
            *at = &m->value;
        } else if (!preserve) {
            unknown_member(n, &path);
        }
    }
    return true;
}

/* As the original keeps what it does not look into: maps by key, all the way down. */
static struct json sorted_copy(struct normaliser *n, const struct json *in)
{
    struct json copy = json_clone(n->a, in);
    json_sort_members(&copy, true);
    return copy;
}

/* Members that the schema does not know and that are kept all the same: by name, between those it knows. */
static void add_unknown(struct normaliser *n, const struct schema *s, const struct schema_type *t,
                        const struct json *in, struct json *to)
{
    bool document = t->flags & SCHEMA_TYPE_KIND;
    struct json_member *members = ARENA_ARRAY(n->a, struct json_member, (size_t)to->n + in->n);
    uint32_t typed = 0; /* kind and apiVersion, which stay in front */
    if (to->n)
        memcpy(members, to->v.members, to->n * sizeof *members);
    while (document && typed < to->n && is_type_meta(json_member_name(&members[typed])))
        typed++;
    uint32_t count = to->n;
    for (uint32_t i = 0; i < in->n; i++) {
        str name = json_member_name(&in->v.members[i]);
        if (schema_field_find(s, t, name) || (document && is_type_meta(name)))
            continue;
        members[count] = in->v.members[i];
        members[count++].value = sorted_copy(n, &in->v.members[i].value);
    }
    struct json rest = {.type = JSON_OBJECT, .n = count - typed, .v.members = members + typed};
    json_sort_members(&rest, false);
    drop_earlier(&rest);
    *to = (struct json){.type = JSON_OBJECT, .n = typed + rest.n, .v.members = members};
}

/* Of an object inside a custom resource they are kept whatever they are: validation looks at them. */
static bool type_meta(struct normaliser *n, const struct place *place, str name, const struct json *in,
                      struct json_member **to)
{
    static const struct schema_node text = {.kind = SCHEMA_STRING};
    bool keep = place->schema->base && place->path->kind != FIELD_PATH_ROOT;
    if (!in || in->type == JSON_NULL || (!keep && in->type == JSON_STRING && in->n == 0))
        return true;
    if (!keep && in->type != JSON_STRING) {
        struct field_path path = field_path_name(place->path, name);
        struct place here = {&path, place->schema, place->type};
        return wrong_type(n, (struct schema_at){place->schema, &text}, &here, in, false);
    }
    struct json value = json_is_container(in) ? sorted_copy(n, in) : *in;
    *(*to)++ = (struct json_member){.name = name.p, .name_n = (uint32_t)name.n, .value = value};
    return true;
}

static bool structure(struct normaliser *n, struct schema_at at, const struct place *place,
                      const struct json *in, struct json *ret)
{
    if (in->type != JSON_OBJECT)
        return wrong_type(n, at, place, in, false);
    const struct schema *s;
    const struct schema_type *t = schema_struct(at, &s);
    struct slots slots = {.values = ARENA_ARRAY(n->a, struct json, t->field_count),
                          .given = ARENA_ARRAY(n->a, bool, t->field_count),
                          .seen = ARENA_ARRAY(n->a, bool, t->field_count)};
    if (!read_members(n, s, t, t->flags & SCHEMA_TYPE_PRESERVE, place->path, in, &slots))
        return false;
    struct json_member *members = ARENA_ARRAY(n->a, struct json_member, t->field_count + 2u), *to = members;
    struct place here = {place->path, s, t};
    if (!type_meta(n, &here, S("kind"), slots.kind, &to) ||
        !type_meta(n, &here, S("apiVersion"), slots.api_version, &to))
        return false;
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &s->fields[t->field_first + i];
        struct field_path path = field_path_name(place->path, schema_field_name(s, f));
        struct place inside = {&path, s, t};
        bool keep;
        to->value = slots.values[i];
        if (!field_keep(n, schema_field_at(s, f), f->flags, &inside, slots.given[i], &to->value, &keep))
            return false;
        if (keep) {
            to->name = s->text + f->name;
            to->name_n = (uint32_t)f->name_n;
            to->id = f->id;
            to++;
        }
    }
    *ret = (struct json){.type = JSON_OBJECT, .n = (uint32_t)(to - members), .v.members = members};
    if (t->flags & SCHEMA_TYPE_PRESERVE)
        add_unknown(n, s, t, in, ret);
    return true;
}

/* The three that are one thing or another. */
static bool either(struct normaliser *n, struct schema_at at, const struct place *place,
                   const struct json *in, struct json *ret)
{
    enum schema_kind kind = (enum schema_kind)at.node->kind;
    if (in->type == JSON_OBJECT)
        return structure(n, at, place, in, ret);
    if (kind == SCHEMA_OR_BOOL && (in->type == JSON_TRUE || in->type == JSON_FALSE)) {
        *ret = *in;
        return true;
    }
    if (kind == SCHEMA_OR_BOOL) {
        err_set(n->err, ERR_BAD_REQUEST, "boolean or JSON schema expected");
        return false;
    }
    if (in->type != JSON_ARRAY)
        return wrong_type(n, at, place, in, false);
    struct json *to = ARENA_ARRAY(n->a, struct json, in->n);
    static const struct schema_node text = {.kind = SCHEMA_STRING};
    for (uint32_t i = 0; i < in->n; i++) {
        struct field_path path = field_path_index(place->path, i);
        struct place inside = {&path, place->schema, place->type};
        const struct json *item = &in->v.items[i];
        bool ok = kind == SCHEMA_OR_LIST
                      ? structure(n, at, &inside, item, &to[i])
                      : value(n, (struct schema_at){at.schema, &text}, &inside, item, &to[i]);
        if (!ok)
            return false;
    }
    *ret = (struct json){.type = JSON_ARRAY, .n = in->n, .v.items = to};
    return true;
}

/* null inside a list or map is the item's zero value, as in Go. */
static bool null_item(struct normaliser *n, struct schema_at at, const struct place *place, struct json *ret)
{
    static const struct json nothing = {.type = JSON_OBJECT};
    if (at.node->kind == SCHEMA_STRUCT)
        return structure(n, at, place, &nothing, ret);
    *ret = zero_of((enum schema_kind)at.node->kind);
    return true;
}

static bool value(struct normaliser *n, struct schema_at at, const struct place *place, const struct json *in,
                  struct json *ret)
{
    enum schema_kind kind = (enum schema_kind)at.node->kind;
    bool looked_into = kind == SCHEMA_STRUCT || kind == SCHEMA_LIST || kind == SCHEMA_MAP;
    if (is_custom(at) && (!looked_into || !scalar_json_fits(kind, in))) {
        *ret = json_is_container(in) ? sorted_copy(n, in) : *in;
        return true;
    }
    if (in->type == JSON_NULL && kind != SCHEMA_ANY && kind != SCHEMA_OBJECT)
        return null_item(n, at, place, ret);
    switch (kind) {
    case SCHEMA_BOOL:
        if (in->type != JSON_TRUE && in->type != JSON_FALSE)
            return wrong_type(n, at, place, in, false);
        *ret = *in;
        return true;
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_UINT32:
    case SCHEMA_UINT64: return integer(n, at, place, in, ret);
    case SCHEMA_DOUBLE: return floating(n, at, place, in, ret);
    case SCHEMA_STRING:
        if (in->type != JSON_STRING)
            return wrong_type(n, at, place, in, false);
        *ret = *in;
        return true;
    case SCHEMA_BYTES:
    case SCHEMA_QUANTITY:
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME:
    case SCHEMA_DURATION:
    case SCHEMA_INT_OR_STRING: return special(n, at, place, in, ret);
    case SCHEMA_OBJECT:
    case SCHEMA_ANY:
    case SCHEMA_FIELDS: *ret = *in; return true;
    case SCHEMA_STRUCT: return structure(n, at, place, in, ret);
    case SCHEMA_LIST: return list(n, at, place, in, ret);
    case SCHEMA_MAP: return map(n, at, place, in, ret);
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: return either(n, at, place, in, ret);
    case SCHEMA_NONE:
    case SCHEMA_KIND_COUNT: break;
    }
    ASSERT(!"every node has a kind");
}

/* Protobuf and what stands for null can nest deeper than JSON may, which then could not be read back. */
static bool deeper_than(const struct json *j, unsigned levels)
{
    if (!json_is_container(j))
        return false;
    if (levels == 0)
        return true;
    for (uint32_t i = 0; i < j->n; i++)
        if (deeper_than(j->type == JSON_ARRAY ? &j->v.items[i] : &j->v.members[i].value, levels - 1))
            return true;
    return false;
}

struct schema_at schema_at_type(const struct schema *s, const struct schema_type *t,
                                struct schema_node *storage)
{
    uint16_t type = (uint16_t)(t - s->types);
    *storage = (struct schema_node){.kind = SCHEMA_STRUCT, .ref = type};
    if (s->base && s->nodes[s->root].ref == type)
        *storage = s->nodes[s->root];
    return (struct schema_at){s, storage};
}

err_code tree_normalise_at(struct arena *a, struct schema_at at, const struct json *in,
                           const struct tree_report *report, struct json *ret, struct err *err)
{
    struct normaliser n = {.a = a, .report = report, .err = err};
    struct field_path root = FIELD_PATH_OF_ROOT;
    struct place place = {.path = &root};
    struct json result;
    if (!value(&n, at, &place, in, &result))
        return err->code;
    if (deeper_than(&result, JSON_DEPTH_MAX))
        return err_set(err, ERR_TOO_LARGE, "the document is nested deeper than %d levels", JSON_DEPTH_MAX);
    *ret = result;
    return arena_check(a, err);
}

err_code tree_normalise(struct arena *a, const struct schema *s, const struct schema_type *t,
                        const struct json *in, const struct tree_report *report, struct json *ret,
                        struct err *err)
{
    struct schema_node storage;
    return tree_normalise_at(a, schema_at_type(s, t, &storage), in, report, ret, err);
}
