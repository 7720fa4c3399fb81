/* field_set.c - the algebra of field sets, and their JSON. */
#include "api/field_set.h"
#include "base/utf8.h"
#include "base/vec.h"

enum { TEXT_SIZE_MAX = 1 << 24 };

/* --- order --- */

static int rank(const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_INT:
    case JSON_FLOAT: return 0;
    case JSON_STRING: return 1;
    case JSON_FALSE:
    case JSON_TRUE: return 2;
    case JSON_ARRAY: return 3;
    case JSON_OBJECT: return 4;
    case JSON_NULL: return 5;
    }
    return 5;
}

static int number_cmp(const struct json *x, const struct json *y)
{
    if (x->type == JSON_INT && y->type == JSON_INT)
        return (x->v.i > y->v.i) - (x->v.i < y->v.i);
    double a = x->type == JSON_INT ? (double)x->v.i : x->v.f;
    double b = y->type == JSON_INT ? (double)y->v.i : y->v.f;
    return (a > b) - (a < b);
}

static int array_cmp(const struct json *x, const struct json *y)
{
    for (uint32_t i = 0; i < x->n && i < y->n; i++) {
        int c = field_value_cmp(&x->v.items[i], &y->v.items[i]);
        if (c)
            return c;
    }
    return (x->n > y->n) - (x->n < y->n);
}

/* Both sorted by name. */
static int object_cmp(const struct json *x, const struct json *y)
{
    for (uint32_t i = 0; i < x->n && i < y->n; i++) {
        const struct json_member *a = &x->v.members[i], *b = &y->v.members[i];
        int c = str_cmp(json_member_name(a), json_member_name(b));
        if (c == 0)
            c = field_value_cmp(&a->value, &b->value);
        if (c)
            return c;
    }
    return (x->n > y->n) - (x->n < y->n);
}

int field_value_cmp(const struct json *x, const struct json *y)
{
    int by_rank = rank(x) - rank(y);
    if (by_rank)
        return by_rank;
    switch ((enum json_type)x->type) {
    case JSON_INT:
    case JSON_FLOAT: return number_cmp(x, y);
    case JSON_STRING: return str_cmp(json_str(x), json_str(y));
    case JSON_FALSE:
    case JSON_TRUE: return x->type - y->type;
    case JSON_ARRAY: return array_cmp(x, y);
    case JSON_OBJECT: return object_cmp(x, y);
    case JSON_NULL: return 0;
    }
    return 0;
}

int field_element_cmp_slow(const struct field_element *x, const struct field_element *y)
{
    return x->kind == FIELD_KEY ? object_cmp(x->value, y->value) : field_value_cmp(x->value, y->value);
}

static int node_cmp(const void *x, const void *y, void *ctx)
{
    return field_element_cmp(&((const struct field_node *)x)->at, &((const struct field_node *)y)->at);
}

/* --- collecting --- */

struct field_node *field_stack_push_slow(struct field_stack *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : 64;
    s->items = arena_grow(s->a, s->items, s->cap * sizeof *s->items, cap * sizeof *s->items,
                          _Alignof(struct field_node));
    s->cap = cap;
    return &s->items[s->count++];
}

static bool is_ordered(const struct field_node *nodes, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (field_element_cmp(&nodes[i - 1].at, &nodes[i].at) >= 0)
            return false;
    return true;
}

static uint32_t merge_equal(struct arena *a, struct field_node *nodes, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct field_node *last = kept ? &nodes[kept - 1] : NULL;
        if (!last || field_element_cmp(&last->at, &nodes[i].at)) {
            nodes[kept++] = nodes[i];
            continue;
        }
        last->in |= nodes[i].in;
        last->below = field_set_union(a, last->below, nodes[i].below);
    }
    return kept;
}

struct field_set field_stack_take(struct field_stack *s, uint32_t base)
{
    uint32_t count = s->count - base;
    if (!count)
        return FIELD_SET_EMPTY;
    struct field_node *nodes = s->items + base;
    s->count = base;
    if (!is_ordered(nodes, count)) {
        vec_sort(nodes, count, sizeof *nodes, node_cmp, NULL);
        count = merge_equal(s->a, nodes, count);
    }
    return (struct field_set){arena_dup(s->a, nodes, count * sizeof *nodes, _Alignof(struct field_node)),
                              count};
}

/* --- reading --- */

struct reader {
    struct arena *a;
    struct field_stack stack;
    bool canonical;
    struct err *err;
};

static void print_value(struct buf *out, const struct field_element *e)
{
    json_print(out, e->value, JSON_HTML | JSON_SORTED);
}

static str text_of(struct arena *a, const struct field_element *e)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_SIZE_MAX);
    print_value(&b, e);
    return buf_str(&b);
}

/* Nearly every key is written so: {"name":"web"}, {"containerPort":80,"protocol":"TCP"}. These take what is plain off the
 * front, text without escapes and small numbers, written as it would be written again; false: anything else. */
static bool take_plain_text(str *rest, str *ret)
{
    if (rest->n == 0 || rest->p[0] != '"')
        return false;
    for (size_t i = 1; i < rest->n; i++) {
        unsigned char c = (unsigned char)rest->p[i];
        if (c == '"') {
            *ret = str_slice(*rest, 1, i);
            *rest = str_from(*rest, i + 1);
            return true;
        }
        if (c < 0x20 || c >= 0x7f || c == '\\' || c == '<' || c == '>' || c == '&')
            return false;
    }
    return false;
}

static bool take_plain_number(str *rest, int64_t *ret)
{
    enum { DIGITS_MAX = 9 };
    size_t n = 0;
    while (n < rest->n && n <= DIGITS_MAX && rest->p[n] >= '0' && rest->p[n] <= '9')
        n++;
    if (n == 0 || n > DIGITS_MAX || (n > 1 && rest->p[0] == '0'))
        return false;
    str_parse_i64(str_slice(*rest, 0, n), ret);
    *rest = str_from(*rest, n);
    return true;
}

static bool take_plain_scalar(str *rest, struct json *ret)
{
    str text;
    int64_t number;
    if (take_plain_text(rest, &text))
        *ret = json_of_str(text);
    else if (take_plain_number(rest, &number))
        *ret = json_of_int(number);
    else
        return false;
    return true;
}

static bool read_plain_key(struct arena *a, str text, struct json *ret)
{
    enum { KEYS_MAX = 4 };
    struct json_member members[KEYS_MAX];
    uint32_t n = 0;
    str name, last = STR_NONE;
    if (!str_take_prefix(&text, S("{")))
        return false;
    do {
        if (n == KEYS_MAX || !take_plain_text(&text, &name) || !str_take_prefix(&text, S(":")))
            return false;
        members[n] = (struct json_member){.name = name.p, .name_n = (uint32_t)name.n};
        if ((n && str_cmp(last, name) >= 0) || !take_plain_scalar(&text, &members[n++].value))
            return false;
        last = name;
    } while (str_take_prefix(&text, S(",")));
    if (!str_is(text, "}"))
        return false;
    *ret = (struct json){.type = JSON_OBJECT, .n = n};
    ret->v.members = arena_dup(a, members, n * sizeof *members, _Alignof(struct json_member));
    return true;
}

/* `text` is JSON. The element keeps how it is written canonically. */
static bool read_value(struct reader *r, str text, enum field_kind kind, struct field_element *ret)
{
    struct json *value = arena_alloc(r->a, sizeof *value, _Alignof(struct json));
    str rest = text;
    if (kind == FIELD_KEY ? read_plain_key(r->a, text, value) : take_plain_scalar(&rest, value) && !rest.n) {
        *ret = (struct field_element){
            .kind = (uint8_t)kind, .prefixed = true, .n = (uint32_t)text.n, .p = text.p, .value = value};
        return true;
    }
    if (json_parse(r->a, text, NULL, value, r->err)) {
        err_wrap_as(r->err, ERR_BAD_REQUEST, "parsing key as path element");
        return false;
    }
    if (kind == FIELD_KEY && value->type != JSON_OBJECT) {
        err_set(r->err, ERR_BAD_REQUEST, "parsing key as path element: keys are an object: %" STR_FMT,
                STR_ARG(text));
        return false;
    }
    json_sort_members(value, true);
    *ret = (struct field_element){.kind = (uint8_t)kind, .value = value};
    str canonical = text_of(r->a, ret);
    bool same = str_eq(canonical, text);
    r->canonical = r->canonical && same;
    ret->prefixed = same;
    ret->p = same ? text.p : canonical.p;
    ret->n = (uint32_t)(same ? text.n : canonical.n);
    return true;
}

static bool read_index(struct reader *r, str text, struct field_element *ret)
{
    int64_t i;
    str digits = text;
    if (digits.n && digits.p[0] == '+')
        digits = str_from(digits, 1);
    if (!str_parse_i64(digits, &i)) {
        err_set(r->err, ERR_BAD_REQUEST, "strconv.Atoi: parsing \"%" STR_FMT "\": invalid syntax",
                STR_ARG(text));
        return false;
    }
    struct json *value = ARENA_NEW(r->a, struct json);
    *value = json_of_int(i);
    *ret = (struct field_element){.kind = FIELD_INDEX, .value = value};
    str canonical = text_of(r->a, ret);
    r->canonical = r->canonical && str_eq(canonical, text);
    ret->p = canonical.p;
    ret->n = (uint32_t)canonical.n;
    return true;
}

/* *ret_known false: of a kind that a later version may know; such nodes are dropped. */
static bool read_element(struct reader *r, str name, struct field_element *ret, bool *ret_known)
{
    *ret_known = true;
    if (name.n < 2 || name.p[1] != ':') {
        err_set(r->err, ERR_BAD_REQUEST, "%s%" STR_FMT,
                name.n < 2 ? "key must be 2 characters long:" : "missing colon: ", STR_ARG(name));
        return false;
    }
    str text = str_from(name, 2);
    switch (name.p[0]) {
    case 'f':
        *ret = field_name(text);
        ret->prefixed = true;
        return true;
    case 'k': return read_value(r, text, FIELD_KEY, ret);
    case 'v': return read_value(r, text, FIELD_VALUE, ret);
    case 'i': return read_index(r, text, ret);
    default: *ret_known = r->canonical = false; return true;
    }
}

static bool read_level(struct reader *r, const struct json *j, struct field_set *ret, bool *ret_is_field);

static bool read_node(struct reader *r, const struct json_member *m)
{
    struct field_element at;
    struct field_set below;
    bool known, is_field;
    if (!read_element(r, json_member_name(m), &at, &known))
        return false;
    if (!known)
        return true;
    if (!read_level(r, &m->value, &below, &is_field))
        return false;
    field_stack_add(&r->stack, &at, below, is_field ? FIELD_IN : 0);
    return true;
}

static bool read_level(struct reader *r, const struct json *j, struct field_set *ret, bool *ret_is_field)
{
    uint32_t base = r->stack.count;
    bool is_field = false;
    if (j->type != JSON_OBJECT && j->type != JSON_NULL) {
        err_set(r->err, ERR_BAD_REQUEST, "a set of fields is made of objects");
        return false;
    }
    for (uint32_t i = 0; i < json_count(j); i++) {
        const struct json_member *m = &j->v.members[i];
        if (str_is(json_member_name(m), ".")) {
            is_field = true;
            r->canonical = r->canonical && i == 0 && j->n > 1;
        } else if (!read_node(r, m)) {
            return false;
        }
    }
    if (r->stack.count > base && !is_ordered(r->stack.items + base, r->stack.count - base))
        r->canonical = false;
    *ret = field_stack_take(&r->stack, base);
    r->canonical = r->canonical && j->type == JSON_OBJECT;
    *ret_is_field = is_field || ret->count == 0;
    return true;
}

err_code field_set_read(struct arena *a, const struct json *fields, struct field_set *ret,
                        bool *ret_canonical, struct err *err)
{
    struct reader r = {.a = a, .stack = {.a = a}, .canonical = true, .err = err};
    struct field_set set;
    bool whole; /* the document itself: nobody owns it */
    if (!read_level(&r, fields, &set, &whole))
        return err->code;
    if (json_find(fields, S(".")))
        r.canonical = false;
    *ret = set;
    if (ret_canonical)
        *ret_canonical = r.canonical;
    return ERR_NONE;
}

/* --- writing --- */

static str member_name(struct arena *a, const struct field_element *e)
{
    static const char letters[] = {
        [FIELD_NAME] = 'f', [FIELD_KEY] = 'k', [FIELD_VALUE] = 'v', [FIELD_INDEX] = 'i'};
    if (e->prefixed)
        return (str){e->p - 2, e->n + (size_t)2};
    if (!e->p) {
        struct buf b;
        buf_init_arena(&b, a, TEXT_SIZE_MAX);
        buf_add_c(&b, letters[e->kind]);
        buf_add_c(&b, ':');
        print_value(&b, e);
        return buf_str(&b);
    }
    char *p = arena_alloc(a, e->n + (size_t)2, 1);
    p[0] = letters[e->kind];
    p[1] = ':';
    memcpy(p + 2, e->p, e->n);
    return (str){p, e->n + (size_t)2};
}

static struct json write_level(struct arena *a, struct field_set s, bool with_self)
{
    struct json_member *members = arena_alloc(a, (s.count + (size_t)with_self) * sizeof *members,
                                              _Alignof(struct json_member));
    struct json_member *to = members;
    if (with_self)
        *to++ = (struct json_member){.name = ".", .name_n = 1, .value = json_object()};
    for (uint32_t i = 0; i < s.count; i++) {
        const struct field_node *node = &s.nodes[i];
        str name = member_name(a, &node->at);
        *to++ = (struct json_member){.name = name.p,
                                     .name_n = (uint32_t)name.n,
                                     .value = node->below.count ? write_level(a, node->below, node->in)
                                                                : json_object()};
    }
    return (struct json){.type = JSON_OBJECT, .n = s.count + with_self, .v.members = members};
}

struct json field_set_write(struct arena *a, struct field_set s)
{
    return s.count ? write_level(a, s, false) : json_object();
}

/* --- questions --- */

bool field_set_equal(struct field_set x, struct field_set y)
{
    if (x.count != y.count)
        return false;
    if (x.nodes == y.nodes)
        return true;
    for (uint32_t i = 0; i < x.count; i++)
        if (!x.nodes[i].in != !y.nodes[i].in || field_element_cmp(&x.nodes[i].at, &y.nodes[i].at) ||
            !field_set_equal(x.nodes[i].below, y.nodes[i].below))
            return false;
    return true;
}

bool field_set_within(struct field_set x, struct field_set y)
{
    uint32_t j = 0;
    for (uint32_t i = 0; i < x.count; i++, j++) {
        int c = -1;
        while (j < y.count && (c = field_element_cmp(&y.nodes[j].at, &x.nodes[i].at)) < 0)
            j++;
        if (j == y.count || c > 0 || (x.nodes[i].in && !y.nodes[j].in) ||
            !field_set_within(x.nodes[i].below, y.nodes[j].below))
            return false;
    }
    return true;
}

const struct field_node *field_set_find(struct field_set s, const struct field_element *at)
{
    for (uint32_t low = 0, high = s.count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        int c = field_element_cmp(&s.nodes[middle].at, at);
        if (c == 0)
            return &s.nodes[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool field_set_has(struct field_set s, const struct field_element *path, size_t path_n)
{
    const struct field_node *node = NULL;
    for (size_t i = 0; i < path_n; i++) {
        node = field_set_find(s, &path[i]);
        if (!node)
            return false;
        s = node->below;
    }
    return node && node->in;
}

size_t field_set_size(struct field_set s)
{
    size_t size = 0;
    for (uint32_t i = 0; i < s.count; i++)
        size += (s.nodes[i].in ? 1 : 0) + field_set_size(s.nodes[i].below);
    return size;
}

/* --- algebra --- */

/* A node of a result: kept if it is a field or has some below it. */
static void keep(struct field_node **to, const struct field_node *from, unsigned in, struct field_set below)
{
    if (!in && !below.count)
        return;
    **to = (struct field_node){.at = from->at, .below = below, .in = (uint8_t)in};
    (*to)++;
}

static struct field_node *room(struct arena *a, size_t count)
{
    return arena_alloc(a, count * sizeof(struct field_node), _Alignof(struct field_node));
}

static struct field_set taken(const struct field_node *nodes, const struct field_node *end)
{
    return (struct field_set){nodes, (uint32_t)(end - nodes)};
}

struct field_set field_set_union(struct arena *a, struct field_set x, struct field_set y)
{
    if (!y.count || x.nodes == y.nodes)
        return x;
    if (!x.count)
        return y;
    struct field_node *nodes = room(a, (size_t)x.count + y.count), *to = nodes;
    uint32_t i = 0, j = 0;
    while (i < x.count && j < y.count) {
        int c = field_element_cmp(&x.nodes[i].at, &y.nodes[j].at);
        if (c < 0) {
            *to++ = x.nodes[i++];
        } else if (c > 0) {
            *to++ = y.nodes[j++];
        } else {
            keep(&to, &x.nodes[i], x.nodes[i].in | y.nodes[j].in,
                 field_set_union(a, x.nodes[i].below, y.nodes[j].below));
            i++;
            j++;
        }
    }
    while (i < x.count)
        *to++ = x.nodes[i++];
    while (j < y.count)
        *to++ = y.nodes[j++];
    return taken(nodes, to);
}

struct field_set field_set_intersect(struct arena *a, struct field_set x, struct field_set y)
{
    if (!x.count || !y.count)
        return FIELD_SET_EMPTY;
    struct field_node *nodes = room(a, x.count < y.count ? x.count : y.count), *to = nodes;
    for (uint32_t i = 0, j = 0; i < x.count && j < y.count;) {
        int c = field_element_cmp(&x.nodes[i].at, &y.nodes[j].at);
        if (c == 0)
            keep(&to, &x.nodes[i], y.nodes[j].in ? x.nodes[i].in : 0,
                 field_set_intersect(a, x.nodes[i].below, y.nodes[j].below));
        i += c <= 0;
        j += c >= 0;
    }
    return taken(nodes, to);
}

static struct field_set minus(struct arena *a, struct field_set x, struct field_set y, bool deep)
{
    if (!x.count || !y.count)
        return x;
    struct field_node *nodes = room(a, x.count), *to = nodes;
    for (uint32_t i = 0, j = 0; i < x.count;) {
        const struct field_node *node = &x.nodes[i];
        int c = j < y.count ? field_element_cmp(&node->at, &y.nodes[j].at) : -1;
        if (c > 0) {
            j++;
            continue;
        }
        if (c < 0)
            *to++ = *node;
        else if (!deep || !y.nodes[j].in)
            keep(&to, node, y.nodes[j].in ? 0 : node->in, minus(a, node->below, y.nodes[j].below, deep));
        i++;
    }
    return taken(nodes, to);
}

struct field_set field_set_minus(struct arena *a, struct field_set x, struct field_set y)
{
    return minus(a, x, y, false);
}

struct field_set field_set_minus_deep(struct arena *a, struct field_set x, struct field_set y)
{
    return minus(a, x, y, true);
}

struct field_set field_set_select(struct arena *a, struct field_set s, unsigned in)
{
    if (!s.count)
        return s;
    struct field_node *nodes = room(a, s.count), *to = nodes;
    for (uint32_t i = 0; i < s.count; i++)
        keep(&to, &s.nodes[i], s.nodes[i].in & in ? FIELD_IN : 0, field_set_select(a, s.nodes[i].below, in));
    return taken(nodes, to);
}

/* --- patterns --- */

/* What is left of each pattern below an element that it matches; *ret_whole: one of them ends here. */
static size_t follow(const str *patterns, size_t count, const struct field_element *at, str *ret_rest,
                     bool *ret_whole)
{
    size_t n = 0;
    *ret_whole = false;
    for (size_t i = 0; i < count; i++) {
        str head, rest;
        bool more = str_cut(patterns[i], '.', &head, &rest);
        if (!str_is(head, "*") && !(at->kind == FIELD_NAME && str_eq(head, (str){at->p, at->n})))
            continue;
        if (more)
            ret_rest[n++] = rest;
        else
            *ret_whole = true;
    }
    return n;
}

static struct field_set by_patterns(struct arena *a, struct field_set s, const str *patterns, size_t count,
                                    bool keeps)
{
    if (!s.count || !count)
        return keeps ? FIELD_SET_EMPTY : s;
    struct field_node *nodes = room(a, s.count), *to = nodes;
    str *rest = ARENA_ARRAY(a, str, count);
    for (uint32_t i = 0; i < s.count; i++) {
        const struct field_node *node = &s.nodes[i];
        bool whole;
        size_t n = follow(patterns, count, &node->at, rest, &whole);
        if (whole) {
            if (keeps)
                *to++ = *node;
            continue;
        }
        keep(&to, node, keeps && !n ? 0 : node->in, by_patterns(a, node->below, rest, n, keeps));
    }
    return taken(nodes, to);
}

struct field_set field_set_drop(struct arena *a, struct field_set s, const str *patterns,
                                size_t pattern_count)
{
    return by_patterns(a, s, patterns, pattern_count, false);
}

struct field_set field_set_keep(struct arena *a, struct field_set s, const str *patterns,
                                size_t pattern_count)
{
    return by_patterns(a, s, patterns, pattern_count, true);
}

struct field_set field_set_of_path(struct arena *a, str path)
{
    str head, rest;
    bool more = str_cut(path, '.', &head, &rest);
    struct field_node *node = ARENA_NEW(a, struct field_node);
    *node = (struct field_node){.at = field_name(head), .in = more ? 0 : FIELD_IN};
    if (more)
        node->below = field_set_of_path(a, rest);
    return (struct field_set){node, 1};
}

/* --- paths --- */

static void print_go(struct buf *out, const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_STRING: utf8_add_quoted(out, json_str(j)); break;
    case JSON_ARRAY:
        buf_add_c(out, '[');
        for (uint32_t i = 0; i < j->n; i++) {
            if (i)
                buf_add_c(out, ',');
            print_go(out, &j->v.items[i]);
        }
        buf_add_c(out, ']');
        break;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < j->n; i++) {
            buf_add(out, json_member_name(&j->v.members[i]));
            buf_add_c(out, '=');
            print_go(out, &j->v.members[i].value);
        }
        break;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INT:
    case JSON_FLOAT: json_print(out, j, 0); break;
    }
}

void field_element_print(struct buf *out, const struct field_element *e)
{
    switch ((enum field_kind)e->kind) {
    case FIELD_NAME:
        buf_add_c(out, '.');
        buf_add(out, (str){e->p, e->n});
        return;
    case FIELD_KEY:
        buf_add_c(out, '[');
        for (uint32_t i = 0; i < e->value->n; i++) {
            if (i)
                buf_add_c(out, ',');
            buf_add(out, json_member_name(&e->value->v.members[i]));
            buf_add_c(out, '=');
            print_go(out, &e->value->v.members[i].value);
        }
        buf_add_c(out, ']');
        return;
    case FIELD_VALUE: buf_add_lit(out, "[="); break;
    case FIELD_INDEX: buf_add_c(out, '['); break;
    }
    print_go(out, e->value);
    buf_add_c(out, ']');
}

struct path_list {
    struct arena *a;
    struct buf path;
    struct field_paths paths;
    size_t max;
};

static void add_paths(struct path_list *l, struct field_set s)
{
    size_t length = l->path.n;
    for (uint32_t i = 0; i < s.count && l->paths.count < l->max; i++) {
        if (!s.nodes[i].in)
            continue;
        field_element_print(&l->path, &s.nodes[i].at);
        l->paths.items[l->paths.count++] = str_dup(l->a, buf_str(&l->path));
        l->path.n = length;
    }
    for (uint32_t i = 0; i < s.count && l->paths.count < l->max; i++) {
        if (!s.nodes[i].below.count)
            continue;
        field_element_print(&l->path, &s.nodes[i].at);
        add_paths(l, s.nodes[i].below);
        l->path.n = length;
    }
}

struct field_paths field_set_paths(struct arena *a, struct field_set s, size_t max)
{
    struct path_list l = {.a = a, .max = size_min(max, field_set_size(s))};
    l.paths.items = ARENA_ARRAY(a, str, l.max);
    buf_init_arena(&l.path, a, TEXT_SIZE_MAX);
    add_paths(&l, s);
    return l.paths;
}
