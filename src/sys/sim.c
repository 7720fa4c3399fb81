/* sim.c - the world: time, events, hosts and their lives, crashes, the trace. */
#include "base/buf.h"
#include "base/mem.h"
#include "sys/sim_priv.h"
#include <stdio.h>

#define WALL_START_DEFAULT (1767225600 * NS_PER_S) /* 2026-01-01T00:00:00Z */
#define HOST_MAX           100000

/* --- events: a binary heap in order of time, then of the dice --- */

static bool event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->tie < b->tie;
}

static void event_put(struct sim *s, uint32_t i, struct sim_event *e)
{
    s->events[i] = e;
    e->heap_index = i;
}

/* `e` belongs at `i` or somewhere up or down from it. */
static void event_sift(struct sim *s, uint32_t i, struct sim_event *e)
{
    while (i > 1 && event_before(e, s->events[i / 2])) {
        event_put(s, i, s->events[i / 2]);
        i /= 2;
    }
    for (uint32_t child; (child = 2 * i) <= s->event_n; i = child) {
        if (child < s->event_n && event_before(s->events[child + 1], s->events[child]))
            child++;
        if (!event_before(s->events[child], e))
            break;
        event_put(s, i, s->events[child]);
    }
    event_put(s, i, e);
}

void sim_event_set(struct sim *s, struct sim_event *e, int64_t at_ns)
{
    sim_event_cancel(s, e);
    e->at_ns = at_ns > s->now ? at_ns : s->now;
    e->tie = sim_random_next(&s->dice[SIM_DICE_ORDER]);
    if (s->event_n + 1 >= s->event_cap) {
        ASSERT(s->event_cap < UINT32_MAX / 4);
        s->event_cap = s->event_cap ? 2 * s->event_cap : 64;
        s->events = mem_realloc(s->events, s->event_cap * sizeof *s->events);
    }
    event_sift(s, ++s->event_n, e);
}

void sim_event_cancel(struct sim *s, struct sim_event *e)
{
    uint32_t i = e->heap_index;
    if (!i)
        return;
    e->heap_index = 0;
    struct sim_event *last = s->events[s->event_n--];
    if (last != e)
        event_sift(s, i, last);
}

/* --- trace --- */

static const char *const trace_words[] = {
#define X(name, words) [SIM_##name] = words,
    SIM_TRACE_KINDS(X)
#undef X
};

static void hash_add(struct sim *s, uint64_t v)
{
    s->trace_hash = sim_random_mix(s->trace_hash ^ v) + 0x9e3779b97f4a7c15u;
}

void sim_trace_bytes(struct sim *s, const void *p, size_t n)
{
    hash_add(s, str_hash(str_of(p, n)));
}

void sim_trace(struct sim *s, const struct sim_host *h, enum sim_trace_kind kind, str text, uint64_t a,
               uint64_t b)
{
    hash_add(s, (uint64_t)sim_time(s));
    hash_add(s, (uint64_t)h->index << 32 | kind);
    hash_add(s, a);
    hash_add(s, b);
    if (text.n)
        sim_trace_bytes(s, text.p, text.n);
    struct sim_trace_entry *e = &s->trace[s->trace_n++ % SIM_TRACE_RING];
    *e = (struct sim_trace_entry){.at_ns = sim_time(s), .host = h, .kind = kind, .a = a, .b = b};
    size_t n = size_min(text.n, sizeof e->text - 1);
    if (n)
        memcpy(e->text, text.p, n);
}

uint64_t sim_trace_hash(const struct sim *s)
{
    return s->trace_hash;
}

static void format_words(struct buf *b, const struct sim_trace_entry *e)
{
    for (const char *w = trace_words[e->kind]; *w; w++) {
        if (*w != '%') {
            buf_add_c(b, *w);
            continue;
        }
        switch (*++w) {
        case 's': buf_add(b, str_from_c(e->text)); break;
        case 'a': buf_add_i64(b, (int64_t)e->a); break;
        case 'b': buf_add_i64(b, (int64_t)e->b); break;
        }
    }
}

void sim_trace_print(const struct sim *s, size_t last)
{
    uint64_t kept = s->trace_n < SIM_TRACE_RING ? s->trace_n : SIM_TRACE_RING;
    uint64_t first = s->trace_n - (last < kept ? last : kept);
    fprintf(stderr,
            "simulated run of seed %llu: %llu events, %lld.%09lld s, hash %016llx; the newest %llu of %llu "
            "things that happened:\n",
            (unsigned long long)s->opts.seed, (unsigned long long)s->event_count,
            (long long)(s->now / NS_PER_S), (long long)(s->now % NS_PER_S), (unsigned long long)s->trace_hash,
            (unsigned long long)(s->trace_n - first), (unsigned long long)s->trace_n);
    CLEANUP(buf_done) struct buf line;
    buf_init(&line, 1024);
    for (uint64_t i = first; i < s->trace_n; i++) {
        const struct sim_trace_entry *e = &s->trace[i % SIM_TRACE_RING];
        buf_clear(&line);
        format_words(&line, e);
        fprintf(stderr, "%6lld.%09lld  %-10s %" STR_FMT "\n", (long long)(e->at_ns / NS_PER_S),
                (long long)(e->at_ns % NS_PER_S), e->host->name, STR_ARG(buf_str(&line)));
    }
}

/* --- time --- */

int64_t sim_time(const struct sim *s)
{
    return s->now + s->spent;
}

void sim_spend(struct sim *s, int64_t ns)
{
    *(s->in_event ? &s->spent : &s->now) += ns;
}

int64_t sim_now(const struct sim *s)
{
    return s->now;
}

static int64_t now_mono(struct env *env)
{
    const struct sim_host *h = sim_host_of(env);
    return sim_time(h->sim) + h->mono_offset_ns;
}

static int64_t now_wall(struct env *env)
{
    const struct sim_host *h = sim_host_of(env);
    return h->sim->opts.wall_start_ns + sim_time(h->sim) + h->wall_offset_ns;
}

static void sleep_for(struct env *env, int64_t ns)
{
    sim_spend(sim_host_of(env)->sim, ns);
}

static void fill_random(struct env *env, void *p, size_t n)
{
    struct sim_host *h = sim_host_of(env);
    char *at = p;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t v = sim_random_next(&h->env_dice);
        memcpy(at + i, &v, size_min(8, n - i));
    }
}

/* --- crash --- */

bool sim_life_is(const struct sim_host *h, uint64_t life)
{
    return !h->crashed && h->life == life;
}

void sim_crash_now(struct sim_host *h)
{
    if (h->crashed)
        return;
    sim_trace(h->sim, h, SIM_CRASH, STR_NONE, h->ops, 0);
    h->crashed = true;
    h->crash_at = UINT64_MAX;
    h->survivor = sim_disk_crash(h->disk);
    sim_loops_crash(h);
    sim_net_crash(h);
}

bool sim_effect(struct sim_host *h, enum sim_trace_kind kind, str text, uint64_t b)
{
    if (h->ops >= h->crash_at)
        sim_crash_now(h);
    if (h->crashed)
        return false;
    sim_trace(h->sim, h, kind, text, h->ops++, b);
    return true;
}

static bool deliver(struct env *env)
{
    return sim_effect(sim_host_of(env), SIM_DELIVER, STR_NONE, 0);
}

uint64_t sim_host_ops(const struct sim_host *h)
{
    return h->ops;
}

void sim_crash_at(struct sim_host *h, uint64_t op)
{
    h->crash_at = op;
}

bool sim_host_is_crashed(const struct sim_host *h)
{
    return h->crashed;
}

/* A clock that counts from the start of the machine; as little to be compared among hosts, or lives, as a real one. */
static void start_clock(struct sim_host *h)
{
    int64_t up_ns = sim_random_between(&h->env_dice, 1, 1000000) * NS_PER_S / 10;
    h->mono_offset_ns = up_ns - sim_time(h->sim);
}

void sim_host_restart(struct sim_host *h)
{
    ASSERT(h->crashed);
    sim_disk_unref(h->disk);
    h->disk = TAKE(h->survivor);
    h->crashed = false;
    h->life++;
    start_clock(h);
    sim_trace(h->sim, h, SIM_RESTART, STR_NONE, h->life, 0);
}

/* --- hosts --- */

static void env_stays(struct env *env)
{
    /* It lives as long as the world. */
}

static const struct env_ops sim_ops = {
    .now_mono = now_mono,
    .now_wall = now_wall,
    .sleep = sleep_for,
    .random = fill_random,
    .free = env_stays,
    .loop_open = sim_loop_open,
    .loop_start = sim_loop_start,
    .loop_join = sim_loop_join,
    .loop_run_until = sim_loop_run_until,
    .loop_wake = sim_loop_wake,
    .loop_quiet = sim_loop_quiet,
    .loop_close = sim_loop_close,
    .submit = sim_submit,
    .signals_start = sim_signals_start,
    .signals_stop = sim_signals_stop,
    .effect = deliver,
    .connect = sim_connect,
    .pair = sim_pair,
    .listen = sim_listen,
    .dir_open = sim_dir_open,
    .spawn = NULL,
};

struct sim_host *sim_host_of(struct env *env)
{
    ASSERT(env->ops == &sim_ops);
    return CONTAINER_OF(env, struct sim_host, env);
}

struct sim_host *sim_host_new(struct sim *s, str name, str ip)
{
    ASSERT(s->host_n < HOST_MAX);
    struct sim_host *h = NEW(struct sim_host);
    struct err e = ERR_INIT;
    err_code bad_ip = net_ip_parse(ip, &h->ip, &e);
    ASSERT(!bad_ip);
    void *other = map_set(&s->host_by_ip, sim_ip_key(&h->ip), h);
    ASSERT(!other);
    h->env.ops = &sim_ops;
    h->sim = s;
    h->index = (uint32_t)s->host_n;
    size_t name_n = size_min(name.n, sizeof h->name - 1);
    if (name_n)
        memcpy(h->name, name.p, name_n);
    h->env_dice = sim_random_new(s->opts.seed, ((uint64_t)h->index + 1) << 32);
    h->disk_dice = sim_random_new(s->opts.seed, ((uint64_t)h->index + 1) << 32 | 1);
    h->crash_at = UINT64_MAX;
    h->disk = sim_disk_new(sim_random_next(&h->disk_dice));
    h->port_next = (uint16_t)sim_random_between(&h->env_dice, SIM_PORT_MIN, SIM_PORT_MAX);
    sim_list_init(&h->loops);
    sim_list_init(&h->listeners);
    sim_list_init(&h->ends);
    start_clock(h);
    s->hosts = mem_realloc(s->hosts, (s->host_n + 1) * sizeof *s->hosts);
    s->hosts[s->host_n++] = h;
    sim_trace(s, h, SIM_HOST_NEW, STR_NONE, 0, 0);
    return h;
}

struct env *sim_host_env(struct sim_host *h)
{
    return &h->env;
}

void sim_clock_jump(struct sim_host *h, int64_t ns)
{
    h->wall_offset_ns += ns;
    sim_trace(h->sim, h, SIM_CLOCK_JUMP, STR_NONE, (uint64_t)ns, 0);
}

void sim_disk_faults_set(struct sim_host *h, const struct sim_disk_faults *f)
{
    h->faults = *f;
    sim_trace(h->sim, h, SIM_FAULTS, STR_NONE, 0, 0);
}

/* --- life of the world --- */

static void default_range(int64_t *min, int64_t *max, int64_t default_min, int64_t default_max)
{
    if (!*min && !*max) {
        *min = default_min;
        *max = default_max;
    }
    ASSERT(0 <= *min && *min <= *max);
}

struct sim *sim_new(const struct sim_opts *opts)
{
    struct sim *s = NEW(struct sim);
    s->opts = *opts;
    if (!s->opts.wall_start_ns)
        s->opts.wall_start_ns = WALL_START_DEFAULT;
    default_range(&s->opts.latency_min_ns, &s->opts.latency_max_ns, 50 * NS_PER_US, 2 * NS_PER_MS);
    default_range(&s->opts.work_min_ns, &s->opts.work_max_ns, 10 * NS_PER_US, 5 * NS_PER_MS);
    default_range(&s->opts.sync_min_ns, &s->opts.sync_max_ns, 100 * NS_PER_US, NS_PER_MS);
    for (size_t i = 0; i < SIM_DICE_COUNT; i++)
        s->dice[i] = sim_random_new(s->opts.seed, i);
    map_init(&s->host_by_ip, (uint64_t[]){0, 0}, MAP_BORROW_KEYS);
    s->trace_hash = s->opts.seed;
    s->trace = NEW_ARRAY(struct sim_trace_entry, SIM_TRACE_RING);
    sim_net_init(s);
    return s;
}

void sim_free(struct sim *s)
{
    if (!s)
        return;
    ASSERT(!s->in_event);
    sim_net_done(s);
    map_done(&s->host_by_ip);
    for (size_t i = 0; i < s->host_n; i++) {
        sim_disk_unref(s->hosts[i]->disk);
        sim_disk_unref(s->hosts[i]->survivor);
        mem_free(s->hosts[i]);
    }
    mem_free(s->hosts);
    mem_free(s->events);
    mem_free(s->trace);
    mem_free(s);
}

void sim_freep(struct sim **s)
{
    sim_free(*s);
}

uint64_t sim_seed(const struct sim *s)
{
    return s->opts.seed;
}

uint64_t sim_random(struct sim *s, uint64_t below)
{
    return sim_random_below(&s->dice[SIM_DICE_SCENARIO], below);
}

/* --- running --- */

bool sim_is_livelocked(const struct sim *s)
{
    return s->livelocked;
}

static void report_livelock(struct sim *s)
{
    s->livelocked = true;
    fprintf(stderr, "live-lock: the run of seed %llu goes on after %llu events\n",
            (unsigned long long)s->opts.seed, (unsigned long long)s->event_count);
    sim_trace_print(s, 40);
}

bool sim_step_until(struct sim *s, int64_t until)
{
    ASSERT(!s->in_event);
    if (!s->event_n || s->events[1]->at_ns > until || s->livelocked)
        return false;
    if (s->opts.event_max && s->event_count >= s->opts.event_max) {
        report_livelock(s);
        return false;
    }
    struct sim_event *e = s->events[1];
    sim_event_cancel(s, e);
    s->now = e->at_ns > s->now ? e->at_ns : s->now;
    s->event_count++;
    s->in_event = true;
    e->fire(e);
    s->in_event = false;
    s->spent = 0;
    return true;
}

int64_t sim_deadline(const struct sim *s, int64_t timeout_ns)
{
    int64_t until;
    return __builtin_add_overflow(s->now, timeout_ns, &until) ? INT64_MAX : until;
}

bool sim_step(struct sim *s)
{
    return sim_step_until(s, INT64_MAX);
}

void sim_run_for(struct sim *s, int64_t ns)
{
    int64_t until = sim_deadline(s, ns);
    while (sim_step_until(s, until)) {
    }
    s->now = until > s->now ? until : s->now;
}

bool sim_run_until(struct sim *s, bool (*cond)(void *ctx), void *ctx, int64_t timeout_ns)
{
    int64_t until = sim_deadline(s, timeout_ns);
    while (!cond(ctx)) {
        if (sim_step_until(s, until))
            continue;
        /* Nothing left at all: the clock stays, there is nothing to wait for. */
        if (s->event_n && !s->livelocked && until > s->now)
            s->now = until;
        return false;
    }
    return true;
}
