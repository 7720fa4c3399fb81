/* rules_test.c - one document through the chain of a write, for the tests of every kind's rules. */
#include "api/rules/rules_test.h"
#include "api/rules.h"
#include "api/tree.h"
#include "api/view.h"
#include "harness/test.h"
#include "wire/yaml.h"

enum { TEXT_SIZE_MAX = 1 << 22 };

/* 2026-01-02T03:04:05Z */
#define NOW_WALL INT64_C(1767323045000000000)

struct chain {
    struct arena a;
    struct rules_input in;
    const struct schema_kind_info *kind;
    const struct schema_type *type;
    const struct kind_rules *rules;
    struct buf warnings;
};

struct written {
    struct json tree;
    str content;
    void *view;
};

static void add_warning(void *ctx, str text)
{
    struct chain *c = ctx;
    buf_add(&c->warnings, text);
    buf_add_c(&c->warnings, '\n');
}

static void chain_done(struct chain *c)
{
    arena_done(&c->a);
}

static struct json yaml(struct chain *c, str text)
{
    struct json j;
    CHECK_OK(yaml_parse(&c->a, text, NULL, &j, &e));
    return j;
}

static str print(struct chain *c, const struct json *j)
{
    struct buf b;
    buf_init_arena(&b, &c->a, TEXT_SIZE_MAX);
    json_print(&b, j, 0);
    return buf_str(&b);
}

/* --- paths --- */

/* Takes "spec", "containers", "[0]", "['a.b']" off the path, one after the other. */
static bool next_step(str *path, str *ret_name, int64_t *ret_index)
{
    str_take_prefix(path, S("."));
    if (path->n == 0)
        return false;
    *ret_index = -1;
    if (path->p[0] != '[') {
        size_t end = 0;
        while (end < path->n && path->p[end] != '.' && path->p[end] != '[')
            end++;
        *ret_name = str_slice(*path, 0, end);
        *path = str_from(*path, end);
        return true;
    }
    str inside = str_slice(*path, 1, str_index_c(*path, ']'));
    *path = str_from(*path, inside.n + 2);
    if (str_starts(inside, S("'")))
        *ret_name = str_slice(inside, 1, inside.n - 1);
    else
        CHECK(str_parse_i64(inside, ret_index));
    return true;
}

static struct json *find_path(struct json *j, str path)
{
    str name;
    int64_t index;
    while (j && next_step(&path, &name, &index))
        j = index >= 0 ? json_at(j, (size_t)index) : json_find(j, name);
    return j;
}

static struct json *make_step(struct chain *c, struct json *j, str name, int64_t index, bool object_next)
{
    struct json fresh = object_next ? json_object() : json_array();
    if (index < 0) {
        CHECK_EQ(j->type, JSON_OBJECT);
        struct json *there = json_find(j, name);
        return there && there->type != JSON_NULL ? there : json_set(&c->a, j, name, fresh);
    }
    CHECK_EQ(j->type, JSON_ARRAY);
    CHECK_LE(index, j->n);
    return index < j->n ? json_at(j, (size_t)index) : json_append(&c->a, j, fresh);
}

static void set_path(struct chain *c, struct json *j, str path, struct json value)
{
    str name, rest = path;
    int64_t index;
    CHECK(next_step(&rest, &name, &index));
    while (rest.n) {
        j = make_step(c, j, name, index, rest.p[0] == '.' || str_starts(rest, S("['")));
        CHECK(next_step(&rest, &name, &index));
    }
    if (value.type == JSON_NULL && index < 0)
        json_remove(j, name);
    else if (value.type == JSON_NULL)
        json_remove_at(j, (size_t)index);
    else
        *make_step(c, j, name, index, true) = value;
}

/* Lines "path: value" onto a copy of the document. */
static struct json changed(struct chain *c, const struct json *document, const char *lines)
{
    struct json j = json_clone_deep(&c->a, document);
    str rest = str_from_c(lines), line;
    while (lines && *lines && str_next(&rest, '\n', &line)) {
        if (line.n == 0)
            continue;
        size_t colon = str_index(line, S(": "));
        if (colon == SIZE_MAX)
            FAIL("no 'path: value': %" STR_FMT, STR_ARG(line));
        set_path(c, &j, str_slice(line, 0, colon), yaml(c, str_from(line, colon + 2)));
    }
    return j;
}

/* --- the chain --- */

static void chain_init(struct chain *c, const struct json *document, const char *subresource)
{
    c->in = (struct rules_input){.arena = &c->a,
                                 .now_wall = NOW_WALL,
                                 .subresource = str_from_c(subresource),
                                 .warn = add_warning,
                                 .ctx = c};
    c->kind = schema_kind_find(&schema_builtin, json_str(json_find(document, S("apiVersion"))),
                               json_str(json_find(document, S("kind"))));
    CHECK(c->kind != NULL);
    c->type = &schema_builtin.types[c->kind->type];
    c->rules = kind_rules_find(&schema_builtin, c->kind);
    CHECK(c->rules != NULL);
    buf_init_arena(&c->warnings, &c->a, TEXT_SIZE_MAX);
}

static struct json normalised(struct chain *c, const struct json *in)
{
    struct json out;
    CHECK_OK(tree_normalise(&c->a, &schema_builtin, c->type, in, NULL, &out, &e));
    return out;
}

/* What the server's write path keeps of the stored object, by subresource. */
static void keep(struct chain *c, struct json *tree, const struct json *old)
{
    bool of_status = str_is(c->in.subresource, "status");
    if (c->in.subresource.n && !of_status)
        return;
    const str names[] = {S("spec"), S("status")};
    str kept = names[of_status ? 0 : 1];
    const struct json *value = json_find(old, kept);
    if (value)
        json_set(&c->a, tree, kept, json_clone_deep(&c->a, value));
    else
        json_remove(tree, kept);
}

static struct json defaulted(struct chain *c, const struct json *in)
{
    struct json tree = normalised(c, in);
    if (c->rules->defaults)
        c->rules->defaults(&c->in, &tree);
    tree_defaults(&c->a, &schema_builtin, c->type, &tree);
    return normalised(c, &tree);
}

/* `old` NULL: a create. */
static struct written mutate(struct chain *c, const struct json *body, const struct json *old)
{
    struct written w;
    w.tree = defaulted(c, body);
    if (old)
        keep(c, &w.tree, old);
    if (old && c->rules->on_update)
        c->rules->on_update(&c->in, &w.tree, old);
    if (!old && c->rules->on_create)
        c->rules->on_create(&c->in, &w.tree);
    w.tree = normalised(c, &w.tree);
    w.content = print(c, &w.tree);
    w.view = arena_alloc_zero(&c->a, 1, c->type->view_size, 16);
    CHECK_OK(view_decode(&c->a, &schema_builtin, c->type, w.content, w.view, &e));
    return w;
}

static void validate(struct chain *c, const struct written *w, const struct written *old,
                     struct field_errors *errors)
{
    field_errors_init(errors, &c->a);
    c->in.old = old ? old->view : NULL;
    tree_validate(&schema_builtin, c->type, &w->tree, errors);
    if (old)
        tree_immutable(&schema_builtin, c->type, &old->tree, &w->tree, errors);
    if (c->rules->validate)
        c->rules->validate(&c->in, w->view, errors);
    if (old && c->rules->validate_update)
        c->rules->validate_update(&c->in, w->view, old->view, errors);
    if (errors->count == 0 && c->rules->warnings)
        c->rules->warnings(&c->in, w->view, old ? old->view : NULL);
}

static str errors_text(struct chain *c, const struct field_errors *errors)
{
    struct buf b;
    buf_init_arena(&b, &c->a, TEXT_SIZE_MAX);
    for (size_t i = 0; i < errors->count; i++)
        buf_add_f(&b, "%s%" STR_FMT ": %" STR_FMT, i ? "\n" : "", STR_ARG(errors->items[i].path),
                  STR_ARG(errors->items[i].message));
    return buf_str(&b);
}

static bool line_fits(str got, str want)
{
    return str_ends(want, S("...")) ? str_starts(got, str_slice(want, 0, want.n - 3)) : str_eq(got, want);
}

static void check_lines(const struct rules_case *k, str got, const char *want)
{
    str got_rest = got, want_rest = str_from_c(want ? want : ""), x, y;
    bool same = (got.n == 0) == (want_rest.n == 0);
    while (same && got_rest.p && want_rest.p) {
        same = str_next(&got_rest, '\n', &x) && str_next(&want_rest, '\n', &y) && line_fits(x, y);
        if (str_is(y, "..."))
            return;
        same = same && (got_rest.p == NULL) == (want_rest.p == NULL);
    }
    if (!same)
        FAIL("with\n%s%s%s\n--- got\n%" STR_FMT "\n--- want\n%s", k->old ? k->old : "",
             k->old ? "\n--- then\n" : "", k->set, STR_ARG(got), want);
}

struct outcome {
    struct chain c;
    struct written w;
    struct field_errors errors;
    str text;
};

static void outcome_done(struct outcome *o)
{
    chain_done(&o->c);
}

static void run_create(struct outcome *o, const char *base, const struct rules_case *k)
{
    arena_init(&o->c.a, 0);
    struct json base_tree = yaml(&o->c, str_from_c(base));
    struct json body = changed(&o->c, &base_tree, k->set);
    chain_init(&o->c, &body, k->subresource);
    o->w = mutate(&o->c, &body, NULL);
    validate(&o->c, &o->w, NULL, &o->errors);
    o->text = errors_text(&o->c, &o->errors);
}

static void run_update(struct outcome *o, const char *base, const struct rules_case *k)
{
    arena_init(&o->c.a, 0);
    struct json body = yaml(&o->c, str_from_c(base));
    chain_init(&o->c, &body, NULL);
    struct written old = mutate(&o->c, &body, NULL);
    validate(&o->c, &old, NULL, &o->errors);
    CHECK_STR(errors_text(&o->c, &o->errors), "");
    struct json stored = changed(&o->c, &old.tree, k->old);
    stored = defaulted(&o->c, &stored);
    old.tree = stored;
    old.content = print(&o->c, &stored);
    CHECK_OK(view_decode(&o->c.a, &schema_builtin, o->c.type, old.content, old.view, &e));
    chain_init(&o->c, &body, k->subresource);
    struct json updated = changed(&o->c, &stored, k->set);
    o->w = mutate(&o->c, &updated, &stored);
    validate(&o->c, &o->w, &old, &o->errors);
    o->text = errors_text(&o->c, &o->errors);
}

/* --- the tables --- */

enum check { CHECK_ERRORS, CHECK_STORED, CHECK_WARNINGS };

static void check_stored(struct outcome *o, const struct rules_case *k)
{
    CHECK_STR(o->text, "");
    struct buf got;
    buf_init_arena(&got, &o->c.a, TEXT_SIZE_MAX);
    str rest = str_from_c(k->want), line;
    while (str_next(&rest, '\n', &line)) {
        str path = str_slice(line, 0, str_index(line, S(": ")));
        const struct json *there = find_path(&o->w.tree, path);
        buf_add_f(&got, "%s%" STR_FMT ": %" STR_FMT, got.n ? "\n" : "", STR_ARG(path),
                  STR_ARG(there ? print(&o->c, there) : S("absent")));
    }
    check_lines(k, buf_str(&got), k->want);
}

static void check_case(bool update, enum check what, const char *base, const struct rules_case *k)
{
    CLEANUP(outcome_done) struct outcome o;
    if (update)
        run_update(&o, base, k);
    else
        run_create(&o, base, k);
    switch (what) {
    case CHECK_ERRORS: check_lines(k, o.text, k->want); break;
    case CHECK_STORED: check_stored(&o, k); break;
    case CHECK_WARNINGS:
        CHECK_STR(o.text, "");
        check_lines(k, str_trim(buf_str(&o.c.warnings)), k->want);
        break;
    }
}

static void check_cases(bool update, enum check what, const char *base, const struct rules_case *cases,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_case(update, what, base, &cases[i]);
}

void rules_check_create(const char *base, const struct rules_case *cases, size_t count)
{
    check_cases(false, CHECK_ERRORS, base, cases, count);
}

void rules_check_update(const char *base, const struct rules_case *cases, size_t count)
{
    check_cases(true, CHECK_ERRORS, base, cases, count);
}

void rules_check_created(const char *base, const struct rules_case *cases, size_t count)
{
    check_cases(false, CHECK_STORED, base, cases, count);
}

void rules_check_updated(const char *base, const struct rules_case *cases, size_t count)
{
    check_cases(true, CHECK_STORED, base, cases, count);
}

void rules_check_warnings(const char *base, const struct rules_case *cases, size_t count)
{
    check_cases(false, CHECK_WARNINGS, base, cases, count);
}

void rules_check_update_warnings(const char *base, const struct rules_case *cases, size_t count)
{
    check_cases(true, CHECK_WARNINGS, base, cases, count);
}
