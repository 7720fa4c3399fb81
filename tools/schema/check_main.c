/* check_main.c - compares what api/ declares with the reference tables:  schemacheck REFERENCE-FOLDER FILE.api...
 * Prints for each package the fields declared of the fields known, and every difference in name, number, type,
 * presence, list type, keys, patch strategy, default and enum; the same for kinds. Exit 0: no difference and nothing
 * missing among the kinds that a server serves by default. */
#include "base/buf.h"
#include "model.h"
#include <stdio.h>
#include <stdlib.h>

enum {
    COLUMNS_MAX = 40,
    ROWS_MAX = 20000,
};

/* --- the reference tables: tab separated, a header line --- */

struct table {
    str header[COLUMNS_MAX];
    size_t column_count;
    str (*rows)[COLUMNS_MAX];
    size_t row_count;
};

struct checker {
    struct arena a;
    struct model m;
    struct table fields, types, enums, kinds;
    size_t differences;
    size_t known_total, declared_total;
};

static size_t split_row(str line, str *ret)
{
    size_t n = 0;
    str cell;
    while (n < COLUMNS_MAX && str_next(&line, '\t', &cell))
        ret[n++] = cell;
    return n;
}

static err_code table_load(struct arena *a, const char *folder, const char *name, struct table *t,
                           struct err *err)
{
    str text, line;
    if (model_read_file(a, str_format(a, "%s/api/%s.tsv", folder, name).p, &text, err))
        return err->code;
    str_next(&text, '\n', &line);
    t->column_count = split_row(line, t->header);
    t->rows = arena_alloc_zero(a, ROWS_MAX, sizeof *t->rows, _Alignof(str));
    while (str_next(&text, '\n', &line) && t->row_count < ROWS_MAX)
        if (line.n)
            split_row(line, t->rows[t->row_count++]);
    return ERR_NONE;
}

static size_t column_index(const struct table *t, const char *column)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (str_eq(t->header[i], str_from_c(column)))
            return i;
    fprintf(stderr, "schemacheck: the reference table has no column '%s'\n", column);
    exit(2);
}

static str cell(const struct table *t, size_t row, const char *column)
{
    return t->rows[row][column_index(t, column)];
}

/* --- reporting --- */

PRINTF_LIKE(2, 3) static void differ(struct checker *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("    ");
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    c->differences++;
}

static void expect(struct checker *c, str where, const char *what, str have, str want)
{
    if (!str_eq(have, want))
        differ(c, "%" STR_FMT ": %s is '%" STR_FMT "', the reference has '%" STR_FMT "'", STR_ARG(where),
               what, STR_ARG(have), STR_ARG(want));
}

static void expect_flag(struct checker *c, str where, const char *what, bool have, bool want)
{
    expect(c, where, what, have ? S("yes") : S("no"), want ? S("yes") : S("no"));
}

/* --- a field --- */

/* How the reference spells what a node is: ptype, label, ref. */
static const struct {
    enum schema_kind kind;
    str ptype, ref, go;
} spellings[] = {
    {SCHEMA_BOOL, S_INIT("bool"), {0}, S_INIT("bool")},
    {SCHEMA_INT32, S_INIT("int32"), {0}, S_INIT("int32")},
    {SCHEMA_INT64, S_INIT("int64"), {0}, S_INIT("int64")},
    {SCHEMA_DOUBLE, S_INIT("double"), {0}, S_INIT("float64")},
    {SCHEMA_STRING, S_INIT("string"), {0}, S_INIT("string")},
    {SCHEMA_BYTES, S_INIT("bytes"), {0}, S_INIT("[]byte")},
    {SCHEMA_QUANTITY, S_INIT("message"), S_INIT("api/resource.Quantity"), {0}},
    {SCHEMA_TIME, S_INIT("message"), S_INIT("meta/v1.Time"), {0}},
    {SCHEMA_MICRO_TIME, S_INIT("message"), S_INIT("meta/v1.MicroTime"), {0}},
    {SCHEMA_DURATION, S_INIT("message"), S_INIT("meta/v1.Duration"), {0}},
    {SCHEMA_INT_OR_STRING, S_INIT("message"), S_INIT("util/intstr.IntOrString"), {0}},
    {SCHEMA_OBJECT, S_INIT("message"), S_INIT("runtime.RawExtension"), {0}},
    {SCHEMA_ANY, S_INIT("message"), S_INIT("apiextensions/v1.JSON"), {0}},
    {SCHEMA_FIELDS, S_INIT("message"), S_INIT("meta/v1.FieldsV1"), {0}},
};

static str type_full_name(struct checker *c, const struct m_type *t)
{
    return str_format(&c->a, "%" STR_FMT ".%" STR_FMT, STR_ARG(t->package->name), STR_ARG(t->name));
}

static void spell(struct checker *c, const struct m_node *n, str *ret_ptype, str *ret_ref)
{
    *ret_ptype = S("message");
    *ret_ref = STR_NONE;
    if (n->kind == SCHEMA_STRUCT || n->kind >= SCHEMA_OR_BOOL || n->message) {
        *ret_ref = n->type ? type_full_name(c, n->type) : STR_NONE;
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(spellings); i++) {
        if (spellings[i].kind == n->kind) {
            *ret_ptype = spellings[i].ptype;
            *ret_ref = spellings[i].ref;
        }
    }
}

/* The reference names a few types by an alias of Go's. */
static str unalias(struct checker *c, str ref)
{
    for (size_t i = 0; i < c->types.row_count; i++) {
        str kind = cell(&c->types, i, "kind");
        str package = cell(&c->types, i, "package"), name = cell(&c->types, i, "type");
        if (!str_is(kind, "alias") ||
            !str_eq(ref, str_format(&c->a, "%" STR_FMT ".%" STR_FMT, STR_ARG(package), STR_ARG(name))))
            continue;
        return str_format(&c->a, "%" STR_FMT ".%" STR_FMT, STR_ARG(package),
                          STR_ARG(cell(&c->types, i, "underlying")));
    }
    return ref;
}

static void check_type(struct checker *c, str where, const struct m_field *f, size_t row)
{
    const struct table *t = &c->fields;
    const struct m_node *n = f->node;
    str label = S("single"), ptype, ref;
    bool has_message = !str_is(cell(t, row, "ptype"), "-");
    if (n->kind == SCHEMA_LIST && !n->message) {
        label = S("repeated");
        n = n->item;
    } else if (n->kind == SCHEMA_MAP) {
        label = S("map");
        n = n->item;
    }
    spell(c, n, &ptype, &ref);
    if (str_is(label, "map"))
        ptype = str_format(&c->a, "string,%" STR_FMT, STR_ARG(ptype));
    if (has_message)
        expect(c, where, "protobuf type", ptype, cell(t, row, "ptype"));
    /* Client files have no protobuf: there Go's []byte counts as a list of bytes. */
    if (has_message || n->kind != SCHEMA_BYTES)
        expect(c, where, "label", label, cell(t, row, "label"));
    /* Any stands for Go's interface{} as well, which has no name and no protobuf. */
    if (has_message || n->kind != SCHEMA_ANY)
        expect(c, where, "type", ref, unalias(c, cell(t, row, "ref")));
    str want_enum = cell(t, row, "enum");
    bool closed = str_ends(want_enum, S("!"));
    if (closed)
        want_enum = str_slice(want_enum, 0, want_enum.n - 1);
    str have_enum = STR_NONE;
    if (n->enumeration)
        have_enum = str_format(&c->a, "%" STR_FMT ".%" STR_FMT, STR_ARG(n->enumeration->package->name),
                               STR_ARG(n->enumeration->name));
    expect(c, where, "enum", have_enum, unalias(c, want_enum));
}

static str spell_list_type(struct checker *c, const struct m_field *f)
{
    switch (f->list_type) {
    case SCHEMA_LIST_DEFAULT: return STR_NONE;
    case SCHEMA_LIST_ATOMIC: return S("atomic");
    case SCHEMA_LIST_SET: return S("set");
    case SCHEMA_LIST_MAP: return S("map");
    }
    return STR_NONE;
}

static str spell_patch(struct checker *c, const struct m_field *f)
{
    str parts[3];
    size_t n = 0;
    if (f->patch & SCHEMA_PATCH_MERGE)
        parts[n++] = S("merge");
    if (f->patch & SCHEMA_PATCH_RETAIN_KEYS)
        parts[n++] = S("retainKeys");
    if (f->patch & SCHEMA_PATCH_REPLACE)
        parts[n++] = S("replace");
    return str_join(&c->a, parts, n, S(","));
}

static str spell_atomic(const struct m_field *f)
{
    if (f->map_type)
        return f->map_type == SCHEMA_MERGE_ATOMIC ? S("mapType=atomic") : S("mapType=granular");
    if (f->struct_type)
        return f->struct_type == SCHEMA_MERGE_ATOMIC ? S("structType=atomic") : S("structType=granular");
    return STR_NONE;
}

static void check_field(struct checker *c, str where, const struct m_field *f, size_t row)
{
    const struct table *t = &c->fields;
    str no = cell(t, row, "no");
    expect(c, where, "number", f->number ? str_format(&c->a, "%u", f->number) : S("-"), no.n ? no : S("-"));
    if (!str_is(cell(t, row, "pname"), "-"))
        expect(c, where, "protobuf name", f->pb_name, cell(t, row, "pname"));
    check_type(c, where, f, row);
    str go = cell(t, row, "go"), omit = cell(t, row, "omit");
    expect_flag(c, where, "pointer", f->pointer,
                str_starts(go, S("*")) && str_is(cell(t, row, "label"), "single"));
    if (f->inlined)
        return;
    expect_flag(c, where, "required", f->flags & SCHEMA_REQUIRED, str_is(cell(t, row, "req"), "required"));
    expect_flag(c, where, "printed when empty", f->flags & SCHEMA_ALWAYS, str_is(omit, "no"));
    expect_flag(c, where, "left out when zero", f->flags & SCHEMA_OMITZERO,
                str_contains(omit, S("omitzero")));
    expect_flag(c, where, "deprecated", f->flags & SCHEMA_DEPRECATED, cell(t, row, "deprecated").n != 0);
    expect(c, where, "list type", spell_list_type(c, f), cell(t, row, "listType"));
    expect(c, where, "list keys", str_join(&c->a, f->list_keys.items, f->list_keys.count, S(",")),
           cell(t, row, "listMapKeys"));
    expect(c, where, "patch strategy", spell_patch(c, f), cell(t, row, "patchStrategy"));
    expect(c, where, "merge key", f->merge_key, cell(t, row, "patchMergeKey"));
    expect(c, where, "granularity", spell_atomic(f), cell(t, row, "atomic"));
    expect(c, where, "default", f->default_json, cell(t, row, "default"));
}

/* --- a type, a package --- */

static struct m_field *field_find(struct m_type *t, const struct table *fields, size_t row)
{
    bool inlined = str_is(cell(fields, row, "inline"), "yes");
    for (size_t i = 0; i < t->field_count; i++) {
        struct m_field *f = &t->fields[i];
        if (inlined ? f->inlined && str_eq(f->pb_name, cell(fields, row, "pname"))
                    : !f->inlined && str_eq(f->name, cell(fields, row, "json")))
            return f;
    }
    return NULL;
}

/* Rows that are no fields of their own: kind and apiVersion; what a scalar, an OR_* or a list message is made of. */
static bool row_counts(struct checker *c, size_t row)
{
    str ref = cell(&c->fields, row, "ref"), json = cell(&c->fields, row, "json");
    if (str_is(cell(&c->fields, row, "inline"), "yes"))
        return !str_ends(ref, S(".TypeMeta"));
    return !str_is(json, "-");
}

struct package_count {
    size_t known, declared;
};

static void check_message_field(struct checker *c, struct m_type *t, size_t row, struct package_count *count)
{
    str where = str_format(&c->a, "%" STR_FMT ".%" STR_FMT ".%" STR_FMT, STR_ARG(t->package->name),
                           STR_ARG(t->name), STR_ARG(cell(&c->fields, row, "json")));
    struct m_field *f = field_find(t, &c->fields, row);
    count->known++;
    if (!f) {
        differ(c, "%" STR_FMT ": not declared", STR_ARG(where));
        return;
    }
    count->declared++;
    check_field(c, where, f, row);
}

static bool field_is_known(struct checker *c, const struct m_type *t, const struct m_field *f)
{
    for (size_t row = 0; row < c->fields.row_count; row++) {
        if (!str_eq(cell(&c->fields, row, "message"), t->name) ||
            !str_eq(cell(&c->fields, row, "package"), t->package->name))
            continue;
        if (f->inlined ? str_eq(cell(&c->fields, row, "pname"), f->pb_name)
                       : str_eq(cell(&c->fields, row, "json"), f->name))
            return true;
    }
    return false;
}

/* The type is declared, or reached from no kind and left out on purpose. */
static void check_message(struct checker *c, str package, str message, struct package_count *count)
{
    struct m_type *t = model_type_find(&c->m, package, message);
    for (size_t row = 0; t && row < c->fields.row_count; row++)
        if (str_eq(cell(&c->fields, row, "message"), message) &&
            str_eq(cell(&c->fields, row, "package"), package) && row_counts(c, row))
            check_message_field(c, t, row, count);
    for (size_t i = 0; t && i < t->field_count; i++)
        if (!field_is_known(c, t, &t->fields[i]))
            differ(c, "%" STR_FMT ".%" STR_FMT ".%" STR_FMT ": declared, and not known to the reference",
                   STR_ARG(package), STR_ARG(message), STR_ARG(t->fields[i].name));
}

static size_t type_row(struct checker *c, str package, str name)
{
    for (size_t i = 0; i < c->types.row_count; i++)
        if (str_eq(cell(&c->types, i, "type"), name) && str_eq(cell(&c->types, i, "package"), package))
            return i;
    return SIZE_MAX;
}

static void check_types_of(struct checker *c, const struct m_package *p, struct package_count *count)
{
    for (size_t i = 0; i < c->m.type_count; i++) {
        const struct m_type *t = c->m.types[i];
        if (t->package != p)
            continue;
        size_t row = type_row(c, p->name, t->name);
        if (row == SIZE_MAX) {
            differ(c, "%" STR_FMT ": not known to the reference", STR_ARG(type_full_name(c, t)));
            continue;
        }
        expect_flag(c, type_full_name(c, t), "atomic", t->atomic,
                    str_contains(cell(&c->types, row, "atomic"), S("structType=atomic")));
        check_message(c, p->name, t->name, count);
    }
}

static bool enum_has(const struct m_enum *e, str value)
{
    for (size_t i = 0; i < e->value_count; i++)
        if (str_eq(e->values[i].text, value))
            return true;
    return false;
}

static bool enum_is_known_value(struct checker *c, const struct m_enum *e, str value)
{
    for (size_t row = 0; row < c->enums.row_count; row++)
        if (str_eq(cell(&c->enums, row, "value"), value) && str_eq(cell(&c->enums, row, "type"), e->name) &&
            str_eq(cell(&c->enums, row, "package"), e->package->name))
            return true;
    return false;
}

static void check_enums_of(struct checker *c, const struct m_package *p)
{
    for (size_t i = 0; i < c->m.enum_count; i++) {
        const struct m_enum *e = c->m.enums[i];
        if (e->package != p)
            continue;
        str where = str_format(&c->a, "%" STR_FMT ".%" STR_FMT, STR_ARG(p->name), STR_ARG(e->name));
        size_t row = type_row(c, p->name, e->name);
        if (row == SIZE_MAX) {
            differ(c, "enum %" STR_FMT ": not known to the reference", STR_ARG(where));
            continue;
        }
        expect_flag(c, where, "closed", e->closed, str_is(cell(&c->types, row, "enum"), "yes"));
        for (row = 0; row < c->enums.row_count; row++)
            if (str_eq(cell(&c->enums, row, "type"), e->name) &&
                str_eq(cell(&c->enums, row, "package"), p->name) &&
                !enum_has(e, cell(&c->enums, row, "value")))
                differ(c, "enum %" STR_FMT ": value '%" STR_FMT "' is missing", STR_ARG(where),
                       STR_ARG(cell(&c->enums, row, "value")));
        for (size_t v = 0; v < e->value_count; v++)
            if (!enum_is_known_value(c, e, e->values[v].text))
                differ(c, "enum %" STR_FMT ": value '%" STR_FMT "' is not known to the reference",
                       STR_ARG(where), STR_ARG(e->values[v].text));
    }
}

/* --- kinds --- */

/* The folder of the file a kind's type stands in is its package: "pkg/apis/meta/v1/types.go" -> "meta/v1". */
static str package_of_file(str file)
{
    str_take_prefix(&file, S("pkg/apis/"));
    str_take_prefix(&file, S("tools/"));
    size_t slash = str_rindex_c(file, '/');
    return slash == SIZE_MAX ? file : str_slice(file, 0, slash);
}

static struct m_kind *kind_find(struct checker *c, str package, str name)
{
    for (size_t i = 0; i < c->m.kind_count; i++)
        if (str_eq(c->m.kinds[i]->name, name) && str_eq(c->m.kinds[i]->package->name, package))
            return c->m.kinds[i];
    return NULL;
}

static str spell_verbs(struct checker *c, unsigned verbs, str separator)
{
    static const char *const order[] = {"create", "delete", "deletecollection", "get",
                                        "list",   "patch",  "update",           "watch"};
    str parts[ARRAY_COUNT(order)];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        unsigned verb;
        if (model_verb_parse(str_from_c(order[i]), &verb) && (verbs & verb))
            parts[n++] = str_from_c(order[i]);
    }
    return str_join(&c->a, parts, n, separator);
}

/* name:apiVersion/Kind:verb+verb, joined by ';', as the reference writes it. */
static str spell_subresources(struct checker *c, const struct m_kind *k)
{
    str *parts = ARENA_ARRAY(&c->a, str, k->subresource_count + 1);
    for (size_t i = 0; i < k->subresource_count; i++) {
        const struct m_subresource *s = &k->subresources[i];
        const struct m_package *p = model_package_find(&c->m, s->body_package);
        str group = p && p->group.n ? str_concat(&c->a, p->group, S("/")) : STR_NONE;
        parts[i] = str_format(&c->a, "%" STR_FMT ":%" STR_FMT "%" STR_FMT "/%" STR_FMT ":%" STR_FMT,
                              STR_ARG(s->name), STR_ARG(group), STR_ARG(p ? p->version : S("?")),
                              STR_ARG(s->body_kind), STR_ARG(spell_verbs(c, s->verbs, S("+"))));
    }
    return str_join(&c->a, parts, k->subresource_count, S(";"));
}

static void check_kind(struct checker *c, size_t row)
{
    const struct table *t = &c->kinds;
    str package = package_of_file(cell(t, row, "file"));
    str where = str_format(&c->a, "kind %" STR_FMT ".%" STR_FMT, STR_ARG(package),
                           STR_ARG(cell(t, row, "kind")));
    const struct m_kind *k = kind_find(c, package, cell(t, row, "kind"));
    if (!k) {
        if (str_is(cell(t, row, "on_by_default"), "yes"))
            differ(c, "%" STR_FMT ": served by default and not declared", STR_ARG(where));
        return;
    }
    expect(c, where, "plural", k->plural, cell(t, row, "plural"));
    if (!k->plural.n)
        return;
    expect(c, where, "singular", k->singular, cell(t, row, "singular"));
    expect(c, where, "group", k->package->group, cell(t, row, "group"));
    expect(c, where, "version", k->package->version, cell(t, row, "version"));
    expect(c, where, "short names", str_join(&c->a, k->short_names.items, k->short_names.count, S(",")),
           cell(t, row, "shortNames"));
    expect(c, where, "categories", str_join(&c->a, k->categories.items, k->categories.count, S(",")),
           cell(t, row, "categories"));
    expect_flag(c, where, "namespaced", k->namespaced, str_is(cell(t, row, "namespaced"), "yes"));
    expect(c, where, "verbs", spell_verbs(c, k->verbs, S(",")), cell(t, row, "verbs"));
    expect(c, where, "subresources", spell_subresources(c, k), cell(t, row, "subresources"));
}

/* --- all of it --- */

static bool is_list_kind(struct checker *c, str name)
{
    for (size_t row = 0; row < c->kinds.row_count; row++)
        if (str_eq(cell(&c->kinds, row, "listKind"), name))
            return true;
    return false;
}

/* Types of declared packages that no declared kind reaches, so that leaving one out is seen. */
static void print_left_out(struct checker *c)
{
    printf("left out, as nothing served uses them:");
    for (size_t row = 0; row < c->types.row_count; row++) {
        str package = cell(&c->types, row, "package"), name = cell(&c->types, row, "type");
        bool scalar = cell(&c->types, row, "json_kind").n != 0;
        if (str_is(cell(&c->types, row, "kind"), "struct") && !scalar && model_package_find(&c->m, package) &&
            !model_type_find(&c->m, package, name) && !is_list_kind(c, name))
            printf(" %" STR_FMT ".%" STR_FMT, STR_ARG(package), STR_ARG(name));
    }
    printf("\n");
}

static void check_all(struct checker *c)
{
    printf("%-28s %8s %8s\n", "package", "declared", "known");
    for (size_t i = 0; i < c->m.package_count; i++) {
        const struct m_package *p = c->m.packages[i];
        struct package_count count = {0};
        check_types_of(c, p, &count);
        check_enums_of(c, p);
        printf("%-28" STR_FMT " %8zu %8zu  %5.1f%%\n", STR_ARG(p->name), count.declared, count.known,
               count.known ? 100.0 * (double)count.declared / (double)count.known : 100.0);
        c->declared_total += count.declared;
        c->known_total += count.known;
    }
    for (size_t row = 0; row < c->kinds.row_count; row++)
        check_kind(c, row);
    print_left_out(c);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: schemacheck REFERENCE-FOLDER FILE.api...\n", stderr);
        return 2;
    }
    static struct checker c;
    struct err err = ERR_INIT;
    arena_init(&c.a, 0);
    if (model_load(&c.m, (const char *const *)argv + 2, (size_t)argc - 2, &err) ||
        table_load(&c.a, argv[1], "fields", &c.fields, &err) ||
        table_load(&c.a, argv[1], "types", &c.types, &err) ||
        table_load(&c.a, argv[1], "enums", &c.enums, &err) ||
        table_load(&c.a, argv[1], "kinds", &c.kinds, &err)) {
        fprintf(stderr, "schemacheck: %s\n", err.msg);
        return 2;
    }
    check_all(&c);
    size_t kind_count = c.m.kind_count;
    printf("%zu kinds, %zu of %zu fields, %zu differences\n", kind_count, c.declared_total, c.known_total,
           c.differences);
    bool ok = c.differences == 0 && c.declared_total == c.known_total;
    arena_done(&c.m.arena);
    arena_done(&c.a);
    return ok ? 0 : 1;
}
