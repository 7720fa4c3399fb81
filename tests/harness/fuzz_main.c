/* fuzz_main.c - the fuzzer: one program, the target named by SKIFF_FUZZ; "list" prints their names. */
#include "harness/test_priv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Chosen once, at the start, by the only thread. */
static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    test_failure_aborts = true;
    const char *name = getenv("SKIFF_FUZZ");
    if (name && strcmp(name, "list") == 0) {
        fuzz_targets_list();
        fflush(stdout);
        _exit(0);
    }
    target = name ? fuzz_target_find(name) : NULL;
    if (!target) {
        fprintf(stderr, "could not find fuzz target '%s' (SKIFF_FUZZ); SKIFF_FUZZ=list names them\n",
                name ? name : "");
        _exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target->fn(data, size);
    return 0;
}
