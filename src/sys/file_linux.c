/* file_linux.c - files and directories of the kernel.
 * Every path is resolved beneath its directory's descriptor by openat2, also the parent of a name that is made, renamed
 * or removed: a symbolic link that leads out is refused by the kernel, whoever changes it meanwhile. */
#include "base/mem.h"
#include "sys/linux_priv.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct linux_dir {
    struct dir dir;
    int fd;
};

struct linux_file {
    struct file file;
    int fd;
    str path; /* for messages */
};

static int fd_of(struct dir *d)
{
    return CONTAINER_OF(d, struct linux_dir, dir)->fd;
}

/* --- beneath --- */

/* A path as the kernel takes it; file.c refused longer ones and NULs. */
struct c_path {
    char p[FILE_PATH_MAX + 1];
};

static const char *c_path(str path, struct c_path *to)
{
    ASSERT(path.n < sizeof to->p);
    memcpy(to->p, path.p, path.n);
    to->p[path.n] = '\0';
    return to->p;
}

/* What a path can get wrong, in the words of file.h. */
static err_code refine(struct err *err)
{
    switch (err->sys_errno) {
    case EXDEV: /* resolving left the directory */
    case ELOOP: /* too many links, or one of the kind that is never followed */
        err->code = ERR_FORBIDDEN;
        break;
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG: err->code = ERR_INVALID; break;
    case ENOTEMPTY: err->code = ERR_CONFLICT; break;
    }
    return err->code;
}

static err_code failed_to(const char *what, str path, int e, struct err *err)
{
    err_errno(err, e, "could not %s '%" STR_FMT "'", what, STR_ARG(path));
    return refine(err);
}

static int open_beneath(int dir_fd, str path, int flags)
{
    struct c_path c;
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                           .mode = flags & O_CREAT ? 0600 : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd;
    c_path(path, &c);
    do /* EAGAIN: something was renamed while the kernel looked */
        fd = syscall(SYS_openat2, dir_fd, c.p, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return (int)fd;
}

/* The directory that holds the last name of a path. Without '/' that is `d` itself, and nothing is opened. */
struct place {
    int fd, opened;
    struct c_path name;
};

static void place_done(struct place *p)
{
    fd_closep(&p->opened);
}

static err_code find_place(struct dir *d, str path, const char *what, struct place *ret, struct err *err)
{
    size_t slash = str_rindex_c(path, '/');
    ret->opened = -1;
    ret->fd = fd_of(d);
    c_path(slash == SIZE_MAX ? path : str_from(path, slash + 1), &ret->name);
    if (slash == SIZE_MAX)
        return ERR_NONE;
    ret->fd = ret->opened = open_beneath(fd_of(d), str_slice(path, 0, slash), O_PATH | O_DIRECTORY);
    return ret->fd < 0 ? failed_to(what, path, errno, err) : ERR_NONE;
}

/* --- directories --- */

static const struct dir_ops linux_dir_ops;

static struct dir *dir_of_fd(struct env *env, int fd)
{
    struct linux_dir *ld = NEW(struct linux_dir);
    ld->dir = (struct dir){.ops = &linux_dir_ops, .env = env};
    ld->fd = fd;
    return &ld->dir;
}

static int sync_at(int path_fd)
{
    CLEANUP(fd_closep) int fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : fsync(fd);
}

/* Makes the directory and its parents as needed. What is made is durable: nobody else has a handle on the parents. */
static err_code make_parents(str path, struct err *err)
{
    /* O_PATH: those that are there need not be readable. */
    CLEANUP(fd_closep) int at = open(path.p[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return failed_to("make", path, errno, err);
    str rest = path, name;
    while (str_next(&rest, '/', &name)) {
        struct c_path c;
        if (name.n == 0)
            continue;
        c_path(name, &c);
        if (mkdirat(at, c.p, 0700) == 0 ? sync_at(at) != 0 : errno != EEXIST)
            return failed_to("make", path, errno, err);
        int next = openat(at, c.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (next < 0)
            return failed_to("make", path, errno, err);
        close(at);
        at = next;
    }
    return ERR_NONE;
}

err_code linux_dir_open(struct env *env, str path, unsigned flags, struct dir **ret, struct err *err)
{
    struct c_path c;
    int fd = open(c_path(path, &c), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && flags & DIR_CREATE) {
        if (make_parents(path, err))
            return err->code;
        fd = open(c.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        return failed_to("open directory", path, errno, err);
    *ret = dir_of_fd(env, fd);
    return ERR_NONE;
}

static err_code linux_make(struct dir *d, str path, struct err *err)
{
    CLEANUP(place_done) struct place at;
    if (find_place(d, path, "make directory", &at, err))
        return err->code;
    return mkdirat(at.fd, at.name.p, 0700) == 0 ? ERR_NONE : failed_to("make directory", path, errno, err);
}

/* Each missing part of a path beneath `d`. */
static err_code make_each(struct dir *d, str path, struct err *err)
{
    for (size_t n = 1; n <= path.n; n++) {
        if (n < path.n && path.p[n] != '/')
            continue;
        if (linux_make(d, str_slice(path, 0, n), err) && err->code != ERR_ALREADY_EXISTS)
            return err->code;
    }
    return ERR_NONE;
}

static err_code linux_open_beneath(struct dir *d, str path, unsigned flags, struct dir **ret, struct err *err)
{
    int fd = open_beneath(fd_of(d), path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT && flags & DIR_CREATE) {
        if (make_each(d, path, err))
            return err->code;
        fd = open_beneath(fd_of(d), path, O_RDONLY | O_DIRECTORY);
    }
    if (fd < 0)
        return failed_to("open directory", path, errno, err);
    *ret = dir_of_fd(d->env, fd);
    return ERR_NONE;
}

static void linux_dir_close(struct dir *d)
{
    close(fd_of(d));
    mem_free(CONTAINER_OF(d, struct linux_dir, dir));
}

static err_code linux_dir_sync(struct dir *d, struct err *err)
{
    return fsync(fd_of(d)) == 0 ? ERR_NONE : err_errno(err, errno, "could not sync a directory");
}

static err_code read_names(DIR *stream, struct arena *a, size_t max, str **ret_names, size_t *ret_count,
                           struct err *err)
{
    str *names = NULL;
    size_t count = 0, cap = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry)
            break;
        str name = str_from_c(entry->d_name);
        if (str_is(name, ".") || str_is(name, ".."))
            continue;
        if (count == max)
            return err_set(err, ERR_TOO_LARGE, "the directory has more than %zu names", max);
        if (count == cap) {
            size_t grown = cap ? 2 * cap : 16;
            names = arena_grow(a, names, cap * sizeof *names, grown * sizeof *names, _Alignof(str));
            cap = grown;
        }
        names[count++] = str_dup(a, name);
    }
    if (errno)
        return err_errno(err, errno, "could not read a directory");
    *ret_names = names;
    *ret_count = count;
    return ERR_NONE;
}

static void closedirp(DIR **stream)
{
    if (*stream)
        closedir(*stream);
}

static err_code linux_list(struct dir *d, struct arena *a, size_t max, str **ret_names, size_t *ret_count,
                           struct err *err)
{
    /* A position of its own, and closed with the stream. */
    int fd = openat(fd_of(d), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closedirp) DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        err_errno(err, errno, "could not read a directory");
        fd_closep(&fd);
        return err->code;
    }
    return read_names(stream, a, max, ret_names, ret_count, err);
}

static err_code linux_rename(struct dir *d, str from, str to, struct err *err)
{
    CLEANUP(place_done) struct place a = {.opened = -1}, b = {.opened = -1};
    if (find_place(d, from, "rename", &a, err) || find_place(d, to, "rename to", &b, err))
        return err->code;
    if (renameat(a.fd, a.name.p, b.fd, b.name.p) != 0) {
        err_errno(err, errno, "could not rename '%" STR_FMT "' to '%" STR_FMT "'", STR_ARG(from),
                  STR_ARG(to));
        return refine(err);
    }
    return ERR_NONE;
}

static err_code linux_remove(struct dir *d, str path, struct err *err)
{
    CLEANUP(place_done) struct place at;
    if (find_place(d, path, "remove", &at, err))
        return err->code;
    if (unlinkat(at.fd, at.name.p, 0) != 0 &&
        (errno != EISDIR || unlinkat(at.fd, at.name.p, AT_REMOVEDIR) != 0))
        return failed_to("remove", path, errno, err);
    return ERR_NONE;
}

/* --- files --- */

static const struct file_ops linux_file_ops;

static struct linux_file *linux_file_of(struct file *f)
{
    return CONTAINER_OF(f, struct linux_file, file);
}

static err_code file_of_path(struct dir *d, str path, int flags, struct linux_file **ret, struct err *err)
{
    struct stat st;
    /* Non-blocking: opening a pipe that somebody put there does not wait for its other end. */
    CLEANUP(fd_closep) int fd = open_beneath(fd_of(d), path, flags | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0)
        return failed_to("open", path, errno, err);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "'%" STR_FMT "' is not a regular file", STR_ARG(path));
    struct linux_file *lf = NEW(struct linux_file);
    lf->file = (struct file){.ops = &linux_file_ops, .env = d->env};
    lf->fd = fd;
    lf->path = str_of(mem_dup(path.p, path.n), path.n);
    fd = -1; /* kept */
    *ret = lf;
    return ERR_NONE;
}

static err_code linux_file_open(struct dir *d, str path, unsigned flags, struct file **ret, struct err *err)
{
    int o = flags & FILE_WRITE ? (flags & FILE_READ ? O_RDWR : O_WRONLY) : O_RDONLY;
    o |= flags & FILE_CREATE ? O_CREAT : 0;
    o |= flags & FILE_EXCLUSIVE ? O_EXCL : 0;
    o |= flags & FILE_TRUNCATE ? O_TRUNC : 0;
    struct linux_file *lf;
    if (file_of_path(d, path, o, &lf, err))
        return err->code;
    *ret = &lf->file;
    return ERR_NONE;
}

static void linux_file_close(struct file *f)
{
    struct linux_file *lf = linux_file_of(f);
    close(lf->fd);
    mem_free((void *)(uintptr_t)lf->path.p);
    mem_free(lf);
}

static err_code linux_lock(struct dir *d, str name, struct file **ret_lock, struct err *err)
{
    struct linux_file *lf;
    if (file_of_path(d, name, O_RDWR | O_CREAT, &lf, err))
        return err->code;
    if (flock(lf->fd, LOCK_EX | LOCK_NB) != 0) {
        int e = errno;
        linux_file_close(&lf->file);
        if (e == EWOULDBLOCK)
            return err_set(err, ERR_CONFLICT, "'%" STR_FMT "' is locked by somebody else", STR_ARG(name));
        return failed_to("lock", name, e, err);
    }
    *ret_lock = &lf->file;
    return ERR_NONE;
}

static bool offset_fits(uint64_t offset, size_t n)
{
    return offset <= INT64_MAX && n <= INT64_MAX - offset;
}

static err_code linux_read_at(struct file *f, uint64_t offset, void *p, size_t n, size_t *ret_n,
                              struct err *err)
{
    const struct linux_file *lf = linux_file_of(f);
    size_t done = 0;
    if (!offset_fits(offset, n))
        return failed_to("read", lf->path, EINVAL, err);
    while (done < n) {
        ssize_t got = pread(lf->fd, (char *)p + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed_to("read", lf->path, errno, err);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_n = done;
    return ERR_NONE;
}

static err_code linux_write_at(struct file *f, uint64_t offset, const void *p, size_t n, struct err *err)
{
    const struct linux_file *lf = linux_file_of(f);
    size_t done = 0;
    if (!offset_fits(offset, n))
        return failed_to("write", lf->path, EFBIG, err);
    while (done < n) {
        ssize_t put = pwrite(lf->fd, (const char *)p + done, n - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return failed_to("write", lf->path, put < 0 ? errno : EIO, err);
        done += (size_t)put;
    }
    return ERR_NONE;
}

static err_code linux_file_sync(struct file *f, struct err *err)
{
    const struct linux_file *lf = linux_file_of(f);
    return fdatasync(lf->fd) == 0 ? ERR_NONE : failed_to("sync", lf->path, errno, err);
}

static err_code linux_truncate(struct file *f, uint64_t size, struct err *err)
{
    const struct linux_file *lf = linux_file_of(f);
    if (!offset_fits(size, 0))
        return failed_to("truncate", lf->path, EFBIG, err);
    int r;
    do
        r = ftruncate(lf->fd, (off_t)size);
    while (r != 0 && errno == EINTR);
    return r == 0 ? ERR_NONE : failed_to("truncate", lf->path, errno, err);
}

static err_code linux_size(struct file *f, uint64_t *ret, struct err *err)
{
    const struct linux_file *lf = linux_file_of(f);
    struct stat st;
    if (fstat(lf->fd, &st) != 0)
        return failed_to("stat", lf->path, errno, err);
    *ret = (uint64_t)st.st_size;
    return ERR_NONE;
}

static const struct dir_ops linux_dir_ops = {
    .open_beneath = linux_open_beneath,
    .close = linux_dir_close,
    .make = linux_make,
    .sync = linux_dir_sync,
    .list = linux_list,
    .rename = linux_rename,
    .remove = linux_remove,
    .lock = linux_lock,
    .file_open = linux_file_open,
};

static const struct file_ops linux_file_ops = {
    .close = linux_file_close,
    .read_at = linux_read_at,
    .write_at = linux_write_at,
    .sync = linux_file_sync,
    .truncate = linux_truncate,
    .size = linux_size,
};
