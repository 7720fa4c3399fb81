/* main.c - the test program. */
#include "harness/test_priv.h"

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
