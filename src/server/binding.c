/* binding.c - pods/NAME/binding: the scheduler's word on which node a pod runs. A pod is bound once. */
#include "api/tree.h"
#include "base/kube_time.h"
#include "server/stages.h"
#include "server/subresources.h"
#include "server/write.h"

static str text_at(const struct json *tree, str member, str name)
{
    return json_str(json_get(tree, member, name));
}

static enum stage_result refused(struct request *r, struct write *w, str why)
{
    return answer_failure(r, status_conflict(r->arena, r->kind, w->name, why));
}

static struct json *object_in(struct arena *a, struct json *tree, str name)
{
    struct json *j = json_find(tree, name);
    return j && j->type == JSON_OBJECT ? j : json_set(a, tree, name, json_object());
}

/* PodScheduled is true from now on. */
static void set_condition(struct request *r, struct json *tree)
{
    struct arena *a = r->arena;
    struct json *status = object_in(a, tree, S("status")), *list = json_find(status, S("conditions")),
                condition = json_object();
    struct buf now;
    buf_init_arena(&now, a, 64);
    kube_time_format(&now, kube_time_from_unix_ns(r->now_wall));
    if (!list)
        list = json_set(a, status, S("conditions"), json_array());
    for (size_t i = 0; i < json_count(list); i++)
        if (str_is(json_str(json_find(json_at(list, i), S("type"))), "PodScheduled"))
            json_remove_at(list, i--);
    json_add(a, &condition, S("type"), json_of_str(S("PodScheduled")));
    json_add(a, &condition, S("status"), json_of_str(S("True")));
    json_add(a, &condition, S("lastTransitionTime"), json_of_str(buf_str(&now)));
    json_append(a, list, condition);
}

static void copy_members(struct arena *a, struct json *into, const struct json *from)
{
    for (uint32_t i = 0; i < json_count(from); i++)
        json_set(a, into, json_member_name(&from->v.members[i]), from->v.members[i].value);
}

static enum stage_result make_bound(struct request *r, struct write *w, struct json *ret)
{
    struct arena *a = r->arena;
    const struct json *old = &w->old_tree;
    str node = text_at(&w->body, S("target"), S("name")), kind = text_at(&w->body, S("target"), S("kind"));
    str uid = text_at(&w->body, S("metadata"), S("uid")), there = text_at(old, S("spec"), S("nodeName"));
    if (uid.n && !str_eq(uid, object_uid(w->old)))
        return refused(r, w,
                       str_format(a,
                                  "Precondition failed: UID in precondition: %" STR_FMT
                                  ", UID in object meta: %" STR_FMT,
                                  STR_ARG(uid), STR_ARG(object_uid(w->old))));
    if ((kind.n && !str_is(kind, "Node")) || !node.n)
        return answer_failure(r,
                              status_make(a, ERR_BAD_REQUEST, "the target of a binding is a Node, by name"));
    if (w->old->flags & OBJECT_DELETING)
        return refused(r, w,
                       str_format(a, "pod %" STR_FMT " is being deleted, cannot be assigned to a host",
                                  STR_ARG(w->name)));
    if (there.n)
        return refused(r, w,
                       str_format(a, "pod %" STR_FMT " is already assigned to node \"%" STR_FMT "\"",
                                  STR_ARG(w->name), STR_ARG(there)));
    if (json_count(json_get(old, S("spec"), S("schedulingGates"))))
        return refused(
            r, w, str_format(a, "pod %" STR_FMT " has non-empty .spec.schedulingGates", STR_ARG(w->name)));
    *ret = json_clone(a, old);
    json_set(a, object_in(a, ret, S("spec")), S("nodeName"), json_of_str(node));
    struct json *m = object_in(a, ret, S("metadata"));
    copy_members(a, object_in(a, m, S("annotations")), json_get(&w->body, S("metadata"), S("annotations")));
    copy_members(a, object_in(a, m, S("labels")), json_get(&w->body, S("metadata"), S("labels")));
    set_condition(r, ret);
    return STAGE_NEXT;
}

static enum stage_result answer_bound(struct request *r, struct write *w, int code, const struct object *o)
{
    (void)w, (void)code, (void)o;
    return answer_json(
        r, 201,
        S("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":201}\n"));
}

enum stage_result act_bind(struct request *r)
{
    struct write *w = write_begin(r);
    const struct served_kind *binding = catalog_find_kind(r->catalog, S("v1"), S("Binding"));
    enum stage_result result = write_decode(r, w, binding);
    if (result != STAGE_NEXT)
        return result;
    w->make = make_bound;
    w->answer = answer_bound;
    w->takes_all = true;
    return write_run(r, w);
}
