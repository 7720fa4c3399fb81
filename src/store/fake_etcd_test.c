/* fake_etcd_test.c - see fake_etcd_test.h. */
#include "store/fake_etcd_test.h"
#include "base/mem.h"
#include "harness/test.h"

struct fake_backend {
    struct backend backend;
    struct fake_etcd *etcd;
    struct store *store;
    struct loop_msg news; /* there is more in the log; posted by whoever commits */
    bool news_under_way;
    struct timer stream;
    size_t received; /* events of the log */
    int under_way;   /* requests */
};

/* A request, and its answer. */
struct request {
    struct fake_backend *b;
    struct timer timer;
    struct store_txn *txn; /* or */
    struct store_read *read;
    struct err err;
    int64_t revision;
};

static int64_t some_time(struct fake_etcd *etcd)
{
    int64_t max = sim_random(etcd->sim, 4) ? etcd->delay_max_ns / 10 : etcd->delay_max_ns;
    return (int64_t)sim_random(etcd->sim, (uint64_t)max) + 1;
}

static char *text(str s)
{
    char *p = mem_alloc(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}

/* --- etcd itself --- */

struct fake_etcd *fake_etcd_new(struct sim *sim)
{
    struct fake_etcd *etcd = NEW(struct fake_etcd);
    *etcd = (struct fake_etcd){.sim = sim, .revision = 1, .delay_max_ns = 20 * NS_PER_MS};
    return etcd;
}

void fake_etcd_free(struct fake_etcd *etcd)
{
    for (size_t i = 0; i < etcd->log.count; i++) {
        struct fake_event *e = &etcd->log.items[i];
        mem_free(e->resource);
        mem_free(e->ns);
        mem_free(e->name);
        mem_free(e->content);
    }
    vec_done(&etcd->log);
    vec_done(&etcd->backends);
    mem_free(etcd);
}

const struct fake_event *fake_etcd_at(const struct fake_etcd *etcd, str resource, str ns, str name,
                                      int64_t revision)
{
    for (size_t i = etcd->log.count; i-- > 0;) {
        const struct fake_event *e = &etcd->log.items[i];
        if (e->revision <= revision && str_eq(str_from_c(e->name), name) && str_eq(str_from_c(e->ns), ns) &&
            str_eq(str_from_c(e->resource), resource))
            return e;
    }
    return NULL;
}

static int64_t revision_of(struct fake_backend *b, struct object_key key)
{
    const struct fake_event *e = fake_etcd_at(b->etcd, store_resource_name(b->store, key.resource), key.ns,
                                              key.name, INT64_MAX);
    return e && e->content ? e->revision : 0;
}

static bool compare(struct fake_backend *b, const struct store_txn *t, uint16_t *ret_failed)
{
    for (uint16_t i = 0; i < t->guard_count; i++) {
        const struct store_guard *g = &t->guards[i];
        int64_t revision = revision_of(b, g->key);
        *ret_failed = i;
        if (g->kind == STORE_GUARD_AT ? !revision || revision != g->revision
                                      : (g->kind == STORE_GUARD_THERE) != (revision != 0))
            return false;
    }
    *ret_failed = t->guard_count;
    for (unsigned i = 0; i < t->change_count; i++)
        if (!t->changes[i].put && !revision_of(b, t->changes[i].key))
            return false;
    return true;
}

static void tell_all(struct fake_etcd *etcd)
{
    for (size_t i = 0; i < etcd->backends.count; i++) {
        struct fake_backend *b = etcd->backends.items[i];
        if (!b->news_under_way)
            loop_post(store_loop(b->store), &b->news);
        b->news_under_way = true;
    }
}

static void change(struct fake_backend *b, const struct store_txn *t)
{
    struct fake_etcd *etcd = b->etcd;
    etcd->revision++;
    for (unsigned i = 0; i < t->change_count; i++) {
        const struct object *put = t->changes[i].put;
        struct object_key key = put ? object_key(put) : t->changes[i].key;
        vec_push(&etcd->log,
                 ((struct fake_event){.revision = etcd->revision,
                                      .slot = i,
                                      .resource = text(store_resource_name(b->store, key.resource)),
                                      .ns = text(key.ns),
                                      .name = text(key.name),
                                      .content = put ? text(object_content(put)) : NULL}));
    }
    tell_all(etcd);
}

/* --- requests --- */

static void answer_arrives(struct timer *timer)
{
    struct request *q = CONTAINER_OF(timer, struct request, timer);
    struct fake_backend *b = q->b;
    b->under_way--;
    if (q->txn) {
        q->txn->err = q->err;
        for (unsigned i = 0; !q->err.code && i < q->txn->change_count; i++)
            object_unref(q->txn->changes[i].put); /* the stream brings its own */
        q->txn->revision = q->revision;
        if (q->err.code == ERR_UNAVAILABLE)
            store_answer(b->store, q->txn);
        else
            store_answer_at(b->store, q->txn, q->revision);
    } else if (q->err.code) {
        store_read_fail(b->store, q->read, &q->err);
    } else {
        store_read_at(b->store, q->read, q->revision);
    }
    mem_free(q);
}

static void request_arrives(struct timer *timer)
{
    struct request *q = CONTAINER_OF(timer, struct request, timer);
    struct fake_backend *b = q->b;
    bool lost = sim_random(b->etcd->sim, 100) < b->etcd->lose, before = sim_random(b->etcd->sim, 2);
    if (q->txn && !(lost && before)) {
        if (!compare(b, q->txn, &q->txn->failed_guard))
            err_set(&q->err, ERR_CONFLICT,
                    "'%" STR_FMT "' in namespace '%" STR_FMT "' is not what it was taken for",
                    STR_ARG(q->txn->failed_guard < q->txn->guard_count
                                ? q->txn->guards[q->txn->failed_guard].key.name
                                : q->txn->changes[0].key.name),
                    STR_ARG(q->txn->failed_guard < q->txn->guard_count
                                ? q->txn->guards[q->txn->failed_guard].key.ns
                                : q->txn->changes[0].key.ns));
        else if (q->txn->change_count)
            change(b, q->txn);
    }
    q->revision = b->etcd->revision;
    if (lost)
        err_set(&q->err, ERR_UNAVAILABLE, "nobody answers");
    timer_init(&q->timer, store_loop(b->store), answer_arrives);
    timer_set(&q->timer, some_time(b->etcd));
}

static void send(struct fake_backend *b, struct store_txn *t, struct store_read *r)
{
    struct request *q = NEW(struct request);
    *q = (struct request){.b = b, .txn = t, .read = r};
    b->under_way++;
    timer_init(&q->timer, store_loop(b->store), request_arrives);
    timer_set(&q->timer, some_time(b->etcd));
}

static void fake_commit(struct backend *backend, struct store_txn *first)
{
    for (struct store_txn *t = first, *next; t; t = next) {
        next = t->next;
        send(CONTAINER_OF(backend, struct fake_backend, backend), t, NULL);
    }
}

static void fake_newest(struct backend *backend, struct store_read *r)
{
    send(CONTAINER_OF(backend, struct fake_backend, backend), NULL, r);
}

static void fake_close(struct backend *backend)
{
    struct fake_backend *b = CONTAINER_OF(backend, struct fake_backend, backend);
    CHECK_EQ(b->under_way, 0);
    for (size_t i = 0; i < b->etcd->backends.count; i++) {
        if (b->etcd->backends.items[i] == b) {
            vec_remove(&b->etcd->backends, i);
            break;
        }
    }
    mem_free(b);
}

static const struct backend_ops fake_ops = {
    .commit = fake_commit, .newest = fake_newest, .close = fake_close};

/* --- the stream --- */

static void receive(struct fake_backend *b, const struct fake_event *ev)
{
    struct object_key key = {store_resource(b->store, str_from_c(ev->resource), 0), str_from_c(ev->ns),
                             str_from_c(ev->name)};
    struct object *o;
    if (!ev->content) {
        build_delete(b->store, ev->revision, ev->slot, key);
        return;
    }
    CHECK_OK(object_new(key, str_from_c(ev->content), &o, &e));
    build_put(b->store, ev->revision, ev->slot, o);
}

/* Some of what is there: whole transactions. */
static void stream_arrives(struct timer *timer)
{
    struct fake_backend *b = CONTAINER_OF(timer, struct fake_backend, stream);
    struct fake_etcd *etcd = b->etcd;
    size_t left = etcd->log.count - b->received, count = 1 + sim_random(etcd->sim, left);
    const struct fake_event *log = etcd->log.items;
    int64_t revision = 0;
    build_begin(b->store);
    for (size_t i = 0; i < left; i++) {
        const struct fake_event *e = &log[b->received];
        if (i >= count && e->revision != revision)
            break;
        revision = e->revision;
        receive(b, e);
        b->received++;
    }
    build_trim(b->store, 100, false);
    build_publish(b->store, revision, env_now_wall(store_env(b->store)) / NS_PER_S);
    if (b->received < etcd->log.count)
        timer_set(&b->stream, some_time(etcd));
}

static void stream_news(struct loop_msg *m)
{
    struct fake_backend *b = CONTAINER_OF(m, struct fake_backend, news);
    b->news_under_way = false;
    if (b->received < b->etcd->log.count && !timer_is_set(&b->stream))
        timer_set(&b->stream, some_time(b->etcd));
}

/* --- opening --- */

static void load(struct fake_backend *b)
{
    struct fake_etcd *etcd = b->etcd;
    build_begin(b->store);
    for (size_t i = 0; i < etcd->log.count; i++) {
        const struct fake_event *e = &etcd->log.items[i];
        str resource = str_from_c(e->resource), ns = str_from_c(e->ns), name = str_from_c(e->name);
        store_resource_load(b->store, (uint32_t)i + 1, resource, etcd->revision); /* or it is there */
        if (e->content && fake_etcd_at(etcd, resource, ns, name, INT64_MAX) == e)
            receive(b, e);
    }
    store_resources_loaded(b->store, etcd->revision);
    build_publish(b->store, etcd->revision, env_now_wall(store_env(b->store)) / NS_PER_S);
    b->received = etcd->log.count;
}

err_code fake_etcd_store_open(struct fake_etcd *etcd, struct env *env, const struct store_opts *opts,
                              struct store **ret, struct err *err)
{
    struct loop *loop;
    if (loop_new(env, S("store"), &loop, err))
        return err->code;
    struct fake_backend *b = NEW(struct fake_backend);
    *b = (struct fake_backend){
        .backend.ops = &fake_ops, .etcd = etcd, .store = store_new(env, opts, loop), .news.run = stream_news};
    timer_init(&b->stream, loop, stream_arrives);
    load(b);
    vec_push(&etcd->backends, b);
    *ret = b->store;
    return store_start(b->store, &b->backend, err);
}

bool fake_etcd_is_quiet(void *ctx)
{
    const struct fake_etcd *etcd = ctx;
    for (size_t i = 0; i < etcd->backends.count; i++) {
        const struct fake_backend *b = etcd->backends.items[i];
        if (b->under_way || b->received < etcd->log.count || b->news_under_way || timer_is_set(&b->stream))
            return false;
    }
    return true;
}
