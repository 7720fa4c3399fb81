/* emit_tables.c - struct schema as constant C data.
 * Offsets and sizes are left to the C compiler (offsetof, sizeof of the view structs); everything else is numbers. */
#include "emit.h"

enum {
    TEXT_SIZE_MAX = 4 << 20,
    TABLE_SIZE_MAX = 16 << 20,
    STRINGS_MAX = 1 << 16,
};

struct emitter {
    struct model *m;
    struct arena *a;
    struct err *err;
    /* Text block: every string once, NUL ended. */
    struct buf text;
    uint32_t *text_slots;
    /* The tables, as C initialisers. */
    struct buf nodes, fields, rules, types, messages, slots, enums, values, kinds, subresources, columns,
        packages;
    size_t node_count, field_count, rule_count, message_count, slot_count, value_count, subresource_count,
        column_count;
    const struct m_node **node_list;
    struct intern *names;
    bool *name_seen;
};

/* --- text --- */

static uint32_t text_add(struct emitter *e, str s)
{
    for (uint32_t at = (uint32_t)str_hash(s) & (STRINGS_MAX - 1);; at = (at + 1) & (STRINGS_MAX - 1)) {
        uint32_t where = e->text_slots[at];
        if (where == 0) {
            where = (uint32_t)e->text.n;
            buf_add(&e->text, s);
            buf_add_c(&e->text, 0);
            e->text_slots[at] = where;
            return where;
        }
        str there = str_from_c(e->text.p + where);
        if (str_eq(there, s))
            return where;
    }
}

/* 0 for nothing: the block begins with a NUL. */
static uint32_t text_or_0(struct emitter *e, str s)
{
    return s.n ? text_add(e, s) : 0;
}

static uint32_t text_names(struct emitter *e, const struct m_names *names)
{
    if (names->count == 0)
        return 0;
    /* Not shared with other strings: it has NULs inside. */
    uint32_t where = (uint32_t)e->text.n;
    for (size_t i = 0; i < names->count; i++) {
        buf_add(&e->text, names->items[i]);
        buf_add_c(&e->text, 0);
    }
    buf_add_c(&e->text, 0);
    return where;
}

static void add_text_literal(struct buf *out, str text)
{
    for (size_t i = 0; i < text.n;) {
        buf_add_lit(out, "    \"");
        for (size_t end = size_min(i + 96, text.n); i < end; i++) {
            unsigned char c = (unsigned char)text.p[i];
            if (c == '"' || c == '\\')
                buf_add_f(out, "\\%c", c);
            else if (c < 0x20 || c >= 0x7f || c == '?')
                buf_add_f(out, "\\%03o", c);
            else
                buf_add_c(out, (char)c);
        }
        buf_add_lit(out, "\"\n");
    }
}

/* --- nodes --- */

static bool node_eq(const struct m_node *x, const struct m_node *y)
{
    if (x->kind != y->kind || x->message != y->message || x->type != y->type ||
        x->enumeration != y->enumeration)
        return false;
    return !x->item || node_eq(x->item, y->item);
}

static const struct m_type *node_type(const struct m_node *n)
{
    switch (n->kind) {
    case SCHEMA_STRUCT: return n->type;
    case SCHEMA_OR_BOOL:
    case SCHEMA_OR_LIST:
    case SCHEMA_OR_STRINGS: return n->type->either_type;
    default: return NULL;
    }
}

static size_t node_add(struct emitter *e, const struct m_node *n)
{
    for (size_t i = 0; i < e->node_count; i++)
        if (node_eq(e->node_list[i], n))
            return i;
    size_t ref = 0;
    if (n->item)
        ref = node_add(e, n->item);
    else if (node_type(n))
        ref = node_type(n)->index;
    else if (n->enumeration)
        ref = (size_t)n->enumeration->index + 1;
    e->node_list[e->node_count] = n;
    buf_add_f(&e->nodes, "    {%d, %d, %zu, 0},\n", (int)n->kind, n->message ? SCHEMA_NODE_MESSAGE : 0, ref);
    return e->node_count++;
}

/* --- rules --- */

static bool has_rules(const struct m_field *f)
{
    return f->has || f->list_type || f->map_type || f->struct_type || f->patch || f->list_keys.count ||
           f->merge_key.n || f->default_json.n || f->preset_json.n || f->pattern.n || f->one_of.n ||
           f->member.n || f->gate.n || f->format || f->len_min || f->items_min;
}

static size_t rules_add(struct emitter *e, const struct m_field *f)
{
    if (!has_rules(f))
        return 0;
    struct buf *b = &e->rules;
    buf_add_f(b, "    {.min.i = %lldLL, .max.i = %lldLL", (long long)f->min, (long long)f->max);
    buf_add_f(b, ", .default_json = %u, .preset_json = %u", text_or_0(e, f->default_json),
              text_or_0(e, f->preset_json));
    buf_add_f(b, ", .list_keys = %u, .merge_key = %u", text_names(e, &f->list_keys),
              text_or_0(e, f->merge_key));
    buf_add_f(b, ", .pattern = %u, .one_of = %u", text_or_0(e, f->pattern), text_or_0(e, f->one_of));
    buf_add_f(b, ", .member = %u, .gate = %u", text_or_0(e, f->member), text_or_0(e, f->gate));
    buf_add_f(b, ", .len_min = %u, .len_max = %u, .items_min = %u, .items_max = %u", f->len_min, f->len_max,
              f->items_min, f->items_max);
    buf_add_f(
        b, ", .has = %u, .list_type = %d, .map_type = %d, .struct_type = %d, .patch = %u, .format = %d},\n",
        f->has, (int)f->list_type, (int)f->map_type, (int)f->struct_type, f->patch, (int)f->format);
    return ++e->rule_count;
}

/* --- types --- */

/* Where a field stands in the view: "volume_source.empty_dir" seen from Volume. */
static str member_path(struct emitter *e, str prefix, const struct m_field *f)
{
    str own = c_snake(e->a, f->inlined ? f->pb_name : f->name);
    return prefix.n ? str_join(e->a, (const str[]){prefix, own}, 2, S(".")) : own;
}

struct flat {
    const struct m_field *field;
    str path;
    bool inlined;
};

static size_t flatten(struct emitter *e, const struct m_type *t, str prefix, struct flat *ret, size_t count)
{
    for (size_t i = 0; i < t->field_count; i++) {
        const struct m_field *f = &t->fields[i];
        str path = member_path(e, prefix, f);
        if (f->inlined)
            count = flatten(e, f->node->type, path, ret, count);
        else
            ret[count++] = (struct flat){f, path, prefix.n != 0};
    }
    return count;
}

static void field_add(struct emitter *e, const struct m_type *t, const struct flat *flat)
{
    const struct m_field *f = flat->field;
    size_t node = node_add(e, f->node);
    size_t rules = rules_add(e, f);
    unsigned flags = f->flags | (flat->inlined ? SCHEMA_INLINED : 0);
    buf_add_f(&e->fields,
              "    {.name = %u, .help = %u, .name_n = %zu, .id = %u, .number = %u, .node = %zu, .offset = "
              "offsetof(struct %" STR_FMT ", %" STR_FMT "), .rules = %zu, .flags = %u},\n",
              text_add(e, f->name), text_or_0(e, f->help), f->name.n, intern_find(e->names, f->name),
              f->number, node, STR_ARG(t->c_name), STR_ARG(flat->path), rules, flags);
    e->field_count++;
}

static size_t slots_add(struct emitter *e, const struct flat *flats, size_t count)
{
    size_t size = 2;
    while (size < count * 2)
        size *= 2;
    uint16_t *slots = ARENA_ARRAY(e->a, uint16_t, size);
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)str_hash(flats[i].field->name) & (size - 1);
        while (slots[at])
            at = (at + 1) & (size - 1);
        slots[at] = (uint16_t)(i + 1);
    }
    buf_add_lit(&e->slots, "    ");
    for (size_t i = 0; i < size; i++)
        buf_add_f(&e->slots, "%u,", slots[i]);
    buf_add_c(&e->slots, '\n');
    e->slot_count += size;
    return size;
}

static size_t flat_index(const struct flat *flats, size_t count, const struct m_field *f)
{
    for (size_t i = 0; i < count; i++)
        if (flats[i].field == f && !flats[i].inlined)
            return i;
    ASSERT(!"a type's own field is in its flat list");
}

/* The message's fields in order of number. */
static size_t messages_add(struct emitter *e, const struct m_type *t, const struct flat *flats,
                           size_t flat_count)
{
    size_t added = 0;
    uint32_t last = 0;
    for (;;) {
        const struct m_field *next = NULL;
        for (size_t i = 0; i < t->field_count; i++) {
            const struct m_field *f = &t->fields[i];
            if (f->number > last && (!next || f->number < next->number))
                next = f;
        }
        if (!next)
            break;
        last = next->number;
        if (next->inlined)
            buf_add_f(&e->messages,
                      "    {%u, UINT16_MAX, %u, offsetof(struct %" STR_FMT ", %" STR_FMT ")},\n", last,
                      next->node->type->index, STR_ARG(t->c_name), STR_ARG(c_snake(e->a, next->pb_name)));
        else
            buf_add_f(&e->messages, "    {%u, %zu, 0, 0},\n", last, flat_index(flats, flat_count, next));
        added++;
    }
    e->message_count += added;
    return added;
}

static size_t flat_max(const struct m_type *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->field_count; i++)
        n += t->fields[i].inlined ? flat_max(t->fields[i].node->type) : 1;
    return n;
}

static err_code type_add(struct emitter *e, const struct m_type *t)
{
    size_t field_first = e->field_count, message_first = e->message_count, slot_first = e->slot_count;
    struct flat *flats = ARENA_ARRAY(e->a, struct flat, flat_max(t) + 1);
    size_t count = flatten(e, t, STR_NONE, flats, 0);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(flats[i].field->name, flats[j].field->name))
                return err_set(e->err, ERR_INVALID, "type '%" STR_FMT "' shows field '%" STR_FMT "' twice",
                               STR_ARG(t->name), STR_ARG(flats[i].field->name));
    for (size_t i = 0; i < count; i++)
        field_add(e, t, &flats[i]);
    size_t slots = slots_add(e, flats, count);
    size_t messages = messages_add(e, t, flats, count);
    buf_add_f(
        &e->types,
        "    {.name = %u, .help = %u, .package = %u, .field_first = %zu, .field_count = %zu, .message_first = "
        "%zu, .message_count = %zu, .slot_mask = %zu, .slot_first = %zu, .view_size = sizeof(struct %" STR_FMT
        "), .flags = %d},\n",
        text_add(e, t->name), text_or_0(e, t->help), t->package->index, field_first, count, message_first,
        messages, slots - 1, slot_first, STR_ARG(t->c_name),
        (t->atomic ? SCHEMA_TYPE_ATOMIC : 0) | (t->coded ? SCHEMA_TYPE_CODED : 0) |
            (t->kind ? SCHEMA_TYPE_KIND : 0));
    return ERR_NONE;
}

/* --- the rest --- */

static void enum_add(struct emitter *e, const struct m_enum *en)
{
    buf_add_f(
        &e->enums,
        "    {.name = %u, .help = %u, .package = %u, .value_first = %zu, .value_count = %zu, .closed = %d},\n",
        text_add(e, en->name), text_or_0(e, en->help), en->package->index, e->value_count, en->value_count,
        en->closed);
    for (size_t i = 0; i < en->value_count; i++)
        buf_add_f(&e->values, "    {%u, %u},\n", text_or_0(e, en->values[i].text),
                  text_or_0(e, en->values[i].help));
    e->value_count += en->value_count;
}

static void kind_add(struct emitter *e, const struct m_kind *k)
{
    size_t subresource_first = e->subresource_count, column_first = e->column_count;
    for (size_t i = 0; i < k->subresource_count; i++) {
        const struct m_subresource *s = &k->subresources[i];
        buf_add_f(&e->subresources, "    {%u, %u, %u, %u, %u},\n", text_add(e, s->name),
                  text_add(e, s->body_package), text_add(e, s->body_kind), text_or_0(e, s->options),
                  s->verbs);
        e->subresource_count++;
    }
    for (size_t i = 0; i < k->column_count; i++) {
        const struct m_column *c = &k->columns[i];
        buf_add_f(
            &e->columns,
            "    {.name = %u, .type = %u, .format = %u, .help = %u, .path = %u, .function = %u, .priority = %u},\n",
            text_add(e, c->name), text_add(e, c->type), text_or_0(e, c->format), text_or_0(e, c->help),
            text_or_0(e, c->path), text_or_0(e, c->function), c->priority);
        e->column_count++;
    }
    buf_add_f(
        &e->kinds,
        "    {.name = %u, .list_name = %u, .plural = %u, .singular = %u, .short_names = %u, .categories = %u, "
        ".selectable = %u, .api_version = %u, .stored = %u, .convert = %u, .package = %u, .type = %u, .verbs = %u, "
        ".subresource_first = %zu, .subresource_count = %zu, .column_first = %zu, .column_count = %zu, "
        ".class = %d, .namespaced = %d, .deprecation = %u, .short_history = %d, .returns_deleted = %d, .name_format = %d},\n",
        text_add(e, k->name), k->plural.n ? text_add(e, k->list_name) : 0, text_or_0(e, k->plural),
        k->plural.n ? text_add(e, k->singular) : 0, text_names(e, &k->short_names),
        text_names(e, &k->categories), text_names(e, &k->selectable), text_or_0(e, k->api_version),
        text_or_0(e, k->stored), text_or_0(e, k->convert), k->package->index, k->type->index,
        k->plural.n ? k->verbs : 0, subresource_first, k->subresource_count, column_first, k->column_count,
        (int)k->class, k->namespaced, text_or_0(e, k->deprecation), k->short_history, k->returns_deleted,
        (int)k->name_format);
}

static void package_add(struct emitter *e, const struct m_package *p)
{
    buf_add_f(&e->packages, "    {%u, %u, %u, %u, %u, %d},\n", text_add(e, p->name), text_or_0(e, p->group),
              text_or_0(e, p->version), p->group_priority, p->version_priority, p->aggregated);
}

void model_number(struct model *m)
{
    for (size_t i = 0; i < m->package_count; i++)
        m->packages[i]->index = (uint16_t)i;
    for (size_t i = 0; i < m->enum_count; i++)
        m->enums[i]->index = (uint16_t)i;
    uint16_t next = 0;
    for (size_t i = 0; i < m->type_count; i++)
        if (!m->types[i]->alias && !m->types[i]->either)
            m->types[i]->index = next++;
}

static void add_table(struct buf *out, const char *type, const char *name, const struct buf *rows)
{
    buf_add_f(out, "static const %s %s[] = {\n", type, name);
    buf_add(out, rows->n ? buf_str(rows) : S("    {.name = 0},\n"));
    buf_add_lit(out, "};\n\n");
}

static void add_intern(struct emitter *e, struct buf *out)
{
    buf_add_lit(out, "static const str name_texts[] = {\n    {NULL, 0},\n");
    for (uint32_t i = 1; i <= e->names->count; i++)
        buf_add_f(out, "    S_INIT(\"%" STR_FMT "\"),\n", STR_ARG(e->names->names[i]));
    buf_add_lit(out, "};\n\nstatic const uint16_t name_slots[] = {\n");
    for (uint32_t i = 0; i <= e->names->slot_mask; i++)
        buf_add_f(out, "%u,%s", e->names->slots[i], i % 24 == 23 ? "\n" : "");
    buf_add_f(
        out,
        "};\n\nstatic const struct intern names = {\n    .names = name_texts,\n    .slots = name_slots,\n    "
        ".slot_mask = %u,\n    .count = %u,\n};\n\n",
        e->names->slot_mask, e->names->count);
}

static struct intern *collect_names(struct emitter *e)
{
    size_t count = 0;
    for (size_t i = 0; i < e->m->type_count; i++)
        count += e->m->types[i]->field_count;
    str *all = ARENA_ARRAY(e->a, str, count + 2);
    size_t n = 0;
    all[n++] = S("apiVersion");
    all[n++] = S("kind");
    for (size_t i = 0; i < e->m->type_count; i++)
        for (size_t j = 0; j < e->m->types[i]->field_count; j++)
            if (!e->m->types[i]->fields[j].inlined)
                all[n++] = e->m->types[i]->fields[j].name;
    return intern_new(all, n);
}

static void write_all(struct emitter *e, struct buf *out, size_t type_count)
{
    struct model *m = e->m;
    buf_add_lit(
        out,
        "/* The built-in schema: generated from api/, see api/README.md. */\n#include \"api/schema.h\"\n");
    for (size_t i = 0; i < m->package_count; i++)
        buf_add_f(out, "#include \"view/%" STR_FMT ".h\"\n", STR_ARG(c_package(e->a, m->packages[i]->name)));
    buf_add_lit(out, "\nstatic const char text[] =\n");
    add_text_literal(out, buf_str(&e->text));
    buf_add_lit(out, "    ;\n\n");
    add_table(out, "struct schema_package", "packages", &e->packages);
    add_table(out, "struct schema_node", "nodes", &e->nodes);
    add_table(out, "struct schema_field", "fields", &e->fields);
    add_table(out, "struct schema_rules", "rules", &e->rules);
    add_table(out, "struct schema_message_field", "messages", &e->messages);
    add_table(out, "struct schema_type", "types", &e->types);
    add_table(out, "uint16_t", "slots", &e->slots);
    add_table(out, "struct schema_enum", "enums", &e->enums);
    add_table(out, "struct schema_enum_value", "values", &e->values);
    add_table(out, "struct schema_kind_info", "kinds", &e->kinds);
    add_table(out, "struct schema_subresource", "subresources", &e->subresources);
    add_table(out, "struct schema_column", "columns", &e->columns);
    add_intern(e, out);
    buf_add_f(
        out,
        "const struct schema schema_builtin = {\n    .text = text,\n    .packages = packages,\n    .types = types,\n"
        "    .fields = fields,\n    .nodes = nodes,\n    .rules = rules,\n    .messages = messages,\n"
        "    .enums = enums,\n    .values = values,\n    .kinds = kinds,\n    .subresources = subresources,\n"
        "    .columns = columns,\n    .slots = slots,\n    .package_count = %zu,\n    .type_count = %zu,\n"
        "    .enum_count = %zu,\n    .kind_count = %zu,\n    .names = &names,\n};\n",
        m->package_count, type_count, m->enum_count, m->kind_count);
}

err_code emit_tables(struct model *m, struct buf *out, struct err *err)
{
    struct emitter e = {.m = m, .a = &m->arena, .err = err};
    struct buf *buffers[] = {&e.nodes, &e.fields, &e.rules, &e.types,        &e.messages, &e.slots,
                             &e.enums, &e.values, &e.kinds, &e.subresources, &e.columns,  &e.packages};
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++)
        buf_init_arena(buffers[i], &m->arena, TABLE_SIZE_MAX);
    buf_init_arena(&e.text, &m->arena, TEXT_SIZE_MAX);
    buf_add_c(&e.text, 0);
    e.text_slots = ARENA_ARRAY(&m->arena, uint32_t, STRINGS_MAX);
    e.names = collect_names(&e);
    buf_add_lit(&e.rules, "    {.has = 0}, /* none */\n");
    size_t node_max = 1, type_count = 0;
    for (size_t i = 0; i < m->type_count; i++)
        node_max += m->types[i]->field_count * 4;
    e.node_list = ARENA_ARRAY(&m->arena, const struct m_node *, node_max);

    for (size_t i = 0; i < m->package_count; i++)
        package_add(&e, m->packages[i]);
    for (size_t i = 0; i < m->type_count; i++) {
        if (m->types[i]->alias || m->types[i]->either)
            continue;
        type_count++;
        if (type_add(&e, m->types[i]))
            return err->code;
    }
    for (size_t i = 0; i < m->enum_count; i++)
        enum_add(&e, m->enums[i]);
    for (size_t i = 0; i < m->kind_count; i++)
        kind_add(&e, m->kinds[i]);
    if (e.field_count > UINT16_MAX || e.node_count > UINT16_MAX || e.rule_count > UINT16_MAX)
        return err_set(err, ERR_TOO_LARGE, "a table has more than 65535 rows");
    write_all(&e, out, type_count);
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++)
        if (buf_check(buffers[i], err))
            return err->code;
    if (buf_check(&e.text, err))
        return err->code;
    intern_free(e.names);
    return buf_check(out, err);
}
