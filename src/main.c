/* main.c - picks the program from the first argument. */
#include "base/defs.h"
#include "server/command.h"
#include <stdio.h>
#include <string.h>

#define SKIFF_VERSION "v1.36.0+skiff"

static const char usage[] = "skiff is Kubernetes in one small program.\n"
                            "\n"
                            "Usage: skiff COMMAND [OPTIONS]\n"
                            "\n"
                            "Commands:\n"
                            "  server    the API server with its store\n"
                            "  version   which version this is\n"
                            "\n"
                            "'skiff COMMAND --help' says more.\n";

static bool is(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || (b && strcmp(word, b) == 0);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs(usage, stderr);
        return 2;
    }
    const char *word = argv[1];
    if (is(word, "server", NULL))
        return server_command(argc - 2, argv + 2);
    if (is(word, "version", "--version")) {
        puts(SKIFF_VERSION);
        return 0;
    }
    if (is(word, "help", "--help") || is(word, "-h", NULL)) {
        fputs(usage, stdout);
        return 0;
    }
    fprintf(stderr, "skiff: there is no command '%s'; 'skiff help' lists them\n", word);
    return 2;
}
