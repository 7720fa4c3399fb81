/* rbac_compile.c - from the content of a role or binding to one block that is quick to ask: the struct, its rules or subjects,
 * their lists of text, the text. */
#include "base/mem.h"
#include "server/rbac_priv.h"
#include "view/rbac_v1.h"

static const str usual_verbs[] = {
    S_INIT("get"),    S_INIT("list"),  S_INIT("watch"),  S_INIT("create"),
    S_INIT("update"), S_INIT("patch"), S_INIT("delete"), S_INIT("deletecollection"),
};

static uint16_t verb_bit(str verb)
{
    for (size_t i = 0; i < ARRAY_COUNT(usual_verbs); i++) {
        if (str_eq(usual_verbs[i], verb))
            return (uint16_t)(1u << i);
    }
    return 0;
}

struct rbac_ask rbac_ask_of(const struct attributes *at)
{
    struct rbac_ask ask = {.at = at, .verb = verb_bit(at->verb), .resource_n = at->resource.n};
    if (at->subresource.n)
        ask.resource_n += 1 + at->subresource.n;
    return ask;
}

/* Writes text and lists one behind the other into a block that is large enough. */
struct block {
    str *list_at;
    char *text_at;
};

static str block_text(struct block *b, str s)
{
    if (s.n)
        memcpy(b->text_at, s.p, s.n);
    str copy = {b->text_at, s.n};
    b->text_at += s.n;
    return copy;
}

static const str *block_list(struct block *b, struct str_array list)
{
    str *copy = b->list_at;
    b->list_at += list.count;
    for (size_t i = 0; i < list.count; i++)
        copy[i] = block_text(b, list.items[i]);
    return copy;
}

struct sizes {
    size_t lists, text;
};

static void sizes_add(struct sizes *s, struct str_array list)
{
    s->lists += list.count;
    for (size_t i = 0; i < list.count; i++)
        s->text += list.items[i].n;
}

static void item_free(struct cow_item *item)
{
    mem_free(item);
}

/* Roles and bindings are replaced, never edited. */
static const struct cow_ops block_ops = {.free = item_free, .clone = NULL};

static void flags_set(struct compiled_rule *c)
{
    for (size_t i = 0; i < c->rule.verb_count; i++) {
        uint16_t bit = verb_bit(c->rule.verbs[i]);
        c->verbs |= bit;
        if (str_is(c->rule.verbs[i], "*"))
            c->flags |= RBAC_ANY_VERB;
        else if (!bit)
            c->flags |= RBAC_RARE_VERBS;
    }
    for (size_t i = 0; i < c->rule.group_count; i++) {
        if (str_is(c->rule.groups[i], "*"))
            c->flags |= RBAC_ANY_GROUP;
    }
    for (size_t i = 0; i < c->rule.resource_count; i++) {
        if (str_is(c->rule.resources[i], "*"))
            c->flags |= RBAC_ANY_RESOURCE;
    }
}

static struct rbac_rule rule_of_view(const struct rbac_policy_rule *v)
{
    return (struct rbac_rule){
        .verbs = v->verbs.items,
        .verb_count = v->verbs.count,
        .groups = v->api_groups.items,
        .group_count = v->api_groups.count,
        .resources = v->resources.items,
        .resource_count = v->resources.count,
        .names = v->resource_names.items,
        .name_count = v->resource_names.count,
        .urls = v->non_resource_urls.items,
        .url_count = v->non_resource_urls.count,
    };
}

/* A Role decodes as a ClusterRole that does not aggregate. */
static err_code rules_decode(struct arena *a, str content, struct rbac_policy_rule_array *ret,
                             struct err *err)
{
    struct rbac_cluster_role view;
    if (VIEW_DECODE(a, rbac_cluster_role, content, &view, err))
        return err->code;
    *ret = view.rules;
    return ERR_NONE;
}

err_code rbac_rules_decode(struct arena *a, str content, const struct rbac_rule **ret, size_t *ret_count,
                           struct err *err)
{
    struct rbac_policy_rule_array views;
    if (rules_decode(a, content, &views, err))
        return err_wrap_as(err, ERR_CORRUPT, "could not read the rules of a role");
    struct rbac_rule *rules = ARENA_ARRAY(a, struct rbac_rule, views.count);
    for (size_t i = 0; i < views.count; i++)
        rules[i] = rule_of_view(&views.items[i]);
    *ret = rules;
    *ret_count = views.count;
    return ERR_NONE;
}

struct compiled_role *rbac_role_compile(const uint64_t hash_key[2], enum rbac_kind kind, str ns, str name,
                                        str content)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct rbac_policy_rule_array views = {0};
    struct err err = ERR_INIT;
    if (UNEXPECTED(rules_decode(&a, content, &views, &err) != ERR_NONE))
        return NULL;

    struct sizes sizes = {.text = ns.n + name.n};
    for (size_t i = 0; i < views.count; i++) {
        const struct rbac_policy_rule *v = &views.items[i];
        sizes_add(&sizes, v->verbs);
        sizes_add(&sizes, v->api_groups);
        sizes_add(&sizes, v->resources);
        sizes_add(&sizes, v->resource_names);
        sizes_add(&sizes, v->non_resource_urls);
    }
    struct compiled_role *role = mem_alloc(sizeof *role + views.count * sizeof role->rules[0] +
                                           sizes.lists * sizeof(str) + sizes.text);
    struct block b = {.list_at = (str *)(void *)&role->rules[views.count]};
    b.text_at = (char *)(b.list_at + sizes.lists);
    ns = block_text(&b, ns);
    name = block_text(&b, name);
    struct cow_key key = cow_key(hash_key, kind, ns, name);
    cow_item_init(&role->item, &block_ops, &key);
    role->rule_count = views.count;
    for (size_t i = 0; i < views.count; i++) {
        const struct rbac_policy_rule *v = &views.items[i];
        struct compiled_rule *c = &role->rules[i];
        *c = (struct compiled_rule){.rule = rule_of_view(v)};
        c->rule.verbs = block_list(&b, v->verbs);
        c->rule.groups = block_list(&b, v->api_groups);
        c->rule.resources = block_list(&b, v->resources);
        c->rule.names = block_list(&b, v->resource_names);
        c->rule.urls = block_list(&b, v->non_resource_urls);
        flags_set(c);
    }
    return role;
}

#define ACCOUNT_PREFIX "system:serviceaccount:"

/* The namespace of a service account that a binding names: its own, unless said. Empty: nobody is meant. */
static str account_ns(const struct compiled_subject *s, str binding_ns)
{
    return s->ns.n ? s->ns : binding_ns;
}

/* False: this subject names nobody. */
static bool subject_of_view(const struct rbac_subject *v, str binding_ns, struct compiled_subject *ret)
{
    *ret = (struct compiled_subject){.name = v->name};
    if (str_is(v->kind, "User")) {
        ret->kind = RBAC_USER;
        return true;
    }
    if (str_is(v->kind, "Group")) {
        ret->kind = RBAC_GROUP;
        return true;
    }
    if (!str_is(v->kind, "ServiceAccount"))
        return false;
    ret->kind = RBAC_USER;
    ret->is_service_account = true;
    ret->account = v->name;
    ret->ns = v->namespace;
    return account_ns(ret, binding_ns).n > 0;
}

struct compiled_binding *rbac_binding_compile(const uint64_t hash_key[2], enum rbac_kind kind, str ns,
                                              str name, str content)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct rbac_cluster_role_binding view; /* a RoleBinding has the same members */
    struct err err = ERR_INIT;
    if (UNEXPECTED(VIEW_DECODE(&a, rbac_cluster_role_binding, content, &view, &err) != ERR_NONE))
        return NULL;

    const struct rbac_role_ref *ref = &view.role_ref;
    size_t text = ns.n + name.n + ref->kind.n + ref->name.n, count = 0;
    struct compiled_subject *subjects = ARENA_ARRAY(&a, struct compiled_subject, view.subjects.count);
    for (size_t i = 0; i < view.subjects.count; i++) {
        struct compiled_subject *s = &subjects[count];
        if (!subject_of_view(&view.subjects.items[i], ns, s))
            continue;
        if (s->is_service_account)
            s->name = str_format(&a, ACCOUNT_PREFIX "%" STR_FMT ":%" STR_FMT, STR_ARG(account_ns(s, ns)),
                                 STR_ARG(s->account));
        text += s->name.n + s->account.n + s->ns.n;
        count++;
    }

    struct compiled_binding *binding = mem_alloc(sizeof *binding + count * sizeof binding->subjects[0] +
                                                 text);
    struct block b = {.text_at = (char *)&binding->subjects[count]};
    ns = block_text(&b, ns);
    struct cow_key key = cow_key(hash_key, kind, ns, block_text(&b, name));
    cow_item_init(&binding->item, &block_ops, &key);
    binding->role_kind = block_text(&b, ref->kind);
    bool cluster_role = str_is(ref->kind, "ClusterRole");
    binding->role_known = cluster_role || (str_is(ref->kind, "Role") && ns.n);
    binding->role = cow_key(hash_key, cluster_role ? RBAC_CLUSTER_ROLE : RBAC_ROLE,
                            cluster_role ? STR_NONE : ns, block_text(&b, ref->name));
    binding->subject_count = count;
    for (size_t i = 0; i < count; i++) {
        struct compiled_subject *to = &binding->subjects[i];
        *to = subjects[i];
        to->name = block_text(&b, to->name);
        to->account = block_text(&b, to->account);
        to->ns = block_text(&b, to->ns);
        to->list = cow_key(hash_key, to->kind, ns, to->name);
    }
    return binding;
}
