/* schema_load_tables.c - rows and texts, each once. */
#include "api/schema_load_priv.h"
#include <stdarg.h>

bool load_refuse(struct loader *l, const struct field_path *path, const char *why, ...)
{
    str where = field_path_format(&l->a, path);
    struct buf b;
    va_list ap;
    buf_init_arena(&b, &l->a, LOAD_TEXT_MAX);
    va_start(ap, why);
    buf_add_vf(&b, why, ap);
    va_end(ap);
    err_set(l->err, ERR_BAD_REQUEST, "%" STR_FMT "%s%" STR_FMT, STR_ARG(where), where.n ? ": " : "",
            STR_ARG(buf_str(&b)));
    return false;
}

bool load_too_large(struct loader *l)
{
    err_set(l->err, ERR_TOO_LARGE, "the schema is too large: a table of it would have more than %d rows",
            LOAD_ROWS_MAX);
    return false;
}

void load_rows_init(struct loader *l, struct load_rows *r, size_t row_size, size_t size_max,
                    const uint64_t key[2])
{
    *r = (struct load_rows){.row_size = row_size};
    buf_init_arena(&r->bytes, &l->a, size_max);
    map_init(&r->index, key, MAP_BORROW_KEYS);
}

bool load_out_of_room(struct loader *l)
{
    const struct buf *buffers[] = {&l->fields,      &l->types,        &l->slots,
                                   &l->text,        &l->logics,       &l->nodes.bytes,
                                   &l->rules.bytes, &l->extras.bytes, &l->programs};
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++) {
        if (buf_check(buffers[i], l->err)) {
            err_wrap(l->err, "the schema is too large");
            return true;
        }
    }
    return arena_check(&l->a, l->err) != ERR_NONE;
}

bool load_row(struct loader *l, struct load_rows *r, const void *row, uint16_t *ret)
{
    str bytes = str_of(row, r->row_size);
    struct map_entry *there = map_find_entry(&r->index, bytes);
    if (there) {
        *ret = (uint16_t)there->value.n;
        return true;
    }
    if (r->count == LOAD_ROWS_MAX)
        return load_too_large(l);
    struct map_entry *e = map_put(&r->index, str_dup(&l->a, bytes), NULL);
    e->value.n = r->count;
    *ret = (uint16_t)r->count++;
    buf_add(&r->bytes, bytes);
    return !load_out_of_room(l);
}

uint32_t load_text(struct loader *l, str s)
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

str load_print(struct loader *l, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, &l->a, LOAD_TEXT_MAX);
    json_print(&b, j, 0);
    return buf_str(&b);
}

uint32_t load_json_text(struct loader *l, const struct json *j)
{
    return j ? load_text(l, load_print(l, j)) : 0;
}

struct schema load_view(const struct loader *l)
{
    return (struct schema){
        .text = l->text.p,
        .types = (const struct schema_type *)(const void *)l->types.p,
        .fields = (const struct schema_field *)(const void *)l->fields.p,
        .nodes = (const struct schema_node *)(const void *)l->nodes.bytes.p,
        .rules = (const struct schema_rules *)(const void *)l->rules.bytes.p,
        .extras = (const struct schema_extra *)(const void *)l->extras.bytes.p,
        .logics = (const uint16_t *)(const void *)l->logics.p,
        .slots = (const uint16_t *)(const void *)l->slots.p,
        .programs = l->programs.p,
        .type_count = (uint16_t)l->type_count,
        .base = &schema_builtin,
    };
}
