/* docs.h - documents to measure with, as an API server gets them: compact JSON, the fields in the usual order. */
#ifndef BENCH_DOCS_H
#define BENCH_DOCS_H

#include "base/buf.h"
#include "base/intern.h"

/* Behind each text there are this many readable bytes more: a peer wants them. */
#define BENCH_PADDING 64

/* A pod of about `size` bytes (from 500 on: containers, environment, volumes, conditions are added until it is reached).
 * Another one for each seed. */
str bench_pod(struct arena *a, unsigned seed, size_t size);
/* The same with what kubectl apply leaves in an annotation: half of it is JSON inside a string, full of escapes. */
str bench_applied_pod(struct arena *a, unsigned seed, size_t size);
/* A list of pods of about 3 KB each; the buffer ends up with `size` bytes or a little more. */
str bench_pod_list(struct arena *a, size_t size);
/* A config map of about `size` bytes: files of lines, so with an escape every thirty bytes. */
str bench_config_map(struct arena *a, unsigned seed, size_t size);
/* Field names, those of the documents among them, as many as a whole schema has. On the heap. */
struct intern *bench_names(void);

#endif
