/* authz.c - may this user do that? Through the real store. The peer is how one would do it without an index, and how the
 * original does: look at every binding there is (compiled, which flatters it). */
#include "server/authz.h"
#include "bench.h"
#include "server/bootstrap.h"
#include "server/rbac_priv.h"
#include "store/store.h"
#include "sys/file.h"
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

enum { BINDINGS = 1000, PODS = 110 };

static const uint64_t hash_key[2] = {0x0123456789abcdef, 0xfedcba9876543210};

struct bench_store {
    struct env *env;
    struct loop *loop;
    struct dir *dir;
    struct store *store;
    sem_t answered;
    size_t asked;
    char path[40];
};

static void open_store(struct bench_store *s)
{
    struct err why;
    snprintf(s->path, sizeof s->path, "/tmp/skiff-bench-XXXXXX");
    BENCH_MUST(mkdtemp(s->path) != NULL);
    sem_init(&s->answered, 0, 0);
    BENCH_MUST(env_new_real(NULL, &s->env, &why) == ERR_NONE);
    BENCH_MUST(loop_new(s->env, S("bench"), &s->loop, &why) == ERR_NONE);
    BENCH_MUST(loop_start(s->loop, &why) == ERR_NONE);
    BENCH_MUST(dir_open(s->env, str_from_c(s->path), 0, &s->dir, &why) == ERR_NONE);
    struct store_opts opts = {.dir = s->dir};
    BENCH_MUST(store_open(s->env, &opts, &s->store, &why) == ERR_NONE);
}

static void close_store(struct bench_store *s)
{
    store_close(s->store);
    loop_stop(s->loop);
    loop_join(s->loop);
    loop_free(s->loop);
    dir_close(s->dir);
    env_free(s->env);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", s->path);
    BENCH_MUST(system(command) == 0);
}

struct put {
    struct store_txn txn;
    struct store_change change;
    struct bench_store *to;
};

static void put_done(struct store_txn *t)
{
    BENCH_MUST(t->err.code == ERR_NONE);
    sem_post(&CONTAINER_OF(t, struct put, txn)->to->answered);
}

static void put(struct bench *b, struct bench_store *s, str resource, str ns, str name, str content)
{
    struct put *p = ARENA_NEW(bench_arena(b), struct put);
    struct err why;
    struct object_key key = {store_resource(s->store, resource, 0), ns, name};
    BENCH_MUST(object_new(key, content, &p->change.put, &why) == ERR_NONE);
    p->to = s;
    p->txn = (struct store_txn){.changes = &p->change, .change_count = 1, .loop = s->loop, .done = put_done};
    s->asked++;
    store_commit(s->store, &p->txn);
}

static void wait_for_puts(struct bench_store *s)
{
    for (; s->asked; s->asked--)
        sem_wait(&s->answered);
}

static void put_bootstrap(struct bench *b, struct bench_store *s)
{
    struct bootstrap_iter it = {0};
    struct bootstrap_doc doc;
    while (bootstrap_next(&it, bench_arena(b), &doc))
        put(b, s, doc.resource, doc.ns, doc.name, doc.content);
}

/* Role bindings in as many namespaces, of a user each, to a role of ten rules. */
static void put_bindings(struct bench *b, struct bench_store *s)
{
    struct arena *a = bench_arena(b);
    str rules = STR_NONE;
    for (int i = 0; i < 10; i++)
        rules = str_format(a,
                           "%" STR_FMT
                           "%s{\"verbs\":[\"get\",\"list\",\"watch\"],\"apiGroups\":[\"g%d\"],\"resources\":"
                           "[\"a\",\"b\",\"c\",\"pods\"]}",
                           STR_ARG(rules), i ? "," : "", 9 - i);
    put(b, s, S("clusterroles.rbac.authorization.k8s.io"), STR_NONE, S("ten"),
        str_format(a, "{\"metadata\":{\"name\":\"ten\"},\"rules\":[%" STR_FMT "]}", STR_ARG(rules)));
    for (int i = 0; i < BINDINGS; i++) {
        str ns = str_format(a, "ns-%d", i);
        put(b, s, S("rolebindings.rbac.authorization.k8s.io"), ns, S("b"),
            str_format(
                a,
                "{\"metadata\":{\"name\":\"b\",\"namespace\":\"%" STR_FMT
                "\"},\"subjects\":[{\"kind\":\"User\","
                "\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"user-%d\"}],\"roleRef\":{\"apiGroup\":"
                "\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"ten\"}}",
                STR_ARG(ns), i));
    }
}

/* --- RBAC --- */

struct asking {
    struct rbac *rbac;
    struct node_authz *nodes;
    const struct snapshot *sn;
    struct arena a;
    struct user user;
    struct attributes at;
    bool allowed, explain;
    /* The peer's. */
    struct compiled_binding **bindings;
    size_t binding_count;
    const struct cow_table *table;
};

static void run_rbac(void *ctx)
{
    struct asking *q = ctx;
    struct authz_answer answer = {.explain = q->explain};
    rbac_authorize(q->rbac, &q->a, q->sn, &q->at, &answer);
    BENCH_MUST((answer.decision == AUTHZ_ALLOW) == q->allowed);
    if (q->explain)
        arena_reset(&q->a);
}

static bool subject_is(const struct compiled_subject *s, const struct user *u)
{
    return s->kind == RBAC_USER ? str_eq(s->name, u->name) : user_in_group(u, s->name);
}

static bool binding_reaches(const struct compiled_binding *b, const struct asking *q)
{
    if (b->item.ns.n && !str_eq(b->item.ns, q->at.ns))
        return false;
    for (size_t i = 0; i < b->subject_count; i++) {
        if (subject_is(&b->subjects[i], &q->user))
            return true;
    }
    return false;
}

static void run_every_binding(void *ctx)
{
    struct asking *q = ctx;
    struct rbac_ask ask = rbac_ask_of(&q->at);
    bool allowed = false;
    for (size_t i = 0; i < q->binding_count && !allowed; i++) {
        const struct compiled_binding *b = q->bindings[i];
        if (!binding_reaches(b, q))
            continue;
        const struct cow_item *role = cow_table_find(q->table, &b->role);
        allowed = role && rbac_role_allows(compiled_role_of(role), &ask);
    }
    BENCH_MUST(allowed == q->allowed);
}

static void read_every_binding(struct bench *b, const struct bench_store *s, struct asking *q)
{
    struct cow_table *t = cow_table_new();
    static const char *const names[] = {"roles", "clusterroles", "rolebindings", "clusterrolebindings"};
    q->bindings = ARENA_ARRAY(bench_arena(b), struct compiled_binding *, 2 * BINDINGS);
    for (unsigned kind = RBAC_CLUSTER_ROLE_BINDING + 1; kind-- > 0;) { /* those of the cluster first */
        str resource = str_format(bench_arena(b), "%s.rbac.authorization.k8s.io", names[kind]);
        struct object_range range = {.resource = store_resource(s->store, resource, 0),
                                     .all_namespaces = true};
        struct snapshot_iter it;
        snapshot_list(q->sn, &range, NULL, &it);
        for (const struct object *o; (o = snapshot_next(&it));) {
            if (kind >= RBAC_ROLE_BINDING)
                q->bindings[q->binding_count++] = rbac_binding_compile(hash_key, kind, object_ns(o),
                                                                       object_name(o), object_content(o));
            else
                rbac_change(hash_key, t, kind, object_ns(o), object_name(o), object_content(o));
        }
    }
    q->table = t;
}

static void forget_every_binding(struct asking *q)
{
    for (size_t i = 0; i < q->binding_count; i++)
        cow_item_unref(&q->bindings[i]->item);
    cow_table_unref(q->table);
}

static void ask(struct bench *b, const char *name, struct asking *q)
{
    q->at.user = &q->user;
    q->at.is_resource = true;
    if (q->explain)
        BENCH_CASE(b, name, BENCH_ITEMS(1, "answers"), {"skiff", run_rbac, q});
    else
        BENCH_CASE(b, name, BENCH_ITEMS(1, "answers"), {"skiff", run_rbac, q},
                   {"every binding", run_every_binding, q});
}

BENCH(rbac, "may this user do that? 1,000 role bindings besides those of every cluster")
{
    struct bench_store s = {0};
    open_store(&s);
    put_bootstrap(b, &s);
    put_bindings(b, &s);
    wait_for_puts(&s);
    struct asking q = {.rbac = rbac_new(s.store, hash_key), .sn = store_snapshot(s.store)};
    arena_init(&q.a, 0);
    read_every_binding(b, &s, &q);

    static const str authenticated[] = {S_INIT("system:authenticated")};
    static const str admins[] = {S_INIT("skiff:cluster-admins"), S_INIT("system:authenticated")};
    static const str accounts[] = {S_INIT("system:serviceaccounts"),
                                   S_INIT("system:serviceaccounts:kube-system"),
                                   S_INIT("system:authenticated")};
    q.allowed = true;
    q.user = (struct user){.name = S("kubernetes-admin"), .groups = admins, .group_count = 2};
    q.at = (struct attributes){.verb = S("list"), .resource = S("pods"), .ns = S("default")};
    ask(b, "administrator", &q);
    q.user = (struct user){.name = S("user-777"), .groups = authenticated, .group_count = 1};
    q.at = (struct attributes){
        .verb = S("get"), .group = S("g0"), .resource = S("pods"), .ns = S("ns-777"), .name = S("web-0")};
    ask(b, "user in a namespace", &q);
    q.user = (struct user){.name = S("system:serviceaccount:kube-system:deployment-controller"),
                           .groups = accounts,
                           .group_count = 3};
    q.at = (struct attributes){.verb = S("update"),
                               .group = S("apps"),
                               .resource = S("deployments"),
                               .subresource = S("status"),
                               .ns = S("ns-1"),
                               .name = S("web")};
    ask(b, "service account", &q);
    q.explain = true;
    ask(b, "account, reason", &q);
    q.explain = q.allowed = false;
    q.at.verb = S("delete");
    ask(b, "account, refused", &q);

    forget_every_binding(&q);
    arena_done(&q.a);
    snapshot_unref(q.sn);
    rbac_free(q.rbac);
    close_store(&s);
}

/* --- changes --- */

struct changing {
    const struct cow_table *t;
    int next;
};

static str binding_of(struct arena *a, int i)
{
    return str_format(
        a,
        "{\"metadata\":{\"name\":\"b-%d\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"u-%d\"}],"
        "\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"view\"}}",
        i, i);
}

static void put_binding(struct cow_table *t, int i)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    rbac_change(hash_key, t, RBAC_CLUSTER_ROLE_BINDING, STR_NONE, str_format(&a, "b-%d", i),
                binding_of(&a, i));
}

static void run_change(void *ctx)
{
    struct changing *c = ctx;
    struct cow_table *t = cow_table_copy(c->t);
    put_binding(t, c->next++ % 100);
    cow_table_unref(c->t);
    c->t = t;
}

BENCH(rbac_change, "a binding is changed: the next version of the index")
{
    static const int sizes[] = {100, 1000, 10000};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct cow_table *t = cow_table_new();
        for (int n = 0; n < sizes[i]; n++)
            put_binding(t, n);
        struct changing c = {.t = t};
        BENCH_CASE(b, str_cstr(bench_arena(b), str_format(bench_arena(b), "one of %d", sizes[i])),
                   BENCH_ITEMS(1, "changes"), {"skiff", run_change, &c});
        cow_table_unref(c.t);
    }
}

/* --- nodes --- */

static void run_node(void *ctx)
{
    struct asking *q = ctx;
    struct authz_answer answer = {0};
    node_authorize(q->nodes, &q->a, q->sn, &q->at, &answer);
    BENCH_MUST((answer.decision == AUTHZ_ALLOW) == q->allowed);
    arena_reset(&q->a);
}

static void put_pods(struct bench *b, struct bench_store *s)
{
    struct arena *a = bench_arena(b);
    str filler = str_format(a, "{\"name\":\"FILLER\",\"value\":\"%0800d\"}", 0);
    for (int i = 0; i < PODS; i++) {
        str name = str_format(a, "web-%03d", i);
        put(b, s, S("pods"), S("ns"), name,
            str_format(
                a,
                "{\"metadata\":{\"name\":\"%" STR_FMT
                "\",\"namespace\":\"ns\"},\"spec\":{\"volumes\":[{\"name\":\"v\","
                "\"secret\":{\"secretName\":\"secret-%d\"}}],\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"env\":["
                "%" STR_FMT ",%" STR_FMT "]}],\"serviceAccountName\":\"default\",\"nodeName\":\"n1\"}}",
                STR_ARG(name), i, STR_ARG(filler), STR_ARG(filler)));
    }
}

BENCH(node_authz, "may this agent read that secret? 110 pods on its node")
{
    struct bench_store s = {0};
    open_store(&s);
    put_pods(b, &s);
    wait_for_puts(&s);
    static const str nodes[] = {S_INIT("system:nodes"), S_INIT("system:authenticated")};
    struct asking q = {
        .nodes = node_authz_new(s.store, hash_key),
        .sn = store_snapshot(s.store),
        .allowed = true,
        .user = {.name = S("system:node:n1"), .groups = nodes, .group_count = 2},
        .at = {.is_resource = true, .verb = S("get"), .resource = S("secrets"), .ns = S("ns")}};
    arena_init(&q.a, 0);
    q.at.user = &q.user;
    q.at.name = S("secret-0");
    BENCH_CASE(b, "of its first pod", BENCH_ITEMS(1, "answers"), {"skiff", run_node, &q});
    q.at.name = S("secret-109");
    BENCH_CASE(b, "of its last pod", BENCH_ITEMS(1, "answers"), {"skiff", run_node, &q});
    q.at.name = S("secret-110");
    q.allowed = false;
    BENCH_CASE(b, "of none", BENCH_ITEMS(1, "answers"), {"skiff", run_node, &q});
    q.allowed = true;
    q.at = (struct attributes){.user = &q.user,
                               .is_resource = true,
                               .verb = S("update"),
                               .group = S("coordination.k8s.io"),
                               .resource = S("leases"),
                               .ns = S("kube-node-lease"),
                               .name = S("n1")};
    BENCH_CASE(b, "its lease", BENCH_ITEMS(1, "answers"), {"skiff", run_node, &q});
    arena_done(&q.a);
    snapshot_unref(q.sn);
    node_authz_free(q.nodes);
    close_store(&s);
}
