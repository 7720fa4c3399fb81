/* sim_run.c - seeds for simulated runs, and the report of one that failed. */
#include "harness/sim_run.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EVENTS_SHOWN 60

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t number_from_environment(const char *name)
{
    uint64_t v = 0;
    const char *text = getenv(name);
    if (text && text[0] && !str_parse_u64(str_from_c(text), &v))
        FAIL("%s is '%s', which is not a number", name, text);
    return v;
}

struct sim_runs sim_runs(uint64_t count)
{
    uint64_t only = number_from_environment("SKIFF_SIM_RUNS");
    uint64_t seconds = number_from_environment("SKIFF_SIM_SECONDS");
    return (struct sim_runs){.first = test_seed(),
                             .count = only ? only : count,
                             .replay = only != 0,
                             .until_ms = seconds ? now_ms() + (int64_t)seconds * 1000 : 0};
}

bool sim_runs_next(struct sim_runs *r)
{
    if (r->done >= r->count && now_ms() >= r->until_ms)
        return false;
    r->seed = r->first + r->done++;
    return true;
}

bool sim_runs_is_replay(const struct sim_runs *r)
{
    return r->replay;
}

static void report(void *ctx)
{
    const struct sim *s = ctx;
    fflush(stdout);
    sim_trace_print(s, EVENTS_SHOWN);
    fprintf(stderr, "replay this run: make sim SEED=%llu T=%s\n", (unsigned long long)sim_seed(s),
            test_name());
}

struct sim *sim_run_new_opts(const struct sim_opts *opts)
{
    struct sim_opts with_bound = *opts;
    if (!with_bound.event_max)
        with_bound.event_max = SIM_RUN_EVENT_MAX;
    struct sim *s = sim_new(&with_bound);
    test_on_failure(report, s);
    return s;
}

struct sim *sim_run_new(uint64_t seed)
{
    return sim_run_new_opts(&(struct sim_opts){.seed = seed});
}

void sim_run_free(struct sim *s)
{
    test_on_failure(NULL, NULL);
    sim_free(s);
}

void sim_run_freep(struct sim **s)
{
    sim_run_free(*s);
}
