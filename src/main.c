/* main.c - picks the program from the first argument. */
#include <stdio.h>
#include <string.h>

#define SKIFF_VERSION "v1.36.0+skiff"

int main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
        puts(SKIFF_VERSION);
        return 0;
    }
    fputs("usage: skiff version\n", stderr);
    return 2;
}
