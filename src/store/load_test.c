/* load_test.c - see load_test.h. */
#include "store/load_test.h"
#include "base/mem.h"
#include "harness/test.h"
#include <stdio.h>

static bool fault(struct load *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool fault(struct load *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!l->fault[0])
        vsnprintf(l->fault, sizeof l->fault, fmt, ap);
    va_end(ap);
    return false;
}

struct load *load_new(uint64_t seed, size_t size_max)
{
    struct load *l = NEW(struct load);
    random_init(&l->random, seed);
    l->size_max = size_max;
    for (int r = 0; r < LOAD_RESOURCES; r++) {
        l->position[r] = 1;
        for (int k = 0; k < LOAD_KEYS; k++)
            l->model[r][k].attempt = -1;
    }
    return l;
}

void load_free(struct load *l)
{
    mem_free(l);
}

/* --- asking --- */

static struct object_key key_of(struct load *l, int resource, int key)
{
    static const char *const names[LOAD_KEYS] = {"k0", "k1", "k2", "k3", "k4", "k5"};
    return (struct object_key){l->resources[resource], key % 2 ? S("odd") : S("even"),
                               str_from_c(names[key])};
}

static struct object *object_of(struct load *l, struct object_key key, int attempt)
{
    CLEANUP(buf_done) struct buf b;
    struct object *o;
    buf_init(&b, l->size_max + 1000);
    buf_add_f(&b,
              "{\"metadata\":{\"name\":\"%" STR_FMT "\",\"namespace\":\"%" STR_FMT
              "\"},\"attempt\":%d,\"pad\":\"",
              STR_ARG(key.name), STR_ARG(key.ns), attempt);
    buf_add_n(&b, 'x', random_below(&l->random, random_below(&l->random, 4) ? 200 : l->size_max));
    buf_add_lit(&b, "\"}");
    CHECK_OK(object_new(key, buf_str(&b), &o, &e));
    return o;
}

static int attempt_of(const struct object *o)
{
    int64_t n;
    str content = object_content(o), rest = str_from(content, str_index(content, S("\"attempt\":")) + 10);
    CHECK(str_parse_i64(str_slice(rest, 0, str_index_c(rest, ',')), &n));
    return (int)n;
}

static struct store_guard guard_of(struct load *l, const struct snapshot *sn, struct object_key key)
{
    const struct object *o = snapshot_find(sn, key);
    struct store_guard g = {.key = key, .kind = STORE_GUARD_THERE};
    if (!o)
        g.kind = STORE_GUARD_ABSENT;
    else if (random_below(&l->random, 2))
        g = (struct store_guard){STORE_GUARD_AT, key, o->revision};
    return g;
}

static void answered(struct store_txn *t);

static void ask(struct client *c)
{
    struct load *l = c->load;
    const struct snapshot *sn = store_snapshot(l->store);
    struct attempt *a = &l->attempts[l->attempt_count];
    c->attempt = l->attempt_count++;
    CHECK_LT(l->attempt_count, LOAD_ATTEMPTS_MAX);
    c->txn = (struct store_txn){
        .guards = c->guards, .changes = c->changes, .loop = l->loop, .done = answered};
    int count = 1 + (int)random_below(&l->random, LOAD_RESOURCES),
        first = (int)random_below(&l->random, LOAD_RESOURCES);
    for (int i = 0; i < count; i++) {
        int r = (first + i) % LOAD_RESOURCES, k = (int)random_below(&l->random, LOAD_KEYS);
        struct object_key key = key_of(l, r, k);
        bool put = !snapshot_find(sn, key) || random_below(&l->random, 4);
        a->changes[i].resource = (uint8_t)r;
        a->changes[i].key = (uint8_t)k;
        a->changes[i].put = put;
        c->changes[i] = (struct store_change){.put = put ? object_of(l, key, c->attempt) : NULL, .key = key};
        if (!put || random_below(&l->random, 2))
            c->guards[c->txn.guard_count++] = guard_of(l, sn, key);
    }
    a->change_count = (uint8_t)count;
    a->posted = true;
    c->txn.change_count = (uint16_t)count;
    snapshot_unref(sn);
    l->left--;
    store_commit(l->store, &c->txn);
}

static void answered(struct store_txn *t)
{
    struct client *c = CONTAINER_OF(t, struct client, txn);
    struct load *l = c->load;
    struct attempt *a = &l->attempts[c->attempt];
    /* It may end at any instruction: what makes it an answer comes last. */
    a->refused = t->err.code == ERR_CONFLICT || t->err.code == ERR_DISK_FULL;
    if (!t->err.code) {
        a->revision = t->revision;
        a->answered = true;
        l->answered_count++;
        l->newest_answer = t->revision > l->newest_answer ? t->revision : l->newest_answer;
        const struct snapshot *sn = store_snapshot(l->store);
        if (sn->revision < t->revision)
            fault(l, "revision %lld was answered before it was published", (long long)t->revision);
        snapshot_unref(sn);
    } else {
        a->answered = a->refused; /* else it is written or not: not known */
    }
    if (l->left > 0)
        ask(c);
    else
        l->busy--;
}

void load_start(struct load *l, struct store *s, struct loop *loop, int attempts)
{
    static const char *const names[LOAD_RESOURCES] = {"pods", "quotas", "addresses"};
    l->store = s;
    l->loop = loop;
    l->left = attempts;
    for (int r = 0; r < LOAD_RESOURCES; r++)
        l->resources[r] = store_resource(s, str_from_c(names[r]), 0);
    l->busy = attempts ? LOAD_CLIENTS : 0;
    for (int i = 0; i < l->busy; i++) {
        l->clients[i].load = l;
        ask(&l->clients[i]);
    }
}

bool load_is_done(void *load)
{
    const struct load *l = load;
    return l->busy == 0;
}

/* --- watching --- */

static bool see_put(struct load *l, const struct object *o, struct place *p)
{
    int n = attempt_of(o);
    struct attempt *a = &l->attempts[n];
    if (n >= l->attempt_count || !a->posted || a->refused)
        return fault(l, "attempt %d, which was never made or refused, is at revision %lld", n,
                     (long long)o->revision);
    if (a->revision && a->revision != o->revision)
        return fault(l, "attempt %d of revision %lld is seen at %lld", n, (long long)a->revision,
                     (long long)o->revision);
    a->revision = o->revision;
    *p = (struct place){n, o->revision};
    return true;
}

static bool see_change(struct load *l, int resource, const struct change *c)
{
    const struct object *o = c->now ? c->now : c->old;
    int key = object_name(o).p[1] - '0';
    struct place *p = &l->model[resource][key];
    if (c->revision <= l->position[resource])
        return fault(l, "revision %lld comes after %lld", (long long)c->revision,
                     (long long)l->position[resource]);
    if (c->old ? p->attempt != attempt_of(c->old) || p->revision != c->old->revision : p->attempt != -1)
        return fault(l, "change %lld is not of what was there: that was attempt %d of revision %lld",
                     (long long)c->revision, p->attempt, (long long)p->revision);
    l->position[resource] = c->revision;
    *p = (struct place){-1, c->revision};
    if (!c->now)
        return true;
    if (!see_put(l, c->now, p))
        return false;
    l->attempts[p->attempt].seen++;
    return true;
}

/* Too late for the changes: what there is now. */
static bool list_again(struct load *l, const struct snapshot *sn, int resource)
{
    struct object_range range = {.resource = l->resources[resource], .all_namespaces = true};
    struct snapshot_iter it;
    l->expired++;
    for (int k = 0; k < LOAD_KEYS; k++)
        l->model[resource][k] = (struct place){-1, 0};
    snapshot_list(sn, &range, NULL, &it);
    for (const struct object *o; (o = snapshot_next(&it));)
        if (!see_put(l, o, &l->model[resource][object_name(o).p[1] - '0']))
            return false;
    l->position[resource] = sn->revision;
    return true;
}

static bool watch_resource(struct load *l, const struct snapshot *sn, int resource)
{
    struct snapshot_iter it;
    struct err why;
    if (sn->revision < l->position[resource])
        return fault(l, "the newest revision is %lld, and %lld was seen", (long long)sn->revision,
                     (long long)l->position[resource]);
    if (snapshot_changes(sn, l->resources[resource], l->position[resource], &it, &why))
        return list_again(l, sn, resource);
    for (const struct change *c; (c = snapshot_next_change(&it));)
        if (!see_change(l, resource, c))
            return false;
    l->position[resource] = sn->revision;
    return true;
}

bool load_watch(struct load *l, struct store *s)
{
    const struct snapshot *sn = store_snapshot(s);
    bool right = !l->fault[0];
    for (int r = 0; r < LOAD_RESOURCES && right; r++)
        right = watch_resource(l, sn, r);
    snapshot_unref(sn);
    return right;
}

/* --- checking --- */

static bool check_place(struct load *l, const struct snapshot *sn, int r, int k)
{
    const struct object *o = snapshot_find(sn, key_of(l, r, k));
    const struct place *p = &l->model[r][k];
    int is = o ? attempt_of(o) : -1;
    if (is != p->attempt)
        return fault(l, "key %d of resource %d is of attempt %d, by what was seen of %d", k, r, is,
                     p->attempt);
    return !o || o->revision == p->revision ||
           fault(l, "key %d of resource %d has revision %lld, by what was seen %lld", k, r,
                 (long long)o->revision, (long long)p->revision);
}

/* A watcher that missed nothing has seen all or nothing of it. */
static bool check_attempt(struct load *l, int n)
{
    const struct attempt *a = &l->attempts[n];
    int puts = 0;
    for (int i = 0; i < a->change_count; i++)
        puts += a->changes[i].put;
    if (a->answered && !a->refused && a->seen != puts)
        return fault(l, "attempt %d was answered with revision %lld; %d of %d objects were seen", n,
                     (long long)a->revision, a->seen, puts);
    if (a->seen && a->seen != puts)
        return fault(l, "attempt %d is half there: %d of %d objects were seen", n, a->seen, puts);
    return true;
}

/* Whoever watches or not: what was answered is there, unless something later came. */
static bool check_answered(struct load *l, const struct snapshot *sn, const struct attempt *a)
{
    for (int i = 0; i < a->change_count; i++) {
        const struct object *o = snapshot_find(sn, key_of(l, a->changes[i].resource, a->changes[i].key));
        if (o && o->revision < a->revision)
            return fault(l, "what revision %lld made is of revision %lld", (long long)a->revision,
                         (long long)o->revision);
        if (o && o->revision == a->revision && !a->changes[i].put)
            return fault(l, "what revision %lld deleted is there", (long long)a->revision);
    }
    return true;
}

bool load_check(struct load *l, struct store *s)
{
    const struct snapshot *sn = store_snapshot(s);
    bool right = !l->fault[0];
    if (right && sn->revision < l->newest_answer)
        right = fault(l, "revision %lld was answered, the newest is %lld", (long long)l->newest_answer,
                      (long long)sn->revision);
    for (int r = 0; r < LOAD_RESOURCES && right; r++)
        for (int k = 0; k < LOAD_KEYS && right; k++)
            right = check_place(l, sn, r, k);
    for (int n = 0; n < l->attempt_count && right; n++) {
        if (!l->expired)
            right = check_attempt(l, n);
        if (right && l->attempts[n].answered && !l->attempts[n].refused)
            right = check_answered(l, sn, &l->attempts[n]);
    }
    snapshot_unref(sn);
    return right;
}

void load_settle(struct load *l)
{
    for (int n = 0; n < l->attempt_count; n++) {
        struct attempt *a = &l->attempts[n];
        int puts = 0;
        for (int i = 0; i < a->change_count; i++)
            puts += a->changes[i].put;
        /* Of what only deletes nothing can be recognised. */
        if (!a->answered && puts && !a->revision)
            a->refused = a->answered = true;
    }
}
