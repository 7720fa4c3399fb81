/* common.c - cells that columns of many kinds share. */
#include "api/columns/columns.h"
#include <stdlib.h>

/* --- looking things up --- */

bool annotation_is_true(const struct object_meta *meta, str key)
{
    for (size_t i = 0; i < meta->annotations.count; i++)
        if (str_eq(meta->annotations.items[i].key, key))
            return str_is(meta->annotations.items[i].value, "true");
    return false;
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const str *)x, *(const str *)y);
}

void text_set_sort(struct text_set *set)
{
    size_t kept = 0;
    if (set->count)
        qsort(set->items, set->count, sizeof *set->items, by_text);
    for (size_t i = 0; i < set->count; i++)
        if (i == 0 || !str_eq(set->items[i], set->items[kept - 1]))
            set->items[kept++] = set->items[i];
    set->count = kept;
}

bool text_set_has(const struct text_set *set, str text)
{
    return set->count && bsearch(&text, set->items, set->count, sizeof text, by_text);
}

/* --- values --- */

void cell_name_of_class(struct row *r, const struct object_meta *meta, bool is_default)
{
    struct buf *b = cell_begin(r);
    buf_add(b, meta->name);
    if (is_default)
        buf_add_lit(b, " (default)");
    cell_end(r, STR_NONE);
}

void column_age(struct row *r, const struct kube_time *t)
{
    cell_since(r, *t);
}

void column_age_or_none(struct row *r, const struct kube_time *t)
{
    if (kube_time_is_zero(*t))
        cell(r, S("<none>"));
    else
        cell_since(r, *t);
}

void column_text_or_none(struct row *r, const str *text)
{
    cell_or(r, *text, S("<none>"));
}

void column_text_or_unset(struct row *r, const str *text)
{
    cell_or(r, *text, S("<unset>"));
}

void column_text_or_unknown(struct row *r, const str *text)
{
    cell_or(r, *text, S("<unknown>"));
}

static void joined(struct row *r, const struct str_array *texts, str otherwise)
{
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < texts->count; i++)
        cell_item(b, i, S(","), texts->items[i]);
    cell_end(r, otherwise);
}

void column_texts(struct row *r, const struct str_array *texts)
{
    joined(r, texts, STR_NONE);
}

void column_texts_or_none(struct row *r, const struct str_array *texts)
{
    joined(r, texts, S("<none>"));
}

void column_list_count(struct row *r, const struct any_array *list)
{
    cell_int(r, (int64_t)list->count);
}

void column_map_count(struct row *r, const struct any_map *map)
{
    cell_int(r, (int64_t)map->count);
}

void column_opt_bool_word(struct row *r, const struct opt_bool *b)
{
    cell(r, b->is_set ? bool_word(b->value) : S("<unset>"));
}

void column_labels(struct row *r, const struct str_map *labels)
{
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < labels->count; i++) {
        cell_item(b, i, S(","), labels->items[i].key);
        buf_add_c(b, '=');
        buf_add(b, labels->items[i].value);
    }
    cell_end(r, S("<none>"));
}

void column_selector(struct row *r, const struct label_selector *selector)
{
    const struct str_map *labels = &selector->match_labels;
    const struct label_selector_requirement_array *rest = &selector->match_expressions;
    size_t count = 0;
    struct selector_part *parts = ARENA_ARRAY(r->arena, struct selector_part, labels->count + rest->count);
    for (size_t i = 0; i < labels->count; i++)
        parts[count++] = (struct selector_part){
            .key = labels->items[i].key,
            .operator= S("="),
            .values = &labels->items[i].value,
            .value_count = 1,
        };
    for (size_t i = 0; i < rest->count; i++)
        parts[count++] = (struct selector_part){
            .key = rest->items[i].key,
            .operator= rest->items[i].operator,
            .values = rest->items[i].values.items,
            .value_count = rest->items[i].values.count,
        };
    cell_selector(r, parts, count);
}
