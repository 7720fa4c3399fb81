/* parse.c - the schema language (api/README.md) to a model.
 * Line by line: a line that starts at the margin opens a declaration, indented lines belong to it, '|' lines are help for
 * what stands before them, lines indented twice go on with the line before them, '#' starts a comment. */
#include "base/buf.h"
#include "model.h"
#include <errno.h>
#include <stdio.h>

enum {
    WORDS_MAX = 64,
    FILE_SIZE_MAX = 4 << 20,
    GOES_ON_INDENT = 8, /* columns */
};

struct parser {
    struct model *m;
    struct arena *a;
    str file;
    int line;
    struct err *err;
    struct m_package *package;
    struct m_type *type;
    struct m_enum *enumeration;
    struct m_kind *kind;
    str *help; /* what '|' lines are added to */
    str words[WORDS_MAX];
    size_t word_count;
};

PRINTF_LIKE(2, 3) static err_code fail(struct parser *p, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_set(p->err, ERR_SYNTAX, "%" STR_FMT ":%d: %s", STR_ARG(p->file), p->line, text);
}

/* Appends to a list that grows by doubling, its size being a power of two whenever it is full. */
#define PUSH(arena, list, count, value)                                                                     \
    do {                                                                                                    \
        if (((count) & ((count)-1)) == 0)                                                                   \
            (list) = arena_grow((arena), (list), (count) * sizeof *(list),                                  \
                                ((count) ? (count)*2 : 1) * sizeof *(list), _Alignof(__typeof__(*(list)))); \
        (list)[(count)++] = (value);                                                                        \
    } while (0)

/* --- words --- */

/* Splits at spaces; "..." is one word where it begins or follows '=', with its quotes when it follows '='. */
static err_code split(struct parser *p, str line)
{
    p->word_count = 0;
    size_t i = 0;
    while (i < line.n) {
        if (line.p[i] == ' ' || line.p[i] == '\t') {
            i++;
            continue;
        }
        if (line.p[i] == '#')
            break;
        size_t start = i;
        bool quoted = false;
        for (; i < line.n && (quoted || (line.p[i] != ' ' && line.p[i] != '\t')); i++) {
            if (line.p[i] == '\\' && quoted)
                i++;
            else if (line.p[i] == '"')
                quoted = !quoted;
        }
        if (quoted || i > line.n)
            return fail(p, "a quoted word does not end");
        if (p->word_count == WORDS_MAX)
            return fail(p, "more than %d words", WORDS_MAX);
        p->words[p->word_count++] = str_slice(line, start, i);
    }
    return ERR_NONE;
}

static str word(const struct parser *p, size_t i)
{
    return i < p->word_count ? p->words[i] : STR_NONE;
}

/* A word that may stand in quotes. */
static str unquote(struct parser *p, str w)
{
    if (w.n < 2 || w.p[0] != '"' || w.p[w.n - 1] != '"')
        return w;
    struct buf b;
    buf_init_arena(&b, p->a, w.n);
    for (size_t i = 1; i + 1 < w.n; i++) {
        if (w.p[i] == '\\')
            i++;
        buf_add_c(&b, w.p[i]);
    }
    return buf_str(&b);
}

/* Adds the words of the line from `first` on: a second line of the same property goes on where the first ended. */
static void names_add(struct parser *p, struct m_names *names, size_t first)
{
    str *items = NULL;
    size_t count = 0;
    for (size_t i = 0; i < names->count; i++)
        PUSH(p->a, items, count, names->items[i]);
    for (size_t i = first; i < p->word_count; i++)
        PUSH(p->a, items, count, p->words[i]);
    *names = (struct m_names){items, count};
}

static struct m_names names_from_list(struct parser *p, str list)
{
    struct m_names names = {0};
    str *items = NULL, name;
    while (str_next(&list, ',', &name))
        PUSH(p->a, items, names.count, name);
    names.items = items;
    return names;
}

static const struct {
    str name;
    unsigned verb;
} verbs[] = {
    {S_INIT("create"), SCHEMA_CREATE},  {S_INIT("delete"), SCHEMA_DELETE},
    {S_INIT("get"), SCHEMA_GET},        {S_INIT("deletecollection"), SCHEMA_DELETECOLLECTION},
    {S_INIT("list"), SCHEMA_LIST_VERB}, {S_INIT("patch"), SCHEMA_PATCH_VERB},
    {S_INIT("update"), SCHEMA_UPDATE},  {S_INIT("watch"), SCHEMA_WATCH},
};
enum { VERBS_ALL = 0xff };

bool model_verb_parse(str name, unsigned *ret)
{
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        if (str_eq(name, verbs[i].name)) {
            *ret = verbs[i].verb;
            return true;
        }
    }
    return false;
}

static err_code parse_verbs(struct parser *p, size_t first, unsigned *ret)
{
    *ret = 0;
    for (size_t i = first; i < p->word_count; i++) {
        unsigned verb;
        if (!model_verb_parse(p->words[i], &verb))
            return fail(p, "'%" STR_FMT "' is not a verb", STR_ARG(p->words[i]));
        *ret |= verb;
    }
    return ERR_NONE;
}

/* --- types --- */

static const struct {
    str name;
    enum schema_kind kind;
} scalars[] = {
    {S_INIT("bool"), SCHEMA_BOOL},
    {S_INIT("int32"), SCHEMA_INT32},
    {S_INIT("int64"), SCHEMA_INT64},
    {S_INIT("uint32"), SCHEMA_UINT32},
    {S_INIT("uint64"), SCHEMA_UINT64},
    {S_INIT("double"), SCHEMA_DOUBLE},
    {S_INIT("string"), SCHEMA_STRING},
    {S_INIT("bytes"), SCHEMA_BYTES},
    {S_INIT("Quantity"), SCHEMA_QUANTITY},
    {S_INIT("Time"), SCHEMA_TIME},
    {S_INIT("MicroTime"), SCHEMA_MICRO_TIME},
    {S_INIT("Duration"), SCHEMA_DURATION},
    {S_INIT("IntOrString"), SCHEMA_INT_OR_STRING},
    {S_INIT("Object"), SCHEMA_OBJECT},
    {S_INIT("Any"), SCHEMA_ANY},
    {S_INIT("Fields"), SCHEMA_FIELDS},
};

static struct m_node *node_new(struct parser *p, enum schema_kind kind, str spelled)
{
    struct m_node *n = ARENA_NEW(p->a, struct m_node);
    n->kind = kind;
    n->spelled = spelled;
    return n;
}

/* Names are resolved at the end; until then kind is NONE and `spelled` the name. */
static struct m_node *parse_node(struct parser *p, str text)
{
    if (str_starts(text, S("[]"))) {
        struct m_node *n = node_new(p, SCHEMA_LIST, text);
        n->item = parse_node(p, str_from(text, 2));
        return n;
    }
    if (str_starts(text, S("map[string]"))) {
        struct m_node *n = node_new(p, SCHEMA_MAP, text);
        n->item = parse_node(p, str_from(text, strlen("map[string]")));
        return n;
    }
    for (size_t i = 0; i < ARRAY_COUNT(scalars); i++)
        if (str_eq(text, scalars[i].name))
            return node_new(p, scalars[i].kind, text);
    return node_new(p, SCHEMA_NONE, text);
}

/* --- field attributes: `name`, `name=value` or `name(value)` --- */

static err_code attr_number(struct parser *p, str name, str value, int64_t *ret)
{
    if (!str_parse_i64(value, ret))
        return fail(p, "%" STR_FMT "= takes a number, not '%" STR_FMT "'", STR_ARG(name), STR_ARG(value));
    return ERR_NONE;
}

static err_code attr_limit(struct parser *p, struct m_field *f, str name, str value)
{
    int64_t v = 0;
    if (attr_number(p, name, value, &v))
        return p->err->code;
    if (str_is(name, "min")) {
        f->min = v;
        f->has |= SCHEMA_HAS_MIN;
        return ERR_NONE;
    }
    if (str_is(name, "max")) {
        f->max = v;
        f->has |= SCHEMA_HAS_MAX;
        return ERR_NONE;
    }
    if (v < 0 || v > UINT32_MAX)
        return fail(p, "%" STR_FMT "= must be between 0 and 4294967295", STR_ARG(name));
    if (str_is(name, "minlen")) {
        f->len_min = (uint32_t)v;
    } else if (str_is(name, "maxlen")) {
        f->len_max = (uint32_t)v;
        f->has |= SCHEMA_HAS_LEN_MAX;
    } else if (str_is(name, "minitems")) {
        f->items_min = (uint32_t)v;
    } else {
        f->items_max = (uint32_t)v;
        f->has |= SCHEMA_HAS_ITEMS_MAX;
    }
    return ERR_NONE;
}

static err_code attr_list(struct parser *p, struct m_field *f, str value)
{
    if (str_is(value, "atomic")) {
        f->list_type = SCHEMA_LIST_ATOMIC;
    } else if (str_is(value, "set")) {
        f->list_type = SCHEMA_LIST_SET;
    } else if (str_starts(value, S("map(")) && str_ends(value, S(")"))) {
        f->list_type = SCHEMA_LIST_MAP;
        f->list_keys = names_from_list(p, str_slice(value, 4, value.n - 1));
    } else {
        return fail(p, "list= is atomic, set or map(key,...), not '%" STR_FMT "'", STR_ARG(value));
    }
    return ERR_NONE;
}

static err_code attr_patch(struct parser *p, struct m_field *f, str value)
{
    str one;
    while (str_next(&value, '+', &one)) {
        if (str_starts(one, S("merge(")) && str_ends(one, S(")"))) {
            f->patch |= SCHEMA_PATCH_MERGE;
            f->merge_key = str_slice(one, 6, one.n - 1);
        } else if (str_is(one, "merge")) {
            f->patch |= SCHEMA_PATCH_MERGE;
        } else if (str_is(one, "retainKeys")) {
            f->patch |= SCHEMA_PATCH_RETAIN_KEYS;
        } else if (str_is(one, "replace")) {
            f->patch |= SCHEMA_PATCH_REPLACE;
        } else {
            return fail(p, "patch= is merge, merge(key), retainKeys or replace, not '%" STR_FMT "'",
                        STR_ARG(one));
        }
    }
    return ERR_NONE;
}

static err_code attr_granularity(struct parser *p, str value, enum schema_granularity *ret)
{
    if (str_is(value, "atomic"))
        *ret = SCHEMA_MERGE_ATOMIC;
    else if (str_is(value, "granular"))
        *ret = SCHEMA_MERGE_GRANULAR;
    else
        return fail(p, "this is atomic or granular, not '%" STR_FMT "'", STR_ARG(value));
    return ERR_NONE;
}

static err_code parse_format(struct parser *p, str value, enum schema_format *ret)
{
    static const str formats[] = {
        STR_NONE,
#define SCHEMA_FORMAT(name, text, check) S_INIT(text),
#include "api/formats.def"
#undef SCHEMA_FORMAT
    };
    for (size_t i = 1; i < ARRAY_COUNT(formats); i++) {
        if (str_eq(value, formats[i])) {
            *ret = (enum schema_format)i;
            return ERR_NONE;
        }
    }
    return fail(p, "there is no format '%" STR_FMT "'; see src/api/formats.def", STR_ARG(value));
}

static const struct {
    str name;
    unsigned flag;
} flag_attrs[] = {
    {S_INIT("required"), SCHEMA_REQUIRED},     {S_INIT("always"), SCHEMA_ALWAYS},
    {S_INIT("omitzero"), SCHEMA_OMITZERO},     {S_INIT("immutable"), SCHEMA_IMMUTABLE},
    {S_INIT("deprecated"), SCHEMA_DEPRECATED}, {S_INIT("discriminator"), SCHEMA_DISCRIMINATOR},
};

static err_code parse_attr(struct parser *p, struct m_field *f, str attr)
{
    for (size_t i = 0; i < ARRAY_COUNT(flag_attrs); i++) {
        if (str_eq(attr, flag_attrs[i].name)) {
            f->flags |= flag_attrs[i].flag;
            return ERR_NONE;
        }
    }
    if (str_is(attr, "omitempty")) {
        f->omitempty = true;
        return ERR_NONE;
    }
    str name, value;
    if (!str_cut(attr, '=', &name, &value))
        return fail(p, "'%" STR_FMT "' is not an attribute of a field", STR_ARG(attr));
    const struct {
        str name;
        str *to;
        bool keep_quotes;
    } texts[] = {
        {S("pb"), &f->pb_name, false},        {S("default"), &f->default_json, true},
        {S("preset"), &f->preset_json, true}, {S("pattern"), &f->pattern, false},
        {S("oneof"), &f->one_of, false},      {S("member"), &f->member, false},
        {S("gate"), &f->gate, false},         {S("mergekey"), &f->merge_key, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        if (str_eq(name, texts[i].name)) {
            *texts[i].to = texts[i].keep_quotes ? value : unquote(p, value);
            return ERR_NONE;
        }
    }
    if (str_is(name, "list"))
        return attr_list(p, f, value);
    if (str_is(name, "patch"))
        return attr_patch(p, f, value);
    if (str_is(name, "map"))
        return attr_granularity(p, value, &f->map_type);
    if (str_is(name, "struct"))
        return attr_granularity(p, value, &f->struct_type);
    if (str_is(name, "format"))
        return parse_format(p, value, &f->format);
    if (str_is(name, "min") || str_is(name, "max") || str_is(name, "minlen") || str_is(name, "maxlen") ||
        str_is(name, "minitems") || str_is(name, "maxitems"))
        return attr_limit(p, f, name, value);
    return fail(p, "'%" STR_FMT "=' is not an attribute of a field", STR_ARG(name));
}

/* NAME NUMBER TYPE ATTRIBUTE... */
static err_code parse_field(struct parser *p)
{
    struct m_field f = {.name = word(p, 0), .file = p->file, .line = p->line};
    uint64_t number;
    if (p->word_count < 3 || !str_parse_u64(word(p, 1), &number) || number > 60000)
        return fail(p, "a field is NAME NUMBER TYPE ATTRIBUTE...");
    f.number = (uint32_t)number;
    f.inlined = str_is(f.name, "inline");
    f.pb_name = f.name;
    str type = word(p, 2);
    f.pointer = str_take_prefix(&type, S("*"));
    f.node = parse_node(p, type);
    for (size_t i = 3; i < p->word_count; i++)
        if (parse_attr(p, &f, p->words[i]))
            return p->err->code;
    /* What is required is printed even when empty, unless it says otherwise. */
    if ((f.flags & SCHEMA_REQUIRED) && !f.omitempty)
        f.flags |= SCHEMA_ALWAYS;
    if (f.pointer)
        f.flags |= SCHEMA_POINTER;
    for (size_t i = 0; i < p->type->field_count; i++) {
        const struct m_field *other = &p->type->fields[i];
        if (!f.inlined && str_eq(other->name, f.name))
            return fail(p, "field '%" STR_FMT "' stands twice", STR_ARG(f.name));
        if (f.number && other->number == f.number)
            return fail(p, "number %u belongs to '%" STR_FMT "' already", f.number, STR_ARG(other->name));
    }
    PUSH(p->a, p->type->fields, p->type->field_count, f);
    p->help = &p->type->fields[p->type->field_count - 1].help;
    return ERR_NONE;
}

/* --- kinds --- */

static err_code parse_subresource(struct parser *p)
{
    struct m_subresource s = {.name = word(p, 1)};
    str body = word(p, 2);
    size_t dot = str_rindex_c(body, '.');
    if (p->word_count < 4 || dot == SIZE_MAX)
        return fail(p, "subresource NAME PACKAGE.KIND VERB... [options=KIND]");
    s.body_package = str_slice(body, 0, dot);
    s.body_kind = str_from(body, dot + 1);
    str last = word(p, p->word_count - 1);
    if (str_take_prefix(&last, S("options="))) {
        s.options = last;
        p->word_count--;
    }
    if (parse_verbs(p, 3, &s.verbs))
        return p->err->code;
    PUSH(p->a, p->kind->subresources, p->kind->subresource_count, s);
    return ERR_NONE;
}

/* column NAME TYPE PATH|function(NAME) [format=F] [wide] */
static err_code parse_column(struct parser *p)
{
    struct m_column c = {.name = unquote(p, word(p, 1)), .type = word(p, 2)};
    str source = word(p, 3);
    if (p->word_count < 4)
        return fail(p, "column NAME TYPE .path|function(name) [format=F] [wide]");
    if (str_starts(source, S("function(")) && str_ends(source, S(")")))
        c.function = str_slice(source, 9, source.n - 1);
    else if (str_starts(source, S(".")))
        c.path = unquote(p, source);
    else
        return fail(p, "a column comes from .path or function(name), not '%" STR_FMT "'", STR_ARG(source));
    for (size_t i = 4; i < p->word_count; i++) {
        str w = p->words[i];
        if (str_is(w, "wide"))
            c.priority = 1;
        else if (str_take_prefix(&w, S("format=")))
            c.format = w;
        else
            return fail(p, "'%" STR_FMT "' is not an attribute of a column", STR_ARG(w));
    }
    PUSH(p->a, p->kind->columns, p->kind->column_count, c);
    p->help = &p->kind->columns[p->kind->column_count - 1].help;
    return ERR_NONE;
}

static err_code parse_document(struct parser *p)
{
    static const struct {
        str name;
        enum schema_class class;
    } classes[] = {
        {S_INIT("subresource"), SCHEMA_SUBRESOURCE},
        {S_INIT("query"), SCHEMA_QUERY},
        {S_INIT("webhook"), SCHEMA_WEBHOOK},
        {S_INIT("discovery"), SCHEMA_DISCOVERY},
        {S_INIT("meta"), SCHEMA_META},
        {S_INIT("client-file"), SCHEMA_CLIENT_FILE},
        {S_INIT("internal"), SCHEMA_INTERNAL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(classes); i++) {
        if (str_eq(word(p, 1), classes[i].name)) {
            p->kind->class = classes[i].class;
            return ERR_NONE;
        }
    }
    return fail(p, "there is no class of documents '%" STR_FMT "'", STR_ARG(word(p, 1)));
}

static err_code parse_scope(struct parser *p)
{
    p->kind->namespaced = str_is(word(p, 1), "namespace");
    p->kind->scope_said = true;
    if (!p->kind->namespaced && !str_is(word(p, 1), "cluster"))
        return fail(p, "scope is namespace or cluster");
    return ERR_NONE;
}

/* A property with one possible value, or left out. */
static err_code parse_flag(struct parser *p, str value, bool *ret)
{
    *ret = str_eq(word(p, 1), value);
    return *ret ? ERR_NONE
                : fail(p, "%" STR_FMT " is %" STR_FMT ", or not said", STR_ARG(word(p, 0)), STR_ARG(value));
}

/* True: the line was a property of the kind (and *ret its outcome); false: it must be a field. */
static bool parse_kind_property(struct parser *p, err_code *ret)
{
    struct m_kind *k = p->kind;
    str key = word(p, 0);
    uint64_t number;
    if (str_parse_u64(word(p, 1), &number)) /* a field may be called `scope` too */
        return false;
    *ret = ERR_NONE;
    if (str_is(key, "plural"))
        k->plural = word(p, 1);
    else if (str_is(key, "singular"))
        k->singular = word(p, 1);
    else if (str_is(key, "name"))
        *ret = parse_format(p, word(p, 1), &k->name_format);
    else if (str_is(key, "list"))
        k->list_name = word(p, 1);
    else if (str_is(key, "apiversion"))
        k->api_version = word(p, 1);
    else if (str_is(key, "stored"))
        k->stored = word(p, 1);
    else if (str_is(key, "convert"))
        k->convert = word(p, 1);
    else if (str_is(key, "short"))
        names_add(p, &k->short_names, 1);
    else if (str_is(key, "category"))
        names_add(p, &k->categories, 1);
    else if (str_is(key, "selectable"))
        names_add(p, &k->selectable, 1);
    else if (str_is(key, "scope"))
        *ret = parse_scope(p);
    else if (str_is(key, "verbs"))
        *ret = parse_verbs(p, 1, &k->verbs);
    else if (str_is(key, "deprecated"))
        k->deprecation = unquote(p, word(p, 1));
    else if (str_is(key, "history"))
        *ret = parse_flag(p, S("short"), &k->short_history);
    else if (str_is(key, "returns"))
        *ret = parse_flag(p, S("deleted"), &k->returns_deleted);
    else if (str_is(key, "document"))
        *ret = parse_document(p);
    else if (str_is(key, "subresource"))
        *ret = parse_subresource(p);
    else if (str_is(key, "column"))
        *ret = parse_column(p);
    else
        return false;
    return true;
}

/* --- declarations --- */

static struct m_type *type_new(struct parser *p, str name)
{
    struct m_type *t = ARENA_NEW(p->a, struct m_type);
    *t = (struct m_type){.package = p->package, .name = name, .file = p->file, .line = p->line};
    PUSH(p->a, p->m->types, p->m->type_count, t);
    return t;
}

static err_code open_package(struct parser *p)
{
    p->package = model_package_find(p->m, word(p, 1));
    if (!p->package) {
        p->package = ARENA_NEW(p->a, struct m_package);
        p->package->name = word(p, 1);
        PUSH(p->a, p->m->packages, p->m->package_count, p->package);
    }
    p->help = &p->package->help;
    for (size_t i = 2; i < p->word_count; i++) {
        str w = p->words[i];
        if (!str_take_prefix(&w, S("prefix=")))
            return fail(p, "package NAME [prefix=TEXT]");
        p->package->prefix = w;
    }
    return ERR_NONE;
}

/* group NAME VERSION GROUP_PRIORITY VERSION_PRIORITY [aggregated] */
static err_code open_group(struct parser *p)
{
    struct m_package *k = p->package;
    uint64_t group_priority, version_priority;
    k->aggregated = str_is(word(p, 5), "aggregated");
    if (p->word_count != (k->aggregated ? 6 : 5) || !str_parse_u64(word(p, 3), &group_priority) ||
        !str_parse_u64(word(p, 4), &version_priority) || group_priority > UINT16_MAX ||
        version_priority > UINT16_MAX)
        return fail(p, "group NAME VERSION GROUP-PRIORITY VERSION-PRIORITY [aggregated]");
    k->group = str_is(word(p, 1), "core") ? S("") : word(p, 1);
    k->version = word(p, 2);
    k->group_priority = (uint16_t)group_priority;
    k->version_priority = (uint16_t)version_priority;
    k->served = true;
    p->help = &k->help;
    return ERR_NONE;
}

static err_code open_kind(struct parser *p)
{
    struct m_kind *k = ARENA_NEW(p->a, struct m_kind);
    *k = (struct m_kind){.package = p->package, .name = word(p, 1), .file = p->file, .line = p->line};
    k->verbs = VERBS_ALL;
    k->list_name = str_concat(p->a, k->name, S("List"));
    k->singular = str_lower(p->a, k->name);
    PUSH(p->a, p->m->kinds, p->m->kind_count, k);
    p->kind = k;
    p->type = k->type = type_new(p, k->name);
    k->type->kind = k;
    p->help = &k->type->help;
    return ERR_NONE;
}

/* type NAME [atomic] [coded] | type NAME = []ITEM | type NAME either STRUCT bool|list|strings */
static err_code open_type(struct parser *p)
{
    struct m_type *t = type_new(p, word(p, 1));
    p->type = t;
    p->help = &t->help;
    str how = word(p, 2);
    if (str_is(how, "atomic") || str_is(how, "coded")) {
        t->atomic = str_is(how, "atomic");
        t->coded = !t->atomic || str_is(word(p, 3), "coded");
    } else if (str_is(how, "=")) {
        t->alias = parse_node(p, word(p, 3));
        if (t->alias->kind != SCHEMA_LIST)
            return fail(p, "type NAME = []ITEM");
        t->alias->message = true;
    } else if (str_is(how, "either")) {
        str other = word(p, 4);
        t->either_name = word(p, 3);
        t->either = str_is(other, "bool")      ? SCHEMA_OR_BOOL
                    : str_is(other, "list")    ? SCHEMA_OR_LIST
                    : str_is(other, "strings") ? SCHEMA_OR_STRINGS
                                               : SCHEMA_NONE;
        if (t->either == SCHEMA_NONE)
            return fail(p, "type NAME either STRUCT bool|list|strings");
    } else if (how.n) {
        return fail(
            p,
            "type NAME [atomic] [coded], type NAME = []ITEM, or type NAME either STRUCT bool|list|strings");
    }
    return ERR_NONE;
}

static err_code open_enum(struct parser *p)
{
    struct m_enum *e = ARENA_NEW(p->a, struct m_enum);
    *e = (struct m_enum){.package = p->package, .name = word(p, 1), .file = p->file, .line = p->line};
    e->closed = str_is(word(p, 2), "closed");
    PUSH(p->a, p->m->enums, p->m->enum_count, e);
    p->enumeration = e;
    p->help = &e->help;
    return ERR_NONE;
}

static err_code parse_margin_line(struct parser *p)
{
    static const struct {
        str word;
        err_code (*open)(struct parser *p);
    } openers[] = {
        {S_INIT("package"), open_package}, {S_INIT("group"), open_group}, {S_INIT("kind"), open_kind},
        {S_INIT("type"), open_type},       {S_INIT("enum"), open_enum},
    };
    p->kind = NULL;
    p->type = NULL;
    p->enumeration = NULL;
    if (p->word_count < 2)
        return fail(p, "a declaration needs a name");
    for (size_t i = 0; i < ARRAY_COUNT(openers); i++) {
        if (!str_eq(word(p, 0), openers[i].word))
            continue;
        if (openers[i].open != open_package && !p->package)
            return fail(p, "the first declaration of a file is its package");
        return openers[i].open(p);
    }
    return fail(p, "'%" STR_FMT "' opens no declaration: package, group, kind, type or enum",
                STR_ARG(word(p, 0)));
}

static err_code parse_enum_value(struct parser *p)
{
    struct m_enum *e = p->enumeration;
    struct m_enum_value v = {.text = unquote(p, word(p, 0)), .deprecated = str_is(word(p, 1), "deprecated")};
    PUSH(p->a, e->values, e->value_count, v);
    p->help = &e->values[e->value_count - 1].help;
    return ERR_NONE;
}

static err_code parse_indented_line(struct parser *p)
{
    if (p->enumeration)
        return parse_enum_value(p);
    err_code code;
    if (p->kind && parse_kind_property(p, &code))
        return code;
    if (!p->type || p->type->alias || p->type->either)
        return fail(p, "an indented line outside of a declaration that has any");
    return parse_field(p);
}

static err_code parse_help(struct parser *p, str text)
{
    if (!p->help)
        return fail(p, "help belongs to nothing here");
    text = str_trim(text);
    *p->help = p->help->n ? str_join(p->a, (const str[]){*p->help, text}, 2, S(" ")) : text;
    return ERR_NONE;
}

static bool goes_on(str line)
{
    size_t indent = 0;
    while (indent < line.n && line.p[indent] == ' ')
        indent++;
    return indent >= GOES_ON_INDENT && indent < line.n && line.p[indent] != '|' && line.p[indent] != '#';
}

static err_code parse_line(struct parser *p, str line)
{
    str trimmed = str_trim(line);
    if (trimmed.n == 0 || trimmed.p[0] == '#')
        return ERR_NONE;
    if (trimmed.p[0] == '|')
        return parse_help(p, str_from(trimmed, 1));
    if (goes_on(line))
        return fail(p, "indented twice, but there is no line here that it could go on with");
    if (split(p, line))
        return p->err->code;
    bool at_margin = line.p[0] != ' ' && line.p[0] != '\t';
    return at_margin ? parse_margin_line(p) : parse_indented_line(p);
}

err_code model_read_file(struct arena *a, const char *path, str *ret, struct err *err)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return err_errno(err, errno, "could not open '%s'", path);
    struct buf b;
    buf_init_arena(&b, a, FILE_SIZE_MAX);
    for (;;) {
        char *to = buf_room(&b, 4096);
        size_t n = to ? fread(to, 1, 4096, f) : 0;
        if (n == 0)
            break;
        buf_commit(&b, n);
    }
    bool failed = ferror(f);
    fclose(f);
    if (failed)
        return err_set(err, ERR_IO, "could not read '%s'", path);
    *ret = buf_str(&b);
    return buf_check(&b, err);
}

/* With the lines that go on with it: the words of all. */
static str whole_line(struct parser *p, str line, str *rest, int *ret_more)
{
    str next, behind = *rest;
    for (*ret_more = 0; str_next(&behind, '\n', &next) && goes_on(next); *rest = behind, ++*ret_more)
        line = str_concat(p->a, line, next);
    return line;
}

static bool can_go_on(str line)
{
    line = str_trim(line);
    return line.n && line.p[0] != '|' && !str_contains(line, S("#"));
}

static err_code parse_file(struct model *m, const char *path, struct err *err)
{
    struct parser p = {.m = m, .a = &m->arena, .file = str_from_c(path), .err = err};
    str text, line;
    if (model_read_file(&m->arena, path, &text, err))
        return err->code;
    while (str_next(&text, '\n', &line)) {
        int more = 0;
        p.line++;
        if (can_go_on(line))
            line = whole_line(&p, line, &text, &more);
        if (parse_line(&p, line))
            return err->code;
        p.line += more;
    }
    return ERR_NONE;
}

/* --- names --- */

struct m_package *model_package_find(const struct model *m, str name)
{
    for (size_t i = 0; i < m->package_count; i++)
        if (str_eq(m->packages[i]->name, name))
            return m->packages[i];
    return NULL;
}

struct m_type *model_type_find(const struct model *m, str package, str name)
{
    for (size_t i = 0; i < m->type_count; i++)
        if (str_eq(m->types[i]->name, name) && str_eq(m->types[i]->package->name, package))
            return m->types[i];
    return NULL;
}

struct m_enum *model_enum_find(const struct model *m, str package, str name)
{
    for (size_t i = 0; i < m->enum_count; i++)
        if (str_eq(m->enums[i]->name, name) && str_eq(m->enums[i]->package->name, package))
            return m->enums[i];
    return NULL;
}

/* A name without a package is of the same package, or else of meta/v1. */
static bool resolve_name(struct model *m, struct m_node *n, str package, str name)
{
    struct m_type *t = model_type_find(m, package, name);
    if (t) {
        n->type = t;
        n->kind = t->either ? t->either : SCHEMA_STRUCT;
        if (t->alias) {
            n->kind = SCHEMA_LIST;
            n->item = t->alias->item;
            n->message = true;
        }
        return true;
    }
    struct m_enum *e = model_enum_find(m, package, name);
    if (e) {
        n->enumeration = e;
        n->kind = SCHEMA_STRING;
    }
    return e != NULL;
}

static bool resolve_node(struct model *m, struct m_package *package, struct m_node *n)
{
    if (n->kind == SCHEMA_LIST || n->kind == SCHEMA_MAP)
        return resolve_node(m, package, n->item);
    if (n->kind != SCHEMA_NONE)
        return true;
    size_t dot = str_rindex_c(n->spelled, '.');
    if (dot != SIZE_MAX)
        return resolve_name(m, n, str_slice(n->spelled, 0, dot), str_from(n->spelled, dot + 1));
    return resolve_name(m, n, package->name, n->spelled) || resolve_name(m, n, S("meta/v1"), n->spelled);
}

static err_code resolve_type(struct model *m, struct m_type *t, struct err *err)
{
    if (t->alias && !resolve_node(m, t->package, t->alias))
        return err_set(err, ERR_SYNTAX, "%" STR_FMT ":%d: '%" STR_FMT "' is not declared", STR_ARG(t->file),
                       t->line, STR_ARG(t->alias->spelled));
    if (t->either) {
        t->either_type = model_type_find(m, t->package->name, t->either_name);
        if (!t->either_type)
            return err_set(err, ERR_SYNTAX, "%" STR_FMT ":%d: type '%" STR_FMT "' is not declared",
                           STR_ARG(t->file), t->line, STR_ARG(t->either_name));
    }
    for (size_t i = 0; i < t->field_count; i++) {
        struct m_field *f = &t->fields[i];
        if (!resolve_node(m, t->package, f->node))
            return err_set(err, ERR_SYNTAX, "%" STR_FMT ":%d: type '%" STR_FMT "' is not declared",
                           STR_ARG(f->file), f->line, STR_ARG(f->node->spelled));
        if (f->inlined && (f->node->kind != SCHEMA_STRUCT || f->pointer))
            return err_set(err, ERR_SYNTAX, "%" STR_FMT ":%d: only a plain struct can stand inline",
                           STR_ARG(f->file), f->line);
    }
    return ERR_NONE;
}

static err_code check_kind(const struct m_kind *k, struct err *err)
{
    const char *wrong = NULL;
    if (k->class == SCHEMA_RESOURCE && (!k->plural.n || !k->scope_said))
        wrong = "a kind needs `plural` and `scope`, or `document CLASS`";
    else if (k->class != SCHEMA_RESOURCE && k->plural.n)
        wrong = "a document has no `plural`";
    else if (!k->package->served && k->class == SCHEMA_RESOURCE)
        wrong = "a resource's package needs a `group` line";
    if (!wrong)
        return ERR_NONE;
    return err_set(err, ERR_SYNTAX, "%" STR_FMT ":%d: kind '%" STR_FMT "': %s", STR_ARG(k->file), k->line,
                   STR_ARG(k->name), wrong);
}

static err_code check_unique(const struct model *m, struct err *err)
{
    for (size_t i = 0; i < m->type_count; i++) {
        const struct m_type *t = m->types[i];
        const struct m_type *first = model_type_find(m, t->package->name, t->name);
        if (first != t)
            return err_set(err, ERR_SYNTAX,
                           "%" STR_FMT ":%d: type '%" STR_FMT "' is declared in %" STR_FMT ":%d already",
                           STR_ARG(t->file), t->line, STR_ARG(t->name), STR_ARG(first->file), first->line);
    }
    for (size_t i = 0; i < m->enum_count; i++) {
        const struct m_enum *e = m->enums[i];
        if (model_enum_find(m, e->package->name, e->name) != e ||
            model_type_find(m, e->package->name, e->name))
            return err_set(err, ERR_SYNTAX, "%" STR_FMT ":%d: '%" STR_FMT "' is declared already",
                           STR_ARG(e->file), e->line, STR_ARG(e->name));
    }
    return ERR_NONE;
}

err_code model_load(struct model *m, const char *const *paths, size_t path_count, struct err *err)
{
    *m = (struct model){0};
    arena_init(&m->arena, 0);
    for (size_t i = 0; i < path_count; i++)
        if (parse_file(m, paths[i], err))
            return err->code;
    if (check_unique(m, err))
        return err->code;
    for (size_t i = 0; i < m->type_count; i++)
        if (resolve_type(m, m->types[i], err))
            return err->code;
    for (size_t i = 0; i < m->kind_count; i++)
        if (check_kind(m->kinds[i], err))
            return err->code;
    return ERR_NONE;
}
