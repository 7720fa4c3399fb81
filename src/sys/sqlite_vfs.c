/* sqlite_vfs.c - SQLite's view of file.h: files, locks among the connections of this process, the WAL index in memory. */
#include "sys/sqlite_vfs.h"
#include "base/mem.h"
#include "sys/env_priv.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#define PATH_SIZE_MAX  512
#define SHM_REGION_MAX 65536 /* of 32 KB each: a WAL of 268 million pages */

/* What the connections to one database share. Guarded by the VFS's `locks`. */
struct database {
    struct database *next;
    char *path;
    unsigned refs;
    /* Rollback locks: how many hold SHARED or more, and who holds more. */
    unsigned shared_n;
    const struct vfs_file *reserved, *pending; /* pending: or exclusive */
    /* The WAL index. */
    void **regions;
    int region_n;
    unsigned mapped_n; /* connections */
    unsigned slot_shared[SQLITE_SHM_NLOCK];
    bool slot_exclusive[SQLITE_SHM_NLOCK];
};

struct sqlite_vfs {
    sqlite3_vfs base;
    struct env *env;
    char *name;
    pthread_mutex_t locks; /* databases and what is in them; held for moments */
    struct database *databases;
    pthread_mutex_t names; /* the directory's handle and names_unsafe; held over calls into file.h */
    struct dir *dir;
    bool names_unsafe;  /* files were made since the last dir_sync */
    atomic_bool broken; /* a sync has failed */
};

/* An open file, in memory of SQLite's of szOsFile bytes. */
struct vfs_file {
    sqlite3_file base;
    struct sqlite_vfs *vfs;
    const char *path; /* SQLite's, as long as the file is open */
    bool delete_on_close;

    struct file *file;
    struct database *database; /* a main database */
    int lock;
    bool mapped, persist_wal;
    unsigned slots_shared, slots_exclusive; /* held, one bit each */

    char *p; /* a temporary file */
    size_t size, cap;
};

static struct vfs_file *file_of(sqlite3_file *f)
{
    return CONTAINER_OF(f, struct vfs_file, base);
}

static struct sqlite_vfs *vfs_of(sqlite3_vfs *v)
{
    return CONTAINER_OF(v, struct sqlite_vfs, base);
}

static int sqlite_code(err_code code, int otherwise)
{
    return code == ERR_NONE ? SQLITE_OK : code == ERR_DISK_FULL ? SQLITE_FULL : otherwise;
}

/* --- reading, writing, syncing --- */

static int vfs_read(sqlite3_file *sf, void *p, int n, sqlite3_int64 offset)
{
    struct vfs_file *f = file_of(sf);
    struct err e = ERR_INIT;
    size_t got;
    if (file_read_at(f->file, (uint64_t)offset, p, (size_t)n, &got, &e))
        return SQLITE_IOERR_READ;
    if (got == (size_t)n)
        return SQLITE_OK;
    memset((char *)p + got, 0, (size_t)n - got); /* SQLite asks for that */
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *sf, const void *p, int n, sqlite3_int64 offset)
{
    struct vfs_file *f = file_of(sf);
    struct err e = ERR_INIT;
    if (atomic_load(&f->vfs->broken))
        return SQLITE_IOERR_WRITE;
    return sqlite_code(file_write_at(f->file, (uint64_t)offset, p, (size_t)n, &e), SQLITE_IOERR_WRITE);
}

static int vfs_truncate(sqlite3_file *sf, sqlite3_int64 size)
{
    struct vfs_file *f = file_of(sf);
    struct err e = ERR_INIT;
    if (atomic_load(&f->vfs->broken))
        return SQLITE_IOERR_TRUNCATE;
    return sqlite_code(file_truncate(f->file, (uint64_t)size, &e), SQLITE_IOERR_TRUNCATE);
}

static int vfs_file_size(sqlite3_file *sf, sqlite3_int64 *ret)
{
    struct err e = ERR_INIT;
    uint64_t size;
    if (file_size(file_of(sf)->file, &size, &e))
        return SQLITE_IOERR_FSTAT;
    *ret = (sqlite3_int64)size;
    return SQLITE_OK;
}

/* Whoever needs the names safe waits for whoever is at it: the flag goes down after the sync only. */
static int names_sync(struct sqlite_vfs *v)
{
    struct err e = ERR_INIT;
    int rc = SQLITE_OK;
    pthread_mutex_lock(&v->names);
    if (v->names_unsafe && dir_sync(v->dir, &e)) {
        atomic_store(&v->broken, true);
        rc = SQLITE_IOERR_DIR_FSYNC;
    } else {
        v->names_unsafe = false;
    }
    pthread_mutex_unlock(&v->names);
    return rc;
}

static int vfs_sync(sqlite3_file *sf, int flags)
{
    struct vfs_file *f = file_of(sf);
    struct err e = ERR_INIT;
    if (atomic_load(&f->vfs->broken))
        return SQLITE_IOERR_FSYNC;
    if (file_sync(f->file, &e)) {
        atomic_store(&f->vfs->broken, true);
        return SQLITE_IOERR_FSYNC;
    }
    return names_sync(f->vfs);
}

static int vfs_sector_size(sqlite3_file *sf)
{
    return 4096;
}

static int vfs_device_characteristics(sqlite3_file *sf)
{
    /* What SQLite assumes of every disk by default: a torn write leaves the bytes beside it alone. */
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int vfs_file_control(sqlite3_file *sf, int op, void *arg)
{
    struct vfs_file *f = file_of(sf);
    int *number = arg;
    switch (op) {
    case SQLITE_FCNTL_VFSNAME: *(char **)arg = sqlite3_mprintf("%s", f->vfs->name); return SQLITE_OK;
    case SQLITE_FCNTL_HAS_MOVED: *number = 0; return SQLITE_OK;
    case SQLITE_FCNTL_LOCKSTATE: *number = f->lock; return SQLITE_OK;
    case SQLITE_FCNTL_PERSIST_WAL:
        if (*number >= 0)
            f->persist_wal = *number != 0;
        *number = f->persist_wal;
        return SQLITE_OK;
    }
    return SQLITE_NOTFOUND;
}

/* --- rollback locks --- */

static int lock_shared(struct vfs_file *f)
{
    struct database *d = f->database;
    if (d->pending)
        return SQLITE_BUSY;
    d->shared_n++;
    f->lock = SQLITE_LOCK_SHARED;
    return SQLITE_OK;
}

static int lock_reserved(struct vfs_file *f)
{
    struct database *d = f->database;
    if (d->reserved || d->pending)
        return SQLITE_BUSY;
    d->reserved = f;
    f->lock = SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

/* Also straight from SHARED, to roll a hot journal back. Readers that are there are waited for; new ones not let in. */
static int lock_exclusive(struct vfs_file *f)
{
    struct database *d = f->database;
    if ((d->reserved && d->reserved != f) || (d->pending && d->pending != f))
        return SQLITE_BUSY;
    d->reserved = d->pending = f;
    f->lock = d->shared_n > 1 ? SQLITE_LOCK_PENDING : SQLITE_LOCK_EXCLUSIVE;
    return f->lock == SQLITE_LOCK_EXCLUSIVE ? SQLITE_OK : SQLITE_BUSY;
}

static int vfs_lock(sqlite3_file *sf, int level)
{
    struct vfs_file *f = file_of(sf);
    int rc = SQLITE_OK;
    pthread_mutex_lock(&f->vfs->locks);
    if (f->lock < level) {
        switch (level) {
        case SQLITE_LOCK_SHARED: rc = lock_shared(f); break;
        case SQLITE_LOCK_RESERVED: rc = lock_reserved(f); break;
        case SQLITE_LOCK_EXCLUSIVE: rc = lock_exclusive(f); break;
        }
    }
    pthread_mutex_unlock(&f->vfs->locks);
    return rc;
}

static void unlock_to(struct vfs_file *f, int level)
{
    struct database *d = f->database;
    if (f->lock > SQLITE_LOCK_SHARED && level <= SQLITE_LOCK_SHARED) {
        d->reserved = d->reserved == f ? NULL : d->reserved;
        d->pending = d->pending == f ? NULL : d->pending;
        f->lock = SQLITE_LOCK_SHARED;
    }
    if (f->lock == SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) {
        d->shared_n--;
        f->lock = SQLITE_LOCK_NONE;
    }
}

static int vfs_unlock(sqlite3_file *sf, int level)
{
    struct vfs_file *f = file_of(sf);
    pthread_mutex_lock(&f->vfs->locks);
    unlock_to(f, level);
    pthread_mutex_unlock(&f->vfs->locks);
    return SQLITE_OK;
}

static int vfs_check_reserved(sqlite3_file *sf, int *ret)
{
    struct vfs_file *f = file_of(sf);
    pthread_mutex_lock(&f->vfs->locks);
    *ret = f->database->reserved != NULL;
    pthread_mutex_unlock(&f->vfs->locks);
    return SQLITE_OK;
}

/* --- the WAL index --- */

static int map_region(struct database *d, int region, int size, bool extend, void volatile **ret)
{
    *ret = NULL;
    if (region >= SHM_REGION_MAX)
        return SQLITE_IOERR_SHMSIZE;
    if (region >= d->region_n && !extend)
        return SQLITE_OK;
    if (region >= d->region_n) {
        d->regions = mem_realloc(d->regions, (size_t)(region + 1) * sizeof *d->regions);
        while (d->region_n <= region)
            d->regions[d->region_n++] = mem_alloc_zero(1, (size_t)size);
    }
    *ret = d->regions[region];
    return SQLITE_OK;
}

static int vfs_shm_map(sqlite3_file *sf, int region, int size, int extend, void volatile **ret)
{
    struct vfs_file *f = file_of(sf);
    pthread_mutex_lock(&f->vfs->locks);
    if (!f->mapped)
        f->database->mapped_n++;
    f->mapped = true;
    int rc = map_region(f->database, region, size, extend != 0, ret);
    pthread_mutex_unlock(&f->vfs->locks);
    return rc;
}

static void slots_release(struct vfs_file *f, unsigned slots)
{
    struct database *d = f->database;
    for (unsigned i = 0; i < SQLITE_SHM_NLOCK; i++) {
        if (f->slots_shared & slots & 1u << i)
            d->slot_shared[i]--;
        if (f->slots_exclusive & slots & 1u << i)
            d->slot_exclusive[i] = false;
    }
    f->slots_shared &= ~slots;
    f->slots_exclusive &= ~slots;
}

static int slots_take(struct vfs_file *f, unsigned slots, bool exclusive)
{
    struct database *d = f->database;
    unsigned *held = exclusive ? &f->slots_exclusive : &f->slots_shared;
    slots &= ~*held;
    for (unsigned i = 0; i < SQLITE_SHM_NLOCK; i++)
        if (slots & 1u << i && (d->slot_exclusive[i] || (exclusive && d->slot_shared[i])))
            return SQLITE_BUSY;
    for (unsigned i = 0; i < SQLITE_SHM_NLOCK; i++) {
        if (slots & 1u << i && exclusive)
            d->slot_exclusive[i] = true;
        else if (slots & 1u << i)
            d->slot_shared[i]++;
    }
    *held |= slots;
    return SQLITE_OK;
}

static int vfs_shm_lock(sqlite3_file *sf, int first, int count, int flags)
{
    struct vfs_file *f = file_of(sf);
    unsigned slots = ((1u << count) - 1) << first;
    int rc = SQLITE_OK;
    pthread_mutex_lock(&f->vfs->locks);
    if (flags & SQLITE_SHM_UNLOCK)
        slots_release(f, slots);
    else
        rc = slots_take(f, slots, flags & SQLITE_SHM_EXCLUSIVE);
    pthread_mutex_unlock(&f->vfs->locks);
    return rc;
}

static void vfs_shm_barrier(sqlite3_file *sf)
{
    struct vfs_file *f = file_of(sf);
    atomic_thread_fence(memory_order_seq_cst);
    /* And what thread checkers understand, too. */
    pthread_mutex_lock(&f->vfs->locks);
    pthread_mutex_unlock(&f->vfs->locks);
}

static void forget_regions(struct database *d)
{
    for (int i = 0; i < d->region_n; i++)
        mem_free(d->regions[i]);
    mem_free(d->regions);
    d->regions = NULL;
    d->region_n = 0;
}

static void shm_unmap(struct vfs_file *f)
{
    if (!f->mapped)
        return;
    slots_release(f, f->slots_shared | f->slots_exclusive);
    f->mapped = false;
    if (--f->database->mapped_n == 0)
        forget_regions(f->database);
}

static int vfs_shm_unmap(sqlite3_file *sf, int delete)
{
    struct vfs_file *f = file_of(sf);
    pthread_mutex_lock(&f->vfs->locks);
    shm_unmap(f);
    pthread_mutex_unlock(&f->vfs->locks);
    return SQLITE_OK;
}

/* --- opening and closing --- */

static struct database *database_get(struct sqlite_vfs *v, const char *path)
{
    pthread_mutex_lock(&v->locks);
    struct database *d = v->databases;
    while (d && strcmp(d->path, path) != 0)
        d = d->next;
    if (!d) {
        d = NEW(struct database);
        d->path = mem_dup(path, strlen(path) + 1);
        d->next = v->databases;
        v->databases = d;
    }
    d->refs++;
    pthread_mutex_unlock(&v->locks);
    return d;
}

static void database_leave(struct vfs_file *f)
{
    struct sqlite_vfs *v = f->vfs;
    struct database *d = f->database;
    pthread_mutex_lock(&v->locks);
    shm_unmap(f);
    unlock_to(f, SQLITE_LOCK_NONE);
    if (--d->refs == 0) {
        struct database **at = &v->databases;
        while (*at != d)
            at = &(*at)->next;
        *at = d->next;
        mem_free(d->path);
        mem_free(d);
    }
    pthread_mutex_unlock(&v->locks);
}

static err_code remove_path(struct sqlite_vfs *v, const char *path, struct err *err)
{
    pthread_mutex_lock(&v->names);
    err_code code = dir_remove(v->dir, str_from_c(path), err);
    if (!code)
        v->names_unsafe = true;
    pthread_mutex_unlock(&v->names);
    return code;
}

static int vfs_close(sqlite3_file *sf)
{
    struct vfs_file *f = file_of(sf);
    struct err e = ERR_INIT;
    if (f->database)
        database_leave(f);
    file_close(f->file);
    if (f->delete_on_close)
        err_ignore(remove_path(f->vfs, f->path, &e)); /* rubbish at worst */
    return SQLITE_OK;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2, /* no memory mapping */
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_file_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_reserved,
    .xFileControl = vfs_file_control,
    .xSectorSize = vfs_sector_size,
    .xDeviceCharacteristics = vfs_device_characteristics,
    .xShmMap = vfs_shm_map,
    .xShmLock = vfs_shm_lock,
    .xShmBarrier = vfs_shm_barrier,
    .xShmUnmap = vfs_shm_unmap,
};

/* --- temporary files: one connection's, so nothing to lock and nothing to sync --- */

static int temp_close(sqlite3_file *sf)
{
    mem_free(file_of(sf)->p);
    return SQLITE_OK;
}

static int temp_read(sqlite3_file *sf, void *p, int n, sqlite3_int64 offset)
{
    const struct vfs_file *f = file_of(sf);
    size_t there = (uint64_t)offset < f->size ? f->size - (size_t)offset : 0;
    size_t got = size_min((size_t)n, there);
    if (got)
        memcpy(p, f->p + offset, got);
    memset((char *)p + got, 0, (size_t)n - got);
    return got == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int temp_write(sqlite3_file *sf, const void *p, int n, sqlite3_int64 offset)
{
    struct vfs_file *f = file_of(sf);
    if ((uint64_t)offset > SQLITE_VFS_TEMP_MAX || (size_t)n > SQLITE_VFS_TEMP_MAX - (size_t)offset)
        return SQLITE_FULL;
    size_t end = (size_t)offset + (size_t)n;
    if (end > f->cap) {
        size_t cap = size_max(size_max(2 * f->cap, 4096), end);
        f->p = mem_realloc(f->p, cap);
        memset(f->p + f->cap, 0, cap - f->cap);
        f->cap = cap;
    }
    memcpy(f->p + offset, p, (size_t)n);
    f->size = size_max(f->size, end);
    return SQLITE_OK;
}

static int temp_truncate(sqlite3_file *sf, sqlite3_int64 size)
{
    struct vfs_file *f = file_of(sf);
    if ((uint64_t)size < f->size) {
        memset(f->p + size, 0, f->size - (size_t)size);
        f->size = (size_t)size;
    }
    return SQLITE_OK;
}

static int temp_sync(sqlite3_file *sf, int flags)
{
    return SQLITE_OK;
}

static int temp_size(sqlite3_file *sf, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)file_of(sf)->size;
    return SQLITE_OK;
}

static int temp_lock(sqlite3_file *sf, int level)
{
    return SQLITE_OK;
}

static int temp_check_reserved(sqlite3_file *sf, int *ret)
{
    *ret = 0;
    return SQLITE_OK;
}

static const sqlite3_io_methods temp_methods = {
    .iVersion = 1,
    .xClose = temp_close,
    .xRead = temp_read,
    .xWrite = temp_write,
    .xTruncate = temp_truncate,
    .xSync = temp_sync,
    .xFileSize = temp_size,
    .xLock = temp_lock,
    .xUnlock = temp_lock,
    .xCheckReservedLock = temp_check_reserved,
    .xFileControl = vfs_file_control,
    .xSectorSize = vfs_sector_size,
    .xDeviceCharacteristics = vfs_device_characteristics,
};

/* --- the VFS --- */

/* Opens what is there, or makes it and remembers that its name is not safe yet. */
static err_code open_path(struct sqlite_vfs *v, const char *path, int flags, struct file **ret,
                          struct err *err)
{
    unsigned how = flags & SQLITE_OPEN_READWRITE ? FILE_READ | FILE_WRITE : FILE_READ;
    str name = str_from_c(path);
    bool make = flags & SQLITE_OPEN_CREATE, exclusive = make && flags & SQLITE_OPEN_EXCLUSIVE;
    pthread_mutex_lock(&v->names);
    err_code code = exclusive ? ERR_NOT_FOUND : file_open(v->dir, name, how, ret, err);
    if (code == ERR_NOT_FOUND && make) {
        code = file_open(v->dir, name, how | FILE_CREATE | (exclusive ? FILE_EXCLUSIVE : 0), ret, err);
        if (!code)
            v->names_unsafe = true;
    }
    pthread_mutex_unlock(&v->names);
    return code;
}

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *sf, int flags, int *ret_flags)
{
    const int temporary = SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_TRANSIENT_DB |
                          SQLITE_OPEN_SUBJOURNAL;
    struct vfs_file *f = file_of(sf);
    struct err e = ERR_INIT;
    *f = (struct vfs_file){.vfs = vfs_of(base), .path = path};
    if (!path || flags & temporary) {
        f->base.pMethods = &temp_methods;
    } else {
        err_code code = open_path(f->vfs, path, flags, &f->file, &e);
        if (code)
            return sqlite_code(code, SQLITE_CANTOPEN);
        f->delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
        f->database = flags & SQLITE_OPEN_MAIN_DB ? database_get(f->vfs, path) : NULL;
        f->base.pMethods = &file_methods;
    }
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_dir)
{
    struct sqlite_vfs *v = vfs_of(base);
    struct err e = ERR_INIT;
    err_code code = remove_path(v, path, &e);
    if (code)
        return code == ERR_NOT_FOUND ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    return sync_dir ? names_sync(v) : SQLITE_OK;
}

/* An empty file counts as none, as with SQLite's own. */
static int vfs_access(sqlite3_vfs *base, const char *path, int what, int *ret)
{
    struct sqlite_vfs *v = vfs_of(base);
    struct err e = ERR_INIT;
    struct file *f = NULL;
    uint64_t size = 0;
    pthread_mutex_lock(&v->names);
    err_code code = file_open(v->dir, str_from_c(path), FILE_READ, &f, &e);
    pthread_mutex_unlock(&v->names);
    if (!code) {
        code = file_size(f, &size, &e);
        file_close(f);
    }
    if (code && code != ERR_NOT_FOUND)
        return SQLITE_IOERR_ACCESS;
    *ret = !code && (size || what != SQLITE_ACCESS_EXISTS);
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *base, const char *path, int size, char *ret)
{
    size_t n = strlen(path) + 1;
    if (n > (size_t)size)
        return SQLITE_CANTOPEN;
    memcpy(ret, path, n); /* whether it leads out is for file.h to say */
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *base, int n, char *ret)
{
    env_random(vfs_of(base)->env, ret, (size_t)n);
    return n;
}

static int vfs_sleep(sqlite3_vfs *base, int us)
{
    struct env *env = vfs_of(base)->env;
    env->ops->sleep(env, us * NS_PER_US);
    return us;
}

static int vfs_time_ms(sqlite3_vfs *base, sqlite3_int64 *ret)
{
    const sqlite3_int64 epoch_ms = 210866760000000; /* of 1970, in days since noon of 24 November 4714 BC */
    *ret = epoch_ms + env_now_wall(vfs_of(base)->env) / NS_PER_MS;
    return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *base, double *ret)
{
    sqlite3_int64 ms;
    vfs_time_ms(base, &ms);
    *ret = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *base, int size, char *ret)
{
    return 0;
}

static void *vfs_dl_open(sqlite3_vfs *base, const char *path)
{
    return NULL; /* no extensions */
}

static void vfs_dl_error(sqlite3_vfs *base, int size, char *ret)
{
    sqlite3_snprintf(size, ret, "extensions are not loaded here");
}

static void (*vfs_dl_sym(sqlite3_vfs *base, void *handle, const char *name))(void)
{
    return NULL;
}

static void vfs_dl_close(sqlite3_vfs *base, void *handle)
{
}

err_code sqlite_vfs_register(struct env *env, struct dir *d, str name, struct sqlite_vfs **ret,
                             struct err *err)
{
    struct sqlite_vfs *v = NEW(struct sqlite_vfs);
    v->name = mem_alloc(name.n + 1);
    memcpy(v->name, name.p, name.n);
    v->name[name.n] = '\0';
    v->env = env;
    v->dir = d;
    v->names_unsafe = true; /* a process before us may have made files and not lived to sync their names */
    pthread_mutex_init(&v->locks, NULL);
    pthread_mutex_init(&v->names, NULL);
    v->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct vfs_file),
        .mxPathname = PATH_SIZE_MAX,
        .zName = v->name,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xDlOpen = vfs_dl_open,
        .xDlError = vfs_dl_error,
        .xDlSym = vfs_dl_sym,
        .xDlClose = vfs_dl_close,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time_ms,
    };
    if (sqlite3_initialize() != SQLITE_OK || sqlite3_vfs_find(v->name)) {
        err_set(err, ERR_CONFLICT, "SQLite has a VFS named '%s' already", v->name);
        sqlite_vfs_unregister(v);
        return err->code;
    }
    sqlite3_vfs_register(&v->base, 1);
    sqlite3_randomness(0, NULL);
    *ret = v;
    return ERR_NONE;
}

const char *sqlite_vfs_name(const struct sqlite_vfs *v)
{
    return v->name;
}

void sqlite_vfs_unregister(struct sqlite_vfs *v)
{
    if (!v)
        return;
    ASSERT(!v->databases);
    sqlite3_vfs_unregister(&v->base);
    pthread_mutex_destroy(&v->locks);
    pthread_mutex_destroy(&v->names);
    mem_free(v->name);
    mem_free(v);
}
