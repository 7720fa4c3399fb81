/* load_test.h - a random load on a store, and a ledger of it: what was asked, what was answered, what a watcher saw. From
 * one life of the store to the next the ledger stays, so that it can say what a store that starts again must have.
 * Checks, at any time: everything that was answered is there; nothing is half there; a watcher has seen each event once,
 * and what it saw adds up to what is there; revisions only go up. */
#ifndef STORE_LOAD_TEST_H
#define STORE_LOAD_TEST_H

#include "base/random.h"
#include "store/store.h"

enum {
    LOAD_RESOURCES = 3,
    LOAD_KEYS = 6, /* of each */
    LOAD_CLIENTS = 5,
    LOAD_ATTEMPTS_MAX = 200000,
};

/* What a client asked for. Its number is in every object it puts. */
struct attempt {
    uint8_t change_count;
    struct {
        uint8_t resource, key;
        bool put;
    } changes[LOAD_RESOURCES];
    bool posted, answered, refused;
    int64_t revision; /* as answered, or as seen; 0: not known */
    uint8_t seen;     /* puts of it that the watcher saw */
};

struct place {
    int attempt; /* whose object is there; -1: none */
    int64_t revision;
};

struct load {
    struct random random;
    size_t size_max; /* of values */
    struct attempt attempts[LOAD_ATTEMPTS_MAX];
    int attempt_count, answered_count;
    int64_t newest_answer;
    /* The watcher: where it is, and what there is by what it saw. */
    int64_t position[LOAD_RESOURCES];
    struct place model[LOAD_RESOURCES][LOAD_KEYS];
    int expired; /* how often it had to list again */
    /* This life. */
    struct store *store;
    struct loop *loop;
    uint32_t resources[LOAD_RESOURCES];
    int left; /* attempts to go */
    struct client {
        struct load *load;
        struct store_txn txn;
        struct store_guard guards[LOAD_RESOURCES];
        struct store_change changes[LOAD_RESOURCES];
        int attempt;
    } clients[LOAD_CLIENTS];
    int busy;
    char fault[300]; /* empty: all is as it should be */
};

struct load *load_new(uint64_t seed, size_t size_max);
void load_free(struct load *l);
/* A life: clients on that loop go until so many attempts were made. From outside, before the loop runs. */
void load_start(struct load *l, struct store *s, struct loop *loop, int attempts);
bool load_is_done(void *load); /* for sim_run_until and loop_run_until */
/* The watcher goes on from where it is. True: nothing is wrong; else `fault` says what. */
bool load_watch(struct load *l, struct store *s);
/* After load_watch: all of the above. */
bool load_check(struct load *l, struct store *s);
/* The attempts that were not answered may have happened: from now on only if they have. */
void load_settle(struct load *l);

#endif
