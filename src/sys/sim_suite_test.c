/* sim_suite_test.c - the world the shared suite runs in when it is a simulated one: two hosts. */
#include "harness/sim_run.h"
#include "sys/suite_test.h"

void suite_world_init_sim(struct suite_world *w)
{
    struct sim *s = sim_run_new(test_seed());
    w->sim = s;
    w->env = sim_host_env(sim_host_new(s, S("here"), S("10.0.0.1")));
    w->peer_env = sim_host_env(sim_host_new(s, S("there"), S("10.0.0.2")));
    w->listen_at = "10.0.0.1:0";
    w->nobody_at = "10.0.0.1:1";
    w->dir = "/made/by/us";
}

void suite_world_done_sim(struct suite_world *w)
{
    sim_run_free(w->sim);
}
