/* test_priv.h - what the two mains (test runner, fuzzer) share with the harness. */
#ifndef HARNESS_TEST_PRIV_H
#define HARNESS_TEST_PRIV_H

#include "harness/test.h"

/* Set by the fuzzer: libFuzzer keeps the input of a crash, not that of an exit. */
extern bool test_failure_aborts;

int test_main(int argc, char **argv);
const struct fuzz_target *fuzz_target_find(const char *name);
void fuzz_targets_list(void);

#endif
