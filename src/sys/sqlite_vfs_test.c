/* sqlite_vfs_test.c - SQLite on our VFS, in both worlds. */
#include "base/mem.h"
#include "sys/sqlite_vfs.h"
#include "sys/suite_test.h"
#include <sqlite3.h>

struct base {
    struct dir *dir;
    struct sqlite_vfs *vfs;
};

static struct base base_open(struct suite_world *w)
{
    struct base b;
    CHECK_OK(dir_open(w->env, str_from_c(w->dir), DIR_CREATE, &b.dir, &e));
    CHECK_OK(sqlite_vfs_register(w->env, b.dir, S("ours"), &b.vfs, &e));
    return b;
}

static void base_close(struct base *b)
{
    sqlite_vfs_unregister(b->vfs);
    dir_close(b->dir);
}

static sqlite3 *db_open(const char *name)
{
    sqlite3 *db;
    int rc = sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "ours");
    if (rc != SQLITE_OK)
        FAIL("could not open '%s': %s", name, sqlite3_errmsg(db));
    return db;
}

static void db_close(sqlite3 *db)
{
    CHECK_EQ(sqlite3_close(db), SQLITE_OK);
}

static int try_sql(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void run_sql(sqlite3 *db, const char *sql)
{
    int rc = try_sql(db, sql);
    if (rc != SQLITE_OK)
        FAIL("'%s' failed: %s (%d)", sql, sqlite3_errmsg(db), sqlite3_extended_errcode(db));
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
        FAIL("'%s' failed: %s", sql, sqlite3_errmsg(db));
    int64_t v = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return v;
}

static sqlite3 *db_open_wal(const char *name)
{
    sqlite3 *db = db_open(name);
    run_sql(db, "PRAGMA journal_mode = wal; PRAGMA synchronous = full;"
                "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)");
    return db;
}

SUITE_TEST(sqlite_keeps_what_was_committed_when_reopened)
{
    struct base b = base_open(w);
    sqlite3 *db = db_open_wal("state.db");
    run_sql(db, "INSERT INTO t (v) VALUES ('one'), ('two')");
    run_sql(db, "BEGIN; DELETE FROM t; ROLLBACK");
    db_close(db);
    db = db_open("state.db");
    CHECK_EQ(number(db, "SELECT count(*) FROM t"), 2);
    CHECK_EQ(number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    db_close(db);
    /* The last to close leaves the database alone. */
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    str *names;
    size_t count;
    CHECK_OK(dir_list(b.dir, &a, &names, &count, &e));
    CHECK_EQ(count, 1);
    CHECK_STR(names[0], "state.db");
    base_close(&b);
}

SUITE_TEST(sqlite_readers_keep_their_snapshot_beside_one_writer_and_a_checkpointer)
{
    struct base b = base_open(w);
    sqlite3 *writer = db_open_wal("state.db"), *other = db_open("state.db"), *reader = db_open("state.db");
    run_sql(writer, "INSERT INTO t (v) VALUES ('one')");
    run_sql(reader, "BEGIN");
    CHECK_EQ(number(reader, "SELECT count(*) FROM t"), 1);
    run_sql(writer, "BEGIN IMMEDIATE; INSERT INTO t (v) VALUES ('two')");
    CHECK_EQ(try_sql(other, "BEGIN IMMEDIATE"), SQLITE_BUSY);
    run_sql(writer, "COMMIT");
    run_sql(other, "PRAGMA wal_checkpoint(passive)");
    CHECK_EQ(number(reader, "SELECT count(*) FROM t"), 1);
    CHECK_EQ(number(other, "PRAGMA wal_checkpoint(truncate)"), 1); /* busy: the reader is in the way */
    run_sql(reader, "COMMIT");
    CHECK_EQ(number(reader, "SELECT count(*) FROM t"), 2);
    CHECK_EQ(number(other, "PRAGMA wal_checkpoint(truncate)"), 0);
    db_close(writer);
    db_close(other);
    db_close(reader);
    base_close(&b);
}

SUITE_TEST(sqlite_without_wal_lets_no_commit_in_between_a_readers_reads)
{
    struct base b = base_open(w);
    sqlite3 *writer = db_open("old.db"), *reader = db_open("old.db");
    run_sql(writer, "PRAGMA journal_mode = delete; CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    run_sql(reader, "BEGIN");
    CHECK_EQ(number(reader, "SELECT count(*) FROM t"), 1);
    run_sql(writer, "BEGIN; INSERT INTO t VALUES (2)");
    CHECK_EQ(try_sql(writer, "COMMIT"), SQLITE_BUSY);
    CHECK_EQ(number(reader, "SELECT count(*) FROM t"), 1);
    /* A writer that waits lets no new reader in. */
    sqlite3 *late = db_open("old.db");
    CHECK_EQ(try_sql(late, "SELECT count(*) FROM t"), SQLITE_BUSY);
    run_sql(reader, "COMMIT");
    run_sql(writer, "COMMIT");
    CHECK_EQ(number(late, "SELECT count(*) FROM t"), 2);
    db_close(writer);
    db_close(reader);
    db_close(late);
    base_close(&b);
}

SUITE_TEST(sqlite_waits_by_the_envs_clock_and_tells_its_time)
{
    struct base b = base_open(w);
    sqlite3 *one = db_open_wal("state.db"), *two = db_open("state.db");
    run_sql(one, "BEGIN IMMEDIATE");
    run_sql(two, "PRAGMA busy_timeout = 60");
    int64_t before = env_now_mono(w->env);
    CHECK_EQ(try_sql(two, "BEGIN IMMEDIATE"), SQLITE_BUSY);
    CHECK_GE(env_now_mono(w->env) - before, 50 * NS_PER_MS);
    int64_t wall_s = env_now_wall(w->env) / NS_PER_S;
    int64_t said_s = number(one, "SELECT CAST(strftime('%s', 'now') AS INTEGER)");
    CHECK_LE(wall_s, said_s);
    CHECK_LE(said_s, wall_s + 1);
    db_close(one);
    db_close(two);
    base_close(&b);
}

SUITE_TEST(sqlite_sorts_and_spills_in_memory)
{
    struct base b = base_open(w);
    sqlite3 *db = db_open_wal("state.db");
    run_sql(db, "PRAGMA cache_size = 10; PRAGMA temp_store = file;"
                "CREATE TEMP TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                "WHERE i < 5000) SELECT i, hex(randomblob(100)) AS x FROM n;"
                "CREATE INDEX temp.big_x ON big (x)");
    CHECK_EQ(number(db, "SELECT count(*) FROM (SELECT x FROM big ORDER BY x || i)"), 5000);
    run_sql(db, "SAVEPOINT a; INSERT INTO t (v) SELECT x FROM big; ROLLBACK TO a; RELEASE a");
    CHECK_EQ(number(db, "SELECT count(*) FROM t"), 0);
    db_close(db);
    base_close(&b);
}

SUITE_TEST(sqlite_opens_nothing_outside_of_its_directory)
{
    struct base b = base_open(w);
    static const char *const names[] = {"../out.db", "/tmp/out.db", "a//b.db", "no/such/dir.db"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        sqlite3 *db;
        CHECK_EQ(sqlite3_open_v2(names[i], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "ours"),
                 SQLITE_CANTOPEN);
        sqlite3_close(db);
    }
    struct sqlite_vfs *again;
    CHECK_ERR(CONFLICT, "named 'ours'", sqlite_vfs_register(w->env, b.dir, S("ours"), &again, &e));
    base_close(&b);
}

/* One writer, one checkpointer, two readers, each on a loop of its own. */
struct party {
    struct loop_msg msg;
    struct loop *loop;
    sqlite3 *db;
    enum { WRITES, CHECKPOINTS, READS } what;
    int64_t seen;
    int left;
    atomic_int *done;
};

static void party_step(struct loop_msg *m)
{
    struct party *p = CONTAINER_OF(m, struct party, msg);
    int64_t now;
    switch (p->what) {
    case WRITES: run_sql(p->db, "INSERT INTO t (v) VALUES (hex(randomblob(500)))"); break;
    case CHECKPOINTS: run_sql(p->db, "PRAGMA wal_checkpoint(passive)"); break;
    case READS:
        now = number(p->db, "SELECT count(*) FROM t");
        CHECK_GE(now, p->seen);
        p->seen = now;
        break;
    }
    if (--p->left > 0)
        loop_post(p->loop, m);
    else
        atomic_fetch_add(p->done, 1);
}

SUITE_TEST(sqlite_connections_on_several_loops_see_commits_in_order)
{
    enum { STEPS = 60 };
    struct base b = base_open(w);
    struct loop *own = suite_loop(w, "own");
    atomic_int done = 0;
    struct party parties[] = {{.what = WRITES}, {.what = CHECKPOINTS}, {.what = READS}, {.what = READS}};
    for (size_t i = 0; i < ARRAY_COUNT(parties); i++) {
        struct party *p = &parties[i];
        p->db = db_open_wal("state.db");
        run_sql(p->db, "PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 0");
        p->loop = suite_loop(w, "party");
        p->msg.run = party_step;
        p->left = STEPS;
        p->done = &done;
        loop_post(p->loop, &p->msg);
    }
    for (size_t i = 0; i < ARRAY_COUNT(parties); i++)
        suite_start(parties[i].loop);
    SUITE_WAIT_COUNT(own, &done, ARRAY_COUNT(parties));
    for (size_t i = 0; i < ARRAY_COUNT(parties); i++) {
        loop_stop(parties[i].loop);
        loop_join(parties[i].loop);
        CHECK_EQ(number(parties[i].db, "SELECT count(*) FROM t"), STEPS);
    }
    for (size_t i = 0; i < ARRAY_COUNT(parties); i++)
        db_close(parties[i].db);
    base_close(&b);
}
