/* yaml_parse.c - libyaml's events to a tree.
 * Values of the containers that are open lie on one stack, as members (an item has no name); when a container closes,
 * its own are copied into the arena in one run. An anchor keeps the tree that was built and what copying it costs, so an
 * alias is weighed before anything is copied.
 * There are errors of two kinds: of syntax, which end the parsing, and of meaning (a list as a key), which wait: the
 * original reads the whole document first, so an error of syntax behind one of meaning is the one it reports. */
#include "base/base64.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "wire/yaml_priv.h"
#include <math.h>
#include <stdarg.h>
#include <yaml.h>

enum {
    STACK_FIRST = 64,
    INDEX_FROM = 24,           /* members; fewer are compared one by one */
    ALIAS_TEXT_MAX = 64 << 20, /* bytes that copies by alias may add to what printing the tree takes */
    TAG_DIRECTIVES_MAX = 64,
    KEY_SHOWN_MAX = 1024,
    DUPLICATES_SHOWN_MAX = 4096,
};

/* A value, and what is known of it beyond its tree. */
struct node {
    struct json tree;          /* object, array or string; null where `scalar` says what it is */
    struct yaml_scalar scalar; /* kind YAML_IS_STRING: see tree */
    size_t values;             /* itself and all below, keys too */
    size_t text_size;          /* of its strings and names */
    unsigned height;           /* levels of containers */
    yaml_mark_t mark;
    bool is_merge; /* the key "<<" */
    bool is_alias;
};

struct anchor {
    struct node node;
    bool open; /* inside its own value */
};

struct key {
    str name;
    name_id id;
    bool is_string;
};

enum awaits { AWAITS_KEY, AWAITS_VALUE, AWAITS_MERGED };

/* A container that is open. */
struct frame {
    struct node node;      /* but for its tree */
    size_t base;           /* its first member on the stack */
    struct anchor *anchor; /* NULL: none */
    struct map *index;     /* of many members: name to number */
    enum awaits awaits;
    struct key key;
    bool is_object;
};

/* The first error of a kind that waits for the end of the document. */
struct deferred {
    struct err err;
    struct yaml_place place;
};

struct builder {
    yaml_parser_t parser;
    struct arena *a;
    const struct yaml_opts *opts;
    struct err *err;
    struct deferred meaning; /* found by what reads YAML */
    struct deferred json;    /* found by what makes JSON of it: the original does that last */
    struct buf duplicates;   /* messages, a line each */
    struct yaml_place duplicates_place;
    size_t depth_max, values_max;
    size_t values;                   /* so far, with copies */
    size_t alias_values, alias_text; /* of these copies */
    VEC(struct json_member) stack;
    struct map anchors; /* by name; in the arena */
    struct node root;
    struct frame *frame; /* innermost */
    struct frame frames[JSON_DEPTH_MAX + 1];
};

/* Failing. */

static void set_place(struct builder *b, struct yaml_place place)
{
    if (b->opts->place)
        *b->opts->place = place;
}

static struct yaml_place place_of(yaml_mark_t mark)
{
    return (struct yaml_place){mark.line + 1, mark.column + 1};
}

static PRINTF_LIKE(4, 5) bool fail_at(struct builder *b, yaml_mark_t mark, err_code code, const char *fmt,
                                      ...)
{
    char text[sizeof b->err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(b->err, code, "yaml: line %zu: %s", mark.line + 1, text);
    set_place(b, place_of(mark));
    return false;
}

static PRINTF_LIKE(3, 4) void defer(struct deferred *d, yaml_mark_t mark, const char *fmt, ...)
{
    if (d->err.code)
        return;
    char text[sizeof d->err.msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(&d->err, ERR_SYNTAX, "%s", text);
    d->place = place_of(mark);
}

/* Where byte `offset` of the text is. */
static struct yaml_place place_of_offset(const yaml_parser_t *p, size_t offset)
{
    const char *start = (const char *)p->input.string.start;
    size_t size = (size_t)(p->input.string.end - p->input.string.start);
    str before = str_of(start, size_min(offset, size)), line;
    size_t lines = 0;
    while (str_next(&before, '\n', &line))
        lines++;
    return (struct yaml_place){size_max(lines, 1), lines ? utf8_count(line) + 1 : 1};
}

/* The original's words, and the line it would name: counted from 0 for what its parser (not its scanner) finds, and left
 * out when that is 0. */
static bool fail_syntax(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        err_set(b->err, ERR_TOO_LARGE, "yaml: out of memory");
        return false;
    }
    size_t line = p->context_mark.line;
    if (p->problem_mark.line)
        line = p->problem_mark.line + (p->error == YAML_SCANNER_ERROR);
    const char *problem = p->problem ? p->problem : "unknown problem parsing YAML content";
    if (line)
        err_set(b->err, ERR_SYNTAX, "yaml: line %zu: %s", line, problem);
    else
        err_set(b->err, ERR_SYNTAX, "yaml: %s", problem);
    set_place(b, p->error == YAML_READER_ERROR ? place_of_offset(p, p->problem_offset)
                                               : place_of(p->problem_mark));
    return false;
}

static bool next_event(struct builder *b, yaml_event_t *ret)
{
    return yaml_parser_parse(&b->parser, ret) ? true : fail_syntax(b);
}

static bool fail_depth(struct builder *b, yaml_mark_t mark)
{
    return fail_at(b, mark, ERR_TOO_LARGE, "exceeded max depth of %zu", b->depth_max);
}

/* Counts values before they are made. */
static bool count_values(struct builder *b, size_t count, yaml_mark_t mark)
{
    if (count > b->values_max - b->values)
        return fail_at(b, mark, ERR_TOO_LARGE, "more than %zu values", b->values_max);
    b->values += count;
    return true;
}

/* Scalars. */

static str tag_of(const yaml_char_t *tag)
{
    return str_from_c((const char *)tag);
}

#define CORE_TAG "tag:yaml.org,2002:"

static const char *const kind_tags[] = {
    [YAML_IS_STRING] = "str", [YAML_IS_NULL] = "null",   [YAML_IS_BOOL] = "bool",      [YAML_IS_INT] = "int",
    [YAML_IS_UINT] = "int",   [YAML_IS_FLOAT] = "float", [YAML_IS_TIME] = "timestamp",
};

static struct json string_of(struct builder *b, str s)
{
    return json_of_str(s.n ? str_dup(b->a, s) : STR_NONE);
}

static struct json decode_binary(struct builder *b, str s, yaml_mark_t mark)
{
    CLEANUP(buf_done) struct buf bytes;
    buf_init(&bytes, s.n);
    struct err err;
    if (base64_decode(&bytes, s, BASE64_STD, &err)) {
        defer(&b->meaning, mark, "yaml: !!binary value contains invalid base64 data");
        return json_null();
    }
    struct buf text;
    buf_init_arena(&text, b->a, bytes.n * 3 + 1); /* a bad byte becomes three */
    utf8_add_valid(&text, buf_str(&bytes));
    return json_of_str(buf_str(&text));
}

/* A scalar with a tag of the core schema that says what it must be. */
static struct yaml_scalar resolve_tagged(struct builder *b, str name, str s, yaml_mark_t mark)
{
    struct yaml_scalar scalar = yaml_resolve(s, str_is(name, "timestamp"));
    const char *is = kind_tags[scalar.kind];
    if (str_is(name, "float") && scalar.kind == YAML_IS_INT)
        return (struct yaml_scalar){.kind = YAML_IS_FLOAT, .v.f = (double)scalar.v.i};
    if (!str_eq(name, str_from_c(is)))
        defer(&b->meaning, mark, "yaml: cannot decode !!%s `%" STR_FMT "` as a !!%" STR_FMT, is,
              STR_ARG(utf8_cut(s, KEY_SHOWN_MAX)), STR_ARG(name));
    return scalar;
}

static void resolve_scalar(struct builder *b, const yaml_event_t *event, struct node *node)
{
    static const str typed[] = {S_INIT("null"), S_INIT("bool"), S_INIT("int"), S_INIT("float"),
                                S_INIT("timestamp")};
    str s = str_of((const char *)event->data.scalar.value, event->data.scalar.length);
    str tag = tag_of(event->data.scalar.tag);
    bool core = str_take_prefix(&tag, S(CORE_TAG));
    node->is_merge = str_is(s, "<<") && (event->data.scalar.plain_implicit || (core && str_is(tag, "merge")));
    if (core && str_is(tag, "binary")) {
        node->tree = decode_binary(b, s, event->start_mark);
        node->text_size = node->tree.n;
        return;
    }
    if (!tag.n && event->data.scalar.plain_implicit)
        node->scalar = yaml_resolve(s, false);
    for (size_t i = 0; core && i < ARRAY_COUNT(typed); i++)
        if (str_eq(tag, typed[i]))
            node->scalar = resolve_tagged(b, tag, s, event->start_mark);
    if (node->scalar.kind == YAML_IS_TIME)
        node->scalar.kind = YAML_IS_STRING;
    if (node->scalar.kind == YAML_IS_STRING) {
        node->tree = string_of(b, s);
        node->text_size = s.n;
    }
}

/* By way of JSON's text, as for the original: 1.0 is 1. */
static struct json json_of_yaml_float(struct builder *b, double f, yaml_mark_t mark)
{
    if (!isfinite(f)) {
        defer(&b->json, mark, "json: unsupported value: %s", isnan(f) ? "NaN" : f > 0 ? "+Inf" : "-Inf");
        return json_null();
    }
    char storage[64];
    struct buf text = {.p = storage, .cap = sizeof storage, .max = sizeof storage};
    int64_t i = 0;
    if (f == 0) /* -0 too */
        return json_of_int(i);
    json_print_float(&text, f);
    return str_parse_i64(buf_str(&text), &i) ? json_of_int(i) : json_of_float(f);
}

static struct json json_of_node(struct builder *b, const struct node *node)
{
    const struct yaml_scalar *s = &node->scalar;
    switch (s->kind) {
    case YAML_IS_STRING:
    case YAML_IS_TIME: break;
    case YAML_IS_NULL: return json_null();
    case YAML_IS_BOOL: return json_of_bool(s->v.b);
    case YAML_IS_INT: return json_of_int(s->v.i);
    case YAML_IS_UINT: return json_of_float((double)s->v.u);
    case YAML_IS_FLOAT: return json_of_yaml_float(b, s->v.f, node->mark);
    }
    return node->tree;
}

/* Keys. */

/* As Go prints a value with %#v: what users know from templates that were not rendered. */
static void print_go(struct buf *out, const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_NULL: buf_add_lit(out, "interface {}(nil)"); return;
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INT: json_print(out, j, 0); return;
    case JSON_FLOAT: yaml_print_float(out, j->v.f, false); return;
    case JSON_STRING: utf8_add_quoted(out, utf8_cut(json_str(j), KEY_SHOWN_MAX)); return;
    case JSON_ARRAY: buf_add_lit(out, "[]interface {}{"); break;
    case JSON_OBJECT: buf_add_lit(out, "map[interface {}]interface {}{"); break;
    }
    for (uint32_t i = 0; i < j->n && !out->failed; i++) {
        if (i)
            buf_add_lit(out, ", ");
        if (j->type == JSON_OBJECT) {
            utf8_add_quoted(out, utf8_cut(json_member_name(&j->v.members[i]), KEY_SHOWN_MAX));
            buf_add_c(out, ':');
        }
        print_go(out, j->type == JSON_OBJECT ? &j->v.members[i].value : &j->v.items[i]);
    }
    buf_add_c(out, '}');
}

static void defer_container_key(struct builder *b, const struct node *node)
{
    char storage[sizeof b->err->msg];
    struct buf text = {.p = storage, .cap = sizeof storage, .max = sizeof storage};
    print_go(&text, &node->tree);
    defer(&b->meaning, node->mark, "yaml: invalid map key: %" STR_FMT, STR_ARG(buf_str(&text)));
}

static str name_of_scalar(struct builder *b, const struct node *node)
{
    const struct yaml_scalar *s = &node->scalar;
    struct buf text;
    buf_init_arena(&text, b->a, 64);
    switch (s->kind) {
    case YAML_IS_STRING:
    case YAML_IS_TIME: return json_str(&node->tree);
    case YAML_IS_NULL: defer(&b->json, node->mark, "unsupported map key of type: null"); break;
    case YAML_IS_UINT: defer(&b->json, node->mark, "unsupported map key of type: uint64"); break;
    case YAML_IS_BOOL: return s->v.b ? S("true") : S("false");
    case YAML_IS_INT: buf_add_i64(&text, s->v.i); break;
    case YAML_IS_FLOAT:
        yaml_print_float(&text, s->v.f, true);
        break; /* narrow: an accident of the original's */
    }
    return buf_str(&text);
}

static struct key key_of(struct builder *b, const struct node *node)
{
    struct key key = {.is_string = node->scalar.kind == YAML_IS_STRING};
    if (json_is_container(&node->tree)) {
        defer_container_key(b, node);
        return key;
    }
    key.name = name_of_scalar(b, node);
    if (b->opts->names)
        key.id = intern_find(b->opts->names, key.name);
    if (key.id)
        key.name = intern_name(b->opts->names, key.id);
    return key;
}

/* Members. */

static bool push(struct builder *b, struct json_member member)
{
    if (UNLIKELY(b->stack.count == b->stack.cap)) {
        /* All of it will be asked of the arena in the end: refuse early what will not fit there. */
        size_t size = b->stack.count * sizeof member.value;
        if (b->a->budget && (b->a->used > b->a->budget || size > b->a->budget - b->a->used)) {
            b->a->exceeded = true;
            return false;
        }
    }
    vec_push(&b->stack, member);
    return true;
}

static struct map *index_new(struct builder *b, struct json_member *members, size_t count)
{
    /* Against names made to collide: addresses, which nobody outside knows, are enough, for only time is at stake. */
    uint64_t key[2] = {(uint64_t)(uintptr_t)b, (uint64_t)(uintptr_t)members};
    struct map *index = NEW(struct map);
    map_init(index, key, MAP_BORROW_KEYS);
    for (size_t i = 0; i < count; i++)
        map_put(index, json_member_name(&members[i]), NULL)->value.n = i;
    return index;
}

static void index_free(struct map *index)
{
    if (index)
        map_done(index);
    mem_free(index);
}

/* The member of this name; NULL when there is none yet: it will be the next on the stack. */
static struct json_member *find_member(struct builder *b, struct frame *f, str name)
{
    struct json_member *members = b->stack.items + f->base;
    size_t count = b->stack.count - f->base;
    if (count < INDEX_FROM) {
        for (size_t i = 0; i < count; i++)
            if (str_eq(json_member_name(&members[i]), name))
                return &members[i];
        return NULL;
    }
    if (!f->index)
        f->index = index_new(b, members, count);
    bool added;
    struct map_entry *e = map_put(f->index, name, &added);
    if (added)
        e->value.n = count;
    return added ? NULL : &members[e->value.n];
}

static void tell_duplicate(struct builder *b, const struct key *key, yaml_mark_t mark)
{
    if (!(b->opts->flags & YAML_DUPLICATES_ERROR) && !b->opts->on_duplicate)
        return;
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, KEY_SHOWN_MAX * 12);
    buf_add_f(&text, "line %zu: key ", mark.line + 1);
    str shown = utf8_cut(key->name, KEY_SHOWN_MAX);
    if (key->is_string)
        utf8_add_quoted(&text, shown);
    else
        buf_add(&text, shown);
    buf_add_lit(&text, " already set in map");
    if (b->opts->on_duplicate)
        b->opts->on_duplicate(b->opts->ctx, buf_str(&text));
    if (!b->duplicates.n)
        b->duplicates_place = place_of(mark);
    buf_add_lit(&b->duplicates, "\n  ");
    buf_add(&b->duplicates, buf_str(&text));
}

static bool put(struct builder *b, struct frame *f, const struct key *key, struct json value,
                yaml_mark_t mark)
{
    struct json_member *m = find_member(b, f, key->name);
    if (m) {
        tell_duplicate(b, key, mark);
        m->value = value;
        return true;
    }
    str name = key->name;
    return push(b,
                (struct json_member){
                    .name = name.n ? name.p : "", .name_n = (uint32_t)name.n, .id = key->id, .value = value});
}

static bool put_all(struct builder *b, struct frame *f, const struct json *object, yaml_mark_t mark)
{
    for (uint32_t i = 0; i < object->n; i++) {
        const struct json_member *m = &object->v.members[i];
        struct key key = {.name = json_member_name(m), .id = m->id, .is_string = true};
        if (!put(b, f, &key, m->value, mark))
            return false;
    }
    return true;
}

static bool is_mergeable(const struct node *node)
{
    const struct json *j = &node->tree;
    for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->n; i++)
        if (node->is_alias || j->v.items[i].type != JSON_OBJECT)
            return false;
    return json_is_container(j) && !(j->type == JSON_ARRAY && node->is_alias);
}

/* What `<<` brings: an object, or objects of which the first that has a name wins. */
static bool merge(struct builder *b, struct frame *f, const struct node *node)
{
    if (!is_mergeable(node)) {
        defer(&b->meaning, node->mark, "yaml: map merge requires map or sequence of maps as the value");
        return true;
    }
    if (node->tree.type == JSON_OBJECT)
        return put_all(b, f, &node->tree, node->mark);
    for (uint32_t i = node->tree.n; i-- > 0;)
        if (!put_all(b, f, &node->tree.v.items[i], node->mark))
            return false;
    return true;
}

/* A value is complete: it goes into the innermost container. */
static bool complete(struct builder *b, const struct node *node)
{
    struct frame *f = b->frame;
    if (f == b->frames) {
        b->root = *node;
        return true;
    }
    f->node.values += node->values;
    f->node.text_size += node->text_size;
    if (f->node.height <= node->height)
        f->node.height = node->height + 1;
    if (!f->is_object)
        return push(b, (struct json_member){.value = json_of_node(b, node)});
    switch (f->awaits) {
    case AWAITS_KEY:
        f->awaits = node->is_merge ? AWAITS_MERGED : AWAITS_VALUE;
        if (!node->is_merge)
            f->key = key_of(b, node);
        return true;
    case AWAITS_VALUE: f->awaits = AWAITS_KEY; return put(b, f, &f->key, json_of_node(b, node), node->mark);
    case AWAITS_MERGED: f->awaits = AWAITS_KEY; return merge(b, f, node);
    }
    return true;
}

/* Events. */

/* NULL when there is none. */
static struct anchor *anchor_new(struct builder *b, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    struct anchor *anchor = ARENA_NEW(b->a, struct anchor);
    anchor->open = true;
    map_set(&b->anchors, str_dup(b->a, tag_of(name)), anchor);
    return anchor;
}

static void anchor_fill(struct anchor *anchor, const struct node *node)
{
    if (anchor)
        *anchor = (struct anchor){.node = *node};
}

static bool on_scalar(struct builder *b, const yaml_event_t *event)
{
    struct node node = {.values = 1, .mark = event->start_mark};
    if (!count_values(b, 1, event->start_mark))
        return false;
    resolve_scalar(b, event, &node);
    anchor_fill(anchor_new(b, event->data.scalar.anchor), &node);
    return complete(b, &node);
}

static bool on_start(struct builder *b, const yaml_event_t *event, bool is_object, const yaml_char_t *anchor)
{
    if (!count_values(b, 1, event->start_mark))
        return false;
    if ((size_t)(b->frame - b->frames) >= b->depth_max)
        return fail_depth(b, event->start_mark);
    *++b->frame = (struct frame){
        .node = {.values = 1, .height = 1, .mark = event->start_mark},
        .base = b->stack.count,
        .anchor = anchor_new(b, anchor),
        .is_object = is_object,
    };
    return true;
}

static bool on_end(struct builder *b)
{
    struct frame *f = b->frame--;
    const struct json_member *members = b->stack.items + f->base;
    size_t count = b->stack.count - f->base;
    struct json *tree = &f->node.tree;
    *tree = f->is_object ? json_object() : json_array();
    tree->n = (uint32_t)count;
    if (count && f->is_object)
        tree->v.members = arena_dup(b->a, members, count * sizeof *members, _Alignof(struct json_member));
    else if (count)
        tree->v.items = arena_alloc(b->a, count * sizeof *tree, _Alignof(struct json));
    for (size_t i = 0; !f->is_object && i < count; i++)
        tree->v.items[i] = members[i].value;
    b->stack.count = f->base;
    index_free(f->index);
    anchor_fill(f->anchor, &f->node);
    return complete(b, &f->node);
}

/* The share of all values that may come from aliases: the original's rule. */
static bool is_excessive(size_t values, size_t alias_values)
{
    const double few = 400000, many = 4000000;
    double n = (double)values, share = 0.99;
    if (n >= many)
        share = 0.10;
    else if (n > few)
        share = 0.99 - 0.89 * ((n - few) / (many - few));
    return alias_values > 100 && values > 1000 && (double)alias_values / n > share;
}

static bool on_alias(struct builder *b, const yaml_event_t *event)
{
    yaml_mark_t mark = event->start_mark;
    str name = tag_of(event->data.alias.anchor);
    const struct anchor *anchor = map_find(&b->anchors, name);
    if (!anchor) {
        err_set(b->err, ERR_SYNTAX, "yaml: unknown anchor '%" STR_FMT "' referenced", STR_ARG(name));
        set_place(b, place_of(mark));
        return false;
    }
    const struct node *from = &anchor->node;
    struct node node = {.values = 1, .mark = mark, .is_alias = true, .scalar.kind = YAML_IS_NULL};
    if (!count_values(b, 1, mark))
        return false;
    if (anchor->open) {
        defer(&b->meaning, mark, "yaml: anchor '%" STR_FMT "' value contains itself", STR_ARG(name));
        return complete(b, &node);
    }
    if (is_excessive(b->values + from->values, b->alias_values + from->values) ||
        from->text_size > ALIAS_TEXT_MAX - b->alias_text) {
        defer(&b->meaning, mark, "yaml: document contains excessive aliasing");
        return complete(b, &node);
    }
    if ((size_t)(b->frame - b->frames) + from->height > b->depth_max)
        return fail_depth(b, mark);
    if (!count_values(b, from->values, mark))
        return false;
    b->alias_values += from->values;
    b->alias_text += from->text_size;
    node = *from;
    node.tree = json_clone(b->a, &from->tree);
    node.values++;
    node.mark = mark;
    node.is_alias = true;
    node.is_merge = false;
    return complete(b, &node);
}

static bool on_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: return on_scalar(b, event);
    case YAML_ALIAS_EVENT: return on_alias(b, event);
    case YAML_SEQUENCE_START_EVENT: return on_start(b, event, false, event->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT: return on_start(b, event, true, event->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_end(b);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT: break;
    }
    return true;
}

/* Documents. */

/* Takes one event of which only the type matters. */
static bool take_event(struct builder *b, yaml_event_type_t *ret_type, yaml_mark_t *ret_mark)
{
    yaml_event_t event;
    if (!next_event(b, &event))
        return false;
    *ret_type = event.type;
    *ret_mark = event.start_mark;
    yaml_event_delete(&event);
    return true;
}

static bool parse_root(struct builder *b)
{
    do {
        yaml_event_t event;
        if (!next_event(b, &event))
            return false;
        bool ok = on_event(b, &event);
        yaml_event_delete(&event);
        if (UNLIKELY(arena_check(b->a, b->err)) || !ok)
            return false;
    } while (b->frame > b->frames);
    return true;
}

/* Behind the document there may be others that are empty: `---` at the end. */
static bool check_rest(struct builder *b)
{
    yaml_event_type_t type;
    yaml_mark_t mark;
    while (take_event(b, &type, &mark)) {
        if (type == YAML_STREAM_END_EVENT)
            return true;
        yaml_event_t event;
        if (!next_event(b, &event))
            return false;
        bool empty = event.type == YAML_SCALAR_EVENT && event.data.scalar.length == 0 &&
                     event.data.scalar.plain_implicit && !event.data.scalar.anchor;
        yaml_event_delete(&event);
        if (!empty)
            return fail_at(b, mark, ERR_SYNTAX, "a second document begins here, one is expected");
        if (!take_event(b, &type, &mark))
            return false;
    }
    return false;
}

static bool parse_document(struct builder *b)
{
    yaml_event_type_t type;
    yaml_mark_t mark;
    b->root = (struct node){.tree = json_null()};
    if (!take_event(b, &type, &mark) || !take_event(b, &type, &mark))
        return false;
    if (type == YAML_STREAM_END_EVENT)
        return true;
    if (!count_values(b, 1, mark) || !parse_root(b) || !take_event(b, &type, &mark))
        return false;
    return (b->opts->flags & YAML_BODY) || check_rest(b);
}

static err_code finish_with(struct builder *b, const struct deferred *d)
{
    *b->err = d->err;
    set_place(b, d->place);
    return d->err.code;
}

static err_code finish(struct builder *b, struct json *ret)
{
    struct json tree = json_of_node(b, &b->root);
    if (b->meaning.err.code)
        return finish_with(b, &b->meaning);
    if ((b->opts->flags & YAML_DUPLICATES_ERROR) && b->duplicates.n) {
        set_place(b, b->duplicates_place);
        return err_set(b->err, ERR_SYNTAX, "yaml: unmarshal errors:%" STR_FMT,
                       STR_ARG(buf_str(&b->duplicates)));
    }
    if (b->json.err.code)
        return finish_with(b, &b->json);
    *ret = tree;
    return ERR_NONE;
}

/* libyaml compares each %TAG with those before, and each tag with all of them. */
static bool has_many_tag_directives(str text)
{
    size_t count = 0;
    for (size_t at; (at = str_index(text, S("%TAG"))) != SIZE_MAX; text = str_from(text, at + 4))
        if (at == 0 || (unsigned char)text.p[at - 1] < ' ' || (unsigned char)text.p[at - 1] > '~')
            count++;
    return count > TAG_DIRECTIVES_MAX;
}

static bool builder_init(struct builder *b, struct arena *a, str text, const struct yaml_opts *opts,
                         struct err *err)
{
    ASSERT(opts->depth_max <= JSON_DEPTH_MAX);
    b->a = a;
    b->opts = opts;
    b->err = err;
    b->meaning.err.code = b->json.err.code = ERR_NONE;
    b->depth_max = opts->depth_max ? opts->depth_max : JSON_DEPTH_MAX;
    b->values_max = opts->values_max ? opts->values_max : YAML_VALUES_MAX;
    b->values = b->alias_values = b->alias_text = 0;
    b->stack.items = NULL;
    b->stack.count = b->stack.cap = 0;
    vec_reserve(&b->stack, STACK_FIRST);
    b->frame = b->frames; /* [0] is never a container */
    buf_init(&b->duplicates, DUPLICATES_SHOWN_MAX);
    map_init(&b->anchors, (uint64_t[]){(uint64_t)(uintptr_t)b, (uint64_t)(uintptr_t)text.p}, MAP_BORROW_KEYS);
    if (!yaml_parser_initialize(&b->parser))
        return fail_syntax(b);
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    return true;
}

static void builder_done(struct builder *b)
{
    yaml_parser_delete(&b->parser);
    for (struct frame *f = b->frame; f > b->frames; f--)
        index_free(f->index);
    vec_done(&b->stack);
    map_done(&b->anchors);
    buf_done(&b->duplicates);
}

static err_code check_text(str text, const struct yaml_opts *opts, struct err *err)
{
    size_t max = opts->size_max ? opts->size_max : YAML_SIZE_MAX;
    if (text.n > max)
        return err_set(err, ERR_TOO_LARGE, "yaml: the text has more than %zu bytes", max);
    if (str_starts(text, S("\xff\xfe")) || str_starts(text, S("\xfe\xff")))
        return err_set(err, ERR_SYNTAX, "yaml: the text is UTF-16: save it as UTF-8");
    if (has_many_tag_directives(text))
        return err_set(err, ERR_TOO_LARGE, "yaml: more than %d %%TAG directives", TAG_DIRECTIVES_MAX);
    return ERR_NONE;
}

err_code yaml_parse_events(struct arena *a, str text, const struct yaml_opts *opts, struct json *ret,
                           struct err *err)
{
    if (check_text(text, opts, err))
        return err->code;
    struct builder b;
    bool ok = builder_init(&b, a, text, opts, err) && parse_document(&b);
    err_code code = ok ? finish(&b, ret) : err->code;
    builder_done(&b);
    return code;
}
