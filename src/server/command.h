/* command.h - `skiff server`. */
#ifndef SERVER_COMMAND_H
#define SERVER_COMMAND_H

/* Arguments behind the word "server". The exit status: 0 ended in order, 1 could not run, 2 wrong usage. */
int server_command(int argc, char **argv);

#endif
