#include "harness/test.h"
#include "server/authz.h"

static struct user named(const char *name, const str *groups, size_t count)
{
    return (struct user){.name = str_from_c(name), .groups = groups, .group_count = count};
}

static str forbidden(struct arena *a, const struct attributes *at, str reason)
{
    struct buf b;
    buf_init_arena(&b, a, 4096);
    authz_forbidden_message(&b, at, reason);
    return buf_str(&b);
}

struct refusal {
    struct attributes at;
    const char *user, *reason, *message;
};

TEST(a_refusal_reads_as_the_originals)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    static const struct refusal cases[] = {
        {{.verb = S_INIT("list"), .is_resource = true, .resource = S_INIT("pods"), .ns = S_INIT("default")},
         "x",
         "",
         "pods is forbidden: User \"x\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""},
        {{.verb = S_INIT("get"),
          .is_resource = true,
          .group = S_INIT("apps"),
          .resource = S_INIT("deployments"),
          .subresource = S_INIT("scale"),
          .ns = S_INIT("ns"),
          .name = S_INIT("web")},
         "x",
         "because",
         "deployments.apps \"web\" is forbidden: User \"x\" cannot get resource \"deployments/scale\" in API group \"apps\" "
         "in the namespace \"ns\": because"},
        {{.verb = S_INIT("get"), .is_resource = true, .resource = S_INIT("nodes"), .name = S_INIT("n")},
         "x",
         "",
         "nodes \"n\" is forbidden: User \"x\" cannot get resource \"nodes\" in API group \"\" at the cluster scope"},
        {{.verb = S_INIT("get"), .path = S_INIT("/metrics")},
         "system:anonymous",
         "",
         "forbidden: User \"system:anonymous\" cannot get path \"/metrics\""},
        {{.verb = S_INIT("get"), .path = S_INIT("/<script>&\"")},
         "<b>",
         "<r>",
         "forbidden: User \"&lt;b&gt;\" cannot get path \"/&lt;script&gt;&amp;\\\"\": <r>"},
        {{.verb = S_INIT("get"), .is_resource = true, .resource = S_INIT("<p>"), .name = S_INIT("<n>")},
         "x\n",
         "",
         "<p> \"<n>\" is forbidden: User \"x\\n\" cannot get resource \"&lt;p&gt;\" in API group \"\" at the cluster scope"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct user u = named(cases[i].user, NULL, 0);
        struct attributes at = cases[i].at;
        at.user = &u;
        CHECK_STR(forbidden(&a, &at, str_from_c(cases[i].reason)), cases[i].message);
    }
}

TEST(masters_are_asked_nothing)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    const str groups[] = {S("system:authenticated"), S("system:masters")};
    struct user u = named("admin", groups, 2);
    struct attributes at = {.user = &u, .verb = S("delete"), .path = S("/")};
    struct authz_answer answer = {.explain = true};
    authz_authorize(&(struct authz){0}, &a, NULL, &at, &answer);
    CHECK_EQ(answer.decision, AUTHZ_ALLOW);
    CHECK_STR(answer.reason, "");
    struct user almost = named("system:masters", groups, 1);
    CHECK(!authz_is_master(&almost));
}

TEST(who_a_user_is_stands_in_his_name_and_groups)
{
    str ns, name;
    struct user sa = named("system:serviceaccount:kube-system:default", NULL, 0);
    CHECK(user_is_service_account(&sa, &ns, &name));
    CHECK_STR(ns, "kube-system");
    CHECK_STR(name, "default");
    static const char *const others[] = {"system:serviceaccount:a:",    "system:serviceaccount::b",
                                         "system:serviceaccount:a",     "system:serviceaccounts:a:b",
                                         "system:serviceaccount:a:b:c", "a:b"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        struct user u = named(others[i], NULL, 0);
        CHECK(!user_is_service_account(&u, &ns, &name));
    }
    const str nodes[] = {S("system:nodes")};
    struct user node = named("system:node:n1", nodes, 1), no_group = named("system:node:n1", NULL, 0),
                no_name = named("system:node:", nodes, 1), no_prefix = named("n1", nodes, 1);
    CHECK(user_is_node(&node, &name));
    CHECK_STR(name, "n1");
    CHECK(user_is_node(&no_name, &name));
    CHECK_STR(name, "");
    CHECK(!user_is_node(&no_group, &name));
    CHECK(!user_is_node(&no_prefix, &name));
    CHECK_STR(node_authz_rules_error(&node), "node authorizer does not support user rule resolution");
    CHECK_STR(node_authz_rules_error(&no_group), "");
}
