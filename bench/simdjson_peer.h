/* simdjson_peer.h - the part of simdjson that is measured, for C. */
#ifndef BENCH_SIMDJSON_PEER_H
#define BENCH_SIMDJSON_PEER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct simdjson_peer;
struct simdjson_peer *simdjson_peer_new(void);
void simdjson_peer_free(struct simdjson_peer *peer);
/* Parses into the tree that the parser keeps and uses again. 64 bytes behind the text must be readable. */
bool simdjson_peer_parse(struct simdjson_peer *peer, const char *p, size_t n);
/* The tree of the last parse as text, in a string that is used again; returns its size. */
size_t simdjson_peer_print(struct simdjson_peer *peer);
/* What it chose for this processor: "icelake", "haswell", ... */
const char *simdjson_peer_kind(void);

#ifdef __cplusplus
}
#endif

#endif
