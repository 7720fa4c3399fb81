#include "base/selector.h"
#include "server/authz.h"
#include "store/store_suite_test.h"
#include <stdio.h>

static const uint64_t key[2] = {1, 2};

struct cluster {
    struct world *w;
    struct arena a;
    struct node_authz *nodes;
};

static void put(struct cluster *c, const char *resource, const char *path, const char *rest)
{
    struct object_key k = world_key(c->w, resource, path);
    str content =
        k.ns.n
            ? str_format(&c->a, "{\"metadata\":{\"name\":\"%" STR_FMT "\",\"namespace\":\"%" STR_FMT "\"%s}",
                         STR_ARG(k.name), STR_ARG(k.ns), rest)
            : str_format(&c->a, "{\"metadata\":{\"name\":\"%" STR_FMT "\"%s}", STR_ARG(k.name), rest);
    struct store_change change = {0};
    CHECK_OK(object_new(k, content, &change.put, &e));
    CHECK_OK(world_commit(c->w, NULL, 0, &change, 1, &e));
}

static struct user agent(const char *node)
{
    static const str groups[] = {S_INIT("system:nodes"), S_INIT("system:authenticated")};
    static char name[100];
    snprintf(name, sizeof name, "system:node:%s", node);
    return (struct user){.name = str_from_c(name), .groups = groups, .group_count = 2};
}

/* "get - pods/log ns name FIELDS", "get /path". */
static struct authz_answer ask(struct cluster *c, const char *node, const char *what)
{
    struct user u = agent(node);
    struct attributes at = {.user = &u, .is_resource = true};
    str rest = str_from_c(what), parts[6] = {{0}}, one;
    for (size_t i = 0; i < 6 && str_next(&rest, ' ', &one); i++)
        parts[i] = str_is(one, "-") ? STR_NONE : one;
    at.verb = parts[0];
    if (parts[1].n && parts[1].p[0] == '/') {
        at.is_resource = false;
        at.path = parts[1];
    }
    at.group = parts[1];
    str_cut(parts[2], '/', &at.resource, &at.subresource);
    at.ns = parts[3];
    at.name = parts[4];
    struct field_selector fields;
    if (parts[5].n) {
        CHECK_OK(field_selector_parse(&c->a, parts[5], &fields, &e));
        at.fields = &fields;
    }
    const struct snapshot *sn = store_snapshot(c->w->store);
    struct authz_answer answer = {0};
    node_authorize(c->nodes, &c->a, sn, &at, &answer);
    snapshot_unref(sn);
    return answer;
}

static bool may(struct cluster *c, const char *node, const char *what)
{
    return ask(c, node, what).decision == AUTHZ_ALLOW;
}

static void run(void (*fn)(struct cluster *c), struct world *w)
{
    struct cluster c = {.w = w};
    arena_init(&c.a, 0);
    c.nodes = node_authz_new(w->store, key);
    fn(&c);
    node_authz_free(c.nodes);
    arena_done(&c.a);
}

#define NODE_TEST(name)                                  \
    static void node_test_##name(struct cluster *c);     \
    static void node_world_##name(struct world *w)       \
    {                                                    \
        run(node_test_##name, w);                        \
    }                                                    \
    TEST(sim_node_##name)                                \
    {                                                    \
        world_run(&world_sqlite_sim, node_world_##name); \
    }                                                    \
    static void node_test_##name(struct cluster *c)

#define UNRELATED(node) "no relationship found between node '" node "' and this object"

struct answer_case {
    const char *what;
    bool allowed;
    const char *reason;
};

static void check_answers(struct cluster *c, const char *node, const struct answer_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct authz_answer answer = ask(c, node, cases[i].what);
        if ((answer.decision == AUTHZ_ALLOW) != cases[i].allowed || answer.decision == AUTHZ_DENY)
            FAIL("%s should %sbe allowed to %s", node, cases[i].allowed ? "" : "not ", cases[i].what);
        if (!str_eq(answer.reason, str_from_c(cases[i].reason)))
            FAIL("%s: said '%.*s', should say '%s'", cases[i].what, STR_ARG(answer.reason), cases[i].reason);
    }
}

NODE_TEST(an_agent_may_what_the_rules_of_nodes_say)
{
    static const struct answer_case cases[] = {
        {"list - services -", true, ""},
        {"delete - services ns x", false, ""},
        {"create events.k8s.io events ns", true, ""},
        {"patch - events ns x", true, ""},
        {"create certificates.k8s.io certificatesigningrequests -", true, ""},
        {"update certificates.k8s.io certificatesigningrequests/approval - x", false, ""},
        {"create authentication.k8s.io tokenreviews -", true, ""},
        {"create authorization.k8s.io subjectaccessreviews -", true, ""},
        {"watch storage.k8s.io csidrivers -", true, ""},
        {"watch node.k8s.io runtimeclasses -", true, ""},
        {"list discovery.k8s.io endpointslices -", false, ""},
        {"list - namespaces -", false, ""},
        {"create - pods/exec ns x", false, ""},
        {"get /healthz", false, ""},
    };
    check_answers(c, "n1", cases, ARRAY_COUNT(cases));
}

NODE_TEST(an_agent_has_its_own_node_lease_and_csi_node)
{
    static const struct answer_case cases[] = {
        {"create - nodes -", true, ""},
        {"get - nodes - n1", true, ""},
        {"watch - nodes - n1", true, ""},
        {"get - nodes - n2", false, "node 'n1' cannot read 'n2', only its own Node object"},
        {"list - nodes -", false, "node 'n1' cannot read all nodes, only its own Node object"},
        {"patch - nodes - n2", true, ""}, /* admission sees to that */
        {"patch - nodes/status - n1", true, ""},
        {"get - nodes/status - n1", false, ""},
        {"delete - nodes - n1", false, ""},
        {"get - nodes/proxy - n1", false, ""},
        {"create coordination.k8s.io leases kube-node-lease", true, ""},
        {"update coordination.k8s.io leases kube-node-lease n1", true, ""},
        {"update coordination.k8s.io leases kube-node-lease n2", false,
         "can only access node lease with the same name as the requesting node"},
        {"get coordination.k8s.io leases kube-system n1", false,
         "can only access leases in the \"kube-node-lease\" system namespace"},
        {"list coordination.k8s.io leases kube-node-lease n1", false,
         "can only get, create, update, patch, or delete a node lease"},
        {"create storage.k8s.io csinodes -", true, ""},
        {"get storage.k8s.io csinodes - n1", true, ""},
        {"get storage.k8s.io csinodes - n2", false,
         "can only access CSINode with the same name as the requesting node"},
        {"list storage.k8s.io csinodes -", false, "can only get, create, update, patch, or delete a CSINode"},
        {"get storage.k8s.io csinodes/x - n1", false, "cannot authorize CSINode subresources"},
    };
    check_answers(c, "n1", cases, ARRAY_COUNT(cases));
}

NODE_TEST(an_agent_reads_its_pods_and_writes_their_status)
{
    put(c, "pods", "ns/p1", "},\"spec\":{\"containers\":[],\"nodeName\":\"n1\"}");
    put(c, "pods", "ns/p2", "},\"spec\":{\"containers\":[],\"nodeName\":\"n2\"}");
    put(c, "pods", "ns/none", "},\"spec\":{\"containers\":[]}");
    static const struct answer_case cases[] = {
        {"get - pods ns p1", true, ""},
        {"get - pods ns p2", false, UNRELATED("n1")},
        {"get - pods ns none", false, UNRELATED("n1")},
        {"get - pods ns gone", false, UNRELATED("n1")},
        {"get - pods other p1", false, UNRELATED("n1")},
        {"list - pods - - spec.nodeName=n1", true, ""},
        {"watch - pods ns - status.phase!=Failed,spec.nodeName=n1", true, ""},
        {"list - pods - - spec.nodeName=n2", false,
         "can only list/watch pods with spec.nodeName field selector"},
        {"list - pods - - spec.nodeName!=n1", false,
         "can only list/watch pods with spec.nodeName field selector"},
        {"list - pods -", false, "can only list/watch pods with spec.nodeName field selector"},
        {"list - pods ns p1 metadata.name=p1", true, ""},
        {"watch - pods ns p2 metadata.name=p2", false, UNRELATED("n1")},
        {"create - pods ns", true, ""},
        {"delete - pods ns p1", true, ""},
        {"deletecollection - pods ns", false, ""},
        {"patch - pods/status ns p1", true, ""},
        {"get - pods/status ns p1", false, ""},
        {"create - pods/eviction ns p1", true, ""},
        {"update - pods ns p1", false, ""},
    };
    check_answers(c, "n1", cases, ARRAY_COUNT(cases));
}

/* Every way in which a pod can name a secret or a config map; numbers in the order of the text. */
#define POD_REFS                                                                                                                                 \
    "},\"spec\":{\"volumes\":["                                                                                                                  \
    "{\"name\":\"v1\",\"secret\":{\"secretName\":\"s1\"}},{\"name\":\"v2\",\"configMap\":{\"name\":\"c1\"}},"                                    \
    "{\"name\":\"v3\",\"projected\":{\"sources\":[{\"secret\":{\"name\":\"s2\"}},{\"configMap\":{\"name\":\"c2\"}}]}},"                          \
    "{\"name\":\"v4\",\"csi\":{\"driver\":\"d\",\"nodePublishSecretRef\":{\"name\":\"s3\"}}},"                                                   \
    "{\"name\":\"v5\",\"persistentVolumeClaim\":{\"claimName\":\"claim\"}},{\"name\":\"v6\",\"ephemeral\":{}},"                                  \
    "{\"name\":\"v7\",\"azureFile\":{\"secretName\":\"s4\",\"shareName\":\"x\"}}],"                                                              \
    "\"initContainers\":[{\"name\":\"i\",\"env\":[{\"name\":\"E\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s5\",\"key\":\"k\"}}}]}],"         \
    "\"containers\":[{\"name\":\"c\",\"envFrom\":[{\"secretRef\":{\"name\":\"s6\"}},{\"configMapRef\":{\"name\":\"c3\"}}],"                      \
    "\"env\":[{\"name\":\"PLAIN\",\"value\":\"plain\"},{\"name\":\"E\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"c4\",\"key\":\"k\"}}}]}]," \
    "\"ephemeralContainers\":[{\"name\":\"e\",\"envFrom\":[{\"secretRef\":{\"name\":\"s7\"}}]}],"                                                \
    "\"serviceAccountName\":\"sa\",\"nodeName\":\"n1\",\"imagePullSecrets\":[{\"name\":\"s8\"}],"                                                \
    "\"resourceClaims\":[{\"name\":\"r1\",\"resourceClaimName\":\"rc1\"},"                                                                       \
    "{\"name\":\"r2\",\"resourceClaimTemplateName\":\"rct\"}]},"                                                                                 \
    "\"status\":{\"resourceClaimStatuses\":[{\"name\":\"r2\",\"resourceClaimName\":\"rc2\"}],"                                                   \
    "\"extendedResourceClaimStatus\":{\"requestMappings\":[],\"resourceClaimName\":\"rc3\"}}"

NODE_TEST(an_agent_reads_what_its_pods_refer_to_and_nothing_else)
{
    put(c, "pods", "ns/p1", POD_REFS);
    char what[100];
    for (int i = 1; i <= 8; i++) {
        snprintf(what, sizeof what, "get - secrets ns s%d", i);
        CHECK(may(c, "n1", what));
        CHECK(!may(c, "n2", what));
        snprintf(what, sizeof what, "get - secrets other s%d", i);
        CHECK(!may(c, "n1", what));
        snprintf(what, sizeof what, "get - configmaps ns s%d", i);
        CHECK(!may(c, "n1", what));
    }
    for (int i = 1; i <= 4; i++) {
        snprintf(what, sizeof what, "watch - configmaps ns c%d", i);
        CHECK(may(c, "n1", what));
        snprintf(what, sizeof what, "get - secrets ns c%d", i);
        CHECK(!may(c, "n1", what));
    }
    static const struct answer_case cases[] = {
        {"get - secrets ns plain", false, UNRELATED("n1")},
        {"get - secrets ns v1", false, UNRELATED("n1")},
        {"list - secrets ns", false, "No Object name found"},
        {"list - secrets - s1", false, "can only read namespaced object of this type"},
        {"list - secrets ns s1 metadata.name=s1", true, ""},
        {"update - secrets ns s1", false, "can only read resources of this type"},
        {"get - secrets/x ns s1", false, "cannot read subresource"},
        {"get - persistentvolumeclaims ns claim", true, ""},
        {"get - persistentvolumeclaims ns p1-v6", true, ""},
        {"get - persistentvolumeclaims ns p1-v5", false, UNRELATED("n1")},
        {"list - persistentvolumeclaims ns claim", false, "can only get individual resources of this type"},
        {"patch - persistentvolumeclaims/status ns claim", true, ""},
        {"patch - persistentvolumeclaims/status ns other", false, UNRELATED("n1")},
        {"get - persistentvolumeclaims/status ns claim", false, "can only get/update/patch this type"},
        {"get - persistentvolumeclaims/x ns claim", false, "cannot get subresource"},
        {"get resource.k8s.io resourceclaims ns rc1", true, ""},
        {"get resource.k8s.io resourceclaims ns rc2", true, ""},
        {"get resource.k8s.io resourceclaims ns rc3", true, ""},
        {"get resource.k8s.io resourceclaims ns rct", false, UNRELATED("n1")},
        {"get - serviceaccounts ns sa", true, ""},
        {"get - serviceaccounts ns other", false, UNRELATED("n1")},
        {"create - serviceaccounts/token ns sa", true, ""},
        {"create - serviceaccounts/token ns other", false, UNRELATED("n1")},
        {"create - serviceaccounts/token ns", false,
         "can only create tokens for individual service accounts"},
        {"create - serviceaccounts ns sa", false, "can only create token subresource of serviceaccount"},
        {"list - serviceaccounts ns", false, "can only create tokens for individual service accounts"},
    };
    check_answers(c, "n1", cases, ARRAY_COUNT(cases));
}

NODE_TEST(mirror_pods_give_access_to_nothing)
{
    put(c, "pods", "ns/p1",
        ",\"annotations\":{\"kubernetes.io/config.mirror\":\"x\"}},\"spec\":{\"volumes\":[{\"name\":\"v\",\"secret\":"
        "{\"secretName\":\"s1\"}}],\"containers\":[],\"serviceAccountName\":\"sa\",\"nodeName\":\"n1\"}");
    CHECK(may(c, "n1", "get - pods ns p1"));
    CHECK(!may(c, "n1", "get - secrets ns s1"));
    CHECK(!may(c, "n1", "create - serviceaccounts/token ns sa"));
}

NODE_TEST(volumes_are_reached_through_claims_and_give_access_to_their_secrets)
{
    put(c, "pods", "ns/p1",
        "},\"spec\":{\"volumes\":[{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":\"claim\"}}],\"containers\":[],"
        "\"nodeName\":\"n1\"}");
    put(c, "persistentvolumeclaims", "ns/claim", "},\"spec\":{\"volumeName\":\"pv1\"}");
#define CSI(claim_ns, claim)                                                                                                \
    "},\"spec\":{\"csi\":{\"driver\":\"d\",\"volumeHandle\":\"h\",\"controllerPublishSecretRef\":{\"name\":\"controller\"," \
    "\"namespace\":\"vault\"},\"nodeStageSecretRef\":{\"name\":\"stage\",\"namespace\":\"vault\"},"                         \
    "\"nodePublishSecretRef\":{\"name\":\"publish\",\"namespace\":\"vault\"}},\"claimRef\":{\"namespace\":\"" claim_ns      \
    "\",\"name\":\"" claim "\"}}"
    put(c, "persistentvolumes", "pv1", CSI("ns", "claim"));
    put(c, "persistentvolumes", "pv2", CSI("ns", "other"));
    static const struct answer_case cases[] = {
        {"get - persistentvolumes - pv1", true, ""},
        {"get - persistentvolumes - pv2", false, UNRELATED("n1")},
        {"get - persistentvolumes - gone", false, UNRELATED("n1")},
        {"list - persistentvolumes -", false, "can only get individual resources of this type"},
        {"get - secrets vault stage", true, ""},
        {"get - secrets vault publish", true, ""},
        {"get - secrets vault controller", false, UNRELATED("n1")},
        {"get - secrets ns stage", false, UNRELATED("n1")},
    };
    check_answers(c, "n1", cases, ARRAY_COUNT(cases));
    CHECK(!may(c, "n2", "get - persistentvolumes - pv1"));
    CHECK(!may(c, "n2", "get - secrets vault stage"));
    /* A volume that says it is another claim's is not reached, whatever the claim says. */
    put(c, "persistentvolumeclaims", "ns/claim", "},\"spec\":{\"volumeName\":\"pv2\"}");
    CHECK(!may(c, "n1", "get - secrets vault stage"));
}

NODE_TEST(attachments_and_slices_say_whose_they_are)
{
    put(c, "volumeattachments.storage.k8s.io", "a1",
        "},\"spec\":{\"attacher\":\"x\",\"source\":{},\"nodeName\":\"n1\"}");
    put(c, "resourceslices.resource.k8s.io", "s1", "},\"spec\":{\"driver\":\"x\",\"nodeName\":\"n1\"}");
    put(c, "resourceslices.resource.k8s.io", "all", "},\"spec\":{\"driver\":\"x\",\"allNodes\":true}");
    static const struct answer_case cases[] = {
        {"get storage.k8s.io volumeattachments - a1", true, ""},
        {"list storage.k8s.io volumeattachments -", false, "can only get individual resources of this type"},
        {"create resource.k8s.io resourceslices -", true, ""},
        {"update resource.k8s.io resourceslices - s1", true, ""},
        {"update resource.k8s.io resourceslices - all", false, UNRELATED("n1")},
        {"list resource.k8s.io resourceslices - - spec.nodeName=n1", true, ""},
        {"deletecollection resource.k8s.io resourceslices -", false,
         "can only list/watch/deletecollection resourceslices with nodeName field selector"},
        {"get resource.k8s.io resourceslices/x - s1", false, "cannot authorize ResourceSlice subresources"},
        {"proxy resource.k8s.io resourceslices - s1", false,
         "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, "
         "deletecollection"},
    };
    check_answers(c, "n1", cases, ARRAY_COUNT(cases));
    CHECK(!may(c, "n2", "get storage.k8s.io volumeattachments - a1"));
    CHECK(!may(c, "n2", "update resource.k8s.io resourceslices - s1"));
}

NODE_TEST(a_pod_counts_from_being_bound_until_it_is_gone)
{
#define WITH_SECRET(node) \
    "},\"spec\":{\"volumes\":[{\"name\":\"v\",\"secret\":{\"secretName\":\"s\"}}],\"containers\":[]" node "}"
    put(c, "pods", "ns/p", WITH_SECRET(""));
    CHECK(!may(c, "n1", "get - secrets ns s"));
    put(c, "pods", "ns/p", WITH_SECRET(",\"nodeName\":\"n1\""));
    CHECK(may(c, "n1", "get - secrets ns s"));
    put(c, "pods", "ns/p", WITH_SECRET(",\"nodeName\":\"n1\""));
    put(c, "pods", "ns/q", WITH_SECRET(",\"nodeName\":\"n1\""));
    CHECK_OK(world_delete(c->w, "pods", "ns/p", THERE, &e));
    CHECK(may(c, "n1", "get - secrets ns s"));
    CHECK_OK(world_delete(c->w, "pods", "ns/q", THERE, &e));
    CHECK(!may(c, "n1", "get - secrets ns s"));
    /* Of the same name on another node, with nobody asking in between. */
    put(c, "pods", "ns/p", WITH_SECRET(",\"nodeName\":\"n1\""));
    CHECK_OK(world_delete(c->w, "pods", "ns/p", THERE, &e));
    put(c, "pods", "ns/p", WITH_SECRET(",\"nodeName\":\"n2\""));
    CHECK(!may(c, "n1", "get - secrets ns s"));
    CHECK(may(c, "n2", "get - secrets ns s"));
    /* Whoever begins now finds the same. */
    node_authz_free(c->nodes);
    c->nodes = node_authz_new(c->w->store, key);
    CHECK(!may(c, "n1", "get - secrets ns s"));
    CHECK(may(c, "n2", "get - secrets ns s"));
}

NODE_TEST(an_older_snapshot_is_not_given_what_came_later)
{
    put(c, "pods", "ns/p", WITH_SECRET(",\"nodeName\":\"n1\""));
    const struct snapshot *old = store_snapshot(c->w->store);
    CHECK_OK(world_delete(c->w, "pods", "ns/p", THERE, &e));
    put(c, "pods", "ns/p", WITH_SECRET(",\"nodeName\":\"n2\""));
    CHECK(may(c, "n2", "get - secrets ns s")); /* the lists are of now */
    struct user u = agent("n2");
    struct attributes at = {.user = &u,
                            .is_resource = true,
                            .verb = S("get"),
                            .resource = S("secrets"),
                            .ns = S("ns"),
                            .name = S("s")};
    struct authz_answer answer = {0};
    node_authorize(c->nodes, &c->a, old, &at, &answer);
    CHECK_EQ(answer.decision, AUTHZ_NO_OPINION);
    snapshot_unref(old);
}

NODE_TEST(whoever_is_no_known_agent_is_not_judged)
{
    const str groups[] = {S("system:nodes")};
    struct user users[] = {
        {.name = S("system:node:"), .groups = groups, .group_count = 1},
        {.name = S("system:node:n1")},
        {.name = S("x"), .groups = groups, .group_count = 1},
    };
    static const char *const reasons[] = {"unknown node for user \"system:node:\"", "", ""};
    const struct snapshot *sn = store_snapshot(c->w->store);
    for (size_t i = 0; i < ARRAY_COUNT(users); i++) {
        struct attributes at = {
            .user = &users[i], .is_resource = true, .verb = S("list"), .resource = S("services")};
        struct authz_answer answer = {.decision = AUTHZ_ALLOW};
        node_authorize(c->nodes, &c->a, sn, &at, &answer);
        CHECK_EQ(answer.decision, AUTHZ_NO_OPINION);
        CHECK_STR(answer.reason, reasons[i]);
    }
    snapshot_unref(sn);
}

NODE_TEST(pods_that_cannot_be_read_refer_to_nothing)
{
    put(c, "pods", "ns/p", "},\"spec\":{\"volumes\":7,\"containers\":[\"s\"],\"nodeName\":\"n1\"}");
    CHECK(!may(c, "n1", "get - secrets ns s"));
    CHECK(may(c, "n1", "get - pods ns p"));
    CHECK(!may(c, "n1", "get - secrets ns a\"b"));
}

/* --- all together --- */

static void run_authz(struct world *w)
{
    struct cluster c = {.w = w};
    arena_init(&c.a, 0);
    c.nodes = node_authz_new(w->store, key);
    struct rbac *rbac = rbac_new(w->store, key);
    struct authz z = {rbac, c.nodes};
    put(&c, "clusterroles.rbac.authorization.k8s.io", "r",
        "},\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"secrets\"]}]");
    put(&c, "clusterrolebindings.rbac.authorization.k8s.io", "b1",
        "},\"subjects\":[{\"kind\":\"Group\",\"name\":\"system:nodes\"}],\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":"
        "\"gone\"}");
    struct user u = agent("n1");
    struct attributes at = {.user = &u,
                            .is_resource = true,
                            .verb = S("get"),
                            .resource = S("secrets"),
                            .ns = S("ns"),
                            .name = S("s")};
    const struct snapshot *sn = store_snapshot(w->store);
    struct authz_answer answer = {0};
    authz_authorize(&z, &c.a, sn, &at, &answer);
    CHECK_EQ(answer.decision, AUTHZ_NO_OPINION);
    CHECK_STR(answer.reason,
              UNRELATED("n1") "\nRBAC: clusterrole.rbac.authorization.k8s.io \"gone\" not found");
    snapshot_unref(sn);
    /* What one does not allow, another may. */
    put(&c, "clusterrolebindings.rbac.authorization.k8s.io", "b2",
        "},\"subjects\":[{\"kind\":\"Group\",\"name\":\"system:nodes\"}],\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":"
        "\"r\"}");
    sn = store_snapshot(w->store);
    authz_authorize(&z, &c.a, sn, &at, &answer);
    CHECK_EQ(answer.decision, AUTHZ_ALLOW);
    CHECK_STR(answer.reason, "");
    answer.explain = true;
    authz_authorize(&z, &c.a, sn, &at, &answer);
    CHECK_STR(answer.reason,
              "RBAC: allowed by ClusterRoleBinding \"b2\" of ClusterRole \"r\" to Group \"system:nodes\"");
    authz_authorize(&(struct authz){.rbac = rbac}, &c.a, sn, &at, &answer);
    CHECK_EQ(answer.decision, AUTHZ_ALLOW);
    /* The rules live as long as the arena, whatever becomes of the roles. */
    const struct rbac_rule *rules;
    size_t count;
    str error, missing;
    rbac_rules(rbac, &c.a, sn, &u, S("ns"), &rules, &count, &error);
    CHECK(rbac_covers(rbac, &c.a, sn, &u, S("ns"), rules, count, &missing));
    CHECK(!rbac_covers(rbac, &c.a, sn, &u, S("ns"), rbac_everything, 2, &missing));
    CHECK_CONTAINS(missing,
                   "; resolution errors: [clusterroles.rbac.authorization.k8s.io \"gone\" not found]");
    snapshot_unref(sn);
    CHECK_OK(world_delete(w, "clusterroles.rbac.authorization.k8s.io", "r", THERE, &e));
    sn = store_snapshot(w->store);
    authz_authorize(&z, &c.a, sn, &at, &answer);
    CHECK_EQ(answer.decision, AUTHZ_NO_OPINION);
    CHECK(!rbac_role_rules(rbac, &c.a, sn, S("ClusterRole"), STR_NONE, S("r"), &rules, &(size_t){0}));
    CHECK_EQ(count, 1);
    CHECK_STR(rules[0].resources[0], "secrets");
    snapshot_unref(sn);
    arena_done(&c.a);
    rbac_free(rbac);
    node_authz_free(c.nodes);
}

TEST(sim_authorizers_are_asked_in_their_order_and_see_every_write)
{
    world_run(&world_sqlite_sim, run_authz);
}
