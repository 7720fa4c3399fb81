/* openapi_paths.c - the URLs, what can be done there, and with which parameters.
 * A path's operations follow from the verbs of its kind or subresource, their parameters from the options types of meta/v1
 * and, for streams and proxies, from the options type of the subresource. A parameter that all operations of a path have
 * stands at the path. v2 keeps parameters that many paths share in one list and refers to them. */
#include "api/openapi_priv.h"
#include "base/base64.h"
#include <stdlib.h>

/* --- parameters --- */

static const struct openapi_param fixed_params[OPENAPI_FIXED_COUNT] = {
    [OPENAPI_NAMESPACE] = {.name = S_INIT("namespace"),
                           .help = S_INIT("Namespace of the object, or of the objects to list."),
                           .in_path = true},
    [OPENAPI_PRETTY] = {.name = S_INIT("pretty"),
                        .help = S_INIT(
                            "'true': print the answer indented, for people. Browsers, curl and wget get "
                            "it so anyway.")},
    [OPENAPI_PROXY_PATH] = {.name = S_INIT("path"),
                            .help = S_INIT("Where to go behind the proxy."),
                            .in_path = true},
};

static str type_text(enum openapi_param_type t)
{
    return t == OPENAPI_STRING ? S("string") : t == OPENAPI_INTEGER ? S("integer") : S("boolean");
}

/* v2 and v3 put the type in another place. */
static void write_param(const struct openapi *m, struct json_out *o, const struct openapi_param *p)
{
    out_open(o, '{');
    if (p->help.n)
        out_text(o, "description", p->help);
    out_text(o, "in", p->in_path ? S("path") : S("query"));
    out_text(o, "name", p->name);
    if (p->in_path)
        out_member(o, "required", "true");
    if (m->v3) {
        out_key(o, "schema");
        out_open(o, '{');
    }
    out_text(o, "type", type_text(p->type));
    out_member(o, "uniqueItems", "true");
    if (m->v3)
        out_close(o, '}');
    out_close(o, '}');
}

/* "limit-1NfNmdNH": the name, and a hash of what it says. */
static str shared_name(struct openapi *m, str name, str text)
{
    struct buf b;
    uint64_t hash = str_hash(text);
    buf_init_arena(&b, m->arena, name.n + 9);
    buf_add(&b, name);
    buf_add_c(&b, '-');
    base64_encode(&b, str_of((const char *)&hash, 6), BASE64_URL | BASE64_NO_PAD);
    return buf_str(&b);
}

static void name_param(struct openapi *m, struct openapi_param *p)
{
    if (m->v3)
        return;
    buf_clear(&m->text);
    write_param(m, &(struct json_out){.to = &m->text}, p);
    p->shared = shared_name(m, p->name, buf_str(&m->text));
}

static int by_name(const void *left, const void *right)
{
    const struct openapi_param *x = left, *y = right;
    return str_cmp(x->name, y->name);
}

/* False: structs and times are no parameters. */
static bool param_of_field(struct openapi *m, const struct schema_field *f, struct openapi_param *ret)
{
    struct schema_at at = schema_field_at(m->schema, f);
    if (at.node->kind == SCHEMA_LIST)
        at = schema_items(at);
    *ret = (struct openapi_param){
        .name = schema_field_name(m->schema, f),
        .help = schema_text(m->schema, f->help),
    };
    switch ((enum schema_kind)at.node->kind) {
    case SCHEMA_BOOL: ret->type = OPENAPI_BOOLEAN; break;
    case SCHEMA_INT32:
    case SCHEMA_INT64: ret->type = OPENAPI_INTEGER; break;
    case SCHEMA_STRING: ret->type = OPENAPI_STRING; break;
    default: return false;
    }
    name_param(m, ret);
    return true;
}

static const struct openapi_params *params_of(struct openapi *m, const struct schema_type *t)
{
    for (size_t i = 0; i < m->params_count; i++)
        if (m->params[i].of == t)
            return &m->params[i];
    ASSERT(m->params_count < OPENAPI_PARAMS_MAX);
    struct openapi_params *list = &m->params[m->params_count++];
    list->of = t;
    list->items = ARENA_ARRAY(m->arena, struct openapi_param, t->field_count);
    for (size_t i = 0; i < t->field_count; i++)
        if (param_of_field(m, &m->schema->fields[t->field_first + i], &list->items[list->count]))
            list->count++;
    qsort(list->items, list->count, sizeof *list->items, by_name);
    return list;
}

static void write_body_param(struct openapi *m, struct json_out *o, str ref, bool required);

static str shared_body_name(struct openapi *m, str ref, bool required)
{
    buf_clear(&m->text);
    write_body_param(m, &(struct json_out){.to = &m->text}, ref, required);
    return shared_name(m, S("body"), buf_str(&m->text));
}

/* Deleting a collection: which objects, and how. It ends, so nothing of watches. */
static void make_collection_params(struct openapi *m)
{
    const struct openapi_params *list = &m->params[OPENAPI_LIST_OPTIONS];
    const struct openapi_params *del = &m->params[OPENAPI_DELETE_OPTIONS];
    struct openapi_params *both = &m->params[m->params_count++];
    both->items = ARENA_ARRAY(m->arena, struct openapi_param, list->count + del->count);
    for (size_t i = 0; i < list->count; i++)
        if (!str_is(list->items[i].name, "watch") && !str_is(list->items[i].name, "allowWatchBookmarks"))
            both->items[both->count++] = list->items[i];
    for (size_t i = 0; i < del->count; i++)
        both->items[both->count++] = del->items[i];
    qsort(both->items, both->count, sizeof *both->items, by_name);
}

void openapi_init_params(struct openapi *m)
{
    static const char *const types[] = {
        [OPENAPI_LIST_OPTIONS] = "ListOptions",     [OPENAPI_GET_OPTIONS] = "GetOptions",
        [OPENAPI_CREATE_OPTIONS] = "CreateOptions", [OPENAPI_UPDATE_OPTIONS] = "UpdateOptions",
        [OPENAPI_PATCH_OPTIONS] = "PatchOptions",   [OPENAPI_DELETE_OPTIONS] = "DeleteOptions",
    };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        params_of(m, schema_type_find(m->schema, S("meta/v1"), str_from_c(types[i])));
    make_collection_params(m);
    for (size_t i = 0; i < OPENAPI_FIXED_COUNT; i++) {
        m->fixed_params[i] = fixed_params[i];
        name_param(m, &m->fixed_params[i]);
    }
    m->patch_body = shared_body_name(m, openapi_extra_name(OPENAPI_PATCH), true);
    m->delete_body = shared_body_name(m, m->delete_options_name, false);
}

/* --- operations --- */

enum method { METHOD_DELETE, METHOD_GET, METHOD_HEAD, METHOD_OPTIONS, METHOD_PATCH, METHOD_POST, METHOD_PUT };

static const struct {
    str member, upper, capital;
} methods[] = {
    [METHOD_DELETE] = {S_INIT("delete"), S_INIT("DELETE"), S_INIT("Delete")},
    [METHOD_GET] = {S_INIT("get"), S_INIT("GET"), S_INIT("Get")},
    [METHOD_HEAD] = {S_INIT("head"), S_INIT("HEAD"), S_INIT("Head")},
    [METHOD_OPTIONS] = {S_INIT("options"), S_INIT("OPTIONS"), S_INIT("Options")},
    [METHOD_PATCH] = {S_INIT("patch"), S_INIT("PATCH"), S_INIT("Patch")},
    [METHOD_POST] = {S_INIT("post"), S_INIT("POST"), S_INIT("Post")},
    [METHOD_PUT] = {S_INIT("put"), S_INIT("PUT"), S_INIT("Put")},
};

enum action {
    ACTION_LIST,
    ACTION_CREATE,
    ACTION_DELETE_COLLECTION,
    ACTION_READ,
    ACTION_REPLACE,
    ACTION_PATCH,
    ACTION_DELETE,
    ACTION_WATCH,
    ACTION_WATCH_LIST,
    ACTION_CONNECT,
    ACTION_INFO, /* not of a resource */
};

static const struct {
    str verb;   /* how its operationId begins */
    str action; /* x-kubernetes-action */
} actions[] = {
    [ACTION_LIST] = {S_INIT("list"), S_INIT("list")},
    [ACTION_CREATE] = {S_INIT("create"), S_INIT("post")},
    [ACTION_DELETE_COLLECTION] = {S_INIT("delete"), S_INIT("deletecollection")},
    [ACTION_READ] = {S_INIT("read"), S_INIT("get")},
    [ACTION_REPLACE] = {S_INIT("replace"), S_INIT("put")},
    [ACTION_PATCH] = {S_INIT("patch"), S_INIT("patch")},
    [ACTION_DELETE] = {S_INIT("delete"), S_INIT("delete")},
    [ACTION_WATCH] = {S_INIT("watch"), S_INIT("watch")},
    [ACTION_WATCH_LIST] = {S_INIT("watch"), S_INIT("watchlist")},
    [ACTION_CONNECT] = {S_INIT("connect"), S_INIT("connect")},
    [ACTION_INFO] = {S_INIT("get"), S_INIT("")},
};

struct operation {
    enum method method;
    enum action action;
    const struct openapi_params *params; /* NULL: none */
};
#define OPERATIONS_MAX 7

struct operations {
    struct operation list[OPERATIONS_MAX]; /* by method */
    size_t count;
};

/* What an operation may be told in its query. */
static const struct openapi_params *operation_params(struct openapi *m, const struct openapi_path *p,
                                                     enum action action)
{
    switch (action) {
    case ACTION_LIST:
    case ACTION_WATCH:
    case ACTION_WATCH_LIST: return &m->params[OPENAPI_LIST_OPTIONS];
    case ACTION_DELETE_COLLECTION:
        return &m->params[p->k->is_custom ? OPENAPI_LIST_OPTIONS : OPENAPI_COLLECTION_OPTIONS];
    case ACTION_CREATE: return &m->params[OPENAPI_CREATE_OPTIONS];
    case ACTION_REPLACE: return &m->params[OPENAPI_UPDATE_OPTIONS];
    case ACTION_PATCH: return &m->params[OPENAPI_PATCH_OPTIONS];
    case ACTION_DELETE: return &m->params[OPENAPI_DELETE_OPTIONS];
    case ACTION_READ:
        if (p->sub && p->sub->options)
            return params_of(m, p->sub->options);
        return p->k->is_custom ? &m->params[OPENAPI_GET_OPTIONS] : NULL;
    case ACTION_CONNECT: return params_of(m, p->sub->options);
    case ACTION_INFO: return NULL;
    }
    return NULL;
}

static void push(struct operations *ops, bool wanted, enum method method, enum action action)
{
    if (wanted)
        ops->list[ops->count++] = (struct operation){.method = method, .action = action};
}

static void connect_operations(struct operations *ops, const struct openapi_path *p)
{
    unsigned verbs = p->sub->verbs;
    bool is_proxy = verbs & SCHEMA_PATCH_VERB; /* anything goes: HEAD and OPTIONS too, which are no verbs */
    push(ops, verbs & SCHEMA_DELETE, METHOD_DELETE, ACTION_CONNECT);
    push(ops, verbs & SCHEMA_GET, METHOD_GET, ACTION_CONNECT);
    push(ops, is_proxy, METHOD_HEAD, ACTION_CONNECT);
    push(ops, is_proxy, METHOD_OPTIONS, ACTION_CONNECT);
    push(ops, verbs & SCHEMA_PATCH_VERB, METHOD_PATCH, ACTION_CONNECT);
    push(ops, verbs & SCHEMA_CREATE, METHOD_POST, ACTION_CONNECT);
    push(ops, verbs & SCHEMA_UPDATE, METHOD_PUT, ACTION_CONNECT);
}

static void object_operations(struct operations *ops, unsigned verbs, bool is_sub)
{
    push(ops, !is_sub && verbs & SCHEMA_DELETE, METHOD_DELETE, ACTION_DELETE);
    push(ops, verbs & SCHEMA_GET, METHOD_GET, ACTION_READ);
    push(ops, verbs & SCHEMA_PATCH_VERB, METHOD_PATCH, ACTION_PATCH);
    push(ops, is_sub && verbs & SCHEMA_CREATE, METHOD_POST, ACTION_CREATE);
    push(ops, verbs & SCHEMA_UPDATE, METHOD_PUT, ACTION_REPLACE);
}

static void operations_of(struct openapi *m, const struct openapi_path *p, struct operations *ops)
{
    *ops = (struct operations){.count = 0};
    unsigned verbs = p->k ? p->k->verbs : 0;
    switch (p->kind) {
    case OPENAPI_PATH_COLLECTION:
        push(ops, verbs & SCHEMA_DELETECOLLECTION, METHOD_DELETE, ACTION_DELETE_COLLECTION);
        push(ops, verbs & SCHEMA_LIST_VERB, METHOD_GET, ACTION_LIST);
        push(ops, verbs & SCHEMA_CREATE, METHOD_POST, ACTION_CREATE);
        break;
    case OPENAPI_PATH_OBJECT: object_operations(ops, verbs, false); break;
    case OPENAPI_PATH_SUBRESOURCE:
    case OPENAPI_PATH_PROXY:
        if (p->sub->is_connect)
            connect_operations(ops, p);
        else
            object_operations(ops, p->sub->verbs, true);
        break;
    case OPENAPI_PATH_ALL: push(ops, true, METHOD_GET, ACTION_LIST); break;
    case OPENAPI_PATH_WATCH:
    case OPENAPI_PATH_WATCH_ALL: push(ops, true, METHOD_GET, ACTION_WATCH_LIST); break;
    case OPENAPI_PATH_WATCH_OBJECT: push(ops, true, METHOD_GET, ACTION_WATCH); break;
    case OPENAPI_PATH_CORE:
    case OPENAPI_PATH_GROUPS:
    case OPENAPI_PATH_GROUP:
    case OPENAPI_PATH_VERSION:
    case OPENAPI_PATH_CODE_VERSION:
    case OPENAPI_PATH_ISSUER:
    case OPENAPI_PATH_KEYS: push(ops, true, METHOD_GET, ACTION_INFO); break;
    }
    for (size_t i = 0; i < ops->count; i++)
        ops->list[i].params = operation_params(m, p, ops->list[i].action);
}

/* --- which paths there are --- */

static void push_path(struct openapi *m, struct openapi_path p)
{
    if (m->path_count == m->path_cap) {
        size_t cap = size_max(m->path_cap * 2, 64);
        m->paths = arena_grow(m->arena, m->paths, m->path_cap * sizeof p, cap * sizeof p,
                              _Alignof(struct openapi_path));
        m->path_cap = cap;
    }
    m->paths[m->path_count++] = p;
}

/* What an operation of this path speaks of, so that every reference leads somewhere. */
static void need_body(struct openapi *m, const struct served_kind *k, const struct served_subresource *sub)
{
    if (sub->is_connect || (str_eq(sub->group, k->group) && str_eq(sub->kind, k->kind)))
        return;
    str api_version = sub->group.n ? str_join(m->arena, (const str[]){sub->group, sub->version}, 2, S("/"))
                                   : sub->version;
    const struct schema_kind_info *body = schema_kind_find(m->schema, api_version, sub->kind);
    if (body)
        openapi_need_type(m, &m->schema->types[body->type]);
}

static void push_object_paths(struct openapi *m, const struct served_kind *k, str collection)
{
    str object = str_concat(m->arena, collection, S("/{name}"));
    unsigned object_verbs = SCHEMA_GET | SCHEMA_DELETE | SCHEMA_PATCH_VERB | SCHEMA_UPDATE;
    if (k->verbs & object_verbs)
        push_path(m, (struct openapi_path){.text = object, .kind = OPENAPI_PATH_OBJECT, .k = k});
    for (size_t i = 0; i < k->subresource_count; i++) {
        const struct served_subresource *sub = &k->subresources[i];
        str text = str_join(m->arena, (const str[]){object, sub->name}, 2, S("/"));
        need_body(m, k, sub);
        push_path(m, (struct openapi_path){text, OPENAPI_PATH_SUBRESOURCE, k, sub});
        if (sub->is_connect && schema_field_find(m->schema, sub->options, S("path")))
            push_path(m, (struct openapi_path){str_concat(m->arena, text, S("/{path}")), OPENAPI_PATH_PROXY,
                                               k, sub});
    }
}

static void push_watch_paths(struct openapi *m, const struct served_kind *k, str base)
{
    str watch = str_concat(m->arena, base, S("watch/"));
    str scope = k->namespaced ? str_concat(m->arena, watch, S("namespaces/{namespace}/")) : watch;
    str list = str_concat(m->arena, scope, k->plural);
    push_path(m, (struct openapi_path){.text = list, .kind = OPENAPI_PATH_WATCH, .k = k});
    push_path(m, (struct openapi_path){.text = str_concat(m->arena, list, S("/{name}")),
                                       .kind = OPENAPI_PATH_WATCH_OBJECT,
                                       .k = k});
    if (k->namespaced)
        push_path(m, (struct openapi_path){.text = str_concat(m->arena, watch, k->plural),
                                           .kind = OPENAPI_PATH_WATCH_ALL,
                                           .k = k});
    openapi_need_named(m, "meta/v1", "WatchEvent");
}

void openapi_need_kind_paths(struct openapi *m, const struct served_kind *k)
{
    str base = str_format(m->arena, k->group.n ? "/apis/%" STR_FMT "/" : "/api/", STR_ARG(k->api_version));
    if (!k->group.n)
        base = str_format(m->arena, "/api/%" STR_FMT "/", STR_ARG(k->version));
    str scope = k->namespaced ? str_concat(m->arena, base, S("namespaces/{namespace}/")) : base;
    str collection = str_concat(m->arena, scope, k->plural);
    if (k->verbs & (SCHEMA_LIST_VERB | SCHEMA_CREATE | SCHEMA_DELETECOLLECTION))
        push_path(m, (struct openapi_path){.text = collection, .kind = OPENAPI_PATH_COLLECTION, .k = k});
    push_object_paths(m, k, collection);
    if (k->namespaced && k->verbs & SCHEMA_LIST_VERB)
        push_path(m, (struct openapi_path){
                         .text = str_concat(m->arena, base, k->plural), .kind = OPENAPI_PATH_ALL, .k = k});
    if (!k->is_custom && k->verbs & SCHEMA_WATCH)
        push_watch_paths(m, k, base);
    if (k->verbs & (SCHEMA_DELETE | SCHEMA_DELETECOLLECTION)) {
        openapi_need_named(m, "meta/v1", "DeleteOptions");
        openapi_need_named(m, "meta/v1", "Status");
    }
    if (k->verbs & SCHEMA_PATCH_VERB)
        openapi_need_extra(m, OPENAPI_PATCH);
}

/* What the documents that are not of a resource answer with; NULL: text. */
static const char *info_type(enum openapi_path_kind kind)
{
    switch (kind) {
    case OPENAPI_PATH_CORE: return "APIVersions";
    case OPENAPI_PATH_GROUPS: return "APIGroupList";
    case OPENAPI_PATH_GROUP: return "APIGroup";
    case OPENAPI_PATH_VERSION: return "APIResourceList";
    default: return NULL;
    }
}

void openapi_need_path(struct openapi *m, enum openapi_path_kind kind, str text, str group, str version)
{
    push_path(m, (struct openapi_path){.text = text, .kind = kind, .group = group, .version = version});
    if (info_type(kind))
        openapi_need_named(m, "meta/v1", info_type(kind));
    if (kind == OPENAPI_PATH_CODE_VERSION)
        openapi_need_extra(m, OPENAPI_VERSION_INFO);
}

static int by_path(const void *left, const void *right)
{
    const struct openapi_path *x = left, *y = right;
    return str_cmp(x->text, y->text);
}

void openapi_sort_paths(struct openapi *m)
{
    qsort(m->paths, m->path_count, sizeof *m->paths, by_path);
}

/* --- names of operations --- */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words joined, each with a capital but for the first if it is to be small: rbac.authorization.k8s.io -> rbacAuthorization. */
static void add_camel(struct buf *b, str text, bool capital)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!is_alnum(c)) {
            capital = true;
            continue;
        }
        buf_add_c(b, capital && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
        capital = false;
    }
}

static void add_group(struct buf *b, str group, bool capital)
{
    if (str_ends(group, S(".k8s.io")))
        group.n -= strlen(".k8s.io");
    add_camel(b, group.n ? group : S("core"), capital);
}

static str path_group(const struct openapi_path *p)
{
    return p->k ? p->k->group : p->group;
}

static str path_version(const struct openapi_path *p)
{
    return p->k ? p->k->version : p->version;
}

/* "deleteAppsV1CollectionNamespacedDeployment" */
static void add_operation_id(struct buf *b, const struct openapi_path *p, const struct operation *op)
{
    bool namespaced = p->k->namespaced,
         of_all = p->kind == OPENAPI_PATH_ALL || p->kind == OPENAPI_PATH_WATCH_ALL;
    buf_add(b, actions[op->action].verb);
    add_group(b, path_group(p), true);
    add_camel(b, path_version(p), true);
    if (op->action == ACTION_CONNECT)
        buf_add(b, methods[op->method].capital);
    if (op->action == ACTION_DELETE_COLLECTION)
        buf_add_lit(b, "Collection");
    if (namespaced && !of_all)
        buf_add_lit(b, "Namespaced");
    buf_add(b, p->k->kind);
    if (p->sub)
        add_camel(b, p->sub->name, true);
    if (op->action == ACTION_WATCH_LIST)
        buf_add_lit(b, "List");
    if (of_all)
        buf_add_lit(b, "ForAllNamespaces");
    if (p->kind == OPENAPI_PATH_PROXY)
        buf_add_lit(b, "WithPath");
}

static const char *article(str noun)
{
    char c = noun.n ? noun.p[0] : 'x';
    return strchr("AEIOUaeiou", c) ? "an" : "a";
}

/* "partially update status of the specified Deployment" */
static void add_operation_help(struct buf *b, const struct openapi_path *p, const struct operation *op)
{
    static const char *const object_verbs[] = {
        [ACTION_READ] = "read", [ACTION_REPLACE] = "replace", [ACTION_PATCH] = "partially update"};
    str kind = p->k->kind;
    switch (op->action) {
    case ACTION_LIST: buf_add_f(b, "list or watch objects of kind %" STR_FMT, STR_ARG(kind)); break;
    case ACTION_DELETE_COLLECTION: buf_add_f(b, "delete collection of %" STR_FMT, STR_ARG(kind)); break;
    case ACTION_DELETE: buf_add_f(b, "delete %s %" STR_FMT, article(kind), STR_ARG(kind)); break;
    case ACTION_CREATE:
        buf_add_lit(b, "create ");
        if (p->sub)
            buf_add_f(b, "%" STR_FMT " of ", STR_ARG(p->sub->name));
        buf_add_f(b, "%s %" STR_FMT, article(kind), STR_ARG(kind));
        break;
    case ACTION_READ:
    case ACTION_REPLACE:
    case ACTION_PATCH:
        buf_add_f(b, "%s ", object_verbs[op->action]);
        if (p->sub)
            buf_add_f(b, "%" STR_FMT " of ", STR_ARG(p->sub->name));
        buf_add_f(b, "the specified %" STR_FMT, STR_ARG(kind));
        break;
    case ACTION_WATCH:
        buf_add_f(b,
                  "watch changes to an object of kind %" STR_FMT
                  ". deprecated: list with 'watch' instead, and "
                  "a 'fieldSelector' for the one object.",
                  STR_ARG(kind));
        break;
    case ACTION_WATCH_LIST:
        buf_add_f(
            b, "watch individual changes to a list of %" STR_FMT ". deprecated: list with 'watch' instead.",
            STR_ARG(kind));
        break;
    case ACTION_CONNECT:
        buf_add_f(b, "connect %" STR_FMT " requests to %" STR_FMT " of %" STR_FMT,
                  STR_ARG(methods[op->method].upper), STR_ARG(p->sub->name), STR_ARG(kind));
        break;
    case ACTION_INFO: break; /* see write_info */
    }
}

/* --- media types --- */

static const str json_yaml[] = {S_INIT("application/json"), S_INIT("application/yaml")};
static const str encodings[] = {S_INIT("application/json"), S_INIT("application/vnd.kubernetes.protobuf"),
                                S_INIT("application/yaml")};
static const str watch_encodings[] = {S_INIT("application/json"), S_INIT("application/json;stream=watch"),
                                      S_INIT("application/vnd.kubernetes.protobuf"),
                                      S_INIT("application/vnd.kubernetes.protobuf;stream=watch"),
                                      S_INIT("application/yaml")};
static const str log_encodings[] = {S_INIT("application/json"), S_INIT("application/vnd.kubernetes.protobuf"),
                                    S_INIT("application/yaml"), S_INIT("text/plain")};
static const str patches[] = {S_INIT("application/apply-patch+yaml"), S_INIT("application/json-patch+json"),
                              S_INIT("application/merge-patch+json"),
                              S_INIT("application/strategic-merge-patch+json")};
static const str anything[] = {S_INIT("*/*")};

struct media {
    const str *items;
    size_t count;
};
#define MEDIA(list) ((struct media){(list), ARRAY_COUNT(list)})

static struct media produced(const struct openapi_path *p, const struct operation *op)
{
    if (op->action == ACTION_CONNECT)
        return MEDIA(anything);
    if (p->k->is_custom)
        return MEDIA(json_yaml);
    if (p->sub && p->sub->options)
        return MEDIA(log_encodings);
    bool streams = op->action == ACTION_LIST || op->action == ACTION_WATCH || op->action == ACTION_WATCH_LIST;
    return streams ? MEDIA(watch_encodings) : MEDIA(encodings);
}

static struct media consumed(const struct openapi_path *p, const struct operation *op)
{
    if (op->action == ACTION_PATCH)
        return p->k->is_custom ? (struct media){patches, 3} : MEDIA(patches);
    return p->k->is_custom ? MEDIA(json_yaml) : MEDIA(anything);
}

/* --- writing --- */

/* Of a body or an answer: a reference, or text. */
static void write_schema(struct openapi *m, struct json_out *o, str ref)
{
    out_open(o, '{');
    if (ref.n)
        openapi_add_ref(m, o, ref);
    else
        out_member(o, "type", "\"string\"");
    out_close(o, '}');
}

static void write_content(struct openapi *m, struct json_out *o, struct media media, str ref)
{
    out_key(o, "content");
    out_open(o, '{');
    for (size_t i = 0; i < media.count; i++) {
        out_name(o, media.items[i]);
        out_open(o, '{');
        out_key(o, "schema");
        write_schema(m, o, ref);
        out_close(o, '}');
    }
    out_close(o, '}');
}

static str subresource_body(struct openapi *m, const struct openapi_path *p)
{
    const struct served_subresource *sub = p->sub;
    if (str_eq(sub->group, p->k->group) && str_eq(sub->kind, p->k->kind))
        return openapi_kind_name(m, p->k);
    str api_version = sub->group.n ? str_join(m->arena, (const str[]){sub->group, sub->version}, 2, S("/"))
                                   : sub->version;
    const struct schema_kind_info *body = schema_kind_find(m->schema, api_version, sub->kind);
    return body ? m->type_names[body->type] : STR_NONE;
}

static str object_ref(struct openapi *m, const struct openapi_path *p)
{
    return p->sub ? subresource_body(m, p) : openapi_kind_name(m, p->k);
}

static str answer_ref(struct openapi *m, const struct openapi_path *p, const struct operation *op)
{
    switch (op->action) {
    case ACTION_LIST: return openapi_list_name(m, p->k);
    case ACTION_DELETE_COLLECTION: return m->status_name;
    case ACTION_DELETE: return p->k->returns_deleted ? openapi_kind_name(m, p->k) : m->status_name;
    case ACTION_WATCH:
    case ACTION_WATCH_LIST: return m->watch_event_name;
    case ACTION_READ:
        if (p->sub && p->sub->options)
            return STR_NONE; /* a log is text */
        return object_ref(m, p);
    case ACTION_CREATE:
    case ACTION_REPLACE:
    case ACTION_PATCH: return object_ref(m, p);
    case ACTION_CONNECT:
    case ACTION_INFO: return STR_NONE;
    }
    return STR_NONE;
}

static void write_response(struct openapi *m, struct json_out *o, const char *status, const char *text,
                           struct media media, str ref)
{
    out_name(o, str_from_c(status));
    out_open(o, '{');
    if (m->v3)
        write_content(m, o, media, ref);
    out_text(o, "description", str_from_c(text));
    if (!m->v3) {
        out_key(o, "schema");
        write_schema(m, o, ref);
    }
    out_close(o, '}');
}

static void write_responses(struct openapi *m, struct json_out *o, enum action action, struct media media,
                            str ref)
{
    bool created = action == ACTION_CREATE || action == ACTION_REPLACE || action == ACTION_PATCH;
    bool accepted = action == ACTION_CREATE || action == ACTION_DELETE;
    out_key(o, "responses");
    out_open(o, '{');
    write_response(m, o, "200", "OK", media, ref);
    if (created)
        write_response(m, o, "201", "Created", media, ref);
    if (accepted)
        write_response(m, o, "202", "Accepted", media, ref);
    out_member(o, "401", "{\"description\":\"Unauthorized\"}");
    out_close(o, '}');
}

/* Empty: the operation has no body. */
static str body_ref(struct openapi *m, const struct openapi_path *p, const struct operation *op)
{
    switch (op->action) {
    case ACTION_CREATE:
    case ACTION_REPLACE: return object_ref(m, p);
    case ACTION_PATCH: return openapi_extra_name(OPENAPI_PATCH);
    case ACTION_DELETE: return m->delete_options_name;
    case ACTION_DELETE_COLLECTION: return p->k->is_custom ? STR_NONE : m->delete_options_name;
    default: return STR_NONE;
    }
}

static bool body_is_required(const struct operation *op)
{
    return op->action != ACTION_DELETE && op->action != ACTION_DELETE_COLLECTION;
}

static void write_body_param(struct openapi *m, struct json_out *o, str ref, bool required)
{
    out_open(o, '{');
    out_member(o, "in", "\"body\"");
    out_member(o, "name", "\"body\"");
    if (required)
        out_member(o, "required", "true");
    out_key(o, "schema");
    write_schema(m, o, ref);
    out_close(o, '}');
}

static void write_param_ref(struct json_out *o, str shared)
{
    buf_add_f(o->to, "{\"$ref\":\"#/parameters/%" STR_FMT "\"}", STR_ARG(shared));
}

static void write_one_param(const struct openapi *m, struct json_out *o, const struct openapi_param *p)
{
    out_item(o);
    if (p->shared.n)
        write_param_ref(o, p->shared);
    else
        write_param(m, o, p);
    o->comma = true;
}

/* Names of parameters are the schema's texts, where equal ones are one. */
static bool has_param(const struct operation *op, str name)
{
    for (size_t i = 0; op->params && i < op->params->count; i++)
        if (op->params->items[i].name.p == name.p)
            return true;
    return false;
}

/* In every operation: it stands at the path. */
static bool is_common(const struct operations *ops, str name)
{
    for (size_t i = 0; i < ops->count; i++)
        if (!has_param(&ops->list[i], name))
            return false;
    return true;
}

/* v2: a body is a parameter too; two of them are shared by all kinds. */
static void write_body(struct openapi *m, struct json_out *o, const struct openapi_path *p,
                       const struct operation *op)
{
    out_item(o);
    if (op->action == ACTION_PATCH)
        write_param_ref(o, m->patch_body);
    else if (!body_is_required(op))
        write_param_ref(o, m->delete_body);
    else
        write_body_param(m, o, body_ref(m, p, op), true);
    o->comma = true;
}

static void write_operation_params(struct openapi *m, struct json_out *o, const struct openapi_path *p,
                                   const struct operations *ops, const struct operation *op)
{
    bool body = !m->v3 && body_ref(m, p, op).n, any = body;
    for (size_t i = 0; op->params && i < op->params->count && !any; i++)
        any = !is_common(ops, op->params->items[i].name);
    if (!any)
        return;
    out_key(o, "parameters");
    out_open(o, '[');
    if (body)
        write_body(m, o, p, op);
    for (size_t i = 0; op->params && i < op->params->count; i++)
        if (!is_common(ops, op->params->items[i].name))
            write_one_param(m, o, &op->params->items[i]);
    out_close(o, ']');
}

static void write_tag(struct json_out *o, const struct openapi_path *p)
{
    out_key(o, "tags");
    buf_add_lit(o->to, "[\"");
    add_group(o->to, path_group(p), false);
    buf_add_c(o->to, '_');
    add_camel(o->to, path_version(p), false);
    buf_add_lit(o->to, "\"]");
}

static void write_media(struct json_out *o, struct media media)
{
    out_strings(o, media.items, media.count);
}

static void write_operation(struct openapi *m, struct json_out *o, const struct openapi_path *p,
                            const struct operations *ops, const struct operation *op)
{
    struct media produces = produced(p, op), consumes = consumed(p, op);
    out_open(o, '{');
    if (!m->v3) {
        out_key(o, "consumes");
        write_media(o, consumes);
    }
    out_key(o, "description");
    buf_add_c(o->to, '"');
    add_operation_help(o->to, p, op);
    buf_add_c(o->to, '"');
    out_key(o, "operationId");
    buf_add_c(o->to, '"');
    add_operation_id(o->to, p, op);
    buf_add_c(o->to, '"');
    write_operation_params(m, o, p, ops, op);
    if (!m->v3) {
        out_key(o, "produces");
        write_media(o, produces);
    }
    str body = body_ref(m, p, op);
    if (m->v3 && body.n) {
        out_key(o, "requestBody");
        out_open(o, '{');
        write_content(m, o, consumes, body);
        if (body_is_required(op))
            out_member(o, "required", "true");
        out_close(o, '}');
    }
    write_responses(m, o, op->action, produces, answer_ref(m, p, op));
    if (!m->v3)
        out_member(o, "schemes", "[\"https\"]");
    write_tag(o, p);
    out_text(o, "x-kubernetes-action", actions[op->action].action);
    out_key(o, "x-kubernetes-group-version-kind");
    if (p->sub && !p->k->is_custom)
        openapi_add_gvk(o, p->sub->group, p->sub->version, p->sub->kind);
    else
        openapi_add_gvk(o, p->k->group, p->k->version, p->k->kind);
    out_close(o, '}');
}

/* --- documents about the server --- */

static const struct info {
    const char *help, *id, *tag; /* id, tag NULL: made of the group */
    struct media media;
} infos[] = {
    [OPENAPI_PATH_CORE] = {"get available API versions", "getCoreAPIVersions", "core", MEDIA(encodings)},
    [OPENAPI_PATH_GROUPS] = {"get available API versions", "getAPIVersions", "apis", MEDIA(encodings)},
    [OPENAPI_PATH_GROUP] = {"get information of a group", NULL, NULL, MEDIA(encodings)},
    [OPENAPI_PATH_VERSION] = {"get available resources", NULL, NULL, MEDIA(encodings)},
    [OPENAPI_PATH_CODE_VERSION] = {"get the version this server is built from",
                                   "getCodeVersion",
                                   "version",
                                   {encodings, 1}},
    [OPENAPI_PATH_ISSUER] =
        {"get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
         "getServiceAccountIssuerOpenIDConfiguration",
         "WellKnown",
         {encodings, 1}},
    [OPENAPI_PATH_KEYS] =
        {"get service account issuer OpenID JSON Web Key Set (public keys that tokens are verified "
         "with)",
         "getServiceAccountIssuerOpenIDKeyset",
         "openid",
         {(const str[]){S_INIT("application/jwk-set+json")}, 1}},
};

static void write_info_id(struct json_out *o, const struct openapi_path *p, const struct info *info)
{
    out_key(o, "operationId");
    buf_add_c(o->to, '"');
    if (info->id) {
        buf_add(o->to, str_from_c(info->id));
    } else {
        buf_add_lit(o->to, "get");
        add_group(o->to, p->group, true);
        add_camel(o->to, p->version, true);
        buf_add(o->to, p->kind == OPENAPI_PATH_GROUP ? S("APIGroup") : S("APIResources"));
    }
    buf_add_c(o->to, '"');
}

static void write_info_tag(struct json_out *o, const struct openapi_path *p, const struct info *info)
{
    if (p->kind == OPENAPI_PATH_VERSION) {
        write_tag(o, p);
        return;
    }
    out_key(o, "tags");
    buf_add_lit(o->to, "[\"");
    if (info->tag)
        buf_add(o->to, str_from_c(info->tag));
    else
        add_group(o->to, p->group, false);
    buf_add_lit(o->to, "\"]");
}

static void write_info(struct openapi *m, struct json_out *o, const struct openapi_path *p)
{
    const struct info *info = &infos[p->kind];
    const char *type = info_type(p->kind);
    str ref = type                                   ? openapi_type_name(m, "meta/v1", type)
              : p->kind == OPENAPI_PATH_CODE_VERSION ? openapi_extra_name(OPENAPI_VERSION_INFO)
                                                     : STR_NONE;
    out_open(o, '{');
    if (!m->v3) {
        out_key(o, "consumes");
        write_media(o, info->media);
    }
    out_text(o, "description", str_from_c(info->help));
    write_info_id(o, p, info);
    if (!m->v3) {
        out_key(o, "produces");
        write_media(o, info->media);
    }
    write_responses(m, o, ACTION_INFO, info->media, ref);
    if (!m->v3)
        out_member(o, "schemes", "[\"https\"]");
    write_info_tag(o, p, info);
    out_close(o, '}');
}

/* --- a whole path --- */

static bool is_of_objects(const struct openapi_path *p)
{
    return p->kind == OPENAPI_PATH_OBJECT || p->kind == OPENAPI_PATH_SUBRESOURCE ||
           p->kind == OPENAPI_PATH_PROXY || p->kind == OPENAPI_PATH_WATCH_OBJECT;
}

static struct openapi_param name_param_of(struct openapi *m, const struct openapi_path *p)
{
    str kind = p->sub && !p->k->is_custom ? p->sub->kind : p->k->kind;
    return (struct openapi_param){
        .name = S("name"),
        .help = str_concat(m->arena, S("name of the "), kind),
        .in_path = true,
    };
}

#define PATH_PARAMS_MAX 32

/* What all operations of the path have, by name. */
static void write_path_params(struct openapi *m, struct json_out *o, const struct openapi_path *p,
                              const struct operations *ops)
{
    struct openapi_param list[PATH_PARAMS_MAX];
    size_t count = 0;
    bool of_all = p->kind == OPENAPI_PATH_ALL || p->kind == OPENAPI_PATH_WATCH_ALL;
    if (is_of_objects(p))
        list[count++] = name_param_of(m, p);
    if (p->k->namespaced && !of_all)
        list[count++] = m->fixed_params[OPENAPI_NAMESPACE];
    if (p->kind == OPENAPI_PATH_PROXY)
        list[count++] = m->fixed_params[OPENAPI_PROXY_PATH];
    if (!p->sub || !p->sub->is_connect)
        list[count++] = m->fixed_params[OPENAPI_PRETTY];
    const struct openapi_params *first = ops->list[0].params;
    for (size_t i = 0; first && i < first->count && count < PATH_PARAMS_MAX; i++)
        if (is_common(ops, first->items[i].name))
            list[count++] = first->items[i];
    qsort(list, count, sizeof *list, by_name);
    out_key(o, "parameters");
    out_open(o, '[');
    for (size_t i = 0; i < count; i++)
        write_one_param(m, o, &list[i]);
    out_close(o, ']');
}

void openapi_add_path(struct openapi *m, struct json_out *o, const struct openapi_path *p)
{
    struct operations ops;
    operations_of(m, p, &ops);
    bool params_written = !p->k;
    out_open(o, '{');
    for (size_t i = 0; i < ops.count; i++) {
        if (!params_written && ops.list[i].method >= METHOD_PATCH) {
            write_path_params(m, o, p, &ops);
            params_written = true;
        }
        out_name(o, methods[ops.list[i].method].member);
        if (p->k)
            write_operation(m, o, p, &ops, &ops.list[i]);
        else
            write_info(m, o, p);
    }
    if (!params_written)
        write_path_params(m, o, p, &ops);
    out_close(o, '}');
}

/* --- v2: parameters that paths refer to --- */

struct shared_param {
    str name, text;
};

static int by_shared_name(const void *left, const void *right)
{
    const struct shared_param *x = left, *y = right;
    return str_cmp(x->name, y->name);
}

static str written_param(struct openapi *m, const struct openapi_param *p)
{
    buf_clear(&m->text);
    write_param(m, &(struct json_out){.to = &m->text}, p);
    return str_dup(m->arena, buf_str(&m->text));
}

static str written_body(struct openapi *m, str ref, bool required)
{
    buf_clear(&m->text);
    write_body_param(m, &(struct json_out){.to = &m->text}, ref, required);
    return str_dup(m->arena, buf_str(&m->text));
}

/* Every type of options that a path refers to must have been met. */
static void meet_all_options(struct openapi *m)
{
    struct operations ops;
    for (size_t i = 0; i < m->path_count; i++)
        operations_of(m, &m->paths[i], &ops);
}

void openapi_add_shared_params(struct openapi *m, struct json_out *o)
{
    meet_all_options(m);
    size_t max = OPENAPI_FIXED_COUNT + 2, count = 0;
    for (size_t i = 0; i < m->params_count; i++)
        max += m->params[i].count;
    struct shared_param *all = ARENA_ARRAY(m->arena, struct shared_param, max);
    for (size_t i = 0; i < OPENAPI_FIXED_COUNT; i++)
        all[count++] = (struct shared_param){m->fixed_params[i].shared,
                                             written_param(m, &m->fixed_params[i])};
    for (size_t i = 0; i < m->params_count; i++)
        for (size_t j = 0; j < m->params[i].count; j++)
            all[count++] = (struct shared_param){m->params[i].items[j].shared,
                                                 written_param(m, &m->params[i].items[j])};
    all[count++] = (struct shared_param){m->patch_body,
                                         written_body(m, openapi_extra_name(OPENAPI_PATCH), true)};
    all[count++] = (struct shared_param){m->delete_body, written_body(m, m->delete_options_name, false)};
    qsort(all, count, sizeof *all, by_shared_name);
    for (size_t i = 0; i < count; i++) {
        if (i && str_eq(all[i].name, all[i - 1].name))
            continue;
        out_name(o, all[i].name);
        buf_add(o->to, all[i].text);
    }
}
