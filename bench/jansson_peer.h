/* jansson_peer.h - the part of Jansson that is measured. Its header cannot stand beside ours: they share names. */
#ifndef BENCH_JANSSON_PEER_H
#define BENCH_JANSSON_PEER_H

#include <stdbool.h>
#include <stddef.h>

void *jansson_peer_parse(const char *p, size_t n); /* a tree, or NULL */
void jansson_peer_free(void *tree);
size_t jansson_peer_print(const void *tree); /* makes the text, frees it, returns its size */

#endif
