/* subresources.h - what the subresources of kinds do. Those whose document is the object itself (status, finalize, approval, ...) are
 * updates of it that take some of its members only; the others have an act of their own. */
#ifndef SERVER_SUBRESOURCES_H
#define SERVER_SUBRESOURCES_H

#include "server/request.h"

/* The act for a verb of r->subresource; NULL: none yet. */
stage_fn *subresource_act(const struct request *r, str verb);

/* What an update through r->at.subresource takes from the document that was sent, as paths of two members at most. NULL: it is
 * not of the kind that takes some. */
struct narrow {
    const char *resource; /* store name; NULL: every one */
    const char *subresource;
    struct {
        const char *member, *inner; /* inner NULL: the whole member */
    } takes[4];
};
const struct narrow *subresource_narrow(const struct request *r);

stage_fn act_scale_get, act_scale_update, act_scale_patch; /* scale.c */
stage_fn act_bind;                                         /* binding.c */

#endif
