/* schema_test.c - what must hold of everything declared in api/, and of the ways to look it up. A mistake in one of those
 * files fails here, with the name of the field. */
#include "api/scalar.h"
#include "api/tree.h"
#include "api/view.h"
#include "harness/test.h"
#include <stdio.h>

enum { TEXT_MAX = 1 << 20, NAMES_MAX = 64 };

static const struct schema *const all = &schema_builtin;

struct fixture {
    struct arena a;
    struct buf wrong; /* a line for each mistake: all of them are shown, not only the first */
};

static void setup(struct fixture *f)
{
    arena_init(&f->a, 0);
    buf_init_arena(&f->wrong, &f->a, TEXT_MAX);
}

static void teardown(struct fixture *f)
{
    arena_done(&f->a);
}

static PRINTF_LIKE(2, 3) void mistake(struct fixture *f, const char *fmt, ...)
{
    va_list args;
    char line[500];
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    buf_add_f(&f->wrong, "  %s\n", line);
}

static void check_no_mistakes(struct fixture *f)
{
    if (f->wrong.n)
        FAIL("mistakes in api/:\n%" STR_FMT, STR_ARG(buf_str(&f->wrong)));
}

/* --- names for messages --- */

static const char *package_of(const struct schema_type *t)
{
    return all->text + all->packages[t->package].name;
}

static const char *name_of_type(const struct schema_type *t)
{
    return all->text + t->name;
}

static const char *name_of_field(const struct schema_field *f)
{
    return all->text + f->name;
}

static const char *name_of_kind(const struct schema_kind_info *k)
{
    return all->text + k->name;
}

typedef void field_fn(struct fixture *f, const struct schema_type *t, const struct schema_field *field);
typedef void type_fn(struct fixture *f, const struct schema_type *t);
typedef void kind_fn(struct fixture *f, const struct schema_kind_info *k);

static void each_type(type_fn *fn)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    for (size_t i = 0; i < all->type_count; i++)
        fn(&f, &all->types[i]);
    check_no_mistakes(&f);
}

static void each_field(field_fn *fn)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    for (size_t i = 0; i < all->type_count; i++)
        for (size_t k = 0; k < all->types[i].field_count; k++)
            fn(&f, &all->types[i], &all->fields[all->types[i].field_first + k]);
    check_no_mistakes(&f);
}

static void each_kind(kind_fn *fn)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    for (size_t i = 0; i < all->kind_count; i++)
        fn(&f, &all->kinds[i]);
    check_no_mistakes(&f);
}

#define FIELD_FMT       "%s.%s.%s"
#define FIELD_ARG(t, f) package_of(t), name_of_type(t), name_of_field(f)

/* --- fields --- */

static void found_by_name(struct fixture *f, const struct schema_type *t, const struct schema_field *field)
{
    if (schema_field_find(all, t, schema_field_name(all, field)) != field)
        mistake(f, FIELD_FMT ": not found by its name", FIELD_ARG(t, field));
    if (!str_eq(intern_name(all->names, field->id), schema_field_name(all, field)))
        mistake(f, FIELD_FMT ": not interned", FIELD_ARG(t, field));
}

TEST(every_field_is_found_by_its_name)
{
    each_field(found_by_name);
    const struct schema_type *t = schema_type_find(all, S("core/v1"), S("PodSpec"));
    CHECK(t != NULL);
    CHECK(schema_field_find(all, t, S("")) == NULL);
    CHECK(schema_field_find(all, t, S("container")) == NULL);
    CHECK(schema_field_find(all, t, S("containerss")) == NULL);
    CHECK(schema_field_find(all, t, S("containers\0")) == NULL);
}

static bool is_integer(enum schema_kind kind)
{
    return kind >= SCHEMA_INT32 && kind <= SCHEMA_UINT64;
}

/* What a format is checked against: of a list its items, of a map its keys. */
static enum schema_kind checked_kind(const struct schema_field *field)
{
    const struct schema_node *n = &all->nodes[field->node];
    while (n->kind == SCHEMA_LIST)
        n = &all->nodes[n->ref];
    return n->kind == SCHEMA_MAP ? SCHEMA_STRING : (enum schema_kind)n->kind;
}

static bool format_fits(enum schema_format format, enum schema_kind kind)
{
    switch (format) {
    case SCHEMA_FORMAT_NONE: return true;
    case SCHEMA_FORMAT_PORT:
    case SCHEMA_FORMAT_NON_NEGATIVE: return is_integer(kind) || kind == SCHEMA_INT_OR_STRING;
    case SCHEMA_FORMAT_FILE_MODE: return is_integer(kind);
    default: return kind == SCHEMA_STRING;
    }
}

static void limits_fit(struct fixture *f, const struct schema_type *t, const struct schema_field *field)
{
    const struct schema_rules *r = schema_rules(all, field);
    enum schema_kind kind = (enum schema_kind)all->nodes[field->node].kind;
    bool container = kind == SCHEMA_LIST || kind == SCHEMA_MAP;
    if (!r)
        return;
    if ((r->has & (SCHEMA_HAS_MIN | SCHEMA_HAS_MAX)) && !is_integer(kind) && kind != SCHEMA_INT_OR_STRING)
        mistake(f, FIELD_FMT ": min= or max= of what is no number", FIELD_ARG(t, field));
    if ((r->has & SCHEMA_HAS_MIN) && (r->has & SCHEMA_HAS_MAX) && r->min.i > r->max.i)
        mistake(f, FIELD_FMT ": min= above max=", FIELD_ARG(t, field));
    if (((r->has & SCHEMA_HAS_LEN_MAX) || r->len_min) && kind != SCHEMA_STRING && kind != SCHEMA_BYTES)
        mistake(f, FIELD_FMT ": minlen= or maxlen= of what is no text", FIELD_ARG(t, field));
    if ((r->has & SCHEMA_HAS_LEN_MAX) && r->len_min > r->len_max)
        mistake(f, FIELD_FMT ": minlen= above maxlen=", FIELD_ARG(t, field));
    if (((r->has & SCHEMA_HAS_ITEMS_MAX) || r->items_min) && !container)
        mistake(f, FIELD_FMT ": minitems= or maxitems= of what has no items", FIELD_ARG(t, field));
    if ((r->has & SCHEMA_HAS_ITEMS_MAX) && r->items_min > r->items_max)
        mistake(f, FIELD_FMT ": minitems= above maxitems=", FIELD_ARG(t, field));
    if (!format_fits((enum schema_format)r->format, checked_kind(field)))
        mistake(f, FIELD_FMT ": a format= that its type cannot have", FIELD_ARG(t, field));
}

TEST(limits_and_formats_belong_to_the_types_of_their_fields)
{
    each_field(limits_fit);
}

static const struct schema_type *item_type(const struct schema_field *field)
{
    const struct schema_node *n = &all->nodes[field->node];
    const struct schema_node *item = n->kind == SCHEMA_LIST ? &all->nodes[n->ref] : NULL;
    return item && item->kind == SCHEMA_STRUCT ? &all->types[item->ref] : NULL;
}

static void key_is_a_scalar(struct fixture *f, const struct schema_type *t, const struct schema_field *field,
                            str key)
{
    const struct schema_type *item = item_type(field);
    const struct schema_field *in_item = item ? schema_field_find(all, item, key) : NULL;
    if (!in_item)
        mistake(f, FIELD_FMT ": its items have no '%" STR_FMT "'", FIELD_ARG(t, field), STR_ARG(key));
    else if (all->nodes[in_item->node].kind >= SCHEMA_OBJECT)
        mistake(f, FIELD_FMT ": its key '%" STR_FMT "' is no scalar", FIELD_ARG(t, field), STR_ARG(key));
}

static void merging_is_possible(struct fixture *f, const struct schema_type *t,
                                const struct schema_field *field)
{
    const struct schema_rules *r = schema_rules(all, field);
    enum schema_kind kind = (enum schema_kind)all->nodes[field->node].kind;
    if (!r)
        return;
    if (r->list_type != SCHEMA_LIST_DEFAULT && kind != SCHEMA_LIST && kind != SCHEMA_BYTES)
        mistake(f, FIELD_FMT ": list= of what is no list", FIELD_ARG(t, field));
    if (r->list_type == SCHEMA_LIST_SET && item_type(field))
        mistake(f, FIELD_FMT ": a set of structs", FIELD_ARG(t, field));
    if ((r->list_type == SCHEMA_LIST_MAP) != (r->list_keys != 0))
        mistake(f, FIELD_FMT ": list=map and its keys belong together", FIELD_ARG(t, field));
    if (r->map_type != SCHEMA_MERGE_DEFAULT && kind != SCHEMA_MAP)
        mistake(f, FIELD_FMT ": map= of what is no map", FIELD_ARG(t, field));
    if (r->struct_type != SCHEMA_MERGE_DEFAULT && kind != SCHEMA_STRUCT && kind != SCHEMA_OBJECT)
        mistake(f, FIELD_FMT ": struct= of what is no struct", FIELD_ARG(t, field));
    uint32_t at = r->list_keys;
    for (str key; schema_names_next(all, &at, &key);)
        key_is_a_scalar(f, t, field, key);
    if (r->merge_key)
        key_is_a_scalar(f, t, field, schema_text(all, r->merge_key));
}

TEST(keys_of_lists_are_scalars_of_their_items)
{
    each_field(merging_is_possible);
}

/* --- defaults --- */

static void unknown_is_a_mistake(void *ctx, str path)
{
    mistake(ctx, "a default has '%" STR_FMT "', which is not known", STR_ARG(path));
}

static str printed(struct fixture *f, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, &f->a, TEXT_MAX);
    json_print(&b, j, 0);
    CHECK_OK(buf_check(&b, &e));
    return buf_str(&b);
}

/* Errors about the field itself or what is inside. */
static void default_is_valid(struct fixture *f, const struct schema_type *t, const struct schema_field *field,
                             const struct json *whole)
{
    struct field_errors errors;
    str name = schema_field_name(all, field);
    field_errors_init(&errors, &f->a);
    tree_validate(all, t, whole, &errors);
    for (size_t i = 0; i < errors.count; i++) {
        const struct field_error *e = &errors.items[i];
        if (str_starts(e->path, name) &&
            (e->path.n == name.n || e->path.p[name.n] == '.' || e->path.p[name.n] == '['))
            mistake(f, FIELD_FMT ": its default is refused: %" STR_FMT, FIELD_ARG(t, field),
                    STR_ARG(e->message));
    }
}

static void default_is_normal(struct fixture *f, const struct schema_type *t,
                              const struct schema_field *field, uint32_t text)
{
    struct json v, whole = json_object(), out;
    struct err err = ERR_INIT;
    str name = schema_field_name(all, field), given = schema_text(all, text);
    if (json_parse(&f->a, given, NULL, &v, &err)) {
        mistake(f, FIELD_FMT ": its default is not JSON: %s", FIELD_ARG(t, field), err.msg);
        return;
    }
    json_set(&f->a, &whole, name, v);
    struct tree_report report = {.on_unknown = unknown_is_a_mistake, .ctx = f};
    if (tree_normalise(&f->a, all, t, &whole, &report, &out, &err)) {
        mistake(f, FIELD_FMT ": its default is of another type: %s", FIELD_ARG(t, field), err.msg);
        return;
    }
    struct json *kept = json_find(&out, name);
    if (kept && !str_eq(printed(f, kept), given))
        mistake(f, FIELD_FMT ": its default is not written as it would be printed: %" STR_FMT " is %" STR_FMT,
                FIELD_ARG(t, field), STR_ARG(given), STR_ARG(printed(f, kept)));
    default_is_valid(f, t, field, &out);
}

static void defaults_are_right(struct fixture *f, const struct schema_type *t,
                               const struct schema_field *field)
{
    const struct schema_rules *r = schema_rules(all, field);
    if (r && r->default_json)
        default_is_normal(f, t, field, r->default_json);
    if (r && r->preset_json)
        default_is_normal(f, t, field, r->preset_json);
    if (r && r->preset_json && r->default_json && r->preset_json != r->default_json)
        mistake(f, FIELD_FMT ": preset= beside default= is never used", FIELD_ARG(t, field));
}

TEST(defaults_are_values_of_their_fields_that_pass_validation)
{
    each_field(defaults_are_right);
}

/* --- immutable --- */

/* Marks what can be reached through structs alone: what tree_immutable looks at. */
static void mark_reached(const struct schema_type *t, bool *reached)
{
    if (reached[t - all->types])
        return;
    reached[t - all->types] = true;
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_node *n = &all->nodes[all->fields[t->field_first + i].node];
        if (n->kind == SCHEMA_STRUCT)
            mark_reached(&all->types[n->ref], reached);
    }
}

TEST(immutable_fields_stand_where_updates_look_at_them)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    bool *reached = ARENA_ARRAY(&f.a, bool, all->type_count);
    for (size_t i = 0; i < all->kind_count; i++)
        mark_reached(&all->types[all->kinds[i].type], reached);
    for (size_t i = 0; i < all->type_count; i++) {
        const struct schema_type *t = &all->types[i];
        for (size_t k = 0; k < t->field_count && !reached[i]; k++) {
            const struct schema_field *field = &all->fields[t->field_first + k];
            if (field->flags & SCHEMA_IMMUTABLE)
                mistake(&f, FIELD_FMT ": immutable, but inside lists only", FIELD_ARG(t, field));
        }
    }
    check_no_mistakes(&f);
}

/* --- types --- */

static void messages_are_in_order(struct fixture *f, const struct schema_type *t)
{
    unsigned last = 0;
    for (size_t i = 0; i < t->message_count; i++) {
        const struct schema_message_field *m = &all->messages[t->message_first + i];
        if (m->number <= last)
            mistake(f, "%s.%s: protobuf number %u stands behind %u", package_of(t), name_of_type(t),
                    m->number, last);
        last = m->number;
        if (m->field != UINT16_MAX && m->field >= t->field_count)
            mistake(f, "%s.%s: protobuf number %u is of no field", package_of(t), name_of_type(t), m->number);
    }
    for (size_t i = 0; i < t->field_count; i++) {
        const struct schema_field *field = &all->fields[t->field_first + i];
        size_t end = field->offset + 1u;
        if (end > t->view_size)
            mistake(f, FIELD_FMT ": outside of its view", FIELD_ARG(t, field));
    }
}

TEST(protobuf_numbers_are_in_order_and_each_once)
{
    each_type(messages_are_in_order);
}

/* `{}` on every way a document can go. */
static void empty_goes_through(struct fixture *f, const struct schema_type *t)
{
    CLEANUP(teardown) struct fixture local;
    setup(&local);
    struct json in = json_object(), tree, decoded;
    struct buf b, message;
    CHECK_OK(tree_normalise(&local.a, all, t, &in, NULL, &tree, &e));
    str content = printed(&local, &tree);
    void *view = arena_alloc_zero(&local.a, 1, t->view_size, _Alignof(str));
    CHECK_OK(view_decode(&local.a, all, t, content, view, &e));
    buf_init_arena(&b, &local.a, TEXT_MAX);
    view_encode(&b, all, t, view);
    if (!str_eq(buf_str(&b), content))
        mistake(f, "%s.%s: an empty one is another after a view: %" STR_FMT, package_of(t), name_of_type(t),
                STR_ARG(buf_str(&b)));
    buf_init_arena(&message, &local.a, TEXT_MAX);
    CHECK_OK(message_encode(&local.a, all, t, &tree, &message, &e));
    CHECK_OK(message_decode(&local.a, all, t, buf_str(&message), &decoded, &e));
    if (!str_eq(printed(&local, &decoded), content))
        mistake(f, "%s.%s: an empty one is another after protobuf: %" STR_FMT, package_of(t), name_of_type(t),
                STR_ARG(printed(&local, &decoded)));
    tree_defaults(&local.a, all, t, &tree);
    str once = printed(&local, &tree);
    tree_defaults(&local.a, all, t, &tree);
    if (!str_eq(printed(&local, &tree), once))
        mistake(f, "%s.%s: defaults of defaults differ", package_of(t), name_of_type(t));
}

TEST(every_type_takes_an_empty_document_through_every_form)
{
    each_type(empty_goes_through);
}

TEST(types_and_enums_are_named_once)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    for (size_t i = 0; i < all->type_count; i++) {
        const struct schema_type *t = &all->types[i];
        str package = schema_text(all, all->packages[t->package].name), name = schema_text(all, t->name);
        if (schema_type_find(all, package, name) != t)
            mistake(&f, "%s.%s: not found by its name", package_of(t), name_of_type(t));
    }
    for (size_t i = 0; i < all->enum_count; i++) {
        const struct schema_enum *en = &all->enums[i];
        for (size_t k = 1; k < en->value_count; k++)
            for (size_t m = 0; m < k; m++)
                if (str_eq(schema_text(all, all->values[en->value_first + k].text),
                           schema_text(all, all->values[en->value_first + m].text)))
                    mistake(&f, "enum %s: a value stands twice", all->text + en->name);
    }
    CHECK(schema_type_find(all, S("core/v1"), S("Nothing")) == NULL);
    CHECK(schema_type_find(all, S("core/v2"), S("Pod")) == NULL);
    check_no_mistakes(&f);
}

/* --- kinds --- */

/* ".spec.nodeName" from a kind's type; NULL: no such place. */
static const struct schema_node *resolve(const struct schema_type *t, str path)
{
    const struct schema_node *n = NULL;
    while (path.n) {
        if (path.p[0] != '.' || !t)
            return NULL;
        path = str_from(path, 1);
        size_t end = str_index_c(path, '.');
        str name = end == SIZE_MAX ? path : str_slice(path, 0, end);
        const struct schema_field *field = schema_field_find(all, t, name);
        if (!field)
            return NULL;
        n = &all->nodes[field->node];
        t = n->kind == SCHEMA_STRUCT ? &all->types[n->ref] : NULL;
        path = str_from(path, name.n);
    }
    return n;
}

static const struct schema_kind_info *kind_by_package(str package, str name)
{
    for (size_t i = 0; i < all->kind_count; i++)
        if (str_eq(schema_text(all, all->packages[all->kinds[i].package].name), package) &&
            str_eq(schema_text(all, all->kinds[i].name), name))
            return &all->kinds[i];
    return NULL;
}

static void kind_resolves(struct fixture *f, const struct schema_kind_info *k)
{
    const struct schema_type *t = &all->types[k->type];
    str api_version = schema_api_version(&f->a, all, k);
    if (!str_is(api_version, "*") && schema_kind_find(all, api_version, schema_text(all, k->name)) != k)
        mistake(f, "%s %s: not found by its name", package_of(t), name_of_kind(k));
    if (!(t->flags & SCHEMA_TYPE_KIND))
        mistake(f, "%s %s: its type is no kind's", package_of(t), name_of_kind(k));
    if (k->stored) {
        str stored = schema_text(all, k->stored);
        size_t dot = str_rindex_c(stored, '.');
        const struct schema_kind_info *other = kind_by_package(str_slice(stored, 0, dot),
                                                               str_from(stored, dot + 1));
        if (!other || other->stored || other == k)
            mistake(f, "%s %s: stored as what is no stored kind", package_of(t), name_of_kind(k));
    }
    if ((k->stored != 0) != (k->convert != 0))
        mistake(f, "%s %s: stored and convert belong together", package_of(t), name_of_kind(k));
    for (size_t i = 0; i < k->subresource_count; i++) {
        const struct schema_subresource *s = &all->subresources[k->subresource_first + i];
        if (!kind_by_package(schema_text(all, s->body_package), schema_text(all, s->body_kind)))
            mistake(f, "%s %s: subresource %s has a body of no kind", package_of(t), name_of_kind(k),
                    all->text + s->name);
        if (!s->verbs)
            mistake(f, "%s %s: subresource %s has no verbs", package_of(t), name_of_kind(k),
                    all->text + s->name);
    }
}

TEST(kinds_resolve_what_they_are_stored_as_and_their_subresources_bodies)
{
    each_kind(kind_resolves);
}

static void resource_is_whole(struct fixture *f, const struct schema_kind_info *k)
{
    const struct schema_type *t = &all->types[k->type];
    const struct schema_package *p = &all->packages[k->package];
    if (k->class != SCHEMA_RESOURCE)
        return;
    if (!k->plural || !k->singular || !k->verbs) {
        mistake(f, "%s %s: a resource without plural, singular or verbs", package_of(t), name_of_kind(k));
        return;
    }
    if (schema_resource_find(all, schema_text(all, p->group), schema_text(all, p->version),
                             schema_text(all, k->plural)) != k)
        mistake(f, "%s %s: not found by its plural", package_of(t), name_of_kind(k));
    if ((k->verbs & SCHEMA_LIST_VERB) && !k->list_name)
        mistake(f, "%s %s: can be listed, but its list has no name", package_of(t), name_of_kind(k));
    const struct schema_node *metadata = resolve(t, S(".metadata"));
    if (!metadata || metadata->kind != SCHEMA_STRUCT ||
        !str_is(schema_text(all, all->types[metadata->ref].name), "ObjectMeta"))
        mistake(f, "%s %s: a resource without metadata", package_of(t), name_of_kind(k));
}

TEST(resources_have_names_verbs_and_metadata)
{
    each_kind(resource_is_whole);
    CHECK(schema_resource_find(all, S("apps"), S("v1"), S("pods")) == NULL);
    CHECK(schema_resource_find(all, S("apps"), S("v2"), S("deployments")) == NULL);
    CHECK(schema_resource_find(all, S(""), S("v1"), S("")) == NULL);
}

static bool column_type_is_known(str type)
{
    static const char *const known[] = {"string", "integer", "number", "boolean", "date"};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (str_eq(type, str_from_c(known[i])))
            return true;
    return false;
}

static void columns_resolve(struct fixture *f, const struct schema_kind_info *k)
{
    const struct schema_type *t = &all->types[k->type];
    for (size_t i = 0; i < k->column_count; i++) {
        const struct schema_column *c = &all->columns[k->column_first + i];
        const char *name = all->text + c->name;
        const struct schema_node *n = c->path ? resolve(t, schema_text(all, c->path)) : NULL;
        if ((c->path != 0) == (c->function != 0))
            mistake(f, "%s: column %s needs either a path or a function", name_of_kind(k), name);
        if (c->path && (!n || n->kind >= SCHEMA_OBJECT))
            mistake(f, "%s: column %s: '%s' is no scalar of it", name_of_kind(k), name, all->text + c->path);
        if (!column_type_is_known(schema_text(all, c->type)))
            mistake(f, "%s: column %s: '%s' is no type of columns", name_of_kind(k), name,
                    all->text + c->type);
        if (i == 0 && k->class == SCHEMA_RESOURCE && str_is(schema_text(all, c->name), "Name") &&
            !str_is(schema_text(all, c->format), "name"))
            mistake(f, "%s: column Name is of format name", name_of_kind(k));
        for (size_t m = 0; m < i; m++)
            if (str_eq(schema_text(all, all->columns[k->column_first + m].name), schema_text(all, c->name)))
                mistake(f, "%s: column %s stands twice", name_of_kind(k), name);
    }
}

TEST(columns_show_fields_that_are_there)
{
    each_kind(columns_resolve);
}

/* Names that the original selects by although the field is called otherwise: code gives their values. */
static bool is_name_of_code(const struct schema_kind_info *k, str path)
{
    static const struct {
        str kind, path;
    } known[] = {
        {S_INIT("Job"), S_INIT(".status.successful")}, /* status.succeeded */
        {S_INIT("Event"), S_INIT(".source")}, /* the component, also where the field is deprecatedSource */
    };
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (str_eq(known[i].kind, schema_text(all, k->name)) && str_eq(known[i].path, path))
            return true;
    return false;
}

static void selectable_resolve(struct fixture *f, const struct schema_kind_info *k)
{
    uint32_t at = k->selectable;
    for (str path; schema_names_next(all, &at, &path);) {
        const struct schema_node *n = resolve(&all->types[k->type], path);
        if (is_name_of_code(k, path))
            continue;
        if (!n || n->kind == SCHEMA_LIST || n->kind == SCHEMA_MAP)
            mistake(f, "%s: selectable '%" STR_FMT "' is not there", name_of_kind(k), STR_ARG(path));
    }
}

TEST(field_selectors_name_fields_that_are_there)
{
    each_kind(selectable_resolve);
}

/* Versions of a resource, and its copies in other groups (events), share their names. */
static void check_short_name(struct fixture *f, const struct schema_kind_info *k, str name)
{
    for (size_t i = 0; i < all->kind_count; i++) {
        const struct schema_kind_info *other = &all->kinds[i];
        if (!other->plural || str_eq(schema_text(all, other->plural), schema_text(all, k->plural)))
            continue;
        bool taken = str_eq(schema_text(all, other->plural), name) ||
                     str_eq(schema_text(all, other->singular), name);
        uint32_t at = other->short_names;
        for (str theirs; schema_names_next(all, &at, &theirs);)
            taken |= str_eq(theirs, name);
        if (taken)
            mistake(f, "%s: short name '%" STR_FMT "' is also that of %s", name_of_kind(k), STR_ARG(name),
                    name_of_kind(other));
    }
}

static void short_names_are_free(struct fixture *f, const struct schema_kind_info *k)
{
    uint32_t at = k->short_names;
    for (str name; schema_names_next(all, &at, &name);)
        check_short_name(f, k, name);
}

TEST(short_names_mean_one_resource)
{
    each_kind(short_names_are_free);
}

/* --- looking up --- */

TEST(kinds_are_found_by_what_documents_and_urls_say)
{
    CLEANUP(teardown) struct fixture f;
    setup(&f);
    const struct schema_kind_info *k = schema_kind_find(all, S("apps/v1"), S("Deployment"));
    CHECK(k != NULL && k == schema_resource_find(all, S("apps"), S("v1"), S("deployments")));
    CHECK_STR(schema_api_version(&f.a, all, k), "apps/v1");
    k = schema_kind_find(all, S("v1"), S("Pod"));
    CHECK(k != NULL && k == schema_resource_find(all, S(""), S("v1"), S("pods")));
    CHECK_STR(schema_api_version(&f.a, all, k), "v1");
    static const char *const nothing[][2] = {
        {"", "Pod"},          {"/v1", "Pod"},         {"core/v1", "Pod"},         {"v1", "pod"},
        {"v1", ""},           {"v1", "PodX"},         {"apps/v1/", "Deployment"}, {"apps//v1", "Deployment"},
        {"v1", "Deployment"}, {"apps", "Deployment"}, {"appsv1", "Deployment"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(nothing); i++)
        CHECK(schema_kind_find(all, str_from_c(nothing[i][0]), str_from_c(nothing[i][1])) == NULL);
}

TEST(lists_of_names_end)
{
    uint32_t at = 0;
    str name = S("untouched");
    CHECK(!schema_names_next(all, &at, &name));
    CHECK_STR(name, "untouched");
    const struct schema_kind_info *k = schema_kind_find(all, S("v1"), S("Pod"));
    at = k->short_names;
    CHECK(schema_names_next(all, &at, &name));
    CHECK_STR(name, "po");
    CHECK(!schema_names_next(all, &at, &name));
    CHECK(!schema_names_next(all, &at, &name));
}
