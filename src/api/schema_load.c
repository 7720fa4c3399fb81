/* schema_load.c - OpenAPI v3 to schema tables.
 * Bottom up: a value's node is made from rows that are there already, and an equal row is looked up before a new one is
 * added, so that a subtree that stands in ten places is stored once. The tables grow in an arena and are copied into one
 * block at the end. */
#include "api/schema_load.h"
#include "api/field_error.h"
#include "base/map.h"
#include "base/mem.h"
#include <stdlib.h>

enum {
    SIZE_MAX_DEFAULT = 4 << 20,
    ROWS_MAX = UINT16_MAX,
    ARENA_FACTOR = 16, /* what building may take, of what the result may */
    DEFAULT_SIZE_MAX = 1 << 20,
};

/* Rows of one kind, equal ones stored once. */
struct rows {
    struct buf bytes;
    size_t row_size, count;
    struct map index; /* bytes of a row to its number */
};

struct loader {
    struct arena a;
    struct err *err;
    struct rows nodes, rules;
    struct buf fields, types, slots, text;
    size_t field_count, type_count, slot_count;
    struct map texts;      /* to offset */
    struct map type_index; /* bytes of a type's fields and flags to its number */
};

static bool build(struct loader *l, const struct json *schema, const struct field_path *path,
                  uint16_t *ret_node);

static bool refuse(struct loader *l, const struct field_path *path, const char *why)
{
    str where = field_path_format(&l->a, path);
    err_set(l->err, ERR_BAD_REQUEST, "%" STR_FMT "%s%s", STR_ARG(where), where.n ? ": " : "", why);
    return false;
}

static bool too_large(struct loader *l)
{
    err_set(l->err, ERR_TOO_LARGE, "the schema is too large: a table of it would have more than %d rows",
            ROWS_MAX);
    return false;
}

/* --- rows --- */

static void rows_init(struct loader *l, struct rows *r, size_t row_size, size_t size_max,
                      const uint64_t key[2])
{
    *r = (struct rows){.row_size = row_size};
    buf_init_arena(&r->bytes, &l->a, size_max);
    map_init(&r->index, key, MAP_BORROW_KEYS);
}

/* Has a table reached its maximum? What was added since is not there, so nothing may be read through it. */
static bool out_of_room(struct loader *l)
{
    const struct buf *buffers[] = {&l->fields, &l->types,       &l->slots,
                                   &l->text,   &l->nodes.bytes, &l->rules.bytes};
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++) {
        if (buf_check(buffers[i], l->err)) {
            err_wrap(l->err, "the schema is too large");
            return true;
        }
    }
    return arena_check(&l->a, l->err) != ERR_NONE;
}

/* `row` has no padding that is not zero. */
static bool rows_put(struct loader *l, struct rows *r, const void *row, uint16_t *ret)
{
    str bytes = str_of(row, r->row_size);
    struct map_entry *there = map_find_entry(&r->index, bytes);
    if (there) {
        *ret = (uint16_t)there->value.n;
        return true;
    }
    if (r->count == ROWS_MAX)
        return too_large(l);
    struct map_entry *e = map_put(&r->index, str_dup(&l->a, bytes), NULL);
    e->value.n = r->count;
    *ret = (uint16_t)r->count++;
    buf_add(&r->bytes, bytes);
    return !out_of_room(l);
}

static uint32_t text_put(struct loader *l, str s)
{
    bool added;
    struct map_entry *e = map_put(&l->texts, s, &added);
    if (added) {
        e->value.n = l->text.n;
        buf_add(&l->text, s);
        buf_add_c(&l->text, 0);
    }
    return (uint32_t)e->value.n;
}

static uint32_t text_of_json(struct loader *l, const struct json *j)
{
    if (!j)
        return 0;
    struct buf b;
    buf_init_arena(&b, &l->a, DEFAULT_SIZE_MAX);
    json_print(&b, j, 0);
    return text_put(l, buf_str(&b));
}

/* Names, NUL ended, an empty one at the end (text_put adds that one). */
static uint32_t text_of_names(struct loader *l, const struct json *names)
{
    struct buf b;
    buf_init_arena(&b, &l->a, DEFAULT_SIZE_MAX);
    for (size_t i = 0; i < json_count(names); i++) {
        buf_add(&b, json_str(json_at(names, i)));
        buf_add_c(&b, 0);
    }
    return text_put(l, buf_str(&b));
}

/* --- rules --- */

static bool flag(const struct json *schema, str name)
{
    return json_bool(json_find(schema, name));
}

static double as_double(const struct json *j)
{
    return !j ? 0 : j->type == JSON_INT ? (double)j->v.i : j->type == JSON_FLOAT ? j->v.f : 0;
}

/* A bound of an integer that is no integer itself: the next one inside. */
static int64_t as_integer(const struct json *j, bool up)
{
    if (j->type == JSON_INT)
        return j->v.i;
    double f = as_double(j);
    if (f >= 9.2e18)
        return INT64_MAX;
    if (f <= -9.2e18)
        return INT64_MIN;
    int64_t i = (int64_t)f;
    if ((double)i < f && up)
        return i + 1;
    return (double)i > f && !up ? i - 1 : i;
}

static void bounds(struct schema_rules *r, const struct json *schema, enum schema_kind kind)
{
    const struct json *min = json_find(schema, S("minimum")), *max = json_find(schema, S("maximum"));
    if (min) {
        r->has |= SCHEMA_HAS_MIN | (flag(schema, S("exclusiveMinimum")) ? SCHEMA_HAS_MIN_EXCLUSIVE : 0);
        if (kind == SCHEMA_DOUBLE)
            r->min.f = as_double(min);
        else
            r->min.i = as_integer(min, true);
    }
    if (max) {
        r->has |= SCHEMA_HAS_MAX | (flag(schema, S("exclusiveMaximum")) ? SCHEMA_HAS_MAX_EXCLUSIVE : 0);
        if (kind == SCHEMA_DOUBLE)
            r->max.f = as_double(max);
        else
            r->max.i = as_integer(max, false);
    }
    r->multiple_of = as_double(json_find(schema, S("multipleOf")));
}

static bool limit(const struct json *schema, str name, uint32_t *ret)
{
    int64_t v;
    if (!json_int(json_find(schema, name), &v) || v < 0)
        return false;
    *ret = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    return true;
}

static void limits(struct schema_rules *r, const struct json *schema)
{
    limit(schema, S("minLength"), &r->len_min);
    if (limit(schema, S("maxLength"), &r->len_max))
        r->has |= SCHEMA_HAS_LEN_MAX;
    if (!limit(schema, S("minItems"), &r->items_min))
        limit(schema, S("minProperties"), &r->items_min);
    if (limit(schema, S("maxItems"), &r->items_max) || limit(schema, S("maxProperties"), &r->items_max))
        r->has |= SCHEMA_HAS_ITEMS_MAX;
    if (flag(schema, S("uniqueItems")))
        r->has |= SCHEMA_HAS_UNIQUE_ITEMS;
}

static uint8_t granularity(str type)
{
    return str_is(type, "atomic")     ? SCHEMA_MERGE_ATOMIC
           : str_is(type, "granular") ? SCHEMA_MERGE_GRANULAR
                                      : SCHEMA_MERGE_DEFAULT;
}

static void merging(struct loader *l, struct schema_rules *r, const struct json *schema)
{
    str list = json_str(json_find(schema, S("x-kubernetes-list-type")));
    r->list_type = str_is(list, "atomic") ? SCHEMA_LIST_ATOMIC
                   : str_is(list, "set")  ? SCHEMA_LIST_SET
                   : str_is(list, "map")  ? SCHEMA_LIST_MAP
                                          : SCHEMA_LIST_DEFAULT;
    if (r->list_type == SCHEMA_LIST_MAP)
        r->list_keys = text_of_names(l, json_find(schema, S("x-kubernetes-list-map-keys")));
    uint8_t map = granularity(json_str(json_find(schema, S("x-kubernetes-map-type"))));
    r->map_type = r->struct_type = map;
}

static uint8_t format_of(const struct json *schema)
{
    static const struct {
        str name;
        uint8_t format;
    } known[] = {
        {S_INIT("uuid"), SCHEMA_FORMAT_UUID},
        {S_INIT("cidr"), SCHEMA_FORMAT_CIDR},
        {S_INIT("ip"), SCHEMA_FORMAT_IP},
    };
    str name = json_str(json_find(schema, S("format")));
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (str_eq(known[i].name, name))
            return known[i].format;
    return SCHEMA_FORMAT_NONE;
}

/* Row 0 is "no rules". */
static bool rules_put(struct loader *l, const struct json *schema, enum schema_kind kind, uint16_t *ret)
{
    struct schema_rules r;
    memset(&r, 0, sizeof r); /* padding too: rows are compared as bytes */
    bounds(&r, schema, kind);
    limits(&r, schema);
    merging(l, &r, schema);
    r.values_json = text_of_json(l, json_find(schema, S("enum")));
    r.default_json = text_of_json(l, json_find(schema, S("default")));
    r.format = format_of(schema);
    str pattern = json_str(json_find(schema, S("pattern")));
    r.pattern = pattern.n ? text_put(l, pattern) : 0;
    return rows_put(l, &l->rules, &r, ret);
}

/* --- types --- */

struct property {
    str name;
    const struct json *schema;
};

static int by_name(const void *x, const void *y)
{
    return str_cmp(((const struct property *)x)->name, ((const struct property *)y)->name);
}

static bool is_required(const struct json *schema, str name)
{
    const struct json *required = json_find(schema, S("required"));
    for (size_t i = 0; i < json_count(required); i++)
        if (str_eq(json_str(json_at(required, i)), name))
            return true;
    return false;
}

/* What the built-in schema knows better: a whole object's metadata. */
static bool metadata_node(struct loader *l, uint16_t *ret)
{
    const struct schema_type *t = schema_type_find(&schema_builtin, S("meta/v1"), S("ObjectMeta"));
    ASSERT(t);
    struct schema_node n = {
        .kind = SCHEMA_STRUCT, .flags = SCHEMA_NODE_BASE, .ref = (uint16_t)(t - schema_builtin.types)};
    return rows_put(l, &l->nodes, &n, ret);
}

static bool property_field(struct loader *l, const struct json *schema, const struct property *p, bool object,
                           const struct field_path *path, struct schema_field *ret)
{
    memset(ret, 0, sizeof *ret);
    if (p->name.n > UINT16_MAX)
        return refuse(l, path, "a property's name is longer than 65535 bytes");
    ret->name = text_put(l, p->name);
    ret->name_n = (uint16_t)p->name.n;
    if (object && str_is(p->name, "metadata"))
        return metadata_node(l, &ret->node);
    struct field_path inside = field_path_key(path, p->name);
    if (!build(l, p->schema, &inside, &ret->node))
        return false;
    /* Whatever is given is kept as it is, empty or not. */
    ret->flags = SCHEMA_POINTER | (is_required(schema, p->name) ? SCHEMA_REQUIRED : 0);
    const struct schema_node *n = (const struct schema_node *)(const void *)l->nodes.bytes.p + ret->node;
    ret->rules = n->rules;
    return true;
}

static bool slots_add(struct loader *l, const struct schema_field *fields, size_t count,
                      struct schema_type *t)
{
    size_t size = 2;
    while (size < count * 2)
        size *= 2;
    if (size > ROWS_MAX)
        return too_large(l);
    uint16_t *slots = ARENA_ARRAY(&l->a, uint16_t, size);
    for (size_t i = 0; i < count; i++) {
        str name = str_of(l->text.p + fields[i].name, fields[i].name_n);
        size_t at = (size_t)str_hash(name) & (size - 1);
        while (slots[at])
            at = (at + 1) & (size - 1);
        slots[at] = (uint16_t)(i + 1);
    }
    t->slot_first = (uint32_t)l->slot_count;
    t->slot_mask = (uint16_t)(size - 1);
    l->slot_count += size;
    buf_add(&l->slots, str_of((const char *)slots, size * sizeof *slots));
    return true;
}

/* A type is the same as another when its fields and flags are. */
static bool type_put(struct loader *l, const struct schema_field *fields, size_t count, uint16_t flags,
                     uint32_t name, uint16_t *ret)
{
    if (out_of_room(l))
        return false;
    struct buf key;
    buf_init_arena(&key, &l->a, SIZE_MAX_DEFAULT);
    buf_add(&key, str_of((const char *)fields, count * sizeof *fields));
    buf_add(&key, str_of((const char *)&flags, sizeof flags));
    bool added;
    struct map_entry *e = map_put(&l->type_index, buf_str(&key), &added);
    if (!added) {
        *ret = (uint16_t)e->value.n;
        return true;
    }
    if (l->type_count == ROWS_MAX || l->field_count + count > ROWS_MAX || buf_check(&key, l->err))
        return too_large(l);
    struct schema_type t = {.name = name,
                            .field_first = (uint16_t)l->field_count,
                            .field_count = (uint16_t)count,
                            .flags = flags};
    if (!slots_add(l, fields, count, &t))
        return false;
    buf_add(&l->fields, str_of((const char *)fields, count * sizeof *fields));
    buf_add(&l->types, str_of((const char *)&t, sizeof t));
    l->field_count += count;
    e->value.n = l->type_count;
    *ret = (uint16_t)l->type_count++;
    return true;
}

/* `object`: a whole object, with kind, apiVersion and metadata of its own. */
static bool struct_type(struct loader *l, const struct json *schema, bool object,
                        const struct field_path *path, uint16_t *ret)
{
    const struct json *properties = json_find(schema, S("properties"));
    if (properties && properties->type != JSON_OBJECT)
        return refuse(l, path, "properties must be an object");
    size_t count = 0;
    struct property *sorted = ARENA_ARRAY(&l->a, struct property, json_count(properties) + 1);
    for (size_t i = 0; i < json_count(properties); i++) {
        const struct json_member *m = &properties->v.members[i];
        str name = json_member_name(m);
        if (object && (str_is(name, "kind") || str_is(name, "apiVersion") || str_is(name, "metadata")))
            continue;
        sorted[count++] = (struct property){name, &m->value};
    }
    if (object)
        sorted[count++] = (struct property){S("metadata"), NULL};
    qsort(sorted, count, sizeof *sorted, by_name);
    struct schema_field *fields = ARENA_ARRAY(&l->a, struct schema_field, count);
    struct field_path inside = field_path_name(path, S("properties"));
    for (size_t i = 0; i < count; i++)
        if (!property_field(l, schema, &sorted[i], object, &inside, &fields[i]))
            return false;
    bool preserve = flag(schema, S("x-kubernetes-preserve-unknown-fields"));
    uint16_t flags = (uint16_t)((object ? SCHEMA_TYPE_KIND : 0) | (preserve ? SCHEMA_TYPE_PRESERVE : 0));
    return type_put(l, fields, count, flags, 0, ret);
}

/* --- values --- */

/* An object: of named properties, a map, or anything at all. */
static bool object_node(struct loader *l, const struct json *schema, const struct field_path *path,
                        struct schema_node *n)
{
    const struct json *properties = json_find(schema, S("properties"));
    const struct json *additional = json_find(schema, S("additionalProperties"));
    bool preserve = flag(schema, S("x-kubernetes-preserve-unknown-fields"));
    bool embedded = flag(schema, S("x-kubernetes-embedded-resource"));
    if (additional && additional->type == JSON_OBJECT && !properties) {
        struct field_path inside = field_path_name(path, S("additionalProperties"));
        n->kind = SCHEMA_MAP;
        return build(l, additional, &inside, &n->ref);
    }
    if (!properties && !embedded && (preserve || json_bool(additional))) {
        n->kind = SCHEMA_OBJECT;
        return true;
    }
    n->kind = SCHEMA_STRUCT;
    return struct_type(l, schema, embedded, path, &n->ref);
}

static bool list_node(struct loader *l, const struct json *schema, const struct field_path *path,
                      struct schema_node *n)
{
    const struct json *items = json_find(schema, S("items"));
    struct field_path inside = field_path_name(path, S("items"));
    if (!items || items->type != JSON_OBJECT)
        return refuse(l, &inside, "Required value: must be specified");
    n->kind = SCHEMA_LIST;
    return build(l, items, &inside, &n->ref);
}

static bool typed_node(struct loader *l, const struct json *schema, const struct field_path *path,
                       struct schema_node *n)
{
    str type = json_str(json_find(schema, S("type"))), format = json_str(json_find(schema, S("format")));
    if (flag(schema, S("x-kubernetes-int-or-string")))
        n->kind = SCHEMA_INT_OR_STRING;
    else if (str_is(type, "object"))
        return object_node(l, schema, path, n);
    else if (str_is(type, "array"))
        return list_node(l, schema, path, n);
    else if (str_is(type, "string"))
        n->kind = SCHEMA_STRING;
    else if (str_is(type, "integer"))
        n->kind = str_is(format, "int32") ? SCHEMA_INT32 : SCHEMA_INT64;
    else if (str_is(type, "number"))
        n->kind = SCHEMA_DOUBLE;
    else if (str_is(type, "boolean"))
        n->kind = SCHEMA_BOOL;
    else if (type.n == 0 && flag(schema, S("x-kubernetes-preserve-unknown-fields")))
        n->kind = SCHEMA_ANY;
    else if (type.n == 0) {
        struct field_path inside = field_path_name(path, S("type"));
        return refuse(l, &inside, "Required value: must not be empty for specified object fields");
    } else {
        struct field_path inside = field_path_name(path, S("type"));
        return refuse(l, &inside,
                      "Unsupported value: supported values: \"array\", \"boolean\", \"integer\", \"number\", "
                      "\"object\", \"string\"");
    }
    return true;
}

static bool build(struct loader *l, const struct json *schema, const struct field_path *path,
                  uint16_t *ret_node)
{
    struct schema_node n = {0};
    if (arena_check(&l->a, l->err))
        return false;
    if (!schema || schema->type != JSON_OBJECT)
        return refuse(l, path, "a schema is an object");
    if (!typed_node(l, schema, path, &n))
        return false;
    n.flags |= flag(schema, S("nullable")) ? SCHEMA_NODE_NULLABLE : 0;
    return rules_put(l, schema, (enum schema_kind)n.kind, &n.rules) && rows_put(l, &l->nodes, &n, ret_node);
}

/* --- the finished module --- */

/* Everything in one block, the struct first; counts are below 2^16 and sizes bounded, so nothing overflows. */
struct block {
    char *p;
    size_t used;
};

static const void *block_put(struct block *b, const void *p, size_t n)
{
    b->used = (b->used + 7) & ~(size_t)7;
    char *to = b->p ? b->p + b->used : NULL;
    if (to && n)
        memcpy(to, p, n);
    b->used += n;
    return to;
}

static void lay_out(struct loader *l, struct block *b, const struct schema_package *package,
                    const struct schema_kind_info *kind, struct schema *ret)
{
    static const struct intern *const no_names = NULL;
    *ret = (struct schema){.base = &schema_builtin, .names = no_names, .package_count = 1, .kind_count = 1};
    ret->type_count = (uint16_t)l->type_count;
    b->used = sizeof(struct schema) + sizeof(size_t);
    ret->rules = block_put(b, l->rules.bytes.p, l->rules.bytes.n);
    ret->fields = block_put(b, l->fields.p, l->fields.n);
    ret->types = block_put(b, l->types.p, l->types.n);
    ret->packages = block_put(b, package, sizeof *package);
    ret->kinds = block_put(b, kind, sizeof *kind);
    ret->nodes = block_put(b, l->nodes.bytes.p, l->nodes.bytes.n);
    ret->slots = block_put(b, l->slots.p, l->slots.n);
    ret->text = block_put(b, l->text.p, l->text.n);
}

static size_t size_max_of(const struct schema_load_opts *opts)
{
    return opts->size_max ? opts->size_max : SIZE_MAX_DEFAULT;
}

static err_code finish(struct loader *l, const struct schema_load_opts *opts, uint16_t root,
                       struct schema **ret)
{
    struct schema_package package = {
        .name = text_put(l, str_join(&l->a, (const str[]){opts->group, opts->version}, 2, S("/")))};
    package.group = text_put(l, opts->group);
    package.version = text_put(l, opts->version);
    struct schema_kind_info kind = {.name = text_put(l, opts->kind), .type = root};
    if (out_of_room(l))
        return l->err->code;
    struct schema laid_out;
    struct block b = {0};
    lay_out(l, &b, &package, &kind, &laid_out);
    size_t size = b.used, max = size_max_of(opts);
    if (size > max)
        return err_set(l->err, ERR_TOO_LARGE, "the schema is too large: %zu bytes, may be %zu", size, max);
    b.p = mem_alloc(size);
    lay_out(l, &b, &package, &kind, &laid_out);
    memcpy(b.p, &laid_out, sizeof laid_out);
    memcpy(b.p + sizeof laid_out, &size, sizeof size);
    *ret = (struct schema *)(void *)b.p;
    return ERR_NONE;
}

static bool loader_init(struct loader *l, const struct schema_load_opts *opts, struct err *err)
{
    size_t max = size_max_of(opts);
    *l = (struct loader){.err = err};
    arena_init(&l->a, max * ARENA_FACTOR);
    rows_init(l, &l->nodes, sizeof(struct schema_node), max, opts->hash_key);
    rows_init(l, &l->rules, sizeof(struct schema_rules), max, opts->hash_key);
    map_init(&l->texts, opts->hash_key, MAP_BORROW_KEYS);
    map_init(&l->type_index, opts->hash_key, MAP_BORROW_KEYS);
    struct buf *buffers[] = {&l->fields, &l->types, &l->slots, &l->text};
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++)
        buf_init_arena(buffers[i], &l->a, max);
    buf_add_c(&l->text, 0);
    struct schema_rules none;
    uint16_t zero;
    memset(&none, 0, sizeof none);
    bool put = rows_put(l, &l->rules, &none, &zero);
    ASSERT(!put || zero == 0);
    return put;
}

static void loader_done(struct loader *l)
{
    map_done(&l->nodes.index);
    map_done(&l->rules.index);
    map_done(&l->texts);
    map_done(&l->type_index);
    arena_done(&l->a);
}

err_code schema_load(const struct json *openapi, const struct schema_load_opts *opts, struct schema **ret,
                     struct err *err)
{
    struct loader l;
    struct field_path path = FIELD_PATH_OF_ROOT;
    uint16_t root;
    err_code code = ERR_NONE;
    if (!loader_init(&l, opts, err))
        code = err->code;
    else if (!openapi || openapi->type != JSON_OBJECT)
        code = err_set(err, ERR_BAD_REQUEST, "a schema is an object");
    else if (!str_is(json_str(json_find(openapi, S("type"))), "object"))
        code = err_set(err, ERR_BAD_REQUEST, "type: Invalid value: must be object at the root");
    else if (!struct_type(&l, openapi, true, &path, &root))
        code = err->code;
    else
        code = finish(&l, opts, root, ret);
    loader_done(&l);
    return code;
}

void schema_unload(struct schema *s)
{
    mem_free(s);
}

size_t schema_load_size(const struct schema *s)
{
    size_t size;
    memcpy(&size, (const char *)s + sizeof *s, sizeof size);
    return size;
}
