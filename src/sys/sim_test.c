/* sim_test.c - what sim.h promises: the same run from the same seed, virtual time, crashes at any operation, faults. */
#include "base/mem.h"
#include "harness/sim_run.h"
#include "sys/file.h"
#include "sys/stream.h"
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct loop *make_loop(struct sim_host *h, const char *name)
{
    struct loop *l;
    CHECK_OK(loop_new(sim_host_env(h), str_from_c(name), &l, &e));
    return l;
}

static void end_loop(struct loop *l)
{
    loop_stop(l);
    loop_join(l);
    loop_free(l);
}

static struct net_addr address(const char *text)
{
    struct net_addr a;
    CHECK_OK(net_addr_parse(str_from_c(text), &a, &e));
    return a;
}

/* --- a sink: listens, counts what comes, notes how each connection ends --- */

struct sink {
    struct loop *loop;
    struct listener *listener;
    struct stream *streams[16];
    size_t stream_count, open_count;
    uint64_t bytes;
    err_code last_end; /* of a connection */
};

static void sink_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct sink *k = ctx;
    char bytes[4096];
    size_t n;
    struct err why = ERR_INIT;
    err_code code = stream_read(s, bytes, sizeof bytes, &n, &why);
    if (code == ERR_AGAIN)
        return;
    if (!code) {
        k->bytes += n;
        return;
    }
    k->last_end = code;
    k->open_count--;
    for (size_t i = 0; i < k->stream_count; i++)
        if (k->streams[i] == s)
            k->streams[i] = NULL;
    stream_close(s);
}

static void sink_accept(void *ctx, struct stream *s)
{
    struct sink *k = ctx;
    CHECK(k->stream_count < ARRAY_COUNT(k->streams));
    k->streams[k->stream_count++] = s;
    k->open_count++;
    stream_set_handler(s, (struct stream_handler){.on_ready = sink_ready, .ctx = k});
    stream_want(s, STREAM_READ);
}

static void sink_start(struct sink *k, struct sim_host *h, const char *at)
{
    struct net_addr a = address(at);
    *k = (struct sink){.loop = make_loop(h, "sink")};
    CHECK_OK(listener_new(sim_host_env(h), &a, NULL, &k->listener, &e));
    CHECK_OK(listener_attach(k->listener, k->loop, sink_accept, k, &e));
    CHECK_OK(loop_start(k->loop, &e));
}

static void sink_end(struct sink *k)
{
    loop_stop(k->loop);
    loop_join(k->loop);
    listener_detach(k->listener, k->loop);
    listener_free(k->listener);
    for (size_t i = 0; i < k->stream_count; i++)
        stream_close(k->streams[i]);
    loop_free(k->loop);
}

/* --- a busy program: timers, messages, work, files and a stream, all the time --- */

struct busy {
    struct sim *sim;
    struct sim_host *host;
    struct loop *loop;
    struct timer tick;
    struct loop_msg note;
    struct loop_work work;
    struct dir *dir;
    struct file *file;
    struct stream *stream;
    bool noting, working, connected;
    uint64_t callbacks; /* of any kind */
    uint64_t posted, noted, dropped, submitted, worked, work_dropped;
    uint64_t written, synced; /* lines; answered before a crash */
    uint64_t sent;
};

static void busy_note(struct loop_msg *m)
{
    struct busy *b = CONTAINER_OF(m, struct busy, note);
    b->callbacks++;
    b->noted++;
    b->noting = false;
}

static void busy_note_dropped(struct loop_msg *m)
{
    CONTAINER_OF(m, struct busy, note)->dropped++;
}

static void busy_work_run(struct loop_work *w)
{
    struct busy *b = CONTAINER_OF(w, struct busy, work);
    uint64_t lines = b->written;
    b->callbacks++;
    CHECK_OK(file_sync(b->file, &e));
    if (!sim_host_is_crashed(b->host))
        b->synced = lines;
}

static void busy_work_done(struct loop_work *w)
{
    struct busy *b = CONTAINER_OF(w, struct busy, work);
    b->callbacks++;
    b->worked++;
    b->working = false;
}

static void busy_work_dropped(struct loop_work *w)
{
    CONTAINER_OF(w, struct busy, work)->work_dropped++;
}

static void busy_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct busy *b = ctx;
    b->callbacks++;
    b->connected = true;
    stream_want(s, 0);
}

static void busy_tick(struct timer *t)
{
    struct busy *b = CONTAINER_OF(t, struct busy, tick);
    struct err why = ERR_INIT;
    uint64_t line = b->written + 1;
    size_t n;
    b->callbacks++;
    timer_set(t, 2 * NS_PER_MS);
    CHECK_OK(file_write_at(b->file, b->written * 8, &line, 8, &e));
    b->written += !sim_host_is_crashed(b->host);
    if (!b->noting) {
        b->noting = true;
        b->posted++;
        loop_post(b->loop, &b->note);
    }
    if (!b->working) {
        b->working = true;
        b->submitted++;
        loop_submit(b->loop, &b->work);
    }
    if (b->connected && stream_write(b->stream, (str[]){S("12345678")}, 1, &n, &why) == ERR_NONE &&
        !sim_host_is_crashed(b->host))
        b->sent += n;
}

static void busy_start(struct busy *b, struct sim_host *h, const char *to)
{
    struct net_addr a = address(to);
    *b = (struct busy){.host = h, .loop = make_loop(h, "busy")};
    CHECK_OK(dir_open(sim_host_env(h), S("/data"), DIR_CREATE, &b->dir, &e));
    CHECK_OK(file_open(b->dir, S("lines"), FILE_READ | FILE_WRITE | FILE_CREATE, &b->file, &e));
    CHECK_OK(dir_sync(b->dir, &e));
    b->note = (struct loop_msg){.run = busy_note, .drop = busy_note_dropped};
    b->work = (struct loop_work){.run = busy_work_run, .done = busy_work_done, .drop = busy_work_dropped};
    timer_init(&b->tick, b->loop, busy_tick);
    timer_set(&b->tick, 0);
    CHECK_OK(stream_connect(b->loop, &a, (struct stream_handler){busy_ready, b}, &b->stream, &e));
    stream_want(b->stream, STREAM_WRITE);
    CHECK_OK(loop_start(b->loop, &e));
}

static void busy_end(struct busy *b)
{
    loop_stop(b->loop);
    loop_join(b->loop);
    timer_cancel(&b->tick);
    stream_close(b->stream);
    loop_free(b->loop);
    file_close(b->file);
    dir_close(b->dir);
}

struct pair {
    struct sim *sim;
    struct sim_host *here, *there;
    struct busy busy;
    struct sink sink;
};

static void pair_start(struct pair *p, uint64_t seed)
{
    p->sim = sim_run_new(seed);
    p->here = sim_host_new(p->sim, S("here"), S("10.0.0.1"));
    p->there = sim_host_new(p->sim, S("there"), S("10.0.0.2"));
    sink_start(&p->sink, p->there, "10.0.0.2:80");
    busy_start(&p->busy, p->here, "10.0.0.2:80");
}

static void pair_end(struct pair *p)
{
    busy_end(&p->busy);
    sink_end(&p->sink);
    sim_run_free(p->sim);
}

/* --- the same again --- */

static uint64_t hash_of_a_run(uint64_t seed)
{
    struct pair p;
    pair_start(&p, seed);
    sim_run_for(p.sim, 30 * NS_PER_MS);
    sim_link_cut(p.here, p.there);
    sim_run_for(p.sim, 20 * NS_PER_MS);
    sim_link_heal(p.here, p.there);
    sim_run_for(p.sim, 2 * NS_PER_S);
    sim_crash_now(p.here);
    busy_end(&p.busy);
    sim_host_restart(p.here);
    busy_start(&p.busy, p.here, "10.0.0.2:80");
    sim_run_for(p.sim, 30 * NS_PER_MS);
    uint64_t hash = sim_trace_hash(p.sim);
    pair_end(&p);
    return hash;
}

TEST(sim_runs_the_same_from_the_same_seed_and_differently_from_another)
{
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t hash = hash_of_a_run(test_seed() + i);
        CHECK_EQ(hash_of_a_run(test_seed() + i), hash);
        CHECK_NE(hash_of_a_run(test_seed() + i + 1), hash);
    }
}

/* What a test that does this prints, and how it ends. */
static str output_of(void (*fails)(void), char *text, size_t size, int *ret_status)
{
    size_t n = 0;
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        fails();
        _exit(0);
    }
    close(fds[1]);
    for (ssize_t got; (got = read(fds[0], text + n, size - n)) > 0;)
        n += (size_t)got;
    close(fds[0]);
    CHECK_EQ(waitpid(pid, ret_status, 0), pid);
    return str_of(text, n);
}

static void fail_a_check(void)
{
    struct sim *s = sim_run_new(4711);
    sim_clock_jump(sim_host_new(s, S("clocky"), S("10.0.0.1")), 7);
    CHECK_EQ(1 + 1, 3);
}

TEST(sim_prints_the_seed_and_how_to_replay_it_when_a_check_fails)
{
    char text[8192];
    int status;
    str got = output_of(fail_a_check, text, sizeof text, &status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    CHECK_CONTAINS(got, "does not hold: 1 + 1 == 3");
    CHECK_CONTAINS(got, "simulated run of seed 4711");
    CHECK_CONTAINS(got, "clocky     has its clock put 7 ns ahead");
    CHECK_CONTAINS(got, "make sim SEED=4711 T=sim_prints_the_seed_and_how_to_replay_it_when_a_check_fails");
}

static void touch_a_started_loop(void)
{
    struct sim *s = sim_run_new(4711);
    struct loop *l = make_loop(sim_host_new(s, S("h"), S("10.0.0.1")), "l");
    struct timer t;
    timer_init(&t, l, NULL);
    CHECK_OK(loop_start(l, &e));
    timer_set(&t, 0);
}

TEST(sim_catches_who_touches_a_started_loop_from_elsewhere)
{
    char text[8192];
    int status;
    str got = output_of(touch_a_started_loop, text, sizeof text, &status);
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    CHECK_CONTAINS(got, "loop_assert_owner");
    CHECK_CONTAINS(got, "make sim SEED=4711 T=sim_catches");
}

/* --- crashes --- */

/* Lines as the next life finds them: how many from the first on are whole. */
static uint64_t lines_found(struct sim_host *h)
{
    struct dir *d;
    struct file *f;
    uint64_t count = 0, line;
    size_t n;
    struct err why = ERR_INIT;
    CHECK_OK(dir_open(sim_host_env(h), S("/data"), DIR_CREATE, &d, &e));
    if (file_open(d, S("lines"), FILE_READ, &f, &why) == ERR_NONE) {
        for (;; count++) {
            CHECK_OK(file_read_at(f, count * 8, &line, 8, &n, &e));
            if (n < 8 || line != count + 1)
                break;
        }
        file_close(f);
    }
    dir_close(d);
    return count;
}

static void crash_at(uint64_t seed, uint64_t n)
{
    struct pair p;
    pair_start(&p, seed);
    uint64_t before = sim_host_ops(p.here); /* starting is not what is tested here */
    sim_crash_at(p.here, before + n);
    sim_run_for(p.sim, 20 * NS_PER_MS);
    CHECK(sim_host_is_crashed(p.here));
    CHECK_EQ(sim_host_ops(p.here), before + n);
    struct busy at_crash = p.busy;
    /* Nothing is delivered any more, nothing leaves. */
    sim_run_for(p.sim, 2 * NS_PER_S);
    CHECK_EQ(p.busy.callbacks, at_crash.callbacks);
    CHECK_LE(p.sink.bytes, at_crash.sent);
    /* The dead see what they did. */
    uint64_t size;
    CHECK_OK(file_size(p.busy.file, &size, &e));
    CHECK_GE(size, 8 * at_crash.written);
    busy_end(&p.busy);
    CHECK_EQ(p.busy.callbacks, at_crash.callbacks);
    CHECK_EQ(p.busy.posted, p.busy.noted + p.busy.dropped);
    CHECK_EQ(p.busy.submitted, p.busy.worked + p.busy.work_dropped);
    sim_host_restart(p.here);
    uint64_t found = lines_found(p.here);
    CHECK_GE(found, at_crash.synced);
    CHECK_LE(found, at_crash.written);
    /* The other end learns of it, sooner or later. */
    sim_run_for(p.sim, 200 * NS_PER_S);
    CHECK_EQ(p.sink.open_count, 0);
    if (p.sink.stream_count)
        CHECK(p.sink.last_end == ERR_IO || p.sink.last_end == ERR_TIMEOUT);
    busy_start(&p.busy, p.here, "10.0.0.2:80");
    sim_run_for(p.sim, 20 * NS_PER_MS);
    CHECK_GT(p.busy.noted, 0);
    pair_end(&p);
}

TEST_WITHIN(sim_swallows_every_effect_from_the_operation_of_the_crash_on, 60)
{
    for (struct sim_runs r = sim_runs(test_is_sanitized() ? 2 : 8); sim_runs_next(&r);) {
        struct pair p;
        pair_start(&p, r.seed);
        uint64_t before = sim_host_ops(p.here);
        sim_run_for(p.sim, 20 * NS_PER_MS);
        uint64_t all = sim_host_ops(p.here) - before;
        pair_end(&p);
        CHECK_GT(all, 30);
        for (uint64_t n = 0; n < all; n++)
            crash_at(r.seed, n);
    }
}

/* file_replace is the one durable thing most programs need: crash it everywhere. */
static void replace_and_crash(uint64_t seed, uint64_t crash, bool *ret_crashed)
{
    CLEANUP(sim_run_freep) struct sim *s = sim_run_new(seed);
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct sim_host *h = sim_host_new(s, S("h"), S("10.0.0.1"));
    struct dir *d;
    str content;
    const str old = S("old content"), new = S("and quite another, longer one");
    CHECK_OK(dir_open(sim_host_env(h), S("/etc/ours"), DIR_CREATE, &d, &e));
    CHECK_OK(file_replace(d, S("config"), old, &e));
    sim_crash_at(h, sim_host_ops(h) + crash);
    CHECK_OK(file_replace(d, S("config"), new, &e));
    *ret_crashed = sim_host_is_crashed(h);
    sim_crash_now(h);
    dir_close(d);
    sim_host_restart(h);
    CHECK_OK(dir_open(sim_host_env(h), S("/etc/ours"), 0, &d, &e));
    CHECK_OK(file_read_all(d, S("config"), &a, 1000, &content, &e));
    CHECK(str_eq(content, new) || (*ret_crashed && str_eq(content, old)));
    dir_close(d);
}

TEST(sim_file_replace_leaves_the_old_or_the_new_content_wherever_it_crashes)
{
    for (struct sim_runs r = sim_runs(50); sim_runs_next(&r);) {
        bool crashed = true;
        uint64_t n = 0;
        for (; crashed; n++)
            replace_and_crash(r.seed, n, &crashed);
        CHECK_GE(n, 6); /* create, write, sync, rename, sync the directory; and without */
    }
}

TEST(sim_a_lock_is_one_instances_until_a_crash_frees_it)
{
    CLEANUP(sim_run_freep) struct sim *s = sim_run_new(test_seed());
    struct sim_host *h = sim_host_new(s, S("h"), S("10.0.0.1"));
    struct dir *d, *d2;
    struct file *lock, *lock2;
    CHECK_OK(dir_open(sim_host_env(h), S("/run"), DIR_CREATE, &d, &e));
    CHECK_OK(dir_lock(d, S("lock"), &lock, &e));
    CHECK_ERR(CONFLICT, "somebody else", dir_lock(d, S("lock"), &lock2, &e));
    sim_crash_now(h);
    sim_host_restart(h);
    CHECK_OK(dir_open(sim_host_env(h), S("/run"), 0, &d2, &e));
    CHECK_OK(dir_lock(d2, S("lock"), &lock2, &e));
    /* What the dead let go of is not the living's. */
    file_close(lock);
    dir_close(d);
    CHECK_ERR(CONFLICT, "somebody else", dir_lock(d2, S("lock"), &lock, &e));
    file_close(lock2);
    dir_close(d2);
}

/* --- time and order --- */

struct noting {
    struct timer t;
    struct sim *sim;
    int id, *log;
    size_t *n;
    int64_t at;
};

static void note(struct timer *t)
{
    struct noting *x = CONTAINER_OF(t, struct noting, t);
    x->at = sim_now(x->sim);
    x->log[(*x->n)++] = x->id;
}

static bool never(void *ctx)
{
    return false;
}

TEST(sim_time_moves_to_the_next_event_and_no_further)
{
    CLEANUP(sim_run_freep) struct sim *s = sim_run_new(test_seed());
    struct sim_host *h = sim_host_new(s, S("h"), S("10.0.0.1"));
    struct loop *l = make_loop(h, "l");
    int log[4];
    size_t n = 0;
    struct noting a = {.sim = s, .id = 1, .log = log, .n = &n}, b = {.sim = s, .id = 2, .log = log, .n = &n};
    int64_t start = env_now_mono(sim_host_env(h)), wall = env_now_wall(sim_host_env(h));
    CHECK_EQ(wall, 1767225600 * NS_PER_S);
    timer_init(&a.t, l, note);
    timer_init(&b.t, l, note);
    timer_set(&a.t, 10 * NS_PER_S);
    timer_set(&b.t, 3600 * NS_PER_S);
    CHECK_OK(loop_start(l, &e));
    sim_run_for(s, 9 * NS_PER_S);
    CHECK_EQ(n, 0);
    CHECK_EQ(sim_now(s), 9 * NS_PER_S);
    CHECK(!sim_run_until(s, never, NULL, 2 * NS_PER_S));
    CHECK_EQ(n, 1);
    CHECK_EQ(a.at, 10 * NS_PER_S);
    CHECK_EQ(sim_now(s), 11 * NS_PER_S);
    while (sim_step(s)) {
    }
    CHECK_EQ(b.at, 3600 * NS_PER_S);
    CHECK_EQ(sim_now(s), 3600 * NS_PER_S);
    CHECK_EQ(env_now_mono(sim_host_env(h)) - start, 3600 * NS_PER_S);
    /* Nothing will ever happen again. */
    CHECK(!sim_run_until(s, never, NULL, 1000 * NS_PER_S));
    CHECK_EQ(sim_now(s), 3600 * NS_PER_S);
    sim_clock_jump(h, -5 * NS_PER_S);
    CHECK_EQ(env_now_wall(sim_host_env(h)) - wall, 3595 * NS_PER_S);
    CHECK_EQ(env_now_mono(sim_host_env(h)) - start, 3600 * NS_PER_S);
    end_loop(l);
}

TEST(sim_serves_loops_that_are_due_together_in_every_order)
{
    size_t seen[6] = {0};
    struct sim_runs r = sim_runs(120);
    while (sim_runs_next(&r)) {
        CLEANUP(sim_run_freep) struct sim *s = sim_run_new(r.seed);
        struct loop *loops[3];
        struct noting t[3];
        int log[3];
        size_t n = 0;
        for (int i = 0; i < 3; i++) {
            static const char *const ips[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
            loops[i] = make_loop(sim_host_new(s, S("h"), str_from_c(ips[i])), "l");
            t[i] = (struct noting){.sim = s, .id = i, .log = log, .n = &n};
            timer_init(&t[i].t, loops[i], note);
            timer_set(&t[i].t, NS_PER_S);
            CHECK_OK(loop_start(loops[i], &e));
        }
        sim_run_for(s, 2 * NS_PER_S);
        CHECK_EQ(n, 3);
        seen[2 * log[0] + (log[1] > log[2])]++;
        for (int i = 0; i < 3; i++)
            end_loop(loops[i]);
    }
    for (int i = 0; i < 6 && !sim_runs_is_replay(&r); i++)
        CHECK_GT(seen[i], 3);
}

struct slow_sync {
    struct loop_msg msg, after;
    struct loop *other;
    struct file *file;
    struct env *env;
    struct sim *sim;
    int64_t took, arrived;
};

static void note_arrival(struct loop_msg *m)
{
    struct slow_sync *y = CONTAINER_OF(m, struct slow_sync, after);
    y->arrived = sim_now(y->sim);
}

static void sync_slowly(struct loop_msg *m)
{
    struct slow_sync *y = CONTAINER_OF(m, struct slow_sync, msg);
    int64_t before = env_now_mono(y->env);
    CHECK_OK(file_sync(y->file, &e));
    y->took = env_now_mono(y->env) - before;
    loop_post(y->other, &y->after);
}

TEST(sim_a_sync_takes_the_time_of_its_loop_only)
{
    struct sim_opts opts = {.seed = test_seed(), .sync_min_ns = NS_PER_S, .sync_max_ns = 2 * NS_PER_S};
    CLEANUP(sim_run_freep) struct sim *s = sim_run_new_opts(&opts);
    struct sim_host *h = sim_host_new(s, S("h"), S("10.0.0.1"));
    struct loop *l = make_loop(h, "syncs"), *other = make_loop(h, "other");
    struct dir *d;
    int log[1];
    size_t n = 0;
    struct noting t = {.sim = s, .log = log, .n = &n};
    struct slow_sync y = {.msg.run = sync_slowly, .after.run = note_arrival, .other = other, .sim = s};
    y.env = sim_host_env(h);
    CHECK_OK(dir_open(y.env, S("/d"), DIR_CREATE, &d, &e));
    CHECK_OK(file_open(d, S("f"), FILE_WRITE | FILE_CREATE, &y.file, &e));
    timer_init(&t.t, other, note);
    timer_set(&t.t, 500 * NS_PER_MS);
    loop_post(l, &y.msg);
    CHECK_OK(loop_start(l, &e));
    CHECK_OK(loop_start(other, &e));
    sim_run_for(s, 700 * NS_PER_MS);
    CHECK_EQ(n, 1); /* nobody else waits */
    CHECK_EQ(t.at, 500 * NS_PER_MS);
    n = 0;
    sim_run_for(s, 10 * NS_PER_S);
    CHECK_GE(y.took, NS_PER_S);
    CHECK_LE(y.took, 2 * NS_PER_S);
    CHECK_GE(y.arrived, y.took); /* what is posted after it comes after it */
    end_loop(l);
    end_loop(other);
    file_close(y.file);
    dir_close(d);
}

static void post_again(struct loop_msg *m)
{
    struct slow_sync *y = CONTAINER_OF(m, struct slow_sync, msg);
    loop_post(y->other, m);
}

TEST(sim_ends_a_run_that_never_comes_to_rest)
{
    struct sim_opts opts = {.seed = test_seed(), .event_max = 1000};
    CLEANUP(sim_run_freep) struct sim *s = sim_run_new_opts(&opts);
    struct loop *l = make_loop(sim_host_new(s, S("h"), S("10.0.0.1")), "restless");
    struct slow_sync y = {.msg.run = post_again, .other = l};
    loop_post(l, &y.msg);
    CHECK_OK(loop_start(l, &e));
    CHECK(!sim_run_until(s, never, NULL, INT64_MAX));
    CHECK(sim_is_livelocked(s));
    CHECK(!sim_step(s));
    end_loop(l);
}

struct signal_log {
    struct loop_signals s;
    int log[8];
    size_t n;
};

static void note_signal(struct loop_signals *s, int signo)
{
    struct signal_log *g = CONTAINER_OF(s, struct signal_log, s);
    g->log[g->n++] = signo;
}

TEST(sim_a_signal_reaches_the_loop_that_takes_it)
{
    CLEANUP(sim_run_freep) struct sim *s = sim_run_new(test_seed());
    struct sim_host *h = sim_host_new(s, S("h"), S("10.0.0.1"));
    struct loop *l = make_loop(h, "l");
    struct signal_log g = {.s.on_signal = note_signal}, other = {.s.on_signal = note_signal};
    CHECK_OK(loop_signals_start(l, &g.s, (int[]){15, 1}, 2, &e));
    CHECK_ERR(CONFLICT, "another loop", loop_signals_start(l, &other.s, (int[]){2}, 1, &e));
    CHECK_OK(loop_start(l, &e));
    sim_signal(h, 15);
    sim_signal(h, 15); /* as with real ones: pending once */
    sim_signal(h, 2);  /* not ours */
    CHECK_EQ(g.n, 0);
    sim_run_for(s, NS_PER_MS);
    CHECK_EQ(g.n, 1);
    CHECK_EQ(g.log[0], 15);
    sim_crash_now(h);
    sim_signal(h, 1);
    sim_run_for(s, NS_PER_MS);
    CHECK_EQ(g.n, 1);
    loop_signals_stop(&g.s);
    end_loop(l);
}

/* --- network --- */

/* A client that connects and does nothing but look whether its stream still lives. */
struct caller {
    struct loop *loop;
    struct stream *s;
    bool connected;
    err_code end;
    int64_t at;
    struct sim *sim;
};

static void caller_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct caller *c = ctx;
    struct err why = ERR_INIT;
    char byte;
    size_t n;
    c->at = sim_now(c->sim);
    if (ready & STREAM_READ)
        c->end = stream_read(s, &byte, 1, &n, &why);
    if (!(ready & STREAM_READ) || c->end == ERR_AGAIN || c->end == ERR_NONE)
        c->connected = true;
    stream_want(s, c->connected && c->end == ERR_NONE ? STREAM_READ : 0);
}

static void caller_start(struct caller *c, struct sim *s, struct sim_host *h, const char *to)
{
    struct net_addr a = address(to);
    *c = (struct caller){.loop = make_loop(h, "caller"), .sim = s};
    CHECK_OK(stream_connect(c->loop, &a, (struct stream_handler){caller_ready, c}, &c->s, &e));
    stream_want(c->s, STREAM_WRITE | STREAM_READ);
    CHECK_OK(loop_start(c->loop, &e));
}

static void caller_end(struct caller *c)
{
    loop_stop(c->loop);
    loop_join(c->loop);
    stream_close(c->s);
    loop_free(c->loop);
}

TEST(sim_a_cut_link_stalls_and_goes_on_when_it_is_healed_in_time)
{
    for (struct sim_runs r = sim_runs(20); sim_runs_next(&r);) {
        struct pair p;
        pair_start(&p, r.seed);
        sim_run_for(p.sim, 50 * NS_PER_MS);
        CHECK_GT(p.sink.bytes, 0);
        sim_link_cut(p.here, p.there);
        sim_run_for(p.sim, NS_PER_MS); /* for what had arrived to be read */
        uint64_t at_cut = p.sink.bytes;
        sim_run_for(p.sim, 5 * NS_PER_S);
        CHECK_EQ(p.sink.bytes, at_cut);
        CHECK_GT(p.busy.sent, at_cut + 100); /* it does not know */
        sim_link_heal(p.here, p.there);
        sim_run_for(p.sim, 5 * NS_PER_S);
        CHECK_EQ(p.sink.open_count, 1);
        CHECK_GE(p.sink.bytes, p.busy.sent - 100);
        pair_end(&p);
    }
}

TEST(sim_a_link_cut_for_long_ends_the_streams_on_both_sides)
{
    for (struct sim_runs r = sim_runs(20); sim_runs_next(&r);) {
        CLEANUP(sim_run_freep) struct sim *s = sim_run_new(r.seed);
        struct sim_host *a = sim_host_new(s, S("a"), S("10.0.0.1"));
        struct sim_host *b = sim_host_new(s, S("b"), S("10.0.0.2"));
        struct sink k;
        struct caller c, late;
        sink_start(&k, b, "10.0.0.2:80");
        caller_start(&c, s, a, "10.0.0.2:80");
        sim_run_for(s, NS_PER_S);
        CHECK(c.connected);
        sim_link_cut(a, b);
        caller_start(&late, s, a, "10.0.0.2:80");
        sim_run_for(s, 200 * NS_PER_S);
        CHECK_EQ(c.end, ERR_TIMEOUT);
        CHECK_EQ(k.last_end, ERR_TIMEOUT);
        CHECK(!late.connected);
        CHECK_EQ(late.end, ERR_TIMEOUT);
        CHECK_GE(late.at, 20 * NS_PER_S);
        caller_end(&c);
        caller_end(&late);
        sink_end(&k);
    }
}

TEST(sim_connecting_says_what_is_wrong_with_the_other_end)
{
    CLEANUP(sim_run_freep) struct sim *s = sim_run_new(test_seed());
    struct sim_host *a = sim_host_new(s, S("a"), S("10.0.0.1"));
    struct sim_host *b = sim_host_new(s, S("b"), S("fd00::2"));
    struct sim_host *down = sim_host_new(s, S("down"), S("10.0.0.3"));
    struct sim_host *back = sim_host_new(s, S("back"), S("10.0.0.4"));
    struct caller c[6];
    struct sink k, k2, k3;
    sim_crash_now(down);
    sim_crash_now(back);
    sink_start(&k, b, "[::]:80");
    sink_start(&k2, a, "unix:/run/a.sock");
    caller_start(&c[0], s, a, "[fd00::2]:80");
    caller_start(&c[1], s, a, "[fd00::2]:81");     /* nobody listens */
    caller_start(&c[2], s, a, "10.9.9.9:80");      /* nobody has that address */
    caller_start(&c[3], s, a, "10.0.0.3:80");      /* dead */
    caller_start(&c[4], s, a, "unix:/run/a.sock"); /* of the same host */
    caller_start(&c[5], s, b, "unix:/run/a.sock"); /* of another */
    struct caller patient;
    caller_start(&patient, s, b, "10.0.0.4:80"); /* dead, but not for long */
    sim_run_for(s, NS_PER_S);
    sim_host_restart(back);
    sink_start(&k3, back, "10.0.0.4:80");
    sim_run_for(s, 200 * NS_PER_S);
    CHECK(c[0].connected && c[4].connected && patient.connected);
    CHECK_EQ(c[1].end, ERR_UNAVAILABLE);
    CHECK_LE(c[1].at, NS_PER_S);
    CHECK_EQ(c[2].end, ERR_UNAVAILABLE);
    CHECK_EQ(c[3].end, ERR_TIMEOUT);
    CHECK_EQ(c[5].end, ERR_UNAVAILABLE);
    for (int i = 0; i < 6; i++)
        caller_end(&c[i]);
    caller_end(&patient);
    sink_end(&k);
    sink_end(&k2);
    sink_end(&k3);
}

TEST(sim_latency_is_that_of_the_link)
{
    for (struct sim_runs r = sim_runs(20); sim_runs_next(&r);) {
        CLEANUP(sim_run_freep) struct sim *s = sim_run_new(r.seed);
        struct sim_host *a = sim_host_new(s, S("a"), S("10.0.0.1"));
        struct sim_host *b = sim_host_new(s, S("b"), S("10.0.0.2"));
        struct sink k;
        struct caller far, near;
        sim_link_latency(a, b, 100 * NS_PER_MS, 150 * NS_PER_MS);
        sink_start(&k, b, "0.0.0.0:80");
        caller_start(&far, s, a, "10.0.0.2:80");
        caller_start(&near, s, b, "127.0.0.1:80");
        sim_run_for(s, 10 * NS_PER_S);
        CHECK(far.connected && near.connected);
        CHECK_GE(far.at, 200 * NS_PER_MS);
        CHECK_LE(far.at, 301 * NS_PER_MS);
        CHECK_LE(near.at, NS_PER_MS);
        caller_end(&far);
        caller_end(&near);
        sink_end(&k);
    }
}

TEST(sim_a_link_resets_streams_at_the_rate_it_is_told)
{
    size_t resets = 0;
    struct sim_runs r = sim_runs(50);
    while (sim_runs_next(&r)) {
        struct pair p;
        pair_start(&p, r.seed);
        sim_link_reset_rate(p.here, p.there, 0.05);
        sim_run_for(p.sim, 40 * NS_PER_MS);
        resets += p.sink.stream_count && !p.sink.open_count;
        if (!p.sink.open_count && p.sink.stream_count)
            CHECK_EQ(p.sink.last_end, ERR_IO);
        pair_end(&p);
    }
    if (!sim_runs_is_replay(&r)) {
        CHECK_GT(resets, 5);
        CHECK_LT(resets, r.done);
    }
}

/* --- disk faults, as a program meets them --- */

TEST(sim_disk_faults_come_as_errors_at_their_rate_and_a_full_disk_says_so)
{
    CLEANUP(sim_run_freep) struct sim *s = sim_run_new(test_seed());
    struct sim_host *h = sim_host_new(s, S("h"), S("10.0.0.1"));
    struct dir *d;
    struct file *f;
    int failed[3] = {0};
    char bytes[1000] = {0};
    size_t n;
    struct err why = ERR_INIT;
    CHECK_OK(dir_open(sim_host_env(h), S("/d"), DIR_CREATE, &d, &e));
    CHECK_OK(file_open(d, S("f"), FILE_READ | FILE_WRITE | FILE_CREATE, &f, &e));
    sim_disk_faults_set(h,
                        &(struct sim_disk_faults){.write_error = 0.3, .read_error = 0.2, .sync_error = 0.1});
    for (int i = 0; i < 1000; i++) {
        failed[0] += file_write_at(f, 0, bytes, 1000, &why) == ERR_IO;
        failed[1] += file_read_at(f, 0, bytes, 1000, &n, &why) == ERR_IO;
        failed[2] += file_sync(f, &why) == ERR_IO;
    }
    CHECK(failed[0] > 200 && failed[0] < 400);
    CHECK(failed[1] > 120 && failed[1] < 280);
    CHECK(failed[2] > 40 && failed[2] < 160);
    sim_disk_faults_set(h, &(struct sim_disk_faults){.full_at_bytes = 2500});
    CHECK_OK(file_write_at(f, 1000, bytes, 1000, &e));
    CHECK_ERR(DISK_FULL, "could not write 'f'", file_write_at(f, 2000, bytes, 1000, &e));
    CHECK_OK(file_write_at(f, 0, bytes, 1000, &e)); /* what is there already may be overwritten */
    CHECK_OK(file_truncate(f, 0, &e));
    CHECK_OK(file_write_at(f, 0, bytes, 1000, &e));
    file_close(f);
    dir_close(d);
}

TEST(sim_random_numbers_of_a_host_are_its_own_and_repeat)
{
    uint64_t got[3][2];
    for (int run = 0; run < 3; run++) {
        CLEANUP(sim_run_freep) struct sim *s = sim_run_new(test_seed() + (uint64_t)(run == 2));
        struct sim_host *a = sim_host_new(s, S("a"), S("10.0.0.1"));
        struct sim_host *b = sim_host_new(s, S("b"), S("10.0.0.2"));
        if (run == 1)
            sim_random(s, 10); /* another sequence */
        got[run][0] = env_random_u64(sim_host_env(a));
        got[run][1] = env_random_u64(sim_host_env(b));
        CHECK_LT(sim_random(s, 3), 3);
    }
    CHECK_EQ(got[0][0], got[1][0]);
    CHECK_EQ(got[0][1], got[1][1]);
    CHECK_NE(got[0][0], got[0][1]);
    CHECK_NE(got[0][0], got[2][0]);
}
