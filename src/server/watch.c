/* watch.c - a watch: first what is there (when asked for), as events, out of one snapshot; then what changes, from the hub of
 * its loop; until its time is up or the client leaves. */
#include "base/mem.h"
#include "server/read.h"
#include "server/stages.h"
#include "server/watch_hub.h"
#include "sys/env.h"

enum {
    PIECE_SIZE = 64 * 1024,
    LIFE_MIN_S = 1800, /* of a watch whose client names no time: between this and twice this */
    BOOKMARK_S = 60,
};

struct watch {
    struct request *r;
    struct list_params params;
    struct encoder encoder;
    struct watcher watcher;
    struct snapshot_iter iter;  /* of what is there */
    bool initial, initial_done; /* is it sent, is it over? */
    bool ended;                 /* an error was the last event */
    struct timer end, bookmark;
    struct arena scratch;
    struct buf out; /* heap */
};

static struct watch *watch_of(struct request *r)
{
    return r->state;
}

/* Out of everything that would call back. */
static void watch_detach(struct watch *w)
{
    timer_cancel(&w->end);
    timer_cancel(&w->bookmark);
    watch_hub_leave(w->r->home->watches, &w->watcher);
}

static void watch_free(void *obj)
{
    struct watch *w = obj;
    buf_done(&w->out);
    arena_done(&w->scratch);
}

static void watch_on_gone(struct request *r)
{
    watch_detach(watch_of(r));
}

static void watch_finish(struct watch *w)
{
    watch_detach(w);
    answer_end(w->r);
}

static void on_end_timer(struct timer *t)
{
    watch_finish(CONTAINER_OF(t, struct watch, end));
}

static bool send_out(struct watch *w)
{
    bool more = answer_piece(w->r, buf_str(&w->out));
    buf_clear(&w->out);
    return more;
}

static void on_bookmark_timer(struct timer *t)
{
    struct watch *w = CONTAINER_OF(t, struct watch, bookmark);
    encode_bookmark(&w->encoder, &w->scratch, &w->out, watch_hub_revision(w->r->home->watches, &w->watcher),
                    false);
    arena_reset(&w->scratch);
    send_out(w);
    timer_set(t, BOOKMARK_S * NS_PER_S);
}

static bool on_bytes(struct watcher *watcher, struct watch_bytes *bytes)
{
    struct watch *w = CONTAINER_OF(watcher, struct watch, watcher);
    if (w->r->gone)
        return true;
    bytes->refs++;
    http_send_body_ref(w->r->x, bytes->text, watch_bytes_unref, bytes);
    return http_queued(w->r->x) < SEND_QUEUE_MAX;
}

/* The last event; the end comes with the next turn. */
static void send_error(struct watch *w, const struct status *st)
{
    encode_error_event(&w->encoder, &w->scratch, &w->out, st);
    arena_reset(&w->scratch);
    send_out(w);
    w->ended = true;
    timer_set(&w->end, 0);
}

static void on_expired(struct watcher *watcher, const struct err *why)
{
    struct watch *w = CONTAINER_OF(watcher, struct watch, watcher);
    struct status st = status_of_err(w->r->arena, why);
    if (!w->ended)
        send_error(w, &st);
}

/* What is there; false: the client has enough for now. */
static bool send_initial(struct watch *w)
{
    struct err err = ERR_INIT;
    const struct object *o;
    while ((o = snapshot_next(&w->iter))) {
        bool wanted = object_matches(&w->scratch, o, &w->params);
        if (wanted)
            err_ignore(encode_event(&w->encoder, &w->scratch, &w->out, S("ADDED"), o, o->revision, &err));
        arena_reset(&w->scratch);
        if (w->out.n >= PIECE_SIZE && !send_out(w))
            return false;
    }
    if (w->params.send_initial_events && w->params.allow_bookmarks)
        encode_bookmark(&w->encoder, &w->scratch, &w->out, w->watcher.revision, true);
    arena_reset(&w->scratch);
    if (w->out.n)
        send_out(w);
    w->initial_done = true;
    request_read_again(w->r); /* nobody pins a snapshot for as long as a watch lives */
    return true;
}

static void watch_go_on(struct watch *w)
{
    if (w->ended)
        return;
    if (w->initial && !w->initial_done && !send_initial(w))
        return;
    if (!w->watcher.group)
        watch_hub_join(w->r->home->watches, &w->watcher);
    else
        watch_hub_go_on(w->r->home->watches, &w->watcher);
}

static void watch_on_room(struct request *r)
{
    watch_go_on(watch_of(r));
}

static void start_timers(struct watch *w)
{
    struct request *r = w->r;
    int64_t life = w->params.timeout_s * NS_PER_S;
    if (life <= 0)
        life = LIFE_MIN_S * NS_PER_S + (int64_t)(env_random_u64(r->server->env) % (LIFE_MIN_S * NS_PER_S));
    timer_init(&w->end, r->home->loop, on_end_timer);
    timer_init(&w->bookmark, r->home->loop, on_bookmark_timer);
    timer_set(&w->end, life);
    if (w->params.allow_bookmarks)
        timer_set(&w->bookmark, BOOKMARK_S * NS_PER_S);
}

static enum stage_result watch_begin(struct request *r, struct watch *w)
{
    struct err err = ERR_INIT;
    if (encoder_init(r, &w->encoder, &err))
        return answer_err(r, &err);
    const struct snapshot *sn = r->read.snapshot;
    struct object_range range = {
        .resource = r->resource, .all_namespaces = r->kind->namespaced && !r->ns.n, .ns = r->ns};
    w->watcher = (struct watcher){.params = &w->params,
                                  .encoder = &w->encoder,
                                  .range = range,
                                  .revision = w->params.revision,
                                  .send = on_bytes,
                                  .expired = on_expired};
    w->initial = w->params.has_send_initial_events ? w->params.send_initial_events : !w->params.revision;
    if (w->initial || !w->params.revision)
        w->watcher.revision = sn->revision;
    if (w->initial)
        snapshot_list(sn, &w->watcher.range, NULL, &w->iter);
    else
        request_read_again(r);
    answer_begin(r, 200, encoder_content_type(&w->encoder));
    start_timers(w);
    r->on_room = watch_on_room;
    r->on_gone = watch_on_gone;
    enum stage_result result = answer_later(r);
    watch_go_on(w);
    return result;
}

enum stage_result act_watch(struct request *r)
{
    struct err err = ERR_INIT;
    struct watch *w = r->state;
    if (!w) {
        w = r->state = ARENA_NEW(r->arena, struct watch);
        w->r = r;
        arena_init(&w->scratch, 0);
        buf_init(&w->out, SIZE_MAX / 2);
        arena_hold(r->arena, watch_free, w);
        if (list_params_read(r, &w->params, &err))
            return answer_err(r, &err);
        if (r->at.name.n) {
            w->params.has_name = true;
            w->params.name = r->at.name;
        }
    }
    enum stage_result result = request_read(r, w->params.revision);
    return result == STAGE_NEXT ? watch_begin(r, w) : result;
}
