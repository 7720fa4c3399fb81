/* sim_disk_priv.h - the model of a disk with a file system on it, as its host sees it and as a crash would find it.
 * For sim_file.c, which puts dir and file handles on it; knows no env, no time and no faults but the crash.
 *
 * Two truths are kept. What is *seen*: every write, rename and removal at once, in order. What is *safe*: what a sync
 * has put on the platter. In between, the disk may write back anything at any time, in any order, a sector at a time:
 *  - a file that was written has, per sector, what was safe beside what is seen; overwriting a sector that was not yet
 *    safe lets the older write reach the platter or not, by the dice;
 *  - names that were made, moved or removed are a list of steps, each surviving whole or not at all, and only if the
 *    earlier ones about the same names did;
 *  - a file's size survives as it was at the last sync, as it is seen, or anywhere it has been between; taking bytes
 *    off the end is a write to their sectors like any other.
 * A failed sync is as on Linux: some sectors are on the platter, the others look clean and are never written again.
 *
 * A crash (sim_disk_crash) makes a second disk of what survived. The first goes on for the dead, who may read and write
 * it as they like, and is freed with its last reference.
 * Owner: counted; each node belongs to one disk and is held by its names and its users. Threads: one. */
#ifndef SYS_SIM_DISK_PRIV_H
#define SYS_SIM_DISK_PRIV_H

#include "base/arena.h"
#include "base/err.h"
#include "sys/sim.h"

struct sim_disk;
struct sim_node; /* a file or a directory */

#define SIM_FILE_SIZE_MAX ((uint64_t)1 << 30)
#define SIM_DIR_ENTRY_MAX ((size_t)1 << 20)

struct sim_disk *sim_disk_new(uint64_t seed);
struct sim_disk *sim_disk_ref(struct sim_disk *d);
struct sim_disk *sim_disk_unref(struct sim_disk *d);
/* What survives, chosen by the disk's dice. No locks are held on it. */
struct sim_disk *sim_disk_crash(struct sim_disk *d);
uint64_t sim_disk_used(const struct sim_disk *d); /* sum of the sizes of files that have a name or a user */

/* --- names. Paths are relative to a directory node, checked by the caller: no empty, "." or ".." parts --- */
struct sim_node *sim_disk_root(struct sim_disk *d);
struct sim_disk *sim_node_disk(const struct sim_node *n);
bool sim_node_is_dir(const struct sim_node *n);
struct sim_node *sim_node_ref(struct sim_node *n);
struct sim_node *sim_node_unref(struct sim_node *n);
/* Borrowed. NOT_FOUND; IO (ENOTDIR) when a part on the way is a file. */
err_code sim_node_find(struct sim_node *at, str path, struct sim_node **ret, struct err *err);
/* Borrowed. ALREADY_EXISTS, or as find for the parts before the last. */
err_code sim_node_create(struct sim_node *at, str path, bool is_dir, struct sim_node **ret, struct err *err);
/* A file replaces a file, a directory an empty directory. */
err_code sim_node_rename(struct sim_node *at, str from, str to, struct err *err);
err_code sim_node_remove(struct sim_node *at, str path, struct err *err);
/* Names of one directory, in byte order. */
size_t sim_dir_count(const struct sim_node *dir);
str sim_dir_name(const struct sim_node *dir, size_t index);
/* The steps so far about names in this directory, and those they stand on, are safe. */
void sim_dir_sync(struct sim_node *dir);

/* One user at a time; gone with the node's disk. */
bool sim_node_lock(struct sim_node *n);
void sim_node_unlock(struct sim_node *n);

/* --- files --- */
uint64_t sim_file_size(const struct sim_node *f);
size_t sim_file_read(const struct sim_node *f, uint64_t offset, void *p, size_t n);
/* TOO_LARGE above SIM_FILE_SIZE_MAX. */
err_code sim_file_write(struct sim_node *f, uint64_t offset, const void *p, size_t n, struct err *err);
err_code sim_file_truncate(struct sim_node *f, uint64_t size, struct err *err);
void sim_file_sync(struct sim_node *f);
void sim_file_sync_failed(struct sim_node *f);
/* Sectors that a crash may take back. */
size_t sim_file_unsafe_count(const struct sim_node *f);

#endif
