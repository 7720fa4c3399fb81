/* write.c - create and update, and what all writes share. */
#include "server/write.h"
#include "api/convert.h"
#include "api/metadata.h"
#include "api/tree.h"
#include "api/view.h"
#include "base/kube_time.h"
#include "base/mem.h"
#include "server/admission.h"
#include "server/managed.h"
#include "server/params.h"
#include "server/stages.h"
#include "server/subresources.h"
#include "server/uid.h"
#include "sys/env.h"

/* --- documents --- */

err_code write_read_tree(struct arena *a, const struct served_kind *k, const struct object *o,
                         struct json *ret, struct err *err)
{
    struct buf text;
    struct json stored;
    struct json_opts opts = {.names = schema_builtin.names};
    buf_init_arena(&text, a, SIZE_MAX / 2);
    object_print(&text, o, k->resource->stored->head);
    if (json_parse(a, buf_str(&text), &opts, &stored, err))
        return err_wrap(err, "could not read what is stored");
    if (k == k->resource->stored) {
        *ret = stored;
        return ERR_NONE;
    }
    return convert_from_stored(a, k->info, &stored, ret, err);
}

static struct json *metadata_of(struct arena *a, struct json *tree)
{
    struct json *m = json_find(tree, S("metadata"));
    return m && m->type == JSON_OBJECT ? m : json_set(a, tree, S("metadata"), json_object());
}

static str metadata_text(const struct json *tree, str name)
{
    return json_str(json_get(tree, S("metadata"), name));
}

static void set_text(struct arena *a, struct json *object, str name, str value)
{
    json_set(a, object, name, json_of_str(value));
}

/* A member as it was: the old one, or none. */
static void restore(struct arena *a, struct json *object, const struct json *old, str name)
{
    const struct json *value = json_find(old, name);
    if (value)
        json_set(a, object, name, *value);
    else
        json_remove(object, name);
}

/* --- the body --- */

static void complain(struct request *r, const struct tree_complaints *c)
{
    for (size_t i = 0; i < c->count; i++)
        request_warn(r, c->items[i]);
}

static enum stage_result wrong_kind(struct request *r, const struct served_kind *k, str api_version, str kind)
{
    if (kind.n && !str_eq(kind, k->kind))
        return answer_failure(r, status_make(r->arena, ERR_BAD_REQUEST,
                                             "%" STR_FMT " in version \"%" STR_FMT
                                             "\" cannot be handled as a %" STR_FMT ": no kind \"%" STR_FMT
                                             "\" is registered for version \"%" STR_FMT "\"",
                                             STR_ARG(kind), STR_ARG(k->version), STR_ARG(k->kind),
                                             STR_ARG(kind), STR_ARG(api_version)));
    return answer_failure(r, status_make(r->arena, ERR_BAD_REQUEST,
                                         "the API version in the data (%" STR_FMT
                                         ") does not match the expected API version (%" STR_FMT ")",
                                         STR_ARG(api_version), STR_ARG(k->api_version)));
}

/* The bytes are no such object. */
static enum stage_result not_handled(struct request *r, const struct served_kind *k, const struct err *err)
{
    if (err->code != ERR_SYNTAX && err->code != ERR_BAD_REQUEST)
        return answer_err(r, err);
    return answer_failure(r, status_make(r->arena, ERR_BAD_REQUEST,
                                         "%" STR_FMT " in version \"%" STR_FMT
                                         "\" cannot be handled as a %" STR_FMT ": %s",
                                         STR_ARG(k->kind), STR_ARG(k->version), STR_ARG(k->kind), err->msg));
}

/* An empty list of managedFields does not outlive normalisation. */
static bool asks_to_forget(struct request *r, enum tree_format format, const struct json *body)
{
    struct json raw;
    struct err err = ERR_INIT;
    str text = buf_str(&r->body);
    if (format != TREE_JSON || json_get(body, S("metadata"), S("managedFields")) ||
        !str_contains(text, S("\"managedFields\"")))
        return false;
    return !json_parse(r->arena, text, NULL, &raw, &err) && apply_is_reset(&raw);
}

enum stage_result write_decode(struct request *r, struct write *w, const struct served_kind *k)
{
    enum tree_format format;
    struct tree_complaints complaints;
    struct err err = ERR_INIT;
    if (w->decoded)
        return STAGE_NEXT;
    if (tree_format_of(http_header_find(&r->head, S("content-type")), k->schema, &format, &err))
        return answer_err(r, &err);
    if (tree_read(r->arena, k->schema, k->type, format, buf_str(&r->body), &complaints, &w->body, &err))
        return not_handled(r, k, &err);
    str api_version = json_str(json_find(&w->body, S("apiVersion")));
    str kind = json_str(json_find(&w->body, S("kind")));
    if ((kind.n && !str_eq(kind, k->kind)) || (api_version.n && !str_eq(api_version, k->api_version)))
        return wrong_kind(r, k, api_version, kind);
    if (complaints.count && r->params.field_validation == VALIDATION_STRICT) {
        struct buf text;
        buf_init_arena(&text, r->arena, 1 << 20);
        tree_complaints_print(&complaints, &text);
        err_set(&err, ERR_BAD_REQUEST, "%" STR_FMT, STR_ARG(buf_str(&text)));
        return not_handled(r, k, &err);
    }
    if (r->params.field_validation == VALIDATION_WARN)
        complain(r, &complaints);
    w->forgets = asks_to_forget(r, format, &w->body);
    w->decoded = true;
    return STAGE_NEXT;
}

/* --- what the server fills in --- */

static str time_text(struct request *r)
{
    struct buf out;
    buf_init_arena(&out, r->arena, 64);
    struct kube_time now = kube_time_from_unix_ns(r->now_wall);
    kube_time_format(&out, now);
    return buf_str(&out);
}

static void fill_in_new(struct request *r, struct write *w, struct json *tree)
{
    struct arena *a = r->arena;
    struct json *m = metadata_of(a, tree);
    static const str never_given[] = {S_INIT("resourceVersion"), S_INIT("selfLink"),
                                      S_INIT("deletionTimestamp"), S_INIT("deletionGracePeriodSeconds"),
                                      S_INIT("generation")};
    for (size_t i = 0; i < ARRAY_COUNT(never_given); i++)
        json_remove(m, never_given[i]);
    str name = json_str(json_find(m, S("name"))), prefix = json_str(json_find(m, S("generateName")));
    w->generate_name = !name.n && prefix.n;
    if (w->generate_name) {
        name = metadata_generated_name(a, prefix, env_random_u64(r->server->env));
        set_text(a, m, S("name"), name);
    }
    w->name = name;
    if (r->kind->namespaced)
        set_text(a, m, S("namespace"), w->ns);
    else
        json_remove(m, S("namespace"));
    set_text(a, m, S("uid"), uid_new(r->server->env, a));
    set_text(a, m, S("creationTimestamp"), time_text(r));
}

static void fill_in_update(struct request *r, struct write *w, struct json *tree)
{
    struct arena *a = r->arena;
    struct json *m = metadata_of(a, tree);
    const struct json *old = json_find(&w->old_tree, S("metadata"));
    static const str kept[] = {S_INIT("deletionTimestamp"), S_INIT("deletionGracePeriodSeconds"),
                               S_INIT("generation"), S_INIT("selfLink")};
    static const str kept_if_empty[] = {S_INIT("uid"), S_INIT("creationTimestamp")};
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
        restore(a, m, old, kept[i]);
    for (size_t i = 0; i < ARRAY_COUNT(kept_if_empty); i++)
        if (!json_str(json_find(m, kept_if_empty[i])).n)
            restore(a, m, old, kept_if_empty[i]);
    if (!json_find(m, S("managedFields")))
        restore(a, m, old, S("managedFields"));
    if (r->kind->namespaced)
        set_text(a, m, S("namespace"), w->ns);
}

static bool has_status(const struct served_kind *k)
{
    return served_subresource_find(k, S("status")) != NULL;
}

/* An update of the object leaves its status alone; one through a subresource leaves everything that this is not about. */
static void keep_what_is_not_meant(struct request *r, struct write *w, struct json *tree)
{
    struct arena *a = r->arena;
    const struct json *old = &w->old_tree;
    const struct narrow *narrow = subresource_narrow(r);
    if (w->takes_all)
        return;
    if (!narrow) {
        if (has_status(r->kind))
            restore(a, tree, old, S("status"));
        return;
    }
    struct json kept = json_clone(a, old);
    for (size_t i = 0; i < ARRAY_COUNT(narrow->takes) && narrow->takes[i].member; i++) {
        str member = str_from_c(narrow->takes[i].member), inner = str_from_c(narrow->takes[i].inner);
        const struct json *sent = json_find(tree, member);
        if (!inner.n) {
            restore(a, &kept, tree, member);
        } else if (!(r->kind->is_custom && str_is(member, "metadata"))) {
            struct json *into = json_find(&kept, member);
            if (!into)
                into = json_set(a, &kept, member, json_object());
            restore(a, into, sent, inner);
        }
    }
    *tree = kept;
}

/* metadata.generation: 1 at first, one more when anything but metadata and status changed. */
static void count_generation(struct request *r, struct write *w, struct json *tree, bool counts)
{
    struct json *m = metadata_of(r->arena, tree);
    int64_t generation = 0;
    if (!counts)
        return;
    if (w->old) {
        json_int(json_get(&w->old_tree, S("metadata"), S("generation")), &generation);
        bool changed = false;
        for (uint32_t i = 0; i < tree->n && !changed; i++) {
            str name = json_member_name(&tree->v.members[i]);
            if (str_is(name, "metadata") || str_is(name, "status") || str_is(name, "kind") ||
                str_is(name, "apiVersion"))
                continue;
            const struct json *before = json_find(&w->old_tree, name);
            changed = !before || !json_equal(before, &tree->v.members[i].value);
        }
        generation += changed;
    } else {
        generation = 1;
    }
    if (generation)
        json_set(r->arena, m, S("generation"), json_of_int(generation));
}

/* --- validation and the object --- */

static void warn_client(void *ctx, str text)
{
    request_warn(ctx, text);
}

/* The tree as it will be stored: canonical, in the stored version. */
static err_code to_stored(struct request *r, const struct json *tree, struct json *ret, struct err *err)
{
    const struct served_kind *k = r->kind, *stored = k->resource->stored;
    struct json converted = *tree;
    if (k != stored && convert_to_stored(r->arena, k->info, tree, &converted, err))
        return err->code;
    return tree_normalise(r->arena, stored->schema, stored->type, &converted, NULL, ret, err);
}

/* Content has no kind, apiVersion and resourceVersion. */
static str print_content(struct request *r, struct json *tree)
{
    struct buf out;
    json_remove(tree, S("kind"));
    json_remove(tree, S("apiVersion"));
    json_remove(json_find(tree, S("metadata")), S("resourceVersion"));
    buf_init_arena(&out, r->arena, OBJECT_SIZE_MAX);
    json_print(&out, tree, 0);
    return out.failed ? STR_NONE : buf_str(&out);
}

/* Views for the rules: decoded from content. Custom kinds have none. */
static err_code view_of(struct request *r, const struct served_kind *k, str content, void **ret,
                        struct err *err)
{
    *ret = NULL;
    if (k->is_custom)
        return ERR_NONE;
    *ret = arena_alloc_zero(r->arena, 1, k->type->view_size, 16);
    return view_decode(r->arena, k->schema, k->type, content, *ret, err);
}

struct check {
    struct rules_input in;
    const struct kind_rules *rules;
    const struct served_kind *kind; /* the stored one */
};

static enum stage_result validate(struct request *r, struct write *w, const struct check *c,
                                  const struct json *stored, str content)
{
    struct field_errors errors;
    struct err err = ERR_INIT;
    void *view, *old_view = NULL;
    field_errors_init(&errors, r->arena);
    if (view_of(r, c->kind, content, &view, &err) ||
        (w->old && view_of(r, c->kind, object_content(w->old), &old_view, &err)))
        return answer_failure(r, status_make(r->arena, ERR_INTERNAL, "%s", err.msg));
    if (metadata_check(r->arena, c->kind->schema, c->kind->info, content,
                       w->old ? object_content(w->old) : STR_NONE, w->old ? w->old->revision : 0, &errors,
                       &err))
        return answer_failure(r, status_make(r->arena, ERR_INTERNAL, "%s", err.msg));
    tree_validate(c->kind->schema, c->kind->type, stored, &errors);
    if (c->rules && c->rules->validate)
        c->rules->validate(&c->in, view, &errors);
    if (w->old && c->rules && c->rules->validate_update)
        c->rules->validate_update(&c->in, view, old_view, &errors);
    if (errors.count)
        return answer_failure(r, status_invalid(r->arena, c->kind, w->name, &errors));
    if (c->rules && c->rules->warnings)
        c->rules->warnings(&c->in, view, old_view);
    return STAGE_NEXT;
}

/* From the document that the client wants to the object that will be stored. */
static enum stage_result build(struct request *r, struct write *w, struct json tree)
{
    struct err err = ERR_INIT;
    struct json stored;
    const struct served_kind *k = r->kind->resource->stored;
    struct check c = {.in = {.arena = r->arena,
                             .now_wall = r->now_wall,
                             .subresource = r->at.subresource,
                             .warn = warn_client,
                             .ctx = r},
                      .rules = k->is_custom ? NULL : kind_rules_find(k->schema, k->info),
                      .kind = k};
    if (w->old) {
        keep_what_is_not_meant(r, w, &tree);
        fill_in_update(r, w, &tree);
    } else {
        fill_in_new(r, w, &tree);
        if (has_status(r->kind) && r->kind->is_custom)
            json_remove(&tree, S("status"));
    }
    if (to_stored(r, &tree, &stored, &err))
        return answer_err(r, &err);
    if (c.rules && c.rules->defaults)
        c.rules->defaults(&c.in, &stored);
    tree_defaults(r->arena, k->schema, k->type, &stored);
    struct json old_stored = json_null();
    if (w->old && write_read_tree(r->arena, k, w->old, &old_stored, &err))
        return answer_err(r, &err);
    if (!w->is_tracked && managed_track(r, w, &old_stored, &stored, &err))
        return answer_err(r, &err);
    if (!w->old && c.rules && c.rules->on_create)
        c.rules->on_create(&c.in, &stored);
    if (w->old && c.rules && c.rules->on_update)
        c.rules->on_update(&c.in, &stored, &old_stored);
    count_generation(r, w, &stored, k->is_custom || (c.rules && c.rules->has_generation));
    enum stage_result result = admission_mutate(r, w, &stored);
    if (result != STAGE_NEXT)
        return result;
    struct json normal;
    if (tree_normalise(r->arena, k->schema, k->type, &stored, NULL, &normal, &err))
        return answer_err(r, &err);
    if (w->old)
        apply_settle(r->arena, &old_stored, &normal);
    str content = print_content(r, &normal);
    if (!content.n)
        return answer_failure(r, status_make(r->arena, ERR_TOO_LARGE,
                                             "the object would be larger than %zu bytes", OBJECT_SIZE_MAX));
    if ((result = validate(r, w, &c, &normal, content)) != STAGE_NEXT ||
        (result = admission_check(r, w, &normal)) != STAGE_NEXT)
        return result;
    if (object_new((struct object_key){r->resource, w->ns, w->name}, content, &w->object, &err))
        return answer_failure(r, status_make(r->arena, ERR_INTERNAL, "%s", err.msg));
    return STAGE_NEXT;
}

/* --- the transaction --- */

void write_guard(struct write *w, struct store_guard g)
{
    ASSERT(w->guard_count < ARRAY_COUNT(w->guards));
    w->guards[w->guard_count++] = g;
}

void write_change(struct write *w, struct store_change c)
{
    ASSERT(w->change_count < ARRAY_COUNT(w->changes));
    w->changes[w->change_count++] = c;
}

/* What the try would have stored besides the object. */
static void drop_changes(struct write *w)
{
    for (size_t i = 1; i < w->change_count; i++)
        object_unref(w->changes[i].put);
    w->change_count = 1;
}

static void on_committed(struct store_txn *t)
{
    request_resume(CONTAINER_OF(t, struct request, txn));
}

static enum stage_result commit(struct request *r, struct write *w)
{
    struct object_key key = {r->resource, w->ns, w->name};
    w->guards[0] = (struct store_guard){.kind = w->old ? STORE_GUARD_AT : STORE_GUARD_ABSENT,
                                        .key = key,
                                        .revision = w->old ? w->old->revision : 0};
    w->changes[0] = (struct store_change){.put = w->object, .key = key};
    if (w->deletes) {
        w->changes[0].put = NULL;
    } else {
        object_ref(w->object); /* one for the store, one for the answer */
    }
    r->txn = (struct store_txn){.guards = w->guards,
                                .changes = w->changes,
                                .guard_count = (uint16_t)w->guard_count,
                                .change_count = (uint16_t)w->change_count,
                                .loop = r->home->loop,
                                .done = on_committed};
    w->committing = true;
    store_commit(r->server->store, &r->txn);
    return request_wait(r);
}

static void let_go(struct write *w)
{
    w->object = object_unref(w->object);
    if (!w->committing) /* else they are the store's */
        drop_changes(w);
}

static enum stage_result answer_written(struct request *r, struct write *w, int code, const struct object *o)
{
    return w->answer ? w->answer(r, w, code, o) : answer_object(r, code, o);
}

/* What became of it. NEXT: another try. */
static enum stage_result committed(struct request *r, struct write *w)
{
    struct store_txn *t = &r->txn;
    w->committing = false;
    w->change_count = 1; /* the others were the store's */
    if (!t->err.code) {
        return answer_written(r, w, w->code, w->deletes ? w->old : w->object);
    }
    let_go(w);
    if (t->err.code != ERR_CONFLICT)
        return answer_failure(r,
                              status_make(r->arena, t->err.code == ERR_DISK_FULL ? ERR_INTERNAL : t->err.code,
                                          "could not store it: %s", t->err.msg));
    bool own = t->failed_guard == 0;
    if (own && w->must_create && !w->generate_name)
        return answer_failure(r, status_already_exists(r->arena, r->kind, w->name));
    if (++w->tries >= WRITE_TRIES_MAX)
        return answer_failure(r, status_modified(r->arena, r->kind, w->name));
    return STAGE_NEXT;
}

/* --- one try --- */

static bool content_equal(const struct object *x, const struct object *y)
{
    return str_eq(object_content(x), object_content(y));
}

/* An object that is being deleted goes with its last finalizer. */
static bool goes(const struct object *o)
{
    return (o->flags & OBJECT_DELETING) && !(o->flags & OBJECT_FINALIZERS) &&
           str_index(object_content(o), S("\"deletionGracePeriodSeconds\":0")) != SIZE_MAX;
}

static enum stage_result try_once(struct request *r, struct write *w)
{
    struct err err = ERR_INIT;
    struct json tree;
    w->sn = r->read.snapshot;
    w->guard_count = 1; /* the object's own */
    w->change_count = 1;
    w->deletes = false;
    w->old = w->must_create ? NULL : snapshot_find(w->sn, (struct object_key){r->resource, w->ns, w->name});
    if (!w->old && !w->may_create)
        return answer_failure(r, status_not_found(r->arena, r->kind, w->name));
    w->old_tree = json_null();
    if (w->old && write_read_tree(r->arena, r->kind, w->old, &w->old_tree, &err))
        return answer_err(r, &err);
    enum stage_result result = w->make(r, w, &tree);
    if (result != STAGE_NEXT)
        return result;
    w->code = w->old ? 200 : 201;
    if ((result = build(r, w, tree)) != STAGE_NEXT)
        return result;
    if (w->old && content_equal(w->old, w->object)) {
        let_go(w);
        return answer_written(r, w, 200, w->old);
    }
    w->deletes = w->old && goes(w->object);
    if (r->params.dry_run)
        return answer_written(r, w, w->code, w->object);
    return commit(r, w);
}

static void write_free(void *obj)
{
    let_go(obj);
}

struct write *write_begin(struct request *r)
{
    return write_begin_sized(r, sizeof(struct write));
}

struct write *write_begin_sized(struct request *r, size_t size)
{
    struct write *w = r->state;
    if (w)
        return w;
    w = r->state = arena_alloc_zero(r->arena, 1, size, _Alignof(struct write));
    w->ns = r->ns;
    w->name = r->at.name;
    arena_hold(r->arena, write_free, w);
    return w;
}

enum stage_result write_run(struct request *r, struct write *w)
{
    enum stage_result result = STAGE_NEXT;
    if (w->committing) {
        if ((result = committed(r, w)) != STAGE_NEXT)
            return result;
        request_read_again(r);
    }
    if ((result = request_read(r, 0)) != STAGE_NEXT)
        return result;
    return try_once(r, w);
}

/* --- create and update --- */

static enum stage_result make_created(struct request *r, struct write *w, struct json *ret)
{
    str ns = metadata_text(&w->body, S("namespace")), name = metadata_text(&w->body, S("name"));
    if (ns.n && r->kind->namespaced && !str_eq(ns, w->ns))
        return answer_failure(r,
                              status_make(r->arena, ERR_BAD_REQUEST,
                                          "the namespace of the provided object does not match the namespace "
                                          "sent on the request"));
    if (!name.n && !metadata_text(&w->body, S("generateName")).n)
        name = STR_NONE; /* validation says what is missing */
    *ret = json_clone(r->arena, &w->body);
    return STAGE_NEXT;
}

enum stage_result act_create(struct request *r)
{
    struct write *w = write_begin(r);
    enum stage_result result = write_decode(r, w, r->kind);
    if (result != STAGE_NEXT)
        return result;
    w->make = make_created;
    w->may_create = w->must_create = true;
    return write_run(r, w);
}

static enum stage_result precondition_failed(struct request *r, struct write *w, str wanted, str is)
{
    return answer_failure(r, status_conflict(r->arena, r->kind, w->name,
                                             str_format(r->arena,
                                                        "Precondition failed: UID in precondition: %" STR_FMT
                                                        ", UID in object meta: %" STR_FMT,
                                                        STR_ARG(wanted), STR_ARG(is))));
}

static enum stage_result make_updated(struct request *r, struct write *w, struct json *ret)
{
    str name = metadata_text(&w->body, S("name")), ns = metadata_text(&w->body, S("namespace"));
    if (name.n && !str_eq(name, w->name))
        return answer_failure(r, status_make(r->arena, ERR_BAD_REQUEST,
                                             "the name of the object (%" STR_FMT
                                             ") does not match the name on the URL (%" STR_FMT ")",
                                             STR_ARG(name), STR_ARG(w->name)));
    if (ns.n && r->kind->namespaced && !str_eq(ns, w->ns))
        return answer_failure(r,
                              status_make(r->arena, ERR_BAD_REQUEST,
                                          "the namespace of the provided object does not match the namespace "
                                          "sent on the request"));
    str version = metadata_text(&w->body, S("resourceVersion")), uid = metadata_text(&w->body, S("uid"));
    if (w->old) {
        if (uid.n && !str_eq(uid, object_uid(w->old)))
            return precondition_failed(r, w, uid, object_uid(w->old));
        int64_t revision;
        if (version.n && (!str_parse_i64(version, &revision) || revision != w->old->revision))
            return answer_failure(r, status_modified(r->arena, r->kind, w->name));
    }
    *ret = json_clone(r->arena, &w->body);
    set_text(r->arena, metadata_of(r->arena, ret), S("name"), w->name);
    return STAGE_NEXT;
}

enum stage_result act_update(struct request *r)
{
    struct write *w = write_begin(r);
    enum stage_result result = write_decode(r, w, r->kind);
    if (result != STAGE_NEXT)
        return result;
    w->make = make_updated;
    return write_run(r, w);
}
