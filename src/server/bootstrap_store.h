/* bootstrap_store.h - what a cluster has from its first moment on: written when it is not there. */
#ifndef SERVER_BOOTSTRAP_STORE_H
#define SERVER_BOOTSTRAP_STORE_H

#include "store/store.h"

/* Blocks: runs `l`, which must have no thread yet. */
err_code bootstrap_store(struct env *env, struct store *s, struct loop *l, struct err *err);

#endif
