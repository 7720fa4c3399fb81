/* sqlite_vfs.h - SQLite on the files of an env, real or simulated.
 * A VFS serves the databases beneath one directory, named by relative paths:
 *     sqlite3_open_v2("state.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, sqlite_vfs_name(v));
 * Always true:
 *  - what SQLite syncs is durable when the sync says so, names of new files included;
 *  - after one failed sync every later write and sync of the VFS fails: what the kernel dropped then can not be synced
 *    by trying again. The way on is a new process (a new VFS on the directory);
 *  - any number of connections in this process may share a database, also in WAL mode: locks and the WAL index are this
 *    process's memory. That no other process opens the same files is the caller's to see to (dir_lock);
 *  - temporary files are memory, SQLITE_VFS_TEMP_MAX bytes each at most.
 * Time, sleep and randomness come from the env. SQLite takes its own random numbers (salts, nonces) from the default VFS,
 * so each VFS becomes the default when it is made, and SQLite starts its numbers anew from it: with one env per process,
 * or in a simulation, all of SQLite is repeatable.
 * Errors: SQLITE_FULL for a full disk, SQLITE_IOERR_* for the rest; there is no log of them here.
 * Threads: any. */
#ifndef SYS_SQLITE_VFS_H
#define SYS_SQLITE_VFS_H

#include "sys/file.h"

struct sqlite_vfs;

#define SQLITE_VFS_TEMP_MAX ((size_t)256 << 20)

/* Borrows `d` until unregistering. The name is SQLite's to find it by: ERR_CONFLICT if there is one of that name. */
err_code sqlite_vfs_register(struct env *env, struct dir *d, str name, struct sqlite_vfs **ret,
                             struct err *err);
const char *sqlite_vfs_name(const struct sqlite_vfs *v);
/* After the last connection was closed. NULL is fine. */
void sqlite_vfs_unregister(struct sqlite_vfs *v);

#endif
