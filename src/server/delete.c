/* delete.c - delete one object, or all of a selection.
 * What goes at once is a deletion in the store; what has finalizers, or is given time to end, is an update that says so
 * (deletionTimestamp), and goes when the last of them is taken away. */
#include "api/tree.h"
#include "base/kube_time.h"
#include "server/encode.h"
#include "server/params.h"
#include "server/stages.h"
#include "server/write.h"

enum { TRIES_MAX = 64 };

struct delete_options {
    bool has_grace;
    int64_t grace_s;
    str uid, resource_version; /* preconditions */
    str propagation;           /* "Orphan", "Background", "Foreground"; empty: not said */
    bool has_orphan, orphan;
};

struct deletion {
    bool decoded;
    struct delete_options options;
    struct list_params params; /* of a collection */
    struct snapshot_iter iter;
    bool listing;
    struct object_range range;
    /* Of the object at hand. */
    const struct object *old;
    struct object *updated; /* NULL: it goes */
    struct store_guard guard;
    struct store_change change;
    bool committing;
    unsigned tries;
    /* A collection's answer: its items. */
    struct encoder encoder;
    struct buf out;
    size_t count;
    struct arena scratch;
};

/* --- options: the body, or the query --- */

static err_code read_options(struct request *r, struct delete_options *o, struct err *err)
{
    struct json tree = json_null();
    str v;
    if (r->body.n) {
        enum tree_format format;
        struct tree_complaints complaints;
        const struct schema_type *t = schema_type_find(&schema_builtin, S("meta/v1"), S("DeleteOptions"));
        if (tree_format_of(http_header_find(&r->head, S("content-type")), &schema_builtin, &format, err) ||
            tree_read(r->arena, &schema_builtin, t, format, buf_str(&r->body), &complaints, &tree, err)) {
            err->code = err->code == ERR_SYNTAX ? ERR_BAD_REQUEST : err->code;
            return err->code;
        }
    }
    o->has_grace = json_int(json_find(&tree, S("gracePeriodSeconds")), &o->grace_s);
    o->propagation = json_str(json_find(&tree, S("propagationPolicy")));
    o->uid = json_str(json_get(&tree, S("preconditions"), S("uid")));
    o->resource_version = json_str(json_get(&tree, S("preconditions"), S("resourceVersion")));
    const struct json *orphan = json_find(&tree, S("orphanDependents"));
    o->has_orphan = orphan && (orphan->type == JSON_TRUE || orphan->type == JSON_FALSE);
    o->orphan = json_bool(orphan);
    if (json_count(json_find(&tree, S("dryRun"))))
        r->params.dry_run = true;
    if (r->body.n)
        return ERR_NONE;
    if (param_find(r, S("gracePeriodSeconds"), &v) && v.n) {
        if (!str_parse_i64(v, &o->grace_s))
            return err_set(err, ERR_BAD_REQUEST,
                           "unable to convert gracePeriodSeconds: \"%" STR_FMT "\" is no number", STR_ARG(v));
        o->has_grace = true;
    }
    if (param_find(r, S("propagationPolicy"), &v))
        o->propagation = v;
    if (param_find(r, S("orphanDependents"), &v)) {
        o->has_orphan = true;
        o->orphan = param_bool(r, S("orphanDependents"));
    }
    return ERR_NONE;
}

static err_code check_options(const struct delete_options *o, struct err *err)
{
    str p = o->propagation;
    if (p.n && o->has_orphan)
        return err_set(
            err, ERR_INVALID,
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"%" STR_FMT
            "\": orphanDependents and deletionPropagation cannot be both set",
            STR_ARG(p));
    if (p.n && !str_is(p, "Orphan") && !str_is(p, "Background") && !str_is(p, "Foreground"))
        return err_set(
            err, ERR_INVALID,
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"%" STR_FMT
            "\": supported values: \"Background\", \"Foreground\", \"Orphan\", \"nil\"",
            STR_ARG(p));
    if (o->has_grace && o->grace_s < 0)
        return err_set(
            err, ERR_INVALID,
            "DeleteOptions.meta.k8s.io \"\" is invalid: gracePeriodSeconds: Invalid value: %lld: must be "
            "greater than or equal to 0",
            (long long)o->grace_s);
    return ERR_NONE;
}

/* --- what becomes of an object --- */

/* Pods that run somewhere get time to end. -1: no time is asked for. */
static int64_t grace_of(struct request *r, const struct deletion *d, const struct object *o)
{
    if (!str_is(r->kind->resource->store_name, "pods"))
        return -1;
    str node = object_field(r->arena, o, S("spec.nodeName")),
        phase = object_field(r->arena, o, S("status.phase"));
    if (!node.n || str_is(phase, "Failed") || str_is(phase, "Succeeded"))
        return 0;
    int64_t grace = 30;
    str text = object_field(r->arena, o, S("spec.terminationGracePeriodSeconds"));
    if (text.n)
        str_parse_i64(text, &grace);
    if (d->options.has_grace)
        grace = d->options.grace_s;
    return grace < 0 ? 1 : grace;
}

static bool has_item(const struct json *list, str text)
{
    for (size_t i = 0; i < json_count(list); i++)
        if (str_eq(json_str(json_at(list, i)), text))
            return true;
    return false;
}

/* The finalizer that stands for how dependents go: put there or taken away. */
static void set_finalizer(struct arena *a, struct json *m, str name, bool wanted)
{
    struct json *list = json_find(m, S("finalizers"));
    if (wanted && !has_item(list, name)) {
        if (!list)
            list = json_set(a, m, S("finalizers"), json_array());
        json_append(a, list, json_of_str(name));
    }
    for (size_t i = 0; !wanted && i < json_count(list); i++)
        if (str_eq(json_str(json_at(list, i)), name))
            json_remove_at(list, i--);
}

static str default_propagation(const struct deletion *d)
{
    if (d->options.propagation.n)
        return d->options.propagation;
    if (d->options.has_orphan)
        return d->options.orphan ? S("Orphan") : S("Background");
    return STR_NONE;
}

static void set_propagation(struct request *r, const struct deletion *d, struct json *m)
{
    str p = default_propagation(d);
    if (!p.n)
        return;
    set_finalizer(r->arena, m, S("orphan"), str_is(p, "Orphan"));
    set_finalizer(r->arena, m, S("foregroundDeletion"), str_is(p, "Foreground"));
}

static void set_deletion_time(struct request *r, struct json *m, int64_t grace_s)
{
    struct buf text;
    buf_init_arena(&text, r->arena, 64);
    struct kube_time at = kube_time_from_unix_ns(r->now_wall + grace_s * NS_PER_S);
    kube_time_format(&text, at);
    json_set(r->arena, m, S("deletionTimestamp"), json_of_str(buf_str(&text)));
    json_set(r->arena, m, S("deletionGracePeriodSeconds"), json_of_int(grace_s));
}

static err_code store_tree(struct request *r, struct deletion *d, struct json *tree, struct err *err)
{
    const struct served_kind *k = r->kind->resource->stored;
    struct json normal;
    struct buf out;
    if (tree_normalise(r->arena, k->schema, k->type, tree, NULL, &normal, err))
        return err->code;
    json_remove(&normal, S("kind"));
    json_remove(&normal, S("apiVersion"));
    json_remove(json_find(&normal, S("metadata")), S("resourceVersion"));
    buf_init_arena(&out, r->arena, OBJECT_SIZE_MAX);
    json_print(&out, &normal, 0);
    return object_new(object_key(d->old), buf_str(&out), &d->updated, err);
}

/* Decides: d->updated is what it becomes, NULL when it goes. NEXT, or answered. */
static err_code decide(struct request *r, struct deletion *d, bool *ret_nothing_to_do, struct err *err)
{
    const struct object *o = d->old;
    const struct served_kind *k = r->kind->resource->stored;
    int64_t grace = grace_of(r, d, o);
    str p = default_propagation(d);
    bool is_namespace = str_is(r->kind->resource->store_name, "namespaces");
    *ret_nothing_to_do = false;
    d->updated = NULL;
    if (!(o->flags & OBJECT_FINALIZERS) && grace <= 0 && !str_is(p, "Orphan") && !str_is(p, "Foreground") &&
        !is_namespace)
        return ERR_NONE;
    struct json tree;
    if (write_read_tree(r->arena, k, o, &tree, err))
        return err->code;
    struct json *m = json_find(&tree, S("metadata"));
    set_propagation(r, d, m);
    bool was_deleting = o->flags & OBJECT_DELETING;
    int64_t before = 0;
    json_int(json_find(m, S("deletionGracePeriodSeconds")), &before);
    if (!was_deleting || (grace >= 0 && grace < before))
        set_deletion_time(r, m, grace > 0 ? grace : 0);
    if (is_namespace) {
        struct json *status = json_find(&tree, S("status"));
        if (!status)
            status = json_set(r->arena, &tree, S("status"), json_object());
        json_set(r->arena, status, S("phase"), json_of_str(S("Terminating")));
    }
    bool stays = json_count(json_find(m, S("finalizers"))) || grace > 0 ||
                 (is_namespace && json_count(json_get(&tree, S("spec"), S("finalizers"))));
    if (!stays)
        return ERR_NONE;
    if (store_tree(r, d, &tree, err))
        return err->code;
    if (str_eq(object_content(d->updated), object_content(o))) {
        d->updated = object_unref(d->updated);
        *ret_nothing_to_do = true;
    }
    return ERR_NONE;
}

/* --- the transaction --- */

static void on_committed(struct store_txn *t)
{
    request_resume(CONTAINER_OF(t, struct request, txn));
}

static enum stage_result commit(struct request *r, struct deletion *d)
{
    struct object_key key = object_key(d->old);
    d->guard = (struct store_guard){.kind = STORE_GUARD_AT, .key = key, .revision = d->old->revision};
    d->change = (struct store_change){.put = d->updated, .key = key};
    if (d->updated)
        object_ref(d->updated);
    r->txn = (struct store_txn){.guards = &d->guard,
                                .changes = &d->change,
                                .guard_count = 1,
                                .change_count = 1,
                                .loop = r->home->loop,
                                .done = on_committed};
    d->committing = true;
    store_commit(r->server->store, &r->txn);
    return request_wait(r);
}

static enum stage_result commit_failed(struct request *r)
{
    return answer_failure(r, status_make(r->arena,
                                         r->txn.err.code == ERR_DISK_FULL ? ERR_INTERNAL : r->txn.err.code,
                                         "could not store it: %s", r->txn.err.msg));
}

static void deletion_free(void *obj)
{
    struct deletion *d = obj;
    d->updated = object_unref(d->updated);
    buf_done(&d->out);
    arena_done(&d->scratch);
}

static struct deletion *begin(struct request *r)
{
    struct deletion *d = r->state;
    if (!d) {
        d = r->state = ARENA_NEW(r->arena, struct deletion);
        buf_init(&d->out, SIZE_MAX / 2);
        arena_init(&d->scratch, 0);
        arena_hold(r->arena, deletion_free, d);
    }
    return d;
}

/* NEXT, or answered. */
static enum stage_result options(struct request *r, struct deletion *d)
{
    struct err err = ERR_INIT;
    if (d->decoded)
        return STAGE_NEXT;
    if (read_options(r, &d->options, &err) || check_options(&d->options, &err))
        return answer_err(r, &err);
    d->decoded = true;
    return STAGE_NEXT;
}

/* --- one --- */

static enum stage_result answer_gone(struct request *r, const struct object *o)
{
    struct status st = {
        .name = object_name(o), .group = r->kind->group, .kind = r->kind->plural, .uid = object_uid(o)};
    return answer_status(r, &st);
}

static enum stage_result answer_deletion(struct request *r, struct deletion *d, const struct object *stays)
{
    bool returns_object = r->kind->returns_deleted;
    if (!stays)
        return returns_object ? answer_object(r, 200, d->old) : answer_gone(r, d->old);
    bool cascading = d->options.has_orphan && !d->options.orphan;
    return answer_object(r, cascading ? 202 : 200, stays);
}

static enum stage_result precondition_failed(struct request *r, const char *what, str wanted, str is)
{
    return answer_failure(r, status_conflict(r->arena, r->kind, r->at.name,
                                             str_format(r->arena,
                                                        "Precondition failed: %s in precondition: %" STR_FMT
                                                        ", %s in object meta: %" STR_FMT,
                                                        what, STR_ARG(wanted), what, STR_ARG(is))));
}

static enum stage_result check_preconditions(struct request *r, struct deletion *d)
{
    str uid = d->options.uid, version = d->options.resource_version;
    if (uid.n && !str_eq(uid, object_uid(d->old)))
        return precondition_failed(r, "UID", uid, object_uid(d->old));
    int64_t revision;
    if (version.n && (!str_parse_i64(version, &revision) || revision != d->old->revision))
        return precondition_failed(r, "ResourceVersion", version,
                                   str_format(r->arena, "%lld", (long long)d->old->revision));
    return STAGE_NEXT;
}

static enum stage_result delete_once(struct request *r, struct deletion *d)
{
    struct err err = ERR_INIT;
    bool nothing;
    d->old = snapshot_find(r->read.snapshot, (struct object_key){r->resource, r->ns, r->at.name});
    if (!d->old)
        return answer_failure(r, status_not_found(r->arena, r->kind, r->at.name));
    enum stage_result result = check_preconditions(r, d);
    if (result != STAGE_NEXT)
        return result;
    if (decide(r, d, &nothing, &err))
        return answer_err(r, &err);
    if (nothing)
        return answer_deletion(r, d, d->old);
    if (r->params.dry_run)
        return answer_deletion(r, d, d->updated);
    return commit(r, d);
}

enum stage_result act_delete(struct request *r)
{
    struct deletion *d = begin(r);
    enum stage_result result = options(r, d);
    if (result != STAGE_NEXT)
        return result;
    if (d->committing) {
        d->committing = false;
        if (!r->txn.err.code)
            return answer_deletion(r, d, d->updated);
        d->updated = object_unref(d->updated);
        if (r->txn.err.code != ERR_CONFLICT || ++d->tries == TRIES_MAX)
            return commit_failed(r);
        request_read_again(r);
    }
    if ((result = request_read(r, 0)) != STAGE_NEXT)
        return result;
    return delete_once(r, d);
}

/* --- a collection: what matches now, one after the other; the answer lists what there was --- */

static enum stage_result collection_begin(struct request *r, struct deletion *d)
{
    struct err err = ERR_INIT;
    struct list_head head = {.revision = r->read.snapshot->revision, .remaining = -1};
    if (list_params_read(r, &d->params, &err) || encoder_init(r, &d->encoder, &err))
        return answer_err(r, &err);
    d->range = (struct object_range){
        .resource = r->resource, .all_namespaces = r->kind->namespaced && !r->ns.n, .ns = r->ns};
    snapshot_list(r->read.snapshot, &d->range, NULL, &d->iter);
    encode_list_begin(&d->encoder, &d->out, &head);
    d->listing = true;
    return STAGE_NEXT;
}

/* Takes up the next object that matches. NEXT: none is left. */
static enum stage_result collection_next(struct request *r, struct deletion *d)
{
    struct err err = ERR_INIT;
    const struct object *o;
    while ((o = snapshot_next(&d->iter))) {
        bool nothing, wanted = object_matches(&d->scratch, o, &d->params);
        arena_reset(&d->scratch);
        if (!wanted)
            continue;
        d->old = o;
        if (encode_list_item(&d->encoder, &d->scratch, &d->out, o, d->count++ == 0, &err) ||
            decide(r, d, &nothing, &err))
            return answer_err(r, &err);
        arena_reset(&d->scratch);
        if (!nothing && !r->params.dry_run)
            return commit(r, d);
        d->updated = object_unref(d->updated);
    }
    return STAGE_NEXT;
}

/* Somebody changed the object since it was listed: what it is now is deleted, if it is still that one. */
static enum stage_result collection_again(struct request *r, struct deletion *d)
{
    const struct snapshot *newest = store_snapshot(r->server->store);
    const struct object *o = snapshot_find(newest, object_key(d->old));
    struct err err = ERR_INIT;
    bool nothing = false;
    enum stage_result result = STAGE_NEXT;
    if (o && str_eq(object_uid(o), object_uid(d->old))) {
        d->old = object_ref(o);
        arena_hold(r->arena, (void (*)(void *))(void (*)(void))object_unref, (void *)(uintptr_t)o);
        if (decide(r, d, &nothing, &err))
            result = answer_err(r, &err);
        else if (!nothing)
            result = commit(r, d);
    }
    snapshot_unref(newest);
    return result;
}

enum stage_result act_delete_collection(struct request *r)
{
    struct deletion *d = begin(r);
    struct err err = ERR_INIT;
    enum stage_result result = options(r, d);
    if (result != STAGE_NEXT || (result = request_read(r, 0)) != STAGE_NEXT)
        return result;
    if (!d->listing && (result = collection_begin(r, d)) != STAGE_NEXT)
        return result;
    if (d->committing) {
        d->committing = false;
        d->updated = object_unref(d->updated);
        if (r->txn.err.code == ERR_CONFLICT && ++d->tries < TRIES_MAX) {
            if ((result = collection_again(r, d)) != STAGE_NEXT)
                return result;
        } else if (r->txn.err.code) {
            return commit_failed(r);
        }
        d->tries = 0;
    }
    if ((result = collection_next(r, d)) != STAGE_NEXT)
        return result;
    if (encode_list_end(&d->encoder, &d->scratch, &d->out, &err))
        return answer_err(r, &err);
    return answer_bytes(r, 200, encoder_content_type(&d->encoder), buf_str(&d->out));
}
