/* sim_file.c - directories and files of simulated hosts: handles on the disk's nodes, with numbers for the effects, time
 * for the syncs, and the faults that were ordered.
 * A handle of a dead life stays on the dead life's disk, where it may do as it likes: that disk is nobody's. */
#include "base/mem.h"
#include "sys/sim_priv.h"
#include <errno.h>

struct sim_dir {
    struct dir dir;
    struct sim_host *host;
    struct sim_disk *disk;
    struct sim_node *node;
    uint64_t life;
};

struct sim_file {
    struct file file;
    struct sim_host *host;
    struct sim_disk *disk;
    struct sim_node *node;
    uint64_t life;
    unsigned flags;
    bool locks;
    str path; /* for messages */
};

/* What a path can get wrong, in the words of file.h. */
static err_code refine(struct err *err)
{
    switch (err->sys_errno) {
    case EISDIR:
    case ENOTDIR: err->code = ERR_INVALID; break;
    case ENOTEMPTY: err->code = ERR_CONFLICT; break;
    }
    return err->code;
}

static err_code failed_to(const char *what, str path, int e, struct err *err)
{
    err_errno(err, e, "could not %s '%" STR_FMT "'", what, STR_ARG(path));
    return refine(err);
}

/* For a handle of that life: false in the next one, too. */
static bool effect(struct sim_host *h, uint64_t life, enum sim_trace_kind kind, str text, uint64_t b)
{
    return h->life == life && sim_effect(h, kind, text, b);
}

static bool fault(struct sim_host *h, uint64_t life, double probability)
{
    return sim_life_is(h, life) && sim_random_chance(&h->disk_dice, probability);
}

static void spend_sync(struct sim_host *h)
{
    const struct sim_opts *o = &h->sim->opts;
    sim_spend(h->sim, sim_random_between(&h->disk_dice, o->sync_min_ns, o->sync_max_ns));
}

/* --- directories --- */

static const struct dir_ops sim_dir_ops;
static const struct file_ops sim_file_ops;

static struct sim_dir *dir_of(struct dir *d)
{
    return CONTAINER_OF(d, struct sim_dir, dir);
}

static struct dir *dir_new(struct sim_host *h, uint64_t life, struct sim_node *node)
{
    struct sim_dir *sd = NEW(struct sim_dir);
    *sd = (struct sim_dir){.dir = {.ops = &sim_dir_ops, .env = &h->env}, .host = h, .life = life};
    sd->disk = sim_disk_ref(sim_node_disk(node));
    sd->node = sim_node_ref(node);
    return &sd->dir;
}

static void close_dir(struct dir *d)
{
    struct sim_dir *sd = dir_of(d);
    sim_node_unref(sd->node);
    sim_disk_unref(sd->disk);
    mem_free(sd);
}

/* An outside path, part after part; what is made is durable, for nobody else has a handle on the parents. */
static err_code walk(struct sim_host *h, str path, unsigned flags, struct sim_node **ret, struct err *err)
{
    struct sim_node *at = sim_disk_root(h->disk), *next;
    str rest = path, name;
    while (str_next(&rest, '/', &name)) {
        if (name.n == 0 || str_is(name, "."))
            continue;
        if (str_is(name, ".."))
            return err_set(err, ERR_INVALID, "the simulator knows no '..' in '%" STR_FMT "'", STR_ARG(path));
        err_code code = sim_node_find(at, name, &next, err);
        if (code == ERR_NOT_FOUND && flags & DIR_CREATE) {
            bool counts = sim_effect(h, SIM_DIR_MAKE, name, 0);
            code = sim_node_create(at, name, true, &next, err);
            if (!code && counts && !h->faults.sync_lies)
                sim_dir_sync(at);
        }
        if (code)
            return err->code;
        at = next;
    }
    *ret = at;
    return ERR_NONE;
}

err_code sim_dir_open(struct env *env, str path, unsigned flags, struct dir **ret, struct err *err)
{
    struct sim_host *h = sim_host_of(env);
    struct sim_node *node = NULL;
    err_code code = walk(h, path, flags, &node, err);
    if (code && code != ERR_INVALID)
        return failed_to("open directory", path, err->sys_errno, err);
    if (code)
        return code;
    if (!sim_node_is_dir(node))
        return failed_to("open directory", path, ENOTDIR, err);
    *ret = dir_new(h, h->life, node);
    return ERR_NONE;
}

static err_code make_path(struct dir *d, str path, struct err *err)
{
    struct sim_dir *sd = dir_of(d);
    struct sim_node *node;
    effect(sd->host, sd->life, SIM_DIR_MAKE, path, 0);
    if (sim_node_create(sd->node, path, true, &node, err))
        return failed_to("make directory", path, err->sys_errno, err);
    return ERR_NONE;
}

/* Each missing part of a path beneath `d`. */
static err_code make_each(struct dir *d, str path, struct err *err)
{
    for (size_t n = 1; n <= path.n; n++) {
        if (n < path.n && path.p[n] != '/')
            continue;
        if (make_path(d, str_slice(path, 0, n), err) && err->code != ERR_ALREADY_EXISTS)
            return err->code;
    }
    return ERR_NONE;
}

static err_code open_beneath(struct dir *d, str path, unsigned flags, struct dir **ret, struct err *err)
{
    struct sim_dir *sd = dir_of(d);
    struct sim_node *node;
    err_code code = sim_node_find(sd->node, path, &node, err);
    if (code == ERR_NOT_FOUND && flags & DIR_CREATE) {
        code = make_each(d, path, err);
        if (!code)
            code = sim_node_find(sd->node, path, &node, err);
    }
    if (code)
        return failed_to("open directory", path, err->sys_errno, err);
    if (!sim_node_is_dir(node))
        return failed_to("open directory", path, ENOTDIR, err);
    *ret = dir_new(sd->host, sd->life, node);
    return ERR_NONE;
}

static err_code sync_dir(struct dir *d, struct err *err)
{
    struct sim_dir *sd = dir_of(d);
    struct sim_host *h = sd->host;
    if (!effect(h, sd->life, SIM_DIR_SYNC, STR_NONE, 0))
        return ERR_NONE;
    spend_sync(h);
    if (fault(h, sd->life, h->faults.sync_error)) {
        sim_trace(h->sim, h, SIM_FAULT_SYNC, S("a directory"), 0, 0);
        return err_errno(err, EIO, "could not sync a directory");
    }
    if (!h->faults.sync_lies)
        sim_dir_sync(sd->node);
    return ERR_NONE;
}

static err_code list(struct dir *d, struct arena *a, size_t max, str **ret_names, size_t *ret_count,
                     struct err *err)
{
    const struct sim_node *node = dir_of(d)->node;
    size_t count = sim_dir_count(node);
    if (count > max)
        return err_set(err, ERR_TOO_LARGE, "the directory has more than %zu names", max);
    str *names = ARENA_ARRAY(a, str, count);
    for (size_t i = 0; i < count; i++)
        names[i] = str_dup(a, sim_dir_name(node, i));
    *ret_names = names;
    *ret_count = count;
    return ERR_NONE;
}

static err_code rename_path(struct dir *d, str from, str to, struct err *err)
{
    struct sim_dir *sd = dir_of(d);
    effect(sd->host, sd->life, SIM_DIR_RENAME, to, 0);
    return sim_node_rename(sd->node, from, to, err) ? refine(err) : ERR_NONE;
}

static err_code remove_path(struct dir *d, str path, struct err *err)
{
    struct sim_dir *sd = dir_of(d);
    effect(sd->host, sd->life, SIM_DIR_REMOVE, path, 0);
    if (sim_node_remove(sd->node, path, err))
        return failed_to("remove", path, err->sys_errno, err);
    return ERR_NONE;
}

/* --- files --- */

static struct sim_file *file_of(struct file *f)
{
    return CONTAINER_OF(f, struct sim_file, file);
}

/* Found, or made if the flags say so. */
static err_code find_file(struct sim_dir *sd, str path, unsigned flags, struct sim_node **ret,
                          struct err *err)
{
    err_code code = sim_node_find(sd->node, path, ret, err);
    if (code == ERR_NOT_FOUND && flags & FILE_CREATE) {
        effect(sd->host, sd->life, SIM_FILE_CREATE, path, 0);
        code = sim_node_create(sd->node, path, false, ret, err);
    } else if (!code && flags & FILE_EXCLUSIVE) {
        return failed_to("open", path, EEXIST, err);
    }
    if (code)
        return failed_to("open", path, err->sys_errno, err);
    if (!sim_node_is_dir(*ret))
        return ERR_NONE;
    return err_set(err, ERR_INVALID, "'%" STR_FMT "' is not a regular file", STR_ARG(path));
}

static struct sim_file *file_new(struct sim_dir *sd, struct sim_node *node, str path, unsigned flags)
{
    struct sim_file *sf = NEW(struct sim_file);
    *sf = (struct sim_file){.file = {.ops = &sim_file_ops, .env = sd->dir.env}, .flags = flags};
    sf->host = sd->host;
    sf->life = sd->life;
    sf->disk = sim_disk_ref(sim_node_disk(node));
    sf->node = sim_node_ref(node);
    sf->path = str_of(mem_dup(path.p, path.n), path.n);
    return sf;
}

static err_code truncate_file(struct file *f, uint64_t size, struct err *err)
{
    struct sim_file *sf = file_of(f);
    if (!(sf->flags & FILE_WRITE))
        return failed_to("truncate", sf->path, EINVAL, err);
    effect(sf->host, sf->life, SIM_FILE_TRUNCATE, sf->path, size);
    if (size > SIM_FILE_SIZE_MAX)
        return failed_to("truncate", sf->path, EFBIG, err);
    return sim_file_truncate(sf->node, size, err);
}

static err_code open_file(struct dir *d, str path, unsigned flags, struct file **ret, struct err *err)
{
    struct sim_dir *sd = dir_of(d);
    struct sim_node *node;
    if (find_file(sd, path, flags, &node, err))
        return err->code;
    struct sim_file *sf = file_new(sd, node, path, flags);
    if (flags & FILE_TRUNCATE && sim_file_size(node))
        err_ignore(truncate_file(&sf->file, 0, err)); /* cutting to nothing cannot fail */
    *ret = &sf->file;
    return ERR_NONE;
}

static void close_file(struct file *f)
{
    struct sim_file *sf = file_of(f);
    if (sf->locks)
        sim_node_unlock(sf->node);
    sim_node_unref(sf->node);
    sim_disk_unref(sf->disk);
    mem_free((void *)(uintptr_t)sf->path.p);
    mem_free(sf);
}

static err_code lock(struct dir *d, str name, struct file **ret_lock, struct err *err)
{
    struct sim_dir *sd = dir_of(d);
    struct sim_node *node;
    if (find_file(sd, name, FILE_READ | FILE_WRITE | FILE_CREATE, &node, err))
        return err->code;
    if (!sim_node_lock(node))
        return err_set(err, ERR_CONFLICT, "'%" STR_FMT "' is locked by somebody else", STR_ARG(name));
    struct sim_file *sf = file_new(sd, node, name, FILE_READ | FILE_WRITE);
    sf->locks = true;
    *ret_lock = &sf->file;
    return ERR_NONE;
}

static err_code read_at(struct file *f, uint64_t offset, void *p, size_t n, size_t *ret_n, struct err *err)
{
    struct sim_file *sf = file_of(f);
    struct sim_host *h = sf->host;
    if (!(sf->flags & FILE_READ))
        return failed_to("read", sf->path, EBADF, err);
    if (fault(h, sf->life, h->faults.read_error)) {
        sim_trace(h->sim, h, SIM_FAULT_READ, sf->path, 0, 0);
        return failed_to("read", sf->path, EIO, err);
    }
    *ret_n = sim_file_read(sf->node, offset, p, n);
    return ERR_NONE;
}

/* How many of the n bytes there is room for. */
static size_t fitting(const struct sim_file *sf, uint64_t offset, size_t n)
{
    uint64_t full = sf->host->faults.full_at_bytes, used = sim_disk_used(sf->disk);
    uint64_t size = sim_file_size(sf->node), end = offset + n;
    uint64_t growth = end > size ? end - size : 0, room = full > used ? full - used : 0;
    if (!full || growth <= room)
        return n;
    uint64_t missing = growth - room;
    return missing < n ? n - (size_t)missing : 0;
}

/* Decides whether this write fails, and then after how many bytes; 0: it does not. */
static int write_fault(struct sim_file *sf, uint64_t offset, size_t *n)
{
    struct sim_host *h = sf->host;
    size_t fits = fitting(sf, offset, *n);
    bool full = fits < *n;
    if (!full && !fault(h, sf->life, h->faults.write_error))
        return 0;
    *n = sim_random_below(&h->disk_dice, fits + 1);
    sim_trace(h->sim, h, full ? SIM_FAULT_FULL : SIM_FAULT_WRITE, sf->path, 0, *n);
    return full ? ENOSPC : EIO;
}

static err_code write_at(struct file *f, uint64_t offset, const void *p, size_t n, struct err *err)
{
    struct sim_file *sf = file_of(f);
    if (!(sf->flags & FILE_WRITE))
        return failed_to("write", sf->path, EBADF, err);
    if (n > SIM_FILE_SIZE_MAX || offset > SIM_FILE_SIZE_MAX - n)
        return failed_to("write", sf->path, EFBIG, err);
    if (!n)
        return ERR_NONE;
    int failure = 0;
    if (effect(sf->host, sf->life, SIM_FILE_WRITE, sf->path, n)) {
        sim_trace_bytes(sf->host->sim, &offset, sizeof offset);
        sim_trace_bytes(sf->host->sim, p, n);
        failure = write_fault(sf, offset, &n);
    }
    if (sim_file_write(sf->node, offset, p, n, err))
        return err->code;
    return failure ? failed_to("write", sf->path, failure, err) : ERR_NONE;
}

static err_code sync_file(struct file *f, struct err *err)
{
    struct sim_file *sf = file_of(f);
    struct sim_host *h = sf->host;
    if (!effect(h, sf->life, SIM_FILE_SYNC, sf->path, 0))
        return ERR_NONE;
    spend_sync(h);
    if (fault(h, sf->life, h->faults.sync_error)) {
        sim_trace(h->sim, h, SIM_FAULT_SYNC, sf->path, 0, 0);
        sim_file_sync_failed(sf->node);
        return failed_to("sync", sf->path, EIO, err);
    }
    if (!h->faults.sync_lies)
        sim_file_sync(sf->node);
    return ERR_NONE;
}

static err_code size_of(struct file *f, uint64_t *ret, struct err *err)
{
    *ret = sim_file_size(file_of(f)->node);
    return ERR_NONE;
}

static const struct dir_ops sim_dir_ops = {
    .open_beneath = open_beneath,
    .close = close_dir,
    .make = make_path,
    .sync = sync_dir,
    .list = list,
    .rename = rename_path,
    .remove = remove_path,
    .lock = lock,
    .file_open = open_file,
};

static const struct file_ops sim_file_ops = {
    .close = close_file,
    .read_at = read_at,
    .write_at = write_at,
    .sync = sync_file,
    .truncate = truncate_file,
    .size = size_of,
};
