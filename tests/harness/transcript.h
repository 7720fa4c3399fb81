/* transcript.h - tests that read like a terminal: commands, and what they print.
 *
 *     # A namespace is there as soon as it was made.
 *     $ kubectl create namespace demo
 *     namespace/demo created
 *     $ kubectl get namespace demo -o name
 *     namespace/demo
 *     $ kubectl get namespace none
 *     Error from server (NotFound): namespaces "none" not found
 *     ? 1
 *
 * Each command runs in a shell, with standard error in its output; lines of a command that ends in a backslash go on. `? N` is its
 * exit status when that is not 0. In what is expected, `{*}` stands for any text within a line, and a line `{...}` for any
 * number of lines. A here-document's lines follow its command, each with `> ` in front.
 * A line `@ within N s` before a command: it is run again until it prints what is expected, or the time is up. */
#ifndef HARNESS_TRANSCRIPT_H
#define HARNESS_TRANSCRIPT_H

/* Runs the file; fails the test at the first difference, showing both. */
void transcript_run(const char *path);

#endif
