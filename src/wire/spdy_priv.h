/* spdy_priv.h - header blocks of SPDY/3: what spdy.c does not need to know about compression.
 * One packer and one unpacker live as long as their session: each block is compressed against all before it, so every
 * block that comes must go through the unpacker, whatever becomes of its frame. */
#ifndef WIRE_SPDY_PRIV_H
#define WIRE_SPDY_PRIV_H

#include "base/buf.h"
#include "wire/http.h"
#define ZLIB_CONST
#include <zlib.h>

struct spdy_packer {
    z_stream z;
    bool started;
    struct buf raw;
};

void spdy_packer_init(struct spdy_packer *p, size_t size_max);
void spdy_packer_done(struct spdy_packer *p);
/* Checks and gathers the headers: INVALID, TOO_LARGE. The stream is not touched before spdy_pack_finish, which must
 * follow, with at least *ret_bound bytes of room, for the block to have been sent. */
err_code spdy_pack_begin(struct spdy_packer *p, const struct http_header *headers, size_t header_count,
                         size_t *ret_bound, struct err *err);
size_t spdy_pack_finish(struct spdy_packer *p, char *to, size_t room);

struct spdy_unpacker {
    z_stream z;
    bool started;
    struct buf block; /* inflated so far */
    size_t count_max;
    struct http_header *headers; /* of the newest block, borrowing from `block` */
    size_t header_count;
};

void spdy_unpacker_init(struct spdy_unpacker *u, size_t size_max, size_t count_max);
void spdy_unpacker_done(struct spdy_unpacker *u);
void spdy_unpack_begin(struct spdy_unpacker *u);
/* Errors of these two end the session: SYNTAX, or TOO_LARGE (also when little was fed: a bomb stops at size_max). */
err_code spdy_unpack(struct spdy_unpacker *u, str compressed, struct err *err);
/* The block is whole. *ret_bad: what is wrong with the headers of this one stream; NULL for nothing. */
err_code spdy_unpack_end(struct spdy_unpacker *u, const char **ret_bad, struct err *err);

#endif
