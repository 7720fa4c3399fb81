/* store_test.c - what every store does, whichever backend it has. */
#include "base/mem.h"
#include "base/vec.h"
#include "store/store_suite_test.h"
#include <stdio.h>

#define OK_PUT(resource, path, value, at) CHECK_OK(world_put(w, resource, path, value, at, &e))
#define OK_DELETE(resource, path, at)     CHECK_OK(world_delete(w, resource, path, at, &e))

/* --- transactions --- */

STORE_TEST(what_is_put_is_found)
{
    const struct snapshot *before = store_snapshot(w->store);
    CHECK_GE(before->revision, 1);
    CHECK_STR(world_get(w, "pods", "default/web-0"), "-");
    OK_PUT("pods", "default/web-0", "v1", ABSENT);
    CHECK_GT(w->revision, before->revision);
    const struct snapshot *after = store_snapshot(w->store);
    CHECK_EQ(after->revision, w->revision);
    CHECK_STR(value_in(w, after, "pods", "default/web-0"), "v1");
    CHECK_STR(value_in(w, before, "pods", "default/web-0"), "-");
    const struct object *o = snapshot_find(after, world_key(w, "pods", "default/web-0"));
    CHECK_EQ(o->revision, w->revision);
    CHECK_STR(value_in(w, after, "pods", "default/web-1"), "-");
    CHECK_STR(value_in(w, after, "pods", "web-0"), "-");
    CHECK_STR(value_in(w, after, "services", "default/web-0"), "-");
    snapshot_unref(before);
    snapshot_unref(after);
}

STORE_TEST(what_is_deleted_is_gone)
{
    OK_PUT("pods", "a/b", "v1", ABSENT);
    OK_DELETE("pods", "a/b", w->revision);
    CHECK_STR(world_get(w, "pods", "a/b"), "-");
    CHECK_ERR(CONFLICT, "'b' in namespace 'a'", world_delete(w, "pods", "a/b", THERE, &e));
    CHECK_ERR(CONFLICT, "'b' in namespace 'a'", world_delete(w, "pods", "a/b", ANY, &e));
    CHECK_EQ(w->failed_guard, 0); /* the number of guards */
    OK_PUT("pods", "a/b", "v2", ABSENT);
    CHECK_STR(world_get(w, "pods", "a/b"), "v2");
}

STORE_TEST(a_guard_that_does_not_hold_refuses)
{
    OK_PUT("pods", "a/b", "v1", ABSENT);
    int64_t first = w->revision;
    CHECK_ERR(CONFLICT, "is not what it was taken for", world_put(w, "pods", "a/b", "no", ABSENT, &e));
    CHECK_ERR(CONFLICT, "is not what it was taken for", world_put(w, "pods", "a/c", "no", THERE, &e));
    CHECK_ERR(CONFLICT, "is not what it was taken for", world_put(w, "pods", "a/b", "no", first + 1, &e));
    CHECK_ERR(CONFLICT, "is not what it was taken for", world_put(w, "pods", "a/c", "no", first, &e));
    CHECK_STR(world_get(w, "pods", "a/b"), "v1");
    CHECK_STR(world_get(w, "pods", "a/c"), "-");
    OK_PUT("pods", "a/b", "v2", first);
    CHECK_ERR(CONFLICT, "is not what it was taken for", world_put(w, "pods", "a/b", "no", first, &e));
    OK_PUT("pods", "a/b", "v3", THERE);
    CHECK_STR(world_get(w, "pods", "a/b"), "v3");
}

STORE_TEST(a_transaction_is_all_or_nothing)
{
    OK_PUT("pods", "a/b", "v1", ABSENT);
    struct object_key pod = world_key(w, "pods", "a/b"), quota = world_key(w, "quotas", "a/q"),
                      address = world_key(w, "addresses", "10.0.0.1");
    struct store_guard guards[] = {
        {STORE_GUARD_AT, pod, w->revision}, {STORE_GUARD_ABSENT, quota}, {STORE_GUARD_THERE, address}};
    struct store_change changes[] = {{.key = pod}, {.put = world_object(quota, "1")}};
    CHECK_ERR(CONFLICT, "10.0.0.1", world_commit(w, guards, 3, changes, 2, &e));
    CHECK_EQ(w->failed_guard, 2);
    CHECK_STR(world_get(w, "pods", "a/b"), "v1");
    CHECK_STR(world_get(w, "quotas", "a/q"), "-");
    changes[1].put = world_object(quota, "1");
    CHECK_OK(world_commit(w, guards, 2, changes, 2, &e));
    CHECK_STR(world_get(w, "pods", "a/b"), "-");
    CHECK_STR(world_get(w, "quotas", "a/q"), "1");
    const struct snapshot *sn = store_snapshot(w->store);
    CHECK_EQ(snapshot_find(sn, quota)->revision, w->revision);
    CHECK_EQ(sn->revision, w->revision);
    snapshot_unref(sn);
}

STORE_TEST(a_transaction_without_changes_says_whether_its_guards_hold)
{
    OK_PUT("pods", "a/b", "v1", ABSENT);
    int64_t revision = w->revision;
    struct store_guard guard = {STORE_GUARD_AT, world_key(w, "pods", "a/b"), revision};
    CHECK_OK(world_commit(w, &guard, 1, NULL, 0, &e));
    CHECK_EQ(w->revision, revision);
    guard.revision--;
    CHECK_ERR(CONFLICT, "'b'", world_commit(w, &guard, 1, NULL, 0, &e));
}

STORE_TEST(of_two_that_want_the_same_one_wins)
{
    struct posted p[20];
    for (int i = 0; i < 20; i++) {
        char value[20];
        snprintf(value, sizeof value, "%d", i);
        world_post(w, &p[i], "pods", "a/b", value, ABSENT);
    }
    int winner = -1;
    for (int i = 0; i < 20; i++) {
        world_wait(w, &p[i].done);
        if (p[i].txn.err.code) {
            CHECK_EQ(p[i].txn.err.code, ERR_CONFLICT);
        } else {
            CHECK_EQ(winner, -1);
            winner = i;
        }
    }
    CHECK_GE(winner, 0);
    int64_t got;
    CHECK(str_parse_i64(world_get(w, "pods", "a/b"), &got));
    CHECK_EQ(got, winner);
}

STORE_TEST(transactions_under_way_together_have_revisions_of_their_own)
{
    enum { MANY = 700 }; /* more than share one sync */
    struct posted *p = NEW_ARRAY(struct posted, MANY);
    static char paths[MANY][20];
    for (int i = 0; i < MANY; i++) {
        snprintf(paths[i], sizeof paths[i], "a/b-%d", i);
        world_post(w, &p[i], "pods", paths[i], "v", ABSENT);
    }
    int64_t *revisions = NEW_ARRAY(int64_t, MANY);
    for (int i = 0; i < MANY; i++) {
        world_wait(w, &p[i].done);
        CHECK_EQ(p[i].txn.err.code, 0);
        revisions[i] = p[i].txn.revision;
        for (int j = 0; j < i; j++)
            CHECK_NE(revisions[j], revisions[i]);
        const struct snapshot *sn = store_snapshot(w->store);
        const struct object *o = snapshot_find(sn, world_key(w, "pods", paths[i]));
        CHECK(o && o->revision == revisions[i]);
        snapshot_unref(sn);
    }
    mem_free(revisions);
    mem_free(p);
}

/* --- lists --- */

static void check_list(struct world *w, const struct snapshot *sn, const char *ns, const char *after,
                       const char *want)
{
    CLEANUP(buf_done) struct buf got;
    struct object_range r = {.resource = store_resource(w->store, S("pods"), 0)};
    struct object_key key = after ? world_key(w, "pods", after) : (struct object_key){0};
    struct snapshot_iter it;
    size_t count = 0;
    r.all_namespaces = !ns;
    r.ns = str_from_c(ns);
    buf_init(&got, 10000);
    snapshot_list(sn, &r, after ? &key : NULL, &it);
    for (const struct object *o; (o = snapshot_next(&it)); count++)
        buf_add_f(&got, "%s%" STR_FMT "/%" STR_FMT, count ? " " : "", STR_ARG(object_ns(o)),
                  STR_ARG(object_name(o)));
    CHECK_STR(buf_str(&got), want);
    if (!after)
        CHECK_EQ(snapshot_count(sn, &r), count);
}

STORE_TEST(lists_are_ranges_in_the_order_of_keys)
{
    static const char *const paths[] = {"b/x", "a/z", "a/y", "ab/y", "a/y1", "c/x"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        OK_PUT("pods", paths[i], "v", ABSENT);
    OK_PUT("services", "a/s", "v", ABSENT);
    OK_PUT("nodes", "n", "v", ABSENT);
    const struct snapshot *sn = store_snapshot(w->store);
    check_list(w, sn, NULL, NULL, "a/y a/y1 a/z ab/y b/x c/x");
    check_list(w, sn, "a", NULL, "a/y a/y1 a/z");
    check_list(w, sn, "ab", NULL, "ab/y");
    check_list(w, sn, "c", NULL, "c/x");
    check_list(w, sn, "aa", NULL, "");
    check_list(w, sn, "d", NULL, "");
    check_list(w, sn, NULL, "a/y1", "a/z ab/y b/x c/x");
    check_list(w, sn, NULL, "a/y0", "a/y1 a/z ab/y b/x c/x"); /* it was deleted meanwhile */
    check_list(w, sn, NULL, "c/x", "");
    check_list(w, sn, "a", "a/y", "a/y1 a/z");
    check_list(w, sn, "a", "a/z", "");
    check_list(w, sn, "ab", "a/z", "ab/y");
    check_list(w, sn, "a", "b/x", "");
    snapshot_unref(sn);
}

STORE_TEST(a_long_list_has_everything_once)
{
    enum { MANY = 500 };
    struct posted *p = NEW_ARRAY(struct posted, MANY);
    static char paths[MANY][20];
    for (int i = 0; i < MANY; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/b-%03d", i % 3 ? "one" : "two", i * 7 % MANY);
        world_post(w, &p[i], "pods", paths[i], "v", ABSENT);
    }
    for (int i = 0; i < MANY; i++)
        world_wait(w, &p[i].done);
    const struct snapshot *sn = store_snapshot(w->store);
    struct object_range r = {.resource = store_resource(w->store, S("pods"), 0), .ns = S("one")};
    struct snapshot_iter it;
    snapshot_list(sn, &r, NULL, &it);
    str last = STR_NONE;
    size_t count = 0;
    for (const struct object *o; (o = snapshot_next(&it)); count++) {
        CHECK_STR(object_ns(o), "one");
        CHECK_LT(str_cmp(last, object_name(o)), 0);
        last = object_name(o);
    }
    CHECK_EQ(count, MANY - (MANY + 2) / 3);
    CHECK_EQ(snapshot_count(sn, &r), count);
    r.all_namespaces = true;
    CHECK_EQ(snapshot_count(sn, &r), MANY);
    snapshot_unref(sn);
    mem_free(p);
}

/* --- changes --- */

/* "+a" created, "~a" replaced (old value > new value), "-a" deleted. */
static void check_changes(struct world *w, const struct snapshot *sn, const char *resource, int64_t after,
                          const char *want)
{
    CLEANUP(buf_done) struct buf got;
    struct snapshot_iter it;
    int64_t last = after;
    buf_init(&got, 10000);
    CHECK_OK(snapshot_changes(sn, store_resource(w->store, str_from_c(resource), 0), after, &it, &e));
    for (const struct change *c; (c = snapshot_next_change(&it));) {
        const struct object *o = c->now ? c->now : c->old;
        CHECK_GT(c->revision, last);
        CHECK_LE(c->revision, sn->revision);
        CHECK(!c->now || c->now->revision == c->revision);
        CHECK(!c->old || c->old->revision < c->revision);
        last = c->revision;
        buf_add_f(&got, "%s%s%" STR_FMT, got.n ? " " : "",
                  !c->old  ? "+"
                  : c->now ? "~"
                           : "-",
                  STR_ARG(object_name(o)));
        if (c->old && c->now)
            buf_add_f(&got, "(%" STR_FMT ">%" STR_FMT ")", STR_ARG(world_value(c->old)),
                      STR_ARG(world_value(c->now)));
    }
    CHECK_STR(buf_str(&got), want);
}

STORE_TEST(changes_of_a_resource_come_in_order_and_know_what_was)
{
    const struct snapshot *sn = store_snapshot(w->store);
    int64_t start = sn->revision;
    check_changes(w, sn, "pods", start, "");
    snapshot_unref(sn);
    OK_PUT("pods", "a/b", "v1", ABSENT);
    OK_PUT("services", "a/s", "v1", ABSENT);
    OK_PUT("pods", "a/b", "v2", THERE);
    int64_t middle = w->revision;
    OK_PUT("pods", "a/c", "v1", ABSENT);
    OK_DELETE("pods", "a/b", THERE);
    OK_DELETE("services", "a/s", THERE);
    OK_PUT("pods", "a/b", "v3", ABSENT);
    sn = store_snapshot(w->store);
    check_changes(w, sn, "pods", start, "+b ~b(v1>v2) +c -b +b");
    check_changes(w, sn, "pods", middle, "+c -b +b");
    check_changes(w, sn, "services", start, "+s -s");
    check_changes(w, sn, "services", middle, "-s");
    check_changes(w, sn, "nodes", start, "");
    check_changes(w, sn, "pods", sn->revision, "");
    check_changes(w, sn, "pods", sn->revision + 100, "");
    check_changes(w, sn, "pods", INT64_MAX, "");
    snapshot_unref(sn);
}

STORE_TEST(a_snapshot_never_changes)
{
    OK_PUT("pods", "a/b", "v1", ABSENT);
    OK_PUT("pods", "a/d", "v1", ABSENT);
    const struct snapshot *sn = store_snapshot(w->store), *same = snapshot_ref(sn);
    int64_t revision = sn->revision;
    for (int i = 0; i < 50; i++) {
        char path[20];
        snprintf(path, sizeof path, "a/c-%d", i);
        OK_PUT("pods", path, "v1", ABSENT);
        OK_PUT("pods", "a/b", path + 2, THERE);
    }
    OK_DELETE("pods", "a/d", THERE);
    snapshot_unref(sn);
    check_list(w, same, NULL, NULL, "a/b a/d");
    CHECK_STR(value_in(w, same, "pods", "a/b"), "v1");
    check_changes(w, same, "pods", revision - 1, "+d");
    CHECK_EQ(same->revision, revision);
    snapshot_unref(same);
}

STORE_TEST(an_older_revision_is_rebuilt)
{
    OK_PUT("pods", "a/b", "v1", ABSENT);
    OK_PUT("pods", "a/c", "v1", ABSENT);
    int64_t then = w->revision;
    OK_PUT("pods", "a/b", "v2", THERE);
    OK_DELETE("pods", "a/c", THERE);
    OK_PUT("pods", "a/d", "v1", ABSENT);
    OK_PUT("pods", "a/c", "v2", ABSENT);
    OK_DELETE("pods", "a/d", THERE);
    const struct snapshot *now = store_snapshot(w->store), *sn;
    CHECK_OK(snapshot_rewind(now, store_resource(w->store, S("pods"), 0), then, &sn, &e));
    snapshot_unref(now); /* the rewound one keeps what it needs */
    OK_PUT("pods", "a/b", "v9", THERE);
    CHECK_EQ(sn->revision, then);
    check_list(w, sn, NULL, NULL, "a/b a/c");
    CHECK_STR(value_in(w, sn, "pods", "a/b"), "v1");
    CHECK_STR(value_in(w, sn, "pods", "a/c"), "v1");
    struct snapshot_iter it;
    CHECK_ERR(EXPIRED, "are gone",
              snapshot_changes(sn, store_resource(w->store, S("pods"), 0), then - 1, &it, &e));
    snapshot_unref(sn);
    check_list(w, now = store_snapshot(w->store), NULL, NULL, "a/b a/c");
    CHECK_OK(snapshot_rewind(now, store_resource(w->store, S("pods"), 0), now->revision, &sn, &e));
    CHECK_STR(value_in(w, sn, "pods", "a/b"), "v9");
    snapshot_unref(now);
    snapshot_unref(sn);
}

/* --- reads --- */

struct reading {
    struct store_read read;
    bool done;
};

static void read_done(struct store_read *r)
{
    CONTAINER_OF(r, struct reading, read)->done = true;
}

static void read_start(struct world *w, struct reading *r, enum store_read_kind kind, int64_t revision,
                       int64_t timeout_ns)
{
    *r = (struct reading){.read = {.kind = kind,
                                   .revision = revision,
                                   .timeout_ns = timeout_ns,
                                   .loop = w->loop,
                                   .done = read_done}};
    r->done = store_read(w->store, &r->read);
}

STORE_TEST(the_newest_has_all_that_was_answered)
{
    struct reading r;
    for (int i = 0; i < 20; i++) {
        OK_PUT("pods", "a/b", "v", ANY);
        read_start(w, &r, STORE_READ_NEWEST, 0, NS_PER_S);
        world_wait(w, &r.done);
        CHECK_EQ(r.read.err.code, 0);
        CHECK_GE(r.read.snapshot->revision, w->revision);
        snapshot_unref(r.read.snapshot);
    }
}

STORE_TEST(a_read_waits_for_a_revision_that_is_to_come)
{
    struct reading r[4];
    OK_PUT("pods", "a/b", "v1", ANY);
    int64_t now = w->revision;
    read_start(w, &r[0], STORE_READ_NOT_BEFORE, now, NS_PER_S);
    CHECK(r[0].done);
    read_start(w, &r[1], STORE_READ_NOT_BEFORE, now + 2, 10 * NS_PER_S);
    read_start(w, &r[2], STORE_READ_NOT_BEFORE, now + 1, 10 * NS_PER_S);
    read_start(w, &r[3], STORE_READ_NOT_BEFORE, now + 2, 10 * NS_PER_S);
    CHECK(!r[1].done && !r[2].done && !r[3].done);
    OK_PUT("pods", "a/b", "v2", ANY);
    world_wait(w, &r[2].done);
    CHECK(!r[1].done && !r[3].done);
    CHECK_EQ(r[2].read.snapshot->revision, now + 1);
    OK_PUT("pods", "a/b", "v3", ANY);
    world_wait(w, &r[1].done);
    world_wait(w, &r[3].done);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(r[i].read.err.code, 0);
        CHECK_GE(r[i].read.snapshot->revision, r[i].read.revision);
        snapshot_unref(r[i].read.snapshot);
    }
}

STORE_TEST(a_read_does_not_wait_for_ever)
{
    struct reading r[3];
    OK_PUT("pods", "a/b", "v1", ANY);
    read_start(w, &r[0], STORE_READ_NOT_BEFORE, w->revision + 1, 300 * NS_PER_MS);
    read_start(w, &r[1], STORE_READ_NOT_BEFORE, w->revision + 1, 10 * NS_PER_MS);
    read_start(w, &r[2], STORE_READ_NOT_BEFORE, w->revision + 2, 100 * NS_PER_MS);
    for (int i = 0; i < 3; i++) {
        world_wait(w, &r[i].done);
        CHECK_EQ(r[i].read.err.code, ERR_TIMEOUT);
        CHECK_CONTAINS(r[i].read.err.msg, "has not come");
        CHECK(!r[i].read.snapshot);
    }
    OK_PUT("pods", "a/b", "v2", ANY);
}

/* --- subscribers --- */

struct listener {
    struct store_subscriber sub;
    struct world *w;
    int calls;
    int64_t seen;
    bool gone, leaves;
};

static void on_gone(struct store_subscriber *sub)
{
    struct listener *l = CONTAINER_OF(sub, struct listener, sub);
    CHECK(!l->gone);
    l->gone = true;
}

static void on_news(struct store_subscriber *sub)
{
    struct listener *l = CONTAINER_OF(sub, struct listener, sub);
    const struct snapshot *sn = store_snapshot(l->w->store);
    CHECK(!l->gone);
    l->calls++;
    l->seen = sn->revision;
    snapshot_unref(sn);
    if (l->leaves)
        store_unsubscribe(sub, on_gone);
}

static bool has_seen_it(void *ctx)
{
    struct listener *l = ctx;
    return l->seen >= l->w->revision;
}

static void listener_start(struct world *w, struct listener *l)
{
    *l = (struct listener){.w = w, .sub = {.on_news = on_news, .loop = w->loop}};
    store_subscribe(w->store, &l->sub);
}

STORE_TEST(subscribers_hear_of_everything)
{
    struct listener l[3];
    for (int i = 0; i < 3; i++)
        listener_start(w, &l[i]);
    for (int i = 0; i < 30; i++) {
        OK_PUT("pods", "a/b", "v", ANY);
        if (i % 3 == 0)
            for (int j = 0; j < 3; j++)
                CHECK(world_wait_until(w, has_seen_it, &l[j]));
    }
    for (int j = 0; j < 3; j++)
        CHECK(world_wait_until(w, has_seen_it, &l[j]));
    store_unsubscribe(&l[1].sub, on_gone);
    world_wait(w, &l[1].gone);
    int calls = l[1].calls;
    OK_PUT("pods", "a/b", "v", ANY);
    CHECK(world_wait_until(w, has_seen_it, &l[0]));
    CHECK(world_wait_until(w, has_seen_it, &l[2]));
    CHECK_EQ(l[1].calls, calls);
    l[2].leaves = true;
    OK_PUT("pods", "a/b", "v", ANY);
    world_wait(w, &l[2].gone);
    store_unsubscribe(&l[0].sub, on_gone);
    world_wait(w, &l[0].gone);
}

STORE_TEST(a_subscriber_may_leave_at_once)
{
    struct listener l;
    listener_start(w, &l);
    store_unsubscribe(&l.sub, on_gone);
    world_wait(w, &l.gone);
    CHECK_EQ(l.calls, 0);
}

/* --- resources --- */

STORE_TEST(resources_are_numbered_once)
{
    uint32_t pods = store_resource(w->store, S("pods"), 0);
    uint32_t widgets = store_resource(w->store, S("widgets.example.com"), STORE_SHORT_HISTORY);
    CHECK_GT(pods, 0);
    CHECK_NE(pods, widgets);
    CHECK_EQ(store_resource(w->store, S("pods"), 0), pods);
    CHECK_STR(store_resource_name(w->store, widgets), "widgets.example.com");
    CHECK_EQ(store_resource_name(w->store, 0).n, 0);
    CHECK_EQ(store_resource_name(w->store, 60000).n, 0);
    for (int i = 0; i < 300; i++) {
        char name[20];
        int n = snprintf(name, sizeof name, "r-%d", i);
        CHECK_LT(store_resource(w->store, str_of(name, (size_t)n), 0), 400);
    }
    CHECK_STR(store_resource_name(w->store, pods), "pods");
}
