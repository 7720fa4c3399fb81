/* env.c - where time and randomness come from: whichever world the env is of. */
#include "sys/env_priv.h"

void env_free(struct env *env)
{
    if (env)
        env->ops->free(env);
}

int64_t env_now_mono(struct env *env)
{
    return env->ops->now_mono(env);
}

int64_t env_now_wall(struct env *env)
{
    return env->ops->now_wall(env);
}

void env_random(struct env *env, void *p, size_t n)
{
    env->ops->random(env, p, n);
}

uint64_t env_random_u64(struct env *env)
{
    uint64_t v;
    env->ops->random(env, &v, sizeof v);
    return v;
}
