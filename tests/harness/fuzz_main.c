/* fuzz_main.c - the fuzzer: one program, the target named by SKIFF_FUZZ. */
#include "harness/test_priv.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fuzz_target *target;
    if (!target) {
        const char *name = getenv("SKIFF_FUZZ");
        target = name ? fuzz_target_find(name) : NULL;
        if (!target) {
            fprintf(stderr, "could not find fuzz target '%s'; there are:\n", name ? name : "");
            fuzz_targets_list();
            exit(2);
        }
    }
    target->fn(data, size);
    return 0;
}
