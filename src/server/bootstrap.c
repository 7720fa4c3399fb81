/* bootstrap.c - documents from the rows of bootstrap.def. */
#include "server/bootstrap.h"
#include "base/buf.h"
#include "wire/json.h"

enum row_kind {
    ROW_NAMESPACE,
    ROW_PRIORITY,
    ROW_EXEMPT,
    ROW_LIMITED,
    ROW_FLOW_MANDATORY,
    ROW_FLOW_SUGGESTED,
    ROW_CLUSTER_ROLE,
    ROW_ROLE,
    ROW_CONTROLLER,
    ROW_CLUSTER_BINDING,
    ROW_BINDING,
    ROW_OURS,
    ROW_PARTS, /* from here on: rows that belong to the one before */
    ROW_RULE = ROW_PARTS,
    ROW_URLS,
    ROW_ASKING,
    ROW_USER,
    ROW_GROUP,
    ROW_ACCOUNT,
};

struct row {
    enum row_kind kind;
    const char *words[6];
};

static const struct row rows[] = {
#define NAMESPACE(name)                    {ROW_NAMESPACE, {name}},
#define PRIORITY(name, value, description) {ROW_PRIORITY, {name, value, description}},
#define EXEMPT(name)                       {ROW_EXEMPT, {name}},
#define REJECTING(name, shares, lendable)  {ROW_LIMITED, {name, shares, lendable}},
#define QUEUEING(name, shares, lendable, queues, hand, size) \
    {ROW_LIMITED, {name, shares, lendable, queues, hand, size}},
#define FLOW(policy, name, level, precedence, by) {ROW_FLOW_##policy, {name, level, precedence, by}},
#define ASKING(verbs, groups, resources, namespaces, scope) \
    {ROW_ASKING, {verbs, groups, resources, namespaces, scope}},
#define CLUSTER_ROLE(name)                     {ROW_CLUSTER_ROLE, {name, "", ""}},
#define LABELED(name, label)                   {ROW_CLUSTER_ROLE, {name, label, ""}},
#define AGGREGATED(name, label, selected)      {ROW_CLUSTER_ROLE, {name, label, selected}},
#define ROLE(ns, name)                         {ROW_ROLE, {name, ns}},
#define RULE(verbs, groups, resources)         {ROW_RULE, {verbs, groups, resources, ""}},
#define NAMED(verbs, groups, resources, names) {ROW_RULE, {verbs, groups, resources, names}},
#define URLS(verbs, urls)                      {ROW_URLS, {verbs, urls}},
#define CONTROLLER(name)                       {ROW_CONTROLLER, {"system:controller:" name, name}},
#define CLUSTER_BINDING(name, role)            {ROW_CLUSTER_BINDING, {name, role}},
#define BINDING(ns, name, role)                {ROW_BINDING, {name, role, ns}},
#define USER(name)                             {ROW_USER, {name}},
#define GROUP(name)                            {ROW_GROUP, {name}},
#define ACCOUNT(ns, name)                      {ROW_ACCOUNT, {name, ns}},
#define OURS()                                 {ROW_OURS, {""}},
#include "server/bootstrap.def"
};

/* A document being written, from the row that begins it; `end` is the next one's. */
struct writer {
    struct buf out;
    const struct row *row, *end;
};

#define DOC_SIZE_MAX ((size_t)64 << 10)

static str word(const struct row *r, size_t i)
{
    return str_from_c(r->words[i]);
}

static void lit(struct writer *w, const char *text)
{
    buf_add(&w->out, str_from_c(text));
}

static void quoted(struct writer *w, str s)
{
    json_print_str(&w->out, s, 0);
}

static void member(struct writer *w, const char *before, str value)
{
    lit(w, before);
    quoted(w, value);
}

/* "get list" as ["get","list"]; the word core as "". */
static void list(struct writer *w, const char *before, str words)
{
    lit(w, before);
    buf_add_c(&w->out, '[');
    str one;
    for (bool first = true; str_next(&words, ' ', &one); first = false) {
        if (!first)
            buf_add_c(&w->out, ',');
        quoted(w, str_is(one, "core") ? STR_NONE : one);
    }
    buf_add_c(&w->out, ']');
}

static void begin(struct writer *w, str ns, str name)
{
    member(w, "{\"metadata\":{\"name\":", name);
    if (ns.n)
        member(w, ",\"namespace\":", ns);
}

#define AGGREGATE_LABEL "rbac.authorization.k8s.io/"

/* Name, namespace, labels and annotations of what grants something. */
static void begin_grant(struct writer *w, str ns, str name, str label)
{
    begin(w, ns, name);
    lit(w, ",\"labels\":{\"kubernetes.io/bootstrapping\":\"rbac-defaults\"");
    if (label.n) {
        lit(w, ",\"" AGGREGATE_LABEL);
        buf_add(&w->out, label);
        lit(w, "\":\"true\"");
    }
    lit(w, "},\"annotations\":{\"rbac.authorization.kubernetes.io/autoupdate\":\"true\"}}");
}

static void write_rules(struct writer *w)
{
    lit(w, ",\"rules\":");
    if (w->row + 1 == w->end) {
        lit(w, "null");
        return;
    }
    for (const struct row *r = w->row + 1; r < w->end; r++) {
        list(w, r == w->row + 1 ? "[{\"verbs\":" : ",{\"verbs\":", word(r, 0));
        if (r->kind == ROW_URLS) {
            list(w, ",\"nonResourceURLs\":", word(r, 1));
        } else {
            list(w, ",\"apiGroups\":", word(r, 1));
            list(w, ",\"resources\":", word(r, 2));
            if (*r->words[3])
                list(w, ",\"resourceNames\":", word(r, 3));
        }
        buf_add_c(&w->out, '}');
    }
    buf_add_c(&w->out, ']');
}

static void write_cluster_role(struct writer *w)
{
    begin_grant(w, STR_NONE, word(w->row, 0), word(w->row, 1));
    write_rules(w);
    if (*w->row->words[2]) {
        lit(w, ",\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchLabels\":{\"" AGGREGATE_LABEL);
        buf_add(&w->out, word(w->row, 2));
        lit(w, "\":\"true\"}}]}");
    }
    buf_add_c(&w->out, '}');
}

static void write_plain_role(struct writer *w, str ns)
{
    begin_grant(w, ns, word(w->row, 0), STR_NONE);
    write_rules(w);
    buf_add_c(&w->out, '}');
}

static void write_subject(struct writer *w, const struct row *r)
{
    if (r->kind == ROW_ACCOUNT) {
        member(w, "{\"kind\":\"ServiceAccount\",\"name\":", word(r, 0));
        member(w, ",\"namespace\":", word(r, 1));
    } else {
        lit(w, r->kind == ROW_USER ? "{\"kind\":\"User\"" : "{\"kind\":\"Group\"");
        member(w, ",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":", word(r, 0));
    }
    buf_add_c(&w->out, '}');
}

static void write_role_ref(struct writer *w, const char *kind, str role)
{
    lit(w, ",\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\"");
    member(w, ",\"kind\":", str_from_c(kind));
    member(w, ",\"name\":", role);
    lit(w, "}}");
}

static void write_binding(struct writer *w, str ns, const char *kind)
{
    begin_grant(w, ns, word(w->row, 0), STR_NONE);
    for (const struct row *r = w->row + 1; r < w->end; r++) {
        lit(w, r == w->row + 1 ? ",\"subjects\":[" : ",");
        write_subject(w, r);
    }
    lit(w, w->row + 1 < w->end ? "]" : "");
    write_role_ref(w, kind, word(w->row, 1));
}

static void write_controller_binding(struct writer *w)
{
    const struct row account = {ROW_ACCOUNT, {w->row->words[1], "kube-system"}};
    begin_grant(w, STR_NONE, word(w->row, 0), STR_NONE);
    lit(w, ",\"subjects\":[");
    write_subject(w, &account);
    buf_add_c(&w->out, ']');
    write_role_ref(w, "ClusterRole", word(w->row, 0));
}

static void begin_flow_control(struct writer *w)
{
    begin(w, STR_NONE, word(w->row, 0));
    lit(w, ",\"annotations\":{\"apf.kubernetes.io/autoupdate-spec\":\"true\"}}");
}

static void write_exempt(struct writer *w)
{
    begin_flow_control(w);
    lit(w,
        ",\"spec\":{\"type\":\"Exempt\",\"exempt\":{\"nominalConcurrencyShares\":0,\"lendablePercent\":0}},"
        "\"status\":{}}");
}

static void number(struct writer *w, const char *before, size_t i)
{
    lit(w, before);
    buf_add(&w->out, word(w->row, i));
}

static void write_limited(struct writer *w)
{
    begin_flow_control(w);
    number(w, ",\"spec\":{\"type\":\"Limited\",\"limited\":{\"nominalConcurrencyShares\":", 1);
    if (w->row->words[3]) {
        number(w, ",\"limitResponse\":{\"type\":\"Queue\",\"queuing\":{\"queues\":", 3);
        number(w, ",\"handSize\":", 4);
        number(w, ",\"queueLengthLimit\":", 5);
        lit(w, "}}");
    } else {
        lit(w, ",\"limitResponse\":{\"type\":\"Reject\"}");
    }
    number(w, ",\"lendablePercent\":", 2);
    lit(w, "}},\"status\":{}}");
}

static void write_flow_subject(struct writer *w, const struct row *r)
{
    if (r->kind == ROW_ACCOUNT) {
        member(w, "{\"kind\":\"ServiceAccount\",\"serviceAccount\":{\"namespace\":", word(r, 1));
        member(w, ",\"name\":", word(r, 0));
    } else {
        bool user = r->kind == ROW_USER;
        member(w,
               user ? "{\"kind\":\"User\",\"user\":{\"name\":" : "{\"kind\":\"Group\",\"group\":{\"name\":",
               word(r, 0));
    }
    lit(w, "}}");
}

static void write_asking(struct writer *w, const struct row *r)
{
    list(w, "{\"verbs\":", word(r, 0));
    list(w, ",\"apiGroups\":", word(r, 1));
    list(w, ",\"resources\":", word(r, 2));
    lit(w, *r->words[4] ? ",\"clusterScope\":true" : "");
    list(w, ",\"namespaces\":", word(r, 3));
    buf_add_c(&w->out, '}');
}

static void write_urls(struct writer *w, const struct row *r)
{
    list(w, "{\"verbs\":", word(r, 0));
    list(w, ",\"nonResourceURLs\":", word(r, 1));
    buf_add_c(&w->out, '}');
}

/* Rows of these kinds as a list, which is left out when there are none. */
static void flow_list(struct writer *w, const char *before, enum row_kind first, enum row_kind last,
                      void (*write)(struct writer *w, const struct row *r))
{
    bool any = false;
    for (const struct row *r = w->row + 1; r < w->end; r++) {
        if (r->kind < first || r->kind > last)
            continue;
        lit(w, any ? "," : before);
        write(w, r);
        any = true;
    }
    lit(w, any ? "]" : "");
}

static void write_flow(struct writer *w)
{
    begin_flow_control(w);
    member(w, ",\"spec\":{\"priorityLevelConfiguration\":{\"name\":", word(w->row, 1));
    number(w, "},\"matchingPrecedence\":", 2);
    if (*w->row->words[3]) {
        member(w, ",\"distinguisherMethod\":{\"type\":", word(w->row, 3));
        buf_add_c(&w->out, '}');
    }
    flow_list(w, ",\"rules\":[{\"subjects\":[", ROW_USER, ROW_ACCOUNT, write_flow_subject);
    flow_list(w, ",\"resourceRules\":[", ROW_ASKING, ROW_ASKING, write_asking);
    flow_list(w, ",\"nonResourceRules\":[", ROW_URLS, ROW_URLS, write_urls);
    lit(w, "}]},\"status\":{}}");
}

static void write_namespace(struct writer *w)
{
    begin(w, STR_NONE, word(w->row, 0));
    member(w, ",\"labels\":{\"kubernetes.io/metadata.name\":", word(w->row, 0));
    lit(w, "}},\"spec\":{\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":\"Active\"}}");
}

static void write_priority(struct writer *w)
{
    begin(w, STR_NONE, word(w->row, 0));
    number(w, "},\"value\":", 1);
    member(w, ",\"description\":", word(w->row, 2));
    lit(w, ",\"preemptionPolicy\":\"PreemptLowerPriority\"}");
}

/* What kind of object a row makes. */
struct target {
    str resource, api_version, kind;
    enum bootstrap_policy policy;
};
#define RBAC(plural, kind)                                                                                 \
    {                                                                                                      \
        S_INIT(plural ".rbac.authorization.k8s.io"), S_INIT("rbac.authorization.k8s.io/v1"), S_INIT(kind), \
            BOOTSTRAP_GRANTS                                                                               \
    }
#define FLOW_CONTROL(plural, kind, policy)                                                         \
    {                                                                                              \
        S_INIT(plural ".flowcontrol.apiserver.k8s.io"), S_INIT("flowcontrol.apiserver.k8s.io/v1"), \
            S_INIT(kind), policy                                                                   \
    }
static const struct target targets[ROW_PARTS] = {
    [ROW_NAMESPACE] = {S_INIT("namespaces"), S_INIT("v1"), S_INIT("Namespace"), BOOTSTRAP_IF_MISSING},
    [ROW_PRIORITY] = {S_INIT("priorityclasses.scheduling.k8s.io"), S_INIT("scheduling.k8s.io/v1"),
                      S_INIT("PriorityClass"), BOOTSTRAP_IF_MISSING},
    [ROW_EXEMPT] = FLOW_CONTROL("prioritylevelconfigurations", "PriorityLevelConfiguration",
                                BOOTSTRAP_MANDATORY),
    [ROW_LIMITED] = FLOW_CONTROL("prioritylevelconfigurations", "PriorityLevelConfiguration",
                                 BOOTSTRAP_SUGGESTED),
    [ROW_FLOW_MANDATORY] = FLOW_CONTROL("flowschemas", "FlowSchema", BOOTSTRAP_MANDATORY),
    [ROW_FLOW_SUGGESTED] = FLOW_CONTROL("flowschemas", "FlowSchema", BOOTSTRAP_SUGGESTED),
    [ROW_CLUSTER_ROLE] = RBAC("clusterroles", "ClusterRole"),
    [ROW_CONTROLLER] = RBAC("clusterroles", "ClusterRole"),
    [ROW_ROLE] = RBAC("roles", "Role"),
    [ROW_CLUSTER_BINDING] = RBAC("clusterrolebindings", "ClusterRoleBinding"),
    [ROW_BINDING] = RBAC("rolebindings", "RoleBinding"),
};

static str row_ns(const struct row *r)
{
    return r->kind == ROW_ROLE ? word(r, 1) : r->kind == ROW_BINDING ? word(r, 2) : STR_NONE;
}

static void write_row(struct writer *w, bool binding)
{
    switch (w->row->kind) {
    case ROW_NAMESPACE: write_namespace(w); break;
    case ROW_PRIORITY: write_priority(w); break;
    case ROW_EXEMPT: write_exempt(w); break;
    case ROW_LIMITED: write_limited(w); break;
    case ROW_FLOW_MANDATORY:
    case ROW_FLOW_SUGGESTED: write_flow(w); break;
    case ROW_CLUSTER_ROLE: write_cluster_role(w); break;
    case ROW_ROLE: write_plain_role(w, row_ns(w->row)); break;
    case ROW_CONTROLLER:
        if (binding)
            write_controller_binding(w);
        else
            write_plain_role(w, STR_NONE);
        break;
    case ROW_CLUSTER_BINDING: write_binding(w, STR_NONE, "ClusterRole"); break;
    case ROW_BINDING: write_binding(w, row_ns(w->row), "Role"); break;
    case ROW_OURS:
    case ROW_RULE:
    case ROW_URLS:
    case ROW_ASKING:
    case ROW_USER:
    case ROW_GROUP:
    case ROW_ACCOUNT: ASSERT(w->row->kind < ROW_OURS); /* begins no document */
    }
}

/* The row after this one's parts. */
static size_t row_end(size_t at)
{
    for (at++; at < ARRAY_COUNT(rows) && rows[at].kind >= ROW_PARTS;)
        at++;
    return at;
}

static bool after_ours(size_t at)
{
    while (at && rows[at].kind != ROW_OURS)
        at--;
    return at > 0;
}

static void describe(const struct row *row, bool binding, struct bootstrap_doc *ret)
{
    const struct target *t = &targets[binding ? ROW_CLUSTER_BINDING : row->kind];
    *ret = (struct bootstrap_doc){
        .resource = t->resource,
        .api_version = t->api_version,
        .kind = t->kind,
        .ns = row_ns(row),
        .name = word(row, 0),
        .policy = t->policy,
        .is_ours = after_ours((size_t)(row - rows)),
    };
    if (row->kind == ROW_LIMITED && str_is(ret->name, "catch-all"))
        ret->policy = BOOTSTRAP_MANDATORY;
}

static void write_content(struct arena *a, size_t at, bool binding, struct bootstrap_doc *doc)
{
    struct writer w = {.row = &rows[at], .end = &rows[row_end(at)]};
    buf_init_arena(&w.out, a, DOC_SIZE_MAX);
    write_row(&w, binding);
    ASSERT(!w.out.failed);
    doc->content = buf_str(&w.out);
}

bool bootstrap_next(struct bootstrap_iter *it, struct arena *a, struct bootstrap_doc *ret)
{
    for (;;) {
        if (it->row == ARRAY_COUNT(rows)) {
            if (it->bindings)
                return false;
            *it = (struct bootstrap_iter){.bindings = true};
        }
        size_t at = it->row;
        it->row = row_end(at);
        if (rows[at].kind == ROW_OURS || (it->bindings && rows[at].kind != ROW_CONTROLLER))
            continue;
        describe(&rows[at], it->bindings, ret);
        write_content(a, at, it->bindings, ret);
        return true;
    }
}

bool bootstrap_find(struct arena *a, str resource, str ns, str name, struct bootstrap_doc *ret)
{
    for (size_t at = 0; at < ARRAY_COUNT(rows); at = row_end(at)) {
        for (int binding = 0; binding < (rows[at].kind == ROW_CONTROLLER ? 2 : 1); binding++) {
            if (rows[at].kind == ROW_OURS)
                continue;
            describe(&rows[at], binding, ret);
            if (!str_eq(ret->resource, resource) || !str_eq(ret->name, name) || !str_eq(ret->ns, ns))
                continue;
            write_content(a, at, binding, ret);
            return true;
        }
    }
    return false;
}
