/* rbac_match.c - does a rule allow a request, and who may what as of one table. */
#include "base/utf8.h"
#include "server/rbac_priv.h"

static bool list_has(const str *items, size_t count, str s)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(items[i], s))
            return true;
    }
    return false;
}

static bool verb_matches(const struct compiled_rule *c, const struct rbac_ask *ask)
{
    if (c->flags & RBAC_ANY_VERB || c->verbs & ask->verb)
        return true;
    return !ask->verb && c->flags & RBAC_RARE_VERBS &&
           list_has(c->rule.verbs, c->rule.verb_count, ask->at->verb);
}

/* "pods", "pods/log", or "*" followed by "/log". Nothing else is a pattern: "pods/" with a star means what it says. */
static bool resource_is(str pattern, const struct attributes *at, size_t resource_n)
{
    str sub = at->subresource;
    if (pattern.n == resource_n && str_starts(pattern, at->resource))
        return str_empty(sub) ||
               (pattern.p[at->resource.n] == '/' && str_eq(str_from(pattern, at->resource.n + 1), sub));
    return sub.n && pattern.n == sub.n + 2 && str_starts(pattern, S("*/")) && str_ends(pattern, sub);
}

static bool resource_matches(const struct compiled_rule *c, const struct rbac_ask *ask)
{
    if (c->flags & RBAC_ANY_RESOURCE)
        return true;
    for (size_t i = 0; i < c->rule.resource_count; i++) {
        if (resource_is(c->rule.resources[i], ask->at, ask->resource_n))
            return true;
    }
    return false;
}

static bool url_matches(const struct rbac_rule *rule, str path)
{
    for (size_t i = 0; i < rule->url_count; i++) {
        str url = rule->urls[i];
        if (str_eq(url, path))
            return true;
        if (!str_ends(url, S("*")))
            continue;
        while (str_ends(url, S("*")))
            url.n--;
        if (str_starts(path, url))
            return true;
    }
    return false;
}

bool rbac_rule_allows(const struct compiled_rule *c, const struct rbac_ask *ask)
{
    const struct attributes *at = ask->at;
    if (!verb_matches(c, ask))
        return false;
    if (!at->is_resource)
        return url_matches(&c->rule, at->path);
    if (!(c->flags & RBAC_ANY_GROUP) && !list_has(c->rule.groups, c->rule.group_count, at->group))
        return false;
    return resource_matches(c, ask) &&
           (c->rule.name_count == 0 || list_has(c->rule.names, c->rule.name_count, at->name));
}

bool rbac_role_allows(const struct compiled_role *role, const struct rbac_ask *ask)
{
    for (size_t i = 0; i < role->rule_count; i++) {
        if (rbac_rule_allows(&role->rules[i], ask))
            return true;
    }
    return false;
}

/* --- what went wrong on the way: bindings to roles that are not there --- */

#define FAULTS_MAX 32 /* more are not told */
struct faults {
    const struct compiled_binding *bindings[FAULTS_MAX];
    size_t count;
};

static void faults_add(struct faults *f, const struct compiled_binding *b)
{
    if (f->count < FAULTS_MAX)
        f->bindings[f->count++] = b;
}

static void fault_format(struct buf *out, const struct compiled_binding *b, enum rbac_error_style style)
{
    if (!b->role_known) {
        buf_add_lit(out, "unsupported role reference kind: ");
        utf8_add_quoted(out, b->role_kind);
        return;
    }
    buf_add(out, b->role.kind == RBAC_CLUSTER_ROLE ? S("clusterrole") : S("role"));
    buf_add(out, style == RBAC_ERRORS_PLURAL ? S("s") : STR_NONE);
    buf_add_lit(out, ".rbac.authorization.k8s.io ");
    utf8_add_quoted(out, b->role.name);
    buf_add_lit(out, " not found");
}

#define TEXT_MAX ((size_t)1 << 20)

/* As the original prints several errors: each once, in brackets unless there is only one. */
static str faults_text(struct arena *a, const struct faults *f, enum rbac_error_style style)
{
    str texts[FAULTS_MAX] = {{0}};
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct buf b;
        buf_init_arena(&b, a, TEXT_MAX);
        fault_format(&b, f->bindings[i], style);
        if (!list_has(texts, count, buf_str(&b)))
            texts[count++] = buf_str(&b);
    }
    str joined = str_join(a, texts, count, S(", "));
    return count > 1 ? str_format(a, "[%" STR_FMT "]", STR_ARG(joined)) : joined;
}

/* --- one request --- */

struct decision {
    struct rbac_ask ask;
    struct rbac_grant by;
    bool allowed;
    struct faults faults;
};

static bool decide(void *ctx, const struct rbac_grant *grant)
{
    struct decision *d = ctx;
    if (!grant->role) {
        faults_add(&d->faults, grant->binding);
        return true;
    }
    if (!rbac_role_allows(grant->role, &d->ask))
        return true;
    d->by = *grant;
    d->allowed = true;
    return false;
}

static void quoted_pair(struct buf *out, str first, str second)
{
    utf8_add_quoted(
        out,
        second.n ? str_format(out->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(first), STR_ARG(second)) : first);
}

static str allowed_text(struct arena *a, const struct rbac_grant *by)
{
    const struct compiled_binding *b = by->binding;
    const struct compiled_subject *s = by->subject;
    struct buf out;
    buf_init_arena(&out, a, TEXT_MAX);
    buf_add(&out,
            b->item.ns.n ? S("RBAC: allowed by RoleBinding ") : S("RBAC: allowed by ClusterRoleBinding "));
    quoted_pair(&out, b->item.name, b->item.ns);
    buf_add_lit(&out, " of ");
    buf_add(&out, b->role_kind);
    buf_add_c(&out, ' ');
    utf8_add_quoted(&out, b->role.name);
    buf_add_lit(&out, " to ");
    if (s->is_service_account) {
        buf_add_lit(&out, "ServiceAccount ");
        quoted_pair(&out, s->account, s->ns.n ? s->ns : b->item.ns);
    } else {
        buf_add(&out, s->kind == RBAC_USER ? S("User ") : S("Group "));
        utf8_add_quoted(&out, s->name);
    }
    return buf_str(&out);
}

void rbac_table_authorize(const struct cow_table *t, const uint64_t hash_key[2], struct arena *a,
                          const struct attributes *at, struct authz_answer *ret)
{
    struct decision d = {.ask = rbac_ask_of(at)};
    rbac_visit(t, hash_key, at->user, at->is_resource ? at->ns : STR_NONE, decide, &d);
    ret->decision = d.allowed ? AUTHZ_ALLOW : AUTHZ_NO_OPINION;
    ret->reason = STR_NONE;
    if (d.allowed && ret->explain)
        ret->reason = allowed_text(a, &d.by);
    else if (!d.allowed && d.faults.count)
        ret->reason = str_concat(a, S("RBAC: "), faults_text(a, &d.faults, RBAC_ERRORS_SINGULAR));
}

/* --- all rules of a user --- */

struct collection {
    struct arena *arena;
    struct rbac_rule *rules;
    size_t count, cap;
    struct faults faults;
};

static void collect_role(struct collection *c, const struct compiled_role *role)
{
    if (role->rule_count > c->cap - c->count) {
        size_t cap = c->cap + c->cap / 2 + role->rule_count;
        c->rules = arena_grow(c->arena, c->rules, c->cap * sizeof c->rules[0], cap * sizeof c->rules[0],
                              _Alignof(struct rbac_rule));
        c->cap = cap;
    }
    for (size_t i = 0; i < role->rule_count; i++)
        c->rules[c->count++] = role->rules[i].rule;
}

static bool collect(void *ctx, const struct rbac_grant *grant)
{
    struct collection *c = ctx;
    if (grant->role)
        collect_role(c, grant->role);
    else
        faults_add(&c->faults, grant->binding);
    return true;
}

void rbac_table_rules(const struct cow_table *t, const uint64_t hash_key[2], struct arena *a,
                      const struct user *u, str ns, enum rbac_error_style style, const struct rbac_rule **ret,
                      size_t *ret_count, str *ret_error)
{
    struct collection c = {.arena = a};
    rbac_visit(t, hash_key, u, ns, collect, &c);
    *ret = c.rules;
    *ret_count = c.count;
    *ret_error = c.faults.count ? faults_text(a, &c.faults, style) : STR_NONE;
}

bool rbac_table_role_rules(const struct cow_table *t, const uint64_t hash_key[2], struct arena *a, str kind,
                           str ns, str name, const struct rbac_rule **ret, size_t *ret_count)
{
    bool cluster_role = str_is(kind, "ClusterRole");
    if (!cluster_role && !str_is(kind, "Role"))
        return false;
    struct cow_key key = cow_key(hash_key, cluster_role ? RBAC_CLUSTER_ROLE : RBAC_ROLE,
                                 cluster_role ? STR_NONE : ns, name);
    const struct cow_item *role = cow_table_find(t, &key);
    if (!role)
        return false;
    struct collection c = {.arena = a};
    collect_role(&c, compiled_role_of(role));
    *ret = c.rules;
    *ret_count = c.count;
    return true;
}
