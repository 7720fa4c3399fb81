/* sim_random_priv.h - the simulator's dice: small, copyable, the same numbers from the same seed on every machine.
 * Each part of the world (each disk, the network, the order of events, each host's env_random) throws dice of its own,
 * so that one more throw in one part does not change what happens in the others. */
#ifndef SYS_SIM_RANDOM_PRIV_H
#define SYS_SIM_RANDOM_PRIV_H

#include "base/defs.h"

struct sim_random {
    uint64_t state;
};

static inline uint64_t sim_random_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Dice number `which` of a seed; different numbers, unrelated throws. */
static inline struct sim_random sim_random_new(uint64_t seed, uint64_t which)
{
    return (struct sim_random){sim_random_mix(seed + 0x9e3779b97f4a7c15u) ^ sim_random_mix(~which)};
}

static inline uint64_t sim_random_next(struct sim_random *r)
{
    return sim_random_mix(r->state += 0x9e3779b97f4a7c15u);
}

/* In [0, below); 0 below 0. */
static inline uint64_t sim_random_below(struct sim_random *r, uint64_t below)
{
    return (uint64_t)(((__uint128_t)sim_random_next(r) * below) >> 64);
}

/* In [min, max]. */
static inline int64_t sim_random_between(struct sim_random *r, int64_t min, int64_t max)
{
    return min + (int64_t)sim_random_below(r, (uint64_t)(max - min) + 1);
}

/* True once in `n` throws. */
static inline bool sim_random_one_in(struct sim_random *r, uint64_t n)
{
    return sim_random_below(r, n) == 0;
}

/* True with this probability; throws no dice when it is 0. */
static inline bool sim_random_chance(struct sim_random *r, double probability)
{
    return probability > 0 && (double)(sim_random_next(r) >> 11) * 0x1p-53 < probability;
}

#endif
