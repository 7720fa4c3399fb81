/* random.c - xoshiro256++ by Blackman and Vigna, seeded through splitmix64 as they advise. */
#include "base/random.h"
#include <string.h>

static uint64_t rotl(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

void random_init(struct random *r, uint64_t seed)
{
    for (size_t i = 0; i < ARRAY_COUNT(r->state); i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        r->state[i] = z ^ z >> 31; /* a permutation of four different numbers: at most one is 0 */
    }
}

struct random random_fork(struct random *r)
{
    struct random fork;
    random_init(&fork, random_u64(r));
    return fork;
}

uint64_t random_u64(struct random *r)
{
    uint64_t *s = r->state, result = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t random_below(struct random *r, uint64_t bound)
{
    ASSERT(bound);
    /* The high half of a product spreads evenly, but for 2^64 mod bound of the low halves, which are drawn again. */
    __uint128_t m = (__uint128_t)random_u64(r) * bound;
    if ((uint64_t)m < bound) {
        uint64_t uneven = -bound % bound;
        while ((uint64_t)m < uneven)
            m = (__uint128_t)random_u64(r) * bound;
    }
    return (uint64_t)(m >> 64);
}

int64_t random_between(struct random *r, int64_t low, int64_t high)
{
    ASSERT(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;
    return (int64_t)((uint64_t)low + (span ? random_below(r, span) : random_u64(r)));
}

double random_unit(struct random *r)
{
    return (double)(random_u64(r) >> 11) * 0x1p-53;
}

bool random_chance(struct random *r, uint64_t numerator, uint64_t denominator)
{
    return random_below(r, denominator) < numerator;
}

void random_shuffle(struct random *r, void *items, size_t count, size_t item_size)
{
    char *p = items;
    for (size_t i = count; i > 1; i--) {
        char *a = p + (i - 1) * item_size, *b = p + random_below(r, i) * item_size;
        for (size_t k = 0; k < item_size; k++) {
            char c = a[k];
            a[k] = b[k];
            b[k] = c;
        }
    }
}
