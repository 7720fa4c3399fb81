/* random.h - a small, fast generator of numbers that look random and repeat from their seed: simulation, back-off,
 * spreading. Never for keys, tokens or anything that must not be guessed.
 * The sequence of a seed is part of the contract: a failing simulation is replayed by its number.
 * Threads: one at a time; give each thread or part its own with random_fork. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/defs.h"

struct random {
    uint64_t state[4]; /* xoshiro256++: never all zero */
};

void random_init(struct random *r, uint64_t seed); /* any seed, 0 too */
/* A generator of its own, whose numbers have nothing to do with those that `r` goes on to give. */
struct random random_fork(struct random *r);

uint64_t random_u64(struct random *r);
/* 0 to bound - 1, each as likely; bound is not 0. */
uint64_t random_below(struct random *r, uint64_t bound);
/* low to high, both included. */
int64_t random_between(struct random *r, int64_t low, int64_t high);
double random_unit(struct random *r); /* in [0, 1), in steps of 2^-53 */
/* True `numerator` times out of `denominator`, on average. */
bool random_chance(struct random *r, uint64_t numerator, uint64_t denominator);
/* Every order as likely. */
void random_shuffle(struct random *r, void *items, size_t count, size_t item_size);

#endif
