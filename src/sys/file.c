/* file.c - paths are checked here, whole files read and replaced; the rest is the world's. */
#include "sys/file.h"
#include "sys/env_priv.h"
#include <stdlib.h>

#define DIR_LIST_MAX 100000
#define NAME_MAX_    255

static err_code check_path(str path, struct err *err)
{
    if (path.n == 0 || path.n > FILE_PATH_MAX)
        return err_set(err, ERR_INVALID, "a path has from 1 to %d bytes, this one %zu", FILE_PATH_MAX,
                       path.n);
    if (str_index_c(path, '\0') != SIZE_MAX)
        return err_set(err, ERR_INVALID, "path '%" STR_FMT "' has a NUL byte", STR_ARG(path));
    str rest = path, name;
    while (str_next(&rest, '/', &name)) {
        if (name.n == 0 || name.n > NAME_MAX_ || str_is(name, ".") || str_is(name, ".."))
            return err_set(err, ERR_INVALID,
                           "path '%" STR_FMT "' must be names of at most %d bytes joined by single '/', "
                           "none of them '.' or '..'",
                           STR_ARG(path), NAME_MAX_);
    }
    return ERR_NONE;
}

/* --- directories --- */

err_code dir_open(struct env *env, str path, unsigned flags, struct dir **ret, struct err *err)
{
    if (path.n == 0 || path.n > FILE_PATH_MAX || str_index_c(path, '\0') != SIZE_MAX)
        return err_set(err, ERR_INVALID, "'%" STR_FMT "' is not the path of a directory", STR_ARG(path));
    return env->ops->dir_open(env, path, flags, ret, err);
}

err_code dir_open_beneath(struct dir *d, str path, unsigned flags, struct dir **ret, struct err *err)
{
    err_code code = check_path(path, err);
    return code ? code : d->ops->open_beneath(d, path, flags, ret, err);
}

void dir_close(struct dir *d)
{
    if (d)
        d->ops->close(d);
}

err_code dir_make(struct dir *d, str path, struct err *err)
{
    err_code code = check_path(path, err);
    return code ? code : d->ops->make(d, path, err);
}

err_code dir_sync(struct dir *d, struct err *err)
{
    return d->ops->sync(d, err);
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

err_code dir_list(struct dir *d, struct arena *a, str **ret_names, size_t *ret_count, struct err *err)
{
    str *names;
    size_t count;
    if (d->ops->list(d, a, DIR_LIST_MAX, &names, &count, err))
        return err->code;
    if (count)
        qsort(names, count, sizeof *names, by_bytes);
    *ret_names = names;
    *ret_count = count;
    return ERR_NONE;
}

err_code dir_rename(struct dir *d, str from, str to, struct err *err)
{
    if (check_path(from, err) || check_path(to, err))
        return err->code;
    return d->ops->rename(d, from, to, err);
}

err_code dir_remove(struct dir *d, str path, struct err *err)
{
    err_code code = check_path(path, err);
    return code ? code : d->ops->remove(d, path, err);
}

err_code dir_lock(struct dir *d, str name, struct file **ret_lock, struct err *err)
{
    err_code code = check_path(name, err);
    return code ? code : d->ops->lock(d, name, ret_lock, err);
}

/* --- files --- */

err_code file_open(struct dir *d, str path, unsigned flags, struct file **ret, struct err *err)
{
    ASSERT(flags & (FILE_READ | FILE_WRITE));
    ASSERT(flags & FILE_WRITE || !(flags & (FILE_CREATE | FILE_TRUNCATE)));
    ASSERT(flags & FILE_CREATE || !(flags & FILE_EXCLUSIVE));
    err_code code = check_path(path, err);
    return code ? code : d->ops->file_open(d, path, flags, ret, err);
}

void file_close(struct file *f)
{
    if (f)
        f->ops->close(f);
}

err_code file_read_at(struct file *f, uint64_t offset, void *p, size_t n, size_t *ret_n, struct err *err)
{
    return f->ops->read_at(f, offset, p, n, ret_n, err);
}

err_code file_write_at(struct file *f, uint64_t offset, const void *p, size_t n, struct err *err)
{
    return f->ops->write_at(f, offset, p, n, err);
}

err_code file_sync(struct file *f, struct err *err)
{
    return f->ops->sync(f, err);
}

err_code file_truncate(struct file *f, uint64_t size, struct err *err)
{
    return f->ops->truncate(f, size, err);
}

err_code file_size(struct file *f, uint64_t *ret, struct err *err)
{
    return f->ops->size(f, ret, err);
}

/* --- whole files --- */

static void file_closep(struct file **f)
{
    file_close(*f);
}

static void dir_closep(struct dir **d)
{
    dir_close(*d);
}

err_code file_read_all(struct dir *d, str path, struct arena *a, size_t max, str *ret, struct err *err)
{
    CLEANUP(file_closep) struct file *f = NULL;
    uint64_t size;
    if (file_open(d, path, FILE_READ, &f, err) || file_size(f, &size, err))
        return err->code;
    if (size > max)
        return err_set(err, ERR_TOO_LARGE, "'%" STR_FMT "' has %llu bytes, more than %zu", STR_ARG(path),
                       (unsigned long long)size, max);
    /* What the file was at this moment: if it grows meanwhile, the rest is for the next reading. */
    char *p = arena_alloc(a, (size_t)size, 1);
    size_t n;
    if (file_read_at(f, 0, p, (size_t)size, &n, err))
        return err->code;
    *ret = str_of(p, n);
    return ERR_NONE;
}

static err_code write_new(struct dir *d, str name, str content, struct err *err)
{
    CLEANUP(file_closep) struct file *f = NULL;
    if (file_open(d, name, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &f, err) ||
        file_write_at(f, 0, content.p, content.n, err) || file_sync(f, err))
        return err->code;
    return ERR_NONE;
}

static err_code replace_in(struct dir *d, str name, str content, struct err *err)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str aside = str_format(&a, ".%" STR_FMT ".new", STR_ARG(name));
    if (write_new(d, aside, content, err) || dir_rename(d, aside, name, err)) {
        /* Best effort: what is left behind is overwritten by the next replacement. */
        err_ignore(dir_remove(d, aside, &(struct err){0}));
        return err->code;
    }
    return dir_sync(d, err);
}

err_code file_replace(struct dir *d, str path, str content, struct err *err)
{
    size_t slash = str_rindex_c(path, '/');
    if (slash == SIZE_MAX)
        return replace_in(d, path, content, err);
    /* It is the directory of the name that has to be synced. */
    CLEANUP(dir_closep) struct dir *parent = NULL;
    if (dir_open_beneath(d, str_slice(path, 0, slash), 0, &parent, err))
        return err->code;
    return replace_in(parent, str_from(path, slash + 1), content, err);
}
