/* table.c - a kind's columns compiled to places in its view, and rows printed with them.
 * A column is a chain of steps through structs and a function that prints what stands at its end. What is not there reads
 * as zero: a step through a pointer that is not set ends at a block of zeroes, so that no function looks out for NULL. */
#include "api/columns/columns.h"
#include "api/view_priv.h"
#include "base/mem.h"
#include <inttypes.h>

/* More than any view has that a path leads to behind a pointer. */
static const _Alignas(16) char nothing[4096];

/* --- functions by name --- */

/* A function, and what it reads: a view by its type, or a value by its kind and size. */
struct cell_printer {
    column_fn *print;
    enum schema_kind kind;
    uint16_t type;
    size_t size;
};

#define CELL_PRINTER(function, kind, type, size)                                             \
    static void call_##function(struct row *r, const void *v)                                \
    {                                                                                        \
        column_##function(r, v);                                                             \
    }                                                                                        \
    static const struct cell_printer print_##function = {call_##function, kind, type, size}; \
    static_assert((size) <= sizeof nothing, "may be read where nothing is");
#define TABLE_STRUCT(function, view) \
    CELL_PRINTER(function, SCHEMA_STRUCT, VIEW_TYPE_##view, sizeof(struct view))
#define TABLE_VALUE(function, c_type, kind) CELL_PRINTER(function, kind, 0, sizeof(c_type))
#include "api/table_functions.def"

static const struct table_function {
    const char *name, *path;
    const struct cell_printer *printer;
} functions[] = {
#define TABLE_COLUMN(column, function, where) {#column, where, &print_##function},
#include "api/table_functions.def"
};

static const struct table_function *function_find(str name)
{
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++)
        if (str_eq(name, str_from_c(functions[i].name)))
            return &functions[i];
    return NULL;
}

bool table_function_is_known(str name)
{
    return function_find(name) != NULL;
}

size_t table_function_count(void)
{
    return ARRAY_COUNT(functions);
}

/* --- cells --- */

void cell(struct row *r, str text)
{
    out_item(&r->out);
    out_str(&r->out, text);
}

void cell_or(struct row *r, str text, str otherwise)
{
    cell(r, text.n ? text : otherwise);
}

void cell_f(struct row *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_add_vf(cell_begin(r), fmt, ap);
    va_end(ap);
    cell_end(r, STR_NONE);
}

void cell_int(struct row *r, int64_t n)
{
    out_item(&r->out);
    buf_add_i64(r->out.to, n);
}

void cell_bool(struct row *r, bool b)
{
    out_raw(&r->out, b ? S("true") : S("false"));
}

void cell_null(struct row *r)
{
    out_raw(&r->out, S("null"));
}

void cell_add_since(struct row *r, struct buf *text, struct kube_time t)
{
    if (kube_time_is_zero(t))
        buf_add_lit(text, "<unknown>");
    else
        duration_format_human(text, kube_time_sub(r->now, t));
}

void cell_since(struct row *r, struct kube_time t)
{
    cell_add_since(r, cell_begin(r), t);
    cell_end(r, STR_NONE);
}

struct buf *cell_begin(struct row *r)
{
    buf_clear(&r->text);
    return &r->text;
}

void cell_end(struct row *r, str otherwise)
{
    cell_or(r, buf_str(&r->text), otherwise);
}

void cell_item(struct buf *text, size_t index, str separator, str item)
{
    if (index)
        buf_add(text, separator);
    buf_add(text, item);
}

void cell_more(struct buf *text, size_t count, size_t shown_max)
{
    if (count > shown_max)
        buf_add_f(text, " + %zu more...", count - shown_max);
}

/* --- columns by path --- */

static void print_text(struct row *r, const void *v)
{
    cell(r, *(const str *)v);
}
static void print_bool(struct row *r, const void *v)
{
    cell_bool(r, *(const bool *)v);
}
static void print_opt_bool(struct row *r, const void *v)
{
    cell_bool(r, ((const struct opt_bool *)v)->value);
}
static void print_int32(struct row *r, const void *v)
{
    cell_int(r, *(const int32_t *)v);
}
static void print_opt_int32(struct row *r, const void *v)
{
    cell_int(r, ((const struct opt_int32 *)v)->value);
}
static void print_int64(struct row *r, const void *v)
{
    cell_int(r, *(const int64_t *)v);
}
static void print_time(struct row *r, const void *v)
{
    kube_time_format(cell_begin(r), *(const struct kube_time *)v);
    cell_end(r, STR_NONE);
}

static column_fn *print_of(enum schema_kind kind, bool is_pointer)
{
    switch (kind) {
    case SCHEMA_STRING: return print_text;
    case SCHEMA_BOOL: return is_pointer ? print_opt_bool : print_bool;
    case SCHEMA_INT32: return is_pointer ? print_opt_int32 : print_int32;
    case SCHEMA_INT64: return is_pointer ? NULL : print_int64;
    case SCHEMA_TIME: return print_time;
    default: return NULL;
    }
}

static bool is_behind_pointer(const struct schema_node *n, const struct schema_field *f)
{
    return f->flags & SCHEMA_POINTER && n->kind == SCHEMA_STRUCT;
}

/* The last field of a path, NULL for the empty one; the steps to it go to `c`. */
static const struct schema_field *steps_to(struct kind_table *t, struct table_column *c, str path)
{
    const struct schema *s = t->schema;
    const struct schema_type *at = t->type;
    const struct schema_field *f = NULL;
    struct column_step steps[16];
    str name;
    while (path.n && str_next(&path, '.', &name)) {
        ASSERT(at != NULL && c->step_count < ARRAY_COUNT(steps));
        f = schema_field_find(s, at, name);
        ASSERT(f != NULL);
        const struct schema_node *n = &s->nodes[f->node];
        steps[c->step_count++] = (struct column_step){f->offset, is_behind_pointer(n, f)};
        at = n->kind == SCHEMA_STRUCT ? &s->types[n->ref] : NULL;
    }
    c->steps = arena_dup(&t->arena, steps, c->step_count * sizeof *steps, _Alignof(struct column_step));
    return f;
}

static size_t size_of(const struct schema *s, const struct schema_field *f)
{
    size_t plain = view_size_of(schema_field_at(s, f));
    if (f->flags & SCHEMA_POINTER) {
        enum schema_kind kind = (enum schema_kind)s->nodes[f->node].kind;
        return kind == SCHEMA_BOOL    ? sizeof(struct opt_bool)
               : kind == SCHEMA_INT32 ? sizeof(struct opt_int32)
                                      : plain;
    }
    return plain;
}

/* Our own tables: what does not fit together is found by the first test that makes a catalog. */
static void bind_function(struct kind_table *t, struct table_column *c, str name)
{
    const struct table_function *fn = function_find(name);
    ASSERT(fn != NULL);
    const struct schema_field *f = steps_to(t, c, str_from_c(fn->path));
    const struct schema_node *n = f ? &t->schema->nodes[f->node] : NULL;
    const struct cell_printer *p = fn->printer;
    ASSERT(p->kind == (n ? (enum schema_kind)n->kind : SCHEMA_STRUCT));
    if (p->kind == SCHEMA_STRUCT)
        ASSERT(p->type == (n ? n->ref : t->type - t->schema->types));
    else
        ASSERT(p->size == size_of(t->schema, f));
    c->print = p->print;
    if (f && c->help.n == 0)
        c->help = schema_text(t->schema, f->help);
}

static void bind_path(struct kind_table *t, struct table_column *c, str path)
{
    const struct schema_field *f = steps_to(t, c, str_from(path, 1));
    const struct schema_node *n = &t->schema->nodes[f->node];
    c->print = print_of((enum schema_kind)n->kind, f->flags & SCHEMA_POINTER);
    ASSERT(c->print != NULL);
    if (c->help.n == 0)
        c->help = schema_text(t->schema, f->help);
}

/* --- tables --- */

struct kind_table *table_alloc(size_t column_count)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct kind_table *t = ARENA_NEW(&arena, struct kind_table);
    t->columns = ARENA_ARRAY(&arena, struct table_column, column_count);
    t->column_count = column_count;
    t->arena = arena;
    return t;
}

void table_free(struct kind_table *t)
{
    if (!t)
        return;
    struct arena arena = t->arena; /* a copy: the arena's memory is where it stands */
    arena_done(&arena);
}

static void name_and_created(struct kind_table *t)
{
    t->columns[0] = (struct table_column){.name = S("Name"), .type = S("string"), .format = S("name")};
    t->columns[1] = (struct table_column){.name = S("Created At"), .type = S("date")};
    bind_path(t, &t->columns[0], S(".metadata.name"));
    bind_path(t, &t->columns[1], S(".metadata.creationTimestamp"));
}

struct kind_table *table_new(const struct schema *s, const struct schema_kind_info *k)
{
    ASSERT(!k->stored);
    struct kind_table *t = table_alloc(k->column_count ? k->column_count : 2);
    t->schema = s;
    t->type = &s->types[k->type];
    if (k->column_count == 0)
        name_and_created(t);
    for (size_t i = 0; i < k->column_count; i++) {
        const struct schema_column *from = &s->columns[k->column_first + i];
        struct table_column *c = &t->columns[i];
        *c = (struct table_column){
            .name = schema_text(s, from->name),
            .type = schema_text(s, from->type),
            .format = schema_text(s, from->format),
            .help = schema_text(s, from->help),
            .priority = from->priority,
        };
        if (from->function)
            bind_function(t, c, schema_text(s, from->function));
        else
            bind_path(t, c, schema_text(s, from->path));
    }
    return t;
}

void table_print_columns(struct buf *out, const struct kind_table *t)
{
    struct json_out o = {out};
    out_open(&o, '[');
    for (size_t i = 0; i < t->column_count; i++) {
        const struct table_column *c = &t->columns[i];
        out_item(&o);
        out_open(&o, '{');
        out_text(&o, "name", c->name);
        out_text(&o, "type", c->type);
        out_text(&o, "format", c->format);
        out_text(&o, "description", c->help);
        out_key(&o, "priority");
        buf_add_i64(out, c->priority);
        out_close(&o, '}');
    }
    out_close(&o, ']');
}

static const void *value_at(const struct table_column *c, const void *view)
{
    const char *at = view;
    for (size_t i = 0; i < c->step_count; i++) {
        at += c->steps[i].offset;
        if (!c->steps[i].is_pointer)
            continue;
        const void *behind;
        memcpy(&behind, at, sizeof behind);
        if (!behind)
            return nothing;
        at = behind;
    }
    return at;
}

static const void *view_of(struct row *r, const struct kind_table *t, str content)
{
    struct err ignored = ERR_INIT;
    void *view = arena_alloc_zero(r->arena, 1, t->type->view_size, _Alignof(max_align_t));
    if (view_decode(r->arena, t->schema, t->type, content, view, &ignored))
        memset(view, 0, t->type->view_size);
    return view;
}

void table_print_cells(struct buf *out, struct arena *a, const struct kind_table *t, str content,
                       int64_t now_wall)
{
    struct row r = {.out = {out}, .arena = a, .now = kube_time_from_unix_ns(now_wall)};
    buf_init_arena(&r.text, a, TABLE_CELL_SIZE_MAX);
    out_key(&r.out, "cells");
    out_open(&r.out, '[');
    const void *view = t->schema ? view_of(&r, t, content) : NULL;
    if (!view)
        table_custom_cells(&r, t, content);
    for (size_t i = 0; view && i < t->column_count; i++)
        t->columns[i].print(&r, value_at(&t->columns[i], view));
    out_close(&r.out, ']');
    if (view && t->type == VIEW_TYPE(pod))
        pod_row_conditions(out, view);
}
