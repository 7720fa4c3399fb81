/* watch_hub.h - brings changes to the watches of one loop.
 * Watches that want the same (resource, part, selectors, encoding) are one group: an event is matched and encoded once for
 * it, and the bytes are shared by all its members. A change looks only at groups that it can concern: those of everything,
 * and those whose selector requires a namespace, a name or a field's value that the object has or had.
 * All groups of a resource are at the same revision, `done`. A member that the client does not read fast enough leaves its
 * group and goes on alone from its own revision, out of the store's history, until it has caught up or history has gone by.
 * Threads: its loop. */
#ifndef SERVER_WATCH_HUB_H
#define SERVER_WATCH_HUB_H

#include "base/vec.h"
#include "server/encode.h"
#include "server/params.h"

struct watch_hub;
struct watch_group;
struct watch_bytes;

struct watcher {
    const struct list_params *params; /* selectors; live as long as the watcher */
    const struct encoder *encoder;
    struct object_range range;
    int64_t revision; /* everything up to it was given */
    /* Takes bytes of whole events; false: no more for now (watch_hub_go_on when there is room). */
    bool (*send)(struct watcher *w, struct watch_bytes *bytes);
    /* Changes are gone that it has not seen. It gets nothing more, and is to leave, but not within this call. */
    void (*expired)(struct watcher *w, const struct err *why);
    /* The hub's own. */
    struct watch_group *group;
    struct watcher *prev, *next;
    bool alone;
};

/* Bytes that several connections send: counted, constant. */
struct watch_bytes {
    uint32_t refs;
    str text;
};
void watch_bytes_unref(void *bytes);

struct watch_hub *watch_hub_new(struct store *s, struct loop *l);
/* Without members. `gone` is called on the loop when nothing of it is left. */
void watch_hub_free(struct watch_hub *h, void (*gone)(void *ctx), void *ctx);

/* From w->revision on. What has happened since is sent at once. */
void watch_hub_join(struct watch_hub *h, struct watcher *w);
void watch_hub_leave(struct watch_hub *h, struct watcher *w);
/* There is room again. */
void watch_hub_go_on(struct watch_hub *h, struct watcher *w);
/* The revision up to which it was given everything, which may be newer than its last event. */
int64_t watch_hub_revision(struct watch_hub *h, const struct watcher *w);

#endif
