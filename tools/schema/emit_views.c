/* emit_views.c - C structs of the declared types.
 * Plain structs stand by value, pointers and list items behind a const pointer: a view is read-only and lives in an
 * arena. Optional scalars have an `is_set` beside them; an unset string has p == NULL. */
#include "emit.h"

/* --- names --- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* At a capital: does a new word begin here? "clusterIPs": at I yes, at P no; "IPBlock": at B yes; "podCIDRs": never
 * between R and s. */
static bool word_begins(str s, size_t i)
{
    if (i == 0)
        return false;
    char before = s.p[i - 1];
    if (is_lower(before) || is_digit(before))
        return true;
    bool next_is_lower = i + 1 < s.n && is_lower(s.p[i + 1]);
    bool plural = next_is_lower && s.p[i + 1] == 's' && (i + 2 == s.n || is_upper(s.p[i + 2]));
    return is_upper(before) && next_is_lower && !plural;
}

static bool is_c_word(str s)
{
    static const char *const words[] = {
        "auto",   "bool",    "break",    "case",   "char",  "const",    "continue", "default",  "do",
        "double", "else",    "enum",     "extern", "float", "for",      "goto",     "if",       "inline",
        "int",    "long",    "register", "return", "short", "signed",   "sizeof",   "static",   "struct",
        "switch", "typedef", "union",    "unix",   "linux", "unsigned", "void",     "volatile", "while"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (str_eq(s, str_from_c(words[i])))
            return true;
    return false;
}

str c_snake(struct arena *a, str name)
{
    struct buf b;
    buf_init_arena(&b, a, name.n * 2 + 2);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (is_upper(c)) {
            if (word_begins(name, i) && b.n && b.p[b.n - 1] != '_')
                buf_add_c(&b, '_');
            buf_add_c(&b, (char)(c | 0x20));
        } else if (is_lower(c) || is_digit(c)) {
            buf_add_c(&b, c);
        } else if (b.n && b.p[b.n - 1] != '_') {
            buf_add_c(&b, '_');
        }
    }
    if (is_c_word(buf_str(&b)))
        buf_add_c(&b, '_');
    return buf_str(&b);
}

str c_package(struct arena *a, str package)
{
    str copy = str_dup(a, package);
    char *p = arena_dup(a, copy.p, copy.n, 1);
    for (size_t i = 0; i < copy.n; i++)
        if (p[i] == '/' || p[i] == '.' || p[i] == '-')
            p[i] = '_';
    return str_of(p, copy.n);
}

err_code c_names_assign(struct model *m, struct err *err)
{
    for (size_t i = 0; i < m->type_count; i++) {
        struct m_type *t = m->types[i];
        t->c_name = str_concat(&m->arena, t->package->prefix, c_snake(&m->arena, t->name));
        for (size_t j = 0; j < i; j++)
            if (str_eq(m->types[j]->c_name, t->c_name))
                return err_set(err, ERR_INVALID,
                               "%" STR_FMT ":%d: type '%" STR_FMT "' and that of %" STR_FMT
                               ":%d would both be "
                               "`struct %" STR_FMT "`: give one of the packages a prefix=",
                               STR_ARG(t->file), t->line, STR_ARG(t->name), STR_ARG(m->types[j]->file),
                               m->types[j]->line, STR_ARG(t->c_name));
    }
    return ERR_NONE;
}

/* --- C types --- */

static const struct {
    const char *plain;    /* as a member, an item, a map's value */
    const char *optional; /* as a pointer field */
    const char *name;     /* in the names of arrays and maps */
} scalar_types[SCHEMA_KIND_COUNT] = {
    [SCHEMA_BOOL] = {"bool", "struct opt_bool", "bool"},
    [SCHEMA_INT32] = {"int32_t", "struct opt_int32", "int32"},
    [SCHEMA_INT64] = {"int64_t", "struct opt_int64", "int64"},
    [SCHEMA_UINT32] = {"uint32_t", "struct opt_uint32", "uint32"},
    [SCHEMA_UINT64] = {"uint64_t", "struct opt_uint64", "uint64"},
    [SCHEMA_DOUBLE] = {"double", "struct opt_double", "double"},
    [SCHEMA_STRING] = {"str", "str", "str"},
    [SCHEMA_BYTES] = {"str", "str", "str"},
    [SCHEMA_QUANTITY] = {"struct quantity", "const struct quantity *", "quantity"},
    [SCHEMA_TIME] = {"struct kube_time", "struct kube_time", "time"},
    [SCHEMA_MICRO_TIME] = {"struct kube_time", "struct kube_time", "time"},
    [SCHEMA_DURATION] = {"int64_t", "struct opt_int64", "int64"},
    [SCHEMA_INT_OR_STRING] = {"struct int_or_string", "const struct int_or_string *", "int_or_string"},
    [SCHEMA_OBJECT] = {"str", "str", "str"},
    [SCHEMA_ANY] = {"str", "str", "str"},
    [SCHEMA_FIELDS] = {"str", "str", "str"},
    [SCHEMA_OR_BOOL] = {"struct view_or_bool", "const struct view_or_bool *", "or_bool"},
    [SCHEMA_OR_LIST] = {"struct view_or_list", "const struct view_or_list *", "or_list"},
    [SCHEMA_OR_STRINGS] = {"struct view_or_strings", "const struct view_or_strings *", "or_strings"},
};

/* "container", "container_array", "str_array_map": what the C type of a node is called, without `struct`. */
static void add_node_name(struct buf *out, const struct m_node *n)
{
    if (n->kind == SCHEMA_STRUCT) {
        buf_add(out, n->type->c_name);
    } else if (n->kind == SCHEMA_LIST || n->kind == SCHEMA_MAP) {
        add_node_name(out, n->item);
        buf_add(out, n->kind == SCHEMA_LIST ? S("_array") : S("_map"));
    } else {
        buf_add(out, str_from_c(scalar_types[n->kind].name));
    }
}

static void add_c_type(struct buf *out, const struct m_node *n, bool pointer)
{
    if (n->kind == SCHEMA_STRUCT || n->kind == SCHEMA_LIST || n->kind == SCHEMA_MAP) {
        bool by_pointer = pointer && n->kind == SCHEMA_STRUCT;
        buf_add(out, by_pointer ? S("const struct ") : S("struct "));
        add_node_name(out, n);
        buf_add(out, by_pointer ? S(" *") : S(" "));
        return;
    }
    str c = str_from_c(pointer ? scalar_types[n->kind].optional : scalar_types[n->kind].plain);
    buf_add(out, c);
    if (!str_ends(c, S("*")))
        buf_add_c(out, ' ');
}

/* --- one header --- */

static bool is_of(const struct m_type *t, const struct m_package *package)
{
    return t->package == package && !t->alias && !t->either;
}

/* The struct type at the bottom of lists and maps; NULL: a scalar. */
static const struct m_type *innermost(const struct m_node *n)
{
    while (n->kind == SCHEMA_LIST || n->kind == SCHEMA_MAP)
        n = n->item;
    return n->kind == SCHEMA_STRUCT ? n->type : NULL;
}

static void add_includes(struct model *m, const struct m_package *package, struct buf *out)
{
    bool *seen = ARENA_ARRAY(&m->arena, bool, m->package_count);
    for (size_t i = 0; i < m->type_count; i++) {
        if (!is_of(m->types[i], package))
            continue;
        for (size_t j = 0; j < m->types[i]->field_count; j++) {
            const struct m_type *t = innermost(m->types[i]->fields[j].node);
            for (size_t k = 0; t && k < m->package_count; k++)
                seen[k] |= m->packages[k] == t->package;
        }
    }
    for (size_t k = 0; k < m->package_count; k++)
        if (seen[k] && m->packages[k] != package)
            buf_add_f(out, "#include \"view/%" STR_FMT ".h\"\n",
                      STR_ARG(c_package(&m->arena, m->packages[k]->name)));
}

/* Arrays of each type, and the other lists and maps of them that any package uses. */
struct composites {
    struct arena *a;
    str *names;
    size_t count;
    struct buf entries; /* map entries, which need their values' types complete */
};

static bool composite_is_new(struct composites *c, str name)
{
    for (size_t i = 0; i < c->count; i++)
        if (str_eq(c->names[i], name))
            return false;
    c->names[c->count++] = str_dup(c->a, name);
    return true;
}

static void add_composite(struct composites *c, struct buf *out, const struct m_node *n)
{
    struct buf name;
    buf_init_arena(&name, c->a, 1000);
    add_node_name(&name, n);
    if (!composite_is_new(c, buf_str(&name)))
        return;
    buf_add_f(out, "struct %" STR_FMT " {\n    const ", STR_ARG(buf_str(&name)));
    if (n->kind == SCHEMA_LIST) {
        add_c_type(out, n->item, false);
        buf_add_lit(out, "*items;\n");
    } else {
        buf_add_f(out, "struct %" STR_FMT "_entry *items;\n", STR_ARG(buf_str(&name)));
        buf_add_f(&c->entries, "struct %" STR_FMT "_entry {\n    str key;\n    ", STR_ARG(buf_str(&name)));
        add_c_type(&c->entries, n->item, false);
        buf_add_lit(&c->entries, "value;\n};\n");
    }
    buf_add_lit(out, "    size_t count;\n};\n");
}

static void add_composites_of(struct composites *c, struct buf *out, const struct m_package *package,
                              const struct m_node *n)
{
    for (; n->kind == SCHEMA_LIST || n->kind == SCHEMA_MAP; n = n->item) {
        const struct m_type *t = innermost(n);
        if (t && t->package == package)
            add_composite(c, out, n);
    }
}

static void add_struct(struct model *m, struct m_type *t, struct buf *out)
{
    if (t->layout_state)
        return;
    t->layout_state = 1;
    /* What stands by value comes first. */
    for (size_t i = 0; i < t->field_count; i++) {
        const struct m_node *n = t->fields[i].node;
        if (n->kind == SCHEMA_STRUCT && !t->fields[i].pointer && n->type->package == t->package)
            add_struct(m, n->type, out);
    }
    buf_add_f(out, "struct %" STR_FMT " {\n", STR_ARG(t->c_name));
    for (size_t i = 0; i < t->field_count; i++) {
        const struct m_field *f = &t->fields[i];
        buf_add_lit(out, "    ");
        add_c_type(out, f->node, f->pointer);
        buf_add_f(out, "%" STR_FMT ";\n", STR_ARG(c_snake(&m->arena, f->inlined ? f->pb_name : f->name)));
    }
    if (t->field_count == 0)
        buf_add_lit(out, "    char nothing;\n");
    buf_add_lit(out, "};\n");
}

void emit_view_header(struct model *m, const struct m_package *package, struct buf *out)
{
    str guard = c_package(&m->arena, package->name);
    buf_add_f(out,
              "/* Views of %" STR_FMT ": generated from api/, see api/README.md. */\n#ifndef VIEW_%" STR_FMT
              "\n#define VIEW_%" STR_FMT "\n\n#include \"api/view.h\"\n",
              STR_ARG(package->name), STR_ARG(guard), STR_ARG(guard));
    add_includes(m, package, out);
    buf_add_c(out, '\n');

    struct composites c = {.a = &m->arena};
    size_t room = 0;
    for (size_t i = 0; i < m->type_count; i++)
        room += m->types[i]->field_count * 2 + 1;
    c.names = ARENA_ARRAY(&m->arena, str, room);
    buf_init_arena(&c.entries, &m->arena, 1 << 20);
    for (size_t i = 0; i < m->type_count; i++)
        if (is_of(m->types[i], package))
            buf_add_f(out, "struct %" STR_FMT ";\n", STR_ARG(m->types[i]->c_name));
    for (size_t i = 0; i < m->type_count; i++)
        for (size_t j = 0; j < m->types[i]->field_count; j++)
            add_composites_of(&c, out, package, m->types[i]->fields[j].node);
    for (size_t i = 0; i < m->type_count; i++)
        if (is_of(m->types[i], package))
            add_struct(m, m->types[i], out);
    buf_add(out, buf_str(&c.entries));
    buf_add_lit(out, "\n/* For VIEW_DECODE and its like. */\nenum {\n");
    for (size_t i = 0; i < m->type_count; i++)
        if (is_of(m->types[i], package))
            buf_add_f(out, "    VIEW_TYPE_%" STR_FMT " = %u,\n", STR_ARG(m->types[i]->c_name),
                      m->types[i]->index);
    buf_add_lit(out, "};\n");
    buf_add_lit(out, "\n#endif\n");
}
