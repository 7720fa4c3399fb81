/* file.h - files beneath a directory. Calls block: use them on a worker or on a thread that may wait (the committer).
 * Paths are one name, or names joined by '/', always beneath the directory they are given with: "..", absolute paths and
 * symbolic links that lead out are refused.
 * Durable means: file_sync for what is in a file, dir_sync for which names there are. The simulator loses what was not
 * synced, in pieces.
 * Errors: DISK_FULL, NOT_FOUND, ALREADY_EXISTS, FORBIDDEN, INVALID (no path, a directory where a file should be or the
 * other way round), CONFLICT (locked; a directory that is not empty), IO.
 * Threads: any, but one at a time for each handle unless said otherwise. */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include "base/arena.h"
#include "sys/env.h"

struct dir;
struct file;

enum file_flags {
    FILE_READ = 1 << 0,
    FILE_WRITE = 1 << 1,
    FILE_CREATE = 1 << 2,    /* mode 0600 */
    FILE_EXCLUSIVE = 1 << 3, /* with CREATE: must not exist */
    FILE_TRUNCATE = 1 << 4,
};

/* An outside path: made (mode 0700) with its parents when DIR_CREATE is given. */
enum dir_flags { DIR_CREATE = 1 << 0 };
err_code dir_open(struct env *env, str path, unsigned flags, struct dir **ret, struct err *err);
err_code dir_open_beneath(struct dir *d, str path, unsigned flags, struct dir **ret, struct err *err);
void dir_close(struct dir *d);
err_code dir_make(struct dir *d, str path, struct err *err);
err_code dir_sync(struct dir *d, struct err *err);
/* Names in byte order, without "." and "..", in the arena. ERR_TOO_LARGE above 100,000. */
err_code dir_list(struct dir *d, struct arena *a, str **ret_names, size_t *ret_count, struct err *err);
/* Atomic; replaces. Durable after dir_sync. */
err_code dir_rename(struct dir *d, str from, str to, struct err *err);
err_code dir_remove(struct dir *d, str path, struct err *err); /* a file or an empty directory */
/* Exclusive among processes, as long as the handle lives (simulator: among instances of the host). ERR_CONFLICT: somebody
 * else has it. */
err_code dir_lock(struct dir *d, str name, struct file **ret_lock, struct err *err);

err_code file_open(struct dir *d, str path, unsigned flags, struct file **ret, struct err *err);
void file_close(struct file *f);
/* At most n bytes at the offset; fewer only at the end of the file. Reads of a file are safe in several threads. */
err_code file_read_at(struct file *f, uint64_t offset, void *p, size_t n, size_t *ret_n, struct err *err);
/* All of it, or an error and an unknown part. */
err_code file_write_at(struct file *f, uint64_t offset, const void *p, size_t n, struct err *err);
err_code file_sync(struct file *f, struct err *err); /* data and what is needed to read it back (fdatasync) */
err_code file_truncate(struct file *f, uint64_t size, struct err *err);
err_code file_size(struct file *f, uint64_t *ret, struct err *err);

/* Whole small files. Read: ERR_TOO_LARGE above max. Replace: written aside (as ".NAME.new"), synced, renamed, directory
 * synced: after a crash there is the old content or the new, and after success the new. One at a time for each path. */
err_code file_read_all(struct dir *d, str path, struct arena *a, size_t max, str *ret, struct err *err);
err_code file_replace(struct dir *d, str path, str content, struct err *err);

#endif
