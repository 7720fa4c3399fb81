/* loop_suite_test.c - what loop.h promises, in both worlds. */
#include "base/mem.h"
#include "sys/suite_test.h"

/* A log of what happened, in order. */
struct log {
    int entries[4096];
    size_t count;
};

static void log_add(struct log *log, int entry)
{
    CHECK(log->count < ARRAY_COUNT(log->entries));
    log->entries[log->count++] = entry;
}

static bool log_is_long(void *ctx)
{
    const struct log *log = ctx;
    return log->count >=
           (size_t)log->entries[ARRAY_COUNT(log->entries) - 1]; /* the last holds what is awaited */
}

static void wait_for_entries(struct loop *l, struct log *log, int count)
{
    log->entries[ARRAY_COUNT(log->entries) - 1] = count;
    SUITE_WAIT(l, log_is_long, log);
}

/* --- timers --- */

struct noting_timer {
    struct timer t;
    struct log *log;
    int id;
    struct timer *cancels; /* when it fires */
    int again;             /* how often it sets itself, at once */
    uint64_t turn;         /* in which it fired last */
};

static uint64_t turn_of(struct loop *l)
{
    struct loop_stats stats;
    loop_stats(l, &stats);
    return stats.turns;
}

static void note_timer(struct timer *t)
{
    struct noting_timer *nt = CONTAINER_OF(t, struct noting_timer, t);
    CHECK(!timer_is_set(t));
    log_add(nt->log, nt->id);
    nt->turn = turn_of(t->loop);
    if (nt->cancels)
        timer_cancel(nt->cancels);
    if (nt->again-- > 0)
        timer_set(t, 0);
}

static void noting_timer_init(struct noting_timer *nt, struct loop *l, struct log *log, int id)
{
    *nt = (struct noting_timer){.log = log, .id = id};
    timer_init(&nt->t, l, note_timer);
}

SUITE_TEST(timers_fire_in_order_of_time_and_then_of_setting)
{
    struct loop *l = suite_loop(w, "timers");
    struct log log = {0};
    struct noting_timer t[5];
    int64_t at = loop_now(l) + 5 * NS_PER_MS;
    for (int i = 0; i < 5; i++)
        noting_timer_init(&t[i], l, &log, i);
    timer_set_at(&t[0].t, at + NS_PER_MS);
    timer_set_at(&t[1].t, at);
    timer_set_at(&t[2].t, at);
    timer_set_at(&t[3].t, at - NS_PER_MS);
    timer_set_at(&t[4].t, at);
    timer_set_at(&t[1].t, at); /* set again: behind the others of that time */
    wait_for_entries(l, &log, 5);
    static const int want[] = {3, 2, 4, 1, 0};
    for (int i = 0; i < 5; i++)
        CHECK_EQ(log.entries[i], want[i]);
    CHECK_GE(loop_now(l), at + NS_PER_MS);
}

SUITE_TEST(a_timer_never_fires_early)
{
    struct loop *l = suite_loop(w, "timers");
    struct log log = {0};
    struct noting_timer t;
    noting_timer_init(&t, l, &log, 1);
    int64_t before = env_now_mono(w->env);
    timer_set(&t.t, 3 * NS_PER_MS);
    wait_for_entries(l, &log, 1);
    CHECK_GE(env_now_mono(w->env) - before, 3 * NS_PER_MS);
}

SUITE_TEST(a_timer_cancelled_by_one_that_is_due_with_it_does_not_fire)
{
    struct loop *l = suite_loop(w, "timers");
    struct log log = {0};
    struct noting_timer t[3];
    for (int i = 0; i < 3; i++) {
        noting_timer_init(&t[i], l, &log, i);
        timer_set(&t[i].t, NS_PER_MS);
    }
    t[0].cancels = &t[1].t;
    wait_for_entries(l, &log, 2);
    suite_let_pass(l, 3 * NS_PER_MS);
    CHECK_EQ(log.count, 2);
    CHECK_EQ(log.entries[1], 2);
    CHECK(!timer_is_set(&t[1].t));
    timer_cancel(&t[1].t); /* once more is fine */
}

SUITE_TEST(a_timer_set_in_the_past_fires_in_the_next_turn)
{
    struct loop *l = suite_loop(w, "timers");
    struct log log = {0};
    struct noting_timer t;
    noting_timer_init(&t, l, &log, 1);
    t.again = 1;
    timer_set_at(&t.t, 0);
    wait_for_entries(l, &log, 1);
    uint64_t first = t.turn;
    CHECK(timer_is_set(&t.t));
    wait_for_entries(l, &log, 2);
    CHECK_EQ(t.turn, first + 1);
}

struct free_timer {
    struct timer t;
    atomic_int *freed;
};

static void free_yourself(struct timer *t)
{
    struct free_timer *ft = CONTAINER_OF(t, struct free_timer, t);
    atomic_fetch_add(ft->freed, 1);
    mem_free(ft);
}

SUITE_TEST(a_timer_may_free_itself_when_it_fires)
{
    struct loop *l = suite_loop(w, "timers");
    atomic_int freed = 0;
    for (int i = 0; i < 10; i++) {
        struct free_timer *ft = NEW(struct free_timer);
        ft->freed = &freed;
        timer_init(&ft->t, l, free_yourself);
        timer_set(&ft->t, i % 3 * NS_PER_MS);
    }
    SUITE_WAIT_COUNT(l, &freed, 10);
}

/* Many timers, set, moved and cancelled at random, compared with what a sorted list would give. */
struct many {
    struct noting_timer t[1000];
    struct log log;
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

SUITE_TEST(a_thousand_timers_fire_as_a_sorted_list_would)
{
    struct loop *l = suite_loop(w, "timers");
    CLEANUP(mem_freep) struct many *m = NEW(struct many);
    uint64_t rnd = test_seed();
    int64_t base = loop_now(l) + NS_PER_MS;
    int order[1000] = {0}, left = 0;
    for (int i = 0; i < 1000; i++)
        noting_timer_init(&m->t[i], l, &m->log, i);
    for (int step = 1; step <= 5000; step++) {
        size_t i = next_random(&rnd) % 1000;
        if (next_random(&rnd) % 4) {
            timer_set_at(&m->t[i].t, base + (int64_t)(next_random(&rnd) % 50) * 10000);
            order[i] = step;
        } else {
            timer_cancel(&m->t[i].t);
        }
    }
    int64_t at[1000];
    for (int i = 0; i < 1000; i++) {
        left += timer_is_set(&m->t[i].t);
        at[i] = m->t[i].t.at_ns;
    }
    wait_for_entries(l, &m->log, left);
    suite_let_pass(l, NS_PER_MS);
    CHECK_EQ(m->log.count, left);
    for (int k = 1; k < left; k++) {
        int a = m->log.entries[k - 1], b = m->log.entries[k];
        CHECK(at[a] < at[b] || (at[a] == at[b] && order[a] < order[b]));
    }
}

/* --- messages --- */

struct numbered {
    struct loop_msg msg;
    struct loop *to;
    atomic_int *count;
    int *expected; /* of this poster */
    int number;
};

static void take_numbered(struct loop_msg *m)
{
    struct numbered *n = CONTAINER_OF(m, struct numbered, msg);
    loop_assert_owner(n->to);
    CHECK_EQ(n->number, *n->expected);
    ++*n->expected;
    atomic_fetch_add(n->count, 1);
    mem_free(n);
}

struct poster {
    struct loop_msg msg;
    struct loop *to;
    atomic_int *count;
    int expected;
    int amount, posted;
    struct loop *own;
};

/* A few at a time, so that posters and receiver meet. */
static void post_some(struct loop_msg *m)
{
    struct poster *p = CONTAINER_OF(m, struct poster, msg);
    for (int i = 0; i < 20 && p->posted < p->amount; i++) {
        struct numbered *n = NEW(struct numbered);
        *n = (struct numbered){.msg.run = take_numbered,
                               .to = p->to,
                               .count = p->count,
                               .expected = &p->expected,
                               .number = p->posted++};
        loop_post(p->to, &n->msg);
    }
    if (p->posted < p->amount)
        loop_post(p->own, &p->msg);
}

SUITE_TEST(messages_arrive_all_and_in_the_order_of_each_poster)
{
    enum { POSTERS = 3, EACH = 2000 };
    struct loop *l = suite_loop(w, "receiver");
    atomic_int count = 0;
    struct poster posters[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        struct loop *own = suite_loop(w, "poster");
        posters[i] = (struct poster){
            .msg.run = post_some, .to = l, .count = &count, .amount = EACH, .own = own};
        loop_post(own, &posters[i].msg);
        suite_start(own);
    }
    SUITE_WAIT_COUNT(l, &count, POSTERS * EACH);
    for (int i = 0; i < POSTERS; i++)
        CHECK_EQ(posters[i].expected, EACH);
}

/* Two loops send one message to and fro, each asleep when it comes. */
struct ball {
    struct loop_msg msg;
    struct loop *at[2];
    atomic_int hits;
    int last;
};

static void hit(struct loop_msg *m)
{
    struct ball *b = CONTAINER_OF(m, struct ball, msg);
    int hits = atomic_fetch_add(&b->hits, 1) + 1;
    if (hits < b->last)
        loop_post(b->at[hits % 2], m);
}

SUITE_TEST(a_message_wakes_a_sleeping_loop)
{
    struct ball b = {.msg.run = hit, .last = 1000};
    b.at[0] = suite_loop(w, "here");
    b.at[1] = suite_loop(w, "there");
    suite_start(b.at[1]);
    loop_post(b.at[0], &b.msg);
    SUITE_WAIT_COUNT(b.at[0], &b.hits, b.last);
}

struct noting_msg {
    struct loop_msg msg;
    struct loop *l;
    struct log *log;
    int id;
    struct noting_msg *posts, *defers;
    uint64_t turn;
};

static void note_msg(struct loop_msg *m)
{
    struct noting_msg *nm = CONTAINER_OF(m, struct noting_msg, msg);
    log_add(nm->log, nm->id);
    nm->turn = turn_of(nm->l);
    if (nm->posts)
        loop_post(nm->l, &nm->posts->msg);
    if (nm->defers)
        loop_defer(nm->l, &nm->defers->msg);
}

static void note_drop(struct loop_msg *m)
{
    struct noting_msg *nm = CONTAINER_OF(m, struct noting_msg, msg);
    log_add(nm->log, -nm->id);
}

static struct noting_msg noting_msg_of(struct loop *l, struct log *log, int id)
{
    return (struct noting_msg){.msg = {.run = note_msg, .drop = note_drop}, .l = l, .log = log, .id = id};
}

SUITE_TEST(what_is_deferred_runs_at_the_end_of_the_turn)
{
    struct loop *l = suite_loop(w, "defer");
    struct log log = {0};
    struct noting_msg a = noting_msg_of(l, &log, 1), b = noting_msg_of(l, &log, 2),
                      d = noting_msg_of(l, &log, 3), dd = noting_msg_of(l, &log, 4);
    a.defers = &d;
    d.defers = &dd;
    struct noting_timer t;
    noting_timer_init(&t, l, &log, 5);
    timer_set(&t.t, 0);
    loop_post(l, &a.msg);
    loop_post(l, &b.msg);
    wait_for_entries(l, &log, 5);
    static const int want[] = {1, 2, 5, 3, 4};
    for (int i = 0; i < 5; i++)
        CHECK_EQ(log.entries[i], want[i]);
    CHECK_EQ(d.turn, a.turn);
    CHECK_EQ(dd.turn, a.turn + 1);
}

SUITE_TEST(a_message_posted_by_a_message_waits_for_the_next_turn)
{
    struct loop *l = suite_loop(w, "posts");
    struct log log = {0};
    struct noting_msg a = noting_msg_of(l, &log, 1), b = noting_msg_of(l, &log, 2);
    a.posts = &b;
    loop_post(l, &a.msg);
    wait_for_entries(l, &log, 2);
    CHECK_EQ(b.turn, a.turn + 1);
}

SUITE_TEST(a_freed_loop_drops_what_it_did_not_deliver)
{
    struct log log = {0};
    struct loop *l;
    CHECK_OK(loop_new(w->env, S("short-lived"), &l, &e));
    struct noting_msg a = noting_msg_of(l, &log, 1), b = noting_msg_of(l, &log, 2),
                      c = noting_msg_of(l, &log, 3);
    c.msg.drop = NULL;
    loop_post(l, &a.msg);
    loop_defer(l, &b.msg);
    loop_post(l, &c.msg);
    loop_free(l);
    CHECK_EQ(log.count, 2);
    CHECK_EQ(log.entries[0] + log.entries[1], -3);
}

/* --- running --- */

static bool never(void *ctx)
{
    return false;
}

static bool always(void *ctx)
{
    return true;
}

SUITE_TEST(run_until_returns_when_the_condition_holds_or_time_is_up)
{
    struct loop *l = suite_loop(w, "run");
    CHECK(loop_run_until(l, always, NULL, 0));
    int64_t before = env_now_mono(w->env);
    CHECK(!loop_run_until(l, never, NULL, 2 * NS_PER_MS));
    CHECK_GE(env_now_mono(w->env) - before, 2 * NS_PER_MS);
}

SUITE_TEST(run_until_without_time_does_what_is_ready)
{
    struct loop *l = suite_loop(w, "run");
    struct log log = {0};
    struct noting_msg a = noting_msg_of(l, &log, 1);
    loop_post(l, &a.msg);
    CHECK(!loop_run_until(l, NULL, NULL, 0));
    CHECK_EQ(log.count, 1);
}

static void stop_loop(struct loop_msg *m)
{
    struct noting_msg *nm = CONTAINER_OF(m, struct noting_msg, msg);
    loop_stop(nm->l);
    loop_stop(nm->l);
}

SUITE_TEST(stop_ends_one_run_after_delivering_what_was_posted_before)
{
    struct loop *l = suite_loop(w, "run");
    struct log log = {0};
    struct noting_msg a = noting_msg_of(l, &log, 1), stop = {.msg.run = stop_loop, .l = l},
                      b = noting_msg_of(l, &log, 2);
    loop_post(l, &a.msg);
    loop_stop(l);
    CHECK(!loop_run_until(l, NULL, NULL, LOOP_FOREVER));
    CHECK_EQ(log.count, 1);
    loop_post(l, &stop.msg);
    loop_post(l, &b.msg);
    CHECK(!loop_run_until(l, NULL, NULL, LOOP_FOREVER));
    CHECK_EQ(log.count, 2);
    CHECK(!loop_run_until(l, NULL, NULL, NS_PER_MS));
}

SUITE_TEST(a_started_loop_runs_until_it_is_stopped_and_is_then_the_callers)
{
    struct loop *l = suite_loop(w, "started"), *own = suite_loop(w, "own");
    struct ball b = {.msg.run = hit, .last = 1};
    suite_start(l);
    loop_post(l, &b.msg);
    SUITE_WAIT_COUNT(own, &b.hits, 1);
    loop_stop(l);
    loop_join(l);
    struct log log = {0};
    struct noting_msg a = noting_msg_of(l, &log, 1);
    loop_post(l, &a.msg);
    CHECK(!loop_run_until(l, NULL, NULL, 0));
    CHECK_EQ(log.count, 1);
    suite_start(l);
}

static void check_now(struct loop_msg *m)
{
    struct ball *b = CONTAINER_OF(m, struct ball, msg);
    int64_t now = loop_now(b->at[0]);
    CHECK_LE(now, env_now_mono(loop_env(b->at[0])));
    CHECK_EQ(loop_now(b->at[0]), now);
    atomic_fetch_add(&b->hits, 1);
}

SUITE_TEST(now_stands_still_during_a_turn)
{
    struct ball b = {.msg.run = check_now};
    b.at[0] = suite_loop(w, "now");
    int64_t before = loop_now(b.at[0]);
    for (int i = 1; i <= 100; i++) {
        loop_post(b.at[0], &b.msg);
        SUITE_WAIT_COUNT(b.at[0], &b.hits, i);
    }
    CHECK_GE(loop_now(b.at[0]), before);
    CHECK_GT(env_now_wall(w->env), 1600000000 * NS_PER_S);
}

SUITE_TEST(random_bytes_differ)
{
    unsigned char a[40] = {0}, b[40] = {0};
    env_random(w->env, a, sizeof a);
    env_random(w->env, b, sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK_NE(env_random_u64(w->env), env_random_u64(w->env));
}

/* --- work --- */

struct square {
    struct loop_work work;
    int in, out;
    atomic_int *done, *dropped;
};

static void square_run(struct loop_work *w)
{
    struct square *s = CONTAINER_OF(w, struct square, work);
    s->out = s->in * s->in;
}

static void square_done(struct loop_work *w)
{
    struct square *s = CONTAINER_OF(w, struct square, work);
    loop_assert_owner(w->loop);
    CHECK_EQ(s->out, s->in * s->in);
    atomic_fetch_add(s->done, 1);
}

static void square_drop(struct loop_work *w)
{
    struct square *s = CONTAINER_OF(w, struct square, work);
    atomic_fetch_add(s->dropped, 1);
}

static struct square square_of(int in, atomic_int *done, atomic_int *dropped)
{
    return (struct square){.work = {.run = square_run, .done = square_done, .drop = square_drop},
                           .in = in,
                           .done = done,
                           .dropped = dropped};
}

SUITE_TEST(work_runs_aside_and_is_reported_on_the_loop)
{
    struct loop *l = suite_loop(w, "work");
    atomic_int done = 0, dropped = 0;
    struct square s[200];
    for (int i = 0; i < 200; i++) {
        s[i] = square_of(i, &done, &dropped);
        loop_submit(l, &s[i].work);
    }
    CHECK_EQ(done, 0);
    SUITE_WAIT_COUNT(l, &done, 200);
    CHECK_EQ(dropped, 0);
    /* And again with the same. */
    loop_submit(l, &s[7].work);
    SUITE_WAIT_COUNT(l, &done, 201);
}

SUITE_TEST(work_of_a_freed_loop_is_dropped)
{
    atomic_int done = 0, dropped = 0;
    struct square s[100];
    struct loop *l;
    CHECK_OK(loop_new(w->env, S("short-lived"), &l, &e));
    for (int i = 0; i < 100; i++) {
        s[i] = square_of(i, &done, &dropped);
        loop_submit(l, &s[i].work);
    }
    loop_free(l);
    CHECK_EQ(done, 0);
    CHECK_EQ(dropped, 100);
}
