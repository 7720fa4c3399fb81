/* fake_etcd_test.h - a model of etcd, as far as a store has to do with it, and the backend that would stand before it: what
 * backend.h asks of a remote one. Requests and answers take a random time each and overtake one another; what was committed
 * arrives on a stream, in order, some time later; answers may get lost.
 * Any number of stores in one simulated host. */
#ifndef STORE_FAKE_ETCD_TEST_H
#define STORE_FAKE_ETCD_TEST_H

#include "base/vec.h"
#include "store/backend.h"
#include "sys/sim.h"

struct fake_event {
    int64_t revision;
    unsigned slot;
    char *resource, *ns, *name, *content; /* content NULL: deleted */
};

struct fake_etcd {
    struct sim *sim;
    int64_t revision;
    VEC(struct fake_event) log;
    VEC(struct fake_backend *) backends;
    unsigned lose; /* of 100 answers */
    int64_t delay_max_ns;
};

struct fake_etcd *fake_etcd_new(struct sim *sim);
void fake_etcd_free(struct fake_etcd *etcd);
err_code fake_etcd_store_open(struct fake_etcd *etcd, struct env *env, const struct store_opts *opts,
                              struct store **ret, struct err *err);
/* Nothing is under way: stores may be closed. */
bool fake_etcd_is_quiet(void *etcd);
/* The newest event of a key up to a revision; NULL: none. */
const struct fake_event *fake_etcd_at(const struct fake_etcd *etcd, str resource, str ns, str name,
                                      int64_t revision);

#endif
