/* sqlite.c - the backend inside: one file, one writer, a group of transactions for each sync.
 *
 *     log       one row for each state of each object: id is revision * 64 + its place in the transaction, so rows are only
 *               ever appended; content NULL: deleted
 *     resource  names of resources, and up to which revision the history of each was dropped
 *
 * Always true of what is on disk:
 *  - the newest row of a key is its current state; an older one, and a newest one that says "deleted", are there as long as
 *    the change that made them so is in the history of its resource, and a little longer;
 *  - rows of one key go oldest first;
 *  - the newest row of all is never deleted by the transaction that wrote it: revisions go on from there;
 *  - nothing is deleted but along with a write: who does nothing writes nothing.
 * The database is in WAL mode. What is committed is synced; working it into the database (checkpoint) is done by a worker
 * with a connection of its own. SQLite begins its log anew only when all of it was worked in, which under a steady load a
 * worker never reaches: so when it has come close, the rest is done between two commits.
 * Full disk: a file kept aside is removed. There is room again for what the log has to be worked in (never more than three
 * quarters of that are waiting), and for transactions that make things less; history gives way to them. */
#include "base/mem.h"
#include "store/reserve.h"
#include "store/store_priv.h"
#include "sys/file.h"
#include "sys/sqlite_vfs.h"
#include <sqlite3.h>
#include <stdio.h>

#define FORMAT           1
#define APPLICATION_ID   0x736b6966 /* "skif" */
#define PAGE_SIZE        4096
#define DATABASE         "state.db"
#define NEW_DATABASE     "new.db"
#define TRIM_MAX         256 /* changes dropped along with one group, and as many as that has twice */
#define LEFTOVERS_MAX    1000
#define WIDEN_EVERY_NS   (5 * NS_PER_S)
/* Worked into the database between two commits, when a worker has done the rest; and how much longer than usual the log may
 * get until that is done whatever it takes. */
#define INLINE_PAGES_MAX 256
#define LOG_FACTOR_MAX   8

struct sqlite {
    struct backend backend;
    struct store *store;
    struct env *env;
    const struct store_opts *opts;
    struct file *lock;
    struct sqlite_vfs *vfs;
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *rollback, *insert, *delete, *resource, *free_pages;
    struct buf text;        /* what the transform made */
    int64_t revision;       /* the newest */
    VEC(int64_t) leftovers; /* rows that opening found to be of no use */

    bool dead;
    struct reserve reserve;
    bool tight;       /* that is given up */
    int64_t widen_ns; /* when it is tried to have it again */

    int wal_pages;       /* in the log */
    int worked_pages;    /* of those, in the database */
    unsigned wal_starts; /* how often the log began anew */
    struct loop_work work;
    sqlite3 *worker_db; /* the worker's while it is at it */
    bool working;
    int work_rc, work_pages;
    unsigned work_start; /* which log that was */
};

static struct sqlite *sqlite_of(struct backend *b)
{
    return CONTAINER_OF(b, struct sqlite, backend);
}

/* --- errors --- */

static err_code code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL: return ERR_DISK_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH: return ERR_CORRUPT;
    }
    return ERR_IO;
}

static err_code failed(struct sqlite *q, const char *what, struct err *err)
{
    int rc = sqlite3_extended_errcode(q->db);
    return err_set(err, code_of(rc), "could not %s '" DATABASE "': %s (SQLite error %d)", what,
                   sqlite3_errmsg(q->db), rc);
}

static err_code corrupt_row(struct err *err, int64_t id, const char *why)
{
    return err_set(err, ERR_CORRUPT, "'" DATABASE "' is damaged: row %lld of the log %s", (long long)id, why);
}

/* --- opening --- */

static int execute(struct sqlite *q, const char *sql)
{
    return sqlite3_exec(q->db, sql, NULL, NULL, NULL);
}

static err_code pragma_number(struct sqlite *q, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st = NULL;
    bool ok = sqlite3_prepare_v2(q->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;
    if (ok)
        *ret = sqlite3_column_int64(st, 0);
    else
        failed(q, "read", err);
    sqlite3_finalize(st);
    return ok ? ERR_NONE : err->code;
}

static err_code prepare(struct sqlite *q, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    if (sqlite3_prepare_v3(q->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) != SQLITE_OK)
        return failed(q, "understand", err);
    return ERR_NONE;
}

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

static err_code check_format(struct sqlite *q, struct err *err)
{
    int64_t application, format;
    if (pragma_number(q, "PRAGMA application_id", &application, err) ||
        pragma_number(q, "PRAGMA user_version", &format, err))
        return err->code;
    if (application != APPLICATION_ID)
        return err_set(err, ERR_CORRUPT, "'" DATABASE "' is a database of something else, not of skiff");
    if (format > FORMAT)
        return err_set(err, ERR_UNSUPPORTED,
                       "'" DATABASE
                       "' has format %lld, made by a newer version; this one knows formats up to %d",
                       (long long)format, FORMAT);
    if (format < 1)
        return err_set(err, ERR_CORRUPT, "'" DATABASE "' has format %lld, which never was",
                       (long long)format);
    return ERR_NONE;
}

static int wal_grew(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct sqlite *q = ctx;
    if (pages <= q->wal_pages) { /* it began anew */
        q->worked_pages = 0;
        q->wal_starts++;
    }
    q->wal_pages = pages;
    return SQLITE_OK;
}

static err_code connect(struct sqlite *q, const char *name, int flags, sqlite3 **db, struct err *err)
{
    int rc = sqlite3_open_v2(name, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | flags,
                             sqlite_vfs_name(q->vfs));
    if (rc != SQLITE_OK)
        return err_set(err, code_of(rc), "could not open '%s': %s", name, sqlite3_errstr(rc));
    sqlite3_extended_result_codes(*db, 1);
    return ERR_NONE;
}

static const char make_it[] = "PRAGMA page_size = " TEXT_OF(
    PAGE_SIZE) "; PRAGMA synchronous = off; PRAGMA journal_mode = wal;"
               "CREATE TABLE resource (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, trimmed INTEGER NOT NULL);"
               "CREATE TABLE log (id INTEGER PRIMARY KEY, resource INTEGER NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,"
               " at INTEGER NOT NULL, content BLOB);"
               "PRAGMA application_id = " TEXT_OF(APPLICATION_ID) "; PRAGMA user_version = " TEXT_OF(FORMAT);

/* Made aside, with two syncs in place of nine; it gets its name when it is whole. */
static err_code make_database(struct sqlite *q, struct err *err)
{
    static const str leftovers[] = {S_INIT(NEW_DATABASE), S_INIT(NEW_DATABASE "-wal"),
                                    S_INIT(NEW_DATABASE "-journal"), S_INIT(DATABASE "-wal")};
    struct dir *d = q->opts->dir;
    struct file *f;
    for (size_t i = 0; i < ARRAY_COUNT(leftovers); i++)
        if (dir_remove(d, leftovers[i], err) && err->code != ERR_NOT_FOUND)
            return err->code;
    if (connect(q, NEW_DATABASE, SQLITE_OPEN_CREATE, &q->db, err))
        return err->code;
    if (execute(q, make_it) != SQLITE_OK)
        return failed(q, "make", err);
    int rc = sqlite3_close(q->db); /* its log is worked in */
    q->db = NULL;
    if (rc != SQLITE_OK)
        return err_set(err, code_of(rc), "could not make '" DATABASE "': %s", sqlite3_errstr(rc));
    if (file_open(d, S(NEW_DATABASE), FILE_READ | FILE_WRITE, &f, err))
        return err->code;
    err_code code = file_sync(f, err);
    file_close(f);
    if (code || dir_rename(d, S(NEW_DATABASE), S(DATABASE), err))
        return err->code;
    return dir_sync(d, err);
}

static bool is_new(struct sqlite *q)
{
    struct file *f;
    struct err why;
    err_code code = file_open(q->opts->dir, S(DATABASE), FILE_READ, &f, &why);
    if (!code)
        file_close(f);
    return code == ERR_NOT_FOUND;
}

static err_code prepare_all(struct sqlite *q, struct err *err)
{
    if (prepare(q, "BEGIN IMMEDIATE", &q->begin, err) || prepare(q, "COMMIT", &q->commit, err) ||
        prepare(q, "ROLLBACK", &q->rollback, err) ||
        prepare(q, "INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &q->insert, err) ||
        prepare(q, "DELETE FROM log WHERE id = ?1", &q->delete, err) ||
        prepare(q, "REPLACE INTO resource VALUES (?1, ?2, ?3)", &q->resource, err) ||
        prepare(q, "PRAGMA freelist_count", &q->free_pages, err))
        return err->code;
    return ERR_NONE;
}

/* Debian's build overwrites what is deleted, a page written for each that is freed: not here. */
static err_code open_database(struct sqlite *q, struct err *err)
{
    if (connect(q, DATABASE, 0, &q->db, err))
        return err->code;
    sqlite3_wal_autocheckpoint(q->db, 0);
    sqlite3_wal_hook(q->db, wal_grew, q);
    if (execute(q, "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA cell_size_check = on;"
                   "PRAGMA temp_store = memory; PRAGMA secure_delete = off") != SQLITE_OK)
        return failed(q, "open", err);
    if (check_format(q, err))
        return err->code;
    if (connect(q, DATABASE, 0, &q->worker_db, err))
        return err->code;
    if (sqlite3_exec(q->worker_db, "PRAGMA synchronous = full; PRAGMA cache_size = 16", NULL, NULL, NULL))
        return failed(q, "open", err);
    sqlite3_wal_autocheckpoint(q->worker_db, 0);
    return prepare_all(q, err);
}

/* --- loading --- */

static int64_t row_id(int64_t revision, unsigned slot)
{
    return revision * STORE_TXN_MAX + slot;
}

static str column_str(sqlite3_stmt *st, int column)
{
    const void *p = sqlite3_column_blob(st, column);
    return str_of(p, p ? (size_t)sqlite3_column_bytes(st, column) : 0);
}

static err_code load_resources(struct sqlite *q, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc;
    if (prepare(q, "SELECT number, name, trimmed FROM resource", &st, err))
        return err->code;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t number = sqlite3_column_int64(st, 0);
        str name = column_str(st, 1);
        bool fits = number > 0 && number <= STORE_RESOURCES_MAX && name.n;
        if (!fits || !store_resource_load(q->store, (uint32_t)number, name, sqlite3_column_int64(st, 2))) {
            sqlite3_finalize(st);
            return err_set(err, ERR_CORRUPT, "'" DATABASE "' is damaged: resource %lld makes no sense",
                           (long long)number);
        }
    }
    if (rc != SQLITE_DONE)
        failed(q, "read", err);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? ERR_NONE : err->code;
}

static err_code row_object(struct sqlite *q, struct object_key key, str stored, struct object **ret,
                           struct err *err)
{
    const struct store_transform *t = q->opts->transform;
    if (t) {
        buf_clear(&q->text);
        if (t->from_disk(t->ctx, &key, stored, &q->text, err) || buf_check(&q->text, err))
            return err->code;
        stored = buf_str(&q->text);
    }
    return object_new(key, stored, ret, err);
}

/* One row into what is being built. What it replaces, if that is not history any more, is of no use. */
static err_code load_row(struct sqlite *q, sqlite3_stmt *st, struct err *err)
{
    struct object *o = NULL;
    int64_t id = sqlite3_column_int64(st, 0), number = sqlite3_column_int64(st, 1);
    struct object_key key = {(uint32_t)number, column_str(st, 2), column_str(st, 3)};
    bool deleted = sqlite3_column_type(st, 5) == SQLITE_NULL;
    int64_t revision = id / STORE_TXN_MAX;
    unsigned slot = (unsigned)(id % STORE_TXN_MAX);
    if (id < STORE_TXN_MAX || number <= 0 || number > STORE_RESOURCES_MAX ||
        !store_resource_name(q->store, key.resource).n)
        return corrupt_row(err, id, "is of no known resource");
    if (!deleted && row_object(q, key, column_str(st, 5), &o, err))
        return err_wrap_as(err, ERR_CORRUPT, "'" DATABASE "' is damaged: row %lld of the log", (long long)id);
    const struct object *old = build_find(q->store, key);
    bool is_change = build_is_change(q->store, key.resource, revision);
    if (old && !is_change)
        vec_push(&q->leftovers, row_id(old->revision, old->slot));
    if (deleted && !is_change)
        vec_push(&q->leftovers, id);
    if (o)
        build_put(q->store, revision, slot, o);
    else if (old)
        build_delete(q->store, revision, slot, key);
    else if (is_change)
        return corrupt_row(err, id, "deletes what is not there");
    q->revision = revision;
    return ERR_NONE;
}

static err_code load_log(struct sqlite *q, int64_t *ret_wall_s, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc;
    int64_t now = env_now_mono(q->env), wall_s = env_now_wall(q->env) / NS_PER_S, at = wall_s;
    int64_t age_max = q->opts->history_ns / NS_PER_S + 1;
    if (prepare(q, "SELECT id, resource, ns, name, at, content FROM log ORDER BY id", &st, err))
        return err->code;
    err_code code = ERR_NONE;
    while (!code && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        at = sqlite3_column_int64(st, 4);
        int64_t age = at >= wall_s ? 0 : at < wall_s - age_max ? age_max : wall_s - at;
        build_set_time(q->store, now - age * NS_PER_S);
        code = load_row(q, st, err);
        if (!code)
            store_mark(q->store, at, q->revision);
    }
    if (!code && rc != SQLITE_DONE)
        code = failed(q, "read", err);
    sqlite3_finalize(st);
    *ret_wall_s = at;
    return code;
}

static err_code load(struct sqlite *q, struct err *err)
{
    int64_t wall_s = 0;
    q->revision = 1; /* of an empty store: 0 means something else to clients */
    build_begin(q->store);
    if (load_resources(q, err) || load_log(q, &wall_s, err))
        return err->code;
    store_resources_loaded(q->store, 0);
    build_publish(q->store, q->revision, wall_s);
    return ERR_NONE;
}

/* --- the log as a failed sync may have left it --- */

/* A process that ended because a sync had failed leaves pages that the system holds for clean, though the disk does not have
 * them. What a new start would build on must not be such: the log is written once more, and synced. (Pages of the
 * database that may be lost are in the log, too.) A clean end leaves no log. */
static err_code settle_log(struct sqlite *q, struct err *err)
{
    struct file *f;
    char block[16384];
    size_t n = 0;
    if (dir_sync(q->opts->dir, err))
        return err->code;
    if (file_open(q->opts->dir, S(DATABASE "-wal"), FILE_READ | FILE_WRITE, &f, err))
        return err->code == ERR_NOT_FOUND ? ERR_NONE : err->code;
    err_code code = ERR_NONE;
    for (uint64_t at = 0; !code; at += n) {
        code = file_read_at(f, at, block, sizeof block, &n, err);
        if (code || n == 0)
            break;
        code = file_write_at(f, at, block, n, err);
    }
    if (!code)
        code = file_sync(f, err);
    file_close(f);
    return code;
}

/* --- working the log into the database --- */

static size_t file_bytes(struct sqlite *q, int which)
{
    sqlite3_file *f = NULL;
    sqlite3_int64 size = 0;
    if (sqlite3_file_control(q->db, "main", which, &f) != SQLITE_OK || !f || !f->pMethods ||
        f->pMethods->xFileSize(f, &size) != SQLITE_OK)
        return 0;
    return (size_t)size;
}

static size_t disk_bytes(struct sqlite *q)
{
    return file_bytes(q, SQLITE_FCNTL_FILE_POINTER) + file_bytes(q, SQLITE_FCNTL_JOURNAL_POINTER) +
           (q->reserve.there ? q->reserve.size : 0);
}

/* Pages that may wait in the log, until a worker is asked to work them in; and until commits wait for that. */
static int soft_limit(const struct sqlite *q)
{
    return (int)(q->opts->reserve_size / PAGE_SIZE / 2) + 1;
}

static int hard_limit(const struct sqlite *q)
{
    return (int)(q->opts->reserve_size / PAGE_SIZE / 4 * 3) + 1;
}

static void die(struct sqlite *q, const struct err *why)
{
    q->dead = true;
    store_fatal(q->store, why);
}

static void checkpoint_failed(struct sqlite *q, int rc)
{
    struct err e;
    err_set(&e, code_of(rc), "could not work the log into '" DATABASE "': %s (SQLite error %d)",
            sqlite3_errstr(rc), rc);
    die(q, &e);
}

static void checkpoint_here(struct sqlite *q);

/* From now on only what makes less is let through, or what has room in the database. */
static void become_tight(struct sqlite *q)
{
    if (!q->tight && q->opts->log)
        log_warning(q->opts->log, "the disk is full: only deletes are taken",
                    KV_U64("reserve", q->opts->reserve_size));
    q->tight = true;
    q->widen_ns = env_now_mono(q->env) + WIDEN_EVERY_NS;
    reserve_release(&q->reserve);
    checkpoint_here(q);
}

static void checkpoint_ended(struct sqlite *q, int rc, int done)
{
    if (rc == SQLITE_OK)
        q->worked_pages = done;
    else if ((rc & 0xff) == SQLITE_FULL && !q->tight)
        become_tight(q);
    else if ((rc & 0xff) != SQLITE_FULL && rc != SQLITE_BUSY)
        checkpoint_failed(q, rc);
}

/* All of the log, so that it begins anew with the next commit. On a full disk it may not get far. */
static void checkpoint_here(struct sqlite *q)
{
    int all = 0, done = 0;
    int rc = sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &done);
    checkpoint_ended(q, rc, done);
}

static void checkpoint_run(struct loop_work *w)
{
    struct sqlite *q = CONTAINER_OF(w, struct sqlite, work);
    int all = 0;
    q->work_pages = 0;
    q->work_rc = sqlite3_wal_checkpoint_v2(q->worker_db, NULL, SQLITE_CHECKPOINT_PASSIVE, &all,
                                           &q->work_pages);
}

static void checkpoint_done(struct loop_work *w)
{
    struct sqlite *q = CONTAINER_OF(w, struct sqlite, work);
    q->working = false;
    if (q->dead)
        return;
    checkpoint_ended(q, q->work_rc, q->work_start == q->wal_starts ? q->work_pages : q->worked_pages);
    int rest = q->wal_pages - q->worked_pages;
    if (!q->dead && rest > 0 && (rest <= INLINE_PAGES_MAX || q->wal_pages > LOG_FACTOR_MAX * soft_limit(q)))
        checkpoint_here(q);
}

/* After a commit. */
static void checkpoint_when_due(struct sqlite *q)
{
    int waiting = q->wal_pages - q->worked_pages;
    if (q->dead || waiting < soft_limit(q) / (q->tight ? 8 : 1))
        return;
    if (q->tight || waiting > hard_limit(q)) {
        checkpoint_here(q);
    } else if (!q->working) {
        q->working = true;
        q->work_start = q->wal_starts;
        loop_submit(store_loop(q->store), &q->work);
    }
}

/* --- writing --- */

static int run(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        rc = SQLITE_DONE;
    sqlite3_reset(st); /* says the same again */
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void bind_str(sqlite3_stmt *st, int column, str s)
{
    sqlite3_bind_text(st, column, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
}

static int write_resources(struct sqlite *q)
{
    struct resource_record r;
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && store_resource_unsaved(q->store, i, &r); i++) {
        sqlite3_bind_int64(q->resource, 1, r.number);
        bind_str(q->resource, 2, r.name);
        sqlite3_bind_int64(q->resource, 3, r.trimmed);
        rc = run(q->resource);
    }
    return rc;
}

static str content_to_disk(struct sqlite *q, const struct object *o)
{
    const struct store_transform *t = q->opts->transform;
    struct object_key key = object_key(o);
    if (!t)
        return object_content(o);
    buf_clear(&q->text);
    t->to_disk(t->ctx, &key, object_content(o), &q->text);
    ASSERT(!q->text.failed);
    return buf_str(&q->text);
}

static int write_change(struct sqlite *q, const struct change *c, int64_t wall_s, size_t *bytes)
{
    const struct object *o = c->now ? c->now : c->old;
    str content = c->now ? content_to_disk(q, c->now) : STR_NONE;
    sqlite3_bind_int64(q->insert, 1, row_id(c->revision, c->slot));
    sqlite3_bind_int64(q->insert, 2, c->resource);
    bind_str(q->insert, 3, object_ns(o));
    bind_str(q->insert, 4, object_name(o));
    sqlite3_bind_int64(q->insert, 5, wall_s);
    if (c->now)
        sqlite3_bind_blob(q->insert, 6, content.p, (int)content.n, SQLITE_STATIC);
    else
        sqlite3_bind_null(q->insert, 6);
    *bytes += content.n;
    return run(q->insert);
}

static int delete_row(struct sqlite *q, int64_t id)
{
    sqlite3_bind_int64(q->delete, 1, id);
    return run(q->delete);
}

static int write_trimmed(struct sqlite *q, const struct change *c)
{
    int rc = SQLITE_OK;
    if (c->old)
        rc = delete_row(q, row_id(c->old->revision, c->old->slot));
    if (rc == SQLITE_OK && !c->now)
        rc = delete_row(q, row_id(c->revision, c->slot));
    return rc;
}

/* What was built becomes durable; or nothing of it does. */
static int write_build(struct sqlite *q, int64_t wall_s, size_t *ret_bytes)
{
    size_t leftovers = size_min(q->leftovers.count, LEFTOVERS_MAX);
    int rc = run(q->begin);
    if (rc == SQLITE_OK)
        rc = write_resources(q);
    for (const struct history_entry *e = build_added(q->store); rc == SQLITE_OK && e; e = e->next)
        rc = write_change(q, &e->change, wall_s, ret_bytes);
    for (const struct history_entry *e = build_trimmed(q->store); rc == SQLITE_OK && e; e = e->next)
        rc = write_trimmed(q, &e->change);
    for (size_t i = 0; rc == SQLITE_OK && i < leftovers; i++)
        rc = delete_row(q, q->leftovers.items[q->leftovers.count - 1 - i]);
    if (rc == SQLITE_OK)
        rc = run(q->commit);
    if (rc == SQLITE_OK)
        q->leftovers.count -= leftovers;
    else if (!sqlite3_get_autocommit(q->db) && run(q->rollback) != SQLITE_OK)
        rc = SQLITE_IOERR; /* then nothing is certain */
    return rc;
}

/* --- transactions --- */

/* Something goes, or is on its way out, and nothing is added. */
static bool makes_less(const struct sqlite *q, const struct store_txn *t)
{
    bool less = false;
    for (unsigned i = 0; i < t->change_count; i++) {
        const struct object *put = t->changes[i].put;
        if (put && !build_find(q->store, object_key(put)))
            return false;
        less |= !put || put->flags & OBJECT_DELETING;
    }
    return less;
}

/* Is there room in the database itself, where things were deleted? */
static bool has_free_pages(struct sqlite *q)
{
    int64_t pages = 0;
    if (sqlite3_step(q->free_pages) == SQLITE_ROW)
        pages = sqlite3_column_int64(q->free_pages, 0);
    sqlite3_reset(q->free_pages);
    return pages >= soft_limit(q) / 4;
}

static void widen(struct sqlite *q)
{
    int64_t now = env_now_mono(q->env);
    if (!q->tight || now < q->widen_ns)
        return;
    q->widen_ns = now + WIDEN_EVERY_NS;
    reserve_make(&q->reserve);
}

static void reserve_made(struct reserve *r, bool whole)
{
    struct sqlite *q = CONTAINER_OF(r, struct sqlite, reserve);
    if (!whole && !q->dead) {
        become_tight(q);
        return;
    }
    if (q->tight && q->opts->log)
        log_info(q->opts->log, "there is room on the disk again");
    q->tight = false;
}

static void refuse_full(struct store_txn *t)
{
    err_set(&t->err, ERR_DISK_FULL, "the disk of the store is full");
}

/* The snapshot after these transactions; each gets its answer, which holds if that comes to be. Tells how many changes. */
static size_t build_group(struct sqlite *q, struct store_txn *first, bool tight)
{
    size_t changes = 0;
    int64_t revision = q->revision;
    for (struct store_txn *t = first; t; t = t->next) {
        t->err.code = ERR_NONE;
        t->revision = revision;
        if (tight && t->change_count && !makes_less(q, t)) {
            refuse_full(t);
        } else if (build_allows(q->store, t) && t->change_count) {
            t->revision = ++revision;
            build_txn(q->store, t, revision);
            changes += t->change_count;
        }
    }
    return changes;
}

static err_code commit_group(struct sqlite *q, struct store_txn *first, bool only_less, struct err *err)
{
    int64_t start = env_now_mono(q->env), wall_s = env_now_wall(q->env) / NS_PER_S, revision = q->revision;
    size_t bytes = 0;
    build_begin(q->store);
    size_t changes = build_group(q, first, only_less);
    if (!changes) {
        build_drop(q->store);
        return ERR_NONE;
    }
    for (const struct store_txn *t = first; t; t = t->next)
        revision = t->revision > revision ? t->revision : revision;
    if (q->tight) /* as much as there is surely room for */
        build_trim(q->store, (size_t)soft_limit(q) / 4, true);
    else
        build_trim(q->store, TRIM_MAX + 2 * changes, false);
    int rc = write_build(q, wall_s, &bytes);
    if (rc != SQLITE_OK) {
        build_drop(q->store);
        return err_set(err, code_of(rc), "could not write to '" DATABASE "': %s (SQLite error %d)",
                       sqlite3_errstr(rc), rc);
    }
    q->revision = revision;
    build_publish(q->store, revision, wall_s);
    store_count_commit(q->store, bytes, env_now_mono(q->env) - start, disk_bytes(q));
    return ERR_NONE;
}

static void answer_all(struct sqlite *q, struct store_txn *first)
{
    for (struct store_txn *t = first, *next; t; t = next) {
        next = t->next;
        store_answer(q->store, t);
    }
}

static void sqlite_commit(struct backend *b, struct store_txn *first)
{
    struct sqlite *q = sqlite_of(b);
    struct err e = ERR_INIT;
    widen(q);
    bool only_less = q->tight && !has_free_pages(q);
    err_code code = q->dead ? ERR_IO : commit_group(q, first, only_less, &e);
    if (code == ERR_DISK_FULL) {
        become_tight(q);
        code = q->dead ? ERR_IO : commit_group(q, first, true, &e);
    }
    for (struct store_txn *t = first; code && t; t = t->next) {
        if (code == ERR_DISK_FULL)
            refuse_full(t);
        else
            err_set(&t->err, ERR_UNAVAILABLE, "the store has stopped, perhaps before this was written");
    }
    if (code && code != ERR_DISK_FULL && !q->dead)
        die(q, &e);
    answer_all(q, first);
    checkpoint_when_due(q);
    store_free_some(q->store, 2000);
}

/* --- life --- */

static void sqlite_close(struct backend *b)
{
    struct sqlite *q = sqlite_of(b);
    sqlite3_stmt *const all[] = {q->begin,  q->commit,   q->rollback,  q->insert,
                                 q->delete, q->resource, q->free_pages};
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        sqlite3_finalize(all[i]);
    sqlite3_close(q->worker_db);
    sqlite3_close(q->db);
    sqlite_vfs_unregister(q->vfs);
    reserve_close(&q->reserve);
    file_close(q->lock);
    buf_done(&q->text);
    vec_done(&q->leftovers);
    mem_free(q);
}

static const struct backend_ops sqlite_ops = {.commit = sqlite_commit, .close = sqlite_close};

static err_code open_files(struct sqlite *q, struct err *err)
{
    char name[40];
    if (dir_lock(q->opts->dir, S("lock"), &q->lock, err)) {
        if (err->code == ERR_CONFLICT)
            return err_set(err, ERR_CONFLICT, "another process uses this store");
        return err->code;
    }
    int n = snprintf(name, sizeof name, "store-%p", (void *)q); /* among those of this process */
    if (sqlite_vfs_register(q->env, q->opts->dir, str_of(name, (size_t)n), &q->vfs, err))
        return err->code;
    if (is_new(q) ? make_database(q, err) : settle_log(q, err))
        return err->code;
    if (open_database(q, err) || load(q, err))
        return err->code;
    q->reserve = (struct reserve){
        .on_made = reserve_made, .size = q->opts->reserve_size, .loop = store_loop(q->store)};
    if (reserve_open(&q->reserve, q->opts->dir, S("reserve"), err))
        return err->code;
    reserve_make(&q->reserve);
    return ERR_NONE;
}

err_code sqlite_backend_open(struct store *s, struct backend **ret, struct err *err)
{
    struct sqlite *q = NEW(struct sqlite);
    *q = (struct sqlite){.backend.ops = &sqlite_ops,
                         .store = s,
                         .env = store_env(s),
                         .opts = store_options(s),
                         .work = {.run = checkpoint_run, .done = checkpoint_done}};
    buf_init(&q->text, 2 * OBJECT_SIZE_MAX);
    if (open_files(q, err)) {
        err_wrap(err, "could not open the store");
        sqlite_close(&q->backend);
        return err->code;
    }
    *ret = &q->backend;
    return ERR_NONE;
}
