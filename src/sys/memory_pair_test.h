/* memory_pair_test.h - two ends of a stream in memory that come in the pieces a test asks for.
 * For what sits on a stream and must not care how bytes are cut up. One loop. */
#ifndef SYS_MEMORY_PAIR_TEST_H
#define SYS_MEMORY_PAIR_TEST_H

#include "sys/stream.h"

struct memory_opts {
    size_t capacity;     /* bytes on their way, each way; 0: 64 KB */
    size_t piece_max;    /* of one read or write; 0: any size */
    uint64_t seed;       /* not 0: pieces of random sizes up to that */
    size_t cut_after[2]; /* as memory_cut_after, of a and b; both 0: never */
};
void memory_pair(struct loop *l, const struct memory_opts *opts, struct stream **ret_a,
                 struct stream **ret_b);

/* How often this end was read. */
size_t memory_reads(const struct stream *end);
/* How many bytes this end has written so far. The other end may see fewer: */
size_t memory_written(const struct stream *end);
/* After so many bytes of this end, in all, the other end finds the end of the stream. What comes later is lost. */
void memory_cut_after(struct stream *end, size_t bytes);
/* So many bytes may be on their way from now on. */
void memory_set_capacity(struct stream *end, size_t capacity);
/* The bytes of this end that the other has not read yet, and room to change them. */
str memory_on_the_way(struct stream *end);

#endif
