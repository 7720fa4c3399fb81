/* rbac_covers.c - are these rules part of those? Wanted rules are broken down to their smallest parts (one verb of one group's
 * resource, perhaps of one name; one verb of one URL), since several owned rules may cover one together. */
#include "base/utf8.h"
#include "base/vec.h"
#include "server/rbac_priv.h"

static const str star[] = {S_INIT("*")};
const struct rbac_rule rbac_everything[2] = {
    {.verbs = star,
     .verb_count = 1,
     .groups = star,
     .group_count = 1,
     .resources = star,
     .resource_count = 1},
    {.verbs = star, .verb_count = 1, .urls = star, .url_count = 1},
};

static bool has(const str *items, size_t count, str s)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(items[i], s))
            return true;
    }
    return false;
}

static bool has_all(const str *items, size_t count, const str *wanted, size_t wanted_count)
{
    for (size_t i = 0; i < wanted_count; i++) {
        if (!has(items, count, wanted[i]))
            return false;
    }
    return true;
}

static bool resource_covers(const struct rbac_rule *owned, str resource)
{
    str kind, sub;
    if (has(owned->resources, owned->resource_count, resource))
        return true;
    if (!str_cut(resource, '/', &kind, &sub))
        return false;
    for (size_t i = 0; i < owned->resource_count; i++) {
        str pattern = owned->resources[i];
        if (str_take_prefix(&pattern, S("*/")) && str_eq(pattern, sub))
            return true;
    }
    return false;
}

static bool url_covers(str owned, str url)
{
    if (str_eq(owned, url))
        return true;
    if (!str_ends(owned, S("*")))
        return false;
    while (str_ends(owned, S("*")))
        owned.n--;
    return str_starts(url, owned);
}

/* Each of the lists, whatever the other ones say. */
static bool covers_verbs(const struct rbac_rule *o, const struct rbac_rule *w)
{
    return has(o->verbs, o->verb_count, S("*")) || has_all(o->verbs, o->verb_count, w->verbs, w->verb_count);
}

static bool covers_groups(const struct rbac_rule *o, const struct rbac_rule *w)
{
    return has(o->groups, o->group_count, S("*")) ||
           has_all(o->groups, o->group_count, w->groups, w->group_count);
}

static bool covers_resources(const struct rbac_rule *o, const struct rbac_rule *w)
{
    if (has(o->resources, o->resource_count, S("*")))
        return true;
    for (size_t i = 0; i < w->resource_count; i++) {
        if (!resource_covers(o, w->resources[i]))
            return false;
    }
    return true;
}

static bool covers_names(const struct rbac_rule *o, const struct rbac_rule *w)
{
    return o->name_count == 0 || (w->name_count && has_all(o->names, o->name_count, w->names, w->name_count));
}

static bool covers_urls(const struct rbac_rule *o, const struct rbac_rule *w)
{
    for (size_t i = 0; i < w->url_count; i++) {
        bool covered = false;
        for (size_t j = 0; j < o->url_count && !covered; j++)
            covered = url_covers(o->urls[j], w->urls[i]);
        if (!covered)
            return false;
    }
    return true;
}

static bool rule_covers(const struct rbac_rule *o, const struct rbac_rule *w)
{
    return covers_verbs(o, w) && covers_groups(o, w) && covers_resources(o, w) && covers_names(o, w) &&
           covers_urls(o, w);
}

static bool any_covers(const struct rbac_rule *owned, size_t count, const struct rbac_rule *w)
{
    for (size_t i = 0; i < count; i++) {
        if (rule_covers(&owned[i], w))
            return true;
    }
    return false;
}

/* --- breaking down --- */

struct parts {
    struct arena *arena;
    const struct rbac_rule *owned;
    size_t owned_count;
    struct rbac_rule *missing;
    size_t count, cap;
    size_t looked_at;
};

static bool part(struct parts *p, const struct rbac_rule *rule)
{
    if (p->looked_at == RBAC_COMBINATIONS_MAX)
        return false;
    p->looked_at++;
    if (any_covers(p->owned, p->owned_count, rule))
        return true;
    if (p->count == p->cap) {
        size_t cap = p->cap * 2 + 8;
        p->missing = arena_grow(p->arena, p->missing, p->cap * sizeof *rule, cap * sizeof *rule,
                                _Alignof(struct rbac_rule));
        p->cap = cap;
    }
    p->missing[p->count++] = *rule;
    return true;
}

/* One of `items`, as a list. */
#define ONE(field, items, i) .field##s = &(items)[i], .field##_count = 1

static bool parts_of_names(struct parts *p, const struct rbac_rule *w, struct rbac_rule one)
{
    if (w->name_count == 0)
        return part(p, &one);
    for (size_t n = 0; n < w->name_count; n++) {
        one.names = &w->names[n];
        one.name_count = 1;
        if (!part(p, &one))
            return false;
    }
    return true;
}

static bool parts_of_rule(struct parts *p, const struct rbac_rule *w)
{
    for (size_t g = 0; g < w->group_count; g++) {
        for (size_t r = 0; r < w->resource_count; r++) {
            for (size_t v = 0; v < w->verb_count; v++) {
                struct rbac_rule one = {ONE(group, w->groups, g), ONE(resource, w->resources, r),
                                        ONE(verb, w->verbs, v)};
                if (!parts_of_names(p, w, one))
                    return false;
            }
        }
    }
    for (size_t u = 0; u < w->url_count; u++) {
        for (size_t v = 0; v < w->verb_count; v++) {
            struct rbac_rule one = {ONE(url, w->urls, u), ONE(verb, w->verbs, v)};
            if (!part(p, &one))
                return false;
        }
    }
    return true;
}

bool rbac_missing_parts(struct arena *a, const struct rbac_rule *owned, size_t owned_count,
                        const struct rbac_rule *wanted, size_t wanted_count, const struct rbac_rule **ret,
                        size_t *ret_count)
{
    struct parts p = {.arena = a, .owned = owned, .owned_count = owned_count};
    bool all = true;
    for (size_t i = 0; i < wanted_count && all; i++) {
        /* Covered as a whole, as nearly always: its parts then are too. */
        if (!any_covers(owned, owned_count, &wanted[i]))
            all = parts_of_rule(&p, &wanted[i]);
    }
    *ret = p.missing;
    *ret_count = p.count;
    return all;
}

/* --- putting together again --- */

struct placed {
    const struct rbac_rule *part;
    size_t place;
};

static int first_cmp(const str *x, size_t x_count, const str *y, size_t y_count)
{
    if (!x_count || !y_count)
        return (x_count > 0) - (y_count > 0);
    return str_cmp(x[0], y[0]);
}

/* Parts that differ in nothing but the verb are equal. */
static int cmp_but_verb(const struct rbac_rule *x, const struct rbac_rule *y)
{
    int by_url = first_cmp(x->urls, x->url_count, y->urls, y->url_count);
    if (by_url)
        return by_url;
    int by_group = first_cmp(x->groups, x->group_count, y->groups, y->group_count);
    if (by_group)
        return by_group;
    int by_resource = first_cmp(x->resources, x->resource_count, y->resources, y->resource_count);
    if (by_resource)
        return by_resource;
    return first_cmp(x->names, x->name_count, y->names, y->name_count);
}

static int cmp_parts(const void *a, const void *b, void *ctx)
{
    const struct placed *x = a, *y = b;
    int but_verb = cmp_but_verb(x->part, y->part);
    return but_verb ? but_verb : str_cmp(x->part->verbs[0], y->part->verbs[0]);
}

static int cmp_runs(const void *a, const void *b, void *ctx)
{
    const struct placed *x = a, *y = b;
    int but_verb = cmp_but_verb(x->part, y->part);
    return but_verb ? but_verb : (x->place > y->place) - (x->place < y->place);
}

/* Takes a run of parts of one resource off the front; URLs stay one by one, as the original leaves them. */
static struct rbac_rule take_run(struct arena *a, const struct placed **at, const struct placed *end)
{
    const struct placed *first = *at, *p = first + 1;
    while (p < end && !first->part->url_count && !cmp_but_verb(first->part, p->part))
        p++;
    struct rbac_rule rule = *first->part;
    str *verbs = ARENA_ARRAY(a, str, p - first);
    for (rule.verb_count = 0; *at < p; ++*at)
        verbs[rule.verb_count++] = (*at)->part->verbs[0];
    rule.verbs = verbs;
    return rule;
}

bool rbac_missing(struct arena *a, const struct rbac_rule *owned, size_t owned_count,
                  const struct rbac_rule *wanted, size_t wanted_count, const struct rbac_rule **ret,
                  size_t *ret_count)
{
    const struct rbac_rule *parts;
    size_t count;
    bool all = rbac_missing_parts(a, owned, owned_count, wanted, wanted_count, &parts, &count);
    struct placed *placed = ARENA_ARRAY(a, struct placed, count);
    for (size_t i = 0; i < count; i++)
        placed[i] = (struct placed){&parts[i], i};
    vec_sort(placed, count, sizeof placed[0], cmp_parts, NULL);
    count = vec_dedupe(placed, count, sizeof placed[0], cmp_parts, NULL);
    vec_sort(placed, count, sizeof placed[0], cmp_runs, NULL);

    struct rbac_rule *compact = ARENA_ARRAY(a, struct rbac_rule, count);
    *ret = compact;
    *ret_count = 0;
    for (const struct placed *at = placed; at < placed + count;)
        compact[(*ret_count)++] = take_run(a, &at, placed + count);
    return all;
}

/* --- in words --- */

#define TEXT_MAX ((size_t)1 << 20)
#define TOLD_MAX 1000 /* missing rules; nobody reads more */

static void add_quoted_list(struct buf *out, const str *items, size_t count)
{
    buf_add_c(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_add_c(out, ' ');
        utf8_add_quoted(out, items[i]);
    }
    buf_add_c(out, ']');
}

static void add_part(struct buf *out, str name, const str *items, size_t count)
{
    if (!count)
        return;
    if (out->p[out->n - 1] != '{')
        buf_add_lit(out, ", ");
    buf_add(out, name);
    buf_add_c(out, ':');
    add_quoted_list(out, items, count);
}

static str rule_text(struct arena *a, const struct rbac_rule *r)
{
    struct buf out;
    buf_init_arena(&out, a, TEXT_MAX);
    buf_add_c(&out, '{');
    add_part(&out, S("APIGroups"), r->groups, r->group_count);
    add_part(&out, S("Resources"), r->resources, r->resource_count);
    add_part(&out, S("NonResourceURLs"), r->urls, r->url_count);
    add_part(&out, S("ResourceNames"), r->names, r->name_count);
    add_part(&out, S("Verbs"), r->verbs, r->verb_count);
    buf_add_c(&out, '}');
    return buf_str(&out);
}

/* `errors`: of finding out what the user has; empty: none. */
static str escalation_text(struct arena *a, const struct user *u, const struct rbac_rule *missing,
                           size_t count, str errors)
{
    size_t told = size_min(count, TOLD_MAX);
    str *texts = ARENA_ARRAY(a, str, told);
    for (size_t i = 0; i < told; i++)
        texts[i] = rule_text(a, &missing[i]);
    strs_sort(texts, told);
    told = strs_dedupe(texts, told);

    struct buf out;
    buf_init_arena(&out, a, TEXT_MAX);
    buf_add_lit(&out, "user ");
    utf8_add_quoted(&out, u->name);
    buf_add_lit(&out, " (groups=");
    add_quoted_list(&out, u->groups, u->group_count);
    buf_add_lit(&out, ") is attempting to grant RBAC permissions not currently held:\n");
    buf_add(&out, str_join(a, texts, told, S("\n")));
    if (errors.n)
        buf_add_f(&out, "; resolution errors: [%" STR_FMT "]", STR_ARG(errors));
    return buf_str(&out);
}

bool rbac_table_covers(const struct cow_table *t, const uint64_t hash_key[2], struct arena *a,
                       const struct user *u, str ns, const struct rbac_rule *rules, size_t rule_count,
                       str *ret_missing)
{
    const struct rbac_rule *owned, *missing;
    size_t owned_count, missing_count;
    str errors;
    rbac_table_rules(t, hash_key, a, u, ns, RBAC_ERRORS_PLURAL, &owned, &owned_count, &errors);
    bool all = rbac_missing(a, owned, owned_count, rules, rule_count, &missing, &missing_count);
    if (all && missing_count == 0)
        return true;
    if (!all)
        errors = str_format(a, "more than %d combinations of groups, resources, names and verbs",
                            RBAC_COMBINATIONS_MAX);
    *ret_missing = escalation_text(a, u, missing, missing_count, errors);
    return false;
}
