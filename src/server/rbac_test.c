#include "base/mem.h"
#include "base/random.h"
#include "harness/test.h"
#include "server/rbac_priv.h"
#include <stdio.h>

static const uint64_t key[2] = {0x1234, 0x5678};

/* A world of roles and bindings that is changed version by version. */
struct world {
    struct arena a;
    const struct cow_table *t;
};

static void setup(struct world *w)
{
    arena_init(&w->a, 0);
    w->t = cow_table_new();
}

static void teardown(struct world *w)
{
    cow_table_unref(w->t);
    arena_done(&w->a);
}

static void change(struct world *w, enum rbac_kind kind, const char *ns, const char *name, str content)
{
    struct cow_table *next = cow_table_copy(w->t);
    rbac_change(key, next, kind, str_from_c(ns), str_from_c(name), content);
    cow_table_unref(w->t);
    w->t = next;
}

static void role(struct world *w, const char *ns, const char *name, const char *rules)
{
    str content = str_format(&w->a, "{\"metadata\":{\"name\":\"%s\"},\"rules\":[%s]}", name, rules);
    change(w, *ns ? RBAC_ROLE : RBAC_CLUSTER_ROLE, ns, name, content);
}

static void bind(struct world *w, const char *ns, const char *name, const char *role_kind,
                 const char *role_name, const char *subjects)
{
    str content = str_format(&w->a,
                             "{\"metadata\":{\"name\":\"%s\"},\"subjects\":[%s],\"roleRef\":{\"apiGroup\":"
                             "\"rbac.authorization.k8s.io\",\"kind\":\"%s\",\"name\":\"%s\"}}",
                             name, subjects, role_kind, role_name);
    change(w, *ns ? RBAC_ROLE_BINDING : RBAC_CLUSTER_ROLE_BINDING, ns, name, content);
}

#define USER(name)        "{\"kind\":\"User\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"" name "\"}"
#define GROUP(name)       "{\"kind\":\"Group\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"" name "\"}"
#define ACCOUNT(ns, name) "{\"kind\":\"ServiceAccount\",\"name\":\"" name "\",\"namespace\":\"" ns "\"}"
#define RULE(verbs, groups, resources) \
    "{\"verbs\":[" verbs "],\"apiGroups\":[" groups "],\"resources\":[" resources "]}"
#define URLS(verbs, urls) "{\"verbs\":[" verbs "],\"nonResourceURLs\":[" urls "]}"

static struct user user_of(struct arena *a, const char *name, const char *groups)
{
    str rest = str_from_c(groups), one;
    struct user u = {.name = str_from_c(name)};
    str *list = ARENA_ARRAY(a, str, 16);
    while (rest.n && str_next(&rest, ' ', &one))
        list[u.group_count++] = one;
    u.groups = list;
    return u;
}

/* "get apps deployments/scale ns name": "-" is nothing; "get /path" is a path. */
static struct attributes attributes_of(const struct user *u, const char *text)
{
    struct attributes at = {.user = u};
    str rest = str_from_c(text), parts[5] = {{0}}, one;
    for (size_t i = 0; i < 5 && str_next(&rest, ' ', &one); i++)
        parts[i] = str_is(one, "-") ? STR_NONE : one;
    at.verb = parts[0];
    if (parts[1].n && parts[1].p[0] == '/') {
        at.path = parts[1];
        return at;
    }
    at.is_resource = true;
    at.group = parts[1];
    str_cut(parts[2], '/', &at.resource, &at.subresource);
    at.ns = parts[3];
    at.name = parts[4];
    return at;
}

static struct authz_answer ask(struct world *w, const char *user, const char *groups, const char *what)
{
    struct user u = user_of(&w->a, user, groups);
    struct attributes at = attributes_of(&u, what);
    struct authz_answer answer = {.explain = true};
    rbac_table_authorize(w->t, key, &w->a, &at, &answer);
    return answer;
}

static bool may(struct world *w, const char *user, const char *what)
{
    return ask(w, user, "", what).decision == AUTHZ_ALLOW;
}

struct case_ {
    const char *rule, *what;
    bool allowed;
};

static void check_rule(const struct case_ *c)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "r", c->rule);
    bind(&w, "", "b", "ClusterRole", "r", USER("u"));
    if (may(&w, "u", c->what) != c->allowed)
        FAIL("%s should %sallow %s", c->rule, c->allowed ? "" : "not ", c->what);
}

TEST(a_rule_allows_exactly_what_it_says)
{
    static const struct case_ cases[] = {
        {RULE("\"get\"", "\"\"", "\"pods\""), "get - pods ns x", true},
        {RULE("\"get\"", "\"\"", "\"pods\""), "get - pods - -", true},
        {RULE("\"get\"", "\"\"", "\"pods\""), "list - pods ns", false},
        {RULE("\"get\"", "\"\"", "\"pods\""), "get apps pods ns", false},
        {RULE("\"get\"", "\"\"", "\"pods\""), "get - pod ns", false},
        {RULE("\"get\"", "\"\"", "\"pods\""), "get - podsx ns", false},
        {RULE("\"get\"", "\"\"", "\"pods\""), "get - pods/log ns", false},
        {RULE("\"get\"", "\"\"", "\"pods/log\""), "get - pods/log ns", true},
        {RULE("\"get\"", "\"\"", "\"pods/log\""), "get - pods ns", false},
        {RULE("\"get\"", "\"\"", "\"pods/log\""), "get - pods/exec ns", false},
        {RULE("\"get\"", "\"\"", "\"pods/log\""), "get - pods/lo ns", false},
        {RULE("\"get\"", "\"\"", "\"podsxlog\""), "get - pods/log ns", false},
        /* Only "*" and a star before a subresource are patterns. */
        {RULE("\"get\"", "\"\"", "\"*\""), "get - pods/log ns", true},
        {RULE("\"get\"", "\"\"", "\"pods/*\""), "get - pods/log ns", false},
        {RULE("\"get\"", "\"\"", "\"pods/*\""), "get - pods ns", false},
        {RULE("\"get\"", "\"\"", "\"pods*\""), "get - pods ns", false},
        {RULE("\"get\"", "\"*\"", "\"*/scale\""), "get apps deployments/scale ns x", true},
        {RULE("\"get\"", "\"*\"", "\"*/scale\""), "get apps deployments ns x", false},
        {RULE("\"get\"", "\"*\"", "\"*/scale\""), "get apps deployments/xscale ns x", false},
        {RULE("\"get\"", "\"*\"", "\"*/scale\""), "get apps scale ns x", false},
        {RULE("\"get\"", "\"app*\"", "\"deployments\""), "get apps deployments ns", false},
        {RULE("\"get\"", "\"*\"", "\"pods\""), "get - pods ns", true},
        {RULE("\"*\"", "\"\"", "\"pods\""), "frobnicate - pods ns", true},
        {RULE("\"get\",\"bind\"", "\"\"", "\"pods\""), "bind - pods ns", true},
        {RULE("\"get\",\"bind\"", "\"\"", "\"pods\""), "escalate - pods ns", false},
        {RULE("\"bind\"", "\"\"", "\"pods\""), "get - pods ns", false},
        {RULE("\"GET\"", "\"\"", "\"pods\""), "get - pods ns", false},
        {RULE("\"delete\"", "\"\"", "\"pods\""), "deletecollection - pods ns", false},
        {RULE("", "\"\"", "\"pods\""), "get - pods ns", false},
        {RULE("\"get\"", "", "\"pods\""), "get - pods ns", false},
        {RULE("\"get\"", "\"\"", ""), "get - pods ns", false},
        /* Rules about resources say nothing about paths, and the other way round. */
        {RULE("\"*\"", "\"*\"", "\"*\""), "get /metrics", false},
        {URLS("\"*\"", "\"*\""), "get - pods ns", false},
        {URLS("\"get\"", "\"/metrics\""), "get /metrics", true},
        {URLS("\"get\"", "\"/metrics\""), "get /metrics/", false},
        {URLS("\"get\"", "\"/metrics\""), "post /metrics", false},
        {URLS("\"get\"", "\"/apis/*\""), "get /apis/apps", true},
        {URLS("\"get\"", "\"/apis/*\""), "get /apis", false},
        {URLS("\"get\"", "\"/apis/**\""), "get /apis/x", true},
        {URLS("\"get\"", "\"/api*\""), "get /apis/apps", true},
        {URLS("\"get\"", "\"/*/x\""), "get /a/x", false},
        {URLS("\"get\"", "\"*\""), "get /", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_rule(&cases[i]);
}

TEST(names_narrow_a_rule_down_to_requests_that_name_them)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "r",
         "{\"verbs\":[\"get\",\"list\",\"create\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],"
         "\"resourceNames\":[\"a\",\"b\"]}");
    bind(&w, "", "b", "ClusterRole", "r", USER("u"));
    CHECK(may(&w, "u", "get - pods ns a"));
    CHECK(may(&w, "u", "list - pods ns b"));
    CHECK(!may(&w, "u", "get - pods ns c"));
    CHECK(!may(&w, "u", "list - pods ns -"));
    CHECK(!may(&w, "u", "create - pods ns -"));
}

TEST(bindings_reach_whom_they_name_and_where)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "reader", RULE("\"get\"", "\"\"", "\"pods\""));
    role(&w, "ns1", "local", RULE("\"get\"", "\"\"", "\"secrets\""));
    bind(&w, "", "all", "ClusterRole", "reader", GROUP("ops"));
    bind(&w, "ns1", "one", "ClusterRole", "reader",
         USER("u") "," ACCOUNT("ns2", "sa") "," ACCOUNT("", "own"));
    bind(&w, "ns1", "two", "Role", "local", USER("u"));
    bind(&w, "", "not-that-way", "Role", "local", USER("x"));
    bind(&w, "", "nowhere", "ClusterRole", "reader", ACCOUNT("", "own"));

    struct who {
        const char *user, *groups, *what;
        bool allowed;
    };
    static const struct who cases[] = {
        {"a", "ops", "get - pods ns9", true},
        {"a", "ops", "get - pods -", true},
        {"a", "dev ops", "get - pods ns9", true},
        {"a", "dev", "get - pods ns9", false},
        {"ops", "", "get - pods ns9", false},
        {"a", "u", "get - pods ns1", false}, /* a group is not a user */
        {"u", "", "get - pods ns1", true},
        {"u", "", "get - pods ns2", false},
        {"u", "", "get - pods -", false}, /* all namespaces */
        {"u", "", "get - secrets ns1", true},
        {"u", "", "get - secrets ns2", false},
        {"system:serviceaccount:ns2:sa", "", "get - pods ns1", true},
        {"system:serviceaccount:ns1:sa", "", "get - pods ns1", false},
        {"system:serviceaccount:ns1:own", "", "get - pods ns1", true},
        {"system:serviceaccount::own", "", "get - pods ns1", false},
        {"own", "", "get - pods ns1", false},
        {"x", "", "get - secrets ns1", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct who *c = &cases[i];
        if ((ask(&w, c->user, c->groups, c->what).decision == AUTHZ_ALLOW) != c->allowed)
            FAIL("%s (%s) should %sbe allowed to %s", c->user, c->groups, c->allowed ? "" : "not ", c->what);
    }
}

TEST(reasons_are_worded_as_the_original_words_them)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "reader", RULE("\"get\"", "\"\"", "\"pods\""));
    bind(&w, "", "all", "ClusterRole", "reader", GROUP("ops"));
    bind(&w, "ns1", "one", "ClusterRole", "reader",
         USER("u") "," ACCOUNT("", "own") "," ACCOUNT("ns2", "sa"));
    CHECK_STR(ask(&w, "a", "ops", "get - pods -").reason,
              "RBAC: allowed by ClusterRoleBinding \"all\" of ClusterRole \"reader\" to Group \"ops\"");
    CHECK_STR(ask(&w, "u", "", "get - pods ns1").reason,
              "RBAC: allowed by RoleBinding \"one/ns1\" of ClusterRole \"reader\" to User \"u\"");
    CHECK_STR(
        ask(&w, "system:serviceaccount:ns1:own", "", "get - pods ns1").reason,
        "RBAC: allowed by RoleBinding \"one/ns1\" of ClusterRole \"reader\" to ServiceAccount \"own/ns1\"");
    CHECK_STR(
        ask(&w, "system:serviceaccount:ns2:sa", "", "get - pods ns1").reason,
        "RBAC: allowed by RoleBinding \"one/ns1\" of ClusterRole \"reader\" to ServiceAccount \"sa/ns2\"");
    CHECK_STR(ask(&w, "u", "", "list - pods ns1").reason, "");

    bind(&w, "", "x1", "ClusterRole", "gone", USER("v"));
    CHECK_STR(ask(&w, "v", "", "get - pods ns1").reason,
              "RBAC: clusterrole.rbac.authorization.k8s.io \"gone\" not found");
    bind(&w, "ns1", "x2", "Role", "gone", USER("v"));
    bind(&w, "ns1", "x3", "Role", "gone", USER("v"));
    CHECK_STR(ask(&w, "v", "", "get - pods ns1").reason,
              "RBAC: [clusterrole.rbac.authorization.k8s.io \"gone\" not found, "
              "role.rbac.authorization.k8s.io \"gone\" not found]");
    bind(&w, "ns1", "x4", "ClusterRole", "reader", USER("v"));
    CHECK_EQ(ask(&w, "v", "", "get - pods ns1").decision, AUTHZ_ALLOW);
}

TEST(a_change_counts_from_the_next_question_on)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    bind(&w, "", "b", "ClusterRole", "r", USER("u") "," USER("u") "," USER("v"));
    CHECK(!may(&w, "u", "get - pods ns")); /* the role comes later */
    role(&w, "", "r", RULE("\"get\"", "\"\"", "\"pods\""));
    CHECK(may(&w, "u", "get - pods ns"));
    CHECK(may(&w, "v", "get - pods ns"));
    role(&w, "", "r", RULE("\"list\"", "\"\"", "\"pods\""));
    CHECK(!may(&w, "u", "get - pods ns"));
    CHECK(may(&w, "u", "list - pods ns"));
    bind(&w, "", "b", "ClusterRole", "r", USER("v"));
    CHECK(!may(&w, "u", "list - pods ns"));
    CHECK(may(&w, "v", "list - pods ns"));
    change(&w, RBAC_CLUSTER_ROLE, "", "r", STR_NONE);
    CHECK(!may(&w, "v", "list - pods ns"));
    change(&w, RBAC_CLUSTER_ROLE_BINDING, "", "b", STR_NONE);
    change(&w, RBAC_CLUSTER_ROLE_BINDING, "", "b", STR_NONE); /* twice does no harm */
    CHECK_EQ(cow_table_count(w.t), 0);
}

TEST(an_older_version_stays_as_it_was)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "r", RULE("\"get\"", "\"\"", "\"pods\""));
    bind(&w, "", "b1", "ClusterRole", "r", GROUP("g"));
    struct world old = {.t = cow_table_ref(w.t)};
    arena_init(&old.a, 0);
    bind(&w, "", "b1", "ClusterRole", "r", USER("u"));
    bind(&w, "", "b2", "ClusterRole", "r", USER("u"));
    role(&w, "", "r", RULE("\"list\"", "\"\"", "\"pods\""));
    CHECK_EQ(ask(&old, "x", "g", "get - pods ns").decision, AUTHZ_ALLOW);
    CHECK_EQ(ask(&old, "u", "", "get - pods ns").decision, AUTHZ_NO_OPINION);
    CHECK_EQ(ask(&w, "x", "g", "list - pods ns").decision, AUTHZ_NO_OPINION);
    CHECK_EQ(ask(&w, "u", "", "list - pods ns").decision, AUTHZ_ALLOW);
    teardown(&old);
}

/* The same thing without any index. */
struct plain_binding {
    unsigned role, subject, ns;
    bool there;
};
enum { PLAIN_ROLES = 5, PLAIN_BINDINGS = 40, PLAIN_SUBJECTS = 6, PLAIN_PLACES = 4 };
struct plain {
    bool roles[PLAIN_ROLES];
    struct plain_binding bindings[PLAIN_BINDINGS];
};

static bool plain_allows(const struct plain *p, unsigned subject, unsigned ns, unsigned what)
{
    for (size_t i = 0; i < PLAIN_BINDINGS; i++) {
        const struct plain_binding *b = &p->bindings[i];
        if (b->there && b->subject == subject && (b->ns == 0 || b->ns == ns) && b->role == what &&
            p->roles[what])
            return true;
    }
    return false;
}

static void plain_step(struct world *w, struct plain *p, struct random *r)
{
    if (random_chance(r, 1, 4)) {
        unsigned i = (unsigned)random_below(r, PLAIN_ROLES);
        p->roles[i] = !p->roles[i];
        char name[16], rule[80];
        snprintf(name, sizeof name, "r%u", i);
        snprintf(rule, sizeof rule, "{\"verbs\":[\"v%u\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}", i);
        if (p->roles[i])
            role(w, "", name, rule);
        else
            change(w, RBAC_CLUSTER_ROLE, "", name, STR_NONE);
        return;
    }
    unsigned i = (unsigned)random_below(r, PLAIN_BINDINGS);
    struct plain_binding *b = &p->bindings[i];
    char name[16], ns[16], role_name[16], subject[100];
    snprintf(name, sizeof name, "b%u", i);
    if (!b->there)
        b->ns = (unsigned)random_below(r, PLAIN_PLACES);
    snprintf(ns, sizeof ns, "%.*s%u", b->ns ? 2 : 0, "ns", b->ns);
    const char *place = b->ns ? ns : "";
    if (b->there && random_chance(r, 1, 2)) {
        b->there = false;
        change(w, b->ns ? RBAC_ROLE_BINDING : RBAC_CLUSTER_ROLE_BINDING, place, name, STR_NONE);
        return;
    }
    b->there = true;
    b->role = (unsigned)random_below(r, PLAIN_ROLES);
    b->subject = (unsigned)random_below(r, PLAIN_SUBJECTS);
    snprintf(role_name, sizeof role_name, "r%u", b->role);
    snprintf(subject, sizeof subject, "{\"kind\":\"%s\",\"name\":\"s%u\"}", b->subject % 2 ? "Group" : "User",
             b->subject);
    bind(w, place, name, "ClusterRole", role_name, subject);
}

TEST(the_index_agrees_with_looking_at_every_binding)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    struct plain p = {0};
    struct random r;
    random_init(&r, test_seed());
    for (int step = 0; step < 2000; step++) {
        plain_step(&w, &p, &r);
        unsigned subject = (unsigned)random_below(&r, PLAIN_SUBJECTS),
                 ns = (unsigned)random_below(&r, PLAIN_PLACES);
        unsigned what = (unsigned)random_below(&r, PLAIN_ROLES);
        char name[16], question[64];
        snprintf(name, sizeof name, "s%u", subject);
        snprintf(question, sizeof question, "v%u - pods %.*s%.*u", what, ns ? 2 : 1, ns ? "ns" : "-",
                 ns ? 1 : 0, ns);
        bool allowed = ask(&w, subject % 2 ? "nobody" : name, subject % 2 ? name : "", question).decision ==
                       AUTHZ_ALLOW;
        if (allowed != plain_allows(&p, subject, ns, what))
            FAIL("step %d: %s %s", step, name, question);
        arena_reset(&w.a);
    }
}

TEST(asking_takes_no_heap)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "r", RULE("\"get\"", "\"\"", "\"pods\""));
    bind(&w, "", "b", "ClusterRole", "r", GROUP("g1"));
    struct user u = user_of(&w.a, "u", "system:authenticated g1");
    struct attributes at = attributes_of(&u, "get - pods ns x");
    uint64_t before = mem_thread_allocs();
    struct authz_answer answer = {0};
    size_t used = w.a.used;
    rbac_table_authorize(w.t, key, &w.a, &at, &answer);
    CHECK_EQ(answer.decision, AUTHZ_ALLOW);
    CHECK_EQ(mem_thread_allocs() - before, 0);
    CHECK_EQ(w.a.used - used, 0);
}

/* --- rules of a user, and what they cover --- */

TEST(all_rules_of_a_user_are_those_of_the_cluster_and_the_namespace)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "r1", RULE("\"get\"", "\"\"", "\"pods\"") "," URLS("\"get\"", "\"/x\""));
    role(&w, "ns1", "r2", RULE("\"list\"", "\"\"", "\"secrets\""));
    bind(&w, "", "b1", "ClusterRole", "r1", GROUP("g"));
    bind(&w, "ns1", "b2", "Role", "r2", USER("u"));
    bind(&w, "ns1", "b3", "Role", "gone", USER("u"));
    struct user u = user_of(&w.a, "u", "g");
    const struct rbac_rule *rules;
    size_t count;
    str error;
    rbac_table_rules(w.t, key, &w.a, &u, S("ns1"), RBAC_ERRORS_SINGULAR, &rules, &count, &error);
    CHECK_EQ(count, 3);
    CHECK_STR(rules[0].resources[0], "secrets");
    CHECK_STR(rules[1].resources[0], "pods");
    CHECK_STR(rules[2].urls[0], "/x");
    CHECK_STR(error, "role.rbac.authorization.k8s.io \"gone\" not found");
    rbac_table_rules(w.t, key, &w.a, &u, STR_NONE, RBAC_ERRORS_SINGULAR, &rules, &count, &error);
    CHECK_EQ(count, 2);
    CHECK_STR(error, "");
    CHECK(rbac_table_role_rules(w.t, key, &w.a, S("Role"), S("ns1"), S("r2"), &rules, &count));
    CHECK_EQ(count, 1);
    CHECK(!rbac_table_role_rules(w.t, key, &w.a, S("Role"), S("ns2"), S("r2"), &rules, &count));
    CHECK(rbac_table_role_rules(w.t, key, &w.a, S("ClusterRole"), S("ns2"), S("r1"), &rules, &count));
    CHECK(!rbac_table_role_rules(w.t, key, &w.a, S("Thing"), S("ns2"), S("r1"), &rules, &count));
}

static const struct rbac_rule *rules_of(struct world *w, const char *rules, size_t *ret_count)
{
    const struct rbac_rule *decoded;
    str content = str_format(&w->a, "{\"metadata\":{\"name\":\"x\"},\"rules\":[%s]}", rules);
    CHECK_OK(rbac_rules_decode(&w->a, content, &decoded, ret_count, &e));
    return decoded;
}

/* Owns these rules: what does it lack of those? Empty: nothing. */
static str lacks(struct world *w, const char *owned, const char *wanted)
{
    role(w, "", "owned", owned);
    bind(w, "", "b", "ClusterRole", "owned", USER("u"));
    struct user u = user_of(&w->a, "u", "g1 g2");
    size_t count;
    const struct rbac_rule *rules = rules_of(w, wanted, &count);
    str missing = STR_NONE;
    bool covers = rbac_table_covers(w->t, key, &w->a, &u, S("ns"), rules, count, &missing);
    CHECK_EQ(covers, missing.n == 0);
    return missing;
}

#define ATTEMPT \
    "user \"u\" (groups=[\"g1\" \"g2\"]) is attempting to grant RBAC permissions not currently held:\n"

TEST(what_a_user_lacks_is_told_by_rule)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    struct covering {
        const char *owned, *wanted, *missing;
    };
    static const struct covering cases[] = {
        {"", RULE("\"get\"", "\"\"", "\"pods\""),
         ATTEMPT "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}"},
        {RULE("\"get\"", "\"\"", "\"pods\""), RULE("\"get\",\"watch\",\"list\"", "\"\"", "\"pods\""),
         ATTEMPT "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"watch\" \"list\"]}"},
        /* Several rules cover one together. */
        {RULE("\"get\"", "\"\"", "\"pods\"") "," RULE("\"list\"", "\"*\"", "\"pods\""),
         RULE("\"get\",\"list\"", "\"\"", "\"pods\""), ""},
        {RULE("\"*\"", "\"*\"", "\"*\""), RULE("\"*\"", "\"*\"", "\"*\""), ""},
        {RULE("\"get\",\"list\"", "\"*\"", "\"*\""), RULE("\"*\"", "\"\"", "\"pods\""),
         ATTEMPT "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"*\"]}"},
        {RULE("\"get\"", "\"\"", "\"pods\""), RULE("\"get\"", "\"*\"", "\"pods\""),
         ATTEMPT "{APIGroups:[\"*\"], Resources:[\"pods\"], Verbs:[\"get\"]}"},
        {RULE("\"get\"", "\"\"", "\"*/scale\""), RULE("\"get\"", "\"\"", "\"pods/scale\""), ""},
        {RULE("\"get\"", "\"\"", "\"pods\""), RULE("\"get\"", "\"\"", "\"pods/scale\""),
         ATTEMPT "{APIGroups:[\"\"], Resources:[\"pods/scale\"], Verbs:[\"get\"]}"},
        {RULE("\"get\"", "\"\"", "\"pods/scale\""), RULE("\"get\"", "\"\"", "\"*/scale\""),
         ATTEMPT "{APIGroups:[\"\"], Resources:[\"*/scale\"], Verbs:[\"get\"]}"},
        {"{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"resourceNames\":[\"a\"]}",
         "{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"resourceNames\":[\"a\",\"b\"]}",
         ATTEMPT "{APIGroups:[\"\"], Resources:[\"pods\"], ResourceNames:[\"b\"], Verbs:[\"get\"]}"},
        {"{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"resourceNames\":[\"a\"]}",
         RULE("\"get\"", "\"\"", "\"pods\""),
         ATTEMPT "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}"},
        {URLS("\"get\"", "\"/a/*\""), URLS("\"get\"", "\"/a/b\",\"/c\""),
         ATTEMPT "{NonResourceURLs:[\"/c\"], Verbs:[\"get\"]}"},
        {URLS("\"get\"", "\"/a/*\""), URLS("\"get\",\"post\"", "\"/a/*\",\"/a*\""),
         ATTEMPT
         "{NonResourceURLs:[\"/a*\"], Verbs:[\"get\"]}\n{NonResourceURLs:[\"/a*\"], Verbs:[\"post\"]}\n"
         "{NonResourceURLs:[\"/a/*\"], Verbs:[\"post\"]}"},
        /* Verbs of one resource from several rules come together, once each; lines are sorted. */
        {"", RULE("\"list\"", "\"\"", "\"pods\",\"nodes\"") "," RULE("\"get\",\"list\"", "\"\"", "\"pods\""),
         ATTEMPT "{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"list\"]}\n"
                 "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\" \"get\"]}"},
        {"", "", ""},
        {"", RULE("", "\"\"", "\"pods\""), ""}, /* grants nothing */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_STR(lacks(&w, cases[i].owned, cases[i].wanted), cases[i].missing);
}

TEST(roles_that_are_not_there_are_told_with_what_is_missing)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    bind(&w, "", "b2", "ClusterRole", "gone", USER("u"));
    CHECK_STR(lacks(&w, "", RULE("\"get\"", "\"\"", "\"pods\"")),
              ATTEMPT "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}; resolution errors: "
                      "[clusterroles.rbac.authorization.k8s.io \"gone\" not found]");
}

TEST(only_everything_covers_everything)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "all", RULE("\"*\"", "\"*\"", "\"*\""));
    bind(&w, "", "b", "ClusterRole", "all", USER("u"));
    struct user u = user_of(&w.a, "u", "");
    str missing;
    CHECK(!rbac_table_covers(w.t, key, &w.a, &u, STR_NONE, rbac_everything, 2, &missing));
    role(&w, "", "all", RULE("\"*\"", "\"*\"", "\"*\"") "," URLS("\"*\"", "\"*\""));
    CHECK(rbac_table_covers(w.t, key, &w.a, &u, STR_NONE, rbac_everything, 2, &missing));
}

/* Count words "x0","x1",... */
static str many(struct arena *a, char letter, size_t count)
{
    struct buf b;
    buf_init_arena(&b, a, 1 << 20);
    for (size_t i = 0; i < count; i++)
        buf_add_f(&b, "%s\"%c%zu\"", i ? "," : "", letter, i);
    return buf_str(&b);
}

TEST(a_role_of_a_billion_combinations_is_refused_in_time)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    str thousand_v = many(&w.a, 'v', 1000), thousand_g = many(&w.a, 'g', 1000),
        thousand_r = many(&w.a, 'r', 1000);
    str rule = str_format(
        &w.a, "{\"verbs\":[%" STR_FMT "],\"apiGroups\":[%" STR_FMT "],\"resources\":[%" STR_FMT "]}",
        STR_ARG(thousand_v), STR_ARG(thousand_g), STR_ARG(thousand_r));
    str missing = lacks(&w, "", str_cstr(&w.a, rule));
    CHECK_CONTAINS(missing, "more than 20000 combinations");
    /* Who has everything has these too, however many they are. */
    CHECK_STR(lacks(&w, RULE("\"*\"", "\"*\"", "\"*\""), str_cstr(&w.a, rule)), "");
    /* And asking about one is as quick as ever. */
    role(&w, "", "owned", str_cstr(&w.a, rule));
    CHECK(may(&w, "u", "v999 g999 r999 ns"));
    CHECK(!may(&w, "u", "v999 g999 r1000 ns"));
}

TEST(contents_that_are_no_roles_grant_nothing)
{
    CLEANUP(teardown) struct world w;
    setup(&w);
    role(&w, "", "r", RULE("\"get\"", "\"\"", "\"pods\""));
    bind(&w, "", "b", "ClusterRole", "r", USER("u"));
    CHECK(may(&w, "u", "get - pods ns"));
    change(&w, RBAC_CLUSTER_ROLE, "", "r", S("{\"metadata\":{\"name\":\"r\"},\"rules\":[{\"verbs\":7}]}"));
    CHECK(!may(&w, "u", "get - pods ns"));
    role(&w, "", "r", RULE("\"get\"", "\"\"", "\"pods\""));
    change(&w, RBAC_CLUSTER_ROLE_BINDING, "", "b", S("[]"));
    CHECK(!may(&w, "u", "get - pods ns"));
}
