/* jsonpath.c - evaluating templates.
 * A step that fails may still have values, and "is there" in a filter looks at those alone: so every step sets its
 * values first and its error beside them, as the original's do. */
#include "wire/jsonpath.h"
#include "base/arena.h"
#include "wire/json_priv.h"
#include "wire/jsonpath_priv.h"

struct values {
    const struct json **p;
    size_t n, cap;
};

struct eval {
    struct arena *a;
    struct err *err;
    bool allow_missing;
    bool spent; /* a limit was met: no error to go on after */
    size_t steps;
    /* Ranges, counted as the original counts them: what was begun or ended by the last action, how deep we are. */
    unsigned begun, depth, ended;
    const struct jsonpath_node *last_end;
    struct jsonpath_piece *pieces;
    size_t piece_count, piece_cap;
};

/* What a null becomes as the root of a range, and what a range without elements is run over: not even null. */
static const struct json nothing = {.type = JSON_NULL};

static err_code step(struct eval *e)
{
    if (++e->steps > JSONPATH_STEPS_MAX) {
        e->spent = true;
        return err_set(e->err, ERR_TOO_LARGE, "jsonpath looks at more than %u values", JSONPATH_STEPS_MAX);
    }
    if (arena_exceeded(e->a)) {
        e->spent = true;
        return arena_check(e->a, e->err);
    }
    return ERR_NONE;
}

static err_code add(struct eval *e, struct values *to, const struct json *j)
{
    if (step(e))
        return e->err->code;
    if (to->n == to->cap) {
        size_t cap = to->cap ? to->cap * 2 : 4;
        to->p = arena_grow(e->a, to->p, to->cap * sizeof *to->p, cap * sizeof *to->p,
                           _Alignof(struct json *));
        to->cap = cap;
    }
    to->p[to->n++] = j;
    return ERR_NONE;
}

static err_code add_own(struct eval *e, struct values *to, struct json j)
{
    return add(e, to, arena_dup(e->a, &j, sizeof j, _Alignof(struct json)));
}

static err_code eval_list(struct eval *e, const struct jsonpath_list *list, struct values in,
                          struct values *ret);

static err_code eval_field(struct eval *e, const struct jsonpath_node *n, struct values in,
                           struct values *ret)
{
    *ret = (struct values){0};
    for (size_t i = 0; i < in.n; i++) {
        const struct json *value = json_find(in.p[i], n->name);
        if (value ? add(e, ret, value) : step(e))
            return e->err->code;
    }
    if (ret->n || !in.n || e->allow_missing)
        return ERR_NONE;
    return err_set(e->err, ERR_NOT_FOUND, "%" STR_FMT " is not found", STR_ARG(n->name));
}

/* The children of a value; those of a string are its bytes. */
static err_code add_children(struct eval *e, const struct json *j, struct values *to)
{
    if (j->type == JSON_STRING)
        for (uint32_t i = 0; i < j->n; i++)
            if (add_own(e, to, json_of_int((unsigned char)j->v.s[i])))
                return e->err->code;
    if (!json_is_container(j))
        return ERR_NONE;
    for (uint32_t i = 0; i < j->n; i++)
        if (add(e, to, j->type == JSON_ARRAY ? &j->v.items[i] : &j->v.members[i].value))
            return e->err->code;
    return ERR_NONE;
}

static err_code eval_wildcard(struct eval *e, struct values in, struct values *ret)
{
    *ret = (struct values){0};
    for (size_t i = 0; i < in.n; i++)
        if (add_children(e, in.p[i], ret))
            return e->err->code;
    return ERR_NONE;
}

/* A value and all below it, the outer before the inner; only what is not empty (and numbers are). */
static err_code add_descendants(struct eval *e, const struct json *j, struct values *to)
{
    CLEANUP(json_levels_done) struct json_levels levels;
    json_levels_init(&levels);
    for (;;) {
        if (step(e))
            return e->err->code;
        if ((j->type == JSON_STRING || json_is_container(j)) && j->n && add(e, to, j))
            return e->err->code;
        if (json_is_container(j) && j->n)
            json_levels_push(&levels, j);
        while (levels.n && levels.p[levels.n - 1].at == levels.p[levels.n - 1].j->n)
            json_levels_pop(&levels);
        if (!levels.n)
            return ERR_NONE;
        struct json_level *top = &levels.p[levels.n - 1];
        uint32_t at = top->at++;
        j = top->j->type == JSON_ARRAY ? &top->j->v.items[at] : &top->j->v.members[at].value;
    }
}

static err_code eval_recursive(struct eval *e, struct values in, struct values *ret)
{
    *ret = (struct values){0};
    for (size_t i = 0; i < in.n; i++)
        if (add_descendants(e, in.p[i], ret))
            return e->err->code;
    return ERR_NONE;
}

static const char *go_type(const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_NULL: return "nil";
    case JSON_FALSE:
    case JSON_TRUE: return "bool";
    case JSON_INT: return "int64";
    case JSON_FLOAT: return "float64";
    case JSON_STRING: return "string";
    case JSON_ARRAY: return "[]interface {}";
    case JSON_OBJECT: return "map[string]interface {}";
    }
    return "";
}

static err_code bad_index(struct eval *e, int64_t index, int64_t n)
{
    return err_set(e->err, ERR_INVALID, "array index out of bounds: index %lld, length %lld",
                   (long long)index, (long long)n);
}

/* Resolves the parameters for an array of n: *ret_from == *ret_to asks for nothing. */
static err_code slice_of(struct eval *e, const struct jsonpath_param params[3], int64_t n, int64_t *ret_from,
                         int64_t *ret_to)
{
    int64_t from = params[0].known ? params[0].value : 0, to = params[1].known ? params[1].value : n;
    from += from < 0 ? n : 0;
    to += to < 0 || (to == 0 && params[1].derived) ? n : 0;
    *ret_from = from;
    *ret_to = to;
    if (from == to)
        return ERR_NONE;
    if (from >= n || from < 0)
        return bad_index(e, from, n);
    if (to > n || to < 0)
        return bad_index(e, to < INT64_MIN + 1 ? to : to - 1, n);
    if (from > to)
        return err_set(e->err, ERR_INVALID, "starting index %lld is greater than ending index %lld",
                       (long long)from, (long long)to);
    if (params[2].known && params[2].value <= 0)
        return err_set(e->err, ERR_INVALID, "step must be > 0");
    return ERR_NONE;
}

static err_code eval_slice(struct eval *e, const struct jsonpath_node *n, struct values in,
                           struct values *ret)
{
    struct values result = {0};
    *ret = in;
    for (size_t i = 0; i < in.n; i++) {
        const struct json *j = in.p[i];
        if (step(e))
            return e->err->code;
        if (j->type == JSON_NULL)
            continue;
        if (j->type != JSON_ARRAY)
            return err_set(e->err, ERR_INVALID, "%s is not array or slice", go_type(j));
        int64_t from, to, stride = n->params[2].known ? n->params[2].value : 1;
        if (slice_of(e, n->params, j->n, &from, &to))
            return e->err->code;
        if (from == to)
            break; /* the original leaves here, whatever arrays are still to come */
        for (; from < to; from += stride < to - from ? stride : to - from)
            if (add(e, &result, &j->v.items[from]))
                return e->err->code;
    }
    *ret = result;
    return ERR_NONE;
}

static err_code eval_union(struct eval *e, const struct jsonpath_node *n, struct values in,
                           struct values *ret)
{
    struct values result = {0}, some;
    *ret = in;
    for (const struct jsonpath_node *list = n->list.first; list; list = list->next) {
        if (eval_list(e, &list->list, in, &some))
            return e->err->code;
        for (size_t i = 0; i < some.n; i++)
            if (add(e, &result, some.p[i]))
                return e->err->code;
    }
    *ret = result;
    return ERR_NONE;
}

static err_code eval_literal(struct eval *e, const struct jsonpath_node *n, struct values in,
                             struct values *ret)
{
    *ret = (struct values){0};
    size_t count = n->kind == NODE_TEXT
                       ? 1
                       : in.n; /* a number is there once for each value before it; text is not */
    for (size_t i = 0; i < count; i++)
        if (add(e, ret, &n->literal))
            return e->err->code;
    return ERR_NONE;
}

/* Filters. */

enum kind { KIND_NONE, KIND_BOOL, KIND_INT, KIND_FLOAT, KIND_STRING };

static enum kind kind_of(const struct json *j)
{
    switch ((enum json_type)j->type) {
    case JSON_FALSE:
    case JSON_TRUE: return KIND_BOOL;
    case JSON_INT: return KIND_INT;
    case JSON_FLOAT: return KIND_FLOAT;
    case JSON_STRING: return KIND_STRING;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return KIND_NONE;
}

/* Below 0, 0 or above; both are of one kind. */
static int order_of(const struct json *x, const struct json *y)
{
    switch (kind_of(x)) {
    case KIND_BOOL: return (int)json_bool(x) - (int)json_bool(y);
    case KIND_INT: return (x->v.i > y->v.i) - (x->v.i < y->v.i);
    case KIND_FLOAT: return (x->v.f > y->v.f) - (x->v.f < y->v.f);
    case KIND_STRING: return str_cmp(json_str(x), json_str(y));
    case KIND_NONE: break;
    }
    return 0;
}

static err_code compare(struct eval *e, const struct jsonpath_node *n, const struct json *x,
                        const struct json *y, bool *ret)
{
    if (n->op == OP_UNKNOWN)
        return err_set(e->err, ERR_INVALID, "unrecognized filter operator %" STR_FMT, STR_ARG(n->name));
    bool ordered = n->op != OP_EQ && n->op != OP_NE;
    enum kind kind = kind_of(x);
    if (kind == KIND_NONE || kind_of(y) == KIND_NONE)
        return err_set(e->err, ERR_INVALID, "invalid type for comparison");
    if (kind != kind_of(y))
        return err_set(e->err, ERR_INVALID, "incompatible types for comparison");
    if (kind == KIND_BOOL && ordered)
        return err_set(e->err, ERR_INVALID, "invalid type for comparison");
    int order = order_of(x, y);
    switch (n->op) {
    case OP_EQ: *ret = order == 0; break;
    case OP_NE: *ret = order != 0; break;
    case OP_LT: *ret = order < 0; break;
    case OP_LE: *ret = order <= 0; break;
    case OP_GT: *ret = order > 0; break;
    case OP_GE: *ret = order >= 0; break;
    case OP_EXISTS:
    case OP_UNKNOWN: break;
    }
    return ERR_NONE;
}

/* One side of a comparison: *ret NULL when there is no value. */
static err_code eval_side(struct eval *e, const struct jsonpath_list *side, struct values in,
                          const struct json **ret)
{
    struct values found;
    if (eval_list(e, side, in, &found))
        return e->err->code;
    if (found.n > 1)
        return err_set(e->err, ERR_INVALID, "can only compare one element at a time");
    *ret = found.n ? found.p[0] : NULL;
    return ERR_NONE;
}

static err_code passes(struct eval *e, const struct jsonpath_node *n, const struct json *item, bool *ret)
{
    struct values in = {.p = &item, .n = 1, .cap = 1}, found;
    const struct json *left, *right;
    *ret = false;
    if (n->op == OP_EXISTS) {
        err_code code = eval_list(e, &n->list, in, &found); /* whatever failed: what is there counts */
        *ret = found.n > 0;
        return e->spent ? code : ERR_NONE;
    }
    if (eval_side(e, &n->list, in, &left))
        return e->err->code;
    if (!left)
        return ERR_NONE;
    if (eval_side(e, &n->right, in, &right))
        return e->err->code;
    return right ? compare(e, n, left, right, ret) : ERR_NONE;
}

static err_code not_filtered(struct eval *e, const struct json *j)
{
    struct buf text;
    buf_init_arena(&text, e->a, sizeof e->err->msg);
    if (j == &nothing)
        buf_add_lit(&text, "<invalid reflect.Value>");
    else
        jsonpath_print_go(&text, j);
    return err_set(e->err, ERR_INVALID, "%" STR_FMT "%s is not array or slice and cannot be filtered",
                   STR_ARG(str_slice(buf_str(&text), 0, 300)), text.n > 300 || text.failed ? "..." : "");
}

static err_code eval_filter(struct eval *e, const struct jsonpath_node *n, struct values in,
                            struct values *ret)
{
    struct values result = {0};
    *ret = in;
    for (size_t i = 0; i < in.n; i++) {
        const struct json *j = in.p[i];
        if (j->type != JSON_ARRAY)
            return not_filtered(e, j);
        for (uint32_t k = 0; k < j->n; k++) {
            bool pass;
            if (step(e) || passes(e, n, &j->v.items[k], &pass) || (pass && add(e, &result, &j->v.items[k])))
                return e->err->code;
        }
    }
    *ret = result;
    return ERR_NONE;
}

static err_code eval_node(struct eval *e, const struct jsonpath_node *n, struct values in, struct values *ret)
{
    switch (n->kind) {
    case NODE_TEXT:
    case NODE_LITERAL: return eval_literal(e, n, in, ret);
    case NODE_LIST: return eval_list(e, &n->list, in, ret);
    case NODE_FIELD: return eval_field(e, n, in, ret);
    case NODE_WILDCARD: return eval_wildcard(e, in, ret);
    case NODE_RECURSIVE: return eval_recursive(e, in, ret);
    case NODE_SLICE: return eval_slice(e, n, in, ret);
    case NODE_UNION: return eval_union(e, n, in, ret);
    case NODE_FILTER: return eval_filter(e, n, in, ret);
    case NODE_RANGE:
        e->begun++;
        *ret = in;
        return ERR_NONE;
    case NODE_END:
        *ret = (struct values){0};
        if (!e->depth)
            return err_set(e->err, ERR_INVALID, "not in range, nothing to end");
        e->ended++;
        return ERR_NONE;
    case NODE_IDENTIFIER: break;
    }
    *ret = in;
    return err_set(e->err, ERR_INVALID, "unrecognized identifier %" STR_FMT, STR_ARG(n->name));
}

static err_code eval_list(struct eval *e, const struct jsonpath_list *list, struct values in,
                          struct values *ret)
{
    *ret = in;
    for (const struct jsonpath_node *n = list->first; n; n = n->next)
        if (step(e) || eval_node(e, n, *ret, ret))
            return e->err->code;
    return ERR_NONE;
}

/* Pieces. */

static void add_piece(struct eval *e, struct values v)
{
    if (e->piece_count == e->piece_cap) {
        size_t cap = e->piece_cap ? e->piece_cap * 2 : 8;
        e->pieces = arena_grow(e->a, e->pieces, e->piece_cap * sizeof *e->pieces, cap * sizeof *e->pieces,
                               _Alignof(struct jsonpath_piece));
        e->piece_cap = cap;
    }
    e->pieces[e->piece_count++] = (struct jsonpath_piece){v.p, v.n};
}

static err_code run(struct eval *e, const struct jsonpath_node *n, const struct json *root);

/* The nodes behind a range, for each of its values. A range without values runs over nothing, so that its end is
 * found. */
static err_code run_range(struct eval *e, const struct jsonpath_node *body, struct values over)
{
    e->depth++;
    size_t before = e->piece_count;
    for (size_t i = 0; i < over.n; i++)
        if (run(e, body, over.p[i]))
            return e->err->code;
    if (!over.n) {
        if (run(e, body, &nothing))
            return e->err->code;
        e->piece_count = before;
    }
    e->depth--;
    return ERR_NONE;
}

/* To the end of the range that was run. One without end was run to the end of the template: what is behind its start
 * comes once more then, without it. */
static err_code skip_range(struct eval *e, const struct jsonpath_node **n)
{
    for (const struct jsonpath_node *end = (*n)->next; end; end = end->next) {
        if (step(e))
            return e->err->code;
        if (end == e->last_end) {
            *n = end;
            break;
        }
    }
    return ERR_NONE;
}

static err_code run(struct eval *e, const struct jsonpath_node *n, const struct json *root)
{
    enum { DEPTH_MAX = 100 };
    struct values in = {0}, found;
    if (e->depth > DEPTH_MAX)
        return err_set(e->err, ERR_TOO_LARGE, "jsonpath nests more than %d ranges", DEPTH_MAX);
    if (add(e, &in, root->type == JSON_NULL ? &nothing : root))
        return e->err->code;
    for (; n; n = n->next) {
        if (step(e) || eval_node(e, n, in, &found))
            return e->err->code;
        if (e->ended && e->ended <= e->depth) {
            e->ended--;
            e->last_end = n;
            return ERR_NONE;
        }
        if (!e->begun) {
            add_piece(e, found);
            continue;
        }
        e->begun--;
        if (run_range(e, n->next, found))
            return e->err->code;
        if (skip_range(e, &n))
            return e->err->code;
    }
    return ERR_NONE;
}

err_code jsonpath_find(const struct jsonpath *jp, struct arena *a, const struct json *root, unsigned flags,
                       struct jsonpath_found *ret, struct err *err)
{
    struct eval e = {.a = a, .err = err, .allow_missing = flags & JSONPATH_ALLOW_MISSING};
    if (run(&e, jp->root.first, root))
        return err->code;
    if (arena_check(a, err))
        return err->code;
    *ret = (struct jsonpath_found){e.pieces, e.piece_count};
    return ERR_NONE;
}

/* Printing. */

/* As Go's %v: the shortest digits; with an exponent below 1e-4 and from 1e6 on. */
static void print_go_float(struct buf *out, double f)
{
    double size = __builtin_fabs(f);
    if (size == 0 || (size >= 1e-4 && size < 1e6)) {
        json_print_float(out, f);
        return;
    }
    char digits[17];
    int point;
    unsigned n = json_float_digits(f, digits, &point);
    int exponent = point - 1, magnitude = exponent < 0 ? -exponent : exponent;
    buf_add_f(out, "%s%c%s%.*se%c%02d", f < 0 ? "-" : "", digits[0], n > 1 ? "." : "", (int)n - 1, digits + 1,
              exponent < 0 ? '-' : '+', magnitude);
}

/* A scalar as it stands in the text of a line. */
static void print_scalar(struct buf *out, const struct json *j, str null)
{
    switch ((enum json_type)j->type) {
    case JSON_NULL: buf_add(out, null); break;
    case JSON_STRING: buf_add(out, json_str(j)); break;
    case JSON_FLOAT: print_go_float(out, j->v.f); break;
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INT:
    case JSON_ARRAY:
    case JSON_OBJECT: json_print(out, j, 0); break;
    }
}

/* A scalar, or the opening of a container, which is pushed. */
static void go_open(struct buf *out, struct json_levels *levels, const struct json *j)
{
    if (!json_is_container(j)) {
        print_scalar(out, j, S("<nil>"));
        return;
    }
    buf_add(out, j->type == JSON_ARRAY ? S("[") : S("map["));
    struct json_level *level = json_levels_push(levels, j);
    if (j->type == JSON_OBJECT)
        level->members = json_order(j);
}

void jsonpath_print_go(struct buf *out, const struct json *value)
{
    CLEANUP(json_levels_done) struct json_levels levels;
    json_levels_init(&levels);
    go_open(out, &levels, value);
    while (levels.n && !out->failed) {
        struct json_level *top = &levels.p[levels.n - 1];
        const struct json *j = top->j;
        if (top->at == j->n) {
            buf_add_c(out, ']');
            json_levels_pop(&levels);
            continue;
        }
        uint32_t at = top->at++;
        if (at)
            buf_add_c(out, ' ');
        if (j->type == JSON_ARRAY) {
            go_open(out, &levels, &j->v.items[at]);
        } else {
            const struct json_member *m = top->members[at];
            buf_add(out, json_member_name(m));
            buf_add_c(out, ':');
            go_open(out, &levels, &m->value);
        }
    }
}

/* A literal of the template can have any bytes; JSON cannot. */
static struct json valid_text(struct arena *a, const struct json *j)
{
    if (j->type != JSON_STRING || !json_utf8_bad(j->v.s, j->v.s + j->n))
        return *j;
    const char *p = j->v.s, *end = p + j->n;
    struct buf text;
    buf_init_arena(&text, a, (size_t)j->n * 3);
    for (const char *bad; (bad = json_utf8_bad(p, end)); p = bad + 1) {
        buf_add(&text, str_of(p, (size_t)(bad - p)));
        buf_add_lit(&text, "\xef\xbf\xbd");
    }
    buf_add(&text, str_of(p, (size_t)(end - p)));
    return json_of_str(buf_str(&text));
}

static void print_as_json(struct buf *out, struct arena *a, const struct jsonpath_piece *piece)
{
    struct json array = json_array();
    for (size_t i = 0; i < piece->count; i++)
        json_append(a, &array, valid_text(a, piece->values[i]));
    json_print(out, &array, JSON_INDENT_4 | JSON_SORTED | JSON_HTML);
    buf_add_c(out, '\n');
}

void jsonpath_print_found(struct buf *out, struct arena *a, const struct jsonpath_found *found,
                          unsigned flags)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct jsonpath_piece *piece = &found->pieces[i];
        if (flags & JSONPATH_AS_JSON) {
            print_as_json(out, a, piece);
            continue;
        }
        for (size_t k = 0; k < piece->count; k++) {
            const struct json *j = piece->values[k];
            if (k)
                buf_add_c(out, ' ');
            if (json_is_container(j))
                json_print(out, j, JSON_SORTED | JSON_HTML);
            else
                print_scalar(out, j, j == &nothing ? S("<no value>") : S("null"));
        }
    }
}

err_code jsonpath_print(const struct jsonpath *jp, struct arena *a, const struct json *root, unsigned flags,
                        struct buf *out, struct err *err)
{
    struct jsonpath_found found;
    if (jsonpath_find(jp, a, root, flags, &found, err))
        return err->code;
    jsonpath_print_found(out, a, &found, flags);
    return ERR_NONE;
}
