/* view_priv.h - how views lie in memory, for the two directions of view.c and for messages. */
#ifndef API_VIEW_PRIV_H
#define API_VIEW_PRIV_H

#include "api/view.h"

/* Bytes of a value in its plain form: as a member, or as an item of a list. */
size_t view_size_of(struct schema_at at);
/* Of an entry of a map: {str key; VALUE value;}. */
size_t view_entry_size_of(struct schema_at values);

#endif
