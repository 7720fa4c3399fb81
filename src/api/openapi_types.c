/* openapi_types.c - definitions of the built-in types. */
#include "api/openapi_priv.h"
#include <stdlib.h>

#define EXTENSIONS "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
#define META       "io.k8s.apimachinery.pkg.apis.meta.v1."

/* Documents say of them what v2 cannot in another way. */
static const struct extra {
    str name;
    str v3, v2; /* v2 empty: the same */
} extras[OPENAPI_EXTRA_COUNT] = {
    [OPENAPI_QUANTITY] =
        {S_INIT("io.k8s.apimachinery.pkg.api.resource.Quantity"),
         S_INIT(
             "{\"description\":\"An amount, exact: a number with an optional suffix, binary (Ki, Mi, Gi, Ti, Pi, "
             "Ei), decimal (n, u, m, k, M, G, T, P, E) or an exponent (e3). At most three digits behind the "
             "point are kept. It is printed in the shortest form that has no fraction.\",\"oneOf\":[{\"type\":"
             "\"string\"},{\"type\":\"number\"}]}"),
         S_INIT(
             "{\"description\":\"An amount, exact: a number with an optional suffix, binary (Ki, Mi, Gi, Ti, Pi, "
             "Ei), decimal (n, u, m, k, M, G, T, P, E) or an exponent (e3). At most three digits behind the "
             "point are kept. It is printed in the shortest form that has no fraction.\",\"type\":\"string\"}")},
    [OPENAPI_TIME] = {S_INIT(META "Time"),
                      S_INIT(
                          "{\"description\":\"A moment as RFC 3339 writes it, in whole seconds.\",\"format\":"
                          "\"date-time\",\"type\":\"string\"}")},
    [OPENAPI_MICRO_TIME] = {S_INIT(META "MicroTime"),
                            S_INIT("{\"description\":\"A moment as RFC 3339 writes it, with microseconds.\","
                                   "\"format\":\"date-time\",\"type\":\"string\"}")},
    [OPENAPI_DURATION] =
        {S_INIT(META "Duration"),
         S_INIT("{\"description\":\"A span of time such as 1h30m or 300ms.\",\"type\":\"string\"}")},
    [OPENAPI_INT_OR_STRING] =
        {S_INIT("io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
         S_INIT("{\"description\":\"A number, or text: a percentage such as 25%, or the name of a port.\","
                "\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}"),
         S_INIT("{\"description\":\"A number, or text: a percentage such as 25%, or the name of a port.\","
                "\"format\":\"int-or-string\",\"type\":\"string\"}")},
    [OPENAPI_OBJECT] = {S_INIT("io.k8s.apimachinery.pkg.runtime.RawExtension"),
                        S_INIT("{\"description\":\"Any object, kept as it is.\",\"type\":\"object\"}")},
    [OPENAPI_ANY] = {S_INIT(EXTENSIONS "JSON"),
                     S_INIT(
                         "{\"description\":\"Any JSON value: an object, a list, text, a number, true, false, "
                         "null.\"}")},
    [OPENAPI_FIELDS] =
        {S_INIT(META "FieldsV1"),
         S_INIT("{\"description\":\"A set of fields as a tree: f:NAME is a field, k:{KEYS} an item of "
                "a list by its keys, v:VALUE an item by its value, i:N one by its place, and '.' the "
                "thing itself.\",\"type\":\"object\"}")},
    [OPENAPI_OR_BOOL] = {S_INIT(EXTENSIONS "JSONSchemaPropsOrBool"),
                         S_INIT("{\"description\":\"A schema, or true or false: anything, nothing.\"}")},
    [OPENAPI_OR_LIST] = {S_INIT(EXTENSIONS "JSONSchemaPropsOrArray"),
                         S_INIT("{\"description\":\"A schema, or a list of schemas.\"}")},
    [OPENAPI_OR_STRINGS] = {S_INIT(EXTENSIONS "JSONSchemaPropsOrStringArray"),
                            S_INIT("{\"description\":\"A schema, or a list of names.\"}")},
    [OPENAPI_PATCH] =
        {S_INIT(META "Patch"),
         S_INIT("{\"description\":\"A change to an object; its form is that of the content type.\","
                "\"type\":\"object\"}")},
    [OPENAPI_VERSION_INFO] =
        {S_INIT("io.k8s.apimachinery.pkg.version.Info"),
         S_INIT(
             "{\"description\":\"Which version runs, and how it was built.\",\"properties\":{"
             "\"buildDate\":{\"default\":\"\",\"type\":\"string\"},"
             "\"compiler\":{\"default\":\"\",\"type\":\"string\"},"
             "\"emulationMajor\":{\"type\":\"string\"},\"emulationMinor\":{\"type\":\"string\"},"
             "\"gitCommit\":{\"default\":\"\",\"type\":\"string\"},"
             "\"gitTreeState\":{\"default\":\"\",\"type\":\"string\"},"
             "\"gitVersion\":{\"default\":\"\",\"type\":\"string\"},"
             "\"goVersion\":{\"default\":\"\",\"type\":\"string\"},"
             "\"major\":{\"default\":\"\",\"type\":\"string\"},"
             "\"minCompatibilityMajor\":{\"type\":\"string\"},\"minCompatibilityMinor\":{\"type\":\"string\"},"
             "\"minor\":{\"default\":\"\",\"type\":\"string\"},"
             "\"platform\":{\"default\":\"\",\"type\":\"string\"}},\"required\":[\"major\",\"minor\",\"gitVersion\","
             "\"gitCommit\",\"gitTreeState\",\"buildDate\",\"goVersion\",\"compiler\",\"platform\"],\"type\":"
             "\"object\"}"),
         S_INIT(
             "{\"description\":\"Which version runs, and how it was built.\",\"properties\":{"
             "\"buildDate\":{\"type\":\"string\"},\"compiler\":{\"type\":\"string\"},"
             "\"emulationMajor\":{\"type\":\"string\"},\"emulationMinor\":{\"type\":\"string\"},"
             "\"gitCommit\":{\"type\":\"string\"},\"gitTreeState\":{\"type\":\"string\"},"
             "\"gitVersion\":{\"type\":\"string\"},\"goVersion\":{\"type\":\"string\"},"
             "\"major\":{\"type\":\"string\"},\"minCompatibilityMajor\":{\"type\":\"string\"},"
             "\"minCompatibilityMinor\":{\"type\":\"string\"},\"minor\":{\"type\":\"string\"},"
             "\"platform\":{\"type\":\"string\"}},\"required\":[\"major\",\"minor\",\"gitVersion\",\"gitCommit\","
             "\"gitTreeState\",\"buildDate\",\"goVersion\",\"compiler\",\"platform\"],\"type\":\"object\"}")},
};

/* EXTRA_COUNT: it is none of those. */
static enum openapi_extra extra_of(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_QUANTITY: return OPENAPI_QUANTITY;
    case SCHEMA_TIME: return OPENAPI_TIME;
    case SCHEMA_MICRO_TIME: return OPENAPI_MICRO_TIME;
    case SCHEMA_DURATION: return OPENAPI_DURATION;
    case SCHEMA_INT_OR_STRING: return OPENAPI_INT_OR_STRING;
    case SCHEMA_OBJECT: return OPENAPI_OBJECT;
    case SCHEMA_ANY: return OPENAPI_ANY;
    case SCHEMA_FIELDS: return OPENAPI_FIELDS;
    case SCHEMA_OR_BOOL: return OPENAPI_OR_BOOL;
    case SCHEMA_OR_LIST: return OPENAPI_OR_LIST;
    case SCHEMA_OR_STRINGS: return OPENAPI_OR_STRINGS;
    default: return OPENAPI_EXTRA_COUNT;
    }
}

/* --- names --- */

/* The Go package of a package of ours, which the original's names are made of. */
static str package_prefix(str package)
{
    if (str_is(package, "meta/v1"))
        return S("io.k8s.apimachinery.pkg.apis.");
    if (str_starts(package, S("apiextensions/")))
        return S("io.k8s.apiextensions-apiserver.pkg.apis.");
    if (str_starts(package, S("apiregistration/")))
        return S("io.k8s.kube-aggregator.pkg.apis.");
    return S("io.k8s.api.");
}

static str name_in_package(struct arena *a, str package, str name)
{
    str prefix = package_prefix(package);
    size_t n = prefix.n + package.n + 1 + name.n;
    struct buf b;
    buf_init_arena(&b, a, n);
    buf_add(&b, prefix);
    for (size_t i = 0; i < package.n; i++)
        buf_add_c(&b, (char)(package.p[i] == '/' ? '.' : package.p[i]));
    buf_add_c(&b, '.');
    buf_add(&b, name);
    return buf_str(&b);
}

static str package_name(const struct openapi *m, uint16_t package)
{
    return schema_text(m->schema, m->schema->packages[package].name);
}

str openapi_type_name(struct openapi *m, const char *package, const char *name)
{
    return name_in_package(m->arena, str_from_c(package), str_from_c(name));
}

str openapi_extra_name(enum openapi_extra which)
{
    return extras[which].name;
}

/* stable.example.com -> com.example.stable.v1.CronTab */
static str custom_name(struct arena *a, const struct served_kind *k, str kind)
{
    struct buf b;
    buf_init_arena(&b, a, k->group.n + k->version.n + kind.n + 2);
    for (str rest = k->group; rest.n;) {
        size_t dot = str_rindex_c(rest, '.');
        buf_add(&b, dot == SIZE_MAX ? rest : str_from(rest, dot + 1));
        buf_add_c(&b, '.');
        rest = dot == SIZE_MAX ? STR_NONE : str_slice(rest, 0, dot);
    }
    buf_add(&b, k->version);
    buf_add_c(&b, '.');
    buf_add(&b, kind);
    return buf_str(&b);
}

str openapi_kind_name(struct openapi *m, const struct served_kind *k)
{
    if (k->is_custom)
        return custom_name(m->arena, k, k->kind);
    return m->type_names[k->type - m->schema->types];
}

str openapi_list_name(struct openapi *m, const struct served_kind *k)
{
    if (k->is_custom)
        return custom_name(m->arena, k, k->list_kind);
    return name_in_package(m->arena, package_name(m, k->type->package), k->list_kind);
}

/* --- what is needed --- */

void openapi_need_extra(struct openapi *m, enum openapi_extra which)
{
    m->needed_extra[which] = true;
}

static void need_node(struct openapi *m, struct schema_at at)
{
    enum openapi_extra extra = extra_of(at.node->kind);
    if (extra != OPENAPI_EXTRA_COUNT) {
        m->needed_extra[extra] = true; /* says nothing of what is inside */
    } else if (at.node->kind == SCHEMA_LIST || at.node->kind == SCHEMA_MAP) {
        need_node(m, schema_items(at));
    } else if (at.node->kind == SCHEMA_STRUCT) {
        const struct schema *s;
        openapi_need_type(m, schema_struct(at, &s));
    }
}

void openapi_need_type(struct openapi *m, const struct schema_type *t)
{
    bool *needed = &m->needed[t - m->schema->types];
    if (*needed)
        return;
    *needed = true;
    for (size_t i = 0; i < t->field_count; i++)
        need_node(m, schema_field_at(m->schema, &m->schema->fields[t->field_first + i]));
}

void openapi_need_named(struct openapi *m, const char *package, const char *name)
{
    const struct schema_type *t = schema_type_find(m->schema, str_from_c(package), str_from_c(name));
    ASSERT(t);
    openapi_need_type(m, t);
}

static void push_definition(struct openapi *m, struct openapi_definition d)
{
    if (m->definition_count == m->definition_cap) {
        size_t cap = size_max(m->definition_cap * 2, 64);
        m->definitions = arena_grow(m->arena, m->definitions, m->definition_cap * sizeof d, cap * sizeof d,
                                    _Alignof(struct openapi_definition));
        m->definition_cap = cap;
    }
    m->definitions[m->definition_count++] = d;
}

void openapi_need_kind(struct openapi *m, const struct served_kind *k)
{
    if (k->is_custom) {
        push_definition(m, (struct openapi_definition){openapi_kind_name(m, k), OPENAPI_CUSTOM, 0, k});
        openapi_need_named(m, "meta/v1", "ObjectMeta");
    } else {
        openapi_need_type(m, k->type);
    }
    if (k->verbs & SCHEMA_LIST_VERB) {
        push_definition(m, (struct openapi_definition){openapi_list_name(m, k), OPENAPI_LIST, 0, k});
        openapi_need_named(m, "meta/v1", "ListMeta");
    }
}

static int by_name(const void *left, const void *right)
{
    const struct openapi_definition *x = left, *y = right;
    return str_cmp(x->name, y->name);
}

void openapi_collect(struct openapi *m)
{
    for (uint16_t i = 0; i < m->schema->type_count; i++)
        if (m->needed[i])
            push_definition(m, (struct openapi_definition){m->type_names[i], OPENAPI_TYPE, i, NULL});
    for (uint16_t i = 0; i < OPENAPI_EXTRA_COUNT; i++)
        if (m->needed_extra[i])
            push_definition(m, (struct openapi_definition){extras[i].name, OPENAPI_EXTRA, i, NULL});
    if (m->definition_count) /* documents about keys have none */
        qsort(m->definitions, m->definition_count, sizeof *m->definitions, by_name);
}

/* --- setting up --- */

static int by_group_and_version(const void *left, const void *right)
{
    const struct served_version *x = *(const struct served_version *const *)left;
    const struct served_version *y = *(const struct served_version *const *)right;
    int c = str_cmp(x->group, y->group);
    return c ? c : str_cmp(x->version, y->version);
}

static void list_versions(struct openapi *m, const struct catalog *c)
{
    size_t max = 0;
    for (size_t i = 0; i < c->group_count; i++)
        max += c->groups[i].version_count;
    m->versions = ARENA_ARRAY(m->arena, const struct served_version *, max);
    for (size_t i = 0; i < c->group_count; i++)
        for (size_t j = 0; j < c->groups[i].version_count; j++)
            if (!c->groups[i].versions[j].kinds[0]->is_custom)
                m->versions[m->version_count++] = &c->groups[i].versions[j];
    qsort(m->versions, m->version_count, sizeof *m->versions, by_group_and_version);
}

void openapi_init(struct openapi *m, struct arena *a, const struct catalog *c, bool v3)
{
    const struct schema *s = &schema_builtin;
    *m = (struct openapi){.arena = a, .schema = s, .v3 = v3};
    m->type_names = ARENA_ARRAY(a, str, s->type_count);
    m->kinds = ARENA_ARRAY(a, const struct schema_kind_info *, s->type_count);
    m->needed = ARENA_ARRAY(a, bool, s->type_count);
    for (size_t i = 0; i < s->type_count; i++)
        m->type_names[i] = name_in_package(a, package_name(m, s->types[i].package),
                                           schema_text(s, s->types[i].name));
    for (size_t i = 0; i < s->kind_count; i++)
        m->kinds[s->kinds[i].type] = &s->kinds[i];
    list_versions(m, c);
    m->status_name = openapi_type_name(m, "meta/v1", "Status");
    m->delete_options_name = openapi_type_name(m, "meta/v1", "DeleteOptions");
    m->watch_event_name = openapi_type_name(m, "meta/v1", "WatchEvent");
    m->object_meta_name = openapi_type_name(m, "meta/v1", "ObjectMeta");
    m->list_meta_name = openapi_type_name(m, "meta/v1", "ListMeta");
    buf_init(&m->text, 1 << 20);
    openapi_init_params(m);
}

void openapi_done(struct openapi *m)
{
    buf_done(&m->text);
}

/* --- writing --- */

void openapi_add_ref(struct openapi *m, struct json_out *o, str name)
{
    out_key(o, "$ref");
    buf_add(o->to, m->v3 ? S("\"#/components/schemas/") : S("\"#/definitions/"));
    buf_add(o->to, name);
    buf_add_c(o->to, '"');
}

void openapi_add_gvk(struct json_out *o, str group, str version, str kind)
{
    out_open(o, '{');
    out_text(o, "group", group);
    out_text(o, "kind", kind);
    out_text(o, "version", version);
    out_close(o, '}');
}

static void add_value(struct openapi *m, struct json_out *o, struct schema_at at);

static str ref_of(const struct openapi *m, struct schema_at at)
{
    enum openapi_extra extra = extra_of(at.node->kind);
    if (extra != OPENAPI_EXTRA_COUNT)
        return extras[extra].name;
    return at.node->kind == SCHEMA_STRUCT ? m->type_names[at.node->ref] : STR_NONE;
}

/* What comes before "default" and "description". v3 ignores what stands beside a $ref, so there it hides in an allOf. */
static void add_value_head(struct openapi *m, struct json_out *o, struct schema_at at, bool has_company)
{
    str ref = ref_of(m, at);
    if (ref.n && m->v3 && has_company) {
        out_key(o, "allOf");
        out_open(o, '[');
        out_item(o);
        out_open(o, '{');
        openapi_add_ref(m, o, ref);
        out_close(o, '}');
        out_close(o, ']');
    } else if (ref.n) {
        openapi_add_ref(m, o, ref);
    } else if (at.node->kind == SCHEMA_MAP) {
        out_key(o, "additionalProperties");
        add_value(m, o, schema_items(at));
    }
}

static const struct schema_enum *closed_enum(const struct openapi *m, struct schema_at at)
{
    if (at.node->kind != SCHEMA_STRING || !at.node->ref)
        return NULL;
    const struct schema_enum *e = &m->schema->enums[at.node->ref - 1];
    return e->closed ? e : NULL;
}

#define ENUM_MAX 64

static int by_text(const void *left, const void *right, void *schema)
{
    const struct schema_enum_value *x = *(const struct schema_enum_value *const *)left;
    const struct schema_enum_value *y = *(const struct schema_enum_value *const *)right;
    return str_cmp(schema_text(schema, x->text), schema_text(schema, y->text));
}

/* In the order of the alphabet. */
static size_t sorted_values(const struct openapi *m, const struct schema_enum *e,
                            const struct schema_enum_value *ret[ENUM_MAX])
{
    size_t count = size_min(e->value_count, ENUM_MAX);
    for (size_t i = 0; i < count; i++)
        ret[i] = &m->schema->values[e->value_first + i];
    qsort_r(ret, count, sizeof *ret, by_text, (void *)(uintptr_t)m->schema);
    return count;
}

static void add_enum(const struct openapi *m, struct json_out *o, const struct schema_enum *e)
{
    const struct schema_enum_value *values[ENUM_MAX];
    size_t count = sorted_values(m, e, values);
    out_key(o, "enum");
    out_open(o, '[');
    for (size_t i = 0; i < count; i++) {
        out_item(o);
        out_str(o, schema_text(m->schema, values[i]->text));
    }
    out_close(o, ']');
}

/* What comes after "description". */
static void add_value_tail(struct openapi *m, struct json_out *o, struct schema_at at)
{
    const struct schema_enum *e = closed_enum(m, at);
    if (e)
        add_enum(m, o, e);
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: out_member(o, "type", "\"boolean\""); break;
    case SCHEMA_INT32:
    case SCHEMA_UINT32: out_raw(o, S("\"format\":\"int32\",\"type\":\"integer\"")); break;
    case SCHEMA_INT64:
    case SCHEMA_UINT64: out_raw(o, S("\"format\":\"int64\",\"type\":\"integer\"")); break;
    case SCHEMA_DOUBLE: out_raw(o, S("\"format\":\"double\",\"type\":\"number\"")); break;
    case SCHEMA_STRING: out_member(o, "type", "\"string\""); break;
    case SCHEMA_BYTES: out_raw(o, S("\"format\":\"byte\",\"type\":\"string\"")); break;
    case SCHEMA_LIST:
        out_key(o, "items");
        add_value(m, o, schema_items(at));
        out_member(o, "type", "\"array\"");
        break;
    case SCHEMA_MAP: out_member(o, "type", "\"object\""); break;
    default: break; /* a reference: it is all said there */
    }
}

static void add_value(struct openapi *m, struct json_out *o, struct schema_at at)
{
    out_open(o, '{');
    add_value_head(m, o, at, false);
    add_value_tail(m, o, at);
    out_close(o, '}');
}

/* v3 only. What the original's types have when nobody said: zero values are part of its documents for what is never left
 * out, and {} for every struct that is no pointer. */
static str default_of(const struct openapi *m, const struct schema_field *f, const struct schema_rules *r)
{
    if (!m->v3)
        return STR_NONE;
    if (r && r->default_json)
        return schema_text(m->schema, r->default_json);
    if (f->flags & SCHEMA_POINTER)
        return STR_NONE;
    enum schema_kind kind = m->schema->nodes[f->node].kind;
    if (kind == SCHEMA_STRUCT)
        return S("{}");
    if (!(f->flags & SCHEMA_ALWAYS))
        return STR_NONE;
    switch (kind) {
    case SCHEMA_STRING: return S("\"\"");
    case SCHEMA_BOOL: return S("false");
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_UINT32:
    case SCHEMA_UINT64:
    case SCHEMA_DOUBLE: return S("0");
    default: return STR_NONE;
    }
}

/* The help, and behind it what a closed enum's values mean. Borrowed until the next call. */
static str description_of(struct openapi *m, const struct schema_field *f)
{
    str help = schema_text(m->schema, f->help);
    const struct schema_enum *e = closed_enum(m, schema_field_at(m->schema, f));
    if (!e)
        return help;
    const struct schema_enum_value *values[ENUM_MAX];
    size_t count = sorted_values(m, e, values);
    buf_clear(&m->text);
    buf_add(&m->text, help);
    buf_add(&m->text, help.n ? S("\n\nPossible enum values:") : S("Possible enum values:"));
    for (size_t i = 0; i < count; i++)
        buf_add_f(&m->text, "\n - `\"%" STR_FMT "\"` %" STR_FMT,
                  STR_ARG(schema_text(m->schema, values[i]->text)),
                  STR_ARG(schema_text(m->schema, values[i]->help)));
    return str_trim(buf_str(&m->text));
}

static void add_list_rules(const struct openapi *m, struct json_out *o, const struct schema_rules *r)
{
    if (r->list_type == SCHEMA_LIST_MAP) {
        str name;
        out_key(o, "x-kubernetes-list-map-keys");
        out_open(o, '[');
        for (uint32_t at = r->list_keys; schema_names_next(m->schema, &at, &name);) {
            out_item(o);
            out_str(o, name);
        }
        out_close(o, ']');
        out_member(o, "x-kubernetes-list-type", "\"map\"");
    } else if (r->list_type == SCHEMA_LIST_SET) {
        out_member(o, "x-kubernetes-list-type", "\"set\"");
    } else if (r->list_type == SCHEMA_LIST_ATOMIC) {
        out_member(o, "x-kubernetes-list-type", "\"atomic\"");
    }
}

static void add_map_type(struct json_out *o, unsigned granularity)
{
    if (granularity == SCHEMA_MERGE_ATOMIC)
        out_member(o, "x-kubernetes-map-type", "\"atomic\"");
    else if (granularity == SCHEMA_MERGE_GRANULAR)
        out_member(o, "x-kubernetes-map-type", "\"granular\"");
}

static void add_patch_rules(const struct openapi *m, struct json_out *o, const struct schema_rules *r)
{
    static const struct {
        unsigned flag;
        str name;
    } strategies[] = {
        {SCHEMA_PATCH_MERGE, S_INIT("merge")},
        {SCHEMA_PATCH_RETAIN_KEYS, S_INIT("retainKeys")},
        {SCHEMA_PATCH_REPLACE, S_INIT("replace")},
    };
    if (r->merge_key)
        out_text(o, "x-kubernetes-patch-merge-key", schema_text(m->schema, r->merge_key));
    if (!r->patch)
        return;
    out_key(o, "x-kubernetes-patch-strategy");
    char before = '"';
    for (size_t i = 0; i < ARRAY_COUNT(strategies); i++) {
        if (r->patch & strategies[i].flag) {
            buf_add_c(o->to, before);
            buf_add(o->to, strategies[i].name);
            before = ',';
        }
    }
    buf_add_c(o->to, '"');
}

static void add_rules(const struct openapi *m, struct json_out *o, const struct schema_rules *r)
{
    add_list_rules(m, o, r);
    add_map_type(o, r->map_type ? r->map_type : r->struct_type);
    add_patch_rules(m, o, r);
}

static bool says_something(const struct schema_rules *r)
{
    return r->list_type || r->map_type || r->struct_type || r->patch || r->merge_key;
}

static void add_property(struct openapi *m, struct json_out *o, const struct schema_field *f)
{
    struct schema_at at = schema_field_at(m->schema, f);
    const struct schema_rules *r = schema_rules(m->schema, f);
    str preset = default_of(m, f, r);
    str description = description_of(m, f);
    out_open(o, '{');
    add_value_head(m, o, at, preset.n || description.n || (r && says_something(r)));
    if (preset.n) {
        out_key(o, "default");
        buf_add(o->to, preset);
    }
    if (description.n)
        out_text(o, "description", description);
    add_value_tail(m, o, at);
    if (r)
        add_rules(m, o, r);
    out_close(o, '}');
}

/* Fields by name, with kind and apiVersion among them where the type is a document: those have no field. */
struct property {
    str name;
    const struct schema_field *field;
};

static int by_property_name(const void *left, const void *right)
{
    const struct property *x = left, *y = right;
    return str_cmp(x->name, y->name);
}

#define PROPERTIES_MAX 256

static void add_properties(struct openapi *m, struct json_out *o, const struct schema_type *t)
{
    struct property list[PROPERTIES_MAX];
    size_t count = 0;
    ASSERT(t->field_count + 2 <= PROPERTIES_MAX);
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &m->schema->fields[t->field_first + i];
        list[count++] = (struct property){schema_field_name(m->schema, f), f};
    }
    if (t->flags & SCHEMA_TYPE_KIND) {
        list[count++] = (struct property){S("apiVersion"), NULL};
        list[count++] = (struct property){S("kind"), NULL};
    }
    if (count == 0)
        return;
    qsort(list, count, sizeof *list, by_property_name);
    out_key(o, "properties");
    out_open(o, '{');
    for (size_t i = 0; i < count; i++) {
        out_name(o, list[i].name);
        if (list[i].field)
            add_property(m, o, list[i].field);
        else
            buf_add(o->to, str_is(list[i].name, "kind") ? S(OPENAPI_KIND) : S(OPENAPI_API_VERSION));
    }
    out_close(o, '}');
}

static void add_required(const struct openapi *m, struct json_out *o, const struct schema_type *t)
{
    bool any = false;
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &m->schema->fields[t->field_first + i];
        if (!(f->flags & SCHEMA_REQUIRED))
            continue;
        if (!any) {
            out_key(o, "required");
            out_open(o, '[');
        }
        any = true;
        out_item(o);
        out_str(o, schema_field_name(m->schema, f));
    }
    if (any)
        out_close(o, ']');
}

/* Where the document of a type is known. */
static void add_kinds(const struct openapi *m, struct json_out *o, const struct schema_type *t)
{
    const struct schema_kind_info *k = m->kinds[t - m->schema->types];
    if (!k)
        return;
    str kind = schema_text(m->schema, k->name), said = schema_text(m->schema, k->api_version);
    const struct schema_package *p = &m->schema->packages[k->package];
    out_key(o, "x-kubernetes-group-version-kind");
    out_open(o, '[');
    if (str_is(said, "*")) {
        for (size_t i = 0; i < m->version_count; i++) {
            out_item(o);
            openapi_add_gvk(o, m->versions[i]->group, m->versions[i]->version, kind);
        }
    } else if (said.n) {
        openapi_add_gvk(o, STR_NONE, said, kind);
    } else {
        openapi_add_gvk(o, schema_text(m->schema, p->group), schema_text(m->schema, p->version), kind);
    }
    out_close(o, ']');
}

/* A type of which one member at a time is set: which member belongs to which value of the discriminator, if there is one. */
static void add_union(const struct openapi *m, struct json_out *o, const struct schema_type *t)
{
    const struct schema_field *discriminator = NULL;
    bool any = false;
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *f = &m->schema->fields[t->field_first + i];
        const struct schema_rules *r = schema_rules(m->schema, f);
        if (f->flags & SCHEMA_DISCRIMINATOR)
            discriminator = f;
        if (!r || !r->member)
            continue;
        if (!any) {
            out_key(o, "x-kubernetes-unions");
            out_open(o, '[');
            out_open(o, '{');
            if (discriminator)
                out_text(o, "discriminator", schema_field_name(m->schema, discriminator));
            out_key(o, "fields-to-discriminateBy");
            out_open(o, '{');
        }
        any = true;
        out_name(o, schema_field_name(m->schema, f));
        out_str(o, schema_text(m->schema, r->member));
    }
    if (any) {
        out_close(o, '}');
        out_close(o, '}');
        out_close(o, ']');
    }
}

static void add_type(struct openapi *m, struct json_out *o, const struct schema_type *t)
{
    out_open(o, '{');
    if (t->help)
        out_text(o, "description", schema_text(m->schema, t->help));
    add_properties(m, o, t);
    add_required(m, o, t);
    out_member(o, "type", "\"object\"");
    add_kinds(m, o, t);
    if (t->flags & SCHEMA_TYPE_ATOMIC)
        out_member(o, "x-kubernetes-map-type", "\"atomic\"");
    add_union(m, o, t);
    out_close(o, '}');
}

static void add_list_metadata(struct openapi *m, struct json_out *o, bool is_custom)
{
    out_key(o, "metadata");
    out_open(o, '{');
    if (m->v3) {
        buf_add_lit(o->to, "\"allOf\":[{");
        o->comma = false;
        openapi_add_ref(m, o, m->list_meta_name);
        buf_add(o->to, is_custom ? S("}]") : S("}],\"default\":{}"));
        o->comma = true;
    } else {
        openapi_add_ref(m, o, m->list_meta_name);
    }
    out_member(o, "description", "\"What is known of the list as a whole.\"");
    out_close(o, '}');
}

static void add_list(struct openapi *m, struct json_out *o, const struct served_kind *k)
{
    out_open(o, '{');
    out_key(o, "description");
    buf_add_f(o->to, "\"A list of %" STR_FMT " objects.\"", STR_ARG(k->kind));
    out_key(o, "properties");
    out_open(o, '{');
    out_member(o, "apiVersion", OPENAPI_API_VERSION);
    out_member(o, "items", "{\"description\":\"The objects.\",\"items\":{");
    o->comma = false;
    openapi_add_ref(m, o, openapi_kind_name(m, k));
    buf_add_lit(o->to, "},\"type\":\"array\"}");
    out_member(o, "kind", OPENAPI_KIND);
    add_list_metadata(m, o, k->is_custom);
    out_close(o, '}');
    out_member(o, "required", "[\"items\"]");
    out_member(o, "type", "\"object\"");
    out_member(o, "x-kubernetes-group-version-kind", "[");
    openapi_add_gvk(o, k->group, k->version, k->list_kind);
    out_close(o, ']');
    out_close(o, '}');
}

void openapi_add_definition(struct openapi *m, struct json_out *o, const struct openapi_definition *d)
{
    const struct extra *extra = &extras[d->kind == OPENAPI_EXTRA ? d->index : 0];
    switch (d->kind) {
    case OPENAPI_TYPE: add_type(m, o, &m->schema->types[d->index]); break;
    case OPENAPI_EXTRA: buf_add(o->to, m->v3 || extra->v2.n == 0 ? extra->v3 : extra->v2); break;
    case OPENAPI_LIST: add_list(m, o, d->k); break;
    case OPENAPI_CUSTOM: openapi_add_custom(m, o, d->k); break;
    }
    o->comma = true;
}
