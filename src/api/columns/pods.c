/* pods.c - pods as people look at them: one word for what a pod is at, from its phase, its containers and its conditions. */
#include "api/columns/columns.h"
#include <inttypes.h>

struct pod_summary {
    str status;
    size_t total;
    int64_t ready, restarts;
    struct kube_time restarted_at; /* the last time; zero: not known */
};

static void count_restarts(struct pod_summary *s, const struct container_status *c)
{
    s->restarts += c->restart_count;
    const struct container_state_terminated *before = c->last_state.terminated;
    if (before && kube_time_cmp(before->finished_at, s->restarted_at) > 0)
        s->restarted_at = before->finished_at;
}

/* "Completed", "Signal:9", "ExitCode:1" */
static str end_of_container(struct row *r, const char *before, const struct container_state_terminated *t)
{
    if (t->reason.n)
        return str_concat(r->arena, str_from_c(before), t->reason);
    if (t->signal)
        return str_format(r->arena, "%sSignal:%" PRId32, before, t->signal);
    return str_format(r->arena, "%sExitCode:%" PRId32, before, t->exit_code);
}

/* Init containers that stay: sidecars. */
static struct text_set sidecars_of(struct row *r, const struct pod *p)
{
    const struct container_array *init = &p->spec.init_containers;
    struct text_set set = {.items = ARENA_ARRAY(r->arena, str, init->count)};
    for (size_t i = 0; i < init->count; i++)
        if (str_is(init->items[i].restart_policy, "Always"))
            set.items[set.count++] = init->items[i].name;
    return set;
}

/* True: at the init container that says `s->status`. `sidecars` sums up those alone. */
static bool initialize(struct row *r, const struct pod *p, const struct text_set *names,
                       struct pod_summary *s, struct pod_summary *sidecars)
{
    const struct container_status_array *all = &p->status.init_container_statuses;
    for (size_t i = 0; i < all->count; i++) {
        const struct container_status *c = &all->items[i];
        const struct container_state *now = &c->state;
        bool is_sidecar = text_set_has(names, c->name);
        count_restarts(s, c);
        if (is_sidecar)
            count_restarts(sidecars, c);
        if (now->terminated && now->terminated->exit_code == 0)
            continue;
        if (is_sidecar && c->started.value) {
            s->ready += c->ready;
            continue;
        }
        if (now->terminated)
            s->status = end_of_container(r, "Init:", now->terminated);
        else if (now->waiting && now->waiting->reason.n && !str_is(now->waiting->reason, "PodInitializing"))
            s->status = str_concat(r->arena, S("Init:"), now->waiting->reason);
        else
            s->status = str_format(r->arena, "Init:%zu/%zu", i, p->spec.init_containers.count);
        return true;
    }
    return false;
}

static void run(struct row *r, const struct pod *p, struct pod_summary *s)
{
    const struct container_status_array *all = &p->status.container_statuses;
    bool is_one_running = false;
    for (size_t i = all->count; i-- > 0;) {
        const struct container_status *c = &all->items[i];
        const struct container_state *now = &c->state;
        count_restarts(s, c);
        if (now->waiting && now->waiting->reason.n) {
            s->status = now->waiting->reason;
        } else if (now->terminated) {
            s->status = end_of_container(r, "", now->terminated);
        } else if (c->ready && now->running) {
            is_one_running = true;
            s->ready++;
        }
    }
    if (is_one_running && str_is(s->status, "Completed")) {
        const struct pod_condition *ready = CONDITION_FIND(&p->status.conditions, "Ready");
        s->status = ready && str_is(ready->status, "True") ? S("Running") : S("NotReady");
    }
}

static bool is_finished(const struct pod *p)
{
    return str_is(p->status.phase, "Succeeded") || str_is(p->status.phase, "Failed");
}

static struct pod_summary summary_of(struct row *r, const struct pod *p)
{
    struct text_set names = sidecars_of(r, p);
    struct pod_summary s = {
        .status = p->status.reason.n ? p->status.reason : p->status.phase,
        .total = p->spec.containers.count + names.count,
    };
    text_set_sort(&names);
    const struct pod_condition *scheduled = CONDITION_FIND(&p->status.conditions, "PodScheduled");
    if (scheduled && str_is(scheduled->reason, "SchedulingGated"))
        s.status = S("SchedulingGated");
    struct pod_summary sidecars = {.total = 0};
    bool is_initializing = initialize(r, p, &names, &s, &sidecars);
    const struct pod_condition *initialized = CONDITION_FIND(&p->status.conditions, "Initialized");
    if (!is_initializing || (initialized && str_is(initialized->status, "True"))) {
        s.restarts = sidecars.restarts;
        s.restarted_at = sidecars.restarted_at;
        run(r, p, &s);
    }
    if (!kube_time_is_zero(p->metadata.deletion_timestamp)) {
        if (str_is(p->status.reason, "NodeLost"))
            s.status = S("Unknown");
        else if (!is_finished(p))
            s.status = S("Terminating");
    }
    return s;
}

void column_pod_ready(struct row *r, const struct pod *p)
{
    struct pod_summary s = summary_of(r, p);
    cell_f(r, "%" PRId64 "/%zu", s.ready, s.total);
}

void column_pod_status(struct row *r, const struct pod *p)
{
    cell(r, summary_of(r, p).status);
}

void column_pod_restarts(struct row *r, const struct pod *p)
{
    struct pod_summary s = summary_of(r, p);
    struct buf *b = cell_begin(r);
    buf_add_i64(b, s.restarts);
    if (s.restarts && !kube_time_is_zero(s.restarted_at)) {
        buf_add_lit(b, " (");
        cell_add_since(r, b, s.restarted_at);
        buf_add_lit(b, " ago)");
    }
    cell_end(r, STR_NONE);
}

void column_pod_ip(struct row *r, const struct pod_status *s)
{
    cell_or(r, s->pod_ips.count ? s->pod_ips.items[0].ip : STR_NONE, S("<none>"));
}

void column_pod_readiness_gates(struct row *r, const struct pod *p)
{
    const struct pod_readiness_gate_array *gates = &p->spec.readiness_gates;
    const struct pod_condition_array *conditions = &p->status.conditions;
    struct text_set holding = {.items = ARENA_ARRAY(r->arena, str, conditions->count)};
    size_t open = 0;
    if (gates->count == 0) {
        cell(r, S("<none>"));
        return;
    }
    for (size_t i = 0; i < conditions->count; i++)
        if (str_is(conditions->items[i].status, "True"))
            holding.items[holding.count++] = conditions->items[i].type;
    text_set_sort(&holding);
    for (size_t i = 0; i < gates->count; i++)
        open += text_set_has(&holding, gates->items[i].condition_type);
    cell_f(r, "%zu/%zu", open, gates->count);
}

void column_containers(struct row *r, const struct pod_spec *s)
{
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < s->containers.count; i++)
        cell_item(b, i, S(","), s->containers.items[i].name);
    cell_end(r, STR_NONE);
}

void column_images(struct row *r, const struct pod_spec *s)
{
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < s->containers.count; i++)
        cell_item(b, i, S(","), s->containers.items[i].image);
    cell_end(r, STR_NONE);
}

void pod_row_conditions(struct buf *out, const struct pod *p)
{
    bool succeeded = str_is(p->status.phase, "Succeeded");
    if (is_finished(p))
        buf_add_f(
            out,
            ",\"conditions\":[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"%s\",\"message\":\"%s\"}]",
            succeeded ? "Succeeded" : "Failed",
            succeeded ? "The pod has completed successfully." : "The pod failed.");
}
