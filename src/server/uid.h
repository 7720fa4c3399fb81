/* uid.h - new unique ids: random UUIDs (version 4). */
#ifndef SERVER_UID_H
#define SERVER_UID_H

#include "base/arena.h"
#include "sys/env.h"

/* "2ab86500-0ae5-48cf-944b-6570cde313b7", in the arena. */
str uid_new(struct env *env, struct arena *a);

#endif
