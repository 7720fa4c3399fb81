/* test_priv.h - what the two mains (test runner, fuzzer) share with the harness. */
#ifndef HARNESS_TEST_PRIV_H
#define HARNESS_TEST_PRIV_H

#include "harness/test.h"

int test_main(int argc, char **argv);
const struct fuzz_target *fuzz_target_find(const char *name);
void fuzz_targets_list(void);

#endif
