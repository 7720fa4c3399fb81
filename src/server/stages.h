/* stages.h - the stages of a request, and the acts that the route picks from. Each stands in the file named beside it. */
#ifndef SERVER_STAGES_H
#define SERVER_STAGES_H

#include "server/request.h"

stage_fn stage_authenticate; /* authenticate.c */
stage_fn stage_route;        /* route.c */
stage_fn stage_authorize;    /* authorize.c */
stage_fn stage_body;         /* request.c */
stage_fn stage_act;

stage_fn act_get;    /* get.c */
stage_fn act_list;   /* list.c */
stage_fn act_watch;  /* watch.c */
stage_fn act_create; /* write.c */
stage_fn act_update;
stage_fn act_patch;  /* patch.c */
stage_fn act_delete; /* delete.c */
stage_fn act_delete_collection;
stage_fn act_discovery; /* describe.c: /api, /apis, /openapi, /version */
stage_fn act_health;    /* health.c: /healthz, /livez, /readyz */

#endif
