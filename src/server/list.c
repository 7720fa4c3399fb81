/* list.c - lists: a generator over a snapshot. Nothing is collected but, with a limit, which objects are on the page; the
 * text goes out in pieces, as fast as the client reads. */
#include "base/mem.h"
#include "server/encode.h"
#include "server/params.h"
#include "server/read.h"
#include "server/stages.h"

enum { PIECE_SIZE = 64 * 1024, LIST_PIN_MAX_S = 60 };

struct list {
    struct list_params params;
    struct encoder encoder;
    struct object_range range;
    struct object_key after;
    struct snapshot_iter iter;
    const struct object **page; /* with a limit: what is on it */
    size_t page_count, page_at;
    bool first;
    struct buf out; /* heap */
    struct arena scratch;
};

struct field_source {
    struct arena *arena;
    const struct object *object;
};

static str field_of(void *ctx, str field)
{
    const struct field_source *f = ctx;
    if (str_is(field, "metadata.name"))
        return object_name(f->object);
    if (str_is(field, "metadata.namespace"))
        return object_ns(f->object);
    return object_field(f->arena, f->object, field);
}

bool object_matches(struct arena *a, const struct object *o, const struct list_params *p)
{
    struct field_source f = {a, o};
    if (p->has_name && !str_eq(p->name, object_name(o)))
        return false;
    return (label_selector_is_everything(&p->labels) || object_matches_labels(o, &p->labels)) &&
           (!p->fields.count || field_selector_matches(&p->fields, field_of, &f));
}

static void list_free(void *obj)
{
    struct list *l = obj;
    buf_done(&l->out);
    arena_done(&l->scratch);
}

/* The next that matches; NULL: no more. */
static const struct object *next_match(struct list *l)
{
    const struct object *o;
    while ((o = snapshot_next(&l->iter))) {
        bool matches = object_matches(&l->scratch, o, &l->params);
        arena_reset(&l->scratch);
        if (matches)
            break;
    }
    return o;
}

/* --- which revision --- */

static enum stage_result expired(struct request *r, bool continued)
{
    if (!continued)
        return answer_failure(
            r, status_make(r->arena, ERR_EXPIRED, "The resourceVersion for the provided list is too old."));
    return answer_failure(
        r, status_make(
               r->arena, ERR_EXPIRED,
               "The provided continue parameter is too old to display a consistent list result. You can "
               "start a new list without the continue parameter, or use the continue token in this response "
               "to retrieve the remainder of the results. Continuing with the provided token results in an "
               "inconsistent list - objects that were created, modified, or deleted between the time the "
               "first chunk was returned and now may show up in the list."));
}

/* The snapshot of exactly that revision; NEXT: *sn is it, held. */
static enum stage_result rewind_to(struct request *r, int64_t revision, bool continued,
                                   const struct snapshot **sn)
{
    struct err err = ERR_INIT;
    if (revision == r->read.snapshot->revision)
        return STAGE_NEXT;
    if (snapshot_rewind(r->read.snapshot, r->resource, revision, sn, &err))
        return err.code == ERR_EXPIRED ? expired(r, continued) : answer_err(r, &err);
    arena_hold(r->arena, (void (*)(void *))(void (*)(void))snapshot_unref, (void *)(uintptr_t)*sn);
    return STAGE_NEXT;
}

/* --- the page --- */

static void collect_page(struct request *r, struct list *l, const struct snapshot *sn, struct list_head *head)
{
    size_t cap = 0;
    const struct object *o = NULL;
    while (l->page_count < (size_t)l->params.limit && (o = next_match(l))) {
        if (l->page_count == cap) {
            size_t grown = cap ? cap * 2 : 64;
            l->page = arena_grow(r->arena, l->page, cap * sizeof *l->page, grown * sizeof *l->page,
                                 _Alignof(void *));
            cap = grown;
        }
        l->page[l->page_count++] = o;
    }
    if (!o || !l->page_count)
        return;
    struct snapshot_iter rest = l->iter;
    bool everything = label_selector_is_everything(&l->params.labels) && !l->params.fields.count;
    if (everything) {
        struct object_key last = object_key(l->page[l->page_count - 1]);
        head->remaining = (int64_t)snapshot_count_after(sn, &l->range, &last);
        if (!head->remaining) {
            head->remaining = -1;
            return;
        }
    } else if (!next_match(l)) {
        return;
    }
    l->iter = rest;
    continue_token_print(r->arena, head->revision, &l->range, object_key(l->page[l->page_count - 1]),
                         &head->continue_token);
}

static const struct object *next_item(struct list *l)
{
    if (l->params.limit > 0)
        return l->page_at < l->page_count ? l->page[l->page_at++] : NULL;
    return next_match(l);
}

/* Sends until the client has enough for now, or to the end. */
static enum stage_result list_go_on(struct request *r)
{
    struct list *l = r->state;
    struct err err = ERR_INIT;
    const struct object *o;
    bool streams = encoder_streams(&l->encoder);
    while ((o = next_item(l))) {
        if (encode_list_item(&l->encoder, &l->scratch, &l->out, o, l->first, &err)) {
            http_exchange_cancel(r->x); /* the client must not take half a list for a whole one */
            return answer_end(r);
        }
        l->first = false;
        arena_reset(&l->scratch);
        if (!streams || l->out.n < PIECE_SIZE)
            continue;
        bool more = answer_piece(r, buf_str(&l->out));
        buf_clear(&l->out);
        if (!more)
            return answer_later(r);
    }
    if (encode_list_end(&l->encoder, &l->scratch, &l->out, &err))
        http_exchange_cancel(r->x);
    else
        answer_piece(r, buf_str(&l->out));
    return answer_end(r);
}

static void list_on_room(struct request *r)
{
    list_go_on(r);
}

static enum stage_result list_begin(struct request *r, struct list *l, const struct snapshot *sn)
{
    struct list_head head = {.revision = sn->revision, .remaining = -1};
    struct err err = ERR_INIT;
    if (encoder_init(r, &l->encoder, &err))
        return answer_err(r, &err);
    if (l->params.limit > 0)
        collect_page(r, l, sn, &head);
    encode_list_begin(&l->encoder, &l->out, &head);
    l->first = true;
    r->state = l;
    r->on_room = list_on_room;
    answer_begin(r, 200, encoder_content_type(&l->encoder));
    return list_go_on(r);
}

static bool wants_exact(const struct list_params *p)
{
    return str_is(p->resource_version_match, "Exact") ||
           (!p->resource_version_match.n && p->limit > 0 && p->revision > 0);
}

enum stage_result act_list(struct request *r)
{
    struct err err = ERR_INIT;
    struct list *l = r->state;
    int64_t exact = 0;
    if (!l) {
        l = r->state = ARENA_NEW(r->arena, struct list);
        arena_init(&l->scratch, 0);
        buf_init(&l->out, SIZE_MAX / 2);
        arena_hold(r->arena, list_free, l);
        if (list_params_read(r, &l->params, &err))
            return answer_err(r, &err);
        l->range = (struct object_range){
            .resource = r->resource, .all_namespaces = r->kind->namespaced && !r->ns.n, .ns = r->ns};
    }
    if (l->params.continue_token.n) {
        if (continue_token_read(r->arena, l->params.continue_token, &l->range, &exact, &l->after, &err))
            return answer_err(r, &err);
        exact = exact < 0 ? 0 : exact;
    } else if (wants_exact(&l->params)) {
        exact = l->params.revision;
    }
    enum stage_result result = request_read(r, exact ? exact : l->params.revision);
    if (result != STAGE_NEXT)
        return result;
    const struct snapshot *sn = r->read.snapshot;
    if (exact && (result = rewind_to(r, exact, l->params.continue_token.n != 0, &sn)) != STAGE_NEXT)
        return result;
    snapshot_list(sn, &l->range, l->params.continue_token.n ? &l->after : NULL, &l->iter);
    return list_begin(r, l, sn);
}
